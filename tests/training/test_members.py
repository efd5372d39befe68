"""Populations: each member is the one that trains alone, the same bits whatever is beside it."""

from __future__ import annotations

import math
import threading
from dataclasses import replace
from functools import cache
from statistics import median

import numpy as np
import pytest
import torch

from adderlab.errors import OptionError, ResourceError
from adderlab.nets import save, to_bytes
from adderlab.tasks import read_table, task_named
from adderlab.training import Settings, draws, work
from adderlab.training.choice import choose
from adderlab.training.judging import judge
from adderlab.training.kernels import engine
from adderlab.training.loop import fit, make_model, train_network
from adderlab.training.members import member_bytes, train_members
from adderlab.training.schedule import schedule
from adderlab.verbs.replay import replay

HALF_ADDER = task_named("half-adder")
LANES, WIDE, TORCH = "numba-lanes", "numba-wide", "torch-ensemble"

PLAIN = Settings(seed=20, steps=100)
RICH = Settings(
    seed=4, steps=60, batch=3, optimizer="adam", lr=0.02, loss="bce", activation="tanh",
    weight_decay=1e-3, stop_margin=0.5,
)  # fmt: skip
DEEP = Settings(
    seed=5, steps=60, hidden=(4, 3), optimizer="momentum", momentum=0.8, activation="leaky:0.1",
    batch=2,
)  # fmt: skip
KINDS = [(LANES, PLAIN), (WIDE, PLAIN), (LANES, RICH), (WIDE, DEEP), (TORCH, PLAIN), (TORCH, RICH)]
"""The four kernels that the tests of training compile, and what PyTorch does."""


def in_double(task, settings) -> list[np.ndarray]:
    """Return the parameters that the lecture's loop would give without rounding to float32."""
    number = np.array([settings.member], dtype=np.uint64)
    (counts,) = draws.row_counts(task, settings, number)
    block = task.block_of(task.input_words(np.repeat(np.arange(task.rows), counts)))
    with torch.random.fork_rng(devices=[]):
        model = make_model(task, settings).double()
    (start,) = draws.start(task, settings, number)
    _ = torch.nn.utils.vector_to_parameters(torch.tensor(start).double(), model.parameters())
    batches = None
    if settings.batch is not None:
        (chosen,) = draws.batch_samples(settings, number, len(block.inputs), 0, settings.steps)
        batches = torch.from_numpy(chosen)
    x, y = (torch.tensor(part, dtype=torch.float64) for part in (block.inputs, block.expected))
    _ = fit(model, x, y, settings, batches, None, lambda step, loss: None)
    return [parameter.detach().numpy() for parameter in model.parameters()]


@cache
def alone(settings):
    """Return one member's run by the lecture's loop, its parameters, and those in double."""
    run = train_network(HALF_ADDER, settings)
    own_settings = settings
    if run.stopped_at < settings.steps:
        own_settings = replace(settings, steps=run.stopped_at, stop_margin=None)
    theirs = [tensor.numbers for _, tensor in run.network.tensors()]
    return run, theirs, in_double(HALF_ADDER, own_settings)


def distance(ours, theirs) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(ours, theirs, strict=True))


def same(left, right, at, there) -> bool:
    """Return whether two results agree to the last bit in all that is told of some members."""
    whole = ("loss", "losses", "solved_at", "stopped_at", "shares")
    return all(
        a[at].tobytes() == b[there].tobytes()
        for a, b in (
            *((getattr(left, name), getattr(right, name)) for name in whole),
            *zip(left.start, right.start, strict=True),
            *zip(left.arrays, right.arrays, strict=True),
        )
    )


@pytest.mark.parametrize(("path", "settings"), KINDS)
def test_a_member_is_the_one_that_trains_alone(path, settings):
    """Its error against a run in double is at most twice that of the lecture's own loop.

    In the median over 20 members: Adam, say, makes much of one rounding where gradients are
    nearly 0.
    """
    members = train_members(HALF_ADDER, settings, range(20), path=path)
    plain, errors = [], []
    for member in range(20):
        run, theirs, exact = alone(replace(settings, member=member))
        assert members.stopped_at[member] == run.stopped_at
        assert members.loss[member] == pytest.approx(run.data_loss, rel=2**-12)
        plain.append(distance(theirs, exact))
        errors.append(distance([array[member] for array in members.arrays], exact))
    assert 0 < median(errors) <= 2 * median(plain)
    assert members.path == path


