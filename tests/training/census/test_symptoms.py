"""What is seen of a member: read from its own run, a case for each symptom."""

from __future__ import annotations

import numpy as np
import pytest

from adderlab.training.census.symptoms import PLACE, SYMPTOMS, before, symptoms_of

STEPS = (0, 50, 90, 95, 100)


def seen(losses, *, was=(True, True), now=(True, True), is_finite=True, can_die=True):
    """Return the names of the symptoms of one member with two units on two rows."""

    def units(on):
        return np.array([[[alive, False] for alive in on]])

    symptoms = symptoms_of(
        was_on=units(was),
        is_on=units(now),
        losses=np.array([losses], dtype=np.float32),
        loss_steps=STEPS,
        loss=np.array([losses[-1]], dtype=np.float64),
        is_finite=np.array([is_finite]),
        can_die=can_die,
    )
    return {entry.name for entry in SYMPTOMS if symptoms[0, PLACE[entry.name]]}


STANDS = (1.0, 0.5, 0.3, 0.3, 0.3)
FALLS = (1.0, 0.5, 0.3, 0.2, 0.1)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ({"losses": FALLS}, {"still_falling"}),
        ({"losses": STANDS}, {"stuck"}),
        ({"losses": (1.0, 0.5, 0.3, 0.3, 0.2971)}, {"stuck"}),  # by less than 1 in 100
        ({"losses": (1.0, 0.5, 0.3, 0.3, 0.2969)}, {"still_falling"}),
        ({"losses": (1.0, 0.2, 0.3, 0.4, 0.5)}, {"stuck"}),  # rising, and below its start
        ({"losses": (1.0, 1.1, 1.2, 1.3, 1.4)}, {"diverged"}),
        ({"losses": (1.0, 9.0, np.inf, np.inf, np.inf)}, {"diverged"}),
        ({"losses": (1.0, np.nan, np.nan, np.nan, np.nan), "is_finite": False}, {"diverged"}),
        ({"losses": STANDS, "now": (True, False)}, {"stuck", "died"}),
        (
            {"losses": STANDS, "was": (True, False), "now": (True, False)},
            {"stuck", "dead_at_start"},
        ),
        (
            {"losses": STANDS, "was": (True, False), "now": (False, False)},
            {"stuck", "dead_at_start", "died"},
        ),
        ({"losses": FALLS, "was": (True, False)}, {"still_falling"}),  # it came to life
        ({"losses": STANDS, "now": (True, False), "can_die": False}, {"stuck"}),
    ],
)
def test_each_symptom_is_seen_where_it_is(case, expected):
    assert seen(**case) == expected


def test_the_last_tenth_begins_at_or_before_nine_tenths_of_the_steps():
    losses = np.array([[5.0, 4.0, 3.0, 2.0, 1.0]])
    assert before(losses, STEPS, losses[:, -1])[0] == 3.0
    assert before(losses[:, :2], (0, 7), losses[:, 1])[0] == 5.0
    assert before(losses[:, :0], (), losses[:, 4])[0] == 1.0
