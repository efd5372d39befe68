"""The three adders: right, as small and as flat as they say, stored sparsely, nothing idle."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from adderlab.building.adders.one_layer import one_layer_adder
from adderlab.building.adders.prefix import prefix_adder
from adderlab.building.adders.ripple import ripple_adder
from adderlab.nets import EXACT, Layer, Network, from_bytes, outputs, to_bytes
from adderlab.nets.tensors import Sparse, Wide
from adderlab.tasks import Task, task_named
from adderlab.verbs.prove import prove

Build = Callable[[Task, str], Network]

ADDERS: dict[str, Build] = {
    "one-layer": one_layer_adder,
    "ripple": ripple_adder,
    "prefix": prefix_adder,
}
SMALL_WEIGHTS = ["ripple", "prefix"]
WIDTHS = [*range(1, 41), 64, 100, 256]


def adder(method: str, width: int, format: str = "wide") -> Network:
    return ADDERS[method](task_named(f"adder:{width}"), format)


def weight_of(layer: Layer) -> Sparse:
    assert isinstance(layer.weight, Sparse)
    return layer.weight


def stored(net: Network) -> Iterator[int]:
    """Yield every stored weight and every bias."""
    for _, values in net.entries():
        assert values.exponent == 0
        yield from map(int, values.integers)


def depth_of(method: str, width: int) -> int:
    """Return how many affine layers the method says it has."""
    if method == "one-layer" or (method == "ripple" and width == 1):
        return 2
    return width + 2 if method == "ripple" else math.ceil(math.log2(width)) + 3


@pytest.mark.parametrize("width", range(1, 7))
@pytest.mark.parametrize("method", ADDERS)
def test_adders_are_right_on_every_input(method: str, width: int) -> None:
    """By enumeration, with outputs that are exactly 0 or 1, in exact arithmetic and in fp32."""
    net = adder(method, width, "fp32")
    assert net.readout == EXACT
    verdict = prove(net)
    assert verdict, verdict
    assert verdict.method == "enumerated"
    assert verdict.rows == verdict.rows_right == 1 << (2 * width)
    assert verdict.formats["fp32"].verdict == "proved"


def sums_are_right(net: Network, width: int) -> bool:
    """Return whether plain evaluation of every row gives the sum's bits."""
    words = np.array(list(np.ndindex(*[2] * (2 * width))), dtype=np.uint8)
    raw = outputs(net, words)
    assert raw.exponent == 0
    a, b = (half @ (1 << np.arange(width)[::-1]) for half in (words[:, :width], words[:, width:]))
    expected = (a + b)[:, None] >> np.arange(width + 1)[::-1] & 1
    return bool((raw.integers == expected).all())


@pytest.mark.parametrize(("method", "harmless"), [("one-layer", 0), ("ripple", 1), ("prefix", 0)])
def test_single_changed_entries_of_a_3_bit_adder_are_seen(method: str, harmless: int) -> None:
    """The negative twin: one more at any stored weight, and the exhaustive proof fails.

    Harmless in ripple: the lowest carry arrives doubled where a relu cuts ``2 - 4`` to 0.
    """
    net = adder(method, 3)
    assert sums_are_right(net, 3)
    verdicts: list[bool] = []
    for at, layer in enumerate(net.layers):
        weight = weight_of(layer)
        for entry in range(weight.values.shape[0]):
            numbers = np.array(weight.values.numbers, dtype=object)
            numbers[entry] += 1
            sparse = replace(weight, values=Wide.of(numbers))
            layers = (*net.layers[:at], replace(layer, weight=sparse), *net.layers[at + 1 :])
            mutant = replace(net, layers=layers)
            verdicts.append(bool(prove(mutant)))
            assert verdicts[-1] == sums_are_right(mutant, 3), (at, entry)
    assert len(verdicts) == sum(weight_of(layer).values.shape[0] for layer in net.layers)
    assert sum(verdicts) == harmless


@pytest.mark.parametrize("width", WIDTHS)
def test_the_one_layer_adder_has_3_n_less_1_units_and_numbers_to_2_to_the_n(width: int) -> None:
    """One hidden layer, however wide; the largest number is a bias, and negative."""
    net = adder("one-layer", width)
    assert net.widths == [3 * width - 1]
    numbers = list(stored(net))
    assert min(numbers) == -(1 << width)
    assert max(numbers) == (1 if width == 1 else max(2, 1 << (width - 1)))
    assert net.max_weight == 1 << width


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("method", SMALL_WEIGHTS)
def test_ripple_and_prefix_numbers_are_within_minus_2_and_1(method: str, width: int) -> None:
    """Every stored weight and every bias; and both ends are reached."""
    numbers = set(stored(adder(method, width)))
    assert numbers <= {-2, -1, 0, 1}
    assert {min(numbers), max(numbers)} == {-2, 1}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("method", ADDERS)
def test_depth_is_what_the_method_says(method: str, width: int) -> None:
    """Two layers, N + 2, or ceil(log2 N) + 3; relu but for the last."""
    net = adder(method, width)
    assert net.depth == depth_of(method, width)
    kinds = [layer.activation.kind for layer in net.layers]
    assert kinds == ["relu"] * (net.depth - 1) + ["identity"]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("method", ADDERS)
def test_every_unit_is_used_and_no_zero_is_stored(method: str, width: int) -> None:
    """Each input and each hidden unit has a nonzero weight above it, each unit one below."""
    net = adder(method, width)
    for layer in net.layers:
        weight = weight_of(layer)
        values = weight.values.exact().integers
        assert np.count_nonzero(values) == len(values)
        assert len(np.unique(weight.indices)) == layer.n_in
        assert len(np.unique(weight.row_of_entry())) == layer.n_out


@pytest.mark.parametrize(
    ("method", "width", "format"),
    [
        ("one-layer", 5, "fp32"),
        ("one-layer", 52, "fp64"),
        ("one-layer", 53, "wide"),
        ("one-layer", 100, "wide"),
        ("ripple", 9, "int2"),
        ("ripple", 64, "wide"),
        ("prefix", 100, "int2"),
        ("prefix", 33, "fp8-e4m3"),
    ],
)
def test_files_keep_the_sparse_network_and_what_it_computes(
    method: str, width: int, format: str
) -> None:
    """Written and read, every stored number is the same, and so are random sums."""
    net = adder(method, width, format)
    read = from_bytes(to_bytes(net))
    assert (read.format, read.task.name if read.task else "") == (format, f"adder:{width}")
    assert list(stored(read)) == list(stored(net))
    for left, right in zip(net.layers, read.layers, strict=True):
        assert np.array_equal(weight_of(left).indices, weight_of(right).indices)
        assert np.array_equal(weight_of(left).indptr, weight_of(right).indptr)
        assert weight_of(left).indices.dtype == weight_of(right).indices.dtype
    rng = np.random.default_rng(width)
    rows = rng.integers(0, 2, (40, 2 * width), dtype=np.uint8)
    rows[:2] = [[1] * 2 * width, [1] * width + [0] * (width - 1) + [1]]  # carries all the way
    raw = outputs(read, rows)
    assert raw.exponent == 0
    for row, got in zip(rows, raw.integers, strict=True):
        a, b = (int("".join(map(str, half)), 2) for half in (row[:width], row[width:]))
        assert list(map(int, got)) == [int(c) for c in f"{a + b:0{width + 1}b}"]
