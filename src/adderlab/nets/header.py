"""The header of a safetensors file: which tensors it holds, and where their data lie.

Rule: nothing of the header is believed before it was checked against the size of the file, so a
file that is cut short is refused without reading a single weight.

References:
    safetensors format, https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from adderlab import reading
from adderlab.blocks.numbers import counted
from adderlab.errors import AdderlabError, NetworkFileError
from adderlab.nets.file_kinds import kind_of

LARGEST_HEADER_BYTES: Final = 100 << 20
MOST_AXES: Final = 64
LARGEST_NUMBER: Final = 1 << 63
"""Sizes and offsets stay below it, as in the format's own reader."""

DAMAGED: Final = "the file is damaged; write it again"

TYPE_BITS: Final = {
    "F64": 64,
    "F32": 32,
    "F16": 16,
    "BF16": 16,
    "F8_E4M3": 8,
    "F8_E5M2": 8,
    "F8_E8M0": 8,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "F4": 4,
    "I64": 64,
    "I32": 32,
    "I16": 16,
    "I8": 8,
    "U64": 64,
    "U32": 32,
    "U16": 16,
    "U8": 8,
    "BOOL": 8,
    "C64": 64,
}
"""safetensors' element types with their bits."""


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor as a header describes it.

    Attributes:
        name: its name.
        dtype: safetensors' name of its element type.
        shape: its shape.
        begin: where its data begin, counted from the end of the header.
        end: where they end.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int

    @property
    def parameters(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """What they take in the file."""
        return self.end - self.begin


@dataclass(frozen=True, slots=True)
class Header:
    """A checked header.

    Attributes:
        metadata: the ``__metadata__``, empty where there is none.
        tensors: in the order of the header.
        start: where the data begin in the file.
    """

    metadata: dict[str, Any]
    tensors: tuple[StoredTensor, ...]
    start: int


@dataclass(frozen=True, slots=True)
class Remedies:
    """What to do with a file that can't be read.

    Attributes:
        pickled: where it is a pickled PyTorch file.
        arrays: where it holds weights in another format.
        other: where it holds no weights at all.
        damaged: where it is a safetensors file, but damaged.
    """

    pickled: str
    arrays: str
    other: str
    damaged: str = DAMAGED


def read_header(file: BinaryIO, size: int, where: str, remedies: Remedies) -> Header:
    """Return the header at the start of a file.

    Args:
        file: at its start.
        size: of the whole file, in bytes.
        where: names the file in errors.
        remedies: what to do where it can't be read.

    Raises:
        NetworkFileError: it is no safetensors file, or header and file do not fit.
    """
    if not size:
        remedy = remedies.damaged.rpartition("; ")[2]
        raise NetworkFileError("the file is empty", where=where, remedy=remedy)
    try:
        header, start = _read_object(file, size, where, remedies)
        tensors = [_tensor(*item) for item in header.items() if item[0] != "__metadata__"]
        metadata = header.get("__metadata__", {})
        if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
            raise _DamagedError("its __metadata__ is no map from text to text")
        _check_places(tensors, start, size)
    except _DamagedError as error:
        raise NetworkFileError(str(error), where=where, remedy=remedies.damaged) from None
    return Header(metadata, tuple(tensors), start)


def parse_json(raw: bytes | str, what: str, where: str, remedy: str = DAMAGED) -> Any:
    """Return the value of a JSON text of finite numbers that names no key twice.

    Args:
        raw: the text.
        what: what it is, for errors: ``the record``.
        where: names the file in errors.
        remedy: what to do where it is not valid.

    Raises:
        NetworkFileError: it is not valid.
    """
    try:
        return reading.parse_json(raw)
    except reading.JsonError as error:
        raise NetworkFileError(f"{what} {error}", where=where, remedy=remedy) from None


class _DamagedError(AdderlabError):
    """What is wrong with a file, before it is known what to do about it."""


def _read_object(
    file: BinaryIO, size: int, where: str, remedies: Remedies
) -> tuple[dict[str, Any], int]:
    """Return the header as an object, and where the data begin."""
    start = file.read(9)
    if start[8:] != b"{":  # its size, before it, may begin with the same bytes as another kind
        kind = kind_of(file, where)
        if kind is not None:
            remedy: str = getattr(remedies, kind.content)
            raise NetworkFileError(f"this is {kind.name}", where=where, remedy=remedy)
        _ = file.seek(len(start))
    if len(start) < 8:
        raise _DamagedError(
            f"{counted(size, 'byte')} {'is' if size == 1 else 'are'} too few for a safetensors file"
        )
    (length,) = struct.unpack("<Q", start[:8])
    if length > min(size - 8, LARGEST_HEADER_BYTES):
        raise _DamagedError("not a safetensors file, or cut short within its header")
    text = start[8:] + file.read(max(length - 1, 0)) if length else b""
    try:
        header = reading.parse_json(text)
    except reading.JsonError as error:
        raise _DamagedError(f"the header {error}") from None
    if not isinstance(header, dict):
        raise _DamagedError("the header is no JSON object")
    return header, 8 + length


def _tensor(name: str, entry: Any) -> StoredTensor:
    """Return a tensor from its entry, whose size must be that of its shape and type."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise _DamagedError(f"tensor {name[:60]!r} has unknown or missing keys")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in TYPE_BITS:
        raise _DamagedError(f"tensor {name[:60]!r} has the unknown type {str(dtype)[:20]!r}")
    if not _are_sizes(shape) or not _are_sizes(offsets) or len(offsets) != 2:
        raise _DamagedError(f"tensor {name[:60]!r} has no valid shape and offsets")
    tensor = StoredTensor(name, dtype, tuple(shape), *offsets)
    if tensor.parameters * TYPE_BITS[dtype] != 8 * tensor.bytes:
        raise _DamagedError(f"tensor {name[:60]!r} has another size than its shape")
    return tensor


def _check_places(tensors: list[StoredTensor], start: int, size: int) -> None:
    """Raise unless the tensors' data lie end to end up to the end of the file."""
    place = 0
    for tensor in sorted(tensors, key=lambda tensor: (tensor.begin, tensor.end)):
        if tensor.begin != place:
            raise _DamagedError(f"tensor {tensor.name[:60]!r} overlaps another or leaves a gap")
        place = tensor.end
    if start + place > size:
        raise _DamagedError(f"cut short: {size} bytes, {start + place} by its header")
    if start + place < size:
        raise _DamagedError(f"{counted(size - start - place, 'byte')} after the last tensor")


def _are_sizes(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= MOST_AXES
        and all(type(size) is int and 0 <= size < LARGEST_NUMBER for size in value)
    )
