"""GGUF files counted by their headers: parameters, and the bits per weight of their blocks."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from adderlab.counting.gguf_header import GgufHeader, GgufTensor, read_gguf
from adderlab.counting.model_count import ModelCount
from adderlab.counting.quantization import Quantization
from adderlab.counting.tensor_count import BUFFERS, link_notes, part_counts
from adderlab.counting.training_memory import training_memory
from adderlab.errors import NetworkFileError

NAMES: Final = ("general.name", "general.architecture")


def count_gguf(paths: Sequence[str | Path], *, training: str | None = None) -> ModelCount:
    """Return the size of what GGUF files hold, from their headers alone.

    Args:
        paths: a file, or all parts of a split one.
        training: an optimizer, to add the memory of training.

    Raises:
        NetworkFileError: a file is missing or damaged, parts are missing, or a tensor is in two.
        OptionError: there is no such optimizer.
    """
    files = [Path(path) for path in paths]
    headers = [read_gguf(file) for file in files]
    tensors: dict[str, GgufTensor] = {}
    for file, header in zip(files, headers, strict=True):
        for tensor in header.tensors:
            if tensor.name in tensors:
                raise NetworkFileError(
                    f"tensor {tensor.name[:60]!r} is also in another file",
                    where=str(file),
                    remedy="name each part of one model once",
                )
            tensors[tensor.name] = tensor
    _check_split(files, headers, len(tensors))
    kept = [tensor for tensor in tensors.values() if not BUFFERS.search(tensor.name)]
    stored: dict[str, int] = {}
    for tensor in tensors.values():
        stored[tensor.type.name] = stored.get(tensor.type.name, 0) + tensor.bytes
    parts = part_counts((tensor.name, tensor.parameters) for tensor in kept)
    stored_bytes = sum(stored.values())
    notes: list[str] = []
    if len(kept) < len(tensors):
        notes.append(f"{len(tensors) - len(kept)} of its tensors are no parameters: not counted")
    if not tensors:
        notes.append("there are no tensors in it")
    return ModelCount(
        name=_name(headers[0].metadata, files),
        parts=parts,
        source=str(files[0].parent) if len(files) > 1 else str(files[0]),
        stored_bytes=stored_bytes,
        file_bytes=sum(header.file_bytes for header in headers),
        stored_as=stored,
        notes=(
            *notes,
            *link_notes(files),
            "parts are recognized by tensor names; MACs do not follow from a header",
        ),
        training=training_memory(sum(part.parameters for part in parts), training),
        quantization=_quantization(kept, stored_bytes),
    )


def _quantization(tensors: list[GgufTensor], model_bytes: int) -> Quantization | None:
    quantized = [tensor for tensor in tensors if tensor.type.is_quantized]
    if not quantized:
        return None
    kinds = {tensor.type.name: tensor.type for tensor in quantized}
    sums = {
        name: sum(tensor.parameters for tensor in quantized if tensor.type.name == name)
        for name in kinds
    }
    notes = tuple(
        f"{kinds[name].name}: {size:,} parameters of {float(kinds[name].bits):g} bits, in blocks "
        f"of {kinds[name].block}"
        for name, size in sums.items()
    )
    single = next(iter(kinds.values())) if len(kinds) == 1 else None
    return Quantization(
        method=f"gguf {', '.join(kinds)}",
        bits=None if single is None else Fraction(single.bits),
        group_size=None if single is None else single.block,
        parameters=sum(sums.values()),
        stored_bits=8 * sum(tensor.bytes for tensor in quantized),
        model_bytes=model_bytes,
        matrices=len(quantized),
        notes=notes,
    )


def _name(metadata: dict[str, Any], files: list[Path]) -> str:
    known = [metadata[name] for name in NAMES if isinstance(metadata.get(name), str)]
    inside = ", ".join(text[:60] for text in known if text.isprintable())
    name = f"{len(files)} parts" if len(files) > 1 else files[0].name
    return f"{name} ({inside})" if inside else name


def _check_split(files: list[Path], headers: list[GgufHeader], tensors: int) -> None:
    """Raise where a file says that it is one of several, and others are missing."""
    for file, header in zip(files, headers, strict=True):
        count, total = (header.metadata.get(f"split.{key}") for key in ("count", "tensors.count"))
        if type(count) is int and count > 1 and count != len(files):
            raise NetworkFileError(
                f"is one of {count} parts, {len(files)} of which {_are(len(files))} given",
                where=str(file),
                remedy="name all parts of the model",
            )
        if type(total) is int and count != 1 and total > 0 and total != tensors:
            raise NetworkFileError(
                f"its parts should have {total} tensors and have {tensors}",
                where=str(file),
                remedy="name all parts of the model",
            )


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
