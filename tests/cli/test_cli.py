"""The command line, in process: what is printed where, the exit codes, and what is refused."""

from __future__ import annotations

import io
import json
import pickle
import re
import struct
import sys
from pathlib import Path

import pytest
import torch

from adderlab.cli.main import app, main
from adderlab.cli.output import PLAIN
from adderlab.demo import story, success_rate
from adderlab.nets import Readout, load, network, save
from adderlab.tasks import task_named
from adderlab.verbs import doctor
from adderlab.verbs.build import build

QUICK = ["--optimizer", "momentum", "--steps", "200", "--samples", "200"]
"""Settings that train a network of seed 0 to a proof in a fraction of the notebook's steps."""

PROVE_KEYS = {
    "verdict",
    "method",
    "semantics",
    "task",
    "rows",
    "counterexample",
    "margin",
    "formats",
    "sha256",
    "seconds",
    "reason",
}
"""What the design promises of ``prove --json``."""

RIGHT = """\
c1 = step(a + b - 1.5)
c0 = step(relu(a + b - 0.5) - 4 * relu(a + b - 1.5))
"""

QUICK_CHAPTERS = (
    "hand-set",
    "repair",
    "data",
    "backprop",
    "printed-weights",
    "success-rate",
    "trainability",
    "bytes",
    "fewer-bits",
    "wide",
)
"""The chapters of the demo that train no network by itself."""

MANY = ("--lr", "0.4", "--steps", "150", "--data", "table")
"""Settings that give right networks and wrong ones in a fraction of the notebook's steps."""


@pytest.fixture(scope="module")
def nets(tmp_path_factory):
    """Return a folder of network files, good and bad."""
    folder = tmp_path_factory.mktemp("nets")
    lecture = build("half-adder", method="lecture").network
    data = save(lecture, folder / "lecture.safetensors").read_bytes()
    _ = save(lecture.for_task(task_named("adder:1")), folder / "same.safetensors")
    repaired = network(
        [[[1, 1], [1, 1], [1, 1]], [[1, 0, 0], [0, 1, -4]]],
        [[-1.5, -0.5, -1.5], [0, 0]],
        readout=Readout("threshold", 0.0, ">"),
        task=task_named("half-adder"),
    )
    _ = save(repaired, folder / "repaired.safetensors")
    wide = network([[[1] * 27]], [[0]], task=task_named("parity:27"))
    _ = save(wide, folder / "wide.safetensors")
    nobodys = network([[[1, 1]], [[1], [1]]], [[0], [0, 0]])
    _ = save(nobodys, folder / "taskless.safetensors")
    bad = {
        "truncated.safetensors": data[:300],
        "short.safetensors": data[:5],
        "empty.safetensors": b"",
        "garbage.safetensors": bytes(range(1, 200)),
        "schema.safetensors": data.replace(rb"{\"schema\":1,", rb"{\"schema\":2,"),
        "unknown-key.safetensors": data.replace(rb"\"format\":", rb"\"farmat\":"),
        "bare.safetensors": struct.pack("<Q", 8) + b"{}      ",
        "pickled.safetensors": pickle.dumps({"fc1.weight": [[1.0]]}),
    }
    for name, content in bad.items():
        _ = (folder / name).write_bytes(content)
    torch.save({"fc1.weight": torch.zeros(3, 2)}, folder / "model.pt")
    return folder


@pytest.fixture
def place(tmp_path, monkeypatch, nets):
    """Return an empty folder to work in; the network files are reached as ``nets/…``."""
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "nets").symlink_to(nets, target_is_directory=True)
    monkeypatch.chdir(work)
    return work


@pytest.fixture
def run(place, capsys):
    """Return a function that runs a command: exit code, standard output, standard error."""

    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        found = capsys.readouterr()
        return code, found.out, found.err

    return call


def only_object(text: str) -> dict:
    """Return the one JSON object that is all of ``text``."""
    assert text.count("\n") == 1
    assert text.endswith("\n")
    found = json.loads(text)
    assert isinstance(found, dict)
    return found


@pytest.fixture
def run_json(run):
    """Return a function that runs a command with ``--json``: exit code and object."""

    def call(*arguments):
        code, out, err = run(*arguments, "--json")
        assert "Traceback" not in err
        return code, only_object(out)

    return call


def left_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


# --- what each command does -------------------------------------------------------------------


