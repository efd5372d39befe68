"""Training one network, written as the lecture does it: read this file from top to bottom.

Rule: with the default settings every number is the notebook's own, digit for digit, because the
same draws are made in the same order: first the data, then the model.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import nn, optim

from adderlab.errors import Interrupted
from adderlab.nets.activation_modules import module_of
from adderlab.nets.modules import AdderNN
from adderlab.tasks import RowBlock, Task, sample
from adderlab.training import draws
from adderlab.training.networks import dead_units, network_of
from adderlab.training.schedule import CHECK_EVERY
from adderlab.training.settings import Settings, check_batch, check_rows

if TYPE_CHECKING:
    from jaxtyping import Float, Int64

    from adderlab.nets import Network

PATH: Final = "torch-loop"
REPORT_EVERY = 100


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One network's training.

    Attributes:
        settings: of the run.
        task: the task it was trained for.
        network: the trained network; ``None`` if its weights became non-finite.
        losses: pairs of step and loss, every 100 steps: of the step's own samples, before the
            step's update, as the notebook prints them.
        loss: the last step's loss; of the untrained network where there were no steps.
        data_loss: over the whole data set, with the final weights.
        accuracy: the share of samples with all output bits right, by the notebook's test.
        dead_units: numbers of the hidden units that are off on every row (the first is 1, and
            those of a second layer go on from the last of the first).
        missing_rows: how many of the task's rows the samples lacked; ``None`` if not counted.
        stopped_at: how many steps were taken: all, unless it stopped early.
        seconds: how long it took.
    """

    settings: Settings
    task: Task
    network: Network | None
    losses: tuple[tuple[int, float], ...]
    loss: float
    data_loss: float
    accuracy: float
    dead_units: tuple[int, ...]
    missing_rows: tuple[int, ...] | None
    stopped_at: int
    seconds: float = field(compare=False)


_LOCK = threading.RLock()


@contextmanager
def one_thread() -> Generator[None]:
    """Let one training run at a time, on one of PyTorch's threads.

    One at a time, because PyTorch's random generator belongs to the whole process: two at once
    would draw from each other's seeds. One thread, because more help nothing on networks this
    small, and on a busy machine wait for one another fifty times longer than the work takes;
    the numbers are the same with one, 2, 4 and 16.
    """
    with _LOCK:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


@one_thread()
def train_network(
    task: Task,
    settings: Settings,
    *,
    on_loss: Callable[[int, float], None] = lambda step, loss: None,
    on_step: Callable[[int, nn.Module], None] = lambda step, model: None,
) -> TrainingRun:
    """Train one network; the state of PyTorch's own generator is left as it was.

    Args:
        task: the task to learn.
        settings: of the run.
        on_loss: called with step and loss every 100 steps.
        on_step: called with 0 and the untrained model, then after every step with its number.

    Raises:
        ResourceError: the run would not fit in memory, or take over a century.
    """
    check_batch(task, settings)
    settings.check_memory(task)
    settings.check_time(task)
    start = time.perf_counter()
    if settings.member is None:
        block, model, batches = _drawn_as_the_notebook_draws(task, settings)
    else:
        block, model, batches = _drawn_by_member(task, settings, settings.member)

    x_train = torch.tensor(block.inputs, dtype=torch.float32)
    y_train = torch.tensor(block.expected, dtype=torch.float32)
    fixed = None if block.cares is None else torch.tensor(block.cares)

    stop = _stop(task, settings)
    losses, last, steps_done = fit(
        model, x_train, y_train, settings, batches, fixed, on_loss, stop, on_step=on_step
    )

    # Test the model, as the notebook does: over the samples it was trained on.
    criterion = make_criterion(settings)
    with torch.no_grad():
        y = model(x_train)
        counted = y if fixed is None else torch.where(fixed, y, _perfect(y_train, settings))
        data_loss = float(criterion(counted, y_train))
        predicted = settings.readout.above(y).float()
        right = predicted == y_train
        accuracy = float((right if fixed is None else right | ~fixed).all(dim=1).float().mean())

    network = to_network(model, task, settings)
    return TrainingRun(
        settings=settings,
        task=task,
        network=network,
        losses=tuple(losses),
        loss=last if settings.steps else data_loss,
        data_loss=data_loss,
        accuracy=accuracy,
        dead_units=dead_units(network, task) if network is not None else (),
        missing_rows=_missing_rows(block.inputs, task),
        stopped_at=steps_done,
        seconds=time.perf_counter() - start,
    )


