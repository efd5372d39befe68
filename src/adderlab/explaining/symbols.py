"""Gradients of a network in symbols: what the chain rule leaves once the active units are known.

Rule: SymPy differentiates. Where a relu is on, its unit is its sum; where it is off, its unit is
0 and passes nothing back. So each set of active units has formulas of its own, and on the rows
that share the set they are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from adderlab.errors import NetworkError, ResourceError
from adderlab.explaining.backprop import Number
from adderlab.explaining.graph import Graph, Key, forward, parameters_of
from adderlab.explaining.rows import Example
from adderlab.nets.activations import Activation
from adderlab.nets.network import Network
from adderlab.notation import Formula, call, number, power, product, symbol, total

if TYPE_CHECKING:
    from adderlab.tasks import Task

LARGEST_SYMBOLIC: Final = 200
"""Parameters up to which each has a formula of its own."""


@dataclass(frozen=True, slots=True)
class SymbolicGradient:
    """dL/dw of one parameter.

    Attributes:
        name: the parameter.
        formula: in units, weights, outputs and targets (``t_c1`` is the target of ``c1``).
        expression: the same as SymPy holds it, with one symbol for each name.
        value: with the first row's numbers put in.
    """

    key: Key
    name: Formula
    formula: Formula
    expression: Any
    value: Number


@dataclass(frozen=True, slots=True)
class Pattern:
    """The rows on which the same units are on, and their gradients.

    Attributes:
        active: the units which other layers read and that pass a gradient back.
        inactive: those that do not.
        outputs: the names of the outputs.
        rows: the input words of the rows.
        deltas: dL/dz of every unit, by the unit's name: what the parameters' gradients share.
        gradients: of every parameter.
    """

    active: tuple[str, ...]
    inactive: tuple[str, ...]
    outputs: tuple[str, ...]
    rows: tuple[dict[str, int], ...]
    deltas: tuple[tuple[Formula, Formula], ...]
    gradients: tuple[SymbolicGradient, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "active": list(self.active),
            "inactive": list(self.inactive),
            "rows": list(self.rows),
            "gradients": {gradient.name.text: gradient.formula.text for gradient in self.gradients},
            "latex": {gradient.name.text: gradient.formula.latex for gradient in self.gradients},
        }


@dataclass(frozen=True, slots=True)
class Symbolic:
    """A network's gradients in symbols, one pattern for each set of active units."""

    patterns: tuple[Pattern, ...]
    loss_kind: str

    def to_dict(self) -> dict[str, Any]:
        patterns = [pattern.to_dict() for pattern in self.patterns]
        return {"loss_kind": self.loss_kind, "patterns": patterns}

    def __repr__(self) -> str:
        active = [", ".join(pattern.active) or "none" for pattern in self.patterns]
        return f"Symbolic: {len(active)} sets of active units: {'; '.join(active)}"


def symbolic_gradients(
    net: Network, task: Task, examples: Sequence[Example], *, loss: str = "mse"
) -> Symbolic:
    """Return the gradients in symbols, once for each set of active units among the rows.

    Args:
        net: of relu, leaky relu, abs, tanh and identity.
        task: names the inputs and outputs.
        examples: the rows.
        loss: ``mse`` or ``bce``.

    Raises:
        NetworkError: a step, or a curve other than tanh.
        ResourceError: too large a network.
    """
    for layer in net.layers:
        activation = layer.activation
        if not activation.has_gradient:
            raise NetworkError(
                f"a {activation.kind} has no gradient, in symbols either",
                where="symbols",
                remedy="take relu, leaky relu or tanh",
            )
        if activation.slope_pair is None and activation.kind != "tanh":
            raise NetworkError(
                f"{activation.kind} has no derivative in symbols here",
                where="symbols",
                remedy="take relu, leaky relu or tanh, or leave out `symbols`",
            )
    if net.parameters > LARGEST_SYMBOLIC:
        raise ResourceError(
            f"{net.parameters} parameters are too many to derive in symbols",
            where="symbols",
            remedy=f"take a network of up to {LARGEST_SYMBOLIC}",
        )
    parameters = parameters_of(net)
    groups: dict[tuple[bool, ...], list[tuple[Example, Graph]]] = {}
    for row in examples:
        graph = forward(net, task, parameters, row.bits, row.targets, loss)
        groups.setdefault(tuple(_is_on(graph, net)), []).append((row, graph))
    patterns = (_pattern(net, is_on, rows, loss) for is_on, rows in groups.items())
    return Symbolic(tuple(patterns), loss)


