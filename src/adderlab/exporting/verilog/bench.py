"""The test bench: rows with what the network gives on them, which check themselves in a simulator.

Rule: it prints one line, ``PASS 16 rows`` or ``FAIL`` with the first row that is wrong, and ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from adderlab.bits import from_bits
from adderlab.exporting.names import identifiers
from adderlab.exporting.subject import Subject
from adderlab.exporting.verilog.checks import Check, Instance, bench_checks
from adderlab.exporting.verilog.names import KEYWORDS, Names
from adderlab.tasks import Word

if TYPE_CHECKING:
    from adderlab.exporting.verilog.checks import Bits


def bench_lines(subject: Subject, names: Names) -> list[str]:
    """Return the lines of the test bench."""
    checks = bench_checks(subject, names)
    called = _called(checks, names)
    lines = [f"module {names.bench};"]
    for check in checks:
        lines += [*_instance_lines(check.instance, called), ""]
    lines += [f"    integer {called['checked']};", f"    reg     {called['failed']};"]
    for check in checks:
        lines += ["", *_task_lines(check.instance, called)]
    lines += ["", "    initial begin"]
    lines += [f"        {called['checked']} = 0;", f"        {called['failed']} = 1'b0;"]
    for check in checks:
        lines += _call_lines(check, called[f"check{check.instance.suffix}"])
    return [
        *lines,
        f'        if (!{called["failed"]}) $display("PASS %0d rows", {called["checked"]});',
        "        $finish(0);",
        "    end",
        "endmodule",
    ]


def _called(checks: Sequence[Check], names: Names) -> Mapping[str, str]:
    """Return what is called how in the bench: first the ports, as they are in the module."""
    ports = [
        f"{word.name}{check.instance.suffix}"
        for check in checks
        for word in (*check.instance.inputs, *check.instance.outputs)
    ]
    inner = [f"{what}{own.instance.suffix}" for own in checks for what in ("dut", "check")]
    modules = (names.module, names.bench, names.cell)
    return identifiers(
        [*ports, *inner, "row", "expected", "checked", "failed"], {*KEYWORDS, *modules}
    )


def _instance_lines(own: Instance, called: Mapping[str, str]) -> Iterator[str]:
    """Yield the declarations of an instance's ports, and the instance."""
    words = [*own.inputs, *own.outputs]
    spans = [f"[{word.width - 1}:0] " if word.width > 1 else "" for word in words]
    pad = max(map(len, spans))
    for place, (word, span) in enumerate(zip(words, spans, strict=True)):
        kind = "reg " if place < len(own.inputs) else "wire"
        yield f"    {kind} {span:<{pad}}{called[word.name + own.suffix]};"
    ports = ", ".join(f".{word.name}({called[word.name + own.suffix]})" for word in words)
    yield f"    {own.module} {own.parameters}{called['dut' + own.suffix]} ({ports});"


def _task_lines(own: Instance, called: Mapping[str, str]) -> Iterator[str]:
    """Yield the task that checks one row."""
    inputs, outputs = (
        [(word, called[word.name + own.suffix]) for word in words]
        for words in (own.inputs, own.outputs)
    )
    joined = _joined([name for _, name in outputs])
    row, expected, failed = called["row"], called["expected"], called["failed"]
    label = "" if own.width is None else f" of {own.width} digits"
    values_in = ", ".join(f"{word.name} = %0d" for word in own.inputs)
    got = ", ".join(f"{word.name} = %0d" for word in own.outputs)
    values = [*(name for _, name in inputs), *(name for _, name in outputs)]
    values += [f"{expected}{span}" for span in _spans(own.outputs)]
    yield from (
        f"    task {called['check' + own.suffix]};",
        f"        input [{own.n_in - 1}:0] {row};",
        f"        input [{own.n_out - 1}:0] {expected};",
        "        begin",
        f"            {_joined([name for _, name in inputs])} = {row};",
        "            #1;",
        f"            if (!{failed} && {joined} !== {expected}) begin",
        f"                {failed} = 1'b1;",
        f'                $display("FAIL row %0d{label}: {values_in} gives {got}, expected {got}",',
        f"                         {', '.join([called['checked'], *values])});",
        "            end",
        f"            {called['checked']} = {called['checked']} + 1;",
        "        end",
        "    endtask",
    )


def _spans(words: Sequence[Word]) -> Iterator[str]:
    """Yield where each word stands in all of them, joined."""
    if len(words) == 1:
        yield ""
        return
    end = sum(word.width for word in words)
    for word in words:
        first = end - word.width
        yield f"[{end - 1}:{first}]" if word.width > 1 else f"[{first}]"
        end = first


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{{{', '.join(names)}}}"


def _call_lines(check: Check, task: str) -> Iterator[str]:
    """Yield a call for each row."""
    inputs = _literals(check.inputs, check.instance.inputs)
    expected = _literals(check.expected, check.instance.outputs)
    for row, outputs in zip(inputs, expected, strict=True):
        yield f"        {task}({_joined(row)}, {_joined(outputs)});"


def _literals(rows: Bits, words: Sequence[Word]) -> list[tuple[str, ...]]:
    """Return each row's words as literals: in decimal, wide ones in hexadecimal."""
    columns: list[list[str]] = []
    place = 0
    for word in words:
        values = from_bits(rows[:, place : place + word.width]).tolist()
        base, form = ("d", "d") if word.width <= 16 else ("h", "x")
        columns.append([f"{word.width}'{base}{value:{form}}" for value in values])
        place += word.width
    return list(zip(*columns, strict=True))
