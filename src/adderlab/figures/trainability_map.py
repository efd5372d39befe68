"""A map of trainability: a pixel a network, one color below the boundary, another above it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.blocks.numbers import exact
from adderlab.blocks.picture import Picture
from adderlab.figures.picture import png_of, render
from adderlab.figures.style import POINTS, SIZE, drawing_on, styled, width_of

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, UInt8
    from matplotlib.axes import Axes

SHADES: Final = 128
CONVERGES: Final = ("#dcebf7", "#6aaed6", "#18519f", "#0a1f44")
DIVERGES: Final = ("#fdf0d5", "#f4a83c", "#b33410", "#4a0d05")
"""From far from the boundary to the boundary: the nearer, the darker. No color of the palette is
among them, because pixels don't follow a page's theme."""

KINDS: Final = (
    ("right on every row", "#18519f"),
    ("converges, and is wrong", "#f4a83c"),
    ("does not converge", "#4a0d05"),
)
SIDES: Final = (
    ("converges: fast to slow", CONVERGES),
    ("does not converge: fast to slow", DIVERGES),
)
LEAST_SIDE: Final = 512
"""Pixels that the longer side of a map's image has at least."""

SWATCHES: Final = 32
"""Steps of a gradient in the legend."""


@dataclass(frozen=True, slots=True)
class MapAxis:
    """One axis of a map: from where to where, and whether it counts in powers of ten."""

    name: str
    low: float
    high: float
    is_log: bool = False

    def share(self, value: float) -> float:
        """Return how far along a value stands, 0 to 1."""
        if self.is_log:
            return float(np.log(value / self.low) / np.log(self.high / self.low))
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> tuple[list[float], list[str]]:
        """Return a few round values as shares of the axis, and their texts."""
        from matplotlib.ticker import LogLocator, MaxNLocator

        values: list[float] = []
        if self.is_log:
            for parts in ((1,), (1, 2, 5)):
                locator = LogLocator(subs=parts, numticks=7)
                values = self._within(locator.tick_values(self.low, self.high))
                if len(values) >= 3:
                    break
        if len(values) < 2:
            values = self._within(MaxNLocator(5).tick_values(self.low, self.high))
        return [self.share(value) for value in values], [exact(value) for value in values]

    def _within(self, values: Any) -> list[float]:
        slack = 1e-9 * (self.high - self.low)
        return [float(f"{v:.12g}") for v in values if self.low - slack <= v <= self.high + slack]


@dataclass(frozen=True, slots=True, eq=False)
class MapView:
    """What of a map is drawn.

    Attributes:
        measure: below 0 where a run converged, above where it did not; the larger in size, the
            nearer to the boundary. The first row is the bottom one.
        success: whether the network is right.
        x: the axis to the right.
        y: the axis upward.
        shows: ``convergence`` or ``success``.
    """

    measure: Float[np.ndarray, "y x"]
    success: Bool[np.ndarray, "y x"]
    x: MapAxis
    y: MapAxis
    shows: str = "convergence"


def plot_map(view: MapView, *, ax: Axes | None = None) -> Axes:
    """Draw a map of trainability, a cell a network.

    Args:
        view: what is drawn.
        ax: the axes to draw on; new ones unless given.

    Returns:
        The axes, their unit a network, with ticks at round values of the settings.

    Examples:
        >>> import adderlab
        >>> from adderlab.figures import plot_map
        >>> trainability = adderlab.map("half-adder", size=4, steps=20)
        >>> axes = plot_map(trainability.view(shows="success"))
        >>> axes.get_xlabel(), axes.get_ylabel()
        ('learning rate', 'scale of the start')
    """
    rows, columns = view.measure.shape
    with drawing_on(ax, (5.0, 5.4)) as axes:
        extent = (0.0, float(columns), 0.0, float(rows))
        _ = axes.imshow(pixels_of(view), extent=extent, interpolation="none", aspect=columns / rows)
        _label(axes, view)
        _ = axes.legend(**_entries(view), loc="upper left", bbox_to_anchor=(0, -0.16))
        return axes


def map_picture(view: MapView, *, name: str = "map") -> Picture:
    """Return :func:`plot_map` as a picture that says in words what it shows."""
    return render(
        name, _title(view), map_text(view), lambda ax: plot_map(view, ax=ax), size=(5.0, 5.4)
    )


