"""A network: layers of ``W x + b`` with an activation, then a readout; data, never code.

Rule: a network is immutable and holds the numbers that its file stores. What it computes is
said by :mod:`adderlab.nets.evaluation`; how it is written, by :mod:`adderlab.nets.files`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.blocks import Block, Line, Result
from adderlab.blocks.numbers import counted
from adderlab.checking import check, checked
from adderlab.errors import NetworkError, TaskError
from adderlab.formats import FORMATS, format_named
from adderlab.nets.activations import Activation, activation_named
from adderlab.nets.dyadic import Dyadic, from_floats
from adderlab.nets.readout import Readout, ReadoutLike, readout_of
from adderlab.nets.tensors import Tensor, distinct, entries_of, stored_in, structure_of
from adderlab.nets.weights_table import codes_line, weights_table
from adderlab.nets.wiring import INPUT, Wiring, chain, layer_number, wiring_of
from adderlab.tasks import Task, TaskLike, as_task

if TYPE_CHECKING:
    from jaxtyping import Float64, Int8

LARGEST_SHOWN: Final = 200
"""Parameters of a network up to which all are shown."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One affine map with its activation.

    Attributes:
        weight: (out, in).
        bias: (out,), or ``None``.
        activation: of the sums.
        inputs: what it reads, joined in this order: ``"input"`` and earlier layers by their names,
            ``"fc1"``; the layer before it unless given.
    """

    weight: Tensor
    bias: Tensor | None = None
    activation: Activation = field(default_factory=Activation)
    inputs: tuple[str, ...] | None = None

    @property
    def n_in(self) -> int:
        return self.weight.shape[1]

    @property
    def n_out(self) -> int:
        return self.weight.shape[0]

    @property
    def parameters(self) -> int:
        """Weights, biases and slopes of a prelu, zeros included."""
        biases = self.bias.shape[0] if self.bias is not None else 0
        return self.n_in * self.n_out + biases + len(self.activation.slopes)


@dataclass(frozen=True, slots=True, eq=False)
class Network(Result):
    """A feed-forward network on bits: a chain of layers, or a graph of them without cycles.

    Attributes:
        layers: in an order in which each reads earlier ones alone.
        readout: how outputs become bits.
        task: what it is meant to compute, if known.
        format: the number format its parameters are stored in.
        training: how it was trained, if it was: enough to train it again.
        outputs: the layers whose joined values are read out; the last unless given.
    """

    layers: tuple[Layer, ...]
    readout: Readout = field(default_factory=Readout)
    task: Task | None = None
    format: str = "fp32"
    training: Mapping[str, Any] | None = None
    outputs: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "format", format_named(self.format).name)
        if not isinstance(self.layers, Sequence) or not self.layers:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise NetworkError(
                "a network has at least one layer", where="layers", remedy="add a layer"
            )
        if not all(isinstance(layer, Layer) for layer in self.layers):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise NetworkError("not all of them are a Layer", where="layers", remedy="make them so")
        for number, layer in enumerate(self.layers, start=1):
            shape = layer.weight.shape
            if len(shape) != 2 or 0 in shape:
                raise NetworkError(
                    f"the weight has shape {list(shape)}",
                    where=f"fc{number}",
                    remedy="it has two dimensions, (out, in), neither of them 0",
                )
            if layer.bias is not None and layer.bias.shape != (layer.n_out,):
                raise NetworkError(
                    f"the bias has shape {list(layer.bias.shape)}, the weight {list(shape)}",
                    where=f"fc{number}",
                    remedy=f"the bias must have shape [{layer.n_out}]",
                )
            if len(layer.activation.slopes) not in (0, 1, layer.n_out):
                raise NetworkError(
                    f"the prelu has {len(layer.activation.slopes)} slopes, the layer "
                    f"{counted(layer.n_out, 'unit')}",
                    where=f"fc{number}",
                    remedy="give one slope for all units, or one for each",
                )
        self._set_wiring()
        sizes = {INPUT: self.n_in}
        for node, layer in zip(self.wiring.layers, self.layers, strict=True):
            n_in = node.take(sizes, sum)
            if n_in != layer.n_in:
                giver = "the one before gives" if layer.inputs is None else "those it reads give"
                raise NetworkError(
                    f"the layer takes {counted(layer.n_in, 'value')}, {giver} {n_in}",
                    where=node.name,
                    remedy="make the shapes agree",
                )
            sizes[node.name] = layer.n_out
        object.__setattr__(self, "readout", readout_of(self.readout))
        if self.task is not None:
            object.__setattr__(self, "task", as_task(self.task))
            self.check_fits(self.task)

    def _set_wiring(self) -> None:
        """Check what is read, and keep it only where a chain would not read the same.

        Raises:
            NetworkError: a name is none of an earlier layer or stands there twice, or a layer is
                read by none.
        """
        names = [INPUT, *(f"fc{number}" for number in range(1, self.depth + 1))]
        if any(layer.inputs is not None for layer in self.layers):
            layers = tuple(
                layer
                if layer.inputs is None
                else replace(layer, inputs=_kept(layer.inputs, names[:place], names[place]))
                for place, layer in enumerate(self.layers, start=1)
            )
            object.__setattr__(self, "layers", layers)
        if self.outputs is not None:
            object.__setattr__(self, "outputs", _kept(self.outputs, names[1:], "outputs"))
        if self.is_chain:
            return
        wiring = self.wiring
        used = {read for node in (*wiring.layers, wiring.output) for read in node.reads}
        unused = next((name for name in names if name not in used), None)
        if unused is not None:
            raise NetworkError(
                "neither a layer nor the readout reads it",
                where=unused,
                remedy="name it among what a later layer reads, or leave it out",
            )

    @property
    def is_chain(self) -> bool:
        """Whether each layer reads the one before it, and the last is read out."""
        return self.outputs is None and all(layer.inputs is None for layer in self.layers)

    @property
    def wiring(self) -> Wiring:
        """What each layer reads, and what is read out."""
        if self.is_chain:
            return chain(self.depth)
        names = (INPUT, *(f"fc{number}" for number in range(1, self.depth + 1)))
        reads = (layer.inputs or (names[n],) for n, layer in enumerate(self.layers))
        return wiring_of(tuple(reads), self.outputs or (names[-1],))

    @property
    def output_layers(self) -> tuple[str, ...]:
        """The names of the layers that are read out."""
        return self.wiring.output.reads

    @property
    def hidden_layers(self) -> tuple[int, ...]:
        """The places, from 0, of the layers that are not read out."""
        if self.outputs is None:
            return tuple(range(self.depth - 1))
        ends = {layer_number(name) - 1 for name in self.outputs}
        return tuple(place for place in range(self.depth) if place not in ends)

    @property
    def activations(self) -> tuple[str, ...]:
        """The kinds of activation before the outputs, each once, in their order.

        In a graph sums and scalings are layers too: their identity counts where there is no other.
        """
        layers = self.layers[:-1] if self.is_chain else self.layers
        kinds = dict.fromkeys(str(layer.activation) for layer in layers)
        if not self.is_chain and len(kinds) > 1:
            _ = kinds.pop("identity", None)
        return tuple(kinds)

    @property
    def n_in(self) -> int:
        """Inputs."""
        return self.layers[0].n_in

    @property
    def n_out(self) -> int:
        """Outputs."""
        if self.outputs is None:
            return self.layers[-1].n_out
        return sum(self.layers[layer_number(name) - 1].n_out for name in self.outputs)

    @property
    def widths(self) -> list[int]:
        """Units of each hidden layer: of each that is not read out."""
        return [self.layers[place].n_out for place in self.hidden_layers]

    @property
    def hidden(self) -> int:
        """Hidden units in all."""
        return sum(self.widths)

    @property
    def depth(self) -> int:
        """Affine layers."""
        return len(self.layers)

    @property
    def parameters(self) -> int:
        """Weights, biases and slopes of a prelu, zeros included."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def shape(self) -> str:
        """The sizes from input to output: ``2-3-2``.

        Of a graph, layers at one distance from the input are joined by a plus: ``2-3-1+1``.
        """
        columns = self.wiring.columns()
        sizes = {INPUT: self.n_in}
        sizes |= {f"fc{number}": layer.n_out for number, layer in enumerate(self.layers, start=1)}
        return "-".join("+".join(str(sizes[name]) for name in column) for column in columns)

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Yield the parameters by name: ``fc1.weight``, ``fc1.bias``, ``fc2.weight`` and so on."""
        for number, layer in enumerate(self.layers, start=1):
            yield f"fc{number}.weight", layer.weight
            if layer.bias is not None:
                yield f"fc{number}.bias", layer.bias

    def entries(self) -> Iterator[tuple[str, Dyadic]]:
        """Yield each tensor's exact values, and the slopes of a prelu.

        Of a sparse tensor they are the entries that are stored.
        """
        for name, tensor in self.tensors():
            yield name, entries_of(tensor)
        for name, slopes in self.slopes():
            yield name, from_floats(slopes)

    def slopes(self) -> Iterator[tuple[str, tuple[float, ...]]]:
        """Yield the slopes of each prelu by name: ``prelu1.weight`` behind the first layer."""
        for number, layer in enumerate(self.layers, start=1):
            if layer.activation.slopes:
                yield f"prelu{number}.weight", layer.activation.slopes

    @property
    def nonzero(self) -> int:
        """Parameters that are not 0."""
        return sum(int(np.count_nonzero(values.integers)) for _, values in self.entries())

    @property
    def max_weight(self) -> float | int:
        """The largest magnitude of a parameter; a whole number where it is one."""
        parts = (distinct(tensor) for _, tensor in self.tensors())
        ends = (part.at(at) for part in parts if part.integers.size for at in (0, -1))
        top = max(map(abs, ends), default=Fraction(0))
        return int(top) if top.denominator == 1 else float(top)

    @property
    def smallest_format(self) -> str | None:
        """The format of the fewest bits that holds every parameter, ``wide`` at the last."""
        values = (
            {Fraction(0)} if any(structure_of(t) for _, t in self.tensors()) else set[Fraction]()
        )
        for _, tensor in self.tensors():
            kept = distinct(tensor)
            values.update(kept.at(i) for i in range(kept.shape[0]))
        ranked = sorted(
            FORMATS.values(), key=lambda f: (f.kind == "wide", f.bits, f.kind == "float")
        )
        return next((f.name for f in ranked if all(f.holds(value) for value in values)), None)

    def check_fits(self, task: Task) -> None:
        """Raise where the network's inputs or outputs are not as many as the task's bits.

        Raises:
            TaskError: with both numbers.
        """
        if (self.n_in, self.n_out) != (task.n_in, task.n_out):
            raise TaskError(
                f"{task.name} has {task.n_in} input and {task.n_out} output bits, "
                f"the network {self.n_in} and {self.n_out}",
                where="task",
                remedy="name a task that fits with `task`",
            )

    def check_chain(self, what: str) -> None:
        """Raise where the network is no chain of layers.

        Args:
            what: that needs a chain: ``a repair``.

        Raises:
            NetworkError: it is a graph.
        """
        if not self.is_chain:
            raise NetworkError(
                f"{what} needs a chain of layers, each reading the one before it, and this network "
                "joins several",
                where="network",
                remedy="take a network whose layers follow one another",
            )

    def for_task(self, task: TaskLike) -> Network:
        """Return the same network meant for a task, or the task of that name."""
        return replace(self, task=as_task(task))

    def __call__(self, *words: int, **named: int) -> dict[str, int | None]:
        """Return the output words for the input words, in exact arithmetic, at any width.

        Args:
            *words: the input words in the task's order; without a task they are the inputs
                ``x1``, ``x2`` and so on, or one word ``x`` beyond 8 inputs.
            **named: the same by name.

        Returns:
            The output words by name, whatever their number: ``{"c": 12}``; ``y`` without a task.
            ``None`` for a word of which an output is no bit, under an exact readout.

        Raises:
            TaskError: a word is missing, unknown, given twice, or out of its range.

        Examples:
            >>> import adderlab
            >>> adder = adderlab.build("adder:8", method="prefix").network
            >>> adder(5, 7), adder(a=200, b=100)
            ({'c': 12}, {'c': 300})
        """
        from adderlab.nets.running import words_out  # it needs a network's evaluation

        return words_out(self, words, named)

    def run(
        self, rows: Any, *, raw: bool = False
    ) -> Int8[np.ndarray, "*batch n_out"] | Float64[np.ndarray, "*batch n_out"]:
        """Return the outputs for rows of input bits, in exact arithmetic.

        Args:
            rows: bits of shape (batch, n_in), or (n_in,) for a single row: the input words in
                order, each most significant bit first. Anything that makes a NumPy array.
            raw: the outputs themselves instead of the bits that they read as.

        Returns:
            Of shape (batch, n_out), or (n_out,): ``int8``, with -1 where an output is no bit under
            an exact readout; of ``raw`` the doubles nearest to the exact values.

        Raises:
            NetworkError: the rows are no bits, or not as many to a row as there are inputs.

        Examples:
            >>> import adderlab
            >>> lecture = adderlab.build("half-adder", method="lecture").network
            >>> lecture.run([[0, 1], [1, 1]]).tolist()
            [[0, 1], [1, 1]]
            >>> lecture.run([1, 1], raw=True).tolist()
            [0.5, 0.5]
        """
        from adderlab.nets.running import rows_out

        return rows_out(self, rows, raw=raw)

    def to_dict(self) -> dict[str, Any]:
        return {
            "task": self.task.name if self.task is not None else None,
            "shape": [self.n_in, *(layer.n_out for layer in self.layers)],
            **({} if self.is_chain else {"wiring": self.wiring.to_dict()}),
            "activations": [str(layer.activation) for layer in self.layers],
            "readout": str(self.readout),
            "format": self.format,
            "parameters": self.parameters,
        }

    def blocks(self) -> tuple[Block, ...]:
        """Return its shape and, where they are few, its parameters, for people."""
        heading = Line(repr(self), "strong")
        if self.parameters > LARGEST_SHOWN:
            return (heading,) if self.is_chain else (heading, Line(str(self.wiring)))
        codes = codes_line(self.layers)
        about = () if codes is None else (codes,)
        if self.is_chain:
            return (heading, weights_table(self.layers), *about)
        return (
            heading,
            weights_table(self.layers, reads=[node.reads for node in self.wiring.layers]),
            *about,
            Line(f"read out: {', '.join(self.output_layers)}"),
        )

    def __repr__(self) -> str:
        kinds = ", ".join(self.activations)
        task = f" for {self.task.name}" if self.task is not None else ""
        return (
            f"Network {_shortened(self.shape)}{task}: {kinds or 'affine'}, readout {self.readout}, "
            f"{self.parameters} {'parameter' if self.parameters == 1 else 'parameters'} "
            f"in {self.format}"
        )


@checked
def network(
    weights: list[Any],
    biases: list[Any],
    *,
    activation: Activation | str | None = None,
    readout: ReadoutLike | None = None,
    task: TaskLike | None = None,
    format: str = "fp32",
) -> Network:
    """Return a dense network from plain numbers.

    Args:
        weights: of each layer, a list of rows, or an array.
        biases: of each layer, a list, or ``None`` for none.
        activation: of the hidden layers, or its name, ``leaky:0.125``; relu unless given.
        readout: how outputs become bits, as a readout, a number or a text such as ``>= 0``;
            ``> 0.5`` unless given.
        task: a task, its name or a table, which it is meant to compute.
        format: what the numbers are stored in; each must be representable.

    Raises:
        FormatError: there is no such format.
        NetworkError: shapes disagree, or a number is not representable in ``format``.
    """
    if len(weights) != len(biases):
        raise NetworkError(
            f"{counted(len(weights), 'weight')} and {counted(len(biases), 'bias', 'biases')}",
            where="biases",
            remedy="give one for each layer, or None",
        )
    hidden = activation_named("relu" if activation is None else activation)
    last = len(weights) - 1
    layers = tuple(
        Layer(
            stored_in(weight, format),
            None if bias is None else stored_in(bias, format),
            Activation() if number == last else hidden,
        )
        for number, (weight, bias) in enumerate(zip(weights, biases, strict=True))
    )
    known = as_task(task) if task is not None else None
    return Network(layers, readout_of(readout), known, format)


def map_parameters(net: Network, change: Callable[[str, Tensor], Tensor]) -> Network:
    """Return the network with each tensor replaced by ``change(name, tensor)``."""
    layers = tuple(
        replace(
            layer,
            weight=change(f"fc{number}.weight", layer.weight),
            bias=None if layer.bias is None else change(f"fc{number}.bias", layer.bias),
        )
        for number, layer in enumerate(net.layers, start=1)
    )
    return replace(net, layers=layers)


def _kept(reads: Sequence[str], known: Sequence[str], where: str) -> tuple[str, ...] | None:
    """Return the names that are read, each a known one; ``None`` if that is the last alone."""
    check("outputs" if where == "outputs" else f"{where}.inputs", reads, ("Sequence[str]",))
    names = tuple(reads)
    unknown = next((name for name in names if name not in known), None)
    if not names or unknown is not None or len(set(names)) < len(names):
        what = "a layer twice" if names else "nothing"
        raise NetworkError(
            f"it reads {what if unknown is None else repr(unknown)[:40] + ', no layer before it'}",
            where=where,
            remedy=f"name each once: {', '.join(known[:8])}{', …' * (len(known) > 8)}",
        )
    return None if names == (known[-1],) else names


def _shortened(shape: str) -> str:
    """Return a shape with the middle of a long one left out: ``128-65-67-...-65-65``."""
    sizes = shape.split("-")
    if len(sizes) <= 10:
        return shape
    return f"{'-'.join(sizes[:3])}-...-{'-'.join(sizes[-2:])} ({len(sizes) - 1} layers)"
