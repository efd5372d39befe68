"""Network files: what is written is read back, by safetensors too; a pickle never is."""

from __future__ import annotations

import json
import os
import pickle
import struct
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from nets.file_samples import (
    EVERY,
    HALF,
    TABLE,
    assembled,
    check_same,
    every_kind,
    one_layer,
    outcome,
    parts,
    with_record,
)
from strategies import (
    FEW,
    MANY,
    NUMBER_DTYPES,
    check_refusal,
    fractions_of,
    graphs,
    networks,
    refused,
    tasks,
)

from adderlab.errors import NetworkFileError, OutputError
from adderlab.nets.activations import Activation
from adderlab.nets.files import (
    DTYPES,
    LARGEST_FILE_BYTES,
    from_bytes,
    read_bytes,
    save,
    sha256,
    to_bytes,
)
from adderlab.nets.network import Layer, Network, map_parameters, network
from adderlab.nets.readout import EXACT, Readout
from adderlab.nets.record import record_of
from adderlab.nets.sources import load
from adderlab.nets.tensors import FLOAT_DTYPES, Dense
from adderlab.tasks import task_named

# --- what is written is read ----------------------------------------------------------------------


@MANY
@given(net=networks(task=st.none() | tasks(max_in=4), max_depth=2) | graphs())
def test_any_network_comes_back_value_for_value_and_byte_for_byte(net: Network) -> None:
    data = to_bytes(net)
    back = from_bytes(data)
    check_same(net, back)
    assert to_bytes(back) == data


@FEW
@given(net=networks(max_depth=2) | graphs())
def test_any_network_of_no_task_comes_back(net: Network) -> None:
    assert outcome(to_bytes(net)) is not None


@pytest.mark.parametrize("dtype", NUMBER_DTYPES, ids=str)
def test_every_pattern_of_an_element_type_comes_back(dtype: Any) -> None:
    """All patterns of 8 and 16 bits, a thousand of the wider ones; zeros keep their signs."""
    if dtype.itemsize <= 2:
        patterns = np.arange(1 << 8 * dtype.itemsize, dtype=f"u{dtype.itemsize}").view(dtype)
    else:
        raw = np.random.default_rng(11).bytes(1000 * dtype.itemsize)
        patterns = np.concatenate([np.frombuffer(raw, dtype=dtype), np.array([0, 1], dtype)])
    if dtype.kind not in "iu":
        with np.errstate(invalid="ignore"):
            patterns = patterns[np.isfinite(patterns)]
    patterns = patterns[: len(patterns) // 2 * 2].reshape(2, -1)
    net = Network((Layer(Dense(patterns), Dense(patterns[:, 0])),))
    data = to_bytes(net)
    back = from_bytes(data)
    for tensor, numbers in zip(
        (back.layers[0].weight, back.layers[0].bias), (patterns, patterns[:, 0]), strict=True
    ):
        assert isinstance(tensor, Dense)
        assert tensor.numbers.dtype == dtype
        assert tensor.numbers.tobytes() == np.ascontiguousarray(numbers).tobytes()
    assert to_bytes(back) == data


def test_a_network_of_every_kind_comes_back() -> None:
    data = to_bytes(EVERY)
    back = outcome(data)
    assert back is not None
    check_same(EVERY, back)
    assert to_bytes(back) == data
    assert back.task is not None
    assert [back.task.row(i) for i in range(4)] == [TABLE.row(i) for i in range(4)]


def test_the_record_is_the_one_that_others_rely_on() -> None:
    header, record, body = parts(to_bytes(EVERY))
    assert record == {
        "schema": 1,
        "task": TABLE.record,
        "format": "fp32",
        "layers": [
            {"weight": "fc1.weight", "bias": "fc1.bias", "activation": "leaky", "slope": 0.125},
            {
                "weight": {"packed": 3, "shape": [5, 3], "data": "fc2.weight"},
                "bias": {
                    "codes": "fc2.bias", "sizes": "fc2.bias.sizes", "codebook": "fc2.bias.codebook",
                },
                "activation": "step", "convention": ">=",
            },
            {
                "weight": {
                    "shape": [4, 5], "indptr": "fc3.weight.indptr", "indices": "fc3.weight.indices",
                    "values": {"packed": 1, "shape": [4], "data": "fc3.weight.values"},
                },
                "activation": "tanh",
            },
            {
                "weight": {
                    "scale": "fc4.weight.scale", "zero": "fc4.weight.zero",
                    "q": {"packed": 4, "shape": [2, 4], "data": "fc4.weight"},
                },
                "bias": {
                    "scale": "fc4.bias.scale",
                    "q": {"packed": 4, "shape": [2], "data": "fc4.bias"},
                },
                "activation": "identity",
            },
        ],
        "readout": {"kind": "threshold", "threshold": -0.75, "convention": ">="},
        "training": {"task": "half-adder", "seed": 3, "lr": 0.1, "path": ["loop"], "steps": None},
    }  # fmt: skip
    assert {name: (entry["dtype"], entry["shape"]) for name, entry in header.items()} == {
        "fc1.weight": ("F32", [3, 2]), "fc1.bias": ("BF16", [3]), "fc2.weight": ("U8", [6]),
        "fc2.bias": ("U8", [5]), "fc2.bias.sizes": ("U8", [5]),
        "fc2.bias.codebook": ("U8", [21]), "fc3.weight.indptr": ("U8", [5]),
        "fc3.weight.indices": ("U8", [4]), "fc3.weight.values": ("U8", [1]),
        "fc4.weight": ("U8", [4]), "fc4.weight.scale": ("F32", [2]), "fc4.weight.zero": ("I8", [2]),
        "fc4.bias": ("U8", [1]), "fc4.bias.scale": ("F16", []),
    }  # fmt: skip
    assert len(body) == sum(tensor.stored_bytes for _, tensor in EVERY.tensors())


def test_the_exact_readout_and_a_missing_task_are_written_as_such() -> None:
    _, record, _ = parts(to_bytes(network([[[1, 2]]], [None], readout=EXACT)))
    assert record == one_layer("fc1.weight")


def test_the_same_network_gives_the_same_bytes_and_another_does_not() -> None:
    assert to_bytes(every_kind()) == to_bytes(EVERY)
    twin = Network(HALF.layers, Readout(threshold=0.5), task_named("half-adder"), "FP32")
    assert to_bytes(twin) == to_bytes(HALF)
    assert sha256(to_bytes(twin)) == sha256(to_bytes(HALF))
    assert to_bytes(HALF.for_task(task_named("adder:1"))) != to_bytes(HALF)


def test_the_bytes_do_not_depend_on_how_an_array_lies_in_memory() -> None:
    numbers = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.float32)
    expected = to_bytes(Network((Layer(Dense(numbers)),)))
    for other in (np.asfortranarray(numbers), numbers.astype(">f4"), numbers[::-1].copy()[::-1]):
        assert to_bytes(Network((Layer(Dense(other)),))) == expected


