"""Chapter: how often training works, by hidden width, and what its failures are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from adderlab.blocks import Chapter, Command, Figures, Paragraph, Table
from adderlab.demo.workshop import Workshop
from adderlab.figures import RatePoint, success_rates_picture
from adderlab.runs.populations import Census, pictures_of
from adderlab.training import Settings
from adderlab.training.census.rates import Rate
from adderlab.training.census.surveys import success_rate
from adderlab.verbs.train_many import train_many

SHOWN: Final = 8
WIDTHS: Final = (2, 3, 4, 8)
LECTURE: Final = 3
NAMES: Final = {
    "dead_at_start": "dead unit at start",
    "died": "unit died",
    "stuck": "loss stuck",
    "still_falling": "loss still falling",
    "diverged": "diverged",
}


def success_rates(shop: Workshop) -> Chapter:
    """Return the chapter on the success rate over many runs."""
    census = _population(shop)
    widths = _by_width(shop, census.rate)
    pictures = {picture.name: picture for picture in pictures_of(census)}
    kinds = [pictures[name] for name in pictures if name.startswith("failure-")][:SHOWN]
    result = census.result
    return Chapter(
        slug="success-rate",
        title=f"{shop.networks:,} runs instead of one",
        blocks=(
            Paragraph(
                "One run that works says little. With the notebook's settings, each with its own "
                f"start and its own 1000 samples, {census.successes:,} of {census.networks:,} "
                f"networks are right on all four rows: {census.rate.share or 0.0:.1%} (95 % "
                f"Wilson interval {census.rate.interval[0]:.1%} to "
                f"{census.rate.interval[1]:.1%}). More hidden units help:"
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
                caption="How often it works, by hidden units (hollow: the notebook's), and the "
                "losses of the notebook's networks: half of all runs lie in the dark band.",
            ),
            Table(
                ("hidden units", "networks", "right", "95 % interval"),
                tuple(
                    (
                        str(width),
                        f"{rate.of:,}",
                        f"{rate.share or 0.0:.1%}",
                        f"{rate.interval[0]:.1%} to {rate.interval[1]:.1%}",
                    )
                    for width, rate in widths
                ),
            ),
            Paragraph(
                f"The failures end in {result['failure_tables']} different wrong truth tables. "
                "What the networks say the four sums are, and what was shown to cause it:"
            ),
            _tables(census),
            *((_cards(shop, kinds),) if kinds else ()),
            *_causes(census),
            Paragraph(_solutions(result)),
            Command(f"adderlab train half-adder --seeds {shop.networks} -o run"),
        ),
        results={
            "networks": census.networks,
            "successes": census.successes,
            "success_rate": result["success_rate"],
            "interval": result["interval"],
            "wrong_tables": result["failure_tables"],
            "by_hidden": [{"hidden": width, **rate.to_dict()} for width, rate in widths],
            "causes": result["causes"],
            "solutions": result["solutions"],
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
    """Return the success rate of each width; the notebook's is known already."""
    rates: list[tuple[int, Rate]] = []
    for number, width in enumerate(WIDTHS):
        if width == LECTURE:
            rates.append((width, own))
            continue
        shop.on_progress(f"training with {width} hidden units", 0.4 + 0.5 * number / len(WIDTHS))
        settings = replace(Settings(), hidden=width)
        rates.append((width, success_rate(shop.task, settings, shop.networks)))
    return rates


def _tables(census: Census) -> Table:
    failures = census.failures[:SHOWN]
    return Table(
        ("0+0", "0+1", "1+0", "1+1", "networks", "share", "caused by"),
        (
            (*"0112", f"{census.successes:,}", f"{census.rate.share or 0.0:.1%}", ""),
            *(
                (
                    *map(str, entry["table"] or ("-",) * 4),
                    f"{entry['count']:,}",
                    f"{entry['share']:.1%}",
                    ", ".join(NAMES[cause["cause"]] for cause in entry["causes"]
                              if cause["is_cause"]) or "-",
                )
                for entry in failures
            ),
        ),
        marks=(True, *(False for _ in failures)),
        caption="The right table, and the most frequent wrong ones",
        left=("caused by",),
    )  # fmt: skip


def _cards(shop: Workshop, kinds: list[Any]) -> Figures:
    return shop.draw(
        *kinds,
        caption="The kinds of failure: an example of each, which of its hidden units are on at "
        "which row, and what is seen of all of its kind.",
    )


def _causes(census: Census) -> tuple[Paragraph | Table, ...]:
    causes = census.result["causes"]
    if not causes:
        return ()
    return (
        Paragraph(
            "What is seen of a failure need not be what causes it. A dead unit is off on every "
            "row, so no gradient reaches it. A loss that is stuck fell by less than 1 % over "
            "the last tenth of the steps. Failures were trained again with that one thing changed "
            "and nothing else, from the same start on the same data; unchanged, each fails again. "
            "Beside it, a like change was made elsewhere:"
        ),
        Table(
            ("seen", "failures", "successes", "changed", "beside it", "cause"),
            tuple(
                (
                    NAMES[cause["cause"]],
                    f"{cause['share']:.1%}",
                    "-" if cause["among_successes"] is None else f"{cause['among_successes']:.1%}",
                    _share(cause["trial"], "mended"),
                    _share(cause["trial"], "control_mended"),
                    {True: "yes", False: "no", None: "?"}[cause["is_cause"]],
                )
                for cause in causes
            ),
            left=("seen", "cause"),
            caption="How often it is seen, and how often a failure is right once that was changed "
            "(with 95 % intervals)",
        ),
        Paragraph(
            " ".join(
                f"{NAMES[cause['cause']].capitalize()}: {cause['trial']['change']}; beside it, "
                f"{cause['trial']['control']}."
                for cause in causes
                if cause["trial"] is not None
            )
        ),
    )


def _share(trial: dict[str, Any] | None, name: str) -> str:
    if trial is None or not trial[name]["of"]:
        return "-"
    low, high = trial[name]["interval"]
    return f"{trial[name]['share']:.0%} ({100 * low:.0f}-{high:.0%})"


def _solutions(result: dict[str, Any]) -> str:
    solutions = result["solutions"]
    text = (
        f"The networks that are right are not one solution: by which units are on at which rows "
        f"there are {solutions['patterns']:,} of them, and {solutions['classes']:,} classes when "
        "units are permuted and scaled"
    )
    if not solutions["commonest"]:
        return f"{text}."
    first = solutions["commonest"][0]
    return f"{text}. The most frequent class makes up {first['share']:.1%} of the successes."
