"""What each command prints, writes and exits with, and that its JSON is the verb's result."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import adderlab
from adderlab.nets import load
from adderlab.tasks import task_named
from adderlab.training import Settings
from adderlab.training.loop import train_network
from adderlab.verbs import doctor

QUICK = "train half-adder --optimizer momentum --steps 200 --samples 200"
"""Settings that train a network of seed 0 to a proof in a fraction of the notebook's steps."""

MANY = "train half-adder --lr 0.4 --steps 150 --data table"
"""Settings that give right networks and wrong ones in a fraction of the notebook's steps."""

WRONG = (
    "refuted in exact arithmetic and in fp32, its own format: half-adder is wrong on 1 of 4 inputs"
)
PROVED = "its own format: half-adder is right on all 4 inputs"
PROVED_FP32 = f"proved in exact arithmetic and in fp32, {PROVED}"
NET = "net.safetensors"

PRINTED = [
    (f"build half-adder --method lecture -o {NET}", 1, NET, (
        "Network 2-3-2 for half-adder: relu, readout > 0, 17 parameters in fp32",
        "layer unit w1 w2 w3 bias", "fc1 1 1 1 -1.5",
        "17 parameters, 12 nonzero, largest 2, smallest format fp8-e4m3", WRONG,
        "counterexample: 1 + 1 gives c = 3, expected c = 2", f"written to {NET}")),
    ("build --formula @right.txt --share --format FP16", 0, "", (
        "Network 2-4-2 for half-adder: relu, readout > 0, 22 parameters in fp16\n", PROVED,
        "not written (add -o NET to keep it)")),
    ("build --formula @failing.txt", 0, "", (
        "c1: on a = 0, b = 1, 1 (a + b >= 1) is 1, the formula gives step(-0.5)",)),
    ("build adder:12 --method one-layer", 0, "", (
        "Network", "one-layer is exact up to width", "fp64 51, fp32 22, fp16 9, bf16 6",
        "int8 7, int7 6", "ternary none, binary none, wide any")),
    ("build adder:3 --method ripple", 0, "", (
        "Network", "ripple is exact at every width in every format but ternary and binary")),
    (f"{QUICK} -o {NET}", 0, NET, (
        "seed 0\nEpoch [100/200],", "Epoch [200/200],", "Accuracy: 1.0000 (over the 200 samples)",
        "Rows right: 4 of 4", "a b expected", "0 0 00 00", "0 1 01 01", "1 0 01 01", "1 1 10 10",
        PROVED, f"written to {NET}")),
    ("train half-adder", 0, "", (
        "seed 0 (the default was chosen because it works; about half the seeds do not)\nEpoch",)),
    ("train half-adder --seed 1", 1, "", (
        "seed 1\nEpoch [100/1000], Loss: 0.1190", "✗ wrong", "what helps, measured over ",
        "not written (add -o NET to keep it)")),
    ("train half-adder --steps 0", 1, "", ("seed 0\n",)),  # nothing is known of other steps
    (f"train half-adder --lr 1e30 --steps 100 -o {NET}", 1, "", (
        "seed 0\nEpoch [100/100], Loss: nan\ndiverged: the weights became non-finite, nothing was",
        "take a smaller lr\n")),
    ("train half-adder --activation tanh --hidden 8 --lr 0.3 --stop-margin 0.2", 0, "", (
        "seed 0", "stopped at step ", ": every row is right by more than 0.2")),
    ("train half-adder --data table --steps 10", 1, "", ("seed 0", "(over every row once)")),
    ("train half-adder --seeds 3 --no-explain --lr 1e30 --steps 60", 0, "", (
        "0 of 3 networks are right on every row: 0.0% ", *["diverged"] * 5)),
    (f"{MANY} --seeds 40 --no-explain", 0, "", (
        "", " of 40 networks are right", "symptoms of the failures\nsymptom failures successes\n",
        "not written (add -o RUN to keep it)")),
    ("map --size 6x4 --steps 40 --x lr=0.1:4:log -o map.png", 0, "map.npz map.png", (
        "24 networks, each member 1 of seed 0, by lr=0.1:4:log and init=0.1:10:log",
        "trained in ", "written to map.png\nwritten to map.npz")),
    ("prove @repaired", 0, "", (
        f"{PROVED_FP32}\nmargin: zeros 0, ones 0.5 = 1/2\nin fp32, its own format: proved (",
        "\nenumerated, 0.0")),
    ("prove @wide --engine enumeration", 3, "", (
        "unknown in exact arithmetic and in fp32, its own format: parity:37, 2^37 ", "2^36\n")),
    ("repair @lecture -o out.safetensors", 0, "out.safetensors", (
        "wrong on 1 of 4 inputs in exact arithmetic; parameters that repair it alone: 6",
        "parameter from to works margin repaired rows",
        "fc1.weight[2,0] 1 1.5 [1.25, 1.75) 0 0.5 ✓", "fc2.weight[1,1] 1 0.5 (0, 2/3] 0 0.25 ✓",
        "fc2.weight[1,2] -2 -4 (-inf, -3] 0 0.5 ✓", "taken: fc1.weight[2,0] from 1 to 1.5", PROVED,
        "written to out.safetensors")),
    ("repair @lecture", 0, "", ("wrong on 1 of 4", "not written (add -o NET to keep it)")),
    ("repair @nothing -o out.safetensors", 1, "", (
        "wrong on 3 of 4 inputs in exact arithmetic; parameters that repair it alone: none",
        "refuted in exact",
        "not written: no change of one parameter repairs it")),
    ("repair @repaired -o out.safetensors", 0, "out.safetensors", (
        "right already: nothing to repair", "written to out.safetensors")),
    ("repair @thirds", 0, "", (
        "wrong on", "fc2.weight[0,0] 3 1 {1} ✓\nnote: fc1.weight[0,0] would work in {1/3}, where",
        "can store no number\nnote: fc1.bias[0] would work in {-2/3}, where its tensor can store")),
    ("repair @many", 0, "", ("wrong on", " more, in the JSON")),
    ("compare @lecture @repaired", 1, "", (
        "refuted in exact arithmetic: different on 1 of 4 inputs of half-adder\n",
        "counterexample: 1 + 1 gives c = 3 by the first, c = 2 by the second\n",
        "raw outputs there: 0.5, 0.5 by the first; 0.5, -0.5 by the second\nenumerated, ",
        "first second differs?", "shape 2-3-2 2-3-2\n", "format fp32 fp32\n",
        "verdict refuted proved differs", "margin of zeros -0.5 0 differs",
        "margin of ones 0.5 0.5\n")),
    ("compare @lecture @lecture --task half-adder", 0, "", (
        "proved in exact arithmetic: equal on all 4 inputs of half-adder",)),
    ("show @lecture --input 1,1", 0, "", (
        "Network 2-3-2 for half-adder", "fc2 2 0 1 -2 0", WRONG, "raw outputs there: 0.5, 0.5",
        "margin: zeros -0.5 = -1/2, ones 0.5 = 1/2", "a b expected got c1 c0 distance",
        "1 0 01 01 0.0000 0.5000 0 ✓", "1 1 10 11 0.5000 0.5000 -0.5 ✗ wrong",
        "1 + 1, step by step", "h2 1 * 1 + 1 * 1 - 0.5 1 + 1 - 0.5 1.5 1.5",
        "c0 0 * 0.5 + 1 * 1.5 - 2 * 0.5 + 0 0 + 1.5 - 1 + 0 0.5", "output readout expected",
        "c0 0.5 > 0 → 1 0 ✗ wrong", "got c = 3, expected c = 2")),
    ("show @printed --input 1,0", 0, "", (
        "Network", "h3 0.1733 * 1 - 0.6872 * 0 - 0.1736 0.1733 + 0 - 0.1736 -0.0003",
        "c0 1.00136 > 0.5 → 1", "rounded to 6 decimals here; computed and decided exactly")),
    ("show @tanh --input 1,1", 0, "", (
        "Network", "h1 1 * 1 + 0 * 1 - 0.5 1 + 0 - 0.5 0.5 ≈0.462117\n", "≈1.310401\n",
        "c1 ≈1.310401 > 0.5 → 1 ")),
    ("show @taskless --input 1,0", 0, "", (
        "Network", "no task is known, so nothing is expected; give --task TASK\n",
        "x1 x2 got y1 y0\n")),
    ("show @large --input 3,200", 0, "", (
        "Network", "the first 8 wrong rows; ", "3 + 200, layer by layer",
        "fc1 70 0 none", "c7 0 ≤ 0.5 → 0 1 ✗ wrong", "got c = 0, expected c = 203")),
    ("explain @lecture --input 1,1", 0, "", (
        "", "value exact decimal gradient made of", "a 1 1 not computed yet an input",
        "z1 1/2 0.5 not computed yet", "fc2.weight[1,2] c0 1/2 h3 = 1/2 1/4 0.25\n",
        "With lr = 1/10 = 0.1:\nw_next = w_now - lr*dL/dw",
        "fc1.weight[0,0] -1/2 1 - 1/10*(-1/2) 21/20 1.05",
        "The loss on this row goes from 0.25 to 0.108906.\n",
        "Compared with PyTorch's autograd in float64: 76 figures, the largest")),
    ("explain @lecture --input 1,1 --step", 0, "", (
        "--step waits for keys, and this is no terminal: here are all the steps",
        "dL/dz1: not computed yet.\n", "1 + 1: forward 9 of 9, L\n",
        "dL/dh1 = dL/dc1*fc2.weight[0,0] + dL/dc0*fc2.weight[1,0]\n")),
    ("explain --chain 3", 0, "", (
        "", "dl/dw1 = [2*(f1 - y)]*f2", "dl/dw2 = [2*(f1 - y)*w1]*f3",
        "dl/dw3 = [2*(f1 - y)*w1*w2]*x")),
    ("explain --chain 2 -o chain.html -o folder", 0, (
        "chain.html folder folder/explain.html folder/explain.json folder/explain.md "
        "folder/figures folder/figures/operations.png folder/figures/operations.svg"), (
        "", "written to chain.html\nwritten to folder/explain.md\n")),
    ("count @lecture", 0, "", (
        "", "fc1 2*3 + 3 9 36", "fc2 3*2 + 2 8 32", "all 17 68",
        "int2 2 5 17 * 2 / 8, rounded up")),
    ("count --model llama-3-8b --training adam", 0, "", (
        "", "all 8,030,261,248", "32 layers x (q 4096 x 4096 + k 4096 x 1024",
        "usually shipped in bf16", "first moment, second moment", "activations are left out")),
    ("count --parameters 500e9", 0, "", (
        "", "llama-3.1-405b", "as given 500,000,000,000 2 TB 1 TB 250 GB 125 GB")),
    ("count --model gpt-4", 0, "", ("gpt-4: unpublished (",)),
    ("quantize @printed --to int2 -o out.safetensors", 0, "out.safetensors", (
        "given: proved in fp32, margin 0.14639", "int2 nearest free/tensor refuted 1/4",
        "int2 exact free/tensor proved 4/4",
        "int2 by exact (symmetric, free scale per tensor): 17 parameters in 5 bytes, 14 as stored",
        "17 parameters changed, 0 rows lost", PROVED,
        "in int2, its own format: proved (", "integer weights, the rest in fp32)",
        "written to out.safetensors")),
    (f"quantize @lecture --to int8 --method nearest -o {NET}", 1, NET, (
        "given: refuted", f"written to {NET}")),
    ("quantize @printed --to smallest --method exact", 0, "", (
        "given: proved", "note: one bit a parameter: there is nothing below\n")),
    ("quantize @printed --table", 0, "", ("", "int4 snap", "fine-tune")),
    ("tasks", 0, "", ("", "half-adder ", "full-adder ", "adder:N ", "popcount:N ", "table:FILE ")),
]  # fmt: skip
"""Command, exit code, what it writes, and what it prints, in this order.

The first part begins the output; runs of blanks are one blank."""

