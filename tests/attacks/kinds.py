"""The table of what is attacked: each kind draws one attack from a seeded generator."""

from __future__ import annotations

import base64
import io
import json
import struct
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import safetensors.numpy
from attacks import mutations
from attacks.cases import Case, command, snapshot
from attacks.certified import certificate, certificates, hand_ins, number
from attacks.handed_on import answers, exported
from attacks.hostile import hostile_line

import adderlab
from adderlab.building import construct, lecture_network
from adderlab.lab import messages
from adderlab.nets.files import to_bytes
from adderlab.page_data.networks import to_page
from adderlab.page_data.tasks import to_page as task_to_page
from adderlab.runs.populations.ledger import _seal
from adderlab.tasks import task_named

Kind = Callable[[Random], Case]

READ_NET: Final = (
    "prove net --timeout 2", "prove net --format fp16 --format int8 --timeout 2",
    "prove net --engine diagram --timeout 2", "prove net --task half-adder --timeout 2",
    "count net", "count net --training adam", "show net", "show net --input 1,1", "run net 1,1",
    "compare net net", "repair net", "quantize net --to int4 --timeout 2 -o out",
    "quantize net --to smallest --timeout 2", "explain net", "prove net --json --timeout 2",
)  # fmt: skip
"""Commands that read a network; ``net`` stands for the file."""

FORMULA: Final = """\
# a half adder
c1 = 1 ( a + b >= 2 ) = step(ReLU( a + b - 1.5 ))
c0 = step( relu( a + b - 0.5 ) - 4 * relu( a + b - 1.5 ) )
"""

EXPRESSION: Final = "carry = a and b ; total = ( a or b ) and not ( a and b )"
TABLE: Final = "in a:1,in b:1,out c:2\n0,0,0\n0,1,1\n1,0,1\n1,1,2\n"
CONFIG: Final = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 1000,
    "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3, "head_dim": 16,
    "num_attention_heads": 4, "num_key_value_heads": 2, "tie_word_embeddings": False,
    "max_position_embeddings": 512, "torch_dtype": "bfloat16", "attention_bias": False,
    "quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 32},
}  # fmt: skip
WEIGHTS: Final = {
    "fc1.weight": [[1, 1], [1, 1], [2, -3]], "fc1.bias": [0, -1, -4],
    "fc2.weight": [[0, 1, 5], [1, -2, 0.5]], "fc2.bias": [0.25, 0],
}  # fmt: skip


@cache
def networks() -> tuple[bytes, ...]:
    """Return network files of several shapes: dense, packed, wide, trained, a chain."""
    half = task_named("half-adder")
    trained = adderlab.train("half-adder", steps=3, samples=8)
    return (
        to_bytes(lecture_network(half)),
        to_bytes(construct(task_named("adder:3"), method="prefix")),
        to_bytes(construct(task_named("adder:80"), method="one-layer")),
        to_bytes(adderlab.quantize(lecture_network(half), to="int4").network),
        to_bytes(trained.network),
    )


@cache
def weight_files() -> Mapping[str, bytes]:
    """Return files of weights alone, by their name's end."""
    import torch

    arrays = {name: np.array(value, np.float32) for name, value in WEIGHTS.items()}
    npz, checkpoint = io.BytesIO(), io.BytesIO()
    np.savez(npz, **arrays)
    torch.save({name: torch.from_numpy(array) for name, array in arrays.items()}, checkpoint)
    return {
        "npz": npz.getvalue(),
        "pt": checkpoint.getvalue(),
        "safetensors": safetensors.numpy.save(arrays),
    }


def _reading(rng: Random, data: bytes, name: str = "net.safetensors") -> Case:
    words = rng.choice(READ_NET).split()
    return Case([name if word == "net" else word for word in words], {name: data}, ("out",))


def network_file(rng: Random) -> Case:
    return _reading(rng, mutations.of_safetensors(rng, rng.choice(networks())))


def training_record(rng: Random) -> Case:
    data = networks()[-1]
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    record = json.loads(header["__metadata__"]["adderlab"])
    record["training"] = mutations.of_value(rng, record["training"])
    header["__metadata__"]["adderlab"] = json.dumps(record)
    raw = json.dumps(header).encode()
    line = rng.choice(("show net.safetensors", "explain net.safetensors", "count net.safetensors"))
    files = {"net.safetensors": struct.pack("<Q", len(raw)) + raw + data[8 + size :]}
    return Case(line.split(), files)


def weights_alone(rng: Random) -> Case:
    ending, data = rng.choice(sorted(weight_files().items()))
    return _reading(rng, mutations.of_bytes(rng, data), f"net.{ending}")


def json_layers(rng: Random) -> Case:
    layers = [
        {"weight": WEIGHTS["fc1.weight"], "bias": WEIGHTS["fc1.bias"], "activation": "relu"},
        {"weight": WEIGHTS["fc2.weight"], "bias": WEIGHTS["fc2.bias"]},
    ]
    value = rng.choice((WEIGHTS, layers, {"layers": layers, "readout": "> 0.5"}))
    return _reading(rng, mutations.of_json(rng, value), "net.json")


