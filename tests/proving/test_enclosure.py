"""The fast arithmetic's bounds hold: for exact arithmetic, and for every order in a format."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from exact import bit_of, raw_outputs
from proving.reference import SAMPLES, Number, all_outputs, judge

from adderlab.formats import FORMATS, FP64
from adderlab.nets import EXACT, Activation, Layer, Network, Readout, network
from adderlab.nets.activations import TANH_ERROR, tanh
from adderlab.nets.enclosure import Enclosure, Machine
from adderlab.nets.tensors import Dense, Scaled, Wide, as_stored
from adderlab.proving.enumeration import enumerate_rows
from adderlab.tasks.tables import parse_table
from adderlab.verbs.prove import prove

AT = Readout("threshold", 0.0, ">")


def all_rows(net: Network) -> np.ndarray:
    return np.array(list(itertools.product((0, 1), repeat=net.n_in)), dtype=np.uint8)


def fp64_layers(*parts: tuple[list, list | None, Activation]) -> Network:
    return Network(
        tuple(
            Layer(
                Dense(np.array(weight, dtype=np.float64)),
                None if bias is None else Dense(np.array(bias, dtype=np.float64)),
                activation,
            )
            for weight, bias, activation in parts
        ),
        AT,
        format="fp64",
    )


IDENTITY, RELU = Activation(), Activation("relu")


def lies_within(value: Number | None, middle: float, error: float) -> bool:
    """Return whether an enclosure holds a value; one that is no number only if it holds all."""
    if error == np.inf:
        return True
    if value is None or isinstance(value, float):
        return False
    return abs(value - Fraction(middle)) <= Fraction(error)


def wild_network(seed: int, name: str) -> Network:
    """Return a tiny network whose numbers reach to both ends of a format, and beyond in sums."""
    rng = np.random.default_rng([seed, FORMATS[name].precision])
    form = FORMATS[name]
    top = int(np.log2(float(form.largest)))
    sizes = [int(rng.integers(1, 4)), *rng.integers(1, 4, int(rng.integers(0, 3))).tolist(), 2]
    ends = (form.smallest, top) if rng.random() < 0.5 else (-3, 4)

    def numbers(*shape: int) -> np.ndarray:
        result = rng.uniform(-1, 1, shape) * 2.0 ** rng.integers(*ends, shape)
        return np.where(rng.random(shape) < 0.2, 0.0, result)

    def activation() -> Activation:
        kind = str(rng.choice(["relu", "leaky", "step", "identity"]))
        slope = float(rng.choice([2.0**-40, 0.125, 1.75, -0.875, 2.0**20]))
        slope = slope if form.holds(Fraction(slope)) else 1.75
        return Activation(kind, slope if kind == "leaky" else 0.0, str(rng.choice([">", ">="])))

    return Network(
        tuple(
            Layer(
                as_stored(numbers(b, a), form),
                as_stored(numbers(b), form) if rng.random() < 0.8 else None,
                activation(),
            )
            for a, b in itertools.pairwise(sizes)
        ),
        AT,
        format=name,
    )


@pytest.mark.parametrize("name", ["fp64", "fp32", "fp16", "bf16", "fp8-e4m3", "fp8-e5m2"])
def test_an_enclosure_holds_exact_arithmetic_and_every_order(name: str) -> None:
    """Subnormals, overflow, steep slopes and all; and where the bound is 0, all are one."""
    seen: Counter[str] = Counter()
    for seed in range(max(60, SAMPLES)):
        net = wild_network(seed, name)
        assert Machine.can_run(net)
        inputs = all_rows(net)
        enclosure = Machine(net, FORMATS[name]).enclose(inputs)
        assert np.isfinite(enclosure.values).all(), seed
        assert (enclosure.errors >= 0).all(), seed
        for row, bits in enumerate(inputs.tolist()):
            exact = raw_outputs(net, bits)
            reached = list(all_outputs(net, bits, name))
            for column, (value, error) in enumerate(
                zip(enclosure.values[row], enclosure.errors[row], strict=True)
            ):
                kind = "exact" if error == 0 else "bounded" if error < np.inf else "nothing"
                seen[kind] += 1
                assert lies_within(exact[column], value, error), (seed, bits)
                for raw in reached:
                    assert lies_within(raw[column], value, error), (seed, bits)
    assert min(seen["exact"], seen["bounded"], seen["nothing"]) >= 10, seen


def test_decided_bits_are_the_bits_of_exact_arithmetic_and_of_every_order() -> None:
    """Under both conventions and both readouts, with thresholds on values that occur."""
    seen: Counter[str] = Counter()
    for seed in range(60):
        net = wild_network(seed, "fp16")
        inputs = all_rows(net)
        enclosure = Machine(net, FORMATS["fp16"]).enclose(inputs)
        value = enclosure.values[seed % len(inputs), seed % 2]
        threshold = float(value)
        for readout in (
            EXACT,
            Readout("threshold", threshold, ">"),
            Readout("threshold", threshold, ">="),
        ):
            bits, decided = enclosure.bits(readout)
            for row, row_bits in enumerate(inputs.tolist()):
                for raw in (raw_outputs(net, row_bits), *all_outputs(net, row_bits, "fp16")):
                    for column, value in enumerate(raw):
                        if decided[row, column]:
                            assert bit_of(readout, value) == bits[row, column], (seed, row_bits)
                            seen["decided"] += 1
                        else:
                            seen["open"] += 1
    assert min(seen["decided"], seen["open"]) >= 100, seen


def one_sum(weights: list[float], bias: float | None, name: str) -> Network:
    return network([[weights]], [None if bias is None else [bias]], readout=AT, format=name)


def test_a_bit_is_decided_where_the_whole_enclosure_lies_on_one_side() -> None:
    """An error that reaches the threshold leaves it open, unless there is none at all."""
    result = Enclosure(
        np.array([[1.0, 1.0, 1.0, 0.5, 0.0]]), np.array([[0.4, 0.5, 0.6, 0.0, 0.5]]), rounds=True
    )
    bits, decided = result.bits(Readout("threshold", 0.5, ">"))
    assert decided.tolist() == [[True, False, False, True, False]]
    assert bits[decided].tolist() == [1, 0]
    bits, decided = result.bits(Readout("threshold", 0.5, ">="))
    assert bits[decided].tolist() == [1, 1]


def bounds_at(net: Network, layer: int, row: list[int], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the enclosure of a layer's sums on one row: values and errors."""
    last = replace(net.layers[layer], activation=Activation())
    cut = replace(net, layers=(*net.layers[:layer], last))
    enclosure = Machine(cut, FORMATS[name]).enclose(np.array([row], dtype=np.uint8))
    return enclosure.values[0], enclosure.errors[0]


