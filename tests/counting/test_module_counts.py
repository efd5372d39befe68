"""Modules: shared parameters once, frozen ones without slots, packed ones unpacked."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

from adderlab.counting import Count, ModelCount, count_module
from adderlab.verbs.count import count


class Again(nn.Module):
    """A layer that is used several times."""

    def __init__(self, width: int = 8, times: int = 5) -> None:
        super().__init__()
        self.again, self.last, self.times = nn.Linear(width, width), nn.Linear(width, 1), times

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for _ in range(self.times):
            x = torch.relu(self.again(x))
        return self.last(x)


def test_a_layer_that_is_used_five_times_is_counted_once():
    result = count(Again())
    assert isinstance(result, Count)
    assert (result.raw, result.macs) == (81, 5 * 64 + 8)
    assert result.stored_bytes == 4 * 81
    assert [layer.parameters for layer in result.layers] == [72, 0, 0, 0, 0, 9]
    assert result.layers[1].arithmetic == "fc1's, counted there = 0"
    assert result.to_dict()["layers"][4]["shared_with"] == "fc1"
    module = Again()
    values = torch.cat([p.detach().ravel() for p in module.parameters()])
    again = count(module)
    assert (again.unique, again.nonzero) == (values.unique().numel(), int((values != 0).sum()))


def test_layers_that_are_equal_by_chance_are_two():
    module = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))
    module[2].load_state_dict(module[0].state_dict())
    assert count(module).raw == 24


def test_a_matrix_that_two_layers_share_is_counted_once_with_both_biases():
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)
            self.b.weight = self.a.weight

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.b(torch.relu(self.a(x)))

    result = count(Shared())
    assert result.raw == 24
    assert result.layers[1].arithmetic == "fc1's weights + 4 = 4"


def test_parameters_in_one_memory_are_one():
    head, table = nn.Linear(5, 11, bias=False), nn.Embedding(11, 5)
    head.weight.data = table.weight.data
    assert count(nn.ModuleList([table, head])).raw == 55
    head.weight.data = table.weight.data.clone()
    assert count(nn.ModuleList([table, head])).raw == 110


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_frozen_parameters_have_neither_gradient_nor_state(optimizer):
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    _ = module[0].requires_grad_(False)
    slots = {"sgd": 2, "momentum": 3, "adam": 4}[optimizer]
    for result in (count(module, training=optimizer), count_module(module, training=optimizer)):
        assert (result.raw, result.trainable) == (17, 8)
        assert result.training.bytes["fp32"] == 4 * (17 + (slots - 1) * 8)
        training = result.to_dict()["training"]
        assert (training["parameters"], training["trainable"]) == (17, 8)
        assert training["bytes_each"]["fp32"] == 32


def test_a_frozen_parameter_gets_no_state_from_pytorch():
    """What is said of the slots is what PyTorch keeps."""
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    _ = module[0].requires_grad_(False)
    adam = torch.optim.Adam(module.parameters())
    module(torch.ones(1, 2)).sum().backward()
    _ = adam.step()
    kept = [v for s in adam.state.values() for v in s.values() if v.dim()]
    gradients = [p.grad for p in module.parameters() if p.grad is not None]
    numbers = sum(tensor.numel() for tensor in [*kept, *gradients, *module.parameters()])
    assert count(module, training="adam").training.bytes["fp32"] == 4 * numbers


@pytest.fixture
def quantized():
    """Return a function that quantizes a module's layers dynamically."""

    def quantize(module: nn.Module, kind: type[nn.Module]) -> nn.Module:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.ao.quantization.quantize_dynamic(module, {kind}, dtype=torch.qint8)

    return quantize


def test_a_dynamically_quantized_module_has_the_parameters_of_the_first(quantized):
    module = nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 3))
    result = count(quantized(module, nn.Linear), training="adam")
    assert isinstance(result, ModelCount)
    assert result.raw == 283
    assert (result.macs, result.flops) == (260, 2 * 260 + 23)
    assert result.stored_as == {"qint8": 260 + 2 * 16, "float32": 4 * 23}
    assert (result.quantization.method, result.quantization.bits) == ("torch qint8", 8)
    assert result.quantization.parameters == 260
    assert result.trainable == 0


def test_a_dynamically_quantized_lstm_too(quantized):
    module = nn.ModuleDict({"embed": nn.Embedding(11, 5), "lstm": nn.LSTM(5, 7, 2)})
    total = sum(parameter.numel() for parameter in module.parameters())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = count(quantized(module, nn.LSTM))
    assert result.raw == total
    assert (result.trainable, result.quantization.parameters) == (55, 28 * (5 + 7 + 7 + 7))


def test_packed_buffers_count_as_the_numbers_that_they_stand_for():
    """As AutoGPTQ's layers have them."""

    class Packed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("qweight", torch.zeros(64 // 8, 24, dtype=torch.int32))
            self.register_buffer("qzeros", torch.zeros(2, 24 // 8, dtype=torch.int32))
            self.register_buffer("scales", torch.zeros(2, 24, dtype=torch.float16))
            self.register_buffer("g_idx", torch.zeros(64, dtype=torch.int32))
            self.register_buffer("bias", torch.zeros(24, dtype=torch.float16))

    result = count(nn.ModuleDict({"q": Packed(), "norm": nn.LayerNorm(24)}))
    assert result.raw == 64 * 24 + 24 + 48
    assert (result.quantization.method, result.quantization.group_size) == ("gptq", 32)
    assert result.quantization.parameters == 64 * 24


def test_what_is_called_again_is_said_where_it_can_not_be_seen():
    with torch.device("meta"):
        result = count(Again())
    assert result.raw == 81
    assert result.notes == (
        "MACs count each module once; what is called again is multiplied again",
    )
