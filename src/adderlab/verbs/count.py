"""``count``: parameters, operations and bytes of whatever is named, in one function."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias, overload

from adderlab.checking import checked
from adderlab.counting.adapters import adapter_tensors
from adderlab.counting.config_file import count_config
from adderlab.counting.gguf import count_gguf
from adderlab.counting.gguf_header import is_gguf
from adderlab.counting.headers import count_safetensors
from adderlab.counting.kv_cache import cache_options
from adderlab.counting.model_count import ModelCount, Unpublished, count_model, count_number
from adderlab.counting.modules import count_module, distinct_parameters, is_module
from adderlab.counting.network_count import Count, count_network
from adderlab.counting.sizes import parameter_count
from adderlab.errors import ModelError, NetworkError, OptionError
from adderlab.nets import Network

if TYPE_CHECKING:
    from torch import nn

SUBJECTS: Final = ("net", "model", "config", "safetensors", "gguf", "parameters")
"""The arguments of which exactly one is given."""

Files: TypeAlias = str | Path | Sequence[str | Path]


@overload
def count(net: Network | str | Path, *, training: str | None = None) -> Count | ModelCount: ...
@overload
def count(net: nn.Module, *, training: str | None = None) -> Count | ModelCount: ...
@overload
def count(
    *,
    model: str,
    training: str | None = None,
    context: int | None = None,
    batch: int | None = None,
) -> ModelCount | Unpublished: ...
@overload
def count(
    *,
    config: str | Path,
    training: str | None = None,
    context: int | None = None,
    batch: int | None = None,
) -> ModelCount: ...
@overload
def count(*, safetensors: Files, training: str | None = None) -> ModelCount: ...
@overload
def count(*, gguf: Files, training: str | None = None) -> ModelCount: ...
@overload
def count(*, parameters: str | float, training: str | None = None) -> ModelCount: ...
@overload
def count(
    net: Network | str | Path | nn.Module | None = None,
    *,
    model: str | None = None,
    config: str | Path | None = None,
    safetensors: Files | None = None,
    gguf: Files | None = None,
    parameters: str | float | None = None,
    training: str | None = None,
    context: int | None = None,
    batch: int | None = None,
) -> Count | ModelCount | Unpublished: ...
@checked
def count(
    net: Any = None,
    *,
    model: str | None = None,
    config: str | Path | None = None,
    safetensors: Files | None = None,
    gguf: Files | None = None,
    parameters: str | float | None = None,
    training: str | None = None,
    context: int | None = None,
    batch: int | None = None,
) -> Count | ModelCount | Unpublished:
    """Return the parameters, operations and bytes of one thing.

    Exactly one of the first six is given.

    Args:
        net: a network, the path of a network file, or any PyTorch module, also one on the meta
            device; a module that can't be read as a network is counted by its modules.
        model: the name of a model with published hyper-parameters, as ``llama-3-8b``.
        config: a model's ``config.json``; or an ``adapter_config.json`` beside its tensors.
        safetensors: its weight files, or their index; the headers alone are read. Packed weights
            (GPTQ, AWQ, bitsandbytes, MXFP4, NVFP4, MLX) count as the numbers that they stand for.
        gguf: a GGUF file, or all parts of a split one; the header alone is read.
        parameters: a round number, as ``500e9`` or ``"7B"``.
        training: ``sgd``, ``momentum`` or ``adam``, to add gradients and optimizer state.
        context: of ``model`` and ``config``: tokens, to add the memory of keys and values.
        batch: sequences that keep keys and values at once; 1 by default.

    Raises:
        OptionError: not exactly one is given, there is no such model or optimizer, or a
            context does not apply.
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
    subjects = [net, model, config, safetensors, gguf, parameters]
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
    cache = cache_options(context, batch)
    if cache is not None and model is None and config is None:
        raise OptionError(
            "keys and values follow from hyper-parameters alone",
            where="context",
            remedy="give `config` or `model`",
        )
    if model is not None:
        return count_model(model, training=training, cache=cache)
    if config is not None:
        tensors = adapter_tensors(Path(config))
        if tensors is not None:
            return count_safetensors(tensors, training=training)
        return count_config(config, training=training, cache=cache)
    if safetensors is not None:
        return count_safetensors(safetensors, training=training)
    if gguf is not None:
        return count_gguf([gguf] if isinstance(gguf, str | Path) else gguf, training=training)
    if parameters is not None:
        return count_number(parameter_count(parameters), training=training)
    if isinstance(net, str | Path) and is_gguf(Path(net)):
        return count_gguf([net], training=training)
    if not is_module(net):
        return count_network(net, training=training)
    return _count_module(net, training)


def _count_module(module: Any, training: str | None) -> Count | ModelCount:
    """Return a module's count as a network where it has exactly that network's parameters."""
    try:
        counted = count_network(module, training=training)
    except (ModelError, NetworkError):  # it is a module all the same: on the meta device, say
        return count_module(module, training=training)
    if counted.raw == distinct_parameters(module)[0]:
        return counted
    return count_module(module, training=training)
