"""When two trained networks are the same solution: on/off patterns, and classes of them.

Rule: what is counted does not change when units of a hidden layer are permuted, or when a unit's
incoming weights and bias are multiplied by a positive number and its outgoing weights divided by
it (relu and leaky relu compute the same then), or, for tanh, when both are negated.

The definitions:

* A unit is *on* at a row where the sum that goes into its activation is above 0.
* A member's *pattern* is its units' on/off bits by row, unit by unit, in the order they are
  stored in.
* Its *class* is the multiset, one entry for each unit, of those bits together with the sign of
  each outgoing weight. A relu unit that is off on every row adds nothing to any output, so it is
  left out. A tanh unit and its negative are the same unit. Of a layer that another hidden layer
  follows, the bits alone are taken: the signs lead to units that may be permuted themselves.

Within a class a relu network's outputs on the rows are one formula in its weights, the same for
every member: the class says which units work together where, and in which direction; not by how
much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.nets import Activation
from adderlab.training.census.codes import CODE_BITS, code_of_bits, joined

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int, UInt64

SIGNS: Final = "-0+"


@dataclass(frozen=True, slots=True, eq=False)
class Shapes:
    """Which members are the same solution, as codes.

    Attributes:
        patterns: of each member's units' bits, in the order they are stored in: the bits
            themselves up to 64, a hash of more.
        classes: up to permutation and positive scaling of units.
    """

    patterns: UInt64[np.ndarray, " member"]
    classes: UInt64[np.ndarray, " member"]


def shapes_of(
    is_on: tuple[Bool[np.ndarray, "member unit rows"], ...],
    last_weight: Float[np.ndarray, "member n_out unit"],
    activation: Activation,
) -> Shapes:
    """Return the pattern and the class of each member.

    Args:
        is_on: for each hidden layer, whether a unit is on at a row.
        last_weight: the weights from the last hidden layer to the outputs.
        activation: of the hidden units.
    """
    members = len(last_weight)
    patterns = code_of_bits(np.concatenate([bits.reshape(members, -1) for bits in is_on], axis=1))
    layers: list[UInt64[np.ndarray, "member unit"]] = []
    for place, bits in enumerate(is_on):
        signs = np.sign(last_weight).astype(np.int8) if place == len(is_on) - 1 else None
        layers.append(_unit_codes(bits, signs, activation))
    # a layer's units sorted: the class forgets their order, but not which layer they are of
    sorted_codes = [np.sort(codes, axis=1) for codes in layers]
    return Shapes(patterns, joined(np.concatenate(sorted_codes, axis=1)))


def _unit_codes(
    bits: Bool[np.ndarray, "member unit rows"],
    signs: Int[np.ndarray, "member n_out unit"] | None,
    activation: Activation,
) -> UInt64[np.ndarray, "member unit"]:
    """Return a code for each unit: its bits and its outgoing signs; 0 for one that adds nothing."""
    if activation.rule.is_odd:  # the first row's bit becomes 0: a unit and its negative are one
        flips = bits[:, :, 0]
        bits = bits ^ flips[:, :, None]
        if signs is not None:
            signs = np.where(flips[:, None, :], -signs, signs)
    parts = [bits]
    if signs is not None:
        by_unit = np.swapaxes(signs, 1, 2)
        parts += [by_unit > 0, by_unit < 0]
    # a bit in front, so that only what is left out has code 0
    front = np.ones((*bits.shape[:2], 1), dtype=bool)
    codes = code_of_bits(np.concatenate([front, *parts], axis=2))
    return np.where(bits.any(axis=2), codes, np.uint64(0)) if activation.rule.can_die else codes


def pattern_text(is_on: tuple[Bool[np.ndarray, "unit rows"], ...]) -> str:
    """Return one member's pattern: ``0111 0001 0000``, layers apart by a bar."""
    return " | ".join(" ".join(_bits_text(unit) for unit in layer) for layer in is_on)


def class_text(
    is_on: tuple[Bool[np.ndarray, "unit rows"], ...],
    last_weight: Float[np.ndarray, "n_out unit"],
    activation: Activation,
) -> str:
    """Return one member's class, readably: ``0001(+-) 0111(0+)``, its units sorted.

    The signs are those of the outgoing weights, in the order of the outputs.
    """
    texts: list[str] = []
    for place, layer in enumerate(is_on):
        units: list[str] = []
        for number, bits in enumerate(layer):
            if activation.rule.can_die and not bits.any():
                continue
            flip = activation.rule.is_odd and bool(bits[0])
            text = _bits_text(bits ^ flip)
            if place == len(is_on) - 1:
                ways = np.sign(last_weight[:, number]) * (-1 if flip else 1)
                text += f"({''.join(SIGNS[int(way) + 1] for way in ways)})"
            units.append(text)
        texts.append(" ".join(sorted(units)) or "no unit")
    return " | ".join(texts)


def _bits_text(bits: Any) -> str:
    """Return bits as 0 and 1; of more than 64, how many are set and their code."""
    if len(bits) <= CODE_BITS:
        return "".join("1" if bit else "0" for bit in bits)
    return f"{int(np.sum(bits))}/{len(bits)}#{int(code_of_bits(np.asarray(bits))):016x}"
