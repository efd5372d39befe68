"""The quantization that a ``config.json`` names, held against the matrices of its model.

References:
    Frantar et al., "GPTQ" (2022), arXiv:2210.17323; Lin et al., "AWQ" (2023), arXiv:2306.00978;
    Dettmers et al., "QLoRA" (2023), arXiv:2305.14314 (NF4, double quantization); OCP
    Microscaling Formats v1.0 (2023) (MXFP4); NVIDIA, "Introducing NVFP4" (2025);
    https://ml-explore.github.io/mlx, ``quantize``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from adderlab.counting.parts import Part, Term
from adderlab.counting.quantization import Quantization
from adderlab.errors import OptionError
from adderlab.formats import FORMATS

LARGEST_GROUP: Final = 1 << 24
DOUBLE_BLOCK: Final = 256
"""Scales that share a scale of their own, in bitsandbytes' double quantization."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a matrix is stored.

    Attributes:
        bits: of one number; ``None`` where the configuration does not say.
        group: inputs that share a scale; 0 for all inputs of an output; ``None`` where the
            configuration does not say.
        scale_bits: bits of a group's scale, and of its zero point or bias.
        group_outputs: outputs that share a scale.
        index_bits: bits kept for each input, as a permutation.
        is_flat: whether groups go on from one output to the next.
        has_embedding: whether the embedding and the output head are quantized too.
        has_attention: whether the attention's matrices are quantized.
    """

    bits: int | None
    group: int | None
    scale_bits: Fraction = Fraction(16)
    group_outputs: int = 1
    index_bits: int = 0
    is_flat: bool = False
    has_embedding: bool = False
    has_attention: bool = True

    def stored_bits(self, n_in: int, n_out: int) -> Fraction | None:
        """Return the bits of a matrix, with its scales; ``None`` where that does not follow."""
        if self.bits is None or self.group is None:
            return None
        group = self.group or n_in
        if self.is_flat:
            groups = -(-n_in * n_out // group)
        else:
            groups = -(-n_in // group) * -(-n_out // self.group_outputs)
        return n_in * n_out * self.bits + groups * self.scale_bits + n_in * self.index_bits


def quantization_of(
    entries: dict[str, Any], parts: Iterable[Part], *, rest: str, where: str
) -> Quantization | None:
    """Return the quantization that a configuration names, on its model's matrices.

    Args:
        entries: the configuration.
        parts: of the model.
        rest: the format of what is not quantized.
        where: names the file in errors.

    Returns:
        ``None`` where the configuration names none.

    Raises:
        OptionError: the bits or the group size are no sizes.
    """
    named = quantization_entries(entries)
    if named is None:
        return None
    method, values = named
    scheme, notes = _scheme(method, values, where)
    parameters, stored, left = 0, Fraction(0), 0
    is_known = True
    for term, copies in _matrices(parts):
        if not _is_quantized(term, scheme):
            left += term[1].parameters * copies
            continue
        n_in, n_out = term[1].shape[:: -1 if term[1].is_looked_up else 1]
        number = term[1].copies * copies
        parameters += n_in * n_out * number
        bits = scheme.stored_bits(n_in, n_out)
        is_known = is_known and bits is not None
        stored += number * (bits or 0)
    if not is_known:
        lacking = "bits" if scheme.bits is None else "group_size"
        notes.append(f"bytes do not follow: {lacking} of its configuration would settle them")
    whole = -(-(stored + left * FORMATS[rest].bits) // 8)
    return Quantization(
        method=method,
        bits=None if scheme.bits is None else Fraction(scheme.bits),
        group_size=scheme.group or None,
        parameters=parameters,
        stored_bits=-(-stored.numerator // stored.denominator) if is_known else None,
        model_bytes=int(whole) if is_known else None,
        notes=tuple(notes),
    )


def quantization_entries(entries: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Return the method and the entries of the quantization that a configuration names."""
    for key in ("quantization_config", "quantization"):
        values = entries.get(key)
        if isinstance(values, dict) and values:
            return _method(values), values
    return None


def _method(values: dict[str, Any]) -> str:
    method = values.get("quant_method")
    if not isinstance(method, str):
        algorithm = values.get("quant_algo")
        method = "modelopt" if isinstance(algorithm, str) else "mlx"
    return method.lower()[:40]


def _matrices(parts: Iterable[Part]) -> Iterable[tuple[tuple[str, Term], int]]:
    for part in parts:
        for stack in part.stacks:
            for term in stack.terms:
                yield (part.name, term), stack.layers


