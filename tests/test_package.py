"""The package as a whole: its public names, what importing it costs, and its layers."""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import pkgutil
import re
import shutil
import subprocess
import sys
import tomllib
import typing
from importlib import metadata, resources
from pathlib import Path

import pytest

import adderlab
from adderlab import errors
from adderlab.blocks import Result
from adderlab.errors import AdderlabError

ROOT = Path(__file__).parents[1]
VERBS = (
    "build",
    "compare",
    "count",
    "demo",
    "explain",
    "explain_chain",
    "explain_slots",
    "explain_symbols",
    "explain_why",
    "grade",
    "load",
    "map",
    "prove",
    "quantization_table",
    "quantize",
    "repair",
    "replay",
    "run",
    "sample",
    "save",
    "show",
    "train",
    "train_many",
)


@pytest.fixture(scope="module")
def submodules():
    """Return the names of all submodules, each of them imported."""
    names = [
        result.name
        for result in pkgutil.walk_packages(adderlab.__path__, "adderlab.")
        if not result.name.endswith("__main__")  # importing that one runs the command line
    ]
    for name in names:
        _ = importlib.import_module(name)
    return names


def test_every_public_name_resolves_after_every_submodule_was_imported(submodules):
    assert len(submodules) > 60
    for name in adderlab.__all__:
        assert not inspect.ismodule(getattr(adderlab, name)), name


@pytest.mark.usefixtures("submodules")
def test_every_verb_is_a_function_and_no_submodule_hides_it():
    assert set(VERBS) <= set(adderlab.__all__)
    for verb in VERBS:
        function = getattr(adderlab, verb)
        assert inspect.isfunction(function), verb
        assert function.__name__ == verb


@pytest.mark.parametrize("verb", VERBS)
def test_what_a_verb_returns_is_a_public_name(verb):
    """The annotation names it, or several, or is none of ours."""
    returned = str(inspect.signature(getattr(adderlab, verb)).return_annotation)
    kinds = {kind.strip() for kind in returned.split("|")}
    assert kinds <= {*adderlab.__all__, "Path", "Samples"}
    if verb not in ("load", "sample", "save"):
        assert all(issubclass(getattr(adderlab, kind), Result) for kind in kinds)


def documented(file):
    """Return the names that a page of the manual documents by a directive."""
    text = (ROOT / "docs" / file).read_text(encoding="utf-8")
    return set(
        re.findall(r"^\.\. auto(?:function|class|exception):: ([\w.]+)$", text, re.MULTILINE)
    )


@pytest.mark.parametrize(
    ("module", "file", "prefix"),
    [
        ("adderlab", "api.md", "adderlab."),
        ("adderlab.blocks", "api.md", "adderlab.blocks."),
        ("adderlab.figures", "figures.md", ""),
    ],
)
def test_every_public_name_has_a_docstring_and_stands_in_the_manual(module, file, prefix):
    """Of figures the manual has the plots; what makes files of them serves the verbs."""
    package = importlib.import_module(module)
    public = {name: getattr(package, name) for name in package.__all__}
    classes = {name: value for name, value in public.items() if inspect.isclass(value)}
    functions = {name: value for name, value in public.items() if inspect.isfunction(value)}
    for name, value in (classes | functions).items():
        assert value.__doc__, name
        assert not value.__doc__.startswith(f"{name}("), name  # a dataclass's own
    names = set(functions) if module == "adderlab.figures" else {*classes, *functions}
    if module == "adderlab.figures":
        names = {name for name in names if name.startswith("plot_")}
    elsewhere = {"Result", "Picture"} if module == "adderlab.blocks" else set()
    assert {prefix + name for name in names - elsewhere} <= documented(file)


def test_the_table_of_names_the_list_and_dir_agree():
    assert adderlab.__all__ == sorted(adderlab.__all__)
    assert set(adderlab.__all__) == set(adderlab._HOMES) <= set(dir(adderlab))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError) as refused:
        _ = adderlab.sumtract
    assert str(refused.value) == "module 'adderlab' has no attribute 'sumtract'"


