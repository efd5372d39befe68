"""Files are whole or not there: a failing write leaves nothing, and the old file stays."""

from __future__ import annotations

import os
import resource
import signal
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from strategies import check_refusal, refused

from adderlab.errors import OutputError
from adderlab.writing import check_folder, check_place, is_folder, new_file, new_folder, write_file


def listing(folder: Path) -> dict[str, bytes | None]:
    """All that stands in a folder: files with their bytes, folders with none."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The system refuses to make a file larger, as it does when the disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        _ = signal.signal(signal.SIGXFSZ, before)


# --- one file -----------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"\x00\xff\r\n", "grün\n", b"", ""])
def test_a_file_holds_what_was_written_and_nothing_is_left_beside_it(
    tmp_path: Path, data: bytes | str
) -> None:
    path = tmp_path / "net.safetensors"
    assert write_file(path, data) == path
    raw = data if isinstance(data, bytes) else data.encode("utf-8")
    assert listing(tmp_path) == {"net.safetensors": raw}


def test_an_existing_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "net"
    _ = path.write_bytes(b"a longer text than the new one")
    _ = write_file(str(path), b"new")
    assert listing(tmp_path) == {"net": b"new"}


def test_a_reader_of_the_old_file_keeps_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "net"
    _ = path.write_bytes(b"old")
    with path.open("rb") as reader:
        _ = write_file(path, b"new")
        assert reader.read() == b"old"


def test_others_may_read_a_file_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        path = write_file(tmp_path / "net", b"x")
        assert os.umask(0o027) == 0o027
    finally:
        _ = os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_bare_name_is_written_into_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert write_file("net", b"x") == Path("net")
    assert listing(tmp_path) == {"net": b"x"}


def test_a_write_that_fails_half_way_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "net"
    _ = path.write_bytes(b"old")
    message = f"{path}: can't be written (File too large); check the place and the space left"
    with files_of_at_most(1000), refused(OutputError, message):
        _ = write_file(path, bytes(100_000))
    assert listing(tmp_path) == {"net": b"old"}


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net"
    _ = path.write_bytes(b"old")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        _ = write_file(path, b"new")
    assert listing(tmp_path) == {"net": b"old"}


def test_a_folder_is_not_overwritten(tmp_path: Path) -> None:
    place = tmp_path / "net"
    place.mkdir()
    with refused(OutputError, f"{place}: a folder stands there; name a file"):
        _ = write_file(place, b"x")
    assert listing(tmp_path) == {"net": None}


def test_the_empty_path_is_the_working_folder() -> None:
    with refused(OutputError, ".: a folder stands there; name a file"):
        _ = write_file("", b"x")


def test_a_pipe_or_device_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    """As root, ``-o /dev/null`` would otherwise put a file in its place."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for place in (pipe, Path("/dev/null")):
        with refused(OutputError, f"{place}: a device or pipe stands there; name a file"):
            check_place(place)
    with refused(OutputError, f"{pipe}: a device or pipe stands there; name a file"):
        _ = write_file(pipe, b"x")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("kind", ["a pipe", "a folder"])
def test_nothing_of_a_folder_is_moved_where_one_of_its_files_has_no_place(
    tmp_path: Path, kind: str
) -> None:
    target = tmp_path / "run"
    target.mkdir()
    _ = (target / "a").write_bytes(b"old")
    taken = target / "b"
    if kind == "a pipe":
        os.mkfifo(taken)
    else:
        taken.mkdir()
    with pytest.raises(OutputError), new_folder(target) as scratch:
        for name in ("a", "b"):
            _ = (scratch / name).write_bytes(b"new")
    assert (target / "a").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b", "run"]


def test_of_a_link_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    for name in ("old", "new"):
        (tmp_path / f"to-{name}").symlink_to(Path("far") / name)
    _ = (tmp_path / "far" / "old").write_bytes(b"old")
    for name in ("old", "new"):
        assert write_file(tmp_path / f"to-{name}", b"written") == tmp_path / f"to-{name}"
        assert (tmp_path / f"to-{name}").is_symlink()
        assert (tmp_path / "far" / name).read_bytes() == b"written"
    assert sorted(path.name for path in (tmp_path / "far").iterdir()) == ["new", "old"]


