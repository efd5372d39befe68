"""Decision surfaces: an output over the unit square, its threshold line, and the corners."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.blocks.numbers import compact
from adderlab.blocks.picture import PALETTE, Picture
from adderlab.figures.picture import render
from adderlab.figures.style import MARKS, drawing_on, shortened, width_of, written
from adderlab.nets import Network
from adderlab.nets.forward import outputs_in_double
from adderlab.nets.truth import TruthRow, inputs_text, truth_rows
from adderlab.nets.walk import block_of_rows
from adderlab.tasks import Task, TaskLike, as_task

if TYPE_CHECKING:
    from jaxtyping import Float64
    from matplotlib.axes import Axes
    from matplotlib.contour import ContourSet

LOW, HIGH = -0.25, 1.25
POINTS: Final = 481
LONGEST_NAME: Final = 40
MOST_OUTPUTS: Final = 8
LARGEST: Final = 1e100
MOST_BANDS: Final = 10
PLATEAU: Final = 0.001
"""The share of the surface from which a height is that of a plateau."""

APART: Final = (0.32, 0.17)
"""How far one label of a height is from another or from a corner's, across and up."""

INSIDE: Final = 0.1
"""How far such a label is from the edge."""

SQUARE: Final = ((0, 1, 1, 0, 0), (0, 0, 1, 1, 0))
SIZE: Final = (5.2, 4.8)
SIDE_POINTS: Final = 264.0
"""About how long a side of the drawing is."""


def plot_surface(
    net: Network, task: TaskLike, *, output: int | str = 0, ax: Axes | None = None
) -> Axes:
    """Draw an output of a network of two inputs over the unit square.

    Blue is where the output reads as 0, orange where it reads as 1, and every blue is darker
    than every orange; the farther from the threshold, the stronger. At the corners stand the
    bits that are expected, filled for 1, with the raw output and whether its bit is right.

    Args:
        net: a network of two inputs.
        task: what it is judged by.
        output: an output bit, by name or number.
        ax: the axes to draw on; new ones unless given. A color bar is added to their right.

    Raises:
        TaskError: the task does not fit.
        ValueError: the network has another number of inputs, or no such output.

    Examples:
        >>> import adderlab
        >>> net = adderlab.build("half-adder", method="lecture").network
        >>> ax = plot_surface(net, net.task, output="c0")
        >>> ax.get_title(loc="left")
        'c0, 1 where > 0'
    """
    task = as_task(task)
    from matplotlib.colors import to_rgba

    net.check_fits(task)
    if net.n_in != 2:
        raise ValueError(f"a surface has two inputs, the network {net.n_in}")
    place = task.output_bits.index(output) if isinstance(output, str) else output
    bit = task.output_bits[place]
    line = np.linspace(LOW, HIGH, POINTS)
    values = _values(net)[..., place]
    bands = _bands(net, values)
    levels, cuts, strong = bands.levels, bands.cuts, bands.strong
    with drawing_on(ax, SIZE) as axes:
        colors = [to_rgba(PALETTE[name], alpha) for name, alpha in _inks(bands)]
        areas = axes.contourf(line, line, values, levels=cuts, colors=colors)
        _simplify(areas)
        inner = cuts[1:-1]
        if inner:
            widths = [2.6 if levels[cuts.index(cut)] in strong else 0.6 for cut in inner]
            lines = axes.contour(
                line, line, values, levels=inner, colors=PALETTE["ink"], linewidths=widths
            )
            _label(axes, lines, [levels[cuts.index(cut)] for cut in inner], strong)
            _simplify(lines)
        _ = axes.plot(*SQUARE, color=PALETTE["ink"], linewidth=0.9, linestyle=":")
        for row in truth_rows(net, task):
            _draw_corner(axes, _corner(task, row), row, place)
        names = [shortened(name, 12) for name in task.input_bits]
        _ = axes.set(
            xlim=(LOW, HIGH), ylim=(LOW, HIGH), xticks=(0, 1), yticks=(0, 1), aspect="equal"
        )
        _ = axes.set_xlabel(names[0], parse_math=False)
        _ = axes.set_ylabel(names[1], parse_math=False, rotation=0)
        title = f"{shortened(bit)}, {reading(net)}"
        _ = axes.set_title(title, loc="left", parse_math=False)
        axes.grid(visible=False)
        for side in axes.spines.values():
            side.set_visible(True)
        texts = {
            written(compact(level, 3)): cut for level, cut in zip(levels, cuts, strict=True)
        }  # two cuts of one height, that of a plateau, are named once
        bar = axes.figure.colorbar(areas, ax=axes, ticks=list(texts.values()))
        _ = bar.ax.set_yticklabels(list(texts))
        bar.set_label("raw value")
        for level, cut in zip(levels[1:-1], inner, strict=True):
            if level in strong:
                _ = bar.ax.axhline(cut, color=PALETTE["ink"], linewidth=2.6)
        for text, fill in (("1 expected", "ink"), ("0 expected", "paper")):
            _ = axes.plot([], [], label=text, **_dot(fill))
        _ = axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, handlelength=1)
        return axes