def test_build_writes_the_lectures_network_and_says_that_it_is_refuted(run, place):
    code, out, err = run("build", "half-adder", "--method", "lecture", "-o", "net.safetensors")
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert lines[0] == "Network 2-3-2 for half-adder: relu, readout > 0, 17 parameters in fp32"
    assert lines[2].split() == ["layer", "unit", "w1", "w2", "w3", "bias"]
    assert lines[4].split() == ["fc1", "1", "1", "1", "-1.5"]
    assert "17 parameters, 12 nonzero, largest 2, smallest format fp8-e4m3" in lines
    assert "refuted in exact arithmetic: half-adder is wrong on 1 of 4 inputs" in lines
    assert "  counterexample: 1 + 1 gives c = 3, expected c = 2" in lines
    assert lines[-1] == "written to net.safetensors"
    assert load("net.safetensors").parameters == 17
    assert left_in(place) == ["net.safetensors"]


def test_build_of_a_right_formula_exits_with_0(run, place):
    _ = Path("adder.txt").write_text(RIGHT)
    code, out, _ = run("build", "--formula", "adder.txt", "--share", "--format", "FP16")
    assert code == 0
    assert "Network 2-4-2 for half-adder: relu, readout > 0, 22 parameters in fp16" in out
    assert "proved in exact arithmetic: half-adder is right on all 4 inputs" in out
    assert out.splitlines()[-1] == "not written (add -o NET to keep it)"
    assert left_in(place) == ["adder.txt"]


def test_a_check_of_the_formula_that_fails_is_printed(run):
    text = RIGHT.replace("c1 = ", "c1 = 1 (a + b >= 1) = ")
    _ = Path("adder.txt").write_text(text)
    _, out, _ = run("build", "--formula", "adder.txt")
    assert out.startswith("c1: on a = 0, b = 1, 1 (a + b >= 1) is 1, the formula gives step(-0.5)")


def test_build_in_json(run_json):
    code, found = run_json("build", "half-adder", "--method", "lecture", "-o", "net.safetensors")
    assert code == 1
    promised = {
        "hidden": 3,
        "widths": [3],
        "depth": 2,
        "parameters": 17,
        "nonzero": 12,
        "max_weight": 2,
        "smallest_format": "fp8-e4m3",
        "verdict": "refuted",
        "file": "net.safetensors",
    }
    assert found.items() >= promised.items()
    assert set(found["proof"]) >= PROVE_KEYS


def test_train_prints_the_notebooks_lines_and_the_truth(run, place):
    code, out, err = run("train", "half-adder", *QUICK, "-o", "net.safetensors")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "seed 0"
    assert [line[:16] for line in lines[1:3]] == ["Epoch [100/200],", "Epoch [200/200],"]
    assert lines[3] == "Accuracy: 1.0000  (over the 200 samples)"
    assert lines[4] == "Rows right: 4 of 4"
    table = next(n for n, line in enumerate(lines) if line.startswith("a  b  expected"))
    rows = [line.split() for line in lines[table + 2 : table + 6]]
    assert [row[2:4] for row in rows] == [["00"] * 2, ["01"] * 2, ["01"] * 2, ["10"] * 2]
    assert all(row[-1] == "✓" for row in rows)
    assert "proved in exact arithmetic: half-adder is right on all 4 inputs" in lines
    assert lines[-1] == "written to net.safetensors"
    assert left_in(place) == ["net.safetensors"]


def test_train_says_that_seed_0_was_chosen_and_what_helps_where_it_fails(run):
    code, out, _ = run("train", "half-adder", "--seed", "1")
    assert code == 1
    assert out.startswith("seed 1\nEpoch [100/1000], Loss: 0.1190\n")
    assert "✗ wrong" in out
    assert "what helps, measured over " in out
    assert out.splitlines()[-1] == "not written (add -o NET to keep it)"
    _, out, _ = run("train", "half-adder", "--steps", "0", "--samples", "1000", "--hidden", "3")
    assert out.startswith("seed 0\n")  # other steps than the notebook's: nothing is known of it
    assert main(["train", "half-adder"]) == 0


def test_the_default_run_says_that_its_seed_was_chosen(run):
    code, out, _ = run("train", "half-adder")
    assert code == 0
    assert out.splitlines()[0] == (
        "seed 0 (the default was chosen because it works; about half the seeds do not)"
    )


def test_train_in_json(run_json):
    code, found = run_json("train", "half-adder", *QUICK)
    assert code == 0
    assert (found["seed"], found["accuracy"], found["rows_right"]) == (0, 1, 4)
    assert [step for step, _ in found["losses"]] == [100, 200]
    assert found["loss"] == found["losses"][-1][1]
    assert isinstance(found["dead_units"], list)
    assert set(found["proof"]) >= PROVE_KEYS
    assert found["proof"]["verdict"] == "proved"
    assert found["file"] is None


def test_a_run_that_diverges_says_so_and_exits_with_1(run, run_json, place):
    arguments = ("train", "half-adder", "--lr", "1e30", "--steps", "100", "-o", "net.safetensors")
    code, out, _ = run(*arguments)
    assert code == 1
    assert out.splitlines() == [
        "seed 0",
        "Epoch [100/100], Loss: nan",
        "diverged: the weights became non-finite, nothing was written; take a smaller lr",
    ]
    code, found = run_json(*arguments)
    assert (code, found["diverged"], found["loss"], found["proof"]) == (1, True, None, None)
    assert left_in(place) == []


