"""What is refused: one line that names the place, the fault and the remedy, and exit code 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

DAMAGED = "the file is damaged; write it again"
PICKLED = "this is a pickled PyTorch file, which adderlab never reads: it can run code; in Python:"
NO_SAFETENSORS = f"not a safetensors file, or cut short within its header; {DAMAGED}"
MEMORY = "train: training would take about … GB, over 8 GB; take fewer hidden units"

FILES = {
    "truncated": NO_SAFETENSORS,
    "garbage": NO_SAFETENSORS,
    "short": f"5 bytes are too few for a safetensors file; {DAMAGED}",
    "empty": "the file is empty; ",
    "schema": "schema 2 is not the one this version reads (1); write the file with this version",
    "bare": "there are no weights; name a file with X.weight and X.bias",
    "pickled": PICKLED,
}

REFUSED = [
    # tasks
    ("train nosuch", "TASK: unknown task 'nosuch'; one of half-adder, "),
    ("train half-addr", "TASK: unknown task 'half-addr'; did you mean half-adder?"),
    ("train half-adder:2", "TASK: half-adder takes no width, got 'half-adder:2'; write half-adder"),
    ("train adder:0", "adder:0: the width must be at least 1, got 0; write adder:1"),
    ("train adder:-1", "adder:-1: the width must be at least 1, got -1; write adder:1"),
    ("train adder:1048577", "adder:1048577: … the limit of 1048576 bits, got 1048577; … smaller"),
    ("train adder:1048576", ""),
    ("train table:nothing.csv", ""),
    ("train table:", ""),
    ("train", "TASK: no task is named; name one, like half-adder"),
    ("prove @taskless", "--task: the network names no task; name one: --task half-adder"),
    *(
        (line, "--task: … input and … output bits, the network 2 and 2; … fits with --task")
        for line in ("prove @lecture --task full-adder", "show @lecture --task full-adder",
                     "quantize @lecture --to int4 --task adder:2")
    ),
    # files that are read
    *(
        (f"{verb} nothing.safetensors", "nothing.safetensors: no such file; check the path")
        for verb in ("prove", "repair")
    ),
    ("prove ../nets", "../nets: a folder, not a file; name a file in it, like ../nets/"),
    *(
        (f"{verb} @{name}.safetensors", f"../nets/{name}.safetensors: {fault}")
        for verb in ("prove", "count")
        for name, fault in FILES.items()
    ),
    ("prove @old.pt", f"../nets/old.pt: {PICKLED}"),
    ("prove @lecture --layers 2,3,2", "--layers: ../nets/lecture.safetensors is a network file"),
    ("run @lecture 1,1 --layers 2", "--layers: got '2'; give the sizes from input to output"),
    ("show @lecture --readout maybe", "--readout: got 'maybe'; give a number"),
    ("explain --chain 3 --readout 0", "--readout: it is about a network's file, and there is none"),
    ("prove @unknown-key.safetensors", ""),
    ("compare @lecture @three", "../nets/lecture.safetensors and ../nets/three.safetensors: 2"),
    # files that are written
    *(
        (f"{line} -o {place}", fault)
        for line in ("build half-adder --method lecture", "train half-adder")
        for place, fault in (
            ("file/net", "file/net: 'file' is a file, no folder; choose another place"),
            ("folder", "folder: a folder stands there; name a file"),
            ("/dev/null", "/dev/null: a device or pipe stands there; name a file"),
            ("net.npz", "net.npz: a network is written as a safetensors file, and .npz is another"),
        )
    ),
    *(
        (f"{line} -o file", "file: a file stands there; name a folder")
        for line in ("train half-adder --seeds 2", "demo", "show @lecture")
    ),
    ("train half-adder --seeds 2 -o file/run", ""),
    ("demo -o file/demo", ""),
    ("train half-adder --seeds 2 -o folder", "folder: the folder holds other files; name a new"),
    ("map -o folder", "--out: got folder; name an image that ends in .png"),
    # build
    ("build nosuch --method lecture", "TASK: unknown task 'nosuch'; one of half-adder, "),
    ("build full-adder --method lecture", "--method lecture: … half-adder alone, got full-adder;"),
    ("build half-adder --method lecture --formula f",
     "build: a method and a formula are two things; give --method or --formula"),
    ("build --formula nothing.txt", "nothing.txt: no such file; check the path"),
    ("build --formula ../nets", "../nets: a folder, not a file; name a file of formulas"),
    ("build --formula @unknown.txt", "../nets/unknown.txt line 2 column 15: unknown input 'q';"),
    ("build adder:24 --method one-layer --format fp32",
     "--format: … in fp32 up to adder:22, … take --format int32, or --method prefix\n"),
    *(
        (f"build adder:9 --method ripple --timeout {seconds}",
         f"--timeout: got {seconds}; give seconds above 0")
        for seconds in ("0", "-1", "nan")
    ),
    # prove, show
    ("prove @lecture --readout '> nan'", "--readout: the threshold is nan; the threshold is a"),
    ("prove @lecture --readout any", """--readout: got 'any'; … "exact" or "argmax"\n"""),
    ("prove @lecture --task t.csv",
     "--task: unknown task 't.csv'; a truth table is named with table before it: table:t.csv\n"),
    ("prove @lecture --format fp31", "--format: unknown number format 'fp31'; did you mean fp32?"),
    ("show @lecture --input 1,2", "--input 1,2: b = 2 is outside 0..1; b:1 takes the values 0..1"),
    ("show @lecture --input 1", "--input 1: half-adder takes 2 numbers, got 1"),
    # settings of training
    ("train half-adder --lr nan", "--lr: got nan; give a finite number above 0; the notebook's is"),
    *(
        (f"train half-adder {option} {value}", f"{option}: got {value}; give a whole number {rest}")
        for option, value, rest in (
            ("--steps", "-5", "of at least 0"), ("--samples", "0", "of at least 1"),
            ("--hidden", "0", "of at least 1"), ("--batch", "0", "of at least 1"),
            ("--seed", "-1", "in 0..4294967295"), ("--member", "-1", "in 0..9223372036854775807"),
        )
    ),
    ("train half-adder --hidden 3y4", "--hidden: got 3y4; give a whole number, or one for each"),
    ("train half-adder --hidden 3x", "--hidden: got 3x; give a whole number, or one"),
    ("train half-adder --hidden 3x0", "--hidden: got 0; give a whole number of at least 1"),
    ("train half-adder --seeds 2 --threads 0", "--threads: got 0; give a whole number of at least"),
    ("train half-adder --seeds 0", "--seeds: got 0; give a number in 1..100000000"),
    ("train half-adder --momentum 0.5", "--momentum: got 0.5, but the optimizer is sgd; set"),
    ("train half-adder --optimizer momentum --momentum 1", "--momentum: got 1.0; give a number"),
    ("train half-adder --weight-decay -1", "--weight-decay: got -1.0; give a finite number of at"),
    ("train half-adder --init-scale 0", "--init-scale: got 0.0; give a finite number above 0"),
    ("train half-adder --init-scale nan", "--init-scale: got nan; give a finite number above 0"),
    ("train half-adder --init-scale 1e39", "--init-scale: got 1e+39; … 3.40282e+38, the largest"),
    ("train half-adder --stop-margin inf", "--stop-margin: got inf; give a finite number of at"),
    ("train half-adder --seeds 2 --keep all", "--keep: got 'all'; give one of none, start,"),
    ("train half-adder --seeds 2 --keep weights", "--keep: got 'weights' without a folder; name"),
    ("train half-adder --seeds 2 --member 1", "--member: got 1 beside --seeds; give one of them:"),
    ("train adder:9 --member 4", "--member: adder:9 has 262144 rows, a population takes at most"),
    *(
        (f"train half-adder {option}", f"{option.split()[0]}: it is for populations; add --seeds N")
        for option in ("--keep weights", "--threads 2", "--no-explain")
    ),
    *(
        (f"{line} --batch {batch}", f"--batch: got '{batch}'; give full, or a whole number of")
        for line, batches in (("train half-adder", ("x", "1.5", "²", "FULL", "1e-1")),
                              ("map --size 4", ("x",)))
        for batch in batches
    ),
    ("train half-adder --batch -1", "--batch: got -1; give a whole number of at least 1"),
    *(
        (line, f"--batch: got {batch}, more than the {most}; give at most")
        for line, batch, most in (
            ("train half-adder --batch 1001", 1001, "1000 samples"),
            ("train half-adder --batch 1e3 --samples 9e2 --seeds 2", 1000, "900 samples"),
            ("train half-adder --batch 5 --data table", 5, "4 rows of half-adder"),
            ("train half-adder --batch 5 --data table --seeds 3", 5, "4 rows of half-adder"),
            ("map --y batch=1:1e4 --size 4", 10000, "1000 samples"),
            ("map --data table --y batch=1:9 --size 4", 9, "4 rows of half-adder"),
        )
    ),
    ("train half-adder --hidden 1000000000000", MEMORY),
    ("train half-adder --samples 70000000000", ""),
    ("train half-adder --batch 1 --steps 1000000000000", ""),
    ("train half-adder --batch 99999999999999999999999999", ""),
    ("train half-adder --seeds 2 --hidden 1000000000000", ""),
    *(
        (f"train adder:{width} {options}", f"train: training would take at least {years} years,")
        for width, options, years in (
            (1, "--steps 9999999999999999999", "6.3e+06"),
            (1, "--seeds 3 --steps 9999999999999999999", "6.5e+02"),
            (1, "--seeds 100000000 --samples 9e8 --hidden 100000 --steps 1e8", "6.3e+03"),
            (5000, "--steps 1e15 --samples 1", "6.3e+02"),
        )
    ),
    ("map --size 4 --steps 9999999999999999999", "train: training would take at least 3.4e+03 y"),
    ("map --size 4 --x steps=1:1e9", MEMORY),
    ("train half-adder --seeds 3 --steps 99999999999", MEMORY),
    ("train half-adder --seeds 2 --steps 1000000000", MEMORY),
    ("demo --networks 1e18", "--networks: got 1000000000000000000; give at most 100000000"),
    ("demo --networks 0", "--networks: got 0; give a whole number of at least 1"),
    ("map --x lr=2:1", "--x: got 'lr=2:1'; give two finite numbers, the smaller first"),
    ("map --size 9000", "--size: 9000 x 9000 are 8.1e+07 networks, … at most 4096, and zoom in"),
    ("map --threads -1 --size 4", "--threads: got -1; give a whole number of at least 1"),
    # repair, of a network that is right already too
    *(
        (f"repair @{net} --parameter {name}", f"--parameter: the network has no {name}; give one")
        for net in ("lecture", "printed")
        for name in ("NONSENSE", "fc1.weight[9,0]", "fc1.weight[0]", "fc1.bias[0,0]", "fc3.bias[0]")
    ),
    ("repair @printed --parameter threshold --to x", "--to: got x; give a number such as 2, -0.5"),
    # explain
    ("explain", "explain: no network, and nothing to explain; give NET … or --chain 3"),
    ("explain @lecture", "explain: nothing to explain; add --input 1,1, … --slots or --why"),
    ("explain --why", "explain: no network; name its file"),
    ("explain @lecture --chain 3", "--chain: … without a network; leave NET out, or … --symbols"),
    ("explain @lecture --slots --why", "explain: --slots and --why are two things; ask for one"),
    *(
        (f"explain {line}", f"{option}: does not go with {other}; leave one of them out")
        for line, option, other in (
            ("@lecture --input 1,1 --iterations 2", "--iterations", "--input"),
            ("@lecture --input 1,1 --rows all", "--rows", "--input"),
            ("--chain 2 --lr 1", "--lr", "--chain"),
        )
    ),
    ("explain --chain 0", "--chain: got 0; give a whole number in 1..64"),
    ("explain --chain 65", "--chain: got 65; give a whole number in 1..64"),
    ("explain @lecture --input 2,0", "--input 2,0: a = 2 is outside 0..1;"),
    ("explain @lecture --input 1,1 --target 4", "--target 4: c = 4 is outside 0..3;"),
    ("explain @taskless --why", "--task: the network names no task; name one: --task half-adder"),
    # quantize
    *(
        (f"quantize @printed {options}", "quantize: exactly one of --to and --table … --table\n")
        for options in ("", "--to int2 --table")
    ),
    ("quantize @printed --table -o x", "--table: a table takes no -o; leave it out, or … --to\n"),
    ("quantize @printed --to int2 --limit 0", "--limit: got 0; give a whole number above 0"),
    ("quantize @printed --to int2 --timeout 0", "--timeout: got 0; give seconds above 0"),
    ("quantize @printed --to int9", "--to: unknown number format 'int9'; did you mean int8?"),
    ("quantize @printed --to fp64", "--to: fp64 takes 64 bits a parameter, … own fp32 32; name"),
    ("quantize @printed --to fp16 --asymmetric", "--asymmetric: fp16 takes no zero point"),
    ("quantize @printed --to fp16 --method snap", "--method snap: fp16 is no integer format;"),
    # count
    ("count", "count: nothing to count was given; give exactly one of NET, --model, --config,"),
    ("count @printed --model gpt2", "count: got NET and --model; give exactly one of NET,"),
    ("count a b", "count: got 2 files; give one network, or --safetensors"),
    ("count --model gpt5", ""),
    ("count --parameters many", "--parameters: got 'many', … give one like 17, 500e9 or 7B"),
    # the parser
    ("nosuch", "no such command 'nosuch'; see 'adderlab --help'"),
    ("proof x", "no such command 'proof'; did you mean prove?"),
    ("prove", "prove: NET is missing; see 'adderlab prove --help'"),
    ("train --sedes 3", "train: no such option --sedes; did you mean --seeds?"),
    ("train half-adder one", "train: takes no further argument, got one; see 'adderlab train --h"),
    ("map --size 1e-2", "--size: got 1e-2; give a whole number, or two: 640x480"),
    ("train half-adder --lr x", ""),
    ("train half-adder --hidden 2.5", ""),
    ("train half-adder --colour", "train: no such option --colour; see 'adderlab train --help'"),
    ("--colour", "no such option --colour; see 'adderlab --help'"),
    ("tasks half-adder", "tasks: takes no further argument, got half-adder; see"),
    ("prove 'a\nb\x1b[31m.safetensors'", "a\\nb\\x1b[31m.safetensors: no such file; check the"),
]  # fmt: skip
"""Each command line with the complaint, … for what is left out; empty where the words are the
parser's own, or other tests'."""


def begins(text: str, parts: str) -> bool:
    """Return whether the text begins with the first part and has the others after it, in order."""
    first, *others = parts.split(" … ")
    at = len(first)
    for part in others:
        at = text.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return text.startswith(first)


@pytest.mark.parametrize(("line", "parts"), REFUSED, ids=[line for line, _ in REFUSED])
def test_bad_input_is_one_line_and_leaves_nothing(run, left, line, parts):
    _ = Path("file").write_text("mine")
    Path("folder").mkdir()
    _ = Path("folder/thesis.txt").write_text("mine")
    before = left()
    code, out, err = run(line)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert begins(err, f"adderlab: {parts}"), err
    code, out, same = run(f"{line} --json")
    assert (code, same) == (2, err)
    error = json.loads(out)["error"]
    assert set(error) == {"what", "where", "remedy"}
    assert error["what"]
    assert error["remedy"]
    place = f"{error['where']}: " if error["where"] else ""
    assert err == f"adderlab: {place}{error['what']}; {error['remedy']}\n"
    assert left() == before


def test_a_command_that_is_refused_does_no_work_first(run, monkeypatch):
    def work(*_):
        raise AssertionError("the work was done first")

    monkeypatch.setattr("adderlab.verbs.build.construct", work)
    assert run("build adder:9 --method ripple --timeout 0").code == 2


def test_steps_for_people_and_json_for_programs_exclude_each_other(run):
    done = run("explain @lecture --input 1,1 --step --json")
    assert (done.code, done.err) == (
        2, "adderlab: --step: steps are for people, --json is for programs; take one\n",
    )  # fmt: skip


def test_memory_that_runs_out_is_one_line_too(run, monkeypatch):
    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr("adderlab.training.loop.train_network", fail)
    done = run("train half-adder -o net.safetensors")
    assert (done.code, done.out) == (2, "")
    assert done.err == "adderlab: the memory of this machine is used up; take something smaller\n"
