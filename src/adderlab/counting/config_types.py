"""How a configuration's keys are read, by the value of ``model_type``.

Rule: a key that is absent gets the default of its model type's own class, and only where that
default is certain: a flag, a size that follows from others, or any size of a configuration that
stands inside another, which is written without the defaults.

References:
    The configuration and modeling files of https://github.com/huggingface/transformers, by model
    type; totals are held against published ones in ``tests/counting/test_configs.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from adderlab.counting.architecture import Architecture, Latent
from adderlab.counting.config_keys import Keys

Reader = Callable[[Keys], Architecture]

GEMMA3_PATTERN: Final = 6
"""Of so many layers of Gemma 3 the last one sees the whole context."""


def _gpt2(keys: Keys) -> Architecture:
    width = keys.size("n_embd", "hidden_size")
    heads = keys.size("n_head", "num_attention_heads")
    positions = keys.size("n_positions", "n_ctx", "max_position_embeddings")
    return Architecture(
        layers=keys.size("n_layer", "num_hidden_layers"),
        width=width,
        heads=heads,
        kv_heads=heads,
        head_width=_head_width(keys, width, heads, "n_embd", "n_head"),
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


def _llama_like(
    keys: Keys,
    *,
    kv_default: bool = False,
    head_width: int | None = None,
    attention_bias: bool = False,
    mlp_bias: bool = False,
    tied: bool = False,
) -> Architecture:
    """Return the architecture of a model type that shares Llama's keys.

    Args:
        keys: of the configuration.
        kv_default: whether keys and values have as many heads as queries unless said.
        head_width: what ``head_dim`` is where it is absent; by default what the heads share out.
        attention_bias: whether the key ``attention_bias`` is known.
        mlp_bias: whether the key ``mlp_bias`` is known.
        tied: whether the output head is the embedding unless said.
    """
    width = keys.size("hidden_size")
    heads = keys.size("num_attention_heads")
    kv_heads = keys.size("num_key_value_heads", default=heads if kv_default else None)
    own_width = keys.size("head_dim", default=head_width, derived=True)
    head_width = own_width or _head_width(keys, width, heads, "hidden_size", "num_attention_heads")
    if heads % kv_heads:
        keys.wrong.append(
            f"num_attention_heads {heads} is no multiple of num_key_value_heads {kv_heads}"
        )
    has_bias = attention_bias and keys.flag("attention_bias", default=False)
    return Architecture(
        layers=keys.size("num_hidden_layers"),
        width=width,
        heads=heads,
        kv_heads=kv_heads,
        head_width=head_width,
        mlp=keys.size("intermediate_size"),
        vocabulary=keys.size("vocab_size"),
        qkv_bias=has_bias,
        output_bias=has_bias,
        mlp_bias=mlp_bias and keys.flag("mlp_bias", default=False),
        tied=keys.flag("tie_word_embeddings", default=tied),
        longest=keys.size("max_position_embeddings", derived=True) or None,
    )


def _head_width(keys: Keys, width: int, heads: int, *names: str) -> int:
    if width % heads and not (keys.missing or keys.wrong):
        keys.wrong.append(f"{names[0]} {width} is no multiple of {names[1]} {heads}")
    return max(width // heads, 1)


def _windowed(
    keys: Keys, architecture: Architecture, *, window: int = 0, layers: int | None = None
) -> Architecture:
    """Return the architecture with its sliding windows.

    Args:
        keys: of the configuration.
        architecture: without windows.
        window: what ``sliding_window`` is where it is absent; null means none.
        layers: how many layers have one unless ``layer_types`` says; all by default.
    """
    if "sliding_window" in keys.entries:
        window = keys.size("sliding_window", derived=True, zero=True)
    typed = keys.windowed(architecture.layers)
    if typed is not None:
        layers = typed
    if layers is None:
        layers = architecture.layers
    if not window:
        layers = 0
    return replace(architecture, window=window if layers else 0, window_layers=layers)


def _llama(keys: Keys) -> Architecture:
    return _llama_like(keys, kv_default=True, attention_bias=True, mlp_bias=True)


def _mistral(keys: Keys) -> Architecture:
    return _windowed(keys, _llama_like(keys), window=4096)


def _mixtral(keys: Keys) -> Architecture:
    own = _windowed(keys, _llama_like(keys))
    experts = keys.size("num_local_experts")
    used = _used(keys, experts, "num_local_experts")
    return replace(own, experts=experts, experts_used=used)


def _used(keys: Keys, experts: int, name: str) -> int:
    """Return the experts that one token passes through."""
    used = keys.size("num_experts_per_tok")
    if used > experts:
        keys.wrong.append(f"num_experts_per_tok is larger than {name}")
    return used


def _qwen_windows(keys: Keys, architecture: Architecture) -> Architecture:
    """Return it with the windows that layers from ``max_window_layers`` on have, if any."""
    if not keys.flag("use_sliding_window", default=False):
        return architecture
    layers = architecture.layers
    full = keys.size("max_window_layers", default=28, zero=True)
    return _windowed(keys, architecture, window=4096, layers=max(layers - full, 0))


def _qwen2(keys: Keys) -> Architecture:
    return _qwen_windows(keys, replace(_llama_like(keys), qkv_bias=True))


def _qwen3(keys: Keys) -> Architecture:
    own = _llama_like(keys, head_width=128, attention_bias=True)
    return _qwen_windows(keys, replace(own, qk_norm="head"))


def _qwen3_moe(keys: Keys) -> Architecture:
    own = _llama_like(keys, attention_bias=True)
    experts = keys.size("num_experts", "num_local_experts")
    if keys.size("decoder_sparse_step", default=1) != 1 or keys.entries.get("mlp_only_layers"):
        keys.wrong.append(
            "decoder_sparse_step and mlp_only_layers give some layers no experts, which is not "
            "counted here"
        )
    moe = replace(
        own,
        qk_norm="head",
        mlp=keys.size("moe_intermediate_size"),
        experts=experts,
        experts_used=_used(keys, experts, "num_experts"),
    )
    return _qwen_windows(keys, moe)


def _phi3(keys: Keys) -> Architecture:
    return _windowed(keys, _llama_like(keys, kv_default=True))


def _gemma(keys: Keys) -> Architecture:
    return _llama_like(keys, head_width=256, attention_bias=True, tied=True)


def _gemma2(keys: Keys) -> Architecture:
    own = replace(_gemma(keys), norms=4)
    return _windowed(keys, own, window=4096, layers=-(-own.layers // 2))


def _gemma3(keys: Keys) -> Architecture:
    own = replace(_gemma(keys), norms=4, qk_norm="head")
    pattern = keys.size("sliding_window_pattern", default=GEMMA3_PATTERN)
    return _windowed(keys, own, window=4096, layers=own.layers - own.layers // pattern)


def _gpt_oss(keys: Keys) -> Architecture:
    own = _llama_like(keys, head_width=64)
    experts = keys.size("num_local_experts")
    has_bias = keys.flag("attention_bias", default=True)
    oss = replace(
        own,
        qkv_bias=has_bias,
        output_bias=has_bias,
        mlp_bias=True,
        router_bias=True,
        has_sinks=True,
        experts=experts,
        experts_used=_used(keys, experts, "num_local_experts"),
    )
    return _windowed(keys, oss, window=128, layers=-(-own.layers // 2))


def _gpt_neox(keys: Keys) -> Architecture:
    width = keys.size("hidden_size")
    heads = keys.size("num_attention_heads")
    has_bias = keys.flag("attention_bias", default=True)
    return Architecture(
        layers=keys.size("num_hidden_layers"),
        width=width,
        heads=heads,
        kv_heads=heads,
        head_width=_head_width(keys, width, heads, "hidden_size", "num_attention_heads"),
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


def _bert(keys: Keys) -> Architecture:
    width = keys.size("hidden_size")
    heads = keys.size("num_attention_heads")
    positions = keys.size("max_position_embeddings", default=512)
    if keys.entries.get("position_embedding_type", "absolute") != "absolute":
        keys.wrong.append("position_embedding_type is not absolute, which is not counted here")
    return Architecture(
        layers=keys.size("num_hidden_layers"),
        width=width,
        heads=heads,
        kv_heads=heads,
        head_width=_head_width(keys, width, heads, "hidden_size", "num_attention_heads"),
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


def _olmo(keys: Keys) -> Architecture:
    own = _llama_like(keys, kv_default=True, attention_bias=True)
    return replace(own, has_norm_weights=False)


def _olmo2(keys: Keys) -> Architecture:
    own = _llama_like(keys, kv_default=True, attention_bias=True)
    return replace(own, qk_norm="whole")


def _deepseek_v3(keys: Keys) -> Architecture:
    has_bias = keys.entries.get("topk_method", "noaux_tc") == "noaux_tc"
    return replace(_deepseek_v2(keys), router_bias=has_bias)


def _deepseek_v2(keys: Keys) -> Architecture:
    own = _llama_like(keys, kv_default=True, attention_bias=True)
    experts = keys.size("n_routed_experts")
    shared = keys.size("n_shared_experts", derived="n_shared_experts" in keys.entries, zero=True)
    dense = keys.size("first_k_dense_replace", zero=True)
    hidden = keys.size("moe_intermediate_size")
    if keys.size("moe_layer_freq", default=1) != 1:
        keys.wrong.append("moe_layer_freq is not 1, which is not counted here")
    if dense > own.layers:
        keys.wrong.append("first_k_dense_replace is larger than num_hidden_layers")
    latent = Latent(
        query_rank=keys.size("q_lora_rank", derived="q_lora_rank" in keys.entries, zero=True),
        kv_rank=keys.size("kv_lora_rank"),
        rope_width=keys.size("qk_rope_head_dim"),
        plain_width=keys.size("qk_nope_head_dim"),
        value_width=keys.size("v_head_dim"),
    )
    return replace(
        own,
        latent=latent,
        mlp=hidden,
        experts=experts,
        experts_used=_used(keys, experts, "n_routed_experts"),
        dense_layers=min(dense, own.layers),
        dense_mlp=own.mlp,
        shared_mlp=shared * hidden,
    )


MODEL_TYPES: Final[dict[str, Reader]] = {
    "bert": _bert,
    "deepseek_v2": _deepseek_v2,
    "deepseek_v3": _deepseek_v3,
    "gemma": _gemma,
    "gemma2": _gemma2,
    "gemma3_text": _gemma3,
    "gpt2": _gpt2,
    "gpt_neox": _gpt_neox,
    "gpt_oss": _gpt_oss,
    "llama": _llama,
    "mistral": _mistral,
    "mixtral": _mixtral,
    "olmo": _olmo,
    "olmo2": _olmo2,
    "phi3": _phi3,
    "qwen2": _qwen2,
    "qwen3": _qwen3,
    "qwen3_moe": _qwen3_moe,
}
"""How the other keys are read, by the value of ``model_type``."""

BUILT_AS: Final = {
    "gemma3": "gemma3_text",
    "llava": "llama",
    "mistral3": "mistral",
    "qwen2_5_vl": "qwen2",
    "qwen2_5_vl_text": "qwen2",
    "qwen2_vl": "qwen2",
    "qwen2_vl_text": "qwen2",
    "qwen3_vl_text": "qwen3",
}
"""Types whose language model is built as another's."""


def _sizes(
    vocabulary: int, width: int, mlp: int, layers: int, heads: int, kv_heads: int, **more: int
) -> dict[str, int]:
    return {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "intermediate_size": mlp,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        **more,
    }


INNER_DEFAULTS: Final = {
    "gemma": _sizes(256000, 3072, 24576, 28, 16, 16, head_dim=256),
    "gemma2": _sizes(256000, 2304, 9216, 26, 8, 4, head_dim=256),
    "gemma3_text": _sizes(262208, 2304, 9216, 26, 8, 4, head_dim=256),
    "llama": _sizes(32000, 4096, 11008, 32, 32, 32),
    "mistral": _sizes(32000, 4096, 14336, 32, 32, 8),
    "phi3": _sizes(32064, 3072, 8192, 32, 32, 32),
    "qwen2": _sizes(151936, 4096, 22016, 32, 32, 32),
    "qwen3": _sizes(151936, 4096, 22016, 32, 32, 32, head_dim=128),
}
"""Sizes that a configuration inside another leaves out where they are its class's defaults."""
