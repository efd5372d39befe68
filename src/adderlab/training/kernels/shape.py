"""What a kernel's source depends on, and the source text that both kinds of kernel share.

Rule: a kernel is a function of this shape alone; learning rates, margins, members, samples and
steps are its arguments. So one compiled kernel serves every population of a shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adderlab.kernels.text import Text
from adderlab.nets.layout import Layout

if TYPE_CHECKING:
    from adderlab.tasks import Task
    from adderlab.training.settings import Settings

CHECK: Final = 1
LOSS: Final = 2
KEEP: Final = 4
STOP: Final = 8
"""What there is to do at an event, as bits."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a kernel's source depends on.

    Attributes:
        sizes: values in each layer, from inputs to outputs.
        inputs: the rows' input bits.
        labels: their output bits; ``None`` where any value will do.
        is_complete: whether row number r has the bits of r as inputs.
        optimizer: ``sgd``, ``momentum`` or ``adam``.
        loss: ``mse`` or ``bce``.
        activation: ``relu``, ``leaky`` or ``tanh``.
        batch: draws a step; 0 for all samples.
        decays: whether there is weight decay.
        stops: whether a margin ends a member's training.
        threshold: of the readout.
    """

    sizes: tuple[int, ...]
    inputs: tuple[tuple[int, ...], ...]
    labels: tuple[tuple[int | None, ...], ...]
    is_complete: bool
    optimizer: str
    loss: str
    activation: str
    batch: int
    decays: bool
    stops: bool
    threshold: float

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.inputs)

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return Layout(self.sizes).parameters

    @property
    def memories(self) -> int:
        """Numbers that the optimizer keeps for each parameter."""
        return {"sgd": 0, "momentum": 1, "adam": 2}[self.optimizer]

    @property
    def pull(self) -> float:
        """What the loss's derivative has before the distance to the label, but for the share."""
        return (2.0 if self.loss == "mse" else 1.0) / self.sizes[-1]

    def layers(self) -> Iterator[Place]:
        """Yield where each layer's parameters are among all of them."""
        places = list(Layout(self.sizes).places())
        for weight, bias in zip(places[::2], places[1::2], strict=True):
            n_out, n_in = weight.shape
            yield Place(n_in, n_out, weight.first, bias.first)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a layer's parameters are: weight (o, i) is at ``weight + o * n_in + i``."""

    n_in: int
    n_out: int
    weight: int
    bias: int


def shape_of(task: Task, settings: Settings) -> Shape:
    """Return the shape of a population."""
    block = next(task.blocks(task.rows))
    labels: list[tuple[int | None, ...]] = []
    for number, row in enumerate(block.expected.tolist()):
        cares = [True] * len(row) if block.cares is None else block.cares[number].tolist()
        labels.append(tuple(bit if care else None for bit, care in zip(row, cares, strict=True)))
    return Shape(
        sizes=settings.sizes(task),
        inputs=tuple(map(tuple, block.inputs.tolist())),
        labels=tuple(labels),
        is_complete=all(word.size == 1 << word.width for word in task.inputs),
        optimizer=settings.optimizer,
        loss=settings.loss,
        activation=settings.network_activation.kind,
        batch=settings.batch or 0,
        decays=settings.weight_decay != 0,
        stops=settings.stop_margin is not None,
        threshold=settings.readout.threshold,
    )


def update(text: Text, shape: Shape, parameter: str, gradient: str, place: str) -> None:
    """Write the optimizer's step for one parameter.

    Args:
        text: where to.
        shape: says which optimizer.
        parameter: the variable that holds it, and will hold it after the step.
        gradient: an expression.
        place: the number of the parameter among all of them, as an expression.
    """
    if shape.decays:
        gradient = f"fma(decay, {parameter}, {gradient})"
    if shape.optimizer == "sgd":
        text.line(f"{parameter} = fma(rate, {gradient}, {parameter})")
    elif shape.optimizer == "momentum":
        text.line(f"m = fma(momentum, load(S, FIRST + {place} * L), {gradient})")
        text.line(f"store(S, FIRST + {place} * L, m)")
        text.line(f"{parameter} = fma(rate, m, {parameter})")
    else:
        text.line(f"g = {gradient}")
        text.line(f"m = load(S, FIRST + {place} * L)")
        text.line("m = fma(one_tenth, g - m, m)")
        text.line(f"store(S, FIRST + {place} * L, m)")
        text.line(f"v = load(S, SECOND + {place} * L)")
        text.line("v = fma(thousandth * g, g, beta_2 * v)")
        text.line(f"store(S, SECOND + {place} * L, v)")
        text.line(f"{parameter} = fma(rate, m / fma(root(v), second_scale, epsilon), {parameter})")


def activated(shape: Shape, sums: str) -> str:
    """Return the expression of a hidden unit's activation."""
    return {
        "relu": f"where(above({sums}, zero), {sums}, zero)",
        "leaky": f"where(above({sums}, zero), {sums}, slope * {sums})",
        "tanh": f"tanh({sums})",
    }[shape.activation]


def through(shape: Shape, hidden: str, error: str) -> str:
    """Return the expression of an error before the activation, given it behind it.

    A leaky unit's sign is its sum's only for a slope of at least 0, so what ``hidden`` names is
    the sum itself there.
    """
    return {
        "relu": f"where(above({hidden}, zero), {error}, zero)",
        "leaky": f"where(above({hidden}, zero), {error}, slope * {error})",
        "tanh": f"{error} * fma(zero - {hidden}, {hidden}, one)",
    }[shape.activation]


def distance(shape: Shape, output: str, label: int) -> str:
    """Return the expression of the loss's derivative by an output, but for its weight."""
    y = output if shape.loss == "mse" else f"sigmoid({output})"
    return f"({y} - one)" if label else y


def loss_of(shape: Shape, output: str, label: int) -> str:
    """Return the expression of what one output loses."""
    if shape.loss == "bce":
        return f"cross_entropy({output}, {'one' if label else 'zero'})"
    error = distance(shape, output, label)
    return f"{error} * {error}"
