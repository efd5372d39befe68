"""The demo: every chapter's facts, its files, and the words that it quotes from the notebooks."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import torch

from adderlab.blocks import Chapter, Code, Command, Figures, Remark, Table, VerdictLine
from adderlab.building import exact_widths
from adderlab.demo import demo, story, wide_adders
from adderlab.demo.hand_set import FORMULA
from adderlab.demo.printed_weights import PRINTED_ROWS
from adderlab.demo.workshop import HAND_SET, TRAINING
from adderlab.errors import OptionError, OutputError
from adderlab.nets import load, outputs
from adderlab.nets.modules import to_module
from adderlab.tasks import task_named
from adderlab.training import Settings
from adderlab.training.judging import judge
from adderlab.training.loop import train_network
from adderlab.training.members import train_members
from adderlab.verbs.prove import prove

NOTEBOOKS = {
    HAND_SET: """\
We want to add a + b = c1c0

c1 = 1 ( a + b >= 2 ) = step(ReLU( a + b - 1.5 ))
c0 = 1 ( a + b = 1 ) = step(ReLU( a + b - 0.5 ) - 2 * ReLU( a + b - 1.5))

x = torch.Tensor([[0,0], [0,1], [1, 0], [1,1]]) # batch size =1 , the only input is [1,0]
model(x) # all correct!
""",
    TRAINING: """\
# Define the optimizer (SGD)
optimizer = optim.SGD(model.parameters(), lr=0.1) # GD, SGD, minibatch SGD, depending on how we
  # optimizer.zero_grad() => it cleans up the gradient slots of
  # all the variables specified in the optimizer
  # After this, it becomes dL/dw = 0 for all w's in the given list

x = torch.Tensor([[0,0], [0,1], [1, 0], [1,1]]) # batch size =1 , the only input is [1,0]
model(x) # all correct!

tensor([[ 0.2950,  0.3536],
        [-0.1639,  0.7644],
        [ 0.0182,  1.0013],
        [ 0.8698, -0.1142]], grad_fn=<AddmmBackward0>)

[Parameter containing:
tensor([[ 1.3319, -1.1752],
        [ 1.1975, -0.4550],
        [ 0.1733, -0.6872]], requires_grad=True), Parameter containing:
tensor([-0.0006,  0.4568, -0.1736], requires_grad=True), Parameter containing:
tensor([[-1.1151,  1.0085,  0.1972],
        [ 1.2988, -0.9030, -0.2400]], requires_grad=True), Parameter containing:
tensor([-0.1657,  0.7661], requires_grad=True)]
""",
}
"""The lines of the two lecture notebooks that the demo speaks of, letter for letter."""

BYTES_ASKED = """\
    # Q. how many parameters does self.fc1 have? 6 + 3 = 9 parameters
    # Q. in other words, how many bytes are required to store "self.fc1 " => 9 * 4 bytes (fp32)
    # GPT2 was around 100M ~ 1B => (fp32) 4 bytes * 10^9 (1G) = 4GB
    # Q. how many params? 3 * 2 + 2 = 8 parameters
"""
"""The hand-set notebook's comments on bytes, letter for letter."""

SLUGS = [
    "hand-set",
    "repair",
    "data",
    "training-works",
    "backprop",
    "training-fails",
    "batch-modes",
    "printed-weights",
    "success-rate",
    "trainability",
    "bytes",
    "fewer-bits",
    "wide",
]
NETWORKS = 50


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Return the story, and what was called back while it was told."""
    chapters: list[Chapter] = []
    progress: list[tuple[str, float]] = []
    out = tmp_path_factory.mktemp("demo") / "demo"
    found = demo(
        out,
        networks=NETWORKS,
        on_chapter=chapters.append,
        on_progress=lambda what, share: progress.append((what, share)),
    )
    return found, chapters, progress


@pytest.fixture(scope="module")
def results(told):
    """Return each chapter's results by its slug, as results.json has them."""
    text = (told[0].folder / "results.json").read_text(encoding="utf-8")
    return {one["slug"]: one["results"] for one in json.loads(text)["chapters"]}


def blocks(told, kind, *, slug=None):
    return [
        (chapter, block)
        for chapter in told[0].chapters
        for block in chapter.blocks
        if isinstance(block, kind) and slug in (None, chapter.slug)
    ]


