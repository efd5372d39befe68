"""Functions of one number, exactly: lines, and the lower envelope of lines on intervals.

Rule: an envelope is a list of pieces in ascending order that never overlap; on each piece it
is one line, and it may jump between pieces.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, TypeAlias

from adderlab.building.repair.intervals import Interval, Intervals, point

ZERO: Final = Fraction(0)


@dataclass(frozen=True, slots=True)
class Line:
    """The function ``slope * v + intercept``."""

    slope: Fraction
    intercept: Fraction

    def at(self, value: Fraction) -> Fraction:
        """Return the line's value there."""
        return self.slope * value + self.intercept if self.slope else self.intercept

    @property
    def root(self) -> Fraction | None:
        """Where the line crosses 0; ``None`` where it is constant."""
        return -self.intercept / self.slope if self.slope else None

    def minus(self, other: Line) -> Line:
        """Return the difference."""
        return Line(self.slope - other.slope, self.intercept - other.intercept)

    def times(self, factor: Fraction) -> Line:
        """Return the line stretched by a factor."""
        return Line(self.slope * factor, self.intercept * factor)


def constant(value: Fraction | int) -> Line:
    """Return the line that has this value everywhere."""
    return Line(ZERO, Fraction(value))


IDENTITY: Final = Line(Fraction(1), ZERO)
"""The changed number itself."""


def where_positive(line: Line, within: Interval, *, or_zero: bool) -> Interval | None:
    """Return where on the interval the line is above 0, or at least 0; ``None`` where nowhere."""
    root = line.root
    if root is None:
        is_inside = line.intercept > 0 or (or_zero and line.intercept == 0)
        return within if is_inside else None
    if line.slope > 0:
        return within.intersect(Interval(low=root, low_closed=or_zero))
    return within.intersect(Interval(high=root, high_closed=or_zero))


def where_zero(line: Line, within: Interval) -> Interval | None:
    """Return where on the interval the line is 0; ``None`` where nowhere."""
    root = line.root
    if root is None:
        return within if line.intercept == 0 else None
    return within.intersect(point(root))


Piece: TypeAlias = tuple[Interval, Line]
Envelope: TypeAlias = list[Piece]


def lowest(functions: Iterable[Envelope]) -> Envelope:
    """Return the smallest of several functions, all on the same numbers; at least one is given.

    They are put in one by one, each piece cut against those it meets. The envelope of n lines
    on an interval has at most n pieces; here nearly all lines lie above a few.

    References:
        Sharir, Agarwal, "Davenport-Schinzel Sequences and Their Geometric Applications" (1995),
        chapter 1: lines cross once, so that their lower envelope has at most n pieces.
    """
    remaining = iter(functions)
    envelope = next(remaining)
    for function in remaining:
        for cell, line in function:
            envelope = _lowered(envelope, cell, line)
    return envelope


def _lowered(envelope: Envelope, cell: Interval, line: Line) -> Envelope:
    """Return the smaller of the envelope and the line on ``cell``, the envelope elsewhere."""
    found: Envelope = []
    for piece, old in envelope:
        common = piece.intersect(cell)
        lower = common and where_positive(old.minus(line), common, or_zero=False)
        if lower is None:
            _append(found, piece, old)
            continue
        for part in piece.split(lower.ends):
            _append(found, part, line if lower.contains(part.sample) else old)
    return found


def _append(envelope: Envelope, part: Interval, line: Line) -> None:
    """Add a piece at the upper end, joined to the last one where the line goes on."""
    if envelope and envelope[-1][1] == line and envelope[-1][0].touches(part):
        last = envelope.pop()[0]
        part = Interval(last.low, part.high, last.low_closed, part.high_closed)
    envelope.append((part, line))


def at_least(envelope: Envelope, level: Fraction) -> Intervals:
    """Return where the envelope is at least ``level``."""
    floor = constant(level)
    above = (where_positive(line.minus(floor), piece, or_zero=True) for piece, line in envelope)
    return Intervals.of(part for part in above if part is not None)


def is_endless(envelope: Envelope) -> bool:
    """Return whether the envelope grows without end on a half-line."""
    return any(
        (line.slope > 0 and piece.high is None) or (line.slope < 0 and piece.low is None)
        for piece, line in envelope
    )
