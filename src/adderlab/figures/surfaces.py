"""Decision surfaces: each output over the unit square, its threshold line, and the corners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.blocks.numbers import compact
from adderlab.figures.bands import Bands, bands_of
from adderlab.figures.contours import Contours, spaced
from adderlab.figures.edge_labels import Box
from adderlab.figures.picture import Picture, render
from adderlab.figures.sheet import SIZE, Sheet, shortened, width_of
from adderlab.nets import Network
from adderlab.nets.forward import outputs_in_double
from adderlab.nets.truth import TruthRow, inputs_text, truth_rows
from adderlab.nets.walk import block_of_rows
from adderlab.tasks import Task

if TYPE_CHECKING:
    from jaxtyping import Float64
    from matplotlib.figure import Figure

LOW, HIGH = -0.25, 1.25
SIDE: Final = 264.0
POINTS: Final = 361
MARGIN: Final = 14.0
LONGEST_NAME: Final = 40
MOST_OUTPUTS: Final = 8
LARGEST: Final = 1e100
BAR: Final = 16.0
DOT: Final = 6.5
CLEAR: Final = 5.0
"""Points that a thin line keeps from all others where its height is written."""

ROOM: Final = 40.0
"""Points of room around a label beyond which more is no better."""

SQUARE: Final = ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))


def surface_pictures(net: Network, task: Task, *, name: str = "surface") -> tuple[Picture, ...]:
    """Return a picture of each output of a network of two inputs, 8 at most; of others none.

    Blue is where the output reads as 0, orange where it reads as 1, and every blue is darker
    than every orange; the farther from the threshold, the stronger. At the corners the bits
    that are expected, filled for 1, with the raw output and whether its bit is right.
    """
    net.check_fits(task)
    if net.n_in != 2:
        return ()
    rows = list(truth_rows(net, task))
    surface = _values(net)
    return tuple(
        render(
            f"{name}-{bit}" if len(bit) <= LONGEST_NAME else f"{name}-{place}",
            f"Output {bit} over the unit square",
            _described(net, task, rows, place),
            lambda place=place: draw_surface(net, task, rows, surface[..., place], place),
        )
        for place, bit in enumerate(task.output_bits[:MOST_OUTPUTS])
    )


def draw_surface(
    net: Network,
    task: Task,
    rows: list[TruthRow],
    values: Float64[np.ndarray, "y x"],
    place: int,
) -> Figure:
    """Return the drawing; call it within :func:`adderlab.figures.picture.drawing`."""
    bands = bands_of(net, values)
    names = [shortened(name, 12) for name in task.input_bits]
    heading = f"{shortened(task.output_bits[place])}, {reading(net)}"
    left = MARGIN + width_of(names[1]) + 8
    top = MARGIN + 40
    bar = left + SIDE + 22
    right = bar + BAR + 8 + max(width_of(tick, bold=True) for tick in (*bands.ticks, "value"))
    width = max(right, MARGIN + width_of(heading, bold=True), left + 200) + MARGIN
    sheet = Sheet(width, top + SIDE + 52 + MARGIN)
    frame = Frame(left, top)
    sheet.text(left, MARGIN + 8, heading, bold=True, align="left")
    lines = _draw_bands(sheet, frame, bands, values)
    sheet.line([frame.at(x, y) for x, y in SQUARE], width=0.9, dashes=(1, 3), zorder=3)
    sheet.box(left, top, SIDE, SIDE, edge="ink", zorder=4)
    taken: list[Box] = []
    for row in rows:
        taken += _draw_corner(sheet, frame, _corner(task, row), row, place)
    _label_lines(sheet, frame, bands, lines, taken)
    for value in (0, 1):
        sheet.text(frame.at(value, 0)[0], top + SIDE + 10, str(value))
        sheet.text(left - 9, frame.at(0, value)[1], str(value))
    sheet.text(frame.at(0.5, 0)[0], top + SIDE + 10, names[0])
    sheet.text(left - 6, frame.at(0, 0.5)[1], names[1], align="right")
    _draw_bar(sheet, bands, bar, top)
    sheet.text(bar, top - 14, "raw value", color="muted", align="left")
    x, y = left + 6, top + SIDE + 40
    for text, fill in (("1 expected", "ink"), ("0 expected", "paper")):
        sheet.circle(x, y, DOT, fill=fill, edge="ink")
        sheet.text(x + 12, y, text, color="muted", align="left")
        x += 12 + width_of(text) + 22
    return sheet.figure


def _corner(task: Task, row: TruthRow) -> tuple[int, int]:
    """Return the two bits of a row's input, which may be one word or two."""
    one, two = block_of_rows(task, [row.inputs]).inputs[0]
    return int(one), int(two)


def reading(net: Network) -> str:
    """Return how an output is read: ``1 where > 0.5``."""
    return "must be 0 or 1" if net.readout.kind == "exact" else f"1 where {net.readout}"


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the plot stands on the sheet."""

    left: float
    top: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the place of a point of the plane."""
        share = SIDE / (HIGH - LOW)
        return self.left + (x - LOW) * share, self.top + (HIGH - y) * share


def _values(net: Network) -> Float64[np.ndarray, "y x n_out"]:
    """Return the outputs on a grid over the square, in doubles: good enough to draw."""
    line = np.linspace(LOW, HIGH, POINTS)
    values = np.stack(np.meshgrid(line, line), axis=-1)
    values = outputs_in_double(net, values)
    return np.clip(np.nan_to_num(values), -LARGEST, LARGEST)


