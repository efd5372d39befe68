"""Answers to an exercise among the files that are graded: which file is one, and its verdict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from adderlab.errors import NetworkFileError
from adderlab.exercises import (
    LARGEST_BYTES,
    Answer,
    Exercise,
    Mark,
    answer_in,
    read_answer,
    refuse_network,
)
from adderlab.reading import Refusals, read_file

REFUSALS: Final = Refusals(NetworkFileError)


def answer_of(exercise: Exercise, path: str) -> Answer | None:
    """Return the answer in a file; ``None`` where it is to be read as a network.

    Raises:
        NetworkFileError: it is an answer to another exercise or a damaged one, or no answer where
            numbers are asked for.
    """
    entry = None
    if Path(path).stat().st_size <= LARGEST_BYTES:
        entry = answer_in(read_file(path, LARGEST_BYTES, REFUSALS), path)
    if entry is not None:
        return read_answer(entry, exercise, path)
    if exercise.asks_for_numbers:
        raise refuse_network(exercise, path)
    return None


def judged_by(marks: Sequence[Mark], reason: str = "") -> dict[str, Any]:
    """Return the verdict of an exercise's conditions, with those that are not met as the reason.

    Args:
        marks: of all its conditions.
        reason: what is said already of whether the network is right.
    """
    states = {mark.state for mark in marks}
    verdict = "refuted" if "unmet" in states else "unknown" if "unknown" in states else "proved"
    missed = [str(mark) for mark in marks if mark.state == "unmet" and mark.kind != "right"]
    return {"verdict": verdict, "reason": "; ".join(filter(None, (reason, *missed)))}