def test_the_bound_is_that_of_the_module_docstring() -> None:
    """Errors that came in, and one rounding a product and a sum of all that may be there."""
    net = network(
        [[[5, 4, -5], [5, 5, -5]], [[0.75, 1.25]]], [[-4, -5], [0.5]], readout=AT, format="fp8-e5m2"
    )
    u = 2.0 ** -FORMATS["fp8-e5m2"].precision
    values, errors = bounds_at(net, 0, [1, 1, 1], "fp8-e5m2")
    assert values.tolist() == [0, 0]
    assert (errors >= ((1 + u) ** 4 - 1) * np.array([18, 20])).all()
    _, final = bounds_at(net, 1, [1, 1, 1], "fp8-e5m2")
    carried = errors @ [0.75, 1.25]
    assert final[0] >= carried + ((1 + u) ** 3 - 1) * (carried + 0.5)


@pytest.mark.parametrize("slope", [0.125, 1.75, -1.75])
def test_the_bound_of_a_leaky_unit_covers_its_rounded_product(slope: float) -> None:
    """Of every sum that the unit may have: the error is scaled, and so is its rounding."""
    net = network(
        [[[5, 4, -5]], [[1]]], [[-5], None], activation=Activation("leaky", slope), readout=AT,
        format="fp8-e5m2",
    )  # fmt: skip
    u = 2.0 ** -FORMATS["fp8-e5m2"].precision
    values, errors = bounds_at(net, 0, [1, 1, 1], "fp8-e5m2")
    assert values.tolist() == [-1]
    leaky = replace(net, layers=net.layers[:1])
    enclosure = Machine(leaky, FORMATS["fp8-e5m2"]).enclose(np.array([[1, 1, 1]], dtype=np.uint8))
    assert enclosure.values.tolist() == [[-slope]]
    least = abs(slope) * errors[0] + u * abs(slope) * (1 + errors[0])
    assert enclosure.errors[0, 0] >= max(least, errors[0])


