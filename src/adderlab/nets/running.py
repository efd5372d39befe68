"""What a network gives, in exact arithmetic: words in and words out, or rows of bits.

Rule: nothing is judged here and no task's rule is asked; a task only names the words. Without one
the inputs are the words ``x1``, ``x2`` and so on (one ``x`` beyond 8 inputs), the
output is ``y``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from adderlab.blocks.numbers import counted
from adderlab.checking import described
from adderlab.errors import NetworkError, TaskError
from adderlab.nets.dyadic import Dyadic, nearest_doubles
from adderlab.nets.evaluation import evaluate
from adderlab.nets.network import Network
from adderlab.nets.readout import NO_BIT, read_states
from adderlab.nets.walk import checked_words, nameless_task, words_of
from adderlab.tasks import Task

if TYPE_CHECKING:
    from jaxtyping import Float64, Int8, UInt8

InputWords: TypeAlias = str | Sequence[int] | Mapping[str, int]
"""Input words: ``"5,7"``, ``(5, 7)`` or ``{"a": 5, "b": 7}``."""

LARGEST_BATCH: Final = 1 << 22
"""Numbers of one layer, over all rows, that are computed at once."""


def words_out(net: Network, values: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """Return the output words for input words, as :meth:`Network.__call__` says.

    Raises:
        TaskError: a word is missing, unknown, given twice, or out of its range.
    """
    task = net.task or nameless_task(net)
    names = [word.name for word in task.inputs]
    twice = set(names[: len(values)]) & set(named)
    if len(values) > len(names) or twice:
        raise TaskError(
            f"{task.name} takes {', '.join(map(str, task.inputs))}, got "
            + (f"{min(twice)} twice" if twice else counted(len(values), "value")),
            where="input",
            remedy="give a whole number for each word; arrays of bits go to net.run",
        )
    words = checked_words(task, {**dict(zip(names, values, strict=False)), **named})
    low, high = evaluate(net, words_to_bits(task, [words]))
    return words_of(task, bits_or_none(read_states(net.readout, low, high)[0]))


def rows_out(
    net: Network, rows: Any, *, raw: bool = False
) -> Int8[np.ndarray, "*batch n_out"] | Float64[np.ndarray, "*batch n_out"]:
    """Return output bits or raw outputs for rows of bits, as :meth:`Network.run` says.

    Raises:
        NetworkError: the rows are no bits, or not as many to a row as the network has inputs.
    """
    try:
        array: Any = np.asarray(rows)
    except (ValueError, RecursionError):  # rows of several lengths, or lists without an end
        array = np.empty(())
    if array.ndim not in (1, 2) or array.shape[-1] != net.n_in:
        raise NetworkError(
            f"rows of shape {list(array.shape)} for a network of {counted(net.n_in, 'input')}",
            where="rows",
            remedy=f"give shape [batch, {net.n_in}], or [{net.n_in}] for a single row",
        )
    if array.dtype.kind not in "biuf" or not ((array == 0) | (array == 1)).all():
        raise NetworkError(
            "an entry is neither 0 nor 1", where="rows", remedy="give bits, most significant first"
        )
    bits = array.astype(np.uint8).reshape(-1, net.n_in)
    parts = [_part_out(net, part, raw=raw) for part in batches(net, bits)]
    empty = np.empty((0, net.n_out), dtype=np.float64 if raw else np.int8)
    return np.concatenate([empty, *parts]).reshape(*array.shape[:-1], net.n_out)


def _part_out(net: Network, bits: UInt8[np.ndarray, "batch n_in"], *, raw: bool) -> Any:
    low, high = evaluate(net, bits)
    if raw:
        return low.to_floats() if isinstance(low, Dyadic) else nearest_doubles((low + high) / 2)
    states = read_states(net.readout, low, high)
    return np.where(states < NO_BIT, states.astype(np.int8), np.int8(-1))


def batches(
    net: Network, bits: UInt8[np.ndarray, "batch n_in"]
) -> Iterator[UInt8[np.ndarray, "part n_in"]]:
    """Yield the rows in parts of a size that fits in memory."""
    widest = max(net.n_in, *(layer.n_out for layer in net.layers))
    size = max(1, LARGEST_BATCH // widest)
    for start in range(0, len(bits), size):
        yield bits[start : start + size]


def input_words(task: Task, words: InputWords) -> dict[str, int]:
    """Return the words of one input, in whatever form they are given.

    Raises:
        TaskError: a word is missing, unknown, or out of its range.
    """
    if isinstance(words, str):
        return task.parse_input(words)
    if isinstance(words, Mapping):
        return checked_words(task, words)
    if not isinstance(words, Sequence | np.ndarray):
        raise TaskError(
            f"got {described(words)}",
            where="input",
            remedy=f"give the values of {', '.join(map(str, task.inputs))}",
        )
    if len(words) != len(task.inputs):
        raise TaskError(
            f"{task.name} takes {counted(len(task.inputs), 'number')}, got {len(words)}",
            where="input",
            remedy=f"give the values of {', '.join(map(str, task.inputs))}",
        )
    names = [word.name for word in task.inputs]
    return checked_words(task, dict(zip(names, words, strict=True)))


def words_to_bits(task: Task, rows: Sequence[Mapping[str, int]]) -> UInt8[np.ndarray, "batch n_in"]:
    """Return input words as rows of bits, at any width."""
    return task.input_rows({w.name: [row[w.name] for row in rows] for w in task.inputs})


def bits_or_none(states: UInt8[np.ndarray, " n_out"]) -> list[int | None]:
    """Return the bits that outputs read as, ``None`` where one is no bit."""
    return [int(state) if state < NO_BIT else None for state in states]
