"""Configurations of models with layer norms and biases: GPT-2, GPT-NeoX, BERT and their like.

References:
    The configuration and modeling files of https://github.com/huggingface/transformers, by model
    type; totals are held against published ones in ``tests/counting/test_configs.py``.
"""

from __future__ import annotations

from adderlab.counting.architecture import Architecture
from adderlab.counting.config_keys import Keys, shared_head_width


def gpt2(keys: Keys) -> Architecture:
    """Return GPT-2's: learned positions, an MLP four times as wide unless said."""
    width = keys.size("n_embd", "hidden_size")
    heads = keys.size("n_head", "num_attention_heads")
    positions = keys.size("n_positions", "n_ctx", "max_position_embeddings")
    return Architecture(
        layers=keys.size("n_layer", "num_hidden_layers"),
        width=width,
        heads=heads,
        kv_heads=heads,
        head_width=shared_head_width(keys, width, heads, "n_embd", "n_head"),
        mlp=keys.size("n_inner", default=4 * width),
        vocabulary=keys.size("vocab_size"),
        positions=positions,
        gated=False,
        has_layer_norm=True,
        qkv_bias=True,
        output_bias=True,
        mlp_bias=True,
        tied=keys.flag("tie_word_embeddings", default=True),
        longest=positions,
    )


def gpt_neox(keys: Keys) -> Architecture:
    """Return GPT-NeoX's: rotary positions, biases everywhere but in the output head."""
    width = keys.size("hidden_size")
    heads = keys.size("num_attention_heads")
    has_bias = keys.flag("attention_bias", default=True)
    return Architecture(
        layers=keys.size("num_hidden_layers"),
        width=width,
        heads=heads,
        kv_heads=heads,
        head_width=shared_head_width(keys, width, heads, "hidden_size", "num_attention_heads"),
        mlp=keys.size("intermediate_size"),
        vocabulary=keys.size("vocab_size"),
        gated=False,
        has_layer_norm=True,
        qkv_bias=has_bias,
        output_bias=has_bias,
        mlp_bias=True,
        tied=keys.flag("tie_word_embeddings", default=False),
        longest=keys.size("max_position_embeddings", derived=True) or None,
    )


def bert(keys: Keys) -> Architecture:
    """Return BERT's: token types, a norm after the embedding, a pooler and no output head."""
    width = keys.size("hidden_size")
    heads = keys.size("num_attention_heads")
    positions = keys.size("max_position_embeddings", default=512)
    if (keys.entries.get("position_embedding_type") or "absolute") != "absolute":
        keys.wrong.append("position_embedding_type is not absolute, which is not counted here")
    return Architecture(
        layers=keys.size("num_hidden_layers"),
        width=width,
        heads=heads,
        kv_heads=heads,
        head_width=shared_head_width(keys, width, heads, "hidden_size", "num_attention_heads"),
        mlp=keys.size("intermediate_size"),
        vocabulary=keys.size("vocab_size"),
        positions=positions,
        segments=keys.size("type_vocab_size", default=2),
        gated=False,
        has_layer_norm=True,
        has_embedding_norm=True,
        has_last_norm=False,
        qkv_bias=True,
        output_bias=True,
        mlp_bias=True,
        has_head=False,
        has_pooler=True,
        longest=positions,
        is_decoder=False,
    )


def distilbert(keys: Keys) -> Architecture:
    """Return DistilBERT's: BERT's without token types and pooler."""
    width, heads = keys.size("dim", "hidden_size"), keys.size("n_heads", "num_attention_heads")
    positions = keys.size("max_position_embeddings", default=512)
    return Architecture(
        layers=keys.size("n_layers", "num_hidden_layers"),
        width=width,
        heads=heads,
        kv_heads=heads,
        head_width=shared_head_width(keys, width, heads, "dim", "n_heads"),
        mlp=keys.size("hidden_dim"),
        vocabulary=keys.size("vocab_size"),
        positions=positions,
        gated=False,
        has_layer_norm=True,
        has_embedding_norm=True,
        has_last_norm=False,
        qkv_bias=True,
        output_bias=True,
        mlp_bias=True,
        has_head=False,
        longest=positions,
        is_decoder=False,
    )


def phi(keys: Keys) -> Architecture:
    """Return Phi-1's to Phi-2's: one norm a layer, biases everywhere, on the output head too."""
    width, heads = keys.size("hidden_size"), keys.size("num_attention_heads")
    if keys.flag("qk_layernorm", default=False):
        keys.wrong.append("qk_layernorm is set, which is not counted here")
    return Architecture(
        layers=keys.size("num_hidden_layers"),
        width=width,
        heads=heads,
        kv_heads=keys.size("num_key_value_heads", default=heads),
        head_width=shared_head_width(keys, width, heads, "hidden_size", "num_attention_heads"),
        mlp=keys.size("intermediate_size"),
        vocabulary=keys.size("vocab_size"),
        gated=False,
        norms=1,
        has_layer_norm=True,
        qkv_bias=True,
        output_bias=True,
        mlp_bias=True,
        tied=keys.flag("tie_word_embeddings", default=False),
        head_bias=True,
        longest=keys.size("max_position_embeddings", derived=True) or None,
    )


def starcoder2(keys: Keys) -> Architecture:
    """Return StarCoder2's: biases unless said, the embedding as output head, windows."""
    width, heads = keys.size("hidden_size"), keys.size("num_attention_heads")
    layers = keys.size("num_hidden_layers")
    has_bias = keys.flag("use_bias", default=True)
    window = keys.size("sliding_window", derived=True, zero=True)
    return Architecture(
        layers=layers,
        width=width,
        heads=heads,
        kv_heads=keys.size("num_key_value_heads"),
        head_width=shared_head_width(keys, width, heads, "hidden_size", "num_attention_heads"),
        mlp=keys.size("intermediate_size"),
        vocabulary=keys.size("vocab_size"),
        gated=False,
        has_layer_norm=True,
        qkv_bias=has_bias,
        output_bias=has_bias,
        mlp_bias=has_bias,
        tied=keys.flag("tie_word_embeddings", default=True),
        window=window,
        window_layers=layers if window else 0,
        longest=keys.size("max_position_embeddings", derived=True) or None,
    )
