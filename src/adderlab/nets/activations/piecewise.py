"""Activations of straight lines: exact in whole numbers, whatever their knots.

Rule: a piece is a line or a constant between two knots, and each knot has a value of its own, so
bends and jumps are told alike. Nothing here rounds but the products of a slope other than 1, -1
and 0, which :func:`leaky_enclosed` bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from adderlab.errors import NetworkError
from adderlab.nets.activations.rounding import SLACK, Rounding, lowest_bits
from adderlab.nets.activations.rule import Rule
from adderlab.nets.convention import is_above
from adderlab.nets.dyadic import Dyadic, dyadic_of
from adderlab.nets.readout import exceeds
from adderlab.packages import release_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from adderlab.nets.activations.activation import Activation


@dataclass(frozen=True, slots=True)
class Line:
    """``slope * x + intercept``."""

    slope: float
    intercept: float = 0.0

    def at(self, x: Any) -> Any:
        """Return its values, as they are where the slope is 1, -1 or 0."""
        if not self.slope:
            return x * 0 + self.intercept
        return (x if self.slope == 1 else x * self.slope) + self.intercept

    def exact(self, sums: Dyadic) -> Dyadic:
        """Return its values, exactly."""
        product = sums if self.slope == 1 else sums.times(dyadic_of(self.slope))
        return product.plus(dyadic_of(self.intercept)) if self.intercept else product

    def ball(self, x: Any) -> Any:
        """Return a ball that holds its values on a ball."""
        from flint import arb

        return x * arb(self.slope) + arb(self.intercept) if self.slope else arb(self.intercept)


SAME, ZERO, ONE = Line(1.0), Line(0.0), Line(0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Pieces:
    """A piecewise linear function.

    Attributes:
        lines: from the left to the right, one more than there are knots.
        knots: where a line ends and the next begins, growing.
        values: the values at the knots.
    """

    lines: tuple[Line, ...]
    knots: tuple[float, ...] = ()
    values: tuple[float, ...] = ()

    def exact(self, sums: Dyadic) -> Dyadic:
        """Return its values, exactly."""
        result = self.lines[0].exact(sums)
        for knot, value, line in zip(self.knots, self.values, self.lines[1:], strict=True):
            result = _chosen(sums.exceeds(knot, ">="), dyadic_of(value), result)
            result = _chosen(sums.exceeds(knot, ">"), line.exact(sums), result)
        return result

    def ball(self, x: Any) -> Any:
        """Return a ball that holds its values on a ball."""
        from flint import arb

        if not self.knots:
            return self.lines[0].ball(x)
        knots = [arb(knot) for knot in self.knots]
        parts: list[Any] = []
        for line, low, high in zip(self.lines, [None, *knots], [*knots, None], strict=True):
            if (low is not None and x <= low) or (high is not None and x >= high):
                continue
            part = x if low is None else x.max(low)
            parts.append(line.ball(part if high is None else part.min(high)))
        pairs = zip(knots, self.values, strict=True)
        parts += [arb(value) for knot, value in pairs if x.contains(knot)]
        result = parts[0]
        for part in parts[1:]:
            result = result.union(part)
        return result

    def plain(self, sums: Any) -> Any:
        """Return its values in double, of infinite sums too."""
        result = _on_line(self.lines[0], sums)
        for knot, value, line in zip(self.knots, self.values, self.lines[1:], strict=True):
            result = np.where(sums == knot, value, result)
            result = np.where(sums > knot, _on_line(line, sums), result)
        return result

    def line_at(self, x: Any) -> tuple[Line, bool]:
        """Return the line that holds at a number, and whether it is a knot: then its value."""
        for line, knot, value in zip(self.lines, self.knots, self.values, strict=False):
            if x < knot:
                return line, False
            if x == knot:
                return Line(0.0, value), True
        return self.lines[-1], False

    def image(self, low: Any, high: Any) -> tuple[Any, Any]:
        """Return its least and its largest values, limits at a jump included, between two sums."""
        ends = self.plain(low), self.plain(high)
        least, most = np.minimum(*ends), np.maximum(*ends)
        for (before, after), knot, value in zip(
            pairwise(self.lines), self.knots, self.values, strict=True
        ):
            reached = (
                ((low < knot) & (high >= knot), before.at(knot)),
                ((low <= knot) & (high >= knot), value),
                ((low <= knot) & (high > knot), after.at(knot)),
            )
            for is_reached, limit in reached:
                least = np.where(is_reached, np.minimum(least, limit), least)
                most = np.where(is_reached, np.maximum(most, limit), most)
        return least, most

    @property
    def steepest(self) -> float:
        """The largest magnitude of a slope; infinite where it jumps."""
        for (before, after), knot, value in zip(
            pairwise(self.lines), self.knots, self.values, strict=True
        ):
            if not before.at(knot) == value == after.at(knot):
                return float("inf")
        return max(abs(line.slope) for line in self.lines)

    @property
    def constants(self) -> tuple[float, ...]:
        """The values of its flat pieces and of its knots."""
        flat = [line.intercept for line in self.lines if not line.slope]
        return (*flat, *self.values)


def piecewise(
    pieces: Callable[[Activation], Pieces],
    plain: Callable[[Activation, Any], Any],
    derivative: Callable[[Activation, Any], Any],
    module: str,
    **about: Any,
) -> Rule:
    """Return the table entry of an activation whose slopes are 1, -1 and 0."""
    return Rule(
        exact=lambda activation, sums: pieces(activation).exact(sums),
        pieces=pieces,
        ball=lambda activation, total: pieces(activation).ball(total),
        plain=plain,
        enclosed=_enclosed,
        image=lambda activation, low, high: pieces(activation).image(low, high),
        derivative=derivative,
        grid=_grid,
        module=module,
        **about,
    )


def _enclosed(
    activation: Activation, sums: Any, errors: Any, rounding: Rounding
) -> tuple[Any, Any]:
    del rounding  # comparisons and constants round nothing
    pieces = activation.pieces
    assert pieces is not None
    values = activation.plain(sums)
    if not errors.any():
        return values, errors
    with np.errstate(invalid="ignore"):
        low = np.nextafter(sums - errors, -np.inf)
        high = np.nextafter(sums + errors, np.inf)
        least, most = pieces.image(low, high)
        bound = np.maximum(values - least, most - values) * SLACK
    if pieces.steepest <= 1:
        bound = np.minimum(bound, errors)
    bound = np.where(np.isfinite(errors), bound, np.inf)  # an overflow may be NaN
    return values, np.where(errors == 0, 0.0, bound)


def _grid(activation: Activation, grids: Any) -> Any:
    pieces = activation.pieces
    assert pieces is not None
    own = int(lowest_bits(np.array(pieces.constants or (0.0,))).min())
    is_flat = not any(line.slope for line in pieces.lines)
    return np.full_like(grids, own) if is_flat else np.minimum(grids, own)


def _chosen(mask: Any, left: Dyadic, right: Dyadic) -> Dyadic:
    """Return the left values where the mask says so, else the right ones."""
    exponent = min(left.exponent, right.exponent)
    integers = left.rescaled(exponent).integers, right.rescaled(exponent).integers
    return Dyadic(np.where(mask, *integers), exponent)


def _on_line(line: Line, sums: Any) -> Any:
    """Return a line's values; 0 times an infinity is 0 here."""
    return line.at(sums) if line.slope else np.full_like(sums, line.intercept)


