"""Leftovers of killed processes are removed, and nothing else is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from adderlab import scratch
from adderlab.scratch import LONGEST_NAME, is_scratch, scratch_file, scratch_folder, sweep
from adderlab.writing import write_file


@pytest.fixture(scope="module")
def gone() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    _ = process.wait()
    return process.pid


def leftover(folder: Path, process: int, name: str = ".net.adderlab") -> Path:
    path = folder / f"{name}-{scratch._machine()}-{process}-abcd_123"
    _ = path.write_bytes(b"half")
    return path


def test_a_temporary_name_says_whose_it_is_and_is_not_too_long(tmp_path: Path) -> None:
    for name in ("net.safetensors", "ä" * 127):
        handle, path = scratch_file(tmp_path / name)
        os.close(handle)
        folder = scratch_folder(tmp_path / name)
        for place in (path, folder):
            assert place.parent == tmp_path
            assert is_scratch(place.name, name.encode()[:LONGEST_NAME].decode())
            assert f"-{os.getpid()}-" in place.name


def test_what_a_process_that_is_gone_left_is_removed_by_the_next_write(
    tmp_path: Path, gone: int
) -> None:
    _ = leftover(tmp_path, gone)
    folder = tmp_path / f".figs.adderlab-{scratch._machine()}-{gone}-00000000"
    folder.mkdir()
    _ = (folder / "a").write_bytes(b"")
    _ = write_file(tmp_path / "other", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_what_a_running_process_writes_is_kept_until_it_is_another_process(tmp_path: Path) -> None:
    own = leftover(tmp_path, os.getpid())
    parent = leftover(tmp_path, 1)
    sweep(tmp_path)
    assert {own, parent} == set(tmp_path.iterdir())
    before_us = time.time() - 10**7  # as if the number had been another process's then
    for path in (own, parent):
        os.utime(path, (before_us, before_us))
    os.utime(parent)
    sweep(tmp_path)
    assert [parent] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "name",
    [
        ".run.json.abcd_123",
        "net.adderlab-{machine}-{gone}-abcd_123",
        ".net.adderlab-{machine}-{gone}-abcd_1234",
        ".net.adderlab-{machine}-x-abcd_123",
        ".net.adderlab-00000000-{gone}-abcd_123",
    ],
)
def test_other_names_are_left_alone(tmp_path: Path, gone: int, name: str) -> None:
    path = tmp_path / name.format(machine=scratch._machine(), gone=gone)
    _ = path.write_bytes(b"kept")
    sweep(tmp_path)
    assert path.read_bytes() == b"kept"


def test_another_users_files_and_links_are_left_alone(
    tmp_path: Path, gone: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    _ = leftover(tmp_path, gone)
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
        sweep(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []
    target = tmp_path / "folder"
    target.mkdir()
    _ = (target / "kept").write_bytes(b"")
    link = leftover(tmp_path, gone)
    link.unlink()
    link.symlink_to(target)
    sweep(tmp_path)
    assert (target / "kept").is_file()


def test_what_a_running_process_wrote_stays_where_there_is_no_proc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psutil

    def no_process(number: int) -> None:
        raise psutil.NoSuchProcess(number)

    monkeypatch.setattr(psutil, "Process", no_process)
    assert not scratch._is_gone(os.getpid(), 0.0)
    monkeypatch.setattr(psutil, "pid_exists", lambda number: False)
    assert scratch._is_gone(os.getpid(), 0.0)


def test_a_folder_that_is_not_there_is_swept_in_silence(tmp_path: Path) -> None:
    sweep(tmp_path / "none")
