"""Network files of one bit that just are ones, and the nearest that are not."""

from __future__ import annotations

import struct
from fractions import Fraction

import pytest
from sealing import answer, f64, network, network_file, table, threshold

SAME = table("in x:1,out y:1|0,0|1,1")
TWICE = table("in x:1,out y:2|0,0|1,3")
EITHER = table("in a:1,in b:1,out y:1|0,0,0|0,1,1|1,0,1|1,1,*")


def layer(weight, tensors, **options):
    """Return a file of one layer."""
    return network_file([{"weight": weight, "activation": "identity", **options}], tensors)


@pytest.mark.parametrize(
    ("kind", "data", "value"),
    [
        ("F8_E4M3", b"\x01", 2.0**-9),
        ("F8_E4M3", b"\x87", -7 * 2.0**-9),
        ("F8_E4M3", b"\x08", 2.0**-6),
        ("F8_E4M3", b"\x39", 1.125),
        ("F8_E4M3", b"\x7e", 448),
        ("F8_E5M2", b"\x01", 2.0**-16),
        ("F8_E5M2", b"\xbd", -1.25),
        ("F8_E5M2", b"\x7b", 57344),
        ("BF16", b"\x81\x3f", 1 + 2.0**-7),
        ("F16", b"\x01\xbc", -1 - 2.0**-10),
        ("F32", struct.pack("<f", 1 + 2.0**-23), 1 + 2.0**-23),
        ("I8", b"\xfe", -2),
        ("U8", b"\xfe", 254),
        ("I16", b"\x00\xff", -256),
        ("U16", b"\x00\xff", 65280),
        ("I64", b"\1" + bytes(6) + b"\x80", 1 - 2**63),
        ("U64", b"\1" + bytes(6) + b"\x80", 1 + 2**63),
    ],
)
def test_a_tensor_of_each_type(kind, data, value):
    """As a bias, whose exact value the output of a counterexample states."""
    record, readout = threshold(-(2.0**70))
    net = network_file(
        [{"weight": "w", "bias": "b", "activation": "identity"}],
        {"w": ("F64", [1, 1], f64(0)), "b": (kind, [1], data)},
        readout=record,
    )
    task = table("in x:1,out y:1|0,0|1,0")
    for stated in (value, -value):
        example = {"input": {"x": 0}, "expected": {"y": 0}, "got": {"y": 1},
                   "output": [str(Fraction(stated))]}  # fmt: skip
        claims = {"verdict": "refuted", "counterexample": example, "readout": readout}
        assert answer(net, task, **claims) is (stated == value)


@pytest.mark.parametrize(
    ("bits", "data", "is_valid"),
    [
        (1, b"\0", True),  # 0 stands for 1, and 1 for -1
        (1, b"\1", False),
        (2, b"\1", True),
        (2, b"\5", False),  # the lowest bit of the padding
        (2, b"\x41", False),
        (2, b"\1\0", False),  # a byte too many
        (8, b"\1", True),
        (9, b"\1\0", True),
        (9, b"\1", False),
        (32, b"\1\0\0\0", True),
        (33, b"\1\0\0\0\0", False),
        (0, b"", False),
        (64, b"\1" + bytes(7), False),
    ],
)
def test_packed_numbers_of_some_bits(bits, data, is_valid):
    weight = {"packed": bits, "shape": [1, 1], "data": "w"}
    assert answer(layer(weight, {"w": ("U8", [len(data)], data)}), SAME) is is_valid
    assert answer(layer(weight, {"w": ("I8", [len(data)], data)}), SAME) is False


@pytest.mark.parametrize(
    ("codes", "book", "is_valid"),
    [
        (b"\1\1", b"\0\1", False),  # a value that no code names
        (b"\0\0", b"\1", True),
        (b"\0\1", b"\1\1", False),  # a value twice
        (b"\0\0", b"\1\1", False),  # a byte that no size counts
    ],
)
def test_a_codebook_has_each_of_its_values_once(codes, book, is_valid):
    sizes = b"\1" * (1 if codes == b"\0\0" else 2)
    weight = {"codes": "c", "sizes": "s", "codebook": "b"}
    tensors = {"c": ("U8", [1, 2], codes), "s": ("U8", [len(sizes)], sizes)}
    for kind in ("U8", "I8"):
        data = layer(weight, {**tensors, "b": (kind, [len(book)], book)})
        assert answer(data, EITHER) is (is_valid and kind == "U8")


