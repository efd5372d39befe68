"""The page's own reader of network files: what adderlab saves, and nothing else."""

from __future__ import annotations

import base64
import json
import random
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from exports import subject_of

import adderlab
from adderlab.exporting.json_layers import write_json
from adderlab.exporting.node import node_command, run_script
from adderlab.nets import Layer
from adderlab.nets.files import to_bytes
from adderlab.nets.tensors import Dense, Packed, Scaled, Sparse
from adderlab.page_data import networks, tasks
from adderlab.tasks import task_named
from adderlab.tasks.order import Order, in_order

PAGE = Path(adderlab.__file__).parent / "page"
KNOWN = [
    task_named("half-adder"),
    in_order(task_named("adder:2"), Order("lsb-first")),
    adderlab.table({"p": [0, 0, 1, 1], "q": [0, 1, 0, 1], "out r": [0, 1, 1, 1]}),
]
WHOLE = (*(f"int{bits}" for bits in range(2, 9)), "ternary")
READ = ("fp64", "fp32", "fp16", "bf16", *WHOLE)

pytestmark = pytest.mark.skipif(node_command() is None, reason="Node.js is not installed")


def read(files, tmp_path):
    """Return what the page makes of files, given their bytes."""
    cases = tmp_path / "files.json"
    known = [{"task": tasks.to_page(task), "record": task.record} for task in KNOWN]
    data = [base64.b64encode(file).decode() for file in files]
    _ = cases.write_text(json.dumps({"tasks": known, "files": data}))
    ran = run_script(Path(__file__).with_name("read.mjs"), PAGE, cases)
    assert ran is not None
    assert ran.code == 0, ran.error
    return json.loads(ran.out)


def network_in(form, n_in=2, n_out=2, seed=0):
    """Return a network of the page whose values a format holds, with each kind of layer."""
    rng = np.random.default_rng(seed)

    def values(*shape):
        whole = rng.integers(-1, 2, shape) if form == "ternary" else rng.integers(-2, 2, shape)
        scale = 1 if form in WHOLE else 0.375
        return (whole * scale).tolist()

    kinds = [
        {"activation": "relu"},
        {"activation": "leaky", "slope": 0.1},
        {"activation": "step", "convention": ">="},
        {"activation": "tanh"},
        {"activation": "identity"},
    ]
    sizes = [n_in, 3, 5, 1, 4, n_out]
    layers = [
        {"weight": values(out, n), "bias": None if at == 1 else values(out), **kind}
        for at, (n, out, kind) in enumerate(zip(sizes, sizes[1:], kinds, strict=False))
    ]
    readout = {"kind": "threshold", "threshold": 0.1, "convention": ">="}
    return networks.from_page({"layers": layers, "readout": readout, "format": form})


def test_what_adderlab_saves_is_read_in_every_format_of_the_page(tmp_path):
    nets = [network_in(form, seed=at) for at, form in enumerate(READ)]
    for net, got in zip(nets, read(map(to_bytes, nets), tmp_path), strict=True):
        assert got["network"] == networks.to_page(net), net.format
        assert got["task"] is None


def test_sparse_weights_are_read(tmp_path):
    nets = [
        replace(adderlab.build(task, method="one-layer", format=form).network, task=None)
        for task in ("half-adder", "adder:2", "adder:3")
        for form in ("fp32", "fp16", "int4")
    ]
    for net, got in zip(nets, read(map(to_bytes, nets), tmp_path), strict=True):
        assert any(isinstance(tensor, Sparse) for _, tensor in net.tensors())
        assert got["network"] == networks.to_page(net)


def test_what_the_page_copies_as_json_is_read(tmp_path):
    net = networks.to_page(network_in("bf16"))
    files = [
        json.dumps({"task": task.record, **net}, indent=1).encode() for task in (KNOWN[0], KNOWN[2])
    ]
    for got, task in zip(read(files, tmp_path), (KNOWN[0], KNOWN[2]), strict=True):
        assert got["network"] == net
        assert got["task"] == task.name


