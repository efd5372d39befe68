"""Exact sets of numbers and functions of one number: unions of intervals, lines, envelopes.

Rules: an interval is never empty, and the parts of a union are in ascending order and do not
touch, so that equal sets are equal objects. An envelope is a list of pieces in ascending order that
never overlap; on each piece it is one line, and it may jump between pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, TypeAlias


@dataclass(frozen=True, slots=True)
class Interval:
    """The numbers between two ends.

    Attributes:
        low: the lower end; ``None`` where there is none.
        high: the upper end; ``None`` where there is none.
        low_closed: whether the lower end itself is inside.
        high_closed: whether the upper end itself is inside.
    """

    low: Fraction | None = None
    high: Fraction | None = None
    low_closed: bool = False
    high_closed: bool = False

    @property
    def ends(self) -> tuple[Fraction, ...]:
        """The finite ends, whether inside or not."""
        return tuple(end for end in (self.low, self.high) if end is not None)

    @property
    def sample(self) -> Fraction:
        """A number inside: the middle or, of a half-line, its end plus or minus 1."""
        if self.low is None:
            return Fraction(0) if self.high is None else self.high - 1
        return self.low + 1 if self.high is None else (self.low + self.high) / 2

    def contains(self, value: Fraction) -> bool:
        """Return whether the number is inside."""
        above = self.low is None or value > self.low or (self.low_closed and value == self.low)
        return above and (
            self.high is None or value < self.high or (self.high_closed and value == self.high)
        )

    def intersect(self, other: Interval) -> Interval | None:
        """Return the numbers inside both, ``None`` where there are none."""
        lower = max(self, other, key=_low_key)
        upper = min(self, other, key=_high_key)
        low, high = lower.low, upper.high
        both = lower.low_closed and upper.high_closed
        if low is not None and high is not None and (low > high or (low == high and not both)):
            return None
        return Interval(low, high, lower.low_closed, upper.high_closed)

    def split(self, cuts: Iterable[Fraction]) -> Iterator[Interval]:
        """Yield the ascending parts between the cuts; each cut inside is a part of its own."""
        low, low_closed = self.low, self.low_closed
        for cut in sorted(set(cuts)):
            if not self.contains(cut):
                continue
            if low is None or low < cut:
                yield Interval(low, cut, low_closed)
            yield point(cut)
            low, low_closed = cut, False
        if low is None or self.high is None or low < self.high or (low_closed and self.high_closed):
            yield Interval(low, self.high, low_closed, self.high_closed)

    def touches(self, above: Interval) -> bool:
        """Return whether no number lies between this interval and one that begins no lower."""
        if self.high is None or above.low is None or above.low < self.high:
            return True
        return above.low == self.high and (above.low_closed or self.high_closed)

    def describe(self, number: Callable[[Fraction], str] = str) -> str:
        """Return the usual notation: ``(-inf, -3]``, ``(0, 2/3]``, ``{1/2}``."""
        if self.low is not None and self.low == self.high:
            return f"{{{number(self.low)}}}"
        low = "-inf" if self.low is None else number(self.low)
        high = "inf" if self.high is None else number(self.high)
        return f"{'[' if self.low_closed else '('}{low}, {high}{']' if self.high_closed else ')'}"

    def to_dict(self) -> dict[str, Any]:
        """Return both ends, exact strings like ``2/3`` or null, whether closed, and a ``text``."""
        return {
            "low": None if self.low is None else str(self.low),
            "low_closed": self.low_closed,
            "high": None if self.high is None else str(self.high),
            "high_closed": self.high_closed,
            "text": self.describe(),
        }

    def __str__(self) -> str:
        return self.describe()


LINE: Final = Interval()
"""All numbers."""


def point(value: Fraction) -> Interval:
    """Return the interval that holds one number."""
    return Interval(value, value, low_closed=True, high_closed=True)


@dataclass(frozen=True, slots=True)
class Intervals:
    """A union of intervals, made by :meth:`of`; false where it is empty."""

    parts: tuple[Interval, ...] = ()

    @classmethod
    def of(cls, parts: Iterable[Interval]) -> Intervals:
        """Return the union of intervals in any order, which may touch and overlap."""
        merged: list[Interval] = []
        for part in sorted(parts, key=_low_key):
            if merged and merged[-1].touches(part):
                last = merged.pop()
                upper = max(last, part, key=_high_key)
                part = Interval(last.low, upper.high, last.low_closed, upper.high_closed)
            merged.append(part)
        return cls(tuple(merged))

    def contains(self, value: Fraction) -> bool:
        """Return whether the number is in one of the parts."""
        return any(part.contains(value) for part in self.parts)

    def describe(self, number: Callable[[Fraction], str] = str) -> str:
        """Return the usual notation: ``(-inf, -3] or [2, 5)``."""
        return " or ".join(part.describe(number) for part in self.parts) or "none"

    def to_list(self) -> list[dict[str, Any]]:
        """Return each part as :meth:`Interval.to_dict` has it."""
        return [part.to_dict() for part in self.parts]

    def __bool__(self) -> bool:
        return bool(self.parts)

    def __str__(self) -> str:
        return self.describe()


def _low_key(interval: Interval) -> tuple[bool, Fraction, bool]:
    return (interval.low is not None, interval.low or Fraction(0), not interval.low_closed)


def _high_key(interval: Interval) -> tuple[bool, Fraction, bool]:
    return (interval.high is None, interval.high or Fraction(0), interval.high_closed)


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

    def of(self, inner: Line) -> Line:
        """Return this function of ``inner``."""
        return Line(self.slope * inner.slope, self.slope * inner.intercept + self.intercept)


def constant(value: Fraction | int) -> Line:
    """Return the line that has this value everywhere."""
    return Line(ZERO, Fraction(value))


IDENTITY: Final = Line(Fraction(1), ZERO)
"""The function whose value is its argument."""


def sign(value: Fraction) -> int:
    """Return -1, 0 or 1."""
    return (value > 0) - (value < 0)


def where_sign(line: Line, within: Interval, signs: Container[int]) -> Interval | None:
    """Return where on the interval a line has one of these signs; ``None`` where nowhere.

    Args:
        line: the line.
        within: the interval.
        signs: -1, 0 or 1, or neighbors among them.
    """
    root = line.root
    if root is None:
        return within if sign(line.intercept) in signs else None
    sign_below = -sign(line.slope)
    low = None if sign_below in signs else root
    high = None if -sign_below in signs else root
    is_closed = 0 in signs
    return within.intersect(
        Interval(low, high, low is not None and is_closed, high is not None and is_closed)
    )


ABOVE: Final = (1,)
NOT_BELOW: Final = (0, 1)

Piece: TypeAlias = tuple[Interval, Line]
Envelope: TypeAlias = list[Piece]


def lowest(functions: Iterable[Envelope]) -> Envelope:
    """Return the smallest of several functions, all on the same numbers; at least one is given.

    They are added one at a time, each piece compared with the pieces that it overlaps. The
    envelope of n lines on an interval has at most n pieces; here it has few.

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
    lowered: Envelope = []
    for piece, old in envelope:
        common = piece.intersect(cell)
        lower = common and where_sign(old.minus(line), common, ABOVE)
        if lower is None:
            _append(lowered, piece, old)
            continue
        for part in piece.split(lower.ends):
            _append(lowered, part, line if lower.contains(part.sample) else old)
    return lowered


def _append(envelope: Envelope, part: Interval, line: Line) -> None:
    """Append a piece, merged with the last one where the line is the same and they touch."""
    if envelope and envelope[-1][1] == line and envelope[-1][0].touches(part):
        last = envelope.pop()[0]
        part = Interval(last.low, part.high, last.low_closed, part.high_closed)
    envelope.append((part, line))


def at_least(envelope: Envelope, level: Fraction) -> Intervals:
    """Return where the envelope is at least ``level``."""
    floor = constant(level)
    above = (where_sign(line.minus(floor), piece, NOT_BELOW) for piece, line in envelope)
    return Intervals.of(part for part in above if part is not None)


def is_unbounded(envelope: Envelope) -> bool:
    """Return whether the envelope is unbounded above."""
    return any(
        (line.slope > 0 and piece.high is None) or (line.slope < 0 and piece.low is None)
        for piece, line in envelope
    )