@pytest.mark.parametrize(("path", "settings"), KINDS)
def test_a_member_is_the_same_whatever_is_beside_it(path, settings, monkeypatch):
    """Among others, in another order, in other blocks, on other threads, alone: the same bits."""
    numbers = [0, 3, 17, 1 << 40, 5, 17, *range(100, 143)]
    many = train_members(HALF_ADDER, settings, numbers, path=path, threads=1)
    assert same(many, many, 2, 5)  # the same member twice
    back = train_members(HALF_ADDER, settings, numbers[::-1], path=path, threads=2)
    for place in range(len(numbers)):
        assert same(many, back, place, len(numbers) - 1 - place)
    for place in (0, 3, 30, 48):
        single = train_members(HALF_ADDER, settings, [numbers[place]], path=path)
        assert same(many, single, place, 0)
    monkeypatch.setattr(engine, "MOST_GROUPS", 1)
    apart = train_members(HALF_ADDER, settings, numbers, path=path, threads=3)
    assert same(many, apart, slice(None), slice(None))
    assert not same(many, many, 0, 1)  # the control


@pytest.mark.parametrize("path", [LANES, TORCH])
def test_each_member_has_its_own_rate_and_scale(path):
    """One member's start at many rates, as a map trains it: each is its own run."""
    rates, scales = np.geomspace(0.01, 3, 20), np.linspace(0.5, 2, 20)
    members = train_members(HALF_ADDER, PLAIN, [7] * 20, lr=rates, init_scale=scales, path=path)
    for place in (0, 9, 19):
        settings = members.settings_of(place)
        assert np.float32(settings.lr) == np.float32(rates[place])
        single = train_members(HALF_ADDER, settings, [7], path=path)
        assert same(members, single, place, 0)
        network = members.network(place)
        assert Settings.from_record(network.training) == settings


def test_each_member_has_its_own_momentum():
    momenta = np.linspace(0, 0.95, 5)
    members = train_members(HALF_ADDER, DEEP, [7] * 5, momentum=momenta, path=WIDE)
    single = train_members(HALF_ADDER, members.settings_of(3), [7], path=WIDE)
    assert same(members, single, 3, 0)
    assert not same(members, single, 2, 0)


@pytest.mark.parametrize(("path", "settings"), KINDS)
def test_a_members_file_is_trained_again_to_the_same_bytes(path, settings, tmp_path):
    members = train_members(HALF_ADDER, settings, range(30), path=path)
    net = save(members.network(23), tmp_path / "net.safetensors")
    assert replay(net)
    record = members.network(23).training
    assert (record["path"], record["member"]) == (path, 23)
    other = replace(members.network(23), training={**record, "member": 22})
    assert not replay(other).weights_agree


def test_nearly_every_verdict_is_that_of_a_batched_ensemble():
    """At least 99.9 % of 2,000 members; ``benchmarks/populations.py`` compares 10,000."""
    assert agreement(2000) >= 0.999


@pytest.mark.slow
def test_nearly_every_verdict_of_ten_thousand_is_that_of_a_batched_ensemble():
    assert agreement(10_000) >= 0.999


def agreement(count: int) -> float:
    """Return the share of members that the kernel and PyTorch's ensemble judge alike."""
    settings = Settings(seed=1)
    ours = train_members(HALF_ADDER, settings, range(count), path=LANES)
    theirs = train_members(HALF_ADDER, settings, range(count), path=TORCH)
    verdicts = [judge(HALF_ADDER, settings, result.arrays) for result in (ours, theirs)]
    assert 0.4 < verdicts[0].is_right.mean() < 0.6
    return float((verdicts[0].is_right == verdicts[1].is_right).mean())


@pytest.mark.parametrize("path", [LANES, WIDE, TORCH])
def test_losses_and_kept_parameters_are_those_of_shorter_runs(path):
    members = train_members(HALF_ADDER, PLAIN, range(18), keep_every=40, path=path)
    assert members.kept_steps == (0, 40, 80, 100)
    assert members.loss_steps == tuple(range(0, 101, 5))
    assert (members.losses[:, -1] == members.loss).all()
    for number, steps in enumerate(members.kept_steps):
        short = train_members(HALF_ADDER, replace(PLAIN, steps=steps), range(18), path=path)
        for kept, array in zip(members.kept, short.arrays, strict=True):
            assert kept[:, number].tobytes() == array.tobytes()
        assert (members.losses[:, members.loss_steps.index(steps)] == short.loss).all()
    assert train_members(HALF_ADDER, PLAIN, range(2), path=path).kept is None


