"""The same numbers by PyTorch's autograd, in float64: the reference for our own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from adderlab.explaining.backprop import Number
from adderlab.explaining.graph import Graph, Key
from adderlab.explaining.results import Agreement, Update
from adderlab.nets.network import Network
from adderlab.nets.wiring import INPUT

if TYPE_CHECKING:
    import torch


@dataclass(slots=True)
class _Tally:
    figures: int = 0
    largest: float = 0.0
    relative: float = 0.0
    where: str = ""

    def compare(self, name: str, ours: Number | None, theirs: Any) -> None:
        """Record the difference of two figures; if one is missing, it is infinite."""
        self.figures += 1
        got = None if theirs is None else float(theirs)
        if ours is None and got is None:
            return
        if ours is None or got is None or not math.isfinite(got):
            off = math.inf
        else:
            off = float(abs(Fraction(ours) - Fraction(got)))
        if off > self.largest:
            self.largest, self.where = off, name
        size = abs(float(ours)) if ours is not None else 0.0
        self.relative = max(self.relative, off / max(1.0, size))


def compare(
    net: Network,
    graphs: Sequence[Graph],
    inputs: Sequence[Sequence[int]],
    targets: Sequence[Sequence[int | None]],
    loss: str,
    lr: Fraction,
    updates: Sequence[Update],
) -> Agreement:
    """Return how far every figure is from PyTorch's: row by row, then those of the batch.

    Args:
        net: the network.
        graphs: each row's values with their gradients.
        inputs: each row's bits.
        targets: each row's expected outputs.
        loss: ``mse`` or ``bce``.
        lr: learning rate.
        updates: the batch's gradients and the parameters after one step.
    """
    tally = _Tally()
    try:
        for graph, row, target in zip(graphs, inputs, targets, strict=True):
            _row(tally, net, graph, row, target, loss)
        _batch(tally, net, inputs, targets, loss, lr, updates)
    except OverflowError:
        return Agreement(0, None, reason="there are numbers beyond float64 among them")
    return Agreement(tally.figures, tally.largest, tally.relative, tally.where)


def _row(
    tally: _Tally,
    net: Network,
    graph: Graph,
    bits: Sequence[int],
    targets: Sequence[int | None],
    loss: str,
) -> None:
    parameters = _leaves({key: value.number for key, value in graph.parameters.items()})
    x, sums, units, value = _forward(net, parameters, [bits], [targets], loss)
    if value.requires_grad:
        _ = value.backward()
    columns = [(graph.values[: len(bits)], x)]
    columns += zip(graph.sums, sums, strict=True)
    columns += zip(graph.units, units, strict=True)
    for ours, theirs in columns:
        for at, number in enumerate(ours):
            tally.compare(number.name.text, number.number, theirs.detach()[0, at])
            slot = theirs.grad
            tally.compare(
                f"dL/d{number.name}", number.gradient, None if slot is None else slot[0, at]
            )
    tally.compare("L", graph.loss.number, value.detach())
    for key, parameter in graph.parameters.items():
        tally.compare(f"dL/d{parameter.name}", parameter.gradient, parameters[key].grad)


def _batch(
    tally: _Tally,
    net: Network,
    inputs: Sequence[Sequence[int]],
    targets: Sequence[Sequence[int | None]],
    loss: str,
    lr: Fraction,
    updates: Sequence[Update],
) -> None:
    """Compare the batch's gradients and step with those of ``torch.optim.SGD``."""
    import torch

    if not updates:
        return  # a sparse network may store nothing at all
    parameters = _leaves({update.key: update.now for update in updates})
    optimizer = torch.optim.SGD(parameters.values(), lr=float(lr))
    *_, value = _forward(net, parameters, inputs, targets, loss)
    if value.requires_grad:
        _ = value.backward()
    _ = optimizer.step()
    for update in updates:
        leaf = parameters[update.key]
        tally.compare(f"dL/d{update.name}", update.gradient, leaf.grad)
        tally.compare(f"{update.name} after the step", update.next, leaf.detach())


def _leaves(numbers: Mapping[Key, Number]) -> dict[Key, torch.Tensor]:
    import torch

    return {
        key: torch.tensor(float(value), dtype=torch.float64, requires_grad=True)
        for key, value in numbers.items()
    }


def _forward(
    net: Network,
    parameters: Mapping[Key, torch.Tensor],
    inputs: Sequence[Sequence[int]],
    targets: Sequence[Sequence[int | None]],
    loss: str,
) -> tuple[torch.Tensor, list[torch.Tensor], list[torch.Tensor], torch.Tensor]:
    """Return the inputs, each layer's sums and units, and the loss over all rows and outputs."""
    import torch
    from torch.nn import functional

    from adderlab.nets.activation_modules import module_of

    def join(parts: list[torch.Tensor]) -> torch.Tensor:
        return torch.cat(parts, dim=-1)

    x = torch.tensor(inputs, dtype=torch.float64, requires_grad=True)
    zero = torch.zeros((), dtype=torch.float64)
    sums: list[torch.Tensor] = []
    units: list[torch.Tensor] = []
    known = {INPUT: x}
    for node, layer in zip(net.wiring.layers, net.layers, strict=True):
        weight = [
            parameters.get((f"{node.name}.weight", (row, column)), zero)
            for row in range(layer.n_out)
            for column in range(layer.n_in)
        ]
        matrix = torch.stack(weight).reshape(layer.n_out, layer.n_in)
        bias = None
        if layer.bias is not None:
            bias = torch.stack(
                [parameters.get((f"{node.name}.bias", (row,)), zero) for row in range(layer.n_out)]
            )
        z = functional.linear(node.take(known, join), matrix, bias)
        values = module_of(layer.activation)(z)
        if not values.requires_grad:
            # behind a step: a leaf of its own, so that PyTorch says what reaches it, and z nothing
            values = values.requires_grad_()
        for tensor in (z, values):
            if tensor.requires_grad:
                _ = tensor.retain_grad()
        sums.append(z)
        units.append(values)
        known[node.name] = values
    outputs = net.wiring.output.take(known, join)
    target = torch.tensor(
        [[math.nan if t is None else float(t) for t in row] for row in targets],
        dtype=torch.float64,
    )
    target = torch.where(target.isnan(), outputs.detach(), target)
    kinds = {"mse": functional.mse_loss, "bce": functional.binary_cross_entropy_with_logits}
    return x, sums, units, kinds[loss](outputs, target)