def test_train_seeds_writes_a_folder_and_counts(run, place):
    arguments = ("train", "half-adder", "--seeds", "60", *MANY, "-o", "run")
    code, out, err = run(*arguments)
    assert code == 0
    told = " ".join(err.split())  # the name of the cache folder may be wrapped
    engine = "training 60 networks by numba-lanes (a step of 2-3-2 on 4 rows is "
    assert told.startswith(engine)
    told = told[told.index("written out whole)") :].removeprefix("written out whole)").strip()
    assert re.fullmatch(r"(compiling [a-z0-9 -]+, once: it is kept in \S+ ?)*", told)
    lines = out.splitlines()
    assert " of 60 networks are right on every row: " in lines[0]
    assert " s by numba-lanes (a step of 2-3-2 on 4 rows is " in lines[1]
    assert lines[2].startswith("of those that are right, half by step ")
    for heading in ("wrong truth tables, ", "symptoms of the failures", "what helps, ",
                    "solutions: ", "the best network"):  # fmt: skip
        assert sum(line.startswith(heading) for line in lines) == 1
    assert lines[-1] == "written to run"
    names = {path for path in left_in(place) if not path.startswith("run/figures/")}
    assert names == {
        *("run", "run/best.safetensors", "run/blocks", "run/blocks/000000.parquet"),
        *("run/census.parquet", "run/figures", "run/run.json"),
    }
    code, again, _ = run(*arguments)
    assert code == 0
    repeated = again.splitlines()
    assert repeated[0] == "this run was finished before: nothing was trained now"
    assert repeated[-len(lines) :] == lines
    code, _, err = run(*arguments, "--hidden", "4")
    assert code == 2
    assert err == (
        "adderlab: run: the folder holds another run: hidden was 3, is 4; give what it was, or "
        "name a new folder\n"
    )


def test_without_trials_no_column_of_them_is_printed(run):
    code, out, _ = run("train", "half-adder", "--seeds", "40", *MANY, "--no-explain")
    assert code == 0
    lines = out.splitlines()
    place = lines.index("symptoms of the failures")
    assert lines[place + 1].split() == ["symptom", "failures", "successes"]


def test_train_seeds_in_json(run_json):
    code, found = run_json(
        "train", "half-adder", "--seeds", "40", *MANY, "--no-explain", "-o", "run"
    )
    assert code == 0
    assert found["networks"] == 40
    assert found["success_rate"] == found["successes"] / 40
    low, high = found["interval"]
    assert low < found["success_rate"] < high
    assert isinstance(found["seconds"], float)
    assert found["path"] == "numba-lanes"
    assert sum(one["count"] for one in found["failures"]) == 40 - found["successes"]
    assert all(len(one["table"]) == 4 for one in found["failures"])
    assert all(set(one) >= {"table", "count", "causes"} for one in found["failures"])
    assert set(found["best"]) >= {"member", "seed", "margin", "file"}
    assert Path(found["best"]["file"]).is_file()


def test_a_population_that_finds_nothing_right_did_its_work_all_the_same(run, run_json):
    arguments = ("train", "half-adder", "--seeds", "3", "--no-explain")
    code, out, _ = run(*arguments, "--lr", "1e30", "--steps", "60")
    assert code == 0
    assert out.startswith("0 of 3 networks are right on every row: 0.0% ")
    assert out.count("diverged") == 5
    code, found = run_json(*arguments, "--steps", "0")
    assert (code, found["best"]) == (0, None)


def test_an_interrupt_between_blocks_says_what_is_kept(run, place, monkeypatch):
    plans = sys.modules["adderlab.runs.populations.plan"]
    runs = sys.modules["adderlab.runs.populations.run"]
    monkeypatch.setattr(plans, "LARGEST_BLOCK", 16)
    trained = runs.PopulationRun._trained

    def interrupted_later(self, members):
        if members[0] == 32:
            raise KeyboardInterrupt
        return trained(self, members)

    arguments = ("train", "half-adder", "--seeds", "60", *MANY, "--no-explain", "-o", "run")
    with monkeypatch.context() as patched:
        patched.setattr(runs.PopulationRun, "_trained", interrupted_later)
        code, _, err = run(*arguments)
    assert code == 130
    assert err.splitlines()[-1] == (
        "adderlab: interrupted; 2 of 4 blocks are kept in run: give the same command to resume"
    )
    code, out, _ = run(*arguments)
    assert code == 0
    assert " of 60 networks are right" in out


