"""Fixtures of the populations' runs: two of them are trained once for all files."""

from __future__ import annotations

import pytest
from runs.populations.shared import BLOCK, PLAIN, QUICK, SEEDS

from adderlab.runs.populations import plan as plans
from adderlab.verbs.train_many import train_many


@pytest.fixture
def small_blocks(monkeypatch):
    """Let a population of a few networks have several blocks."""
    monkeypatch.setattr(plans, "LARGEST_BLOCK", BLOCK)


@pytest.fixture(scope="package")
def whole(tmp_path_factory):
    """Return a population that nothing interrupted, and its folder."""
    folder = tmp_path_factory.mktemp("whole") / "below" / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plans, "LARGEST_BLOCK", BLOCK)
        return train_many("half-adder", seeds=SEEDS, out=folder, **QUICK), folder


@pytest.fixture(scope="package")
def plain(tmp_path_factory):
    """Return the folder of the same population, only counted."""
    folder = tmp_path_factory.mktemp("plain") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plans, "LARGEST_BLOCK", BLOCK)
        _ = train_many("half-adder", seeds=SEEDS, out=folder, **PLAIN)
    return folder
