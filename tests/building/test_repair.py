"""Repairs with one parameter, held against evaluating the network value by value."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from exact import bit_of, raw_outputs
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from adderlab.building.lecture import lecture_network
from adderlab.building.repair import (
    Candidate,
    Interval,
    Intervals,
    Repair,
    Repairs,
    find_repairs,
    short,
)
from adderlab.building.repair.intervals import Line, is_endless, lowest
from adderlab.building.repair.parameters import around, extremes
from adderlab.errors import NetworkError, ResourceError, TaskError
from adderlab.formats import FORMATS
from adderlab.nets import EXACT, Activation, Layer, Network, Readout, network
from adderlab.nets.tensors import Dense, Packed, Scaled, Sparse, Wide
from adderlab.tasks import Task, task_named
from adderlab.tasks.table import parse_table
from adderlab.verbs.prove import prove

HALF = task_named("half-adder")
F = Fraction


def repairs_of(net: Network, task: Task) -> Repairs:
    return find_repairs(net, task, prove=lambda changed: prove(changed, task))


def by_name(found: Repairs) -> dict[str, Repair]:
    return {one.name: one for one in found.repairs}


def table(rows: str, header: str = "in x:1,out y:1") -> Task:
    return parse_table(header + "\n" + rows, where="t.csv")


# --- the lecture's network --------------------------------------------------------------------


LECTURE = {  # name: before, after, works, margin of the repaired row
    "fc1.weight[2,0]": (F(1), F(3, 2), "[5/4, 7/4)", F(1, 2)),
    "fc1.weight[2,1]": (F(1), F(3, 2), "[5/4, 7/4)", F(1, 2)),
    "fc1.bias[2]": (F(-3, 2), F(-1), "[-5/4, -3/4)", F(1, 2)),
    "fc2.weight[1,1]": (F(1), F(1, 2), "(0, 2/3]", F(1, 4)),
    "fc2.weight[1,0]": (F(0), F(-2), "(-inf, -1]", F(1, 2)),
    "fc2.weight[1,2]": (F(-2), F(-4), "(-inf, -3]", F(1, 2)),
}


def test_the_lectures_network_has_six_repairs() -> None:
    found = repairs_of(lecture_network(HALF), HALF)
    assert [one.name for one in found.repairs] == list(LECTURE)
    for one in found.repairs:
        before, after, works, row_margin = LECTURE[one.name]
        assert (one.before, one.after, str(one.works)) == (before, after, works)
        assert (one.margin, one.row_margin, one.change) == (0, row_margin, abs(after - before))
        assert prove(one.network, HALF)
    assert found.wrong_rows == ({"a": 1, "b": 1},)
    assert (found.rows, found.unstorable, found.already_right) == (4, (), False)
    assert repr(found) == "Repairs: 6 with one parameter, 1 of 4 rows wrong before"


def test_a_repair_for_json() -> None:
    one = by_name(repairs_of(lecture_network(HALF), HALF))["fc2.weight[1,1]"]
    assert one.to_dict() == {
        "tensor": "fc2.weight",
        "index": [1, 1],
        "from": 1,
        "to": 0.5,
        "works": [
            {
                "low": "0",
                "low_closed": False,
                "high": "2/3",
                "high_closed": True,
                "text": "(0, 2/3]",
            }
        ],
        "margin": "0",
        "row_margin": "1/4",
    }
    assert repr(one) == "Repair: fc2.weight[1,1] from 1 to 0.5, works in (0, 2/3]"


def test_a_threshold_is_moved_to_the_middle() -> None:
    """With -4 and ``>=`` the zeros of 0 + 0 stand on the threshold; anything in (0, 1/2] works."""
    net = replace(by_name(repairs_of(lecture_network(HALF), HALF))["fc2.weight[1,2]"].network,
                  readout=Readout("threshold", 0.0, ">="), training={"seed": 7})  # fmt: skip
    found = repairs_of(net, HALF)
    one = by_name(found)["threshold"]
    assert found.repairs[0] is one
    assert (str(one.works), one.after, one.index) == ("(0, 1/2]", F(1, 4), ())
    assert (one.margin, one.row_margin) == (F(1, 4), F(1, 4))
    assert one.network.readout == Readout("threshold", 0.25, ">=")
    assert one.network.training is None
    assert one.to_dict()["index"] == []


def test_a_network_that_is_right_needs_none() -> None:
    net = by_name(repairs_of(lecture_network(HALF), HALF))["fc2.weight[1,2]"].network
    found = find_repairs(net, HALF, prove=lambda net: pytest.fail("nothing to prove"))
    assert found.already_right
    assert found.to_dict() == {"repairs": [], "unstorable": [], "wrong_rows": [], "rows": 4}


def test_a_network_that_no_single_parameter_repairs() -> None:
    found = repairs_of(network([[[1, 1], [1, 1]], [[0, 0], [0, 0]]], [[0, 0], [0, 0]]), HALF)
    assert found.repairs == ()
    assert not found.already_right
    assert len(found.wrong_rows) == 3


def test_a_repair_that_is_not_proved_is_a_bug() -> None:
    with pytest.raises(AssertionError, match=r"^fc1\.weight\[2,0\] = 3/2 is not proved$"):
        _ = find_repairs(lecture_network(HALF), HALF, prove=lambda net: False)


# --- which value is taken ---------------------------------------------------------------------


def test_the_best_margin_may_lie_between_two_stored_values() -> None:
    """Row 1,0 gives v, row 1,1 gives 5v - 2: the margin is largest at 1/3, which no float is."""
    task = table("0,0,*\n1,0,1\n0,1,*\n1,1,0", "in a:1,in b:1,out y:1")
    net = network([[[1, 4], [1, 4]], [[2, -1]]], [[0, -3], [0]], readout=Readout(threshold=0.0))
    one = by_name(repairs_of(net, task))["fc2.weight[0,0]"]
    assert str(one.works) == "(0, 2/5]"
    below = F(float(np.nextafter(np.float32(1 / 3), np.float32(0))))
    assert F(float(np.float32(1 / 3))) > F(1, 3)
    assert one.after == below  # further from 1/3, but above it the margin falls five times faster
    assert one.margin == below
    assert one.network.layers[1].weight.exact().at(0, 0) == below


def test_a_margin_without_end_is_taken_to_one() -> None:
    net = network([[[0]]], [[0.25]])
    one = by_name(repairs_of(net, table("0,1\n1,1")))["threshold"]
    assert (str(one.works), one.after, one.margin) == ("(-inf, 1/4)", F(-3, 4), 1)


def test_a_wrong_output_on_the_threshold_is_to_leave_it() -> None:
    """Both outputs give 0, just on the threshold; only the one that should be 1 is wrong."""
    net = replace(network([[[0], [0]]], [[0, 0]], readout=Readout(threshold=0.0)),
                  training={"seed": 7})  # fmt: skip
    one = by_name(repairs_of(net, table("0,*,0\n1,1,0", "in x:1,out y:1,out z:1")))[
        "fc1.weight[0,0]"
    ]
    assert (str(one.works), one.after) == ("(0, inf)", 1)
    assert (one.margin, one.row_margin) == (0, 0)  # z stays on it, in the same row too
    assert one.network.training is None


def test_the_best_margin_comes_first() -> None:
    """The weight moves further than the others, and leaves both outputs 2 from the threshold."""
    net = network([[[1]]], [[0]], readout=Readout(threshold=2.0))
    found = repairs_of(net, table("0,0\n1,1"))
    assert [(one.name, one.margin, one.change) for one in found.repairs] == [
        ("fc1.weight[0,0]", 2, 3),
        ("fc1.bias[0]", F(1, 2), F(3, 2)),
        ("threshold", F(1, 2), F(3, 2)),
    ]


def test_beyond_an_open_end_there_is_room() -> None:
    """Below -1/2 the unit is off on 1,0 and z just on the threshold, however far v goes."""
    net = network([[[0, 0.5]], [[1], [0.5]]], [[0.5], [0, 0.5]], readout=Readout(convention=">="))
    task = table("0,0,1,1\n0,1,1,1\n1,0,0,1\n1,1,0,1", "in a:1,in b:1,out y:1,out z:1")
    one = by_name(repairs_of(net, task))["fc1.weight[0,0]"]
    assert (str(one.works), one.after, one.margin) == ("(-inf, -1/2)", F(-3, 2), 0)


def test_between_two_flips_of_a_step_the_middle_is_taken() -> None:
    """The step must be off at 0 and on at 1: the bias b in (-2, 0] with ``>``, 0 being closed."""
    net = network([[[2]], [[1]]], [[1], [0]], activation=Activation("step"))
    one = by_name(repairs_of(net, table("0,0\n1,1")))["fc1.bias[0]"]
    assert (str(one.works), one.after) == ("(-2, 0]", 0)
    net = network([[[2]], [[1]]], [[-5], [0]], activation=Activation("step"))
    one = by_name(repairs_of(net, table("0,0\n1,1")))["fc1.bias[0]"]
    assert (str(one.works), one.after) == ("(-2, 0]", -1)


def test_values_that_no_tensor_can_store_are_told_apart() -> None:
    """1/3 and -2/3 would make the output 1, but they are no floats; the other weight can be 1."""
    net = network([[[1]], [[3]]], [[0], [0]], readout=EXACT)
    found = repairs_of(net, table("0,0\n1,1"))
    assert [(one.name, str(one.works)) for one in found.unstorable] == [
        ("fc1.weight[0,0]", "{1/3}"),
        ("fc1.bias[0]", "{-2/3}"),
    ]
    assert [(one.name, one.after) for one in found.repairs] == [("fc2.weight[0,0]", 1)]
    assert found.repairs[0].margin is None
    assert found.repairs[0].row_margin is None
    assert found.to_dict()["unstorable"][0]["to"] is None


def test_a_packed_network_stays_packed() -> None:
    net = network([[[1, 1], [1, 1]], [[0, 1], [1, 1]]], [[0, -1], [0, 0]], format="int3",
                  readout=EXACT)  # fmt: skip
    one = by_name(repairs_of(net, HALF))["fc2.weight[1,1]"]
    assert (one.after, str(one.works)) == (-2, "{-2}")
    weight = one.network.layers[1].weight
    assert isinstance(weight, Packed)
    assert weight.bits == 3
    net = replace(net, format="ternary", layers=tuple(
        Layer(Packed(layer.weight.numbers, 2), Packed(layer.bias.numbers, 2), layer.activation)
        for layer in net.layers
    ))  # fmt: skip
    found = repairs_of(net, HALF)  # -2 fits into two bits, but is not ternary
    assert [(one.name, one.after) for one in found.repairs] == []
    assert [(one.name, str(one.works)) for one in found.unstorable] == [("fc2.weight[1,1]", "{-2}")]


@pytest.mark.parametrize(
    ("tensor", "after"),
    [
        (Packed(np.array([[-1]]), 1), 1),
        (Dense(np.array([[-3]], dtype=np.int8)), 1),
        (Dense(np.array([[-3]], dtype=ml_dtypes.bfloat16)), 1),
        (Dense(np.array([[-3]], dtype=np.float64)), 1),
    ],
)
def test_a_tensor_keeps_its_type(tensor: Dense | Packed, after: int) -> None:
    net = Network((Layer(tensor),), Readout("threshold", 0.0))
    one = by_name(repairs_of(net, table("0,0\n1,1")))["fc1.weight[0,0]"]
    changed = one.network.layers[0].weight
    assert isinstance(changed, Dense | Packed)
    assert type(changed) is type(tensor)
    assert changed.numbers.dtype == tensor.numbers.dtype
    assert one.after == after
    assert changed.exact().at(0, 0) == after


# --- every value, by evaluating ---------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    net: Network
    task: Task

    def __repr__(self) -> str:
        numbers = {name: tensor.exact().to_floats().tolist() for name, tensor in self.net.tensors()}
        rows = [self.task.row(i).outputs for i in range(self.task.rows)]
        return f"Case({self.net!r}, {numbers}, {rows})"


def plain(net: Network) -> list[tuple[Any, Any]]:
    """The weights and biases as arrays of doubles, which hold them exactly."""
    return [
        (layer.weight.numbers.astype(float), layer.bias.numbers.astype(float))
        for layer in net.layers
    ]


def signed(case: Case, name: str, index: tuple[int, ...], values: list[Fraction], kind: Any) -> Any:
    """For each value, row and output: the distance (exact readout: 0 where right, else -1).

    Computed with arrays of ``kind``: doubles, which are exact for small dyadic numbers, or
    fractions. ``None`` stands in ``expected`` where any bit will do; such outputs are inf.
    """
    net, task = case.net, case.task
    bits = np.concatenate([block.inputs for block in task.blocks()]).astype(kind)
    if kind is object:
        bits = np.vectorize(lambda bit: F(int(bit)), otypes=[object])(bits)
    x = np.broadcast_to(bits, (len(values), *bits.shape))
    changed = np.array([float(v) if kind is float else v for v in values], dtype=kind)
    for number, ((weight, bias), layer) in enumerate(zip(plain(net), net.layers, strict=True), 1):
        if kind is object:
            weight, bias = (np.vectorize(F, otypes=[object])(part) for part in (weight, bias))
        weights = np.repeat(weight[None], len(values), axis=0)
        biases = np.repeat(bias[None], len(values), axis=0)
        for part, array in (("weight", weights), ("bias", biases)):
            if name == f"fc{number}.{part}":
                array[(slice(None), *index)] = changed
        x = np.matmul(x, weights.transpose(0, 2, 1)) + biases[:, None]
        activation = layer.activation
        if activation.kind == "step":
            x = ((x > 0) if activation.convention == ">" else (x >= 0)).astype(kind)
        elif activation.kind in ("relu", "leaky"):
            slope = F(activation.slope) if kind is object else activation.slope
            x = np.where(x > 0, x, x * slope)
    found = np.full(x.shape, np.inf, dtype=kind)
    limit = changed if name == "threshold" else np.full(len(values), F(net.readout.threshold))
    limit = limit.astype(kind)[:, None]
    for row in range(task.rows):
        for output, bit in enumerate(expected(task, row)):
            if bit is None:
                continue
            raw = x[:, row, output][:, None]
            if net.readout.kind == "exact":
                distance = np.where(raw == bit, 0, -1)
            else:
                distance = raw - limit if bit else limit - raw
            found[:, row, output] = distance[:, 0]
    return found


def expected(task: Task, row: int) -> list[int | None]:
    return list(task.row(row).outputs.values())


def right(case: Case, distances: Any) -> Any:
    """For each value, whether every row is right."""
    return right_bits(case, distances).all(axis=(1, 2))


EIGHT_BITS = {
    "fp8-e4m3": ml_dtypes.float8_e4m3fn,
    "fp8-e5m2": ml_dtypes.float8_e5m2,
}


def numbers_of(name: str) -> list[Fraction]:
    """Every number of a small format."""
    if name in EIGHT_BITS:
        floats = np.arange(256, dtype=np.uint8).view(EIGHT_BITS[name]).astype(float)
        return sorted({F(float(value)) for value in floats if np.isfinite(value)})
    form = FORMATS[name]
    return [F(n) for n in form.levels or range(form.least, form.largest + 1)]


HALVES = st.integers(-6, 6).map(lambda n: n / 2)
ACTIVATIONS = st.sampled_from(
    [
        Activation("relu"),
        Activation("relu"),
        Activation("step", convention=">"),
        Activation("step", convention=">="),
        Activation("leaky", slope=0.25),
        Activation("leaky", slope=-0.5),
        Activation("identity"),
    ]
)
READOUTS = st.sampled_from(
    [EXACT, *(Readout("threshold", t, c) for t in (0.0, 0.25, 0.5) for c in (">", ">="))]
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A wrong small network with a table that it computes once one parameter is changed."""
    sizes = [draw(st.integers(2, 3)), *draw(st.lists(st.integers(1, 3), min_size=2, max_size=3))]
    weights: list[Any] = []
    biases: list[Any] = []
    for n_in, n_out in itertools.pairwise(sizes):
        row = st.lists(HALVES, min_size=n_in, max_size=n_in)
        weights.append(draw(st.lists(row, min_size=n_out, max_size=n_out)))
        biases.append(draw(st.lists(HALVES, min_size=n_out, max_size=n_out)))
    form = draw(st.sampled_from(["fp32", "fp8-e4m3"]))
    net = network(
        weights, biases, activation=draw(ACTIVATIONS), readout=draw(READOUTS), format=form
    )
    at = draw(st.integers(0, len(weights) - 1))
    unit, source = draw(st.integers(0, sizes[at + 1] - 1)), draw(st.integers(-1, sizes[at] - 1))
    meant = [[list(row) for row in matrix] for matrix in weights], [list(row) for row in biases]
    if source < 0:
        meant[1][at][unit] += draw(HALVES)
    else:
        meant[0][at][unit][source] += draw(HALVES)
    wished = network(*meant, activation=net.layers[0].activation, readout=net.readout)
    names = [f"x{i}" for i in range(sizes[0])], [f"y{i}" for i in range(sizes[-1])]
    header = ",".join([*(f"in {n}:1" for n in names[0]), *(f"out {n}:1" for n in names[1])])
    free = draw(st.lists(st.integers(0, 7), max_size=2))
    lines = [header]
    wrong = 0
    for row in range(1 << sizes[0]):
        bits = [row >> (sizes[0] - 1 - i) & 1 for i in range(sizes[0])]
        outs = [bit_of(net.readout, value) for value in raw_outputs(wished, bits)]
        marks = ["*" if bit is None or row in free else str(bit) for bit in outs]
        now = [str(bit_of(net.readout, value)) for value in raw_outputs(net, bits)]
        wrong += any(mark not in ("*", bit) for mark, bit in zip(marks, now, strict=True))
        lines.append(",".join([*map(str, bits), *marks]))
    assume(wrong)
    return Case(net, parse_table("\n".join(lines), where="drawn"))


