"""Write the operations that a module may consist of into docs/classes.md, from the reader's table.

Run it after a change to the table: ``python docs/make_classes.py``.
"""

from __future__ import annotations

from pathlib import Path

from adderlab.nets.tracing.operations import GROUPS

PAGE = Path(__file__).parent / "classes.md"
BEGIN, END = "<!-- operations -->", "<!-- end of operations -->"


def table() -> str:
    """Return the operations, a group a line, as Markdown."""
    lines = ["| what | PyTorch's operations (ATen) |", "| --- | --- |"]
    for group, entries in GROUPS.items():
        names = sorted(name.removeprefix("_") for name in entries)
        lines.append(f"| {group} | {', '.join(f'`{name}`' for name in names)} |")
    return "\n".join(lines)


def page(text: str) -> str:
    """Return the page with the table as it is now."""
    head, _, rest = text.partition(BEGIN)
    return f"{head}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    _ = PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
