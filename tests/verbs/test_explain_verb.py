"""The five verbs of explaining: arguments, every form of a result, why runs work or fail."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser

import pytest
import torch

import adderlab
from adderlab.blocks import Table
from adderlab.building import lecture_network
from adderlab.errors import OptionError
from adderlab.explaining import NOT_COMPUTED
from adderlab.explaining.history import Death
from adderlab.explaining.slots_chapters import accumulation_text, entries, w_texts
from adderlab.explaining.units import unit_meanings
from adderlab.nets import load, network
from adderlab.nets.walk import unit_names
from adderlab.tasks import task_named
from adderlab.tasks.tables import parse_table
from adderlab.training import Settings
from adderlab.training.loop import train_network
from adderlab.verbs.explain import explain
from adderlab.verbs.explain_chain import explain_chain
from adderlab.verbs.explain_slots import explain_slots
from adderlab.verbs.explain_symbols import explain_symbols
from adderlab.verbs.explain_why import explain_why
from adderlab.verbs.explained_rows import parse_number, parse_values
from adderlab.verbs.prove import prove
from adderlab.verbs.why_chapters import why_chapters
from adderlab.verbs.why_replay import nearby, replayed

HALF_ADDER = task_named("half-adder")
LECTURE = lecture_network(HALF_ADDER)
F = Fraction


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return the files of seeds 0, which works, and 1, which fails."""
    folder = tmp_path_factory.mktemp("trained")
    for seed in (0, 1):
        _ = adderlab.train(HALF_ADDER, seed=seed, out=folder / f"{seed}.safetensors")
    return folder


@pytest.fixture(scope="module")
def failed(trained):
    return explain_why(trained / "1.safetensors")


# --- rows -------------------------------------------------------------------------------------


def test_inputs_and_targets_may_be_given_in_every_way():
    ways = ["1,1", (1, 1), {"a": 1, "b": 1}, ["1,1"], [(1, 1)], [{"a": 1, "b": 1}]]
    gradients = [explain(LECTURE, input=way).data["gradients"] for way in ways]
    assert all(gradient == gradients[0] for gradient in gradients)
    every_row = explain(LECTURE, input=["0,0", "0,1", "1,0", "1,1"]).data["gradients"]
    assert explain(LECTURE, rows="all").data["gradients"] == every_row
    for target in ("2", 2, {"c": 2}, (2,), None):
        (row,) = explain(LECTURE, input="1,1", target=target).data["rows"]
        assert row["target"] == {"c1": 1, "c0": 0}
    nameless = replace(LECTURE, task=None)
    (row,) = explain(nameless, input="1,1", target="2").data["rows"]
    assert row["target"] == {"y1": 1, "y0": 0}


def test_steps_stand_in_the_order_of_the_computation_and_agree_with_autograd():
    data = explain(LECTURE, input="1,1").data
    assert data["autograd_difference"] < 2.0**-50
    assert [step["name"] for step in data["steps"] if step["kind"] != "parameter"] == [
        *("a", "b", "z1", "z2", "z3", "h1", "h2", "h3", "c1", "c0", "L"),
    ]


def test_loss_and_learning_rate_come_from_the_record_unless_given():
    net = adderlab.train(HALF_ADDER, loss="bce", lr=0.25, steps=3, optimizer="momentum").network
    explanation = explain(net, input="1,1")
    assert (explanation.data["loss_kind"], explanation.data["lr"]) == ("bce", 0.25)
    assert (
        explanation.data["notes"][0]
        == "it was trained with momentum; the step shown is plain SGD's"
    )
    other = explain(net, input="1,1", loss="mse", lr="1/3").result
    assert (other.loss_kind, other.lr) == ("mse", F(1, 3))
    assert explain(LECTURE, input="1,1").result.lr == F(1, 10)


def test_a_module_is_explained_as_it_stands():
    torch.manual_seed(3)
    model = adderlab.AdderNN()
    model(torch.tensor([[1.0, 1.0]])).pow(2).mean().backward()
    gradients = explain(model, "half-adder", input="1,1", target="0").data["gradients"]
    for name, parameter in model.named_parameters():
        assert torch.tensor(gradients[name]) == pytest.approx(parameter.grad)


