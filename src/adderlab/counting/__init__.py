"""Parameters, operations and bytes, with the arithmetic spelled out."""

from adderlab.counting.architecture import MAC_RULE, Architecture, Part, Term
from adderlab.counting.config_file import count_config
from adderlab.counting.headers import count_safetensors
from adderlab.counting.model_count import (
    ModelCount,
    PartCount,
    Unpublished,
    count_model,
    count_number,
)
from adderlab.counting.modules import count_module
from adderlab.counting.network_count import RULE, Count, LayerCount, count_network
from adderlab.counting.published import MODELS, UNPUBLISHED, Published, Shipped
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
    "Count",
    "LayerCount",
    "ModelCount",
    "Part",
    "PartCount",
    "Published",
    "Shipped",
    "Term",
    "TrainingMemory",
    "Unpublished",
    "binary_size",
    "bytes_by_format",
    "count_config",
    "count_model",
    "count_module",
    "count_network",
    "count_number",
    "count_safetensors",
    "decimal_size",
    "parameter_count",
    "training_memory",
]
