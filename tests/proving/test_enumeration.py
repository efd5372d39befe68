"""Enumeration: exact margins, free outputs, exact readouts, tanh, and which rows need what."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from proving.reference import judge, rows_of

from adderlab.building.lecture import lecture_network, printed_network
from adderlab.nets import EXACT, Activation, Layer, Network, Readout, enclosure, network
from adderlab.nets.network import map_parameters
from adderlab.nets.tensors import Dense
from adderlab.proving import enumeration
from adderlab.proving.enumeration import (
    block_rows,
    enumerate_rows,
    exact_counterexample,
    margin_of,
)
from adderlab.tasks import Task, task_named
from adderlab.tasks.tables import parse_table
from adderlab.verbs.prove import prove

exactly = partial(prove, formats="exact")

HALF_ADDER = task_named("half-adder")
TANH_1 = Fraction("0.76159415595576488811945828260479359041276859725793655")


def table(*lines: str) -> Task:
    return parse_table("\n".join(lines), where="test")


def with_weight(net: Network, name: str, index: tuple[int, ...], value: float) -> Network:
    def change(tensor_name: str, tensor: Dense) -> Dense:
        if tensor_name != name:
            return tensor
        numbers = tensor.numbers.copy()
        numbers[index] = value
        return Dense(numbers)

    return map_parameters(net, change)


LECTURE = lecture_network(HALF_ADDER)

REPAIRS = {
    # of the lecture's network: fc2.weight[1,2], the threshold, the rows right, the margins
    "-2, as it stands": (-2, 0.0, 3, "-1/2", "1/2"),
    "-3 ties on 1 + 1": (-3, 0.0, 4, "0", "1/2"),
    "-4": (-4, 0.0, 4, "0", "1/2"),
    "-4, threshold 1/4": (-4, 0.25, 4, "1/4", "1/4"),
}


@pytest.mark.parametrize("case", REPAIRS)
def test_the_margins_of_the_lecture_network_and_of_its_repairs(case: str) -> None:
    """Repaired, it keeps margin 0 until the threshold moves: 0 + 0 gives exactly 0."""
    weight, threshold, right, of_0, of_1 = REPAIRS[case]
    net = with_weight(LECTURE, "fc2.weight", (1, 2), weight)
    net = replace(net, readout=Readout("threshold", threshold, ">"))
    enumeration = enumerate_rows(net, HALF_ADDER)
    margin = margin_of(enumeration, net)
    assert margin is not None
    assert enumeration.rows - enumeration.wrong == right
    assert (margin.of_0, margin.of_1) == (Fraction(of_0), Fraction(of_1))


def test_the_two_conventions_differ_on_a_tie_alone() -> None:
    """At -3 the sum of 1 + 1 is exactly 0: right under > 0, wrong under >= 0, margin 0 in both."""
    net = with_weight(LECTURE, "fc2.weight", (1, 2), -3)
    assert exactly(net)
    other = exactly(replace(net, readout=Readout("threshold", 0.0, ">=")))
    assert other.verdict == "refuted"
    assert other.counterexample is not None
    assert other.counterexample.input == {"a": 0, "b": 0}
    assert other.rows_right == 0
    assert other.margin is not None
    assert other.margin.min == 0


def test_the_printed_weights_have_the_margin_that_their_digits_give() -> None:
    """The 17 numbers of the training notebook: right on all four rows, margin 0.146."""
    verdict = exactly(printed_network())
    assert verdict
    assert verdict.margin is not None
    expected = judge(printed_network(), HALF_ADDER)
    assert (verdict.margin.of_0, verdict.margin.of_1) == (expected.of_0, expected.of_1)
    assert verdict.margin.min is not None
    assert f"{float(verdict.margin.min):.3f}" == "0.146"


def test_a_margin_is_the_fraction_and_not_its_nearest_double() -> None:
    """A third row differs from the lowest by 2**-80, which no double near 1 shows."""
    net = network(
        [[[1, 2.0**-80, 0], [1, 0, 2.0**-79]], [[1, 0], [0, 1]]],
        [None, [0, 0]],
        readout=Readout("threshold", 0.5, ">"),
        format="fp64",
    )
    task = table("in x:3,out y:2", *(f"{n},{3 if n > 3 else 0}" for n in range(8)))
    margin = margin_of(enumerate_rows(net, task), net)
    assert margin is not None
    assert margin.of_0 == Fraction(1, 2) - Fraction(1, 2**79)
    assert margin.of_1 == Fraction(1, 2)


def test_a_margin_has_no_side_where_no_output_should_be_there() -> None:
    """Outputs that are all 0 leave the ones without a margin."""
    net = network([[[1, 2]]], [[-7]], readout=Readout("threshold", 0.0, ">"))
    verdict = exactly(net, table("in x:2,out y:1", "0,0", "1,0", "2,0", "3,0"))
    assert verdict
    assert verdict.margin is not None
    assert (verdict.margin.of_0, verdict.margin.of_1, verdict.margin.min) == (4, None, 4)


def test_outputs_that_may_be_anything_do_not_count() -> None:
    """Neither for the verdict nor for the margin; with the star filled in, both change."""
    net = network([[[4, 2]], [[1], [1]]], [[-3], [0, -1]])
    lines = ["in x:2,out y:1,out z:1", "0,0,0", "1,*,0", "2,1,*", "3,1,1"]
    verdict = exactly(net, table(*lines))
    assert verdict
    assert verdict.rows == verdict.rows_right == 4
    assert verdict.margin is not None
    assert (verdict.margin.of_0, verdict.margin.of_1) == (Fraction(1, 2), Fraction(1, 2))
    filled = exactly(net, table(*(line.replace("1,*,0", "1,1,0") for line in lines)))
    assert filled.verdict == "refuted"
    assert filled.rows_right == 3
    assert filled.counterexample is not None
    assert filled.counterexample.input == {"x": 1}
    assert filled.counterexample.expected == {"y": 1, "z": 0}
    tight = exactly(net, table(*(line.replace("2,1,*", "2,1,0") for line in lines)))
    assert tight
    assert tight.margin is not None
    assert tight.margin.of_0 == Fraction(1, 2)


def test_a_counterexample_shows_free_outputs_as_none() -> None:
    """``expected`` says where any value will do."""
    net = network([[[1], [2]]], [[0, 0]])
    verdict = exactly(net, table("in x:1,out y:1,out z:1", "0,1,*", "1,*,1"))
    assert verdict.counterexample is not None
    assert verdict.counterexample.expected == {"y": 1, "z": None}
    assert verdict.counterexample.got == {"y": 0, "z": 0}


def test_an_exact_readout_takes_0_and_1_alone() -> None:
    """1/2, 2 and -1 are no bits, whatever was asked for; there is no margin."""
    net = network([[[1, 2]]], [[-1]], readout=EXACT)
    task = table("in x:2,out y:1", "0,0", "1,1", "2,0", "3,1")
    verdict = exactly(net, task)
    assert verdict.verdict == "refuted"
    assert verdict.margin is None
    assert verdict.rows_right == 2
    assert verdict.counterexample is not None
    assert verdict.counterexample.input == {"x": 0}
    assert verdict.counterexample.got == {"y": None}
    assert verdict.counterexample.output == (-1,)
    starred = exactly(net, table("in x:2,out y:1", "0,*", "1,1", "2,0", "3,*"))
    assert starred
    assert starred.rows_right == 4


def test_an_exact_readout_is_not_fooled_by_the_nearest_double() -> None:
    """1 + 2**-60 rounds to 1 in double, and is no bit."""
    net = network([[[1, 2.0**-60]]], [None], readout=EXACT, format="fp64")
    verdict = exactly(net, table("in x:2,out y:1", "0,0", "1,0", "2,1", "3,1"))
    assert verdict.verdict == "refuted"
    assert verdict.rows_right == 2
    assert verdict.counterexample is not None
    assert verdict.counterexample.output == (Fraction(1, 2**60),)


@pytest.mark.parametrize("fault", [0, (1 << 14) - 1, 1 << 14, (1 << 15) + 7])
def test_the_first_wrong_row_is_found_in_whichever_block(fault: int) -> None:
    """And later faults do not hide it."""
    net = network([[[1 << (15 - i) for i in range(16)]], [[1, -1]]][:1], [[0]])
    rows = 1 << 16
    wrong = np.zeros(rows, dtype=np.int64)
    wrong[[fault, fault + 1, rows - 1]] = 1
    task = replace(
        task_named("parity:16"), rule=lambda words: {"p": (words["x"] > 0) ^ wrong[words["x"]]}
    )
    assert block_rows(net) < rows
    enumeration = enumerate_rows(net, task)
    assert (enumeration.rows, enumeration.wrong, enumeration.first_wrong) == (rows, 3, fault)


def test_rows_are_taken_in_blocks_that_fit() -> None:
    """A wide layer gets fewer rows at once, never none."""
    assert block_rows(LECTURE) == 1 << 14
    wide = network([[[1, 1]] * 5000, [[1] * 5000]], [None, None])
    assert 1 <= block_rows(wide) < 1 << 14
    assert block_rows(wide) * 5000 <= enumeration.BLOCK_NUMBERS


def test_a_network_too_large_for_doubles_is_evaluated_exactly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every row in whole numbers; the same verdict, the same margins."""
    fast = enumerate_rows(LECTURE, HALF_ADDER)
    assert fast.exact_rows == 0
    monkeypatch.setattr(enclosure, "LARGEST_DENSE", 5)
    slow = enumerate_rows(LECTURE, HALF_ADDER)
    assert slow.exact_rows == 4
    slow.exact_rows = fast.exact_rows
    assert slow == fast
    assert prove(LECTURE).formats["fp32"].verdict == "unknown"
    assert prove(LECTURE).formats["fp32"].reason == "too large, or out of range, for doubles"