GRID = [F(n, 4) for n in range(-24, 25)]


@given(cases())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_exactly_the_values_that_work_are_found(case: Case) -> None:
    found = repairs_of(case.net, case.task)
    now = signed(case, "", (), [F(0)], float)
    assert len(found.wrong_rows) == sum(~right_rows(case, now[0])) > 0
    ranks = [(-(one.margin or 0), one.change) for one in found.repairs]
    assert ranks == sorted(ranks)
    listed = {one.name: one for one in (*found.repairs, *found.unstorable)}
    for name, index in places(case.net):
        one = listed.pop(f"{name}[{','.join(map(str, index))}]" if index else name, None)
        grid = numbers_of("fp8-e4m3") if case.net.format == "fp8-e4m3" and index else GRID
        distances = signed(case, name, index, grid, float)
        works = right(case, distances)
        if one is None:
            assert not works.any(), name
            continue
        assert [one.works.contains(value) for value in grid] == works.tolist()
        near = sorted({end + step for part in one.works.parts for end in (*part.ends, part.sample)
                       for step in (F(-1, 1000), F(0), F(1, 1000))})  # fmt: skip
        exact = signed(case, name, index, near, object)
        assert [one.works.contains(value) for value in near] == right(case, exact).tolist()
        if isinstance(one, Repair):
            check_choice(case, one, now[0], distances[works], np.array(grid)[works])
        else:
            assert not works.any()  # whatever is in the grid can be stored
    assert not listed


