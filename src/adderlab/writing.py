"""Files that are whole or not there: written beside their place, then renamed into it.

Rule: an output is written where its path, links followed, leads to a regular file or to nothing,
and a folder where it leads to a folder or to nothing. A device, a pipe, or the file that this
process prints to is never replaced.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path

from adderlab.errors import OutputError
from adderlab.scratch import scratch_file, scratch_folder


def write_file(path: str | Path, data: bytes | str) -> Path:
    """Write ``data`` to ``path`` and return it; an existing file is replaced in one move.

    Raises:
        OutputError: the place can't be written; whatever stood there still stands.
    """
    raw = data.encode() if isinstance(data, str) else data
    with new_file(path) as scratch:
        _ = scratch.write_bytes(raw)
    return Path(path)


@contextmanager
def new_file(path: str | Path) -> Generator[Path]:
    """Yield a temporary file that replaces ``path`` in one move when the block ends well.

    For what is too long to be held in memory; :func:`write_file` is for the rest. Of a link, what
    it leads to is replaced.

    Raises:
        OutputError: the place can't be written, or the disk is full; what stood there still does.
    """
    target = Path(path)
    try:
        place = _place_of(target)
        handle, scratch = scratch_file(place)
        os.close(handle)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        raise _refused(target, error) from None
    try:
        yield scratch
        scratch.chmod(0o666 & ~_umask())
        _ = scratch.replace(place)
    except OSError as error:  # in the block too: the disk is full
        raise _refused(target, error) from None
    finally:
        scratch.unlink(missing_ok=True)  # it is gone where all went well


@contextmanager
def new_folder(path: str | Path) -> Generator[Path]:
    """Yield a temporary folder whose files move to ``path`` when the block ends well.

    Files of the same name in ``path`` are replaced, others are left alone; if the block
    raises, nothing of it stays.

    Raises:
        OutputError: the place can't be written, or the disk is full.
    """
    target = Path(path)
    try:
        check_folder(target)
        place = Path(os.path.realpath(target)) if target.is_symlink() else target
        new_parents = [folder for folder in place.absolute().parents if not folder.exists()]
        if place.is_dir():  # within it: the folder around it may not be ours to write to
            scratch = scratch_folder(place / place.name)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            scratch = scratch_folder(place)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        raise _refused(target, error) from None
    try:
        yield scratch
        scratch.chmod(0o777 & ~_umask())
        _check_files(scratch, place)
        _move_into(scratch, place)
    except OSError as error:  # in the block too: the disk is full
        raise _refused(target, error) from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        with suppress(OSError):  # they are not empty where the block ended well
            for folder in new_parents:
                folder.rmdir()


def check_place(path: str | Path, *, read: Iterable[str | Path] = ()) -> None:
    """Raise at once if a file could not be written at ``path``: before the work, not after it.

    Args:
        path: where it is to be written.
        read: files that the work reads, none of which it may replace.

    Raises:
        OutputError: a folder or device stands there, or one of those files, or its folder is
            missing or not writable.
    """
    target = Path(path)
    try:
        _ = _place_of(target)
        is_read = target.exists() and any(_is_same(target, Path(own)) for own in read)
    except (OSError, ValueError) as error:
        raise _refused(target, error) from None
    if is_read:
        raise OutputError(
            "this file is read, and would be lost", where=str(target), remedy="name another file"
        )


def _is_same(target: Path, own: Path) -> bool:
    """Return whether two paths lead to one file; of what is not there, not."""
    try:
        return target.samefile(own)
    except (OSError, ValueError):
        return False


def check_folder(path: str | Path) -> None:
    """Raise at once if a folder could not be made, or written to, at ``path``.

    Raises:
        OutputError: a file stands there, or the nearest folder above it is not writable.
    """
    target = Path(path)
    try:
        _check_folder(target)
    except (OSError, ValueError) as error:
        raise _refused(target, error) from None


def is_folder(path: Path) -> bool:
    """Return whether a folder is there; of what can be no path, not."""
    try:
        return path.is_dir()
    except OSError:  # the name is too long
        return False


def _what_stands(target: Path) -> str:
    return "a file" if stat.S_ISREG(target.stat().st_mode) else "a device or pipe"


def _place_of(target: Path) -> Path:
    """Return where a file is to be written: what a link leads to, else the path itself."""
    _check_file(target)
    place = Path(os.path.realpath(target)) if target.is_symlink() else target
    if place.parent.exists() and not place.parent.is_dir():
        raise OutputError(
            f"{str(place.parent)!r} is a file, no folder",
            where=str(target),
            remedy="choose another place",
        )
    if not place.parent.is_dir():
        raise OutputError(
            f"the folder {str(place.parent)!r} does not exist",
            where=str(target),
            remedy="make it first",
        )
    if not os.access(place.parent, os.W_OK):
        raise OutputError(
            "the folder can't be written", where=str(target), remedy="choose another place"
        )
    return place


def _check_file(target: Path) -> None:
    try:
        status = target.stat()  # of what a link leads to
    except (FileNotFoundError, NotADirectoryError):
        return
    if stat.S_ISDIR(status.st_mode):
        raise OutputError("a folder stands there", where=str(target), remedy="name a file")
    if not stat.S_ISREG(status.st_mode):  # /dev/null would be replaced by a file
        raise OutputError("a device or pipe stands there", where=str(target), remedy="name a file")
    if any(_is_open_as(number, status) for number in (1, 2)):  # /dev/stdout, which leads to a file
        raise OutputError(
            "what this command prints goes there", where=str(target), remedy="name another file"
        )


def _is_open_as(number: int, status: os.stat_result) -> bool:
    """Return whether standard output (1) or error (2) is that file."""
    try:
        return os.path.samestat(os.fstat(number), status)
    except OSError:  # it is closed
        return False


def _check_folder(target: Path) -> None:
    with suppress(FileNotFoundError, NotADirectoryError):
        if not stat.S_ISDIR(target.stat().st_mode):
            raise OutputError(
                f"{_what_stands(target)} stands there", where=str(target), remedy="name a folder"
            )
    place = Path(os.path.realpath(target)) if target.is_symlink() else target
    above = place if place.is_dir() else place.absolute().parent
    while not above.exists():
        above = above.parent
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise OutputError(
            f"the folder {str(above)!r} can't be written",
            where=str(target),
            remedy="choose another place",
        )


def _check_files(source: Path, target: Path) -> None:
    """Raise before anything is moved if a file could not take its place in a folder."""
    for item in source.rglob("*"):
        place = target / item.relative_to(source)
        if not item.is_dir():
            _check_file(place)
        elif place.exists() and not place.is_dir():
            what = f"{_what_stands(place)} stands there"
            raise OutputError(what, where=str(place), remedy="move it away")


def _move_into(source: Path, target: Path) -> None:
    if not target.exists():
        _ = source.rename(target)
        return
    for item in sorted(source.iterdir()):
        place = target / item.name
        if item.is_dir():
            place.mkdir(exist_ok=True)
            _move_into(item, place)
        else:
            _ = item.replace(place)


def _umask() -> int:
    mask = os.umask(0)
    _ = os.umask(mask)
    return mask


def _refused(target: Path, error: OSError | ValueError) -> OutputError:
    if isinstance(error, OutputError):
        return error
    reason = getattr(error, "strerror", None) or error
    if "\0" in str(target):  # Pythons differ in how they say it
        reason = "embedded null byte"
    return OutputError(
        f"can't be written ({reason})",
        where=str(target),
        remedy="check the place and the space left",
    )
