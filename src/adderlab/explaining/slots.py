"""The two memory slots of every parameter, w and dL/dw, through the lines of the training loop.

Rule: everything shown is read from PyTorch after it ran the line; nothing is calculated here.

The notebook's comments say: each parameter has two slots, w and dL/dw; dL/dw is not reset unless
you say so; backward() fills it; step() changes w and leaves dL/dw where it is. This runs them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.errors import ModelError, NetworkError, OptionError, ResourceError
from adderlab.explaining.results import finite_or_none
from adderlab.explaining.rows import Example
from adderlab.nets.network import Network
from adderlab.nets.readout import Readout
from adderlab.nets.tensors import Dense, Sparse, Tensor, stored_in
from adderlab.nets.wiring import layer_number

if TYPE_CHECKING:
    import torch
    from torch import nn

LARGEST_SLOTS: Final = 200
"""Parameters up to which both slots of each are shown."""

MOST_ITERATIONS: Final = 20
LOSS_STEPS: Final = 100
"""Iterations over which the losses with and without zero_grad are compared."""


@dataclass(frozen=True, slots=True)
class Slots:
    """All parameters' two slots at one moment.

    Attributes:
        after: the line that has just run.
        w: each tensor's numbers.
        gradient: each tensor's second slot; ``None`` where PyTorch keeps nothing there.
    """

    after: str
    w: dict[str, Any]
    gradient: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        return {"after": self.after, "w": self.w, "gradient": self.gradient}


@dataclass(frozen=True, slots=True)
class Iteration:
    """One iteration of the loop: its loss, and the slots after each of its lines."""

    loss: float
    moments: tuple[Slots, ...]

    def after(self, line: str) -> Slots:
        """Return the slots as they were after a line."""
        return next(slots for slots in self.moments if slots.after == line)

    def to_dict(self) -> dict[str, Any]:
        return {
            "loss": finite_or_none(self.loss),
            "moments": [slots.to_dict() for slots in self.moments],
        }


@dataclass(frozen=True, slots=True)
class SlotsRun:
    """The slots and losses of the training loop, with and without ``zero_grad``.

    Attributes:
        lr: learning rate of the SGD.
        with_zero_grad: the loop as the notebook has it.
        without_zero_grad: the same start, the line left out.
        losses_with: the loss of each of many iterations.
        losses_without: the same without ``zero_grad``.
        left_by_default: what ``zero_grad()`` leaves in the slot, as Python prints it.
        left_by_zero: what ``zero_grad(set_to_none=False)`` leaves.
        forgotten: the parameter that the optimizer was not given.
        forgotten_run: the loop with that optimizer.
        step_message: PyTorch's message on training the class whose readout is a step.
        torch_version: PyTorch's version.
        made_dense: whether sparse tensors were made dense, their zeros as parameters.
        start: of a trained network's own start, its seed; ``None`` where the loop starts from the
            weights in the file.
    """

    lr: float
    with_zero_grad: tuple[Iteration, ...]
    without_zero_grad: tuple[Iteration, ...]
    losses_with: tuple[float, ...]
    losses_without: tuple[float, ...]
    left_by_default: str
    left_by_zero: str
    forgotten: str
    forgotten_run: tuple[Iteration, ...]
    step_message: str
    torch_version: str
    made_dense: bool = False
    start: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "lr": self.lr,
            "with_zero_grad": [iteration.to_dict() for iteration in self.with_zero_grad],
            "without_zero_grad": [iteration.to_dict() for iteration in self.without_zero_grad],
            "losses": {
                "with_zero_grad": list(map(finite_or_none, self.losses_with)),
                "without_zero_grad": list(map(finite_or_none, self.losses_without)),
            },
            "after_zero_grad": {
                "default": self.left_by_default,
                "set_to_none=False": self.left_by_zero,
            },
            "not_in_optimizer": {
                "parameter": self.forgotten,
                "iterations": [iteration.to_dict() for iteration in self.forgotten_run],
            },
            "step_readout": {"message": self.step_message},
            "torch": self.torch_version,
            "made_dense": self.made_dense,
            "start": self.start,
        }

    def __repr__(self) -> str:
        return (
            f"Slots: after {len(self.losses_with)} iterations the loss is "
            f"{self.losses_with[-1]:.4g} with zero_grad, {self.losses_without[-1]:.4g} without"
        )


def run_slots(
    net: Network,
    examples: Sequence[Example],
    *,
    loss: str = "mse",
    lr: float = 0.1,
    iterations: int = 3,
) -> SlotsRun:
    """Run the training loop's lines on a network and read both slots after each of them.

    Args:
        net: it is trained on raw outputs, whatever its readout, and sparse tensors are made dense.
        examples: the rows it learns from, all of them in every iteration.
        loss: ``mse`` or ``bce``.
        lr: learning rate.
        iterations: how many are shown.

    Raises:
        OptionError: a number out of its range.
        ResourceError: too large a network.
        NetworkError: a network that PyTorch can't hold as it is, or that has no gradient at all.
    """
    if not 1 <= iterations <= MOST_ITERATIONS:
        raise OptionError(
            f"got {iterations}",
            where="iterations",
            remedy=f"give a whole number in 1..{MOST_ITERATIONS}",
        )
    if net.parameters > LARGEST_SLOTS:
        raise ResourceError(
            f"{net.parameters} parameters are too many to show two slots of each",
            where="slots",
            remedy=f"take a network of up to {LARGEST_SLOTS}",
        )
    ends = [net.layers[layer_number(name) - 1] for name in net.output_layers]
    if not any(layer.activation.has_gradient for layer in ends):
        last = "the last layer is a step" if len(ends) == 1 else "the layers read out are steps"
        raise NetworkError(
            f"{last}, behind which nothing has a gradient",
            where="slots",
            remedy="take a network with raw outputs",
        )
    import torch

    loop = _Loop(net, examples, loss, lr)
    names = [name for name, _ in loop.model().named_parameters()]
    forgotten = names[-1]
    return SlotsRun(
        lr=lr,
        with_zero_grad=loop.run(iterations),
        without_zero_grad=loop.run(iterations, zero_grad=False),
        losses_with=loop.losses(),
        losses_without=loop.losses(zero_grad=False),
        left_by_default=loop.left_by_zero_grad(),
        left_by_zero=loop.left_by_zero_grad(set_to_none=False),
        forgotten=forgotten,
        forgotten_run=loop.run(iterations, forgotten=forgotten),
        step_message=step_message(net, examples),
        torch_version=torch.__version__,
        made_dense=any(isinstance(tensor, Sparse) for _, tensor in net.tensors()),
    )


class _Loop:
    """The notebook's training loop on a network; every run starts from the same weights."""

    def __init__(self, net: Network, examples: Sequence[Example], loss: str, lr: float) -> None:
        import torch
        from torch import nn

        self._net = _raw(net)
        self._lr = lr
        self._criterion = nn.BCEWithLogitsLoss() if loss == "bce" else nn.MSELoss()
        dtype = next(self.model().parameters()).dtype
        self._x = torch.tensor([example.bits for example in examples], dtype=dtype)
        targets = [[math.nan if t is None else t for t in example.targets] for example in examples]
        self._y = torch.tensor(targets, dtype=dtype)

    def model(self) -> nn.Module:
        """Return the network as a fresh module, its parameters named as the network's are."""
        from adderlab.nets.modules import AdderNN, GraphNN, to_module

        try:
            module = to_module(self._net)
        except ModelError as error:
            raise NetworkError(error.what, where="slots", remedy=error.remedy) from error
        return module if isinstance(module, AdderNN | GraphNN) else _Named(module).module

    def _loss(self, model: nn.Module) -> torch.Tensor:
        import torch

        outputs = model(self._x)
        return self._criterion(outputs, torch.where(self._y.isnan(), outputs.detach(), self._y))

    def _optimizer(self, model: nn.Module, forgotten: str = "") -> torch.optim.Optimizer:
        from torch import optim

        parameters = [
            parameter for name, parameter in model.named_parameters() if name != forgotten
        ]
        return optim.SGD(parameters, lr=self._lr)

    def run(
        self, iterations: int, *, zero_grad: bool = True, forgotten: str = ""
    ) -> tuple[Iteration, ...]:
        """Run the loop, reading the slots after every line."""
        model = self.model()
        optimizer = self._optimizer(model, forgotten)
        shown: list[Iteration] = []
        for _ in range(iterations):
            moments = [_slots(model, "start")]
            loss = self._loss(model)
            if zero_grad:
                optimizer.zero_grad()
                moments.append(_slots(model, "zero_grad()"))
            _ = loss.backward()
            moments.append(_slots(model, "backward()"))
            _ = optimizer.step()
            moments.append(_slots(model, "step()"))
            shown.append(Iteration(loss.item(), tuple(moments)))
        return tuple(shown)

    def losses(self, *, zero_grad: bool = True) -> tuple[float, ...]:
        """Run the loop for longer and return the loss of each iteration."""
        model = self.model()
        optimizer = self._optimizer(model)
        losses: list[float] = []
        for _ in range(LOSS_STEPS):
            loss = self._loss(model)
            if zero_grad:
                optimizer.zero_grad()
            _ = loss.backward()
            _ = optimizer.step()
            losses.append(loss.item())
        return tuple(losses)

    def left_by_zero_grad(self, **options: bool) -> str:
        """Return the last parameter's gradient slot after backward and zero_grad, as text."""
        model = self.model()
        optimizer = self._optimizer(model)
        _ = self._loss(model).backward()
        optimizer.zero_grad(**options)
        return repr(list(model.parameters())[-1].grad)


