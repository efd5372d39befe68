"""What the shell completes: names as the library has them, and files of the right kind."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import typer

from adderlab.cli import completion
from adderlab.cli.main import app, main
from adderlab.counting.published import MODELS
from adderlab.exercises import exercises
from adderlab.formats import FORMATS
from adderlab.runs.maps.axes import KINDS, parse_axis
from adderlab.runs.populations.plan import KEEPS
from adderlab.tasks import task_named
from adderlab.tasks.catalog import CATALOG
from adderlab.training import Settings


def test_the_names_are_the_librarys():
    assert [name.partition(":")[0] for name in completion.TASKS] == list(CATALOG)
    assert all(task_named(name).name == name for name in completion.TASKS)
    assert tuple(FORMATS) == completion.FORMATS
    assert tuple(MODELS) == completion.MODELS
    assert tuple(exercise.id for exercise in exercises()) == completion.EXERCISES
    assert [name.rstrip("=") for name in completion.AXES] == list(KINDS)
    assert all(parse_axis(f"{name}0.25:0.5" if name in ("lr=", "init=", "momentum=") else
                          f"{name}1:2", "x") for name in completion.AXES)  # fmt: skip
    assert [name.partition(":")[0] for name in completion.KEEPS] == [
        name.partition(":")[0] for name in KEEPS
    ]
    assert all(Settings(activation=name) for name in completion.ACTIVATIONS)


@pytest.fixture
def shell(tmp_path, monkeypatch, capsys):
    """Return a function that completes a line as bash asks for it, in a folder with some files."""
    for name in ("net.safetensors", "run/best.safetensors", "run/run.json", "config.json", "a.csv",
                 "formula.txt", ".hidden.safetensors", "notes.md"):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        _ = (tmp_path / name).write_text("")
    monkeypatch.chdir(tmp_path)

    def complete(line):
        for name, value in completion_variables(line).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit):
            _ = main([])
        return capsys.readouterr().out.split()

    return complete


def completion_variables(line):
    """Return the variables by which bash asks."""
    words = line.split(" ")
    return {
        "_ADDERLAB_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }


def test_completion_loads_no_library_of_the_work():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "adderlab"],
        env={**os.environ, **completion_variables("adderlab train ad")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["adder:4"]
    modules = {entry.rpartition("|")[2].strip() for entry in done.stderr.splitlines()}
    assert "typer" in modules
    assert not modules & {"numpy", "torch", "numba", "matplotlib", "pyarrow"}


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("adderlab train ad", ["adder:4"]),
        ("adderlab build ", [*completion.TASKS, "table:"]),
        ("adderlab build half-adder --method l", ["lecture"]),
        ("adderlab prove net.safetensors --format fp8", ["fp8-e4m3", "fp8-e5m2"]),
        ("adderlab quantize net.safetensors --to s", ["smallest"]),
        ("adderlab count --model mi", ["mistral-7b", "mixtral-8x7b"]),
        ("adderlab count --config ", ["config.json", "run/"]),
        ("adderlab prove ", ["net.safetensors", "run/"]),
        ("adderlab compare net.safetensors ru", ["run/best.safetensors"]),
        ("adderlab train --replay n", ["net.safetensors"]),
        ("adderlab build --formula f", ["formula.txt"]),
        ("adderlab grade . --exercise fa", ["failing-seed"]),
        ("adderlab show net.safetensors --task par", ["parity:4"]),
    ],
)
def test_a_line_is_completed(shell, line, completed):
    assert shell(line) == completed


def test_a_table_is_completed_by_its_file(shell):
    assert shell is not None
    assert completion.task("table:") == [
        "table:a.csv", "table:formula.txt", "table:notes.md", "table:run/",
    ]  # fmt: skip


def test_nothing_is_completed_where_there_is_nothing(shell):
    assert shell is not None
    assert completion.NETWORKS("missing/") == []
    assert completion.NETWORKS("notes") == []
    assert completion.NETWORKS("run") == ["run/best.safetensors"]
    assert completion.NETWORKS(".h") == [".hidden.safetensors"]


FREE = {"-o", "--write-checker"}
"""What is written may have any name."""


def test_every_path_that_is_read_is_completed_by_its_kind():
    group = typer.main.get_command(app)
    missing = [
        f"{name} {parameter.opts[0]}"
        for name, command in group.commands.items()
        for parameter in command.params
        if (parameter.metavar or "").startswith(("NET", "FILE", "TASK"))
        and not FREE & set(parameter.opts)
        and not getattr(parameter, "_custom_shell_complete", None)
    ]
    assert missing == []