def test_the_bound_of_tanh_covers_its_own_error_and_that_of_its_sum() -> None:
    """An exact sum of 1 leaves the formula's error, a cancelled one its own on top."""
    for weights, least in (([1.0, 0, 0], 0.0), ([2.0**40 + 0.5, -(2.0**40), 2.0**-30], 2.0**-10)):
        net = fp64_layers(([weights], None, Activation("tanh")))
        _, errors = bounds_at(net, 0, [1, 1, 1], "fp64")
        enclosure = Machine(net, FP64).enclose(np.array([[1, 1, 1]], dtype=np.uint8))
        assert errors[0] >= least
        assert enclosure.errors[0, 0] >= errors[0] + TANH_ERROR


LAST_OF_THE_GRID = {
    # the format, terms that fill its grid to the last unit, and terms of one unit more
    "fp32": ([2.0**23, 2.0**23], [2.0**23, 2.0**23 + 1]),
    "fp32, negative": ([-(2.0**23), -(2.0**23)], [-(2.0**23), -(2.0**23) - 1]),
    "fp32, both signs": ([2.0**24, -(2.0**24)], [2.0**24 - 1, 2.0, -(2.0**24)]),
    "fp32, subnormal": ([2.0**-149, 2.0**-126], [2.0**-149, 2.0**-125]),
    "fp16": ([1024, 1024], [1025, 1024]),
    "fp16, largest": ([32768, 32736], [32768, 32768]),
    "bf16": ([128, 128], [129, 128]),
    "fp8-e4m3": ([8, 8], [9, 8]),
    "fp8-e4m3, largest": ([256, 192], [256, 224]),
    "fp8-e5m2": ([4, 4], [5, 4]),
}


@pytest.mark.parametrize("case", LAST_OF_THE_GRID)
def test_the_grid_rule_holds_to_its_last_unit_and_no_further(case: str) -> None:
    """2**p units, none below the smallest subnormal, none above the largest value."""
    full, over = LAST_OF_THE_GRID[case]
    name = case.split(",")[0]
    for weights, is_exact in ((full, True), (over, False)):
        net = one_sum(weights, None, name)
        machine = Machine(net, FORMATS[name])
        assert machine.never_rounds == is_exact, weights
        enclosure = machine.enclose(all_rows(net)[-1:])
        assert (enclosure.errors == 0).all() == is_exact, weights
        assert enclosure.rounds != is_exact, weights


def test_the_grid_rule_holds_row_by_row_where_it_does_not_hold_for_all() -> None:
    """1025 + 1024 is past fp16's grid, and so is -1025 - 1024 + 1; each alone is on it."""
    for sign in (1, -1):
        net = network(
            [[[sign * 1025, sign * 1024], [sign, 0]]], [[0, 1]], readout=AT, format="fp16"
        )
        machine = Machine(net, FORMATS["fp16"])
        assert not machine.never_rounds
        enclosure = machine.enclose(all_rows(net))
        assert (enclosure.errors == 0).tolist() == [[True, True]] * 3 + [[False, True]]
        assert enclosure.rounds


def test_negative_values_times_negative_weights_count_as_positive_terms() -> None:
    """-1023 times -3 is past fp16's 2048 units, though no weight is positive."""
    for weight, never in ((-2, True), (-3, False)):
        net = network(
            [[[-1023]], [[weight]]], [None, None], activation=IDENTITY, readout=AT, format="fp16"
        )
        assert Machine(net, FORMATS["fp16"]).never_rounds == never


def test_a_network_that_never_rounds_is_run_without_bounds_and_gives_the_same() -> None:
    """The rule for all rows at once agrees with the rule row by row, steps and signs included."""
    seen = 0
    for seed in range(200):
        net = wild_network(seed, "fp16")
        machine = Machine(net, FORMATS["fp16"])
        if not machine.never_rounds:
            continue
        seen += 1
        fast = machine.enclose(all_rows(net))
        machine.never_rounds = False
        slow = machine.enclose(all_rows(net))
        assert np.array_equal(fast.values, slow.values), seed
        assert not slow.errors.any(), seed
        assert not slow.rounds, seed
    assert seen >= 5


def test_units_below_the_smallest_subnormal_are_off_the_grid() -> None:
    """A product of 2**-16 and 2**-16 is below fp16's 2**-24, though a double holds it."""
    tiny = 2.0**-16
    net = network([[[tiny]], [[tiny]]], [None, None], readout=AT, format="fp16")
    enclosure = Machine(net, FORMATS["fp16"]).enclose(np.array([[1]], dtype=np.uint8))
    assert enclosure.values.tolist() == [[2.0**-32]]
    assert enclosure.errors[0, 0] >= 2.0**-32
    assert Machine(net, FP64).enclose(np.array([[1]], dtype=np.uint8)).errors.tolist() == [[0]]


