"""The prover against fractions: 300 random networks, every mutant, and networks known wrong."""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import hypothesis.strategies as st
import mpmath
import numpy as np
import pytest
from exact import bit_of, raw_outputs
from hypothesis import given
from proving.reference import SAMPLES, bit_in, in_order, is_right, judge, rows_of, words_of
from strategies import MANY, STRAIGHT, fractions_of, graphs, networks, tasks

from adderlab.building.lecture import lecture_network
from adderlab.formats import FORMATS
from adderlab.nets import EXACT, Activation, Layer, Network, Readout, network
from adderlab.nets.network import map_parameters
from adderlab.nets.tensors import Dense, Packed, Scaled, Sparse, Wide, as_stored
from adderlab.proving.enumeration import enumerate_rows
from adderlab.proving.verdict import worst_of
from adderlab.tasks import Task, task_named
from adderlab.tasks.tables import parse_table
from adderlab.verbs.prove import prove

NETWORKS = max(300, SAMPLES)
"""Random networks to judge; set ``ADDERLAB_SOUNDNESS=20000`` for a long look."""

Rng = np.random.Generator


def random_numbers(rng: Rng, shape: tuple[int, ...], name: str, taste: str) -> np.ndarray:
    """Return numbers that a format can hold: small ones, on a grid, dense, or of any size."""
    form = FORMATS[name]
    if form.levels:
        return rng.choice(np.array(form.levels), shape).astype(object)
    if form.kind == "wide":
        powers = rng.choice([0, 0, 1, 61, 62, 63, 64, 70, 1100], shape)
        signs = rng.choice([-1, 0, 1], shape)
        return signs.astype(object) * 2 ** powers.astype(object)
    if form.kind == "integer":
        low, high = (max(form.least, -3), min(form.largest, 3))
        if taste == "dense":
            low, high = form.least, form.largest
        return rng.integers(low, high + 1, shape).astype(object)
    if taste == "small":
        return rng.integers(-3, 4, shape).astype(float)
    if taste == "grid":
        return rng.integers(-12, 13, shape) / 8
    if taste == "dense":
        return rng.normal(size=shape)
    reach = {"fp64": 60, "fp32": 60, "bf16": 60}.get(name, 5)
    return rng.normal(size=shape) * 2.0 ** rng.integers(-reach, reach, shape)


def random_layer(rng: Rng, n_in: int, n_out: int, name: str, activation: Activation) -> Layer:
    """Return a layer stored in a random way: dense, sparse, or scaled; with a bias or without."""
    form = FORMATS[name]
    taste = rng.choice(["small", "grid", "dense", "wild"], p=[0.4, 0.25, 0.25, 0.1])
    weight = as_stored(random_numbers(rng, (n_out, n_in), name, taste), form)
    way = rng.choice(["dense", "sparse", "scaled"], p=[0.7, 0.2, 0.1])
    if way == "sparse":
        keep = rng.random((n_out, n_in)) < 0.5
        indptr = np.concatenate([[0], np.cumsum(keep.sum(axis=1))]).astype(np.uint16)
        values = weight.numbers[keep]
        weight = Sparse(
            (n_out, n_in),
            indptr,
            np.nonzero(keep)[1].astype(np.uint8),
            Wide.of(values) if isinstance(weight, Wide) else replace(weight, numbers=values),
        )
    elif way == "scaled" and form.kind == "float":
        q = Packed(rng.integers(-8, 8, (n_out, n_in)), 4)
        scale = Dense(rng.choice([0.5, 0.3, 1.0, 3.0], n_out).astype(np.float32))
        zero = Dense(rng.integers(-2, 3, n_out).astype(np.int8)) if rng.random() < 0.5 else None
        weight = Scaled(q, scale, zero)
    bias = as_stored(random_numbers(rng, (n_out,), name, taste), form)
    return Layer(weight, bias if rng.random() < 0.8 else None, activation)


def random_activation(rng: Rng) -> Activation:
    if rng.random() < 0.4:
        return STRAIGHT[rng.integers(len(STRAIGHT))]
    kind = rng.choice(["relu", "leaky", "step", "identity"], p=[0.5, 0.2, 0.2, 0.1])
    slope = float(rng.choice([0.125, 0.3, 2.0, -0.5])) if kind == "leaky" else 0.0
    return Activation(str(kind), slope, str(rng.choice([">", ">="])))


