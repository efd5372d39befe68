"""Wirings: how one cell, repeated digit by digit, makes a function of numbers of any length.

Rule: a wiring is data. What holds at every width follows from what holds on the rows of its cell,
by induction over the digits; :meth:`Wiring.faults` checks on each row what the induction needs.

References:
    The carry recurrence of serial adders; Knuth, "The Art of Computer Programming" 2, 4.3.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from adderlab.errors import TaskError
from adderlab.tasks.order import Order
from adderlab.tasks.task import Rule, Task, Word

Step: TypeAlias = Callable[[Mapping[str, int], int, int], bool]
"""Whether a row of the cell, by its input words, the digit and what is carried on, is a step."""

Cell: TypeAlias = Mapping[tuple[int, ...], tuple[int, int]]
"""What a cell gives for the values of its input words: a digit, and what is carried on."""

ANY: Final = ":any"
CELL: Final = "cell:"


@dataclass(frozen=True, slots=True)
class Induction:
    """Why a cell's rows give every width.

    Attributes:
        claim: what holds after n digits, as text.
        start: why it holds before the first.
        step: what must hold of each row of the cell, as text.
        holds: the same as a rule.
        why: why it then holds after one digit more.
    """

    claim: str
    start: str
    step: str
    holds: Step = field(repr=False, compare=False)
    why: str


@dataclass(frozen=True, slots=True)
class Wiring:
    """A cell that is fed the digits of its operands, the lowest first.

    Attributes:
        name: as on the command line: ``adder:any``.
        title: one line for people.
        cell: what the cell must compute.
        operands: the cell's input words that take the digits of a number each.
        carried: the cell's input word that takes what the cell before gives.
        carry: the output bits that are carried on, most significant first.
        digit: those that are collected as a digit of the result; none where what is carried
            last is the result.
        base: of the digits.
        first: what is carried into the first cell.
        induction: why it is right at every width.
    """

    name: str
    title: str
    cell: Task
    operands: tuple[str, ...]
    carried: str
    carry: tuple[str, ...]
    digit: tuple[str, ...]
    base: int
    first: int
    induction: Induction

    def __str__(self) -> str:
        return self.name

    def read(self, outputs: Mapping[str, int]) -> tuple[int, int]:
        """Return the digit that the cell's output words hold, and what is carried on."""
        bits = {
            bit: outputs[word.name] >> (word.width - 1 - place) & 1
            for word in self.cell.outputs
            for place, bit in enumerate(word.bits)
        }
        return _value(bits, self.digit), _value(bits, self.carry)

    def faults(self) -> Iterator[str]:
        """Yield what keeps the induction from going through; nothing for a sound wiring."""
        sizes = {word.name: word.size for word in self.cell.inputs}
        if any(sizes[name] != self.base for name in self.operands):
            yield f"an operand's digits are not those of base {self.base}"
        if not 0 <= self.first < sizes[self.carried]:
            yield f"{self.first} can't be carried into the first cell"
        if {*self.operands, self.carried} != set(sizes):
            yield "an input word of the cell is fed nothing"
        for index in range(self.cell.rows):
            row = self.cell.row(index)
            outputs = {name: value or 0 for name, value in row.outputs.items()}
            digit, carry = self.read(outputs)
            if carry >= sizes[self.carried]:
                yield f"{carry} can't be carried into the next cell (row {index})"
            if self.digit and digit >= self.base:
                yield f"{digit} is no digit in base {self.base} (row {index})"
            if not self.induction.holds(row.inputs, digit, carry):
                yield f"on row {index} it does not hold that {self.induction.step}"

        for carry in sorted({*range(sizes[self.carried])} - {*self.ways(self.table())}):
            yield f"{carry} is never carried, though the cell's word takes it"

    def table(self) -> Cell:
        """Return what the cell must give on each of its rows."""
        rows = map(self.cell.row, range(self.cell.rows))
        return {
            tuple(row.inputs.values()): self.read({k: v or 0 for k, v in row.outputs.items()})
            for row in rows
        }

    def ways(self, cell: Cell) -> dict[int, list[tuple[int, ...]]]:
        """Return the shortest digits, lowest first, by which a cell comes to carry each value."""
        ways: dict[int, list[tuple[int, ...]]] = {self.first: []}
        waiting = [self.first]
        for state in waiting:
            for (*digits, before), (_, carry) in self.by_operands(cell).items():
                if before == state and carry not in ways:
                    ways[carry] = [*ways[state], tuple(digits)]
                    waiting.append(carry)
        return ways

    def run(self, cell: Cell, operands: Sequence[Iterable[int]]) -> tuple[bytearray, int]:
        """Return the digits that are collected, lowest first, a byte each, and the last carry.

        Args:
            cell: what the cell gives on each of its rows.
            operands: the digits of each operand, lowest first, all of one length.
        """
        table = self.by_operands(cell)
        collected = bytearray()
        carry = self.first
        for digits in zip(*operands, strict=True):
            digit, carry = table[*digits, carry]
            collected.append(digit)
        return collected, carry

    def by_operands(self, cell: Cell) -> dict[tuple[int, ...], tuple[int, int]]:
        """Return a cell's table by the operands' digits and, last, what is carried in."""
        names = [word.name for word in self.cell.inputs]
        places = [names.index(name) for name in (*self.operands, self.carried)]
        return {tuple(row[place] for place in places): answer for row, answer in cell.items()}


