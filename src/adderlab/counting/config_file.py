"""A model's ``config.json`` as Hugging Face writes it, turned into hyper-parameters.

Rule: a key that is absent gets the default of its model type's own class, and only where that
default is certain; all other missing keys are named in one error.

References:
    The configuration classes of https://github.com/huggingface/transformers, by model type.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from adderlab.counting.architecture import Architecture
from adderlab.counting.model_count import ModelCount, count_architecture
from adderlab.counting.published import Shipped
from adderlab.counting.sizes import LARGEST_PARAMETERS
from adderlab.errors import OptionError
from adderlab.reading import JsonError, Refusals, parse_json, read_file

LARGEST_CONFIG_BYTES: Final = 16 << 20
LARGEST_SIZE: Final = 1 << 40
DTYPES: Final = {
    "float32": "fp32",
    "float16": "fp16",
    "bfloat16": "bf16",
    "float64": "fp64",
    "float8_e4m3fn": "fp8-e4m3",
    "float8_e5m2": "fp8-e5m2",
}
"""PyTorch's names of number formats."""


@dataclass(slots=True)
class Keys:
    """The entries of a configuration, with the faults of those that were read.

    Attributes:
        entries: the JSON object.
        missing: keys that are needed and absent.
        wrong: what is wrong with a value, one sentence each.
    """

    entries: dict[str, Any]
    missing: list[str]
    wrong: list[str]

    def size(self, key: str, default: int | None = None, *, derived: bool = False) -> int:
        """Return a whole number above 0; 1 and a fault where there is none.

        Args:
            key: its name.
            default: what the model type's own class takes where the key is absent or null.
            derived: whether null means the default, which follows from other keys.
        """
        value = self.entries.get(key)
        if value is None and (default is not None or derived):
            return default or 0
        if key not in self.entries:
            self.missing.append(key)
            return 1
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= LARGEST_SIZE:
            self.wrong.append(f"{key} is {json.dumps(value)[:40]}, no whole number above 0")
            return 1
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """Return a truth value; the default where it is absent."""
        value = self.entries.get(key, default)
        if not isinstance(value, bool):
            self.wrong.append(f"{key} is {json.dumps(value)[:40]}, neither true nor false")
            return default
        return value


def _gpt2(keys: Keys) -> Architecture:
    width = keys.size("n_embd")
    heads = keys.size("n_head")
    return Architecture(
        layers=keys.size("n_layer"),
        width=width,
        heads=heads,
        kv_heads=heads,
        head_width=_head_width(keys, width, heads, "n_embd", "n_head"),
        mlp=keys.size("n_inner", 4 * width),
        vocabulary=keys.size("vocab_size"),
        positions=keys.size("n_positions"),
        gated=False,
        has_layer_norm=True,
        qkv_bias=True,
        output_bias=True,
        mlp_bias=True,
        tied=keys.flag("tie_word_embeddings", default=True),
    )


def _llama_like(
    keys: Keys,
    *,
    kv_default: bool = False,
    biases: bool = False,
    qkv_bias: bool = False,
    experts: bool = False,
) -> Architecture:
    """Return the architecture of a model type that shares Llama's keys.

    Args:
        keys: of the configuration.
        kv_default: whether keys and values have as many heads as queries unless said.
        biases: whether the keys ``attention_bias`` and ``mlp_bias`` are known.
        qkv_bias: whether queries, keys and values always have biases.
        experts: whether there are experts and a router.
    """
    width = keys.size("hidden_size")
    heads = keys.size("num_attention_heads")
    kv_heads = keys.size("num_key_value_heads", heads if kv_default else None)
    own_width = keys.size("head_dim", derived=True)
    head_width = own_width or _head_width(keys, width, heads, "hidden_size", "num_attention_heads")
    if heads % kv_heads:
        keys.wrong.append(
            f"num_attention_heads {heads} is no multiple of num_key_value_heads {kv_heads}"
        )
    attention_bias = keys.flag("attention_bias", default=False) if biases else False
    return Architecture(
        layers=keys.size("num_hidden_layers"),
        width=width,
        heads=heads,
        kv_heads=kv_heads,
        head_width=head_width,
        mlp=keys.size("intermediate_size"),
        vocabulary=keys.size("vocab_size"),
        qkv_bias=qkv_bias or attention_bias,
        output_bias=attention_bias,
        mlp_bias=keys.flag("mlp_bias", default=False) if biases else False,
        tied=keys.flag("tie_word_embeddings", default=False),
        experts=keys.size("num_local_experts") if experts else 1,
        experts_used=keys.size("num_experts_per_tok") if experts else 1,
    )


