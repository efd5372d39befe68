"""The cache folder: what was compiled, in files that nobody else can have written.

Rule: a file is read only if it lies in a folder that belongs to this user and is closed to
others, below folders in which nobody else can put another in its place; if it is a plain file of
this user that nobody else can write to; and if its checksum holds. A folder that was open to
others, or holds a file of another user, is emptied. Nothing in it is unpickled.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import platformdirs

FOLDER_VARIABLE: Final = "ADDERLAB_CACHE_DIR"
"""The environment variable that names another cache folder."""

CODE: Final = ".kernel"
SOURCE: Final = ".py"
LARGEST: Final = 1 << 28
"""Bytes of a file up to which it is read."""

_OURS: Final = re.compile(r".+_[0-9a-f]{16}\.(kernel|py)|\..+\.part")
_MOST_LINKS: Final = 40
_BY_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH


def cache_folder() -> Path:
    """Return the folder of compiled kernels."""
    folder = os.environ.get(FOLDER_VARIABLE)
    return Path(folder or platformdirs.user_cache_dir("adderlab")).absolute() / "kernels"


def usable_folder() -> tuple[Path | None, str]:
    """Return the cache folder, made if it was not there; or ``None`` and what is wrong with it."""
    folder = cache_folder()
    try:
        for place in (*reversed(folder.parents), folder):
            if not os.path.lexists(place):
                place.mkdir(mode=0o700, exist_ok=True)
        fault = _fault(folder)
        if not fault and not os.access(folder, os.W_OK | os.X_OK):
            fault = f"{folder} can't be written to"
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        fault = f"{folder} can't be used ({getattr(error, 'strerror', None) or error})"
    return (None, fault) if fault else (folder, "")


def read(folder: Path, name: str) -> bytes | None:
    """Return what was kept under a name; ``None`` if nothing that can be trusted was."""
    flags = os.O_RDONLY
    for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):
        flags |= getattr(os, flag, 0)
    try:
        with os.fdopen(os.open(folder / name, flags), "rb") as file:
            status = os.fstat(file.fileno())
            if not _is_trusted(status) or status.st_size > LARGEST:
                return None
            data = file.read(LARGEST)
    except OSError:
        return None
    checksum, rest = data[:32], data[32:]
    return rest if checksum == _checksum(name, rest) else None


def keep(folder: Path, name: str, data: bytes) -> None:
    """Keep data under a name, for :func:`read`.

    Raises:
        OSError: there is no room for it; nothing of it stays.
    """
    _write(folder / name, _checksum(name, data) + data)


def keep_text(folder: Path, name: str, text: str) -> None:
    """Keep a text for people: it is never read back.

    Raises:
        OSError: there is no room for it; nothing of it stays.
    """
    _write(folder / name, text.encode())


def _checksum(name: str, data: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\0" + data).digest()


def _write(path: Path, data: bytes) -> None:
    # closed to others whatever the umask
    handle, part = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            _ = file.write(data)
        _ = Path(part).replace(path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def _fault(folder: Path) -> str:
    """Return why a folder can't be trusted; one that was open to others is emptied and closed."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        return f"{folder} is not a folder"
    if not hasattr(os, "getuid"):
        return ""
    if status.st_uid != os.getuid():
        return f"{folder} belongs to another user"
    fault = _fault_above(folder)
    if fault:
        return fault
    was_open = bool(stat.S_IMODE(status.st_mode) & 0o077)
    if was_open:
        folder.chmod(0o700)  # first of all: nobody adds a file behind our back
    if was_open or not all(_is_trusted(status) for _, status in _files(folder)):
        for entry, status in list(_files(folder)):
            if stat.S_ISDIR(status.st_mode):
                shutil.rmtree(entry)
            else:
                entry.unlink(missing_ok=True)
    return ""


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield what has a name of ours; anything else in the folder is never read."""
    for entry in folder.iterdir():
        if _OURS.fullmatch(entry.name):
            with suppress(FileNotFoundError):  # another process has just moved it into its place
                yield entry, entry.lstat()


def _is_trusted(status: os.stat_result) -> bool:
    """Return whether it is a plain file that only this user can have written."""
    if not stat.S_ISREG(status.st_mode):
        return False
    if not hasattr(os, "getuid"):
        return True
    is_ours = status.st_uid == os.getuid() and status.st_nlink == 1
    return is_ours and not status.st_mode & _BY_OTHERS


def _fault_above(folder: Path) -> str:
    """Return which folder or link on the way lets another user put something in its place."""
    place, links = Path(folder.anchor), 0
    fault = _fault_of(place)
    rest = list(reversed(folder.parent.parts[1:]))
    while rest and not fault:
        part = rest.pop()
        if part == os.pardir:
            place = place.parent
            continue
        step = place / part
        fault = _fault_of(step)
        if not step.is_symlink():
            place = step
            continue
        links += 1
        if links > _MOST_LINKS:
            return f"{folder} lies behind too many links"
        target = step.readlink()
        if target.is_absolute():
            place = Path(target.anchor)
        rest += reversed(target.parts[target.is_absolute() :])
    return fault


def _fault_of(place: Path) -> str:
    """Return whether another user can replace what lies in a folder, or a link's target."""
    status = place.lstat()
    if status.st_uid not in (0, os.getuid()):
        return f"{place} belongs to another user"
    if stat.S_ISLNK(status.st_mode) or status.st_mode & stat.S_ISVTX:
        return ""  # in a sticky folder, as /tmp is, only the owner replaces
    others = status.st_mode & _BY_OTHERS
    if others == stat.S_IWGRP and _is_own_group(status.st_gid):
        return ""
    return f"{place} can be written to by others; close it with chmod go-w" if others else ""


def _is_own_group(gid: int) -> bool:
    """Return whether a group is the one of this user alone that many systems set up."""
    import grp
    import pwd

    try:
        user, group = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(gid)
    except KeyError:
        return False
    return group.gr_name == user and set(group.gr_mem) <= {user}
