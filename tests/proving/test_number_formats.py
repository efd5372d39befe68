"""Format verdicts against brute force: every order and grouping of every sum of tiny networks."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from exact import bit_of, raw_outputs, weights_and_biases
from proving.reference import (
    FLOATS,
    SAMPLES,
    all_outputs,
    in_order,
    is_right,
    judge,
    rounded,
    rows_of,
)
from strategies import fractions_of

from adderlab.building.adders import one_layer_adder as built_adder
from adderlab.formats import FORMATS
from adderlab.nets import EXACT, Activation, Layer, Network, Readout, network
from adderlab.nets.tensors import Dense, Packed, Scaled, Sparse, as_stored
from adderlab.proving import FormatVerdict
from adderlab.proving.arithmetic import ORDERS, format_outputs
from adderlab.proving.number_formats import format_verdict
from adderlab.tasks import Task, task_named
from adderlab.tasks.tables import parse_table
from adderlab.verbs.prove import prove

NETWORKS = max(100, SAMPLES)
BRUTE = ("fp16", "bf16", "fp8-e4m3", "fp8-e5m2")
REASONS = (
    "the grid rule",
    "the rounding bound stays below the margin",
    "all orders of summation were looked at",
)
DTYPES = {
    "fp32": np.float32,
    "fp16": np.float16,
    "bf16": ml_dtypes.bfloat16,
    "fp8-e4m3": ml_dtypes.float8_e4m3fn,
    "fp8-e5m2": ml_dtypes.float8_e5m2,
}


def table(net: Network, wrong: dict[int, int] | None = None) -> Task:
    """Return what the network computes in exact arithmetic, with output bits flipped."""
    lines = [f"in x:{net.n_in},out y:{net.n_out}"]
    for number in range(1 << net.n_in):
        raw = raw_outputs(net, [int(c) for c in f"{number:0{net.n_in}b}"])
        bits = int("".join(str(bit_of(net.readout, value) or 0) for value in raw), 2)
        lines.append(f"{number},{bits ^ (wrong or {}).get(number, 0)}")
    return parse_table("\n".join(lines), where="test")


def in_format(net: Network, task: Task, name: str) -> FormatVerdict:
    return format_verdict(net, task, name, "refuted" if judge(net, task).wrong else "proved")


@pytest.mark.parametrize("name", DTYPES)
def test_the_rounding_of_this_file_is_that_of_the_hardware_types(name: str) -> None:
    """The independent rounding agrees with NumPy's and ml_dtypes' types, overflow included."""
    rng = np.random.default_rng(5)
    values = rng.normal(size=4000) * 2.0 ** rng.integers(-30, 20, 4000)
    top = float(FORMATS[name].largest)
    tiny = 2.0 ** FORMATS[name].smallest
    edges = [top, top * 1.03, top * 1.0625, top * 1.07, tiny, tiny / 2, tiny * 0.51, tiny * 1.5]
    values = np.array([*values, *edges, *(-edge for edge in edges)])
    with np.errstate(over="ignore"):
        if name != "fp32":  # ml_dtypes reads doubles through singles, rounding twice
            values = values.astype(np.float32).astype(np.float64)
            values = values[np.isfinite(values)]
        theirs = values.astype(np.float32).astype(DTYPES[name]).astype(np.float64)
    for value, expected in zip(values.tolist(), theirs.tolist(), strict=True):
        ours = rounded(Fraction(value), name)
        assert (np.isnan(expected) and ours is None) or ours == expected, value


def tiny_case(seed: int, name: str) -> tuple[Network, Task]:
    """Return a network of at most 3 inputs and 3 units a layer, with roundings in many sums."""
    rng = np.random.default_rng([seed, len(name), FORMATS[name].precision])
    form = FORMATS[name]
    depth = int(rng.choice([1, 2, 3], p=[0.25, 0.6, 0.15]))
    sizes = [int(rng.integers(1, 4)), *rng.integers(1, 4, depth - 1).tolist()]
    sizes.append(int(rng.integers(1, 3)))
    reach = int(rng.choice([1, 3, 7, 12]))  # at 12, fp8 and fp16 overflow and underflow

    is_whole = rng.random() < 0.25

    def numbers(*shape: int) -> np.ndarray:
        result = rng.normal(size=shape) * 2.0 ** rng.integers(-reach, reach, shape)
        if is_whole:
            result = rng.integers(-2, 3, shape).astype(float)
        limit = float(form.largest)
        return np.where(rng.random(shape) < 0.1, 0.0, np.clip(result, -limit, limit))

    def activation() -> Activation:
        kind = str(rng.choice(["relu", "leaky", "step", "identity"], p=[0.5, 0.25, 0.15, 0.1]))
        slope = float(rng.choice([0.125, 1.25, -0.5, 1.75])) if kind == "leaky" else 0.0
        return Activation(kind, slope, str(rng.choice([">", ">="])))

    layers = tuple(
        Layer(
            as_stored(numbers(b, a), form),
            as_stored(numbers(b), form) if rng.random() < 0.8 else None,
            activation() if k < depth - 1 or rng.random() < 0.15 else Activation(),
        )
        for k, (a, b) in enumerate(itertools.pairwise(sizes))
    )
    net = Network(layers, format=name)
    threshold = float(rng.choice([0.0, 0.5, -1.5]))
    if rng.random() < 0.4:  # exactly on, or next to, a value that occurs
        reached = raw_outputs(net, rng.integers(0, 2, sizes[0]).tolist())[0]
        threshold = float(form.round(np.array(float(reached))))
        threshold = threshold if np.isfinite(threshold) else 0.5
    readout = (
        EXACT
        if rng.random() < 0.1
        else Readout("threshold", threshold, str(rng.choice([">", ">="])))
    )
    net = Network(layers, readout, format=name)
    rows = 1 << sizes[0]
    wrong = {int(rng.integers(rows)): int(rng.integers(1, 1 << sizes[-1]))}
    return net, table(net, wrong if rng.random() < 0.2 else None)


@pytest.mark.parametrize("name", BRUTE)
def test_every_order_of_summation_of_tiny_networks(name: str) -> None:
    """``proved`` is right in all orders on all rows; ``refuted`` wrong in the order it names."""
    seen: Counter[str] = Counter()
    for seed in range(NETWORKS):
        net, task = tiny_case(seed, name)
        verdict = in_format(net, task, name)
        rows = rows_of(task)
        wrong_in = [
            [not is_right([bit_of(net.readout, v) for v in raw], row.expected) for raw in reached]
            for row in rows
            for reached in [list(all_outputs(net, row.bits, name))]
        ]
        seen[verdict.verdict] += 1
        if verdict.verdict == "proved":
            assert not any(map(any, wrong_in)), seed
            seen[verdict.reason] += 1
            assert verdict.reason in REASONS, seed
            if verdict.reason == "the grid rule":  # then no order differs from exact arithmetic
                for row in rows:
                    exact = tuple(raw_outputs(net, row.bits))
                    assert set(all_outputs(net, row.bits, name)) == {exact}, seed
        elif verdict.verdict == "refuted":
            at = verdict.counterexample
            assert at is not None, seed
            assert at.semantics == name, seed
            number, row = next((n, r) for n, r in enumerate(rows) if r.inputs == at.input)
            values = in_order(net, row.bits, name, at.order, task)
            assert [str(v) for v in at.output] == [
                str(math.nan if v is None else v) for v in values
            ], seed
            seen["an order of its own"] += " as " in at.order
            assert not is_right([bit_of(net.readout, v) for v in values], row.expected), seed
            exactly = [bit_of(net.readout, v) for v in raw_outputs(net, row.bits)]
            assert at.replays == {"exact": not is_right(exactly, row.expected), name: True}, seed
            if verdict.reason == "in every order":
                assert all(wrong_in[number]), seed
                seen["in every order"] += 1
            else:
                assert verdict.reason == f"in the order: {at.order}", seed
                seen["in one order"] += 1
        else:  # right in every order and grouping: only fusing or wider sums could be wrong
            assert not any(map(any, wrong_in)), seed
            seen["overflow"] += "overflow" in verdict.reason
    print(name, dict(seen))
    for kind in (*REASONS, "in every order", "in one order"):
        assert seen[kind] >= 2, kind
    assert seen["unknown"] <= NETWORKS // 10


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("order", ORDERS)
def test_a_named_order_is_run_as_it_is_named(name: str, order: str) -> None:
    """Rounded after every product and every sum, infinities and NaN included."""
    for seed in range(20):
        net, _ = tiny_case(seed, name)
        inputs = np.array(list(itertools.product((0, 1), repeat=net.n_in)), dtype=np.uint8)
        got = format_outputs(net, inputs, FORMATS[name], order)
        for bits, values in zip(inputs.tolist(), got.tolist(), strict=True):
            expected = in_order(net, bits, name, order)
            assert len(values) == len(expected)
            for value, reference in zip(values, expected, strict=True):
                assert (reference is None and np.isnan(value)) or value == reference, (seed, bits)


def sums_network(weights: list, bias: float | None, readout: Readout, name: str) -> Network:
    return network([[weights]], [None if bias is None else [bias]], readout=readout, format=name)


AT = Readout("threshold", 0.0, ">")

BRANCHES = {
    # 2**11 units of 1 in fp16: the last number of the grid rule, then one more
    "grid, full": ([1024, 1024], 0, "fp16", AT, "proved", "the grid rule"),
    "grid, one over": (
        [1025, 1024], 0, "fp16", AT, "proved", "the rounding bound stays below the margin"
    ),
    "grid, negative full": ([-1024, -1024], 1, "fp16", AT, "proved", "the grid rule"),
    "grid, negative over": (
        [-1025, -1024], 1, "fp16", AT, "proved", "the rounding bound stays below the margin"
    ),
    # units down to the smallest subnormal
    "grid of subnormals": ([2.0**-24, 3 * 2.0**-24], None, "fp16", AT, "proved", "the grid rule"),
    # 448 is the last finite value of e4m3 though 512 is still 2**4 units of 32
    "grid up to the largest": ([224, 224], None, "fp8-e4m3", AT, "proved", "the grid rule"),
    # 1 is lost beside 2**11, so the order decides whether 2050 is reached
    "order": (
        [2048, 1, 1], None, "fp16", Readout("threshold", 2050.0, ">="), "refuted",
        "in the order: products left to right, then the bias",
    ),
    "another order": (
        [1, 1, 2048], None, "fp16", Readout("threshold", 2050.0, ">="), "refuted",
        "in the order: products right to left, then the bias",
    ),
    "the bias first": (
        [1, 1], 2048, "fp16", Readout("threshold", 2050.0, ">="), "refuted",
        "in the order: the bias, then products left to right",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BRANCHES)
def test_the_branch_taken_and_its_verdict(case: str) -> None:
    """The grid rule to its last unit, then the rounding bound, then an order that is wrong."""
    weights, bias, name, readout, verdict, reason = BRANCHES[case]
    net = sums_network(weights, bias, readout, name)
    result = in_format(net, table(net), name)
    assert (result.verdict, result.reason) == (verdict, reason)


def test_fp64_is_not_exact_arithmetic() -> None:
    """1 is lost beside 2**53: proved exactly, refuted in fp64 in a named order."""
    net = sums_network([2.0**53, 1, -(2.0**53)], None, Readout("threshold", 0.5, ">"), "fp64")
    verdict = prove(net, table(net))
    assert (verdict.exact, verdict.verdict, verdict.semantics) == ("proved", "refuted", "fp64")
    assert verdict.formats["fp64"].verdict == "refuted"
    example = verdict.formats["fp64"].counterexample
    assert example is not None
    assert example.input == {"x": 7}
    assert example.output == (0,)
    assert example.order == "products left to right, then the bias"
    assert example.replays == {"exact": False, "fp64": True}


def test_an_order_that_is_made_to_lose_finds_what_plain_ones_miss() -> None:
    """Only (2048 + 1) - 2048 is wrong: no order of the columns, but that of the signs."""
    net = sums_network([2048, -2048, 1], None, Readout("threshold", 0.5, ">"), "fp16")
    plain = [order for order in ORDERS if not order.startswith("terms")]
    assert all(in_order(net, [1, 1, 1], "fp16", order) == [1] for order in plain)
    verdict = in_format(net, table(net), "fp16")
    assert (verdict.verdict, verdict.reason) == (
        "refuted", "in the order: terms of positive weight first"
    )  # fmt: skip


def test_an_order_of_its_own_is_found_where_no_plain_one_is_wrong() -> None:
    """Only an order that mixes signs in its own way is wrong."""
    net = sums_network([2048, 2047, -2047, -2048], None, Readout("threshold", 0.5, ">"), "fp16")
    assert not any(in_order(net, [1] * 4, "fp16", order)[0] > 0.5 for order in ORDERS)
    task = table(net)
    verdict = in_format(net, task, "fp16")
    assert verdict.verdict == "refuted"
    example = verdict.counterexample
    assert example is not None
    assert example.order.startswith("y as ")
    assert in_order(net, [1] * 4, "fp16", example.order, task) == list(example.output)
    assert example.output[0] > 0.5


def test_right_in_every_order_but_not_with_wider_sums_is_unknown() -> None:
    """2048 + 1 is 2048 in fp16 and 2049 in fp32: every fp16 order is right, an accumulator not."""
    net = sums_network([2048], 1, Readout("threshold", 2048.0, ">"), "fp16")
    verdict = in_format(net, parse_table("in x:1,out y:1\n0,0\n1,0", where="test"), "fp16")
    assert (verdict.verdict, verdict.reason) == (
        "unknown",
        (
            "undecided on 1 of 2 rows: right in all orders tried, but perhaps not where products "
            "are fused or partial sums are kept in a wider format"
        ),
    )


def test_a_row_that_overflows_is_refuted_where_its_bit_is_wrong() -> None:
    """10000 + 60000 is infinite in fp16."""
    net = sums_network([60000], 10000, Readout("threshold", 20000.0, ">"), "fp16")
    verdict = in_format(net, table(net, {1: 1}), "fp16")
    assert verdict.verdict == "refuted"
    assert verdict.counterexample is not None
    assert verdict.counterexample.output == (math.inf,)
    assert verdict.counterexample.to_dict()["output"] == [None]
    assert verdict.counterexample.to_dict()["output_exact"] == ["inf"]


def test_an_overflow_that_reads_as_the_right_bit_is_unknown() -> None:
    net = sums_network([60000], 10000, Readout("threshold", 20000.0, ">"), "fp16")
    verdict = in_format(net, table(net), "fp16")
    assert (verdict.verdict, verdict.reason) == (
        "unknown",
        "undecided on 1 of 2 rows: some order may overflow",
    )


def test_a_wrong_bit_beside_an_overflow_is_a_counterexample() -> None:
    """The first output is wrong in every order on rows 1 and 2; on row 1 the second overflows."""
    net = network([[[1, 1], [0, 60000]]], [[0, 10000]], readout=AT, format="fp16")
    verdict = in_format(net, table(net, {1: 2, 2: 2}), "fp16")
    assert (verdict.verdict, verdict.reason) == ("refuted", "in every order")
    assert verdict.counterexample is not None
    assert verdict.counterexample.input == {"x": 1}
    assert verdict.counterexample.output == (1, math.inf)


def test_an_overflow_in_an_output_that_is_free_is_nothing() -> None:
    net = network([[[1, 1], [0, 60000]]], [[0, 10000]], readout=AT, format="fp16")
    lines = "in x:2,out y:1,out z:1\n0,0,1\n1,1,*\n2,1,1\n3,1,*"
    assert in_format(net, parse_table(lines, where="test"), "fp16").verdict == "proved"


def test_an_open_row_beyond_the_first_block_keeps_its_number() -> None:
    """Row 2**14 + 1 is the first on which 1 is lost beside 2048."""
    net = sums_network([2048, *[0] * 13, 1], None, Readout("threshold", 2048.0, ">"), "fp16")
    task = replace(
        task_named("parity:15"), rule=lambda words: {"p": (words["x"] >> 14) & words["x"] & 1}
    )
    verdict = format_verdict(net, task, "fp16", "proved")
    assert verdict.verdict == "refuted"
    assert verdict.counterexample is not None
    assert verdict.counterexample.input == {"x": (1 << 14) + 1}


def test_a_steep_leaky_unit_overflows_in_the_format() -> None:
    """-100 times 1000 is infinite in fp16, and stays so in the next layer."""
    layers = (
        Layer(Dense(np.array([[-100]], dtype=np.float16)), None, Activation("leaky", 1000.0)),
        Layer(
            Dense(np.array([[2.0**-7]], dtype=np.float16)),
            Dense(np.array([2000.0], dtype=np.float16)),
        ),
    )
    net = Network(layers, AT, format="fp16")
    task = table(net)
    assert raw_outputs(net, [1]) == [Fraction(2000) - Fraction(100_000, 128)]
    assert in_order(net, [1], "fp16", next(iter(ORDERS))) == [-np.inf]
    verdict = in_format(net, task, "fp16")
    assert verdict.verdict == "refuted"
    assert verdict.counterexample is not None
    assert verdict.counterexample.output == (-math.inf,)


REFUSED = {
    "weight": (
        network([[[1, 0.1]]], [[0]], format="fp64"),
        "fp32",
        "not representable: fc1.weight holds 0.1, which fp32 does not",
    ),
    "bias": (
        network([[[1, 1]]], [[-2]], format="fp32"),
        "ternary",
        "not representable: fc1.bias holds -2, which ternary does not",
    ),
    "a whole weight": (
        network([[[4, 1]]], [[0]], format="fp32"),
        "int3",
        "not representable: fc1.weight holds 4, which int3 does not",
    ),
    "a wide weight": (
        network([[[1 << 70, 1]]], [[0]], format="wide"),
        "int32",
        "not representable: fc1.weight holds 1.1805916207174113e+21, which int32 does not",
    ),
    "a threshold beyond the format": (
        network([[[1, 1]]], [[0]], readout=Readout("threshold", 1e6, ">")),
        "fp16",
        "not representable: the threshold 1e+06 is beyond fp16",
    ),
    "a slope beyond the format": (
        network([[[1, 1]], [[1]]], [[0], [0]], activation=Activation("leaky", 1e6)),
        "fp16",
        "not representable: the slope 1e+06 is beyond fp16",
    ),
    "tanh in wide": (
        network([[[1, 1]], [[1]]], [[0], [0]], activation=Activation("tanh")),
        "wide",
        "wide does not define tanh",
    ),
    "scales in wide": (
        Network(
            (Layer(Scaled(Packed(np.array([[1, 2]]), 4), Dense(np.array(1.0)))),), format="fp64"
        ),
        "wide",
        "fc1.weight has scales, which wide does not define",
    ),
    "zeros that are not stored": (
        Network(
            (
                Layer(
                    Sparse(
                        (1, 2),
                        np.array([0, 1], dtype=np.uint8),
                        np.array([1], dtype=np.uint8),
                        Packed(np.array([-1]), 1),
                    )
                ),
            ),
            format="binary",
        ),
        "binary",
        "not representable: fc1.weight holds 0, which binary does not",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_format_does_not_hold_is_unknown(case: str) -> None:
    """A verdict speaks of the stored values, so each of them must be the format's own."""
    net, name, reason = REFUSED[case]
    task = parse_table("in x:2,out y:1\n0,0\n1,0\n2,0\n3,0", where="test")
    verdict = format_verdict(net, task, name, "proved")
    assert (verdict.verdict, verdict.reason) == ("unknown", reason)


