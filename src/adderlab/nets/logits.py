"""A network that ends in a sigmoid, without it: ``sigmoid(y) > 0.5`` is ``y > 0``.

Rule: this holds in exact arithmetic alone. In a number format the sigmoid of a small positive
number rounds to 0.5, so there the sigmoid is computed.
"""

from __future__ import annotations

from dataclasses import replace

from adderlab.nets.activations import Activation
from adderlab.nets.network import Network


def without_last_sigmoid(net: Network) -> Network:
    """Return the network whose outputs are what goes into a last sigmoid, if it ends in one.

    Its bits are the same in exact arithmetic, on every input. Any other network is returned as
    it is: one that has another threshold than 0.5, or whose sigmoids other layers read too.
    """
    readout = net.readout
    ends = set(net.output_layers)
    named = list(zip(net.wiring.layers, net.layers, strict=True))
    inner = {name for node, _ in named for name in node.reads}
    kinds = {layer.activation.kind for node, layer in named if node.name in ends}
    if readout.kind != "threshold" or readout.threshold != 0.5 or kinds != {"sigmoid"}:
        return net
    if ends & inner:
        return net
    layers = tuple(
        replace(layer, activation=Activation()) if node.name in ends else layer
        for node, layer in named
    )
    return replace(net, layers=layers, readout=replace(readout, threshold=0.0))
