"""Configurations with Llama's keys: gated MLPs, norms without shifts, rotary positions.

References:
    The configuration and modeling files of https://github.com/huggingface/transformers, by model
    type; totals are held against published ones in ``tests/counting/test_configs.py``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from adderlab.counting.architecture import Architecture, Latent
from adderlab.counting.config_keys import Keys, shared_head_width

GEMMA3_PATTERN: Final = 6
"""Of so many layers of Gemma 3 the last one sees the whole context."""


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
    head_width = own_width or shared_head_width(
        keys, width, heads, "hidden_size", "num_attention_heads"
    )
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


def llama(keys: Keys) -> Architecture:
    """Return Llama's."""
    return _llama_like(keys, kv_default=True, attention_bias=True, mlp_bias=True)


def mistral(keys: Keys) -> Architecture:
    """Return Mistral's: windows in all layers."""
    return _windowed(keys, _llama_like(keys), window=4096)


def mixtral(keys: Keys) -> Architecture:
    """Return Mixtral's: experts in all layers."""
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


def qwen2(keys: Keys) -> Architecture:
    """Return Qwen2's: biases on queries, keys and values."""
    return _qwen_windows(keys, replace(_llama_like(keys), qkv_bias=True))


def qwen3(keys: Keys) -> Architecture:
    """Return Qwen3's: norms on queries and keys."""
    own = _llama_like(keys, head_width=128, attention_bias=True)
    return _qwen_windows(keys, replace(own, qk_norm="head"))


def _moe(keys: Keys, own: Architecture) -> Architecture:
    """Return the architecture with experts in all layers, as Qwen's configurations say them."""
    experts = keys.size("num_experts", "num_local_experts")
    if keys.size("decoder_sparse_step", default=1) != 1 or keys.entries.get("mlp_only_layers"):
        keys.wrong.append(
            "decoder_sparse_step and mlp_only_layers give some layers no experts, which is not "
            "counted here"
        )
    return replace(
        own,
        mlp=keys.size("moe_intermediate_size"),
        experts=experts,
        experts_used=_used(keys, experts, "num_experts"),
    )


def qwen3_moe(keys: Keys) -> Architecture:
    """Return Qwen3's with experts in all layers."""
    own = replace(_llama_like(keys, attention_bias=True), qk_norm="head")
    return _qwen_windows(keys, _moe(keys, own))


def qwen2_moe(keys: Keys) -> Architecture:
    """Return Qwen1.5's and Qwen2's with experts, and one shared by all tokens behind a gate."""
    own = _moe(keys, replace(_llama_like(keys), qkv_bias=True))
    shared = keys.size("shared_expert_intermediate_size")
    return _qwen_windows(keys, replace(own, shared_mlp=shared, has_shared_gate=True))


def olmoe(keys: Keys) -> Architecture:
    """Return OLMoE's: experts as wide as ``intermediate_size``, norms over all heads."""
    own = _llama_like(keys, kv_default=True, attention_bias=True)
    experts = keys.size("num_experts")
    used = _used(keys, experts, "num_experts")
    return replace(own, qk_norm="whole", experts=experts, experts_used=used)


def smollm3(keys: Keys) -> Architecture:
    """Return SmolLM3's: Llama's with the embedding as output head."""
    return _llama_like(keys, attention_bias=True, mlp_bias=True, tied=True)


def phi3(keys: Keys) -> Architecture:
    """Return Phi-3's, whose fused matrices are counted by their parts."""
    return _windowed(keys, _llama_like(keys, kv_default=True))


def gemma(keys: Keys) -> Architecture:
    """Return Gemma's: heads of 256 channels, the embedding as output head."""
    return _llama_like(keys, head_width=256, attention_bias=True, tied=True)


def gemma2(keys: Keys) -> Architecture:
    """Return Gemma 2's: norms after attention and MLP too, windows in every other layer."""
    own = replace(gemma(keys), norms=4)
    return _windowed(keys, own, window=4096, layers=-(-own.layers // 2))


def gemma3(keys: Keys) -> Architecture:
    """Return Gemma 3's: norms on queries and keys too, windows in all but every sixth layer."""
    own = replace(gemma(keys), norms=4, qk_norm="head")
    pattern = keys.size("sliding_window_pattern", default=GEMMA3_PATTERN)
    return _windowed(keys, own, window=4096, layers=own.layers - own.layers // pattern)


def gpt_oss(keys: Keys) -> Architecture:
    """Return gpt-oss's: biased experts, sinks, windows in every other layer."""
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


def olmo(keys: Keys) -> Architecture:
    """Return OLMo's: norms without weights."""
    own = _llama_like(keys, kv_default=True, attention_bias=True)
    return replace(own, has_norm_weights=False)


def olmo2(keys: Keys) -> Architecture:
    """Return OLMo 2's: norms over all heads' queries and keys."""
    own = _llama_like(keys, kv_default=True, attention_bias=True)
    return replace(own, qk_norm="whole")


def olmo3(keys: Keys) -> Architecture:
    """Return OLMo 3's: OLMo 2's with windows in three of four layers."""
    own = olmo2(keys)
    return _windowed(keys, own, window=4096, layers=own.layers - own.layers // 4)


def deepseek_v3(keys: Keys) -> Architecture:
    """Return DeepSeek-V3's: as V2's, with a bias that balances the router."""
    has_bias = keys.entries.get("topk_method", "noaux_tc") == "noaux_tc"
    return replace(deepseek_v2(keys), router_bias=has_bias)


def deepseek_v2(keys: Keys) -> Architecture:
    """Return DeepSeek-V2's: latent attention, dense layers first, shared experts."""
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