def test_a_link_to_a_folder_or_to_no_folder_is_followed(tmp_path: Path) -> None:
    for name in ("there", "nowhere"):
        (tmp_path / f"to-{name}").symlink_to(name)
    (tmp_path / "there").mkdir()
    for name in ("there", "nowhere"):
        with new_folder(tmp_path / f"to-{name}") as scratch:
            fill(scratch)
        assert (tmp_path / f"to-{name}").is_symlink()
        assert listing(tmp_path / name) == FILLED
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("place", ["/dev/stdout", "/proc/self/fd/1", "itself"])
@pytest.mark.parametrize("to", ["a file", "a pipe"])
def test_standard_output_is_not_replaced(tmp_path: Path, place: str, to: str) -> None:
    """Whether it is a file or a pipe; the device itself is a link that would be replaced too."""
    printed = tmp_path / "printed"
    if to == "a pipe":
        os.mkfifo(printed)
    target = printed if place == "itself" else Path(place)
    kept = os.dup(1)
    handle = os.open(printed, os.O_RDWR | os.O_CREAT)
    try:
        _ = os.dup2(handle, 1)
        with pytest.raises(OutputError) as caught:
            _ = write_file(target, b"x")
        with pytest.raises(OutputError) as before_the_work:
            check_place(target)
    finally:
        _ = os.dup2(kept, 1)
        os.close(kept)
        os.close(handle)
    what = "what this command prints goes there" if to == "a file" else "a device or pipe stands"
    assert caught.value.what.startswith(what)
    assert str(before_the_work.value) == str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["printed"]


@pytest.mark.parametrize("check", [check_place, check_folder])
@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "loop", "loop/x", "\ud800"])
def test_checking_an_impossible_place_says_so(tmp_path: Path, check, name: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OutputError) as caught:
        check(tmp_path / name)
    check_refusal(caught.value)


def test_a_name_as_long_as_a_name_can_be_is_written(tmp_path: Path) -> None:
    for name in ("x" * 255, "ä" * 127):
        _ = write_file(tmp_path / name, b"x")
        assert (tmp_path / name).read_bytes() == b"x"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    place = tmp_path / "no" / "net"
    message = f"{place}: the folder {str(place.parent)!r} does not exist; make it first"
    with refused(OutputError, message):
        _ = write_file(place, b"x")
    assert listing(tmp_path) == {}


def test_a_file_is_no_folder_to_write_into(tmp_path: Path) -> None:
    file = tmp_path / "file"
    _ = file.write_bytes(b"kept")
    place = file / "net"
    with refused(OutputError, f"{place}: {str(file)!r} is a file, no folder; choose another place"):
        _ = write_file(place, b"x")
    assert listing(tmp_path) == {"file": b"kept"}


def test_a_folder_that_can_not_be_written_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
    place = tmp_path / "net"
    with refused(OutputError, f"{place}: the folder can't be written; choose another place"):
        check_place(place)


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "line\nbreak/net"])
def test_names_that_no_file_can_have_are_refused_on_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError) as caught:
        _ = write_file(tmp_path / name, b"x")
    check_refusal(caught.value)
    assert listing(tmp_path) == {}


def test_a_good_place_is_not_touched_by_checking_it(tmp_path: Path) -> None:
    _ = (tmp_path / "old").write_bytes(b"old")
    check_place(tmp_path / "net")
    check_place(tmp_path / "old")
    check_folder(tmp_path / "run" / "one")
    check_folder(tmp_path)
    assert listing(tmp_path) == {"old": b"old"}


# --- a folder -----------------------------------------------------------------------------------


def fill(folder: Path) -> None:
    _ = (folder / "run.json").write_bytes(b"{}")
    (folder / "blocks").mkdir()
    _ = (folder / "blocks" / "0").write_bytes(b"zero")


FILLED = {"run.json": b"{}", "blocks": None, "blocks/0": b"zero"}


def test_a_new_folder_appears_with_all_its_files_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "a" / "run"
    with new_folder(target) as scratch:
        fill(scratch)
        assert not target.exists()
    assert listing(target) == FILLED
    assert listing(tmp_path).keys() == {"a", "a/run", *(f"a/run/{name}" for name in FILLED)}


def test_a_new_folder_is_as_open_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with new_folder(tmp_path / "run"):
            pass
    finally:
        _ = os.umask(before)
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o750


