"""A cell with its wiring: a module with a parameter for the number of digits.

Rule: the numbers' digits lie in one port each, the lowest first from bit 0 on; the cells stand in
a row, and what one carries is what the next takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from adderlab.exporting.verilog.names import WIDTH, Names, port_bits, results_of
from adderlab.tasks.wirings import Wiring

DEFAULT: Final = 8
"""Digits where a parent sets none."""


def wired_lines(wiring: Wiring, names: Names) -> Iterator[str]:
    """Yield the lines of the module around the cell."""
    words = {word.name: word for word in wiring.cell.inputs}
    carried = words[wiring.carried].width
    outputs = wiring.cell.outputs
    inner = names.apart(
        ["carries", "digit", "unit", "at", *(f"{word.name}_out" for word in outputs)]
    )
    carries, at = inner["carries"], inner["at"]
    own = {word.name: inner[f"{word.name}_out"] for word in outputs}
    yield f"// {wiring.title}, in digits of base {wiring.base}, the lowest first."
    yield f"module {names.module} #("
    yield f"    parameter {WIDTH} = {DEFAULT}  // digits, at least 1"
    yield ") ("
    yield from _port_lines(wiring, names)
    yield ");"
    yield f"    // carried into each cell, {wiring.first} into the first, and out of the last"
    yield f"    wire [{WIDTH if carried == 1 else f'{carried}*({WIDTH}+1)-1'}:0] {carries};"
    yield f"    assign {_part(carries, '0', carried)} = {carried}'d{wiring.first};"
    yield ""
    yield f"    genvar {at};"
    yield "    generate"
    yield f"        for ({at} = 0; {at} < {WIDTH}; {at} = {at} + 1) begin : {inner['digit']}"
    for word in outputs:
        span = f"[{word.width - 1}:0] " if word.width > 1 else ""
        yield f"            wire {span}{own[word.name]};"
    parts = {name: _part(names.ports[name], at, words[name].width) for name in wiring.operands}
    parts |= {wiring.carried: _part(carries, at, carried), **own}
    pad = max(len(names.words[name]) for name in parts)
    yield f"            {names.cell} {inner['unit']} ("
    for place, (name, part) in enumerate(parts.items(), start=1):
        yield f"                .{names.words[name]:<{pad}} ({part}){',' * (place < len(parts))}"
    yield "            );"
    bits = port_bits(outputs, own)
    if wiring.digit:
        digit = _part(names.ports["digits"], at, len(wiring.digit))
        yield f"            assign {digit} = {_joined([bits[bit] for bit in wiring.digit])};"
    carry = _joined([bits[bit] for bit in wiring.carry])
    yield f"            assign {_part(carries, f'{at}+1', carried)} = {carry};"
    yield "        end"
    yield "    endgenerate"
    yield ""
    last, _, _ = results_of(wiring)[-1]
    yield f"    assign {names.ports[last]} = {_part(carries, WIDTH, carried)};"
    yield "endmodule"


def _port_lines(wiring: Wiring, names: Names) -> Iterator[str]:
    """Yield the declarations of the ports."""
    widths = {word.name: word.width for word in wiring.cell.inputs}
    spans = {name: f"input  wire [{_times(widths[name])}-1:0]" for name in wiring.operands}
    for name, digits, beside in results_of(wiring):
        span = f" [{_times(digits)}-1:0]" if digits else f" [{beside - 1}:0]" * (beside > 1)
        spans[name] = f"output wire{span}"
    pad = max(map(len, spans.values()))
    for place, (name, span) in enumerate(spans.items(), start=1):
        yield f"    {span:<{pad}} {names.ports[name]}{',' * (place < len(spans))}"


def _joined(bits: list[str]) -> str:
    return bits[0] if len(bits) == 1 else f"{{{', '.join(bits)}}}"


def _times(bits: int) -> str:
    return WIDTH if bits == 1 else f"{bits}*{WIDTH}"


def _part(port: str, at: str, bits: int) -> str:
    """Return one digit of a port."""
    return f"{port}[{at}]" if bits == 1 else f"{port}[{bits}*({at}) +: {bits}]"
