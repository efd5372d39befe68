"""A module that is run without being changed: its tensors and attributes are put back."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Generator


@contextmanager
def untouched(model: nn.Module) -> Generator[None]:
    """Let the model be run in eval mode and leave it, and the random state, as they were.

    In the block the modules hold copies of their tensors, on the CPU, and of lists and
    dictionaries.
    """
    modules = list(model.modules())
    saved = [dict(vars(module)) for module in modules]
    copies: dict[int, torch.Tensor] = {}
    devices = {p.device.index for p in model.parameters() if p.is_cuda}
    with torch.random.fork_rng(devices=sorted(devices)), torch.no_grad():
        try:
            for module in modules:
                state = vars(module)
                state.update({key: _copied(value, copies) for key, value in state.items()})
                state["training"] = False
                if "_compiled_call_impl" in state:  # set by model.compile()
                    state["_compiled_call_impl"] = None
            yield
        finally:
            for module, state in zip(modules, saved, strict=True):
                vars(module).clear()
                vars(module).update(state)


def _copied(value: Any, copies: dict[int, torch.Tensor]) -> Any:
    """Return a copy of a tensor, the same for the same tensor, or of what holds tensors."""
    if isinstance(value, torch.Tensor):
        if id(value) not in copies:
            copy = value.detach().cpu().clone()
            is_parameter = isinstance(value, nn.Parameter)
            copies[id(value)] = nn.Parameter(copy, requires_grad=False) if is_parameter else copy
        return copies[id(value)]
    if isinstance(value, dict):
        fresh = value.copy()
        fresh.update({key: _copied(entry, copies) for key, entry in value.items()})
        return fresh
    if type(value) is list:
        return [_copied(entry, copies) for entry in value]
    return set(value) if type(value) is set else value
