"""A picture as it is shown: SVG and PNG with their words, and the colors that a page may set."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PALETTE: Final = {
    "paper": "#ffffff",
    "ink": "#1b1d21",
    "muted": "#5b626c",
    "faint": "#cdd2d9",
    "positive": "#17509e",
    "negative": "#cb6a0c",
    "right": "#1a5296",
    "wrong": "#b2330f",
    "below": "#2b62a9",
    "above": "#f3a73b",
}
"""The colors by name, as they are on light paper; each is the variable ``--fig-NAME`` in a page.

No two are equal, so that a color in the SVG says which one it is. Blue and orange differ in
lightness too, and whatever a color says is said once more by a dash, a mark or a number.
"""

_NOT_XML: Final = "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_COLOR: Final = re.compile(r"(?<=: )#[0-9a-f]{6}\b")
_NAME_OF_COLOR: Final = {code: name for name, code in PALETTE.items()}


@dataclass(frozen=True, slots=True)
class Picture:
    """One drawing, as files and for a page.

    Attributes:
        name: of its files and the start of its ids.
        title: what it shows, in one line.
        alt: what it says, in words, for those who can't see it.
        svg: a file of its own: plain colors on light paper, which every viewer knows.
        png: the same, at several pixels for each CSS pixel.
    """

    name: str
    title: str
    alt: str
    svg: str
    png: bytes

    @property
    def themed_svg(self) -> str:
        """The SVG for a page that sets ``--fig-paper`` and its like; light where it does not.

        A file keeps the plain colors because viewers such as Inkscape know no variables.
        """
        return _COLOR.sub(_as_variable, self.svg)

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write the SVG and the PNG into a folder and return their paths."""
        svg, png = folder / f"{self.name}.svg", folder / f"{self.name}.png"
        _ = svg.write_text(self.svg + "\n", encoding="utf-8", newline="\n")
        _ = png.write_bytes(self.png)
        return svg, png


def _as_variable(match: re.Match[str]) -> str:
    name = _NAME_OF_COLOR.get(match[0])
    return match[0] if name is None else f"var(--fig-{name}, {match[0]})"


def plain(text: str) -> str:
    """Return the text with what neither XML nor a font knows replaced by a question mark."""
    return re.sub(_NOT_XML, "?", text)
