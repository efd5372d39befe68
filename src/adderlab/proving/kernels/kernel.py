"""What kernels have in common, and the one that is written out, ready to be run on a block.

A kernel of whole numbers decides every row. One of floats marks the rows that its bound leaves open
and those that may have the margin; so does one whose floats are exact, which marks none.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from adderlab.kernels import simd, vectors
from adderlab.kernels.compiled import Source, compiled, is_compiled
from adderlab.kernels.simd import aligned
from adderlab.kernels.vectors import lanes_of
from adderlab.nets.readout import Readout
from adderlab.nets.scaled import RELU, SAME, Bends, Line, ScaledLayer
from adderlab.proving.kernels.floats import FloatNet
from adderlab.proving.kernels.readout import Planes
from adderlab.proving.kernels.rows import Expected, Places
from adderlab.proving.kernels.scaled import ScaledNet, as_numbers
from adderlab.proving.kernels.written import written_source

MODULES: Final = (simd, vectors)
"""What the sources use; of two things of one name the later module's."""

TABLE_BYTES: Final = 1 << 14
"""Bytes of the first layer's table over the low bits, so that it stays in the first cache."""


@dataclass(slots=True)
class Limits:
    """What a kernel of floats compares with.

    Attributes:
        wrong: below which an output that should be 0, or 1, is surely wrong.
        bound: up to which an output is unclear.
        candidate: up to which an output that should be 0, or 1, may have the margin.
    """

    wrong: tuple[float, float]
    bound: float
    candidate: tuple[float, float]


@dataclass(slots=True)
class Swept:
    """What a kernel gave on a block.

    Attributes:
        wrong: places that are surely wrong.
        marked: places to be evaluated exactly.
        wrong_count: of those that are wrong and not marked.
        marked_count: of those that are marked.
        of_0: the least computed distance of outputs that should be 0, in the kernel's units; those
            that are wrong have negative ones.
        of_1: likewise of those that should be 1. ``None`` where there is none.
    """

    wrong: Callable[[], Any]
    marked: Callable[[], Any]
    wrong_count: int
    marked_count: int
    of_0: Any
    of_1: Any


