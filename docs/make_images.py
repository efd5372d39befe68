"""Photograph the lab with the lecture's network, for light pages and for dark ones.

Run it after a change to the lab's page, where Chromium is installed: ``python docs/make_images.py``
writes ``docs/images/lab-light.png`` and ``docs/images/lab-dark.png``.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

import adderlab

FOLDER = Path(__file__).parent / "images"
SHOWN = "#hide=exercise,predict,backprop,files,training"


def main() -> None:
    """Write both pictures."""
    net = adderlab.build("half-adder", method="lecture").network
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = Path(folder) / "lab.html"
        _ = adderlab.export(net, to="html", out=page)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for theme in ("light", "dark"):
            window = browser.new_page(
                viewport={"width": 1240, "height": 780}, color_scheme=theme, device_scale_factor=1.5
            )
            _ = window.goto(page.as_uri() + SHOWN)
            window.locator(".adderlab-lab").wait_for()
            _ = window.screenshot(path=FOLDER / f"lab-{theme}.png")
        browser.close()


if __name__ == "__main__":
    main()
