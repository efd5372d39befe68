"""Tensors in JSON files of layers: lists of numbers, or objects that say how they are stored.

Rule: a tensor has the numbers that stand in the text, in the type that it would be stored in by
itself unless a ``type`` says otherwise: numbers in the file's format, a scale in the narrowest
format that holds it, indices in the narrowest unsigned type.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab import limits
from adderlab.errors import NetworkError
from adderlab.formats import FORMATS, SCALE_FORMATS
from adderlab.nets.codebook import narrowest
from adderlab.nets.files import DTYPES
from adderlab.nets.record import Reader
from adderlab.nets.state_dict import FORMAT_OF, array_from, stored_array
from adderlab.nets.tensors import (
    FLOAT_DTYPES,
    Dense,
    Numbers,
    Packed,
    Scaled,
    Sparse,
    Tensor,
    Wide,
)

if TYPE_CHECKING:
    from jaxtyping import Shaped

WIDE: Final = "wide"
ZERO_TYPES: Final = ("I8", "I16", "I32", "I64")
"""What a zero point may be stored in; the first that holds it is taken."""

TYPE_NAMES: Final = {dtype: name for name, dtype in DTYPES.items()}
_PACKED: Final = re.compile(r"packed ([1-9]|[12][0-9]|3[0-2])\Z")
_SPARSE_KEYS: Final = ("shape", "indptr", "indices", "values")


def type_of(format_name: str) -> str:
    """Return the type that numbers of a format are stored in.

    Examples:
        >>> type_of("fp16"), type_of("int4"), type_of("ternary"), type_of("wide")
        ('F16', 'packed 4', 'packed 2', 'wide')
    """
    form = FORMATS[format_name]
    if form.kind == "float":
        return TYPE_NAMES[FLOAT_DTYPES[form.name]]
    return WIDE if form.kind == "wide" else f"packed {form.bits}"


def scale_type(scale: Dense) -> str:
    """Return the type that a scale is stored in by itself."""
    values = scale.exact()
    held = [values.at(*index) for index in np.ndindex(values.shape)]
    names = (name for name in SCALE_FORMATS if all(map(FORMATS[name].holds, held)))
    return type_of(next(names, "fp64"))


def zero_type(zero: Dense) -> str:
    """Return the type that a zero point is stored in by itself."""
    values = zero.exact()
    held = [values.at(*index) for index in np.ndindex(values.shape)]
    ends = {name: np.iinfo(DTYPES[name]) for name in ZERO_TYPES}
    return next(
        (
            name
            for name, end in ends.items()
            if all(v.denominator == 1 and end.min <= v <= end.max for v in held)
        ),
        "F64",
    )


def index_types(columns: int, entries: int) -> tuple[str, str]:
    """Return the types of ``indptr`` and ``indices`` of a sparse matrix by themselves."""
    kinds = narrowest(entries), narrowest(max(columns - 1, 0))
    return TYPE_NAMES[np.dtype(kinds[0])], TYPE_NAMES[np.dtype(kinds[1])]


def is_listed(value: Any) -> bool:
    """Return whether a tensor is a list of numbers, with no word of how it is stored."""
    return not isinstance(value, dict)


def tensor_from_json(value: Any, format_name: str, what: str, reader: Reader) -> Tensor:
    """Return a tensor.

    Args:
        value: of a layer's ``weight`` or ``bias``.
        format_name: the file's.
        what: the tensor's name, ``fc1.weight``.
        reader: for faults.

    Raises:
        NetworkError: it is no tensor, or a number is not representable in its type.
    """
    if is_listed(value):
        return stored_array(array_from(value, what), format_name, what)
    try:
        return _tensor(value, format_name, what, reader)
    except NetworkError as error:
        if error.where != "tensor":
            raise
        raise NetworkError(error.what, where=what, remedy=error.remedy) from None


def _tensor(value: Any, format_name: str, what: str, reader: Reader) -> Tensor:
    if "codes" not in value:
        return _unscaled(value, format_name, what, reader)
    optional = ("zero", "scale_type", "zero_type")
    keys = reader.keys(value, what, ("codes", "scale"), optional)
    if "zero_type" in keys and keys.get("zero") is None:
        raise reader.fault(f"{what} has a zero_type and no zero", 'leave "zero_type" out')
    codes = _unscaled(keys["codes"], format_name, what, reader)
    scale = _per_row(keys["scale"], keys.get("scale_type"), scale_type, f"{what}.scale", reader)
    zero = keys.get("zero")
    if zero is not None:
        zero = _per_row(zero, keys.get("zero_type"), zero_type, f"{what}.zero", reader)
    return Scaled(codes, scale, zero)


def _unscaled(value: Any, format_name: str, what: str, reader: Reader) -> Numbers | Sparse:
    if is_listed(value) or "indptr" not in value:
        return _numbers(value, format_name, what, reader)
    keys = reader.keys(value, what, _SPARSE_KEYS, ("indptr_type", "indices_type"))
    shape = reader.shape(keys["shape"], what)
    if len(shape) != 2:
        raise reader.fault(f"{what} is sparse but no matrix", "give its two sizes as the shape")
    values = _numbers(keys["values"], format_name, f"{what}.values", reader)
    usual = index_types(shape[1], len(keys["indices"]) if isinstance(keys["indices"], list) else 0)
    indptr, indices = (
        _whole(keys[key], keys.get(f"{key}_type", own), f"{what}.{key}", reader, "u")
        for key, own in zip(("indptr", "indices"), usual, strict=True)
    )
    return Sparse((shape[0], shape[1]), indptr, indices, values)


def _numbers(value: Any, format_name: str, what: str, reader: Reader) -> Numbers:
    """Return numbers that stand one by one, in the file's format or the type that they name."""
    if is_listed(value):
        return stored_array(array_from(value, what), format_name, what)
    keys = reader.keys(value, what, ("numbers", "type"))
    kind, listed = keys["type"], keys["numbers"]
    packed = _PACKED.match(kind) if isinstance(kind, str) else None
    if kind == WIDE:
        return Wide.of(_integers(listed, what, reader))
    if packed is not None:
        numbers = _integers(listed, what, reader)
        _check_range(numbers, -(1 << 31), (1 << 31) - 1, what, reader)
        return Packed(numbers.astype(np.int64), int(packed[1]))
    return _typed(listed, kind, what, reader)


