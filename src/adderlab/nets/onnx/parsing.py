"""From a file's bytes to a graph: what is not known is refused before anything is run.

Rule: the ``onnx`` package parses and holds each node against its operator's definition; what the
outputs do not need is left out, and with it custom operators, functions, metadata.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from adderlab import limits
from adderlab.errors import ModelError, NetworkFileError
from adderlab.nets.onnx.graph import Graph, Input, Step
from adderlab.nets.onnx.operators import SHAPES_ALONE, TABLE
from adderlab.nets.onnx.tensors import dtype_of, tensor_of
from adderlab.nets.onnx.wire import check_wire
from adderlab.packages import check_installed

OLDEST, NEWEST = 7, 28
"""Opsets whose operators are known."""

OURS: Final = ("", "ai.onnx")
"""Names of the domain of ONNX's own operators."""

MOST_STEPS: Final = 20_000
MOST_SIZES: Final = 8
READABLE: Final = "docs/classes.md lists the operators that are read"


def parse(data: bytes, path: str, output: int | str | None = None) -> Graph:
    """Return the graph of a model.

    Args:
        data: its file.
        path: of the file; weights outside it are looked for in its folder.
        output: the place or name of the output that is meant; all of them unless given.

    Raises:
        NetworkFileError: the file is damaged, or holds what no network does.
        ModelError: an opset, a domain, an operator is not read.
    """
    check_installed("onnx")
    import onnx

    if not data:
        raise NetworkFileError("the file is empty", where=path, remedy="export the model again")
    check_wire(data, onnx.ModelProto.DESCRIPTOR, path)
    limits.check(10 * len(data))
    try:
        model = onnx.ModelProto.FromString(data)
    except Exception as error:  # noqa: BLE001 -- protobuf's own, which is no ValueError
        what = f"this is no ONNX model, or a damaged one ({str(error)[:80]})"
        raise NetworkFileError(what, where=path, remedy="export it again") from None
    opset = _opset(model, path)
    graph = model.graph
    if not (graph.node and graph.output):
        raise NetworkFileError("the model has no nodes", where=path, remedy="export it again")
    if model.training_info:
        raise ModelError(
            "the model holds a training graph (training_info)",
            where=path,
            remedy="export it for inference",
        )
    if graph.sparse_initializer:
        raise ModelError(
            f"{graph.sparse_initializer[0].values.name!r} is stored sparsely",
            where=path,
            remedy="store the weights densely",
        )
    outputs = _outputs(graph, output, path)
    _keep_needed(graph, outputs, path)
    functions = {(function.domain, function.name) for function in model.functions}
    for node in graph.node:
        _check_known(node, functions, path)
    constants = _constants(graph, path)
    inputs = tuple(_input(value, path) for value in graph.input if value.name not in constants)
    if not inputs:
        raise ModelError("the model has no inputs", where=path, remedy="no network is read")
    own = _own_model(model, opset, [value.name for value in inputs])
    _check_formally(own, path)
    steps = _steps(graph, opset, {value.name for value in inputs}, path)
    if not any(any(step.depends) for step in steps):
        raise ModelError(
            "the model's outputs depend on none of its inputs",
            where=path,
            remedy="no network is read",
        )
    dtype = _dtype(inputs, constants)
    return Graph(path, opset, inputs, constants, steps, outputs, dtype, own.SerializeToString())


def _opset(model: Any, path: str) -> int:
    import onnx

    versions = [entry.version for entry in model.opset_import if entry.domain in OURS]
    newest = min(NEWEST, onnx.defs.onnx_opset_version())
    if len(versions) != 1:
        what = "the model names no opset" if not versions else "the model names two opsets"
        raise ModelError(what, where=path, remedy=f"export it with one of {OLDEST} to {newest}")
    if not OLDEST <= versions[0] <= newest:
        raise ModelError(
            f"the model is of opset {versions[0]}",
            where=path,
            remedy=f"read are {OLDEST} to {newest}; onnx.version_converter makes another of it",
        )
    return int(versions[0])


