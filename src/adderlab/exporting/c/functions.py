"""The functions of a header: what unpacks numbers, each layer, and the layers one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from adderlab.exporting.c.plan import LayerPlan, Plan, Source
from adderlab.exporting.c.tables import BYTES, SIGNED, Table
from adderlab.exporting.subject import in_comment
from adderlab.nets.wiring import INPUT

NAMED_BYTES: Final = 128
"""Bytes of all layers' values up to which each layer has an array of its own name."""

SMALL: Final = 1 << 16
"""What a counter of 16 bits does not reach."""

MOST_SHOWN: Final = 24
"""Packed numbers of a table up to which its comment shows them."""


@dataclass(frozen=True, slots=True)
class Buffer:
    """An array on the stack, which holds the values of one layer after another."""

    name: str
    type: str
    size: int


@dataclass(frozen=True, slots=True)
class Buffers:
    """Where the values of each layer lie.

    Attributes:
        arrays: in the order in which they are defined.
        of: by the layer's name.
    """

    arrays: tuple[Buffer, ...]
    of: dict[str, str]

    @property
    def size_bytes(self) -> int:
        """The bytes of all arrays."""
        return sum(BYTES[array.type] * array.size for array in self.arrays)


def buffers_of(plan: Plan) -> Buffers:
    """Return arrays for layers' values; where they are large, a later one takes an earlier's."""
    is_direct = len(plan.outputs) == 1
    own = [layer for layer in plan.layers if not (is_direct and layer.name == plan.outputs[0].name)]
    direct = {plan.outputs[0].name: "y"} if is_direct else {}
    if sum(BYTES[layer.value_type] * layer.n_out for layer in own) <= NAMED_BYTES:
        arrays = [Buffer(layer.name, layer.value_type, layer.n_out) for layer in own]
        return Buffers(tuple(arrays), {layer.name: layer.name for layer in own} | direct)
    last = {
        source.name: place for place, layer in enumerate(plan.layers) for source in layer.sources
    }
    last |= {source.name: len(plan.layers) for source in plan.outputs}
    sizes: dict[tuple[str, int], int] = {}
    free: dict[str, list[tuple[str, int]]] = {}
    taken: dict[str, tuple[str, int]] = {}
    for place, layer in enumerate(plan.layers):
        if layer in own:
            waiting = free.setdefault(layer.value_type, [])
            slot = waiting.pop() if waiting else (layer.value_type, _count(sizes, layer.value_type))
            sizes[slot] = max(sizes.get(slot, 0), layer.n_out)
            taken[layer.name] = slot
        for source in layer.sources:
            if last[source.name] == place and source.name in taken:
                slot = taken[source.name]
                free[slot[0]].append(slot)
    names = {slot: f"values{number}" for number, slot in enumerate(sizes, start=1)}
    arrays = [Buffer(names[slot], slot[0], size) for slot, size in sizes.items()]
    return Buffers(tuple(arrays), {name: names[slot] for name, slot in taken.items()} | direct)


def _count(sizes: dict[tuple[str, int], int], type_: str) -> int:
    return sum(slot[0] == type_ for slot in sizes)


def unpacking(plan: Plan, base: str) -> list[str]:
    """Return the functions that take a number from a packed table, one for each width."""
    widths = dict.fromkeys(table.bits for table in plan.tables if table.bits)
    return [line for bits in widths for line in (*_unpacking(bits, base), "")]


