"""Run folders that somebody edited, and sealed again: one clear line, and nothing is lost."""

from __future__ import annotations

import copy
import io
import json
import shutil

import pyarrow as pa
import pytest
from pyarrow import parquet
from runs.populations.shared import BLOCK, PLAIN, QUICK, SEEDS, same_files

from adderlab.errors import RunFileError
from adderlab.runs.populations import ledger
from adderlab.runs.populations import run as runs
from adderlab.runs.populations.census import Census, fault_of_result
from adderlab.runs.populations.plan import Plan
from adderlab.training.settings import make_settings
from adderlab.verbs.train_many import train_many

pytestmark = pytest.mark.usefixtures("small_blocks")


def edited(folder, change):
    """Change a record and seal it again."""
    record = folder / "run.json"
    entries = json.loads(record.read_text())
    change(entries)
    entries["sha256"] = ledger._seal(entries)
    _ = record.write_text(json.dumps(entries))


def paths_of(value, path=()):
    """Yield the place of every value within lists and objects, of lists the first entry's."""
    if path:
        yield path
    entries = value.items() if isinstance(value, dict) else list(enumerate(value))[:1]
    for key, entry in entries:
        if isinstance(entry, dict | list):
            yield from paths_of(entry, (*path, key))
        else:
            yield (*path, key)


def place_of(entries, path):
    for key in path[:-1]:
        entries = entries[key]
    return entries


OTHERS = (None, -1, "x" * 2000, [], {}, 1e300, float("nan"), 10**30)


@pytest.fixture(scope="module")
def finished(whole):
    """Return the plan of a finished run and the result in its record."""
    record = json.loads((whole[1] / "run.json").read_text())
    settings = make_settings("train_many", (), **QUICK)
    result = {name: value for name, value in record.items() if name not in ledger.OWN}
    return Plan(whole[0].task, settings, SEEDS), result


def test_whatever_is_changed_in_a_result_is_shown_or_refused(finished):
    """Each value is left out, then replaced by values of other kinds."""
    plan, result = finished
    assert not fault_of_result(plan, result)
    paths = [path for path in paths_of(result) if path[0] != "settings"]
    assert len(paths) > 80
    shown = 0
    for path in paths:
        for change in ("left out", *OTHERS):
            entries = copy.deepcopy(result)
            if change == "left out":
                del place_of(entries, path)[path[-1]]
            else:
                place_of(entries, path)[path[-1]] = change
            fault = fault_of_result(plan, entries)
            assert len(fault) < 300
            if not fault:
                census = Census.from_record(plan, entries)
                assert census.blocks()
                _ = json.dumps(census.to_dict())
                shown += 1
            elif change == "left out" and isinstance(path[-1], str):
                assert fault == f"{'.'.join(map(str, path))}: Field required"
    assert 0 < shown < len(paths)


def test_a_result_that_is_none_is_refused_where_a_finished_run_is_shown(whole, tmp_path):
    folder = tmp_path / "run"
    _ = shutil.copytree(whole[1], folder)
    edited(folder, lambda entries: entries.pop("successes"))
    with pytest.raises(RunFileError) as refused:
        _ = train_many("half-adder", seeds=SEEDS, out=folder, **QUICK)
    assert str(refused.value) == (
        f"{folder / 'run.json'}: its result is not that of this run (successes: Field required); "
        "name a new folder"
    )


def block_of(change):
    """Return what makes a block's file of a table that was changed."""

    def change_file(data):
        table = change(parquet.read_table(io.BytesIO(data)))
        stream = io.BytesIO()
        parquet.write_table(table, stream)
        return stream.getvalue()

    return change_file


def column(name, values):
    return lambda table: table.set_column(table.schema.names.index(name), name, pa.array(values))


BLOCKS = {
    "nothing": lambda data: b"",
    "no Parquet": lambda data: b"block",
    "cut short": lambda data: data[:-100],
    "damaged within": lambda data: data[:500] + bytes(500) + data[1000:],
    "a row too few": block_of(lambda table: table.slice(1)),
    "other members": block_of(column("member", list(range(BLOCK)))),
    "a column missing": block_of(lambda table: table.drop_columns(["margin"])),
    "a column of another type": block_of(column("is_right", ["yes"] * BLOCK)),
    "a gap": block_of(column("loss", [None] + [0.0] * (BLOCK - 1))),
    "no losses": block_of(column("losses", [[0.0]] * BLOCK)),
    "codes that are none": block_of(column("table_code", ["xyz"] * BLOCK)),
    "codes that are too large": block_of(column("table_code", ["f" * 40] * BLOCK)),
    "patterns that are none": block_of(column("pattern", ["2"] * BLOCK)),
}


