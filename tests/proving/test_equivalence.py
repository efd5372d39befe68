"""``compare``: equal on every input, or the first one where two networks differ."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
from exact import bit_of, raw_outputs
from hypothesis import given
from hypothesis import strategies as st
from proving.reference import rows_of, words_of
from strategies import FEW, MANY, dense, named_tasks, networks, refused

from adderlab.building.adders.one_layer import one_layer_adder
from adderlab.building.adders.prefix import prefix_adder
from adderlab.building.adders.ripple import ripple_adder
from adderlab.building.lecture import lecture_network
from adderlab.building.repair import find_repairs
from adderlab.errors import NetworkError, TaskError
from adderlab.nets import EXACT, Activation, Layer, Network, Readout, network
from adderlab.nets.network import map_parameters
from adderlab.nets.tensors import Dense, Sparse, Tensor, stored_in
from adderlab.proving import equivalence
from adderlab.proving.comparison import Comparison
from adderlab.proving.diagrams import Diagrams, Function, engine
from adderlab.proving.equivalence import compare
from adderlab.tasks import Task, task_named
from adderlab.tasks.tables import parse_table
from adderlab.verbs.prove import prove

HALF = task_named("half-adder")
ADDERS = {"one-layer": one_layer_adder, "ripple": ripple_adder, "prefix": prefix_adder}


def lecture() -> Network:
    return lecture_network(HALF)


def repaired() -> Network:
    return find_repairs(lecture(), HALF, prove=lambda net: prove(net, HALF)).repairs[0].network


def _with(net: Network, number: int, **changes: Any) -> Network:
    layers = list(net.layers)
    layers[number] = replace(layers[number], **changes)
    return replace(net, layers=tuple(layers))


def states(net: Network, bits: list[int]) -> list[int | None]:
    return [bit_of(net.readout, value) for value in raw_outputs(net, bits)]


def check_direct(result: Comparison, first: Network, second: Network, task: Task) -> None:
    """The finding is that of plain fractions, row by row, and so is the first difference."""
    rows = rows_of(task)
    apart = [row for row in rows if states(first, row.bits) != states(second, row.bits)]
    assert result.verdict == ("refuted" if apart else "proved")
    if not apart:
        assert (result.rows_equal, result.counterexample) == (len(rows), None)
        return
    example = result.counterexample
    assert example is not None
    row = next(row for row in apart if row.inputs == example.input)
    assert row is apart[0]
    if result.method == "enumerated":
        assert result.rows_equal == len(rows) - len(apart)
    for net, side in ((first, example.first), (second, example.second)):
        assert list(side.output) == raw_outputs(net, row.bits)
        assert list(side.bits) == states(net, row.bits)
        assert side.words == words_of(task, states(net, row.bits))


def twin(net: Network, seed: int) -> Network:
    """The same function otherwise: hidden relu units permuted, and rescaled by powers of two."""
    rng = np.random.default_rng(seed)
    layers = list(net.layers)
    for at in range(len(layers) - 1):
        order = rng.permutation(layers[at].n_out)
        factor = 2.0 ** rng.integers(-3, 4, size=len(order))
        weight = _numbers(layers[at].weight)[order] * factor[:, None]
        bias = layers[at].bias
        layers[at] = replace(
            layers[at],
            weight=Dense(weight),
            bias=None if bias is None else Dense(_numbers(bias)[order] * factor),
        )
        above = _numbers(layers[at + 1].weight)[:, order] / factor
        layers[at + 1] = replace(layers[at + 1], weight=Dense(above))
    return replace(net, layers=tuple(layers), format="fp64")


def _numbers(tensor: Tensor) -> np.ndarray[Any, Any]:
    return tensor.exact().to_floats()


def relu_network(seed: int, task: Task) -> Network:
    rng = np.random.default_rng(seed)
    sizes = [task.n_in, 5, 3, task.n_out]
    weights = [rng.integers(-6, 7, size=(b, a)) / 4 for a, b in pairwise(sizes)]
    biases = [rng.integers(-6, 7, size=b) / 4 for b in sizes[1:]]
    return network(weights, biases, task=task)


# --- enumerated ---------------------------------------------------------------------------------


def test_the_lecture_and_the_repaired_network_differ_first_at_1_plus_1() -> None:
    comparison = compare(lecture(), repaired())
    assert not comparison
    assert (comparison.verdict, comparison.method, comparison.task) == (
        "refuted",
        "enumerated",
        "half-adder",
    )
    assert (comparison.rows, comparison.rows_equal) == (4, 3)
    example = comparison.counterexample
    assert example is not None
    assert example.input == {"a": 1, "b": 1}
    assert (example.first.words, example.second.words) == ({"c": 3}, {"c": 2})
    assert (example.first.bits, example.second.bits) == ((1, 1), (1, 0))
    check_direct(comparison, lecture(), repaired(), HALF)
    assert repr(comparison) == (
        "Comparison: refuted in exact arithmetic: different on 1 of 4 inputs of half-adder: "
        "1 + 1 gives c = 3 by the first, c = 2 by the second"
    )


def test_a_network_is_identical_to_itself_whatever_it_is_meant_for() -> None:
    comparison = compare(lecture(), replace(lecture(), task=None))
    assert comparison
    assert (comparison.method, comparison.rows_equal) == ("identical", 4)
    assert repr(comparison) == (
        "Comparison: proved in exact arithmetic: equal on all 4 inputs of half-adder"
    )


@pytest.mark.parametrize("seed", range(8))
def test_a_permuted_and_rescaled_twin_is_equal(seed: int) -> None:
    """And its own negative: one weight of the twin changed until some row differs."""
    task = task_named("adder:2")
    net = relu_network(seed, task)
    other = twin(net, seed)
    comparison = compare(net, other)
    assert (comparison.verdict, comparison.method) == ("proved", "enumerated")
    weight = _numbers(other.layers[2].weight).copy()
    weight[1, 2] += 7.5
    changed = _with(other, 2, weight=Dense(weight), bias=Dense(np.full(3, -9.5)))
    check_direct(compare(net, changed), net, changed, task)


@st.composite
def pairs(draw: st.DrawFn, *, tanh: bool = False) -> tuple[Network, Network, Task]:
    """Two networks of one task: unrelated, or one with a tensor of the other's changed."""
    task = draw(named_tasks(max_in=4))
    tame = draw(st.booleans())
    entry = draw(networks(task=st.just(task), tanh=tanh, tame=tame))
    if draw(st.booleans()):
        return entry, draw(networks(task=st.just(task), tanh=tanh, tame=tame)), task
    name, tensor = draw(st.sampled_from(list(entry.tensors())))
    fresh = draw(dense(tensor.shape, np.float64, tame=True))
    return entry, map_parameters(entry, lambda this, old: fresh if this == name else old), task