def test_integer_sums_are_exact_up_to_int32_and_unknown_beyond() -> None:
    """Bias and all weights of a unit together; one more, and no order is spoken of."""
    whole = (1 << 31) - 1
    for weights, bias, verdict in (
        ([whole - 8, -5], 3, "proved"),
        ([whole - 8, -5], 4, "unknown"),
        ([whole - 8, 5], 4, "unknown"),
    ):
        net = sums_network(weights, bias, AT, "int32")
        result = in_format(net, table(net), "int32")
        assert result.verdict == verdict, (weights, bias)
        expected = "all sums are exact in int32" if verdict == "proved" else "a sum may leave int32"
        assert result.reason == expected


def test_integer_hidden_layers_carry_their_size() -> None:
    """A step makes small numbers again, a relu does not."""
    for kind, verdict in (("relu", "unknown"), ("step", "proved")):
        net = network(
            [[[1 << 20, 1 << 20]], [[1 << 20]]],
            [[0], [-1]],
            activation=Activation(kind),
            readout=AT,
            format="int32",
        )
        assert in_format(net, table(net), "int32").verdict == verdict


def test_a_whole_slope_makes_whole_numbers() -> None:
    """Leaky by -3 triples the bound of the sums; with a slope of 1/8 activations are fp32."""
    for weight, slope, verdict in (
        (1 << 29, -3.0, "proved"),
        (1 << 30, -3.0, "unknown"),
        (1 << 30, 1.0, "proved"),
        (1, 0.125, "proved"),
    ):
        layer = Layer(Packed(np.array([[-weight]]), 32), None, Activation("leaky", slope))
        net = Network((layer,), AT, format="int32")
        assert in_format(net, table(net), "int32").verdict == verdict, (weight, slope)


