"""The constants of activations and readouts in a number format that may not hold them.

Rule: libraries differ in what they do with such a constant, so a proof holds whether it is rounded
to the format, to fp32, or not at all. PyTorch rounds a limit of clamp to the format, but compares
fp16 sums with a threshold in fp32 (measured, 2.13).
"""

from __future__ import annotations

import numpy as np

from adderlab.formats import FORMATS, Format
from adderlab.nets.activations import Activation


def constants_of(value: float, form: Format) -> tuple[float, ...]:
    """Return what a constant may be when it is used: itself, or rounded to the format or fp32."""
    kept = [value, *(rounded_to(other, value) for other in (form, FORMATS["fp32"]))]
    return tuple(dict.fromkeys(kept))


def variants(activation: Activation, form: Format) -> tuple[Activation, ...]:
    """Return an activation with its constants as they are, rounded to the format, and to fp32.

    The first is the activation itself, the only one where the format holds all constants. What a
    format rounds to infinity is left out.
    """
    if activation.is_held_by(form):
        return (activation,)
    others = [
        activation.with_constants(lambda value, f=other: rounded_to(f, value))
        for other in (form, FORMATS["fp32"])
        if not overflowing(activation, other)
    ]
    return tuple(dict.fromkeys((activation, *others)))


def overflowing(activation: Activation, form: Format) -> str:
    """Return the name and value of a constant beyond the format's range, or nothing."""
    for name, numbers in activation.constants.items():
        for number in numbers:
            if not np.isfinite(rounded_to(form, number)):
                return f"the {name} {number:g}"
    return ""


def rounded_to(form: Format, value: float) -> float:
    """Return a number rounded to a float format."""
    with np.errstate(over="ignore"):
        return float(form.round(np.array(value)))
