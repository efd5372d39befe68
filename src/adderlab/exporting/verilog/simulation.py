"""The files in Icarus Verilog: the test bench by itself, and every row by a driver of our own.

Rule: the files are compiled as Verilog-2001 with every warning on, and a warning is a fault. The
driver knows nothing of the bench: it prints what the module gives, which is compared in Python.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.exporting.programs import Ran, run_program
from adderlab.exporting.verilog.checks import Check, Instance

if TYPE_CHECKING:
    from jaxtyping import UInt8

REMEDY: Final = "apt install iverilog, or brew install icarus-verilog"
PATIENCE_S: Final = 300.0


class Fault(Exception):  # noqa: N818 -- an outcome: what is wrong with the files
    """The files do not compile, or do not run to their end."""


@dataclass(frozen=True, slots=True)
class Simulator:
    """Icarus Verilog.

    Attributes:
        compiler: ``iverilog``.
        runtime: ``vvp``.
        title: with its version.
    """

    compiler: str
    runtime: str
    title: str

    def run(self, files: Sequence[Path], top: str, folder: Path | None = None) -> Ran:
        """Return what a top module printed.

        Args:
            files: what is compiled.
            top: the module that no other one instantiates.
            folder: where it runs; a temporary one unless given.

        Raises:
            Fault: an error, a warning, or no end.
        """
        if folder is None:
            with tempfile.TemporaryDirectory(prefix="adderlab-") as own:
                return self.run(files, top, Path(own))
        program = folder / f"{top}.vvp"
        words = (self.compiler, "-g2001", "-Wall", "-s", top, "-o", program, *files)
        compiled = run_program(words, folder=folder, patience_s=PATIENCE_S)
        if compiled is None:
            raise Fault(f"{self.title} did not compile it in {PATIENCE_S:.0f} s")
        if compiled.code or compiled.error:
            raise Fault(f"{self.title}: {_without_folders(compiled)}")
        ran = run_program((self.runtime, "-n", program), folder=folder, patience_s=PATIENCE_S)
        if ran is None:
            raise Fault(f"{self.title} did not come to its end in {PATIENCE_S:.0f} s")
        if ran.code or ran.error:
            raise Fault(f"{self.title}: {_without_folders(ran)}")
        return ran


def find_simulator() -> Simulator | None:
    """Return Icarus Verilog, where it is at hand."""
    compiler, runtime = shutil.which("iverilog"), shutil.which("vvp")
    if compiler is None or runtime is None:
        return None
    ran = run_program((compiler, "-V"))
    version = re.match(r"Icarus Verilog version (\S+)", ran.out) if ran is not None else None
    return None if version is None else Simulator(compiler, runtime, f"Icarus Verilog {version[1]}")


def _without_folders(ran: Ran) -> str:
    return re.sub(r"\S*/(?=[^/\s]+:)", "", ran.error) or f"exit code {ran.code}"


def simulated_bits(
    simulator: Simulator, module: Path, check: Check
) -> UInt8[np.ndarray, "batch n_out"]:
    """Return the bits that a module gives on rows: 0, 1, or another number where it is neither.

    Raises:
        Fault: an error, a warning, or no end.
    """
    rows, own = check.inputs, check.instance
    with tempfile.TemporaryDirectory(prefix="adderlab-") as name:
        folder = Path(name)
        _ = (folder / "driver.v").write_text("\n".join(_driver(own, len(rows))))
        _ = (folder / "rows.hex").write_text(_in_hexadecimal(rows))
        ran = simulator.run([module.absolute(), folder / "driver.v"], "driver", folder)
    printed = np.frombuffer(ran.out.encode(), np.uint8)
    if printed.size != len(rows) * (own.n_out + 1):
        raise Fault(f"{simulator.title} printed something else than a row's bits on each line")
    return printed.reshape(len(rows), own.n_out + 1)[:, : own.n_out] - ord("0")


def _driver(own: Instance, rows: int) -> Iterator[str]:
    """Yield the lines of a module that prints what an instance gives on each row of a file."""
    yield "module driver;"
    yield f"    reg [{own.n_in - 1}:0] rows [0:{rows - 1}];"
    yield f"    reg [{own.n_in - 1}:0] row;"
    yield f"    wire [{own.n_out - 1}:0] got;"
    yield "    integer at;"
    ports: list[str] = []
    for words, bus in ((own.inputs, "row"), (own.outputs, "got")):
        end = sum(word.width for word in words)
        for word in words:
            ports.append(f".{word.name}({bus}[{end - 1}:{end - word.width}])")
            end -= word.width
    yield f"    {own.module} {own.parameters}dut ({', '.join(ports)});"
    yield "    initial begin"
    yield '        $readmemh("rows.hex", rows);'
    yield f"        for (at = 0; at < {rows}; at = at + 1) begin"
    yield '            row = rows[at]; #1 $display("%b", got);'
    yield "        end"
    yield "        $finish(0);"
    yield "    end"
    yield "endmodule"
    yield ""


def _in_hexadecimal(rows: UInt8[np.ndarray, "batch n_in"]) -> str:
    """Return rows of bits, a number on each line."""
    gap = -rows.shape[1] % 8
    packed = np.packbits(np.pad(rows, ((0, 0), (gap, 0))), axis=1)
    digits = packed.tobytes().hex()
    size = 2 * packed.shape[1]
    unused = gap // 4  # as many digits as the word has, or the simulator warns
    return "\n".join(digits[at + unused : at + size] for at in range(0, len(digits), size)) + "\n"