@pytest.mark.parametrize("path", [LANES, TORCH])
def test_solved_is_the_first_check_after_which_nothing_is_wrong(path):
    settings = Settings(seed=20, steps=300)
    members = train_members(HALF_ADDER, settings, range(40), keep_every=10, path=path)
    right = []
    for number in range(len(members.kept_steps)):
        at = tuple(np.ascontiguousarray(kept[:, number]) for kept in members.kept)
        right.append(judge(HALF_ADDER, settings, at).is_right)
    right = np.array(right)
    for member in range(40):
        wrong = np.flatnonzero(~right[:, member])
        last = wrong[-1] + 1 if wrong.size else 0
        expected = members.kept_steps[last] if last < len(members.kept_steps) else -1
        assert members.solved_at[member] == expected
    assert {-1} < set(members.solved_at.tolist())


@pytest.mark.parametrize("path", [LANES, TORCH])
def test_members_that_diverge_leave_the_finite_numbers_and_nobody_else_does(path):
    rates = np.where(np.arange(20) % 3 == 0, 1e30, 0.1)
    members = train_members(HALF_ADDER, PLAIN, range(20), lr=rates, path=path)
    flat = np.concatenate([array.reshape(20, -1) for array in members.arrays], axis=1)
    is_finite = np.isfinite(flat).all(axis=1)
    assert (is_finite == (rates == 0.1)).all()
    assert (np.isfinite(members.loss) == is_finite).all()
    assert members.network(0) is None
    single = train_members(HALF_ADDER, PLAIN, [1], path=path)
    assert same(members, single, 1, 0)


def test_untrained_members_are_their_starts():
    settings = Settings(seed=3, steps=0)
    members = train_members(HALF_ADDER, settings, range(5))
    for start, array in zip(members.start, members.arrays, strict=True):
        assert start.tobytes() == array.tobytes()
    assert members.loss_steps == (0,)
    assert (members.stopped_at == 0).all()


@pytest.mark.parametrize("path", [LANES, TORCH])
def test_no_members_are_no_trouble(path):
    members = train_members(HALF_ADDER, PLAIN, [], path=path)
    assert len(members) == 0
    assert members.arrays[0].shape == (0, 3, 2)


def test_all_progress_is_told():
    done = []
    _ = train_members(HALF_ADDER, PLAIN, range(100), path=LANES, on_progress=done.append)
    assert sum(done) == 100 * 100


def test_an_interrupt_ends_kernels_at_their_next_look(monkeypatch):
    """The calls that run are told to stop: none is waited for to its end."""
    settings = replace(PLAIN, steps=50_000_000 >> 2)  # minutes, if nobody stopped it
    monkeypatch.setattr(engine, "_collect", lambda waiting, members: interrupt())
    begun = threading.active_count()

    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _ = train_members(HALF_ADDER, settings, range(64), path=LANES)
    assert threading.active_count() == begun


def test_pytorchs_own_generator_is_left_as_it_was():
    before = torch.get_rng_state()
    for path in (LANES, TORCH):
        _ = train_members(HALF_ADDER, PLAIN, range(3), path=path)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": [0.1]}, "lr: got 1 number for 2 members; give a number for each member"),
        ({"lr": [0.1, math.nan]}, "lr: got nan; give finite numbers above 0"),
        ({"lr": [-1, 0.1]}, "lr: got -1; give finite numbers above 0"),
        ({"init_scale": [1, math.inf]}, "init_scale: got inf; give finite numbers above 0"),
        (
            {"momentum": [0.1, 0.2]},
            "momentum: the optimizer is sgd; set `optimizer` to momentum",
        ),
        ({"keep_every": 0}, "keep: got 0; give every:K with K of at least 1"),
        (
            {"path": "gpu"},
            "path: unknown path 'gpu'; give one of numba-lanes, numba-wide, torch-ensemble",
        ),
    ],
)
def test_what_makes_no_population_is_refused(options, message):
    with pytest.raises(OptionError) as refused:
        _ = train_members(HALF_ADDER, PLAIN, [0, 1], **options)
    assert str(refused.value) == message


