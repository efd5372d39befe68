"""The header of a GGUF file: metadata and tensors, checked against the size of the file.

Rule: every length is compared with what is left of the file before anything is read or kept, and
lists are passed over, so that a hostile header costs neither memory nor time.

References:
    https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 1 to 3.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from adderlab.counting.ggml_types import GGML_TYPES, GgmlType
from adderlab.errors import AdderlabError, NetworkFileError
from adderlab.reading import Refusals, opened

MAGIC: Final = b"GGUF"
VERSIONS: Final = (1, 2, 3)
LARGEST_HEADER_BYTES: Final = 256 << 20
LONGEST_TEXT: Final = 1 << 20
LONGEST_NAME: Final = 4096
MOST_TEXTS: Final = 4 << 20
"""Texts in all lists: the largest vocabularies have a quarter of a million, with as many merges."""
MOST_ENTRIES: Final = 1 << 16
MOST_TENSORS: Final = 1 << 20
MOST_AXES: Final = 4
LARGEST_NUMBER: Final = 1 << 63
DEFAULT_ALIGNMENT: Final = 32
REMEDY: Final = "download the file again"

SCALARS: Final = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q",
                  12: "d"}  # fmt: skip
"""By the number of a metadata type, its code in :mod:`struct`."""
TEXT: Final = 8
LIST: Final = 9


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """A tensor as a header describes it.

    Attributes:
        name: its name.
        shape: its sizes, the one that is contiguous first.
        type: of its elements.
        offset: where its data begin, counted from the end of the header.
    """

    name: str
    shape: tuple[int, ...]
    type: GgmlType
    offset: int

    @property
    def parameters(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """What they take in the file."""
        return self.parameters // self.type.block * self.type.block_bytes


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """A checked header.

    Attributes:
        metadata: single values by name; lists are left out.
        tensors: in the order of the header.
        file_bytes: of the whole file.
    """

    metadata: dict[str, Any]
    tensors: tuple[GgufTensor, ...]
    file_bytes: int


class _DamagedError(AdderlabError):
    """What is wrong with a file, before it is known where."""


class _Reader:
    """The bytes of a header, each asked for only after it was checked that it is there."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file = file
        self.left = min(size, LARGEST_HEADER_BYTES)
        self.place = 0
        self.order = "<"
        self.length = "Q"
        self.texts = 0

    def take(self, size: int) -> bytes:
        """Return the next bytes."""
        self._spend(size)
        raw = self.file.read(size)
        if len(raw) != size:
            raise _DamagedError("cut short within its header")
        return raw

    def skip(self, size: int) -> None:
        """Pass over bytes."""
        self._spend(size)
        _ = self.file.seek(size, 1)

    def _spend(self, size: int) -> None:
        if size > self.left:
            raise _DamagedError("cut short within its header, or a length in it is absurd")
        self.left -= size
        self.place += size

    def number(self, code: str) -> Any:
        """Return a number by its code in :mod:`struct`."""
        form = self.order + code
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def size(self) -> int:
        """Return a length."""
        return self.number(self.length)

    def text(self, longest: int, what: str) -> str:
        """Return a text of at most that many bytes."""
        length = self.size()
        if length > longest:
            raise _DamagedError(f"{what} of {length} bytes is longer than {longest}")
        try:
            return self.take(length).decode()
        except UnicodeDecodeError:
            raise _DamagedError(f"{what} is no UTF-8 text") from None

    def value(self) -> Any:
        """Return a metadata value; ``None`` for a list, which is passed over."""
        kind = self.number("I")
        if kind in SCALARS:
            return self.number(SCALARS[kind])
        if kind == TEXT:
            return self.text(LONGEST_TEXT, "a metadata text")
        if kind != LIST:
            raise _DamagedError(f"metadata of the unknown type {kind}")
        kind, count = self.number("I"), self.size()
        if kind in SCALARS:
            self.skip(count * struct.calcsize(self.order + SCALARS[kind]))
        elif kind == TEXT:
            self.texts += count
            if self.texts > MOST_TEXTS:
                raise _DamagedError(f"lists of more than {MOST_TEXTS} texts")
            for _ in range(count):
                self.skip(self.size())
        else:
            raise _DamagedError(f"a list of the unknown type {kind}")
        return None


