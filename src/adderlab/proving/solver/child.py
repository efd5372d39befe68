"""The solver's own process: reads a script, prints an answer.

A process of its own, because a solver can't be interrupted from Python and may need more memory
than its limit; the process can be killed at no loss. It imports nothing of adderlab.
"""

import importlib
import json
import os
import sys
import threading
import time
from typing import Any


def end_with(parent: int) -> None:
    """End this process when its parent has ended, for whatever reason."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def main(timeout_ms: int, memory_mb: int, n_in: int) -> dict[str, object]:
    """Return the answer on the script from standard input."""
    z3: Any = importlib.import_module("z3")  # an extra: its types may not be there to check
    z3.set_param("memory_max_size", memory_mb)
    solver = z3.Solver()
    if timeout_ms:
        solver.set("timeout", timeout_ms)
    try:
        solver.from_string(sys.stdin.read())
        answer = str(solver.check())
    except z3.Z3Exception as error:
        return {"answer": "unknown", "reason": str(error)}
    if answer == "unknown":
        return {"answer": answer, "reason": solver.reason_unknown()}
    if answer == "unsat":
        return {"answer": answer}
    model = solver.model()
    bits = [model.eval(z3.Int(f"i{number}"), model_completion=True) for number in range(n_in)]
    return {"answer": answer, "bits": [bit.as_long() for bit in bits]}


if __name__ == "__main__":
    threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
    json.dump(main(*map(int, sys.argv[1:])), sys.stdout)
