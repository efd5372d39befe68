"""Stored tensors as ONNX has them, and back.

Rule: what is stored stays as it is: whole numbers in the narrowest type of ONNX that has their
bits, with scales and zeros beside them, sparse matrices as their entries. Where
``scale * (q - zero)`` is no number of the graph's type, the whole numbers are summed and the scale
multiplies the sum, so that no weight is rounded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import ml_dtypes
import numpy as np

from adderlab import limits
from adderlab.errors import NetworkFileError
from adderlab.nets import codebook, packing
from adderlab.nets.files import DTYPES
from adderlab.nets.tensors import Dense, Numbers, Packed, Scaled, Sparse, Tensor, Wide
from adderlab.nets.written_onnx.arithmetic import is_held
from adderlab.nets.written_onnx.build import DEQUANTIZED, Build

_NAMES: Final = {dtype: name for name, dtype in DTYPES.items()}
_INTEGERS: Final = (np.int8, np.int16, np.int32, np.int64)


def put_weight(build: Build, name: str, tensor: Tensor) -> tuple[str, str]:
    """Store a matrix; return the names of its values, and of the scale that multiplies its sums.

    The second is empty where no scale does.
    """
    if isinstance(tensor, Scaled):
        is_exact = not isinstance(tensor.q, Sparse) and is_held(tensor.exact(), build.form)
        if is_exact and _is_dequantized(build, tensor):
            return _dequantized(build, name, tensor), ""
        scale = build.store(f"{name}.scale", _in_type(build, f"{name}.scale", tensor.scale.numbers))
        if isinstance(tensor.q, Sparse):
            return _scattered(build, name, tensor.q), scale
        return _difference(build, name, tensor), scale
    if isinstance(tensor, Sparse):
        return _scattered(build, name, tensor), ""
    return _values(build, name, tensor), ""


def put_bias(build: Build, name: str, tensor: Tensor) -> str:
    """Store a bias; return the name of its values, of scaled ones rounded once."""
    if not isinstance(tensor, Scaled):
        assert not isinstance(tensor, Sparse)
        return _values(build, name, tensor)
    if _is_dequantized(build, tensor):
        return _dequantized(build, name, tensor)
    scale = build.store(f"{name}.scale", _in_type(build, f"{name}.scale", tensor.scale.numbers))
    whole = _difference(build, name, tensor)
    return build.op("Mul", whole, scale, out=f"{name}.product", is_ready=True)


def _as_array(build: Build, numbers: Numbers) -> Any:
    """Return numbers in a type of ONNX that has them."""
    match numbers:
        case Dense():
            return numbers.numbers
        case Packed():
            kinds = ((2, ml_dtypes.int2), (4, ml_dtypes.int4), (8, np.int8), (16, np.int16))
            dtype = next((dtype for bits, dtype in kinds if numbers.bits <= bits), np.int32)
            return numbers.numbers.astype(dtype)
        case Wide():
            exact = numbers.exact().integers
            largest = max((abs(int(value)) for value in numbers.codebook), default=0)
            bits = largest.bit_length() + 1
            kinds = (dtype for dtype in _INTEGERS if bits <= np.dtype(dtype).itemsize * 8)
            return exact.astype(next(kinds, build.dtype))


def _values(build: Build, name: str, numbers: Numbers) -> str:
    """Store numbers, and return the name of them in the type that is computed in."""
    array = _as_array(build, numbers)
    stored = build.store(name, array)
    if array.dtype == build.dtype:
        return stored
    if isinstance(numbers, Packed) and build.is_single:
        build.opset = max(build.opset, DEQUANTIZED[array.dtype])
        unit = build.number(f"{name}.one", 1.0)
        return build.op("DequantizeLinear", stored, unit, out=f"{name}.dequantized", is_ready=True)
    return build.op("Cast", stored, out=f"{name}.cast", is_ready=True, to=build.type)


def _is_dequantized(build: Build, tensor: Scaled) -> bool:
    """Return whether DequantizeLinear takes the tensor's numbers."""
    if not build.is_single or isinstance(tensor.q, Sparse):
        return False
    dtype = _as_array(build, tensor.q).dtype
    if dtype not in DEQUANTIZED:
        return False
    if tensor.zero is None:
        return True
    own = tensor.zero.numbers.astype(np.float64)
    ends = ml_dtypes.iinfo(dtype)
    is_whole = (own == np.rint(own)) & (own >= ends.min) & (own <= ends.max)
    return dtype != np.int32 and bool(is_whole.all())


