"""The fewest bits in which a network still holds, by trying every method from one bit up.

Rule: the caller's function decides whether a verdict is good enough. The claim about the result is
that no method tried here gave a network of fewer bits, never that none exists.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from adderlab.errors import AdderlabError
from adderlab.formats import FORMATS, Format
from adderlab.limits import CapReached
from adderlab.nets import Network
from adderlab.quantizing.clock import NO_LIMIT, Clock
from adderlab.quantizing.methods import METHODS, fits, rounded
from adderlab.quantizing.rounding import Rounded
from adderlab.quantizing.rows import LARGEST_PARAMETERS, LARGEST_ROWS
from adderlab.quantizing.scheme import PLAIN, SCHEMES, Scheme
from adderlab.tasks import Task

V = TypeVar("V")

TUNED: Final = (Scheme("free"), Scheme("power-of-two"))
"""The schemes that fine-tuning is tried with: it takes longest, and adapts to the scale."""

MOST_PARTS: Final = 8
"""An attempt gets at least this part of the time that is left, however many are to follow."""


@dataclass(frozen=True, slots=True, eq=False)
class Attempt(Generic[V]):
    """One network of a format with its verdict.

    Attributes:
        form: the format.
        rounded: the network and the method.
        verdict: that of the caller's function.
    """

    form: Format
    rounded: Rounded
    verdict: V


@dataclass(frozen=True, slots=True, eq=False)
class Smallest(Generic[V]):
    """The outcome of trying formats from one bit up.

    Attributes:
        best: of the attempts that hold in the fewest bits, the one of the fewest stored bytes;
            ``None`` if none holds.
        attempts: everything tried, in order.
        is_complete: whether every search in fewer bits was finished, none ended at its limit.
        is_stopped: whether the time was up before every attempt was made.
    """

    best: Attempt[V] | None
    attempts: tuple[Attempt[V], ...]
    is_complete: bool
    is_stopped: bool = False


def formats_by_bits(largest: int) -> Iterator[list[Format]]:
    """Yield the formats of 1 bit, of 2 bits, and so on, up to ``largest``."""
    known = [form for form in FORMATS.values() if form.bits]
    for bits in sorted({form.bits for form in known}):
        if bits <= largest:
            yield [form for form in known if form.bits == bits]


def smallest(
    net: Network,
    task: Task,
    judge: Callable[[Network], V],
    holds: Callable[[V], bool],
    *,
    methods: Sequence[str] = METHODS,
    clock: Clock = NO_LIMIT,
    on_progress: Callable[[str, float], None] = lambda what, share: None,
) -> Smallest[V]:
    """Return the fewest bits in which some method finds a network that holds.

    Every format is rounded to nearest first, up to one that holds: it is what is left when the
    time is up.

    Args:
        net: any network.
        task: what it has to compute.
        judge: gives a verdict on a network.
        holds: whether a verdict is good enough.
        methods: which to try.
        clock: when the search ends with the best so far.
        on_progress: called with the next attempt, and the share of all attempts that is done.
    """
    own = FORMATS[net.format].bits or 64
    levels = [
        [
            Trial(form, method, scheme)
            for form in forms
            for method, scheme in plans(net, task, form, methods)
        ]
        for forms in formats_by_bits(own)
    ]
    attempts = _Attempts(net, task, judge, clock, sum(map(len, levels)), on_progress)
    bound: list[Attempt[V]] = []
    for level in levels:
        if not bound:
            bound = attempts.good_among(holds, [t for t in level if t.method == "nearest"])
    is_complete = True
    for place, level in enumerate(levels):
        good = attempts.good_among(holds, level)
        if good or attempts.is_stopped:
            tried = attempts.of(
                itertools.chain(*levels if attempts.is_stopped else levels[: place + 1])
            )
            best = min(good or bound, key=_size, default=None)
            return Smallest(
                best, tried, is_complete and not attempts.is_stopped, attempts.is_stopped
            )
        is_complete = is_complete and all(
            attempt.rounded.is_complete for attempt in attempts.of(level)
        )
    return Smallest(None, attempts.of(itertools.chain(*levels)), is_complete)


@dataclass(frozen=True, slots=True)
class Trial:
    """A format with the method and the scheme that it is tried with."""

    form: Format
    method: str
    scheme: Scheme

    def __str__(self) -> str:
        return f"{self.form.name}, {self.method}" + (
            f", {self.scheme}" if self.method != "snap" else ""
        )


class _Attempts(Generic[V]):
    """Attempts that are made once each, until the time is up."""

    def __init__(
        self,
        net: Network,
        task: Task,
        judge: Callable[[Network], V],
        clock: Clock,
        count: int,
        on_progress: Callable[[str, float], None],
    ) -> None:
        self.net, self.task, self.judge, self.clock = net, task, judge, clock
        self.count, self.on_progress = count, on_progress
        self.is_stopped = False
        self.known: dict[Trial, Attempt[V] | None] = {}

    def of(self, trials: Iterable[Trial]) -> tuple[Attempt[V], ...]:
        """Return the attempts that were made, in the order of their trials."""
        known = (self.known.get(trial) for trial in trials)
        return tuple(attempt for attempt in known if attempt is not None)

    def good_among(self, holds: Callable[[V], bool], trials: Iterable[Trial]) -> list[Attempt[V]]:
        """Return the attempts that hold; with scales only as long as none holds."""
        good: list[Attempt[V]] = []
        for trial in trials:
            if good and trial.scheme.scale != "none":
                continue  # one holds already, and scales take more bytes
            attempt = self._attempt(trial)
            if attempt is not None and holds(attempt.verdict):
                good.append(attempt)
        return good

    def _attempt(self, trial: Trial) -> Attempt[V] | None:
        """Return what comes of a trial; ``None`` where it does not fit, or the time is up."""
        if trial in self.known:
            return self.known[trial]
        if self.clock.is_up:
            self.is_stopped = True
            return None
        done = len(self.known)

        def on_share(share: float) -> None:
            self.on_progress(str(trial), (done + share) / self.count)

        on_share(0.0)
        parts = 1 if trial.method == "nearest" else min(self.count - done, MOST_PARTS)
        try:
            rounded_net = rounded(
                self.net,
                self.task,
                trial.form,
                method=trial.method,
                scheme=None if trial.method == "snap" else trial.scheme,
                clock=self.clock.share(parts, on_share),
            )
        except CapReached:
            self.is_stopped = True
            return None
        except AdderlabError:  # it does not fit this format: out of double's range, say
            self.known[trial] = None
        else:
            judged = self.judge(rounded_net.network)
            self.known[trial] = Attempt(trial.form, rounded_net, judged)
        return self.known[trial]


def plans(
    net: Network, task: Task, form: Format, methods: Sequence[str]
) -> Iterator[tuple[str, Scheme]]:
    """Yield the methods with the schemes that apply to a format, the cheap ones first."""
    can_search = task.rows <= LARGEST_ROWS and net.parameters <= LARGEST_PARAMETERS
    for method in methods:
        if not fits(method, net, form) or (method != "nearest" and not can_search):
            continue
        if method == "snap" or form.kind == "float":
            yield method, PLAIN
        elif method == "fine-tune":
            yield from ((method, scheme) for scheme in TUNED)
        else:
            yield from (
                (method, scheme) for scheme in SCHEMES if scheme.symmetric or form.name != "binary"
            )


def table(
    net: Network,
    task: Task,
    judge: Callable[[Network], V],
    *,
    formats: Sequence[str],
    methods: Sequence[str] = METHODS,
    clock: Clock = NO_LIMIT,
    on_progress: Callable[[str, float], None] = lambda what, share: None,
) -> tuple[tuple[Attempt[V], ...], int]:
    """Return the verdict of each format by each method that applies, and how many there are.

    Where the time is up, the attempts that were made are fewer.
    """
    can_search = task.rows <= LARGEST_ROWS and net.parameters <= LARGEST_PARAMETERS
    trials = [
        (FORMATS[name], method)
        for name in formats
        for method in methods
        if fits(method, net, FORMATS[name]) and (method == "nearest" or can_search)
    ]
    attempts: list[Attempt[V]] = []
    for done, (form, method) in enumerate(trials):
        if clock.is_up:
            break

        def on_share(share: float, what: str = f"{form.name}, {method}", done: int = done) -> None:
            on_progress(what, (done + share) / len(trials))

        on_share(0.0)
        parts = 1 if method == "nearest" else min(len(trials) - done, MOST_PARTS)
        part = clock.share(parts, on_share)
        try:
            attempt = rounded(net, task, form, method=method, clock=part)
        except CapReached:
            break
        attempts.append(Attempt(form, attempt, judge(attempt.network)))
    return tuple(attempts), len(trials)


def _size(attempt: Attempt[V]) -> tuple[int, int, int]:
    """Return stored bytes, then parameters, then how late the method comes."""
    net = attempt.rounded.network
    stored = sum(tensor.stored_bytes for _, tensor in net.tensors())
    return stored, net.parameters, METHODS.index(attempt.rounded.method)
