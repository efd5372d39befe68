"""Which rows of which network are explained, with which loss and learning rate."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import numpy as np

from adderlab.blocks.numbers import count_text, counted
from adderlab.checking import described
from adderlab.errors import OptionError, ResourceError, TaskError
from adderlab.explaining import Example, example
from adderlab.explaining.graph import LOSSES, check_size
from adderlab.explaining.rows import LARGEST_WORK
from adderlab.nets import Network
from adderlab.nets.sources import ordered_task, read_source, task_of
from adderlab.nets.walk import nameless_task
from adderlab.tasks import Task, TaskLike
from adderlab.tasks.order import Names
from adderlab.tasks.task import checked_value

if TYPE_CHECKING:
    from torch import nn

Words: TypeAlias = str | int | Sequence[int] | Mapping[str, int]
"""Input or output words: ``"1,1"``, ``3``, ``(1, 1)`` or ``{"a": 1, "b": 1}``."""

_NUMBER: Final = re.compile(
    r"[+-]?[0-9]{1,40}(\.[0-9]{1,40}|/0*[1-9][0-9]{0,39})?(e[+-]?[0-9]{1,2})?\Z"
)
MOST_WORD_BITS: Final = 4096
DEFAULT_LR: Final = Fraction(1, 10)


@dataclass(frozen=True, slots=True, eq=False)
class ExplainedRows:
    """Rows of a network, and the loss and learning rate of a step on them.

    Attributes:
        net: the network.
        task: the task that it is compared with.
        examples: the rows with their expected outputs.
        loss: ``mse`` or ``bce``.
        lr: the learning rate.
        notes: what was assumed in reading the network.
    """

    net: Network
    task: Task
    examples: list[Example]
    loss: str
    lr: Fraction
    notes: tuple[str, ...]


def explained_rows(
    model: Network | str | Path | nn.Module,
    task: TaskLike | None,
    *,
    input: Words | Sequence[Words] | None,
    target: Words | None,
    rows: str | None,
    loss: str | None,
    bits: str | None = None,
    inputs: Names = (),
    outputs: Names = (),
    lr: float | str | Fraction | None = None,
) -> ExplainedRows:
    """Return the selected rows; all rows of a small task if none is selected.

    Raises:
        OptionError: a number is out of range, or two arguments do not go together.
        TaskError: a word is out of its range, or nothing says what is expected.
        ResourceError: too large a network, or too many rows.
    """
    task = ordered_task(model, task, bits=bits, inputs=inputs, outputs=outputs)
    source = read_source(model, task)
    net = source.network
    has_task = task is not None or net.task is not None
    target_task = task_of(net, task) if has_task else nameless_task(net)
    check_size(net)
    record = net.training or {}
    notes = [*source.notes, *target_task.remarks]
    optimizer = record.get("optimizer", "sgd")
    if optimizer != "sgd":
        notes.append(f"it was trained with {str(optimizer)[:20]}; the step shown is plain SGD's")
    recorded_loss, recorded_lr = record.get("loss"), record.get("lr")
    if loss is None:
        is_known = isinstance(recorded_loss, str) and recorded_loss in LOSSES
        loss = cast("str", recorded_loss) if is_known else "mse"
    if loss not in LOSSES:
        raise OptionError(f"got {loss}", where="loss", remedy=f"give one of {', '.join(LOSSES)}")
    rate = DEFAULT_LR
    if lr is not None:
        rate = parse_number(lr, "lr")
    elif isinstance(recorded_lr, int | float) and not isinstance(recorded_lr, bool):
        rate = Fraction(repr(recorded_lr)) if 0 < recorded_lr < 1e38 else DEFAULT_LR
    if rate <= 0:
        raise OptionError(f"got {lr}", where="lr", remedy="give a number above 0")
    if target is None and not has_task:
        raise TaskError(
            "no task is known, so nothing is expected",
            where="explain",
            remedy="give `target`, or a task with `task`",
        )
    examples = _examples(target_task, input, target, rows)
    return ExplainedRows(net, target_task, examples, loss, rate, tuple(notes))


def _examples(
    task: Task, input: Words | Sequence[Words] | None, target: Words | None, rows: str | None
) -> list[Example]:
    inputs = [] if input is None else _listed(input)
    if rows not in (None, "all"):
        raise OptionError(f"got {rows}", where="rows", remedy="give all")
    if inputs and rows is not None:
        raise OptionError("does not go with `input`", where="rows", remedy="leave one of them out")
    if target is not None and len(inputs) != 1:
        raise OptionError(
            f"one target for {counted(len(inputs), 'input') if inputs else 'all inputs'}",
            where="target",
            remedy="give one `input` with it",
        )
    if inputs:
        expected = None if target is None else parse_target(task, target)
        return [example(task, _words(task, words), expected) for words in inputs]
    if task.rows > LARGEST_WORK:
        raise ResourceError(
            f"{task.name} has {count_text(task.rows)} rows, too many to list",
            where="explain",
            remedy="name some with `input`",
        )
    return [example(task, task.row(index).inputs) for index in range(task.rows)]


def _listed(input: Words | Sequence[Words]) -> list[Words]:
    is_single = isinstance(input, str | int | np.integer | Mapping) or all(
        isinstance(word, int | np.integer) for word in input
    )
    return cast("list[Words]", [input] if is_single else list(cast("Sequence[Words]", input)))


def _words(task: Task, words: Words) -> Mapping[str, int]:
    if isinstance(words, Mapping):
        return words
    if isinstance(words, str):
        return task.parse_input(words)
    values = [words] if isinstance(words, int | np.integer) else words
    return task.parse_input(",".join(map(digits, values)))


def digits(value: int) -> str:
    """Return a whole number's text, which Python refuses beyond 4,300 digits by default.

    Raises:
        TaskError: it has more bits than any word that is explained.
    """
    value = int(value)
    if value.bit_length() > MOST_WORD_BITS:
        raise TaskError(
            f"got a number of {value.bit_length()} bits",
            where="explain",
            remedy=f"give numbers of at most {MOST_WORD_BITS} bits",
        )
    return str(value)


def parse_target(task: Task, target: Words) -> Mapping[str, int]:
    """Return the output words that a target names: whole numbers with commas, one a word.

    Raises:
        TaskError: not as many as words, or one out of its range.
    """
    if isinstance(target, Mapping):
        return target
    listed = [target] if isinstance(target, int | np.integer) else target
    text = listed if isinstance(listed, str) else ",".join(map(digits, listed))
    parts = [part.strip() for part in text.split(",")]
    where = f"target {text[:60]}"
    if len(parts) != len(task.outputs):
        raise TaskError(
            f"{task.name} gives {counted(len(task.outputs), 'number')}, got {len(parts)}",
            where=where,
            remedy=f"give the values of {', '.join(map(str, task.outputs))}",
        )
    return {
        word.name: checked_value(part, word, where=where)
        for word, part in zip(task.outputs, parts, strict=True)
    }


def parse_number(value: float | str | Fraction, where: str) -> Fraction:
    """Return a number as it was written, exactly: 0.1 is a tenth, 1/3 a third.

    Raises:
        OptionError: it is no number.
    """
    if isinstance(value, Fraction):
        return value
    text = value.strip() if isinstance(value, str) else described(value)
    if not _NUMBER.match(text) or ("/" in text and "e" in text):
        raise OptionError(
            f"got {text[:40]}", where=where, remedy="give a number such as 2, -0.5 or 1/3"
        )
    return Fraction(text)


def parse_values(values: str | Mapping[str, Any]) -> dict[str, Fraction]:
    """Return named numbers: ``w1=2,w2=1/3,x=0.5,y=1``.

    Raises:
        OptionError: not of this form, or a name twice.
    """
    if not isinstance(values, str | Mapping):
        raise OptionError(
            f"got {described(values)}", where="values", remedy="write w1=2,w2=3,x=1,y=1"
        )
    if isinstance(values, Mapping):
        return {name: parse_number(value, f"values {name}") for name, value in values.items()}
    numbers: dict[str, Fraction] = {}
    for part in values.split(","):
        name, sign, text = (piece.strip() for piece in part.partition("="))
        if not sign or not name:
            raise OptionError(
                f"got {part[:40]!r}", where="values", remedy="write w1=2,w2=3,x=1,y=1"
            )
        if name in numbers:
            raise OptionError(f"{name[:20]} is given twice", where="values", remedy="give it once")
        numbers[name] = parse_number(text, f"values {name[:20]}")
    return numbers
