"""The manual's examples run as they stand."""

from __future__ import annotations

from pathlib import Path

import pytest
from documented import commands_of, files_of, python_of, wrong_examples_of

from adderlab.cli.main import main

PAGES = sorted((Path(__file__).parents[1] / "docs").glob("*.md"))
QUICK = [path for path in PAGES if path.stem in ("formulas", "tables")]


@pytest.mark.parametrize("page", QUICK, ids=lambda page: page.stem)
def test_the_examples_of_a_quick_page_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    for name, content in files_of(text).items():
        _ = Path(name).write_text(content, encoding="utf-8")
    commands = commands_of(text)
    assert commands
    for command in commands:
        assert main(command[1:]) in (0, 1), command
    for block in python_of(text):
        exec(compile(block, page.name, "exec"), {})


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_of_every_page_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    assert wrong_examples_of(page.read_text(encoding="utf-8"), is_manual=True) == []
