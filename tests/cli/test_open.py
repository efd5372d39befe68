"""``adderlab open``: one line for the address, one for what is refused, and a clean end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
import webbrowser

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

import adderlab
from adderlab.lab import opening
from adderlab.lab.addresses import place_for


@pytest.fixture
def browsers(monkeypatch):
    """Return the addresses that a browser is opened at; nothing is served."""

    class Started:
        def __init__(self, app, on_started):
            self.run = lambda sockets: on_started()

    addresses = []
    monkeypatch.setattr(opening, "Server", Started)
    monkeypatch.setattr(webbrowser, "open", addresses.append)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", ":0")
    return addresses


def test_the_address_stands_on_a_line_of_its_own_whatever_the_width(run, browsers, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    done = run("open --port 0")
    address, *_ = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert browsers == [address]
    assert address.startswith("http://127.0.0.1:")
    assert len(address.split("/")[3]) == 22


def test_each_start_has_a_token_of_its_own(run_json, browsers):
    tokens = {run_json("open --port 0")[1]["address"].split("/")[3] for _ in range(3)}
    assert len(tokens) == 3


def test_json_is_one_object_that_begins_with_the_address(run, browsers):
    done = run("open @lecture --port 0 --no-browser --json")
    result = json.loads(done.out)
    assert list(result) == ["address", "host", "port", "task", "shape", "notes"]
    assert result["address"].startswith(f"http://127.0.0.1:{result['port']}/")
    assert (result["task"], result["shape"], result["notes"]) == ("half-adder", "2-3-2", [])
    assert result["address"] in done.err.splitlines()
    assert browsers == []


def test_no_browser_is_opened_where_there_is_no_display(run, browsers, monkeypatch):
    for name in opening.DISPLAYS:
        monkeypatch.delenv(name, raising=False)
    assert run("open --port 0").code == 0
    assert browsers == []


def test_a_host_that_others_reach_is_warned_of(run, browsers):
    assert "not encrypted" in " ".join(run("open --port 0 --host 0.0.0.0").out.split())
    assert "not encrypted" not in run("open --port 0").out


def test_a_port_that_is_taken_is_said_and_the_next_one_had(run_json, browsers, monkeypatch):
    with place_for(port=0).socket as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr("adderlab.lab.addresses.FIRST_PORT", port)
        monkeypatch.setattr(opening, "FIRST_PORT", port)
        _, result = run_json("open")
        assert result["port"] > port
        assert result["notes"] == [f"port {port} is in use; {result['port']} is the next free one"]


def test_a_file_of_weights_alone_and_a_formula_are_shown(run_json, browsers, place):
    net = adderlab.build("parity:2", method="table").network
    weights = {name: tensor.numbers.tolist() for name, tensor in net.tensors()}
    _ = (place / "w.json").write_text(json.dumps(weights))
    _, result = run_json("open w.json --readout exact --task 'y = a ^ b' --port 0")
    assert "y" in result["task"]
    assert result["shape"] == net.shape


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("open --task parity:3", "--task: there is no network for it; name the file of one: NET"),
        ("open nothing.safetensors", "nothing.safetensors: no such file; check the path"),
        ("open --port -1", "--port: got -1; give a port up to 65535"),
        ("open --port 1e9", "--port: got 1000000000; give a port up to 65535"),
        ("open --port x", "--port: got 'x'; give a whole number"),
        (
            "open --host 192.0.2.1",
            (
                "--host: '192.0.2.1' is no address of this machine (Cannot assign requested "
                "address); leave it out for 127.0.0.1, or give 0.0.0.0 for every address"
            ),
        ),
        (
            "open --readout 0",
            (
                "--readout: it is about a network's file, and there is none; name the file, or "
                "leave "
                "the option out"
            ),
        ),
        (
            "open @lecture --task parity:3",
            (
                "--task: parity:3 has 3 input and 1 output bits, the network 2 and 2; name a "
                "task that "
                "fits with --task"
            ),
        ),
        (
            "open adder.safetensors",
            (
                "network: the network has 16 inputs; the page has chains of up to 8 layers, 12 "
                "inputs, "
                "32 units a layer and 12 outputs"
            ),
        ),
        (
            "open wide.safetensors",
            (
                "--task: adder:4 has 256 rows, 8 input and 5 output bits; the page shows up to "
                "64 rows, "
                "12 input and 12 output bits"
            ),
        ),
    ],
)
def test_what_can_not_be_opened_is_refused_in_one_line(run, place, browsers, line, error):
    _ = adderlab.build("adder:8", method="one-layer", out=place / "adder.safetensors")
    _ = adderlab.build("adder:4", method="one-layer", out=place / "wide.safetensors")
    done = run(line)
    assert (done.code, done.out, done.err) == (2, "", f"adderlab: {error}\n")


def test_a_port_that_is_in_use_is_refused_with_one_that_is_free(run, browsers):
    with place_for(port=0).socket as taken:
        port = taken.getsockname()[1]
        done = run(f"open --port {port}")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"adderlab: --port: port {port} is in use; give ")
    assert done.err.endswith(", which is free\n")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_the_lab_and_its_sockets(number, code):
    command = [sys.executable, "-m", "adderlab", "open", "--no-browser", "--port", "0", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as lab:
        assert lab.stdout is not None
        opened = json.loads(lab.stdout.readline())
        host = f"127.0.0.1:{opened['port']}"
        with urllib.request.urlopen(opened["address"], timeout=30) as page:
            assert b'<main id="lab"' in page.read()
        with connect(
            f"{opened['address'].replace('http', 'ws')}socket", origin=f"http://{host}"
        ) as own:
            own.send('{"type": "task", "id": 1, "task": "half-adder"}')
            assert json.loads(own.recv(timeout=30))["type"] == "task"
            lab.send_signal(number)
            with pytest.raises(ConnectionClosed):
                _ = own.recv(timeout=30)
        out, err = lab.communicate(timeout=30)
    assert (lab.returncode, out) == (code, "")
    assert err.splitlines()[-1] == "adderlab: interrupted; nothing was written"
    assert "Traceback" not in err
    with pytest.raises(urllib.error.URLError):
        _ = urllib.request.urlopen(opened["address"], timeout=30)
