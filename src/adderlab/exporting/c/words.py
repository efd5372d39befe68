"""Words in and words out: the functions of a header that take whole numbers, and digits of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from adderlab.blocks.numbers import counted
from adderlab.exporting.c.names import RESERVED
from adderlab.exporting.c.tables import UNSIGNED
from adderlab.exporting.names import identifiers
from adderlab.exporting.subject import in_comment
from adderlab.tasks import Task
from adderlab.tasks.task import Word
from adderlab.tasks.wirings import Wiring

WIDEST: Final = 64
_TYPES: Final = {**UNSIGNED, "uint64_t": 64}
_OWN: Final = frozenset({"x", "y", "i", "n", "place", "carry", "result", "digits"})
SHORTEST_RUN: Final = 3
"""Bits of a word beside each other from which on they are taken in a loop."""


def word_type(width: int) -> str:
    """Return the narrowest unsigned type of a word."""
    return next(name for name, bits in _TYPES.items() if width <= bits)


def fits(task: Task) -> bool:
    """Return whether each word of a task fits an integer of C."""
    return all(word.width <= WIDEST for word in (*task.inputs, *task.outputs))


def word_names(task: Task, base: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the names of a task's input words, and of its output words, in C."""
    reserved = RESERVED | _OWN | {base}
    inputs = identifiers((word.name for word in task.inputs), reserved)
    return inputs, identifiers((word.name for word in task.outputs), reserved)


@dataclass(frozen=True, slots=True)
class _Run:
    """Bits of a word that stand beside each other: from place ``start`` on, bit ``bit`` down."""

    start: int
    length: int
    word: Word
    bit: int


def _runs(words: Sequence[Word], bits: Sequence[str]) -> Iterator[_Run]:
    """Yield the bits of words in a network's order, in runs of falling significance."""
    owners = {
        name: (word, word.width - 1 - place)
        for word in words
        for place, name in enumerate(word.bits)
    }
    places = [owners[name] for name in bits]
    start = 0
    for at, (word, bit) in enumerate(places, start=1):
        if places[at : at + 1] != [(word, bit - 1)]:
            first, own = places[start]
            yield _Run(start, at - start, first, own)
            start = at


def _taking(task: Task, values: Mapping[str, str]) -> list[str]:
    """Return the lines that fill ``x`` with the bits of words, which are expressions."""
    lines: list[str] = []
    for run in _runs(task.inputs, task.input_bits):
        value = values[run.word.name]
        if run.length < SHORTEST_RUN:
            for step in range(run.length):
                shift = f" >> {run.bit - step}" if run.bit - step else ""
                lines.append(f"x[{run.start + step}] = (uint8_t)({value}{shift} & 1u);")
            continue
        at = f"{run.start} + i" if run.start else "i"
        lines += [
            f"for (unsigned i = 0; i < {run.length}; i++)",
            f"  x[{at}] = (uint8_t)({value} >> ({run.bit} - i) & 1u);",
        ]
    return lines


