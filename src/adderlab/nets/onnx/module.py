"""A graph as a PyTorch module, so that it is read as any module is."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from adderlab import limits
from adderlab.nets.onnx.graph import Graph, Step
from adderlab.nets.onnx.operators import TABLE
from adderlab.nets.onnx.operators.shared import check_size
from adderlab.nets.tracing.places import at


class GraphModule(nn.Module):
    """Runs a graph's nodes in their order.

    Args:
        graph: what is run.
        is_one_row: whether it takes one row and has no axis for a batch.
    """

    def __init__(self, graph: Graph, *, is_one_row: bool = False) -> None:
        super().__init__()
        self.graph = graph
        self.is_one_row = is_one_row
        # tells the reader of modules the type of the numbers
        self.register_buffer("number", torch.zeros((), dtype=graph.dtype))

    def forward(self, *arguments: Tensor) -> Any:
        """Return the outputs by name, or the only one.

        Args:
            *arguments: bits, one tensor for each input.
        """
        graph = self.graph
        values: dict[str, Tensor] = dict(graph.constants)
        for argument, own in zip(arguments, graph.inputs, strict=True):
            values[own.name] = argument.to(own.dtype)
        for step in graph.steps:
            limits.check()
            tensors = [values[name] if name else None for name in step.inputs]
            results: Any = at(step.where, _run, step, tensors)
            values.update(zip(step.outputs, results, strict=False))
        outputs = {name: values[name] for name in graph.outputs}
        if self.is_one_row:
            outputs = {name: value.reshape(1, -1) for name, value in outputs.items()}
        return outputs if len(outputs) > 1 else next(iter(outputs.values()))


def _run(step: Step, tensors: list[Tensor | None]) -> tuple[Tensor, ...]:
    """Return what a node gives."""
    result = TABLE[step.kind](step, *tensors)
    results = (result,) if isinstance(result, Tensor) else tuple(result)
    for tensor in results:
        _ = check_size(step, tensor.shape)
    return results
