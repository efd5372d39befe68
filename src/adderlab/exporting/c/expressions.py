"""What an activation is in C: an expression of a sum, or for a curve a function of its own.

Rule: straight lines are chosen by comparisons, so nothing of them is rounded but the product of a
slope. Curves call the C library, which promises no last bit; where a value is large it is written
so that no exponential overflows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Final

from adderlab.exporting.c.tables import SIGNED, float_literal, int_literal
from adderlab.formats import FORMATS
from adderlab.nets import Activation
from adderlab.nets.activations.piecewise import Pieces
from adderlab.nets.activations.smooth import SELU_ALPHA, SELU_SCALE
from adderlab.nets.constants import rounded_to
from adderlab.nets.scaled import Bends, Line

Number = Callable[[float], str]
"""From a number to its literal in the type of the sums."""


def whole_lines(bends: Bends, sum_type: str, value_type: str, slope: str = "") -> str:
    """Return the value of ``sum`` in whole numbers.

    Args:
        bends: its lines.
        sum_type: of the sum; a knot that it does not hold is never reached.
        value_type: of the value.
        slope: what stands for the first line's factor, where units differ in it.
    """
    half = 1 << SIGNED[sum_type] - 1
    wide = max(sum_type, value_type, key=SIGNED.__getitem__)
    is_wide = SIGNED[wide] > 16  # what is narrower C widens to int, which has 16 bits at least
    cast = f"({wide})" if (is_wide and wide != sum_type) or SIGNED[wide] > 32 else ""

    def line(own: Line, factor: str = "") -> str:
        if not own.factor and not factor:
            return int_literal(own.constant)
        if factor or own.factor not in (1, -1):
            text = f"{cast}{factor or _signed(own.factor)} * sum"
        else:
            text = "sum" if own.factor == 1 else f"-{cast}sum"
        shift = f" {'+' if own.constant > 0 else '-'} {abs(own.constant)}" if own.constant else ""
        return text + shift

    lines = [line(own, slope if place == 0 else "") for place, own in enumerate(bends.lines)]
    parts = [
        (bends.at(left, knot), knot, value, bends.at(right, knot))
        for (left, right), knot, value in zip(
            pairwise(bends.lines), bends.knots, bends.values, strict=True
        )
    ]
    text = ""
    for place, (before, knot, value, after) in enumerate(parts):
        if knot < -half:
            continue
        if knot >= half:
            return text + lines[place]
        text += _choice(lines[place], str(knot), before == value, value == after, str(value))
    return text + lines[-1]


def float_lines(pieces: Pieces, number: Number, slope: str = "") -> str:
    """Return the value of ``sum`` in a float type.

    Args:
        pieces: its lines, with constants that the type holds.
        number: makes literals of them.
        slope: what stands for the first line's slope, where units differ in it.
    """
    texts: list[str] = []
    for place, line in enumerate(pieces.lines):
        if place == 0 and slope:
            texts.append(f"sum * {slope}")
        elif not line.slope:
            texts.append(number(line.intercept))
        elif line.slope in (1, -1):
            texts.append("sum" if line.slope == 1 else "-sum")
        else:
            texts.append(f"sum * {_signed_text(number(line.slope))}")
    text = ""
    for place, (knot, value) in enumerate(zip(pieces.knots, pieces.values, strict=True)):
        left, right = pieces.lines[place], pieces.lines[place + 1]
        meets = left.at(knot) == value, value == right.at(knot)
        text += _choice(texts[place], number(knot), *meets, number(value))
    return text + texts[-1]


def _choice(line: str, knot: str, meets_left: bool, meets_right: bool, value: str) -> str:
    """Return what chooses the line left of a knot, and the value on it where no line has it."""
    if meets_right:
        return f"sum < {knot} ? {line} : "
    if meets_left:
        return f"sum <= {knot} ? {line} : "
    return f"sum < {knot} ? {line} : sum == {knot} ? {value} : "


def _signed(number: int) -> str:
    return _signed_text(int_literal(number))


def _signed_text(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


_SIGMOID: Final = """\
  const T e = exp_(-fabs_(x));
  return x < 0 ? e / (1 + e) : 1 / (1 + e);"""

_CURVES: Final[Mapping[str, str]] = {
    "tanh": "  return tanh_(x);",
    "sigmoid": _SIGMOID,
    "hardsigmoid": "  return x <= -3 ? 0 : x >= 3 ? 1 : (x + 3) / 6;",
    "quotient": "  return x / {divisor};",
    "softsign": "  return x / (1 + (x < 0 ? -x : x));",
    "softplus": """\
  const T t = x * {beta};
  return t > {threshold} ? x : ((t > 0 ? t : 0) + log1p_(exp_(-fabs_(t)))) / {beta};""",
    "elu": "  return x > 0 ? x : {alpha} * expm1_(x);",
    "selu": "  return {scale} * (x > 0 ? x : {alpha} * expm1_(x));",
    "gelu": "  return x * erfc_(-x * {root}) / 2;",
    "gelu tanh": """\
  const T u = 2 * {factor} * (x + {cube} * x * x * x);
  const T e = exp_(-fabs_(u));
  return u < 0 ? x * e / (1 + e) : x / (1 + e);""",
    "silu": """\
  const T e = exp_(-fabs_(x));
  return x < 0 ? x * e / (1 + e) : x / (1 + e);""",
    "mish": """\
  const T e = exp_(-fabs_(x));
  return x < 0 ? x * (e * (e + 2)) / (e * (e + 2) + 2)
               : x * (1 + 2 * e) / (1 + 2 * e + 2 * e * e);""",
}
"""The body of each curve of ``x``, in which ``T`` is its type and ``exp_`` the type's function."""

_LIBRARY: Final = ("tanh_", "exp_", "fabs_", "log1p_", "expm1_", "erfc_")


def needs_library(activation: Activation) -> bool:
    """Return whether an activation calls the C library."""
    body = _CURVES.get(_curve(activation), "")
    return any(name in body for name in _LIBRARY)


def curve_body(activation: Activation, type_: str) -> str:
    """Return the lines of a curve's function of ``x``.

    Args:
        activation: a curve, with constants that the type holds.
        type_: ``float`` or ``double``.
    """
    constants = {name: numbers[0] for name, numbers in activation.constants.items()}
    constants |= {"root": 0.5**0.5, "cube": 0.044715, "factor": 0.7978845608028654}
    if activation.kind == "selu":
        constants |= {"alpha": SELU_ALPHA, "scale": SELU_SCALE}
    texts = {
        name: float_literal(_rounded(number, type_), type_) for name, number in constants.items()
    }
    body = _CURVES[_curve(activation)].format(**texts).replace("const T ", f"const {type_} ")
    for name in _LIBRARY:
        body = body.replace(name, name[:-1] + ("f" if type_ == "float" else ""))
    return body


def _curve(activation: Activation) -> str:
    is_approximate = activation.kind == "gelu" and activation.approximate == "tanh"
    return "gelu tanh" if is_approximate else activation.kind


def _rounded(number: float, type_: str) -> float:
    return rounded_to(FORMATS["fp32"], number) if type_ == "float" else number