def _is_on(graph: Graph, net: Network) -> list[bool]:
    """Return of each unit of each layer whether its slope is the one above 0."""
    return [
        not layer.activation.rule.kink or z.number > 0
        for layer, sums in zip(net.layers, graph.sums, strict=True)
        for z in sums
    ]


def _pattern(
    net: Network, is_on: tuple[bool, ...], rows: list[tuple[Example, Graph]], loss: str
) -> Pattern:
    import sympy as sp

    first, graph = rows[0]
    symbols = {value.name.text: sp.Symbol(value.name.text) for value in graph.values}
    off = _off(net, graph, is_on)
    outputs = graph.outputs
    targets = {y.name.text: sp.Symbol(f"t_{y.name.text}") for y in outputs}
    logits = [symbols[y.name.text] for y in outputs]

    # backwards, layer by layer: `passed` is dL/d(unit) in symbols of later values, a sum over all
    # that read the unit
    passed: dict[str, Any] = {value.name.text: sp.Integer(0) for value in graph.values}
    for y, target in zip(logits, targets.values(), strict=True):
        passed[y.name] = _loss_slope(sp, y, target, loss) / len(logits)
    deltas: list[tuple[Formula, Any]] = []
    deltas_by_key: dict[Key, Any] = {}
    rest = len(is_on)
    for number_, layer in reversed(list(enumerate(net.layers, 1))):
        sums, units, before = (part[number_ - 1] for part in (graph.sums, graph.units, graph.read))
        rest -= layer.n_out
        own: list[tuple[Formula, Any]] = []
        for at, (z, unit) in enumerate(zip(sums, units, strict=True)):
            name = unit.name.text
            slope = _slope(sp, layer.activation, symbols[name], on=is_on[rest + at])
            passed[name] = sp.factor_terms(passed[name] * slope)
            own.append((z.name, passed[name]))
        deltas = [*own, *deltas]
        for at, (_, arrives) in enumerate(own):
            for column, x in enumerate(before):
                key = (f"fc{number_}.weight", (at, column))
                if key in graph.parameters:
                    weight = symbols[graph.parameters[key].name.text]
                    product = weight * symbols[x.name.text]
                    value = sp.Integer(0) if x.name.text in off else sp.diff(product, weight)
                    deltas_by_key[key] = arrives * value
                    passed[x.name.text] += arrives * sp.diff(product, symbols[x.name.text])
            if (f"fc{number_}.bias", (at,)) in graph.parameters:
                deltas_by_key[f"fc{number_}.bias", (at,)] = arrives
    names = {value.name.text: value.name for value in graph.values}
    names |= {f"t_{name}": symbol(f"t_{name}") for name in targets}
    numbers = {symbols[value.name.text]: value.number for value in graph.values}
    for y, target in zip(outputs, first.targets, strict=True):
        numbers[targets[y.name.text]] = y.number if target is None else Fraction(target)
    flags = iter(is_on)
    inner = net.wiring.inner
    hidden = [
        (unit.name.text, on)
        for node, units in zip(net.wiring.layers, graph.units, strict=True)
        for unit, on in zip(units, flags, strict=False)
        if node.name in inner
    ]
    gradients = tuple(
        SymbolicGradient(
            key,
            value.name,
            from_sympy(deltas_by_key[key], names),
            deltas_by_key[key],
            _put_in(deltas_by_key[key], numbers),
        )
        for key, value in graph.parameters.items()
    )
    return Pattern(
        tuple(name for name, on in hidden if on),
        tuple(name for name, on in hidden if not on),
        tuple(y.name.text for y in outputs),
        tuple(row.inputs for row, _ in rows),
        tuple((name, from_sympy(delta, names)) for name, delta in deltas),
        gradients,
    )


