"""Network files: ``.safetensors`` with a JSON record, read and written without pickle.

Rule: a file is data. What the record names must be there, once and of the right size; what is
there must be named; sizes are checked before memory is taken, and nothing is executed. The
same network always gives the same bytes.

References:
    safetensors format, https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import ml_dtypes
import numpy as np
from safetensors import SafetensorError, deserialize

from adderlab.errors import AdderlabError, NetworkFileError
from adderlab.nets.network import Network
from adderlab.nets.record import Reader, network_from_record, record_of
from adderlab.tasks import Task
from adderlab.writing import write_file

if TYPE_CHECKING:
    from jaxtyping import Shaped

LARGEST_FILE_BYTES: Final = 4 << 30
LARGEST_HEADER_BYTES: Final = 100 << 20
KEY: Final = "adderlab"

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


def load(path: str | Path) -> Network:
    """Return the network in a file.

    Raises:
        NetworkFileError: the file is missing, truncated, not safetensors, of another schema, or
            says one thing and holds another; pickled files are refused unread.
    """
    return from_bytes(read_bytes(path), where=str(path))


def save(net: Network, path: str | Path) -> Path:
    """Write the network to ``path``, whole or not at all, and return the path.

    Raises:
        OutputError: the place can't be written.
    """
    return write_file(path, to_bytes(net))


def sha256(data: bytes) -> str:
    """Return the hash that binds a verdict to the bytes it speaks of."""
    return hashlib.sha256(data).hexdigest()


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
    return b"".join([struct.pack("<Q", len(head)), head, *parts])


def read_bytes(path: str | Path) -> bytes:
    """Return the bytes of a regular file of a bearable size.

    Raises:
        NetworkFileError: it is missing, no regular file, or too large.
    """
    where = str(path)
    try:
        file = Path(path)
        if not file.exists():
            raise NetworkFileError("no such file", where=where, remedy="check the path")
        if not file.is_file():
            raise NetworkFileError("not a regular file", where=where, remedy="name a file")
        size = file.stat().st_size
        if size > LARGEST_FILE_BYTES:
            raise NetworkFileError(
                f"{size} bytes are over the limit of {LARGEST_FILE_BYTES}",
                where=where,
                remedy="for parameter counts alone: adderlab count --safetensors",
            )
        return file.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, AdderlabError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise NetworkFileError(
            f"can't be read ({reason})", where=where, remedy="check the path and its permissions"
        ) from None


def from_bytes(data: bytes, *, where: str = "network file") -> Network:
    """Return the network in the bytes of a file; see :func:`load`."""
    header = _header(data, where)
    record = _record(header.pop("__metadata__", None), where)
    for name, entry in header.items():
        if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
            raise _damaged(f"tensor {name!r} has unknown or missing keys in the header", where)
    try:
        parts = dict(deserialize(data))
    except SafetensorError as error:
        raise _damaged(f"not a valid safetensors file ({error})", where) from None
    arrays: dict[str, Shaped[np.ndarray, ...]] = {}
    for name, part in parts.items():
        dtype = DTYPES.get(part["dtype"])
        if dtype is None:
            raise NetworkFileError(
                f"tensor {name!r} has type {part['dtype']}",
                where=where,
                remedy=f"a network file holds {', '.join(DTYPES)}",
            )
        shape = tuple(part["shape"])
        if math.prod(shape) * dtype.itemsize != len(part["data"]):
            raise _damaged(f"tensor {name!r} has another size than its shape", where)
        try:
            arrays[name] = np.frombuffer(bytes(part["data"]), dtype=dtype).reshape(shape)
        except ValueError:  # too many dimensions, or one too large beside a 0
            raise _damaged(f"tensor {name!r} has a shape that no array has", where) from None
    return network_from_record(record, Reader(arrays, where))


def load_for(path: str | Path, task: Task | None) -> Network:
    """Return the network in a file, meant for ``task`` where one is given."""
    net = load(path)
    if task is None:
        return net
    net.check_fits(task)
    return net.for_task(task)


def _header(data: bytes, where: str) -> dict[str, Any]:
    """Return the JSON header, refusing what is no safetensors file before it is parsed."""
    is_header = data[8:9] == b"{"  # its size, before it, may begin with the same bytes
    if not is_header and (data[:2] == b"PK" or data[:1] == b"\x80"):
        raise NetworkFileError(
            "this is a pickled PyTorch file, which adderlab never reads: it can run code",
            where=where,
            remedy="in Python: adderlab.save(model, 'net.safetensors', task='half-adder')",
        )
    if len(data) < 8:
        raise _damaged(f"{len(data)} bytes are too few for a network file", where)
    (size,) = struct.unpack("<Q", data[:8])
    if size > min(len(data) - 8, LARGEST_HEADER_BYTES):
        raise _damaged("not a safetensors file, or cut short", where)
    header = _json(data[8 : 8 + size], "the header", where)
    if not isinstance(header, dict):
        raise _damaged("the header is no JSON object", where)
    return header


def _record(metadata: Any, where: str) -> Any:
    if not isinstance(metadata, dict) or KEY not in metadata:
        raise NetworkFileError(
            f"a safetensors file without an {KEY!r} record: its activations and readout are "
            "not known",
            where=where,
            remedy="in Python: adderlab.save(adderlab.from_state_dict(tensors), PATH)",
        )
    text = metadata[KEY]
    if not isinstance(text, str):
        raise _damaged("the record is no JSON string", where)
    return _json(text, "the record", where)


def _json(raw: bytes | str, what: str, where: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            seen: set[str] = set()
            twice = next(name for name, _ in pairs if name in seen or seen.add(name))
            raise _damaged(f"{what} names {twice!r} twice", where)
        return found

    def constant(name: str) -> Any:
        raise _damaged(f"{what} holds {name}, which is no number", where)

    def number(digits: str) -> float:
        value = float(digits)
        return value if math.isfinite(value) else constant(digits)

    try:
        text = raw if isinstance(raw, str) else raw.decode()  # json would guess UTF-16 too
        return json.loads(text, object_pairs_hook=once, parse_constant=constant, parse_float=number)
    except AdderlabError:
        raise
    except (ValueError, RecursionError) as error:
        raise _damaged(f"{what} is not valid JSON ({str(error)[:80]})", where) from None


def _damaged(what: str, where: str) -> NetworkFileError:
    return NetworkFileError(what, where=where, remedy="the file is damaged; write it again")
