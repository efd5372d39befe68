"""Configurations: published totals, what is not known, what is left out, keys and values kept."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from published_totals import DEEPSEEK_V3, GEMMA_3_4B, LLAVA, PUBLISHED, QWEN3_MOE, plain, sizes
from strategies import refused

from adderlab.counting.config_types import BUILT_AS, MODEL_TYPES
from adderlab.errors import OptionError
from adderlab.verbs.count import count

LLAMA_3 = PUBLISHED["meta-llama/Meta-Llama-3-8B"][0]


@pytest.fixture
def config(tmp_path):
    """Return a function that writes a configuration and returns its path."""

    def write(content):
        path = tmp_path / "config.json"
        _ = path.write_text(json.dumps(content))
        return path

    return write


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_configuration_gives_the_published_total(config, name):
    content, total = PUBLISHED[name]
    result = count(config=config(content))
    assert result.raw == total
    assert result.raw == sum(part.parameters for part in result.parts)


def test_every_type_that_is_known_has_a_published_total():
    types = {content.get("text_config", content)["model_type"] for content, _ in PUBLISHED.values()}
    assert set(MODEL_TYPES) <= types


def test_the_manual_names_every_type():
    manual = Path(__file__).parents[2] / "docs/counting.md"
    section = manual.read_text(encoding="utf-8").partition("\n## Configurations\n")[2]
    named = re.findall("`([^`]+)`", section.partition("\n- ")[0])
    assert named == [*MODEL_TYPES, *BUILT_AS]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_arithmetic_that_is_shown_gives_the_count(config, name):
    for part in count(config=config(PUBLISHED[name][0])).parts:
        words = part.arithmetic.replace("(", " ( ").replace(")", " ) ").split()
        kept = ["*" if word == "x" else word for word in words if word in "x+()" or word.isdigit()]
        if part.parameters:
            assert eval(" ".join(kept)) == part.parameters, part.arithmetic


@pytest.mark.parametrize(
    ("content", "billions"),
    [(DEEPSEEK_V3, 37.6), (QWEN3_MOE, 3.4), (PUBLISHED["openai/gpt-oss-120b"][0], 5.7)],
)
def test_few_experts_are_active(config, content, billions):
    """The model cards say 37B, 3.3B and 5.1B; here all of the embedding is counted too."""
    assert round(count(config=config(content)).active / 1e9, 1) == billions


def test_layers_that_predict_further_tokens_are_said(config):
    """The report gives 14B with an embedding and a head, 2 x 129280 x 7168 of them."""
    notes = count(config=config(DEEPSEEK_V3)).notes
    note = next(note for note in notes if "MTP" in note)
    assert note.startswith("1 MTP layer (num_nextn_predict_layers) not counted: 11,610,")


DEFAULTS = "num_attention_heads 8, num_key_value_heads 4, head_dim 256, vocab_size 262208"


def test_a_vision_tower_and_absent_sizes_are_said(config):
    assert count(config=config(GEMMA_3_4B)).notes == (
        "the language model of text_config alone",
        "the weights of vision_config are not counted",
        f"absent, so the defaults of its class: {DEFAULTS}",
        "tied: the output head is the embedding",
    )
    path = config({**LLAVA, "text_config": {"model_type": "llama", "tie_word_embeddings": True}})
    with refused(
        OptionError,
        f"{path}: tie_word_embeddings differs between the file and its text_config; "
        "give what llama models have",
    ):
        _ = count(config=path)


KNOWN = ", ".join(MODEL_TYPES)
OPEN = (
    "sizes alone leave open whether the MLP has a gate, which norms and biases there are, and "
    "whether the output head is the embedding"
)


@pytest.mark.parametrize(
    ("content", "what", "fit"),
    [
        ({**LLAMA_3, "model_type": "mamba"}, 'has model_type "mamba", whose layers are not known',
         ("its fields are enough for bert, gemma, gemma2, gemma3_text, gpt_neox, llama, mistral, "
          "olmo, olmo2, olmo3, phi, phi3, qwen2, qwen3, smollm3, starcoder2")),
        ({**plain("x", 768, 12, 12, 30522), "model_type": 5},
         "has model_type 5, whose layers are not known",
         "its fields are enough for bert, gpt_neox, llama, olmo, olmo2, olmo3, phi, phi3"),
        ({"n_embd": 768, "n_head": 12, "n_layer": 12}, "has no model_type",
         f"one of {KNOWN}; gpt2 is nearest and needs n_positions, vocab_size too"),
    ],
)  # fmt: skip
def test_what_would_settle_an_unknown_type_is_said(config, content, what, fit):
    path = config(content)
    with refused(
        OptionError,
        f"{path}: {what}; {OPEN}; set model_type to what it is built as ({fit}), "
        "or count its weight files (`safetensors`)",
    ):
        _ = count(config=path)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (QWEN3_MOE | {"mlp_only_layers": [0]}, ("decoder_sparse_step and mlp_only_layers give "
         "some layers no experts, which is not counted here")),
        (DEEPSEEK_V3 | {"moe_layer_freq": 2}, "moe_layer_freq is not 1, which is not counted here"),
        (DEEPSEEK_V3 | {"first_k_dense_replace": 62},
         "first_k_dense_replace is larger than num_hidden_layers"),
        (DEEPSEEK_V3 | {"num_experts_per_tok": 300},
         "num_experts_per_tok is larger than n_routed_experts"),
        (plain("bert", 768, 12, 12, 30522, position_embedding_type="relative_key"),
         "position_embedding_type is not absolute, which is not counted here"),
        (LLAMA_3 | {"model_type": "mistral", "layer_types": ["full_attention"]},
         "layer_types does not name the kind of each of 32 layers"),
        (LLAMA_3 | {"model_type": "mistral", "layer_types": ["linear_attention"] * 32},
         'layer_types names "linear_attention"; full_attention and sliding_attention are known'),
    ],
)  # fmt: skip
def test_what_would_be_counted_wrongly_is_refused(config, content, what):
    path = config(content)
    remedy = f"give what {content['model_type']} models have"
    with refused(OptionError, f"{path}: {what}; {remedy}"):
        _ = count(config=path)


# --- quantization that a configuration names ------------------------------------------------------

QWEN_7B = PUBLISHED["Qwen/Qwen2-7B"][0]
LLAMA_1B = PUBLISHED["meta-llama/Llama-3.2-1B"][0]
INSIDE = 28 * (2 * 3584 * 3584 + 2 * 3584 * 512 + 3 * 3584 * 18944)
"""Numbers in the matrices of Qwen2-7B's layers."""


