"""Repairs with one parameter, compared with evaluating the network value by value."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from exact import bit_of, raw_outputs, weights_and_biases
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from strategies import fractions_of, refused

from adderlab.building.lecture import lecture_network
from adderlab.building.repair import (
    Repair,
    Repairs,
    find_repairs,
    short,
)
from adderlab.errors import AdderlabError, NetworkError, ResourceError, TaskError
from adderlab.nets import EXACT, Activation, Layer, Network, Readout, network
from adderlab.nets.tensors import FLOAT_DTYPES, Dense, Packed, Scaled, Sparse, Wide
from adderlab.tasks import Task, task_named
from adderlab.tasks.tables import parse_table
from adderlab.verbs.prove import prove

HALF = task_named("half-adder")
F = Fraction


def repairs_of(net: Network, task: Task) -> Repairs:
    return find_repairs(net, task, prove=lambda changed: prove(changed, task, formats="exact"))


def by_name(search: Repairs) -> dict[str, Repair]:
    return {repair.name: repair for repair in search.repairs}


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
    search = repairs_of(lecture_network(HALF), HALF)
    assert [repair.name for repair in search.repairs] == list(LECTURE)
    for repair in search.repairs:
        before, after, works, row_margin = LECTURE[repair.name]
        assert (repair.before, repair.after, str(repair.works)) == (before, after, works)
        assert (repair.margin, repair.row_margin, repair.change) == (
            0,
            row_margin,
            abs(after - before),
        )
        assert prove(repair.network, HALF)
    assert search.wrong_rows == ({"a": 1, "b": 1},)
    assert (search.rows, search.unstorable) == (4, ())
    assert repr(search) == "Repairs: 6 with one parameter, 1 of 4 rows wrong before"


def test_a_repair_for_json() -> None:
    repair = by_name(repairs_of(lecture_network(HALF), HALF))["fc2.weight[1,1]"]
    assert repair.to_dict() == {
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
    assert repr(repair) == "Repair: fc2.weight[1,1] from 1 to 0.5, works in (0, 2/3]"


def test_a_threshold_is_moved_to_the_middle() -> None:
    """With -4 and ``>=`` the zeros of 0 + 0 stand on the threshold; anything in (0, 1/2] works."""
    net = replace(by_name(repairs_of(lecture_network(HALF), HALF))["fc2.weight[1,2]"].network,
                  readout=Readout("threshold", 0.0, ">="), training={"seed": 7})  # fmt: skip
    search = repairs_of(net, HALF)
    repair = by_name(search)["threshold"]
    assert search.repairs[0] is repair
    assert (str(repair.works), repair.after, repair.parameter.index) == ("(0, 1/2]", F(1, 4), ())
    assert (repair.margin, repair.row_margin) == (F(1, 4), F(1, 4))
    assert repair.network.readout == Readout("threshold", 0.25, ">=")
    assert repair.network.training is None
    assert repair.to_dict()["index"] == []


def test_of_a_network_that_is_right_the_changes_that_enlarge_its_margin_are_given() -> None:
    net = by_name(repairs_of(lecture_network(HALF), HALF))["fc2.weight[1,2]"].network
    search = repairs_of(net, HALF)
    assert search.wrong_rows == ()
    assert all(repair.change and prove(repair.network, HALF) for repair in search.repairs)
    assert search.repairs[0].name == "threshold"
    assert search.repairs[0].margin == F(1, 4)
    assert search.repairs[0].row_margin is None


def test_a_network_that_no_single_parameter_repairs() -> None:
    search = repairs_of(network([[[1, 1], [1, 1]], [[0, 0], [0, 0]]], [[0, 0], [0, 0]]), HALF)
    assert search.repairs == ()
    assert len(search.wrong_rows) == 3


def test_a_repair_that_is_not_proved_is_a_bug() -> None:
    with pytest.raises(AssertionError, match=r"^fc1\.weight\[2,0\] = 3/2 is not proved$"):
        _ = find_repairs(lecture_network(HALF), HALF, prove=lambda net: False)


# --- which value is taken ---------------------------------------------------------------------


def test_the_best_margin_may_lie_between_two_stored_values() -> None:
    """Row 1,0 gives v, row 1,1 gives 5v - 2: the margin is largest at 1/3, which no float is."""
    task = table("0,0,*\n1,0,1\n0,1,*\n1,1,0", "in a:1,in b:1,out y:1")
    net = network([[[1, 4], [1, 4]], [[2, -1]]], [[0, -3], [0]], readout=Readout(threshold=0.0))
    repair = by_name(repairs_of(net, task))["fc2.weight[0,0]"]
    assert str(repair.works) == "(0, 2/5]"
    below = F(float(np.nextafter(np.float32(1 / 3), np.float32(0))))
    assert F(float(np.float32(1 / 3))) > F(1, 3)
    assert (
        repair.after == below
    )  # further from 1/3, but above it the margin falls five times faster
    assert repair.margin == below
    assert repair.network.layers[1].weight.exact().at(0, 0) == below


def test_a_margin_without_end_is_taken_to_one() -> None:
    net = network([[[0]]], [[0.25]])
    repair = by_name(repairs_of(net, table("0,1\n1,1")))["threshold"]
    assert (str(repair.works), repair.after, repair.margin) == ("(-inf, 1/4)", F(-3, 4), 1)


def test_a_wrong_output_on_the_threshold_is_to_leave_it() -> None:
    """Both outputs give 0, just on the threshold; only the one that should be 1 is wrong."""
    net = replace(network([[[0], [0]]], [[0, 0]], readout=Readout(threshold=0.0)),
                  training={"seed": 7})  # fmt: skip
    repair = by_name(repairs_of(net, table("0,*,0\n1,1,0", "in x:1,out y:1,out z:1")))[
        "fc1.weight[0,0]"
    ]
    assert (str(repair.works), repair.after) == ("(0, inf)", 1)
    assert (repair.margin, repair.row_margin) == (0, 0)  # z stays on it, in the same row too
    assert repair.network.training is None


def test_the_best_margin_comes_first() -> None:
    """The weight moves further than the others, and leaves both outputs 2 from the threshold."""
    net = network([[[1]]], [[0]], readout=Readout(threshold=2.0))
    search = repairs_of(net, table("0,0\n1,1"))
    assert [(repair.name, repair.margin, repair.change) for repair in search.repairs] == [
        ("fc1.weight[0,0]", 2, 3),
        ("fc1.bias[0]", F(1, 2), F(3, 2)),
        ("threshold", F(1, 2), F(3, 2)),
    ]


def test_beyond_an_open_end_there_is_room() -> None:
    """Below -1/2 the unit is off on 1,0 and z just on the threshold, however far v goes."""
    net = network([[[0, 0.5]], [[1], [0.5]]], [[0.5], [0, 0.5]], readout=Readout(convention=">="))
    task = table("0,0,1,1\n0,1,1,1\n1,0,0,1\n1,1,0,1", "in a:1,in b:1,out y:1,out z:1")
    repair = by_name(repairs_of(net, task))["fc1.weight[0,0]"]
    assert (str(repair.works), repair.after, repair.margin) == ("(-inf, -1/2)", F(-3, 2), 0)


def test_between_two_flips_of_a_step_the_middle_is_taken() -> None:
    """The step must be off at 0 and on at 1: the bias b in (-2, 0] with ``>``, 0 being closed."""
    net = network([[[2]], [[1]]], [[1], [0]], activation=Activation("step"))
    repair = by_name(repairs_of(net, table("0,0\n1,1")))["fc1.bias[0]"]
    assert (str(repair.works), repair.after) == ("(-2, 0]", 0)
    net = network([[[2]], [[1]]], [[-5], [0]], activation=Activation("step"))
    repair = by_name(repairs_of(net, table("0,0\n1,1")))["fc1.bias[0]"]
    assert (str(repair.works), repair.after) == ("(-2, 0]", -1)


def test_values_that_no_tensor_can_store_are_told_apart() -> None:
    """1/3 and -2/3 would make the output 1, but they are no floats; the other weight can be 1."""
    net = network([[[1]], [[3]]], [[0], [0]], readout=EXACT)
    search = repairs_of(net, table("0,0\n1,1"))
    assert [(repair.name, str(repair.works)) for repair in search.unstorable] == [
        ("fc1.weight[0,0]", "{1/3}"),
        ("fc1.bias[0]", "{-2/3}"),
    ]
    assert [(repair.name, repair.after) for repair in search.repairs] == [("fc2.weight[0,0]", 1)]
    assert search.repairs[0].margin is None
    assert search.repairs[0].row_margin is None
    assert search.to_dict()["unstorable"][0]["to"] is None


def test_a_packed_network_stays_packed() -> None:
    net = network([[[1, 1], [1, 1]], [[0, 1], [1, 1]]], [[0, -1], [0, 0]], format="int3",
                  readout=EXACT)  # fmt: skip
    repair = by_name(repairs_of(net, HALF))["fc2.weight[1,1]"]
    assert (repair.after, str(repair.works)) == (-2, "{-2}")
    weight = repair.network.layers[1].weight
    assert isinstance(weight, Packed)
    assert weight.bits == 3
    net = replace(net, format="ternary", layers=tuple(
        Layer(Packed(layer.weight.numbers, 2), Packed(layer.bias.numbers, 2), layer.activation)
        for layer in net.layers
    ))  # fmt: skip
    search = repairs_of(net, HALF)  # -2 fits into two bits, but is not ternary
    assert [(repair.name, repair.after) for repair in search.repairs] == []
    assert [(repair.name, str(repair.works)) for repair in search.unstorable] == [
        ("fc2.weight[1,1]", "{-2}")
    ]


@pytest.mark.parametrize(
    ("tensor", "after"),
    [
        (Packed(np.array([[-1]]), 1), 1),
        (Dense(np.array([[-3]], dtype=np.int8)), 1),
        (Dense(np.array([[-3]], dtype=FLOAT_DTYPES["bf16"])), 1),
        (Dense(np.array([[-3]], dtype=np.float64)), 1),
    ],
)
def test_a_tensor_keeps_its_type(tensor: Dense | Packed, after: int) -> None:
    net = Network((Layer(tensor),), Readout("threshold", 0.0))
    repair = by_name(repairs_of(net, table("0,0\n1,1")))["fc1.weight[0,0]"]
    changed = repair.network.layers[0].weight
    assert isinstance(changed, Dense | Packed)
    assert type(changed) is type(tensor)
    assert changed.numbers.dtype == tensor.numbers.dtype
    assert repair.after == after
    assert changed.exact().at(0, 0) == after


# --- every value, by evaluating ---------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    net: Network
    task: Task

    def __repr__(self) -> str:
        numbers = {name: fractions_of(tensor).tolist() for name, tensor in self.net.tensors()}
        rows = [self.task.row(row).outputs for row in range(self.task.rows)]
        return f"Case({self.net!r}, {numbers}, {rows})"

    @property
    def expected(self) -> list[tuple[int, int, int]]:
        """Row, output and bit, wherever the bit matters."""
        return [
            (row, output, bit)
            for row in range(self.task.rows)
            for output, bit in enumerate(self.task.row(row).outputs.values())
            if bit is not None
        ]

    def places(self) -> list[tuple[str, tuple[int, ...]]]:
        """Every parameter's tensor and index."""
        places = [(name, at) for name, tensor in self.net.tensors() for at in ndindex(tensor)]
        return places + [("threshold", ())] * (self.net.readout.kind == "threshold")


