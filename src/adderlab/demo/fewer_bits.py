"""Chapter: the fewest bits in which the adder is still right."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from adderlab.blocks import Chapter, Command, Paragraph, Table
from adderlab.building import construct, printed_network
from adderlab.counting import count_network
from adderlab.demo.workshop import Workshop
from adderlab.proving import Verdict
from adderlab.quantizing import METHODS, one_bit_census, survival
from adderlab.runs.populations.census_blocks import rate_text
from adderlab.training import Settings
from adderlab.training.census.rates import Rate
from adderlab.training.judging import judge
from adderlab.training.members import train_members
from adderlab.verbs.quantize import quantize
from adderlab.verbs.quantized import Quantized

FORMATS: Final = ("fp16", "int8", "int6", "int4", "int3", "int2")
SURVEYED: Final = ("fp16", "fp8-e4m3", "int8", "int6", "int4", "int3", "int2", "ternary", "binary")
MOST_TRAINED: Final = 200
FEWEST_TRAINED: Final = 20
SEARCHED: Final = 40
NO_LIMIT: Final = math.inf
"""Of the time, so that the same demo gives the same page on any machine."""

METHOD_WORDS: Final = {
    "nearest": "rounded to nearest",
    "exact": "rounded up or down, by search",
    "snap": "rescaled to whole numbers",
    "fine-tune": "fine-tuned",
}


def fewer_bits(shop: Workshop) -> Chapter:
    """Return the chapter on quantizing the adder from 68 bytes to 3."""
    net = printed_network().for_task(shop.task)
    results: list[Quantized] = []
    for number, name in enumerate(FORMATS):
        shop.on_progress(f"quantizing to {name}", 0.3 * number / len(FORMATS))
        results.append(quantize(net, name, timeout_s=NO_LIMIT))
    nearest = quantize(net, "int2", method="nearest", timeout_s=NO_LIMIT)
    shop.on_progress("one bit per parameter", 0.3)
    two_units = construct(shop.task, "one-layer")
    three_bytes = quantize(two_units, "int2", method="exact", timeout_s=NO_LIMIT)
    census = [one_bit_census(shop.task, hidden) for hidden in (2, 3)]
    smallest = quantize(net, "smallest", timeout_s=NO_LIMIT)
    for name, kept in (
        ("two-units", two_units),
        ("quantized-int2", results[-1].network),
        ("quantized-three-bytes", three_bytes.network),
        ("quantized-one-bit", smallest.network),
    ):
        _ = shop.keep(kept, name)
    rates, right = _rates(shop)
    before, unchanged = results[0].before, count_network(net)
    return Chapter(
        slug="fewer-bits",
        title="From 68 bytes to 3",
        blocks=(
            Paragraph(
                "The 17 parameters that the training notebook printed take 68 bytes in fp32. Here "
                "they are quantized to fewer bits, and each result is proved or refuted:"
            ),
            Table(
                ("format", "bytes", "with scales", "method", "verdict", "margin"),
                (
                    (
                        "fp32",
                        str(unchanged.bytes["fp32"]),
                        str(unchanged.stored_bytes),
                        "as printed",
                        before.verdict,
                        _margin(before),
                    ),
                    *(_cells(result) for result in results),
                ),
                marks=(bool(before), *(bool(result) for result in results)),
                left=("format", "method", "verdict"),
            ),
            Paragraph(
                f"In INT2, rounding to nearest is right on {nearest.verdict.rows_right} of 4 rows. "
                "A search over all choices of rounding up or down finds a network that is right on "
                "every row."
            ),
            Paragraph(
                "The scales take more memory than the numbers themselves. The adder with two "
                f"hidden units needs no scales: its {three_bytes.network.parameters} parameters "
                "are whole numbers from -2 to 1, so it takes "
                f"{three_bytes.network.parameters} * 2 bits = {three_bytes.bytes} bytes. It is "
                f"{three_bytes.verdict.verdict}."
            ),
            Paragraph(
                "One bit per parameter, -1 or 1, can be enough. Of all "
                f"{census[0].networks:,} such networks of shape {census[0].shape}, "
                f"{census[0].right} add; of all {census[1].networks:,} of shape "
                f"{census[1].shape}, {census[1].right} add. Their 17 bits take {smallest.bytes} "
                "bytes too."
            ),
            Table(
                ("format", *rates),
                tuple(
                    (form, *(rate_text(row[form]) if form in row else "" for row in rates.values()))
                    for form in SURVEYED
                ),
                caption=f"The share of {right} trained networks that is still right after "
                "quantization, by format and method, with its 95 % Wilson interval. One scale per "
                "tensor, none for floats and snap; exact and snap on "
                f"{min(right, SEARCHED)} of the networks.",
                left=("format",),
            ),
            Command(
                "adderlab quantize printed.safetensors --to int2 -o quantized-int2.safetensors"
            ),
            Command("adderlab quantize printed.safetensors --table"),
            Command("adderlab build half-adder --method one-layer -o two-units.safetensors"),
            Command(
                "adderlab quantize two-units.safetensors --to int2 --method exact "
                "-o quantized-three-bytes.safetensors"
            ),
            Command(
                "adderlab quantize printed.safetensors --to smallest "
                "-o quantized-one-bit.safetensors"
            ),
        ),
        results={
            "walk": {result.form.name: _result(result) for result in results},
            "int2_nearest": _result(nearest),
            "three_bytes": _result(three_bytes),
            "smallest": _result(smallest),
            "one_bit": {count.shape: [count.right, count.networks] for count in census},
            "survival": {
                "networks": right,
                "shares": _by_method(rates, lambda rate: rate.share),
                "intervals": _by_method(rates, lambda rate: list(rate.interval)),
            },
        },
    )


def _cells(result: Quantized) -> tuple[str, ...]:
    return (
        result.form.name,
        str(result.bytes),
        str(result.stored_bytes),
        METHOD_WORDS[result.rounded.method],
        result.verdict.verdict,
        _margin(result.verdict),
    )


def _margin(verdict: Verdict) -> str:
    margin = verdict.margin.min if verdict.margin is not None else None
    return "" if margin is None else f"{float(margin):.4f}"


def _result(result: Quantized) -> dict[str, object]:
    names = ("format", "method", "parameters", "bytes", "stored_bytes", "verdict", "rows_right")
    values = result.to_dict()
    return {name: values[name] for name in names}


def _rates(shop: Workshop) -> tuple[dict[str, dict[str, Rate]], int]:
    """Return how many networks are still right, by method and format, and their number."""
    settings = Settings()
    count = max(min(shop.networks, MOST_TRAINED), FEWEST_TRAINED)
    trained = train_members(shop.task, settings, range(count))
    right = np.flatnonzero(judge(shop.task, settings, trained.arrays).is_right)
    arrays = [array[right] for array in trained.arrays]
    survivals = survival(
        arrays,
        shop.task,
        formats=SURVEYED,
        searched=SEARCHED,
        on_progress=lambda what, share: shop.on_progress(what, 0.4 + 0.6 * share),
    )
    rates: dict[str, dict[str, Rate]] = {method: {} for method in METHODS}
    for entry in survivals:
        rates[entry.method][entry.format] = Rate(entry.right, entry.of)
    return rates, len(right)


def _by_method(
    rates: dict[str, dict[str, Rate]], part: Callable[[Rate], Any]
) -> dict[str, dict[str, Any]]:
    return {
        method: {form: part(rate) for form, rate in row.items()} for method, row in rates.items()
    }
