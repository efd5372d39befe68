"""Backpropagation on rows, as chapters."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from adderlab.blocks import Block, Chapter, Equations, Paragraph, Table
from adderlab.blocks.kinds import Cell
from adderlab.blocks.numbers import counted
from adderlab.explaining import NOT_COMPUTED, Backprop, RowBackprop, Step
from adderlab.explaining.backprop import Number
from adderlab.explaining.results import Update, decimal_text
from adderlab.notation import (
    LONGEST,
    equal,
    fraction_text,
    minus,
    number,
    partial,
    product,
    symbol,
    words,
)
from adderlab.tasks.wording import sum_of

SHORT: Final = 9
"""The most characters of exact fractions that a terminal shows in addition to decimals."""

LONG: Final = 60
"""Characters of one that a file has room for."""

MOST_PRINTED: Final = 200
MOST_WRITTEN: Final = 4000
"""Lines of a table on a terminal, and in a file; the rest is in the JSON."""

ROWS_PER_TABLE: Final = 4
MOST_TABULATED: Final = 16
"""Rows whose gradients are columns of one table, and of all tables together."""

MOST_DIGITS: Final = 17
"""Digits with which no two doubles read the same."""

SOFTPLUS: Final = " softplus(y) is log(1 + e^y), and its derivative is sigmoid(y)."

LOSS_NAMES: Final = {"mse": "mean squared error", "bce": "binary cross entropy"}


@dataclass(frozen=True, slots=True)
class _Style:
    """What there is room for.

    Attributes:
        in_file: whether every row's own passes are shown, and long fractions written out.
        exact: whether exact numbers have columns of their own.
    """

    in_file: bool
    exact: bool

    @property
    def most(self) -> int:
        """Lines of a table."""
        return MOST_WRITTEN if self.in_file else MOST_PRINTED

    def cells(self, value: Number | None) -> tuple[Cell, ...]:
        """Return a number as cells: exact, where there is a column for it, and as a decimal."""
        shown = () if value is None else (decimal_text(value),)
        if not self.exact:
            return shown or (NOT_COMPUTED,)
        return (exact_cell(value), *(shown or ("",)))

    def cell(self, value: Number | None) -> Cell:
        """Return a number as one cell: exact where that is possible and short enough."""
        cell = exact_cell(value) if self.exact else ""
        return cell if cell not in ("", "…") else decimal_text(value)

    def columns(self, *names: str) -> tuple[str, ...]:
        """Return the headings of a number's cells."""
        exact, decimal = names
        return (exact, decimal) if self.exact else (decimal,)


def rows_chapters(backprop: Backprop, *, in_file: bool) -> tuple[Chapter, ...]:
    """Return the chapters on some rows: forward, backward, gradients and the step.

    Args:
        backprop: what was explained.
        in_file: whether there is room for long fractions and for every row's own passes.
    """
    style = _Style(in_file, in_file or _is_short(backprop))
    chapters: list[Chapter] = []
    several = len(backprop.rows) > 1
    if several:
        chapters += [_batch(backprop, style)]
    for at, row in enumerate(backprop.rows if in_file or not several else (), 1):
        tail = str(at) if several else ""
        chapters += [_forward(backprop, row, style, tail), _backward(row, style, tail)]
    chapters.append(_step(backprop, style))
    return tuple(chapters)


def _is_short(backprop: Backprop) -> bool:
    """Return whether all exact numbers are so short that a terminal has room for them."""
    numbers = [update.next for update in backprop.updates]
    for row in backprop.rows:
        numbers += [
            value
            for step in row.steps
            for value in (step.number, step.gradient)
            if value is not None
        ]
    return all(
        0 < len(fraction_text(number)) <= SHORT
        for number in numbers
        if isinstance(number, Fraction)
    )


def exact_cell(value: Number | None) -> Cell:
    """Return an exact number as a cell: nothing of a double, dots for one that is too long."""
    if value is None:
        return NOT_COMPUTED
    if not isinstance(value, Fraction):
        return ""
    text = fraction_text(value)
    if not text or len(text) > LONG:
        return "…"
    return number(value) if len(text) <= LONGEST else text


def target_text(row: RowBackprop) -> str:
    """Return what the outputs should be: ``c1 c0 = 1 0``."""
    bits = " ".join("*" if bit is None else str(bit) for bit in row.targets)
    return f"{' '.join(row.outputs)} = {bits}"


