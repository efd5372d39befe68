"""The numbers of a network as a dictionary of PyTorch tensors, in Python's source."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import numpy as np

from adderlab import limits
from adderlab.exporting.torch_layers import dtype_text, literal_type, numbers_of, whole_type
from adderlab.nets import Network
from adderlab.nets.tensors import Dense, Scaled, Sparse, Tensor, structure_of

WIDTH: Final = 96
FEW_COLUMNS: Final = 16
"""Inputs up to which a row is read best with its zeros."""

FROM_ROWS: Final = '''\
def from_rows(n_in, rows, dtype=torch.float32):
    """Return a matrix by its rows, each of which names its entries beside 0: {column: value}."""
    weight = torch.zeros(len(rows), n_in, dtype=dtype)
    for row, entries in enumerate(rows):
        for column, value in entries.items():
            weight[row, column] = value
    return weight
'''


def is_by_rows(tensor: Tensor) -> bool:
    """Return whether a matrix is written by its entries: where it is sparse, and most are 0."""
    structure = structure_of(tensor)
    if structure is None:
        return False
    rows, columns = structure.shape
    return columns > FEW_COLUMNS and 3 * structure.indices.size < rows * columns


def weights_lines(net: Network, form: str) -> Iterator[str]:
    """Yield the lines of the dictionary.

    Args:
        net: the network.
        form: the format that the module computes in.
    """
    yield "WEIGHTS = {"
    for name, tensor in net.tensors():
        limits.check()
        kind = literal_type(numbers_of(tensor), form)
        if is_by_rows(tensor):
            yield from _by_rows(name, tensor, kind)
        else:
            yield from _literal(name, _values(tensor), kind)
        if isinstance(tensor, Scaled):
            yield from _literal(f"{name}_scale", _listed(tensor.scale, is_float=True), form)
            if tensor.zero is not None:
                yield from _zero_point(name, tensor.zero, len(tensor.shape), form)
    for name, slopes in net.slopes():
        yield from _literal(name, list(slopes), form)
    yield "}"


def _zero_point(name: str, zero: Dense, axes: int, form: str) -> Iterator[str]:
    """Yield the zero points, one for each row as a column beside a matrix."""
    whole = zero.exact()
    values = [whole.at(*index) for index in np.ndindex(whole.shape)]
    is_whole = all(value.denominator == 1 for value in values)
    kind = whole_type(map(int, values)) if is_whole else form
    listed: Any = [int(value) if is_whole else float(value) for value in values]
    listed = listed if zero.shape else listed[0]
    is_column = bool(zero.shape) and axes == 2
    yield from _literal(
        f"{name}_zero_point", [[value] for value in listed] if is_column else listed, kind
    )


def _values(tensor: Tensor) -> Any:
    """Return codes, or numbers, as nested lists with their zeros."""
    structure = structure_of(tensor)
    if structure is None:
        inner = tensor.q if isinstance(tensor, Scaled) else tensor
        assert not isinstance(inner, Sparse | Scaled)
        return _listed(inner)
    own = _listed(structure.values)
    zero = 0.0 if any(isinstance(value, float) for value in own) else 0
    rows = [[zero] * structure.shape[1] for _ in range(structure.shape[0])]
    for row, column, value in zip(
        structure.row_of_entry().tolist(), structure.indices.tolist(), own, strict=True
    ):
        rows[row][column] = value
    return rows


def _listed(numbers: Any, *, is_float: bool = False) -> Any:
    """Return numbers as nested lists of Python's own."""
    array = np.asarray(numbers.numbers)
    is_whole = array.dtype.kind in "iuO" and not is_float
    return (array if is_whole else array.astype(np.float64)).tolist()


def _by_rows(name: str, tensor: Tensor, kind: str) -> Iterator[str]:
    structure = structure_of(tensor)
    assert structure is not None
    own = _listed(structure.values)
    columns, ends = structure.indices.tolist(), structure.indptr.tolist()
    to_fp8 = kind.startswith("fp8")
    dtype = "" if kind == "fp32" or to_fp8 else f", dtype={dtype_text(kind)}"
    yield f'    "{name}": from_rows({structure.shape[1]}, ['
    for start, end in pairwise(ends):
        entries = [f"{columns[at]}: {own[at]!r}" for at in range(start, end)]
        yield from _row(entries, "{}")
    yield f"    ]{dtype}){f'.to({dtype_text(kind)})' if to_fp8 else ''},"


def _literal(name: str, values: Any, kind: str) -> Iterator[str]:
    """Yield an entry with a tensor: a number, a row, or rows."""
    to_fp8 = kind.startswith("fp8")
    dtype = "" if kind == "fp32" or to_fp8 else f", dtype={dtype_text(kind)}"
    tail = f"{dtype}){f'.to({dtype_text(kind)})' if to_fp8 else ''},"
    line = f'    "{name}": torch.tensor({values!r}{tail}'
    if len(line) <= WIDTH:
        yield line
        return
    yield f'    "{name}": torch.tensor(['
    rows = values if values and isinstance(values[0], list) else None
    if rows is None:
        yield from _wrapped(list(map(repr, values)), " " * 8)
    else:
        for row in rows:
            yield from _row(list(map(repr, row)), "[]")
    yield f"    ]{tail}"


def _row(entries: list[str], ends: str) -> Iterator[str]:
    line = f"        {ends[0]}{', '.join(entries)}{ends[1]},"
    if len(line) <= WIDTH:
        yield line
        return
    yield f"        {ends[0]}"
    yield from _wrapped(entries, " " * 12)
    yield f"        {ends[1]},"


def _wrapped(entries: list[str], indent: str) -> Iterator[str]:
    """Yield entries with commas, as many on a line as fit."""
    line = indent
    for entry in entries:
        if len(line) + len(entry) + 1 > WIDTH and line != indent:
            yield line.rstrip()
            line = indent
        line += f"{entry}, "
    yield line.rstrip()
