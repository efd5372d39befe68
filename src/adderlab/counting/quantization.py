"""What quantization makes of weights: parameters, bytes, and the bits per weight that result.

Rule: bits per weight are of the quantized matrices alone, with all that is stored for them: scales,
zero points, permutations of the inputs, code books.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from adderlab.blocks import Block, Line, note_lines
from adderlab.blocks.numbers import decimal


@dataclass(frozen=True, slots=True)
class Quantization:
    """The quantized matrices of a model.

    Attributes:
        method: ``gptq``, ``awq``, ``mlx``, …
        bits: of one stored number; ``None`` where matrices differ or it is not known.
        group_size: numbers that share a scale; ``None`` where that is not known or differs.
        parameters: numbers in the quantized matrices, as the model computes with them.
        stored_bits: bits that these take, scales and the like included; ``None`` where what is
            known does not say.
        model_bytes: of the whole model, the rest in its own format; ``None`` where not known.
        matrices: how many were recognized; 0 where they follow from a configuration.
        notes: further remarks, one sentence each.
    """

    method: str
    bits: Fraction | None
    group_size: int | None
    parameters: int
    stored_bits: int | None
    model_bytes: int | None = None
    matrices: int = 0
    notes: tuple[str, ...] = ()

    @property
    def bits_per_weight(self) -> Fraction | None:
        """Bits for each number, all that is stored for it included."""
        if self.stored_bits is None or not self.parameters:
            return None
        return Fraction(self.stored_bits, self.parameters)

    def to_dict(self) -> dict[str, Any]:
        each = self.bits_per_weight
        return {
            "method": self.method,
            "bits": None if self.bits is None else _number(self.bits),
            "group_size": self.group_size,
            "parameters": self.parameters,
            "bits_per_weight": None if each is None else _number(each),
            "bytes": None if self.stored_bits is None else -(-self.stored_bits // 8),
            "model_bytes": self.model_bytes,
            "notes": list(self.notes),
        }

    def blocks(self) -> tuple[Block, ...]:
        """Return the method with its bits, and what they come to."""
        kind = [f"{decimal(self.bits)} bits a number"] if self.bits is not None else []
        if self.group_size is not None:
            kind.append(f"groups of {self.group_size}")
        lines = [f"quantized by {self.method}: {', '.join(kind) or 'bits not known'}"]
        each = self.bits_per_weight
        if each is not None:
            lines.append(
                f"{self.parameters:,} quantized parameters at {decimal(each, 5)} bits a weight, "
                "scales, zero points and indices included"
            )
        if self.model_bytes is not None:
            lines.append(f"{self.model_bytes:,} bytes in all, the rest in its own format")
        return (
            *(Line(line) for line in lines),
            *note_lines(self.notes),
        )


def _number(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)
