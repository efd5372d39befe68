"""Modules to be read: the notebooks' class, and any forward that is given as text."""

from __future__ import annotations

import itertools
import linecache

import numpy as np
import pytest
import torch
from torch import nn

from adderlab.errors import ModelError
from adderlab.nets import outputs, read_bits
from adderlab.nets.tracing import from_module

RAW = "forward gives raw outputs; judged by > 0.5"
READABLE = "docs/classes.md lists what can be read"
FLOATS = {
    "fp64": torch.float64,
    "fp32": torch.float32,
    "fp16": torch.float16,
    "bf16": torch.bfloat16,
}

# The classes of the two notebooks as they stand.
NOTEBOOK = """\
import torch
import torch.nn as nn

# Define the neural network model
class AdderNN(nn.Module):
  def __init__(self):
    super(AdderNN, self).__init__()
    self.fc1 = nn.Linear(2, 3)  # Input: 2 bits, Output: 3 neurons
    self.fc2 = nn.Linear(3, 2)  # Input: 3 neurons, Output: 2 bits (sum)
    self.relu = torch.nn.ReLU()

  def forward(self, x): # [MOST IMPORTANT] the NN is defined here
    h = self.relu(self.fc1(x)) # x is the input , h is the hidden activations
    y = {} # h is the hidden activations, y is the final output
    return y
"""
TRAINED = NOTEBOOK.format("self.fc2(h)")
HAND_SET = NOTEBOOK.format("(self.fc2(h) > 0).float()")


def run_cell(source: str, number: int = 3) -> dict:
    """Run a notebook's cell: a made-up file name whose lines linecache knows."""
    name = f"<ipython-input-{number}-5f0e>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    space: dict = {}
    exec(compile(source, name, "exec"), space)
    return space


def module(forward: str, *, init: str = "pass") -> nn.Module:
    """Return a 2-3-2 module whose forward has the given lines, the first of them line 14."""
    body = "\n    ".join(forward.splitlines())
    source = f"""\
import random, torch, torch.nn as nn, torch.nn.functional as F
from adderlab.nets.modules import Step

class Model(nn.Module):
  def __init__(self):
    super().__init__()
    self.fc1 = nn.Linear(2, 3)
    self.fc2 = nn.Linear(3, 2)
    self.relu, self.leaky, self.tanh = nn.ReLU(), nn.LeakyReLU(0.125), nn.Tanh()
    self.step, self.drop, self.flat = Step(), nn.Dropout(0.5), nn.Flatten()
    {init}

  def forward(self, x):
    {body}
"""
    torch.manual_seed(5)
    return run_cell(source)["Model"]()


def rows(n_in: int) -> np.ndarray:
    return np.array(list(itertools.product([0, 1], repeat=n_in)), dtype=np.uint8)


def bits_of(network, inputs: np.ndarray) -> np.ndarray:
    return read_bits(network.readout, outputs(network, inputs))[0]


def refusal(model: object) -> str:
    with pytest.raises(ModelError) as caught:
        from_module(model)
    return str(caught.value)