def _typed(value: Any, kind: Any, what: str, reader: Reader) -> Dense:
    """Return an array of a type that is named as in safetensors files."""
    dtype = DTYPES.get(kind) if isinstance(kind, str) else None
    if dtype is None:
        remedy = f"one of {', '.join(DTYPES)}, wide, or packed 4 and its like"
        raise reader.fault(f"{what} has the type {str(kind)[:40]!r}", remedy)
    if dtype.kind in "iu":
        return Dense(_whole(value, kind, what, reader, "iu"))
    stored = stored_array(array_from(value, what), FORMAT_OF[dtype], what)
    assert isinstance(stored, Dense)
    return stored


def _per_row(value: Any, kind: Any, usual: Any, what: str, reader: Reader) -> Dense:
    """Return a scale or a zero point: a number for all rows, or one for each."""
    listed = [value] if isinstance(value, int | float) else value
    if kind is None:
        array = array_from(listed, what)
        is_whole = all(isinstance(number, int) for number in limits.each(array.flat))
        beyond = is_whole and any(abs(number) >= 1 << 63 for number in limits.each(array.flat))
        if beyond:
            raise reader.fault(f"{what} is beyond 64 bits", "give a smaller one")
        kind = usual(Dense(array.astype(np.int64 if is_whole else np.float64)))
    stored = _typed(listed, kind, what, reader)
    return Dense(stored.numbers.reshape(())) if listed is not value else stored


def _whole(
    value: Any, kind: Any, what: str, reader: Reader, kinds: str
) -> Shaped[np.ndarray, "*shape"]:
    dtype = DTYPES.get(kind) if isinstance(kind, str) else None
    if dtype is None or dtype.kind not in kinds:
        names = ", ".join(name for name, own in DTYPES.items() if own.kind in kinds)
        raise reader.fault(f"{what} has the type {str(kind)[:40]!r}", f"one of {names}")
    numbers = _integers(value, what, reader)
    ends = np.iinfo(dtype)
    _check_range(numbers, int(ends.min), int(ends.max), what, reader)
    return numbers.astype(dtype)


def _check_range(
    numbers: Shaped[np.ndarray, "*shape"], least: int, most: int, what: str, reader: Reader
) -> None:
    if not all(least <= number <= most for number in limits.each(numbers.flat)):
        raise reader.fault(f"{what} has a number beyond {least}..{most}", "name a wider type")


def _integers(value: Any, what: str, reader: Reader) -> Shaped[np.ndarray, "*shape"]:
    """Return whole numbers as Python's own."""
    array = array_from(value, what)
    if not all(isinstance(number, int) for number in limits.each(array.flat)):
        raise reader.fault(f"{what} holds a number that is not whole", "write 1, not 1.0")
    return array
