"""A task: named input words, named output words, and the rule between them.

Rule: a task works on whole numbers. Rows are numbered by their input words in order, the
first word being the most significant digit, so the half adder's rows are 00, 01, 10, 11; they
are enumerated in blocks and never all held at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from adderlab.bits import Values, bit_names, integer_dtype, to_bits
from adderlab.blocks.numbers import counted
from adderlab.errors import TaskError

if TYPE_CHECKING:
    from jaxtyping import Bool, Shaped, UInt8

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
BLOCK_ROWS: Final = 1 << 14
LONGEST_SHOWN: Final = 100
"""Characters of what was given that an error repeats."""

Rule: TypeAlias = Callable[[Mapping[str, Values]], dict[str, Values]]
"""From the input words to the output words; works on whole numbers and on arrays of them."""


@dataclass(frozen=True, slots=True)
class Word:
    """A named whole number of ``width`` bits, below ``bound`` where one is given."""

    name: str
    width: int
    bound: int | None = None

    @property
    def size(self) -> int:
        """How many values the word can take."""
        return self.bound if self.bound is not None else 1 << self.width

    @property
    def span(self) -> str:
        """The values it can take, for people; a wide word's are not written out."""
        if self.bound is None and self.width > 64:
            return f"0..2^{self.width}-1"
        return f"0..{self.size - 1}"

    @property
    def bits(self) -> tuple[str, ...]:
        """The names of the word's bits, most significant first."""
        return tuple(bit_names(self.name, self.width))

    @property
    def bits_text(self) -> str:
        """The names of the word's bits, for people: ``c1, c0``, or ``c9 to c0``."""
        if self.width <= 2:
            return ", ".join(self.bits)
        return f"{self.name}{self.width - 1} to {self.name}0"

    def __str__(self) -> str:
        bound = f"<{self.bound}" if self.bound is not None else ""
        return f"{self.name}:{self.width}{bound}"


@dataclass(frozen=True, slots=True)
class Row:
    """One input of a task with its expected output; ``None`` where any value will do."""

    inputs: dict[str, int]
    outputs: dict[str, int | None]


@dataclass(frozen=True, slots=True, eq=False)
class RowBlock:
    """Consecutive rows as bits.

    Attributes:
        start: number of the first row.
        inputs: the input vectors.
        expected: the output bits, 0 where any value will do.
        cares: where the expected bit matters; ``None`` where all do.
    """

    start: int
    inputs: UInt8[np.ndarray, "batch n_in"]
    expected: UInt8[np.ndarray, "batch n_out"]
    cares: Bool[np.ndarray, "batch n_out"] | None = None

    def is_right(self, got: UInt8[np.ndarray, "batch n_out"]) -> Bool[np.ndarray, "batch n_out"]:
        """Return, for each output bit of each row, whether ``got`` is what was expected."""
        right = got == self.expected
        return right if self.cares is None else right | ~self.cares


