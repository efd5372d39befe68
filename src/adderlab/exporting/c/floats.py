"""A network in float or double, operation by operation as the proof of that format has it.

Rule: products are summed from left to right, then the bias is added, and each operation rounds
once. No sum can leave the range of its type, which is checked here, so nothing is infinite or NaN.
Whole numbers stay whole numbers: with scales, the scale multiplies the sum of products.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from adderlab import limits
from adderlab.errors import NetworkError
from adderlab.exporting.c.expressions import curve_body, float_lines, needs_library
from adderlab.exporting.c.plan import OTHERS, Curve, LayerPlan, Plan, Source, layer_title
from adderlab.exporting.c.stored import Stored, stored
from adderlab.exporting.c.tables import Table, float_literal, unsigned_type
from adderlab.formats import FORMATS, Format
from adderlab.nets import Activation, Layer, Network
from adderlab.nets.constants import overflowing, rounded_to
from adderlab.nets.dyadic import Dyadic
from adderlab.nets.tensors import Dense, Scaled, Tensor, entries_of, structure_of
from adderlab.nets.wiring import INPUT, join_arrays

if TYPE_CHECKING:
    from jaxtyping import Float64

Doubles: TypeAlias = "Float64[np.ndarray, '*shape']"

TYPES: Final = {"fp32": "float", "fp64": "double"}


def float_plan(net: Network, base: str) -> Plan:
    """Return a network in the narrowest float type of C that holds its numbers.

    Raises:
        NetworkError: no type of C holds a number, or a sum may leave its range.
    """
    keeps_codes = FORMATS[net.format].kind != "float"
    form = _form(net, keeps_codes=keeps_codes)
    type_ = TYPES[form.name]
    largest = float(form.largest)
    source = Source(INPUT, net.n_in, "uint8_t")
    sources, bounds = {INPUT: source}, {INPUT: np.ones(net.n_in)}
    layers: list[LayerPlan] = []
    curves: dict[Activation, Curve] = {}
    for node, layer in zip(net.wiring.layers, net.layers, strict=True):
        limits.check()
        activation = layer.activation.with_constants(lambda value: rounded_to(form, value))
        bound = join_arrays([bounds[name] for name in node.reads])
        sums = _largest_sums(layer, bound)
        with np.errstate(over="ignore", invalid="ignore"):
            ends = activation.image(-sums, sums)
            values = np.maximum(np.abs(ends[0]), np.abs(ends[1]))
        if not (np.maximum(sums, values) < largest / 2).all() or overflowing(activation, form):
            raise NetworkError(
                f"a sum may leave the range of {type_}, up to {largest:.3g}",
                where=node.name,
                remedy=OTHERS,
            )
        bounds[node.name] = values
        sources[node.name] = Source(node.name, layer.n_out, type_)
        reads = tuple(sources[name] for name in node.reads)
        layers.append(
            _layer(layer, node.name, reads, activation, curves, _Style(base, type_, keeps_codes))
        )
    threshold = None
    if net.readout.kind == "threshold":
        limit = rounded_to(form, net.readout.threshold)
        limit = min(max(limit, -largest), largest)  # beyond it no output is
        threshold = Table("threshold", np.array([limit]), type_)
    about = [f"Sums in {type_}: products from left to right, then the bias, each rounded once."]
    if keeps_codes:
        about.append("Weights are whole numbers; a scale multiplies the sum of their products.")
    elif net.format != form.name:
        about.append(f"{type_} is wider than {net.format}: the numbers are the same, and the bits,")
        about.append("which were compared; raw outputs may be closer to the exact ones.")
    return Plan(
        tuple(layers),
        tuple(sources[name] for name in net.output_layers),
        type_,
        0,
        threshold,
        net.readout.convention,
        "1",
        tuple(curves.values()),
        tuple(about),
        form.name,
        all(layer.activation.is_exact for layer in net.layers),
    )


@dataclass(frozen=True, slots=True)
class _Style:
    base: str
    type: str
    keeps_codes: bool


def _layer(
    layer: Layer,
    name: str,
    reads: tuple[Source, ...],
    activation: Activation,
    curves: dict[Activation, Curve],
    style: _Style,
) -> LayerPlan:
    type_ = style.type

    def number(value: float) -> str:
        return float_literal(value, type_)

    slope = None
    if len(set(activation.slopes)) > 1:
        slope = Table(f"{name}_slope", np.array(activation.slopes), type_)
    pieces = activation.of_unit(0).pieces
    if pieces is not None:
        value = float_lines(pieces, number, f"{style.base}_{slope.name}[unit]" if slope else "")
    else:
        if activation not in curves:
            suffix = f"_{len(curves) + 1}" if curves else ""
            curves[activation] = Curve(
                f"curve{suffix}",
                str(activation),
                curve_body(activation, type_),
                needs_library(activation),
            )
        value = f"{style.base}_{curves[activation].name}(sum)"
    tables: dict[str, Table | None] = {"weight": None}
    weight = stored(layer.weight)
    structure = weight.structure
    if weight.numbers.integers.size:
        tables |= _numbers(layer.weight, weight, f"{name}_weight", ("zero", "scale"), style, name)
        if structure is not None:
            for field, numbers in (("indptr", structure.indptr), ("indices", structure.indices)):
                tables[field] = Table(f"{name}_{field}", numbers, unsigned_type(int(numbers.max())))
    if layer.bias is not None:
        own = _numbers(layer.bias, stored(layer.bias), f"{name}_bias", ("zero", "scale"), style)
        tables |= {"bias": own["weight"]}
        tables |= {f"bias_{field}": own[field] for field in ("zero", "scale") if field in own}
    joined = next((source.type for source in reads if len(reads) == 1), type_)
    return LayerPlan(
        name,
        (layer_title(layer, name, tuple(source.name for source in reads)),),
        reads,
        layer.n_out,
        joined,
        type_,
        type_,
        value,
        slope=slope,
        **tables,
    )


def _numbers(
    tensor: Tensor,
    own: Stored,
    table: str,
    fields: tuple[str, str],
    style: _Style,
    prefix: str = "",
) -> dict[str, Table | None]:
    """Return the tables of a tensor: its whole numbers with their scales, or its values."""
    codes = own.table(table) if style.keeps_codes and own.is_whole else None
    if codes is None:
        values = tensor.exact() if own.structure is None else entries_of(tensor)
        return {"weight": Table(table, values.to_floats(), style.type)}
    tables: dict[str, Table | None] = {"weight": codes}
    for field, part in zip(fields, (own.zero, own.scale), strict=True):
        if part is not None:
            name = f"{prefix}_{field}" if prefix else f"{table}_{field}"
            tables[field] = Table(name, part.to_floats().ravel(), style.type)
    return tables


def _form(net: Network, *, keeps_codes: bool) -> Format:
    """Return the narrowest float format of C that holds a network's numbers, at least its own."""
    names = ("fp64",) if net.format == "fp64" else ("fp32", "fp64")
    for form in (FORMATS[name] for name in names):
        if all(_is_held(tensor, form, keeps_codes=keeps_codes) for _, tensor in net.tensors()):
            return form
    name = next(
        name
        for name, tensor in net.tensors()
        if not _is_held(tensor, FORMATS["fp64"], keeps_codes=keeps_codes)
    )
    raise NetworkError("it holds a number that is no double", where=name, remedy=OTHERS)


