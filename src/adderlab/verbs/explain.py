"""``explain``: backprop on rows of a network, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from adderlab.checking import checked
from adderlab.errors import OptionError
from adderlab.explaining import backprop_rows
from adderlab.explaining.backprop_chapters import rows_chapters
from adderlab.explaining.steps import row_steps
from adderlab.nets import Network
from adderlab.nets.sources import paths_of
from adderlab.tasks import TaskLike
from adderlab.tasks.order import Names
from adderlab.tasks.wording import sum_of
from adderlab.verbs.explained_rows import Words, explained_rows
from adderlab.verbs.explanation import Explanation, check_outs, written

if TYPE_CHECKING:
    from torch import nn


@checked
def explain(
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
    out: str | Path | Sequence[str | Path] = (),
) -> Explanation:
    """Explain backprop: the forward and the backward pass on rows, then one step of SGD.

    Args:
        model: a network, the path of its file, a PyTorch module, or what ``build`` or ``train``
            returned.
        task: a task, its name or a table, if not the network's own.
        input: input words, ``"1,1"``, ``(1, 1)`` or ``{"a": 1, "b": 1}``, or several of them.
        target: the output words, ``"2"`` or ``{"c": 2}``; those of the task unless given.
        rows: ``"all"`` for every row of the task instead of ``input``.
        bits: ``lsb-first`` where the network has the bits of each word in reverse.
        inputs: the input words or bits in the order in which the network takes them.
        outputs: the output words or bits in the order in which it gives them.
        loss: ``mse`` or ``bce``; what the training record says, else ``mse``.
        lr: learning rate; what the record says, else 0.1.
        out: where to write: files ending in .md, .html, .json, .svg, .png, or folders.

    Raises:
        OptionError: neither ``input`` nor ``rows`` is given, or a number is out of range.
        TaskError: a word is out of its range, or nothing says what is expected.
        NetworkFileError: the file is not a network.
        ResourceError: too large a network to be read line by line.
        OutputError: ``out`` can't be written.

    Examples:
        >>> import adderlab
        >>> lecture = adderlab.build("half-adder", method="lecture")
        >>> adderlab.explain(lecture, input="1,1").data["gradients"]["fc2.weight"]
        [[-0.25, -0.75, -0.25], [0.25, 0.75, 0.25]]
    """
    if input is None and rows is None:
        raise OptionError(
            "nothing to explain", where="explain", remedy="give `input`, or all with `rows`"
        )
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
    backprop = backprop_rows(
        lesson.net,
        lesson.task,
        lesson.examples,
        loss=lesson.loss,
        lr=lesson.lr,
        notes=list(lesson.notes),
    )
    count = len(lesson.examples)
    what = sum_of(lesson.examples[0].inputs) if count == 1 else f"{count} rows"
    explanation = Explanation(
        "rows",
        backprop,
        {"task": lesson.task.name, **backprop.to_dict()},
        f"Backpropagation on {what}, step by step",
        rows_chapters(backprop, in_file=False),
        rows_chapters(backprop, in_file=True),
        row_steps(backprop),
    )
    return written(explanation, out)