def _dequantized(build: Build, name: str, tensor: Scaled) -> str:
    """Store numbers with their scales and zeros, and return what DequantizeLinear gives."""
    assert not isinstance(tensor.q, Sparse)
    array = _as_array(build, tensor.q)
    build.opset = max(build.opset, DEQUANTIZED[array.dtype])
    shape = tensor.scale.shape
    if tensor.zero is not None:
        shape = np.broadcast_shapes(shape, tensor.zero.shape)
    scale = _in_type(build, f"{name}.scale", tensor.scale.numbers, shape=shape)
    names = [build.store(name, array), build.store(f"{name}.scale", scale)]
    if tensor.zero is not None:
        zero = f"{name}.zero"
        own = _in_type(build, zero, tensor.zero.numbers, array.dtype, shape)
        names.append(build.store(zero, own))
    options = {"axis": 0} if shape else {}
    out = f"{name}.dequantized"
    return build.op("DequantizeLinear", *names, out=out, is_ready=True, **options)


def _difference(build: Build, name: str, tensor: Scaled) -> str:
    """Store numbers and zeros, and return the name of their difference."""
    assert not isinstance(tensor.q, Sparse)
    values = _values(build, name, tensor.q)
    if tensor.zero is None:
        return values
    zero, shape = f"{name}.zero", tensor.zero.shape
    spread = (*shape, *(1,) * (len(tensor.shape) - 1)) if shape else shape
    stored = build.store(zero, _in_type(build, zero, tensor.zero.numbers, shape=spread))
    return build.op("Sub", values, stored, out=f"{name}.difference", is_ready=True)


def _scattered(build: Build, name: str, tensor: Sparse) -> str:
    """Store the entries of a matrix, and return the name of the whole."""
    from onnx import helper

    rows = tensor.row_of_entry()
    places = np.stack([rows, tensor.indices.astype(np.int64)], axis=1).astype(np.int64)
    for part, array in (("indptr", tensor.indptr), ("indices", tensor.indices)):
        build.kept[f"{name}.{part}"] = _kept(array)
    zero = helper.make_tensor(f"{name}.nothing", build.type, [1], [0.0])
    empty = build.op(
        "ConstantOfShape",
        build.store(f"{name}.shape", np.array(tensor.shape, dtype=np.int64)),
        out=f"{name}.zeros",
        is_ready=True,
        value=zero,
    )
    at = build.store(f"{name}.places", places)
    values = _values(build, f"{name}.values", tensor.values)
    return build.op("ScatterND", empty, at, values, out=f"{name}.dense", is_ready=True)


def _in_type(
    build: Build, name: str, array: Any, dtype: Any = None, shape: tuple[int, ...] | None = None
) -> Any:
    """Return a scale or a zero in the type and shape that a node takes; note how it was stored."""
    dtype = build.dtype if dtype is None else dtype
    shape = tuple(array.shape) if shape is None else shape
    if (array.dtype, array.shape) == (dtype, shape):
        return array
    build.kept[name] = _kept(array)
    whole = (
        array.reshape(shape) if array.size == math.prod(shape) else np.broadcast_to(array, shape)
    )
    return whole.astype(dtype)


def _kept(array: Any) -> dict[str, Any]:
    dtype = _NAMES[array.dtype.newbyteorder("<")]
    return {"dtype": dtype, "shape": list(array.shape)}


def arrays_of(
    record: Any, kept: Mapping[str, Any], stored: Mapping[str, Any], where: str
) -> dict[str, Any]:
    """Return the arrays of a network file whose numbers a graph stores.

    Args:
        record: of the file.
        kept: how arrays are stored in the file, where they are stored otherwise in the graph.
        stored: the graph's numbers by name.
        where: the graph's file.

    Raises:
        NetworkFileError: they are not what the record says.
    """
    parts = _Parts(kept, stored, where)
    layers = record.get("layers") if isinstance(record, dict) else None
    for layer in layers if isinstance(layers, list) else ():
        for name in ("weight", "bias"):
            if isinstance(layer, dict) and name in layer:
                parts.add(layer[name])
    return parts.arrays


