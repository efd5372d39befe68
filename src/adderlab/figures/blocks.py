"""A network too large to draw unit by unit: a block for each layer, with its sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adderlab.figures.sheet import Sheet, width_of
from adderlab.nets import Network

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_BLOCKS: Final = 10
MARGIN: Final = 14.0
HEIGHT: Final = 30.0
GAP: Final = 20.0


def draw_blocks(net: Network) -> Figure:
    """Return the drawing; call it within :func:`adderlab.figures.picture.drawing`."""
    blocks = [
        (
            f"fc{number}",
            f"{layer.n_in} → {layer.n_out}",
            "" if layer.activation.kind == "identity" else str(layer.activation),
        )
        for number, layer in enumerate(net.layers, start=1)
    ]
    if len(blocks) > MOST_BLOCKS:
        half = MOST_BLOCKS // 2
        left_out = len(blocks) - 2 * half
        blocks = [*blocks[:half], ("…", f"{left_out} more layers", ""), *blocks[-half:]]
    columns = [max(width_of(block[place]) for block in blocks) for place in range(3)]
    ends = [
        f"{net.n_in} inputs",
        f"{net.n_out} outputs, "
        + ("each must be 0 or 1" if net.readout.kind == "exact" else f"1 where {net.readout}"),
    ]
    width = max(sum(columns) + 4 * 16, *map(width_of, ends))
    sheet = Sheet(width + 2 * MARGIN, 2 * MARGIN + 40 + len(blocks) * (HEIGHT + GAP) + GAP)
    middle = sheet.width / 2
    y = MARGIN + 10
    sheet.text(middle, y, ends[0])
    y += 10
    for block in blocks:
        _arrow(sheet, middle, y, y + GAP)
        y += GAP
        sheet.box(MARGIN, y, width, HEIGHT, fill="positive", opacity=0.1, edge="ink")
        x = MARGIN + 16
        for text, column in zip(block, columns, strict=True):
            sheet.text(x, y + HEIGHT / 2, text, align="left")
            x += column + 16
        y += HEIGHT
    _arrow(sheet, middle, y, y + GAP)
    sheet.text(middle, y + GAP + 10, ends[1])
    return sheet.figure


def _arrow(sheet: Sheet, x: float, top: float, bottom: float) -> None:
    sheet.line([(x, top + 2), (x, bottom - 2)], width=1.4)
    sheet.line([(x - 4, bottom - 6), (x, bottom - 2), (x + 4, bottom - 6)], width=1.4)
