"""Certificates: a verdict with its evidence, bound to a network file's bytes.

Rule: a certificate claims nothing that :mod:`adderlab.checker` does not derive again, which is one
file that shares no code with what is here. What is claimed of number formats is asked of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab import checker
from adderlab.errors import AdderlabError
from adderlab.limits import Budget, CapReached
from adderlab.nets import Network
from adderlab.nets.logits import without_last_sigmoid
from adderlab.proving import diagrams
from adderlab.proving.diagrams.engine import Values
from adderlab.proving.verdict import Verdict

if TYPE_CHECKING:
    from adderlab.tasks import Task
    from adderlab.tasks.wirings import Wiring

VERSION: Final = 1

METHODS: Final = ("enumerated", "diagram", "solver", "composed")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that can be written.

    Attributes:
        data: its bytes.
        notes: what it does not claim, and why.
    """

    data: bytes
    notes: tuple[str, ...] = ()


def certificate_of(
    net: Network,
    task: Task,
    verdict: Verdict,
    data: bytes,
    *,
    wiring: Wiring | None = None,
    budget: Budget | None = None,
) -> Certificate | str:
    """Return the certificate of a verdict, or why there is none.

    Args:
        net: the network.
        task: what was proved or refuted, of a composed verdict the cell's.
        verdict: the verdict on it.
        data: the network file's bytes.
        wiring: of a composed verdict.
        budget: the time and memory there is for the evidence.
    """
    budget = budget or Budget.of()
    if verdict.exact == "unknown" or verdict.method not in METHODS:
        return "nothing is decided"
    if verdict.exact == "proved" and verdict.verdict == "refuted":
        return "what is refuted in a number format alone is not re-checked; `formats` exact is"
    try:
        read = checker.read_network(data)
    except checker.BeyondError as error:
        return str(error)
    except checker.InvalidError as error:
        return f"it is not bound to a network file: {error}"
    try:
        claims = _claims(net, task, verdict, data, wiring, budget)
        notes: list[str] = []
        if verdict.exact == "proved":
            rounded = [name for name in verdict.about if name != "exact"]
            derived = [
                name
                for name in rounded
                if verdict.formats[name].verdict == "proved"
                and checker.is_right_in(read, name, claims["margin"])
            ]
            claims["semantics"] += derived
            notes += [
                f"the certificate says nothing of {name}: the checker does not derive it"
                for name in rounded
                if name not in derived
            ]
            if verdict.method in ("enumerated", "solver") and task.n_in > checker.MOST_BITS:
                notes.append(
                    f"the checker tries up to 2^{checker.MOST_BITS} rows, so it can't re-check this"
                )
        return Certificate(checker.seal(claims), tuple(notes))
    except CapReached as cap:
        return str(cap)
    except _NoCertificateError as error:
        return str(error)
    except ValueError:  # a number of over 4,300 digits
        return "its numbers are too long to be written"


def with_artifacts(certificate: bytes, artifacts: Iterable[Mapping[str, Any]]) -> bytes:
    """Return a valid certificate that lists files of its network, those listed before among them.

    Args:
        certificate: its bytes.
        artifacts: of each file what ``checker.ARTIFACT`` names. One of the same target and name is
            replaced.
    """
    claims = checker.unsealed(certificate)
    places = {(entry["to"], entry["name"]): entry for entry in claims.get("artifacts", [])}
    places |= {(entry["to"], entry["name"]): dict(entry) for entry in artifacts}
    listed = {"artifacts": [places[place] for place in sorted(places)]} if places else {}
    return checker.seal({**claims, **listed})


class _NoCertificateError(AdderlabError):
    """Why a verdict has no certificate."""


def _claims(
    net: Network,
    task: Task,
    verdict: Verdict,
    data: bytes,
    wiring: Wiring | None,
    budget: Budget,
) -> dict[str, Any]:
    claims: dict[str, Any] = {
        "adderlab_certificate": VERSION,
        "counterexample": None,
        "evidence": {},
        "margin": None,
        "method": verdict.method,
        "network": {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()},
        "readout": readout_claims(net),
        "semantics": ["exact"],
        "task": task_claims(task, wiring),
        "verdict": verdict.exact,
    }
    if verdict.exact == "refuted":
        example = verdict.counterexample
        if example is None or example.semantics != "exact":
            raise _NoCertificateError("its counterexample is not one of exact arithmetic")
        claims["counterexample"] = {
            "input": example.input,
            "expected": example.expected,
            "got": example.got,
            "output": [str(value) for value in example.output],
        }
        return claims
    if verdict.margin is not None and verdict.margin.is_exact and verdict.method != "solver":
        sides = {"of_0": verdict.margin.of_0, "of_1": verdict.margin.of_1}
        claims["margin"] = {name: None if s is None else str(s) for name, s in sides.items()}
    if verdict.method == "diagram":
        claims["evidence"] = diagram_evidence(without_last_sigmoid(net), task, budget)
    elif verdict.method != "solver":
        claims["evidence"] = {"rows_sha256": rows_hash(task, budget)}
        if wiring is not None:
            claims["evidence"] |= {"wiring": wiring.name, "cell": _cell_rows(task)}
    return claims


