"""A number in each of 16 lanes: a vector type for Numba.

Rule: no operation reads another lane, apart from :func:`any_of`; so what is computed in a lane
depends on that lane alone, bit for bit. Products are fused with sums where
:func:`fma` says so (and the machine can), and nowhere else.

LLVM receives the vectors as they are, ``<16 x float>``: nothing is left to its loop vectorizer,
a network's weights stay in registers, and a machine without 512-bit vectors takes two of 256.
Importing this file imports Numba.
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
register_model: Any = extending.register_model
infer: Any = templates.infer_global

LANES: Final = 16
"""Networks side by side. With 32 a step of the half adder spills registers and is slower."""

_FLOATS: Final = ir.VectorType(ir.FloatType(), LANES)
_INTEGERS: Final = ir.VectorType(ir.IntType(32), LANES)
_WORDS: Final = ir.VectorType(ir.IntType(64), LANES)
_BITS: Final = ir.VectorType(ir.IntType(1), LANES)
_ZERO: Final = ir.Constant(_FLOATS, [0.0] * LANES)


class Lanes(types.Type):
    """Numba's type of 16 numbers in fp32."""

    def __init__(self) -> None:
        super().__init__(name="lanes")


class Words(types.Type):
    """Numba's type of 16 unsigned numbers of 64 bits."""

    def __init__(self) -> None:
        super().__init__(name="words")


class Mask(types.Type):
    """Numba's type of 16 truth values."""

    def __init__(self) -> None:
        super().__init__(name="mask")


lanes: Final = Lanes()
words: Final = Words()
mask: Final = Mask()


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, numba_type: Any) -> None:
        super().__init__(manager, numba_type, _FLOATS)


@register_model(Words)
class _WordsModel(models.PrimitiveModel):
    def __init__(self, manager: Any, numba_type: Any) -> None:
        super().__init__(manager, numba_type, _WORDS)


@register_model(Mask)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager: Any, numba_type: Any) -> None:
        super().__init__(manager, numba_type, _BITS)


