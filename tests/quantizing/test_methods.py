"""The methods: what they make is in the format, and its verdict is that of direct evaluation."""

from __future__ import annotations

import numpy as np
import pytest
from exact import bit_of, raw_outputs
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEW, fractions_of, networks, refused, tasks

from adderlab.building import construct, lecture_network, printed_network
from adderlab.errors import (
    FormatError,
    NetworkError,
    OptionError,
    ResourceError,
    TaskError,
)
from adderlab.formats import FORMATS
from adderlab.limits import Budget
from adderlab.nets import Activation, Readout, from_bytes, network, outputs, to_bytes
from adderlab.nets.tensors import Packed, Scaled, Sparse
from adderlab.quantizing import (
    METHODS,
    PLAIN,
    Clock,
    Scheme,
    default_scheme,
    one_bit_census,
    rounded,
    smallest,
    survival,
)
from adderlab.quantizing.rows import arrays_of, rows_of, wrong_rows
from adderlab.quantizing.snap import scalings, without_dead_units
from adderlab.tasks import task_named
from adderlab.verbs.prove import prove

HALF = task_named("half-adder")
PRINTED = printed_network().for_task(HALF)
REPAIRED = network(
    [[[1, 1], [1, 1], [1, 1]], [[1, 0, 0], [0, 1, -4]]],
    [[-1.5, -0.5, -1.5], [0, 0]],
    readout=Readout("threshold", 0.25, ">"),
    task=HALF,
)
CHANNELS = Scheme("power-of-two", "channel", symmetric=False)
NARROW = ("fp16", "bf16", "fp8-e4m3", "fp8-e5m2", "int8", "int5", "int4", "int3", "int2", "ternary",
          "binary")  # fmt: skip


def right_rows(net, task) -> int:
    """Return how many rows are right, each computed with fractions one by one."""
    right = 0
    for index in range(task.rows):
        block = task.block_of(task.input_words(np.array([index])), start=0)
        values = raw_outputs(net, block.inputs[0])
        cares = [True] * len(values) if block.cares is None else block.cares[0]
        right += all(
            bit_of(net.readout, value) == int(bit)
            for value, bit, matters in zip(values, block.expected[0], cares, strict=True)
            if matters
        )
    return right


@pytest.mark.parametrize(
    ("name", "method"),
    [(n, m) for n in NARROW for m in METHODS if m != "snap" or FORMATS[n].kind == "integer"],
)
@pytest.mark.parametrize("net", [PRINTED, REPAIRED], ids=["printed", "repaired"])
def test_the_verdict_is_that_of_direct_evaluation(net, name, method):
    form = FORMATS[name]
    rounding = rounded(net, HALF, form, method=method, limit=20_000).network
    verdict = prove(rounding, HALF)
    assert verdict.rows_right == right_rows(rounding, HALF)
    assert (verdict.exact == "proved") == (verdict.rows_right == 4)
    assert rounding.format == name
    again = from_bytes(to_bytes(rounding))
    for (_, left), (_, right) in zip(rounding.tensors(), again.tensors(), strict=True):
        assert (fractions_of(left) == fractions_of(right)).all()


@FEW
@given(st.data())
def test_rounding_to_nearest_is_judged_right_for_any_network(data):
    """Any shape, any stored tensors, any format: as many rows right as by direct evaluation."""
    task = data.draw(tasks(max_in=3))
    net = data.draw(networks(task=st.just(task), tanh=False, tame=True))
    form = FORMATS[data.draw(st.sampled_from(NARROW))]
    scheme = data.draw(st.sampled_from([PLAIN, Scheme("free"), Scheme("power-of-two", "channel")]))
    rounding = rounded(net, task, form, scheme=scheme).network
    assert prove(rounding, task).rows_right == right_rows(rounding, task)
    assert rounding.shape == net.shape


@pytest.mark.parametrize("name", ["int4", "int3", "int2"])
@pytest.mark.parametrize(
    "scheme", [PLAIN, Scheme("free"), Scheme("power-of-two", "channel", False)]
)
def test_exact_rounding_goes_up_or_down_and_no_further(name, scheme):
    rounding = rounded(PRINTED, HALF, FORMATS[name], method="exact", scheme=scheme)
    near = rounded(PRINTED, HALF, FORMATS[name], method="nearest", scheme=scheme)
    for (_, left), (_, right) in zip(
        rounding.network.tensors(), near.network.tensors(), strict=True
    ):
        left, right = (t.q if isinstance(t, Scaled) else t for t in (left, right))
        assert (np.abs(left.numbers - right.numbers) <= 1).all()
    if prove(near.network, HALF):
        assert prove(rounding.network, HALF)
        assert prove(rounding.network, HALF).margin.min >= prove(near.network, HALF).margin.min


