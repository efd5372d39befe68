"""One screen a key press: chapters shown one after the other, until q or the last of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from adderlab.blocks import Chapter
    from adderlab.cli.output import Screen

ENDS: Final = ("q", "Q", "\x1b", "\x04", "")
"""Keys that end it: q, Escape, Ctrl-D, and no key at all because the input has ended."""

INTERRUPT: Final = "\x03"


def step_through(screen: Screen, chapters: Sequence[Chapter]) -> None:
    """Show one chapter a key press; where nobody can press a key, all at once, and say so."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        screen.say("--step waits for keys, and this is no terminal: here are all the steps")
        for chapter in chapters:
            screen.show_chapter(chapter)
        return
    with _keys() as key:
        for at, chapter in enumerate(chapters, 1):
            screen.show_chapter(chapter)
            if at == len(chapters):
                return
            screen.say()
            screen.say(f"step {at} of {len(chapters)}: any key for the next, q to end", style="dim")
            pressed = key()
            if pressed == INTERRUPT:
                raise KeyboardInterrupt
            if pressed in ENDS:
                return


@contextmanager
def _keys() -> Generator[Callable[[], str]]:
    """Yield a function that waits for one key; the terminal is as it was afterwards."""
    if os.name == "nt":
        import msvcrt

        yield msvcrt.getwch  # type: ignore[attr-defined] -- Windows alone has it
        return
    import select
    import termios
    import tty

    stream = sys.stdin.fileno()
    before = termios.tcgetattr(stream)

    def key() -> str:
        pressed = os.read(stream, 1)
        while pressed.startswith(b"\x1b") and select.select([stream], [], [], 0.02)[0]:
            pressed += os.read(stream, 1)  # an arrow is several bytes, and one key
        return pressed.decode("utf-8", errors="replace")

    try:
        # A key arrives at once, Ctrl-C still interrupts, and no key that came early is lost.
        _ = tty.setcbreak(stream, termios.TCSADRAIN)
        yield key
    finally:
        termios.tcsetattr(stream, termios.TCSADRAIN, before)
