"""Weight files by their headers: what they hold, what is cut short, and what is refused."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file
from strategies import FEW, refused

from adderlab.counting import count_safetensors
from adderlab.errors import NetworkFileError, OptionError
from adderlab.verbs.count import count

DAMAGED = "download the file again"


def write(path, tensors, *, size=None, extra=b""):
    """Write a file of zeros with a header; ``size`` cuts it, or is sparse beyond the header."""
    header, place = {}, 0
    for name, dtype, shape, length in tensors:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [place, place + length]}
        place += length
    raw = json.dumps(header).encode()
    with path.open("wb") as file:
        _ = file.write(struct.pack("<Q", len(raw)) + raw)
        _ = file.truncate(8 + len(raw) + place if size is None else size)
        _ = file.seek(0, 2)
        _ = file.write(extra)
    return path


def test_a_file_of_100_gb_is_counted_by_its_header(tmp_path):
    """The file is sparse: its weights are never read, and take no place here."""
    path = write(
        tmp_path / "big.safetensors",
        [("model.layers.0.mlp.up_proj.weight", "BF16", [50_000, 10**6], 10**11)],
    )
    assert path.stat().st_size > 10**11
    counts = count(safetensors=path)
    assert counts.raw == 5 * 10**10
    assert (counts.stored_bytes, counts.file_bytes) == (10**11, path.stat().st_size)
    assert counts.stored_as == {"BF16": 10**11}
    assert [(part.name, part.parameters) for part in counts.parts] == [("MLP", 5 * 10**10)]


@FEW
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["float32", "float16", "int8", "uint16", "float64"]),
            st.lists(st.integers(0, 5), max_size=3),
        ),
        max_size=5,
    )
)
def test_headers_say_what_the_library_wrote(tmp_path_factory, drawn):
    path = tmp_path_factory.mktemp("drawn") / "x.safetensors"
    arrays = {f"t{i}": np.zeros(shape, dtype) for i, (dtype, shape) in enumerate(drawn)}
    save_file(arrays, path)
    counts = count(safetensors=path)
    assert counts.raw == sum(array.size for array in arrays.values())
    assert counts.stored_bytes == sum(array.nbytes for array in arrays.values())
    assert counts.file_bytes == path.stat().st_size


SHARDS = {
    "m-1.safetensors": [("model.embed_tokens.weight", "BF16", [7, 4], 56)],
    "m-2.safetensors": [
        ("model.layers.0.self_attn.q_proj.weight", "F32", [4, 4], 64),
        ("model.layers.0.input_layernorm.weight", "F32", [4], 16),
        ("lm_head.weight", "F32", [7, 4], 112),
    ],
}


@pytest.fixture
def shards(tmp_path):
    """Return a folder of two shards and their index."""
    for name, tensors in SHARDS.items():
        _ = write(tmp_path / name, tensors)
    weight_map = {tensor[0]: name for name, tensors in SHARDS.items() for tensor in tensors}
    index(tmp_path, weight_map)
    return tmp_path


def index(folder, weight_map):
    path = folder / "model.safetensors.index.json"
    _ = path.write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    return path


def test_shards_and_their_index_say_the_same(shards):
    by_index = count(safetensors=shards / "model.safetensors.index.json")
    by_files = count(safetensors=[shards / name for name in SHARDS])
    assert by_index.to_dict() == by_files.to_dict()
    assert {part.name: part.parameters for part in by_index.parts} == {
        "embedding": 28,
        "attention": 16,
        "norm": 4,
        "output head": 28,
    }


def test_a_shard_that_is_cut_short_is_found_by_its_size(shards):
    path = shards / "m-2.safetensors"
    whole = path.stat().st_size
    with path.open("r+b") as file:
        _ = file.truncate(whole - 1)
    with refused(
        NetworkFileError, f"{path}: cut short: {whole - 1} bytes, {whole} by its header; {DAMAGED}"
    ):
        _ = count(safetensors=shards / "model.safetensors.index.json")


@pytest.mark.parametrize(
    "name",
    ["../m-1.safetensors", "/etc/passwd", "a/b.safetensors", "..", ".", "", "C:\\x", "a\\b"],
)
def test_an_index_names_files_of_its_own_folder_alone(shards, name):
    path = index(shards, {"t": name})
    with refused(
        NetworkFileError,
        f"{path}: the index names {name!r}, which is outside its folder; "
        "put the shards into the index's folder and name them without a path",
    ):
        _ = count(safetensors=path)


def test_a_missing_shard_is_named(shards):
    path = index(shards, {"t": "one.safetensors", "u": "two.safetensors"})
    with refused(
        NetworkFileError,
        f"{path}: the shard 'one.safetensors' and 1 more is missing; "
        "download every shard into the folder of the index",
    ):
        _ = count(safetensors=path)


def test_an_index_and_its_shards_must_agree(shards):
    path = index(shards, {"model.embed_tokens.weight": "m-1.safetensors", "x": "m-1.safetensors"})
    with refused(
        NetworkFileError,
        f"{path}: tensor 'x' is not in m-1.safetensors, where the index places it; {DAMAGED}",
    ):
        _ = count(safetensors=path)
    path = index(shards, {"lm_head.weight": "m-2.safetensors"})
    with pytest.raises(NetworkFileError, match="not in the index"):
        _ = count(safetensors=path)
    _ = path.write_text("{}")
    with refused(NetworkFileError, f"{path}: not an index: it has no weight_map; {DAMAGED}"):
        _ = count(safetensors=path)


def test_a_tensor_that_stands_in_two_files_is_refused(shards):
    path = shards / "m-1.safetensors"
    with refused(
        NetworkFileError,
        f"{path}: tensor 'model.embed_tokens.weight' is also in {path}; "
        "name each shard of one model once",
    ):
        _ = count(safetensors=[path, path])


def test_an_index_is_named_alone(shards):
    with refused(
        OptionError,
        "safetensors: an index already includes all its shards; name it alone, or the shards",
    ):
        _ = count(safetensors=[shards / "model.safetensors.index.json", shards / "m-1.safetensors"])
    with refused(OptionError, "safetensors: no file is given; name one or more"):
        _ = count_safetensors([])


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "the file is empty"),
        (b"\x80\4" + b"x" * 50, None),
        (struct.pack("<Q", 1 << 60) + b"{}",
         "not a safetensors file, or cut short within its header"),
        (struct.pack("<Q", 2) + b"[]", "the header is no JSON object"),
        (struct.pack("<Q", 14) + b'{"a":{},"a":1}',
         "the header names 'a' twice"),
        (struct.pack("<Q", 8) + b'{"a":{}}', "tensor 'a' has unknown or missing keys"),
    ],
)  # fmt: skip
def test_a_damaged_header_is_refused(tmp_path, content, what):
    path = tmp_path / "x.safetensors"
    _ = path.write_bytes(content)
    message = f"{path}: {what}; {DAMAGED}" if what else (
        f"{path}: this is a pickled PyTorch file, which adderlab never reads: it can run code; "
        "take the .safetensors files of the model"
    )  # fmt: skip
    with refused(NetworkFileError, message):
        _ = count(safetensors=path)


@pytest.mark.parametrize(
    ("tensors", "what"),
    [
        ([("a", "F99", [1], 4)], "tensor 'a' has the unknown type 'F99'"),
        ([("a", "F32", [-1], 4)], "tensor 'a' has no valid shape and offsets"),
        ([("a", "F32", [True], 4)], "tensor 'a' has no valid shape and offsets"),
        ([("a", "F32", [2], 4)], "tensor 'a' has another size than its shape"),
    ],
)
def test_a_header_that_makes_no_sense_is_refused(tmp_path, tensors, what):
    path = write(tmp_path / "x.safetensors", tensors)
    with refused(NetworkFileError, f"{path}: {what}; {DAMAGED}"):
        _ = count(safetensors=path)


def test_bytes_that_belong_to_no_tensor_are_refused(tmp_path):
    path = write(tmp_path / "x.safetensors", [("a", "F32", [1], 4)], extra=b"xyz")
    with refused(NetworkFileError, f"{path}: 3 bytes after the last tensor; {DAMAGED}"):
        _ = count(safetensors=path)


def test_whole_numbers_are_counted_as_they_are_and_said(tmp_path):
    path = write(tmp_path / "x.safetensors", [("q.qweight", "I32", [3], 12)])
    counts = count(safetensors=path)
    assert counts.raw == 3
    assert counts.notes[0].startswith("elements of I32 are counted as stored")


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with refused(NetworkFileError, f"{tmp_path}: a folder, not a file; name a file"):
        _ = count(safetensors=tmp_path)
    with refused(NetworkFileError, f"{tmp_path / 'x'}: no such file; check the path"):
        _ = count(safetensors=tmp_path / "x")


@pytest.mark.parametrize("value", [5, None, ["x"], "n" * 300])
def test_an_index_that_names_no_file_is_refused(tmp_path, value):
    index = tmp_path / "model.safetensors.index.json"
    _ = index.write_text(json.dumps({"weight_map": {"a": value}}))
    message = f"{index}: not an index: its weight_map has a value that is no file name; {DAMAGED}"
    with refused(NetworkFileError, message):
        _ = count_safetensors(index)


def test_a_key_that_stands_twice_in_an_index_is_refused(tmp_path):
    index = tmp_path / "model.safetensors.index.json"
    _ = index.write_text('{"weight_map": {"a": "x.safetensors", "a": "y.safetensors"}}')
    with refused(
        OptionError,
        f"{index}: it names 'a' twice; name a model's JSON file",
    ):
        _ = count_safetensors(index)


def test_a_shape_of_absurd_numbers_is_refused_at_once(tmp_path):
    """Before they are multiplied, which would take minutes."""
    big = int("9" * 4000)
    for number, shape in enumerate(([big] * 50, [1] * 65, [1 << 63])):
        path = write(tmp_path / f"{number}.safetensors", [("w", "F32", shape, 4)])
        with refused(
            NetworkFileError, f"{path}: tensor 'w' has no valid shape and offsets; {DAMAGED}"
        ):
            _ = count_safetensors(path)


def test_metadata_that_is_no_map_of_texts_is_refused_and_no_tensors_are_pointed_out(tmp_path):
    path = tmp_path / "meta.safetensors"
    for metadata in ([], {"a": 1}):
        raw = json.dumps({"__metadata__": metadata}).encode()
        _ = path.write_bytes(struct.pack("<Q", len(raw)) + raw)
        with refused(
            NetworkFileError,
            f"{path}: its __metadata__ is no map from text to text; {DAMAGED}",
        ):
            _ = count_safetensors(path)
    raw = b'{"__metadata__": {"format": "pt"}}'
    _ = path.write_bytes(struct.pack("<Q", len(raw)) + raw)
    assert "there are no tensors in it" in count_safetensors(path).notes


def test_a_shard_that_is_a_link_is_followed_and_said(tmp_path):
    """As in a download cache, where the index lies beside links."""
    (tmp_path / "blobs").mkdir()
    (tmp_path / "model").mkdir()
    shard = write(tmp_path / "blobs/x", [("w", "F32", [1], 4)])
    (tmp_path / "model/a.safetensors").symlink_to(shard)
    index = tmp_path / "model/model.safetensors.index.json"
    _ = index.write_text(json.dumps({"weight_map": {"w": "a.safetensors"}}))
    counts = count_safetensors(index)
    assert counts.raw == 1
    assert "a.safetensors is a symbolic link, which was followed" in counts.notes
