"""Chapter: how often training works."""

from __future__ import annotations

from adderlab.report import Chapter, Paragraph, Table, Try
from adderlab.training.population import wilson_interval
from adderlab.workflows.demo.workshop import Workshop
from adderlab.workflows.train import train_many

SHOWN = 6


def odds(shop: Workshop) -> Chapter:
    """Return the chapter on the success rate over many seeds."""
    done = 0
    total = shop.networks * 1000

    def on_progress(steps: int) -> None:
        nonlocal done
        done += steps
        shop.on_progress(f"training {shop.networks} networks", done / total)

    census = train_many(
        shop.task, seeds=shop.networks, out=shop.folder / "population", on_progress=on_progress
    )
    run = census.population
    low, high = wilson_interval(run.successes, shop.networks)
    failures = run.failures()
    with_dead = [member for member in run.members if member.dead_units]
    dead_right = sum(member.is_right for member in with_dead)
    return Chapter(
        slug="success-rate",
        title=f"{shop.networks} runs instead of one",
        blocks=(
            Paragraph(
                f"One run that works says little. From seeds 0 to {shop.networks - 1}, with "
                "the notebook's settings and each with its own 1000 samples, "
                f"{run.successes} of {shop.networks} networks are right on all four rows: "
                f"{run.successes / shop.networks:.1%} (95 % Wilson interval {low:.1%} to "
                f"{high:.1%}). The others end in {len(failures)} different wrong truth tables:"
            ),
            Table(
                ("0+0", "0+1", "1+0", "1+1", "networks", "share"),
                (
                    (
                        "0",
                        "1",
                        "1",
                        "2",
                        str(run.successes),
                        f"{run.successes / shop.networks:.1%}",
                    ),
                    *(
                        (*map(str, table or ("-",) * 4), str(count), f"{count / shop.networks:.1%}")
                        for table, count in failures[:SHOWN]
                    ),
                ),
                marks=(True, *(False for _ in failures[:SHOWN])),
                caption="What they say the four sums are: the right table, and common wrong ones",
            ),
            Paragraph(
                f"A unit that is off on every row is not by itself a failure: {len(with_dead)} "
                f"networks have at least one, and {dead_right} of these add."
            ),
            Try(f"adderlab train half-adder --seeds {shop.networks} -o run"),
        ),
        results={
            "networks": shop.networks,
            "successes": run.successes,
            "success_rate": run.successes / shop.networks,
            "interval": [low, high],
            "wrong_tables": len(failures),
            "with_dead_units": len(with_dead),
            "with_dead_units_right": dead_right,
        },
    )
