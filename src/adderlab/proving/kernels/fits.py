"""Which networks a kernel can enumerate: a function of the network and the task alone.

Importing this file imports no compiler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adderlab.nets import Network, is_exact
from adderlab.nets.network import Layer
from adderlab.proving.kernels.floats import float_layers
from adderlab.proving.kernels.rows import Places
from adderlab.proving.kernels.scaled import LARGEST_LAYER, WIDEST, scaled
from adderlab.proving.kernels.written import MOST_TERMS
from adderlab.tasks import Task

if TYPE_CHECKING:
    from adderlab.proving.kernels.kernel import Kernel

SHORT_S: Final = 2.0
"""Seconds up to which no kernel is looked for: loading the compiler takes one."""

FEWEST_INPUTS: Final = 6
"""A vector of the narrowest integers holds the rows of so many input bits."""

MOST_OUTPUTS: Final = 62

ROW_S: Final = 2.5e-7
"""What a row takes without a kernel, beside its products (``benchmarks/enumeration.py``)."""

PRODUCT_S: Final = 4e-10

LINE_S: Final = 0.012
"""What a line of source takes to be compiled, beside a second for the compiler itself."""

COMPILER_S: Final = 1.5


def has_kernel(net: Network, task: Task) -> bool:
    """Return whether there is a kernel that enumerates the network."""
    if not (net.is_chain and is_exact(net) and Places.can_hold(task)):
        return False
    if task.n_in < FEWEST_INPUTS or task.n_out > MOST_OUTPUTS:
        return False
    if any(_entries(layer) > LARGEST_LAYER for layer in net.layers):
        return False
    if is_written(net):
        whole = scaled(net)
        return (whole is not None and whole.bits <= WIDEST) or float_layers(net) is not None
    return is_dense(net) and float_layers(net) is not None


def is_written(net: Network) -> bool:
    """Return whether the kernel is written out: few units, and few weights that are not 0."""
    units = sum(layer.n_out for layer in net.layers)
    return units <= MOST_TERMS and _terms(net) <= MOST_TERMS


def is_dense(net: Network) -> bool:
    """Return whether it is one or two hidden layers of relus, and outputs that are sums."""
    kinds = [layer.activation.kind for layer in net.layers]
    return kinds in (["relu", "identity"], ["relu", "relu", "identity"])


def seconds_without(net: Network, rows: int) -> float:
    """Return about how long an enumeration takes without a kernel."""
    return rows * (ROW_S + PRODUCT_S * sum(_entries(layer) for layer in net.layers))


def may_pay(net: Network, task: Task) -> bool:
    """Return whether a kernel is to be looked for, which loads the compiler."""
    return seconds_without(net, task.rows) >= SHORT_S and has_kernel(net, task)


def pays(kernel: Kernel, net: Network, task: Task) -> bool:
    """Return whether a kernel is faster on all rows, the time to compile it included."""
    return kernel.is_ready or (
        seconds_without(net, task.rows) >= 2 * seconds_to_compile(kernel.source)
    )


def seconds_to_compile(source: str) -> float:
    """Return about how long a kernel takes to be compiled."""
    return COMPILER_S + LINE_S * source.count("\n")


def _terms(net: Network) -> int:
    """Return how many weights behind the first layer are not 0."""
    return sum(int((layer.weight.exact().integers != 0).sum()) for layer in net.layers[1:])


def _entries(layer: Layer) -> int:
    return layer.n_in * layer.n_out
