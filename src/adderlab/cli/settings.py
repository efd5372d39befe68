"""The options of a training run, declared once for the commands that train.

Rule: a command has one parameter, ``settings``, and the options stand in its place; what reaches
the command is a dictionary that :func:`adderlab.training.make_settings` takes.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from copy import copy
from typing import Annotated, Any, Final, get_args

import typer

from adderlab.cli import completion
from adderlab.cli.options import (
    DataChoice,
    InitChoice,
    LossChoice,
    OptimizerChoice,
    integer,
    parse_integer,
)
from adderlab.errors import OptionError

PLACE: Final = "settings"
"""The parameter of a command that the options stand for."""


def settings_from(
    *,
    hidden: Annotated[
        str, typer.Option(metavar="N|NxM", help="Hidden units; 16x8 makes two layers.")
    ] = "3",
    lr: Annotated[float, typer.Option(help="Learning rate.")] = 0.1,
    steps: Annotated[
        int, typer.Option(parser=integer, help="Updates; 0 leaves the network untrained.")
    ] = 1000,
    batch: Annotated[
        str,
        typer.Option(
            metavar="full|1|K",
            help="Samples a step: all (GD), 1 (SGD), K (minibatch).",
            autocompletion=completion.words("full"),
        ),
    ] = "full",
    samples: Annotated[
        int, typer.Option(parser=integer, help="Random operand pairs to learn from.")
    ] = 1000,
    data: Annotated[
        DataChoice, typer.Option(help="Learn from samples, or every row once.")
    ] = DataChoice.SAMPLES,
    optimizer: Annotated[OptimizerChoice, typer.Option(help="Optimizer.")] = OptimizerChoice.SGD,
    momentum: Annotated[float, typer.Option(help="Of --optimizer momentum.")] = 0.9,
    weight_decay: Annotated[
        float, typer.Option(help="This times a weight is added to its gradient.")
    ] = 0.0,
    loss: Annotated[LossChoice, typer.Option(help="Loss.")] = LossChoice.MSE,
    activation: Annotated[
        str,
        typer.Option(
            metavar="KIND",
            help="Of the hidden units: relu, leaky:S, tanh, sigmoid, gelu, silu, elu, selu, mish, "
            "softplus, hardtanh or another (docs/training.md).",
            autocompletion=completion.words(*completion.ACTIVATIONS),
        ),
    ] = "relu",
    init: Annotated[InitChoice, typer.Option(help="How the weights start.")] = InitChoice.TORCH,
    init_scale: Annotated[float, typer.Option(help="A factor on the start.")] = 1.0,
) -> dict[str, Any]:
    """Return the settings that the options name."""
    return {
        "hidden": hidden_widths(hidden),
        "lr": lr,
        "steps": steps,
        "batch": batch_size(batch),
        "samples": samples,
        "data": data.value,
        "optimizer": optimizer.value,
        "momentum": momentum,
        "weight_decay": weight_decay,
        "loss": loss.value,
        "activation": activation,
        "init": init.value,
        "init_scale": init_scale,
    }


def with_settings(command: Callable[..., None], **helps: str) -> Callable[..., None]:
    """Return the command with the options of a training run in place of ``settings``.

    Args:
        command: with a parameter ``settings``.
        **helps: help texts that differ from those above, by option.
    """
    shared = inspect.signature(settings_from, eval_str=True).parameters
    signature = inspect.signature(command, eval_str=True)
    parameters: list[inspect.Parameter] = []
    for name, parameter in signature.parameters.items():
        options = shared.values() if name == PLACE else (parameter,)
        parameters += [_with_help(option, helps.get(option.name)) for option in options]

    @functools.wraps(command)
    def with_options(**values: Any) -> None:
        settings = settings_from(**{name: values.pop(name) for name in shared})
        command(**values, **{PLACE: settings})

    with_options.__dict__["__signature__"] = signature.replace(parameters=parameters)
    with_options.__annotations__ = {entry.name: entry.annotation for entry in parameters}
    return with_options


def _with_help(option: inspect.Parameter, text: str | None) -> inspect.Parameter:
    if text is None:
        return option
    kind, info = get_args(option.annotation)
    changed = copy(info)
    changed.help = text
    return option.replace(annotation=Annotated[kind, changed])


def hidden_widths(text: str) -> int | tuple[int, ...]:
    """Return the hidden units that ``--hidden`` names: ``3``, or ``16x8`` for two layers.

    Raises:
        OptionError: it is neither.
    """
    try:
        widths = tuple(parse_integer(part) for part in text.lower().split("x"))
    except ValueError:
        raise OptionError(
            f"got {text}",
            where="--hidden",
            remedy="give a whole number, or one for each layer: 16x8",
        ) from None
    return widths[0] if len(widths) == 1 else widths


def sides_of(text: str) -> str:
    """Return the sides that ``--size`` names with their digits written out: ``1e2`` as ``100``.

    Raises:
        OptionError: they are no whole numbers.
    """
    try:
        return "x".join(str(parse_integer(part)) for part in text.lower().split("x"))
    except ValueError:
        raise OptionError(
            f"got {text}", where="--size", remedy="give a whole number, or two: 640x480"
        ) from None


def batch_size(text: str) -> int | None:
    """Return the samples a step that ``--batch`` names; ``None`` for all of them.

    Raises:
        OptionError: it is neither ``full`` nor a whole number.
    """
    if text == "full":
        return None
    try:
        return parse_integer(text)
    except ValueError:
        raise OptionError(
            f"got {text!r}", where="--batch", remedy="give full, or a whole number of samples"
        ) from None