def ndindex(tensor: Any) -> list[tuple[int, ...]]:
    return list(itertools.product(*map(range, tensor.shape)))


def evaluate(
    case: Case, name: str, index: tuple[int, ...], values: list[Fraction]
) -> list[list[tuple[Fraction, bool]]]:
    """For each value of a parameter, of each bit that matters: its distance, and if it is right.

    The distance is signed; of an exact readout it means nothing.
    """
    net, task = case.net, case.task
    parameters = [weights_and_biases(layer) for layer in net.layers]
    inputs = [bits for block in task.blocks() for bits in block.inputs.tolist()]
    expected = case.expected
    table: list[list[tuple[Fraction, bool]]] = []
    for value in values:
        threshold = value if name == "threshold" else F(net.readout.threshold)
        if index:
            unit, *source = index
            weight, bias = parameters[int(name[2:].split(".")[0]) - 1]
            row, column = (weight[unit], source[0]) if source else (bias, unit)
            row[column] = value
        raw = [raw_outputs(net, bits, parameters=parameters) for bits in inputs]
        if net.readout.kind == "exact":
            readout, shift = EXACT, F(0)
        else:  # of any threshold: what is above it is above 0
            readout, shift = replace(net.readout, threshold=0.0), threshold
        table.append(
            [
                (
                    (raw[row][output] - shift) * (1 if bit else -1),
                    bit_of(readout, raw[row][output] - shift) == bit,
                )
                for row, output, bit in expected
            ]
        )
    return table


