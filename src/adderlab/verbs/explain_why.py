"""``explain_why``: why a trained network works or fails, replayed from its record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from adderlab.nets import Network
from adderlab.nets.sources import read_source
from adderlab.verbs.explanation import Explanation, check_outs, written
from adderlab.verbs.why_chapters import why_chapters
from adderlab.verbs.why_replay import why

if TYPE_CHECKING:
    from torch import nn


def explain_why(
    model: Network | str | Path | nn.Module,
    *,
    out: str | Path | Sequence[str | Path] = (),
    on_progress: Callable[[str, float], None] = lambda what, share: None,
) -> Explanation:
    """Explain why a trained network works or fails: its run is replayed from its record.

    Args:
        model: a network with a training record, the path of its file, or what ``train`` returned.
        out: where to write: files ending in .md, .html, .json, or folders.
        on_progress: called with the activity and the share done, 0 to 1.

    Raises:
        NetworkFileError: the file is not a network, or has no training record.
        OutputError: ``out`` can't be written.

    Examples:
        >>> import adderlab
        >>> adderlab.explain_why(adderlab.train("half-adder", seed=0)).title
        'Why this network works'
    """
    check_outs(out)
    net = read_source(model).network
    where = str(model) if isinstance(model, str | Path) else "network"
    reasons = why(net, where=where, on_progress=on_progress)
    chapters = why_chapters(reasons)
    title = "Why this network works" if reasons.verdict else "Why this network fails"
    explanation = Explanation(
        "why", reasons, reasons.to_dict(), title, chapters, chapters, chapters
    )
    return written(explanation, out)