class Kernel(ABC):
    """A network's kernel: how it is compiled, and how it is run on a block of places.

    Attributes:
        places: the rows.
        dtype: of the lanes.
        readout: of the network.
        bound: how far outputs may be from the exact ones; 0 where they are exact.
        exponent: outputs are counted in units of ``2**exponent``.
    """

    signature: str
    name: str
    source: str

    def __init__(
        self, places: Places, dtype: Any, readout: Readout, *, bound: float, exponent: int
    ) -> None:
        self.places, self.dtype, self.readout = places, np.dtype(dtype), readout
        self.bound, self.exponent = bound, exponent
        self.lanes = lanes_of(dtype)
        self.is_float = self.dtype.kind == "f"
        self.bits = 8 * self.dtype.itemsize

    @property
    def is_ready(self) -> bool:
        """Whether its code is in the cache, so that nothing is compiled."""
        return is_compiled(self._compiled_from)

    def compile(self, on_compile: Callable[[str], None]) -> Callable[..., None]:
        """Return the compiled function."""
        return compiled(self._compiled_from, on_compile)

    @property
    def _compiled_from(self) -> Source:
        return Source(self.name, "sweep", self.source, self.signature, MODULES)

    @property
    def far(self) -> Any:
        """The largest number of the lanes."""
        return np.finfo(self.dtype).max if self.is_float else np.iinfo(self.dtype).max

    @abstractmethod
    def call(
        self,
        function: Callable[..., None],
        block: int,
        expected: Expected,
        limits: Limits,
    ) -> Swept:
        """Run the function on a block."""

    def outputs_of_a_block(self) -> dict[str, Any]:
        """Return the arrays that a kernel writes."""
        words = self.places.size // self.lanes
        ends = np.full(2 * self.lanes, self.far, dtype=self.dtype)
        if not self.is_float:
            ends[self.lanes :] = np.iinfo(self.dtype).min
        return {
            "wrongs": np.zeros(words, dtype=np.uint64),
            "marks": np.zeros(words, dtype=np.uint64),
            "ends": ends,
            "counts": np.zeros(2, dtype=np.int64),
        }

    def swept(self, out: dict[str, Any]) -> Swept:
        """Return what the arrays say that a kernel has written."""
        least, most = out["ends"][: self.lanes].min(), out["ends"][self.lanes :]
        of_1 = None if least == self.far else self._own(least)
        if self.is_float:
            of_0 = None if most.min() == self.far else self._own(most.min())
        else:
            top = most.max()
            of_0 = None if top == np.iinfo(self.dtype).min else -self._own(top)
        wrong, marked = out["counts"].tolist()
        return Swept(
            lambda: self._where(out["wrongs"]),
            lambda: self._where(out["marks"]),
            wrong,
            marked,
            of_0,
            of_1,
        )

    def _own(self, number: Any) -> Any:
        return float(number) if self.is_float else int(number)

    def _where(self, words: Any) -> Any:
        """Return the places whose bits are set, ascending."""
        narrow = words.astype(f"<u{self.lanes // 8}").view(np.uint8)
        return np.flatnonzero(np.unpackbits(narrow, bitorder="little"))

    def limit_numbers(self, limits: Limits) -> Any:
        """Return the numbers that a kernel of floats is given, each rounded to the safe side."""
        far = float(self.far)
        numbers = np.array(
            [*reversed(limits.wrong), limits.bound, *reversed(limits.candidate)], dtype=np.float64
        )
        numbers = np.clip(numbers, -far, far)
        narrow = numbers.astype(self.dtype)
        up = np.nextafter(narrow, self.dtype.type(far))
        down = np.nextafter(narrow, self.dtype.type(-far))
        narrow[2:] = np.where(narrow[2:] < numbers[2:], up[2:], narrow[2:])
        narrow[:2] = np.where(narrow[:2] > numbers[:2], down[:2], narrow[:2])
        return narrow

    def limits(self, margin_0: float, margin_1: float) -> Limits:
        """Return the limits where the margins are known to be at most these.

        Without roundings, an output that should be 0 is wrong above the threshold, or at it.
        """
        if not self.bound:
            least = float(np.finfo(self.dtype).smallest_subnormal) if self.is_float else 1.0
            wrong = (0.0, least) if self.readout.convention == ">" else (least, 0.0)
            return Limits(wrong, -np.inf, (-np.inf, -np.inf))
        bound = self.bound
        candidate = (
            np.nextafter(margin_0 + bound, np.inf),
            np.nextafter(margin_1 + bound, np.inf),
        )
        return Limits((-bound, -bound), bound, candidate)


