"""Sources compiled with Numba, kept as machine code in the user's cache folder.

Rule: a source is generated here and run from memory, never read back; its file is for people.
The compiled code is read from a folder that nobody else can have written to (:mod:`cache`);
without one the kernel is compiled in memory, and a line says so. A file's name holds the
hash of its source, of ours that it calls, of the versions, and of what it is compiled for.
"""

from __future__ import annotations

import hashlib
import platform
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import llvmlite
import numba
import numpy as np
from numba.core import config

from adderlab.errors import OptionError
from adderlab.kernels import cache, native
from adderlab.kernels.target import compiled_for


@dataclass(frozen=True, slots=True)
class Source:
    """What a function is compiled from.

    Attributes:
        name: of the file, without its hash: letters, digits, dashes.
        function: which of the text's functions.
        text: uses the names of ``modules``.
        signature: Numba's, of its arguments: whole numbers of 64 bits, and contiguous arrays.
        modules: ours that the text uses, and those that they call: what a kernel consists of.
    """

    name: str
    function: str
    text: str
    signature: str
    modules: tuple[ModuleType, ...]

    @property
    def stem(self) -> str:
        """The file's name without its suffix: it holds the hash of all that the code depends on."""
        digest = hashlib.sha256("\0".join((self.function, self.signature, self.text)).encode())
        for module in (*self.modules, native):
            digest.update(Path(str(module.__file__)).read_bytes())
        own = (numba.__version__, llvmlite.__version__, np.__version__, platform.python_version())
        digest.update(repr((own, compiled_for())).encode())
        return f"{self.name}_{digest.hexdigest()[:16]}"


_KNOWN: Final[dict[Source, native.Native]] = {}
_LOCK: Final = threading.Lock()


def compiled(source: Source, on_compile: Callable[[str], None]) -> Callable[..., None]:
    """Return a function of a source, compiled; from the cache where it is there already.

    Args:
        source: what it is compiled from.
        on_compile: called with one line before anything is compiled, which takes seconds.

    Raises:
        OptionError: Numba's compiler is switched off.
    """
    with _LOCK:
        if source not in _KNOWN:
            _KNOWN[source] = _kernel(source, on_compile)
        return _KNOWN[source]


def is_compiled(source: Source) -> bool:
    """Return whether :func:`compiled` would compile nothing."""
    if source in _KNOWN:
        return True
    folder, _ = cache.usable_folder()
    return folder is not None and cache.read(folder, source.stem + cache.CODE) is not None


def _kernel(source: Source, on_compile: Callable[[str], None]) -> native.Native:
    if getattr(config, "DISABLE_JIT", False):
        raise OptionError(
            "it switches the compiler of kernels off",
            where="NUMBA_DISABLE_JIT",
            remedy="unset this environment variable",
        )
    folder, fault = cache.usable_folder()
    stem, signature = source.stem, source.signature
    kept = cache.read(folder, stem + cache.CODE) if folder else None
    if kept is not None:
        symbol, _, code = kept.partition(b"\n")
        return native.Native(symbol.decode(), code, signature)
    where = f"once: it is kept in {folder}" if folder else f"for this run alone: {fault}"
    on_compile(f"compiling {source.name.replace('_', ' ')}, {where}")
    symbol, code = native.machine_code(_defined(stem, source), signature)
    if folder is not None:
        try:
            cache.keep_text(folder, stem + cache.SOURCE, source.text)
            cache.keep(folder, stem + cache.CODE, symbol.encode() + b"\n" + code)
        except OSError as error:
            on_compile(f"it can't be kept, and is compiled for this run alone: {error.strerror}")
    return native.Native(symbol, code, signature)


def _defined(stem: str, source: Source) -> Any:
    """Return a function of a source, as Python's."""
    names: dict[str, Any] = {}
    for module in source.modules:
        own = {key: value for key, value in vars(module).items() if not key.startswith("__")}
        names.update(own)
    names["__name__"] = f"adderlab_{stem.replace('-', '_')}"
    exec(compile(source.text, f"<{stem}>", "exec"), names)  # noqa: S102 -- it is generated here
    return names[source.function]
