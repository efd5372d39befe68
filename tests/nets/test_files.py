"""Network files: what is written is read back, and what is damaged is refused."""

from __future__ import annotations

import copy
import json
import os
import pickle
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from strategies import (
    FEW,
    MANY,
    NUMBER_DTYPES,
    check_refusal,
    fractions_of,
    networks,
    refused,
    tasks,
)

from adderlab.errors import NetworkFileError, OutputError, TaskError
from adderlab.nets.activations import Activation
from adderlab.nets.files import (
    DTYPES,
    LARGEST_FILE_BYTES,
    from_bytes,
    load,
    load_for,
    read_bytes,
    save,
    sha256,
    to_bytes,
)
from adderlab.nets.network import Layer, Network, map_parameters, network
from adderlab.nets.readout import EXACT, Readout
from adderlab.nets.record import record_of
from adderlab.nets.tensors import FLOAT_DTYPES, Dense, Packed, Scaled, Sparse, Wide
from adderlab.tasks import task_named
from adderlab.tasks.table import parse_table

TABLE = parse_table("in a:1,in b:1,out c:2\n0,0,0\n0,1,*\n1,0,1\n1,1,2\n", where="t.csv")
HALF = network(
    [[[1, 1], [1, 1], [0.5, -2]], [[0, 2, -1], [1, 3, -3]]],
    [[0, -1, -0.5], [0.25, -0.5]],
    task=task_named("half-adder"),
)


def every_kind() -> Network:
    """A network with every kind of tensor, activation and task record, none of them symmetric."""
    dense = Layer(
        Dense(np.float32([[1.5, -2], [3, 0.25], [-7, 5]])),
        Dense(np.array([1, -2, 3], dtype=ml_dtypes.bfloat16)),
        Activation("leaky", slope=0.125),
    )
    packed = Layer(
        Packed(np.array([[1, -2, 3], [-4, 0, 2], [3, 3, -1], [0, -4, 1], [2, 1, -3]]), 3),
        Wide(np.array([1 << 70, -5, 7, -(1 << 65), 2], dtype=object), 9),
        Activation("step", convention=">="),
    )
    sparse = Layer(
        Sparse((4, 5), np.array([0, 2, 2, 3, 4], np.uint8), np.array([0, 3, 4, 1], np.uint8),
               Packed(np.array([1, -1, 1, 1]), 1)),
        None,
        Activation("tanh"),
    )  # fmt: skip
    scaled = Layer(
        Scaled(Packed(np.array([[1, -8, 3, 0], [7, 2, -5, 6]]), 4), Dense(np.float32([0.5, 0.125])),
               Dense(np.int8([1, -2]))),
        Scaled(Packed(np.array([3, -4]), 4), Dense(np.float16(0.25))),
    )  # fmt: skip
    training = {"task": "half-adder", "seed": 3, "lr": 0.1, "path": ["loop"], "steps": None}
    return Network(
        (dense, packed, sparse, scaled), Readout("threshold", -0.75, ">="), TABLE, "fp32", training
    )


EVERY = every_kind()


def check_same(one: Network, two: Network) -> None:
    """Equal in every part, and in the kind and the stored numbers of every tensor."""
    assert (one.readout, one.format) == (two.readout, two.format)
    assert (one.task and one.task.record) == (two.task and two.task.record)
    assert (one.training, one.shape) == (two.training, two.shape)
    assert [layer.activation for layer in one.layers] == [layer.activation for layer in two.layers]
    pairs = list(zip(one.tensors(), two.tensors(), strict=True))
    for (name, first), (other, second) in pairs:
        assert (name, type(first), first.shape) == (other, type(second), second.shape)
        assert first.stored_bytes == second.stored_bytes
        assert np.array_equal(fractions_of(first), fractions_of(second))


# --- taking files apart and putting them together ------------------------------------------------


def container(header: Any, body: bytes = b"") -> bytes:
    """A safetensors file of any header, valid or not."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + body


def parts(data: bytes) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """The header without its record, the record, and the tensors' bytes."""
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    record = json.loads(header.pop("__metadata__")["adderlab"])
    return header, record, data[8 + size :]


def with_record(record: Any, net: Network = HALF) -> bytes:
    """The file of a network under another record."""
    header, _, body = parts(to_bytes(net))
    text = record if isinstance(record, str) else json.dumps(record)
    return container({"__metadata__": {"adderlab": text}} | header, body)


def assembled(record: Any, arrays: dict[str, Any]) -> bytes:
    """A file as safetensors' own library writes it."""
    return safetensors.numpy.save(
        {name: np.asarray(array) for name, array in arrays.items()},
        metadata={"adderlab": json.dumps(record)},
    )


def one_layer(weight: Any, **changes: Any) -> dict[str, Any]:
    """The record of a network of one layer."""
    return {
        "schema": 1, "task": None, "format": "fp32",
        "layers": [{"weight": weight, "activation": "identity"}], "readout": {"kind": "exact"},
    } | changes  # fmt: skip


