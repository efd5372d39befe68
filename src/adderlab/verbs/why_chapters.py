"""Why a network works or fails, as chapters: the verdict first, in one sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from adderlab.blocks import Block, Chapter, Paragraph, Table, note_lines
from adderlab.blocks.kinds import Cell
from adderlab.blocks.numbers import counted
from adderlab.explaining.history import Death, SilentRow
from adderlab.explaining.units import CONSTANT, COPY, OFF, UnitMeaning
from adderlab.nets.truth import TruthRow
from adderlab.nets.walk import unit_names
from adderlab.tasks.wording import sum_of
from adderlab.training.census.symptoms import SYMPTOM_NAMED
from adderlab.verbs.train import seed_text
from adderlab.verbs.why import DESIGNED, Why

LIKE: Final = 0.999
"""The cosine from which on a unit is called alike to a designed one."""

ALIKE: Final = (
    f"Alike means that weights and bias have a cosine of at least {LIKE}; the same would be exact "
    "multiples, and last layers that agree too."
)

FAR: Final = 0.3
"""The error from which on the closest function is not named."""

ROWS_IN_COLUMNS: Final = 4
"""Rows up to which each has a column of a unit's values."""

MOST_NAMED: Final = 6


def why_chapters(why: Why) -> tuple[Chapter, ...]:
    """Return the chapters on a network: what it does, and why it works or fails."""
    failure = [_verdict(why), *_replay(why)]
    if not why.verdict:
        failure += [_deaths(why), _apart(why), *([_helps(why)] if why.settings else [])]
    if why.units or why.network.is_chain:  # all units of a graph may be outputs
        failure.append(_units(why))
    if why.verdict:
        failure.append(_designs(why))
    return tuple(failure)


def _verdict(why: Why) -> Chapter:
    """Return the verdict and the main reason for it, in one sentence."""
    verdict = why.verdict
    wrong = [_label(row) for row in why.rows if not row.is_right]
    right = len(why.rows) - len(wrong)
    text = f"The network is {verdict.verdict}: {right} of {counted(len(why.rows), 'row')} are right"
    if wrong:
        more = len(wrong) - MOST_NAMED
        text += f", not {'; '.join(wrong[:MOST_NAMED])}" + (f" and {more} more" if more > 0 else "")
    dead = [death.unit for death in why.inactivity.deaths]
    if dead:
        text += f"; {_and(dead)} {'is' if len(dead) == 1 else 'are'} off on every row"
    lost = [name for name, is_readable in why.separability.readable.items() if is_readable is False]
    values = "hidden values" if why.network.depth > 1 else "inputs"
    if lost and not why.network.is_chain:
        text += f"; no last layer can read {_and(lost)} from what it is given"
    elif lost:
        text += f"; no last layer can read {_and(lost)} from the {values}"
    elif wrong and all(why.separability.readable.values()):
        text += (
            f"; the {values} distinguish what is needed, the last layer reads them wrongly"
            if why.network.is_chain
            else "; the last layers are given what is needed and read it wrongly"
        )
    if not wrong and not verdict:  # right in exact arithmetic, not so in its own format
        text += f"; {verdict.summary()}"
    return Chapter("verdict", "The verdict", (*note_lines(verdict.notes), Paragraph(f"{text}.")))


def _replay(why: Why) -> list[Chapter]:
    settings = why.settings
    if settings is None or why.largest_difference is None:
        return []
    if why.weights_agree:
        same = "Training again gave the same weights, bit for bit."
    elif math.isfinite(why.largest_difference):
        same = (
            "Training again by the lecture's loop gave weights that differ by up to "
            f"{why.largest_difference:.3g}; the steps below are those of this second run."
        )
    else:
        same = "Training again gave non-finite weights; the steps below are those of that run."
    title = f"A run of {counted(settings.steps, 'step')} from {seed_text(settings)}"
    return [Chapter("run", title, (Paragraph(same),))]


def _rows(why: Why, numbers: Sequence[int]) -> str:
    return "; ".join(_label(why.rows[at]) for at in numbers)


