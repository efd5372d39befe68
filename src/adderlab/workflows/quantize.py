"""``quantize``: a network in fewer bits, and the verdict on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab import fragments
from adderlab.errors import OptionError
from adderlab.formats import FORMATS, Format
from adderlab.nets import Network, is_exact, save, to_bytes
from adderlab.nets.sources import read_source, task_of
from adderlab.nets.tensors import Scaled
from adderlab.nets.truth import truth_rows
from adderlab.proving import Verdict, prove
from adderlab.quantizing import (
    METHODS,
    Attempt,
    Rounded,
    Scheme,
    Smallest,
    fits,
    rounded,
    smallest,
    table,
    target_format,
)
from adderlab.tasks import Task
from adderlab.writing import check_place

if TYPE_CHECKING:
    from torch import nn

SMALLEST: Final = "smallest"
AUTO: Final = "auto"
LARGEST_COMPARED: Final = 1 << 12
DEQUANTIZED: Final = "fp32"
"""What a scaled network's numbers are multiplied out into, to be run."""

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


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A quantized network's verdicts.

    Attributes:
        exact: in exact arithmetic on the stored values, its own format beside it.
        dequantized: of one with scales, in fp32 with the scales multiplied out; else ``None``.
        has_tanh: whether it has tanh, which no number format defines.
        rows_lost: rows that were right and are wrong now; ``None`` where there are too many.
    """

    exact: Verdict
    dequantized: str | None = None
    has_tanh: bool = False
    rows_lost: int | None = None

    @property
    def holds(self) -> bool:
        """Whether it is proved, and so in the arithmetic it would be run in, if defined."""
        if self.has_tanh:
            return bool(self.exact)
        own = self.exact.formats.get(self.exact.own_format)
        run = self.dequantized or (own.verdict if own is not None else "unknown")
        return bool(self.exact) and run == "proved"


@dataclass(frozen=True, slots=True, eq=False)
class Quantized:
    """A network in fewer bits, with its verdict.

    Attributes:
        network: what a file holds.
        before: the verdict on the network that was given.
        judged: the verdict on this one.
        rounded: how it was made.
        changed: parameters whose value is another than before.
        attempts: what else was tried.
        claim: of the smallest, what is known of fewer bits; else empty.
        file: where it was written, if it was.
    """

    network: Network
    before: Verdict
    judged: Judged
    rounded: Rounded
    changed: int
    attempts: tuple[Attempt[Judged], ...] = ()
    claim: str = ""
    file: Path | None = None

    @property
    def verdict(self) -> Verdict:
        """The verdict in exact arithmetic."""
        return self.judged.exact

    @property
    def form(self) -> Format:
        """The number format."""
        return FORMATS[self.network.format]

    @property
    def bytes(self) -> int:
        """Bytes of the parameters alone."""
        return self.form.bytes_of(self.network.parameters)

    @property
    def stored_bytes(self) -> int:
        """Bytes of the tensors with scales, zeros, indices and padding."""
        return stored_bytes_of(self.network)

    @property
    def rows_lost(self) -> int | None:
        """Rows that were right and are wrong now; ``None`` where there are too many."""
        return self.judged.rows_lost

    def __bool__(self) -> bool:
        return bool(self.verdict)

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        net = self.network
        return {
            "format": self.form.name,
            "bits": self.form.bits,
            "method": self.rounded.method,
            "scheme": self.rounded.scheme.to_dict(),
            "parameters": net.parameters,
            "shape": [net.n_in, *(layer.n_out for layer in net.layers)],
            "bytes": self.bytes,
            "stored_bytes": self.stored_bytes,
            "file_bytes": len(to_bytes(net)),
            "verdict": self.verdict.verdict,
            "dequantized": self.judged.dequantized,
            "changed": self.changed,
            "clipped": self.rounded.clipped,
            "rows_lost": self.judged.rows_lost,
            "rows_right": self.verdict.rows_right,
            "margin": self.verdict.margin.to_dict() if self.verdict.margin else None,
            "before": {
                "verdict": self.before.verdict,
                "format": self.before.own_format,
                "margin": self.before.margin.to_dict() if self.before.margin else None,
            },
            "is_complete": self.rounded.is_complete,
            "note": self.rounded.note or None,
            "claim": self.claim or None,
            "attempts": [attempt_dict(one) for one in self.attempts],
            "proof": self.verdict.to_dict(),
            "file": str(self.file) if self.file is not None else None,
        }

    def to_html(self) -> str:
        """Return it for a notebook."""
        return fragments.block(
            fragments.line(self.summary()), self.network.to_html(), self.verdict.to_html()
        )

    def _repr_html_(self) -> str:
        return self.to_html()

    def summary(self) -> str:
        """Return one line: ``int2 by snap: 12 parameters, 3 bytes``."""
        net = self.network
        extra = "" if self.rounded.method == "snap" else f" ({self.rounded.scheme})"
        stored = f", {self.stored_bytes} as stored" if self.stored_bytes != self.bytes else ""
        return (
            f"{self.form.name} by {self.rounded.method}{extra}: {net.parameters} parameters in "
            f"{self.bytes} bytes{stored}"
        )

    def __repr__(self) -> str:
        return f"{self.summary()}\n{self.verdict!r}"


@dataclass(frozen=True, slots=True, eq=False)
class QuantizationTable:
    """Every format by every method.

    Attributes:
        before: the verdict on the network that was given.
        attempts: in order of the formats.
    """

    before: Verdict
    attempts: tuple[Attempt[Judged], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "before": self.before.to_dict(),
            "table": [attempt_dict(one) for one in self.attempts],
        }

    def rows(self) -> list[tuple[str, ...]]:
        """Return the cells of each attempt, as :data:`COLUMNS` names them."""
        return [attempt_cells(one) for one in self.attempts]

    def to_html(self) -> str:
        """Return it for a notebook."""
        marks = [bool(one.verdict.exact) for one in self.attempts]
        return fragments.block(
            fragments.table(COLUMNS, self.rows(), marks=marks, left=LEFT_COLUMNS)
        )

    def _repr_html_(self) -> str:
        return self.to_html()

    def __repr__(self) -> str:
        good = sum(bool(one.verdict.exact) for one in self.attempts)
        return f"QuantizationTable: {good} of {len(self.attempts)} proved"


COLUMNS: Final = ("format", "method", "scale", "verdict", "rows", "margin", "bytes", "stored")
LEFT_COLUMNS: Final = ("format", "method", "scale", "verdict")


def attempt_dict(attempt: Attempt[Judged]) -> dict[str, Any]:
    """Return an attempt for JSON."""
    net, verdict = attempt.rounded.network, attempt.verdict.exact
    return {
        "format": attempt.form.name,
        "method": attempt.rounded.method,
        "scheme": attempt.rounded.scheme.to_dict(),
        "verdict": verdict.verdict,
        "dequantized": attempt.verdict.dequantized,
        "holds": attempt.verdict.holds,
        "rows_right": verdict.rows_right,
        "rows_lost": attempt.verdict.rows_lost,
        "margin": verdict.margin.to_dict() if verdict.margin else None,
        "parameters": net.parameters,
        "bytes": attempt.form.bytes_of(net.parameters),
        "stored_bytes": stored_bytes_of(net),
        "is_complete": attempt.rounded.is_complete,
        "note": attempt.rounded.note or None,
    }


def attempt_cells(attempt: Attempt[Judged]) -> tuple[str, ...]:
    """Return an attempt as a row of texts under :data:`COLUMNS`."""
    net, verdict = attempt.rounded.network, attempt.verdict.exact
    margin = verdict.margin.min if verdict.margin is not None else None
    right = "" if verdict.rows_right is None else f"{verdict.rows_right}/{verdict.rows}"
    return (
        attempt.form.name,
        attempt.rounded.method,
        attempt.rounded.scheme.short,
        verdict.verdict,
        right,
        "" if margin is None else f"{float(margin):.4g}",
        str(attempt.form.bytes_of(net.parameters)),
        str(stored_bytes_of(net)),
    )


def stored_bytes_of(net: Network) -> int:
    """Return the bytes of a network's tensors as they are stored."""
    return sum(tensor.stored_bytes for _, tensor in net.tensors())


