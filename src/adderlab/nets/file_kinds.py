"""What a file is that is no network file, by its first bytes, its text or its name's end.

Rule: nothing is unpacked and nothing is executed; of a ZIP archive the members' names are read.
"""

from __future__ import annotations

import codecs
import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Literal

HEAD_BYTES: Final = 512
"""Bytes by which a text is told from other data."""

Content = Literal["pickled", "arrays", "other"]
"""What can be done with a file: nothing safe, its arrays can be read, or another is to be named."""


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file.

    Attributes:
        name: as in ``this is a NumPy archive``, article and all.
        content: what can be done with it.
    """

    name: str
    content: Content = "other"


PICKLED: Final = FileKind(
    "a pickled PyTorch file, which adderlab never reads: it can run code", "pickled"
)
ARCHIVE: Final = FileKind("a NumPy archive (.npz)", "arrays")
TORCHSCRIPT: Final = FileKind("a TorchScript archive, which holds code", "pickled")
CHECKPOINT: Final = FileKind("a PyTorch file", "arrays")
JSON: Final = FileKind("a JSON file")

FIRST_BYTES: Final[tuple[tuple[bytes, FileKind], ...]] = (
    (b"\x80", PICKLED),
    (b"\x93NUMPY", FileKind("a NumPy array (.npy)", "arrays")),
    (b"\x89HDF\r\n\x1a\n", FileKind("an HDF5 file, as Keras writes it", "arrays")),
    (b"GGUF", FileKind("a GGUF file, as llama.cpp reads it", "arrays")),
    (b"PAR1", FileKind("a Parquet table")),
    (b"\x89PNG\r\n\x1a\n", FileKind("a PNG image")),
    (b"\xff\xd8\xff", FileKind("a JPEG image")),
    (b"GIF8", FileKind("a GIF image")),
    (b"%PDF-", FileKind("a PDF document")),
    (b"\x1f\x8b", FileKind("a gzip archive")),
    (b"\x7fELF", FileKind("a program")),
)
"""Kinds that say in their first bytes what they are."""

SUFFIXES: Final = {
    ".csv": FileKind("a CSV table"),
    ".html": FileKind("an HTML page"),
    ".ipynb": FileKind("a notebook"),
    ".json": JSON,
    ".md": FileKind("a Markdown text"),
    ".py": FileKind("Python source"),
    ".svg": FileKind("an SVG image"),
}
"""Kinds of text by the end of the name."""

_OLDEST_PICKLE: Final = re.compile(rb"c[\w.]+\n[\w.]+\n|\([dl]p[0-9]+\n")
"""How a pickle of protocol 0, which is text, begins: an object, a dictionary or a list."""

ONNX_HEAD: Final = re.compile(rb"\x08[\x01-\x20][\x12\x1a\x22\x28\x32\x3a\x42\x72\xa2\xca]")
"""How an ONNX model begins, as protobuf writes it: its version, then another of its fields."""

TEXT: Final = FileKind("a text file")
ONNX: Final = FileKind("an ONNX model", "arrays")

READ: Final = frozenset({ONNX, JSON, ARCHIVE, CHECKPOINT})
"""Kinds that are read, beside safetensors."""


def kind_of(file: BinaryIO, name: str) -> FileKind | None:
    """Return what a file is; ``None`` if it is none of the kinds that are known here.

    Args:
        file: from its start; it is left anywhere.
        name: its path.
    """
    _ = file.seek(0)
    head = file.read(HEAD_BYTES)
    if head.startswith(b"PK"):
        return _kind_of_archive(file)
    for first, kind in FIRST_BYTES:
        if head.startswith(first):
            return kind
    if _OLDEST_PICKLE.match(head):
        return PICKLED
    suffix = Path(name).suffix.lower()
    if head and _is_text(head):
        return SUFFIXES.get(suffix, TEXT)
    return ONNX if suffix == ".onnx" or ONNX_HEAD.match(head) else None


def kind_in(data: bytes, name: str) -> FileKind | None:
    """Return what the bytes of a file are; ``None`` of safetensors and of what is not known."""
    # a safetensors header's size may begin with the same bytes as another kind; no text holds zeros
    if not data or (data[8:9] == b"{" and b"\0" in data[:8]):
        return None
    return kind_of(io.BytesIO(data), name)


def _kind_of_archive(file: BinaryIO) -> FileKind:
    """Return what a ZIP archive holds, by the names in its directory."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return FileKind("a damaged ZIP archive, as pickled PyTorch files are", "pickled")
    if any("/code/" in name or name.endswith("/constants.pkl") for name in names):
        return TORCHSCRIPT
    if any(name.endswith("/data.pkl") for name in names):
        return CHECKPOINT
    if any(name.endswith(".pkl") for name in names):
        return PICKLED
    if names and all(name.endswith(".npy") for name in names):
        return ARCHIVE
    return FileKind("a ZIP archive")


def _is_text(head: bytes) -> bool:
    """Return whether the bytes begin a text in UTF-8 without control characters."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\n\r\t\f\ufeff" for character in text)