def test_integer_and_wide_verdicts_carry_the_exact_counterexample() -> None:
    """A format that computes exactly is refuted by the row that exact arithmetic is."""
    for name in ("int4", "wide"):
        net = sums_network([3, -2], -1, AT, name)
        verdict = prove(net, table(net, {2: 1}), formats=[name])
        assert verdict.verdict == "refuted"
        assert verdict.semantics == name
        assert verdict.rows_right == 3
        assert verdict.counterexample is not None
        assert verdict.counterexample.input == {"x": 2}
        assert verdict.counterexample.output == (2,)
        assert verdict.counterexample.semantics == name
        assert verdict.counterexample.replays == {"exact": True, name: True}


def one_layer_adder(width: int, name: str, units: np.ndarray | None = None) -> Network:
    """Return the adder of 3N - 1 relus: a carry leaves bit k where the low bits reach 2^(k+1)."""
    n_in = 2 * width
    weights: list[list[int]] = []
    biases: list[int] = []
    lines: list[dict[int, int]] = []  # by unit, its weight in the carry out of each bit
    own: list[int] = []
    for k in range(width):
        low = [1 << (width - 1 - j) if width - 1 - j <= k else 0 for j in range(width)]
        own.append(len(weights))
        weights.append([int(j == width - 1 - k) for j in range(width)] * 2)
        biases.append(0)
        carry = {}
        for sign, bias in ((1, 1 - (2 << k)), (-1, -(2 << k))):
            if k == 0 and sign < 0:
                continue  # never on
            carry[len(weights)] = sign
            weights.append(low * 2)
            biases.append(bias)
        lines.append(carry)
    outputs = np.zeros((width + 1, len(weights)), dtype=int)
    for k in range(width):
        outputs[width - k, own[k]] += 1
        for unit, sign in lines[k].items():
            outputs[width - k, unit] -= 2 * sign
            outputs[width - k - 1, unit] += sign
    assert len(weights) == 3 * width - 1
    assert len(weights[0]) == n_in
    order = range(len(weights)) if units is None else units
    return network(
        [[weights[unit] for unit in order], outputs[:, order].tolist()],
        [[biases[unit] for unit in order], None],
        task=task_named(f"adder:{width}"),
        format=name,
    )


