"""A model on rows of bits, by onnxruntime or onnx's own evaluator, held against its network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.formats import Format
from adderlab.nets.enclosure import Machine
from adderlab.nets.network import Network
from adderlab.nets.readout import NO_BIT, OPEN, read_states
from adderlab.nets.written_onnx.model import BITS, RAW
from adderlab.packages import is_installed

if TYPE_CHECKING:
    from jaxtyping import Bool, Float64, UInt8

SLACK: Final = 64.0
"""How much coarser a runtime's curves may be than PyTorch's: onnxruntime's are rational."""


class Session:
    """A model that can be run: by onnxruntime, or where it can't run it, by onnx's evaluator.

    Args:
        model: the model.

    Attributes:
        name: who runs it; empty where nothing does.
        reason: why, where something does not.
    """

    def __init__(self, model: Any) -> None:
        self.name = self.reason = ""
        self._run: Any = None
        if is_installed("onnxruntime"):
            self._start_onnxruntime(model)
        if self._run is None:
            self._start_reference(model)

    def _start_onnxruntime(self, model: Any) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # the operators one by one, as they are stored
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            session = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # noqa: BLE001 -- whatever a runtime says of a model
            self.reason = f"onnxruntime: {(str(error).splitlines() or [''])[0][:160]}"
            return
        self._run, self.name = session.run, f"onnxruntime {onnxruntime.__version__}"

    def _start_reference(self, model: Any) -> None:
        import onnx
        from onnx.reference import ReferenceEvaluator

        try:
            evaluator = ReferenceEvaluator(model)
        except Exception as error:  # noqa: BLE001 -- as above
            self._refuse("onnx's evaluator", error)
            return
        self._run, self.name = evaluator.run, f"the reference evaluator of onnx {onnx.__version__}"

    def _refuse(self, who: str, error: Exception) -> None:
        text = f"{who}: {(str(error).splitlines() or [type(error).__name__])[0][:160]}"
        self.reason = f"{self.reason}; {text}" if self.reason else text
        self._run, self.name = None, ""

    def run(self, names: Sequence[str], feed: dict[str, Any]) -> list[Any] | None:
        """Return some values on an input; ``None`` where nothing runs the model."""
        if self._run is None:
            return None
        try:
            with np.errstate(all="ignore"):
                return [np.asarray(value) for value in self._run(list(names), feed)]
        except Exception as error:  # noqa: BLE001 -- as above
            self._refuse(self.name, error)
            return None


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """What a model gives on rows.

    Attributes:
        raw: the raw outputs.
        bits: what it makes of them; ``None`` where it gives them as they stand.
    """

    raw: Any
    bits: Any | None


class RowRun:
    """A model of a network, run on rows of bits.

    Args:
        model: the model, as :func:`adderlab.nets.written_onnx.model_of` writes it.
        n_out: the network's outputs.
    """

    def __init__(self, model: Any, n_out: int) -> None:
        from onnx import ModelProto, helper

        own = ModelProto.FromString(model.SerializeToString())
        kind = own.graph.input[0].type.tensor_type.elem_type
        self._input = own.graph.input[0].name
        self._dtype = helper.tensor_dtype_to_np_dtype(kind)
        self._has_bits = own.graph.output[0].name == BITS
        if self._has_bits:  # a value on the way, which is an output here
            own.graph.output.append(helper.make_tensor_value_info(RAW, kind, ["batch", n_out]))
        self.session = Session(own)

    def outputs(self, rows: UInt8[np.ndarray, "batch n_in"]) -> Outputs | None:
        """Return what it gives on rows; ``None`` where nothing runs it."""
        names = [RAW, BITS] if self._has_bits else [RAW]
        values = self.session.run(names, {self._input: rows.astype(self._dtype)})
        if values is None:
            return None
        return Outputs(values[0], values[1] if self._has_bits else None)


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """What a model may give on rows: its arithmetic rounds, in an order that it chooses.

    Attributes:
        low: numbers that no raw output is below; the output itself where nothing rounds.
        high: numbers that none is above.
        is_known: where that says anything: elsewhere a sum may overflow.
        states: the bits, and where they depend on how sums are rounded.
    """

    low: Float64[np.ndarray, "batch n_out"]
    high: Float64[np.ndarray, "batch n_out"]
    is_known: Bool[np.ndarray, "batch n_out"]
    states: UInt8[np.ndarray, "batch n_out"]

    def wrong(self, outputs: Outputs) -> Bool[np.ndarray, "batch n_out"]:
        """Return which outputs can't be those of the network."""
        own, bits = outputs.raw.astype(np.float64), outputs.bits
        with np.errstate(invalid="ignore"):
            wrong = ~((own >= self.low) & (own <= self.high)) & self.is_known
        if bits is not None:
            wrong |= (bits != self.states) & (self.states < NO_BIT)
        return wrong

    @property
    def open(self) -> int:
        """Rows on which a bit depends on how sums are rounded."""
        return int((self.states == OPEN).any(axis=1).sum())


class Expectation:
    """What a network's model may give, row by row.

    Args:
        net: the network, which doubles hold.
        form: what the model computes in.
    """

    def __init__(self, net: Network, form: Format) -> None:
        self._readout = net.readout
        self._machine = Machine(net, form, library=True)
        own = self._machine.rounding
        self._machine.rounding = replace(own, ulp=own.ulp * SLACK)

    def of(self, rows: UInt8[np.ndarray, "batch n_in"]) -> Expected:
        """Return what it may give on rows of bits."""
        enclosure = self._machine.enclose(rows)
        low, high = enclosure.ends()
        states = read_states(self._readout, low, high)
        return Expected(low, high, np.isfinite(enclosure.errors), states)