@pytest.mark.usefixtures("submodules")
def test_every_packages_list_names_what_it_has(submodules):
    for name in submodules:
        module = sys.modules[name]
        listed = getattr(module, "__all__", None)
        if listed is not None:
            assert len(set(listed)) == len(listed), name
            assert all(hasattr(module, entry) for entry in listed), name


def test_importing_the_package_imports_neither_torch_nor_numpy():
    script = "import sys, adderlab; print(*{'torch', 'numpy'} & set(sys.modules)); adderlab.load"
    script += "; print(*{'torch', 'numpy'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["", "numpy"]  # loading a file takes numpy, and no torch


def test_help_imports_neither_torch_nor_numpy_nor_a_server():
    script = "import sys; from adderlab.cli.main import main; main(['--help'])"
    script += "; print(*{'torch', 'numpy', 'starlette', 'uvicorn'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == ""


def imported(tree, *, for_types=False):
    """Yield the packages that a module imports; those for annotations alone if ``for_types``."""
    for node in ast.iter_child_nodes(tree):
        is_for_types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if isinstance(node, ast.Import) and not for_types:
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not for_types:
            assert node.module is not None
            yield node.module.partition(".")[0]
        elif is_for_types:
            if for_types:
                yield from imported(node)
        else:
            yield from imported(node, for_types=for_types)


