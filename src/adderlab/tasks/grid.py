"""The cells of a truth table as text: comma, tab and semicolon separated files, Markdown, spaces.

Rule: nothing is interpreted here but what separates cells and what is a comment.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from adderlab import limits
from adderlab.errors import TaskError

_DELIMITERS: Final = (",", ";", "\t", "|")
"""The first of these that the header contains; spaces where it contains none."""
_RULE: Final = re.compile(r"[\s|+:=-]*--[\s|+:=-]*\Z")
"""A line of Markdown or of a drawn table that separates its header."""
_VALUE: Final = re.compile(r"[-+0-9.eE*]+|true|false", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Grid:
    """A header and the lines below it.

    Attributes:
        where: the file, for messages.
        header: the cells of the header.
        header_line: its number.
        lines: the cells of each line, with its number.
        unit: what the lines are called.
        notes: what was assumed.
    """

    where: str
    header: list[str]
    header_line: int
    lines: list[tuple[int, list[str]]] = field(repr=False)
    unit: str = "line"
    notes: tuple[str, ...] = ()


def grid_of_text(text: str, *, where: str) -> Grid:
    """Return the cells of a text file.

    Raises:
        TaskError: the file is empty or not CSV.
    """
    # a lone carriage return ends no line
    sources = re.findall(r"[^\n]*\n|[^\n]+", text.removeprefix("\ufeff"))
    codes = [_without_comment(source) for source in limits.each(sources)]
    first = next((code for code in codes if code.strip()), "")
    delimiter = _delimiter_of(first)
    try:
        lines = [
            (number, cells)
            for number, cells in limits.each(_cells(codes, delimiter))
            if any(map(bool, cells))
        ]
    except csv.Error as error:
        raise TaskError(f"not CSV ({error})", where=where, remedy="separate by commas") from None
    if delimiter == "|":
        lines = _two_sides(lines)
    notes: tuple[str, ...] = ()
    if lines and all(map(_VALUE.fullmatch, lines[0][1])):
        header = _header_in_comment(sources, lines[0], delimiter)
        if header:
            notes = (f"line {header[0]}, a comment, is read as the header",)
            lines.insert(0, header)
        else:
            raise TaskError(
                "the first line holds values, and no names",
                where=f"{where} line {lines[0][0]}",
                remedy="begin with names, as A,B,Y, or in a:1,in b:1,out c:2",
            )
    if not lines:
        raise TaskError("the file is empty", where=where, remedy="begin with in a:1,in b:1,out c:2")
    number, header_cells = lines[0]
    return Grid(where, header_cells, number, _without_empty_end(lines), notes=notes)


def _without_comment(source: str) -> str:
    """Return a line without what follows a ``#`` at its start or after a space, unquoted."""
    for match in re.finditer(r"(?:^|(?<=[\s,;|]))#", source):
        before = source[: match.start()]
        if before.count('"') % 2 == 0:
            return before.rstrip(" \r\n") + "\n"
    return source


def _delimiter_of(header: str) -> str:
    """Return what separates the cells of the header; a space where it is spaces."""
    if header.count('"') % 2:
        return ","
    bare = re.sub(r'"[^"]*"', "", header)
    return next((sign for sign in _DELIMITERS if sign in bare), " ")


def _cells(codes: list[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each line with its number."""
    if delimiter in ("|", " "):
        for number, code in enumerate(codes, start=1):
            if delimiter == " ":
                yield number, _split(code)
            elif not _RULE.match(code):
                line = code.strip().removeprefix("|").removesuffix("|")
                yield number, [cell.strip() for cell in re.split(r"\|+", line)]
        return
    reader = csv.reader(codes, delimiter=delimiter, strict=True, skipinitialspace=True)
    for cells in reader:
        yield reader.line_num, [_unquoted(cell.strip()) for cell in cells]


def _two_sides(lines: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """Return the cells of lines like ``A B | Y``: what stands left of the bar are inputs."""
    sides = {tuple(len(cell.split()) for cell in cells) for _, cells in limits.each(lines)}
    if len(sides) != 1 or len(min(sides)) != 2 or sum(min(sides)) < 3:
        return lines
    split = [(number, [part.split() for part in cells]) for number, cells in limits.each(lines)]
    header = [f"in {name}" for name in split[0][1][0]] + [f"out {name}" for name in split[0][1][1]]
    return [(split[0][0], header), *((number, left + right) for number, (left, right) in split[1:])]


def _split(line: str) -> list[str]:
    """Return what stands between spaces; ``in a:1`` stays together."""
    joined = re.sub(r"\b(in|out|input|output)\s+(?=[A-Za-z_])", "\\1\0", line, flags=re.IGNORECASE)
    return [_unquoted(cell.replace("\0", " ").strip('"')) for cell in joined.split()]


def _unquoted(cell: str) -> str:
    return cell[1:-1].strip() if len(cell) > 2 and cell[0] == cell[-1] == "'" else cell


def _header_in_comment(
    sources: list[str], first: tuple[int, list[str]], delimiter: str
) -> tuple[int, list[str]] | None:
    """Return the last comment above the first values if it has a name for each of them."""
    for number in range(first[0] - 1, 0, -1):
        source = sources[number - 1].strip()
        if source.startswith("#"):
            (cells,) = [cells for _, cells in _cells([source.lstrip("# ")], delimiter)] or [[]]
            is_header = len(cells) == len(first[1]) and all(
                re.match(r"[A-Za-z_]", c) for c in cells
            )
            return (number, cells) if is_header else None
    return None


def _without_empty_end(lines: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """Return the lines below the header, without the empty cells that all of them end with."""
    header = lines[0][1]
    while header and not header[-1] and all(not c[-1] for _, c in lines if len(c) == len(header)):
        width = len(header)
        for _, cells in lines[1:]:
            if len(cells) == width:
                _ = cells.pop()
        _ = header.pop()
    return lines[1:]
