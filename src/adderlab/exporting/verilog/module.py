"""The module of a network: a signal for each sum and each value, layer by layer.

Rule: whole numbers, nothing is rounded. A signal is as wide as the proved range of its sum or value
(:mod:`adderlab.nets.scaled`) needs, and holds it in units of a power of two that the layer says.
A layer is a block of assignments, which a simulator runs once for each change of what it reads; as
wires, whose terms it follows one by one, 2,000 products took 30 times as long (Icarus Verilog 11).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

from adderlab import limits
from adderlab.blocks.numbers import counted
from adderlab.errors import NetworkError
from adderlab.exporting.subject import Subject, in_comment
from adderlab.exporting.verilog.expressions import (
    activated,
    literal,
    read_as_bit,
    sum_parts,
    width_of,
)
from adderlab.exporting.verilog.names import Names, port_bits
from adderlab.nets import Network
from adderlab.nets.dyadic import Dyadic
from adderlab.nets.logits import without_last_sigmoid
from adderlab.nets.network import Layer
from adderlab.nets.scaled import Range, ScaledLayer, scaled_layers
from adderlab.nets.tensors import Scaled
from adderlab.nets.wiring import INPUT, Node, join_lists
from adderlab.tasks import Task, Word

LONGEST_LINE: Final = 100
MOST_SHOWN: Final = 10**9
"""Ends of a range up to which a comment says them; beyond, the width of the wire does."""

MOST_PRODUCTS: Final = 1 << 15
"""Products of all sums up to which a module is written: Icarus Verilog 11 takes 4 s to compile
14,000 of them, and four times as long for twice as many (measured 2026-11-28)."""

MOST_BITS: Final = 1 << 22
"""Bits of all factors, likewise."""


@dataclass(frozen=True, slots=True)
class _Wire:
    """A wire with what it is assigned, in parts between which its line may be broken."""

    name: str
    own: Range
    parts: Sequence[str]


def is_known_right(subject: Subject) -> bool:
    """Return whether every output is known to be 0 or 1 under an exact readout, on all inputs.

    Where a table takes any value, a proof says nothing of it.
    """
    return subject.origin.verdict == "proved" and subject.task.any_value is None


def network_of(subject: Subject) -> tuple[Network, tuple[ScaledLayer, ...]]:
    """Return the network that is written, and its layers in whole numbers.

    Raises:
        NetworkError: an activation is a curve, or the network has too many products.
    """
    net = without_last_sigmoid(subject.network)
    layers = scaled_layers(net)
    if layers is None:
        curves = (layer.activation for layer in net.layers)
        kind = next(own.kind for own in curves if not own.is_exact)
        raise NetworkError(
            f"{kind} has values that no whole number holds, and verilog computes in whole numbers",
            where="network",
            remedy="export to one of onnx, json, html",
        )
    products, bits = products_of(layers), _factor_bits(layers)
    if products > MOST_PRODUCTS or bits > MOST_BITS:
        size = f"{products} products" if products > MOST_PRODUCTS else f"factors of {bits} bits"
        most = MOST_PRODUCTS if products > MOST_PRODUCTS else MOST_BITS
        raise NetworkError(
            f"it has {size} in all, and verilog takes up to {most}",
            where="network",
            remedy="export a cell with its wiring, or to one of onnx, json",
        )
    return net, layers


def products_of(layers: Sequence[ScaledLayer]) -> int:
    """Return how many products the sums have in all."""
    return sum(len(row) for layer in layers for row in layer.weights)


def _factor_bits(layers: Sequence[ScaledLayer]) -> int:
    return sum(
        weight.bit_length() for layer in layers for row in layer.weights for _, weight in row
    )


def module_lines(subject: Subject, names: Names, module: str) -> list[str]:
    """Return the lines of the module.

    Args:
        subject: the network, of a wiring its cell.
        names: what is called how.
        module: what this one is called.
    """
    net, layers = network_of(subject)
    task = subject.task
    ports = port_bits(task.inputs, names.words)
    wires = wires_of(task, layers, names)
    lines = [
        f"module {module} (",
        *port_lines([*task.inputs, *task.outputs], len(task.inputs), names.words),
        ");",
        "    // input bits as signed numbers, 0 or 1",
    ]
    pad = max(map(len, wires.values[INPUT]))
    for bit, wire in zip(task.input_bits, wires.values[INPUT], strict=True):
        lines.append(f"    wire signed [1:0] {wire:<{pad}} = {{1'b0, {ports[bit]}}};")
    for node, layer, scaled in zip(net.wiring.layers, net.layers, layers, strict=True):
        limits.check()
        taken = join_lists([wires.values[name] for name in node.reads])
        own = list(_layer_wires(layer, scaled, taken, wires.sums[node.name]))
        # a sum that is its own value needs no second wire
        for unit, wire in enumerate(wires.values[node.name]):
            bends, total = scaled.bends[unit], Range(scaled.low[unit], scaled.high[unit])
            value = activated(bends, own[unit].name, total, scaled.values[unit])
            if value == own[unit].name:
                own[unit] = replace(own[unit], name=wire)
            else:
                own.append(_Wire(wire, scaled.values[unit], [value]))
        lines += ["", f"    // {_layer_text(node, layer, scaled, net)}", *_layer_lines(own)]
    return [*lines, "", *_readout_lines(subject, net, layers, wires, names), "endmodule"]


def port_lines(words: Sequence[Word], inputs: int, ports: Mapping[str, str]) -> list[str]:
    """Return the declarations of ports, the first so many of which are inputs."""
    spans = [f"[{word.width - 1}:0] " if word.width > 1 else "" for word in words]
    pad = max(map(len, spans))
    return [
        f"    {'input ' if place < inputs else 'output'} wire {span:<{pad}}{ports[word.name]}"
        + "," * (place + 1 < len(words))
        for place, (word, span) in enumerate(zip(words, spans, strict=True))
    ]


@dataclass(frozen=True, slots=True)
class Wires:
    """The names of wires, by the layer: of values, which the input has too, and of sums."""

    values: Mapping[str, list[str]]
    sums: Mapping[str, list[str]]


def wires_of(task: Task, layers: Sequence[ScaledLayer], names: Names) -> Wires:
    """Return what the wires are called: ``in_a1``, ``fc1_0``, ``fc1_0_sum``."""
    values = {INPUT: [f"in_{bit}" for bit in task.input_bits]}
    for number, layer in enumerate(layers, start=1):
        values[f"fc{number}"] = [f"fc{number}_{unit}" for unit in range(layer.units)]
    sums = {key: [f"{name}_sum" for name in own] for key, own in values.items() if key != INPUT}
    called = names.apart(chain(*values.values(), *sums.values()))
    return Wires(*(
        {key: [called[name] for name in own] for key, own in column.items()}
        for column in (values, sums)
    ))  # fmt: skip


def _layer_wires(
    layer: Layer, scaled: ScaledLayer, taken: Sequence[str], names: Sequence[str]
) -> Iterator[_Wire]:
    """Yield the sum of each unit."""
    rows = zip(scaled.weights, scaled.biases, scaled.low, scaled.high, names, strict=True)
    for unit, (terms, bias, low, high, name) in enumerate(rows):
        factor = _scale(layer, unit)
        yield _Wire(name, Range(low, high), sum_parts(terms, bias, taken, factor))


def _scale(layer: Layer, unit: int) -> int:
    """Return the odd part of a row's scale, so that a sum is of integer codes; 1 without scales."""
    weight = layer.weight
    if not isinstance(weight, Scaled):
        return 1
    scale: Dyadic = weight.scale.exact()
    number = abs(int(scale.integers if scale.shape == () else scale.integers[unit]))
    return number // (number & -number) if number else 1


