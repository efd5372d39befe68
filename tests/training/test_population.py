"""Many networks at once: each is the one that its seed alone gives, and is judged exactly."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import NormalDist, median

import numpy as np
import pytest
import torch

from adderlab.errors import ResourceError
from adderlab.nets import outputs, read_bits
from adderlab.proving import prove
from adderlab.tasks import read_table, sample, task_named
from adderlab.training import Settings, population
from adderlab.training.loop import dead_units, fit, make_model, train_network
from adderlab.training.population import train_population, wilson_interval

HALF_ADDER = task_named("half-adder")
MEMBERS = 7
Z = NormalDist().inv_cdf(0.975)


def in_double(settings: Settings) -> list[np.ndarray]:
    """Return the parameters that the single run would have without rounding to float32."""
    with torch.random.fork_rng(devices=[]):
        drawn = sample(HALF_ADDER, settings.samples, seed=settings.seed)
        _ = torch.manual_seed(settings.seed)
        _ = torch.randint(2, (settings.samples * 2,))
        model = make_model(HALF_ADDER, settings).double()
        batches = None
        if settings.batch is not None:
            batches = torch.randint(settings.samples, (settings.steps, settings.batch))
    x, y = (torch.tensor(part, dtype=torch.float64) for part in (drawn.inputs, drawn.outputs))
    _ = fit(model, x, y, settings, batches, None, lambda step, loss: None)
    return [parameter.detach().numpy() for parameter in model.parameters()]


def distance(ours, theirs) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"optimizer": "momentum"},
        {"optimizer": "adam", "lr": 0.02},
        {"loss": "bce"},
        {"activation": "tanh"},
        {"activation": "leaky:0.125"},
        {"batch": 4},
        {"batch": 4, "optimizer": "adam", "loss": "bce", "activation": "tanh"},
    ],
)
def test_a_member_is_the_single_run_of_its_seed(options):
    """Its error against a run in double is at most twice that of the run it stands for.

    In the median: Adam, say, makes much of one rounding where gradients are nearly 0.
    """
    settings = Settings(seed=20, steps=100, samples=200, **options)
    found = train_population(HALF_ADDER, settings, MEMBERS)
    plain_errors, errors, starts = [], [], set()
    for number, member in enumerate(found.members):
        assert (member.member, member.seed) == (number, 20 + number)
        alone = replace(settings, seed=member.seed)
        run = train_network(HALF_ADDER, alone)
        exact = in_double(alone)
        plain_errors.append(distance([t.numbers for _, t in run.network.tensors()], exact))
        errors.append(distance(member.arrays, exact))
        starts.add(member.arrays[0].tobytes())
        assert member.loss == pytest.approx(run.data_loss, rel=2**-16)  # loss sums 200 squares
        verdict = prove(run.network)
        assert (verdict.verdict == "proved") is member.is_right
        assert verdict.rows_right == member.rows_right
        assert run.network.training["path"] == "torch-loop"
        told = {**run.network.training, "path": "torch-ensemble"}
        assert found.network(member).training == told
    assert 0 < median(errors) <= 2 * median(plain_errors)
    assert len(starts) == MEMBERS

    fewer = train_population(HALF_ADDER, settings, 3)
    for member, same in zip(found.members, fewer.members, strict=False):
        assert member.seed == same.seed
        assert distance(member.arrays, same.arrays) <= 2 * max(*errors, *plain_errors)
        assert member.table == same.table


def test_untrained_members_are_their_seeds_starts_bit_for_bit():
    settings = Settings(seed=7, steps=0)
    for member in train_population(HALF_ADDER, settings, 4).members:
        alone = train_network(HALF_ADDER, replace(settings, seed=member.seed)).network
        for (_, tensor), array in zip(alone.tensors(), member.arrays, strict=True):
            assert tensor.numbers.tobytes() == array.tobytes()


def test_members_are_the_same_whatever_how_many_are_trained_at_once(monkeypatch):
    settings = Settings(seed=11, steps=50)
    together = train_population(HALF_ADDER, settings, 5)
    done = []
    monkeypatch.setattr(population, "MEMBERS_AT_ONCE", 2)
    apart = train_population(HALF_ADDER, settings, 5, on_progress=done.append)
    assert done == [2] * 50 + [2] * 50 + [1] * 50
    for one, two in zip(together.members, apart.members, strict=True):
        assert (one.member, one.seed, one.table) == (two.member, two.seed, two.table)
        # 50 steps, each off by a few roundings of weights below 4
        assert distance(one.arrays, two.arrays) <= 50 * 4 * 2.0**-23


def test_few_members_are_trained_at_once_where_there_are_many_draws(monkeypatch):
    monkeypatch.setattr(population, "DRAWS_AT_ONCE", 3 * 10 * 4)
    done = []
    settings = Settings(steps=10, batch=4, samples=20)
    _ = train_population(HALF_ADDER, settings, 7, on_progress=done.append)
    assert done == [3] * 10 + [3] * 10 + [1] * 10


def test_pytorchs_own_generator_is_left_as_it_was():
    before = torch.get_rng_state()
    _ = train_population(HALF_ADDER, Settings(steps=2, batch=3), 3)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.fixture(scope="module")
def census():
    """A population with the notebook's settings; about half of it is right."""
    return train_population(HALF_ADDER, Settings(seed=100), 40)


