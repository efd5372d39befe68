"""What a verb may be given: a network, the path of its file, or a PyTorch module."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from adderlab.errors import ModelError, TaskError
from adderlab.nets.activations import Activation
from adderlab.nets.argmax import is_argmax, with_readout
from adderlab.nets.file_kinds import FileKind, kind_in
from adderlab.nets.files import (
    KEY,
    from_bytes,
    header_of,
    read_bytes,
    sha256,
    task_in,
    tensors_of,
    to_bytes,
)
from adderlab.nets.importing import Imported, NetworkFile
from adderlab.nets.importing.readers import READERS
from adderlab.nets.network import Network
from adderlab.nets.readout import ReadoutLike
from adderlab.tasks import Task, TaskLike, as_task, table_path
from adderlab.tasks.order import Names, Order, in_order

if TYPE_CHECKING:
    from torch import nn

_UNKNOWN: Final = FileKind("")
"""What has no reader of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A network with the bytes that stand for it.

    Attributes:
        network: what was read.
        data: the bytes of its file; of a network in memory, those that saving it would write.
        sha256: the hash of the bytes.
        notes: what had to be assumed in reading it.
    """

    network: Network
    data: bytes
    sha256: str
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, network: Network, data: bytes, notes: tuple[str, ...] = ()) -> Source:
        """Return a network with its bytes, hashed."""
        return cls(network, data, sha256(data), notes)


def read_source(
    model: Network | Source | str | Path | NetworkFile | nn.Module,
    task: TaskLike | None = None,
    *,
    output: int | str | None = None,
    readout: ReadoutLike | None = None,
) -> Source:
    """Return the network in whatever a verb was given.

    Args:
        model: a network, what holds one, the path of its file, or a PyTorch module; a source, which
            is returned as it is.
        task: what it is meant to compute; of a module or an ONNX model it says how to call it.
        output: of one that returns several outputs, the one that is meant.
        readout: how outputs become bits, or ``argmax``; the network's own unless given. The hash
            stays that of what was given.

    Raises:
        NetworkFileError: the file is not a network.
        NetworkError: ``readout`` is none.
        ModelError: neither a network, a path nor a module, or a module that can't be read.
    """
    if readout is not None:
        known = None if task is None else as_task(task)
        source = read_source(model, None if is_argmax(readout) else known, output=output)
        return replace(source, network=with_readout(source.network, readout, known))
    if isinstance(model, Source):
        return model
    if isinstance(model, Network):
        return Source.of(model, to_bytes(model))
    inner = getattr(model, "network", None)
    if isinstance(inner, Network):  # what `build` and `train` return
        return Source.of(inner, to_bytes(inner))
    if isinstance(model, str | Path | NetworkFile):
        file = model if isinstance(model, NetworkFile) else NetworkFile(model)
        data, imported = _in_file(file, task, output)
        return Source.of(imported.network, data, imported.notes)
    if isinstance(model, Mapping | list):  # pasted weights
        from adderlab.nets.state_dict import from_lists

        net = from_lists(model)
        note = f"plain weights: read as {net.layers[0].activation} layers, readout {net.readout}"
        return Source.of(net, to_bytes(net), (note,))
    torch = sys.modules.get("torch")  # a module can only come from a torch already imported
    if torch is not None and isinstance(model, torch.nn.Module):
        from adderlab.nets.tracing import from_module

        read = from_module(model, task=task, output=output)
        return Source.of(read.network, to_bytes(read.network), read.notes)
    raise ModelError(
        f"an object of type {type(model).__name__} is no network",
        where="model",
        remedy="give a Network, the path of its file, or a torch.nn.Module",
    )


def load(
    path: str | Path | NetworkFile,
    *,
    layers: str | Sequence[int] | None = None,
    activation: str | Activation | Sequence[str | Activation] | None = None,
    readout: ReadoutLike | None = None,
    netlist: str | Path | Mapping[str, Any] | None = None,
) -> Network:
    """Return the network in a file: one of ours, an ONNX model, or one of weights alone.

    Weights alone are read from safetensors, ``.npz``, ``.json`` and PyTorch's ``.pt``; what such a
    file does not say, the arguments do. Every verb takes a path as well, or, with such arguments,
    a :class:`NetworkFile`.

    Args:
        path: of the file.
        layers: the sizes from input to output, ``(2, 3, 2)`` or ``"2,3,2"``.
        activation: between the layers, or one for each of them; relu unless given.
        readout: how outputs become bits, whatever the file says.
        netlist: which gate reads which: the path of a JSON file, or what is in it.

    Raises:
        NetworkFileError: the file is missing, truncated, of no kind that is read, of another
            schema, or says one thing and holds another; pickled objects are refused unread.
        NetworkError: an argument is none that goes with the file.
        ModelError: an ONNX model does what is not read.
    """
    file = path if isinstance(path, NetworkFile) else NetworkFile(path)
    options = {"layers": layers, "activation": activation, "readout": readout, "netlist": netlist}
    file = replace(file, **{name: value for name, value in options.items() if value is not None})
    _, imported = _in_file(file, None, None)
    return imported.network


def _in_file(
    file: NetworkFile, task: TaskLike | None, output: int | str | None
) -> tuple[bytes, Imported]:
    """Return the bytes of a file and the network in it."""
    data = read_bytes(file.path)
    return data, read_data(data, file, task, output)


def read_data(
    data: bytes,
    file: NetworkFile,
    task: TaskLike | None = None,
    output: int | str | None = None,
) -> Imported:
    """Return the network in the bytes of a file; no path is opened.

    Args:
        data: the bytes.
        file: the name that they go by, and what they do not say themselves.
        task: what the network is meant to compute.
        output: of an ONNX model that returns several outputs, the one that is meant.

    Raises:
        NetworkFileError: they are of no kind that is read, damaged, or say one thing and hold
            another.
    """
    where = str(file)
    known = None if task is None else as_task(task)
    own_task = None if is_argmax(file.readout) else known  # the outputs are not yet the task's
    reader = READERS.get(kind_in(data, where) or _UNKNOWN)
    if reader is not None:
        imported = reader(data, file, own_task, output)
    else:
        header = header_of(data, where)
        if KEY in header.metadata:
            file.refuse_layers("a network file")
            imported = Imported(from_bytes(data, where=where))
        else:
            from adderlab.nets.importing.named_arrays import network_of_arrays

            tensors = tensors_of(data, header, where)
            imported = network_of_arrays(tensors, file, keeps_order=False)
    if file.readout is not None:
        net = with_readout(imported.network, file.readout, known)
        imported = replace(imported, network=net)
    return imported


def paths_of(model: object, task: object) -> tuple[str | Path, ...]:
    """Return the files that are read: a network's, its netlist, the table of a task."""
    file = NetworkFile(model) if isinstance(model, str | Path) else model
    own = (file.path, file.netlist) if isinstance(file, NetworkFile) else ()
    return tuple(path for path in (*own, table_path(task)) if isinstance(path, str | Path))