def test_a_map_is_written_with_its_array_file(run, run_json, place):
    code, out, _ = run(
        "map", "--size", "6x4", "--steps", "40", "--x", "lr=0.1:4:log", "-o", "map.png"
    )
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == ("24 networks, each member 1 of seed 0, by lr=0.1:4:log and init=0.1:10:log")
    assert lines[1].split(", ")[0].endswith(" s by torch-ensemble")
    assert lines[-2:] == ["written to map.png", "written to map.npz"]
    assert left_in(place) == ["map.npz", "map.png"]
    code, found = run_json("map", "half-adder", "--size", "3", "--steps", "2", "--show", "success")
    assert code == 0
    assert (found["networks"], found["file"], found["shows"]) == (9, None, "success")
    assert found["x"] == {"name": "lr", "low": 0.01, "high": 10.0, "scale": "log"}


def test_prove_says_what_the_verdict_rests_on(run, nets):
    code, out, err = run("prove", nets / "repaired.safetensors")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "proved in exact arithmetic: half-adder is right on all 4 inputs"
    assert lines[1] == "  margin: zeros 0, ones 0.5 = 1/2"
    assert lines[2] == "  in fp32, its own format: proved (the grid rule)"
    assert lines[3].startswith("  enumerated, 0.0")


@pytest.mark.parametrize(
    ("name", "options", "code", "verdict", "semantics"),
    [
        ("repaired", [], 0, "proved", "exact"),
        ("lecture", [], 1, "refuted", "exact"),
        ("same", [], 1, "refuted", "exact"),
        ("repaired", ["--task", "adder:1", "--format", "fp16"], 0, "proved", "fp16"),
        ("repaired", ["--format", "int2"], 3, "unknown", "int2"),
        ("repaired", ["--task", "subtractor:1"], 1, "refuted", "exact"),
        ("wide", ["--engine", "enumeration"], 3, "unknown", "exact"),
        ("wide", ["--explain-choice"], 1, "refuted", "exact"),
    ],
)
def test_prove_in_json_and_its_exit_codes(run_json, nets, name, options, code, verdict, semantics):
    found_code, found = run_json("prove", nets / f"{name}.safetensors", *options)
    assert set(found) >= PROVE_KEYS
    assert (found_code, found["verdict"], found["semantics"]) == (code, verdict, semantics)
    assert (found["reason"] is not None) is (verdict == "unknown")
    assert (found["counterexample"] is not None) is (verdict == "refuted")
    assert len(found["sha256"]) == 64


def test_a_counterexample_in_json_says_words_raw_outputs_and_margins(run_json, nets):
    _, found = run_json("prove", nets / "lecture.safetensors")
    expected = {
        "input": {"a": 1, "b": 1},
        "expected": {"c": 2},
        "got": {"c": 3},
        "output": [0.5, 0.5],
        "semantics": "exact",
    }
    assert found["counterexample"].items() >= expected.items()
    assert found["margin"].items() >= {"of_0": "-1/2", "of_1": "1/2", "min": "-1/2"}.items()
    assert found["rows"] == 4
    assert found["formats"] == {"fp32": "refuted"}


def test_beyond_enumeration_the_verdict_is_unknown_with_the_reason(run, nets):
    code, out, _ = run("prove", nets / "wide.safetensors", "--engine", "enumeration")
    assert code == 3
    assert out.splitlines()[0] == (
        "unknown in exact arithmetic: parity:27, 2^27 inputs are beyond enumeration, which stops "
        "at 2^26"
    )


def test_count_shows_the_notebooks_arithmetic(run, nets):
    code, out, err = run("count", nets / "lecture.safetensors")
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert ["fc1", "2*3", "+", "3", "9", "36"] in lines
    assert ["fc2", "3*2", "+", "2", "8", "32"] in lines
    assert ["all", "17", "68"] in lines
    assert ["int2", "2", "5", "17", "*", "2", "/", "8,", "rounded", "up"] in lines


def test_count_in_json(run_json, nets):
    code, found = run_json("count", nets / "lecture.safetensors")
    assert code == 0
    assert found["parameters"] == {"raw": 17, "nonzero": 12, "unique": 5}
    assert [layer["arithmetic"] for layer in found["layers"]] == ["2*3 + 3 = 9", "3*2 + 2 = 8"]
    assert [layer["bytes"]["fp32"] for layer in found["layers"]] == [36, 32]
    assert (found["macs"], found["flops"]) == (12, 2 * 12 + 5)
    assert (found["bytes"]["fp32"], found["bytes"]["int2"], found["bytes"]["binary"]) == (68, 5, 3)
    assert found["stored_bytes"] == 68
    assert found["file_bytes"] == (nets / "lecture.safetensors").stat().st_size