@pytest.mark.parametrize(
    ("entries", "bits", "each"),
    [
        ({"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True}, 4, 4.15625),
        ({"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": False}, 4, 4.125),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, 4, 4.5),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True,
          "bnb_4bit_use_double_quant": True}, 4, 4 + 8 / 64 + 32 / 64 / 256),
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, 8, 8 + 32 / 128**2),
        ({"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": {
            "num_bits": 4, "group_size": 128, "type": "int", "symmetric": True}}}}, 4, 4.125),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, 4, 4.5),
    ],
)  # fmt: skip
def test_the_bits_that_a_configuration_names_come_to(config, entries, bits, each):
    result = count(config=config({**QWEN_7B, "quantization_config": entries}))
    quantization = result.quantization
    assert result.raw == 7_615_616_512
    assert (quantization.bits, quantization.parameters) == (bits, INSIDE)
    assert quantization.bits_per_weight == each
    assert result.to_dict()["quantization"]["bits_per_weight"] == each
    rest = 2 * (7_615_616_512 - INSIDE)
    assert quantization.model_bytes == rest + INSIDE * each / 8


def test_gptq_keeps_a_number_for_each_input(config):
    entries = {"quant_method": "gptq", "bits": 4, "group_size": -1}
    quantization = count(config=config({**QWEN_7B, "quantization_config": entries})).quantization
    inputs = 28 * (6 * 3584 + 18944)
    outputs = 28 * (2 * 3584 + 2 * 512 + 2 * 18944 + 3584)
    assert quantization.stored_bits == 4 * INSIDE + 20 * outputs + 32 * inputs


def test_mlx_quantizes_the_embedding_too(config):
    """mlx-community/Llama-3.2-1B-Instruct-4bit has 695 MB."""
    content = {**LLAMA_1B, "quantization": {"bits": 4, "group_size": 64}}
    quantization = count(config=config(content)).quantization
    assert (quantization.method, quantization.bits, quantization.group_size) == ("mlx", 4, 64)
    assert quantization.bits_per_weight == 4.5
    assert quantization.model_bytes == 695_242_752


def test_a_method_that_is_not_known_gets_no_bytes(config):
    content = {**QWEN_7B, "quantization_config": {"quant_method": "aqlm", "bits": 2}}
    quantization = count(config=config(content)).to_dict()["quantization"]
    assert (quantization["bits"], quantization["bits_per_weight"]) == (2, None)
    assert quantization["notes"][0] == "how aqlm stores its matrices is not known here"
    path = config({**QWEN_7B, "quantization_config": {"quant_method": "awq", "bits": "x"}})
    with refused(
        OptionError,
        f"{path}: bits of its quantization is 'x', no size; "
        "give a whole number, as 4 bits or groups of 128",
    ):
        _ = count(config=path)


