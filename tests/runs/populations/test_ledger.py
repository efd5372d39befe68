"""The ledger: what is entered is whole, what is other is refused by name, nothing is lost."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys

import pytest

from adderlab.errors import OutputError
from adderlab.runs.populations import ledger as module
from adderlab.runs.populations.ledger import Ledger
from adderlab.scratch import scratch_file, scratch_folder

IDENTITY = {"task": "half-adder", "lr": 0.1, "hidden": (3, 4), "path": "abacus"}


def begun(folder, blocks=3):
    """Return the folder of a run with some blocks entered."""
    ledger = Ledger.open(folder, IDENTITY)
    for number in range(blocks):
        ledger.enter(number, f"block {number}".encode(), suffix=".bin", members=7)
    return ledger


def test_a_ledger_finds_what_was_entered(tmp_path):
    _ = begun(tmp_path / "deep" / "run")
    ledger = Ledger.open(tmp_path / "deep" / "run", IDENTITY)
    assert sorted(ledger.blocks) == [0, 1, 2]
    assert ledger.path(1, ".bin").read_bytes() == b"block 1"
    assert ledger.blocks[1]["members"] == 7
    assert (ledger.result, ledger.damaged) == (None, ())


def test_opening_writes_nothing(tmp_path):
    _ = Ledger.open(tmp_path / "run", IDENTITY)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "differing"),
    [
        ({"lr": 0.2}, "lr was 0.1, is 0.2"),
        ({"hidden": 3}, "hidden was [3, 4], is 3"),
        ({"lr": 0.2, "path": "x"}, "lr was 0.1, is 0.2; path was abacus, is x"),
        ({"keep": "none"}, "keep was null, is none"),
    ],
)
def test_other_work_is_refused_and_what_differs_is_named(tmp_path, changes, differing):
    _ = begun(tmp_path)
    before = sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*"))
    with pytest.raises(OutputError) as refused:
        _ = Ledger.open(tmp_path, {**IDENTITY, **changes})
    assert str(refused.value) == (
        f"{tmp_path}: the folder holds another run: {differing}; give the earlier values, or "
        "name a new folder"
    )
    assert sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*")) == before


def test_long_values_that_differ_beyond_what_is_shown_are_told_apart(tmp_path):
    _ = Ledger.open(tmp_path, {"task": "x" * 90 + "a"}).save()
    with pytest.raises(OutputError) as refused:
        _ = Ledger.open(tmp_path, {"task": "x" * 90 + "b"})
    was, now = refused.value.what.removeprefix("the folder holds another run: task was ").split(
        ", is "
    )
    assert was != now


def test_an_unfinished_run_goes_on_where_it_began_and_a_finished_one_is_shown_anywhere(tmp_path):
    ledger = Ledger.open(tmp_path, IDENTITY, {"cpu": "here"})
    ledger.enter(0, b"block 0", suffix=".bin")
    with pytest.raises(OutputError) as refused:
        _ = Ledger.open(tmp_path, IDENTITY, {"cpu": "there"})
    assert refused.value.what == "the folder holds another run: cpu was here, is there"
    assert sorted(Ledger.open(tmp_path, IDENTITY, {"cpu": "here"}).blocks) == [0]
    ledger.finish({"successes": 3}, [])
    assert Ledger.open(tmp_path, IDENTITY, {"cpu": "there"}).result == {"successes": 3}


def test_a_folder_of_other_files_is_refused(tmp_path):
    _ = (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError) as refused:
        _ = Ledger.open(tmp_path, IDENTITY)
    assert str(refused.value) == f"{tmp_path}: the folder holds other files; name a new folder"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"schema": 1}', '{"schema": 2, "identity": {}}', "\x00", '"run"',
     "[" * 100_000, '{"schema": NaN}', '{"schema": 1, "schema": 1}',
     '{"a":' * 500 + "1" + "}" * 500],
)  # fmt: skip
def test_a_record_that_is_none_of_ours_is_refused(tmp_path, text):
    _ = (tmp_path / "run.json").write_text(text)
    with pytest.raises(OutputError) as refused:
        _ = Ledger.open(tmp_path, IDENTITY)
    message = str(refused.value)
    what = f"{tmp_path / 'run.json'}: not the record of a run that can be resumed ("
    assert (message[: len(what)], message[-20:]) == (what, "); name a new folder")
    assert len(message) < len(what) + 200
    assert (tmp_path / "run.json").read_text() == text


@pytest.mark.parametrize(
    "changes",
    [
        {"files": [{}]},
        {"files": [1]},
        {"best": 5},
        {"interval": [1]},
        {"successes": "x"},
        {"failures": [{}]},
        {"blocks": []},
        {"finished": False},
        {"sha256": "0" * 64},
    ],
)
def test_a_record_that_was_changed_is_refused(tmp_path, changes):
    ledger = begun(tmp_path)
    ledger.finish({"successes": 3, "best": None, "interval": [0.1, 0.2], "failures": []}, [])
    record = tmp_path / "run.json"
    text = json.dumps({**json.loads(record.read_text()), **changes})
    _ = record.write_text(text)
    with pytest.raises(OutputError) as refused:
        _ = Ledger.open(tmp_path, IDENTITY)
    assert str(refused.value) == (
        f"{record}: the record is damaged: its checksum does not match; "
        "restore it from a copy, or name a new folder"
    )
    assert record.read_text() == text


def test_a_record_laid_out_otherwise_says_the_same(tmp_path):
    begun(tmp_path).finish({"rate": 0.1, "by": {"b": 1e-7, "a": (1, 2)}}, [])
    record = tmp_path / "run.json"
    _ = record.write_text(json.dumps(json.loads(record.read_text())))
    ledger = Ledger.open(tmp_path, IDENTITY)
    assert ledger.result == {"rate": 0.1, "by": {"b": 1e-7, "a": [1, 2]}}


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(path.read_bytes()[:-1] + b"?"),
        lambda path: path.unlink(),
        lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    ],
)
def test_a_block_that_is_not_as_it_was_written_is_named_and_not_taken(tmp_path, harm):
    ledger = begun(tmp_path)
    ledger.finish({"successes": 3}, [])
    harm(ledger.path(1, ".bin"))
    result = Ledger.open(tmp_path, IDENTITY)
    assert sorted(result.blocks) == [0, 2]
    assert result.damaged == ("blocks/000001.bin",)
    assert result.result is None  # it spoke of all three


def test_a_result_is_found_again_beside_the_ledgers_own_keys(tmp_path):
    ledger = begun(tmp_path)
    file = tmp_path / "census.parquet"
    _ = file.write_bytes(b"rows")
    ledger.finish({"successes": 3}, [file])
    assert Ledger.open(tmp_path, IDENTITY).result == {"successes": 3}
    record = json.loads((tmp_path / "run.json").read_text())
    assert (record["successes"], record["finished"]) == (3, True)
    _ = file.write_bytes(b"row")
    result = Ledger.open(tmp_path, IDENTITY)
    assert (result.result, result.damaged) == (None, ("census.parquet",))
    assert len(result.blocks) == 3


def test_an_entry_may_not_name_a_file_elsewhere(tmp_path):
    ledger = begun(tmp_path / "run", blocks=1)
    outside = tmp_path / "outside.bin"
    _ = outside.write_bytes(b"block 0")
    ledger.blocks[0]["file"] = "../outside.bin"
    ledger.save()
    with pytest.raises(OutputError, match=r"\(blocks.0.file: String should match pattern"):
        _ = Ledger.open(tmp_path / "run", IDENTITY)


RESEALED = [
    ({"schema": 2}, "schema: Input should be 1"),
    ({"finished": "yes"}, "finished: Input should be a valid boolean"),
    ({"identity": None}, "identity: Input should be a valid dictionary"),
    ({"blocks": {}}, "blocks: Input should be a valid list"),
    ({"blocks": [{}]}, "blocks.0.file: Field required"),
    ({"files": [{"file": "../../x", "bytes": 1, "blake2b": "0" * 32}]},
     "files.0.file: String should match pattern"),
    ({"files": [{"file": "a.b", "bytes": -1, "blake2b": "0" * 32}]}, "files.0.bytes: Input should"),
    ({"files": [{"file": "a.b", "bytes": 1.5, "blake2b": "0" * 32}]}, "files.0.bytes: Input"),
    ({"figures": [{"file": "figures/../../x.svg", "bytes": 1, "blake2b": "0" * 32}]},
     "figures.0.file: String should match pattern"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "fault"), RESEALED)
def test_a_record_that_was_changed_and_sealed_again_is_refused(tmp_path, changes, fault):
    _ = begun(tmp_path)
    record = tmp_path / "run.json"
    entries = {**json.loads(record.read_text()), **changes}
    entries["sha256"] = module._seal(entries)
    _ = record.write_text(json.dumps(entries))
    with pytest.raises(OutputError) as refused:
        _ = Ledger.open(tmp_path, IDENTITY)
    assert refused.value.what.startswith(f"not the record of a run that can be resumed ({fault}")


@pytest.mark.parametrize("name", ["block", "file", "bytes", "blake2b"])
def test_an_entry_that_lacks_a_key_is_refused(tmp_path, name):
    ledger = begun(tmp_path)
    del ledger.blocks[1][name]
    ledger.save()
    with pytest.raises(OutputError, match=rf"\(blocks.1.{name}: Field required\)"):
        _ = Ledger.open(tmp_path, IDENTITY)


def test_a_block_that_is_entered_twice_or_under_another_number_is_refused(tmp_path):
    ledger = begun(tmp_path)
    ledger.blocks[3] = ledger.blocks[2]
    ledger.save()
    with pytest.raises(OutputError, match="a block is entered twice"):
        _ = Ledger.open(tmp_path, IDENTITY)
    ledger.blocks[3] = {**ledger.blocks[2], "block": 3}
    ledger.save()
    with pytest.raises(OutputError, match="the file of block 3 has another number"):
        _ = Ledger.open(tmp_path, IDENTITY)


@pytest.mark.parametrize("place", ["run.json", "blocks", "blocks/000001.bin", "figures", "x"])
def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path, place):
    run, far = tmp_path / "run", tmp_path / "far"
    _ = begun(run)
    target = run / place
    if target.exists():
        _ = target.rename(far)
    target.symlink_to(far)
    with pytest.raises(OutputError) as refused:
        _ = Ledger.open(run, IDENTITY)
    assert str(refused.value) == (
        f"{target}: a link that leads out of the run's folder; put what it leads to in its place"
    )


@pytest.mark.parametrize("place", ["run.json", "blocks/000001.bin"])
def test_a_pipe_in_a_files_place_is_not_waited_for(tmp_path, place):
    _ = begun(tmp_path)
    (tmp_path / place).unlink()
    os.mkfifo(tmp_path / place)
    assert module.recorded_identity(tmp_path) == (
        {} if place == "run.json" else json.loads(json.dumps(IDENTITY))
    )
    if place == "run.json":
        with pytest.raises(OutputError, match=r"run.json: not a regular file; name a new folder"):
            _ = Ledger.open(tmp_path, IDENTITY)
    else:
        assert Ledger.open(tmp_path, IDENTITY).damaged == (place,)


def full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("at", ["scratch.tempfile.mkstemp", "writing.Path.write_bytes"])
def test_a_full_disk_is_one_line_and_what_was_entered_stays(tmp_path, monkeypatch, at):
    ledger = begun(tmp_path, blocks=2)
    with monkeypatch.context() as patched:
        patched.setattr(f"adderlab.{at}", full)
        with pytest.raises(OutputError) as refused:
            ledger.enter(2, b"block 2", suffix=".bin")
    assert str(refused.value) == (
        f"{tmp_path / 'blocks' / '000002.bin'}: can't be written (No space left on device); "
        "2 finished blocks are kept: make room and give the same command to resume"
    )
    result = Ledger.open(tmp_path, IDENTITY)
    assert sorted(result.blocks) == [0, 1]
    assert not result.damaged
    names = sorted(path.name for path in (tmp_path / "blocks").iterdir())
    assert names == ["000000.bin", "000001.bin"]


def test_a_block_written_but_not_entered_is_no_block(tmp_path, monkeypatch):
    """The process was killed between the two."""
    ledger = begun(tmp_path, blocks=1)
    monkeypatch.setattr(module.Ledger, "save", full)
    with pytest.raises(OSError, match="No space"):
        ledger.enter(1, b"block 1", suffix=".bin")
    monkeypatch.undo()
    assert (tmp_path / "blocks" / "000001.bin").is_file()
    assert sorted(Ledger.open(tmp_path, IDENTITY).blocks) == [0]


def test_what_a_killed_process_left_half_written_is_swept_and_nothing_else(tmp_path, monkeypatch):
    _ = begun(tmp_path, blocks=1)
    process = subprocess.Popen([sys.executable, "-c", ""])
    _ = process.wait()
    monkeypatch.setattr(os, "getpid", lambda: process.pid)
    left = [tmp_path / "blocks" / "000001.bin", tmp_path / "run.json"]
    left = [scratch_file(path)[1] for path in left]
    drawn = scratch_folder(tmp_path / "figures")
    monkeypatch.undo()
    others = [tmp_path / ".gitignore", tmp_path / ".notes.of.mine1234", tmp_path / "blocks" / "x"]
    for path in (*left, *others):
        _ = path.write_bytes(b"half")
    kept = tmp_path / ".figures.mine"
    kept.mkdir()
    for path in (drawn, kept):
        _ = (path / "losses.svg").write_bytes(b"half")
    _ = Ledger.open(tmp_path, IDENTITY)
    assert not drawn.exists()
    assert (kept / "losses.svg").exists()
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in others)


def test_a_run_killed_before_its_first_entry_is_begun_anew(tmp_path):
    (tmp_path / "blocks").mkdir()
    _ = (tmp_path / "blocks" / "000000.bin").write_bytes(b"half")
    assert Ledger.open(tmp_path, IDENTITY).blocks == {}


@pytest.mark.parametrize(
    ("done", "total", "kept"),
    [
        (1, 8, "1 of 8 bands is kept"),
        (1, 1, "1 of 1 band is kept"),
        (2, 8, "2 of 8 bands are kept"),
    ],
)
def test_an_interruption_counts_what_is_kept(tmp_path, done, total, kept):
    ledger = Ledger(tmp_path, IDENTITY, blocks={number: {} for number in range(done)})
    assert ledger.interrupted(total, "band").kept == f"{kept} in {tmp_path}"
