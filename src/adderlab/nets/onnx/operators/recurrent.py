"""Elman networks, unrolled."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 -- as everywhere

from adderlab.nets.onnx.graph import Step
from adderlab.nets.onnx.operators.shared import check_size, refused

ACTIVATIONS: Final = {"Tanh": torch.tanh, "Relu": torch.relu, "Sigmoid": torch.sigmoid}


def elman(
    step: Step,
    value: Tensor,
    weights: Tensor,
    recurrent: Tensor,
    bias: Tensor | None = None,
    lengths: Tensor | None = None,
    state: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """``h = f(W x + b + R h + c)`` for each place of a sequence; all states, and the last."""
    attributes = step.attributes
    directions = {"forward": (1,), "reverse": (-1,), "bidirectional": (1, -1)}[
        attributes["direction"]
    ]
    names = [name.capitalize() for name in attributes["activations"]][: len(directions)]
    if lengths is not None or "clip" in attributes or not {*names} <= {*ACTIVATIONS}:
        raise refused(
            step, "it has lengths, a clip or activations of its own", "relu, tanh, sigmoid are read"
        )
    if attributes.get("layout"):
        value = value.transpose(0, 1)
        state = None if state is None else state.transpose(0, 1)
    steps, rows, size = len(value), value.shape[1], recurrent.shape[-1]
    _ = check_size(step, (steps, len(directions), rows, size))
    every: list[Tensor] = []
    for number, (direction, name) in enumerate(zip(directions, names, strict=True)):
        own = torch.zeros(2 * size, dtype=value.dtype) if bias is None else bias[number]
        hidden = torch.zeros(rows, size, dtype=value.dtype) if state is None else state[number]
        states: list[Tensor] = []
        for place in value if direction > 0 else reversed(list(value)):
            fed = F.linear(place, weights[number], own[:size])
            hidden = ACTIVATIONS[name](fed + F.linear(hidden, recurrent[number], own[size:]))
            states.append(hidden)
        every.append(torch.stack(states[::direction]))
    joined = torch.stack(every, 1)
    last = torch.stack(
        [states[-1 if d > 0 else 0] for states, d in zip(every, directions, strict=True)]
    )
    if attributes.get("layout"):
        return joined.permute(2, 0, 1, 3), last.transpose(0, 1)
    return joined, last
