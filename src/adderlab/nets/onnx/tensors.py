"""The tensors that a model stores: in its file, or in another file of the same folder.

Rule: sizes are known, and held against the bytes that are there, before memory is taken; another
file is opened only where it lies within the model's folder once all links are followed.
"""

from __future__ import annotations

import math
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from adderlab import limits
from adderlab.errors import NetworkFileError
from adderlab.reading import Refusals, opened

MOST_NUMBERS: Final = 1 << 27
"""Numbers of a tensor that is stored."""

DTYPES: Final = {
    "FLOAT": torch.float32,
    "DOUBLE": torch.float64,
    "FLOAT16": torch.float16,
    "BFLOAT16": torch.bfloat16,
    "INT8": torch.int8,
    "INT16": torch.int16,
    "INT32": torch.int32,
    "INT64": torch.int64,
    "UINT8": torch.uint8,
    "BOOL": torch.bool,
}
"""ONNX's types of numbers that are read."""

WIDENED: Final = {
    "INT2": torch.int8,
    "UINT2": torch.uint8,
    "INT4": torch.int8,
    "UINT4": torch.uint8,
    "UINT16": torch.int32,
}
"""Types of stored integers that PyTorch computes with in a wider one."""


def dtype_of(number: int, where: str, *, stored: bool = False) -> torch.dtype:
    """Return PyTorch's type for one of ONNX's.

    Args:
        number: ONNX's number of the type.
        where: what has it.
        stored: whether the numbers are only to be read.

    Raises:
        NetworkFileError: it is not read.
    """
    from onnx import TensorProto

    known = TensorProto.DataType.values()
    name = TensorProto.DataType.Name(number) if number in known else str(number)
    table = DTYPES | WIDENED if stored else DTYPES
    if name not in table:
        names = ", ".join(DTYPES).lower()
        raise NetworkFileError(
            f"its numbers are of the type {name.lower()}", where=where, remedy=f"read are {names}"
        )
    return table[name]


def tensor_of(proto: Any, where: str, folder: Path) -> Tensor:
    """Return a stored tensor; one in another file is put into ``proto`` itself.

    Args:
        proto: ONNX's message.
        where: what it is, for errors.
        folder: of the model's file.

    Raises:
        NetworkFileError: its sizes and its bytes do not agree, its type is not read, a number is
            not finite, or its file is not one of the folder.
    """
    from onnx import TensorProto, numpy_helper

    dtype = dtype_of(proto.data_type, where, stored=True)
    shape = tuple(proto.dims)
    count = _count(shape, where)
    if proto.data_location == TensorProto.EXTERNAL:
        _take_in(proto, count, where, folder)
    wide = 8 if dtype in (torch.float64, torch.int64) else 4
    limits.check(count * wide * 2)
    try:
        array = np.asarray(numpy_helper.to_array(proto))
    except (ValueError, TypeError, OverflowError, RuntimeError) as error:
        raise _damaged(f"its numbers can't be had ({str(error)[:120]})", where) from None
    if array.shape != shape:
        raise _damaged(f"it holds {array.size} numbers, not {list(shape)}", where)
    tensor = _as_torch(array, dtype)
    if dtype.is_floating_point and not bool(torch.isfinite(tensor).all()):
        at = (~torch.isfinite(tensor)).nonzero()[0].tolist()
        raise NetworkFileError(
            f"a number is {float(tensor[tuple(at)])} (at {at})",
            where=where,
            remedy="every number must be finite",
        )
    return tensor


def _as_torch(array: Any, dtype: torch.dtype) -> Tensor:
    if dtype == torch.bfloat16:
        return torch.from_numpy(array.view(np.int16).copy()).view(torch.bfloat16)
    kind = {torch.int8: np.int8, torch.uint8: np.uint8, torch.int32: np.int32}.get(dtype)
    whole = array if kind is None else array.astype(kind)
    return torch.from_numpy(np.array(whole, dtype=whole.dtype.newbyteorder("=")))


def _count(shape: tuple[int, ...], where: str) -> int:
    if any(size < 0 for size in shape):
        raise _damaged(f"its shape is {list(shape)}", where)
    count = math.prod(shape)
    if count > MOST_NUMBERS:
        raise NetworkFileError(
            f"its shape {list(shape)[:8]} has more than {MOST_NUMBERS} numbers",
            where=where,
            remedy="take something smaller",
        )
    return count


def _take_in(proto: Any, count: int, where: str, folder: Path) -> None:
    """Put the bytes of another file into the message."""
    entries = {entry.key: entry.value for entry in proto.external_data}
    path = _inside(entries.get("location", ""), where, folder)
    bits = _bits_each(proto.data_type)
    size = -(-count * bits // 8)
    start = _number(entries.get("offset", "0"), where)
    length = _number(entries.get("length", str(size)), where)
    if length != size:
        raise _damaged(f"its shape takes {size} bytes and its entry names {length}", where)
    refusals = Refusals(NetworkFileError, remedy="keep the model's files together", where=str(path))
    with opened(path, refusals) as (file, there):
        if start + size > there:
            raise _damaged(f"{path.name} ends before it", where)
        limits.check(size * 2)
        _ = file.seek(start)
        proto.raw_data = file.read(size)
    if len(proto.raw_data) != size:
        raise _damaged(f"{path.name} ends before it", where)
    proto.ClearField("external_data")
    proto.ClearField("data_location")


def _inside(location: str, where: str, folder: Path) -> Path:
    """Return the path of a file that lies in the model's folder, links followed."""
    posix, windows = PurePosixPath(location), PureWindowsPath(location)
    is_plain = location and location.isprintable() and not (posix.is_absolute() or windows.drive)
    if is_plain and not windows.root and ".." not in windows.parts:
        try:
            home = folder.resolve(strict=True)
            path = (home / location).resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            raise NetworkFileError(
                f"its numbers are in {location[:200]!r}, which is not there",
                where=where,
                remedy="keep the model's files together",
            ) from None
        if path.is_relative_to(home):
            return path
    raise NetworkFileError(
        f"its numbers are in {location[:200]!r}, outside of the model's folder",
        where=where,
        remedy="save the model with its weights inside it or beside it",
    )


def _bits_each(number: int) -> int:
    from onnx import TensorProto

    name = TensorProto.DataType.Name(number)
    if name.endswith(("INT2", "INT4")):  # as no wider type's does
        return int(name[-1])
    return (DTYPES | WIDENED)[name].itemsize * 8 if name != "UINT16" else 16


def _number(text: str, where: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise _damaged(f"its place in the file is {text[:40]!r}", where)
    return int(text)


def _damaged(what: str, where: str) -> NetworkFileError:
    return NetworkFileError(what, where=where, remedy="export the model again")
