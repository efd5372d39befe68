"""The tensors of a PyTorch module: which are the same, which are trained, what they take.

Rule: two parameters are one where they are the same object or the same stretch of memory. A
quantized tensor stands for the numbers that it was made of, and takes what it is stored in.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any, Final

from adderlab.nets.header import StoredTensor

STORED_TYPES: Final = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16",
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "int64": "I64", "int32": "I32",
    "int16": "I16", "int8": "I8", "uint8": "U8", "uint16": "U16", "uint32": "U32", "bool": "BOOL",
}  # fmt: skip
"""PyTorch's element types by safetensors' names."""

SCALE_BYTES: Final = 16
"""Of a tensor with a single scale: a double and a zero point of 64 bits."""


def identity(tensor: Any) -> Hashable:
    """Return what two tensors that are one have in common."""
    try:
        place = tensor.untyped_storage().data_ptr()
    except (NotImplementedError, RuntimeError):  # a wrapper without memory of its own
        place = 0
    if not place or tensor.device.type == "meta":
        return id(tensor)
    return place, tensor.storage_offset(), tensor.numel(), tensor.dtype


def type_name(tensor: Any) -> str:
    """Return PyTorch's name of a tensor's element type."""
    return str(tensor.dtype).removeprefix("torch.")


def numbers_of(tensor: Any) -> int:
    """Return how many numbers a tensor stands for, as bitsandbytes' packed ones say."""
    shape = getattr(getattr(tensor, "quant_state", None), "shape", None)
    if shape is None:
        return tensor.numel()
    numbers = 1
    for size in shape:
        numbers *= int(size)
    return numbers


def bytes_of(tensor: Any) -> int:
    """Return what a tensor takes, scales of a quantized one included."""
    if hasattr(tensor, "__tensor_flatten__"):  # a subclass that is made of other tensors
        names, _ = tensor.__tensor_flatten__()
        return sum(bytes_of(getattr(tensor, name)) for name in names)
    size = tensor.numel() * tensor.element_size()
    absmax = getattr(getattr(tensor, "quant_state", None), "absmax", None)
    if absmax is not None:
        size += bytes_of(absmax)
    if tensor.is_quantized:
        if "per_channel" in str(tensor.qscheme()):
            size += bytes_of(tensor.q_per_channel_scales())
            size += bytes_of(tensor.q_per_channel_zero_points())
        else:
            size += SCALE_BYTES
    return size


def is_quantized_module(module: Any) -> bool:
    """Return whether it is one of PyTorch's own quantized modules, which own no parameters."""
    return any(
        cls.__module__.startswith(("torch.ao.nn.quantized", "torch.ao.nn.intrinsic.quantized"))
        for cls in type(module).__mro__
    )


def quantized_tensors(module: Any) -> list[tuple[str, Any]]:
    """Return the tensors of one of PyTorch's own quantized modules, by name."""
    if hasattr(module, "get_weight") and hasattr(module, "get_bias"):  # recurrent ones
        return [*_leaves(module.get_weight()), *_leaves(module.get_bias())]
    tensors: list[tuple[str, Any]] = []
    for name in ("weight", "bias"):
        value = getattr(module, name, None)
        value = value() if callable(value) and not hasattr(value, "numel") else value
        if hasattr(value, "numel"):
            tensors.append((name, value))
    return tensors


def _leaves(values: Any) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value)
        elif value is not None:
            yield name, value


def stored_tensors(module: Any) -> list[StoredTensor]:
    """Return a module's own tensors as a header would describe them, buffers included."""
    own = [
        *module.named_parameters(remove_duplicate=True),
        *module.named_buffers(remove_duplicate=True),
    ]
    return [
        StoredTensor(
            name,
            STORED_TYPES[type_name(tensor)],
            tuple(tensor.shape),
            0,
            tensor.numel() * tensor.element_size(),
        )
        for name, tensor in own
        if type_name(tensor) in STORED_TYPES and not hasattr(tensor, "quant_state")
    ]
