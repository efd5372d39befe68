"""Files of networks, good and bad, and how a command line names them."""

from __future__ import annotations

import pickle
import shlex
import struct

import numpy as np

from adderlab.building import lecture_network, printed_network
from adderlab.nets import EXACT, Activation, Readout, network
from adderlab.tasks import task_named
from adderlab.tasks.tables import parse_table

HALF_ADDER = task_named("half-adder")
RIGHT = """\
c1 = step(a + b - 1.5)
c0 = step(relu(a + b - 0.5) - 4 * relu(a + b - 1.5))
"""


def good_networks():
    """Return networks that can be read, by the name of their file."""
    lecture = lecture_network(HALF_ADDER)
    above_0, tanh = Readout(threshold=0.0), Activation("tanh")
    repaired = [[[1, 1], [1, 1], [1, 1]], [[1, 0, 0], [0, 1, -4]]]
    large = [[[(row + column) % 5 - 2.5 for column in range(16)] for row in range(70)]]
    large.append([[row - column % 7 for column in range(70)] for row in range(9)])
    return {
        "lecture": lecture,
        "same": lecture.for_task(task_named("adder:1")),
        "repaired": network(
            repaired, [[-1.5, -0.5, -1.5], [0, 0]], readout=above_0, task=HALF_ADDER
        ),
        "printed": printed_network().for_task(HALF_ADDER),
        "wide": network([[[1] * 37]], [[0]], task=task_named("parity:37")),
        "taskless": network([[[1, 1]], [[1], [1]]], [[0], [0, 0]]),
        "three": network([[[1, 1, 1]]], [[0]]),
        "nothing": network([[[1, 1], [1, 1]], [[0, 0], [0, 0]]], [[0, 0], [0, 0]], task=HALF_ADDER),
        "thirds": network(
            [[[1]], [[3]]], [[0], [0]], readout=EXACT,
            task=parse_table("in x:1,out y:1\n0,0\n1,1", where="t.csv"),
        ),
        # any of 30 equal weights, and of their outputs', can make the sum large enough
        "many": network(
            [np.full((30, 2), 0.25), np.full((1, 30), 0.015625)], [np.zeros(30), [0.125]],
            task=task_named("majority:2"),
        ),
        "tanh": network(
            [[[1, 0], [0, 1]], [[1, 1], [1, -1]]], [[-0.5, 0.25], None],
            activation=tanh, task=HALF_ADDER,
        ),
        "tie": network([[[1], [1]], [[1, -1]]], [None, None], activation=tanh, readout=above_0),
        "zero": network([[[0]]], [[0]], readout=above_0),
        "large": network(large, [[0.5] * 70, None], task=task_named("adder:8")),
    }  # fmt: skip


def bad_files(data):
    """Return what is no network file, by name; ``data`` is one that is."""
    return {
        "truncated.safetensors": data[:300],
        "short.safetensors": data[:5],
        "empty.safetensors": b"",
        "garbage.safetensors": bytes(range(1, 200)),
        "schema.safetensors": data.replace(rb"{\"schema\":1,", rb"{\"schema\":2,"),
        "unknown-key.safetensors": data.replace(rb"\"format\":", rb"\"farmat\":"),
        "bare.safetensors": struct.pack("<Q", 8) + b"{}      ",
        "pickled.safetensors": pickle.dumps({"fc1.weight": [[1.0]]}),
        "right.txt": RIGHT.encode(),
        "failing.txt": RIGHT.replace("c1 = ", "c1 = 1 (a + b >= 1) = ").encode(),
        "unknown.txt": b"c1 = step(a)\nc0 = step(a + q - 1)",
    }


def typed(line):
    """Return the arguments of a command line.

    ``@lecture`` is the file of that network, ``@@x.txt`` the argument ``@x.txt``.
    """
    return [
        f"../nets/{word[1:]}{'' if '.' in word else '.safetensors'}"
        if word[0] == "@" and word[:2] != "@@"
        else word.removeprefix("@" * word.startswith("@@"))
        for word in shlex.split(line)
    ]
