"""Results of backpropagation on rows: steps, gradients, updates, agreement with PyTorch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from adderlab.blocks.numbers import counted
from adderlab.explaining.backprop import ABSENT, Number, Value
from adderlab.explaining.graph import Graph, Key
from adderlab.nets.network import Network
from adderlab.nets.walk import json_number
from adderlab.notation import Formula, fraction_text, near_text

NOT_COMPUTED: Final = "not computed yet"
"""The text of a gradient that was not computed; 0 would be a claim."""


def number_dict(value: Number | None) -> dict[str, Any]:
    """Return the nearest double ``value``, ``exact`` (a string or null), and a decimal ``text``."""
    if value is None:
        return {"value": None, "exact": None, "text": NOT_COMPUTED}
    if not isinstance(value, Fraction):
        return {"value": value, "exact": None, "text": decimal_text(value)}
    return {
        "value": json_number(value),
        "exact": (fraction_text(value) and str(value)) or None,
        "text": decimal_text(value),
    }


def decimal_text(value: Number | None, digits: int = 6) -> str:
    """Return a number to ``digits`` significant digits; ``≈`` marks one computed in double."""
    if value is None:
        return NOT_COMPUTED
    return near_text(value, digits) if isinstance(value, Fraction) else f"≈{value:.{digits}g}"


@dataclass(frozen=True, slots=True)
class Slope:
    """A local derivative: how fast a value changes with one of its operands."""

    old: str
    derivative: Number | None
    formula: Formula

    def to_dict(self) -> dict[str, Any]:
        shown = number_dict(self.derivative)
        if self.derivative is None:
            shown["text"] = "none"
        return {"by": self.old, "formula": self.formula.text, **shown}


@dataclass(frozen=True, slots=True)
class Flow:
    """The share of a gradient that comes from one later value: its gradient times the slope."""

    new: Formula
    gradient: Number
    derivative: Number
    formula: Formula

    @property
    def product(self) -> Number:
        """The later value's gradient times its local derivative."""
        return self.gradient * self.derivative

    def to_dict(self) -> dict[str, Any]:
        return {
            "from": self.new.text,
            "gradient": number_dict(self.gradient),
            "times": number_dict(self.derivative),
            "formula": self.formula.text,
            "gives": number_dict(self.product),
        }


@dataclass(frozen=True, slots=True)
class Step:
    """One value of a row: computed in the forward pass, its gradient in the backward pass.

    Attributes:
        name: as in the network.
        kind: ``input``, ``parameter``, ``sum``, ``activation`` or ``loss``.
        formula: how it is computed; ``None`` for an input or a parameter.
        number: its value.
        slopes: its local derivatives.
        gradient: dL/d(it); ``None`` if it was not computed.
        flows: the terms of the gradient; the loss's own gradient is 1 by definition.
        note: a remark, at a kink or behind a step.
    """

    name: Formula
    kind: str
    formula: Formula | None
    number: Number
    slopes: tuple[Slope, ...]
    gradient: Number | None
    flows: tuple[Flow, ...]
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name.text,
            "kind": self.kind,
            "formula": self.formula.text if self.formula is not None else None,
            **{key: value for key, value in number_dict(self.number).items() if key != "text"},
            "local": [slope.to_dict() for slope in self.slopes],
            "gradient": number_dict(self.gradient),
            "from": [flow.to_dict() for flow in self.flows],
            "note": self.note or None,
        }


@dataclass(frozen=True, slots=True)
class RowBackprop:
    """One row's forward and backward pass.

    Attributes:
        inputs: the input words.
        targets: what each output should be; ``None`` where any value will do.
        outputs: the names of the outputs.
        steps: in forward order; reversed, it is the order of the backward pass.
        loss: the last step's number: the mean over the row's outputs.
    """

    inputs: dict[str, int]
    targets: tuple[int | None, ...]
    outputs: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def loss(self) -> Number:
        """The row's loss."""
        return self.steps[-1].number

    @property
    def notes(self) -> tuple[str, ...]:
        """The remarks of its steps, on kinks and step activations."""
        return tuple(step.note for step in self.steps if step.note)

    def gradient(self, name: str) -> Number | None:
        """Return the gradient of the value of that name."""
        return next(step.gradient for step in self.steps if step.name.text == name)


def steps_of(graph: Graph) -> tuple[Step, ...]:
    """Return the values of a graph after the backward pass as steps, with their flows."""
    flows: dict[int, list[Flow]] = {}
    for new in graph.values:
        for edge in new.edges:
            if new.gradient is not None and edge.derivative is not None:
                flow = Flow(new.name, new.gradient, edge.derivative, edge.formula)
                flows.setdefault(id(edge.old), []).append(flow)
    return tuple(
        Step(
            value.name,
            kind,
            value.formula,
            value.number,
            tuple(
                Slope(edge.old.name.text, edge.derivative, edge.formula)
                for edge in value.edges
                if edge.formula is not ABSENT
            ),
            value.gradient,
            _stored_flows(flows.get(id(value), [])),
            value.note or _why_none(value, graph),
        )
        for value, kind in zip(graph.values, graph.kinds, strict=True)
    )


