"""The notebook's derivation: dl/dw of ``l = (f1(f2(…fN(x))) - y)^2`` with ``fi(x) = wi * x``.

Rule: SymPy differentiates. Every derivative is the product of local ones by the chain rule, and
is compared with the derivative of the whole expression.

The derivatives share their beginnings: dl/df2 is dl/df1 * w1, and it begins all of dl/dw2,
dl/dw3, … Computed once and kept, it makes the work grow with N; from scratch, with its square.
That is why backpropagation is dynamic programming.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, TypeVar

from adderlab.errors import OptionError
from adderlab.explaining.results import number_dict
from adderlab.notation import Formula, equal, minus, number, partial, power, product, shared, symbol

LONGEST_CHAIN: Final = 64
"""Functions of the longest chain: its derivatives fill a screen, and a longer one says no more."""

NUDGE: Final = 2.0**-20
"""By how much a weight is moved, both ways, for a finite difference."""

T = TypeVar("T", bound=Any)


@dataclass(frozen=True, slots=True)
class ChainLine:
    """One derivative of the chain.

    Attributes:
        weight: ``w2``.
        local: ``dl/df1 * df1/df2 * df2/dw2``.
        shared: dl/df2, known from the line above.
        last: df2/dw2, the one new factor.
        formula: the product of both, in the notebook's order.
        expanded: the same in weights, x and y alone, as SymPy writes it.
    """

    weight: Formula
    local: Formula
    shared: Formula
    last: Formula
    formula: Formula
    expanded: str


@dataclass(frozen=True, slots=True)
class Cost:
    """Additions and multiplications for all derivatives of a chain, counted as they run."""

    length: int
    with_reuse: int
    without_reuse: int


@dataclass(frozen=True, slots=True)
class ChainValues:
    """The chain with numbers put in.

    Attributes:
        inputs: w1, w2, …, x and y.
        outputs: f1, f2, … by name.
        loss: l.
        derivatives: dl/dw1, dl/dw2, …, exact.
        autograd_difference: how far PyTorch's autograd is in float64, at most.
        finite_differences: (l(w + h) - l(w - h)) / 2h in float64.
    """

    inputs: dict[str, Fraction]
    outputs: dict[str, Fraction]
    loss: Fraction
    derivatives: tuple[Fraction, ...]
    autograd_difference: float
    finite_differences: tuple[float, ...]

    @property
    def finite_difference_error(self) -> float:
        """How far the finite differences are from the derivatives, at most."""
        pairs = zip(self.derivatives, self.finite_differences, strict=True)
        return max(float(abs(slope - Fraction(other))) for slope, other in pairs)


@dataclass(frozen=True, slots=True)
class Chain:
    """The chain rule for a chain of N functions.

    Attributes:
        lines: dl/dw1 first.
        costs: for 1 to N functions.
        values: with numbers, where they were given.
    """

    lines: tuple[ChainLine, ...]
    costs: tuple[Cost, ...]
    values: ChainValues | None = None

    @property
    def length(self) -> int:
        """N."""
        return len(self.lines)

    @property
    def derivatives(self) -> tuple[str, ...]:
        """Each derivative as text, w1 first."""
        return tuple(line.formula.text for line in self.lines)

    def to_dict(self) -> dict[str, Any]:
        values = self.values
        return {
            "chain": self.length,
            "derivatives": list(self.derivatives),
            "expanded": [line.expanded for line in self.lines],
            "latex": [line.formula.latex for line in self.lines],
            "shared": [line.shared.text for line in self.lines],
            "operations": [
                {
                    "chain": cost.length,
                    "with_reuse": cost.with_reuse,
                    "without_reuse": cost.without_reuse,
                }
                for cost in self.costs
            ],
            "values": None
            if values is None
            else {
                "given": {name: number_dict(value) for name, value in values.inputs.items()},
                "outputs": {name: number_dict(value) for name, value in values.outputs.items()},
                "loss": number_dict(values.loss),
                "derivatives": [number_dict(value) for value in values.derivatives],
                "autograd_difference": values.autograd_difference,
                "finite_differences": list(values.finite_differences),
                "finite_difference_error": values.finite_difference_error,
            },
        }

    def __repr__(self) -> str:
        return f"Chain of {self.length}: {', '.join(self.derivatives[:3])}" + (
            ", …" if self.length > 3 else ""
        )


def chain_rule(length: int, values: Mapping[str, Fraction] | None = None) -> Chain:
    """Return the derivatives of a chain of ``length`` functions, with numbers where given.

    Args:
        length: 1 to :data:`LONGEST_CHAIN`.
        values: numbers for w1 to wN, x and y, all of them.

    Raises:
        OptionError: a length out of its range, or numbers that are missing or too large.

    Examples:
        >>> chain_rule(3).derivatives
        ('2*(f1 - y)*f2', '2*(f1 - y)*w1*f3', '2*(f1 - y)*w1*w2*x')
    """
    if not 1 <= length <= LONGEST_CHAIN:
        raise OptionError(
            f"got {length}", where="length", remedy=f"give a whole number in 1..{LONGEST_CHAIN}"
        )
    numbers = None if values is None else chain_values(length, values)
    return Chain(_derive(length), tuple(map(cost_of, range(1, length + 1))), numbers)


def _derive(length: int) -> tuple[ChainLine, ...]:
    import sympy as sp

    w = [sp.Symbol(f"w{i}") for i in range(1, length + 1)]
    x, y = sp.Symbol("x"), sp.Symbol("y")
    f = [*(sp.Symbol(f"f{i}") for i in range(1, length + 1)), x]  # f[i] is what w[i] multiplies...
    loss = (f[0] - y) ** 2
    whole = (sp.Mul(*w, x) - y) ** 2
    inside = {f[i]: sp.Mul(*w[i:], x) for i in range(length)}

    assert sp.expand(sp.diff(loss, f[0]) - 2 * (f[0] - y)) == 0  # dl/df1
    so_far = [number(Fraction(2)), minus(symbol("f1"), symbol("y"))]
    passed = sp.diff(loss, f[0])
    local = [partial(symbol("l"), symbol("f1"))]
    lines: list[ChainLine] = []
    for i in range(length):
        scaled = w[i] * f[i + 1]  # fi = wi * f(i+1), the last with x itself
        by_weight, by_inner = sp.diff(scaled, w[i]), sp.diff(scaled, f[i + 1])
        own, weight = symbol(f"f{i + 1}"), symbol(f"w{i + 1}")
        derivative = passed * by_weight
        expanded = sp.diff(whole, w[i])
        assert sp.expand(derivative.xreplace(inside) - expanded) == 0, f"dl/dw{i + 1}"
        last = symbol(str(by_weight))
        lines.append(
            ChainLine(
                weight,
                product(*local, partial(own, weight)),
                product(*so_far),
                last,
                product(*so_far, last),
                str(expanded),
            )
        )
        passed *= by_inner
        so_far.append(symbol(str(by_inner)))
        local.append(partial(own, symbol(f"f{i + 2}")))
    return tuple(lines)


def marked(lines: Sequence[ChainLine]) -> list[Formula]:
    """Return each derivative with the factor that it shares with the line above marked."""
    loss = symbol("l")
    return [
        equal(
            partial(loss, line.weight),
            product(shared(line.shared, partial(loss, symbol(f"f{at}"))), line.last),
        )
        for at, line in enumerate(lines, 1)
    ]


def chain_formula(length: int) -> Formula:
    """Return ``l = (f1(f2(f3(x))) - y)^2``."""
    inner = symbol("x")
    for i in range(length, 0, -1):
        name = symbol(f"f{i}")
        inner = Formula(
            f"{name.text}({inner.text})",
            rf"{name.latex}\left({inner.latex}\right)",
            f"{name.mathml}<mo>(</mo>{inner.mathml}<mo>)</mo>",
        )
    return equal(symbol("l"), power(minus(inner, symbol("y")), 2))


# --- with numbers -----------------------------------------------------------------------------


def with_reuse(w: Sequence[T], x: T, y: T) -> list[T]:
    """Return all derivatives, every product computed once: backpropagation."""
    f = [x]
    for weight in reversed(w):  # forward: fN first, and all of them are kept
        f.insert(0, weight * f[0])
    passed = 2 * (f[0] - y)  # dl/df1
    derivatives: list[T] = []
    for i, weight in enumerate(w):
        derivatives.append(passed * f[i + 1])  # dl/dwi = dl/dfi * f(i+1)
        if i + 1 < len(w):
            passed = passed * weight  # dl/df(i+1) = dl/dfi * wi
    return derivatives


def without_reuse(w: Sequence[T], x: T, y: T) -> list[T]:
    """Return all derivatives, each from its own formula: nothing is kept from one to the next."""
    derivatives: list[T] = []
    for i in range(len(w)):
        f = [x]
        for weight in reversed(w):  # its own forward pass, which gives f(i+1) on the way to f1
            f.insert(0, weight * f[0])
        derivative = 2 * (f[0] - y)
        for weight in w[:i]:
            derivative = derivative * weight
        derivatives.append(derivative * f[i + 1])
    return derivatives


class _Counted:
    """A number that counts what is done with it and its like."""

    __slots__ = ("done",)

    def __init__(self, done: list[int]) -> None:
        self.done = done

    def _operation(self, other: object) -> _Counted:
        _ = other
        self.done[0] += 1
        return self

    __mul__ = __rmul__ = __sub__ = _operation


def cost_of(length: int) -> Cost:
    """Return the operations for all derivatives of a chain, counted while they are done."""
    counts: list[int] = []
    for ways in (with_reuse, without_reuse):
        done = [0]
        operand = _Counted(done)
        _ = ways([operand] * length, operand, operand)
        counts.append(done[0])
    return Cost(length, *counts)


def chain_values(length: int, values: Mapping[str, Fraction]) -> ChainValues:
    """Return the chain with numbers put in, checked by autograd and finite differences.

    Raises:
        OptionError: a number is missing or too many, or too large for float64.
    """
    names = [*(f"w{i}" for i in range(1, length + 1)), "x", "y"]
    missing = [name for name in names if name not in values]
    extra = [name for name in values if name not in names]
    if missing or extra:
        wrong = f"{', '.join(missing)} missing" if missing else f"unknown {', '.join(extra)}"
        span = "w1" if length == 1 else f"w1 to w{length}"
        raise OptionError(wrong, where="values", remedy=f"give {span}, x and y: w1=2,…,x=3,y=1")
    *w, x, y = (values[name] for name in names)
    outputs: dict[str, Fraction] = {}
    inner = x
    for i in range(length, 0, -1):
        inner = outputs[f"f{i}"] = w[i - 1] * inner
    exact = with_reuse(w, x, y)
    assert exact == without_reuse(w, x, y)
    refused = OptionError(
        "the numbers are outside the range of float64, in which they are checked",
        where="values",
        remedy="give smaller ones",
    )
    try:
        slots = _autograd(w, x, y)
        floats = [float(weight) for weight in w]
        nudged = tuple(_finite_difference(floats, i, float(x), float(y)) for i in range(length))
        if not all(map(math.isfinite, (*slots, *nudged, *map(float, exact)))):
            raise refused
        pairs = zip(exact, slots, strict=True)
        difference = max(float(abs(slope - Fraction(slot))) for slope, slot in pairs)
    except OverflowError:
        raise refused from None
    loss = (outputs["f1"] - y) ** 2
    inputs = {name: values[name] for name in names}
    return ChainValues(
        inputs, dict(reversed(outputs.items())), loss, tuple(exact), difference, nudged
    )


def _autograd(w: Sequence[Fraction], x: Fraction, y: Fraction) -> tuple[float, ...]:
    """Return what autograd leaves in each weight's slot, in float64."""
    import torch

    leaves = [torch.tensor(float(weight), dtype=torch.float64, requires_grad=True) for weight in w]
    f = torch.tensor(float(x), dtype=torch.float64)
    for leaf in reversed(leaves):
        f = leaf * f
    _ = ((f - float(y)) ** 2).backward()
    slots = [leaf.grad for leaf in leaves]
    return tuple(math.nan if slot is None else float(slot) for slot in slots)


def _finite_difference(w: Sequence[float], at: int, x: float, y: float) -> float:
    """Return how fast the loss changes with one weight, from two nearby losses."""
    ends: list[float] = []
    step = NUDGE * max(1.0, abs(w[at]))
    for nudge in (step, -step):
        f = x
        for i in reversed(range(len(w))):
            f = (w[i] + nudge * (i == at)) * f
        ends.append((f - y) ** 2)
    return (ends[0] - ends[1]) / (2 * step)
