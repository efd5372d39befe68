"""The kernel of a small shape: a step written out whole, its weights in registers and cache.

The rows are part of the source. The first layer's sums are shared between rows, and the sums of
its gradients are folded, so that bits of 0 and 1 cost no product; what a label of "any value"
would add is left out. The half adder with three hidden units takes 164 vector operations a step.
"""

from __future__ import annotations

from adderlab.kernels.text import Text
from adderlab.training.kernels.frame import common_scratch, kernel, scratch_vectors
from adderlab.training.kernels.shape import (
    LOSS,
    Place,
    Shape,
    activated,
    distance,
    loss_of,
    through,
    update,
)


def lanes_source(shape: Shape) -> str:
    """Return the kernel's source."""
    name = "-".join(map(str, shape.sizes))
    title = f"Networks of shape {name} on {shape.rows} rows, 16 side by side, a step written out."
    return kernel(shape, _Unrolled(shape), title=title, scratch=_scratch(shape))


def lanes_scratch(shape: Shape) -> int:
    """Return how many vectors of 16 the kernel's scratch array must hold."""
    return scratch_vectors(shape, _scratch(shape))


def _scratch(shape: Shape) -> dict[str, int]:
    parts = common_scratch(shape)
    if shape.batch:
        parts["UPTO"] = shape.rows  # samples up to each row and with it
    return parts


def operations(shape: Shape) -> int:
    """Return about how many vector operations a step takes: products fused with sums are one."""
    layers = list(shape.layers())
    first, rest = layers[0], layers[1:]
    rows = shape.rows
    total = first.n_out * (rows + 2 * rows)
    for layer in rest:
        total += rows * layer.n_out * layer.n_in * 3
    cost = {"relu": 3, "leaky": 5, "tanh": 45}[shape.activation]
    total += rows * sum(shape.sizes[1:-1]) * cost
    total += rows * shape.sizes[-1] * (2 if shape.loss == "mse" else 30)
    return total + shape.parameters * {"sgd": 1, "momentum": 4, "adam": 12}[shape.optimizer]


class _Unrolled:
    """The step of a shape, a variable for each parameter."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.layers = list(shape.layers())

    def begin(self, text: Text) -> None:
        for k in range(self.shape.parameters):
            text.line(f"w{k} = load(S, {k} * L)")
        if not self.shape.batch:
            for r in range(self.shape.rows):
                text.line(f"s{r} = pull * load(S, SHARE + {r} * L)")
            return
        text.block(f"""
for lane in range(L):
    upto = np.int32(0)
    for r in range({self.shape.rows}):
        upto += counts[base + lane, r]
        S[UPTO + r * L + lane] = np.float32(upto)
