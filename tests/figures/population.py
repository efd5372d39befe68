"""Populations to be drawn: usual ones, and those that leave little to draw."""

from __future__ import annotations

import math

from adderlab.figures import (
    Failure,
    FailureRow,
    Picture,
    RatePoint,
    failure_picture,
    loss_quantiles_picture,
    success_rates_picture,
)

WIDTHS = [
    RatePoint(2, 0.24, 0.2, 0.29),
    RatePoint(3, 0.51, 0.48, 0.55, is_own=True),
    RatePoint(4, 0.7, 0.66, 0.74),
    RatePoint(8, 1.0, 0.98, 1.0),
]
RATES = {
    "widths": (WIDTHS, False),
    "one": (WIDTHS[:1], False),
    "many": ([RatePoint(n, n / 60, 0, 1) for n in range(1, 41)], False),
    "learning rates": ([RatePoint(10.0**n, 0.1 * (n + 4), 0, 0.9) for n in range(-4, 3)], True),
    "close": ([RatePoint(2.0**n, 0.5, 0.4, 0.6) for n in range(9)], True),
}
STEPS = [0, 50, 100, 500, 1000]
QUANTILES = {
    "usual": {
        0.05: [0.3, 1e-2, 1e-4, 1e-7, 1e-9],
        0.25: [0.4, 0.1, 1e-2, 1e-4, 1e-6],
        0.5: [0.5, 0.2, 0.1, 0.05, 0.04],
        0.75: [0.7, 0.3, 0.2, 0.16, 0.16],
        0.95: [1.0, 0.4, 0.2, 0.17, 0.17],
    },
    "some diverge": {
        0.25: [0.4, 0.1, 0.0, 0.0, 0.0],
        0.5: [0.5, 0.2, 0.1, 0.05, 0.04],
        0.75: [0.7, 3e9, math.inf, math.inf, math.inf],
    },
    "all diverge": {0.5: [0.5, *[math.inf] * 4]},
    "all the same": {0.25: [0.1] * 5, 0.5: [0.1] * 5, 0.75: [0.1] * 5},
}


def row(number: int, got: int, units: int) -> FailureRow:
    a, b = divmod(number, 2)
    on = tuple((number >> unit) % 2 == 1 for unit in range(units))
    return FailureRow(f"a {a}, b {b}", str(a + b), str(got), a + b == got, on)


FAILURES = {
    "half adder": Failure(
        "10.4% of the networks, for example member 5",
        tuple(row(number, got, 3) for number, got in enumerate((1, 1, 1, 2))),
        ("dead unit at start: 84% of them; changed, 52% are right (control group 12%): a cause",),
    ),
    "wide": Failure(
        "0.1% of the networks",
        tuple(row(number % 4, number % 3, 30) for number in range(64)),
        (),
    ),
    "two outputs of long names": Failure(
        "1%",
        (FailureRow("carry in 1, left operand 12345, right 6789", "borrow 1, difference 44",
                 "borrow 0, difference 45", False, (True,)),),
        ("stuck: 100% of them",) * 4,
    ),
}  # fmt: skip


def population_pictures() -> list[Picture]:
    """Return one of each kind."""
    return [
        success_rates_picture(WIDTHS, "hidden units", name="rates"),
        loss_quantiles_picture(STEPS, QUANTILES["some diverge"], name="quantiles"),
        failure_picture(FAILURES["half adder"], name="failure"),
    ]
