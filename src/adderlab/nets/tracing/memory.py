"""Which unit each number in memory is: the numbers of a forward pass, and where they come from.

Rule: the forward runs on several rows at once. Beside each piece of memory that holds values of the
batch lies another of the same layout with a code for each number: of a unit's value on a row, or of
a constant. A view of memory has the codes under it, so whatever selects, reshapes, transposes or
writes into a part needs no rule of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from jaxtyping import Int64

    Codes = Int64[Tensor, "*shape"]


@dataclass(slots=True)
class Memory:
    """The codes of everything that was computed from the batch.

    A code is ``unit * rows + row``; of a constant it is negative, -1 for the first.

    Attributes:
        rows: of the batch.
        constants: their values, by order.
    """

    rows: int
    constants: list[float] = field(default_factory=list)
    _codes: dict[int, Tensor] = field(default_factory=dict)
    _places: dict[float, int] = field(default_factory=dict)
    _held: list[Tensor] = field(default_factory=list)  # so that no address is used again

    def knows(self, tensor: Tensor) -> bool:
        """Return whether a tensor lies in memory that holds values of the batch."""
        return _address(tensor) in self._codes

    def is_computed(self, tensor: Tensor) -> bool:
        """Return whether a tensor holds a value of the batch."""
        return self.knows(tensor) and bool((self._at(tensor) >= 0).any())

    def codes(self, value: Tensor | float) -> Codes:
        """Return the codes of a tensor's numbers, constants included; of its shape."""
        if not isinstance(value, Tensor):
            return self.of_constants(torch.tensor(float(value), dtype=torch.float64))
        return self._at(value).clone() if self.knows(value) else self.of_constants(value)

    def of_constants(self, values: Tensor) -> Codes:
        """Return codes for numbers that are no values of the batch."""
        distinct, places = torch.unique(values.detach().double(), return_inverse=True)
        codes = [self._constant(float(value)) for value in distinct]
        return torch.tensor(codes, dtype=torch.int64)[places].reshape(values.shape)

    def write(self, tensor: Tensor, codes: Codes) -> None:
        """Note what a tensor holds from now on."""
        if not self.knows(tensor):
            whole = tensor.untyped_storage().nbytes() // max(tensor.element_size(), 1)
            flat = torch.as_strided(tensor, (whole,), (1,), 0)
            self._codes[_address(tensor)] = self.of_constants(flat)
            self._held.append(tensor)
        _ = self._at(tensor).copy_(codes)

    def value_of(self, code: int) -> float:
        """Return the value of a constant."""
        return self.constants[-1 - code]

    def _constant(self, value: float) -> int:
        if value not in self._places:
            self.constants.append(value)
            self._places[value] = -len(self.constants)
        return self._places[value]

    def _at(self, tensor: Tensor) -> Tensor:
        flat = self._codes[_address(tensor)]
        return torch.as_strided(flat, tensor.shape, tensor.stride(), tensor.storage_offset())


def _address(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
