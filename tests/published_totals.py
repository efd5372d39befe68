"""Configurations as published, cut down to what says sizes, with the published totals.

A total is that of the tensors in the published weight files, tied ones once, as Hugging Face shows
it under "Safetensors" or as the source beside it says.
"""

from __future__ import annotations

from typing import Any


def sizes(
    kind: str,
    width: int,
    mlp: int,
    layers: int,
    heads: int,
    kv_heads: int,
    vocabulary: int,
    **more: Any,
) -> dict[str, Any]:
    """Return a configuration with Llama's keys."""
    return {
        "model_type": kind,
        "hidden_size": width,
        "intermediate_size": mlp,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "vocab_size": vocabulary,
        **more,
    }


def plain(
    kind: str, width: int, layers: int, heads: int, vocabulary: int, **more: Any
) -> dict[str, Any]:
    """Return a configuration with an MLP four times as wide and no heads of keys."""
    entries = sizes(kind, width, 4 * width, layers, heads, 0, vocabulary, **more)
    del entries["num_key_value_heads"]
    return entries


DEEPSEEK_V3 = sizes(
    "deepseek_v3", 7168, 18432, 61, 128, 128, 129280,
    q_lora_rank=1536, kv_lora_rank=512, qk_rope_head_dim=64, qk_nope_head_dim=128, v_head_dim=128,
    n_routed_experts=256, n_shared_experts=1, num_experts_per_tok=8, moe_intermediate_size=2048,
    first_k_dense_replace=3, moe_layer_freq=1, num_nextn_predict_layers=1,
    max_position_embeddings=163840, tie_word_embeddings=False,
)  # fmt: skip
DEEPSEEK_V2_LITE = sizes(
    "deepseek_v2", 2048, 10944, 27, 16, 16, 102400,
    q_lora_rank=None, kv_lora_rank=512, qk_rope_head_dim=64, qk_nope_head_dim=128, v_head_dim=128,
    n_routed_experts=64, n_shared_experts=2, num_experts_per_tok=6, moe_intermediate_size=1408,
    first_k_dense_replace=1, moe_layer_freq=1,
)  # fmt: skip
QWEN3_MOE = sizes(
    "qwen3_moe", 2048, 6144, 48, 32, 4, 151936, head_dim=128, num_experts=128,
    num_experts_per_tok=8, moe_intermediate_size=768, decoder_sparse_step=1, mlp_only_layers=[],
)  # fmt: skip
GEMMA_3_4B = {
    "model_type": "gemma3",
    "text_config": {
        "model_type": "gemma3_text",
        "hidden_size": 2560,
        "intermediate_size": 10240,
        "num_hidden_layers": 34,
        "sliding_window": 1024,
    },
    "vision_config": {"model_type": "siglip_vision_model", "hidden_size": 1152},
}
LLAVA = {
    "model_type": "llava",
    "text_config": {"model_type": "llama", "vocab_size": 32064},
    "vision_config": {"model_type": "clip_vision_model"},
    "tie_word_embeddings": False,
}