def _gathering(words: Sequence[Word], bits: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """Return the lines that set words, which are 0 before, by the bits in ``y``."""
    lines: list[str] = []
    for run in _runs(words, bits):
        value, type_ = values[run.word.name], word_type(run.word.width)
        cast = f"({type_})" if run.word.width > 8 else ""
        if run.length < SHORTEST_RUN:
            for step in range(run.length):
                shift = run.bit - step
                bit = f"(y[{run.start + step}] & 1u)"
                own = f"{cast}{bit} << {shift}" if shift else bit
                lines.append(f"{value} = ({type_})({value} | {own});")
            continue
        at = f"{run.start} + i" if run.start else "i"
        lines += [
            f"for (unsigned i = 0; i < {run.length}; i++)",
            f"  {value} = ({type_})({value} | {cast}(y[{at}] & 1u) << ({run.bit} - i));",
        ]
    return lines


def words_text(task: Task) -> str:
    """Return the words of a task with their widths: ``c (2 bits) of a (1 bit), b (1 bit)``."""
    outputs, inputs = (
        ", ".join(f"{word.name} ({counted(word.width, 'bit')})" for word in words)
        for words in (task.outputs, task.inputs)
    )
    return f"{outputs} of {inputs}"


def words_function(task: Task, base: str, name: str, *, may_be_no_bit: bool) -> list[str]:
    """Return the function from words to words: its value is the word, or a structure of several.

    Args:
        task: whose words.
        base: what the header's functions begin with.
        name: of this one.
        may_be_no_bit: whether an output may be neither 0 nor 1.
    """
    inputs, outputs = word_names(task, base)
    single = len(task.outputs) == 1
    lines: list[str] = []
    if single:
        (word,) = task.outputs
        result, places = word_type(word.width), {word.name: "result"}
    else:
        result = f"struct {base}_words"
        places = {word.name: f"result.{outputs[word.name]}" for word in task.outputs}
        lines += [f"{result} {{"]
        lines += [f"  {word_type(word.width)} {outputs[word.name]};" for word in task.outputs]
        lines += ["};", ""]
    more = "; what is neither 0 nor 1 reads as 0" if may_be_no_bit else ""
    parameters = ", ".join(f"{word_type(word.width)} {inputs[word.name]}" for word in task.inputs)
    start = " = 0" if single else " = {" + ", ".join("0" for _ in task.outputs) + "}"
    body = [
        f"uint8_t x[{task.n_in}], y[{task.n_out}];",
        f"{result} result{start};",
        *_taking(task, {word.name: inputs[word.name] for word in task.inputs}),
        f"{base}_bits(x, y);",
        *_gathering(task.outputs, task.output_bits, places),
        "return result;",
    ]
    return [
        *lines,
        f"/* {in_comment(words_text(task))}{more}. */",
        f"static inline {result} {name}({parameters}) {{",
        *(f"  {line}" for line in body),
        "}",
        "",
    ]


def wiring_function(wiring: Wiring, base: str) -> list[str]:
    """Return the function that repeats a cell over the digits of numbers of any length."""
    cell = wiring.cell
    names = identifiers(wiring.operands, RESERVED | _OWN | {base})
    parameters = [f"const uint8_t *{names[name]}" for name in wiring.operands]
    collects = "\n   Returns what the last cell carries."
    if wiring.digit:
        collects = (
            "\n   Writes a digit of the result to each of digits, which may be an operand, and"
            "\n   returns what the last cell carries."
        )
    operands = {name: f"{names[name]}[place]" for name in wiring.operands}
    parameters += ["uint8_t *digits"] if wiring.digit else []
    carried = _gathered(cell, wiring.carry, "carry")
    digit = _gathered(cell, wiring.digit, "digits[place]") if wiring.digit else []
    about = f"{in_comment(wiring.title)}: numbers of n digits in base {wiring.base}, lowest first."
    return [
        f"/* {about}{collects} */",
        f"static inline uint8_t {base}(size_t n, {', '.join(parameters)}) {{",
        f"  uint8_t carry = {wiring.first};",
        "  for (size_t place = 0; place < n; place++) {",
        f"    uint8_t x[{cell.n_in}], y[{cell.n_out}];",
        *(f"    {line}" for line in _taking(cell, {**operands, wiring.carried: "carry"})),
        f"    {base}_bits(x, y);",
        *(f"    {line}" for line in (*carried, *digit)),
        "  }",
        "  return carry;",
        "}",
        "",
    ]


def _gathered(cell: Task, bits: Sequence[str], value: str) -> list[str]:
    """Return the line that makes a number of some of the output bits, most significant first."""
    places = [cell.output_bits.index(bit) for bit in bits]
    parts = [
        f"(y[{place}] & 1u)" + (f" << {len(places) - 1 - step}" if step < len(places) - 1 else "")
        for step, place in enumerate(places)
    ]
    text = parts[0].strip("()") if len(parts) == 1 else " | ".join(parts)
    return [f"{value} = (uint8_t)({text});"]
