"""The operations that a forward may consist of: one table, from PyTorch's name to its meaning.

Rule: an operation that is not in the table is refused, and so is one used in a way that its
handler does not spell out. A handler takes the :class:`Wire` so far and returns it with the
operation added; ``None`` says that the result (a shape, a dtype) carries no values of the batch.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from adderlab.errors import ModelError, NetworkError
from adderlab.nets.activations import RULES, Activation
from adderlab.nets.convention import Convention
from adderlab.nets.network import Layer
from adderlab.nets.readout import Readout
from adderlab.nets.state_dict import FORMAT_OF, array_of
from adderlab.nets.tensors import Dense, stored_in

_NAMES: Final = [name for rule in RULES.values() for name in rule.spellings[:1]]
READABLE: Final = f"what can be read: Linear, {', '.join(_NAMES)}, Step, `> t` and `>= t`"


@dataclass(frozen=True, slots=True)
class Wire:
    """What has been computed from the batch so far.

    Attributes:
        layers: the layers so far; the last one is still to get its activation if it has none.
        readout: set after a comparison: the wire carries bits.
        is_sigmoid: the wire carries the sigmoid of the last layer's outputs.
        notes: what a person should know of how it was read.
    """

    layers: tuple[Layer, ...] = ()
    readout: Readout | None = None
    is_sigmoid: bool = False
    notes: tuple[str, ...] = ()

    @property
    def is_affine(self) -> bool:
        """Whether the last thing computed is ``W x + b``."""
        plain = bool(self.layers) and self.layers[-1].activation == Activation()
        return plain and self.readout is None and not self.is_sigmoid

    def noting(self, note: str) -> Wire:
        """Return the wire with one more note, once."""
        return self if note in self.notes else replace(self, notes=(*self.notes, note))

    def with_last(self, **changes: Any) -> Wire:
        """Return the wire with its last layer changed."""
        return replace(self, layers=(*self.layers[:-1], replace(self.layers[-1], **changes)))


@dataclass(frozen=True, slots=True)
class Call:
    """One operation: its name, its place in the user's code, its input and output on the rows."""

    name: str
    where: str
    before: Any
    after: Any

    def weight_dtype(self, wire: Wire) -> torch.dtype:
        """Return the dtype that the layers compute in."""
        weight = wire.layers[-1].weight
        assert isinstance(weight, Dense)
        return getattr(torch, weight.numbers.dtype.name)

    def refusal(self, what: str, remedy: str = READABLE) -> ModelError:
        """Return the error for this operation."""
        return ModelError(what, where=self.where, remedy=remedy)


Handler: TypeAlias = Callable[..., Wire | None]


def linear(call: Call, wire: Wire, weight: Any, bias: Any = None) -> Wire:
    """``W x + b``: a new layer; bits before it become a step."""
    wire = _with_sigmoid(wire)
    if wire.readout is not None:
        wire = _with_step(call, wire, wire.readout)
    tensors = [_stored(call, tensor) for tensor in (weight, bias) if tensor is not None]
    shapes = [list(tensor.shape) for tensor in tensors]
    if len(shapes[0]) != 2 or shapes[1:] not in ([], [shapes[0][:1]]):
        raise call.refusal(f"weight and bias have shapes {shapes}, not (out, in) and (out,)")
    before = [
        layer.weight.numbers.dtype for layer in wire.layers if isinstance(layer.weight, Dense)
    ]
    dtypes = {dtype.name for dtype in (*before, *(tensor.numbers.dtype for tensor in tensors))}
    if len(dtypes) > 1:
        raise call.refusal(
            f"the layers are in different number formats ({', '.join(sorted(dtypes))})",
            "convert the model to one, for example with model.float()",
        )
    layer = Layer(tensors[0], tensors[1] if bias is not None else None)
    return replace(wire, layers=(*wire.layers, layer))


def product(call: Call, wire: Wire, other: Any) -> Wire:
    """``x @ W``: a layer without bias, its weight transposed."""
    if not isinstance(other, Tensor) or other.ndim != 2:
        raise call.refusal("the batch is multiplied with something that is no matrix")
    return linear(call, wire, other.T)


