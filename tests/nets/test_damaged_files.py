"""Damaged files: cut, lengthened, flipped bit by bit; each is refused or a valid network."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from nets.file_samples import (
    DAMAGED,
    EVERY,
    HALF,
    container,
    one_layer,
    outcome,
    parts,
    refused_as,
    with_record,
)
from strategies import (
    FEW,
    MANY,
    graphs,
    networks,
)

from adderlab.nets.files import (
    to_bytes,
)
from adderlab.nets.network import Network

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
    message = f"the record holds {value}, which is no number" + DAMAGED
    text = json.dumps(record)
    for spoiled in (
        text.replace('"threshold": 0.5', f'"threshold": {value}'),
        text[:-1] + f', "training": {{"loss": [{value}]}}}}',
        text.replace('"schema": 1', f'"schema": {value}'),
    ):
        assert spoiled != text
        refused_as(with_record(spoiled), message)
    header, _, body = parts(to_bytes(HALF))
    head = json.dumps({"__metadata__": {"adderlab": text}} | header)
    spoiled = head.replace('"shape": [3]', f'"shape": [{value}]')
    refused_as(container(spoiled.encode(), body), message.replace("record", "header"))


@pytest.mark.parametrize("depth", [1, 90, 97, 98, 99, 100, 101, 800, 100_000])
@pytest.mark.parametrize("brackets", [("[", "]"), ('{"a":', "}")])
def test_deep_nesting_is_refused_or_written_again(depth: int, brackets: tuple[str, str]) -> None:
    opening, closing = brackets
    nested = '{"x":' + opening * depth + "0" + closing * depth + "}"
    _, record, _ = parts(to_bytes(HALF))
    text = json.dumps(record)[:-1] + f', "training": {nested}}}'
    net = outcome(with_record(text))
    assert (net is not None) is (depth <= 98)  # within the record and its training
    assert net is None or depth < 1000
    assert outcome(container(b'{"__metadata__":' + opening.encode() * depth)) is None


def test_numbers_of_too_many_digits_are_refused() -> None:
    _, record, _ = parts(to_bytes(HALF))
    text = json.dumps(record).replace('"schema": 1', '"schema": 1' + "0" * 5000)
    assert outcome(with_record(text)) is None


# --- any damage -----------------------------------------------------------------------------------


def test_every_flipped_bit_is_refused_or_gives_another_valid_network() -> None:
    data = to_bytes(HALF)
    header = len(data) - 68
    result = {True: 0, False: 0}
    for place in range(8 * len(data)):
        if place < 8 * header and place % 3:
            continue  # of the header a third, of the values every bit
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        net = outcome(bytes(flipped))
        result[net is not None] += 1
        if net is not None and place >= 8 * header:
            assert to_bytes(net) == bytes(flipped)
    assert min(result.values()) > 100


@MANY
@given(data=st.data())
def test_flipped_bytes_are_refused_or_give_a_valid_network(data: st.DataObject) -> None:
    net = data.draw(st.sampled_from([HALF, EVERY]) | networks(max_depth=2) | graphs())
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
