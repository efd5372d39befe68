"""``adderlab build`` of wide adders: the card, the time limit, and Ctrl-C at any moment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from adderlab.cli.main import main
from adderlab.formats import FORMATS
from adderlab.verbs.build import build

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def run(capsys):
    """Return a function that runs a command and returns its exit code, output and complaint."""

    def run(*arguments):
        code = main([*map(str, arguments)])
        return code, *capsys.readouterr()

    return run


def test_the_card_says_up_to_which_width_each_format_is_exact(run):
    code, text, _ = run("build", "adder:12", "--method", "one-layer")
    lines = text.splitlines()
    at = lines.index("one-layer is exact up to width")
    assert code == 0
    assert lines[at + 1 : at + 4] == [
        "  fp64 51, fp32 22, fp16 9, bf16 6, fp8-e4m3 2, fp8-e5m2 2",
        "  int32 29, int16 15, int8 7, int7 6, int6 5, int5 4, int4 3, int3 2, int2 1",
        "  ternary none, binary none, wide any",
    ]


@pytest.mark.parametrize("method", ["ripple", "prefix"])
def test_where_every_width_is_exact_the_card_says_so_in_one_line(run, method):
    code, text, _ = run("build", "adder:3", "--method", method)
    assert code == 0
    assert f"{method} is exact at every width in every format but ternary and binary" in (
        text.splitlines()
    )


@pytest.mark.parametrize(
    ("wishes", "method", "fp32"),
    [((), "one-layer", 22), (("--max-weight", "2"), "prefix", None)],
)
def test_the_json_card_names_the_method_that_auto_took_and_its_widths(run, wishes, method, fp32):
    code, text, _ = run("build", "adder:12", "--method", "auto", *wishes, "--json")
    found = json.loads(text)
    assert (code, found["method"], found["verdict"]) == (0, method, "proved")
    assert list(found["safe_widths"]) == list(FORMATS)
    assert found["safe_widths"]["fp32"] == fp32
    assert (found["safe_widths"]["binary"], found["safe_widths"]["wide"]) == (0, None)


def test_a_network_of_one_width_has_no_safe_widths(run):
    code, text, _ = run("build", "half-adder", "--method", "lecture", "--json")
    found = json.loads(text)
    assert (code, found["method"], found["safe_widths"]) == (1, "lecture", None)
    assert "exact up to" not in run("build", "half-adder", "--method", "lecture")[1]


def test_a_notebook_shows_the_safe_widths_too():
    html = build("adder:5", method="one-layer")._repr_html_()
    assert "one-layer is exact up to width" in html
    assert "int8 7, int7 6" in html
    assert "exact up to" not in build("half-adder", method="lecture")._repr_html_()


@pytest.mark.parametrize("seconds", ["0", "-1", "nan"])
def test_a_time_limit_that_is_none_is_refused_before_anything_is_built(
    run, seconds, tmp_path, monkeypatch
):
    def work(*_):
        raise AssertionError("the work was done first")

    monkeypatch.setattr("adderlab.verbs.build.construct", work)
    code, text, complaint = run(
        *("build", "adder:9", "--method", "ripple", "--timeout", seconds),
        *("-o", tmp_path / "net.safetensors"),
    )
    assert (code, text) == (2, "")
    assert complaint == f"adderlab: --timeout: got {seconds}; give seconds above 0\n"
    assert list(tmp_path.iterdir()) == []


def test_past_the_time_limit_the_network_is_kept_unknown_with_exit_code_0(run, tmp_path):
    path = tmp_path / "net.safetensors"
    command = ("build", "adder:512", "--method", "ripple", "--timeout", "0.001", "-o", path)
    code, text, _ = run(*command)
    assert code == 0
    assert "unknown in exact arithmetic: adder:512, by diagrams, the time was up" in text
    found = json.loads(run(*command, "--json")[1])
    assert found["verdict"] == "unknown"
    assert found["proof"]["reason"].startswith("by diagrams, the time was up")
    assert path.is_file()
    assert found["file"] == str(path)
    # what is promised is derived, not proved: it is kept without the proof
    promised = run(*command[:-2], "--format", "int2", "--max-weight", "2")
    assert promised[0] == 0


def test_a_format_that_can_not_be_had_is_one_line_and_no_file(run, tmp_path):
    code, text, complaint = run(
        *("build", "adder:24", "--method", "one-layer", "--format", "fp32"),
        *("-o", tmp_path / "net.safetensors"),
    )
    assert (code, text) == (2, "")
    assert complaint == (
        "adderlab: --format: adder:24 by one-layer is exact in fp32 up to adder:22, beyond which "
        "fp32 can round a sum; the nearest that can be had is --format int32, or --method prefix\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_24_bits_in_one_layer_are_exact_in_fp64_and_fail_in_fp32(run, tmp_path):
    path = tmp_path / "net.safetensors"
    assert run("build", "adder:24", "--method", "one-layer", "-o", path)[0] == 0
    code, text, _ = run("prove", path, "--format", "fp64", "--format", "fp32", "--json")
    found = json.loads(text)
    assert (code, found["formats"]) == (1, {"fp64": "proved", "fp32": "refuted"})


STOPPED_AT = """\
import importlib, sys, time
from adderlab.cli.main import main