def is_gguf(path: Path) -> bool:
    """Return whether a file begins as a GGUF file does."""
    try:
        with opened(path, Refusals(NetworkFileError)) as (file, _):
            return file.read(len(MAGIC)) == MAGIC
    except NetworkFileError:
        return False


def read_gguf(path: Path) -> GgufHeader:
    """Return the header of a GGUF file.

    Raises:
        NetworkFileError: it is missing or no GGUF file, or header and file do not fit.
    """
    try:
        with opened(path, Refusals(NetworkFileError)) as (file, size):
            return _header(_Reader(file, size), size)
    except _DamagedError as error:
        raise NetworkFileError(str(error), where=str(path), remedy=REMEDY) from None


def _header(reader: _Reader, size: int) -> GgufHeader:
    if reader.take(len(MAGIC)) != MAGIC:
        raise _DamagedError("not a GGUF file")
    version = reader.number("I")
    if version & 0xFFFF == 0:  # written by a machine of the other byte order
        reader.order = ">"
        version = int.from_bytes(version.to_bytes(4, "little"), "big")
    if version not in VERSIONS:
        raise _DamagedError(f"GGUF version {version}; 1 to 3 are known")
    reader.length = "I" if version == 1 else "Q"
    count, entries = reader.size(), reader.size()
    for what, number, most in (
        ("tensors", count, MOST_TENSORS),
        ("entries", entries, MOST_ENTRIES),
    ):
        if number > most:
            raise _DamagedError(f"{number} {what}; at most {most} are read")
    metadata: dict[str, Any] = {}
    for _ in range(entries):
        key = reader.text(LONGEST_NAME, "the name of an entry")
        if key in metadata:
            raise _DamagedError(f"the header names {key[:60]!r} twice")
        metadata[key] = reader.value()
    tensors = [_tensor(reader) for _ in range(count)]
    _check_places(tensors, metadata, reader.place, size)
    return GgufHeader(metadata, tuple(tensors), size)


def _tensor(reader: _Reader) -> GgufTensor:
    name = reader.text(LONGEST_NAME, "the name of a tensor")
    axes = reader.number("I")
    if axes > MOST_AXES:
        raise _DamagedError(f"tensor {name[:60]!r} has {axes} axes, more than {MOST_AXES}")
    shape = tuple(reader.size() for _ in range(axes))
    number, offset = reader.number("I"), reader.number("Q")
    kind = GGML_TYPES.get(number)
    if kind is None:
        raise _DamagedError(f"tensor {name[:60]!r} has the unknown type {number}")
    tensor = GgufTensor(name, shape, kind, offset)
    if tensor.parameters >= LARGEST_NUMBER:
        raise _DamagedError(f"tensor {name[:60]!r} has an absurd shape")
    if (shape[0] if shape else 1) % kind.block:
        raise _DamagedError(
            f"tensor {name[:60]!r} has rows that are no whole blocks of {kind.name}"
        )
    return tensor


def _check_places(
    tensors: list[GgufTensor], metadata: dict[str, Any], header_bytes: int, size: int
) -> None:
    """Raise unless the tensors' data lie one after the other within the file."""
    names = {tensor.name for tensor in tensors}
    if len(names) < len(tensors):
        raise _DamagedError("the header names a tensor twice")
    alignment = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
    if type(alignment) is not int or not 8 <= alignment <= 1 << 20 or alignment % 8:
        raise _DamagedError("general.alignment is no multiple of 8")
    start = -(-header_bytes // alignment) * alignment
    place = 0
    for tensor in sorted(tensors, key=lambda tensor: tensor.offset):
        if tensor.offset % alignment or tensor.offset < place:
            raise _DamagedError(f"tensor {tensor.name[:60]!r} overlaps another or is not aligned")
        place = tensor.offset + tensor.bytes
    if tensors and start + place > size:
        raise _DamagedError(f"cut short: {size} bytes, {start + place} by its header")