@pytest.mark.parametrize("is_finished", [False, True])
@pytest.mark.parametrize("damage", BLOCKS)
def test_a_block_that_is_none_and_was_sealed_is_named(plain, tmp_path, damage, is_finished):
    folder = tmp_path / "run"
    _ = shutil.copytree(plain, folder)
    block = folder / "blocks" / "000001.parquet"
    data = BLOCKS[damage](block.read_bytes())
    _ = block.write_bytes(data)

    def edit(entries):
        entries["finished"] = is_finished
        entries["blocks"][1] |= {"bytes": len(data), "blake2b": ledger.checksum(data)}

    edited(folder, edit)
    with pytest.raises(RunFileError) as refused:
        _ = train_many("half-adder", seeds=SEEDS, out=folder, **PLAIN)
    assert str(refused.value).startswith(
        f"{block}: not the block of {BLOCK} members that it should be ("
    )
    assert refused.value.remedy == "delete it: the same command trains it again"


def test_a_block_that_was_deleted_as_the_error_says_is_trained_again(plain, tmp_path):
    folder = tmp_path / "run"
    _ = shutil.copytree(plain, folder)
    (folder / "blocks" / "000001.parquet").unlink()
    assert train_many("half-adder", seeds=SEEDS, out=folder, **PLAIN).repaired
    assert same_files(folder, plain)


@pytest.mark.parametrize("is_finished", [False, True])
@pytest.mark.parametrize("name", ["first", "members", "seconds"])
def test_an_entry_without_what_a_population_needs_is_refused(plain, tmp_path, name, is_finished):
    folder = tmp_path / "run"
    _ = shutil.copytree(plain, folder)

    def edit(entries):
        entries["finished"] = is_finished
        del entries["blocks"][2][name]

    edited(folder, edit)
    with pytest.raises(RunFileError) as refused:
        _ = train_many("half-adder", seeds=SEEDS, out=folder, **PLAIN)
    assert str(refused.value) == (
        f"{folder / 'run.json'}: the entry of block 2 is not that of {BLOCK} members from "
        f"{2 * BLOCK} on; name a new folder"
    )


def more(*path):
    """Return what adds 1 to a number of a record."""

    def change(entries):
        place_of(entries, path)[path[-1]] += 1

    return change


COUNTS = {
    "successes": more("successes"),
    "diverged": more("diverged"),
    "failure_tables": more("failure_tables"),
    "failures": more("failures", 0, "count"),
    "failures: ": more("failures", -1, "member"),
    "causes": more("causes", 0, "count"),
    "successes_by_step": more("successes_by_step", -1, 1),
    "solutions.patterns": more("solutions", "patterns"),
    "solutions.classes": more("solutions", "classes"),
    "solutions.commonest": more("solutions", "commonest", 0, "count"),
    "best": more("best", "member"),
    "best: ": more("best", "margin"),
    "blocks": lambda entries: entries["blocks"].pop(),
}


@pytest.mark.parametrize("name", COUNTS)
def test_a_number_of_a_finished_run_that_is_not_that_of_its_blocks_is_refused(
    plain, tmp_path, name
):
    folder = tmp_path / "run"
    _ = shutil.copytree(plain, folder)
    edited(folder, COUNTS[name])
    before = (folder / "run.json").read_bytes()
    with pytest.raises(RunFileError) as refused:
        _ = train_many("half-adder", seeds=SEEDS, out=folder, **PLAIN)
    number = name.removesuffix(": ")
    fault = "not the 4 of a finished run" if name == "blocks" else "not what the blocks hold"
    assert str(refused.value) == (
        f"{folder / 'run.json'}: its result is not that of this run ({number}: {fault}); "
        "name a new folder"
    )
    assert (folder / "run.json").read_bytes() == before


def test_a_block_of_other_findings_is_none_of_a_finished_run(plain, tmp_path):
    folder = tmp_path / "run"
    _ = shutil.copytree(plain, folder)
    block = folder / "blocks" / "000001.parquet"
    data = block_of(column("is_right", [True] * BLOCK))(block.read_bytes())
    _ = block.write_bytes(data)
    seal = {"bytes": len(data), "blake2b": ledger.checksum(data)}
    edited(folder, lambda entries: entries["blocks"][1].update(seal))
    with pytest.raises(RunFileError, match=r"\(successes: not what the blocks hold\)"):
        _ = train_many("half-adder", seeds=SEEDS, out=folder, **PLAIN)


@pytest.mark.parametrize("harm", ["gone", "cut short"])
def test_a_figure_that_is_missing_or_damaged_is_drawn_again(whole, tmp_path, monkeypatch, harm):
    _, other = whole
    folder = tmp_path / "run"
    _ = shutil.copytree(other, folder)
    figure = next(iter(sorted((folder / "figures").iterdir())))
    whole_figure = figure.read_bytes()
    if harm == "cut short":
        _ = figure.write_bytes(whole_figure[:-1])
    else:
        figure.unlink()

    def drawn(place, pictures):
        assert pictures == "the pictures"
        _ = figure.write_bytes(whole_figure)
        return sorted((place / "figures").iterdir())

    monkeypatch.setattr(runs, "pictures_of", lambda census: "the pictures")
    monkeypatch.setattr(runs, "_drawn", drawn)
    assert train_many("half-adder", seeds=SEEDS, out=folder, **QUICK).was_done
    assert same_files(folder, other)
