"""A cell with its wiring as an ONNX model: one Scan over the digits, for every width.

Rule: the cell's weights stand outside the Scan, once; its body is the cell, from the digits of one
place and what is carried into it to a digit of the result and what is carried on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from adderlab import limits
from adderlab.errors import NetworkError
from adderlab.exporting.comparison import Comparison, Fact
from adderlab.exporting.names import identifiers
from adderlab.exporting.rows import sum_bits
from adderlab.exporting.wired import WIDTHS, operands_of, widths_text
from adderlab.nets import Network
from adderlab.nets.evaluation import evaluate
from adderlab.nets.readout import NO_BIT, read_states
from adderlab.nets.written_onnx import (
    Build,
    Session,
    arithmetic_form,
    finished,
    put_bits,
    put_layers,
)
from adderlab.tasks import Task, Word
from adderlab.tasks.wirings import Cell, Wiring

DIGITS: Final = "digits"
LAST: Final = "carry"
RESERVED: Final = (
    *(DIGITS, LAST, "digit", "first", "first_axis", "words", "order", "ordered", "row", "input"),
    *("raw", "threshold", "above", "bits", "floats", "bits_of_cell"),
)
"""Names of other values."""


def cell_model(net: Network, wiring: Wiring) -> Any:
    """Return the ONNX model of a cell with its wiring.

    Its inputs are the operands, (digits, bits of a digit), the lowest digit first and of each digit
    the highest bit; its outputs ``digits`` likewise, where the wiring collects any, and ``carry``,
    what is carried last. The number of digits is open.

    Args:
        net: the cell.
        wiring: how it is repeated.

    Raises:
        NetworkError: floats do not hold the cell, or what it gives can't be carried on.
    """
    from onnx import helper

    _ = cell_table(net, wiring)
    build = Build(arithmetic_form(net))
    words = {word.name: word for word in wiring.cell.inputs}
    names = _names(wiring, net.depth)
    carried, carry = words[wiring.carried], f"{names[wiring.carried]}.in"
    ready = _put_cell(build, net, wiring, names, carry)
    axis = build.store("first_axis", np.array([0], dtype=np.int64))
    _ = build.op("Squeeze", ready, axis, out="bits_of_cell")
    _put_part(build, wiring.carry, wiring.cell, f"{names[wiring.carried]}.out")
    outputs = [_value(build, f"{names[wiring.carried]}.out", [carried.width])]
    if wiring.digit:
        _put_part(build, wiring.digit, wiring.cell, "digit")
        outputs.append(_value(build, "digit", [len(wiring.digit)]))
    slices = [_value(build, f"{names[own]}.digit", [words[own].width]) for own in wiring.operands]
    body = helper.make_graph(
        build.nodes, "cell", [_value(build, carry, [carried.width]), *slices], outputs
    )
    first = [wiring.first >> place & 1 for place in reversed(range(carried.width))]
    scan = helper.make_node(
        "Scan",
        [build.number("first", first), *(names[own] for own in wiring.operands)],
        [LAST, *([DIGITS] if wiring.digit else [])],
        name="every_digit",
        num_scan_inputs=len(wiring.operands),
        body=body,
    )
    operands = [_value(build, names[own], ["n", words[own].width]) for own in wiring.operands]
    gives = [_value(build, LAST, [carried.width])]
    if wiring.digit:
        gives.insert(0, _value(build, DIGITS, ["n", len(wiring.digit)]))
    _explain(wiring, operands, gives)
    graph = helper.make_graph([*build.ready, scan], "network", operands, gives, build.initializers)
    return finished(build, graph, net, {"wiring": wiring.name})


def _names(wiring: Wiring, depth: int) -> dict[str, str]:
    """Return the names of the words' values; those of layers and outputs are taken."""
    reserved = [*RESERVED, *(f"fc{number}" for number in range(1, depth + 1))]
    return dict(identifiers([*wiring.operands, wiring.carried], reserved))


def _put_cell(build: Build, net: Network, wiring: Wiring, names: dict[str, str], carry: str) -> str:
    """Add the cell to the body, and return the name of its output bits, as floats, in a row."""
    values = {own: f"{names[own]}.digit" for own in wiring.operands} | {wiring.carried: carry}
    words = [values[word.name] for word in wiring.cell.inputs]
    order = wiring.cell.row_of_inputs(np.arange(wiring.cell.n_in))
    joined = build.op("Concat", *words, out="words", axis=0) if len(words) > 1 else words[0]
    if (order != np.arange(wiring.cell.n_in)).any():
        joined = build.op("Gather", joined, build.store("order", order), out="ordered", axis=0)
    shape = build.store("row", np.array([1, net.n_in], dtype=np.int64))
    row = build.op("Reshape", joined, shape, out="input")
    raw = put_layers(build, net, row)
    if net.readout.kind == "exact":
        return raw
    return build.op("Cast", put_bits(build, net.readout, raw), out="floats", to=build.type)