def test_what_is_imported_is_declared_and_what_is_declared_is_imported():
    """What only annotations need is among the tools of development; z3 is loaded by its name.

    So is websockets, by uvicorn. What shows the lab in a notebook is an extra.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def packages(requirements):
        names = {re.split(r"[<>=\[]", text)[0].replace("-", "_") for text in requirements}
        return {name.removeprefix("python_") for name in names}  # python-flint is imported as flint

    known = {*sys.stdlib_module_names, "adderlab"}
    at_run_time, for_types = set(), set()
    for path in Path(adderlab.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        at_run_time |= {*imported(tree)} - known
        for_types |= {*imported(tree, for_types=True)} - known
    declared = packages(project["dependencies"])
    extras = project["optional-dependencies"]
    # of the two that run a model, either will do: onnxruntime is faster
    widgets = {"anywidget", "traitlets"}
    assert at_run_time | {"websockets"} == declared | packages(extras["onnx"]) | widgets
    assert widgets <= packages(extras["notebook"])
    assert for_types <= declared | packages(extras["dev"])
    assert set(extras) == {"notebook", "onnx", "smt", "verilog", "dev"}


def test_the_marker_of_typed_packages_is_shipped():
    assert resources.files("adderlab").joinpath("py.typed").is_file()


def test_the_command_is_the_packages():
    (entry,) = metadata.entry_points(group="console_scripts", name="adderlab")
    assert entry.value == "adderlab.__main__:main"
    assert callable(entry.load())


EXCEPTIONS = [
    error
    for error in vars(errors).values()
    if inspect.isclass(error) and issubclass(error, Exception) and error is not AdderlabError
]


def raised_texts():
    """Yield every text in the errors that are raised below the command line, with its place."""
    for path in sorted(Path(adderlab.__file__).parent.rglob("*.py")):
        if "cli" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(getattr(node, "func", None), "id", "")
            if name.endswith(("Error", "_refused", "fault")) or isinstance(node, ast.Raise):
                for part in ast.walk(node):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield f"{path.name}:{part.lineno}", part.value


def test_errors_below_the_command_line_name_arguments_and_no_options():
    texts = list(raised_texts())
    assert len(texts) > 500
    commands = "|".join(VERBS)
    typed = re.compile(rf"--\w|(^| )-o\b|adderlab ({commands}|tasks|doctor)\b")
    assert [(place, text) for place, text in texts if typed.search(text)] == []


def test_the_typed_keywords_are_the_settings():
    """A type checker knows each setting, with its type; choices are those that are accepted."""
    from adderlab.training import settings

    options = typing.get_type_hints(settings.TrainingOptions)
    fields = typing.get_type_hints(settings.Settings)
    assert set(options) == set(fields)
    assert set(fields) - set(typing.get_type_hints(settings.MapOptions)) == {"member"}
    choices = {"optimizer": "OPTIMIZERS", "loss": "LOSSES", "init": "INITS", "data": "DATA"}
    for name, kind in options.items():
        if name in choices:
            assert typing.get_args(kind) == getattr(settings, choices[name])
        else:
            assert kind == fields[name], name
    for verb, kind in (
        ("train", "TrainingOptions"),
        ("train_many", "TrainingOptions"),
        ("map", "MapOptions"),
    ):
        parameters = inspect.signature(getattr(adderlab, verb)).parameters
        assert parameters["settings"].annotation == f"Unpack[{kind}]"


@pytest.mark.slow
def test_a_type_checker_finds_a_misspelt_keyword(tmp_path):
    script = tmp_path / "script.py"
    lines = [
        "import adderlab",
        "_ = adderlab.train('half-adder', hidden=4, lr=0.2, optimizer='adam')",
        "_ = adderlab.train('half-adder', hiden=4)",
        "_ = adderlab.train_many('half-adder', seeds=2, step=3)",
        "_ = adderlab.map('half-adder', optimizer='lion')",
    ]
    _ = script.write_text("\n".join(lines))
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, str(script)],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    wrong = {int(line) for line in re.findall(r"script\.py:(\d+):\d+ - error", done.stdout)}
    assert wrong == {3, 4, 5}, done.stdout


def test_the_version_is_the_distributions():
    assert adderlab.__version__ == metadata.version("adderlab")
    assert "__version__" in dir(adderlab)


@pytest.mark.parametrize("error", EXCEPTIONS, ids=lambda error: error.__name__)
def test_every_exception_is_ours_and_a_built_in_one(error):
    assert issubclass(error, AdderlabError)
    built_in = [
        base
        for base in error.__mro__
        if getattr(builtins, base.__name__, None) is base and base not in (Exception, object)
    ]
    assert {base.__name__ for base in built_in} & {
        "ValueError",
        "TypeError",
        "ImportError",
        "OSError",
        "MemoryError",
    }
    assert error.__doc__
    raised = error("what is wrong", where="here", remedy="do this")
    assert str(raised) == "here: what is wrong; do this"


def test_there_are_as_many_exceptions_as_the_command_line_may_meet():
    assert len(EXCEPTIONS) >= 9


@pytest.mark.parametrize(
    ("what", "where", "remedy", "line"),
    [
        ("wrong", "", "", "wrong"),
        ("wrong", "file", "", "file: wrong"),
        ("wrong", "", "mend it", "wrong; mend it"),
        ("a\nb", "c\rd", "e\x1b[2Jf\u2028", "c\\rd: a\\nb; e\\x1b[2Jf\\u2028"),
    ],
)
def test_a_message_is_one_printable_line(what, where, remedy, line):
    error = AdderlabError(what, where=where, remedy=remedy)
    assert str(error) == line
    assert line.isprintable()
    assert set(error.to_dict()) == {"what", "where", "remedy"}


LAYERS = "imports run downward only, and siblings never meet"
TORCH_FREE = "what is to be computed knows no torch"


@pytest.mark.parametrize(
    ("file", "line", "broken"),
    [
        (None, "", None),
        ("nets/network.py", "import adderlab.verbs.prove", LAYERS),
        ("tasks/task.py", "import adderlab.nets.files", LAYERS),
        ("errors.py", "def f():\n    import adderlab.bits", LAYERS),
        ("training/loop.py", "from adderlab.proving import prove", LAYERS),
        ("building/lecture.py", "from adderlab.counting import count_model", LAYERS),
        ("tasks/sampling.py", "def f():\n    import torch", TORCH_FREE),
        ("bits.py", "from torch import nn", TORCH_FREE),
        ("formats.py", "import torch.nn", TORCH_FREE),
        ("newroom.py", "import adderlab.errors", LAYERS),
    ],
)
def test_the_contracts_hold_and_each_breach_is_found(tmp_path, file, line, broken):
    """The first case is the control: as it stands, the package keeps every contract."""
    source = tmp_path / "src"
    _ = shutil.copytree(
        *adderlab.__path__, source / "adderlab", ignore=shutil.ignore_patterns("__pycache__")
    )
    if file is not None:
        with (source / "adderlab" / file).open("a", encoding="utf-8") as changed:
            _ = changed.write(f"\n{line}\n")
    done = subprocess.run(
        [
            *(
                sys.executable,
                "-c",
                "from importlinter.cli import lint_imports_command as lint; lint()",
            ),
            *("--no-cache", "--config", str(ROOT / "pyproject.toml")),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=source,
    )
    kept = {name: f"{name} KEPT" in done.stdout for name in (LAYERS, TORCH_FREE)}
    assert kept == {name: name != broken for name in kept}, done.stdout[-3000:] + done.stderr
    assert (done.returncode == 0) is (broken is None)


def test_every_public_function_takes_a_task_by_its_name_and_a_readout_as_a_number():
    """By their annotations: a task may be whatever stands for one, and so may a readout."""
    for module in (adderlab, adderlab.figures):
        for name in module.__all__:
            function = getattr(module, name)
            if not inspect.isfunction(function):
                continue
            for parameter in inspect.signature(function).parameters.values():
                if parameter.name == "task":
                    kinds = str(parameter.annotation)
                    assert "TaskLike" in kinds or "Wiring" in kinds, (name, parameter)
                if parameter.name == "readout":
                    assert "ReadoutLike" in str(parameter.annotation), (name, parameter)


# Words that say of a value that it is there, not what it is.
NAMELESS = frozenset(
    {
        *("asked", "found", "given", "made", "meant", "said", "told", "want", "wanted"),
        *("one", "stuff", "thing", "things", "tmp"),
    }
)


def named_values(source):
    """Yield every name that a module's source gives to a value, with its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield getattr(node, "id", None) or getattr(node, "attr", None), node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.alias):
            yield node.asname, getattr(node, "lineno", 0)
        elif isinstance(
            node,
            ast.FunctionDef | ast.ClassDef | ast.ExceptHandler | ast.MatchAs | ast.MatchStar,
        ):
            yield node.name, node.lineno