def test_the_53_bit_edge() -> None:
    """Sums of 2**53 and beyond lose units in double, so room is left, and nothing is missed."""
    for units, is_exact in ((2**52, True), (2**53 - 2**29, True), (2**53, False)):
        net = one_sum([float(units), 1.0], None, "fp64")
        enclosure = Machine(net, FP64).enclose(all_rows(net)[-1:])
        assert (enclosure.errors == 0).all() == is_exact, units
    # 2**53 + 1 - 2**53 - 1 + 1: a double gives 0 or 2 in some order, exact arithmetic 1
    weights = [2.0**53, 1.0, -(2.0**53), -1.0, 1.0]
    net = replace(one_sum(weights, None, "fp64"), readout=Readout("threshold", 0.5, ">"))
    for column in itertools.permutations(range(5), 3):
        order = [*column, *(set(range(5)) - set(column))]
        shuffled = replace(net, layers=(Layer(Dense(np.array([weights])[:, order])),))
        enclosure = Machine(shuffled, FP64).enclose(all_rows(shuffled)[-1:])
        assert lies_within(
            Fraction(1), float(enclosure.values[0, 0]), float(enclosure.errors[0, 0])
        )
        assert enclosure.errors[0, 0] > 0


def test_long_sums_of_subnormals_in_a_short_format() -> None:
    """Each rounding at the bottom grows with the additions after it: (1 + 1/8)**40 in e5m2."""
    form = FORMATS["fp8-e5m2"]
    # 3 * 2**-16 * 0.5 = 1.5 units, rounded to 2: a third more than the exact product
    width = 40
    net = network(
        [[[3 * 2.0**-16]] * width, [[0.5] * width]],
        [None, None],
        readout=AT,
        format="fp8-e5m2",
    )
    enclosure = Machine(net, form).enclose(np.array([[1]], dtype=np.uint8))
    u, terms = 2.0**-form.precision, width + 2
    growth = (1 + u) ** terms - 1
    total = width * 1.5 * 2.0**form.smallest
    assert enclosure.errors[0, 0] >= growth * total + terms * 2.0**form.smallest * (1 + growth) / 2


EXTREME = {
    # 2**2000 overflows a double; 2**1000 of it comes back: the sum is below 0, not above
    "an overflow that is scaled back": fp64_layers(
        ([[2.0**1000]], None, IDENTITY),
        ([[-(2.0**1000)]], None, IDENTITY),
        ([[2.0**-1000]], [2.0**900], IDENTITY),
    ),
    # the error of the leaky product, times 2**-60, underflows to 0
    "an error that underflows": fp64_layers(
        ([[-1 - 2.0**-52]], None, Activation("leaky", (1 + 2.0**-52) * 2.0**-1000)),
        ([[2.0**-60]], [2.0**-1060 + 2.0**-1074], IDENTITY),
    ),
    "a slope that overflows": fp64_layers(
        ([[-(2.0**100)]], None, Activation("leaky", 2.0**1000)),
        ([[2.0**-1000]], [2.0**99], IDENTITY),
    ),
    "both infinities": fp64_layers(
        ([[2.0**1000], [2.0**1000]], None, RELU),
        ([[2.0**1000, -(2.0**1000)], [2.0**1000, 0]], None, IDENTITY),
        ([[1, 1], [2.0**-1000, -1]], [0.25, 3], IDENTITY),
    ),
    "a threshold at the end of the doubles": replace(
        fp64_layers(([[-(2.0**1023), 2.0**1000]], [-(2.0**1022)], IDENTITY)),
        readout=Readout("threshold", 1.7976931348623157e308, ">"),
    ),
    "numbers below a double": Network(
        (
            Layer(
                Scaled(Dense(np.array([[3 * 2.0**-550, -(2.0**-549)]])), Dense(np.array(2.0**-525)))
            ),
        ),
        AT,
        format="fp64",
    ),
    "numbers beyond a double": Network(
        (
            Layer(Wide.of(np.array([[1 << 1100, (1 << 1100) - 1]], dtype=object))),
            Layer(Dense(np.array([[-1.0]]))),
        ),
        Readout("threshold", -1.0, ">"),
        format="wide",
    ),
    "whole numbers that no double holds": Network(
        (
            Layer(
                Wide.of(np.array([[(1 << 60) + 1, -(1 << 60)]], dtype=object)),
                Wide.of(np.array([0], dtype=object)),
            ),
        ),
        AT,
        format="wide",
    ),
}


