"""The operations that all derivatives of a chain take, with and without reuse, by its length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from adderlab.blocks.numbers import counted
from adderlab.blocks.picture import Picture
from adderlab.figures.picture import render
from adderlab.figures.style import drawing_on

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_MARKED: Final = 12
"""Points of a line up to which each has a dot."""


def plot_operations(
    counts: Mapping[str, Sequence[tuple[int, int]]], *, ax: Axes | None = None
) -> Axes:
    """Draw how the operations grow with the length of a chain.

    Args:
        counts: pairs of length and operations by the name of the way they are done.
        ax: the axes to draw on; new ones unless given.

    Examples:
        >>> ax = plot_operations({"with reuse": [(1, 4), (2, 7)], "without": [(1, 4), (2, 11)]})
        >>> len(ax.get_lines())
        2
    """
    from matplotlib.ticker import MaxNLocator

    with drawing_on(ax) as axes:
        for way, pairs in counts.items():
            lengths, operations = zip(*pairs, strict=True)
            marker = "o" if len(pairs) <= MOST_MARKED else ""
            _ = axes.plot(lengths, operations, marker=marker, label=f"{way}: {operations[-1]}")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        _ = axes.set(xlabel="functions in the chain", ylabel="operations")
        _ = axes.set_ylim(bottom=0)
        _ = axes.legend(loc="upper left")
        return axes


def operations_picture(
    counts: Mapping[str, Sequence[tuple[int, int]]], *, name: str = "operations"
) -> Picture:
    """Return :func:`plot_operations` as a picture that says in words what it shows."""
    ends = [
        f"{way}: {counted(pairs[-1][1], 'operation')} at {pairs[-1][0]}."
        for way, pairs in counts.items()
    ]
    title = "Operations for all derivatives of a chain, by its length"
    return render(name, title, " ".join(ends), lambda ax: plot_operations(counts, ax=ax))
