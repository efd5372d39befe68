"""One step a key press: chapters shown one after the other, until q or the last of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import typer

if TYPE_CHECKING:
    from adderlab.blocks import Chapter
    from adderlab.cli.output import Screen

ENDS: Final = ("q", "Q", "\x1b")
"""Keys that end it, as do Ctrl-D and the end of the input: q and Escape."""


def step_through(screen: Screen, chapters: Sequence[Chapter]) -> None:
    """Show one chapter a key press; where nobody can press a key, all at once, and say so."""
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if not is_terminal:
        note = "--step waits for keys, and this is no terminal: here are all the steps"
        screen.line(note)
    for at, chapter in enumerate(chapters, 1):
        screen.show_chapter(chapter)
        if is_terminal and at < len(chapters):
            hint = f"step {at} of {len(chapters)}: any key for the next, q to end"
            screen.line("")
            screen.line(hint, "quiet")
            if _key() in ENDS:
                return


def _key() -> str:
    """Wait for one key; Ctrl-C interrupts, and the end of the input is a q."""
    try:
        return typer.getchar()
    except EOFError:
        return "q"