def test_every_chapter_is_told_once_and_in_order(told):
    found, chapters, _ = told
    assert [chapter.slug for chapter in chapters] == SLUGS
    assert found.chapters == tuple(chapters)
    assert all(chapter.title and chapter.blocks for chapter in chapters)


def test_progress_runs_from_0_to_1_and_never_back(told):
    shares = [share for _, share in told[2]]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert (len(SLUGS) - 1) / len(SLUGS) <= shares[-1] <= 1
    assert len({what for what, _ in told[2]}) > len(SLUGS)


def test_results_json_is_the_story(told):
    found = told[0]
    text = (found.folder / "results.json").read_text(encoding="utf-8")
    assert json.loads(text) == found.to_dict()
    assert found.to_dict()["seconds"] > 0


def test_the_files_are_those_it_names(told):
    found = told[0]
    there = {
        str(path.relative_to(found.folder)) for path in found.folder.rglob("*") if path.is_file()
    }
    assert there == set(found.files)
    assert len(there) == len(found.files)
    assert [path.name for path in found.folder.parent.iterdir()] == ["demo"]


def test_every_file_loads_and_every_truth_table_is_its_networks(told):
    found = told[0]
    kinds = Counter(Path(name).suffix[1:] for name in found.files)
    for name in found.files:
        path = found.folder / name
        assert path.stat().st_size > 0
        if path.suffix == ".safetensors":
            wide = name.startswith("adder-64-")
            assert load(path).task.name == ("adder:64" if wide else "half-adder")
        elif path.suffix == ".json":
            assert json.loads(path.read_text(encoding="utf-8"))
        elif path.suffix == ".parquet":
            assert len(pd.read_parquet(path)) == NETWORKS
        elif path.suffix == ".csv":
            with path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            if name == "data.csv":
                assert len(rows) == 1000
                for row in rows:
                    digits = {bit: int(value) for bit, value in row.items()}
                    assert digits["a"] + digits["b"] == 2 * digits["c1"] + digits["c0"]
                continue
            net = load(path.with_suffix(".safetensors"))
            raw = outputs(net, next(net.task.blocks()).inputs).to_floats()
            assert [[row["c1"], row["c0"]] for row in rows] == [
                [f"{value + 0.0:.4f}" for value in line] for line in np.round(raw, 4)
            ]
            assert [row["expected"] for row in rows] == ["00", "01", "01", "10"]
            right = sum(row["got"] == row["expected"] for row in rows)
            assert right == prove(net).rows_right
        elif path.suffix == ".svg":
            assert ElementTree.parse(path).getroot().tag.endswith("svg")
    assert {"safetensors", "csv", "json", "parquet", "txt"} <= set(kinds)
    # one table a network but for the three of 64 bits; data.csv, best.safetensors
    assert kinds["safetensors"] == kinds["csv"] + 3


def test_the_hand_set_network_says_that_1_and_1_is_3(told, results):
    verdict = prove(told[0].folder / "lecture.safetensors")
    assert verdict.verdict == results["hand-set"]["verdict"]["verdict"] == "refuted"
    assert verdict.counterexample.input == {"a": 1, "b": 1}
    assert verdict.counterexample.got == {"c": 3}
    assert results["hand-set"]["verdict"]["counterexample"]["got"] == {"c": 3}
    assert results["hand-set"]["verdict"]["rows_right"] == 3
    assert [check["holds"] for check in results["hand-set"]["checks"]] == [True, False]


def test_the_formula_is_the_notebooks_and_is_written(told):
    assert FORMULA in NOTEBOOKS[HAND_SET]
    assert (told[0].folder / "formula.txt").read_text(encoding="utf-8") == FORMULA
    (code,) = [block for _, block in blocks(told, Code, slug="hand-set")]
    assert code.text in NOTEBOOKS[HAND_SET]


def test_one_weight_repairs_it(told, results):
    folder = told[0].folder
    assert results["repair"]["tried"] == {
        "-2": "refuted",
        "-2.5": "refuted",
        "-3": "proved",
        "-4": "proved",
    }
    one, two = load(folder / "lecture.safetensors"), load(folder / "repaired.safetensors")
    changed = [
        (name, index, before[index], after[index])
        for (name, old), (_, new) in zip(one.tensors(), two.tensors(), strict=True)
        for before, after in [(old.numbers, new.numbers)]
        for index in zip(*np.nonzero(before != after), strict=True)
    ]
    assert changed == [("fc2.weight", (1, 2), -2, -4)]
    assert prove(two).verdict == results["repair"]["verdict"]["verdict"] == "proved"
    assert prove(two).margin.min == 0
    assert results["repair"]["verdict"]["margin"]["min"] == "0"
    roomy = prove(folder / "repaired-threshold.safetensors")
    assert roomy.verdict == "proved"
    assert str(roomy.margin.min) == results["repair"]["with_threshold"]["margin"]["min"] == "1/4"


