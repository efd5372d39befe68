"""Run modules that were exported, each by the path of its file, and read them back.

A script: ``python -I run_torch.py JOB``. The job names folders in which packages are found, and
for each module its file, its class, its rows and where its outputs go. Modules are run before
adderlab is imported, which none of them may do.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

BLOCK_ROWS = 1 << 14


def main(job_path: str) -> None:
    """Run every module of a job, and write what each came to beside its rows."""
    job = json.loads(Path(job_path).read_text(encoding="utf-8"))
    sys.path += [folder for folder in job["folders"] if folder not in sys.path]
    models: list[Any] = []
    for number, entry in enumerate(job["modules"]):
        try:
            model = _module_in(entry, number)
            _run(model, entry)
            models.append(model)
        except Exception as error:  # noqa: BLE001 -- whatever the file does is its outcome
            models.append(None)
            lines = str(error).splitlines() or [""]
            _write(entry, {"error": f"{type(error).__name__}: {lines[0]}"})
    if "adderlab" in sys.modules:
        raise SystemExit("a module imports adderlab")
    sys.path[:0] = job["first"]
    from adderlab.errors import AdderlabError
    from adderlab.nets.files import to_bytes
    from adderlab.nets.tracing import from_module

    for model, entry in zip(models, job["modules"], strict=True):
        if model is None:
            continue
        try:
            read = from_module(model)
            _ = Path(entry["out"], "read.safetensors").write_bytes(to_bytes(read.network))
            _write(entry, {"notes": list(read.notes)})
        except AdderlabError as error:
            _write(entry, {"error": f"it is not read back: {error.what}"})


def _module_in(entry: dict[str, Any], number: int) -> Any:
    """Return the module in a file, loaded by its path."""
    spec = importlib.util.spec_from_file_location(f"exported_{number}", entry["file"])
    assert spec is not None
    assert spec.loader is not None
    source = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(source)
    model = getattr(source, entry["class"])()
    model.load_state_dict(model.state_dict())
    return model


def _run(model: Any, entry: dict[str, Any]) -> None:
    """Write the raw outputs and what ``forward`` returns, as doubles."""
    import numpy as np
    import torch

    rows = np.load(entry["rows"], allow_pickle=False)
    parts: dict[str, list[Any]] = {"outputs": [], "forward": []}
    with torch.no_grad():
        for start in range(0, len(rows), BLOCK_ROWS):
            bits = torch.from_numpy(rows[start : start + BLOCK_ROWS])
            for name, own in parts.items():
                run = model.outputs if name == "outputs" else model
                own.append(run(bits).double().numpy())
    for name, own in parts.items():
        np.save(Path(entry["out"], f"{name}.npy"), np.concatenate(own), allow_pickle=False)
    state = {name: tensor.double().numpy() for name, tensor in model.state_dict().items()}
    np.savez(Path(entry["out"], "state.npz"), **state)


def _write(entry: dict[str, Any], result: dict[str, Any]) -> None:
    text = json.dumps(result)
    _ = Path(entry["out"], "result.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
