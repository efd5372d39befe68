"""The documents and the software say the same: commands, rooms, files."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
from documented import commands_of, files_of

import adderlab
from adderlab.cli.main import app, main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(
    command.name or command.callback.__name__
    for command in app.registered_commands
    if command.callback is not None
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_stands_in_the_readme(command: str) -> None:
    assert re.search(rf"`adderlab {command}\b", README)


def test_every_documented_command_exists() -> None:
    named = {command[1] for command in commands_of(README)}
    assert named <= {*COMMANDS, "--install-completion"}
    assert len(named) >= 6


def test_every_documented_option_exists(capsys: pytest.CaptureFixture[str]) -> None:
    """A long option that the README shows is one that the command's help knows."""
    for command in commands_of(README):
        assert main([command[1], "--help"]) == 0
        text = capsys.readouterr().out
        for option in (word for word in command if word.startswith("--")):
            assert option in text, command


def test_the_readme_spells_out_the_lectures_formula(tmp_path: Path) -> None:
    """The formula block of the README compiles to the lecture's network."""
    path = tmp_path / "formula.txt"
    _ = path.write_text(files_of(README)["formula.txt"], encoding="utf-8")
    built = adderlab.build("half-adder", formula=path).network
    lecture = adderlab.build("half-adder", method="lecture").network
    for (_, left), (_, right) in zip(built.tensors(), lecture.tensors(), strict=True):
        assert (left.exact().to_floats() == right.exact().to_floats()).all()


def test_architecture_names_every_room() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = [
        path.name + ("/" if path.is_dir() else "")
        for path in (ROOT / "src/adderlab").iterdir()
        if not path.name.startswith(("__", ".")) and path.name != "py.typed"
    ]
    assert len(rooms) >= 12
    for room in rooms:
        assert re.search(rf"^  {re.escape(room)}\s", text, re.MULTILINE), room


def test_no_tracked_text_names_a_path_of_a_machine() -> None:
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "Makefile", ROOT / ".ci/run"]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"/(home|root|work|Users)/", text), path


def test_the_page_on_modules_lists_the_operations_that_are_read() -> None:
    spec = importlib.util.spec_from_file_location("make_classes", ROOT / "docs" / "make_classes.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    text = (ROOT / "docs" / "classes.md").read_text(encoding="utf-8")
    assert script.page(text) == text
