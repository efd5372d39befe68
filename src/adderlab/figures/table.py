"""A table drawn on axes, for truth tables: right-aligned cells, wrong rows set off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from adderlab.blocks.picture import PALETTE
from adderlab.figures.style import MARKS, POINTS, width_of, written

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW: Final = 24.0
GAP: Final = 20.0
EDGE: Final = 7.0
"""Between a side of the table and the text of its first or last column."""

NOTE: Final = 17.0
"""From one line of notes to the next."""

COLORS: Final = {MARKS[True]: "right", MARKS[False]: "wrong"}
"""Of the cells that begin with a mark."""

NARROWEST: Final = 240.0
"""Below this width notes are not wrapped."""

MARGIN: Final = 14.0


def table_size(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    title: str = "",
    notes: Sequence[str] = (),
) -> tuple[float, float]:
    """Return the size of a table with lines of text around it, in inches."""
    table = sum(_widths(columns, rows))
    lines = _wrapped(notes, table)
    texts = [width_of(title, bold=True), *map(width_of, lines)]
    width = max(table + 2 * (MARGIN - EDGE), 2 * MARGIN + max(texts))
    height = ROW * (len(rows) + 1 + bool(title)) + NOTE * len(lines) + 2 * MARGIN
    return width / POINTS, (height + (EDGE if lines else 0)) / POINTS


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
        notes: sentences, wrapped to the width of the table.
        words: the columns whose cells begin at the left.
    """
    from matplotlib.patches import Rectangle
    from matplotlib.transforms import Bbox

    ax.set_axis_off()
    widths = _widths(columns, rows)
    size = table_size(columns, rows, title=title, notes=notes)
    width, height = (side * POINTS for side in size)
    line = ROW / height
    top = 1 - MARGIN / height - line * bool(title)
    left, across = (MARGIN - EDGE) / width, sum(widths) / width
    bottom = top - line * (len(rows) + 1)
    table = ax.table(
        cellText=[list(map(written, row)) for row in rows],
        colLabels=list(map(written, columns)),
        colWidths=[column / sum(widths) for column in widths],
        cellLoc="right",
        colLoc="right",
        edges="B",
        bbox=Bbox.from_bounds(left, bottom, across, top - bottom),
    )
    shaded: dict[int, Rectangle] = {}
    for (row, column), cell in table.get_celld().items():
        cell.PAD = 0.0
        if column in words:
            cell.get_text().set_horizontalalignment("left")
            cell.PAD = (GAP if column else EDGE) / widths[column]
        _ = cell.set(edgecolor=PALETTE["ink" if row in (0, len(rows)) else "faint"], linewidth=0.8)
        color = COLORS.get(cell.get_text().get_text()[:1], "ink") if row else "muted"
        cell.get_text().set_color(PALETTE[color])
        if row and marks and marks[row - 1] is False:
            cell.get_text().set_fontweight("bold")
            shade = Rectangle((left, top - line * (row + 1)), across, line, alpha=0.1)
            _ = shade.set(color=PALETTE["wrong"], transform=ax.transAxes, linewidth=0)
            shaded[row] = shade
        cell.get_text().set_parse_math(False)
    for shade in shaded.values():
        _ = ax.add_patch(shade)
    table.auto_set_font_size(False)
    place: dict[str, Any] = {"transform": ax.transAxes, "va": "center", "parse_math": False}
    if title:
        _ = ax.text(MARGIN / width, top + line / 2, written(title), weight="bold", **place)
    for number, text in enumerate(_wrapped(notes, sum(widths))):
        y = bottom - (EDGE + NOTE * (number + 0.5)) / height
        _ = ax.text(MARGIN / width, y, written(text), color=PALETTE["muted"], **place)
    return ax


def mark(is_right: bool | None) -> str:
    """Return the mark of a row: distinguished by shape and word, not by color alone."""
    return "" if is_right is None else MARKS[True] if is_right else f"{MARKS[False]} wrong"


def _wrapped(notes: Sequence[str], width: float) -> list[str]:
    """Return the lines of notes: as wide as the table, of a narrow one a little wider."""
    lines: list[str] = []
    for note in notes:
        lines.append("")
        for word in note.split():
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and width_of(longer) > max(width - 2 * EDGE, NARROWEST):
                lines.append(word)
            else:
                lines[-1] = longer
    return lines


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[float]:
    """Return the width of each column, the room to the left of its text included."""
    widths = [
        GAP + max(width_of(text, bold=True) for text in (column, *(row[at] for row in rows)))
        for at, column in enumerate(columns)
    ]
    widths[0] += EDGE - GAP
    widths[-1] += EDGE
    return widths