def surface_pictures(net: Network, task: TaskLike, *, name: str = "surface") -> tuple[Picture, ...]:
    """Return :func:`plot_surface` of each output, 8 at most, as pictures.

    A network of other than two inputs has none.
    """
    task = as_task(task)
    net.check_fits(task)
    if net.n_in != 2:
        return ()
    rows = list(truth_rows(net, task))
    return tuple(
        render(
            f"{name}-{bit}" if len(bit) <= LONGEST_NAME else f"{name}-{place}",
            f"Output {bit} over the unit square",
            _described(net, task, rows, place),
            lambda ax, place=place: plot_surface(net, task, output=place, ax=ax),
            size=SIZE,
        )
        for place, bit in enumerate(task.output_bits[:MOST_OUTPUTS])
    )


def reading(net: Network) -> str:
    """Return how an output is read: ``1 where > 0.5``."""
    return "must be 0 or 1" if net.readout.kind == "exact" else f"1 where {net.readout}"


def _corner(task: Task, row: TruthRow) -> tuple[int, int]:
    """Return the two bits of a row's input, which may be one word or two."""
    first, second = block_of_rows(task, [row.inputs]).inputs[0]
    return int(first), int(second)


def _draw_corner(ax: Axes, corner: tuple[int, int], row: TruthRow, place: int) -> None:
    """Draw what is expected at a corner, and write the raw output and its mark next to it."""
    x, y = corner
    expected, got = row.expected[place], row.got[place]
    if expected is not None:
        _ = ax.plot([x], [y], zorder=5, **_dot("ink" if expected else "paper"))
    box: dict[str, Any] = {"facecolor": PALETTE["paper"], "edgecolor": "none", "pad": 2.0}
    shift: dict[str, Any] = {
        "textcoords": "offset points",
        "va": "center",
        "zorder": 6,
        "bbox": box,
    }
    up = 18 if y else -18
    raw = written(compact(row.raw[place]))
    if expected is None:
        _ = ax.annotate(raw, (x, y), (0, up), ha="center", **shift)
        return
    is_right = expected == got
    mark, color = MARKS[is_right], "right" if is_right else "wrong"
    strong: dict[str, Any] = {"weight": "bold", **shift}
    end = (width_of(raw, bold=True) - width_of(mark, bold=True) - 3) / 2  # both, in the middle
    _ = ax.annotate(raw, (x, y), (end, up), ha="right", **strong)
    _ = ax.annotate(mark, (x, y), (end + 3, up), ha="left", color=PALETTE[color], **strong)


def _dot(fill: str) -> dict[str, Any]:
    """Return how a corner is drawn, filled with a color of the palette."""
    return {
        "marker": "o",
        "markersize": 10,
        "linestyle": "none",
        "markerfacecolor": PALETTE[fill],
        "markeredgecolor": PALETTE["ink"],
    }


def _values(net: Network) -> Float64[np.ndarray, "y x n_out"]:
    """Return the outputs on a grid over the square, in doubles: good enough to draw."""
    line = np.linspace(LOW, HIGH, POINTS)
    values = np.stack(np.meshgrid(line, line), axis=-1)
    values = outputs_in_double(net, values)
    return np.clip(np.nan_to_num(values), -LARGEST, LARGEST)


def _label(ax: Axes, lines: ContourSet, heights: list[float], strong: list[float]) -> None:
    """Write the heights on their lines, clear of the corners' texts and of each other."""
    height_of = dict(zip(lines.levels, heights, strict=True))
    texts = {cut: written(compact(height, 3)) for cut, height in height_of.items()}
    bold = {texts[cut] for cut, height in height_of.items() if height in strong}
    box: dict[str, Any] = {"facecolor": PALETTE["paper"], "edgecolor": "none", "pad": 1.5}
    taken = [(x, y + (0.1 if y else -0.1)) for x in (0.0, 1.0) for y in (0.0, 1.0)]
    labels = list(ax.clabel(lines, fmt=texts, colors=PALETTE["ink"], inline=False))
    for label in sorted(labels, key=lambda label: label.get_text() not in bold):
        x, y = label.get_position()
        near = any(abs(x - a) < APART[0] and abs(y - b) < APART[1] for a, b in taken)
        if near or not all(LOW + INSIDE < side < HIGH - INSIDE for side in (x, y)):
            label.remove()
            continue
        taken.append((x, y))
        _ = label.set(rotation=0, bbox=box, zorder=4)
        if label.get_text() in bold:
            label.set_fontweight("bold")


