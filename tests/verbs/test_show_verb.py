"""``show``: what is shown of a network, and the figures it writes."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import graphs, networks, tasks

from adderlab.building import construct, lecture_network, printed_network
from adderlab.nets import Activation, network, save
from adderlab.nets import walk as walking
from adderlab.nets.walk import nameless_task
from adderlab.tasks import task_named
from adderlab.verbs.build import build
from adderlab.verbs.prove import prove
from adderlab.verbs.show import show
from adderlab.verbs.train import train

HALF_ADDER = task_named("half-adder")
LECTURE = lecture_network(HALF_ADDER)


def names_of(files: Any) -> list[str]:
    return sorted(path.name for path in files)


def test_the_lecture_is_shown_with_its_wrong_row() -> None:
    shown = show(LECTURE)
    assert shown.task is not None
    assert (shown.task.name, shown.files, shown.walk) == ("half-adder", (), None)
    assert shown.verdict is not None
    assert shown.verdict.verdict == "refuted"
    assert [row.is_right for row in shown.rows] == [True, True, True, False]
    assert repr(shown) == f"{LECTURE!r}; {shown.verdict.summary()}"


def test_the_dictionary_has_words_and_raw_outputs() -> None:
    data = show(LECTURE, input="1,1").to_dict()
    assert data["walk"] == show(LECTURE, input={"a": 1, "b": 1}).to_dict()["walk"]
    assert data["rows"][3] == {
        "inputs": {"a": 1, "b": 1},
        "expected": {"c": 2},
        "got": {"c": 3},
        "outputs": [0.5, 0.5],
        "distances": [0.5, -0.5],
        "right": False,
    }
    assert data["walk"]["got"] == {"c": 3}
    unit = data["walk"]["layers"][1]["units"][1]
    assert [product["product"]["exact"] for product in unit["products"]] == ["0", "3/2", "-1"]
    assert unit["sum"] == {"value": 0.5, "exact": "1/2"}


def test_whatever_a_verb_returns_can_be_shown(tmp_path: Path) -> None:
    """A network, its file, what build or train returned, a module."""
    torch = pytest.importorskip("torch")
    path = save(LECTURE, tmp_path / "net.safetensors")
    built = build("half-adder", method="lecture")
    for model in (LECTURE, path, str(path), built):
        assert [row.got for row in show(model).rows][3] == (1, 1)
    module_shown = show(torch.nn.Sequential(torch.nn.Linear(2, 2)), "half-adder")
    assert module_shown.notes
    assert module_shown.verdict is not None


def test_without_a_task_nothing_is_expected() -> None:
    net = replace(printed_network(), task=None)
    shown = show(net, input="1,0")
    assert (shown.task, shown.verdict) == (None, None)
    assert shown.target.name == nameless_task(net).name
    data = shown.to_dict()
    assert (data["task"], data["verdict"], data["proof"]) == (None, None, None)
    assert [row["right"] for row in data["rows"]] == [None] * 4
    assert data["rows"][2]["got"] == {"y": 1}
    assert data["walk"]["got"] == {"y": 1}
    assert repr(shown) == f"{net!r}; {shown.walk!r}"
    assert show(net, "half-adder").verdict is not None


def test_figures_are_written_as_svg_and_png(tmp_path: Path) -> None:
    shown = show(LECTURE, input="1,1", out=tmp_path / "figures")
    kinds = ["activations", "network", "surface-c0", "surface-c1", "truth-table", "way"]
    assert names_of(shown.files) == [f"{kind}.{end}" for kind in kinds for end in ("png", "svg")]
    assert names_of((tmp_path / "figures").iterdir()) == names_of(shown.files)
    assert all(path.stat().st_size > 1000 for path in shown.files)
    again = show(LECTURE, out=tmp_path / "again")
    for path in again.files:
        assert path.read_bytes() == (tmp_path / "figures" / path.name).read_bytes()


def test_a_training_run_has_its_loss_curve(tmp_path: Path) -> None:
    """The file of the same network has none: it keeps no losses."""
    run = train("half-adder", seed=0, steps=200, samples=50)
    shown = show(run, out=tmp_path / "run")
    assert "losses.svg" in names_of(shown.files)
    text = (tmp_path / "run" / "losses.svg").read_text(encoding="utf-8")
    assert f"seed 0: loss {run.run.losses[0][1]:.4f} at step 100" in text
    assert run.network is not None
    path = save(run.network, tmp_path / "net.safetensors")
    assert "losses.svg" not in names_of(show(path, out=tmp_path / "file").files)


def test_of_a_large_task_only_a_few_rows_are_shown() -> None:
    task = task_named("adder:8")
    net = network([[[1] * 16] * 9], [None], task=task)
    shown = show(net)
    verdict = prove(net)
    assert len(shown.rows) == 8
    assert not any(row.is_right for row in shown.rows)
    assert shown.rows_note.startswith("the first 8 wrong rows; ")
    assert shown.verdict is not None
    assert (shown.verdict.rows_right, shown.verdict.rows) == (verdict.rows_right, 65536)


def test_a_word_of_forty_bits_is_shown(tmp_path: Path) -> None:
    """Nothing is enumerated beyond what can be."""
    net = network([[[1] * 80] * 41], [None], task=task_named("adder:40"))
    shown = show(net, input=f"{(1 << 40) - 1},5", out=tmp_path / "wide")
    assert shown.verdict is not None
    assert shown.verdict.verdict in ("unknown", "refuted")
    assert names_of(shown.files)[0] == "network.png"


@pytest.mark.parametrize("limit", [16, 200_000])
def test_of_a_wide_network_the_units_that_are_on_are_named(
    limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there are too many parameters, without their products."""
    monkeypatch.setattr(walking, "LARGEST_LISTED", limit)
    top = (1 << 32) - 1
    shown = show(construct(task_named("adder:32"), "one-layer"), input=(top, 1))
    assert shown.walk is not None
    assert shown.walk.got == {"c": top + 1}
    assert bool(shown.walk.layers[0].units[0].products) is (limit > 16)
    text = shown._repr_html_()
    assert f"{top} + 1, layer by layer" in text
    on = [unit.name for unit in shown.walk.layers[1].units if unit.value.low]
    assert on == ["c32"]
    assert ">c32</td></tr>" in text
    wrong = show(network([[[1] * 160] * 81], [None], task=task_named("adder:80")), input=(7, 0))
    assert "70 more outputs that are wrong" in wrong._repr_markdown_()


