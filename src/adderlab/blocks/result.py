"""What every result of a verb has in common.

Rule: a result is shown in one way, by its blocks. The command line, a notebook, a page and a
Markdown file draw the same ones.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from adderlab.blocks.kinds import Block


class Result(ABC):
    """A result: data for programs, blocks for people, itself in a notebook."""

    __slots__ = ()

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return the result as a JSON object: numbers, strings, lists and dictionaries alone."""

    @abstractmethod
    def blocks(self) -> tuple[Block, ...]:
        """Return what a person is shown, in order."""

    def _repr_html_(self) -> str:
        from adderlab.blocks.html import to_fragment

        return to_fragment(self.blocks())

    def _repr_markdown_(self) -> str:
        from adderlab.blocks.markdown import to_markdown

        return to_markdown(self.blocks())
