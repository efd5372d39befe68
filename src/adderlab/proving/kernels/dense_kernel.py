"""A network of wide dense layers, ready to be swept by the kernel of :mod:`dense`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adderlab.kernels.simd import aligned
from adderlab.nets.readout import Readout
from adderlab.proving.kernels.dense import LOW_BITS, dense_source
from adderlab.proving.kernels.floats import GUARD, FloatNet
from adderlab.proving.kernels.kernel import Kernel, Limits, Swept, doubling, on_lines
from adderlab.proving.kernels.rows import Expected, Places

ROWS = 1 << LOW_BITS


def influence_order(net: FloatNet) -> list[int]:
    """Return a network's inputs, those first that move the first layer's sums least."""
    return np.argsort(np.abs(net.layers[0].weight).sum(axis=0), kind="stable").tolist()


class DenseKernel(Kernel):
    """The kernel of one or two hidden layers of relus."""

    form = (
        "void({t}[::1], {t}[::1], {t}[::1], {t}[::1], {t}[::1], {t}[::1], {t}[::1], {t}[::1],"
        " {t}[::1], {t}[::1], {t}[::1], int64[::1], {t}[::1], {t}[::1], {t}[::1], int64[::1],"
        " {t}[::1], {i}[::1], {i}[::1], {t}[::1], uint64[::1], uint64[::1], {t}[::1], int64[::1])"
    )

    def __init__(self, net: FloatNet, readout: Readout, places: Places) -> None:
        super().__init__(places, net.dtype, readout, bound=net.bound, exponent=0)
        self.hidden = len(net.layers) - 1
        self.source = dense_source(self.hidden, net.dtype)
        self.signature = self.form.format(t=self.dtype.name, i=f"int{self.bits}")
        self.name = f"enumeration_of_{self.hidden}_wide_layers_in_{self.dtype.name}"
        first, second, last = net.layers[0], net.layers[1], net.layers[-1]
        self.n_out = len(last.bias)
        n1, n2 = self._padded(len(first.bias)), self._padded(len(second.bias))
        self.n1, self.n2 = n1, n2
        weight = np.zeros((n1, first.weight.shape[1]))
        weight[: len(first.bias)] = first.weight
        columns = [weight[:, number] for number in places.order]
        low = columns[:LOW_BITS]
        self.high = columns[places.block_bits :]
        self.middle = doubling(columns[LOW_BITS : places.block_bits], np.zeros(n1))
        self.bias = _filled(first.bias, n1)
        self.low = self._own_type(doubling(low, np.zeros(n1)).T)
        self.low_weights = self._own_type(np.array(low))
        guards = [
            _filled(GUARD * errors, n) for errors, n in zip(net.errors, (n1, n2), strict=False)
        ]
        self.ends_low = self._own_type(np.minimum(low, 0).sum(axis=0) - guards[0])
        self.ends_high = self._own_type(np.maximum(low, 0).sum(axis=0) + guards[0])
        self.guards = self._own_type(guards[1])
        middle = np.zeros((n2, n1))
        middle[: len(second.bias), : len(first.bias)] = second.weight
        self.inner, self.inner_T = self._own_type(middle), self._own_type(middle.T)
        self.inner_bias = self._own_type(_filled(second.bias, n2))
        outputs = np.zeros((self.n_out, n2))
        if self.hidden == 2:
            outputs[:, : len(second.bias)] = last.weight
        self.outer, self.outer_bias = self._own_type(outputs), self._own_type(last.bias)
        planes = [divmod(place, self.bits) for place in places.output_places]
        self.planes = max(plane for plane, _ in planes) + 1
        self.bit_places = [[place for _, place in planes], [plane for plane, _ in planes]]

    def _padded(self, units: int) -> int:
        return -(-units // self.lanes) * self.lanes

    def _own_type(self, numbers: Any) -> Any:
        return on_lines(numbers, self.dtype)

    def call(
        self, function: Callable[..., None], block: int, expected: Expected, limits: Limits
    ) -> Swept:
        """Run the function on a block."""
        n1, n2, n_out = self.n1, self.n2, self.n_out

        def empty(count: int) -> Any:
            return aligned(count, self.dtype)

        start = self.bias
        for column, bit in zip(self.high, self.places.high_bits(block), strict=True):
            start = start + column if bit else start
        bases = self._own_type(self.middle + start)
        live = empty((LOW_BITS + n1) * ROWS)
        live.reshape(-1, ROWS)[:LOW_BITS] = (np.arange(ROWS) >> np.arange(LOW_BITS)[:, None]) & 1
        lists = np.zeros(2 * (n1 + n2 + n_out), dtype=np.int64)
        lists[2 * (n1 + n2) :] = np.concatenate(self.bit_places)
        matters = expected.matters
        if matters is None:
            matters = np.full_like(expected.planes, -1)
        numbers = np.append(self.limit_numbers(limits), self.dtype.type(self.far))
        sizes = np.array([n1, n2, n_out, self.planes], dtype=np.int64)
        out = self.outputs_of_a_block()

        function(
            bases, self.low, self.low_weights, self.ends_low, self.ends_high, self.inner_T,
            self.inner, self.inner_bias, self.outer, self.outer_bias, self.guards, sizes, live,
            empty((LOW_BITS + 1) * n2),
            empty(2 * n1 + n_out * n2), lists, numbers, expected.planes, matters,
            empty(n_out * ROWS), out["wrongs"], out["marks"], out["ends"], out["counts"],
        )  # fmt: skip
        return self.swept(out)


def _filled(numbers: Any, count: int) -> Any:
    """Return numbers with zeros behind them."""
    return np.concatenate([numbers, np.zeros(count - len(numbers))])
