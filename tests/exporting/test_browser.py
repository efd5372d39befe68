"""The single file in a browser: from disk without a network, and in a frame that may do little."""

from __future__ import annotations

import base64
from pathlib import Path
from types import SimpleNamespace

import pytest

import adderlab
from adderlab.nets.files import to_bytes

pytestmark = pytest.mark.browser

LECTURE = adderlab.build("half-adder", method="lecture").network
HOSTILE = "</script><img src=x onerror=alert(1)>\"'&\u2028\u2029<!--"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Return the lecture's network as a file."""
    out = tmp_path_factory.mktemp("file") / "lab.html"
    return adderlab.export(LECTURE, to="html", out=out).file


@pytest.fixture
def opened(browser):
    """Return a function that opens a file from disk, offline; what it complains of is collected."""
    context = browser.new_context(offline=True)

    def call(path, link=""):
        page, faults = context.new_page(), []
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: faults.append(dialog.message))
        page.on("request", lambda request: faults.append(request.url))
        _ = page.goto(path.as_uri() + link)
        assert faults.pop(0).startswith("file:")
        page.wait_for_selector(".verdict .headline")
        return SimpleNamespace(page=page, faults=faults)

    yield call
    context.close()


def verdict(page):
    return page.inner_text(".verdict .headline")


def test_the_file_works_from_disk_without_a_network(opened, file, tmp_path):
    lab = opened(file)
    page = lab.page
    assert "1 + 1 gives c = 3, expected c = 2" in verdict(page)
    assert "checked here on every row" in page.inner_text(".verdict .detail")
    page.get_by_label("Begin with", exact=True).select_option(index=2)
    page.wait_for_selector(".verdict[data-verdict=proved]")
    page.wait_for_url("**#*net=*")
    assert "right on all 4 rows" in verdict(opened(file, f"#{page.url.partition('#')[2]}").page)
    with page.expect_download() as download:
        page.get_by_role("button", name="save").click()
    saved = tmp_path / "net.safetensors"
    download.value.save_as(saved)
    assert adderlab.prove(saved)
    page.get_by_role("button", name="undo").click()
    page.wait_for_selector(".verdict[data-verdict=refuted]")
    page.set_input_files("input[type=file]", saved)
    page.wait_for_selector(".said >> text=net.safetensors is open")
    assert "right on all 4 rows" in verdict(page)
    assert lab.faults == []


DROP = """([name, data]) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const files = new DataTransfer();
  files.items.add(new File([bytes], name));
  const drop = new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true });
  document.querySelector(".adderlab-lab").dispatchEvent(drop);
}"""


def test_a_file_is_opened_by_dropping_it_or_refused_in_a_line(opened, file):
    lab = opened(file)
    right = adderlab.build("half-adder", method="one-layer").network
    for data, line in (
        (to_bytes(right), "is open"),
        (b"PK\x03\x04", "it is no safetensors file, or cut short"),
        (b" " * ((1 << 20) + 1), "has over 1 MiB"),
        (to_bytes(adderlab.build("parity:4", method="table").network), "parity:4, which this"),
    ):
        lab.page.evaluate(DROP, [HOSTILE, base64.b64encode(data).decode()])
        lab.page.wait_for_selector(f".said >> text={line}")
        assert HOSTILE[:20] in lab.page.inner_text(".said")
    assert "proved" in verdict(lab.page)
    assert lab.faults == []


def test_a_table_of_a_hostile_name_is_text_and_its_network_comes_back(
    opened, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    path = Path(HOSTILE)
    path.parent.mkdir()
    _ = path.write_text("in p:1,in q:1,out r:1\n0,0,0\n0,1,1\n1,0,1\n1,1,1\n")
    task = adderlab.task_named(f"table:{HOSTILE}")
    net = adderlab.build(task, method="table").network
    exported = adderlab.export(net, task, to="html", out=tmp_path / "lab.html")
    assert exported.equal is not False
    assert HOSTILE in exported.task
    lab = opened(exported.file)
    page = lab.page
    assert page.locator("img").count() == 0
    assert "table:</script><img src=x onerror=alert(1)>" in page.title()
    assert page.get_by_label("Task", exact=True).input_value() == task.name
    with page.expect_download() as download:
        page.get_by_role("button", name="save").click()
    kept = tmp_path / "net.safetensors"
    download.value.save_as(kept)
    page.set_input_files("input[type=file]", kept)
    page.wait_for_selector(".said >> text=net.safetensors is open")
    verdict_of_saved = adderlab.prove(kept)
    assert verdict_of_saved
    assert verdict_of_saved.rows == 4
    assert lab.faults == []


@pytest.mark.parametrize("kind", ["src", "srcdoc"])
def test_in_a_sandboxed_frame_all_works_and_results_are_text(browser, file, kind):
    """As in the page of a course system: no downloads, no clipboard, an origin of its own."""
    page = browser.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("download", lambda download: faults.append("a download"))
    _ = page.goto(file.parent.as_uri() if kind == "src" else "about:blank")
    text = file.as_uri() if kind == "src" else file.read_text(encoding="utf-8")
    page.evaluate(
        """([kind, text]) => {
          const frame = document.createElement("iframe");
          frame.setAttribute("sandbox", "allow-scripts");
          frame[kind] = text;
          document.body.replaceChildren(frame);
        }""",
        [kind, text],
    )
    (frame,) = page.frames[1:]
    frame.wait_for_selector(".verdict[data-verdict=refuted]")
    assert frame.evaluate("origin") == "null"
    for name, beginning in (("code", "import torch"), ("JSON", "{"), ("link", ""), ("save", "{")):
        frame.get_by_role("button", name=name, exact=True).click()
        shown = frame.locator("dialog textarea").input_value()
        assert shown.startswith(beginning)
        assert ("#" in shown) == (name == "link")
        frame.get_by_role("button", name="Close").click()
        frame.wait_for_selector("dialog", state="detached")
    frame.get_by_label("Begin with", exact=True).select_option(index=2)
    frame.wait_for_selector(".verdict[data-verdict=proved]")
    page.wait_for_timeout(300)  # the link is kept, where it can be
    data = base64.b64encode(to_bytes(LECTURE)).decode()
    frame.evaluate(DROP, ["lecture.safetensors", data])
    frame.wait_for_selector(".verdict[data-verdict=refuted]")
    frame.get_by_role("button", name="present").click()
    frame.get_by_text("1 of ").wait_for()
    page.close()
    assert faults == []