@dataclass(frozen=True, slots=True)
class Task:
    """A bit function.

    Attributes:
        name: as on the command line, for example ``adder:4``.
        inputs: the input words in order.
        outputs: the output words in order.
        rule: from input words to output words.
        title: one line for people.
        record: what a network file stores of it: its name, or a table with its rows.
        any_value: the number by which ``rule`` says that any output will do; ``None`` if never.
        notes: what was assumed in reading it, one sentence each.
        input_order: the input bits in the order in which a network takes them, where it isn't
            that of the words, most significant first (:mod:`adderlab.tasks.order`).
        output_order: likewise the output bits.
    """

    name: str
    inputs: tuple[Word, ...]
    outputs: tuple[Word, ...]
    rule: Rule = field(repr=False, compare=False)
    title: str = ""
    record: Any = field(default=None, repr=False)
    any_value: int | None = None
    notes: tuple[str, ...] = field(default=(), compare=False)
    input_order: tuple[str, ...] = ()
    output_order: tuple[str, ...] = ()

    @property
    def n_in(self) -> int:
        """Input bits."""
        return sum(word.width for word in self.inputs)

    @property
    def n_out(self) -> int:
        """Output bits."""
        return sum(word.width for word in self.outputs)

    @property
    def rows(self) -> int:
        """How many inputs the task's domain has."""
        total = 1
        for word in self.inputs:
            total *= word.size
        return total

    @property
    def input_bits(self) -> tuple[str, ...]:
        """The names of the input bits in the order in which a network takes them."""
        return self.input_order or _bits_of(self.inputs)

    @property
    def output_bits(self) -> tuple[str, ...]:
        """The names of the output bits in the order in which a network gives them."""
        return self.output_order or _bits_of(self.outputs)

    @property
    def remarks(self) -> tuple[str, ...]:
        """The notes, and the order of bits where it is not the usual one."""
        return (*self.notes, *([self.order_text] if self.order_text else []))

    @property
    def order_text(self) -> str:
        """The order of bits, for people; nothing where it is the usual one."""
        orders = (("takes", self.input_order), ("gives", self.output_order))
        parts = [f"{verb} {_shown_bits(bits)}" for verb, bits in orders if bits]
        return f"the network {' and '.join(parts)}, in this order" if parts else ""

    def row_of_inputs(self, bits: Shaped[np.ndarray, "*batch n"]) -> Any:
        """Return input bits in a network's order; they are in the words', on the last axis."""
        if not self.input_order:
            return bits
        places = {bit: place for place, bit in enumerate(_bits_of(self.inputs))}
        return bits[..., [places[bit] for bit in self.input_order]]

    def row_of_outputs(self, bits: Shaped[np.ndarray, "*batch n"]) -> Any:
        """Return output bits in a network's order; they are in the words', on the last axis."""
        if not self.output_order:
            return bits
        places = {bit: place for place, bit in enumerate(_bits_of(self.outputs))}
        return bits[..., [places[bit] for bit in self.output_order]]

    def in_words(self, bits: Shaped[np.ndarray, "*batch n"]) -> Any:
        """Return output bits in the words' order; they are in a network's, on the last axis."""
        if not self.output_order:
            return bits
        places = {bit: place for place, bit in enumerate(self.output_order)}
        return bits[..., [places[bit] for bit in _bits_of(self.outputs)]]

    def expected(self, inputs: Mapping[str, Values]) -> dict[str, Values]:
        """Return the output words for the given input words, numbers or arrays alike."""
        return self.rule(inputs)

    def row(self, index: int) -> Row:
        """Return row number ``index``; works at any width."""
        inputs: dict[str, int] = {}
        for word in reversed(self.inputs):
            index, inputs[word.name] = divmod(index, word.size)
        return self.row_of({word.name: inputs[word.name] for word in self.inputs})

    def row_of(self, inputs: Mapping[str, int]) -> Row:
        """Return the row of the given input words."""
        outputs = {name: int(value) for name, value in self.rule(inputs).items()}
        return Row(
            dict(inputs),
            {name: None if value == self.any_value else value for name, value in outputs.items()},
        )

    def index_of(self, inputs: Mapping[str, int]) -> int:
        """Return the number of the row with the given input words."""
        index = 0
        for word in self.inputs:
            index = index * word.size + inputs[word.name]
        return index

    def input_words(self, indices: Values) -> dict[str, Values]:
        """Return the input words of the rows with the given numbers, as arrays."""
        dtype = integer_dtype((self.rows - 1).bit_length())
        rest = np.asarray(indices, dtype=dtype)
        words: dict[str, Values] = {}
        for word in reversed(self.inputs):
            words[word.name] = (rest % word.size).astype(integer_dtype(word.width))
            rest = rest // word.size
        return {word.name: words[word.name] for word in self.inputs}

    def block_of(self, words: Mapping[str, Values], *, start: int = 0) -> RowBlock:
        """Return the rows with the given input words, arrays of equal length, as bits."""
        outputs = self.rule(words)
        inputs = self.input_rows(words)
        if self.any_value is None:
            bits = [to_bits(outputs[w.name], w.width) for w in self.outputs]
            return RowBlock(start, inputs, self.row_of_outputs(np.concatenate(bits, axis=-1)))
        free = {w.name: np.asarray(outputs[w.name] == self.any_value) for w in self.outputs}
        bits = [to_bits(np.where(free[w.name], 0, outputs[w.name]), w.width) for w in self.outputs]
        cares = np.concatenate(
            [np.repeat(~free[w.name][..., None], w.width, axis=-1) for w in self.outputs], axis=-1
        )
        expected = self.row_of_outputs(np.concatenate(bits, axis=-1))
        return RowBlock(start, inputs, expected, self.row_of_outputs(cares))

    def input_rows(self, words: Mapping[str, Values]) -> UInt8[np.ndarray, "batch n_in"]:
        """Return input words, numbers or arrays of equal length, as rows of bits."""
        columns = [to_bits(words[word.name], word.width) for word in self.inputs]
        return self.row_of_inputs(np.concatenate(columns, axis=-1))

    def blocks(self, size: int = BLOCK_ROWS) -> Iterator[RowBlock]:
        """Yield all rows in order, ``size`` at a time."""
        for start in range(0, self.rows, size):
            indices = range(start, min(start + size, self.rows))
            yield self.block_of(self.input_words(np.array(indices)), start=start)

    def words_of(self, bits: UInt8[np.ndarray, " n_out"]) -> dict[str, int]:
        """Return the output words of one row of output bits."""
        words: dict[str, int] = {}
        place = 0
        bits = self.in_words(bits)
        for word in self.outputs:
            value = 0
            for bit in bits[place : place + word.width]:
                value = value << 1 | int(bit)
            words[word.name] = value
            place += word.width
        return words

    def parse_input(self, text: str) -> dict[str, int]:
        """Return the input words that ``text`` names: whole numbers with commas, ``1,1``.

        Raises:
            TaskError: not as many numbers as words, or one out of its word's range.
        """
        parts = [part.strip() for part in text.split(",")]
        where = f"input {_shortened(text)}"
        names = ", ".join(str(word) for word in self.inputs)
        if len(parts) != len(self.inputs):
            raise TaskError(
                f"{self.name} takes {counted(len(self.inputs), 'number')}, got {len(parts)}",
                where=where,
                remedy=f"give the values of {names}",
            )
        return {
            word.name: checked_value(part, word, where=where)
            for word, part in zip(self.inputs, parts, strict=True)
        }


