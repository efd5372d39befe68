"""Packages that are missing: commands that need none work, the others name the one to install."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys

import pytest

from adderlab.cli.main import main
from adderlab.packages import check_installed, dependency_error, install_command, is_installed

SCRIPT = """
import contextlib, importlib.metadata, io, json, sys
names, commands = json.loads(sys.argv[1])
for name in names:
    sys.modules[name] = None  # as if it was not installed: find_spec finds none
find = importlib.metadata.Distribution.from_name.__func__
def from_name(cls, name):
    if name.replace("-", "_") in names:
        raise importlib.metadata.PackageNotFoundError(name)
    return find(cls, name)
importlib.metadata.Distribution.from_name = classmethod(from_name)
from adderlab.__main__ import main
results = []
for command in commands:
    out, err = io.StringIO(), io.StringIO()
    sys.argv[1:] = command.split()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main()
    results.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(results))
"""

RIGHT = "right.safetensors"
RUN = "train half-adder --seeds 20 --steps 20 --no-explain"
MAP = "map half-adder --x lr=0.1:1:log --y init=0.1:1:log --size 2 --steps 2"

WITHOUT = {
    ("torch",): {
        f"prove {RIGHT}": 0,
        f"run {RIGHT} 1,1": 0,
        f"count {RIGHT}": 0,
        f"repair {RIGHT}": 0,
        f"compare {RIGHT} {RIGHT}": 0,
        "build adder:4 --method prefix -o built.safetensors": 0,
        f"quantize {RIGHT} --to int4 -o small.safetensors": 0,
        f"show {RIGHT}": 0,
        "explain --chain 2": 0,
        RUN: 0,
        "train half-adder --steps 1": "torch",
        "train half-adder --member 3": "torch",
        "train --replay trained.safetensors": "torch",
        f"explain {RIGHT} --input 1,1": "torch",
        f"explain {RIGHT} --slots": "torch",
        "explain trained.safetensors --why": "torch",
        "demo -o demo": "torch",
        "doctor": 1,
    },
    # all at once: what works needs none of them, what does not names the first that it meets
    (
        *("numba", "matplotlib", "pyarrow", "sympy", "flint"),
        *("platformdirs", "z3", "IPython", "jupyterlab", "safetensors", "pandas"),
        *("starlette", "uvicorn", "websockets"),
    ): {
        "--version": 0,
        "tasks": 0,
        f"prove {RIGHT}": 0,
        f"run {RIGHT} 1,1": 0,
        f"show {RIGHT} --input 1,1": 0,
        "explain --chain 2": "sympy",
        "build adder:4 --method ripple -o built.safetensors": 0,
        f"show {RIGHT} -o figures": "matplotlib",
        RUN: "numba",
        f"{RUN} -o run": "pyarrow",
        f"{MAP} -o map.png": "numba",
        "demo -o demo": "numba",
        "open --no-browser": "uvicorn",
        "doctor": 1,
    },
    ("matplotlib", "jinja2"): {"explain --chain 2": 0, "explain --chain 2 -o e.html": "matplotlib"},
    ("typer",): {"--help": "typer", "tasks": "typer"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("missing")
    with contextlib.chdir(place):
        assert main(["build", "half-adder", "--method", "one-layer", "-o", RIGHT]) == 0
        command = ["train", "half-adder", "--seed", "0", "--steps", "1"]
        assert main([*command, "-o", "trained.safetensors"]) == 1
    return place


@pytest.mark.parametrize("missing", WITHOUT, ids=" ".join)
def test_without_a_package_commands_work_or_name_it(folder, missing):
    commands = WITHOUT[missing]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps([missing, list(commands)])],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for (command, outcome), (code, out, err) in zip(
        commands.items(), json.loads(done.stdout), strict=True
    ):
        if isinstance(outcome, int):
            assert code == outcome, (command, out, err)
        else:
            line = f"adderlab: {outcome} is not installed; pip install {outcome}"
            assert (code, out, err.splitlines()[-1]) == (2, "", line), command
            assert "Traceback" not in err
        if command == "doctor":
            for name in {*missing} - {"IPython", "safetensors", "pandas"}:
                remedy = install_command(name)
                assert any(
                    line.startswith(name) and "not installed" in line and remedy in line
                    for line in out.splitlines()
                ), (name, out)
    assert not any((folder / name).exists() for name in ("demo", "figures"))


def test_an_error_of_an_import_names_its_package_and_the_command():
    def complaint_of(error):
        complaint = dependency_error(error)
        return None if complaint is None else str(complaint)

    assert complaint_of(ModuleNotFoundError("No module named 'z3'", name="z3")) == (
        "z3 is not installed; pip install 'adderlab[smt]'"
    )
    assert complaint_of(ModuleNotFoundError("No module named 'torch.x'", name="torch.x")) == (
        "torch is not installed; pip install torch"
    )
    assert complaint_of(ModuleNotFoundError("No module named '_lzma'", name="_lzma")) == (
        "_lzma is not installed; take a Python built with it"
    )
    assert complaint_of(ImportError("cannot import name 'x'", name="numba.core")) == (
        "numba can't be loaded (cannot import name 'x'); install it again: pip install numba"
    )
    assert (
        complaint_of(ModuleNotFoundError("No module named 'adderlab.x'", name="adderlab.x")) is None
    )
    assert complaint_of(ImportError("cannot import name 'x'", name="adderlab")) is None


def test_an_error_without_a_name_is_of_the_package_that_raised_it():
    names = {"__name__": "numba.core"}
    exec("def load(): raise ImportError('Numba needs NumPy 2.4 or less')", names)
    with pytest.raises(ImportError) as raised:
        names["load"]()
    assert str(dependency_error(raised.value)).startswith(
        "numba can't be loaded (Numba needs NumPy 2.4 or less)"
    )


def test_a_library_of_a_package_is_told_as_the_package():
    names = {"__name__": "torch"}
    exec("def load(): raise ImportError('libgloo.so.0: no such file', name='_C')", names)
    with pytest.raises(ImportError) as raised:
        names["load"]()
    assert str(dependency_error(raised.value)) == (
        "torch can't be loaded (libgloo.so.0: no such file); install it again: pip install torch"
    )


def test_a_fault_of_our_own_stays_a_traceback(monkeypatch):
    def fail(*arguments, **keywords):
        raise ImportError("cannot import name 'x'", name="adderlab.verbs")

    monkeypatch.setattr("adderlab.cli.main.app", fail)
    with pytest.raises(ImportError):
        _ = main(["tasks"])


def test_as_json_the_error_is_an_object(monkeypatch, capsys):
    def fail(*arguments, **keywords):
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr("adderlab.cli.main.app", fail)
    assert main(["train", "half-adder", "--json"]) == 2
    assert json.loads(capsys.readouterr().out) == {
        "error": {"what": "torch is not installed", "where": "", "remedy": "pip install torch"}
    }


def test_what_is_installed_is_known_without_loading_it():
    assert is_installed("torch")
    assert not is_installed("no_such_package")
    check_installed("torch", "numba")
    with pytest.raises(ImportError, match=r"^no_such_package is not installed; pip install no"):
        check_installed("torch", "no_such_package")