def sum_(call: Call, wire: Wire, other: Any, *, alpha: float = 1, sign: int = 1) -> Wire:
    """``y + c``: into the bias of the layer, where that is exact."""
    if not wire.is_affine or alpha != 1:
        raise call.refusal("a number can only be added to or subtracted from a Linear's outputs")
    size = wire.layers[-1].n_out
    constant = torch.as_tensor(other, dtype=torch.float64)
    if tuple(constant.shape) not in ((), (1,), (size,), (1, 1), (1, size)):
        raise call.refusal(f"a constant of shape {list(constant.shape)} meets {size} outputs")
    if constant.to(call.before.dtype).double().ne(constant).any():
        raise call.refusal("the constant is rounded by PyTorch", "put it into the bias yourself")
    by = np.broadcast_to(constant.reshape(-1).cpu().numpy(), (size,)) * sign
    return _shifted(call, wire, by)


def difference(call: Call, wire: Wire, other: Any, *, alpha: float = 1) -> Wire:
    """``y - c``."""
    return sum_(call, wire, other, alpha=alpha, sign=-1)


def activation(kind: str) -> Handler:
    """Return the handler of an activation without options."""

    def handler(call: Call, wire: Wire, inplace: bool = False) -> Wire:  # noqa: ARG001
        return _activated(call, wire, Activation(kind))

    return handler


def _spellings(kind: str) -> Iterator[Any]:
    """Yield PyTorch's functions of an activation, and the names of a tensor's methods."""
    for name in (name + ending for name in RULES[kind].spellings for ending in ("", "_")):
        yield from (getattr(module, name) for module in (torch, F) if hasattr(module, name))
        if hasattr(Tensor, name):
            yield name


def leaky(
    call: Call,
    wire: Wire,
    negative_slope: float = 0.01,
    inplace: bool = False,  # noqa: ARG001
) -> Wire:
    """Leaky relu; PyTorch rounds the slope to fp32 in all formats but fp64 (measured, 2.13)."""
    return _told(call, wire, "leaky", slope=_wide(call, negative_slope))


def prelu(call: Call, wire: Wire, weight: Any) -> Wire:
    """Leaky relu whose slopes are a parameter, of the batch's dtype."""
    slopes = torch.as_tensor(weight).double().reshape(-1).tolist()
    return _told(call, wire, "prelu", slopes=tuple(slopes))


def hardtanh(
    call: Call,
    wire: Wire,
    min_val: float = -1.0,
    max_val: float = 1.0,
    inplace: bool = False,  # noqa: ARG001
) -> Wire:
    """Values between two limits; ``nn.ReLU6`` is one with 0 and 6."""
    if (min_val, max_val) == (0, 6):
        return _activated(call, wire, Activation("relu6"))
    return _told(call, wire, "hardtanh", min=_own(call, min_val), max=_own(call, max_val))


def clamp(call: Call, wire: Wire, min: Any = None, max: Any = None) -> Wire:
    """``clamp(min=0)`` is relu; other limits make a clamp."""
    limits = [_limit(call, limit) for limit in (min, max)]
    if limits == [0.0, None]:
        return _activated(call, wire, Activation("relu"))
    return _told(call, wire, "clamp", min=limits[0], max=limits[1])


def clamp_max(call: Call, wire: Wire, max: Any) -> Wire:
    """The smaller of each value and a limit."""
    return clamp(call, wire, None, max)


def threshold(
    call: Call,
    wire: Wire,
    threshold: float,
    value: float,
    inplace: bool = False,  # noqa: ARG001
) -> Wire:
    """The sum above a threshold, which is compared in fp32 at least, and a value elsewhere."""
    limit = _wide(call, threshold)
    return _told(call, wire, "threshold", threshold=limit, value=_own(call, value))


def heaviside(call: Call, wire: Wire, values: Any) -> Wire:
    """A step with a value of its own at 0."""
    return _told(call, wire, "heaviside", value=_single(call, values))


