"""A population in pictures: losses, success by width and learning rate, each kind of failure."""

from __future__ import annotations

import math
from typing import Any, Final

from adderlab.figures import Picture
from adderlab.figures.failure import Failure, FailureRow, failure_picture
from adderlab.figures.loss_quantiles import loss_quantiles_picture
from adderlab.figures.success_rates import RatePoint, success_rates_picture
from adderlab.nets.walk import block_of_rows
from adderlab.runs.populations.census import Census
from adderlab.runs.populations.plan import Plan
from adderlab.runs.populations.summary import Examples
from adderlab.tasks import Task
from adderlab.training.census.symptoms import SYMPTOM_NAMED

MOST_KINDS: Final = 8


def run_pictures(result: dict[str, Any], examples: Examples) -> tuple[Picture, ...]:
    """Return every picture of a population's result."""
    pictures = [losses_of(result), *rates_of(result), *kinds_of(result, examples)]
    return tuple(picture for picture in pictures if picture is not None)


def pictures_of(census: Census) -> tuple[Picture, ...]:
    """Return every picture of a population, its examples trained once more."""
    plan = Plan(census.task, census.settings, census.networks)
    members = [entry["member"] for entry in census.failures[:MOST_KINDS] if entry["table"]]
    return run_pictures(census.result, Examples(plan, members))


def losses_of(result: dict[str, Any]) -> Picture | None:
    """Return the quantiles of the losses; ``None`` where no steps were made."""
    steps = result["losses"]["steps"]
    if len(steps) < 2:
        return None
    quantiles = {
        float(share): [math.inf if value is None else value for value in values]
        for share, values in result["losses"]["quantiles"].items()
    }
    return loss_quantiles_picture(steps, quantiles, name="loss-quantiles")


def rates_of(result: dict[str, Any]) -> list[Picture]:
    """Return success by hidden width and by learning rate, where they were measured."""
    own = result["settings"]
    pictures: list[Picture] = []
    for key, name, text, is_log in (
        ("by_hidden", "hidden", "hidden units", False),
        ("by_lr", "lr", "learning rate", True),
    ):
        points = [
            RatePoint(
                x=entry[name],
                share=entry["share"],
                low=entry["interval"][0],
                high=entry["interval"][1],
                is_own=entry[name] == own[name],
            )
            for entry in result[key]
        ]
        if points:
            picture = success_rates_picture(points, text, name=f"success-by-{name}", is_log=is_log)
            pictures.append(picture)
    return pictures


def kinds_of(
    result: dict[str, Any], examples: Examples, *, most: int = MOST_KINDS, prefix: str = "failure"
) -> list[Picture]:
    """Return a card of each of the commonest kinds of failure that have a truth table."""
    kinds = [entry for entry in result["failures"] if entry["table"]][:most]
    return [
        failure_picture(_kind(entry, examples), name=f"{prefix}-{number}")
        for number, entry in enumerate(kinds, start=1)
    ]


def _kind(entry: dict[str, Any], examples: Examples) -> Failure:
    task = examples.plan.task
    member = entry["member"]
    seen = [
        f"{SYMPTOM_NAMED[cause['cause']].title}: {cause['share']:.0%} of them" + _outcome(cause)
        for cause in entry["causes"]
        if cause["share"] >= 0.05
    ]
    return Failure(
        title=f"{entry['share']:.1%} of the networks, for example member {member}",
        rows=tuple(_rows(task, entry["table"], examples.units(member))),
        notes=tuple(seen),
    )


def _outcome(cause: dict[str, Any]) -> str:
    trial = cause["trial"]
    if trial is None or cause["is_cause"] is None:
        return ""
    word = "a cause" if cause["is_cause"] else "not shown as a cause"
    rate, control = trial["mended"], trial["control_mended"]
    control_group = f" (control group {control['share']:.0%})" if control["of"] else ""
    return f"; changed, {rate['share']:.0%} are right{control_group}: {word}"


def _rows(task: Task, table: list[int], on: Any) -> list[FailureRow]:
    """Return the rows of an example: words as they are written, free outputs as a star."""
    rows: list[FailureRow] = []
    for number, joined in enumerate(table):
        row = task.row(number)
        block = block_of_rows(task, [row.inputs])
        cares = block.cares[0] if block.cares is not None else None
        bits = [int(bit) for bit in f"{joined:0{task.n_out}b}"]
        expected = [int(bit) for bit in block.expected[0]]
        free = [cares is not None and not cares[place] for place in range(task.n_out)]
        rows.append(
            FailureRow(
                inputs=", ".join(f"{name} {value}" for name, value in row.inputs.items()),
                expected=_words(task, expected) if not any(free) else _starred(expected, free),
                got=_words(task, bits) if not any(free) else "".join(map(str, bits)),
                is_right=all(f or b == e for f, b, e in zip(free, bits, expected, strict=True)),
                on=tuple(bool(unit) for layer in on for unit in layer[:, number]),
            )
        )
    return rows


def _words(task: Task, bits: list[int]) -> str:
    import numpy as np

    return ", ".join(map(str, task.words_of(np.array(bits, dtype=np.uint8)).values()))


def _starred(bits: list[int], free: list[bool]) -> str:
    return "".join("*" if is_free else str(bit) for bit, is_free in zip(bits, free, strict=True))
