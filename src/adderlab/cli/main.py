"""The command line: parse, call a verb, write its blocks.

Rule: bad input is one line on standard error and exit code 2, never a traceback; with
``--json`` the same comes as an object under the key ``error``.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from adderlab.cli import (
    add,
    build,
    check,
    compare,
    count,
    demo,
    doctor,
    explain,
    export,
    grade,
    maps,
    prove,
    quantize,
    repair,
    run,
    show,
    tasks,
    train,
)
from adderlab.cli import open as lab
from adderlab.cli.arguments import with_options
from adderlab.cli.options import BAD_INPUT, INTERRUPTED, READER_LEFT, UNKNOWN
from adderlab.cli.output import complain, prepare_size, prepare_streams, print_json
from adderlab.cli.usage import refusal_of
from adderlab.endings import exit_code
from adderlab.errors import AdderlabError, LimitError
from adderlab.errors import Interrupted as WorkInterrupted
from adderlab.packages import dependency_error

PANEL_COLUMNS: Final = 80
"""Columns below which help is plain text: panels would cut the names of options short."""

NARROW_COLUMNS: Final = 52
"""Columns below which the parser would no longer look how many there are."""


class Stopped(Exception):  # noqa: N818 -- no error
    """Ctrl-C within a command, carried past the parser, which would swallow where it was."""


class Help(TyperGroup.context_class.formatter_class):
    """Help as plain text; in a narrow terminal what an option does is below its name."""

    def write_dl(self, rows: Any, col_max: int = 30, col_spacing: int = 2) -> None:
        """Write a list of names, each with what it means."""
        super().write_dl(
            rows, min(col_max, self.width // 10 if self.width < 50 else 30), col_spacing
        )


class Context(TyperGroup.context_class):
    """What a command is parsed in."""

    formatter_class = Help


class Commands(TyperGroup):
    """The group of all commands."""

    context_class = Context

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, listed with the whole sentence that says what it does."""
        command = super().get_command(ctx, cmd_name)
        if command is not None and not command.short_help:  # else it would be cut short
            command.short_help = " ".join((command.help or "").partition("\n\n")[0].split())
        if command is not None:
            command.context_class = Context
        return command

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was parsed."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            raise Stopped(interrupt) from interrupt


UsageError: type[Exception] = typer.BadParameter.__bases__[
    0
]  # click's own, or the one that newer Typers carry

app = typer.Typer(
    name="adderlab",
    cls=Commands,
    help="Build, train and prove small neural networks that compute bit functions.",
    epilog="Begin with: adderlab demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
)
for commands in (
    demo,
    tasks,
    build,
    show,
    run,
    add,
    train,
    maps,
    explain,
    prove,
    check,
    repair,
    compare,
    grade,
    count,
    quantize,
    export,
    lab,
    doctor,
):
    commands.register(app)


def _print_version(is_asked_for: bool) -> None:
    if is_asked_for:
        import adderlab

        typer.echo(f"adderlab {adderlab.__version__}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print it."),
    ] = False,
) -> None:
    """Build, train and prove small neural networks that compute bit functions."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    prepare_streams()
    prepare_size()
    columns = shutil.get_terminal_size().columns
    app.rich_markup_mode = "rich" if columns >= PANEL_COLUMNS else None
    width = max(columns - 1, 20) if columns < NARROW_COLUMNS else None
    try:
        code = app(arguments, prog_name="adderlab", standalone_mode=False, terminal_width=width)
        if code == INTERRUPTED:  # while the arguments were parsed
            raise KeyboardInterrupt
    except AdderlabError as error:
        code = UNKNOWN if isinstance(error, LimitError) else BAD_INPUT
        error = with_options(error, typer.main.get_command(app), arguments)
        _ = _refuse(arguments, error.to_dict(), str(error))
        return code
    except UsageError as error:
        refusal = refusal_of(error, typer.main.get_command(app), arguments)
        if refusal is None:
            return BAD_INPUT
        return _refuse(arguments, refusal.to_dict(), str(refusal))
    except ImportError as error:
        missing = dependency_error(error)
        if missing is None:
            raise
        return _refuse(arguments, missing.to_dict(), str(missing))
    except MemoryError:
        what = "the memory of this machine is used up"
        remedy = "take something smaller"
        return _refuse(
            arguments, {"what": what, "where": "", "remedy": remedy}, f"{what}; {remedy}"
        )
    except (Stopped, KeyboardInterrupt, typer.Abort) as interrupt:
        cause = interrupt.args[0] if isinstance(interrupt, Stopped) else interrupt
        at, kept = (cause.at, cause.kept) if isinstance(cause, WorkInterrupted) else ("", "")
        where = f" at {at}" if at else ""
        rest = f"{kept}: give the same command to resume" if kept else "nothing was written"
        complain(f"interrupted{where}; {rest}")
        return exit_code()
    except BrokenPipeError:  # the reader of a pipe has gone: nobody is left to tell
        return _drop_output(READER_LEFT)
    except SystemExit as end:  # by the parser's library, which has dropped the output
        if isinstance(end.__context__, BrokenPipeError):
            return READER_LEFT
        raise
    except OSError as error:  # what a command writes itself says so by OutputError
        why = error.strerror or error
        complain(f"the output can't be written ({why}); check where it goes and the space left")
        return _drop_output()
    return code if isinstance(code, int) else 0


def _drop_output(code: int = BAD_INPUT) -> int:
    """Let nothing more be written at exit, and return the exit code."""
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 -- until exit
    return code


def _refuse(arguments: Sequence[str], error: dict[str, str], line: str) -> int:
    complain(line)
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if any(option.partition("=")[0] == "--json" for option in options):
        print_json({"error": error})
    return BAD_INPUT
