"""Solution classes: blind to the order and the scale of units, and to nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from adderlab.nets import Activation
from adderlab.tasks import task_named
from adderlab.training import Settings
from adderlab.training.census.findings import units_on
from adderlab.training.census.patterns import class_text, pattern_text, shapes_of
from adderlab.training.judging import judge

HALF_ADDER = task_named("half-adder")
MEMBERS, HIDDEN = 60, 5
RELU = Activation("relu")


def networks(seed: int = 3):
    """Return the weights of some random networks: fc1.weight, fc1.bias, fc2.weight, fc2.bias."""
    random = np.random.default_rng(seed)
    shapes = ((HIDDEN, 2), (HIDDEN,), (2, HIDDEN), (2,))
    return tuple(random.normal(size=(MEMBERS, *shape)).astype(np.float32) for shape in shapes)


def shapes(arrays, kind="relu"):
    settings = Settings(hidden=arrays[0].shape[1], activation=kind)
    on = units_on(judge(HALF_ADDER, settings, arrays).on, settings)
    return shapes_of(on, arrays[-2], settings.network_activation)


def permuted(arrays, seed=5):
    order = np.random.default_rng(seed).permutation(HIDDEN)
    assert (order != np.arange(HIDDEN)).any()
    w1, b1, w2, b2 = arrays
    return w1[:, order], b1[:, order], w2[:, :, order], b2


def scaled(arrays, factors):
    w1, b1, w2, b2 = arrays
    return w1 * factors[:, None], b1 * factors, w2 / factors, b2


@pytest.mark.parametrize("kind", ["relu", "leaky:0.125", "tanh"])
def test_a_class_does_not_change_when_units_are_permuted(kind):
    arrays = networks()
    first, second = shapes(arrays, kind), shapes(permuted(arrays), kind)
    assert (first.classes == second.classes).all()
    assert (first.patterns != second.patterns).any()  # a pattern has an order


@pytest.mark.parametrize("kind", ["relu", "leaky:0.125"])
def test_a_class_does_not_change_when_units_are_scaled(kind):
    arrays = networks()
    factors = np.array([0.25, 2, 64, 0.5, 8], dtype=np.float32)
    first, second = shapes(arrays, kind), shapes(scaled(arrays, factors), kind)
    assert (first.classes == second.classes).all()
    assert (first.patterns == second.patterns).all()


def test_a_tanh_unit_and_its_negative_are_one():
    arrays = networks()
    signs = np.array([1, -1, -1, 1, -1], dtype=np.float32)
    first, second = shapes(arrays, "tanh"), shapes(scaled(arrays, signs), "tanh")
    assert (first.classes == second.classes).all()
    assert (shapes(arrays).classes != shapes(scaled(arrays, signs)).classes).any()  # relu: two


def test_what_a_dead_unit_adds_to_does_not_matter():
    w1, b1, w2, b2 = networks()
    w1[:, 2], b1[:, 2] = -1, -1
    other = w2.copy()
    other[:, :, 2] *= -1
    assert (shapes((w1, b1, w2, b2)).classes == shapes((w1, b1, other, b2)).classes).all()


def test_classes_differ_where_an_outgoing_sign_or_a_row_does():
    w1, b1, w2, b2 = networks()
    w1[:, 0], b1[:, 0] = 1, 1  # on at every row
    base = shapes((w1, b1, w2, b2)).classes
    turned = w2.copy()
    turned[:, 0, 0] *= -1
    assert (shapes((w1, b1, turned, b2)).classes != base).all()
    off = b1.copy()
    off[:, 0] = -0.5  # no longer on at 0 + 0
    assert (shapes((w1, off, w2, b2)).classes != base).all()


def test_classes_and_texts_agree_on_who_is_the_same():
    arrays = networks()
    settings = Settings(hidden=HIDDEN)
    on = units_on(judge(HALF_ADDER, settings, arrays).on, settings)
    shapes = shapes_of(on, arrays[-2], RELU)
    texts = [class_text((on[0][i],), arrays[-2][i], RELU) for i in range(MEMBERS)]
    by_text = {text: {int(shapes.classes[i]) for i in range(MEMBERS) if texts[i] == text}
               for text in texts}  # fmt: skip
    assert all(len(codes) == 1 for codes in by_text.values())
    assert len(by_text) == len(np.unique(shapes.classes)) > 10


def test_a_network_of_two_hidden_layers_may_be_permuted_in_both():
    random = np.random.default_rng(11)
    sizes = ((4, 2), (4,), (3, 4), (3,), (2, 3), (2,))
    w1, b1, w2, b2, w3, b3 = (random.normal(size=(30, *s)).astype(np.float32) for s in sizes)
    left, right = [2, 0, 3, 1], [1, 2, 0]
    other = (w1[:, left], b1[:, left], w2[:, right][:, :, left], b2[:, right], w3[:, :, right], b3)
    settings = Settings(hidden=(4, 3))
    result = []
    for arrays in ((w1, b1, w2, b2, w3, b3), other):
        on = units_on(judge(HALF_ADDER, settings, arrays).on, settings)
        result.append(shapes_of(on, arrays[-2], RELU))
    assert (result[0].classes == result[1].classes).all()
    assert len(np.unique(result[0].classes)) > 20


def test_the_lectures_two_units_in_words():
    """h1 = relu(a + b), h2 = relu(a + b - 1); c1 = h2, c0 = h1 - 2 h2."""
    on = np.array([[0, 1, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]], dtype=bool)
    weight = np.array([[0, 1, 5], [1, -2, 5]], dtype=np.float32)
    assert pattern_text((on,)) == "0111 0001 0000"
    assert class_text((on,), weight, RELU) == "0001(+-) 0111(0+)"
