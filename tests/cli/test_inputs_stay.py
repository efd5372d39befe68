"""What a command reads is never replaced by what it writes; one that writes networks may go on."""

from __future__ import annotations

import os

import pytest

TABLE = "in a:1,in b:1,out c:2\n0,0,0\n0,1,1\n1,0,1\n1,1,2\n"
FORMULA = "c1 = step(a + b - 1.5)\nc0 = step(a + b - 0.5) - 2 * step(a + b - 1.5)\n"


@pytest.fixture
def inputs(place, nets):
    """Write a network, a table, a formula and hand-ins; return their bytes."""
    (place / "handins").mkdir()
    data = (nets / "repaired.safetensors").read_bytes()
    _ = (place / "handins" / "a.safetensors").write_bytes(data)
    _ = (place / "n.bin").write_bytes(data)
    _ = (place / "n.json").write_bytes(data)
    (place / "l.bin").symlink_to("n.bin")
    for name in ("t.bin", "t.html"):
        _ = (place / name).write_text(TABLE)
    _ = (place / "f.bin").write_text(FORMULA)
    return {path.name: path.read_bytes() for path in place.iterdir() if path.is_file()}


@pytest.mark.parametrize(
    "line",
    [
        "prove n.bin -o n.bin",
        "prove n.bin -o ../work/n.bin",
        "prove n.bin -o l.bin",
        "prove n.bin --task table:t.bin -o t.bin",
        "prove n.bin --task table:t.bin:inputs=a,b -o t.bin",
        "prove n.bin --netlist t.bin -o t.bin",
        "explain n.json --rows all -o n.json",
        "explain n.json --symbols -o n.json",
        "explain n.json --slots -o n.json",
        "explain n.json --why -o n.json",
        "build --formula f.bin -o f.bin",
        "build table:t.bin -o t.bin",
        "train table:t.bin --steps 1 --samples 1 -o t.bin",
        "quantize n.bin --to int4 --task table:t.bin -o t.bin",
        "repair n.bin --task table:t.bin -o t.bin",
        "export n.bin --to html --task table:t.html -o t.html",
        pytest.param(
            "grade handins --task table:t.bin --html t.bin",
            marks=pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
        ),
    ],
)
def test_no_output_replaces_what_is_read(run, place, inputs, line):
    done = run(line)
    assert (done.code, done.out) == (2, "")
    where = line.split()[-1]
    assert done.err == (
        f"adderlab: {where}: this file is read, and would be lost; name another file\n"
    )
    assert inputs == {path.name: path.read_bytes() for path in place.iterdir() if path.is_file()}


@pytest.mark.usefixtures("inputs")
def test_a_place_that_can_not_be_written_is_said_before_the_proof(run, monkeypatch):
    def never(*_arguments, **_options):
        raise AssertionError

    monkeypatch.setattr("adderlab.verbs.prove.decide", never)
    done = run("prove n.bin -o nosuch/net.cert")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "nosuch/net.cert: the folder 'nosuch' does not exist; make it first" in done.err


@pytest.mark.usefixtures("inputs")
def test_where_the_time_is_up_no_certificate_is_written_and_that_is_said(run, left):
    before = left()
    done = run("prove n.bin --task half-adder --timeout 1e-9 -o n.cert")
    assert done.code == 3
    assert "note: no certificate was written: nothing is decided" in done.out
    assert left() == before


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("check", "check: NET and CERT are missing; name both files"),
        ("check net", "check: CERT is missing; name both files"),
        ("check --write-checker c.py net", "--write-checker: got a network too; give it alone"),
        (
            "check --write-checker c.py --task adder:1",
            "--write-checker: got a task too; give it alone",
        ),
    ],
)
@pytest.mark.usefixtures("inputs")
def test_what_check_lacks_or_has_too_much_is_one_line(run, line, message):
    assert run(line) == (2, "", f"adderlab: {message}\n")
