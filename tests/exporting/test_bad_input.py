"""What all targets share: what is refused, what every file carries, and what is left behind."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import exports
import pytest
from exports import subject_of
from strategies import refused

import adderlab
from adderlab.cli.main import main
from adderlab.cli.options import TargetChoice
from adderlab.errors import OptionError, OutputError
from adderlab.exporting.comparison import Comparison
from adderlab.nets.files import to_bytes
from adderlab.scratch import is_scratch
from adderlab.verbs.export_targets import TARGETS

ALL = sorted(TARGETS)
LECTURE = adderlab.build("half-adder", method="lecture").network
RIGHT = adderlab.build("half-adder").network


def named(to, stem="net"):
    return stem + TARGETS[to].endings[0]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Work in a folder with the lecture's network, which is wrong, and one that is right."""
    monkeypatch.chdir(tmp_path)
    adderlab.save(LECTURE, "lecture.safetensors")
    adderlab.save(RIGHT, "right.safetensors")
    return tmp_path


def state():
    return {path: path.is_file() and path.read_bytes() for path in Path().rglob("*")}


def fails(line, capsys):
    """Return the line that a command ends with, which leaves everything as it was."""
    before = state()
    assert main(line) == 2, line
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1, printed.err
    assert state() == before
    return printed.err


def line_of(to, net="right.safetensors", out=None):
    return ["export", net, "--to", to, "-o", out or named(to)]


# -- what every file carries ---------------------------------------------------------------------


@pytest.mark.parametrize("to", ALL)
def test_what_is_forced_is_marked_and_carries_all_hashes(to, folder, capsys):
    """In every file of a target, whatever is written: comment or metadata."""
    assert not adderlab.prove("lecture.safetensors", formats="exact", out="lecture.cert")
    if not TARGETS[to].shows_verdict:
        text = fails(line_of(to, "lecture.safetensors"), capsys)
        assert "network: it is refuted" in text
        assert "half-adder is wrong on 1 of 4 inputs" in text
        assert "with --force it is written all the same, and marked" in text
    line = [*line_of(to, "lecture.safetensors"), "--force", "--certificate", "lecture.cert"]
    assert main([*line, "--json"]) == 0
    printed = capsys.readouterr()
    result = json.loads(printed.out)
    assert "this network is refuted, and the file says so" in printed.err
    assert result["verdict"] == "refuted"
    assert result["file"] == named(to) == result["files"][0]
    assert result["equal"] in (True, None)
    assert result["checked_rows"] == (4 if result["equal"] else 0)
    network = hashlib.sha256(Path("lecture.safetensors").read_bytes()).hexdigest()
    own = json.loads(Path("lecture.cert").read_bytes())
    for file in result["files"]:
        content = Path(file).read_bytes()
        for text in ("refuted", network, own["sha256"]):
            assert text.encode() in content, (file, text)
    assert [entry["name"] for entry in own["artifacts"]] == sorted(result["files"])
    answer = adderlab.check("lecture.safetensors", "lecture.cert", artifacts=result["files"])
    assert answer.valid is result["equal"]
    assert {str(path) for path in Path().iterdir()} == {
        "lecture.cert", "lecture.safetensors", "right.safetensors", *result["files"],
    }  # fmt: skip


WRITES = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
import adderlab
from exports import subject_of
from adderlab.verbs.export_targets import TARGETS
net = adderlab.build("half-adder").network
for to in sorted(TARGETS):
    for name, content in TARGETS[to].write(subject_of(net)).items():
        data = content.encode() if isinstance(content, str) else content
        print(to + name, hashlib.sha256(data).hexdigest())
