"""``count``: parameters, operations and bytes of whatever is named, in one function."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, overload

from adderlab.counting.config_file import count_config
from adderlab.counting.headers import count_safetensors
from adderlab.counting.model_count import ModelCount, Unpublished, count_model, count_number
from adderlab.counting.modules import count_module, is_module
from adderlab.counting.network_count import Count, count_network
from adderlab.counting.sizes import parameter_count
from adderlab.errors import ModelError, NetworkError, OptionError
from adderlab.nets import Network

if TYPE_CHECKING:
    from torch import nn

SUBJECTS: Final = ("net", "model", "config", "safetensors", "parameters")
"""The arguments of which exactly one is given."""


@overload
def count(net: Network | str | Path, *, training: str | None = None) -> Count: ...
@overload
def count(net: nn.Module, *, training: str | None = None) -> Count | ModelCount: ...
@overload
def count(*, model: str, training: str | None = None) -> ModelCount | Unpublished: ...
@overload
def count(*, config: str | Path, training: str | None = None) -> ModelCount: ...
@overload
def count(
    *, safetensors: str | Path | Sequence[str | Path], training: str | None = None
) -> ModelCount: ...
@overload
def count(*, parameters: str | float, training: str | None = None) -> ModelCount: ...
@overload
def count(
    net: Network | str | Path | nn.Module | None = None,
    *,
    model: str | None = None,
    config: str | Path | None = None,
    safetensors: str | Path | Sequence[str | Path] | None = None,
    parameters: str | float | None = None,
    training: str | None = None,
) -> Count | ModelCount | Unpublished: ...
def count(
    net: Any = None,
    *,
    model: str | None = None,
    config: str | Path | None = None,
    safetensors: str | Path | Sequence[str | Path] | None = None,
    parameters: str | float | None = None,
    training: str | None = None,
) -> Count | ModelCount | Unpublished:
    """Return the parameters, operations and bytes of one thing.

    Exactly one of the first five is given.

    Args:
        net: a network, the path of a network file, or any PyTorch module, also one on the meta
            device; a module that can't be read as a network is counted by its modules.
        model: the name of a model with published hyper-parameters, as ``llama-3-8b``.
        config: a model's ``config.json``.
        safetensors: its weight files, or their index; the headers alone are read.
        parameters: a round number, as ``500e9`` or ``"7B"``.
        training: ``sgd``, ``momentum`` or ``adam``, to add gradients and optimizer state.

    Raises:
        OptionError: not exactly one is given, or there is no such model or optimizer.
        NetworkFileError: a file is no network, or damaged.
        ModelError: ``net`` is none of these.

    Examples:
        >>> import adderlab
        >>> adderlab.count(adderlab.build("half-adder", method="lecture").network)
        Count: 17 parameters (fc1: 2*3 + 3 = 9; fc2: 3*2 + 2 = 8), 68 bytes in fp32
        >>> adderlab.count(model="llama-3-8b").raw
        8030261248
        >>> adderlab.count(parameters=500e9).bytes["int2"]
        125000000000
    """
    subjects = [net, model, config, safetensors, parameters]
    names = [
        f"`{name}`" for name, value in zip(SUBJECTS, subjects, strict=True) if value is not None
    ]
    if len(names) != 1:
        choices = ", ".join(f"`{name}`" for name in SUBJECTS)
        raise OptionError(
            f"got {' and '.join(names)}" if names else "nothing to count was given",
            where="count",
            remedy=f"give exactly one of {choices}",
        )
    if model is not None:
        return count_model(model, training=training)
    if config is not None:
        return count_config(config, training=training)
    if safetensors is not None:
        return count_safetensors(safetensors, training=training)
    if parameters is not None:
        return count_number(parameter_count(parameters), training=training)
    if not is_module(net):
        return count_network(net, training=training)
    try:
        return count_network(net, training=training)
    except (ModelError, NetworkError):  # it is a module all the same: on the meta device, say
        return count_module(net, training=training)
