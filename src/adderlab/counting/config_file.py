"""A model's ``config.json`` as Hugging Face writes it, turned into a count.

Rule: nothing is guessed in silence. A type that is not known is refused with the fields that would
settle it; what a total leaves out, such as a vision tower, is said beside it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from adderlab.blocks.numbers import counted
from adderlab.counting.architecture import Architecture
from adderlab.counting.config_keys import LARGEST_CONFIG_BYTES, Keys, read_json
from adderlab.counting.config_types import BUILT_AS, INNER_DEFAULTS, MODEL_TYPES
from adderlab.counting.kv_cache import CacheOptions
from adderlab.counting.model_count import ModelCount, count_architecture
from adderlab.counting.published import Shipped
from adderlab.counting.quantized_config import quantization_of
from adderlab.counting.sizes import LARGEST_PARAMETERS
from adderlab.errors import OptionError

DTYPES: Final = {
    "float32": "fp32",
    "float16": "fp16",
    "bfloat16": "bf16",
    "float64": "fp64",
    "float8_e4m3fn": "fp8-e4m3",
    "float8_e5m2": "fp8-e5m2",
}
"""PyTorch's names of number formats."""

INNER: Final = ("text_config", "language_config", "llm_config")
"""Where a model of several kinds of input keeps the configuration of its language model."""

NO_WEIGHTS: Final = ("quantization_config", "generation_config", "compression_config")
"""Configurations inside that stand for no weights of their own."""

SETTLING: Final = (
    "sizes alone leave open whether the MLP has a gate, which norms and biases there are, and "
    "whether the output head is the embedding"
)


@dataclass(frozen=True, slots=True)
class Configured:
    """A configuration that was read.

    Attributes:
        kind: its model type.
        architecture: its hyper-parameters.
        entries: of the language model's configuration.
        whole: of the file; the same unless the language model's stands inside another.
        notes: what else has to be said.
    """

    kind: str
    architecture: Architecture
    entries: dict[str, Any]
    whole: dict[str, Any]
    notes: tuple[str, ...]


def count_config(
    path: str | Path, *, training: str | None = None, cache: CacheOptions | None = None
) -> ModelCount:
    """Return the size of the model of a ``config.json``, its output head included.

    Args:
        path: the file.
        training: an optimizer, to add the memory of training.
        cache: a context and a batch, to add the memory of keys and values.

    Raises:
        OptionError: it can't be read, is of an unknown type, or lacks keys (all are named).
    """
    where = str(path)
    config = read_config(read_json(Path(path), LARGEST_CONFIG_BYTES), where)
    architecture = config.architecture
    total = sum(part.parameters for part in architecture.parts())
    if total > LARGEST_PARAMETERS:
        raise OptionError(
            f"its sizes make {total:.3g} parameters, over 10^18",
            where=where,
            remedy="check them",
        )
    dtype = _dtype(config.entries) or _dtype(config.whole)
    quantization = quantization_of(
        config.whole if config.whole.keys() & {"quantization", "quantization_config"}
        else config.entries,
        architecture.parts(),
        rest=dtype or "bf16",
        where=where,
    )  # fmt: skip
    shipped = None
    if dtype and quantization is None:
        shipped = Shipped(dtype, f"its dtype in {Path(path).name}", "")
    return count_architecture(
        architecture,
        name=f"{config.kind} of {Path(path).name}",
        source=where,
        shipped=shipped,
        notes=config.notes,
        training=training,
        quantization=quantization,
        cache=cache,
    )


def read_config(whole: Any, where: str) -> Configured:
    """Return a configuration that was read from JSON.

    Raises:
        OptionError: it is of an unknown type, or lacks keys (all are named).
    """
    if not isinstance(whole, dict):
        raise OptionError("not a JSON object", where=where, remedy="name a model's config.json")
    entries, inner = whole, next((name for name in INNER if isinstance(whole.get(name), dict)), "")
    kind = whole.get("model_type")
    if inner:
        entries = dict(whole[inner])
        kind = entries.get("model_type", kind)
    if isinstance(kind, str):
        kind = BUILT_AS.get(kind, kind)
    if not isinstance(kind, str) or kind not in MODEL_TYPES:
        raise _unknown(kind, entries, where)
    keys = Keys(entries, INNER_DEFAULTS.get(kind, {}) if inner else {})
    if inner:
        _take_tying(keys, whole, inner)
    architecture = MODEL_TYPES[kind](keys)
    if entries.get("add_cross_attention"):
        keys.wrong.append("add_cross_attention is set, whose weights are not counted here")
    faults = [f"lacks {', '.join(keys.missing)}"] if keys.missing else []
    faults += keys.wrong
    if faults:
        raise OptionError("; ".join(faults), where=where, remedy=f"give what {kind} models have")
    return Configured(
        kind, architecture, entries, whole, tuple(_notes(keys, architecture, whole, inner))
    )