def _unpacking(bits: int, base: str) -> list[str]:
    head = f"static inline int8_t {base}_{bits}_bit(const uint8_t *table, uint_fast32_t at) {{"
    if bits == 1:
        return [
            "/* A number of a packed table: a bit each, the lowest first; a 1 is -1, a 0 is 1. */",
            head,
            "  return (table[at >> 3] >> (at & 7u) & 1) ? -1 : 1;",
            "}",
        ]
    mask, sign = (1 << bits) - 1, 1 << bits - 1
    if 8 % bits == 0:
        per = 8 // bits
        shift = per.bit_length() - 1
        take = [
            f"  const int code = table[at >> {shift}] >> {bits} * (at & {per - 1}u) & {mask};",
        ]
    else:
        take = [
            f"  const uint_fast32_t bit = {bits} * at;",
            "  const uint8_t *byte = table + (bit >> 3);",
            "  /* A number may go on in the next byte. */",
            f"  const unsigned next = (bit & 7u) > {8 - bits} ? byte[1] : 0;",
            f"  const int code = (int)((byte[0] | next << 8) >> (bit & 7u) & {mask}u);",
        ]
    return [
        f"/* A number of a packed table: {bits} bits each, lowest first, in two's complement. */",
        head,
        *take,
        f"  return (int8_t)((code ^ {sign}) - {sign});",
        "}",
    ]


def curve_functions(plan: Plan, base: str, mark: str) -> list[str]:
    """Return the functions of curves."""
    return [
        line
        for curve in plan.curves
        for line in (
            f"/* {in_comment(curve.about)} */",
            f"{mark}static inline {plan.raw_type} {base}_{curve.name}({plan.raw_type} x) {{",
            curve.body,
            "}",
            "",
        )
    ]


def layer_text(layer: LayerPlan, base: str, mark: str) -> list[str]:
    """Return a layer's comment, its tables and its function."""
    entries = layer.weight.numbers.size if layer.weight is not None else 0
    count = "uint_fast16_t" if max(entries, layer.n_in, layer.n_out) < SMALL else "uint_fast32_t"
    parameters = ", ".join(f"const {s.type} *{_parameter(s, layer)}" for s in layer.sources)
    body: list[str] = []
    if layer.weight is None:
        body += [f"  (void){_parameter(source, layer)};" for source in layer.sources]
    elif layer.is_joined:
        body += _joining(layer, count)
    body.append(f"  for ({count} unit = 0; unit < {layer.n_out}; unit++) {{")
    body += [f"    {line}" for line in _sum(layer, base, count)]
    value = layer.value
    if layer.value_type != layer.sum_type or value != "sum":
        value = value if layer.is_float else f"({layer.value_type})({value})"
    body += [f"    y[unit] = {value};", "  }"]
    return [
        *_comment([*layer.about, *_shown(layer)]),
        *(table.text(base) for table in layer.tables),
        "",
        f"{mark}static inline void {base}_{layer.name}({parameters}, {layer.value_type} *y) {{",
        *body,
        "}",
        "",
    ]


def _shown(layer: LayerPlan) -> list[str]:
    """Return few packed numbers, for people."""
    texts: list[str] = []
    for table in (layer.weight, layer.bias):
        if table is not None and table.bits and table.numbers.size <= MOST_SHOWN:
            rows = table.numbers if table.numbers.ndim == 2 else [table.numbers]
            shown = "; ".join(" ".join(str(number) for number in row) for row in rows)
            texts.append(f"{table.name.removeprefix(layer.name + '_')}: {shown}")
    return texts


def _comment(lines: Sequence[str]) -> list[str]:
    texts = [in_comment(line) for line in lines]
    if len(texts) == 1:
        return [f"/* {texts[0]} */"]
    return [f"/* {texts[0]}", *(f"   {text}" for text in texts[1:-1]), f"   {texts[-1]} */"]


def _parameter(source: Source, layer: LayerPlan) -> str:
    return source.name if layer.is_joined else "x"


def _joining(layer: LayerPlan, count: str) -> list[str]:
    """Return what lays the values that a layer reads side by side, in one unit."""
    lines = [f"  {layer.x_type} x[{layer.n_in}];"]
    start = 0
    for source in layer.sources:
        at = f"{start} + i" if start else "i"
        lines += [
            f"  for ({count} i = 0; i < {source.size}; i++)",
            f"    x[{at}] = {_converted(f'{source.name}[i]', source, layer.x_type)};",
        ]
        start += source.size
    return lines


