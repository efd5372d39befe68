"""From a module's ``forward`` to a network and its readout.

Rule: a module is never judged under a readout that it does not have, and what was read is run
against the module before it is handed out.
"""

from __future__ import annotations

import math
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from adderlab.bits import to_bits
from adderlab.errors import ModelError, NetworkError
from adderlab.limits import CapReached
from adderlab.nets.network import Network
from adderlab.nets.readout import Readout
from adderlab.nets.tensors import FLOAT_DTYPES
from adderlab.nets.tracing.calls import Call, calls_of, outputs_of
from adderlab.nets.tracing.checks import Shows, check_agrees, check_module
from adderlab.nets.tracing.declared import as_declared, declared_in
from adderlab.nets.tracing.nodes import Node, Nodes, layers_of
from adderlab.nets.tracing.operations import TABLE
from adderlab.nets.tracing.places import begin, first_line, place_of
from adderlab.nets.tracing.recorder import READABLE, Escapes, Recorder
from adderlab.nets.tracing.state import untouched
from adderlab.tasks import TaskLike, as_task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from adderlab.tasks import Task

AnyCall = TypeVar("AnyCall", bound=Call)

ALL_ROWS_UP_TO: Final = 6
"""Inputs up to which the module is run on every row."""

SOME_ROWS: Final = 32
"""Rows that it is run on otherwise."""

RAW: Final = "forward gives raw outputs; judged by > 0.5"

FORMATS: Final = {
    torch.float64: "fp64",
    torch.float32: "fp32",
    torch.float16: "fp16",
    torch.bfloat16: "bf16",
}
"""The number formats of PyTorch's types."""


@dataclass(frozen=True, slots=True)
class ReadModule:
    """A network that was read from a module.

    Attributes:
        network: the layers, with the module's own numbers, and the readout.
        notes: what a person should know of how it was read, one sentence each.
    """

    network: Network
    notes: tuple[str, ...]


def from_module(
    model: nn.Module, *, task: TaskLike | None = None, output: int | str | None = None
) -> ReadModule:
    """Return the network that a module's ``forward`` computes, with its readout.

    The module is run in eval mode on rows of bits, and each of PyTorch's operations is kept as a
    layer: Linear and other products with constants, sums, the activations, comparisons, the
    choice of the largest; whatever moves numbers is followed exactly. A comparison at the end
    becomes the readout, with its convention and with the threshold that PyTorch effectively
    compares with. Without a comparison the readout is ``> 0.5``, and a note says so.

    The module is left as it was: weights, gradients, hooks, training flag and random state.

    Args:
        model: any module that maps a batch of bits to a batch of outputs.
        task: what the network is meant to compute; it names the words of the arguments.
        output: of a forward that returns several, the one that is meant, by place or key; all of
            them joined unless given.

    Raises:
        ModelError: the forward does what can't be read, named with its line; or the module and
            the network that was read differ.
        TaskError: the task has another number of bits.

    Examples:
        >>> from_module(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))).notes
        ('forward gives raw outputs; judged by > 0.5',)
    """
    model = _unwrapped(model)
    check_module(model)
    declared = declared_in(model)
    task = as_task(task) if task is not None else declared.task
    try:
        call, network, shows, notes = _read(model, task, output)
    except _FailedError:
        if task is None:
            raise
        call, network, shows, notes = _read(model, None, output)
        _ = network.for_task(task)  # raises, since the module takes another number of bits
    reader = _Reader(model, call, task, output)
    for seed in range(1 if call.n_in <= ALL_ROWS_UP_TO else 2):
        with untouched(model):
            rows = _rows(call.n_in, seed)
            notes += check_agrees(model, network, rows, reader.outputs(rows), shows)
    network, note = as_declared(model, network, declared, shows_values=shows == "values")
    notes = (*(text for text in notes if not (declared.is_exact and text == RAW)), note)
    notes = tuple(text for text in notes if text)
    return ReadModule(network, tuple(dict.fromkeys(notes)))


def _unwrapped(model: Any) -> Any:
    """Return the module that ``torch.compile`` wraps."""
    inner = vars(model).get("_modules", {}) if isinstance(model, nn.Module) else {}
    return inner.get("_orig_mod", model)


def _read(
    model: nn.Module, task: Task | None, output: int | str | None
) -> tuple[Call, Network, Shows, tuple[str, ...]]:
    return read_calls(lambda _: model, calls_of(model, task), task, output)


