"""``grade``: every file in a folder, each judged in a process of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from adderlab.checking import checked
from adderlab.errors import Interrupted, OptionError, OutputError
from adderlab.exercises import Exercise, exercise_named
from adderlab.isolation import Limits, Outcome, Piece, check_supported, outcomes
from adderlab.limits import TIME_UP, Budget
from adderlab.nets.readout import ReadoutLike
from adderlab.nets.sources import paths_of
from adderlab.tasks import TaskLike
from adderlab.tasks.order import Names, Order
from adderlab.tasks.wirings import Wiring
from adderlab.verbs.assignment import Assignment
from adderlab.verbs.graded import GRADES, RULES, Entry, Graded, ranked
from adderlab.verbs.graded_csv import to_csv
from adderlab.verbs.hand_ins import HandIn, files_in
from adderlab.verbs.judge import WORK
from adderlab.writing import check_place, write_file

MOST_MEMORY_BYTES: Final = 1 << 30
MOST_JOBS: Final = 256

TRAINING: Final = "adderlab.training.loop"
"""What answers about training take, and is loaded once for all of them."""

SENT: Final[dict[str, tuple[type, ...]]] = {
    "verdict": (str,),
    "counterexample": (str,),
    "reason": (str,),
    "sha256": (str,),
    "notes": (list,),
    "rows_right": (str,),
    "rows": (str,),
    "raw": (int,),
    "nonzero": (int,),
    "unique": (int,),
    "bytes": (int,),
}
"""What a process sends of its file, with the types that are taken of it."""


@checked
def grade(
    folder: str | Path,
    task: TaskLike | Wiring | None = None,
    *,
    exercise: str | None = None,
    rule: str = "raw",
    bits: str | None = None,
    inputs: Names = (),
    outputs: Names = (),
    readout: ReadoutLike | None = None,
    layers: str | Sequence[int] | None = None,
    activation: str | Sequence[str] | None = None,
    netlist: str | Path | None = None,
    timeout_s: float = 10.0,
    max_memory_bytes: int = MOST_MEMORY_BYTES,
    jobs: int = 2,
    out: str | Path | None = None,
    page: str | Path | None = None,
    on_progress: Callable[[int, int], None] = lambda done, files: None,
) -> Graded:
    """Judge every file in a folder on every input of a task, and rank those that are proved.

    Each file is read and proved in a process of its own, with limits that the operating system
    keeps: whatever one does, it is an entry and stops no other. Nothing that was handed in is
    run, and no pickle is read. Files in folders within count; names that begin with a dot
    don't; links that lead out of the folder are refused.

    Args:
        folder: of the files: whatever ``prove`` takes.
        task: a task, its name or a table; ``adder:any`` and its like ask it of cells.
        exercise: the id of an exercise instead of a task: answer files of the lab's page count
            beside networks, and proved is what meets all of its conditions.
        rule: which parameters rank: ``raw``, ``nonzero`` or ``unique`` (different values).
        bits: ``lsb-first`` where networks have the bits of each word in reverse.
        inputs: the input words or bits in the order in which networks take them.
        outputs: the output words or bits in the order in which they give them.
        readout: how outputs become bits, or ``argmax``, whatever the files say.
        layers: of files of weights alone, the sizes from input to output.
        activation: likewise, between the layers, or one for each of them.
        netlist: likewise, the path of a netlist.
        timeout_s: seconds for each file, after which its process is killed.
        max_memory_bytes: how much memory each process may take.
        jobs: how many files are judged at a time.
        out: where to write the entries as CSV; outside of the folder.
        page: where to write them as an HTML page; outside of the folder.
        on_progress: called with the number of files that are done, and of all.

    Raises:
        OptionError: there is no such folder, nothing in it, no such rule or exercise, a limit is
            not above 0, or there is not just one of ``task`` and ``exercise``.
        TaskError: there is no such task, or it has no such bits.
        NetworkError: ``readout``, ``layers`` or ``activation`` is none.
        OutputError: a file can't be written, or lies in the folder.
        ResourceError: no process can be started.

    Examples:
        >>> import tempfile, adderlab
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = adderlab.build("half-adder", method="lecture", out=f"{folder}/a.safetensors")
        ...     grades = adderlab.grade(folder, "half-adder")
        >>> grades.entries[0].verdict, grades.entries[0].counterexample
        ('refuted', '1 + 1 gives c = 3, expected c = 2')
    """
    start = time.perf_counter()
    if rule not in RULES:
        raise OptionError(
            f"got {rule[:40]!r}", where="rule", remedy=f"give one of {', '.join(RULES)}"
        )
    if not 1 <= jobs <= MOST_JOBS:
        raise OptionError(f"got {jobs}", where="jobs", remedy=f"give 1 to {MOST_JOBS}")
    _ = Budget.of(timeout_s, max_memory_bytes)  # which refuses limits that are none
    root = Path(folder)
    order = Order(bits or "", inputs, outputs)
    chosen = _exercise(exercise, task, order, readout)
    assignment = Assignment.of(
        _task(task) if chosen is None else chosen.task,
        order,
        readout=readout,
        layers=layers,
        activation=activation,
        netlist=netlist,
        exercise=exercise,
    )
    check_supported()
    listing = files_in(root)
    if chosen is not None and chosen.trains:
        listing = listing.importing(TRAINING)
    places = [Path(place) for place in (out, page) if place is not None]
    for place in places:
        _check_outside(place, root)
        check_place(place, read=paths_of(assignment.file(""), task))
    if len({os.path.realpath(place) for place in places}) < len(places):
        raise OutputError(
            "it is named twice", where=str(places[1]), remedy="name a place of its own for each"
        )
    limits = Limits(float(timeout_s), max_memory_bytes)
    judged = _judged(listing.files, assignment, limits, jobs, on_progress)
    graded = Graded(
        root,
        assignment.task.name,
        rule,
        ranked(_with_copies(judged), rule),
        limits.timeout_s,
        max_memory_bytes,
        exercise=exercise or "",
        hidden=listing.hidden,
        remarks=assignment.remarks,
        seconds=time.perf_counter() - start,
    )
    if out is not None:
        graded = replace(graded, file=write_file(out, to_csv(graded.entries)))
    if page is not None:
        graded = replace(graded, page=write_file(page, graded.to_page()))
    return graded


def _exercise(
    name: str | None, task: TaskLike | Wiring | None, order: Order, readout: ReadoutLike | None
) -> Exercise | None:
    """Return the exercise that is graded, ``None`` where a task is.

    Raises:
        OptionError: there is no such exercise, or what it says itself is given too.
    """
    if name is None:
        return None
    options = {"task": task is not None, "readout": readout is not None}
    options |= dict.fromkeys(order.to_dict(), True)
    for option, is_given in options.items():
        if is_given:
            raise OptionError(
                "an exercise says its own task, and its answers their readout",
                where=option,
                remedy="leave it out, or leave out `exercise`",
            )
    return exercise_named(name)


def _task(task: TaskLike | Wiring | None) -> TaskLike | Wiring:
    if task is None:
        raise OptionError(
            "no task is named", where="task", remedy="name one, or an exercise by `exercise`"
        )
    return task


def _check_outside(place: Path, folder: Path) -> None:
    """Raise where a file would be written into the folder, and be an entry the next time.

    Raises:
        OutputError: it would.
    """
    root = os.path.realpath(folder)
    target = os.path.realpath(place)
    if os.path.commonpath([root, target]) == root:
        raise OutputError(
            "it would lie in the folder that is graded, and be an entry the next time",
            where=str(place),
            remedy="name a place outside of it",
        )


def _judged(
    files: Sequence[HandIn],
    assignment: Assignment,
    limits: Limits,
    jobs: int,
    on_progress: Callable[[int, int], None],
) -> list[tuple[Entry, str]]:
    """Return each file's entry and its network's form, in the order of the files.

    Raises:
        Interrupted: Ctrl-C, with how far it was.
    """
    results: dict[int, tuple[Entry, str]] = {
        place: (Entry(file.name, "refused", reason=file.fault), "")
        for place, file in enumerate(files)
        if file.fault
    }
    # those that need a library come last: it stays, and each later process is a copy of more
    left = [place for place in range(len(files)) if place not in results]
    left.sort(key=lambda place: len(files[place].imports))
    context = {
        "assignment": assignment.to_dict(),
        "timeout_s": limits.timeout_s,
        "max_memory_bytes": limits.max_memory_bytes,
    }
    pieces = (Piece(files[place].path, files[place].imports) for place in left)
    on_progress(len(results), len(files))
    try:
        with closing(outcomes(WORK, context, pieces, limits, jobs=jobs)) as running:
            for at, outcome in running:
                results[left[at]] = _entry(files[left[at]].name, outcome, limits)
                on_progress(len(results), len(files))
    except KeyboardInterrupt:
        raise Interrupted(at=f"file {len(results)} of {len(files)}") from None
    return [results[place] for place in range(len(files))]


def _entry(name: str, outcome: Outcome, limits: Limits) -> tuple[Entry, str]:
    """Return what became of a file, of which its process may have sent a part."""
    sent: dict[str, Any] = {key: value for part in outcome.sent for key, value in part.items()}
    form = sent.get("form")
    known = {
        key: value
        for key, value in sent.items()
        if key in SENT and isinstance(value, SENT[key]) and not isinstance(value, bool)
    }
    if outcome.ending != "done" or known.get("verdict") not in GRADES:
        known |= {"verdict": "unknown", "reason": _ended(outcome.ending, limits)}
    known["notes"] = tuple(known.get("notes", ()))
    known |= {key: int(known[key], 16) for key in ("rows_right", "rows") if key in known}
    return Entry(name, seconds=outcome.seconds, **known), form if isinstance(form, str) else ""


def _ended(ending: str, limits: Limits) -> str:
    """Return why a process ended before it had a verdict."""
    if ending == "time":
        return f"{TIME_UP}: it was stopped after {limits.timeout_s:g} s"
    if ending == "memory":
        return Budget(max_memory_bytes=limits.max_memory_bytes).memory_reached
    if ending.startswith("SIG"):
        return f"its process was ended by {ending}"
    return f"it could not be judged ({ending.splitlines()[0][:200]})"


def _with_copies(judged: Iterable[tuple[Entry, str]]) -> Iterator[Entry]:
    """Yield the entries, each that is the same as an earlier one marked with the first's name."""
    first: dict[str, str] = {}
    for entry, form in judged:
        keys = [key for key in (f"form {form}" * bool(form), entry.sha256) if key]
        same_as = next((first[key] for key in keys if key in first), "")
        for key in keys:
            _ = first.setdefault(key, same_as or entry.name)
        yield replace(entry, same_as=same_as)