@pytest.mark.parametrize("case", EXTREME)
def test_extreme_numbers_are_judged_exactly(case: str) -> None:
    """Where doubles overflow, underflow or round what is stored, no bit is taken from them."""
    net = EXTREME[case]
    if Machine.can_run(net):
        inputs = all_rows(net)
        enclosure = Machine(net, FP64).enclose(inputs)
        for row, bits in enumerate(inputs.tolist()):
            for column, value in enumerate(raw_outputs(net, bits)):
                assert lies_within(
                    value, enclosure.values[row, column], enclosure.errors[row, column]
                )
    bits = [
        "".join(str(bit_of(net.readout, value)) for value in raw_outputs(net, row))
        for row in all_rows(net).tolist()
    ]
    for flipped in range(-1, len(bits)):
        lines = [f"in x:{net.n_in},out y:{net.n_out}"]
        for number, text in enumerate(bits):
            value = int(text, 2) ^ (number == flipped)
            lines.append(f"{number},{value}")
        task = parse_table("\n".join(lines), where="test")
        expected = judge(net, task)
        verdict = prove(net, task, formats="exact")
        assert verdict.verdict == ("proved" if flipped < 0 else "refuted")
        assert verdict.margin is not None
        assert (verdict.margin.of_0, verdict.margin.of_1) == (expected.of_0, expected.of_1)
        if verdict.counterexample is not None:
            assert verdict.counterexample.input == {"x": flipped}
            assert verdict.counterexample.to_dict()["output_exact"] == [
                str(value) for value in expected.raw[flipped]
            ]


def test_what_doubles_can_run() -> None:
    """Finite, and no stored number rounded below the normal doubles."""
    assert Machine.can_run(EXTREME["an overflow that is scaled back"])
    assert Machine.can_run(EXTREME["whole numbers that no double holds"])
    assert not Machine.can_run(EXTREME["numbers below a double"])
    assert not Machine.can_run(EXTREME["numbers beyond a double"])
    assert Machine.can_run(one_sum([2.0**-1074], None, "fp64"))


def test_stored_numbers_that_no_double_holds_are_never_exact() -> None:
    """2**60 + 1 rounds to 2**60, so even a sum on the grid is off."""
    net = EXTREME["whole numbers that no double holds"]
    enclosure = Machine(net, FP64).enclose(all_rows(net))
    assert (enclosure.errors > 0).all()
    assert enclosure.rounds


def test_an_undecided_step_is_between_0_and_1() -> None:
    """Its sum lies on the threshold within the rounding; what follows knows only 0 to 1."""
    net = Network(
        (
            Layer(Dense(np.array([[0.1, 0.2, -0.3]])), None, Activation("step", convention=">")),
            Layer(Dense(np.array([[4.0]])), Dense(np.array([1.0]))),
        ),
        AT,
        format="fp64",
    )
    enclosure = Machine(net, FP64).enclose(np.array([[1, 1, 1], [1, 0, 0]], dtype=np.uint8))
    assert enclosure.values.tolist() == [[3.0], [5.0]]
    assert 2 <= enclosure.errors[0, 0] < 2.001
    assert enclosure.errors[1, 0] == 0
    # both of its values are above 0, so the row is clear nevertheless; with bias -1 it is not
    assert enclosure.bits(AT)[1].tolist() == [[True], [True]]
    assert enclosure.bits(Readout("threshold", 2.0, ">"))[1].tolist() == [[False], [True]]


def test_hidden_rounding_is_told_though_a_step_hides_it() -> None:
    """The outputs are exact, yet a sum on the way may have been rounded: not the grid rule."""
    step = Activation("step", convention=">")
    for weight, bias, rounds in (([2048, 1, 1], 3000, True), ([1024, -1024, 1], 3, False)):
        net = network([[weight], [[1]]], [[bias], [0]], activation=step, readout=AT, format="fp16")
        enclosure = Machine(net, FORMATS["fp16"]).enclose(all_rows(net))
        assert (enclosure.errors == 0).all()
        assert enclosure.rounds == rounds


