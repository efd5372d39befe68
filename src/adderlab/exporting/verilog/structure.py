"""The numbers that stand in a module, beside those of the network.

Rule: what the text says is compared, whoever wrote it: the bits that are read, each factor, each
bias, each width, what activations make of sums on both sides of every knot, and every readout.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from adderlab import limits
from adderlab.exporting.subject import Subject
from adderlab.exporting.verilog.expressions import width_of
from adderlab.exporting.verilog.module import Wires, network_of, wires_of
from adderlab.exporting.verilog.names import Names, port_bits
from adderlab.exporting.verilog.reading import Module, factors_of, read_module, value_of, wrapped
from adderlab.exporting.verilog.simulation import Fault
from adderlab.nets.convention import is_above
from adderlab.nets.readout import Readout
from adderlab.nets.scaled import Bends, Range, ScaledLayer
from adderlab.nets.wiring import INPUT, join_lists


def check_structure(text: str, subject: Subject, names: Names) -> None:
    """Raise where a module says something else than its network.

    Args:
        text: the file; of a wiring, its first module is the cell.
        subject: the network.
        names: what is called how.

    Raises:
        Fault: with the layer and the unit.
    """
    module = read_module(text)
    net, layers = network_of(subject)
    wires = wires_of(subject.task, layers, names)
    ports = port_bits(subject.task.inputs, names.words)
    for wire, bit in zip(wires.values[INPUT], subject.task.input_bits, strict=True):
        if module.bits.get(wire) != ports[bit]:
            raise Fault(f"{wire} is {module.bits.get(wire, 'no bit')}, and should be {ports[bit]}")
        _check_width(module, wire, Range(0, 1))
    outputs: dict[str, list[tuple[str, Range, int]]] = {}
    for node, scaled in zip(net.wiring.layers, layers, strict=True):
        taken = join_lists([wires.values[name] for name in node.reads])
        _check_layer(module, node.name, scaled, taken, wires)
        own = zip(wires.values[node.name], scaled.values, strict=True)
        outputs[node.name] = [(wire, values, scaled.value_exponent) for wire, values in own]
    read_out = join_lists([outputs[name] for name in net.wiring.output.reads])
    ports = port_bits(subject.task.outputs, names.words)
    for bit, (wire, values, exponent) in zip(subject.task.output_bits, read_out, strict=True):
        _check_readout(module, ports[bit], net.readout, wire, values, exponent)


def _check_layer(
    module: Module, layer: str, scaled: ScaledLayer, taken: Sequence[str], wires: Wires
) -> None:
    """Raise where a unit's sum, its activation or a width is another."""
    for unit, (terms, bias) in enumerate(zip(scaled.weights, scaled.biases, strict=True)):
        limits.check()
        value, total = wires.values[layer][unit], wires.sums[layer][unit]
        has_sum = total in module.assigned
        sums = Range(scaled.low[unit], scaled.high[unit])
        expected = {taken[place]: factor for place, factor in terms} | {"": bias}
        own = total if has_sum else value
        if own not in module.assigned:
            raise Fault(f"{own} is assigned nothing")
        if sums.low == sums.high:
            expected = {"": sums.low}
        _check_factors(own, factors_of(module.assigned[own]), expected)
        _check_width(module, own, sums)
        if has_sum:
            _check_width(module, value, scaled.values[unit])
        for number in _samples(sums, scaled.bends[unit].knots):
            got = number
            if has_sum:
                tree = module.assigned.get(value)
                if tree is None:
                    raise Fault(f"{value} is assigned nothing")
                got = wrapped(value_of(tree, {total: number}), module.widths[value])
            if got != _activated(scaled.bends[unit], number):
                raise Fault(
                    f"{value} is {got} where its sum is {number}, and should be "
                    f"{_activated(scaled.bends[unit], number)}"
                )


def _check_factors(name: str, own: Mapping[str, int], expected: Mapping[str, int]) -> None:
    for wire in dict.fromkeys((*expected, *own)):
        got, right = own.get(wire, 0), expected.get(wire, 0)
        if got != right:
            what = f"the factor of {wire}" if wire else "the number added"
            raise Fault(f"in {name} {what} is {got}, and should be {right}")


def _check_width(module: Module, name: str, own: Range) -> None:
    got = module.widths.get(name)
    if got != width_of(own):
        raise Fault(
            f"{name} is not declared as signed"
            if got is None
            else f"{name} has {got} bits, and {own.low} to {own.high} needs {width_of(own)}"
        )


def _check_readout(
    module: Module, port: str, readout: Readout, wire: str, own: Range, exponent: int
) -> None:
    """Raise where a value on either side of the limit reads as another bit."""
    tree = module.assigned.get(port)
    if tree is None:
        raise Fault(f"{port} is assigned nothing")
    grid = Fraction(2) ** exponent
    is_exact = readout.kind == "exact"
    limit = Fraction(1) if is_exact else Fraction(readout.threshold)
    nearest = limit // grid
    for number in _samples(own, (int(nearest), int(nearest) + 1)):
        value = number * grid
        if is_exact and value not in (0, 1):
            continue  # what these read as, the rows show
        right = value == 1 if is_exact else is_above(value, limit, readout.convention)
        if value_of(tree, {wire: number}) != right:
            raise Fault(f"{port} is {int(not right)} where {wire} is {number}")


def _samples(own: Range, knots: Iterable[int]) -> list[int]:
    """Return both ends of a range, 0, knots, and the numbers beside them."""
    numbers = {own.low, own.high}
    for knot in (0, *knots):
        numbers |= {knot - 1, knot, knot + 1}
    return sorted(number for number in numbers if own.low <= number <= own.high)


def _activated(bends: Bends, total: int) -> int:
    for knot, value, line in zip(bends.knots, bends.values, bends.lines, strict=False):
        if total < knot:
            return bends.at(line, total)
        if total == knot:
            return value
    return bends.at(bends.lines[-1], total)