def places(net: Network) -> list[tuple[str, tuple[int, ...]]]:
    found = [
        (name, tuple(map(int, index)))
        for name, tensor in net.tensors()
        for index in np.ndindex(tensor.shape)
    ]
    return found + ([("threshold", ())] if net.readout.kind == "threshold" else [])


def check_choice(case: Case, one: Repair, now: Any, distances: Any, values: Any) -> None:
    """No value of the grid, of 8-bit floats every one there is, beats the one taken."""
    assert one.works.contains(one.after)
    assert not one.works.contains(one.before)
    taken = signed(case, one.tensor, one.index, [one.after], object)[0]
    assert right(case, taken[None])[0]
    if case.net.readout.kind == "exact":
        assert one.margin is None
        return
    was_wrong = ~right_rows(case, now)
    assert one.margin == taken.min()
    assert one.row_margin == taken[was_wrong].min()
    counts = ~((now == 0) & right_bits(case, now))  # the others are tied whatever happens
    untied = taken[counts].min()
    (part,) = (part for part in one.works.parts if part.contains(one.after))
    is_open = not (part.low_closed if one.after > one.before else part.high_closed)
    for distance, value in zip(distances, values, strict=True):
        rank = (F(distance.min()), F(distance[counts].min()))
        assert one.margin >= min(rank[0], F(1))  # 1 is enough where it grows without end
        assert one.margin != rank[0] or untied >= min(rank[1], F(1))
        if rank == (one.margin, untied) and not is_open:
            assert abs(value - one.before) >= one.change


