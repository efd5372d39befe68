"""Write the operations that a module or an ONNX model may consist of into docs/classes.md.

They are those of the tables that the readers use.

Run it after a change to the table: ``python docs/make_classes.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from adderlab.nets.onnx.operators import GROUPS as OPERATORS
from adderlab.nets.tracing.operations import GROUPS as OPERATIONS

PAGE = Path(__file__).parent / "classes.md"
TABLES = {
    "operations": ("PyTorch's operations (ATen)", OPERATIONS),
    "operators": ("ONNX's operators", OPERATORS),
}
"""The name of each table in the page, its heading, and what it lists."""


def table(heading: str, groups: dict[str, Any]) -> str:
    """Return operations, a group a line, as Markdown."""
    lines = [f"| what | {heading} |", "| --- | --- |"]
    for group, entries in groups.items():
        names = sorted(name.removeprefix("_") for name in entries)
        lines.append(f"| {group} | {', '.join(f'`{name}`' for name in names)} |")
    return "\n".join(lines)


def page(text: str) -> str:
    """Return the page with the tables as they are now."""
    for name, (heading, groups) in TABLES.items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        head, _, rest = text.partition(begin)
        text = f"{head}{begin}\n{table(heading, groups)}\n{end}{rest.partition(end)[2]}"
    return text


if __name__ == "__main__":
    _ = PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
