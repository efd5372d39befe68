"""A number format is claimed of what just follows, and not of what just does not."""

from __future__ import annotations

import pytest
from sealing import answer, f64, network, network_file, table, threshold

from adderlab import checker

SAME = table("in x:1,out y:1|0,0|1,1")
FLOATS = {"fp64": (53, -1074), "fp32": (24, -149), "fp16": (11, -24), "bf16": (8, -133),
          "fp8-e4m3": (4, -9), "fp8-e5m2": (3, -16)}  # fmt: skip
"""Significant bits, and the exponent of the smallest number."""
LARGEST = {"fp64": (2**53 - 1) << 971, "fp32": (2**24 - 1) << 104, "fp16": 65504,
           "bf16": 255 << 120, "fp8-e4m3": 448, "fp8-e5m2": 57344}  # fmt: skip


def follows(name, data, readout=None, task=SAME, margin=None):
    """Return whether a format is claimed of a network that is right in exact arithmetic."""
    claims = {"margin": margin} if readout is None else {"margin": margin, "readout": readout}
    assert answer(data, task, **claims) is True
    return answer(data, task, semantics=["exact", name], **claims)


@pytest.mark.parametrize("name", FLOATS)
def test_a_bound_is_below_the_margin_not_equal_to_it(name):
    """Where (k M - 1) x + 1 is rounded twice, in units of two smallest numbers.

    Of p bits and M = 2^(p - 1) - 1 the bound is 2 / (2^p - 2) of k M, which is k, and a smallest
    number for each of the two roundings, 1.
    """
    precision, smallest = FLOATS[name]
    unit = 2.0 ** (smallest + 1)
    k = 3 if precision > 3 else 5
    weight = k * ((1 << precision - 1) - 1) - 1
    for beyond, is_right in ((0, False), (0.5, precision > 3), (1, True)):
        limit = 1 + k + 1 + beyond
        record, readout = threshold(limit * unit)
        data = network(([[weight * unit]], [unit], {}), readout=record)
        sides = (checker.Fraction(limit) - 1, weight + 1 - checker.Fraction(limit))
        texts = [str(side * checker.Fraction(unit)) for side in sides]
        margin = dict(zip(("of_0", "of_1"), texts, strict=True))
        assert follows(name, data, readout, margin=margin) is is_right, limit
        assert follows(name, data, readout) is False  # nothing is claimed of the margin


@pytest.mark.parametrize(("limit", "is_right"), [(20, False), (22, True)])
def test_errors_of_what_is_read_are_added(limit, is_right):
    """A sum as above, within 8 of 1 to 49, is read: 8 + (8 + 57 + 7) / 7 + 1 is 19.3."""
    unit = 2.0**-8
    record, readout = threshold(limit * unit)
    data = network(([[48 * unit]], [unit], {}), ([[1]], None, {}), readout=record)
    sides = ("of_0", limit - 1), ("of_1", 49 - limit)
    margin = {side: str(checker.Fraction(size, 256)) for side, size in sides}
    assert follows("fp8-e4m3", data, readout, margin=margin) is is_right


@pytest.mark.parametrize(("weight", "is_right"), [(384, True), (416, False)])
def test_a_sum_with_its_error_is_below_the_largest_number(weight, is_right):
    """385 and 55, and 417 and 60, of 448."""
    record, readout = threshold(160)
    data = network(([[weight]], [1], {}), readout=record)
    margin = {"of_0": "159", "of_1": str(weight + 1 - 160)}
    assert follows("fp8-e4m3", data, readout, margin=margin) is is_right


@pytest.mark.parametrize(("knot", "is_right"), [(0.25, True), (0.1, False)])
def test_a_constant_that_is_compared_is_one_of_the_format(knot, is_right):
    step = {"activation": "where", "convention": ">", "threshold": knot, "above": 1, "below": 0}
    assert follows("fp32", network(([[1]], None, step))) is is_right


@pytest.mark.parametrize(("terms", "is_right"), [(6, True), (7, False)])
def test_a_bound_takes_fewer_roundings_than_half_of_the_steps(terms, is_right):
    """Of 16 in four bits; the outputs are above the threshold by far."""
    record, readout = threshold(-96)
    data = network(([[1, *[0.0625] * (terms - 1)]], None, {}), readout=record)
    rows = "|".join(f"{row},1" for row in range(1 << terms))
    margin = {"of_0": None, "of_1": "96"}
    task = table(f"in x:{terms},out y:1|{rows}")
    assert follows("fp8-e4m3", data, readout, task, margin) is is_right