def test_tasks_lists_every_task(run, run_json):
    code, out, _ = run("tasks")
    assert code == 0
    _, found = run_json("tasks")
    names = {entry["task"] for entry in found["tasks"]}
    assert {"half-adder", "full-adder", "adder:N", "popcount:N"} <= names
    for name in (*names, "table:FILE"):
        assert any(line.startswith(f"{name} ") for line in out.splitlines())


@pytest.fixture
def quick_doctor(monkeypatch):
    """Spare the doctor's measurement of training, which takes a second."""
    quick = doctor.Check("training", "1 µs", is_good=True)
    monkeypatch.setattr(doctor, "_training_speed", lambda: quick)


@pytest.mark.usefixtures("quick_doctor")
def test_the_doctor_exits_with_1_where_something_needed_is_missing(run, run_json, monkeypatch):
    code, out, _ = run("doctor")
    assert code == 0
    assert "✗ wrong" not in out
    code, found = run_json("doctor")
    assert (code, found["good"]) == (0, True)
    monkeypatch.setattr(doctor, "needed_packages", lambda: ("no_such_package",))
    code, out, _ = run("doctor")
    assert code == 1
    assert "pip install 'no_such_package'" in out


@pytest.fixture
def quick_demo(monkeypatch):
    """Leave out the chapters that train for seconds."""
    slow = {"a training run that works", "a training run that fails", "three batch modes"}
    chapters = tuple(chapter for chapter in story.CHAPTERS if chapter[0] not in slow)
    assert len(chapters) == len(story.CHAPTERS) - len(slow)
    monkeypatch.setattr(story, "CHAPTERS", chapters)
    monkeypatch.setattr(success_rate, "WIDTHS", (success_rate.LECTURE,))


@pytest.mark.usefixtures("quick_demo")
def test_demo_shows_its_chapters_and_writes_them(run, place):
    """With --json, so the text for people is on standard error and the results beside it."""
    code, out, err = run("demo", "--networks", "6", "-o", "out", "--json")
    assert code == 0
    found = only_object(out)
    assert [one["slug"] for one in found["chapters"]] == list(QUICK_CHAPTERS)
    assert json.loads(Path("out/results.json").read_text(encoding="utf-8")) == found
    lines = err.splitlines()
    assert lines[0] == "adderlab: two bits, one network, and what it really computes"
    assert any(
        line.startswith("refuted in exact arithmetic: half-adder is wrong") for line in lines
    )
    assert "“all correct!” (the hand-set notebook)" in lines
    assert "  $ adderlab prove lecture.safetensors" in lines
    written = next(n for n, line in enumerate(lines) if " files in out, in " in line)
    names = [line.strip() for line in lines[written + 1 :]]
    assert int(lines[written].split()[0]) == len(names)
    assert sorted(names) == [n for n in left_in(place / "out") if (place / "out" / n).is_file()]


def test_with_json_the_text_for_people_goes_to_standard_error(run, nets):
    _, plain, nothing = run("prove", nets / "lecture.safetensors")
    _, out, err = run("prove", nets / "lecture.safetensors", "--json")
    assert nothing == ""
    _ = only_object(out)
    assert err.splitlines()[:-1] == plain.splitlines()[:-1]  # the last line tells the time


# --- what is refused --------------------------------------------------------------------------

USAGE = "see 'adderlab {} --help'"
LECTURE = "../nets/lecture.safetensors"

