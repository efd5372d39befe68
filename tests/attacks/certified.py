"""Attacks on certificates, on long numbers that are added, and on folders that are graded."""

from __future__ import annotations

import csv
import importlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

from attacks import mutations
from attacks.cases import Case

import adderlab
from adderlab.building import construct
from adderlab.checker import seal
from adderlab.isolation import Limits, Outcome, Piece
from adderlab.nets.files import to_bytes
from adderlab.proving.certificates import with_artifacts
from adderlab.tasks import task_named

NAMES: Final = (
    "a.safetensors", "b.npz", "c.pt", "d.onnx", "e.json", "f.py", "=1+1", "x;=1+1", "-1", "@x",
    "'x", "a,b", "new\nline", "<script>", "&lt;", "[red]", "\u202ex", "sub/a.safetensors", "ü",
    "x\\", os.fsdecode(b"\xff"),
)  # fmt: skip

TASKS: Final = {
    "adder:2": ("prefix", "diagram", "adder:2"),
    "half-adder": ("lecture", "enumeration", "half-adder"),
    "full-adder": ("one-layer", "auto", "adder:any"),
}
"""What certificates are of: the network's task and method, the engine, and what is proved."""

LISTED: Final = {
    "to": "c", "name": "net.c", "sha256": "5c" * 32, "bytes": 7, "equal": True, "checked_rows": 8,
    "scope": "", "checked_by": "gcc 12",
}  # fmt: skip
"""What a certificate says of a file that was exported."""


@cache
def certificates() -> tuple[tuple[bytes, bytes], ...]:
    """Return networks with their certificates: by diagrams, refuted, composed, with a file."""
    pairs: list[tuple[bytes, bytes]] = []
    with tempfile.TemporaryDirectory(dir=".") as folder:
        net, out = Path(folder, "net.safetensors"), Path(folder, "net.cert")
        for task, (method, engine, about) in TASKS.items():
            _ = net.write_bytes(to_bytes(construct(task_named(task), method=method)))
            _ = adderlab.prove(net, about, engine=engine, out=out)
            pairs.append((net.read_bytes(), out.read_bytes()))
    data, cert = pairs[-1]
    return (*pairs, (data, with_artifacts(cert, [LISTED])))


def certificate(rng: Random) -> Case:
    """Return a damaged certificate, or one that is sealed again, for its network."""
    net, cert = rng.choice(certificates())
    if rng.random() < 0.5:
        damaged = mutations.of_bytes(rng, cert)

        def call() -> None:
            answer = adderlab.check("net.safetensors", "net.cert")
            assert not answer or damaged == cert, answer

        return Case(call, {"net.safetensors": net, "net.cert": damaged})
    value = mutations.of_value(rng, json.loads(cert))
    try:
        data = seal(value) if isinstance(value, dict) else json.dumps(value).encode()
    except (ValueError, TypeError):  # what is no JSON
        data = cert
    line = rng.choice(
        ("check net.safetensors net.cert", "check net.safetensors net.cert --json",
         "check net.safetensors net.cert --task half-adder", "check net.cert net.safetensors")
    )  # fmt: skip
    return Case(line.split(), {"net.safetensors": net, "net.cert": data})


def number(rng: Random) -> Case:
    """Return a number that is damaged, to be added to another."""
    cell = certificates()[-1][0]
    digits = "".join(rng.choices("0123456789", k=rng.choice((1, 9, 5000))))
    data = mutations.of_bytes(rng, digits.encode())
    files = {"cell": cell, "x": data}
    if rng.random() < 0.5:
        line = rng.choice(
            ("add @x 7 --net cell", "add 7 @x --net cell --json", "add @x @x --net x")
        )
        return Case(line.split(), files)
    text = data.decode(errors="replace")

    def call() -> None:
        total = adderlab.add(text, 7, "cell").sum
        assert total == python_sum(text, 7), text

    return Case(call, files)


def python_sum(text: str, other: int) -> str:
    """Return a sum by Python's whole numbers, in pieces that it writes at any length."""
    value = 0
    for start in range(0, len(text.strip()), 1000):
        piece = text.strip()[start : start + 1000]
        value = value * 10 ** len(piece) + int(piece)
    value += other
    pieces: list[str] = []
    while value:
        value, rest = divmod(value, 10**1000)
        pieces.append(str(rest).zfill(1000))
    return "".join(reversed(pieces)).lstrip("0") or "0"


def hand_ins(files: Mapping[str, bytes], rng: Random) -> Case:
    """Return a folder of damaged files with hostile names, to be graded.

    Args:
        files: undamaged ones, by the ending of their names.
        rng: what draws them.
    """
    names = rng.sample(NAMES, rng.choice((1, 2, 5)))
    folder = f"in{rng.randrange(10**12)}"
    handed = {
        f"{folder}/{name}": mutations.of_bytes(rng, files[rng.choice(sorted(files))])
        for name in names
    }
    task, rule = rng.choice(("half-adder", "adder:1", "adder:any")), rng.choice(("raw", "unique"))

    def call() -> None:
        graded = adderlab.grade(
            folder, task, rule=rule, timeout_s=2, out="out.csv", page="out.html"
        )
        with Path("out.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == len(graded.entries) == len(names)
        starts = [part for row in rows for part in (*row.values(), *row["name"].split(";"))]
        assert not any(part.startswith(tuple("=+-@")) for part in starts), starts
        assert "<script></" not in Path("out.html").read_text(encoding="utf-8")
        assert all(entry.name.isprintable() for entry in graded.entries)

    return Case(call, handed, ("out",))


def outcomes_here(
    work: str, context: Any, pieces: Iterable[Piece], limits: Limits, *, jobs: int
) -> Iterator[tuple[int, Outcome]]:
    """Judge in this process, which the audit hook watches, what else has a process of its own."""
    assert jobs > 0
    assert limits.timeout_s > 0
    module, _, name = work.partition(":")
    judge = getattr(importlib.import_module(module), name)(context)
    for place, piece in enumerate(pieces):
        sent: list[dict[str, Any]] = []
        judge(piece.item, sent.append)
        yield place, Outcome(tuple(json.loads(json.dumps(sent))), "done", 0.0)
