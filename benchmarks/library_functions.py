"""How far PyTorch's curved activations are from the functions that they stand for.

    python benchmarks/library_functions.py [--points N] [--json FILE]

For each curve of the table of activations, and each number format that PyTorch computes in, the
largest error over many points, in units in the last place: of the value, of the argument where that
is larger, or of 1 (``Library.of``). The reference is Arb's, at 120 bits. What verdicts assume is
printed beside it; the script fails where a measured error is above it.

Points: spread evenly over -30..30, over all magnitudes, and around every knot; once in one long
tensor (the vectorized code) and once one by one (the scalar code).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from flint import arb, ctx

from adderlab.formats import FORMATS
from adderlab.nets.activation_modules import module_of
from adderlab.nets.activations import RULES, Activation

DTYPES = {
    "fp64": torch.float64,
    "fp32": torch.float32,
    "fp16": torch.float16,
    "bf16": torch.bfloat16,
}
OPTIONS = {
    "softplus": ({}, {"beta": 2.5, "threshold": 5.0}),
    "elu": ({}, {"alpha": 0.375}),
    "gelu": ({}, {"approximate": "tanh"}),
}
"""Beside the defaults; constants that every format holds, so that none is rounded."""
SCALAR_POINTS = 400


def points(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    even = rng.uniform(-30, 30, count // 2)
    magnitudes = 2.0 ** rng.uniform(-60, 12, count // 2) * rng.choice([-1, 1], count // 2)
    knots = np.array([-3.0, 0.0, 2.0, 3.0, 20.0])
    near = (knots[:, None] + np.linspace(-0.01, 0.01, 21)).ravel()
    return np.concatenate([even, magnitudes, near])


def largest_error(activation: Activation, name: str, count: int) -> tuple[float, float]:
    """Return the largest error in units in the last place, and where it is."""
    form, dtype = FORMATS[name], DTYPES[name]
    library = activation.rule.library
    assert library is not None
    inputs = torch.unique(torch.tensor(points(count, seed=1)).to(dtype))
    inputs = inputs[torch.isfinite(inputs)]
    module = module_of(activation)
    batched = module(inputs).double().numpy()
    few = inputs[:: max(1, len(inputs) // SCALAR_POINTS)]
    single = torch.stack([module(x.reshape(1))[0] for x in few]).double().numpy()
    x = np.concatenate([inputs.double().numpy(), few.double().numpy()])
    values = np.concatenate([batched, single])
    worst, place = 0.0, 0.0
    with ctx.workprec(120):
        for number, value in zip(x.tolist(), values.tolist(), strict=True):
            exact = activation.ball(arb(number))
            scale = library.scale(activation, np.array(abs(number)), np.array(abs(float(exact))))
            exponent = max(int(np.frexp(scale)[1]) - form.precision, form.smallest)
            error = float(abs(arb(value) - exact) / arb((1, exponent)))
            if error > worst:
                worst, place = error, number
    return worst, place


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=60_000)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rows: list[dict[str, object]] = []
    fits = True
    print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}")
    for kind, rule in RULES.items():
        if rule.library is None:
            continue
        for options in OPTIONS.get(kind, ({},)):
            activation = Activation(kind, **options)
            errors = {name: largest_error(activation, name, args.points) for name in DTYPES}
            fits &= all(error <= rule.library.ulps for error, _ in errors.values())
            text = ", ".join(f"{name} {e:.2f} at {x:.6g}" for name, (e, x) in errors.items())
            print(f"{activation!s:32} assumed {rule.library}: {text}", flush=True)
            rows.append({"activation": str(activation), "assumed": rule.library.ulps, **errors})
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1))
    return 0 if fits else 1


if __name__ == "__main__":
    sys.exit(main())
