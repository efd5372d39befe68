"""The result of the five verbs of explaining, and the files that it can be written to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from adderlab.blocks import Block, Chapter, Picture, Result, in_a_row, written_lines
from adderlab.blocks.markdown import to_document
from adderlab.errors import OutputError
from adderlab.writing import check_folder, check_place, is_folder, new_folder, write_file

FIGURES: Final = (".svg", ".png")
SUFFIXES: Final = (".md", ".html", ".json", *FIGURES)
NAME: Final = "explain"


@dataclass(frozen=True, slots=True, eq=False)
class Explanation(Result):
    """An explanation: its numbers, its chapters, and its figures.

    Attributes:
        kind: ``rows``, ``chain``, ``symbols``, ``slots`` or ``why``.
        result: the numbers: what :mod:`adderlab.explaining` computed.
        data: the same for JSON.
        title: what is explained.
        chapters: as on a terminal.
        long_chapters: as in files, with nothing left out.
        steps: one chapter each, for stepping through.
        pictures: its figures.
        files: what was written.
    """

    kind: str
    result: Any
    data: dict[str, Any]
    title: str
    chapters: tuple[Chapter, ...]
    long_chapters: tuple[Chapter, ...]
    steps: tuple[Chapter, ...]
    pictures: tuple[Picture, ...] = ()
    files: tuple[Path, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {"explains": self.kind, **self.data, "files": [str(file) for file in self.files]}

    def to_json(self) -> str:
        """Return the text of a JSON file."""
        data = {"explains": self.kind, **self.data}
        return json.dumps(data, indent=2, allow_nan=False) + "\n"

    def to_markdown(self, *, figures: str | None = None) -> str:
        """Return Markdown with LaTeX; pictures lie in ``figures``, or are described in words."""
        return to_document(self.title, LEDE, self.long_chapters, figures=figures)

    def to_page(self) -> str:
        """Return one HTML page with MathML that works offline."""
        from adderlab.blocks.html import to_page

        return to_page(self.title, LEDE, self.long_chapters)

    def blocks(self) -> tuple[Block, ...]:
        return (*in_a_row(self.chapters), *written_lines(*self.files))

    def __repr__(self) -> str:
        return repr(self.result)


LEDE: Final = "Every number below was computed for this file and checked as described."


def check_outs(outs: str | Path | Sequence[str | Path], *, read: Sequence[str | Path] = ()) -> None:
    """Raise before the work if a place can't be written or comes twice, or its kind is not known.

    Args:
        outs: where to write.
        read: files that the work reads, none of which it may replace.

    Raises:
        OutputError: with the place.
    """
    places: set[Path] = set()
    for out in _places(outs):
        try:
            place = out.resolve()
        except (OSError, ValueError) as error:  # a name that no file can have
            raise OutputError(
                f"can't be written ({error})", where=str(out), remedy="name another place"
            ) from None
        if place in places:
            raise OutputError("it is named twice", where=str(out), remedy="name each place once")
        places.add(place)
        if not out.suffix or is_folder(out):
            check_folder(out)
        elif out.suffix not in SUFFIXES:
            raise OutputError(
                f"unknown file type {out.suffix}",
                where=str(out),
                remedy=f"name a folder, or a file ending in {', '.join(SUFFIXES)}",
            )
        else:
            check_place(out, read=read)


def written(explanation: Explanation, outs: str | Path | Sequence[str | Path]) -> Explanation:
    """Write an explanation to each place: a folder with everything, or a file by its suffix.

    Returns:
        The same, with the files that were written.

    Raises:
        OutputError: a place can't be written, or there is no figure to write.
    """
    files: list[Path] = []
    for out in _places(outs):
        if out.suffix in FIGURES and not is_folder(out) and not explanation.pictures:
            raise OutputError(
                "this explanation has no figure", where=str(out), remedy="name a .md or .html file"
            )
    for out in _places(outs):
        if not out.suffix or is_folder(out):
            files += _write_folder(explanation, out)
            continue
        if out.suffix in FIGURES:
            picture = explanation.pictures[0]
            data = picture.svg.encode() + b"\n" if out.suffix == ".svg" else picture.png
            files.append(write_file(out, data))
            continue
        text = {
            ".md": explanation.to_markdown,
            ".html": explanation.to_page,
            ".json": explanation.to_json,
        }
        files.append(write_file(out, text[out.suffix]()))
    return replace(explanation, files=tuple(files))


def _places(outs: str | Path | Sequence[str | Path]) -> list[Path]:
    return [Path(outs)] if isinstance(outs, str | Path) else [Path(out) for out in outs]


def _write_folder(explanation: Explanation, out: Path) -> list[Path]:
    with new_folder(out) as scratch:
        names = [f"{NAME}{suffix}" for suffix in (".md", ".html", ".json")]
        texts = (
            explanation.to_markdown(figures="figures"),
            explanation.to_page(),
            explanation.to_json(),
        )
        for name, text in zip(names, texts, strict=True):
            _ = (scratch / name).write_text(text, encoding="utf-8", newline="\n")
        for picture in explanation.pictures:
            (scratch / "figures").mkdir(exist_ok=True)
            names += [f"figures/{path.name}" for path in picture.write(scratch / "figures")]
    return [out / name for name in names]
