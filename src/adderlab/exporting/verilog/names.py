"""What modules and ports are called: as the file and the task's words are, where Verilog allows it.

Rule: no name is a keyword of Verilog or SystemVerilog, and no two names of a module differ in case
alone, since not every tool tells them apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from adderlab.exporting.names import identifiers
from adderlab.tasks import Task, Word
from adderlab.tasks.wirings import Wiring

_WORDS: Final = """
accept_on alias always always_comb always_ff always_latch and assert assign assume automatic
before begin bind bins binsof bit break buf bufif0 bufif1 byte case casex casez cell chandle
checker class clocking cmos config const constraint context continue cover covergroup coverpoint
cross deassign default defparam design disable dist do edge else end endcase endchecker endclass
endclocking endconfig endfunction endgenerate endgroup endinterface endmodule endpackage
endprimitive endprogram endproperty endsequence endspecify endtable endtask enum event eventually
expect export extends extern final first_match for force foreach forever fork forkjoin function
generate genvar global highz0 highz1 if iff ifnone ignore_bins illegal_bins implements implies
import incdir include initial inout input inside instance int integer interconnect interface
intersect join join_any join_none large let liblist library local localparam logic longint
macromodule matches medium modport module nand negedge nettype new nexttime nmos nor
noshowcancelled not notif0 notif1 null or output package packed parameter pmos posedge primitive
priority program property protected pull0 pull1 pulldown pullup pulsestyle_ondetect
pulsestyle_onevent pure rand randc randcase randsequence rcmos real realtime ref reg reject_on
release repeat restrict return rnmos rpmos rtran rtranif0 rtranif1 s_always s_eventually
s_nexttime s_until s_until_with scalared sequence shortint shortreal showcancelled signed small
soft solve specify specparam static string strong strong0 strong1 struct super supply0 supply1
sync_accept_on sync_reject_on table tagged task this throughout time timeprecision timeunit tran
tranif0 tranif1 tri tri0 tri1 triand trior trireg type typedef union unique unique0 unsigned until
until_with untyped use uwire var vectored virtual void wait wait_order wand weak weak0 weak1 while
wildcard wire with within wor xnor xor
"""

KEYWORDS: Final = frozenset(_WORDS.split())
"""Of IEEE 1364-2005, annex B, and of IEEE 1800-2017, annex B."""

WIDTH: Final = "WIDTH"
"""The parameter of a wired module: how many digits."""


@dataclass(frozen=True, slots=True)
class Names:
    """What is called how.

    Attributes:
        module: the module that was asked for.
        bench: its test bench.
        cell: the module of a wiring's cell.
        words: the ports of the network's words, by these.
        ports: the ports of the wired module, by what they hold: an operand, ``digits``, ``carry``.
    """

    module: str
    bench: str
    cell: str
    words: Mapping[str, str]
    ports: Mapping[str, str]

    def apart(self, names: Iterable[str]) -> Mapping[str, str]:
        """Return names for what is inside a module, apart from everything here."""
        taken = (self.module, self.bench, self.cell, *self.words.values(), *self.ports.values())
        return identifiers(names, {*KEYWORDS, WIDTH, *taken})


def names_of(stem: str, task: Task, wiring: Wiring | None) -> Names:
    """Return what is called how in files of this stem; words keep their names before modules."""
    words = identifiers([word.name for word in (*task.inputs, *task.outputs)], {*KEYWORDS, WIDTH})
    held = (
        () if wiring is None else (*wiring.operands, *(name for name, _, _ in results_of(wiring)))
    )
    ports = identifiers(held, {*KEYWORDS, WIDTH})
    modules = identifiers(
        [stem, f"{stem[:40]}_tb", f"{stem[:40]}_cell"],
        {*KEYWORDS, *words.values(), *ports.values()},
    )
    module, bench, cell = modules.values()
    return Names(module, bench, module if wiring is None else cell, words, ports)


def results_of(wiring: Wiring) -> tuple[tuple[str, int, int], ...]:
    """Return what a wired module gives: its name, its bits for each digit, and beside them."""
    carried = len(wiring.carry)
    if not wiring.digit:
        return (("result", 0, carried),)
    return ("digits", len(wiring.digit), 0), ("carry", 0, carried)


def port_bits(words: Iterable[Word], names: Mapping[str, str]) -> dict[str, str]:
    """Return where each bit of words stands: ``a[1]`` by ``a1``; a word of one bit is its port."""
    return {
        bit: names[word.name] + (f"[{word.width - 1 - place}]" if word.width > 1 else "")
        for word in words
        for place, bit in enumerate(word.bits)
    }
