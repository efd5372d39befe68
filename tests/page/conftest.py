"""The page in a browser, with nothing behind it: its files are answered from memory."""

from __future__ import annotations

import json

import pytest
from page import golden

import adderlab.page as files

ADDRESS = "http://lab.test/"
TASKS = ("half-adder", "full-adder", "adder:2", "parity:3")


def beginning(net=None, task="half-adder", **change):
    """Return what a home without Python begins with; a half adder's repair as a preset."""
    lecture = golden.BUILT[0][1]
    preset = {"name": "lecture", "title": "the lecture's", "task": "half-adder", "network": lecture}
    run = {"seed": 5, "hidden": 3, "steps": 1000, "lr": 0.1}
    failing = {"name": "failing", "title": "a run that fails", "task": "half-adder", "run": run}
    start = {"task": golden.page_task(task), "network": net or lecture}
    tasks = [golden.page_task(name) for name in TASKS]
    data = {"tasks": tasks, "presets": [preset, failing], "start": start}
    return data | {"record": task, "prover": False} | change


@pytest.fixture
def opened(browser):
    """Return a function that opens the page, and fails on any error or request of it."""
    contexts = []

    def open_page(data=None, link="", *, width=1280, height=900, socket=None, **options):
        window = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(window)
        page = window.new_page()
        document = files.document(
            title="adderlab",
            style="lab.css",
            script="served.js",
            state=json.dumps(data or beginning()),
        )
        served = (files._FILES / "served.js").read_text(encoding="utf-8")
        answers = {
            "": ("text/html", document),
            "lab.css": ("text/css", files.style()),
            "lab.js": ("text/javascript", files.module()),
            "served.js": ("text/javascript", served),
        }

        def answer(route):
            kind, body = answers[route.request.url.removeprefix(ADDRESS)]
            route.fulfill(content_type=f"{kind}; charset=utf-8", body=body)

        page.route("**/*", answer)
        if socket:
            page.route_web_socket("**/socket", socket)
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda line: page.faults.append(line.text))
        page.goto(ADDRESS + link)
        page.locator(".adderlab-lab").wait_for()
        return page

    yield open_page
    for context in contexts:
        faults = [fault for page in context.pages for fault in page.faults]
        context.close()
        assert faults == []
