"""Whether a plane separates points, decided exactly: what a last layer could still compute."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


def is_separable(points: Sequence[Sequence[Fraction]], sides: Sequence[bool]) -> bool:
    """Return whether some plane has all points of one side above it and all others below.

    By the theorem of the alternative there is none exactly if some weights ``p >= 0`` that sum
    to 1 give ``sum p_i s_i (x_i, 1) = 0``, where ``s_i`` is 1 or -1 by the side: if a mean of
    the ones is a mean of the zeros. The simplex method in fractions decides whether such weights
    exist; Bland's rule chooses its pivots, so that it terminates.

    Args:
        points: of one dimension, at least one.
        sides: for each point.

    References:
        Gordan, Math. Ann. 6 (1873); Bland, "New finite pivoting rules for the simplex method",
        Math. Oper. Res. 2 (1977).
    """
    rows = [
        [part if side else -part for part, side in zip(line, sides, strict=True)]
        for line in zip(*[(*point, Fraction(1)) for point in points], strict=True)
    ]
    rows.append([Fraction(1)] * len(points))
    right_side = [Fraction(0)] * (len(rows) - 1) + [Fraction(1)]
    return not _has_solution(rows, right_side)


def _has_solution(rows: list[list[Fraction]], right_side: list[Fraction]) -> bool:
    """Return whether ``rows @ p = right_side`` has a solution ``p >= 0``.

    ``right_side`` has no negative entry.

    Phase one of the simplex method: one helper variable a row, driven out where that is
    possible. What they sum to at the end is 0 exactly if there is a solution.
    """
    count, width = len(rows), len(rows[0])
    table = [
        [*row, *(Fraction(at == other) for other in range(count)), right]
        for at, (row, right) in enumerate(zip(rows, right_side, strict=True))
    ]
    basis = list(range(width, width + count))
    cost = [-sum(line[at] for line in table) for at in range(width)]
    cost += [Fraction(0)] * count + [-sum(line[-1] for line in table)]
    while True:
        enters = next((at for at in range(width) if cost[at] < 0), None)
        if enters is None:
            return cost[-1] == 0
        ratios = [
            (line[-1] / line[enters], basis[at], at)
            for at, line in enumerate(table)
            if line[enters] > 0
        ]
        if not ratios:
            raise AssertionError("the sum of helpers has no lower end")
        *_, leaves = min(ratios)
        pivot = table[leaves][enters]
        table[leaves] = [entry / pivot for entry in table[leaves]]
        for line in (*(entry for at, entry in enumerate(table) if at != leaves), cost):
            factor = line[enters]
            if factor:
                for at, entry in enumerate(table[leaves]):
                    line[at] -= factor * entry
        basis[leaves] = enters
