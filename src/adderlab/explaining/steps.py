"""An explanation one step at a time: each step is a small chapter."""

from __future__ import annotations

from fractions import Fraction

from adderlab.blocks import Block, Chapter, Equations, Paragraph, Table
from adderlab.explaining import NOT_COMPUTED, Backprop, RowBackprop, Step
from adderlab.explaining.backprop_chapters import exact_cell, rows_chapters
from adderlab.explaining.chain import Chain, marked
from adderlab.explaining.results import Slope, decimal_text
from adderlab.explaining.slots import Iteration, SlotsRun
from adderlab.explaining.slots_chapters import entries, slot_text, w_texts
from adderlab.notation import Formula, equal, number, partial, product, total, words
from adderlab.tasks.wording import sum_of

MOST_SLOPES = 12


def row_steps(backprop: Backprop) -> tuple[Chapter, ...]:
    """Return every value forward, every gradient backward, then the update."""
    steps = [chapter for row in backprop.rows for chapter in (*_forward(row), *_backward(row))]
    return (*steps, rows_chapters(backprop, in_file=False)[-1])


def _forward(row: RowBackprop) -> list[Chapter]:
    computed = [step for step in row.steps if step.formula is not None]
    inputs = ", ".join(
        f"{step.name} = {decimal_text(step.number)}" for step in row.steps if step.kind == "input"
    )
    start = f"Given: {inputs}. No gradient is known: all read {NOT_COMPUTED}."
    steps = [Chapter("start", f"{sum_of(row.inputs)}: the inputs", (Paragraph(start),))]
    for at, step in enumerate(computed, 1):
        assert step.formula is not None
        blocks: list[Block] = [
            Equations((equal(step.name, step.formula, number(step.number)),)),
            Table(
                ("local derivative", "formula", "exact", "decimal"),
                tuple(_slope(step, slope) for slope in step.slopes[:MOST_SLOPES]),
                left=("local derivative", "formula"),
            ),
        ]
        if step.note:
            blocks.append(Paragraph(f"Note: {step.note}."))
        blocks.append(Paragraph(f"dL/d{step.name}: {NOT_COMPUTED}."))
        title = f"{sum_of(row.inputs)}: forward {at} of {len(computed)}, {step.name}"
        steps.append(Chapter(f"forward{at}", title, tuple(blocks)))
    return steps


def _slope(step: Step, slope: Slope) -> tuple[str | Formula, ...]:
    name = f"d{step.name}/d{slope.old}"
    if slope.derivative is None:
        return (name, "none: a step", "", "")
    exact = exact_cell(slope.derivative)
    return (name, slope.formula, exact, decimal_text(slope.derivative))


def _backward(row: RowBackprop) -> list[Chapter]:
    loss = row.steps[-1].name
    back = [step for step in reversed(row.steps) if step.kind != "input"]
    steps: list[Chapter] = []
    for at, step in enumerate(back, 1):
        name = partial(loss, step.name)
        lines: list[Formula] = []
        if step.kind == "loss":
            lines.append(equal(name, number(Fraction(1))))
        elif step.gradient is None:
            lines.append(equal(name, words(NOT_COMPUTED), sign=":"))
        else:
            lines.append(
                equal(name, total(*(product(partial(loss, f.new), f.formula) for f in step.flows)))
            )
            numbers = [product(number(f.gradient), number(f.derivative)) for f in step.flows]
            lines.append(equal(name, total(*numbers), number(step.gradient)))
        blocks: list[Block] = [Equations(tuple(lines))]
        if isinstance(step.gradient, Fraction):
            blocks.append(Paragraph(f"As a decimal: {decimal_text(step.gradient)}."))
        if step.gradient is None and step.note:
            blocks.append(Paragraph(f"Note: {step.note}."))
        title = f"{sum_of(row.inputs)}: backward {at} of {len(back)}, dL/d{step.name}"
        steps.append(Chapter(f"backward{at}", title, tuple(blocks)))
    return steps


def chain_steps(chain: Chain, chapters: tuple[Chapter, ...]) -> tuple[Chapter, ...]:
    """Return one derivative a step, then the cost of all."""
    first, *rest = chapters
    steps = [
        Chapter(
            f"w{at}",
            f"dl/d{line.weight}: {at} of {chain.length}",
            (
                Equations((equal(partial(words("l"), line.weight), line.local, line.formula),)),
                Equations((formula,), caption="Known from the line above, and one new factor:"),
            ),
        )
        for at, (line, formula) in enumerate(zip(chain.lines, marked(chain.lines), strict=True), 1)
    ]
    opening = Chapter(first.slug, first.title, first.blocks[:1])
    return (opening, *steps, *rest)


def slots_steps(slots: SlotsRun, chapters: tuple[Chapter, ...]) -> tuple[Chapter, ...]:
    """Return the slots after each line of the loop, with zero_grad and then without."""
    steps: list[Chapter] = []
    for suffix, run in (
        ("", slots.with_zero_grad),
        (" (without zero_grad)", slots.without_zero_grad),
    ):
        for at, iteration in enumerate(run, 1):
            steps += _moments(iteration, at, suffix)
    return (*steps, *chapters[1:])


def _moments(iteration: Iteration, at: int, suffix: str) -> list[Chapter]:
    moments = [[w for _, w, _ in entries(slots)] for slots in iteration.moments]
    shown = [w_texts(ws) for ws in zip(*moments, strict=True)]
    return [
        Chapter(
            f"iteration{at}",
            f"Iteration {at}{suffix}, after {slots.after}, loss {iteration.loss:.6g}",
            (
                Table(
                    ("parameter", "w", "dL/dw"),
                    tuple(
                        (
                            f"{name[0]}[{','.join(map(str, name[1:]))}]",
                            w,
                            slot_text(slot),
                        )
                        for (name, _, slot), w in zip(entries(slots), moment, strict=True)
                    ),
                    left=("parameter",),
                ),
            ),
        )
        for slots, moment in zip(iteration.moments, zip(*shown, strict=True), strict=True)
    ]
