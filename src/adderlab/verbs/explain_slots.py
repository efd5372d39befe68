"""``explain_slots``: the two slots of every parameter through PyTorch's own loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

from adderlab.blocks import Picture
from adderlab.checking import checked
from adderlab.explaining.slots_chapters import slots_chapters
from adderlab.explaining.steps import slots_steps
from adderlab.figures import losses_picture
from adderlab.nets import Network
from adderlab.nets.sources import paths_of
from adderlab.packages import is_installed
from adderlab.tasks import TaskLike
from adderlab.tasks.order import Names
from adderlab.verbs.explained_rows import Words, explained_rows
from adderlab.verbs.explanation import Explanation, check_outs, written
from adderlab.verbs.train import seed_text

if TYPE_CHECKING:
    from torch import nn

    from adderlab.explaining.slots import SlotsRun

ITERATIONS: Final = 3


@checked
def explain_slots(
    model: Network | str | Path | nn.Module,
    task: TaskLike | None = None,
    *,
    input: Words | Sequence[Words] | None = None,
    target: Words | None = None,
    rows: str | None = None,
    bits: str | None = None,
    inputs: Names = (),
    outputs: Names = (),
    loss: str | None = None,
    lr: float | str | Fraction | None = None,
    iterations: int = ITERATIONS,
    out: str | Path | Sequence[str | Path] = (),
) -> Explanation:
    """Explain w and dL/dw through zero_grad, backward and step, and what happens without zero_grad.

    A network with a training record starts where its training did; any other, from its weights.

    Args:
        model: a network, the path of its file, a PyTorch module, or what a verb returned.
        task: a task, its name or a table, if not the network's own.
        input: the rows, as of :func:`adderlab.explain`; all of the task unless given.
        target: the output words, if not the task's.
        rows: ``"all"``, which is what is taken without ``input``.
        bits: ``lsb-first`` where the network has the bits of each word in reverse.
        inputs: the input words or bits in the order in which the network takes them.
        outputs: the output words or bits in the order in which it gives them.
        loss: ``mse`` or ``bce``; what the training record says, else ``mse``.
        lr: learning rate; what the record says, else 0.1.
        iterations: of the loop that are shown.
        out: where to write: files ending in .md, .html, .json, .svg, .png, or folders.

    Raises:
        OptionError: a number is out of range, or two arguments do not go together.
        TaskError: a word is out of its range, or nothing says what is expected.
        NetworkFileError: the file is not a network.
        ResourceError: too large a network to be read line by line.
        OutputError: ``out`` can't be written.

    Examples:
        >>> import adderlab
        >>> lecture = adderlab.build("half-adder", method="lecture")
        >>> adderlab.explain_slots(lecture, iterations=1).kind
        'slots'
    """
    from adderlab.explaining.slots import run_slots
    from adderlab.training.replay import recorded, start_of

    check_outs(out, read=paths_of(model, task))
    lesson = explained_rows(
        model,
        task,
        input=input,
        target=target,
        rows=rows,
        loss=loss,
        lr=lr,
        bits=bits,
        inputs=inputs,
        outputs=outputs,
    )
    net, start = lesson.net, None
    if net.training is not None:
        where = str(model) if isinstance(model, str | Path) else "model"
        _, settings = recorded(net, where)
        net, start = start_of(net, where), seed_text(settings)
    slots = run_slots(
        net, lesson.examples, loss=lesson.loss, lr=float(lesson.lr), iterations=iterations
    )
    slots = replace(slots, start=start)
    # without files to write, a terminal shows the slots whether there is a figure or not
    picture = slots_picture(slots) if out or is_installed("matplotlib") else None
    chapters = slots_chapters(slots)
    explanation = Explanation(
        "slots",
        slots,
        {"loss_kind": lesson.loss, "rows": len(lesson.examples), **slots.to_dict()},
        "The two slots of every parameter",
        chapters,
        slots_chapters(slots, picture),
        slots_steps(slots, chapters),
        (picture,) if picture else (),
    )
    return written(explanation, out)


def slots_picture(slots: SlotsRun) -> Picture:
    """Return the picture of the losses with and without zero_grad."""
    return losses_picture(
        {
            "zero_grad": list(enumerate(slots.losses_with, 1)),
            "without": list(enumerate(slots.losses_without, 1)),
        },
        name="slots",
    )
