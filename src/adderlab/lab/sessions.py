"""One page's conversation: its messages are read, bounded in rate, worked on in threads, answered.

Rules: a page has at most one proof at work and one waiting, the latest; other work is done one
message after another, and nothing more is read meanwhile. So a page that sends without end, or
that reads nothing, holds two threads at most, and its own socket alone is slowed down.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from adderlab.errors import OptionError
from adderlab.lab.messages import LOGGER, Known, Refused, Request, parse, refusal

RATE: Final = 100.0
"""Messages a second; a drag sends one a frame."""

BURST: Final = 300.0
CHARACTERS_OF_ONE: Final = 1 << 14
"""A longer message counts as several."""

SHORT: Final = 1 << 12
"""Characters up to which a message is parsed where it is read: within a millisecond or two."""

SENDING_S: Final = 20.0
"""Seconds in which a page must take an answer."""


@dataclass(slots=True)
class Allowance:
    """What a page may still send: it fills at a rate, up to a burst."""

    left: float = BURST
    at: float = field(default_factory=time.monotonic)

    def take(self, characters: int) -> float:
        """Return 0 where a message may pass, else the seconds until it might have."""
        now = time.monotonic()
        self.left = min(BURST, self.left + RATE * (now - self.at))
        self.at = now
        cost = 1 + characters / CHARACTERS_OF_ONE
        if cost > self.left:
            return (cost - self.left) / RATE
        self.left -= cost
        return 0.0


class Session:
    """A page's conversation, from its first message to its end.

    Args:
        socket: an accepted one.
        workers: threads that all pages share; whoever waits is served in turn.
        known: the tasks that the page began with.
    """

    def __init__(self, socket: WebSocket, workers: Executor, known: Known) -> None:
        self._socket = socket
        self._workers = workers
        self._known = known
        self._allowance = Allowance()
        self._at_work: set[int] = set()
        self._waiting: Request | None = None
        self._is_waiting = asyncio.Event()

    async def serve(self) -> None:
        """Answer until the page is gone."""
        tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._prove())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                _ = task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for task, result in zip(tasks, results, strict=True):
            is_end = isinstance(result, WebSocketDisconnect | TimeoutError | RuntimeError)
            if task in done and isinstance(result, Exception) and not is_end:
                logging.getLogger(LOGGER).error("a page's conversation ended", exc_info=result)

    async def _read(self) -> None:
        while True:
            event = await self._socket.receive()
            if event["type"] == "websocket.disconnect":
                return
            text = event.get("text")
            message = text if isinstance(text, str) else event.get("bytes") or b""
            wait_s = self._allowance.take(len(message))
            if wait_s:
                await self._send(refusal(None, _too_fast()))
                await asyncio.sleep(wait_s)  # nothing is read meanwhile
                continue
            try:
                request = await self._parsed(message)
            except Refused as refused:
                await self._send(refused.answer)
                continue
            await self._take(request)

    async def _parsed(self, message: str | bytes) -> Request:
        if len(message) <= SHORT:
            return parse(message)
        return await self._run(parse, message)

    async def _take(self, request: Request) -> None:
        if request.number in self._at_work:
            await self._send(refusal(request.number, _at_work(request.number)))
            return
        self._at_work.add(request.number)
        if not request.kind.is_latest:
            await self._answer(request)
            return
        earlier, self._waiting = self._waiting, request
        self._is_waiting.set()
        if earlier is not None:
            self._at_work.discard(earlier.number)
            await self._send(refusal(earlier.number, _superseded()))

    async def _prove(self) -> None:
        while True:
            _ = await self._is_waiting.wait()
            self._is_waiting.clear()
            request, self._waiting = self._waiting, None
            assert request is not None
            await self._answer(request)

    async def _answer(self, request: Request) -> None:
        answer = await self._run(request.answer, self._known)
        self._at_work.discard(request.number)
        await self._send(answer)

    async def _run(self, function: Any, *arguments: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._workers, function, *arguments)

    async def _send(self, answer: dict[str, Any]) -> None:
        """Send an answer; a page that takes none for long is left."""
        text = json.dumps(answer, allow_nan=False, separators=(",", ":"))
        await asyncio.wait_for(self._socket.send_text(text), SENDING_S)


def _too_fast() -> OptionError:
    return OptionError(
        f"messages come faster than {RATE:g} a second",
        where="message",
        remedy="send fewer: this one was not read",
    )


def _at_work(number: int) -> OptionError:
    return OptionError(
        f"the message {number} is still at work",
        where="message",
        remedy="give each message a number of its own",
    )


def _superseded() -> OptionError:
    return OptionError(
        "a later proof took its place", where="message", remedy="wait for the later one's verdict"
    )