def _value(bits: Mapping[str, int], names: Sequence[str]) -> int:
    value = 0
    for name in names:
        value = value << 1 | bits[name]
    return value


def _cell(name: str, inputs: Sequence[Word], outputs: Sequence[Word], rule: Rule) -> Task:
    """Return what a cell must compute, as a task that can be trained and built."""
    title = f"the cell of {name}{ANY}"
    return Task(CELL + name, tuple(inputs), tuple(outputs), rule, title, CELL + name)


def _subtract(words: Mapping[str, Any]) -> dict[str, Any]:
    total = words["a"] - words["b"] - words["bin"]
    borrow = (total < 0) * 1
    return {"bout": borrow, "d": total + 2 * borrow}


def _add_decimal(words: Mapping[str, Any]) -> dict[str, Any]:
    total = words["d"] + words["e"] + words["cin"]
    carry = (total >= 10) * 1
    return {"cout": carry, "s": total - 10 * carry}


def _compare(words: Mapping[str, Any]) -> dict[str, Any]:
    less, more = (words["a"] < words["b"]) * 1, (words["a"] > words["b"]) * 1
    return {"order": less + 2 * more + (1 - less - more) * words["before"]}


def _flip(words: Mapping[str, Any]) -> dict[str, Any]:
    return {"p": words["x"] ^ words["before"]}


def _sum(first: str, second: str, sign: int, carry_in: str, carry_out: str, base: int) -> Induction:
    """Return the induction of a sum (sign 1) or a difference (-1): equations whose carries cancel.

    Args:
        first: the cell's word that takes a digit of the first number.
        second: the one that takes a digit of the second.
        sign: of the second number and of what is carried into a cell.
        carry_in: the word that is carried into the cell.
        carry_out: the output that is carried on.
        base: of the digits.
    """
    mark = "+" if sign > 0 else "-"
    return Induction(
        claim=f"a mod {base}^n {mark} b mod {base}^n = the number collected {mark} "
        f"{base}^n * {carry_out}",
        start=f"for n = 0 both sides are 0, since {carry_in} of the first cell is 0",
        step=f"{first} {mark} {second} {mark} {carry_in} = the digit {mark} {base} * {carry_out}",
        holds=lambda words, digit, carry: (
            words[first] + sign * (words[second] + words[carry_in]) == digit + sign * base * carry
        ),
        why=f"the row times {base}^n, added to the claim for n, is the claim for n + 1: "
        f"what one cell gives as {carry_out} the next takes as {carry_in}, and they cancel",
    )


_A, _B = Word("a", 1), Word("b", 1)

_FULL_ADDER: Final = Task(
    "full-adder",
    (_A, _B, Word("cin", 1)),
    (Word("c", 2),),
    lambda words: {"c": words["a"] + words["b"] + words["cin"]},
    "a + b + cin",
    "full-adder",
)

