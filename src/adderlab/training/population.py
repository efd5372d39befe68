"""Many networks of one shape trained at once: a batched PyTorch ensemble on weighted rows.

Rule: member ``i`` starts from, and learns from, exactly what ``seed + i`` alone would; only the
last digits of its sums differ, because a row that was drawn n times is one row of weight n.
Whether a member is right is decided exactly wherever rounding could matter.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from adderlab.errors import ResourceError
from adderlab.nets import Network, is_exact, outputs, read_bits
from adderlab.nets.evaluation import enclose_row
from adderlab.tasks import Block, Task, sample
from adderlab.training.loop import make_model, make_optimizer, network_of, one_thread
from adderlab.training.settings import Settings

if TYPE_CHECKING:
    from jaxtyping import Float, Float64, Int64, UInt8

LARGEST_ROWS: Final = 1 << 12
MEMBERS_AT_ONCE: Final = 2048
DRAWS_AT_ONCE: Final = 1 << 26
PATH: Final = "torch-ensemble"


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One trained network of a population.

    Attributes:
        member: its number, from 0; its seed is the population's plus this.
        seed: the seed that trains it alone.
        loss: over its own samples, with the final weights; NaN if it diverged.
        rows_right: rows with all output bits right; 0 if it diverged.
        table: its output words row by row, each row's as one number; empty if it diverged.
        margin: the smallest signed distance to the threshold, in double.
        dead_units: hidden units that are off on every row.
        arrays: fc1.weight, fc1.bias, fc2.weight, fc2.bias.
    """

    member: int
    seed: int
    loss: float
    rows_right: int
    is_right: bool
    table: tuple[int, ...]
    margin: float
    dead_units: int
    arrays: tuple[Any, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """A trained population.

    Attributes:
        settings: what every member was told; ``seed`` is the first member's.
        members: in order.
        seconds: how long it took.
        path: the engine that trained it.
    """

    task: Task
    settings: Settings
    members: tuple[Member, ...]
    seconds: float
    path: str = PATH

    @property
    def successes(self) -> int:
        """How many members are right on all rows."""
        return sum(member.is_right for member in self.members)

    @property
    def best(self) -> Member | None:
        """The right member of the largest margin; ``None`` if none is right."""
        right = (member for member in self.members if member.is_right)
        return max(right, key=lambda member: (member.margin, -member.member), default=None)

    def network(self, member: Member) -> Network:
        """Return a member's network, with the record that trains it alone."""
        settings = replace(self.settings, seed=member.seed)
        network = network_of(list(member.arrays), self.task, settings, self.path)
        assert network is not None
        return network

    def failures(self) -> list[tuple[tuple[int, ...], int]]:
        """Return the wrong truth tables with how many members ended in each, most first."""
        counts: dict[tuple[int, ...], int] = {}
        for member in self.members:
            if not member.is_right:
                counts[member.table] = counts.get(member.table, 0) + 1
        return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a success rate.

    References:
        Wilson, "Probable inference, the law of succession, and statistical inference",
        JASA 22 (1927); z is the 0.975 quantile of the normal distribution.
    """
    z = 1.959963984540054
    rate = successes / trials
    center = rate + z * z / (2 * trials)
    half = z * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    low, high = (center - half) / scale, (center + half) / scale
    return (0.0 if successes == 0 else low), (1.0 if successes == trials else high)


@one_thread()
def train_population(
    task: Task,
    settings: Settings,
    members: int,
    *,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Population:
    """Train ``members`` networks at once, from the seeds that follow ``settings.seed``.

    Args:
        task: what to learn, of at most 4096 rows.
        settings: how.
        members: how many.
        on_progress: called with the member-steps done since the last call.

    Raises:
        ResourceError: the task has too many rows, or the run would not fit in memory.
    """
    if task.rows > LARGEST_ROWS:
        raise ResourceError(
            f"{task.name} has {task.rows} rows, a population takes at most {LARGEST_ROWS}",
            where="--seeds",
            remedy="train one network, or take a narrower task",
        )
    start = time.perf_counter()
    at_once = MEMBERS_AT_ONCE
    if settings.batch is not None:
        at_once = max(1, min(at_once, DRAWS_AT_ONCE // max(settings.steps * settings.batch, 1)))
    settings.check_memory(task, min(members, at_once))
    found: list[Member] = []
    block = next(task.blocks(task.rows))
    for first in range(0, members, at_once):
        count = min(at_once, members - first)
        found += _train_chunk(task, settings, block, first, count, on_progress)
    return Population(task, settings, tuple(found), time.perf_counter() - start)


def _train_chunk(
    task: Task,
    settings: Settings,
    block: Block,
    first: int,
    count: int,
    on_progress: Callable[[int], None],
) -> list[Member]:
    """Train members ``first`` to ``first + count - 1`` and judge them."""
    model = _Ensemble(settings)
    shares, draws = model.start(task, settings, first, count)
    rows = torch.tensor(block.inputs, dtype=torch.float32)
    labels = torch.tensor(block.expected, dtype=torch.float32)
    matters = torch.ones_like(labels)
    if block.cares is not None:
        matters = torch.tensor(block.cares, dtype=torch.float32)

    optimizer = make_optimizer(model, settings)
    for step in range(settings.steps):
        weights = shares
        if draws is not None:  # how often this step drew each row, instead of all samples
            weights = functional.one_hot(draws[:, step].long(), len(rows)).float().mean(dim=1)
        loss = model.losses(rows, labels, matters, weights).sum()
        optimizer.zero_grad()
        _ = loss.backward()  # the sum's gradient is each member's own: no member sees another
        _ = optimizer.step()
        on_progress(count)
    with torch.no_grad():
        losses = model.losses(rows, labels, matters, shares).double().numpy()
    arrays = [parameter.detach().numpy() for parameter in model.parameters()]
    return _judge(task, settings, block, first, arrays, losses)


class _Ensemble(nn.Module):
    """``AdderNN`` with a leading axis of members on every parameter."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        kind = settings.network_activation
        self.activation: Callable[[torch.Tensor], torch.Tensor] = {
            "relu": functional.relu,
            "tanh": torch.tanh,
            "leaky": lambda sums: functional.leaky_relu(sums, kind.slope),
        }[kind.kind]

    def start(
        self, task: Task, settings: Settings, first: int, count: int
    ) -> tuple[
        Float[torch.Tensor, "member rows"], Int64[torch.Tensor, "member steps batch"] | None
    ]:
        """Give each member its own start; return its rows' shares and its steps' draws."""
        starts: list[list[torch.Tensor]] = []
        shares: list[Any] = []
        draws: list[torch.Tensor] = []
        words = len(task.inputs)
        with torch.random.fork_rng(devices=[]):
            for seed in range(settings.seed + first, settings.seed + first + count):
                samples = sample(task, settings.samples, seed=seed % (1 << 32))
                rows = sum(
                    samples.words[word.name] * weight
                    for word, weight in zip(task.inputs, _places(task), strict=True)
                )
                _ = torch.manual_seed(seed % (1 << 32))
                _ = torch.randint(2, (settings.samples * words,))
                member = make_model(task, settings)
                starts.append([parameter.detach() for parameter in member.parameters()])
                shares.append(np.bincount(rows, minlength=task.rows) / settings.samples)
                if settings.batch is not None:
                    chosen = torch.randint(settings.samples, (settings.steps, settings.batch))
                    draws.append(torch.tensor(rows, dtype=torch.int16)[chosen])
        names = ("weight1", "bias1", "weight2", "bias2")
        for name, tensors in zip(names, zip(*starts, strict=True), strict=True):
            self.register_parameter(name, nn.Parameter(torch.stack(tensors)))
        together = torch.stack(draws) if draws else None
        return torch.tensor(np.array(shares), dtype=torch.float32), together

    def losses(
        self,
        rows: Float[torch.Tensor, "rows n_in"],
        labels: Float[torch.Tensor, "rows n_out"],
        matters: Float[torch.Tensor, "rows n_out"],
        weights: Float[torch.Tensor, "member rows"],
    ) -> Float[torch.Tensor, " member"]:
        """Return each member's loss, each row counted as often as its weight says."""
        weight1, bias1, weight2, bias2 = self.parameters()
        x = rows.expand(len(weight1), *rows.shape)
        hidden = self.activation(torch.baddbmm(bias1[:, None], x, weight1.mT))
        y = torch.baddbmm(bias2[:, None], hidden, weight2.mT)
        target = labels.expand_as(y)
        if self.settings.loss == "bce":
            each = functional.binary_cross_entropy_with_logits(y, target, reduction="none")
        else:
            each = (y - target) ** 2
        return ((each * matters).mean(dim=2) * weights).sum(dim=1)


def _places(task: Task) -> list[int]:
    """Return what one step of each input word adds to a row's number."""
    places: list[int] = []
    place = task.rows
    for word in task.inputs:
        place //= word.size
        places.append(place)
    return places


def _judge(
    task: Task,
    settings: Settings,
    block: Block,
    first: int,
    arrays: list[Any],
    losses: Float64[np.ndarray, " member"],
) -> list[Member]:
    """Return the members with their truth tables: by double where clear, exactly elsewhere."""
    raw, bound, hidden = _forward(settings, block, arrays)
    readout = settings.readout
    bits = (raw > readout.threshold).astype(np.uint8)
    cares = np.ones(block.expected.shape, dtype=bool) if block.cares is None else block.cares
    is_finite = np.array(
        [
            np.logical_and.reduce([np.isfinite(a).all() for a in parts])
            for parts in zip(*arrays, strict=True)
        ]
    )
    unclear = ((np.abs(raw - readout.threshold) <= bound) & cares).any(axis=(1, 2)) & is_finite
    members: list[Member] = []
    for i in range(len(raw)):
        parts = tuple(array[i] for array in arrays)
        seed = (settings.seed + first + i) % (1 << 32)
        if not is_finite[i]:
            member = Member(
                first + i, seed, math.nan, 0, False, (), -math.inf, 0, parts
            )  # fmt: skip
            members.append(member)
            continue
        if unclear[i]:
            network = network_of(list(parts), task, settings, PATH)
            assert network is not None
            bits[i] = _exact_bits(network, block)
        right = (bits[i] == block.expected) | ~cares
        distance = np.where(block.expected == 1, 1, -1) * (raw[i] - readout.threshold)
        values = [tuple(task.words_of(row).values()) for row in bits[i]]
        members.append(
            Member(
                member=first + i,
                seed=seed,
                loss=float(losses[i]),
                rows_right=int(right.all(axis=1).sum()),
                is_right=bool(right.all()),
                table=tuple(_joined(task, words) for words in values),
                margin=float(distance[cares].min()),
                dead_units=int((hidden[i] == 0).all(axis=0).sum())
                if settings.activation == "relu"
                else 0,
                arrays=parts,
            )
        )
    return members


def _forward(
    settings: Settings, block: Block, arrays: list[Any]
) -> tuple[
    Float64[np.ndarray, "member rows n_out"],
    Float64[np.ndarray, "member rows n_out"],
    Float64[np.ndarray, "member rows hidden"],
]:
    """Return outputs in double, a bound far above their rounding error, and the hidden units.

    The bound is 2**-40 of the sum of magnitudes, some thousand times what the summation of so
    few terms in double, or one tanh, can be off.
    """
    weight1, bias1, weight2, bias2 = (array.astype(np.float64) for array in arrays)
    kind = settings.network_activation
    with np.errstate(over="ignore", invalid="ignore"):
        sums = block.inputs @ weight1.transpose(0, 2, 1) + bias1[:, None]
        hidden = {
            "relu": lambda: np.maximum(sums, 0),
            "tanh": lambda: np.tanh(sums),
            "leaky": lambda: np.where(sums > 0, sums, sums * kind.slope),
        }[kind.kind]()
        raw = hidden @ weight2.transpose(0, 2, 1) + bias2[:, None]
        reach = block.inputs @ np.abs(weight1).transpose(0, 2, 1) + np.abs(bias1)[:, None]
        total = (reach + 1) @ np.abs(weight2).transpose(0, 2, 1) + np.abs(bias2)[:, None]
    return raw, total * 2.0**-40, hidden


def _exact_bits(network: Network, block: Block) -> UInt8[np.ndarray, "rows n_out"]:
    """Return a member's bits on every row by exact arithmetic, or by intervals for tanh."""
    if is_exact(network):
        return read_bits(network.readout, outputs(network, block.inputs))[0]
    threshold = network.readout.threshold
    rows = [
        [int(low > threshold) for low, _ in enclose_row(network, row, precision=400)]
        for row in block.inputs
    ]
    return np.array(rows, dtype=np.uint8)


def _joined(task: Task, values: tuple[int, ...]) -> int:
    """Return a row's output words as one number, the first word the most significant."""
    total = 0
    for word, value in zip(task.outputs, values, strict=True):
        total = total << word.width | value
    return total
