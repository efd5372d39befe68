"""The two slots of every parameter, as chapters."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

from adderlab.blocks import Block, Chapter, Code, Figures, Paragraph, Picture, Table
from adderlab.blocks.kinds import Cell
from adderlab.explaining import NOT_COMPUTED
from adderlab.explaining.slots import LOSS_STEPS, Iteration, Slots, SlotsRun
from adderlab.notation import symbol

SHOWN: Final = (1, 2, 3, 5, 10, 20, 50, LOSS_STEPS)
"""Iterations whose losses are listed."""

FEWEST_DIGITS: Final = 4
MOST_DIGITS: Final = 17
"""Digits of a parameter; with the most, no two doubles read the same."""


def slots_chapters(run: SlotsRun, picture: Picture | None = None) -> tuple[Chapter, ...]:
    """Return the chapters on the slots: with zero_grad, without, what is left, who is left out.

    Args:
        run: the slots and losses, read from PyTorch.
        picture: of the losses, if it is shown.
    """
    return (
        _both_slots(run),
        _losses(run, picture),
        _left(run),
        _forgotten(run),
        _step_class(run),
    )


def slot_text(value: Any) -> str:
    """Return the content of a slot as text."""
    return "None" if value is None else f"{value:.3g}"


def w_texts(values: Sequence[float]) -> list[str]:
    """Return a parameter at successive moments, with enough digits to show every change."""
    moves = [(a, b) for a, b in pairwise(values) if a != b and math.isfinite(a + b)]
    digits = next(
        (
            digits
            for digits in range(FEWEST_DIGITS, MOST_DIGITS)
            if all(f"{a:.{digits}g}" != f"{b:.{digits}g}" for a, b in moves)
        ),
        MOST_DIGITS,
    )
    return [f"{value:.{digits}g}" for value in values]


def entries(slots: Slots) -> Iterator[tuple[tuple[Any, ...], float, float | None]]:
    """Yield every parameter's name and index with its two slots."""
    for name, nested in slots.w.items():
        gradient = slots.gradient[name]
        rows = nested if isinstance(nested[0], list) else [nested]
        for row, line in enumerate(rows):
            for at, w in enumerate(line):
                index = (row, at) if rows is nested else (at,)
                slot = gradient
                for place in index:
                    slot = None if slot is None else slot[place]
                yield (name, *index), w, slot


def _both_slots(run: SlotsRun) -> Chapter:
    blocks: list[Block] = [
        Paragraph(
            "Each parameter has two memory slots, w and dL/dw. Read from PyTorch after every "
            f"line of the loop, with SGD and lr = {run.lr:g}: w at the start, dL/dw after "
            "backward(), the next w after step(). In the last two columns the same loop runs "
            "without zero_grad(): each backward() adds to the old gradient (accumulated), and "
            "step() uses the sum (then w)."
            + (
                f" The loop starts where this network's training did: {run.start}."
                if run.start is not None
                else ""
            )
        )
    ]
    if run.made_dense:
        blocks.append(
            Paragraph(
                "PyTorch trains dense tensors: the entries that the file's sparse ones leave out "
                "are parameters here that start at 0."
            )
        )
    pairs = zip(run.with_zero_grad, run.without_zero_grad, strict=True)
    blocks += [_iteration(number, first, second) for number, (first, second) in enumerate(pairs, 1)]
    blocks.append(
        Paragraph(
            f"A slot that holds None reads: {NOT_COMPUTED}. step() changes w and leaves dL/dw "
            "as it is."
        )
    )
    return Chapter("slots", "Two slots a parameter: w and dL/dw", tuple(blocks))


def _iteration(number: int, first: Iteration, second: Iteration) -> Table:
    moments = [
        list(entries(slots))
        for slots in (
            first.after("start"),
            first.after("backward()"),
            first.after("step()"),
            second.after("start"),
            second.after("backward()"),
            second.after("step()"),
        )
    ]
    emptied = {slot_text(slot) for *_, slot in entries(first.after("zero_grad()"))}
    rows = tuple(
        (
            symbol(*start[0]),
            w_texts((start[1], step[1]))[0],
            slot_text(back[2]),
            w_texts((start[1], step[1]))[1],
            slot_text(accumulated[2]),
            w_texts((before[1], moved[1]))[1],
        )
        for start, back, step, before, accumulated, moved in zip(*moments, strict=True)
    )
    return Table(
        ("parameter", "w", "dL/dw", "next w", "accumulated", "then w"),
        rows,
        caption=f"Iteration {number}: loss {first.loss:.6g}, without zero_grad {second.loss:.6g}; "
        f"after zero_grad() every slot holds {' or '.join(sorted(emptied))}",
        left=("parameter",),
    )