def wait(*_, **__):
    print("here", flush=True)
    time.sleep(60)

module, *rest, name = sys.argv[1].split(":")
place = importlib.import_module(module)
setattr(getattr(place, *rest) if rest else place, name, wait)
sys.exit(main(sys.argv[2:]))
"""
"""The command line, which waits for Ctrl-C where it would call the function that is named."""

PLACES = {
    "building": "adderlab.verbs.build:construct",
    "proving": "adderlab.verbs.build:prove",
    "writing": "adderlab.verbs.build:save",
    "moving the file into its place": "pathlib:Path:replace",
}


def interrupted(folder, *command, code):
    """Run Python with Ctrl-C as soon as it says where it is; return what it then complained."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=ENVIRONMENT,
        # a shell that runs the tests in the background has Ctrl-C ignored, and children inherit it
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with process:
        try:
            assert process.stdout.readline() == "here\n"
            time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            text, complaint = process.communicate(timeout=60)
        finally:
            process.kill()
    # where Ctrl-C meets a module that runs text as code, as dataclasses do, Python ends itself by
    # the signal, whatever is returned: 130 in a shell as well
    assert process.returncode in (130, -signal.SIGINT), complaint
    assert text == ""
    return complaint


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("earlier", [None, b"kept"], ids=["a new file", "over an earlier file"])
def test_ctrl_c_in_a_build_leaves_no_file(place, earlier, tmp_path):
    """Nor half of one; and one that stood there still stands."""
    if earlier is not None:
        _ = (tmp_path / "net.safetensors").write_bytes(earlier)
    command = ("build", "adder:12", "--method", "ripple", "-o", "net.safetensors")
    complaint = interrupted(tmp_path, PLACES[place], *command, code=STOPPED_AT)
    assert complaint == "adderlab: interrupted; nothing was written\n"
    left = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert left == ({} if earlier is None else {"net.safetensors": earlier})


def test_ctrl_c_in_a_proof_changes_no_file(tmp_path):
    """In the real engine, on a network that takes it a while."""
    kept = tmp_path / "kept.safetensors"
    _ = build("adder:4096", method="prefix", timeout_s=0.01, out=kept)
    before = kept.read_bytes()
    code = """if True:
        import sys, threading
        from adderlab.cli.main import main
        threading.Timer(0.3, print, ["here"], {"flush": True}).start()
        sys.exit(main(sys.argv[1:]))
    """
    complaint = interrupted(tmp_path, "prove", kept.name, code=code)
    assert complaint == "adderlab: interrupted; nothing was written\n"
    assert [path.name for path in tmp_path.iterdir()] == [kept.name]
    assert kept.read_bytes() == before


def test_1024_bits_by_ripple_are_built_and_written_in_under_1_gb(tmp_path):
    """The whole command, in a process of its own: a billion parameters, of which a million are."""
    path = tmp_path / "net.safetensors"
    code = """if True:
        import resource, sys
        from adderlab.cli.main import main
        code = main(sys.argv[1:])
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if sys.platform == "linux":  # what getrusage says begins with the parent's peak
            lines = open("/proc/self/status").read().splitlines()
            peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
        print(peak)
        sys.exit(code)
    """
    command = ("build", "adder:1024", "--method", "ripple", "--timeout", "0.5", "-o", str(path))
    done = subprocess.run(
        [sys.executable, "-c", code, *command],
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )
    assert done.returncode == 0, done.stderr
    kilobytes = int(done.stdout.splitlines()[-1]) // (1024 if sys.platform == "darwin" else 1)
    assert kilobytes < 1_000_000
    assert "1084239859 parameters, 1064950 nonzero, largest 2" in done.stdout
    assert 5_000_000 < path.stat().st_size < 6_000_000
