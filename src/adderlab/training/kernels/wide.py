"""The kernel of a larger shape: loops over units and rows, four rows at a time.

Four rows and up to six units make a tile of sums that stays in registers while a layer's inputs
go by, so that a weight that is loaded is used four times. Where the rows are a whole table, the
four rows of a block differ in the last two inputs alone: the first layer adds what the others
give once for all four, and its gradients are folded likewise.

A step of a batch that is small beside the table looks at the samples it drew (each lane its own
row); any other looks at the table, with shares that count the draws.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import pairwise

from adderlab.kernels.text import Text
from adderlab.training.kernels.frame import common_scratch, kernel, scratch_vectors
from adderlab.training.kernels.rows import (
    TILE,
    draws_slots,
    padded_rows,
    padded_slots,
    slot_tile,
)
from adderlab.training.kernels.shape import LOSS, Place, Shape, activated, through, update

MOST_UNITS = 6
"""Of a tile: with four rows, as many sums as registers hold beside what goes by."""


def wide_source(shape: Shape) -> str:
    """Return the kernel's source."""
    name = "-".join(map(str, shape.sizes))
    title = f"Networks of shape {name} on {shape.rows} rows, 16 side by side, four rows at a time."
    return kernel(shape, _Looped(shape), title=title, scratch=_scratch(shape))


def wide_scratch(shape: Shape) -> int:
    """Return how many vectors of 16 the kernel's scratch array must hold."""
    return scratch_vectors(shape, _scratch(shape))


def _scratch(shape: Shape) -> dict[str, int]:
    tile = max(TILE, slot_tile(shape))
    parts = common_scratch(shape)
    parts["SHARE"] = padded_rows(shape)
    parts["GRAD"] = shape.parameters
    parts["NOW"] = max(padded_rows(shape), padded_slots(shape) if shape.batch else 0)
    parts["H0"] = tile * shape.sizes[0]
    for number, units in enumerate(shape.sizes[1:], start=1):
        parts[f"H{number}"] = tile * units
        parts[f"E{number}"] = tile * units
        if shape.activation == "leaky":
            parts[f"A{number}"] = tile * units
    return parts


@dataclass(frozen=True, slots=True)
class _Rows:
    """Where the rows of a pass come from.

    Attributes:
        tile: rows at a time.
        count: rows in all, padded.
        is_table: the task's rows in order, the same in every lane; else a step's slots.
    """

    tile: int
    count: int
    is_table: bool


Finish = Callable[[str, int, str], None]
"""Writes what is done with a sum: the unit's number, the row of the tile, the sum's variable."""


class _Looped:
    """The step of a shape, in loops."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.layers = list(shape.layers())
        self.table = _Rows(TILE, padded_rows(shape), is_table=True)
        self.stepped = self.table
        if draws_slots(shape):
            self.stepped = _Rows(slot_tile(shape), padded_slots(shape), is_table=False)
        self.folds = shape.is_complete and shape.sizes[0] >= 2
        self.is_free = any(label is None for labels in shape.labels for label in labels)

    def begin(self, text: Text) -> None:
        shape = self.shape
        for r in range(shape.rows, padded_rows(shape)):
            text.line(f"store(S, SHARE + {r} * L, zero)")
        if not shape.batch:
            with text.inside(f"for r in range({self.table.count})"):
                text.line("store(S, NOW + r * L, pull * load(S, SHARE + r * L))")
            return
        each = f"np.float32({shape.pull / shape.batch!r})"
        text.block(f"""
pull_each = splat({each})
for lane in range(L):
    sample = 0
    for r in range({shape.rows}):
        for k in range(counts[base + lane, r]):
            slots[sample * L + lane] = packed[r]
            sample += 1
