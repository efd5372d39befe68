"""Models by their hyper-parameters: the published counts, from parts that add up."""

from __future__ import annotations

import json
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEW, refused
from torch import nn

import adderlab
from adderlab.counting import (
    MODELS,
    SLOTS,
    Architecture,
    Unpublished,
    binary_size,
    bytes_by_format,
    count_config,
    decimal_size,
    parameter_count,
)
from adderlab.errors import OptionError
from adderlab.formats import FORMATS
from adderlab.verbs.count import count

PUBLISHED = {
    "gpt2": 124_439_808,
    "gpt2-medium": 354_823_168,
    "gpt2-large": 774_030_080,
    "gpt2-xl": 1_557_611_200,
    "llama-2-7b": 6_738_415_616,
    "llama-2-13b": 13_015_864_320,
    "llama-2-70b": 68_976_648_192,
    "llama-3-8b": 8_030_261_248,
    "llama-3-70b": 70_553_706_496,
    "llama-3.1-405b": 405_853_388_800,
    "mistral-7b": 7_241_732_096,
    "mixtral-8x7b": 46_702_792_704,
}
"""Counts of the published weights; of GPT-3 none are, and 175B is rounded."""


@pytest.mark.parametrize("name", MODELS)
def test_the_published_count_comes_out(name):
    counts = count(model=name)
    assert counts.raw == sum(part.parameters for part in counts.parts)
    if name == "gpt3-175b":
        assert round(counts.raw / 1e9) == 175
        assert "rounded" in counts.notes[0]
    else:
        assert counts.raw == PUBLISHED[name]
    assert [part.name for part in counts.parts] == [
        "embedding",
        "attention",
        "MLP",
        "norm",
        "output head",
    ]


@pytest.mark.parametrize("name", MODELS)
def test_the_arithmetic_that_is_shown_gives_the_count(name):
    """What is printed is evaluated as people read it, words left out."""
    for part in count(model=name).parts:
        words = part.arithmetic.replace("(", " ( ").replace(")", " ) ").split()
        kept = ["*" if word == "x" else word for word in words if word in "x+()" or word.isdigit()]
        if part.parameters:
            assert eval(" ".join(kept)) == part.parameters, part.arithmetic


def test_no_total_is_stored():
    """A model's record holds its hyper-parameters; none of its numbers is near a total."""
    for model in MODELS.values():
        numbers = [
            value
            for name in Architecture.__slots__
            if isinstance(value := getattr(model.architecture, name), int)
        ]
        assert max(numbers) < 10**6


def test_mixtral_uses_two_of_eight_experts():
    counts = count(model="mixtral-8x7b")
    assert counts.active == 12_879_925_248
    mlp = next(part for part in counts.parts if part.name == "MLP")
    assert mlp.macs == 32 * (4096 * 8 + 2 * 3 * 4096 * 14336)


@pytest.mark.parametrize(
    ("text", "name"),
    [("GPT2", "gpt2"), ("meta-llama/Llama-2-7b-hf", "llama-2-7b"), ("Llama 3 8B", "llama-3-8b"),
     ("meta-llama/Meta-Llama-3-8B", "llama-3-8b"), ("gpt-3", "gpt3-175b"),
     ("llama-3.1-405B", "llama-3.1-405b"), ("mistralai/Mixtral-8x7B", "mixtral-8x7b")],
)  # fmt: skip
def test_a_model_is_known_however_it_is_written(text, name):
    assert count(model=text).name == name


@pytest.mark.parametrize("name", ["gpt-4", "GPT4", "gpt-4o", "GPT-4 Turbo", "openai/gpt-4"])
def test_what_is_not_published_gets_no_number(name):
    counts = count(model=name)
    assert isinstance(counts, Unpublished)
    assert "unpublished" in str(counts)
    assert counts.to_dict()["parameters"] is None
    assert set(counts.to_dict()) >= {"parameters", "layers", "macs", "flops", "bytes"}


