"""PyTorch modules as source: each is run in a Python of its own, and read back as its network."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from exports import subject_of
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from strategies import any_networks, named_tasks, refused

import adderlab
from adderlab.errors import AdderlabError, ModelError, NetworkError
from adderlab.exporting import check_torch, torch_source
from adderlab.exporting.check_torch import compare_modules, compare_torch
from adderlab.exporting.torch_source import class_name, write_torch
from adderlab.nets import EXACT, Activation, Layer, Network, Readout, network
from adderlab.nets.tensors import FLOAT_DTYPES, Dense, Packed, Scaled, Sparse, Wide
from adderlab.nets.tracing import from_module
from adderlab.tasks import task_named
from adderlab.tasks.tables import parse_table

BATCH = settings(max_examples=1, deadline=None, phases=[Phase.generate], derandomize=True)
"""One batch of networks, which one Python runs: PyTorch takes seconds to import."""

KINDS = (
    Activation("prelu", slopes=(0.25, -0.5, 2.0)), Activation("prelu", slopes=(0.375,)),
    Activation("leaky", slope=0.125), Activation("hardtanh", min=-0.25, max=2.25),
    Activation("clamp", min=-0.75, max=1.5), Activation("clamp", max=0.5),
    Activation("threshold", threshold=0.5, value=-3), Activation("sign"), Activation("abs"),
    Activation("heaviside", value=0.5), Activation("heaviside", value=1),
    Activation("where", threshold=0.5, below=0.25), Activation("where", above=2, below=-1),
    Activation("step", convention=">="), Activation("quotient", divisor=3.0),
    Activation("quotient", divisor=4.0), Activation("softplus"), Activation("elu", alpha=0.5),
    Activation("gelu", approximate="tanh"),
    *map(Activation, ("relu6", "tanh", "sigmoid", "hardsigmoid", "softsign", "selu", "gelu")),
    *map(Activation, ("silu", "mish", "relu", "identity")),
)  # fmt: skip


def files_of(folder: Path, subjects: list[Any]) -> list[tuple[Path, Any]]:
    """Write modules, each under a name of its own."""
    written: list[tuple[Path, Any]] = []
    for number, subject in enumerate(subjects):
        path = folder / f"{number}.py"
        _ = path.write_text(write_torch(subject)[""])
        written.append((path, subject))
    return written


def module_in(path: Path, name: str) -> torch.nn.Module:
    spec = importlib.util.spec_from_file_location("exported", path)
    assert spec is not None
    assert spec.loader is not None
    source = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(source)
    return getattr(source, class_name(name))()


def is_written(subject: Any) -> bool:
    try:
        _ = write_torch(subject)
    except AdderlabError:
        return False
    return True


def scaled_net() -> Network:
    """A half adder of codes with a scale for each row, zero points and a shared scale."""
    layers = (
        Layer(
            Scaled(
                Packed(np.array([[3, 3], [7, 7]]), 4),
                Dense(np.array([0.5, 0.25], np.float16)),
                Dense(np.array([1, 3], np.int8)),
            ),
            Scaled(
                Packed(np.array([-2, -6]), 4), Dense(np.array(0.25, np.float16)),
                Dense(np.array(-2, np.int8)),
            ),
            Activation("relu"),
        ),
        Layer(Packed(np.array([[0, 1], [1, -2]]), 4)),
    )  # fmt: skip
    return Network(layers, EXACT, task_named("half-adder"), "int4")


def net_in(form: str, activation: Activation, *, seed: int) -> Network:
    """A network of three inputs and hidden units, of small numbers that every format holds."""
    draw = np.random.default_rng(seed)
    is_whole = form not in FLOAT_DTYPES

    def numbers(*shape: int) -> Any:
        values = draw.integers(-1, 2, shape)
        if form == "wide":
            return Wide.of(values * 3)
        if is_whole:
            return Packed(values, 2 if form == "ternary" else int(form[3:]))
        return Dense((values * 0.75).astype(FLOAT_DTYPES[form]))

    layers = (
        Layer(numbers(3, 3), numbers(3), activation),
        Layer(numbers(2, 3), None if seed % 2 else numbers(2)),
    )
    return Network(layers, Readout("threshold", 0.25, ">="), task_named("full-adder"), form)


@given(st.lists(any_networks(task=named_tasks(max_in=4), tame=True), min_size=30, max_size=30))
@BATCH
def test_random_networks_compute_the_same_and_are_read_back(tmp_path_factory, nets) -> None:
    subjects = [subject_of(net, verdict="unknown") for net in nets]
    subjects = [subject for subject in subjects if is_written(subject)]
    assert len(subjects) > len(nets) // 2
    folder = tmp_path_factory.mktemp("torch")
    for comparison in compare_modules(files_of(folder, subjects)):
        assert comparison.equal is True, comparison.reason


def test_every_activation_in_every_format(tmp_path: Path) -> None:
    forms = ("fp64", "fp32", "fp16", "bf16", "fp8-e4m3", "int8", "ternary", "wide")
    nets = [net_in(form, Activation("relu"), seed=at) for at, form in enumerate(forms)]
    nets += [
        net_in(forms[at % len(forms)], kind, seed=at) for at, kind in enumerate(KINDS)
    ]  # fmt: skip
    subjects = [subject_of(net, verdict="unknown") for net in [*nets, scaled_net()]]
    for (path, _), comparison in zip(
        written := files_of(tmp_path, subjects), compare_modules(written), strict=True
    ):
        assert comparison.equal is True, (path.read_text(), comparison.reason)


@pytest.fixture(scope="module")
def mutants(tmp_path_factory) -> dict[str, tuple[bool | None, str]]:
    """What is said of files with one change each, by the change."""
    folder = tmp_path_factory.mktemp("mutants")
    lecture = adderlab.build("half-adder", method="lecture", format="fp32").network
    fixed = network(
        [[[1, 1], [1, 1]], [[0, 1], [1, -2]]], [[0, -1], [0, 0]], readout=">= 0.5",
        task="half-adder",
    )  # fmt: skip
    graph = Network(
        (
            Layer(Dense(np.float32([[1, 1]])), Dense(np.float32([-1])), Activation("relu")),
            Layer(Dense(np.float32([[1, 1, -2]])), None, Activation(), ("input", "fc1")),
        ),
        EXACT, task_named("half-adder"), outputs=("fc1", "fc2"),
    )  # fmt: skip
    subjects = {
        "fixed": subject_of(fixed),
        "graph": subject_of(graph),
        "codes": subject_of(scaled_net()),
        "lecture": subject_of(lecture, verdict="refuted"),
    }
    changes = {
        "weight": ("fixed", "[1.0, -2.0]", "[1.0, -1.0]"),
        "sign": ("fixed", "[0.0, -1.0]", "[0.0, 1.0]"),
        "bias missing": ("fixed", '    "fc2.bias": torch.tensor([0.0, 0.0]),\n', ""),
        "threshold": ("fixed", ">= 0.5", ">= 0.25"),
        "convention": ("fixed", ">= 0.5", "> 0.5"),
        "activation": ("fixed", "torch.relu", "torch.tanh"),
        "outputs": ("fixed", "return self.fc2(x)", "return self.fc2(x).flip(1)"),
        "wiring": ("graph", "torch.cat([x, h1], dim=-1)", "torch.cat([h1, x], dim=-1)"),
        "order": ("graph", "return torch.cat([h1, h2]", "return torch.cat([h2, h1]"),
        "task": ("graph", '"half-adder", "r', '"parity:2", "r'),
        "readout": ("graph", ', "readout": "exact"', ""),
        "code": ("codes", "[7, 7]", "[7, 6]"),
        "scale": ("codes", "[0.5, 0.25]", "[0.5, 0.5]"),
        "zero point": ("codes", "[[1], [3]]", "[[1], [2]]"),
        "format": ("codes", '"int4"', '"int5"'),
        "syntax": ("codes", "class CodedLinear", "klass CodedLinear"),
        "nothing": ("fixed", "torch", "torch"),
        "refuted": ("lecture", "torch", "torch"),
        "imports adderlab": ("fixed", "import torch\n", "import torch\nimport adderlab\n"),
    }
    modules = []
    for number, (name, (of, old, new)) in enumerate(changes.items()):
        text = write_torch(subjects[of])[""]
        assert old in text, (name, text)
        path = folder / f"{number}.py"
        _ = path.write_text(text.replace(old, new))
        modules.append((path, subjects[of]))
    results = compare_modules(modules[:-1]) + compare_modules(modules[-1:])
    return {
        name: (comparison.equal, comparison.reason)
        for name, comparison in zip(changes, results, strict=True)
    }


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("weight", "fc2.weight[1, 1] is -1, and the network's -2"),
        ("sign", "fc1.bias[1] is 1, and the network's -1"),
        ("bias missing", "it fails: RuntimeError: Error(s) in loading state_dict for Net:"),
        ("threshold", "read back, its readout is >= 0.25, and the network's >= 0.5"),
        ("convention", "read back, its readout is > 0.5, and the network's >= 0.5"),
        ("activation", "it gives 0, 1 for a = 0, b = 0"),
        ("outputs", "it gives 1, 0 for a = 0, b = 1"),
        ("imports adderlab", "a module imports adderlab"),
        ("wiring", "it gives 0, -2 for a = 0, b = 1"),
        ("order", "it gives 1, 0 for a = 0, b = 1"),
        ("task", "it is not read back: "),
        ("readout", "read back, its readout is > 0.5, and the network's exact"),
        ("code", "fc1.weight[1, 1] is 6, and the network's 7"),
        ("scale", "fc1.weight_scale[1] is 0.5, and the network's 0.25"),
        ("zero point", "fc1.weight_zero_point[1] is 2, and the network's 3"),
        ("format", "read back, its format is int5, and the network's int4"),
        ("syntax", "it fails: SyntaxError: invalid syntax"),
    ],
)  # fmt: skip
def test_a_change_is_noticed_and_named(mutants, change: str, reason: str) -> None:
    equal, text = mutants[change]
    assert equal is False
    assert text.startswith(reason)


@pytest.mark.parametrize("name", ["nothing", "refuted"])
def test_what_is_written_is_the_same(mutants, name: str) -> None:
    assert mutants[name] == (True, "")


def test_codes_are_integers_with_their_scales_and_give_the_same_verdict(tmp_path: Path) -> None:
    net = scaled_net()
    out = tmp_path / "half-adder.py"
    exported = adderlab.export(net, to="torch", out=out)
    assert exported.equal is True
    assert exported.to_dict()["rows_same_to_the_bit"] == 4
    model = module_in(out, "half-adder")
    assert type(model).__name__ == "HalfAdder"
    state = model.state_dict()
    assert state["fc1.weight"].dtype == torch.int8
    assert state["fc1.weight"].tolist() == [[3, 3], [7, 7]]
    assert state["fc1.weight_scale"].tolist() == [0.5, 0.25]
    assert state["fc1.weight_zero_point"].tolist() == [[1], [3]]
    assert sorted(state) == [
        "fc1.bias", "fc1.bias_scale", "fc1.bias_zero_point", "fc1.weight", "fc1.weight_scale",
        "fc1.weight_zero_point", "fc2.weight",
    ]  # fmt: skip
    again, verdict = adderlab.prove(model), adderlab.prove(net)
    assert again.verdict == verdict.verdict == "proved"
    assert again.formats["int4"].verdict == verdict.formats["int4"].verdict == "proved"
    assert again.margin == verdict.margin
    read = from_module(model)
    assert read.notes == ()
    weight = read.network.layers[0].weight
    assert isinstance(weight, Scaled)
    assert isinstance(weight.q, Packed)
    assert (weight.q.bits, weight.q.numbers.tolist()) == (4, [[3, 3], [7, 7]])
    assert isinstance(read.network.layers[1].weight, Packed)
    text = out.read_text()
    assert f"# network SHA-256: {verdict.sha256}" in text
    assert "# proved in exact arithmetic and in int4, its own format" in text
    assert "import adderlab" not in text


def test_a_float_network_is_plain_linear_layers(tmp_path: Path) -> None:
    weights = ([[0.1, 1], [1, -0.3]], [[1, 1]])
    biases = ([0, 1e-40], [0.5])
    arrays = [[np.array(each, np.float32) for each in part] for part in (weights, biases)]
    net = network(*arrays, task="parity:2")
    out = tmp_path / "parity.py"
    exported = adderlab.export(net, to="torch", out=out, force=True)
    assert exported.equal is True
    model = module_in(out, "parity")
    assert isinstance(model.fc1, torch.nn.Linear)
    for name, values in adderlab.to_state_dict(net).items():
        assert (model.state_dict()[name].numpy() == values).all()
    assert "DO NOT USE" in out.read_text()
    assert model(torch.tensor([[0, 1]])).dtype == torch.float32
    again = from_module(model)
    assert again.network.task is not None
    assert again.network.task.name == "parity:2"


def test_sparse_layers_are_written_by_their_entries(tmp_path: Path) -> None:
    net = adderlab.build("adder:9", method="ripple").network
    text = write_torch(subject_of(net))[""]
    assert '"fc1.weight": from_rows(18, [\n        {8: 1, 17: 1},' in text
    assert any(isinstance(layer.weight, Sparse) for layer in net.layers)
    path = tmp_path / "net.py"
    _ = path.write_text(text)
    model = module_in(path, "net")
    for name, values in adderlab.to_state_dict(net).items():
        assert (model.state_dict()[name].numpy() == values).all()
    assert adderlab.prove(model)


REFUSED = (
    (
        Network((Layer(Dense(np.float32([[1]])), None, Activation("leaky", slope=0.1)),)),
        (
            "fc1: the slope 0.1 is not representable in fp32, and PyTorch would round it; give the "
            "network the slope 0.10000000149011612"
        ),
    ),
    (
        Network((Layer(Dense(np.float32([[1]])), None, Activation("logit")),)),
        (
            "fc1: logit is what a softmax is taken of, which is no layer of PyTorch's; take "
            "another target: c, verilog or json hold it"
        ),
    ),
    (
        Network((Layer(Wide.of([[(1 << 60) + 1]])),), format="wide"),
        (
            "network: its whole numbers, or their sums, are beyond what doubles hold; take another "
            "target: c, verilog or json hold it"
        ),
    ),
)


@pytest.mark.parametrize(("net", "message"), REFUSED)
def test_what_pytorch_would_round_is_refused(net: Network, message: str) -> None:
    with refused(NetworkError, message):
        _ = write_torch(subject_of(net, "parity:1"))


def test_a_threshold_that_fp32_lacks_is_compared_in_double(tmp_path: Path) -> None:
    net = network([[[1, 1]]], [[0]], readout="> 0.3", task="parity:2")
    ((path, _),) = files_of(tmp_path, [subject_of(net)])
    assert "return (self.outputs(x).double() > 0.3).float()" in path.read_text()
    assert from_module(module_in(path, "net")).network.readout == Readout("threshold", 0.3)


def test_large_networks_are_refused(monkeypatch) -> None:
    monkeypatch.setattr(torch_source, "MOST_NUMBERS", 2)
    net = network([[[1, 1]]], [[0]], task="parity:2")
    message = (
        "network: it has 2 weights, 3 of them in the text; a module has up to 16777216 and 2; take "
        "another target: c, onnx and json hold sparse layers as they are"
    )
    with refused(NetworkError, message):
        _ = write_torch(subject_of(net))


def test_without_pytorch_nothing_is_claimed(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(check_torch, "is_installed", lambda _: False)
    net = network([[[1, 1]]], [[0]], task="parity:2")
    comparison = compare_torch({"": tmp_path / "net.py"}, subject_of(net))
    assert comparison.equal is None
    assert "pip install torch" in comparison.reason


HOSTILE = ("class", "None", "torch", "import", "é", "a b", "1", "nn", "print", "WEIGHTS", "x-y.z")


def test_hostile_names_are_compiled(tmp_path: Path) -> None:
    task = parse_table("in def:1,in class:1<1,out lambda:1\n0,0,0\n1,0,1\n", where='a"""\\u.csv')
    net = network([[[1, 0]]], [[0]], task=task)
    names = {class_name(name) for name in HOSTILE}
    assert len(names) == len(HOSTILE)
    for name in HOSTILE:
        text = write_torch(subject_of(net, name=name))[""]
        _ = compile(text, "exported", "exec")
        assert f"class {class_name(name)}(nn.Module):" in text
    path = tmp_path / "net.py"
    _ = path.write_text(write_torch(subject_of(net))[""])
    assert adderlab.prove(module_in(path, "net"))


