"""Certificates and network files as someone makes them who knows both formats."""

from __future__ import annotations

import hashlib
import json
import struct
from typing import Any

from adderlab import checker
from adderlab.nets.files import to_bytes
from adderlab.proving.certificates import certificate_of, task_claims
from adderlab.proving.decide import decide
from adderlab.tasks.tables import parse_table


def certified(net, task, **options):
    """Return a network file, the bytes of its certificate, and what the checker says."""
    data = to_bytes(net)
    verdict = decide(net, task, **options)
    certificate = certificate_of(net, task, verdict, data)
    if isinstance(certificate, str):
        return data, certificate, None
    return data, certificate.data, checker.check(certificate.data, data)


def sealed(certificate, **changes):
    """Return a certificate with other claims, sealed by one who knows how."""
    claims = json.loads(certificate)
    for path, value in changes.items():
        *outer, last = path.split("__")
        entry = claims
        for key in outer:
            entry = entry[key]
        entry[last] = value
    return checker.seal(claims)


def bound_to(certificate, data, **changes):
    """Return a certificate that is bound to other bytes."""
    own = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return sealed(certificate, network=own, **changes)


def network_file(
    layers: Any, tensors: dict[str, tuple[str, list[int], bytes]], **record: Any
) -> bytes:
    """Return the bytes of a network file, whatever is in it.

    Args:
        layers: of the record.
        tensors: type, shape and bytes by name.
        record: its other entries.
    """
    header: dict[str, Any] = {}
    body = b""
    for name, (dtype, shape, data) in tensors.items():
        offsets = [len(body), len(body) + len(data)]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": offsets}
        body += data
    own = {"schema": 1, "task": None, "format": "fp32", "readout": {"kind": "exact"}}
    header["__metadata__"] = {"adderlab": json.dumps({**own, "layers": layers, **record})}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def claims_of(data: bytes, task: dict[str, Any] | str, **changes: Any) -> bytes:
    """Return the sealed claim that a network file is right by enumeration, whether it is or not.

    Args:
        data: the network file.
        task: its entry of the certificate, or a name of one on two bits with one output.
        changes: other claims.
    """
    if isinstance(task, str):
        words = checker.named_task(task)
        task = {
            "name": task,
            "inputs": [[name, width, None] for name, width, _ in words.inputs],
            "outputs": words.outputs,
            "order": {"inputs": None, "outputs": None},
            "table": None,
        }
    claims: dict[str, Any] = {
        "adderlab_certificate": 1, "counterexample": None, "evidence": {}, "margin": None,
        "method": "solver", "network": None, "readout": {"kind": "exact"}, "semantics": ["exact"],
        "task": task, "verdict": "proved",
    }  # fmt: skip
    return bound_to(json.dumps(claims), data, **changes)


def f64(*values):
    return struct.pack(f"<{len(values)}d", *values)


def network(*layers, **record):
    """Return a file of layers: the rows of a weight, a bias or ``None``, and other entries."""
    entries, tensors = [], {}
    for number, (rows, bias, options) in enumerate(layers):
        entry = {"weight": f"w{number}", "activation": "identity", **options}
        flat = [value for row in rows for value in row]
        tensors[f"w{number}"] = "F64", [len(rows), len(rows[0])], f64(*flat)
        if bias is not None:
            entry["bias"] = f"b{number}"
            tensors[f"b{number}"] = "F64", [len(bias)], f64(*bias)
        entries.append(entry)
    return network_file(entries, tensors, **record)


def threshold(value, convention=">"):
    """Return a readout as a record has it, and as a certificate states it."""
    own = {"kind": "threshold", "threshold": float(value), "convention": convention}
    return own, {**own, "threshold": str(checker.Fraction(value))}


def table(text):
    """Return a certificate's entry of a table whose lines are separated by bars."""
    return task_claims(parse_table(text.replace("|", "\n"), where="own.csv"))


def answer(data, task, **changes):
    return checker.check(claims_of(data, task, **changes), data)[0]