class _Parts:
    """The arrays of a file, made of what a graph stores."""

    def __init__(self, kept: Mapping[str, Any], stored: Mapping[str, Any], where: str) -> None:
        self._kept, self._stored, self._where = kept, stored, where
        self.arrays: dict[str, Any] = {}

    def add(self, spec: Any) -> None:
        """Add the arrays of a tensor, by how the record says that it is stored."""
        limits.check()
        match spec:
            case str():
                self.arrays[spec] = self._array(spec)
            case {"packed": int(bits), "data": str(name)}:
                if not 1 <= bits <= 32:
                    raise self._fault(f"{name!r} has numbers of {str(bits)[:40]} bits")
                packed = Packed(self._whole(name).astype(np.int64), bits)
                self.arrays[name] = packing.pack(packed.numbers.ravel(), bits)
            case {"codes": str(name), "sizes": str(sizes), "codebook": str(data)}:
                own = Wide.of(self._whole(name))
                self.arrays[name] = own.codes
                self.arrays[sizes], self.arrays[data] = codebook.to_bytes(own.codebook)
            case {"indptr": str(ends), "indices": str(columns), "values": values}:
                self._add_places(ends, columns, spec.get("shape"))
                self.add(values)
            case {"scale": str(scale), "q": q}:
                for name in (scale, *([spec["zero"]] if "zero" in spec else [])):
                    self.arrays[name] = self._in_file(name, self._array(name))
                self.add(q)
            case _:
                raise self._fault(f"the record says {str(spec)[:60]!r} of a tensor")

    def _add_places(self, ends: str, columns: str, shape: Any) -> None:
        places = self._array(f"{columns.removesuffix('.indices')}.places")
        if places.ndim != 2 or places.shape[1] != 2 or not isinstance(shape, list) or not shape:
            raise self._fault("the places of a sparse matrix are no pairs of numbers")
        rows = places[:, 0]
        if not isinstance(shape[0], int) or shape[0] > 1 << 24 or (np.diff(rows) < 0).any():
            raise self._fault("the places of a sparse matrix are in no order")
        limits.check(32 * shape[0])
        counts = np.searchsorted(rows, np.arange(shape[0] + 1))
        self.arrays[ends] = self._in_file(ends, counts)
        self.arrays[columns] = self._in_file(columns, places[:, 1])

    def _array(self, name: Any) -> Any:
        if not isinstance(name, str) or name not in self._stored:
            raise self._fault(
                f"the record names {str(name)[:60]!r}, which the graph does not store"
            )
        return self._stored[name]

    def _whole(self, name: str) -> Any:
        array = self._array(name)
        floats = array.astype(np.float64)
        if not (np.isfinite(floats) & (floats == np.rint(floats))).all():
            raise self._fault(f"a number of {name!r} is no whole one")
        result = np.empty(array.shape, dtype=object)
        for index, value in limits.each(np.ndenumerate(array)):
            result[index] = int(value)
        return result

    def _in_file(self, name: str, array: Any) -> Any:
        """Return an array as the network's file has it."""
        kept = self._kept.get(name)
        if kept is None:
            return array
        about: dict[str, Any] = kept if isinstance(kept, dict) else {}
        dtype, shape = DTYPES.get(str(about.get("dtype"))), about.get("shape")
        sizes = [size for size in shape if type(size) is int] if isinstance(shape, list) else None
        is_other = sizes != shape or (sizes and math.prod(sizes) != array.size)
        if dtype is None or not isinstance(shape, list) or is_other:
            raise self._fault(f"the record does not say how {name!r} is stored")
        one_for_all = not shape and array.size
        if one_for_all and (array != array.ravel()[0]).any():
            raise self._fault(f"{name!r} is one number, and the graph has several")
        own = array.ravel()[0] if one_for_all else array
        with np.errstate(all="ignore"):
            result = np.asarray(own).astype(dtype).reshape(tuple(shape))
            if (result.astype(np.float64).ravel() != np.asarray(own, np.float64).ravel()).any():
                raise self._fault(f"a number of {name!r} is none of {kept['dtype']}")
        return result

    def _fault(self, what: str) -> NetworkFileError:
        return NetworkFileError(what, where=self._where, remedy="export the network again")