def outcome(data: bytes) -> Network | None:
    """What a file holds: a network that saves as itself, or ``None`` where it is refused."""
    try:
        net = from_bytes(data, where="net")
    except NetworkFileError as error:
        check_refusal(error)
        assert error.where == "net"
        return None
    again = to_bytes(net)
    check_same(net, from_bytes(again))
    assert to_bytes(from_bytes(again)) == again
    return net


DAMAGED = "; the file is damaged; write it again"


def refused_as(data: bytes, what: str) -> None:
    with refused(NetworkFileError, f"net: {what}"):
        _ = from_bytes(data, where="net")


# --- what is written is read ----------------------------------------------------------------------


@MANY
@given(net=networks(task=st.none() | tasks(max_in=4), max_depth=2))
def test_any_network_comes_back_value_for_value_and_byte_for_byte(net: Network) -> None:
    data = to_bytes(net)
    back = from_bytes(data)
    check_same(net, back)
    assert to_bytes(back) == data


@FEW
@given(net=networks(max_depth=2))
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
                "bias": {"limb_bytes": 9, "shape": [5], "data": "fc2.bias"},
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
        "fc2.bias": ("U8", [45]), "fc3.weight.indptr": ("U8", [5]),
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
@given(net=networks(max_depth=2))
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


def test_a_file_is_loaded_for_a_task_that_fits(tmp_path: Path) -> None:
    path = save(Network(HALF.layers), tmp_path / "net")
    assert load_for(path, None).task is None
    adder = task_named("adder:1")
    assert load_for(path, adder).task is adder
    with refused(
        TaskError,
        "task: parity:2 has 2 input and 1 output bits, the network 2 and 2; "
        "name a task that fits with `task`",
    ):
        _ = load_for(path, task_named("parity:2"))


def test_a_missing_file_a_folder_and_a_pipe_are_refused(tmp_path: Path) -> None:
    with refused(NetworkFileError, f"{tmp_path / 'no'}: no such file; check the path"):
        _ = load(tmp_path / "no")
    with refused(NetworkFileError, f"{tmp_path}: not a regular file; name a file"):
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
        "for parameter counts alone: adderlab count --safetensors",
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
    "in Python: adderlab.save(model, 'net.safetensors', task='half-adder')"
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
        archive.writestr("archive/data.pkl", pickle.dumps(Trap(tmp_path / "sprung"), 2))
    with refused(NetworkFileError, PICKLED):
        _ = from_bytes(buffer.getvalue(), where="net")
    assert not (tmp_path / "sprung").exists()


def test_a_pickle_of_the_oldest_protocol_is_refused_unread(tmp_path: Path) -> None:
    raw = pickle.dumps(Trap(tmp_path / "sprung"), 0)
    refused_as(raw, "not a safetensors file, or cut short within its header" + DAMAGED)
    assert not (tmp_path / "sprung").exists()


# --- damaged containers ---------------------------------------------------------------------------


@pytest.mark.parametrize("net", [HALF, EVERY], ids=["half-adder", "every kind"])
def test_a_file_cut_short_anywhere_is_refused(net: Network) -> None:
    data = to_bytes(net)
    for size in range(len(data)):
        assert outcome(data[:size]) is None, size
    refused_as(data[:5], "5 bytes are too few for a safetensors file" + DAMAGED)
    refused_as(data[:100], "not a safetensors file, or cut short within its header" + DAMAGED)


@pytest.mark.parametrize("size", [1, 2, 8, 100])
def test_bytes_after_the_tensors_are_refused(size: int) -> None:
    assert outcome(to_bytes(HALF) + bytes(size)) is None


@pytest.mark.parametrize("raw", [
    b"", b"\0" * 7, b"\0" * 8, b"\0" * 100, b"\xff" * 100, b"hello, world\n" * 20, b"PK", b"\x80",
    b"{}", b'{"schema": 1}' * 9, container(b""), container(b"[]"), container(b"5"), container(b"{"),
    container(b"null"), container(b"\xff\xfe{}"), container("{}".encode("utf-16")),
    container("{}".encode("utf-32-le")), container(b"\xef\xbb\xbf{}"), container(b"{}{}"),
    container({}), container({"__metadata__": None}), container({"__metadata__": []}),
    container({"__metadata__": {}}), container({"__metadata__": {"adderlab": {}}}),
    container({"__metadata__": {"adderlab": None}}), container({"__metadata__": {"adderlab": ""}}),
    container({"__metadata__": {"adderlab": "nul"}}),
    container({"__metadata__": {"adderlab": "5"}}),
    container(b'{"__metadata__": {"adderlab": "\\ud800"}}'),
    container({"__metadata__": {"adderlab": "{}".encode("utf-16-le").decode()}}),
    struct.pack("<Q", 1 << 63) + b"{}", struct.pack("<Q", (1 << 64) - 1) + b"{}",
])  # fmt: skip
def test_garbage_is_refused(raw: bytes) -> None:
    assert outcome(raw) is None