class WrittenKernel(Kernel):
    """The kernel that is written out, in whole numbers or in floats."""

    signature_form = (
        "void({t}[::1], {t}[::1], int64, {t}[::1], {t}[::1], {i}[::1], {i}[::1], uint64[::1],"
        " uint64[::1], {t}[::1], int64[::1])"
    )

    def __init__(self, net: ScaledNet | FloatNet, readout: Readout, places: Places) -> None:
        is_float = isinstance(net, FloatNet)
        dtype = net.dtype if isinstance(net, FloatNet) else np.dtype(f"int{net.bits}")
        exponent = 0 if isinstance(net, FloatNet) else net.exponent
        bound = net.bound if isinstance(net, FloatNet) else 0.0
        super().__init__(places, dtype, readout, bound=bound, exponent=exponent)
        layers = as_layers(net) if isinstance(net, FloatNet) else _less_threshold(net)
        self.first = layers[0]
        planes = Planes(places.output_places, self.bits)
        written = written_source(layers, dtype, planes, readout, cares=places.has_cares)
        self.source = written.source
        self.signature = self.signature_form.format(t=self.dtype.name, i=f"int{self.bits}")
        self.name = f"enumeration_{'-'.join(str(layer.units) for layer in layers)}"
        unity: Any = 1.0 if is_float else 1 << max(-exponent, 0)
        near = self.far if is_float else int(np.iinfo(self.dtype).min)
        self.constants = self._numbers([self._own(self.far), near, unity, *written.constants])
        self._tables()

    def _numbers(self, values: Sequence[Any]) -> Any:
        if self.is_float:
            return np.array(values, dtype=self.dtype)
        return as_numbers([int(value) for value in values], self.bits)

    def _tables(self) -> None:
        """Make the tables of the first layer's sums over the low and the middle bits."""
        units = self.first.units
        columns = [self._column(number) for number in self.places.order]
        low = self.lanes.bit_length() - 1
        while units * self.dtype.itemsize << (low + 1) <= TABLE_BYTES:
            low += 1
        low = min(low, self.places.block_bits)
        nothing = np.zeros(units, dtype=np.float64 if self.is_float else self.dtype)
        self.low_size = 1 << low
        table = doubling(columns[:low], nothing)
        self.low = on_lines(table.T, self.dtype)
        self.middle = doubling(columns[low : self.places.block_bits], nothing)
        self.high = columns[self.places.block_bits :]
        biases = self.first.biases
        self.bias = np.array(biases) if self.is_float else as_numbers(biases, self.bits)

    def _column(self, number: int) -> Any:
        """Return what an input adds to each unit's sum."""
        weights = [dict(row).get(number, 0) for row in self.first.weights]
        return np.array(weights) if self.is_float else as_numbers(weights, self.bits)

    def call(
        self, function: Callable[..., None], block: int, expected: Expected, limits: Limits
    ) -> Swept:
        """Run the function on a block."""
        start = self.bias
        for column, bit in zip(self.high, self.places.high_bits(block), strict=True):
            start = start + column if bit else start
        bases = (self.middle + start).astype(self.dtype).ravel()
        out = self.outputs_of_a_block()
        matters = expected.planes if expected.matters is None else expected.matters
        numbers = self.limit_numbers(limits) if self.is_float else out["ends"]
        function(
            self.low, bases, self.low_size, self.constants, numbers, expected.planes, matters,
            out["wrongs"], out["marks"], out["ends"], out["counts"],
        )  # fmt: skip
        return self.swept(out)


def _less_threshold(net: ScaledNet) -> tuple[ScaledLayer, ...]:
    """Return the layers, with the threshold taken from the outputs."""
    if not net.threshold:
        return net.layers
    last = net.layers[-1]
    bends = tuple(
        Bends(
            tuple(Line(line.factor, line.constant - net.threshold) for line in own.lines),
            own.knots,
            tuple(value - net.threshold for value in own.values),
        )
        for own in last.bends
    )
    return (*net.layers[:-1], replace(last, bends=bends))


def as_layers(net: FloatNet) -> tuple[ScaledLayer, ...]:
    """Return layers of floats in the form of those in whole numbers."""
    layers: list[ScaledLayer] = []
    for layer in net.layers:
        weights: Any = tuple(
            tuple((i, w) for i, w in enumerate(row) if w) for row in layer.weight.tolist()
        )
        biases: Any = tuple(layer.bias.tolist())
        bends = tuple(_bends_of(below) for below in layer.below.tolist())
        layers.append(ScaledLayer(weights, biases, bends, 0, (), ()))
    return tuple(layers)


def _bends_of(below: float) -> Bends:
    """Return the lines of a unit whose slope below 0 is ``below``."""
    if below in (0.0, 1.0):
        return SAME if below else RELU
    slope: Any = below
    return Bends((Line(slope, 0), Line(1, 0)), (0,), (0,))


def on_lines(numbers: Any, dtype: Any) -> Any:
    """Return numbers as a flat array that begins on a cache line, so that no vector crosses one."""
    flat = np.asarray(numbers).ravel()
    own = aligned(flat.size, dtype)
    own[:] = flat
    return own


def doubling(columns: Sequence[Any], start: Any) -> Any:
    """Return the sums of all subsets of columns, the first column the lowest bit of the place."""
    table = start[None]
    for column in columns:
        table = np.concatenate([table, table + column])
    return table
