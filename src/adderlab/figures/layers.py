"""A network too large to draw unit by unit: a block for each layer, with its sizes.

An arrow leads to a block from the one above it where it reads that; in a graph each block says all
that it reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from adderlab.blocks.numbers import counted
from adderlab.blocks.picture import PALETTE
from adderlab.figures.style import POINTS, SIZE, scale_of, shortened, width_of, written
from adderlab.nets import Network
from adderlab.nets.wiring import INPUT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LAYERS: Final = 10
LONGEST_READ: Final = 40
"""Characters of the names of what a layer reads."""

MARGIN: Final = 14.0
HEIGHT: Final = 30.0
GAP: Final = 20.0
SPACE: Final = 16.0


def layers_size(net: Network) -> tuple[float, float]:
    """Return the size of the drawing, in inches."""
    layers = _layers(net)
    columns = _columns(layers)
    width = max(sum(columns) + (len(columns) + 1) * SPACE, *map(width_of, _ends(net)))
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
        if layer.follows:
            _arrow(ax, width / 2, y)
        y += GAP
        box = Rectangle((MARGIN, y), width - 2 * MARGIN, HEIGHT, linewidth=1.2)
        _ = box.set(facecolor=(PALETTE["positive"], 0.1), edgecolor=PALETTE["ink"])
        _ = ax.add_patch(box)
        x = MARGIN + SPACE
        for text, column in zip(layer.texts, _columns(layers), strict=True):
            _write(ax, x, y + HEIGHT / 2, text)
            x += column + SPACE
        y += HEIGHT
    _arrow(ax, width / 2, y)
    _write(ax, width / 2, y + GAP + 10, bottom, align="center")
    return ax


@dataclass(frozen=True, slots=True)
class _Block:
    """A layer, or those that are left out.

    Attributes:
        texts: its name, its sizes, its activation, and in a graph what it reads.
        follows: whether it reads the one above it.
    """

    texts: tuple[str, ...]
    follows: bool = True


def _layers(net: Network) -> list[_Block]:
    layers: list[_Block] = []
    before = INPUT
    for node, layer in zip(net.wiring.layers, net.layers, strict=True):
        kind = "" if layer.activation.kind == "identity" else str(layer.activation)
        texts = (node.name, f"{layer.n_in} → {layer.n_out}", kind)
        names = shortened(", ".join(node.reads), LONGEST_READ)
        reads = () if net.is_chain else (f"reads {names}",)
        layers.append(_Block((*texts, *reads), before in node.reads))
        before = node.name
    if len(layers) <= MOST_LAYERS:
        return layers
    half = MOST_LAYERS // 2
    left_out = len(layers) - 2 * half
    empty = [""] * (len(layers[0].texts) - 2)
    more = _Block(("…", f"{left_out} more layers", *empty))
    return [*layers[:half], more, *layers[-half:]]


def _columns(layers: list[_Block]) -> list[float]:
    return [
        max(map(width_of, texts)) for texts in zip(*(layer.texts for layer in layers), strict=True)
    ]


def _ends(net: Network) -> tuple[str, str]:
    reading = "each must be 0 or 1" if net.readout.kind == "exact" else f"1 where {net.readout}"
    outputs = counted(net.n_out, "output")
    if not net.is_chain:
        outputs += f" of {shortened(', '.join(net.output_layers), LONGEST_READ)}"
    return counted(net.n_in, "input"), f"{outputs}, {reading}"


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
