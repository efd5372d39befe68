"""Stored tensors: dense, packed, wide, sparse and scaled, each with its exact values.

Rule: a tensor is what the file stores, never a decoded copy of it; its exact values are
computed from the stored numbers on demand, and arrays are read-only.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import ml_dtypes
import numpy as np

from adderlab import limits
from adderlab.blocks.numbers import counted
from adderlab.errors import NetworkError
from adderlab.formats import Format, format_named
from adderlab.nets import codebook, packing
from adderlab.nets.dyadic import Dyadic, from_floats, from_integers, to_fraction

if TYPE_CHECKING:
    from jaxtyping import Integer, Shaped

ENTRIES_AT_ONCE: Final = 1 << 20
"""Entries of a sparse matrix that are looked at between two looks at the limits."""

FLOAT_DTYPES: Final[Mapping[str, Any]] = {
    "fp64": np.dtype(np.float64),
    "fp32": np.dtype(np.float32),
    "fp16": np.dtype(np.float16),
    "bf16": np.dtype(ml_dtypes.bfloat16),
    "fp8-e4m3": np.dtype(ml_dtypes.float8_e4m3fn),
    "fp8-e5m2": np.dtype(ml_dtypes.float8_e5m2),
}


def frozen(array: Any) -> np.ndarray[Any, Any]:
    """Return the array, or a copy if others could write to it, set read-only."""
    own = np.array(array) if not isinstance(array, np.ndarray) or array.flags.writeable else array
    own.setflags(write=False)
    return own


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """Numbers as they are: an array of a float or whole-number type."""

    numbers: Shaped[np.ndarray, "*shape"]

    def __post_init__(self) -> None:
        object.__setattr__(self, "numbers", frozen(self.numbers))
        if self.numbers.dtype.kind in "iu":
            return
        limits.check(2 * self.numbers.size)
        with np.errstate(invalid="ignore"):  # ml_dtypes' isfinite warns of a signaling NaN
            is_finite = np.isfinite(self.numbers)
        if not is_finite.all():
            index = np.argwhere(~is_finite)[0].tolist()
            raise NetworkError(
                f"a value is {self.numbers[tuple(index)]} (at {index})",
                where="tensor",
                remedy="every parameter must be a finite number",
            )

    @property
    def shape(self) -> tuple[int, ...]:
        return self.numbers.shape

    @property
    def stored_bytes(self) -> int:
        return self.numbers.nbytes

    def exact(self) -> Dyadic:
        """Return the values, exactly."""
        if self.numbers.dtype.kind in "iu":
            return from_integers(self.numbers)
        return from_floats(self.numbers)


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """Whole numbers in 1 to 32 bits each; in one bit, -1 and 1."""

    numbers: Shaped[np.ndarray, "*shape"]
    bits: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "numbers", frozen(self.numbers))
        half = 1 << (self.bits - 1)
        held = (self.numbers >= -half) & (self.numbers <= max(half - 1, 1))
        if not (held & (self.numbers != 0) if self.bits == 1 else held).all():
            raise NetworkError(
                f"a value is not representable in {counted(self.bits, 'bit')}",
                where="tensor",
                remedy="take more bits",
            )

    @property
    def shape(self) -> tuple[int, ...]:
        return self.numbers.shape

    @property
    def stored_bytes(self) -> int:
        return packing.packed_size(self.numbers.size, self.bits)

    def exact(self) -> Dyadic:
        """Return the values, exactly."""
        return from_integers(self.numbers)


@dataclass(frozen=True, slots=True, eq=False)
class Wide:
    """Whole numbers of any width, as codes of the different values that occur.

    Attributes:
        codebook: the values, ascending, each used.
        codes: of each number, the place of its value.
    """

    codebook: Shaped[np.ndarray, " values"]
    codes: Integer[np.ndarray, "*shape"]

    def __post_init__(self) -> None:
        object.__setattr__(self, "codebook", frozen(self.codebook))
        object.__setattr__(self, "codes", frozen(self.codes))

    @classmethod
    def of(cls, numbers: Any) -> Wide:
        """Return the tensor of an array, or nested lists, of whole numbers."""
        array = np.asarray(numbers, dtype=object)
        kept = codebook.coded(map(int, array.ravel()), array.size)
        return cls(kept.codebook, kept.codes.reshape(array.shape))

    @property
    def numbers(self) -> Shaped[np.ndarray, "*shape"]:
        """The numbers themselves."""
        return self.codebook[self.codes] if self.codes.shape else self.exact().integers

    @property
    def shape(self) -> tuple[int, ...]:
        return self.codes.shape

    @property
    def stored_bytes(self) -> int:
        sizes, data = codebook.to_bytes(self.codebook)
        return self.codes.nbytes + sizes.nbytes + data.nbytes

    def exact(self) -> Dyadic:
        """Return the values, exactly."""
        limits.check(8 * self.codes.size)
        return from_integers(self.codebook).take(self.codes)


Numbers: TypeAlias = Dense | Packed | Wide


@dataclass(frozen=True, slots=True, eq=False)
class Sparse:
    """A matrix by its nonzero entries, row by row (CSR)."""

    shape: tuple[int, int]
    indptr: Shaped[np.ndarray, " rows_and_one"]
    indices: Shaped[np.ndarray, " entries"]
    values: Numbers

    def __post_init__(self) -> None:
        object.__setattr__(self, "indptr", frozen(self.indptr))
        object.__setattr__(self, "indices", frozen(self.indices))
        rows, columns = self.shape
        limits.check(8 * (rows + 1))
        pointers = self.indptr.astype(np.int64)
        entries = self.indices.size
        if (
            self.indptr.shape != (rows + 1,)
            or self.indices.ndim != 1
            or self.values.shape != (entries,)
            or pointers[0] != 0
            or pointers[-1] != entries
            or (np.diff(pointers) < 0).any()
            or (entries and int(self.indices.max()) >= columns)
        ):
            raise NetworkError(
                f"the sparse structure does not describe a {rows} x {columns} matrix",
                where="tensor",
                remedy="indptr has rows + 1 ascending entries, indices name columns",
            )
        if not self._ascends(pointers):
            raise NetworkError(
                "the columns of a sparse row are not in ascending order",
                where="tensor",
                remedy="sort each row's columns and name none twice",
            )

    @property
    def stored_bytes(self) -> int:
        return self.indptr.nbytes + self.indices.nbytes + self.values.stored_bytes

    def _ascends(self, pointers: Integer[np.ndarray, " rows_and_one"]) -> bool:
        """Return whether the columns of each row ascend."""
        entries = self.indices.size
        limits.check(entries)
        begins_row = np.zeros(entries + 1, dtype=bool)
        begins_row[pointers] = True
        for start in range(1, entries, ENTRIES_AT_ONCE):
            limits.check()
            part = self.indices[start - 1 : start + ENTRIES_AT_ONCE]
            rises = part[1:] > part[:-1]
            if not (rises | begins_row[start : start + len(rises)]).all():
                return False
        return True

    def row_of_entry(self) -> Shaped[np.ndarray, " entries"]:
        """Return the row that each entry stands in."""
        return np.repeat(np.arange(self.shape[0]), np.diff(self.indptr.astype(np.int64)))

    def exact(self) -> Dyadic:
        """Return the whole matrix, zeros included, exactly."""
        entries = self.values.exact()
        limits.check(8 * (self.shape[0] * self.shape[1] + 2 * self.indices.size))
        full = np.zeros(self.shape, dtype=entries.integers.dtype)
        full[self.row_of_entry(), self.indices.astype(np.int64)] = entries.integers
        return Dyadic(full, entries.exponent)


@dataclass(frozen=True, slots=True, eq=False)
class Scaled:
    """Values ``scale * (q - zero)``: quantized numbers with a scale for all or for each row."""

    q: Numbers | Sparse
    scale: Dense
    zero: Dense | None = None

    def __post_init__(self) -> None:
        for name, part in (("scale", self.scale), ("zero", self.zero)):
            if part is not None and part.shape not in ((), self.q.shape[:1]):
                raise NetworkError(
                    f"{name} has shape {list(part.shape)}, the tensor {list(self.q.shape)}",
                    where="tensor",
                    remedy=f"{name} has shape [] or one entry for each row",
                )
        if self.zero is not None and isinstance(self.q, Sparse):
            raise NetworkError(
                "a sparse tensor has a zero point", where="tensor", remedy="store it dense"
            )

    @property
    def shape(self) -> tuple[int, ...]:
        return self.q.shape

    @property
    def stored_bytes(self) -> int:
        zero = self.zero.stored_bytes if self.zero is not None else 0
        return self.q.stored_bytes + self.scale.stored_bytes + zero

    def exact(self) -> Dyadic:
        """Return the values, exactly."""
        numbers = self.q.exact()
        if self.zero is not None:
            zero = self._by_row(self.zero.exact())
            numbers = numbers.plus(Dyadic(-zero.integers, zero.exponent))
        return numbers.times(self._by_row(self.scale.exact()))

    def _by_row(self, part: Dyadic) -> Dyadic:
        """Return a per-row part shaped so that it broadcasts over the columns."""
        if not part.shape:
            return part
        return part.take((slice(None),) + (None,) * (len(self.shape) - 1))


Tensor: TypeAlias = Dense | Packed | Wide | Sparse | Scaled


def structure_of(tensor: Tensor) -> Sparse | None:
    """Return the places of a sparse tensor's entries, scaled or not; ``None`` for a dense one."""
    inner = tensor.q if isinstance(tensor, Scaled) else tensor
    return inner if isinstance(inner, Sparse) else None


