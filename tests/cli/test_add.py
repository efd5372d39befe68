"""``adderlab add``: digits from arguments, files and standard input; the sum alone on output."""

from __future__ import annotations

import io

import pytest

import adderlab


@pytest.fixture(autouse=True)
def cells(place):
    """Write a full adder, and one that reads its outputs wrongly."""
    _ = adderlab.build("full-adder", out=place / "cell.safetensors")
    cell = adderlab.load(place / "cell.safetensors")
    wrong = adderlab.from_state_dict(adderlab.to_state_dict(cell), readout=1.5, task="full-adder")
    _ = adderlab.save(wrong, place / "wrong.safetensors")
    _ = (place / "x.txt").write_text("9" * 5000 + "\n")


def test_the_sum_stands_alone_and_what_it_rests_on_is_said_beside_it(run):
    done = run("add 19 23 --net cell.safetensors")
    assert (done.code, done.out) == (0, "42\n")
    assert "5 cells, wired as adder:any; proved in exact arithmetic and in fp32" in done.err


def test_long_numbers_come_from_files_and_from_standard_input(run, run_json, monkeypatch):
    carried = "1" + "0" * 5000 + "\n"
    assert run("add @@x.txt 1 --net cell.safetensors").out == carried
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"1\n")))
    assert run("add @@x.txt - --net cell.safetensors").out == carried
    code, result = run_json("add @@x.txt 1 --net cell.safetensors")
    assert (code, result["sum"]) == (0, carried.strip())
    assert result["proof"]["method"] == "composed"


def test_a_file_may_have_what_windows_writes(run, place):
    _ = (place / "bom.txt").write_bytes(b"\xef\xbb\xbf0012\r\n")
    assert run("add @@bom.txt 30 --net cell.safetensors").out == "42\n"


def test_a_cell_that_is_not_proved_is_refused_with_its_counterexample(run, run_json):
    done = run("add 19 23 --net wrong.safetensors")
    assert done.code == 1
    assert "counterexample: " in done.out
    assert done.out.splitlines()[-1] == "The cell is refused: nothing was added."
    code, result = run_json("add 1 1 --net wrong.safetensors")
    assert (code, result["sum"], result["proof"]["verdict"]) == (1, None, "refuted")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("add 1x 2 --net cell.safetensors", "X: 'x' at place 2 is no decimal digit"),
        ("add 1 @@none.txt --net cell.safetensors", "none.txt: no such file"),
        ("add 1 @@. --net cell.safetensors", ".: a folder, not a file"),
        ("add 1 @@ --net cell.safetensors", "Y: got @ without a file; write @FILE"),
        ("add 1 -23 --net cell.safetensors", "add: -23 is below 0; give whole numbers"),
        ("add 1 ٣ --net cell.safetensors", "Y: '٣' at place 1 is no decimal digit"),
        ("add 1 1_000 --net cell.safetensors", "Y: '_' at place 2 is no decimal digit"),
        ("add 1 @@empty.txt --net cell.safetensors", "empty.txt: got no digits"),
        ("add 1 @@lines.txt --net cell.safetensors", r"lines.txt: '\n' at place 3 is no decimal"),
        ("add - - --net cell.safetensors", "X: got - twice; name a file for the other number"),
        ("add 1 2", "--net"),
        ("add 1 2 --net @lecture", "2 inputs and 2 outputs is no cell of an adder"),
        ("add 1 2 --net cell.safetensors --task parity:any", "--task: parity:any adds no numbers"),
        ("add 1 2 --net cell.safetensors --task addr:any", "one of adder:any, decimal-adder:any\n"),
        ("prove cell.safetensors --task adder:some:any", "--task: no wiring makes"),
        ("train adder:any", "adder:any is what a cell makes at every width"),
    ],
)
def test_what_can_not_be_added_is_one_line(run, place, line, message):
    _ = (place / "empty.txt").write_bytes(b"")
    _ = (place / "lines.txt").write_bytes(b"12\n34\n")
    done = run(line)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert done.err.count("\n") == 1
