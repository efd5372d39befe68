"""One input's way through a network: every product, sum and activation, and how bits are read.

Rule: every number is exact, or, of tanh, two fractions between which it lies; none is a double.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import count, islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.blocks import Block, Result
from adderlab.checking import described
from adderlab.errors import TaskError
from adderlab.nets.activations import Activation
from adderlab.nets.evaluation import enclose_layers, is_exact, trace
from adderlab.nets.network import Layer, Network
from adderlab.nets.readout import Readout, read_bit
from adderlab.nets.walk_blocks import walk_blocks
from adderlab.nets.wiring import INPUT, join_lists, layer_number
from adderlab.tasks import Task
from adderlab.tasks.task import RowBlock, Word
from adderlab.tasks.wording import NO_BITS, named, sum_of

if TYPE_CHECKING:
    from jaxtyping import UInt8

MOST_BIT_INPUTS: Final = 8

LARGEST_LISTED: Final = 200_000
"""Parameters of a network up to which every product is listed."""


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A number known by two fractions between which it lies; exact where these are equal."""

    low: Fraction
    high: Fraction

    @property
    def is_exact(self) -> bool:
        """Whether the number itself is known."""
        return self.low == self.high

    @property
    def middle(self) -> Fraction:
        """The number itself, or the middle of the two fractions."""
        return (self.low + self.high) / 2

    def times(self, factor: Fraction) -> Enclosed:
        """Return the product with an exact number."""
        ends = (self.low * factor, self.high * factor)
        return Enclosed(min(ends), max(ends))

    def minus(self, other: Fraction) -> Enclosed:
        """Return the difference to an exact number."""
        return Enclosed(self.low - other, self.high - other)

    def to_dict(self) -> dict[str, Any]:
        """Return the nearest JSON number, and the exact one as a string, ``null`` for tanh."""
        return {
            "value": json_number(self.middle),
            "exact": str(self.low) if self.is_exact else None,
        }


@dataclass(frozen=True, slots=True)
class Product:
    """One weight times the value of the unit it comes from."""

    source: str
    weight: Fraction
    factor: Enclosed

    @property
    def value(self) -> Enclosed:
        """The product."""
        return self.factor.times(self.weight)