def _stored_flows(flows: list[Flow]) -> tuple[Flow, ...]:
    """Return the flows through stored weights; if there are none, the first of the others."""
    stored = [flow for flow in flows if flow.formula is not ABSENT]
    return tuple(stored or flows[:1])


def _why_none(value: Value, graph: Graph) -> str:
    if value.gradient is not None or graph.loss.gradient is None:
        return ""
    return "no gradient arrives: the loss depends on it through a step, or not at all"


@dataclass(frozen=True, slots=True)
class Update:
    """One step of SGD for one parameter: ``w_next = w_now - lr * dL/dw``."""

    key: Key
    now: Fraction
    gradient: Number | None
    next: Number

    @property
    def name(self) -> str:
        """The parameter's name: ``fc1.weight[0,1]``."""
        tensor, index = self.key
        return f"{tensor}[{','.join(map(str, index))}]"

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "now": number_dict(self.now),
            "gradient": number_dict(self.gradient),
            "next": number_dict(self.next),
        }


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far our figures are from PyTorch's autograd in float64.

    Attributes:
        figures: how many were compared: values, gradients and updated parameters.
        difference: the largest difference; ``None`` if nothing could be compared.
        relative: the largest one as a share of the figure, where that is above 1.
        where: the figure with the largest difference.
        reason: why nothing was compared.
    """

    figures: int
    difference: float | None
    relative: float | None = None
    where: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Backprop:
    """Backpropagation on one row or a batch, and one step of SGD.

    Attributes:
        network: the network.
        rows: each row's passes.
        loss_kind: ``mse`` or ``bce``.
        lr: the learning rate of the step.
        updates: each parameter's step; the gradient is the mean of the rows' gradients.
        loss: the mean of the rows' losses.
        loss_after: the same after the step.
        agreement: the difference from PyTorch's figures.
        notes: what was assumed.
    """

    network: Network
    rows: tuple[RowBackprop, ...]
    loss_kind: str
    lr: Fraction
    updates: tuple[Update, ...]
    loss: Number
    loss_after: Number
    agreement: Agreement
    notes: tuple[str, ...] = ()

    @property
    def gradients(self) -> dict[str, Any]:
        """Each tensor's gradients as nested lists; ``None`` where none was computed or stored."""
        by_key = {update.key: update.gradient for update in self.updates}
        return {
            name: _nested(name, tensor.shape, by_key) for name, tensor in self.network.tensors()
        }

    def to_dict(self) -> dict[str, Any]:
        return {
            "network": self.network.to_dict(),
            "rows": [
                {
                    "input": row.inputs,
                    "target": dict(zip(row.outputs, row.targets, strict=True)),
                    "loss": number_dict(row.loss),
                    "steps": [step.to_dict() for step in row.steps],
                }
                for row in self.rows
            ],
            "steps": [step.to_dict() for step in self.rows[0].steps],
            "loss_kind": self.loss_kind,
            "loss_is": f"the mean over {counted(len(self.rows), 'row')} and "
            + counted(self.network.n_out, "output"),
            "loss": number_dict(self.loss),
            "loss_after": number_dict(self.loss_after),
            "lr": json_number(self.lr),
            "gradients": _mapped(self.gradients, _nearest),
            "exact_gradients": _mapped(self.gradients, lambda number: number_dict(number)["exact"]),
            "updates": [update.to_dict() for update in self.updates],
            "autograd_difference": finite_or_none(self.agreement.difference),
            "autograd_relative_difference": finite_or_none(self.agreement.relative),
            "autograd_figures": self.agreement.figures,
            "autograd_reason": self.agreement.reason or None,
            "notes": [*self.notes, *dict.fromkeys(n for row in self.rows for n in row.notes)],
        }

    def __repr__(self) -> str:
        text = f"{counted(len(self.rows), 'row')}, loss {decimal_text(self.loss)}"
        return f"Backprop: {text}, after a step {decimal_text(self.loss_after)}"


def finite_or_none(value: float | None) -> float | None:
    """Return ``None`` for what JSON has no number for: infinities and NaN."""
    return value if value is not None and math.isfinite(value) else None


def _nested(name: str, shape: tuple[int, ...], by_key: dict[Key, Number | None]) -> list[Any]:
    if len(shape) == 1:
        return [by_key.get((name, (at,))) for at in range(shape[0])]
    return [[by_key.get((name, (row, at))) for at in range(shape[1])] for row in range(shape[0])]


def _mapped(gradients: dict[str, Any], change: Any) -> dict[str, Any]:
    def each(part: Any) -> Any:
        return [each(item) for item in part] if isinstance(part, list) else change(part)

    return {name: each(nested) for name, nested in gradients.items()}


def _nearest(value: Number | None) -> float | int | None:
    return json_number(value) if isinstance(value, Fraction) else value


def mean(numbers: Sequence[Number | None]) -> Number | None:
    """Return the mean; ``None`` if any of the numbers was not computed."""
    known = [number for number in numbers if number is not None]
    return sum(known, start=Fraction(0)) / len(numbers) if len(known) == len(numbers) else None
