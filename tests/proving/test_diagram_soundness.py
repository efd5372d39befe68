"""Diagrams against enumeration and fractions: random networks, and no false ``proved``."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from exact import bit_of, raw_outputs
from proving.reference import SAMPLES, is_right, judge, rows_of

from adderlab.building.adders.one_layer import one_layer_adder
from adderlab.building.adders.prefix import prefix_adder
from adderlab.building.adders.ripple import ripple_adder
from adderlab.nets import EXACT, Activation, Layer, Network, Readout
from adderlab.nets.tensors import Dense, Sparse, Wide
from adderlab.proving.diagrams import decide
from adderlab.proving.enumeration import enumerate_rows, margin_of
from adderlab.tasks import Task, task_named

NETWORKS = max(700, SAMPLES)
"""Random networks to judge; set ``ADDERLAB_SOUNDNESS=20000`` for a long look."""
LARGEST_JUDGED = 6
"""Input bits up to which every row is also evaluated in fractions."""

TASKS = [
    "half-adder",
    "full-adder",
    *(f"adder:{n}" for n in (2, 3, 4)),
    *(f"subtractor:{n}" for n in (1, 2, 3, 4)),
    *(f"comparator:{n}" for n in (1, 2, 3, 5)),
    *(f"parity:{n}" for n in (1, 3, 4, 7, 10)),
    *(f"majority:{n}" for n in (1, 3, 4, 7, 10)),
    *(f"popcount:{n}" for n in (1, 3, 4, 7, 8)),
]
ADDERS = (one_layer_adder, ripple_adder, prefix_adder)

Rng = np.random.Generator


@dataclass(frozen=True)
class Affine:
    """A layer as plain fractions, before it is stored."""

    weight: list[list[Fraction]]
    bias: list[Fraction]
    activation: Activation


def bits_of_sums(weights: list[int], span: int, low: int, bits: list[range]) -> list[Affine]:
    """Return a network of one sum ``s`` of inputs, and outputs that are 1 where s is in a set.

    Args:
        weights: of the inputs in the sum.
        span: how many values the sum can take.
        low: the least of them.
        bits: of each output, the values (counted from ``low``) on which it is 1.
    """
    entry, zero = Fraction(1), Fraction(0)
    hidden = [list(map(Fraction, weights)) for _ in range(span)]
    bias = [Fraction(-low - i + 1) for i in range(span)]  # relu(s - low - i + 1): s - low >= i
    rows: list[list[Fraction]] = []
    for on in bits:
        heights = [entry if i in on else zero for i in range(span)]
        slopes = [b - a for a, b in itertools.pairwise([zero, *heights])]
        rows.append([b - a for a, b in itertools.pairwise([zero, *slopes])])
    return [
        Affine(hidden, bias, Activation("relu")),
        Affine(rows, [zero] * len(bits), Activation()),
    ]


def table_of_sums(task: Task) -> list[Affine]:
    """Return a right network: a task of the catalog but parity of words is a function of a sum."""
    name, _, width = task.name.partition(":")
    n = int(width or 1)
    if name in ("parity", "majority", "popcount"):
        weights, low = [1] * n, 0
    else:
        places = [1 << i for i in reversed(range(n))]
        sign = -1 if name in ("subtractor", "comparator") else 1
        weights = [*places, *(sign * place for place in places)]
        weights += [1] if name == "full-adder" else []
        low = -(2**n - 1) if sign < 0 else 0
    span = sum(map(abs, weights)) + 1
    result: dict[int, list[int | None]] = {}
    for row in rows_of(task):
        total = sum(w * bit for w, bit in zip(weights, row.bits, strict=True))
        assert result.setdefault(total, row.expected) == row.expected
    on = [
        [i for i in range(span) if result.get(i + low, [0] * task.n_out)[out]]
        for out in range(task.n_out)
    ]
    return bits_of_sums(weights, span, low, on)  # type: ignore[arg-type]


def plain_layers(net: Network) -> list[Affine]:
    """Return an adder's layers as fractions."""
    result: list[Affine] = []
    for layer in net.layers:
        weight = layer.weight.exact()
        rows = [[weight.at(i, j) for j in range(layer.n_in)] for i in range(layer.n_out)]
        bias = layer.bias.exact() if layer.bias is not None else None
        biases = [bias.at(i) if bias is not None else Fraction(0) for i in range(layer.n_out)]
        result.append(Affine(rows, biases, layer.activation))
    return result


