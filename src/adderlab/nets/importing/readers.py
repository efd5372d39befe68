"""The table of what is read: which reader a kind of file has.

Rule: a file is what its first bytes say (:mod:`adderlab.nets.file_kinds`), whatever its name; each
reader is loaded when a file of its kind is met, so that a network file of ours loads none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from adderlab.nets.file_kinds import ARCHIVE, CHECKPOINT, JSON, ONNX, FileKind
from adderlab.nets.importing.network_file import Imported, NetworkFile
from adderlab.tasks import TaskLike

Reader: TypeAlias = Callable[[bytes, NetworkFile, TaskLike | None, int | str | None], Imported]
"""What makes a network of a file's bytes; told its task and the output that is meant."""


def _onnx(
    data: bytes, file: NetworkFile, task: TaskLike | None, output: int | str | None
) -> Imported:
    from adderlab.nets.onnx import read_onnx

    file.refuse_layers(ONNX.name)
    graph = read_onnx(data, str(file), task, output=output)
    return Imported(graph.network, graph.notes)


def _json(data: bytes, file: NetworkFile, *_: object) -> Imported:
    from adderlab.nets.importing.json_layers import read_json

    return read_json(data, file)


def _npz(data: bytes, file: NetworkFile, *_: object) -> Imported:
    from adderlab.nets.importing.numpy_archive import read_npz

    return read_npz(data, file)


def _checkpoint(data: bytes, file: NetworkFile, *_: object) -> Imported:
    from adderlab.nets.importing.checkpoint import read_checkpoint

    return read_checkpoint(data, file)


READERS: Final[Mapping[FileKind, Reader]] = {
    ONNX: _onnx,
    JSON: _json,
    ARCHIVE: _npz,
    CHECKPOINT: _checkpoint,
}
"""Every kind that is read beside safetensors, which :mod:`adderlab.nets.sources` reads first."""
