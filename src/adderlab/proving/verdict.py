"""The verdict: proved, refuted with a counterexample, or unknown with the reason.

Rule: ``bool(verdict)`` is true for ``proved`` alone, which needs every arithmetic that the verdict
is about: unless formats are named, exact arithmetic and that of the format in which the network is
stored. A refuted verdict has a counterexample that was replayed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final, Literal, TypeAlias

from adderlab.blocks import Block, Result, VerdictLine, note_lines
from adderlab.blocks.numbers import count_text, counted, significant
from adderlab.nets.walk import json_number
from adderlab.tasks.order import Order
from adderlab.tasks.wording import NO_BITS, named, sum_of

Outcome: TypeAlias = Literal["proved", "refuted", "unknown"]

OUTCOMES: Final[tuple[Outcome, ...]] = ("proved", "unknown", "refuted")
"""From the best to the worst."""


@dataclass(frozen=True, slots=True)
class Counterexample:
    """An input on which the network is wrong.

    Attributes:
        input: the input words.
        expected: the output words that the task asks for; ``None`` where any will do.
        got: the words that the network's bits make; ``None`` where an output is no bit.
        output: the raw outputs, exactly as the arithmetic of ``semantics`` gives them; a float
            where one is an infinity or NaN.
        semantics: whose arithmetic: ``exact`` or a number format.
        order: of a number format, the order of summation.
        replays: by semantics, whether the same input is wrong there too.
    """

    input: dict[str, int]
    expected: dict[str, int | None]
    got: dict[str, int | None]
    output: tuple[Fraction | float, ...]
    semantics: str
    order: str = ""
    replays: dict[str, bool] = field(default_factory=dict[str, bool])

    def to_dict(self) -> dict[str, Any]:
        """Return words, raw outputs, semantics, order and replays.

        The outputs are there twice: ``output`` as numbers, null for an infinity or NaN, and
        ``output_exact`` as strings like ``1/4`` or ``inf``. ``order`` is null in exact arithmetic.
        """
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
            f"expected {named(self.expected)}"
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
            f"{name} {bound}{significant(side)}" + (f" = {side}" if _is_short(str(side)) else "")
            for name, side in (("zeros", self.of_0), ("ones", self.of_1))
            if side is not None
        )

    def to_dict(self) -> dict[str, Any]:
        """Return ``of_0``, ``of_1``, their ``min`` as strings like ``1/4``, and ``exact``."""
        sides = {"of_0": self.of_0, "of_1": self.of_1, "min": self.min}
        text = {name: None if side is None else str(side) for name, side in sides.items()}
        return {**text, "exact": self.is_exact}


@dataclass(frozen=True, slots=True)
class FormatVerdict:
    """The verdict in one number format's own arithmetic, for every order of summation.

    Attributes:
        format: the format's name.
        verdict: ``proved``, ``refuted`` or ``unknown``.
        reason: how it was reached, or why it is unknown.
        counterexample: a wrong row with the order of summation that gives it.
        replays: whether the counterexample of exact arithmetic is wrong here too; ``None``
            where there is none, or where the format's arithmetic was not run on it.
        is_exact: whether nothing is rounded on any input, so that it gives exact arithmetic's
            outputs.
    """

    format: str
    verdict: Outcome
    reason: str = ""
    counterexample: Counterexample | None = None
    replays: bool | None = None
    is_exact: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return ``verdict``, ``reason`` and ``counterexample``, null where there is none."""
        example = self.counterexample
        return {
            "verdict": self.verdict,
            "reason": self.reason or None,
            "counterexample": example.to_dict() if example is not None else None,
        }