def right_bits(case: Case, distances: Any) -> Any:
    """For each row and output, whether its bit is right."""
    readout = case.net.readout
    on_tie = [
        [
            readout.kind == "exact" or bool(bit) == (readout.convention == ">=")
            for bit in expected(case.task, row)
        ]
        for row in range(case.task.rows)
    ]
    return (distances > 0) | ((distances == 0) & np.array(on_tie))


def right_rows(case: Case, now: Any) -> Any:
    return right_bits(case, now).all(axis=1)


# --- the parts --------------------------------------------------------------------------------


ENDS = st.none() | st.integers(-3, 3).map(F)
POINTS = [F(n, 2) for n in range(-9, 10)]


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    low, high = draw(ENDS), draw(ENDS)
    if low is not None and high is not None and low > high:
        low, high = high, low
    is_point = low is not None and low == high
    low_closed = low is not None and (is_point or draw(st.booleans()))
    high_closed = high is not None and (is_point or draw(st.booleans()))
    return Interval(low, high, low_closed, high_closed)


@given(st.lists(intervals(), max_size=5))
@example([Interval(None, F(0)), Interval(F(0), None)])
@example([Interval(F(0), F(1)), Interval(F(1), F(2), low_closed=True)])
def test_a_union_holds_what_its_parts_hold(parts: list[Interval]) -> None:
    union = Intervals.of(parts)
    assert bool(union) == bool(parts)
    for value in POINTS:
        assert union.contains(value) == any(part.contains(value) for part in parts)
    for one, two in zip(union.parts, union.parts[1:], strict=False):
        assert one.high is not None
        assert two.low is not None
        assert one.high < two.low or (one.high == two.low and not union.contains(one.high))
    assert Intervals.of(reversed(union.parts)) == union


