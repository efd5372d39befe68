"""``adderlab tasks``: the bit functions with their words and sizes."""

from __future__ import annotations

from typing import Any

import typer

from adderlab.cli.options import AsJson


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog="Example: adderlab tasks --json")(tasks)


def tasks(*, as_json: AsJson = False) -> None:
    """List the tasks with their words and sizes."""
    from adderlab.cli.output import Screen
    from adderlab.tasks import CATALOG

    screen = Screen(as_json=as_json)
    entries: list[dict[str, Any]] = []
    for entry in CATALOG.values():
        task = entry.task(entry.fixed or 4)
        entries.append(
            {
                "task": entry.usage,
                "title": entry.title,
                "inputs": dict(entry.inputs),
                "outputs": dict(entry.outputs),
                "example": task.name,
                "rows": task.rows,
            }
        )
    rows = [
        (
            one["task"],
            one["title"],
            f"{_words(one['inputs'])} → {_words(one['outputs'])}",
        )
        for one in entries
    ]
    rows.append(("table:FILE", "a truth table in CSV", "as its header says"))
    headers = ("task", "what it computes", "words in → words out")
    screen.table(headers, rows, left=headers)
    screen.say()
    screen.say("Bits are written most significant first. A table's header names its words:")
    screen.say("  in a:2,in d:4<10,out c:3     one line for each input; * for any output")
    screen.json({"tasks": entries})


def _words(words: dict[str, str]) -> str:
    return ", ".join(f"{name}:{width}" for name, width in words.items())
