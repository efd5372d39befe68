"""Why a trained network works or fails, told in chapters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from adderlab.blocks import Block, Chapter, Paragraph, Table
from adderlab.blocks.kinds import Cell
from adderlab.explaining.history import Death, Silence
from adderlab.explaining.units import CONSTANT, COPY, OFF, UnitMeaning
from adderlab.nets.truth import TruthRow
from adderlab.nets.walk import unit_names
from adderlab.tasks.wording import sum_of
from adderlab.verbs.why_replay import DESIGNED, Why

LIKE: Final = 0.999
"""From this cosine on a unit is called like a designed one."""


ALIKE: Final = (
    f"Alike is a unit whose weights and bias point almost the same way, with a cosine of at least "
    f"{LIKE}; the same would be exact multiples, and last layers that agree too."
)

FAR: Final = 0.3
"""From this share on, what is closest is not close."""


ROWS_BESIDE: Final = 4
"""Rows up to which a unit's values stand side by side."""

MOST_NAMED: Final = 6


def why_chapters(found: Why) -> tuple[Chapter, ...]:
    """Return the chapters on a trained network: what it does, and why it works or fails."""
    told = [_replay(found)]
    if not found.verdict:
        told += [_deaths(found), _apart(found), _helps(found)]
    told.append(_units(found))
    if found.verdict:
        told.append(_designs(found))
    return tuple(told)


def _replay(found: Why) -> Chapter:
    settings = found.settings
    if found.weights_agree:
        same = "Training again gave the same weights, bit for bit."
    elif math.isfinite(found.largest_difference):
        same = (
            "Training again by the lecture's loop gave weights that differ by up to "
            f"{found.largest_difference:.3g}; what died and when is told of this second run."
        )
    else:
        same = "Training again left the finite numbers; what died and when is told of that run."
    right = sum(row.is_right for row in found.rows)
    return Chapter(
        "run",
        f"A run of {settings.steps} steps from seed {settings.seed}",
        (
            Paragraph(
                f"The network is {found.verdict.verdict}: {right} of {len(found.rows)} rows are "
                f"right. {same}"
            ),
        ),
    )


def _rows(found: Why, numbers: Sequence[int]) -> str:
    return "; ".join(_label(found.rows[at]) for at in numbers)


def _deaths(found: Why) -> Chapter:
    looked = found.looked
    kind = found.network.layers[0].activation.kind
    blocks: list[Block] = []
    if kind != "relu":
        blocks.append(Paragraph(f"Units of {kind} are never off: none can die."))
    elif not looked.deaths:
        blocks.append(Paragraph("No hidden unit is off on every row."))
    else:
        blocks.append(
            Table(
                ("unit", "off on every row"),
                tuple((one.unit, _when(one)) for one in looked.deaths),
                caption=_why_dead(found),
                left=("unit", "off on every row"),
            )
        )
    if looked.silent:
        blocks.append(
            Table(
                ("row", "no gradient to the first layer", "units off there"),
                tuple(
                    (sum_of(one.row), _when(one), ", ".join(one.off) or "none")
                    for one in looked.silent
                ),
                caption="Rows that teach the first layer nothing any more",
                left=("row", "no gradient to the first layer", "units off there"),
            )
        )
    else:
        blocks.append(Paragraph("Every row still sends a gradient to the first layer."))
    return Chapter("died", "What died, and when", tuple(blocks))


def _why_dead(found: Why) -> str:
    """Return what is said of dead units: that they can't wake only where nothing can wake them.

    A unit that is off on every row gets no gradient, and plain SGD moves it no more; but momentum,
    Adam and decay move it all the same, and one of a later layer wakes when the units before it
    change.
    """
    settings = found.settings
    first = unit_names(found.network, found.task)[1]
    if (
        settings.optimizer == "sgd"
        and not settings.weight_decay
        and all(one.unit in first for one in found.looked.deaths)
    ):
        return "Dead units: relu passes no gradient back where it is off, so nothing wakes them"
    return "Dead units: off on every row to the end of the run"


def _when(one: Death | Silence) -> str:
    return "from the start" if one.step == 0 else f"from step {one.step} on"


def _apart(found: Why) -> Chapter:
    apart = found.apart
    together = [group for group in apart.groups if len(group.rows) > 1]
    blocks: list[Block] = []
    if together:
        blocks.append(
            Table(
                ("rows", "ask for"),
                tuple(
                    (
                        _rows(found, group.rows),
                        "different outputs" if group.conflict else "the same output",
                    )
                    for group in together
                ),
                marks=tuple(not group.conflict for group in together),
                caption="Rows with exactly the same hidden values: to the last layer they are one",
                left=("rows", "ask for"),
            )
        )
    else:
        blocks.append(
            Paragraph("The hidden layer gives every row values of its own: all can be told apart.")
        )
    lost = [name for name, one in apart.readable.items() if one is False]
    kept = [name for name, one in apart.readable.items() if one]
    said: list[str] = []
    if kept:
        said.append(f"From these hidden values some last layer could read {_and(kept)}")
    if lost:
        said.append(
            f"no last layer can read {_and(lost)}: no plane parts the rows that ask for 1 from "
            "those that ask for 0"
        )
    if said:
        text = "; ".join(said)
        blocks.append(Paragraph(f"{text[0].upper()}{text[1:]} (decided exactly)."))
    return Chapter("told-apart", "What the hidden layer can still tell apart", tuple(blocks))


