"""Branch and bound: it finds a right choice exactly where trying every choice finds one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEW, MANY, activations

from adderlab.nets import EXACT, Activation, Readout
from adderlab.nets.layout import Layout
from adderlab.quantizing import search as search_module
from adderlab.quantizing.rows import (
    Arrays,
    Shape,
    distances,
    outputs_of,
    rows_of,
    wrong_rows,
)
from adderlab.quantizing.search import _farthest, _interval_activation, search
from adderlab.tasks import task_named

TASKS = ("half-adder", "parity:2", "majority:2", "comparator:1", "popcount:1")


@st.composite
def problems(draw: st.DrawFn):
    """A task, a small shape, and a few values for some of its parameters."""
    task = task_named(draw(st.sampled_from(TASKS)))
    hidden = draw(st.integers(1, 3))
    layout = Layout((task.n_in, hidden, task.n_out))
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
    wrong, far = wrong_rows(Arrays.split(layout, vectors), shape, rows)
    return far[wrong == 0]


@FEW
@given(problems(), st.booleans())
def test_it_finds_what_trying_all_finds(problem, best):
    task, layout, shape, choices = problem
    rows = rows_of(task)
    result = search(choices, layout, shape, rows, limit=10**6, best=best)
    every = tried(layout, shape, rows, choices)
    assert result.is_complete
    assert (result.chosen is not None) == bool(len(every))
    if result.chosen is None:
        return
    values = np.array([entry[pick] for entry, pick in zip(choices, result.chosen, strict=True)])
    wrong, far = wrong_rows(Arrays.split(layout, values[None]), shape, rows)
    assert wrong[0] == 0
    assert far[0] == result.margin
    if best:
        assert result.margin == every.max()


@MANY
@given(problems(), st.integers(0, 10**6))
def test_no_choice_reaches_beyond_the_bounds(problem, seed):
    """Whatever lies between the lows and the highs is no farther on the right side than said."""
    task, layout, shape, _ = problem
    rows = rows_of(task)
    draw = np.random.default_rng(seed)
    ends = np.sort(draw.integers(-6, 7, size=(2, layout.parameters)) / 2, axis=0)
    low, high = Arrays.split(layout, ends[:1]), Arrays.split(layout, ends[1:])
    reach = _farthest(low, high, shape, rows).far
    inside = draw.uniform(ends[0], ends[1], size=(300, layout.parameters))
    corners = np.where(draw.random((300, layout.parameters)) < 0.5, ends[0], ends[1])
    for vectors in (inside, corners):
        raw = outputs_of(Arrays.split(layout, vectors), shape.activations, rows.inputs)
        assert (distances(raw, rows, shape.readout) <= reach + 1e-9).all()
    point = Arrays.split(layout, corners[:1])
    raw = outputs_of(point, shape.activations, rows.inputs)
    if all(activation.kind != "step" for activation in shape.activations):
        exact = _farthest(point, point, shape, rows).far
        assert np.allclose(exact, distances(raw, rows, shape.readout))


@pytest.mark.parametrize(
    "activation",
    [Activation("relu"), Activation("identity"), Activation("tanh"), Activation("step"),
     Activation("step", convention=">="), Activation("leaky", slope=0.25),
     Activation("leaky", slope=-0.5)],
    ids=str,
)  # fmt: skip
def test_an_activation_stays_within_its_bounds(activation):
    ends = np.array([-2.0, -1.0, -0.25, 0.0, 0.5, 1.0])
    for low, high in itertools.combinations_with_replacement(ends, 2):
        bottom, top = _interval_activation(activation, np.array([low]), np.array([high]))
        values = activation.plain(np.linspace(low, high, 41))
        assert bottom[0] <= values.min()
        assert values.max() <= top[0]
        if activation.kind != "step":
            assert (bottom[0], top[0]) == (values.min(), values.max()) or low < 0 < high


@FEW
@given(
    st.lists(st.integers(0, 11), min_size=1, max_size=6, unique=True),
    st.integers(0, 10**6),
)
def test_the_largest_margin_is_found_where_many_choices_are_right(open_places, seed):
    """Around a network that adds, with a step of a quarter or half either way."""
    rows, layout = rows_of(task_named("half-adder")), Layout((2, 2, 2))
    shape = Shape((Activation("relu"), Activation()), Readout(), (True, True))
    adds = [1, 1, 1, 1, 0, -1, 0, 1, 1, -2, 0.25, 0.25]
    draw = np.random.default_rng(seed)
    choices = [
        np.array([value, *(value + draw.permutation([-0.5, -0.25, 0.25, 0.5])[:2])])
        if place in open_places
        else np.array([float(value)])
        for place, value in enumerate(adds)
    ]
    every = tried(layout, shape, rows, choices)
    assert len(every) >= 1
    with pytest.MonkeyPatch.context() as patch:  # so few at once that branches are left early
        patch.setattr(search_module, "NODES_AT_ONCE", 3)
        best = search(choices, layout, shape, rows, limit=10**6, best=True)
    assert (best.margin, best.is_complete) == (every.max(), True)


def test_a_right_choice_is_found_among_131072():
    """Every parameter of a 2-3-2 network may be -1 or 1: six of all choices add."""
    rows = rows_of(task_named("half-adder"))
    layout = Layout((2, 3, 2))
    shape = Shape((Activation("relu"), Activation()), Readout(), (True, True))
    choices = [np.array([1.0, -1.0])] * 17
    best = search(choices, layout, shape, rows, limit=10**6, best=False)
    assert best.chosen is not None
    assert best.nodes < 131_072
    choices[0] = np.array([1.0])
    choices[1] = np.array([-1.0])  # no unit of a network that adds tells a from b like this
    assert len(tried(layout, shape, rows, choices)) == 0
    none = search(choices, layout, shape, rows, limit=10**6, best=False)
    assert (none.chosen, none.is_complete) == (None, True)


def test_a_limit_is_said():
    rows = rows_of(task_named("half-adder"))
    layout = Layout((2, 3, 2))
    shape = Shape((Activation("relu"), Activation()), Readout(), (True, True))
    best = search([np.array([1.0, -1.0])] * 17, layout, shape, rows, limit=3, best=False)
    assert (best.chosen, best.is_complete) == (None, False)


@FEW
@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.integers(0, 99))
def test_splitting_undoes_joining(members, n_in, n_out, seed):
    draw = np.random.default_rng(seed)
    arrays = Arrays(
        (draw.normal(size=(members, n_out, n_in)), draw.normal(size=(members, 2, n_out))),
        (draw.normal(size=(members, n_out)), draw.normal(size=(members, 2))),
    )
    again = Arrays.split(arrays.layout, arrays.flat())
    for left, right in zip(
        (*arrays.weights, *arrays.biases), (*again.weights, *again.biases), strict=True
    ):
        assert (left == right).all()
