"""Chapter: adders of 64 bits, proved on all of their inputs."""

from __future__ import annotations

import time
from typing import Any, Final

from adderlab.building import construct
from adderlab.nets import save
from adderlab.proving import Verdict, prove
from adderlab.report import Chapter, Paragraph, Table, Try
from adderlab.tasks import task_named
from adderlab.workflows.demo.workshop import Workshop

WIDTH: Final = 64
METHODS: Final = ("one-layer", "prefix", "ripple")
CLIFFS: Final = (("fp16", 9, 11), ("fp32", 22, 24), ("fp64", 51, 53))
"""Of a format, the last width at which the one-layer adder is proved, and the first refuted one."""


def wide(shop: Workshop) -> Chapter:
    """Return the chapter on wide adders, and on what a number format does to one of them."""
    task = task_named(f"adder:{WIDTH}")
    rows: list[tuple[str, ...]] = []
    marks: list[bool] = []
    results: dict[str, Any] = {}
    for method in METHODS:
        net = construct(task, method)
        start = time.perf_counter()
        verdict = prove(net)
        _ = save(net, shop.folder / f"adder-{WIDTH}-{method}.safetensors")
        rows.append(
            (
                method,
                str(net.depth),
                f"{net.hidden:,}",
                f"{net.nonzero:,}",
                "2^64" if net.max_weight == 1 << WIDTH else str(net.max_weight),
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
            "seconds": round(time.perf_counter() - start, 3),
        }
    cliffs = [
        (name, last, _at(name, last), first, _at(name, first)) for name, last, first in CLIFFS
    ]
    seconds = sum(one["seconds"] for one in results.values())
    return Chapter(
        slug="wide",
        title="Sixty-four bits, all inputs",
        blocks=(
            Paragraph(
                "The same idea adds words of any width. Two operands of 64 bits have 2^128 "
                "inputs, too many to try; as decision diagrams they are decided all at once, "
                f"{'in under a second for all three' if seconds < 1 else 'in seconds'}:"
            ),
            Table(
                ("construction", "layers", "hidden", "nonzero", "largest weight", "verdict"),
                tuple(rows),
                marks=tuple(marks),
                caption="Depth against weight size: adder:64",
                left=("construction", "verdict"),
            ),
            Paragraph(
                "One hidden layer needs weights that double with every bit, and a number format "
                "holds only so many. In exact arithmetic every width is right; in a format the "
                "one-layer adder comes to a cliff:"
            ),
            Table(
                ("format", "width", "verdict", "two bits more", "verdict there", "for example"),
                tuple(
                    (name, str(last), here.verdict, str(first), there.verdict, _example(there))
                    for name, last, here, first, there in cliffs
                ),
                caption="The one-layer adder in a format's own arithmetic, for every order of "
                "summation",
                left=("format", "verdict", "verdict there", "for example"),
            ),
            Paragraph("The other two stay within -2..1, two bits a weight, at every width."),
            Try(f"adderlab build adder:{WIDTH} --method prefix -o adder{WIDTH}.safetensors"),
        ),
        results={
            **results,
            "cliffs": {
                name: {str(last): here.verdict, str(first): there.verdict}
                for name, last, here, first, there in cliffs
            },
        },
    )


def _at(name: str, width: int) -> Verdict:
    """Return the verdict of the one-layer adder in a format, at a width."""
    net = construct(task_named(f"adder:{width}"), "one-layer", format=name)
    return prove(net, formats=[name], engine="diagram")


def _example(verdict: Verdict) -> str:
    """Return the counterexample of a refuted format in a few words."""
    found = verdict.counterexample
    if found is None:
        return ""
    a, b = found.input.values()
    if a == b == (1 << a.bit_length()) - 1:
        return f"all ones give an output {max(map(float, found.output)):g}"
    return f"{a} + {b}"
