"""Pictures that another process draws: the same bytes, whatever becomes of that process."""

from __future__ import annotations

import sys

import pytest
from figures.samples import FAILURES, QUANTILES, STEPS, WIDTHS

from adderlab.figures import (
    drawings,
    failure_picture,
    loss_quantiles_picture,
    success_rates_picture,
)
from adderlab.figures.drawings import drawing_of_failure, drawing_of_losses, drawing_of_rates

LOSSES = QUANTILES["some diverge"]
DRAWINGS = [
    drawing_of_losses(STEPS, LOSSES, name="losses"),
    drawing_of_rates(WIDTHS, "hidden units", name="rates", is_log=True),
    *(
        drawing_of_failure(failure, name=f"failure-{number}")
        for number, failure in enumerate(FAILURES.values())
    ),
]


def pictures(drawer):
    drawer.begin(DRAWINGS[:1])
    drawer.begin(DRAWINGS[1:])
    return drawer.pictures()


@pytest.fixture(scope="module")
def expected():
    return [
        loss_quantiles_picture(STEPS, LOSSES, name="losses"),
        success_rates_picture(WIDTHS, "hidden units", name="rates", is_log=True),
        *(
            failure_picture(failure, name=f"failure-{number}")
            for number, failure in enumerate(FAILURES.values())
        ),
    ]


def test_a_worker_draws_the_same_bytes(expected, monkeypatch):
    monkeypatch.setattr(drawings.Drawing, "picture", lambda drawing: pytest.fail("drawn here"))
    with drawings.drawer(is_wanted=True, is_long=True) as drawer:
        assert pictures(drawer) == expected


def test_what_a_worker_does_not_give_is_drawn_here(expected, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with drawings.drawer(is_wanted=True, is_long=True) as drawer:
        assert pictures(drawer) == expected


def test_an_error_in_drawing_is_raised_here():
    wrong = drawings.Drawing("success rates", "rates", {"points": [], "x_name": 1})
    with drawings.drawer(is_wanted=True, is_long=True) as drawer:
        drawer.begin([DRAWINGS[0], wrong])
        with pytest.raises(KeyError, match="is_log"):
            _ = drawer.pictures()


@pytest.mark.parametrize(
    ("is_wanted", "is_long", "is_loaded", "has_worker"),
    [
        (True, True, True, True),
        (True, False, False, True),
        (True, False, True, False),
        (False, True, False, False),
    ],
)
def test_a_worker_is_started_where_it_saves_time(
    monkeypatch, is_wanted, is_long, is_loaded, has_worker
):
    started = []
    if is_loaded:
        monkeypatch.setitem(sys.modules, "matplotlib.figure", sys)
    else:
        monkeypatch.delitem(sys.modules, "matplotlib.figure", raising=False)

    @drawings.contextmanager
    def worker(work):
        started.append(work)
        yield None

    monkeypatch.setattr(drawings, "worker", worker)
    with drawings.drawer(is_wanted=is_wanted, is_long=is_long):
        pass
    assert started == ["adderlab.figures.drawings:ready"] * has_worker
