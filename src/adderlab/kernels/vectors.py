"""Vectors of 64 bytes for Numba: integers of 8 to 64 bits, and floats, side by side.

Rule: integer lanes wrap around, as two's complement has it: sums and products are those of the
integers modulo ``2**bits``, so a result that fits is exact, whatever became of the partial sums.
Numba itself would promote narrow integers to 64 bits. A machine without vectors of 64 bytes takes
two of 32. Nothing checks an index. Importing this file imports Numba.
"""

from __future__ import annotations

import operator
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import extending
from numba.core import cgutils, types
from numba.core.typing import templates
from numba.core.typing.templates import AbstractTemplate, signature

# what Numba declares of these is less than they do
intrinsic: Any = extending.intrinsic
lower_builtin: Any = extending.lower_builtin
models: Any = extending.models
infer: Any = templates.infer_global

VECTOR_BYTES: Final = 64

_ELEMENTS: Final[dict[Any, Any]] = {
    types.int8: ir.IntType(8),
    types.int16: ir.IntType(16),
    types.int32: ir.IntType(32),
    types.int64: ir.IntType(64),
    types.float32: ir.FloatType(),
    types.float64: ir.DoubleType(),
}


def lanes_of(dtype: Any) -> int:
    """Return how many numbers of a NumPy type a vector holds."""
    return VECTOR_BYTES // np.dtype(dtype).itemsize


class Vector(types.Type):
    """Numba's type of a vector of one kind of number."""

    def __init__(self, element: Any) -> None:
        self.element = element
        self.count = VECTOR_BYTES * 8 // element.bitwidth
        self.llvm = ir.VectorType(_ELEMENTS[element], self.count)
        self.is_float = element in (types.float32, types.float64)
        super().__init__(name=f"vector({element})")


