"""Kernels in the cache folder: whose it is, what is kept there, and what if it can't be used."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from adderlab.training.kernels import compiled as module
from adderlab.training.kernels.compiled import cache_folder, compiled, usable_folder

SOURCE = '"""Twice."""\n\n\ndef double(x, y):\n    store(y, 0, load(x, 0) + load(x, 0))\n'
SIGNATURE = "void(float32[::1], float32[::1])"
X = np.arange(16, dtype=np.float32)


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """A cache folder for one test, and nothing compiled in this process."""
    monkeypatch.setenv("ADDERLAB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "_KNOWN", {})
    return tmp_path / "cache" / "kernels"


def doubled(monkeypatch=None, source=SOURCE):
    """Compile as a new process would; return what was said."""
    said = []
    module._KNOWN.clear()
    run = compiled("double", "double", source, SIGNATURE, said.append)
    y = np.zeros(16, dtype=np.float32)
    run(X, y)
    assert (y == 2 * X).all()
    return said


def test_the_first_time_is_said_and_the_second_is_from_the_cache(own_cache):
    assert doubled() == [f"compiling double, once: it is kept in {own_cache}"]
    assert doubled() == []
    (source,) = own_cache.glob("*.py")
    assert source.read_text(encoding="utf-8") == SOURCE
    assert source.name.startswith("double_")
    kept = {path.suffix for path in own_cache.rglob("*") if path.is_file()}
    assert kept == {".py", ".nbi", ".nbc"}
    assert len(doubled(source=SOURCE.replace("Twice", "Two times"))) == 1


def test_a_function_is_compiled_once_in_a_process(own_cache):
    said = []
    runs = [compiled("double", "double", SOURCE, SIGNATURE, said.append) for _ in range(3)]
    assert len(said) == 1
    assert runs[0] is runs[1] is runs[2]


def test_the_folder_is_its_owners_alone(own_cache):
    assert usable_folder() == (own_cache, "")
    assert own_cache.stat().st_mode & 0o777 == 0o700
    own_cache.chmod(0o755)
    assert usable_folder() == (own_cache, "")
    assert own_cache.stat().st_mode & 0o777 == 0o700


def test_what_a_file_says_is_never_run(own_cache):
    """A source that was changed is written anew; what runs was made here."""
    _ = doubled()
    (source,) = own_cache.glob("*.py")
    _ = source.write_text(SOURCE.replace("+ load(x, 0)", "- load(x, 0)"), encoding="utf-8")
    _ = doubled()
    assert source.read_text(encoding="utf-8") == SOURCE


def test_another_users_folder_is_not_used(own_cache, monkeypatch):
    own_cache.mkdir(parents=True)
    monkeypatch.setattr(os, "getuid", lambda: own_cache.stat().st_uid + 1)
    assert usable_folder() == (None, f"{own_cache} belongs to another user")
    said = doubled()
    assert said == [f"compiling double, for this run alone: {own_cache} belongs to another user"]
    assert list(own_cache.iterdir()) == []


def test_a_link_or_a_file_in_its_place_is_not_used(own_cache, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    own_cache.parent.mkdir()
    own_cache.symlink_to(elsewhere)
    assert usable_folder() == (None, f"{own_cache} is not a folder")
    assert len(doubled()) == 1
    own_cache.unlink()
    _ = own_cache.write_text("a file")
    assert usable_folder() == (None, f"{own_cache} can't be used (File exists)")
    assert len(doubled()) == 1
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("damage", [b"", b"\x80\x04cut", None])
def test_a_damaged_cache_is_made_again(own_cache, suffix, damage):
    _ = doubled()
    for path in own_cache.rglob(f"*{suffix}"):
        _ = path.write_bytes(path.read_bytes()[:-9] if damage is None else damage)
    _ = doubled()
    assert doubled() == []


def test_versions_and_our_own_sources_name_the_file(own_cache, monkeypatch):
    plain = module._key(SOURCE)
    assert module._key(SOURCE) == plain != module._key(SOURCE + "\n")
    monkeypatch.setattr(module.numba, "__version__", "0")
    assert module._key(SOURCE) != plain


def test_the_users_cache_folder_is_taken_unless_another_is_named(monkeypatch):
    monkeypatch.delenv("ADDERLAB_CACHE_DIR")
    assert cache_folder().name == "kernels"
    assert "adderlab" in str(cache_folder())


def test_another_process_finds_what_this_one_compiled(own_cache):
    _ = doubled()
    code = (
        "from adderlab.training.kernels.compiled import compiled\n"
        f"_ = compiled('double', 'double', {SOURCE!r}, {SIGNATURE!r}, print)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
