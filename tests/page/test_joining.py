"""The page's modules laid end to end are one module, and what could not be is refused."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from adderlab import page

MODULES = {
    "numbers.js": "export const half = 0.5;\nlet calls = 0;\n"
    "export function twice(x) {\n  calls += 1;\n  return 2 * x;\n}\n",
    "words.js": 'import { twice } from "./numbers.js";\n\n/** Not import("./x.js") itself. */\n'
    "export async function later(x) {\n  const { y } = { y: twice(x) };\n  return y;\n}\n",
    "lab.js": 'import {\n  later,\n} from "./words.js";\n'
    'import { half, twice } from "./numbers.js";\n'
    "export class Lab {}\nfunction render() {\n  return later(twice(half));\n}\n"
    "export default { render };\n",
}


def written(folder: Path, **changes: str) -> Path:
    """Return the folder with the modules in it, some of them with more text."""
    for name, text in MODULES.items():
        _ = (folder / name).write_text(text + changes.get(name.removesuffix(".js"), ""))
    return folder


def test_modules_are_laid_in_the_order_of_their_imports_each_once(tmp_path):
    text = page.module(written(tmp_path))
    assert not re.search(r"^import", text, re.MULTILINE)
    assert re.findall(r"^export.*", text, re.MULTILINE) == ["export default { render };"]
    names = re.findall(r"^(?:async )?(?:const|let|function|class) (\w+)", text, re.MULTILINE)
    assert names == ["half", "calls", "twice", "later", "Lab", "render"]
    assert "const { y }" in text  # below the top level anything goes


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_what_was_joined_runs_as_one_module(tmp_path):
    joined = tmp_path / "joined.mjs"
    _ = joined.write_text(page.module(written(tmp_path)))
    script = f"const m = await import({json.dumps(joined.as_uri())});"
    script += "console.log(await m.default.render(), Object.keys(m).join());"
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "2 default\n"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (
            {"words": "const half = 1;\n"},
            "numbers.js and words.js both have the top-level name half",
        ),
        ({"lab": "class Lab {}\n"}, "lab.js and lab.js both have the top-level name Lab"),
        (
            {"numbers": 'import { later } from "./words.js";\n'},
            "a circle of imports: lab.js -> words.js -> numbers.js -> words.js",
        ),
        (
            {"lab": 'import { calls } from "./numbers.js";\n'},
            "lab.js: numbers.js exports no calls",
        ),
        (
            {"words": "export default twice;\n"},
            "words.js: the entry has a default export, and no other module has",
        ),
    ],
)
def test_what_can_not_be_one_module_is_refused(tmp_path, changes, fault):
    with pytest.raises(ValueError, match=re.escape(fault)) as refused:
        _ = page.module(written(tmp_path, **changes))
    assert str(refused.value) == fault


@pytest.mark.parametrize(
    "line",
    [
        'import "./numbers.js";',
        'import numbers from "./numbers.js";',
        'import * as numbers from "./numbers.js";',
        'import { half } from "../numbers.js";',
        'import { half } from "https://example.org/numbers.js";',
        "import { half } from './numbers.js';",
        "export { twice };",
        'export * from "./numbers.js";',
        "export let more = 1;",
        "const { a } = {};",
        "const [b] = [];",
        'const numbers = await import("./numbers.js");',
    ],
)
def test_other_forms_of_import_and_export_are_refused(tmp_path, line):
    with pytest.raises(ValueError, match="not read") as refused:
        _ = page.module(written(tmp_path, words=f"{line}\n"))
    assert str(refused.value).endswith(f"is not read: {line}")


def test_a_renamed_import_is_refused(tmp_path):
    with pytest.raises(ValueError, match="exports no half as h"):
        _ = page.module(written(tmp_path, words='import { half as h } from "./numbers.js";\n'))


def test_an_entry_without_a_default_export_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"numbers\.js: the entry has a default export"):
        _ = page.module(written(tmp_path), "numbers.js")


STARTS = {
    'import lab from "./lab.js";\n': None,
    'import lab from "./lab.js";\nconst own = lab.render;\n': None,
    "const own = 1;\n": "its imports",
    'import lab from "./lab.js";\nimport { half } from "./numbers.js";\n': "its imports",
    'import lab from "./lab.js";\nconst half = 1;\n': "the top-level name half is another module's",
}


@pytest.mark.parametrize("start", STARTS)
def test_what_starts_the_page_in_a_file_stands_behind_its_modules(tmp_path, start):
    folder, fault = written(tmp_path), STARTS[start]
    _ = (tmp_path / "start.js").write_text(start)
    if fault is not None:
        with pytest.raises(ValueError, match=re.escape(fault)):
            _ = page.program(folder, "start.js")
        return
    text = page.program(folder, "start.js")
    assert not re.search(r"^(?:import|export)\b", text, re.MULTILINE)
    assert "\nconst lab = { render };\n" in text


@pytest.mark.parametrize("end", ["</script>", "</SCRIPT ", "<!--", "\r"])
def test_a_script_that_would_end_its_element_is_refused(monkeypatch, end):
    monkeypatch.setattr(page, "program", lambda: f'const end = "{end}";\n')
    with pytest.raises(ValueError, match="the page's own text has"):
        _ = page.single_file(title="lab", state="{}")


def test_a_title_that_is_no_unicode_text_is_shown_as_far_as_it_is():
    for text in (
        page.document(title="t\ud800.csv", style="lab.css", script="start.js", state="{}"),
        page.single_file(title="t\ud800.csv", state="{}"),
    ):
        assert "<title>t?.csv</title>" in text.encode().decode()


def test_style_sheets_are_joined_in_the_order_of_their_names(tmp_path):
    for name in ("b.css", "a.css", "c.js"):
        _ = (tmp_path / name).write_text(f"/* {name} */\n")
    assert page.style(tmp_path) == "/* a.css */\n\n/* b.css */\n"


class Document(HTMLParser):
    """The elements of a document with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: dict[str, dict[str, str | None]] = {}
        self.metas: dict[str | None, str | None] = {}
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements[tag] = dict(attrs)
        if tag == "meta":
            self.metas[dict(attrs).get("name")] = dict(attrs).get("content")

    def handle_data(self, data):
        self.text += data


def test_a_document_says_what_it_is_given_and_runs_nothing_of_it():
    hostile = '"><script>alert(1)</script>'
    state = json.dumps({"name": hostile})
    parsed = Document(
        page.document(title=hostile, style="lab.css", script="start.js", state=state, language="en")
    )
    assert parsed.elements["html"] == {"lang": "en"}
    assert parsed.elements["main"] == {"id": "lab", "data-state": state}
    assert parsed.elements["script"] == {"type": "module", "src": "start.js"}
    assert parsed.metas["viewport"] == "width=device-width, initial-scale=1"
    assert "style" not in parsed.elements
    assert hostile in parsed.text  # the title
