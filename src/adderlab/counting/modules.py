"""Any PyTorch module's parameters and bytes; on the meta device no weight is ever allocated.

Rule: a parameter that two modules share is counted once, a frozen one has neither gradient nor
optimizer state, a packed or quantized one counts as the numbers that it stands for. MACs are known
for Linear, whose weights are all used once for each row; other products leave them unknown.
"""

from __future__ import annotations

import sys
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from adderlab.counting.model_count import ModelCount, PartCount
from adderlab.counting.module_tensors import (
    bytes_of,
    identity,
    is_quantized_module,
    numbers_of,
    quantized_tensors,
    stored_tensors,
    type_name,
)
from adderlab.counting.packed import Hint, PackedMatrix, packed_matrices
from adderlab.counting.quantization import Quantization
from adderlab.counting.training_memory import training_memory

WITHOUT_PRODUCTS: Final = (
    "Embedding",
    "LayerNorm",
    "RMSNorm",
    "BatchNorm1d",
    "BatchNorm2d",
    "GroupNorm",
    "PReLU",
)
"""PyTorch's modules with parameters, by name, in which no matrix is multiplied."""

LINEAR: Final = ("Linear", "Conv1D")
"""Modules whose weight is one matrix, used once for each row; the second is of transformers."""

MOST_PARTS: Final = 40
CALLED_ONCE: Final = "MACs count each module once; what is called again is multiplied again"


@dataclass(frozen=True, slots=True)
class Owned:
    """A module's own tensors that hold parameters.

    Attributes:
        name: of the module; empty for the outermost.
        module: itself.
        tensors: by name.
        matrix: the packed matrix that its buffers hold, if they do.
        is_quantized: whether it is one of PyTorch's own quantized modules.
    """

    name: str
    module: Any
    tensors: tuple[tuple[str, Any], ...]
    matrix: PackedMatrix | None = None
    is_quantized: bool = False


def is_module(model: object) -> bool:
    """Return whether it is a PyTorch module; PyTorch is not loaded to find out."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(model, torch.nn.Module)


def distinct_parameters(model: Any) -> tuple[int, int]:
    """Return a module's parameters, shared ones once, and how many of them are trained."""
    seen: dict[Hashable, Any] = {}
    for _, parameter in model.named_parameters(remove_duplicate=True):
        _ = seen.setdefault(identity(parameter), parameter)
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in seen.values()]
    return sum(size for size, _ in sizes), sum(size for size, trained in sizes if trained)


def count_module(model: Any, *, training: str | None = None) -> ModelCount:
    """Return the size of a PyTorch module, by the modules that own parameters.

    Args:
        model: any ``nn.Module``, also one on the meta device.
        training: an optimizer, to add what training takes.
    """
    from torch.nn.parameter import is_lazy

    seen: set[Hashable] = set()
    parts: list[PartCount] = []
    stored: dict[str, int] = {}
    notes: list[str] = []
    quantized = _Tally()
    trainable = 0
    for owned in _owned(model):
        name, kind = owned.name or type(model).__name__, type(owned.module).__name__
        if any(is_lazy(tensor) for _, tensor in owned.tensors):
            notes.append(f"{name} is lazy: its sizes are not known before its use")
            continue
        new: list[tuple[str, Any]] = []
        for key, tensor in owned.tensors:
            if identity(tensor) not in seen:
                new.append((key, tensor))
                seen.add(identity(tensor))
        for _, tensor in new:
            size = bytes_of(tensor)
            stored[type_name(tensor)] = stored.get(type_name(tensor), 0) + size
            is_trained = tensor.requires_grad and not owned.is_quantized
            trainable += tensor.numel() if is_trained else 0
            quantized.add_tensor(tensor, size)
        matrix = owned.matrix
        if matrix is not None:
            quantized.add_matrix(matrix)
            for packed in matrix.tensors:
                stored[packed.dtype] = stored.get(packed.dtype, 0) + packed.bytes
        macs = matrix.parameters if matrix is not None else _macs(owned)
        if macs is None:
            notes.append(f"MACs of {kind} depend on its input: not counted")
        shared = "counted at its first use" if len(new) < len(owned.tensors) else ""
        terms = [" x ".join(map(str, tensor.shape)) or "1" for _, tensor in new]
        if matrix is not None:
            terms.append(f"{matrix.parameters} packed in {matrix.bits} bits")
        size = sum(numbers_of(tensor) for _, tensor in new)
        is_affine = matrix is not None or kind in LINEAR or owned.is_quantized
        biases = sum(tensor.numel() for key, tensor in owned.tensors if key == "bias")
        parts.append(
            PartCount(
                name,
                size + (matrix.parameters if matrix is not None else 0),
                macs,
                ", ".join(filter(None, (" + ".join(terms), shared))),
                biases if is_affine else 0,
            )
        )
    total = sum(part.parameters for part in parts)
    if len(parts) > MOST_PARTS:
        parts = _by_prefix(parts)
    if not parts:
        parts = [PartCount(type(model).__name__, 0, 0)]
    if all(part.macs is not None for part in parts) and any(part.macs for part in parts):
        notes.append(CALLED_ONCE)
    return ModelCount(
        name=type(model).__name__,
        parts=tuple(parts),
        trainable=trainable,
        stored_bytes=sum(stored.values()),
        stored_as=stored,
        notes=tuple(dict.fromkeys(notes)),
        training=training_memory(total, training, trainable=trainable),
        quantization=quantized.result(sum(stored.values())),
    )


