"""Chapter: a trained full adder, certified, adds numbers of any length."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from adderlab import checker
from adderlab.blocks import Chapter, Code, Command, Paragraph, Table
from adderlab.blocks.numbers import counted
from adderlab.demo.workshop import Workshop, verdict_blocks
from adderlab.nets import Network, save
from adderlab.tasks import Task, task_named
from adderlab.training import Settings
from adderlab.training.judging import judge
from adderlab.training.members import train_members
from adderlab.verbs.add import add
from adderlab.verbs.check import check
from adderlab.verbs.prove import prove
from adderlab.verbs.quantize import quantize
from adderlab.verbs.quantized import Quantized

SETTINGS: Final = Settings(hidden=8, steps=2000)
MOST_TRAINED: Final = 200
FEWEST_TRAINED: Final = 20
FORMATS: Final = ("int8", "int4", "int3", "int2")
X, Y = 3**209, 7**118
"""Two numbers of 100 digits."""

DIGITS: Final = 51
"""Of a number that stand on a line: two lines hold the sum."""

NET, CELL, CERT = "trained-cell.safetensors", "cell.safetensors", "cell.cert"


def trained_cell(shop: Workshop) -> Chapter:
    """Return the chapter on a trained cell, its certificate, and a sum of 100 digits."""
    task = task_named("full-adder")
    count = max(min(shop.networks, MOST_TRAINED), FEWEST_TRAINED)
    shop.on_progress(f"training {count} full adders", 0.0)
    net, member, right, margin = _best(task, count)
    _ = save(net, shop.folder / NET)
    tried: list[Quantized] = []
    for number, name in enumerate(FORMATS):
        shop.on_progress(f"whole numbers, {name}", 0.5 + 0.1 * number)
        tried.append(quantize(net, name, method="snap", timeout_s=math.inf))
    kept = [result for result in tried if result]
    cell = kept[-1].network if kept else net
    path, certificate = shop.folder / CELL, shop.folder / CERT
    _ = save(cell, path)
    verdict = prove(path, "adder:any", out=certificate)
    answer = check(path, certificate, "adder:any")
    total = add(X, Y, path)
    assert total.sum is not None, total
    is_same = int(total.sum) == X + Y
    written = (" ", X), ("+", Y), ("=", total.sum)
    lines = Path(checker.__file__).read_text(encoding="utf-8").count("\n")
    return Chapter(
        slug="cell",
        title="A trained cell that adds any numbers",
        blocks=(
            Paragraph(
                "A full adder adds two bits and a carry. Repeated digit by digit, it adds numbers "
                f"of any length, if its eight rows are right. Of {count} networks trained for it, "
                f"3-8-2, {SETTINGS.steps} steps each, {right} are right; member {member} of seed 0 "
                f"has the largest margin, {margin:.4f}. Its weights are rescaled to whole "
                "numbers, in ever fewer bits:"
            ),
            Table(
                ("format", "parameters", "bytes", "verdict"),
                tuple(
                    (
                        result.form.name,
                        str(result.network.parameters),
                        str(result.bytes),
                        result.verdict.verdict,
                    )
                    for result in tried
                ),
                marks=tuple(map(bool, tried)),
                left=("format", "verdict"),
            ),
            Paragraph(
                f"The last that is proved, in {cell.format}, is the cell. What its eight rows say "
                "of every width:"
            ),
            *verdict_blocks(replace(verdict, certificate=CERT)),
            Paragraph(
                f"The certificate, {counted(certificate.stat().st_size, 'byte')}, holds the "
                "cell's table and the hash of its file. A program of "
                f"{lines:,} lines that needs nothing but Python re-checks it: "
                f"{'it is valid' if answer else answer.reason}. So the cell adds two numbers of "
                "100 digits:"
            ),
            Code(
                "\n".join(_in_lines(sign, str(value)) for sign, value in written),
                f"{counted(total.cells, 'cell')}; Python's own sum is "
                f"{'the same' if is_same else 'another'}:",
            ),
            Command(
                f"adderlab train full-adder --hidden {SETTINGS.hidden} --steps {SETTINGS.steps} "
                f"--seed 0 --member {member} -o {NET}"
            ),
            Command(f"adderlab quantize {NET} --to {cell.format} --method snap -o {CELL}"),
            Command(f"adderlab prove {CELL} --task adder:any -o {CERT}"),
            Command(f"adderlab check {CELL} {CERT}"),
            Command(f"adderlab add {X} {Y} --net {CELL}"),
        ),
        results={
            "networks": count,
            "right": right,
            "member": member,
            "margin": round(margin, 6),
            "formats": {result.form.name: result.verdict.verdict for result in tried},
            "verdict": verdict.verdict,
            "certificate": json.loads(certificate.read_bytes())["sha256"],
            "valid": answer.valid,
            "sum": total.sum,
            "is_right": is_same,
        },
    )


def _in_lines(sign: str, digits: str) -> str:
    """Return a number in lines that fit on a slide, those of all numbers one below another."""
    padded = digits.rjust(-(-len(digits) // DIGITS) * DIGITS)
    lines = [padded[at : at + DIGITS] for at in range(0, len(padded), DIGITS)]
    return "\n".join([f"{sign} {lines[0]}", *(f"  {line}" for line in lines[1:])])


def _best(task: Task, count: int) -> tuple[Network, int, int, float]:
    """Return the right network of the largest margin, its member, and how many are right."""
    trained = train_members(task, SETTINGS, range(count))
    judged = judge(task, SETTINGS, trained.arrays)
    margins = np.where(judged.is_right, judged.margin, -np.inf)
    best = int(margins.argmax())
    net = trained.network(best)
    assert net is not None
    return net, best, int(judged.is_right.sum()), float(margins[best])