def where(call: Call, wire: Wire, above: Any, below: Any) -> Wire:
    """One of two numbers, by a comparison; 1 and 0 are the bits that it is read as."""
    if wire.readout is None:
        raise call.refusal("where is read only on a comparison", "write where(y > t, a, b)")
    if call.after.dtype != call.weight_dtype(wire):
        raise call.refusal(
            f"where gives {call.after.dtype} here", "give tensors of the model's dtype"
        )
    chosen = [_single(call, value, call.after.dtype) for value in (above, below)]
    if chosen == [1.0, 0.0]:
        return wire
    readout, wire = wire.readout, replace(wire, readout=None)
    return _told(
        call,
        wire,
        "where",
        convention=readout.convention,
        threshold=readout.threshold,
        above=chosen[0],
        below=chosen[1],
    )


def elu(
    call: Call,
    wire: Wire,
    alpha: float = 1.0,
    inplace: bool = False,  # noqa: ARG001
) -> Wire:
    """The exponential linear unit."""
    return _told(call, wire, "elu", alpha=_wide(call, alpha))


def softplus(call: Call, wire: Wire, beta: float = 1.0, threshold: float = 20.0) -> Wire:
    """A smooth relu, which is the sum itself beyond a threshold."""
    limits = {"beta": _wide(call, beta), "threshold": _wide(call, threshold)}
    return _told(call, wire, "softplus", **limits)


def gelu(call: Call, wire: Wire, approximate: str = "none") -> Wire:
    """The sum times the normal distribution function, or its approximation by tanh."""
    return _told(call, wire, "gelu", approximate=approximate)


def maximum(call: Call, wire: Wire, other: Any) -> Wire:
    """``maximum(x, 0)``: relu."""
    if call.after.shape != call.before.shape or bool(other.ne(0).any()):
        raise call.refusal("a maximum is read only against zeros, which is relu")
    return _activated(call, wire, Activation("relu"))


def sigmoid(call: Call, wire: Wire) -> Wire:
    """A sigmoid; at the end ``sigmoid(y) > 0.5`` is ``y > 0``."""
    if not wire.is_affine:
        raise call.refusal(f"{call.name} stands where no Linear is right before it")
    return replace(wire, is_sigmoid=True)


def comparison(convention: Convention) -> Handler:
    """Return the handler of ``>`` or ``>=`` with a constant."""

    def handler(call: Call, wire: Wire, other: Any) -> Wire:
        threshold = _threshold(call, other)
        constant = other.item() if isinstance(other, Tensor) else other
        if constant != threshold:
            wire = wire.noting(f"{constant!r} is compared as PyTorch rounds it, {threshold!r}")
        if wire.readout is not None:  # bits compared again
            if (1 > threshold > 0) or threshold == (0 if convention == ">" else 1):
                return wire
            raise call.refusal(f"bits are compared with {threshold:g}: the result is constant")
        if wire.is_sigmoid and threshold != 0.5:
            wire = _with_sigmoid(wire)
        if wire.is_sigmoid:
            wire = replace(wire, is_sigmoid=False)
            wire = wire.noting(f"sigmoid(y) {convention} 0.5 was read as y {convention} 0")
            threshold = 0.0
        if not wire.layers:
            raise call.refusal("the input is compared before any Linear")
        return replace(wire, readout=Readout("threshold", threshold, convention))

    return handler


def same(call: Call, wire: Wire, *_args: Any, **_kwargs: Any) -> Wire:
    """Reshaping to the same shape, or a conversion that keeps every value."""
    before, after = call.before, call.after
    if after.shape != before.shape:
        raise call.refusal(
            f"{call.name} changes the shape of the batch from {list(before.shape)} to "
            f"{list(after.shape)}",
            "keep it (batch, bits): one row for each input",
        )
    widens = after.is_floating_point() and (
        torch.promote_types(before.dtype, after.dtype) == after.dtype
    )
    if wire.readout is None and not widens:
        raise call.refusal(
            f"{call.name} converts values to {after.dtype}, which rounds them",
            "convert the bits after the comparison instead",
        )
    return wire


def dropout(
    call: Call,
    wire: Wire,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,  # noqa: ARG001
) -> Wire:
    """Dropout, which does nothing in eval mode."""
    if training and p:
        raise call.refusal(
            "this dropout is on in eval mode too, so the outputs are random",
            "use nn.Dropout, or F.dropout(x, training=self.training)",
        )
    return wire.noting("dropout was read as in eval mode, where it does nothing")