REFUSED = [
    ("train nosuch", "TASK: unknown task 'nosuch'; see 'adderlab tasks'"),
    ("train half-addr", "TASK: unknown task 'half-addr'; did you mean half-adder?"),
    ("train half-adder:2", "TASK: half-adder takes no width, got 'half-adder:2'; write half-adder"),
    ("train adder:0", "adder:0: the width must be at least 1, got 0; write adder:1"),
    ("train adder:-1", "adder:-1: the width must be at least 1, got -1; write adder:1"),
    (
        "train adder:1048577",
        (
            "adder:1048577: the width is beyond the limit of 1048576 bits, got 1048577; take a "
            "smaller width"
        ),
    ),
    ("train adder:1048576", None),
    ("train table:nothing.csv", None),
    ("train table:", None),
    ("build nosuch --method lecture", "TASK: unknown task 'nosuch'; see 'adderlab tasks'"),
    (
        "build full-adder --method lecture",
        (
            "--method lecture: the lecture sets weights for half-adder alone, got full-adder; "
            "build half-adder"
        ),
    ),
    (
        "build half-adder",
        (
            "build: exactly one of a method and a formula is needed; add --method lecture or "
            "--formula FILE"
        ),
    ),
    (
        "build --formula nothing.txt",
        "nothing.txt: can't be read (No such file or directory); name a file of formulas",
    ),
    ("build --formula ../nets", "../nets: can't be read (Is a directory); name a file of formulas"),
    (
        "build --formula unknown.txt",
        "unknown.txt line 2 column 15: unknown input 'q'; there are a, b",
    ),
    ("prove nothing.safetensors", "nothing.safetensors: no such file; check the path"),
    ("prove ../nets", "../nets: not a regular file; name a file"),
    *(
        (
            f"{verb} ../nets/{name}",
            f"../nets/{name}: {fault}",
        )
        for verb in ("prove", "count")
        for name, fault in (
            (
                "truncated.safetensors",
                (
                    "not a safetensors file, or cut short within its header; "
                    "the file is damaged; write it again"
                ),
            ),
            (
                "short.safetensors",
                "5 bytes are too few for a safetensors file; the file is damaged; write it again",
            ),
            (
                "empty.safetensors",
                "0 bytes are too few for a safetensors file; the file is damaged; write it again",
            ),
            (
                "garbage.safetensors",
                (
                    "not a safetensors file, or cut short within its header; "
                    "the file is damaged; write it again"
                ),
            ),
            (
                "schema.safetensors",
                (
                    "schema 2 is not the one this version reads (1); write the file with this "
                    "version of adderlab"
                ),
            ),
            (
                "bare.safetensors",
                (
                    "a safetensors file without an 'adderlab' record: its activations and readout "
                    "are not known; in Python: "
                    "adderlab.save(adderlab.from_state_dict(tensors), PATH)"
                ),
            ),
            (
                "pickled.safetensors",
                (
                    "this is a pickled PyTorch file, which adderlab never reads: it can run code; "
                    "in Python: adderlab.save(model, 'net.safetensors', task='half-adder')"
                ),
            ),
            (
                "model.pt",
                (
                    "this is a pickled PyTorch file, which adderlab never reads: it can run code; "
                    "in Python: adderlab.save(model, 'net.safetensors', task='half-adder')"
                ),
            ),
        )
    ),
    ("prove ../nets/unknown-key.safetensors", None),
    (
        f"prove {LECTURE} --task full-adder",
        (
            "--task: full-adder has 3 input and 2 output bits, the network 2 and 2; name a task "
            "that fits with --task"
        ),
    ),
    (
        "prove ../nets/taskless.safetensors",
        "--task: the network names no task; name one: --task half-adder",
    ),
    (
        f"prove {LECTURE} --format fp31",
        "--format: unknown number format 'fp31'; did you mean fp32?",
    ),
    (
        "build half-adder --method lecture -o file/net.safetensors",
        "file/net.safetensors: the folder 'file' does not exist; make it first",
    ),
    (
        "build half-adder --method lecture -o folder",
        "folder: a folder stands there; name a file",
    ),
    (
        "build half-adder --method lecture -o /dev/null",
        "/dev/null: a device or pipe stands there; name a file",
    ),
    (
        "train half-adder -o file/net.safetensors",
        "file/net.safetensors: the folder 'file' does not exist; make it first",
    ),
    ("train half-adder --seeds 2 -o file", "file: a file stands there; name a folder"),
    ("train half-adder --seeds 2 -o file/run", None),
    (
        "train half-adder --seeds 2 -o folder",
        "folder: the folder holds other files; name a new folder",
    ),
    ("demo -o file", "file: a file stands there; name a folder"),
    ("demo -o file/demo", None),
    ("demo --networks 0", "--networks: got 0; give a whole number of at least 1"),
    (
        "train half-adder --lr nan",
        "--lr: got nan; give a finite number above 0; the notebook's is 0.1",
    ),
    ("train half-adder --steps -5", "--steps: got -5; give a whole number of at least 0"),
    ("train half-adder --samples 0", "--samples: got 0; give a whole number of at least 1"),
    ("train half-adder --hidden 0", "--hidden: got 0; give a whole number of at least 1"),
    ("train half-adder --seed -1", "--seed: got -1; give a whole number in 0..4294967295"),
    ("train half-adder --seeds 0", "--seeds: got 0; give a number in 1..100000000"),
    (
        "train half-adder --seeds 2 --keep all",
        "--keep: got 'all'; give one of none, start, weights, every:K",
    ),
    (
        "train half-adder --seeds 2 --keep weights",
        "--keep: got 'weights' without a folder; name a folder with --out",
    ),
    (
        "train half-adder --seeds 2 --member 1",
        "--member: got 1 beside --seeds; give one of them: a population trains every member",
    ),
    ("train half-adder --keep weights", "--keep: it is for populations; add --seeds N"),
    (
        "train half-adder --seeds 2 --threads 0",
        "--threads: got 0; give a whole number of at least 1",
    ),
    ("map --x lr=2:1", "--x: got 'lr=2:1'; give two finite numbers, the smaller first"),
    (
        "map --size 9000",
        (
            "--size: 9000 x 9000 are 8.1e+07 networks, about 10.4 GB of memory and 1.3 GB on the "
            "disk; give at most 4096, and zoom in by the ranges"
        ),
    ),
    ("map --threads -1 --size 4", "--threads: got -1; give a whole number of at least 1"),
    ("map --batch x --size 4", "--batch: got 'x'; give full, or a whole number of samples"),
    ("map -o folder", "--out: got folder; name an image that ends in .png"),
    *(
        (
            f"train half-adder --batch {batch}",
            f"--batch: got '{batch}'; give full, or a whole number of samples",
        )
        for batch in ("x", "-1", "1.5", "²", "FULL")
    ),
    ("train half-adder --batch 0", "--batch: got 0; give a whole number of at least 1"),
    (
        "train half-adder --hidden 1000000000000",
        (
            "train: training would take about 1.61e+07 GB, over 8 GB; take fewer hidden units, "
            "samples or members, or fewer steps of a batch"
        ),
    ),
    ("train half-adder --samples 70000000000", None),
    ("train half-adder --batch 1 --steps 1000000000000", None),
    ("train half-adder --batch 99999999999999999999999999", None),
    ("train half-adder --seeds 2 --hidden 1000000000000", None),
    (
        "train half-adder --optimizer sdg",
        "--optimizer: got 'sdg'; give one of sgd, momentum, adam",
    ),
    ("nosuch", f"No such command 'nosuch'; {USAGE}".replace(" {}", "")),
    ("prove", f"prove: Missing argument 'NET'; {USAGE.format('prove')}"),
    ("train", "TASK: no task is named; name one, like half-adder"),
    ("train half-adder --lr x", "--lr: got 'x'; give a number"),
    ("train half-adder --hidden 2.5", None),
    ("train half-adder --colour", None),
    ("--colour", None),
    ("tasks half-adder", None),
]
"""Each command line with the whole complaint; None where it is the parser's own wording."""


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
@pytest.mark.parametrize(("line", "message"), REFUSED, ids=[line for line, _ in REFUSED])
def test_bad_input_is_one_line_and_leaves_nothing(run, place, line, message, as_json):
    _ = Path("file").write_text("mine")
    Path("folder").mkdir()
    _ = Path("folder/thesis.txt").write_text("mine")
    _ = Path("unknown.txt").write_text("c1 = step(a)\nc0 = step(a + q - 1)")
    before = left_in(place)
    code, out, err = run(*line.split(), *(["--json"] if as_json else []))
    assert code == 2
    assert err.startswith("adderlab: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    if message is not None:
        assert err == f"adderlab: {message}\n"
    if as_json:
        error = only_object(out)["error"]
        assert set(error) == {"what", "where", "remedy"}
        assert error["what"]
        assert error["remedy"]
        place_and = f"{error['where']}: " if error["where"] else ""
        assert err == f"adderlab: {place_and}{error['what']}; {error['remedy']}\n"
    else:
        assert out == ""
    assert left_in(place) == before


def test_an_unreadable_name_is_escaped_and_stays_on_one_line(run):
    code, out, err = run("prove", "a\nb\x1b[31m.safetensors")
    assert (code, out) == (2, "")
    assert err == "adderlab: a\\nb\\x1b[31m.safetensors: no such file; check the path\n"


def test_memory_that_runs_out_is_one_line_too(run, monkeypatch):
    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr("adderlab.training.loop.train_network", fail)
    code, out, err = run("train", "half-adder", "-o", "net.safetensors")
    assert (code, out) == (2, "")
    assert err == "adderlab: the memory of this machine is used up; take something smaller\n"


# --- Ctrl-C -----------------------------------------------------------------------------------


@pytest.mark.parametrize("as_json", [False, True])
def test_an_interrupted_run_says_where_it_was_and_leaves_no_file(run, place, monkeypatch, as_json):
    steps = []
    zero_grad = torch.optim.Optimizer.zero_grad

    def interrupt(self, *_, **__):
        steps.append(1)
        if len(steps) == 150:
            raise KeyboardInterrupt
        zero_grad(self)

    monkeypatch.setattr(torch.optim.Optimizer, "zero_grad", interrupt)
    options = ["--json"] if as_json else []
    code, out, err = run("train", "half-adder", "-o", "net.safetensors", *options)
    assert code == 130
    last = "adderlab: interrupted at step 150 of 1000; nothing was written"
    assert err.splitlines()[-1] == last
    text = err.splitlines()[:-1] if as_json else out.splitlines()
    assert [line.split()[0] for line in text] == ["seed", "Epoch"]
    assert (out == "") is as_json
    assert left_in(place) == []


def interrupted(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("where", "line"),
    [
        ("adderlab.training.judging._judge_chunk", "train half-adder --seeds 3 --steps 2 -o run"),
        ("adderlab.demo.hand_set.compile_formula", "demo -o out"),
        ("adderlab.verbs.build.prove", "build half-adder --method lecture -o net"),
        ("adderlab.proving.engines.enumerate_rows", f"prove {LECTURE}"),
    ],
)
@pytest.mark.usefixtures("quick_demo")
def test_an_interrupt_anywhere_exits_with_130_and_leaves_nothing(
    run, place, monkeypatch, where, line
):
    module, _, name = where.rpartition(".")
    monkeypatch.setattr(sys.modules[module], name, interrupted)
    code, _, err = run(*line.split())
    assert code == 130
    assert err.splitlines()[-1] == "adderlab: interrupted; nothing was written"
    assert left_in(place) == []


# --- terminals that know few characters -------------------------------------------------------


@pytest.fixture
def narrow(monkeypatch, place):
    """Return a function that runs a command on a terminal of one encoding."""

    def call(encoding, *arguments):
        screens = {}
        for name in ("stdout", "stderr"):
            screens[name] = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
            monkeypatch.setattr(sys, name, screens[name])
        code = main([str(argument) for argument in arguments])
        texts = []
        for screen in screens.values():
            screen.flush()
            texts.append(screen.buffer.getvalue().decode(encoding))
        return code, *texts

    return call


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.usefixtures("quick_doctor")
@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("train half-adder --steps 20 --samples 50", ("wrong", "Accuracy")),
        ("train half-adder --seeds 4 --steps 20", ("networks are right",)),
        ("build --method lecture", ("counterexample",)),
        (f"prove {LECTURE}", ("refuted",)),
        (f"prove {LECTURE} --json", ('"refuted"',)),
        (f"count {LECTURE}", ("12 MACs",)),
        ("tasks", ("half-adder",)),
        ("doctor", ("numpy",)),
        ("--help", ("Usage",)),
        ("train --help", ("Example",)),
    ],
)
def test_text_survives_every_terminal(narrow, encoding, line, text):
    code, out, err = narrow(encoding, *line.split())
    assert code in (0, 1)
    for part in text:
        assert part in out
    _, wide, wide_err = narrow("utf-8", *line.split())
    # a character without a stand-in would come out as ?
    assert (out.count("?"), err.count("?")) == (wide.count("?"), wide_err.count("?"))
    assert "\N{REPLACEMENT CHARACTER}" not in out