@pytest.mark.parametrize(("size", "is_valid"), [(8192, True), (8193, None)])
def test_a_number_has_65536_bits_at_most(size, is_valid):
    record, readout = threshold(0)
    data = network_file(
        [{"weight": {"codes": "c", "sizes": "s", "codebook": "b"}, "activation": "identity"}],
        {"c": ("U8", [1, 1], b"\0"), "s": ("U16", [1], struct.pack("<H", size)),
         "b": ("U8", [size], bytes(size - 1) + b"\1")},
        readout=record,
    )  # fmt: skip
    assert answer(data, SAME, readout=readout) is is_valid


@pytest.mark.parametrize(("exponent", "is_valid"), [(-22, True), (-23, None)])
def test_a_number_is_a_multiple_of_2_to_the_minus_65536(exponent, is_valid):
    """A product of 61 of the smallest doubles, 2^-1074, and a power of two."""
    record, readout = threshold(0)
    tiny = [([[2.0**-1074]], None, {})] * 61
    data = network(*tiny, ([[2.0**exponent]], None, {}), readout=record)
    assert answer(data, SAME, readout=readout) is is_valid


@pytest.mark.parametrize(
    ("shape", "pointers", "indices", "is_valid"),
    [
        ([1, 1], b"\0\1", b"\0", True),
        ([1, 1], b"\0\1", b"\0\0", False),  # an entry of no row
        ([1, 1], b"\0\0\1", b"\0", False),
        ([2, 1], b"\0\1", b"\0", False),
        ([1, 1], b"\1\2", b"\0\0", False),
        ([1, 1, 1], b"\0\1", b"\0", False),
        ([1], b"\0\1", b"\0", False),
    ],
)
def test_a_sparse_matrix_has_the_rows_of_its_shape(shape, pointers, indices, is_valid):
    weight = {"shape": shape, "indptr": "p", "indices": "i", "values": "v"}
    tensors = {
        "p": ("U8", [len(pointers)], pointers), "i": ("U8", [len(indices)], indices),
        "v": ("F64", [len(indices)], f64(*[1] * len(indices))),
    }  # fmt: skip
    assert answer(layer(weight, tensors), SAME) is is_valid


@pytest.mark.parametrize(
    ("scale", "number", "zero", "is_valid"),
    [
        (("F64", [], f64(0.5)), ("U8", b"\3"), ("U8", [], b"\1"), True),
        (("F64", [], f64(2)), ("U8", b"\2"), ("F64", [], f64(1.5)), True),
        (("F64", [1], f64(2)), ("F64", f64(2.5)), ("U8", [1], b"\2"), True),
        (("F64", [], f64(0.5)), ("U8", b"\2"), None, True),
        (("F64", [], f64(0.5)), ("U8", b"\2"), ("U8", [], b"\1"), False),
        (("F64", [1, 1], f64(0.5)), ("U8", b"\2"), None, False),
        (("F64", [], f64(0.5)), ("U8", b"\3"), ("U8", [1, 1], b"\1"), False),
    ],
)
def test_a_scaled_number_is_scale_times_its_distance_from_zero(scale, number, zero, is_valid):
    kind, data = number
    tensors = {"s": scale, "w": (kind, [1, 1], data)}
    weight = {"scale": "s", "q": "w"}
    if zero is not None:
        tensors["z"], weight["zero"] = zero, "z"
    assert answer(layer(weight, tensors), SAME) is is_valid


@pytest.mark.parametrize(("shape", "is_valid"), [([], True), ([2], True), ([1], False)])
def test_scales_are_one_or_one_a_row(shape, is_valid):
    tensors = {"w": ("U8", [2, 1], b"\2\2"), "s": ("F64", shape, f64(*[0.5] * sum(shape or [1])))}
    assert answer(layer({"scale": "s", "q": "w"}, tensors), TWICE) is is_valid


