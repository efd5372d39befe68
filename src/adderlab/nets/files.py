"""Network files: ``.safetensors`` with a JSON record, read and written without pickle.

Rule: a file is data. What the record names must be there, once and of the right size; what is
there must be named; sizes are checked before memory is taken, and nothing is executed. The
same network always gives the same bytes.

References:
    safetensors format, https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import ml_dtypes
import numpy as np

from adderlab import limits
from adderlab.errors import NetworkFileError, OutputError
from adderlab.nets.file_kinds import READ, kind_of
from adderlab.nets.header import DAMAGED, Header, Remedies, parse_json, read_header
from adderlab.nets.network import Network
from adderlab.nets.record import Reader, network_from_record, record_of, task_from_record
from adderlab.reading import Refusals, opened, read_file
from adderlab.tasks import Task
from adderlab.writing import check_place, write_file

if TYPE_CHECKING:
    from jaxtyping import Shaped

LARGEST_FILE_BYTES: Final = 4 << 30
LARGEST_SHORT_HEADER: Final = 1 << 16
"""Bytes up to which a header is read where there is no time for more."""

HASHED_AT_ONCE: Final = 1 << 25
"""Bytes between two looks at the limits."""

KEY: Final = "adderlab"

REMEDIES: Final = Remedies(
    pickled="in Python: adderlab.save(model, 'net.safetensors', task='half-adder'), or save its "
    "weights alone: torch.save(model.state_dict(), 'net.pt')",
    arrays="in Python: adderlab.save(adderlab.from_state_dict(arrays), 'net.safetensors'), with "
    "its arrays by name, or numpy.savez('net.npz', **arrays)",
    other="name a network file (.safetensors), as `train(out=…)` writes it",
)

UNREAD: Final = Refusals(
    NetworkFileError,
    too_large="for parameter counts alone: `count(safetensors=…)`",
    ending=".safetensors",
)

DTYPES: Final[dict[str, Any]] = {
    "F64": np.dtype(np.float64),
    "F32": np.dtype(np.float32),
    "F16": np.dtype(np.float16),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "F8_E4M3": np.dtype(ml_dtypes.float8_e4m3fn),
    "F8_E5M2": np.dtype(ml_dtypes.float8_e5m2),
    "I64": np.dtype(np.int64),
    "I32": np.dtype(np.int32),
    "I16": np.dtype(np.int16),
    "I8": np.dtype(np.int8),
    "U64": np.dtype(np.uint64),
    "U32": np.dtype(np.uint32),
    "U16": np.dtype(np.uint16),
    "U8": np.dtype(np.uint8),
}
"""safetensors' names of the element types that a network file may hold."""

_NAMES: Final = {dtype: name for name, dtype in DTYPES.items()}


def save(net: Network, path: str | Path) -> Path:
    """Write the network to ``path``, whole or not at all, and return the path.

    Raises:
        OutputError: the place can't be written.
    """
    check_network_place(path)
    return write_file(path, to_bytes(net))


OTHERS: Final = frozenset(
    {".npz", ".npy", ".pt", ".pth", ".ckpt", ".pkl", ".onnx", ".gguf", ".json"}
    | {".csv", ".tsv", ".parquet", ".txt", ".md", ".html", ".png", ".svg"}
)
"""Endings of files that are no safetensors."""


def check_network_place(path: str | Path, *, read: Iterable[str | Path] = ()) -> None:
    """Raise at once if a network could not be written at ``path``, or would have a wrong name.

    Args:
        path: where it is to be written.
        read: files that the work reads, none of which it may replace.

    Raises:
        OutputError: the name ends as that of another kind of file, or the place can't be written.
    """
    ending = Path(path).suffix
    if ending.lower() in OTHERS:
        raise OutputError(
            f"a network is written as a safetensors file, and {ending} is another kind",
            where=str(path),
            remedy="name a file that ends in .safetensors",
        )
    check_place(path, read=read)


def sha256(data: bytes) -> str:
    """Return the hash that binds a verdict to the bytes it speaks of."""
    digest = hashlib.sha256()
    for start in range(0, len(data), HASHED_AT_ONCE):
        limits.check()
        digest.update(memoryview(data)[start : start + HASHED_AT_ONCE])
    return digest.hexdigest()


