"""Chapter: 64-bit adders, proved on all inputs."""

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
BEYOND_FP32: Final = 24
"""A width at which the one-layer adder is right in fp64 and wrong in fp32."""

FORMATS_SHOWN: Final = ("fp16", "fp32", "fp64", "wide")
TIME_WORDS: Final = ((1, "under a second"), (10, "under ten seconds"), (60, "under a minute"))
"""Run times in words, so that the same demo gives the same page."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The width up to which the one-layer adder is right in a number format.

    Attributes:
        format: the name of the format.
        proved_to: the width up to which every width is proved.
        refuted_at: the first width that is refuted, if any is.
        example: its counterexample there, as text.
        order: the order of summation in which it is wrong.
    """

    format: str
    proved_to: int
    refuted_at: int | None
    example: str
    order: str


def wide_adders(shop: Workshop) -> Chapter:
    """Return the chapter on 64-bit adders and on the limits of number formats."""
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
        _ = save(net, shop.folder / _file(WIDTH, method))
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
    beyond = construct(task_named(f"adder:{BEYOND_FP32}"), "one-layer")
    _ = save(beyond, shop.folder / _file(BEYOND_FP32, "one-layer"))
    limits = _limits(shop)
    orders = " or ".join(dict.fromkeys(limit.order for limit in limits if limit.order))
    return Chapter(
        slug="wide",
        title="64 bits, all inputs",
        blocks=(
            Paragraph(
                "Adders of any width can be built in the same way. Two operands of 64 bits have "
                "2^128 inputs: trying them at a billion per second would take 10^22 years. A "
                "decision diagram represents all of them at once, because equal parts of the "
                "function are stored once. The slowest of the three proofs took "
                f"{took(max(times))}; results.json has the seconds."
            ),
            Table(
                ("construction", "layers", "hidden", "nonzero", "largest weight", "verdict"),
                tuple(rows),
                marks=tuple(marks),
                caption="Three 64-bit adders, on all 2^128 inputs",
                left=("construction", "verdict"),
            ),
            Paragraph(
                "For wider words, the one-layer adder needs larger weights; the other two need "
                "more layers, and their weights stay between -2 and 1, two bits each."
            ),
            Paragraph(
                "The weights of the one-layer adder double with every bit, and a number format "
                "represents them only up to a limit. In exact arithmetic every width is right; in "
                "the arithmetic of a format the adder is right up to this width. One bit wider, "
                f"the sums below are wrong when they are taken in the order: {orders}."
            ),
            Table(
                ("format", "proved up to", "refuted at", "counterexample"),
                tuple(
                    (limit.format, str(limit.proved_to), str(limit.refuted_at or ""), limit.example)
                    for limit in limits
                    if limit.proved_to < WIDTH
                ),
                caption="The one-layer adder from 1 to 64 bits, each width proved or refuted in "
                "each format, for every order of summation",
                left=("format", "counterexample"),
            ),
            *(
                Command(f"adderlab build adder:{WIDTH} --method {method} -o {_file(WIDTH, method)}")
                for method in METHODS
            ),
            Command(
                f"adderlab build adder:{BEYOND_FP32} --method one-layer "
                f"-o {_file(BEYOND_FP32, 'one-layer')}"
            ),
            Command(
                f"adderlab prove {_file(BEYOND_FP32, 'one-layer')} --format fp64 --format fp32"
            ),
        ),
        results={
            **results,
            "cliffs": {
                limit.format: {"proved_to": limit.proved_to, "refuted_at": limit.refuted_at}
                for limit in limits
            },
        },
    )


def _file(width: int, method: str) -> str:
    return f"adder-{width}-{method}.safetensors"


def took(seconds: float) -> str:
    """Return a run time in words: ``under a second``."""
    return next((words for limit, words in TIME_WORDS if seconds < limit), "over a minute")


def _limits(shop: Workshop) -> list[Limit]:
    """Return the limit of the one-layer adder in each format, of every width up to 64."""
    is_proved: dict[str, list[bool]] = {name: [] for name in FORMATS_SHOWN}
    refuted: dict[str, tuple[int, str, str]] = {}
    for width in range(1, WIDTH + 1):
        shop.on_progress(f"{width} bits in four formats", width / (WIDTH + 1))
        net = construct(task_named(f"adder:{width}"), "one-layer", format="wide")
        verdict = prove(net, formats=FORMATS_SHOWN, engine="diagram")
        for name, part in verdict.formats.items():
            is_proved[name].append(part.verdict == "proved")
            if part.verdict == "refuted" and name not in refuted:
                refuted[name] = width, *_example(part)
    return [
        Limit(
            name,
            next((width for width, is_right in enumerate(proved) if not is_right), WIDTH),
            *refuted.get(name, (None, "", "")),
        )
        for name, proved in is_proved.items()
    ]


def _example(verdict: FormatVerdict) -> tuple[str, str]:
    """Return the counterexample in a format and its order as texts, empty if there is none."""
    example = verdict.counterexample
    if example is None:
        return "", ""
    (got,), (expected,) = example.got.values(), example.expected.values()
    text = f"{sum_of(example.input)} gives {NO_BITS if got is None else got}, not {expected}"
    return text, example.order