def pixel_scale(rows: int, columns: int) -> int:
    """Return how many pixels a side a network has in the image of a map, so that it can be seen.

    Examples:
        >>> pixel_scale(64, 64), pixel_scale(300, 256), pixel_scale(1024, 1024)
        (8, 2, 1)
    """
    return -(-LEAST_SIDE // max(rows, columns))


def map_png(view: MapView) -> bytes:
    """Return a map as PNG: each network is a square of pixels, with axes around them.

    The squares have :func:`pixel_scale` pixels a side, the same number for each; the image's
    metadata say so, as ``Pixels a network``, and what it shows, as ``Description``.
    """
    from matplotlib.figure import Figure
    from matplotlib.transforms import Affine2D, Bbox

    side = pixel_scale(*view.measure.shape)
    pixels = pixels_of(view).repeat(side, axis=0).repeat(side, axis=1)
    rows, columns = pixels.shape[:2]
    scale = max(1.0, min(rows, columns) / LEAST_SIDE)  # text grows with large maps
    size = SIZE * scale
    texts = [*view.y.ticks()[1], view.y.name]
    names = max(width_of(text) for text, _ in (*KINDS, *SIDES)) * scale + 5 * size
    left = round(max(map(width_of, texts)) * scale + 3 * size)
    bottom, top = round(10 * size), round(2 * size)
    width = left + max(columns, round(names)) + round(2 * size)
    height = bottom + rows + top
    with styled():
        figure = Figure(figsize=(width / POINTS, height / POINTS), dpi=POINTS)
        _ = figure.figimage(pixels, left, bottom, origin="upper")
        around = Bbox.from_bounds(left - 1, bottom - 1, columns + 2, rows + 2)  # frames no pixel
        ax = figure.add_axes(around.transformed(Affine2D().scale(1 / width, 1 / height)).bounds)
        margin = 1 / side
        _ = ax.set(xlim=(-margin, columns / side + margin), ylim=(-margin, rows / side + margin))
        _label(ax, view)
        for text in (*ax.get_xticklabels(), *ax.get_yticklabels(), ax.xaxis.label, ax.yaxis.label):
            text.set_fontsize(size)
        corner = (left / width, (bottom - 4.5 * size) / height)
        _ = figure.legend(**_entries(view), loc="upper left", bbox_to_anchor=corner, fontsize=size)
        about = {"Description": map_text(view), "Pixels a network": f"{side} x {side}"}
        return png_of(figure, POINTS, about)


def map_text(view: MapView) -> str:
    """Return what a map shows, in words."""
    converges = float((view.measure < 0).mean())
    right = float(view.success.mean())
    return (
        f"{view.x.name} from {exact(view.x.low)} to {exact(view.x.high)} to the right, "
        f"{view.y.name} from {exact(view.y.low)} to {exact(view.y.high)} upwards. "
        f"{converges:.1%} of the runs converge, {right:.1%} end right on every row."
    )


def pixels_of(view: MapView) -> UInt8[np.ndarray, "y x rgb"]:
    """Return the colors, the first row at the top.

    Convergence is drawn by rank: the runs on one side of the boundary are spread evenly over
    that side's colors.

    References:
        Sohl-Dickstein, "The boundary of neural network trainability is fractal" (2024),
        arXiv:2402.06184.
    """
    upright = view.measure[::-1]
    if view.shows == "success":
        kinds = np.where(view.success[::-1], 0, np.where(upright < 0, 1, 2))
        return _rgb([color for _, color in KINDS])[kinds]
    pixels = np.empty((*upright.shape, 3), dtype=np.uint8)
    for side, colors in ((upright < 0, CONVERGES), (upright >= 0, DIVERGES)):
        pixels[side] = _gradient(colors)[_ranks(np.abs(upright[side]))]
    return pixels


def _title(view: MapView) -> str:
    what = "Which runs converge" if view.shows == "convergence" else "Which runs end right"
    return f"{what}, by {view.x.name} and {view.y.name}"


def _label(ax: Axes, view: MapView) -> None:
    """Write ticks and names; the unit of the axes is a network."""
    rows, columns = view.measure.shape
    for axis, places, length in ((ax.xaxis, view.x, columns), (ax.yaxis, view.y, rows)):
        shares, texts = places.ticks()
        wide = max(map(width_of, texts), default=0.0) if axis is ax.xaxis else 2 * SIZE
        room = (wide + SIZE) / max(_length(ax, is_x=axis is ax.xaxis), 1.0)
        kept = _apart(list(zip(shares, texts, strict=True)), room)
        _ = axis.set_ticks([share * length for share, _ in kept], [text for _, text in kept])
    _ = ax.set_xlabel(view.x.name)
    _ = ax.set_ylabel(view.y.name)
    ax.grid(visible=False)
    for side in ax.spines.values():
        side.set_visible(True)


def _length(ax: Axes, *, is_x: bool) -> float:
    """Return how long a side of the axes is, in points."""
    pixels = ax.bbox.width if is_x else ax.bbox.height
    return POINTS * pixels / ax.figure.dpi


def _apart(ticks: list[tuple[float, str]], room: float) -> list[tuple[float, str]]:
    """Return the ticks that keep room between them, as a share of the axis."""
    kept: list[tuple[float, str]] = []
    for share, text in ticks:
        if not kept or share - kept[-1][0] >= room:
            kept.append((share, text))
    return kept


def _entries(view: MapView) -> dict[str, Any]:
    """Return the entries of the legend: a color each, or a gradient in small steps."""
    from matplotlib.legend_handler import HandlerTuple
    from matplotlib.patches import Patch

    if view.shows == "success":
        scales = {text: [color] for text, color in KINDS}
    else:
        steps = np.linspace(0, SHADES - 1, SWATCHES).astype(int)
        scales = {text: list(_gradient(colors)[steps] / 255) for text, colors in SIDES}
    return {
        "handles": [
            tuple(Patch(color=color, linewidth=0) for color in scale) for scale in scales.values()
        ],
        "labels": list(scales),
        "handler_map": {tuple: HandlerTuple(ndivide=None, pad=0)},
    }


def _ranks(values: Any) -> Any:
    """Return each value's place among them all, as a place of the color scale."""
    if not len(values):
        return np.zeros(0, dtype=np.int64)
    ordered = np.sort(values)
    low = np.searchsorted(ordered, values, side="left")
    high = np.searchsorted(ordered, values, side="right") - 1
    share = (low + high) / 2 / max(len(values) - 1, 1)
    return np.minimum((share * SHADES).astype(np.int64), SHADES - 1)


def _gradient(colors: tuple[str, ...]) -> UInt8[np.ndarray, "shade rgb"]:
    stops = _rgb(colors).astype(np.float64)
    places = np.linspace(0, len(colors) - 1, SHADES)
    mixed = [np.interp(places, range(len(colors)), stops[:, part]) for part in range(3)]
    return np.rint(np.stack(mixed, axis=1)).astype(np.uint8)


def _rgb(colors: Any) -> UInt8[np.ndarray, "color rgb"]:
    from matplotlib.colors import to_rgb

    return np.rint(255 * np.array([to_rgb(color) for color in colors])).astype(np.uint8)
