"""What a JSON file of layers computes, from its text alone, and whether that is its network's.

Rule: nothing of the writer or of the reader is used to run it. Rows are run in double, where every
number of the text is held; an output must lie within the proved bound on that arithmetic, which is
0 where no sum is rounded. What doubles do not hold is run in fractions, on fewer rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.errors import AdderlabError
from adderlab.exporting.comparison import Comparison
from adderlab.exporting.networks import network_difference
from adderlab.exporting.rows import row_text, rows_to_compare
from adderlab.exporting.subject import Paths, Subject
from adderlab.formats import FP64
from adderlab.nets import Network
from adderlab.nets.activations import RULES, Activation
from adderlab.nets.enclosure import Machine
from adderlab.nets.evaluation import is_exact, outputs
from adderlab.nets.files import to_bytes
from adderlab.nets.importing import NetworkFile
from adderlab.nets.sources import read_data
from adderlab.tasks import Task
from adderlab.tasks.task import decimal_number

if TYPE_CHECKING:
    from jaxtyping import Float64, UInt8

BY: Final = "an evaluation of its text in Python"
MOST_PRODUCTS: Final = 1 << 22
"""Products of fractions that are taken in all; a million take about a second."""


def compare_json(files: Paths, subject: Subject) -> Comparison:
    """Return whether a file computes what its network computes, and is read back as it."""
    data = files[""].read_bytes()
    net = replace(subject.network, task=subject.task)
    try:
        record = json.loads(data, parse_int=_integer)
        layers = _layers(record)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        return Comparison(False, by=BY, reason=f"its text can't be run: {str(error)[:80]}")
    comparison = _run(layers, record, net, subject.task)
    if comparison.equal is False:
        return comparison
    try:
        read = read_data(data, NetworkFile(files[""])).network
    except AdderlabError as error:
        return Comparison(False, comparison.rows, BY, f"it is not read back: {error.what}")
    what = network_difference(read, net)
    if not what and to_bytes(read) != to_bytes(net):
        what = "read back, it stores its numbers otherwise, or has another record of training"
    return Comparison(False, comparison.rows, BY, what) if what else comparison


# what stands in the text


class _Layer:
    """A layer of the text: the places and values of its weights, its biases and its activation."""

    def __init__(self, entry: dict[str, Any], before: str) -> None:
        weight = entry["weight"]
        self.rows: list[list[tuple[int, Fraction]]] = [
            [(column, value) for column, value in row if value] for row in _matrix(weight)
        ]
        bias = entry.get("bias")
        self.bias = [Fraction(0)] * len(self.rows) if bias is None else _vector(bias)
        options: dict[str, Any] = {
            name: tuple(entry[name]) if isinstance(entry[name], list) else entry[name]
            for name in RULES[entry["activation"]].options
        }
        self.activation = Activation(entry["activation"], **options)
        self.reads: Sequence[str] = entry.get("inputs", [before])

    @property
    def entries(self) -> int:
        return sum(map(len, self.rows))


def _layers(record: dict[str, Any]) -> dict[str, _Layer]:
    names = ["input", *(f"fc{number}" for number in range(1, len(record["layers"]) + 1))]
    return {
        names[place]: _Layer(entry, names[place - 1])
        for place, entry in enumerate(record["layers"], start=1)
    }


def _matrix(value: Any) -> Iterator[Iterator[tuple[int, Fraction]]]:
    """Yield each row's columns with their values: ``scale * (code - zero)``."""
    codes = value["codes"] if isinstance(value, dict) and "codes" in value else value
    scale, zero = _scale_and_zero(value)
    if isinstance(codes, dict) and "indptr" in codes:
        own = _plain(codes["values"])
        ends = codes["indptr"]
        rows = [
            list(zip(codes["indices"][start:end], own[start:end], strict=True))
            for start, end in pairwise(ends)
        ]
    else:
        rows = [list(enumerate(row)) for row in _plain(codes)]
    for number, row in enumerate(rows):
        factor, shift = _of_row(scale, number), _of_row(zero, number)
        yield ((column, factor * (Fraction(code) - shift)) for column, code in row)