def _mean_text(backprop: Backprop) -> str:
    rows, outputs = len(backprop.rows), backprop.network.n_out
    name = LOSS_NAMES[backprop.loss_kind]
    return (
        f"The loss L is the {name}: the mean over {counted(rows, 'row')} and "
        f"{counted(outputs, 'output')}, so each term is divided by {rows} * {outputs} = "
        f"{rows * outputs}." + SOFTPLUS * (backprop.loss_kind == "bce")
    )


def _batch(backprop: Backprop, style: _Style) -> Chapter:
    blocks: list[Block] = [
        Paragraph(
            f"{_mean_text(backprop)} Of one row it is the mean over its outputs, and the batch's "
            "gradient is the mean of the rows' gradients."
        ),
        Table(
            ("row", "target", *style.columns("loss, exact", "loss")),
            (
                *(
                    (sum_of(row.inputs), target_text(row), *style.cells(row.loss))
                    for row in backprop.rows[: style.most]
                ),
                ("mean", "", *style.cells(backprop.loss)),
            ),
            left=("row", "target"),
        ),
    ]
    updates = backprop.updates[: style.most]
    for start in range(0, min(len(backprop.rows), MOST_TABULATED), ROWS_PER_TABLE):
        rows = backprop.rows[start : start + ROWS_PER_TABLE]
        blocks.append(
            Table(
                ("dL/d", *(sum_of(row.inputs) for row in rows), "mean of all"),
                tuple(
                    (
                        symbol(*_named(update)),
                        *(_three(row.gradient(update.name)) for row in rows),
                        _three(update.gradient),
                    )
                    for update in updates
                ),
                caption="Each row's gradient, to three digits, and the mean of them",
                left=("dL/d",),
            )
        )
    if len(backprop.rows) > MOST_TABULATED or len(updates) < len(backprop.updates):
        blocks.append(Paragraph("The rest is in the JSON."))
    if not style.in_file:
        blocks.append(
            Paragraph(
                "Each row's own passes are in written files, in the JSON and among the steps."
            )
        )
    return Chapter("rows", f"{counted(len(backprop.rows), 'row')}, one by one", tuple(blocks))


def _three(value: Number | None) -> str:
    return decimal_text(value, 3)


def _forward(backprop: Backprop, row: RowBackprop, style: _Style, tail: str) -> Chapter:
    blocks: list[Block] = [
        Paragraph(
            "From the inputs to the loss, every value with what it was made of. No gradient is "
            "known on the way forward:"
        ),
        Table(
            ("value", *style.columns("exact", "decimal"), "gradient", "made of"),
            tuple(
                (
                    step.name,
                    *style.cells(step.number),
                    NOT_COMPUTED,
                    step.formula or "an input",
                )
                for step in row.steps
                if step.kind != "parameter"
            ),
            left=("value", "made of"),
        ),
    ]
    if not style.exact:
        blocks.append(
            Paragraph(
                "The exact fractions are too long to be shown here: they are in the JSON and in "
                "files, -o explain.html."
            )
        )
    if tail == "":
        blocks.append(Paragraph(_mean_text(backprop)))
    notes = [step.note for step in row.steps if step.note and step.kind == "activation"]
    blocks += [Paragraph(f"Note: {note}.") for note in dict.fromkeys(notes)]
    return Chapter(
        f"forward{tail}", f"Forward: {sum_of(row.inputs)}, target {target_text(row)}", tuple(blocks)
    )


def _backward(row: RowBackprop, style: _Style, tail: str) -> Chapter:
    lines: list[tuple[Cell, ...]] = []
    for step in reversed(row.steps):
        if step.kind == "loss":
            lines.append((step.name, "itself", "", "", *style.cells(Fraction(1))))
        elif step.kind != "input":
            lines += _flow_lines(step, style)
    shown = lines[: style.most]
    blocks: list[Block] = [
        Paragraph(
            "From the loss back: what arrives at a value is the gradient of each value made of "
            "it, times the local derivative; where several arrive, they add up."
        ),
        Table(
            ("dL/d", "through", "arrives", "local derivative", *style.columns("gives", "decimal")),
            tuple(shown),
            left=("dL/d", "through", "local derivative"),
        ),
    ]
    if len(shown) < len(lines):
        blocks.append(Paragraph(f"{len(lines) - len(shown)} more lines are in the JSON."))
    silent = [step for step in row.steps if step.gradient is None and step.kind == "activation"]
    blocks += [
        Paragraph(f"Note: {note}.") for note in dict.fromkeys(value.note for value in silent)
    ]
    blocks.append(
        Paragraph("The inputs are given, not learned; what would be their gradient is in the JSON.")
    )
    return Chapter(f"backward{tail}", f"Backward: {sum_of(row.inputs)}", tuple(blocks))


