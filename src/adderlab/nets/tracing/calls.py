"""How a forward is called on rows of bits, and what it returns as one row of outputs for each.

Rule: what had to be assumed is said in a note.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, nn

from adderlab.blocks.numbers import counted
from adderlab.errors import ModelError
from adderlab.tasks.order import word_widths

if TYPE_CHECKING:
    from adderlab.tasks import Task

MOST_TRIED: Final = 24


@dataclass(frozen=True, slots=True)
class Call:
    """One way to call a forward.

    Attributes:
        n_in: input bits.
        widths: of the arguments.
        shape: of each argument beside the batch: its width is ``-1``.
        note: what was assumed; nothing where it is (batch, bits).
        batch: rows at a time; ``None`` for any number.
    """

    n_in: int
    widths: tuple[int, ...]
    shape: tuple[int, ...] = (-1,)
    note: str = ""
    batch: int | None = None

    @property
    def is_plain(self) -> bool:
        """Whether each argument is (batch, bits), or a bit a row."""
        return len(self.shape) < 2

    def arguments(self, bits: Tensor) -> tuple[Tensor, ...]:
        """Return the arguments that hold rows of bits."""
        parts = torch.split(bits, list(self.widths), dim=1)
        shapes = [tuple(width if s == -1 else s for s in self.shape) for width in self.widths]
        return tuple(
            part.reshape(len(bits), *shape).clone()
            for part, shape in zip(parts, shapes, strict=True)
        )


def calls_of(model: nn.Module, task: Task | None) -> Iterator[Call]:
    """Yield the ways in which a module may be called, the likeliest first."""
    count = _arguments(model)
    sizes = [task.n_in] if task is not None else list(_sizes(model, count))
    for n_in in sizes[:MOST_TRIED]:
        if count == 1:
            yield Call(n_in, (n_in,))
            continue
        words = word_widths(task) if task is not None else []
        if len(words) == count:
            named = f"each of its {count} arguments is given a word"
            yield Call(n_in, tuple(words), note=named)
        elif n_in % count == 0:
            each = counted(n_in // count, "bit")
            yield Call(n_in, (n_in // count,) * count, note=f"each argument is given {each}")
        if n_in == count:
            yield Call(n_in, (1,) * count, (), f"each of its {count} arguments is given a bit")
    for n_in in sizes[:MOST_TRIED] if count == 1 else []:
        yield Call(n_in, (n_in,), (-1, 1), "the bits are given one after another, as a sequence")
        yield Call(n_in, (n_in,), (1, -1), "the bits are given as one channel")


def _arguments(model: nn.Module) -> int:
    """Return how many arguments a forward needs."""
    try:
        parameters = inspect.signature(model.forward).parameters.values()
    except (TypeError, ValueError):
        return 1
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [p for p in parameters if p.kind in kinds and p.default is inspect.Parameter.empty]
    return max(1, len(needed))


def _sizes(model: nn.Module, count: int) -> Iterator[int]:
    """Yield how many input bits there may be, from the shapes of the weights."""
    tensors = [*model.parameters(), *model.buffers()]
    matrices = [tensor for tensor in tensors if tensor.ndim == 2 and tensor.is_floating_point()]
    sizes = [matrix.shape[axis] for axis in (1, 0) for matrix in matrices]
    sizes += [tensor.shape[0] for tensor in tensors if tensor.ndim == 1]
    if count > 1:
        sizes = [count, *sizes]
    yield from dict.fromkeys(size for size in [*sizes, *range(2, 9), 1] if size > 0)


def outputs_of(
    result: Any, rows: int, output: int | str | None, n_out: int | None
) -> tuple[list[Tensor], str]:
    """Return the tensors that a forward's result is read as, and a note on the choice.

    Args:
        result: a tensor, or a tuple, list or dictionary of such.
        rows: of the batch.
        output: the place or key of the one that is meant.
        n_out: output bits of the task, if one is known.

    Raises:
        ModelError: it holds no tensors, or there is no such output.
    """
    if isinstance(result, Tensor):
        if output is not None:
            raise _no_output(output, "its forward returns one tensor")
        return [result], ""
    named = _named(result)
    if not named:
        raise ModelError(
            f"its forward returns {type(result).__name__}",
            where="forward",
            remedy="return a tensor, or a tuple or dictionary of tensors",
        )
    kind = "dictionary" if isinstance(result, Mapping) else "tuple"
    if output is not None:
        if output not in named:
            raise _no_output(output, f"its forward returns {', '.join(map(str, named))}")
        return [named[output]], ""
    sizes = {name: tensor.numel() // rows for name, tensor in named.items()}
    fitting = [name for name, size in sizes.items() if size == n_out]
    if n_out is not None and sum(sizes.values()) != n_out and fitting:
        name = fitting[0]
        return [named[name]], f"of the {kind} that forward returns, {name} is read"
    if len(named) == 1:
        return list(named.values()), ""
    joined = ", ".join(map(str, named))
    return list(named.values()), f"forward returns a {kind}: {joined} are joined in this order"


def _named(result: Any) -> dict[int | str, Tensor]:
    if isinstance(result, Mapping):
        return {str(key): value for key, value in result.items() if isinstance(value, Tensor)}
    if isinstance(result, Sequence) and not isinstance(result, str):
        flat = list(_flat(result))
        return dict(enumerate(flat))
    return {}


def _flat(values: Any) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _flat(value)


def _no_output(output: int | str, what: str) -> ModelError:
    return ModelError(f"there is no output {output!r}", where="output", remedy=what)
