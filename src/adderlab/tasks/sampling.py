"""A sampled data set, as the training notebook makes it.

Rule: the draws are PyTorch's. ``torch.manual_seed(seed)`` followed by the notebook's
``torch.randint`` calls gives the same rows, though torch is not imported here: both take the
32-bit outputs of the Mersenne Twister modulo the range. (From 2**28 values up PyTorch joins two
outputs; no network is trained on words that wide, and there the draws are our own.)

References:
    Matsumoto, Nishimura, "Mersenne Twister" (1998), https://doi.org/10.1145/272991.272995
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.bits import Values, integer_dtype
from adderlab.checking import checked
from adderlab.errors import OptionError, ResourceError
from adderlab.tasks.catalog import TaskLike, as_task
from adderlab.tasks.task import RowBlock

if TYPE_CHECKING:
    from jaxtyping import Int64, UInt8

LARGEST_SAMPLES_BYTES: Final = 2 << 30


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Random rows of a task.

    Attributes:
        words: the operands drawn, an array of each input word.
        block: the same rows as bits: inputs ``[a, b]``, outputs ``[c1, c0]``.
        seed: what they were drawn from.
    """

    words: dict[str, Values]
    block: RowBlock
    seed: int

    @property
    def inputs(self) -> UInt8[np.ndarray, "batch n_in"]:
        """The input bits of each sample."""
        return self.block.inputs

    @property
    def outputs(self) -> UInt8[np.ndarray, "batch n_out"]:
        """The expected output bits of each sample."""
        return self.block.expected


@checked
def sample(task: TaskLike, num_samples: int, *, seed: int = 0) -> Samples:
    """Return ``num_samples`` rows of ``task`` with operands drawn at random, with repetition.

    Args:
        task: the bit function.
        num_samples: how many rows, at least 1.
        seed: as given to ``torch.manual_seed``.

    Raises:
        OptionError: ``num_samples`` is below 1, or the seed is not in 0..2**32-1.
        ResourceError: that many rows would not fit in memory.

    Examples:
        >>> from adderlab.tasks import TaskLike, task_named
        >>> sample(task_named("half-adder"), 3, seed=0).outputs.tolist()
        [[0, 1], [0, 1], [1, 0]]
    """
    task = as_task(task)
    if num_samples < 1:
        raise OptionError(
            f"the number of samples must be at least 1, got {num_samples}",
            where="samples",
            remedy="the notebook takes 1000",
        )
    if not 0 <= seed < 1 << 32:
        raise OptionError(
            f"the seed must be in 0..{(1 << 32) - 1}, got {seed}", where="seed",
            remedy="take a smaller one",
        )  # fmt: skip
    needed = num_samples * (8 * len(task.inputs) + 3 * (task.n_in + task.n_out))
    if needed > LARGEST_SAMPLES_BYTES:
        raise ResourceError(
            f"{num_samples} samples would take about {needed / 1e9:.3g} GB",
            where="samples",
            remedy="take fewer; a whole table needs no samples",
        )
    twister = np.random.MT19937()
    twister._legacy_seeding(seed)  # noqa: SLF001 -- init_genrand, the seeding that PyTorch uses
    limbs = [max(1, -(-(word.size - 1).bit_length() // 32)) for word in task.inputs]
    raw = twister.random_raw(num_samples * sum(limbs)).reshape(num_samples, sum(limbs))
    words: dict[str, Values] = {}
    place = 0
    for word, count in zip(task.inputs, limbs, strict=True):
        words[word.name] = _joined(raw[:, place : place + count], word.width) % word.size
        place += count
    return Samples(words, task.block_of(words), seed)


def _joined(limbs: Int64[np.ndarray, "batch limbs"], width: int) -> Values:
    """Return whole numbers whose 32-bit limbs, lowest first, are the columns."""
    dtype = integer_dtype(width if limbs.shape[1] > 1 else 32)
    return sum(limbs[:, i].astype(dtype) << (32 * i) for i in range(limbs.shape[1]))
