"""Help and version: every command has an example, and the first page says where to begin."""

from __future__ import annotations

import re
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


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_narrow_terminal_cuts_no_option_short(run, monkeypatch, command, columns):
    """Each option, and each word about it, stands whole on a line."""
    monkeypatch.setenv("COLUMNS", str(columns))
    done = run(f"{command} --help")
    assert (done.code, done.err) == (0, "")
    assert "…" not in done.out.replace("w1=2,…", "")
    metavars = r"[\[{]*[A-Z]+[\]}]*\.\.\.[\]}]*(\.\.\.)?"  # FILE..., [FILE]..., {WORDS...}...
    assert "..." not in re.sub(metavars, "", done.out)
    words = set(re.split(r"[\s,│]+", done.out))
    parameters = typer.main.get_command(app).commands[command].params
    shown = [parameter for parameter in parameters if not getattr(parameter, "hidden", False)]
    assert {name for entry in shown for name in entry.opts if name.startswith("-")} <= words
    helps = {word for entry in shown for word in (entry.help or "").split() if word.isalpha()}
    assert helps <= words


@pytest.mark.parametrize("command", COMMANDS)
def test_help_stays_within_a_narrow_terminal(run, monkeypatch, command):
    """Only a single word may be longer, such as an option with its choices."""
    monkeypatch.setenv("COLUMNS", "40")
    lines = run(f"{command} --help").out.splitlines()
    assert [line for line in lines if len(line) > 40 and len(line.split()) > 2] == []


@pytest.mark.parametrize("columns", [40, 80])
def test_the_list_of_commands_is_not_cut_short(run, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    text = run("--help").out
    assert text.count("...") == 1  # [ARGS]...
    words = " ".join(text.replace("│", " ").split())
    for command in COMMANDS:
        assert typer.main.get_command(app).commands[command].help.split("\n")[0] in words


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
