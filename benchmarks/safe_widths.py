"""Hold what is derived about safe widths against proofs, and write it as ``docs/widths.md``.

Each construction is built at every width from 1 to 64 and proved by diagrams, and each number
format judged by the grid rule. Where a proof and ``building/adders/widths.py`` disagree, the
script stops and nothing is written. Run: python benchmarks/safe_widths.py
"""

from __future__ import annotations

import datetime
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from adderlab.building import METHODS, exact_widths
from adderlab.formats import FORMATS
from adderlab.tasks import task_named
from adderlab.verbs.prove import prove

MOST = 64
ADDERS = ("one-layer", "ripple", "prefix")
TARGET = Path(__file__).parents[1] / "docs/widths.md"

TEXT = """\
# Widths that are exact

The largest width N up to which `adder:N` is exact in a number format, for every order of
summation, by construction. `adderlab build` gives the same numbers with each adder.

| format | {methods} |
| --- | --- | --- | --- |
{rows}

The numbers are derived, in `building/adders/widths.py`: a float of p significant bits counts to 2^p
without a gap, and the largest sum of the one-layer adder is 2^(N+1) + 2^(N-1) - 3; an integer
format must hold its largest number, 2^N, and no sum may leave int32. In a float, one bit wider,
some order of summation gives a wrong sum of the operands of all ones. The weights of the other two
adders stay within -2..1 and their sums within 5, whatever the width; `ternary` and `binary` do not
hold -2.

Every adder of 1 to {most} bits was built and proved to hold them against: all {proofs} verdicts
agree. Written by `benchmarks/safe_widths.py` on {date}.
"""


def faults(method: str) -> Iterator[str]:
    """Yield each width and format where the proof says otherwise than what is derived."""
    derived = exact_widths(method)
    for width in range(1, MOST + 1):
        net = METHODS[method].build(task_named(f"adder:{width}"), "wide")
        proof = prove(net, formats=list(FORMATS), engine="diagram")
        for name, limit in derived.items():
            verdict = proof.formats[name].verdict
            if (verdict == "proved") != (limit is None or width <= limit):
                yield f"adder:{width} by {method} in {name}: {verdict}, derived {limit}"


def cell(width: int | None) -> str:
    """Return a width for the table."""
    return "every" if width is None else str(width or "none")


def main() -> None:
    for method in ADDERS:
        start = time.perf_counter()
        for fault in faults(method):
            sys.exit(fault)
        print(f"{method:9} 1 to {MOST} bits agree, {time.perf_counter() - start:.1f} s")
    derived = [exact_widths(method) for method in ADDERS]
    rows = [
        f"| `{name}` | {' | '.join(cell(widths[name]) for widths in derived)} |" for name in FORMATS
    ]
    text = TEXT.format(
        methods=" | ".join(ADDERS),
        rows="\n".join(rows),
        most=MOST,
        proofs=f"{MOST * len(ADDERS) * len(FORMATS):,}",
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
    )
    _ = TARGET.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
