"""``open``: the lab of a network, served until it is interrupted."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from adderlab.blocks import Block, Line, Result
from adderlab.lab.addresses import FIRST_PORT, LOOPBACK, Place, place_for
from adderlab.lab.server import Server, application, content, new_token
from adderlab.nets.importing import NetworkFile
from adderlab.page_data.beginning import beginning, start_of
from adderlab.tasks import TaskLike

DISPLAYS: Final = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
"""Without any of them a browser on Linux would be one in this terminal."""


@dataclass(frozen=True, slots=True)
class Opened(Result):
    """A lab that is being served.

    Attributes:
        address: of the page; whoever knows it may use the lab.
        place: where it listens.
        task: what the network is held against.
        shape: the network's sizes from input to output.
        notes: what had to be assumed in reading it.
    """

    address: str
    place: Place
    task: str
    shape: str
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "address": self.address,
            "host": self.place.host,
            "port": self.place.port,
            "task": self.task,
            "shape": self.shape,
            "notes": list(self.notes),
        }

    def blocks(self) -> tuple[Block, ...]:
        """Return what is shown and what the address is good for, for people."""
        warning = (
            f"whoever reaches {self.place.host} and knows the address can use this lab, and what "
            "they send is not encrypted"
        )
        return (
            Line(f"{self.task}, {self.shape}; Ctrl-C ends the lab", "quiet"),
            *(Line(note, "quiet") for note in self.notes),
            *([] if self.place.is_loopback else [Line(warning, "bad")]),
        )

    def __repr__(self) -> str:
        return f"Opened: {self.task}, {self.shape}, at {self.place.address}"


def open_lab(
    model: str | Path | NetworkFile | None = None,
    task: TaskLike | None = None,
    *,
    host: str = LOOPBACK,
    port: int | None = None,
    has_browser: bool = True,
    on_ready: Callable[[Opened], None] = lambda opened: None,
) -> None:
    """Serve the lab of a network until a signal ends it: Ctrl-C raises ``KeyboardInterrupt``.

    Args:
        model: the path of a network file; the lecture's network unless given.
        task: a task, its name or a table; the network's own unless given.
        host: the address to listen at: this machine alone can reach the default.
        port: 0 for any that is free; left out, the first free one from 8250 on.
        has_browser: whether a browser is opened.
        on_ready: called with what is served, once it is.

    Raises:
        NetworkError: the network is beyond the page.
        TaskError: the task is, or does not fit the network.
        OptionError: the host or the port can't be had.
    """
    first = start_of(model, task)
    net, known, notes = first.network, first.task, first.notes
    shown = content(beginning(net, known))
    place = place_for(host, port)
    if port is None and place.port != FIRST_PORT:
        notes = (*notes, f"port {FIRST_PORT} is in use; {place.port} is the next free one")
    token = new_token()
    opened = Opened(f"{place.address}/{token}/", place, known.name, net.shape, notes)

    def start() -> None:
        on_ready(opened)
        if has_browser and can_show():
            threading.Thread(target=webbrowser.open, args=(opened.address,), daemon=True).start()

    with place.socket:
        Server(application(shown, place, token), start).run(sockets=[place.socket])


def can_show() -> bool:
    """Return whether a browser would open in a window of its own."""
    return sys.platform in ("darwin", "win32") or any(map(os.environ.get, DISPLAYS))
