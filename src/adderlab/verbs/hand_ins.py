"""The files that were handed in: what lies in a folder, and what is left out of it.

Rule: no file is opened but for its first bytes, and none outside the folder: a link that leads out,
or to a folder, is an entry that is refused. Names that begin with a dot are no hand-ins.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from adderlab.errors import OptionError
from adderlab.nets.file_kinds import HEAD_BYTES, ONNX_HEAD
from adderlab.reading import Refusals, opened

OUTSIDE: Final = "a link that leads out of the folder, which is not followed"
LINKED_FOLDER: Final = "a link to a folder, which is not followed"
BROKEN: Final = "a link that leads nowhere"
SPECIAL: Final = "not a regular file"


@dataclass(frozen=True, slots=True)
class HandIn:
    """A file that was handed in.

    Attributes:
        name: relative to the folder, as it is shown.
        path: of the file.
        fault: why it is not looked at; empty where it is.
        imports: the libraries that reading it will probably take.
    """

    name: str
    path: str
    fault: str = ""
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Folder:
    """What lies in a folder.

    Attributes:
        files: sorted by name.
        hidden: how many names that begin with a dot were left out.
    """

    files: tuple[HandIn, ...]
    hidden: int

    def importing(self, library: str) -> Folder:
        """Return the same with a library more that judging each file will take."""
        files = (replace(file, imports=(*file.imports, library)) for file in self.files)
        return replace(self, files=tuple(files))


def shown_name(name: str) -> str:
    r"""Return a file's name in characters that can be printed, in one line; no two share one.

    What can't be printed is escaped as Python has it, and so is a backslash; ``\xff`` is a byte
    that is no UTF-8.

    Examples:
        >>> print(shown_name("a\nb"), shown_name("a\udcff"), shown_name("a\\b"), shown_name("ä"))
        a\x0ab a\xff a\\b ä
    """
    return "".join(character if _is_plain(character) else _escaped(character) for character in name)


def _is_plain(character: str) -> bool:
    return character.isprintable() and character != "\\"


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # how Python has a byte of a name that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if character == "\\":
        return "\\\\"
    return (
        f"\\x{code:02x}" if code < 0x80 else f"\\U{code:08x}" if code > 0xFFFF else f"\\u{code:04x}"
    )


def files_in(folder: Path) -> Folder:
    """Return what was handed in, in a folder and the folders in it.

    Raises:
        OptionError: there is no such folder, or nothing in it.
    """
    try:
        is_there = stat.S_ISDIR(folder.stat().st_mode)
    except (OSError, ValueError):  # ValueError: a zero byte in the path
        raise OptionError("no such folder", where=str(folder), remedy="check the path") from None
    if not is_there:
        raise OptionError(
            "a file, not a folder", where=str(folder), remedy="name the folder of the files"
        )
    root = os.path.realpath(folder)
    files: list[HandIn] = []
    hidden = 0
    waiting = [("", root)]
    while waiting:
        inside, place = waiting.pop()
        try:
            with os.scandir(place) as scan:
                entries = list(scan)
        except OSError as error:
            if not inside:
                raise OptionError(
                    f"can't be read ({error.strerror})",
                    where=str(folder),
                    remedy="check its permissions",
                ) from None
            fault = f"a folder that can't be read ({error.strerror})"
            files.append(HandIn(inside, place, fault))
            continue
        for entry in entries:
            name = f"{inside}/{entry.name}" if inside else entry.name
            if entry.name.startswith("."):
                hidden += 1
            elif entry.is_dir(follow_symlinks=False):
                waiting.append((name, entry.path))
            else:
                fault = _fault_of(entry, root)
                files.append(HandIn(name, entry.path, fault, () if fault else _imports(entry.path)))
    if not files:
        raise OptionError(
            "no file in it" + (f", but {hidden} hidden" if hidden else ""),
            where=str(folder),
            remedy="name the folder of the files to grade",
        )
    files.sort(key=lambda file: os.fsencode(file.name))
    shown = (HandIn(shown_name(f.name), f.path, f.fault, f.imports) for f in files)
    return Folder(tuple(shown), hidden)


def _fault_of(entry: os.DirEntry[str], root: str) -> str:
    try:
        if entry.is_symlink():
            target = Path(os.path.realpath(entry.path))
            if not target.is_relative_to(root):
                return OUTSIDE
            if not target.exists():
                return BROKEN
            if target.is_dir():
                return LINKED_FOLDER
        return "" if entry.is_file() else SPECIAL
    except OSError as error:
        return f"can't be read ({error.strerror})"


def _imports(path: str) -> tuple[str, ...]:
    """Return what reading a file will probably take, by its first bytes; nothing is parsed."""
    try:
        with opened(path, Refusals(OptionError)) as (file, _):
            head = file.read(HEAD_BYTES)
    except OptionError:  # it is refused when it is its turn
        return ()
    if head.startswith(b"PK") and b"/data.pkl" in head:
        return ("adderlab.nets.importing.checkpoint", "torch")
    if Path(path).suffix.lower() == ".onnx" or ONNX_HEAD.match(head):
        return ("adderlab.nets.onnx", "onnx.reference")
    return ()