def table_of(net: Network, rng: Rng) -> Task:
    """Return a table for the network's inputs: mostly what it computes, with faults and stars."""
    cut = int(rng.integers(1, net.n_in)) if net.n_in > 1 else 0
    widths = [w for w in (cut, net.n_in - cut) if w]
    bounds = [int(rng.integers(1, 1 << w)) if rng.random() < 0.2 else 1 << w for w in widths]
    split = int(rng.integers(1, net.n_out)) if net.n_out > 1 else 0
    out = [w for w in (split, net.n_out - split) if w]
    faults = rng.choice([0, 0, 1, 3, 40])
    rows = list(itertools.product(*map(range, bounds)))
    wrong = set(rng.integers(0, len(rows), faults).tolist())
    stars = rng.random() < 0.3
    lines = [
        ",".join(
            [f"in {n}:{w}<{b}" for n, w, b in zip("ab", widths, bounds, strict=False)]
            + [f"out {n}:{w}" for n, w in zip("yz", out, strict=False)]
        )
    ]
    for number, row in enumerate(rows):
        inputs = [int(c) for n, w in zip(row, widths, strict=True) for c in f"{n:0{w}b}"]
        bits = [bit_of(net.readout, value) or 0 for value in raw_outputs(net, inputs)]
        if number in wrong:
            bits[int(rng.integers(len(bits)))] ^= 1
        text = "".join(map(str, bits))
        cells = [text[: out[0]], text[out[0] :]][: len(out)]
        cells = ["*" if stars and rng.random() < 0.3 else f"0b{cell}" for cell in cells]
        lines.append(",".join([*map(str, row), *cells]))
    return parse_table("\n".join(lines), where="random")


def random_case(seed: int) -> tuple[Network, Task]:
    """Return a network free of tanh, with a table that it computes, or nearly."""
    rng = np.random.default_rng(seed)
    name = str(rng.choice([n for n in FORMATS if n != "binary"] + ["fp32"] * 6))
    n_in = int(rng.choice([1, 2, 3, 4, 5, 10], p=[0.1, 0.25, 0.25, 0.2, 0.17, 0.03]))
    sizes = [n_in, *rng.integers(1, 6, rng.integers(0, 3)).tolist(), int(rng.integers(1, 4))]
    last = len(sizes) - 2
    layers = tuple(
        random_layer(
            rng,
            a,
            b,
            name,
            random_activation(rng) if k < last or rng.random() < 0.2 else Activation(),
        )
        for k, (a, b) in enumerate(itertools.pairwise(sizes))
    )
    net = Network(layers, format=name)
    convention = str(rng.choice([">", ">="]))
    threshold = float(rng.choice([0.0, 0.5, 0.25]))
    if rng.random() < 0.5:  # exactly on a value that occurs
        reached = raw_outputs(net, rng.integers(0, 2, n_in).tolist())[0]
        is_double = abs(reached) < 2**1000 and Fraction(float(reached)) == reached
        threshold = float(reached) if is_double else threshold
    readout = EXACT if rng.random() < 0.15 else Readout("threshold", threshold, convention)
    net = replace(net, readout=readout)
    return net, table_of(net, rng)


