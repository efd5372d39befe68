"""Files as data: the one way in which a file that somebody named is opened, and its JSON is parsed.

Rules: nothing but a regular file is opened, whatever links lead to it, so that no pipe is waited
for and no device is touched; no more is read than the limit, whatever size the file claims. JSON
names no key twice, and its nesting is shallow enough for any function that calls itself.
"""

from __future__ import annotations

import errno
import io
import json
import math
import os
import stat
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any, BinaryIO, Final

from adderlab import limits
from adderlab.errors import AdderlabError

MOST_LEVELS: Final = 100
"""Lists and objects within each other that a JSON text may have; ours have fewer than ten."""

PIECE_BYTES: Final = 1 << 24
"""Bytes that are read between two looks at the limits."""

_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOCTTY", 0)  # a terminal that took the file's place does not become ours
    | getattr(os, "O_NONBLOCK", 0)  # a pipe that took the file's place is not waited for
)


MOST_ENTRIES: Final = 10_000
"""Entries of a folder that are looked at for a file that may be meant."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """How a file that can't be read is refused.

    Attributes:
        error: of which class.
        remedy: what to do where it is no regular file.
        too_large: what to do where it is too large.
        where: what names the file; its path unless given.
        ending: of such files, ``.safetensors``: where a folder is named, one in it is suggested.
    """

    error: type[AdderlabError]
    remedy: str = "name a file"
    too_large: str = "name a smaller file"
    where: str = ""
    ending: str = ""


@contextmanager
def opened(path: str | Path, refusals: Refusals) -> Generator[tuple[BinaryIO, int]]:
    """Yield a regular file that is open for reading, and its size in bytes.

    Args:
        path: the file.
        refusals: how it is refused.

    Raises:
        AdderlabError: of the class of ``refusals``: it is missing, not a regular file, or can't
            be read, now or within the block.
    """
    where = refusals.where or str(path)
    try:
        file = _open(path, where, refusals)
    except ValueError as error:  # a zero byte in the path, or what no encoding has
        if isinstance(error, AdderlabError):
            raise
        what = "embedded null byte" if "\0" in str(path) else str(error)  # Pythons differ
        raise _unread(where, what, refusals) from None
    except OSError as error:
        raise _refused(where, error, refusals) from None
    with file:
        try:
            yield file, os.fstat(file.fileno()).st_size
        except OSError as error:
            raise _refused(where, error, refusals) from None


def read_file(path: str | Path, most_bytes: int, refusals: Refusals) -> bytes:
    """Return the bytes of a regular file.

    Args:
        path: the file.
        most_bytes: the size up to which it is read.
        refusals: how it is refused.

    Raises:
        AdderlabError: of the class of ``refusals``: as of :func:`opened`, or it is too large.
    """
    with opened(path, refusals) as (file, size):
        data = b"" if size > most_bytes else _content(file, size, most_bytes + 1)
        size = max(size, len(data))  # a file may grow, or not tell its size, as those of /proc
        if size > most_bytes:
            raise refusals.error(
                f"{size} bytes are over the limit of {most_bytes}",
                where=refusals.where or str(path),
                remedy=refusals.too_large,
            )
        return data


def _content(file: BinaryIO, size: int, most: int) -> bytes:
    """Return what is in a file, at most so many bytes, read piece by piece."""
    limits.check(size)
    content = io.BytesIO()  # it gives what was written to it without a copy
    while (left := most - content.tell()) > 0:
        piece: Any = file.read(min(PIECE_BYTES, left))
        if piece is None:  # a file of /proc that has nothing yet
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        if not piece:
            break
        _ = content.write(piece)
        limits.check()
    return content.getvalue()


class JsonError(ValueError):
    """What is wrong with a JSON text, as the rest of a sentence: ``names 'x' twice``."""


def parse_json(
    raw: bytes | str, *, is_finite: bool = True, integer: Callable[[str], int] = int
) -> Any:
    """Return the value of a JSON text that names no key twice and is not deeply nested.

    Args:
        raw: the text; bytes are UTF-8.
        is_finite: whether NaN, infinities and numbers beyond double are refused.
        integer: what reads whole numbers; ``int`` reads 4,300 digits at most.

    Raises:
        JsonError: it is not such a text.
        CapReached: a limit of the command at work is reached; between numbers it is looked at.

    Examples:
        >>> parse_json('{"a": [1, 2.5]}')
        {'a': [1, 2.5]}
    """
    try:
        text = raw if isinstance(raw, str) else raw.decode()  # json would guess UTF-16 too
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_constant if is_finite else None,
            parse_float=_limited(_number if is_finite else float),
            parse_int=_limited(integer),
        )
    except JsonError:
        raise
    except RecursionError:
        raise JsonError(f"is nested more than {MOST_LEVELS} levels deep") from None
    except ValueError as error:
        raise JsonError(f"is not valid JSON ({str(error)[:80]})") from None
    if is_deep(value, MOST_LEVELS):
        raise JsonError(f"is nested more than {MOST_LEVELS} levels deep")
    return value


def is_deep(value: Any, most: int) -> bool:
    """Return whether lists, tuples and dictionaries are within each other more than so often."""
    level = [value] if isinstance(value, list | tuple | dict) else []
    for _ in range(most):
        entries = {  # by identity: a list may hold itself, and twice
            id(entry): entry
            for container in level
            for entry in limits.each(
                container.values() if isinstance(container, dict) else container
            )
            if isinstance(entry, list | tuple | dict)
        }
        level = list(entries.values())
    return bool(level)


def _open(path: str | Path, where: str, refusals: Refusals) -> BinaryIO:
    status = Path(path).stat()
    if stat.S_ISDIR(status.st_mode):
        raise refusals.error("a folder, not a file", where=where, remedy=_file_in(path, refusals))
    _check_regular(status, where, refusals)  # before opening: a device may notice that
    file = open(path, "rb", opener=lambda name, _: os.open(name, _FLAGS))  # noqa: SIM115 -- returned open
    try:
        _check_regular(os.fstat(file.fileno()), where, refusals)  # of what was opened
    except BaseException:
        file.close()
        raise
    return file


def _file_in(folder: str | Path, refusals: Refusals) -> str:
    """Return which file of a folder may be meant: a run's best, else the first by name."""
    if not refusals.ending:
        return refusals.remedy
    try:
        with os.scandir(folder) as entries:
            names = sorted(
                entry.name
                for entry in islice(entries, MOST_ENTRIES)
                if entry.name.endswith(refusals.ending) and entry.is_file()
            )
    except OSError:
        return refusals.remedy
    if not names:
        return refusals.remedy
    best = f"best{refusals.ending}"
    return f"name a file in it, like {Path(folder, best if best in names else names[0])}"


def _check_regular(status: os.stat_result, where: str, refusals: Refusals) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise refusals.error("not a regular file", where=where, remedy=refusals.remedy)


def _refused(where: str, error: OSError, refusals: Refusals) -> AdderlabError:
    if isinstance(error, AdderlabError):
        return error
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return refusals.error("no such file", where=where, remedy="check the path")
    return _unread(where, error.strerror or str(error), refusals)


def _unread(where: str, reason: str, refusals: Refusals) -> AdderlabError:
    what = f"can't be read ({reason})"
    return refusals.error(what, where=where, remedy="check the path and its permissions")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))
        raise JsonError(f"names {twice[:60]!r} twice")
    return entries


def _limited(number: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return how numbers are read, with a look at the limits now and then: json has none."""
    calls = count(1)

    def read(digits: str) -> Any:
        if next(calls) % limits.STEPS_AT_ONCE == 0:
            limits.check()
        return number(digits)

    return read


def _constant(name: str) -> Any:
    raise JsonError(f"holds {name}, which is no number")


def _number(digits: str) -> float:
    value = float(digits)
    return value if math.isfinite(value) else _constant(digits[:60])
