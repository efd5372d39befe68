"""Activations as PyTorch modules; importing this file imports torch."""

from __future__ import annotations

from torch import Tensor, nn

from adderlab.errors import OptionError
from adderlab.nets.activations import Activation
from adderlab.nets.convention import CONVENTIONS, Convention, is_above


def module_of(activation: Activation) -> nn.Module:
    """Return an activation as a module, which says its values and gradients on tensors too."""
    rule = activation.rule
    kind = Step if rule.module == Step.__name__ else getattr(nn, rule.module)
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


def check_convention(convention: str) -> None:
    """Raise an :class:`OptionError` unless a convention is one of the two."""
    if convention not in CONVENTIONS:
        raise OptionError(
            f"unknown convention {convention!r}", remedy=f"one of {', '.join(CONVENTIONS)}"
        )
