"""Every entry of the table of activations, against its own exact values and against PyTorch."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from exact import activated
from flint import arb, ctx
from strategies import STRAIGHT, refused

from adderlab.errors import NetworkError
from adderlab.formats import FORMATS
from adderlab.nets import Activation
from adderlab.nets.activation_modules import module_of
from adderlab.nets.activations import RULES, Rounding, activation_named, piecewise
from adderlab.nets.constants import variants
from adderlab.nets.dyadic import Dyadic, from_floats
from adderlab.nets.tracing.operations import TABLE
from adderlab.proving.constants import curve_bounds

LECTURE = [
    Activation("relu"),
    Activation("identity"),
    Activation("step", convention=">"),
    Activation("step", convention=">="),
    Activation("leaky", slope=0.375),
    Activation("leaky", slope=-1.5),
]
CURVES = [
    Activation("tanh"),
    Activation("sigmoid"),
    Activation("hardsigmoid"),
    Activation("quotient", divisor=3),
    Activation("quotient", divisor=-0.7),
    Activation("softsign"),
    Activation("softplus"),
    Activation("softplus", beta=2.5, threshold=3),
    Activation("elu"),
    Activation("elu", alpha=0.3),
    Activation("elu", alpha=-0.75),
    Activation("selu"),
    Activation("gelu"),
    Activation("gelu", approximate="tanh"),
    Activation("silu"),
    Activation("mish"),
]
ALL = [*LECTURE, *STRAIGHT, *CURVES, Activation("logit")]
SUMS = Dyadic(np.arange(-40, 41), -3)
FAR = np.array(
    [0.0, 1e-310, -1e-310, 1e-20, -1e-20, 12.3, -12.3, 40, -40, 800, -800, 1e300, -1e300]
)


def by_mpmath(activation: Activation, x: Any) -> Any:
    """Return the curve's textbook formula; the caller sets the digits."""
    exp, log = mpmath.exp, mpmath.log
    match activation.kind:
        case "tanh":
            return mpmath.tanh(x)
        case "sigmoid":
            return 1 / (1 + exp(-x))
        case "hardsigmoid":
            return min(max(x + 3, 0), 6) / 6
        case "quotient":
            return x / mpmath.mpf(activation.divisor)
        case "softsign":
            return x / (1 + abs(x))
        case "softplus":
            beta = mpmath.mpf(activation.beta)
            return x if x * beta > activation.threshold else log(1 + exp(beta * x)) / beta
        case "elu":
            return x if x > 0 else mpmath.mpf(activation.alpha) * (exp(x) - 1)
        case "selu":
            scale, alpha = mpmath.mpf(1.0507009873554805), mpmath.mpf(1.6732632423543772)
            return scale * (x if x > 0 else alpha * (exp(x) - 1))
        case "gelu" if activation.approximate == "none":
            if abs(x) > 1000:  # where mpmath's erfc overflows, and 1 and 0 are within 2**-700000
                return max(x, 0)
            return x * mpmath.erfc(-x / mpmath.sqrt(2)) / 2
        case "gelu":
            inner = mpmath.sqrt(2 / mpmath.pi) * (x + mpmath.mpf(44715) / 10**6 * x**3)
            return x / (1 + exp(-2 * inner))
        case "silu":
            return x / (1 + exp(-x))
        case _:
            assert activation.kind == "mish"
            return x * mpmath.tanh(log(1 + exp(x)))


def values_of(activation: Activation, sums: Any = SUMS) -> list[Any]:
    """Return the values on sums: fractions, or mpmath's numbers of 60 digits and more."""
    if activation.is_exact:
        exact = activation.exact(sums)
        return [exact.at(i) for i in range(exact.shape[0])]
    with mpmath.workdps(900):
        return [+by_mpmath(activation, mpmath.mpf(x)) for x in sums.to_floats().tolist()]


def _mp(value: Any) -> Any:
    return mpmath.mpf(value.numerator) / value.denominator if isinstance(value, Fraction) else value


def test_every_kind_is_listed_here() -> None:
    assert {activation.kind for activation in ALL} == set(RULES)


@pytest.mark.parametrize("activation", [*LECTURE, *STRAIGHT], ids=str)
def test_exact_values_are_those_of_the_definition(activation: Activation) -> None:
    for sums in (
        SUMS,
        from_floats(FAR),
        from_floats(np.array([-0.3, 0.3, 0.5, -0.75, 2.25, 6, 7])),
    ):
        exact = activation.exact(sums)
        for i in range(sums.shape[0]):
            assert exact.at(i) == activated(activation, sums.at(i))