def test_successes_and_failures_add_up(census):
    failures = census.failures()
    assert 0 < census.successes < 40
    assert census.successes + sum(count for _, count in failures) == 40
    assert [count for _, count in failures] == sorted((c for _, c in failures), reverse=True)
    tables = [table for table, _ in failures]
    assert len(set(tables)) == len(tables)
    assert (0, 1, 1, 2) not in tables
    for table, count in failures:
        assert count == sum(member.table == table for member in census.members)


def test_a_table_says_what_prove_says(census):
    """Its first entry that differs from the task is the counterexample's."""
    for member in census.members:
        verdict = prove(census.network(member))
        wrong = [row for row in range(4) if member.table[row] != (0, 1, 1, 2)[row]]
        assert bool(verdict) is member.is_right is (not wrong)
        assert verdict.rows_right == member.rows_right == 4 - len(wrong)
        assert float(verdict.margin.min) == pytest.approx(member.margin, abs=2**-40)
        if wrong:
            found = verdict.counterexample
            assert found.input == {"a": wrong[0] >> 1, "b": wrong[0] & 1}
            assert found.got == {"c": member.table[wrong[0]]}


def test_dead_units_are_counted_as_the_single_run_counts_them(census):
    counts = [len(dead_units(census.network(m), HALF_ADDER)) for m in census.members]
    assert counts == [member.dead_units for member in census.members]
    assert len(set(counts)) > 1


def test_the_best_is_the_right_member_of_the_largest_margin(census):
    best = census.best
    assert best.is_right
    assert best.margin == max(member.margin for member in census.members if member.is_right) > 0
    wrong = tuple(member for member in census.members if not member.is_right)
    assert replace(census, members=wrong).best is None


def test_the_first_of_equal_members_is_best(census):
    best = census.best
    twin = replace(best, member=99)
    assert replace(census, members=(twin, best)).best is best


def test_several_output_words_make_one_number(tmp_path):
    """The first word is the most significant: borrow 1, d 3 of two bits make 7."""
    task = task_named("subtractor:2")
    found = train_population(task, Settings(steps=200, hidden=6, seed=3), 3)
    for member in found.members:
        net = found.network(member)
        bits, _ = read_bits(net.readout, outputs(net, next(task.blocks()).inputs))
        words = [task.words_of(row) for row in bits]
        assert member.table == tuple(4 * one["borrow"] + one["d"] for one in words)
    assert len({member.table for member in found.members}) == 3


def test_any_value_will_do_where_the_table_says_so(tmp_path):
    path = tmp_path / "any.csv"
    _ = path.write_text("in a:1,in b:1,out c:2\n0,0,*\n0,1,1\n1,0,1\n1,1,*\n")
    free = train_population(read_table(path), Settings(steps=200, seed=1), 12)
    assert free.successes == 12 - sum(count for _, count in free.failures())
    right = [member for member in free.members if member.is_right]
    assert any((member.table[0], member.table[3]) != (0, 2) for member in right)
    for member in free.members:
        assert bool(prove(free.network(member))) is member.is_right
        assert member.is_right is (member.table[1:3] == (1, 1))


@pytest.mark.parametrize("batch", [None, 4])
def test_an_output_that_may_be_anything_carries_no_gradient(tmp_path, batch):
    """Its weights stay where they started, bit for bit; those of the other output move."""
    path = tmp_path / "any.csv"
    _ = path.write_text("in a:1,in b:1,out high:1,out low:1\n0,0,0,*\n0,1,1,*\n1,0,1,*\n1,1,0,*\n")
    settings = Settings(steps=20, seed=1, batch=batch, samples=50)
    found = train_population(read_table(path), settings, 3)
    starts = train_population(read_table(path), replace(settings, steps=0), 3)
    for member, start in zip(found.members, starts.members, strict=True):
        assert (member.arrays[2][1] == start.arrays[2][1]).all()
        assert member.arrays[3][1] == start.arrays[3][1]
        assert (member.arrays[2][0] != start.arrays[2][0]).any()
        alone = train_network(found.task, replace(settings, seed=member.seed))
        assert member.loss == pytest.approx(alone.data_loss, rel=2**-16)


def test_members_that_diverge_are_told_apart_from_wrong_ones():
    found = train_population(HALF_ADDER, Settings(steps=60, lr=1e30), 3)
    assert found.successes == 0
    assert found.best is None
    assert found.failures() == [((), 3)]
    for member in found.members:
        assert (member.rows_right, member.dead_units, member.margin) == (0, 0, -math.inf)
        assert math.isnan(member.loss)


