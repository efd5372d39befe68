"""The operators that a graph may consist of: one table, from ONNX's name to its meaning.

Rule: an entry computes with PyTorch what ONNX's definition says, in every opset that is read; what
the recorder of modules (:mod:`adderlab.nets.tracing`) makes of PyTorch's operations is the
network. An operator that is not in the table is refused.

References:
    ONNX, "Operator Schemas", https://onnx.ai/onnx/operators/
"""

from __future__ import annotations

from typing import Final

import torch
from torch.nn import functional as F  # noqa: N812 -- as everywhere

from adderlab.nets.onnx.operators import (
    arithmetic,
    choices,
    constants,
    curves,
    moves,
    recurrent,
)
from adderlab.nets.onnx.operators.shared import Entry, folded, of_constants, pairwise, plain

GROUPS: Final[dict[str, dict[str, Entry]]] = {
    "numbers that move": {
        "Reshape": moves.reshape,
        "Flatten": moves.flatten,
        "Squeeze": moves.squeeze,
        "Unsqueeze": moves.unsqueeze,
        "Transpose": moves.transpose,
        "Concat": moves.concat,
        "Split": moves.split,
        "Slice": moves.sliced,
        "Gather": moves.gather,
        "GatherElements": moves.gather_elements,
        "GatherND": moves.gather_parts,
        "ScatterElements": moves.scatter_elements,
        "ScatterND": moves.scatter_parts,
        "Expand": moves.expand,
        "Tile": moves.tile,
        "Pad": moves.pad,
        "Identity": plain(lambda value: value),
        "Dropout": curves.dropout,
    },
    "constants": {
        "Constant": constants.stored,
        "ConstantOfShape": constants.of_shape,
        "Shape": constants.shape_of,
        "Size": constants.size_of,
    },
    "of constants alone": {
        "DequantizeLinear": of_constants(arithmetic.dequantized),
        "Range": of_constants(constants.counted),
        "Sqrt": of_constants(plain(torch.sqrt)),
        "Pow": of_constants(arithmetic.power),
        "Floor": of_constants(plain(torch.floor)),
        "Ceil": of_constants(plain(torch.ceil)),
    },
    "products with constants": {
        "MatMul": arithmetic.matmul,
        "Gemm": arithmetic.gemm,
        "Mul": pairwise(torch.mul),
        "Div": arithmetic.divide,
        "Neg": plain(torch.neg),
        "Einsum": arithmetic.einsum,
        "BatchNormalization": arithmetic.batch_norm,
        "RNN": recurrent.elman,
    },
    "sums": {
        "Add": pairwise(torch.add),
        "Sub": pairwise(torch.sub),
        "Sum": folded(torch.add),
        "ReduceSum": arithmetic.total,
        "ReduceMean": arithmetic.mean,
    },
    "activations": {
        "Relu": plain(torch.relu),
        "LeakyRelu": curves.leaky,
        "PRelu": curves.prelu,
        "Sigmoid": plain(torch.sigmoid),
        "Tanh": plain(torch.tanh),
        "HardSigmoid": curves.hard_sigmoid,
        "Softplus": curves.softplus,
        "Elu": curves.elu,
        "Celu": curves.celu,
        "Selu": curves.selu,
        "Gelu": curves.gelu,
        "Swish": curves.swish,
        "Mish": plain(F.mish),
        "Softsign": plain(F.softsign),
        "ThresholdedRelu": curves.thresholded,
        "Clip": curves.clip,
        "Abs": plain(torch.abs),
        "Sign": plain(torch.sign),
        "Exp": plain(torch.exp),
        "Reciprocal": plain(torch.reciprocal),
        "Max": folded(torch.maximum),
        "Min": folded(torch.minimum),
    },
    "comparisons, and choices by them": {
        "Greater": pairwise(torch.gt),
        "GreaterOrEqual": pairwise(torch.ge),
        "Less": pairwise(torch.lt),
        "LessOrEqual": pairwise(torch.le),
        "Where": choices.where,
        "Round": plain(torch.round),
    },
    "operations of bits": {
        "Equal": pairwise(torch.eq),
        "Not": plain(torch.logical_not),
        "And": pairwise(torch.logical_and),
        "Or": pairwise(torch.logical_or),
        "Xor": pairwise(torch.logical_xor),
        "BitwiseAnd": pairwise(torch.bitwise_and),
        "BitwiseOr": pairwise(torch.bitwise_or),
        "BitwiseXor": pairwise(torch.bitwise_xor),
    },
    "conversions that keep every value": {
        "Cast": choices.cast,
        "CastLike": choices.cast_like,
    },
    "the number of the largest": {
        "ArgMax": choices.number_of_largest(),
        "ArgMin": choices.number_of_largest(least=True),
        "Softmax": curves.softmax(F.softmax),
        "LogSoftmax": curves.softmax(F.log_softmax),
    },
}
"""What each of ONNX's operators means, under what it does."""

TABLE: Final[dict[str, Entry]] = {
    name: entry for group in GROUPS.values() for name, entry in group.items()
}
"""All of them by name."""

SHAPES_ALONE: Final = ("Shape", "Size")
"""Operators whose results depend on the shape of what they are given, and on nothing else."""
