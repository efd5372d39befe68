"""Activations as PyTorch modules; importing this file imports torch."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from adderlab.errors import OptionError
from adderlab.nets.activations import Activation
from adderlab.nets.convention import CONVENTIONS, Convention, is_above


def module_of(activation: Activation) -> nn.Module:
    """Return an activation as a module, which says its values and gradients on tensors too."""
    rule = activation.rule
    if activation.kind == "prelu":
        module = nn.PReLU(len(activation.slopes), dtype=torch.float64)
        module.weight.data = torch.tensor(activation.slopes, dtype=torch.float64)
        return module.requires_grad_(False)
    kind = OWN.get(rule.module) or getattr(nn, rule.module)
    return kind(*(getattr(activation, option) for option in rule.options))


class Step(nn.Module):
    """1.0 where ``x`` is above the threshold, else 0.0, in the dtype of ``x``.

    It has no gradient: the output is flat everywhere but at the jump, so a network can't be
    trained through it (``backward`` raises "does not require grad").

    Args:
        convention: whether above means ``>`` or ``>=``.
        threshold: where the jump is.

    Examples:
        >>> import torch
        >>> Step(">=")(torch.tensor([-1.0, 0.0, 2.0]))
        tensor([0., 1., 1.])
    """

    def __init__(self, convention: Convention = ">", *, threshold: float = 0.0) -> None:
        super().__init__()
        check_convention(convention)
        self.convention: Convention = convention
        self.threshold = threshold

    def forward(self, x: Tensor) -> Tensor:
        """Return the step of each number in ``x``."""
        return is_above(x, self.threshold, self.convention).to(x.dtype)

    def extra_repr(self) -> str:
        return f"{self.convention} {self.threshold:g}"


class Clamp(nn.Module):
    """``x`` between two limits, or beside one; ``nn.Hardtanh`` has a gradient inside them alone."""

    def __init__(self, min: float | None = None, max: float | None = None) -> None:
        super().__init__()
        self.min, self.max = min, max

    def forward(self, x: Tensor) -> Tensor:
        """Return each number in ``x``, or the limit that it is beyond."""
        return torch.clamp(x, self.min, self.max)

    def extra_repr(self) -> str:
        return f"min={self.min}, max={self.max}"


class Quotient(nn.Module):
    """``x`` divided by a constant."""

    def __init__(self, divisor: float) -> None:
        super().__init__()
        self.divisor = divisor

    def forward(self, x: Tensor) -> Tensor:
        """Return each number in ``x`` divided by the constant."""
        return x / self.divisor

    def extra_repr(self) -> str:
        return f"divisor={self.divisor}"


class Abs(nn.Module):
    """The magnitude of ``x``."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the magnitude of each number in ``x``."""
        return torch.abs(x)


class Sign(nn.Module):
    """-1, 0 or 1."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the sign of each number in ``x``."""
        return torch.sign(x)


class Heaviside(nn.Module):
    """0 below 0, 1 above, and a value of its own at 0; it has no gradient."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, x: Tensor) -> Tensor:
        """Return the step of each number in ``x``."""
        return torch.heaviside(x.detach(), torch.tensor(self.value, dtype=x.dtype))

    def extra_repr(self) -> str:
        return f"value={self.value:g}"


class Where(nn.Module):
    """One of two values, by a comparison; ``None`` stands for ``x`` itself."""

    def __init__(
        self,
        convention: Convention = ">",
        threshold: float = 0.0,
        above: float | None = None,
        below: float | None = None,
    ) -> None:
        super().__init__()
        check_convention(convention)
        self.convention: Convention = convention
        self.threshold, self.above, self.below = threshold, above, below

    def forward(self, x: Tensor) -> Tensor:
        """Return what the comparison chooses for each number in ``x``."""
        is_chosen = is_above(x, self.threshold, self.convention)
        above, below = (
            x if value is None else torch.tensor(value, dtype=x.dtype)
            for value in (self.above, self.below)
        )
        return torch.where(is_chosen, above, below)

    def extra_repr(self) -> str:
        above, below = ("x" if v is None else f"{v:g}" for v in (self.above, self.below))
        return f"x {self.convention} {self.threshold:g}: {above}, else {below}"


OWN: Final = {kind.__name__: kind for kind in (Step, Clamp, Quotient, Abs, Sign, Heaviside, Where)}
"""The modules of the table that PyTorch lacks."""


def check_convention(convention: str) -> None:
    """Raise an :class:`OptionError` unless a convention is one of the two."""
    if convention not in CONVENTIONS:
        raise OptionError(
            f"unknown convention {convention!r}", remedy=f"one of {', '.join(CONVENTIONS)}"
        )
