"""Kernels of enumeration say what exact evaluation says: counts, first wrong row, both margins."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from proving.kernels.emulated import OPERATIONS, emulated

from adderlab.errors import Interrupted
from adderlab.kernels import vectors
from adderlab.limits import NO_LIMITS, Budget, CapReached
from adderlab.nets import Activation, Network, network
from adderlab.nets.network import Layer
from adderlab.nets.readout import readout_of
from adderlab.nets.tensors import stored_in
from adderlab.proving.enumeration import Enumeration, _enumerate, enumerate_rows
from adderlab.proving.kernels import chosen, every_block, fits
from adderlab.proving.kernels.chosen import kernel_of, usual_order
from adderlab.proving.kernels.dense_kernel import DenseKernel, influence_order
from adderlab.proving.kernels.floats import float_net
from adderlab.proving.kernels.kernel import WrittenKernel
from adderlab.proving.kernels.rows import Places
from adderlab.proving.kernels.scaled import WIDEST, scaled
from adderlab.proving.kernels.sweep import Sweep
from adderlab.tasks import Task, Word, task_named
from adderlab.tasks.cells import ANY
from adderlab.tasks.order import Order, in_order
from adderlab.tasks.tabulated import task_of_columns

RELU, SAME = Activation("relu"), Activation("identity")


def random_net(rng, sizes, largest, activations, readout, *, format="wide"):
    """Return a chain of whole numbers up to ``largest``, or of random floats for none."""
    layers = []
    for (n_in, n_out), activation in zip(pairwise(sizes), activations, strict=True):
        shapes = ((n_out, n_in), (n_out,))
        if largest:
            numbers = [rng.integers(-largest, largest + 1, shape) for shape in shapes]
            numbers[0][rng.random(shapes[0]) < 0.3] = 0
        else:
            numbers = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
        layers.append(Layer(*(stored_in(own, format) for own in numbers), activation))
    return Network(tuple(layers), readout_of(readout), None, format)


def task_from(net, inputs, rng, *, flips=3, free=0.0, bounds=None):
    """Return a task that the network computes but for a few outputs, the last row's among them."""
    words = tuple(Word(n, w, (bounds or {}).get(n)) for n, w in inputs.items())
    shape = Task("", words, (Word("y", net.n_out),), dict)
    places = shape.input_words(np.arange(shape.rows))
    bits = net.run(shape.input_rows(places))
    values = (np.maximum(bits, 0).astype(np.int64) << np.arange(net.n_out)[::-1]).sum(axis=1)
    if flips:
        wrong = np.append(rng.integers(0, shape.rows, flips - 1), shape.rows - 1)
        values[wrong] ^= 1 << rng.integers(0, net.n_out, flips)
    values[rng.random(shape.rows) < free] = ANY
    return task_of_columns(words, shape.outputs, {"y": values}, name="random")


def by_kernel(net, task, kernel):
    result = Enumeration()
    work = Sweep(net, task, kernel, result)
    function = emulated(kernel)
    kernel.compile = lambda on_compile: function
    work.run(Budget.of(), lambda share: None, lambda text: None, threads=1)
    return result


def plainly(net, task):
    result = Enumeration()
    _enumerate(net, task, result, NO_LIMITS, lambda share: None)
    return result


def check(net, task, kernel):
    fast, slow = by_kernel(net, task, kernel), plainly(net, task)
    assert replace(fast, exact_rows=0) == replace(slow, exact_rows=0)
    return fast


INPUTS = {"a": 3, "b": 4}
LARGEST = {8: 1, 16: 9, 32: 200, 64: 2_000_000}


def written(net, task, dtype=None, block_bits=16):
    whole = scaled(net) if dtype is None else float_net(net, dtype)
    return WrittenKernel(whole, net.readout, Places(task, usual_order(task), block_bits))


@pytest.mark.parametrize("readout", ["> 0", ">= 1", "exact"])
@pytest.mark.parametrize("bits", LARGEST)
def test_whole_numbers_of_each_width(bits, readout):
    rng = np.random.default_rng(bits)
    sizes = (7, 5, 3, 2) if bits < 64 else (7, 4, 2)
    kinds = [RELU] * (len(sizes) - 2) + [SAME]
    net = random_net(rng, sizes, LARGEST[bits], kinds, readout)
    task = task_from(net, INPUTS, rng)
    kernel = written(net, task)
    assert kernel.bits == bits
    fast = check(net, task, kernel)
    assert fast.wrong and fast.exact_rows == 0