def _losses(run: SlotsRun, picture: Picture | None) -> Chapter:
    end, other = run.losses_with[-1], run.losses_without[-1]
    rises = sum(b > a for a, b in pairwise(run.losses_without))
    same = sum(b > a for a, b in pairwise(run.losses_with))
    blocks: list[Block] = [
        Table(
            ("iteration", "loss with zero_grad", "loss without"),
            tuple(
                (str(at), _loss(run.losses_with[at - 1]), _loss(run.losses_without[at - 1]))
                for at in SHOWN
            ),
        ),
        Paragraph(
            f"From one iteration to the next the loss rises {same} times with zero_grad and "
            f"{rises} times without. After {LOSS_STEPS} iterations it is {_loss(end)} with and "
            f"{_loss(other)} without. {accumulation_text(run)}"
        ),
    ]
    if picture is not None:
        blocks.append(Figures((picture,), "The loss with zero_grad, and without it."))
    return Chapter("piling-up", "What forgetting zero_grad does to the loss", tuple(blocks))


def accumulation_text(run: SlotsRun) -> str:
    """Return the effect of accumulated gradients on the loss, as the losses show it."""
    kept, other = run.losses_with, run.losses_without
    lost = {
        where: next((at for at, loss in enumerate(losses, 1) if not math.isfinite(loss)), 0)
        for where, losses in (("with zero_grad", kept), ("without", other))
    }
    if any(lost.values()):
        places = " and ".join(f"{where} at iteration {at}" for where, at in lost.items() if at)
        return f"The loss becomes non-finite {places}; it is not compared any further."
    if _is_flat(run):
        return "Every gradient is 0 here: nothing accumulates, and no parameter moves."
    if kept == other:
        return "Here it is the same in every iteration, with and without."
    if other[-1] < kept[-1]:
        return (
            "Here the loss fell further with the sum of all gradients than with each by itself: "
            "the sum acts as a momentum that never decays, which need not end well."
        )
    if other[-1] == kept[-1]:
        return "Here both end at the same loss, by different paths."
    if any(b > a for a, b in pairwise(other)):
        return "The old gradients keep their effect long after they are outdated."
    return "Here the loss fell less far with the sum of all gradients, though it never rose."


def _is_flat(run: SlotsRun) -> bool:
    """Return whether every slot holds 0, or nothing, after every backward()."""
    return all(
        not slot
        for iteration in (*run.with_zero_grad, *run.without_zero_grad)
        for *_, slot in entries(iteration.after("backward()"))
    )


def _loss(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else "non-finite"


def _left(run: SlotsRun) -> Chapter:
    return Chapter(
        "zero-grad",
        "What zero_grad leaves",
        (
            Paragraph("The slot of the last parameter after backward() and then"),
            Table(
                ("line", "the slot holds"),
                (
                    ("optimizer.zero_grad()", run.left_by_default),
                    ("optimizer.zero_grad(set_to_none=False)", run.left_by_zero),
                ),
                left=("line", "the slot holds"),
            ),
            Paragraph(f"Run by PyTorch {run.torch_version.partition('+')[0]}."),
        ),
    )


def _forgotten(run: SlotsRun) -> Chapter:
    seen: list[tuple[str, str, float, float | None]] = []
    for number, iteration in enumerate(run.forgotten_run, 1):
        for slots in iteration.moments:
            for name, w, slot in entries(slots):
                if name == (run.forgotten, 0):
                    seen.append((str(number), slots.after, w, slot))
    texts = w_texts([w for *_, w, _ in seen])
    rows: list[tuple[Cell, ...]] = [
        (number, after, w, slot_text(slot))
        for (number, after, _, slot), w in zip(seen, texts, strict=True)
    ]
    return Chapter(
        "left-out",
        "A parameter that the optimizer was not given",
        (
            Paragraph(
                f"SGD is given every parameter but {run.forgotten}. zero_grad() empties the "
                "slots of those it was given, and step() moves them alone: this one keeps its w, "
                "and its gradients pile up."
            ),
            Table(
                ("iteration", "after", "w", "dL/dw"),
                tuple(rows),
                caption=f"{run.forgotten}[0]",
                left=("after",),
            ),
        ),
    )


def _step_class(run: SlotsRun) -> Chapter:
    return Chapter(
        "step-readout",
        "Why the class with a step can't be trained",
        (
            Paragraph(
                "The hand-set notebook's class ends in (self.fc2(h) > 0).float(). A comparison is "
                "flat on both sides of its jump, so PyTorch keeps no way back through it. "
                "loss.backward() says:"
            ),
            Code(f"RuntimeError: {run.step_message}"),
        ),
    )
