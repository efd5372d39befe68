"""Time training as ratios against the notebook's own loop, all in one run.

Run: python benchmarks/training.py
"""

from __future__ import annotations

import resource
import time

import torch
from torch import nn, optim

import adderlab

REPEATS = 3
POPULATION = 1000


class NotebookAdder(nn.Module):
    """The notebook's class, as it stands."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(2, 3)
        self.fc2 = nn.Linear(3, 2)
        self.relu = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc2(self.relu(self.fc1(x)))


def notebook() -> None:
    """The notebook's cells 62 and 63, without the printing."""
    x_data, y_data = [], []
    for _ in range(1000):
        a = torch.randint(0, 2, (1,)).item()
        b = torch.randint(0, 2, (1,)).item()
        x_data.append([a, b])
        y_data.append([(a + b) >> 1, (a + b) & 1])
    x = torch.tensor(x_data, dtype=torch.float32)
    y = torch.tensor(y_data, dtype=torch.float32)
    model = NotebookAdder()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.MSELoss()
    for _ in range(1000):
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def seconds(work, networks: int = 1) -> float:
    """Return the least time a network of several runs."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) / networks)
    return min(times)


def main() -> None:
    _ = torch.manual_seed(0)
    base = seconds(notebook)
    rows = [
        ("the notebook's loop", base),
        ("adderlab train (with its proof)", seconds(lambda: adderlab.train("half-adder"))),
        (
            f"adderlab train --seeds {POPULATION}",
            seconds(lambda: adderlab.train_many("half-adder", seeds=POPULATION), POPULATION),
        ),
    ]
    print(f"half adder, 3 hidden, 1000 steps; torch {torch.__version__}, "
          f"{torch.get_num_threads()} threads")  # fmt: skip
    for name, each in rows:
        print(f"{name:34} {each * 1e6:12,.0f} µs a network   {base / each:8.1f} x")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MB")


if __name__ == "__main__":
    main()
