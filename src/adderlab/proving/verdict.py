"""The verdict: proved, refuted with a counterexample, or unknown with the reason.

Rule: ``bool(verdict)`` is true for ``proved`` alone, and a refuted verdict has a counterexample
that was replayed. A verdict always says whose arithmetic it speaks of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from adderlab import fragments
from adderlab.nets.walk import json_number

NO_BITS = "no bits"
"""What is said of a word of which an output is no bit, under an exact readout."""

Outcome: TypeAlias = Literal["proved", "refuted", "unknown"]


@dataclass(frozen=True, slots=True)
class Counterexample:
    """An input on which the network is wrong.

    Attributes:
        input: the input words.
        expected: the output words that the task asks for; ``None`` where any will do.
        got: the words that the network's bits make; ``None`` where an output is no bit.
        output: the raw outputs, exactly as the arithmetic of ``semantics`` gives them.
        semantics: whose arithmetic: ``exact`` or a number format.
        order: of a number format, the order of summation.
        replays: by semantics, whether the same input is wrong there too.
    """

    input: dict[str, int]
    expected: dict[str, int | None]
    got: dict[str, int | None]
    output: tuple[Fraction, ...]
    semantics: str
    order: str = ""
    replays: dict[str, bool] = field(default_factory=dict[str, bool])

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON; ``output`` as numbers, and exactly as strings beside it."""
        return {
            "input": self.input,
            "expected": self.expected,
            "got": self.got,
            "output": [json_number(value) for value in self.output],
            "output_exact": [str(value) for value in self.output],
            "semantics": self.semantics,
            "order": self.order or None,
            "replays": self.replays,
        }

    def __str__(self) -> str:
        return (
            f"{sum_of(self.input)} gives {named(self.got, other=NO_BITS)}, "
            f"expected {named(self.expected)} "
            f"(raw outputs {', '.join(map(decimal, self.output))})"
        )


