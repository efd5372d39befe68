"""Who may speak to the server, and what it says of itself."""

from __future__ import annotations

import http.client
import socket

import pytest
from lab.conftest import TOKEN
from websockets.exceptions import InvalidStatus

from adderlab.lab import server


def get(lab, path=f"/{TOKEN}/", method="GET", **headers):
    """Return the status, the headers and the text of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", lab.port, timeout=30)
    connection.putrequest(method, path, skip_host=True)
    for name, value in ({"Host": lab.host} | headers).items():
        for each in value if isinstance(value, list) else [value]:
            connection.putheader(name, each)
    connection.endheaders()
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, dict(response.getheaders()), text


def test_the_page_and_its_files_are_given_with_every_header(lab):
    for path, kind in (("", "text/html"), ("lab.js", "text/javascript")):
        status, headers, text = get(lab, f"/{TOKEN}/{path}")
        assert status == 200
        assert headers["content-type"] == f"{kind}; charset=utf-8"
        assert text
        assert {name: headers[name.lower()] for name in server.HEADERS} == server.HEADERS
        assert "server" not in headers


def test_the_policy_runs_no_script_but_the_servers_own():
    rules = dict(
        rule.strip().split(" ", 1) for rule in server.HEADERS["Content-Security-Policy"].split(";")
    )
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["connect-src"] == rules["style-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert "unsafe" not in server.HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example:{port}", "localhost.evil",
     "10.0.0.1:{port}", "", "127.0.0.1:{port}@evil.example", "[::1", "localhost:{port}/x"],
)  # fmt: skip
def test_another_name_is_not_served(lab, host):
    status, headers, _ = get(lab, Host=host.format(port=lab.port))
    assert status in (400, 403)  # some are no host at all
    if status == 403:
        assert headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("host", ["localhost:{port}", "LOCALHOST", "[::1]:9000", "127.0.0.2"])
def test_a_name_of_this_machine_is_served_whatever_the_port(lab, host):
    """A tunnel has a port of its own."""
    assert get(lab, Host=host.format(port=lab.port))[0] == 200


def test_two_names_at_once_are_refused(lab):
    assert get(lab, Host=[lab.host, "evil.example"])[0] in (400, 403)


@pytest.mark.parametrize(
    "path",
    ["/", "/lab.js", "/socket", f"/{TOKEN[:-1]}/", f"/{TOKEN}x/", f"//{TOKEN}/", f"/x/{TOKEN}/",
     f"/{TOKEN.upper()}/", "/%00/", "/%c3%a9/", "/%ff/", "/" + "a" * 5000],
)  # fmt: skip
def test_without_the_token_there_is_nothing(lab, path):
    status, headers, text = get(lab, path)
    assert status == 404
    assert TOKEN not in text
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "name", ["../lab.js", "..%2flab.js", "server.py", "%2e%2e/%2e%2e/etc/passwd"]
)
def test_no_other_file_is_given(lab, name):
    assert get(lab, f"/{TOKEN}/{name}")[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "TRACE"])
def test_the_page_is_only_read(lab, method):
    assert get(lab, method=method)[0] == 405


def test_another_pages_requests_are_refused(lab):
    assert get(lab, Origin="http://evil.example")[0] == 403
    assert get(lab, Origin=f"http://{lab.host}")[0] == 200


@pytest.mark.parametrize(
    "options",
    [
        {"origin": None},
        {"origin": "null"},
        {"origin": "http://evil.example"},
        {"origin": "https://{host}"},
        {"origin": "http://localhost:{port}"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": "http://{host}.evil.example"},
        {"path": "/socket"},
        {"path": "/wrong/socket"},
        {"path": f"/{TOKEN}/"},
        {"path": f"/{TOKEN}/other"},
    ],
)
def test_a_socket_is_opened_by_the_page_alone(lab, options):
    if options.get("origin"):
        options = {"origin": options["origin"].format(host=lab.host, port=lab.port)}
    with pytest.raises(InvalidStatus) as refused, lab.page(**options):
        pass
    assert refused.value.response.status_code == 403


def test_a_socket_under_another_name_is_refused(lab):
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    }
    for host in ("evil.example", f"evil.example:{lab.port}"):
        headers = {"Host": host, "Origin": f"http://{host}"}
        assert get(lab, f"/{TOKEN}/socket", **upgrade, **headers)[0] == 403


def test_garbage_on_the_wire_harms_nobody(lab, page, capfd):
    for data in (
        b"\x00" * 100,
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01" + bytes(50),
    ):
        with socket.create_connection(("127.0.0.1", lab.port), timeout=30) as wire:
            wire.sendall(data)
            _ = wire.recv(1000)
    assert page.ask(type="task", task="half-adder")["type"] == "task"
    assert capfd.readouterr().err == ""
