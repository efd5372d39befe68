"""The populations that the tests of runs share: their settings, and what of a run compares."""

from __future__ import annotations

import json

QUICK = {"lr": 0.4, "steps": 150, "data": "table"}
"""Settings that give right networks and wrong ones in a fraction of the notebook's steps."""
PLAIN = {**QUICK, "explain": False, "draw": False}
"""The same, and only counted."""
SEEDS = 120
BLOCK = 32


def without_seconds(result):
    """Return a result without what no two runs share."""
    return {name: value for name, value in result.items() if name not in ("seconds", "was_done")}


def run_record(folder):
    """Return what a run's record says, without the seconds."""
    result = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    for block in result["blocks"]:
        del block["seconds"]
    del result["sha256"]  # of the seconds too
    return without_seconds(result)


def same_files(folder, other):
    """Whether two runs wrote the same bytes, their records apart."""
    names = sorted(path.relative_to(other) for path in other.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return all(
        (folder / name).read_bytes() == (other / name).read_bytes()
        for name in names
        if name.name != "run.json"
    )


def refused_work(*_, **__):
    raise AssertionError("something was trained")
