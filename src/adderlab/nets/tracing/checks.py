"""What is checked of a module before its forward is read, and of the network that was read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from adderlab.errors import ModelError
from adderlab.nets.activations import Rounding
from adderlab.nets.readout import read_bits
from adderlab.nets.tensors import Dense

if TYPE_CHECKING:
    from jaxtyping import Float64

    from adderlab.nets.network import Network
    from adderlab.nets.tracing.operations import Wire

_HOOKS = ("_forward_hooks", "_forward_pre_hooks")
_TF32 = 2.0**-10
"""Rounding unit of the format in which a GPU may multiply fp32 matrices."""


def check_module(model: Any) -> None:
    """Raise for a module whose forward is not all there is to it, or whose weights are unusable.

    Raises:
        ModelError: with the module or parameter.
    """
    if not isinstance(model, nn.Module):
        is_class = isinstance(model, type)
        name = model.__name__ if is_class else type(model).__name__
        raise ModelError(
            f"{name} is {'a class' if is_class else 'no nn.Module'}",
            where="model",
            remedy=f"make one: {name}()" if is_class else "give a PyTorch module",
        )
    if isinstance(model, torch.jit.ScriptModule) or "_orig_mod" in vars(model).get("_modules", {}):
        raise ModelError(
            "the model is compiled", where="model", remedy="give the module that was compiled"
        )
    if any(vars(nn.modules.module)[f"_global{name}"] for name in _HOOKS):
        raise ModelError(
            "a forward hook is set on all modules", where="model", remedy="remove the hook"
        )
    for name, module in model.named_modules():
        where = f"{name} ({type(module).__name__})" if name else type(module).__name__
        if any(nn.parameter.is_lazy(p) for p in module.parameters(recurse=False)):
            raise ModelError("the layer has no weights yet", where=where, remedy="run it once")
        if any(vars(module).get(hooks) for hooks in _HOOKS):
            raise ModelError(
                "a forward hook may change what the module gives",
                where=where,
                remedy="remove the hook (of pruning, with prune.remove)",
            )
        if nn.utils.parametrize.is_parametrized(module):
            raise ModelError(
                "a weight is computed by a parametrization",
                where=where,
                remedy="make it plain with torch.nn.utils.parametrize.remove_parametrizations",
            )
    for name, parameter in model.named_parameters():
        if parameter.is_meta:
            raise ModelError("the weights are on the meta device", where=name, remedy="load them")
        kind = str(parameter.dtype).removeprefix("torch.")
        if kind not in ("float64", "float32", "float16", "bfloat16"):
            raise ModelError(
                f"the numbers are {kind}", where=name, remedy="convert the model with .float()"
            )
        finite = torch.isfinite(parameter.detach())
        if not finite.all():
            index = finite.logical_not().nonzero()[0].tolist()
            raise ModelError(
                f"a number is {parameter[tuple(index)].item()} (at {index})",
                where=name,
                remedy="every parameter must be a finite number",
            )


def check_agrees(model: nn.Module, network: Network, x: Tensor, wire: Wire) -> tuple[str, ...]:
    """Run the module and the network on the same rows and raise where they clearly differ.

    An infinity or NaN is a difference, unless the numbers are so large that the module's
    arithmetic may have overflowed on the way.

    Returns:
        A note on the first row on which the module gives no finite number, if there is one.

    Raises:
        ModelError: with the first row on which they differ by more than rounding can.
    """
    got = torch.as_tensor(model(x.clone()))
    if got.shape != (len(x), network.n_out):
        what = f"it gives shape {list(got.shape)}, the layers {[len(x), network.n_out]}"
        raise _not_read(model, what)
    limits = torch.finfo(x.dtype)
    unit = max(limits.eps, _TF32) if x.is_cuda else limits.eps
    rows = x.double().cpu().numpy()
    raw, error = _with_error(network, rows, unit, limits.max)
    actual = got.double().cpu().numpy()
    expected = raw
    is_finite = np.isfinite(actual)
    if wire.readout is not None or wire.is_sigmoid:
        readout = network.readout
        expected = read_bits(readout, raw)[0].astype(np.float64)
        bits = (actual > 0.5).astype(np.float64) if wire.is_sigmoid else actual
        # a sigmoid near 0.5 rounds to it, so there even a close call must be the same bit
        is_clear = np.abs(raw - readout.threshold) > error
        wrong = (bits != expected) & (is_clear | wire.is_sigmoid)
    else:
        with np.errstate(invalid="ignore"):
            wrong = ~(np.abs(actual - expected) <= error)
    wrong = (wrong | ~is_finite) & np.isfinite(error)
    if wrong.any():
        row = int(np.argmax(wrong.any(axis=1)))
        what = f"on {_bits(rows[row])} it gives {actual[row].tolist()}, "
        raise _not_read(model, what + f"the layers that were read {expected[row].tolist()}")
    if is_finite.all():
        return ()
    row = int(np.argmin(is_finite.all(axis=1)))
    return (f"on {_bits(rows[row])} the module overflows and gives {actual[row].tolist()}",)


def _bits(row: Float64[np.ndarray, " n_in"]) -> str:
    return f"input bits {','.join(f'{bit:g}' for bit in row)}"


def _not_read(model: nn.Module, what: str) -> ModelError:
    return ModelError(
        f"its forward does something that was not read: {what}",
        where=type(model).__name__,
        remedy="write forward with layers, activations and a comparison alone",
    )


def _with_error(
    network: Network, rows: Float64[np.ndarray, "batch n_in"], unit: float, largest: float
) -> tuple[Float64[np.ndarray, "batch n_out"], Float64[np.ndarray, "batch n_out"]]:
    """Return the raw outputs in float64, and how far arithmetic of that unit may be from them.

    The distance is infinite where a sum may be beyond ``largest``.

    References:
        Higham, "Accuracy and Stability of Numerical Algorithms" (2002), section 3.1: a sum of
        n products is within n u / (1 - n u) of the sum of their magnitudes.
    """
    rounding = Rounding(unit, tiny=unit**2, largest=largest, ulp=4 * unit)
    values, error = rows, np.zeros_like(rows)
    for layer in network.layers:
        weight = _doubles(layer.weight)
        bias = np.zeros(layer.n_out) if layer.bias is None else _doubles(layer.bias)
        known = np.where(np.isfinite(error), error, 0.0)
        reaches = ~np.isfinite(error).all(axis=1, keepdims=True)  # 0 times an infinity is NaN
        sizes = (np.abs(values) + known) @ np.abs(weight).T + np.abs(bias)
        values = values @ weight.T + bias
        error = known @ np.abs(weight).T + 2 * (layer.n_in + 2) * unit * sizes + unit**2
        error[reaches | (sizes * (1 + 2 * layer.n_in * unit) > largest)] = np.inf
        values, error = layer.activation.enclosed(values, error, rounding)
    return values, error


def _doubles(tensor: Any) -> Float64[np.ndarray, "*shape"]:
    assert isinstance(tensor, Dense)
    return tensor.numbers.astype(np.float64)
