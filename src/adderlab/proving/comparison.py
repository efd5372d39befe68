"""The result of comparing two networks: equal on every input, or an input where they differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from adderlab.blocks import Block, Result, VerdictLine, note_lines
from adderlab.blocks.numbers import counted, significant
from adderlab.nets.walk import json_number
from adderlab.proving.verdict import FormatVerdict, Outcome, arithmetic_text
from adderlab.tasks.wording import named, sum_of


@dataclass(frozen=True, slots=True)
class Side:
    """What one network gives on an input.

    Attributes:
        words: the words that its bits make; ``None`` where an output is no bit.
        bits: its bits; ``None`` where an output is no bit.
        output: its raw outputs, exactly; of a network with tanh, the middles of enclosures.
    """

    words: dict[str, int | None]
    bits: tuple[int | None, ...]
    output: tuple[Fraction | float, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return words, bits, ``output`` as numbers, and ``output_exact`` as strings."""
        return {
            "words": self.words,
            "bits": list(self.bits),
            "output": [json_number(value) for value in self.output],
            "output_exact": [str(value) for value in self.output],
        }

    def raw(self) -> str:
        """Return the raw outputs as decimals."""
        return ", ".join(map(significant, self.output))

    def __str__(self) -> str:
        if None not in self.words.values():
            return named(self.words)
        return "bits " + "".join("?" if bit is None else str(bit) for bit in self.bits)


@dataclass(frozen=True, slots=True)
class Difference:
    """An input on which two networks give different bits: the first one, if it was enumerated.

    Attributes:
        input: the input words.
        first: what the first network gives.
        second: what the second one gives.
        semantics: ``exact``, or the format in which one of them was run.
        order: in a format, the order of summation.
    """

    input: dict[str, int]
    first: Side
    second: Side
    semantics: str = "exact"
    order: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the ``input``, what ``first`` and ``second`` give, ``semantics`` and ``order``."""
        return {
            "input": self.input,
            "first": self.first.to_dict(),
            "second": self.second.to_dict(),
            "semantics": self.semantics,
            "order": self.order or None,
        }

    def __str__(self) -> str:
        return f"{sum_of(self.input)} gives {self.first} by the first, {self.second} by the second"


@dataclass(frozen=True, slots=True)
class Comparison(Result):
    """Whether two networks are equal on every input.

    Attributes:
        verdict: ``proved`` equal in exact arithmetic and in their own formats, ``refuted`` with
            an input, or ``unknown`` with the reason.
        exact: the verdict in exact arithmetic.
        own: for each network, whether its own format's bits are those of exact arithmetic;
            empty unless the networks are equal in exact arithmetic.
        method: ``enumerated``, ``diagram``, or ``identical`` of the same parameters and readout.
        task: whose inputs they were compared on; ``None`` for all inputs of that many bits.
        rows: the number of inputs that the verdict is about.
        rows_equal: on how many of them they are equal, if that is known.
        counterexample: an input on which they differ; by enumeration, the first one.
        reason: why it is unknown.
        seconds: how long it took.
        notes: what had to be assumed.
    """

    verdict: Outcome
    method: str
    task: str | None
    rows: int
    exact: Outcome = "unknown"
    own: tuple[FormatVerdict, ...] = ()
    rows_equal: int | None = None
    counterexample: Difference | None = None
    reason: str = ""
    seconds: float = 0.0
    notes: tuple[str, ...] = field(default=())

    def __bool__(self) -> bool:
        return self.verdict == "proved"

    def to_dict(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "method": self.method,
            "semantics": self.semantics,
            "exact": self.exact,
            "formats": [judged.to_dict() for judged in self.own],
            "task": self.task,
            "rows": self.rows,
            "rows_equal": self.rows_equal,
            "counterexample": self.counterexample.to_dict() if self.counterexample else None,
            "reason": self.reason or None,
            "seconds": round(self.seconds, 6),
            "notes": list(self.notes),
        }

    @property
    def semantics(self) -> str:
        """``exact``, with the networks' own formats behind it where these were judged."""
        if self.verdict == self.exact != "proved":
            return "exact"
        judged = (part.format for part in self.own if part.verdict == self.verdict)
        return ", ".join(dict.fromkeys([*(["exact"] * (self.verdict == "proved")), *judged]))

    def blocks(self) -> tuple[Block, ...]:
        """Return notes on the reading, the verdict, and an input where they differ."""
        notes = note_lines(self.notes)
        details: list[str] = []
        if self.counterexample is not None:
            first, second = self.counterexample.first.raw(), self.counterexample.second.raw()
            details.append(f"counterexample: {self.counterexample}")
            order = f" ({self.counterexample.order})" if self.counterexample.order else ""
            details.append(
                f"raw outputs there: {first} by the first; {second} by the second{order}"
            )
        details.append(f"{self.method}, {self.seconds:.3f} s")
        return (*notes, VerdictLine(self.verdict, self.sentence(), tuple(details)))

    def sentence(self) -> str:
        """Return what follows the word: ``in exact arithmetic and in fp32: equal on all 4``."""
        names = self.semantics.split(", ")
        where = " and in ".join(arithmetic_text(name) for name in names)
        own = ", the networks' own formats" if self.own and names != ["exact"] else ""
        rest = "; equal in exact arithmetic" if self.exact != self.verdict else ""
        return f"in {where}{own}: {self.summary()}{rest}"

    def summary(self) -> str:
        """Return one line without the verdict: ``equal on all 4 inputs of half-adder``."""
        of_task = f" of {self.task}" if self.task is not None else ""
        rows = f"{counted(self.rows, 'input')}{of_task}"
        if self.verdict == "proved":
            return f"equal on all {rows}"
        if self.verdict == "unknown":
            return self.reason
        if self.rows_equal is None:
            return f"different, on how many of {rows} is not known"
        return f"different on {self.rows - self.rows_equal} of {rows}"

    def __repr__(self) -> str:
        where = f": {self.counterexample}" if self.counterexample else ""
        return f"Comparison: {self.verdict} {self.sentence()}{where}"