def test_what_is_exported_as_json_is_read_with_its_scales(tmp_path):
    net = network_in("bf16").for_task(KNOWN[0])
    table = network_in("int4", 2, 1).for_task(KNOWN[2])
    scaled = Scaled(Packed(np.ones((2, 2), np.int64), 4), Dense(np.float16([0.5])[0]))
    codes = replace(net, layers=(Layer(scaled),), format="int4")
    by_row = replace(codes, layers=(Layer(replace(scaled, scale=Dense(np.float16([0.5, 1])))),))
    files = [write_json(subject_of(own))[""].encode() for own in (net, table, codes, by_row)]
    first, second, third, fourth = read(files, tmp_path)
    assert (first["network"], first["task"]) == (networks.to_page(net), "half-adder")
    assert (second["network"], second["task"]) == (networks.to_page(table), KNOWN[2].name)
    assert third["network"] == networks.to_page(codes)
    refused = "net: it has scales by row, zero points, sparse weights or types of its own"
    assert fourth["what"] == refused


def test_the_task_of_a_file_is_told_by_its_record(tmp_path):
    """A table, or an order of bits, is another task than the one of a like name."""
    usual = task_named("adder:2")
    nets = [network_in("fp32", task.n_in, task.n_out).for_task(task) for task in (*KNOWN, usual)]
    *own, other = read(map(to_bytes, nets), tmp_path)
    assert [got["task"] for got in own] == [task.name for task in KNOWN]
    assert other["type"] == "refused"
    assert "its task is adder:2, which this page does not have" in other["what"]