def entries_of(tensor: Tensor) -> Dyadic:
    """Return the exact values that are stored: of a sparse tensor, its entries alone."""
    structure = structure_of(tensor)
    if structure is None:
        return tensor.exact()
    values = structure.values.exact()
    if not isinstance(tensor, Scaled):
        return values
    scale = tensor.scale.exact()
    return values.times(scale.take(structure.row_of_entry()) if scale.shape else scale)


def distinct(tensor: Tensor) -> Dyadic:
    """Return the different values of a tensor, ascending; of a sparse one, of its entries."""
    numbers = tensor.values if isinstance(tensor, Sparse) else tensor
    if isinstance(numbers, Wide):
        return from_integers(numbers.codebook)
    exact = entries_of(numbers)
    return Dyadic(np.unique(exact.integers), exact.exponent)


def values_in(tensor: Tensor) -> Iterator[Fraction]:
    """Yield the different values of a tensor's entries; of a large one, some more than once."""
    if isinstance(tensor, Wide) or (isinstance(tensor, Sparse) and isinstance(tensor.values, Wide)):
        parts = [distinct(tensor)]
    else:
        exact = entries_of(tensor)
        flat = Dyadic(exact.integers.ravel(), exact.exponent)
        starts = range(0, flat.integers.size, ENTRIES_AT_ONCE)
        parts = (flat.take(slice(start, start + ENTRIES_AT_ONCE)) for start in starts)
    for part in parts:
        limits.check()
        for number in np.unique(part.integers).tolist():
            limits.check()
            yield to_fraction(int(number), part.exponent)


