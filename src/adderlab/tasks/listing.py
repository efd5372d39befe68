"""The list of tasks with their words and sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from adderlab.blocks import Block, Code, Line, Result, Table
from adderlab.tasks.catalog import CATALOG, Entry

EXAMPLE_WIDTH: Final = 4
"""The width at which a task of any width is sized."""


@dataclass(frozen=True, slots=True, repr=False)
class TaskList(Result):
    """Every task that is known by name."""

    entries: tuple[Entry, ...] = tuple(CATALOG.values())

    def to_dict(self) -> dict[str, Any]:
        """Return each task with its words, and its rows at a width of 4."""
        tasks: list[dict[str, Any]] = []
        for entry in self.entries:
            task = entry.task(entry.fixed or EXAMPLE_WIDTH)
            tasks.append(
                {
                    "task": entry.usage,
                    "title": entry.title,
                    "inputs": dict(entry.inputs),
                    "outputs": dict(entry.outputs),
                    "example": task.name,
                    "rows": task.rows,
                }
            )
        return {"tasks": tasks}

    def blocks(self) -> tuple[Block, ...]:
        """Return a table of the tasks, and how a table of one's own begins."""
        columns = ("task", "what it computes", "words in → words out")
        rows = [
            (entry.usage, entry.title, f"{_words(entry.inputs)} → {_words(entry.outputs)}")
            for entry in self.entries
        ]
        rows.append(("table:FILE", "a truth table: CSV, TSV, Parquet", "as its header says"))
        rows.append(("cell:adder", "what a cell must compute", "see docs/cells.md"))
        rows.append(("'y = a xor b'", "Boolean formulas, ; between them", "as the names say"))
        return (
            Table(columns, tuple(rows), left=columns),
            Line("Bits are written most significant first. A table's header names its words:"),
            Code("in a:2,in d:4<10,out c:3     one line for each input; * for any output"),
        )

    def __repr__(self) -> str:
        return f"TaskList: {', '.join(entry.usage for entry in self.entries)}"


def _words(words: Any) -> str:
    return ", ".join(f"{name}:{width}" for name, width in dict(words).items())
