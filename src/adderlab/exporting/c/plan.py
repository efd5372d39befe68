"""What a header computes, layer by layer: types, tables, and the value of each sum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

from adderlab.errors import NetworkError
from adderlab.exporting.c.tables import BYTES, Table
from adderlab.nets import Layer

OTHERS: Final = "export to json or html, which hold any number"
WIDER: Final = "export to verilog, json or html, which hold any"


@dataclass(frozen=True, slots=True)
class Source:
    """What a layer reads: the values of another, or the input.

    Attributes:
        name: ``input`` or ``fc1``.
        size: how many values.
        type: of each.
        factor: what each is multiplied by, so that all that is read together has one unit.
    """

    name: str
    size: int
    type: str
    factor: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class LayerPlan:
    """A layer as it is computed.

    Attributes:
        name: ``fc1``.
        about: what it is, for its comment, a line each.
        sources: what it reads, joined in this order.
        n_out: how many values it gives.
        x_type: of what it reads, joined.
        sum_type: in which sums are taken.
        value_type: of what it gives.
        value: what becomes of ``sum``, as an expression.
        weight: the numbers; ``None`` of a sparse matrix without entries.
        indptr: of a sparse matrix, where each row begins among its entries.
        indices: of a sparse matrix, the column of each entry.
        zero: what is taken from each weight, for all rows or for each.
        scale: what each sum of products is multiplied by, likewise.
        bias: the numbers.
        bias_zero: as of the weight.
        bias_scale: as of the weight.
        slope: of each unit, where they differ.
    """

    name: str
    about: tuple[str, ...]
    sources: tuple[Source, ...]
    n_out: int
    x_type: str
    sum_type: str
    value_type: str
    value: str
    weight: Table | None
    indptr: Table | None = None
    indices: Table | None = None
    zero: Table | None = None
    scale: Table | None = None
    bias: Table | None = None
    bias_zero: Table | None = None
    bias_scale: Table | None = None
    slope: Table | None = None

    @property
    def n_in(self) -> int:
        """How many values it reads."""
        return sum(source.size for source in self.sources)

    @property
    def is_joined(self) -> bool:
        """Whether what it reads is laid side by side, or brought to another unit, first."""
        return len(self.sources) > 1 or any(source.factor > 1 for source in self.sources)

    @property
    def tables(self) -> Iterator[Table]:
        """The tables in the order in which they are written."""
        every = (self.indptr, self.indices, self.weight, self.zero, self.scale)
        every += (self.bias, self.bias_zero, self.bias_scale, self.slope)
        return (table for table in every if table is not None)

    @property
    def is_float(self) -> bool:
        """Whether sums are floats."""
        return self.sum_type in ("float", "double")


@dataclass(frozen=True, slots=True)
class Curve:
    """The function of a curve: ``tanh`` of a layer's sums.

    Attributes:
        name: what follows the header's name in its own.
        about: what it is.
        body: its lines, of ``x``.
        needs_library: whether it calls the C library.
    """

    name: str
    about: str
    body: str
    needs_library: bool


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What a header computes.

    Attributes:
        layers: in the order in which they are computed.
        outputs: the layers that are read out, joined in this order.
        raw_type: of the raw outputs.
        exponent: the raw outputs are counted in units of ``2**exponent``.
        threshold: what an output is compared with; ``None`` where it is 0 or 1 as it stands.
        convention: ``>`` or ``>=``.
        raw_of_1: the raw output that is 1; ``None`` where none is.
        curves: the functions of activations.
        about: the arithmetic in words, a line each.
        form: the float format whose arithmetic it is; ``None`` of whole numbers.
        has_exact_raw: whether raw outputs are the network's in that arithmetic, bit by bit.
    """

    layers: tuple[LayerPlan, ...]
    outputs: tuple[Source, ...]
    raw_type: str
    exponent: int
    threshold: Table | None
    convention: str
    raw_of_1: str | None
    curves: tuple[Curve, ...]
    about: tuple[str, ...]
    form: str | None = None
    has_exact_raw: bool = True

    @property
    def n_in(self) -> int:
        """Input bits."""
        return next(s.size for layer in self.layers for s in layer.sources if s.name == "input")

    @property
    def n_out(self) -> int:
        """Output bits."""
        return sum(source.size for source in self.outputs)

    @property
    def tables(self) -> Iterator[Table]:
        """All tables, the threshold last."""
        own = chain.from_iterable(layer.tables for layer in self.layers)
        return chain(own, () if self.threshold is None else (self.threshold,))

    @property
    def table_bytes(self) -> int:
        """The bytes of all layers' tables."""
        return sum(table.size_bytes for layer in self.layers for table in layer.tables)

    @property
    def is_float(self) -> bool:
        """Whether sums are floats."""
        return self.form is not None

    @property
    def type_bytes(self) -> int:
        """The bytes of a raw output."""
        return BYTES[self.raw_type]


def layer_title(layer: Layer, name: str, reads: tuple[str, ...]) -> str:
    """Return what a layer is: ``fc1: 3 units of input, relu``."""
    kind = layer.activation
    units = "1 unit" if layer.n_out == 1 else f"{layer.n_out} units"
    what = "" if kind.kind == "identity" else f", {kind}"
    return f"{name}: {units} of {', '.join(reads)}{what}"


def too_wide(where: str) -> NetworkError:
    """Return the error of whole numbers that no type of C holds."""
    return NetworkError("its sums take more than 64 bits", where=where, remedy=WIDER)