@given(intervals(), intervals())
def test_an_intersection_holds_what_both_hold(one: Interval, two: Interval) -> None:
    both = one.intersect(two)
    assert both == two.intersect(one)
    for value in POINTS:
        inside = one.contains(value) and two.contains(value)
        assert inside == (both is not None and both.contains(value))
    assert both is None or both.contains(both.sample)


@given(intervals(), st.lists(st.integers(-4, 4).map(F), max_size=4))
def test_a_split_interval_is_whole_and_cut(whole: Interval, cuts: list[Fraction]) -> None:
    parts = list(whole.split(cuts))
    for value in POINTS:
        assert sum(part.contains(value) for part in parts) == whole.contains(value)
        if value in cuts and whole.contains(value):
            assert Interval(value, value, low_closed=True, high_closed=True) in parts
    assert [part.sample for part in parts] == sorted(part.sample for part in parts)


def test_intervals_as_people_write_them() -> None:
    third = F(1, 3)
    union = Intervals.of(
        [
            Interval(third, third, low_closed=True, high_closed=True),
            Interval(None, F(-3), high_closed=True),
            Interval(F(2), F(5, 2), low_closed=True),
            Interval(F(7), None),
        ]
    )
    assert str(union) == "(-inf, -3] or {1/3} or [2, 5/2) or (7, inf)"
    assert union.describe(lambda value: f"{float(value):.1f}") == (
        "(-inf, -3.0] or {0.3} or [2.0, 2.5) or (7.0, inf)"
    )
    assert str(Intervals()) == "none"
    assert union.to_list()[0] == {
        "low": None,
        "low_closed": False,
        "high": "-3",
        "high_closed": True,
        "text": "(-inf, -3]",
    }