_ORDER: Final = Induction(
    claim="what is carried says how the numbers of the lowest n digits compare: 0 equal, "
    "1 less, 2 greater",
    start="numbers of no digits are equal, and 0 is carried into the first cell",
    step="where the digits differ they decide, and where they are equal before is kept",
    holds=lambda words, digit, carry: (
        carry == (words["before"] if words["a"] == words["b"] else 1 + (words["a"] > words["b"]))
    ),
    why="a higher digit outweighs all lower ones together",
)
_ODD: Final = Induction(
    claim="what is carried is 1 where the number of ones among the lowest n bits is odd",
    start="of no bits none is a one, and 0 is carried into the first cell",
    step="p = x xor before",
    holds=lambda words, digit, carry: carry == words["x"] ^ words["before"],
    why="a one changes whether the number of ones is odd, a zero does not",
)
WIRINGS: Final[dict[str, Wiring]] = {wiring.name: wiring for wiring in (
    Wiring(
        "adder:any", "a + b", _FULL_ADDER, ("a", "b"), "cin", ("c1",), ("c0",), 2, 0,
        _sum("a", "b", 1, "cin", "c1", 2),
    ),
    Wiring(
        "decimal-adder:any", "a + b in decimal",
        _cell(
            "decimal-adder", (Word("d", 4, 10), Word("e", 4, 10), Word("cin", 1)),
            (Word("cout", 1), Word("s", 4)), _add_decimal,
        ),
        ("d", "e"), "cin", ("cout",), ("s3", "s2", "s1", "s0"), 10, 0,
        _sum("d", "e", 1, "cin", "cout", 10),
    ),
    Wiring(
        "subtractor:any", "a - b mod 2^n",
        _cell(
            "subtractor", (_A, _B, Word("bin", 1)), (Word("bout", 1), Word("d", 1)),
            _subtract,
        ),
        ("a", "b"), "bin", ("bout",), ("d",), 2, 0,
        _sum("a", "b", -1, "bin", "bout", 2),
    ),
    Wiring(
        "comparator:any", "<, =, >",
        _cell("comparator", (_A, _B, Word("before", 2, 3)), (Word("order", 2),), _compare),
        ("a", "b"), "before", ("order1", "order0"), (), 2, 0, _ORDER,
    ),
    Wiring(
        "parity:any", "is the number of ones odd?",
        _cell("parity", (Word("x", 1), Word("before", 1)), (Word("p", 1),), _flip),
        ("x",), "before", ("p",), (), 2, 0, _ODD,
    ),
)}  # fmt: skip
"""The wirings that have names; others are added here."""


def wiring_named(name: Any) -> Wiring | None:
    """Return the wiring that is given, or that a name like ``adder:any`` means; else ``None``.

    Raises:
        TaskError: the name ends in ``:any``, and there is no such wiring.
    """
    if isinstance(name, Wiring):
        return name
    if not isinstance(name, str) or not name.endswith(ANY) or "=" in name or name[:6] == "table:":
        return None
    if name not in WIRINGS:
        raise TaskError(
            f"no wiring makes {name!r} of a cell",
            where="task",
            remedy=f"one of {', '.join(WIRINGS)}",
        )
    return WIRINGS[name]


def wiring_without_order(name: Any, order: Order) -> Wiring | None:
    """Return the wiring that is given or named, as :func:`wiring_named`.

    Args:
        name: what may be one.
        order: an order of bits that is asked for, which goes with no wiring.

    Raises:
        TaskError: there is no such wiring, or one has an order beside it.
    """
    wiring = wiring_named(name)
    if wiring is not None and order:
        raise TaskError(
            f"{wiring.name} takes the bits of its cell as its words have them",
            where=next(iter(order.to_dict())),
            remedy="name the cell's own task",
        )
    return wiring


def cell_named(name: str) -> Task:
    """Return what the cell of a wiring must compute: ``cell:decimal-adder``.

    Raises:
        TaskError: there is no such wiring.
    """
    wiring = wiring_named(name.removeprefix(CELL) + ANY)
    assert wiring is not None
    return wiring.cell
