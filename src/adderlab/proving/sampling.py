"""Random inputs, for what no engine decides: they can refute, and never prove."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.bits import Values, integer_dtype
from adderlab.formats import FP64
from adderlab.limits import Budget, CapReached
from adderlab.nets import Network
from adderlab.nets.enclosure import Machine
from adderlab.proving.enumeration import Enumeration, block_rows, judge
from adderlab.tasks import Task, Word

if TYPE_CHECKING:
    from jaxtyping import Shaped

SEED: Final = 0


def wrong_sample(net: Network, task: Task, count: int, budget: Budget) -> tuple[int | None, int]:
    """Return the number of a wrong row among random ones, if one was met, and how many were tried.

    The operands are uniform, drawn with repetition, the same ones each time.

    Args:
        net: the network.
        task: what it should compute.
        count: how many rows to try.
        budget: the time and memory there is; what is tried when it is spent counts.
    """
    random = np.random.default_rng(SEED)
    machine = Machine(net, FP64) if Machine.can_run(net) else None
    tried = 0
    while tried < count:
        try:
            budget.check()
        except CapReached:
            break
        size = min(block_rows(net), count - tried)
        words = {word.name: _values(random, word, size) for word in task.inputs}
        is_right, is_known, _ = judge(net, machine, task.block_of(words), Enumeration())
        wrong = np.flatnonzero(~is_right & is_known)
        if wrong.size:
            first = {name: int(values[wrong[0]]) for name, values in words.items()}
            return task.index_of(first), tried + int(wrong[0]) + 1
        tried += size
    return None, tried


def _values(random: np.random.Generator, word: Word, size: int) -> Values:
    """Return uniform values of a word of any width."""
    dtype = integer_dtype(word.width)
    if dtype != np.dtype(object):
        return random.integers(word.size, size=size, dtype=np.int64).astype(dtype)
    count = -(-word.width // 8) + 8  # 64 bits more than needed, so that the rest is even
    raw: Shaped[np.ndarray, "size bytes"] = random.integers(256, size=(size, count), dtype=np.uint8)
    drawn = [int.from_bytes(row.tobytes(), "little") % word.size for row in raw]
    values = np.empty(size, dtype=object)
    values[:] = drawn
    return values
