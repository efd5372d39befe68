"""Time enumeration in compiled kernels beside a batched forward pass in PyTorch, all in one run.

Rows a second of wall time, on the same cores, in turns; the best of each. Kernels are compiled
before, and beside the outputs they compare each row with the task and find both margins.

Run: python benchmarks/enumeration.py
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import torch
from torch import nn

import adderlab
from adderlab.kernels.threads import cores
from adderlab.limits import Budget
from adderlab.proving.enumeration import Enumeration, enumerate_rows
from adderlab.proving.kernels.chosen import kernel_of
from adderlab.proving.kernels.sweep import Sweep
from adderlab.tasks import Task, Word, task_named

TURNS, TURN_S = 3, 3.0
BATCHES = (1 << 12, 1 << 14, 1 << 16)


def rate(work: Callable[[], int]) -> float:
    """Return the rows a second of something that returns how many rows it took."""
    start, rows = time.perf_counter(), 0
    while time.perf_counter() - start < TURN_S:
        rows += work()
    return rows / (time.perf_counter() - start)


def swept(net: adderlab.Network, task: Task, results: list[Enumeration]) -> Callable[[], int]:
    """Return an enumeration of all rows in the network's kernel, which is compiled first."""
    kernel = kernel_of(net, task)
    assert kernel is not None
    _ = kernel.compile(print)
    print(f"  {type(kernel).__name__}, lanes of {kernel.dtype.name}")

    def work() -> int:
        result = Enumeration()
        run = Sweep(net, task, kernel, result)
        run.run(Budget.of(), lambda share: None, print)
        assert result.rows == task.rows
        results.append(result)
        return result.rows

    return work


def forward(module: nn.Module, bits: int, batch: int) -> Callable[[], int]:
    """Return a forward pass over rows of bits, a batch at a time."""
    places = torch.arange(bits - 1, -1, -1)
    rows = ((torch.arange(1 << 18)[:, None] >> places) & 1).float()

    def work() -> int:
        with torch.inference_mode():
            for start in range(0, len(rows), batch):
                _ = module(rows[start : start + batch])
        return len(rows)

    return work


def beside(name: str, net: adderlab.Network, task: Task) -> None:
    """Print the rates of an enumeration and of PyTorch, taken in turns, and of none compiled."""
    sizes = [task.n_in, *(layer.n_out for layer in net.layers)]
    layers = [part for ends in pairwise(sizes)
              for part in (nn.Linear(*ends), nn.ReLU())]  # fmt: skip
    print(f"{name}, {'-'.join(map(str, sizes))}")
    results: list[Enumeration] = []
    ours = swept(net, task, results)
    theirs = [forward(nn.Sequential(*layers[:-1]), task.n_in, batch) for batch in BATCHES]
    fast, torch_rate = 0.0, 0.0
    for _ in range(TURNS):
        fast = max(fast, rate(ours))
        torch_rate = max(torch_rate, *(rate(work) for work in theirs))
    print(
        f"  kernel {fast / 1e6:8.1f} million rows/s   PyTorch {torch_rate / 1e6:6.2f}   "
        f"ratio {fast / torch_rate:6.1f}   ({results[-1].wrong} of {task.rows} rows wrong)",
        flush=True,
    )


def greater(width: int) -> Task:
    """Return the task a > b of two words."""
    compared = task_named(f"comparator:{width}")
    return replace(
        compared,
        name="greater",
        outputs=(Word("gt", 1),),
        rule=lambda words: {"gt": (words["a"] > words["b"]) * 1},
        record=None,
    )


def trained(task: Task, seed: int = 1, steps: int = 2000) -> adderlab.Network:
    """Return 20-64-64-1 in fp32, trained on random rows of a task by Adam with cross-entropy."""
    _ = torch.manual_seed(seed)
    layers = nn.Linear(task.n_in, 64), nn.Linear(64, 64), nn.Linear(64, 1)
    module = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
    optimizer = torch.optim.Adam(module.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=steps)
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        words = task.input_words(rng.integers(0, task.rows, 1024))
        block = task.block_of(words)
        inputs, labels = (torch.tensor(part, dtype=torch.float32)
                          for part in (block.inputs, block.expected))  # fmt: skip
        loss = nn.functional.binary_cross_entropy_with_logits(module(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    numbers = [part.detach().numpy() for part in module.parameters()]
    return adderlab.network(numbers[0::2], numbers[1::2], readout="> 0", task=task)


def main() -> None:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{cores()} cores, load before {load}; torch {torch.__version__}")
    adder = adderlab.build("adder:10", method="one-layer").network
    task = task_named("adder:10")
    beside("one-layer adder:10", adder, task)
    start = time.perf_counter()
    _ = enumerate_rows(adder, task)
    print(f"  without a kernel {task.rows / (time.perf_counter() - start) / 1e6:.2f}")
    for name, own in (
        ("a > b of 10 bits", greater(10)),
        ("majority:20", task_named("majority:20")),
    ):
        beside(f"trained on {name}", trained(own), own)

    wide = adderlab.build("adder:16", method="one-layer").network
    work = swept(wide, task_named("adder:16"), [])
    start, used = time.perf_counter(), time.process_time()
    rows = work()
    seconds, used = time.perf_counter() - start, time.process_time() - used
    print(f"one-layer adder:16, {rows} rows: {seconds:.1f} s, {used:.1f} s of the cores together")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MB, PyTorch included")


if __name__ == "__main__":
    main()