def _draw_bands(
    sheet: Sheet, frame: Frame, bands: Bands, values: Float64[np.ndarray, "y x"]
) -> dict[float, Float64[np.ndarray, "point 2"]]:
    """Draw the bands and the lines between them; return places along each line."""
    across = np.linspace(frame.left, frame.left + SIDE, POINTS)
    down = np.linspace(frame.top + SIDE, frame.top, POINTS)
    contours = Contours(across, down, values, closed_below=bands.closed_below)
    places: dict[float, Float64[np.ndarray, "point 2"]] = {}
    for low, high, (name, shade) in zip(bands.levels, bands.levels[1:], bands.inks, strict=False):
        area = contours.area(low, high)
        if area is not None:
            sheet.shape(area, fill=name, opacity=shade)
    for level in bands.levels[1:-1]:
        lines = contours.lines(level)
        strong = level in bands.strong
        for line in lines:
            sheet.line(line, width=2.6 if strong else 0.7, opacity=1.0 if strong else 0.6)
        if lines:
            places[level] = np.concatenate([spaced(line, 4.0) for line in lines])
    return places


def _draw_corner(
    sheet: Sheet, frame: Frame, corner: tuple[int, int], row: TruthRow, place: int
) -> list[Box]:
    """Draw the bit expected at a corner, the raw output there and its mark; return their boxes."""
    x, y = frame.at(*corner)
    expected, got = row.expected[place], row.got[place]
    if expected is None:
        sheet.circle(x, y, DOT / 2, fill="muted", edge=None)
    else:
        sheet.circle(x, y, DOT, fill="ink" if expected else "paper", edge="ink", zorder=4)
    text = compact(row.raw[place])
    wide = width_of(text, bold=True)
    width = wide + (20 if expected is not None else 0)
    middle = y + (21 if corner[1] == 0 else -21)
    sheet.box(x - width / 2 - 4, middle - 9, width + 8, 18, fill="paper", zorder=4)
    sheet.text(x - width / 2, middle, text, align="left", bold=True)
    if expected is not None:
        sheet.mark(x + width / 2 - 6, middle, right=expected == got)
    return [Box(x, y, 2 * DOT, 2 * DOT), Box(x, middle, width + 8, 18)]


def _label_lines(
    sheet: Sheet,
    frame: Frame,
    bands: Bands,
    lines: dict[float, Float64[np.ndarray, "point 2"]],
    taken: list[Box],
) -> None:
    """Write each line's height on it, where it is farthest from all else; none without room."""
    order = sorted(lines, key=lambda level: (level not in bands.strong, abs(level - bands.middle)))
    for level in order:
        text = bands.ticks[bands.levels.index(level)]
        bold = level in bands.strong
        width, height = width_of(text, bold=bold) + 6, SIZE + 4
        low = np.array([frame.left + width / 2 + 3, frame.top + height / 2 + 3])
        high = np.array([frame.left, frame.top]) + SIDE - (low - (frame.left, frame.top))
        points = lines[level]
        if not bold:  # where lines run into one another, a height means nothing
            points = points[_distances(points, [lines[at] for at in lines if at != level]) > CLEAR]
        points = points[((points >= low) & (points <= high)).all(axis=1)]
        if not len(points):
            continue
        rooms = [
            np.maximum(
                np.abs(points[:, 0] - one.x) - (width + one.width) / 2,
                np.abs(points[:, 1] - one.y) - (height + one.height) / 2,
            )
            for one in taken
        ]
        room = np.min(rooms, axis=0)
        best = int(np.argmax(np.minimum(room, ROOM) - 0.001 * np.arange(len(room))))
        if room[best] < 2:
            continue
        x, y = map(float, points[best])
        sheet.text(x, y, text, bold=bold, halo=True)
        taken.append(Box(x, y, width, height))


def _distances(
    points: Float64[np.ndarray, "point 2"], lines: list[Float64[np.ndarray, "other 2"]]
) -> Float64[np.ndarray, " point"]:
    """Return how far each point is from the nearest of the lines."""
    found = np.full(len(points), np.inf)
    for line in lines:
        if len(line):
            apart = points[:, None, :] - line[None, :, :]
            found = np.minimum(found, np.hypot(apart[..., 0], apart[..., 1]).min(axis=1))
    return found


def _draw_bar(sheet: Sheet, bands: Bands, left: float, top: float) -> None:
    """Draw the scale: the bands from low to high, the strong levels strong."""
    low, high = bands.levels[0], bands.levels[-1]
    heights = [top + SIDE * (high - level) / (high - low) for level in bands.levels]
    for bottom, upper, (name, shade) in zip(heights, heights[1:], bands.inks, strict=False):
        sheet.box(left, upper, BAR, bottom - upper, fill=name, opacity=shade)
    written: list[float] = []
    marks = list(zip(bands.levels, bands.ticks, heights, strict=True))
    for level, tick, y in sorted(marks, key=lambda one: one[0] not in bands.strong):
        strong = level in bands.strong
        reach = BAR + (4 if strong else 0)
        sheet.line([(left, y), (left + reach, y)], width=2.6 if strong else 0.7)
        if all(abs(y - other) >= SIZE + 3 for other in written):
            sheet.text(left + BAR + 8, y, tick, align="left", bold=strong)
            written.append(y)
    sheet.box(left, top, BAR, SIDE, edge="ink", zorder=3)


def _described(net: Network, task: Task, rows: list[TruthRow], place: int) -> str:
    said = [f"Output {task.output_bits[place]}, {reading(net)}."]
    for row in rows:
        expected, got = row.expected[place], row.got[place]
        told = f"At {inputs_text(row)} it is {compact(row.raw[place])}"
        if expected is not None:
            told += f", expected {expected}, {'right' if expected == got else 'wrong'}"
        said.append(f"{told}.")
    return " ".join(said)