def _owned(model: Any) -> Iterator[Owned]:
    """Yield each module that owns parameters, or what stands for them."""
    matrices, _ = packed_matrices(stored_tensors(model), Hint())
    by_module = {matrix.name: matrix for matrix in matrices}
    inside: list[str] = []
    for name, module in model.named_modules(remove_duplicate=False):
        if any(name.startswith(prefix) for prefix in inside):
            continue
        if is_quantized_module(module):
            tensors = quantized_tensors(module)
            if tensors:
                inside.append(f"{name}." if name else "")
                yield Owned(name, module, tuple(tensors), is_quantized=True)
                continue
        matrix = by_module.get(name)
        packed = {tensor.name for tensor in matrix.tensors} if matrix is not None else set[str]()
        prefix = f"{name}." if name else ""
        own = tuple(
            (key, tensor)
            for key, tensor in module.named_parameters(recurse=False, remove_duplicate=False)
            if f"{prefix}{key}" not in packed
        )
        bias = getattr(module, "bias", None) if matrix is not None else None
        if bias is not None and hasattr(bias, "numel") and not any(k == "bias" for k, _ in own):
            own = (*own, ("bias", bias))  # a buffer there
        if own or matrix is not None:
            yield Owned(name, module, own, matrix)


def _macs(owned: Owned) -> int | None:
    """Return the MACs of a module's own parameters for one row; ``None`` where not known."""
    kinds = {cls.__name__ for cls in type(owned.module).__mro__}
    own = owned.tensors
    if kinds & set(LINEAR):
        weights = [numbers_of(tensor) for key, tensor in own if key == "weight"]
        return sum(weights) if weights else None
    if kinds & set(WITHOUT_PRODUCTS) or all(tensor.dim() <= 1 for _, tensor in own):
        return 0
    return None


class _Tally:
    """What is quantized in a module, summed up."""

    def __init__(self) -> None:
        self.methods: dict[tuple[str, int], None] = {}
        self.parameters = 0
        self.bytes = 0
        self.matrices = 0
        self.groups: set[int | None] = set()

    def add_tensor(self, tensor: Any, size: int) -> None:
        """Add a tensor, if it is quantized."""
        if tensor.is_quantized:
            self._add(f"torch {type_name(tensor)}", tensor.element_size() * 8, tensor.numel(), size)
        elif hasattr(tensor, "quant_state") or hasattr(tensor, "__tensor_flatten__"):
            numbers = numbers_of(tensor)
            bits = round(Fraction(8 * size, numbers or 1))
            self._add(type(tensor).__name__, bits, numbers, size)

    def add_matrix(self, matrix: PackedMatrix) -> None:
        """Add a packed matrix."""
        self.groups.add(matrix.group_size)
        self._add(matrix.method, matrix.bits, matrix.parameters, matrix.bytes)

    def _add(self, method: str, bits: int, parameters: int, size: int) -> None:
        self.methods[method, bits] = None
        self.parameters += parameters
        self.bytes += size
        self.matrices += 1

    def result(self, model_bytes: int) -> Quantization | None:
        """Return all of it; ``None`` where nothing is quantized."""
        if not self.methods:
            return None
        bits = {bits for _, bits in self.methods}
        return Quantization(
            method=", ".join(dict.fromkeys(method for method, _ in self.methods)),
            bits=Fraction(bits.pop()) if len(bits) == 1 else None,
            group_size=self.groups.pop() if len(self.groups) == 1 else None,
            parameters=self.parameters,
            stored_bits=8 * self.bytes,
            model_bytes=model_bytes,
            matrices=self.matrices,
        )


def _by_prefix(parts: list[PartCount]) -> list[PartCount]:
    """Return many parts summed by the first names of their modules, as few as that gives."""
    for depth in (3, 2, 1):
        sums: dict[str, list[PartCount]] = {}
        for part in parts:
            sums.setdefault(".".join(part.name.split(".")[:depth]), []).append(part)
        if len(sums) <= MOST_PARTS or depth == 1:
            break
    return [
        PartCount(
            name,
            sum(part.parameters for part in inside),
            None
            if any(part.macs is None for part in inside)
            else sum(part.macs or 0 for part in inside),
            f"{len(inside)} modules",
            sum(part.biases for part in inside),
        )
        for name, inside in sums.items()
    ]