def netlist(rng: Random) -> Case:
    from nets.imported_files import GATES, NETLIST

    gates, wires = json.dumps(GATES).encode(), json.dumps(NETLIST).encode()
    if rng.random() < 0.5:
        gates = mutations.of_json(rng, GATES)
    else:
        wires = mutations.of_json(rng, NETLIST)
    line = "prove gates.json --netlist wires.json --task half-adder --timeout 2"
    return Case(line.split(), {"gates.json": gates, "wires.json": wires})


def onnx_model(rng: Random) -> Case:
    from nets.onnx_models import model_of, node

    model = model_of(
        [node("Gemm", "x w b", "h"), node("Relu", "h", "r"), node("MatMul", "r v", "y")],
        {
            "w": np.array([[1, 1], [2, 1]], np.float32),
            "b": np.array([-1, 3], np.float32),
            "v": np.array([[1, 0], [2, -1]], np.float32),
        },
    )
    return _reading(rng, mutations.of_bytes(rng, model.SerializeToString()), "net.onnx")


def recorded_onnx_model(rng: Random) -> Case:
    from adderlab.nets import files
    from adderlab.nets.written_onnx import model_of

    lecture, sparse, _, packed, trained = networks()
    model = model_of(files.from_bytes(rng.choice((lecture, sparse, packed, trained))))
    if rng.random() < 0.5:  # the record alone
        record = json.loads(model.metadata_props[0].value)
        model.metadata_props[0].value = mutations.of_json(rng, record).decode("utf-8", "replace")
        return _reading(rng, model.SerializeToString(), "net.onnx")
    return _reading(rng, mutations.of_bytes(rng, model.SerializeToString()), "net.onnx")


def formula(rng: Random) -> Case:
    line = rng.choice(("build half-adder --formula f.txt", "build --formula f.txt --share -o out"))
    return Case(line.split(), {"f.txt": mutations.of_text(rng, FORMULA)}, ("out",))


def boolean_task(rng: Random) -> Case:
    text = mutations.of_text(rng, EXPRESSION).decode(errors="surrogateescape")
    words = rng.choice((["build", text], ["prove", "net.safetensors", "--task", text]))
    return Case([*words, "--timeout", "2"], {"net.safetensors": networks()[0]})


def table(rng: Random) -> Case:
    ending, separator = rng.choice((("csv", ","), ("tsv", "\t"), ("csv", ";")))
    raw = TABLE.replace(",", separator)
    damage = mutations.of_bytes if rng.random() < 0.5 else mutations.of_text
    data = damage(rng, raw if damage is mutations.of_text else raw.encode())  # type: ignore[arg-type]
    return _table(rng, f"t.{ending}", data)


def parquet(rng: Random) -> Case:
    columns = {"in a:1": [0, 0, 1, 1], "in b:1": [0, 1, 0, 1], "out c:2": [0, 1, 1, 2]}
    if rng.random() < 0.5:
        name = rng.choice(sorted(columns))
        columns[name] = rng.choice(
            ([None] * 4, [0.5] * 4, ["x"] * 4, [[1]] * 4, [2**62] * 4, [True] * 4, [b"\0"] * 4)
        )  # type: ignore[assignment]
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(columns), sink)
    data = sink.getvalue()
    return _table(rng, "t.parquet", mutations.of_bytes(rng, data) if rng.random() < 0.7 else data)


def _table(rng: Random, name: str, data: bytes) -> Case:
    line = rng.choice(
        ("build table:T --timeout 2", "prove net.safetensors --task table:T --timeout 2",
         "train table:T --steps 2 --samples 4")
    )  # fmt: skip
    words = line.replace("T", name).split() if "table:T" in line else []
    return Case(words, {name: data, "net.safetensors": networks()[0]})


def config(rng: Random) -> Case:
    line = rng.choice(("count --config c.json", "count --config c.json --context 64 --json"))
    return Case(line.split(), {"c.json": mutations.of_json(rng, CONFIG)})


def safetensors_header(rng: Random) -> Case:
    line = "count --safetensors w.safetensors"
    if rng.random() < 0.3:
        part = weight_files()["safetensors"]
        places = dict.fromkeys(WEIGHTS, "w.safetensors")
        index = {"metadata": {"total_size": 68}, "weight_map": places}
        files = {"w.safetensors.index.json": mutations.of_json(rng, index), "w.safetensors": part}
        return Case(["count", "--safetensors", "w.safetensors.index.json"], files)
    data = mutations.of_safetensors(rng, rng.choice((networks()[0], weight_files()["safetensors"])))
    return Case(line.split(), {"w.safetensors": data})