def recorded_task(model: Network | Source | str | Path | nn.Module) -> Task | None:
    """Return the task of a network, of a file's by its header alone; ``None`` where it has none."""
    inner = getattr(model, "network", model)
    if isinstance(inner, Network):
        return inner.task
    path = model.path if isinstance(model, NetworkFile) else model
    return task_in(path) if isinstance(path, str | Path) else None


def ordered_task(
    model: Network | Source | str | Path | nn.Module,
    task: TaskLike | None,
    *,
    bits: str | None,
    inputs: Names,
    outputs: Names,
) -> TaskLike | None:
    """Return the task with its bits in the order in which a network takes and gives them.

    Where no order is asked for, the task is returned as it was given.

    Raises:
        TaskError: no task is known, or it has no such bits.
    """
    order = Order(bits or "", inputs, outputs)
    if not order:
        return task
    known = as_task(task) if task is not None else recorded_task(model)
    if known is None:
        raise TaskError(
            "no task is known whose bits could have an order",
            where=next(iter(order.to_dict()), "bits"),
            remedy="name it with `task`",
        )
    return in_order(known, order)


def task_of(net: Network, task: TaskLike | None) -> Task:
    """Return the task to hold the network against, checked to fit it.

    Raises:
        TaskError: none is named, there is none of that name, or it does not fit.
    """
    if task is None:
        if net.task is None:
            raise TaskError(
                "the network names no task", where="task", remedy="name one: `task` half-adder"
            )
        return net.task
    named = as_task(task)
    net.check_fits(named)
    return named