# --- every form -------------------------------------------------------------------------------


class Page(HTMLParser):
    """Collects what a page would fetch, and how many formulas it has."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.formulas = 0

    def handle_starttag(self, tag, attrs):
        self.formulas += tag == "math"
        self.fetched += [
            value for name, value in attrs if name in ("src", "href") and value[:1] != "#"
        ]


KINDS = {
    "rows": lambda: explain(LECTURE, input="1,1"),
    "chain": lambda: explain_chain(3, values="w1=2,w2=3,w3=-1,x=0.5,y=1"),
    "symbols": lambda: explain_symbols(LECTURE),
    "slots": lambda: explain_slots(LECTURE),
}


@pytest.fixture(scope="module")
def every(failed):
    """Return one explanation of every kind."""
    return {kind: explained() for kind, explained in KINDS.items()} | {"why": failed}


def test_every_kind_comes_out_in_every_form(every):
    for kind, explanation in every.items():
        assert explanation.kind == kind
        assert explanation.to_dict()["explains"] == kind
        page = Page()
        page.feed(explanation.to_page())
        assert page.fetched == ["data:,"], kind  # the empty icon: nothing is fetched
        assert (page.formulas > 10) is (kind != "why")
        notebook = explanation._repr_html_()
        assert "<script" not in notebook
        assert ("<math" in notebook) is (kind != "why")
        text = explanation.to_markdown()
        assert (text.count("$") > 10) is (kind != "why")
        assert json.loads(explanation.to_json())["explains"] == kind
        assert repr(explanation)
        assert len(explanation.steps) >= len(explanation.chapters)
        if kind == "rows":  # on the way forward no gradient is known
            assert all(form.count(NOT_COMPUTED) >= 11 for form in (explanation.to_page(), text))
        if kind in ("rows", "chain", "slots"):
            assert KINDS[kind]().to_page() == explanation.to_page()


def test_a_folder_gets_everything_and_a_file_its_own_kind(tmp_path):
    files = explain_chain(2, out=[tmp_path / "all", tmp_path / "a.md", tmp_path / "b.svg"]).files
    assert [str(file.relative_to(tmp_path)) for file in files] == [
        *("all/explain.md", "all/explain.html", "all/explain.json"),
        *("all/figures/operations.svg", "all/figures/operations.png", "a.md", "b.svg"),
    ]
    assert all(file.stat().st_size for file in files)
    assert "(figures/operations.svg)" in files[0].read_text(encoding="utf-8")
    assert json.loads(files[2].read_text())["derivatives"] == ["2*(f1 - y)*f2", "2*(f1 - y)*w1*x"]


def test_numbers_are_taken_as_they_are_written():
    assert parse_number(0.1, "lr") == F(1, 10)
    assert parse_values("w1=1/3, x=-0.5,y=2e-3") == {"w1": F(1, 3), "x": F(-1, 2), "y": F(1, 500)}
    for text in ("1/0", "1e999", "nan", "0x10", "1/3e2", "", "1" * 50):
        with pytest.raises(OptionError):
            _ = parse_number(text, "lr")


# --- why --------------------------------------------------------------------------------------


def test_the_history_is_the_run_itself_step_by_step():
    settings = Settings(seed=1, steps=120)
    trained_net = train_network(HALF_ADDER, settings).network
    history, again = replayed(trained_net)
    assert history.steps == 120
    for steps in (0, 1, 60, 120):
        net = train_network(HALF_ADDER, replace(settings, steps=steps)).network
        for name, tensor in net.tensors():
            assert (history.arrays[name][steps] == tensor.exact().to_floats()).all()
    assert prove(again, HALF_ADDER).verdict == "refuted"


def test_a_failed_run_has_its_steps_rows_and_what_would_have_helped(failed):
    why = failed.result
    assert (why.verdict.verdict, why.weights_agree) == ("refuted", True)
    assert [(event.unit, event.step) for event in why.inactivity.deaths] == [("h1", 0)]
    assert [(tuple(event.row.values()), event.step) for event in why.inactivity.silent] == [
        ((0, 0), 4),
        ((1, 0), 375),
    ]
    assert [group.rows for group in why.separability.groups if group.conflict] == [(0, 2)]
    assert why.separability.readable == {"c1": True, "c0": False}


def test_the_death_of_a_row_is_seen_in_the_weights_themselves(failed):
    """One step earlier the row still had a unit on."""
    history, _ = replayed(failed.result.network)
    for silent in failed.result.inactivity.silent:
        for step, is_silent in ((silent.step - 1, False), (silent.step, True)):
            bits = torch.tensor([float(bit) for bit in silent.row.values()], dtype=torch.float64)
            weight = torch.from_numpy(history.arrays["fc1.weight"][step]).double()
            bias = torch.from_numpy(history.arrays["fc1.bias"][step]).double()
            assert bool((weight @ bits + bias <= 0).all()) is is_silent


def test_what_would_have_helped_does_help_when_it_is_trained(failed):
    helps, same = failed.result.helps, failed.result.helps_from_same_start
    assert (helps.option, same.option) == ("--hidden 4", "--activation tanh")
    assert prove(adderlab.train(HALF_ADDER, seed=1, hidden=4).network)
    assert prove(adderlab.train(HALF_ADDER, seed=1, activation="tanh").network)
    attempts = failed.result.attempts
    assert attempts[0] is helps
    assert attempts[-1] is same
    larger_lr = next(attempt for attempt in attempts if attempt.option == "--lr 0.2")
    assert larger_lr.verdict == prove(adderlab.train(HALF_ADDER, seed=1, lr=0.2).network).verdict


def test_changes_are_tried_from_the_nearest_on():
    options = [option for _, option, _ in nearby(Settings())]
    assert options[:3] == ["--hidden 4", "--hidden 5", "--hidden 6"]  # ratios 4/3, 5/3, 2
    assert (
        options.index("--lr 0.2") < options.index("--lr 0.4") < options.index("--activation tanh")
    )
    assert options[-1] == "--seed 8"
    assert len(set(options)) == len(options)


def test_a_run_that_works_has_its_units_compared_with_the_designs(trained):
    why = explain_why(trained / "0.safetensors").result
    assert (why.verdict.verdict, why.attempts) == ("proved", ())
    net = load(trained / "0.safetensors")
    assert why.units == unit_meanings(net, HALF_ADDER)
    assert why.units[0].closest == "a AND b"
    assert why.units[0].off_by < 0.01
    assert [design.is_same for design in why.designs] == [False, False]


def test_without_a_record_the_weights_alone_are_explained():
    """The verdict comes first, in one sentence; nothing is said of a run."""
    explanation = explain_why(LECTURE)
    why = explanation.result
    assert (why.settings, why.weights_agree, why.attempts) == (None, None, ())
    assert explanation.to_dict()["replay"] is None
    assert [chapter.slug for chapter in explanation.chapters] == [
        *("verdict", "died", "told-apart", "units"),
    ]
    (sentence,) = explanation.chapters[0].blocks
    assert sentence.text == (
        "The network is refuted: 3 of 4 rows are right, not 1 + 1; the hidden values distinguish "
        "what is needed, the last layer reads them wrongly."
    )
    assert [event.row for event in why.inactivity.silent] == [{"a": 0, "b": 0}]
    json.dumps(explanation.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("weights", "biases", "deaths", "lost"),
    [
        ([[[1, 1], [-1, -1]], [[1, 0], [0, 1]]], [[0, 0], [0, 0]], ["h2"], ["c0"]),
        ([[[1, 1], [1, 1]], [[0, 1], [1, -2]]], [[0, -1], [0, 0]], [], []),
        ([[[1, 1], [1, -1]]], [[-1, 0]], [], ["c0"]),
    ],
)
def test_dead_units_and_outputs_out_of_reach_need_no_record(weights, biases, deaths, lost):
    """The last has no hidden layer: its inputs are looked at."""
    why = explain_why(network(weights, biases), "half-adder").result
    assert [death.unit for death in why.inactivity.deaths] == deaths
    assert [name for name, ok in why.separability.readable.items() if ok is False] == lost
    sentence = why_chapters(why)[0].blocks[0].text
    assert sentence.startswith(f"The network is {why.verdict.verdict}: ")
    assert all(name in sentence for name in (*deaths, *lost))


def test_under_another_task_than_it_was_trained_for_no_run_is_replayed(trained):
    file = trained / "0.safetensors"
    assert explain_why(file, "half-adder").result.settings is not None
    words = parse_table("in a:1,in b:1,out y:2\n0,0,0\n0,1,1\n1,0,1\n1,1,3", where="or.csv")
    why = explain_why(file, words).result
    assert (why.settings, why.verdict.verdict) == (None, "refuted")


def test_changed_weights_do_not_agree(trained):
    net = load(trained / "0.safetensors")
    other = load(trained / "1.safetensors")
    mixed = replace(other, training={**net.training})
    explanation = explain_why(mixed).result
    assert not explanation.weights_agree
    assert explanation.largest_difference > 0.1


def chapter_of(explanation, slug):
    (chapter,) = (chapter for chapter in explanation if chapter.slug == slug)
    return chapter


@pytest.mark.parametrize(
    ("change", "is_final"),
    [({}, True), ({"optimizer": "momentum"}, False), ({"weight_decay": 0.01}, False)],
)
def test_only_plain_sgd_never_wakes_a_dead_unit_and_only_one_of_the_first_layer(
    failed, change, is_final
):
    why = failed.result

    def is_said_final(**changes):
        died = chapter_of(why_chapters(replace(why, **changes)), "died")
        return "nothing wakes" in died.blocks[0].caption

    assert is_said_final(settings=replace(why.settings, **change)) is is_final
    deep = network([[[1, 1]], [[1]], [[1], [1]]], [[0], [-9], [0, 0]], task=HALF_ADDER)
    for layer, (unit,) in enumerate(unit_names(deep, HALF_ADDER)[1:3], 1):
        inactivity = replace(why.inactivity, deaths=(Death(unit, 0),))
        assert is_said_final(network=deep, inactivity=inactivity) is (layer == 1)


def test_units_that_never_switch_off_do_not_die():
    explanation = explain_why(
        adderlab.train(HALF_ADDER, seed=2, activation="tanh", steps=20).network
    )
    assert explanation.result.inactivity.deaths == ()
    died = chapter_of(explanation.chapters, "died")
    assert died.blocks[0].text == "Units of tanh are never off: none can die."


@pytest.mark.parametrize(
    ("options", "layers"),
    [
        ({"activation": "tanh", "seed": 1}, "one hidden layer of tanh"),
        ({"hidden": (6, 6), "seed": 0, "lr": 0.2, "steps": 2000}, "2 hidden layers of relu"),
    ],
)
def test_why_a_network_unlike_the_designs_in_kind_is_not_compared(options, layers):
    explanation = explain_why(adderlab.train(HALF_ADDER, **options).network)
    assert explanation.result.verdict.verdict == "proved"
    (paragraph,) = chapter_of(explanation.chapters, "design").blocks
    assert f"this network has {layers}: its units have no counterparts" in paragraph.text


def test_a_designed_unit_without_a_counterpart_has_no_cosine():
    """Two units, and a design of three: one is left over."""
    explanation = explain_why(adderlab.train(HALF_ADDER, hidden=2, seed=3).network)
    assert explanation.result.verdict.verdict == "proved"
    paragraph, table = chapter_of(explanation.chapters, "design").blocks[:2]
    (left,) = (row for row in table.rows if row[1] == "none left")
    assert left[1:] == ("none left", "", "", "")
    assert "it is not the same. Alike means that weights and bias have a cosine" in paragraph.text


# --- slots ------------------------------------------------------------------------------------


def test_where_nothing_moves_or_the_loss_is_lost_nothing_is_compared():
    right = network([[[1, 1], [1, 1]], [[0, 1], [1, -2]]], [[0, -1], [0, 0]], task=HALF_ADDER)
    explanation = explain_slots(right)
    assert set(explanation.result.losses_with) == {0.0}
    text = chapter_of(explanation.chapters, "piling-up").blocks[1].text
    assert "Every gradient is 0 here: nothing accumulates" in text
    explanation = explain_slots(LECTURE, lr=10)
    run = explanation.result
    first, second = (
        next(at for at, loss in enumerate(losses, 1) if not torch.tensor(loss).isfinite())
        for losses in (run.losses_with, run.losses_without)
    )
    text = chapter_of(explanation.chapters, "piling-up").blocks[1].text
    assert f"with zero_grad at iteration {first} and without at iteration {second};" in text


@pytest.mark.parametrize(
    ("with_zero_grad", "without", "text"),
    [
        ([3, 2, 1], [3, 2, 0], "Here the loss fell further with the sum of all gradients"),
        ([3, 2, 1], [3, 1, 2], "The old gradients keep their effect long after"),
        ([3, 2, 1], [3, 2.5, 2], "Here the loss fell less far with the sum"),
        ([3, 2, 1], [3, 0, 1], "Here both end at the same loss, by different paths."),
        ([3, 2, 1], [3, 2, 1], "Here it is the same in every iteration, with and without."),
    ],
)
def test_the_sentence_on_accumulation_follows_from_the_losses(every, with_zero_grad, without, text):
    run = replace(
        every["slots"].result, losses_with=tuple(with_zero_grad), losses_without=tuple(without)
    )
    assert accumulation_text(run).startswith(text)


def test_a_step_that_moves_a_parameter_is_seen_in_the_slots_and_steps():
    explanation = explain_slots(LECTURE, lr="1e-6")
    run = explanation.result
    table = next(block for block in explanation.chapters[0].blocks if isinstance(block, Table))
    start, moved = (dict_of(run.with_zero_grad[0].after(line)) for line in ("start", "step()"))
    for row, name in zip(table.rows, start, strict=True):
        assert (row[1] != row[3]) is (start[name] != moved[name]), name
    assert any(row[1] != row[3] for row in table.rows)
    shown = [step.blocks[0].rows for step in explanation.steps[:4]]
    for first, last, name in zip(shown[0], shown[3], start, strict=True):
        assert (first[1] != last[1]) is (start[name] != moved[name]), name


@pytest.mark.parametrize("member", [None, 3])
def test_a_trained_network_starts_where_its_training_did(member):
    trained = train_network(HALF_ADDER, Settings(seed=4, steps=50, member=member)).network
    start = train_network(HALF_ADDER, Settings(seed=4, steps=0, member=member)).network
    (explanation, by_hand) = (explain_slots(trained), explain_slots(replace(start, training=None)))
    first, expected = (
        part.result.with_zero_grad[0].after("start") for part in (explanation, by_hand)
    )
    assert first.w == expected.w
    assert (
        first.w
        != explain_slots(replace(trained, training=None)).result.with_zero_grad[0].after("start").w
    )
    seed = "seed 4" if member is None else "seed 4, member 3"
    assert (explanation.result.start, by_hand.result.start) == (seed, None)
    assert f"where this network's training did: {seed}." in explanation.to_markdown()


def dict_of(slots):
    return {name: w for name, w, _ in entries(slots)}


@pytest.mark.parametrize("seed", [0, 1])
def test_a_step_that_moves_a_parameter_is_seen_in_the_gradient_table(seed):
    net = adderlab.train(HALF_ADDER, seed=seed, steps=3).network
    explanation = explain(net, input="1,1", lr="1e-6")
    table = next(block for block in explanation.chapters[-1].blocks if isinstance(block, Table))
    updates = explanation.result.updates
    assert any(update.gradient for update in updates)
    for row, update in zip(table.rows, updates, strict=True):
        now, following = str(row[2]).split(" - 1e-06*")[0], str(row[3])
        assert (now != following) is bool(update.gradient), update.name


def test_digits_are_added_only_where_a_move_needs_them():
    assert w_texts([0.87431, 0.87432, 0.5]) == ["0.87431", "0.87432", "0.5"]
    assert w_texts([0.1, 0.2]) == ["0.1", "0.2"]
    assert w_texts([float("nan"), 0.25, float("inf")]) == ["nan", "0.25", "inf"]
