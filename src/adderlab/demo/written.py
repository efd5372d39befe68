"""What a demo wrote, in a few lines: how many files of each kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath
from typing import Final

from adderlab.blocks.numbers import counted

KINDS: Final = {
    "report.html": "the chapters with their figures, one page",
    "results.json": "every number of the chapters",
    "*.safetensors": "networks",
    "*.cert": "the certificate of the trained cell",
    "*.csv": "truth tables, and the data set",
    "*.txt": "the notebook's formula",
    "map.png": "the map of trainability, a pixel a network",
    "map.npz": "its arrays",
    "figures/": "each figure as SVG and PNG",
    "population/": "the runs of the success rate, a row each",
}
"""Files by name, by suffix or by folder, and what they are; in the order of the list."""


def summary_of(files: Sequence[str]) -> list[str]:
    """Return a line for each kind of file: its pattern, how many there are, what they are."""
    counts = Counter(map(_kind, files))
    rows = [
        (kind, counted(counts[kind], "file"), KINDS.get(kind, ""))
        for kind in sorted(counts, key=lambda kind: [*KINDS, kind].index(kind))
    ]
    widths = [max(len(row[place]) for row in rows) for place in (0, 1)]
    return [
        f"{kind:<{widths[0]}}  {count:>{widths[1]}}  {text}".rstrip() for kind, count, text in rows
    ]


def _kind(name: str) -> str:
    path = PurePath(name)
    if len(path.parts) > 1:
        return f"{path.parts[0]}/"
    return name if name in KINDS else f"*{path.suffix}"
