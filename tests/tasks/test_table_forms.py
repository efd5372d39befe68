"""Tables in the forms that people have, and formulas as tasks: each against plain Python."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from strategies import check_refusal, refused

from adderlab.errors import TaskError
from adderlab.tasks import Task, as_task, table
from adderlab.tasks.tables import parse_table

HALF = "0,0,0,0\n0,1,1,0\n1,0,1,0\n1,1,0,1\n"
XOR = "0,0,0\n0,1,1\n1,0,1\n1,1,0\n"
NAMED = "A,B,Sum,Carry\n" + HALF


def markdown(text: str) -> str:
    head, *rows = ("| " + line.replace(",", " | ") + " |" for line in text.splitlines())
    return "\n".join([head, "|---|:-:|---|---|", *rows])


HALF_ADDERS = {
    "names alone": NAMED,
    "carriage returns": NAMED.replace("\n", "\r\n"),
    "tabs": NAMED.replace(",", "\t"),
    "semicolons": NAMED.replace(",", ";"),
    "blanks": NAMED.replace(",", "  "),
    "Markdown": markdown(NAMED),
    "a mark and comments": "\ufeff# a table\n" + NAMED.replace("1,1,0,1", "# last\n1,1,0,1 # end"),
    "any order": "A,B,Sum,Carry\n" + "\n".join(reversed(HALF.split())),
    "an index": ",A,B,Sum,Carry\n" + "\n".join(f"{i},{r}" for i, r in enumerate(HALF.split())),
}
XORS = {
    "decimal points": "a,b,y\n" + XOR.replace("0", "0.0").replace("1", "1.0"),
    "letters": "a,b,y\n" + XOR.replace("0", "F").replace("1", "T"),
    "words": "a,b,y\n" + XOR.replace("0", "false").replace("1", "TRUE"),
    "minus one": "a,b,y\n" + XOR.replace("0", "-1"),
    "a header in a comment": "# a b y\n" + XOR.replace(",", " "),
    "ways": "in a,in b,out y\n" + XOR,
    "quotes": '"a","b","y"\n' + XOR.replace("0", '"0"').replace("1", '"1"'),
    "a bar": "a b | y\n0 0 | 0\n0 1 | 1\n1 0 | 1\n1 1 | 0\n",
}


def outputs_of(task: Task) -> dict[tuple[int, ...], tuple[int | None, ...]]:
    rows = (task.row(index) for index in range(task.rows))
    return {tuple(row.inputs.values()): tuple(row.outputs.values()) for row in rows}


@pytest.mark.parametrize("name", HALF_ADDERS)
def test_a_half_adder_in_any_form(name: str) -> None:
    task = parse_table(HALF_ADDERS[name], where="half.csv")
    assert [str(word) for word in (*task.inputs, *task.outputs)] == [
        "A:1",
        "B:1",
        "Sum:1",
        "Carry:1",
    ]
    assert outputs_of(task) == {(a, b): (a ^ b, a & b) for a in (0, 1) for b in (0, 1)}


@pytest.mark.parametrize("name", XORS)
def test_cells_in_any_spelling(name: str) -> None:
    task = parse_table(XORS[name], where="xor.csv")
    assert outputs_of(task) == {(a, b): (a ^ b,) for a in (0, 1) for b in (0, 1)}
    assert any("-1" in note for note in task.notes) == (name == "minus one")


def test_words_and_any_value() -> None:
    text = "a,b,c\n" + "".join(f"{a},{b},{a + b}\n" for a in range(4) for b in range(4))
    task = parse_table(text, where="sum.csv")
    assert [str(word) for word in (*task.inputs, *task.outputs)] == ["a:2", "b:2", "c:3"]
    assert outputs_of(task) == {(a, b): (a + b,) for a in range(4) for b in range(4)}
    task = parse_table("a,b,y\n0,0,-\n0,1,x\n1,0,*\n1,1,0\n", where="any.csv")
    assert outputs_of(task) == {(0, 0): (None,), (0, 1): (None,), (1, 0): (None,), (1, 1): (0,)}


@pytest.mark.parametrize(
    "text",
    [
        "A,B,Sum\n0,0,0\n0,1,1\n1,0,1\n",
        "A,B,Y\n" + XOR + "1,1,1\n",
        "a,b,y\n0,0\n0,1,1\n1,0,1\n1,1,0\n",
        "a,b,y\n0,0,0.5\n0,1,1\n1,0,1\n1,1,0\n",
        XOR,
        "a\n0\n1\n",
        "",
    ],
)
def test_what_is_no_table_or_has_two_readings_is_refused(text: str) -> None:
    with pytest.raises(TaskError) as caught:
        _ = parse_table(text, where="bad.csv")
    check_refusal(caught.value)


def test_a_table_without_names_says_what_is_missing() -> None:
    with refused(
        TaskError,
        "bad.csv line 1: the first line holds values, and no names; begin with names, as A,B,Y, "
        "or in a:1,in b:1,out c:2",
    ):
        _ = parse_table(XOR, where="bad.csv")


@pytest.mark.parametrize("header", ["p,q,p xor q", "q,p,(q!=p)", "A,f,A+f"])
def test_a_heading_that_computes_is_an_output(header: str) -> None:
    task = parse_table(f"{header}\n{XOR}", where="xor.csv")
    first, second, _ = header.split(",")
    assert [word.name for word in task.inputs] == [first, second]
    assert outputs_of(task) == {(a, b): (a ^ b,) for a in (0, 1) for b in (0, 1)}


def test_a_way_settles_two_readings(tmp_path: Path) -> None:
    path = tmp_path / "xor.csv"
    _ = path.write_text("x,y,z\n" + XOR)
    task = as_task(f"table:{path}:inputs=x,z")
    assert [word.name for word in task.outputs] == ["y"]
    assert outputs_of(task) == {(x, z): (x ^ z,) for x in (0, 1) for z in (0, 1)}


def test_frames_and_parquet(tmp_path: Path) -> None:
    columns = {"a": [0, 0, 1, 1], "b": [0, 1, 0, 1], "y": [0, 1, 1, 0]}
    path = tmp_path / "xor.parquet"
    pl.DataFrame(columns).write_parquet(path)
    sources: list[Any] = [columns, pd.DataFrame(columns), pl.DataFrame(columns),
                          pl.LazyFrame(columns), path]  # fmt: skip
    for source in sources:
        assert outputs_of(table(source)) == {(a, b): (a ^ b,) for a in (0, 1) for b in (0, 1)}


Bits = Callable[..., tuple[int, ...]]
FORMULAS: dict[str, Bits] = {
    "y = a xor (b and not c)": lambda a, b, c: (a ^ (b & (1 - c)),),
    "y = a ^ (b & ~c)": lambda a, b, c: (a ^ (b & (1 - c)),),
    "y = a xnor b": lambda a, b: (1 - (a ^ b),),
    "y = a or b and c xor d": lambda a, b, c, d: (a | ((b & c) ^ d),),
    "y = not a nand b": lambda a, b: (1 - ((1 - a) & b),),
    "y = a' and b": lambda a, b: ((1 - a) & b,),
    "s = a xor b; c = a and b": lambda a, b: (a ^ b, a & b),
    "t = a ^ b; out s = t ^ cin; out c = a & b | t & cin": lambda a, b, cin: (
        a ^ b ^ cin, a & b | (a ^ b) & cin,
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_a_task(text: str) -> None:
    task, rule = as_task(text), FORMULAS[text]
    count = len(task.inputs)
    expected = {row: rule(*row) for row in itertools.product((0, 1), repeat=count)}
    assert outputs_of(task) == expected


def test_a_formula_adds_words() -> None:
    task = as_task("c:3 = a:2 + b:2")
    assert outputs_of(task) == {(a, b): (a + b,) for a in range(4) for b in range(4)}


@pytest.mark.parametrize(
    "text",
    ["y = a xor", "y = (a", "y = a % b", "y = " + "(" * 200 + "a", "y = y xor a", "y = a + b",
     "a xor b = y", "y = a:21 & 1", "y = __import__(os)"],
)  # fmt: skip
def test_what_is_no_formula_is_refused(text: str) -> None:
    with pytest.raises(TaskError) as caught:
        _ = as_task(text)
    check_refusal(caught.value)