def gguf_header(rng: Random) -> Case:
    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    raw = b"GGUF" + struct.pack("<IQQ", 3, 2, 1) + text("general.name") + struct.pack("<I", 8)
    raw += text("tiny") + text("a.weight") + struct.pack("<I2QIQ", 2, 32, 4, 0, 0)
    raw += text("b.weight") + struct.pack("<IQIQ", 1, 64, 2, 512)
    raw += bytes(-len(raw) % 32 + 512 + 36)
    return Case(["count", "--gguf", "w.gguf"], {"w.gguf": mutations.of_bytes(rng, raw)})


def state_dict(rng: Random) -> Case:
    value = mutations.of_value(rng, WEIGHTS)
    if rng.random() < 0.5 and isinstance(value, dict):
        value = {name: _array(rng, entry) for name, entry in value.items()}
    return Case(lambda: adderlab.from_state_dict(value))


def lists(rng: Random) -> Case:
    value = mutations.of_value(rng, list(WEIGHTS.values()))
    entries = value if isinstance(value, list) else [value]
    return Case(lambda: adderlab.from_lists(entries))


def _array(rng: Random, value: Any) -> Any:
    try:
        dtype = rng.choice((np.float32, np.float64, np.int8, np.complex64, np.bool_, object, "U3"))
        return np.array(value, dtype)
    except (ValueError, TypeError, OverflowError):
        return value


def message(rng: Random) -> Case:
    """A page's message, or what is none; a fault of ours would be told the page as one."""
    text = mutations.of_json(rng, rng.choice(page_messages())).decode(errors="replace")

    def answer() -> None:
        try:
            answered = messages.parse(text).answer({})
        except messages.Refused as refused:
            answered = refused.answer
        assert "adderlab failed" not in answered.get("what", ""), answered
        _ = json.dumps(answered, allow_nan=False)

    return Case(answer)


@cache
def page_messages() -> tuple[dict[str, Any], ...]:
    """Return a message of each type, whole."""
    net, task = (
        to_page(lecture_network(task_named("half-adder"))),
        task_to_page(task_named("adder:1")),
    )
    data = base64.b64encode(networks()[0]).decode()
    return (
        {"type": "prove", "id": 1, "network": net, "task": "half-adder"},
        {"type": "prove", "id": 2, "network": net, "task": task},
        {"type": "save", "id": 3, "network": net, "task": task},
        {"type": "open", "id": 4, "name": "net.safetensors", "data": data},
        {"type": "task", "id": 5, "task": "adder:2"},
    )


RUN: Final = "train half-adder --seeds 16 --steps 5 --data table --threads 1 -o run"


@cache
def run_folder() -> Mapping[str, bytes]:
    """Return the files of a finished run."""
    with tempfile.TemporaryDirectory(dir=".") as name:
        path = f"{name}/run"
        code, _, err = command([*RUN.split()[:-1], path, "--no-explain"])
        assert code == 0, err
        return {f"run/{file}": data for file, data in snapshot(Path(path)).items()}


def run_of_many(rng: Random) -> Case:
    files = dict(run_folder())
    if rng.random() < 0.7:
        record = mutations.of_value(rng, json.loads(files["run/run.json"]))
        if isinstance(record, dict) and rng.random() < 0.8:
            record.pop("sha256", None)
            record["sha256"] = _seal(record)
        files["run/run.json"] = json.dumps(record).encode()
    else:
        name = rng.choice(sorted(files))
        files[name] = mutations.of_bytes(rng, files[name])
        if rng.random() < 0.2:
            del files[name]
    return Case([*RUN.split(), "--no-explain"], files, ("run/",))


def handed_in(rng: Random) -> Case:
    names = ("safetensors", "pt", "npz")
    files = {name: weight_files()[name] for name in names}
    return hand_ins({**files, "net": networks()[0], "cell": certificates()[-1][0]}, rng)


def exported_network(rng: Random) -> Case:
    return exported(rng, networks()[rng.choice((0, 0, 3))])


def hostile_command(rng: Random) -> Case:
    net, (_, cert) = networks()[0], certificates()[1]
    files = {"net.safetensors": net, "net.cert": cert, "handed/a.safetensors": net}
    return Case(hostile_line(rng), files, ("out",))


KINDS: Final[Mapping[str, Kind]] = {
    "network files": network_file,
    "training records": training_record,
    "files of weights": weights_alone,
    "JSON of layers": json_layers,
    "netlists": netlist,
    "ONNX models": onnx_model,
    "ONNX models of ours": recorded_onnx_model,
    "formulas": formula,
    "Boolean tasks": boolean_task,
    "tables": table,
    "Parquet tables": parquet,
    "model configs": config,
    "safetensors headers": safetensors_header,
    "GGUF headers": gguf_header,
    "state_dicts": state_dict,
    "lists": lists,
    "messages of pages": message,
    "run folders": run_of_many,
    "certificates": certificate,
    "long numbers": number,
    "hand-ins": handed_in,
    "answers to exercises": answers,
    "exports": exported_network,
    "command lines": hostile_command,
}
"""Every kind of attack by its name."""
