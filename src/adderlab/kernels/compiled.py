"""Sources compiled with Numba, kept as machine code in the user's cache folder.

Rule: a source is generated here and run from memory, never read back; its file is for people.
The compiled code is read from a folder that nobody else can have written to (:mod:`cache`);
without one the kernel is compiled in memory, and a line says so. A file's name holds the
hash of its source, of ours that it calls, of the versions, and of what it is compiled for.

The compiler can't be interrupted, and where Ctrl-C meets it, it fails. So it runs in a thread of
its own: whoever waits for it looks at limits and leaves at Ctrl-C; the code is kept all the same.
"""

from __future__ import annotations

import hashlib
import platform
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import llvmlite
import numba
import numpy as np
from numba.core import config

from adderlab import endings, limits
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


LOOK_EVERY_S: Final = 0.05
"""Seconds between two looks at the limits while a kernel is compiled."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A function, and why it could not be kept; empty where it was."""

    function: native.Native
    fault: str


_KNOWN: Final[dict[Source, native.Native]] = {}
_AT_WORK: Final[dict[Source, tuple[threading.Thread, Future[_Compiled]]]] = {}
_LOCK: Final = threading.Lock()


def compiled(source: Source, on_compile: Callable[[str], None]) -> Callable[..., None]:
    """Return a function of a source, compiled; from the cache where it is there already.

    Args:
        source: what it is compiled from.
        on_compile: called with one line before anything is compiled, which takes seconds.

    Raises:
        OptionError: Numba's compiler is switched off.
        CapReached: a limit of the command at work is reached.
    """
    with _LOCK:
        if source not in _KNOWN:
            kept = _kept(source)
            if kept is not None:
                _KNOWN[source] = kept
        if source in _KNOWN:
            return _KNOWN[source]
    _check_compiler()
    folder, fault = cache.usable_folder()
    where = f"once: it is kept in {folder}" if folder else f"for this run alone: {fault}"
    on_compile(f"compiling {source.name.replace('_', ' ')}, {where}")
    built = _waited(*_begun(source, folder))
    if built.fault:
        on_compile(f"it can't be kept, and is compiled for this run alone: {built.fault}")
    return built.function


def compile_ahead(sources: Iterable[Source], on_compile: Callable[[str], None]) -> None:
    """Begin to compile what is not in the cache, for whoever asks :func:`compiled` for it later.

    Numba compiles one function at a time, so they are compiled in their order. Without a folder to
    keep them in, nothing is begun.

    Args:
        sources: what will be needed.
        on_compile: called with one line if anything is compiled.
    """
    folder, _ = cache.usable_folder()
    missing = [source for source in sources if not is_compiled(source)]
    if folder is None or not missing or getattr(config, "DISABLE_JIT", False):
        return
    what = "kernel" if len(missing) == 1 else "kernels"
    on_compile(f"compiling {len(missing)} {what} meanwhile, once: kept in {folder}")
    thread = threading.Thread(
        target=_compile_all, args=(missing, folder), name="adderlab-compiling-ahead"
    )
    thread.start()
    endings.leave_behind(thread)


def _compile_all(sources: list[Source], folder: Path) -> None:
    for source in sources:
        if not threading.main_thread().is_alive():  # Python ends, and waits for this thread
            return
        thread, result = _begun(source, folder)
        endings.leave_behind(thread)
        _ = result.exception()  # whoever asks for it compiles it again and raises


def is_compiled(source: Source) -> bool:
    """Return whether :func:`compiled` would compile nothing."""
    if source in _KNOWN:
        return True
    folder, _ = cache.usable_folder()
    return folder is not None and cache.read(folder, source.stem + cache.CODE) is not None


def _kept(source: Source) -> native.Native | None:
    folder, _ = cache.usable_folder()
    kept = cache.read(folder, source.stem + cache.CODE) if folder else None
    if kept is None:
        return None
    symbol, _, code = kept.partition(b"\n")
    return native.Native(symbol.decode(), code, source.signature)


def _check_compiler() -> None:
    if getattr(config, "DISABLE_JIT", False):
        raise OptionError(
            "it switches the compiler of kernels off",
            where="NUMBA_DISABLE_JIT",
            remedy="unset this environment variable",
        )


def _begun(source: Source, folder: Path | None) -> tuple[threading.Thread, Future[_Compiled]]:
    """Return the thread that compiles a source, begun now or for somebody else, and its result."""
    with _LOCK:
        if source not in _AT_WORK:
            result: Future[_Compiled] = Future()
            thread = threading.Thread(
                target=_compile, args=(source, folder, result), name="adderlab-compiling"
            )
            _AT_WORK[source] = (thread, result)
            thread.start()
        return _AT_WORK[source]


def _waited(thread: threading.Thread, result: Future[_Compiled]) -> _Compiled:
    try:
        while True:
            limits.check()
            try:
                return result.result(LOOK_EVERY_S)
            except TimeoutError:
                continue
    except BaseException:
        endings.leave_behind(thread)
        raise


def _compile(source: Source, folder: Path | None, result: Future[_Compiled]) -> None:
    try:
        built = _machine_code(source, folder)
    except BaseException as error:  # noqa: BLE001 -- whoever waits for it raises it
        with _LOCK:
            del _AT_WORK[source]
        result.set_exception(error)
        return
    with _LOCK:
        _KNOWN[source] = built.function
        del _AT_WORK[source]
    result.set_result(built)


def _machine_code(source: Source, folder: Path | None) -> _Compiled:
    stem, fault = source.stem, ""
    symbol, code = native.machine_code(_defined(stem, source), source.signature)
    if folder is not None:
        try:
            cache.keep_text(folder, stem + cache.SOURCE, source.text)
            cache.keep(folder, stem + cache.CODE, symbol.encode() + b"\n" + code)
        except OSError as error:
            fault = error.strerror or str(error)
    return _Compiled(native.Native(symbol, code, source.signature), fault)


def _defined(stem: str, source: Source) -> Any:
    """Return a function of a source, as Python's."""
    names: dict[str, Any] = {}
    for module in source.modules:
        own = {key: value for key, value in vars(module).items() if not key.startswith("__")}
        names.update(own)
    names["__name__"] = f"adderlab_{stem.replace('-', '_')}"
    exec(compile(source.text, f"<{stem}>", "exec"), names)  # noqa: S102 -- it is generated here
    return names[source.function]