# -- the pieces of each kind ---------------------------------------------------------------------


def limits(activation: Activation) -> Pieces:
    """Return the pieces of hardtanh and clamp: the sum between two limits, or one."""
    low, high = activation.min, activation.max
    if low is not None and low == high:
        return Pieces((Line(0.0, low),))
    lines, knots = [SAME], list[float]()
    if low is not None:
        lines.insert(0, Line(0.0, low))
        knots.append(low)
    if high is not None:
        lines.append(Line(0.0, high))
        knots.append(high)
    return Pieces(tuple(lines), tuple(knots), tuple(knots))


def check_limits(activation: Activation) -> None:
    """Raise unless the least value is at most the largest, and one of them is given."""
    low, high = activation.min, activation.max
    if low is None and high is None:
        raise NetworkError("a clamp has no limit", where="min", remedy="give `min` or `max`")
    if low is not None and high is not None and low > high:
        raise NetworkError(
            f"the min {low:g} is above the max {high:g}", where="min", remedy="swap them"
        )


def clipped(activation: Activation, sums: Any) -> Any:
    """Return sums between the limits."""
    low = -np.inf if activation.min is None else activation.min
    high = np.inf if activation.max is None else activation.max
    return np.clip(sums, low, high)


@cache
def passes_at_limits() -> bool:
    """Return whether PyTorch takes 1 for clamp's derivative at a limit.

    Releases before 2.14 do. Later ones take 0, as for hardtanh, and so does adderlab where PyTorch
    is not installed.

    References:
        "Align clamp and min/max subgradients with dispatcher schemas" (2026),
        https://github.com/pytorch/pytorch/pull/191142
    """
    release = release_of("torch")
    return release is not None and release < (2, 14)


