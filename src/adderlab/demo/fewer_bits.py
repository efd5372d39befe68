"""Chapter: in how few bits the adder still adds."""

from __future__ import annotations

from typing import Final

import numpy as np

from adderlab.blocks import Chapter, Command, Paragraph, Table
from adderlab.building import construct, printed_network
from adderlab.counting import count_network
from adderlab.demo.workshop import Workshop
from adderlab.proving import Verdict
from adderlab.quantizing import METHODS, Survival, one_bit_census, survival
from adderlab.training import Settings
from adderlab.training.judging import judge
from adderlab.training.members import train_members
from adderlab.verbs.quantize import quantize
from adderlab.verbs.quantized import Quantized

WALK: Final = ("fp16", "int8", "int6", "int4", "int3", "int2")
SURVEYED: Final = ("fp16", "fp8-e4m3", "int8", "int6", "int4", "int3", "int2", "ternary", "binary")
MOST_TRAINED: Final = 200
FEWEST_TRAINED: Final = 20
SEARCHED: Final = 40
METHOD_WORDS: Final = {
    "nearest": "to nearest",
    "exact": "up or down, by search",
    "snap": "rescaled to whole numbers",
    "fine-tune": "trained on",
}


def fewer_bits(shop: Workshop) -> Chapter:
    """Return the chapter on quantization: the adder from 68 bytes to 3."""
    net = printed_network().for_task(shop.task)
    walk: list[Quantized] = []
    for number, name in enumerate(WALK):
        shop.on_progress(f"quantizing to {name}", 0.3 * number / len(WALK))
        walk.append(quantize(net, name))
    plain = quantize(net, "int2", method="nearest")
    shop.on_progress("one bit a parameter", 0.3)
    three = quantize(construct(shop.task, "one-layer"), "int2", method="exact")
    census = [one_bit_census(shop.task, hidden) for hidden in (2, 3)]
    smallest = quantize(net, "smallest")
    for name, quantized in (("int2", walk[-1]), ("three-bytes", three), ("one-bit", smallest)):
        _ = shop.keep(quantized.network, f"quantized-{name}")
    shares, right = _survivors(shop)
    before, counted = walk[0].before, count_network(net)
    return Chapter(
        slug="fewer-bits",
        title="From 68 bytes to 3",
        blocks=(
            Paragraph(
                "The 17 weights that the training notebook printed take 68 bytes. In fewer bits, "
                "each result is proved or refuted anew:"
            ),
            Table(
                ("format", "bytes", "with scales", "how", "verdict", "margin"),
                (
                    (
                        "fp32",
                        str(counted.bytes["fp32"]),
                        str(counted.stored_bytes),
                        "as printed",
                        before.verdict,
                        _margin(before),
                    ),
                    *(_cells(quantized) for quantized in walk),
                ),
                marks=(bool(before), *(bool(quantized) for quantized in walk)),
                left=("format", "how", "verdict"),
            ),
            Paragraph(
                f"In INT2 rounding to nearest is right on {plain.verdict.rows_right} of 4 rows; a "
                "search over all choices of up and down finds one that is right on every row."
            ),
            Paragraph(
                "Scales take more room than such small numbers. The adder of two hidden units "
                f"needs none: its {three.network.parameters} numbers are whole and within -2..1, "
                f"{three.network.parameters} * 2 bits = {three.bytes} bytes, "
                f"{three.verdict.verdict}."
            ),
            Paragraph(
                "And in one bit, each number -1 or 1? Of all "
                f"{census[0].networks:,} networks {census[0].shape}, {census[0].right} add; of all "
                f"{census[1].networks:,} networks {census[1].shape}, {census[1].right} do: 17 bits "
                f"are {smallest.bytes} bytes too."
            ),
            Table(
                ("format", *shares),
                tuple(
                    (form, *(f"{row[form]:.0%}" if form in row else "" for row in shares.values()))
                    for form in SURVEYED
                ),
                caption=f"Of {right} trained networks that add, the share that still does, by "
                "format and method. A scale for each tensor, none for floats and snap; exact and "
                f"snap were tried on {min(right, SEARCHED)} of them.",
                left=("format",),
            ),
            Command("adderlab quantize printed.safetensors --to int2"),
            Command("adderlab quantize printed.safetensors --table"),
            Command("adderlab quantize printed.safetensors --to smallest"),
        ),
        results={
            "walk": {quantized.form.name: _result(quantized) for quantized in walk},
            "int2_nearest": _result(plain),
            "three_bytes": _result(three),
            "smallest": _result(smallest),
            "one_bit": {entry.shape: [entry.right, entry.networks] for entry in census},
            "survival": {"networks": right, "shares": shares},
        },
    )


def _cells(quantized: Quantized) -> tuple[str, ...]:
    return (
        quantized.form.name,
        str(quantized.bytes),
        str(quantized.stored_bytes),
        METHOD_WORDS[quantized.rounded.method],
        quantized.verdict.verdict,
        _margin(quantized.verdict),
    )


def _margin(verdict: Verdict) -> str:
    margin = verdict.margin.min if verdict.margin is not None else None
    return "" if margin is None else f"{float(margin):.4f}"


def _result(quantized: Quantized) -> dict[str, object]:
    kept = ("format", "method", "parameters", "bytes", "stored_bytes", "verdict", "rows_right")
    data = quantized.to_dict()
    return {name: data[name] for name in kept}


def _survivors(shop: Workshop) -> tuple[dict[str, dict[str, float]], int]:
    """Return, by method and format, the share of trained networks that still add."""
    settings = Settings()
    count = max(min(shop.networks, MOST_TRAINED), FEWEST_TRAINED)
    trained = train_members(shop.task, settings, range(count))
    right = np.flatnonzero(judge(shop.task, settings, trained.arrays).is_right)
    arrays = [array[right] for array in trained.arrays]
    survivals: tuple[Survival, ...] = survival(
        arrays,
        shop.task,
        formats=SURVEYED,
        searched=SEARCHED,
        on_progress=lambda what, share: shop.on_progress(what, 0.4 + 0.6 * share),
    )
    shares: dict[str, dict[str, float]] = {method: {} for method in METHODS}
    for surviving in survivals:
        shares[surviving.method][surviving.format] = surviving.share
    return shares, len(right)
