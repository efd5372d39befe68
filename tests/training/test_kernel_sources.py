"""What kernels' sources say, setting by setting: the same training as the lecture's loop."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from training.emulated import train_emulated

from adderlab.tasks import read_table, task_named
from adderlab.training import Settings
from adderlab.training.kernels.lanes import lanes_source, operations
from adderlab.training.kernels.rows import draws_slots
from adderlab.training.kernels.shape import shape_of
from adderlab.training.kernels.wide import wide_source
from adderlab.training.loop import train_network

HALF_ADDER = task_named("half-adder")
COUNT = 3
STEPS = 25
PATHS = ("numba-lanes", "numba-wide")

OPTIONS = [
    {},
    {"optimizer": "momentum", "momentum": 0.7, "activation": "leaky:0.1"},
    {"optimizer": "adam", "lr": 0.02, "loss": "bce"},
    {"activation": "tanh", "weight_decay": 0.01, "init": "xavier"},
    {"activation": "leaky:-0.5", "loss": "bce", "init": "he", "init_scale": 0.5},
    {"batch": 1, "optimizer": "adam", "lr": 0.02, "weight_decay": 0.1},
    {"batch": 3, "activation": "tanh", "data": "table"},
    {"batch": 5, "loss": "bce", "optimizer": "momentum"},
    {"hidden": (4, 3), "activation": "tanh"},
    {"hidden": (3, 7), "batch": 2, "optimizer": "momentum"},
    {"hidden": 1},
    {"hidden": (2, 2, 2), "activation": "leaky:0.2"},
]


def assert_is_the_loops(task, settings, path):
    outcome = train_emulated(task, settings, COUNT, path)
    for member in range(COUNT):
        run = train_network(task, replace(settings, member=member))
        alone = np.concatenate([t.numbers.ravel() for _, t in run.network.tensors()])
        # a few roundings a step of weights below 2; Adam's quotients make more of each
        slack = STEPS * 2.0**-21 * (16 if settings.optimizer == "adam" else 1)
        assert np.abs(outcome.arrays[member] - alone).max() <= slack
        assert outcome.losses[member, -1] == pytest.approx(run.data_loss, rel=2**-10)
        assert outcome.stopped_at[member] == run.stopped_at


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("options", OPTIONS)
def test_a_source_trains_as_the_loop_does(path, options):
    settings = Settings(**{"seed": 3, "steps": STEPS, "samples": 50, **options})
    assert_is_the_loops(HALF_ADDER, settings, path)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("batch", [None, 1, 3, 6, 12])
def test_a_larger_task_is_trained_as_the_loop_does(path, batch):
    """Sixteen rows: few draws are looked at one by one, many as shares of the table."""
    settings = Settings(seed=5, steps=STEPS, samples=90, hidden=5, batch=batch)
    task = task_named("adder:2")
    assert draws_slots(shape_of(task, settings)) is (batch in (1, 3, 6))
    assert_is_the_loops(task, settings, path)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("hidden", [6, 7, 9, (6, 9)])
def test_layers_of_every_number_of_tiles_are_trained(path, hidden):
    settings = Settings(seed=6, steps=STEPS, samples=90, hidden=hidden)
    assert_is_the_loops(task_named("popcount:3"), settings, path)


@pytest.fixture
def odd_table(tmp_path):
    """A domain that is no power of two, some outputs free, one free on every row."""
    path = tmp_path / "odd.csv"
    rows = [(0, 0, 1, "*"), (0, 1, 0, "*"), (1, 0, "*", "*"), (1, 1, 1, "*"), (2, 0, 0, "*")]
    lines = [",".join(map(str, row)) for row in [*rows, (2, 1, "*", "*")]]
    _ = path.write_text("\n".join(["in d:2<3,in e:1,out p:1,out q:1", *lines]))
    return read_table(path)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("options", [{}, {"batch": 1}, {"batch": 4}, {"loss": "bce", "batch": 2}])
def test_odd_domains_and_free_outputs_are_trained(path, options, odd_table):
    settings = Settings(seed=6, steps=STEPS, samples=40, **options)
    assert_is_the_loops(odd_table, settings, path)
    outcome = train_emulated(odd_table, settings, COUNT, path)
    start = train_emulated(odd_table, replace(settings, steps=0), COUNT, path)
    free = slice(-5, None)  # fc2.weight row 2 is at -5..-3, fc2.bias 2 the last
    moved = outcome.arrays[:, free] != start.arrays[:, free]
    assert (moved.any(axis=0) == [False, False, False, True, False]).all()


@pytest.mark.parametrize("path", PATHS)
def test_a_margin_stops_each_member_by_itself(path):
    settings = Settings(seed=20, steps=400, lr=0.3, stop_margin=0.2, activation="tanh")
    outcome = train_emulated(HALF_ADDER, settings, 6, path, keep_every=50)
    stopped = outcome.stopped_at
    assert len(set(stopped.tolist())) > 2
    for member in range(6):
        run = train_network(HALF_ADDER, replace(settings, member=member))
        assert run.stopped_at == stopped[member]
        assert outcome.losses[member, -1] == pytest.approx(run.data_loss, rel=2**-10)
        later = [k for k in range(9) if k * 50 >= stopped[member]]
        assert (outcome.kept[member, later] == outcome.arrays[member]).all()
        earlier = [k for k in range(9) if k * 50 < stopped[member]]
        assert (outcome.kept[member, earlier] != outcome.arrays[member]).any(axis=1).all()


def test_the_half_adders_step_takes_as_many_operations_as_is_said():
    shape = shape_of(HALF_ADDER, Settings())
    source = lanes_source(shape)
    step = source[source.index("for step in") : source.index("done = until")]
    counted = sum(
        step.count(word) for word in ("fma(", " + ", " - ", "s0 *", "s1 *", "s2 *", "s3 *")
    )
    assert counted > 100
    assert operations(shape) == pytest.approx(177)


def test_a_source_depends_on_the_shape_alone():
    plain = shape_of(HALF_ADDER, Settings())
    same = Settings(
        seed=9, lr=3.0, steps=77, samples=5, init="he", init_scale=4.0, data="table", member=3
    )
    assert shape_of(HALF_ADDER, same) == plain
    for options in ({"hidden": 4}, {"loss": "bce"}, {"batch": 2}, {"stop_margin": 0.1}):
        other = shape_of(HALF_ADDER, Settings(**options))
        assert other != plain
        assert lanes_source(other) != lanes_source(plain)
        assert wide_source(other) != wide_source(plain)
    decays = [shape_of(HALF_ADDER, Settings(weight_decay=d)) for d in (0.1, 0.2)]
    assert decays[0] == decays[1] != plain
