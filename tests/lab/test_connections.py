"""A connection that sends no whole request, or takes no answer, is cut; a page's socket is not."""

from __future__ import annotations

import socket
import time
from contextlib import closing
from http.client import HTTPConnection

import pytest
from lab.conftest import SHORT, TOKEN, served

from adderlab.lab import server

REQUEST_S = 0.3
LARGE = server.Content(
    "<!doctype html><title>lab</title>", {"lab.js": ("x" * (32 << 20), "text/javascript")}, {}
)


@pytest.fixture(scope="module")
def hasty():
    """Return a lab that waits for a request no longer than a moment."""
    with served(SHORT, request_s=REQUEST_S) as running:
        yield running


def connected(lab):
    return socket.create_connection(("127.0.0.1", lab.port), timeout=30)


def is_cut(wire):
    """Return whether the other side ends a connection, without a word or after its answer."""
    try:
        while wire.recv(1 << 16):
            pass
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True
    return True


def request(lab, **headers):
    """Return a request of the page as it goes over the wire."""
    lines = [f"GET /{TOKEN}/ HTTP/1.1", f"Host: {lab.host}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"G",
        b"GET / HTTP/1.1\r\nHost: ",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx",
    ],
)
def test_a_request_that_does_not_come_is_not_waited_for(hasty, start):
    with connected(hasty) as wire:
        wire.sendall(start)
        assert is_cut(wire)


def test_a_byte_at_a_time_gains_none(hasty):
    with connected(hasty) as wire:
        with pytest.raises(OSError, match=r"reset|Broken|abort"):
            for byte in request(hasty, X="a" * 1000):
                wire.sendall(bytes([byte]))
                time.sleep(REQUEST_S / 20)
        assert is_cut(wire)


def test_the_second_request_of_a_connection_has_as_long(hasty):
    with connected(hasty) as wire:
        wire.sendall(request(hasty))
        assert wire.recv(1 << 16).startswith(b"HTTP/1.1 200")
        wire.sendall(request(hasty)[:-2])
        assert is_cut(wire)


def test_an_answer_that_is_not_taken_is_not_kept():
    with served(LARGE, request_s=REQUEST_S) as lab, connected(lab) as wire:
        wire.sendall(request(lab).replace(b"/ HTTP", b"/lab.js HTTP"))
        time.sleep(3 * REQUEST_S)
        size = 0
        try:
            while part := wire.recv(1 << 20):
                size += len(part)
        except ConnectionResetError:
            pass
        assert size < 32 << 20


def test_pages_and_their_sockets_are_not_cut(hasty):
    with hasty.page() as page:
        time.sleep(2 * REQUEST_S)
        assert page.ask(type="task", task="half-adder")["type"] == "task"
    with closing(HTTPConnection("127.0.0.1", hasty.port, timeout=30)) as wire:
        wire.connect()
        first = wire.sock
        for _ in range(6):
            wire.request("GET", f"/{TOKEN}/", headers={"Host": hasty.host})
            assert wire.getresponse().read() == SHORT.document.encode()
            time.sleep(REQUEST_S / 3)
        assert wire.sock is first