class Mask(types.Type):
    """Numba's type of as many truth values as a vector has numbers."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.llvm = ir.VectorType(ir.IntType(1), count)
        super().__init__(name=f"mask({count})")


class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, numba_type: Any) -> None:
        super().__init__(manager, numba_type, numba_type.llvm)


for _kind in (Vector, Mask):
    _ = extending.register_model(_kind)(_Model)

VECTORS: Final = {element: Vector(element) for element in _ELEMENTS}
MASKS: Final = {count: Mask(count) for count in (8, 16, 32, 64)}


def _register(operation: Any, kind: Any, of_integers: str, of_floats: str = "") -> None:
    """Give two values of a kind an operator: LLVM's instruction of that name."""

    class _Typing(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            if len(args) == 2 and args[0] == args[1] and isinstance(args[0], kind):
                return signature(args[0], *args)
            return None

    _ = infer(operation)(_Typing)

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        is_float = getattr(sig.args[0], "is_float", False)
        return getattr(builder, of_floats if is_float else of_integers)(*args)

    _ = lower_builtin(operation, kind, kind)(lower)


_register(operator.add, Vector, "add", "fadd")
_register(operator.sub, Vector, "sub", "fsub")
_register(operator.mul, Vector, "mul", "fmul")
_register(operator.and_, Mask, "and_")
_register(operator.or_, Mask, "or_")
_register(operator.xor, Mask, "xor")


def _spread(builder: Any, kind: Any, value: Any) -> Any:
    """Return a vector with the value in every lane."""
    empty = ir.Constant(kind.llvm, ir.Undefined)
    first = builder.insert_element(empty, value, ir.Constant(ir.IntType(32), 0))
    places = ir.Constant(ir.VectorType(ir.IntType(32), kind.count), [0] * kind.count)
    return builder.shuffle_vector(first, empty, places)


def _place(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Return a pointer to ``array[index]``."""
    array = context.make_array(sig.args[0])(context, builder, args[0])
    index = context.cast(builder, args[1], sig.args[1], types.intp)
    return builder.gep(array.data, [index])


@intrinsic
def load(typing: Any, array: Any, index: Any) -> Any:
    """Return the vector that begins at a flat array's index."""
    kind = VECTORS[array.dtype]

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        place = builder.bitcast(_place(context, builder, sig, args), kind.llvm.as_pointer())
        loaded = builder.load(place)
        loaded.align = array.dtype.bitwidth // 8
        return loaded

    return kind(array, index), lower


@intrinsic
def store(typing: Any, array: Any, index: Any, values: Any) -> Any:
    """Write a vector into a flat array from an index on."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        place = builder.bitcast(_place(context, builder, sig, args), values.llvm.as_pointer())
        written = builder.store(args[2], place)
        written.align = array.dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.none(array, index, values), lower


@intrinsic
def spread_at(typing: Any, array: Any, index: Any) -> Any:
    """Return the number at a flat array's index, in every lane."""
    kind = VECTORS[array.dtype]

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _spread(builder, kind, builder.load(_place(context, builder, sig, args)))

    return kind(array, index), lower


@intrinsic
def fma(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a * b + c of floats, rounded once where the machine can, else twice."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = ir.FunctionType(a.llvm, [a.llvm] * 3)
        name = f"llvm.fmuladd.v{a.count}f{a.element.bitwidth}"
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)

    return a(a, b, c), lower


@intrinsic
def doubled(typing: Any, a: Any, times: Any) -> Any:
    """Return integers, doubled so many times."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        number = context.cast(builder, args[1], sig.args[1], a.element)
        return builder.shl(args[0], _spread(builder, a, number))

    return a(a, times), lower


def _is_above(builder: Any, kind: Any, a: Any, b: Any) -> Any:
    if kind.is_float:
        return builder.fcmp_ordered(">", a, b)
    return builder.icmp_signed(">", a, b)


@intrinsic
def above(typing: Any, a: Any, b: Any) -> Any:
    """Return where a > b."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _is_above(builder, a, *args)

    return MASKS[a.count](a, b), lower


@intrinsic
def equal(typing: Any, a: Any, b: Any) -> Any:
    """Return where a == b."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        compare = builder.fcmp_ordered if a.is_float else builder.icmp_signed
        return compare("==", *args)

    return MASKS[a.count](a, b), lower


@intrinsic
def largest(typing: Any, a: Any, b: Any) -> Any:
    """Return the larger of each two numbers."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.select(_is_above(builder, a, *args), *args)

    return a(a, b), lower


@intrinsic
def smallest(typing: Any, a: Any, b: Any) -> Any:
    """Return the smaller of each two numbers."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.select(_is_above(builder, a, *args), args[1], args[0])

    return a(a, b), lower


@intrinsic
def where(typing: Any, condition: Any, a: Any, b: Any) -> Any:
    """Return a where the condition holds, else b."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.select(*args)

    return a(condition, a, b), lower


@intrinsic
def has_bit(typing: Any, packed: Any, bit: Any) -> Any:
    """Return where a bit of integers is set."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        number = context.cast(builder, args[1], sig.args[1], packed.element)
        bits = builder.shl(ir.Constant(number.type, 1), number)
        both = builder.and_(args[0], _spread(builder, packed, bits))
        zero = ir.Constant(packed.llvm, [0] * packed.count)
        return builder.icmp_signed("!=", both, zero)

    return MASKS[packed.count](packed, bit), lower


@intrinsic
def invert(typing: Any, condition: Any) -> Any:
    """Return where the condition does not hold."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.not_(args[0])

    return condition(condition), lower


@intrinsic
def bits_of(typing: Any, condition: Any) -> Any:
    """Return a mask as a whole number, the first lane as its lowest bit."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        packed = builder.bitcast(args[0], ir.IntType(condition.count))
        if condition.count == 64:
            return packed
        return builder.zext(packed, ir.IntType(64))

    return types.uint64(condition), lower


@intrinsic
def ones_in(typing: Any, bits: Any) -> Any:
    """Return how many bits of an unsigned number are set."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.int64(types.uint64), lower


@intrinsic
def lowest_bit(typing: Any, bits: Any) -> Any:
    """Return the place of the lowest bit that is set in an unsigned number; 64 where none is."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), lower


@intrinsic
def total(typing: Any, a: Any) -> Any:
    """Return the sum of a vector's floats in every lane, added in pairs."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        sums, half = args[0], a.count // 2
        while half:
            places = [place ^ half for place in range(a.count)]
            turn = ir.Constant(ir.VectorType(ir.IntType(32), a.count), places)
            sums = builder.fadd(sums, builder.shuffle_vector(sums, sums, turn))
            half //= 2
        return sums

    return a(a), lower


@intrinsic
def smaller(typing: Any, a: Any, b: Any) -> Any:
    """Return the smaller of two whole numbers of 64 bits."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.select(builder.icmp_signed("<", *args), *args)

    return types.int64(types.int64, types.int64), lower
