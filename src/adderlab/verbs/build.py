"""``build``: weights from argument, proved before they are called built."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adderlab.blocks import Block, Line, Result, written_lines
from adderlab.building import (
    FULL_ADDER,
    Check,
    RoundedParameter,
    chosen_method,
    compile_formula,
    construct,
    exact_widths,
    weight_text,
)
from adderlab.checking import checked
from adderlab.errors import OptionError
from adderlab.formats import FORMATS, format_named
from adderlab.limits import Budget, ending, within
from adderlab.nets import Network, save
from adderlab.nets.files import check_network_place
from adderlab.nets.sources import paths_of
from adderlab.proving import Verdict
from adderlab.reading import Refusals, read_file
from adderlab.tasks import Task, TaskLike, as_task
from adderlab.verbs.prove import prove

LARGEST_FORMULA_BYTES = 1 << 20
LEAST_S = 0.001
"""What a proof is given where the time is up: it says so."""


@dataclass(frozen=True, slots=True, eq=False)
class Built(Result):
    """A network with its verdict.

    Attributes:
        network: what was built.
        verdict: whether it computes its task.
        checks: of a formula, each output's indicator compared with the rest.
        rounded: of a formula, the parameters that its number format had to round.
        file: where it was written, if it was.
        method: the construction, the one that ``auto`` took by its name; ``None`` of a formula.
        safe_widths: of a construction for any width, the largest width up to which it is exact,
            by number format: 0 for none, ``None`` for every width.
    """

    network: Network
    verdict: Verdict
    checks: tuple[Check, ...] = ()
    rounded: tuple[RoundedParameter, ...] = ()
    file: Path | None = None
    method: str | None = None
    safe_widths: dict[str, int | None] = field(default_factory=dict[str, int | None])

    def to_dict(self) -> dict[str, Any]:
        net = self.network
        return {
            "task": self.verdict.task,
            "method": self.method,
            "hidden": net.hidden,
            "widths": net.widths,
            "depth": net.depth,
            "parameters": net.parameters,
            "nonzero": net.nonzero,
            "max_weight": net.max_weight,
            "smallest_format": net.smallest_format,
            "safe_widths": self.safe_widths or None,
            "verdict": self.verdict.verdict,
            "proof": self.verdict.to_dict(),
            "checks": [check.to_dict() for check in self.checks],
            "file": str(self.file) if self.file is not None else None,
        }

    def safe_widths_text(self) -> list[str]:
        """Return for people up to which width the construction is exact: one line, or a few."""
        if not self.safe_widths:
            return []
        groups: dict[str, list[str]] = {"float": [], "integer": [], "": []}
        for name, width in self.safe_widths.items():
            group = groups[FORMATS[name].kind if width else ""]
            group.append(f"{name} {width or ('any' if width is None else 'none')}")
        if not groups["float"]:
            never = " and ".join(name for name, width in self.safe_widths.items() if width == 0)
            return [f"{self.method} is exact at every width in every format but {never}"]
        lines = (f"  {', '.join(group)}" for group in groups.values())
        return [f"{self.method} is exact up to width", *lines]

    def blocks(self) -> tuple[Block, ...]:
        """Return a formula's checks, the network, how far it is safe, the verdict."""
        net = self.network
        largest = weight_text(net.max_weight) if self.safe_widths else net.max_weight
        return (
            *(Line(str(check), "plain" if check.holds else "bad") for check in self.checks),
            *(
                Line(f"note: {entry.name} {entry.exact} is stored as {entry.stored!r}", "quiet")
                for entry in self.rounded
            ),
            *net.blocks(),
            Line(
                f"{net.parameters} parameters, {net.nonzero} nonzero, largest {largest}, "
                f"smallest format {net.smallest_format}"
            ),
            *map(Line, self.safe_widths_text()),
            *self.verdict.blocks(),
            *written_lines(self.file),
        )

    def __repr__(self) -> str:
        return f"{self.network!r}; {self.verdict.summary()}"


@checked
def build(
    task: TaskLike = "half-adder",
    *,
    method: str | None = None,
    formula: str | Path | None = None,
    share: bool = False,
    format: str | None = None,
    max_weight: float | None = None,
    timeout_s: float = 10.0,
    out: str | Path | None = None,
) -> Built:
    """Build a network for a task, by a method or from a formula, and prove or refute it.

    Args:
        task: a task, its name or a table.
        method: a construction: ``lecture`` for the hand-set network; ``one-layer``, ``ripple``
            or ``prefix`` for adders of any width, ``one-layer`` for the full adder too; ``auto``,
            which is taken where neither a method nor a formula is given, for the smallest.
        formula: a file in the notebook's notation, one line for each output bit.
        share: of a formula, compute equal terms once.
        format: the number format of the weights, in which the network must be right too; of a
            formula fp32 unless given, of a construction a default of its own.
        max_weight: of a construction, the largest magnitude that a weight may have.
        timeout_s: seconds, building included, after which a proof is given up as ``unknown``.
        out: where to write the network; it is written whatever the verdict.

    Raises:
        OptionError: both of ``method`` and ``formula``, no time to prove, or a
            construction that violates ``format`` or ``max_weight``.
        TaskError: no such task, or the method does not build it.
        ResourceError: the network would not fit in memory.
        LimitError: the time was up before the network was built.
        FormulaError: the formula can't be read.
        OutputError: ``out`` can't be written.
    """
    target = as_task(task)
    if method is not None and formula is not None:
        raise OptionError(
            "a method and a formula are two things",
            where="build",
            remedy="give `method` or `formula`",
        )
    budget = Budget.of(timeout_s)
    if out is not None:
        own = (formula,) if formula is not None else ()
        check_network_place(out, read=(*own, *paths_of(None, task)))
    with within(budget), ending(f"{target.name} was built", "build"):
        network, checks, rounded, method = _constructed(
            target, method, formula, format=format, max_weight=max_weight, share=share
        )
    with within(budget):
        verdict = prove(network, target, timeout_s=max(budget.seconds_left, LEAST_S))
    file = save(network, out) if out is not None else None
    if method is None or target.name == FULL_ADDER:
        widths: dict[str, int | None] = {}
    else:
        widths = exact_widths(method)
    return Built(network, verdict, checks, rounded, file, method, widths)


def _constructed(
    target: Task,
    method: str | None,
    formula: str | Path | None,
    *,
    format: str | None,
    max_weight: float | None,
    share: bool,
) -> tuple[Network, tuple[Check, ...], tuple[RoundedParameter, ...], str | None]:
    """Return a network, what a formula says of it, and the name of its construction."""
    if formula is not None:
        text = _read_formula(Path(formula))
        if max_weight is not None:
            raise OptionError(
                "a formula says its own weights", where="max_weight", remedy="leave it out"
            )
        form = format_named(format or "fp32").name
        compiled = compile_formula(text, target, where=str(formula), format=form, share=share)
        return compiled.network, compiled.checks, compiled.rounded, None
    if share:
        raise OptionError(
            "a construction has no terms to share", where="share", remedy="leave it out"
        )
    method = chosen_method(target, method or "auto", format=format, max_weight=max_weight)
    return construct(target, method, format=format), (), (), method


def _read_formula(path: Path) -> str:
    name = "name a file of formulas"
    raw = read_file(path, LARGEST_FORMULA_BYTES, Refusals(OptionError, name, name))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise OptionError("not UTF-8 text", where=str(path), remedy="save it as UTF-8") from None
