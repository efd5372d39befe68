"""Chapter: adders of 64 bits, proved on all of their inputs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

from adderlab.blocks import Chapter, Command, Paragraph, Table
from adderlab.building import construct, weight_text
from adderlab.demo.workshop import Workshop
from adderlab.nets import save
from adderlab.proving.verdict import FormatVerdict
from adderlab.tasks import task_named
from adderlab.tasks.wording import NO_BITS, sum_of
from adderlab.verbs.prove import prove

WIDTH: Final = 64
METHODS: Final = ("one-layer", "prefix", "ripple")
FORMATS_SHOWN: Final = ("fp16", "fp32", "fp64", "wide")
RUNGS: Final = ((1, "under a second"), (10, "under ten seconds"), (60, "under a minute"))
"""How a time is told: coarsely, so that the same story gives the same page."""


@dataclass(frozen=True, slots=True)
class Cliff:
    """What becomes of the one-layer adder in a format as it grows.

    Attributes:
        format: the number format.
        proved_to: the width up to which every width is proved.
        refuted_at: the first width that is refuted, if one is.
        example: how it goes wrong there.
    """

    format: str
    proved_to: int
    refuted_at: int | None
    example: str


def wide_adders(shop: Workshop) -> Chapter:
    """Return the chapter on wide adders, and on what a number format does to one of them."""
    task = task_named(f"adder:{WIDTH}")
    rows: list[tuple[str, ...]] = []
    marks: list[bool] = []
    times: list[float] = []
    results: dict[str, Any] = {}
    for method in METHODS:
        net = construct(task, method)
        start = time.perf_counter()
        verdict = prove(net)
        times.append(time.perf_counter() - start)
        _ = save(net, shop.folder / f"adder-{WIDTH}-{method}.safetensors")
        rows.append(
            (
                method,
                str(net.depth),
                f"{net.hidden:,}",
                f"{net.nonzero:,}",
                weight_text(net.max_weight),
                verdict.verdict,
            )
        )
        marks.append(bool(verdict))
        results[method] = {
            "depth": net.depth,
            "hidden": net.hidden,
            "nonzero": net.nonzero,
            "max_weight": net.max_weight,
            "verdict": verdict.verdict,
            "seconds": round(times[-1], 4),
        }
    cliffs = _cliffs(shop)
    limited = [cliff for cliff in cliffs if cliff.proved_to < WIDTH]
    return Chapter(
        slug="wide",
        title="Sixty-four bits, all inputs",
        blocks=(
            Paragraph(
                "The same idea adds words of any width. Two operands of 64 bits have 2^128 "
                "inputs: at a billion a second, trying them would take 10^22 years. As decision "
                "diagrams, which share what is alike, they are decided all at once. The slowest "
                f"of these three proofs took {took(max(times))}; results.json has the seconds."
            ),
            Table(
                ("construction", "layers", "hidden", "nonzero", "largest weight", "verdict"),
                tuple(rows),
                marks=tuple(marks),
                caption="Three adders of 64 bits, on all 2^128 inputs",
                left=("construction", "verdict"),
            ),
            Paragraph(
                "A wider word costs the first adder larger weights and the other two more layers; "
                "their weights stay within -2..1, two bits each, at every width."
            ),
            Paragraph(
                "One hidden layer needs weights that double with every bit, and a number format "
                "holds only so many. In exact arithmetic every width is right; in a format's own "
                "arithmetic the one-layer adder comes to a cliff:"
            ),
            Table(
                ("format", "proved up to", "refuted at", "for example"),
                tuple(
                    (cliff.format, str(cliff.proved_to), str(cliff.refuted_at or ""), cliff.example)
                    for cliff in limited
                ),
                caption="The one-layer adder of 1 to 64 bits, each width proved or refuted in each "
                "format, for every order of summation",
                left=("format", "for example"),
            ),
            Command(f"adderlab build adder:{WIDTH} --method prefix -o adder{WIDTH}.safetensors"),
            Command("adderlab build adder:24 --method one-layer -o adder24.safetensors"),
            Command("adderlab prove adder24.safetensors --format fp64 --format fp32"),
        ),
        results={
            **results,
            "cliffs": {
                cliff.format: {"proved_to": cliff.proved_to, "refuted_at": cliff.refuted_at}
                for cliff in cliffs
            },
        },
    )


def took(seconds: float) -> str:
    """Return a time in words."""
    return next((words for rung, words in RUNGS if seconds < rung), "over a minute")


def _cliffs(shop: Workshop) -> list[Cliff]:
    """Return what becomes of the one-layer adder in each format, at every width up to 64."""
    is_proved: dict[str, list[bool]] = {name: [] for name in FORMATS_SHOWN}
    refuted: dict[str, tuple[int, str]] = {}
    for width in range(1, WIDTH + 1):
        shop.on_progress(f"{width} bits in four formats", width / (WIDTH + 1))
        net = construct(task_named(f"adder:{width}"), "one-layer", format="wide")
        verdict = prove(net, formats=FORMATS_SHOWN, engine="diagram")
        for name, judged in verdict.formats.items():
            is_proved[name].append(judged.verdict == "proved")
            if judged.verdict == "refuted" and name not in refuted:
                refuted[name] = width, _example(judged)
    return [
        Cliff(
            name,
            next((at for at, is_so in enumerate(proved) if not is_so), WIDTH),
            *refuted.get(name, (None, "")),
        )
        for name, proved in is_proved.items()
    ]


def _example(verdict: FormatVerdict) -> str:
    """Return the counterexample of a refuted format in a few words."""
    example = verdict.counterexample
    if example is None:
        return ""
    (got,), (expected,) = example.got.values(), example.expected.values()
    return f"{sum_of(example.input)} gives {NO_BITS if got is None else got}, not {expected}"
