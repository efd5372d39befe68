"""Parameters, operations and bytes, with the arithmetic spelled out."""

from adderlab.counting.architecture import Architecture, Latent
from adderlab.counting.config_file import count_config
from adderlab.counting.gguf import count_gguf
from adderlab.counting.headers import count_safetensors
from adderlab.counting.kv_cache import CacheOptions, KVCache, cache_options
from adderlab.counting.model_count import (
    ModelCount,
    PartCount,
    Unpublished,
    count_model,
    count_number,
)
from adderlab.counting.modules import count_module
from adderlab.counting.network_count import RULE, Count, LayerCount, count_network
from adderlab.counting.parts import MAC_RULE, Part, Stack, Term
from adderlab.counting.published import MODELS, UNPUBLISHED, Published, Shipped
from adderlab.counting.quantization import Quantization
from adderlab.counting.sizes import (
    binary_size,
    bytes_by_format,
    decimal_size,
    parameter_count,
)
from adderlab.counting.training_memory import LEFT_OUT, SLOTS, TrainingMemory, training_memory

__all__ = [
    "LEFT_OUT",
    "MAC_RULE",
    "MODELS",
    "RULE",
    "SLOTS",
    "UNPUBLISHED",
    "Architecture",
    "CacheOptions",
    "Count",
    "KVCache",
    "Latent",
    "LayerCount",
    "ModelCount",
    "Part",
    "PartCount",
    "Published",
    "Quantization",
    "Shipped",
    "Stack",
    "Term",
    "TrainingMemory",
    "Unpublished",
    "binary_size",
    "bytes_by_format",
    "cache_options",
    "count_config",
    "count_gguf",
    "count_model",
    "count_module",
    "count_network",
    "count_number",
    "count_safetensors",
    "decimal_size",
    "parameter_count",
    "training_memory",
]
