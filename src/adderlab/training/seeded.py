"""One member as populations once trained it: seed S + i, drawn as the notebook draws.

It is kept so that a network file of that time (path ``torch-ensemble``, no member) can be
trained again to the same bytes; populations have draws of their own now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from adderlab.errors import OptionError
from adderlab.tasks import sample
from adderlab.training.loop import make_model, make_optimizer, one_thread
from adderlab.training.networks import network_of
from adderlab.training.settings import check_rows

if TYPE_CHECKING:
    from jaxtyping import Int64

    from adderlab.nets import Network
    from adderlab.tasks import Task
    from adderlab.training.settings import Settings

PATH = "torch-ensemble"


@one_thread()
def train_seeded(task: Task, settings: Settings) -> Network | None:
    """Return the network of a seed, trained on weighted rows; ``None`` if it diverged.

    Raises:
        OptionError: the settings are none of that time's.
        ResourceError: the task has too many rows, or the run would not fit in memory.
    """
    check_rows(task, "training")
    settings.check_memory(task)
    if len(settings.widths) != 1:
        raise OptionError("no population of two hidden layers had seeds", where="training")
    samples = sample(task, settings.samples, seed=settings.seed)
    drawn = _rows_of(task, samples.words)
    shares = np.bincount(drawn, minlength=task.rows) / settings.samples
    with torch.random.fork_rng(devices=[]):
        _ = torch.manual_seed(settings.seed)
        _ = torch.randint(2, (settings.samples * len(task.inputs),))
        start = [parameter.detach() for parameter in make_model(task, settings).parameters()]
        batches = None
        if settings.batch is not None:
            chosen = torch.randint(settings.samples, (settings.steps, settings.batch))
            batches = torch.tensor(drawn, dtype=torch.int16)[chosen]
    model = _Ensemble(start, settings)
    optimizer = make_optimizer(model, settings)
    block = next(task.blocks(task.rows))
    rows = torch.tensor(block.inputs, dtype=torch.float32)
    labels = torch.tensor(block.expected, dtype=torch.float32)
    matters = torch.ones_like(labels)
    if block.cares is not None:
        matters = torch.tensor(block.cares, dtype=torch.float32)
    weights = torch.tensor(shares[None], dtype=torch.float32)
    for step in range(settings.steps):
        if batches is not None:  # how often this step drew each row, instead of all samples
            chosen = batches[None, step].long()
            weights = functional.one_hot(chosen, len(rows)).float().mean(dim=1)
        loss = model.losses(rows, labels, matters, weights).sum()
        optimizer.zero_grad()
        _ = loss.backward()
        _ = optimizer.step()
    arrays = [parameter.detach().numpy()[0] for parameter in model.parameters()]
    return network_of(arrays, task, settings, PATH)


def _rows_of(
    task: Task, words: dict[str, Int64[np.ndarray, " samples"]]
) -> Int64[np.ndarray, " samples"]:
    """Return the number of each sample's row."""
    rows = np.zeros(1, dtype=np.int64)
    for word in task.inputs:
        rows = rows * word.size + words[word.name]
    return rows


class _Ensemble(nn.Module):
    """One network, its parameters with a leading axis as an ensemble has them."""

    def __init__(self, start: list[torch.Tensor], settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        names = ("weight1", "bias1", "weight2", "bias2")
        for name, tensor in zip(names, start, strict=True):
            self.register_parameter(name, nn.Parameter(tensor[None].clone()))

    def losses(
        self,
        rows: torch.Tensor,
        labels: torch.Tensor,
        matters: torch.Tensor,
        weights: torch.Tensor,
    ) -> torch.Tensor:
        """Return the loss, each row counted as often as its weight says."""
        weight1, bias1, weight2, bias2 = self.parameters()
        kind = self.settings.network_activation
        sums = torch.baddbmm(bias1[:, None], rows[None], weight1.mT)
        hidden = {
            "relu": functional.relu,
            "tanh": torch.tanh,
            "leaky": lambda values: functional.leaky_relu(values, kind.slope),
        }[kind.kind](sums)
        y = torch.baddbmm(bias2[:, None], hidden, weight2.mT)
        target = labels.expand_as(y)
        if self.settings.loss == "bce":
            each = functional.binary_cross_entropy_with_logits(y, target, reduction="none")
        else:
            each = (y - target) ** 2
        return ((each * matters).mean(dim=2) * weights).sum(dim=1)