def nameless(source):
    """Return the names of values that say nothing, whatever number or underscore they end in."""
    values = ((name, line) for name, line in named_values(source) if name)
    return [(line, name) for name, line in values if name.strip("_0123456789") in NAMELESS]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("row = found(asked.made, one=told)", []),
        ("from hypothesis import given\n@given(told)\ndef f(row): ...", []),
        ("found = told = 1", ["found", "told"]),
        ("for one, (asked, *made) in rows: ...", ["one", "asked", "made"]),
        ("rows = [given_ for given_ in rows]", ["given_"]),
        ("net.made += 1", ["made"]),
        ("class A:\n    one: int", ["one"]),
        (
            "def f(said, /, told=1, *asked, wanted, **given): ...",
            ["said", "told", "wanted", "asked", "given"],
        ),
        ("row = lambda thing2: 0", ["thing2"]),
        ("with f() as meant: ...\nimport math as stuff", ["meant", "stuff"]),
        ("try: ...\nexcept E as told: ...", ["told"]),
        ("match row:\n    case [one, *found]: ...", ["one", "found"]),
        ("if (tmp := f()): ...", ["tmp"]),
        ("@pytest.fixture\ndef made(): ...", ["made"]),
    ],
)
def test_a_value_without_a_name_of_its_own_is_seen(source, names):
    assert sorted(name for _, name in nameless(source)) == sorted(names)


def test_a_value_is_named_for_what_it_is():
    """``got`` is a name: what a network gave, beside what was ``expected``."""
    places = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for room in ("src", "tests", "benchmarks", "docs")
        for path in sorted((ROOT / room).rglob("*.py"))
        for line, name in nameless(path.read_text(encoding="utf-8"))
    ]
    assert places == []
