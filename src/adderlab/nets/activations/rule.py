"""What is known of one kind of activation: an entry of the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

from adderlab.nets.activations.options import Option

if TYPE_CHECKING:
    from adderlab.nets.activations.activation import Activation
    from adderlab.nets.activations.piecewise import Pieces
    from adderlab.nets.activations.rounding import Rounding
    from adderlab.nets.activations.smooth import Library
    from adderlab.nets.dyadic import Dyadic


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of activation; the functions are those of :class:`Activation`.

    Attributes:
        exact: ``None`` where values are no dyadic fractions.
        pieces: the straight lines that it consists of; ``None`` of a curve.
        ball: rigorous, of any precision: an Arb ball that holds the values on a ball.
        rational: of a fraction, where values of a curve are fractions, though no dyadic ones.
        plain: in double.
        enclosed: in double with bounds.
        ends: in double, on both sides of the value of each sum.
        image: the least and the largest plain value between two sums.
        derivative: in double, at a kink as PyTorch has it.
        grid: from the exponents of the grids that sums lie on to those of the values.
        module: its class in ``torch.nn``, called with its options, or one of
            :mod:`adderlab.nets.activation_modules`.
        gap: how much more than by its slope values may differ between two sums, in an arithmetic of
            a rounding unit: the jump that PyTorch's softplus has.
        library: how far a library's function may be off; ``None`` where it computes no curve.
        rounds: whether computing it in a number format may round.
        can_be_run: whether a number format's own values can be computed; those of a ``logit``,
            which stands for what a softmax makes of it, are bounded alone.
        kink: whether it bends or jumps somewhere.
        is_flat: whether it is flat but for its jumps, so that no gradient passes.
        is_centered: whether it is two straight lines that end in 0, or flat but for a jump at 0.
        can_die: whether a unit may be off for good: value and slope are 0 below 0.
        is_odd: whether a unit and its negative, both ways, compute the same.
        options: what it is told, by the attribute of an activation.
        check: raises where options don't fit each other.
        spellings: PyTorch's names of it as a function or a method.
    """

    exact: Callable[[Activation, Dyadic], Dyadic] | None
    ball: Callable[[Activation, Any], Any]
    plain: Callable[[Activation, Any], Any]
    enclosed: Callable[[Activation, Any, Any, Rounding], tuple[Any, Any]]
    image: Callable[[Activation, Any, Any], tuple[Any, Any]]
    derivative: Callable[[Activation, Any], Any]
    grid: Callable[[Activation, Any], Any]
    module: str
    pieces: Callable[[Activation], Pieces] | None = None
    rational: Callable[[Activation, Fraction], Fraction] | None = None
    ends: Callable[[Activation, Any], tuple[Any, Any]] | None = None
    gap: Callable[[Activation, Any, Any, float], Any] | None = None
    library: Library | None = None
    rounds: bool = False
    can_be_run: bool = True
    kink: Literal["", "bend", "jump"] = ""
    is_flat: bool = False
    is_centered: bool = False
    can_die: bool = False
    is_odd: bool = False
    options: Mapping[str, Option] = field(default_factory=dict)
    check: Callable[[Activation], None] = lambda activation: None
    spellings: tuple[str, ...] = ()