def test_the_data_are_counted(told, results):
    counts = results["data"]["counts"]
    assert sum(counts) == results["data"]["samples"] == 1000
    table = pd.read_csv(told[0].folder / "data.csv")
    assert list((table["a"] * 2 + table["b"]).value_counts().sort_index()) == counts


def test_seed_0_works_and_seed_1_does_not(told, results):
    folder = told[0].folder
    assert prove(folder / "seed-0.safetensors").verdict == "proved"
    assert prove(folder / "seed-1.safetensors").verdict == "refuted"
    for slug, seed, outcome in (("training-works", 0, "proved"), ("training-fails", 1, "refuted")):
        found = results[slug]
        assert (found["seed"], found["proof"]["verdict"]) == (seed, outcome)
        assert found["success"] is (outcome == "proved")
        assert load(folder / f"seed-{seed}.safetensors").training["seed"] == seed
    assert results["training-works"]["accuracy"] == 1
    assert results["training-fails"]["accuracy"] < 1


def test_the_losses_are_printed_as_the_notebook_prints_them(told, results):
    (code,) = [block for _, block in blocks(told, Code, slug="training-works")]
    found = results["training-works"]
    assert code.text.splitlines() == [
        *(f"Epoch [{step}/1000], Loss: {loss:.4f}" for step, loss in found["losses"]),
        "Accuracy: 1.0000",
    ]
    assert [step for step, _ in found["losses"]] == list(range(100, 1001, 100))


def test_the_gradient_slot_is_none_after_zero_grad(results):
    assert results["training-works"]["gradient_after_zero_grad"] == "None"


def test_the_three_batch_modes_give_three_networks(told, results):
    assert set(results["batch-modes"]) == {"gradient descent", "minibatch SGD", "SGD"}
    losses = {found["loss"] for found in results["batch-modes"].values()}
    assert len(losses) == 3
    folder = told[0].folder
    for name, batch in (("full", None), ("32", 32), ("1", 1)):
        assert load(folder / f"batch-{name}.safetensors").training["batch"] == batch
    assert (folder / "batch-full.safetensors").read_bytes() == (
        folder / "seed-0.safetensors"
    ).read_bytes()


def test_the_printed_weights_are_the_notebooks_and_are_proved(told, results):
    net = load(told[0].folder / "printed.safetensors")
    for _, tensor in net.tensors():
        for row in np.atleast_2d(tensor.numbers):
            text = ", ".join(f"{value:7.4f}" for value in row)
            assert f"[{text.strip()}]" in NOTEBOOKS[TRAINING].replace("[ ", "[")
    found = results["printed-weights"]
    assert prove(net).verdict == found["verdict"]["verdict"] == "proved"
    assert round(float(prove(net).margin.min), 5) == 0.14639
    assert "margin 0.14639;" in blocks(told, VerdictLine, slug="printed-weights")[0][1].text


def test_the_printed_rows_are_the_notebooks(told):
    for row in PRINTED_ROWS:
        text = ", ".join(f"{value:7.4f}" for value in row)
        assert f"[{text}]" in NOTEBOOKS[TRAINING]
    net = load(told[0].folder / "printed.safetensors")
    raw = outputs(net, next(task_named("half-adder").blocks()).inputs).to_floats()
    # 17 weights and 8 outputs were rounded to four decimals; none is above 1.4
    assert np.abs(raw - PRINTED_ROWS).max() < 0.5e-4 * 17 * 1.4


def test_the_third_printed_unit_is_dead_and_can_be_left_out(told, results):
    found = results["printed-weights"]
    assert found["dead_units"] == [3]
    assert (found["parameters"], found["smaller"]["parameters"]) == (17, 12)
    smaller = load(told[0].folder / "printed-smaller.safetensors")
    assert smaller.shape == "2-2-2"
    assert smaller.parameters == 12
    assert prove(smaller).verdict == found["smaller"]["verdict"]["verdict"] == "proved"
    rows = next(task_named("half-adder").blocks()).inputs
    whole = load(told[0].folder / "printed.safetensors")
    assert (outputs(smaller, rows).to_floats() == outputs(whole, rows).to_floats()).all()


