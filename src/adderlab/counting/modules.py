"""Any PyTorch module's parameters and bytes; on the meta device no weight is ever allocated.

Rule: a parameter that two modules share is counted once. MACs are known for Linear, whose
weights are all used once for each row; a module with other products leaves them unknown.
"""

from __future__ import annotations

import sys
from typing import Any, Final

from adderlab.counting.model_count import ModelCount, PartCount
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

MOST_PARTS: Final = 40


def is_module(model: object) -> bool:
    """Return whether it is a PyTorch module; PyTorch is not loaded to find out."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(model, torch.nn.Module)


def count_module(model: Any, *, training: str | None = None) -> ModelCount:
    """Return the size of a PyTorch module, by the modules that own parameters.

    Args:
        model: any ``nn.Module``, also one on the meta device.
        training: an optimizer, to add what training takes.
    """
    from torch import nn
    from torch.nn.parameter import is_lazy

    seen: set[int] = set()
    parts: list[PartCount] = []
    stored: dict[str, int] = {}
    notes: list[str] = []
    for name, module in model.named_modules(remove_duplicate=False):
        own = list(module.named_parameters(recurse=False, remove_duplicate=False))
        if not own:
            continue
        if any(is_lazy(parameter) for _, parameter in own):
            notes.append(f"{name or 'the module'} is lazy: its sizes are not known before its use")
            continue
        new = [(key, parameter) for key, parameter in own if id(parameter) not in seen]
        for _, parameter in new:
            kind = str(parameter.dtype).removeprefix("torch.")
            stored[kind] = stored.get(kind, 0) + parameter.numel() * parameter.element_size()
        seen.update(id(parameter) for _, parameter in own)
        macs = _macs(module, own)
        is_linear = isinstance(module, nn.Linear)
        biases = (
            sum(parameter.numel() for key, parameter in own if key == "bias") if is_linear else 0
        )
        if macs is None:
            notes.append(f"MACs of {type(module).__name__} depend on its input: not counted")
        terms = " + ".join(" x ".join(map(str, parameter.shape)) or "1" for _, parameter in new)
        shared = "counted at its first use" if len(new) < len(own) else ""
        parts.append(
            PartCount(
                name or type(model).__name__,
                sum(parameter.numel() for _, parameter in new),
                macs,
                ", ".join(filter(None, (terms, shared))),
                biases,
            )
        )
    total = sum(part.parameters for part in parts)
    if len(parts) > MOST_PARTS:
        parts = _by_prefix(parts)
    if not parts:
        parts = [PartCount(type(model).__name__, 0, 0)]
    return ModelCount(
        name=type(model).__name__,
        parts=tuple(parts),
        stored_bytes=sum(stored.values()),
        stored_as=stored,
        notes=tuple(dict.fromkeys(notes)),
        training=training_memory(total, training),
    )


def _macs(module: Any, own: list[tuple[str, Any]]) -> int | None:
    """Return the MACs of a module's own parameters for one row; ``None`` where not known."""
    from torch import nn

    if isinstance(module, nn.Linear):
        return module.weight.numel()
    kinds = {cls.__name__ for cls in type(module).__mro__}
    if kinds & set(WITHOUT_PRODUCTS) or all(parameter.dim() <= 1 for _, parameter in own):
        return 0
    return None


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