LINES = st.builds(Line, st.integers(-3, 3).map(F), st.integers(-3, 3).map(F))
JUMPS = st.tuples(st.integers(-3, 3).map(F), LINES, LINES)


@given(st.lists(intervals(), min_size=1, max_size=3), st.lists(JUMPS, min_size=1, max_size=5))
@example([Interval(F(0), F(1)), Interval(F(2), None)], [(F(5), *[Line(F(0), F(1))] * 2)] * 2)
def test_the_lowest_of_several_functions(parts: list[Interval], drawn: Any) -> None:
    """Each function is one line up to a number and another beyond it, so that it may jump."""
    within = Intervals.of(parts)
    functions = [
        [
            (common, line)
            for part in within.parts
            for half, line in (
                (Interval(None, cut, high_closed=True), below),
                (Interval(cut, None), above),
            )
            if (common := half.intersect(part)) is not None
        ]
        for cut, below, above in drawn
    ]
    found = lowest(functions)
    for value in [F(n, 12) for n in range(-60, 60)]:
        here = [line.at(value) for piece, line in found if piece.contains(value)]
        if not within.contains(value):
            assert here == []
            continue
        assert here == [min(b.at(value) if value <= cut else a.at(value) for cut, b, a in drawn)]
    far = [value for value in (F(10**6), F(-(10**6))) if within.contains(value)]
    highest = [line.at(v) for v in far for piece, line in found if piece.contains(v)]
    assert is_endless(found) == any(value > 1000 for value in highest)


