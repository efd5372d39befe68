"""A network as an ONNX model: its layers, its readout, and its record as metadata.

Rule: equal networks give equal bytes. The record is that of a network file
(:mod:`adderlab.nets.record`), so that the model is read back as the network that it was; it holds
no number that the graph computes with but constants and the threshold, and those are compared.
"""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np

from adderlab.nets.network import Network
from adderlab.nets.readout import Readout
from adderlab.nets.record import record_of
from adderlab.nets.wiring import INPUT
from adderlab.nets.written_onnx.activations import COMPARISONS, put_activation
from adderlab.nets.written_onnx.arithmetic import arithmetic_form, limit_of
from adderlab.nets.written_onnx.build import Build
from adderlab.nets.written_onnx.stored import put_bias, put_weight

KEY: Final = "adderlab.network"
"""The metadata that hold the record."""

RAW: Final = "raw"
"""The name of the raw outputs, joined."""

BITS: Final = "bits"
"""The name of the bits that a threshold makes of them."""


def model_of(net: Network, *, is_raw: bool = False) -> Any:
    """Return the ONNX model of a network.

    It has one input, ``input`` (batch, n_in), and one output (batch, n_out): under a threshold
    ``bits``, which are uint8, and otherwise ``raw``, the values as they stand.

    Args:
        net: any network whose numbers fp32 or fp64 hold.
        is_raw: whether the output is ``raw`` under a threshold too.

    Raises:
        NetworkError: a number or a sum is beyond fp64, or a matrix too large.
    """
    from onnx import TensorProto, helper

    build = Build(arithmetic_form(net))
    raw = put_layers(build, net, INPUT)
    has_bits = not is_raw and net.readout.kind == "threshold"
    name = put_bits(build, net.readout, raw) if has_bits else raw
    kind = TensorProto.UINT8 if has_bits else build.type
    graph = helper.make_graph(
        [*build.ready, *build.nodes],
        "network",
        [helper.make_tensor_value_info(INPUT, build.type, ["batch", net.n_in])],
        [helper.make_tensor_value_info(name, kind, ["batch", net.n_out])],
        build.initializers,
    )
    return finished(build, graph, net, {"is_raw": is_raw})


def finished(build: Build, graph: Any, net: Network, about: dict[str, Any]) -> Any:
    """Return the model of a graph, with a network's record.

    Args:
        build: what the graph was built by.
        graph: the graph.
        net: the network that it is of.
        about: what else is to be known to write the graph again.
    """
    from onnx import helper

    opsets = [helper.make_opsetid("", build.opset)]
    lowest = helper.find_min_ir_version_for(opsets)
    model = helper.make_model(
        graph, opset_imports=opsets, ir_version=lowest, producer_name="adderlab"
    )
    record, _ = record_of(net)
    text = json.dumps(
        {"record": record, "kept": build.kept, **about}, separators=(",", ":"), allow_nan=False
    )
    _ = model.metadata_props.add(key=KEY, value=text)
    return model


def put_layers(build: Build, net: Network, source: str) -> str:
    """Add the layers of a network, and return the name of its raw outputs.

    Args:
        build: the graph.
        net: the network.
        source: the name of the rows of bits.
    """
    values = {INPUT: source}
    for node, layer in zip(net.wiring.layers, net.layers, strict=True):
        name = node.name
        read = _joined(build, [values[own] for own in node.reads], f"{name}.joined")
        weight, scale = put_weight(build, f"{name}.weight", layer.weight)
        bias = [] if layer.bias is None else [put_bias(build, f"{name}.bias", layer.bias)]
        if scale:
            sums = build.op("Gemm", read, weight, out=f"{name}.whole", transB=1)
            sums = build.op("Mul", sums, scale, out=f"{name}.scaled")
            if bias:
                sums = build.op("Add", sums, *bias, out=f"{name}.sums")
        else:
            sums = build.op("Gemm", read, weight, *bias, out=f"{name}.sums", transB=1)
        values[name] = put_activation(build, layer.activation, name, sums)
    reads = [values[name] for name in net.output_layers]
    if len(reads) > 1:
        return _joined(build, reads, RAW)
    for node in build.nodes:
        for names in (node.input, node.output):
            names[:] = [RAW if name == reads[0] else name for name in names]
    return RAW


def _joined(build: Build, names: list[str], out: str) -> str:
    return build.op("Concat", *names, out=out, axis=1) if len(names) > 1 else names[0]


def put_bits(build: Build, readout: Readout, raw: str) -> str:
    """Add the comparison of a threshold, and return the name of the bits, which are uint8."""
    from onnx import TensorProto

    limit = build.store("threshold", np.array(limit_of(readout, build.form), build.dtype))
    above = build.op(COMPARISONS[readout.convention], raw, limit, out="above")
    return build.op("Cast", above, out=BITS, to=TensorProto.UINT8)