@pytest.mark.usefixtures("quick_demo")
def test_the_story_survives_an_ascii_terminal(narrow):
    line = ["demo", "--networks", "2", "-o", "told"]
    code, out, err = narrow("ascii", *line)
    assert (code, err) == (0, "")
    assert '"all correct!" (the hand-set notebook)' in out.splitlines()
    _, wide, _ = narrow("utf-8", *line)
    assert "…" in wide
    assert out.count("?") == wide.count("?")


def test_every_mark_on_the_terminal_has_a_stand_in_of_its_own(narrow):
    _, wide, _ = narrow("utf-8", "build", "--method", "lecture")
    _, plain, _ = narrow("ascii", "build", "--method", "lecture")
    assert "…" in wide
    times = [line for line in wide.splitlines() if " s, sha256 " in line]
    assert len(times) == 1
    expected = "".join(PLAIN.get(character, character) for character in wide)
    without_times = [
        [line for line in one.splitlines() if " s, sha256 " not in line]
        for one in (expected, plain)
    ]
    assert without_times[0] == without_times[1]


def test_a_complaint_survives_an_ascii_terminal(narrow):
    code, out, err = narrow("ascii", "prove", "naïve–net.safetensors")
    assert (code, out) == (2, "")
    assert err == "adderlab: na?ve-net.safetensors: no such file; check the path\n"


