"""The headers of safetensors files: what is in them, without reading a single weight.

Rule: a header is checked against the size of its file, so a truncated shard is detected
without reading it; and an index may name files of its own folder alone.

References:
    safetensors format, https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final

from adderlab.counting.adapters import read_adapter
from adderlab.counting.beside import read_beside
from adderlab.counting.config_keys import read_json
from adderlab.counting.gguf import count_gguf
from adderlab.counting.gguf_header import is_gguf
from adderlab.counting.model_count import ModelCount
from adderlab.counting.tensor_count import count_tensors
from adderlab.errors import NetworkFileError, OptionError
from adderlab.nets.header import Header, Remedies, StoredTensor, read_header
from adderlab.reading import Refusals, opened

LARGEST_INDEX_BYTES: Final = 100 << 20
LONGEST_NAME: Final = 255
"""Bytes of a file's name; no file system takes more."""
DAMAGED: Final = "download the file again"
TAKE: Final = "take the .safetensors files of the model"
REMEDIES: Final = Remedies(pickled=TAKE, arrays=TAKE, other=TAKE, damaged=DAMAGED)


def count_safetensors(
    paths: Sequence[str | Path] | str | Path, *, training: str | None = None
) -> ModelCount:
    """Return the size of what safetensors or GGUF files hold, from their headers alone.

    Args:
        paths: files, the shards of one model; or one index (``….index.json``), whose shards
            are in its folder. A ``config.json`` or ``adapter_config.json`` in the folder of the
            first says how packed weights are to be read.
        training: an optimizer, to add the memory of training.

    Raises:
        NetworkFileError: a file is missing, truncated or damaged, is named by an index
            although it is in another folder, or holds a tensor that is in another file too.
        OptionError: no file is given, or no such optimizer.
    """
    files = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
    if not files:
        raise OptionError("no file is given", where="safetensors", remedy="name one or more")
    if any(is_gguf(file) for file in files):
        return count_gguf(files, training=training)
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
    stored = [tensor for tensor, _ in tensors.values()]
    beside = read_beside(files[0].parent)
    adapter = read_adapter(files[0].parent, stored)
    return count_tensors(
        stored, files, file_bytes, beside=beside, adapter=adapter, training=training
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
    with opened(path, Refusals(NetworkFileError, ending=".safetensors")) as (file, size):
        return read_header(file, size, where, REMEDIES), size


def _damaged(what: str, where: str) -> NetworkFileError:
    return NetworkFileError(what, where=where, remedy=DAMAGED)
