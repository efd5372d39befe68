"""Time the training of populations as ratios against the notebook's loop, all in one run.

Run: python benchmarks/populations.py [--quick]

Each figure is taken in a process of its own, so that its peak of memory is its own. JAX takes part
where it is installed; adderlab does not need it. A network makes 1000 full-batch steps; where one
is timed over fewer (the PyTorch ensemble, over 100), its time is that of 1000. The ratios are of
processors' time: on a machine that does other things as well, the clock's says little.
"""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

STEPS = 1000
CASES = (("half-adder", 2), ("half-adder", 3), ("half-adder", 8), ("adder:2", 16))


Times = np.ndarray
"""Seconds by the clock, and seconds of processors."""


@dataclass(frozen=True)
class Taken:
    """What one figure is: seconds a network, by the clock and of processors, and peak memory."""

    seconds: float
    cpu: float
    megabytes: float


def table(task_name: str):
    """Return a task's rows and labels as float32."""
    from adderlab.tasks import task_named

    task = task_named(task_name)
    block = next(task.blocks(task.rows))
    return block.inputs.astype(np.float32), block.expected.astype(np.float32)


def notebook(task_name: str, hidden: int, repeats: int) -> Times:
    """The notebook's loop: one network on 1000 samples."""
    import torch
    from torch import nn, optim

    torch.set_num_threads(1)  # more help nothing here, and wait for each other on a busy machine
    rows, labels = table(task_name)

    def train():
        chosen = torch.randint(len(rows), (1000,))
        x, y = torch.tensor(rows)[chosen], torch.tensor(labels)[chosen]
        sizes = (rows.shape[1], hidden, labels.shape[1])
        model = nn.Sequential(nn.Linear(*sizes[:2]), nn.ReLU(), nn.Linear(*sizes[1:]))
        optimizer = optim.SGD(model.parameters(), lr=0.1)
        criterion = nn.MSELoss()
        for _ in range(STEPS):
            loss = criterion(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return least(train, repeats)


def starts(sizes, members):
    """Return weights and biases of each layer, with an axis of members."""
    rng = np.random.default_rng(0)
    parts = []
    for n_in, n_out in pairwise(sizes):
        bound = n_in**-0.5
        parts.append(rng.uniform(-bound, bound, (members, n_out, n_in)).astype(np.float32))
        parts.append(rng.uniform(-bound, bound, (members, n_out)).astype(np.float32))
    return parts


def ensemble(task_name: str, hidden: int, repeats: int, threads: int) -> Times:
    """Batched PyTorch: baddbmm over members, autograd; the best of three numbers of members."""
    import torch

    torch.set_num_threads(threads)
    rows, labels = (torch.tensor(part) for part in table(task_name))
    steps = 100
    sizes = (rows.shape[1], hidden, labels.shape[1])
    times = []
    for members in (256, 1024, 4096):
        share = torch.full((members, len(rows)), 1 / len(rows))

        def train(members=members, share=share):
            parameters = [torch.tensor(part, requires_grad=True) for part in starts(sizes, members)]
            optimizer = torch.optim.SGD(parameters, lr=0.1)
            x = rows.expand(members, *rows.shape)
            for _ in range(steps):
                w1, b1, w2, b2 = parameters
                h = torch.relu(torch.baddbmm(b1[:, None], x, w1.mT))
                y = torch.baddbmm(b2[:, None], h, w2.mT)
                loss = (((y - labels) ** 2).mean(dim=2) * share).sum()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()

        times.append(least(train, repeats) / members * STEPS / steps)
    return np.min(times, axis=0)


def jax_vmap(task_name: str, hidden: int, repeats: int) -> Times:
    """JAX: one network's whole training as a loop, vmapped over members, compiled."""
    import jax
    import jax.numpy as jnp

    rows, labels = (jnp.array(part) for part in table(task_name))
    sizes = (rows.shape[1], hidden, labels.shape[1])
    members = 4096 if hidden < 16 else 512

    def loss(parameters, share):
        w1, b1, w2, b2 = parameters
        h = jax.nn.relu(rows @ w1.T + b1)
        y = h @ w2.T + b2
        return (((y - labels) ** 2).mean(axis=1) * share).sum()

    def train(parameters, share):
        def step(_, parameters):
            gradients = jax.grad(loss)(parameters, share)
            return [p - 0.1 * g for p, g in zip(parameters, gradients, strict=True)]

        return jax.lax.fori_loop(0, STEPS, step, parameters)

    share = jnp.full((members, len(rows)), 1 / len(rows))
    start = [jnp.array(part) for part in starts(sizes, members)]
    run = jax.jit(jax.vmap(train))
    _ = jax.block_until_ready(run(start, share))
    return least(lambda: jax.block_until_ready(run(start, share)), repeats) / members


def ours(task_name: str, hidden: int, repeats: int, threads: int) -> Times:
    """Adderlab's kernels, with everything around them: draws, data, losses, checks."""
    from adderlab.tasks import task_named
    from adderlab.training import Settings
    from adderlab.training.members import train_members

    task, settings = task_named(task_name), Settings(hidden=hidden, steps=STEPS)
    members = {2: 200_000, 3: 200_000, 8: 50_000, 16: 4096}[hidden]
    _ = train_members(task, settings, range(16))
    return (
        least(lambda: train_members(task, settings, range(members), threads=threads), repeats)
        / members
    )


def first_call(task_name: str, hidden: int) -> Times:
    """The first population of a process, of one step: what compiling or loading takes."""
    from adderlab.tasks import task_named
    from adderlab.training import Settings
    from adderlab.training.members import train_members

    task, settings = task_named(task_name), Settings(hidden=hidden, steps=1)
    return least(lambda: train_members(task, settings, range(16)), 1)


def agreement(members: int) -> Times:
    """The share of members whose verdict is that of adderlab's own ensemble in PyTorch."""
    from adderlab.tasks import task_named
    from adderlab.training import Settings
    from adderlab.training.judging import judge
    from adderlab.training.members import train_members

    task, settings = task_named("half-adder"), Settings(seed=1)
    both = [
        judge(task, settings, train_members(task, settings, range(members), path=path).arrays)
        for path in ("numba-lanes", "torch-ensemble")
    ]
    return np.full(2, (both[0].is_right == both[1].is_right).mean())


def least(work: Callable[[], object], repeats: int) -> Times:
    """Return the least times of several runs, by the clock and of all processors' work.

    On a machine that does other things as well, the second says more.
    """
    times = []
    for _ in range(repeats):
        start = time.perf_counter(), time.process_time()
        _ = work()
        times.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    return np.min(times, axis=0)


def _measured(work: Callable[..., Times], arguments: tuple) -> Taken:
    seconds, cpu = work(*arguments)
    return Taken(seconds, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def measured(work: Callable[..., Times], *arguments) -> Taken:
    """Return a figure, taken in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (work, arguments))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    _ = parser.add_argument("--quick", action="store_true", help="one repeat, fewer shapes")
    quick = parser.parse_args().quick
    repeats = 1 if quick else 5
    has_jax = importlib.util.find_spec("jax") is not None
    print(f"{os.cpu_count()} cores; {STEPS} full-batch steps of SGD on weighted rows; "
          f"least of {repeats}")  # fmt: skip
    if not has_jax:
        print("JAX is not installed and is left out")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ADDERLAB_CACHE_DIR"] = folder
        for task, hidden in CASES[1:2] if quick else CASES:
            _compare(task, hidden, repeats, has_jax)
        alike = measured(agreement, 1000 if quick else 10_000)
    print(f"verdicts alike with a batched PyTorch ensemble: {alike.seconds:.2%}")


def _compare(task: str, hidden: int, repeats: int, has_jax: bool) -> None:
    cold = measured(first_call, task, hidden)
    warm = measured(first_call, task, hidden)
    rows = [
        ("the notebook's loop", measured(notebook, task, hidden, min(repeats, 2))),
        ("PyTorch ensemble, 1 thread", measured(ensemble, task, hidden, repeats, 1)),
        ("PyTorch ensemble, 2 threads", measured(ensemble, task, hidden, repeats, 2)),
    ]
    if has_jax:
        rows.append(("JAX jit(vmap)", measured(jax_vmap, task, hidden, repeats)))
    rows += [
        ("adderlab, 1 thread", measured(ours, task, hidden, repeats, 1)),
        ("adderlab, 2 threads", measured(ours, task, hidden, repeats, 2)),
    ]
    base, best = rows[0][1], rows[-1][1]
    print(f"\n{task}, {hidden} hidden; first call {cold.seconds:.1f} s (compiles), "
          f"{warm.seconds:.2f} s from the cache")  # fmt: skip
    print(
        f"{'µs a network':>42}{'of processors':>15}{'the loop is':>13}{'ours is':>9}{'peak MB':>9}"
    )
    for name, taken in rows:
        print(f"{name:28}{taken.seconds * 1e6:14,.2f}{taken.cpu * 1e6:15,.2f}"
              f"{base.cpu / taken.cpu:14,.0f}{taken.cpu / best.cpu:12,.1f}"
              f"{taken.megabytes:9,.0f}")  # fmt: skip


if __name__ == "__main__":
    main()
