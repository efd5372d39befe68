"""Counting: the same whatever the blocks, and the same as counting one by one."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace

import numpy as np
import pytest

from adderlab.training.census.findings import Findings
from adderlab.training.census.symptoms import SYMPTOMS
from adderlab.training.census.tally import Tally

STEPS = (0, 50, 100)
MEMBERS = 500


def findings_of_seed(seed: int = 1) -> Findings:
    """Return findings that no network gave, with every case among them."""
    random = np.random.default_rng(seed)
    is_finite = random.random(MEMBERS) < 0.9
    is_right = is_finite & (random.random(MEMBERS) < 0.4)
    codes = np.where(is_right, 22, random.integers(30, 36, MEMBERS))
    losses = 10.0 ** random.uniform(-12, 2, (MEMBERS, 3))
    losses[~is_finite, 1:] = np.nan
    return Findings(
        members=np.arange(MEMBERS, dtype=np.int64),
        loss=losses[:, -1],
        is_right=is_right,
        rows_right=np.where(is_right, 4, 2).astype(np.int32),
        codes=np.where(is_finite, codes, 0).astype(np.uint64),
        margin=random.integers(1, 9, MEMBERS) / 16,
        is_finite=is_finite,
        dead_units=random.integers(0, 3, MEMBERS).astype(np.int32),
        symptoms=random.random((MEMBERS, len(SYMPTOMS))) < 0.3,
        patterns=random.integers(0, 40, MEMBERS).astype(np.uint64),
        classes=random.integers(0, 9, MEMBERS).astype(np.uint64),
        solved_at=np.where(is_right, random.integers(0, 11, MEMBERS) * 10, -1).astype(np.int32),
        losses=losses.astype(np.float32),
    )


def part(result: Findings, which: slice) -> Findings:
    values = {entry.name: getattr(result, entry.name) for entry in fields(result)}
    return Findings(**{k: None if v is None else v[which] for k, v in values.items()})


def counted(result: Findings, size: int) -> Tally:
    tally = Tally(STEPS)
    for first in range(0, len(result), size):
        tally.add(part(result, slice(first, first + size)))
    return tally


def contents(tally: Tally) -> tuple:
    """Return all that a tally says, in a form that can be compared."""
    groups = [tally.wrong.groups(), tally.non_finite.groups(), tally.patterns.groups()]
    groups.append(tally.classes.groups())
    return (
        tally.networks,
        tally.successes,
        tally.diverged,
        tally.best,
        tally.best_margin,
        tally.successes_by_step(),
        tally.loss_quantiles((0.1, 0.5, 0.9)).tolist(),
        tally.right_symptoms.tolist(),
        [[part.tolist() for part in (g.codes, g.counts, g.firsts, g.marks)] for g in groups],
    )


@pytest.mark.parametrize("size", [1, 7, 64, 499])
def test_a_tally_does_not_depend_on_how_members_are_cut_into_blocks(size):
    drawn = findings_of_seed()
    assert contents(counted(drawn, size)) == contents(counted(drawn, MEMBERS))


def test_a_tally_counts_what_one_by_one_counts():
    drawn = findings_of_seed()
    tally = counted(drawn, 64)
    right, finite = drawn.is_right, drawn.is_finite
    assert (tally.networks, tally.successes) == (MEMBERS, right.sum())
    assert tally.diverged == (~finite).sum()
    wrong = Counter(drawn.codes[~right & finite].tolist())
    groups = tally.wrong.groups()
    assert dict(zip(groups.codes.tolist(), groups.counts.tolist(), strict=True)) == wrong
    for code, first, marks in zip(groups.codes, groups.firsts, groups.marks, strict=True):
        some = np.flatnonzero((drawn.codes == code) & ~right & finite)
        assert first == some[0]
        assert (marks == drawn.symptoms[some].sum(axis=0)).all()
    assert (tally.right_symptoms == drawn.symptoms[right].sum(axis=0)).all()
    assert len(tally.classes.groups()) == len(np.unique(drawn.classes[right]))
    steps = dict(tally.successes_by_step())
    assert steps == {at: (drawn.solved_at[right] <= at).sum() for at in STEPS}


def test_the_best_is_the_first_of_the_right_ones_with_the_largest_margin():
    drawn = findings_of_seed()
    tally = counted(drawn, 64)
    largest = drawn.margin[drawn.is_right].max()
    assert tally.best_margin == largest
    assert tally.best == np.flatnonzero(drawn.is_right & (drawn.margin == largest))[0]
    wrong = replace(drawn, is_right=np.zeros(MEMBERS, dtype=bool))
    assert counted(wrong, 64).best == -1


def test_quantiles_are_those_of_the_losses_to_half_a_percent():
    drawn = findings_of_seed()
    tally = counted(drawn, 64)
    shares = (0.05, 0.25, 0.5, 0.75)
    losses = np.where(np.isfinite(drawn.losses), drawn.losses, np.inf)
    exact = np.sort(losses, axis=0)[[int(np.ceil(share * MEMBERS)) - 1 for share in shares]]
    assert np.abs(np.log2(tally.loss_quantiles(shares) / exact)).max() <= 2**-7 + 1e-9
    assert np.isinf(tally.loss_quantiles((0.99,))[0, 1])  # a tenth has no finite loss there
    assert np.isfinite(tally.loss_quantiles((0.99,))[0, 0])


def test_the_largest_groups_come_first_and_of_equal_ones_the_smaller_code():
    drawn = findings_of_seed()
    groups = counted(drawn, MEMBERS).classes.groups()
    order = groups.most(4)
    keys = [(-int(groups.counts[place]), int(groups.codes[place])) for place in order]
    assert keys == sorted(keys)
    assert keys[0][0] == -groups.counts.max()


def test_nothing_counted_is_nothing():
    tally = Tally(STEPS)
    assert (tally.networks, tally.best, len(tally.wrong.groups())) == (0, -1, 0)