def is_right(outcome: list[tuple[Fraction, bool]]) -> bool:
    return all(right for _, right in outcome)


def numbers_of(name: str) -> list[Fraction]:
    """Every finite number of an 8-bit float format."""
    floats = np.arange(256, dtype=np.uint8).view(FLOAT_DTYPES[name]).astype(float)
    return sorted({F(float(value)) for value in floats if np.isfinite(value)})


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
    changed = [[list(row) for row in matrix] for matrix in weights], [list(row) for row in biases]
    if source < 0:
        changed[1][at][unit] += draw(HALVES)
    else:
        changed[0][at][unit][source] += draw(HALVES)
    target = network(*changed, activation=net.layers[0].activation, readout=net.readout)
    names = [f"x{i}" for i in range(sizes[0])], [f"y{i}" for i in range(sizes[-1])]
    header = ",".join([*(f"in {n}:1" for n in names[0]), *(f"out {n}:1" for n in names[1])])
    free = draw(st.lists(st.integers(0, 7), max_size=2))
    lines = [header]
    wrong = 0
    for row in range(1 << sizes[0]):
        bits = [row >> (sizes[0] - 1 - i) & 1 for i in range(sizes[0])]
        outs = [bit_of(net.readout, value) for value in raw_outputs(target, bits)]
        marks = ["*" if bit is None or row in free else str(bit) for bit in outs]
        now = [str(bit_of(net.readout, value)) for value in raw_outputs(net, bits)]
        wrong += any(mark not in ("*", bit) for mark, bit in zip(marks, now, strict=True))
        lines.append(",".join([*map(str, bits), *marks]))
    assume(wrong)
    return Case(net, parse_table("\n".join(lines), where="drawn"))


