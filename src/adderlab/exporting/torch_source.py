"""A network as the source of a PyTorch module, which needs torch alone.

Rule: every number is a literal that gives the stored one, and what ``forward`` does is what
adderlab's own reader of modules reads back to the same network. Layers of a format that PyTorch
can't compute in keep their codes; scales are applied after the sums, as
:mod:`adderlab.nets.quantized_arithmetic` says.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pprint import pformat
from typing import Any, Final

from adderlab.blocks.numbers import counted
from adderlab.errors import NetworkError
from adderlab.exporting.names import identifiers
from adderlab.exporting.subject import Files, Subject, in_comment
from adderlab.exporting.torch_layers import (
    CALLS,
    REPEATED,
    activation_text,
    check_constants,
    computing_format,
    dtype_text,
    is_coded,
    numbers_of,
)
from adderlab.exporting.torch_weights import FROM_ROWS, is_by_rows, weights_lines
from adderlab.formats import FORMATS
from adderlab.nets import Layer, Network
from adderlab.nets.state_dict import to_state_dict
from adderlab.nets.tensors import Dense, Scaled, Sparse, Tensor
from adderlab.nets.wiring import INPUT

MOST_NUMBERS: Final = 1 << 20
"""Numbers that stand in the text: Python compiles a million in seconds."""

MOST_ENTRIES: Final = 1 << 24
"""Weights of the module, zeros included."""

LINE: Final = 96
_RESERVED: Final = (
    *keyword.kwlist, *keyword.softkwlist, *dir(builtins),
    "torch", "nn", "functional", "WEIGHTS", "CodedLinear", "from_rows",
)  # fmt: skip


def class_name(name: str) -> str:
    """Return the name of the class in a file: ``half-adder`` gives ``HalfAdder``.

    Examples:
        >>> class_name("half-adder"), class_name("class"), class_name("2 bits")
        ('HalfAdder', 'Class_', '_2Bits')
    """
    parts = re.split(r"[-_ .]+", name)
    joined = "".join(part[:1].upper() + part[1:] for part in parts)
    return identifiers([joined], _RESERVED)[joined]


def write_torch(subject: Subject) -> Files:
    """Return the file.

    Raises:
        NetworkError: it is too large, or PyTorch would round a number of it.
    """
    net = subject.network
    _check_size(net)
    form = computing_format(net)
    check_constants(net, form)
    if not is_coded(net):
        arrays = to_state_dict(net, format=form)  # raises where the format does not hold a value
        net = _in_floats(net, arrays)
    return {"": "\n".join(_Source(net, subject, form).lines()) + "\n"}


def _check_size(net: Network) -> None:
    entries = sum(layer.n_in * layer.n_out for layer in net.layers)
    listed = sum(
        numbers_of(tensor).shape[0] if is_by_rows(tensor) else _count(tensor)
        for _, tensor in net.tensors()
    )
    if entries > MOST_ENTRIES or listed > MOST_NUMBERS:
        raise NetworkError(
            f"it has {counted(entries, 'weight')}, {listed} of them in the text; a module has up "
            f"to {MOST_ENTRIES} and {MOST_NUMBERS}",
            where="network",
            remedy="take another target: c, onnx and json hold sparse layers as they are",
        )


def _count(tensor: Tensor) -> int:
    rows, *columns = tensor.shape
    return rows * (columns[0] if columns else 1)


def _in_floats(net: Network, arrays: dict[str, Any]) -> Network:
    """Return a network with dense numbers of its own float format; sparse ones stay so."""
    layers = tuple(
        Layer(
            layer.weight
            if isinstance(layer.weight, Sparse) and is_by_rows(layer.weight)
            else Dense(arrays[f"fc{number}.weight"]),
            None if layer.bias is None else Dense(arrays[f"fc{number}.bias"]),
            layer.activation,
            layer.inputs,
        )
        for number, layer in enumerate(net.layers, start=1)
    )
    return Network(layers, net.readout, None, net.format, outputs=net.outputs)


@dataclass(frozen=True, slots=True)
class _Source:
    """The text of a module.

    Attributes:
        net: the network as it is written.
        subject: what is exported.
        form: the format that the module computes in.
    """

    net: Network
    subject: Subject
    form: str

    @property
    def is_coded(self) -> bool:
        return is_coded(self.net)

    def lines(self) -> Iterator[str]:
        """Yield the lines of the file."""
        task = self.subject.task
        body = list(self._class())
        yield from (f"# {line}".rstrip() for line in self.subject.origin.lines())
        words = [", ".join(map(str, each)) for each in (task.inputs, task.outputs)]
        text = f"{task.name} as a PyTorch module: {words[0]} to {words[1]}."
        yield ""
        yield f'"""{in_comment(text).replace(chr(92), "/")}"""'
        yield ""
        yield "import torch"
        yield "from torch import nn"
        if self.is_coded or any("functional." in line for line in body):
            yield "from torch.nn import functional"
        yield from ("", "")
        if self.is_coded:
            yield from self._coded_linear()
            yield from ("", "")
        yield from body
        yield from ("", "")
        if any(is_by_rows(tensor) for _, tensor in self.net.tensors()):
            yield from (*FROM_ROWS.splitlines(), "", "")
        yield from weights_lines(self.net, self.form)

    def _class(self) -> Iterator[str]:
        net = self.net
        kinds = ", ".join(net.activations) or "affine"
        yield f"class {class_name(self.subject.name)}(nn.Module):"
        yield f'    """{net.shape}, {kinds}, in {net.format}; readout {net.readout}."""'
        yield ""
        record = self._record()
        if record:
            yield "    # what adderlab.prove(model) reads beside forward"
            yield from _assigned("adderlab", record)
        if self.is_coded:
            yield f"    dtype = {dtype_text(self.form)}  # in which the sums are taken"
        if record or self.is_coded:
            yield ""
        yield "    def __init__(self):"
        yield "        super().__init__()"
        for number, layer in enumerate(net.layers, start=1):
            yield f"        self.fc{number} = {self._linear(layer, number)}"
            if layer.activation.slopes:
                count = len(layer.activation.slopes)
                yield f"        self.prelu{number} = nn.PReLU({count}{self._dtype})"
        if not self.is_coded or any(net.slopes()):
            yield "        self.load_state_dict(WEIGHTS)"
        yield ""
        yield "    def outputs(self, x):"
        yield f'        """Return the raw outputs, (batch, {net.n_out}), of rows of bits."""'
        yield f"        x = x.to({'self.dtype' if self.is_coded else 'self.fc1.weight.dtype'})"
        yield from self._steps()
        yield ""
        yield "    def forward(self, x):"
        if net.readout.kind == "exact":
            yield '        """Return the outputs of rows of bits: bits, where they are 0 or 1."""'
            yield "        return self.outputs(x)"
        else:
            yield f'        """Return the bits, (batch, {net.n_out}), of rows of bits."""'
            yield from self._bits()

    def _record(self) -> dict[str, Any]:
        """Return what a forward does not say of a network."""
        record: dict[str, Any] = {}
        if self.subject.task.record is not None:
            record["task"] = self.subject.task.record
        if self.is_coded:
            record["format"] = self.net.format
        if self.net.readout.kind == "exact":
            record["readout"] = "exact"
        return record

    @property
    def _dtype(self) -> str:
        """The option of a layer's dtype, left out where it is PyTorch's default."""
        return "" if self.form == "fp32" else f", dtype={dtype_text(self.form)}"

    def _linear(self, layer: Layer, number: int) -> str:
        if self.is_coded:
            return f'CodedLinear("fc{number}")'
        bias = "" if layer.bias is not None else ", bias=False"
        return f"nn.Linear({layer.n_in}, {layer.n_out}{bias}{self._dtype})"

    def _steps(self) -> Iterator[str]:
        """Yield the lines of ``outputs``: a layer each."""
        net = self.net
        names = {INPUT: "x"}
        for number, (node, layer) in enumerate(zip(net.wiring.layers, net.layers, strict=True), 1):
            read = _joined([names[name] for name in node.reads])
            own = names[node.name] = "x" if net.is_chain else f"h{number}"
            linear = f"self.fc{number}({read})"
            kind = layer.activation.kind
            if kind in REPEATED:
                yield f"        {own} = {linear}"
                linear = own
            if kind == "prelu":
                linear = f"self.prelu{number}({linear})"
            elif kind in CALLS:
                linear = activation_text(layer.activation, linear)
            if net.is_chain and number == net.depth:
                yield f"        return {linear}"
            else:
                yield f"        {own} = {linear}"
        if not net.is_chain:
            yield f"        return {_joined([names[name] for name in net.output_layers])}"

    def _bits(self) -> Iterator[str]:
        readout = self.net.readout
        is_held = FORMATS[self.form].holds(Fraction(readout.threshold))
        raw = "self.outputs(x)" if is_held else "self.outputs(x).double()"
        compared = f"{raw} {readout.convention} {readout.threshold!r}"
        if self.form == "fp32":
            yield f"        return ({compared}).float()"
        else:
            yield f"        return ({compared}).to({dtype_text(self.form)})"

    def _coded_linear(self) -> Iterator[str]:
        """Yield the class of layers of codes, with what the layers of this network have."""
        parts = _Parts.of(self.net)
        yield "class CodedLinear(nn.Module):"
        if parts.weight_scale or parts.bias_scale:
            has_zero = parts.weight_zero_point or parts.bias_zero_point
            value = "scale * (code - zero_point)" if has_zero else "scale * code"
            yield f'    """A Linear of codes, whose values are {value}.'
            yield ""
            yield "    The scale multiplies the sums of the codes, then the bias is added."
            yield '    """'
        else:
            yield '    """A Linear of codes, which are its values."""'
        yield ""
        yield "    def __init__(self, name):"
        yield "        super().__init__()"
        yield f"        for part in {_text(parts.names)}:"
        yield '            self.register_buffer(part, WEIGHTS.get(f"{name}.{part}"))'
        yield ""
        yield "    def forward(self, x):"
        weight = "self.weight.to(x.dtype)"
        if parts.weight_zero_point:
            yield f"        weight = {weight}"
            yield from parts.step("weight_zero_point", "weight = weight - self.weight_zero_point")
            weight = "weight"
        yield f"        x = functional.linear(x, {weight})"
        yield from parts.step("weight_scale", "x = x * self.weight_scale")
        if parts.bias:
            if parts.bias < parts.layers:
                yield "        if self.bias is None:"
                yield "            return x"
            bias = "self.bias.to(x.dtype)"
            if parts.bias_scale:
                yield f"        bias = {bias}"
                yield from parts.step("bias_zero_point", "bias = bias - self.bias_zero_point")
                yield from parts.step("bias_scale", "bias = bias * self.bias_scale")
                bias = "bias"
            yield f"        return x + {bias}"
        else:
            yield "        return x"


