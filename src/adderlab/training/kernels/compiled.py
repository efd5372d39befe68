"""Sources compiled with Numba, cached in the user's cache folder with the compiled code.

Rule: a source is generated here and run from memory, never read back; its file is for people and
for Numba, which keeps its compiled code beside it. Both are used only from a folder that
belongs to this user and that nobody else can write to or read; otherwise the kernel is compiled
in memory, and a line says so. A file's name holds the hash of its source, of ours that it calls, of
the versions, and of the CPU.
"""

from __future__ import annotations

import functools
import hashlib
import os
import pickle
import platform
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import llvmlite
import numba
import numpy as np
import platformdirs
from numba.core import config

from adderlab.errors import OutputError
from adderlab.training import philox
from adderlab.training.kernels import drawing, functions, simd
from adderlab.writing import write_file

FOLDER_VARIABLE: Final = "ADDERLAB_CACHE_DIR"
"""The environment variable that names another cache folder."""

_DAMAGE: Final = (
    OSError,
    EOFError,
    ImportError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
)

_KNOWN: Final[dict[tuple[str, str], Any]] = {}
_LOCK: Final = threading.Lock()


def compiled(
    name: str,
    function: str,
    source: str,
    signature: str,
    on_compile: Callable[[str], None],
) -> Callable[..., None]:
    """Return a function of a source, compiled; from the cache where it is there already.

    Args:
        name: of the file, without its hash: letters, digits, dashes.
        function: which of the source's functions.
        source: uses the names of :mod:`simd`, :mod:`functions` and :mod:`drawing`, and ``np``.
        signature: Numba's, of its arguments.
        on_compile: called with one line before anything is compiled, which takes seconds.
    """
    with _LOCK:
        kernel = _KNOWN.get((source, function))
        if kernel is None:
            kernel = _compile(name, function, source, signature, on_compile)
            _KNOWN[source, function] = kernel
        return kernel


def is_compiled(name: str, function: str, source: str) -> bool:
    """Return whether :func:`compiled` would compile nothing."""
    if (source, function) in _KNOWN:
        return True
    folder, _ = usable_folder()
    return folder is not None and _is_cached(folder, f"{name}_{_key(source)}")


def cache_folder() -> Path:
    """Return the folder of generated kernels."""
    folder = os.environ.get(FOLDER_VARIABLE)
    return Path(folder or platformdirs.user_cache_dir("adderlab")) / "kernels"


def usable_folder() -> tuple[Path | None, str]:
    """Return the cache folder, made if it was not there; or ``None`` and what is wrong with it."""
    folder = cache_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode):
            return None, f"{folder} is not a folder"
        if hasattr(os, "getuid"):
            if status.st_uid != os.getuid():
                return None, f"{folder} belongs to another user"
            if status.st_mode & 0o077:
                folder.chmod(0o700)
        if not os.access(folder, os.W_OK | os.X_OK):
            return None, f"{folder} can't be written to"
    except OSError as error:
        return None, f"{folder} can't be used ({error.strerror})"
    return folder, ""


def _compile(
    name: str, function: str, source: str, signature: str, on_compile: Callable[[str], None]
) -> Any:
    folder, fault = usable_folder()
    stem = f"{name}_{_key(source)}"
    path = Path(f"<{stem}>")
    if folder is not None:
        path = folder / f"{stem}.py"
        try:
            if not path.is_file() or path.read_text(encoding="utf-8") != source:
                _ = write_file(path, source)
        except (OSError, OutputError, UnicodeDecodeError) as error:
            folder, fault = None, f"{path} can't be written ({error})"
    where = _code_folder(folder)
    if folder is None:
        on_compile(f"compiling {name.replace('_', ' ')}, for this run alone: {fault}")
    elif not _is_cached(folder, stem):
        on_compile(f"compiling {name.replace('_', ' ')}, once: it is kept in {folder}")
    # Numba finds what it has compiled through the module, so the module must be a known one
    module = ModuleType(f"adderlab_{stem.replace('-', '_')}")
    sys.modules[module.__name__] = module
    for ours in (simd, functions, drawing):
        names = {key: value for key, value in vars(ours).items() if not key.startswith("__")}
        vars(module).update(names)
    exec(compile(source, str(path), "exec"), vars(module))  # noqa: S102 -- the source is generated here
    plain = getattr(module, function)
    jit = functools.partial(numba.njit, signature, nogil=True, error_model="numpy")
    if folder is None:
        return jit()(plain)
    try:
        return jit(cache=True)(plain)
    except _DAMAGE:  # a truncated cache, say: what can't be loaded is compiled again
        for stale in where.rglob(f"{stem}.*.nb?"):
            stale.unlink(missing_ok=True)
        return jit(cache=True)(plain)


def _code_folder(folder: Path | None) -> Path:
    """Return where Numba keeps what it compiled."""
    return Path(getattr(config, "CACHE_DIR", "") or folder or ".")


def _is_cached(folder: Path, stem: str) -> bool:
    return any(_code_folder(folder).rglob(f"{stem}.*.nbc"))


def _key(source: str) -> str:
    """Return the hash of all that the compiled code depends on."""
    digest = hashlib.sha256(source.encode())
    for module in (simd, functions, drawing, philox):
        digest.update(Path(str(module.__file__)).read_bytes())
    versions = (numba.__version__, llvmlite.__version__, np.__version__, platform.python_version())
    from llvmlite import binding

    cpu = (binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten())
    digest.update(repr((versions, cpu)).encode())
    return digest.hexdigest()[:16]
