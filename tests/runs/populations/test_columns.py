"""The census as columns: what is read back is what was written, by every reader."""

from __future__ import annotations

from dataclasses import fields, replace

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
from pyarrow import parquet

from adderlab.nets.layout import join
from adderlab.runs.populations.columns import (
    about_block,
    block_bytes,
    read_block,
    table_text,
)
from adderlab.tasks import task_named
from adderlab.training import Settings
from adderlab.training.census.findings import findings_of
from adderlab.training.choice import ENSEMBLE
from adderlab.training.members import train_members

CASES = {
    "half-adder": Settings(lr=0.4, steps=60, data="table"),
    "adder:2": Settings(hidden=5, steps=20),
    "adder:3": Settings(hidden=(3, 2), steps=5),  # tables and patterns of more than 64 bits
    "full-adder": Settings(lr=1e30, steps=60),  # all of it diverges
}


def written(name, tmp_path, members=40, **kept):
    task, settings = task_named(name), CASES[name]
    trained = train_members(task, settings, np.arange(members), path=ENSEMBLE)
    findings = findings_of(trained, tables=True, start=True)
    findings = replace(findings, **{key: make(trained) for key, make in kept.items()})
    path = tmp_path / "block.parquet"
    about = about_block(task, settings, trained.loss_steps)
    _ = path.write_bytes(block_bytes(findings, task, settings, about))
    return findings, path, trained


@pytest.mark.parametrize("name", CASES)
def test_what_is_read_back_is_what_was_written(name, tmp_path):
    result, path, _ = written(name, tmp_path)
    again = read_block(path, range(len(result)), result.losses.shape[1])
    for field in fields(result):
        now = getattr(again, field.name)
        if now is None:
            assert field.name in ("start", "tables", "weights", "snapshots")
            continue
        then = getattr(result, field.name)
        assert now.dtype == then.dtype
        np.testing.assert_array_equal(now, then, err_msg=field.name)


def test_pandas_polars_and_duckdb_open_it_and_agree(tmp_path):
    result, path, trained = written(
        "half-adder", tmp_path, weights=lambda trained: join(trained.arrays)
    )
    by_pandas = pd.read_parquet(path)
    by_polars = pl.read_parquet(path)
    assert list(by_pandas.columns) == by_polars.columns
    query = f"select * from '{path}' where is_right order by member"
    by_duckdb = duckdb.sql(query).fetchnumpy()
    assert (by_duckdb["member"] == result.members[result.is_right]).all()
    weights = np.stack([np.array(row, dtype=np.float32) for row in by_pandas["weights"]])
    assert (weights == join(trained.arrays)).all()
    assert (by_polars["weights"].to_numpy() == weights).all()
    start = duckdb.sql(f"select start[1] as first from '{path}' order by member").fetchnumpy()
    assert (start["first"] == result.start[:, 0]).all()
    codes = duckdb.sql(f"select table_code, count(*) n from '{path}' group by 1").fetchall()
    assert dict(codes)["16"] == result.is_right.sum()


def test_a_row_says_its_table_its_pattern_and_its_settings(tmp_path):
    _, path, _ = written("half-adder", tmp_path)
    table = pd.read_parquet(path)
    right = table[table["is_right"]]
    assert set(right["table_code"]) == {"16"}  # 00 01 01 10
    assert {tuple(entry) for entry in right["table"]} == {(0, 1, 1, 2)}
    assert (table["rows_right"] == [sum(a == b for a, b in zip(t, (0, 1, 1, 2), strict=True))
                                    for t in table["table"]]).all()  # fmt: skip
    assert table["pattern"].str.fullmatch(r"[01]{4} [01]{4} [01]{4}").all()
    dead = table["pattern"].str.split(" ").map(lambda units: units.count("0000"))
    assert (dead == table["dead_units"]).all()
    assert set(table["lr"]) == {0.4}
    assert set(table["hidden"]) == {3}
    assert table["batch"].isna().all()
    assert (table["steps_to_solve"].notna() == table["is_right"]).all()


def test_a_member_that_diverged_has_no_table(tmp_path):
    result, path, _ = written("full-adder", tmp_path)
    table = pd.read_parquet(path)
    lost = ~result.is_finite
    assert lost.sum() > 30
    for column in ("table", "table_code", "pattern", "solution_class"):
        assert (table[column].isna() == lost).all()
    assert table["loss"].isna()[lost].all()
    assert table["diverged"].all()


def test_the_layout_of_the_tensors_stands_in_the_file(tmp_path):
    _, path, trained = written("adder:3", tmp_path)
    import json

    about = json.loads(parquet.read_schema(path).metadata[b"adderlab"])
    assert [entry["tensor"] for entry in about["layout"]] == [
        *("fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias", "fc3.weight", "fc3.bias")
    ]
    start = np.stack([np.array(row) for row in pd.read_parquet(path)["start"]])
    for entry, array in zip(about["layout"], trained.start, strict=True):
        part = start[:, entry["first"] : entry["first"] + entry["count"]]
        assert (part.reshape(-1, *entry["shape"]) == array).all()
    assert about["loss_steps"] == list(trained.loss_steps)


def test_the_same_findings_give_the_same_bytes(tmp_path):
    (tmp_path / "other").mkdir()
    _, left, _ = written("half-adder", tmp_path)
    _, right, _ = written("half-adder", tmp_path / "other")
    assert left.read_bytes() == right.read_bytes()


def test_a_code_that_is_a_hash_says_so():
    assert table_text(22, 8) == "16"
    assert table_text(5, 12) == "005"
    assert table_text(5, 65) == "#0000000000000005"