def quantize(
    model: Network | str | Path | nn.Module,
    to: str,
    task: Task | str | None = None,
    *,
    method: str = AUTO,
    scale: str | None = None,
    per: str | None = None,
    symmetric: bool = True,
    limit: int | None = None,
    timeout_s: float = 10.0,
    out: str | Path | None = None,
    on_try: Callable[[str], None] = lambda what: None,
) -> Quantized:
    """Put a network into a format of fewer bits, and prove or refute what comes out.

    Args:
        model: a network, the path of a network file, or a PyTorch module.
        to: a format, or ``smallest`` for the fewest bits in which some method finds a network
            that is proved, in exact arithmetic and in the arithmetic it would be run in.
        task: a task or its name; left out, the one that the network was built for.
        method: ``nearest``, ``exact`` (each parameter up or down, by search), ``snap`` (whole
            numbers near a rescaled network), ``fine-tune`` (straight-through gradients), or
            ``auto``: the first of these that is proved.
        scale: ``none``, ``power-of-two`` or ``free``; unless given, none where it is not needed.
        per: one scale for each ``tensor`` or ``channel``.
        symmetric: whether the zero point is 0.
        limit: branches after which a search is given up.
        timeout_s: seconds after which a proof of a wide network is given up.
        out: where to write the network; it is written whatever the verdict.
        on_try: called with what is tried next.

    Raises:
        FormatError: no such format, it takes more bits, or it makes no sense with the options.
        OptionError: an option is none of its choices.
        TaskError: no task is known, or it does not fit.
        ResourceError: the method needs more rows or parameters than can be tried.
        OutputError: ``out`` can't be written.

    Examples:
        >>> import adderlab
        >>> net = adderlab.build("half-adder", method="one-layer").network
        >>> found = quantize(net, "int2")
        >>> found.bytes, bool(found)
        (3, True)
    """
    if out is not None:
        check_place(out)
    source = read_source(model)
    target = task_of(source.network, task)
    net = source.network.for_task(target)
    scheme = _scheme(scale, per, symmetric=symmetric)
    _check_method(method)

    def judge(one: Network) -> Judged:
        return _judge(one, net, target, timeout_s)

    before = replace(prove(net, target, timeout_s=timeout_s), notes=source.notes)
    if to.lower() == SMALLEST:
        if scheme is not None or limit is not None:
            raise OptionError(
                "every scheme is tried with its own limit",
                where="--to smallest",
                remedy="leave out --scale, --per, --asymmetric and --limit",
            )
        methods = METHODS if method == AUTO else (method,)
        result = smallest(net, target, judge, lambda one: one.holds, methods=methods, on_try=on_try)
        return _finished(net, target, before, *_of_smallest(net, result, judge), out=out)
    form = target_format(to, net.format)
    if scheme is not None:
        scheme.check(form)
    methods = tuple(m for m in METHODS if fits(m, net, form)) if method == AUTO else (method,)
    attempts = _attempts(net, target, form, methods, scheme, limit, judge, on_try)
    taken = next((one for one in attempts if one.verdict.holds), None)
    taken = taken or next((one for one in attempts if one.verdict.exact), None)
    taken = taken or max(attempts, key=lambda one: one.verdict.exact.rows_right or 0)
    return _finished(net, target, before, taken, tuple(attempts), "", out=out)