def _outputs(graph: Any, output: int | str | None, path: str) -> tuple[str, ...]:
    names = tuple(value.name for value in graph.output)
    if output is None:
        return names
    at = output if isinstance(output, int) else names.index(output) if output in names else -1
    if not 0 <= at < len(names):
        raise ModelError(
            f"there is no output {output!r}",
            where="output",
            remedy=f"{path} has {', '.join(names)}",
        )
    return (names[at],)


def _keep_needed(graph: Any, outputs: tuple[str, ...], path: str) -> None:
    """Leave in a graph what the outputs need, and see that each value is given once, before use."""
    known: set[str] = {value.name for value in (*graph.input, *graph.initializer)}
    for node in graph.node:
        names = [name for name in node.output if name]
        missing = next((name for name in node.input if name and name not in known), None)
        if missing is not None:
            raise _malformed(f"{missing!r} is used before it is computed", node, path)
        twice = next((name for name in names if name in known), None)
        if twice is not None or len(set(names)) < len(names):
            raise _malformed(f"{twice or names[0]!r} is computed twice", node, path)
        known.update(names)
    absent = next((name for name in outputs if name not in known), None)
    if absent is not None:
        what = f"the output {absent!r} is never computed"
        raise NetworkFileError(what, where=path, remedy="export the model again")
    needed = set(outputs)
    kept: list[Any] = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    if len(kept) > MOST_STEPS:
        raise ModelError(
            f"the model has {len(kept)} nodes, more than {MOST_STEPS}",
            where=path,
            remedy="take something smaller",
        )
    nodes = [type(node).FromString(node.SerializeToString()) for node in reversed(kept)]
    del graph.node[:]
    graph.node.extend(nodes)
    for values in (graph.initializer, graph.output):
        rest = [value for value in values if value.name in needed]
        del values[:]
        values.extend(rest)
    for field in ("value_info", "quantization_annotation", "metadata_props", "doc_string"):
        graph.ClearField(field)


def _check_known(node: Any, functions: set[tuple[str, str]], path: str) -> None:
    from onnx import AttributeProto

    where = place_of(node, path)
    if (node.domain, node.op_type) in functions:
        raise ModelError(
            f"{node.op_type} is a function that the model defines",
            where=where,
            remedy="write it out: onnx.inliner.inline_local_functions",
        )
    if node.domain not in OURS:
        raise ModelError(
            f"{node.op_type} of the domain {node.domain!r} is not read",
            where=where,
            remedy=f"ONNX's own operators alone are; {READABLE}",
        )
    kinds = {attribute.type for attribute in node.attribute}
    if kinds & {AttributeProto.GRAPH, AttributeProto.GRAPHS}:
        raise ModelError(
            f"{node.op_type} runs graphs of its own",
            where=where,
            remedy="export the model without if and loops, whose path a network can't choose",
        )
    if node.op_type not in TABLE:
        raise ModelError(f"{node.op_type} is not read", where=where, remedy=READABLE)


def _constants(graph: Any, path: str) -> dict[str, Tensor]:
    constants: dict[str, Tensor] = {}
    for proto in graph.initializer:
        if proto.name in constants:
            what = f"{proto.name!r} is stored twice"
            raise NetworkFileError(what, where=path, remedy="export the model again")
        constants[proto.name] = tensor_of(proto, f"{path}: {proto.name}", Path(path).parent)
    return constants


def _input(value: Any, path: str) -> Input:
    where = f"{path}: {value.name}"
    if not value.type.HasField("tensor_type"):
        raise ModelError("an input is no tensor", where=where, remedy="give bits in tensors")
    kind = value.type.tensor_type
    dtype = dtype_of(kind.elem_type, where)
    if not kind.HasField("shape"):
        return Input(value.name, dtype, None)
    sizes = [size.dim_value if size.HasField("dim_value") else None for size in kind.shape.dim]
    if len(sizes) > MOST_SIZES or any(s is not None and not 0 < s <= 1 << 16 for s in sizes):
        shown = ", ".join("?" if size is None else str(size) for size in sizes[:MOST_SIZES])
        raise NetworkFileError(
            f"its shape is [{shown}]", where=where, remedy="an input has a row of bits"
        )
    return Input(value.name, dtype, tuple(sizes))


