"""Which model types are known, and what their classes take where a key is absent.

Rule: a key that is absent gets the default of its model type's own class, and only where that
default is certain: a flag, a size that follows from others, or any size of a configuration that
stands inside another, which is written without the defaults.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from adderlab.counting import config_classic as classic
from adderlab.counting import config_llama as llama
from adderlab.counting.architecture import Architecture
from adderlab.counting.config_keys import Keys

Reader = Callable[[Keys], Architecture]

MODEL_TYPES: Final[dict[str, Reader]] = {
    "bert": classic.bert,
    "deepseek_v2": llama.deepseek_v2,
    "deepseek_v3": llama.deepseek_v3,
    "distilbert": classic.distilbert,
    "gemma": llama.gemma,
    "gemma2": llama.gemma2,
    "gemma3_text": llama.gemma3,
    "gpt2": classic.gpt2,
    "gpt_neox": classic.gpt_neox,
    "gpt_oss": llama.gpt_oss,
    "llama": llama.llama,
    "mistral": llama.mistral,
    "mixtral": llama.mixtral,
    "olmo": llama.olmo,
    "olmo2": llama.olmo2,
    "olmo3": llama.olmo3,
    "olmoe": llama.olmoe,
    "phi": classic.phi,
    "phi3": llama.phi3,
    "qwen2": llama.qwen2,
    "qwen2_moe": llama.qwen2_moe,
    "qwen3": llama.qwen3,
    "qwen3_moe": llama.qwen3_moe,
    "smollm3": llama.smollm3,
    "starcoder2": classic.starcoder2,
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
    "roberta": "bert",
    "xlm-roberta": "bert",
}
"""Types that are built as another, or whose language model is."""


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