def file_of(record, arrays=None, metadata=None):
    """Return a safetensors file with a record, and float32 tensors by name."""
    data, header = b"", {}
    for name, value in (arrays or {}).items():
        raw = np.asarray(value, "<f4").tobytes()
        header[name] = {
            "dtype": "F32",
            "shape": list(np.shape(value)),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    header["__metadata__"] = metadata or {"adderlab": json.dumps(record)}
    head = json.dumps(header).encode()
    return struct.pack("<Q", len(head)) + head + data


def claimed(shape, size):
    """Return a file whose header claims a tensor that is not there."""
    entry = {"dtype": "F32", "shape": shape, "data_offsets": [0, size]}
    head = json.dumps({"w": entry, "__metadata__": {"adderlab": json.dumps(RECORD)}}).encode()
    return struct.pack("<Q", len(head)) + head


RECORD = {
    "schema": 1,
    "task": None,
    "format": "fp32",
    "layers": [{"weight": "w", "bias": "b", "activation": "identity"}],
    "readout": {"kind": "exact"},
}
ARRAYS = {"w": [[1, 2]], "b": [3]}
LAYER = RECORD["layers"][0]
NET = {
    "layers": [{"weight": [[1, 2]], "bias": None, "activation": "identity"}],
    "readout": {"kind": "exact"},
    "format": "fp32",
}


def changed(**entries):
    return file_of(RECORD | entries, ARRAYS)


def plain(**entries):
    return json.dumps(NET | entries).encode()


def one_layer(**entries):
    return changed(layers=[LAYER | entries])


REFUSED = {
    b"": "no safetensors file",
    b"x" * 40: "no safetensors file",
    b"{": "no JSON",
    b'{"layers": [], "layers": 1}': "lacks readout, format",
    b"\xff" * 7 + b"\x7f" + b"{}": "no safetensors file",
    struct.pack("<Q", 2) + b"[]": "no JSON object",
    struct.pack("<Q", 2) + b"\xff\xfe": "no text in UTF-8",
    struct.pack("<Q", 2) + b"{}": "no record of adderlab's",
    b"{" + b"[" * 100_000: "no JSON",
    claimed([1 << 20, 1 << 20], 1 << 42): "a tensor is larger than the page shows",
    claimed([32, 32], 4096): "do not lie end to end",
    claimed([32, 32], -1): "a tensor is larger than the page shows",
    claimed([32, 32], 4): "contradict each other",
    struct.pack("<Q", 1 << 62) + b"{}": "no safetensors file",
    file_of(None, ARRAYS): "the record is no JSON object",
    file_of(RECORD, ARRAYS, {"adderlab": 3}): "no record of adderlab's",
    file_of(RECORD, ARRAYS) + b"\0": "do not lie end to end",
    file_of(RECORD, ARRAYS)[:-1]: "do not lie end to end",
    file_of(RECORD, ARRAYS | {"c": [1]}): "the tensor c is used by no layer",
    file_of(RECORD, {"w": [[1, 2]]}): "the tensor b is not in the file",
    file_of(RECORD, {"w": [[1, 2]], "b": [1, 2]}): "do not fit together",
    file_of(RECORD, {"w": [1, 2], "b": [1]}): "shape 2 does not fit",
    file_of(RECORD, {"w": np.zeros((33, 2)), "b": np.zeros(33)}): "does not fit",
    file_of(RECORD, {"w": np.zeros((2, 13)), "b": np.zeros(2)}): "too many inputs",
    file_of(RECORD, {"w": [[1, np.nan]], "b": [1]}): "a value that fp32 does not hold",
    changed(format="int2"): "a value that int2 does not hold",
    changed(format="fp8-e4m3"): "no format fp8-e4m3",
    changed(format="constructor"): "no format constructor",
    changed(schema=2): "schema",
    changed(outputs=["fc1"]): "unknown key outputs",
    changed(readout={"kind": "argmax"}): "lacks threshold, convention",
    changed(readout={"kind": "threshold", "threshold": "1", "convention": ">"}): "no number",
    changed(readout={"kind": "threshold", "threshold": 1, "convention": "<"}): "neither > nor >=",
    changed(layers=[LAYER] * 9): "too many of them",
    changed(layers=[LAYER] * 2): "used twice",
    one_layer(activation="gelu"): "no activation gelu",
    one_layer(activation="leaky", slope=None): "a slope is no number",
    one_layer(activation="step", convention=">>"): "neither > nor >=",
    one_layer(inputs=["input"]): "unknown key inputs",
    one_layer(weight={"scale": "s", "q": "w"}): "it has scales",
    one_layer(weight={"packed": 9, "shape": [1, 2], "data": "w"}): "over 8 bits",
    one_layer(weight={"packed": 2, "shape": [1, 2], "data": "w"}): "contradict each other",
    one_layer(weight={"packed": 2, "shape": [1 << 20, 1 << 20], "data": "w"}): "it has scales",
    changed(task="table:/etc/passwd"): "its task is table:/etc/passwd, which this page",
    changed(task={"table": {}}): "its task is a table",
    plain(
        layers=[{"weight": [[1, "2"]], "bias": None, "activation": "relu"}]
    ): "no list of numbers",
    plain(layers=[{"weight": [[1], [1, 2]], "activation": "relu"}]): "do not fit together",
    plain(layers=[{"weight": [[]], "activation": "relu"}]): "no list of numbers",
    plain(layers=[{"weight": [], "activation": "relu"}]): "do not fit together",
    plain(layers=[{"weight": [[0.1]], "activation": "relu"}]): "fp32 does not hold",
    plain().replace(b"[[1, 2]]", b"[[1, 1e999]]"): "fp32 does not hold",
    plain(extra=1): "unknown key extra",
    plain().replace(b'"format"', b'"__proto__": {}, "format"'): "unknown key __proto__",
}


def test_other_files_are_refused_with_what_is_wrong(tmp_path):
    whole = [file_of(RECORD, ARRAYS), plain()]
    *refused, first, second = read([*REFUSED, *whole], tmp_path)
    assert first["type"] == second["type"] == "network"
    for got, what in zip(refused, REFUSED.values(), strict=True):
        assert got["type"] == "refused", what
        assert what in got["what"]
        assert got["remedy"]


def test_no_mutated_file_ends_the_page_or_gives_it_what_is_no_network(tmp_path):
    rng = random.Random(5)
    nets = [network_in(form, seed=at) for at, form in enumerate(READ)]
    seeds = [*map(to_bytes, nets), plain(), file_of(RECORD, ARRAYS)]
    files = []
    for _ in range(600):
        data = bytearray(rng.choice(seeds))
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(data))
            data[at : at + rng.randint(0, 2)] = rng.choice(
                [b"0", b"9", b"-", b"[", b"null", b'"', bytes([rng.randrange(256)]), b""]
            )
        files.append(bytes(data))
    for got in read(files, tmp_path):
        if got["type"] == "network":
            _ = networks.from_page(got["network"])
        else:
            assert got["what"].startswith("net: ")