def _deaths(why: Why) -> Chapter:
    if why.settings is None:
        return _off(why)
    inactivity = why.inactivity
    activation = why.network.layers[0].activation
    blocks: list[Block] = []
    if not activation.rule.can_die:
        blocks.append(Paragraph(f"Units of {activation.kind} are never off: none can die."))
    elif not inactivity.deaths:
        blocks.append(Paragraph("No hidden unit is off on every row."))
    else:
        blocks.append(
            Table(
                ("unit", "symptom", "off on every row"),
                tuple((death.unit, _symptom(death), _when(death)) for death in inactivity.deaths),
                caption=_why_dead(why),
                left=("unit", "symptom", "off on every row"),
            )
        )
    if inactivity.silent:
        blocks.append(
            Table(
                ("row", "no gradient to the first layer", "units off there"),
                tuple(
                    (sum_of(silence.row), _when(silence), ", ".join(silence.off) or "none")
                    for silence in inactivity.silent
                ),
                caption="Rows that no longer send a gradient to the first layer",
                left=("row", "no gradient to the first layer", "units off there"),
            )
        )
    else:
        blocks.append(Paragraph("Every row still sends a gradient to the first layer."))
    return Chapter("died", "Which units are dead, and since when", tuple(blocks))


def _off(why: Why) -> Chapter:
    """Return what is off in a network whose training is not known."""
    deaths, silent = why.inactivity.deaths, why.inactivity.silent
    units = _and([death.unit for death in deaths])
    is_off = "is" if len(deaths) == 1 else "are"
    text = (
        f"{units} {is_off} off on every row." if deaths else "No hidden unit is off on every row."
    )
    rows = "; ".join(_words_label(event.row) for event in silent)
    if why.network.is_chain:
        blocked = "Rows on which all units of a layer are off, so that no gradient passes"
        passes = "On every row some unit of each layer is on."
    else:
        blocked = "Rows on which layers are off as a whole, so that no gradient gets to the first"
        passes = "On every row a gradient finds a way to a layer that reads the inputs."
    blocks = [Paragraph(text), Paragraph(f"{blocked}: {rows}." if silent else passes)]
    return Chapter("died", "What is off", tuple(blocks))


def _why_dead(why: Why) -> str:
    """Return the caption of dead units: that nothing wakes them only where nothing can.

    A unit that is off on every row gets no gradient, and plain SGD moves it no more; but momentum,
    Adam and decay move it all the same, and one of a later layer wakes when the units before it
    change.
    """
    settings = why.settings
    assert settings is not None
    first = unit_names(why.network, why.task)[1]
    if (
        settings.optimizer == "sgd"
        and not settings.weight_decay
        and all(death.unit in first for death in why.inactivity.deaths)
    ):
        return "Dead units: relu passes no gradient back where it is off, so nothing wakes them"
    return "Dead units: off on every row to the end of the run"


def _symptom(death: Death) -> str:
    return SYMPTOM_NAMED["died" if death.step else "dead_at_start"].title


def _when(event: Death | SilentRow) -> str:
    return "from the start" if event.step == 0 else f"from step {event.step} on"


def _apart(why: Why) -> Chapter:
    separability = why.separability
    is_chain = why.network.is_chain
    together = [group for group in separability.groups if len(group.rows) > 1]
    blocks: list[Block] = []
    if together:
        blocks.append(
            Table(
                ("rows", "need"),
                tuple(
                    (
                        _rows(why, group.rows),
                        "different outputs" if group.conflict else "the same output",
                    )
                    for group in together
                ),
                marks=tuple(not group.conflict for group in together),
                caption=(
                    "Rows with exactly the same hidden values: no last layer tells them apart"
                    if is_chain
                    else "Rows on which the layers that are read out read exactly the same values"
                ),
                left=("rows", "need"),
            )
        )
    else:
        own = "Every row has hidden values of its own"
        if not is_chain:
            own = "On every row the layers that are read out read other values"
        blocks.append(Paragraph(f"{own}: all are distinguishable."))
    lost = [name for name, is_readable in separability.readable.items() if is_readable is False]
    kept = [name for name, is_readable in separability.readable.items() if is_readable]
    parts: list[str] = []
    if kept:
        values_text = "these hidden values" if is_chain else "what it is given"
        parts.append(f"From {values_text} some last layer could read {_and(kept)}")
    if lost:
        parts.append(
            f"no last layer can read {_and(lost)}: no plane separates the rows that need a 1 "
            "from those that need a 0"
        )
    if parts:
        text = "; ".join(parts)
        blocks.append(Paragraph(f"{text[0].upper()}{text[1:]} (decided exactly)."))
    layer = "the hidden layer distinguishes" if is_chain else "can be distinguished at the end"
    return Chapter("told-apart", f"Which rows {layer}", tuple(blocks))