def test_the_success_rate_is_that_of_the_population_in_the_folder(told, results):
    found = results["success-rate"]
    table = pd.read_parquet(told[0].folder / "population" / "census.parquet")
    assert (found["networks"], len(table)) == (NETWORKS, NETWORKS)
    assert found["successes"] == table["is_right"].sum()
    assert 0 < found["success_rate"] == found["successes"] / NETWORKS < 1
    wrong = {tuple(one) for one in table[~table["is_right"]]["table"]}
    assert found["wrong_tables"] == len(wrong)
    dead = next(one for one in found["causes"] if one["cause"] == "dead_at_start")
    assert dead["count"] == table[~table["is_right"]]["dead_at_start"].sum()


def test_the_success_rate_is_measured_by_hidden_width(results):
    found = results["success-rate"]
    assert [one["hidden"] for one in found["by_hidden"]] == [2, 3, 4, 8]
    assert all(one["of"] == NETWORKS for one in found["by_hidden"])
    shares = [one["share"] for one in found["by_hidden"]]
    assert shares[1] == found["success_rate"]
    assert shares[0] < shares[2] <= shares[3]
    trained = train_members(task_named("half-adder"), Settings(hidden=8), range(NETWORKS))
    right = judge(trained.task, trained.settings, trained.arrays).is_right.sum()
    assert found["by_hidden"][3]["count"] == right


def test_the_tables_of_the_success_rate_count_networks(told):
    tables = [block for _, block in blocks(told, Table, slug="success-rate")]
    (table,) = [one for one in tables if "caused by" in one.columns]
    counts = [int(row[4]) for row in table.rows]
    assert counts[1:] == sorted(counts[1:], reverse=True)
    assert sum(counts) <= NETWORKS
    assert table.marks == (True, *(False for _ in counts[1:]))


def test_each_kind_of_failure_that_is_shown_has_a_picture(told):
    tables = [block for _, block in blocks(told, Table, slug="success-rate")]
    (table,) = [one for one in tables if "caused by" in one.columns]
    names = [
        picture.name
        for _, block in blocks(told, Figures, slug="success-rate")
        for picture in block.pictures
    ]
    kinds = [name for name in names if name.startswith("failure-")]
    assert len(kinds) == len(table.rows) - 1 >= 4
    assert {"success-by-width", "loss-quantiles"} <= set(names)
    for name in names:
        assert (told[0].folder / "figures" / f"{name}.svg").is_file()


def test_the_map_counts_its_networks(told, results):
    found = results["trainability"]
    assert found["networks"] == 64
    assert 0 < found["successes"] <= found["converged"] < 64
    names = [
        picture.name
        for _, block in blocks(told, Figures, slug="trainability")
        for picture in block.pictures
    ]
    assert names == ["map-convergence", "map-success"]


def test_the_parameters_and_bytes_are_the_notebooks(results):
    found = results["bytes"]
    assert found["parameters"]["raw"] == 17
    assert [layer["parameters"] for layer in found["layers"]] == [9, 8]
    assert found["bytes"]["fp32"] == 4 * 17
    assert found["bytes"]["int2"] == 5


def test_every_quote_stands_in_the_notebook_it_is_said_to_be_from(told):
    remarks = [block for _, block in blocks(told, Remark)]
    assert len(remarks) >= 5
    for remark in remarks:
        assert remark.quote in NOTEBOOKS[remark.source]


def test_every_command_that_is_suggested_is_one_that_can_be_parsed(told):
    from adderlab.cli import main

    commands = [block.command for _, block in blocks(told, Command)]
    assert len(commands) >= len(SLUGS) - 2
    known = {command.name or command.callback.__name__ for command in main.app.registered_commands}
    for command in commands:
        name, verb, *_ = command.split()
        assert (name, verb in known) == ("adderlab", True)


def test_tables_have_as_many_cells_as_headings(told):
    for _, table in blocks(told, Table):
        assert all(len(row) == len(table.columns) for row in table.rows)
        assert len(table.marks) in (0, len(table.rows))
        assert set(table.left) <= set(table.columns)


