"""The lab's server: one page and one socket, for whoever knows the address.

Rules: every address begins with a token that is drawn anew for each start; a request for another,
or under a name that is not this machine's, is refused before anything is looked at. What is given
is made at the start; no request reads a file. The page runs no script but the server's own, speaks
to nobody else, and is shown in no other page.
"""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from adderlab import page
from adderlab.errors import OptionError
from adderlab.lab.addresses import Place, is_same_origin
from adderlab.lab.connections import REQUEST_S, bounded
from adderlab.lab.messages import Known, refusal
from adderlab.lab.sessions import Session, Workers
from adderlab.packages import check_installed
from adderlab.page_data import tasks

MOST_PAGES: Final = 500
"""Sockets that are open at once; each holds a file descriptor."""

LARGEST_MESSAGE_BYTES: Final = 4 << 20
"""Beyond it the socket is closed; up to it a message that is too long is refused."""

CLOSING_S: Final = 2
TRY_AGAIN_LATER: Final = 1013

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What every answer says; a socket is to the page's own address, which ``'self'`` covers."""


def new_token() -> str:
    """Return the secret of an address: 128 random bits."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True, slots=True)
class Content:
    """What the server gives.

    Attributes:
        document: the page's HTML.
        files: scripts and style sheets by name, each with its type.
        known: the tasks that the page begins with, by name.
    """

    document: str
    files: Mapping[str, tuple[str, str]]
    known: Known


def content(data: Mapping[str, Any]) -> Content:
    """Return the page that begins with this data (of ``page_data.beginning``)."""
    start = files(page).joinpath("served.js").read_text(encoding="utf-8")
    name = data["start"]["task"]["name"]
    return Content(
        document=page.document(
            title=f"{name} – adderlab",
            style="lab.css",
            script="served.js",
            state=json.dumps(data, allow_nan=False, separators=(",", ":")),
        ),
        files={
            "lab.js": (page.module(), "text/javascript"),
            "served.js": (start, "text/javascript"),
            "lab.css": (page.style(), "text/css"),
        },
        known={task["name"]: tasks.from_page(task) for task in data["tasks"]},
    )


class Guard:
    """What stands before the application: names, origins and the token are checked, headers set."""

    def __init__(self, app: ASGIApp, place: Place, token: str) -> None:
        self._app = app
        self._place = place
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        refused = self._refusal(scope)
        if refused is None:
            await self._app(scope, receive, send_with_headers)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refused(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._place.is_served(hosts[0]):
            return PlainTextResponse("this name is not served here\n", status_code=403)
        origin = headers.get("origin")
        if origin is None and scope["type"] == "websocket":
            return PlainTextResponse("a socket is opened by the page\n", status_code=403)
        if origin is not None and not is_same_origin(origin, hosts[0]):
            return PlainTextResponse("another page's requests are refused\n", status_code=403)
        first = scope["path"].split("/")[1:2]
        if not first or not secrets.compare_digest(first[0].encode(), self._token.encode()):
            return PlainTextResponse("there is nothing at this address\n", status_code=404)
        return None


def application(shown: Content, place: Place, token: str) -> ASGIApp:
    """Return the lab as an ASGI application."""
    workers = Workers()
    open_pages: set[WebSocket] = set()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        yield
        workers.close()

    async def document(_: Request) -> Response:
        return HTMLResponse(shown.document)

    async def file(request: Request) -> Response:
        text, kind = shown.files[request.url.path.rpartition("/")[2]]
        return Response(text, media_type=kind)

    async def converse(own: WebSocket) -> None:
        await own.accept()
        if len(open_pages) >= MOST_PAGES:
            await own.send_json(refusal(None, _too_many()))
            await own.close(TRY_AGAIN_LATER)
            return
        open_pages.add(own)
        try:
            await Session(own, workers, shown.known).serve()
        finally:
            open_pages.discard(own)

    routes = [
        Route(f"/{token}/", document),
        *(Route(f"/{token}/{name}", file) for name in shown.files),
        WebSocketRoute(f"/{token}/socket", converse),
    ]
    return Guard(Starlette(routes=routes, lifespan=lifespan), place, token)


class Server(uvicorn.Server):
    """The server of one lab.

    Args:
        app: :func:`application`.
        on_started: called once requests are answered.
        request_s: seconds that a connection has for a request.
    """

    def __init__(
        self,
        app: ASGIApp,
        on_started: Callable[[], None] = lambda: None,
        *,
        request_s: float = REQUEST_S,
    ) -> None:
        check_installed("websockets")  # uvicorn loads it by its name, and has no sockets without it
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http=bounded(request_s),
            lifespan="on",
            ws_max_size=LARGEST_MESSAGE_BYTES,
            ws_per_message_deflate=False,
            log_config=None,
            log_level="critical",  # a stranger's faulty bytes are no news for a terminal
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=CLOSING_S,
        )
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets=sockets)
        self._on_started()


def _too_many() -> OptionError:
    return OptionError(
        f"{MOST_PAGES} pages are open", where="socket", remedy="close one and load this one again"
    )