def number(value):
    """Return the file of an output of one weight, which is any whole number."""
    size = value.bit_length() // 8 + 1
    weight = {"codes": "c", "sizes": "s", "codebook": "b"}
    return network_file(
        [{"weight": weight, "activation": "identity"}],
        {"c": ("U8", [1, 1], b"\0"), "s": ("U8", [1], bytes([size])),
         "b": ("U8", [size], value.to_bytes(size, "little", signed=True))},
        readout=threshold(0)[0],
    )  # fmt: skip


@pytest.mark.parametrize("name", FLOATS)
def test_a_number_is_one_of_its_format(name):
    precision, smallest = FLOATS[name]
    largest = LARGEST[name]
    step = 1 << largest.bit_length() - precision
    for value, is_right in (
        ((1 << precision) - 1, True), ((1 << precision) + 1, False), ((1 << precision) + 2, True),
        (largest, True), (largest + step, False), (largest - step // 2, False),
    ):  # fmt: skip
        assert follows(name, number(value), threshold(0)[1]) is is_right, value
    for exponent in (smallest, smallest - 1):
        if exponent >= -1074:
            data = network(([[2.0**exponent]], None, {}), readout=threshold(0)[0])
            assert follows(name, data, threshold(0)[1]) is (exponent == smallest)


@pytest.mark.parametrize(
    ("name", "least", "largest"),
    [("binary", -1, 1), ("ternary", -1, 1), *[
        (f"int{bits}", -(1 << bits - 1), (1 << bits - 1) - 1) for bits in (2, 3, 4, 8, 16, 32)
    ]],
)  # fmt: skip
def test_a_whole_number_is_one_of_its_format(name, least, largest):
    """The sum of -2^31 is left out: sums are below 2^31 on both sides."""
    nothing = table("in x:1,out y:1|0,0|1,0")
    readout = threshold(0)[1]
    for value, is_right in ((least, name != "int32"), (least - 1, False)):
        assert follows(name, number(value), readout, nothing) is is_right, value
    for value, is_right in ((largest, True), (largest + 1, False)):
        assert follows(name, number(value), readout) is is_right, value
    half = network(([[0.5]], None, {}), readout=threshold(0)[0])
    assert follows(name, half, readout) is False
    assert follows("wide", half, readout) is False


@pytest.mark.parametrize("name", ["int1", "int9", "int24", "int64", "int08", "fp4", "", "exact"])
def test_no_other_format_is_known(name):
    data = number(1)
    assert answer(data, SAME, readout=threshold(0)[1], semantics=["exact", name]) is False


@pytest.mark.parametrize("sign", [1, -1])
def test_sums_of_whole_numbers_stay_below_2_to_the_31(sign):
    for bias, is_right in (((1 << 30) - 1, True), (1 << 30, False)):
        data = network(
            ([[sign * (1 << 30)]], [sign * bias], {"activation": "abs"}),
            ([[1]], [-bias], {"activation": "step", "convention": ">"}),
        )
        assert follows("int32", data) is is_right, bias
        assert follows("wide", data) is True


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("name", FLOATS)
def test_sums_of_2_to_the_precision_steps_are_not_rounded(name, sign):
    """A step follows from exact sums alone."""
    top = 1 << FLOATS[name][0] - 1
    step = {"activation": "where", "convention": ">", "threshold": sign * (top + 1),
            "above": int(sign > 0), "below": int(sign < 0)}  # fmt: skip
    for more, is_right in ((1, True), (3, False)):
        data = network(([[sign * (top + more)]], [sign * (top - 1)], step))
        assert follows(name, data) is is_right, more


@pytest.mark.parametrize("name", FLOATS)
def test_a_value_has_the_grid_of_the_sum_that_it_depends_on(name):
    """A constant, as between limits that meet, has its own."""
    tiny = 2.0 ** FLOATS[name][1]
    for high, is_right in ((1, True), (2, False)):
        data = network(
            ([[tiny]], None, {"activation": "clamp", "min": 1, "max": high}),
            ([[1, 1]], [-1], {"inputs": ["input", "fc1"]}),
            readout=threshold(0.5)[0],
        )
        assert follows(name, data, threshold(0.5)[1]) is is_right, high


def test_scales_and_a_last_sigmoid_are_right_in_no_format():
    scaled = network_file(
        [{"weight": {"scale": "s", "q": "w"}, "activation": "identity"}],
        {"w": ("F64", [1, 1], f64(1)), "s": ("F64", [], f64(1))},
    )
    assert follows("fp32", scaled) is False
    scaled = network_file(
        [{"weight": "w", "bias": {"scale": "s", "q": "b"}, "activation": "identity"}],
        {"w": ("F64", [1, 1], f64(1)), "s": ("F64", [], f64(1)), "b": ("F64", [1], f64(0))},
    )
    assert follows("fp32", scaled) is False
    record, readout = threshold(0.5)
    sigmoid = network(([[2]], [-1], {"activation": "sigmoid"}), readout=record)
    assert follows("fp32", sigmoid, readout) is False
