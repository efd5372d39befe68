"""The first engine: every row of the task, exactly.

Rule: a row is decided by floating point only where its proved error bound leaves no doubt;
every other row is evaluated in whole numbers. So the verdict is that of exact arithmetic, at
nearly the speed of the fast one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.blocks.numbers import count_text
from adderlab.errors import Interrupted
from adderlab.formats import FP64
from adderlab.limits import NO_LIMITS, Budget, CapReached, within
from adderlab.nets import Network, enclose_row, evaluate, is_exact, outputs
from adderlab.nets.enclosure import Enclosure, Machine
from adderlab.nets.evaluation import row_ends
from adderlab.nets.readout import NO_BIT, OPEN, read_states
from adderlab.nets.tensors import structure_of
from adderlab.proving.kernels.fits import may_pay, pays
from adderlab.proving.verdict import Counterexample, Margin
from adderlab.tasks import RowBlock, Task
from adderlab.tasks.wording import named

if TYPE_CHECKING:
    from jaxtyping import Bool, Int64, UInt8

    from adderlab.proving.kernels.sweep import Sweep

PRECISIONS: Final = (100, 400)
"""Bits at which a tanh row is enclosed before it is given up as undecided."""
BLOCK_NUMBERS: Final = 1 << 22
BLOCK_WORK: Final = 1 << 28
"""Products at once, a tenth of a second in double: how soon a limit on time is looked at."""

EXACT_NUMBERS: Final = 1 << 15
"""Numbers of a layer at once where no double can hold them: Python's own, of any size."""


@dataclass(slots=True)
class Enumeration:
    """The result of enumerating all rows.

    Attributes:
        rows: rows looked at.
        wrong: rows on which an output bit is wrong.
        first_wrong: the number of the first of them.
        undecided: the numbers of the rows that even interval arithmetic could not decide.
        of_0: the smallest distance below the threshold over outputs that should be 0.
        of_1: the smallest distance above it over outputs that should be 1.
        exact_rows: rows that had to be evaluated in whole numbers.
        stopped: why not all rows were looked at, if they were not.
    """

    rows: int = 0
    wrong: int = 0
    first_wrong: int | None = None
    undecided: list[int] = field(default_factory=list[int])
    of_0: Fraction | None = None
    of_1: Fraction | None = None
    exact_rows: int = 0
    stopped: str = ""


