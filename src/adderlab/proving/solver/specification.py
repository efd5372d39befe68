"""A task's specification as an SMT-LIB condition that holds exactly where the outputs are wrong.

Rule: the condition is about input and output bits alone, integers 0 or 1, in the task's
own terms; nothing of the network is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from adderlab.proving.linear_forms import LINEAR_FORMS, kind_of, places
from adderlab.tasks import Task

Terms: TypeAlias = Mapping[str, str]
"""The SMT-LIB term of each named bit."""


def is_specified(task: Task) -> bool:
    """Return whether the task has a specification in SMT-LIB."""
    return kind_of(task) in {*LINEAR_FORMS, *DEFINED, "multiplier"}


def is_wrong(task: Task, bits: Terms) -> str:
    """Return the condition on the input and output bits under which the outputs are wrong."""
    kind = kind_of(task)
    if kind in LINEAR_FORMS:
        return f"(not (= 0 {weighted(LINEAR_FORMS[kind](task), bits)}))"
    if kind == "multiplier":
        return f"(not (= {weighted(places(task, 'p', 1), bits)} {_product(task, bits)}))"
    rights = [f"(= (= 1 {bits[bit]}) {expected})" for bit, expected in DEFINED[kind](task, bits)]
    return f"(not (and {' '.join(rights)}))"


def whole(number: int) -> str:
    """Return a whole number as SMT-LIB writes it."""
    return str(number) if number >= 0 else f"(- {-number})"


def total(terms: list[str]) -> str:
    """Return the sum of terms."""
    if len(terms) < 2:
        return terms[0] if terms else "0"
    return f"(+ {' '.join(terms)})"


def product(weight: int, term: str) -> str:
    """Return a term times a whole number."""
    return term if weight == 1 else f"(* {whole(weight)} {term})"


def weighted(weights: Mapping[str, int], bits: Terms) -> str:
    """Return the weighted sum of bits."""
    return total([product(weight, bits[bit]) for bit, weight in weights.items()])


Definition: TypeAlias = list[tuple[str, str]]
"""Output bits, each with the condition under which it should be 1."""


def _product(task: Task, bits: Terms) -> str:
    """Return the product of the operands: the second, shifted, where a bit of the first is 1."""
    first, second = task.inputs
    parts = [
        f"(ite (= 1 {bits[bit]}) {weighted(places(task, second.name, place), bits)} 0)"
        for bit, place in places(task, first.name, 1).items()
    ]
    return total(parts)


def _comparator(task: Task, bits: Terms) -> Definition:
    a, b = (weighted(places(task, word.name, 1), bits) for word in task.inputs)
    return [("lt", f"(< {a} {b})"), ("eq", f"(= {a} {b})"), ("gt", f"(> {a} {b})")]


def _parity(task: Task, bits: Terms) -> Definition:
    ones = " ".join(f"(= 1 {bits[bit]})" for bit in task.input_bits)
    return [("p", f"(xor false {ones})")]


def _majority(task: Task, bits: Terms) -> Definition:
    ones = weighted(dict.fromkeys(task.input_bits, 1), bits)
    return [("m", f"(> {ones} {task.n_in // 2})")]


DEFINED: Final[dict[str, Callable[[Task, Terms], Definition]]] = {
    "comparator": _comparator,
    "parity": _parity,
    "majority": _majority,
}
"""Tasks by their own definition."""