GRID = [F(n, 4) for n in range(-24, 25)]


@given(cases())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_exactly_the_values_that_work_are_found(case: Case) -> None:
    search = repairs_of(case.net, case.task)
    (now,) = evaluate(case, "", (), [F(0)])
    wrong = {row for (row, _, _), (_, right) in zip(case.expected, now, strict=True) if not right}
    assert search.wrong_rows == tuple(case.task.row(row).inputs for row in sorted(wrong))
    assert wrong
    ranks = [(-(repair.margin or 0), repair.change) for repair in search.repairs]
    assert ranks == sorted(ranks)
    candidates = {candidate.name: candidate for candidate in (*search.repairs, *search.unstorable)}
    for name, index in case.places():
        candidate = candidates.pop(f"{name}[{','.join(map(str, index))}]" if index else name, None)
        outcomes = evaluate(case, name, index, GRID)
        works = [is_right(outcome) for outcome in outcomes]
        if candidate is None:
            assert not any(works), name
            continue
        assert [candidate.works.contains(value) for value in GRID] == works
        near = sorted({end + step for part in candidate.works.parts
                       for end in (*part.ends, part.sample)
                       for step in (F(-1, 1000), F(0), F(1, 1000))})  # fmt: skip
        nearby = [is_right(outcome) for outcome in evaluate(case, name, index, near)]
        assert [candidate.works.contains(value) for value in near] == nearby
        if isinstance(candidate, Repair):
            check_choice(case, candidate, now, wrong)
        else:
            assert not any(works)  # whatever is in the grid can be stored
    assert not candidates


