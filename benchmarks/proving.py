"""Time enumeration as ratios against direct exact evaluation in fractions, all in one run.

Run: python benchmarks/proving.py
"""

from __future__ import annotations

import resource
import time
from fractions import Fraction

import numpy as np

import adderlab
from adderlab.nets import EXACT, outputs
from adderlab.tasks import task_named


def parity(width: int) -> adderlab.Network:
    """Return parity of ``width`` bits in as many relus."""
    last = [1, *(-2 if unit % 2 else 2 for unit in range(1, width))]
    biases = [[-unit for unit in range(width)], [0]]
    weights = [[[1] * width] * width, [last]]
    return adderlab.network(weights, biases, readout=EXACT, task=task_named(f"parity:{width}"))


def in_fractions(net: adderlab.Network, rows: np.ndarray) -> None:
    """Evaluate rows one by one in fractions, as plainly as it can be written."""
    layers = [(layer.weight.exact(), layer.bias.exact()) for layer in net.layers]
    plain = [
        (
            [[w.at(i, j) for j in range(w.shape[1])] for i in range(w.shape[0])],
            [b.at(i) for i in range(b.shape[0])],
        )
        for w, b in layers
    ]
    for row in rows:
        values = [Fraction(int(bit)) for bit in row]
        for number, (weight, bias) in enumerate(plain):
            sums = [
                sum((w * v for w, v in zip(line, values, strict=True)), start=b)
                for line, b in zip(weight, bias, strict=True)
            ]
            values = sums if number == len(plain) - 1 else [max(s, Fraction(0)) for s in sums]


def main() -> None:
    print("parity of N bits in N relus, every input; rows a second")
    for width in (10, 14, 18):
        net = parity(width)
        start = time.perf_counter()
        verdict = adderlab.prove(net)
        proof = net.task.rows / (time.perf_counter() - start)
        assert verdict
        rows = next(net.task.blocks(256)).inputs
        start = time.perf_counter()
        in_fractions(net, rows)
        fractions = len(rows) / (time.perf_counter() - start)
        block = next(net.task.blocks(1 << 10)).inputs
        start = time.perf_counter()
        _ = outputs(net, block)
        exact = len(block) / (time.perf_counter() - start)
        print(
            f"N = {width:2}  prove {proof:12,.0f}   whole numbers {exact:12,.0f} "
            f"({proof / exact:5.1f} x)   fractions {fractions:8,.0f} ({proof / fractions:8.0f} x)"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MB")


if __name__ == "__main__":
    main()
