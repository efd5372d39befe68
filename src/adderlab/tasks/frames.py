"""The cells of frames: pandas, polars, Arrow tables, mappings of lists, and Parquet files.

Rule: a frame is known by what it has, so neither pandas nor polars is imported here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, Protocol

from adderlab import limits
from adderlab.errors import TaskError
from adderlab.tasks.grid import Grid

LARGEST_CELLS: Final = 1 << 25


class Frame(Protocol):
    """Columns with names: a frame of pandas or polars, or an Arrow table."""

    @property
    def columns(self) -> Any: ...

    def __getitem__(self, key: Any, /) -> Any: ...


def is_frame(source: Any) -> bool:
    """Return whether this has columns with names."""
    if isinstance(source, Mapping) or hasattr(source, "to_pydict"):
        return True
    if hasattr(
        source, "collect_schema"
    ):  # polars' lazy frame warns where its columns are asked for
        return True
    return hasattr(source, "columns") and hasattr(source, "__getitem__")


def grid_of_frame(frame: Any, *, where: str) -> Grid:
    """Return the cells of a frame as text.

    Raises:
        TaskError: it is too large, or its columns differ in length or share a name.
    """
    index = getattr(frame, "index", None)
    if hasattr(frame, "reset_index") and any(name is not None for name in index.names):  # type: ignore[union-attr] -- polars has none
        frame = frame.reset_index()  # a named index holds inputs
    if hasattr(frame, "collect_schema") and hasattr(frame, "collect"):
        frame = frame.collect()  # polars' lazy frame
    names: list[Any] = list(
        frame
        if isinstance(frame, Mapping)
        else frame.column_names
        if hasattr(frame, "column_names")
        else frame.columns
    )
    header = [str(name).strip() for name in names]
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise TaskError(
            f"{', '.join(twice)} is named twice", where=where, remedy="rename the columns"
        )
    try:
        sizes = {len(frame[name]) for name in names}
    except TypeError:
        raise TaskError(
            "a column is no list of values", where=where, remedy="give a list for each column"
        ) from None
    if len(sizes) > 1:
        raise TaskError(
            "the columns differ in length", where=where, remedy="give a value for each row"
        )
    if not sizes:
        raise TaskError("it has no columns", where=where, remedy="give inputs and outputs")
    if max(sizes) * len(names) > LARGEST_CELLS:
        raise TaskError(
            f"{max(sizes)} rows of {len(names)} columns are over {LARGEST_CELLS} cells",
            where=where,
            remedy="split the task into smaller tables",
        )
    columns = [[_as_text(value) for value in limits.each(_values(frame[name]))] for name in names]
    rows = [list(cells) for cells in limits.each(zip(*columns, strict=True))]
    return Grid(where, header, 0, list(enumerate(rows, start=1)), unit="row")


def _values(column: Any) -> Any:
    for name in ("to_pylist", "tolist", "to_list"):
        if hasattr(column, name):
            return getattr(column, name)()
    return column


def _as_text(value: Any) -> str:
    """Return a value as it would stand in a file."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value)
    return str(value)


def grid_of_parquet(data: bytes, *, where: str) -> Grid:
    """Return the cells of the bytes of a Parquet file.

    Raises:
        TaskError: it is damaged or too large.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(pyarrow.BufferReader(data)) as file:
            about = file.metadata
            sizes = [about.row_group(i).total_byte_size for i in range(about.num_row_groups)]
            if about.num_rows * about.num_columns > LARGEST_CELLS or sum(sizes) > 1 << 30:
                raise TaskError(
                    f"{about.num_rows} rows of {about.num_columns} columns are over the limit of "
                    f"{LARGEST_CELLS} cells",
                    where=where,
                    remedy="split the task into smaller tables",
                )
            frame = file.read()
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        if isinstance(error, TaskError):
            raise
        what = " ".join(str(error).split())[:100]
        raise TaskError(
            f"not a Parquet file ({what})", where=where, remedy="write it again, or as CSV"
        ) from None
    return grid_of_frame(frame, where=where)