def tanh_twins(*, bias: float = 0.0, second: float = 1.0) -> Network:
    """Return tanh(x) - tanh(x), which is 0 but for no interval, and a second output."""
    return Network(
        (
            Layer(Dense(np.array([[1.0], [1.0]])), None, Activation("tanh")),
            Layer(Dense(np.array([[1.0, -1.0], [second, 0.0]])), Dense(np.array([bias, 0.0]))),
        ),
        Readout("threshold", 0.0, ">"),
        format="fp64",
    )


def test_a_tanh_row_on_the_threshold_is_undecided() -> None:
    """Intervals of any width hold 0, so the verdict is unknown and says on which row."""
    verdict = exactly(tanh_twins(), table("in x:1,out y:1,out z:1", "0,0,0", "1,0,1"))
    assert verdict.verdict == "unknown"
    assert not verdict
    assert verdict.reason == "1 row could not be decided, the first x = 1"
    assert verdict.rows_right is None
    assert verdict.margin is None
    assert verdict.counterexample is None


def test_a_tanh_row_that_is_wrong_elsewhere_is_refuted() -> None:
    """One wrong output is enough, though the other can't be decided."""
    verdict = exactly(tanh_twins(), table("in x:1,out y:1,out z:1", "0,0,0", "1,0,0"))
    assert verdict.verdict == "refuted"
    assert verdict.counterexample is not None
    assert verdict.counterexample.input == {"x": 1}
    assert verdict.counterexample.got == {"y": None, "z": 1}
    assert verdict.rows_right == 1