def test_random_networks_are_judged_as_fractions_judge_them() -> None:
    """The verdict, the first counterexample, the rows right and the margins, all exactly."""
    seen: Counter[str] = Counter()
    for seed in range(NETWORKS):
        net, task = random_case(seed)
        expected = judge(net, task)
        verdict = prove(net, task)
        seen[verdict.verdict] += 1
        assert verdict.exact == ("refuted" if expected.wrong else "proved"), seed
        assert verdict.verdict == worst_of(
            [verdict.exact, *(f.verdict for f in verdict.formats.values())]
        )
        assert verdict.rows == len(expected.raw), seed
        assert verdict.rows_right == expected.right, seed
        if net.readout.kind == "exact":
            assert verdict.margin is None, seed
            seen["exact readout"] += 1
        elif verdict.margin is None:
            assert expected.of_0 is None, seed
            assert expected.of_1 is None, seed
        else:
            assert verdict.margin.is_exact, seed
            assert (verdict.margin.of_0, verdict.margin.of_1) == (expected.of_0, expected.of_1), (
                seed
            )
            seen["tie"] += 0 in (expected.of_0, expected.of_1)
        example = verdict.counterexample
        assert (example is None) == (verdict.verdict != "refuted"), seed
        if expected.wrong:
            assert example is not None, seed
            row = rows_of(task)[expected.wrong[0]]
            raw = expected.raw[expected.wrong[0]]
            bits = [bit_of(net.readout, value) for value in raw]
            assert example.input == row.inputs, seed
            assert example.got == words_of(task, bits), seed
            assert example.output == tuple(raw), seed
            assert example.semantics == "exact", seed
            assert example.replays["exact"] is True, seed
        for name, entry in verdict.formats.items():
            seen[f"format {entry.verdict}"] += 1
            if entry.verdict == "refuted" and FORMATS[name].kind == "float":
                assert entry.counterexample is not None, seed
                at = entry.counterexample
                row = next(row for row in rows_of(task) if row.inputs == at.input)
                values = in_order(net, row.bits, name, at.order, task)
                assert [str(math.nan if v is None else v) for v in values] == list(
                    map(str, at.output)
                )
                bits = [bit_in(net.readout, v, name) for v in values]
                assert not is_right(bits, row.expected), seed
                exact = [bit_of(net.readout, v) for v in raw_outputs(net, row.bits)]
                assert at.replays == {"exact": not is_right(exact, row.expected), name: True}, seed
            elif entry.is_exact:
                assert entry.verdict == verdict.exact, seed
        whole = enumerate_rows(net, task)
        seen["filtered"] += whole.exact_rows == 0
        seen["evaluated"] += whole.exact_rows > 0
    print(dict(seen))
    for kind in ("proved", "refuted", "exact readout", "tie", "filtered", "evaluated"):
        assert seen[kind] >= NETWORKS // 20, kind
    for kind in ("format proved", "format refuted", "format unknown"):
        assert seen[kind] >= NETWORKS // 20, kind


@given(networks(task=tasks(), tanh=False) | graphs(task=tasks(), tanh=False), st.data())
@MANY
def test_networks_of_any_stored_numbers_are_judged_as_fractions_judge_them(
    net: Network, data: st.DataObject
) -> None:
    """Bit patterns of every element type, packed, wide, sparse and scaled, to 2**±1000."""
    task = net.task
    assert task is not None
    reached = [value for row in rows_of(task)[:1] for value in raw_outputs(net, row.bits)]
    ties = [float(v) for v in reached if abs(v) < 2**1000 and Fraction(float(v)) == v]
    if ties and data.draw(st.booleans()):
        readout = Readout("threshold", ties[0], data.draw(st.sampled_from([">", ">="])))
        net = replace(net, readout=readout)
    expected = judge(net, task)
    verdict = prove(net, formats="exact")
    assert verdict.verdict == ("refuted" if expected.wrong else "proved")
    assert verdict.rows_right == expected.right
    assert str(prove(net))
    if verdict.margin is not None:
        assert (verdict.margin.of_0, verdict.margin.of_1) == (expected.of_0, expected.of_1)
    if verdict.counterexample is not None:
        assert verdict.counterexample.output == tuple(expected.raw[expected.wrong[0]])
        assert verdict.counterexample.input == rows_of(task)[expected.wrong[0]].inputs
    assert str(verdict)
    assert json.dumps(verdict.to_dict(), allow_nan=False)


def plain_network(task: str, weights: list, biases: list, **more: object) -> Network:
    return network(weights, biases, task=task_named(task), **more)


def parity(width: int) -> Network:
    """Return parity by as many relus: h_i = relu(sum - i), output weights 1, -2, 2, -2, …"""
    alternating = [1, *(-2 if i % 2 else 2 for i in range(1, width))]
    return plain_network(
        f"parity:{width}",
        [[[1] * width] * width, [alternating]],
        [[-i for i in range(width)], None],
    )


SMALL = {
    "half-adder": plain_network(
        "half-adder", [[[1, 1], [1, 1]], [[0, 1], [1, -2]]], [[0, -1], [0, 0]]
    ),
    "half-adder, an exact readout": plain_network(
        "half-adder", [[[1, 1], [1, 1]], [[0, 1], [1, -2]]], [[0, -1], None], readout=EXACT
    ),
    "full-adder": plain_network(
        "full-adder",
        [[[1, 1, 1]] * 3, [[0, 1, -1], [1, -2, 2]]],
        [[0, -1, -2], [0, 0]],
        format="int3",
    ),
    "parity:4": parity(4),
    "majority:3, steps": plain_network(
        "majority:3",
        [[[1, 1, 1], [1, 1, 1]], [[3, -1]]],
        [[-2, -3], [0]],
        activation=Activation("step", convention=">="),
        readout=Readout("threshold", 2.0, ">="),
    ),
    "comparator:1, leaky": plain_network(
        "comparator:1",
        [[[1, -1], [-1, 1]], [[-1, 1], [-1, -1], [1, -1]]],
        [[0, 0], [-0.5, 0.75, -0.5]],
        activation=Activation("leaky", 0.125),
        readout=Readout("threshold", 0.0, ">="),
    ),
}


