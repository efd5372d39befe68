"""From an ONNX model to a network and its readout.

Rule: what was read is run against the model itself, by onnxruntime or by onnx's own evaluator, in
batches and row by row; a difference is a refusal with the row. A model of ours is read by its
record, where its graph is what is written for that record (:mod:`adderlab.nets.written_onnx`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from adderlab import limits
from adderlab.bits import to_bits
from adderlab.errors import ModelError, NetworkFileError
from adderlab.limits import Budget, ending, within
from adderlab.nets.argmax import is_argmax, with_readout
from adderlab.nets.network import Network
from adderlab.nets.onnx.calls import calls_of
from adderlab.nets.onnx.module import GraphModule
from adderlab.nets.onnx.parsing import parse
from adderlab.nets.onnx.runtime import Runtime
from adderlab.nets.onnx.wire import check_wire
from adderlab.nets.readout import ReadoutLike
from adderlab.nets.tracing import ReadModule
from adderlab.nets.tracing.checks import Shows, difference
from adderlab.nets.tracing.reading import read_calls
from adderlab.nets.written_onnx import KEY, Expectation, RowRun, arithmetic_form, network_in
from adderlab.packages import check_installed
from adderlab.reading import Refusals, read_file
from adderlab.tasks import TaskLike, as_task

LARGEST_BYTES: Final = 1 << 30
"""Of a model's file; what its folder holds beside it is read where it is needed."""

ALL_ROWS_UP_TO: Final = 10
"""Inputs up to which every row is compared."""

SOME_ROWS: Final = 256
"""Rows that are compared otherwise: no bit, each bit alone, all but one, all; then random ones."""

SLACK: Final = 64.0
"""How much coarser a runtime's curves may be than PyTorch's: onnxruntime's are rational."""

UNREAD: Final = Refusals(NetworkFileError, too_large="take something smaller", ending=".onnx")


def from_onnx(
    path: str | Path,
    task: TaskLike | None = None,
    *,
    output: int | str | None = None,
    readout: ReadoutLike | None = None,
) -> Network:
    """Return the network that an ONNX model computes, with its readout.

    Each operator is computed with PyTorch as ONNX defines it, and what PyTorch runs is read as
    it is of a module: exactly, or enclosed. The reading is then compared with the model itself,
    run by onnxruntime where it is installed, else by onnx's reference evaluator.

    Args:
        path: the model's file; weights may lie in other files of its folder.
        task: what the network is meant to compute; it names the words of the inputs.
        output: of several outputs, the one that is meant, by place or name; all of them joined
            unless given.
        readout: how outputs become bits, or ``argmax``; the comparison at the model's end, else
            ``> 0.5``.

    Raises:
        NetworkFileError: the file is no ONNX model, is damaged, or holds numbers that are not
            finite or files outside its folder.
        ModelError: an opset or operator is not read, named with its node; or the model and the
            network that was read differ.
        DependencyError: the package ``onnx`` is not installed.
    """
    own_task = None if is_argmax(readout) else task  # the outputs are not yet the task's
    with within(Budget.of()), ending(f"{path} was read", "from_onnx"):
        data = read_file(path, LARGEST_BYTES, UNREAD)
        net = read_onnx(data, str(path), own_task, output=output).network
    known = None if task is None else as_task(task)
    return net if readout is None else with_readout(net, readout, known)


def read_onnx(
    data: bytes, path: str, task: TaskLike | None = None, *, output: int | str | None = None
) -> ReadModule:
    """Return the network in a model's bytes, with notes on how it was read.

    Args:
        data: the file.
        path: where it is.
        task: what the network is meant to compute.
        output: of several outputs, the one that is meant.

    Raises:
        As of :func:`from_onnx`.
    """
    task = as_task(task) if task is not None else None
    own, note = _recorded(data, path) if output is None else (None, "")
    if own is not None:
        return own
    graph = parse(data, path, output)
    try:
        # the task's number of bits need not be the model's: then the network is read without it
        call, network, shows, notes = read_calls(
            lambda call: GraphModule(graph, is_one_row=call.is_one_row), calls_of(graph, task), task
        )
    except ModelError as error:
        where = error.where if error.where.startswith(path) else path
        raise ModelError(error.what, where=where, remedy=error.remedy) from None
    runtime = Runtime(graph, call)
    notes = (*notes, *_check(runtime, network, shows))
    opset = f"ONNX opset {graph.opset}; compared with {runtime.name}"
    return ReadModule(network, tuple(dict.fromkeys((opset, *([note] if note else []), *notes))))


def _recorded(data: bytes, path: str) -> tuple[ReadModule | None, str]:
    """Return the network whose record a model of ours holds, or why it is read as any other."""
    if KEY.encode() not in data:
        return None, ""
    check_installed("onnx")
    import onnx

    check_wire(data, onnx.ModelProto.DESCRIPTOR, path)
    limits.check(10 * len(data))
    try:
        model = onnx.ModelProto.FromString(data)
    except Exception:  # noqa: BLE001 -- protobuf's own; the parser of all models names it
        return None, ""
    network, what = network_in(model, path)
    if network is None:
        return None, f"its record is not that of its graph, and is left out: {what}" if what else ""
    rows, run = _rows(network.n_in), RowRun(model, network.n_out)
    expectation = Expectation(network, arithmetic_form(network))
    for own in (rows, rows[:1]):
        limits.check()
        outputs = run.outputs(own)
        if outputs is None:
            continue
        wrong = expectation.of(own).wrong(outputs)
        if wrong.any():
            row = int(np.argmax(wrong.any(axis=1)))
            raise ModelError(
                f"{run.session.name} gives {outputs.raw[row].tolist()} on input bits "
                f"{','.join(map(str, own[row].tolist()))}, which the layers in it do not",
                where=path,
                remedy="please report it",
            )
    compared = f"compared with {run.session.name}" if run.session.name else "not run by anything"
    opset = f"ONNX opset {model.opset_import[0].version}, written by adderlab; {compared}"
    return ReadModule(network, (opset,)), ""


def _check(runtime: Runtime, network: Network, shows: Shows) -> tuple[str, ...]:
    """Compare a network with the model, and return notes."""
    rows = _rows(network.n_in)
    notes: tuple[str, ...] = ()
    for batch in (len(rows), 1):
        limits.check()
        own = rows if batch > 1 else rows[:SOME_ROWS]
        outputs = runtime.outputs(own, batch)
        text, note = difference(network, own, outputs, shows, who=runtime.name, slack=SLACK)
        if text:
            raise ModelError(
                f"the model does something that was not read: {text}",
                where=runtime.graph.where,
                remedy="please report it",
            )
        notes += (note,) if note else ()
    return notes


def _rows(n_in: int) -> Any:
    if n_in <= ALL_ROWS_UP_TO:
        return to_bits(np.arange(1 << n_in), n_in)
    rows = np.random.default_rng(0).integers(0, 2, (SOME_ROWS, n_in), dtype=np.uint8)
    single = np.eye(n_in, dtype=np.uint8)[: SOME_ROWS // 4]
    edges = [np.zeros((1, n_in), np.uint8), np.ones((1, n_in), np.uint8), single, 1 - single]
    return np.concatenate([*edges, rows])
