"""Modules in the styles in which people publish them: XOR, adders, parity, by hand and trained."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adderlab.tasks import Task
from adderlab.tasks.tables import parse_table


class Layers(nn.Module):
    """A few layers of fixed names, whose use is the style."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.output = nn.Linear(2, 4), nn.Linear(4, 1)
        self.pair, self.again, self.each = nn.Linear(4, 2), nn.Linear(4, 4), nn.Linear(1, 4)
        self.slopes = nn.PReLU(4)
        self.norm = nn.BatchNorm1d(4)
        self.rnn = nn.RNN(1, 4, nonlinearity="relu", batch_first=True)
        self.vector = nn.Parameter(torch.empty(4))


STYLES: dict[str, tuple[type[Layers], tuple[int, ...]]] = {}
"""By name: the class, and the width of each argument."""


def style(*widths: int) -> Callable[[Any], Any]:
    def register(forward: Any) -> Any:
        name = forward.__name__
        STYLES[name] = type(name, (Layers,), {"forward": forward}), widths or (2,)
        return forward

    return register


# activations, as functions


@style()
def sigmoid_everywhere(self: Any, x: Tensor) -> Any:
    return torch.sigmoid(self.output(torch.sigmoid(self.hidden(x))))


@style()
def sigmoid_by_hand(self: Any, x: Tensor) -> Any:
    return 1 / (1 + torch.exp(-self.output(F.relu(self.hidden(x)))))


@style()
def sigmoid_compared(self: Any, x: Tensor) -> Any:
    return (torch.sigmoid(self.output(F.relu(self.hidden(x)))) > 0.5).float()


@style()
def rounded_sigmoid(self: Any, x: Tensor) -> Any:
    return torch.round(torch.sigmoid(self.output(F.relu(self.hidden(x)))))


@style()
def heaviside(self: Any, x: Tensor) -> Any:
    zero = torch.tensor(0.0)
    return torch.heaviside(self.output(torch.heaviside(self.hidden(x), zero)), zero)


@style()
def signs_of_plus_and_minus_one(self: Any, x: Tensor) -> Any:
    return self.output(torch.sign(self.hidden(2 * x - 1)))


@style()
def silu_by_hand(self: Any, x: Tensor) -> Any:
    h = self.hidden(x)
    return self.output(h * torch.sigmoid(h))


@style()
def mish_by_hand(self: Any, x: Tensor) -> Any:
    h = self.hidden(x)
    return self.output(torch.tanh(F.softplus(h)) * h)


@style()
def softplus_by_hand(self: Any, x: Tensor) -> Any:
    h = self.hidden(x)
    return self.output(torch.where(h > 4, h, F.softplus(h)))


@style()
def compared_for_equality(self: Any, x: Tensor) -> Any:
    h = self.hidden(x).sign()
    return self.output((h == 1).float() + (h != h.flip(1)).float())


@style()
def a_choice_of_bits(self: Any, x: Tensor) -> Any:
    h = self.hidden(x)
    chosen = torch.where(h > 0.5, h < 1, torch.where(h > 0, torch.tensor(False), h > -1))
    return self.output(chosen.float())


@style()
def a_choice_of_bits_and_constants(self: Any, x: Tensor) -> Any:
    h = self.hidden(x)
    bit = ((h > -1) & (h < 1)).float()
    chosen = torch.where(bit > 0.25, bit, 0.25) + torch.where(bit < 0.25, 0.1, bit)
    return self.output(chosen + torch.where(bit == 1, 1e30, 0.1))


@style()
def learned_slopes(self: Any, x: Tensor) -> Any:
    return self.output(self.slopes(self.hidden(x)))


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "softplus": F.softplus,
    "elu": F.elu,
    "selu": F.selu,
    "celu": F.celu,
    "gelu": F.gelu,
    "gelu by tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "mish": F.mish,
    "softsign": F.softsign,
    "quotients": lambda x: x / torch.tensor([3.0, -10.0, 4.0, 0.7]),
    "hardtanh": F.hardtanh,
    "relu6": F.relu6,
    "hardsigmoid": F.hardsigmoid,
    "leaky relu": F.leaky_relu,
    "threshold": lambda x: F.threshold(x, 0.25, 0.5),
    "abs": torch.abs,
    "sign": torch.sign,
    "clamp": lambda x: x.clamp(-0.5, 0.75),
    "clamp from above": lambda x: x.clamp(max=1),
    "minimum of a maximum": lambda x: torch.minimum(
        torch.maximum(x, torch.tensor(0.0)), torch.ones(4)
    ),
    "where above": lambda x: torch.where(x > 0, x, torch.zeros_like(x)),
    "where leaky": lambda x: torch.where(x >= 0, x, 0.125 * x),
    "where less": lambda x: torch.where(x < 0.25, -1.0, x),
    "where constants": lambda x: torch.where(x > 0, 0.75, -0.5),
}