def _layer_text(node: Node, layer: Layer, scaled: ScaledLayer, net: Network) -> str:
    reads = "" if net.is_chain else f" of {', '.join(node.reads)}"
    units = counted(scaled.units, "unit")
    lowest, highest = min(scaled.low), max(scaled.high)
    parts = [f"{node.name}: {units}{reads}", str(layer.activation)]
    if max(-lowest, highest) <= MOST_SHOWN:
        parts.append(f"sums {lowest}..{highest}")
    if scaled.exponent:
        parts.append(f"in units of 2^{scaled.exponent}")
    if scaled.value_exponent != scaled.exponent:
        parts.append(f"values in units of 2^{scaled.value_exponent}")
    return in_comment(", ".join(parts))


def _layer_lines(wires: Sequence[_Wire]) -> Iterator[str]:
    """Yield the declarations of a layer's sums and values, and what computes them.

    A constant is a wire, since a block waits for a change of what it reads.
    """
    changing = [wire for wire in wires if wire.own.low < wire.own.high]
    for wire in wires:
        if wire.own.low == wire.own.high:
            yield f"    wire {_declared(wire)} = {literal(wire.own.low)};"
    pad = max((len(_declared(wire)) for wire in changing), default=0)
    for wire in changing:
        low, high = wire.own.low, wire.own.high
        line = f"    reg {_declared(wire)};"
        is_short = max(-low, high) <= MOST_SHOWN
        yield f"{line:<{pad + 9}}  // {low}..{high}" if is_short else line
    if not changing:
        return
    yield "    always @* begin"
    pad = max(len(wire.name) for wire in changing)
    for wire in changing:
        line = f"        {wire.name:<{pad}} ="
        for part in wire.parts:
            if len(line) + len(part) >= LONGEST_LINE:
                yield line
                line = "           "
            line += f" {part}"
        yield f"{line};"
    yield "    end"


def _declared(wire: _Wire) -> str:
    return f"signed [{width_of(wire.own) - 1}:0] {wire.name}"


def _readout_lines(
    subject: Subject, net: Network, layers: Sequence[ScaledLayer], wires: Wires, names: Names
) -> Iterator[str]:
    """Yield the assignments of the output bits."""
    by_name = {node.name: own for node, own in zip(net.wiring.layers, layers, strict=True)}
    ends = net.wiring.output.reads
    values = [
        (wire, own, by_name[name].value_exponent)
        for name in ends
        for wire, own in zip(wires.values[name], by_name[name].values, strict=True)
    ]
    is_right = is_known_right(subject)
    yield f"    // readout: {_readout_text(net, {e for _, _, e in values}, is_right=is_right)}"
    ports = port_bits(subject.task.outputs, names.words)
    pad = max(map(len, ports.values()))
    for bit, (wire, own, exponent) in zip(subject.task.output_bits, values, strict=True):
        text = read_as_bit(net.readout, wire, own, exponent, is_proved=is_right)
        yield f"    assign {ports[bit]:<{pad}} = {text};"


def _readout_text(net: Network, exponents: set[int], *, is_right: bool) -> str:
    readout = net.readout
    if readout.kind == "exact":
        if is_right:
            return "exact; proved: each value is 0 or 1, so the bit of weight 1 is the value"
        return "exact; a value that is neither 0 nor 1 reads as 0"
    units = f", in units of 2^{min(exponents)}" if exponents == {min(exponents)} != {0} else ""
    return in_comment(f"{readout}{units}")