@pytest.mark.parametrize("inputs", ["1,1", (1, 1), {"a": 1, "b": 1}])
def test_the_way_is_shown_in_every_form(inputs: Any) -> None:
    """In a notebook, as Markdown, on a terminal and as text."""
    torch = pytest.importorskip("torch")
    for model in (LECTURE, torch.nn.Sequential(torch.nn.Linear(2, 2))):
        shown = show(model, "half-adder", input=inputs)
        assert shown.walk is not None
        for block in shown.walk.blocks():
            assert block in shown.blocks()
        assert "1 + 1, step by step" in shown._repr_html_()
        assert "1 + 1, step by step" in shown._repr_markdown_()
        assert repr(shown).endswith(repr(shown.walk))


def test_outputs_behind_tanh_may_be_beyond_double() -> None:
    """They are infinite there; what is decided, is decided by the fractions."""
    layers = [[[1e300, 0], [0, 1]], [[1e308, 0], [0, 1e308]]]
    tall = network(layers, [None, None], format="fp64", activation=Activation("tanh"))
    assert tall.run([1, 0], raw=True).tolist() == [1e308, 0]
    taller = network([*layers, [[2, 0], [0, 4]]], [None] * 3, format="fp64",
                     activation=Activation("leaky", slope=0.5))  # fmt: skip
    beyond = replace(taller, layers=(tall.layers[0], *taller.layers[1:]))
    shown = show(beyond.for_task(HALF_ADDER))
    assert [row.raw for row in shown.rows][1:3] == [(0, math.inf), (math.inf, 0)]
    assert beyond.run([1, 0], raw=True).tolist() == [math.inf, 0]


@pytest.mark.parametrize("kind", [networks, graphs])
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_network_can_be_shown(tmp_path_factory: Any, data: st.DataObject, kind: Any) -> None:
    """Whatever its numbers, layers, readout and task."""
    net = data.draw(kind(task=tasks(max_in=2) | st.none()))
    words = (net.task or nameless_task(net)).row(0).inputs
    shown = show(net, input=words, out=tmp_path_factory.mktemp("any") / "figures")
    _ = json.dumps(shown.to_dict(), allow_nan=False)
    assert shown.files
