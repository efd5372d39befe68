"""A task from Boolean formulas: ``s = a xor b; c = a and b``, or on words ``c:3 = a:2 + b:2``.

Rules: text is only compared with the grammar, never run. A formula is computed on every input
while it is parsed, and the task is the table that results.

    statement   in word {, word} | [out] name[:width] = or
    word        name[:width][<bound]
    or          xor {(or | nor) xor}        | || ∨
    xor         and {(xor | xnor) and}      ^ ⊕
    and         sum {(and | nand) sum}      & && ∧
    sum         product {+ product}         of words: some width must be given
    product     unary {* unary}             likewise
    unary       {not} atom {'}              ~ ! ¬
    atom        number | true | false | name[:width] | ( or )
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from adderlab.blocks.numbers import counted
from adderlab.errors import AdderlabError, TaskError
from adderlab.tasks.parsing import DEEPEST, Cursor, Token, lines_of, raise_all, tokens_of
from adderlab.tasks.tabulated import task_of_columns
from adderlab.tasks.task import BLOCK_ROWS, LONGEST_SHOWN, Task, Word, whole_number

LARGEST_TEXT: Final = 1 << 16
"""Characters of a formula."""
LARGEST_INPUT_BITS: Final = 20
"""Input bits: a formula is computed on every input."""
LARGEST_WIDTH: Final = 60
"""Bits of a value on the way."""
LARGEST_COLUMNS: Final = 1 << 25
"""Rows times outputs."""

_TOKEN: Final = re.compile(
    r"""(?P<number> 0[bB][01]+ | 0[xX][0-9a-fA-F]+ | [0-9]+ )
      | (?P<name> [A-Za-z_][A-Za-z0-9_]* )
      | (?P<sign> && | \|\| | [\N{NOT SIGN}\N{LOGICAL AND}\N{LOGICAL OR}\N{CIRCLED PLUS}]
                | [-&|^~!'()=:+*<,;] )
      | (?P<unknown> \S )""",
    re.VERBOSE,
)
_OR: Final = ("or", "nor", "|", "||", "\N{LOGICAL OR}")
_XOR: Final = ("xor", "xnor", "^", "\N{CIRCLED PLUS}")
_AND: Final = ("and", "nand", "&", "&&", "\N{LOGICAL AND}")
_NOT: Final = ("not", "~", "!", "\N{NOT SIGN}")
_LEVELS: Final = (_OR, _XOR, _AND, ("+",), ("*",))
"""The operators between two values, the loosest first."""
_CONSTANTS: Final = {"true": 1, "false": 0}
_RESERVED: Final = {*(word for level in (*_LEVELS, _NOT) for word in level), *_CONSTANTS}
_OF_BITS: Final = {"&&": "&", "||": "|", "!": "~"}
"""Operators of truth values in C, and what is written for words instead."""
_OPERATIONS: Final[Mapping[int, Callable[[Any, Any], Any]]] = {
    0: operator.or_,
    1: operator.xor,
    2: operator.and_,
    3: operator.add,
    4: operator.mul,
}
_REMEDIES: Final = {
    "-": "there is no subtraction; for the complement write not, ~ or '",
    "=": "write one line for each output; equality of bits is xnor",
}


@dataclass(frozen=True, slots=True)
class _Value:
    """A value on every row: its numbers, its bits, and the largest number that it may be."""

    numbers: Any
    width: int
    top: int


@dataclass(slots=True)
class _Names:
    """What the names of a formula stand for.

    Attributes:
        inputs: the input words, in order.
        assigned: the line of each name that a statement defines.
        widths: the widths that are written, of inputs and others.
        outputs: the names that are marked as outputs.
        read: the names that some statement reads.
    """

    inputs: dict[str, int | None] = field(default_factory=dict)
    assigned: dict[str, int] = field(default_factory=dict)
    widths: dict[str, int] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)
    read: set[str] = field(default_factory=set)

    def bit_of(self, name: str) -> tuple[str, int] | None:
        """Return the word and the number of the bit that a name like ``a1`` stands for."""
        match = re.fullmatch(r"(.*?)(0|[1-9][0-9]?)", name)
        if not match or not self.widths or name in {*self.widths, *self.assigned}:
            return None
        word, bit = match[1], int(match[2])
        if word in self.widths:
            return (word, bit) if 1 < self.widths[word] > bit else None
        return (word, bit) if word in self.assigned else None

    def words(self) -> tuple[Word, ...]:
        """Return the input words."""
        return tuple(
            Word(name, self.widths.get(name, 1), bound) for name, bound in self.inputs.items()
        )


def formula_task(text: str) -> Task:
    """Return the task that Boolean formulas give, one for each output.

    Names that no statement defines are the inputs, in the order in which they are first read; names
    that no other statement reads are the outputs, unless some are marked by ``out``.

    Raises:
        TaskError: with all faults of the text, each with its line and column, or of a task with
            too many inputs to compute all its rows.

    Examples:
        >>> formula_task("c:3 = a:2 + b:2").row(15).outputs
        {'c': 6}
    """
    where = "formula"
    if len(text) > LARGEST_TEXT:
        what = f"{len(text)} characters are over the limit of {LARGEST_TEXT}"
        raise TaskError(what, where=where, remedy="write a shorter formula")
    statements = _statements(text)
    names, errors = _Names(), list[AdderlabError]()
    for tokens in statements:
        try:
            _Statement(tokens, names).define()
        except AdderlabError as error:
            errors.append(error)
    raise_all(errors, where=where)
    for tokens in statements:
        try:
            _Statement(tokens, names).note_names()
        except AdderlabError as error:
            errors.append(error)
    raise_all(errors, where=where)
    words, outputs = _checked(names, where=where)
    columns = _columns(statements, names, words, outputs, where=where)
    shape = Task("", words, (), dict)
    return task_of_columns(
        words,
        tuple(Word(name, width) for name, (width, _) in columns.items()),
        {name: column for name, (_, column) in columns.items()},
        name=f"formula:{_one_line(text)}",
        title=f"{counted(shape.rows, 'row')} of a formula",
        notes=_notes(names, words, outputs),
    )


def _columns(
    statements: list[list[Token]],
    names: _Names,
    words: tuple[Word, ...],
    outputs: list[str],
    *,
    where: str,
) -> dict[str, tuple[int, Any]]:
    """Return the width and the values of each output, computed in blocks of rows."""
    shape = Task("", words, (), dict)
    if shape.rows * len(outputs) > LARGEST_COLUMNS:
        what = f"{shape.rows} rows of {len(outputs)} outputs are over {LARGEST_COLUMNS} values"
        raise TaskError(what, where=where, remedy="write fewer outputs or inputs")
    columns = {name: np.empty(shape.rows, dtype=np.int64) for name in outputs}
    values: dict[str, _Value] = {}
    largest: dict[str, int] = {}
    for start in range(0, shape.rows, BLOCK_ROWS):
        rows = np.arange(start, min(start + BLOCK_ROWS, shape.rows))
        numbers = shape.input_words(rows)
        values = {
            word.name: _Value(numbers[word.name], word.width, word.size - 1) for word in words
        }
        errors: list[AdderlabError] = []
        for tokens in statements:
            try:
                _Statement(tokens, names, values, largest).compute()
            except AdderlabError as error:
                errors.append(error)
        raise_all(errors, where=where)
        for name, column in columns.items():
            column[rows] = values[name].numbers
    raise_all(
        [
            _Statement(tokens, names, values, largest).overflow(name)
            for name, tokens in ((_Statement(t, names).defined, t) for t in statements)
            if name in names.widths and largest.get(name, 0) >> names.widths[name]
        ],
        where=where,
    )
    return {name: (values[name].width, column) for name, column in columns.items()}


def _statements(text: str) -> list[list[Token]]:
    """Return the tokens of each statement, the last one being its end."""
    statements: list[list[Token]] = []
    for number, source in enumerate(lines_of(text), start=1):
        statement: list[Token] = []
        for token in tokens_of(source, number, _TOKEN):
            if token.text != ";" and token.kind != "end":
                statement.append(token)
            elif statement:
                statements.append([*statement, Token("end", "", number, token.column)])
                statement = []
    return statements


def _one_line(text: str) -> str:
    """Return the formula on one line, a long one without its middle."""
    lines = (line.partition("#")[0].strip().strip(";") for line in lines_of(text))
    line = "; ".join(" ".join(line.split()) for line in lines if line)
    return line if len(line) <= 2 * LONGEST_SHOWN else f"{line[:80]} … {line[-80:]}"


def _checked(names: _Names, *, where: str) -> tuple[tuple[Word, ...], list[str]]:
    """Return the inputs and the outputs."""
    if not names.assigned:
        raise TaskError("no output is defined", where=where, remedy="write y = a xor b")
    words = names.words()
    if not words:
        raise TaskError("it reads no input", where=where, remedy="write y = a xor b")
    bits = sum(word.width for word in words)
    if bits > LARGEST_INPUT_BITS:
        raise TaskError(
            f"{bits} input bits are over the limit of {LARGEST_INPUT_BITS}: a formula is computed "
            "on every input",
            where=where,
            remedy="write smaller words, or name a task like adder:64",
        )
    outputs = names.outputs or [name for name in names.assigned if name not in names.read]
    lost = [name for name in names.assigned if name not in {*outputs, *names.read}]
    if lost:
        what = f"{', '.join(lost)} is read by no line, and others are marked by out"
        raise TaskError(what, where=where, remedy="mark it too, or remove it")
    if not outputs:
        raise TaskError(
            "every name is read by another line", where=where, remedy="mark outputs: out y = …"
        )
    return words, outputs


def _notes(names: _Names, words: tuple[Word, ...], outputs: list[str]) -> tuple[str, ...]:
    """Return what was assumed: the order of the inputs, and which names are no outputs."""
    inputs = ", ".join(map(str, words))
    between = [name for name in names.assigned if name not in outputs]
    if not between or names.outputs:
        return ()
    verb = "is an intermediate result" if len(between) == 1 else "are intermediate results"
    note = f"{', '.join(between)} {verb}, read by another line; the inputs are {inputs}, "
    return (f"{note}the outputs {', '.join(outputs)}; mark others by out",)


class _Statement(Cursor):
    """Parses one statement by recursive descent, and computes it where it has values."""

    def __init__(
        self,
        tokens: list[Token],
        names: _Names,
        values: dict[str, _Value] | None = None,
        largest: dict[str, int] | None = None,
    ) -> None:
        super().__init__(tokens)
        self.names = names
        self.values: dict[str, _Value] = {} if values is None else values
        self.largest: dict[str, int] = {} if largest is None else largest
        first = tokens[0].text.lower()
        self.is_input = first == "in" and tokens[1].kind == "name"
        self.is_marked = first == "out" and tokens[1].kind == "name"

    @property
    def defined(self) -> str:
        """The name that the statement defines; empty where it lists inputs."""
        return "" if self.is_input else self.tokens[int(self.is_marked)].text

    def error(self, token: Token, what: str, remedy: str) -> TaskError:
        """Return the error of a token; of a character outside the grammar it is always that."""
        if token.kind == "unknown":
            what, remedy = f"unknown character {token}", "write names, and, or, xor, not and ( )"
        remedy = _REMEDIES.get(token.text, remedy)
        return TaskError(what, where=token.place, remedy=remedy)

    # --- names ------------------------------------------------------------------------------

    def define(self) -> None:
        """Note the name that the statement defines, or the inputs that it lists."""
        if self.is_input:
            self.at = 1
            self.input_words()
            return
        self.at = int(self.is_marked)
        name = self.next()
        if name.kind != "name" or name.text.lower() in _RESERVED:
            raise self.error(name, f"expected a name, found {name}", "write y = a xor b")
        _ = self.width(name)
        if not self.sees("="):
            raise self.error(self.token, f"expected '=' after {name}", "write y = a xor b")
        if name.text in self.names.assigned:
            line = self.names.assigned[name.text]
            raise self.error(
                name, f"{name} is defined in line {line} already", "rename one of them"
            )
        if name.text in self.names.inputs:
            raise self.error(name, f"{name} is an input", "rename one of them")
        self.names.assigned[name.text] = name.line
        if self.is_marked:
            self.names.outputs.append(name.text)

    def input_words(self) -> None:
        """Note the words of an ``in`` statement."""
        while True:
            name = self.next()
            if name.kind != "name" or name.text.lower() in _RESERVED:
                raise self.error(name, f"expected an input's name, found {name}", "write in a, b:2")
            if name.text in {*self.names.inputs, *self.names.assigned}:
                raise self.error(name, f"{name} is named twice", "name it once")
            width, bound = self.width(name), None
            if self.sees("<"):
                _ = self.next()
                number = self.next()
                bound = whole_number(number.text)
                if not bound or bound > 1 << width:
                    what = f"the bound of {name} is a number from 1 to {1 << width}"
                    raise self.error(number, what, "write in d:4<10")
            self.names.inputs[name.text] = bound
            if self.token.kind == "end":
                return
            _ = self.expect(",", what="',' or the end", remedy="write in a, b:2")

    def width(self, name: Token) -> int:
        """Return the width of a name, noting one that is written after it."""
        widths = self.names.widths
        if self.sees(":"):
            _ = self.next()
            token = self.next()
            width = int(token.text) if token.text.isdecimal() and len(token.text) < 4 else 0
            if not 1 <= width <= LARGEST_WIDTH:
                what = f"the width of {name} is a number from 1 to {LARGEST_WIDTH}, got {token}"
                raise self.error(token, what, f"write {name.text[:20]}:2")
            if widths.setdefault(name.text, width) != width:
                what = f"{name} has {counted(widths[name.text], 'bit')} elsewhere"
                raise self.error(token, what, "give it one width")
        return widths.get(name.text, 1)

    def note_names(self) -> None:
        """Note the widths of all names that the statement reads, then which are inputs."""
        if self.is_input:
            return
        start = next(at for at, token in enumerate(self.tokens) if token.text == "=") + 1
        if start == 1:
            return
        own = self.defined
        read = [
            (at, token)
            for at, token in enumerate(self.tokens)
            if at >= start and token.kind == "name" and token.text.lower() not in _RESERVED
        ]
        for at, token in read:
            self.at = at + 1
            _ = self.width(token)
        for _, token in read:
            bit = self.names.bit_of(token.text)
            name = bit[0] if bit else token.text
            if name in self.names.assigned:
                if name != own:
                    self.names.read.add(name)
            else:
                _ = self.names.inputs.setdefault(name, None)

    # --- values -----------------------------------------------------------------------------

    def compute(self) -> None:
        """Compute what the statement defines, on every row."""
        if self.is_input:
            return
        self.at = int(self.is_marked)
        name = self.next()
        width = self.width(name) if self.sees(":") else self.names.widths.get(name.text)
        _ = self.next()
        value = self.operation(0, 0)
        if self.token.kind != "end":
            token = self.token
            if self.sees(")"):
                raise self.error(token, "')' without its '('", "remove it, or add the '('")
            raise self.error(token, f"no operator before {token}", "write and, or, xor there")
        largest = max(int(np.max(value.numbers)), self.largest.get(name.text, 0))
        self.largest[name.text] = largest
        width = width or value.width
        self.values[name.text] = _Value(value.numbers, width, (1 << width) - 1)

    def overflow(self, name: str) -> TaskError:
        """Return the error of a value that its name has too few bits for."""
        largest = self.largest[name]
        what = f"{name} has {counted(self.names.widths[name], 'bit')}, its value reaches {largest}"
        return self.error(self.tokens[0], what, f"write {name[:20]}:{largest.bit_length()}")

    def operation(self, level: int, depth: int) -> _Value:
        """Return the value of what comes next, of operators that bind as tightly as ``level``."""
        if level == len(_LEVELS):
            return self.unary(depth)
        value = self.operation(level + 1, depth)
        previous = ""
        while (spelling := self.token.text.lower()) in _LEVELS[level]:
            token = self.next()
            if previous in ("nand", "nor") or (previous and spelling in ("nand", "nor")):
                what = f"{token} after {previous!r} depends on which is computed first"
                raise self.error(token, what, "write parentheses")
            value = self.combined(token, level, value, self.operation(level + 1, depth))
            previous = spelling
        return value

    def combined(self, token: Token, level: int, left: _Value, right: _Value) -> _Value:
        """Return the value of an operator between two values."""
        if level >= 3 and not self.names.widths:
            meaning = "or" if token.text == "+" else "and"
            what = f"{token} is arithmetic on words here, and no width is given"
            raise self.error(token, what, f"write {meaning}, or give widths: c:3 = a:2 + b:2")
        if token.text in _OF_BITS and max(left.width, right.width) > 1:
            raise self.of_bits(token)
        numbers = _OPERATIONS[level](left.numbers, right.numbers)
        if level >= 3:
            top = int(_OPERATIONS[level](left.top, right.top))
            if top.bit_length() > LARGEST_WIDTH:
                what = f"the result has over {LARGEST_WIDTH} bits"
                raise self.error(token, what, "take smaller words")
            return _Value(numbers, max(top.bit_length(), 1), top)
        width = max(left.width, right.width)
        full = (1 << width) - 1
        if token.text.lower() in ("nand", "nor", "xnor"):
            return _Value(numbers ^ full, width, full)
        return _Value(numbers, width, min(left.top, right.top) if level == 2 else full)

    def of_bits(self, token: Token) -> TaskError:
        """Return the error of an operator of truth values on a word."""
        what = f"{token} is of single bits, and a word of several is given"
        return self.error(token, what, f"write {_OF_BITS[token.text]}, which is bit by bit")

    def unary(self, depth: int) -> _Value:
        """Return the value that comes next, with the complements before and after it."""
        complements: list[Token] = []
        while self.token.text.lower() in _NOT:
            complements.append(self.next())
        value = self.atom(depth)
        while self.sees("'"):
            complements.append(self.next())
        if value.width > 1 and any(token.text == "!" for token in complements):
            raise self.of_bits(next(token for token in complements if token.text == "!"))
        full = (1 << value.width) - 1
        return _Value(value.numbers ^ full, value.width, full) if len(complements) % 2 else value

    def atom(self, depth: int) -> _Value:
        """Return the value of the number, name or parenthesis that comes next."""
        token = self.next()
        if token.text == "(":
            if depth >= DEEPEST:
                raise self.error(token, f"nested over {DEEPEST} deep", "take it apart")
            value = self.operation(0, depth + 1)
            _ = self.close(token)
            return value
        if token.kind == "name" and token.text.lower() in _CONSTANTS:
            return _constant(_CONSTANTS[token.text.lower()])
        if token.kind == "number":
            number = whole_number(token.text) if len(token.text) < 64 else None
            if number is None or number.bit_length() > LARGEST_WIDTH:
                what = f"{token} has over {LARGEST_WIDTH} bits"
                raise self.error(token, what, "write a smaller number")
            return _constant(number)
        if token.kind != "name" or token.text.lower() in _RESERVED:
            what = f"expected a name, a number, not or '(', found {token}"
            raise self.error(token, what, "write one there")
        return self.name(token)

    def name(self, token: Token) -> _Value:
        """Return the value that a name stands for."""
        if self.sees(":"):
            self.at += 2
        bit = self.names.bit_of(token.text)
        name = bit[0] if bit else token.text
        if name not in self.values:
            what = f"{token} is read before line {self.names.assigned[name]} defines it"
            raise self.error(token, what, "move that line up; a formula has no memory")
        value = self.values[name]
        if bit is None:
            return value
        if bit[1] >= value.width:
            what = f"{name} has {counted(value.width, 'bit')}"
            raise self.error(token, what, f"name a bit from {name}0 to {name}{value.width - 1}")
        return _Value((value.numbers >> bit[1]) & 1, 1, 1)


def _constant(number: int) -> _Value:
    return _Value(np.int64(number), max(number.bit_length(), 1), number)
