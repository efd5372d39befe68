"""Sampled rows are the notebook's: the draws of torch, made without torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from strategies import FEW, named_tasks, refused, seeds

from adderlab.errors import OptionError, ResourceError
from adderlab.tasks import Task, sample, task_named
from adderlab.tasks.tables import parse_table

BOUNDED = parse_table(
    "in a:2<3,in wide:40<5,in b:3<7,out c:2\n"
    + "".join(
        f"{a},{w},{b},{'*' if b == 6 else (a + b) % 4}\n"
        for a in range(3) for w in range(5) for b in range(7)
    ),
    where="t.csv",
)  # fmt: skip
TASKS = [task_named(name) for name in ("half-adder", "full-adder", "adder:3", "parity:5")]
SEEDS = (0, 1, 42, 1234567, (1 << 32) - 1)


def drawn_by_torch(task: Task, count: int, seed: int) -> list[dict[str, int]]:
    """The operands as the training notebook draws them: one scalar after the other."""
    _ = torch.manual_seed(seed)
    return [
        {word.name: int(torch.randint(0, word.size, (1,)).item()) for word in task.inputs}
        for _ in range(count)
    ]


def as_rows(words: dict[str, np.ndarray]) -> list[dict[str, int]]:
    count = len(next(iter(words.values())))
    return [{name: int(values[i]) for name, values in words.items()} for i in range(count)]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("task", [*TASKS, BOUNDED], ids=lambda task: task.name)
def test_samples_are_the_notebooks(task: Task, seed: int) -> None:
    count = 700  # the twister is renewed after 624 numbers
    samples = sample(task, count, seed=seed)
    expected = drawn_by_torch(task, count, seed)
    assert as_rows(samples.words) == expected
    assert samples.seed == seed
    block = task.block_of({name: np.array(values) for name, values in samples.words.items()})
    assert np.array_equal(samples.inputs, block.inputs)
    assert np.array_equal(samples.outputs, block.expected)


def test_the_notebooks_own_data_set_comes_out() -> None:
    """Inputs ``[a, b]``, outputs ``[carry, sum]``."""
    samples = sample(task_named("half-adder"), 1000, seed=0)
    for row, (bits, out) in zip(
        drawn_by_torch(task_named("half-adder"), 1000, 0),
        zip(samples.inputs.tolist(), samples.outputs.tolist(), strict=True),
        strict=True,
    ):
        total = row["a"] + row["b"]
        assert (bits, out) == ([row["a"], row["b"]], [int(total == 2), int(total == 1)])


@FEW
@given(task=named_tasks(), seed=seeds())
def test_samples_are_the_notebooks_for_any_task_and_seed(task: Task, seed: int) -> None:
    assert as_rows(sample(task, 5, seed=seed).words) == drawn_by_torch(task, 5, seed)


def test_torch_draws_the_same_when_asked_for_all_at_once() -> None:
    """Of a single word, torch's vector of draws is its scalars."""
    _ = torch.manual_seed(9)
    expected = torch.randint(0, 32, (700,)).tolist()
    assert sample(task_named("parity:5"), 700, seed=9).words["x"].tolist() == expected


def test_stars_of_a_table_do_not_matter_in_its_samples() -> None:
    samples = sample(BOUNDED, 50, seed=3)
    assert samples.block.cares is not None
    expected = [[bool(b != 6)] * 2 for b in samples.words["b"]]
    assert samples.block.cares.tolist() == expected
    assert len({str(row) for row in expected}) == 2


@pytest.mark.parametrize("width", [27, 28, 31, 32, 33, 62, 63, 64, 70, 300])
def test_wide_words_are_drawn_from_their_whole_range(width: int) -> None:
    """Every bit of each word is sometimes 0 and sometimes 1."""
    samples = sample(task_named(f"adder:{width}"), 200, seed=5)
    means = samples.inputs.mean(axis=0)
    assert samples.inputs.shape == (200, 2 * width)
    assert means.min() > 0.3
    assert means.max() < 0.7
    words = as_rows(samples.words)
    assert words[0]["a"] != words[0]["b"]
    for row, bits in zip(words, samples.outputs, strict=True):
        assert "".join(map(str, bits)) == format(row["a"] + row["b"], f"0{width + 1}b")


def test_the_same_seed_gives_the_same_samples_and_more_of_them_begin_alike() -> None:
    task = task_named("adder:3")
    few, many = sample(task, 7, seed=4), sample(task, 20, seed=4)
    assert few.inputs.tolist() == many.inputs[:7].tolist()
    assert sample(task, 20, seed=5).inputs.tolist() != many.inputs.tolist()


def test_samples_are_counted_from_one() -> None:
    for count in (0, -3):
        with refused(
            OptionError,
            f"samples: the number of samples must be at least 1, got {count}; "
            "the notebook takes 1000",
        ):
            _ = sample(task_named("half-adder"), count)


def test_seeds_are_those_of_torch() -> None:
    for seed in (-1, 1 << 32, 10**30):
        with refused(
            OptionError,
            f"seed: the seed must be in 0..4294967295, got {seed}; take a smaller one",
        ):
            _ = sample(task_named("half-adder"), 3, seed=seed)


def test_more_samples_than_memory_are_refused_before_they_are_drawn() -> None:
    with refused(
        ResourceError,
        "samples: 1000000000 samples would take about 28 GB; "
        "take fewer; a whole table needs no samples",
    ):
        _ = sample(task_named("half-adder"), 10**9)
    with refused(
        ResourceError,
        "samples: 1000 samples would take about 9.44 GB; "
        "take fewer; a whole table needs no samples",
    ):
        _ = sample(task_named("adder:1048576"), 1000)