def judged(settings: Settings, w1, b1, w2, b2) -> population.Member:
    """Return one member with the given parameters, judged as training would judge it."""
    arrays = [np.array([part], dtype=np.float32) for part in (w1, b1, w2, b2)]
    (member,) = population._judge(
        HALF_ADDER, settings, next(HALF_ADDER.blocks()), 0, arrays, np.zeros(1)
    )
    return member


TINY = 2.0**-60
"""Added to 0.5 in double it is lost; in float32 it is a weight like any other."""


@pytest.mark.parametrize(("nudge", "bit"), [(0.0, 0), (TINY, 1), (-TINY, 0)])
@pytest.mark.parametrize("activation", ["relu", "leaky:0.125", "tanh"])
def test_ties_are_decided_exactly(nudge, bit, activation):
    """On 00 the low output is 0.5 and a nudge that only exact arithmetic can see."""
    settings = Settings(hidden=1, activation=activation)
    # the hidden unit is 1 (or tanh 1) on 00 and 0 elsewhere, tanh of 0 included
    member = judged(settings, [[-1, -1]], [1], [[0], [nudge]], [0, 0.5])
    assert member.table[0] == bit
    net = population.Population(HALF_ADDER, settings, (member,), 0.0).network(member)
    assert prove(net).rows_right == member.rows_right


def test_clear_rows_are_decided_without_exact_arithmetic(monkeypatch):
    """The control of the ties: only an unclear member is evaluated exactly."""
    asked = []
    exact_bits = population._exact_bits
    monkeypatch.setattr(
        population,
        "_exact_bits",
        lambda net, block: asked.append(net) or exact_bits(net, block),
    )
    clear, tie = ([[0], [0.25]], [0, 0]), ([[0], [0.25]], [0, 0.5])
    _ = judged(Settings(hidden=1), [[1, 1]], [-1], *clear)
    assert not asked
    _ = judged(Settings(hidden=1), [[1, 1]], [-1], *tie)
    assert len(asked) == 1


def test_a_task_of_too_many_rows_is_refused():
    with pytest.raises(ResourceError) as refused:
        _ = train_population(task_named("adder:7"), Settings(), 2)
    assert str(refused.value) == (
        "--seeds: adder:7 has 16384 rows, a population takes at most 4096; train one network, or "
        "take a narrower task"
    )


@pytest.mark.parametrize(
    ("task", "options", "members", "estimate"),
    [
        ("half-adder", {"hidden": 10**9}, 2, "368"),
        ("half-adder", {"batch": 10**7, "steps": 10**6}, 2, "1e+05"),
        ("adder:6", {"batch": 1 << 15, "steps": 1}, 2048, "3.3e+03"),
    ],
)
def test_a_population_beyond_memory_is_refused_before_memory_is_taken(
    task, options, members, estimate, monkeypatch
):
    def taken(*_, **__):
        raise AssertionError("memory was taken")

    monkeypatch.setattr(population, "_train_chunk", taken)
    with pytest.raises(ResourceError) as refused:
        _ = train_population(task_named(task), Settings(**options), members)
    assert str(refused.value) == (
        f"train: training would take about {estimate} GB, over 8 GB; take fewer hidden units, "
        "samples or members, or fewer steps of a batch"
    )


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_the_published_one(successes, trials, low, high):
    """Newcombe, Statistics in Medicine 17 (1998), table I, method 3."""
    found = wilson_interval(successes, trials)
    assert tuple(round(end, 4) for end in found) == (low, high)


@pytest.mark.parametrize(("successes", "trials"), [(1, 2), (3, 7), (513, 1000), (9999, 10000)])
def test_the_rate_is_one_quantile_away_from_both_ends_of_the_interval(successes, trials):
    """Wilson's definition: |rate - p| = z * sqrt(p (1 - p) / n) at either end p."""
    rate = successes / trials
    ends = wilson_interval(successes, trials)
    assert ends[0] < rate < ends[1]
    for end in ends:
        assert abs(rate - end) == pytest.approx(Z * math.sqrt(end * (1 - end) / trials), rel=2**-30)


@pytest.mark.parametrize("trials", [1, 17, 10**6])
def test_none_and_all_end_the_interval_at_0_and_1(trials):
    reach = Z * Z / (trials + Z * Z)
    assert wilson_interval(0, trials) == (0.0, pytest.approx(reach, rel=2**-40))
    assert wilson_interval(trials, trials) == (pytest.approx(1 - reach, rel=2**-40), 1.0)


def test_the_interval_of_failures_mirrors_that_of_successes():
    low, high = wilson_interval(5, 19)
    assert wilson_interval(14, 19) == pytest.approx((1 - high, 1 - low), rel=2**-40)