def test_fast_arithmetic_decides_the_clear_rows_and_whole_numbers_the_rest() -> None:
    """Of eight rows one lies on the threshold within the rounding: 0.1 + 0.2 - 0.3."""
    net = replace(one_sum([0.1, 0.2, -0.3], None, "fp64"), readout=AT)
    task = parse_table("in x:3,out y:1\n0,0\n1,0\n2,1\n3,0\n4,1\n5,0\n6,1\n7,1", where="test")
    assert raw_outputs(net, [1, 1, 1]) == [Fraction(0.1) + Fraction(0.2) - Fraction(0.3)]
    enumeration = enumerate_rows(net, task)
    assert (enumeration.rows, enumeration.wrong, enumeration.exact_rows) == (8, 0, 1)


@pytest.mark.parametrize(
    "values",
    [
        np.linspace(-25, 25, 4001),
        np.concatenate([[0.0], np.logspace(-300, 1, 4001)]),
        -np.logspace(-12, 0, 2001),
        2.0 ** np.arange(-1074, -960),
        np.array([5e-324, 1e-310, -1e-320, 2.2250738585072014e-308, -3.1e-308]),
        np.array([19.999, 20.0, 20.001, -20.0, 37.5, 700.0, -1e300, 1.7976931348623157e308]),
    ],
    ids=["dense", "small", "negative", "subnormal powers", "subnormal", "huge"],
)
def test_tanh_stays_within_its_bound(values: np.ndarray) -> None:
    """Against 60 digits: 2**-46 relative, from 2**-1016 down 2**-1068 absolute; never past 1."""
    assert TANH_ERROR == 2.0**-46
    got = tanh(values)
    assert (np.abs(got) <= 1).all()
    with mpmath.workdps(60):
        for value, ours in zip(values.tolist(), got.tolist(), strict=True):
            exact = mpmath.tanh(mpmath.mpf(value))
            off = abs(mpmath.mpf(ours) - exact)
            if abs(value) >= 2.0**-1016:
                assert off < mpmath.mpf(2) ** -46 * abs(exact), value
            else:
                assert off <= mpmath.mpf(2) ** -1068, value


def test_tanh_is_within_its_bound_by_a_wide_berth() -> None:
    """Measured, so that a worse formula shows: below 2**-49 over 20,000 random arguments."""
    rng = np.random.default_rng(11)
    values = rng.normal(size=20_000) * 2.0 ** rng.integers(-20, 4, 20_000)
    got = tanh(values)
    with mpmath.workdps(40):
        worst = max(
            abs(mpmath.mpf(ours) / mpmath.tanh(mpmath.mpf(value)) - 1)
            for value, ours in zip(values.tolist(), got.tolist(), strict=True)
        )
    assert worst < mpmath.mpf(2) ** -49


def test_an_enclosure_holds_a_tanh_network() -> None:
    """Against 60 digits, through two layers of tanh and a relu."""
    rng = np.random.default_rng(3)
    for kind, scale in itertools.product(("relu", "identity"), (0.1, 1.0, 40.0)):
        sizes = [(3, 4, "tanh"), (4, 3, kind), (3, 3, "tanh"), (3, 2, "identity")]
        layers = tuple(
            Layer(
                Dense(rng.normal(size=(b, a)) * scale), Dense(rng.normal(size=b)), Activation(name)
            )
            for a, b, name in sizes
        )
        net = Network(layers, AT, format="fp64")
        inputs = all_rows(net)
        enclosure = Machine(net, FP64).enclose(inputs)
        assert (enclosure.errors > 0).all()
        assert (enclosure.errors < 1e-6).all()
        with mpmath.workdps(60):
            for row, bits in enumerate(inputs.tolist()):
                values = [mpmath.mpf(bit) for bit in bits]
                for layer in layers:
                    sums = [
                        mpmath.fdot(zip(map(mpmath.mpf, weight), values, strict=True)) + bias
                        for weight, bias in zip(
                            layer.weight.numbers.tolist(), layer.bias.numbers.tolist(), strict=True
                        )
                    ]
                    of = {"tanh": mpmath.tanh, "relu": lambda x: max(x, 0), "identity": lambda x: x}
                    values = [of[layer.activation.kind](total) for total in sums]
                for column, value in enumerate(values):
                    off = abs(value - mpmath.mpf(enclosure.values[row, column]))
                    assert off <= mpmath.mpf(enclosure.errors[row, column])