def to_bytes(net: Network) -> bytes:
    """Return the file of a network; equal networks give equal bytes.

    The header is written here because the arguments of safetensors' own ``serialize`` differ
    between its versions; the order is the library's where all elements have one type: widest
    elements first, then by name.
    """
    record, arrays = record_of(net)
    text = json.dumps(record, separators=(",", ":"), allow_nan=False)
    header: dict[str, Any] = {"__metadata__": {KEY: text}}
    parts: list[Any] = []  # joined once: of a wide network each copy counts
    end = 0
    for name, stored in sorted(arrays.items(), key=lambda item: (-item[1].itemsize, item[0])):
        array = stored.astype(stored.dtype.newbyteorder("<"), copy=False)
        parts.append(np.ascontiguousarray(array).reshape(-1).view(np.uint8))
        header[name] = {
            "dtype": _NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [end, end := end + array.nbytes],
        }
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    limits.check(end)
    return b"".join([struct.pack("<Q", len(head)), head, *parts])


def read_bytes(path: str | Path) -> bytes:
    """Return the bytes of a regular file of a bearable size.

    Raises:
        NetworkFileError: it is missing, no regular file, or too large.
    """
    return read_file(path, LARGEST_FILE_BYTES, UNREAD)


def task_in(path: str | Path) -> Task | None:
    """Return the task that a network file names, without reading its weights.

    ``None`` where it names none, or its header is long.

    Raises:
        NetworkFileError: it is no network file.
    """
    where = str(path)
    with opened(path, UNREAD) as (file, size):
        length = int.from_bytes(file.read(8), "little")
        if length > LARGEST_SHORT_HEADER or kind_of(file, where) in READ:
            return None
        _ = file.seek(0)
        header = read_header(file, size, where, REMEDIES)
    if KEY not in header.metadata:
        return None
    record = _record(header.metadata, where)
    value = record.get("task") if isinstance(record, dict) else None
    return None if value is None else task_from_record(value, Reader({}, where))


def from_bytes(data: bytes, *, where: str = "network file") -> Network:
    """Return the network in the bytes of a network file.

    Raises:
        NetworkFileError: they are truncated, not safetensors, of another schema, or say one thing
            and hold another.
    """
    header = header_of(data, where)
    record = _record(header.metadata, where)
    return network_from_record(record, Reader(tensors_of(data, header, where), where))


def header_of(data: bytes, where: str) -> Header:
    """Return the header of a safetensors file; one of ours has :data:`KEY` in its metadata.

    Raises:
        NetworkFileError: it is none.
    """
    return read_header(io.BytesIO(data), len(data), where, REMEDIES)


def tensors_of(data: bytes, header: Header, where: str) -> dict[str, Shaped[np.ndarray, ...]]:
    """Return the tensors of a safetensors file, which share its memory.

    Raises:
        NetworkFileError: one is of a type that no network has.
    """
    arrays: dict[str, Shaped[np.ndarray, ...]] = {}
    for tensor in header.tensors:
        dtype = DTYPES.get(tensor.dtype)
        if dtype is None:
            raise NetworkFileError(
                f"tensor {tensor.name!r} has type {tensor.dtype}",
                where=where,
                remedy=f"a network file holds {', '.join(DTYPES)}",
            )
        limits.check()
        raw = memoryview(data)[header.start + tensor.begin : header.start + tensor.end]
        array = np.frombuffer(raw, dtype=dtype)
        if not array.flags.aligned:
            limits.check(tensor.bytes)
            array = array.copy()
        try:
            arrays[tensor.name] = array.reshape(tensor.shape)
        except ValueError:  # too many dimensions, or one too large beside a 0
            raise _damaged(f"tensor {tensor.name!r} has a shape that no array has", where) from None
    return arrays


def _record(metadata: dict[str, Any], where: str) -> Any:
    if KEY not in metadata:
        raise NetworkFileError(
            f"a safetensors file without an {KEY!r} record: its activations and readout are "
            "not known",
            where=where,
            remedy="in Python: adderlab.save(adderlab.from_state_dict(tensors), PATH)",
        )
    return parse_json(metadata[KEY], "the record", where)


def _damaged(what: str, where: str) -> NetworkFileError:
    return NetworkFileError(what, where=where, remedy=DAMAGED)