def attribute(call: Call, wire: Wire, name: str) -> Wire | None:
    """``x.shape`` and its like, which carry no values; ``x.data``, which carries all."""
    if name == "data":
        return wire
    if name in ("shape", "dtype", "device", "ndim"):
        return None
    raise call.refusal(f"the batch's .{name} can't be read")


def query(_call: Call, _wire: Wire, *_args: Any, **_kwargs: Any) -> None:
    """A result that depends on the shape of the batch alone."""


_TOLD: Final[dict[str, Handler]] = {
    "leaky": leaky,
    "prelu": prelu,
    "hardtanh": hardtanh,
    "clamp": clamp,
    "threshold": threshold,
    "heaviside": heaviside,
    "where": where,
    "softplus": softplus,
    "elu": elu,
    "gelu": gelu,
}
"""By kind, the activations that have options."""

OPERATIONS: Final[dict[Any, Handler]] = {
    F.linear: linear,
    **dict.fromkeys((operator.matmul, torch.matmul, torch.mm, "matmul", "mm"), product),
    **dict.fromkeys((operator.add, operator.iadd, torch.add, "add", "add_"), sum_),
    **dict.fromkeys((operator.sub, operator.isub, torch.sub, "sub", "sub_"), difference),
    **{
        spelling: activation(kind)
        for kind, rule in RULES.items()
        if not rule.options and kind != "sigmoid"
        for spelling in _spellings(kind)
    },
    **{spelling: handler for kind, handler in _TOLD.items() for spelling in _spellings(kind)},
    **dict.fromkeys((torch.clamp_max, torch.clamp_max_, "clamp_max", "clamp_max_"), clamp_max),
    **dict.fromkeys((torch.maximum, "maximum"), maximum),
    **dict.fromkeys((torch.sigmoid, "sigmoid", "sigmoid_"), sigmoid),
    **dict.fromkeys((operator.gt, torch.gt, torch.greater, "gt", "greater"), comparison(">")),
    **dict.fromkeys(
        (operator.ge, torch.ge, torch.greater_equal, "ge", "greater_equal"), comparison(">=")
    ),
    **dict.fromkeys(("float", "double", "half", "bfloat16", "to", "type", "type_as"), same),
    **dict.fromkeys(("int", "long", "short", "bool", "cpu", "cuda"), same),
    **dict.fromkeys((torch.flatten, torch.reshape, "flatten", "view", "reshape"), same),
    **dict.fromkeys((torch.clone, torch.detach, "clone", "detach", "contiguous"), same),
    F.dropout: dropout,
    getattr: attribute,
    **dict.fromkeys(("size", "dim", "numel", torch.numel, torch.zeros_like, "new_zeros"), query),
}
"""What each PyTorch function, operator and tensor method (by its name) means."""

SWAPPED: Final[dict[Any, Handler]] = {
    **dict.fromkeys((operator.add, torch.add, "add"), sum_),
    **dict.fromkeys((torch.maximum, "maximum"), maximum),
    **dict.fromkeys((operator.lt, torch.lt, "lt"), comparison(">")),
    **dict.fromkeys((operator.le, torch.le, "le"), comparison(">=")),
}
"""What operations mean whose second argument is the batch: ``t < y`` is ``y > t``."""

_WRITE_COMPARISON = "write the comparison as y > t or y >= t"
REMEDIES: Final = {
    "lt": _WRITE_COMPARISON,
    "le": _WRITE_COMPARISON,
    "less": _WRITE_COMPARISON,
    "round": "compare with 0.5 instead: (y > 0.5).float()",
    "argmax": "give one output for each bit and compare it with a constant",
    "softmax": "leave it out and compare each output with a constant",
    "Softmax": "leave it out and compare each output with a constant",
    "BatchNorm1d": "fold it into the Linear before it",
}
"""What to write instead of what is often met, by the operation's name."""


def _activated(call: Call, wire: Wire, activation: Activation) -> Wire:
    if not wire.is_affine:
        raise call.refusal(f"{call.name} stands where no Linear is right before it")
    return wire.with_last(activation=activation)


