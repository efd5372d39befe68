"""Parts of a model: matrices and vectors, and how many layers have them.

Rule: a part's sum and the arithmetic that is shown come from the same list, so what is printed is
what was computed. A weight that is used twice (the embedding as output head) is counted once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

MAC_RULE: Final = (
    "one token, context 1: every matrix once (the embedding is a look-up, no MAC), two MACs a "
    "head and channel for the attention itself; FLOPs = 2 MACs + 1 per bias"
)


@dataclass(frozen=True, slots=True)
class Term:
    """A matrix or vector of a part, and how often it is there.

    Attributes:
        name: ``q``, ``router``, ``bias``; may be empty.
        shape: two sizes for a matrix (in, out), one for a vector.
        copies: how many there are: experts, norms.
        used: how many of the copies one token passes through.
        copy_name: what the copies are called: ``experts``.
        is_bias: whether it is added rather than multiplied with.
        is_looked_up: whether one row is taken instead of a product.
        is_kept: whether a quantized model keeps it in its first format, as it does a router.
    """

    name: str
    shape: tuple[int, ...]
    copies: int = 1
    used: int | None = None
    copy_name: str = ""
    is_bias: bool = False
    is_looked_up: bool = False
    is_kept: bool = False

    @property
    def parameters(self) -> int:
        """Numbers in all copies."""
        return math.prod(self.shape) * self.copies

    @property
    def active(self) -> int:
        """Numbers in the copies that one token passes through."""
        return math.prod(self.shape) * (self.copies if self.used is None else self.used)

    @property
    def macs(self) -> int:
        """Multiply-adds for one token."""
        is_product = len(self.shape) == 2 and not self.is_looked_up
        return self.active if is_product else 0

    def __str__(self) -> str:
        copies = f"{self.copies} {self.copy_name}".rstrip() + " x " if self.copies > 1 else ""
        return f"{self.name} ".lstrip() + copies + " x ".join(map(str, self.shape))


@dataclass(frozen=True, slots=True)
class Stack:
    """Terms that a number of layers have each.

    Attributes:
        terms: the matrices and vectors of one layer.
        layers: how many layers have them; 1 for terms outside the layers.
    """

    terms: tuple[Term, ...]
    layers: int = 1

    def __str__(self) -> str:
        inside = " + ".join(map(str, self.terms))
        return f"{self.layers} layers x ({inside})" if self.layers > 1 else inside


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a model.

    Attributes:
        name: ``embedding``, ``attention``, ``MLP``, ``norm`` or ``output head``.
        stacks: what it is made of; a last norm is a stack of its own.
        more_macs: multiply-adds that no parameter takes part in.
        shared: terms whose weights are counted elsewhere, used once more.
    """

    name: str
    stacks: tuple[Stack, ...]
    more_macs: int = 0
    shared: tuple[Term, ...] = ()

    def _sum(self, what: str) -> int:
        return sum(
            stack.layers * getattr(term, what) for stack in self.stacks for term in stack.terms
        )

    @property
    def parameters(self) -> int:
        """All numbers of the part."""
        return self._sum("parameters")

    @property
    def active(self) -> int:
        """The numbers that one token passes through."""
        return self._sum("active")

    @property
    def macs(self) -> int:
        """Multiply-adds for one token at context 1."""
        return self._sum("macs") + self.more_macs + sum(term.macs for term in self.shared)

    @property
    def biases(self) -> int:
        """Additions of a bias for one token."""
        return sum(
            stack.layers * term.active
            for stack in self.stacks
            for term in stack.terms
            if term.is_bias
        )

    @property
    def arithmetic(self) -> str:
        """How the parameters add up: ``32 layers x (q 4096 x 4096 + …)``."""
        if self.stacks:
            return " + ".join(map(str, self.stacks))
        if self.shared:
            return "0 (the embedding's weights, counted there)"
        return "0 (it has no weights)"
