"""What the command line prints: people's text, or one JSON object, on whatever terminal.

Rule: with ``--json`` standard output carries one JSON object and nothing else, and people's
text goes to standard error; and no character is printed that the terminal can't show. A stream
that is closed is as ``/dev/null``: the exit code speaks for itself.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, TextIO

from rich.console import Console

from adderlab.cli.arguments import ORDER, remarks_with_options

if TYPE_CHECKING:
    from rich.progress import Progress

    from adderlab.blocks import Block, Chapter
    from adderlab.blocks.kinds import Tone

PLAIN: Final = {
    "→": "->",
    "−": "-",
    "–": "-",
    "—": "-",
    "×": "x",
    "·": "*",
    "≥": ">=",
    "≤": "<=",
    "…": "...",
    "✓": "+",
    "✗": "x",
    "²": "^2",
    "µ": "u",
    "“": '"',
    "”": '"',
    "’": "'",
    "≈": "~",
    "∞": "inf",
    "─": "-",
    "━": "-",
    "╸": "-",
    "╺": "-",
    "•": "*",
    "∂": "d",
    "█": "#",
    "│": "|",
}
"""Stand-ins for characters that an ASCII or cp1252 terminal lacks."""

MOST_COLUMNS: Final = 10_000
"""Columns of a terminal, and lines, beyond which nothing is padded."""


def _plain(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    lost = error.object[error.start : error.end]
    return "".join(PLAIN.get(character, "?") for character in lost), error.end


def prepare_streams() -> None:
    """Let standard output and error replace what their encoding lacks instead of failing.

    Those that were closed when Python began are opened on nothing, in the order of their file
    descriptors: else the next file that is opened would be where a library complains.
    """
    codecs.register_error("adderlab", _plain)
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123 -- until exit
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 -- until exit
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 -- until exit
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="adderlab")


def prepare_size() -> None:
    """Let ``COLUMNS`` and ``LINES`` be a size that Rich can work with: neither 0 nor huge."""
    for name in ("COLUMNS", "LINES"):
        text = os.environ.get(name)
        if text is None:
            continue
        digits = text.strip().lstrip("0")
        if not (digits.isascii() and digits.isdigit()):  # Rich would take 0 and fail at ²
            del os.environ[name]
        elif len(digits) >= len(str(MOST_COLUMNS)):
            os.environ[name] = str(MOST_COLUMNS)


class Screen:
    """Where a command prints; ``as_json`` moves people's text out of the way."""

    def __init__(self, *, as_json: bool = False) -> None:
        from adderlab.blocks.terminal import Terminal  # here, so that --help loads no blocks

        self.as_json = as_json
        self.console = Console(stderr=as_json, highlight=False, markup=False, emoji=False)
        self._terminal = Terminal(self.console)

    def show(self, blocks: Iterable[Block], *, unwritten: str = "") -> None:
        """Print a result's blocks; of one that was not written, how ``-o`` would keep it."""
        self._terminal.write(remarks_with_options(blocks, ORDER))
        if unwritten:
            hint = f"not written (add -o {unwritten} to keep it)"
            self.line(hint, "quiet")

    def show_chapter(self, chapter: Chapter) -> None:
        """Print a chapter."""
        self._terminal.write_chapter(chapter)

    def line(self, text: str, tone: Tone = "plain") -> None:
        """Print one line that belongs to no result: an epoch's loss, a hint."""
        from adderlab.blocks import Line

        self._terminal.write((Line(text, tone),))

    def lines(self, lines: Iterable[str]) -> None:
        """Write lines as they stand, of any length, for other programs: never folded."""
        stream = sys.stderr if self.as_json else sys.stdout
        _ = stream.writelines(f"{line}\n" for line in lines)
        _ = stream.flush()

    def json(self, result: dict[str, Any]) -> None:
        """Print the result object, if it was asked for."""
        if self.as_json:
            print_json(result)

    def progress(self) -> Progress:
        """Return a progress bar with rate and time left, on standard error, gone when done."""
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        console = Console(stderr=True, highlight=False)
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(show_speed=False),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )


def print_json(result: dict[str, Any]) -> None:
    """Print one JSON object on standard output; whole numbers of any length come out whole."""
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        _ = sys.stdout.write(json.dumps(result, allow_nan=False) + "\n")
        _ = sys.stdout.flush()
    finally:
        sys.set_int_max_str_digits(limit)


def complain(text: str, stream: TextIO | None = None) -> None:
    """Print one line of complaint on standard error."""
    _ = (stream or sys.stderr).write(f"adderlab: {' '.join(text.split())}\n")
