"""``adderlab quantize`` and ``adderlab count``: what is printed, written, returned and refused."""

from __future__ import annotations

import json

import pytest

from adderlab.building import lecture_network, printed_network
from adderlab.cli.main import main
from adderlab.nets import load, save
from adderlab.tasks import task_named
from adderlab.verbs.prove import prove

HALF = task_named("half-adder")


@pytest.fixture
def printed(tmp_path, monkeypatch):
    """Work in a folder with the printed network and the lecture's."""
    monkeypatch.chdir(tmp_path)
    _ = save(printed_network().for_task(HALF), "printed.safetensors")
    _ = save(lecture_network(HALF), "lecture.safetensors")
    return "printed.safetensors"


def run(capsys, *arguments):
    code = main(list(arguments))
    found = capsys.readouterr()
    assert "Traceback" not in found.err
    return code, found.out, found.err


def test_it_prints_the_attempts_the_numbers_and_the_verdict(printed, capsys):
    code, out, err = run(capsys, "quantize", printed, "--to", "int2", "-o", "out.safetensors")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "given: proved in fp32, margin 0.14639"
    tried = [line.split()[:5] for line in lines if line.startswith("int2  ")]
    assert tried == [
        ["int2", "nearest", "free/tensor", "refuted", "1/4"],
        ["int2", "exact", "free/tensor", "proved", "4/4"],
    ]
    assert (
        "int2 by exact (symmetric, free scale per tensor): 17 parameters in 5 bytes, 14 as stored"
        in lines
    )
    assert "17 parameters changed, 0 rows lost" in lines
    assert "proved in exact arithmetic: half-adder is right on all 4 inputs" in lines
    assert "in fp32, its scales multiplied out: proved" in lines
    assert lines[-1] == "written to out.safetensors"
    assert prove("out.safetensors")


def test_a_refuted_result_is_written_and_exits_with_1(printed, capsys):
    code, out, _ = run(
        capsys, "quantize", "lecture.safetensors", "--to", "int8", "--method", "nearest",
        "-o", "out.safetensors",
    )  # fmt: skip
    assert code == 1
    assert out.splitlines()[-1] == "written to out.safetensors"
    assert prove("out.safetensors").verdict == "refuted"
    assert load("out.safetensors").format == "int8"


def test_json_is_one_object_with_the_promised_keys(printed, capsys):
    code, out, err = run(capsys, "quantize", printed, "--to", "int3", "--json")
    found = json.loads(out)
    assert (code, out.count("\n")) == (0, 1)
    assert set(found) >= {"format", "bytes", "stored_bytes", "verdict", "changed"}
    assert (found["format"], found["bytes"], found["verdict"]) == ("int3", 7, "proved")
    assert "written" in err


def test_the_smallest_says_what_it_claims(printed, capsys):
    code, out, _ = run(capsys, "quantize", printed, "--to", "smallest", "--method", "exact")
    assert code == 0
    assert "note: one bit a parameter: there is nothing below" in out.splitlines()


def test_of_many_attempts_the_best_are_shown(printed, capsys):
    _, out, _ = run(capsys, "build", "half-adder", "--method", "one-layer", "-o", "two.safetensors")
    code, out, _ = run(
        capsys, "quantize", "two.safetensors", "--to", "smallest", "--task", "adder:1"
    )
    assert code == 0
    lines = out.splitlines()
    (said,) = [line for line in lines if line.startswith("the best of each format and method")]
    count = int(said.split()[-2])
    rows = [line for line in lines if line.startswith(("binary ", "ternary ", "int2 "))]
    pairs = [tuple(line.split()[:2]) for line in rows if "/4" in line]
    assert len(pairs) == len(set(pairs)) < count


