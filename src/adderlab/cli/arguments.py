"""From the arguments that an error or a remark names to the options of the command line.

Below ``cli/`` errors and remarks speak Python: ``where`` may be the name of an argument, and texts
name arguments in backticks. Here both become what the user typed, ``--keep`` for ``keep``, and a
call in backticks the command: ``adderlab train --out`` for ``train(out=…)``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from adderlab.errors import AdderlabError

if TYPE_CHECKING:
    from adderlab.blocks import Block

NAMES: Final = {
    "format": "to",
    "formats": "format",
    "length": "chain",
    "max_memory_bytes": "max_memory",
    "model": "net",
    "page": "html",
    "symmetric": "asymmetric",
    "timeout_s": "timeout",
}
"""Arguments of verbs that have another name on the command line."""

ORDER: Final = {name: f"--{name}" for name in ("bits", "inputs", "outputs")}
"""The options of an order of bits, which every command that takes a task has alike."""

_ARGUMENT: Final = re.compile(r"`(\w+)`")
_CALL: Final = re.compile(r"`(\w+)\((\w+)=…\)`")


def with_options(error: AdderlabError, group: Any, arguments: Sequence[str]) -> AdderlabError:
    """Return the error with options instead of arguments.

    Args:
        error: what was raised.
        group: the click group of all commands.
        arguments: the command line, its command first.
    """
    command = next((group.commands[name] for name in arguments if name in group.commands), None)
    options = {} if command is None else options_of(command)

    def option(name: str) -> str | None:
        return options.get(name) or options.get(NAMES.get(name, ""))

    def command_of(call: re.Match[str]) -> str:
        own = options_of(group.commands[call[1]])
        return f"adderlab {call[1]} {own[call[2]]}"

    def in_text(text: str) -> str:
        text = _CALL.sub(command_of, text)
        return _ARGUMENT.sub(lambda match: option(match[1]) or match[1], text)

    name, space, rest = error.where.partition(" ")
    where = f"{option(name) or name}{space}{rest}"
    return type(error)(in_text(error.what), where=where, remedy=in_text(error.remedy))


def remarks_with_options(blocks: Iterable[Block], options: Mapping[str, str]) -> Iterator[Block]:
    """Return the blocks, with options instead of arguments in their lines.

    Args:
        blocks: of a result.
        options: by argument, as they are shown: ``--task TASK`` for ``task``.
    """
    from adderlab.blocks.kinds import in_other_words

    def in_text(text: str) -> str:
        return _ARGUMENT.sub(lambda match: options.get(match[1], match[0]), text)

    return in_other_words(blocks, in_text)


def options_of(command: Any) -> dict[str, str]:
    """Return for each parameter of a command how it is written."""
    return {parameter.name: as_typed(parameter) for parameter in command.params}


def as_typed(parameter: Any) -> str:
    """Return how a parameter is written: ``--keep``, or ``NET``."""
    if parameter.opts[0].startswith("-"):
        return max(parameter.opts, key=len)
    return parameter.metavar or parameter.name.upper()
