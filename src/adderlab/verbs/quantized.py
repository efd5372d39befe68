"""What ``quantize`` returns: a network in fewer bits with its verdicts, and what else was tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from adderlab.blocks import Block, Line, Result, Table, note_lines, written_lines
from adderlab.blocks.numbers import count_text, counted, significant
from adderlab.formats import FORMATS, Format
from adderlab.nets import Network, to_bytes
from adderlab.proving import Verdict
from adderlab.quantizing import Attempt, Rounded
from adderlab.runs.times import Times


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A quantized network's verdict.

    Attributes:
        verdict: in exact arithmetic on the stored values, and in its own format.
        rows_lost: how many rows were right and are wrong now; ``None`` where there are too many.
    """

    verdict: Verdict
    rows_lost: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Quantized(Result):
    """A network in fewer bits, with its verdict.

    Attributes:
        network: the quantized network.
        before: the verdict on the original network.
        judged: the verdict on the quantized network.
        rounded: the method, its scheme and its remarks.
        changed: the number of parameters whose value changed.
        attempts: the other attempts.
        claim: with ``smallest``, what is known about fewer bits; else empty.
        stopped: what was tried until the time was up; empty if everything was.
        file: where it was written, if it was.
        times: how long everything took, and its parts.
    """

    network: Network
    before: Verdict
    judged: Judged
    rounded: Rounded
    changed: int
    attempts: tuple[Attempt[Judged], ...] = ()
    claim: str = ""
    stopped: str = ""
    file: Path | None = None
    times: Times = field(default_factory=Times)

    @property
    def verdict(self) -> Verdict:
        """The verdict in exact arithmetic and in its own format."""
        return self.judged.verdict

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
            "exact": self.verdict.exact,
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
            "stopped": self.stopped or None,
            "notes": list(self.before.notes),
            "attempts": [attempt_dict(attempt) for attempt in self.attempts],
            "proof": self.verdict.to_dict(),
            "file": str(self.file) if self.file is not None else None,
        }

    def blocks(self) -> tuple[Block, ...]:
        """Return what was tried, what was taken, its parameters, and the verdict."""
        before = self.before
        margin = before.margin.min if before.margin is not None else None
        first_line = f"given: {before.verdict} in {before.own_format}"
        shown: list[Block] = [
            *note_lines(before.notes),
            Line(first_line + (f", margin {significant(margin)}" if margin is not None else "")),
        ]
        if len(self.attempts) > 1:
            attempts = best_of_each(self.attempts)
            shown.append(attempts_table(attempts))
            if len(attempts) < len(self.attempts):
                all_of_them = f"the JSON lists all {len(self.attempts)} attempts"
                shown.append(Line(f"the best of each format and method; {all_of_them}", "quiet"))
        shown.append(Line(self.summary(), "strong"))
        notes = [note for note in (self.rounded.note, self.claim, self.stopped) if note]
        if self.rounded.clipped:
            values = "value lies" if self.rounded.clipped == 1 else "values lie"
            notes.append(f"{self.rounded.clipped} {values} beyond the last level")
        shown += note_lines(notes)
        lost = "" if self.rows_lost is None else f", {counted(self.rows_lost, 'row')} lost"
        shown.append(Line(f"{counted(self.changed, 'parameter')} changed{lost}"))
        shown += [*self.network.blocks(), *self.verdict.blocks()]
        if self.times.parts:
            shown.append(Line(str(self.times), "quiet"))
        return (*shown, *written_lines(self.file))

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
        return f"Quantized: {self.summary()}, {self.verdict.summary()}"


@dataclass(frozen=True, slots=True, eq=False)
class QuantizationTable(Result):
    """Every format by every method.

    Attributes:
        before: the verdict on the original network.
        attempts: in order of the formats.
        stopped: what was tried until the time was up; empty if everything was.
    """

    before: Verdict
    attempts: tuple[Attempt[Judged], ...]
    stopped: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {
            "before": self.before.to_dict(),
            "table": [attempt_dict(attempt) for attempt in self.attempts],
            "stopped": self.stopped or None,
        }

    def blocks(self) -> tuple[Block, ...]:
        """Return the verdict on the given network, and every attempt."""
        return (
            *note_lines(self.before.notes),
            Line(f"given: {self.before.summary()}"),
            attempts_table(self.attempts),
            Line("bytes: of the parameters alone; stored: with scales, zero points and padding"),
            *note_lines([self.stopped] if self.stopped else []),
        )

    def __repr__(self) -> str:
        good = sum(bool(attempt.verdict.verdict) for attempt in self.attempts)
        return f"QuantizationTable: {good} of {len(self.attempts)} proved"


MOST_SHOWN: Final = 1 << 26
"""Rows beyond which a number of them is not counted out."""

MOST_ATTEMPTS: Final = 16
"""Attempts up to which all are shown."""

COLUMNS: Final = ("format", "method", "scale", "verdict", "rows", "margin", "bytes", "stored")
LEFT_COLUMNS: Final = ("format", "method", "scale", "verdict")


def attempts_table(attempts: Sequence[Attempt[Judged]]) -> Table:
    """Return attempts as a table."""
    return Table(
        COLUMNS,
        tuple(attempt_cells(attempt) for attempt in attempts),
        left=LEFT_COLUMNS,
    )


def best_of_each(attempts: Sequence[Attempt[Judged]]) -> Sequence[Attempt[Judged]]:
    """Return few attempts as they are; of many, the best of each format and method."""
    if len(attempts) <= MOST_ATTEMPTS:
        return attempts
    best: dict[tuple[str, str], Attempt[Judged]] = {}
    for attempt in attempts:
        key = attempt.form.name, attempt.rounded.method
        right = attempt.verdict.verdict.rows_right or 0
        if key not in best or right > (best[key].verdict.verdict.rows_right or 0):
            best[key] = attempt
    return list(best.values())


def attempt_dict(attempt: Attempt[Judged]) -> dict[str, Any]:
    """Return an attempt: format, method, scheme, verdict, sizes, and a note or null.

    ``exact``, ``rows_right`` and ``margin`` are in exact arithmetic, ``verdict`` is in its own
    format too.
    """
    net, verdict = attempt.rounded.network, attempt.verdict.verdict
    return {
        "format": attempt.form.name,
        "method": attempt.rounded.method,
        "scheme": attempt.rounded.scheme.to_dict(),
        "verdict": verdict.verdict,
        "exact": verdict.exact,
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
    net, verdict = attempt.rounded.network, attempt.verdict.verdict
    margin = verdict.margin.min if verdict.margin is not None else None
    right = "" if verdict.rows_right is None else f"{verdict.rows_right}/{verdict.rows}"
    if verdict.rows_right is not None and verdict.rows_right > MOST_SHOWN:
        right = f"all {count_text(verdict.rows or 0)}"  # beyond enumeration it is all or not known
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
