"""What is done with a handed-in file, in a process of its own: hash it, read it, count, prove.

Rule: what is known is sent as soon as it is known, so that a process that is killed later has said
it. A file that is no network for the task is refused with the reason; where a limit is reached, or
a package is missing here, the verdict is unknown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from adderlab import limits
from adderlab.counting import count_network
from adderlab.errors import AdderlabError, DependencyError, NetworkFileError, ResourceError
from adderlab.exercises import exercise_named, marks_of
from adderlab.limits import Budget, CapReached, within
from adderlab.nets import Network
from adderlab.nets.argmax import is_argmax
from adderlab.nets.canonical import canonical_form
from adderlab.nets.sources import read_source
from adderlab.proving.verdict import Verdict
from adderlab.reading import Refusals, opened
from adderlab.tasks.wirings import Wiring
from adderlab.verbs.assignment import Assignment, HandedIn
from adderlab.verbs.judged_answers import answer_of, judged_by
from adderlab.verbs.prove import prove

WORK: Final = f"{__name__}:judge_of"
"""What the processes run."""

OWN_SHARE: Final = 0.9
"""The share of a file's time after which engines end by themselves, and say how far they are."""

PIECE_BYTES: Final = 1 << 20

Send = Callable[[dict[str, Any]], None]


def judge_of(context: Mapping[str, Any]) -> Callable[[str, Send], None]:
    """Return what judges a file by its path.

    Args:
        context: ``assignment`` and the limits ``timeout_s`` and ``max_memory_bytes``.
    """
    assignment = Assignment.from_dict(context["assignment"])

    def judge(path: str, send: Send) -> None:
        budget = Budget.of(context["timeout_s"] * OWN_SHARE, context["max_memory_bytes"])
        try:
            with within(budget):
                for part in _parts(assignment.file(path), assignment, budget):
                    send(part)
        except CapReached as cap:
            send(_unknown(str(cap)))
        except (DependencyError, ResourceError) as error:
            send(_unknown(reason_of(error, path)))
        except AdderlabError as error:
            send({"verdict": "refused", "reason": reason_of(error, path)})

    return judge


def reason_of(error: AdderlabError, path: str) -> str:
    """Return in one line what is wrong with a file, and where in it.

    The remedy is left out: it is for whoever named the file, not for whoever handed it in.
    """
    place = AdderlabError("", where=path).where
    where = error.where.removeprefix(place).lstrip(" :")
    parts = (where if where != "task" else "", error.what)
    return ": ".join(filter(None, parts)).replace("`", "")


def _unknown(reason: str) -> dict[str, Any]:
    return {"verdict": "unknown", "reason": reason}


def _parts(file: HandedIn, assignment: Assignment, budget: Budget) -> Iterator[dict[str, Any]]:
    """Yield what becomes known of a file."""
    yield _hashed(str(file))
    task = assignment.task
    cell = task.cell if isinstance(task, Wiring) else task
    exercise = None if assignment.exercise is None else exercise_named(assignment.exercise)
    model: HandedIn | Network = file
    if exercise is not None:
        answer = answer_of(exercise, str(file))
        if answer is not None and answer.network is None:
            yield judged_by(marks_of(exercise, numbers=answer.numbers))
            return
        model = file if answer is None or answer.network is None else answer.network
    source = read_source(model, cell)
    # the comparisons that argmax adds are none of the file's parameters
    own = read_source(replace(file, readout=None)) if is_argmax(file.readout) else source
    count = count_network(own)
    if model is file:  # the bytes of a network in an answer are not those of the file
        yield {"sha256": source.sha256, "bytes": len(source.data)}
    yield {
        "raw": count.raw,
        "nonzero": count.nonzero,
        "unique": count.unique,
        "notes": list(source.notes),
    }
    yield {"form": _form(source.network, budget)}
    verdict = prove(
        source,
        task,
        timeout_s=max(budget.seconds_left, 1e-3),
        max_memory_bytes=budget.max_memory_bytes,
    )
    judged = _judged(verdict, assignment)
    if exercise is not None:
        marks = marks_of(exercise, network=source.network, verdict=verdict)
        judged |= judged_by(marks, judged["reason"])
    yield judged


def _hashed(path: str) -> dict[str, Any]:
    """Return the size and the hash of a file, which those that are refused have too."""
    digest, size = hashlib.sha256(), 0
    with opened(path, Refusals(NetworkFileError)) as (file, _):
        while piece := file.read(PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
            limits.check()
    return {"sha256": digest.hexdigest(), "bytes": size}


def _form(net: Network, budget: Budget) -> str | None:
    """Return the form by which equal networks are found; ``None`` where it takes too long."""
    try:
        with within(budget.share(4)):
            return canonical_form(net)
    except CapReached:
        return None


def _judged(verdict: Verdict, assignment: Assignment) -> dict[str, Any]:
    example = verdict.counterexample
    where = "" if example is None or example.semantics == "exact" else f" in {example.semantics}"
    notes = [note for note in verdict.notes if note not in assignment.remarks]
    if verdict.hint is not None:
        notes.append(f"proved with its bits in another order: {verdict.hint}".replace("`", ""))
    right = verdict.rows_right
    if verdict and right is None:
        right = verdict.judged_rows
    elif verdict.verdict != verdict.exact:  # it is right in exact arithmetic, not in its own format
        right = None
    return {
        "verdict": verdict.verdict,
        "counterexample": f"{example}{where}" if example is not None else "",
        "rows_right": _count(right),
        "rows": _count(verdict.judged_rows),
        "reason": _reason(verdict),
        "notes": notes,
    }


def _count(rows: int | None) -> str | None:
    """Return a count for JSON: a number of thousands of digits is no number to its readers."""
    return None if rows is None else hex(rows)


def _reason(verdict: Verdict) -> str:
    """Return why a verdict is unknown, and of a refuted one in which arithmetic it is right."""
    if verdict.verdict != "refuted":
        return verdict.reason
    parts = [f"{part} in {name}" for name, part in verdict.parts().items() if part != "refuted"]
    return ", ".join(part.replace("in exact", "in exact arithmetic") for part in parts)
