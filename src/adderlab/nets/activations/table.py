"""The table: one entry for each kind of activation.

Rule: nothing outside this table applies an activation or asks for its kind, but for what is another
algorithm: the kernels' source text, the lecture's own backpropagation
(:mod:`adderlab.explaining.backprop`), functions as decision diagrams and solver scripts, and the
equivalences between units of one kind. A new activation is one more entry.

How far PyTorch's curves are off was measured by ``benchmarks/library_functions.py`` on 2026-11-28
(torch 2.13, AVX-512, fp32 and fp64); what is assumed is at least twice of it.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import numpy as np

from adderlab.nets.activations import piecewise as lines
from adderlab.nets.activations import smooth as curves
from adderlab.nets.activations.options import CONVENTION, Option
from adderlab.nets.activations.piecewise import Line, Pieces, piecewise
from adderlab.nets.activations.rounding import NO_GRID
from adderlab.nets.activations.rule import Rule
from adderlab.nets.activations.smooth import Library, smooth
from adderlab.nets.dyadic import Dyadic

_LIMIT: Final = Option("limit")

LOGIT: Final = Library(16, "1")
"""How close a logit may come to another until a softmax, or its logarithm, makes them equal.

A softmax divides by one sum, so of two logits x and x - g the larger gets the larger value unless
``exp(-g)`` is 1 but for the errors of a subtraction, an exponential and two divisions: 8 units in
the last place of 1. The logarithm of a softmax of up to 1024 values is at most 7 + g, and to round
two of them to the format costs 7 + g units. Each logit of a pair is given 16.
"""

RULES: Final[dict[str, Rule]] = {
    "relu": Rule(
        exact=lambda _, sums: sums.relu(),
        pieces=lambda _: Pieces((lines.ZERO, lines.SAME), (0.0,), (0.0,)),
        ball=lambda _, total: total.max(0),
        plain=lambda _, sums: np.maximum(sums, 0),
        enclosed=lambda _, sums, errors, rounding: (np.maximum(sums, 0), errors),
        image=lambda _, low, high: (np.maximum(low, 0), np.maximum(high, 0)),
        derivative=lambda _, sums: (sums > 0).astype(np.float64),
        grid=lambda _, grids: grids,
        module="ReLU",
        kink="bend",
        is_centered=True,
        can_die=True,
        spellings=("relu",),
    ),
    "identity": Rule(
        exact=lambda _, sums: sums,
        pieces=lambda _: Pieces((lines.SAME,)),
        ball=lambda _, total: total,
        plain=lambda _, sums: sums,
        enclosed=lambda _, sums, errors, rounding: (sums, errors),
        image=lambda _, low, high: (low, high),
        derivative=lambda _, sums: np.ones_like(sums),
        grid=lambda _, grids: grids,
        module="Identity",
        is_centered=True,
        is_odd=True,
    ),
    "logit": Rule(  # what a softmax is taken of, where its largest is asked for
        exact=lambda _, sums: sums,
        pieces=lambda _: Pieces((lines.SAME,)),
        ball=lambda _, total: total,
        plain=lambda _, sums: sums,
        enclosed=lines.logit_enclosed,
        ends=lambda _, sums: (sums, sums),
        image=lambda _, low, high: (low, high),
        derivative=lambda _, sums: np.ones_like(sums),
        grid=lambda _, grids: np.full_like(grids, -NO_GRID),
        module="Identity",
        library=LOGIT,
        rounds=True,
        can_be_run=False,
        is_odd=True,
    ),
    "step": Rule(
        exact=lambda activation, sums: Dyadic(
            sums.exceeds(0.0, activation.convention).astype(np.int64)
        ),
        pieces=lines.step_pieces,
        ball=lambda activation, total: lines.step_pieces(activation).ball(total),
        plain=lines.step,
        enclosed=lines.step_enclosed,
        image=lambda activation, low, high: (
            lines.step(activation, low),
            lines.step(activation, high),
        ),
        derivative=lambda _, sums: np.zeros_like(sums),
        grid=lambda _, grids: np.zeros_like(grids),
        module="Step",
        kink="jump",
        is_flat=True,
        is_centered=True,
        options={"convention": CONVENTION},
    ),
    "leaky": Rule(
        exact=lambda activation, sums: sums.leaky(activation.slope),
        pieces=lines.leaky_pieces,
        ball=lambda activation, total: lines.leaky_pieces(activation).ball(total),
        plain=lines.leaky,
        enclosed=lines.leaky_enclosed,
        image=lines.leaky_image,
        derivative=lambda activation, sums: np.where(sums > 0, 1.0, activation.slope),
        grid=lambda _, grids: grids,
        module="LeakyReLU",
        rounds=True,
        kink="bend",
        is_centered=True,
        options={"slope": Option()},
        spellings=("leaky_relu",),
    ),
    "prelu": Rule(
        exact=lambda activation, sums: sums.leaky(lines.slope_below(activation)),
        ball=lambda activation, total: activation.of_unit(0).ball(total),
        plain=lines.leaky,
        enclosed=lines.leaky_enclosed,
        image=lines.leaky_image,
        derivative=lambda activation, sums: np.where(sums > 0, 1.0, lines.slope_below(activation)),
        grid=lambda _, grids: grids,
        module="PReLU",
        rounds=True,
        kink="bend",
        options={"slopes": Option("numbers", (0.25,))},
        spellings=("prelu",),
    ),
    "hardtanh": piecewise(
        lines.limits,
        lines.clipped,
        lambda activation, sums: lines.between(activation, sums, ends=False),
        "Hardtanh",
        kink="bend",
        options={"min": Option(default=-1.0), "max": Option(default=1.0)},
        check=lines.check_limits,
        spellings=("hardtanh",),
    ),
    "relu6": piecewise(
        lambda _: Pieces((lines.ZERO, lines.SAME, Line(0.0, 6.0)), (0.0, 6.0), (0.0, 6.0)),
        lambda _, sums: np.clip(sums, 0.0, 6.0),
        lambda _, sums: ((sums > 0) & (sums < 6)).astype(np.float64),
        "ReLU6",
        kink="bend",
        can_die=True,
        spellings=("relu6",),
    ),
    "clamp": piecewise(
        lines.limits,
        lines.clipped,
        lambda activation, sums: lines.between(activation, sums, ends=lines.passes_at_limits()),
        "Clamp",
        kink="bend",
        options={"min": _LIMIT, "max": _LIMIT},
        check=lines.check_limits,
        spellings=("clamp", "clip", "clamp_min", "clamp_max"),
    ),
    "threshold": piecewise(
        lines.above_threshold,
        lambda activation, sums: np.where(
            sums <= activation.number("threshold"), activation.number("value"), sums
        ),
        lambda activation, sums: (sums > activation.number("threshold")).astype(np.float64),
        "Threshold",
        kink="jump",
        options={"threshold": Option(), "value": Option()},
        spellings=("threshold",),
    ),
    "abs": piecewise(
        lambda _: Pieces((Line(-1.0), lines.SAME), (0.0,), (0.0,)),
        lambda _, sums: np.abs(sums),
        lambda _, sums: np.sign(sums),
        "Abs",
        kink="bend",
        is_centered=True,
        spellings=("abs", "absolute"),
    ),
    "sign": piecewise(
        lambda _: Pieces((Line(0.0, -1.0), lines.ONE), (0.0,), (0.0,)),
        lambda _, sums: (sums > 0).astype(np.float64) - (sums < 0),  # of NaN 0, as PyTorch has it
        lambda _, sums: np.zeros_like(sums),
        "Sign",
        kink="jump",
        is_flat=True,
        is_centered=True,
        is_odd=True,
        spellings=("sign", "sgn"),
    ),
    "heaviside": piecewise(
        lambda activation: Pieces((lines.ZERO, lines.ONE), (0.0,), (activation.number("value"),)),
        lambda activation, sums: np.where(sums == 0, activation.number("value"), sums > 0),
        lambda _, sums: np.zeros_like(sums),
        "Heaviside",
        kink="jump",
        is_flat=True,
        is_centered=True,
        options={"value": Option()},
        spellings=("heaviside",),
    ),
    "where": piecewise(
        lines.chosen_by_comparison,
        lines.where_plain,
        lines.where_derivative,
        "Where",
        kink="jump",
        options={
            "convention": CONVENTION,
            "threshold": Option(default=0.0),
            "above": _LIMIT,
            "below": _LIMIT,
        },
        spellings=("where",),
    ),
    "tanh": Rule(
        exact=None,
        ball=curves.tanh_ball,
        plain=lambda _, sums: np.tanh(sums),
        enclosed=curves.tanh_enclosed,
        ends=curves.tanh_ends,
        image=lambda _, low, high: (np.tanh(low), np.tanh(high)),
        derivative=lambda _, sums: 1 - np.tanh(sums) ** 2,
        grid=curves.no_grid,
        module="Tanh",
        library=Library(2),
        is_odd=True,
        rounds=True,
        spellings=("tanh",),
    ),
    "sigmoid": smooth(
        curves.sigmoid_ball,
        lambda _, sums: curves.sigmoid(sums),
        lambda _, sums: curves.sigmoid(sums) * curves.sigmoid(-sums),
        "Sigmoid",
        steepest=lambda _: 0.25,
        library=Library(2, "1"),
        spellings=("sigmoid",),
    ),
    "hardsigmoid": smooth(
        curves.hardsigmoid_ball,
        lambda _, sums: np.clip(sums + 3, 0, 6) / 6,
        lambda _, sums: ((sums > -3) & (sums < 3)) / 6,
        "Hardsigmoid",
        steepest=lambda _: 1 / 6 * (1 + 2.0**-50),
        rational=lambda _, total: min(max(total + 3, Fraction(0)), Fraction(6)) / 6,
        library=Library(2),
        kink="bend",
        spellings=("hardsigmoid",),
    ),
    "quotient": smooth(
        curves.quotient_ball,
        lambda activation, sums: sums / activation.number("divisor"),
        lambda activation, sums: np.full_like(sums, 1 / activation.number("divisor")),
        "Quotient",
        steepest=lambda activation: abs(1 / activation.number("divisor")) * (1 + 2.0**-50),
        rational=lambda activation, total: total / Fraction(activation.number("divisor")),
        library=Library(1, is_rounded=True),
        is_odd=True,
        options={"divisor": Option()},
        check=curves.check_divisor,
        spellings=("div",),
    ),
    "softsign": smooth(
        curves.softsign_ball,
        lambda _, sums: sums / (1 + np.abs(sums)),
        lambda _, sums: 1 / (1 + np.abs(sums)) ** 2,
        "Softsign",
        steepest=lambda _: 1.0,
        rational=lambda _, total: total / (1 + abs(total)),
        library=Library(4),
        is_odd=True,
        spellings=("softsign",),
    ),
    "softplus": smooth(
        curves.softplus_ball,
        curves.softplus,
        curves.softplus_derivative,
        "Softplus",
        steepest=lambda _: 1.0,
        gap=curves.softplus_gap,
        library=Library(5, "1"),
        options={"beta": Option(default=1.0), "threshold": Option(default=20.0)},
        check=curves.check_softplus,
        spellings=("softplus",),
    ),
    "elu": smooth(
        curves.elu_ball,
        lambda activation, sums: curves.elu(sums, activation.number("alpha")),
        lambda activation, sums: curves.elu_derivative(sums, activation.number("alpha")),
        "ELU",
        steepest=lambda activation: max(1.0, abs(activation.number("alpha"))),
        dip=lambda activation: (0.0, 0.0) if activation.number("alpha") < 0 else None,
        library=Library(4, "1"),
        options={"alpha": Option(default=1.0)},
        spellings=("elu",),
    ),
    "selu": smooth(
        curves.selu_ball,
        lambda _, sums: curves.elu(sums, curves.SELU_ALPHA, curves.SELU_SCALE),
        lambda _, sums: curves.elu_derivative(sums, curves.SELU_ALPHA, curves.SELU_SCALE),
        "SELU",
        steepest=lambda _: 1.7581,
        library=Library(4, "1"),
        spellings=("selu",),
    ),
    "gelu": smooth(
        curves.gelu_ball,
        curves.gelu,
        curves.gelu_derivative,
        "GELU",
        steepest=lambda _: 1.13,
        dip=lambda _: (-0.752, -0.1701),
        library=Library(10, "argument"),
        options={"approximate": Option("choice", "none", ("none", "tanh"))},
        spellings=("gelu",),
    ),
    "silu": smooth(
        curves.silu_ball,
        lambda _, sums: sums * curves.sigmoid(sums),
        lambda _, sums: curves.sigmoid(sums) * (1 + sums * curves.sigmoid(-sums)),
        "SiLU",
        steepest=lambda _: 1.1,
        dip=lambda _: (-1.2785, -0.2785),
        library=Library(4, "argument"),
        spellings=("silu",),
    ),
    "mish": smooth(
        curves.mish_ball,
        lambda _, sums: curves.mish(sums),
        lambda _, sums: curves.mish_derivative(sums),
        "Mish",
        steepest=lambda _: 1.09,
        dip=lambda _: (-1.1924, -0.3089),
        library=Library(4, "argument"),
        spellings=("mish",),
    ),
}
"""By kind, in the order in which errors list them."""
