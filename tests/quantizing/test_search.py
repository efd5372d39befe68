"""Branch and bound: it finds a right choice exactly where trying every choice finds one."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEW, activations

from adderlab.nets import EXACT, Activation, Readout
from adderlab.quantizing.rows import Arrays, Shape, rows_of, wrong_rows
from adderlab.quantizing.search import Layout, search
from adderlab.tasks import task_named

TASKS = ("half-adder", "parity:2", "majority:2", "comparator:1", "popcount:1")


@st.composite
def problems(draw: st.DrawFn):
    """A task, a small shape, and a few values for some of its parameters."""
    task = task_named(draw(st.sampled_from(TASKS)))
    hidden = draw(st.integers(1, 3))
    layout = Layout(((hidden, task.n_in), (task.n_out, hidden)))
    kinds = (draw(activations(tanh=False)), draw(activations(tanh=False)))
    threshold = st.builds(
        Readout,
        st.just("threshold"),
        st.sampled_from([0.5, 0.0, 1.0]),
        st.sampled_from([">", ">="]),
    )
    shape = Shape(kinds, draw(threshold | st.just(EXACT)), (True, True))
    open_places = draw(st.sets(st.integers(0, layout.parameters - 1), min_size=1, max_size=7))
    level = st.integers(-4, 4).map(lambda value: value / 2)
    choices = [
        np.array(
            draw(st.lists(level, min_size=2, max_size=3, unique=True))
            if place in open_places
            else [draw(level)]
        )
        for place in range(layout.parameters)
    ]
    return task, layout, shape, choices


def tried(layout, shape, rows, choices):
    """Return the smallest distance of every choice that is right, by trying all of them."""
    vectors = np.array(list(itertools.product(*choices)))
    wrong, far = wrong_rows(layout.split(vectors), shape, rows)
    return far[wrong == 0]


@FEW
@given(problems(), st.booleans())
def test_it_finds_what_trying_all_finds(problem, best):
    task, layout, shape, choices = problem
    rows = rows_of(task)
    found = search(choices, layout, shape, rows, limit=10**6, best=best)
    every = tried(layout, shape, rows, choices)
    assert found.is_complete
    assert (found.chosen is not None) == bool(len(every))
    if found.chosen is None:
        return
    values = np.array([one[pick] for one, pick in zip(choices, found.chosen, strict=True)])
    wrong, far = wrong_rows(layout.split(values[None]), shape, rows)
    assert wrong[0] == 0
    assert far[0] == found.margin
    if best:
        assert found.margin == every.max()


def test_a_right_choice_is_found_among_131072():
    """Every parameter of a 2-3-2 network may be -1 or 1: six of all choices add."""
    rows = rows_of(task_named("half-adder"))
    layout = Layout(((3, 2), (2, 3)))
    shape = Shape((Activation("relu"), Activation()), Readout(), (True, True))
    choices = [np.array([1.0, -1.0])] * 17
    found = search(choices, layout, shape, rows, limit=10**6, best=False)
    assert found.chosen is not None
    assert found.nodes < 131_072
    choices[0] = np.array([1.0])
    choices[1] = np.array([-1.0])  # no unit of a network that adds tells a from b like this
    assert len(tried(layout, shape, rows, choices)) == 0
    none = search(choices, layout, shape, rows, limit=10**6, best=False)
    assert (none.chosen, none.is_complete) == (None, True)


def test_a_limit_is_said():
    rows = rows_of(task_named("half-adder"))
    layout = Layout(((3, 2), (2, 3)))
    shape = Shape((Activation("relu"), Activation()), Readout(), (True, True))
    found = search([np.array([1.0, -1.0])] * 17, layout, shape, rows, limit=3, best=False)
    assert (found.chosen, found.is_complete) == (None, False)


@FEW
@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.integers(0, 99))
def test_splitting_undoes_joining(members, n_in, n_out, seed):
    draw = np.random.default_rng(seed)
    layout = Layout(((n_out, n_in), (2, n_out)))
    arrays = Arrays(
        (draw.normal(size=(members, n_out, n_in)), draw.normal(size=(members, 2, n_out))),
        (draw.normal(size=(members, n_out)), draw.normal(size=(members, 2))),
    )
    again = layout.split(layout.join(arrays.weights, arrays.biases))
    for one, two in zip(
        (*arrays.weights, *arrays.biases), (*again.weights, *again.biases), strict=True
    ):
        assert (one == two).all()