def test_an_unknown_model_gets_near_names():
    with refused(
        OptionError,
        "model: unknown model 'lama-3-8'; did you mean llama-3-8b, llama-3-70b or llama-2-13b?",
    ):
        _ = count(model="lama-3-8")
    with refused(OptionError, f"model: unknown model 'zzz'; choose {', '.join(MODELS)}"):
        _ = count(model="zzz")


# --- the rule of MACs, held against a module that is built and run --------------------------------


def module_of(architecture: Architecture) -> tuple[nn.Module, int]:
    """Return a module with the architecture's weights, and its MACs at context 1."""
    queries = architecture.heads * architecture.head_width
    keys = architecture.kv_heads * architecture.head_width
    width = architecture.width

    def norm() -> nn.Module:
        return nn.LayerNorm(width) if architecture.has_layer_norm else nn.RMSNorm(width)

    layers = [nn.Embedding(architecture.vocabulary, width)]
    if architecture.positions:
        layers.append(nn.Embedding(architecture.positions, width))
    products = 0
    for _ in range(architecture.layers):
        ups = 2 if architecture.gated else 1
        layers += [
            nn.Linear(width, size, bias=architecture.qkv_bias) for size in (queries, keys, keys)
        ]
        layers.append(nn.Linear(queries, width, bias=architecture.output_bias))
        if architecture.experts > 1:
            layers.append(nn.Linear(width, architecture.experts, bias=False))
        for expert in range(architecture.experts):
            mlp = [
                nn.Linear(width, architecture.mlp, bias=architecture.mlp_bias) for _ in range(ups)
            ]
            mlp.append(nn.Linear(architecture.mlp, width, bias=architecture.mlp_bias))
            layers += mlp
            if expert >= architecture.experts_used:
                products -= sum(entry.weight.numel() for entry in mlp)
        layers += [norm(), norm()]
        products += 2 * architecture.heads * architecture.head_width
    layers.append(norm())
    head = nn.Linear(width, architecture.vocabulary, bias=False)
    if architecture.tied:
        head.weight = layers[0].weight
    layers.append(head)
    products += sum(entry.weight.numel() for entry in layers if isinstance(entry, nn.Linear))
    return nn.ModuleList(layers), products


@st.composite
def architectures(draw: st.DrawFn) -> Architecture:
    kv_heads, group, head_width = draw(st.tuples(*[st.integers(1, 3)] * 3))
    experts = draw(st.sampled_from([1, 3]))
    return Architecture(
        layers=draw(st.integers(1, 3)),
        width=draw(st.integers(2, 9)),
        heads=kv_heads * group,
        kv_heads=kv_heads,
        head_width=head_width,
        mlp=draw(st.integers(2, 11)),
        vocabulary=draw(st.integers(2, 13)),
        positions=draw(st.sampled_from([0, 7])),
        gated=draw(st.booleans()),
        has_layer_norm=draw(st.booleans()),
        qkv_bias=draw(st.booleans()),
        output_bias=draw(st.booleans()),
        mlp_bias=experts == 1 and draw(st.booleans()),
        tied=draw(st.booleans()),
        experts=experts,
        experts_used=draw(st.integers(1, experts)),
    )


@FEW
@given(architectures())
def test_parts_count_what_a_module_of_that_architecture_has(architecture):
    with torch.device("meta"):
        module, macs = module_of(architecture)
    parts = architecture.parts()
    total = sum(part.parameters for part in parts)
    assert total == sum(entry.numel() for entry in module.parameters())
    assert sum(part.macs for part in parts) == macs
    assert count(module).raw == total
    assert sum(part.active for part in parts) <= total


# --- round numbers, formats, training -------------------------------------------------------------


def test_the_lecturers_round_number_gives_the_lecturers_sizes():
    counts = count(parameters="500e9")
    assert (counts.bytes["fp32"], counts.bytes["fp16"], counts.bytes["int2"]) == (
        2 * 10**12,
        10**12,
        125 * 10**9,
    )
    assert [decimal_size(counts.bytes[name]) for name in ("fp32", "fp16", "int2")] == [
        "2 TB",
        "1 TB",
        "125 GB",
    ]
    assert binary_size(counts.bytes["int2"]) == "116.4 GiB"


