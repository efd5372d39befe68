"""The program that runs a header: rows in on standard input, what they come to out to a file.

Rule: it compares nothing. It gives each row to every function of the header and writes what comes
back, byte by byte; Python reads these bytes and holds them against the network.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.exporting.c.compiler import environment
from adderlab.exporting.c.plan import Plan
from adderlab.exporting.c.words import fits, word_names, word_type
from adderlab.exporting.programs import Ran, run_program
from adderlab.exporting.subject import Subject

if TYPE_CHECKING:
    from jaxtyping import Shaped, UInt8, UInt64

RESULTS: Final = "results"
UNWRITTEN: Final = b"\x5a"
"""What stands where a header has written nothing."""
RUN_S: Final = 60.0

_MAIN: Final = """\
#include "{base}.h"
#include "{base}.h" /* its guard keeps the second from defining anything again */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int rows(FILE *out) {{
  uint8_t x[{n_in}], bits[{n_out}];
  {raw_type} raw[{n_out}];
  {wide} wide[{n_out}];
  uint64_t words[{n_words}] = {{0}}, results[{n_results}] = {{0}};
  while (fread(x, 1, sizeof x, stdin) == sizeof x) {{
    if (fread(words, 1, sizeof words, stdin) != sizeof words) return 1;
    memset(raw, 0x5a, sizeof raw); /* what is not written is no output */
    memset(bits, 0x5a, sizeof bits);
    {base}_raw(x, raw);
    {base}_bits(x, bits);
{call}
    for (unsigned long i = 0; i < {n_out}; i++) wide[i] = raw[i];
    if (fwrite(wide, 1, sizeof wide, out) != sizeof wide) return 1;
    if (fwrite(bits, 1, sizeof bits, out) != sizeof bits) return 1;
    if (fwrite(results, 1, sizeof results, out) != sizeof results) return 1;
  }}
  return 0;
}}
{wiring}
int main(int argc, char **argv) {{
  FILE *out = fopen("{results}", "wb");
  if (out == NULL) return 1;
  (void)argv;
#if defined(__clang__)
  printf("clang %s", __clang_version__);
#elif defined(__GNUC__)
  printf("gcc %s", __VERSION__);
#endif
  return {main} || fclose(out) != 0;
}}
"""

_WIRING: Final = """
static int numbers(FILE *out) {{
  uint64_t n;
  while (fread(&n, sizeof n, 1, stdin) == 1) {{
    uint8_t *digits[{operands} + 1], carry;
    for (int k = 0; k <= {operands}; k++) {{
      digits[k] = malloc((size_t)n + 1);
      if (digits[k] == NULL) return 1;
      memset(digits[k], 0x5a, (size_t)n + 1);
      if (k < {operands} && fread(digits[k], 1, (size_t)n, stdin) != n) return 1;
    }}
    carry = {base}((size_t)n, {arguments});
    if (fwrite(&carry, 1, 1, out) != 1) return 1;
    if (fwrite(digits[{operands}], 1, (size_t)n, out) != n) return 1;
    for (int k = 0; k <= {operands}; k++) free(digits[k]);
  }}
  return 0;
}}
"""


def main_text(subject: Subject, plan: Plan, base: str) -> str:
    """Return the driver of a header."""
    task, wiring = subject.task, subject.wiring
    words = task.inputs if fits(task) else ()
    results = task.outputs if fits(task) else ()
    _, outputs = word_names(task, base)
    call = ""
    if words:
        name = base if wiring is None else f"{base}_cell"
        arguments = ", ".join(
            f"({word_type(word.width)})words[{place}]" for place, word in enumerate(words)
        )
        if len(results) == 1:
            call = f"    results[0] = {name}({arguments});"
        else:
            reads = "".join(
                f"\n      results[{place}] = own.{outputs[word.name]};"
                for place, word in enumerate(results)
            )
            call = f"    {{\n      struct {base}_words own = {name}({arguments});{reads}\n    }}"
    repeated = ""
    if wiring is not None:
        count = len(wiring.operands)
        places = range(count + bool(wiring.digit))
        arguments = ", ".join(f"digits[{place}]" for place in places)
        repeated = _WIRING.format(operands=count, base=base, arguments=arguments)
    return _MAIN.format(
        base=base,
        n_in=plan.n_in,
        n_out=plan.n_out,
        raw_type=plan.raw_type,
        wide="double" if plan.is_float else "int64_t",
        n_words=max(len(words), 1),
        n_results=max(len(results), 1),
        call=call,
        wiring=repeated,
        results=RESULTS,
        main="(argc > 1 ? numbers(out) : rows(out))" if repeated else "argc > 1 || rows(out)",
    )


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """What a header gave on rows.

    Attributes:
        raw: the raw outputs, as whole numbers or doubles.
        bits: the output bits.
        words: the output words; nothing where they are too wide.
    """

    raw: Shaped[np.ndarray, "batch n_out"]
    bits: UInt8[np.ndarray, "batch n_out"]
    words: UInt64[np.ndarray, "batch n_words"]


@dataclass(frozen=True, slots=True)
class Fault:
    """A program that did not come to its end."""

    reason: str


def run_rows(
    program: Path, plan: Plan, inputs: UInt8[np.ndarray, "batch n_in"], words: Any, n_results: int
) -> Results | Fault:
    """Return what a program gives on rows of bits, and of words beside them."""
    count = len(inputs)
    records = np.zeros(count, dtype=[("x", "u1", inputs.shape[1]), ("w", "u8", words.shape[1])])
    records["x"], records["w"] = inputs, words
    fault = _run(program, (), records.tobytes())
    if fault is not None:
        return fault
    kind = "f8" if plan.is_float else "i8"
    form = np.dtype([("raw", kind, plan.n_out), ("b", "u1", plan.n_out), ("w", "u8", n_results)])
    raw = program.with_name(RESULTS).read_bytes()
    if len(raw) != count * form.itemsize:
        return Fault(f"it gives {len(raw)} bytes for {count} rows")
    got = np.frombuffer(raw, dtype=form)
    shape = count, plan.n_out
    return Results(got["raw"].reshape(shape), got["b"].reshape(shape), got["w"].reshape(count, -1))


def run_numbers(
    program: Path, numbers: Sequence[Sequence[bytes]]
) -> list[tuple[bytes, int]] | Fault:
    """Return the digits and the last carry for operands, each as its digits from the lowest on."""
    parts: list[bytes] = []
    for operands in numbers:
        parts += [struct.pack("=Q", len(operands[0])), *operands]
    fault = _run(program, ("numbers",), b"".join(parts))
    if fault is not None:
        return fault
    raw = program.with_name(RESULTS).read_bytes()
    got: list[tuple[bytes, int]] = []
    start = 0
    for operands in numbers:
        end = start + 1 + len(operands[0])
        if end > len(raw):
            return Fault(f"it gives {len(raw)} bytes, too few")
        got.append((raw[start + 1 : end], raw[start]))
        start = end
    return got


def version_of(program: Path) -> str:
    """Return the compiler that made a program, as the program says."""
    ran = _ran(program, (), b"")
    return "" if ran is None else ran.out.strip()


def _run(program: Path, arguments: tuple[str, ...], data: bytes) -> Fault | None:
    ran = _ran(program, arguments, data)
    if ran is None:
        return Fault(f"it did not end in {RUN_S:g} s")
    if ran.code:
        return Fault(ran.complaint or ran.error or f"it ended with code {ran.code}")
    return None


def _ran(program: Path, arguments: tuple[str, ...], data: bytes) -> Ran | None:
    return run_program(
        (program, *arguments),
        folder=program.parent,
        patience_s=RUN_S,
        environment=environment(),
        data=data,
    )
