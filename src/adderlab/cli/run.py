"""``adderlab run``: what a network computes, words in and words out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer

from adderlab.cli.options import (
    AsJson,
    BitsOption,
    InputsOption,
    NetPath,
    OutputsOption,
    TaskOption,
)
from adderlab.cli.weights import reads_weights
from adderlab.errors import OptionError, TaskError

EXAMPLES = """Examples:

adderlab run adder8.safetensors 5,7

adderlab run adder64.safetensors 12345678901234567890,1 0xff,0b11

seq 0 255 | sed s/$/,1/ | adderlab run adder8.safetensors -

adderlab run net.safetensors 1,1 --raw --format fp16

Output: one line for each input, its output words with commas between; with --raw the outputs
themselves, most significant bit first.

Exit code: 0 computed, 2 bad input."""

AT_ONCE: Final = 1024
"""Lines of standard input that are run before their results are printed."""

STDIN: Final = "-"


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog=EXAMPLES)(reads_weights(run))


def run(
    net: NetPath,
    words: Annotated[
        list[str],
        typer.Argument(metavar="WORDS...", help="Inputs: 5,7; - for lines on standard input."),
    ],
    *,
    task: TaskOption = None,
    bits: BitsOption = None,
    inputs: InputsOption = "",
    outputs: OutputsOption = "",
    raw: Annotated[
        bool, typer.Option("--raw", help="The outputs, not the words that they read as.")
    ] = False,
    format: Annotated[
        str, typer.Option(metavar="F", help="The arithmetic: a number format, or exact.")
    ] = "exact",
    as_json: AsJson = False,
) -> None:
    """Run a network: words in, words out, at any width."""
    from adderlab.cli.output import Screen
    from adderlab.verbs.run import runner

    if STDIN in words and len(words) > 1:
        raise OptionError("got - and other inputs", where="WORDS", remedy="take one")
    screen = Screen(as_json=as_json)
    network = runner(
        net, task, bits=bits and bits.value, inputs=inputs, outputs=outputs, format=format
    )
    results: list[dict[str, Any]] = []

    def compute(rows: list[dict[str, int]]) -> None:
        computed = network.run(rows)
        screen.lines(computed.lines(raw=raw))
        if as_json:
            results.extend(computed.to_dict()["results"])

    lines = _lines() if words == [STDIN] else enumerate(words)
    at_once = 1 if words == [STDIN] and sys.stdin.isatty() else AT_ONCE
    rows: list[dict[str, int]] = []
    try:
        for number, text in lines:
            try:
                rows.append(network.words(text))
            except TaskError as error:
                where = f"line {number}" if words == [STDIN] else error.where
                raise TaskError(error.what, where=where, remedy=error.remedy) from None
            if len(rows) == at_once:
                compute(rows)
                rows = []
    finally:
        compute(rows)  # the lines before one that is refused too
    screen.json({**network.run(()).to_dict(), "results": results})


def _lines() -> Iterator[tuple[int, str]]:
    """Yield the lines of standard input that are not blank, numbered from 1.

    Raises:
        TaskError: it is no text.
    """
    try:
        for number, line in enumerate(sys.stdin, 1):
            if line.strip():
                yield number, line.strip()
    except UnicodeDecodeError:
        raise TaskError(
            "not UTF-8 text", where="standard input", remedy="give lines such as 5,7"
        ) from None