def test_exact_rounding_saves_what_nearest_loses():
    near = rounded(PRINTED, HALF, FORMATS["int2"], method="nearest").network
    rounding = rounded(PRINTED, HALF, FORMATS["int2"], method="exact")
    assert (right_rows(near, HALF), right_rows(rounding.network, HALF)) == (1, 4)
    assert rounding.is_complete


def test_that_there_is_no_choice_is_said():
    """The lecture's network is wrong, and in INT8 no choice of up and down repairs it."""
    rounding = rounded(lecture_network(HALF), HALF, FORMATS["int8"], method="exact")
    assert (rounding.is_complete, rounding.note) == (
        True,
        "no choice of up and down is right on every row",
    )
    assert prove(rounding.network, HALF).verdict == "refuted"


def test_a_limit_is_said():
    rounding = rounded(PRINTED, HALF, FORMATS["int2"], method="exact", limit=1)
    assert (rounding.is_complete, rounding.note) == (False, "none found in 1 branches")


def test_snap_gives_small_whole_numbers_without_scales():
    rounding = rounded(PRINTED, HALF, FORMATS["int3"], method="snap")
    net = rounding.network
    assert rounding.note == "1 unit off on every row left out"
    assert net.shape == "2-2-2"
    assert all(isinstance(tensor, Packed) for _, tensor in net.tensors())
    assert prove(net, HALF).formats["int3"].verdict == "proved"


@FEW
@given(st.integers(0, 10**6), st.sampled_from(["relu", "leaky", "step", "tanh"]))
def test_every_scaling_computes_the_same_bits(seed, kind):
    draw = np.random.default_rng(seed)
    net = network(
        [draw.normal(size=(3, 2)).tolist(), draw.normal(size=(2, 3)).tolist()],
        [draw.normal(size=3).tolist(), draw.normal(size=2).tolist()],
        activation=Activation(kind, slope=0.25),
        format="fp64",
        task=HALF,
    )
    arrays, shape = arrays_of(net)
    rows = rows_of(HALF)
    wrong, far = wrong_rows(arrays, shape, rows)
    if abs(far[0]) > 1e-6:
        many = scalings(arrays, shape, FORMATS["int4"])
        assert (wrong_rows(many, shape, rows)[0] == wrong[0]).all()
        assert len(many) > 100


def test_units_that_are_off_on_every_row_are_left_out_and_change_nothing():
    small, dropped = without_dead_units(PRINTED, rows_of(HALF))
    assert (dropped, small.shape) == (1, "2-2-2")
    block = next(HALF.blocks())
    left, right = outputs(PRINTED, block.inputs), outputs(small, block.inputs)
    assert (left.rescaled(-200).integers == right.rescaled(-200).integers).all()
    all_dead = network([[[-1, -1]], [[1], [1]]], [[0], [0, 0]], task=HALF)
    assert without_dead_units(all_dead, rows_of(HALF)) == (all_dead, 0)


@pytest.mark.parametrize("name", ["int3", "int2", "ternary", "fp8-e5m2"])
def test_fine_tuning_is_never_worse_than_its_start(name):
    form = FORMATS[name]
    near = rounded(REPAIRED, HALF, form, method="nearest").network
    tuned = rounded(REPAIRED, HALF, form, method="fine-tune").network
    again = rounded(REPAIRED, HALF, form, method="fine-tune").network
    assert right_rows(tuned, HALF) >= right_rows(near, HALF)
    assert to_bytes(tuned) == to_bytes(again)


def test_a_layer_without_bias_gets_none():
    net = construct(HALF, "one-layer")
    for method in METHODS:
        rounding = rounded(net, HALF, FORMATS["int4"], method=method).network
        assert rounding.layers[1].bias is None
        assert prove(rounding, HALF)


def test_a_sparse_network_stays_sparse_where_that_is_smaller():
    task = task_named("adder:8")
    net = construct(task, "ripple")
    rounding = rounded(net, task, FORMATS["int4"]).network
    assert any(isinstance(tensor, Sparse) for _, tensor in rounding.tensors())
    assert prove(rounding, task)
    assert rounding.format == "int4"


