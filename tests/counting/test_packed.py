"""Packed weights in headers: logical parameters, and the bits per weight that result."""

from __future__ import annotations

import json
import math
import struct

import pytest

from adderlab.nets.header import TYPE_BITS
from adderlab.verbs.count import count

N_IN, N_OUT = 512, 384
PARAMETERS = N_IN * N_OUT
NAME = "model.layers.0.mlp.up_proj"


def write(path, tensors):
    """Write a file of zeros with tensors of a name, type and shape."""
    header, place = {}, 0
    for name, dtype, *shape in tensors:
        size = math.prod(shape) * TYPE_BITS[dtype] // 8
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [place, place + size]}
        place += size
    raw = json.dumps(header).encode()
    with path.open("wb") as file:
        _ = file.write(struct.pack("<Q", len(raw)) + raw)
        _ = file.truncate(8 + len(raw) + place)
    return path


def gptq(bits, group, *, index=True):
    groups = N_IN // group
    tensors = [
        (f"{NAME}.qweight", "I32", N_IN * bits // 32, N_OUT),
        (f"{NAME}.qzeros", "I32", groups, N_OUT * bits // 32),
        (f"{NAME}.scales", "F16", groups, N_OUT),
    ]
    return tensors + ([(f"{NAME}.g_idx", "I32", N_IN)] if index else [])


def awq(bits, group):
    groups = N_IN // group
    return [
        (f"{NAME}.qweight", "I32", N_IN, N_OUT * bits // 32),
        (f"{NAME}.qzeros", "I32", groups, N_OUT * bits // 32),
        (f"{NAME}.scales", "F16", groups, N_OUT),
    ]


def mlx(bits, group, *more, dtype="F16"):
    shape = (*more, N_OUT)
    return [
        (f"{NAME}.weight", "U32", *shape, N_IN * bits // 32),
        (f"{NAME}.scales", dtype, *shape, N_IN // group),
        *([(f"{NAME}.biases", dtype, *shape, N_IN // group)] if dtype != "U8" else []),
    ]


BNB = [
    (f"{NAME}.weight", "U8", PARAMETERS // 2, 1),
    (f"{NAME}.weight.absmax", "U8", PARAMETERS // 64),
    (f"{NAME}.weight.nested_absmax", "F32", PARAMETERS // 64 // 256),
    (f"{NAME}.weight.nested_quant_map", "F32", 256),
    (f"{NAME}.weight.quant_map", "F32", 16),
    (f"{NAME}.weight.quant_state.bitsandbytes__nf4", "U8", 120),
]
BNB_BITS = 4 + 8 / 64 + 32 / 64 / 256 + 8 * (256 * 4 + 16 * 4 + 120) / PARAMETERS

CASES = {
    "gptq 4": (gptq(4, 128), "gptq", 4, 128, 4 + 20 / 128 + 32 / N_OUT),
    "gptq 3": (gptq(3, 64), "gptq", 3, 64, 3 + 19 / 64 + 32 / N_OUT),
    "gptq 2": (gptq(2, 32), "gptq", 2, 32, 2 + 18 / 32 + 32 / N_OUT),
    "gptq 8, one group": (gptq(8, N_IN), "gptq", 8, None, 8 + 24 / N_IN + 32 / N_OUT),
    "gptq without g_idx": (gptq(4, 32, index=False), "gptq", 4, 32, 4 + 20 / 32),
    "awq 4": (awq(4, 128), "awq", 4, 128, 4 + 20 / 128),
    "awq gemv": ([(f"{NAME}.qweight", "I32", N_OUT, N_IN // 8),
                  (f"{NAME}.qzeros", "I32", N_OUT, 1), (f"{NAME}.scales", "F16", N_OUT, 8)],
                 "awq", 4, 64, 4 + 8 * (4 + 16) / N_IN),
    "marlin": ([(f"{NAME}.B", "I32", N_IN // 16, 2 * N_OUT), (f"{NAME}.s", "F16", 4, N_OUT)],
               "gptq (marlin)", 4, 128, 4 + 16 / 128),
    "bitsandbytes 4": (BNB, "bitsandbytes nf4", 4, 64, BNB_BITS),
    "bitsandbytes 8": ([(f"{NAME}.weight", "I8", N_OUT, N_IN), (f"{NAME}.SCB", "F32", N_OUT),
                        (f"{NAME}.weight_format", "U8")],
                       "bitsandbytes int8", 8, None, 8 + 32 / N_IN + 8 / PARAMETERS),
    "mxfp4, gpt-oss": ([("mlp.experts.up_proj_blocks", "U8", 3, N_OUT // 3, N_IN // 32, 16),
                        ("mlp.experts.up_proj_scales", "U8", 3, N_OUT // 3, N_IN // 32)],
                       "mxfp4", 4, 32, 4.25),
    "mxfp4, compressed": ([(f"{NAME}.weight_packed", "U8", N_OUT, N_IN // 2),
                           (f"{NAME}.weight_scale", "U8", N_OUT, N_IN // 32)],
                          "mxfp4", 4, 32, 4.25),
    "nvfp4, modelopt": ([(f"{NAME}.weight", "U8", N_OUT, N_IN // 2),
                         (f"{NAME}.weight_scale", "F8_E4M3", N_OUT, N_IN // 16),
                         (f"{NAME}.weight_scale_2", "F32"), (f"{NAME}.input_scale", "F32")],
                        "nvfp4", 4, 16, 4.5 + 64 / PARAMETERS),
    "nvfp4, compressed": ([(f"{NAME}.weight_packed", "U8", N_OUT, N_IN // 2),
                           (f"{NAME}.weight_scale", "F8_E4M3", N_OUT, N_IN // 16),
                           (f"{NAME}.weight_global_scale", "F32", 1)],
                          "nvfp4", 4, 16, 4.5 + 32 / PARAMETERS),
    "compressed, 4 bits": ([(f"{NAME}.weight_packed", "I32", N_OUT, N_IN // 8),
                            (f"{NAME}.weight_scale", "BF16", N_OUT, 4),
                            (f"{NAME}.weight_shape", "I64", 2)],
                           "compressed-tensors", 4, 128, 4.125 + 128 / PARAMETERS),
    "fp8 in blocks": ([(f"{NAME}.weight", "F8_E4M3", N_OUT, N_IN),
                       (f"{NAME}.weight_scale_inv", "F32", N_OUT // 128, N_IN // 128)],
                      "fp8", 8, None, 8 + 32 / 128**2),
    "int8": ([(f"{NAME}.weight", "I8", N_OUT, N_IN), (f"{NAME}.weight_scale", "BF16", N_OUT, 1)],
             "int8", 8, None, 8 + 16 / N_IN),
    "mlx 4": (mlx(4, 64), "mlx", 4, 64, 4.5),
    "mlx 8": (mlx(8, 64), "mlx", 8, 64, 8.5),
    "mlx 3": (mlx(3, 64), "mlx", 3, 64, 3.5),
    "mlx 6": (mlx(6, 64), "mlx", 6, 64, 6.5),
    "mlx mxfp4": (mlx(4, 32, dtype="U8"), "mlx mxfp4", 4, 32, 4.25),
    "mlx nvfp4": (mlx(4, 16, dtype="U8"), "mlx nvfp4", 4, 16, 4.5),
}  # fmt: skip
"""What is stored of one matrix, and what it is: method, bits, group size, bits per weight."""

REST = [("model.embed_tokens.weight", "F16", 100, N_IN), ("model.norm.weight", "F16", N_IN),
        (f"{NAME}.bias", "F16", N_OUT)]  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_packed_matrix_counts_as_the_numbers_that_it_stands_for(tmp_path, name):
    tensors, method, bits, group, each = CASES[name]
    result = count(safetensors=write(tmp_path / "x.safetensors", [*tensors, *REST]))
    quantization = result.quantization
    assert result.raw == PARAMETERS + 101 * N_IN + N_OUT
    assert (quantization.method, quantization.bits) == (method, bits)
    assert (quantization.group_size, quantization.parameters) == (group, PARAMETERS)
    assert float(quantization.bits_per_weight) == pytest.approx(each, rel=1e-12)
    assert result.stored_bytes == result.file_bytes - (
        struct.unpack("<Q", (tmp_path / "x.safetensors").read_bytes()[:8])[0] + 8
    )
    assert float(result.bits_per_weight) == 8 * result.stored_bytes / result.raw
    assert {part.name: part.parameters for part in result.parts} == {
        "embedding": 100 * N_IN, "MLP": PARAMETERS + N_OUT, "norm": N_IN,
    }  # fmt: skip


def test_two_readings_of_mlx_are_told_apart_by_the_configuration(tmp_path):
    path = write(tmp_path / "x.safetensors", mlx(8, 32))
    alone = count(safetensors=path)
    assert alone.raw == 2 * PARAMETERS
    (note,) = alone.quantization.notes
    assert note == (
        "read as 4 bits in groups of 64; 8 bits in groups of 32 or 2 bits in groups of 128 would "
        "look alike: quantization of config.json settles it"
    )
    config = {"quantization": {"bits": 8, "group_size": 32}}
    _ = (tmp_path / "config.json").write_text(json.dumps(config))
    settled = count(safetensors=path)
    assert (settled.raw, settled.quantization.notes) == (PARAMETERS, ())


def test_single_modules_have_bits_of_their_own(tmp_path):
    config = {"quantization": {"bits": 4, "group_size": 64, NAME: {"bits": 8, "group_size": 32}}}
    _ = (tmp_path / "config.json").write_text(json.dumps(config))
    other = [(name.replace("layers.0", "layers.1"), *rest) for name, *rest in mlx(4, 64)]
    result = count(safetensors=write(tmp_path / "x.safetensors", [*mlx(8, 32), *other]))
    assert result.raw == 2 * PARAMETERS
    assert result.quantization.bits is None
    assert result.quantization.notes == (
        f"quantized parameters: {PARAMETERS:,} of 4 bits, {PARAMETERS:,} of 8 bits",
    )


def test_stacked_experts_are_counted(tmp_path):
    assert count(safetensors=write(tmp_path / "x.safetensors", mlx(4, 64, 5))).raw == 5 * PARAMETERS


@pytest.mark.parametrize(
    "tensors",
    [
        [(f"{NAME}.qweight", "I32", 64, N_OUT)],
        [(f"{NAME}.qweight", "I32", 64, N_OUT), (f"{NAME}.scales", "F16", 4, N_OUT)],
        [(f"{NAME}.qweight", "I32", 60, N_OUT), (f"{NAME}.scales", "F16", 4, N_OUT),
         (f"{NAME}.g_idx", "I32", 512)],
        [(f"{NAME}.weight", "U32", 64, 48), (f"{NAME}.scales", "F16", 32, 6)],
        [(f"{NAME}.weight", "U8", 64, 48), (f"{NAME}.weight_scale", "F32", 1)],
        [("x_blocks", "U8", 3, 15), ("x_scales", "U8", 3)],
    ],
)  # fmt: skip
def test_what_is_not_recognized_is_counted_as_stored_and_said(tmp_path, tensors):
    result = count(safetensors=write(tmp_path / "x.safetensors", tensors))
    assert result.quantization is None
    assert result.raw == sum(math.prod(shape) for _, _, *shape in tensors)
    assert result.notes[0].startswith("elements of ")
    assert result.notes[0].endswith("; a config.json beside the file would settle it")


def test_masks_and_positions_are_no_parameters(tmp_path):
    tensors = [
        ("h.0.attn.bias", "F32", 1, 1, 64, 64),
        ("h.0.attn.masked_bias", "F32"),
        ("embeddings.position_ids", "I64", 1, 512),
        ("model.layers.0.self_attn.rotary_emb.inv_freq", "F32", 64),
        ("h.0.attn.c_attn.bias", "F32", 30),
    ]
    result = count(safetensors=write(tmp_path / "x.safetensors", tensors))
    assert result.raw == 30
    assert result.notes[0] == "4 tensors of positions and masks not counted: no parameters"
    assert result.stored_bytes == 4 * (64 * 64 + 1 + 64 + 30) + 8 * 512


def test_an_output_head_that_is_tied_but_stored_is_counted_once(tmp_path):
    tensors = [("model.embed_tokens.weight", "F32", 11, 8), ("lm_head.weight", "F32", 11, 8)]
    path = write(tmp_path / "x.safetensors", tensors)
    assert count(safetensors=path).raw == 2 * 88
    keys = ("hidden_size", "num_attention_heads", "num_key_value_heads", "num_hidden_layers",
            "intermediate_size", "vocab_size")  # fmt: skip
    config = {"model_type": "llama", "tie_word_embeddings": True, **dict.fromkeys(keys, 8)}
    _ = (tmp_path / "config.json").write_text(json.dumps(config))
    result = count(safetensors=path)
    assert result.raw == 88
    assert result.notes[0] == "tied: the output head is the embedding, though both are stored"


@pytest.mark.parametrize("text", ["{", "[]", "5"])
def test_a_configuration_that_is_none_is_no_hindrance(tmp_path, text):
    path = write(tmp_path / "x.safetensors", mlx(4, 64))
    _ = (tmp_path / "config.json").write_text(text)
    result = count(safetensors=path)
    assert result.raw == PARAMETERS
    assert result.notes[0].startswith("config.json beside it was not used: ")