def _vector(value: Any) -> list[Fraction]:
    codes = value["codes"] if isinstance(value, dict) and "codes" in value else value
    scale, zero = _scale_and_zero(value)
    return [
        _of_row(scale, number) * (Fraction(code) - _of_row(zero, number))
        for number, code in enumerate(_plain(codes))
    ]


def _scale_and_zero(value: Any) -> tuple[Any, Any]:
    has_scale = isinstance(value, dict) and "codes" in value
    return (value["scale"], value.get("zero", 0)) if has_scale else (1, 0)


def _of_row(part: Any, row: int) -> Fraction:
    return Fraction(part[row] if isinstance(part, list) else part)


def _plain(value: Any) -> Any:
    return value["numbers"] if isinstance(value, dict) else value


def _integer(text: str) -> int:
    return -decimal_number(text[1:]) if text.startswith("-") else decimal_number(text)


# what it computes


def _run(layers: dict[str, _Layer], record: dict[str, Any], net: Network, task: Task) -> Comparison:
    ends: Sequence[str] = record.get("outputs", [f"fc{len(layers)}"])
    rows = rows_to_compare(task)
    done = 0
    if Machine.can_run(net):
        machine = Machine(net, FP64, library=True)
        own = {name: _doubles(layer, _width(layer, layers, task)) for name, layer in layers.items()}
        for block in rows.blocks():
            got = _in_doubles(layers, own, ends, block)
            enclosure = machine.enclose(block)
            off = ~(np.abs(got - enclosure.values) <= enclosure.errors)
            off &= np.isfinite(enclosure.errors)
            if off.any():
                at = int(np.argmax(off.any(axis=1)))
                return Comparison(False, done + at + 1, BY, _at(task, block[at]), rows.scope)
            done += len(block)
        return Comparison(True, done, BY, scope=rows.scope)
    most = max(16, MOST_PRODUCTS // max(sum(layer.entries for layer in layers.values()), 1))
    scope = rows.scope
    for block in rows.blocks(min(most, 1 << 10)):
        expected = outputs(net, block) if is_exact(net) else None
        for at, bits in enumerate(block):
            got = _in_fractions(layers, ends, bits.tolist()) if expected is not None else []
            own = [] if expected is None else [expected.at(at, unit) for unit in range(net.n_out)]
            if got != own:
                return Comparison(False, done + at + 1, BY, _at(task, bits), scope)
        done += len(block)
        if done >= most and done < rows.count:
            scope = f"the first of {rows.scope or f'all {rows.count}'}"
            break
    return Comparison(True, done, BY, scope=scope)


def _width(layer: _Layer, layers: dict[str, _Layer], task: Task) -> int:
    return sum(task.n_in if name == "input" else len(layers[name].rows) for name in layer.reads)


def _doubles(layer: _Layer, width: int) -> tuple[Any, Any]:
    weight = np.zeros((len(layer.rows), width))
    for row, entries in enumerate(layer.rows):
        for column, value in entries:
            weight[row, column] = float(value)
    return weight.T, np.array([float(value) for value in layer.bias])


def _in_doubles(
    layers: dict[str, _Layer],
    own: dict[str, tuple[Any, Any]],
    ends: Sequence[str],
    block: UInt8[np.ndarray, "batch n_in"],
) -> Float64[np.ndarray, "batch n_out"]:
    values: dict[str, Any] = {"input": block.astype(np.float64)}
    with np.errstate(over="ignore", invalid="ignore"):
        for name, layer in layers.items():
            weight, bias = own[name]
            read = np.concatenate([values[source] for source in layer.reads], axis=1)
            values[name] = layer.activation.plain(read @ weight + bias)
    return np.concatenate([values[name] for name in ends], axis=1)


def _in_fractions(
    layers: dict[str, _Layer], ends: Sequence[str], bits: list[int]
) -> list[Fraction]:
    values = {"input": [Fraction(bit) for bit in bits]}
    for name, layer in layers.items():
        read = [value for source in layer.reads for value in values[source]]
        values[name] = [
            layer.activation.of_unit(unit).fraction(
                sum((weight * read[column] for column, weight in row), layer.bias[unit])
            )
            for unit, row in enumerate(layer.rows)
        ]
    return [value for name in ends for value in values[name]]


# where it differs


def _at(task: Task, bits: UInt8[np.ndarray, " n_in"]) -> str:
    return f"it gives something else for {row_text(task, bits)}"
