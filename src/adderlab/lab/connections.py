"""HTTP connections that end: a request comes whole, and its answer is taken, within a time.

Rule: nobody holds a connection by sending nothing, a byte at a time, or half a body, or by reading
nothing. A connection that became a WebSocket is its session's to end.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_S: Final = 30.0
"""Seconds from the connection, or from the answer before, until a request is answered and taken."""


def bounded(request_s: float) -> type[H11Protocol]:
    """Return uvicorn's protocol with a time limit.

    Args:
        request_s: seconds after which a connection is cut.
    """

    class Bounded(H11Protocol):
        _limit: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._begin()

        def on_response_complete(self) -> None:
            self._begin()
            super().on_response_complete()

        def handle_websocket_upgrade(self, event: Any) -> None:
            self._end()
            super().handle_websocket_upgrade(event)

        def connection_lost(self, exc: Exception | None) -> None:
            self._end()
            super().connection_lost(exc)

        def _begin(self) -> None:
            self._end()
            self._limit = self.loop.call_later(request_s, self.transport.abort)

        def _end(self) -> None:
            if self._limit is not None:
                self._limit.cancel()
                self._limit = None

    return Bounded