def disguised(layers: list[Affine], rng: Rng) -> list[Affine]:
    """Return the same function: hidden units permuted and positively rescaled."""
    layers = list(layers)
    for at in range(len(layers) - 1):
        below, above = layers[at], layers[at + 1]  # the one above is replaced, then rescaled itself
        order = rng.permutation(len(below.weight)).tolist()
        factors = [Fraction(2) ** int(rng.integers(-2, 3)) for _ in order]
        layers[at] = Affine(
            [[w * f for w in below.weight[i]] for i, f in zip(order, factors, strict=True)],
            [below.bias[i] * f for i, f in zip(order, factors, strict=True)],
            below.activation,
        )
        rows = [[row[i] / f for i, f in zip(order, factors, strict=True)] for row in above.weight]
        layers[at + 1] = Affine(rows, above.bias, above.activation)
    return layers


def mutated(layers: list[Affine], rng: Rng) -> list[Affine]:
    """Return the layers with one weight or bias changed."""
    at = int(rng.integers(len(layers)))
    weight = [list(row) for row in layers[at].weight]
    bias = list(layers[at].bias)
    change = Fraction(int(rng.choice([-2, -1, 1, 2])), int(rng.choice([1, 1, 2, 64])))
    unit = int(rng.integers(len(bias)))
    if rng.random() < 0.25:
        bias[unit] += change
    else:
        weight[unit][int(rng.integers(len(weight[unit])))] += change
    return [*layers[:at], Affine(weight, bias, layers[at].activation), *layers[at + 1 :]]


def random_activation(rng: Rng) -> Activation:
    kind = str(rng.choice(["relu", "step", "leaky", "identity"], p=[0.5, 0.2, 0.2, 0.1]))
    slope = float(rng.choice([0.125, 0.01, -0.5, 0.0, 2.5])) if kind == "leaky" else 0.0
    return Activation(kind, slope, str(rng.choice([">", ">="])))  # type: ignore[arg-type]


def random_layers(task: Task, rng: Rng) -> list[Affine]:
    """Return layers of whole numbers, of a grid, or of any doubles."""
    sizes = [task.n_in, *rng.integers(1, 7, rng.integers(0, 3)).tolist(), task.n_out]
    result: list[Affine] = []
    for at, (n_in, n_out) in enumerate(itertools.pairwise(sizes)):
        taste = str(rng.choice(["whole", "grid", "dense"], p=[0.5, 0.3, 0.2]))
        shape = (n_out, n_in + 1)
        numbers = {
            "whole": rng.integers(-3, 4, shape).astype(float),
            "grid": rng.integers(-12, 13, shape) / 8,
            "dense": rng.normal(size=shape),
        }[taste]
        if rng.random() < 0.5:
            numbers[rng.random(shape) < 0.5] = 0
        plain = [[Fraction(v) for v in row] for row in numbers.tolist()]
        is_last = at == len(sizes) - 2 and rng.random() < 0.75
        activation = Activation() if is_last else random_activation(rng)
        result.append(Affine([row[:-1] for row in plain], [row[-1] for row in plain], activation))
    return result


def stored(layer: Affine, rng: Rng) -> Layer:
    """Return a layer stored as doubles or wide numbers, dense or sparse, bias or none."""
    weight = np.array(layer.weight, dtype=object)
    numbers = [*weight.ravel(), *layer.bias]
    is_whole = all(value.denominator == 1 for value in numbers)
    is_wide = is_whole and rng.random() < 0.3

    def held(values: list[Fraction]) -> Dense | Wide:
        if not is_wide:
            assert all(Fraction(float(value)) == value for value in values)
            return Dense(np.array([float(value) for value in values]))
        whole = np.empty(len(values), dtype=object)
        whole[:] = [int(value) for value in values]
        return Wide.of(whole)

    bias = held(layer.bias) if any(layer.bias) or rng.random() < 0.3 else None
    if rng.random() < 0.4:
        keep = np.array(weight != 0, dtype=bool) | (rng.random(weight.shape) < 0.1)
        indptr = np.concatenate([[0], np.cumsum(keep.sum(axis=1))]).astype(np.uint32)
        indices = np.nonzero(keep)[1].astype(np.uint16)
        stored_weight = Sparse(weight.shape, indptr, indices, held(list(weight[keep])))
        return Layer(stored_weight, bias, layer.activation)
    flat = held(list(weight.ravel()))
    full = (
        Wide.of(flat.numbers.reshape(weight.shape))
        if isinstance(flat, Wide)
        else Dense(flat.numbers.reshape(weight.shape))
    )
    return Layer(full, bias, layer.activation)