def _flow_lines(step: Step, style: _Style) -> list[tuple[Cell, ...]]:
    if step.gradient is None:
        return [(step.name, "nothing", "", "", *style.cells(None))]
    lines: list[tuple[Cell, ...]] = []
    for at, flow in enumerate(step.flows):
        value = style.cell(flow.derivative)
        value = words(value) if isinstance(value, str) else value
        same = flow.formula.text == value.text
        lines.append(
            (
                step.name if at == 0 else "",
                flow.new,
                style.cell(flow.gradient),
                flow.formula if same else equal(flow.formula, value),
                *style.cells(flow.product),
            )
        )
    if len(step.flows) > 1:
        lines.append(("", "sum", "", "", *style.cells(step.gradient)))
    return lines


def _step(backprop: Backprop, style: _Style) -> Chapter:
    lr = number(backprop.lr)
    now, following = symbol("w_now"), symbol("w_next")
    rule = equal(following, minus(now, product(symbol("lr"), partial(symbol("L"), symbol("w")))))
    agreement = backprop.agreement
    if agreement.difference is None:
        text = f"Not compared with PyTorch's autograd: {agreement.reason}."
    else:
        text = (
            f"Compared with PyTorch's autograd in float64: {agreement.figures} figures, the "
            f"largest difference is {agreement.difference:.3g}"
            + (f" ({agreement.where})." if agreement.difference else ".")
        )
    updates = backprop.updates[: style.most]
    more = len(backprop.updates) - len(updates)
    return Chapter(
        "step",
        "Gradients, and one step",
        (
            Equations((rule,), caption=f"With lr = {lr} = {decimal_text(backprop.lr)}:"),
            Table(
                ("w", "dL/dw", "w_now - lr * dL/dw", *style.columns("w_next, exact", "w_next")),
                tuple(
                    (
                        symbol(*_named(update)),
                        style.cell(update.gradient) if style.exact else _five(update.gradient),
                        _sum(update, backprop.lr),
                        *(style.cells(update.next) if style.exact else (_moved(update)[1],)),
                    )
                    for update in updates
                ),
                left=("w",),
            ),
            *((Paragraph(f"{more} more are in the JSON."),) if more else ()),
            Paragraph(
                f"The loss on {_these(backprop)} goes from {decimal_text(backprop.loss)} to "
                f"{decimal_text(backprop.loss_after)}."
            ),
            Paragraph(text),
            *(Paragraph(f"Note: {note}.") for note in backprop.notes),
        ),
    )


def _these(backprop: Backprop) -> str:
    return "this row" if len(backprop.rows) == 1 else f"these {len(backprop.rows)} rows"


def _sum(update: Update, lr: Fraction) -> Cell:
    """Return the step with its numbers: exact where they are short, else as decimals."""
    if update.gradient is None:
        return "stays"
    if isinstance(update.gradient, Fraction):
        parts = (update.now, lr, update.gradient)
        if all(0 < len(fraction_text(part)) <= SHORT for part in parts):
            return minus(number(update.now), product(number(lr), number(update.gradient)))
    now, rate, gradient = _moved(update)[0], _five(lr), _five(update.gradient)
    return f"{now} - {rate}*{f'({gradient})' if gradient.startswith('-') else gradient}"


def _five(value: Number | None) -> str:
    """Return a number to five digits, which is what a line has room for."""
    return decimal_text(value, 5)


def _moved(update: Update) -> tuple[str, str]:
    """Return a parameter before and after the step, to as many digits as show that it moved."""
    for digits in range(5, MOST_DIGITS + 1):
        now, following = (decimal_text(value, digits) for value in (update.now, update.next))
        if now.lstrip("≈") != following.lstrip("≈"):
            return now, following
    return _five(update.now), _five(update.next)


def _named(update: Update) -> tuple[Any, ...]:
    tensor, index = update.key
    return (tensor, *index)
