"""Make the golden files that pin the page's engine to PyTorch and to the prover.

``python tests/page/golden.py`` writes ``tests/page/goldens/``. What PyTorch gives in the last
digits depends on the CPU's kernels; the files hold what it gave where they were made, which the
engine must give everywhere.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import torch
from torch import nn

import adderlab
from adderlab.nets import Activation, Layer, Network, Readout
from adderlab.nets.evaluation import outputs
from adderlab.nets.tensors import Dense
from adderlab.tasks import as_task

GOLDENS = Path(__file__).parent / "goldens"
KEPT = (0, 1, 2, 10, 100, 300)
MODULES = {"relu": nn.ReLU(), "leaky": nn.LeakyReLU(0.125), "tanh": nn.Tanh()}
TASKS = ("half-adder", "full-adder", "adder:2", "parity:3", "comparator:1")


def page_task(name):
    """Return a task in the page's form: its rows' bits, and what they are in words."""
    task = as_task(name)
    block = next(task.blocks(task.rows))
    rows = [
        {
            "inputs": x,
            "expected": y,
            "words": words(task.inputs, x),
            "result": words(task.outputs, y),
        }
        for x, y in zip(block.inputs.tolist(), block.expected.tolist(), strict=True)
    ]
    return {
        "name": name,
        "inputs": [[word.name, word.width] for word in task.inputs],
        "outputs": [[word.name, word.width] for word in task.outputs],
        "input_names": list(names(task.inputs)),
        "output_names": list(names(task.outputs)),
        "rows": rows,
    }


def words(frame, bits):
    """Return the words' values, the most significant bit of each first."""
    values, rest = {}, list(bits)
    for word in frame:
        mine, rest = rest[: word.width], rest[word.width :]
        values[word.name] = int("".join(map(str, mine)), 2)
    return values


def names(frame):
    """Yield the bits' names: `c1`, `c0`; a word of one bit by its bare name."""
    for word in frame:
        if word.width == 1:
            yield word.name
        else:
            yield from (f"{word.name}{i}" for i in reversed(range(word.width)))


def trained(name, hidden, activation, seed, *, lr=0.1, batch=None):
    """Return a run of PyTorch's own: parameters before some steps, and losses."""
    task = page_task(name)
    x, y = (
        torch.tensor([row[key] for row in task["rows"]], dtype=torch.float32)
        for key in ("inputs", "expected")
    )
    sizes = [x.shape[1], *hidden, y.shape[1]]
    model = model_of(sizes, activation, seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    chosen = None
    if batch is not None:  # drawn after the model, as `adderlab train` draws them
        chosen = torch.randint(len(x), (max(KEPT) + 1, batch))
    kept, losses = {}, {}
    for step in range(max(KEPT) + 1):
        if step in KEPT:
            kept[step] = nn.utils.parameters_to_vector(model.parameters()).tolist()
        rows = slice(None) if chosen is None else chosen[step]
        loss = nn.MSELoss()(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step in KEPT:
            losses[step] = loss.item()
    case = {"task": task, "sizes": sizes, "activation": activation, "seed": seed}
    case |= {"lr": lr, "batch": batch}
    return case | {"slope": 0.125, "parameters": kept, "losses": losses}


def runs():
    """Return runs of the shapes on which the engine gives PyTorch's bits, and of others."""
    torch.set_num_threads(1)
    bitwise = [
        trained("half-adder", [hidden], activation, seed) | {"bitwise": True}
        for hidden in (2, 3, 4)
        for activation in ("relu", "leaky")
        for seed in (0, 1, 4294967295)
    ]
    bitwise += [
        trained("half-adder", [3], "relu", 9, lr=0.05, batch=batch) | {"bitwise": True}
        for batch in (1, 2)
    ]
    others = [
        trained("half-adder", [8], "relu", 5),
        trained("half-adder", [3], "tanh", 6),
        trained("full-adder", [8], "relu", 7),
        trained("parity:3", [4, 4], "leaky", 8),
    ]
    return bitwise + [run | {"bitwise": False} for run in others]


def model_of(sizes, activation, seed):
    """Return a fresh model of a shape, its weights drawn from the seed."""
    _ = torch.manual_seed(seed)
    parts = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), MODULES[activation])]
    return nn.Sequential(*parts[:-1])


