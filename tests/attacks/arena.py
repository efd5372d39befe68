"""The process in which attacks run: ``python arena.py KIND COUNT SEED`` in an empty folder.

It gives up root's rights first, and refuses to go on where it can't; it prints one JSON object.
"""

from __future__ import annotations

import json
import resource
import sys
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any, Final

from attacks.rights import drop_rights

MOST_BYTES: Final = 12 << 30
"""Addresses that an attack may take; PyTorch's own are some of them."""


def attack(kinds: list[str], count: int, seed: int, folder: Path) -> dict[str, Any]:
    """Run so many attacks of each kind; return what came of them."""
    from attacks.cases import run_case
    from attacks.certified import certificates, outcomes_here
    from attacks.guard import Guard
    from attacks.kinds import KINDS, networks, run_folder, weight_files

    from adderlab.exporting import node
    from adderlab.verbs import grade

    grade.outcomes = outcomes_here
    node.node_command = lambda: None  # a process of its own, which the guard refuses
    _ = (
        networks(),
        weight_files(),
        run_folder(),
        certificates(),
    )  # before the hook: what compiles code
    guard = Guard(folder)
    reports = {}
    for kind in kinds:
        endings: Counter[str] = Counter()
        faults = []
        for number in range(count):
            case = KINDS[kind](Random(f"{seed} {kind} {number}"))
            outcome = run_case(case, folder, guard)
            endings[outcome.ending] += 1
            if outcome.faults:
                shown = "a call" if callable(case.attack) else " ".join(case.attack)[:400]
                faults.append(f"{kind} {number} of seed {seed}: {shown!a}: {outcome.faults}")
        reports[kind] = {"cases": count, "endings": dict(endings), "unexpected": faults}
    return reports


if __name__ == "__main__":
    place = Path.cwd()
    drop_rights(place)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    names, number, first = sys.argv[1:]
    print(json.dumps(attack(names.split(","), int(number), int(first), place)))
