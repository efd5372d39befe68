"""An audit hook under which attacks run: what must not happen is refused and counted.

Rules: no process is started and no socket opened; nothing is unpickled; no code is compiled or run
that comes from a file of the sandbox; nothing is written, moved or removed outside the sandbox, and
nothing is read there but what Python and its packages are made of. A hook can't be taken away, so
it is set in processes that end with their attacks.
"""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from pathlib import Path
from typing import Any, Final

MARK: Final = "attack_mark"
"""What code in a hostile file names, so that it is known when it is compiled or run."""

PROCESSES: Final = ("subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork",
                    "os.startfile", "pty.", "socket.", "urllib.", "ftplib.", "http.", "smtplib.",
                    "pickle.find_class")  # fmt: skip
"""Audit events that no attack may cause, by how they begin."""

CHANGES: Final = {"os.rename": 2, "os.remove": 1, "os.rmdir": 1, "os.mkdir": 1, "os.link": 2,
                  "os.symlink": 2, "os.truncate": 1, "os.chmod": 1, "os.chown": 1, "os.utime": 1,
                  "os.setxattr": 1, "shutil.rmtree": 1}  # fmt: skip
"""Audit events that change files, and how many of their arguments are paths."""

READABLE: Final = tuple(
    str(Path(folder).resolve())
    for folder in (
        sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), *site.getsitepackages(),
        Path(__file__).parents[2], Path(sys.executable).resolve().parent, "/proc", "/sys", "/etc",
        "/usr", "/lib", "/dev",
    )
)  # fmt: skip

WRITE_FLAGS: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Guard:
    """What an attack did that it must not, since :meth:`begin`.

    Args:
        folder: the sandbox.
        others: folders that may be written too: a cache.
    """

    def __init__(self, folder: Path, *others: Path) -> None:
        self.folder = str(folder.resolve())
        self.writable = (self.folder, *(str(other.resolve()) for other in others))
        self.violations: list[str] = []
        self._is_on = False
        sys.addaudithook(self._hook)

    def begin(self) -> None:
        """Watch from now on."""
        self.violations = []
        self._is_on = True

    def end(self) -> list[str]:
        """Watch no more; return what must not have happened."""
        self._is_on = False
        return self.violations

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._is_on:
            return
        self._is_on = False  # what is asked below causes events too
        try:
            fault = self._fault(event, arguments)
        finally:
            self._is_on = True
        if fault:
            self.violations.append(fault)
            raise PermissionError(fault)

    def _fault(self, event: str, arguments: tuple[Any, ...]) -> str:
        if event.startswith(PROCESSES):
            return f"{event} {arguments!r:.200}"
        if event in CHANGES:
            paths = arguments[: CHANGES[event]]
            return "".join(f"{event} {path!r}" for path in paths if not self._may_write(path))
        if event == "open":
            path, _, flags = arguments
            is_change = isinstance(flags, int) and flags & WRITE_FLAGS
            may = self._may_write(path) if is_change else self._may_read(path)
            return "" if may else f"open {path!r} {'to write' if is_change else 'to read'}"
        if event == "compile" and arguments[0] is not None:
            source = arguments[0]
            text = source.decode(errors="replace") if isinstance(source, bytes) else str(source)
            return f"compile {text:.200}" if MARK in text or self._is_ours(arguments[1]) else ""
        if event == "exec":
            code = arguments[0]
            is_hostile = self._is_ours(code.co_filename) or MARK in (
                *code.co_consts,
                *code.co_names,
            )
            return f"exec of {code.co_filename}" if is_hostile else ""
        return ""

    def _is_ours(self, name: Any) -> bool:
        return isinstance(name, str) and name.startswith(f"{self.folder}/")

    def _may_write(self, path: Any) -> bool:
        return isinstance(path, int) or _is_in(path, self.writable) or _real(path) == "/dev/null"

    def _may_read(self, path: Any) -> bool:
        return isinstance(path, int) or _is_in(path, (*self.writable, *READABLE))


def _real(path: Any) -> str:
    try:
        return os.path.realpath(os.fsdecode(path))
    except (OSError, TypeError, ValueError):  # of no file: the call itself refuses it
        return "/dev/null"


def _is_in(path: Any, folders: tuple[str, ...]) -> bool:
    real = _real(path)
    return real == "/dev/null" or any(real == top or real.startswith(f"{top}/") for top in folders)
