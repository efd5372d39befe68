"""``prove``: the verdict on every input of a task."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from adderlab.checking import checked
from adderlab.errors import LimitError, OptionError
from adderlab.limits import MOST_MEMORY_BYTES, NO_LIMITS, Budget, CapReached, ending, within
from adderlab.nets import Network
from adderlab.nets.readout import ReadoutLike
from adderlab.nets.sources import (
    Source,
    ordered_task,
    paths_of,
    read_source,
    recorded_task,
    task_of,
)
from adderlab.proving.certificates import certificate_of
from adderlab.proving.composition import compose
from adderlab.proving.decide import arithmetics, decide
from adderlab.proving.orders import right_order
from adderlab.proving.verdict import FormatVerdict, Verdict
from adderlab.tasks import TaskLike, as_task
from adderlab.tasks.order import Names, Order
from adderlab.tasks.wirings import Wiring, wiring_without_order
from adderlab.writing import check_place, write_file

if TYPE_CHECKING:
    from torch import nn


@checked
def prove(
    model: Network | Source | str | Path | nn.Module,
    task: TaskLike | Wiring | None = None,
    *,
    formats: str | Sequence[str] = (),
    readout: ReadoutLike | None = None,
    output: int | str | None = None,
    bits: str | None = None,
    inputs: Names = (),
    outputs: Names = (),
    engine: str = "auto",
    timeout_s: float | None = None,
    max_memory_bytes: int = MOST_MEMORY_BYTES,
    sample: int = 0,
    out: str | Path | None = None,
    on_progress: Callable[[str, float], None] = lambda what, share: None,
) -> Verdict:
    """Return whether the network computes the task on every input of its domain.

    The verdict is about exact arithmetic on the stored values and about the arithmetic of the
    format in which the network is stored: proved needs both. With ``formats`` it is about the
    formats that are named: refuted if one is, proved if all are.

    Args:
        model: a network, the path of a network file, or a PyTorch module.
        task: a task, its name or a table; left out, the one that the network was built for.
            ``adder:any`` and its like ask of a cell what it makes at every width.
        formats: a number format's name, or several; ``exact`` is exact arithmetic.
        readout: how outputs become bits, as a readout, a number or a text such as ``>= 0``, or
            ``argmax``, the number of the first largest output; the network's own unless given.
        output: of a module whose ``forward`` returns a tuple or a dictionary, the place or the key
            of the output that is meant.
        bits: ``lsb-first`` where the network has the bits of each word in reverse.
        inputs: the input words or bits in the order in which the network takes them.
        outputs: the output words or bits in the order in which it gives them.
        engine: ``auto``, ``enumeration``, ``diagram`` or ``solver``.
        timeout_s: seconds, reading included, after which the verdict is ``unknown``; no limit
            unless given.
        max_memory_bytes: how much reading and proving may take.
        sample: random inputs to try where no engine decides; they can only refute.
        out: where to write a certificate, which others re-check (:func:`adderlab.check`). It is
            bound to the bytes of the network file; of a network in memory, to those that
            :func:`adderlab.save` writes. Where there is none, a note says why.
        on_progress: called with what is done and the share of it that is, 0 to 1; 0 where that is
            not known.

    Returns:
        A verdict that is true for ``proved`` alone. A refuted one holds the first wrong row.

    Raises:
        TaskError: no task is known, or it does not fit the network.
        OptionError: there is no such engine, a limit is not above 0, or a certificate is asked for
            that would not be about the file as it is.
        OutputError: the certificate can't be written, or would replace a file that is read.
        LimitError: a limit was reached before it was known what to prove.
        NetworkFileError: the file is not a network.
        ModelError: the module's ``forward`` can't be read.
        NetworkError: ``readout`` is none.

    Examples:
        >>> import adderlab
        >>> lecture = adderlab.build("half-adder", method="lecture").network
        >>> adderlab.prove(lecture).counterexample.got
        {'c': 3}
    """
    wiring = wiring_without_order(task, Order(bits or "", inputs, outputs))
    cell = None if wiring is None else wiring.cell
    target = cell if isinstance(task, Wiring) else cell or task
    if wiring is None:
        target = ordered_task(model, target, bits=bits, inputs=inputs, outputs=outputs)
    if out is not None and (readout is not None or output is not None):
        raise OptionError(
            "a certificate is about a network file as it is, its readout included",
            where="out",
            remedy="save the network with that readout first",
        )
    if out is not None:
        check_place(out, read=paths_of(model, task))
    start = time.perf_counter()
    budget = Budget.of(timeout_s, max_memory_bytes)
    with within(budget):
        try:
            source = read_source(model, target, output=output, readout=readout)
        except CapReached as cap:
            verdict = _unread(model, target, formats, f"{cap} while the network was read")
            notes = () if out is None else ("no certificate was written: nothing is decided",)
            return replace(verdict, notes=notes, seconds=time.perf_counter() - start)
        net = source.network
        verdict = decide(
            net,
            task_of(net, target),
            formats=formats,
            engine=engine,
            budget=budget,
            sample=sample,
            on_progress=on_progress,
        )
        if wiring is not None:
            verdict = compose(net, wiring, verdict)
        elif verdict.exact == "refuted":
            hint = right_order(net, task_of(net, target), formats=formats, budget=budget)
            verdict = replace(verdict, hint=hint)
        notes = (*source.notes, *verdict.notes)
        if out is not None:
            on_progress("the certificate", 0.0)
            own = task_of(net, target)
            certificate = certificate_of(
                net, own, verdict, source.data, wiring=wiring, budget=budget
            )
            if isinstance(certificate, str):
                notes += (f"no certificate was written: {certificate}",)
            else:
                path = write_file(out, certificate.data)
                notes += certificate.notes
                verdict = replace(verdict, certificate=str(path))
    return replace(
        verdict,
        sha256=source.sha256,
        notes=notes,
        seconds=time.perf_counter() - start,
    )


def _unread(
    model: Network | Source | str | Path | nn.Module,
    task: TaskLike | None,
    formats: str | Sequence[str],
    reason: str,
) -> Verdict:
    """Return the verdict on a network that could not be read within the limits."""
    if task is None:
        with within(NO_LIMITS):  # a short header
            known = recorded_task(model)
    else:
        with ending("the task was read", "prove"):  # a table may be large
            known = as_task(task)
    if known is None:
        raise LimitError(reason, where="prove", remedy="give more time or memory")
    about = arithmetics(formats) or ("exact",)
    judged = {name: FormatVerdict(name, "unknown", reason) for name in about if name != "exact"}
    return Verdict("unknown", "", known.name, known.rows, about, formats=judged, reason=reason)