def _is_held(tensor: Tensor, form: Format, *, keeps_codes: bool) -> bool:
    own = stored(tensor)
    if not isinstance(tensor, Scaled) or not keeps_codes or not own.is_whole:
        return _are_held(entries_of(tensor), form)
    plain = Scaled(tensor.q, Dense(np.array(1.0)), tensor.zero)
    return all(_are_held(part, form) for part in (entries_of(plain), tensor.scale.exact()))


def _are_held(values: Dyadic, form: Format) -> bool:
    if not values.is_double:
        return False
    floats = values.to_floats()
    return bool((form.round(floats) == floats).all())


def _largest_sums(layer: Layer, bound: Any) -> Any:
    """Return bounds on what a layer computes of values up to a bound: every product and sum."""
    with np.errstate(over="ignore", invalid="ignore"):
        own = stored(layer.weight)
        parts = [np.abs(entries_of(layer.weight).to_floats())]
        if own.scale is not None and isinstance(layer.weight, Scaled):
            plain = Scaled(layer.weight.q, Dense(np.array(1.0)), layer.weight.zero)
            parts.append(np.abs(entries_of(plain).to_floats()))
        structure = structure_of(layer.weight)
        sums = np.zeros(layer.n_out)
        for part in parts:
            if structure is None:
                total = part @ bound
            else:
                products = part * bound[structure.indices.astype(np.int64)]
                total = np.bincount(
                    structure.row_of_entry(), weights=products, minlength=layer.n_out
                )
            sums = np.maximum(sums, total)
        if layer.bias is not None:
            sums = sums + np.abs(layer.bias.exact().to_floats())
        return np.where(np.isnan(sums), np.inf, sums)
