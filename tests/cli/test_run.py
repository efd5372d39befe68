"""``adderlab run``: a line for each input, from arguments and from standard input."""

from __future__ import annotations

import io

import pytest

import adderlab

ADDER = "run adder.safetensors"


@pytest.fixture
def adder(place):
    """Write an adder of 64 bits."""
    return adderlab.build("adder:64", method="prefix", out=place / "adder.safetensors")


@pytest.fixture
def typed_in(monkeypatch):
    """Return a function that gives standard input."""
    return lambda data: monkeypatch.setattr(
        "sys.stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8")
    )


@pytest.mark.usefixtures("adder")
def test_each_input_gives_its_words_on_a_line(run, run_json):
    done = run(f"{ADDER} 12345678901234567890,1 0xff,0b11")
    assert done == (0, "12345678901234567891\n258\n", "")
    code, result = run_json(f"{ADDER} 12345678901234567890,1")
    assert (code, result["results"][0]["got"]) == (0, {"c": 12345678901234567891})
    assert (result["task"], result["semantics"]) == ("adder:64", "exact")


def test_raw_outputs_and_formats(run):
    assert run("run @lecture 1,1 0,1 --raw").out == "0.5,0.5\n0,0.5\n"
    assert run("run @lecture 1,1 --format fp32").out == "3\n"
    assert run("run @taskless 1,0 --raw").out == "1,1\n"
    assert run("run @thirds 1").out == "?\n"  # 3 is no bit under an exact readout


@pytest.mark.usefixtures("adder")
def test_lines_of_standard_input_come_out_up_to_one_that_is_refused(run, typed_in, monkeypatch):
    monkeypatch.setattr("adderlab.cli.run.AT_ONCE", 2)
    typed_in(b"1,2\n\n3,4\r\n5,6\n")
    assert run(f"{ADDER} -") == (0, "3\n7\n11\n", "")
    typed_in(b"1,2\n3,4\n5,6\n7,x\n9,9\n")
    assert run(f"{ADDER} -") == (
        2,
        "3\n7\n11\n",
        "adderlab: line 4: b must be a whole number, got 'x'; write it in decimal, 0b… or 0x…\n",
    )
    typed_in(b"1,2\n\xff\n")
    assert run(f"{ADDER} -").err == (
        "adderlab: standard input: not UTF-8 text; give lines such as 5,7\n"
    )
    typed_in(b"")
    assert run(f"{ADDER} -") == (0, "", "")


@pytest.mark.usefixtures("adder")
def test_a_wide_input_is_shown_by_the_units_that_are_on(run):
    out = run("show adder.safetensors --input 18446744073709551615,1").out
    _, _, way = out.partition("18446744073709551615 + 1, layer by layer")
    assert "fc9       65    1  c64 " in way
    assert way.endswith("got c = 18446744073709551616, expected c = 18446744073709551616\n")
    rows = [line.split() for line in out.splitlines()]
    top, carried = (1 << 64) - 1, f"{1 << 64}"
    assert [str(top), "1", "c", carried, "c", carried] in [row[:6] for row in rows]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("run @lecture 1,2", "input 1,2: b = 2 is outside 0..1; b:1 takes the values 0..1"),
        ("run @lecture 1,1 -", "WORDS: got - and other inputs; take one"),
        ("run @lecture 1,1 --format int8", ("--format: int8: not representable: fc1.bias holds "
         "-1.5, which int8 does not; take exact arithmetic")),
        ("run @lecture " + "9" * 5000 + ",1", "input " + "9" * 24 + "…" + "9" * 22 + ",1: a = "
         + "9" * 24 + "…" + "9" * 24 + " is outside 0..1; a:1 takes the values 0..1"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(run, line, message):
    assert run(line) == (2, "", f"adderlab: {message}\n")
