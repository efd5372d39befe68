"""Every public result is shown in one way: by its blocks, through the writers."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import json
import pkgutil
from pathlib import Path

import pytest
from blocks.test_html import Tags

import adderlab
from adderlab.blocks import Result
from adderlab.blocks.kinds import Block

SOURCES = Path(adderlab.__file__).parent
SMALL = {"steps": 20, "samples": 20}


@pytest.fixture(scope="module")
def results():
    """Return a result of each verb that takes little time."""
    lecture = adderlab.build("half-adder", method="lecture")
    run = adderlab.train("half-adder", steps=100, samples=40)
    results = [
        lecture,
        lecture.network,
        lecture.verdict,
        run,
        adderlab.count(lecture.network, training="adam"),
        adderlab.count(model="gpt2"),
        adderlab.show(lecture, input="1,1"),
        adderlab.repair(lecture),
        adderlab.compare(lecture, run),
        adderlab.quantize(lecture, "int4"),
        adderlab.quantization_table(lecture),
        adderlab.explain(lecture, input="1,1"),
        adderlab.explain_chain(3),
        adderlab.explain_slots(lecture, input="1,1"),
        adderlab.explain_symbols(lecture, input="1,1"),
        adderlab.train_many("half-adder", seeds=8, explain=False, **SMALL),
        adderlab.map(size=4, **SMALL),
    ]
    return {f"{type(result).__name__} {at}": result for at, result in enumerate(results)}


def test_every_result_is_shown_in_a_notebook_and_printed_as_json(results, subtests) -> None:
    for name, result in results.items():
        with subtests.test(name):
            assert isinstance(result, Result)
            assert result.blocks()
            assert all(isinstance(block, Block) for block in result.blocks())
            _ = Tags(result._repr_html_())
            assert result._repr_markdown_().strip()
            assert len(repr(result).splitlines()) <= 2
            _ = json.dumps(result.to_dict(), allow_nan=False)


@pytest.fixture(scope="module")
def kinds():
    """Return every class of results in the package."""
    for module in pkgutil.walk_packages(adderlab.__path__, "adderlab."):
        if not module.name.endswith("__main__"):
            _ = importlib.import_module(module.name)
    waiting, classes = [Result], set()
    while waiting:
        below = waiting.pop().__subclasses__()
        waiting += below
        # a slotted dataclass is made anew: the class that was decorated is left over
        classes |= {kind for kind in below if dataclasses.is_dataclass(kind)}
    return {kind for kind in classes if getattr(inspect.getmodule(kind), kind.__name__) is kind}


def test_every_class_of_results_is_frozen_slotted_and_documented(kinds) -> None:
    assert len(kinds) > 15
    for kind in kinds:
        assert kind.__dataclass_params__.frozen, kind
        assert "__slots__" in vars(kind), kind
        assert kind.__doc__, kind
        assert not kind.__doc__.startswith(f"{kind.__name__}("), kind  # dataclass's own
        assert "__repr__" in vars(kind), kind


def trees(folder: Path):
    """Yield each source file below a folder, parsed."""
    for path in sorted(folder.rglob("*.py")):
        yield path.relative_to(SOURCES).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def test_no_result_writes_itself() -> None:
    """Only ``blocks/`` turns a result into HTML or Markdown."""
    named = {"_repr_html_", "_repr_markdown_", "to_html"}
    faults = [
        (file, node.name)
        for file, tree in trees(SOURCES)
        if not file.startswith("blocks/")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name in named
    ]
    assert faults == []


def test_the_command_line_makes_no_table() -> None:
    """It neither draws with Rich's tables nor builds blocks of its own but a line."""
    faults = []
    for file, tree in trees(SOURCES / "cli"):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("print_"):
                faults.append((file, node.name))
            if not isinstance(node, ast.ImportFrom | ast.Import):
                continue
            module = getattr(node, "module", None) or ""
            names = {alias.name for alias in node.names}
            if "rich.table" in {module, *names} or (
                module.startswith("adderlab.blocks") and names & {"Table", "VerdictLine"}
            ):
                faults.append((file, module))
    assert faults == [("cli/output.py", "print_json")]
