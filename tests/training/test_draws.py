"""What members start from and learn from: the same numbers however they are drawn."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from numba.extending import register_jitable

from adderlab.kernels.simd import LANES, aligned
from adderlab.tasks import task_named
from adderlab.training import Settings, draws
from adderlab.training.kernels import drawing

HALF_ADDER = task_named("half-adder")
SOME = np.array([0, 1, 5, 77, 1 << 35, (1 << 63) - 1], dtype=np.uint64)


@pytest.mark.parametrize(
    ("init", "weights", "biases"),
    [
        ("torch", (2**-0.5, 3**-0.5), (2**-0.5, 3**-0.5)),
        ("he", (3**0.5, 2**0.5), (0, 0)),
        ("xavier", ((6 / 5) ** 0.5, (6 / 5) ** 0.5), (0, 0)),
    ],
)
def test_starts_fill_their_range_and_no_more(init, weights, biases):
    settings = Settings(init=init, init_scale=2.0)
    drawn = draws.start(HALF_ADDER, settings, np.arange(4000, dtype=np.uint64)) / 2
    for bound, part in zip(
        (weights[0], biases[0], weights[1], biases[1]),
        (drawn[:, :6], drawn[:, 6:9], drawn[:, 9:15], drawn[:, 15:]),
        strict=True,
    ):
        assert np.abs(part).max() <= np.float32(bound)
        # a uniform's extremes over 8,000 draws and more, its mean, and its variance
        assert part.max() >= 0.995 * bound
        assert part.min() <= -0.995 * bound
        assert abs(part.mean()) <= 4 * bound / 3**0.5 / part.size**0.5
        assert part.var() == pytest.approx(bound**2 / 3, rel=0.05)


def test_each_members_scale_multiplies_its_own_start():
    scale = np.linspace(0.1, 3, len(SOME)).astype(np.float32)
    plain = draws.start(HALF_ADDER, Settings(), SOME)
    assert (draws.start(HALF_ADDER, Settings(), SOME, scale) == plain * scale[:, None]).all()


def test_a_members_data_have_all_its_samples_and_every_row_about_as_often():
    counts = draws.row_counts(HALF_ADDER, Settings(), np.arange(400, dtype=np.uint64))
    assert (counts.sum(axis=1) == 1000).all()
    assert counts.mean(axis=0) == pytest.approx([250] * 4, abs=4 * (1000 * 3 / 16 / 400) ** 0.5)
    assert counts.std(axis=0) == pytest.approx([(1000 * 3 / 16) ** 0.5] * 4, rel=0.2)
    whole = draws.row_counts(HALF_ADDER, Settings(data="table"), SOME)
    assert (whole == 1).all()


def test_a_step_draws_rows_through_samples_in_the_order_of_their_rows():
    settings = Settings(batch=5, samples=60)
    counts = draws.row_counts(HALF_ADDER, settings, SOME)
    rows = draws.batch_rows(settings, SOME, counts, 0, 12)
    samples = draws.batch_samples(settings, SOME, 60, 0, 12)
    for member in range(len(SOME)):
        own = np.repeat(np.arange(4), counts[member])
        assert (own[samples[member]] == rows[member]).all()
    assert (draws.batch_rows(settings, SOME, counts, 7, 3) == rows[:, 7:10]).all()


@pytest.fixture(scope="module")
def compiled():
    """Return the drawing functions, compiled."""
    draw = drawing.draw_samples
    inner = register_jitable(lambda *args: draw(*args))

    @numba.njit
    def samples(seed, members, total, first, count, chosen):
        return inner(seed, members, 0, total, first, count, chosen)

    return numba.njit(drawing.fill_start), numba.njit(drawing.fill_counts), samples


@pytest.mark.parametrize(("task", "samples"), [("half-adder", 1000), ("adder:2", 7)])
def test_compiled_draws_are_numpys_to_the_last_bit(compiled, task, samples):
    starts, data, _ = compiled
    target, settings = task_named(task), Settings(hidden=5, seed=9, samples=samples)
    members = np.concatenate([SOME, np.arange(100, 201, dtype=np.uint64)])
    scale = np.linspace(0.1, 3, len(members)).astype(np.float32)
    bounds = draws.start_bounds(target, settings)
    start = np.empty((len(members), len(bounds)), dtype=np.float32)
    starts(np.uint64(9), members, scale, bounds, start)
    assert start.tobytes() == draws.start(target, settings, members, scale).tobytes()
    counts = np.empty((len(members), target.rows), dtype=np.int32)
    data(np.uint64(9), members, samples, counts)
    assert (counts == draws.row_counts(target, settings, members)).all()


@pytest.mark.parametrize(
    ("batch", "first", "steps"), [(1, 0, 10), (1, 7, 10), (3, 5, 4), (8, 2, 1)]
)
def test_compiled_batches_are_numpys(compiled, batch, first, steps):
    members = np.arange(LANES, dtype=np.uint64) << np.uint64(30)
    chosen = aligned((steps * batch + 8) * LANES, np.int32)
    place = compiled[2](np.uint64(4), members, 600, first * batch, steps * batch, chosen)
    result = chosen[place : place + steps * batch * LANES].reshape(steps, batch, LANES)
    settings = Settings(seed=4, batch=batch)
    plain = draws.batch_samples(settings, members, 600, first, steps)
    assert (result.transpose(2, 0, 1) == plain).all()