def test_what_a_method_can_not_do_is_refused():
    step = network([[[1, 1]], [[1], [1]]], [[0], [0, 0]], activation=Activation("step"), task=HALF)
    with refused(
        OptionError,
        "method fine-tune: a step passes no gradient; take exact or nearest",
    ):
        _ = rounded(step, HALF, FORMATS["int4"], method="fine-tune")
    with refused(
        FormatError,
        "method snap: fp16 is no integer format; name one, or take another method",
    ):
        _ = rounded(PRINTED, HALF, FORMATS["fp16"], method="snap")
    with refused(OptionError, "scale: snap makes whole numbers without a scale; leave it out"):
        _ = rounded(PRINTED, HALF, FORMATS["int4"], method="snap", scheme=Scheme("free"))
    with refused(OptionError, "method: got 'best'; give one of nearest, exact, snap, fine-tune"):
        _ = rounded(PRINTED, HALF, FORMATS["int4"], method="best")
    wide = network([[[1] * 13]], [[0]], task=task_named("parity:13"))
    with refused(
        ResourceError,
        "method: parity:13 has over 4096 inputs, too many to search with; "
        "round to nearest: `method` nearest",
    ):
        _ = rounded(wide, wide.task, FORMATS["int4"], method="exact")


def test_numbers_that_a_format_holds_need_no_scale():
    assert default_scheme(construct(HALF, "one-layer"), FORMATS["int2"]) == PLAIN
    assert default_scheme(PRINTED, FORMATS["int2"]) == Scheme("free")
    assert default_scheme(PRINTED, FORMATS["fp16"]) == PLAIN


# --- the fewest bits ----------------------------------------------------------------------------


def test_the_smallest_is_the_fewest_bits_that_the_verdict_holds_in():
    seen: list[str] = []

    def judge(net):
        seen.append(net.format)
        return prove(net, HALF)

    net = construct(HALF, "one-layer")
    smallest_result = smallest(net, HALF, judge, bool)
    assert smallest_result.best is not None
    assert smallest_result.best.form.name == "int2"
    assert len(smallest_result.attempts) == len(seen)
    assert {"binary", "ternary", "int2"} == set(seen)
    below = [entry for entry in smallest_result.attempts if entry.form.bits < 2]
    assert below
    assert not any(entry.verdict for entry in below)


def test_where_nothing_holds_everything_was_tried():
    smallest_result = smallest(
        REPAIRED, HALF, lambda net: net.format, lambda verdict: False, methods=["nearest"]
    )
    assert smallest_result.best is None
    assert {entry.verdict for entry in smallest_result.attempts} == {
        name for name, form in FORMATS.items() if form.bits and form.bits <= 32
    }


# --- populations and one bit --------------------------------------------------------------------


def stacked(nets):
    tensors = [[t.exact().to_floats() for _, t in net.tensors()] for net in nets]
    return [np.stack(parts) for parts in zip(*tensors, strict=True)]


def test_survivors_are_those_that_are_proved_one_by_one():
    draw = np.random.default_rng(7)
    base = [t.exact().to_floats() for _, t in PRINTED.tensors()]
    nets = [
        network(
            [(base[0] + draw.normal(size=(3, 2)) / 9).tolist(),
             (base[2] + draw.normal(size=(2, 3)) / 9).tolist()],
            [base[1].tolist(), base[3].tolist()], format="fp64", task=HALF,
        )
        for _ in range(12)
    ]  # fmt: skip
    right = [net for net in nets if prove(net)]
    assert 3 <= len(right) < 12
    rates = survival(stacked(nets), HALF, formats=["int3", "int2"], searched=5)
    by = {(entry.format, entry.method): entry for entry in rates}
    for name in ("int3", "int2"):
        near = [
            bool(prove(rounded(n, HALF, FORMATS[name], scheme=Scheme("free")).network, HALF))
            for n in right
        ]
        assert (by[name, "nearest"].right, by[name, "nearest"].of) == (sum(near), len(right))
        few = min(5, len(right))
        exact = [
            bool(prove(rounded(n, HALF, FORMATS[name], method="exact",
                               scheme=Scheme("free")).network, HALF))
            for n in right[:few]
        ]  # fmt: skip
        assert (by[name, "exact"].right, by[name, "exact"].of) == (sum(exact), few)
        assert by[name, "fine-tune"].right >= sum(near)
        assert by[name, "snap"].of == few


