"""The package as a whole: its public names, what importing it costs, and its layers."""

from __future__ import annotations

import builtins
import importlib
import inspect
import pkgutil
import shutil
import subprocess
import sys
from importlib import metadata, resources
from pathlib import Path

import pytest

import adderlab
from adderlab import errors
from adderlab.errors import AdderlabError

ROOT = Path(__file__).parents[1]
VERBS = (
    "build",
    "count",
    "demo",
    "explain",
    "load",
    "prove",
    "quantize",
    "sample",
    "save",
    "train",
    "train_many",
)


@pytest.fixture(scope="module")
def submodules():
    """Return the names of all submodules, each of them imported."""
    names = [
        found.name
        for found in pkgutil.walk_packages(adderlab.__path__, "adderlab.")
        if not found.name.endswith("__main__")  # importing that one runs the command line
    ]
    for name in names:
        _ = importlib.import_module(name)
    return names


def test_every_public_name_resolves_after_every_submodule_was_imported(submodules):
    assert len(submodules) > 60
    for name in adderlab.__all__:
        assert not inspect.ismodule(getattr(adderlab, name)), name


@pytest.mark.usefixtures("submodules")
def test_every_verb_is_a_function_and_no_submodule_hides_it():
    assert set(VERBS) <= set(adderlab.__all__)
    for verb in VERBS:
        found = getattr(adderlab, verb)
        assert inspect.isfunction(found), verb
        assert found.__name__ == verb


def test_the_table_of_names_the_list_and_dir_agree():
    assert adderlab.__all__ == sorted(adderlab.__all__)
    assert set(adderlab.__all__) == set(adderlab._HOMES) <= set(dir(adderlab))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError) as refused:
        _ = adderlab.sumtract
    assert str(refused.value) == "module 'adderlab' has no attribute 'sumtract'"


@pytest.mark.usefixtures("submodules")
def test_every_packages_list_names_what_it_has(submodules):
    for name in submodules:
        module = sys.modules[name]
        listed = getattr(module, "__all__", None)
        if listed is not None:
            assert len(set(listed)) == len(listed), name
            assert all(hasattr(module, entry) for entry in listed), name


def test_importing_the_package_imports_neither_torch_nor_numpy():
    script = "import sys, adderlab; print(*{'torch', 'numpy'} & set(sys.modules)); adderlab.load"
    script += "; print(*{'torch', 'numpy'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["", "numpy"]  # loading a file takes numpy, and no torch


def test_the_marker_of_typed_packages_is_shipped():
    assert resources.files("adderlab").joinpath("py.typed").is_file()


def test_the_command_is_the_packages():
    (entry,) = metadata.entry_points(group="console_scripts", name="adderlab")
    assert entry.value == "adderlab.cli.main:main"


EXCEPTIONS = [
    found
    for found in vars(errors).values()
    if inspect.isclass(found) and issubclass(found, Exception) and found is not AdderlabError
]


@pytest.mark.parametrize("error", EXCEPTIONS, ids=lambda error: error.__name__)
def test_every_exception_is_ours_and_a_built_in_one(error):
    assert issubclass(error, AdderlabError)
    built_in = [
        base
        for base in error.__mro__
        if getattr(builtins, base.__name__, None) is base and base not in (Exception, object)
    ]
    assert {base.__name__ for base in built_in} & {
        "ValueError",
        "TypeError",
        "OSError",
        "MemoryError",
    }
    assert error.__doc__
    raised = error("what is wrong", where="here", remedy="do this")
    assert str(raised) == "here: what is wrong; do this"


def test_there_are_as_many_exceptions_as_the_command_line_may_meet():
    assert len(EXCEPTIONS) >= 9


@pytest.mark.parametrize(
    ("what", "where", "remedy", "line"),
    [
        ("wrong", "", "", "wrong"),
        ("wrong", "file", "", "file: wrong"),
        ("wrong", "", "mend it", "wrong; mend it"),
        ("a\nb", "c\rd", "e\x1b[2Jf\u2028", "c\\rd: a\\nb; e\\x1b[2Jf\\u2028"),
    ],
)
def test_a_message_is_one_printable_line(what, where, remedy, line):
    error = AdderlabError(what, where=where, remedy=remedy)
    assert str(error) == line
    assert line.isprintable()
    assert set(error.to_dict()) == {"what", "where", "remedy"}


LAYERS = "imports run downward only, and siblings never meet"
TORCH_FREE = "what is to be computed knows no torch"


@pytest.mark.parametrize(
    ("file", "line", "broken"),
    [
        (None, "", None),
        ("nets/network.py", "import adderlab.verbs.prove", LAYERS),
        ("tasks/task.py", "import adderlab.nets.files", LAYERS),
        ("errors.py", "def f():\n    import adderlab.bits", LAYERS),
        ("training/loop.py", "from adderlab.proving import prove", LAYERS),
        ("building/lecture.py", "from adderlab.counting import count_model", LAYERS),
        ("tasks/sampling.py", "def f():\n    import torch", TORCH_FREE),
        ("bits.py", "from torch import nn", TORCH_FREE),
        ("formats.py", "import torch.nn", TORCH_FREE),
        ("newroom.py", "import adderlab.errors", LAYERS),
    ],
)
def test_the_contracts_hold_and_each_breach_is_found(tmp_path, file, line, broken):
    """The first case is the control: as it stands, the package keeps every contract."""
    source = tmp_path / "src"
    _ = shutil.copytree(
        *adderlab.__path__, source / "adderlab", ignore=shutil.ignore_patterns("__pycache__")
    )
    if file is not None:
        with (source / "adderlab" / file).open("a", encoding="utf-8") as changed:
            _ = changed.write(f"\n{line}\n")
    done = subprocess.run(
        [
            *(
                sys.executable,
                "-c",
                "from importlinter.cli import lint_imports_command as lint; lint()",
            ),
            *("--no-cache", "--config", str(ROOT / "pyproject.toml")),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=source,
    )
    kept = {name: f"{name} KEPT" in done.stdout for name in (LAYERS, TORCH_FREE)}
    assert kept == {name: name != broken for name in kept}, done.stdout[-3000:] + done.stderr
    assert (done.returncode == 0) is (broken is None)