def check_choice(
    case: Case, repair: Repair, now: list[tuple[Fraction, bool]], wrong: set[int]
) -> None:
    """No value of the grid, of 8-bit floats every one there is, beats the one taken."""
    parameter = repair.parameter
    place = (parameter.tensor, parameter.index)
    (taken,) = evaluate(case, *place, [repair.after])
    assert repair.works.contains(repair.after)
    assert not repair.works.contains(repair.before)
    assert is_right(taken)
    if case.net.readout.kind == "exact":
        assert repair.margin is None
        return
    is_free = [distance != 0 or not right for distance, right in now]  # others stay on it
    rows = [row for row, _, _ in case.expected]

    def rank(outcome: list[tuple[Fraction, bool]]) -> tuple[Fraction, Fraction]:
        free = (pair for pair, counts in zip(outcome, is_free, strict=True) if counts)
        return min(outcome)[0], min(free)[0]

    margin, free_margin = rank(taken)
    assert repair.margin == margin
    was_wrong = (pair for pair, row in zip(taken, rows, strict=True) if row in wrong)
    assert repair.row_margin == min(was_wrong)[0]
    (part,) = (part for part in repair.works.parts if part.contains(repair.after))
    is_open = not (part.low_closed if repair.after > repair.before else part.high_closed)
    is_small = case.net.format == "fp8-e4m3" and parameter.index
    grid = numbers_of("fp8-e4m3") if is_small else GRID
    values = [value for value in grid if repair.works.contains(value)]
    for value, outcome in zip(values, evaluate(case, *place, values), strict=True):
        other, other_free = rank(outcome)
        assert margin >= min(other, F(1))  # 1 is enough where it grows without end
        assert margin != other or free_margin >= min(other_free, F(1))
        if (other, other_free) == (margin, free_margin) and not is_open:
            assert abs(value - repair.before) >= repair.change


# --- how it is shown ---------------------------------------------------------------------------


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
    search = repairs_of(lecture_network(HALF), HALF)
    html = search._repr_html_()
    assert html.count("<tr") == 7  # the headings and six repairs
    assert "(0, 2/3]</td>" in html
    assert "<table" not in Repairs((), (), ({"a": 1},), 4)._repr_html_()


# --- refusals ---------------------------------------------------------------------------------

EYE = np.eye(2, dtype=np.float32)
SPARSE = Sparse((2, 2), np.array([0, 1, 2]), np.array([0, 1]), Dense(np.ones(2)))
STORE = "store the network in a float format or in one of int2 to int32"
SMALLER = "repair a smaller network, or train it again"


def one_layer(weight: Any) -> Network:
    return Network((Layer(weight),))


@pytest.mark.parametrize(
    ("net", "task", "error", "message"),
    [
        (
            network([EYE, EYE], [None, None], activation=Activation("tanh")),
            "half-adder",
            NetworkError,
            (
                "fc1: the activation tanh is not straight on both sides of 0, so the values that "
                "work can't be computed; repair a network of relu, leaky, step, abs, sign, "
                "heaviside and identity"
            ),
        ),
        *(
            (
                one_layer(tensor),
                "half-adder",
                NetworkError,
                f"fc1.weight: the tensor is {kind}, and only dense and packed ones are repaired; "
                + STORE,
            )
            for kind, tensor in (
                ("sparse", SPARSE),
                ("scaled", Scaled(Packed(np.eye(2, dtype=np.int64), 4), Dense(np.array(0.5)))),
                ("wide", Wide.of(np.eye(2, dtype=np.int64))),
            )
        ),
        (
            one_layer(Dense(np.ones((1, 13)))),
            "parity:13",
            ResourceError,
            f"repair: the task has 8192 rows, more than 4096; {SMALLER}",
        ),
        (
            network([np.ones((50, 12)), np.ones((1, 50))], [np.ones(50), np.ones(1)]),
            "parity:12",
            ResourceError,
            (
                "repair: 4096 rows x 702 parameters x 51 units are 146644992 steps, more than "
                f"67108864; {SMALLER}"
            ),
        ),
        (
            lecture_network(HALF),
            "full-adder",
            TaskError,
            (
                "task: full-adder has 3 input and 2 output bits, the network 2 and 2; "
                "name a task that fits with `task`"
            ),
        ),
    ],
    ids=["tanh", "sparse", "scaled", "wide", "rows", "work", "task"],
)
def test_what_can_not_be_repaired_is_refused(
    net: Network, task: str, error: type[AdderlabError], message: str
) -> None:
    with refused(error, message):
        _ = repairs_of(net, task_named(task))
