"""Arguments of public functions, checked by their annotations before anything is done with them.

Rule: what does not fit its annotation is an :class:`OptionError` that names the argument, whatever
the value is; no value is written out in full, as it may have millions of digits or contain itself.
Annotations that are none of those below are left to the function itself.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from fractions import Fraction
from numbers import Integral, Real
from pathlib import Path
from reprlib import Repr
from typing import Any, Final, ParamSpec, TypeVar, cast

from adderlab.errors import OptionError

MOST_BITS: Final = 256
"""Bits of a whole number: more than any argument takes, and products of a few fit in a double."""

MOST_LEVELS: Final = 64
"""Lists within lists: layers of weights take five."""

Inputs = ParamSpec("Inputs")
Output = TypeVar("Output")


def _is_whole(value: object) -> bool:
    return (
        isinstance(value, Integral)
        and not isinstance(value, bool)
        and int(value).bit_length() <= MOST_BITS
    )


def _is_real(value: object) -> bool:
    if isinstance(value, Fraction):
        return max(value.numerator.bit_length(), value.denominator.bit_length()) <= MOST_BITS
    is_whole = isinstance(value, Integral)
    return _is_whole(value) if is_whole else isinstance(value, Real)


def _is_words(value: object) -> bool:
    """Return whether a value is text, or whole numbers in a sequence or by name."""
    if isinstance(value, Mapping):
        return all(isinstance(name, str) and _is_integer(entry) for name, entry in value.items())
    if getattr(value, "ndim", 0) == 1 and hasattr(value, "tolist"):  # an array of NumPy
        value = cast("Any", value).tolist()
    is_listed = isinstance(value, list | tuple | range)
    return isinstance(value, str) or (is_listed and all(map(_is_integer, value)))


def _is_names(value: object) -> bool:
    is_listed = isinstance(value, list | tuple)
    return isinstance(value, str) or (is_listed and all(isinstance(part, str) for part in value))


def _is_integer(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_network(value: object) -> bool:
    """Return whether a value is a network, of a room that this one knows nothing of."""
    return any(base.__name__ == "Network" for base in type(value).__mro__)


def _is_list(value: object) -> bool:
    axes = getattr(value, "ndim", 0)  # of an array or a tensor
    return isinstance(value, list | tuple) or (isinstance(axes, int) and axes > 0)


_KINDS: Final[dict[str, tuple[Callable[[object], bool], str]]] = {
    "None": (lambda value: value is None, ""),
    "InputWords": (_is_words, "whole numbers, as text, in a list or by name"),
    "Words": (
        lambda value: _is_words(value) or _is_integer(value),
        "whole numbers, as text, in a list or by name",
    ),
    "Names": (_is_names, "names of words or bits, in a list or with commas between them"),
    "Network": (_is_network, "a Network"),
    "Path": (lambda value: isinstance(value, Path), "a path"),
    "bool": (lambda value: isinstance(value, bool), "True or False"),
    "float": (_is_real, "a number"),
    "Fraction": (_is_real, ""),
    "int": (_is_whole, "a whole number"),
    "list[Any]": (_is_list, "a list"),
    "str": (lambda value: isinstance(value, str), "text"),
}
"""What an annotation takes, and in words."""

_REPR: Final = Repr()
_REPR.maxlevel, _REPR.maxother, _REPR.maxstring = 2, 40, 40


def described(value: object) -> str:
    """Return a value in a few words, whatever it is.

    Examples:
        >>> described([1, "a"]), described(10**5000)
        ('a list', 'a number of 16610 bits')
    """
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        return f"a number of {value.bit_length()} bits"
    if type(value) in (bool, bytes, complex, float, int, str, type(None)):
        return _REPR.repr(value)
    return f"{'an' if type(value).__name__[0] in 'aeiou' else 'a'} {type(value).__name__[:40]}"


def checked(function: Callable[Inputs, Output]) -> Callable[Inputs, Output]:
    """Return the function with its arguments checked by their annotations."""
    signature = inspect.signature(function)
    kinds = {
        name: alternatives
        for name, parameter in signature.parameters.items()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        and (alternatives := _alternatives(parameter.annotation))
    }
    collected = next(
        (name for name, part in signature.parameters.items() if part.kind == part.VAR_KEYWORD), ""
    )

    @functools.wraps(function)
    def call(*args: Inputs.args, **kwargs: Inputs.kwargs) -> Output:
        try:
            arguments = signature.bind(*args, **kwargs).arguments
        except TypeError:
            return function(*args, **kwargs)  # which says it with its name
        for name, value in {**arguments, **arguments.get(collected, {})}.items():
            if name != collected:
                _check_depth(name, value)
            if name in kinds:
                check(name, value, kinds[name])
        return function(*args, **kwargs)

    return call


def _check_depth(name: str, value: object) -> None:
    """Refuse what is nested deeper than any table or weights are, or contains itself."""
    level: list[Any] = [value]
    for _ in range(MOST_LEVELS):
        entries = (
            entry
            for outer in level
            if isinstance(outer, dict | list | tuple)
            for entry in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(entry, dict | list | tuple)
        )
        level = list({id(entry): entry for entry in entries}.values())
        if not level:
            return
    raise OptionError(
        f"got {described(value)} nested more than {MOST_LEVELS} levels deep",
        where=name,
        remedy="give a flatter one",
    )


def check(name: str, value: object, alternatives: tuple[str, ...]) -> None:
    """Refuse a value that is none of the alternatives.

    Args:
        name: of the argument.
        value: what was given for it.
        alternatives: of an annotation: ``("str", "None")``.

    Raises:
        OptionError: with the argument, and what it takes.
    """
    if any(_is_kind(value, kind) for kind in alternatives):
        return
    words = " or ".join(word for word in map(_words, alternatives) if word)
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    is_large = is_number and any(kind in ("int", "float") for kind in alternatives)
    remedy = "give a smaller number" if is_large and isinstance(value, int) else f"give {words}"
    raise OptionError(f"got {described(value)}", where=name, remedy=remedy)


def _is_kind(value: object, kind: str) -> bool:
    inner = _inner(kind)
    if inner is None:
        return _KINDS[kind][0](value)
    is_listed = isinstance(value, list | tuple)
    return is_listed and all(any(_is_kind(part, kind) for kind in inner) for part in value)


def _words(kind: str) -> str:
    inner = _inner(kind)
    return _KINDS[kind][1] if inner is None else "a list of them"


def _inner(kind: str) -> tuple[str, ...] | None:
    """Return the alternatives of a sequence's entries; ``None`` of anything else."""
    is_sequence = kind.startswith("Sequence[") and kind.endswith("]")
    return tuple(kind[9:-1].split(" | ")) if is_sequence else None


def _alternatives(annotation: object) -> tuple[str, ...]:
    """Return the alternatives of an annotation; none where one of them is not known here."""
    if not isinstance(annotation, str):
        return ()
    simple, bracket, rest = annotation.partition("Sequence[")
    inside, _, after = rest.partition("]")
    kinds = [kind for kind in (simple + after).split(" | ") if kind]
    if bracket:
        kinds.append(f"Sequence[{inside}]")
    known = [part for kind in kinds for part in (_inner(kind) or (kind,))]
    return tuple(kinds) if all(part in _KINDS for part in known) else ()