def quick(shop):
    """Return a chapter that costs nothing."""
    shop.write_csv("quick.csv", ["a"], [[1]])
    return Chapter("quick", "Quick", ())


def boom(shop):
    """Fail after something was written."""
    shop.write_csv("boom.csv", ["a"], [[1]])
    raise RuntimeError("boom")


def test_a_chapter_that_fails_leaves_no_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(story, "CHAPTERS", (("quick", quick), ("boom", boom)))
    with pytest.raises(RuntimeError, match=r"\Aboom\Z"):
        _ = demo(tmp_path / "deep" / "demo")
    assert list(tmp_path.iterdir()) == []


def test_a_chapter_that_fails_leaves_an_earlier_demo_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(story, "CHAPTERS", (("quick", quick),))
    first = demo(tmp_path / "demo")
    before = {path.name: path.read_bytes() for path in first.folder.iterdir()}
    assert {"quick.csv", "results.json"} <= set(before)
    monkeypatch.setattr(story, "CHAPTERS", (("boom", boom),))
    with pytest.raises(RuntimeError, match=r"\Aboom\Z"):
        _ = demo(tmp_path / "demo")
    assert {path.name: path.read_bytes() for path in first.folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def test_a_later_demo_replaces_its_own_files_and_leaves_others(tmp_path, monkeypatch):
    monkeypatch.setattr(story, "CHAPTERS", (("quick", quick),))
    folder = tmp_path / "demo"
    folder.mkdir()
    _ = (folder / "notes.txt").write_text("mine")
    _ = (folder / "quick.csv").write_text("old")
    with pytest.raises(OutputError) as refused:
        _ = demo(folder)  # not the folder of a demo: nothing in it is touched
    assert str(refused.value) == f"{folder}: the folder holds other files; name a new folder"
    assert (folder / "quick.csv").read_text() == "old"
    _ = (folder / "results.json").write_text("{}")
    _ = demo(folder)
    assert (folder / "notes.txt").read_text() == "mine"
    assert (folder / "quick.csv").read_text() == "a\n1\n"


def test_below_one_network_is_refused(tmp_path):
    with pytest.raises(OptionError) as refused:
        _ = demo(tmp_path / "demo", networks=0)
    assert str(refused.value) == "networks: got 0; give a whole number of at least 1"
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_can_not_be_a_folder_is_refused_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(story, "CHAPTERS", (("boom", boom),))
    place = tmp_path / "file"
    _ = place.write_text("")
    with pytest.raises(OutputError) as refused:
        _ = demo(place)
    assert str(refused.value) == f"{place}: a file stands there; name a folder"


def test_a_chapter_is_data():
    """Two chapters made of the same blocks are equal; a changed block makes them differ."""
    one = Chapter("a", "A", (Command("adderlab demo"),))
    assert one == Chapter("a", "A", (Command("adderlab demo"),))
    assert replace(one, blocks=(Command("adderlab tasks"),)) != one


def test_the_64_bit_adders_are_proved_on_all_inputs_and_formats_have_a_cliff(results):
    found = results["wide"]
    for method, depth in (("one-layer", 2), ("prefix", 9), ("ripple", 66)):
        assert (found[method]["verdict"], found[method]["depth"]) == ("proved", depth)
    derived = exact_widths("one-layer")
    for name in ("fp16", "fp32", "fp64"):
        cliff = found["cliffs"][name]
        assert cliff["proved_to"] == derived[name]
        assert cliff["refuted_at"] == cliff["proved_to"] + 1
    assert found["cliffs"]["wide"] == {"proved_to": 64, "refuted_at": None}


def test_the_64_bit_chapter_says_how_long_the_proofs_took_and_draws_them(told, results):
    (chapter,) = [one for one in told[0].chapters if one.slug == "wide"]
    text = chapter.blocks[0].text
    seconds = max(results["wide"][method]["seconds"] for method in wide_adders.METHODS)
    assert f"The slowest of these three proofs took {wide_adders.took(seconds)};" in text
    assert [wide_adders.took(one) for one in (0.2, 3, 59, 61)] == [
        "under a second",
        "under ten seconds",
        "under a minute",
        "over a minute",
    ]
    pictures = [one for _, block in blocks(told, Figures, slug="wide") for one in block.pictures]
    assert [picture.name for picture in pictures] == ["wide-depths", "wide-cliffs"]
    assert "fp32: proved from 1 to 22" in pictures[1].alt
    assert "64 bits take 2 layers, 191 hidden units and weights to 2^64" in pictures[0].alt


def test_the_bytes_are_the_notebooks_to_the_byte(told, results):
    """9 * 4 and 8 * 4 bytes, and the walk from fp32 to INT2 for 500 billion parameters."""
    found = results["bytes"]
    assert [layer["bytes"]["fp32"] for layer in found["layers"]] == [36, 32]
    assert found["walk"]["adder"] == {
        "fp32": 68, "fp16": 34, "int6": 13, "int4": 9, "int3": 7, "int2": 5,
    }  # fmt: skip
    assert found["walk"]["500e9"] == {
        "fp32": 2 * 10**12, "fp16": 10**12, "int6": 375 * 10**9, "int4": 250 * 10**9,
        "int3": 1875 * 10**8, "int2": 125 * 10**9,
    }  # fmt: skip
    assert found["models"]["llama-3.1-405b"] == 405_853_388_800
    questions = next(block for _, block in blocks(told, Table, slug="bytes"))
    for row in questions.rows:
        assert row[1] in BYTES_ASKED
    assert [row[2] for row in questions.rows] == [
        "2*3 + 3 = 9", "9 * 4 = 36", "3*2 + 2 = 8", "8 * 4 = 32", "9 + 8 = 17", "17 * 4 = 68",
    ]  # fmt: skip


def test_the_adder_goes_from_68_bytes_to_3(told, results):
    found = results["fewer-bits"]
    walk = [(name, one["bytes"], one["verdict"]) for name, one in found["walk"].items()]
    assert walk == [
        ("fp16", 34, "proved"),
        ("int8", 17, "proved"),
        ("int6", 13, "proved"),
        ("int4", 9, "proved"),
        ("int3", 7, "proved"),
        ("int2", 5, "proved"),
    ]
    assert found["int2_nearest"]["verdict"] == "refuted"
    for name in ("three_bytes", "smallest"):
        assert (found[name]["bytes"], found[name]["verdict"]) == (3, "proved")
    assert found["one_bit"] == {"2-2-2": [0, 4096], "2-3-2": [6, 131_072]}
    for name in ("int2", "three-bytes", "one-bit"):
        assert prove(told[0].folder / f"quantized-{name}.safetensors")
    shares = found["survival"]["shares"]
    assert list(shares) == ["nearest", "exact", "snap", "fine-tune"]
    assert all(0 <= share <= 1 for one in shares.values() for share in one.values())
    assert shares["nearest"]["fp16"] == 1
    assert shares["fine-tune"]["int2"] >= shares["nearest"]["int2"]


def test_the_row_is_led_back_exactly_and_the_chain_is_the_notebooks(told, results):
    """The figures by hand: on 1 + 1 both outputs are 1/2, the target is 1 0."""
    found = results["backprop"]
    assert found["row"]["exact_gradients"]["fc2.weight"] == [
        ["-1/4", "-3/4", "-1/4"],
        ["1/4", "3/4", "1/4"],
    ]
    assert found["row"]["loss"]["exact"] == "1/4"
    assert found["row"]["autograd_difference"] < 2.0**-50
    assert found["chain"]["derivatives"] == [
        "2*(f1 - y)*f2",
        "2*(f1 - y)*w1*f3",
        "2*(f1 - y)*w1*w2*x",
    ]
    assert found["chain"]["operations"] == [[1, 4, 4], [2, 7, 11], [3, 10, 21]]
    assert {"operations.svg", "slots.svg"} <= {
        path.name for path in (told[0].folder / "figures").iterdir()
    }


def test_forgetting_zero_grad_is_what_pytorch_makes_of_it(results):
    found = results["backprop"]["zero_grad"]
    assert (found["after_zero_grad"], found["iterations"]) == ("None", 100)
    assert found["loss_without"] > found["loss_with"]
    start = train_network(task_named("half-adder"), Settings(steps=0)).network
    for zero_grad, name in ((True, "loss_with"), (False, "loss_without")):
        model = to_module(start)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        x = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
        y = torch.tensor([[0.0, 0], [0, 1], [0, 1], [1, 0]])
        for _ in range(100):
            loss = torch.nn.functional.mse_loss(model(x), y)
            if zero_grad:
                optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        assert found[name] == loss.item()