def _drawn_as_the_notebook_draws(
    task: Task, settings: Settings
) -> tuple[RowBlock, nn.Module, Int64[torch.Tensor, "steps batch"] | None]:
    """Return the data, the untrained model, and which samples each step looks at."""
    with torch.random.fork_rng(devices=[]):
        # The notebook draws its data first, then makes its model: the model's random start
        # comes after the draws of the data. `sample` makes those draws without PyTorch, so
        # here they are only skipped.
        _ = torch.manual_seed(settings.seed)
        if settings.data == "samples":
            block = sample(task, settings.samples, seed=settings.seed).block
            _ = torch.randint(2, (settings.samples * len(task.inputs),))
        else:
            block = next(task.blocks(task.rows))
        model = make_model(task, settings)
        # Which samples each step looks at: none to choose from if it looks at all of them.
        batches = None
        if settings.batch is not None:
            batches = torch.randint(len(block.inputs), (settings.steps, settings.batch))
    return block, model, batches


def _drawn_by_member(
    task: Task, settings: Settings, member: int
) -> tuple[RowBlock, nn.Module, Int64[torch.Tensor, "steps batch"] | None]:
    """Return the same for a member of the seed's population, from the population's own draws."""
    check_rows(task, "member")
    numbers = np.array([member], dtype=np.uint64)
    (counts,) = draws.row_counts(task, settings, numbers)
    rows = np.repeat(np.arange(task.rows), counts)  # the samples, in the order of their rows
    block = task.block_of(task.input_words(rows))
    with torch.random.fork_rng(devices=[]):
        model = make_model(task, settings)
    (drawn,) = draws.start(task, settings, numbers)
    _ = nn.utils.vector_to_parameters(torch.from_numpy(drawn), model.parameters())
    batches = None
    if settings.batch is not None:
        (chosen,) = draws.batch_samples(settings, numbers, len(rows), 0, settings.steps)
        batches = torch.from_numpy(chosen)
    return block, model, batches


def fit(
    model: nn.Module,
    x_train: Float[torch.Tensor, "samples n_in"],
    y_train: Float[torch.Tensor, "samples n_out"],
    settings: Settings,
    batches: Int64[torch.Tensor, "steps batch"] | None,
    fixed: torch.Tensor | None,
    on_loss: Callable[[int, float], None],
    stop: Callable[[nn.Module], bool] | None = None,
    *,
    on_step: Callable[[int, nn.Module], None] = lambda step, model: None,
) -> tuple[list[tuple[int, float]], float, int]:
    """The training loop; returns the losses reported, the last step's loss and its number."""
    # The optimizer: how a gradient changes a weight. Plain SGD does
    # w_next = w_now - lr * gradient.
    # Its name promises random samples, but that depends on how the loss is measured, below:
    # on all samples it is gradient descent (GD), on one it is stochastic (SGD), on a few it is
    # minibatch SGD.
    optimizer = make_optimizer(model, settings)

    # The loss L(F(x), y): how far the outputs F(x) are from the labels y.
    criterion = make_criterion(settings)

    losses: list[tuple[int, float]] = []
    last = math.nan
    step = 0
    on_step(0, model)
    try:
        for step in range(1, settings.steps + 1):
            # The samples that this step learns from: all of them, or those drawn for it.
            x, y = x_train, y_train
            care = fixed
            if batches is not None:
                chosen = batches[step - 1]
                x, y = x_train[chosen], y_train[chosen]
                care = None if fixed is None else fixed[chosen]

            # Forward pass: F(x), where F is the network.
            outputs = model(x)
            if care is not None:  # an output that may be anything counts as one that is perfect
                outputs = torch.where(care, outputs, _perfect(y, settings))
            loss = criterion(outputs, y)

            # Backward pass. Each parameter has two memory slots: w itself, and its gradient
            # dL/dw. backward() *adds* to the second slot, so it must be emptied first, or the
            # gradients of all steps pile up. (After zero_grad() the slot holds None, nothing at
            # all: not 0, as long as set_to_none is left at its default.)
            optimizer.zero_grad()
            loss.backward()  # backpropagation fills dL/dw for every parameter

            # One step of the optimizer: the weights change, the gradients stay as they are.
            optimizer.step()
            on_step(step, model)

            last = loss.item()
            if step % REPORT_EVERY == 0:
                losses.append((step, last))
                on_loss(step, last)

            # Early stopping, by option: now and then, look whether every row is right already.
            if stop is not None and step % CHECK_EVERY == 0 and stop(model):
                break
    except KeyboardInterrupt:
        raise Interrupted(at=f"step {step} of {settings.steps}") from None
    return losses, last, step