PUBLISHED: dict[str, tuple[dict[str, Any], int]] = {
    # Hugging Face, model cards of the owner named, "Safetensors" or pytorch_model index
    "google-bert/bert-base-uncased": (plain("bert", 768, 12, 12, 30522, max_position_embeddings=512,
                                            type_vocab_size=2), 109_482_240),
    "google-bert/bert-large-uncased": (plain("bert", 1024, 24, 16, 30522), 335_141_888),
    "meta-llama/Llama-2-7b": (sizes("llama", 4096, 11008, 32, 32, 32, 32000), 6_738_415_616),
    "meta-llama/Meta-Llama-3-8B": (sizes("llama", 4096, 14336, 32, 32, 8, 128256), 8_030_261_248),
    "meta-llama/Llama-3.2-1B": (sizes("llama", 2048, 8192, 16, 32, 8, 128256, head_dim=64,
                                      tie_word_embeddings=True), 1_235_814_400),
    "meta-llama/Llama-3.2-3B": (sizes("llama", 3072, 8192, 28, 24, 8, 128256, head_dim=128,
                                      tie_word_embeddings=True), 3_212_749_824),
    "TinyLlama/TinyLlama-1.1B": (sizes("llama", 2048, 5632, 22, 32, 4, 32000), 1_100_048_384),
    "HuggingFaceTB/SmolLM2-135M": (sizes("llama", 576, 1536, 30, 9, 3, 49152,
                                         tie_word_embeddings=True), 134_515_008),
    "mistralai/Mistral-7B-v0.1": (sizes("mistral", 4096, 14336, 32, 32, 8, 32000), 7_241_732_096),
    "mistralai/Mistral-Nemo-Base-2407": (sizes("mistral", 5120, 14336, 40, 32, 8, 131072,
                                               head_dim=128), 12_247_782_400),
    "mistralai/Mixtral-8x7B-v0.1": (sizes("mixtral", 4096, 14336, 32, 32, 8, 32000,
                                          num_local_experts=8, num_experts_per_tok=2),
                                    46_702_792_704),
    "Qwen/Qwen2-7B": (sizes("qwen2", 3584, 18944, 28, 28, 4, 152064), 7_615_616_512),
    "Qwen/Qwen2.5-0.5B": (sizes("qwen2", 896, 4864, 24, 14, 2, 151936, tie_word_embeddings=True),
                          494_032_768),
    "Qwen/Qwen3-0.6B": (sizes("qwen3", 1024, 3072, 28, 16, 8, 151936, head_dim=128,
                              tie_word_embeddings=True), 596_049_920),
    "Qwen/Qwen3-8B": (sizes("qwen3", 4096, 12288, 36, 32, 8, 151936, head_dim=128), 8_190_735_360),
    "Qwen/Qwen3-30B-A3B": (QWEN3_MOE, 30_532_122_624),
    "microsoft/Phi-3-mini-4k-instruct": (sizes("phi3", 3072, 8192, 32, 32, 32, 32064),
                                         3_821_079_552),
    "microsoft/phi-4": (sizes("phi3", 5120, 17920, 40, 40, 10, 100352), 14_659_507_200),
    "google/gemma-2b": (sizes("gemma", 2048, 16384, 18, 8, 1, 256000, head_dim=256), 2_506_172_416),
    "google/gemma-7b": (sizes("gemma", 3072, 24576, 28, 16, 16, 256000, head_dim=256),
                        8_537_680_896),
    "google/gemma-2-2b": (sizes("gemma2", 2304, 9216, 26, 8, 4, 256000, head_dim=256),
                          2_614_341_888),
    "google/gemma-2-9b": (sizes("gemma2", 3584, 14336, 42, 16, 8, 256000, head_dim=256),
                          9_241_705_984),
    "google/gemma-2-27b": (sizes("gemma2", 4608, 36864, 46, 32, 16, 256000, head_dim=128),
                           27_227_128_320),
    "google/gemma-3-1b-pt": (sizes("gemma3_text", 1152, 6912, 26, 4, 1, 262144, head_dim=256),
                             999_885_952),
    # the language model alone: arXiv:2503.19786, table 1: 675M of embedding, 3,209M of the rest
    "google/gemma-3-4b-pt": (GEMMA_3_4B, 3_880_263_168),
    # Vicuna 7B with 64 tokens more: 6,738,415,616 + 2 x 64 x 4096
    "llava-hf/llava-1.5-7b-hf": (LLAVA, 6_738_939_904),
    "EleutherAI/gpt-neox-20b": (plain("gpt_neox", 6144, 44, 64, 50432), 20_554_567_680),
    # README of EleutherAI/pythia, table of models
    "EleutherAI/pythia-70m": (plain("gpt_neox", 512, 6, 8, 50304), 70_426_624),
    "EleutherAI/pythia-12b": (plain("gpt_neox", 5120, 36, 40, 50688), 11_846_072_320),
    "allenai/OLMo-1B-hf": (sizes("olmo", 2048, 8192, 16, 16, 16, 50304, tie_word_embeddings=True),
                           1_176_764_416),
    "allenai/OLMo-7B-hf": (sizes("olmo", 4096, 11008, 32, 32, 32, 50304), 6_888_095_744),
    "allenai/OLMo-2-1124-7B": (sizes("olmo2", 4096, 11008, 32, 32, 32, 100352), 7_298_617_344),
    "deepseek-ai/DeepSeek-V2-Lite": (DEEPSEEK_V2_LITE, 15_706_484_224),
    # arXiv:2412.19437, section 4.2: 671B, 37B of them for a token
    "deepseek-ai/DeepSeek-V3": (DEEPSEEK_V3, 671_026_419_200),
    # arXiv:2508.10925, table 1: 116.83B and 20.91B
    "openai/gpt-oss-20b": (sizes("gpt_oss", 2880, 2880, 24, 64, 8, 201088, head_dim=64,
                                 num_local_experts=32, num_experts_per_tok=4), 20_914_757_184),
    "openai/gpt-oss-120b": (sizes("gpt_oss", 2880, 2880, 36, 64, 8, 201088, head_dim=64,
                                  num_local_experts=128, num_experts_per_tok=4), 116_829_156_672),
    "FacebookAI/roberta-base": (plain("roberta", 768, 12, 12, 50265, max_position_embeddings=514,
                                      type_vocab_size=1), 124_645_632),
    "FacebookAI/xlm-roberta-base": (plain("xlm-roberta", 768, 12, 12, 250002,
                                          max_position_embeddings=514, type_vocab_size=1),
                                    278_043_648),
    "distilbert/distilbert-base-uncased": ({"model_type": "distilbert", "dim": 768, "n_layers": 6,
                                            "n_heads": 12, "hidden_dim": 3072, "vocab_size": 30522},
                                           66_362_880),
    "microsoft/phi-2": (plain("phi", 2560, 32, 32, 51200), 2_779_683_840),
    "bigcode/starcoder2-3b": (sizes("starcoder2", 3072, 12288, 30, 24, 2, 49152), 3_030_371_328),
    "HuggingFaceTB/SmolLM3-3B": (sizes("smollm3", 2048, 11008, 36, 16, 4, 128256), 3_075_098_624),
    "allenai/OLMo-3-1025-7B": (sizes("olmo3", 4096, 11008, 32, 32, 32, 100278), 7_298_011_136),
    "allenai/OLMoE-1B-7B-0924": (sizes("olmoe", 2048, 1024, 16, 16, 16, 50304, num_experts=64,
                                       num_experts_per_tok=8), 6_919_161_856),
    "Qwen/Qwen1.5-MoE-A2.7B": (sizes("qwen2_moe", 2048, 5632, 24, 16, 16, 151936, num_experts=60,
                                     num_experts_per_tok=4, moe_intermediate_size=1408,
                                     shared_expert_intermediate_size=5632), 14_315_784_192),
    "openai-community/gpt2": ({"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12,
                               "n_ctx": 1024, "vocab_size": 50257}, 124_439_808),
}  # fmt: skip
"""By name: a configuration, and the published total."""