def test_files_of_the_same_name_are_replaced_and_others_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "run"
    (target / "blocks").mkdir(parents=True)
    _ = (target / "run.json").write_bytes(b"old")
    _ = (target / "notes").write_bytes(b"mine")
    _ = (target / "blocks" / "7").write_bytes(b"seven")
    with new_folder(target) as scratch:
        fill(scratch)
    assert listing(target) == FILLED | {"notes": b"mine", "blocks/7": b"seven"}
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_block_that_raises_leaves_nothing_not_even_the_folders_above(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), new_folder(tmp_path / "a" / "b" / "run") as scratch:
        fill(scratch)
        raise ZeroDivisionError
    assert listing(tmp_path) == {}


def test_a_block_that_raises_leaves_the_old_folder_as_it_was(tmp_path: Path) -> None:
    _ = (tmp_path / "run.json").write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), new_folder(tmp_path) as scratch:
        fill(scratch)
        raise KeyboardInterrupt
    assert listing(tmp_path) == {"run.json": b"old"}


def test_a_folder_is_not_made_where_a_file_stands(tmp_path: Path) -> None:
    file = tmp_path / "run"
    _ = file.write_bytes(b"kept")
    with refused(OutputError, f"{file}: a file stands there; name a folder"), new_folder(file):
        pytest.fail("the block was entered")
    below = file / "x" / "y"
    message = f"{below}: the folder {str(file)!r} can't be written; choose another place"
    with refused(OutputError, message), new_folder(below):
        pytest.fail("the block was entered")
    assert listing(tmp_path) == {"run": b"kept"}


def test_a_folder_in_place_of_a_file_is_refused_and_no_scratch_is_left(tmp_path: Path) -> None:
    target = tmp_path / "run"
    (target / "run.json").mkdir(parents=True)
    message = f"{target / 'run.json'}: a folder stands there; name a file"
    with refused(OutputError, message), new_folder(target) as scratch:
        _ = (scratch / "run.json").write_bytes(b"{}")
    assert listing(tmp_path) == {"run": None, "run/run.json": None}


def test_a_zero_byte_in_a_folders_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught, new_folder(tmp_path / "a\0b"):
        pytest.fail("the block was entered")
    check_refusal(caught.value)
    assert listing(tmp_path) == {}


def test_a_new_file_stands_in_its_place_when_the_block_ends(tmp_path):
    place = tmp_path / "long.bin"
    _ = place.write_bytes(b"before")
    with new_file(place) as scratch:
        _ = scratch.write_bytes(b"after")
        assert place.read_bytes() == b"before"
    assert place.read_bytes() == b"after"
    assert [path.name for path in tmp_path.iterdir()] == ["long.bin"]


@pytest.mark.parametrize("error", [RuntimeError("stop"), OSError(28, "No space left on device")])
def test_a_new_file_that_fails_leaves_what_stood_there(tmp_path, error):
    place = tmp_path / "long.bin"
    _ = place.write_bytes(b"before")
    with pytest.raises((RuntimeError, OutputError)) as caught, new_file(place) as scratch:
        _ = scratch.write_bytes(b"half")
        raise error
    if isinstance(error, OSError):
        assert str(caught.value) == (
            f"{place}: can't be written (No space left on device); check the place and the "
            "space left"
        )
    assert place.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["long.bin"]


def test_a_disk_that_fills_up_within_a_new_folder_names_the_place(tmp_path: Path) -> None:
    target = tmp_path / "figures"
    message = (
        f"{target}: can't be written (No space left on device); check the place and the space left"
    )
    with refused(OutputError, message), new_folder(target):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_what_stands_in_a_folders_place_is_named(tmp_path):
    _ = (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "pipe")
    for name, what in (("file", "a file"), ("pipe", "a device or pipe")):
        with pytest.raises(OutputError, match=f"{what} stands there; name a folder"):
            check_folder(tmp_path / name)
    with pytest.raises(OutputError, match=r"\(File name too long\); check the place"):
        check_folder(tmp_path / ("x" * 400))
    assert not is_folder(tmp_path / ("x" * 400))


def test_a_folder_that_is_there_is_written_where_the_one_around_it_may_not_be(
    tmp_path, monkeypatch
):
    """As in a home folder: ``/home`` is not its owner's."""
    place = tmp_path / "home"
    place.mkdir()
    folders = []
    mkdtemp = tempfile.mkdtemp
    monkeypatch.setattr(
        tempfile, "mkdtemp", lambda **options: folders.append(options["dir"]) or mkdtemp(**options)
    )
    with new_folder(place) as scratch:
        _ = (scratch / "a").write_text("a", encoding="utf-8")
    assert folders == [place]
    assert [path.name for path in place.iterdir()] == ["a"]
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
