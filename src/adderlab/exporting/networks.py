"""Where two networks differ: for files that are read back."""

from __future__ import annotations

import numpy as np

from adderlab.nets import Network
from adderlab.nets.dyadic import Dyadic
from adderlab.nets.files import to_bytes


def network_difference(own: Network, net: Network) -> str:
    """Return where a network that was read is not the one that was written; else nothing.

    Args:
        own: what a file holds.
        net: what was written.
    """
    if to_bytes(own) == to_bytes(net):
        return ""
    for what, mine, its in (
        ("readout", own.readout, net.readout),
        ("format", own.format, net.format),
        ("wiring", own.wiring, net.wiring),
        ("task", own.task, net.task),
    ):
        if mine != its:
            return f"its {what} is {mine}, and the network's {its}"
    for number, (mine, its) in enumerate(zip(own.layers, net.layers, strict=True), start=1):
        if mine.activation != its.activation:
            return f"fc{number} has {mine.activation}, and the network {its.activation}"
    tensors = dict(own.tensors())
    for name, tensor in net.tensors():
        if name not in tensors:
            return f"{name} is missing"
        what = _value_difference(tensors[name].exact(), tensor.exact())
        if what:
            return f"{name}{what}"
    return ""


def _value_difference(own: Dyadic, its: Dyadic) -> str:
    if own.shape != its.shape:
        return f" has shape {list(own.shape)}, and the network's {list(its.shape)}"
    power = min(own.exponent, its.exponent)
    mine, other = own.rescaled(power).integers, its.rescaled(power).integers
    wrong = np.argwhere(mine != other)
    if not len(wrong):
        return ""
    at = tuple(wrong[0].tolist())
    values = f"{float(own.at(*at)):g}, and the network's {float(its.at(*at)):g}"
    return f"[{', '.join(map(str, at))}] is {values}"