SLOTS = samples * L
""")
        if not self.stepped.is_table:
            with text.inside(f"for slot in range({self.stepped.count})"):
                text.line(f"share = pull_each if slot < {shape.batch} else zero")
                text.line("store(S, NOW + slot * L, share)")

    def current(self, text: Text) -> None:
        text.line("pass")

    def steps(self, text: Text) -> None:
        shape = self.shape
        with text.inside("for step in range(done, until)"):
            if shape.batch:
                self._draw(text)
            if shape.optimizer == "adam":
                text.line("rate = negative_lr * splat(scales[step, 0])")
                text.line("second_scale = splat(scales[step, 1])")
            with text.inside(f"for k in range({shape.parameters})"):
                text.line("store(S, GRAD + k * L, zero)")
            with text.inside(f"for block in range({self.stepped.count // self.stepped.tile})"):
                self._forward(text, self.stepped, self._error(text, self.stepped))
                self._backward(text, self.stepped)
            with text.inside(f"for k in range({shape.parameters})"):
                text.line("w = load(S, k * L)")
                update(text, shape, "w", "load(S, GRAD + k * L)", "k")
                text.line("store(S, k * L, w)")

    def look(self, text: Text) -> None:
        shape = self.shape
        text.line("right = above(one, zero)")
        text.line("clear = right")
        text.line("loss = zero")
        with text.inside(f"for block in range({self.table.count // TILE})"):
            self._forward(text, self.table, self._verdict(text))
        text.line("loss = each * loss")
        if not shape.stops:
            text.line("clear = right")

    def _draw(self, text: Text) -> None:
        """Write what a step's draws look at: the slots' rows, or the shares of the table's."""
        batch = self.shape.batch
        place = f"drawn[picked + ((step - done) * {batch} + slot) * L + lane]"
        if not self.stepped.is_table:
            text.block(f"""
for slot in range({batch}):
    for lane in range(L):
        slots[SLOTS + slot * L + lane] = slots[{place} * L + lane]
for slot in range({batch}, {self.stepped.count}):
    for lane in range(L):
        slots[SLOTS + slot * L + lane] = 0
""")
            return
        text.block(f"""
for r in range({self.table.count}):
    store(S, NOW + r * L, zero)
for slot in range({batch}):
    for lane in range(L):
        S[NOW + slots[{place} * L + lane] * L + lane] += np.float32(1)
for r in range({self.table.count}):
    store(S, NOW + r * L, pull_each * load(S, NOW + r * L))
""")

    # One tile of rows, forward. Hidden values are at H + (unit * tile + row).

    def _forward(self, text: Text, rows: _Rows, last: Finish) -> None:
        for number, layer in enumerate(self.layers, start=1):
            finish = last if number == len(self.layers) else self._activate(text, rows, number)
            if number == 1:
                self._first(text, rows, layer, finish)
            else:
                self._dense(text, rows, number, layer, finish)

    def _activate(self, text: Text, rows: _Rows, number: int) -> Finish:
        def finish(unit: str, row: int, name: str) -> None:
            place = f"({unit} * {rows.tile} + {row}) * L"
            text.line(f"store(S, H{number} + {place}, {activated(self.shape, name)})")
            if self.shape.activation == "leaky":
                text.line(f"store(S, A{number} + {place}, {name})")

        return finish

    def _first(self, text: Text, rows: _Rows, layer: Place, finish: Finish) -> None:
        """Write the first layer's sums for a tile."""
        n_in = layer.n_in
        if rows.is_table and self.folds:
            for i in range(n_in - 2):
                text.line(f"x{i} = splat(np.float32((block >> {n_in - 3 - i}) & 1))")
            with text.inside(f"for u in range({layer.n_out})"):
                text.line(f"a0 = load(S, ({layer.bias} + u) * L)")
                for i in range(n_in):
                    text.line(f"w{i} = load(S, ({layer.weight} + u * {n_in} + {i}) * L)")
                for i in range(n_in - 2):
                    text.line(f"a0 = fma(x{i}, w{i}, a0)")
                text.line(f"a1 = a0 + w{n_in - 1}")
                text.line(f"a2 = a0 + w{n_in - 2}")
                text.line(f"a3 = a2 + w{n_in - 1}")
                for r in range(TILE):
                    finish("u", r, f"a{r}")
            return
        self._inputs(text, rows, n_in)
        with text.inside(f"for u in range({layer.n_out})"):
            for r in range(rows.tile):
                text.line(f"a{r} = load(S, ({layer.bias} + u) * L)")
            with text.inside(f"for i in range({n_in})"):
                text.line(f"w = load(S, ({layer.weight} + u * {n_in} + i) * L)")
                for r in range(rows.tile):
                    text.line(f"a{r} = fma(w, load(S, H0 + (i * {rows.tile} + {r}) * L), a{r})")
            for r in range(rows.tile):
                finish("u", r, f"a{r}")

    def _inputs(self, text: Text, rows: _Rows, n_in: int) -> None:
        """Write the inputs of a tile's rows as vectors."""
        for r in range(rows.tile):
            row = f"(block * {rows.tile} + {r})"
            with text.inside(f"for i in range({n_in})"):
                bit = f"bit_at(slots, SLOTS + {row} * L, i)"
                if rows.is_table:
                    bit = f"splat(table[{row} * {n_in} + i])"
                text.line(f"store(S, H0 + (i * {rows.tile} + {r}) * L, {bit})")

    def _dense(self, text: Text, rows: _Rows, number: int, layer: Place, finish: Finish) -> None:
        """Write a later layer's sums: a tile of units and rows at a time."""
        for first, count, head in _units(layer.n_out):
            with _loop(text, head):
                for j in range(count):
                    for r in range(rows.tile):
                        text.line(f"y{j}_{r} = load(S, ({layer.bias} + {first} + {j}) * L)")
                with text.inside(f"for i in range({layer.n_in})"):
                    for r in range(rows.tile):
                        place = f"(i * {rows.tile} + {r}) * L"
                        text.line(f"h{r} = load(S, H{number - 1} + {place})")
                    for j in range(count):
                        weight = f"{layer.weight} + ({first} + {j}) * {layer.n_in} + i"
                        text.line(f"w = load(S, ({weight}) * L)")
                        for r in range(rows.tile):
                            text.line(f"y{j}_{r} = fma(w, h{r}, y{j}_{r})")
                for j in range(count):
                    for r in range(rows.tile):
                        finish(f"({first} + {j})", r, f"y{j}_{r}")

    def _label(self, rows: _Rows, unit: str, row: int) -> tuple[str, str]:
        """Return the expressions of an output's label and of whether it matters."""
        n_in, n_out = self.shape.sizes[0], self.shape.sizes[-1]
        number = f"(block * {rows.tile} + {row})"
        if not rows.is_table:
            place = f"slots, SLOTS + {number} * L"
            return f"bit_at({place}, {n_in} + {unit})", f"bit_at({place}, {n_in + n_out} + {unit})"
        labels, matters = rows.count * n_in, rows.count * (n_in + n_out)
        place = f"{number} * {n_out} + {unit}"
        return f"splat(table[{labels} + {place}])", f"splat(table[{matters} + {place}])"

    def _error(self, text: Text, rows: _Rows) -> Finish:
        """Return what makes an output's error of its sum."""

        def finish(unit: str, row: int, name: str) -> None:
            label, matters = self._label(rows, unit, row)
            y = name if self.shape.loss == "mse" else f"sigmoid({name})"
            error = f"load(S, NOW + (block * {rows.tile} + {row}) * L) * ({y} - {label})"
            if self.is_free:
                error = f"({error}) * {matters}"
            place = f"({unit} * {rows.tile} + {row}) * L"
            text.line(f"store(S, E{len(self.layers)} + {place}, {error})")

        return finish

    def _verdict(self, text: Text) -> Finish:
        """Return what looks whether an output is right, and what it loses."""

        def finish(unit: str, row: int, name: str) -> None:
            n_in, n_out = self.shape.sizes[0], self.shape.sizes[-1]
            place = f"(block * {TILE} + {row}) * {n_out} + {unit}"
            labels, matters = self.table.count * n_in, self.table.count * (n_in + n_out)
            with text.inside(f"if table[{matters} + {place}] > 0"):
                with text.inside(f"if table[{labels} + {place}] > 0"):
                    text.line(f"right = right & above({name}, threshold)")
                    if self.shape.stops:
                        text.line(f"clear = clear & above({name} - threshold, margin)")
                with text.inside("else"):
                    text.line(f"right = right & invert(above({name}, threshold))")
                    if self.shape.stops:
                        text.line(f"clear = clear & above(threshold - {name}, margin)")
                with text.inside(f"if flag & {LOSS}"):
                    label = f"splat(table[{labels} + {place}])"
                    if self.shape.loss == "bce":
                        text.line(f"lost = cross_entropy({name}, {label})")
                    else:
                        text.line(f"lost = {name} - {label}")
                        text.line("lost = lost * lost")
                    share = f"load(S, SHARE + (block * {TILE} + {row}) * L)"
                    text.line(f"loss = fma(lost, {share}, loss)")

        return finish

    # One tile of rows, backward: errors e, and gradients added to those of the tiles before.

    def _backward(self, text: Text, rows: _Rows) -> None:
        for number in range(len(self.layers), 1, -1):
            self._through(text, rows, number, self.layers[number - 1])
        self._gradient_of_first(text, rows, self.layers[0])

    def _through(self, text: Text, rows: _Rows, number: int, layer: Place) -> None:
        """Write a layer's gradients, and the errors of the layer before it."""
        tiles = list(_units(layer.n_out))
        for index, (first, count, head) in enumerate(tiles):
            with _loop(text, head):
                for j in range(count):
                    for r in range(rows.tile):
                        place = f"(({first} + {j}) * {rows.tile} + {r}) * L"
                        text.line(f"e{j}_{r} = load(S, E{number} + {place})")
                    self._add(text, f"{layer.bias} + {first} + {j}", _sum_of(j, rows.tile))
                with text.inside(f"for i in range({layer.n_in})"):
                    for r in range(rows.tile):
                        place = f"(i * {rows.tile} + {r}) * L"
                        text.line(f"h{r} = load(S, H{number - 1} + {place})")
                        start = "zero"
                        if index or head:  # errors add up over the tiles of units
                            start = f"load(S, E{number - 1} + {place})"
                            if not index:
                                start = f"zero if {first} == 0 else {start}"
                        text.line(f"t{r} = {start}")
                    for j in range(count):
                        weight = f"{layer.weight} + ({first} + {j}) * {layer.n_in} + i"
                        text.line(f"w = load(S, ({weight}) * L)")
                        text.line(f"g = load(S, GRAD + ({weight}) * L)")
                        for r in range(rows.tile):
                            text.line(f"t{r} = fma(e{j}_{r}, w, t{r})")
                            text.line(f"g = fma(e{j}_{r}, h{r}, g)")
                        text.line(f"store(S, GRAD + ({weight}) * L, g)")
                    for r in range(rows.tile):
                        place = f"(i * {rows.tile} + {r}) * L"
                        text.line(f"store(S, E{number - 1} + {place}, t{r})")
        kind = "A" if self.shape.activation == "leaky" else "H"
        with text.inside(f"for i in range({layer.n_in * rows.tile})"):
            hidden = f"load(S, {kind}{number - 1} + i * L)"
            error = f"load(S, E{number - 1} + i * L)"
            text.line(f"h0 = {hidden}")
            text.line(f"t0 = {error}")
            text.line(f"store(S, E{number - 1} + i * L, {through(self.shape, 'h0', 't0')})")

    def _add(self, text: Text, place: str, gradient: str) -> None:
        text.line(f"store(S, GRAD + ({place}) * L, load(S, GRAD + ({place}) * L) + {gradient})")

    def _gradient_of_first(self, text: Text, rows: _Rows, layer: Place) -> None:
        """Write the first layer's gradients."""
        n_in = layer.n_in
        with text.inside(f"for u in range({layer.n_out})"):
            for r in range(rows.tile):
                text.line(f"e0_{r} = load(S, E1 + (u * {rows.tile} + {r}) * L)")
            if rows.is_table and self.folds:
                text.line("both = e0_2 + e0_3")
                text.line("total = (e0_0 + e0_1) + both")
                self._add(text, f"{layer.weight} + u * {n_in} + {n_in - 2}", "both")
                self._add(text, f"{layer.weight} + u * {n_in} + {n_in - 1}", "(e0_1 + e0_3)")
                self._add(text, f"{layer.bias} + u", "total")
                for i in range(n_in - 2):
                    place = f"GRAD + ({layer.weight} + u * {n_in} + {i}) * L"
                    text.line(f"store(S, {place}, fma(x{i}, total, load(S, {place})))")
                return
            self._add(text, f"{layer.bias} + u", _sum_of(0, rows.tile))
            with text.inside(f"for i in range({n_in})"):
                place = f"GRAD + ({layer.weight} + u * {n_in} + i) * L"
                text.line(f"g = load(S, {place})")
                for r in range(rows.tile):
                    text.line(f"g = fma(e0_{r}, load(S, H0 + (i * {rows.tile} + {r}) * L), g)")
                text.line(f"store(S, {place}, g)")


def _units(count: int) -> list[tuple[str, int, str]]:
    """Return the tiles of a layer's units: the first unit's expression, how many, a loop's head."""
    if count <= MOST_UNITS:
        return [("0", count, "")]
    full = count // TILE * TILE
    tiles = [("o", TILE, f"for o in range(0, {full}, {TILE})")]
    return tiles + ([(str(full), count - full, "")] if count > full else [])


def _loop(text: Text, head: str) -> AbstractContextManager[None]:
    return text.inside(head) if head else nullcontext()


def _sum_of(unit: int, tile: int) -> str:
    parts = [f"e{unit}_{r}" for r in range(tile)]
    while len(parts) > 1:
        pairs = [f"({left} + {right})" for left, right in pairwise(parts)][::2]
        parts = pairs + ([parts[-1]] if len(parts) % 2 else [])
    return parts[0]
