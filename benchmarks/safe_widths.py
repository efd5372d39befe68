"""Measure up to which width each adder construction is exact in each number format.

Every width from 1 up is built and proved by diagrams, and its format judged by the grid rule, until
one is not proved. Writes ``docs/widths.md``. Run: python benchmarks/safe_widths.py
"""

from __future__ import annotations

import datetime
import time
from pathlib import Path

from adderlab.building.adders import one_layer_adder, prefix_adder, ripple_adder
from adderlab.errors import AdderlabError
from adderlab.formats import FORMATS
from adderlab.proving import prove
from adderlab.tasks import task_named

MOST = 64
METHODS = {"one-layer": one_layer_adder, "ripple": ripple_adder, "prefix": prefix_adder}
TARGET = Path(__file__).parents[1] / "docs/widths.md"

TEXT = """\
# Widths that are exact

The largest width N up to which `adder:N` is proved in a number format, for every order of
summation, by construction. Every width up to {most} was built and proved; written by
`benchmarks/safe_widths.py` on {date}.

| format | {methods} |
| --- | --- | --- | --- |
{rows}

The one-layer adder's weights grow to 2^N, the others stay within -2..1: their sums are bounded
whatever the width.
"""


def safe_width(method: str, name: str) -> int:
    """Return the largest width up to ``MOST`` below which every width is proved."""
    for width in range(1, MOST + 1):
        try:
            net = METHODS[method](task_named(f"adder:{width}"), name)
        except AdderlabError:  # a weight that the format does not hold
            return width - 1
        if prove(net, formats=[name], engine="diagram").verdict != "proved":
            return width - 1
    return MOST


def main() -> None:
    rows = []
    for name in FORMATS:
        cells = []
        for method in METHODS:
            start = time.perf_counter()
            width = safe_width(method, name)
            cells.append(
                "none" if width == 0 else f"{width}" if width < MOST else f"{MOST} or more"
            )
            print(f"{name:9} {method:9} {cells[-1]:10} {time.perf_counter() - start:6.1f} s")
        rows.append(f"| `{name}` | {' | '.join(cells)} |")
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    text = TEXT.format(most=MOST, date=date, methods=" | ".join(METHODS), rows="\n".join(rows))
    _ = TARGET.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