def _attempts(
    net: Network,
    task: Task,
    form: Format,
    methods: Sequence[str],
    scheme: Scheme | None,
    limit: int | None,
    judge: Callable[[Network], Judged],
    on_try: Callable[[str], None],
) -> list[Attempt[Judged]]:
    """Return one attempt a method, up to the first that holds."""
    found: list[Attempt[Judged]] = []
    for method in methods:
        on_try(f"{form.name}, {method}")
        is_one_of_many = len(methods) > 1
        if is_one_of_many and method == "snap" and scheme is not None:
            continue
        if is_one_of_many and method != "nearest" and not _can_search(net, task):
            continue
        made = rounded(net, task, form, method=method, scheme=scheme, limit=limit)
        found.append(Attempt(form, made, judge(made.network)))
        if found[-1].verdict.holds:
            break
    return found


def _can_search(net: Network, task: Task) -> bool:
    from adderlab.quantizing.rows import LARGEST_PARAMETERS, LARGEST_ROWS

    return task.rows <= LARGEST_ROWS and net.parameters <= LARGEST_PARAMETERS


def quantization_table(
    model: Network | str | Path | nn.Module,
    task: Task | str | None = None,
    *,
    formats: Sequence[str] = TABLE_FORMATS,
    methods: Sequence[str] = METHODS,
    timeout_s: float = 10.0,
    on_try: Callable[[str], None] = lambda what: None,
) -> QuantizationTable:
    """Return what every method makes of a network in every format, with the verdicts.

    Args:
        model: a network, the path of a network file, or a PyTorch module.
        task: a task or its name; left out, the one that the network was built for.
        formats: their names; those of more bits than the network's own are left out.
        methods: their names.
        timeout_s: seconds after which a proof of a wide network is given up.
        on_try: called with what is tried next.

    Raises:
        TaskError: no task is known, or it does not fit.
    """
    source = read_source(model)
    target = task_of(source.network, task)
    net = source.network.for_task(target)
    own = FORMATS[net.format].bits or 64
    names = [name for name in formats if FORMATS[name].bits <= own]
    before = replace(prove(net, target, timeout_s=timeout_s), notes=source.notes)
    attempts = table(
        net,
        target,
        lambda one: _judge(one, net, target, timeout_s),
        formats=names,
        methods=methods,
        on_try=on_try,
    )
    return QuantizationTable(before, attempts)