def _notes(keys: Keys, architecture: Architecture, whole: dict[str, Any], inner: str) -> list[str]:
    notes: list[str] = []
    others = [
        name
        for name, value in whole.items()
        if name.endswith("_config") and name not in (inner, *NO_WEIGHTS) and isinstance(value, dict)
    ]
    if inner:
        notes.append(f"the language model of {inner} alone")
    if others:
        notes.append(f"the weights of {', '.join(others)} are not counted")
    if keys.assumed:
        notes.append(f"absent, so the defaults of its class: {', '.join(keys.assumed)}")
    if architecture.tied:
        notes.append("tied: the output head is the embedding")
    if architecture.has_pooler:
        notes.append("the model with its pooler; the heads of its tasks are not counted")
    ahead = keys.entries.get("num_nextn_predict_layers")
    if isinstance(ahead, int) and ahead > 0:
        notes.append(_ahead_note(architecture, ahead))
    return notes


def _ahead_note(architecture: Architecture, ahead: int) -> str:
    """Return the sentence on layers that predict further tokens (MTP), which are left out.

    Each is a layer as the last ones, a matrix that joins two vectors, and three norms.

    References:
        DeepSeek-AI, "DeepSeek-V3 Technical Report" (2024), section 2.2, arXiv:2412.19437.
    """
    width = architecture.width
    in_a_layer = sum(
        term.parameters
        for part in architecture.parts()
        if part.name in ("attention", "MLP", "norm")
        for term in max(part.stacks, key=lambda stack: stack.layers).terms
    )
    size = ahead * (in_a_layer + 2 * width * width + 3 * width)
    layers = counted(ahead, "MTP layer")
    return (
        f"{layers} (num_nextn_predict_layers) not counted: {size:,} parameters more, beside "
        "embedding and output head, which are shared"
    )


def _take_tying(keys: Keys, whole: dict[str, Any], inner: str) -> None:
    """Let the file say whether the head is tied where the inner configuration does not."""
    outside = whole.get("tie_word_embeddings")
    if outside is None:
        return
    inside = keys.entries.setdefault("tie_word_embeddings", outside)
    if inside != outside:
        keys.wrong.append(f"tie_word_embeddings differs between the file and its {inner}")


def _dtype(entries: dict[str, Any]) -> str:
    """Return the format that a configuration names; empty where it names none that is known."""
    dtype = entries.get("dtype", entries.get("torch_dtype"))
    return DTYPES.get(dtype, "") if isinstance(dtype, str) else ""


def _unknown(kind: Any, entries: dict[str, Any], where: str) -> OptionError:
    """Return the error for a type that is not known: which fields would settle it."""
    what = (
        "has no model_type"
        if kind is None
        else f"has model_type {json.dumps(kind)[:40]}, whose layers are not known"
    )
    lacking: dict[str, list[str]] = {}
    for name, read in MODEL_TYPES.items():
        keys = Keys(dict(entries))
        _ = read(keys)
        lacking[name] = list(dict.fromkeys(keys.missing))
    fewest = min(map(len, lacking.values()))
    near = [name for name, missing in lacking.items() if len(missing) == fewest]
    fit = f"its fields are enough for {', '.join(near)}"
    if fewest:
        fields = ", ".join(lacking[near[0]])
        known = ", ".join(MODEL_TYPES)
        fit = f"one of {known}; {near[0]} is nearest and needs {fields} too"
    return OptionError(
        f"{what}; {SETTLING}",
        where=where,
        remedy=f"set model_type to what it is built as ({fit}), or count its weight files "
        "(`safetensors`)",
    )
