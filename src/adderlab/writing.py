"""Files that are whole or not there: written beside their place, then renamed into it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from adderlab.errors import OutputError


def write_file(path: str | Path, data: bytes | str) -> Path:
    """Write ``data`` to ``path`` and return it; an existing file is replaced in one move.

    Raises:
        OutputError: the place can't be written; whatever stood there still stands.
    """
    target = Path(path)
    raw = data.encode() if isinstance(data, str) else data
    try:
        check_place(target)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent or ".")
        try:
            with os.fdopen(handle, "wb") as file:
                _ = file.write(raw)
            Path(name).chmod(0o666 & ~_umask())
            _ = Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        raise _refused(target, error) from None
    return target


@contextmanager
def new_file(path: str | Path) -> Generator[Path]:
    """Yield a temporary file that replaces ``path`` in one move when the block ends well.

    For what is too long to be held in memory; :func:`write_file` is for the rest.

    Raises:
        OutputError: the place can't be written, or the disk is full; what stood there still does.
    """
    target = Path(path)
    try:
        check_place(target)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent or ".")
        os.close(handle)
        try:
            yield Path(name)
            Path(name).chmod(0o666 & ~_umask())
            _ = Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except (OSError, ValueError) as error:
        raise _refused(target, error) from None


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
        new_parents = [folder for folder in target.absolute().parents if not folder.exists()]
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        raise _refused(target, error) from None
    try:
        yield scratch
        scratch.chmod(0o777 & ~_umask())
        _move_into(scratch, target)
    except OSError as error:  # in the block too: the disk is full
        raise _refused(target, error) from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        with suppress(OSError):  # they are not empty where the block ended well
            for folder in new_parents:
                folder.rmdir()


def check_place(path: str | Path) -> None:
    """Raise at once if a file could not be written at ``path``: before the work, not after it.

    Raises:
        OutputError: a folder or device stands there, or its folder is missing or not writable.
    """
    target = Path(path)
    if target.is_dir():
        raise OutputError("a folder stands there", where=str(target), remedy="name a file")
    if target.exists() and not target.is_file():  # /dev/null would be replaced by a file
        raise OutputError("a device or pipe stands there", where=str(target), remedy="name a file")
    if not target.parent.is_dir():
        raise OutputError(
            f"the folder {str(target.parent)!r} does not exist",
            where=str(target),
            remedy="make it first",
        )
    if not os.access(target.parent, os.W_OK):
        raise OutputError(
            "the folder can't be written", where=str(target), remedy="choose another place"
        )


def check_folder(path: str | Path) -> None:
    """Raise at once if a folder could not be made, or written to, at ``path``.

    Raises:
        OutputError: a file stands there, or the nearest folder above it is not writable.
    """
    target = Path(path)
    if target.exists() and not target.is_dir():
        raise OutputError("a file stands there", where=str(target), remedy="name a folder")
    above = target if target.is_dir() else target.absolute().parent
    while not above.exists():
        above = above.parent
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise OutputError(
            f"the folder {str(above)!r} can't be written",
            where=str(target),
            remedy="choose another place",
        )


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
    return OutputError(
        f"can't be written ({getattr(error, 'strerror', None) or error})",
        where=str(target),
        remedy="check the place and the space left",
    )
