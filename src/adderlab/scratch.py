"""Temporary files and folders: named for their process, and removed when it is gone.

Rules: a temporary name says whose it is, ``.NAME.adderlab-MACHINE-PROCESS-RANDOM``. What is removed
has a name of this form and belongs to this user, and its process ran on this machine and is gone. A
number is given to a later process again: one that began after the last change is another process.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import stat
import tempfile
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

LONGEST_NAME: Final = 128
"""Bytes of a file's name that its temporary name begins with; a name has at most 255."""

CLOCK_S: Final = 10.0
"""Seconds by which the clocks of a file system and of this machine may differ."""

_OWN: Final = re.compile(
    r"\..+\.adderlab-(?P<machine>[0-9a-f]{8})-(?P<process>[0-9]{1,10})-[a-z0-9_]{8}\Z", re.DOTALL
)


def scratch_file(target: Path) -> tuple[int, Path]:
    """Return a new file beside ``target``, open, and its path; leftovers there are removed."""
    sweep_once(target.parent)
    handle, name = tempfile.mkstemp(prefix=_prefix(target.name), dir=target.parent)
    return handle, Path(name)


def scratch_folder(target: Path) -> Path:
    """Return a new folder beside ``target``; leftovers there are removed."""
    sweep_once(target.parent)
    return Path(tempfile.mkdtemp(prefix=_prefix(target.name), dir=target.parent))


def is_scratch(name: str, target: str) -> bool:
    """Return whether a name is a temporary one of a file or folder."""
    return _OWN.match(name) is not None and name.startswith(f".{target}.adderlab-")


def sweep_once(folder: Path) -> None:
    """Remove what killed processes left in a folder, the first time this process writes there."""
    _sweep_place(os.path.abspath(folder))  # noqa: PTH100 -- a text, to be remembered by


@cache
def _sweep_place(folder: str) -> None:
    sweep(Path(folder))


def sweep(folder: Path) -> None:
    """Remove the temporary files and folders that killed processes left in a folder."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            match = _OWN.match(entry.name)
            if match is None or match["machine"] != _machine():
                continue
            with suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                if _is_ours(status) and _is_gone(int(match["process"]), status.st_mtime):
                    _remove(Path(entry.path), status)


def _remove(path: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        shutil.rmtree(path, ignore_errors=True)
    elif stat.S_ISREG(status.st_mode):
        path.unlink(missing_ok=True)


def _prefix(name: str) -> str:
    start = name.encode(errors="ignore")[:LONGEST_NAME].decode(errors="ignore")
    return f".{start}.adderlab-{_machine()}-{os.getpid()}-"


@cache
def _machine() -> str:
    """Return what the numbers of processes are counted in: a machine, or a container on it."""
    try:
        space = str(Path("/proc/self/ns/pid").readlink())
    except (OSError, NotImplementedError):
        space = ""
    return blake2b(f"{platform.node()} {space}".encode(), digest_size=4).hexdigest()


def _is_ours(status: os.stat_result) -> bool:
    return not hasattr(os, "geteuid") or status.st_uid == os.geteuid()


def _is_gone(process: int, changed: float) -> bool:
    """Return whether the process that last changed something has ended."""
    import psutil

    if not psutil.pid_exists(process):
        return True
    try:
        running = psutil.Process(process)
        if running.status() == psutil.STATUS_ZOMBIE:
            return True
        return running.create_time() > changed + CLOCK_S
    except (psutil.Error, OSError):  # another user's, or there is no /proc: it is running
        return False