@pytest.mark.parametrize("bits", [8, 16, 32])
@pytest.mark.parametrize("sign", [-1, 1])
def test_sums_that_just_fit_and_just_do_not(bits, sign):
    """The largest sum is one below the type's last number, which stands for no number; or it."""
    last = (1 << (bits - 1)) - 1
    for largest, width in ((last - 1, bits), (last, 2 * bits)):
        parts = [largest // 7] * 6
        row = [sign * part for part in (*parts, largest - sum(parts))]
        net = Network(
            (
                Layer(stored_in([row], "wide"), None, Activation("abs")),
                Layer(stored_in([[1], [-1]], "wide"), stored_in([0, 1], "wide"), SAME),
            ),
            readout_of(">= 0"),
            format="wide",
        )
        task = task_from(net, INPUTS, np.random.default_rng(1))
        kernel = written(net, task)
        assert (kernel.bits, max(kernel.first.high[0], -kernel.first.low[0])) == (width, largest)
        _ = check(net, task, kernel)


@pytest.mark.parametrize("bits", [8, 16, 32, 64])
@pytest.mark.parametrize("deep", [0, 1, 2])
@pytest.mark.parametrize("sign", [-1, 1])
def test_sums_of_deeper_layers_that_just_fit_and_just_do_not(bits, deep, sign):
    """Layers of -3 or 3 for each input bit, then one with a sum at the edge, then random ones."""
    last = (1 << (bits - 1)) - 1
    limit = Activation("clamp", min=-3.0, max=3.0)
    for largest, width in ((last - 1, bits), (last, 2 * bits)):
        rng = np.random.default_rng(bits + deep)
        part = largest // (22 if deep else 8)
        rest = largest - part * (21 if deep else 7)
        layers = []
        for number in range(4):
            weight = np.eye(7, dtype=int) * (1 if number else 6)
            bias = np.full(7, 0 if number else -3)
            if number >= deep:
                weight = rng.integers(-2, 3, (7, 7))
                bias = rng.integers(-2, 3, 7)
            weight, bias = weight.tolist(), bias.tolist()
            if number == deep:
                weight[0], bias[0] = [sign * part] * 7, sign * rest
            layers.append(Layer(stored_in(weight, "wide"), stored_in(bias, "wide"), limit))
        net = Network((*layers[:-1], replace(layers[-1], activation=SAME)), readout_of("> 0"),
                      None, "wide")  # fmt: skip
        own = scaled(net).layers[deep]
        assert max(own.high[0], -own.low[0]) == largest
        assert scaled(net).bits == (width if width <= WIDEST else WIDEST + 1)
        if width <= WIDEST:
            task = task_from(net, INPUTS, rng)
            kernel = written(net, task)
            assert kernel.bits == width
            assert check(net, task, kernel).wrong


ACTIVATIONS = {
    "step > 0": Activation("step"),
    "step >= 0": Activation("step", convention=">="),
    "leaky": Activation("leaky", slope=0.25),
    "prelu": Activation("prelu", slopes=(0.5, -2.0, 0.0)),
    "clamp": Activation("clamp", min=-1.5, max=2.0),
    "relu6": Activation("relu6"),
    "abs": Activation("abs"),
    "sign": Activation("sign"),
    "heaviside": Activation("heaviside", value=0.5),
    "threshold": Activation("threshold", threshold=0.5, value=-3.0),
    "where": Activation("where", convention=">=", threshold=1.0, below=2.0),
    "relu at the end": RELU,
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_lines_of_every_kind(name):
    rng = np.random.default_rng(len(name))
    kinds = [SAME, ACTIVATIONS[name]] if "end" in name else [ACTIVATIONS[name], SAME]
    net = random_net(rng, (7, 3, 2), 3, kinds, "> 0.25")
    _ = check(net, task := task_from(net, INPUTS, rng), written(net, task))


@pytest.mark.parametrize("block_bits", [6, 7])
@pytest.mark.parametrize("order", [Order(), Order("lsb-first"), Order(inputs="b,a")])
def test_orders_of_bits_free_outputs_and_bounded_words(block_bits, order):
    rng = np.random.default_rng(3)
    net = random_net(rng, (7, 4, 9), 3, [RELU, SAME], "> 0")
    task = task_from(net, INPUTS, rng, flips=5, free=0.2, bounds={"b": 11})
    task = in_order(task, order)
    fast = check(net, task, written(net, task, block_bits=block_bits))
    assert (fast.rows, task.n_out) == (88, 9)


def test_a_single_layer_has_its_sums_for_outputs():
    net = random_net(np.random.default_rng(2), (7, 3), 9, [SAME], "> 2")
    _ = check(net, task := task_from(net, INPUTS, np.random.default_rng(2)), written(net, task))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("hidden", [1, 2])
def test_floats_leave_what_they_cannot_decide_to_exact_evaluation(dtype, hidden):
    rng = np.random.default_rng(hidden)
    sizes = (8, 20, 3) if hidden == 1 else (8, 20, 18, 3)
    kinds = [RELU] * hidden + [SAME]
    net = random_net(rng, sizes, 0, kinds, "> 0.3", format="fp32")
    task = task_from(net, {"a": 8}, rng)
    floats = float_net(net, dtype)
    assert 0 < floats.bound < 0.1
    _ = check(net, task, written(net, task, dtype))
    dense = DenseKernel(floats, net.readout, Places(task, influence_order(floats), 7))
    assert check(net, task, dense).wrong == plainly(net, task).wrong > 0
    # many rows are open, whatever was computed of them
    wide = replace(floats, errors=(*floats.errors[:-1], np.full(3, 0.5)))
    loose = DenseKernel(wide, net.readout, Places(task, influence_order(floats), 7))
    _ = check(net, task, loose)


@pytest.mark.parametrize("tiny", [2.0**-40, -(2.0**-40)])
def test_a_row_within_the_bound_is_decided_exactly(tiny):
    """In fp32 the output is 0 or so where the first relu is at its least; it is ``tiny``."""
    row = [1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 0.0]
    net, right = (
        network([[row], [[3.0]]], [[1 + 2.0**-20], [end - 3 * (1 + 2.0**-20)]], format="fp64",
                readout="> 0")
        for end in (tiny, 2.0**-40)
    )  # fmt: skip
    task = task_from(right, INPUTS, np.random.default_rng(0), flips=0)
    fast = check(net, task, written(net, task, np.float32))
    assert (fast.wrong, fast.first_wrong) == ((0, None) if tiny > 0 else (2, 0))
    assert fast.of_1 == Fraction(tiny)


def test_floats_that_never_round_are_exact():
    rng = np.random.default_rng(5)
    net = random_net(rng, (8, 20, 18, 2), 2, [RELU, RELU, SAME], ">= 1")
    task = task_from(net, {"a": 4, "b": 4}, rng)
    floats = float_net(net, np.float32)
    assert floats.bound == 0
    kernel = DenseKernel(floats, net.readout, Places(task, influence_order(floats), 8))
    assert check(net, task, kernel).exact_rows == 0


def test_each_weight_that_changes_a_row_is_noticed():
    rng = np.random.default_rng(11)
    net = random_net(rng, (7, 3, 2), 2, [RELU, SAME], "> 0")
    task = task_from(net, INPUTS, rng, flips=0)
    assert check(net, task, written(net, task)).wrong == 0
    refuted = 0
    for place in range(21):
        weights = [layer.weight.exact().integers.copy() for layer in net.layers]
        weights[0].flat[place] += 2
        layers = [
            replace(layer, weight=stored_in(own, "wide"))
            for layer, own in zip(net.layers, weights, strict=True)
        ]
        mutant = replace(net, layers=tuple(layers))
        refuted += check(mutant, task, written(mutant, task)).wrong > 0
    assert refuted > 4


@pytest.mark.parametrize("row", [0, 63, 64, 127])
def test_one_wrong_row_is_the_first_wherever_it_is(row):
    net = random_net(np.random.default_rng(8), (7, 3, 1), 2, [RELU, SAME], "> 0")
    task = task_from(net, INPUTS, np.random.default_rng(8), flips=0)
    values = np.array([task.row(i).outputs["y"] for i in range(task.rows)])
    values[row] ^= 1
    wrong = task_of_columns(task.inputs, task.outputs, {"y": values}, name="wrong")
    fast = check(net, wrong, written(net, wrong, block_bits=6))
    assert (fast.wrong, fast.first_wrong) == (1, row)


def test_what_python_runs_has_the_names_of_vectors():
    own = {name for name in OPERATIONS if name not in ("np", "align_stack")}
    assert own == {name for name in own if hasattr(vectors, name)}


# --- which kernel, and what ends it -------------------------------------------------------------


def compiled_and_checked(net, task):
    kernel = kernel_of(net, task)
    result = Enumeration()
    Sweep(net, task, kernel, result).run(Budget.of(), lambda share: None, lambda text: None)
    slow = plainly(net, task)
    assert replace(result, exact_rows=0) == replace(slow, exact_rows=0)
    return kernel


def test_compiled_kernels_say_the_same(monkeypatch):
    """One of each kind: whole numbers written out, and floats of wide layers."""
    rng = np.random.default_rng(9)
    net = random_net(rng, (9, 4, 3), 9, [RELU, SAME], "> 0")
    kernel = compiled_and_checked(net, task_from(net, {"a": 5, "b": 4}, rng, free=0.1))
    assert (type(kernel), kernel.dtype) == (WrittenKernel, np.int16)
    net = random_net(rng, (9, 40, 40, 2), 0, [RELU, RELU, SAME], "> 0",
                     format="fp32")  # fmt: skip
    monkeypatch.setitem(chosen.MOST_OPEN, "float32", 1.0)
    kernel = compiled_and_checked(net, task_from(net, {"a": 5, "b": 4}, rng, free=0.1))
    assert (type(kernel), kernel.dtype) == (DenseKernel, np.float32)


def test_what_no_kernel_can_hold_is_left_alone():
    task = task_named("majority:7")
    rng = np.random.default_rng(0)
    curve = random_net(rng, (7, 3, 1), 0, [Activation("tanh"), SAME], "> 0",
                       format="fp32")  # fmt: skip
    assert kernel_of(curve, task) is None
    small = random_net(rng, (4, 3, 3), 2, [RELU, SAME], "> 0")
    assert kernel_of(small, task_named("adder:2")) is None
    huge = network([[[2.0**120] * 7], [[1.0]]], [[2.0**-100], [0.0]], format="fp32")
    assert kernel_of(huge, task) is None


@pytest.fixture
def swept(monkeypatch):
    """An enumeration that takes a kernel whatever its size, in blocks of 64 rows."""
    monkeypatch.setattr(fits, "seconds_without", lambda net, rows: 1e9)
    monkeypatch.setattr(chosen, "BLOCK_BITS", 6)
    rng = np.random.default_rng(10)
    net = random_net(rng, (9, 3, 2), 2, [RELU, SAME], "> 0")
    task = task_from(net, {"a": 5, "b": 4}, rng, flips=0)
    monkeypatch.setattr(WrittenKernel, "compile", lambda kernel, on_compile: emulated(kernel))
    monkeypatch.setattr(every_block, "cores", lambda: 1)
    return net, task


def test_an_enumeration_takes_its_kernel_and_says_how_far_it_is(swept):
    shares = []
    assert enumerate_rows(*swept, on_share=shares.append) == plainly(*swept)
    assert shares[-1] == 1.0


@pytest.mark.parametrize(
    ("stop", "text"),
    [
        (KeyboardInterrupt, "interrupted at 128 of 512 inputs, none wrong so far"),
        (CapReached("the time was up"), "the time was up after 128 of 512 inputs"),
    ],
)
def test_what_was_decided_before_an_end_is_said(swept, monkeypatch, stop, text):
    calls = []

    def block(work, number, real=Sweep._block):
        if len(calls) == 2:
            raise stop
        calls.append(number)
        real(work, number)

    monkeypatch.setattr(Sweep, "_block", block)
    if stop is KeyboardInterrupt:
        with pytest.raises(Interrupted) as ended:
            _ = enumerate_rows(*swept)
        assert str(ended.value) == text
    else:
        assert enumerate_rows(*swept).stopped == text
