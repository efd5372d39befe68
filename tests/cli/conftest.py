"""What the tests of the command line share: files of networks, and a way to run a command."""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest
import torch
from cli.samples import bad_files, good_networks, typed

from adderlab.cli.main import main
from adderlab.demo import story, success_rate
from adderlab.nets import save
from adderlab.verbs import doctor


@pytest.fixture(scope="session")
def nets(tmp_path_factory):
    """Return a folder of network files, good and bad."""
    folder = tmp_path_factory.mktemp("nets")
    for name, net in good_networks().items():
        _ = save(net, folder / f"{name}.safetensors")
    for name, content in bad_files((folder / "lecture.safetensors").read_bytes()).items():
        _ = (folder / name).write_bytes(content)
    torch.save(
        {"fc1.weight": torch.zeros(3, 2)}, folder / "old.pt", _use_new_zipfile_serialization=False
    )
    return folder


@pytest.fixture
def place(tmp_path, monkeypatch, nets):
    """Return an empty folder to work in; the network files are reached as ``../nets/…``."""
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "nets").symlink_to(nets, target_is_directory=True)
    monkeypatch.chdir(work)
    monkeypatch.setenv("COLUMNS", "100")
    return work


@pytest.fixture
def left(place):
    """Return a function that returns what is in the folder to work in, sorted."""
    return lambda: sorted(str(path.relative_to(place)) for path in place.rglob("*"))


class Done(NamedTuple):
    """What a command came to."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(place, capsys):
    """Return a function that runs a command line."""

    def call(line):
        code = main(typed(line))
        return Done(code, *capsys.readouterr())

    return call


@pytest.fixture
def run_json(run):
    """Return a function that runs a command with ``--json``: its exit code and its one object."""

    def call(line):
        done = run(f"{line} --json")
        assert done.out.count("\n") == 1
        assert done.out.endswith("\n")
        result = json.loads(done.out)
        assert isinstance(result, dict)
        return done.code, result

    return call


@pytest.fixture
def quick_doctor(monkeypatch):
    """Spare the doctor's measurement of training, which takes a second."""
    quick = doctor.Check("training", "1 networks/s", is_good=True)
    monkeypatch.setattr(doctor, "_training_speed", lambda: quick)


@pytest.fixture
def quick_demo(monkeypatch):
    """Leave out the chapters that train for seconds."""
    slow = {"a training run that works", "a training run that fails", "three batch modes"}
    chapters = tuple(chapter for chapter in story.CHAPTERS if chapter[0] not in slow)
    assert len(chapters) == len(story.CHAPTERS) - len(slow)
    monkeypatch.setattr(story, "CHAPTERS", chapters)
    monkeypatch.setattr(success_rate, "WIDTHS", (success_rate.LECTURE,))
