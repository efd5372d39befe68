"""How numbers are put on a format's levels: with what scale, for what group, around what zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from adderlab.errors import FormatError, OptionError
from adderlab.formats import FORMATS, Format, format_named

SCALES: Final = ("none", "power-of-two", "free")
GROUPS: Final = ("tensor", "channel")


@dataclass(frozen=True, slots=True)
class Scheme:
    """Values are ``scale * (q - zero)``; this says which scales and zeros there may be.

    Attributes:
        scale: ``none`` (every scale is 1), ``power-of-two``, or ``free`` (any fp16 number where
            the format has few bits).
        per: one scale for a ``tensor``, or one for each ``channel`` (output unit) of a weight;
            a bias always has one.
        symmetric: whether the zero is 0.
    """

    scale: str = "none"
    per: str = "tensor"
    symmetric: bool = True

    def __post_init__(self) -> None:
        for name, value, choices in (
            ("scale", self.scale, SCALES),
            ("per", self.per, GROUPS),
        ):
            if value not in choices:
                raise OptionError(
                    f"got {value[:40]!r}", where=name, remedy=f"give one of {', '.join(choices)}"
                )
        if self.scale == "none" and (self.per != "tensor" or not self.symmetric):
            raise OptionError(
                "without a scale there is nothing to share, and no zero point",
                where="scale",
                remedy="leave out `per` and `symmetric`, or take free or power-of-two",
            )

    def check(self, form: Format) -> None:
        """Raise where the scheme makes no sense in a format.

        Raises:
            FormatError: a zero point in a float or binary format.
        """
        if not self.symmetric and (form.kind == "float" or form.name == "binary"):
            why = "floats have a sign" if form.kind == "float" else "it has two levels"
            raise FormatError(
                f"{form.name} takes no zero point: {why}",
                where="symmetric",
                remedy="leave it out",
            )

    def to_dict(self) -> dict[str, Any]:
        """Return ``scale``, what it is ``per``, and whether it is ``symmetric``."""
        return {"scale": self.scale, "per": self.per, "symmetric": self.symmetric}

    @property
    def short(self) -> str:
        """The scheme in a column's width: ``free/channel+zero``."""
        if self.scale == "none":
            return "none"
        name = "2^k" if self.scale == "power-of-two" else self.scale
        return f"{name}/{self.per}" + ("" if self.symmetric else "+zero")

    def __str__(self) -> str:
        if self.scale == "none":
            return "no scale"
        kind = "symmetric" if self.symmetric else "asymmetric"
        return f"{kind}, {self.scale} scale per {self.per}"


PLAIN: Final = Scheme()
SCHEMES: Final = (
    PLAIN,
    *(
        Scheme(scale, per, symmetric)
        for scale in ("power-of-two", "free")
        for per in GROUPS
        for symmetric in (True, False)
    ),
)
"""Every scheme, from the fewest additional bytes to the most."""


def target_format(name: str, own: str) -> Format:
    """Return a format that it makes sense to put a network of the format ``own`` into.

    Raises:
        FormatError: there is no such format, it has no fixed size, or it takes more bits.
    """
    form = format_named(name)
    before = FORMATS[own]
    if form.kind == "wide":
        raise FormatError(
            "wide takes as many bits as a number needs, never fewer",
            where="to",
            remedy="name an integer or a float format",
        )
    if before.bits and form.bits > before.bits:
        raise FormatError(
            f"{form.name} takes {form.bits} bits a parameter, the network's own {own} "
            f"{before.bits}",
            where="to",
            remedy="name a format of fewer bits",
        )
    return form
