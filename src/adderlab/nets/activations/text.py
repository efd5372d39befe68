"""Activations as text: ``gelu``, ``leaky:0.125``, ``hardtanh:-1,1``."""

from __future__ import annotations

from typing import Any

from adderlab.errors import NetworkError
from adderlab.nets.activations.activation import Activation
from adderlab.nets.activations.table import RULES
from adderlab.nets.readout import check_choice


def activation_named(text: str | Activation) -> Activation:
    """Return the activation that a text names, its options after a colon, in the table's order.

    What is left out is PyTorch's default; a limit of clamp that is left out is none.

    Raises:
        NetworkError: there is no such activation, or an option is none of its.

    Examples:
        >>> str(activation_named("leaky:0.125")), str(activation_named("clamp:0,"))
        ('leaky 0.125', 'clamp(min=0)')
    """
    if isinstance(text, Activation):
        return text
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] -- a caller's own
        raise NetworkError(
            f"got {type(text).__name__}",
            where="activation",
            remedy="give its name, relu, say, or an Activation",
        )
    kind, colon, rest = text.strip().partition(":")
    check_choice(kind, tuple(RULES), "activation")
    options = RULES[kind].options
    parts = [part.strip() for part in rest.split(",")] if colon else []
    if kind == "prelu":
        numbers = tuple(_number(part) for part in parts)
        return Activation(kind, slopes=numbers) if numbers else Activation(kind)
    if len(parts) > len(options):
        names = ", ".join(options) or "none"
        raise NetworkError(
            f"{len(parts)} options for {kind}",
            where="activation",
            remedy=f"its options are: {names}",
        )
    values: dict[str, Any] = {
        name: part if option.kind == "choice" else _number(part)
        for (name, option), part in zip(options.items(), parts, strict=False)
        if part
    }
    return Activation(kind, **values)


def _number(part: str) -> float:
    try:
        return float(part)
    except ValueError:
        raise NetworkError(
            f"{part[:40]!r} is no number", where="activation", remedy="give leaky:0.125, say"
        ) from None