class _Named:
    """A Sequential whose Linears are called fc1, fc2, …, as the network's tensors are."""

    def __init__(self, sequential: nn.Module) -> None:
        from torch import nn

        named: dict[str, nn.Module] = {}
        linears = 0
        for part in sequential.children():
            if isinstance(part, nn.Linear):
                linears += 1
                named[f"fc{linears}"] = part
            else:
                named[f"act{linears}"] = part
        self.module = nn.Sequential()
        for name, part in named.items():
            self.module.add_module(name, part)


def step_message(net: Network, examples: Sequence[Example]) -> str:
    """Train the class whose readout is a step, and return PyTorch's error message.

    The class is the hand-set notebook's: its ``forward`` ends in ``(y > 0).float()``.
    """
    import torch
    from torch import nn

    from adderlab.nets.modules import AdderNN

    with torch.random.fork_rng(devices=[]):
        model = AdderNN(net.n_in, 3, net.n_out, threshold=0)
    x = torch.tensor([example.bits for example in examples], dtype=torch.float32)
    y = torch.tensor([[float(t or 0) for t in example.targets] for example in examples])
    try:
        _ = nn.MSELoss()(model(x), y).backward()
    except RuntimeError as error:
        return str(error)
    raise AssertionError("a step has passed a gradient")


def _raw(net: Network) -> Network:
    """Return the network dense, with raw outputs, which is what a loss is measured on."""
    layers = tuple(replace(layer, weight=_dense(layer.weight)) for layer in net.layers)
    return replace(net, layers=layers, readout=Readout(), training=None)


def _dense(tensor: Tensor) -> Tensor:
    """Return a sparse matrix with the zeros that it leaves out, any other tensor as it is."""
    if not isinstance(tensor, Sparse):
        return tensor
    if isinstance(tensor.values, Dense):
        full = np.zeros(tensor.shape, dtype=tensor.values.numbers.dtype)
        full[tensor.row_of_entry(), tensor.indices.astype(np.int64)] = tensor.values.numbers
        return Dense(full)
    exact = tensor.exact()
    rows, columns = tensor.shape
    return stored_in([[exact.at(i, j) for j in range(columns)] for i in range(rows)], "fp32")


def _slots(model: nn.Module, after: str) -> Slots:
    w = {name: parameter.detach().clone().tolist() for name, parameter in model.named_parameters()}
    gradient = {
        name: None if parameter.grad is None else parameter.grad.detach().clone().tolist()
        for name, parameter in model.named_parameters()
    }
    return Slots(after, w, gradient)
