"""What a file of weights does not say: options of every command that reads a network.

A command is wrapped by :func:`reads_weights`, which adds the options and, where one is given, hands
the command the file with them in place of its path.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from adderlab.cli import completion
from adderlab.errors import OptionError

PANEL: Final = "Of a file of weights alone"

LAYERS: Final = typer.Option(
    "--layers", metavar="SIZES", help="From input to output: 2,3,2.", rich_help_panel=PANEL
)
ACTIVATION: Final = typer.Option(
    "--activation",
    metavar="A",
    help="Between its layers, or one for each: relu,sigmoid.",
    rich_help_panel=PANEL,
)
READOUT: Final = typer.Option(
    "--readout",
    metavar="R",
    help="How outputs become bits: 0.5, '>= 0', exact or argmax.",
    autocompletion=completion.words("exact", "argmax", "0", "0.5"),
    rich_help_panel=PANEL,
)
NETLIST: Final = typer.Option(
    "--netlist",
    metavar="FILE",
    help="Which gate reads which, as JSON.",
    autocompletion=completion.files(".json"),
    rich_help_panel=PANEL,
)

OPTIONS: Final[dict[str, Any]] = {
    "layers": Annotated[str | None, LAYERS],
    "activation": Annotated[str | None, ACTIVATION],
    "readout": Annotated[str | None, READOUT],
    "netlist": Annotated[Path | None, NETLIST],
}

FILES: Final = ("net", "net1", "net2")
"""Arguments that are networks' files."""


def reads_weights(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command with :data:`OPTIONS`, but for those that it has itself."""
    signature = inspect.signature(command, eval_str=True)
    options = {name: kind for name, kind in OPTIONS.items() if name not in signature.parameters}
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in options.items()
    ]

    @wraps(command)
    def with_options(**arguments: Any) -> None:
        file_options = {name: arguments.pop(name) for name in options}
        file_options = {name: value for name, value in file_options.items() if value is not None}
        return command(**(_described(arguments, file_options) if file_options else arguments))

    parameters = [*signature.parameters.values(), *added]
    with_options.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined] -- what the parser reads
    with_options.__annotations__ = {p.name: p.annotation for p in parameters}
    return with_options


def number_or_text(text: str | None) -> float | str | None:
    """Return a number where the option is one, so that it is the threshold of ``>``."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return text


def _described(arguments: dict[str, Any], file_options: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments with what was given beside the paths of networks."""
    from adderlab.nets.importing import NetworkFile  # it loads NumPy

    names = [name for name in FILES if arguments.get(name) is not None]
    if not names or arguments.get("safetensors") or arguments.get("gguf"):
        raise OptionError(
            "it is about a network's file, and there is none",
            where=f"--{next(iter(file_options))}",
            remedy="name the file, or leave the option out",
        )
    if "readout" in file_options:
        file_options = {**file_options, "readout": number_or_text(file_options["readout"])}
    return {**arguments, **{name: NetworkFile(arguments[name], **file_options) for name in names}}