JSON = [
    ("build half-adder --method lecture",
     lambda nets: adderlab.build("half-adder", method="lecture"), 1),
    ("build adder:12 --method auto --max-weight 2",
     lambda nets: adderlab.build("adder:12", method="auto", max_weight=2), 0),
    (QUICK, lambda nets: adderlab.train("half-adder", optimizer="momentum", steps=200, samples=200),
     0),
    ("train half-adder --lr 1e30 --steps 100",
     lambda nets: adderlab.train("half-adder", lr=1e30, steps=100), 1),
    (f"{MANY} --seeds 40 --no-explain", lambda nets: adderlab.train_many(
        "half-adder", seeds=40, lr=0.4, steps=150, data="table", explain=False), 0),
    ("train half-adder --seeds 3 --no-explain --steps 0", lambda nets: adderlab.train_many(
        "half-adder", seeds=3, explain=False, steps=0), 0),
    ("map half-adder --size 3 --steps 2 --show success",
     lambda nets: adderlab.map("half-adder", size=3, steps=2, show="success"), 0),
    ("prove @repaired", lambda nets: adderlab.prove(nets("repaired")), 0),
    ("prove @lecture", lambda nets: adderlab.prove(nets("lecture")), 1),
    ("prove @repaired --task adder:1 --format fp16 --format fp32",
     lambda nets: adderlab.prove(nets("repaired"), "adder:1", formats=["fp16", "fp32"]), 0),
    ("prove @repaired --format int2",
     lambda nets: adderlab.prove(nets("repaired"), formats=["int2"]), 3),
    ("prove @repaired --task subtractor:1",
     lambda nets: adderlab.prove(nets("repaired"), "subtractor:1"), 1),
    ("prove @wide --engine enumeration",
     lambda nets: adderlab.prove(nets("wide"), engine="enumeration"), 3),
    ("prove @wide --explain-choice", lambda nets: adderlab.prove(nets("wide")), 1),
    ("repair @lecture", lambda nets: adderlab.repair(nets("lecture")), 0),
    ("repair @nothing", lambda nets: adderlab.repair(nets("nothing")), 1),
    ("compare @lecture @repaired",
     lambda nets: adderlab.compare(nets("lecture"), nets("repaired")), 1),
    ("compare @tie @zero", lambda nets: adderlab.compare(nets("tie"), nets("zero")), 3),
    ("show @lecture --input 1,1", lambda nets: adderlab.show(nets("lecture"), input="1,1"), 0),
    ("explain @lecture --input 1,1", lambda nets: adderlab.explain(nets("lecture"), input="1,1"),
     0),
    ("explain @lecture --slots", lambda nets: adderlab.explain_slots(nets("lecture")), 0),
    ("explain @lecture --symbols", lambda nets: adderlab.explain_symbols(nets("lecture")), 0),
    ("explain --chain 3", lambda nets: adderlab.explain_chain(3), 0),
    ("count @printed --training sgd",
     lambda nets: adderlab.count(nets("printed"), training="sgd"), 0),
    ("count --model gpt-4", lambda nets: adderlab.count(model="gpt-4"), 0),
    ("count --safetensors @printed",
     lambda nets: adderlab.count(safetensors=nets("printed")), 0),
    ("quantize @printed --to int3", lambda nets: adderlab.quantize(nets("printed"), "int3"), 0),
]  # fmt: skip
"""Command, the same in Python, and the exit code."""