def _helps(why: Why) -> Chapter:
    helps, same_start = why.helps, why.helps_from_same_start
    blocks: list[Block] = [
        Paragraph(
            "One setting is changed at a time and the network trained: numbers by the smallest "
            "ratio first, then the activation, then the optimizer, then other seeds."
        ),
        Table(
            ("change", "same start", "verdict", "rows right"),
            tuple(
                (
                    attempt.change,
                    "yes" if attempt.keeps_start else "no",
                    attempt.verdict,
                    f"{attempt.rows_right} of {len(why.rows)}",
                )
                for attempt in why.attempts
            ),
            marks=tuple(attempt.works for attempt in why.attempts),
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


def _units(why: Why) -> Chapter:
    rows = why.rows
    if len(rows) <= ROWS_IN_COLUMNS:
        columns = tuple(_label(row) for row in rows)
        caption = "Its value on every row"
    else:
        columns = ("least", "most")
        caption = f"Its least and its greatest value over {len(rows)} rows"
    lines: list[tuple[Cell, ...]] = []
    for unit in why.units:
        values = unit.values
        shown = values if len(rows) <= ROWS_IN_COLUMNS else (min(values), max(values))
        numbers = (f"{float(value):.4g}" for value in shown)
        lines.append((unit.name, *numbers, meaning_text(unit, rows)))
    table = Table(
        ("unit", *columns, "computes"), tuple(lines), caption=caption, left=("unit", "computes")
    )
    return Chapter("units", "What each hidden unit computes", (table,))


def _label(row: TruthRow) -> str:
    """Return a short name of a row: ``1 + 0``, or ``1,0,1`` of other words than a and b."""
    return _words_label(row.inputs)


def _words_label(words: Mapping[str, int]) -> str:
    text = sum_of(words)
    return ",".join(map(str, words.values())) if "=" in text else text


def meaning_text(unit: UnitMeaning, rows: Sequence[TruthRow]) -> str:
    """Return what a unit computes, in words."""
    if unit.function == OFF:
        return "off"
    if unit.function is not None:
        assert unit.scale is not None
        return f"exactly {float(unit.scale):.4g} * ({unit.function})"
    if unit.on_where == CONSTANT:
        text = "on everywhere"
    elif unit.on_where is not None:
        text = f"on just where {unit.on_where.removeprefix(COPY)}"
    else:
        some = [_label(rows[at]) for at in unit.rows_on[:MOST_NAMED]]
        more = len(unit.rows_on) - len(some)
        text = f"on for {'; '.join(some)}" + (f" and {more} more rows" if more else "")
    if unit.closest is None or unit.off_by > FAR:
        return f"{text}; its values are close to no function on the list"
    return f"{text}; its values are closest to {unit.closest}, {unit.off_by:.1%} off"


def _designs(why: Why) -> Chapter:
    blocks: list[Block] = []
    if not why.designs:
        blocks.append(Paragraph(_no_design(why)))
    for design in why.designs:
        same = "is the same" if design.is_same else "is not the same"
        lines: list[tuple[Cell, ...]] = [
            (
                str(pair.designed),
                "none left" if pair.unit is None else f"h{pair.unit}",
                "" if pair.unit is None else f"{pair.likeness:.4f}",
                f"{float(pair.scale):.4g}" if pair.scale is not None else "",
                "alike" if pair.unit is not None and pair.likeness >= LIKE else "",
            )
            for pair in design.pairs
        ]
        blocks += [
            Paragraph(
                f"Compared with {design.design}: up to the order and the positive scale of units "
                f"it {same}." + ("" if design.is_same else f" {ALIKE}")
            ),
            Table(
                ("designed unit", "closest unit", "cosine", "exact factor", ""),
                tuple(lines),
                left=("closest unit", ""),
            ),
        ]
    return Chapter("design", "Compared with the hand-set design", tuple(blocks))


def _no_design(why: Why) -> str:
    """Return why a network has nothing to be compared with unit by unit."""
    if why.task.name not in DESIGNED:
        return f"There is no hand-set design of {why.task.name} to compare with."
    if not why.network.is_chain:
        return (
            f"The hand-set designs of {why.task.name} are chains of layers, this network is a "
            "graph: its units have no counterparts there to be matched with."
        )
    *hidden, _ = why.network.layers
    layers = "one hidden layer" if len(hidden) == 1 else f"{len(hidden)} hidden layers"
    kinds = _and(list(dict.fromkeys(layer.activation.kind for layer in hidden)))
    return (
        f"The hand-set designs of {why.task.name} have one hidden layer of relu, this network "
        f"has {layers} of {kinds}: its units have no counterparts there to be matched with."
    )


def _and(names: Sequence[str]) -> str:
    return " and ".join(names)
