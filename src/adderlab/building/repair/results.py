"""The results of a search for repairs: candidates, repairs, and all of them together."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from adderlab.blocks import Block, Line, Result, Table
from adderlab.building.repair.intervals import Intervals
from adderlab.nets import Network

COLUMNS: Final = ("parameter", "from", "to", "works", "margin", "repaired rows")
"""The headings of :meth:`Repair.cells`."""
MOST_SHOWN: Final = 20
"""Repairs up to which each has a row of the table."""

WORDS: Final = ("parameter", "works")
"""The columns of text, which are aligned left."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A parameter with the values that would make the network right on every row.

    Attributes:
        tensor: the name of its tensor, or ``threshold``.
        index: its place there; empty for the threshold.
        before: its value now.
        works: exactly the values that work, all other parameters as they are.
    """

    tensor: str
    index: tuple[int, ...]
    before: Fraction
    works: Intervals

    @property
    def name(self) -> str:
        """The tensor with the index: ``fc2.weight[1,2]``."""
        return f"{self.tensor}[{','.join(map(str, self.index))}]" if self.index else self.tensor

    def to_dict(self) -> dict[str, Any]:
        """Return place, value and intervals; ``to`` is ``None``, for none can be stored."""
        return {
            "tensor": self.tensor,
            "index": list(self.index),
            "from": _number(self.before),
            "to": None,
            "works": self.works.to_list(),
            "margin": None,
            "row_margin": None,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Repair(Candidate):
    """A change of one parameter, with the changed network, which was proved.

    Attributes:
        after: the value taken, which the tensor stores exactly.
        margin: the network's margin after; ``None`` for an exact readout.
        row_margin: the smallest distance to the threshold over the rows that were wrong before;
            ``None`` for an exact readout.
        network: the changed network.
    """

    after: Fraction
    margin: Fraction | None
    row_margin: Fraction | None
    network: Network

    @property
    def change(self) -> Fraction:
        """How far the parameter moves."""
        return abs(self.after - self.before)

    def cells(self) -> tuple[str, ...]:
        """Return the cells of a table's row, in the order of :data:`COLUMNS`."""
        margins = (self.margin, self.row_margin)
        return (
            self.name,
            short(self.before),
            short(self.after),
            self.works.describe(short),
            *("" if margin is None else short(margin) for margin in margins),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the repair; margins and the ends of ``works`` are exact strings."""
        return {
            **Candidate.to_dict(self),  # super() without arguments fails in a slotted dataclass
            "to": _number(self.after),
            "margin": None if self.margin is None else str(self.margin),
            "row_margin": None if self.row_margin is None else str(self.row_margin),
        }

    def __repr__(self) -> str:
        return (
            f"Repair: {self.name} from {short(self.before)} to {short(self.after)}, "
            f"works in {self.works}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Repairs(Result):
    """Every single-parameter repair of a network.

    Attributes:
        repairs: the best network margin first, then the smallest change.
        unstorable: parameters for which values work, but none that the tensor can store.
        wrong_rows: the input words of the rows that were wrong before; none where the network
            was right already.
        rows: how many rows the task has.
    """

    repairs: tuple[Repair, ...]
    unstorable: tuple[Candidate, ...]
    wrong_rows: tuple[dict[str, int], ...]
    rows: int

    @property
    def already_right(self) -> bool:
        """Whether there was nothing to repair."""
        return not self.wrong_rows

    def to_dict(self) -> dict[str, Any]:
        return {
            "repairs": [repair.to_dict() for repair in self.repairs],
            "unstorable": [candidate.to_dict() for candidate in self.unstorable],
            "wrong_rows": list(self.wrong_rows),
            "rows": self.rows,
        }

    def blocks(self) -> tuple[Block, ...]:
        """Return how many there are, a table of them, and what can't be stored."""
        table = Table(
            COLUMNS,
            tuple(repair.cells() for repair in self.repairs[:MOST_SHOWN]),
            marks=(True,) * min(len(self.repairs), MOST_SHOWN),
            left=WORDS,
        )
        more = len(self.repairs) - MOST_SHOWN
        return (
            Line(
                f"wrong on {len(self.wrong_rows)} of {self.rows} inputs; "
                f"parameters that repair it alone: {len(self.repairs) or 'none'}"
            ),
            *((table,) if self.repairs else ()),
            *((Line(f"and {more} more, in the JSON", "quiet"),) if more > 0 else ()),
            *(
                Line(
                    f"note: {candidate.name} would work in {candidate.works.describe(short)}, "
                    "where its tensor can store no number",
                    "quiet",
                )
                for candidate in self.unstorable
            ),
        )

    def __repr__(self) -> str:
        return (
            f"Repairs: {len(self.repairs)} with one parameter, "
            f"{len(self.wrong_rows)} of {self.rows} rows wrong before"
        )


def short(value: Fraction) -> str:
    """Return a number in six digits: as a decimal or a fraction where exact, else after a ``~``."""
    decimal = f"{Decimal(value.numerator) / Decimal(value.denominator):.6g}"
    if Fraction(decimal) == value:
        return decimal
    return str(value) if len(str(value)) <= 8 else f"~{decimal}"


def _number(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)
