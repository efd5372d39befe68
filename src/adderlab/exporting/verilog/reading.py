"""A module read back: its signals, and what is assigned to them.

Rule: this reads what :mod:`adderlab.exporting.verilog.module` writes and no more of Verilog; a line
that it does not know is a fault. A literal is what its bits say, ``2'sd3`` being -1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from adderlab.exporting.verilog.simulation import Fault

Tree: TypeAlias = tuple[Any, ...]
"""An expression: ``("number", 3)``, ``("name", "fc1_0", bits)``, or an operator with its operands;
``bits`` are those that are selected, the highest and the lowest, or ``None``."""

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>\d+'s?[bdh][0-9a-f]+)|(?P<name>\w+)(?:\[(?P<high>\d+)(?::(?P<low>\d+))?\])?"
    r"|(?P<sign>>=|==|[-+*?:()>]))"
)
_ASSIGNED: Final = re.compile(r"(?:(wire) signed \[(\d+):0\] |(assign) )?([\w\[\]]+) *= (.*)\Z")
_DECLARED: Final = re.compile(r"reg signed \[(\d+):0\] (\w+)\Z")
_HEADER: Final = re.compile(r"module \w+ \([\w\[\]:, ]*\)\Z")


@dataclass(frozen=True, slots=True)
class Module:
    """What stands in a module.

    Attributes:
        widths: the bits of each signal, all of them signed.
        assigned: what is assigned to each, and to each bit of an output.
        bits: which bit of an input a signal is, by the signal.
    """

    widths: Mapping[str, int]
    assigned: Mapping[str, Tree]
    bits: Mapping[str, str]


def read_module(text: str) -> Module:
    """Return what stands in the first module of a text.

    Raises:
        Fault: something else stands there.
    """
    plain = re.sub(r"//.*", "", text).partition("endmodule")[0]
    plain = " ".join(plain.replace("`default_nettype none", "").split())
    plain = plain.replace("always @* begin ", "").replace("; end", ";")
    widths: dict[str, int] = {}
    assigned: dict[str, Tree] = {}
    bits: dict[str, str] = {}
    header, *statements = plain.split(";")
    if not _HEADER.match(header):
        raise Fault(f"its header reads {header[:60]!r}")
    for statement in filter(None, map(str.strip, statements)):
        declared = _DECLARED.match(statement)
        if declared:
            widths[declared[2]] = int(declared[1]) + 1
            continue
        match = _ASSIGNED.match(statement)
        if match is None or match[4] in assigned or match[4] in bits:
            raise Fault(f"its line {statement[:60]!r} is not what a network is written as")
        if match[1]:
            widths[match[4]] = int(match[2]) + 1
        if match[5].startswith("{1'b0, "):
            bits[match[4]] = match[5][7:-1]
        else:
            assigned[match[4]] = _parsed(match[5])
    return Module(widths, assigned, bits)


class _Tokens:
    """The tokens of an expression, taken from the left."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def peek(self) -> str:
        """Return the next sign; empty before a number or a name, and at the end."""
        match = _TOKEN.match(self._text, self._at)
        return (match["sign"] or "") if match else ""

    def take(self) -> re.Match[str]:
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            raise Fault(f"its expression {self._text[:60]!r} is not what a network is written as")
        self._at = match.end()
        return match

    @property
    def is_empty(self) -> bool:
        return self._at == len(self._text)


def _parsed(text: str) -> Tree:
    tokens = _Tokens(text.strip())
    tree = _choice(tokens)
    if not tokens.is_empty:
        _ = tokens.take()
        raise Fault(f"its expression {text[:60]!r} goes on after its end")
    return tree


def _choice(tokens: _Tokens) -> Tree:
    tree = _sum(tokens)
    if tokens.peek() in (">", ">=", "=="):
        tree = (tokens.take()["sign"], tree, _sum(tokens))
    if tokens.peek() != "?":
        return tree
    _ = tokens.take()
    first = _choice(tokens)
    if tokens.take()["sign"] != ":":
        raise Fault("a colon is missing in its expression")
    return ("?", tree, first, _choice(tokens))


def _sum(tokens: _Tokens) -> Tree:
    tree = _product(tokens)
    while tokens.peek() in ("+", "-"):
        tree = (tokens.take()["sign"], tree, _product(tokens))
    return tree


def _product(tokens: _Tokens) -> Tree:
    tree = _factor(tokens)
    while tokens.peek() == "*":
        tree = (tokens.take()["sign"], tree, _factor(tokens))
    return tree


def _factor(tokens: _Tokens) -> Tree:
    token = tokens.take()
    if token["sign"] == "-":
        tree = _factor(tokens)
        return ("number", -tree[1]) if tree[0] == "number" else ("-", ("number", 0), tree)
    if token["sign"] == "(":
        tree = _choice(tokens)
        if tokens.take()["sign"] != ")":
            raise Fault("a bracket is missing in its expression")
        return tree
    if token["number"]:
        return ("number", _number(token["number"]))
    if not token["name"]:
        raise Fault(f"a {token['sign']!r} stands where an operand should, in its expression")
    high = token["high"]
    return ("name", token["name"], high and (int(high), int(token["low"] or high)))


def _number(text: str) -> int:
    width, _, digits = text.partition("'")
    is_signed = digits.startswith("s")
    base, digits = digits.lstrip("s")[0], digits.lstrip("s")[1:]
    value = int(digits, {"b": 2, "d": 10, "h": 16}[base])
    return wrapped(value, int(width)) if is_signed else value


def wrapped(value: int, width: int) -> int:
    """Return what so many bits hold of a number, signed."""
    half = 1 << (width - 1)
    return (value + half) % (1 << width) - half


def value_of(tree: Tree, values: Mapping[str, int]) -> int:
    """Return an expression's value, all signals being signed and wide enough.

    Raises:
        Fault: it reads a signal that has no value.
    """
    match tree:
        case ("number", number):
            return number
        case ("name", name, bits):
            if name not in values:
                raise Fault(f"{name} is read where it should not be")
            value = values[name]
            return value if not bits else (value >> bits[1]) % (1 << (bits[0] - bits[1] + 1))
        case ("?", condition, first, second):
            return value_of(first if value_of(condition, values) else second, values)
        case (sign, left, right):
            own, other = value_of(left, values), value_of(right, values)
            match sign:
                case "+":
                    return own + other
                case "-":
                    return own - other
                case "*":
                    return own * other
                case ">":
                    return int(own > other)
                case ">=":
                    return int(own >= other)
                case _:
                    return int(own == other)
        case _:
            raise AssertionError(tree)


def factors_of(tree: Tree) -> dict[str, int]:
    """Return the factor of each signal in a sum, and under ``""`` what is added.

    Raises:
        Fault: it is no sum of signals times numbers.
    """
    match tree:
        case ("number", number):
            return {"": number}
        case ("name", name, None):
            return {name: 1, "": 0}
        case ("+" | "-" as sign, left, right):
            total = factors_of(left)
            for name, factor in factors_of(right).items():
                total[name] = total.get(name, 0) + (factor if sign == "+" else -factor)
            return total
        case ("*", ("number", number), right):
            return {name: number * factor for name, factor in factors_of(right).items()}
        case _:
            raise Fault("what should be a sum is none")