@dataclass(frozen=True, slots=True)
class UnitStep:
    """What one unit does.

    Attributes:
        name: the unit's name: ``h1``, of an output its bit's.
        products: one for each unit before it; none where a network is too large to list them.
        bias: ``None`` where the layer has none.
        sum: products and bias.
        value: what the activation makes of the sum.
    """

    name: str
    products: tuple[Product, ...]
    bias: Fraction | None
    sum: Enclosed
    value: Enclosed

    def to_dict(self) -> dict[str, Any]:
        """Return the unit's name, products, bias, sum and value."""
        return {
            "unit": self.name,
            "products": [
                {
                    "from": product.source,
                    "weight": json_number(product.weight),
                    "factor": product.factor.to_dict(),
                    "product": product.value.to_dict(),
                }
                for product in self.products
            ],
            "bias": None if self.bias is None else json_number(self.bias),
            "sum": self.sum.to_dict(),
            "value": self.value.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class LayerWalk:
    """What one layer does: ``fc1`` with its activation, unit by unit.

    Attributes:
        name: of the layer.
        activation: of its sums.
        units: in order.
        reads: in a graph, what it reads; empty in a chain.
    """

    name: str
    activation: Activation
    units: tuple[UnitStep, ...]
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OutputStep:
    """How one output becomes a bit.

    Attributes:
        name: the bit's name.
        raw: the output.
        got: the bit; ``None`` where the output is none, or tanh leaves it open.
        expected: the bit that the task asks for; ``None`` where any will do.
    """

    name: str
    raw: Enclosed
    got: int | None
    expected: int | None

    @property
    def is_right(self) -> bool:
        """Whether the bit is as expected."""
        return self.expected is None or self.got == self.expected


@dataclass(frozen=True, slots=True)
class Walk(Result):
    """One input's way through a network.

    Attributes:
        input: the input words.
        expected: the output words that the task asks for; ``None`` where any will do.
        got: the output words that the bits make; ``None`` where one of them is no bit.
        readout: how outputs become bits.
        layers: from the input to the output.
        outputs: the readout of each output.
    """

    input: dict[str, int]
    expected: dict[str, int | None]
    got: dict[str, int | None]
    readout: Readout
    layers: tuple[LayerWalk, ...]
    outputs: tuple[OutputStep, ...]

    @property
    def is_right(self) -> bool:
        """Whether every output bit that matters is as expected."""
        return all(output.is_right for output in self.outputs)

    def to_dict(self) -> dict[str, Any]:
        return {
            "input": self.input,
            "expected": self.expected,
            "got": self.got,
            "readout": str(self.readout),
            "layers": [
                {
                    "layer": layer.name,
                    **({"reads": list(layer.reads)} if layer.reads else {}),
                    "activation": str(layer.activation),
                    "units": [unit.to_dict() for unit in layer.units],
                }
                for layer in self.layers
            ],
            "outputs": [
                {
                    "bit": output.name,
                    "raw": output.raw.to_dict(),
                    "got": output.got,
                    "expected": output.expected,
                    "right": output.is_right,
                }
                for output in self.outputs
            ],
        }

    def blocks(self) -> tuple[Block, ...]:
        return walk_blocks(self)

    def __repr__(self) -> str:
        return f"Walk: {sum_of(self.input)} gives {named(self.got, other=NO_BITS)}"


def walk(net: Network, task: Task, inputs: Mapping[str, int]) -> Walk:
    """Return one input's way through the network.

    Args:
        net: any network; beyond :data:`LARGEST_LISTED` parameters products are left out.
        task: what it is held against; of an unknown one, :func:`nameless_task`.
        inputs: the input words.

    Raises:
        TaskError: the task does not fit, or a word is missing, unknown or out of its range.
    """
    net.check_fits(task)
    words = checked_words(task, inputs)
    block = block_of_rows(task, [words])
    bits = block.inputs
    names = unit_names(net, task)
    steps = _exact_layers(net, bits) if is_exact(net) else _enclosed_layers(net, bits[0])
    inputs_shown = [_exactly(Fraction(int(bit))) for bit in bits[0]]
    values = {INPUT: list(zip(names[0], inputs_shown, strict=True))}
    layers: list[LayerWalk] = []
    is_listed = net.parameters <= LARGEST_LISTED
    for node, layer, own, (sums, activated) in zip(
        net.wiring.layers, net.layers, names[1:], steps, strict=True
    ):
        sources = node.take(values, join_lists) if is_listed else []
        units = _units(layer, sources, own, sums, activated)
        reads = () if net.is_chain else node.reads
        layers.append(LayerWalk(node.name, layer.activation, units, reads))
        values[node.name] = list(zip(own, activated, strict=True))
    expected = [
        None if block.cares is not None and not block.cares[0, i] else int(bit)
        for i, bit in enumerate(block.expected[0])
    ]
    outputs = tuple(
        OutputStep(name, raw, read_bit(net.readout, raw.low, raw.high), bit)
        for name, (_, raw), bit in zip(
            task.output_bits, net.wiring.output.take(values, join_lists), expected, strict=True
        )
    )
    return Walk(
        words,
        task.row_of(words).outputs,
        words_of(task, [output.got for output in outputs]),
        net.readout,
        tuple(layers),
        outputs,
    )


def unit_names(net: Network, task: Task) -> list[tuple[str, ...]]:
    """Return the names of the inputs, then of each layer's units: ``a b``, ``h1 h2 h3``, ``c1 c0``.

    With several hidden layers, unit 2 of the first is ``h1.2``. Units that are read out have the
    names of the task's output bits.
    """
    names = {INPUT: task.input_bits}
    ends = iter(task.output_bits)
    for name in net.output_layers:
        names[name] = tuple(islice(ends, net.layers[layer_number(name) - 1].n_out))
    several = len(net.widths) > 1
    hidden = count(1)
    for number, layer in enumerate(net.layers, start=1):
        if (name := f"fc{number}") not in names:
            place = f"{next(hidden)}." if several else ""
            names[name] = tuple(f"h{place}{unit}" for unit in range(1, layer.n_out + 1))
    return [names[name] for name in (INPUT, *(node.name for node in net.wiring.layers))]


def nameless_task(net: Network) -> Task:
    """Return a task of the network's shape that expects nothing.

    Its inputs are ``x1``, ``x2`` and so on, or one word ``x`` where there are many; its output
    is the word ``y``.
    """
    if net.n_in <= MOST_BIT_INPUTS:
        inputs = tuple(Word(f"x{number}", 1) for number in range(1, net.n_in + 1))
    else:
        inputs = (Word("x", net.n_in),)
    return Task(
        name="no task",
        inputs=inputs,
        outputs=(Word("y", net.n_out),),
        rule=lambda words: {"y": np.asarray(words[inputs[0].name]) * 0 - 1},
        title="no task is known",
        any_value=-1,
    )


def checked_words(task: Task, inputs: Mapping[str, int]) -> dict[str, int]:
    """Return the input words in the task's order.

    Raises:
        TaskError: a word is missing, unknown, no whole number or out of its range.
    """
    shown = ", ".join(f"{name}={described(value)}" for name, value in inputs.items())
    if set(inputs) != {word.name for word in task.inputs} or not all(
        isinstance(inputs[word.name], int | np.integer) and 0 <= inputs[word.name] < word.size
        for word in task.inputs
    ):
        spans = ", ".join(f"{word.name} in {word.span}" for word in task.inputs)
        raise TaskError(
            f"{task.name} takes {spans}, got {shown or 'nothing'}",
            where="input",
            remedy="give a whole number for each word",
        )
    return {word.name: int(inputs[word.name]) for word in task.inputs}


def block_of_rows(task: Task, rows: Sequence[Mapping[str, int]]) -> RowBlock:
    """Return the rows with the given input words, as bits."""
    return task.block_of(task.input_words(np.array([task.index_of(words) for words in rows])))


def words_of(task: Task, bits: Iterable[int | None]) -> dict[str, int | None]:
    """Return the output words that bits make; ``None`` for a word with a bit that is none."""
    rest = iter(task.in_words(np.array(list(bits), dtype=object)).tolist())
    words: dict[str, int | None] = {}
    for word in task.outputs:
        own = [next(rest) for _ in range(word.width)]
        known = [bit for bit in own if bit is not None]
        words[word.name] = int("".join(map(str, known)), 2) if len(known) == len(own) else None
    return words


def json_number(value: Fraction | float) -> float | int | None:
    """Return the JSON number nearest to ``value``; whole ones have any size.

    ``None`` for infinities and NaN, which JSON does not have.
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value.denominator == 1:
        return int(value)
    try:
        return float(value)
    except OverflowError:
        return round(value)


def _exactly(value: Fraction) -> Enclosed:
    return Enclosed(value, value)


def _units(
    layer: Layer,
    sources: list[tuple[str, Enclosed]],
    names: tuple[str, ...],
    sums: list[Enclosed],
    activated: list[Enclosed],
) -> tuple[UnitStep, ...]:
    weight = layer.weight.exact() if sources else None
    bias = layer.bias.exact() if layer.bias is not None else None
    return tuple(
        UnitStep(
            name,
            ()
            if weight is None
            else tuple(
                Product(source, weight.at(unit, place), value)
                for place, (source, value) in enumerate(sources)
            ),
            bias.at(unit) if bias is not None else None,
            sums[unit],
            activated[unit],
        )
        for unit, name in enumerate(names)
    )


def _exact_layers(
    net: Network, bits: UInt8[np.ndarray, "1 n_in"]
) -> list[tuple[list[Enclosed], list[Enclosed]]]:
    """Return each layer's sums and values."""
    return [
        (
            [_exactly(step.sums.at(0, unit)) for unit in range(layer.n_out)],
            [_exactly(step.values.at(0, unit)) for unit in range(layer.n_out)],
        )
        for layer, step in zip(net.layers, trace(net, bits), strict=True)
    ]


def _enclosed_layers(
    net: Network, bits: UInt8[np.ndarray, " n_in"]
) -> list[tuple[list[Enclosed], list[Enclosed]]]:
    """Return each layer's sums and values."""
    sums_and_values = enclose_layers(net, bits)
    return [
        ([Enclosed(*ends) for ends in sums], [Enclosed(*ends) for ends in values])
        for sums, values in sums_and_values
    ]
