"""Fine-tuning with straight-through gradients: training on, while every step is judged rounded.

Rule: the loss sees the rounded parameters, the gradient passes the rounding as if it were not
there, and the float parameters beneath are what is moved. What is kept is the best rounded
network of all steps, the start among them.

References:
    Bengio, Leonard, Courville, "Estimating or Propagating Gradients Through Stochastic Neurons"
    (2013), section 4, for the straight-through estimator.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.errors import OptionError
from adderlab.formats import Format
from adderlab.nets import Network
from adderlab.quantizing.clock import NO_LIMIT, TIME_UP, Clock
from adderlab.quantizing.grid import Grid
from adderlab.quantizing.rounding import Grids, Rounded, grids_for, to_network
from adderlab.quantizing.rows import (
    Arrays,
    Rows,
    Shape,
    arrays_of,
    distances,
    is_right,
)
from adderlab.quantizing.scheme import Scheme

if TYPE_CHECKING:
    import torch

STEPS: Final = 200
LR: Final = 0.02
LOADING_S: Final = 4.0
"""What loading PyTorch may take, which nothing can interrupt: 1 s alone, 4 s beside other work."""

REACH: Final = 0.5
"""How far beyond the threshold an output is drawn: to 0 and 1 around the notebook's 0.5."""


def fine_tune(
    net: Network,
    form: Format,
    scheme: Scheme,
    rows: Rows,
    *,
    steps: int = STEPS,
    clock: Clock = NO_LIMIT,
) -> Rounded:
    """Return the best rounded network of a short training on all rows.

    Raises:
        OptionError: the network has a step, which passes no gradient.
    """
    arrays, shape = arrays_of(net)
    q, grids = tuned(arrays, shape, rows, form, scheme, steps=steps, clock=clock)
    start = grids_for(arrays, form, scheme)
    is_cut = clock.is_up or not _has_time(clock)
    return Rounded(
        to_network(net, q, grids, form),
        "fine-tune",
        scheme,
        start.clipped(arrays),
        not is_cut,
        f"the best step before {TIME_UP}" if is_cut else "",
    )


def tuned(
    arrays: Arrays,
    shape: Shape,
    rows: Rows,
    form: Format,
    scheme: Scheme,
    *,
    steps: int = STEPS,
    clock: Clock = NO_LIMIT,
) -> tuple[Arrays, Grids]:
    """Return each network's best q with its grids; every network is tuned on its own, all at once.

    Raises:
        OptionError: there is a step.
    """
    if not all(activation.has_gradient for activation in shape.activations):
        raise OptionError(
            "a step passes no gradient", where="method fine-tune", remedy="take exact or nearest"
        )
    if not _has_time(clock):
        grids = grids_for(arrays, form, scheme)
        return grids.nearest(arrays), grids
    import torch

    from adderlab.nets.activation_modules import module_of

    parameters = [torch.tensor(array.copy()) for array in (*arrays.weights, *arrays.biases)]
    depth = len(arrays.weights)
    for number, parameter in enumerate(parameters):
        has = number < depth or shape.has_bias[number - depth]
        _ = parameter.requires_grad_(has)
    optimizer = torch.optim.Adam([tensor for tensor in parameters if tensor.requires_grad], lr=LR)
    activations = [module_of(activation) for activation in shape.activations]
    inputs, cares = torch.tensor(rows.inputs), torch.tensor(rows.cares)
    target = torch.tensor(rows.expected)
    if shape.readout.kind == "threshold":
        target = shape.readout.threshold + (2 * target - 1) * REACH
    best: _Best | None = None
    for step in range(steps + 1):
        now = [tensor.detach().numpy() for tensor in parameters]
        current = Arrays(tuple(now[:depth]), tuple(now[depth:]))
        grids = grids_for(current, form, scheme)
        q = grids.nearest(current)
        values = grids.values(q)
        flat = (*values.weights, *values.biases)
        seen = [
            tensor + (torch.tensor(value) - tensor).detach()
            for tensor, value in zip(parameters, flat, strict=True)
        ]
        raw = _forward(seen, activations, inputs)
        best = _better(best, q, grids, raw.detach().numpy(), shape, rows)
        clock.on_share(step / max(steps, 1))
        if step == steps or clock.is_up:
            break
        loss = (((raw - target) ** 2) * cares).sum()
        optimizer.zero_grad()
        _ = loss.backward()
        _ = optimizer.step()
    assert best is not None
    return best.q, best.grids


def _has_time(clock: Clock) -> bool:
    """Return whether there is time to train, and to load PyTorch where it is not loaded yet."""
    return "torch" in sys.modules or clock.seconds_left > LOADING_S


def _forward(
    parameters: list[torch.Tensor], activations: list[torch.nn.Module], inputs: torch.Tensor
) -> torch.Tensor:
    values = inputs.expand(len(parameters[0]), *inputs.shape)
    for number, activation in enumerate(activations):
        weight, bias = parameters[number], parameters[len(activations) + number]
        values = activation(values @ weight.mT + bias[:, None])
    return values


class _Best:
    """Of each network, the best rounded version so far."""

    def __init__(self, q: Arrays, grids: Grids, wrong: np.ndarray, margin: np.ndarray) -> None:
        self.q, self.grids, self.wrong, self.margin = q, grids, wrong, margin


def _better(
    best: _Best | None, q: Arrays, grids: Grids, raw: np.ndarray, shape: Shape, rows: Rows
) -> _Best:
    """Return the better of two, network by network: fewer wrong rows, then the larger margin."""
    far = distances(raw, rows, shape.readout)
    right = is_right(raw, rows, shape.readout)
    wrong, margin = (~right.all(axis=2)).sum(axis=1), far.min(axis=(1, 2))
    if best is None:
        return _Best(q, grids, wrong, margin)
    is_better = (wrong < best.wrong) | ((wrong == best.wrong) & (margin > best.margin))
    if not is_better.any():
        return best

    def pick(new: np.ndarray, old: np.ndarray) -> np.ndarray:
        return np.where(is_better.reshape(-1, *(1,) * (new.ndim - 1)), new, old)

    def pick_grid(new: Grid, old: Grid) -> Grid:
        shaped = (len(is_better), *(1,) * (new.scale.ndim - 1))
        full = np.broadcast_shapes(new.scale.shape, shaped)
        scales = (np.broadcast_to(grid.scale, full) for grid in (new, old))
        zeros = (np.broadcast_to(grid.zero, full) for grid in (new, old))
        return Grid(new.form, pick(*scales), pick(*zeros))

    return _Best(
        Arrays(
            tuple(map(pick, q.weights, best.q.weights)),
            tuple(map(pick, q.biases, best.q.biases)),
        ),
        Grids(
            tuple(map(pick_grid, grids.weights, best.grids.weights)),
            tuple(map(pick_grid, grids.biases, best.grids.biases)),
        ),
        pick(wrong, best.wrong),
        pick(margin, best.margin),
    )
