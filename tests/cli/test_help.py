"""Help and version: every command has an example, and the first page says where to begin."""

from __future__ import annotations

from importlib.metadata import version

import pytest
import typer

from adderlab.cli.main import app

COMMANDS = list(typer.main.get_command(app).commands)


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_an_example_that_names_it(run, command, flag):
    done = run(f"{command} {flag}")
    assert (done.code, done.err) == (0, "")
    text = " ".join(done.out.split())
    assert f"Usage: adderlab {command} " in text
    assert f"adderlab {command}" in text.partition("Example")[2]
    assert "--json" in text


def test_the_first_help_names_every_command_and_where_to_begin(run):
    done = run("--help")
    assert done.code == 0
    assert [command for command in COMMANDS if f" {command} " not in done.out] == []
    assert "Begin with: adderlab demo" in done.out


def test_no_command_at_all_shows_the_help(run):
    done = run("")
    assert done.code == 2
    assert "Begin with: adderlab demo" in done.out + done.err


def test_the_version_is_the_packages(run):
    assert run("--version") == (0, f"adderlab {version('adderlab')}\n", "")