def test_a_threshold_given_as_a_whole_number_is_written_as_the_double_it_is_read_as() -> None:
    layers = HALF.layers
    data = to_bytes(Network(layers, Readout(threshold=1)))
    assert data == to_bytes(Network(layers, Readout(threshold=1.0)))
    assert to_bytes(from_bytes(data)) == data


@pytest.mark.parametrize("threshold", [0.1, 5e-324, -1.7976931348623157e308, 1 / 3, -0.0, 1e22])
def test_thresholds_and_slopes_come_back_to_the_last_bit(threshold: float) -> None:
    layer = Layer(HALF.layers[0].weight, None, Activation("leaky", slope=threshold))
    back = from_bytes(to_bytes(Network((layer,), Readout(threshold=threshold))))
    for value in (back.readout.threshold, back.layers[0].activation.slope):
        assert struct.pack("<d", value) == struct.pack("<d", threshold)


def test_every_tensor_begins_at_a_multiple_of_its_elements_size() -> None:
    header, _, _ = parts(to_bytes(EVERY))
    sizes = {DTYPES[entry["dtype"]].itemsize for entry in header.values()}
    assert sizes == {1, 2, 4}
    for entry in header.values():
        assert entry["data_offsets"][0] % DTYPES[entry["dtype"]].itemsize == 0


def test_the_header_is_padded_so_that_tensors_are_aligned() -> None:
    for length in range(12):
        net = Network(HALF.layers, training={"note": "x" * length})
        data = to_bytes(net)
        (size,) = struct.unpack("<Q", data[:8])
        assert size % 8 == 0
        check_same(from_bytes(data), net)


def test_a_file_whose_size_field_begins_like_a_pickle_is_read() -> None:
    """A header of 640 bytes begins with the byte 80 of a pickle, one of 19,280 with ``PK``."""
    begins: dict[bytes, int] = {}
    for length in [*range(1500), *range(18_400, 19_000, 8)]:
        data = to_bytes(Network(HALF.layers, training={"note": "x" * length}))
        if data[:1] == b"\x80" or data[:2] == b"PK":
            begins[data[:2]] = length
            assert from_bytes(data).training == {"note": "x" * length}
    assert b"PK" in begins
    assert len(begins) > 3


# --- safetensors' own library ---------------------------------------------------------------------


@FEW
@given(net=networks(max_depth=2) | graphs())
def test_safetensors_reads_what_we_write(net: Network) -> None:
    data = to_bytes(net)
    _, arrays = record_of(net)
    read = dict(safetensors.deserialize(data))
    assert set(read) == set(arrays)
    for name, part in read.items():
        array = arrays[name]
        assert (DTYPES[part["dtype"]], tuple(part["shape"])) == (array.dtype, array.shape)
        assert bytes(part["data"]) == array.tobytes()


@pytest.mark.parametrize("dtype", [*FLOAT_DTYPES.values(), np.dtype(np.int8)], ids=str)
def test_our_bytes_are_those_that_safetensors_writes(dtype: Any) -> None:
    def recast(_: str, tensor: Any) -> Dense:
        return Dense(tensor.numbers.astype(dtype))

    net = map_parameters(HALF, recast)
    record, arrays = record_of(net)
    written = safetensors.numpy.save(
        {name: np.array(array) for name, array in arrays.items()},
        metadata={"adderlab": json.dumps(record, separators=(",", ":"))},
    )
    assert to_bytes(net) == written
    check_same(from_bytes(written), net)


