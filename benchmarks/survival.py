"""Measure which share of trained half adders survives each number format, by method.

Writes ``docs/survival.md``. Run: python benchmarks/survival.py [MEMBERS] [SEARCHED]
"""

from __future__ import annotations

import datetime
import sys
import time
from pathlib import Path

from adderlab.quantizing import METHODS, SURVEYED, Survival, survival
from adderlab.tasks import task_named
from adderlab.training import Settings
from adderlab.training.census.rates import wilson_interval
from adderlab.training.members import train_members

TARGET = Path(__file__).parents[1] / "docs/survival.md"

TEXT = """\
# Survival in fewer bits

{members} half adders of three hidden units were trained with the notebook's settings, members 0 to
{last} of seed 0; {right} add. The share of these that still does, by format and method, with its
95 % Wilson interval; `exact` and `snap` were tried on the first {searched} of them. Integers have
one free scale a tensor, floats and `snap` none. Written by `benchmarks/survival.py` on {date}.

| format | {methods} |
| --- | --- | --- | --- | --- |
{rows}

`exact` tried every choice of rounding up or down. `snap` ended at its limit near {unsettled}
networks, which does not show that there is no such network. It does not apply in one bit, where
its search would cover every network.
"""


def share_text(cell: Survival) -> str:
    """Return a share with its interval: ``39.1% (36.2% to 42.0%)``."""
    low, high = wilson_interval(cell.right, cell.of)
    return f"{cell.share:.1%} ({low:.1%} to {high:.1%})"


def main() -> None:
    members, searched = (int(text) for text in (*sys.argv[1:], "2000", "200")[:2])
    task = task_named("half-adder")
    arrays = list(train_members(task, Settings(), range(members)).arrays)
    start = time.perf_counter()
    survivals = survival(arrays, task, searched=searched)
    by = {(cell.format, cell.method): cell for cell in survivals}
    assert all(cell.method == "snap" or not cell.unsettled for cell in survivals)
    rows = []
    for name in SURVEYED:
        cells = [share_text(by[name, m]) if (name, m) in by else "" for m in METHODS]
        rows.append(f"| `{name}` | {' | '.join(cells)} |")
    text = TEXT.format(
        members=members,
        last=members - 1,
        right=survivals[0].of,
        searched=min(searched, survivals[0].of),
        date=datetime.datetime.now(tz=datetime.UTC).date(),
        methods=" | ".join(f"`{method}`" for method in METHODS),
        rows="\n".join(rows),
        unsettled=sum(cell.unsettled for cell in survivals),
    )
    _ = TARGET.write_text(text, encoding="utf-8")
    print(text)
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
