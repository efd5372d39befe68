"""A C compiler, where one is at hand, and the program that it makes of a header and a driver.

Rule: the header alone is at stake. A compiler that fails on a driver without it shows nothing, and
sanitizers that are not installed are left out and not claimed.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adderlab.exporting.programs import run_program

NAMES: Final = ("cc", "gcc", "clang")
REMEDY: Final = "install a C compiler, such as gcc or clang, or name it in the variable CC"
WARNINGS: Final = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")
FAST: Final = ("-O2",)
SANITIZED: Final = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
PATIENCE_S: Final = 120.0
"""Seconds that the compiler may take, once."""

_NOTHING: Final = (
    "#include <float.h>\n#include <math.h>\n#include <stddef.h>\n#include <stdint.h>\n"
)


@dataclass(frozen=True, slots=True)
class Built:
    """What compiling came to.

    Attributes:
        program: what it made; ``None`` where it made nothing.
        reason: why, where it made nothing.
        is_own_fault: whether the compiler can't compile an empty program either.
    """

    program: Path | None
    reason: str = ""
    is_own_fault: bool = False


def environment() -> dict[str, str]:
    """Return the variables under which programs run: messages in ASCII, and no search for leaks.

    The search for leaks fails where a process may not be traced, and nothing here allocates.
    """
    return {**os.environ, "LC_ALL": "C", "ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": ""}


def compiler() -> str | None:
    """Return the path of a C compiler: the one that CC names, or the first of :data:`NAMES`."""
    named = os.environ.get("CC", "")
    paths = (shutil.which(name) for name in (named, *NAMES) if name)
    return next((path for path in paths if path is not None), None)


def build(command: str, folder: Path, options: tuple[str, ...], name: str) -> Built:
    """Return the program of ``main.c`` in a folder, compiled with warnings as errors."""
    program = folder / name
    words = (command, *WARNINGS, *options, "main.c", "-lm", "-o", name)
    ran = run_program(words, folder=folder, patience_s=PATIENCE_S, environment=environment())
    if ran is None:
        return Built(None, f"{Path(command).name} did not end in {PATIENCE_S:g} s", True)
    if ran.code == 0 and program.exists():
        return Built(program)
    reason = ran.complaint or ran.error or "it made no program"
    return Built(None, reason, not _works(command, folder))


def _works(command: str, folder: Path) -> bool:
    """Return whether a compiler compiles a program that does nothing."""
    _ = (folder / "nothing.c").write_text(f"{_NOTHING}int main(void) {{ return 0; }}\n")
    words = (command, *WARNINGS, "nothing.c", "-lm", "-o", "nothing")
    ran = run_program(words, folder=folder, patience_s=PATIENCE_S)
    return ran is not None and ran.code == 0 and (folder / "nothing").exists()