@pytest.mark.parametrize("name", SMALL)
def test_every_single_parameter_mutant_is_refuted_where_it_changes_a_bit(name: str) -> None:
    """And proved where it changes none; each counterexample replays in fractions."""
    net = SMALL[name]
    task = net.task
    assert task is not None
    assert prove(net)
    net = replace(net, format="fp32")
    changes = Counter[str]()
    for tensor_name, tensor in net.tensors():
        values = fractions_of(tensor)
        for index, value in np.ndenumerate(values):
            for new in (value + 1, value - 1, value + Fraction(1, 2), -value, value + 2**-10, 4):
                mutated = values.copy()
                mutated[index] = Fraction(new)
                stored = as_stored(mutated, FORMATS["fp32"])
                mutant = map_parameters(
                    net, lambda n, t, stored=stored, at=tensor_name: stored if n == at else t
                )
                wrong = judge(mutant, task).wrong
                verdict = prove(mutant)
                where = (tensor_name, index, new)
                assert verdict.verdict == ("refuted" if wrong else "proved"), where
                changes[verdict.verdict] += 1
                if verdict.counterexample is not None:
                    row = next(r for r in rows_of(task) if r.inputs == verdict.counterexample.input)
                    raw = raw_outputs(mutant, row.bits)
                    assert tuple(raw) == verdict.counterexample.output, where
                    assert not is_right([bit_of(net.readout, v) for v in raw], row.expected), where
                    assert verdict.counterexample.replays == {"exact": True, "fp32": True}, where
    assert changes["refuted"] >= 10
    assert changes["proved"] >= 1


def test_the_lecture_network_is_refuted_on_one_plus_one() -> None:
    """It is the negative control of the whole project: it says 1 + 1 = 3."""
    verdict = prove(lecture_network(task_named("half-adder")))
    assert verdict.verdict == "refuted"
    assert verdict.rows_right == 3
    assert verdict.counterexample is not None
    assert verdict.counterexample.input == {"a": 1, "b": 1}
    assert verdict.counterexample.expected == {"c": 2}
    assert verdict.counterexample.got == {"c": 3}
    assert verdict.counterexample.output == (Fraction(1, 2), Fraction(1, 2))
    assert verdict.counterexample.replays == {"exact": True, "fp32": True}
    assert verdict.formats["fp32"].verdict == "refuted"


def with_one_fault(width: int, row: int) -> Network:
    """Return the parity network with a unit that is on at that row alone, and adds 1 there."""
    base = parity(width)
    bits = [int(c) for c in f"{row:0{width}b}"]
    first, second = (fractions_of(layer.weight).tolist() for layer in base.layers)
    detector = [1 if bit else -1 for bit in bits]
    biases = [*(-i for i in range(width)), 1 - sum(bits)]
    return plain_network(
        f"parity:{width}", [[*first, detector], [[*second[0], 1]]], [biases, None], readout=EXACT
    )


@pytest.mark.parametrize("row", [0, 1, 0b0110_1001_0111_0011, (1 << 16) - 1])
def test_one_wrong_row_among_65536_is_found(row: int) -> None:
    """Wherever it lies: first, last, or between; and no other row is blamed."""
    verdict = prove(with_one_fault(16, row))
    assert verdict.verdict == "refuted"
    assert verdict.rows_right == (1 << 16) - 1
    assert verdict.counterexample is not None
    assert verdict.counterexample.input == {"x": row}
    right = row.bit_count() % 2
    assert verdict.counterexample.expected == {"p": right}
    assert verdict.counterexample.output == (right + 1,)


def test_parity_of_16_bits_is_proved_by_the_grid_rule() -> None:
    """Sixteen relus, no rounding on any of 65536 rows, margin a half on both sides."""
    net = parity(16)
    verdict = prove(net)
    assert verdict
    assert verdict.rows == verdict.rows_right == 1 << 16
    assert verdict.formats["fp32"].reason == "the grid rule"
    assert verdict.margin is not None
    assert verdict.margin.to_dict() == {"of_0": "1/2", "of_1": "1/2", "min": "1/2", "exact": True}


