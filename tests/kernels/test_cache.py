"""The cache folder: what others could have written is never read, whoever wrote it how."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from adderlab.kernels import cache
from adderlab.kernels.cache import cache_folder, keep, read, usable_folder

KERNEL = "double_0123456789abcdef.kernel"
NOBODY = 65534

needs_root = pytest.mark.skipif(
    not hasattr(os, "getuid") or os.getuid() != 0, reason="only root gives files away"
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A usable folder with a file that this user wrote."""
    monkeypatch.setenv("ADDERLAB_CACHE_DIR", str(tmp_path / "cache"))
    place, fault = usable_folder()
    assert (place, fault) == (tmp_path / "cache" / "kernels", "")
    keep(place, KERNEL, b"code")
    assert usable_folder() == (place, "")
    assert read(place, KERNEL) == b"code"
    return place


def kept():
    """Return what a command would load now."""
    place, _ = usable_folder()
    return None if place is None else read(place, KERNEL)


def test_the_users_cache_folder_is_taken_unless_another_is_named(monkeypatch):
    monkeypatch.delenv("ADDERLAB_CACHE_DIR")
    assert cache_folder().name == "kernels"
    assert "adderlab" in str(cache_folder())
    monkeypatch.setenv("ADDERLAB_CACHE_DIR", "beside")
    assert cache_folder() == Path.cwd() / "beside" / "kernels"


def test_folders_are_made_closed_whatever_the_umask(tmp_path, monkeypatch):
    monkeypatch.setenv("ADDERLAB_CACHE_DIR", str(tmp_path / "a" / "b"))
    before = os.umask(0)
    try:
        place, _ = usable_folder()
        keep(place, KERNEL, b"code")
    finally:
        _ = os.umask(before)
    assert kept() == b"code"
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("a", "a/b")] == [0o700] * 2


@pytest.mark.parametrize("mode", [0o777, 0o755, 0o770, 0o1777, 0o710])
def test_a_folder_that_was_open_is_emptied_and_closed(folder, mode):
    other = folder / "notes.txt"
    _ = other.write_text("not ours")
    (folder / "a_0123456789abcdef.kernel").mkdir()
    (folder / "b_0123456789abcdef.py").symlink_to(other)
    folder.chmod(mode)
    assert kept() is None
    assert folder.stat().st_mode & 0o7777 in (0o700, 0o700 | mode & 0o1000)
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]  # never read, so never lost
    assert other.read_text() == "not ours"


@pytest.mark.parametrize("mode", [0o666, 0o620, 0o602])
def test_a_file_that_others_could_write_empties_the_folder(folder, mode):
    (folder / KERNEL).chmod(mode)
    assert kept() is None
    assert list(folder.iterdir()) == []


@needs_root
@pytest.mark.parametrize("which", ["beside", "itself"])
def test_a_file_of_another_user_empties_the_folder(folder, which):
    """It was put there while the folder was open, which was closed by hand since."""
    path = folder / (KERNEL if which == "itself" else "x_0123456789abcdef.py")
    path.touch()
    os.chown(path, NOBODY, NOBODY)
    assert read(folder, KERNEL) == (None if which == "itself" else b"code")
    assert kept() is None
    assert list(folder.iterdir()) == []


def test_a_link_to_a_file_is_not_followed(folder, tmp_path):
    elsewhere = tmp_path / KERNEL
    _ = (folder / KERNEL).replace(elsewhere)
    (folder / KERNEL).symlink_to(elsewhere)
    assert read(folder, KERNEL) is None
    assert kept() is None
    assert elsewhere.exists()


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_plain_file_is_not_read(folder, make):
    (folder / KERNEL).unlink()
    make(folder / KERNEL)
    assert read(folder, KERNEL) is None
    assert kept() is None
    assert list(folder.iterdir()) == []


def test_a_file_with_a_second_name_is_not_read(folder, tmp_path):
    os.link(folder / KERNEL, tmp_path / "other")
    assert read(folder, KERNEL) is None
    assert kept() is None


class Planted:
    """What unpickling this would do."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (open, (str(self.marker), "w"))


def test_a_planted_pickle_is_never_loaded(folder, tmp_path):
    """Under every name that is read or was once: the marker file would show that it ran."""
    marker = tmp_path / "marker"
    data = pickle.dumps(Planted(marker))
    names = [KERNEL, "double_0123456789abcdef.double-4.py311.nbi", KERNEL.replace("kernel", "nbc")]
    for name in names:
        _ = (folder / name).write_bytes(data)
        (folder / name).chmod(0o600)
    assert kept() is None
    assert not marker.exists()
    pickle.loads(data).close()
    assert marker.exists()  # it would have run


@needs_root
def test_another_users_folder_is_not_used(folder):
    os.chown(folder, NOBODY, NOBODY)
    assert usable_folder() == (None, f"{folder} belongs to another user")
    assert (folder / KERNEL).exists()


@needs_root
@pytest.mark.parametrize("what", ["folder", "link"])
def test_a_folder_in_anothers_hands_is_not_used(folder, tmp_path, monkeypatch, what):
    place = folder.parent
    if what == "link":
        place = tmp_path / "way"
        place.symlink_to(folder.parent)
        monkeypatch.setenv("ADDERLAB_CACHE_DIR", str(place))
        assert kept() == b"code"
    os.chown(place, NOBODY, NOBODY, follow_symlinks=False)
    assert usable_folder() == (None, f"{place} belongs to another user")


@pytest.mark.parametrize("mode", [0o777, 0o702])
def test_a_folder_that_others_can_replace_is_not_used(folder, mode):
    folder.parent.chmod(mode)
    fault = f"{folder.parent} can be written to by others; close it with chmod go-w"
    assert usable_folder() == (None, fault)
    folder.parent.chmod(mode | 0o1000)  # sticky: others can't replace what is not theirs
    assert kept() == b"code"


@pytest.mark.parametrize("is_own", [True, False])
def test_the_users_own_group_may_write_above(folder, monkeypatch, is_own):
    monkeypatch.setattr(cache, "_is_own_group", lambda gid: is_own)
    folder.parent.chmod(0o770)
    assert (kept() == b"code") is is_own


def test_the_way_of_every_link_is_looked_at(folder, tmp_path, monkeypatch):
    """A link may lead through a folder of others to one that is closed."""
    through = tmp_path / "open"
    through.mkdir()
    (through / "back").symlink_to("../cache")
    (tmp_path / "way").symlink_to("open/back")
    monkeypatch.setenv("ADDERLAB_CACHE_DIR", str(tmp_path / "way"))
    assert kept() == b"code"
    through.chmod(0o777)
    assert usable_folder()[1].startswith(f"{through} can be written to by others")
    (tmp_path / "way").unlink()
    (tmp_path / "way").symlink_to("way")
    assert usable_folder()[0] is None


def test_a_link_or_a_file_in_its_place_is_not_used(folder, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    _ = folder.replace(elsewhere)
    folder.symlink_to(elsewhere)
    assert usable_folder() == (None, f"{folder} is not a folder")
    folder.unlink()
    _ = folder.write_text("a file")
    assert usable_folder() == (None, f"{folder} is not a folder")
    assert (elsewhere / KERNEL).exists()
