"""Files of weights as people have them, written for tests; one network, in each form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file

WEIGHTS: dict[str, Any] = {
    "fc1.weight": [[1, 1], [1, 1], [2, -3]],
    "fc1.bias": [0, -1, -4],
    "fc2.weight": [[0, 1, 5], [1, -2, 0.5]],
    "fc2.bias": [0.25, 0],
}
"""A 2-3-2 half adder of no symmetry; its third unit never fires."""

WRONG = WEIGHTS | {"fc2.bias": [0.25, 0.75]}


def arrays_of(weights: dict[str, Any], dtype: Any = np.float32) -> dict[str, Any]:
    """Return weights as arrays."""
    return {name: np.array(value, dtype) for name, value in weights.items()}


def layers_of(weights: dict[str, Any]) -> list[dict[str, Any]]:
    """Return weights as layers of a JSON file."""
    return [
        {"weight": weights["fc1.weight"], "bias": weights["fc1.bias"], "activation": "relu"},
        {"weight": weights["fc2.weight"], "bias": weights["fc2.bias"]},
    ]


def write(path: Path, form: str, weights: dict[str, Any]) -> Path:
    """Write weights in a form, and return the path."""
    tensors = {name: torch.from_numpy(array) for name, array in arrays_of(weights).items()}
    match form:
        case "layers.json":
            _ = path.write_text(json.dumps({"layers": layers_of(weights), "readout": "> 0.5"}))
        case "list.json":
            _ = path.write_text(json.dumps(layers_of(weights)))
        case "names.json":
            _ = path.write_text(json.dumps(weights))
        case "pasted.json":
            _ = path.write_text(json.dumps(list(weights.values())))
        case "net.npz":
            np.savez(path, **arrays_of(weights))
        case "packed.npz":
            np.savez_compressed(path, **arrays_of(weights))
        case "listed.npz":
            np.savez(path, *arrays_of(weights).values())
        case "net.safetensors":
            save_file(arrays_of(weights), path)
        case "net.pt":
            torch.save(tensors, path)
        case "wrapped.pth":
            torch.save({"epoch": 3, "state_dict": tensors, "loss": 0.5}, path)
        case _:
            raise AssertionError(form)
    return path


FORMS = [
    "layers.json", "list.json", "names.json", "pasted.json", "net.npz", "packed.npz", "listed.npz",
    "net.safetensors", "net.pt", "wrapped.pth",
]  # fmt: skip

GATES: dict[str, Any] = {
    "ha.or.weight": [1, 1], "ha.or.bias": [-1],
    "ha.nand.weight": [-2, -2], "ha.nand.bias": [3],
    "ha.sum.weight": [1, 1], "ha.sum.bias": [-2],
    "carry.weight": [3, 3], "carry.bias": [-6],
}  # fmt: skip

NETLIST: dict[str, Any] = {
    "inputs": ["a", "b"],
    "gates": {
        "ha.sum": ["ha.or", "ha.nand"],
        "ha.or": ["a", "b"],
        "ha.nand": ["a", "b"],
        "carry": ["b", "a"],
    },
    "outputs": ["carry", "ha.sum"],
}
