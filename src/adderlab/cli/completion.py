"""What the shell completes: names of tasks, formats and models, and files of the right kind.

Rule: completion answers while somebody types, so it imports neither NumPy nor PyTorch; the names
stand here again, and a test compares them with the library's.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

TASKS: Final = (
    "half-adder",
    "full-adder",
    "adder:4",
    "subtractor:4",
    "comparator:4",
    "multiplier:4",
    "parity:4",
    "majority:3",
    "popcount:4",
)
"""Every task, those of any width at a usual one."""

TABLE: Final = "table:"
"""What goes on with the file of a truth table."""

FORMATS: Final = (
    "fp64",
    "fp32",
    "fp16",
    "bf16",
    "fp8-e4m3",
    "fp8-e5m2",
    "int32",
    "int16",
    "int8",
    "int7",
    "int6",
    "int5",
    "int4",
    "int3",
    "int2",
    "ternary",
    "binary",
    "wide",
)
MODELS: Final = (
    "gpt2",
    "gpt2-medium",
    "gpt2-large",
    "gpt2-xl",
    "gpt3-175b",
    "llama-2-7b",
    "llama-2-13b",
    "llama-2-70b",
    "llama-3-8b",
    "llama-3-70b",
    "llama-3.1-405b",
    "mistral-7b",
    "mixtral-8x7b",
)
EXERCISES: Final = (
    "and",
    "xor",
    "half-adder",
    "two-units",
    "int2",
    "repair",
    "failing-seed",
    "full-adder",
    "majority",
    "parity",
    "fc1-size",
    "sgd-step",
)
ACTIVATIONS: Final = ("relu", "tanh", "leaky:0.125")
KEEPS: Final = ("none", "start", "weights", "every:100")
AXES: Final = ("lr=", "init=", "hidden=", "steps=", "momentum=", "batch=")

Completion = Callable[[str], list[str]]
"""From what is typed so far to what it may become."""


def words(*choices: str) -> Completion:
    """Return the completion of one of some words."""

    def complete(incomplete: str) -> list[str]:
        return [choice for choice in choices if choice.startswith(incomplete)]

    return complete


def files(*suffixes: str) -> Completion:
    """Return the completion of a path: files that end so, and the folders on the way to them."""

    def complete(incomplete: str) -> list[str]:
        paths = _paths(incomplete, suffixes)
        while len(paths) == 1 and paths[0].endswith("/"):  # a space would follow it: go on inside
            inside = _paths(paths[0], suffixes)
            if not inside:
                break
            paths = inside
        return paths

    return complete


def _paths(start: str, suffixes: tuple[str, ...]) -> list[str]:
    name = start.rpartition("/")[2]
    prefix = start.removesuffix(name)
    try:
        entries = sorted(Path(prefix or ".").expanduser().iterdir())
    except (OSError, RuntimeError):
        return []
    paths: list[str] = []
    for entry in entries:
        is_hidden = entry.name.startswith(".") and not name.startswith(".")
        if is_hidden or not entry.name.startswith(name):
            continue
        if entry.is_dir():
            paths.append(f"{prefix}{entry.name}/")
        elif entry.name.endswith(suffixes):
            paths.append(prefix + entry.name)
    return paths


NETWORKS: Final = files(".safetensors", ".onnx", ".pt", ".pth", ".npz")
EXPORTED: Final = files(".h", ".html", ".json", ".onnx", ".py", ".v", ".vnnlib")


def task(incomplete: str) -> list[str]:
    """Return the tasks that what is typed may become; after ``table:``, files of tables."""
    if incomplete.startswith(TABLE):
        tables = files(".csv", ".tsv", ".parquet", ".md", ".txt")
        return [TABLE + path for path in tables(incomplete.removeprefix(TABLE))]
    return words(*TASKS, TABLE)(incomplete)
