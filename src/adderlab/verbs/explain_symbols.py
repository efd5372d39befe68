"""``explain_symbols``: a network's gradients in symbols, its active units named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from adderlab.checking import checked
from adderlab.explaining.symbols_chapters import symbols_chapters
from adderlab.nets import Network
from adderlab.nets.sources import paths_of
from adderlab.tasks import TaskLike
from adderlab.tasks.order import Names
from adderlab.verbs.explained_rows import Words, explained_rows
from adderlab.verbs.explanation import Explanation, check_outs, written

if TYPE_CHECKING:
    from torch import nn


@checked
def explain_symbols(
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
    out: str | Path | Sequence[str | Path] = (),
) -> Explanation:
    """Explain a network's gradients in symbols, by which units are active on which rows.

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
        out: where to write: files ending in .md, .html, .json, or folders.

    Raises:
        OptionError: two arguments do not go together.
        TaskError: a word is out of its range, or nothing says what is expected.
        NetworkFileError: the file is not a network.
        ResourceError: too large a network to be read line by line.
        OutputError: ``out`` can't be written.

    Examples:
        >>> import adderlab
        >>> lecture = adderlab.build("half-adder", method="lecture")
        >>> adderlab.explain_symbols(lecture).kind
        'symbols'
    """
    from adderlab.explaining.symbols import symbolic_gradients

    check_outs(out, read=paths_of(model, task))
    lesson = explained_rows(
        model,
        task,
        input=input,
        target=target,
        rows=rows,
        loss=loss,
        bits=bits,
        inputs=inputs,
        outputs=outputs,
    )
    gradients = symbolic_gradients(lesson.net, lesson.task, lesson.examples, loss=lesson.loss)
    chapters = symbols_chapters(gradients.patterns)
    explanation = Explanation(
        "symbols",
        gradients,
        gradients.to_dict(),
        "Gradients in symbols, with the active units named",
        chapters,
        chapters,
        chapters,
    )
    return written(explanation, out)
