"""A map of trainability: a pixel a network, one color below the boundary, another above it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.blocks.numbers import apart, exact
from adderlab.figures.losses import Axis
from adderlab.figures.picture import PALETTE, Picture, drawing, png_of, render
from adderlab.figures.sheet import SIZE, Sheet, width_of

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, UInt8
    from matplotlib.figure import Figure

SHADES: Final = 128
CONVERGES: Final = ("#dcebf7", "#6aaed6", "#17509e", "#0a1f44")
DIVERGES: Final = ("#fdf0d5", "#f3a73b", "#b2330f", "#4a0d05")
"""From far from the boundary to the boundary: the nearer, the darker."""

KINDS: Final = (
    ("right on every row", "#17509e"),
    ("converges, and is wrong", "#f3a73b"),
    ("does not converge", "#4a0d05"),
)
SIDE: Final = 264.0
MARGIN: Final = 14.0
BAR: Final = 12.0


@dataclass(frozen=True, slots=True, eq=False)
class MapView:
    """What of a map is drawn.

    Attributes:
        measure: below 0 where a run converged, above where it did not; the larger in size, the
            nearer to the boundary. The first row is the bottom one.
        success: whether the network is right.
        x_name: what stands on the axis to the right, and so on.
        shows: ``convergence`` or ``success``.
    """

    measure: Float[np.ndarray, "y x"]
    success: Bool[np.ndarray, "y x"]
    x_name: str
    x: Axis
    y_name: str
    y: Axis
    shows: str = "convergence"


def map_picture(view: MapView, *, name: str = "map") -> Picture:
    """Return a map as a picture of a fixed width, for a page."""
    return render(name, _title(view), map_text(view), lambda: draw_map(view, SIDE / _columns(view)))


def map_png(view: MapView) -> bytes:
    """Return a map as PNG: each network is one pixel, with axes around them."""
    import io

    from PIL import Image, ImageDraw

    place = _layout(view, 1.0)
    with drawing():
        frame = Image.open(io.BytesIO(png_of(draw_map(view, 1.0), 72))).convert("RGB")
    # no renderer promises that it leaves pixels alone
    frame.paste(Image.fromarray(pixels_of(view)), (place.left, place.top))
    rows, columns = view.measure.shape
    edge = (place.left - 1, place.top - 1, place.left + columns, place.top + rows)
    ImageDraw.Draw(frame).rectangle(edge, outline=PALETTE["ink"])
    stream = io.BytesIO()
    frame.save(stream, "PNG")
    return stream.getvalue()


def map_text(view: MapView) -> str:
    """Return what a map shows, in words."""
    converges = float((view.measure < 0).mean())
    right = float(view.success.mean())
    return (
        f"{view.x_name} from {exact(view.x.low)} to {exact(view.x.high)} to the right, "
        f"{view.y_name} from {exact(view.y.low)} to {exact(view.y.high)} upwards. "
        f"{converges:.1%} of the runs converge, {right:.1%} end right on every row."
    )


def _title(view: MapView) -> str:
    what = "Which runs converge" if view.shows == "convergence" else "Which runs end right"
    return f"{what}, by {view.x_name} and {view.y_name}"


def _columns(view: MapView) -> int:
    return view.measure.shape[1]


def pixels_of(view: MapView) -> UInt8[np.ndarray, "y x rgb"]:
    """Return the colors, the first row at the top.

    Convergence is drawn by rank, as Sohl-Dickstein draws it: the runs on one side of the
    boundary are spread evenly over that side's colors.
    """
    upright = view.measure[::-1]
    if view.shows == "success":
        kinds = np.where(view.success[::-1], 0, np.where(upright < 0, 1, 2))
        return _rgb([color for _, color in KINDS])[kinds]
    found = np.empty((*upright.shape, 3), dtype=np.uint8)
    for side, colors in ((upright < 0, CONVERGES), (upright >= 0, DIVERGES)):
        scale = _gradient(colors)
        found[side] = scale[_ranks(np.abs(upright[side]))]
    return found


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
    return np.array([[int(one[i : i + 2], 16) for i in (1, 3, 5)] for one in colors], np.uint8)


def draw_map(view: MapView, pixel: float) -> Figure:
    """Return the drawing; call it within :func:`adderlab.figures.picture.drawing`.

    Args:
        view: what is drawn.
        pixel: points a network takes, so that its place is a whole one where this is 1.
    """
    rows, columns = view.measure.shape
    width, height = columns * pixel, rows * pixel
    place = _layout(view, pixel)
    left, top, scale, size = place.left, place.top, place.scale, place.size
    sheet = Sheet(left + width + place.right, top + height + place.bottom)
    _place(sheet, left, top, width, height, pixels_of(view))
    sheet.box(left - 0.5, top - 0.5, width + 1, height + 1, edge="ink", zorder=4)
    sheet.text(
        left - 8 * scale, top - 1.6 * size, view.y_name, align="right", color="muted", size=size
    )
    for share, text in place.ticks_y:
        y = top + height * (1 - share)
        sheet.line([(left - 4 * scale, y), (left, y)])
        sheet.text(left - 8 * scale, y, text, align="right", size=size)
    for share, text in place.ticks_x:
        x = left + width * share
        sheet.line([(x, top + height), (x, top + height + 4 * scale)])
        sheet.text(x, top + height + 5 * scale + size * 0.8, text, size=size)
    name_y = top + height + 8 * scale + size * 2.2
    sheet.text(left + width / 2, name_y, view.x_name, color="muted", size=size)
    _legend(sheet, view, left, name_y + 1.8 * size, size, scale)
    return sheet.figure


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a map stands on its sheet, in whole points, and what is written beside it."""

    left: int
    top: int
    right: int
    bottom: int
    scale: float
    size: float
    ticks_x: list[tuple[float, str]]
    ticks_y: list[tuple[float, str]]


