"""A model's parameters and bytes, from its hyper-parameters, its headers or a number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from adderlab.blocks import Block, Line, Result, Table
from adderlab.blocks.numbers import decimal
from adderlab.counting.adapters import adapter_lines
from adderlab.counting.architecture import Architecture
from adderlab.counting.kv_cache import CacheOptions, KVCache, kv_cache
from adderlab.counting.parts import MAC_RULE, Part
from adderlab.counting.published import UNPUBLISHED, Shipped, model_named
from adderlab.counting.quantization import Quantization
from adderlab.counting.sizes import binary_size, bytes_by_format, decimal_size
from adderlab.counting.training_memory import TrainingMemory, training_memory
from adderlab.formats import FORMATS

NEIGHBORS: Final = ("gpt2", "gpt2-xl", "llama-3-8b", "llama-3-70b", "gpt3-175b", "llama-3.1-405b")
"""Published models that a round number is shown among."""

NEIGHBOR_FORMATS: Final = ("fp32", "fp16", "int4", "int2")


@dataclass(frozen=True, slots=True)
class PartCount:
    """One part of a model.

    Attributes:
        name: ``embedding``, ``attention``, …
        parameters: its numbers, tied ones counted once.
        macs: multiply-adds for one token at context 1; ``None`` where that is not known.
        arithmetic: how the parameters add up; may be empty.
        biases: additions of a bias for one token.
    """

    name: str
    parameters: int
    macs: int | None = None
    arithmetic: str = ""
    biases: int = 0

    @property
    def flops(self) -> int | None:
        """Two for each MAC, one for each bias, where that is known."""
        return None if self.macs is None else 2 * self.macs + self.biases

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "parameters": self.parameters,
            "arithmetic": self.arithmetic or None,
            "macs": self.macs,
            "flops": self.flops,
            "bytes": bytes_by_format(self.parameters),
        }


@dataclass(frozen=True, slots=True, repr=False)
class ModelCount(Result):
    """A model's parameters, operations and bytes.

    Attributes:
        name: of the model, or what was counted.
        parts: what it is made of.
        active: parameters that one token passes through; fewer than all with experts.
        trainable: parameters that are trained, where some may be frozen.
        source: where the numbers come from; may be empty.
        shipped: the format in which its weights are published, if that is known.
        stored_bytes: of its tensors as they are stored, where they are.
        file_bytes: of its files, where there are files.
        stored_as: bytes by stored type, where they are stored.
        notes: further remarks, one sentence each.
        training: the memory of training, if an optimizer was given.
        quantization: of its quantized matrices, where there are any.
        cache: keys and values that it keeps, if a context was given.
        adapter: what a low-rank adapter's configuration says of it, where it is one.
        is_round: whether it is a bare number of parameters, not a model.
    """

    name: str
    parts: tuple[PartCount, ...]
    active: int | None = None
    trainable: int | None = None
    source: str = ""
    shipped: Shipped | None = None
    stored_bytes: int | None = None
    file_bytes: int | None = None
    stored_as: Mapping[str, int] = field(default_factory=dict[str, int])
    notes: tuple[str, ...] = ()
    training: TrainingMemory | None = None
    quantization: Quantization | None = None
    cache: KVCache | None = None
    adapter: Mapping[str, Any] | None = None
    is_round: bool = False

    @property
    def raw(self) -> int:
        """All parameters, tied ones once."""
        return sum(part.parameters for part in self.parts)

    @property
    def macs(self) -> int | None:
        """Multiply-adds for one token at context 1, where that is known."""
        macs = [part.macs for part in self.parts if part.macs is not None]
        return sum(macs) if len(macs) == len(self.parts) else None

    @property
    def flops(self) -> int | None:
        """Two for each MAC, one for each bias, where that is known."""
        flops = [part.flops for part in self.parts if part.flops is not None]
        return sum(flops) if len(flops) == len(self.parts) else None

    @property
    def bytes(self) -> dict[str, int]:
        """Bytes of the parameters alone, by format."""
        return bytes_by_format(self.raw)

    @property
    def bits_per_weight(self) -> Fraction | None:
        """Bits of all tensors as they are stored, for each parameter."""
        if self.stored_bytes is None or not self.raw:
            return None
        return Fraction(8 * self.stored_bytes, self.raw)

    def to_dict(self) -> dict[str, Any]:
        shipped = self.shipped
        each = self.bits_per_weight
        return {
            "model": None if self.is_round else self.name,
            "published": True,
            "parameters": {
                "raw": self.raw,
                "nonzero": None,
                "unique": None,
                "active": self.active,
                "trainable": self.trainable,
            },
            "layers": [part.to_dict() for part in self.parts],
            "macs": self.macs,
            "flops": self.flops,
            "rule": MAC_RULE if self.macs is not None else None,
            "bytes": self.bytes,
            "stored_bytes": self.stored_bytes,
            "file_bytes": self.file_bytes,
            "stored_as": dict(self.stored_as) or None,
            "bits_per_weight": None if each is None else float(each),
            "quantization": None if self.quantization is None else self.quantization.to_dict(),
            "kv_cache": None if self.cache is None else self.cache.to_dict(),
            "adapter": None if self.adapter is None else dict(self.adapter),
            "shipped": None
            if shipped is None
            else {
                "format": shipped.format or None,
                "bytes": self.bytes.get(shipped.format),
                "source": shipped.source,
                "date": shipped.date,
            },
            "training": self.training.to_dict() if self.training is not None else None,
            "source": self.source or None,
            "notes": list(self.notes),
        }

    def blocks(self) -> tuple[Block, ...]:
        """Return parts with their arithmetic, totals, bytes by format, what training takes."""
        sizes = Table(
            ("format", "bits", "bytes", "in powers of 10", "in powers of 2"),
            tuple(
                (name, str(FORMATS[name].bits), f"{size:,}", decimal_size(size), binary_size(size))
                for name, size in self.bytes.items()
            ),
            left=("format",),
        )
        return (
            Line(self.name, "strong"),
            *((_among_published(self),) if self.is_round else self._parts()),
            sizes,
            *(self.cache.blocks() if self.cache is not None else ()),
            *(self.training.blocks() if self.training is not None else ()),
        )

    def _parts(self) -> Iterator[Block]:
        yield Table(
            ("part", "parameters", "MACs a token"),
            tuple(
                (name, f"{parameters:,}", "?" if macs is None else f"{macs:,}")
                for name, parameters, macs in (
                    *((part.name, part.parameters, part.macs) for part in self.parts),
                    ("all", self.raw, self.macs),
                )
            ),
            left=("part",),
        )
        for part in self.parts:
            if part.arithmetic:
                yield Line(f"{part.name}: {part.arithmetic}")
        if self.active is not None and self.active != self.raw:
            yield Line(f"one token passes through {self.active:,} of them")
        if self.trainable is not None and self.trainable != self.raw:
            yield Line(f"{self.trainable:,} of them are trained, the others are frozen")
        if self.macs is not None and self.flops is not None:
            yield Line(f"{self.macs:,} MACs, {self.flops:,} FLOPs ({MAC_RULE})")
        for dtype, size in self.stored_as.items():
            yield Line(f"stored as {dtype}: {size:,} bytes")
        if self.stored_bytes is not None and self.bits_per_weight is not None:
            each = decimal(self.bits_per_weight)
            yield Line(f"{self.stored_bytes:,} bytes of tensors, {each} bits a parameter")
        if self.quantization is not None:
            yield from self.quantization.blocks()
        if self.file_bytes is not None:
            yield Line(f"{self.file_bytes:,} bytes of files")
        if self.shipped is not None:
            yield Line(str(self.shipped))
        if self.source:
            yield Line(f"from: {self.source}")
        if self.adapter is not None:
            yield from adapter_lines(self.adapter)
        for note in self.notes:
            yield Line(f"note: {note}", "quiet")

    def __repr__(self) -> str:
        inside = "; ".join(f"{part.name} {part.parameters:,}" for part in self.parts)
        return f"ModelCount {self.name}: {self.raw:,} parameters ({inside})"


@dataclass(frozen=True, slots=True, repr=False)
class Unpublished(Result):
    """A model whose size its makers keep to themselves: the answer is that there is none."""

    name: str
    source: str
    date: str

    def to_dict(self) -> dict[str, Any]:
        """Return the keys of a count, without numbers."""
        return {
            "model": self.name,
            "published": False,
            "parameters": None,
            "layers": None,
            "macs": None,
            "flops": None,
            "bytes": None,
            "stored_bytes": None,
            "file_bytes": None,
            "source": self.source,
            "date": self.date,
        }

    def blocks(self) -> tuple[Block, ...]:
        return (Line(str(self)),)

    def __str__(self) -> str:
        return f"{self.name}: unpublished ({self.source}; {self.date})"

    def __repr__(self) -> str:
        return f"Unpublished {self}"


def _among_published(model: ModelCount) -> Table:
    """Return a round number among published models, by size."""
    published = [count_model(name) for name in NEIGHBORS]
    models = [model, *(count for count in published if isinstance(count, ModelCount))]
    return Table(
        ("model", "parameters", *NEIGHBOR_FORMATS),
        tuple(
            (
                "as given" if row is model else row.name,
                f"{row.raw:,}",
                *(decimal_size(row.bytes[name]) for name in NEIGHBOR_FORMATS),
            )
            for row in sorted(models, key=lambda row: row.raw)
        ),
        left=("model",),
    )


def count_architecture(
    architecture: Architecture,
    *,
    name: str,
    source: str = "",
    shipped: Shipped | None = None,
    notes: tuple[str, ...] = (),
    training: str | None = None,
    quantization: Quantization | None = None,
    cache: CacheOptions | None = None,
) -> ModelCount:
    """Return what a transformer's hyper-parameters add up to."""
    parts: tuple[Part, ...] = architecture.parts()
    total = sum(part.parameters for part in parts)
    return ModelCount(
        name=name,
        parts=tuple(
            PartCount(part.name, part.parameters, part.macs, part.arithmetic, part.biases)
            for part in parts
        ),
        active=sum(part.active for part in parts),
        source=source,
        shipped=shipped,
        notes=notes,
        training=training_memory(total, training),
        quantization=quantization,
        cache=kv_cache(architecture, cache),
    )