def _put_part(build: Build, bits: Sequence[str], cell: Task, out: str) -> None:
    """Add the choice of some of the cell's output bits."""
    places = [cell.output_bits.index(bit) for bit in bits]
    at = build.store(f"{out}.places", np.array(places, dtype=np.int64))
    _ = build.op("Gather", "bits_of_cell", at, out=out, axis=0)


def _value(build: Build, name: str, shape: list[Any]) -> Any:
    from onnx import helper

    return helper.make_tensor_value_info(name, build.type, shape)


def _explain(wiring: Wiring, operands: list[Any], gives: list[Any]) -> None:
    for own in operands:
        own.doc_string = (
            f"the digits of a number in base {wiring.base}, the lowest first, each as bits, the "
            "highest first"
        )
    gives[-1].doc_string = f"the bits of what is carried last: {', '.join(wiring.carry)}"
    if wiring.digit:
        gives[0].doc_string = f"the digits of the result, likewise: {', '.join(wiring.digit)}"


def cell_table(net: Network, wiring: Wiring) -> Cell:
    """Return what a network gives as a cell: a digit, and what is carried on, by its input words.

    Raises:
        NetworkError: an output is no bit, or a value is carried that the cell does not take.
    """
    cell = wiring.cell
    (block,) = cell.blocks()
    low, high = evaluate(net, block.inputs)
    states = read_states(net.readout, low, high)
    sizes = {word.name: word.size for word in cell.inputs}
    table: dict[tuple[int, ...], tuple[int, int]] = {}
    for index, bits in enumerate(states):
        row = cell.row(index).inputs
        if (bits >= NO_BIT).any():
            raise _unfit(f"an output is no bit on {row}")
        digit, carry = wiring.read(cell.words_of(bits))
        if carry >= sizes[wiring.carried]:
            raise _unfit(f"it carries {carry} on {row}, which it does not take")
        table[tuple(row.values())] = digit, carry
    return table


def _unfit(what: str) -> NetworkError:
    return NetworkError(what, where="network", remedy="take a cell that is proved")


def run_cell(model: Any, net: Network, wiring: Wiring, fact: Fact) -> Comparison:
    """Return whether a model of a cell gives what its wiring gives in whole numbers.

    Args:
        model: what is run.
        net: the cell.
        wiring: how it is repeated.
        fact: what else is known.
    """
    table = cell_table(net, wiring)
    session = Session(model)
    inputs = [value.name for value in model.graph.input]
    outputs = [value.name for value in model.graph.output]
    dtype = np.float32 if model.graph.input[0].type.tensor_type.elem_type == 1 else np.float64
    words = [next(w for w in wiring.cell.inputs if w.name == own) for own in wiring.operands]
    count = 0
    for operands in _numbers(wiring, table):
        limits.check()
        width = len(operands[0])
        feed = {
            name: _bits(digits, word).astype(dtype)
            for name, digits, word in zip(inputs, operands, words, strict=True)
        }
        results = session.run(outputs, feed)
        if results is None:
            reason = f"nothing here runs it ({session.reason}); pip install onnxruntime"
            return Comparison(None, reason=reason, facts=(fact,))
        collected, carry = wiring.run(table, operands)
        got = [[sum_bits([int(bit) for bit in bits]) for bits in part] for part in results[:-1]]
        last = sum_bits([int(bit) for bit in results[-1]])
        expected = [list(collected)] if wiring.digit else []
        is_whole = all(np.isin(part, (0, 1)).all() for part in results)
        if got != expected or last != carry or not is_whole:
            numbers = " and ".join(str(digits)[:80] for digits in operands)
            what = f"on the digits {numbers} it gives {str([*got, last])[:80]}"
            return Comparison(False, count, session.name, what, facts=(fact,))
        count += width
    scope = f"those of {widths_text()}, with every row of the cell that can be reached"
    return Comparison(True, count, session.name, scope=scope, facts=(fact,))


def _numbers(wiring: Wiring, table: Cell) -> Iterator[list[list[int]]]:
    """Yield operands: each way to a row of the cell, then numbers of several widths."""
    rows = wiring.by_operands(table)
    for carry, way in wiring.ways(table).items():
        for *digits, before in rows:
            if before == carry:
                yield [list(part) for part in zip(*way, digits, strict=True)]
    for width in WIDTHS:
        yield from operands_of(wiring, width)


def _bits(digits: list[int], word: Word) -> Any:
    places = range(word.width - 1, -1, -1)
    return np.array([[digit >> place & 1 for place in places] for digit in digits]).reshape(
        len(digits), word.width
    )