@pytest.mark.parametrize(("width", "name"), [(2, "fp8-e4m3"), (6, "bf16")])
def test_the_one_layer_adder_is_proved_by_the_grid_rule_to_its_width(width: int, name: str) -> None:
    """And no longer at the next width."""
    verdict = prove(one_layer_adder(width, name))
    assert verdict.verdict == "proved"
    assert verdict.formats[name].verdict == "proved"
    assert verdict.formats[name].reason == "the grid rule"
    wider = prove(one_layer_adder(width + 1, name))
    assert wider.exact == "proved"
    assert wider.formats[name].verdict != "proved"


@pytest.mark.parametrize(
    ("name", "width"), [("fp8-e4m3", 2), ("bf16", 6), ("fp16", 9), ("fp32", 22), ("fp64", 51)]
)
def test_the_cliff_of_the_one_layer_adder_is_sharp(name: str, width: int) -> None:
    """Proved by the grid rule to a width, refuted at the very next one."""
    last, next_one = (
        prove(built_adder(task_named(f"adder:{w}"), name), engine="diagram")
        for w in (width, width + 1)
    )
    assert last
    assert (next_one.exact, next_one.verdict) == ("proved", "refuted")
    assert last.formats[name].reason == "the grid rule"
    result = next_one.formats[name]
    assert (result.verdict, result.reason) == (
        "refuted", "in the order: terms of positive weight first"
    )  # fmt: skip
    assert result.counterexample is not None
    assert result.counterexample.replays == {"exact": False, name: True}


def test_layers_are_read_as_they_are_stored() -> None:
    """The reference reads scaled and sparse tensors by itself."""
    scaled = Scaled(
        Packed(np.array([[3, -4], [5, 7]]), 4),
        Dense(np.array([0.5, 2.0])),
        Dense(np.array([1, -2], dtype=np.int8)),
    )
    assert fractions_of(scaled).tolist() == [[1, Fraction(-5, 2)], [14, 18]]
    sparse = Sparse(
        (2, 3),
        np.array([0, 2, 2], dtype=np.uint8),
        np.array([0, 2], dtype=np.uint8),
        Dense(np.array([1.5, -7.0])),
    )
    weight, bias = weights_and_biases(Layer(sparse))
    assert weight == [[Fraction(3, 2), 0, -7], [0, 0, 0]]
    assert bias == [0, 0]
