"""What an activation can be told: its options, with their defaults and what they may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from adderlab.errors import NetworkError
from adderlab.nets.convention import CONVENTIONS
from adderlab.nets.readout import check_choice, finite

MOST_SLOPES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a kind of activation.

    Attributes:
        kind: ``number``; ``limit``, a number or ``None``; ``numbers``, a tuple of them; ``choice``.
        default: what it is unless given; ``None`` of a number, which must be given then.
        choices: of a ``choice``.
    """

    kind: Literal["number", "limit", "numbers", "choice"] = "number"
    default: Any = None
    choices: tuple[str, ...] = ()

    def checked(self, value: Any, name: str) -> Any:
        """Return the value that is meant, as a float, floats or text.

        Raises:
            NetworkError: it is none.
        """
        if (value is None and self.kind != "limit") or value == ():
            value = self.default
        if self.kind == "choice":
            check_choice(str(value), self.choices, name)
            return value
        if value is None:
            if self.kind == "limit":
                return None
            raise NetworkError(
                f"the {name} is not given", where=name, remedy=f"give a number as the {name}"
            )
        if self.kind != "numbers":
            return _number(value, name)
        if not isinstance(value, Sequence | np.ndarray) or isinstance(value, str):
            raise _refused(value, name, "a list of numbers")
        if not 1 <= len(value) <= MOST_SLOPES:
            raise NetworkError(
                f"there are {len(value)} {name}",
                where=name,
                remedy=f"give 1 to {MOST_SLOPES}: one for all units, or one for each",
            )
        return tuple(_number(number, name) for number in value)


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise _refused(value, name, "a finite number")
    try:
        return finite(float(value), name)
    except OverflowError:
        raise NetworkError(
            f"the {name} is beyond every double", where=name, remedy="give a smaller number"
        ) from None


def _refused(value: Any, name: str, rule: str) -> NetworkError:
    return NetworkError(f"the {name} is {repr(value)[:40]}", where=name, remedy=f"give {rule}")


CONVENTION: Final = Option("choice", ">", CONVENTIONS)
