"""Measure how often the notebook's settings, and one change at a time, end in a right network.

Writes ``src/adderlab/training/success_rates.json``, which ``adderlab train`` quotes.
Run: python benchmarks/success_rates.py [NETWORKS]
"""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path

import adderlab

CHANGES = (
    ("another seed and nothing else", "", {}),
    ("4 hidden units", "--hidden 4", {"hidden": 4}),
    ("8 hidden units", "--hidden 8", {"hidden": 8}),
    ("tanh", "--activation tanh", {"activation": "tanh"}),
    ("Adam", "--optimizer adam --lr 0.01", {"optimizer": "adam", "lr": 0.01}),
)
TARGET = Path(__file__).parents[1] / "src/adderlab/training/success_rates.json"


def main() -> None:
    networks = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rates = []
    for change, option, settings in CHANGES:
        census = adderlab.train_many("half-adder", seeds=networks, explain=False, **settings)
        successes = census.successes
        rates.append(
            {"change": change, "option": option, "successes": successes, "networks": networks}
        )
        print(f"{change:42} {successes / networks:.3f}  {census.seconds:6.1f} s")
    table = {
        "script": "benchmarks/success_rates.py",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "rates": rates,
    }
    _ = TARGET.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