class Plain(torch.nn.Module):
    """A module that says something of itself beside its forward."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = torch.nn.Linear(2, 1)
        with torch.no_grad():
            _ = self.fc1.weight.copy_(torch.tensor([[1.0, 1.0]]))
            _ = self.fc1.bias.copy_(torch.tensor([0.0]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc1(x)


def declared(record: Any, kind: type[Plain] = Plain) -> torch.nn.Module:
    return type("Own", (kind,), {"adderlab": record})()


def test_what_a_class_says_is_taken_where_its_forward_shows_it() -> None:
    read = from_module(declared({"readout": "exact", "task": "parity:2"}))
    assert (read.network.readout, read.notes) == (EXACT, ())
    assert read.network.task is not None
    assert from_module(declared("nothing of ours")).network.readout == Readout()

    class Compares(Plain):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return (self.fc1(x) > 1).float()

    read = from_module(declared({"readout": "exact"}, Compares))
    assert read.network.readout == Readout("threshold", 1.0)
    assert read.notes == ("its class says that the readout is exact, and its forward compares",)
    read = from_module(declared({"format": "int2"}))
    assert read.network.format == "fp32"
    assert read.notes[-1] == (
        "its class says that it is in int2; its layers are read in fp32, since they are not what "
        "its buffers hold"
    )


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"formt": "int2"}, "Own.adderlab: 'formt' is none of what a class says of its network; "),
        ({"format": "int99"}, "Own.adderlab: 'int99' is none of what a class says"),
        ({"readout": "> 1"}, "Own.adderlab: '> 1' is none of what a class says"),
        ({"task": "table:x.csv"}, "Own.adderlab: a network file can't name the task"),
    ],
)
def test_what_a_class_may_not_say(record: Any, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        _ = from_module(declared(record))
    assert str(caught.value).startswith(message)


def test_the_source_runs_with_torch_alone(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    _ = path.write_text(write_torch(subject_of(scaled_net()))[""])
    code = (
        "import sys, net, torch\n"
        "model = net.Net()\n"
        "print(model(torch.tensor([[1, 1]])).tolist(), 'adderlab' in sys.modules)"
    )
    home = str(Path(torch.__file__).parents[1])
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": home}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert ran.stdout.strip() == "[[1.0, 0.0]] False"
