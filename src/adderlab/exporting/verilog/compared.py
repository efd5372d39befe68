"""Whether the files that were written compute what the network computes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.bits import from_bits
from adderlab.exporting.comparison import Comparison
from adderlab.exporting.rows import MOST_ROWS, Rows, rows_to_compare
from adderlab.exporting.subject import Paths, Subject
from adderlab.exporting.verilog.checks import (
    CHOSEN_ROWS,
    Check,
    bench_checks,
    check_of,
    wired_checks,
)
from adderlab.exporting.verilog.module import network_of, products_of
from adderlab.exporting.verilog.names import Names, names_of
from adderlab.exporting.verilog.simulation import (
    REMEDY,
    Fault,
    Simulator,
    find_simulator,
    simulated_bits,
)
from adderlab.exporting.verilog.structure import check_structure
from adderlab.exporting.verilog.synthesis import synthesized
from adderlab.exporting.verilog.written import BENCH
from adderlab.exporting.wired import widths_text
from adderlab.tasks import Word

if TYPE_CHECKING:
    from jaxtyping import UInt8

MOST_PRODUCTS: Final = 1 << 27
"""Rows times products of a network up to which all rows are simulated: about half a minute."""

CHOSEN_PRODUCTS: Final = 1 << 24
"""The same of chosen rows, of which each changes every signal."""


def compare_verilog(paths: Paths, subject: Subject) -> Comparison:
    """Return whether a module, and its test bench, compute what the network computes.

    Args:
        paths: both files.
        subject: what they were made of.
    """
    simulator = find_simulator()
    if simulator is None:
        return Comparison(None, reason=f"nothing here simulates Verilog; {REMEDY}")
    names = names_of(subject.name, subject.task, subject.wiring)
    rows = 0
    try:
        checks, scope = _checks(subject, names)
        for check in checks:
            reason = _difference(simulator, paths, check)
            if reason:
                return Comparison(False, rows + len(check.inputs), simulator.title, reason)
            rows += len(check.inputs)
        _run_bench(simulator, paths, subject, names)
        check_structure(paths[""].read_text(encoding="ascii"), subject, names)
    except Fault as fault:
        return Comparison(False, rows, simulator.title, str(fault))
    comparison = Comparison(True, rows, simulator.title, scope=scope)
    return replace(comparison, facts=synthesized(paths[""], names.module, subject.wiring))


def _checks(subject: Subject, names: Names) -> tuple[list[Check], str]:
    """Return what is compared, and which rows these are where they are not all."""
    if subject.wiring is not None:
        return list(wired_checks(subject, subject.wiring, names)), widths_text()
    rows, bits = _rows(subject)
    return [check_of(subject, names, bits)], rows.scope


def _rows(subject: Subject) -> tuple[Rows, UInt8[np.ndarray, "batch n_in"]]:
    products = products_of(network_of(subject)[1])
    rows = rows_to_compare(subject.task, min(MOST_ROWS, MOST_PRODUCTS // max(products, 1)))
    bits = np.concatenate(list(rows.blocks()))
    most = max(CHOSEN_ROWS, CHOSEN_PRODUCTS // max(products, 1))
    if rows.scope and len(bits) > most:
        bits = bits[np.linspace(0, len(bits) - 1, most).astype(np.int64)]
    return rows, bits


def _difference(simulator: Simulator, paths: Paths, check: Check) -> str:
    """Return on which row the module gives something else; nothing where it is the same.

    Raises:
        Fault: it can't be simulated.
    """
    got = simulated_bits(simulator, paths[""], check)
    wrong = np.flatnonzero((got != check.expected).any(axis=1))
    if not wrong.size:
        return ""
    own, at = check.instance, int(wrong[0])
    row = _shown(check.inputs[at], own.inputs)
    if (got[at] > 1).any():
        return f"for {row} it gives no bits"
    digits = f" at {own.width} digits" if own.width is not None else ""
    return (
        f"for {row}{digits} it gives {_shown(got[at], own.outputs)}, and the network "
        f"{_shown(check.expected[at], own.outputs)}"
    )


def _shown(bits: UInt8[np.ndarray, " n"], words: Sequence[Word]) -> str:
    parts: list[str] = []
    place = 0
    for word in words:
        parts.append(f"{word.name} = {int(from_bits(bits[place : place + word.width]))}")
        place += word.width
    return ", ".join(parts)


def _run_bench(simulator: Simulator, paths: Paths, subject: Subject, names: Names) -> None:
    """Run the test bench, as whoever gets it does.

    Raises:
        Fault: it does not pass, or checks fewer rows than it should.
    """
    rows = sum(len(check.inputs) for check in bench_checks(subject, names))
    files = [paths[""].absolute(), paths[BENCH].absolute()]
    ran = simulator.run(files, names.bench)
    lines = ran.out.splitlines()
    if lines != [f"PASS {rows} rows"]:
        line = f"says {lines[0]!r}" if lines else "says nothing"
        raise Fault(f"its test bench {line} and not 'PASS {rows} rows'")
