"""A table drawn on axes, for truth tables: right-aligned cells, wrong rows set off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from adderlab.blocks.picture import PALETTE
from adderlab.figures.style import POINTS, width_of, written

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW: Final = 24.0
GAP: Final = 26.0
MARGIN: Final = 14.0
RIGHT: Final = "✓"
WRONG: Final = "✗ wrong"


def table_size(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, lines: Sequence[str] = ()
) -> tuple[float, float]:
    """Return the size of a table with lines of text around it, in inches."""
    width = sum(_widths(columns, rows)) + GAP * len(columns)
    width = max([width, *(MARGIN + width_of(line, bold=True) for line in lines)]) + MARGIN
    return width / POINTS, (ROW * (len(rows) + 1 + len(lines)) + 2 * MARGIN) / POINTS


def draw_table(
    ax: Axes,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    marks: Sequence[bool | None] = (),
    title: str = "",
    notes: Sequence[str] = (),
    words: Sequence[int] = (),
) -> Axes:
    """Draw a table through matplotlib's own, a title above it and notes below.

    Args:
        ax: the axes, filled by it.
        columns: the headings.
        rows: the cells.
        marks: for each row whether it is right; wrong rows are bold and shaded.
        title: one line.
        notes: lines.
        words: the columns whose cells begin at the left.
    """
    from matplotlib.patches import Rectangle
    from matplotlib.transforms import Bbox

    ax.set_axis_off()
    around = [title] if title else []
    widths = _widths(columns, rows)
    whole = table_size(columns, rows, lines=[*around, *notes])
    width, height = whole[0] * POINTS, whole[1] * POINTS
    used = sum(widths) + GAP * len(columns)
    line = ROW / height
    top = 1 - MARGIN / height - line * len(around)
    left = 0.0
    bottom = top - line * (len(rows) + 1)
    table = ax.table(
        cellText=[list(map(written, row)) for row in rows],
        colLabels=list(map(written, columns)),
        colWidths=[(column + GAP) / used for column in widths],
        cellLoc="right",
        colLoc="right",
        edges="B",
        bbox=Bbox.from_bounds(left, bottom, used / width, top - bottom),
    )
    shaded: dict[int, Rectangle] = {}
    for (row, column), cell in table.get_celld().items():
        cell.PAD = 0.0
        if column in words:
            cell.get_text().set_horizontalalignment("left")
            cell.PAD = GAP / (widths[column] + GAP)
        _ = cell.set(edgecolor=PALETTE["ink" if row in (0, len(rows)) else "faint"], linewidth=0.8)
        if row == 0:
            cell.get_text().set_color(PALETTE["muted"])
        elif marks and marks[row - 1] is False:
            cell.get_text().set_fontweight("bold")
            shade = Rectangle((left, top - line * (row + 1)), used / width, line, alpha=0.1)
            _ = shade.set(color=PALETTE["wrong"], transform=ax.transAxes, linewidth=0)
            shaded[row] = shade
        cell.get_text().set_parse_math(False)
    for shade in shaded.values():
        _ = ax.add_patch(shade)
    table.auto_set_font_size(False)
    for place, text in enumerate([*around, *notes]):
        is_title = place < len(around)
        y = top + line / 2 if is_title else bottom - line * (place - len(around) + 0.5)
        _ = ax.text(
            MARGIN / width,
            y,
            written(text),
            transform=ax.transAxes,
            color=PALETTE["ink" if is_title else "muted"],
            weight="bold" if is_title else "normal",
            va="center",
            parse_math=False,
        )
    return ax


def mark(is_right: bool | None) -> str:
    """Return the mark of a row: told apart by shape and word, in any color."""
    return "" if is_right is None else RIGHT if is_right else WRONG


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[float]:
    return [
        max(width_of(text, bold=True) for text in (column, *(row[at] for row in rows)))
        for at, column in enumerate(columns)
    ]