def test_a_population_that_is_wrong_or_no_population_is_refused():
    wrong = stacked([lecture_network(HALF)])
    with refused(
        NetworkError,
        "arrays: none of the networks is right before it is quantized; train more of them",
    ):
        _ = survival(wrong, HALF, readout=Readout("threshold", 0.0, ">"))
    with refused(NetworkError, "arrays: 3 arrays; give fc1.weight, fc1.bias, and so on"):
        _ = survival(wrong[:3], HALF)


@pytest.mark.parametrize("readout", [0.5, "> 0.5", Readout("threshold", 0.5, ">"), None])
def test_a_population_takes_tasks_and_readouts_in_every_form(readout):
    arrays = stacked([PRINTED])
    survivals = survival(arrays, "half-adder", readout=readout, formats=["INT2"], methods=["exact"])
    assert survivals == survival(arrays, HALF, formats=["int2"], methods=["exact"])


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (
            {"task": "half-addr"},
            TaskError,
            "task: unknown task 'half-addr'; did you mean half-adder?",
        ),
        (
            {"readout": "0.5"},
            NetworkError,
            """readout: got '0.5'; give a number, "> 0", ">= 0.5" or "exact\"""",
        ),
        (
            {"formats": ["int9"]},
            FormatError,
            "format: unknown number format 'int9'; did you mean int8?",
        ),
        (
            {"methods": ["snip"]},
            OptionError,
            "methods: got 'snip'; give names of nearest, exact, snap, fine-tune",
        ),
    ],
)
def test_a_population_under_words_that_mean_nothing_is_refused(arguments, kind, message):
    with refused(kind, message):
        _ = survival(stacked([PRINTED]), **{"task": "half-adder", **arguments})


def test_in_one_bit_six_networks_of_three_units_add_and_none_of_two():
    other, three = one_bit_census(HALF, 2), one_bit_census(HALF, 3)
    assert (other.shape, other.right, other.networks) == ("2-2-2", 0, 4096)
    assert (three.shape, three.right, three.networks) == ("2-3-2", 6, 131_072)
    with refused(
        ResourceError, "hidden: 27 parameters make 2^27 networks; take at most 24 parameters"
    ):
        _ = one_bit_census(HALF, 5)


def test_the_census_of_one_bit_agrees_with_fractions():
    task = task_named("majority:2")
    census = one_bit_census(task, 1)
    right = 0
    for number in range(1 << 5):
        signs = [1 if number >> bit & 1 else -1 for bit in range(5)]
        net = network(
            [[signs[:2]], [[signs[3]]]], [[signs[2]], [signs[4]]], format="binary", task=task
        )
        right += right_rows(net, task) == 4
    assert (census.right, census.networks) == (right, 32)


@pytest.mark.parametrize("name", ["int16", "int32"])
def test_snap_to_a_wide_format_that_finds_nothing_says_so_at_once(name):
    """The levels of a wide format are never listed: there are billions."""
    zero = network([[[0.0, 0.0]] * 2, [[0.0, 0.0]] * 2], [[0.0] * 2, [0.0] * 2], task=HALF)
    rounding = rounded(zero, HALF, FORMATS[name], method="snap")
    assert not prove(rounding.network, HALF)


class Hourglass(Clock):
    """A clock whose time is up once a network held."""

    held = False

    @property
    def is_up(self):
        return Hourglass.held

    def share(self, parts, on_share):
        return Clock()


def test_the_smallest_is_the_best_rounded_to_nearest_where_the_time_is_up_then():
    """Rounding to nearest comes first, so there is something to keep before any long search."""
    Hourglass.held = False

    def holds(verdict):
        Hourglass.held |= bool(verdict)
        return bool(verdict)

    net = construct(task_named("adder:4"), "one-layer")
    result = smallest(net, net.task, lambda rounded: prove(rounded), holds, clock=Hourglass())
    assert result.is_stopped and not result.is_complete
    assert (result.best.form.bits, result.best.rounded.method) == (5, "nearest")
    assert {attempt.rounded.method for attempt in result.attempts} == {"nearest"}


@pytest.mark.parametrize("method", ["exact", "snap", "fine-tune"])
def test_without_time_a_method_gives_what_it_begins_with_and_says_so(method):
    net = printed_network().for_task(HALF)
    over = Clock(Budget(deadline=0.0))
    stopped = rounded(net, HALF, FORMATS["binary"], method=method, clock=over)
    assert not stopped.is_complete
    assert stopped.note.endswith("before the time was up")
    assert stopped.network.format == "binary"
