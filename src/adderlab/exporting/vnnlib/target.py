"""A network and its task as a question for other verifiers: can any row be wrong?

Rule: the property names every row of the task, and the model gives raw outputs, so that a verifier
needs nothing of ours. It is unsatisfiable just where the network is right in exact arithmetic
(:mod:`adderlab.exporting.vnnlib.conditions`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np

from adderlab import limits
from adderlab.errors import AdderlabError, NetworkError, TaskError
from adderlab.exporting.comparison import Comparison, Fact
from adderlab.exporting.networks import network_difference
from adderlab.exporting.onnx.target import REMEDY, describe, read_model
from adderlab.exporting.rows import row_text
from adderlab.exporting.subject import Files, Paths, Subject, in_comment
from adderlab.exporting.vnnlib.conditions import Wrong, wrong_outputs
from adderlab.exporting.vnnlib.text import Case, Property, parsed, property_text
from adderlab.formats import FORMATS
from adderlab.nets import Network
from adderlab.nets.evaluation import row_ends
from adderlab.nets.tensors import Dense, Tensor
from adderlab.nets.written_onnx import (
    Expectation,
    RowRun,
    arithmetic_form,
    graph_difference,
    model_of,
    recorded_in,
)
from adderlab.packages import check_installed

MOST_ROWS: Final = 1 << 12
"""Rows of a property, each of which stands in it."""

MODEL: Final = ".onnx"
FP32: Final = FORMATS["fp32"]


def write_vnnlib(subject: Subject) -> Files:
    """Return a property, and the model that it speaks of.

    Args:
        subject: what is written.

    Raises:
        DependencyError: the package ``onnx`` is not installed.
        NetworkError: fp32 does not hold the network.
        TaskError: the task has too many rows, or any output will do on all of them.
    """
    check_installed("onnx")
    task = subject.task
    what = property_of(subject)
    model = _model(subject)
    describe(model, subject)
    comments = (
        *subject.origin.lines(),
        "",
        f"The network is {in_comment(subject.name)}{MODEL}, which gives raw outputs.",
        "sat: there is a counterexample, a row on which an output is wrong.",
        f"unsat: it is right on all rows of {in_comment(task.name)}, in exact arithmetic.",
        f"X: {', '.join(task.input_bits)}",
        f"Y: {', '.join(task.output_bits)}",
        *_explained(wrong_outputs(subject.network), subject.network),
    )
    return {
        "": property_text(what, comments),
        MODEL: model.SerializeToString(deterministic=True),
    }


def _explained(wrong: tuple[Wrong, ...], net: Network) -> list[str]:
    """Return how ties are treated, in words."""
    if any(own.grid is None for own in wrong):
        return [
            f"An output {net.readout} reads as 1.",
            "VNN-LIB compares with <= and >= alone, so an output on the threshold counts as wrong:",
            "unsat holds all the same, and sat may be such a tie.",
        ]
    unit = min(own.grid for own in wrong if own.grid is not None)
    power = unit.numerator.bit_length() - unit.denominator.bit_length()
    kind = "a whole number" if unit == 1 else f"a multiple of 2^{power}"
    reads = "must be 0 or 1" if net.readout.kind == "exact" else f"{net.readout} reads as 1"
    return [
        f"An output {reads}.",
        f"On rows of bits every output is {kind}. No such number is a bound below,",
        "so that <= and >= here mean the same as < and >.",
    ]


def property_of(subject: Subject) -> Property:
    """Return every row of a task with every output that may be wrong on it."""
    net, task = subject.network, subject.task
    if task.rows > MOST_ROWS:
        raise TaskError(
            f"{task.name} has {task.rows} rows, and a property names each of up to {MOST_ROWS}",
            where="task",
            remedy="take a narrower task, or export to onnx, c or verilog",
        )
    wrong = wrong_outputs(net)
    cases: list[Case] = []
    for block in task.blocks():
        limits.check()
        cares = np.ones_like(block.expected, dtype=bool) if block.cares is None else block.cares
        for bits, expected, counts in zip(block.inputs, block.expected, cares, strict=True):
            row = tuple(bits.tolist())
            for output in np.flatnonzero(counts).tolist():
                conditions = wrong[output].conditions(int(expected[output]))
                cases += [Case(row, output, condition) for condition in conditions]
    if not cases:
        raise TaskError(
            "any output will do on all rows", where="task", remedy="there is nothing to be verified"
        )
    return Property(net.n_in, net.n_out, tuple(cases))


def plain_network(net: Network) -> Network:
    """Return the same network with its weights as fp32 numbers one by one, biases included.

    Raises:
        NetworkError: one of them is no fp32 number, or a constant is beyond all of them.
    """
    layers = tuple(
        replace(
            layer,
            weight=_plain(layer.weight, f"fc{number}.weight"),
            bias=Dense(np.zeros(layer.n_out, np.float32))
            if layer.bias is None
            else _plain(layer.bias, f"fc{number}.bias"),
        )
        for number, layer in enumerate(net.layers, start=1)
    )
    plain = replace(net, layers=layers, format="fp32", training=None)
    if arithmetic_form(plain) is not FP32:
        raise _unfit("a constant of an activation is beyond fp32", "network")
    return plain


def _plain(tensor: Tensor, name: str) -> Dense:
    exact = tensor.exact()
    floats = exact.to_floats()
    if not exact.is_double or (FP32.round(floats) != floats).any():
        raise _unfit("a number is none of fp32, in which verifiers take networks", name)
    return Dense(floats.astype(np.float32))


def _unfit(what: str, where: str) -> NetworkError:
    return NetworkError(what, where=where, remedy="export to onnx, json, c or verilog")


def _model(subject: Subject) -> Any:
    model = model_of(plain_network(subject.network), is_raw=True)
    task = subject.task
    model.graph.input[0].doc_string = f"X: {', '.join(task.input_bits)}"
    model.graph.output[0].doc_string = f"Y, before the readout: {', '.join(task.output_bits)}"
    return model


def compare_vnnlib(files: Paths, subject: Subject) -> Comparison:
    """Return whether a property asks for the rows on which a network is wrong, and its model.

    Args:
        files: the property, and the model.
        subject: what they were made of.
    """
    what = read = None
    try:
        what = parsed(files[""].read_text(encoding="ascii"))
        reason = _property_difference(what, property_of(subject), subject)
        read = read_model(files[MODEL], subject.origin)
        if not reason and not isinstance(read, str):
            plain = plain_network(subject.network)
            recorded = recorded_in(read, files[MODEL].name)
            reason = (
                "its model has no record of its network"
                if recorded is None
                else network_difference(recorded.network, plain)
            )
            reason = reason or graph_difference(read, _model(subject))
    except UnicodeDecodeError:
        reason = "it is no text of ASCII"
    except AdderlabError as error:
        reason = error.what
    if what is None or reason or isinstance(read, str):
        return Comparison(False, reason=reason or f"its model: {read}")
    return _run(what, read, subject)


def _property_difference(own: Property, written: Property, subject: Subject) -> str:
    """Return where a property is not the one that is written; else nothing."""
    if (own.n_in, own.n_out) != (written.n_in, written.n_out):
        return f"it has {own.n_in} inputs and {own.n_out} outputs"
    if len(own.cases) != len(written.cases):
        return f"it has {len(own.cases)} cases, not {len(written.cases)}"
    for mine, its in zip(own.cases, written.cases, strict=True):
        if mine != its:
            row = row_text(subject.task, np.array(its.inputs))
            return f"it asks for something else of {subject.task.output_bits[its.output]} for {row}"
    return ""


def _run(what: Property, model: Any, subject: Subject) -> Comparison:
    """Return whether the cases that the model meets are the outputs that are wrong."""
    net = plain_network(subject.network)
    rows = np.array(list(dict.fromkeys(case.inputs for case in what.cases)), dtype=np.uint8)
    run = RowRun(model, net.n_out)
    outputs = run.outputs(rows)
    if outputs is None:
        reason = f"nothing here runs its model ({run.session.reason}); {REMEDY}"
        return Comparison(None, reason=reason)
    expected = Expectation(net, FP32).of(rows)
    by_row = {tuple(row.tolist()): number for number, row in enumerate(rows)}
    exact = [row_ends(subject.network, row) for row in rows]
    name = run.session.name
    met: set[int] = set()
    undecided = 0
    for case in what.cases:
        limits.check()
        row, at = by_row[case.inputs], case.output
        ends = exact[row][at]
        is_met = {case.condition.holds(end) for end in ends}
        near = {case.condition.holds(end[row, at]) for end in (expected.low, expected.high)}
        has_met = case.condition.holds(float(outputs.raw[row, at]))
        if len(is_met) > 1 or len(near | is_met) > 1 or not expected.is_known[row, at]:
            undecided += 1
        elif {has_met} != is_met:
            where = row_text(subject.task, rows[row])
            text = f"its model gives {outputs.raw[row].tolist()} for {where}"
            return Comparison(False, row + 1, name, text)
        if True in is_met:
            met.add(row)
    count = len(met)
    sentence = f"sat, on {count} of its rows" if count else "unsat: no row meets it"
    facts = [Fact("counterexamples", count, sentence)]
    if undecided:
        text = f"rounding to fp32 decides {undecided} of its cases"
        facts.append(Fact("cases_decided_by_rounding", undecided, text))
    return Comparison(True, len(rows), name, facts=tuple(facts))