@pytest.mark.parametrize(
    ("text", "value"),
    [("17", 17), ("500e9", 500 * 10**9), ("1.5B", 1_500_000_000), ("1_000", 1000), ("1,000", 1000),
     ("2k", 2000), ("1e+18", 10**18), (500e9, 500 * 10**9), (7, 7), ("0.5k", 500)],
)  # fmt: skip
def test_numbers_of_parameters_are_read_as_people_write_them(text, value):
    assert parameter_count(text) == value


@pytest.mark.parametrize("text", ["", "x", "-5", "0.5", "1e-3", "nan", "inf", "1e", "5e9e", " 5"])
def test_what_is_no_number_of_parameters_is_refused(text):
    message = (
        f"parameters: got {text!r}, which is no whole number of parameters; "
        "give one like 17, 500e9 or 7B"
    )
    with refused(OptionError, message):
        _ = parameter_count(text)


@pytest.mark.parametrize("text", ["0", "1e19", "1e999"])
def test_numbers_beyond_bounds_are_refused(text):
    with refused(OptionError, f"parameters: got '{text}'; give 1 to 10^18 parameters"):
        _ = parameter_count(text)


@FEW
@given(st.integers(1, 10**15))
def test_bytes_are_bits_rounded_up_in_every_format(parameters):
    sizes = bytes_by_format(parameters)
    assert set(sizes) == set(FORMATS) - {"wide"}
    for name, size in sizes.items():
        assert size == math.ceil(parameters * FORMATS[name].bits / 8) or parameters > 2**50
        assert 8 * size - 7 <= parameters * FORMATS[name].bits <= 8 * size


@pytest.mark.parametrize("optimizer", SLOTS)
def test_training_adds_the_second_slot_and_the_optimizers(optimizer):
    counts = count(model="gpt2", training=optimizer).training
    numbers = {"sgd": 2, "momentum": 3, "adam": 4}[optimizer]
    assert len(counts.slots) == numbers
    assert counts.bytes["fp32"] == numbers * 4 * 124_439_808
    assert "int8" not in counts.bytes
    assert "activations are left out" in counts.to_dict()["left_out"]


@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_an_optimizers_slots_are_those_that_pytorch_keeps(optimizer):
    """The tensors of the optimizer's state of the size of the parameters, after one step."""
    model = adderlab.AdderNN()
    drawn = {
        "momentum": lambda ps: torch.optim.SGD(ps, lr=0.1, momentum=0.9),
        "adam": torch.optim.Adam,
    }[optimizer](model.parameters())
    model(torch.ones(1, 2)).sum().backward()
    _ = drawn.step()
    kept = sum(
        value.numel()
        for state in drawn.state.values()
        for value in state.values()
        if isinstance(value, torch.Tensor) and value.dim()
    )
    assert kept == (len(SLOTS[optimizer]) - 2) * 17


def test_an_unknown_optimizer_is_refused():
    for requests in ({"model": "gpt2"}, {"parameters": 5}, {"model": "gpt-4"}):
        with refused(OptionError, "training: got 'lion'; give one of sgd, momentum, adam"):
            _ = count(**requests, training="lion")


# --- configuration files ------------------------------------------------------------------------

LLAMA = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}
GPT2 = {"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "n_positions": 1024,
        "vocab_size": 50257, "n_inner": None}  # fmt: skip


@pytest.fixture
def config(tmp_path):
    """Return a function that writes a configuration and returns its path."""

    def write(content):
        path = tmp_path / "config.json"
        _ = path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def test_a_heads_own_width_is_taken(config):
    wide = count_config(config(LLAMA | {"head_dim": 256})).raw
    assert wide - 8_030_261_248 == 32 * 2 * 4096 * 128 * (32 + 8)


def test_biases_of_llama_are_counted(config):
    counts = count_config(config(LLAMA | {"attention_bias": True, "mlp_bias": True})).raw
    assert counts - 8_030_261_248 == 32 * (4096 + 2 * 1024 + 4096 + 2 * 14336 + 4096)


