"""Files that are no network files, named for what they are; those that are, never."""

from __future__ import annotations

import io
import pickle
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given
from strategies import MANY, networks, refused

from adderlab.counting import count_safetensors
from adderlab.errors import NetworkFileError
from adderlab.nets import load
from adderlab.nets.file_kinds import kind_of
from adderlab.nets.files import REMEDIES, from_bytes, to_bytes

WEIGHTS = {
    "fc1.weight": np.ones((3, 2), np.float32), "fc1.bias": np.zeros(3, np.float32),
    "fc2.weight": np.ones((2, 3), np.float32), "fc2.bias": np.zeros(2, np.float32),
}  # fmt: skip
TENSORS = {name: torch.from_numpy(array) for name, array in WEIGHTS.items()}


def written(write):
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


def zipped(*names):
    def write(stream):
        with zipfile.ZipFile(stream, "w") as archive:
            for name in names:
                archive.writestr(name, "text")

    return written(write)


PICKLED = "a pickled PyTorch file, which adderlab never reads: it can run code"
FILES = {
    "old.pt": (
        written(lambda file: torch.save(TENSORS, file, _use_new_zipfile_serialization=False)),
        PICKLED,
        "pickled",
    ),
    "net.pkl": (pickle.dumps(WEIGHTS), PICKLED, "pickled"),
    "oldest.pkl": (pickle.dumps({"fc1.weight": [1]}, 0), PICKLED, "pickled"),
    "net.npy": (written(lambda file: np.save(file, np.ones(9))), "a NumPy array (.npy)", "arrays"),
    "net.onnx": (b"\x08\x07\x12\x07pytorch\x00\x01" * 9, "an ONNX model", "arrays"),
    "net.h5": (b"\x89HDF\r\n\x1a\n" + bytes(90), "an HDF5 file, as Keras writes it", "arrays"),
    "thesis.docx": (zipped("word/document.xml"), "a ZIP archive", "other"),
    "cut.zip": (
        zipped("a.npy")[:40], "a damaged ZIP archive, as pickled PyTorch files are", "pickled",
    ),
    "README.md": ("# Täuschung\n\n{braces}\n".encode() * 40, "a Markdown text", "other"),
    "README": (b"# adderlab\n", "a text file", "other"),
    "short.safetensors": (b"adder\n", "a text file", "other"),
    "truncated.md": (("é" * 700).encode()[:-1], "a Markdown text", "other"),
    "train.py": (b"import torch\n", "Python source", "other"),
    "census.parquet": (b"PAR1" + bytes(range(90)), "a Parquet table", "other"),
    "map.png": (b"\x89PNG\r\n\x1a\n" + bytes(90), "a PNG image", "other"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_named_for_what_it_is_with_what_to_do(tmp_path, name):
    data, what, content = FILES[name]
    path = tmp_path / name
    _ = path.write_bytes(data)
    refusal = f"this is {what}; {getattr(REMEDIES, content)}"
    if path.suffix == ".onnx":  # which is read
        _ = pytest.importorskip("onnx", reason="the extra onnx is not installed")
        refusal = "this is no ONNX model, or a damaged one; export it again"
    with refused(NetworkFileError, f"{path}: {refusal}"):
        _ = load(path)
    with refused(
        NetworkFileError, f"{path}: this is {what}; take the .safetensors files of the model"
    ):
        _ = count_safetensors([path])


def test_what_is_not_known_is_damaged():
    with pytest.raises(NetworkFileError, match="the file is empty; write it again"):
        _ = from_bytes(b"")
    for data in (bytes(90), bytes(range(1, 200)), b"\xff" * 90):
        assert kind_of(io.BytesIO(data), "net.safetensors") is None
        with pytest.raises(NetworkFileError, match="the file is damaged; write it again"):
            _ = from_bytes(data)


@given(networks())
@MANY
def test_a_network_file_cut_short_is_no_other_kind(net):
    data = to_bytes(net)
    for size in (9, 40, len(data) - 1):
        with pytest.raises(NetworkFileError, match="the file is damaged; write it again"):
            _ = from_bytes(data[:size])
