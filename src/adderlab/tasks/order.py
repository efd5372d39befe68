"""The order in which a network takes a task's input bits and gives its output bits.

Rule: a word's value never depends on it. Only the places of bits in a network's rows do, and a
task keeps them: a network is held against the task whose order it has, and is not changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, permutations, product
from typing import Any, Final, TypeAlias

from adderlab.errors import TaskError
from adderlab.tasks.task import Task, Word

MSB_FIRST: Final = "msb-first"
LSB_FIRST: Final = "lsb-first"

Names: TypeAlias = Sequence[str] | str
"""Names of words or bits, in a list or with commas between them."""

MOST_PERMUTED: Final = 3
"""Words up to which :func:`natural_orders` tries them in every order; of more, in reverse."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order of bits, as it is asked for.

    Attributes:
        bits: ``lsb-first`` where the bits of each word come in reverse.
        inputs: the input words, or their bits, in the order in which the network takes them.
        outputs: the output words, or their bits, in the order in which it gives them.
    """

    bits: str = ""
    inputs: Names = ()
    outputs: Names = ()

    def __bool__(self) -> bool:
        return bool(self.bits or self.inputs or self.outputs)

    def to_dict(self) -> dict[str, str]:
        """Return the arguments that ask for it, names with commas between them."""
        names = {
            "inputs": ",".join(_listed(self.inputs)),
            "outputs": ",".join(_listed(self.outputs)),
        }
        return {name: text for name, text in {"bits": self.bits, **names}.items() if text}

    def __str__(self) -> str:
        """Return it for people, the arguments in backticks."""
        return " ".join(f"`{name}` {text}" for name, text in self.to_dict().items())

    def arguments(self) -> str:
        """Return it as arguments in Python: ``outputs="c0,c1"``."""
        return ", ".join(f'{name}="{text}"' for name, text in self.to_dict().items())


def in_order(task: Task, order: Order) -> Task:
    """Return the task for a network that takes and gives bits in an order.

    Raises:
        TaskError: a word or bit is missing, unknown or named twice, or ``bits`` is something else.
    """
    if not order:
        return task
    if order.bits not in ("", MSB_FIRST, LSB_FIRST):
        raise TaskError(
            f"got {order.bits[:40]!r}", where="bits", remedy=f"give {MSB_FIRST} or {LSB_FIRST}"
        )
    is_reversed = order.bits == LSB_FIRST
    input_order = _ordered(task.inputs, order.inputs, "inputs", is_reversed=is_reversed)
    output_order = _ordered(task.outputs, order.outputs, "outputs", is_reversed=is_reversed)
    record = _usual_record(task)
    lists = {
        name: list(bits)
        for name, bits in (("inputs", input_order), ("outputs", output_order))
        if bits
    }
    if record is not None and lists:
        record = {"task": record, **lists}
    return replace(task, input_order=input_order, output_order=output_order, record=record)


def _usual_record(task: Task) -> Any:
    """Return what a file stores of the task with its bits in the usual order."""
    return task.record["task"] if task.input_order or task.output_order else task.record


def _ordered(
    words: tuple[Word, ...], names: Names, where: str, *, is_reversed: bool
) -> tuple[str, ...]:
    """Return the bits in order; nothing where it is the usual one."""
    own = {word.name: word.bits[::-1] if is_reversed else word.bits for word in words}
    usual = tuple(bit for word in words for bit in word.bits)
    listed = _listed(names) or list(own)
    single = {bit: (bit,) for bit in usual}
    bits = [bit for name in listed for bit in {**single, **own}.get(name, (name,))]
    if sorted(bits) != sorted(usual):
        fault = next((f"there is no {bit[:40]}" for bit in bits if bit not in usual), "")
        fault = fault or next((f"{bit} is there twice" for bit in bits if bits.count(bit) > 1), "")
        missing = [bit for bit in usual if bit not in bits]
        shown = ", ".join(missing[:8]) + ", …" * (len(missing) > 8)
        raise TaskError(
            fault or f"{shown} {'is' if len(missing) == 1 else 'are'} missing",
            where=where,
            remedy=f"name each once, as words or bits: {', '.join(own)}",
        )
    return () if tuple(bits) == usual else tuple(bits)


def _listed(names: Names) -> list[str]:
    parts = names.split(",") if isinstance(names, str) else names
    return [part.strip() for part in parts if part.strip()]


def natural_orders(task: Task) -> Iterator[Order]:
    """Yield the orders that people's networks have beside the usual one, the simplest first."""
    seen = {(task.input_order, task.output_order)}
    candidates = [
        *(Order(outputs=names) for names in _word_orders(task.outputs)),
        *(Order(outputs=names) for names in _reversed_bits(task.outputs)),
        Order(LSB_FIRST),
        *(Order(inputs=names) for names in _word_orders(task.inputs)),
        *(Order(inputs=names) for names in _reversed_bits(task.inputs)),
    ]
    ways = [
        [(), *_word_orders(words), *_reversed_bits(words)] for words in (task.inputs, task.outputs)
    ]
    candidates += [Order(bits, *names) for bits, names in product(("", LSB_FIRST), product(*ways))]
    for order in candidates:
        ordered = in_order(task, order)
        key = (ordered.input_order, ordered.output_order)
        if key not in seen:
            seen.add(key)
            yield order


def _word_orders(words: tuple[Word, ...]) -> list[tuple[str, ...]]:
    names = [word.name for word in words]
    if len(names) > MOST_PERMUTED:
        return [tuple(reversed(names))]
    return sorted(list(permutations(names))[1:], key=lambda order: order != tuple(reversed(names)))


def _reversed_bits(words: tuple[Word, ...]) -> list[tuple[str, ...]]:
    """Return the bits of each word in reverse; with words of one width, side by side too."""
    if all(word.width == 1 for word in words):
        return []
    lowest_first = [word.bits[::-1] for word in words]
    orders = [tuple(bit for bits in lowest_first for bit in bits)]
    if len(words) > 1 and len({word.width for word in words}) == 1:
        orders.append(tuple(bit for bits in zip(*lowest_first, strict=True) for bit in bits))
        orders.append(
            tuple(bit for bits in zip(*(w.bits for w in words), strict=True) for bit in bits)
        )
    return orders


def word_widths(task: Task) -> list[int]:
    """Return the widths of the input words in the order in which a network takes them.

    A word whose bits lie apart counts once for each run of them.
    """
    owners = {bit: word.name for word in task.inputs for bit in word.bits}
    return [len(list(bits)) for _, bits in groupby(task.input_bits, key=owners.__getitem__)]