def stored_in(values: Any, format_name: str) -> Dense | Packed | Wide:
    """Return numbers stored in a format, each of which must be representable in it.

    Args:
        values: nested lists or an array of whole numbers, floats or fractions.
        format_name: a name of :data:`adderlab.formats.FORMATS`.

    Raises:
        FormatError: there is no such format.
        NetworkError: a value is no number, or not representable in the format; the first is
            named.
    """
    form = format_named(format_name)
    own = FLOAT_DTYPES.get(form.name)  # a dtype compared with None is compared with float64
    if isinstance(values, np.ndarray) and own is not None and values.dtype == own:
        return Dense(values)
    array = np.asarray(values, dtype=object)
    for index, value in limits.each(np.ndenumerate(array)):
        fraction = _fraction(value)
        if fraction is None or not form.holds(fraction):
            raise NetworkError(
                f"{_shown(value)} (at {list(index)}) is not representable in {form.name}",
                where="tensor",
                remedy="take a wider format" if fraction is not None else "give a finite number",
            )
    return as_stored(array, form)


def as_stored(values: Any, form: Format) -> Dense | Packed | Wide:
    """Return numbers stored in a format, floats rounded to nearest where they must be."""
    array = np.asarray(values, dtype=object)
    if form.kind == "float":
        doubles = np.array([float(v) for v in limits.each(array.flat)]).reshape(array.shape)
        return Dense(form.round(doubles).astype(FLOAT_DTYPES[form.name]))
    if form.kind == "wide":
        return Wide.of(array)
    whole = np.empty(array.shape, dtype=object)
    for index, value in limits.each(np.ndenumerate(array)):
        whole[index] = int(value)
    return Packed(whole.astype(np.int64), form.bits)


def _fraction(value: Any) -> Fraction | None:
    """Return a number, Python's or NumPy's, as a fraction; ``None`` where it is none."""
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float) and not math.isfinite(plain):
        return None
    return Fraction(plain) if isinstance(plain, int | float | Fraction) else None


def _shown(value: Any) -> str:
    """Return a value as text; Python prints whole numbers of up to 4,300 digits alone."""
    if isinstance(value, int) and value.bit_length() > 256:
        return f"a number of {value.bit_length()} bits"
    return str(value)[:80]