def count_model(
    name: str, *, training: str | None = None, cache: CacheOptions | None = None
) -> ModelCount | Unpublished:
    """Return the size of a model with published hyper-parameters.

    Args:
        name: as ``llama-3-8b``; case, dashes and an owner before a slash do not matter.
        training: an optimizer, to add what training takes.
        cache: a context and a batch, to add the memory of keys and values.

    Returns:
        For a model whose size is not published, as GPT-4's, an :class:`Unpublished`.

    Raises:
        OptionError: no such model is known, or no such optimizer.

    Examples:
        >>> count_model("gpt2").raw
        124439808
    """
    model = model_named(name)
    if isinstance(model, str):
        source, date = UNPUBLISHED[model]
        _ = training_memory(1, training)
        return Unpublished(model, source, date)
    return count_architecture(
        model.architecture,
        name=model.name,
        source=f"{model.source}; {model.date}",
        shipped=model.shipped,
        notes=(model.note,) if model.note else (),
        training=training,
        cache=cache,
    )


def count_number(parameters: int, *, training: str | None = None) -> ModelCount:
    """Return the bytes of a number of parameters."""
    return ModelCount(
        name=f"{parameters:,} parameters",
        parts=(PartCount("parameters", parameters),),
        training=training_memory(parameters, training),
        is_round=True,
    )