@pytest.mark.parametrize("activation", ALL, ids=str)
def test_the_plain_values_are_the_exact_ones_rounded(activation: Activation) -> None:
    plain = activation.plain(SUMS.to_floats()).tolist()
    tolerance = 0 if activation.is_exact else 2.0**-49
    expected = [float(value) for value in values_of(activation)]
    assert plain == pytest.approx(expected, abs=tolerance, rel=0)


@pytest.mark.parametrize("activation", ALL, ids=str)
def test_enclosures_hold_the_values_of_every_sum_within_the_error(activation: Activation) -> None:
    sums = SUMS.to_floats()
    every = values_of(activation)
    for shift in (0.0, 0.125, 1.0):
        errors = np.full_like(sums, shift)
        values, bounds = activation.enclosed(sums, errors, Rounding())
        step = int(shift * 8)
        for i in range(step, len(sums) - step):
            for near in every[i - step : i + step + 1]:
                distance = abs(mpmath.mpf(values[i]) - _mp(near))
                assert distance <= bounds[i], (sums[i], shift)
        assert shift or (bounds <= 2.0**-45).all()


@pytest.mark.parametrize("activation", ALL, ids=str)
def test_enclosures_hold_far_values(activation: Activation) -> None:
    values, bounds = activation.enclosed(FAR, np.zeros_like(FAR), Rounding())
    for value, bound, exact in zip(
        values, bounds, values_of(activation, from_floats(FAR)), strict=True
    ):
        with mpmath.workdps(900):
            assert abs(mpmath.mpf(value) - _mp(exact)) <= mpmath.mpf(bound)


@pytest.mark.parametrize("activation", ALL, ids=str)
def test_nothing_is_known_behind_a_sum_of_which_nothing_is_known(activation: Activation) -> None:
    """It may be NaN; but what only compares gives one of its values then."""
    with np.errstate(all="ignore"):
        _, bounds = activation.enclosed(np.zeros(1), np.full(1, np.inf), Rounding())
    assert np.isinf(bounds[0]) or activation.kind == "step"


@pytest.mark.parametrize("activation", ALL, ids=str)
def test_balls_and_images_hold_the_values_at_their_ends_and_between(activation: Activation) -> None:
    every = [_mp(value) for value in values_of(activation)]
    with ctx.workprec(120), mpmath.workdps(60):
        for first in range(0, len(every), 7):
            for last in {first, min(first + 3, len(every) - 1), min(first + 20, len(every) - 1)}:
                low, high = (float(SUMS.to_floats()[i]) for i in (first, last))
                ball = activation.of_unit(0).ball(arb(low).union(arb(high)))
                bottom, top = (mpmath.mpf(str(end.mid().str(40, radius=False)))
                               for end in (ball.lower(), ball.upper()))  # fmt: skip
                slack = mpmath.mpf(2) ** -100
                for value in every[first : last + 1]:
                    assert bottom - slack <= value <= top + slack
                least, most = activation.image(np.array(low), np.array(high))
                assert float(least) <= float(min(every[first : last + 1])) + 2.0**-48
                assert float(most) >= float(max(every[first : last + 1])) - 2.0**-48
                if first == last and activation.is_exact:
                    assert float(least) == float(most) == float(every[first])
                    assert ball.rad() < 2.0**-90


@pytest.mark.parametrize("activation", [a for a in ALL if a.has_gradient], ids=str)
def test_derivatives_are_those_of_autograd(activation: Activation) -> None:
    sums = torch.tensor(SUMS.to_floats(), requires_grad=True)
    module_of(activation)(sums).sum().backward()
    assert sums.grad is not None
    expected = activation.derivative(SUMS.to_floats())
    loose = activation.kind == "hardsigmoid"  # PyTorch's 1/6 is one of fp32 there
    tolerance = 2.0**-24 if loose else 2.0**-46
    assert sums.grad.tolist() == pytest.approx(expected.tolist(), abs=tolerance, rel=0)