def _helps(found: Why) -> Chapter:
    helps, same_start = found.helps, found.helps_from_same_start
    blocks: list[Block] = [
        Paragraph(
            "One setting changed at a time and trained for real: numbers by the smallest ratio "
            "first, then the activation, then the optimizer, then other seeds."
        ),
        Table(
            ("change", "same start", "verdict", "rows right"),
            tuple(
                (
                    one.change,
                    "yes" if one.keeps_start else "no",
                    one.verdict,
                    f"{one.rows_right} of {len(found.rows)}",
                )
                for one in found.attempts
            ),
            marks=tuple(one.works for one in found.attempts),
            left=("change", "same start", "verdict"),
        ),
    ]
    if helps is None:
        blocks.append(Paragraph("None of these helped."))
    else:
        text = f"The nearest change that would have helped: {helps.change} ({helps.option})"
        if not helps.keeps_start:
            text += ", which starts from other random weights too"
        if same_start is not None and same_start is not helps:
            text += f"; from the same start, {same_start.change} ({same_start.option})"
        elif same_start is None:
            text += "; from the same start, nothing that was tried"
        blocks.append(Paragraph(f"{text}."))
    return Chapter("helps", "What would have helped", tuple(blocks))


def _units(found: Why) -> Chapter:
    rows = found.rows
    if len(rows) <= ROWS_BESIDE:
        columns = tuple(_label(row) for row in rows)
        caption = "Its value on every row"
    else:
        columns = ("least", "most")
        caption = f"Its least and its greatest value over {len(rows)} rows"
    lines: list[tuple[Cell, ...]] = []
    for one in found.units:
        values = one.values
        shown = values if len(rows) <= ROWS_BESIDE else (min(values), max(values))
        numbers = (f"{float(value):.4g}" for value in shown)
        lines.append((one.name, *numbers, meaning_text(one, rows)))
    table = Table(
        ("unit", *columns, "computes"), tuple(lines), caption=caption, left=("unit", "computes")
    )
    return Chapter("units", "What each hidden unit computes", (table,))


def _label(row: TruthRow) -> str:
    """Return a row in few letters: ``1 + 0``, or ``1,0,1`` of other words than a and b."""
    said = sum_of(row.inputs)
    return ",".join(map(str, row.inputs.values())) if "=" in said else said


def meaning_text(unit: UnitMeaning, rows: Sequence[TruthRow]) -> str:
    """Return what a unit computes, in words."""
    if unit.function == OFF:
        return "off"
    if unit.function is not None:
        assert unit.scale is not None
        return f"exactly {float(unit.scale):.4g} * ({unit.function})"
    if unit.on_where == CONSTANT:
        said = "on everywhere"
    elif unit.on_where is not None:
        said = f"on just where {unit.on_where.removeprefix(COPY)}"
    else:
        some = [_label(rows[at]) for at in unit.rows_on[:MOST_NAMED]]
        more = len(unit.rows_on) - len(some)
        said = f"on for {'; '.join(some)}" + (f" and {more} more rows" if more else "")
    if unit.closest is None or unit.off_by > FAR:
        return f"{said}; its values are like nothing on the list"
    return f"{said}; its values are closest to {unit.closest}, {unit.off_by:.1%} off"


def _designs(found: Why) -> Chapter:
    blocks: list[Block] = []
    if not found.designs:
        blocks.append(Paragraph(_no_design(found)))
    for one in found.designs:
        same = "is the same" if one.is_same else "is not the same"
        lines: list[tuple[Cell, ...]] = [
            (
                str(pair.designed),
                "none left" if pair.unit is None else f"h{pair.unit}",
                "" if pair.unit is None else f"{pair.likeness:.4f}",
                f"{float(pair.scale):.4g}" if pair.scale is not None else "",
                "alike" if pair.unit is not None and pair.likeness >= LIKE else "",
            )
            for pair in one.pairs
        ]
        blocks += [
            Paragraph(
                f"Beside {one.design}: up to the order and the positive scale of units it {same}."
                + ("" if one.is_same else f" {ALIKE}")
            ),
            Table(
                ("designed unit", "likest here", "cosine", "exact factor", ""),
                tuple(lines),
                left=("likest here", ""),
            ),
        ]
    return Chapter("design", "Beside the hand-set design", tuple(blocks))


def _no_design(found: Why) -> str:
    """Return why a network has nothing to be compared with unit by unit."""
    if found.task.name not in DESIGNED:
        return f"There is no hand-set design of {found.task.name} to compare with."
    *hidden, _ = found.network.layers
    layers = "one hidden layer" if len(hidden) == 1 else f"{len(hidden)} hidden layers"
    kinds = _and(list(dict.fromkeys(layer.activation.kind for layer in hidden)))
    return (
        f"The hand-set designs of {found.task.name} have one hidden layer of relu, this network "
        f"has {layers} of {kinds}: its units have no counterparts there to be matched with."
    )


def _and(names: Sequence[str]) -> str:
    return " and ".join(names)
