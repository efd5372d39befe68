"""``quantize``: a network in fewer bits, and the verdict on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.blocks.numbers import counted
from adderlab.checking import checked
from adderlab.errors import NetworkError, OptionError
from adderlab.formats import FORMATS, Format
from adderlab.limits import Budget, CapReached, ending, within
from adderlab.nets import Network, save
from adderlab.nets.files import check_network_place
from adderlab.nets.sources import ordered_task, paths_of, read_source, task_of
from adderlab.nets.tensors import Scaled, Sparse, Tensor
from adderlab.nets.truth import truth_rows
from adderlab.proving import Verdict
from adderlab.proving.verdict import OUTCOMES
from adderlab.quantizing import (
    METHODS,
    Attempt,
    Clock,
    Rounded,
    Scheme,
    Smallest,
    fits,
    rounded,
    smallest,
    table,
    target_format,
)
from adderlab.runs.times import Stopwatch, Times
from adderlab.tasks import Task, TaskLike
from adderlab.tasks.order import Names
from adderlab.verbs.prove import prove
from adderlab.verbs.quantized import Judged, QuantizationTable, Quantized

if TYPE_CHECKING:
    from torch import nn

SMALLEST: Final = "smallest"
AUTO: Final = "auto"
TIMEOUT_S: Final = 60.0
SEARCHING: Final = 0.8
"""The part of the time that rounding may take; the rest is for the verdicts on what it gives."""

PROVING: Final = "proving"
LEAST_S: Final = 0.05
"""What a verdict may take even where the time is up: enough for the rows of a small network."""

LARGEST_COMPARED: Final = 1 << 12

TABLE_FORMATS: Final = (
    "fp16",
    "bf16",
    "fp8-e4m3",
    "fp8-e5m2",
    "int8",
    "int6",
    "int5",
    "int4",
    "int3",
    "int2",
    "ternary",
    "binary",
)


@checked
def quantize(
    model: Network | str | Path | nn.Module,
    to: str,
    task: TaskLike | None = None,
    *,
    bits: str | None = None,
    inputs: Names = (),
    outputs: Names = (),
    method: str = AUTO,
    scale: str | None = None,
    per: str | None = None,
    symmetric: bool = True,
    limit: int | None = None,
    timeout_s: float = TIMEOUT_S,
    out: str | Path | None = None,
    on_progress: Callable[[str, float], None] = lambda what, share: None,
) -> Quantized:
    """Put a network into a format of fewer bits, and prove or refute what comes out.

    Args:
        model: a network, the path of a network file, or a PyTorch module.
        to: a format, or ``smallest`` for the fewest bits in which some method finds a network
            that is proved, in exact arithmetic and in the arithmetic it would be run in.
        task: a task, its name or a table; left out, the one that the network was built for.
        bits: ``lsb-first`` where the network has the bits of each word in reverse.
        inputs: the input words or bits in the order in which the network takes them.
        outputs: the output words or bits in the order in which it gives them.
        method: ``nearest``, ``exact`` (each parameter up or down, by search), ``snap`` (whole
            numbers near a rescaled network), ``fine-tune`` (straight-through gradients), or
            ``auto``: the first of these that is proved.
        scale: ``none``, ``power-of-two`` or ``free``; unless given, none where it is not needed.
        per: one scale for each ``tensor`` or ``channel``.
        symmetric: whether the zero point is 0.
        limit: branches after which a search is given up.
        timeout_s: seconds that reading, rounding, searching, fine-tuning and proving may take
            together; then the best network so far is kept, and ``stopped`` says what was tried.
        out: where to write the network; it is written whatever the verdict.
        on_progress: called with what is tried and the share of the work that is done, 0 to 1.

    Raises:
        FormatError: no such format, it takes more bits, or it makes no sense with the options.
        OptionError: an option is none of its choices, or a limit is not above 0.
        TaskError: no task is known, or it does not fit.
        NetworkError: there are slopes of a prelu.
        ResourceError: the method needs more rows or parameters than can be tried.
        LimitError: the time was up before anything was rounded.
        OutputError: ``out`` can't be written.

    Examples:
        >>> import adderlab
        >>> net = adderlab.build("half-adder", method="one-layer").network
        >>> quantized = quantize(net, "int2")
        >>> quantized.bytes, bool(quantized)
        (3, True)
    """
    if limit is not None and limit < 1:
        raise OptionError(f"got {limit}", where="limit", remedy="give a whole number above 0")
    _check_timeout(timeout_s)
    if out is not None:
        check_network_place(out, read=paths_of(None, task))
    scheme = _scheme(scale, per, symmetric=symmetric)
    _check_method(method)
    time_limit = _Limit(timeout_s)
    with within(time_limit.whole), ending("the network was read", "quantize"):
        task = ordered_task(model, task, bits=bits, inputs=inputs, outputs=outputs)
        source = read_source(model, task)
    target = task_of(source.network, task)
    net = source.network.for_task(target)
    _check_slopes(net)

    def judge(quantized: Network) -> Judged:
        with time_limit.watch.part(PROVING):
            return _judge(quantized, net, target, time_limit)

    def before() -> Verdict:  # last: what comes out matters more where time is short
        on_progress("the network as given", 1.0)
        with time_limit.watch.part(PROVING):
            verdict = time_limit.prove(net, target)
        return replace(verdict, notes=(*source.notes, *verdict.notes))

    if to.lower() == SMALLEST:
        if scheme is not None or limit is not None:
            raise OptionError(
                "every scheme is tried with its own limit",
                where="to smallest",
                remedy="leave out `scale`, `per`, `symmetric` and `limit`",
            )
        methods = METHODS if method == AUTO else (method,)
        result = smallest(
            net,
            target,
            judge,
            lambda judged: bool(judged.verdict),
            methods=methods,
            clock=time_limit.searching,
            on_progress=on_progress,
        )
        taken, attempts, claim = _of_smallest(net, result, judge)
        stopped = (
            time_limit.text(f"{counted(len(attempts), 'attempt')} made")
            if result.is_stopped
            else ""
        )
        return _finished(
            net,
            target,
            before(),
            taken,
            attempts,
            claim,
            stopped,
            out=out,
            times=time_limit.times(),
        )
    form = target_format(to, net.format)
    if scheme is not None:
        scheme.check(form)
    methods = tuple(m for m in METHODS if fits(m, net, form)) if method == AUTO else (method,)
    clock = time_limit.searching
    with ending(f"it was rounded to {form.name}", "quantize"):
        attempts = _attempts(net, target, form, methods, scheme, limit, judge, clock, on_progress)
    taken = max(attempts, key=lambda attempt: _goodness(attempt.verdict.verdict))
    stopped = ""
    if clock.is_up and not taken.verdict.verdict:
        names = ", ".join(attempt.rounded.method for attempt in attempts)
        stopped = time_limit.text(f"tried {names}; the best is kept")
    return _finished(
        net,
        target,
        before(),
        taken,
        tuple(attempts),
        "",
        stopped,
        out=out,
        times=time_limit.times(),
    )


def _attempts(
    net: Network,
    task: Task,
    form: Format,
    methods: Sequence[str],
    scheme: Scheme | None,
    limit: int | None,
    judge: Callable[[Network], Judged],
    clock: Clock,
    on_progress: Callable[[str, float], None],
) -> list[Attempt[Judged]]:
    """Return one attempt a method, up to the first that holds."""
    attempts: list[Attempt[Judged]] = []
    for number, method in enumerate(methods):
        if attempts and clock.is_up:
            break

        def on_share(share: float, number: int = number, method: str = method) -> None:
            on_progress(f"{form.name}, {method}", (number + share) / len(methods))

        is_one_of_many = len(methods) > 1
        if is_one_of_many and method == "snap" and scheme is not None:
            continue
        if is_one_of_many and method != "nearest" and not _can_search(net, task):
            continue
        on_share(0.0)
        parts = 1 if method == "nearest" else len(methods) - number  # it is what is kept
        part = clock.share(parts, on_share)
        try:
            attempt = rounded(
                net, task, form, method=method, scheme=scheme, limit=limit, clock=part
            )
        except CapReached:
            if attempts:
                break
            raise
        attempts.append(Attempt(form, attempt, judge(attempt.network)))
        if attempts[-1].verdict.verdict:
            break
    return attempts


def _goodness(verdict: Verdict) -> tuple[int, int, int]:
    """Return what the best attempt has most of: its verdict, that in exact arithmetic, rows."""
    outcomes = (-OUTCOMES.index(verdict.verdict), -OUTCOMES.index(verdict.exact))
    return (*outcomes, verdict.rows_right or 0)


def _can_search(net: Network, task: Task) -> bool:
    from adderlab.quantizing.rows import LARGEST_PARAMETERS, LARGEST_ROWS

    return task.rows <= LARGEST_ROWS and net.parameters <= LARGEST_PARAMETERS


@checked
def quantization_table(
    model: Network | str | Path | nn.Module,
    task: TaskLike | None = None,
    *,
    bits: str | None = None,
    inputs: Names = (),
    outputs: Names = (),
    formats: Sequence[str] = TABLE_FORMATS,
    methods: Sequence[str] = METHODS,
    timeout_s: float = TIMEOUT_S,
    on_progress: Callable[[str, float], None] = lambda what, share: None,
) -> QuantizationTable:
    """Return what every method makes of a network in every format, with the verdicts.

    Args:
        model: a network, the path of a network file, or a PyTorch module.
        task: a task, its name or a table; left out, the one that the network was built for.
        bits: ``lsb-first`` where the network has the bits of each word in reverse.
        inputs: the input words or bits in the order in which the network takes them.
        outputs: the output words or bits in the order in which it gives them.
        formats: their names; those of more bits than the network's own are left out.
        methods: their names.
        timeout_s: seconds that everything may take together; then the table ends, and
            ``stopped`` says so.
        on_progress: called with what is tried and the share of the work that is done, 0 to 1.

    Raises:
        OptionError: no time to prove.
        TaskError: no task is known, or it does not fit.
    """
    _check_timeout(timeout_s)
    time_limit = _Limit(timeout_s)
    with within(time_limit.whole), ending("the network was read", "quantize"):
        task = ordered_task(model, task, bits=bits, inputs=inputs, outputs=outputs)
        source = read_source(model, task)
    target = task_of(source.network, task)
    net = source.network.for_task(target)
    _check_slopes(net)
    own = FORMATS[net.format].bits or 64
    names = [name for name in formats if FORMATS[name].bits <= own]
    attempts, count = table(
        net,
        target,
        lambda quantized: _judge(quantized, net, target, time_limit),
        formats=names,
        methods=methods,
        clock=time_limit.searching,
        on_progress=on_progress,
    )
    on_progress("the network as given", 1.0)
    before = time_limit.prove(net, target)
    before = replace(before, notes=(*source.notes, *before.notes))
    stopped = ""
    if len(attempts) < count:
        stopped = time_limit.text(f"{len(attempts)} of {counted(count, 'attempt')} made")
    return QuantizationTable(before, attempts, stopped)


class _Limit:
    """What the whole of a ``quantize`` may take, begun now."""

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s, self.whole = timeout_s, Budget.of(timeout_s)
        searching = replace(self.whole, deadline=time.perf_counter() + SEARCHING * timeout_s)
        self.searching = Clock(searching)
        self.watch = Stopwatch()

    def prove(self, net: Network, task: Task) -> Verdict:
        """Return the verdict that there is time for."""
        with within(self.whole):
            return prove(net, task, timeout_s=self.seconds_left)

    def times(self) -> Times:
        """Return the times so far: of the verdicts, and of everything else."""
        seconds, proving = self.watch.times().seconds, self.watch.seconds_of(PROVING)
        return Times(seconds, (("rounding and searching", seconds - proving), (PROVING, proving)))

    @property
    def seconds_left(self) -> float:
        """What a verdict may take: all that is left, and a little in any case."""
        return max(self.whole.seconds_left, LEAST_S)

    def text(self, reached: str) -> str:
        """Return the sentence that says what was reached at the limit."""
        return f"the limit of {self.timeout_s:g} s was reached: {reached}"


def _judge(net: Network, before: Network, task: Task, limit: _Limit) -> Judged:
    verdict = limit.prove(net, task)
    try:
        with within(replace(limit.whole, deadline=time.perf_counter() + limit.seconds_left)):
            return Judged(verdict, _rows_lost(before, net, task))
    except CapReached:
        return Judged(verdict, None)


def _scheme(scale: str | None, per: str | None, *, symmetric: bool) -> Scheme | None:
    if scale is None and per is None and symmetric:
        return None
    default = "none" if per is None and symmetric else "free"
    return Scheme(scale or default, per or "tensor", symmetric)


def _check_slopes(net: Network) -> None:
    for name, _ in net.slopes():
        raise NetworkError(
            "the slopes of prelu are parameters that are not quantized",
            where=name,
            remedy="take leaky relu of that slope",
        )


def _check_timeout(timeout_s: float) -> None:
    if not timeout_s > 0:
        raise OptionError(f"got {timeout_s:g}", where="timeout_s", remedy="give seconds above 0")


def _check_method(method: str) -> None:
    if method not in (AUTO, *METHODS):
        raise OptionError(
            f"got {method[:40]!r}",
            where="method",
            remedy=f"give one of {AUTO}, {', '.join(METHODS)}",
        )


def _of_smallest(
    net: Network, result: Smallest[Judged], judge: Callable[[Network], Judged]
) -> tuple[Attempt[Judged], tuple[Attempt[Judged], ...], str]:
    """Return what to keep of the search for the smallest, all attempts, and what is claimed."""
    taken = result.best
    if taken is None:
        kept = Rounded(net, "nearest", Scheme(), note="no format holds: the network as it was")
        unchanged = Attempt(FORMATS[net.format], kept, judge(net))
        among = "among those that were tried" if result.is_stopped else "in any format"
        return unchanged, result.attempts, f"no method found a network that holds {among}"
    fewer = sorted(
        {attempt.form.bits for attempt in result.attempts if attempt.form.bits < taken.form.bits}
    )
    if result.is_stopped:
        bits = taken.form.bits
        return taken, result.attempts, f"not everything of fewer than {bits} bits was tried"
    if not fewer:
        return taken, result.attempts, "one bit a parameter: there is nothing below"
    tried = sum(attempt.form.bits < taken.form.bits for attempt in result.attempts)
    end = (
        "every search among them was finished; other methods might find one"
        if result.is_complete
        else "some searches among them were given up at their limit: the best found"
    )
    return taken, result.attempts, f"none of {tried} attempts in fewer bits holds; {end}"


def _finished(
    net: Network,
    task: Task,
    before: Verdict,
    taken: Attempt[Judged],
    attempts: tuple[Attempt[Judged], ...],
    claim: str,
    stopped: str,
    *,
    out: str | Path | None,
    times: Times,
) -> Quantized:
    quantized = taken.rounded.network.for_task(task)
    file = save(quantized, out) if out is not None else None
    return Quantized(
        network=quantized,
        before=before,
        judged=taken.verdict,
        rounded=taken.rounded,
        changed=_changed(net, quantized),
        attempts=attempts,
        claim=claim,
        stopped=stopped,
        file=file,
        times=times,
    )


def _changed(before: Network, after: Network) -> int:
    """Return how many parameters have another value; of another shape, all of them."""
    if before.shape != after.shape:
        return before.parameters
    changed = 0
    for (_, tensor), (_, other) in zip(before.tensors(), after.tensors(), strict=True):
        old, new = (part.exact() for part in _entries(tensor, other))
        exponent = min(old.exponent, new.exponent)
        same = old.rescaled(exponent).integers == new.rescaled(exponent).integers
        changed += int(np.size(same) - np.count_nonzero(same))
    return changed


def _entries(tensor: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Return two tensors; of sparse ones with entries at the same places, the entries alone."""
    inner = other.q if isinstance(other, Scaled) and not other.scale.shape else other
    if not (
        isinstance(tensor, Sparse)
        and isinstance(inner, Sparse)
        and np.array_equal(tensor.indptr, inner.indptr)
        and np.array_equal(tensor.indices, inner.indices)
    ):
        return tensor, other
    kept = Scaled(inner.values, other.scale) if isinstance(other, Scaled) else inner.values
    return tensor.values, kept


def _rows_lost(before: Network, after: Network, task: Task) -> int | None:
    if task.rows > LARGEST_COMPARED:
        return None
    pairs = zip(truth_rows(before, task), truth_rows(after, task), strict=True)
    return sum(old.is_right and not new.is_right for old, new in islice(pairs, LARGEST_COMPARED))