@pytest.mark.parametrize(
    ("release", "slope"), [((2, 2), 1), ((2, 13), 1), ((2, 14), 0), ((3, 0), 0), (None, 0)]
)
def test_at_its_limits_clamp_has_the_derivative_of_the_release_of_pytorch(
    release: tuple[int, int] | None, slope: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piecewise, "release_of", lambda _: release)
    monkeypatch.setattr(piecewise, "passes_at_limits", piecewise.passes_at_limits.__wrapped__)
    for kind, at_limits in (("clamp", slope), ("hardtanh", 0)):
        derivative = Activation(kind, min=-0.75, max=1.5).derivative
        assert derivative(np.array([-0.75, 0.25, 1.5, 2.0])).tolist() == [
            at_limits,
            1,
            at_limits,
            0,
        ]


@pytest.mark.parametrize("activation", ALL, ids=str)
def test_modules_give_the_plain_values(activation: Activation) -> None:
    sums = SUMS.to_floats()
    outputs = module_of(activation)(torch.tensor(sums, requires_grad=True))
    tolerance = 0 if activation.is_exact else 2.0**-47
    assert outputs.tolist() == pytest.approx(activation.plain(sums).tolist(), abs=tolerance, rel=0)
    passes = outputs.requires_grad and activation.kind != "sign"  # its gradient is 0 everywhere
    assert activation.has_gradient == passes


@pytest.mark.parametrize("name", ["fp32", "fp16", "bf16", "fp64"])
@pytest.mark.parametrize("activation", ALL, ids=str)
def test_bounds_in_a_format_hold_what_pytorch_computes(activation: Activation, name: str) -> None:
    """Constants are rounded as PyTorch rounds them, and its functions are off by their errors."""
    dtype = getattr(
        torch, {"fp64": "float64", "fp32": "float32", "fp16": "float16"}.get(name, "bfloat16")
    )
    near = np.array([0.3, -0.3, 0.75, 2.999, -2.999, 3.97, 19.9, 20.1, -90.0, 1.2, -1.2])
    x = torch.tensor(np.concatenate([SUMS.to_floats(), near])).to(dtype)
    outputs = module_of(activation).to(dtype)(x).double().numpy()
    sums, form = x.double().numpy(), FORMATS[name]
    rounding = Rounding.of(form, library=True)
    held = np.zeros(len(sums), dtype=bool)
    kinds = variants(activation, form)
    for variant in kinds:
        values, bounds = variant.enclosed(sums, np.zeros_like(sums), rounding)
        held |= np.abs(outputs - values) <= bounds
    assert held.all(), sums[~held]
    if activation.rule.library is not None:
        ends = [curve_bounds(variant, sums, sums, form) for variant in kinds]
        low, high = (np.stack(end) for end in zip(*ends, strict=True))
        assert ((low.min(axis=0) <= outputs) & (outputs <= high.max(axis=0))).all()


@pytest.mark.parametrize("activation", ALL, ids=str)
def test_slopes_and_kinks_are_those_of_the_values(activation: Activation) -> None:
    """Straight lines on both sides go through 0, unless there is a jump there alone."""
    at = {x: float(activation.plain(np.array(float(x)))) for x in (-2, -1, -0.0, 1, 2)}
    below, above = at[-1] - at[-2], at[2] - at[1]
    if activation.slope_pair is None:
        return
    assert activation.slope_pair == (below, above)
    jumps = (at[-1] + below, at[1] - above) != (at[-0.0], at[-0.0])
    assert activation.rule.kink == ("jump" if jumps else "bend" if below != above else "")
    assert activation.rule.can_die == ((below, above, at[-1]) == (0, 1, 0))
    assert jumps <= ((below, above) == (0, 0))


@pytest.mark.parametrize("activation", ALL, ids=str)
def test_pieces_are_the_activation(activation: Activation) -> None:
    if activation.pieces is None:
        assert activation.kind == "prelu" or not activation.is_exact
        return
    sums = SUMS.to_floats()
    assert activation.pieces.plain(sums).tolist() == activation.plain(sums).tolist()
    assert list(activation.pieces.knots) == sorted(set(activation.pieces.knots))


@pytest.mark.parametrize("activation", ALL, ids=str)
def test_options_are_what_values_depend_on(activation: Activation) -> None:
    limits = [number for numbers in activation.constants.values() for number in numbers]
    past = [limit / (activation.beta or 1) + 2.0**-7 for limit in limits]
    sums = np.concatenate([SUMS.to_floats(), limits, past])
    for name, option in activation.rule.options.items():
        value = getattr(activation, name)
        if option.kind == "choice":
            other = next(choice for choice in option.choices if choice != value)
        elif isinstance(value, tuple):
            other = tuple(number + 1 for number in value)
        else:
            unlimited = -3.4375 if name == "min" else 3.4375
            other = unlimited if value is None else value + 0.0625
            if activation.min is not None and activation.min == activation.max:
                continue  # one of them can't change alone
        changed = replace(activation, **{name: other})
        assert (changed.plain(sums) != activation.plain(sums)).any(), name


