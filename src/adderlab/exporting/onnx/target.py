"""A network as an ONNX model, with its numbers as they are stored, and its readout.

Rule: the model is held against its network twice. What it stores is read back and must be the
network, number for number; and it is run, and what it gives must lie where the network's outputs
can, whatever the order in which a runtime adds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from adderlab import limits
from adderlab.errors import AdderlabError
from adderlab.exporting.comparison import Comparison, Fact
from adderlab.exporting.names import identifiers
from adderlab.exporting.networks import network_difference
from adderlab.exporting.onnx.cells import cell_model, run_cell
from adderlab.exporting.rows import row_text, rows_to_compare
from adderlab.exporting.subject import Files, Origin, Paths, Subject
from adderlab.nets import Network
from adderlab.nets.written_onnx import (
    Expectation,
    RowRun,
    arithmetic_form,
    graph_difference,
    model_of,
    recorded_in,
)
from adderlab.packages import check_installed

REMEDY: Final = "pip install onnxruntime"


def write_onnx(subject: Subject) -> Files:
    """Return the ONNX model of a network, or of a cell with its wiring.

    Args:
        subject: what is written.

    Raises:
        DependencyError: the package ``onnx`` is not installed.
        NetworkError: floats do not hold the network, or the cell can't be wired.
    """
    check_installed("onnx")
    model = _model(subject)
    describe(model, subject)
    return {"": model.SerializeToString(deterministic=True)}


def _model(subject: Subject) -> Any:
    if subject.wiring is not None:
        return cell_model(subject.network, subject.wiring)
    model = model_of(subject.network)
    task = subject.task
    model.graph.input[0].doc_string = f"bits, in this order: {', '.join(task.input_bits)}"
    model.graph.output[0].doc_string = f"bits, in this order: {', '.join(task.output_bits)}"
    return model


def describe(model: Any, subject: Subject) -> None:
    """Write into a model where it comes from."""
    (model.graph.name,) = identifiers([subject.name]).values()
    model.producer_version = subject.origin.version
    model.doc_string = "\n".join(subject.origin.lines())
    for key, value in metadata_of(subject.origin).items():
        _ = model.metadata_props.add(key=key, value=value)


def metadata_of(origin: Origin) -> dict[str, str]:
    """Return where a file comes from as texts by key."""
    return {key: str(value) for key, value in origin.to_dict().items() if value is not None}


def compare_onnx(files: Paths, subject: Subject) -> Comparison:
    """Return whether a model that was written is the network, and computes what it computes.

    Args:
        files: the model.
        subject: what it was made of.
    """
    read = read_model(files[""], subject.origin)
    if isinstance(read, str):
        return Comparison(False, reason=read)
    net = subject.network
    try:
        recorded = recorded_in(read, files[""].name)
        if recorded is None:
            return Comparison(False, reason="it has no record of its network")
        what = network_difference(recorded.network, net)
        what = what or graph_difference(read, _model(subject))
    except AdderlabError as error:
        what = error.what
    if what:
        return Comparison(False, reason=what)
    form = arithmetic_form(net)
    opset = read.opset_import[0].version
    fact = Fact("opset", opset, f"ONNX opset {opset}; its sums are taken in {form.name}")
    if subject.wiring is not None:
        return run_cell(read, net, subject.wiring, fact)
    return run_rows(read, net, subject, fact)


def read_model(path: Path, origin: Origin) -> Any:
    """Return the model in a file, or what is wrong with it as a text."""
    import onnx
    from onnx import checker, shape_inference

    data = path.read_bytes()
    try:
        model = onnx.ModelProto.FromString(data)
        checker.check_model(model, full_check=True)
    except (
        checker.ValidationError,
        shape_inference.InferenceError,
        ValueError,
        TypeError,
    ) as error:
        return f"onnx's checker refuses it: {_line(error)}"
    except Exception as error:  # noqa: BLE001 -- protobuf's own, which is no ValueError
        return f"it is no ONNX model: {_line(error)}"
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    for key, value in metadata_of(origin).items():
        if metadata.get(key) != value:
            return f"its metadata say {metadata.get(key)!r} of {key}, not {value!r}"
    return model


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]


def run_rows(model: Any, net: Network, subject: Subject, *facts: Fact) -> Comparison:
    """Return whether a model gives what a network gives, on the rows of a task.

    Args:
        model: what is run.
        net: the network that it is of.
        subject: whose task's rows they are.
        *facts: what else is known.
    """
    task = subject.task
    rows, run = rows_to_compare(task), RowRun(model, net.n_out)
    expectation = Expectation(net, arithmetic_form(net))
    count = undecided = 0
    for number, block in enumerate(rows.blocks()):
        batches = (block[:1], block) if number == 0 and len(block) > 1 else (block,)
        for own in batches:  # the first row alone too: a batch has any size
            limits.check()
            outputs = run.outputs(own)
            if outputs is None:
                reason = f"nothing here runs it ({run.session.reason}); {REMEDY}"
                return Comparison(None, reason=reason, facts=facts)
            expected = expectation.of(own)
            wrong = expected.wrong(outputs)
            if wrong.any():
                at = int(np.argmax(wrong.any(axis=1)))
                values = outputs.raw if outputs.bits is None else outputs.bits
                what = f"it gives {values[at].tolist()} for {row_text(task, own[at])}"
                return Comparison(False, count + at + 1, run.session.name, what)
            undecided += expected.open if len(own) == len(block) else 0
        count += len(block)
    if undecided:
        sentence = f"rounding decides a bit on {undecided} of them: there either bit is the same"
        facts = (*facts, Fact("rows_decided_by_rounding", undecided, sentence))
    return Comparison(True, count, run.session.name, scope=rows.scope, facts=facts)