def block_rows(net: Network) -> int:
    """Return how many rows to take at once so that a layer's numbers stay in bounds."""
    widest = max(net.n_in, *(layer.n_out for layer in net.layers))
    numbers = BLOCK_NUMBERS if Machine.can_run(net) else EXACT_NUMBERS
    entries = sum(
        layer.n_in * layer.n_out if structure is None else structure.indices.size
        for layer in net.layers
        for structure in (structure_of(layer.weight),)
    )
    return int(min(1 << 14, max(1, numbers // widest), max(1, BLOCK_WORK // max(entries, 1))))


def enumerate_rows(
    net: Network,
    task: Task,
    budget: Budget | None = None,
    on_share: Callable[[float], None] = lambda share: None,
    on_compile: Callable[[str], None] = lambda text: None,
) -> Enumeration:
    """Return what the network does on all of the task's rows, in exact arithmetic.

    Args:
        net: any network.
        task: what it should compute.
        budget: the limits on time and memory.
        on_share: called with the share of the rows that is done, 0 to 1.
        on_compile: called with one line before a kernel is compiled.

    Raises:
        Interrupted: Ctrl-C; it says what was decided.
    """
    enumeration = Enumeration()
    budget = budget or Budget.of()
    sweep = _fast_sweep(net, task, enumeration)
    try:
        if sweep is not None:
            sweep.run(budget, on_share, on_compile)
        else:
            _enumerate(net, task, enumeration, budget, on_share)
    except CapReached as cap:
        enumeration.stopped = f"{cap} after {enumeration.rows} of {task.rows} inputs"
    except KeyboardInterrupt:
        raise Interrupted(at=_reached(enumeration, task)) from None
    return enumeration


def _fast_sweep(net: Network, task: Task, enumeration: Enumeration) -> Sweep | None:
    """Return the enumeration in a compiled kernel; ``None`` where that would not be faster."""
    if not may_pay(net, task):
        return None
    from adderlab.proving.kernels.chosen import kernel_of  # it imports the compiler
    from adderlab.proving.kernels.sweep import Sweep

    kernel = kernel_of(net, task)
    if kernel is None or not pays(kernel, net, task):
        return None
    return Sweep(net, task, kernel, enumeration)


def _enumerate(
    net: Network,
    task: Task,
    enumeration: Enumeration,
    budget: Budget,
    on_share: Callable[[float], None],
) -> None:
    """Add all rows to an enumeration, block by block."""
    machine = Machine(net, FP64) if Machine.can_run(net) else None
    for block in task.blocks(block_rows(net)):
        budget.check()
        is_right, is_known, margins = judge(net, machine, block, enumeration)
        wrong = np.flatnonzero(~is_right & is_known)
        enumeration.rows += len(is_right)
        enumeration.wrong += len(wrong)
        enumeration.undecided += [block.start + int(row) for row in np.flatnonzero(~is_known)]
        if wrong.size and enumeration.first_wrong is None:
            enumeration.first_wrong = block.start + int(wrong[0])
        for side, distance in margins.items():
            best = getattr(enumeration, side)
            setattr(enumeration, side, distance if best is None else min(best, distance))
        on_share(enumeration.rows / task.rows)


def _reached(enumeration: Enumeration, task: Task) -> str:
    """Return how far an enumeration came, and what it decided."""
    rows = f"{count_text(enumeration.rows)} of {count_text(task.rows)} inputs"
    if enumeration.first_wrong is None:
        return f"{rows}, none wrong so far"
    first = named(task.row(enumeration.first_wrong).inputs)
    return f"{rows}, {count_text(enumeration.wrong)} wrong so far, the first {first}"


def judge(
    net: Network, machine: Machine | None, block: RowBlock, enumeration: Enumeration
) -> tuple[Bool[np.ndarray, " batch"], Bool[np.ndarray, " batch"], dict[str, Fraction]]:
    """Return which rows are right, which are decided at all, and the block's margins."""
    enclosure = None if machine is None else machine.enclose(block.inputs)
    is_right, is_known = _judged(net, block, enclosure, enumeration)
    margins: dict[str, Fraction] = {}
    if net.readout.kind == "threshold":
        if is_exact(net):
            margins = _margins(net, block, enclosure)
        elif enclosure is not None:
            margins = _margin_bounds(net, block, enclosure)
    return is_right, is_known, margins


def right_rows(
    net: Network, block: RowBlock, enclosure: Enclosure, enumeration: Enumeration
) -> Bool[np.ndarray, " batch"]:
    """Return which rows of a network without curves are right."""
    return _judged(net, block, enclosure, enumeration)[0]


def _judged(
    net: Network, block: RowBlock, enclosure: Enclosure | None, enumeration: Enumeration
) -> tuple[Bool[np.ndarray, " batch"], Bool[np.ndarray, " batch"]]:
    """Return which rows are right and which are decided, exactly where the enclosure is not."""
    if enclosure is None:
        bits = np.zeros(block.expected.shape, dtype=np.uint8)
        decided = np.zeros(block.expected.shape, dtype=bool)
    else:
        bits, decided = enclosure.bits(net.readout)
    is_bit = decided.copy()
    rest = np.flatnonzero(~_verdicts(block, bits, is_bit, decided)[1])
    enumeration.exact_rows += len(rest)
    if rest.size:
        states = read_closely(net, block.inputs[rest])
        bits[rest], is_bit[rest], decided[rest] = states == 1, states < NO_BIT, states != OPEN
    return _verdicts(block, bits, is_bit, decided)


def _verdicts(
    block: RowBlock,
    bits: UInt8[np.ndarray, "batch n_out"],
    is_bit: Bool[np.ndarray, "batch n_out"],
    decided: Bool[np.ndarray, "batch n_out"],
) -> tuple[Bool[np.ndarray, " batch"], Bool[np.ndarray, " batch"]]:
    """Return which rows are right, and of which that is known.

    A row is wrong as soon as one decided output is; it is right only if all that matter are.
    """
    matters = np.ones(bits.shape, dtype=bool) if block.cares is None else block.cares
    right = block.is_right(bits) & (is_bit | ~matters)
    is_known = (decided | ~matters).all(axis=1) | (~right & decided & matters).any(axis=1)
    return np.asarray(right.all(axis=1)), np.asarray(is_known)


def _margins(net: Network, block: RowBlock, enclosure: Enclosure | None) -> dict[str, Fraction]:
    """Return the block's exact margins: bounds pick the candidates, whole numbers decide."""
    margins: dict[str, Fraction] = {}
    for side, sign, bit in (("of_0", -1, 0), ("of_1", 1, 1)):
        belongs = block.expected == bit
        if block.cares is not None:
            belongs &= block.cares
        if not belongs.any():
            continue
        if enclosure is not None:
            low, high = enclosure.distances(net.readout.threshold, sign)
            belongs &= low <= high[belongs].min()
        rows = np.flatnonzero(belongs.any(axis=1))
        raw = outputs(net, block.inputs[rows])
        values = raw.integers[belongs[rows]]
        extreme = values.max() if sign < 0 else values.min()
        value = Fraction(int(extreme)) * Fraction(2) ** raw.exponent
        margins[side] = net.readout.distance(value, bit)
    return margins


def _margin_bounds(net: Network, block: RowBlock, enclosure: Enclosure) -> dict[str, Fraction]:
    """Return lower bounds on the margins of a network with tanh.

    The lowest output is enclosed narrowly, and so is every one of which the fast arithmetic does
    not know on which side it is; the rest are bounded by the fast arithmetic.
    """
    margins: dict[str, Fraction] = {}
    for side, sign, bit in (("of_0", -1, 0), ("of_1", 1, 1)):
        belongs = block.expected == bit
        if block.cares is not None:
            belongs &= block.cares
        if not belongs.any():
            continue
        lowest, highest = enclosure.distances(net.readout.threshold, sign)
        lowest = np.where(belongs, lowest, np.inf)
        narrow = (lowest <= 0) & (highest >= 0)
        narrow[np.unravel_index(int(np.argmin(lowest)), lowest.shape)] = True
        bounds = [
            net.readout.distance(low if bit else high, bit)
            for row in np.flatnonzero(narrow.any(axis=1))
            for (low, high), is_narrow in zip(
                enclose_row(net, block.inputs[row]), narrow[row], strict=True
            )
            if is_narrow
        ]
        others = float(np.where(narrow, np.inf, lowest).min())
        if np.isfinite(others):
            bounds.append(Fraction(others))
        margins[side] = min(bounds)
    return margins


def read_closely(
    net: Network, inputs: UInt8[np.ndarray, "batch n_in"]
) -> UInt8[np.ndarray, "batch n_out"]:
    """Return the states of all outputs, exactly; of tanh, by ever narrower enclosures."""
    if is_exact(net):
        return read_states(net.readout, outputs(net, inputs))
    states = np.full((len(inputs), net.n_out), OPEN, dtype=np.uint8)
    for precision in PRECISIONS:
        rows = np.flatnonzero((states == OPEN).any(axis=1))
        if rows.size:
            ends = evaluate(net, inputs[rows], precision=precision)
            states[rows] = read_states(net.readout, *ends)
    return states


def margin_of(enumeration: Enumeration, net: Network) -> Margin | None:
    """Return the margins of an enumeration; ``None`` for an exact readout."""
    if net.readout.kind == "exact" or (enumeration.of_0 is None and enumeration.of_1 is None):
        return None
    return Margin(enumeration.of_0, enumeration.of_1, is_exact(net))


def exact_counterexample(net: Network, task: Task, index: int) -> Counterexample:
    """Return row ``index`` as a counterexample, by exact evaluation of that row alone.

    The raw outputs of a network with tanh, which are no fractions, are given as the middles of
    their enclosures.
    """
    row = task.row(index)
    block = rows_at(np.array([index]), task)
    with within(NO_LIMITS):  # a row that was met in time refutes
        states = read_closely(net, block.inputs)[0]
        got = got_words(task, (states == 1).astype(np.uint8), states < NO_BIT)
        values = tuple((low + high) / 2 for low, high in row_ends(net, block.inputs[0]))
    return Counterexample(row.inputs, row.outputs, got, values, "exact")


def is_right_exactly(net: Network, task: Task, index: int) -> bool | None:
    """Return whether a network is right on row ``index``; ``None`` where tanh leaves it open."""
    block = rows_at(np.array([index]), task)
    states = read_closely(net, block.inputs)
    is_right, is_known = _verdicts(
        block, (states == 1).astype(np.uint8), states < NO_BIT, states != OPEN
    )
    return bool(is_right[0]) if is_known[0] else None


def got_words(
    task: Task, bits: UInt8[np.ndarray, " n_out"], is_bit: Bool[np.ndarray, " n_out"]
) -> dict[str, int | None]:
    """Return the words that output bits make; ``None`` where one of a word's bits is none."""
    got: dict[str, int | None] = dict(task.words_of(bits))
    place = 0
    is_bit = task.in_words(is_bit)
    for word in task.outputs:
        if not is_bit[place : place + word.width].all():
            got[word.name] = None
        place += word.width
    return got


def rows_at(indices: Int64[np.ndarray, " batch"], task: Task) -> RowBlock:
    """Return the rows with the given numbers."""
    return task.block_of(task.input_words(indices), start=0)
