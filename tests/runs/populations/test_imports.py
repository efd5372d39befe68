"""A run loads what it needs: PyTorch only where it trains, matplotlib in a process of its own."""

from __future__ import annotations

import subprocess
import sys

from runs.populations.shared import QUICK

CODE = """
import sys
from adderlab.verbs.train_many import train_many
census = train_many("half-adder", seeds=20, explain=False, out="run", **{settings})
print(*({{"torch", "matplotlib", "sympy", "onnx"}} & set(sys.modules)))
"""


def test_a_run_in_kernels_loads_neither_torch_nor_matplotlib_and_has_its_figures(tmp_path):
    code = CODE.format(settings=QUICK)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr, done.returncode) == ("", "", 0)
    figures = {path.name for path in (tmp_path / "run" / "figures").iterdir()}
    assert {"loss-quantiles.svg", "failure-1.png"} <= figures
