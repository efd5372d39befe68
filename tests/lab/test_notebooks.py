"""The lab in real notebooks: a weight typed in a cell's output is there in the next cell."""

from __future__ import annotations

import pytest
from lab import notebooks

pytest.importorskip("anywidget", reason="the extra notebook is not installed")
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

WAIT_MS = 90_000
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(20, 23, 28)"
READ = "print(lab.verdict.verdict, *lab.network.layers[1].weight.exact().to_floats()[1])"
MARIMO = """
import marimo

app = marimo.App()


@app.cell
def _():
    import adderlab
    import marimo as mo

    lab = mo.ui.anywidget(adderlab.Lab())
    lab
    return adderlab, lab, mo


@app.cell
def _(lab, mo):
    mo.md(f"Python has: {lab.verdict.verdict}, {len(lab.value)} traits")
    return


@app.cell
def _(adderlab):
    adderlab.Lab()
    return
"""


def opened(browser, address):
    """Return a page of a system that is dark, and the errors of the lab's own on it."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000}, color_scheme="dark")
    page.set_default_timeout(WAIT_MS)
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(address)
    return page, faults


def type_weight(page, lab, name, value):
    """Type a weight by the keyboard alone."""
    lab.get_by_label(name).focus()
    page.keyboard.press("Enter")
    page.keyboard.type(value)
    page.keyboard.press("Enter")


def colors(lab):
    """Return whether a lab is light or dark, by its own word and by its paper."""
    return lab.evaluate("e => [e.style.colorScheme, getComputedStyle(e).backgroundColor]")


def run_cell(page, number):
    """Run a cell of JupyterLab and wait for its end."""
    cell = page.locator(".jp-CodeCell").nth(number)
    before = cell.locator(".jp-InputPrompt").inner_text()
    cell.locator(".jp-InputArea-editor").click()
    page.keyboard.press("Shift+Enter")
    page.wait_for_function(
        "([number, before]) => { const text = document.querySelectorAll('.jp-CodeCell')[number]"
        ".querySelector('.jp-InputPrompt').innerText;"
        " return text !== before && /[0-9]/.test(text); }",
        arg=[number, before],
    )
    return cell


def style_sheets(page):
    """Return how many style sheets of the lab a document has."""
    return page.evaluate(
        "[...document.querySelectorAll('style')]"
        ".filter((sheet) => sheet.textContent.includes('.adderlab-lab {')).length"
    )


def test_jupyterlab(browser, tmp_path):
    cells = ["import adderlab\nlab = adderlab.Lab()\nlab", READ, "other = adderlab.Lab()\nother"]
    with notebooks.jupyterlab(tmp_path, [*cells, f'lab.link = ""\n{READ}']) as address:
        page, faults = opened(browser, address)
        page.locator(".jp-StatusBar-Widget, #jp-main-statusbar").get_by_text("| Idle").wait_for()
        run_cell(page, 0)
        first = page.locator(".adderlab-lab").nth(0)
        first.locator(".verdict >> text=the prover").wait_for()
        assert "1 + 1 gives c = 3" in first.locator(".verdict").inner_text()
        assert colors(first) == ["light", LIGHT]  # as the notebook is, whatever the system is

        type_weight(page, first, "fc2.weight[1,2]", "-4")
        first.locator(".verdict >> text=right on all 4 rows").wait_for()
        first.get_by_label("fc2.weight[1,2]").focus()
        for key in "abxdd":  # they would add, cut and delete cells
            page.keyboard.press(key)
        assert page.locator(".jp-CodeCell").count() == 4
        page.wait_for_timeout(500)  # the link is written once the hand rests
        cell = run_cell(page, 1)
        assert cell.locator(".jp-OutputArea-output").inner_text().strip() == "proved 0.0 1.0 -4.0"

        run_cell(page, 2)
        second = page.locator(".adderlab-lab").nth(1)
        second.locator(".verdict >> text=1 + 1 gives c = 3").wait_for()
        assert "right on all 4 rows" in first.locator(".verdict").inner_text()
        ids = page.evaluate("[...document.querySelectorAll('.adderlab-lab [id]')].map((e) => e.id)")
        assert ids == []

        cell = run_cell(page, 3)  # Python changes the page
        first.locator(".verdict >> text=1 + 1 gives c = 3").wait_for()
        assert cell.locator(".jp-OutputArea-output").inner_text().strip() == "refuted 0.0 1.0 -2.0"

        sheets = style_sheets(page)
        run_cell(page, 0)
        first.locator(".verdict >> text=the prover").wait_for()
        assert page.locator(".adderlab-lab").count() == 2
        assert style_sheets(page) == sheets

        page.evaluate("document.body.dataset.jpThemeLight = 'false'")  # as its dark theme does
        assert colors(first) == ["dark", DARK]
        page.close()
    assert faults == []


def test_marimo(browser, tmp_path):
    pytest.importorskip("marimo", reason="marimo comes with the extra dev")
    with notebooks.marimo(tmp_path, MARIMO) as address:
        page, faults = opened(browser, address)
        page.locator(".cm-editor").nth(2).wait_for()
        page.get_by_test_id("run-button").first.wait_for()
        page.keyboard.press("Control+Shift+r")
        first, second = (page.locator(".adderlab-lab").nth(number) for number in (0, 1))
        first.locator(".verdict >> text=the prover").wait_for()
        second.locator(".verdict >> text=the prover").wait_for()
        page.locator("text=Python has: refuted").wait_for()
        assert colors(first) == ["light", LIGHT]
        corner = "canvas => [...canvas.getContext('2d').getImageData(2, 2, 1, 1).data]"
        red, _, blue, alpha = first.locator("canvas").first.evaluate(corner)
        assert (blue > red, alpha) == (True, 255)  # colors of a style sheet in a shadow tree

        type_weight(page, first, "fc2.weight[1,2]", "-4")
        first.locator(".verdict >> text=right on all 4 rows").wait_for()
        page.locator("text=Python has: proved").wait_for()
        assert "1 + 1 gives c = 3" in second.locator(".verdict").inner_text()
        page.close()
    assert faults == []
