"""What holds of every verb: refusals before any work, files whole or absent, JSON with its keys."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

import adderlab
from adderlab.building import construct, lecture_network, printed_network
from adderlab.errors import AdderlabError, OutputError
from adderlab.nets import Activation, Layer, Network, load, network, save
from adderlab.nets.tensors import Dense, Sparse
from adderlab.tasks import task_named
from adderlab.verbs.build import LARGEST_FORMULA_BYTES

HALF_ADDER = task_named("half-adder")
LECTURE = lecture_network(HALF_ADDER)
PRINTED = printed_network().for_task(HALF_ADDER)
NO_TASK = network([[[1, 1], [1, 1]], [[0, 0], [0, 0]]], [[0, 0], [0, 0]])
THREE = network([[[1, 1, 1]]], [[0]])
WIDE = construct(task_named("adder:64"), "one-layer")
TANH = Network((Layer(
    Sparse((1, 2), np.array([0, 2]), np.array([0, 1]), Dense(np.array([1.0, 1.0]))),
    None, Activation("tanh")),), task=task_named("majority:2"))  # fmt: skip
WRITING = {
    "build": lambda out: adderlab.build("half-adder", method="lecture", out=out),
    "train": lambda out: adderlab.train("half-adder", steps=3, out=out),
    "repair": lambda out: adderlab.repair(LECTURE, out=out),
    "quantize": lambda out: adderlab.quantize(PRINTED, "int4", out=out),
}
"""The verbs that write a network."""


@pytest.mark.parametrize("verb", WRITING)
def test_what_is_written_is_what_was_judged_and_without_a_place_nothing_is(
    verb, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    result = WRITING[verb](None)
    assert result.file is None
    assert list(tmp_path.iterdir()) == []
    again = WRITING[verb](tmp_path / "net.safetensors")
    assert again.file == tmp_path / "net.safetensors"
    verdict = again.proof if verb == "train" else again.verdict
    assert adderlab.prove(again.file).sha256 == verdict.sha256
    assert adderlab.prove(again.file).verdict == verdict.verdict
    assert load(again.file).task == HALF_ADDER
    assert [path.name for path in tmp_path.iterdir()] == ["net.safetensors"]


@pytest.mark.parametrize(
    ("place", "fault"),
    [
        ("folder", "a folder stands there; name a file"),
        ("none/net", "the folder '{}' does not exist; make it first"),
        ("file/net", "'{}' is a file, no folder; choose another place"),
    ],
)
@pytest.mark.parametrize("verb", WRITING)
def test_a_place_is_tried_before_the_work(verb, place, fault, tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    _ = (tmp_path / "file").write_text("mine")
    out = tmp_path / place

    def work(*_, **__):
        raise AssertionError("the work was done first")

    monkeypatch.setattr("adderlab.verbs.build.construct", work)
    monkeypatch.setattr("adderlab.training.loop.train_network", work)
    model = {"repair": adderlab.repair, "quantize": lambda model, out: adderlab.quantize(
        model, "int4", out=out)}  # fmt: skip
    with pytest.raises(OutputError) as refusal:
        # a file that is missing, which would be found first
        _ = model[verb]("missing.safetensors", out=out) if verb in model else WRITING[verb](out)
    assert str(refusal.value) == f"{out}: {fault.format(out.parent)}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize(
    ("place", "fault"),
    [
        ("file", "file: a file stands there; name a folder"),
        ("x.pdf", "x.pdf: unknown file type .pdf; name a folder, or a file ending in .md, .html,"),
        ("x.svg", "x.svg: this explanation has no figure; name a .md or .html file"),
        (["./a.json", "{}/a.json"], "a.json: it is named twice; name each place once"),
    ],
)
def test_places_of_explanations_and_figures_are_tried_before_the_work(
    place, fault, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    _ = (tmp_path / "file").write_text("mine")
    out = [name.format(tmp_path) for name in place] if isinstance(place, list) else place
    with pytest.raises(OutputError) as refusal:
        if place == "file":
            _ = adderlab.show("missing.safetensors", out=out)
        else:
            _ = adderlab.explain(LECTURE, input="1,1", out=out)
    assert str(refusal.value).removeprefix(f"{tmp_path}/").startswith(fault)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


# --- what is refused ----------------------------------------------------------------------------


def build(**options):
    return lambda: adderlab.build(**options)


def explain(model=LECTURE, **options):
    return lambda: adderlab.explain(model, **options)


def quantize(to, model=PRINTED, **options):
    return lambda: adderlab.quantize(model, to, **options)


def with_record(**changes):
    """Return a trained network whose record says something else."""

    def read():
        net = adderlab.train("half-adder", steps=3, samples=4).network
        return replace(net, training={**net.training, **changes})

    return read


REFUSED = [
    # build
    (build(method="lecture", formula="f.txt"), "build: a method and a formula are two things;"),
    (build(method="lectrue"), "method: unknown method 'lectrue'; did you mean lecture?"),
    (build(task="full-adder", method="lecture"), "method lecture: the lecture sets weights for"),
    (build(formula="formula.txt", format="fp31"), "format: unknown number format 'fp31'; did you"),
    (build(formula="none.txt"), "none.txt: no such file; check the path"),
    (build(formula="."), ".: a folder, not a file; name a file of formulas"),
    (build(formula="zero\0byte"), "zero\\x00byte: can't be read (embedded null byte);"),
    (build(formula="latin.txt"), "latin.txt: not UTF-8 text; save it as UTF-8"),
    (build(formula="large.txt"), "large.txt: 1048577 bytes are over the limit of 1048576;"),
    (build(formula="unknown.txt"), "unknown.txt line 2 column 11: unknown input 'q'; there are a"),
    # train
    (lambda: adderlab.train("half-adder", learning_rate=1),
     "train: unknown setting 'learning_rate'; did you mean lr?"),
    (lambda: adderlab.train("half-adder", hiden=1), "train: unknown setting 'hiden'; did "),
    (lambda: adderlab.train("half-adder", on_los=print), "train: unknown setting 'on_los'; did"),
    (lambda: adderlab.train("half-adder", color=1),
     "train: unknown setting 'color'; one of hidden, seed, lr, steps, batch, samples, optimizer, "),
    (lambda: adderlab.train_many("half-adder", seeds=2, thread=1),
     "train_many: unknown setting 'thread'; did you mean threads?"),
    (lambda: adderlab.map("half-adder", optimiser="adam"),
     "map: unknown setting 'optimiser'; did you mean optimizer?"),
    # prove, show
    (lambda: adderlab.prove(NO_TASK), "task: the network names no task; name one: `task` half-"),
    (lambda: adderlab.prove(LECTURE, "full-adder"), "task: full-adder has 3 input and 2 output"),
    (lambda: adderlab.prove(LECTURE, formats=["fp32", "posit"]),
     "format: unknown number format 'posit'; choose from exact, fp64, fp32, fp16, bf16,"),
    (lambda: adderlab.show(LECTURE, input="1,2"), "input 1,2: b = 2 is outside 0..1; b:1 takes"),
    (lambda: adderlab.show(3.5), "model: "),
    # repair, compare
    (lambda: adderlab.repair(NO_TASK), "task: the network names no task; name one: `task` half-"),
    (lambda: adderlab.repair(TANH), "fc1: the activation tanh is not straight on both sides of 0"),
    (lambda: adderlab.repair(Network((Layer(Dense(np.ones((1, 13)))),)), "majority:13"),
     "repair: the task has 8192 rows, more than 4096; repair a smaller network, or train it"),
    (lambda: adderlab.compare(LECTURE, THREE),
     "first network and second network: 2 inputs and 2 outputs there, 3 and 1 here; only"),
    # quantize
    (quantize("wide"), "to: wide takes as many bits as a number needs, never fewer; name an"),
    (
        quantize("int4", method="x"),
        "method: got 'x'; give one of auto, nearest, exact, snap, fine-tune",
    ),
    (quantize("smallest", scale="free"), "to smallest: every scheme is tried with its own limit;"),
    (quantize("int4", model=NO_TASK), "task: the network names no task; name one: `task` half-"),
    (quantize("int2", limit=0), "limit: got 0; give a whole number above 0"),
    (quantize("int2", timeout_s=0), "timeout_s: got 0; give seconds above 0"),
    (quantize("int2", timeout_s=math.nan), "timeout_s: got nan; give seconds above 0"),
    # explain
    (explain(), "explain: nothing to explain; give `input`, or all with `rows`"),
    (explain(input="1,1", rows="all"), "rows: does not go with `input`; leave one of them out"),
    (explain(rows="3"), "rows: got 3; give all"),
    (explain(rows="all", target="1"), "target: one target for all inputs; give one `input` with"),
    (explain(input="1,1", lr=-1), "lr: got -1; give a number above 0"),
    (explain(input="1,1", loss="l1"), "loss: got l1; give one of mse, bce"),
    (explain(input="1,1", lr="fast"), "lr: got fast; give a number such as 2, -0.5 or 1/3"),
    (explain(input="2,0"), "input 2,0: a = 2 is outside 0..1; a:1 takes the values 0..1"),
    (explain(input="1,1", target=4), "target 4: c = 4 is outside 0..3; c:2 takes the values 0..3"),
    (explain(input="1,1", target="1,2"), "target 1,2: half-adder gives 1 number, got 2; give the"),
    (explain(NO_TASK, input="1,1"), "explain: no task is known, so nothing is expected; give"),
    (lambda: adderlab.explain_chain(2, values="w1"), "values: got 'w1'; write w1=2,w2=3,x=1,y=1"),
    (lambda: adderlab.explain_chain(2, values="w1=1,w1=2"), "values: w1 is given twice; give it"),
    *(
        (lambda verb=verb: verb(WIDE, rows="all"), "explain: 37054 parameters are too many to list")
        for verb in (adderlab.explain, adderlab.explain_slots, adderlab.explain_symbols)
    ),
    # the record of a training
    (lambda: adderlab.explain_why(NO_TASK), "task: the network names no task; name one: `task` "),
    (lambda: adderlab.replay(LECTURE), "network: it has no training record; take a network that"),
    (lambda: adderlab.explain_why(replace(
        NO_TASK.for_task(HALF_ADDER), training=with_record()().training)),
     "network: its training record makes fc1.weight of shape [3, 2], the file has [2, 2]; look"),
    *(
        (lambda changes=changes: adderlab.replay(with_record(**changes)()), f"network: {fault}")
        for changes, fault in (
            ({"path": "abacus"}, "its training path 'abacus' is not known"),
            ({"lr": "fast"}, "the training record's lr is 'fast'"),
            ({"hidden": -3}, "the training record: hidden got -3"),
        )
    ),
]  # fmt: skip
"""A call, and how its complaint begins; whole messages are tested where they are made."""


@pytest.fixture
def formulas(tmp_path, monkeypatch):
    """Work in a folder of formulas that can't be read."""
    _ = (tmp_path / "formula.txt").write_text("c1 = step(a)\nc0 = step(b)")
    _ = (tmp_path / "unknown.txt").write_text("c1 = step(a)\nc0 = step(q)")
    _ = (tmp_path / "latin.txt").write_bytes(b"c0 = a\xff")
    _ = (tmp_path / "large.txt").write_bytes(b" " * (LARGEST_FORMULA_BYTES + 1))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[message for _, message in REFUSED])