def _register(operation: Any, vector: Any, instruction: str, *numbers: Any) -> None:
    """Give vectors an operator: LLVM's instruction; plain ``numbers`` beside one are spread."""
    operands = (vector, *numbers)

    class _Typing(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            if not kws and vector in args and all(each in operands for each in args):
                return signature(vector, *args)
            return None

    _ = infer(operation)(_Typing)

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        both = [
            arg if kind == vector else _spread(builder, arg)
            for kind, arg in zip(sig.args, args, strict=True)
        ]
        return getattr(builder, instruction)(*both)

    for operand in operands:
        for other in operands:
            if vector in (operand, other):
                _ = lower_builtin(operation, operand, other)(lower)


def _spread(builder: Any, value: Any) -> Any:
    """Return a vector with the value in every lane."""
    empty = ir.Constant(ir.VectorType(value.type, LANES), ir.Undefined)
    first = builder.insert_element(empty, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, empty, ir.Constant(_INTEGERS, [0] * LANES))


for _operation, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _register(_operation, lanes, _instruction)
for _operation, _instruction in ((operator.and_, "and_"), (operator.or_, "or_")):
    _register(_operation, mask, _instruction)
for _operation, _instruction in (
    (operator.add, "add"),
    (operator.mul, "mul"),
    (operator.and_, "and_"),
    (operator.xor, "xor"),
    (operator.rshift, "lshr"),
):
    _register(_operation, words, _instruction, types.uint64)


def _place(context: Any, builder: Any, sig: Any, args: Any, pointed: Any) -> Any:
    """Return a pointer to the vector that begins at ``array[index]``."""
    array = context.make_array(sig.args[0])(context, builder, args[0])
    index = context.cast(builder, args[1], sig.args[1], types.intp)
    return builder.bitcast(builder.gep(array.data, [index]), pointed.as_pointer())


@intrinsic
def load(typing: Any, array: Any, index: Any) -> Any:
    """Return the 16 numbers of a flat fp32 array from ``index`` on; nothing is checked."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        loaded = builder.load(_place(context, builder, sig, args, _FLOATS))
        loaded.align = 4
        return loaded

    return lanes(array, index), lower


@intrinsic
def store(typing: Any, array: Any, index: Any, values: Any) -> Any:
    """Write 16 numbers into a flat fp32 array from ``index`` on; nothing is checked."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        written = builder.store(args[2], _place(context, builder, sig, args, _FLOATS))
        written.align = 4
        return context.get_dummy_value()

    return types.none(array, index, values), lower


@intrinsic
def bit_at(typing: Any, array: Any, index: Any, bit: Any) -> Any:
    """Return 1.0 where a bit is set in the 16 numbers of a flat int32 array, else 0.0."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        packed = builder.load(_place(context, builder, sig, args, _INTEGERS))
        packed.align = 4
        number = context.cast(builder, args[2], sig.args[2], types.int32)
        bit_mask = builder.shl(ir.Constant(ir.IntType(32), 1), number)
        is_set = builder.icmp_unsigned(
            "!=",
            builder.and_(packed, _spread(builder, bit_mask)),
            ir.Constant(_INTEGERS, [0] * LANES),
        )
        return builder.select(is_set, ir.Constant(_FLOATS, [1.0] * LANES), _ZERO)

    return lanes(array, index, bit), lower


@intrinsic
def numbers_at(typing: Any, array: Any, index: Any) -> Any:
    """Return 16 numbers of a flat int32 array from ``index`` on, as fp32; nothing is checked."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        loaded = builder.load(_place(context, builder, sig, args, _INTEGERS))
        loaded.align = 4
        return builder.sitofp(loaded, _FLOATS)

    return lanes(array, index), lower


@intrinsic
def words_from(typing: Any, array: Any, index: Any) -> Any:
    """Return 16 numbers of a flat uint64 array from ``index`` on; nothing is checked."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        loaded = builder.load(_place(context, builder, sig, args, _WORDS))
        loaded.align = 8
        return loaded

    return words(array, index), lower


@intrinsic
def counting_from(typing: Any, first: Any) -> Any:
    """Return ``first``, ``first`` + 1 and so on as words."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        number = context.cast(builder, args[0], sig.args[0], types.uint64)
        steps = ir.Constant(_WORDS, list(range(LANES)))
        return builder.add(_spread(builder, number), steps)

    return words(first), lower


@intrinsic
def spread(typing: Any, number: Any) -> Any:
    """Return a number in all 16 words."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _spread(builder, context.cast(builder, args[0], sig.args[0], types.uint64))

    return words(number), lower


@intrinsic
def keep(typing: Any, array: Any, index: Any, numbers: Any) -> Any:
    """Write 16 words into a flat int32 array from ``index`` on; nothing is checked."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        short = builder.trunc(args[2], _INTEGERS)
        written = builder.store(short, _place(context, builder, sig, args, _INTEGERS))
        written.align = 4
        return context.get_dummy_value()

    return types.none(array, index, numbers), lower


@intrinsic
def splat(typing: Any, value: Any) -> Any:
    """Return a number, rounded to fp32, in every lane."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _spread(builder, context.cast(builder, args[0], sig.args[0], types.float32))

    return lanes(value), lower


def _function(builder: Any, name: str, count: int) -> Any:
    kind = ir.FunctionType(_FLOATS, [_FLOATS] * count)
    full = f"llvm.{name}.v{LANES}f32"
    return cgutils.get_or_insert_function(builder.module, kind, full)


@intrinsic
def fma(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a * b + c, rounded once where the machine can, else twice."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.call(_function(builder, "fmuladd", 3), args)

    return lanes(a, b, c), lower


@intrinsic
def root(typing: Any, a: Any) -> Any:
    """Return the square root."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.call(_function(builder, "sqrt", 1), args)

    return lanes(a), lower


@intrinsic
def size(typing: Any, a: Any) -> Any:
    """Return the magnitude."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.call(_function(builder, "fabs", 1), args)

    return lanes(a), lower


@intrinsic
def above(typing: Any, a: Any, b: Any) -> Any:
    """Return where a > b; nothing is above, or below, what is not a number."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.fcmp_ordered(">", *args)

    return mask(a, b), lower


@intrinsic
def where(typing: Any, condition: Any, a: Any, b: Any) -> Any:
    """Return a where the condition holds, else b."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.select(*args)

    return lanes(condition, a, b), lower


@intrinsic
def invert(typing: Any, condition: Any) -> Any:
    """Return where the condition does not hold."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.not_(args[0])

    return mask(condition), lower


@intrinsic
def any_of(typing: Any, condition: Any) -> Any:
    """Return whether the condition holds in any lane."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        packed = builder.bitcast(args[0], ir.IntType(LANES))
        return builder.icmp_unsigned("!=", packed, ir.Constant(ir.IntType(LANES), 0))

    return types.boolean(condition), lower


@intrinsic
def power_of_2(typing: Any, exponent: Any) -> Any:
    """Return 2**exponent for whole exponents in -126..127."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        # added to 1.5 * 2**23, a whole number stands in the low bits; nothing is converted, so
        # that what is not a number stays harmless
        shift = ir.Constant(_FLOATS, [1.5 * 2**23] * LANES)
        whole = builder.bitcast(builder.fadd(args[0], shift), _INTEGERS)
        raised = builder.shl(whole, ir.Constant(_INTEGERS, [23] * LANES))
        bits = builder.add(raised, ir.Constant(_INTEGERS, [127 << 23] * LANES))
        return builder.bitcast(bits, _FLOATS)

    return lanes(exponent), lower


@intrinsic
def align_stack(typing: Any) -> Any:
    """Let the function that calls this begin its stack on a cache line.

    What does not fit into the registers is put there, and a vector of 64 bytes that crosses a
    line costs twice.
    """

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        # LLVM aligns a stack that holds a vector; assembly of no instructions keeps one there
        vector = cgutils.alloca_once(builder, _FLOATS)
        vector.align = 64
        kind = ir.FunctionType(ir.VoidType(), [vector.type])
        _ = builder.asm(kind, "", "r", [vector], side_effect=True)
        return context.get_dummy_value()

    return types.none(), lower


def aligned(count: int, dtype: Any = np.float32) -> Any:
    """Return an empty flat array that begins on a cache line, so that no vector crosses one."""
    itemsize = np.dtype(dtype).itemsize
    raw = np.empty(count * itemsize + 64, dtype=np.uint8)
    skip = -raw.ctypes.data % 64
    return raw[skip : skip + count * itemsize].view(dtype)