def _own_model(model: Any, opset: int, inputs: list[str]) -> Any:
    """Return a model of what is read, and nothing else."""
    import onnx

    own = onnx.ModelProto(ir_version=max(model.ir_version, 4), graph=model.graph)
    _ = own.opset_import.add(domain="", version=opset)
    graph_inputs = [value for value in own.graph.input if value.name in inputs]
    del own.graph.input[:]
    own.graph.input.extend(graph_inputs)
    return own


def _check_formally(model: Any, path: str) -> None:
    from onnx import checker

    types = [value.type.tensor_type for value in (*model.graph.input, *model.graph.output)]
    shapeless = [kind for kind in types if not kind.HasField("shape")]
    for kind in shapeless:  # the checker wants one, runtimes and the standard's text do not
        kind.shape.SetInParent()
    try:
        checker.check_model(model)
    except (checker.ValidationError, ValueError, TypeError) as error:
        text = (str(error).strip().splitlines() or [""])[0][:200]
        what = f"onnx's checker refuses it ({text})"
        raise NetworkFileError(what, where=path, remedy="export the model again") from None
    for kind in shapeless:
        kind.ClearField("shape")


def _steps(graph: Any, opset: int, input_names: set[str], path: str) -> tuple[Step, ...]:
    from onnx import defs

    depending = set(input_names)
    steps: list[Step] = []
    for node in graph.node:
        limits.check()
        where = place_of(node, path)
        schema = defs.get_schema(node.op_type, opset, "")
        attributes = {
            name: _value(attribute.default_value, where, path)
            for name, attribute in schema.attributes.items()
            if attribute.default_value.name
        }
        attributes |= {each.name: _value(each, where, path) for each in node.attribute}
        inputs = tuple(node.input)
        depends = tuple(name in depending for name in inputs)
        if any(depends) and node.op_type not in SHAPES_ALONE:
            depending.update(node.output)
        steps.append(
            Step(where, node.op_type, schema.since_version, inputs, tuple(node.output), attributes,
                 depends)
        )  # fmt: skip
    return tuple(steps)


def _value(attribute: Any, where: str, path: str) -> Any:
    """Return an attribute's value: a number, text, several numbers, or a tensor."""
    from onnx import AttributeProto, helper

    kinds = AttributeProto
    if attribute.type == kinds.TENSOR:
        return tensor_of(attribute.t, where, Path(path).parent)
    numbers = (kinds.INT, kinds.INTS, kinds.FLOAT, kinds.FLOATS)
    if attribute.type not in (*numbers, kinds.STRING, kinds.STRINGS):
        raise ModelError(
            f"its attribute {attribute.name!r} is neither numbers nor text",
            where=where,
            remedy=READABLE,
        )
    value = helper.get_attribute_value(attribute)
    if attribute.type == kinds.STRINGS:
        return [text.decode("ascii", "replace") for text in value]
    if isinstance(value, bytes):
        return value.decode("ascii", "replace")
    return value if isinstance(value, int | float) else list(value)


def _dtype(inputs: tuple[Input, ...], constants: dict[str, Tensor]) -> torch.dtype:
    """Return the type of the model's numbers: of most of its weights, else of its input."""
    counts: dict[torch.dtype, int] = {}
    for tensor in constants.values():
        if tensor.dtype.is_floating_point:
            counts[tensor.dtype] = counts.get(tensor.dtype, 0) + tensor.numel()
    if counts:
        return max(counts, key=counts.__getitem__)
    dtypes = [value.dtype for value in inputs if value.dtype.is_floating_point]
    return dtypes[0] if dtypes else torch.float32


def place_of(node: Any, path: str) -> str:
    """Return what errors call a node."""
    name = node.name or next(iter(node.output), "")
    return f"{path}: {node.op_type} {name[:80]!r}"


def _malformed(what: str, node: Any, path: str) -> NetworkFileError:
    return NetworkFileError(what, where=place_of(node, path), remedy="export the model again")