def test_a_safetensors_file_of_somebody_else_is_refused_with_what_to_do() -> None:
    refused_as(
        safetensors.numpy.save({"w": np.zeros((2, 2), np.float32)}, metadata={"format": "pt"}),
        "a safetensors file without an 'adderlab' record: its activations and readout are not "
        "known; in Python: adderlab.save(adderlab.from_state_dict(tensors), PATH)",
    )


def entry(start: int, end: int, shape: Any = (2, 2), dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}


@pytest.mark.parametrize(("tensors", "size"), [
    ({"w": entry(0, 16), "v": entry(8, 24)}, 24),
    ({"w": entry(0, 16), "v": entry(0, 16)}, 16),
    ({"w": entry(0, 16), "v": entry(20, 36)}, 36),
    ({"w": entry(4, 20)}, 20),
    ({"w": entry(0, 16)}, 20),
    ({"w": entry(0, 16)}, 12),
    ({"w": entry(16, 0)}, 16),
    ({"w": entry(-16, 0)}, 16),
    ({"w": entry(0, 1 << 70)}, 16),
    ({"w": entry(0, 16, (4, 2))}, 16),
    ({"w": entry(0, 16, (1 << 40, 1 << 40))}, 16),
    ({"w": entry(0, 16, (1 << 62, 1))}, 16),
    ({"w": entry(0, 0, (0, 1 << 62))}, 0),
    ({"w": entry(0, 0, (1 << 32, 1 << 32))}, 0),
    ({"w": entry(0, 4, (1,) * 100)}, 4),
    ({"w": entry(0, 16, (-2, -2))}, 16),
    ({"w": entry(0, 16, (2.0, 2))}, 16),
    ({"w": entry(0, 16, (2, True))}, 16),
    ({"w": entry(0, 4, (2, 2), "BOOL")}, 4),
    ({"w": entry(0, 32, (2, 2), "C64")}, 32),
    ({"w": entry(0, 2, (2, 2), "F4")}, 2),
    ({"w": entry(0, 16, (2, 2), "f32")}, 16),
    ({"w": entry(0, 16, (2, 2), "O")}, 16),
    ({"w": entry(0, 16) | {"more": 1}}, 16),
    ({"w": {"dtype": "F32", "shape": [2, 2]}}, 16),
    ({"w": entry(0, 16) | {"data_offsets": [0, 8, 16]}}, 16),
    ({"w": entry(0, 16) | {"shape": None}}, 16),
    ({"w": [1, 2]}, 16),
    ({"w": None}, 0),
])  # fmt: skip
def test_tensors_that_do_not_fill_the_file_exactly_once_are_refused(
    tensors: dict[str, Any], size: int
) -> None:
    meta = {"__metadata__": {"adderlab": json.dumps(one_layer("w"))}}
    assert outcome(container(meta | tensors, bytes(size))) is None
    assert outcome(container(meta | {"w": entry(0, 16)}, bytes(16))) is not None


def test_keys_named_twice_are_refused_in_header_and_record() -> None:
    header, record, body = parts(to_bytes(HALF))
    text = json.dumps({"__metadata__": {"adderlab": json.dumps(record)}} | header)
    twice = text[:-1] + ', "fc1.bias": ' + json.dumps(header["fc1.bias"]) + "}"
    refused_as(container(twice.encode(), body), "the header names 'fc1.bias' twice" + DAMAGED)
    twice = json.dumps(record).replace('"schema": 1', '"schema": 1, "schema": 1')
    refused_as(with_record(twice), "the record names 'schema' twice" + DAMAGED)
    relu = '"activation": "relu"'
    deep = json.dumps(record).replace(relu, relu + ', "weight": "fc1.weight"')
    refused_as(with_record(deep), "the record names 'weight' twice" + DAMAGED)


def test_many_keys_one_of_them_twice_are_refused_in_time() -> None:
    """Counting each name in turn would take hours."""
    names = ",".join(f'"{i}":0' for i in range(100_000))
    refused_as(with_record("{" + names + ',"99999":0}'), "the record names '99999' twice" + DAMAGED)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "-1e400"])
def test_numbers_that_are_none_are_refused_anywhere_in_the_record(value: str) -> None:
    _, record, _ = parts(to_bytes(HALF))
    said = f"the record holds {value}, which is no number" + DAMAGED
    text = json.dumps(record)
    for spoiled in (
        text.replace('"threshold": 0.5', f'"threshold": {value}'),
        text[:-1] + f', "training": {{"loss": [{value}]}}}}',
        text.replace('"schema": 1', f'"schema": {value}'),
    ):
        assert spoiled != text
        refused_as(with_record(spoiled), said)
    header, _, body = parts(to_bytes(HALF))
    head = json.dumps({"__metadata__": {"adderlab": text}} | header)
    spoiled = head.replace('"shape": [3]', f'"shape": [{value}]')
    refused_as(container(spoiled.encode(), body), said.replace("record", "header"))


