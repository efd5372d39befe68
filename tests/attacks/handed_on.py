"""Attacks on answers to exercises, and on networks that are exported."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Final

from attacks import mutations
from attacks.cases import Case
from exercises.cases import CASES, answer

import adderlab

DEEP: Final = (
    '{"exercise": "xor", "network": ' + "[" * 50_000,
    '{"exercise": "xor", "network": {"layers": ' + "[" * 900 + "]" * 900 + "}}",
    '{"exercise": "failing-seed", "numbers": {"seed": ' + "9" * 5000 + ', "unit": 1}}',
    '{"exercise": "fc1-size", "numbers": {"parameters": 1e999, "bytes": -1e999}}',
    '{"exercise": "fc1-size", "numbers": {"parameters": NaN, "bytes": Infinity}}',
)
"""Answers that are nested deep, or hold huge numbers."""

PLACES: Final = (
    "out.html", "out.HTM", "out", "out.txt", "nowhere/out.html", "net.safetensors", "", ".", "-",
    "out\n.html", "out\x1b[31m.html", "out\u202e.html", "out<script>.html", "out&quot;.html",
    "out%s{0}.html", "out" + "x" * 300 + ".html", "out\ud800.html", "out.json",
)  # fmt: skip

TABLES: Final = ("t.csv", "</script><script>x.csv", "&lt;'\".csv", "\u202et.csv", "<!--.csv")


def answers(rng: Random) -> Case:
    """Return a folder of damaged answers, to be graded by an exercise, which may be none."""
    name, value, _, _ = rng.choice(CASES)
    folder = f"in{rng.randrange(10**12)}"
    files = {}
    for number in range(rng.choice((1, 2))):
        data = mutations.of_json(rng, answer(name, value))
        if rng.random() < 0.1:
            data = rng.choice(DEEP).encode()
        files[f"{folder}/{number}.json"] = data
    exercise = name if rng.random() < 0.9 else rng.choice(mutations.TEXTS)

    def call() -> None:
        graded = adderlab.grade(folder, exercise=exercise, timeout_s=10, out="out.csv")
        assert len(graded.entries) == len(files)
        assert all(entry.reason.isprintable() for entry in graded.entries)

    return Case(call, files, ("out",))


def exported(rng: Random, network: bytes) -> Case:
    """Return a network, its table or the place of its file damaged, to be exported."""
    to = rng.choice(("html", "html", "json"))
    out, table = rng.choice(PLACES), rng.choice(TABLES)
    data = network
    match rng.randrange(3):
        case 0:
            data = mutations.of_safetensors(rng, network)
            out = f"out.{to}"
        case 1:
            out = f"out.{to}"
        case _:
            pass
    rows = "in a:1,in b:1,out c:2\n0,0,0\n0,1,1\n1,0,1\n1,1,2\n"
    task = rng.choice((None, f"table:{table}"))

    def call() -> None:
        written = adderlab.export("net.safetensors", task, to=to, out=out, force=True)
        for path in written.files:
            if Path(path).suffix.lower().startswith(".htm"):
                text = Path(path).read_text(encoding="utf-8")
                assert "</script><script>x" not in text, path
                assert text.count("<script") == 1, path
            else:
                _ = json.loads(Path(path).read_text(encoding="utf-8"))

    return Case(call, {"net.safetensors": data, table: rows.encode()}, ("out",))
