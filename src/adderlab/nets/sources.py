"""What a verb may be given: a network, the path of its file, or a PyTorch module."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from adderlab.errors import ModelError, TaskError
from adderlab.nets.file_kinds import is_onnx
from adderlab.nets.files import from_bytes, read_bytes, sha256, task_in, to_bytes
from adderlab.nets.network import Network
from adderlab.tasks import Task, TaskLike, as_task
from adderlab.tasks.order import Names, Order, in_order

if TYPE_CHECKING:
    from torch import nn


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
    model: Network | str | Path | nn.Module,
    task: TaskLike | None = None,
    *,
    output: int | str | None = None,
) -> Source:
    """Return the network in whatever a verb was given.

    Args:
        model: a network, what holds one, the path of its file, or a PyTorch module.
        task: what it is meant to compute; of a module or an ONNX model it says how to call it.
        output: of one that returns several outputs, the one that is meant.

    Raises:
        NetworkFileError: the file is not a network.
        ModelError: neither a network, a path nor a module, or a module that can't be read.
    """
    if isinstance(model, Network):
        return Source.of(model, to_bytes(model))
    inner = getattr(model, "network", None)
    if isinstance(inner, Network):  # what `build` and `train` return
        return Source.of(inner, to_bytes(inner))
    if isinstance(model, str | Path):
        return Source.of(*_in_file(model, task, output))
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


def load(path: str | Path) -> Network:
    """Return the network in a file: one of ours, or an ONNX model.

    Raises:
        NetworkFileError: the file is missing, truncated, of no kind that is read, of another
            schema, or says one thing and holds another; pickled files are refused unread.
        ModelError: an ONNX model does what is not read.
    """
    net, _, _ = _in_file(path, None, None)
    return net


def _in_file(
    path: str | Path, task: TaskLike | None, output: int | str | None
) -> tuple[Network, bytes, tuple[str, ...]]:
    """Return the network in a file, the file's bytes, and what had to be assumed."""
    data = read_bytes(path)
    if is_onnx(data, str(path)):
        from adderlab.nets.onnx import read_onnx

        graph = read_onnx(data, str(path), task, output=output)
        return graph.network, data, graph.notes
    return from_bytes(data, where=str(path)), data, ()


def recorded_task(model: Network | str | Path | nn.Module) -> Task | None:
    """Return the task of a network, of a file's by its header alone; ``None`` where it has none."""
    inner = getattr(model, "network", model)
    if isinstance(inner, Network):
        return inner.task
    return task_in(model) if isinstance(model, str | Path) else None


def ordered_task(
    model: Network | str | Path | nn.Module,
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