# --- keys and values ------------------------------------------------------------------------------

LLAMA_405B = sizes("llama", 16384, 53248, 126, 128, 8, 128256)
QWEN_72B = sizes("qwen2", 8192, 29568, 80, 64, 8, 152064)


@pytest.mark.parametrize(
    ("content", "bytes_a_token"),
    [(DEEPSEEK_V3, 70_272), (QWEN_72B, 327_680), (LLAMA_405B, 516_096)],
)
def test_a_token_takes_the_published_bytes(config, content, bytes_a_token):
    """DeepSeek-AI, "Insights into DeepSeek-V3" (2025), arXiv:2505.09343, table 1, in bf16."""
    cache = count(config=config(content), context=1).cache
    assert cache.bytes["bf16"] == bytes_a_token
    longer = count(config=config(content), context=1000, batch=3).to_dict()["kv_cache"]
    assert longer["bytes"]["fp16"] == 3000 * bytes_a_token
    assert longer["numbers"] == 3000 * bytes_a_token // 2


GEMMA_2_2B, GEMMA_3_1B = (PUBLISHED[f"google/gemma-{name}"][0] for name in ("2-2b", "3-1b-pt"))
MISTRAL = PUBLISHED["mistralai/Mistral-7B-v0.1"][0]
QWEN_WINDOW = {**QWEN_7B, "use_sliding_window": True, "sliding_window": 100}


@pytest.mark.parametrize(
    ("content", "window", "layers"),
    [
        (LLAMA_3, 0, 0),
        (MISTRAL, 4096, 32),
        (MISTRAL | {"sliding_window": None}, 0, 0),
        (PUBLISHED["mistralai/Mixtral-8x7B-v0.1"][0], 0, 0),
        (GEMMA_2_2B, 4096, 13),
        (GEMMA_3_1B | {"sliding_window": 512}, 512, 22),
        (GEMMA_3_1B | {"sliding_window": 512, "sliding_window_pattern": 2}, 512, 13),
        (
            GEMMA_3_1B | {"layer_types": ["sliding_attention"] * 3 + ["full_attention"] * 23},
            4096,
            3,
        ),
        (QWEN_WINDOW | {"max_window_layers": 20}, 100, 8),
        (QWEN_WINDOW | {"use_sliding_window": False}, 0, 0),
        (PUBLISHED["microsoft/phi-4"][0] | {"sliding_window": 2047}, 2047, 40),
        (PUBLISHED["openai/gpt-oss-20b"][0], 128, 12),
    ],
)
def test_layers_with_a_window_keep_no_more_than_it(config, content, window, layers):
    cache = count(config=config(content), context=5000).cache
    assert (cache.window, cache.window_layers) == (window, layers)
    total = content["num_hidden_layers"]
    assert cache.tokens == (total - layers) * 5000 + layers * min(window, 5000)
    short = count(config=config(content), context=7).cache
    assert short.tokens == 7 * total


def test_published_models_keep_keys_and_values_too():
    assert count(model="llama-3-8b", context=8192).cache.bytes["fp16"] == 1 << 30
    assert count(model="mistral-7b", context=10**6).cache.tokens == 32 * 4096
    notes = count(model="llama-3-8b", context=8193).cache.notes
    assert notes == ("the configuration's longest context is 8,192 tokens",)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "gpt2", "context": 1025},
         "context: got 1025; the model has 1024 positions; give at most 1024"),
        ({"model": "gpt2", "context": 0}, "context: got 0; give 1 to 2^40"),
        ({"model": "gpt2", "context": 5, "batch": -1}, "batch: got -1; give 1 to 2^40"),
        ({"model": "gpt2", "batch": 2},
         "batch: a batch alone says nothing of a cache; give `context` too"),
        ({"parameters": 5, "context": 5},
         "context: keys and values follow from hyper-parameters alone; give `config` or `model`"),
    ],
)  # fmt: skip
def test_a_cache_that_makes_no_sense_is_refused(options, message):
    with refused(OptionError, message):
        _ = count(**options)


def test_an_encoder_keeps_no_cache(config):
    path = config(PUBLISHED["google-bert/bert-base-uncased"][0])
    with refused(
        OptionError,
        "context: an encoder keeps no cache: it sees all tokens at once; leave `context` out",
    ):
        _ = count(config=path, context=5)
