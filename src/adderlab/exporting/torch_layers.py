"""Layers in PyTorch's spellings: number types, literals, activations.

Rule: what PyTorch would round is refused; nothing here imports it.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any, Final

import numpy as np

from adderlab import limits
from adderlab.errors import NetworkError
from adderlab.formats import FORMATS, Format
from adderlab.nets import Network
from adderlab.nets.activations import Activation
from adderlab.nets.enclosure import Machine
from adderlab.nets.quantized_arithmetic import float_format_of, has_float_activations
from adderlab.nets.state_dict import FORMAT_OF
from adderlab.nets.tensors import Dense, Numbers, Packed, Scaled, Sparse, Tensor

DTYPES: Final = {
    "fp64": "float64",
    "fp32": "float32",
    "fp16": "float16",
    "bf16": "bfloat16",
    "fp8-e4m3": "float8_e4m3fn",
    "fp8-e5m2": "float8_e5m2",
}
COMPUTING: Final = ("fp64", "fp32", "fp16", "bf16")
"""The formats whose arithmetic PyTorch has."""

EXACT_INTEGERS: Final = ("fp32", "fp64")
"""What whole numbers are computed in: the first that rounds no sum."""

CODE_TYPES: Final = ("int8", "int16", "int32", "int64")
OTHERS: Final = "c, verilog or json hold it"

CALLS: Final = {
    "relu": "torch.relu({x})",
    "leaky": "functional.leaky_relu({x}, {slope})",
    "hardtanh": "functional.hardtanh({x}, {min}, {max})",
    "relu6": "functional.relu6({x})",
    "clamp": "torch.clamp({x}, {min}, {max})",
    "threshold": "functional.threshold({x}, {threshold}, {value})",
    "abs": "torch.abs({x})",
    "sign": "torch.sign({x})",
    "tanh": "torch.tanh({x})",
    "sigmoid": "torch.sigmoid({x})",
    "hardsigmoid": "functional.hardsigmoid({x})",
    "quotient": "{x} / {divisor}",
    "softsign": "functional.softsign({x})",
    "softplus": "functional.softplus({x}, {beta}, {threshold})",
    "elu": "functional.elu({x}, {alpha})",
    "selu": "functional.selu({x})",
    "gelu": "functional.gelu({x}, approximate={approximate})",
    "silu": "functional.silu({x})",
    "mish": "functional.mish({x})",
    "step": "({x} {op} 0).to({x}.dtype)",
    "heaviside": "torch.heaviside({x}, torch.tensor({value}, dtype={x}.dtype))",
    "where": "torch.where({x} {op} {threshold}, {above}, {below})",
}
"""Each kind of activation but the identity, and a prelu, which has parameters."""

REPEATED: Final = ("step", "heaviside", "where")
"""Kinds whose call names the sums more than once."""


def is_coded(net: Network) -> bool:
    """Return whether the numbers of a network are codes, in a format that PyTorch can't compute."""
    return net.format not in COMPUTING


def computing_format(net: Network) -> str:
    """Return the format that the module computes in.

    Raises:
        NetworkError: none is exact for whole numbers without scales, or holds the scales.
    """
    form = FORMATS[net.format]
    if not is_coded(net):
        return net.format
    if form.kind == "float":
        return "fp32"
    if has_float_activations(net) or any(layer.activation.rounds for layer in net.layers):
        wide = float_format_of(net)
        if wide is not None:
            return wide.name
    elif Machine.can_run(net):
        names = (name for name in EXACT_INTEGERS if Machine(net, FORMATS[name]).never_rounds)
        name = next(names, None)
        if name is not None:
            return name
    raise NetworkError(
        "its whole numbers, or their sums, are beyond what doubles hold",
        where="network",
        remedy=f"take another target: {OTHERS}",
    )


def check_constants(net: Network, form: str) -> None:
    """Raise where PyTorch would round a constant of an activation.

    Raises:
        NetworkError: with the constant as PyTorch would have it.
    """
    # leaky_relu, threshold and elu take their constants in fp32 for fp16 and bf16 too
    wide = "fp64" if form == "fp64" else "fp32"
    for number, layer in enumerate(net.layers, start=1):
        activation = layer.activation
        if not activation.rule.can_be_run:
            raise NetworkError(
                f"{activation} is what a softmax is taken of, which is no layer of PyTorch's",
                where=f"fc{number}",
                remedy=f"take another target: {OTHERS}",
            )
        own = activation.kind in ("prelu", "hardtanh", "clamp", "heaviside", "where")
        held = FORMATS[form if own else wide]
        for name, values in activation.constants.items():
            for value in values:
                _check_held(value, held, name, f"fc{number}")


def _check_held(value: float, form: Format, name: str, where: str) -> None:
    if form.holds(Fraction(value)):
        return
    near = form.nearest(Fraction(value))
    remedy = f"take another target: {OTHERS}"
    if near is not None:
        remedy = f"give the network the {name} {float(near)!r}"
    raise NetworkError(
        f"the {name} {value!r} is not representable in {form.name}, and PyTorch would round it",
        where=where,
        remedy=remedy,
    )


def activation_text(activation: Activation, x: str) -> str:
    """Return the call of an activation on the expression ``x``."""
    options: dict[str, Any] = {
        name: getattr(activation, name) for name in activation.rule.options if name != "convention"
    }
    texts = {name: repr(value) for name, value in options.items()}
    if activation.kind == "where":
        for name in ("above", "below"):
            is_own = options[name] is None
            texts[name] = x if is_own else f"torch.tensor({options[name]!r}, dtype={x}.dtype)"
    return CALLS[activation.kind].format(x=x, op=activation.convention, **texts)


def dtype_text(name: str) -> str:
    """Return PyTorch's name of a format or of a type of whole numbers."""
    return f"torch.{DTYPES.get(name, name)}"


def numbers_of(tensor: Tensor) -> Numbers:
    """Return the numbers of a tensor that stand one by one."""
    inner = tensor.q if isinstance(tensor, Scaled) else tensor
    return inner.values if isinstance(inner, Sparse) else inner


def literal_type(tensor: Numbers, form: str) -> str:
    """Return the type of a tensor's literal: of codes, the narrowest that holds them.

    Args:
        tensor: the numbers.
        form: the format that the module computes in.
    """
    array = tensor.numbers
    if isinstance(tensor, Dense) and array.dtype.kind not in "iu":
        own = FORMAT_OF[array.dtype]
        return own if own.startswith("fp8") else form
    if isinstance(tensor, Packed):
        return f"int{max(8, 1 << (tensor.bits - 1).bit_length())}"
    return whole_type(map(int, np.asarray(array, dtype=object).flat))


def whole_type(values: Iterable[int]) -> str:
    """Return the narrowest signed type of PyTorch's that holds whole numbers."""
    numbers = list(limits.each(values))
    low, high = min(numbers, default=0), max(numbers, default=0)
    return next(
        name
        for name in CODE_TYPES
        if np.iinfo(name).min <= low and high <= np.iinfo(name).max
    )  # fmt: skip