@MANY
@given(pairs())
def test_random_pairs_as_direct_evaluation_has_it(pair: tuple[Network, Network, Task]) -> None:
    entry, other, task = pair
    check_direct(compare(entry, other, formats="exact"), entry, other, task)


@MANY
@given(pairs())
def test_diagrams_find_what_enumeration_finds(pair: tuple[Network, Network, Task]) -> None:
    entry, other, task = pair
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(equivalence, "ENUMERABLE_ROWS", 0)
        comparison = compare(entry, other, formats="exact")
    assert comparison.method in ("diagram", "identical")
    check_direct(comparison, entry, other, task)


def test_outputs_that_are_no_bits_are_equal_to_each_other_alone() -> None:
    half, third = (
        network([[[1, 1]]], [[bias]], readout=EXACT, format="fp64") for bias in (0.5, 0.25)
    )
    assert compare(half, third).verdict == "proved"  # no output of either is a bit
    whole = network([[[1, 1]]], [[0]], readout=EXACT)
    comparison = compare(whole, half)
    assert (comparison.task, comparison.rows_equal) == (None, 1)  # 2 is no bit either
    assert str(comparison.counterexample) == (
        "x1 = 0, x2 = 0 gives y = 0 by the first, bits ? by the second"
    )


def test_each_network_is_read_by_its_own_readout() -> None:
    strict = network([[[1, 1]]], [[0]], readout=Readout(threshold=1.0))
    other = network([[[1, 1]]], [[0]], readout=Readout(threshold=2.0, convention=">="))
    assert compare(strict, other).verdict == "proved"
    loose = replace(strict, readout=Readout(threshold=1.0, convention=">="))
    example = compare(strict, loose).counterexample
    assert example is not None
    assert example.input == {"x1": 0, "x2": 1}


