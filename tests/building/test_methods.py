"""Methods: constraints are met or refused with the nearest that can be; what auto takes."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from adderlab.building import METHODS, chosen_method, construct, exact_widths, weight_text
from adderlab.building.methods import LARGEST_BYTES
from adderlab.errors import AdderlabError, OptionError, ResourceError, TaskError
from adderlab.formats import FORMATS
from adderlab.nets.tensors import Dense
from adderlab.proving import decide
from adderlab.tasks import task_named

ADDERS = ("one-layer", "ripple", "prefix")


def refusal(error, task, method, **wishes):
    with pytest.raises(error) as refused:
        _ = construct(task_named(task), method, **wishes)
    return str(refused.value)


@pytest.mark.parametrize(
    ("task", "method", "wishes", "message"),
    [
        (
            "adder:24",
            "one-layer",
            {"format": "fp32"},
            (
                "format: adder:24 by one-layer is exact in fp32 up to adder:22, beyond which "
                "fp32 can round a sum; take `format` int32, or "
                "`method` prefix"
            ),
        ),
        (
            "adder:30",
            "one-layer",
            {"format": "INT32"},
            (
                "format: adder:30 by one-layer is exact in int32 up to adder:29, beyond which a "
                "sum can overflow int32; take `format` fp64, or "
                "`method` prefix"
            ),
        ),
        (
            "adder:52",
            "one-layer",
            {"format": "fp64"},
            (
                "format: adder:52 by one-layer is exact in fp64 up to adder:51, beyond which "
                "fp64 can round a sum; take `format` wide, or "
                "`method` prefix"
            ),
        ),
        (
            "adder:64",
            "one-layer",
            {"format": "fp64"},
            (
                "format: adder:64 by one-layer stores -(2^64 - 1), which fp64 does not hold; "
                "take `format` wide, or `method` prefix"
            ),
        ),
        (
            "adder:8",
            "one-layer",
            {"format": "int8"},
            (
                "format: adder:8 by one-layer stores -256, which int8 does not hold; "
                "take `format` int16, or `method` prefix"
            ),
        ),
        (
            "adder:64",
            "ripple",
            {"format": "ternary"},
            (
                "format: adder:64 by ripple stores -2, which ternary does not hold; "
                "take `format` int2"
            ),
        ),
        (
            "adder:64",
            "auto",
            {"format": "binary"},
            (
                "format: adder:64 by prefix stores -2, which binary does not hold; "
                "take `format` int2"
            ),
        ),
        (
            "half-adder",
            "lecture",
            {"format": "int8"},
            (
                "format: half-adder by lecture stores -1.5, which int8 does not hold; "
                "take `format` fp8-e4m3, or `method` prefix"
            ),
        ),
        (
            "adder:64",
            "one-layer",
            {"max_weight": 4},
            (
                "max_weight: adder:64 by one-layer needs weights up to 2^64, more than 4; take "
                "`method` prefix, whose weights reach 2"
            ),
        ),
        (
            "adder:8",
            "auto",
            {"max_weight": 1},
            "max_weight: every adder needs weights up to 2, more than 1; give 2",
        ),
        (
            "adder:9",
            "ripple",
            {"max_weight": 1.5, "format": "binary"},
            "max_weight: every adder needs weights up to 2, more than 1.5; give 2",
        ),
        (
            "adder:2000",
            "one-layer",
            {"max_weight": 1},
            "max_weight: every adder needs weights up to 2, more than 1; give 2",
        ),
        (
            "adder:24",
            "one-layer",
            {"max_weight": 2, "format": "ternary"},
            "max_weight: adder:24 by one-layer needs weights up to 2^24, more than 2; give 2^24",
        ),
        (
            "adder:9",
            "ripple",
            {"max_weight": 0},
            "max_weight: got 0; give a number above 0",
        ),
        (
            "adder:9",
            "ripple",
            {"max_weight": float("nan")},
            "max_weight: got nan; give a number above 0",
        ),
        (
            "adder:9",
            "onelayer",
            {},
            "method: unknown method 'onelayer'; did you mean one-layer?",
        ),
        (
            "adder:9",
            "?",
            {},
            "method: unknown method '?'; one of auto, lecture, one-layer, prefix, ripple, table",
        ),
    ],
)
def test_a_constraint_that_can_not_be_met_is_refused_with_the_nearest(
    task, method, wishes, message
):
    assert refusal(OptionError, task, method, **wishes) == message


@pytest.mark.parametrize("method", ADDERS)
def test_a_method_for_adders_builds_no_other_task(method):
    assert refusal(TaskError, "comparator:4", method) == (
        f"method {method}: {method} builds no comparator:4; take `method` table for a small task, "
        "write a `formula`, or train a network"
    )


@pytest.mark.parametrize("method", ["auto", "table"])
def test_a_task_of_too_many_rows_is_not_built_from_its_table(method):
    assert refusal(ResourceError, "comparator:7", method) == (
        "method table: comparator:7 has more than 4096 rows, which a table is built for; take a "
        "smaller task, write a `formula`, or train a network"
    )


FULL_ADDER = task_named("full-adder")


def test_the_full_adder_is_proved_in_every_format_that_holds_its_weights():
    for name, form in FORMATS.items():
        if not form.holds(Fraction(2)):
            continue
        net = construct(FULL_ADDER, "auto", format=name)
        assert (net.shape, net.parameters, net.format) == ("3-3-2", 20, name)
        verdict = decide(net, FULL_ADDER)
        assert verdict, (name, verdict)
    assert construct(FULL_ADDER, "one-layer").format == "fp32"


def test_the_full_adder_with_any_weight_changed_is_refuted():
    net = construct(FULL_ADDER, "auto")
    for at, layer in enumerate(net.layers):
        for index in np.ndindex(layer.weight.shape):
            weight = np.array(layer.weight.numbers)
            weight[index] += 1
            changed = replace(layer, weight=Dense(weight))
            layers = [changed if number == at else old for number, old in enumerate(net.layers)]
            assert not decide(replace(net, layers=tuple(layers)), FULL_ADDER), (at, index)


@pytest.mark.parametrize(
    ("method", "wishes", "message"),
    [
        ("one-layer", {"format": "int2"}, "stores 2, which int2 does not hold; take `format` int3"),
        ("one-layer", {"max_weight": 1}, "every adder needs weights up to 2, more than 1; give 2"),
        ("ripple", {}, "method ripple: ripple builds no full-adder; take `method` one-layer"),
        ("lecture", {}, "the lecture sets weights for half-adder alone, got full-adder"),
    ],
)
def test_what_the_full_adder_is_refused_for_says_what_does(method, wishes, message):
    assert message in refusal(AdderlabError, "full-adder", method, **wishes)


def test_the_nearest_format_is_one_that_can_be_had():
    """Whatever is refused: the remedy, done, gives a network; and nothing narrower would."""
    for width in (1, 2, 3, 6, 8, 10, 16, 23, 30, 52, 70):
        for method in ADDERS:
            task = task_named(f"adder:{width}")
            for name in FORMATS:
                try:
                    _ = chosen_method(task, method, format=name)
                except OptionError as error:
                    nearest = str(error).partition("format: ")[2].rpartition("`format` ")[2]
                    nearest = nearest.partition(",")[0]
                    assert chosen_method(task, method, format=nearest) == method
                    bits = FORMATS[nearest].bits or 10**6
                    narrower = [entry for entry in FORMATS.values() if 0 < entry.bits < bits]
                    for entry in narrower:
                        with pytest.raises(OptionError):
                            _ = chosen_method(task, method, format=entry.name)


WISHES = [
    {},
    {"max_weight": 2},
    {"max_weight": 300},
    {"format": "int2"},
    {"format": "fp16"},
    {"format": "int8"},
    {"format": "fp32", "max_weight": 4096},
    {"format": "wide"},
]


@pytest.mark.parametrize("wishes", WISHES, ids=str)
@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 8, 9, 10, 22, 23, 40])
def test_auto_takes_the_fewest_layers_then_the_fewest_parameters_that_meet_the_constraints(
    width, wishes
):
    task = task_named(f"adder:{width}")
    kept = {}
    for method in ADDERS:
        try:
            kept[method] = construct(task, method, **wishes)
        except AdderlabError:
            continue
    best = min(kept.values(), key=lambda net: (net.depth, net.parameters))
    taken = construct(task, "auto", **wishes)
    assert (taken.depth, taken.parameters) == (best.depth, best.parameters)
    assert taken.max_weight <= wishes.get("max_weight", taken.max_weight)
    assert taken.format == wishes.get("format", taken.format)
    limit = exact_widths(chosen_method(task, "auto", **wishes))[taken.format]
    assert limit is None or width <= limit


def test_auto_goes_round_a_format_that_one_layer_does_not_keep():
    """At 9 bits one layer is exact in fp16; at 10 its values are held, but a sum can round."""
    assert chosen_method(task_named("adder:9"), "auto", format="fp16") == "one-layer"
    assert chosen_method(task_named("adder:10"), "auto", format="fp16") == "prefix"


@pytest.mark.parametrize(
    ("width", "format"), [(1, "fp32"), (22, "fp32"), (23, "fp64"), (51, "fp64"), (52, "wide")]
)
def test_without_a_format_one_layer_takes_the_first_that_is_exact(width, format):
    assert construct(task_named(f"adder:{width}"), "one-layer").format == format


def memory(method, width):
    return METHODS[method].memory(task_named(f"adder:{width}"))


@pytest.mark.parametrize(
    ("task", "method", "message"),
    [
        (
            "adder:10000",
            "one-layer",
            (
                "adder:10000 by one-layer would take about 9 GB of memory, over 4 GB; the widest "
                "possible is adder:6905, or `method` prefix"
            ),
        ),
        (
            "adder:10000",
            "ripple",
            (
                "adder:10000 by ripple would take about 11 GB of memory, over 4 GB; the widest "
                "possible is adder:6238, or `method` prefix"
            ),
        ),
        (
            "adder:1000000",
            "auto",
            (
                "adder:1000000 by prefix would take about 12.9 GB of memory, over 4 GB; the widest "
                "possible is adder:348617"
            ),
        ),
    ],
)
def test_widths_beyond_memory_are_refused_before_memory_is_taken(task, method, message):
    """Less than 1 MB is taken beside the task itself, and the widest that is named is allowed."""
    target = task_named(task)
    tracemalloc.start()
    try:
        with pytest.raises(ResourceError) as refused:
            _ = construct(target, method)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert str(refused.value) == f"build: {message}"
    assert peak < 1 << 20
    name, _, rest = message.partition(" would")[0].partition(" by ")
    widest = int(message.partition("is adder:")[2].partition(",")[0])
    assert memory(rest, widest) <= LARGEST_BYTES < memory(rest, widest + 1), name


@pytest.mark.parametrize("method", ADDERS)
def test_the_estimate_of_memory_is_not_below_what_building_takes(method):
    """And not far above: half as much again in Python's own objects would be missed."""
    task = task_named("adder:160")
    tracemalloc.start()
    try:
        net = construct(task, method)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert net.n_in == 320
    assert peak <= 1.5 * memory(method, 160)


def test_weights_are_written_for_people():
    assert [weight_text(entry) for entry in (-2, 1, -1.5, 65535)] == ["-2", "1", "-1.5", "65535"]
    assert weight_text(1 << 1024) == "2^1024"
    assert weight_text(1 - (1 << 64)) == "-(2^64 - 1)"
