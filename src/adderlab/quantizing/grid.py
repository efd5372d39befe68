"""The levels that a tensor's numbers may take: ``scale * (q - zero)`` with q in a format.

Rule: scales are rounded to the numbers that will be stored before anything is rounded to them,
so what is judged here is what the file holds. Arrays may have leading axes, one network each.

References:
    Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-
    Only Inference" (2018), section 2.1, for scale and zero point; Rastegari et al., "XNOR-Net"
    (2016), section 3.1, for the scale of binary weights, the mean magnitude.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.formats import FORMATS, SCALE_FORMATS, Format
from adderlab.nets.tensors import FLOAT_DTYPES, Dense, Packed, Scaled, Tensor
from adderlab.quantizing.scheme import Scheme

if TYPE_CHECKING:
    from jaxtyping import Float64

ZERO_DTYPES: Final = (np.int8, np.int16, np.int32, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The levels of one tensor, or of one tensor of each of many networks.

    Attributes:
        form: what q is stored in.
        scale: shaped to broadcast over the tensor.
        zero: the same; whole numbers, 0 where the scheme is symmetric.
    """

    form: Format
    scale: Float64[np.ndarray, "*broadcast"]
    zero: Float64[np.ndarray, "*broadcast"]

    def _position(self, values: Float64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
        return values / self.scale + self.zero

    def nearest(self, values: Float64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
        """Return the nearest q of each value, ties to even, those out of range at its end."""
        place = self._position(values)
        if self.form.kind == "float":
            return self.form.round(self._clipped(place))
        if self.form.name == "binary":
            return np.where(place >= 0, 1.0, -1.0)
        return self._clipped(np.rint(place))

    def around(
        self, values: Float64[np.ndarray, "*shape"]
    ) -> tuple[Float64[np.ndarray, "*shape"], Float64[np.ndarray, "*shape"]]:
        """Return the q just below and just above each value; the same twice where it is one."""
        place = self._position(values)
        if self.form.name == "binary":
            return np.full(values.shape, -1.0), np.full(values.shape, 1.0)
        if self.form.kind == "integer":
            return self._clipped(np.floor(place)), self._clipped(np.ceil(place))
        place = self._clipped(place)
        _, exponents = np.frexp(place)
        units = np.maximum(exponents - self.form.precision, self.form.smallest)
        steps = np.ldexp(place, -units)
        return np.ldexp(np.floor(steps), units), np.ldexp(np.ceil(steps), units)

    def values(self, q: Float64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
        """Return the value of each q; exact in double for scales of few bits."""
        return self.scale * (q - self.zero)

    def clipped(self, values: Float64[np.ndarray, "*shape"]) -> int:
        """Return how many values lie beyond the last level by more than half a step."""
        place = self._position(values)
        over = np.abs(place - self._clipped(place))
        return int((over > 0.5).sum()) if self.form.name != "binary" else 0

    def _clipped(self, place: Float64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
        return np.clip(place, float(self.form.least), float(self.form.largest))

    def store(self, q: Float64[np.ndarray, "*shape"]) -> Tensor:
        """Return one tensor as a file holds it, without a scale where all of them are 1."""
        if self.form.kind == "float":
            plain = Dense(q.astype(FLOAT_DTYPES[self.form.name]))
        else:
            plain = Packed(q.astype(np.int64), self.form.bits)
        if (self.scale == 1).all() and (self.zero == 0).all():
            return plain
        rows = self.scale.shape[0] if self.scale.ndim and self.scale.size > 1 else 0
        shape = (rows,) if rows else ()
        scale = Dense(self.scale.reshape(shape).astype(FLOAT_DTYPES[_scale_format(self.scale)]))
        if (self.zero == 0).all():
            return Scaled(plain, scale)
        zero = np.broadcast_to(self.zero, self.scale.shape).reshape(shape)
        for dtype in ZERO_DTYPES:
            if np.abs(zero).max() <= np.iinfo(dtype).max:
                return Scaled(plain, scale, Dense(zero.astype(dtype)))
        raise AssertionError("zero points are whole numbers of the format's range")


def _scale_format(scale: Float64[np.ndarray, "*broadcast"]) -> str:
    """Return the narrowest format that holds every scale."""
    values = [Fraction(float(value)) for value in scale.ravel()]
    return next(name for name in SCALE_FORMATS if all(map(FORMATS[name].holds, values)))


def grid_for(
    values: Float64[np.ndarray, "*shape"], form: Format, scheme: Scheme, *, axes: tuple[int, ...]
) -> Grid:
    """Return the levels for given values: the finest that leave none of them out of range.

    Args:
        values: one tensor, or many with leading axes.
        form: what q is stored in.
        scheme: which scales and zeros there may be.
        axes: the axes that share a scale; the others have one each.
    """
    if scheme.scale == "none":
        scale = np.ones((1,) * values.ndim)
        return Grid(form, scale, np.zeros_like(scale))
    largest = np.maximum(values.max(axis=axes, keepdims=True, initial=0.0), 0)
    least = np.minimum(values.min(axis=axes, keepdims=True, initial=0.0), 0)
    low, high = float(form.least), float(form.largest)
    if form.name == "binary":
        scale = np.abs(values).mean(axis=axes, keepdims=True)
    elif scheme.symmetric:
        scale = np.maximum(largest / high, least / low)
    else:
        scale = (largest - least) / (high - low)
    scale = _storable(np.where(scale > 0, scale, 1.0), form, scheme)
    if scheme.symmetric:
        return Grid(form, scale, np.zeros_like(scale))
    zero = np.clip(np.rint(low - least / scale), low, high)
    return Grid(form, scale, zero)


def _storable(
    scale: Float64[np.ndarray, "*broadcast"], form: Format, scheme: Scheme
) -> Float64[np.ndarray, "*broadcast"]:
    """Return scales as they will be stored: powers of two, or with two bits more than q has.

    With two bits more than q, the rounding of the scale moves the outermost level by less than
    half a step.
    """
    if scheme.scale == "power-of-two":
        mantissas, exponents = np.frexp(scale)
        powers = np.where(mantissas == 0.5, exponents - 1, exponents)
        return np.ldexp(1.0, np.clip(powers, -1000, 1000))
    bits = form.bits if form.kind == "integer" else form.precision
    stored = scale
    for name in ("fp32", "fp16"):
        wide = FORMATS[name]
        inside = (scale <= float(wide.largest)) & (
            scale >= 2.0 ** (wide.smallest + wide.precision - 1)
        )
        if wide.precision >= bits + 2:
            stored = np.where(inside, wide.round(scale), stored)
    return stored