@pytest.mark.slow
def test_parity_of_20_bits_is_proved() -> None:
    """The largest task that enumeration takes."""
    verdict = prove(parity(20))
    assert verdict
    assert verdict.rows == verdict.rows_right == 1 << 20


def high_precision(net: Network, bits: list[int]) -> list[mpmath.mpf]:
    """Return the raw outputs of a row of a network with tanh, to 80 digits."""
    with mpmath.workdps(80):
        values = [mpmath.mpf(bit) for bit in bits]
        for layer in net.layers:
            weight = fractions_of(layer.weight)
            bias = fractions_of(layer.bias) if layer.bias is not None else [0] * len(weight)
            sums = [
                mpmath.fdot((_mp(w), x) for w, x in zip(row, values, strict=True)) + _mp(b)
                for row, b in zip(weight, bias, strict=True)
            ]
            kinds = {"tanh": mpmath.tanh, "identity": lambda x: x, "relu": lambda x: max(x, 0)}
            values = [kinds[layer.activation.kind](total) for total in sums]
    return values


def _mp(value: Fraction) -> mpmath.mpf:
    value = Fraction(value)
    return mpmath.mpf(value.numerator) / value.denominator


def tanh_network(seed: int) -> tuple[Network, Task]:
    rng = np.random.default_rng(seed)
    sizes = [int(rng.integers(1, 5)), *rng.integers(1, 5, rng.integers(1, 3)).tolist(), 2]
    last = len(sizes) - 2
    layers = tuple(
        Layer(
            Dense((rng.normal(size=(b, a)) * rng.choice([0.3, 2.0, 30.0])).astype(np.float32)),
            Dense(rng.normal(size=b).astype(np.float32)),
            Activation() if k == last else Activation("tanh" if rng.random() < 0.8 else "relu"),
        )
        for k, (a, b) in enumerate(itertools.pairwise(sizes))
    )
    layers = (replace(layers[0], activation=Activation("tanh")), *layers[1:])
    net = Network(layers, Readout("threshold", 0.25, ">"))
    lines = [f"in a:{net.n_in},out y:1,out z:1"]
    for number in range(1 << net.n_in):
        raw = high_precision(net, [int(c) for c in f"{number:0{net.n_in}b}"])
        bits = [int(value > 0.25) for value in raw]
        if seed % 2 and number == seed % (1 << net.n_in):
            bits[seed % 3 % 2] ^= 1
        lines.append(f"{number},{bits[0]},{bits[1]}")
    return net, parse_table("\n".join(lines), where="random")


def test_random_tanh_networks_are_judged_as_80_digits_judge_them() -> None:
    """Verdict and counterexample agree, and the margins are bounds, and close."""
    seen: Counter[str] = Counter()
    for seed in range(60):
        net, task = tanh_network(seed)
        verdict = prove(net, task, formats=["exact", "fp32"])
        assert verdict.exact == ("refuted" if seed % 2 else "proved"), seed
        example = verdict.counterexample
        if verdict.exact == "refuted":
            assert example is not None, seed
            assert example.input == {"a": seed % (1 << net.n_in)}, seed
        assert verdict.margin is not None, seed
        assert not verdict.margin.is_exact, seed
        for side, label in ((verdict.margin.of_0, 0), (verdict.margin.of_1, 1)):
            with mpmath.workdps(80):
                distances = [
                    (value - mpmath.mpf(0.25)) * (1 if label else -1)
                    for row in rows_of(task)
                    for value, bit in zip(high_precision(net, row.bits), row.expected, strict=True)
                    if bit == label
                ]
                if side is None:
                    assert not distances, seed
                    continue
                gap = min(distances) - _mp(side)
                assert 0 <= gap < 1e-9, seed
        fp32 = verdict.formats["fp32"]
        assert "tanh within 2 units in the last place" in fp32.reason, seed
        seen[fp32.verdict] += 1
        if seed % 2 == 0 and fp32.verdict == "refuted":  # then a row is close to the threshold
            assert verdict.margin.min is not None
            assert verdict.margin.min < 1e-4, seed
    assert seen["proved"] >= 20
    assert seen["unknown"] <= 6
