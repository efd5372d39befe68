"""Tasks between Python and the page: words, the names of bits, and every row.

Rule: what the page says of a task is held against the task that is made of it, row by row; a name
means a task of the catalog, never a file.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from pydantic import TypeAdapter

from adderlab.errors import TaskError
from adderlab.page_data.schema import (
    MOST_INPUTS,
    MOST_OUTPUTS,
    MOST_ROWS,
    RowEntry,
    TaskEntry,
    checked,
)
from adderlab.tasks import CATALOG, Task, Word, task_named
from adderlab.tasks.cells import ANY
from adderlab.tasks.order import Order, in_order
from adderlab.tasks.tabulated import task_of_columns

TASK: Final = TypeAdapter(TaskEntry)


def to_page(task: Task) -> dict[str, Any]:
    """Return the task as the page has it.

    Raises:
        TaskError: it has more rows or bits than the page shows.
    """
    if task.rows > MOST_ROWS or task.n_in > MOST_INPUTS or task.n_out > MOST_OUTPUTS:
        raise TaskError(
            f"{task.name} has {task.rows} rows, {task.n_in} input and {task.n_out} output bits",
            where="task",
            remedy=f"the page shows up to {MOST_ROWS} rows, {MOST_INPUTS} input and "
            f"{MOST_OUTPUTS} output bits",
        )
    (block,) = task.blocks()
    rows = [task.row(index) for index in range(task.rows)]
    cares = np.ones_like(block.expected, dtype=bool) if block.cares is None else block.cares
    return {
        "name": task.name,
        "inputs": [[word.name, word.width] for word in task.inputs],
        "outputs": [[word.name, word.width] for word in task.outputs],
        "input_names": list(task.input_bits),
        "output_names": list(task.output_bits),
        "rows": [
            {
                "inputs": inputs.tolist(),
                "expected": [
                    int(bit) if matters else None for bit, matters in zip(bits, care, strict=True)
                ],
                "words": row.inputs,
                "result": row.outputs,
            }
            for row, inputs, bits, care in zip(
                rows, block.inputs, block.expected, cares, strict=True
            )
        ],
    }


def named(name: str) -> Task:
    """Return the task of the catalog that has this name.

    Raises:
        TaskError: there is none, or it is beyond the page.
    """
    kind, _, width = name.partition(":")
    if kind not in CATALOG or len(width) > len(str(MOST_INPUTS)):
        usages = ", ".join(entry.usage for entry in CATALOG.values())
        raise TaskError(f"unknown task {name!r}", where="task", remedy=f"one of {usages}")
    return task_named(name)


def from_page(value: Any) -> Task:
    """Return the task that the page says: a name of the catalog, or words and rows.

    Raises:
        TaskError: it is none, or its rows are not those of a task.
    """
    if isinstance(value, str):
        return named(value)
    if isinstance(value, TaskEntry):
        entry = value
    else:
        try:
            entry = checked(TASK, value)
        except ValueError as error:
            raise _refused(str(error)) from None
    is_named = entry.name.partition(":")[0] in CATALOG
    task = named(entry.name) if is_named else _tabulated(entry)
    task = in_order(task, Order(inputs=entry.input_names, outputs=entry.output_names))
    page = entry.model_dump()
    page |= {words: list(map(list, page[words])) for words in ("inputs", "outputs")}
    if to_page(task) != page:
        raise _refused(
            f"its rows are not those of {entry.name}"
            if is_named
            else "its rows contradict its words"
        )
    return task


def _tabulated(entry: TaskEntry) -> Task:
    """Return the task with the entry's rows, its bits in the usual order."""
    inputs = tuple(_word(name, width, entry.rows) for name, width in entry.inputs)
    outputs = tuple(Word(name, width) for name, width in entry.outputs)
    shape = Task("", inputs, outputs, dict)
    if len({word.name for word in (*inputs, *outputs)}) < len(inputs) + len(outputs):
        raise _refused("two of its words have one name")
    if shape.rows != len(entry.rows):
        raise _refused(f"it has {len(entry.rows)} rows, and its words {shape.rows}")
    columns = {
        word.name: np.array([_value(row, word) for row in entry.rows], dtype=np.int64)
        for word in outputs
    }
    return task_of_columns(inputs, outputs, columns, name=entry.name)


def _word(name: str, width: int, rows: list[RowEntry]) -> Word:
    """Return an input word; where its values end before those of its width, with that bound."""
    size = 1 + max(row.words.get(name, 0) for row in rows)
    return Word(name, width, size if size < 1 << width else None)


def _value(row: RowEntry, word: Word) -> int:
    value = row.result.get(word.name)
    if value is not None and value >= word.size:
        raise _refused(f"{word.name} = {value} is outside {word.span}")
    return ANY if value is None else value


def _refused(what: str) -> TaskError:
    return TaskError(what, where="task", remedy="load the page again")
