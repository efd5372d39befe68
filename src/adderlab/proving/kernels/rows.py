"""The rows of a task, block by block, for kernels: words, and expected bits packed into numbers.

Rule: what is expected comes from the task's own rule, on words as whole numbers; nothing of the
network enters it. Input bits are numbered from the lowest: a row's place is the number that its
input bits make, in an order of the kernel's choice. Where a word is bounded, places that are no
rows have outputs that don't matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.proving.kernels.readout import Planes
from adderlab.tasks import Task

if TYPE_CHECKING:
    from jaxtyping import Bool, Int64

MOST_BITS: Final = 62
ALL: Final = (1 << MOST_BITS) - 1
AT_ONCE: Final = 1 << 14
"""Places whose words are computed at once: a few arrays of them stay in the second cache."""

MOST_WASTE: Final = 4
"""Places for each row up to which bounded words are swept as whole cubes."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected in a block of places.

    Attributes:
        planes: packed bits, in the lanes' integers.
        matters: likewise, which of them matter; ``None`` where all do.
        rows: places that are rows of the task.
    """

    planes: np.ndarray[Any, Any]
    matters: np.ndarray[Any, Any] | None
    rows: int


class Places:
    """The places of a task's rows.

    Args:
        task: of at most 62 input and output bits.
        order: the network's inputs, by their numbers, from the place's lowest bit on; every one.
        block_bits: the low bits that make a block.
    """

    def __init__(self, task: Task, order: Sequence[int], block_bits: int) -> None:
        self.task, self.order = task, tuple(order)
        self.block_bits = min(block_bits, task.n_in)
        self.size = 1 << self.block_bits
        self.blocks = 1 << (task.n_in - self.block_bits)
        owners = {
            name: (word, word.width - 1 - place)
            for word in task.inputs
            for place, name in enumerate(word.bits)
        }
        self._bits = [owners[task.input_bits[number]] for number in self.order]
        low = np.arange(self.size, dtype=np.int64)
        self._low = self._words_at(low, range(self.block_bits))
        self._high_of = {
            word.name: tuple(
                (bit, weight)
                for bit, (own, weight) in enumerate(self._bits)
                if own is word and bit >= self.block_bits
            )
            for word in task.inputs
        }
        self._is_bounded = any(word.size != 1 << word.width for word in task.inputs)
        self.has_cares = self._is_bounded or task.any_value is not None
        self.output_places = self._output_places()

    @staticmethod
    def can_hold(task: Task) -> bool:
        """Return whether a task's rows can be numbered and its outputs packed."""
        few = max(task.n_in, task.n_out) <= MOST_BITS
        return few and 1 << task.n_in <= MOST_WASTE * task.rows

    def _words_at(self, places: Any, bits: Sequence[int]) -> dict[str, Any]:
        words = {word.name: places * 0 for word in self.task.inputs}
        for bit in bits:
            word, weight = self._bits[bit]
            words[word.name] = words[word.name] + (((places >> bit) & 1) << weight)
        return words

    def _output_places(self) -> tuple[int, ...]:
        """Return where each of the network's outputs lies in a packed word."""
        starts: dict[str, int] = {}
        start = 0
        for word in self.task.outputs:
            for place, name in enumerate(reversed(word.bits)):
                starts[name] = start + place
            start += word.width
        return tuple(starts[name] for name in self.task.output_bits)

    def high_bits(self, block: int) -> Int64[np.ndarray, " bits"]:
        """Return the bits of a block's number, from the lowest on."""
        return (block >> np.arange(len(self.order) - self.block_bits)) & 1

    def expected(self, block: int, bits: int) -> Expected:
        """Return what is expected in a block, cut into whole numbers of so many bits."""
        planes = Planes(self.output_places, bits).count
        packed = np.empty((planes, self.size), dtype=f"int{bits}")
        matters = np.empty_like(packed) if self.has_cares else None
        place = block << self.block_bits
        high = {
            name: sum(((place >> bit) & 1) << weight for bit, weight in own)
            for name, own in self._high_of.items()
        }
        rows = 0
        for start in range(0, self.size, AT_ONCE):
            part = slice(start, start + AT_ONCE)
            words = {name: low[part] + high[name] for name, low in self._low.items()}
            inside = self._inside(words) if self._is_bounded else None
            if inside is not None:
                words = {name: np.where(inside, word, 0) for name, word in words.items()}
            own, own_matters = self._packed(self.task.expected(words))
            for plane in range(planes):
                packed[plane, part] = own >> (plane * bits) if plane else own
            if matters is not None:
                if inside is not None:
                    own_matters = np.where(inside, own_matters, 0)
                for plane in range(planes):
                    matters[plane, part] = own_matters >> (plane * bits)
            count = len(next(iter(words.values())))
            rows += count if inside is None else int(np.count_nonzero(inside))
        return Expected(packed.ravel(), None if matters is None else matters.ravel(), rows)

    def _packed(self, outputs: Mapping[str, Any]) -> tuple[Any, Any]:
        """Return output words side by side in one number each, and which of its bits matter."""
        words, any_value = self.task.outputs, self.task.any_value
        if any_value is None and len(words) == 1:
            return np.asarray(outputs[words[0].name], dtype=np.int64), ALL
        packed: Any = 0
        matters: Any = 0 if any_value is not None else ALL
        start = 0
        for word in words:
            values = np.asarray(outputs[word.name], dtype=np.int64)
            mask = (1 << word.width) - 1
            if any_value is not None:
                is_free = values == any_value
                matters = matters | np.where(is_free, 0, mask << start)
            packed = packed | (values & mask) << start
            start += word.width
        return packed, matters

    def _inside(self, words: Mapping[str, Any]) -> Bool[np.ndarray, " places"]:
        """Return which places are rows: where each word is below its bound."""
        bounded = [word for word in self.task.inputs if word.size != 1 << word.width]
        return np.logical_and.reduce([words[word.name] < word.size for word in bounded])

    def words_of(self, block: int, places: Int64[np.ndarray, " count"]) -> dict[str, Any]:
        """Return the input words of some places of a block."""
        at = (block << self.block_bits) + places
        return self._words_at(at, range(len(self.order)))

    def rows_of(self, words: Mapping[str, Any]) -> Int64[np.ndarray, " count"]:
        """Return the numbers of the rows with the given words."""
        index: Any = 0
        for word in self.task.inputs:
            index = index * word.size + words[word.name]
        return index
