"""The fewest bits in which a network still holds, by trying every method from one bit up.

Rule: the caller's function decides whether a verdict is good enough. The claim about the result is
that no method tried here gave a network of fewer bits, never that none exists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from adderlab.errors import AdderlabError
from adderlab.formats import FORMATS, Format
from adderlab.nets import Network
from adderlab.quantizing.methods import METHODS, default_scheme, fits, rounded
from adderlab.quantizing.rounding import Rounded
from adderlab.quantizing.rows import LARGEST_PARAMETERS, LARGEST_ROWS
from adderlab.quantizing.scheme import PLAIN, SCHEMES, Scheme
from adderlab.tasks import Task

V = TypeVar("V")

TUNED: Final = (Scheme("free"), Scheme("power-of-two"))
"""The schemes that fine-tuning is tried with: it takes longest, and adapts to the scale."""


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
    """

    best: Attempt[V] | None
    attempts: tuple[Attempt[V], ...]
    is_complete: bool


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
    on_try: Callable[[str], None] = lambda what: None,
) -> Smallest[V]:
    """Return the fewest bits in which some method finds a network that holds.

    Args:
        net: any network.
        task: what it has to compute.
        judge: gives a verdict on a network.
        holds: whether a verdict is good enough.
        methods: which to try.
        on_try: called with a description of the next attempt.
    """
    own = FORMATS[net.format].bits or 64
    attempts: list[Attempt[V]] = []
    is_complete = True
    for forms in formats_by_bits(own):
        good: list[Attempt[V]] = []
        for form in forms:
            for method, scheme in plans(net, task, form, methods):
                if good and scheme.scale != "none":
                    continue  # one holds already, and scales take more bytes
                on_try(f"{form.name}, {method}" + (f", {scheme}" if method != "snap" else ""))
                try:
                    rounded_net = rounded(
                        net, task, form, method=method, scheme=None if method == "snap" else scheme
                    )
                except AdderlabError:  # it does not fit this format: out of double's range, say
                    continue
                attempt = Attempt(form, rounded_net, judge(rounded_net.network))
                attempts.append(attempt)
                if holds(attempt.verdict):
                    good.append(attempt)
                else:
                    is_complete = is_complete and rounded_net.is_complete
        if good:
            return Smallest(min(good, key=_size), tuple(attempts), is_complete)
    return Smallest(None, tuple(attempts), is_complete)


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
    on_try: Callable[[str], None] = lambda what: None,
) -> tuple[Attempt[V], ...]:
    """Return the verdict of each format by each method that applies to it."""
    can_search = task.rows <= LARGEST_ROWS and net.parameters <= LARGEST_PARAMETERS
    attempts: list[Attempt[V]] = []
    for name in formats:
        form = FORMATS[name]
        scheme = default_scheme(net, form)
        for method in methods:
            if not fits(method, net, form) or (method != "nearest" and not can_search):
                continue
            on_try(f"{name}, {method}")
            plan = None if method == "snap" else scheme
            attempt = rounded(net, task, form, method=method, scheme=plan)
            attempts.append(Attempt(form, attempt, judge(attempt.network)))
    return tuple(attempts)


def _size(attempt: Attempt[V]) -> tuple[int, int, int]:
    """Return stored bytes, then parameters, then how late the method comes."""
    net = attempt.rounded.network
    stored = sum(tensor.stored_bytes for _, tensor in net.tensors())
    return stored, net.parameters, METHODS.index(attempt.rounded.method)
