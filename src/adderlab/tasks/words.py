"""The words of a truth table, from its header: all faults of a header are named at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from adderlab.blocks.numbers import counted
from adderlab.errors import TaskError
from adderlab.tasks.header import Column, column_of
from adderlab.tasks.task import NAME, Task, Word

LARGEST_ROWS: Final = 1 << 24
LARGEST_OUTPUT_BITS: Final = 1 << 16


def header_columns(cells: Sequence[str], *, where: str) -> list[Column]:
    """Return what the header says, or raise with all of its cells that are no names."""
    columns = [column_of(cell) for cell in cells]
    faults = [_fault(c) for c, column in zip(cells, columns, strict=True) if column is None]
    stated = [column for column in columns if column is not None]
    if faults:
        check_columns(stated, faults, where=where)
    return stated


def _fault(cell: str) -> str:
    return f"{cell!r} is not of the form 'in a:2', 'in d:4<10' or 'out c:3'"


def stated_words(
    columns: Sequence[Column], *, where: str
) -> tuple[tuple[Word, ...], tuple[Word, ...]]:
    """Return the input and output words of a header that states direction and width of each."""
    words = [(column.way, Word(column.name, column.width or 0, column.bound)) for column in columns]
    inputs = tuple(word for way, word in words if way == "in")
    outputs = tuple(word for way, word in words if way == "out")
    check_words(inputs, outputs, [], where=where)
    return inputs, outputs


def check_columns(columns: Sequence[Column], faults: list[str], *, where: str) -> None:
    """Raise with the faults of a header and with those of the words that it states."""
    words = [(column, Word(column.name, column.width or 1, column.bound)) for column in columns]
    words = [
        (column, replace(word, width=word.width if column.width is None else column.width))
        for column, word in words
    ]
    ins = tuple(word for column, word in words if column.way != "out")
    outs = tuple(word for column, word in words if column.way == "out")
    check_words(ins, outs, faults, where=where)


def check_words(
    inputs: tuple[Word, ...], outputs: tuple[Word, ...], faults: list[str], *, where: str
) -> None:
    """Raise with all faults of the words, after those given."""
    for word in (*inputs, *outputs):
        if not NAME.match(word.name):
            faults.append(f"{word.name!r} is not a name of letters, digits and _")
        elif word.width < 1:
            faults.append(f"{word.name} must be at least 1 bit wide")
        elif word.bound is not None and (word.bound == 0 or word in outputs):
            way = "out" if word in outputs else "in"
            faults.append(f"'{way} {word}': a bound is at least 1, and of an input")
        elif word.bound is not None and word.bound > 1 << word.width:
            faults.append(f"{word.name} can't reach {word.bound} in {counted(word.width, 'bit')}")
    names = [word.name for word in (*inputs, *outputs)]
    faults += sorted({f"{name} is named twice" for name in names if names.count(name) > 1})
    if not faults and not (inputs and outputs):
        faults.append("at least one 'in' and one 'out' word are needed")
    bits = sum(word.width for word in inputs)
    if not faults and (bits > 60 or Task("", inputs, (), dict).rows > LARGEST_ROWS):
        faults.append(f"a domain of {bits} input bits is beyond {LARGEST_ROWS} rows")
    bits = sum(word.width for word in outputs)
    if not faults and bits > LARGEST_OUTPUT_BITS:
        faults.append(f"{bits} output bits are beyond {LARGEST_OUTPUT_BITS}")
    if faults:
        raise TaskError(", and ".join(faults), where=where, remedy="correct the header")
