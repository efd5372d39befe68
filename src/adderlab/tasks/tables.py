"""Truth tables: a task given row by row, in a CSV file or inside a network file.

Rule: every input of the domain occurs in the table exactly once; a table that breaks this is
refused whole, with all of its faulty rows named at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from adderlab import limits
from adderlab.bits import Values, integer_dtype
from adderlab.blocks.numbers import counted
from adderlab.checking import checked
from adderlab.errors import TaskError
from adderlab.reading import Refusals, read_file
from adderlab.tasks.cells import ANY, Content, Reader, bit, contents_of, is_any, number
from adderlab.tasks.frames import grid_of_frame, grid_of_parquet, is_frame
from adderlab.tasks.grid import Grid, grid_of_text
from adderlab.tasks.header import Column, with_ways
from adderlab.tasks.tabulated import task_of_columns
from adderlab.tasks.task import Task, Word
from adderlab.tasks.words import check_words, header_columns

LARGEST_FILE_BYTES: Final = 64 << 20

_PARQUET: Final = b"PAR1"


@checked
def table(
    source: Any, *, inputs: Sequence[str] | str = (), outputs: Sequence[str] | str = ()
) -> Task:
    """Return the task that a truth table spells out.

    Args:
        source: the path of a file, or a frame: of pandas or polars, an Arrow table, or a mapping
            from names to lists. See :func:`read_table` for how it is read.
        inputs: the names of the input columns, where the header does not mark them.
        outputs: those of the outputs; the other columns unless given.

    Raises:
        TaskError: the file can't be read, the table has two readings, or it lacks, repeats or
            mistypes rows; all faulty rows are named.

    Examples:
        >>> table({"A": [0, 0, 1, 1], "B": [0, 1, 0, 1], "Sum": [0, 1, 1, 0]}).notes
        ('the inputs are A, B, the outputs Sum, by their names',)
    """
    if isinstance(source, str | Path):
        return read_table(source, inputs=inputs, outputs=outputs)
    if not is_frame(source):
        raise TaskError(
            f"got {type(source).__name__}", where="table", remedy="give a path or a frame"
        )
    grid = grid_of_frame(source, where=type(source).__name__)
    return task_of_grid(grid, inputs=inputs, outputs=outputs)


def read_table(
    path: str | Path, *, inputs: Sequence[str] | str = (), outputs: Sequence[str] | str = ()
) -> Task:
    """Return the task that a file spells out: CSV, TSV, semicolons, Markdown, Parquet.

    The header names the words with direction and width, optionally a bound
    (``in a:2,in d:4<10,out c:3``). Where it has names alone, widths follow from the cells, and the
    inputs are those columns whose combinations occur exactly once; the task's ``notes`` say what
    was assumed. Each line holds whole numbers (decimal, ``0b…``, ``0x…``, ``1.0``) or bits
    (``true``, ``F``, -1 and 1); ``*``, ``-`` or ``x`` in an output means any value.

    Args:
        path: of the file.
        inputs: the names of the input columns.
        outputs: those of the outputs; the other columns unless given.

    Raises:
        TaskError: the file is missing, not a regular file, over 64 MiB, not of this form, has two
            readings, or lacks, repeats or mistypes rows; all faulty rows are named.
    """
    where = str(path) or "table:"
    refusals = Refusals(
        TaskError, "give a CSV file", "split the task into smaller tables", where, ending=".csv"
    )
    data = read_file(path, LARGEST_FILE_BYTES, refusals)
    if data[:4] == _PARQUET:
        grid = grid_of_parquet(data, where=where)
        return task_of_grid(grid, inputs=inputs, outputs=outputs)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TaskError(
            f"byte {error.start} is not UTF-8 text", where=where, remedy="save it as UTF-8"
        ) from None
    return parse_table(text, where=where, inputs=inputs, outputs=outputs)


def parse_table(
    text: str,
    *,
    where: str,
    inputs: Sequence[str] | str = (),
    outputs: Sequence[str] | str = (),
) -> Task:
    """Return the task that text spells out; see :func:`read_table`."""
    return task_of_grid(grid_of_text(text, where=where), inputs=inputs, outputs=outputs)


def task_of_grid(
    grid: Grid, *, inputs: Sequence[str] | str = (), outputs: Sequence[str] | str = ()
) -> Task:
    """Return the task that the cells spell out; see :func:`read_table`."""
    place = grid.where if grid.unit == "row" else f"{grid.where} line {grid.header_line}"
    grid = _without_index(grid)
    columns = header_columns(grid.header, where=place)
    contents = _contents(grid, columns)
    columns, reason = with_ways(
        grid, columns, contents, inputs=_listed_names(inputs), outputs=_listed_names(outputs)
    )
    words, notes = _words_of(columns, contents)
    kept = [place for place, column in enumerate(columns) if column.way]
    ins = [place for place in kept if columns[place].way == "in"]
    outs = [place for place in kept if columns[place].way == "out"]
    in_words = tuple(words[place] for place in ins)
    out_words = tuple(words[place] for place in outs)
    check_words(in_words, out_words, [], where=place)
    if reason:
        names = ", ".join(word.name for word in in_words)
        others = ", ".join(word.name for word in out_words)
        notes.insert(0, f"the inputs are {names}, the outputs {others}, {reason}")
    readers = [contents[place].reader for place in (*ins, *outs)]
    values = _columns(in_words, out_words, grid, [*ins, *outs], readers)
    return task_of_columns(
        in_words, out_words, values, name=f"table:{grid.where}", notes=(*grid.notes, *notes)
    )


def _listed_names(names: Sequence[str] | str) -> list[str]:
    """Return names, which may be written with commas between them."""
    listed = names.split(",") if isinstance(names, str) else list(names)
    return [name.strip() for name in listed if name.strip()]


def _without_index(grid: Grid) -> Grid:
    """Return the cells without the numbers of the rows, which pandas writes under no name."""
    if len(grid.header) < 2 or grid.header[0]:
        return grid
    numbers = [cells[0] for _, cells in limits.each(grid.lines) if len(cells) == len(grid.header)]
    if not numbers or numbers != [str(row) for row in range(len(numbers))]:
        return grid
    lines = [(line, cells[1:]) for line, cells in grid.lines]
    note = "the first column, without a name, numbers the rows and is left out"
    return replace(grid, header=grid.header[1:], lines=lines, notes=(*grid.notes, note))


def _contents(grid: Grid, columns: Sequence[Column]) -> list[Content]:
    """Return what the cells of each column hold, and how those of stated widths are read."""
    rows = [cells for _, cells in grid.lines if len(cells) == len(columns)]
    contents = contents_of(
        [{cells[place] for cells in limits.each(rows)} for place in range(len(columns))]
    )
    return [
        content
        if column.width is None or (column.width == 1 and content.kind == "signed")
        else Content(column.width, content.size, bit if column.width == 1 else number, "stated")
        for column, content in zip(columns, contents, strict=True)
    ]


def _words_of(
    columns: Sequence[Column], contents: Sequence[Content]
) -> tuple[list[Word], list[str]]:
    """Return each column as a word, and what was assumed."""
    words: list[Word] = []
    inferred: list[str] = []
    renamed: list[str] = []
    for column, content in zip(columns, contents, strict=True):
        bound = column.bound
        if column.width is None:
            is_cut = column.way == "in" and content.size < 1 << content.width
            bound = content.size if is_cut else None
        word = Word(column.name, column.width or content.width, bound)
        if column.width is not None:
            word = Word(column.name, column.width, column.bound)
        words.append(word)
        if column.way and column.width is None and word.width > 1:
            as_digits = ", in binary digits" if content.kind == "binary" else ""
            inferred.append(f"{word}{as_digits}")
        if column.width is None and not column.text.endswith(column.name):
            renamed.append(f"{column.text!r} is named {column.name}")
    notes = [f"by their values, the words are {', '.join(inferred)}"] if inferred else []
    signed = [
        column.name
        for column, content in zip(columns, contents, strict=True)
        if column.way and content.kind == "signed"
    ]
    if signed:
        notes.append(f"-1 is read as 0 in {', '.join(signed)}")
    left_out = [column.name for column in columns if not column.way]
    if left_out:
        notes.append(f"{', '.join(left_out)} is left out")
    return words, notes + renamed


def _columns(
    inputs: tuple[Word, ...],
    outputs: tuple[Word, ...],
    grid: Grid,
    places: Sequence[int],
    readers: Sequence[Reader],
) -> dict[str, Values]:
    """Return each output's values in row order, or raise with every faulty line.

    ``places`` says at which place of a line each word stands, the inputs first, and ``readers``
    how it is read.
    """
    words = (*inputs, *outputs)
    shape = Task("", inputs, outputs, dict)
    columns: dict[str, Values] = {}
    width = len(grid.header)
    if sum(len(cells) == width for _, cells in grid.lines) >= shape.rows:  # else some are missing
        for word in outputs:
            columns[word.name] = np.full(shape.rows, ANY, dtype=integer_dtype(word.width))
    is_given = np.zeros(shape.rows, dtype=bool)
    faults: dict[str, list[int]] = {}
    for line, cells in limits.each(grid.lines):
        if len(cells) != width:
            faults.setdefault(f"{counted(width, 'value')} are needed", []).append(line)
            continue
        values: dict[str, int] = {}
        for word, place, reader in zip(words, places, readers, strict=True):
            cell = cells[place]
            value = ANY if is_any(cell) and word in outputs else reader(cell)
            if value is None:
                faults.setdefault(f"{word.name} is not a whole number", []).append(line)
            elif value >= word.size:
                faults.setdefault(f"{word.name} is outside {word.span}", []).append(line)
            else:
                values[word.name] = value
        if len(values) < len(words):
            continue
        index = shape.index_of(values)
        if is_given[index]:
            faults.setdefault(f"the input is in an earlier {grid.unit} too", []).append(line)
            continue
        is_given[index] = True
        for name, column in columns.items():
            column[index] = values[name]
    problems = [
        f"{rule} ({grid.unit if len(at) == 1 else grid.unit + 's'} {_listed(at)})"
        for rule, at in faults.items()
    ]
    missing = np.flatnonzero(~is_given)
    if missing.size and not faults:
        rows = [",".join(map(str, shape.row(int(i)).inputs.values())) for i in missing[:5]]
        more = f" and {missing.size - 5} more" if missing.size > 5 else ""
        problems.append(
            f"{missing.size} of {shape.rows} inputs are missing: {' '.join(rows)}{more}"
        )
    if problems:
        raise TaskError("; ".join(problems), where=grid.where, remedy=f"correct these {grid.unit}s")
    return columns


def _listed(numbers: list[int]) -> str:
    """Return ascending numbers as text, runs joined: ``3, 5-9``."""
    runs: list[list[int]] = []
    for value in numbers:
        if runs and value == runs[-1][1] + 1:
            runs[-1][1] = value
        else:
            runs.append([value, value])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
