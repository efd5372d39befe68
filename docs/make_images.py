"""Draw the README's picture, once for light pages and once for dark ones, into docs/images.

Run it after a change to ``plot_network`` or to the colors: ``python docs/make_images.py``.
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import adderlab
from adderlab.figures import PALETTE, network_picture

FOLDER = Path(__file__).parent / "images"
DARK_PAPER = "#0d1117"  # GitHub's dark page


def dark_colors() -> dict[str, str]:
    """Return each color of the palette with its counterpart in the report's dark theme."""
    css = (files("adderlab.blocks") / "assets" / "page.css").read_text(encoding="utf-8")
    dark = dict(re.findall(r"--([\w-]+): light-dark\(#\w+, (#\w+)\)", css))
    aliases = dict(re.findall(r"--fig-(\w+): var\(--(\w+)\)", css))
    names = {name: aliases.get(name, f"fig-{name}") for name in PALETTE}
    return {
        PALETTE[name]: DARK_PAPER if name == "paper" else dark[variable]
        for name, variable in names.items()
    }


def main() -> None:
    """Write ``lecture-light.svg`` and ``lecture-dark.svg``."""
    net = adderlab.build("half-adder", method="lecture").network
    svg = network_picture(net, row={"a": 1, "b": 1}, name="lecture").svg + "\n"
    colors = dark_colors()
    dark = re.sub(r"#[0-9a-f]{6}\b", lambda match: colors.get(match[0], match[0]), svg)
    FOLDER.mkdir(exist_ok=True)
    for theme, text in (("light", svg), ("dark", dark)):
        path = FOLDER / f"lecture-{theme}.svg"
        _ = path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