def read_calls(
    module_of: Callable[[AnyCall], nn.Module],
    calls: Iterable[AnyCall],
    task: Task | None,
    output: int | str | None = None,
) -> tuple[AnyCall, Network, Shows, tuple[str, ...]]:
    """Return the first way of calling a module that can be read, and what was read.

    Args:
        module_of: gives the module for a way of calling it.
        calls: the ways, the likeliest first.
        task: what the network is meant to compute.
        output: of several outputs, the one that is meant.

    Raises:
        ModelError: why the first way can't.
    """
    refused: ModelError | None = None
    name = ""
    for call in calls:
        is_refused = refused is not None and not isinstance(refused, _FailedError)
        if is_refused and not call.is_plain:
            break
        model = module_of(call)
        name = type(model).__name__
        reader = _Reader(model, call, task, output)
        try:
            with untouched(model):
                _check_runs(model, call)
            with untouched(model):
                return call, *reader.read(_rows_of(call))
        except _FailedError as error:
            refused = refused or error
        except ModelError as error:  # rows are mixed, say, where the width was a wrong guess
            refused = error if refused is None or isinstance(refused, _FailedError) else refused
    raise refused or ModelError("it can't be called", where=name, remedy=READABLE)


class _FailedError(ModelError):
    """The module can't be called so."""


def _check_runs(model: nn.Module, call: Call) -> None:
    before = torch.get_rng_state()
    bits = torch.from_numpy(_rows_of(call)).to(_dtype(model))
    try:
        _ = begin(model, *call.arguments(bits))
    except (ModelError, CapReached):
        raise
    except Exception as error:
        raise _failed(model, call, bits, error) from error
    if not torch.equal(before, torch.get_rng_state()):
        raise ModelError(
            "its forward draws random numbers",
            where=type(model).__name__,
            remedy="a network gives the same bits for the same input every time",
        )


def _failed(model: nn.Module, call: Call, bits: Tensor, error: Exception) -> _FailedError:
    shapes = " and ".join(str(list(part.shape)) for part in call.arguments(bits))
    frames = reversed(list(traceback.walk_tb(error.__traceback__)))
    return _FailedError(
        f"its forward fails on rows of shape {shapes} in {str(bits.dtype).removeprefix('torch.')} "
        f"({type(error).__name__}: {first_line(error)})",
        where=place_of(frames) or type(model).__name__,
        remedy="make model(x) work for x of shape (batch, bits)",
    )


def _dtype(model: nn.Module) -> torch.dtype:
    """Return the type of a module's numbers: that of its first parameter of a float type."""
    declared = declared_in(model).dtype
    if declared in FORMATS:
        return declared
    tensors = (*model.parameters(), *model.buffers())
    return next((tensor.dtype for tensor in tensors if tensor.dtype in FORMATS), torch.float32)


