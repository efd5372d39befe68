"""The verb: what is asked for, checked and made into an explanation."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from adderlab.errors import OptionError, ResourceError, TaskError
from adderlab.explaining import Example, backprop_rows, example
from adderlab.explaining.chain import chain_rule
from adderlab.explaining.graph import LOSSES, check_size
from adderlab.explaining.rows import LARGEST_WORK
from adderlab.nets import Network
from adderlab.nets.sources import read_source, task_of
from adderlab.nets.walk import nameless_task
from adderlab.tasks import Task
from adderlab.tasks.task import checked_value
from adderlab.tasks.wording import sum_of
from adderlab.verbs.explaining import screens
from adderlab.verbs.explaining.chain import chain_chapters, chain_picture
from adderlab.verbs.explaining.explanation import Explanation, check_outs, write
from adderlab.verbs.explaining.rows import rows_chapters
from adderlab.verbs.explaining.slots import slots_chapters, slots_picture
from adderlab.verbs.explaining.symbols import symbols_chapters

if TYPE_CHECKING:
    from torch import nn

Words = str | int | Sequence[int] | Mapping[str, int]

ASKS: Final = "--input 1,1, --rows all, --symbols, --slots or --why"
_NUMBER: Final = re.compile(
    r"[+-]?[0-9]{1,40}(\.[0-9]{1,40}|/0*[1-9][0-9]{0,39})?(e[+-]?[0-9]{1,2})?\Z"
)
DEFAULT_LR: Final = Fraction(1, 10)
ITERATIONS: Final = 3


def explain(
    model: Network | str | Path | nn.Module | None = None,
    task: Task | str | None = None,
    *,
    input: Words | Sequence[Words] | None = None,
    target: Words | None = None,
    rows: str | None = None,
    chain: int | None = None,
    values: str | Mapping[str, Any] | None = None,
    symbols: bool = False,
    slots: bool = False,
    why: bool = False,
    loss: str | None = None,
    lr: float | str | Fraction | None = None,
    iterations: int | None = None,
    out: str | Path | Sequence[str | Path] = (),
    on_progress: Callable[[str, float], None] = lambda what, share: None,
) -> Explanation:
    """Explain how a network learns: backprop step by step, and what hangs on it.

    Args:
        model: a network, the path of its file, a PyTorch module, or what ``build`` or ``train``
            returned; none for ``chain``.
        task: a task or its name, if not the network's own.
        input: input words, ``"1,1"``, ``(1, 1)`` or ``{"a": 1, "b": 1}``, or several of them:
            the forward and the backward pass on them, one step of SGD.
        target: the output words, ``"2"`` or ``{"c": 2}``; those of the task unless given.
        rows: ``"all"`` for every row of the task instead of ``input``.
        chain: the chain rule in symbols for this many functions.
        values: numbers for the chain, ``"w1=2,w2=3,x=1,y=1"``.
        symbols: the network's gradients in symbols, its active units named.
        slots: the two slots of every parameter through PyTorch's own loop.
        why: why a trained network works or fails, replayed from its record.
        loss: ``mse`` or ``bce``; what the training record says, else ``mse``.
        lr: learning rate; what the record says, else 0.1.
        iterations: of ``slots``, 3 unless given.
        out: where to write: files ending in .md, .html, .json, .svg, .png, or folders.
        on_progress: called with what is being done and the share done, 0 to 1.

    Raises:
        OptionError: nothing, or more than one thing, is asked for, or a number is out of range.
        TaskError: a word is out of its range, or nothing says what is expected.
        NetworkFileError: the file is not a network, or has no training record for ``why``.
        ResourceError: too large a network to be read line by line.
        OutputError: ``out`` can't be written.

    Examples:
        >>> import adderlab
        >>> lecture = adderlab.build("half-adder", method="lecture")
        >>> adderlab.explain(lecture, input="1,1").data["gradients"]["fc2.weight"]
        [[-0.25, -0.75, -0.25], [0.25, 0.75, 0.25]]
        >>> adderlab.explain(chain=2).data["derivatives"]
        ['2*(f1 - y)*f2', '2*(f1 - y)*w1*x']
    """
    outs = [out] if isinstance(out, str | Path) else list(out)
    inputs = [] if input is None else _listed(input)
    _check_asked(
        {
            "--input": bool(inputs),
            "--rows": rows is not None,
            "--chain": chain is not None,
            "--symbols": symbols,
            "--slots": slots,
            "--why": why,
            "--target": target is not None,
            "--values": values is not None,
            "--iterations": iterations is not None,
            "--loss": loss is not None,
            "--lr": lr is not None,
            "--task": task is not None,
        },
        has_network=model is not None,
    )
    check_outs(outs)
    if chain is not None:
        found = _chain(chain, values)
    else:
        assert model is not None
        source = read_source(model)
        net = source.network
        known = task is not None or net.task is not None
        goal = task_of(net, task) if known else nameless_task(net)
        if why:
            found = _why(net, model, on_progress)
        else:
            check_size(net)
            asked = _Asked(net, goal, known=known, loss=loss, lr=lr)
            examples = asked.examples(inputs, target, rows)
            if slots:
                found = _slots(asked, examples, iterations)
            elif symbols:
                found = _symbols(asked, examples)
            else:
                found = _rows(asked, examples, source.notes)
    return replace(found, files=write(found, outs)) if outs else found


_ALONE: Final = ("--chain", "--symbols", "--slots", "--why")
_WITH: Final = {
    "--chain": ("--values",),
    "--symbols": ("--input", "--rows", "--target", "--loss", "--task"),
    "--slots": ("--input", "--rows", "--target", "--loss", "--lr", "--iterations", "--task"),
    "--why": (),
    "": ("--input", "--rows", "--target", "--loss", "--lr", "--task"),
}
"""What goes with each thing that can be asked for; without any of them, with rows."""


def _check_asked(given: Mapping[str, bool], *, has_network: bool) -> None:
    """Refuse what does not go together, and nothing at all."""
    asked = [name for name in _ALONE if given[name]]
    if len(asked) > 1:
        raise OptionError(
            f"{' and '.join(asked)} are two things", where="explain", remedy="ask for one at a time"
        )
    kind = asked[0] if asked else ""
    if kind == "--chain" and has_network:
        raise OptionError(
            "the chain is explained without a network",
            where="--chain",
            remedy="leave NET out, or ask for --symbols, the same of a network",
        )
    if not kind and not (given["--input"] or given["--rows"]):
        what = "nothing to explain" if has_network else "no network, and nothing to explain"
        remedy = f"add {ASKS}" if has_network else f"give NET with {ASKS}, or --chain 3"
        raise OptionError(what, where="explain", remedy=remedy)
    if kind != "--chain" and not has_network:
        raise OptionError("no network", where="explain", remedy="name its file")
    for name, is_given in given.items():
        if is_given and name != kind and name not in _WITH[kind]:
            other = kind or "--input"
            raise OptionError(
                f"does not go with {other}", where=name, remedy="leave one of them out"
            )
    if given["--input"] and given["--rows"]:
        raise OptionError(
            "does not go with --input", where="--rows", remedy="leave one of them out"
        )


def _listed(input: Words | Sequence[Words]) -> list[Words]:
    is_one = isinstance(input, str | int | Mapping) or all(isinstance(one, int) for one in input)
    return cast("list[Words]", [input] if is_one else list(cast("Sequence[Words]", input)))


class _Asked:
    """A network with the task, the loss and the learning rate that it is explained with."""

    def __init__(
        self,
        net: Network,
        task: Task,
        *,
        known: bool,
        loss: str | None,
        lr: float | str | Fraction | None,
    ) -> None:
        self.net, self.task, self._known = net, task, known
        record = net.training or {}
        self.notes: list[str] = []
        told = record.get("loss")
        self.loss = loss or (told if isinstance(told, str) and told in LOSSES else "mse")
        if self.loss not in LOSSES:
            raise OptionError(
                f"got {self.loss}", where="--loss", remedy=f"give one of {', '.join(LOSSES)}"
            )
        own = record.get("lr")
        if lr is not None:
            self.lr = parse_number(lr, "--lr")
        elif isinstance(own, int | float) and not isinstance(own, bool) and 0 < own < 1e38:
            self.lr = Fraction(repr(own))
        else:
            self.lr = DEFAULT_LR
        if self.lr <= 0:
            raise OptionError(f"got {lr}", where="--lr", remedy="give a number above 0")
        optimizer = record.get("optimizer", "sgd")
        if optimizer != "sgd":
            self.notes.append(
                f"it was trained with {str(optimizer)[:20]}; the step shown is plain SGD's"
            )

    def examples(
        self, inputs: Sequence[Words], target: Words | None, rows: str | None
    ) -> list[Example]:
        """Return the rows that are asked for, all of a small task where none is."""
        if target is None and not self._known:
            raise TaskError(
                "no task is known, so nothing is expected",
                where="explain",
                remedy="give --target, or a task with --task",
            )
        if rows not in (None, "all"):
            raise OptionError(f"got {rows}", where="--rows", remedy="give all")
        if target is not None and len(inputs) != 1:
            raise OptionError(
                f"one target for {len(inputs) or 'all'} inputs",
                where="--target",
                remedy="give one --input with it",
            )
        if inputs:
            wanted = None if target is None else parse_target(self.task, target)
            return [example(self.task, self._words(one), wanted) for one in inputs]
        if self.task.rows > LARGEST_WORK:
            raise ResourceError(
                f"{self.task.name} has {_size(self.task.rows)} rows, too many to list",
                where="explain",
                remedy="name some with --input",
            )
        return [example(self.task, self.task.row(at).inputs) for at in range(self.task.rows)]

    def _words(self, one: Words) -> Mapping[str, int]:
        if isinstance(one, Mapping):
            return one
        text = (
            one
            if isinstance(one, str)
            else ",".join(map(str, [one] if isinstance(one, int) else one))
        )
        return self.task.parse_input(text)


def parse_target(task: Task, target: Words) -> Mapping[str, int]:
    """Return the output words that a target names: whole numbers with commas, one a word.

    Raises:
        TaskError: not as many as words, or one out of its range.
    """
    if isinstance(target, Mapping):
        return target
    listed = [target] if isinstance(target, int) else target
    text = listed if isinstance(listed, str) else ",".join(map(str, listed))
    parts = [part.strip() for part in text.split(",")]
    where = f"--target {text[:60]}"
    if len(parts) != len(task.outputs):
        raise TaskError(
            f"{task.name} gives {len(task.outputs)} numbers, got {len(parts)}",
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
    text = str(value).strip() if isinstance(value, str) else repr(value)
    if isinstance(value, Fraction):
        return value
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
    if isinstance(values, Mapping):
        return {name: parse_number(one, f"--values {name}") for name, one in values.items()}
    found: dict[str, Fraction] = {}
    for part in values.split(","):
        name, sign, text = (piece.strip() for piece in part.partition("="))
        if not sign or not name:
            raise OptionError(
                f"got {part[:40]!r}", where="--values", remedy="write w1=2,w2=3,x=1,y=1"
            )
        if name in found:
            raise OptionError(
                f"{name[:20]} is given twice", where="--values", remedy="give it once"
            )
        found[name] = parse_number(text, f"--values {name[:20]}")
    return found


def _chain(length: int, values: str | Mapping[str, Any] | None) -> Explanation:
    found = chain_rule(length, None if values is None else parse_values(values))
    picture = chain_picture(found)
    chapters = chain_chapters(found)
    return Explanation(
        "chain",
        found,
        found.to_dict(),
        f"The chain rule for {length} function{'s' * (length != 1)}",
        chapters,
        chain_chapters(found, picture),
        screens.chain_screens(found, chapters),
        (picture,),
    )


def _rows(asked: _Asked, examples: Sequence[Example], notes: Sequence[str]) -> Explanation:
    said = [*notes, *asked.notes]
    found = backprop_rows(asked.net, asked.task, examples, loss=asked.loss, lr=asked.lr, notes=said)
    one = sum_of(examples[0].inputs)
    what = one if len(examples) == 1 else f"{len(examples)} rows"
    return Explanation(
        "rows",
        found,
        {"task": asked.task.name, **found.to_dict()},
        f"Backpropagation on {what}, step by step",
        rows_chapters(found, in_file=False),
        rows_chapters(found, in_file=True),
        screens.row_screens(found),
    )


def _symbols(asked: _Asked, examples: Sequence[Example]) -> Explanation:
    from adderlab.explaining.symbols import symbolic_gradients

    found = symbolic_gradients(asked.net, asked.task, examples, loss=asked.loss)
    chapters = symbols_chapters(found.patterns)
    return Explanation(
        "symbols",
        found,
        found.to_dict(),
        "Gradients in symbols, with the active units named",
        chapters,
        chapters,
        chapters,
    )


def _slots(asked: _Asked, examples: Sequence[Example], iterations: int | None) -> Explanation:
    from adderlab.explaining.slots import run_slots

    found = run_slots(
        asked.net,
        examples,
        loss=asked.loss,
        lr=float(asked.lr),
        iterations=ITERATIONS if iterations is None else iterations,
    )
    picture = slots_picture(found)
    chapters = slots_chapters(found)
    return Explanation(
        "slots",
        found,
        {"loss_kind": asked.loss, "rows": len(examples), **found.to_dict()},
        "The two slots of every parameter",
        chapters,
        slots_chapters(found, picture),
        screens.slots_screens(found, chapters),
        (picture,),
    )


def _why(net: Network, model: Any, on_progress: Callable[[str, float], None]) -> Explanation:
    from adderlab.verbs.explaining.replayed import why
    from adderlab.verbs.explaining.why import why_chapters

    where = str(model) if isinstance(model, str | Path) else "network"
    found = why(net, where=where, on_progress=on_progress)
    chapters = why_chapters(found)
    title = "Why this network works" if found.verdict else "Why this network fails"
    return Explanation("why", found, found.to_dict(), title, chapters, chapters, chapters)


def _size(rows: int) -> str:
    return str(rows) if rows < 1 << 40 else f"2^{rows.bit_length() - 1}"