@dataclass(frozen=True, slots=True)
class _Parts:
    """How many layers of a network have each part that a layer of codes may have."""

    layers: int
    weight_scale: int
    weight_zero_point: int
    bias: int
    bias_scale: int
    bias_zero_point: int

    @classmethod
    def of(cls, net: Network) -> _Parts:
        weights = [layer.weight for layer in net.layers]
        biases = [layer.bias for layer in net.layers if layer.bias is not None]
        scaled = [[t for t in each if isinstance(t, Scaled)] for each in (weights, biases)]
        zeros = [sum(t.zero is not None for t in each) for each in scaled]
        return cls(
            net.depth, len(scaled[0]), zeros[0], len(biases), len(scaled[1]), zeros[1]
        )  # fmt: skip

    @property
    def names(self) -> list[str]:
        """The buffers."""
        optional = ("weight_scale", "weight_zero_point", "bias", "bias_scale", "bias_zero_point")
        return ["weight", *(name for name in optional if getattr(self, name))]

    def step(self, name: str, line: str) -> Iterator[str]:
        """Yield a line that needs a part, under a condition where some layers lack it."""
        having = self.bias if name.startswith("bias_") else self.layers
        count = getattr(self, name)
        if count and count < having:
            yield f"        if self.{name} is not None:"
            yield f"            {line}"
        elif count:
            yield f"        {line}"


def _joined(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"torch.cat([{', '.join(names)}], dim=-1)"


def _assigned(name: str, value: Any) -> Iterator[str]:
    """Yield an attribute of a class, on several lines where it is long."""
    line = f"    {name} = {_text(value)}"
    if len(line) <= LINE:
        yield line
        return
    text = pformat(value, width=LINE - 8, compact=True, sort_dicts=False)
    yield f"    {name} = ("
    yield from (f"        {part}" for part in text.splitlines())
    yield "    )"


def _text(value: Any) -> str:
    """Return a value in Python, its texts in double quotes where they hold none."""
    text = repr(value)
    return text if '"' in text or "\\" in text else text.replace("'", '"')