def _simplify(contours: ContourSet) -> None:
    """Drop the points of outlines that nobody sees, by matplotlib's own simplification."""
    from matplotlib.transforms import Affine2D

    to_points = Affine2D().scale(SIDE_POINTS / (HIGH - LOW))
    paths = [to_points.transform_path(path).cleaned(simplify=True) for path in contours.get_paths()]
    contours.set_paths([to_points.inverted().transform_path(path) for path in paths])


def _cut(values: Float64[np.ndarray, "y x"], level: float, convention: str) -> float:
    """Return where a height is cut: at the height itself, or just off a plateau of that height.

    A plateau at the threshold has the color of its bit. The cut is one step of the grid away from
    it, because at the plateau's own height the line would follow the grid in stairs.
    """
    if np.mean(values == level) < PLATEAU:
        return level
    step = max(float(np.abs(np.diff(values, axis=axis)).max()) for axis in (0, 1))
    return level + (-1.2 if convention == ">=" else 1.2) * step


@dataclass(frozen=True, slots=True)
class _Bands:
    """The bands of a surface: they end where its values end.

    Attributes:
        levels: the heights between bands, the least and the largest value at the ends.
        cuts: where each of them is cut.
        middle: where the colors part, below or above all values if they don't.
        strong: the heights of strong lines: the threshold, of an exact readout 0 and 1.
    """

    levels: list[float]
    cuts: list[float]
    middle: float
    strong: list[float]


def _bands(net: Network, values: Float64[np.ndarray, "y x"]) -> _Bands:
    """Return the bands of a surface, of a round height.

    One ends at the threshold where values are on both sides of it; of an exact readout bands end
    at 0, 1/2 and 1.
    """
    from matplotlib.ticker import MaxNLocator

    convention = net.readout.convention
    inner = [0.0, 0.5, 1.0] if net.readout.kind == "exact" else [net.readout.threshold]
    low, high = float(values.min()), float(values.max())
    middle = _cut(values, inner[len(inner) // 2], convention)
    if low == high:  # one value: a band of its color
        around = max(abs(low), 1.0) * 1e-6
        is_below = low < middle or (low == middle and convention == ">")
        beyond = high + 2 * around if is_below else low - 2 * around
        return _Bands([low, high], [low - around, high + around], beyond, [])
    ticks = MaxNLocator(MOST_BANDS, steps=[1, 2, 2.5, 5, 10]).tick_values(0, high - low)
    step = float(ticks[1] - ticks[0])
    first, last = (low - inner[0]) / step, (high - inner[0]) / step
    below = range(math.floor(first), min(0, math.ceil(last) + 1))
    first, last = (low - inner[-1]) / step, (high - inner[-1]) / step
    above = range(max(1, math.floor(first)), math.ceil(last) + 1)
    round_heights = [
        *(inner[0] + step * place for place in below),
        *inner,
        *(inner[-1] + step * place for place in above),
    ]
    inside: list[tuple[float, float]] = []
    for level in round_heights:
        cut = _cut(values, level, convention)
        if (inside[-1][1] if inside else low) < cut < high:
            inside.append((level, cut))
    return _Bands(
        [low, *(level for level, _ in inside), high],
        [low, *(cut for _, cut in inside), high],
        middle,
        [inner[0], inner[-1]],
    )


def _inks(bands: _Bands) -> list[tuple[str, float]]:
    """Return the color and opacity of each band, stronger away from the middle."""
    below = sum(end <= bands.middle for end in bands.cuts[1:])
    above = len(bands.cuts) - 1 - below
    far = max(below, above, 2) - 1
    return [
        *(("below", 0.55 + 0.35 * place / far) for place in reversed(range(below))),
        *(("above", 0.16 + 0.54 * place / far) for place in range(above)),
    ]


def _described(net: Network, task: Task, rows: list[TruthRow], place: int) -> str:
    sentences = [f"Output {task.output_bits[place]}, {reading(net)}."]
    for row in rows:
        expected, got = row.expected[place], row.got[place]
        sentence = f"At {inputs_text(row)} it is {compact(row.raw[place])}"
        if expected is not None:
            sentence += f", expected {expected}, {'right' if expected == got else 'wrong'}"
        sentences.append(f"{sentence}.")
    return " ".join(sentences)