# --- domains ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("largest", "method"), [(1 << 20, "enumerated"), (0, "diagram")])
def test_only_the_inputs_of_the_domain_count(
    monkeypatch: pytest.MonkeyPatch, largest: int, method: str
) -> None:
    monkeypatch.setattr(equivalence, "ENUMERABLE_ROWS", largest)
    rows = "\n".join(f"{x},{x % 2}" for x in range(3))
    task = parse_table(f"in x:2<3,out y:1\n{rows}", where="t.csv")
    low = network([[[0, 1]]], [[0]])
    other = network([[[1, 1], [1, 1]], [[0, 1]]], [[0, -1], [0]])  # both bits are on
    either = network([[[0, 1], [1, 1]], [[1, 1]]], [[0, -1], [-1]])  # 1 where x is 3
    nothing = network([[[0, 0]]], [[0]])
    assert compare(either, nothing, task).verdict == "proved"
    assert compare(either, nothing, task).method == method
    assert compare(other, nothing).counterexample is not None
    example = compare(low, nothing, task).counterexample
    assert example is not None
    assert example.input == {"x": 1}


def test_networks_of_two_tasks_are_compared_on_all_inputs() -> None:
    entry = network([[[1, 1, 1]]], [[-1]], task=task_named("majority:3"))
    other = network([[[1, 1, 1]]], [[0]], task=task_named("parity:3"))
    comparison = compare(entry, other)
    assert (comparison.task, comparison.rows, comparison.rows_equal) == (None, 8, 5)
    assert comparison.notes == (
        "the tasks majority:3 and parity:3 differ, so all inputs are compared",
    )
    assert compare(entry, other, "parity:3").task == "parity:3"
    assert compare(entry, replace(other, task=None)).task == "majority:3"


def test_shapes_that_differ_are_refused() -> None:
    other, three = network([[[1, 1]]], [[0]]), network([[[1, 1, 1]]], [[0]])
    message = (
        "first network and second network: 2 inputs and 1 output there, 3 and 1 here; "
        "only networks with as many inputs and outputs can be compared"
    )
    with refused(NetworkError, message):
        _ = compare(other, three)
    message = (
        "task: half-adder has 2 input and 2 output bits, the network 2 and 1; "
        "name a task that fits with `task`"
    )
    with refused(TaskError, message):
        _ = compare(other, other, "half-adder")


# --- tanh ---------------------------------------------------------------------------------------

TANH = Activation("tanh")


def test_tanh_is_decided_by_enclosures() -> None:
    entry = network([[[3, -2], [1, 1]], [[1, 2]]], [[0, 1], [-0.5]], activation=TANH)
    swapped = network([[[1, 1], [3, -2]], [[2, 1]]], [[1, 0], [-0.5]], activation=TANH)
    comparison = compare(entry, swapped)
    assert (comparison.verdict, comparison.method) == ("proved", "enumerated")
    example = compare(entry, _with(swapped, 1, bias=stored_in([-1.5], "fp32"))).counterexample
    assert example is not None
    assert example.input == {"x1": 0, "x2": 0}
    assert float(example.first.output[0]) == pytest.approx(2 * np.tanh(1) - 0.5, rel=1e-15)


@FEW
@given(pairs(tanh=True))
def test_a_pair_with_tanh_is_never_contradicted(pair: tuple[Network, Network, Task]) -> None:
    """Doubles agree with the verdict wherever they are far from the threshold."""
    entry, other, task = pair
    comparison = compare(entry, other)
    if comparison.verdict != "proved":
        assert comparison.reason or comparison.counterexample
        return
    for row in rows_of(task):
        sides = [floats(net, row.bits) for net in (entry, other)]
        if any(net.readout.kind == "exact" for net in (entry, other)):
            continue
        far = [
            np.abs(side - net.readout.threshold) > 1e-6
            for side, net in zip(sides, (entry, other), strict=True)
        ]
        on = [s > n.readout.threshold for s, n in zip(sides, (entry, other), strict=True)]
        assert np.all((on[0] == on[1]) | ~(far[0] & far[1]))


def floats(net: Network, bits: list[int]) -> np.ndarray[Any, Any]:
    values = np.array(bits, dtype=np.float64)
    kinds = {"relu": lambda x: np.maximum(x, 0), "tanh": np.tanh, "identity": lambda x: x}
    with np.errstate(all="ignore"):
        for layer in net.layers:
            sums = _numbers(layer.weight) @ values
            sums = sums if layer.bias is None else sums + _numbers(layer.bias)
            kind, slope = layer.activation.kind, layer.activation.slope
            if kind in kinds:
                values = kinds[kind](sums)
            elif kind == "leaky":
                values = np.where(sums > 0, sums, slope * sums)
            else:
                return np.full(net.n_out, np.nan)  # a step is too sharp for doubles
    return values


