"""A network too large to draw unit by unit: a block for each layer, with its sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from adderlab.blocks.numbers import counted
from adderlab.blocks.picture import PALETTE
from adderlab.figures.style import POINTS, SIZE, scale_of, width_of, written
from adderlab.nets import Network

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LAYERS: Final = 10
MARGIN: Final = 14.0
HEIGHT: Final = 30.0
GAP: Final = 20.0
SPACE: Final = 16.0


def layers_size(net: Network) -> tuple[float, float]:
    """Return the size of the drawing, in inches."""
    layers = _layers(net)
    width = max(sum(_columns(layers)) + 4 * SPACE, *map(width_of, _ends(net)))
    height = 2 * MARGIN + 40 + len(layers) * (HEIGHT + GAP) + GAP
    return (width + 2 * MARGIN) / POINTS, height / POINTS


def draw_layers(net: Network, ax: Axes) -> Axes:
    """Draw a block for each layer, one below the other; the unit of the axes is a point."""
    from matplotlib.patches import Rectangle

    layers, (top, bottom) = _layers(net), _ends(net)
    width, height = (side * POINTS for side in layers_size(net))
    _ = ax.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    ax.set_axis_off()
    y = MARGIN + 10
    _write(ax, width / 2, y, top, align="center")
    y += 10
    for layer in layers:
        _arrow(ax, width / 2, y)
        y += GAP
        box = Rectangle((MARGIN, y), width - 2 * MARGIN, HEIGHT, linewidth=1.2)
        _ = box.set(facecolor=(PALETTE["positive"], 0.1), edgecolor=PALETTE["ink"])
        _ = ax.add_patch(box)
        x = MARGIN + SPACE
        for text, column in zip(layer, _columns(layers), strict=True):
            _write(ax, x, y + HEIGHT / 2, text)
            x += column + SPACE
        y += HEIGHT
    _arrow(ax, width / 2, y)
    _write(ax, width / 2, y + GAP + 10, bottom, align="center")
    return ax


def _layers(net: Network) -> list[tuple[str, str, str]]:
    layers = [
        (
            f"fc{number}",
            f"{layer.n_in} → {layer.n_out}",
            "" if layer.activation.kind == "identity" else str(layer.activation),
        )
        for number, layer in enumerate(net.layers, start=1)
    ]
    if len(layers) <= MOST_LAYERS:
        return layers
    half = MOST_LAYERS // 2
    left_out = len(layers) - 2 * half
    return [*layers[:half], ("…", f"{left_out} more layers", ""), *layers[-half:]]


def _columns(layers: list[tuple[str, str, str]]) -> list[float]:
    return [max(width_of(layer[place]) for layer in layers) for place in range(3)]


def _ends(net: Network) -> tuple[str, str]:
    reading = "each must be 0 or 1" if net.readout.kind == "exact" else f"1 where {net.readout}"
    return counted(net.n_in, "input"), f"{counted(net.n_out, 'output')}, {reading}"


def _write(ax: Axes, x: float, y: float, text: str, *, align: str = "left") -> None:
    _ = ax.text(
        x,
        y,
        written(text),
        fontsize=SIZE * scale_of(ax),
        ha=align,
        va="center_baseline",
        parse_math=False,
    )


def _arrow(ax: Axes, x: float, top: float) -> None:
    arrow: dict[str, Any] = {"arrowstyle": "->", "linewidth": 1.4, "color": PALETTE["ink"]}
    _ = ax.annotate("", (x, top + GAP), (x, top), arrowprops=arrow)