def _with(function: Callable[[Tensor], Tensor]) -> Any:
    return lambda self, x: self.output(function(self.hidden(x)))


for _name, _function in ACTIVATIONS.items():
    STYLES[_name] = type(_name, (Layers,), {"forward": _with(_function)}), (2,)


# structure


@style()
def two_heads_joined(self: Any, x: Tensor) -> Any:
    h = F.relu(self.hidden(x))
    return torch.cat([self.output(h), self.pair(h)], dim=1)


@style()
def a_tuple_of_heads(self: Any, x: Tensor) -> Any:
    h = F.relu(self.hidden(x))
    return torch.sigmoid(self.output(h)), torch.sigmoid(self.pair(h))


@style()
def a_dictionary_of_heads(self: Any, x: Tensor) -> Any:
    h = F.relu(self.hidden(x))
    return {"carry": self.output(h), "sum": self.pair(h)[:, :1]}


@style()
def a_trailing_squeeze(self: Any, x: Tensor) -> Any:
    return self.output(F.relu(self.hidden(x))).squeeze(-1)


@style()
def reshaped_first(self: Any, x: Tensor) -> Any:
    return self.output(F.relu(self.hidden(x.reshape(x.shape[0], -1)))).flatten()


@style()
def a_guard_on_the_batch(self: Any, x: Tensor) -> Any:
    if x.dim() == 1:
        x = x.unsqueeze(0)
    assert x.max() <= 1
    return self.output(torch.tanh(self.hidden(x)))


@style()
def weights_by_hand(self: Any, x: Tensor) -> Any:
    return F.relu(x @ self.hidden.weight.T + self.hidden.bias) @ self.vector + self.output.bias


@style()
def columns_instead_of_rows(self: Any, x: Tensor) -> Any:
    h = F.relu(self.hidden.weight @ x.T + self.hidden.bias[:, None])
    return (self.output.weight @ h + self.output.bias).T


@style()
def an_einsum(self: Any, x: Tensor) -> Any:
    h = torch.einsum("bi,oi->bo", x, self.hidden.weight) + self.hidden.bias
    return torch.addmm(self.output.bias, F.relu(h), self.output.weight.T)


@style()
def scaled_and_clamped(self: Any, x: Tensor) -> Any:
    return torch.clamp(self.output(F.relu(self.hidden(x) * 2)), 0, 1)


@style()
def shifted_and_halved(self: Any, x: Tensor) -> Any:
    return (1 - self.output(F.relu(self.hidden(1 - x)))) / 2


@style()
def a_residual_sum(self: Any, x: Tensor) -> Any:
    h = F.relu(self.hidden(x))
    h = h + F.relu(h - 0.5)
    return self.output(h) + x[:, :1]


@style()
def a_shared_layer(self: Any, x: Tensor) -> Any:
    h = F.relu(self.hidden(x))
    for _ in range(3):
        h = F.relu(self.again(h))
    return self.output(h)


@style()
def two_kinds_of_units(self: Any, x: Tensor) -> Any:
    first, second = self.hidden(x).chunk(2, dim=1)
    return self.output(torch.cat([F.relu(first), torch.tanh(second)], 1))


@style()
def a_layer_for_each_bit(self: Any, x: Tensor) -> Any:
    return self.output(F.relu(self.each(x.unsqueeze(-1))).sum(dim=1))


@style()
def the_mean_of_bits(self: Any, x: Tensor) -> Any:
    return self.output(F.relu(self.each(x.mean(dim=1, keepdim=True))))


@style()
def written_in_place(self: Any, x: Tensor) -> Any:
    h = self.hidden(x)
    h.clamp_(min=0)
    outputs = torch.zeros(x.shape[0], 2)
    outputs[:, 0] = self.output(h)[:, 0]
    outputs[:, 1] = self.pair(h)[:, 1]
    return outputs