def test_the_table_fits_a_terminal_and_writes_nothing(printed, capsys, tmp_path):
    code, out, _ = run(capsys, "quantize", printed, "--table")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "…" not in out
    assert {path.name for path in tmp_path.iterdir()} == {printed, "lecture.safetensors"}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], ("quantize: exactly one of --to and --table is needed; add --to int4, --to smallest "
         "or --table")),
        (["--to", "int2", "--table"], ("quantize: exactly one of --to and --table is needed; add "
         "--to int4, --to smallest or --table")),
        (["--table", "-o", "x"], ("--table: a table takes no -o; leave it out, or name a format "
         "with --to")),
        (["--to", "int2", "--limit", "0"], "--limit: got 0; give a whole number above 0"),
        (["--to", "int2", "--timeout", "0"], "--timeout: got 0; give seconds above 0"),
        (["--to", "int9"], "--to: unknown number format 'int9'; did you mean int8?"),
        (["--to", "fp64"], ("--to: fp64 takes 64 bits a parameter, the network's own fp32 32; name "
         "a format of fewer bits")),
        (["--to", "fp16", "--asymmetric"], ("--asymmetric: fp16 takes no zero point: floats have a "
         "sign; leave it out")),
        (["--to", "fp16", "--method", "snap"], ("--method snap: fp16 is no integer format; name "
         "one, or take another method")),
        (["--to", "int4", "--task", "adder:2"], ("--task: adder:2 has 4 input and 3 output bits, "
         "the network 2 and 2; name a task that fits with --task")),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_one_line_and_exit_code_2(printed, capsys, arguments, line):
    code, out, err = run(capsys, "quantize", printed, *arguments)
    assert (code, out, err) == (2, "", f"adderlab: {line}\n")


def test_count_of_a_model_shows_the_arithmetic(printed, capsys):
    code, out, err = run(capsys, "count", "--model", "llama-3-8b", "--training", "adam")
    assert (code, err) == (0, "")
    text = " ".join(out.split())
    assert "all 8,030,261,248" in text
    assert "32 layers x (q 4096 x 4096 + k 4096 x 1024" in text
    assert "usually shipped in bf16" in text
    assert "first moment, second moment" in text
    assert "activations are left out" in text
    assert max(map(len, out.splitlines())) <= 250


def test_count_of_a_round_number_stands_beside_real_models(printed, capsys):
    code, out, _ = run(capsys, "count", "--parameters", "500e9")
    assert code == 0
    lines = [line.split() for line in out.splitlines()]
    assert [
        "as",
        "given",
        "500,000,000,000",
        "2",
        "TB",
        "1",
        "TB",
        "250",
        "GB",
        "125",
        "GB",
    ] in lines
    assert any(line[:1] == ["llama-3.1-405b"] for line in lines)


def test_count_of_gpt_4_is_an_answer_without_a_number(printed, capsys):
    code, out, _ = run(capsys, "count", "--model", "gpt-4")
    assert (code, out.startswith("gpt-4: unpublished (")) == (0, True)
    code, out, _ = run(capsys, "count", "--model", "gpt-4", "--json")
    assert (code, json.loads(out)["parameters"]) == (0, None)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], ("count: nothing to count was given; give exactly one of NET, --model, --config, "
         "--safetensors, --parameters")),
        (["printed.safetensors", "--model", "gpt2"], ("count: got NET and --model; give exactly "
         "one of NET, --model, --config, --safetensors, --parameters")),
        (["a", "b"], "count: got 2 files; give one network, or --safetensors"),
        (["--model", "gpt5"], None),
        (["--parameters", "many"], ("--parameters: got 'many', which is no whole number of "
         "parameters; give one like 17, 500e9 or 7B")),
    ],
)  # fmt: skip
def test_what_can_not_be_counted_is_one_line(printed, capsys, arguments, line):
    code, out, err = run(capsys, "count", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert line is None or err == f"adderlab: {line}\n"


def test_a_network_counted_with_training_adds_its_slots(printed, capsys):
    code, out, _ = run(capsys, "count", printed, "--training", "sgd", "--json")
    found = json.loads(out)
    assert code == 0
    assert set(found) >= {"parameters", "layers", "macs", "flops", "bytes", "stored_bytes",
                          "file_bytes", "entropy", "training"}  # fmt: skip
    assert found["training"]["bytes"]["fp32"] == 2 * 68


def test_safetensors_takes_several_files(printed, capsys):
    files = ["printed.safetensors", "lecture.safetensors"]
    code, _, err = run(capsys, "count", "--safetensors", *files)
    assert code == 2
    assert "is also in printed.safetensors" in err
    code, out, _ = run(capsys, "count", "--safetensors", files[0], "--json")
    assert (code, json.loads(out)["parameters"]["raw"]) == (0, 17)