def lesson(name, hidden, activation, seed, row, *, zero_grad):
    """Return the slots of all parameters after each of two steps on one row."""
    task = page_task(name)
    x, y = (
        torch.tensor([task["rows"][row][key]], dtype=torch.float32)
        for key in ("inputs", "expected")
    )
    sizes = [x.shape[1], *hidden, y.shape[1]]
    model = model_of(sizes, activation, seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    steps = []
    for _ in range(2):
        nn.MSELoss()(model(x), y).backward()
        optimizer.step()
        gradients = torch.cat([p.grad.flatten() for p in model.parameters()]).tolist()
        values = nn.utils.parameters_to_vector(model.parameters()).tolist()
        steps.append({"values": values, "gradients": gradients})
        if zero_grad:
            optimizer.zero_grad()
    case = {"task": task, "sizes": sizes, "activation": activation, "slope": 0.125, "seed": seed}
    return case | {"row": row, "zero_grad": zero_grad, "steps": steps}


def lessons():
    """Return lessons of every activation, with and without ``zero_grad``."""
    shapes = (
        ("half-adder", [3], "relu"),
        ("full-adder", [4, 3], "leaky"),
        ("parity:3", [2], "tanh"),
    )
    return [
        lesson(*shape, 3, 3, zero_grad=zero_grad) for shape in shapes for zero_grad in (True, False)
    ]


def value(random):
    """Return a double of any kind: small whole numbers, quarters, any size, subnormal, 0."""
    kind = random.randrange(6)
    if kind == 0:
        return float(random.randrange(-3, 4))
    if kind == 1:
        return random.randrange(-12, 13) / 4
    if kind == 2:
        return float(np.float32(random.gauss(0, 1)))
    if kind == 3:
        return random.gauss(0, 1)
    if kind == 4:
        return float(np.ldexp(random.random() - 0.5, random.randrange(-70, 70)))
    return random.choice([0.0, -0.0, 5e-324, -(2.0**-149), 2.0**-1022])


def network_json(random, n_in, n_out):
    """Return a random network in the page's form."""
    sizes = [n_in, *(random.randrange(1, 5) for _ in range(random.randrange(3))), n_out]
    layers = []
    for a, b in pairwise(sizes):
        layer = {
            "weight": [[value(random) for _ in range(a)] for _ in range(b)],
            "bias": random.choice([None, [value(random) for _ in range(b)]]),
            "activation": random.choice(["relu", "identity", "step", "leaky"]),
        }
        if layer["activation"] == "leaky":
            layer["slope"] = random.choice([0.125, 0.01, -0.5, 2.5])
        if layer["activation"] == "step":
            layer["convention"] = random.choice([">", ">="])
        layers.append(layer)
    readout = random.choice(
        [
            {"kind": "exact"},
            {
                "kind": "threshold",
                "threshold": random.choice([0.5, 0.0, value(random)]),
                "convention": random.choice([">", ">="]),
            },
        ]
    )
    return {"layers": layers, "readout": readout, "format": "fp64"}


def values(net):
    """Return all that a network of the page's form computes with."""
    keys = ("weight", "bias", "activation", "slope", "convention")
    return [[layer.get(key) for key in keys] for layer in net["layers"]], net["readout"]


def network_of(net):
    """Return a network of the page's form as a :class:`Network`."""
    layers = tuple(
        Layer(
            Dense(np.array(layer["weight"])),
            None if layer["bias"] is None else Dense(np.array(layer["bias"])),
            Activation(
                layer["activation"],
                **{key: layer[key] for key in ("slope", "convention") if key in layer},
            ),
        )
        for layer in net["layers"]
    )
    return Network(layers, Readout(**net["readout"]), format=net["format"])


def json_of(network):
    """Return a network that adderlab built in the page's form."""
    layers = [
        {
            "weight": layer.weight.exact().to_floats().tolist(),
            "bias": None if layer.bias is None else layer.bias.exact().to_floats().tolist(),
            "activation": layer.activation.kind,
        }
        for layer in network.layers
    ]
    readout = network.readout
    threshold = {"threshold": readout.threshold, "convention": readout.convention}
    kind = {"kind": readout.kind} | (threshold if readout.kind == "threshold" else {})
    return {"layers": layers, "readout": kind, "format": "fp64"}


BUILT = [
    (name, json_of(adderlab.build(name, method=method).network))
    for name, method in (
        ("half-adder", "lecture"),
        ("half-adder", "one-layer"),
        ("full-adder", "one-layer"),
        ("adder:2", "ripple"),
        ("adder:2", "prefix"),
        ("parity:3", "table"),
        ("comparator:1", "table"),
    )
]


def changed(net, random):
    """Return a network with one weight a little or a lot different."""
    number = random.randrange(len(net["layers"]))
    layers = json.loads(json.dumps(net["layers"]))
    row = random.choice(layers[number]["weight"])
    row[random.randrange(len(row))] += random.choice([2.0**-60, -0.25, 0.25, 1.0])
    return net | {"layers": layers}


def judged(net, name):
    """Return what the prover says of a network, in exact arithmetic on every row."""
    network = network_of(net)
    verdict = adderlab.prove(network, name, formats="exact", engine="enumeration").to_dict()
    task = page_task(name)
    values = outputs(network, np.array([row["inputs"] for row in task["rows"]], dtype=np.uint8))
    raw = [[str(values.at(r, o)) for o in range(values.shape[1])] for r in range(values.shape[0])]
    wrong = verdict["counterexample"]
    number = -1
    if wrong is not None:
        number = next(r for r, row in enumerate(task["rows"]) if row["words"] == wrong["input"])
    margin = verdict["margin"] and {key: verdict["margin"][key] for key in ("of_0", "of_1", "min")}
    case = {"network": net, "task": task, "outputs": raw, "margin": margin, "wrong": number}
    return case | {key: verdict[key] for key in ("verdict", "rows_right")}


def verdicts(count, seed):
    """Return random networks, good and bad, and what the prover says of each."""
    random = Random(seed)
    cases = []
    for _ in range(count):
        name = random.choice(TASKS)
        task = as_task(name)
        cases.append(judged(network_json(random, task.n_in, task.n_out), name))
        name, net = random.choice(BUILT)
        cases += [judged(net, name), judged(changed(net, random), name)]
    return cases


def main():
    """Write the golden files."""
    GOLDENS.mkdir(exist_ok=True)
    for name, cases in (
        ("runs", runs()),
        ("lessons", lessons()),
        ("verdicts", verdicts(15, seed=1)),
    ):
        _ = (GOLDENS / f"{name}.json").write_text(json.dumps(cases) + "\n")


if __name__ == "__main__":
    main()
