"""The lab of a network as one HTML file, which needs no Python and no network.

Rule: what was written is what is run. The file's own script is given the file's own data, and its
exact verdict, raw outputs and bits are held against those of the network on every row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from adderlab import page
from adderlab.exporting.comparison import Comparison
from adderlab.exporting.node import REMEDY, run_script
from adderlab.exporting.subject import Origin, Paths, Subject
from adderlab.nets import Network
from adderlab.nets.evaluation import is_exact, outputs
from adderlab.nets.truth import truth_rows
from adderlab.tasks import Task

SCRIPT: Final = Path(__file__).with_name("check_html.mjs")
TOO_OLD: Final = 3
"""The exit code of the script under a Node.js that can't run the page."""


def lab_document(data: Mapping[str, Any], origin: Origin | None = None) -> str:
    """Return the file of a page that begins with this data (of ``page_data.beginning``).

    Args:
        data: what the page begins with.
        origin: where the network comes from, which is written as metadata.
    """
    return page.single_file(
        title=f"{data['start']['task']['name']} – adderlab",
        state=json.dumps(data, separators=(",", ":"), allow_nan=False),
        origin="" if origin is None else json.dumps(origin.to_dict()),
    )


def compare_html(files: Paths, subject: Subject) -> Comparison:
    """Return whether a file that was written computes what the network computes.

    Args:
        files: the HTML file.
        subject: what it was made of.
    """
    net, task = subject.network, subject.task
    ran = run_script(SCRIPT, files[""])
    if ran is None or ran.code == TOO_OLD:
        return Comparison(None, reason=f"nothing here runs its JavaScript; {REMEDY}")
    if ran.code:
        return Comparison(False, reason=ran.error or "its script fails")
    got = json.loads(ran.out)
    expected = _rows(net, task)
    by = f"Node.js {got['node']}"
    if len(got["rows"]) != len(expected):
        what = f"it has {len(got['rows'])} rows, and the task {len(expected)}"
        return Comparison(False, by=by, reason=what)
    for number, (row, own) in enumerate(zip(got["rows"], expected, strict=True)):
        if row != own:
            words = ", ".join(
                f"{name} = {value}" for name, value in task.row(number).inputs.items()
            )
            return Comparison(False, number + 1, by, f"it gives something else for {words}")
    if got["readout"] != _readout(net):
        return Comparison(False, len(expected), by, "its outputs are read otherwise")
    if got["verdict"] != _verdict(net, expected):
        return Comparison(False, len(expected), by, f"its verdict is {got['verdict']}")
    return Comparison(True, len(expected), by)


def _rows(net: Network, task: Task) -> list[dict[str, Any]]:
    """Return every row as the page has it, exactly; no outputs behind tanh, which has no values."""
    (block,) = task.blocks()
    values = outputs(net, block.inputs) if is_exact(net) else None
    return [
        {
            "inputs": inputs.tolist(),
            "expected": list(row.expected),
            "outputs": None
            if values is None
            else [str(values.at(row.index, unit)) for unit in range(net.n_out)],
            "bits": list(row.got),
        }
        for row, inputs in zip(truth_rows(net, task), block.inputs, strict=True)
    ]


def _readout(net: Network) -> dict[str, Any]:
    readout = net.readout
    limit = {"threshold": readout.threshold, "convention": readout.convention}
    return {"kind": readout.kind, **(limit if readout.kind == "threshold" else {})}


def _verdict(net: Network, rows: list[dict[str, Any]]) -> str:
    if not is_exact(net):
        return "unknown"
    pairs = [pair for row in rows for pair in zip(row["expected"], row["bits"], strict=True)]
    return "proved" if all(bit in (None, own) for bit, own in pairs) else "refuted"
