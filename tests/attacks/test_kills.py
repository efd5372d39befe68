"""SIGKILL at each file event of each writer: the old bytes or the new ones stay, nothing else."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest
from attacks.cases import command, snapshot
from attacks.forked import in_child
from attacks.guard import CHANGES, WRITE_FLAGS

from adderlab import scratch

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

WRITERS = {
    "build half-adder -o out.safetensors": "out.safetensors",
    "quantize net.safetensors --to int4 -o out.safetensors": "out.safetensors",
    "repair net.safetensors -o out.safetensors": "out.safetensors",
}
"""Commands that write, and the file that they write."""


LONGER = (
    "show net.safetensors -o shown",
    "explain net.safetensors --input 1,1 -o explained",
    "demo --chapter 3 -o story",
    "map half-adder --size 4 --steps 3 -o map.png",
    "train half-adder --seeds 2 --steps 3 --no-explain -o run",
)
"""Commands that write several files, or work in blocks that are kept."""

CLOCKS = ("seconds", "times", "sha256")
"""Keys of a record whose values are other ones in each run: its seal is over the times too."""


def count_events(folder, *, last=None):
    """Count the file events below a folder; end this process, unwarned, before the last one."""
    seen = []

    def hook(event, arguments):
        if event == "open":
            path, _, flags = arguments
            is_change = isinstance(flags, int) and bool(flags & WRITE_FLAGS)
        else:
            path, is_change = (arguments or ("",))[0], event in CHANGES
        if not is_change or isinstance(path, int):
            return
        if not os.path.abspath(os.fsdecode(path)).startswith(f"{folder}/"):  # noqa: PTH100 -- a text
            return
        seen.append(event)
        if len(seen) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    return seen


def run_counted(line, folder, last=None):
    """Run a command in a child; return how it ended and the number of its file events."""

    def child():
        scratch._sweep_place.cache_clear()  # a process of its own has swept nowhere yet
        seen = count_events(folder, last=last)
        code, _, err = command(line.split())
        assert code in (0, 1, 3), err
        return len(seen)

    return in_child(child)


def clear(folder):
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


@pytest.mark.parametrize("line", WRITERS)
@pytest.mark.parametrize("is_there", [False, True], ids=["new", "replaced"])
def test_a_killed_writer_leaves_the_old_or_the_new(line, is_there, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    target = WRITERS[line]
    old = {target: b"old"} if is_there else {}

    def prepare():
        clear(tmp_path)
        words = ["build", "half-adder", "--method", "lecture", "-o", "net.safetensors"]
        code, _, err = command(words)
        assert code in (0, 1), err
        for name, data in old.items():
            _ = (tmp_path / name).write_bytes(data)
        return snapshot(tmp_path)

    before = prepare()
    code, events = run_counted(line, tmp_path)
    assert code == 0
    assert events >= 2
    after = snapshot(tmp_path)
    assert after.keys() > before.keys() or after != before
    for number in range(1, events + 1):
        _ = prepare()
        code, _ = run_counted(line, tmp_path, number)
        assert code == -signal.SIGKILL
        for name, data in snapshot(tmp_path).items():
            if ".adderlab-" in name:  # a temporary file of the process that was killed
                continue
            assert data in (before.get(name), after.get(name)), (number, name)
        code, _ = run_counted(line, tmp_path)  # the next command there
        assert code == 0
        assert snapshot(tmp_path) == after, number
        assert not [path for path in tmp_path.rglob("*") if ".adderlab-" in path.name]


def without_clocks(value):
    """Return a value of JSON without what a clock said."""
    if isinstance(value, dict):
        return {key: without_clocks(own) for key, own in value.items() if key not in CLOCKS}
    return [without_clocks(own) for own in value] if isinstance(value, list) else value


def contents(folder):
    """Return what every run leaves alike: bytes, and of JSON all but the times."""
    return {
        name: without_clocks(json.loads(data)) if Path(name).suffix == ".json" else data
        for name, data in snapshot(folder).items()
    }


@pytest.mark.skipif("ADDERLAB_ATTACKS" not in os.environ, reason="long: make attack")
@pytest.mark.parametrize("line", LONGER)
def test_after_a_kill_the_same_command_ends_as_if_nothing_had_been(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def prepare():
        clear(tmp_path)
        words = ["build", "half-adder", "--method", "lecture", "-o", "net.safetensors"]
        assert command(words)[0] in (0, 1)

    prepare()
    code, events = run_counted(line, tmp_path)
    assert code == 0
    after = contents(tmp_path)
    for number in range(1, events + 1):
        prepare()
        assert run_counted(line, tmp_path, number)[0] == -signal.SIGKILL
        assert run_counted(line, tmp_path)[0] == 0
        assert contents(tmp_path) == after, number
        assert not [path for path in tmp_path.rglob("*") if ".adderlab-" in path.name]
    print(f"{line}: killed at each of {events} file events, 0 unexpected")
