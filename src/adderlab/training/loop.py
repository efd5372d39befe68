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
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import nn, optim

from adderlab.nets import Layer, Network
from adderlab.nets.dyadic import Dyadic
from adderlab.nets.evaluation import activate, affine
from adderlab.nets.modules import AdderNN
from adderlab.nets.tensors import Dense
from adderlab.tasks import Task, sample
from adderlab.training.settings import MOMENTUM, Settings

if TYPE_CHECKING:
    from jaxtyping import Float, Int64

PATH: Final = "torch-loop"
REPORT_EVERY = 100
LARGEST_TABLE = 1 << 20


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One network's training.

    Attributes:
        settings: what it was told.
        task: what it was to learn.
        network: the trained network; ``None`` if its weights left the finite numbers.
        losses: pairs of step and loss, every 100 steps: of the step's own samples, before the
            step's update, as the notebook prints them.
        loss: the last step's loss; of the untrained network where there were no steps.
        data_loss: over the whole data set, with the final weights.
        accuracy: the share of samples with all output bits right, by the notebook's test.
        dead_units: numbers of the hidden units that are off on every row (the first is 1).
        missing_rows: how many of the task's rows the samples lacked; ``None`` if not counted.
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
    seconds: float = field(compare=False)


_ALONE = threading.RLock()


@contextmanager
def one_thread() -> Generator[None]:
    """Let one training run at a time, on one of PyTorch's threads.

    One at a time, because PyTorch's random generator belongs to the whole process: two at once
    would draw from each other's seeds. One thread, because more help nothing on networks this
    small, and on a busy machine wait for one another fifty times longer than the work takes;
    the numbers are the same with one, 2, 4 and 16.
    """
    with _ALONE:
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
    """Train one network and return what came out; PyTorch's own generator is left as it was.

    Args:
        task: what to learn.
        settings: how.
        on_loss: called with step and loss every 100 steps.
        on_step: called with 0 and the untrained model, then after every step with its number.

    Raises:
        ResourceError: the run would not fit in memory.
    """
    settings.check_memory(task)
    start = time.perf_counter()
    with torch.random.fork_rng(devices=[]):
        # The notebook draws its data first, then makes its model: the model's random start
        # comes after the draws of the data. `sample` makes those draws without PyTorch, so
        # here they are only skipped.
        samples = sample(task, settings.samples, seed=settings.seed)
        _ = torch.manual_seed(settings.seed)
        _ = torch.randint(2, (settings.samples * len(task.inputs),))
        model = make_model(task, settings)
        # Which samples each step looks at: none to choose from if it looks at all of them.
        batches = None
        if settings.batch is not None:
            batches = torch.randint(settings.samples, (settings.steps, settings.batch))

    x_train = torch.tensor(samples.inputs, dtype=torch.float32)
    y_train = torch.tensor(samples.outputs, dtype=torch.float32)
    cares = samples.block.cares
    fixed = None if cares is None else torch.tensor(cares)

    losses, last = fit(model, x_train, y_train, settings, batches, fixed, on_loss, on_step=on_step)

    # Test the model, as the notebook does: over the samples it was trained on.
    criterion = make_criterion(settings)
    with torch.no_grad():
        y = model(x_train)
        target = y_train if fixed is None else torch.where(fixed, y_train, y)
        data_loss = float(criterion(y, target))
        predicted = (y > settings.readout.threshold).float()
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
        missing_rows=_missing_rows(samples.block.inputs, task),
        seconds=time.perf_counter() - start,
    )


def fit(
    model: nn.Module,
    x_train: Float[torch.Tensor, "samples n_in"],
    y_train: Float[torch.Tensor, "samples n_out"],
    settings: Settings,
    batches: Int64[torch.Tensor, "steps batch"] | None,
    fixed: torch.Tensor | None,
    on_loss: Callable[[int, float], None],
    on_step: Callable[[int, nn.Module], None] = lambda step, model: None,
) -> tuple[list[tuple[int, float]], float]:
    """The training loop; returns the losses reported and the last step's loss."""
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
            if care is not None:  # an output that may be anything is as good as its own label
                y = torch.where(care, y, outputs.detach())
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
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(f"interrupted at step {step} of {settings.steps}")
        raise
    return losses, last


def make_model(task: Task, settings: Settings) -> AdderNN:
    """Return the untrained network, its start drawn from PyTorch's generator as it stands."""
    kinds: dict[str, Callable[[], nn.Module]] = {
        "relu": nn.ReLU,
        "tanh": nn.Tanh,
        "leaky": lambda: nn.LeakyReLU(settings.network_activation.slope),
    }
    activation = kinds[settings.network_activation.kind]()
    return AdderNN(task.n_in, settings.hidden, task.n_out, activation=activation)


def make_optimizer(model: nn.Module, settings: Settings) -> optim.Optimizer:
    """Return the optimizer of the settings for the model's parameters."""
    if settings.optimizer == "adam":
        return optim.Adam(model.parameters(), lr=settings.lr)
    momentum = MOMENTUM if settings.optimizer == "momentum" else 0.0
    return optim.SGD(model.parameters(), lr=settings.lr, momentum=momentum)


def make_criterion(settings: Settings) -> nn.Module:
    """Return the loss of the settings: mean squared error, or cross entropy on logits."""
    return nn.BCEWithLogitsLoss() if settings.loss == "bce" else nn.MSELoss()


def to_network(model: AdderNN, task: Task, settings: Settings) -> Network | None:
    """Return the trained weights as a network; ``None`` if one of them is not finite."""
    arrays = [parameter.detach().numpy().copy() for parameter in model.parameters()]
    return network_of(arrays, task, settings)


def network_of(
    arrays: list[Any], task: Task, settings: Settings, path: str = PATH
) -> Network | None:
    """Return [fc1.weight, fc1.bias, fc2.weight, fc2.bias] as a network, or ``None``.

    ``path`` is the engine that trained it, for the record.
    """
    if not all(np.isfinite(array).all() for array in arrays):
        return None
    w1, b1, w2, b2 = (Dense(array) for array in arrays)
    layers = (Layer(w1, b1, settings.network_activation), Layer(w2, b2))
    return Network(layers, settings.readout, task, "fp32", settings.record(task, path))


def dead_units(network: Network, task: Task) -> tuple[int, ...]:
    """Return the hidden units, from 1, that are off on every row; relu networks alone have any."""
    first = network.layers[0]
    if first.activation.kind != "relu" or task.rows > LARGEST_TABLE:
        return ()
    is_off = np.ones(first.n_out, dtype=bool)
    for block in task.blocks():
        hidden = activate(first.activation, affine(first, Dyadic(block.inputs.astype(np.int64))))
        is_off &= (hidden.integers == 0).all(axis=0)
    return tuple(int(unit) + 1 for unit in np.flatnonzero(is_off))


def _missing_rows(inputs: Any, task: Task) -> tuple[int, ...] | None:
    """Return the numbers of the rows that no sample shows."""
    if task.rows > 1 << 12:
        return None
    every = next(task.blocks(task.rows)).inputs
    seen = {row.tobytes() for row in inputs}
    return tuple(number for number, row in enumerate(every) if row.tobytes() not in seen)