def _told(call: Call, wire: Wire, kind: str, **options: Any) -> Wire:
    """Return the wire with an activation of those options."""
    try:
        told = Activation(kind, **options)
    except NetworkError as error:
        raise call.refusal(f"{call.name}: {error.what}", error.remedy) from error
    return _activated(call, wire, told)


def _wide(call: Call, value: float) -> float:
    """Return a constant as PyTorch takes it: in fp32, but of fp64 as it is."""
    return float(value if call.before.dtype == torch.float64 else np.float32(value))


def _own(call: Call, value: Any, dtype: torch.dtype | None = None) -> float:
    """Return a constant as PyTorch takes it: rounded to the batch's dtype."""
    return float(torch.as_tensor(value, dtype=dtype or call.before.dtype).double())


def _single(call: Call, value: Any, dtype: torch.dtype | None = None) -> float:
    if isinstance(value, Tensor) and value.numel() != 1:
        raise call.refusal(f"{call.name} is given {value.numel()} values", "give one number")
    return _own(call, value.reshape(()) if isinstance(value, Tensor) else value, dtype)


def _limit(call: Call, value: Any) -> float | None:
    """Return a limit of a clamp; ``None`` for none, and for an infinite one."""
    if value is None:
        return None
    if call.after.shape != call.before.shape:
        raise call.refusal(f"{call.name} changes the shape of the batch")
    limit = _single(call, value)
    return None if np.isinf(limit) else limit


def _with_sigmoid(wire: Wire) -> Wire:
    """Return the wire with its sigmoid, which more follows, as an activation."""
    if not wire.is_sigmoid:
        return wire
    return replace(wire, is_sigmoid=False).with_last(activation=Activation("sigmoid"))


def _with_step(call: Call, wire: Wire, readout: Readout) -> Wire:
    """Return the wire with its comparison, which more layers follow, as a step activation."""
    wire = replace(wire, readout=None)
    if not wire.is_affine:
        raise call.refusal("a comparison that more layers follow must stand right after a Linear")
    if readout.threshold:
        wire = _shifted(call, wire, np.full(wire.layers[-1].n_out, -readout.threshold))
    return wire.with_last(activation=Activation("step", convention=readout.convention))


def _shifted(call: Call, wire: Wire, by: np.ndarray[Any, Any]) -> Wire:
    """Return the wire with ``by`` added to the last layer's bias, exactly."""
    layer = wire.layers[-1]
    assert isinstance(layer.weight, Dense)
    old = np.zeros(layer.n_out) if layer.bias is None else layer.bias.exact().to_floats()
    new = [
        Fraction(float(bias)) + Fraction(float(shift)) for bias, shift in zip(old, by, strict=True)
    ]
    try:
        bias = stored_in(new, FORMAT_OF[layer.weight.numbers.dtype])
    except NetworkError as error:
        raise call.refusal(
            "adding this constant to the bias of the Linear before it would round it",
            "put it into the bias yourself",
        ) from error
    wire = wire.with_last(bias=bias)
    if layer.bias is None:
        return wire
    return wire.noting(f"a constant was added to the bias of layer {len(wire.layers)}, exactly")


def _stored(call: Call, tensor: Any) -> Dense:
    try:
        array = array_of(tensor, call.where)
        if array.dtype not in FORMAT_OF:
            raise call.refusal(f"the numbers of a layer are {tensor.dtype}", "use a float type")
        return Dense(array)
    except NetworkError as error:
        raise call.refusal(error.what, error.remedy) from error


def _threshold(call: Call, other: Any) -> float:
    """Return what PyTorch effectively compares with, as a double.

    A number, or a tensor without dimensions, is first converted to the dtype of the batch.
    """
    if isinstance(other, Tensor) and other.numel() != 1:
        raise call.refusal(
            f"the outputs are compared with {other.numel()} thresholds",
            "compare all outputs with one number",
        )
    if call.after.shape != call.before.shape:
        raise call.refusal("the comparison changes the shape of the batch")
    dtype = torch.result_type(call.before, other)
    threshold = float(torch.as_tensor(other, dtype=dtype).double())
    if not np.isfinite(threshold):
        raise call.refusal(f"the threshold is {threshold}", "compare with a finite number")
    return threshold