pull_each = splat(np.float32({self.shape.pull / self.shape.batch!r}))
batch = splat(np.float32({self.shape.batch}))
""")

    def current(self, text: Text) -> None:
        for k in range(self.shape.parameters):
            text.line(f"store(S, {k} * L, w{k})")

    def steps(self, text: Text) -> None:
        shape = self.shape
        with text.inside("for step in range(done, until)"):
            if shape.batch:
                self._count(text)
            if shape.optimizer == "adam":
                text.line("rate = negative_lr * splat(scales[step, 0])")
                text.line("second_scale = splat(scales[step, 1])")
            self._forward(text)
            self._backward(text)

    def _count(self, text: Text) -> None:
        """Write the rows' shares of a step's batch: sample k is of the first row beyond k."""
        batch, last = self.shape.batch, self.shape.rows - 1
        for r in range(last):
            text.line(f"c{r} = zero")
        with text.inside(f"for slot in range({batch})"):
            text.line(f"sample = numbers_at(drawn, picked + ((step - done) * {batch} + slot) * L)")
            for r in range(last):
                is_upto = f"above(load(S, UPTO + {r} * L), sample)"
                text.line(f"c{r} = c{r} + where({is_upto}, one, zero)")
        for r in range(last + 1):
            upto = "batch" if r == last else f"c{r}"
            text.line(f"s{r} = pull_each * " + (f"({upto} - c{r - 1})" if r else upto))

    def look(self, text: Text) -> None:
        shape = self.shape
        self._forward(text)
        last = len(self.layers)
        above: list[str] = []
        clear: list[str] = []
        losses: list[str] = []
        for r, labels in enumerate(shape.labels):
            terms: list[str] = []
            for o, label in enumerate(labels):
                if label is None:
                    continue
                y = f"a{last}_{r}_{o}"
                is_above = f"above({y}, threshold)"
                above.append(is_above if label else f"invert({is_above})")
                ends = (y, "threshold") if label else ("threshold", y)
                clear.append(f"above({ends[0]} - {ends[1]}, margin)")
                terms.append(loss_of(shape, y, label))
            if terms:
                losses.append(f"({' + '.join(terms)}) * load(S, SHARE + {r} * L)")
        always = "above(one, zero)"
        text.line(f"right = {' & '.join(above) or always}")
        if shape.stops:
            text.line(f"clear = {' & '.join(clear) or always}")
        with text.inside(f"if flag & {LOSS}"):
            text.line("loss = zero")
            for each in losses:
                text.line(f"loss = loss + {each}")
            text.line("loss = each * loss")

    def _forward(self, text: Text) -> None:
        """Write the sums a and the hidden values h of every layer, row and unit."""
        first = self.layers[0]
        for u in range(first.n_out):
            known: dict[tuple[int, ...], str] = {(): f"w{first.bias + u}"}
            for r, bits in enumerate(self.shape.inputs):
                on = tuple(i for i, bit in enumerate(bits) if bit)
                for end in range(1, len(on) + 1):
                    part = on[:end]
                    if part not in known:
                        name = f"p{u}_{'_'.join(map(str, part))}"
                        weight = first.weight + u * first.n_in + part[-1]
                        text.line(f"{name} = {known[part[:-1]]} + w{weight}")
                        known[part] = name
                text.line(f"a1_{r}_{u} = {known[on]}")
            self._hand_on(text, 1, u)
        for number, layer in enumerate(self.layers[1:-1], start=2):
            for o in range(layer.n_out):
                self._hand_on(text, number, o)

    def _hand_on(self, text: Text, number: int, unit: int) -> None:
        """Write a hidden unit's values, and at once what they add to the next layer's sums.

        A value that is used while it is in a register need not be loaded again.
        """
        layer = self.layers[number]
        for r in range(self.shape.rows):
            name = f"{number}_{r}_{unit}"
            text.line(f"h{name} = {activated(self.shape, f'a{name}')}")
        for o in range(layer.n_out):
            weight = f"w{layer.weight + o * layer.n_in + unit}"
            for r in range(self.shape.rows):
                total = f"a{number + 1}_{r}_{o}"
                before = total if unit else f"w{layer.bias + o}"
                text.line(f"{total} = fma({weight}, h{number}_{r}_{unit}, {before})")

    def _backward(self, text: Text) -> None:
        """Write the errors e of every layer from the last to the first, and its update."""
        shape, last = self.shape, len(self.layers)
        for r, labels in enumerate(shape.labels):
            for o, label in enumerate(labels):
                if label is not None:
                    error = distance(shape, f"a{last}_{r}_{o}", label)
                    text.line(f"e{last}_{r}_{o} = s{r} * {error}")
        for number in range(last, 1, -1):
            layer = self.layers[number - 1]
            for i in range(layer.n_in):
                self._error_before(text, number, layer, i)
                for o in range(layer.n_out):
                    terms = [
                        (f"e{number}_{r}_{o}", f"h{number - 1}_{r}_{i}")
                        for r in self._rows_of(number, o)
                    ]
                    self._dot(text, "d", terms)
                    place = layer.weight + o * layer.n_in + i
                    update(text, shape, f"w{place}", "d", str(place))
                if number == 2:
                    self._update_first(text, i)
            for o in range(layer.n_out):
                terms = [f"e{number}_{r}_{o}" for r in self._rows_of(number, o)]
                place = layer.bias + o
                update(text, shape, f"w{place}", _sum(terms), str(place))

    def _rows_of(self, number: int, unit: int) -> list[int]:
        """Return the rows on which a unit's error is not 0 for good."""
        if number < len(self.layers):
            return list(range(self.shape.rows))
        return [r for r, labels in enumerate(self.shape.labels) if labels[unit] is not None]

    def _error_before(self, text: Text, number: int, layer: Place, unit: int) -> None:
        """Write the errors of one unit of the layer before."""
        kind = "a" if self.shape.activation == "leaky" else "h"
        for r in range(self.shape.rows):
            terms = [
                (f"e{number}_{r}_{o}", f"w{layer.weight + o * layer.n_in + unit}")
                for o in range(layer.n_out)
                if r in self._rows_of(number, o)
            ]
            name = f"{number - 1}_{r}_{unit}"
            self._dot(text, f"e{name}", terms)
            text.line(f"e{name} = {through(self.shape, f'{kind}{name}', f'e{name}')}")

    def _dot(self, text: Text, name: str, terms: list[tuple[str, str]]) -> None:
        if not terms:
            text.line(f"{name} = zero")
        for index, (weight, factor) in enumerate(terms):
            text.line(
                f"{name} = fma({weight}, {factor}, {name})"
                if index
                else f"{name} = {weight} * {factor}"
            )

    def _update_first(self, text: Text, unit: int) -> None:
        """Write a unit's update in the first layer: inputs are 0 and 1, so gradients are sums."""
        shape, layer = self.shape, self.layers[0]
        values = [f"e1_{r}_{unit}" for r in range(shape.rows)]
        errors = values
        for i in range(layer.n_in - 1, -1, -1):
            place = layer.weight + unit * layer.n_in + i
            if shape.is_complete:  # add the rows that differ in this bit alone, pair by pair
                gradient = _sum(values[1::2])
                folded: list[str] = []
                for pair in range(len(values) // 2):
                    name = f"f{i}_{pair}"
                    text.line(f"{name} = {values[2 * pair]} + {values[2 * pair + 1]}")
                    folded.append(name)
                values = folded
            else:
                gradient = _sum([errors[r] for r in range(shape.rows) if shape.inputs[r][i]])
            update(text, shape, f"w{place}", gradient, str(place))
        place = layer.bias + unit
        update(text, shape, f"w{place}", _sum(values), str(place))


def _sum(terms: list[str]) -> str:
    """Return a sum by halves: what is added last is not kept waiting by all the others."""
    if not terms:
        return "zero"
    if len(terms) == 1:
        return terms[0]
    half = len(terms) // 2
    return f"({_sum(terms[:half])} + {_sum(terms[half:])})"