WRITTEN_OTHERWISE = dict.fromkeys(("prelu", "relu6", "selu", "softsign", "clip", "absolute", "sgn"))
"""What PyTorch computes by another operation of the table, or by several."""


def test_every_spelling_is_read() -> None:
    for rule in RULES.values():
        for name in rule.spellings:
            assert name in {**TABLE, **WRITTEN_OTHERWISE}, name


@pytest.mark.parametrize("activation", ALL, ids=str)
def test_odd_activations_are_those_that_negating_passes(activation: Activation) -> None:
    if activation.kind in (
        "hardtanh",
        "clamp",
        "where",
    ):  # with some options, of which none is told
        return
    sums = SUMS.to_floats()
    is_odd = (activation.plain(-sums) == -activation.plain(sums)).all()
    assert activation.rule.is_odd == is_odd


@pytest.mark.parametrize("activation", ALL, ids=str)
def test_the_nearest_values_are_exact_or_plain(activation: Activation) -> None:
    nearest = activation.nearest(SUMS)
    assert nearest.to_floats().tolist() == activation.plain(SUMS.to_floats()).tolist()
    assert nearest.at(47) == Fraction(float(activation.plain(SUMS.to_floats())[47]))


def test_values_that_are_no_fractions_are_refused_as_exact_ones() -> None:
    with pytest.raises(NetworkError, match="the values of tanh are no fractions"):
        _ = Activation("tanh").exact(SUMS)


def test_slopes_of_units_are_each_its_own() -> None:
    prelu = Activation("prelu", slopes=(0.5, -2.0))
    sums = Dyadic(np.array([[-4, -4], [3, -1]]))
    assert prelu.exact(sums).to_floats().tolist() == [[-2, 8], [3, 2]]
    assert prelu.plain(sums.to_floats()).tolist() == [[-2, 8], [3, 2]]
    assert [prelu.of_unit(at).slope for at in (0, 1)] == [0.5, -2.0]


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("hardtanh", {"min": 2.0, "max": 1.0}, "min: the min 2 is above the max 1; swap them"),
        ("clamp", {}, "min: a clamp has no limit; give `min` or `max`"),
        ("clamp", {"min": float("nan")}, "min: the min is nan; the min is a finite number"),
        ("threshold", {"value": 1.0}, ("threshold: the threshold is not given; "
                                      "give a number as the threshold")),
        ("heaviside", {"value": "x"}, "value: the value is 'x'; give a finite number"),
        ("heaviside", {"value": True}, "value: the value is True; give a finite number"),
        ("elu", {"alpha": 10**400}, ("alpha: the alpha is beyond every double; "
                                    "give a smaller number")),
        ("softplus", {"beta": 0.0}, "beta: the beta is 0; give a number above 0"),
        ("gelu", {"approximate": "x"}, "approximate: unknown approximate 'x'; one of none, tanh"),
        ("prelu", {"slopes": []}, ("slopes: there are 0 slopes; "
                                  "give 1 to 1048576: one for all units, or one for each")),
        ("prelu", {"slopes": "12"}, "slopes: the slopes is '12'; give a list of numbers"),
        ("where", {"convention": "<"}, "convention: unknown convention '<'; one of >, >="),
    ],
)  # fmt: skip
def test_options_that_make_no_activation_are_refused(
    kind: str, options: dict[str, Any], message: str
) -> None:
    with refused(NetworkError, message):
        _ = Activation(kind, **options)


@pytest.mark.parametrize("activation", ALL, ids=str)
def test_text_names_every_activation(activation: Activation) -> None:
    parts = [getattr(activation, name) for name in activation.rule.options]
    parts = list(parts[0]) if activation.kind == "prelu" else parts
    text = activation.kind + (":" if parts else "")
    text += ",".join("" if part is None else str(part) for part in parts)
    assert activation_named(text) == activation


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("relu:1", "activation: 1 options for relu; its options are: none"),
        ("leaky:x", "activation: 'x' is no number; give leaky:0.125, say"),
    ],
)
def test_text_that_names_none_is_refused(text: str, message: str) -> None:
    with refused(NetworkError, message):
        _ = activation_named(text)