def _bits_of(words: tuple[Word, ...]) -> tuple[str, ...]:
    return tuple(bit for word in words for bit in word.bits)


def _shown_bits(bits: tuple[str, ...]) -> str:
    return ", ".join(bits if len(bits) <= 8 else (*bits[:4], "…", *bits[-2:]))


def checked_value(text: str, word: Word, *, where: str) -> int:
    """Return the whole number written in ``text`` (decimal, ``0b…`` or ``0x…``) for ``word``.

    Raises:
        TaskError: not a whole number, or outside the word's range.
    """
    value = whole_number(text)
    if value is None:
        raise TaskError(
            f"{word.name} must be a whole number, got {_shortened(text)!r}",
            where=where,
            remedy="write it in decimal, 0b… or 0x…",
        )
    if not 0 <= value < word.size:
        raise TaskError(
            f"{word.name} = {_shortened(text)} is outside {word.span}",
            where=where,
            remedy=f"{word} takes the values {word.span}",
        )
    return value


def _shortened(text: str) -> str:
    """Return what was given, a long one without its middle."""
    return text if len(text) <= LONGEST_SHOWN else f"{text[:24]}…{text[-24:]}"


_NUMBER: Final = re.compile(r"(?:0[bB][01]+|0[xX][0-9a-fA-F]+|[0-9]+)\Z")


def whole_number(text: str) -> int | None:
    """Return the non-negative whole number in ``text``, or ``None`` if there is none."""
    if not _NUMBER.match(text):
        return None
    base = {"0b": 2, "0x": 16}.get(text[:2].lower(), 10)
    return int(text, base) if base != 10 else decimal_number(text)


def decimal_number(digits: str) -> int:
    """Return the value of decimal digits of any length (``int`` stops at 4,300 of them)."""
    if len(digits) <= 4000:
        return int(digits)
    half = len(digits) // 2
    return decimal_number(digits[:-half]) * 10**half + decimal_number(digits[-half:])
