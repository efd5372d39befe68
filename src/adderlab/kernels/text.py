"""Lines of source that are written from the top down."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager


class Text:
    """Source that grows line by line."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.depth = 0

    def line(self, text: str = "") -> None:
        """Add a line at the present depth."""
        self.lines.append("    " * self.depth + text if text else "")

    def block(self, text: str) -> None:
        """Add several lines, each indented by the present depth besides its own."""
        for line in text.strip("\n").splitlines():
            self.line(line)

    @contextmanager
    def inside(self, head: str) -> Generator[None]:
        """Add a line that ends in a colon, and indent what is added within."""
        self.line(f"{head}:")
        self.depth += 1
        yield
        self.depth -= 1

    def __str__(self) -> str:
        return "\n".join(self.lines) + "\n"