def test_safe_open_reads_tensors_and_record(tmp_path: Path) -> None:
    path = save(HALF, tmp_path / "net.safetensors")
    with safetensors.safe_open(path, framework="numpy") as file:
        assert sorted(file.keys()) == ["fc1.bias", "fc1.weight", "fc2.bias", "fc2.weight"]
        assert json.loads(file.metadata()["adderlab"])["task"] == "half-adder"
        weight = file.get_tensor("fc2.weight")
    assert (weight.dtype, weight.tolist()) == (np.float32, [[0, 2, -1], [1, 3, -3]])


def test_a_file_written_by_safetensors_is_read_whatever_its_tensors_are_called() -> None:
    arrays = {"x.y": np.float32([[1, 2, 3]]), "\u00fc": np.float64([4])}
    readout = {"kind": "threshold", "threshold": 1, "convention": ">"}
    record = one_layer("x.y", task="parity:3", readout=readout)
    record["layers"][0]["bias"] = "\u00fc"
    net = from_bytes(assembled(record, arrays))
    assert [fractions_of(tensor).tolist() for _, tensor in net.tensors()] == [[[1, 2, 3]], [4]]
    assert (net.readout, net.task) == (Readout(threshold=1.0), task_named("parity:3"))


def test_keys_of_the_record_may_stand_in_any_order_and_with_spaces() -> None:
    _, record, _ = parts(to_bytes(HALF))
    text = json.dumps(dict(reversed(record.items())), indent=3)
    check_same(from_bytes(with_record(text)), HALF)


# --- paths ----------------------------------------------------------------------------------------


def test_a_saved_file_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    assert save(EVERY, str(path)) == path
    assert read_bytes(path) == path.read_bytes() == to_bytes(EVERY)
    check_same(load(path), EVERY)
    check_same(load(str(path)), EVERY)


def test_a_missing_file_a_folder_and_a_pipe_are_refused(tmp_path: Path) -> None:
    with refused(NetworkFileError, f"{tmp_path / 'no'}: no such file; check the path"):
        _ = load(tmp_path / "no")
    with refused(NetworkFileError, f"{tmp_path}: a folder, not a file; name a file"):
        _ = load(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with refused(NetworkFileError, f"{path}: not a regular file; name a file"):
            _ = load(path)


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000, "\ud800", "line\nbreak"])
def test_paths_that_no_file_has_are_refused_on_one_line(path: str) -> None:
    with pytest.raises(NetworkFileError) as caught:
        _ = load(path)
    check_refusal(caught.value)


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        _ = file.truncate(LARGEST_FILE_BYTES + 1)
    with refused(
        NetworkFileError,
        f"{path}: 4294967297 bytes are over the limit of 4294967296; "
        "for parameter counts alone: `count(safetensors=…)`",
    ):
        _ = load(path)


def test_a_refusal_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "net"
    _ = path.write_bytes(to_bytes(HALF)[:-1])
    with pytest.raises(NetworkFileError) as caught:
        _ = load(path)
    check_refusal(caught.value)
    assert caught.value.where == str(path)


def test_saving_where_nothing_can_be_written_is_refused(tmp_path: Path) -> None:
    with refused(OutputError, f"{tmp_path}: a folder stands there; name a file"):
        _ = save(HALF, tmp_path)


# --- pickles --------------------------------------------------------------------------------------


class Trap:
    """An object whose pickle would leave a file behind when read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


PICKLED = (
    "net: this is a pickled PyTorch file, which adderlab never reads: it can run code; "
    "in Python: adderlab.save(model, 'net.safetensors', task='half-adder'), "
    "or save its weights alone: torch.save(model.state_dict(), 'net.pt')"
)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_is_refused_unread(protocol: int, tmp_path: Path) -> None:
    raw = pickle.dumps(Trap(tmp_path / "sprung"), protocol)
    with refused(NetworkFileError, PICKLED):
        _ = from_bytes(raw, where="net")
    assert not (tmp_path / "sprung").exists()
    _ = pickle.loads(raw)
    assert (tmp_path / "sprung").exists()


def test_a_zip_archive_with_a_pickle_is_refused_unread(tmp_path: Path) -> None:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive.pkl", pickle.dumps(Trap(tmp_path / "sprung"), 2))
    with refused(NetworkFileError, PICKLED):
        _ = from_bytes(buffer.getvalue(), where="net")
    assert not (tmp_path / "sprung").exists()


def test_a_pickle_of_the_oldest_protocol_is_refused_unread(tmp_path: Path) -> None:
    raw = pickle.dumps(Trap(tmp_path / "sprung"), 0)
    with refused(NetworkFileError, PICKLED):
        _ = from_bytes(raw, where="net")
    assert not (tmp_path / "sprung").exists()
