"""The report as its readers meet it: in a browser, at three widths, in both themes, on paper."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from axe_playwright_python.sync_playwright import Axe

from adderlab.demo import demo, story

WIDTHS = (360, 1024, 1920)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Return the path of a whole report."""
    out = tmp_path_factory.mktemp("report") / "demo"
    return demo(out, networks=20).folder / "report.html"


@pytest.fixture(params=[(w, s) for w in WIDTHS for s in ("light", "dark")], ids=str)
def page(request, browser, report):
    """Return the report open in the browser at one width and theme."""
    width, scheme = request.param
    opened = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    requests: list[str] = []
    opened.on("request", lambda sent: requests.append(sent.url))
    _ = opened.goto(report.as_uri())
    assert requests == [report.as_uri()], "a report fetches nothing"
    yield opened
    opened.close()


@pytest.mark.browser
def test_nothing_is_wider_than_the_screen_and_no_picture_is_cut(page) -> None:
    """Only tables and code scroll, each within its own frame."""
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    boxes = page.evaluate(
        "[...document.querySelectorAll('svg')].map(s => {const b = s.getBoundingClientRect();"
        " return [b.left, b.right, b.height]})"
    )
    assert len(boxes) >= 8
    for left, right, height in boxes:
        assert left >= 0
        assert right <= width
        assert height > 40


@pytest.mark.browser
def test_the_chapters_stay_in_reach_and_hide_no_heading(page) -> None:
    """Scrolled to any chapter, the list is on the screen and the heading beside or below it."""
    nav = page.get_by_role("navigation", name="Chapters")
    links = nav.get_by_role("link")
    assert links.count() == len(story.CHAPTERS)
    page.emulate_media(reduced_motion="reduce")  # jumps, so that nothing moves while it is measured
    for slug in ("repair", "success-rate", "wide"):
        page.evaluate(f"location.hash = '#{slug}'")
        boxes = page.evaluate(
            f"[document.querySelector('.chapters'), document.getElementById('{slug}')].map("
            "e => {const b = e.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]})"
        )
        (_, top, right, bottom), (left, heading, *_) = boxes
        assert 0 <= top <= bottom <= 900
        assert left >= right or heading >= bottom
    links.nth(12).focus()
    assert (
        page.evaluate("document.activeElement.getBoundingClientRect().right")
        <= (page.viewport_size["width"])
    )


@pytest.mark.browser
def test_no_column_is_a_column_of_letters(page) -> None:
    """A cell of words has room for words, whatever the screen's width."""
    narrow = page.evaluate(
        "[...document.querySelectorAll('td.words')].filter(e => e.textContent.length > 12"
        " && e.getBoundingClientRect().width < 80).map(e => e.textContent)"
    )
    assert narrow == []


@pytest.mark.browser
def test_commands_break_between_words_and_captions_end_on_the_screen(page) -> None:
    """No line of a command ends after a hyphen, and no caption has to be scrolled to."""
    lines = page.evaluate(
        "[...document.querySelectorAll('.command span')].map(e => {"
        " const r = document.createRange(); r.selectNodeContents(e);"
        " return [e.textContent, new Set([...r.getClientRects()].map(b => b.top)).size]})"
    )
    assert len(lines) > 50
    assert [word for word, count in lines if count > 1 and len(word) < 30] == []
    ends = page.evaluate(
        "[...document.querySelectorAll('caption span')].map(e => e.getBoundingClientRect().right)"
    )
    assert len(ends) > 5
    assert max(ends) <= page.viewport_size["width"]


@pytest.mark.browser
def test_text_in_figures_is_legible(page) -> None:
    """The smallest text, 11 points of a figure, is at least 8 pixels on a phone, else 13."""
    least = 8 if page.viewport_size["width"] < 500 else 13
    scales = page.evaluate(
        "[...document.querySelectorAll('figure svg')].map("
        "s => s.getBoundingClientRect().width / s.viewBox.baseVal.width)"
    )
    assert min(scales) * 11 >= least


@pytest.mark.browser
def test_axe_finds_nothing(page) -> None:
    violations = Axe().run(page).response["violations"]
    assert [(fault["impact"], fault["id"]) for fault in violations] == []


@pytest.mark.browser
def test_the_theme_can_be_chosen_by_keyboard(page) -> None:
    """Arrow keys move the choice, and the paper changes with it."""

    def paper() -> str:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    page.focus("#theme-auto")
    page.keyboard.press("ArrowRight")
    light = paper()
    page.keyboard.press("ArrowRight")
    dark = paper()
    assert light == "rgb(255, 255, 255)"
    assert sum(map(int, re.findall(r"\d+", dark))) < 120


@pytest.mark.browser
def test_the_first_tab_skips_to_the_chapters(page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the chapters"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.browser
def test_it_prints_on_light_paper(browser, report, tmp_path) -> None:
    opened = browser.new_page(color_scheme="dark")
    _ = opened.goto(report.as_uri())
    opened.emulate_media(media="print")
    assert (
        opened.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    )
    pdf = opened.pdf(path=tmp_path / "report.pdf", format="A4")
    assert pdf.startswith(b"%PDF")
    assert 9 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 24  # one chapter follows another
    opened.close()


class _Parsed(HTMLParser):
    """Collects ids, links and every address that a page could fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.scripts = 0
        self.feed(text)

    def handle_starttag(self, tag, attrs) -> None:
        attributes = dict(attrs)
        self.scripts += tag == "script"
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag == "a":
            self.links.append(attributes["href"])
        elif tag != "use":
            self.fetched += [
                attributes[key] for key in ("src", "href", "xlink:href") if key in attributes
            ]


def test_a_report_is_one_file_without_script(report) -> None:
    """Ids are unique, links lead somewhere in the page, and nothing is fetched."""
    text = report.read_text(encoding="utf-8")
    parsed = _Parsed(text)
    assert parsed.scripts == 0
    assert len(parsed.ids) == len(set(parsed.ids)) > 10
    assert {link.removeprefix("#") for link in parsed.links} <= set(parsed.ids)
    assert parsed.fetched[0] == "data:,"  # no icon is asked for
    assert all(url.startswith("data:image/png;base64,") for url in parsed.fetched[1:])  # maps
    assert "url(http" not in text
    assert len(text) < 2_000_000


def test_the_same_story_gives_the_same_page(report, tmp_path) -> None:
    """Byte for byte: no time and no path stands in a report."""
    again = demo(tmp_path / "again", networks=20).folder / "report.html"
    assert again.read_bytes() == report.read_bytes()
