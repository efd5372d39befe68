"""Options: choices that the shell completes, and errors below ``cli/`` that name no option."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from types import NoneType
from typing import get_args

import pytest
import typer

import adderlab
from adderlab.building.methods import METHODS as CONSTRUCTIONS
from adderlab.cli import options
from adderlab.cli.arguments import with_options
from adderlab.cli.main import app, main
from adderlab.cli.settings import hidden_widths, settings_from, sides_of
from adderlab.cli.usage import refusal_of
from adderlab.errors import OptionError
from adderlab.proving.choice import ENGINES
from adderlab.quantizing import GROUPS, SCALES
from adderlab.quantizing.methods import METHODS as ROUNDINGS
from adderlab.runs.maps.result import SHOWS
from adderlab.tasks.order import LSB_FIRST, MSB_FIRST
from adderlab.training import INITS, LOSSES, OPTIMIZERS, Settings
from adderlab.training.settings import DATA
from adderlab.verbs.export_targets import TARGETS

SOURCE = Path(adderlab.__file__).parent
GROUP = typer.main.get_command(app)

CHOICES = {
    options.ConstructionChoice: {"auto", *CONSTRUCTIONS},
    options.EngineChoice: {"auto", *ENGINES},
    options.RoundingChoice: {"auto", *ROUNDINGS},
    options.OptimizerChoice: set(OPTIMIZERS),
    options.LossChoice: set(LOSSES),
    options.InitChoice: set(INITS),
    options.DataChoice: set(DATA),
    options.ColorChoice: set(SHOWS),
    options.BitsChoice: {MSB_FIRST, LSB_FIRST},
    options.GroupChoice: set(GROUPS),
    options.TargetChoice: set(TARGETS),
    options.ScaleChoice: set(SCALES),
}
"""Every fixed set of values, and what the library takes."""

RULES = {float: "a number", int: "a whole number"}


def options_with_a_rule() -> Iterator[tuple[str, str, str | list[str]]]:
    """Yield each command and option that takes a number or a choice, with what it takes."""
    for command in app.registered_commands:
        name = command.callback.__name__
        options_of = {entry.name: max(entry.opts, key=len) for entry in GROUP.commands[name].params}
        for parameter in inspect.signature(command.callback, eval_str=True).parameters.values():
            annotation = get_args(parameter.annotation)[0]
            kinds = [kind for kind in get_args(annotation) or [annotation] if kind is not NoneType]
            if kinds[0] in RULES or kinds[0] in CHOICES:
                rule = RULES.get(kinds[0]) or [member.value for member in kinds[0]]
                yield name, options_of[parameter.name], rule


OPTIONS = list(options_with_a_rule())


def test_the_choices_are_those_of_the_library():
    enums = {choice for choice in vars(options).values() if isinstance(choice, type(StrEnum))}
    assert enums - {StrEnum} == set(CHOICES)
    for choice, values in CHOICES.items():
        assert {member.value for member in choice} == values
    offered = {frozenset(rule) for _, _, rule in OPTIONS if isinstance(rule, list)}
    assert offered == {frozenset(values) for values in CHOICES.values()}
    assert len(OPTIONS) > 40


@pytest.mark.parametrize(("command", "option", "rule"), OPTIONS)
def test_any_other_value_is_refused_with_the_value_and_what_to_give(command, option, rule, capsys):
    arguments = ["net" for entry in GROUP.commands[command].params if entry.required]
    is_choice = isinstance(rule, list)
    remedy = f"one of {', '.join(rule)}" if is_choice else rule
    for value in ["nosuch"] if is_choice else ["x", "1,5", "", "0.1.2"]:
        assert main([command, *arguments, option, value]) == 2
        out, err = capsys.readouterr()
        assert (out, err) == ("", f"adderlab: {option}: got {value!r}; give {remedy}\n")


@pytest.mark.parametrize(
    ("text", "widths"), [("3", 3), ("16x8", (16, 8)), ("4X3X2", (4, 3, 2)), ("07", 7)]
)
def test_hidden_units_are_read_layer_by_layer(text, widths):
    assert hidden_widths(text) == widths
    with pytest.raises(OptionError):
        _ = hidden_widths(text + "x")


@pytest.mark.parametrize(
    ("text", "number"),
    [("1000", 1000), ("1e6", 1_000_000), ("2.5E3", 2500), ("-1e1", -10), ("1.50e+1", 15), ("7", 7)],
)
def test_whole_numbers_are_read_in_scientific_notation_too(text, number):
    assert options.parse_integer(text) == number


@pytest.mark.parametrize(
    ("text", "sides"),
    [("256", "256"), ("1e2", "100"), ("1E2x50", "100x50"), ("6.4e2X1e1", "640x10")],
)
def test_the_sides_of_a_map_are_whole_numbers_like_any_other(text, sides):
    assert sides_of(text) == sides


@pytest.mark.parametrize("text", ["1.5", "1e-3", "2.55e1", "1e", "e6", "1e999", "x", "", "1.5e0"])
def test_what_is_no_whole_number_is_refused(text):
    with pytest.raises(ValueError):
        _ = options.parse_integer(text)


def test_every_option_of_a_whole_number_reads_it_so():
    infos = [
        (command.callback.__name__, name, info)
        for command in app.registered_commands
        for name, parameter in inspect.signature(command.callback, eval_str=True).parameters.items()
        for annotation, info in [get_args(parameter.annotation)[:2]]
        if int in (get_args(annotation) or (annotation,))
    ]
    assert len(infos) == sum(rule == RULES[int] for _, _, rule in OPTIONS) > 10
    assert [where for *where, info in infos if info.parser is not options.integer] == []


# --- the settings of a training run: declared once, an option of both commands ------------------


def test_without_options_the_settings_are_the_librarys_defaults():
    defaults = asdict(Settings())
    settings = settings_from()
    assert {name: defaults[name] for name in settings} == settings
    assert set(defaults) - set(settings) == {"seed", "member", "stop_margin"}


@pytest.mark.parametrize("command", ["train", "map"])
def test_a_command_has_every_setting_side_by_side(command):
    names = [parameter.name for parameter in GROUP.commands[command].params]
    settings = list(settings_from())
    first = names.index(settings[0])
    assert names[first : first + len(settings)] == settings
    assert "settings" not in names


def test_a_command_may_give_an_option_another_help_text():
    helps = {
        name: {parameter.name: parameter.help for parameter in GROUP.commands[name].params}
        for name in ("train", "map")
    }
    assert helps["train"]["steps"] == "Updates; 0 leaves the network untrained."
    assert helps["map"]["steps"] == "Updates, at least 1."
    assert helps["train"]["lr"] == helps["map"]["lr"] == "Learning rate."


# --- what the parser refuses --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("train --steps 1.5", "--steps: got '1.5'; give a whole number"),
        ("map --size", "--size: a value is missing; see 'adderlab map --help'"),
        ("train -o", "-o: a value is missing; see 'adderlab train --help'"),
        ("train --explain=3", "--explain: takes no value; write --explain alone"),
        (
            "train half-adder full-adder",
            "train: takes no further argument, got full-adder; see 'adderlab train --help'",
        ),
        (f"train --steps {'9' * 5000}", f"--steps: got '{'9' * 40}…'; give a whole number"),
    ],
)
def test_a_line_that_does_not_parse_is_refused_in_one_line(line, message, capsys):
    assert main(line.split()) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"adderlab: {message}\n")


class Refused(Exception):
    """A parser's error, as versions of Typer without Pydantic raise it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.param = GROUP.commands["train"].params[4]


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("'x' is not a valid float.", "got 'x'; give a number"),
        ("'x y' is not a valid integer.", "got 'x y'; give a whole number"),
        ("'x' is not one of 'sgd', 'adam'.", "got 'x'; give one of sgd, adam"),
        ("no sentence we know.", "no sentence we know; see 'adderlab train --help'"),
    ],
)
def test_older_parsers_sentences_are_read_too(reason, message):
    refusal = refusal_of(Refused(reason), GROUP, ["train"])
    option = max(Refused(reason).param.opts, key=len)
    assert str(refusal) == f"{option}: {message}"