@dataclass(frozen=True, slots=True)
class Margin:
    """The smallest distance to the threshold, negative where a row is on the wrong side.

    Attributes:
        of_0: over the outputs that should be 0; ``None`` where there are none.
        of_1: over the outputs that should be 1; ``None`` where there are none.
        is_exact: false for tanh, where the distances are lower bounds.
    """

    of_0: Fraction | None
    of_1: Fraction | None
    is_exact: bool = True

    @property
    def min(self) -> Fraction | None:
        """The smaller of both."""
        sides = [side for side in (self.of_0, self.of_1) if side is not None]
        return min(sides, default=None)

    def sides(self) -> str:
        """Return both sides as decimals, and as fractions where these are short."""
        bound = "" if self.is_exact else "at least "
        return ", ".join(
            f"{name} {bound}{decimal(side)}" + (f" = {side}" if _is_short(str(side)) else "")
            for name, side in (("zeros", self.of_0), ("ones", self.of_1))
            if side is not None
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON, as strings like ``1/4``."""
        sides = {"of_0": self.of_0, "of_1": self.of_1, "min": self.min}
        text = {name: None if side is None else str(side) for name, side in sides.items()}
        return {**text, "exact": self.is_exact}


@dataclass(frozen=True, slots=True)
class FormatVerdict:
    """The verdict in one number format's own arithmetic, for every order of summation."""

    format: str
    verdict: Outcome
    reason: str = ""
    counterexample: Counterexample | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        found = self.counterexample
        return {
            "verdict": self.verdict,
            "reason": self.reason or None,
            "counterexample": found.to_dict() if found is not None else None,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of a network on every input of its task.

    Attributes:
        verdict: ``proved``, ``refuted`` or ``unknown``.
        method: how it was reached; empty where no engine reaches.
        semantics: whose arithmetic it speaks of.
        task: the task's name.
        rows: the inputs it speaks of.
        rows_right: how many of them are right; ``None`` where that is not known, as of a number
            format that is not proved.
        counterexample: the first wrong row.
        margin: in exact arithmetic, whatever the semantics; ``None`` for an exact readout.
        formats: verdicts in number formats, the network's own among them.
        own_format: which of them is its own.
        sha256: of the network file's bytes.
        seconds: how long it took.
        reason: why it is unknown.
        notes: what had to be assumed in reading the network.
        choice: which engine was taken, and why.
    """

    verdict: Outcome
    method: str
    semantics: str
    task: str
    rows: int | None
    rows_right: int | None = None
    counterexample: Counterexample | None = None
    margin: Margin | None = None
    formats: Mapping[str, FormatVerdict] = field(default_factory=dict[str, FormatVerdict])
    own_format: str = ""
    sha256: str = ""
    seconds: float = 0.0
    reason: str = ""
    notes: tuple[str, ...] = ()
    choice: str = ""

    def __bool__(self) -> bool:
        return self.verdict == "proved"

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "verdict": self.verdict,
            "method": self.method or None,
            "semantics": self.semantics,
            "task": self.task,
            "rows": self.rows,
            "rows_right": self.rows_right,
            "counterexample": self.counterexample.to_dict() if self.counterexample else None,
            "margin": self.margin.to_dict() if self.margin else None,
            "formats": {name: found.verdict for name, found in self.formats.items()},
            "format_details": {name: found.to_dict() for name, found in self.formats.items()},
            "own_format": self.own_format or None,
            "sha256": self.sha256,
            "seconds": round(self.seconds, 6),
            "reason": self.reason or None,
            "notes": list(self.notes),
            "choice": self.choice or None,
        }

    def __repr__(self) -> str:
        return f"Verdict: {self.summary()}"

    def to_html(self) -> str:
        """Return it for a notebook: the word, the counterexample, margins and formats."""
        said = self.summary().removeprefix(f"{self.verdict} ")
        parts = [fragments.line(said, strong=self.verdict)]
        if self.margin is not None:
            parts.append(fragments.line(f"margin: {self.margin.sides()}"))
        parts += [
            fragments.line(f"in {name}: {one.verdict}" + (f" ({one.reason})" if one.reason else ""))
            for name, one in self.formats.items()
        ]
        parts += [fragments.line(f"note: {note}") for note in self.notes]
        return fragments.block(*parts)

    def _repr_html_(self) -> str:
        return self.to_html()

    def summary(self) -> str:
        """Return one line: ``refuted in exact arithmetic: 1 + 1 gives c = 3, expected c = 2``."""
        arithmetic = "exact arithmetic" if self.semantics == "exact" else self.semantics
        own = self.formats.get(self.own_format)
        beside = ""
        if own is not None and self.semantics == "exact" and own.verdict != self.verdict:
            beside = f"; {own.verdict} in {own.format}, its own format"
        if self.counterexample is not None:
            return f"refuted in {arithmetic}: {self.counterexample}{beside}"
        if self.verdict == "unknown":
            return f"unknown in {arithmetic}: {self.reason}{beside}"
        if self.verdict == "refuted":
            return f"refuted in {arithmetic}: {self.reason}{beside}"
        return f"proved in {arithmetic}: {self.task} on all {count_text(self.rows)} inputs{beside}"


def count_text(rows: int | None) -> str:
    """Return a number of inputs for people, exactly: beyond 2^20 a power of two as one."""
    if rows is None:
        return ""
    is_power = rows > 1 << 20 and rows & (rows - 1) == 0
    return f"2^{rows.bit_length() - 1}" if is_power else str(rows)


def sum_of(words: Mapping[str, int | None]) -> str:
    """Return input words as people write them: ``1 + 1``, or ``a = 1, b = 0, cin = 1``."""
    if list(words) == ["a", "b"]:
        return f"{words['a']} + {words['b']}"
    return named(words)


def named(words: Mapping[str, int | None], *, other: str = "any") -> str:
    """Return words with their values: ``c = 3``; ``other`` where there is none."""
    texts = {name: other if value is None else str(value) for name, value in words.items()}
    return ", ".join(f"{name} = {text}" for name, text in texts.items())


def decimal(value: Fraction) -> str:
    """Return a value to six digits, whatever its size."""
    try:
        return f"{float(value):.6g}"
    except OverflowError:
        return f"{Decimal(value.numerator) / value.denominator:.6g}"


def _is_short(fraction: str) -> bool:
    return "/" in fraction and len(fraction) <= 12
