"""One page's conversation: its messages are read, bounded in rate, worked on in threads, answered.

Rules: a page has at most one proof at work and one waiting, the latest; other work is done one
message after another, and nothing more is read meanwhile. So a page that sends without end, or
that reads nothing, holds three threads at most, and its own socket alone is slowed down. Pages
whose work takes long share threads of their own, so that work of milliseconds never waits behind
it. So do populations, one of a page at a time, which end with their page or when it cancels them.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from adderlab.errors import OptionError
from adderlab.lab.messages import (
    LOGGER,
    CancelMessage,
    Known,
    Refused,
    Request,
    parse,
    refusal,
)
from adderlab.limits import Budget

RATE: Final = 100.0
"""Messages a second; a drag sends one a frame."""

BURST: Final = 300.0
CHARACTERS_OF_ONE: Final = 1 << 14
"""A longer message counts as several."""

SHORT: Final = 1 << 12
"""Characters up to which a message is parsed where it is read: within a millisecond or two."""

SENDING_S: Final = 20.0
"""Seconds in which a page must take an answer."""

SLOW_S: Final = 0.1
"""Seconds of a processor beyond which work is slow: a lesson's networks take a fifth of it."""

SLOW_FOR_S: Final = 10.0
"""Seconds for which a page is slow after such work."""

QUICK_THREADS: Final = 6
SLOW_THREADS: Final = 2
TRAINING_THREADS: Final = 2

MOST_TRAININGS: Final = 16
"""Populations at work and waiting, of all pages; one more is refused."""


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


class Workers:
    """The threads that all pages share; whoever waits is served in turn."""

    def __init__(self) -> None:
        self.quick = ThreadPoolExecutor(QUICK_THREADS, "adderlab-lab-quick")
        self.slow = ThreadPoolExecutor(SLOW_THREADS, "adderlab-lab-slow")
        self.training = ThreadPoolExecutor(TRAINING_THREADS, "adderlab-lab-training")
        self.trainings = 0

    def close(self) -> None:
        """Begin nothing more."""
        for threads in (self.quick, self.slow, self.training):
            threads.shutdown(wait=False, cancel_futures=True)


class Session:
    """A page's conversation, from its first message to its end.

    Args:
        socket: an accepted one.
        workers: the threads.
        known: the tasks that the page began with.
    """

    def __init__(self, socket: WebSocket, workers: Workers, known: Known) -> None:
        self._socket = socket
        self._workers = workers
        self._known = known
        self._slow_until = 0.0
        self._allowance = Allowance()
        self._at_work: set[int] = set()
        self._waiting: Request | None = None
        self._is_waiting = asyncio.Event()
        self._training: asyncio.Task[None] | None = None
        self._trained = 0

    async def serve(self) -> None:
        """Answer until the page is gone."""
        tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._prove())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if self._training is not None:
                tasks.append(self._training)
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
        if request.kind.limits is not None:
            await self._begin_training(request, request.kind.limits())
            return
        if isinstance(request.message, CancelMessage) and self._training is not None:
            await self._cancel_training(request)
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

    async def _begin_training(self, request: Request, budget: Budget) -> None:
        if self._training is not None:
            await self._send(refusal(request.number, _is_training()))
        elif self._workers.trainings >= MOST_TRAININGS:
            await self._send(refusal(request.number, _too_many_train()))
        else:
            self._at_work.add(request.number)
            self._workers.trainings += 1
            self._trained = request.number
            self._training = asyncio.create_task(self._train(request, budget))
            await asyncio.sleep(0)  # it begins: a task that is canceled before cleans nothing up

    async def _cancel_training(self, request: Request) -> None:
        """Answer both messages at once; the thread ends its work within a moment."""
        training, number = self._training, self._trained
        assert training is not None
        is_answered = number not in self._at_work
        if not is_answered:
            _ = training.cancel()
        _ = await asyncio.wait([training])
        if not is_answered:
            self._at_work.discard(number)
            await self._send(refusal(number, _cancelled()))
        await self._send({"id": request.number, "type": "cancelled"})

    async def _train(self, request: Request, budget: Budget) -> None:
        """Send the answer to work of seconds; where the page leaves, the work ends."""
        future = self._workers.training.submit(request.answer, self._known, budget)
        try:
            answer = await asyncio.wrap_future(future)
            self._at_work.discard(request.number)
            with suppress(WebSocketDisconnect, TimeoutError, RuntimeError):  # the page has left
                await self._send(answer)
        finally:
            budget.deadline = 0.0
            self._workers.trainings -= 1
            self._training = None

    async def _answer(self, request: Request) -> None:
        answer = await self._run(request.answer, self._known)
        self._at_work.discard(request.number)
        await self._send(answer)

    async def _run(self, function: Any, *arguments: Any) -> Any:
        """Return what a function gives in a thread; refusals are raised."""
        is_slow = time.monotonic() < self._slow_until
        threads = self._workers.slow if is_slow else self._workers.quick
        loop = asyncio.get_running_loop()
        result, seconds = await loop.run_in_executor(threads, _timed, function, *arguments)
        if seconds > SLOW_S:
            self._slow_until = time.monotonic() + SLOW_FOR_S
        if isinstance(result, Refused):
            raise result
        return result

    async def _send(self, answer: dict[str, Any]) -> None:
        """Send an answer; a page that takes none for long is left."""
        text = json.dumps(answer, allow_nan=False, separators=(",", ":"))
        await asyncio.wait_for(self._socket.send_text(text), SENDING_S)


def _timed(function: Any, *arguments: Any) -> tuple[Any, float]:
    """Return what a function gives, or how it refused, and the seconds that its thread computed."""
    start = time.thread_time()
    try:
        result = function(*arguments)
    except Refused as refused:
        result = refused
    return result, time.thread_time() - start


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


def _is_training() -> OptionError:
    return OptionError(
        "this page's networks are still being trained",
        where="message",
        remedy="wait for their answer",
    )


def _cancelled() -> OptionError:
    return OptionError("it was cancelled", where="train", remedy="train again")


def _too_many_train() -> OptionError:
    return OptionError(
        f"{MOST_TRAININGS} pages have networks trained already",
        where="message",
        remedy="try again in a few seconds",
    )
