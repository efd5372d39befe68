"""A trained cell from start to end: seeds, whole numbers, a certificate, sums, the one file."""

from __future__ import annotations

import random
import subprocess
import sys

import adderlab
from adderlab.cli.main import main

SEEDS = 24


def test_a_trained_full_adder_adds_a_thousand_digits(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    census = adderlab.train_many(
        "full-adder", seeds=SEEDS, out="run", explain=False, draw=False, hidden=8, steps=2000
    )
    assert 0 < census.successes < SEEDS
    best = adderlab.load("run/best.safetensors")
    assert adderlab.prove(best, "adder:any")
    smaller = [
        adderlab.quantize(best, name, method="snap", timeout_s=20) for name in ("int4", "int2")
    ]
    cell = [result for result in smaller if result][-1].network
    adderlab.save(cell, "cell.safetensors")

    verdict = adderlab.prove("cell.safetensors", "adder:any", out="cell.cert")
    assert (verdict.verdict, verdict.method) == ("proved", "composed")
    assert verdict.semantics == f"exact, {cell.format}"

    rng = random.Random(0)
    first, second = (rng.randrange(10**999, 10**1000) for _ in range(2))
    assert int(adderlab.add(first, second, "cell.safetensors").sum) == first + second

    assert main(["check", "--write-checker", "checker.py"]) == 0
    _ = capsys.readouterr()
    done = subprocess.run(
        [sys.executable, "-I", "-S", "checker.py", "cell.safetensors", "cell.cert",
         "--task", "adder:any"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "at every width" in done.stdout
    assert f"in exact arithmetic and in {cell.format}" in done.stdout
