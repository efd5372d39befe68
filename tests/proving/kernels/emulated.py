"""Kernels of enumeration without a compiler: their source, run by Python on NumPy's arrays."""

from __future__ import annotations

import numpy as np


def count_of(array):
    return 64 // array.dtype.itemsize


def store(array, place, values):
    array[place : place + len(values)] = values


def fma(a, b, c):
    """Return a * b + c, rounded twice: within the bounds as one rounding is."""
    return a * b + c


OPERATIONS = {
    "np": np,
    "align_stack": lambda: None,
    "load": lambda array, place: array[place : place + count_of(array)].copy(),
    "store": store,
    "spread_at": lambda array, place: np.full(count_of(array), array[place]),
    "fma": fma,
    "doubled": lambda a, times: a << a.dtype.type(times),
    "above": lambda a, b: a > b,
    "equal": lambda a, b: a == b,
    "largest": np.maximum,
    "smallest": np.minimum,
    "where": np.where,
    "has_bit": lambda packed, bit: (packed >> packed.dtype.type(bit)) & 1 != 0,
    "invert": np.logical_not,
    "bits_of": lambda mask: np.uint64(sum(1 << int(lane) for lane in np.flatnonzero(mask))),
    "ones_in": lambda bits: int(bits).bit_count(),
    "lowest_bit": lambda bits: (int(bits) & -int(bits)).bit_length() - 1,
    "total": lambda a: np.full_like(a, a.sum()),
    "smaller": min,
}


def emulated(kernel):
    """Return the function of a kernel's source, as Python runs it."""
    space = dict(OPERATIONS)
    exec(compile(kernel.source, "<kernel>", "exec"), space)
    return space["sweep"]