# --- help and version -------------------------------------------------------------------------

COMMANDS = [command.callback.__name__ for command in app.registered_commands]


def test_the_commands_are_those_of_this_file():
    """A new command joins the tests above, which go through the commands by name."""
    assert {"build", "count", "demo", "doctor", "prove", "quantize", "tasks", "train"} <= set(
        COMMANDS
    )
    assert len(set(COMMANDS)) == len(COMMANDS)


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_an_example_that_names_it(run, command, flag):
    code, out, err = run(command, flag)
    assert (code, err) == (0, "")
    text = " ".join(out.split())
    assert f"Usage: adderlab {command} " in text
    assert "Example" in text
    assert f"adderlab {command}" in text.partition("Example")[2]
    assert "--json" in text


def test_the_first_help_names_every_command_and_where_to_begin(run):
    code, out, _ = run("--help")
    assert code == 0
    for command in COMMANDS:
        assert f" {command} " in out
    assert "Begin with: adderlab demo" in out


def test_no_command_at_all_shows_the_help(run):
    code, out, err = run()
    assert code == 2
    assert "Begin with: adderlab demo" in out + err


def test_the_version_is_the_packages(run):
    from importlib.metadata import version

    assert run("--version") == (0, f"adderlab {version('adderlab')}\n", "")