def test_members_are_numbered_below_two_to_the_63():
    with pytest.raises(OptionError) as refused:
        _ = train_members(HALF_ADDER, PLAIN, np.array([1 << 63], dtype=np.uint64))
    assert str(refused.value) == (
        "member: got 9223372036854775808; give numbers below 9223372036854775808"
    )


@pytest.mark.parametrize(
    ("members", "options", "keep_every", "estimate"),
    [
        (10**8, {}, None, "41.6"),
        (10**6, {}, 1, "68.5"),
        (2, {"hidden": 10**9}, None, "1.39e+05"),
        (2, {"batch": 10**8, "samples": 10**8, "steps": 1}, None, "5.24e+04"),
    ],
)
def test_a_block_beyond_memory_is_refused_before_memory_is_taken(
    members, options, keep_every, estimate, monkeypatch
):
    monkeypatch.setattr(np, "empty", None)
    numbers = np.broadcast_to(np.uint64(0), members)  # takes no memory itself
    with pytest.raises(ResourceError) as refused:
        _ = train_members(HALF_ADDER, Settings(**options), numbers, keep_every=keep_every)
    assert str(refused.value) == (
        f"train: training would take about {estimate} GB, over 8 GB; take fewer hidden units, "
        "samples or members, or fewer steps of a batch"
    )


def test_a_members_memory_is_what_its_arrays_take():
    members = train_members(HALF_ADDER, PLAIN, range(64), keep_every=10, path=LANES)
    arrays = (*members.start, *members.arrays, *members.kept, members.losses, members.shares)
    taken = sum(array.nbytes for array in arrays) / 64
    assert taken <= member_bytes(HALF_ADDER, PLAIN, 10) <= 2 * taken


def test_a_task_of_too_many_rows_is_refused():
    with pytest.raises(ResourceError) as refused:
        _ = train_members(task_named("adder:7"), Settings(), [0])
    assert str(refused.value) == (
        "seeds: adder:7 has 16384 rows, a population takes at most 4096; train one network, or "
        "take a narrower task"
    )


def test_an_ensembles_blocks_are_whole_vectors():
    for task, hidden in (("half-adder", 3), ("adder:6", 5), ("adder:6", (2000, 2000))):
        size = work.members_at_once(task_named(task), Settings(hidden=hidden))
        assert size % 16 == 0
        assert 16 <= size <= work.LARGEST_BLOCK


def test_the_schedule_looks_every_ten_steps_and_at_the_last():
    plan = schedule(25, keep_every=20)
    assert plan.checks == (0, 10, 20, 25)
    assert plan.kept == (0, 20, 25)
    assert (plan.losses[0], plan.losses[-1], len(plan.losses)) == (0, 25, 21)
    assert plan.events == tuple(sorted({*plan.checks, *plan.losses, 20}))
    assert schedule(0).events == (0,)
    assert max(np.diff(schedule(12345, 7).events)) <= 10


def test_a_populations_network_is_the_loops_with_another_path():
    members = train_members(HALF_ADDER, PLAIN, [2], path=LANES)
    run = train_network(HALF_ADDER, replace(PLAIN, member=2))
    ours, theirs = dict(members.network(0).training), dict(run.network.training)
    assert (ours.pop("path"), theirs.pop("path")) == (LANES, "torch-loop")
    del ours["versions"], theirs["versions"]
    assert ours == theirs
    assert to_bytes(members.network(0)) != to_bytes(run.network)


def test_free_outputs_are_free_in_every_engine(tmp_path):
    path = tmp_path / "any.csv"
    _ = path.write_text("in a:1,in b:1,out high:1,out low:1\n0,0,0,*\n0,1,1,*\n1,0,1,*\n1,1,0,*\n")
    task = read_table(path)
    settings = Settings(steps=20, seed=1)
    assert choose(task, settings).path == LANES
    members = train_members(task, settings, range(3), path=TORCH)
    for start, array in zip(members.start[2:], members.arrays[2:], strict=True):
        assert (start[:, 1] == array[:, 1]).all()
        assert (start[:, 0] != array[:, 0]).any()
