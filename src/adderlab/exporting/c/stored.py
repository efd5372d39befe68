"""A tensor as a header stores it: the numbers of the network's file, and their scales."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from adderlab.exporting.c.tables import BYTES, Table, signed_type, unsigned_type
from adderlab.nets import packing
from adderlab.nets.dyadic import Dyadic
from adderlab.nets.tensors import Packed, Scaled, Sparse, Tensor

MOST_PACKED_BITS: Final = 6
"""Bits of a number up to which it is packed: what is wider takes little less than its own bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """Values ``scale * (q - zero)``, row by row.

    Attributes:
        numbers: q: a matrix, the entries of a sparse one, or a bias.
        bits: of each q, where it is packed; 0 elsewhere.
        structure: where the entries of a sparse matrix stand.
        scale: for all rows or for each; ``None`` for 1.
        zero: likewise; ``None`` for 0.
    """

    numbers: Dyadic
    bits: int
    structure: Sparse | None
    scale: Dyadic | None
    zero: Dyadic | None

    @property
    def is_whole(self) -> bool:
        """Whether q are whole numbers."""
        return self.numbers.exponent >= 0

    def table(self, name: str) -> Table | None:
        """Return q as a table of whole numbers; ``None`` beyond 64 bits."""
        numbers = self.numbers.integers
        if self.bits:
            return Table(name, numbers, "uint8_t", self.bits)
        low, high = (int(numbers.min()), int(numbers.max())) if numbers.size else (0, 0)
        kind = signed_type(low, high)
        return None if kind is None else Table(name, numbers, kind)


def stored(tensor: Tensor) -> Stored:
    """Return what a tensor stores; whole numbers over ``2**0``, others over a power of two.

    A sparse matrix of which that takes no more bytes is stored with its zeros.
    """
    inner = tensor.q if isinstance(tensor, Scaled) else tensor
    structure = inner if isinstance(inner, Sparse) else None
    values = inner.values if isinstance(inner, Sparse) else inner
    exact = values.exact()
    bits = values.bits if isinstance(values, Packed) and values.bits <= MOST_PACKED_BITS else 0
    if structure is not None and _is_smaller_dense(structure, bits):
        exact, structure = structure.exact(), None
    if exact.exponent > 0:
        exact = exact.rescaled(0)
    scale = tensor.scale.exact() if isinstance(tensor, Scaled) else None
    zero = tensor.zero.exact() if isinstance(tensor, Scaled) and tensor.zero is not None else None
    return Stored(exact, bits, structure, scale, zero)


def _is_smaller_dense(matrix: Sparse, bits: int) -> bool:
    """Return whether a sparse matrix takes fewer bytes with its zeros than with its places."""
    if bits == 1:  # which has no zero
        return False
    rows, columns = matrix.shape
    entries = matrix.indices.size
    bits = bits or 8 * matrix.values.stored_bytes // max(entries, 1)
    places = rows * BYTES[unsigned_type(entries)] + entries * BYTES[unsigned_type(columns)]
    return packing.packed_size(rows * columns - entries, bits) <= places
