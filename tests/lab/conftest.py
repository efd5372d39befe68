"""What the tests of the lab share: a server of it on a free port, and pages that speak to it."""

from __future__ import annotations

import itertools
import json
import threading
from contextlib import contextmanager
from typing import NamedTuple

import pytest
from websockets.sync.client import connect

from adderlab.building import lecture_network
from adderlab.lab import server
from adderlab.lab.addresses import place_for
from adderlab.page_data import beginning, networks, tasks
from adderlab.tasks import task_named

TOKEN = "a-token-of-a-test"


class Page:
    """A page's socket: what it sends, and the answers."""

    def __init__(self, socket) -> None:
        self.socket = socket
        self._numbers = itertools.count(1)

    def send(self, **message) -> int:
        """Send a message and return its number."""
        number = next(self._numbers)
        self.socket.send(json.dumps({"id": number, **message}))
        return number

    def answer(self):
        """Return the next answer."""
        return json.loads(self.socket.recv(timeout=30))

    def ask(self, **message):
        """Return the answer to a message, which is the next that comes."""
        number = self.send(**message)
        answer = self.answer()
        assert answer["id"] == number
        return answer


class Lab(NamedTuple):
    """A lab that is being served."""

    port: int

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        return f"http://{self.host}/{TOKEN}/"

    @contextmanager
    def page(self, origin: str | None = "", path: str = f"/{TOKEN}/socket"):
        """Open a socket as a page does."""
        origin = f"http://{self.host}" if origin == "" else origin
        address = f"ws://{self.host}{path}"
        with connect(
            address,
            origin=origin,
            compression=None,
            max_size=None,
            open_timeout=30,
            close_timeout=0.2,
        ) as socket:
            yield Page(socket)


SHORT = server.Content(
    "<!doctype html><title>lab</title>",
    {"lab.js": ("export default 1;\n", "text/javascript")},
    {name: task_named(name) for name in beginning.TASKS},
)
"""A page of two short files."""


@contextmanager
def served(shown=SHORT, port=0, token=TOKEN, **options):
    """Serve a lab, at any port unless one is given."""
    place = place_for(port=port)
    started = threading.Event()
    running = server.Server(server.application(shown, place, token), started.set, **options)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [place.socket]})
    thread.start()
    try:
        assert started.wait(30)
        yield Lab(place.port)
    finally:
        running.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def lab():
    """Return a lab that is served while the tests run."""
    with served() as running:
        yield running


@pytest.fixture
def page(lab):
    """Return a page of the lab."""
    with lab.page() as page:
        yield page


@pytest.fixture(scope="session")
def lecture():
    """Return the lecture's network as a page has it."""
    return networks.to_page(lecture_network(task_named("half-adder")))


@pytest.fixture(scope="session")
def half_adder():
    """Return the half adder as a page has it."""
    return tasks.to_page(task_named("half-adder"))
