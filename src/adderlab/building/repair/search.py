"""The search for every single parameter whose change makes a network right, and its results.

Rules: the set of values that work is exact, and every repair is proved, in exact arithmetic, by
the function that is passed in. The new value is one that the tensor stores exactly. Of those that
work, it has the largest margin of the network; then the largest margin without the outputs that
were right and exactly on the threshold before (0 + 0 gives 0 in the lecture's network, whatever its
weights, and would hide the margin of the repaired row); then the smallest change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from adderlab.blocks import Block, Line, Result, Table
from adderlab.blocks.numbers import counted
from adderlab.building.repair.intervals import (
    LINE,
    Envelope,
    Interval,
    Intervals,
    at_least,
    is_unbounded,
    lowest,
    point,
)
from adderlab.building.repair.rows import Parameter, Rows, parameters_of
from adderlab.errors import NetworkError, OptionError, ResourceError
from adderlab.formats import Format
from adderlab.nets import Network
from adderlab.tasks import Task

LARGEST_ROWS: Final = 4096
LARGEST_WORK: Final = 1 << 26
"""Rows x parameters x units; near it 2 s where one parameter repairs (an adder of 6 bits), 6 min
where 350 do (8-32-32-32-2), on two cores, 2026-11-21."""

ENOUGH: Final = Fraction(1)
"""The margin aimed at where it is unbounded: the distance between the bits 0 and 1."""

COLUMNS: Final = ("parameter", "from", "to", "works", "margin", "repaired rows")
"""The headings of :meth:`Repair.cells`."""
MOST_SHOWN: Final = 20
"""Rows of the table at most."""
WORDS: Final = ("parameter", "works")
"""The columns that are aligned left."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A parameter with the values that make the network right on every row.

    Attributes:
        parameter: with its present value.
        works: the values that work, all other parameters unchanged.
    """

    parameter: Parameter
    works: Intervals

    @property
    def name(self) -> str:
        """The tensor with the index: ``fc2.weight[1,2]``; or ``threshold``."""
        return self.parameter.name

    @property
    def before(self) -> Fraction:
        """The parameter's value now."""
        return self.parameter.value

    def to_dict(self) -> dict[str, Any]:
        """Return tensor, index, value and intervals; ``to`` is ``None``: none can be stored."""
        return {
            "tensor": self.parameter.tensor,
            "index": list(self.parameter.index),
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
        after: the new value, which the tensor stores exactly.
        margin: the changed network's margin; ``None`` for an exact readout.
        row_margin: the smallest distance to the threshold over the rows that were wrong before;
            ``None`` for an exact readout, and where none was wrong.
        network: the changed network.
    """

    after: Fraction
    margin: Fraction | None
    row_margin: Fraction | None
    network: Network

    @property
    def change(self) -> Fraction:
        """The magnitude of the change."""
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
        repairs: by descending margin, then by ascending change.
        unstorable: parameters for which values work, but none that the tensor can store.
        wrong_rows: the input words of the rows that were wrong before; none where the network
            was right already.
        rows: how many rows the task has.
    """

    repairs: tuple[Repair, ...]
    unstorable: tuple[Candidate, ...]
    wrong_rows: tuple[dict[str, int], ...]
    rows: int

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
                f"wrong on {len(self.wrong_rows)} of {counted(self.rows, 'input')} in exact "
                f"arithmetic; parameters that repair it alone: {len(self.repairs) or 'none'}"
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


def find_repairs(net: Network, task: Task, *, prove: Callable[[Network], object]) -> Repairs:
    """Return every change of one parameter that makes the network right on every row.

    A parameter is a weight, a bias or the readout's threshold. With all others fixed, an
    output of a row is a piecewise linear function of the one that changes, so the values that
    make the row right are a union of intervals, computed exactly; those of all rows are
    intersected. The new value is one of these, chosen by the rules above. Of a network that is
    right already, these are the changes that enlarge its margin.

    Args:
        net: a network of dense or packed tensors, without tanh.
        task: what it is to compute.
        prove: the verdict on a network, true where it is proved right in exact arithmetic;
            called on each repair.

    Raises:
        TaskError: the task does not fit the network.
        NetworkError: the network has tanh, or a sparse, scaled or wide tensor, or is no chain of
            layers.
        ResourceError: more than 4096 rows, or too many rows x parameters x units.
    """
    net.check_fits(task)
    net.check_chain("the search for repairs")
    _check_activations(net)
    thresholds = int(net.readout.kind == "threshold")
    _check_size(task.rows, net.parameters + thresholds, net.hidden + net.n_out)
    parameters = list(parameters_of(net))
    rows = Rows(net, task)
    wrong_rows = tuple(task.row(row.number).inputs for row in rows.wrong)
    repairs: list[Repair] = []
    unstorable: list[Candidate] = []
    for parameter, works in _candidates(rows, parameters):
        after = _best_value(rows, parameter, works)
        if after is None:
            unstorable.append(Candidate(parameter, works))
        elif after != parameter.value:
            repairs.append(_repair(rows, Candidate(parameter, works), after, prove))
    repairs.sort(key=lambda repair: (-(repair.margin or 0), repair.change))
    return Repairs(tuple(repairs), tuple(unstorable), wrong_rows, task.rows)


def repair_to(
    net: Network,
    task: Task,
    candidate: Candidate,
    value: Fraction,
    *,
    prove: Callable[[Network], object],
) -> Repair:
    """Return the repair that sets a parameter to a value of one's own.

    Args:
        net: the network.
        task: what it is to compute.
        candidate: a parameter of :func:`find_repairs`.
        value: the new value.
        prove: as of :func:`find_repairs`.

    Raises:
        OptionError: the value does not work, or the parameter's format does not hold it.
    """
    works = candidate.works
    if not any(part.contains(value) for part in works.parts):
        raise OptionError(
            f"{candidate.name} = {short(value)} leaves a row wrong",
            where="to",
            remedy=f"it works in {works.describe(short)}",
        )
    if not candidate.parameter.form.holds(value):
        raise OptionError(
            f"{candidate.parameter.form.name} does not hold {short(value)}",
            where="to",
            remedy="give a value of the parameter's format",
        )
    return _repair(Rows(net, task), candidate, value, prove)


def _repair(
    rows: Rows, candidate: Candidate, after: Fraction, prove: Callable[[Network], object]
) -> Repair:
    parameter = candidate.parameter
    repaired = parameter.changed(rows.net, after)
    if not prove(repaired):
        raise AssertionError(f"{parameter.name} = {after} is not proved")
    margins = _margins(rows, parameter, after)
    return Repair(parameter, candidate.works, after, *margins, repaired)


def _check_activations(net: Network) -> None:
    for number, layer in enumerate(net.layers, start=1):
        if layer.activation.slope_pair is None:
            raise NetworkError(
                f"the activation {layer.activation} is not straight on both sides of 0, so the "
                "values that work can't be computed",
                where=f"fc{number}",
                remedy="repair a network of relu, leaky, step, abs, sign, heaviside and identity",
            )


def _check_size(rows: int, parameters: int, units: int) -> None:
    work = rows * parameters * units
    if rows > LARGEST_ROWS:
        what = f"the task has {rows} rows, more than {LARGEST_ROWS}"
    elif work > LARGEST_WORK:
        factors = f"{rows} rows x {parameters} parameters x {units} units"
        what = f"{factors} are {work} steps, more than {LARGEST_WORK}"
    else:
        return
    remedy = "repair a smaller network, or train it again"
    raise ResourceError(what, where="repair", remedy=remedy)


def _candidates(rows: Rows, parameters: list[Parameter]) -> list[tuple[Parameter, Intervals]]:
    """Return the parameters with values that make every row right, and these values.

    The wrong rows come first: they exclude nearly all parameters.
    """
    candidates = [(parameter, Intervals((LINE,))) for parameter in parameters]
    for row in rows.wrong + rows.right:
        narrowed = [
            (parameter, rows.allowed(row, parameter, works)) for parameter, works in candidates
        ]
        candidates = [(parameter, works) for parameter, works in narrowed if works]
    return candidates


def _best_value(rows: Rows, parameter: Parameter, works: Intervals) -> Fraction | None:
    """Return the new value; ``None`` where the format holds none of those that work."""
    form, before = parameter.form, parameter.value
    if not any(extremes(form, part) for part in works.parts):
        return None
    best = works
    if rows.readout.kind == "threshold":
        for with_ties in (True, False):
            best = _highest(_margin(rows, parameter, best, with_ties=with_ties), form)
    nearest = (value for part in best.parts for value in _nearest(part, form, before))
    return min(nearest, key=lambda value: abs(value - before))


def _margin(rows: Rows, parameter: Parameter, within: Intervals, *, with_ties: bool) -> Envelope:
    """Return the network's margin as a function of the parameter.

    ``with_ties=False`` leaves out the outputs that were right and exactly on the threshold.
    """
    functions: dict[tuple[Any, ...], Envelope] = {}  # many rows give the same one
    for row in rows.wrong + rows.right:
        for output, distance in rows.distances(row, parameter, within):
            if with_ties or not rows.is_tied(row, output):
                functions[tuple(distance)] = distance
    return lowest(functions.values())


def _margins(
    rows: Rows, parameter: Parameter, value: Fraction
) -> tuple[Fraction | None, Fraction | None]:
    """Return the margin over all rows, and over the rows that were wrong before."""
    if rows.readout.kind == "exact":
        return None, None
    within = Intervals((point(value),))
    wrong, right = (
        [
            line.at(value)
            for row in subset
            for _, distance in rows.distances(row, parameter, within)
            for _, line in distance
        ]
        for subset in (rows.wrong, rows.right)
    )
    return min(wrong + right), min(wrong, default=None)


def _highest(margin: Envelope, form: Format) -> Intervals:
    """Return the values whose margin is at least the largest of a stored value.

    On a piece a line is highest at an end, so the best stored value is next to the end of a
    piece. An unbounded margin has no best value, or the format's largest number: there 1 is
    enough. (A supremum that is not attained can't occur: outputs behind a step are constant
    between its jumps, and without steps nothing jumps.)
    """
    level = max(line.at(value) for piece, line in margin for value in extremes(form, piece))
    return at_least(margin, min(level, ENOUGH) if is_unbounded(margin) else level)


def _nearest(part: Interval, form: Format, before: Fraction) -> tuple[Fraction, ...]:
    """Return the stored values of an interval that are candidates for the smallest change.

    They are next to its end nearer to ``before``. Where that end is open, a row is wrong on it,
    and the next number would be too close to it: then they are next to the interval's middle or,
    for a half-line, to 1 beyond its end.
    """
    end, is_closed = (
        (part.low, part.low_closed)
        if part.low is not None and part.low > before
        else (part.high, part.high_closed)
    )
    target = end if is_closed and end is not None else part.sample
    neighbors = (form.at_least(target), form.at_most(target))
    inside = tuple(value for value in neighbors if value is not None and part.contains(value))
    return inside or extremes(form, part)


def extremes(form: Format, within: Interval) -> tuple[Fraction, ...]:
    """Return the least and the greatest value of the format in an interval, if there are any."""
    low = Fraction(form.least)
    high = Fraction(form.largest)
    if within.low is not None:
        low = form.at_least(within.low, strictly=not within.low_closed)
    if within.high is not None:
        high = form.at_most(within.high, strictly=not within.high_closed)
    return tuple(value for value in (low, high) if value is not None and within.contains(value))