def _is_quantized(named: tuple[str, Term], scheme: Scheme) -> bool:
    part, term = named
    if len(term.shape) != 2 or term.is_kept:
        return False
    if part in ("embedding", "output head"):
        return scheme.has_embedding
    if part == "attention":
        return scheme.has_attention
    return part == "MLP"


def _scheme(method: str, values: dict[str, Any], where: str) -> tuple[Scheme, list[str]]:
    """Return how a method stores a matrix, and what has to be said of it."""
    notes: list[str] = []
    bits = _size(values, "bits", where, low=1, high=64)
    group = _size(values, "group_size", where, low=-1, high=LARGEST_GROUP)
    group = 0 if group == -1 else group
    zeros = Fraction(16 + (bits or 0))
    if method == "gptq":
        scheme = Scheme(bits, group, zeros, index_bits=32)
    elif method == "awq":
        has_zeros = values.get("zero_point", True) is not False
        scheme = Scheme(bits, group, zeros if has_zeros else Fraction(16))
    elif method == "mlx":
        scheme = _mlx(bits, group, values)
    elif method == "bitsandbytes":
        scheme = _bitsandbytes(values)
    elif method == "mxfp4":
        scheme = Scheme(4, 32, Fraction(8), has_attention=False)
    elif method == "fp8":
        scheme = _fp8(values, where)
    elif method in ("compressed-tensors", "modelopt"):
        scheme = _by_groups(values, where)
    else:
        scheme = Scheme(bits, None)
        notes.append(f"how {method} stores its matrices is not known here")
    if any(isinstance(value, dict) and "bits" in value for value in values.values()):
        notes.append("some layers have bits of their own, which are not counted here")
    skipped = values.get("modules_to_not_convert") or values.get("llm_int8_skip_modules")
    if isinstance(skipped, list) and skipped and method != "mxfp4":
        names = ", ".join(str(name) for name in skipped[:3])
        notes.append(f"modules that stay as they are ({names[:80]}) may be counted as quantized")
    return scheme, notes


def _mlx(bits: int | None, group: int | None, values: dict[str, Any]) -> Scheme:
    mode = values.get("mode", "affine")
    if mode in ("mxfp4", "mxfp8"):
        return Scheme(bits or int(mode[-1]), group or 32, Fraction(8), has_embedding=True)
    if mode == "nvfp4":
        return Scheme(bits or 4, group or 16, Fraction(8), has_embedding=True)
    return Scheme(bits, group, Fraction(32), has_embedding=True)


def _bitsandbytes(values: dict[str, Any]) -> Scheme:
    if values.get("load_in_8bit"):
        return Scheme(8, 0, Fraction(32))
    is_double = bool(values.get("bnb_4bit_use_double_quant"))
    scale = 8 + Fraction(32, DOUBLE_BLOCK) if is_double else Fraction(32)
    return Scheme(4, 64, scale, is_flat=True)


def _fp8(values: dict[str, Any], where: str) -> Scheme:
    block = values.get("weight_block_size")
    if block is None:
        return Scheme(8, 0, Fraction(32))
    is_pair = isinstance(block, list) and len(block) == 2
    if not is_pair or not all(type(size) is int and 0 < size < LARGEST_GROUP for size in block):
        raise OptionError(
            "weight_block_size is no pair of sizes", where=where, remedy="give [128, 128]"
        )
    return Scheme(8, block[1], Fraction(32), group_outputs=block[0])


def _by_groups(values: dict[str, Any], where: str) -> Scheme:
    """Return the scheme of the first group of layers that a configuration lists."""
    groups = values.get("config_groups")
    first = next(iter(groups.values()), None) if isinstance(groups, dict) else None
    weights = first.get("weights") if isinstance(first, dict) else None
    if not isinstance(weights, dict):
        is_nvfp4 = values.get("quant_algo") == "NVFP4"
        return Scheme(4, 16, Fraction(8)) if is_nvfp4 else Scheme(None, None)
    bits = _size(weights, "num_bits", where, low=1, high=64)
    group = _size(weights, "group_size", where, low=-1, high=LARGEST_GROUP)
    is_float4 = weights.get("type") == "float" and bits == 4
    scale = Fraction(8 if is_float4 else 16)
    if not weights.get("symmetric", True):
        scale += bits or 0
    return Scheme(bits, group if group and group > 0 else 0, scale)


def _size(values: dict[str, Any], key: str, where: str, *, low: int, high: int) -> int | None:
    value = values.get(key)
    if value is None:
        return None
    if type(value) is not int or not low <= value <= high or value == 0:
        raise OptionError(
            f"{key} of its quantization is {str(value)[:40]!r}, no size",
            where=where,
            remedy="give a whole number, as 4 bits or groups of 128",
        )
    return value
