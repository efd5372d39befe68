"""``adderlab grade``: one row for each file in a folder, each judged in a process of its own."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from adderlab.cli import completion, weights
from adderlab.cli.options import (
    AsJson,
    BitsOption,
    InputsOption,
    OutputsOption,
    integer,
    size_in_bytes,
)

EXAMPLES = """Examples:

adderlab grade handins --task half-adder -o grades.csv

adderlab grade handins --task full-adder --rule nonzero -o grades.csv --html grades.html

adderlab grade handins --exercise two-units -o grades.csv

adderlab grade handins --task adder:8 --timeout 60 --max-memory 4GiB --jobs 4

Exit code: 0 graded, whatever the verdicts, 2 bad input."""


class RuleChoice(StrEnum):
    """How parameters are counted."""

    RAW = "raw"
    NONZERO = "nonzero"
    UNIQUE = "unique"


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog=EXAMPLES)(grade)


def grade(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="The folder of the files; folders within it too.",
            autocompletion=completion.files(),
        ),
    ],
    *,
    task: Annotated[
        str | None,
        typer.Option(
            "--task",
            metavar="TASK",
            help="What each must compute: a name, table:FILE, 'y = a xor b'.",
            autocompletion=completion.task,
        ),
    ] = None,
    exercise: Annotated[
        str | None,
        typer.Option(
            "--exercise",
            metavar="ID",
            help="Instead of a task, an exercise of the lab: its answer files count too.",
            autocompletion=completion.words(*completion.EXERCISES),
        ),
    ] = None,
    rule: Annotated[
        RuleChoice,
        typer.Option(help="Which parameters rank: all, those not 0, or different values."),
    ] = RuleChoice.RAW,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="FILE", help="Write the rows here, as CSV."),
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="FILE",
            help="Write a page for the class here.",
            autocompletion=completion.files(".html"),
        ),
    ] = None,
    bits: BitsOption = None,
    inputs: InputsOption = "",
    outputs: OutputsOption = "",
    timeout: Annotated[
        float, typer.Option(metavar="S", help="Seconds for each file, then it is unknown.")
    ] = 10.0,
    max_memory: Annotated[
        str, typer.Option(metavar="SIZE", help="Memory for each file, then it is unknown.")
    ] = "1GiB",
    jobs: Annotated[
        int, typer.Option(parser=integer, metavar="N", help="Files that are judged at a time.")
    ] = 2,
    readout: Annotated[str | None, weights.READOUT] = None,
    layers: Annotated[str | None, weights.LAYERS] = None,
    activation: Annotated[str | None, weights.ACTIVATION] = None,
    netlist: Annotated[Path | None, weights.NETLIST] = None,
    as_json: AsJson = False,
) -> None:
    """Judge every file in a folder on every input, each in a process of its own.

    Nothing that was handed in is run, and a bad file is a row.
    """
    from adderlab.cli.output import Screen
    from adderlab.verbs.grade import grade as grade_folder

    screen = Screen(as_json=as_json)
    with screen.progress() as bar:
        job = bar.add_task("judging", total=None, rate="")
        start = time.perf_counter()
        refused: int | None = None  # before anything was judged

        def on_progress(done: int, files: int) -> None:
            nonlocal refused
            refused = done if refused is None else refused
            rate = (done - refused) / max(time.perf_counter() - start, 1e-9)
            text = f"{done} of {files} files, {rate:.1f} files/s"
            bar.update(job, completed=done, total=files, rate=text)

        graded = grade_folder(
            folder,
            task,
            exercise=exercise,
            rule=rule.value,
            bits=bits and bits.value,
            inputs=inputs,
            outputs=outputs,
            readout=weights.number_or_text(readout),
            layers=layers,
            activation=activation,
            netlist=netlist,
            timeout_s=timeout,
            max_memory_bytes=size_in_bytes(max_memory, where="--max-memory"),
            jobs=jobs,
            out=out,
            page=page,
            on_progress=on_progress,
        )
    screen.show(graded.blocks(), unwritten="" if graded.file or graded.page else "FILE")
    screen.json(graded.to_dict())
