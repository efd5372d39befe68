"""From a module's ``forward`` to a network and its readout.

Rule: a module is never judged under a readout that it does not have, and what was read is run
against the module before it is handed out.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import fx, nn

from adderlab.bits import to_bits
from adderlab.errors import ModelError
from adderlab.nets.network import Network
from adderlab.nets.readout import Readout
from adderlab.nets.state_dict import FORMAT_OF
from adderlab.nets.tensors import Dense
from adderlab.nets.tracing.checks import check_agrees, check_module
from adderlab.nets.tracing.graph import Root, attribute, module_name, place, run, trace, untouched
from adderlab.nets.tracing.operations import (
    OPERATIONS,
    READABLE,
    REMEDIES,
    SWAPPED,
    Call,
    Wire,
)
from adderlab.tasks import as_task

if TYPE_CHECKING:
    from adderlab.tasks import Task

ALL_ROWS_UP_TO = 6
"""Inputs up to which the network is compared with the module on every row."""
SOME_ROWS = 64
"""Rows of random bits that they are compared on otherwise."""


@dataclass(frozen=True, slots=True)
class ReadModule:
    """A network that was read from a module.

    Attributes:
        network: the layers, with the module's own numbers, and the readout.
        notes: what a person should know of how it was read, one sentence each.
    """

    network: Network
    notes: tuple[str, ...]


def from_module(model: nn.Module, *, task: Task | str | None = None) -> ReadModule:
    """Return the network that a module's ``forward`` computes, with its readout.

    The forward is traced with :mod:`torch.fx` in eval mode and must be one chain of layers:
    Linear, relu, leaky relu, tanh and step in their spellings, and comparisons with a constant.
    A comparison at the end becomes the readout, with its convention and with the threshold that
    PyTorch effectively compares with; one that more layers follow, a step activation. A sigmoid
    is read at the end alone: ``sigmoid(y) > 0.5`` is ``y > 0``. Without a comparison the readout
    is ``> 0.5`` of the raw outputs (``> 0`` of those before a final sigmoid), and a note says so.

    The module is left as it was: weights, gradients, hooks, training flag and random state. No
    other thread may run a module meanwhile: torch.fx replaces the call of all modules.

    Args:
        model: any module that maps (batch, bits) to (batch, bits).
        task: what the network is meant to compute.

    Raises:
        ModelError: the forward does what can't be read, named with its line; or the module and
            the network that was read differ.
        TaskError: the task has another number of bits.

    Examples:
        >>> from_module(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))).notes
        ('forward gives raw outputs; judged by > 0.5',)
    """
    task = as_task(task) if task is not None else None
    check_module(model)
    with untouched(model):
        root = Root(model)
        before = torch.get_rng_state()
        graph = trace(root)
        values = _values(graph, root)
        wire, x = _wire(graph, values), values[next(iter(graph.nodes))]
        if not torch.equal(before, torch.get_rng_state()):
            raise ModelError(
                "its forward draws random numbers",
                where=type(model).__name__,
                remedy="a network gives the same bits for the same input every time",
            )
        _check_all_used(graph, root)
    if wire.readout is not None:
        readout, notes = wire.readout, wire.notes
    elif wire.is_sigmoid:
        readout = Readout("threshold", 0.0, ">")
        notes = (*wire.notes, "forward ends in a sigmoid; judged by > 0 of what goes into it")
    else:
        readout = Readout()
        notes = (*wire.notes, "forward gives raw outputs; judged by > 0.5")
    weight = wire.layers[0].weight
    assert isinstance(weight, Dense)
    network = Network(wire.layers, readout, task, FORMAT_OF[weight.numbers.dtype])
    with untouched(model):
        notes += check_agrees(model, network, x, wire)
    return ReadModule(network, notes)


def _rows(n_in: int) -> np.ndarray[Any, Any]:
    """Return the rows that the module is run on."""
    if n_in <= ALL_ROWS_UP_TO:
        return to_bits(np.arange(1 << n_in), n_in)
    return np.random.default_rng(0).integers(0, 2, (SOME_ROWS, n_in), dtype=np.uint8)


def _values(graph: fx.Graph, root: Root) -> dict[fx.Node, Any]:
    """Return the value of each operation on the rows, whose width is found by trying.

    The first matrix that is used is likely to be a Linear's weight, (out, in).
    """
    tensors = [attribute(root, str(node.target)) for node in graph.nodes if node.op == "get_attr"]
    weights = [tensor for tensor in tensors if tensor.is_floating_point() and tensor.ndim == 2]
    refused = ModelError(
        "its forward uses no Linear layer", where=type(root.model).__name__, remedy=READABLE
    )
    widths = [weight.shape[axis] for axis in (1, 0) for weight in weights]
    for number, n_in in enumerate(dict.fromkeys(widths)):
        try:
            return run(graph, root, torch.from_numpy(_rows(n_in)).to(weights[0]))
        except ModelError as error:
            refused = refused if number else error
    raise refused


def _wire(graph: fx.Graph, values: dict[fx.Node, Any]) -> Wire:
    """Return what the forward computes from its batch, following it from operation to operation.

    Raises:
        ModelError: an operation can't be read, or they are not one chain.
    """
    wires: dict[fx.Node, Wire] = {}
    node: Any
    for node in graph.nodes:
        if node.op == "placeholder":
            wires[node] = Wire()
        elif node.op == "output":
            return _returned(node, wires)
        else:
            sources = [source for source in node.all_input_nodes if source in wires]
            wire = _step(node, sources, wires, values) if sources else None
            if wire is not None:
                wires[node] = wire
    raise AssertionError("a graph ends in its output")


def _step(
    node: Any, sources: list[fx.Node], wires: dict[fx.Node, Wire], values: dict[fx.Node, Any]
) -> Wire | None:
    """Return the wire after one operation; ``None`` if it carries no values of the batch."""
    name = node.target if node.op == "call_method" else node.target.__name__
    call = Call(name, place(node), values[sources[0]], values[node])
    kwargs = dict(node.kwargs)
    args = [kwargs.pop("input"), *node.args] if "input" in kwargs else list(node.args)
    if is_swapped := len(args) == 2 and args[1] is sources[0]:
        args.reverse()
    handler = (SWAPPED if is_swapped else OPERATIONS).get(node.target)
    if handler is None:
        raise call.refusal(f"{name} can't be read", REMEDIES.get(name, READABLE))
    if len(sources) > 1 or [i for i, arg in enumerate(args) if arg is sources[0]] != [0]:
        raise call.refusal(
            f"{name} is given the batch otherwise than as its first argument alone",
            "a network is one chain of layers; a comparison is written y > t",
        )
    rest = fx.map_arg(args[1:], values.__getitem__)
    options = fx.map_arg(kwargs, values.__getitem__)
    try:
        _ = inspect.signature(handler).bind(call, wires[sources[0]], *rest, **options)
    except TypeError as error:
        raise call.refusal(f"{name} can't be read with these arguments ({error})") from error
    return handler(call, wires[sources[0]], *rest, **options)


def _returned(output: Any, wires: dict[fx.Node, Wire]) -> Wire:
    """Return the wire that the forward returns, if every other leads to it."""
    result = output.args[0]
    if result not in wires:
        kind = type(result).__name__.removeprefix("immutable_")
        what = "something computed without the batch" if isinstance(result, fx.Node) else kind
        raise ModelError(
            f"its forward returns {what}", where="forward", remedy="return one tensor of outputs"
        )
    uses = {node: sum(u in wires or u is output for u in node.users) for node in wires}
    for node, count in sorted(uses.items(), key=lambda item: item[1]):  # the unused ones first
        if count != 1:
            what = "the input" if node.op == "placeholder" else "what is computed here"
            raise ModelError(
                f"{what} is used {count} times" if count else f"{what} is never used",
                where=place(node),
                remedy="a network is one chain: each result goes into the next operation alone",
            )
    wire = wires[result]
    if not wire.layers:
        raise ModelError("its forward uses no Linear layer", where="forward", remedy=READABLE)
    return wire


def _check_all_used(graph: fx.Graph, root: Root) -> None:
    used = {
        id(attribute(root, str(node.target)))
        for node in graph.nodes
        if node.op == "get_attr" and node.users
    }
    for name, parameter in root.named_parameters():
        if id(parameter) not in used:
            raise ModelError(
                f"{module_name(name)} is never used in forward",
                where=type(root.model).__name__,
                remedy="use the layer or remove it",
            )
