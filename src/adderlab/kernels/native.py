"""Compiled code as a function: compiled by Numba, kept as machine code, called through ctypes.

A kernel takes whole numbers and arrays and returns nothing. Numba's native functions take an
array as nine or more plain arguments, so machine code and a signature are all that a later process
needs: no Python object is stored with it.

References:
    Numba's developer manual, "Notes on the calling convention" and "The array data model".
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

import numba
import numpy as np
from llvmlite import binding
from numba.core import sigutils, types
from numba.core.registry import cpu_target
from numba.core.runtime.nrt import rtsys
from numba.np import numpy_support

_WHOLE: Final = {types.int64: ctypes.c_int64, types.uint64: ctypes.c_uint64}


def machine_code(function: Any, signature: str) -> tuple[str, bytes]:
    """Return the name and the object file of a Python function, compiled."""
    dispatcher: Any = numba.njit(signature, nogil=True, error_model="numpy")(function)
    (result,) = dispatcher.overloads.values()
    _, _, (code, _) = result.library.serialize_using_object_code()
    return result.fndesc.llvm_func_name, code


class Native:
    """A function of an object file that :func:`machine_code` returned."""

    def __init__(self, symbol: str, code: bytes, signature: str) -> None:
        rtsys.initialize(cpu_target.target_context)  # defines what code calls of Numba's
        kinds, _ = sigutils.normalize_signature(signature)
        self._arrays = [_array_type(kind) for kind in kinds]
        machine = binding.Target.from_triple(binding.get_process_triple()).create_target_machine()
        self._engine = binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
        self._engine.add_object_file(binding.ObjectFileRef.from_data(code))
        self._engine.finalize_object()
        address = self._engine.get_function_address(symbol)
        flat: list[Any] = [ctypes.c_void_p, ctypes.c_void_p]  # the result, the exception
        for kind in kinds:
            if kind in _WHOLE:
                flat.append(_WHOLE[kind])
            else:
                flat += [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_ssize_t]
                flat += [ctypes.c_void_p, *[ctypes.c_ssize_t] * (2 * kind.ndim)]
        # such a function is called without Python's lock
        self._function: Any = ctypes.CFUNCTYPE(ctypes.c_int32, *flat)(address)

    def __call__(self, *arguments: Any) -> None:
        """Run it.

        Raises:
            TypeError: the arguments are not those of the signature.
            MemoryError: it could not allocate what it needs; nothing else fails in a kernel.
        """
        result, exception = ctypes.c_void_p(), ctypes.c_void_p()
        flat: list[Any] = [ctypes.byref(result), ctypes.byref(exception)]
        for argument, kind in zip(arguments, self._arrays, strict=True):
            if kind is None:
                flat.append(int(argument))
            else:
                flat += _as_arguments(argument, *kind)
        if self._function(*flat):
            raise MemoryError


def _array_type(kind: Any) -> tuple[Any, int] | None:
    return (numpy_support.as_dtype(kind.dtype), kind.ndim) if kind not in _WHOLE else None


def _as_arguments(array: Any, dtype: Any, ndim: int) -> list[Any]:
    """Return an array as Numba's functions take it: owner, sizes, data, shape, strides."""
    fits = isinstance(array, np.ndarray) and array.dtype == dtype and array.ndim == ndim
    if not fits or not array.flags.carray:
        raise TypeError(f"a kernel takes a contiguous array of {dtype} with {ndim} axes")
    return [
        *(None, None, array.size, array.itemsize, array.ctypes.data),
        *array.shape,
        *array.strides,
    ]