def test_a_tanh_row_is_decided_where_the_open_output_is_free() -> None:
    """A star where nothing can be known asks for nothing."""
    verdict = exactly(tanh_twins(), table("in x:1,out y:1,out z:1", "0,0,0", "1,*,1"))
    assert verdict
    assert verdict.rows_right == 2


def test_a_tanh_row_behind_a_negative_slope_is_undecided() -> None:
    """Leaky with slope -1/2 is 0 at 0 and above it on both sides, so 0 may not be left out."""
    twins = tanh_twins()
    layers = (
        twins.layers[0],
        Layer(Dense(np.array([[1.0, -1.0]])), None, Activation("leaky", -0.5)),
        Layer(Dense(np.array([[1.0]]))),
    )
    for bit in (0, 1):
        verdict = exactly(replace(twins, layers=layers), table("in x:1,out y:1", "0,0", f"1,{bit}"))
        assert verdict.verdict == "unknown"


def test_a_tanh_row_just_off_the_threshold_is_decided_by_intervals() -> None:
    """2**-80 is far below what doubles tell apart beside 1, and far above 100 bits."""
    for bias, bit in ((2.0**-80, 1), (-(2.0**-80), 0)):
        net = tanh_twins(bias=bias)
        lines = ("in x:1,out y:1,out z:1", f"0,{bit},0", f"1,{bit},1")
        enumeration = enumerate_rows(net, table(*lines))
        assert (enumeration.wrong, enumeration.undecided) == (0, [])
        assert enumeration.exact_rows >= 1
        assert exactly(net, table(*lines))
        refuted = exactly(net, table(lines[0], lines[1], f"1,{1 - bit},1"))
        assert refuted.verdict == "refuted"


def test_a_tanh_margin_is_a_lower_bound_marked_as_one() -> None:
    """tanh(1) = 0.76159…: never above the truth, and within 2**-40 of it."""
    verdict = exactly(tanh_twins(bias=0.25), table("in x:1,out y:1,out z:1", "0,1,0", "1,1,1"))
    assert verdict
    assert verdict.margin is not None
    assert verdict.margin.to_dict()["exact"] is False
    assert verdict.margin.of_0 == 0  # tanh(0), on the threshold
    assert verdict.margin.of_1 is not None
    assert Fraction(1, 4) - Fraction(1, 2**40) <= verdict.margin.of_1 <= Fraction(1, 4)


def test_a_tanh_margin_leaves_out_what_may_be_anything() -> None:
    """Without the tie of tanh(0) the zeros have no margin at all."""
    verdict = exactly(tanh_twins(bias=0.25), table("in x:1,out y:1,out z:1", "0,1,*", "1,*,1"))
    assert verdict
    assert verdict.margin is not None
    assert verdict.margin.of_0 is None
    assert verdict.margin.of_1 == Fraction(1, 4)


