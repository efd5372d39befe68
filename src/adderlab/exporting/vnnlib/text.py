"""Properties as text, and back: VNN-LIB 1.0, a part of SMT-LIB.

References:
    Demarchi et al., "Supporting Standardization of Neural Networks Verification with VNNLIB and
    CoCoNet" (2023); the files of VNN-COMP, https://github.com/VNN-COMP
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from adderlab.errors import NetworkFileError
from adderlab.exporting.vnnlib.conditions import Condition

_TOKEN: Final = re.compile(r"[()]|[^\s()]+")
_COMMENT: Final = re.compile(r";[^\n]*")
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Case:
    """A row with an output that is wrong on it.

    Attributes:
        inputs: the bits of the row.
        output: the number of the output.
        condition: that the output meets.
    """

    inputs: tuple[int, ...]
    output: int
    condition: Condition


@dataclass(frozen=True, slots=True)
class Property:
    """What is asked of a verifier: whether any case can be.

    Attributes:
        n_in: inputs.
        n_out: outputs.
        cases: the cases.
    """

    n_in: int
    n_out: int
    cases: tuple[Case, ...]


def property_text(what: Property, comments: Iterable[str]) -> str:
    """Return the file of a property.

    Args:
        what: the property.
        comments: lines that stand above it.
    """
    lines = [f"; {line}".rstrip() for line in comments]
    lines.append("")
    lines += [f"(declare-const X_{number} Real)" for number in range(what.n_in)]
    lines += [f"(declare-const Y_{number} Real)" for number in range(what.n_out)]
    lines += ["", "(assert (or"]
    for case in what.cases:
        row = " ".join(
            f"(>= X_{n} {bit}.0) (<= X_{n} {bit}.0)" for n, bit in enumerate(case.inputs)
        )
        sign = ">=" if case.condition.is_least else "<="
        lines.append(f"  (and {row} ({sign} Y_{case.output} {decimal(case.condition.bound)}))")
    lines += ["))", ""]
    return "\n".join(lines)


def decimal(value: Fraction) -> str:
    """Return a dyadic fraction as a decimal number, exactly.

    Examples:
        >>> decimal(Fraction(-3, 8)), decimal(Fraction(2))
        ('-0.375', '2.0')
    """
    places = max(value.denominator.bit_length() - 1, 1)
    whole = abs(value.numerator) * 10**places // value.denominator
    text = str(whole).rjust(places + 1, "0")
    return f"{'-' if value < 0 else ''}{text[:-places]}.{text[-places:]}"


def parsed(text: str) -> Property:
    """Return the property in a text that was written here; what was not is refused.

    Raises:
        NetworkFileError: with what is not as it is written here.
    """
    counts = {"X": 0, "Y": 0}
    cases: list[Case] = []
    for form in _forms(text):
        match form:
            case ["declare-const", str(name), "Real"] if name[:1] in counts and not cases:
                if name != f"{name[0]}_{counts[name[0]]}":
                    raise _fault(f"{name[:40]!r} is declared out of order")
                counts[name[0]] += 1
            case ["assert", ["or", *parts]] if not cases:
                cases = [_case(part, counts["X"], counts["Y"]) for part in parts]
            case _:
                raise _fault(f"{str(form)[:60]} is none of its forms")
    return Property(counts["X"], counts["Y"], tuple(cases))


def _forms(text: str) -> list[Any]:
    """Return the expressions of a text as lists within lists."""
    stack: list[list[Any]] = [[]]
    for token in _TOKEN.findall(_COMMENT.sub("", text)):
        if token == "(":  # noqa: S105 -- a bracket
            stack.append([])
        elif token == ")":  # noqa: S105 -- the other
            if len(stack) == 1:
                raise _fault("a bracket closes that was not opened")
            closed = stack.pop()
            stack[-1].append(closed)
        else:
            stack[-1].append(token)
    if len(stack) > 1:
        raise _fault("a bracket is not closed")
    return stack[0]


def _case(form: Any, n_in: int, n_out: int) -> Case:
    match form:
        case ["and", *rows, [">=" | "<=" as sign, str(name), bound]] if len(rows) == 2 * n_in:
            number = int(name[2:]) if re.fullmatch(r"Y_\d{1,9}", name) else n_out
            if number >= n_out:
                raise _fault(f"{name[:40]!r} is no output")
            inputs = tuple(_bit(rows[2 * at : 2 * at + 2], at) for at in range(n_in))
            return Case(inputs, number, Condition(sign == ">=", _number(bound)))
        case _:
            raise _fault(f"{str(form)[:60]} is no row with an output")


def _bit(pair: Any, number: int) -> int:
    match pair:
        case [[">=", str(low), least], ["<=", str(high), most]] if low == high == f"X_{number}":
            ends = _number(least), _number(most)
            if ends[0] == ends[1] and ends[0] in (0, 1):
                return int(ends[0])
        case _:
            pass
    raise _fault(f"X_{number} is no bit")


def _number(text: Any) -> Fraction:
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        raise _fault(f"{str(text)[:40]!r} is no decimal number")
    return Fraction(text)


def _fault(what: str) -> NetworkFileError:
    return NetworkFileError(what, where="property", remedy="export it again")