@dataclass(frozen=True, slots=True)
class Verdict(Result):
    """What is known of a network on every input of its task.

    Attributes:
        verdict: the worst of its parts: ``refuted`` before ``unknown`` before ``proved``.
        method: how it was reached; empty where no engine reaches.
        task: the task's name.
        rows: the number of inputs that it is about; ``None`` for every width at once.
        about: the arithmetics that it is about: ``exact`` and names of formats.
        exact: the verdict in exact arithmetic.
        rows_right: how many inputs are right in exact arithmetic; ``None`` where that is not
            known, and of float formats alone that are not proved.
        counterexample: the first wrong row, in the arithmetic of ``semantics``.
        margin: in exact arithmetic, whatever the semantics; ``None`` for an exact readout.
        formats: verdicts in number formats, the network's own among them.
        own_format: which of them is its own.
        sha256: of the network file's bytes.
        seconds: how long it took.
        reason: why it is unknown.
        notes: what had to be assumed in reading the network.
        choice: which engine was taken, and why.
        hint: of a refuted network, the order of bits under which it is proved, if there is one.
        cell_rows: of a composed one, the number of the cell's inputs.
        composition: of a composed one, why the cell's rows decide every width.
        certificate: the path of the certificate that was written; empty without one.
    """

    verdict: Outcome
    method: str
    task: str
    rows: int | None
    about: tuple[str, ...] = ("exact",)
    exact: Outcome = "unknown"
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
    hint: Order | None = None
    cell_rows: int | None = None
    composition: tuple[str, ...] = ()
    certificate: str = ""

    def __bool__(self) -> bool:
        return self.verdict == "proved"

    def to_dict(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "method": self.method or None,
            "semantics": self.semantics,
            "task": self.task,
            "rows": self.rows,
            "cell_rows": self.cell_rows,
            "exact": self.exact,
            "rows_right": self.rows_right,
            "counterexample": self.counterexample.to_dict() if self.counterexample else None,
            "margin": self.margin.to_dict() if self.margin else None,
            "formats": {name: judged.verdict for name, judged in self.formats.items()},
            "format_details": {name: judged.to_dict() for name, judged in self.formats.items()},
            "own_format": self.own_format or None,
            "sha256": self.sha256,
            "seconds": round(self.seconds, 6),
            "reason": self.reason or None,
            "notes": list(self.notes),
            "choice": self.choice or None,
            "hint": self.hint.to_dict() if self.hint is not None else None,
            "composition": list(self.composition),
            "certificate": self.certificate or None,
        }

    def __repr__(self) -> str:
        return f"Verdict: {self.summary()}"

    def blocks(self) -> tuple[Block, ...]:
        """Return notes on the reading, the verdict, and what it rests on."""
        notes = note_lines(self.notes)
        return (*notes, VerdictLine(self.verdict, self.sentence(), tuple(self._details())))

    def summary(self) -> str:
        """Return one line: the verdict's sentence and, where it is refuted, the counterexample."""
        example = "" if self.counterexample is None else f": {self.counterexample}"
        hint = "" if self.hint is None else f"; proved with {self.hint.arguments()}"
        return f"{self.verdict} {self.sentence()}{example}{hint}"

    def sentence(self) -> str:
        """Return what follows the word, of every arithmetic that the verdict is about.

        ``in exact arithmetic and in fp32: adder:2 is right on all 16 inputs``.
        """
        same = [name for name, outcome in self.parts().items() if outcome == self.verdict]
        where = f"in {' and in '.join(map(self._arithmetic, same))}: {self.task}"
        if self.verdict == "proved" and self.cell_rows is not None:
            rows = counted(self.cell_rows, "row")
            return f"{where} is right at every width, by induction from the {rows} of the cell"
        if self.verdict == "proved":
            return f"{where} is right on all {count_text(self.rows or 0)} inputs"
        others = [
            f"{outcome} in {self._arithmetic(name)}"
            for name, outcome in self.parts().items()
            if outcome != self.verdict
        ]
        rest = "".join(f"; {other}" for other in others)
        if self.verdict == "unknown" or self.counterexample is None:
            return f"{where}, {self.reason}{rest}"
        if self.exact == "refuted" and self.rows_right is not None and (rows := self.judged_rows):
            of_cell = " of the cell" if self.cell_rows is not None else ""
            wrong = rows - self.rows_right
            return f"{where} is wrong on {wrong} of {rows} inputs{of_cell}{rest}"
        return f"{where} is wrong{rest}"

    @property
    def judged_rows(self) -> int | None:
        """The inputs that were judged: of a composed verdict those of the cell."""
        return self.rows if self.cell_rows is None else self.cell_rows

    @property
    def semantics(self) -> str:
        """The arithmetics of a proof, as ``exact, fp32``; else the first that is not proved."""
        if self.verdict == "proved":
            return ", ".join(self.about)
        return next(name for name, part in self.parts().items() if part == self.verdict)

    def parts(self) -> dict[str, Outcome]:
        """Return the verdict in each arithmetic that this one is about."""
        outcomes: dict[str, Outcome] = {
            "exact": self.exact,
            **{name: judged.verdict for name, judged in self.formats.items()},
        }
        return {name: outcomes[name] for name in self.about if name in outcomes}

    def _arithmetic(self, name: str) -> str:
        own = ", its own format" if name == self.own_format and len(self.about) > 1 else ""
        return f"{arithmetic_text(name)}{own}"

    def _details(self) -> Iterator[str]:
        example = self.counterexample
        if example is not None:
            yield f"counterexample: {example}"
            raw = ", ".join(map(significant, example.output))
            yield f"raw outputs there: {raw}" + (f" ({example.order})" if example.order else "")
            right_in = [
                arithmetic_text(name) for name, is_wrong in example.replays.items() if not is_wrong
            ]
            if right_in:
                wrong_in = arithmetic_text(example.semantics)
                yield f"it is wrong in {wrong_in}, not in {', '.join(right_in)}"
        yield from self.composition
        if self.hint is not None:
            yield f"proved with its bits in another order: {self.hint}"
        if self.margin is not None:
            where = "" if self.about[0] == "exact" else " in exact arithmetic"
            yield f"margin{where}: {self.margin.sides()}"
        for name, judged in self.formats.items():
            own = ", its own format" if name == self.own_format else ""
            is_new = judged.reason and judged.reason not in self.reason
            yield f"in {name}{own}: {judged.verdict}" + (f" ({judged.reason})" if is_new else "")
        sha256 = f", sha256 {self.sha256[:16]}…" if self.sha256 else ""
        seconds = f", {self.seconds:.3f} s" if self.seconds else ""
        yield f"{self.method or 'no engine'}{seconds}{sha256}"
        if self.certificate:
            yield f"certificate: {self.certificate}"


def worst_of(outcomes: Iterable[Outcome]) -> Outcome:
    """Return ``refuted`` if one is, else ``unknown`` if one is, else ``proved``."""
    return max(outcomes, key=OUTCOMES.index)


def arithmetic_text(semantics: str) -> str:
    """Return whose arithmetic is meant: ``exact arithmetic``, or a number format's name."""
    return "exact arithmetic" if semantics == "exact" else semantics


def _is_short(fraction: str) -> bool:
    return "/" in fraction and len(fraction) <= 12