# --- errors: arguments below cli/, options on the command line ---------------------------------


@pytest.mark.parametrize(
    ("line", "where", "option"),
    [
        ("train half-adder", "keep", "--keep"),
        ("train half-adder", "task", "TASK"),
        ("build", "out", "--out"),
        ("prove net", "timeout_s", "--timeout"),
        ("prove net", "max_memory_bytes", "--max-memory"),
        ("prove net", "formats", "--format"),
        ("prove net", "model", "NET"),
        ("explain", "values w1", "--values w1"),
        ("explain", "w1", "w1"),
        ("tasks", "keep", "keep"),
    ],
)
def test_an_argument_becomes_the_option_of_the_command(line, where, option):
    error = OptionError(
        f"got 1 for `{where.split()[0]}`", where=where, remedy=f"drop `{where.split()[0]}`"
    )
    assert str(error) == f"{where}: {error.what}; {error.remedy}"
    assert "`" in error.what
    typed = with_options(error, GROUP, line.split())
    assert isinstance(typed, OptionError)
    name = option.split()[0]
    assert typed.to_dict() == {
        "what": f"got 1 for {name}",
        "where": option,
        "remedy": f"drop {name}",
    }


OPTION = re.compile(r"(?<![\w-])--(?!fig-)[a-z][a-z-]*")
"""An option; ``--fig-…`` is a variable of the figures' style sheet."""

COMMAND_LINE = re.compile(rf"(adderlab |``)({'|'.join(GROUP.commands)})\b[^`]*")
ALONE = re.compile(rf"({OPTION.pattern} [^ ]+ ?)+")


def names_an_option(text: str) -> bool:
    """Return whether text names an option elsewhere than in a command line.

    Command lines are ``adderlab VERB …``, in docstrings also ``VERB …`` in backticks, and options
    alone with their values, which are appended to one.
    """
    return OPTION.search(COMMAND_LINE.sub("", text)) is not None and not ALONE.fullmatch(text)


def texts_of(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and text of every string literal; values in f-strings become ``0``."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "0" for part in node.values]
            yield node.lineno, "".join(map(str, parts))
            for part in node.values:
                yield from texts_of(part)
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                yield node.lineno, node.value
        else:
            yield from texts_of(node)


@pytest.mark.parametrize(
    ("text", "is_named"),
    [
        ("give `seeds` a number", False),
        ("give --seeds a number", True),
        ("--seeds", True),
        ("alone: adderlab train half-adder --seeds 1000", False),
        ("``train --seeds``: many networks", False),
        ("kept by ``--keep``", True),
        ("--optimizer adam --lr 0", False),
        ("var(--fig-paper)", False),
    ],
)
def test_the_rule_on_options_in_texts(text, is_named):
    assert names_an_option(text) is is_named


def test_no_text_below_the_command_line_names_an_option():
    faults = [
        f"{path.relative_to(SOURCE)}:{line}: {text}"
        for path in sorted(SOURCE.rglob("*.py"))
        if path.parent.name != "cli"
        # the one has a command line of its own, the other speaks of those of other programs
        and path.name not in ("checker.py", "doctor_tools.py")
        for line, text in texts_of(ast.parse(path.read_text(encoding="utf-8")))
        if names_an_option(text)
    ]
    assert faults == []
