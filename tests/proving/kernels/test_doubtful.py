"""A format's verdict is the same whether a kernel clears most rows or every row is bounded."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from proving.kernels.emulated import emulated
from proving.kernels.test_sweeps import RELU, SAME, task_from

from adderlab.formats import FORMATS
from adderlab.limits import NO_LIMITS
from adderlab.nets import Activation, Network
from adderlab.nets.enclosure import Machine
from adderlab.nets.network import Layer
from adderlab.nets.readout import readout_of
from adderlab.nets.tensors import Scaled, stored_in
from adderlab.proving import number_formats
from adderlab.proving.kernels import chosen, doubtful, every_block, fits
from adderlab.proving.kernels.doubtful import Doubtful
from adderlab.proving.kernels.kernel import Kernel
from adderlab.proving.number_formats import format_verdict

DENSE_AND_WRITTEN = (False, True)


def random_in(format, rng, sizes, readout, *, grid=0.0):
    """Return relus and sums with random weights in a format, on a grid if one is given."""
    layers = []
    for n_in, n_out in pairwise(sizes):
        numbers = [rng.normal(size=shape) for shape in ((n_out, n_in), (n_out,))]
        if grid:
            numbers = [np.round(part / grid) * grid for part in numbers]
        stored = [stored_in(FORMATS[format].round(part), format) for part in numbers]
        layers.append(Layer(*stored, RELU if len(layers) < len(sizes) - 2 else SAME))
    return Network(tuple(layers), readout_of(readout), None, format)


@pytest.fixture
def kept(monkeypatch):
    """Kernels that are taken at any size, run by Python; how many rows each search left."""
    monkeypatch.setattr(fits, "seconds_without", lambda net, rows: 1e9)
    monkeypatch.setattr(number_formats, "block_rows", lambda net: 16)
    monkeypatch.setattr(every_block, "cores", lambda: 1)
    monkeypatch.setattr(doubtful, "MOST_DOUBTFUL", 1.0)
    monkeypatch.setattr(chosen, "MOST_OPEN", {"float32": 1.0, "float64": 1.0})
    monkeypatch.setattr(Kernel, "compile", lambda kernel, on_compile: emulated(kernel))
    counts = []

    def rows(search, real=Doubtful.rows):
        counts.append(len(real(search)))
        return real(search)

    monkeypatch.setattr(Doubtful, "rows", rows)
    return counts


def both_ways(net, task, name, monkeypatch):
    """Return a verdict that was found with a kernel, after comparing it with one without."""
    verdict = format_verdict(net, task, name, "unknown")
    with monkeypatch.context() as patch:
        patch.setattr(number_formats, "may_pay", lambda net, task: False)
        assert format_verdict(net, task, name, "unknown") == verdict
    return verdict


@pytest.mark.parametrize("is_written", DENSE_AND_WRITTEN)
@pytest.mark.parametrize("name", ["fp64", "fp32", "fp16"])
def test_a_verdict_is_the_same_with_a_kernel(name, is_written, kept, monkeypatch):
    for module in (fits, chosen):
        monkeypatch.setattr(module, "is_written", lambda net: is_written)
    rng = np.random.default_rng(len(name))
    verdicts, places = set(), 0
    for trial in range(6):
        hidden = rng.integers(3, 20, 1 + trial % 2)
        readout = ("> 0", ">= 0.5", "> 1")[trial % 3]
        net = random_in(name, rng, (7, *hidden, 2), readout, grid=2.0**-9 * (trial == 4))
        bounds = {"a": 101} if trial % 3 == 1 else None
        task = task_from(net, {"a": 7}, rng, flips=trial % 3, free=0.1, bounds=bounds)
        verdicts.add(both_ways(net, task, name, monkeypatch).verdict)
        places += task.rows
    assert {"refuted", "proved" if "32" in name or "64" in name else "unknown"} <= verdicts
    assert 0 < sum(kept) < places


def test_integers_with_scales_are_judged_by_the_kernel_of_their_layers(kept, monkeypatch):
    rng = np.random.default_rng(4)
    layers = []
    for n_in, n_out, activation in ((7, 5, RELU), (5, 2, SAME)):
        q = stored_in(rng.integers(-90, 90, (n_out, n_in)), "int8")
        scale = stored_in(rng.random(n_out).astype(np.float32), "fp32")
        bias = Scaled(stored_in(rng.integers(-90, 90, n_out), "int8"), scale)
        layers.append(Layer(Scaled(q, scale), bias, activation))
    net = Network(tuple(layers), readout_of("> 0"), None, "int8")
    task = task_from(net, {"a": 7}, rng, flips=1)
    assert both_ways(net, task, "int8", monkeypatch).verdict == "refuted"
    assert kept and kept[0] < 64


@pytest.mark.parametrize("wrong", [0, 77])
def test_a_row_behind_the_first_wrong_one_is_not_kept(wrong, kept):
    rng = np.random.default_rng(3)
    net = random_in("fp32", rng, (7, 9, 1), "> 0")
    task = task_from(net, {"a": 7}, rng, flips=0)
    search = doubtful.doubtful(net, task, Machine(net, FORMATS["fp32"], library=True))
    distance = search.limits.bound
    real = search.kernel.places.expected

    def flipped(block, bits):
        expected = real(block, bits)
        rows = search.kernel.places.rows_of(search.kernel.places.words_of(block, np.arange(128)))
        expected.planes[rows >= wrong] ^= 1
        return expected

    search.kernel.places.expected = flipped
    search.run(NO_LIMITS, lambda share: None, lambda text: None)
    assert (search.first_wrong, search.share, distance < 1e-3) == (wrong, 1.0, True)
    assert search.rows().tolist() == [wrong]


@pytest.mark.parametrize("name", ["fp64", "fp32", "fp16", "bf16"])
def test_no_row_has_a_larger_error_than_the_largest(name):
    rng = np.random.default_rng(7)
    for sizes in ((7, 6, 1), (7, 12, 9, 2), (6, 5, 5, 5, 3)):
        net = random_in(name, rng, sizes, "> 0")
        machine = Machine(net, FORMATS[name], library=True)
        rows = (np.arange(1 << sizes[0])[:, None] >> np.arange(sizes[0])) & 1
        errors = machine.enclose(rows.astype(np.uint8)).errors
        assert errors.max() <= machine.largest_error() < 50 * errors.max()


def test_curves_constants_and_overflows_have_no_largest_error():
    rng = np.random.default_rng(1)
    net = random_in("fp32", rng, (7, 3, 1), "> 0")
    curve = Network(
        (Layer(net.layers[0].weight, net.layers[0].bias, Activation("tanh")), net.layers[1]),
        net.readout, None, "fp32",
    )  # fmt: skip
    assert Machine(curve, FORMATS["fp32"]).largest_error() == np.inf
    large = stored_in(np.full((1, 7), 60000.0, dtype=np.float16), "fp16")
    sums = Network((Layer(large, None, SAME),), readout_of("> 0"), None, "fp16")
    assert Machine(sums, FORMATS["fp16"]).largest_error() == np.inf