@pytest.mark.parametrize("name", ["fp8-e4m3", "fp8-e5m2", "int4", "ternary", "binary"])
def test_the_stored_numbers_of_an_interval(name: str) -> None:
    numbers = numbers_of(name)
    form = FORMATS[name]
    between = [(share * a + b) / (share + 1) for a, b in itertools.pairwise(numbers)
               for share in (1, 2)]  # fmt: skip
    ends = [*numbers, *between, numbers[0] - 1, numbers[-1] + 1]
    for end in ends:
        for closed in (False, True):
            above = [n for n in numbers if n > end or (closed and n == end)]
            assert extremes(form, Interval(end, None, low_closed=closed)) == (
                (above[0], above[-1]) if above else ()
            )
            below = [n for n in numbers if n < end or (closed and n == end)]
            assert extremes(form, Interval(None, end, high_closed=closed)) == (
                (below[0], below[-1]) if below else ()
            )
        found = around(form, end, Interval())
        wanted = {min((n for n in numbers if n >= end), default=None),
                  max((n for n in numbers if n <= end), default=None)} - {None}  # fmt: skip
        assert set(found) == wanted


@given(st.floats(-(2.0**100), 2.0**100, width=32))
def test_the_next_single_precision_number(value: float) -> None:
    form = FORMATS["fp32"]
    up = F(float(np.nextafter(np.float32(value), np.float32(np.inf))))
    assert extremes(form, Interval(F(value), None))[0] == up
    middle = (F(value) + up) / 2
    assert set(around(form, middle, Interval())) == {F(value), up}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (F(-3), "-3"),
        (F(5, 4), "1.25"),
        (F(2, 3), "2/3"),
        (F(1, 3 * 10**9), "~3.33333e-10"),
        (F(16777217, 16777216), "~1.00000"),
        (F(10) ** 400, "1.00000e+400"),
    ],
)
def test_numbers_are_as_short_as_they_can_be(value: Fraction, text: str) -> None:
    assert short(value) == text