@pytest.mark.parametrize("depth", [1, 300, 800, *range(900, 1010, 7), 100_000])
@pytest.mark.parametrize("brackets", [("[", "]"), ('{"a":', "}")])
def test_deep_nesting_is_refused_or_written_again(depth: int, brackets: tuple[str, str]) -> None:
    opening, closing = brackets
    nested = '{"x":' + opening * depth + "0" + closing * depth + "}"
    _, record, _ = parts(to_bytes(HALF))
    text = json.dumps(record)[:-1] + f', "training": {nested}}}'
    net = outcome(with_record(text))
    assert net is not None or depth > 800
    assert net is None or depth < 1000
    assert outcome(container(b'{"__metadata__":' + opening.encode() * depth)) is None


def test_numbers_of_too_many_digits_are_refused() -> None:
    _, record, _ = parts(to_bytes(HALF))
    text = json.dumps(record).replace('"schema": 1', '"schema": 1' + "0" * 5000)
    assert outcome(with_record(text)) is None


# --- damaged records ------------------------------------------------------------------------------


def change(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Set, or with ``...`` drop, what stands at a dotted path of a record."""

    def apply(record: dict[str, Any]) -> None:
        *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
        place: Any = record
        for step in way:
            place = place[step]
        if value is ...:
            del place[last]
        else:
            place[last] = value

    return apply


SCHEMA = (
    "schema {} is not the one this version reads (1); write the file with this version of adderlab"
)
CANT = (
    "a network file can't name the task {!r}; "
    "name one of 'adderlab tasks', or store the table inline"
)
TABLE_DAMAGED = "the inline truth table is damaged; build the network again"


@pytest.mark.parametrize(("path", "value", "what"), [
    *(("schema", value, SCHEMA.format(shown)) for value, shown in (
        (2, "2"), (0, "0"), (True, "True"), (1.0, "1.0"), ("1", "1"), (None, "None"), ([1], "[1]"),
        ({"a": 1}, "{'a': 1}"))),
    ("schema", ..., SCHEMA.format("None")),
    ("task", ..., "the record lacks task" + DAMAGED),
    ("extra", 1, "the record has the unknown key extra" + DAMAGED),
    ("Schema", 1, "the record has the unknown key Schema" + DAMAGED),
    ("line\nbreak", 1, "the record has the unknown key line\\nbreak" + DAMAGED),
    ("\ud800", 1, "the record has the unknown key \\ud800" + DAMAGED),
    ("layers", [], "the record has no list of layers" + DAMAGED),
    ("layers", {}, "the record has no list of layers" + DAMAGED),
    ("layers", None, "the record has no list of layers" + DAMAGED),
    ("layers.0", None, "layer 1 is no JSON object" + DAMAGED),
    ("layers.0.weight", ..., "layer 1 lacks weight" + DAMAGED),
    ("layers.0.activation", ..., "layer 1 lacks activation" + DAMAGED),
    ("layers.1.slope", 0.5, "layer 2 has the unknown key slope" + DAMAGED),
    ("layers.1.more", 0.5, "layer 2 has the unknown key more" + DAMAGED),
    ("layers.0.activation", "step", "layer 1 lacks convention" + DAMAGED),
    ("layers.0.activation", "leaky", "layer 1 lacks slope" + DAMAGED),
    ("layers.0.activation", "gelu",
     "unknown activation 'gelu'; one of relu, identity, step, leaky, tanh"),
    ("layers.0.activation", ["relu"],
     "unknown activation ['relu']; one of relu, identity, step, leaky, tanh"),
    ("layers.0.activation", None,
     "unknown activation None; one of relu, identity, step, leaky, tanh"),
    ("layers.0.weight", "fc9.weight",
     "fc1.weight names the tensor 'fc9.weight', which is not in the file" + DAMAGED),
    ("layers.0.weight", "fc1.bias",
     "fc1.bias uses the tensor 'fc1.bias' a second time" + DAMAGED),
    ("layers.1.bias", "fc1.bias", "fc2.bias uses the tensor 'fc1.bias' a second time" + DAMAGED),
    ("layers.1.bias", ..., "the tensor 'fc2.bias' is used by no layer" + DAMAGED),
    ("layers.0.bias", None, "fc1.bias is no JSON object" + DAMAGED),
    ("layers.0.weight", 5, "fc1.weight is no JSON object" + DAMAGED),
    ("layers.0.weight", {}, "fc1.weight lacks packed, shape, data" + DAMAGED),
    ("layers.0.weight", {"packed": 2, "shape": [3, 2], "data": "fc1.weight"},
     "fc1.weight is packed, but its data are no row of bytes" + DAMAGED),
    ("readout", None, "the readout is no JSON object" + DAMAGED),
    ("readout", {"kind": "exact", "threshold": 0.5},
     "the readout has the unknown key threshold" + DAMAGED),
    ("readout", {"kind": "threshold"}, "the readout lacks threshold, convention" + DAMAGED),
    ("readout.kind", "argmax", "unknown readout 'argmax'; one of threshold, exact"),
    ("readout.kind", [], "unknown readout []; one of threshold, exact"),
    ("readout.convention", "<", "unknown convention '<'; one of >, >="),
    ("readout.convention", {}, "unknown convention {}; one of >, >="),
    ("readout.threshold", "0.5", "the threshold is '0.5', which is no number" + DAMAGED),
    ("readout.threshold", True, "the threshold is 'True', which is no number" + DAMAGED),
    ("readout.threshold", None, "the threshold is 'None', which is no number" + DAMAGED),
    ("readout.threshold", 10**400, "the threshold is beyond every double" + DAMAGED),
    ("format", None, "the format is no name" + DAMAGED),
    ("format", "fp31", "unknown number format 'fp31'; did you mean fp32?"),
    ("training", [], "the training record is no JSON object" + DAMAGED),
    ("training", "x", "the training record is no JSON object" + DAMAGED),
    ("task", "table:/etc/passwd", CANT.format("table:/etc/passwd")),
    ("task", "table", CANT.format("table")),
    ("task", "table:", CANT.format("table:")),
    ("task", 5, CANT.format("5")),
    ("task", ["half-adder"], CANT.format("['half-adder']")),
    ("task", True, CANT.format("True")),
    ("task", {}, CANT.format("{}")),
    ("task", {"table": {}, "more": 1}, CANT.format("{'table': {}, 'more': 1}")),
    ("task", {"path": "/etc/passwd"}, CANT.format("{'path': '/etc/passwd'}")),
    ("task", {"table": "/etc/passwd"}, TABLE_DAMAGED),
    ("task", "/etc/passwd", "unknown task '/etc/passwd'; see 'adderlab tasks'"),
    ("task", " table:x", "unknown task ' table:x'; see 'adderlab tasks'"),
    ("task", "Table:x", "unknown task 'Table:x'; see 'adderlab tasks'"),
    ("task", "line\nbreak", "unknown task 'line\\nbreak'; see 'adderlab tasks'"),
    ("task", "full-adder",
     ("full-adder has 3 input and 2 output bits, the network 2 and 2; "
      "name a task that fits with `task`")),
])  # fmt: skip
def test_a_record_that_says_what_is_not_so_is_refused(path: str, value: Any, what: str) -> None:
    _, record, _ = parts(to_bytes(HALF))
    change(path, value)(record)
    with pytest.raises(NetworkFileError) as caught:
        _ = from_bytes(with_record(record), where="net")
    check_refusal(caught.value)
    message = str(caught.value).removeprefix("net: ")
    assert message in (what, f"task: {what}")


def test_no_path_that_a_file_names_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(path: str) -> None:
        pytest.fail(f"{path!r} was opened")

    _, record, _ = parts(to_bytes(HALF))
    for place in ("catalog.read_table", "table.Path"):
        monkeypatch.setattr(f"adderlab.tasks.{place}", opened)
    with pytest.raises(pytest.fail.Exception, match="'x' was opened"):
        _ = task_named("table:x")
    for task in ("table:/etc/passwd", "table", "/etc/passwd", {"table": "/etc/passwd"}):
        assert outcome(with_record(record | {"task": task})) is None


U8, F32 = np.uint8, np.float32


def packed_spec(bits: Any, shape: Any, data: Any = "w") -> dict[str, Any]:
    return {"packed": bits, "shape": shape, "data": data}


def wide_spec(size: Any, shape: Any, data: Any = "w") -> dict[str, Any]:
    return {"limb_bytes": size, "shape": shape, "data": data}


def sparse_spec(shape: Any, values: Any = "v") -> dict[str, Any]:
    return {"shape": shape, "indptr": "p", "indices": "i", "values": values}


def csr(pointers: Any, indices: Any, values: Any, dtype: Any = U8) -> dict[str, Any]:
    structure = {"p": np.array(pointers, dtype), "i": np.array(indices, dtype)}
    return structure | {"v": np.array(values, F32)}


NOT_CSR = (
    "fc1.weight: the sparse structure does not describe a {} matrix; "
    "indptr has rows + 1 ascending entries, indices name columns"
)
NOT_2D = "fc1: the weight has shape {}; it has two dimensions, (out, in), neither of them 0"
UNORDERED = (
    "fc1.weight: the columns of a sparse row are not in ascending order; "
    "sort each row's columns and name none twice"
)


@pytest.mark.parametrize(("weight", "arrays", "what"), [
    # packed
    (packed_spec(2, [2, 3]), {"w": U8([1])}, "6 numbers of 2 bits take 2 bytes, got 1" + DAMAGED),
    (packed_spec(2, [2, 3]), {"w": U8([1, 1, 0])},
     "6 numbers of 2 bits take 2 bytes, got 3" + DAMAGED),
    (packed_spec(2, [2, 3]), {"w": U8([1, 16])}, "padding bits are set" + DAMAGED),
    (packed_spec(1, [2, 3]), {"w": U8([0x40])}, "padding bits are set" + DAMAGED),
    (packed_spec(2, [2, 3]), {"w": np.int8([1, 1])},
     "fc1.weight is packed, but its data are no row of bytes" + DAMAGED),
    (packed_spec(2, [2, 3]), {"w": U8([[1, 1]])},
     "fc1.weight is packed, but its data are no row of bytes" + DAMAGED),
    *((packed_spec(bits, [2, 3]), {"w": U8([1, 1])},
       f"fc1.weight's packed bits is {bits}, not a whole number in 1..32" + DAMAGED)
      for bits in (0, 33, -2, 2.0, "2", None, True)),
    *((packed_spec(2, [2, size]), {"w": U8([1, 1])},
       f"fc1.weight's shape is {size}, not a whole number in 0..2147483648" + DAMAGED)
      for size in (-3, 3.0, "3", None, True, (1 << 31) + 1)),
    *((packed_spec(2, shape), {"w": U8([1, 1])},
       "fc1.weight has no shape of one or two numbers" + DAMAGED)
      for shape in (None, 6, "23", [1, 2, 3], {"0": 2})),
    (packed_spec(2, [2, 3], ["w"]), {"w": U8([1, 1])},
     "fc1.weight names the tensor ['w'], which is not in the file" + DAMAGED),
    (packed_spec(2, [2, 3]) | {"more": 1}, {"w": U8([1, 1])},
     "fc1.weight has the unknown key more" + DAMAGED),
    (packed_spec(2, [6]), {"w": U8([1, 1])}, NOT_2D.format([6])),
    (packed_spec(2, [0, 3]), {"w": U8([])}, NOT_2D.format([0, 3])),
    (packed_spec(2, [3, 0]), {"w": U8([])}, NOT_2D.format([3, 0])),
    (packed_spec(2, []), {"w": U8([1])}, NOT_2D.format([])),
    # wide
    (wide_spec(3, [1, 2]), {"w": U8([1] * 5)}, "2 limbs of 3 bytes take 6, got 5" + DAMAGED),
    (wide_spec(3, [1, 2]), {"w": F32([1] * 6)},
     "fc1.weight is packed, but its data are no row of bytes" + DAMAGED),
    *((wide_spec(size, [1, 2]), {"w": U8([1] * 6)},
       f"fc1.weight's limb_bytes is {size}, not a whole number in 1..1048576" + DAMAGED)
      for size in (0, -1, 3.0, None, (1 << 20) + 1)),
    (wide_spec(3, [1, 2]) | {"packed": 2}, {"w": U8([1] * 6)},
     "fc1.weight has the unknown key packed" + DAMAGED),
    # dense
    ("w", {"w": F32([1, 2])}, NOT_2D.format([2])),
    ("w", {"w": F32(5)}, NOT_2D.format([])),
    ("w", {"w": F32([[[1]]])}, NOT_2D.format([1, 1, 1])),
    ("w", {"w": np.zeros((0, 3), F32)}, NOT_2D.format([0, 3])),
    ("w", {"w": np.zeros((2, 0), F32)}, NOT_2D.format([2, 0])),
    ("w", {"w": F32([[1, 2], [np.nan, 3]])},
     "fc1.weight: a value is nan (at [1, 0]); every parameter must be a finite number"),
    ("w", {"w": np.float16([[1, -np.inf]])},
     "fc1.weight: a value is -inf (at [0, 1]); every parameter must be a finite number"),
    # sparse
    *((sparse_spec([2, 3]), csr(p, i, v), NOT_CSR.format("2 x 3")) for p, i, v in (
        ([0, 1], [0], [5]), ([0, 1, 1, 1], [0], [5]), ([1, 1, 1], [0], [5]), ([0, 1, 2], [0], [5]),
        ([0, 2, 1], [0], [5]), ([0, 1, 1], [3], [5]), ([0, 1, 1], [0], [5, 6]), ([], [], []),
        ([0, 1, 1], [0, 1], [5]), ([0, 1, 1], [0], [[5]]), ([[0, 1, 1]], [0], [5]))),
    (sparse_spec([2, 3]), csr([0, 1 << 63, 1], [0], [5], np.uint64), NOT_CSR.format("2 x 3")),
    (sparse_spec([2, 3]), csr([0, 1, 1], [(1 << 64) - 1], [5], np.uint64), NOT_CSR.format("2 x 3")),
    (sparse_spec([2, 3]), csr([0, 2, 2], [1, 0], [5, 6]), UNORDERED),
    (sparse_spec([2, 3]), csr([0, 2, 2], [1, 1], [5, 6]), UNORDERED),
    *((sparse_spec([2, 3]), csr([0, 1, 1], [0], [5], dtype),
       "fc1.weight has signed or fractional indices" + DAMAGED)
      for dtype in (np.int32, np.int64, np.int8, F32)),
    (sparse_spec([6]), csr([0, 1], [0], [5]), "fc1.weight is sparse but no matrix" + DAMAGED),
    (sparse_spec([2, -3]), csr([0, 1, 1], [0], [5]),
     "fc1.weight's shape is -3, not a whole number in 0..2147483648" + DAMAGED),
    (sparse_spec([0, 3]), csr([0], [], []), NOT_2D.format([0, 3])),
    (sparse_spec([2, 0]), csr([0, 0, 0], [], []), NOT_2D.format([2, 0])),
    (sparse_spec([2, 3]) | {"more": 1}, csr([0, 1, 1], [0], [5]),
     "fc1.weight has the unknown key more" + DAMAGED),
    (sparse_spec([2, 3], "i"), csr([0, 1, 1], [0], [5]),
     "fc1.weight uses the tensor 'i' a second time" + DAMAGED),
    (sparse_spec([2, 3], sparse_spec([1, 1])), csr([0, 1, 1], [0], [5]),
     "fc1.weight lacks packed, data and has the unknown key indptr, indices, values" + DAMAGED),
    (sparse_spec([2, 3]), csr([0, 1, 1], [0], [np.nan]),
     "fc1.weight: a value is nan (at [0]); every parameter must be a finite number"),
    # scaled
    ({"scale": "s", "q": "w"}, {"s": F32([1, 2, 3]), "w": F32([[1, 2, 3], [4, 5, 6]])},
     ("fc1.weight: scale has shape [3], the tensor [2, 3]; "
      "scale has shape [] or one entry for each row")),
    ({"scale": "s", "q": "w", "zero": "z"}, {"s": F32(1), "z": F32([[1]]), "w": F32([[1, 2]])},
     ("fc1.weight: zero has shape [1, 1], the tensor [1, 2]; "
      "zero has shape [] or one entry for each row")),
    ({"scale": "s", "q": "w"}, {"s": F32(np.inf), "w": F32([[1, 2]])},
     "fc1.weight: a value is inf (at []); every parameter must be a finite number"),
    ({"scale": "w", "q": "w"}, {"w": F32([[1, 2]])},
     "fc1.weight uses the tensor 'w' a second time" + DAMAGED),
    ({"scale": "s"}, {"s": F32(1)}, "fc1.weight lacks q" + DAMAGED),
    ({"scale": "s", "q": {"scale": "t", "q": "w"}},
     {"s": F32(1), "t": F32(1), "w": F32([[1, 2]])},
     "fc1.weight lacks packed, shape, data and has the unknown key scale, q" + DAMAGED),
    ({"scale": {"packed": 2, "shape": [], "data": "s"}, "q": "w"},
     {"s": U8([1]), "w": F32([[1, 2]])},
     "fc1.weight names the tensor {'packed': 2, 'shape': [], 'data': 's'}, "
     "which is not in the file" + DAMAGED),
    ({"scale": "s", "zero": "z", "q": sparse_spec([2, 3])},
     csr([0, 1, 1], [0], [5]) | {"s": F32(1), "z": F32(1)},
     "fc1.weight: a sparse tensor has a zero point; store it dense"),
])  # fmt: skip
def test_a_tensor_that_is_not_as_its_record_says_is_refused(
    weight: Any, arrays: dict[str, Any], what: str
) -> None:
    refused_as(assembled(one_layer(weight), arrays), what)


def test_the_number_that_ternary_leaves_out_is_refused() -> None:
    """Two bits hold -2; in the format ternary no packing writes it."""
    minus_two = {"w": U8([0b01_00_11_10])}
    spec = packed_spec(2, [2, 2])
    assert from_bytes(assembled(one_layer(spec, format="int2"), minus_two)).format == "int2"
    refused_as(
        assembled(one_layer(spec, format="Ternary"), minus_two),
        "fc1.weight holds -2, which is not ternary" + DAMAGED,
    )
    for wrapped, more in ((spec, {}), ({"scale": "s", "q": spec}, {"s": F32(2)})):
        refused_as(
            assembled(one_layer(wrapped, format="ternary"), minus_two | more),
            "fc1.weight holds -2, which is not ternary" + DAMAGED,
        )
    sparse = sparse_spec([2, 2], packed_spec(2, [4])) | {"indptr": "p", "indices": "i"}
    arrays = {"p": U8([0, 2, 4]), "i": U8([0, 1, 0, 1])} | minus_two
    refused_as(
        assembled(one_layer(sparse, format="ternary"), arrays),
        "fc1.weight holds -2, which is not ternary" + DAMAGED,
    )


HUGE = 1 << 31


@pytest.mark.parametrize(("weight", "arrays"), [
    (packed_spec(1, [HUGE, HUGE]), {"w": U8([1])}),
    (packed_spec(32, [HUGE, HUGE]), {"w": U8([])}),
    (packed_spec(1, [0, HUGE]), {"w": U8([])}),
    (wide_spec(1 << 20, [HUGE, HUGE]), {"w": U8([1])}),
    (wide_spec(1 << 20, [HUGE, 0]), {"w": U8([])}),
    (sparse_spec([HUGE, HUGE]), csr([0, 1], [0], [5])),
    (sparse_spec([1, HUGE], packed_spec(8, [HUGE])),
     {"p": U8([0, 1]), "i": U8([0]), "w": U8([1])}),
    (sparse_spec([1, HUGE], packed_spec(8, [HUGE])),
     {"p": np.uint64([0, HUGE]), "i": U8([0]), "w": U8([1])}),
    ("w", {"w": np.zeros((HUGE, 0), F32)}),
])  # fmt: skip
def test_a_huge_shape_is_refused_before_its_memory_is_taken(
    weight: Any, arrays: dict[str, Any]
) -> None:
    data = assembled(one_layer(weight), arrays)
    tracemalloc.start()
    try:
        assert outcome(data) is None
        assert tracemalloc.get_traced_memory()[1] < 1 << 21
    finally:
        tracemalloc.stop()


def test_a_sparse_layer_of_many_columns_takes_the_memory_of_its_entries_alone() -> None:
    arrays = {"p": U8([0, 1]), "i": np.uint32([HUGE - 1]), "v": F32([5])}
    tracemalloc.start()
    try:
        net = from_bytes(assembled(one_layer(sparse_spec([1, HUGE])), arrays))
        assert (net.n_in, net.max_weight, net.smallest_format) == (HUGE, 5, "int4")
        assert tracemalloc.get_traced_memory()[1] < 1 << 21
    finally:
        tracemalloc.stop()


# --- any damage -----------------------------------------------------------------------------------


def test_every_flipped_bit_is_refused_or_gives_another_valid_network() -> None:
    data = to_bytes(HALF)
    header = len(data) - 68
    found = {True: 0, False: 0}
    for place in range(8 * len(data)):
        if place < 8 * header and place % 3:
            continue  # of the header a third, of the values every bit
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        net = outcome(bytes(flipped))
        found[net is not None] += 1
        if net is not None and place >= 8 * header:
            assert to_bytes(net) == bytes(flipped)
    assert min(found.values()) > 100


@MANY
@given(data=st.data())
def test_flipped_bytes_are_refused_or_give_a_valid_network(data: st.DataObject) -> None:
    net = data.draw(st.sampled_from([HALF, EVERY]) | networks(max_depth=2))
    damaged = bytearray(to_bytes(net))
    for place, mask in data.draw(
        st.lists(st.tuples(st.integers(0, len(damaged) - 1), st.integers(1, 255)), max_size=4)
    ):
        damaged[place] ^= mask
    _ = outcome(bytes(damaged))


@FEW
@given(raw=st.binary(max_size=200), size=st.integers(0, 200))
def test_any_bytes_are_refused(raw: bytes, size: int) -> None:
    assert outcome(raw) is None
    assert outcome(struct.pack("<Q", size) + b"{" + raw) is None


JUNK = (
    None, True, False, 0, 1, -1, 2, 0.5, 1e308, 1 << 70, "", "a", "fc1.weight", "table:x", "\ud800",
    "relu", "step", ">=", [], [0], [1, 2], [None], {}, {"a": 1}, {"table": None}, {"packed": 2},
    {"scale": "fc1.weight", "q": "fc1.bias"}, {"indptr": []},
    {"limb_bytes": 1, "shape": [], "data": 0},
)  # fmt: skip


def all_paths(value: Any, prefix: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to every value inside a JSON value."""
    children: Any = enumerate(value) if isinstance(value, list) else ()
    children = value.items() if isinstance(value, dict) else children
    below = [path for key, child in children for path in all_paths(child, (*prefix, key))]
    return [prefix, *below] if prefix else below


def replaced(record: Any, path: tuple[Any, ...], value: Any) -> Any:
    spoiled = copy.deepcopy(record)
    place = spoiled
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return spoiled


@pytest.mark.parametrize("value", JUNK, ids=repr)
def test_junk_at_any_place_of_the_record_is_refused_or_gives_a_valid_network(value: Any) -> None:
    _, record, _ = parts(to_bytes(EVERY))
    paths = all_paths(record)
    assert len(paths) > 60
    for path in paths:
        _ = outcome(with_record(replaced(record, path, value), EVERY))


OPTIONAL = [("layers", 3, "weight", "zero")]
"""Keys that a record may do without; the tensor they named must go too."""


def test_every_key_of_a_record_can_be_dropped_or_added_to_without_a_crash() -> None:
    _, record, _ = parts(to_bytes(EVERY))
    kept: list[tuple[Any, ...]] = []
    for path in all_paths(record):
        spoiled = copy.deepcopy(record)
        place = spoiled
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]
        if outcome(with_record(spoiled, EVERY)) is not None:
            kept.append(path)
    for path in [(), *all_paths(record)]:
        spoiled = copy.deepcopy(record)
        place = spoiled
        for step in path:
            place = place[step]
        if isinstance(place, dict) and path[:1] != ("training",):
            place["unknown key"] = 1
            assert outcome(with_record(spoiled, EVERY)) is None, path
    training = [path for path in all_paths(record) if path[0] == "training"]
    assert [path for path in kept if path not in OPTIONAL] == training
