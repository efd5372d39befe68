"""The model itself, run by onnxruntime or by onnx's own evaluator.

Rule: what is run is the part that was read, every operator of which is in our table; nothing else
of the file reaches a runtime.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np
import torch
from torch import Tensor

from adderlab.errors import ModelError
from adderlab.nets.onnx.calls import GraphCall
from adderlab.nets.onnx.graph import Graph
from adderlab.packages import is_installed

if TYPE_CHECKING:
    from jaxtyping import UInt8

Run = Callable[[Mapping[str, Any]], list[Any]]


class Runtime:
    """Runs a graph on rows of bits.

    Args:
        graph: what is run.
        call: how bits go in.

    Attributes:
        name: who runs it.

    Raises:
        ModelError: nothing that is installed runs it.
    """

    def __init__(self, graph: Graph, call: GraphCall) -> None:
        self.graph, self.call = graph, call
        self._runs = list(_runs(graph))
        self.name = ""

    def outputs(self, rows: UInt8[np.ndarray, "batch n_in"], batch: int) -> Tensor:
        """Return what the model gives on rows of bits, (batch, outputs).

        Args:
            rows: the bits.
            batch: rows that are given at a time, where the model leaves that open.
        """
        size = self.call.batch or batch
        parts: list[Tensor] = []
        for start in range(0, len(rows), size):
            own = rows[start : start + size]
            full = np.resize(own, (size, rows.shape[1])) if self.call.batch else own
            results = self._run(full)
            joined = [torch.from_numpy(result).reshape(len(full), -1) for result in results]
            parts.append(torch.cat(joined, dim=1)[: len(own)])
        return torch.cat(parts)

    def _run(self, rows: Any) -> list[Any]:
        """Return the outputs on rows as doubles, by the first that runs the model."""
        tensors = self.call.arguments(torch.from_numpy(rows))
        feed = {
            value.name: _as_numpy(tensor, value.dtype)
            for value, tensor in zip(self.graph.inputs, tensors, strict=True)
        }
        reasons: list[str] = []
        while self._runs:
            name, start = self._runs[0]
            try:
                results = [np.asarray(result).astype(np.float64) for result in start(feed)]
            except Exception as error:  # noqa: BLE001 -- whatever a runtime says of a model
                reasons.append(f"{name}: {(str(error).splitlines() or [''])[0][:160]}")
                _ = self._runs.pop(0)
                continue
            self.name = name
            return results
        raise ModelError(
            f"nothing here runs the model ({'; '.join(reasons)})",
            where=self.graph.where,
            remedy="a reading is compared with the model itself before it is used",
        )


def _runs(graph: Graph) -> list[tuple[str, Run]]:
    """Return those that may run the model, by name."""
    runs: list[tuple[str, Run]] = [("onnx's reference evaluator", _reference(graph))]
    if is_installed("onnxruntime"):
        runs.insert(0, ("onnxruntime", _onnxruntime(graph)))
    return runs


def _onnxruntime(graph: Graph) -> Run:
    sessions: list[Any] = []

    def run(feed: Mapping[str, Any]) -> list[Any]:
        if not sessions:
            import onnxruntime

            options = onnxruntime.SessionOptions()
            # the operators one by one, as they are stored
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
            options.intra_op_num_threads = 1
            options.inter_op_num_threads = 1
            options.log_severity_level = 4
            sessions.append(
                onnxruntime.InferenceSession(
                    graph.model, options, providers=["CPUExecutionProvider"]
                )
            )
        return sessions[0].run(list(graph.outputs), dict(feed))

    return run


def _reference(graph: Graph) -> Run:
    evaluators: list[Any] = []

    def run(feed: Mapping[str, Any]) -> list[Any]:
        if not evaluators:
            import onnx
            from onnx.reference import ReferenceEvaluator

            evaluators.append(ReferenceEvaluator(onnx.ModelProto.FromString(graph.model)))
        with np.errstate(all="ignore"):
            return evaluators[0].run(list(graph.outputs), dict(feed))

    return run


def _as_numpy(bits: Tensor, dtype: torch.dtype) -> Any:
    if dtype == torch.bfloat16:
        return bits.numpy().astype(ml_dtypes.bfloat16)
    return bits.to(dtype).numpy()
