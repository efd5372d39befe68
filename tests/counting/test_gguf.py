"""GGUF files by their headers: what the blocks come to, and what is refused."""

from __future__ import annotations

import contextlib
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEW, refused

from adderlab.counting import count_gguf
from adderlab.counting.ggml_types import GGML_TYPES
from adderlab.errors import NetworkFileError
from adderlab.verbs.count import count

DAMAGED = "download the file again"
F32, Q4_K, Q6_K = 0, 12, 14

BITS = {
    "Q4_0": 4.5, "Q4_1": 5, "Q5_0": 5.5, "Q5_1": 6, "Q8_0": 8.5, "Q2_K": 2.625, "Q3_K": 3.4375,
    "Q4_K": 4.5, "Q5_K": 5.5, "Q6_K": 6.5625, "IQ2_XXS": 2.0625, "IQ2_XS": 2.3125, "IQ2_S": 2.5625,
    "IQ3_XXS": 3.0625, "IQ3_S": 3.4375, "IQ1_S": 1.5625, "IQ1_M": 1.75, "IQ4_NL": 4.5,
    "IQ4_XS": 4.25, "TQ1_0": 1.6875, "TQ2_0": 2.0625, "MXFP4": 4.25, "NVFP4": 4.5, "BF16": 16,
    "F16": 16, "F32": 32, "F64": 64, "I8": 8, "I16": 16, "I32": 32, "I64": 64,
}  # fmt: skip
"""Bits per weight, as the documentation of llama.cpp's ``quantize`` gives them."""


def text(value, order="<", length="Q"):
    raw = value.encode()
    return struct.pack(f"{order}{length}", len(raw)) + raw


