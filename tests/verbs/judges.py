"""A judge that does what a file's name says, in the process of its own that a file has."""

from __future__ import annotations

import ctypes
import time
from pathlib import Path


def judge_of(_):
    def judge(path, send):
        send({"sha256": "0" * 64, "raw": 17, "nonzero": True})
        match Path(path).name:
            case "crash":
                ctypes.string_at(0)
            case "sleep":
                time.sleep(60)
            case "raise":
                raise OverflowError("too far")
            case "lie":
                send({"verdict": "excellent"})
            case "wide":
                rows = {"rows": hex(1 << 20_000), "rows_right": hex((1 << 20_000) - 10**6)}
                send({"verdict": "refuted", "counterexample": "it is wrong", **rows})
            case _:
                send({"verdict": "refused", "reason": "said so"})

    return judge
