"""Sums of few terms in a float format, in every order: the least value there is.

Rule: a *bound* holds for every order, for partial sums in parallel, for products fused with sums,
and for accumulators of any wider format, freely mixed; it may be too low. An *extreme* is the
value of one order, term after term, every product and every partial sum rounded.

Rounding is monotonic, so the least value of a set of terms is reached from the least values of
its parts: a pass over the subsets of the terms gives both, in place of a pass over all orders.
The largest value is that of the negated terms, negated.

References:
    Held and Karp, "A dynamic programming approach to sequencing problems" (1962), for subsets in
    place of permutations. Knuth, "The Art of Computer Programming" 2 (1997), 4.2.2, theorem B,
    for the exact error of a sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from adderlab.formats import FORMATS, FP64, Format

if TYPE_CHECKING:
    from jaxtyping import Float64, Int64

Doubles: TypeAlias = "Float64[np.ndarray, '*shape']"
Level: TypeAlias = "tuple[Int64[np.ndarray, ' masks'], Int64[np.ndarray, 'masks parts']]"

MOST_TERMS: Final = 10
"""Terms of a sum, its bias among them, up to which every order is looked at."""


def lowest_kept(low: Doubles, form: Format) -> Doubles:
    """Return lower bounds of what is kept of exact results that are not below ``low``.

    Kept is the exact result, or the result rounded to the format, to fp32 or to fp64.
    """
    wider = [other for other in (FORMATS["fp32"], FP64) if other.precision > form.precision]
    return np.minimum.reduce([low, *(kept.round(low) for kept in (form, *wider))])


def least_sum(terms: Float64[np.ndarray, "terms batch"], form: Format) -> Doubles:
    """Return lower bounds of the sums of the terms, however they are summed.

    Args:
        terms: lower bounds of the terms, at most :data:`MOST_TERMS`.
        form: the format.
    """

    def join(left: Doubles, right: Doubles) -> Doubles:
        return lowest_kept(_sum_below(left, right), form)

    return _over_subsets(terms, _halves(len(terms)), join)[-1]


def least_in_order(
    terms: Float64[np.ndarray, "terms batch"], form: Format
) -> Float64[np.ndarray, "subsets batch"]:
    """Return the least value that each subset of the terms gives, one term after the other.

    Args:
        terms: values of the format, at most :data:`MOST_TERMS`.
        form: the format, to which every partial sum is rounded.

    Returns:
        Row ``mask`` is the least sum of the terms whose bits are set in ``mask``; the last row
        is that of all terms.
    """

    def join(left: Doubles, right: Doubles) -> Doubles:
        return form.round(left + right)

    return _over_subsets(terms, _without_last(len(terms)), join)


def order_of(
    table: Float64[np.ndarray, " subsets"], terms: Float64[np.ndarray, " terms"], form: Format
) -> list[int]:
    """Return an order in which the terms give the least sum.

    Args:
        table: what :func:`least_in_order` returns for these terms.
        terms: the terms of one row.
        form: the format.
    """
    order: list[int] = []
    mask = len(table) - 1
    while mask & (mask - 1):
        members = np.array([term for term in range(len(terms)) if mask >> term & 1])
        with np.errstate(all="ignore"):
            sums = form.round(table[mask ^ 1 << members] + terms[members])
        is_least = (sums == table[mask]) | (np.isnan(sums) & np.isnan(table[mask]))
        last = int(members[np.flatnonzero(is_least)[-1]])
        order.append(last)
        mask ^= 1 << last
    return [*order, mask.bit_length() - 1][::-1] if mask else []


def least_products(
    factors: Float64[np.ndarray, "*shape"], values: Doubles, precision: int
) -> Doubles:
    """Return lower bounds of products, equal to them where they are doubles.

    Args:
        factors: of at most ``precision`` significant bits.
        values: any doubles.
        precision: significant bits of a factor.
    """
    products = factors * values
    mantissas, _ = np.frexp(values)
    scaled = np.ldexp(mantissas, max(53 - precision, 1))
    is_short = (scaled == np.rint(scaled)) & (np.abs(products) >= 2.0**-960)
    is_exact = is_short | (factors == 0) | (values == 0)
    return np.where(is_exact, products, np.nextafter(products, -np.inf))


def _sum_below(left: Doubles, right: Doubles) -> Doubles:
    """Return lower bounds of sums, equal to them where they are doubles."""
    total = left + right
    part = total - left
    error = (left - (total - part)) + (right - part)
    # NaN where the error itself overflowed, near the largest double: then nothing is known of it
    return np.where(error >= 0, total, np.nextafter(total, -np.inf))


def _over_subsets(
    terms: Float64[np.ndarray, "terms batch"],
    levels: Sequence[Level],
    join: Callable[[Doubles, Doubles], Doubles],
) -> Float64[np.ndarray, "subsets batch"]:
    """Return the least value of every subset of the terms, over its ways to fall in two parts."""
    count, batch = terms.shape
    table = np.zeros((1 << count, batch))
    table[1 << np.arange(count)] = terms
    with np.errstate(all="ignore"):
        for masks, parts in levels:
            joined = join(table[parts], table[masks[:, None] ^ parts])
            table[masks] = joined.min(axis=1)
    return table


@cache
def _halves(count: int) -> tuple[Level, ...]:
    """Return the subsets by size, each with the parts that hold its lowest term."""
    return _levels(count, _parts_with_lowest)


@cache
def _without_last(count: int) -> tuple[Level, ...]:
    """Return the subsets by size, each with what is left without each of its terms."""
    return _levels(count, lambda mask: [mask ^ bit for bit in _bits(mask)])


def _levels(count: int, parts_of: Callable[[int], list[int]]) -> tuple[Level, ...]:
    by_size = [
        [mask for mask in range(1 << count) if mask.bit_count() == size]
        for size in range(2, count + 1)
    ]
    return tuple(
        (np.array(masks), np.array([parts_of(mask) for mask in masks])) for masks in by_size
    )


def _parts_with_lowest(mask: int) -> list[int]:
    lowest = mask & -mask
    rest = mask ^ lowest
    parts = [lowest]
    part = (rest - 1) & rest
    while part:
        parts.append(part | lowest)
        part = (part - 1) & rest
    return parts


def _bits(mask: int) -> list[int]:
    return [1 << term for term in range(mask.bit_length()) if mask >> term & 1]
