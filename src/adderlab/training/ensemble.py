"""Many networks at once with PyTorch alone: batched matrix products and autograd.

This is what trains a shape that no compiled kernel takes, and what the kernels are measured
against. Networks are trained in blocks of one size, the last one filled up, so that a member's
products have the same shape whatever the population's size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch.nn import functional

from adderlab.nets.activation_modules import module_of
from adderlab.nets.layout import Layout
from adderlab.training import draws
from adderlab.training.loop import one_thread
from adderlab.training.schedule import CHECK_EVERY, Schedule
from adderlab.training.settings import ADAM_BETAS, ADAM_EPSILON
from adderlab.training.work import Outcome, Work, members_at_once

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int64

    from adderlab.tasks import RowBlock

PATH: Final = "torch-ensemble"
DRAWN_AT_ONCE: Final = 16
"""Steps whose batches are drawn at once."""


def train_blocks(work: Work, on_progress: Callable[[int], None]) -> Outcome:
    """Draw and train any number of networks, block by block."""
    outcome = work.empty_outcome()
    at_once = members_at_once(work.task, work.settings)
    for first in range(0, len(work.members), at_once):
        part = work.part(first, at_once)
        draws.fill(part)
        outcome.put(first, train_ensemble(part, on_progress))
    return outcome


@one_thread()
def train_ensemble(work: Work, on_progress: Callable[[int], None] = lambda done: None) -> Outcome:
    """Train one block of at most :func:`members_at_once` networks.

    Args:
        work: the networks, their data and settings.
        on_progress: called after each step with the networks in the block.
    """
    size = members_at_once(work.task, work.settings)
    count = len(work.members)
    outcome = _Run(work.filled(size)).train(lambda: on_progress(count))
    return outcome.first(count)


class _Run:
    """A block that is being trained."""

    def __init__(self, work: Work) -> None:
        settings = work.settings
        self.work = work
        self.settings = settings
        self.plan: Schedule = work.schedule
        self.parameters = [
            torch.tensor(part).requires_grad_()
            for part in Layout(settings.sizes(work.task)).split(work.start)
        ]
        block = work.table
        self.rows, self.labels, self.cares = _as_tensors(block)
        self.shares = torch.from_numpy(work.shares)
        self.lr = torch.from_numpy(work.lr)
        self.momentum = torch.from_numpy(work.momentum)
        self.drawn = np.empty((0, 0, 0), dtype=np.int64)
        self.state = [[torch.zeros_like(p), torch.zeros_like(p)] for p in self.parameters]
        self.activation = module_of(settings.network_activation)

    def train(self, on_step: Callable[[], None]) -> Outcome:
        """Take all steps, and read losses, checks and weights where the schedule says."""
        plan, count = self.plan, len(self.work.members)
        outcome = self.work.empty_outcome()
        is_active = torch.ones(count, dtype=torch.bool)
        losses, checks, kept = set(plan.losses), set(plan.checks), set(plan.kept)
        at_loss = at_kept = 0
        for step in range(plan.steps + 1):
            if step and bool(is_active.any()):
                self._step(step, is_active)
                on_step()
            elif step:
                on_step()
            if step in checks:
                right, by_margin = self._check()
                solved = np.where(outcome.solved_at < 0, step, outcome.solved_at)
                outcome.solved_at[:] = np.where(right.numpy(), solved, -1)
                if step and step % CHECK_EVERY == 0 and self.settings.stop_margin is not None:
                    stops = by_margin & is_active
                    outcome.stopped_at[stops.numpy()] = step
                    is_active &= ~by_margin
            if step in losses:
                with torch.no_grad():
                    outcome.losses[:, at_loss] = self._losses(self.shares).numpy()
                at_loss += 1
            if step in kept:
                outcome.kept[:, at_kept] = self._flat()
                at_kept += 1
        outcome.arrays[:] = self._flat()
        return outcome

    def _flat(self) -> Any:
        parts = [p.detach().numpy().reshape(len(p), -1) for p in self.parameters]
        return np.concatenate(parts, axis=1)

    def _outputs(self) -> Float[torch.Tensor, "member rows n_out"]:
        values = self.rows.expand(len(self.parameters[0]), *self.rows.shape)
        layers = list(zip(self.parameters[::2], self.parameters[1::2], strict=True))
        for number, (weight, bias) in enumerate(layers):
            values = torch.baddbmm(bias[:, None], values, weight.mT)
            if number + 1 < len(layers):
                values = self.activation(values)
        return values

    def _losses(
        self, weights: Float[torch.Tensor, "member rows"]
    ) -> Float[torch.Tensor, " member"]:
        """Return each member's loss, each row counted as often as its weight says."""
        y = self._outputs()
        target = self.labels.expand_as(y)
        if self.settings.loss == "bce":
            each = functional.binary_cross_entropy_with_logits(y, target, reduction="none")
        else:
            each = (y - target) ** 2
        return ((each * self.cares).mean(dim=2) * weights).sum(dim=1)

    def _check(self) -> tuple[Bool[torch.Tensor, " member"], Bool[torch.Tensor, " member"]]:
        """Return which members are right on all rows, and which by the margin to stop at."""
        with torch.no_grad():
            y = self._outputs()
        free = self.cares == 0
        readout = self.settings.readout
        is_right = (readout.above(y) == (self.labels == 1)) | free
        margin = self.settings.stop_margin or 0.0
        clear = (readout.distance(y, self.labels) > margin) | free
        return is_right.flatten(1).all(dim=1), clear.flatten(1).all(dim=1)

    def _step(self, step: int, is_active: Bool[torch.Tensor, " member"]) -> None:
        """Take step number ``step``, from 1; members that have stopped stay where they are."""
        weights = self.shares
        if self.settings.batch is not None:  # how often this step drew each row
            drawn = self._drawn(step)
            each = torch.full(drawn.shape, 1 / self.settings.batch)
            weights = torch.zeros_like(self.shares).scatter_add_(1, drawn, each)
        loss = self._losses(weights).sum()  # no member sees another: each has its own gradient
        gradients = torch.autograd.grad(loss, self.parameters)
        lr = torch.where(is_active, self.lr, 0.0)
        with torch.no_grad():
            for p, gradient, memory in zip(self.parameters, gradients, self.state, strict=True):
                along = (-1, *[1] * (p.dim() - 1))
                change = self._change(step, p, gradient, memory, along, lr)
                _ = p.sub_(change)

    def _drawn(self, step: int) -> Int64[torch.Tensor, "member batch"]:
        """Return the rows that a step looks at; they are drawn for several steps at a time."""
        place = (step - 1) % DRAWN_AT_ONCE
        if place == 0:
            count = min(DRAWN_AT_ONCE, self.plan.steps - step + 1)
            work = self.work
            self.drawn = draws.batch_rows(self.settings, work.members, work.counts, step - 1, count)
        return torch.from_numpy(self.drawn[:, place])

    def _change(
        self,
        step: int,
        parameter: torch.Tensor,
        gradient: torch.Tensor,
        memory: list[torch.Tensor],
        along: tuple[int, ...],
        lr: torch.Tensor,
    ) -> torch.Tensor:
        """Return what is taken off a parameter: ``torch.optim``'s formulas, an lr a member."""
        if self.settings.weight_decay:
            gradient = gradient + self.settings.weight_decay * parameter
        rate = lr.view(along)
        if self.settings.optimizer == "sgd":
            return rate * gradient
        if self.settings.optimizer == "momentum":
            memory[0] = self.momentum.view(along) * memory[0] + gradient
            return rate * memory[0]
        beta1, beta2 = ADAM_BETAS
        _ = memory[0].lerp_(gradient, 1 - beta1)
        _ = memory[1].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        scale = memory[1].sqrt() / (1 - beta2**step) ** 0.5 + ADAM_EPSILON
        return rate / (1 - beta1**step) * (memory[0] / scale)


def _as_tensors(block: RowBlock) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rows = torch.tensor(block.inputs, dtype=torch.float32)
    labels = torch.tensor(block.expected, dtype=torch.float32)
    if block.cares is None:
        return rows, labels, torch.ones_like(labels)
    return rows, labels, torch.tensor(block.cares, dtype=torch.float32)
