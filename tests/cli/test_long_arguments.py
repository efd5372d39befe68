"""An argument of 100,000 characters is refused, or taken, without being repeated whole."""

from __future__ import annotations

import pytest
import typer

from adderlab.cli.main import app, main

LONG = 100_000
MOST = 6_000
"""Characters that a refusal may have: three parts of a message, each cut."""

NEEDED = {
    "add": ["1", "2", "--net", "../nets/lecture.safetensors"],
    "build": ["half-adder"],
    "compare": ["../nets/lecture.safetensors", "../nets/lecture.safetensors"],
    "count": ["../nets/lecture.safetensors"],
    "explain": ["../nets/lecture.safetensors", "--input", "1,1"],
    "map": ["half-adder", "--size", "2"],
    "prove": ["../nets/lecture.safetensors"],
    "quantize": ["../nets/lecture.safetensors", "--to", "int4"],
    "repair": ["../nets/lecture.safetensors"],
    "run": ["../nets/lecture.safetensors", "1,1"],
    "show": ["../nets/lecture.safetensors"],
    "train": ["half-adder", "--steps", "1"],
}
"""What each command needs beside the option that is tried."""


def places():
    """Yield each command with each of its options, and the number of each of its arguments."""
    for name, command in typer.main.get_command(app).commands.items():
        for parameter in command.params:
            if parameter.param_type_name == "option" and not parameter.is_flag:
                yield name, parameter.opts[0]
        yield name, "argument"
        yield name, "--unknown"


@pytest.mark.parametrize("text", ["x" * LONG, "9 " * (LONG // 2)], ids=["letters", "words"])
@pytest.mark.usefixtures("place")
def test_long_arguments_are_not_repeated_whole(capsys, text):
    for name, option in places():
        needed = NEEDED.get(name, [])
        arguments = [text, *needed[1:]] if option == "argument" else [*needed, option, text]
        code = main([name, *arguments])
        done = capsys.readouterr()
        assert (code, done.out) == (2, ""), (name, option, done)
        assert len(done.err) < MOST, (name, option, done.err[:300])
        assert done.err.count("\n") == 1, (name, option, done.err[:300])


def test_a_long_text_in_a_file_is_not_repeated_whole(place, run):
    _ = (place / "table.csv").write_text(f"a,b,out c\n0,0,{'z' * LONG}\n")
    _ = (place / "formula.txt").write_text(f"c = {'(' * LONG}\n")
    _ = (place / "config.json").write_text(f'{{"model_type": "{"m" * LONG}"}}')
    for line in (
        "train table:table.csv",
        "build half-adder --formula formula.txt",
        "count --config config.json",
        f"count --config {'c' * 300}.json",
    ):
        done = run(line)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert len(done.err) < MOST