def test_a_tie_that_no_enclosure_decides_is_unknown() -> None:
    tie = network(
        [[[1], [1]], [[1, -1]]], [None, None], activation=TANH, readout=Readout(threshold=0.0)
    )
    comparison = compare(tie, network([[[0]]], [[0]], readout=Readout(threshold=0.0)))
    assert (comparison.verdict, comparison.rows_equal) == ("unknown", None)
    assert comparison.reason == "1 row could not be decided, the first x1 = 1"
    assert not comparison


def test_tanh_beyond_enumeration_is_unknown() -> None:
    layer = Layer(Dense(np.ones((1, 21), dtype=np.float32)), None, TANH)
    entry = Network((layer,))
    comparison = compare(entry, replace(entry, readout=Readout(threshold=0.25)))
    assert (comparison.verdict, comparison.method) == ("unknown", "diagram")
    assert comparison.reason == (
        "curves such as tanh are decided by enumeration alone, and 2^21 inputs are too many"
    )


# --- diagrams -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "named"),
    [(*pair, True) for pair in combinations(ADDERS, 2)]
    + [("one-layer", second, False) for second in ("ripple", "prefix")],
)
def test_adders_of_64_bits_are_equal(left: str, right: str, *, named: bool) -> None:
    """Without a task, the one-layer adder's weights say in which order the bits count."""
    task = task_named("adder:64")
    first, second = (ADDERS[name](task, "wide") for name in (left, right))
    if not named:
        first, second = replace(first, task=None), replace(second, task=None)
    comparison = compare(first, second)
    assert (comparison.verdict, comparison.method, comparison.rows) == (
        "proved",
        "diagram",
        1 << 128,
    )
    of_task = " of adder:64" if named else ""
    assert comparison.summary() == f"equal on all 2^128 inputs{of_task}"


@pytest.mark.parametrize(
    ("name", "tensor"),
    [("one-layer", "first"), ("one-layer", "last"), ("ripple", "last"), ("prefix", "first")],
)
def test_one_weight_changed_at_64_bits_is_found(name: str, tensor: str) -> None:
    task = task_named("adder:64")
    net = ADDERS[name](task, "wide")
    changed = planted(net, "fc1.weight" if tensor == "first" else f"fc{net.depth}.weight")
    comparison = compare(one_layer_adder(task, "wide"), changed)
    assert (comparison.verdict, comparison.method) == ("refuted", "diagram")
    example = comparison.counterexample
    assert example is not None
    assert example.first.words == {"c": sum(example.input.values())}
    assert example.second.words != example.first.words
    bits = [int(c) for word in ("a", "b") for c in f"{example.input[word]:064b}"]
    assert list(example.second.output) == raw_outputs(changed, bits)


def planted(net: Network, name: str) -> Network:
    """The network with one stored weight of a tensor raised by 1."""

    def change(this: str, tensor: Tensor) -> Tensor:
        if this != name:
            return tensor
        assert isinstance(tensor, Sparse)
        exact = tensor.values.exact()
        assert exact.exponent == 0
        numbers = [int(value) for value in exact.integers]
        numbers[len(numbers) * 2 // 3] += 1
        return replace(tensor, values=stored_in(numbers, "wide"))

    return map_parameters(net, change)


def test_a_cap_is_said_and_nothing_is_guessed() -> None:
    rng = np.random.default_rng(3)
    first, second = (
        network([rng.normal(size=(60, 40)), rng.normal(size=(1, 60))], [None, None], format="fp64")
        for _ in range(2)
    )
    comparison = compare(first, second, timeout_s=0.2)
    assert (comparison.verdict, comparison.counterexample) == ("unknown", None)
    assert comparison.reason == "2^40 inputs are beyond enumeration; by diagrams, the time was up"
    assert compare(first, first, timeout_s=0.2).method == "identical"


def test_freed_nodes_take_nothing_of_the_other_network_with_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    freed: list[int] = []
    keep_only = Diagrams.keep_only

    def counted(self: Diagrams, functions: Any) -> list[Function]:
        freed.append(len(self))
        return keep_only(self, functions)

    monkeypatch.setattr(engine, "FREE_AT", 1)
    monkeypatch.setattr(Diagrams, "keep_only", counted)
    task = task_named("adder:32")
    first, second = one_layer_adder(task, "wide"), ripple_adder(task, "wide")
    assert compare(first, second).verdict == "proved"
    assert freed
    assert compare(planted(first, "fc2.weight"), second).verdict == "refuted"