def _rows(n_in: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """Return the rows that the module is run on."""
    if n_in <= ALL_ROWS_UP_TO:
        return to_bits(np.arange(1 << n_in), n_in)
    rows = np.random.default_rng(seed).integers(0, 2, (SOME_ROWS, n_in), dtype=np.uint8)
    rows[:2] = [[0] * n_in, [1] * n_in]
    return rows


def _rows_of(call: Call) -> np.ndarray[Any, Any]:
    """Return the rows that a module is read on, as many as it takes."""
    rows = _rows(call.n_in)
    return rows if call.batch is None else np.resize(rows, (call.batch, call.n_in))


@dataclass(frozen=True, slots=True)
class _Reader:
    """A module with the way to call it."""

    model: nn.Module
    call: Call
    task: Task | None
    output: int | str | None

    def _tensors(self, result: Any, rows: int) -> tuple[list[Tensor], str]:
        return outputs_of(result, rows, self.output, self.task and self.task.n_out)

    def outputs(self, rows: np.ndarray[Any, Any]) -> Tensor:
        """Return what the module gives on rows of bits, (batch, outputs)."""
        bits = torch.from_numpy(rows).to(_dtype(self.model))
        tensors, _ = self._tensors(begin(self.model, *self.call.arguments(bits)), len(rows))
        return torch.cat([tensor.reshape(len(rows), -1).double() for tensor in tensors], dim=1)

    def read(self, rows: np.ndarray[Any, Any]) -> tuple[Network, Shows, tuple[str, ...]]:
        """Return the network, what the module's outputs show of it, and notes."""
        dtype = _dtype(self.model)
        name = FORMATS[dtype]
        n_in = self.call.n_in
        rec = Recorder(len(rows), Nodes(n_in, FLOAT_DTYPES[name], name), TABLE)
        codes = torch.arange(n_in)[None] * len(rows) + torch.arange(len(rows))[:, None]
        arguments = self.call.arguments(torch.from_numpy(rows).to(dtype))
        for argument, own in zip(arguments, self.call.arguments(codes), strict=True):
            rec.memory.write(argument, own)
        try:
            with rec, Escapes(rec):
                result = begin(self.model, *arguments)
        finally:
            if rec.refused is not None:
                raise rec.refused from None
        tensors, note = self._tensors(result, len(rows))
        units = [unit for tensor in tensors for unit in _units_of(rec, tensor)]
        try:
            network, shows, notes = _network(rec, units, self.task)
        except NetworkError as error:
            where = type(self.model).__name__
            raise ModelError(error.what, where=where, remedy=error.remedy) from error
        unused = [
            name
            for name, parameter in self.model.named_parameters()
            if parameter.untyped_storage().data_ptr() not in rec.seen
        ]
        if unused:
            rec.note(f"{unused[0]} is never used in forward")
        texts = (self.call.note, *rec.notes, note, *notes)
        return network, shows, tuple(text for text in texts if text)


def _units_of(rec: Recorder, tensor: Tensor) -> list[int]:
    """Return the units of a row of outputs, in the order of memory.

    Raises:
        ModelError: a number of them is no value of the batch.
    """
    codes = rec.memory.codes(tensor)
    if not bool((codes >= 0).any()):
        raise ModelError(
            "its forward returns something computed without the batch",
            where="forward",
            remedy="return the outputs of the layers",
        )
    rows = torch.arange(rec.rows)
    is_batch = codes.ndim > 0 and len(codes) == rec.rows
    own = codes.reshape(rec.rows, -1) if is_batch else codes.reshape(1, -1)
    of_row = torch.where(own >= 0, own % rec.rows, rows[: len(own), None])
    units = torch.where(own >= 0, own // rec.rows, own)
    if not is_batch or bool((of_row != rows[:, None]).any() or (units != units[0]).any()):
        raise ModelError(
            f"its forward returns shape {list(tensor.shape)} for {rec.rows} rows, and not a row of "
            "outputs for each",
            where="forward",
            remedy="return a tensor of shape (batch, outputs)",
        )
    return [
        unit if unit >= 0 else rec.constant_unit(rec.memory.value_of(unit))
        for unit in units[0].tolist()
    ]


def _network(
    rec: Recorder, units: list[int], task: Task | None
) -> tuple[Network, Shows, tuple[str, ...]]:
    """Return the network of some units, what they show of it, and notes on how they are read."""
    ends = _bits_of_classes(rec, units)
    rec.check_readable(ends)
    readout, sources, notes = _readout(rec, ends)
    shows: Shows = "values" if sources == ends else "bits"
    shows = "number" if ends != units else shows
    if not _are_whole(rec.nodes, sources):
        columns = rec.distinct(sources)
        first = rec.nodes.add(Node(columns))
        sources = list(range(first, first + len(columns)))
    layers, outputs = layers_of(rec.nodes, sources)
    return Network(layers, readout, task, rec.nodes.format, outputs=outputs), shows, notes


def _are_whole(nodes: Nodes, units: list[int]) -> bool:
    """Return whether units are all those of some nodes, one node after another."""
    numbers = list(dict.fromkeys(nodes.place_of(unit)[0] for unit in units))
    return -1 not in numbers and units == [u for number in numbers for u in nodes.all_of(number)]


def _bits_of_classes(rec: Recorder, units: list[int]) -> list[int]:
    """Return the units; in place of the number of the largest of several, its bits."""
    if len(units) != 1 or units[0] not in rec.classes or len(rec.classes[units[0]]) <= 2:
        return units
    classes = rec.classes[units[0]]
    width = math.ceil(math.log2(len(classes)))
    rec.note(f"the number of the largest of {len(classes)} is read as a word of {width} bits")
    terms = [
        [(unit, 1.0) for number, unit in enumerate(classes) if number >> bit & 1]
        for bit in reversed(range(width))
    ]
    return rec.rows_of_terms(terms, None, is_bits=True)


def _readout(rec: Recorder, units: list[int]) -> tuple[Readout, list[int], tuple[str, ...]]:
    """Return how outputs become bits, the units that are read, and notes."""
    compared = [_comparison(rec.nodes, unit) for unit in units]
    known = {(entry[1], entry[2]) for entry in compared if entry is not None}
    if None not in compared and len(known) == 1:
        ((threshold, convention),) = known
        sources = [entry[0] for entry in compared if entry is not None]
        return Readout("threshold", threshold, convention), sources, ()
    if all(rec.nodes.is_bit(unit) for unit in units):
        return Readout(), units, ()
    kinds = {node.activation.kind for unit in units if (node := rec.nodes.node_of(unit))}
    what = "a sigmoid" if kinds == {"sigmoid"} else ""
    text = f"forward ends in {what}; judged by > 0.5" if what else RAW
    return Readout(), units, (text,)


def _comparison(nodes: Nodes, unit: int) -> tuple[int, float, Any] | None:
    """Return what a unit compares, with what, and how ties count; ``None`` for no comparison."""
    node, (_, at) = nodes.node_of(unit), nodes.place_of(unit)
    if node is None or node.activation.kind != "step" or node.weight is not None:
        return None
    source = node.columns[at]
    if nodes.is_bit(source):
        return None
    threshold = 0.0 if node.bias is None else -float(node.bias[at])
    return source, threshold, node.activation.convention
