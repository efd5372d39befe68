"""What is drawn in the tests: networks, runs and populations, usual ones and extreme ones."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np

from adderlab.building import lecture_network, printed_network
from adderlab.figures import Failure, FailureRow, MapAxis, MapView, RatePoint
from adderlab.nets import EXACT, Activation, Layer, Network, Readout, network
from adderlab.nets.tensors import Dense
from adderlab.tasks import Task, task_named
from adderlab.tasks.tables import parse_table

HALF_ADDER = task_named("half-adder")
LECTURE = lecture_network(HALF_ADDER)


def random_net(sizes: tuple[int, ...], task: str | Task, seed: int = 1, **options) -> Network:
    """Return a network with weights from a generator, many digits each."""
    generator = np.random.default_rng(seed)
    return network(
        [generator.normal(size=(n, m)).astype(np.float32) for m, n in pairwise(sizes)],
        [generator.normal(size=n).astype(np.float32) for n in sizes[1:]],
        task=task_named(task) if isinstance(task, str) else task,
        **options,
    )


def random_graph(*layers, outputs=None, seed=1, task=HALF_ADDER) -> Network:
    """Return a graph of layers, each given by what it reads, its units and its activation."""
    generator = np.random.default_rng(seed)
    sizes = {"input": task.n_in}
    drawn = []
    for number, (reads, units, kind) in enumerate(layers, start=1):
        shape = (units, sum(sizes[name] for name in reads))
        weight, bias = (
            Dense(generator.normal(size=size).astype(np.float32)) for size in (shape, shape[:1])
        )
        drawn.append(Layer(weight, bias, Activation(kind), reads))
        sizes[f"fc{number}"] = units
    return Network(tuple(drawn), task=task, outputs=outputs)


def residual_sum() -> Network:
    """Return a network that adds its inputs to what two layers make of them."""
    first, second = random_net((2, 2, 2), HALF_ADDER, 6).layers
    plus = Layer(Dense(np.float32([[1, 0, 1, 0], [0, 1, 0, 1]])), inputs=("fc2", "input"))
    return Network((first, second, plus), task=HALF_ADDER)


IN, RELU, NONE = ("input",), "relu", "identity"
GRAPHS = {
    "two heads": random_graph(
        (IN, 3, RELU), (("fc1",), 1, RELU), (("fc1",), 2, "tanh"), (("fc2",), 1, NONE),
        (("fc3",), 1, NONE), outputs=("fc5", "fc4"),
    ),
    "skip": random_graph((IN, 3, RELU), (("fc1", "input"), 2, NONE)),
    "residual sum": residual_sum(),
    "read twice": random_graph((IN, 1, RELU), (("input", "fc1"), 1, NONE), outputs=("fc1", "fc2")),
    "every layer reads all": random_graph(
        (IN, 2, RELU), (("fc1", "input"), 2, RELU), (("fc2", "fc1", "input"), 2, NONE)
    ),
    "wide graph": random_graph(
        (IN, 24, RELU), (("input", "fc1"), 9, RELU), (("input", "fc1", "fc2"), 2, NONE)
    ),
    "graph of blocks": random_graph(
        (IN, 80, RELU), (("input", "fc1"), 20, RELU), (IN, 70, "tanh"), (("fc3", "input"), 1, NONE),
        (("fc2",), 1, NONE), outputs=("fc5", "fc4"),
    ),
}  # fmt: skip
LONG_NUMBERS = network(
    [[[1e-9, -123456.789], [98765.4321, -1.17519999], [3e30, -2e-30]]],
    [[-99999.99, 1e12, 0.000123456]],
    task=parse_table("in a:1,in b:1,out s:3\n0,0,*\n0,1,1\n1,0,2\n1,1,7\n", where="t.csv"),
    readout=Readout("threshold", 123.456789, ">="),
    format="fp64",
)
HEADER = "in operand_on_the_left_hand_side:1,in WWWWWWWWWWWWWWWWWWWWWW:1"
LONG_NAMES = parse_table(
    f"{HEADER},out the_carry_that_comes_out:1,out s:1\n0,0,0,0\n0,1,0,1\n1,0,0,1\n1,1,1,0\n",
    where="names.csv",
)
NETS = {
    "lecture": LECTURE,
    "printed": printed_network(),
    "2-8-2": random_net((2, 8, 2), HALF_ADDER),
    "2-64-2": random_net((2, 64, 2), HALF_ADDER),
    "4-16-3": random_net((4, 16, 3), "adder:2"),
    "deep": random_net((2, 3, 4, 2), HALF_ADDER, 3),
    "full-adder": random_net((3, 3, 2), "full-adder", 5),
    "tanh": random_net((2, 3, 2), HALF_ADDER, 7, activation=Activation("tanh")),
    "exact": replace(random_net((2, 2, 2), HALF_ADDER, 8), readout=EXACT),
    "step": random_net((2, 3, 2), HALF_ADDER, 9, activation=Activation("step")),
    "one word": random_net((2, 2, 1), "parity:2", 2),
    "affine": random_net((2, 2), HALF_ADDER),
    "large": random_net((16, 80, 9), "adder:8"),
    "many layers": random_net((2, *[3] * 12, 2), HALF_ADDER),
    "many outputs": random_net((8, 21, 5), "adder:4"),
    "wide outputs": random_net((40, 3, 21), "adder:20"),
    "long numbers": LONG_NUMBERS,
    "long names": random_net((2, 3, 2), LONG_NAMES, 4),
}
RUNS = {
    "single": {"seed 0": [(100, 0.1303), (200, 0.0863), (300, 0.041)]},
    "alike": {f"seed {s}": [(100, 0.2), (200, 0.1 + s * 1e-5)] for s in range(12)},
    "many": {f"seed {s}": [(100, 0.2), (200, 0.1 + s * 1e-3)] for s in range(40)},
    "falling": {"a": [(n, math.exp(-n)) for n in range(1, 30)], "b": [(1, 1.0), (29, 0.9)]},
    "diverged": {
        "good": [(1, 0.5), (9, 0.25)],
        "bad": [(1, 0.5), (2, math.inf)],
        "lost": [(1, math.nan)],
    },
    "short": {"x" * 60: [(7, 0.0)], "negative": [(1, -1.5), (7, 2e9)]},
    "none": {},
}
WIDTHS = [
    RatePoint(2, 0.24, 0.2, 0.29),
    RatePoint(3, 0.51, 0.48, 0.55, is_own=True),
    RatePoint(4, 0.7, 0.66, 0.74),
    RatePoint(8, 1.0, 0.98, 1.0),
]
RATES = {
    "widths": (WIDTHS, False),
    "one": (WIDTHS[:1], False),
    "many": ([RatePoint(n, n / 60, 0, 1) for n in range(1, 41)], False),
    "learning rates": ([RatePoint(10.0**n, 0.1 * (n + 4), 0, 0.9) for n in range(-4, 3)], True),
    "close": ([RatePoint(2.0**n, 0.5, 0.4, 0.6) for n in range(9)], True),
}
STEPS = [0, 50, 100, 500, 1000]
QUANTILES = {
    "usual": {
        0.05: [0.3, 1e-2, 1e-4, 1e-7, 1e-9],
        0.25: [0.4, 0.1, 1e-2, 1e-4, 1e-6],
        0.5: [0.5, 0.2, 0.1, 0.05, 0.04],
        0.75: [0.7, 0.3, 0.2, 0.16, 0.16],
        0.95: [1.0, 0.4, 0.2, 0.17, 0.17],
    },
    "some diverge": {
        0.25: [0.4, 0.1, 0.0, 0.0, 0.0],
        0.5: [0.5, 0.2, 0.1, 0.05, 0.04],
        0.75: [0.7, 3e9, math.inf, math.inf, math.inf],
    },
    "all diverge": {0.5: [0.5, *[math.inf] * 4]},
    "all the same": {0.25: [0.1] * 5, 0.5: [0.1] * 5, 0.75: [0.1] * 5},
}


def row(number: int, got: int, units: int) -> FailureRow:
    a, b = divmod(number, 2)
    on = tuple((number >> unit) % 2 == 1 for unit in range(units))
    return FailureRow(f"a {a}, b {b}", str(a + b), str(got), a + b == got, on)


FAILURES = {
    "half adder": Failure(
        "10.4% of the networks, for example member 5 of seed 0",
        tuple(row(number, got, 3) for number, got in enumerate((1, 1, 1, 2))),
        ("dead at start: 84% of them; changed, 52% are right (control group 12%): a cause",),
    ),
    "wide": Failure(
        "0.1% of the networks", tuple(row(n % 4, n % 3, 30) for n in range(64)), ()
    ),
    "two outputs of long names": Failure(
        "1%",
        (FailureRow("carry in 1, left operand 12345, right 6789", "borrow 1, difference 44",
                    "borrow 0, difference 45", False, (True,)),),
        ("stuck: 100% of them",) * 4,
    ),
}  # fmt: skip


def view_of(rows: int, columns: int, shows: str = "convergence") -> MapView:
    """Return a map of as many networks, without any pattern."""
    random = np.random.default_rng(2)
    return MapView(
        random.normal(size=(rows, columns)),
        random.random((rows, columns)) < 0.5,
        MapAxis("learning rate", 0.01, 10, is_log=True),
        MapAxis("scale of the start", 0, 1),
        shows,
    )
