"""From axes to a picture: SVG and PNG, with their words.

Rules: the bytes depend on the drawing alone, so the same network gives the same file in every
process. Text is drawn as outlines, so no font of the reader's can cut it off. Every color is one
of :data:`PALETTE`. Nothing is fetched, and every id begins with the picture's name, so that
several pictures fit into one page.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from math import ceil
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree

from adderlab.blocks.picture import PALETTE, Picture, plain
from adderlab.figures.style import POINTS, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PNG_SCALE: Final = 3
"""Pixels of a PNG for each CSS pixel (1/96 inch) that the SVG is wide."""

_CSS: Final = 96
_SVG: Final = "{http://www.w3.org/2000/svg}"
_XLINK: Final = "{http://www.w3.org/1999/xlink}"
_NAME: Final = re.compile(r"[a-z][A-Za-z0-9_-]*\Z")
_REFERENCE: Final = re.compile(r"url\(#([^)]*)\)")


def render(
    name: str,
    title: str,
    alt: str,
    plot: Callable[[Axes], object],
    *,
    size: tuple[float, float] | None = None,
    fills: bool = False,
) -> Picture:
    """Return what ``plot`` draws on new axes as a picture.

    Args:
        name: letters, digits, ``-`` and ``_``, beginning with a small letter.
        title: one line.
        alt: the same in words.
        plot: draws on the axes that it is given; called once, in our style.
        size: of the figure, in inches; that of the style sheet unless given.
        fills: whether the axes fill the figure, as a drawing without ticks does.
    """
    assert _NAME.match(name), name
    title, alt = (plain(" ".join(text.split())) for text in (title, alt))
    with styled():
        figure = drawn(plot, size=size, fills=fills)
        svg = _bytes_of(figure, "svg", POINTS, {"Creator": None, "Date": None})
        png = png_of(figure, PNG_SCALE * _CSS)
    return Picture(name, title, alt, _cleaned(svg, name, title, alt), png)


def drawn(
    plot: Callable[[Axes], object],
    *,
    size: tuple[float, float] | None = None,
    fills: bool = False,
) -> Figure:
    """Return a figure with what ``plot`` draws; to be called within :func:`styled`."""
    from matplotlib.figure import Figure

    if size is not None:  # whole points are whole pixels of a PNG
        size = ceil(size[0] * POINTS) / POINTS, ceil(size[1] * POINTS) / POINTS
    figure = Figure(figsize=size, layout=None if fills else "constrained")
    _ = plot(figure.add_axes((0, 0, 1, 1)) if fills else figure.add_subplot())
    return figure


def png_of(figure: Figure, dpi: int, about: Mapping[str, str] | None = None) -> bytes:
    """Return a drawing as PNG; at 72 dots an inch a point is a pixel.

    Args:
        figure: the drawing.
        dpi: dots an inch.
        about: texts for the file's metadata, by their names.
    """
    return _bytes_of(figure, "png", dpi, {"Software": None, **(about or {})})


def _bytes_of(figure: Figure, kind: str, dpi: int, metadata: dict[str, Any]) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    canvas = FigureCanvasSVG(figure) if kind == "svg" else FigureCanvasAgg(figure)
    stream = io.BytesIO()
    canvas.print_figure(stream, format=kind, dpi=dpi, metadata=metadata, facecolor=PALETTE["paper"])
    return stream.getvalue()


def _cleaned(raw: bytes, name: str, title: str, alt: str) -> str:
    """Return matplotlib's SVG with our ids, a title, and nothing that reaches beyond it."""
    root = ElementTree.fromstring(raw.decode())  # noqa: S314 -- written a moment ago
    used = _references(root)
    for element in list(root.iter()):
        element.tag = element.tag.removeprefix(_SVG)
        for child in list(element):
            if child.tag in (f"{_SVG}metadata", f"{_SVG}style"):
                element.remove(child)  # its rule for `*` would reach the whole page
        _rename(element, name, used)
    width, height = (float(root.attrib[side].removesuffix("pt")) for side in ("width", "height"))
    root.attrib.clear()
    root.attrib.update(
        {
            "xmlns": _SVG.strip("{}"),
            "xmlns:xlink": _XLINK.strip("{}"),
            "viewBox": f"0 0 {width:g} {height:g}",
            "width": f"{width * _CSS / POINTS:g}",
            "height": f"{height * _CSS / POINTS:g}",
            "role": "img",
            "aria-labelledby": f"{name}-title {name}-desc",
            "style": "max-width: 100%; height: auto; stroke-linejoin: round; stroke-linecap: butt",
        }
    )
    for place, (tag, text) in enumerate((("title", title), ("desc", alt))):
        child = ElementTree.Element(tag, {"id": f"{name}-{tag}"})
        child.text, child.tail = text, "\n"
        root.insert(place, child)
    return ElementTree.tostring(root, encoding="unicode")


def _references(root: ElementTree.Element) -> set[str]:
    """Return the ids that something in the drawing points to; no other is kept."""
    ids = {element.attrib.get(f"{_XLINK}href", "").removeprefix("#") for element in root.iter()}
    for element in root.iter():
        for value in element.attrib.values():
            ids.update(_REFERENCE.findall(value))
    return ids - {""}


def _rename(element: ElementTree.Element, name: str, used: set[str]) -> None:
    own = element.attrib.pop("id", "")
    target = element.attrib.pop(f"{_XLINK}href", "")
    if target.startswith("data:"):  # pixels within the drawing itself
        element.attrib["xlink:href"] = target
        target = ""
    target = target.removeprefix("#")
    for key, value in element.attrib.items():
        element.attrib[key] = _REFERENCE.sub(rf"url(#{name}-\1)", value)
    if own in used:
        element.attrib["id"] = f"{name}-{own}"
    if target:
        element.attrib["xlink:href"] = f"#{name}-{target}"
