"""Networks to be written, and ways to take their files apart and to damage them."""

from __future__ import annotations

import json
import struct
from typing import Any

import ml_dtypes
import numpy as np
import safetensors
import safetensors.numpy
from strategies import (
    check_refusal,
    fractions_of,
    refused,
)

from adderlab.errors import NetworkFileError
from adderlab.nets.activations import Activation
from adderlab.nets.files import (
    from_bytes,
    to_bytes,
)
from adderlab.nets.network import Layer, Network, network
from adderlab.nets.readout import Readout
from adderlab.nets.tensors import Dense, Packed, Scaled, Sparse, Wide
from adderlab.tasks import task_named
from adderlab.tasks.tables import parse_table

TABLE = parse_table("in a:1,in b:1,out c:2\n0,0,0\n0,1,*\n1,0,1\n1,1,2\n", where="t.csv")
HALF = network(
    [[[1, 1], [1, 1], [0.5, -2]], [[0, 2, -1], [1, 3, -3]]],
    [[0, -1, -0.5], [0.25, -0.5]],
    task=task_named("half-adder"),
)


def every_kind() -> Network:
    """A network with every kind of tensor, activation and task record, none of them symmetric."""
    dense = Layer(
        Dense(np.float32([[1.5, -2], [3, 0.25], [-7, 5]])),
        Dense(np.array([1, -2, 3], dtype=ml_dtypes.bfloat16)),
        Activation("leaky", slope=0.125),
    )
    packed = Layer(
        Packed(np.array([[1, -2, 3], [-4, 0, 2], [3, 3, -1], [0, -4, 1], [2, 1, -3]]), 3),
        Wide.of(np.array([1 << 70, -5, 7, -(1 << 65), 2], dtype=object)),
        Activation("step", convention=">="),
    )
    sparse = Layer(
        Sparse((4, 5), np.array([0, 2, 2, 3, 4], np.uint8), np.array([0, 3, 4, 1], np.uint8),
               Packed(np.array([1, -1, 1, 1]), 1)),
        None,
        Activation("tanh"),
    )  # fmt: skip
    scaled = Layer(
        Scaled(Packed(np.array([[1, -8, 3, 0], [7, 2, -5, 6]]), 4), Dense(np.float32([0.5, 0.125])),
               Dense(np.int8([1, -2]))),
        Scaled(Packed(np.array([3, -4]), 4), Dense(np.float16(0.25))),
    )  # fmt: skip
    training = {"task": "half-adder", "seed": 3, "lr": 0.1, "path": ["loop"], "steps": None}
    return Network(
        (dense, packed, sparse, scaled), Readout("threshold", -0.75, ">="), TABLE, "fp32", training
    )


EVERY = every_kind()


def check_same(left: Network, right: Network) -> None:
    """Equal in every part, and in the kind and the stored numbers of every tensor."""
    assert (left.readout, left.format) == (right.readout, right.format)
    assert (left.task and left.task.record) == (right.task and right.task.record)
    assert (left.training, left.shape) == (right.training, right.shape)
    assert [layer.activation for layer in left.layers] == [
        layer.activation for layer in right.layers
    ]
    pairs = list(zip(left.tensors(), right.tensors(), strict=True))
    for (name, first), (other, second) in pairs:
        assert (name, type(first), first.shape) == (other, type(second), second.shape)
        assert first.stored_bytes == second.stored_bytes
        assert np.array_equal(fractions_of(first), fractions_of(second))


# --- taking files apart and putting them together ------------------------------------------------


def container(header: Any, body: bytes = b"") -> bytes:
    """A safetensors file of any header, valid or not."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + body


def parts(data: bytes) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """The header without its record, the record, and the tensors' bytes."""
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    record = json.loads(header.pop("__metadata__")["adderlab"])
    return header, record, data[8 + size :]


def with_record(record: Any, net: Network = HALF) -> bytes:
    """The file of a network under another record."""
    header, _, body = parts(to_bytes(net))
    text = record if isinstance(record, str) else json.dumps(record)
    return container({"__metadata__": {"adderlab": text}} | header, body)


def assembled(record: Any, arrays: dict[str, Any]) -> bytes:
    """A file as safetensors' own library writes it."""
    return safetensors.numpy.save(
        {name: np.asarray(array) for name, array in arrays.items()},
        metadata={"adderlab": json.dumps(record)},
    )


def one_layer(weight: Any, **changes: Any) -> dict[str, Any]:
    """The record of a network of one layer."""
    return {
        "schema": 1, "task": None, "format": "fp32",
        "layers": [{"weight": weight, "activation": "identity"}], "readout": {"kind": "exact"},
    } | changes  # fmt: skip


def outcome(data: bytes) -> Network | None:
    """What a file holds: a network that saves as itself, or ``None`` where it is refused."""
    try:
        net = from_bytes(data, where="net")
    except NetworkFileError as error:
        check_refusal(error)
        assert error.where == "net"
        return None
    again = to_bytes(net)
    check_same(net, from_bytes(again))
    assert to_bytes(from_bytes(again)) == again
    return net


DAMAGED = "; the file is damaged; write it again"


def refused_as(data: bytes, what: str) -> None:
    with refused(NetworkFileError, f"net: {what}"):
        _ = from_bytes(data, where="net")
