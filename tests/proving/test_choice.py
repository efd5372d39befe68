"""The choice among engines, branch by branch: a table of shapes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from strategies import refused

from adderlab.building import construct
from adderlab.errors import OptionError
from adderlab.nets import Activation, network
from adderlab.proving import solver
from adderlab.proving.choice import ENGINES, Choice, Shape, choose_engines
from adderlab.proving.decide import shape_of
from adderlab.tasks import task_named
from adderlab.verbs.prove import prove

SMALL = Shape(rows=4, parameters=17)
WIDE = Shape(rows=1 << 24, parameters=600)
HUGE = Shape(rows=1 << 128, parameters=25_000)
NO_DIAGRAM = "no diagram is known for what the task asks for"
NO_SOLVER = "no solver is installed (pip install 'adderlab[smt]')"

AUTOMATIC = {
    "few inputs": (SMALL, ("enumeration",), "4 inputs are few enough to try each"),
    "the last that are few": (
        Shape(1 << 20, 1 << 14), ("enumeration",), "2^20 inputs are few enough to try each"
    ),
    "few inputs of a heavy network": (
        Shape(1 << 20, (1 << 14) + 1),
        ("diagram", "enumeration"),
        "2^20 inputs are too many to try each first",
    ),
    "few inputs of a heavy network, and no diagram": (
        Shape(1 << 20, 1 << 30, has_diagram=False),
        ("enumeration",),
        "2^20 inputs are few enough to try each",
    ),
    "one too many": (
        Shape((1 << 20) + 1, 600),
        ("diagram", "enumeration"),
        "over 2^20 inputs are too many to try each first",
    ),
    "more, with a solver": (
        replace(WIDE, has_solver=True),
        ("diagram", "enumeration", "solver"),
        "2^24 inputs are too many to try each first",
    ),
    "more, without a diagram": (
        replace(WIDE, has_diagram=False),
        ("enumeration",),
        "2^24 inputs are too many to try each first",
    ),
    "the last that are ever enumerated": (
        replace(HUGE, rows=1 << 26),
        ("diagram", "enumeration"),
        "2^26 inputs are too many to try each first",
    ),
    "beyond all enumeration": (HUGE, ("diagram",), "2^128 inputs are too many to try each first"),
    "beyond all enumeration, with a solver": (
        replace(HUGE, has_solver=True),
        ("diagram", "solver"),
        "2^128 inputs are too many to try each first",
    ),
    "tanh, few": (
        replace(SMALL, curve="tanh"), ("enumeration",), "4 inputs are few enough to try each"
    ),
    "tanh, more": (
        replace(WIDE, curve="tanh", has_solver=True),
        ("enumeration",),
        "2^24 inputs are too many to try each first",
    ),
    "tanh, beyond all enumeration": (
        replace(HUGE, curve="tanh", has_solver=True),
        (),
        (
            "2^128 inputs are beyond enumeration, which stops at 2^26; diagrams hold whole "
            "numbers, and tanh has none; a solver knows whole numbers, and tanh has none"
        ),
    ),
    "nothing reaches": (
        replace(HUGE, has_diagram=False),
        (),
        f"2^128 inputs are beyond enumeration, which stops at 2^26; {NO_DIAGRAM}; {NO_SOLVER}",
    ),
}  # fmt: skip

ASKED_FOR = {
    "enumeration": (WIDE, ("enumeration",), "it was asked for"),
    "enumeration of too many": (
        HUGE, (), "2^128 inputs are beyond enumeration, which stops at 2^26"
    ),
    "diagram": (SMALL, ("diagram",), "it was asked for"),
    "diagram of tanh": (
        replace(SMALL, curve="tanh"), (), "diagrams hold whole numbers, and tanh has none"
    ),
    "diagram of what has none": (replace(WIDE, has_diagram=False), (), NO_DIAGRAM),
    "solver": (replace(SMALL, has_solver=True), ("solver",), "it was asked for"),
    "solver that is not there": (SMALL, (), NO_SOLVER),
    "solver of what it can't be told": (
        replace(SMALL, has_solver=True, has_script=False),
        (),
        "a solver can't be told what the task asks for",
    ),
    "solver of tanh": (
        replace(SMALL, has_solver=True, curve="tanh"),
        (),
        "a solver knows whole numbers, and tanh has none",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", AUTOMATIC)
def test_the_engines_that_a_shape_gets(case: str) -> None:
    """In the order in which they are tried, with the reason."""
    shape, engines, why = AUTOMATIC[case]
    assert choose_engines(shape) == Choice(engines, why)


@pytest.mark.parametrize("case", ASKED_FOR)
def test_the_engine_that_is_asked_for(case: str) -> None:
    """It alone, or none with the reason why it can't."""
    shape, engines, why = ASKED_FOR[case]
    assert choose_engines(shape, engine=case.split()[0]) == Choice(engines, why)


def test_every_engine_is_chosen_somewhere() -> None:
    chosen = {name for _, engines, _ in AUTOMATIC.values() for name in engines}
    assert chosen == set(ENGINES)


def test_a_choice_is_one_line() -> None:
    """The engines in turn, then why."""
    assert str(choose_engines(replace(WIDE, has_solver=True))) == (
        "diagram, then enumeration, then solver: 2^24 inputs are too many to try each first"
    )
    assert str(choose_engines(replace(HUGE, has_diagram=False))).startswith("none: 2^128 inputs")


def test_an_unknown_engine_is_refused_by_name() -> None:
    with refused(
        OptionError,
        "engine: unknown engine 'magic'; one of auto, enumeration, diagram, solver",
    ):
        _ = choose_engines(SMALL, engine="magic")


def test_a_networks_shape_is_read_off() -> None:
    """The stored parameters of a sparse one, and what its task has."""
    adder = construct(task_named("adder:64"), "ripple")
    assert shape_of(adder, task_named("adder:64")) == Shape(
        rows=1 << 128,
        parameters=sum(int(values.integers.size) for _, values in adder.entries()),
        has_solver=solver.is_installed(),
    )
    soft = network(
        [[[0.5, 1.0]], [[1.5]]], [[0.0], [0.0]], activation=Activation("tanh"),
        task=task_named("majority:2"),
    )  # fmt: skip
    assert shape_of(soft, task_named("majority:2")).curve == "tanh"


def test_the_verdict_says_which_engine_decided() -> None:
    """The chosen ones are tried in turn, and the first that decides is the method."""
    net = construct(task_named("adder:12"), "prefix")
    by_itself = prove(net)
    assert (by_itself.verdict, by_itself.method) == ("proved", "diagram")
    assert by_itself.choice.startswith("diagram, then enumeration")
    forced = prove(construct(task_named("adder:6"), "prefix"), engine="diagram")
    assert (forced.verdict, forced.method, forced.choice) == (
        "proved", "diagram", "diagram: it was asked for"
    )  # fmt: skip
