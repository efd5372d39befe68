"""Low-rank adapters: their own parameters, their ranks, the matrices that they are added to."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import save_file
from strategies import refused

from adderlab.errors import NetworkFileError, OptionError
from adderlab.verbs.count import count

CONFIG = {
    "peft_type": "LORA",
    "r": 8,
    "lora_alpha": 16,
    "target_modules": ["q_proj", "v_proj"],
    "base_model_name_or_path": "meta-llama/Llama-3.2-1B",
}
PREFIX = "base_model.model.model.layers"


def factors(layers=2, rank=8, width=64, keys=16):
    """Return the factors of queries and values of some layers."""
    tensors = {}
    for layer in range(layers):
        for name, out in (("q_proj", width), ("v_proj", keys)):
            module = f"{PREFIX}.{layer}.self_attn.{name}"
            tensors[f"{module}.lora_A.weight"] = np.zeros((rank, width), np.float32)
            tensors[f"{module}.lora_B.weight"] = np.zeros((out, rank), np.float32)
    return tensors


@pytest.fixture
def adapter(tmp_path):
    """Return a function that writes an adapter and returns its folder."""

    def write(tensors, config=CONFIG):
        save_file(tensors, tmp_path / "adapter_model.safetensors")
        if config is not None:
            _ = (tmp_path / "adapter_config.json").write_text(json.dumps(config))
        return tmp_path

    return write


def test_an_adapter_is_counted_by_either_of_its_files(adapter):
    folder = adapter(factors())
    by_config = count(config=folder / "adapter_config.json", training="adam")
    by_tensors = count(safetensors=folder / "adapter_model.safetensors", training="adam")
    assert by_config.to_dict() == by_tensors.to_dict()
    size = 2 * 8 * (64 + 64 + 64 + 16)
    assert by_config.raw == size
    assert by_config.training.bytes["fp32"] == 4 * 4 * size
    assert [(part.name, part.parameters) for part in by_config.parts] == [("adapter", size)]
    assert by_config.adapter == {
        "kind": "LoRA",
        "ranks": [8],
        "alpha": 16,
        "modules": ["q_proj", "v_proj"],
        "matrices": 4,
        "covered_parameters": 2 * 64 * (64 + 16),
        "base_model": "meta-llama/Llama-3.2-1B",
    }


def test_embeddings_and_modules_that_are_saved_whole_are_counted(adapter):
    tensors = factors(1) | {
        f"{PREFIX}.embed_tokens.lora_embedding_A": np.zeros((8, 100), np.float32),
        f"{PREFIX}.embed_tokens.lora_embedding_B": np.zeros((64, 8), np.float32),
        "base_model.model.score.weight": np.zeros((3, 64), np.float32),
    }
    result = count(config=adapter(tensors) / "adapter_config.json")
    assert result.raw == 8 * (64 * 3 + 16) + 8 * 164 + 192
    assert result.adapter["covered_parameters"] == 64 * 80 + 6400


def test_an_adapter_without_its_configuration_is_counted(adapter):
    result = count(safetensors=adapter(factors(), None) / "adapter_model.safetensors")
    assert (result.adapter["ranks"], result.adapter["alpha"]) == ([8], None)


def test_ranks_of_single_modules_are_accepted(adapter):
    tensors = factors(1)
    module = f"{PREFIX}.0.self_attn.v_proj"
    tensors[f"{module}.lora_A.weight"] = np.zeros((4, 64), np.float32)
    tensors[f"{module}.lora_B.weight"] = np.zeros((16, 4), np.float32)
    config = CONFIG | {"rank_pattern": {"v_proj": 4}}
    assert count(config=adapter(tensors, config) / "adapter_config.json").adapter["ranks"] == [4, 8]
    folder = adapter(tensors)
    with refused(
        NetworkFileError,
        f"{folder / 'adapter_config.json'}: r is 8, the tensors have rank 4, 8; "
        "put the configuration beside the adapter that it belongs to",
    ):
        _ = count(config=folder / "adapter_config.json")


def test_factors_that_do_not_fit_are_refused(adapter):
    tensors = factors(1)
    module = f"{PREFIX}.0.self_attn.q_proj"
    tensors[f"{module}.lora_A.weight"] = np.zeros((4, 64), np.float32)
    folder = adapter(tensors)
    with refused(
        NetworkFileError,
        f"{folder}: lora_A of {module} has rank 4, its lora_B 8; download the adapter again",
    ):
        _ = count(config=folder / "adapter_config.json")
    del tensors[f"{module}.lora_A.weight"]
    with refused(
        NetworkFileError,
        f"{adapter(tensors)}: {module} has lora_B alone; download the adapter again",
    ):
        _ = count(config=folder / "adapter_config.json")


def test_a_configuration_without_its_tensors_is_refused(tmp_path):
    path = tmp_path / "adapter_config.json"
    _ = path.write_text(json.dumps(CONFIG))
    with refused(
        OptionError,
        f"{path}: an adapter's configuration: its rank alone does not say how many matrices of "
        "which sizes meta-llama/Llama-3.2-1B has; put adapter_model.safetensors beside it",
    ):
        _ = count(config=path)