def header(tensors, entries=(), *, version=3, order="<", alignment=32):
    """Return a header: tensors of a name, shape and type, entries of a name and raw value."""
    length = "I" if version == 1 else "Q"
    raw = b"GGUF" + struct.pack(f"{order}I2{length}", version, len(tensors), len(entries))
    for key, value in entries:
        raw += text(key, order, length) + value
    place = 0
    for name, shape, number in tensors:
        raw += text(name, order, length)
        raw += struct.pack(f"{order}I{len(shape)}{length}", len(shape), *shape)
        raw += struct.pack(f"{order}IQ", number, place)
        kind = GGML_TYPES[number]
        size = math.prod(shape) // kind.block * kind.block_bytes
        place += -(-size // alignment) * alignment
    return raw, place


def write(path, tensors, entries=(), *, alignment=32, cut=0, **more):
    raw, place = header(tensors, entries, alignment=alignment, **more)
    start = -(-len(raw) // alignment) * alignment
    with path.open("wb") as file:
        _ = file.write(raw)
        _ = file.truncate(start + place - cut if tensors else len(raw) - cut)
    return path


def number(value, code="I", kind=4):
    return struct.pack(f"<I{code}", kind, value)


def string(value):
    return struct.pack("<I", 8) + text(value)


def strings(values):
    return struct.pack("<IIQ", 9, 8, len(values)) + b"".join(map(text, values))


@pytest.mark.parametrize("kind", GGML_TYPES, ids=lambda kind: GGML_TYPES[kind].name)
def test_the_blocks_of_every_type_come_to_its_bits(tmp_path, kind):
    result = count(gguf=write(tmp_path / "x.gguf", [("blk.0.ffn_up.weight", (512, 6), kind)]))
    known = GGML_TYPES[kind]
    assert result.raw == 512 * 6
    assert result.stored_as == {known.name: 512 * 6 // known.block * known.block_bytes}
    if known.name in BITS:
        assert float(result.bits_per_weight) == BITS[known.name]
    if known.is_quantized:
        assert result.quantization.bits_per_weight == known.bits
        assert result.quantization.group_size == known.block
    else:
        assert result.quantization is None


MODEL = [
    ("token_embd.weight", (256, 10), Q6_K),
    ("blk.0.attn_q.weight", (256, 256), Q4_K),
    ("blk.0.ffn_up.weight", (256, 512), Q4_K),
    ("blk.0.attn_norm.weight", (256,), F32),
    ("output_norm.weight", (256,), F32),
    ("output.weight", (256, 10), Q6_K),
    ("rope_freqs.weight", (32,), F32),
]
ENTRIES = [
    ("general.architecture", string("llama")),
    ("general.name", string("Tiny")),
    ("llama.rope.freq_base", struct.pack("<If", 6, 1e4)),
    ("tokenizer.ggml.tokens", strings(["a", "bcd", ""])),
    ("tokenizer.ggml.scores", struct.pack("<IIQ3f", 9, 6, 3, 0, 1, 2)),
]


@pytest.mark.parametrize(("version", "order"), [(1, "<"), (2, "<"), (3, "<"), (3, ">")])
def test_a_model_of_several_types_is_counted(tmp_path, version, order):
    entries = ENTRIES if (version, order) in ((2, "<"), (3, "<")) else []
    path = write(tmp_path / "x.gguf", MODEL, entries, version=version, order=order)
    for result in (count(path), count(gguf=path), count(safetensors=path)):
        assert result.raw == 2 * 2560 + 256 * 768 + 2 * 256
        assert {part.name: part.parameters for part in result.parts} == {
            "embedding": 2560, "attention": 65536, "MLP": 131072, "norm": 512, "output head": 2560,
        }  # fmt: skip
        assert result.stored_as == {"Q6_K": 20 * 210, "Q4_K": 768 * 144, "F32": 4 * 544}
        assert result.file_bytes == path.stat().st_size
        assert result.quantization.bits_per_weight == pytest.approx(
            8 * (20 * 210 + 768 * 144) / (788 * 256)
        )
        assert result.notes[0] == "1 of its tensors are no parameters: not counted"
        assert result.name == ("x.gguf (Tiny, llama)" if entries else "x.gguf")


def test_another_alignment_is_followed(tmp_path):
    entries = [("general.alignment", number(64))]
    assert count(gguf=write(tmp_path / "x.gguf", MODEL, entries, alignment=64)).raw > 0


def test_parts_of_a_split_file_are_summed(tmp_path):
    entries = [
        ("split.count", struct.pack("<IH", 2, 2)),
        ("split.tensors.count", number(7, "i", 5)),
    ]
    first = write(tmp_path / "a.gguf", MODEL[:3], entries)
    second = write(tmp_path / "b.gguf", MODEL[3:], entries)
    assert count(gguf=[first, second]).raw == count(gguf=write(tmp_path / "c.gguf", MODEL)).raw
    with refused(
        NetworkFileError,
        f"{first}: is one of 2 parts, 1 of which is given; name all parts of the model",
    ):
        _ = count(gguf=first)
    with pytest.raises(NetworkFileError, match="is also in another file"):
        _ = count(gguf=[first, first])


def raw_file(entries=0, tensors=0, rest=b"", version=3):
    return b"GGUF" + struct.pack("<IQQ", version, tensors, entries) + rest


HUGE = 1 << 62
ABSURD = "cut short within its header, or a length in it is absurd"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"GGUF", ABSURD),
        (b"GGUX" + bytes(60), "not a GGUF file"),
        (raw_file(version=4), "GGUF version 4; 1 to 3 are known"),
        (raw_file(version=0), "GGUF version 0; 1 to 3 are known"),
        (raw_file(tensors=HUGE), f"{HUGE} tensors; at most 1048576 are read"),
        (raw_file(entries=HUGE), f"{HUGE} entries; at most 65536 are read"),
        (raw_file(entries=1), ABSURD),
        (raw_file(tensors=1), ABSURD),
        (raw_file(entries=1, rest=struct.pack("<Q", HUGE)),
         f"the name of an entry of {HUGE} bytes is longer than 4096"),
        (raw_file(entries=1, rest=text("a") + struct.pack("<IQ", 8, HUGE)),
         f"a metadata text of {HUGE} bytes is longer than 1048576"),
        (raw_file(entries=1, rest=text("a") + struct.pack("<IIQ", 9, 0, HUGE)), ABSURD),
        (raw_file(entries=1, rest=text("a") + struct.pack("<IIQ", 9, 8, HUGE)),
         "lists of more than 4194304 texts"),
        (raw_file(entries=1, rest=text("a") + struct.pack("<IIQ", 9, 8, 4_000_000)), ABSURD),
        (raw_file(entries=1, rest=text("a") + struct.pack("<IIQ", 9, 9, 1)),
         "a list of the unknown type 9"),
        (raw_file(entries=1, rest=text("a") + struct.pack("<I", 99)),
         "metadata of the unknown type 99"),
        (raw_file(entries=1, rest=struct.pack("<Q", 2) + b"\xff\xfe"),
         "the name of an entry is no UTF-8 text"),
        (raw_file(entries=2, rest=2 * (text("a") + number(1))), "the header names 'a' twice"),
        (raw_file(tensors=1, rest=text("w") + struct.pack("<I", 5)),
         "tensor 'w' has 5 axes, more than 4"),
        (raw_file(tensors=1, rest=text("w") + struct.pack("<IQIQ", 1, 32, 4, 0)),
         "tensor 'w' has the unknown type 4"),
        (raw_file(tensors=1, rest=text("w") + struct.pack("<IQIQ", 1, 33, 2, 0)),
         "tensor 'w' has rows that are no whole blocks of Q4_0"),
        (raw_file(tensors=1, rest=text("w") + struct.pack("<IQQQQIQ", 4, *[HUGE] * 4, 0, 0)),
         "tensor 'w' has an absurd shape"),
        (raw_file(tensors=1, rest=text("w") + struct.pack("<IQIQ", 1, HUGE // 4, 0, 0)),
         f"cut short: 57 bytes, {64 + HUGE} by its header"),
        (raw_file(tensors=1, rest=text("w") + struct.pack("<IQIQ", 1, 1, 0, 8) + bytes(64)),
         "tensor 'w' overlaps another or is not aligned"),
        (raw_file(tensors=2, rest=2 * (text("w") + struct.pack("<IQIQ", 1, 1, 0, 0)) + bytes(64)),
         "the header names a tensor twice"),
        (raw_file(entries=1, rest=text("general.alignment") + number(0)),
         "general.alignment is no multiple of 8"),
    ],
)  # fmt: skip
def test_a_hostile_header_is_refused(tmp_path, content, what):
    path = tmp_path / "x.gguf"
    _ = path.write_bytes(content)
    with refused(NetworkFileError, f"{path}: {what}; {DAMAGED}"):
        _ = count_gguf([path])


def test_a_sparse_file_of_lists_takes_neither_memory_nor_time(tmp_path):
    """A terabyte of nothing, in which a list claims to lie."""
    path = tmp_path / "x.gguf"
    with path.open("wb") as file:
        rest = text("a") + struct.pack("<IIQ", 9, 0, 1 << 39)
        _ = file.write(raw_file(entries=1, rest=rest))
        _ = file.truncate(1 << 40)
    with refused(NetworkFileError, f"{path}: {ABSURD}; {DAMAGED}"):
        _ = count_gguf([path])


@FEW
@given(st.data())
def test_a_file_that_is_cut_short_is_refused(tmp_path_factory, data):
    path = write(tmp_path_factory.mktemp("cut") / "x.gguf", MODEL, ENTRIES)
    whole = path.read_bytes()
    _ = path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 97))])
    with pytest.raises(NetworkFileError):
        _ = count_gguf([path])


@FEW
@given(st.data())
def test_a_changed_byte_is_counted_or_refused_and_nothing_else(tmp_path_factory, data):
    path = write(tmp_path_factory.mktemp("changed") / "x.gguf", MODEL, ENTRIES)
    whole = bytearray(path.read_bytes())
    whole[data.draw(st.integers(4, 700))] = data.draw(st.integers(0, 255))
    _ = path.write_bytes(whole)
    with contextlib.suppress(NetworkFileError):
        assert count_gguf([path]).raw >= 0
