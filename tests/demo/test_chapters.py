"""One chapter alone, the list of what was written, and the words for symptoms."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import numpy as np
import pytest

from adderlab.building import construct
from adderlab.cli.main import main
from adderlab.demo import demo, story
from adderlab.demo.wide_adders import _limits
from adderlab.demo.workshop import Workshop
from adderlab.demo.written import summary_of
from adderlab.errors import OptionError
from adderlab.tasks import task_named
from adderlab.training.census.symptoms import SYMPTOMS

SOURCE = Path(inspect.getfile(story)).parents[1]


def test_a_chapter_alone_is_run_shown_and_numbered_as_in_the_whole(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--chapter", "3"]) == 0
    printed = capsys.readouterr().out
    assert "3. The data set" in printed
    assert "A network set by hand" not in printed
    folder = tmp_path / "adderlab-demo-3"
    assert {path.name for path in folder.iterdir()} == {"data.csv", "report.html", "results.json"}
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert [chapter["slug"] for chapter in results["chapters"]] == ["data"]
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert '<h2 id="data"><span class="number">3</span>The data set</h2>' in page


@pytest.mark.parametrize("number", [0, -1, 15, 2.5, "3"])
def test_a_chapter_that_is_not_there_is_refused_and_nothing_is_written(number, tmp_path):
    with pytest.raises(OptionError) as refused:
        _ = demo(tmp_path / "demo", chapter=number)
    what = "the number of a chapter, 1 to 14" if isinstance(number, int) else "a whole number"
    assert str(refused.value) == f"chapter: got {number!r}; give {what}"
    assert list(tmp_path.iterdir()) == []


def test_the_command_refuses_a_wrong_chapter_in_one_line(capsys):
    assert main(["demo", "--chapter", "15"]) == 2
    assert capsys.readouterr().err == (
        "adderlab: --chapter: got 15; give the number of a chapter, 1 to 14\n"
    )


def test_the_help_names_every_chapter(capsys):
    assert main(["demo", "--help"]) == 0
    words = " ".join(capsys.readouterr().out.split())
    for number in range(1, len(story.CHAPTERS) + 1):
        assert re.search(rf"[:,] {number} \S", words), number


@pytest.mark.parametrize(
    "files",
    [
        ("report.html", "results.json"),
        ("a.csv", "b.csv", "report.html", "results.json", "figures/a.svg", "figures/a.png"),
    ],
)
def test_what_was_written_is_counted_by_kind_in_ten_lines_at_most(files):
    lines = summary_of(files)
    assert len(lines) <= 10
    counts = [int(count) for line in lines for count in re.findall(r" (\d+) files?\b", line)]
    assert (len(counts), sum(counts)) == (len(lines), len(files))


def test_symptoms_have_one_word_each():
    titles = [symptom.title for symptom in SYMPTOMS]
    assert titles == ["dead at start", "died", "stuck", "still falling", "diverged"]
    assert [symptom.name for symptom in SYMPTOMS] == [title.replace(" ", "_") for title in titles]


def test_no_title_has_another_word_for_a_symptom():
    synonyms = re.compile(r'"(dead unit at start|unit died|loss stuck|loss still falling)\b')
    texts = {path.name: path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")}
    assert {name for name, text in texts.items() if synonyms.search(text)} == set()


def test_each_counterexample_of_the_one_layer_adder_is_what_its_format_computes(tmp_path):
    """Computed here in numpy's own types, the terms of positive weight first, term by term."""
    limits = {limit.format: limit for limit in _limits(Workshop(tmp_path))}
    for name, kind in (("fp16", np.float16), ("fp32", np.float32), ("fp64", np.float64)):
        limit = limits[name]
        assert limit.order == "terms of positive weight first"
        left, right, got, expected = map(int, re.findall(r"\d+", limit.example))
        assert left + right == expected != got
        task = task_named(f"adder:{limit.refuted_at}")
        net = construct(task, "one-layer", format="wide")
        values = [int(bit) for word in (left, right) for bit in f"{word:0{limit.refuted_at}b}"]
        for layer in net.layers:
            ends = layer.weight.indptr
            weights = [int(value) for value in layer.weight.values.exact().integers]
            biases = [0] * layer.n_out if layer.bias is None else layer.bias.exact().integers
            sums = []
            for row, bias in enumerate(biases):
                places = range(int(ends[row]), int(ends[row + 1]))
                terms = [
                    kind(weights[at]) * kind(values[layer.weight.indices[at]]) for at in places
                ]
                total = kind(0)
                for term in sorted([*terms, kind(int(bias))], key=lambda term: term <= 0):
                    total = kind(total + term)
                sums.append(total)
            is_relu = layer.activation.kind == "relu"
            values = [max(total, kind(0)) if is_relu else total for total in sums]
        assert got == int("".join(str(int(value)) for value in values), 2)