@pytest.mark.usefixtures("formulas")
def test_what_makes_no_sense_is_refused_with_the_argument(call, message):
    with pytest.raises(AdderlabError) as refusal:
        _ = call()
    assert str(refusal.value).startswith(message)
    assert refusal.value.remedy


# --- JSON ---------------------------------------------------------------------------------------

PROOF = {"verdict", "method", "semantics", "task", "rows", "counterexample", "margin", "formats",
         "sha256", "seconds", "reason"}  # fmt: skip
KEYS = [
    (lambda: adderlab.build("half-adder", method="lecture"), {
        "task": "half-adder", "method": "lecture", "hidden": 3, "widths": [3], "depth": 2,
        "parameters": 17, "nonzero": 12, "max_weight": 2, "smallest_format": "fp8-e4m3",
        "safe_widths": None, "verdict": "refuted", "checks": [], "file": None, "proof": PROOF}),
    (lambda: adderlab.train("half-adder", seed=1, steps=50), {
        "seed": 1, "diverged": False, "file": None,
        "proof": PROOF, "settings": {"hidden", "lr", "steps"}, "losses": None,
        "accuracy": None, "dead_units": None}),
    (lambda: adderlab.prove(LECTURE), {
        "verdict": "refuted", "rows": 4, "rows_right": 3, "formats": {"fp32": "refuted"},
        "margin": {"of_0": "-1/2", "of_1": "1/2", "min": "-1/2", "exact": True},
        "counterexample": {"input", "expected", "got", "output", "output_exact", "semantics"},
        **dict.fromkeys(PROOF - {"verdict", "rows", "formats", "margin", "counterexample"})}),
    (lambda: adderlab.repair(LECTURE), {
        "verdict": "proved", "wrong_rows": [{"a": 1, "b": 1}], "already_right": False,
        "unstorable": [], "file": None, "proof": PROOF, "changes": None, "alternatives": None}),
    (lambda: adderlab.compare(LECTURE, PRINTED), {
        "verdict": "refuted", "rows": 4, "rows_equal": 3, "method": "enumerated", "reason": None,
        "first": {"sha256", "margin", "verdict", "depth", "bytes"}, "second": {"verdict"},
        "counterexample": {"input", "first", "second"}}),
    (lambda: adderlab.quantize(PRINTED, "int2"), {
        "format": "int2", "bytes": 5, "stored_bytes": 14, "verdict": "proved", "changed": 17,
        "attempts": None, "rows_lost": 0}),
    (lambda: adderlab.show(LECTURE, input="1,1"), {
        "task": "half-adder", "network": LECTURE.to_dict(), "verdict": "refuted", "files": [],
        "rows": None, "proof": PROOF, "walk": {"got", "layers"}, "notes": []}),
    (lambda: adderlab.explain(LECTURE, input="1,1"), {
        "steps": None, "autograd_difference": None, "gradients": {
            "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"}}),
    (lambda: adderlab.explain_chain(2), {
        "explains": "chain", "derivatives": ["2*(f1 - y)*f2", "2*(f1 - y)*w1*x"]}),
    (lambda: adderlab.explain_slots(LECTURE), {
        "explains": "slots", "with_zero_grad": None, "without_zero_grad": None, "losses": None}),
    (lambda: adderlab.explain_symbols(LECTURE), {"explains": "symbols", "patterns": None}),
    (lambda: adderlab.count(LECTURE, training="sgd"), {
        "parameters": {"raw": 17, "nonzero": 12, "unique": 5, "trainable": 17},
        "macs": 12, "flops": 29,
        "layers": None, "stored_bytes": 68, "file_bytes": None, "entropy": None,
        "bytes": {"fp32", "int2", "binary"}, "training": {"bytes"}}),
]  # fmt: skip
"""A call, and its dictionary: values, the keys of what is below, None for any value."""


@pytest.mark.parametrize(("call", "keys"), KEYS, ids=[str(number) for number in range(len(KEYS))])
def test_the_dictionary_has_the_documented_keys_and_is_json(call, keys):
    data = call().to_dict()
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert set(data) >= set(keys)
    for key, value in keys.items():
        if isinstance(value, set):
            assert set(data[key]) >= value, key
        elif value is not None:
            assert data[key] == value, key


def test_a_file_is_named_where_shapes_differ(tmp_path):
    paths = [save(LECTURE, tmp_path / "a.safetensors"), save(THREE, tmp_path / "b.safetensors")]
    with pytest.raises(AdderlabError) as refusal:
        _ = adderlab.compare(*paths)
    assert refusal.value.where == f"{paths[0]} and {paths[1]}"
