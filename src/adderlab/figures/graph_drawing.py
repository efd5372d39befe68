"""A laid out network on paper: edges, units, numbers, and the readout of one row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adderlab.blocks.numbers import compact
from adderlab.figures.graph import LINE, Graph, Style, lay_out, lines_at
from adderlab.figures.sheet import Sheet, shortened, width_of
from adderlab.nets import Network
from adderlab.nets.walk import Enclosed, Walk, unit_names
from adderlab.nets.walk_blocks import readout_text
from adderlab.tasks import Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARGIN: Final = 14.0
DASHES: Final = (2.8, 1.7)
KEY: Final = (("positive", ()), ("negative", DASHES))


def draw_graph(net: Network, task: Task, way: Walk | None = None) -> Figure:
    """Return the drawing; call it within :func:`adderlab.figures.picture.drawing`."""
    values = _values(way)
    texts = [[_text(value) for value in column] for column in values]
    graph = lay_out(net, texts)
    style = graph.style
    names = [[shortened(name) for name in column] for column in unit_names(net, task)]
    inside = [
        style.has_names and max(map(width_of, column)) <= 2 * style.radius - 4 for column in names
    ]
    rims = [
        style.radius + (0 if is_in else 6 + max(map(width_of, column)))
        for is_in, column in zip(inside, names, strict=True)
    ]
    captions = [_caption(net, place) for place in range(len(names))]
    verdicts = _verdicts(way)
    left = max(rims[0], *(width_of(line) / 2 for line in captions[0]))
    right = max(
        rims[-1],
        *(width_of(line) / 2 for line in captions[-1]),
        *(rims[-1] + 30 + width_of(line, bold=True) for lines in verdicts for line in lines),
    )
    width = left + style.gap * (len(names) - 1) + right
    key = sum(30 + width_of(text) for text, _ in KEY) + 18
    around = style.radius + LINE * (int(style.places is not None) + int(way is not None)) + 12
    top = MARGIN + LINE * max(map(len, captions)) + around
    bottom = around + LINE + MARGIN
    sheet = Sheet(max(width, key) + 2 * MARGIN, top + graph.height + bottom)
    x0, middle = MARGIN + left, top + graph.height / 2
    _draw_edges(sheet, graph, x0, middle, values)
    for place, (column, caption) in enumerate(zip(names, captions, strict=True)):
        x = x0 + place * style.gap
        for number, line in enumerate(caption):
            sheet.text(x, MARGIN + LINE * (number + 0.5), line, color="muted")
        for unit, name in enumerate(column):
            y = middle + graph.columns[place][unit]
            _draw_unit(sheet, style, x, y, is_on=bool(values) and not _is_zero(values[place][unit]))
            lines = lines_at(y - middle, style.radius)
            if values and style.has_names:
                sheet.text(x, y + lines[0], texts[place][unit], bold=True, halo=True)
                lines = lines[1:]
            if graph.biases[place][unit]:
                sheet.text(x, y + lines[0], graph.biases[place][unit], color="muted", halo=True)
            if inside[place]:
                sheet.text(x, y, name)
            elif place == 0:
                sheet.text(x - style.radius - 6, y, name, align="right")
            elif place == len(names) - 1:
                sheet.text(x + style.radius + 6, y, name, align="left")
    x = x0 + style.gap * (len(names) - 1) + rims[-1] + 10
    for unit, lines in enumerate(verdicts):
        _draw_verdict(sheet, x, middle + graph.columns[-1][unit], lines, way, unit)
    _draw_key(sheet)
    return sheet.figure


def _draw_edges(
    sheet: Sheet, graph: Graph, x0: float, middle: float, values: list[list[Enclosed]]
) -> None:
    """Draw the edges with their weights; faint where the unit they come from is 0."""
    has_numbers = graph.style.places is not None
    for place, (rows, weights) in enumerate(zip(graph.edges, graph.weights, strict=True)):
        largest = float(abs(weights).max()) or 1.0
        spots = iter(graph.labels[place] if graph.labels is not None else ())
        for unit, row in enumerate(rows):
            for source, edge in enumerate(row):
                value = float(weights[unit, source])
                ends = [(x0 + x, middle + y) for x, y in (edge.start, edge.end)]
                if not value:
                    sheet.line(ends, color="faint", width=0.6)
                    continue
                share = abs(value) / largest
                strength = 1.0 if has_numbers else 0.2 + 0.6 * share
                if values and _is_zero(values[place][source]):
                    strength *= 0.3
                sheet.line(
                    ends,
                    color="positive" if value > 0 else "negative",
                    width=0.9 + 2.1 * share if has_numbers else 0.4 + 1.2 * share,
                    dashes=() if value > 0 else DASHES,
                    opacity=strength,
                )
                if edge.label and graph.labels is not None:
                    x, y = next(spots)
                    sheet.text(x0 + x, middle + y, edge.label, halo=True)


def _draw_unit(sheet: Sheet, style: Style, x: float, y: float, *, is_on: bool) -> None:
    """Draw a unit, filled where its value is not 0."""
    sheet.circle(x, y, style.radius, zorder=3)
    if is_on:
        shade = 0.25 if style.has_names else 1.0
        sheet.circle(x, y, style.radius, fill="positive", opacity=shade, zorder=4)


def _draw_verdict(
    sheet: Sheet, x: float, y: float, lines: list[str], way: Walk | None, unit: int
) -> None:
    """Write beside an output how it is read, and below it what was expected, with its mark."""
    assert way is not None
    is_right = way.outputs[unit].is_right
    sheet.text(x, y - LINE / 2 * (len(lines) - 1), lines[0], align="left")
    for line in lines[1:]:
        sheet.text(x, y + LINE / 2, line, align="left", bold=not is_right)
        end = x + width_of(line, bold=not is_right)
        sheet.mark(end + 11, y + LINE / 2, right=is_right, size=8)


def _draw_key(sheet: Sheet) -> None:
    x, y = MARGIN, sheet.height - MARGIN - LINE / 2
    for text, dashes in KEY:
        sheet.line([(x, y), (x + 24, y)], color=text, width=2.0, dashes=dashes)
        sheet.text(x + 30, y, text, color="muted", align="left")
        x += 30 + width_of(text) + 18


def _caption(net: Network, place: int) -> list[str]:
    """Return what stands above a column: what it is, its activation, how it is read."""
    if place == 0:
        return ["inputs"]
    kind = str(net.layers[place - 1].activation)
    if place < len(net.layers):
        return [f"hidden {place}" if len(net.widths) > 1 else "hidden", kind]
    readout = "must be 0 or 1" if net.readout.kind == "exact" else f"1 where {net.readout}"
    return ["outputs", *([kind] if kind != "identity" else []), readout]


def _values(way: Walk | None) -> list[list[Enclosed]]:
    """Return the values of all units, column by column; nothing without a walk."""
    if way is None:
        return []
    inputs = [product.factor for product in way.layers[0].units[0].products]
    return [inputs, *([unit.value for unit in layer.units] for layer in way.layers)]


def _text(value: Enclosed) -> str:
    return ("" if value.is_exact else "≈") + compact(value.middle)


def _is_zero(value: Enclosed) -> bool:
    return value.is_exact and not value.low


def _verdicts(way: Walk | None) -> list[list[str]]:
    """Return the lines beside each output: how it is read, and what was expected."""
    if way is None:
        return []
    return [
        [readout_text(way.readout, output)]
        + ([] if output.expected is None else [f"expected {output.expected}"])
        for output in way.outputs
    ]
