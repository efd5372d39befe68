"""Files made to hurt: each is refused in one line, without running it or taking its memory."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nets.imported_files import WEIGHTS, arrays_of, write

from adderlab.errors import NetworkFileError
from adderlab.limits import Budget, CapReached, within
from adderlab.nets.sources import load

TENSORS = {name: torch.from_numpy(array) for name, array in arrays_of(WEIGHTS).items()}


def check_refused(path: Path, *parts: str) -> None:
    """Check that a file is refused with these parts, within 64 MB."""
    with within(Budget(max_memory_bytes=64 << 20)), pytest.raises(NetworkFileError) as caught:
        _ = load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert all(part in str(caught.value) for part in parts), str(caught.value)
    assert caught.value.remedy


def npy(shape: tuple[int, ...], dtype: str, data: bytes) -> bytes:
    stream = io.BytesIO()
    header = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)  # type: ignore[arg-type]
    return stream.getvalue() + data


def zipped(members: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", how) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("members", "parts"),
    [
        ({"fc1.weight.npy": npy((1 << 40, 1 << 20), "<f8", b"")}, ["another size than its shape"]),
        ({"fc1.weight.npy": npy((3, 2), "<f8", bytes(40))}, ["another size than its shape"]),
        ({"fc1.weight.npy": npy((3, 2), "|O", pickle.dumps([1] * 6))}, ["holds Python objects"]),
        ({"fc1.weight.npy": npy((3, 2), "<c8", bytes(48))}, ["another size than its shape"]),
        ({"fc1.weight.npy": b"\x93NUMPY\x09\x00"}, ["version"]),
        ({"fc1.weight.npy": b"no array"}, ["can be read"]),
        ({"fc1.weight.npy": npy((3, 2), "<f4", b"\xff" * 24)}, ["fc1.weight: a value is nan"]),
        ({"fc1.weight.npy": npy((3, 2), "|b1", bytes(6))}, ["of type bool"]),
        ({"fc1.weight.npy": npy((0, 2), "<f4", b"")}, ["neither of them 0"]),
    ],
)
def test_a_hostile_archive_is_refused(members: Any, parts: list[str], tmp_path: Path) -> None:
    path = tmp_path / "net.npz"
    _ = path.write_bytes(zipped(members))
    check_refused(path, *parts)


def test_an_archive_that_unpacks_to_too_much_is_refused_first(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    many = {f"{n}.weight.npy": npy((1 << 21, 2), "<f4", bytes(1 << 24)) for n in range(2)}
    _ = path.write_bytes(zipped(many, zipfile.ZIP_DEFLATED))
    assert path.stat().st_size < 1 << 18
    check_refused(path, "unpack to")


@pytest.mark.parametrize(
    "form", ["net.npz", "packed.npz", "net.pt", "net.safetensors", "names.json"]
)
def test_a_file_that_is_cut_or_changed_is_refused_or_read(form: str, tmp_path: Path) -> None:
    """Never a traceback."""
    data = write(tmp_path / form, form, WEIGHTS).read_bytes()
    path = tmp_path / f"cut.{form.rpartition('.')[2]}"
    places = range(1, len(data), max(1, len(data) // 40))
    for place in places:
        _ = path.write_bytes(data[:place])
        with pytest.raises(NetworkFileError):
            _ = load(path)
        flipped = bytes([data[place] ^ 0x5A])
        _ = path.write_bytes(data[:place] + flipped + data[place + 1 :])
        try:
            _ = load(path)
        except NetworkFileError as error:
            assert error.remedy


class Called:
    """What pickles as a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


def repacked(change: Any) -> bytes:
    """Return a checkpoint whose pickle was changed."""
    stream = io.BytesIO()
    torch.save(TENSORS, stream)
    with zipfile.ZipFile(stream) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = next(name for name in members if name.endswith("data.pkl"))
    members[name] = change(members[name])
    return zipped(members)


HOSTILE = {
    "module": (lambda _: pickle.dumps(Called(Path.touch, Path("sprung")), 2), "not weights alone"),
    "bytes": (lambda _: pickle.dumps(Called(bytearray, 1 << 40), 2), "bytearray"),
    "stack": (lambda _: pickle.dumps(Called(bytearray, 1 << 40), 4), "STACK_GLOBAL"),
    "garbage": (lambda _: b"\x80\x02garbage", "can be read"),
    "empty": (lambda _: b"", "can be read"),
    "number": (lambda _: pickle.dumps(3, 2), "it holds a int, no state_dict"),
    "texts": (lambda _: pickle.dumps({"a": "b"}, 2), "it holds no state_dict"),
    "deep": (lambda _: b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".", ""),
    "long": (lambda _: b"\x80\x02" + b"}" * (1 << 22) + b".", "bearable size"),
    "cycle": (lambda _: b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.", "no state_dict"),
    "shape": (lambda data: data.replace(b"K\x03K\x02\x86", b"M\xff\xffM\xff\xff\x86"), ""),
    "none": (lambda _: pickle.dumps(OrderedDict(), 2), "no state_dict"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_checkpoint_is_refused(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    change, part = HOSTILE[kind]
    path = tmp_path / "net.pt"
    _ = path.write_bytes(repacked(change))
    check_refused(path, part)
    assert not (tmp_path / "sprung").exists()


def test_a_module_and_a_script_are_refused_with_the_way_out(tmp_path: Path) -> None:
    layer = torch.nn.Linear(2, 2)
    torch.save(layer, tmp_path / "module.pt")
    check_refused(tmp_path / "module.pt", "torch.nn.modules.linear.Linear", "state_dict(), PATH")
    script = zipped({"net/data.pkl": b"", "net/code/__torch__.py": b"", "net/constants.pkl": b""})
    _ = (tmp_path / "script.pt").write_bytes(script)
    check_refused(tmp_path / "script.pt", "a TorchScript archive, which holds code", "state_dict()")
    torch.save(TENSORS, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    check_refused(tmp_path / "old.pt", "a pickled PyTorch file", "torch.save(model.state_dict()")
    np.save(tmp_path / "one.npy", np.ones(3))
    check_refused(tmp_path / "one.npy", "a NumPy array (.npy)", "numpy.savez")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[" * 100_000, "nested"), ('{"a":' * 5_000 + "1" + "}" * 5_000, "nested"),
        ('{"a.weight": [[NaN]]}', "NaN"),
        ('{"a.weight": [[1e999]]}', "1e999"), ("[[[" + "9" * (2 << 20) + "]]]", "digits"),
        ('{"a.weight": [[1]], "a.weight": [[2]]}', "names 'a.weight' twice"),
        ('{"a.weight": [[1]', "not valid JSON"), ('{"a.weight": [[1]]}\0', "a.weight"),
    ],
)  # fmt: skip
def test_hostile_json_is_refused(text: str, part: str, tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    _ = path.write_text(text)
    with pytest.raises(NetworkFileError) as caught:
        _ = load(path)
    assert "\n" not in str(caught.value)
    if "\0" not in text:
        assert part in str(caught.value)


def test_the_limits_hold_before_json_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    _ = path.write_text(json.dumps([[[1] * 1000] * 1000]))
    with within(Budget(max_memory_bytes=16 << 20)), pytest.raises(CapReached):
        _ = load(path)
