"""One layout of a network's parameters in one vector: PyTorch's own order."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn
from torch.nn.utils import parameters_to_vector

from adderlab.nets.layout import Layout, join

LAYOUT = Layout((3, 4, 2, 5))


def test_the_order_is_that_of_pytorchs_parameters() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2), nn.Linear(2, 5))
    flat = parameters_to_vector(model.parameters()).detach().numpy()
    assert len(flat) == LAYOUT.parameters
    parts = [parameter.detach().numpy() for parameter in model.parameters()]
    assert all((a == b).all() for a, b in zip(LAYOUT.split(flat), parts, strict=True))


def test_joining_undoes_splitting() -> None:
    flat = np.arange(7 * LAYOUT.parameters).reshape(7, -1)
    parts = LAYOUT.split(flat)
    assert [part.shape for part in parts] == [(7, *place.shape) for place in LAYOUT.places()]
    assert (join(parts) == flat).all()
    assert all(np.shares_memory(part, flat) for part in parts)


def test_incoming_parameters_of_a_unit_are_its_row_and_its_bias() -> None:
    parts = LAYOUT.split(np.arange(LAYOUT.parameters))
    rows = [[*row, b] for w, bias in zip(parts[::2], parts[1::2], strict=True)
            for row, b in zip(w.tolist(), bias.tolist(), strict=True)]  # fmt: skip
    assert [LAYOUT.incoming(unit) for unit in range(11)] == rows
    with pytest.raises(IndexError):
        _ = LAYOUT.incoming(11)
    assert LAYOUT.by_unit() == [place for row in rows for place in row]
