"""What the parser refuses, in our words: the option, the value, what to give.

Rule: a value of the wrong type reads as one that a verb refuses, whichever version of Typer parses:
older ones say ``'x' is not a valid float.``, newer ones hand on a sentence of Pydantic's.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any, Final

from adderlab.cli.arguments import as_typed, options_of
from adderlab.errors import OptionError

LONGEST_VALUE: Final = 40
EXPECTED: Final = (
    ("integer", "a whole number"),
    ("float", "a number"),
    ("number", "a number"),
)
"""What a word in the parser's sentence says that the option takes."""


def refusal_of(error: BaseException, group: Any, arguments: Sequence[str]) -> OptionError | None:
    """Return what the parser refuses; ``None`` if there was no command, and help was printed.

    Args:
        error: what the parser raised.
        group: the click group of all commands.
        arguments: the command line, its command first.
    """
    text = getattr(error, "format_message", lambda: str(error))().strip().rstrip(".")
    if not text:
        return None
    name = next((name for name in arguments if name in group.commands), "")
    remedy = f"see '{f'adderlab {name}'.rstrip()} --help'"
    parameter, reason = getattr(error, "param", None), getattr(error, "message", "")
    option = getattr(error, "option_name", "")
    if parameter is not None and reason:
        return _refused_value(error, parameter, reason, remedy)
    if option and "requires" in text:
        return OptionError("a value is missing", where=option, remedy=remedy)
    if option and "does not take" in text:
        return OptionError("takes no value", where=option, remedy=f"write {option} alone")
    return _misspelt(error, text, name, group, arguments, remedy)


def _misspelt(
    error: BaseException, text: str, name: str, group: Any, arguments: Sequence[str], remedy: str
) -> OptionError:
    """Return the error of a command, option or argument that is unknown, missing or too much."""
    option = getattr(error, "option_name", "")
    if option:
        known = options_of(group.commands[name] if name else group).values()
        names = [key.lstrip("-") for key in known if key.startswith("-")]
        near = difflib.get_close_matches(option.lstrip("-"), names, n=1)
        what = f"no such option {option[:LONGEST_VALUE]}"
        if re.fullmatch(r"-\d", option):
            number = next((own for own in arguments if own.startswith(option)), option)
            return OptionError(
                f"{number[:LONGEST_VALUE]} is below 0", where=name, remedy="give whole numbers"
            )
        if near and option == f"--{near[0]}":
            return OptionError(
                f"{option} stands before {name}", remedy="write it after the command"
            )
        return OptionError(
            what, where=name, remedy=f"did you mean --{near[0]}?" if near else remedy
        )
    if match := re.match(r"No such command '(.*?)'", text, re.DOTALL):
        near = difflib.get_close_matches(match[1], group.commands, n=1)
        what = f"no such command {match[1][:LONGEST_VALUE]!r}"
        return OptionError(what, remedy=f"did you mean {near[0]}?" if near else remedy)
    if match := re.match(r"Missing argument '(.*?)'", text):
        return OptionError(f"{match[1]} is missing", where=name, remedy=remedy)
    if match := re.match(r"Got unexpected extra arguments? ?(?:\(s\) )?\((.*)\)", text, re.DOTALL):
        what = f"takes no further argument, got {match[1][:LONGEST_VALUE]}"
        return OptionError(what, where=name, remedy=remedy)
    return OptionError(text, where=name, remedy=remedy)


def _refused_value(error: BaseException, parameter: Any, reason: str, remedy: str) -> OptionError:
    """Return the error of a value that is not of the option's type."""
    value = _value_of(error, reason)
    _, is_choice, choices = reason.rstrip(".").partition(" is not one of ")
    if is_choice:
        rule = f"one of {choices.replace(chr(39), '')}"
    else:
        rule = next((rule for word, rule in EXPECTED if word in reason), "")
    if value is None or not rule:
        what = reason.removeprefix("Value error, ").rstrip(".")
        return OptionError(what, where=as_typed(parameter), remedy=remedy)
    shown = value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}…"
    return OptionError(f"got {shown!r}", where=as_typed(parameter), remedy=f"give {rule}")


def _value_of(error: BaseException, reason: str) -> str | None:
    """Return the value that was given, from Pydantic's error or click's sentence."""
    errors = getattr(error.__cause__, "errors", None)
    if errors is not None:
        return str(errors()[0]["input"])
    match = re.match(r"'(.*?)' is not ", reason, re.DOTALL)
    return match[1] if match else None
