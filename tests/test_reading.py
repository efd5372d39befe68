"""Files are opened where they are regular and small; JSON is shallow and names no key twice."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from strategies import refused

from adderlab.errors import OptionError
from adderlab.reading import (
    MOST_LEVELS,
    JsonError,
    Refusals,
    is_deep,
    opened,
    parse_json,
    read_file,
)

REFUSALS = Refusals(OptionError, "name a table", "name a smaller one")
NO_FILE = "not a regular file; name a table"


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """Return a folder with everything that a path may lead to."""
    _ = (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    for name in ("file", "folder", "pipe", "device", "nothing", "loop"):
        (tmp_path / f"to-{name}").symlink_to("to-loop" if name == "loop" else name)
    return tmp_path


@pytest.mark.parametrize("name", ["file", "to-file"])
def test_a_file_is_read_up_to_its_limit(odd: Path, name: str) -> None:
    assert read_file(odd / name, 5, REFUSALS) == b"12345"
    message = f"{odd / name}: 5 bytes are over the limit of 4; name a smaller one"
    with refused(OptionError, message):
        _ = read_file(odd / name, 4, REFUSALS)


@pytest.mark.parametrize("name", ["folder", "pipe", "device", "to-folder", "to-pipe", "to-device"])
def test_what_is_no_regular_file_is_not_opened(
    odd: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(os, "open", None)
    what = "a folder, not a file; name a table" if "folder" in name else NO_FILE
    with refused(OptionError, f"{odd / name}: {what}"):
        _ = read_file(odd / name, 5, REFUSALS)


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        (["b.net", "a.net", "c.txt"], "name a file in it, like {}/a.net"),
        (["a.net", "best.net"], "name a file in it, like {}/best.net"),
        (["c.txt"], "name a table"),
    ],
)
def test_of_a_folder_the_file_that_may_be_meant_is_named(
    tmp_path: Path, names: list[str], hint: str
) -> None:
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / "aa.net").mkdir()
    refusals = Refusals(OptionError, "name a table", ending=".net")
    with refused(OptionError, f"{tmp_path}: a folder, not a file; {hint.format(tmp_path)}"):
        _ = read_file(tmp_path, 5, refusals)


@pytest.mark.parametrize("name", ["folder", "pipe", "device"])
def test_what_takes_a_files_place_before_it_is_opened_is_refused_too(
    odd: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    status = (odd / "file").stat()
    monkeypatch.setattr(Path, "stat", lambda path: status)
    with refused(
        OptionError,
        f"{odd / name}: {NO_FILE}"
        if name != "folder"
        else f"{odd / name}: can't be read (Is a directory); check the path and its permissions",
    ):
        _ = read_file(odd / name, 5, REFUSALS)


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        with refused(OptionError, f"socket: {NO_FILE}"):
            _ = read_file("socket", 5, REFUSALS)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("none", "no such file; check the path"),
        ("to-nothing", "no such file; check the path"),
        ("file/x", "no such file; check the path"),
        ("to-loop", "can't be read (Too many levels of symbolic links); "),
        ("x" * 300, "can't be read (File name too long); "),
        ("a\0b", "can't be read (embedded null byte); "),
    ],
)
def test_what_the_system_says_is_said_of_reading(odd: Path, name: str, what: str) -> None:
    with pytest.raises(OptionError) as error:
        _ = read_file(odd / name, 5, REFUSALS)
    assert what in str(error.value)


def test_a_disk_that_fails_within_the_block_is_said_of_reading(odd: Path) -> None:
    message = (
        f"{odd / 'file'}: can't be read (Input/output error); check the path and its permissions"
    )
    with refused(OptionError, message), opened(odd / "file", REFUSALS):
        raise OSError(5, "Input/output error")


def test_other_faults_of_the_block_are_its_own(odd: Path) -> None:
    with pytest.raises(ValueError, match=r"^odd$"), opened(odd / "file", REFUSALS):
        raise ValueError("odd")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc here")
def test_a_file_that_does_not_tell_its_size_is_read_up_to_the_limit() -> None:
    assert b"Name:" in read_file("/proc/self/status", 1 << 16, REFUSALS)
    with refused(
        OptionError, "/proc/self/status: 10 bytes are over the limit of 9; name a smaller one"
    ):
        _ = read_file("/proc/self/status", 9, REFUSALS)


# --- JSON ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        ("[" * 100_000, "is nested more than 100 levels deep"),
        ('{"a":' * 100_000, "is nested more than 100 levels deep"),
        ("[" * 101 + "]" * 101, "is nested more than 100 levels deep"),
        ('{"a": 1, "a": 2}', "names 'a' twice"),
        ('{"b": {"a": 1, "a": 2}}', "names 'a' twice"),
        ("[NaN]", "holds NaN, which is no number"),
        ("-Infinity", "holds -Infinity, which is no number"),
        ("1e999", "holds 1e999, which is no number"),
        ("", "is not valid JSON (Expecting value: line 1 column 1 (char 0))"),
        (b"\xff", "is not valid JSON ('utf-8' codec can't decode byte 0xff"),
        ("9" * 5000, "is not valid JSON (Exceeds the limit (4300 digits)"),
    ],
)
def test_other_json_is_refused(raw: bytes | str, what: str) -> None:
    with pytest.raises(JsonError) as error:
        _ = parse_json(raw)
    assert str(error.value).startswith(what)


def test_json_is_read_whole() -> None:
    deep = "[" * MOST_LEVELS + "]" * MOST_LEVELS
    assert str(parse_json(deep)) == deep
    assert parse_json(b'{"a": [1, -2.5, "\\u00e4", null, true]}') == {
        "a": [1, -2.5, "ä", None, True]
    }
    assert parse_json("[Infinity]", is_finite=False) == [float("inf")]


def test_a_list_that_holds_itself_is_deep() -> None:
    """Twice over: its levels double, its lists do not."""
    endless: list[object] = []
    endless += [endless, {"again": endless}]
    assert is_deep(endless, MOST_LEVELS)
    assert [is_deep(value, 1) for value in (1, [1], [[]], {"a": ()})] == [False, False, True, True]
