"""What a model has and weighs, whatever was known of it: hyper-parameters, headers, a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adderlab.blocks import fragments
from adderlab.counting.architecture import MAC_RULE, Architecture, Part
from adderlab.counting.published import UNPUBLISHED, Shipped, model_named
from adderlab.counting.sizes import binary_size, bytes_by_format, decimal_size
from adderlab.counting.training_memory import TrainingMemory, training_memory
from adderlab.formats import FORMATS


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
        """Return it for JSON."""
        return {
            "name": self.name,
            "parameters": self.parameters,
            "arithmetic": self.arithmetic or None,
            "macs": self.macs,
            "flops": self.flops,
            "bytes": bytes_by_format(self.parameters),
        }


@dataclass(frozen=True, slots=True)
class ModelCount:
    """A model's parameters, operations and bytes.

    Attributes:
        name: of the model, or what was counted.
        parts: what it is made of.
        active: parameters that one token passes through; fewer than all with experts.
        source: where the numbers come from; may be empty.
        shipped: the format its weights are usually handed out in, if that is known.
        stored_bytes: of its tensors as they are stored, where they are.
        file_bytes: of its files, where there are files.
        stored_as: bytes by stored type, where they are stored.
        notes: what else has to be said.
        training: what training it takes, if that was asked.
        is_round: whether it is a bare number and no model.
    """

    name: str
    parts: tuple[PartCount, ...]
    active: int | None = None
    source: str = ""
    shipped: Shipped | None = None
    stored_bytes: int | None = None
    file_bytes: int | None = None
    stored_as: Mapping[str, int] = field(default_factory=dict[str, int])
    notes: tuple[str, ...] = ()
    training: TrainingMemory | None = None
    is_round: bool = False

    @property
    def raw(self) -> int:
        """All parameters, tied ones once."""
        return sum(part.parameters for part in self.parts)

    @property
    def macs(self) -> int | None:
        """Multiply-adds for one token at context 1, where that is known."""
        found = [part.macs for part in self.parts if part.macs is not None]
        return sum(found) if len(found) == len(self.parts) else None

    @property
    def flops(self) -> int | None:
        """Two for each MAC, one for each bias, where that is known."""
        found = [part.flops for part in self.parts if part.flops is not None]
        return sum(found) if len(found) == len(self.parts) else None

    @property
    def bytes(self) -> dict[str, int]:
        """Bytes of the parameters alone, by format."""
        return bytes_by_format(self.raw)

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        shipped = self.shipped
        return {
            "model": None if self.is_round else self.name,
            "published": True,
            "parameters": {"raw": self.raw, "nonzero": None, "unique": None, "active": self.active},
            "layers": [part.to_dict() for part in self.parts],
            "macs": self.macs,
            "flops": self.flops,
            "rule": MAC_RULE if self.macs is not None else None,
            "bytes": self.bytes,
            "stored_bytes": self.stored_bytes,
            "file_bytes": self.file_bytes,
            "stored_as": dict(self.stored_as) or None,
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

    def to_html(self) -> str:
        """Return it for a notebook."""
        parts = [(part.name, part.arithmetic, f"{part.parameters:,}") for part in self.parts]
        sizes = [
            (name, FORMATS[name].bits, f"{size:,}", decimal_size(size), binary_size(size))
            for name, size in self.bytes.items()
        ]
        return fragments.block(
            fragments.table(("part", "arithmetic", "parameters"), parts, left=("part",)),
            fragments.table(
                ("format", "bits each", "bytes", "decimal", "binary"), sizes, left=("format",)
            ),
            title=f"{self.name}: {self.raw:,} parameters",
        )

    def _repr_html_(self) -> str:
        return self.to_html()

    def __repr__(self) -> str:
        inside = "; ".join(f"{part.name} {part.parameters:,}" for part in self.parts)
        return f"ModelCount {self.name}: {self.raw:,} parameters ({inside})"


@dataclass(frozen=True, slots=True)
class Unpublished:
    """A model whose size its makers keep to themselves: the answer is that there is none."""

    name: str
    source: str
    date: str

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON; the keys of a count, without numbers."""
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

    def to_html(self) -> str:
        """Return it for a notebook."""
        return fragments.block(fragments.line(str(self)))

    def _repr_html_(self) -> str:
        return self.to_html()

    def __str__(self) -> str:
        return f"{self.name}: unpublished ({self.source}; {self.date})"

    def __repr__(self) -> str:
        return f"Unpublished {self}"


def count_architecture(
    architecture: Architecture,
    *,
    name: str,
    source: str = "",
    shipped: Shipped | None = None,
    notes: tuple[str, ...] = (),
    training: str | None = None,
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
    )


def count_model(name: str, *, training: str | None = None) -> ModelCount | Unpublished:
    """Return what a model with published hyper-parameters has and weighs.

    Args:
        name: as ``llama-3-8b``; case, dashes and an owner before a slash do not matter.
        training: an optimizer, to add what training takes.

    Returns:
        For a model whose size is not published, as GPT-4's, an :class:`Unpublished`.

    Raises:
        OptionError: no such model is known, or no such optimizer.

    Examples:
        >>> count_model("gpt2").raw
        124439808
    """
    found = model_named(name)
    if isinstance(found, str):
        source, date = UNPUBLISHED[found]
        _ = training_memory(1, training)
        return Unpublished(found, source, date)
    return count_architecture(
        found.architecture,
        name=found.name,
        source=f"{found.source}; {found.date}",
        shipped=found.shipped,
        notes=(found.note,) if found.note else (),
        training=training,
    )


def count_number(parameters: int, *, training: str | None = None) -> ModelCount:
    """Return what a round number of parameters weighs."""
    return ModelCount(
        name=f"{parameters:,} parameters",
        parts=(PartCount("parameters", parameters),),
        training=training_memory(parameters, training),
        is_round=True,
    )
