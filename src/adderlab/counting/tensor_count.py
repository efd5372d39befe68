"""Tensors of weight files, by their headers, turned into a count.

Rule: what a model computes with is counted, not what stands in for it: packed weights as the
numbers that they hold, a tied output head once, masks and tables of positions not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from adderlab.blocks.numbers import counted
from adderlab.counting.beside import Beside
from adderlab.counting.model_count import ModelCount, PartCount
from adderlab.counting.packed import packed_matrices, quantization_in
from adderlab.counting.training_memory import training_memory
from adderlab.nets.header import StoredTensor

PARTS: Final = (
    ("adapter", re.compile(r"(^|\.)lora_|(^|\.)(vera|ia3|hada|lokr|boft|oft)_", re.IGNORECASE)),
    ("norm", re.compile(r"norm|(^|\.)ln_|layer_?norm", re.IGNORECASE)),
    ("output head", re.compile(r"lm_head|(^|\.)output\.|embed_out", re.IGNORECASE)),
    ("embedding", re.compile(r"embed|(^|\.)wte|(^|\.)wpe|tok_embeddings|embd", re.IGNORECASE)),
    ("attention", re.compile(r"attn|attention", re.IGNORECASE)),
    ("MLP", re.compile(r"mlp|feed_forward|experts|(^|\.)ffn|block_sparse_moe", re.IGNORECASE)),
)
"""By their usual names, which part of a model a tensor belongs to; the first that fits."""

SHOWN: Final[tuple[str, ...]] = (
    "embedding",
    "attention",
    "MLP",
    "norm",
    "output head",
    "adapter",
    "other",
)
"""The parts in the order in which they are shown."""

BUFFERS: Final = re.compile(
    r"(^|\.)(position_ids|token_type_ids|rotary_emb\.inv_freq|attn\.masked_bias"
    r"|attention\.masked_bias|rope_freqs\.weight|num_batches_tracked)$"
)
"""Names of tensors that are no parameters: positions, rotary frequencies, constants of masks."""

MASK: Final = re.compile(r"(^|\.)(attn|attention)\.bias$")
"""The name of a causal mask, where its shape is (1, 1, n, n)."""

HEAD: Final = re.compile(r"(^|\.)(lm_head|embed_out)\.weight$")
EMBEDDING: Final = re.compile(r"(^|\.)(embed_tokens|wte|embed_in|word_embeddings)\.weight$")


def part_of(name: str) -> str:
    """Return the part of a model that a tensor's name indicates; ``other`` if none."""
    return next((part for part, known in PARTS if known.search(name)), "other")


def part_counts(sizes: Iterable[tuple[str, int]]) -> tuple[PartCount, ...]:
    """Return the parts of a model from the names of its tensors and their parameters."""
    sums: dict[str, int] = dict.fromkeys(SHOWN, 0)
    tally: dict[str, int] = dict.fromkeys(SHOWN, 0)
    for name, parameters in sizes:
        part = part_of(name)
        sums[part] += parameters
        tally[part] += 1
    return tuple(
        PartCount(part, sums[part], None, counted(tally[part], "tensor"))
        for part in SHOWN
        if tally[part]
    )


def link_notes(files: Sequence[Path]) -> list[str]:
    """Return the sentence on symbolic links that were followed, if there are any."""
    links = [file.name for file in files if file.is_symlink()]
    if not links:
        return []
    more = f" and {len(links) - 1} more" if len(links) > 1 else ""
    return [f"{links[0]}{more} is a symbolic link, which was followed"]


def count_tensors(
    tensors: Sequence[StoredTensor],
    files: Sequence[Path],
    file_bytes: int,
    *,
    beside: Beside,
    adapter: Mapping[str, Any] | None = None,
    training: str | None = None,
) -> ModelCount:
    """Return what tensors come to.

    Args:
        tensors: as headers describe them.
        files: that they are in.
        file_bytes: of these files.
        beside: what a configuration beside them says.
        adapter: what an adapter's configuration says.
        training: an optimizer, to add the memory of training.
    """
    kept = [tensor for tensor in tensors if not _is_buffer(tensor)]
    matrices, plain = packed_matrices(kept, beside.hint)
    notes = [*beside.notes]
    if len(kept) < len(tensors):
        left_out = counted(len(tensors) - len(kept), "tensor")
        notes.append(f"{left_out} of positions and masks not counted: no parameters")
    plain, is_tied = _without_tied(plain, beside)
    if is_tied:
        notes.append("tied: the output head is the embedding, though both are stored")
    stored: dict[str, int] = {}
    for tensor in tensors:
        stored[tensor.dtype] = stored.get(tensor.dtype, 0) + tensor.bytes
    whole = sorted({tensor.dtype for tensor in plain if tensor.dtype[0] in "IUB"} - {"BF16"})
    if whole:
        notes.append(
            f"elements of {', '.join(whole)} are counted as stored: they may be packed weights, "
            "indices or masks"
            + ("" if beside.hint.method else "; a config.json beside the file would settle it")
        )
    if not tensors:
        notes.append("there are no tensors in it")
    sizes = [(tensor.name, tensor.parameters) for tensor in plain]
    sizes += [(matrix.name, matrix.parameters) for matrix in matrices]
    parts = part_counts(sizes)
    stored_bytes = sum(tensor.bytes for tensor in tensors)
    many = len(files) > 1
    return ModelCount(
        name=f"{len(files)} shards" if many else files[0].name,
        parts=parts,
        source=str(files[0].parent) if many else str(files[0]),
        stored_bytes=stored_bytes,
        file_bytes=file_bytes,
        stored_as=stored,
        notes=(
            *notes,
            *link_notes(files),
            "parts are recognized by tensor names; MACs do not follow from a header",
        ),
        training=training_memory(sum(part.parameters for part in parts), training),
        quantization=quantization_in(matrices, stored_bytes),
        adapter=adapter,
    )


def _is_buffer(tensor: StoredTensor) -> bool:
    """Return whether a tensor is no parameter by its name, a mask also by its shape."""
    if BUFFERS.search(tensor.name):
        return True
    shape = tensor.shape
    is_mask = len(shape) == 4 and shape[:2] == (1, 1) and shape[2] == shape[3]
    return is_mask and MASK.search(tensor.name) is not None


def _without_tied(tensors: list[StoredTensor], beside: Beside) -> tuple[list[StoredTensor], bool]:
    """Return the tensors without an output head that repeats the embedding, and whether it did."""
    if not beside.tied:
        return tensors, False
    shapes = {tensor.shape for tensor in tensors if EMBEDDING.search(tensor.name)}
    kept = [t for t in tensors if not (HEAD.search(t.name) and t.shape in shapes)]
    return kept, len(kept) < len(tensors)