def test_repairs_in_a_notebook() -> None:
    found = repairs_of(lecture_network(HALF), HALF)
    html = found._repr_html_()
    assert html.count("<tr") == 7  # the headings and six repairs
    assert "(0, 2/3]</td>" in html
    assert "<table" not in Repairs((), (), ({"a": 1},), 4)._repr_html_()


# --- refusals ---------------------------------------------------------------------------------


def whole(message: str) -> str:
    return f"^{re.escape(message)}$"


def one_layer(weight: Any, kind: str = "identity") -> Network:
    return Network((Layer(weight, None, Activation(kind)),))


EYE = np.eye(2, dtype=np.float32)


def test_tanh_is_refused() -> None:
    net = network([EYE, EYE], [None, None], activation=Activation("tanh"))
    message = (
        "fc1: the layer has tanh, whose values are no fractions: the weights that work can't be "
        "said exactly; repair a network of relu, leaky, step and identity"
    )
    with pytest.raises(NetworkError, match=whole(message)):
        _ = repairs_of(net, HALF)


@pytest.mark.parametrize(
    ("tensor", "kind"),
    [
        (Sparse((2, 2), np.array([0, 1, 2]), np.array([0, 1]), Dense(np.ones(2))), "sparse"),
        (Scaled(Packed(np.eye(2, dtype=np.int64), 4), Dense(np.array(0.5))), "scaled"),
        (Wide(np.eye(2, dtype=np.int64).astype(object), 2), "wide"),
    ],
)
def test_other_tensors_are_refused(tensor: Any, kind: str) -> None:
    message = (
        f"fc1.weight: the tensor is {kind}, and only dense and packed ones are repaired; "
        "store the network in a float format or in one of int2 to int32"
    )
    with pytest.raises(NetworkError, match=whole(message)):
        _ = repairs_of(one_layer(tensor), HALF)


def test_too_many_rows_are_refused() -> None:
    task = task_named("parity:13")
    message = (
        "repair: the task has 8192 rows, more than 4096; "
        "repair a smaller network, or train it again"
    )
    with pytest.raises(ResourceError, match=whole(message)):
        _ = repairs_of(one_layer(Dense(np.ones((1, 13)))), task)


def test_too_much_work_is_refused() -> None:
    net = network([np.ones((50, 12)), np.ones((1, 50))], [np.ones(50), np.ones(1)])
    message = (
        "repair: 4096 rows x 702 parameters x 51 units are 146644992 steps, more than 67108864; "
        "repair a smaller network, or train it again"
    )
    with pytest.raises(ResourceError, match=whole(message)):
        _ = repairs_of(net, task_named("parity:12"))


def test_a_task_of_another_shape_is_refused() -> None:
    message = (
        "task: full-adder has 3 input and 2 output bits, the network 2 and 2; "
        "name a task that fits with `task`"
    )
    with pytest.raises(TaskError, match=whole(message)):
        _ = repairs_of(lecture_network(HALF), task_named("full-adder"))


def test_a_candidate_names_its_place() -> None:
    assert Candidate("fc1.bias", (2,), F(0), Intervals()).name == "fc1.bias[2]"
    assert Candidate("threshold", (), F(0), Intervals()).name == "threshold"