@style()
def a_loop_over_bits(self: Any, x: Tensor) -> Any:
    h = torch.zeros(len(x), 4)
    for bit in range(x.shape[1]):
        h = torch.tanh(self.each(x[:, bit : bit + 1]) + self.again(h))
    return self.output(h)


@style()
def an_elman_network(self: Any, x: Tensor) -> Any:
    steps, _ = self.rnn(x.unsqueeze(-1))
    return self.output(steps[:, -1])


@style()
def features_and_a_column_of_ones(self: Any, x: Tensor) -> Any:
    more = (x[:, :1] > x[:, 1:]).float()
    return self.output(torch.cat([x, more, torch.ones(len(x), 1)], 1))


@style()
def batch_norm(self: Any, x: Tensor) -> Any:
    return self.output(F.relu(self.norm(self.hidden(x))))


@style(1, 1)
def an_argument_for_each_bit(self: Any, a: Tensor, b: Tensor) -> Any:
    return self.output(F.relu(self.hidden(torch.cat([a, b], dim=1))))


@style(1, 1)
def stacked_arguments(self: Any, a: Tensor, b: Tensor) -> Any:
    return self.output(F.relu(self.hidden(torch.stack([a.flatten(), b.flatten()], dim=1))))


# readouts


@style()
def softmax_and_argmax(self: Any, x: Tensor) -> Any:
    return F.softmax(self.pair(F.relu(self.hidden(x))), dim=1).argmax(dim=1)


@style()
def softmax_of_two_and_a_threshold(self: Any, x: Tensor) -> Any:
    return F.softmax(self.pair(F.relu(self.hidden(x))), dim=1)[:, 1] > 0.5


@style()
def likelihoods_of_two(self: Any, x: Tensor) -> Any:
    return F.softmax(self.pair(F.relu(self.hidden(x))), dim=-1)[:, 1:]


@style()
def the_number_of_the_largest(self: Any, x: Tensor) -> Any:
    return self.pair(F.relu(self.hidden(x))).max(1)[1]


@style()
def the_first_of_ties(self: Any, x: Tensor) -> Any:
    return torch.cat([x, x, 1 - x], dim=1).argmax(1) == 2


@style()
def two_outputs_compared(self: Any, x: Tensor) -> Any:
    y = self.pair(F.relu(self.hidden(x)))
    return y[:, 1] > y[:, 0]


@style()
def less_than(self: Any, x: Tensor) -> Any:
    return (self.output(F.relu(self.hidden(x))) <= 0.5).int()


@style()
def bits_and_bits(self: Any, x: Tensor) -> Any:
    y = self.pair(F.relu(self.hidden(x)))
    p, q = y[:, 0] > 0, y[:, 1] < 0.25
    return torch.stack([(p & ~q) | (p == q), torch.logical_xor(p, q)], dim=1)


def layers_of(name: str, seed: int) -> Layers:
    """Return a module of a style with random weights, small whole numbers in half the cases."""
    generator = torch.Generator().manual_seed(seed)
    module = STYLES[name][0]().eval()
    for parameter in module.parameters():
        values = torch.randn(parameter.shape, generator=generator)
        parameter.data = values if seed % 2 else (2 * values).round()
    assert module.norm.running_var is not None
    module.norm.running_var.fill_(0.75)
    return module


def bits_of(module: Layers, widths: tuple[int, ...]) -> list[list[int]]:
    """Return what PyTorch's outputs read as on every row, one row at a time."""
    rows: list[list[int]] = []
    for bits in itertools.product((0.0, 1.0), repeat=sum(widths)):
        with torch.no_grad():
            outputs = module(*torch.tensor([bits]).split(list(widths), dim=1))
        if isinstance(outputs, dict):
            outputs = tuple(outputs.values())
        if isinstance(outputs, tuple):
            outputs = torch.cat(outputs, dim=1)
        rows.append((outputs.float().flatten() > 0.5).int().tolist())
    return rows


def table_of(bits: list[list[int]]) -> Task:
    """Return the task whose rows are the given bits."""
    n_in = int(math.log2(len(bits)))
    rows = [f"{row},{int(''.join(map(str, own)), 2)}" for row, own in enumerate(bits)]
    return parse_table("\n".join([f"in x:{n_in},out y:{len(bits[0])}", *rows]), where="test")
