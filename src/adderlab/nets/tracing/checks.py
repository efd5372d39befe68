"""What is checked of a module before its forward is read, and of the network that was read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from adderlab.errors import ModelError
from adderlab.formats import FORMATS
from adderlab.nets.enclosure import Machine
from adderlab.nets.readout import NO_BIT, read_states

if TYPE_CHECKING:
    from jaxtyping import Float64, Int64, UInt8

    from adderlab.nets.network import Network

Shows: TypeAlias = Literal["values", "bits", "number"]


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
    for name, module in model.named_modules():
        where = f"{name} ({type(module).__name__})" if name else type(module).__name__
        if any(nn.parameter.is_lazy(p) for p in module.parameters(recurse=False)):
            raise ModelError("the layer has no weights yet", where=where, remedy="run it once")
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


def check_agrees(
    model: nn.Module,
    network: Network,
    rows: UInt8[np.ndarray, "batch n_in"],
    outputs: Tensor,
    shows: Shows,
) -> tuple[str, ...]:
    """Compare a module's outputs with the network's, and raise where they clearly differ.

    An infinity or NaN is a difference, unless the numbers are so large that the module's
    arithmetic may have overflowed on the way.

    Args:
        model: the module, for errors.
        network: what was read.
        rows: the bits it was run on.
        outputs: what it gave, (batch, outputs).
        shows: whether these are the network's raw outputs, its bits, or the number of the largest.

    Returns:
        A note on the first row on which the module gives no finite number, if there is one, or
        that the two were not compared.

    Raises:
        ModelError: with the first row on which they differ by more than rounding can.
    """
    text, note = difference(network, rows, outputs, shows)
    if text:
        raise _not_read(model, text)
    return (note,) if note else ()


def difference(
    network: Network,
    rows: UInt8[np.ndarray, "batch n_in"],
    outputs: Tensor,
    shows: Shows,
    *,
    who: str = "it",
    slack: float = 1.0,
) -> tuple[str, str]:
    """Return the first row on which outputs clearly differ from a network's, and a note.

    Args:
        network: what was read.
        rows: the bits that the outputs are of.
        outputs: (batch, outputs).
        shows: what they are, as of :func:`check_agrees`.
        who: gave the outputs.
        slack: the error of its curves in the last place, in units of the one assumed of PyTorch's.

    Returns:
        The difference in words, empty for none; and what is to be noted, empty for nothing.
    """
    got = outputs.detach().double().numpy()
    if not Machine.can_run(network):
        return "", "what was read is too large, or its numbers are, to be run beside the module"
    machine = Machine(network, FORMATS[network.format], library=True)
    machine.rounding = replace(machine.rounding, ulp=machine.rounding.ulp * slack)
    enclosure = machine.enclose(rows)
    expected, error = enclosure.values, enclosure.errors * (1 + 2.0**-20)
    is_finite = np.isfinite(got)
    if shows == "values":
        with np.errstate(invalid="ignore"):
            wrong = ~(np.abs(got - expected) <= error)
    else:
        states = read_states(network.readout, expected - error, expected + error)
        bits = got if shows == "bits" else _bits_of(got, network.n_out)
        wrong, expected = (bits != states) & (states < NO_BIT), states.astype(np.float64)
    wrong = (wrong | ~is_finite.all(axis=1, keepdims=True)) & np.isfinite(error)
    if wrong.any():
        row = int(np.argmax(wrong.any(axis=1)))
        what = f"on {_bits(rows[row])} {who} gives {got[row].tolist()}, "
        return what + f"the layers that were read {expected[row].tolist()}", ""
    if is_finite.all():
        return "", ""
    row = int(np.argmin(is_finite.all(axis=1)))
    return "", f"on {_bits(rows[row])} the module overflows and gives {got[row].tolist()}"


def _bits_of(numbers: Float64[np.ndarray, "batch 1"], width: int) -> Int64[np.ndarray, "batch n"]:
    """Return whole numbers as bits, most significant first."""
    return numbers.astype(np.int64) >> np.arange(width - 1, -1, -1) & 1


def _bits(row: Any) -> str:
    return f"input bits {','.join(f'{bit:g}' for bit in row)}"


def _not_read(model: nn.Module, what: str) -> ModelError:
    return ModelError(
        f"its forward does something that was not read: {what}",
        where=type(model).__name__,
        remedy="write forward with layers, activations and a comparison alone",
    )
