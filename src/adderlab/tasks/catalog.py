"""The tasks that have names: one table, from a name to its words and its rule."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from adderlab.bits import Values, popcount
from adderlab.checking import checked
from adderlab.errors import TaskError
from adderlab.tasks.formula import formula_task
from adderlab.tasks.frames import Frame, is_frame
from adderlab.tasks.tables import read_table, table
from adderlab.tasks.task import Rule, Task, Word
from adderlab.tasks.wirings import CELL, cell_named, wiring_named

LARGEST_WIDTH: Final = 1 << 20
"""Refused beyond: even the names of the bits of such words would fill the memory."""


TaskLike: TypeAlias = Task | str | Path | Frame | Mapping[str, Sequence[Any]]
"""A task, or what stands for one: a name, a formula, the path of a table, or a frame."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the catalog.

    Attributes:
        name: the part before the colon.
        title: one line for people.
        inputs: the input words with their widths, as names of :data:`SIZES`.
        outputs: the output words with theirs.
        rule: the rule for a given width.
        fixed: the width of a task that takes none; ``None`` where one must be given.
    """

    name: str
    title: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    rule: Callable[[int], Rule]
    fixed: int | None = None

    @property
    def usage(self) -> str:
        """How the task is written: ``adder:N``."""
        return self.name if self.fixed is not None else f"{self.name}:N"

    def task(self, width: int) -> Task:
        """Return the task of that width."""
        name = self.name if self.fixed is not None else f"{self.name}:{width}"
        return Task(
            name=name,
            inputs=tuple(Word(word, SIZES[size](width)) for word, size in self.inputs.items()),
            outputs=tuple(Word(word, SIZES[size](width)) for word, size in self.outputs.items()),
            rule=self.rule(width),
            title=self.title,
            record=name,
        )


SIZES: Final[dict[str, Callable[[int], int]]] = {
    "1": lambda n: 1,
    "2": lambda n: 2,
    "N": lambda n: n,
    "N+1": lambda n: n + 1,
    "2N": lambda n: 2 * n,
    "bit_length(N)": lambda n: n.bit_length(),
}
"""How wide a word is in a task of width N, by how it is written in the catalog."""


def _as_bit(truth: Values) -> Values:
    """Return 0 or 1 for a truth value or an array of them."""
    return truth * 1


def _add(_: int) -> Rule:
    return lambda words: {"c": words["a"] + words["b"]}


def _full_add(_: int) -> Rule:
    return lambda words: {"c": words["a"] + words["b"] + words["cin"]}


def _subtract(width: int) -> Rule:
    def rule(words: Mapping[str, Values]) -> dict[str, Any]:
        a, b = words["a"], words["b"]
        borrow = _as_bit(a < b)
        return {"borrow": borrow, "d": a - b + (borrow + a * 0) * (1 << width)}  # of a's type

    return rule


def _compare(_: int) -> Rule:
    return lambda words: {
        "lt": _as_bit(words["a"] < words["b"]),
        "eq": _as_bit(words["a"] == words["b"]),
        "gt": _as_bit(words["a"] > words["b"]),
    }


def _multiply(width: int) -> Rule:
    def rule(words: Mapping[str, Values]) -> dict[str, Any]:
        a = words["a"]
        wide = a.astype(object) if hasattr(a, "astype") and 2 * width > 62 else a
        return {"p": wide * words["b"]}

    return rule


def _parity(width: int) -> Rule:
    return lambda words: {"p": popcount(words["x"], width) % 2}


def _majority(width: int) -> Rule:
    return lambda words: {"m": _as_bit(2 * popcount(words["x"], width) > width)}


def _popcount(width: int) -> Rule:
    return lambda words: {"n": popcount(words["x"], width)}


_ONE, _TWO = {"x": "N"}, {"a": "N", "b": "N"}
_BIT: Final = {"a": "1", "b": "1"}

CATALOG: Final[dict[str, Entry]] = {
    entry.name: entry
    for entry in (
        Entry("half-adder", "a + b of two bits", _BIT, {"c": "2"}, _add, fixed=1),
        Entry("full-adder", "a + b + cin", {**_BIT, "cin": "1"}, {"c": "2"}, _full_add, fixed=1),
        Entry("adder", "a + b", _TWO, {"c": "N+1"}, _add),
        Entry("subtractor", "a - b mod 2^N", _TWO, {"borrow": "1", "d": "N"}, _subtract),
        Entry("comparator", "<, =, >", _TWO, {"lt": "1", "eq": "1", "gt": "1"}, _compare),
        Entry("multiplier", "a * b", _TWO, {"p": "2N"}, _multiply),
        Entry("parity", "is the number of ones odd?", _ONE, {"p": "1"}, _parity),
        Entry("majority", "are over half the bits ones?", _ONE, {"m": "1"}, _majority),
        Entry("popcount", "how many ones", _ONE, {"n": "bit_length(N)"}, _popcount),
    )
}
"""Every named task, by name. ``half-adder`` is ``adder:1``."""


def as_task(task: TaskLike) -> Task:
    """Return the task that is given by itself, by its name, as a formula, or as a table.

    Args:
        task: a task; a name; ``y = a xor b``; the path of a table; or a frame, see
            :func:`~adderlab.tasks.tables.table`.

    Raises:
        TaskError: there is no task of that name, or it is none of these.
    """
    if isinstance(task, Task):
        return task
    if isinstance(task, str):
        return task_named(task)
    if isinstance(task, Path) or is_frame(task):
        return table(task)
    raise TaskError(
        f"got {type(task).__name__}",
        where="task",
        remedy="give a task, its name: half-adder, or a table",
    )


_OPTION: Final = re.compile(
    r"(?P<path>.*):(?P<option>inputs|outputs)=(?P<names>[^:]*)\Z", re.DOTALL
)


def table_path(task: object) -> str | Path | None:
    """Return the file of a task that is given as a table; ``None`` of any other."""
    if isinstance(task, str) and task.startswith("table:"):
        path = task.removeprefix("table:")
        while match := _OPTION.match(path):
            path = match["path"]
        return path
    return task if isinstance(task, Path) else None


def _table_named(rest: str) -> Task:
    """Return the task of ``FILE``, ``FILE:inputs=A,B`` or ``FILE:inputs=A,B:outputs=S``."""
    options: dict[str, str] = {}
    while match := _OPTION.match(rest):
        if match["option"] in options:
            raise TaskError(f"{match['option']}= is given twice", where=rest, remedy="give it once")
        rest, options[match["option"]] = match["path"], match["names"]
    return read_table(rest, **options)


@checked
def task_named(text: str) -> Task:
    """Return the task that ``text`` names: ``half-adder``, ``adder:8``, ``table:FILE``.

    ``table:FILE:inputs=A,B`` names the inputs of a table that does not mark them. Boolean formulas
    are tasks too: ``y = a xor b``.

    Raises:
        TaskError: no such task, a width that is missing, wrong or beyond memory, a table that
            can't be read, or a faulty formula.
    """
    name, colon, rest = text.partition(":")
    if name == "table":
        return _table_named(rest)
    if name == "formula" and colon:
        return formula_task(rest)
    if "=" in text:
        return formula_task(text)
    if text.startswith(CELL):
        return cell_named(text)
    if (wiring := wiring_named(text)) is not None:
        raise TaskError(
            f"{text} is what a cell makes at every width",
            where="task",
            remedy=f"prove a cell with it, one for {wiring.cell.name}",
        )
    entry = CATALOG.get(name)
    if entry is None:
        near = difflib.get_close_matches(name, CATALOG, n=1)
        usages = ", ".join(entry.usage for entry in CATALOG.values())
        remedy = (
            f"did you mean {CATALOG[near[0]].usage}?" if near else f"one of {usages}, table:FILE"
        )
        if re.search(r"[&|^~]|\b(?:and|or|xor|not)\b", text):
            remedy = "a formula names its output: write y = a xor b"
        if re.search(r"\.(?:csv|tsv|txt|md|parquet)\Z", text):
            remedy = f"a truth table is named with table before it: table:{text}"
        raise TaskError(f"unknown task {text!r}", where="task", remedy=remedy)
    if entry.fixed is not None:
        if colon:
            raise TaskError(
                f"{name} takes no width, got {text!r}", where="task", remedy=f"write {name}"
            )
        return entry.task(entry.fixed)
    if not re.fullmatch(r"-?[0-9]+", rest, re.ASCII) or len(rest) > 30:
        raise TaskError(
            f"{name} needs its width in bits, a whole number, got {text!r}",
            where="task",
            remedy=f"write for example {name}:4",
        )
    width = int(rest)
    if width < 1:
        raise TaskError(
            f"the width must be at least 1, got {width}", where=text, remedy=f"write {name}:1"
        )
    if width > LARGEST_WIDTH:
        raise TaskError(
            f"the width is beyond the limit of {LARGEST_WIDTH} bits, got {width}",
            where=text,
            remedy="take a smaller width",
        )
    return entry.task(width)
