"""The operations that a forward may consist of: one table, from PyTorch's name to its meaning.

Rule: an operation that is not in the table is refused, and so is one used in a way that its entry
does not spell out. An entry takes the recorder, the operation, its result and its arguments, and
returns the codes of the result's numbers.
"""

from __future__ import annotations

from typing import Final

from adderlab.nets.tracing.operations import comparisons, curves, largest, moves, sums
from adderlab.nets.tracing.operations.shared import Entry

GROUPS: Final[dict[str, dict[str, Entry]]] = {
    "numbers that move": {
        **dict.fromkeys(
            ("clone", "index_select", "index", "gather", "repeat", "flip", "roll", "take",
             "cat", "stack", "alias_copy", "contiguous", "lift_fresh_copy", "view_copy",
             "tril", "triu"),
            moves.moved(),
        ),
        "copy": moves.copied,
        "scatter": moves.scattered,
        "constant_pad_nd": moves.padded,
    },
    "constants": dict.fromkeys(
        ("fill", "zero", "zeros_like", "ones_like", "full_like", "empty_like", "new_zeros",
         "new_ones", "new_full", "new_empty", "new_empty_strided"),
        moves.filled,
    ),
    "conversions that keep every value": {"_to_copy": moves.converted},
    "products with constants": {
        "mm": sums.product,
        "addmm": sums.product_and_sum,
        "bmm": sums.batched,
        "mv": sums.vector,
        "mul": sums.scaled,
        "neg": sums.negated,
        "div": sums.divided,
        **dict.fromkeys(
            ("native_batch_norm", "_native_batch_norm_legit_no_training"), sums.normalized
        ),
    },
    "sums": {
        "sum": sums.total,
        "mean": sums.mean,
        "add": sums.sum_,
        "sub": sums.difference,
        "rsub": sums.reversed_difference,
    },
    "activations": {
        "relu": curves.activation("relu"),
        "leaky_relu": curves.leaky,
        "_prelu_kernel": curves.prelu,
        "tanh": curves.activation("tanh"),
        "sigmoid": curves.activation("sigmoid"),
        "exp": sums.exponential,
        "reciprocal": sums.reciprocal,
        "softplus": curves.activation("softplus", "beta", "threshold"),
        "elu": curves.elu,
        "celu": curves.celu,
        "gelu": curves.activation("gelu", "approximate"),
        "silu": curves.activation("silu"),
        "mish": curves.activation("mish"),
        "hardsigmoid": curves.activation("hardsigmoid"),
        "abs": curves.activation("abs"),
        "sign": curves.sign,
        "heaviside": curves.heaviside,
        "hardtanh": curves.hardtanh,
        "clamp": curves.clamp,
        "clamp_min": curves.clamp,
        "clamp_max": curves.clamp_max,
        "maximum": curves.larger,
        "minimum": curves.smaller,
        "threshold": curves.threshold,
    },
    "comparisons, and choices by them": {
        "gt": comparisons.comparison(">", 1),
        "ge": comparisons.comparison(">=", 1),
        "lt": comparisons.comparison(">", -1),
        "le": comparisons.comparison(">=", -1),
        "where": comparisons.chosen,
        "masked_fill": comparisons.masked,
        "round": comparisons.rounded,
    },
    "operations of bits": {
        "eq": comparisons.equal(True),
        "ne": comparisons.equal(False),
        **dict.fromkeys(("logical_and", "bitwise_and"), comparisons.logic(-1.5)),
        **dict.fromkeys(("logical_or", "bitwise_or"), comparisons.logic(-0.5)),
        **dict.fromkeys(("logical_xor", "bitwise_xor"), comparisons.exclusive),
        **dict.fromkeys(("logical_not", "bitwise_not"), comparisons.inverted),
    },
    "the number of the largest": {
        "argmax": largest.largest,
        "max": largest.largest_and_number,
        **dict.fromkeys(("_softmax", "_log_softmax"), largest.softmax),
    },
    "in an assert alone": dict.fromkeys(
        ("_local_scalar_dense", "is_nonzero", "equal", "nonzero", "masked_select", "min", "aminmax",
         "all", "any", "allclose", "isfinite", "isnan"),
        comparisons.depends,
    ),
}  # fmt: skip
"""What each of PyTorch's operations means, by its name in ATen, under what it does."""

TABLE: Final[dict[str, Entry]] = {
    name: entry for group in GROUPS.values() for name, entry in group.items()
}
"""All of them by name."""