def _off(net: Network, graph: Graph, is_on: Sequence[bool]) -> set[str]:
    """Return the names of the relu units that are 0 because they are off."""
    units = [
        (layer.activation.rule.can_die, unit)
        for layer, column in zip(net.layers, graph.units, strict=True)
        for unit in column
    ]
    pairs = zip(units, is_on, strict=True)
    return {unit.name.text for (can_die, unit), on in pairs if can_die and not on}


def _loss_slope(sp: Any, y: Any, t: Any, loss: str) -> Any:
    """Return how fast one output's share of the loss changes with it."""
    if loss == "mse":
        return sp.diff((y - t) ** 2, y)
    derivative = sp.diff(sp.log(1 + sp.exp(y)) - t * y, y)
    return derivative.subs(sp.exp(y) / (1 + sp.exp(y)), sp.Function("sigmoid")(y))


def _slope(sp: Any, activation: Activation, unit: Any, *, on: bool) -> Any:
    """Return the derivative of an activation, in terms of the unit itself."""
    if activation.slope_pair is not None:
        return sp.Rational(Fraction(activation.slope_pair[on]))
    z = sp.Symbol("z")
    value = getattr(sp, activation.kind)(z)
    return sp.diff(value, z).subs(value, unit)


def _put_in(expression: Any, numbers: dict[Any, Number]) -> Number:
    """Return an expression's value: exact where all its numbers are fractions."""
    import sympy as sp

    put = {
        symbol: sp.Rational(value.numerator, value.denominator)
        if isinstance(value, Fraction)
        else sp.Float(value, 30)
        for symbol, value in numbers.items()
    }
    value = expression.xreplace({symbol: put[symbol] for symbol in expression.free_symbols})
    value = value.replace(sp.Function("sigmoid"), lambda y: 1 / (1 + sp.exp(-y)))
    if value.is_Rational:
        return Fraction(int(value.p), int(value.q))
    return float(value.evalf(30))


def from_sympy(expression: Any, names: dict[str, Formula]) -> Formula:
    """Return a SymPy expression of sums, products, powers and known functions as a formula.

    Args:
        expression: in the symbols of ``names``.
        names: how each symbol is written.
    """
    if expression.is_Symbol:
        return names[expression.name]
    if expression.is_Rational:
        return number(Fraction(int(expression.p), int(expression.q)))
    parts = [from_sympy(term, names) for term in expression.args]
    if expression.is_Add:
        # numbers of no sign first, so that a sum does not begin with a minus where it need not
        return total(*sorted(parts, key=lambda term: term.text.startswith("-")))
    if expression.is_Mul:
        return _product(expression, names)
    if expression.is_Pow and expression.exp == 2:
        return power(parts[0], 2)
    if expression.is_Pow and expression.exp == -1:
        return Formula(f"1/({parts[0].text})", rf"\frac{{1}}{{{parts[0].latex}}}",
                       f"<mfrac><mn>1</mn><mrow>{parts[0].mathml}</mrow></mfrac>")  # fmt: skip
    return call(type(expression).__name__, *parts)


def _product(expression: Any, names: dict[str, Formula]) -> Formula:
    """Return a product, its sign in front."""
    factor, rest = expression.as_coeff_Mul()
    factors = [from_sympy(part, names) for part in rest.as_ordered_factors()]
    value = Fraction(int(factor.p), int(factor.q))
    if abs(value) != 1:
        factors.insert(0, number(abs(value)))
    formula = product(*factors)
    if value > 0:
        return formula
    return Formula(
        f"-{formula.text}", f"-{formula.latex}", f"<mo>−</mo>{formula.mathml}", formula.level
    )