def _perfect(
    labels: Float[torch.Tensor, "samples n_out"], settings: Settings
) -> Float[torch.Tensor, "samples n_out"]:
    """Return outputs that lose nothing: the labels, or logits beyond which nothing is left."""
    return (2 * labels - 1) * 200 if settings.loss == "bce" else labels


def _stop(task: Task, settings: Settings) -> Callable[[nn.Module], bool] | None:
    """Return what says that all rows are right by the margin that the settings ask for."""
    margin = settings.stop_margin
    if margin is None:
        return None
    table = next(task.blocks(task.rows))
    x = torch.tensor(table.inputs, dtype=torch.float32)
    labels = torch.tensor(table.expected, dtype=torch.float32)
    cares = torch.ones(labels.shape, dtype=torch.bool)
    if table.cares is not None:
        cares = torch.tensor(table.cares)

    def is_right(model: nn.Module) -> bool:
        with torch.no_grad():
            distance = settings.readout.distance(model(x), labels)
        return bool((distance[cares] > margin).all())

    return is_right


def make_model(task: Task, settings: Settings) -> nn.Module:
    """Return the untrained network, its start drawn from PyTorch's generator as it stands."""
    activation = settings.network_activation
    sizes = settings.sizes(task)
    if len(settings.widths) == 1:
        model = AdderNN(*sizes, activation=module_of(activation))
    else:
        parts: list[nn.Module] = []
        for n_in, n_out in pairwise(sizes):
            parts += [nn.Linear(n_in, n_out), module_of(activation)]
        model = nn.Sequential(*parts[:-1])
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if settings.init != "torch" and name.endswith("bias"):
                _ = nn.init.zeros_(parameter)
            elif settings.init == "he":
                _ = nn.init.kaiming_uniform_(parameter, nonlinearity="relu")
            elif settings.init == "xavier":
                _ = nn.init.xavier_uniform_(parameter)
            if settings.init_scale != 1:
                _ = parameter.mul_(settings.init_scale)
    return model


def make_optimizer(model: nn.Module, settings: Settings) -> optim.Optimizer:
    """Return the optimizer of the settings for the model's parameters."""
    options: dict[str, Any] = {"lr": settings.lr, "weight_decay": settings.weight_decay}
    if settings.optimizer == "adam":
        return optim.Adam(model.parameters(), **options)
    momentum = settings.momentum if settings.optimizer == "momentum" else 0.0
    return optim.SGD(model.parameters(), momentum=momentum, **options)


def make_criterion(settings: Settings) -> nn.Module:
    """Return the loss of the settings: mean squared error, or cross entropy on logits."""
    return nn.BCEWithLogitsLoss() if settings.loss == "bce" else nn.MSELoss()


def to_network(model: nn.Module, task: Task, settings: Settings) -> Network | None:
    """Return the trained weights as a network; ``None`` if one of them is not finite."""
    arrays = [parameter.detach().numpy().copy() for parameter in model.parameters()]
    return network_of(arrays, task, settings, PATH)


def _missing_rows(inputs: Any, task: Task) -> tuple[int, ...] | None:
    """Return the numbers of the rows that no sample shows."""
    if task.rows > 1 << 12:
        return None
    every = next(task.blocks(task.rows)).inputs
    seen = {row.tobytes() for row in inputs}
    return tuple(number for number, row in enumerate(every) if row.tobytes() not in seen)