"""


def test_the_same_network_is_written_to_the_same_bytes(tmp_path):
    """In another process, with another seed of Python's hashes, in another folder."""
    own = []
    for to in ALL:
        for name, content in TARGETS[to].write(subject_of(RIGHT)).items():
            data = content.encode() if isinstance(content, str) else content
            own.append(f"{to}{name} {hashlib.sha256(data).hexdigest()}")
            assert str(Path.home()).encode() not in data
    words = (sys.executable, "-c", WRITES, str(Path(exports.__file__).parent))
    environment = {**os.environ, "PYTHONHASHSEED": "0"}  # ours is random
    done = subprocess.run(
        words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == own


# -- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ALL)
def test_places_that_are_none_are_refused_before_the_work(to, folder, capsys, monkeypatch):
    monkeypatch.setitem(TARGETS, to, replace(TARGETS[to], write=None, compare=None))
    ending = TARGETS[to].endings[0]
    text = fails(line_of(to, out="net.safetensors"), capsys)
    assert text == (
        f"adderlab: net.safetensors: {to} is written to a file that ends in {ending}; name one "
        f"like net{ending}\n"
    )
    text = fails(line_of(to, out=f"no/{named(to)}"), capsys)
    assert "the folder 'no' does not exist; make it first" in text
    Path(f"dir{ending}").mkdir()
    assert "a folder stands there; name a file" in fails(line_of(to, out=f"dir{ending}"), capsys)
    Path(f"link{ending}").symlink_to("right.safetensors")
    text = fails(line_of(to, out=f"link{ending}"), capsys)
    assert "this file is read, and would be lost; name another file" in text
    if os.geteuid():
        Path("closed").mkdir(mode=0o500)
        text = fails(line_of(to, out=f"closed/{named(to)}"), capsys)
        assert "the folder can't be written; choose another place" in text


@pytest.mark.parametrize("to", ALL)
def test_networks_and_tasks_that_do_not_fit_are_refused(to, folder, capsys):
    assert "no such file" in fails(line_of(to, "none.safetensors"), capsys)
    Path("short.safetensors").write_bytes(Path("right.safetensors").read_bytes()[:-1])
    assert "short.safetensors" in fails(line_of(to, "short.safetensors"), capsys)
    assert "adder:2" in fails([*line_of(to), "--task", "adder:2"], capsys)
    assert "hlaf-adder" in fails([*line_of(to), "--task", "hlaf-adder"], capsys)
    if not TARGETS[to].takes_wiring:
        text = fails([*line_of(to), "--task", "adder:any"], capsys)
        assert f"{to} holds no wiring" in text
        others = [name for name, target in TARGETS.items() if target.takes_wiring]
        assert not others or ", ".join(others) in text


def test_a_target_that_is_none_is_refused_with_those_that_are(folder, capsys):
    text = fails(line_of("pdf", out="net.pdf"), capsys)
    assert all(f"'{to}'" in text or to in text for to in ALL)
    with refused(OptionError, f"to: got 'pdf'; give one of {', '.join(TARGETS)}"):
        _ = adderlab.export(RIGHT, to="pdf", out="net.pdf")
    assert fails(["export", "right.safetensors", "--to", "json"], capsys)


def test_the_command_line_knows_every_target_and_its_help_names_each(capsys):
    assert sorted(TargetChoice) == ALL
    assert main(["export", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for to in ALL:
        assert to in text


def test_a_file_that_is_read_is_not_written(folder, capsys):
    """Nor is one of the files that go with it."""
    assert main(line_of("json", out="net.json")) == 0
    _ = capsys.readouterr()
    assert "this file is read" in fails(line_of("json", "net.json", "net.json"), capsys)


# -- what is left behind --------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from dataclasses import replace
import adderlab
from adderlab.verbs.export_targets import TARGETS

def compare(paths, subject):
    assert all(path.exists() for path in paths.values())
    os.kill(os.getpid(), signal.SIGKILL)

TARGETS["json"] = replace(TARGETS["json"], compare=compare)
adderlab.export("right.safetensors", to="json", out="out/net.json")
"""


def test_what_is_killed_leaves_nothing_under_a_name_of_ours(folder):
    Path("out").mkdir()
    Path("out/net.json").write_text("earlier")
    done = subprocess.run((sys.executable, "-c", KILLED), check=False)
    assert done.returncode < 0
    assert Path("out/net.json").read_text() == "earlier"
    left = [path.name for path in Path("out").iterdir() if path.name != "net.json"]
    assert [is_scratch(name, "out") for name in left] == [True]
    words = (sys.executable, "-m", "adderlab", *line_of("json", out="out/net.json"))
    done = subprocess.run(words, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert adderlab.load("out/net.json").task.name == "half-adder"
    assert [path.name for path in Path("out").iterdir()] == ["net.json"]


def test_an_interruption_leaves_nothing(folder, monkeypatch):
    def compare(paths, subject):
        raise KeyboardInterrupt

    monkeypatch.setitem(TARGETS, "json", replace(TARGETS["json"], compare=compare))
    before = state()
    with pytest.raises(KeyboardInterrupt):
        _ = adderlab.export(RIGHT, to="json", out="net.json")
    assert state() == before


def test_two_commands_at_once_write_into_one_folder(folder):
    """Under one name, of which one whole file stays."""
    running = {
        net: subprocess.Popen(
            (sys.executable, "-m", "adderlab", *line_of("json", f"{net}.safetensors"), "--force"),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )
        for net in ("right", "lecture")
    }  # fmt: skip
    for command in running.values():
        _, error = command.communicate()
        assert command.returncode == 0, error
    kept = adderlab.load("net.json")
    assert to_bytes(kept) in {to_bytes(adderlab.load(f"{net}.safetensors")) for net in running}
    assert {path.name for path in Path().iterdir()} == {
        "net.json", "lecture.safetensors", "right.safetensors",
    }  # fmt: skip


def test_json_says_what_was_written_and_checked(folder, capsys, monkeypatch):
    keys = {"file", "files", "checked_rows", "equal", "scope", "checked_by", "reason", "to", "task",
            "verdict", "certificate", "notes"}  # fmt: skip
    answers = (
        (Comparison(True, 4, "it"), 0, "net.json", 4),
        (Comparison(None, reason="no simulator"), 0, "net.json", 0),
        (Comparison(False, 2, "it", "row 2 differs"), 1, None, 2),
    )
    for comparison, code, file, rows in answers:
        Path("net.json").unlink(missing_ok=True)
        target = replace(TARGETS["json"], compare=lambda paths, subject, own=comparison: own)
        monkeypatch.setitem(TARGETS, "json", target)
        assert main([*line_of("json", out="net.json"), "--json"]) == code
        result = json.loads(capsys.readouterr().out)
        assert keys <= {*result}
        assert (result["file"], result["checked_rows"]) == (file, rows)
        assert result["equal"] is comparison.equal
        assert Path("net.json").exists() is (file is not None)


def test_places_are_checked_in_python_as_on_the_command_line(folder):
    for out, what in (
        ("no/net.json", "the folder 'no' does not exist; make it first"),
        ("net.txt", "json is written to a file that ends in .json; name one like net.json"),
    ):
        with refused(OutputError, f"{out}: {what}"):
            _ = adderlab.export(RIGHT, to="json", out=out)


def test_a_link_is_followed_and_a_companion_stands_beside_what_it_leads_to(tmp_path):
    net = adderlab.build("half-adder", method="one-layer").network
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    real = elsewhere / "real.vnnlib"
    _ = real.write_text("earlier")
    link = tmp_path / "link.vnnlib"
    link.symlink_to(real)
    exported = adderlab.export(net, to="vnnlib", out=link)
    assert exported.files == (link, elsewhere / "real.onnx")
    assert link.is_symlink()
    assert "declare-const" in real.read_text()
    assert {path.name for path in elsewhere.iterdir()} == {"real.vnnlib", "real.onnx"}
    other = tmp_path / "kept.onnx"
    _ = other.write_text("kept")
    (tmp_path / "half.onnx").symlink_to(other)
    exported = adderlab.export(net, to="vnnlib", out=tmp_path / "half.vnnlib")
    assert exported.files == (tmp_path / "half.vnnlib", tmp_path / "half.onnx")
    assert other.read_text() == "kept"