def test_a_tanh_margin_where_doubles_know_nothing() -> None:
    """Behind an overflow every output is enclosed by itself: tanh of 0, 1/2, 1 and 3/2."""
    big = 2.0**1000
    net = Network(
        (
            Layer(Dense(np.array([[1.0, 0.5]])), None, Activation("tanh")),
            *(Layer(Dense(np.array([[weight]]))) for weight in (big, big, 1 / big, 1 / big)),
        ),
        Readout("threshold", 0.625, ">"),
        format="fp64",
    )
    verdict = exactly(net, table("in x:2,out y:1", "0,0", "1,0", "2,1", "3,1"))
    assert verdict
    assert verdict.margin is not None
    tanh_half = Fraction("0.46211715726000975850231848364367")
    assert verdict.margin.of_0 is not None
    assert abs(verdict.margin.of_0 - (Fraction(5, 8) - tanh_half)) < Fraction(1, 10**30)
    assert verdict.margin.of_1 is not None
    assert abs(verdict.margin.of_1 - (TANH_1 - Fraction(5, 8))) < Fraction(1, 10**30)


def test_a_tanh_margin_is_not_that_of_the_widest_enclosure_alone() -> None:
    """y is 1 give or take 2**-15 in double, z is 2**-20 below 1 and known: the margin is z's."""
    net = Network(
        (
            Layer(Dense(np.array([[1.0], [1.0]])), None, Activation("tanh")),
            Layer(
                Dense(np.array([[2.0**30, -(2.0**30)], [0, 0]])),
                Dense(np.array([1.0, 1 - 2.0**-20])),
            ),
        ),
        format="fp64",
    )
    verdict = exactly(net, table("in x:1,out y:1,out z:1", "0,1,1", "1,1,1"))
    assert verdict.margin is not None
    assert verdict.margin.of_1 is not None
    assert 0 <= Fraction(1, 2) - Fraction(1, 2**20) - verdict.margin.of_1 < Fraction(1, 2**14)


def test_an_enclosure_that_touches_the_threshold_from_below_is_undecided() -> None:
    """-relu(t - t) is enclosed between a little below 0 and 0, and is 0, which is >= 0."""
    twins = tanh_twins()
    layers = (
        twins.layers[0],
        Layer(Dense(np.array([[1.0, -1.0]])), None, Activation("relu")),
        Layer(Dense(np.array([[-1.0]]))),
    )
    net = replace(twins, layers=layers, readout=Readout("threshold", 0.0, ">="))
    assert exactly(net, table("in x:1,out y:1", "0,1", "1,0")).verdict == "unknown"


@pytest.mark.parametrize(
    ("weights", "lines", "verdict"),
    [
        ([1.0, 0.0], ("0,0", "1,1"), "refuted"),  # tanh(1) is no bit
        ([1.0, 0.0], ("0,0", "1,*"), "proved"),  # tanh(0) is 0
        ([1.0, -1.0], ("0,0", "1,0"), "unknown"),  # 0, but for no interval
        ([2.0, 0.0], ("0,0", "1,1"), "refuted"),  # above 1
        ([-1.0, 0.0], ("0,0", "1,0"), "refuted"),  # below 0
    ],
)
def test_an_exact_readout_of_tanh(
    weights: list[float], lines: tuple[str, str], verdict: str
) -> None:
    """A bit only where the enclosure is one number, none where it leaves out 0 and 1."""
    net = replace(tanh_twins(), readout=EXACT)
    last = Layer(Dense(np.array([weights])))
    net = replace(net, layers=(net.layers[0], last))
    result = exactly(net, table("in x:1,out y:1", *lines))
    assert result.verdict == verdict
    assert result.margin is None


def test_a_tanh_counterexample_gives_the_middle_of_its_enclosure() -> None:
    """Its raw outputs are no fractions; to 50 digits they are these."""
    net = tanh_twins(bias=0.25)
    task = table("in x:1,out y:1,out z:1", "0,1,0", "1,1,0")
    example = exact_counterexample(net, task, 1)
    assert example.got == {"y": 1, "z": 1}
    assert abs(example.output[1] - TANH_1) < Fraction(1, 10**50)


def test_a_bounded_domain_is_all_that_is_spoken_of() -> None:
    """Rows above the bound are neither counted nor judged."""
    net = network([[[4, 2, 1]]], [[-4]])
    task = table("in d:3<6,out y:1", *(f"{n},{int(n > 4)}" for n in range(6)))
    verdict = exactly(net, task)
    assert verdict
    assert verdict.rows == 6
    assert len(rows_of(task)) == 6
