"""Verdicts on arrays of members: what prove says of each, ties and all."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from adderlab.nets import outputs, read_bits
from adderlab.tasks import read_table, task_named
from adderlab.training import Settings, draws, judging
from adderlab.training.judging import DIVERGED, expected_code, judge, table_of
from adderlab.training.members import shaped
from adderlab.training.networks import dead_units, network_of
from adderlab.verbs.prove import prove

HALF_ADDER = task_named("half-adder")
TINY = 2.0**-60
"""Added to 0.5 in double it is lost; in float32 it is a weight like any other."""


def started(task, settings, count):
    """Return members as they start: every kind of wrong network."""
    members = np.arange(count, dtype=np.uint64)
    return shaped(draws.start(task, settings, members), task, settings)


def network(task, settings, arrays, member):
    return network_of([np.ascontiguousarray(a[member]) for a in arrays], task, settings, "judged")


@pytest.mark.parametrize(
    ("task", "options"),
    [
        ("half-adder", {"hidden": 2, "init_scale": 2.0}),
        ("half-adder", {"hidden": 3, "activation": "tanh", "init_scale": 3.0}),
        ("half-adder", {"hidden": (3, 2), "loss": "bce", "activation": "leaky:2.5"}),
        ("full-adder", {"hidden": (2, 3), "activation": "leaky:-0.5", "init": "xavier"}),
        ("subtractor:2", {"hidden": 4, "init": "he"}),
    ],
)
def test_members_are_judged_as_prove_judges_them(task, options):
    target, settings = task_named(task), Settings(seed=3, **options)
    arrays = started(target, settings, 40)
    judgement = judge(target, settings, arrays)
    assert len(judgement) == 40
    for member in range(40):
        net = network(target, settings, arrays, member)
        verdict = prove(net)
        assert (verdict.verdict == "proved") is bool(judgement.is_right[member])
        assert verdict.rows_right == judgement.rows_right[member]
        low, high = float(verdict.margin.min), judgement.margin[member]
        assert high == pytest.approx(low, abs=2**-40 * max(1, abs(low)))
        if settings.activation != "tanh":
            bits, _ = read_bits(net.readout, outputs(net, next(target.blocks()).inputs))
            words = [target.words_of(row) for row in bits]
            joined = [int("".join(map(str, row)), 2) for row in bits.tolist()]
            assert table_of(target, judgement.bits[member]) == tuple(joined)
            if task == "subtractor:2":  # the first word is the most significant
                assert joined == [4 * entry["borrow"] + entry["d"] for entry in words]
            dead = dead_units(net, target)
            assert len(dead) == judgement.dead_units[member]
    assert not judgement.is_close.any()


def test_codes_are_the_tables_as_numbers():
    settings = Settings(seed=3, init_scale=2.0)
    judgement = judge(HALF_ADDER, settings, started(HALF_ADDER, settings, 200))
    for member in range(200):
        table = table_of(HALF_ADDER, judgement.bits[member])
        number = sum(word << 2 * (3 - row) for row, word in enumerate(table))
        assert int(judgement.code[member]) == number
    assert expected_code(HALF_ADDER) == 0b00_01_01_10
    assert len(set(judgement.code.tolist())) > 5


def test_long_tables_have_codes_of_their_own():
    """Of more than 64 bits a hash is taken: equal for equal tables alone."""
    task, settings = task_named("adder:3"), Settings(hidden=2, init_scale=2.0)
    judgement = judge(task, settings, started(task, settings, 300))
    tables = [table_of(task, bits) for bits in judgement.bits]
    assert len(set(tables)) == len(set(judgement.code.tolist())) > 20
    assert len(set(zip(tables, judgement.code.tolist(), strict=True))) == len(set(tables))


def test_masks_say_which_units_are_on():
    task, settings = task_named("half-adder"), Settings(hidden=(70, 3), seed=8)
    arrays = started(task, settings, 6)
    judgement = judge(task, settings, arrays)
    assert judgement.on.shape == (6, 4, 3)  # 70 units take two masks, 3 another
    x = next(task.blocks()).inputs.astype(float)
    for member in range(6):
        w1, b1, w2, b2 = (array[member].astype(float) for array in arrays[:4])
        first = x @ w1.T + b1
        second = np.maximum(first, 0) @ w2.T + b2
        for row in range(4):
            low, high, other = (int(mask) for mask in judgement.on[member, row])
            on = [low >> u & 1 for u in range(64)] + [high >> u & 1 for u in range(6)]
            assert on == (first[row] > 0).astype(int).tolist()
            assert [other >> u & 1 for u in range(3)] == (second[row] > 0).astype(int).tolist()
            assert high >> 6 == other >> 3 == 0


def judged(settings: Settings, *parts):
    arrays = tuple(np.array([part], dtype=np.float32) for part in parts)
    return judge(HALF_ADDER, settings, arrays)


@pytest.mark.parametrize(("nudge", "bit"), [(0.0, 0), (TINY, 1), (-TINY, 0)])
@pytest.mark.parametrize("activation", ["relu", "leaky:0.125", "tanh"])
def test_ties_are_decided_exactly(nudge, bit, activation):
    """On 00 the low output is 0.5 and a nudge that only exact arithmetic can see."""
    settings = Settings(hidden=1, activation=activation)
    # the hidden unit is 1 (or tanh 1) on 00 and 0 elsewhere, tanh of 0 included
    parts = ([[-1, -1]], [1], [[0], [nudge]], [0, 0.5])
    judgement = judged(settings, *parts)
    assert table_of(HALF_ADDER, judgement.bits[0])[0] == bit
    assert judgement.is_close.all()
    arrays = tuple(np.array([part], dtype=np.float32) for part in parts)
    assert prove(network(HALF_ADDER, settings, arrays, 0)).rows_right == judgement.rows_right[0]


@pytest.mark.parametrize(("nudge", "on"), [(0.0, 0), (2.0**-80, 1), (-(2.0**-80), 0)])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_units_at_the_edge_are_on_or_off_exactly(nudge, on, activation):
    """On 11 the sum is 1 - 1 and a nudge that double loses."""
    judgement = judged(
        Settings(hidden=1, activation=activation), [[1, -1]], [nudge], [[1], [0]], [0, 0]
    )
    assert judgement.on[0, 3, 0] == on


def test_clear_rows_are_decided_without_exact_arithmetic(monkeypatch):
    """The control of the ties: only an unclear member is evaluated exactly."""
    requests = []
    exact = judging._exact
    monkeypatch.setattr(
        judging, "_exact", lambda net, block: requests.append(net) or exact(net, block)
    )
    settings = Settings(hidden=1)
    assert not judged(settings, [[1, 1]], [-1], [[0], [0.25]], [0, 0]).is_close.any()
    assert not requests
    assert judged(settings, [[1, 1]], [-1], [[0], [0.25]], [0, 0.5]).is_close.all()
    assert len(requests) == 1


def test_what_is_not_finite_diverged_and_spoils_nobody():
    settings = Settings(init_scale=2.0)
    arrays = tuple(array.copy() for array in started(HALF_ADDER, settings, 5))
    plain = judge(HALF_ADDER, settings, arrays)
    arrays[1][2, 0] = np.nan
    arrays[3][4, 1] = np.inf
    judgement = judge(HALF_ADDER, settings, arrays)
    assert judgement.is_finite.tolist() == [True, True, False, True, False]
    for member in (2, 4):
        assert not judgement.is_right[member]
        assert (judgement.rows_right[member], judgement.dead_units[member]) == (0, 0)
        assert int(judgement.code[member]) == DIVERGED
        assert judgement.margin[member] == -math.inf
        assert (judgement.on[member] == 0).all()
    for member in (0, 1, 3):
        assert judgement.code[member] == plain.code[member]
        assert judgement.margin[member] == plain.margin[member]


def test_free_outputs_are_never_wrong(tmp_path):
    path = tmp_path / "any.csv"
    _ = path.write_text("in a:1,in b:1,out c:2\n0,0,*\n0,1,1\n1,0,1\n1,1,*\n")
    task, settings = read_table(path), Settings(init_scale=3.0)
    arrays = started(task, settings, 300)
    judgement = judge(task, settings, arrays)
    for member in range(300):
        table = table_of(task, judgement.bits[member])
        assert bool(judgement.is_right[member]) is (table[1:3] == (1, 1))
    assert judgement.is_right.any()
    assert len({table_of(task, bits) for bits in judgement.bits[judgement.is_right]}) > 1


def test_chunks_change_nothing(monkeypatch):
    settings = Settings(hidden=4, init_scale=2.0)
    arrays = started(HALF_ADDER, settings, 50)
    whole = judge(HALF_ADDER, settings, arrays)
    monkeypatch.setattr(judging, "CHUNK", 7 * 16)
    parts = judge(HALF_ADDER, settings, arrays)
    for name in ("is_right", "rows_right", "bits", "code", "margin", "dead_units", "on"):
        assert getattr(whole, name).tobytes() == getattr(parts, name).tobytes()


def test_nobody_is_judged_to_be_nobody():
    settings = Settings()
    judgement = judge(HALF_ADDER, settings, started(HALF_ADDER, settings, 0))
    assert len(judgement) == 0
    assert judgement.on.shape == (0, 4, 1)


def test_a_logit_is_judged_above_0():
    parts = ([[1, 1]], [-1], [[0], [0]], [0.25, -0.25])
    assert table_of(HALF_ADDER, judged(Settings(hidden=1), *parts).bits[0]) == (0,) * 4
    logits = replace(Settings(hidden=1), loss="bce")
    assert table_of(HALF_ADDER, judged(logits, *parts).bits[0]) == (2,) * 4