def _judge(net: Network, before: Network, task: Task, timeout_s: float) -> Judged:
    verdict = prove(net, task, timeout_s=timeout_s)
    lost = _rows_lost(before, net, task)
    if not any(isinstance(tensor, Scaled) for _, tensor in net.tensors()):
        return Judged(verdict, has_tanh=not is_exact(net), rows_lost=lost)
    run = prove(net, task, formats=DEQUANTIZED, timeout_s=timeout_s)
    return Judged(verdict, run.verdict, not is_exact(net), lost)


def _scheme(scale: str | None, per: str | None, *, symmetric: bool) -> Scheme | None:
    if scale is None and per is None and symmetric:
        return None
    default = "none" if per is None and symmetric else "free"
    return Scheme(scale or default, per or "tensor", symmetric)


def _check_method(method: str) -> None:
    if method not in (AUTO, *METHODS):
        raise OptionError(
            f"got {method[:40]!r}", where="--method", remedy=f"one of {AUTO}, {', '.join(METHODS)}"
        )


def _of_smallest(
    net: Network, result: Smallest[Judged], judge: Callable[[Network], Judged]
) -> tuple[Attempt[Judged], tuple[Attempt[Judged], ...], str]:
    """Return what to keep of the search for the smallest, all attempts, and what is claimed."""
    taken = result.found
    if taken is None:
        kept = Rounded(net, "nearest", Scheme(), note="no format holds: the network as it was")
        unchanged = Attempt(FORMATS[net.format], kept, judge(net))
        return unchanged, result.attempts, "no method found a network that holds in any format"
    fewer = sorted({one.form.bits for one in result.attempts if one.form.bits < taken.form.bits})
    if not fewer:
        return taken, result.attempts, "one bit a parameter: there is nothing below"
    tried = sum(one.form.bits < taken.form.bits for one in result.attempts)
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
    *,
    out: str | Path | None,
) -> Quantized:
    made = taken.rounded.network.for_task(task)
    file = save(made, out) if out is not None else None
    return Quantized(
        network=made,
        before=before,
        judged=taken.verdict,
        rounded=taken.rounded,
        changed=_changed(net, made),
        attempts=attempts,
        claim=claim,
        file=file,
    )


def _changed(before: Network, after: Network) -> int:
    """Return how many parameters have another value; of another shape, all of them."""
    if before.shape != after.shape:
        return before.parameters
    changed = 0
    for (_, one), (_, two) in zip(before.tensors(), after.tensors(), strict=True):
        old, new = one.exact(), two.exact()
        exponent = min(old.exponent, new.exponent)
        same = old.rescaled(exponent).integers == new.rescaled(exponent).integers
        changed += int(np.size(same) - np.count_nonzero(same))
    return changed


def _rows_lost(before: Network, after: Network, task: Task) -> int | None:
    if task.rows > LARGEST_COMPARED:
        return None
    pairs = zip(truth_rows(before, task), truth_rows(after, task), strict=True)
    return sum(old.is_right and not new.is_right for old, new in islice(pairs, LARGEST_COMPARED))
