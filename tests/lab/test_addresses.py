"""Where the lab listens: ports that are in use, hosts that are not there, names that are served."""

from __future__ import annotations

import socket

import pytest

from adderlab.errors import OptionError
from adderlab.lab import addresses
from adderlab.lab.addresses import is_same_origin, place_for


@pytest.fixture
def busy():
    """Return a port that is in use, and whose next one is free."""
    while True:
        with place_for(port=0).socket as taken:
            port = taken.getsockname()[1]
            if port < addresses.LARGEST_PORT - 1 and is_free(port + 1):
                yield port
                return


def is_free(port):
    with socket.socket() as server:
        return server.connect_ex(("127.0.0.1", port)) != 0


def test_a_port_that_is_in_use_is_refused_and_the_next_free_one_offered(busy):
    with pytest.raises(OptionError) as refused:
        _ = place_for(port=busy)
    assert str(refused.value) == f"port: port {busy} is in use; give {busy + 1}, which is free"


def test_without_a_port_the_next_free_one_is_taken(busy, monkeypatch):
    monkeypatch.setattr(addresses, "FIRST_PORT", busy)
    with place_for().socket as taken:
        assert taken.getsockname() == ("127.0.0.1", busy + 1)


def test_where_no_port_is_free_that_is_said(busy, monkeypatch):
    monkeypatch.setattr(addresses, "PORTS_TRIED", 1)
    with pytest.raises(OptionError, match="are in use; give another, or 0 for any"):
        _ = place_for(port=busy)


@pytest.mark.parametrize("port", [-1, 65_536, 10**30])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(OptionError, match=f"port: got {port}"):
        _ = place_for(port=port)


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "no.such.host.invalid", "", "a" * 300, "a..b", "\ud800"]
)
def test_a_host_that_is_not_this_machine_is_refused(host):
    with pytest.raises(OptionError) as refused:
        _ = place_for(host, 0)
    assert refused.value.where == "host"
    assert "no address of this machine" in refused.value.what


@pytest.mark.parametrize(
    ("host", "start", "is_loopback"),
    [
        ("127.0.0.1", "http://127.0.0.1:", True),
        ("localhost", "http://localhost:", True),
        ("0.0.0.0", "http://127.0.0.1:", False),
    ],
)
def test_a_place_has_an_address_that_a_browser_takes(host, start, is_loopback):
    place = place_for(host, 0)
    with place.socket:
        assert place.address == f"{start}{place.port}"
        assert place.is_loopback is is_loopback


@pytest.mark.skipif(not socket.has_ipv6, reason="this Python has no IPv6")
def test_an_address_of_ipv6_stands_in_brackets():
    try:
        place = place_for("::1", 0)
    except OptionError:
        pytest.skip("this machine has no IPv6")
    with place.socket:
        assert place.address == f"http://[::1]:{place.port}"
        assert place.is_loopback


def test_names_that_are_served_depend_on_where_it_listens(monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "Lectern")
    own, every = place_for("127.0.0.1", 0), place_for("0.0.0.0", 0)
    with own.socket, every.socket:
        for host in ("localhost", "127.0.0.1:80", "[::1]:80"):
            assert own.is_served(host)
            assert every.is_served(host)
        for host in ("192.0.2.1:80", "lectern:80", "LECTERN.local"):
            assert not own.is_served(host)
            assert every.is_served(host)
        for host in ("evil.example", "192.0.2.1.evil.example", "localhost.evil", "", ":80", "a b"):
            assert not own.is_served(host)
            assert not every.is_served(host)


def test_an_origin_is_the_address_that_is_spoken_to():
    assert is_same_origin("http://127.0.0.1:8250", "127.0.0.1:8250")
    assert is_same_origin("http://LOCALHOST:9000", "localhost:9000")
    for origin in (
        "https://127.0.0.1:8250",
        "http://127.0.0.1",
        "null",
        "",
        "http://127.0.0.1:8250/",
    ):
        assert not is_same_origin(origin, "127.0.0.1:8250")
