"""Chapter: how often training succeeds, by hidden width, and how it fails."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

from adderlab.blocks import Block, Chapter, Command, Figures, Paragraph, Table
from adderlab.blocks.numbers import counted
from adderlab.demo.workshop import Workshop
from adderlab.figures import RatePoint, success_rates_picture
from adderlab.runs.populations import Census, pictures_of
from adderlab.runs.populations.census_blocks import symptom_blocks
from adderlab.runs.populations.solutions import Solutions
from adderlab.training import Settings
from adderlab.training.census.rates import Rate
from adderlab.training.census.surveys import success_rate
from adderlab.training.census.symptoms import SYMPTOM_NAMED
from adderlab.verbs.train_many import train_many

MOST_SHOWN: Final = 8
"""Kinds of failure that are shown, the most frequent first."""

WIDTHS: Final = (2, 3, 4, 8)
LECTURE: Final = 3
"""The hidden width of the notebooks."""


def success_rates(shop: Workshop) -> Chapter:
    """Return the chapter on the success rate of many runs and on their failures."""
    census = _population(shop)
    widths = _by_width(shop, census.rate)
    pictures = {picture.name: picture for picture in pictures_of(census)}
    kinds = [picture for name, picture in pictures.items() if name.startswith("failure-")]
    tables = counted(census.wrong_tables, "different wrong truth table")
    return Chapter(
        slug="success-rate",
        title=f"{shop.networks:,} runs instead of one",
        blocks=(
            Paragraph(
                f"One successful run says little. Of {census.networks:,} runs with the notebook's "
                "settings, each with its own initial weights and its own 1000 samples, "
                f"{census.successes:,} are right on all four rows: "
                f"{census.rate.share or 0.0:.1%} (95 % Wilson interval "
                f"{census.rate.interval[0]:.1%} to {census.rate.interval[1]:.1%}). "
                + _by_width_text([rate for _, rate in widths])
            ),
            shop.draw(
                success_rates_picture(
                    [
                        RatePoint(width, rate.share or 0.0, *rate.interval, width == LECTURE)
                        for width, rate in widths
                    ],
                    "hidden units",
                    name="success-by-width",
                ),
                pictures.get("loss-quantiles"),
                caption="The success rate by hidden units (hollow: the notebook's three), and the "
                "loss of the runs with the notebook's settings: half of them lie in the dark band.",
            ),
            Table(
                ("hidden units", "networks", "right", "95 % interval"),
                tuple(
                    (
                        str(width),
                        f"{rate.of:,}",
                        *_counted(rate)[1:],
                    )
                    for width, rate in widths
                ),
            ),
            Paragraph(
                f"The failures end in {tables}. The table has the four sums as the networks "
                "compute them, and what was shown to cause the failure:"
            ),
            _tables(census),
            *((_cards(shop, kinds[:MOST_SHOWN]),) if kinds else ()),
            *_causes(census),
            Paragraph(_solutions(census.solutions)),
            Command(f"adderlab train half-adder --seeds {shop.networks} -o population"),
        ),
        results={
            "networks": census.networks,
            "successes": census.successes,
            "success_rate": census.rate.share,
            "interval": list(census.rate.interval),
            "wrong_tables": census.wrong_tables,
            "by_hidden": [{"hidden": width, **rate.to_dict()} for width, rate in widths],
            "causes": [symptom.to_dict() for symptom in census.symptoms],
            "solutions": census.solutions.to_dict(),
        },
    )


def _population(shop: Workshop) -> Census:
    done = 0
    total = shop.networks * 1000

    def say(text: str) -> None:
        shop.on_progress(text, 0.3 * min(done / total, 1.0))

    def on_progress(steps: int) -> None:
        nonlocal done
        done += steps
        say(f"training {shop.networks} networks")

    return train_many(
        shop.task,
        seeds=shop.networks,
        out=shop.folder / "population",
        helps=False,  # the widths are measured below, on many more networks
        draw=False,
        on_progress=on_progress,
        on_stage=say,
        on_compile=say,
    )


def _by_width(shop: Workshop, own: Rate) -> list[tuple[int, Rate]]:
    """Return the success rate of each width; ``own`` is that of the notebook's."""
    rates: list[tuple[int, Rate]] = []
    for number, width in enumerate(WIDTHS):
        if width == LECTURE:
            rates.append((width, own))
            continue
        shop.on_progress(f"training with {width} hidden units", 0.4 + 0.5 * number / len(WIDTHS))
        settings = replace(Settings(), hidden=width)
        rates.append((width, success_rate(shop.task, settings, shop.networks)))
    return rates


def _by_width_text(rates: list[Rate]) -> str:
    """Return what the rates say, from the smallest width to the largest, beyond chance alone."""
    if all(wider.is_above(narrower) for narrower, wider in pairwise(rates)):
        return "The rate grows with the number of hidden units:"
    return "The rate by the number of hidden units:"


def _tables(census: Census) -> Table:
    kinds = census.failures[:MOST_SHOWN]
    return Table(
        ("0+0", "0+1", "1+0", "1+1", "networks", "share", "95 % interval", "caused by"),
        (
            (*"0112", *_counted(census.rate), ""),
            *(
                (
                    *map(str, kind.table or ("-",) * 4),
                    *_counted(Rate(kind.count, census.networks)),
                    ", ".join(SYMPTOM_NAMED[symptom.name].title for symptom in kind.causes) or "-",
                )
                for kind in kinds
            ),
        ),
        marks=(True, *(False for _ in kinds)),
        caption="The right table, and the most frequent wrong ones",
        left=("caused by",),
    )


def _counted(rate: Rate) -> tuple[str, str, str]:
    """Return a rate's count, its share and its interval."""
    low, high = rate.interval
    return f"{rate.count:,}", f"{rate.share or 0.0:.1%}", f"{low:.1%} to {high:.1%}"


def _cards(shop: Workshop, kinds: list[Any]) -> Figures:
    return shop.draw(
        *kinds,
        caption="The kinds of failure: an example of each, the rows on which its hidden units "
        "are on, and the symptoms of all failures of its kind.",
    )


def _causes(census: Census) -> tuple[Block, ...]:
    """Return what was tried to find out which symptoms are causes."""
    if not census.symptoms:
        return ()
    return (
        Paragraph(
            "A symptom of a failure need not be its cause. To find out, failed runs were repeated "
            "with the same initial weights and data and that one thing changed; in a control "
            "group, a similar change was made elsewhere. Repeated without a change, every run "
            "fails again."
        ),
        *symptom_blocks(census.symptoms),
    )


def _solutions(solutions: Solutions) -> str:
    text = (
        "The successful networks are not all the same solution. By which units are on at which "
        f"rows there are {solutions.patterns:,} kinds, or {solutions.classes:,} when "
        "permutations and scalings of the units are not counted as different."
    )
    if not solutions.commonest:
        return text
    share = solutions.commonest[0].share
    return f"{text} The most frequent of these has {share:.1%} of the successes."
