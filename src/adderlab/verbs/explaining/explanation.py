"""What ``explain`` returns: one result, and every way of showing it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from adderlab.blocks import Chapter, in_a_row
from adderlab.blocks.html import to_fragment, to_page
from adderlab.blocks.markdown import to_document
from adderlab.errors import OutputError
from adderlab.figures import Picture
from adderlab.writing import check_folder, check_place, new_folder, write_file

FIGURES: Final = (".svg", ".png")
SUFFIXES: Final = (".md", ".html", ".json", *FIGURES)
NAME: Final = "explain"


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Something explained.

    Attributes:
        kind: ``rows``, ``chain``, ``symbols``, ``slots`` or ``why``.
        result: the numbers: what :mod:`adderlab.explaining` found.
        data: the same for JSON.
        title: what is explained.
        chapters: as it is told on a terminal.
        long_chapters: as it is told in files, with nothing left out.
        screens: one step each, for stepping through.
        pictures: its figures.
        files: what was written.
    """

    kind: str
    result: Any
    data: dict[str, Any]
    title: str
    chapters: tuple[Chapter, ...]
    long_chapters: tuple[Chapter, ...]
    screens: tuple[Chapter, ...]
    pictures: tuple[Picture, ...] = ()
    files: tuple[Path, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {"explains": self.kind, **self.data, "files": [str(file) for file in self.files]}

    def to_json(self) -> str:
        """Return it as the text of a JSON file."""
        data = {"explains": self.kind, **self.data}
        return json.dumps(data, indent=2, allow_nan=False) + "\n"

    def to_markdown(self, *, figures: str | None = None) -> str:
        """Return it as Markdown with LaTeX; pictures lie in ``figures``, or are told in words."""
        return to_document(self.title, LEDE, self.long_chapters, figures=figures)

    def to_page(self) -> str:
        """Return it as one HTML page with MathML that works offline."""
        return to_page(self.title, LEDE, self.long_chapters)

    def to_html(self) -> str:
        """Return it for a notebook."""
        return to_fragment(in_a_row(self.chapters))

    def _repr_html_(self) -> str:
        return self.to_html()

    def __repr__(self) -> str:
        return repr(self.result)


LEDE: Final = "Every number below was computed when this was made, and checked as it says."


def check_outs(outs: Sequence[str | Path]) -> None:
    """Raise before the work if a place can't be written or comes twice, or its kind is not known.

    Raises:
        OutputError: with the place.
    """
    places: set[Path] = set()
    for out in map(Path, outs):
        if out.resolve() in places:
            raise OutputError("it is named twice", where=str(out), remedy="name each place once")
        places.add(out.resolve())
        if not out.suffix or out.is_dir():
            check_folder(out)
        elif out.suffix not in SUFFIXES:
            raise OutputError(
                f"what {out.suffix} is, is not known",
                where=str(out),
                remedy=f"name a folder, or a file ending in {', '.join(SUFFIXES)}",
            )
        else:
            check_place(out)


def write(found: Explanation, outs: Sequence[str | Path]) -> tuple[Path, ...]:
    """Write an explanation to each place: a folder with everything, or a file by its suffix.

    Raises:
        OutputError: a place can't be written, or there is no figure to write.
    """
    written: list[Path] = []
    for out in map(Path, outs):
        if out.suffix in FIGURES and not out.is_dir() and not found.pictures:
            raise OutputError(
                "there is no figure in this", where=str(out), remedy="name a .md or .html file"
            )
    for out in map(Path, outs):
        if not out.suffix or out.is_dir():
            written += _write_folder(found, out)
            continue
        if out.suffix in FIGURES:
            picture = found.pictures[0]
            data = picture.svg.encode() + b"\n" if out.suffix == ".svg" else picture.png
            written.append(write_file(out, data))
            continue
        text = {".md": found.to_markdown, ".html": found.to_page, ".json": found.to_json}
        written.append(write_file(out, text[out.suffix]()))
    return tuple(written)


def _write_folder(found: Explanation, out: Path) -> list[Path]:
    with new_folder(out) as scratch:
        names = [f"{NAME}{suffix}" for suffix in (".md", ".html", ".json")]
        texts = (found.to_markdown(figures="figures"), found.to_page(), found.to_json())
        for name, text in zip(names, texts, strict=True):
            _ = (scratch / name).write_text(text, encoding="utf-8", newline="\n")
        for picture in found.pictures:
            (scratch / "figures").mkdir(exist_ok=True)
            names += [f"figures/{path.name}" for path in picture.write(scratch / "figures")]
    return [out / name for name in names]