def readout_claims(net: Network) -> dict[str, Any]:
    """Return what a certificate says of how outputs become bits."""
    readout: dict[str, Any] = {"kind": net.readout.kind}
    if net.readout.kind == "threshold":
        readout["threshold"] = str(Fraction(net.readout.threshold))
        readout["convention"] = net.readout.convention
    return readout


def task_claims(task: Task, wiring: Wiring | None = None) -> dict[str, Any]:
    """Return what a certificate says of a task.

    Raises:
        AdderlabError: it is made in Python, so that nobody else knows its rule.
    """
    record = task.record
    if isinstance(record, dict) and "task" in record:
        record = record["task"]
    table = record["table"] if isinstance(record, dict) else None
    name = checker.TABLE + table["sha256"] if table is not None else record
    if wiring is not None:
        from adderlab.tasks.wirings import WIRINGS

        name = wiring.name if WIRINGS.get(wiring.name) is wiring else None
    if not isinstance(name, str):
        raise _NoCertificateError("the task is not one that the checker knows by name or by rows")
    return {
        "name": name,
        "inputs": [
            [word.name, word.width, None if word.size == 1 << word.width else word.bound]
            for word in task.inputs
        ],
        "outputs": [[word.name, word.width] for word in task.outputs],
        "order": {
            "inputs": list(task.input_order) or None,
            "outputs": list(task.output_order) or None,
        },
        "table": table,
    }


def rows_hash(task: Task, budget: Budget) -> str:
    """Return the SHA-256 of the right output bits of all rows.

    For each row in order, the bits of the output words, most significant first, as one big-endian
    number of whole bytes; 0 where any value will do.
    """
    digest = hashlib.sha256()
    size = -(-task.n_out // 8)
    for block in task.blocks():
        budget.check()
        bits = task.in_words(block.expected)
        padded = np.zeros((len(bits), 8 * size), dtype=np.uint8)
        padded[:, 8 * size - task.n_out :] = bits
        digest.update(np.packbits(padded, axis=1).tobytes())
    return digest.hexdigest()


def _cell_rows(task: Task) -> list[list[dict[str, int]]]:
    rows = map(task.row, range(task.rows))
    return [[row.inputs, {name: v or 0 for name, v in row.outputs.items()}] for row in rows]


@dataclass(slots=True)
class _Nodes:
    """The nodes of a certificate: each is made of earlier ones, 0 is the end."""

    places: dict[tuple[int, int, int, int], int] = field(
        default_factory=dict[tuple[int, int, int, int], int]
    )

    def add(self, table: diagrams.Diagrams, roots: list[int]) -> dict[int, int]:
        """Add the nodes below roots; return the place of each by its number in the table."""
        numbers = {0: 0}
        pending = sorted(set(roots))
        while pending:
            node = pending[-1]
            if node in numbers:
                _ = pending.pop()
                continue
            below = [n for n in (table.low[node], table.high[node]) if n not in numbers]
            if below:
                pending += below
                continue
            low, high = numbers[table.low[node]], numbers[table.high[node]]
            key = (table.variable[node], low, high, table.step[node])
            numbers[node] = self.places.setdefault(key, len(self.places) + 1)
        return numbers


def diagram_evidence(net: Network, task: Task, budget: Budget) -> dict[str, Any]:
    """Return the order of variables, the nodes, and each unit's function, by layer.

    Raises:
        CapReached: a cap was reached in every order.
    """
    reached: CapReached | None = None
    for order in diagrams.ORDERS:
        bits = diagrams.variable_order(net, task, order)
        nodes, layers = _Nodes(), list[dict[str, Any]]()

        def on_layer(
            table: diagrams.Diagrams,
            values: Values,
            nodes: _Nodes = nodes,
            layers: list[dict[str, Any]] = layers,
        ) -> None:
            functions, exponent = values
            places = nodes.add(table, [node for _, node in functions])
            units = [[offset, places[node]] for offset, node in functions]
            layers.append({"exponent": exponent, "units": units})

        try:
            diagrams.layers_of(net, task, bits, on_layer, budget=budget)
        except CapReached as cap:
            reached = cap
            continue
        return {"order": list(bits), "nodes": [list(key) for key in nodes.places], "layers": layers}
    assert reached is not None
    raise reached
