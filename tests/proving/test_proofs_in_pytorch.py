"""A proof in fp32 holds of the bits that PyTorch gives, whatever the activation."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from nets.test_activations import ALL

from adderlab.nets import Activation, Layer, Network, Readout
from adderlab.nets.modules import to_module
from adderlab.nets.tensors import Dense
from adderlab.tasks import Task
from adderlab.tasks.tables import parse_table
from adderlab.verbs.prove import prove

ROWS = np.array(list(itertools.product((0, 1), repeat=3)))
READOUT = Readout("threshold", 0.25, ">")


def table_of(bits: np.ndarray) -> Task:
    """Return the table of two outputs on three inputs."""
    words = bits @ [2, 1]
    lines = ["in x:3,out y:2", *(f"{row},{word}" for row, word in enumerate(words.tolist()))]
    return parse_table("\n".join(lines), where="drawn.csv")


def random_net(activation: Activation, seed: int) -> Network:
    """Return a network of two hidden layers; its numbers are eighths in every other one."""
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> Dense:
        numbers = rng.integers(-8, 9, shape) / 8 if seed % 2 else rng.normal(size=shape)
        return Dense(numbers.astype(np.float32))

    hidden = [Layer(draw(3, 3), draw(3), activation) for _ in range(2)]
    return Network((*hidden, Layer(draw(2, 3), draw(2))), READOUT)


@pytest.mark.parametrize("activation", ALL, ids=str)
def test_what_is_proved_is_what_pytorch_computes(activation: Activation) -> None:
    as_pytorch = activation.with_constants(lambda value: float(np.float32(value)))
    proofs = 0
    for seed in range(4):
        net = random_net(activation, seed)
        layers = tuple(
            replace(layer, activation=as_pytorch) if layer.activation == activation else layer
            for layer in net.layers
        )
        module = to_module(replace(net, layers=layers, readout=Readout()))
        with torch.no_grad():
            bits = (module(torch.tensor(ROWS, dtype=torch.float32)) > 0.25).int().numpy()
        proofs += prove(net, table_of(bits)).verdict == "proved"
        wrong = bits.copy()
        wrong[seed, 1] ^= 1
        assert prove(net, table_of(wrong)).verdict != "proved"
    assert proofs, "the table of PyTorch's bits is proved at least once"