def _layout(view: MapView, pixel: float) -> _Layout:
    rows, columns = view.measure.shape
    width, height = columns * pixel, rows * pixel
    scale = max(1.0, min(width, height) / 512)  # text grows with large maps
    size = SIZE * scale
    ticks_y = _apart(_ticks(view.y), height, 2 * size)
    names = max((width_of(text, size=size) for _, text in ticks_y), default=0.0)
    widest = max(names, width_of(view.y_name, size=size))
    legend = _legend_width(view, size, scale)
    return _Layout(
        left=round(MARGIN * scale + widest + 10 * scale),
        top=round((MARGIN + 12) * scale + size),
        right=round(max(MARGIN * scale + size, legend + MARGIN * scale - width)),
        bottom=round(MARGIN * scale + 5.5 * size + 24 * scale),
        scale=scale,
        size=size,
        ticks_x=_ticks_across(view, width, size),
        ticks_y=ticks_y,
    )


def _ticks(axis: Axis) -> list[tuple[float, str]]:
    values = axis.ticks()
    return [(axis.share(v), text) for v, text in zip(values, apart(values), strict=True)]


def _ticks_across(view: MapView, width: float, size: float) -> list[tuple[float, str]]:
    ticks = _ticks(view.x)
    wide = max((width_of(text, size=size) for _, text in ticks), default=0.0)
    return _apart(ticks, width, wide + size)


def _apart(ticks: list[tuple[float, str]], length: float, room: float) -> list[tuple[float, str]]:
    """Return the ticks that keep room between them."""
    found: list[tuple[float, str]] = []
    for share, text in sorted(ticks):
        if not found or (share - found[-1][0]) * length >= room:
            found.append((share, text))
    return found


def _place(sheet: Sheet, left: float, top: float, width: float, height: float, pixels: Any) -> None:
    """Put pixels on the sheet, none mixed with its neighbor."""
    box = (
        left / sheet.width,
        1 - (top + height) / sheet.height,
        width / sheet.width,
        height / sheet.height,
    )
    axes = sheet.figure.add_axes(box, zorder=1)
    axes.set_axis_off()
    _ = axes.imshow(pixels, interpolation="none", aspect="auto", resample=False)


def _legend_parts(view: MapView) -> list[tuple[str, Any]]:
    if view.shows == "success":
        return [(text, _rgb([color])[None]) for text, color in KINDS]
    return [
        (text, _gradient(colors)[None])
        for text, colors in (
            ("converges: fast to slow", CONVERGES),
            ("does not converge: fast to slow", DIVERGES),
        )
    ]


def _legend_width(view: MapView, size: float, scale: float) -> float:
    bar = (BAR if view.shows == "success" else 4 * BAR) * scale
    return max(bar + 6 * scale + width_of(text, size=size) for text, _ in _legend_parts(view))


def _legend(sheet: Sheet, view: MapView, left: float, y: float, size: float, scale: float) -> None:
    bar = (BAR if view.shows == "success" else 4 * BAR) * scale
    for text, colors in _legend_parts(view):
        _place(sheet, left, y - size / 2, bar, size, colors)
        sheet.text(left + bar + 6 * scale, y, text, align="left", size=size)
        y += 1.5 * size