def between(activation: Activation, sums: Any, *, ends: bool) -> Any:
    """Return 1 where sums are between the limits, or on one of them where ``ends`` says so."""
    low = -np.inf if activation.min is None else activation.min
    high = np.inf if activation.max is None else activation.max
    is_in = (sums >= low) & (sums <= high) if ends else (sums > low) & (sums < high)
    return is_in.astype(np.float64)


def above_threshold(activation: Activation) -> Pieces:
    """Return the pieces of threshold: the sum above it, a constant elsewhere."""
    threshold, value = activation.number("threshold"), activation.number("value")
    return Pieces((Line(0.0, value), SAME), (threshold,), (value,))


def chosen_by_comparison(activation: Activation) -> Pieces:
    """Return the pieces of ``where(x > t, above, below)``."""
    threshold = activation.number("threshold")
    above, below = (
        SAME if value is None else Line(0.0, value)
        for value in (activation.above, activation.below)
    )
    at = above if activation.convention == ">=" else below
    return Pieces((below, above), (threshold,), (at.at(threshold),))


def where_plain(activation: Activation, sums: Any) -> Any:
    """Return what the comparison chooses."""
    above, below = (
        sums if value is None else np.full_like(sums, value)
        for value in (activation.above, activation.below)
    )
    return np.where(
        exceeds(sums, activation.number("threshold"), activation.convention), above, below
    )


def where_derivative(activation: Activation, sums: Any) -> Any:
    """Return 1 where the comparison chooses the sum itself."""
    above, below = (
        np.full_like(sums, value is None) for value in (activation.above, activation.below)
    )
    return np.where(
        exceeds(sums, activation.number("threshold"), activation.convention), above, below
    )


def logit_enclosed(
    activation: Activation, sums: Any, errors: Any, rounding: Rounding
) -> tuple[Any, Any]:
    """Return sums, with bounds that count what a softmax of them rounds away."""
    library = activation.rule.library
    assert library is not None
    size = np.abs(sums) + errors
    return sums, (errors + library.error(activation, size, size, rounding)) * (
        SLACK if rounding.ulp else 1.0
    )


# -- a step, and slopes below 0 ------------------------------------------------------------------


def step_ball(activation: Activation, total: Any) -> Any:
    """Return 0, 1, or a ball that holds both."""
    return step_pieces(activation).ball(total)


def step_pieces(activation: Activation) -> Pieces:
    """Return the pieces of a step."""
    return Pieces((ZERO, ONE), (0.0,), (float(activation.convention == ">="),))


def step(activation: Activation, sums: Any) -> Any:
    """Return 1 above 0, else 0."""
    return is_above(sums, 0.0, activation.convention).astype(np.float64)


def step_enclosed(
    activation: Activation, sums: Any, errors: Any, rounding: Rounding
) -> tuple[Any, Any]:
    """Return a step's values; 0.5 where it is undecided, which is 0 or 1."""
    del rounding  # a comparison rounds nothing
    is_clear = (errors == 0) | (np.abs(sums) > errors * SLACK)
    return np.where(is_clear, step(activation, sums), 0.5), np.where(is_clear, 0.0, 0.5)


def slope_below(activation: Activation) -> Any:
    """Return the factor below 0: of leaky a number, of prelu one or one for each unit."""
    if activation.kind == "leaky":
        return activation.slope
    slopes = activation.slopes
    return slopes[0] if len(slopes) == 1 else np.array(slopes)


def leaky_pieces(activation: Activation) -> Pieces:
    """Return the pieces of leaky relu."""
    return Pieces((Line(activation.slope), SAME), (0.0,), (0.0,))


def leaky(activation: Activation, sums: Any) -> Any:
    """Return sums, those below 0 times the slope."""
    return np.where(sums > 0, sums, sums * slope_below(activation))


def leaky_image(activation: Activation, low: Any, high: Any) -> tuple[Any, Any]:
    """Return the least and the largest plain value between two sums."""
    ends = leaky(activation, low), leaky(activation, high)
    spans = (low < 0) & (high > 0)
    least = np.minimum(*ends)
    return np.where(spans, np.minimum(least, 0.0), least), np.maximum(*ends)


def leaky_enclosed(
    activation: Activation, sums: Any, errors: Any, rounding: Rounding
) -> tuple[Any, Any]:
    """Return leaky relu's values, with bounds that count the product's rounding."""
    slope = slope_below(activation)
    below = sums * slope
    steep = np.maximum(1.0, np.abs(slope))
    spread = np.abs(below) + errors * steep  # no result below 0 is larger
    bound = (errors * steep + rounding.unit * spread + rounding.tiny) * SLACK
    bound[spread * (1 + rounding.unit) * SLACK > rounding.largest] = np.inf
    return np.where(sums > 0, sums, below), np.where((sums >= 0) & (errors == 0), 0.0, bound)