def _converted(value: str, source: Source, type_: str) -> str:
    """Return a value that is read in the unit and the type of what it is joined with."""
    if source.factor == 1:
        return value if source.type == type_ else f"({type_}){value}"
    wide = f"({type_})" if SIGNED.get(type_, 0) > 16 else ""
    return f"({type_})({wide}{value} * {source.factor})"


def _sum(layer: LayerPlan, base: str, count: str) -> list[str]:
    """Return the lines that make ``sum`` of what a unit reads."""
    type_ = layer.sum_type
    lines = [f"{type_} sum = {'0.0f' if type_ == 'float' else '0.0' if layer.is_float else '0'};"]
    if layer.weight is not None:
        if layer.indptr is not None and layer.indices is not None:
            pointers = f"{base}_{layer.indptr.name}"
            head = f"for ({count} k = {pointers}[unit]; k < {pointers}[unit + 1]; k++)"
            place, value = "k", f"x[{base}_{layer.indices.name}[k]]"
        else:
            head = f"for ({count} i = 0; i < {layer.n_in}; i++)"
            place, value = (
                ("unit", "i") if not layer.weight.bits else (f"{layer.n_in} * unit + i",),
                "x[i]",
            )
        number = _number(layer.weight, layer.zero, base, place, layer)
        lines += [head, f"  {_added(layer, f'{number} * {value}')}"]
    if layer.scale is not None:
        scale = _at(layer.scale, base)
        lines.append(f"sum *= {scale};" if layer.is_float else f"sum = ({type_})(sum * {scale});")
    if layer.bias is not None:
        bias = _number(layer.bias, layer.bias_zero, base, ("unit",), layer)
        if layer.bias_scale is not None:
            bias = f"{bias} * {_at(layer.bias_scale, base)}"
        lines.append(_added(layer, bias))
    return lines


def _added(layer: LayerPlan, term: str) -> str:
    return f"sum += {term};" if layer.is_float else f"sum = ({layer.sum_type})(sum + {term});"


def _at(table: Table, base: str) -> str:
    """Return a row's entry of a table that holds one number for all, or one for each."""
    return f"{base}_{table.name}[{'0' if table.numbers.size == 1 else 'unit'}]"


def _number(
    table: Table, zero: Table | None, base: str, place: tuple[str, ...] | str, layer: LayerPlan
) -> str:
    """Return a number less its zero, in a type in which no product of it overflows."""
    places = (place,) if isinstance(place, str) else place
    if table.bits:
        text = f"{base}_{table.bits}_bit({base}_{table.name}, {places[0]})"
    else:
        text = f"{base}_{table.name}" + "".join(f"[{own}]" for own in places)
    if layer.is_float:
        text = text if table.type == layer.sum_type else f"({layer.sum_type}){text}"
    elif SIGNED[layer.sum_type] > 16 and (table.bits or table.type != layer.sum_type):
        text = f"({layer.sum_type}){text}"
    return text if zero is None else f"({text} - {_at(zero, base)})"


def raw_function(plan: Plan, base: str, mark: str) -> list[str]:
    """Return the function from input bits to raw outputs."""
    buffers = buffers_of(plan)
    head = f"{mark}static inline void {base}_raw(const uint8_t x[{plan.n_in}], "
    lines = [f"{head}{plan.raw_type} y[{plan.n_out}]) {{"]
    lines += [f"  {array.type} {array.name}[{array.size}];" for array in buffers.arrays]
    places = {INPUT: "x", **buffers.of}
    for layer in plan.layers:
        read = ", ".join(places[source.name] for source in layer.sources)
        lines.append(f"  {base}_{layer.name}({read}, {places[layer.name]});")
    if len(plan.outputs) > 1:
        start = 0
        for source in plan.outputs:
            at = f"{start} + i" if start else "i"
            value = _converted(f"{places[source.name]}[i]", source, plan.raw_type)
            count = "uint_fast16_t" if source.size < SMALL else "uint_fast32_t"
            lines += [
                f"  for ({count} i = 0; i < {source.size}; i++)",
                f"    y[{at}] = {value};",
            ]
            start += source.size
    return [*lines, "}", ""]