def squeezed(text: str) -> str:
    """Return the text with one blank where there are several, and none at the ends of lines."""
    return "".join(f"{' '.join(line.split())}\n" for line in text.splitlines())


@pytest.mark.parametrize(
    ("line", "code", "files", "parts"), PRINTED, ids=[line for line, *_ in PRINTED]
)
def test_a_command_prints_and_writes_what_it_did(run, left, line, code, files, parts):
    done = run(line)
    assert done.code == code
    assert left() == files.split()
    text = squeezed(done.out)
    assert text.startswith(parts[0])
    at = 0
    for part in parts:
        place = text.find(part, at)
        assert place >= 0, part
        at = place + len(part)
    if "--seeds" not in line:  # a population's progress goes to standard error
        assert done.err == ""


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("build half-adder --method lecture", "exact up to"),
        ("train half-adder --data table --steps 10", "the samples lack"),
        ("compare @lecture @lecture", "differs\n"),
        ("show @taskless", "expected "),
        ("doctor", "✗ wrong"),
    ],
)
@pytest.mark.usefixtures("quick_doctor")
def test_what_does_not_apply_is_not_printed(run, line, text):
    assert text not in run(line).out.partition("is expected\n")[2 if "taskless" in line else 0]


def timeless(value):
    """Return a result without what differs from run to run: seconds."""
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if "seconds" not in key}
    return [timeless(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("line", "result", "code"), JSON, ids=[line for line, *_ in JSON])
def test_json_is_the_dictionary_of_the_verbs_result(run_json, line, result, code):
    called = json.loads(json.dumps(result(lambda name: f"../nets/{name}.safetensors").to_dict()))
    exit_code, printed = run_json(line)
    assert exit_code == code
    assert timeless(printed) == timeless(called)


def test_with_json_the_text_for_people_goes_to_standard_error(run):
    plain, done = run("prove @lecture"), run("prove @lecture --json")
    assert plain.err == ""
    assert done.err.splitlines()[:-1] == plain.out.splitlines()[:-1]  # the last tells the time


def test_the_figures_of_show_are_written_and_named(run, left):
    done = run("show @lecture -o figures")
    assert done.code == 0
    assert done.out.count("written to ") == len(left()) - 1 == 10
    assert {Path(name).suffix for name in left()} == {"", ".svg", ".png"}


def test_several_safetensors_are_counted_together(run):
    done = run("count --safetensors @printed @lecture")
    assert done.code == 2
    assert "is also in ../nets/printed.safetensors" in done.err


# --- training -----------------------------------------------------------------------------------


def test_a_member_is_trained_alone_and_replayed(run):
    done = run("train half-adder --seed 2 --member 17 --steps 200 -o net.safetensors")
    assert done.code in (0, 1)
    assert done.out.splitlines()[0] == "seed 2, member 17"
    again = train_network(task_named("half-adder"), Settings(seed=2, member=17, steps=200)).network
    assert [tensor.numbers.tobytes() for _, tensor in load(NET).tensors()] == [
        tensor.numbers.tobytes() for _, tensor in again.tensors()
    ]
    done = run("train --replay net.safetensors")
    assert done.code == 0
    assert "member 17" in done.out
    assert "the bytes agree: training again gives the same file" in done.out
    assert run("train --replay net.safetensors --seed 5").code == 2


def test_every_setting_reaches_the_record(run_json):
    _, result = run_json(
        "train half-adder --hidden 4x3 --optimizer momentum --momentum 0.5 --weight-decay 0.01 "
        "--init he --init-scale 0.5 --data table --stop-margin 0.25 --member 1 --steps 30 "
        "-o net.safetensors"
    )
    assert (result["seed"], result["member"], result["stopped_at"]) == (0, 1, 30)
    assert result["settings"]["hidden"] == [4, 3]
    assert Settings.from_record(load(NET).training) == Settings(
        hidden=(4, 3), optimizer="momentum", momentum=0.5, weight_decay=0.01, init="he",
        init_scale=0.5, data="table", stop_margin=0.25, member=1, steps=30,
    )  # fmt: skip


def test_a_population_is_a_folder_that_is_counted_and_not_trained_twice(run, left):
    done = run(f"{MANY} --seeds 60 -o run")
    assert done.code == 0
    err = " ".join(done.err.split())  # the name of the cache folder may be wrapped
    engine = "training 60 networks by numba-lanes (a step of 2-3-2 on 4 rows is "
    assert err.startswith(engine)
    err = err[err.index("written out whole)") :].removeprefix("written out whole)").strip()
    assert re.fullmatch(r"(compiling [a-z0-9 -]+, once: it is kept in \S+ ?)*", err)
    lines = done.out.splitlines()
    assert " of 60 networks are right on every row: " in lines[0]
    for heading in ("of those that are right, half by step ", "wrong truth tables, ",
                    "symptoms of the failures", "what helps, ", "solutions: ",
                    "the best network", "written to run"):  # fmt: skip
        assert sum(line.startswith(heading) for line in lines) == 1
    assert {name for name in left() if not name.startswith("run/figures/")} == {
        *("run", "run/best.safetensors", "run/blocks", "run/blocks/000000.parquet"),
        *("run/census.parquet", "run/figures", "run/run.json"),
    }
    again = run(f"{MANY} --seeds 60 -o run").out.splitlines()
    assert again[0] == "this run was finished before: nothing was trained now"
    (took,) = [line for line in lines if " in all: " in line]
    lines.remove(took)  # nothing was trained the second time
    assert again[-len(lines) :] == lines


# --- the demo and the doctor ----------------------------------------------------------------------


@pytest.mark.usefixtures("quick_demo")
def test_demo_shows_its_chapters_and_writes_them(run, left):
    """With --json, so the text for people is on standard error and the results beside it."""
    done = run("demo --networks 6 -o out --json")
    assert done.code == 0
    results = json.loads(done.out)
    assert [chapter["slug"] for chapter in results["chapters"]] == [
        *("hand-set", "repair", "data", "backprop", "printed-weights", "success-rate"),
        *("trainability", "bytes", "fewer-bits", "wide", "cell"),
    ]
    assert json.loads(Path("out/results.json").read_text(encoding="utf-8")) == results
    lines = done.err.splitlines()
    assert lines[0] == "adderlab: two bits, one network, and what it really computes"
    assert "“all correct!” (the hand-set notebook)" in lines
    assert "  $ adderlab prove lecture.safetensors" in lines
    at = next(n for n, line in enumerate(lines) if " files in out, in " in line)
    kinds = [line.split() for line in lines[at + 1 :]]
    assert kinds[0][:2] == ["report.html", "1"]
    files = [name for name in left() if Path(name).is_file()]
    assert sum(int(kind[1]) for kind in kinds) == int(lines[at].split()[0]) == len(files)


@pytest.mark.usefixtures("quick_doctor")
def test_the_doctor_exits_with_1_where_something_needed_is_missing(run, run_json, monkeypatch):
    code, result = run_json("doctor")
    assert (code, result["good"]) == (0, True)
    monkeypatch.setattr(doctor, "needed_packages", lambda: ("no_such_package",))
    done = run("doctor")
    assert done.code == 1
    assert "pip install no_such_package" in done.out


def test_tasks_in_json_names_every_task(run_json):
    _, result = run_json("tasks")
    names = {entry["task"] for entry in result["tasks"]}
    assert {"half-adder", "full-adder", "adder:N", "popcount:N"} <= names


def test_a_network_that_is_not_proved_in_time_is_kept_with_exit_code_3(run, monkeypatch):
    from adderlab.building import construct

    net = construct(task_named("adder:256"), "ripple")
    monkeypatch.setattr("adderlab.verbs.build.construct", lambda *args, **options: net)
    done = run("build adder:256 --method ripple --timeout 0.001 -o kept.safetensors")
    assert done.code == 3
    assert "the time was up" in done.out
    assert load("kept.safetensors").task == task_named("adder:256")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("prove --json=1 @lecture", "takes no value"),
        ("--json prove @lecture", "--json stands before prove"),
        ("frobnicate --json", "no such command 'frobnicate'"),
        ("prove @lecture --json --tsak x", "no such option --tsak"),
        ("prove --json", "NET is missing"),
        ("prove @lecture --engine fast --json", "got 'fast'"),
    ],
)
def test_what_the_parser_refuses_is_an_object_too(run, line, what):
    done = run(line)
    assert done.code == 2
    assert json.loads(done.out)["error"]["what"] == what
    assert done.err.startswith("adderlab: ")