def test_a_sparse_matrix_has_no_zero_point():
    sparse = {"shape": [1, 1], "indptr": "p", "indices": "i", "values": "v"}
    tensors = {
        "p": ("U8", [2], b"\0\1"), "i": ("U8", [1], b"\0"), "v": ("F64", [1], f64(1)),
        "s": ("F64", [], f64(1)),
    }  # fmt: skip
    assert answer(layer({"scale": "s", "q": sparse}, tensors), SAME) is True
    tensors["z"] = "F64", [], f64(0)
    assert answer(layer({"scale": "s", "q": sparse, "zero": "z"}, tensors), SAME) is False


@pytest.mark.parametrize("is_sparse", [False, True])
def test_a_layer_has_units(is_sparse):
    """Also one that no output depends on."""
    weight = {"shape": [0, 1], "indptr": "p", "indices": "i", "values": "v"} if is_sparse else "w"
    tensors = {"p": ("U8", [1], b"\0"), "i": ("U8", [0], b""), "v": ("F64", [0], b"")}
    data = network_file(
        [{"weight": weight, "activation": "identity"},
         {"weight": "own", "activation": "identity", "inputs": ["input"]}],
        {**(tensors if is_sparse else {"w": ("F64", [0, 1], b"")}), "own": ("F64", [1, 1], f64(1))},
    )  # fmt: skip
    assert answer(data, SAME) is False


@pytest.mark.parametrize("size", [4, 16])
def test_a_tensor_has_the_bytes_of_its_shape(size):
    tensor = ("F64", [1, 1], (f64(1) + f64(9))[:size])
    assert answer(layer("w", {"w": tensor}), SAME) is False


ONE = ([[1]], None, {})


@pytest.mark.parametrize(
    ("layers", "record", "is_valid"),
    [
        ([ONE] * 3, {}, True),
        ([ONE], {"schema": True}, False),
        ([ONE], {"schema": 1.0}, False),
        ([ONE], {"schema": 2}, False),
        ([ONE], {"outputs": ["fc1"]}, True),
        ([ONE], {"outputs": ["fc2"]}, False),
        ([ONE], {"outputs": []}, False),
        ([([[1]], [0], {})], {}, True),
        ([([[1]], [0, 0], {})], {}, False),
        ([([[1], [1]], None, {}), ([[1, 0]], None, {})], {}, True),
        ([([[1], [1]], None, {}), ([[1]], None, {})], {}, False),
        ([ONE, ([[1, 0]], None, {})], {}, False),
        ([ONE, ([[1, 0]], None, {"inputs": ["input"]})], {}, False),
        ([ONE, ([[0, 1]], None, {"inputs": ["fc1", "input"]})], {}, True),
        ([ONE, ([[1]], None, {"inputs": ["fc1", "input"]})], {}, False),
        ([ONE, ([[1]], None, {"inputs": ["fc2"]})], {}, False),
    ],
)
def test_what_layers_read_and_give(layers, record, is_valid):
    assert answer(network(*layers, **record), SAME) is is_valid


@pytest.mark.parametrize(
    ("outputs", "is_valid"), [(["fc1", "fc2"], True), (["fc1", "fc1"], False), (["fc2"], False)]
)
def test_outputs_are_each_of_another_layer(outputs, is_valid):
    assert answer(network(ONE, ONE, outputs=outputs), TWICE) is is_valid


@pytest.mark.parametrize(
    ("limit", "convention", "is_valid"),
    [(0.5, ">", True), (0.5, ">=", True), (0.5, "<", False), (0.25, ">", None)],
)
def test_a_last_sigmoid_is_left_out_at_a_half(limit, convention, is_valid):
    record, readout = threshold(limit, convention)
    sigmoid = {"activation": "sigmoid"}
    assert (
        answer(network(([[2]], [-1], sigmoid), readout=record), SAME, readout=readout) is is_valid
    )
    hidden = network(([[2]], [-1], sigmoid), ONE, outputs=["fc1", "fc2"], readout=record)
    assert answer(hidden, TWICE, readout=readout) is (False if convention == "<" else None)
    read = network(
        ([[2]], [-1], sigmoid), ([[1]], None, sigmoid), outputs=["fc1", "fc2"], readout=record
    )
    assert answer(read, TWICE, readout=readout) is (False if convention == "<" else None)
