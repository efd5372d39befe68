"""A population's run that was interrupted resumes to the same bytes; damage is found and mended."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from runs.populations.shared import (
    PLAIN,
    QUICK,
    SEEDS,
    refused_work,
    run_record,
    same_files,
    without_seconds,
)

from adderlab.errors import OutputError
from adderlab.runs.populations import blocks, ledger
from adderlab.runs.populations import plan as plans
from adderlab.verbs.train_many import train_many

pytestmark = pytest.mark.usefixtures("small_blocks")

SCRIPT = """
import sys
from adderlab.runs.populations import plan
plan.LARGEST_BLOCK = 16
from adderlab.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
MANY = 640
COMMAND = ("train", "half-adder", "--seeds", str(MANY), "--keep", "weights", "--no-explain")
OPTIONS = ("--lr", "0.4", "--steps", "150", "--data", "table", "--json", "-o", "run")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plans, "LARGEST_BLOCK", 16)
        census = train_many(
            "half-adder",
            seeds=MANY,
            keep="weights",
            out=folder / "run",
            **PLAIN,
        )
    return census, folder / "run"


def test_a_killed_run_resumes_to_the_same_bytes(uninterrupted, tmp_path, monkeypatch):
    """SIGKILL at a moment drawn from a fixed seed, then the same run to its end."""
    census, other = uninterrupted
    folder = tmp_path / "run"
    dice = random.Random(11)
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *COMMAND, *OPTIONS],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    least_blocks = dice.randrange(1, MANY // 16 - 2)
    while len(list(folder.glob("blocks/*.parquet"))) < least_blocks and process.poll() is None:
        time.sleep(0.0005)
    time.sleep(dice.random() * 0.005)
    process.send_signal(signal.SIGKILL)
    _, err = process.communicate()
    assert process.returncode == -signal.SIGKILL, err
    entered = len(json.loads((folder / "run.json").read_text())["blocks"])
    assert least_blocks - 1 <= entered < MANY // 16  # it was killed on its way
    monkeypatch.setattr(plans, "LARGEST_BLOCK", 16)
    again = train_many("half-adder", seeds=MANY, keep="weights", out=folder, **PLAIN)
    assert not again.repaired
    assert same_files(folder, other)
    assert run_record(folder) == run_record(other)
    result, expected = again.to_dict(), census.to_dict()
    for entry in (result, expected):
        del entry["folder"], entry["best"]["file"]
    assert without_seconds(result) == without_seconds(expected)


def test_finished_blocks_are_not_trained_again(whole, tmp_path, monkeypatch):
    """All blocks but one are there: one is trained."""
    _, other = whole
    folder = tmp_path / "run"
    _ = shutil.copytree(other, folder)
    record = json.loads((folder / "run.json").read_text())
    taken = record["blocks"].pop(2)
    record["finished"] = False
    record["sha256"] = ledger._seal(record)
    _ = (folder / "run.json").write_text(json.dumps(record))
    (folder / taken["file"]).unlink()
    requests = []
    trained = blocks.Blocks._members
    monkeypatch.setattr(
        blocks.Blocks,
        "_members",
        lambda self, members: requests.append(members) or trained(self, members),
    )
    census = train_many("half-adder", seeds=SEEDS, out=folder, **QUICK)
    assert [list(members) for members in requests] == [list(range(64, 96))]
    assert not census.repaired
    assert same_files(folder, other)
    assert run_record(folder) == run_record(other)


def test_figures_that_are_gone_are_drawn_again(whole, tmp_path, monkeypatch):
    _, other = whole
    folder = tmp_path / "run"
    _ = shutil.copytree(other, folder)
    shutil.rmtree(folder / "figures")
    monkeypatch.setattr(blocks, "train_members", refused_work)  # the members shown are, elsewhere
    assert train_many("half-adder", seeds=SEEDS, out=folder, **QUICK).was_done
    assert same_files(folder, other)


def test_a_finished_run_is_shown_and_not_trained_again(whole, monkeypatch):
    census, folder = whole
    monkeypatch.setattr(blocks, "train_members", refused_work)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    again = train_many("half-adder", seeds=SEEDS, out=folder, **QUICK)
    assert again.was_done
    assert without_seconds(again.to_dict()) == without_seconds(census.to_dict())
    assert again.seconds == census.seconds
    assert again.best_proof.verdict == "proved"
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


@pytest.mark.parametrize(
    ("file", "again"),
    [
        ("census.parquet", []),
        ("best.safetensors", []),
        ("blocks/000001.parquet", [range(32, 64)]),
        ("blocks/000003.parquet", [range(96, 120)]),
    ],
)
def test_a_file_that_was_cut_short_is_made_again(plain, tmp_path, monkeypatch, file, again):
    folder = tmp_path / "run"
    _ = shutil.copytree(plain, folder)
    path = folder / file
    _ = path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    requests = []
    trained = blocks.Blocks._members
    monkeypatch.setattr(
        blocks.Blocks,
        "_members",
        lambda self, members: requests.append(members) or trained(self, members),
    )
    census = train_many("half-adder", seeds=SEEDS, out=folder, **PLAIN)
    assert census.repaired == (file,)
    assert [list(members) for members in requests] == [list(some) for some in again]
    assert same_files(folder, plain)


@pytest.mark.parametrize(
    ("changes", "differing"),
    [
        ({"lr": 0.2}, "lr was 0.4, is 0.2"),
        ({"seeds": SEEDS + 1}, f"networks was {SEEDS}, is {SEEDS + 1}"),
        ({"seed": 4, "hidden": 4}, "hidden was 3, is 4; seed was 0, is 4"),
        ({"task": "comparator:1"}, "task was half-adder, is comparator:1"),
        ({"keep": "weights"}, "keep was start, is weights"),
        ({"explain": False}, "explain was true, is false; helps was true, is false"),
    ],
)
def test_another_run_in_the_same_folder_is_refused(whole, changes, differing, monkeypatch):
    _, folder = whole
    monkeypatch.setattr(blocks, "train_members", refused_work)
    options = {"task": "half-adder", "seeds": SEEDS, **QUICK, **changes}
    with pytest.raises(OutputError) as refused:
        _ = train_many(out=folder, **options)
    assert str(refused.value) == (
        f"{folder}: the folder holds another run: {differing}; give the earlier values, or "
        "name a new folder"
    )


def test_a_table_of_other_rows_is_another_task(tmp_path, monkeypatch):
    table = tmp_path / "t.csv"
    for last in (1, 0):
        _ = table.write_text(f"in a:1,in b:1,out x:1\n0,0,0\n0,1,1\n1,0,1\n1,1,{last}\n")
        options = {"seeds": 2, "out": tmp_path / "run", "explain": False, "steps": 0}
        options["batch"] = options["samples"] = (
            5000  # beyond the kernels: none is compiled for this table
        )
        if last:
            _ = train_many(f"table:{table}", **options)
            continue
        with pytest.raises(OutputError) as refused:
            _ = train_many(f"table:{table}", **options)
    assert refused.value.what.startswith('the folder holds another run: task was {"table":')


def test_a_disk_that_fills_up_is_one_line_and_keeps_what_is_finished(tmp_path, monkeypatch):
    folder = tmp_path / "run"
    write = Path.replace
    calls = iter(range(1000))

    def replace_until_full(self, target):
        if str(target).endswith("000002.parquet") and next(calls) == 0:
            raise OSError(28, "No space left on device")
        return write(self, target)

    monkeypatch.setattr(Path, "replace", replace_until_full)
    with pytest.raises(OutputError) as refused:
        _ = train_many("half-adder", seeds=SEEDS, out=folder, **PLAIN)
    assert str(refused.value) == (
        f"{folder / 'blocks' / '000002.parquet'}: can't be written (No space left on device); "
        "2 finished blocks are kept: make room and give the same command to resume"
    )
    assert len(json.loads((folder / "run.json").read_text())["blocks"]) == 2
    _ = train_many("half-adder", seeds=SEEDS, out=folder, **PLAIN)
    assert len(json.loads((folder / "run.json").read_text())["blocks"]) == 4


def test_a_disk_that_fills_up_at_the_census_keeps_every_block(plain, tmp_path, monkeypatch):
    from pyarrow import parquet

    folder = tmp_path / "run"

    class Full:
        def __init__(self, *_, **__):
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(parquet, "ParquetWriter", Full)
        with pytest.raises(OutputError) as refused:
            _ = train_many("half-adder", seeds=SEEDS, out=folder, **PLAIN)
    assert str(refused.value) == (
        f"{folder / 'census.parquet'}: can't be written (No space left on device); "
        "4 finished blocks are kept: make room and give the same command to resume"
    )
    monkeypatch.setattr(blocks.Blocks, "_members", refused_work)
    _ = train_many("half-adder", seeds=SEEDS, out=folder, **PLAIN)
    assert same_files(folder, plain)