def random_case(seed: int) -> tuple[Network, Task, str]:
    """Return a network free of tanh, its task, and where it comes from."""
    rng = np.random.default_rng([seed, 20261121])
    source = str(rng.choice(["right", "mutant", "random"], p=[0.3, 0.35, 0.35]))
    task = task_named(str(rng.choice(TASKS)))
    if source == "random":
        layers = random_layers(task, rng)
    elif task.name.startswith("adder") and rng.random() < 0.7:
        build = ADDERS[int(rng.integers(3))]
        layers = plain_layers(build(task, "wide"))
    else:
        layers = table_of_sums(task)
    if source != "random":
        layers = disguised(layers, rng)
        layers = mutated(layers, rng) if source == "mutant" else layers
    net = Network(tuple(stored(layer, rng) for layer in layers), task=task, format="fp64")
    threshold = float(rng.choice([0.5, 0.25, 0.0, 1.0]))
    if source == "random" and rng.random() < 0.5:  # exactly on a value that occurs
        reached = raw_outputs(net, rng.integers(0, 2, net.n_in).tolist())[0]
        threshold = float(reached) if Fraction(float(reached)) == reached else threshold
    convention = {0.0: ">", 1.0: ">="}.get(threshold) if source == "right" else None
    convention = convention or str(rng.choice([">", ">="]))
    readout = Readout("threshold", threshold, convention)  # type: ignore[arg-type]
    return replace(net, readout=EXACT if rng.random() < 0.3 else readout), task, source


def test_no_random_network_is_falsely_proved() -> None:
    """Verdict, counterexample and margin agree with enumeration, and with fractions."""
    seen: Counter[str] = Counter()
    false_proved: list[int] = []
    for seed in range(NETWORKS):
        net, task, source = random_case(seed)
        truth = enumerate_rows(net, task)
        verdict = decide(net, task)
        assert verdict.is_right is not None, (seed, verdict.reason)
        if verdict.is_right and truth.wrong:
            false_proved.append(seed)
            continue
        assert verdict.is_right == (truth.wrong == 0), seed
        seen["right" if verdict.is_right else "wrong"] += 1
        seen[f"{source} {'right' if verdict.is_right else 'wrong'}"] += 1
        seen[net.readout.kind] += 1
        if source == "right":
            assert verdict.is_right, seed
        if task.n_in <= LARGEST_JUDGED:
            judged = judge(net, task)
            seen["judged"] += 1
            assert verdict.is_right == (not judged.wrong), seed
            if verdict.is_right and net.readout.kind == "threshold":
                assert verdict.margin is not None, seed
                assert (verdict.margin.of_0, verdict.margin.of_1) == (judged.of_0, judged.of_1), (
                    seed
                )
        if verdict.is_right:
            assert verdict.wrong is None, seed
            assert verdict.margin == margin_of(truth, net), seed
            seen["tie"] += verdict.margin is not None and verdict.margin.min == 0
            continue
        assert verdict.margin is None, seed
        assert verdict.wrong is not None, seed
        assert sorted(verdict.wrong) == sorted(task.input_bits), seed
        bits = [verdict.wrong[name] for name in task.input_bits]
        got = [bit_of(net.readout, value) for value in raw_outputs(net, bits)]
        row = next(row for row in rows_of(task) if row.bits == bits)
        assert not is_right(got, row.expected), seed
    print(f"{len(false_proved)} falsely proved of {NETWORKS}: {dict(seen)}")
    assert not false_proved
    assert 10 * seen["right"] >= NETWORKS
    for kind in ("wrong", "right right", "mutant wrong", "random wrong", "exact", "threshold"):
        assert 10 * seen[kind] >= NETWORKS, kind
    assert 3 * seen["judged"] >= NETWORKS
    for kind in ("mutant right", "tie"):
        assert 20 * seen[kind] >= NETWORKS, kind
    assert seen["random right"] > 0