def test_all_missing_keys_are_named_at_once(config):
    path = config({"model_type": "mixtral", "vocab_size": 5})
    with refused(
        OptionError,
        f"{path}: lacks hidden_size, num_attention_heads, num_key_value_heads, "
        "num_hidden_layers, intermediate_size, num_local_experts, num_experts_per_tok; "
        "give what mixtral models have",
    ):
        _ = count(config=path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "not a JSON object; name a model's config.json"),
        (LLAMA | {"vocab_size": "x"},
         'vocab_size is "x", no whole number above 0; give what llama models have'),
        (LLAMA | {"vocab_size": True},
         "vocab_size is true, no whole number above 0; give what llama models have"),
        (LLAMA | {"tie_word_embeddings": 1},
         "tie_word_embeddings is 1, neither true nor false; give what llama models have"),
        (LLAMA | {"num_key_value_heads": 5}, ("num_attention_heads 32 is no multiple of "
         "num_key_value_heads 5; give what llama models have")),
        (GPT2 | {"n_head": 7}, "n_embd 768 is no multiple of n_head 7; give what gpt2 models have"),
        (GPT2 | {"add_cross_attention": True}, ("add_cross_attention is set, whose weights are not "
         "counted here; give what gpt2 models have")),
    ],
)  # fmt: skip
def test_a_configuration_that_makes_no_sense_is_refused(config, content, message):
    path = config(content)
    with refused(OptionError, f"{path}: {message}"):
        _ = count(config=path)


def test_a_configuration_that_is_no_json_is_refused(config, tmp_path):
    path = config("{")
    with pytest.raises(OptionError, match="not valid JSON"):
        _ = count(config=path)
    with pytest.raises(OptionError, match="it is nested more than 100 levels deep; name a model's"):
        _ = count(config=config("[" * 100_000))
    with refused(OptionError, f"{tmp_path / 'none'}: no such file; check the path"):
        _ = count(config=tmp_path / "none")
    with pytest.raises(OptionError, match="a folder, not a file; name a file in it"):
        _ = count(config=tmp_path)


# --- modules ------------------------------------------------------------------------------------


def test_a_module_on_the_meta_device_is_counted_without_memory():
    with torch.device("meta"):
        model = nn.Sequential(nn.Linear(10**6, 10**6), nn.ReLU(), nn.Linear(10**6, 3, bias=False))
    counts = count(model)
    assert counts.raw == 10**12 + 10**6 + 3 * 10**6
    assert counts.macs == 10**12 + 3 * 10**6
    assert counts.flops == 2 * counts.macs + 10**6
    assert counts.stored_as == {"float32": 4 * counts.raw}


def test_a_module_that_can_be_read_is_counted_as_a_network():
    assert repr(count(adderlab.AdderNN())).startswith("Count: 17 parameters")


def test_tied_weights_are_counted_once():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(11, 5)
            self.head = nn.Linear(5, 11, bias=False)
            self.head.weight = self.table.weight

        def forward(self, x):
            return self.head(self.table(x))

    counts = count(Tied())
    assert counts.raw == 55
    assert counts.macs == 55
    assert counts.parts[1].arithmetic == "counted at its first use"


def test_products_that_depend_on_the_input_are_left_out_and_said():
    counts = count(nn.Sequential(nn.Conv2d(3, 5, 2), nn.Flatten()))
    assert counts.raw == 3 * 5 * 4 + 5
    assert (counts.macs, counts.flops) == (None, None)
    assert counts.notes == ("MACs of Conv2d depend on its input: not counted",)


def test_a_module_of_many_parts_is_summed_by_name():
    with torch.device("meta"):
        model = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 30)
    counts = count(model)
    assert counts.raw == sum(entry.numel() for entry in model.parameters())
    assert len(counts.parts) <= 40


def test_exactly_one_thing_is_counted():
    choices = "`net`, `model`, `config`, `safetensors`, `gguf`, `parameters`"
    with refused(OptionError, f"count: nothing to count was given; give exactly one of {choices}"):
        _ = count()
    with refused(
        OptionError, f"count: got `model` and `parameters`; give exactly one of {choices}"
    ):
        _ = count(model="gpt2", parameters=5)
