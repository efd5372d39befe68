"""What kernels are compiled for: the processor, its features, and how far code is optimized.

Rule: everything here that Numba takes from its environment is read from Numba, as it will use it;
so the same record means the same bits. Importing this file imports Numba.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from numba.core import config
from numba.core.registry import cpu_target

OPTIONS: Final = (
    "OPT",
    "LOOP_VECTORIZE",
    "SLP_VECTORIZE",
    "BOUNDSCHECK",
    "DEBUGINFO_DEFAULT",
    "LLVM_REFPRUNE_PASS",
    "LLVM_REFPRUNE_FLAGS",
)
"""Numba's settings that change the code it generates, besides those of the processor."""


@cache
def compiled_for() -> dict[str, str]:
    """Return what decides the compiled code's bits, besides its source and the versions."""
    context: Any = cpu_target.target_context
    triple, cpu, features = context.codegen().magic_tuple()
    has = sorted(name[1:] for name in str(features).split(",") if name.startswith("+"))
    options = (f"{name.lower()}={_shown(getattr(config, name, ''))}" for name in OPTIONS)
    return {
        "compiled_for": f"{triple} {cpu}",
        "features": ",".join(has),
        "options": ",".join(options),
    }


def _shown(value: Any) -> Any:
    if isinstance(value, int):  # a level of optimization, whose own text depends on the version
        return "max" if getattr(value, "is_opt_max", False) else int(value)
    return value
