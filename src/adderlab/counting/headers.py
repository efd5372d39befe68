"""The headers of safetensors files: what is in them, without reading a single weight.

Rule: a header is checked against the size of its file, so a truncated shard is detected
without reading it; and an index may name files of its own folder alone.

References:
    safetensors format, https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final

from adderlab.blocks.numbers import counted
from adderlab.counting.config_file import read_json
from adderlab.counting.model_count import ModelCount, PartCount
from adderlab.counting.training_memory import training_memory
from adderlab.errors import NetworkFileError, OptionError
from adderlab.nets.header import Header, Remedies, StoredTensor, read_header
from adderlab.reading import Refusals, opened

LARGEST_INDEX_BYTES: Final = 100 << 20
LONGEST_NAME: Final = 255
"""Bytes of a file's name; no file system takes more."""
DAMAGED: Final = "download the file again"
TAKE: Final = "take the .safetensors files of the model"
REMEDIES: Final = Remedies(pickled=TAKE, arrays=TAKE, other=TAKE, damaged=DAMAGED)

PARTS: Final = (
    ("norm", re.compile(r"norm|(^|\.)ln_|layer_?norm", re.IGNORECASE)),
    ("output head", re.compile(r"lm_head|(^|\.)output\.|embed_out", re.IGNORECASE)),
    ("embedding", re.compile(r"embed|(^|\.)wte|(^|\.)wpe|tok_embeddings", re.IGNORECASE)),
    ("attention", re.compile(r"attn|attention", re.IGNORECASE)),
    ("MLP", re.compile(r"mlp|feed_forward|experts|(^|\.)ffn|block_sparse_moe", re.IGNORECASE)),
)
"""By their usual names, which part of a model a tensor belongs to; the first that fits."""


def count_safetensors(
    paths: Sequence[str | Path] | str | Path, *, training: str | None = None
) -> ModelCount:
    """Return the size of what safetensors files hold, from their headers alone.

    Args:
        paths: files, the shards of one model; or one index (``….index.json``), whose shards
            are in its folder.
        training: an optimizer, to add the memory of training.

    Raises:
        NetworkFileError: a file is missing, truncated or damaged, is named by an index
            although it is in another folder, or holds a tensor that is in another file too.
        OptionError: no file is given, or no such optimizer.
    """
    files = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
    if not files:
        raise OptionError("no file is given", where="safetensors", remedy="name one or more")
    indices = [file for file in files if file.suffix == ".json"]
    expected: dict[str, str] | None = None
    if indices:
        if len(files) > 1:
            raise OptionError(
                "an index already includes all its shards",
                where="safetensors",
                remedy="name it alone, or the shards",
            )
        expected = _index(files[0])
        folder = files[0].parent
        files = [folder / name for name in dict.fromkeys(expected.values())]
    tensors: dict[str, tuple[StoredTensor, str]] = {}
    file_bytes = 0
    for file in files:
        header, size = _header(file)
        file_bytes += size
        for tensor in header.tensors:
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
    tensors: list[StoredTensor], files: Sequence[Path], file_bytes: int, training: str | None
) -> ModelCount:
    names = [name for name, _ in PARTS[2:] + PARTS[:1] + PARTS[1:2]] + ["other"]
    sums = dict.fromkeys(names, 0)
    tally = dict.fromkeys(names, 0)
    stored: dict[str, int] = {}
    for tensor in tensors:
        part = _part_of(tensor)
        sums[part] += tensor.parameters
        tally[part] += 1
        stored[tensor.dtype] = stored.get(tensor.dtype, 0) + tensor.bytes
    notes: list[str] = []
    whole = sorted(name for name in stored if name[0] in "IUB" and name != "BF16")
    if whole:
        notes.append(
            f"elements of {', '.join(whole)} are counted as stored: they may be packed weights, "
            "indices or masks"
        )
    if not tensors:
        notes.append("there are no tensors in it")
    links = [file.name for file in files if file.is_symlink()]
    if links:
        more = f" and {len(links) - 1} more" if len(links) > 1 else ""
        notes.append(f"{links[0]}{more} is a symbolic link, which was followed")
    total = sum(sums.values())
    many = len(files) > 1
    return ModelCount(
        name=f"{len(files)} shards" if many else files[0].name,
        parts=tuple(
            PartCount(name, sums[name], None, counted(tally[name], "tensor"))
            for name in names
            if tally[name]
        ),
        source=str(files[0].parent) if many else str(files[0]),
        stored_bytes=sum(tensor.bytes for tensor in tensors),
        file_bytes=file_bytes,
        stored_as=stored,
        notes=(*notes, "parts are recognized by tensor names; MACs do not follow from a header"),
        training=training_memory(total, training),
    )


def _index(path: Path) -> dict[str, str]:
    """Return the index's map from tensor to file, each a plain name in the index's own folder."""
    where = str(path)
    index = read_json(path, LARGEST_INDEX_BYTES)
    entries = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(entries, dict) or not entries:
        raise _damaged("not an index: it has no weight_map", where)
    if not all(map(_is_name, entries.values())):
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
                remedy="put the shards into the index's folder and name them without a path",
            )
    missing = [
        name
        for name in dict.fromkeys(entries.values())
        if not os.path.exists(path.parent / name)  # noqa: PTH110 -- it raises nothing
    ]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise NetworkFileError(
            f"the shard {missing[0][:60]!r}{more} is missing",
            where=where,
            remedy="download every shard into the folder of the index",
        )
    return entries


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and len(value.encode(errors="replace")) <= LONGEST_NAME


def _check_index(
    expected: dict[str, str], tensors: dict[str, tuple[StoredTensor, str]], path: Path
) -> None:
    for name, file in expected.items():
        if name not in tensors or Path(tensors[name][1]).name != file:
            where = f"not in {file[:60]}, where the index places it"
            raise _damaged(f"tensor {name[:60]!r} is {where}", str(path))
    extra = next((name for name in tensors if name not in expected), None)
    if extra is not None:
        raise _damaged(
            f"tensor {extra[:60]!r} is in {tensors[extra][1]}, not in the index", str(path)
        )


def _header(path: Path) -> tuple[Header, int]:
    """Return a file's header, and the size of the file.

    Raises:
        NetworkFileError: the header does not fit the file.
    """
    where = str(path)
    with opened(path, Refusals(NetworkFileError)) as (file, size):
        return read_header(file, size, where, REMEDIES), size


def _part_of(tensor: StoredTensor) -> str:
    """Return the part of a model that a tensor's name indicates; ``other`` if none."""
    return next((part for part, known in PARTS if known.search(tensor.name)), "other")


def _damaged(what: str, where: str) -> NetworkFileError:
    return NetworkFileError(what, where=where, remedy=DAMAGED)
