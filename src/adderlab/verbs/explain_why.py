"""``explain_why``: why a network works or fails; a training run is replayed from its record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from adderlab.checking import checked
from adderlab.nets import Network
from adderlab.nets.importing import NetworkFile
from adderlab.nets.sources import paths_of, read_source, task_of
from adderlab.tasks import TaskLike
from adderlab.verbs.explanation import Explanation, check_outs, written
from adderlab.verbs.why_chapters import why_chapters
from adderlab.verbs.why_replay import why

if TYPE_CHECKING:
    from torch import nn


@checked
def explain_why(
    model: Network | str | Path | nn.Module,
    task: TaskLike | None = None,
    *,
    out: str | Path | Sequence[str | Path] = (),
    on_progress: Callable[[str, float], None] = lambda what, share: None,
) -> Explanation:
    """Explain why a network works or fails: what its units do, and which rows they distinguish.

    Where it has a training record its run is replayed: when units died, and what would have
    helped.

    Args:
        model: a network, the path of its file, a PyTorch module, or what ``train`` returned.
        task: a task, its name or a table, if not the network's own; under another one than it was
            trained for no run is replayed.
        out: where to write: files ending in .md, .html, .json, or folders.
        on_progress: called with the activity and the share done, 0 to 1.

    Raises:
        NetworkFileError: the file is not a network, or its training record can't be followed.
        TaskError: no task is known, or it does not fit.
        ResourceError: the task has too many rows.
        OutputError: ``out`` can't be written.

    Examples:
        >>> import adderlab
        >>> adderlab.explain_why(adderlab.train("half-adder", seed=0)).title
        'Why this network works'
    """
    check_outs(out, read=paths_of(model, task))
    source = read_source(model, task)
    net = source.network
    if task is not None and (known := task_of(net, task)) != net.task:
        net = replace(net, task=known, training=None)
    where = str(model) if isinstance(model, str | Path | NetworkFile) else "network"
    reasons = why(net, where=where, on_progress=on_progress)
    verdict = replace(reasons.verdict, notes=(*source.notes, *reasons.verdict.notes))
    reasons = replace(reasons, verdict=verdict)
    chapters = why_chapters(reasons)
    title = "Why this network works" if reasons.verdict else "Why this network fails"
    explanation = Explanation(
        "why", reasons, reasons.to_dict(), title, chapters, chapters, chapters
    )
    return written(explanation, out)
