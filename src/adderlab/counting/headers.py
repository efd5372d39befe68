"""The headers of safetensors files: what is in them, without reading a single weight.

Rule: a header is checked against the size of its file, so a shard that is cut short is found
without reading it; and an index names files of its own folder alone.

References:
    safetensors format, https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, BinaryIO, Final

from adderlab.counting.config_file import once, read_json
from adderlab.counting.model_count import ModelCount, PartCount
from adderlab.counting.training_memory import training_memory
from adderlab.errors import NetworkFileError, OptionError

LARGEST_HEADER_BYTES: Final = 100 << 20
LARGEST_INDEX_BYTES: Final = 100 << 20
LONGEST_NAME: Final = 255
"""Characters of a file's name; no file system takes more bytes."""
MOST_AXES: Final = 64
LARGEST_NUMBER: Final = 1 << 63
"""Sizes and offsets stay below it, as in the format's own reader."""
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

PARTS: Final = (
    ("norm", re.compile(r"norm|(^|\.)ln_|layer_?norm", re.IGNORECASE)),
    ("output head", re.compile(r"lm_head|(^|\.)output\.|embed_out", re.IGNORECASE)),
    ("embedding", re.compile(r"embed|(^|\.)wte|(^|\.)wpe|tok_embeddings", re.IGNORECASE)),
    ("attention", re.compile(r"attn|attention", re.IGNORECASE)),
    ("MLP", re.compile(r"mlp|feed_forward|experts|(^|\.)ffn|block_sparse_moe", re.IGNORECASE)),
)
"""By their usual names, which part of a model a tensor belongs to; the first that fits."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor as a header describes it."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def parameters(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """What they take in the file."""
        return self.parameters * TYPE_BITS[self.dtype] // 8

    @property
    def part(self) -> str:
        """The part of a model that its name speaks of; ``other`` where it speaks of none."""
        return next((part for part, known in PARTS if known.search(self.name)), "other")


def count_safetensors(
    paths: Sequence[str | Path] | str | Path, *, training: str | None = None
) -> ModelCount:
    """Return what safetensors files hold, by their headers alone.

    Args:
        paths: files, the shards of one model; or one index (``….index.json``), whose shards lie
            beside it.
        training: an optimizer, to add what training takes.

    Raises:
        NetworkFileError: a file is missing, cut short, damaged, named by an index although it
            lies elsewhere, or holds a tensor that another one holds too.
        OptionError: no file is given, or no such optimizer.
    """
    files = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
    if not files:
        raise OptionError("no file is given", where="--safetensors", remedy="name one or more")
    indices = [file for file in files if file.suffix == ".json"]
    expected: dict[str, str] | None = None
    if indices:
        if len(files) > 1:
            raise OptionError(
                "an index stands for all its shards",
                where="--safetensors",
                remedy="name the index alone, or the shards",
            )
        expected = _index(files[0])
        folder = files[0].parent
        files = [folder / name for name in dict.fromkeys(expected.values())]
    tensors: dict[str, tuple[Stored, str]] = {}
    file_bytes = 0
    for file in files:
        found, size = read_header(file)
        file_bytes += size
        for tensor in found:
            if tensor.name in tensors:
                raise NetworkFileError(
                    f"tensor {tensor.name[:60]!r} is also in {tensors[tensor.name][1]}",
                    where=str(file),
                    remedy="name each shard of one model once",
                )
            tensors[tensor.name] = (tensor, str(file))
    if expected is not None:
        _check_index(expected, tensors, indices[0])
    return _counted([tensor for tensor, _ in tensors.values()], files, file_bytes, training)


def _counted(
    tensors: list[Stored], files: Sequence[Path], file_bytes: int, training: str | None
) -> ModelCount:
    names = [name for name, _ in PARTS[2:] + PARTS[:1] + PARTS[1:2]] + ["other"]
    sums = dict.fromkeys(names, 0)
    tally = dict.fromkeys(names, 0)
    stored: dict[str, int] = {}
    for tensor in tensors:
        sums[tensor.part] += tensor.parameters
        tally[tensor.part] += 1
        stored[tensor.dtype] = stored.get(tensor.dtype, 0) + tensor.bytes
    notes: list[str] = []
    whole = sorted(name for name in stored if name[0] in "IUB" and name != "BF16")
    if whole:
        notes.append(
            f"elements of {', '.join(whole)} are counted as they are: packed weights, indices and "
            "masks may be among them"
        )
    if not tensors:
        notes.append("there are no tensors in it")
    links = [file.name for file in files if file.is_symlink()]
    if links:
        more = f" and {len(links) - 1} more" if len(links) > 1 else ""
        notes.append(f"{links[0]}{more} is a link, which was followed")
    total = sum(sums.values())
    many = len(files) > 1
    return ModelCount(
        name=f"{len(files)} shards" if many else files[0].name,
        parts=tuple(
            PartCount(
                name, sums[name], None, f"{tally[name]} tensor{'s' if tally[name] > 1 else ''}"
            )
            for name in names
            if tally[name]
        ),
        source=str(files[0].parent) if many else str(files[0]),
        stored_bytes=sum(tensor.bytes for tensor in tensors),
        file_bytes=file_bytes,
        stored_as=stored,
        notes=(*notes, "parts are told by the tensors' names; MACs are not in a header"),
        training=training_memory(total, training),
    )


def _index(path: Path) -> dict[str, str]:
    """Return the index's map from tensor to file, each a plain name in the index's own folder."""
    where = str(path)
    found = read_json(path, LARGEST_INDEX_BYTES)
    entries = found.get("weight_map") if isinstance(found, dict) else None
    if not isinstance(entries, dict) or not entries:
        raise _damaged("not an index: it has no weight_map", where)
    if not all(isinstance(name, str) and len(name) <= LONGEST_NAME for name in entries.values()):
        raise _damaged("not an index: its weight_map has a value that is no file name", where)
    for name in dict.fromkeys(entries.values()):
        is_plain = (
            name not in ("", ".", "..")
            and "\0" not in name
            and PurePosixPath(name).name == name
            and PureWindowsPath(name).name == name
        )
        if not is_plain:
            raise NetworkFileError(
                f"the index names {name[:60]!r}, which is outside its folder",
                where=where,
                remedy="put the shards beside the index and name them without a path",
            )
    missing = [
        name for name in dict.fromkeys(entries.values()) if not (path.parent / name).exists()
    ]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise NetworkFileError(
            f"the shard {missing[0][:60]!r}{more} is missing",
            where=where,
            remedy="download every shard into the folder of the index",
        )
    return entries


def _check_index(
    expected: dict[str, str], tensors: dict[str, tuple[Stored, str]], path: Path
) -> None:
    for name, file in expected.items():
        if name not in tensors or Path(tensors[name][1]).name != file:
            where = f"not in {file[:60]}, where the index has it"
            raise _damaged(f"tensor {name[:60]!r} is {where}", str(path))
    extra = next((name for name in tensors if name not in expected), None)
    if extra is not None:
        raise _damaged(
            f"tensor {extra[:60]!r} is in {tensors[extra][1]}, not in the index", str(path)
        )


def read_header(path: Path) -> tuple[list[Stored], int]:
    """Return the tensors that a file's header names, and the size of the file.

    Raises:
        NetworkFileError: the header does not fit the file.
    """
    where = str(path)
    try:
        if not path.exists():
            raise NetworkFileError("no such file", where=where, remedy="check the path")
        if not path.is_file():
            raise NetworkFileError("not a regular file", where=where, remedy="name a file")
        size = path.stat().st_size
        with path.open("rb") as file:
            return _tensors(_header(file, size, where), size, where), size
    except (OSError, ValueError) as error:
        if isinstance(error, NetworkFileError):
            raise
        reason = getattr(error, "strerror", None) or str(error)[:80]
        raise NetworkFileError(
            f"can't be read ({reason})", where=where, remedy="check the path and its permissions"
        ) from None


def _header(file: BinaryIO, size: int, where: str) -> tuple[dict[str, Any], int]:
    """Return the header as an object, and where the data begin."""
    start = file.read(8)
    if start[:2] == b"PK" or start[:1] == b"\x80":
        raise NetworkFileError(
            "this is a pickled PyTorch file, which adderlab never reads: it can run code",
            where=where,
            remedy="take the .safetensors files of the model",
        )
    if len(start) < 8:
        raise _damaged(f"{size} bytes are too few for a safetensors file", where)
    (length,) = struct.unpack("<Q", start)
    if length > LARGEST_HEADER_BYTES or length > size - 8:
        raise _damaged("not a safetensors file, or cut short within its header", where)
    try:
        header = json.loads(file.read(length).decode(), object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise _damaged(f"the header is not valid JSON ({str(error)[:80]})", where) from None
    if not isinstance(header, dict):
        raise _damaged("the header is no JSON object", where)
    return header, 8 + length


def _tensors(read: tuple[dict[str, Any], int], size: int, where: str) -> list[Stored]:
    """Return the tensors of a header, whose data lie end to end up to the end of the file."""
    header, start = read
    found: list[tuple[int, int, Stored]] = []
    for name, entry in header.items():
        if name == "__metadata__":
            _check_metadata(entry, where)
            continue
        found.append(_entry(name, entry, where))
    place = 0
    for begin, end, tensor in sorted(found, key=lambda item: item[:2]):
        if begin != place:
            raise _damaged(f"tensor {tensor.name[:60]!r} overlaps another or leaves a gap", where)
        place = end
    if start + place > size:
        raise _damaged(f"cut short: {size} bytes, {start + place} by its header", where)
    if start + place < size:
        raise _damaged(f"{size - start - place} bytes after the last tensor", where)
    return [tensor for *_, tensor in found]


def _check_metadata(entry: Any, where: str) -> None:
    if not isinstance(entry, dict) or not all(isinstance(one, str) for one in entry.values()):
        raise _damaged("its __metadata__ is no map from text to text", where)


def _entry(name: str, entry: Any, where: str) -> tuple[int, int, Stored]:
    """Return one tensor with where its data begin and end."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise _damaged(f"tensor {name[:60]!r} has unknown or missing keys", where)
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in TYPE_BITS:
        raise _damaged(f"tensor {name[:60]!r} has the unknown type {str(dtype)[:20]!r}", where)
    if not _are_sizes(shape) or not _are_sizes(offsets) or len(offsets) != 2:
        raise _damaged(f"tensor {name[:60]!r} has no valid shape and offsets", where)
    tensor = Stored(name, dtype, tuple(shape))
    begin, end = offsets
    if tensor.parameters * TYPE_BITS[dtype] != 8 * (end - begin):
        raise _damaged(f"tensor {name[:60]!r} has another size than its shape", where)
    return begin, end, tensor


def _are_sizes(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= MOST_AXES
        and all(
            isinstance(one, int) and not isinstance(one, bool) and 0 <= one < LARGEST_NUMBER
            for one in value
        )
    )


def _damaged(what: str, where: str) -> NetworkFileError:
    return NetworkFileError(what, where=where, remedy="download the file again")