def _head_width(keys: Keys, width: int, heads: int, *names: str) -> int:
    if width % heads and not (keys.missing or keys.wrong):
        keys.wrong.append(f"{names[0]} {width} is no multiple of {names[1]} {heads}")
    return width // heads


MODEL_TYPES: Final[dict[str, Callable[[Keys], Architecture]]] = {
    "gpt2": _gpt2,
    "llama": lambda keys: _llama_like(keys, kv_default=True, biases=True),
    "mistral": _llama_like,
    "mixtral": lambda keys: _llama_like(keys, experts=True),
    "qwen2": lambda keys: _llama_like(keys, qkv_bias=True),
}
"""How the other keys are read, by the value of ``model_type``."""


def count_config(path: str | Path, *, training: str | None = None) -> ModelCount:
    """Return the size of the model of a ``config.json``, its output head included.

    Args:
        path: the file.
        training: an optimizer, to add the memory of training.

    Raises:
        OptionError: it can't be read, is of an unknown type, or lacks keys (all are named).
    """
    where = str(path)
    entries = read_json(Path(path), LARGEST_CONFIG_BYTES)
    if not isinstance(entries, dict):
        raise OptionError("not a JSON object", where=where, remedy="name a model's config.json")
    kind = entries.get("model_type")
    read = MODEL_TYPES.get(kind) if isinstance(kind, str) else None
    if read is None:
        what = "has no model_type" if kind is None else f"has model_type {json.dumps(kind)[:40]}"
        raise OptionError(what, where=where, remedy=f"one of {', '.join(MODEL_TYPES)} is known")
    keys = Keys(entries, [], [])
    architecture = read(keys)
    if architecture.experts_used > architecture.experts:
        keys.wrong.append("num_experts_per_tok is larger than num_local_experts")
    if entries.get("add_cross_attention"):
        keys.wrong.append("add_cross_attention is set, whose weights are not counted here")
    faults = [f"lacks {', '.join(keys.missing)}"] if keys.missing else []
    faults += keys.wrong
    if faults:
        raise OptionError("; ".join(faults), where=where, remedy=f"give what {kind} models have")
    dtype = entries.get("dtype", entries.get("torch_dtype"))
    shipped = None
    if isinstance(dtype, str) and dtype in DTYPES:
        shipped = Shipped(DTYPES[dtype], f"its dtype in {Path(path).name}", "")
    notes = ("tied: the output head is the embedding",) if architecture.tied else ()
    if "quantization_config" in entries:
        notes += ("it is quantized: its files hold scales and packed weights in addition",)
    total = sum(part.parameters for part in architecture.parts())
    if total > LARGEST_PARAMETERS:
        raise OptionError(
            f"its sizes make {total:.3g} parameters, over 10^18",
            where=where,
            remedy="check them",
        )
    return count_architecture(
        architecture,
        name=f"{kind} of {Path(path).name}",
        source=where,
        shipped=shipped,
        notes=notes,
        training=training,
    )


def read_json(path: Path, largest_bytes: int) -> Any:
    """Return the JSON in a regular file of at most ``largest_bytes``.

    Raises:
        OptionError: it is missing, no regular file, too large, or no JSON.
    """
    remedy = "name a model's JSON file"
    raw = read_file(path, largest_bytes, Refusals(OptionError, too_large=remedy))
    try:
        return parse_json(raw.removeprefix(codecs.BOM_UTF8), is_finite=False)
    except JsonError as error:
        raise OptionError(f"it {error}", where=str(path), remedy=remedy) from None
