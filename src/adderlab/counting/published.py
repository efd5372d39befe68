"""Models with published hyper-parameters: the data, with where they come from.

Rule: hyper-parameters are stored, totals never; a total is always computed. What its makers
have not published is listed as such and gets no number.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Final

from adderlab.counting.architecture import Architecture
from adderlab.errors import OptionError


@dataclass(frozen=True, slots=True)
class Shipped:
    """The format that a model's weights are usually handed out in.

    Attributes:
        format: its name; empty where the weights are not handed out.
        source: who says so.
        date: of that source, year-month-day; empty where it has none.
    """

    format: str
    source: str
    date: str

    def __str__(self) -> str:
        where = ", ".join(filter(None, (self.source, self.date)))
        if not self.format:
            return f"weights not handed out ({where})"
        return f"usually shipped in {self.format} ({where})"


@dataclass(frozen=True, slots=True)
class Published:
    """A model by its published hyper-parameters.

    Attributes:
        name: as on the command line.
        architecture: its hyper-parameters.
        source: paper and configuration that they come from.
        date: of the paper or the release.
        shipped: the format of its weights.
        note: what else has to be said.
    """

    name: str
    architecture: Architecture
    source: str
    date: str
    shipped: Shipped
    note: str = ""


def _gpt(layers: int, width: int, heads: int, positions: int = 1024) -> Architecture:
    """Return GPT-2's and GPT-3's architecture: an MLP four times as wide, biases everywhere."""
    return Architecture(
        layers=layers,
        width=width,
        heads=heads,
        kv_heads=heads,
        head_width=width // heads,
        mlp=4 * width,
        vocabulary=50257,
        positions=positions,
        gated=False,
        has_layer_norm=True,
        qkv_bias=True,
        output_bias=True,
        mlp_bias=True,
        tied=True,
        longest=positions,
    )


def _llama(
    layers: int,
    width: int,
    heads: int,
    kv_heads: int,
    mlp: int,
    vocabulary: int,
    *,
    longest: int,
    experts: int = 1,
    window: int = 0,
) -> Architecture:
    """Return the architecture of the Llama and Mistral families: a gated MLP and no biases."""
    return Architecture(
        layers=layers,
        width=width,
        heads=heads,
        kv_heads=kv_heads,
        head_width=width // heads,
        mlp=mlp,
        vocabulary=vocabulary,
        experts=experts,
        experts_used=2 if experts > 1 else 1,
        longest=longest,
        window=window,
        window_layers=layers if window else 0,
    )


_GPT2 = "Radford et al., Language Models are Unsupervised Multitask Learners (2019), table 2"
_GPT3 = "Brown et al., Language Models are Few-Shot Learners, arXiv:2005.14165, table 2.1"
_LLAMA2 = "Touvron et al., Llama 2, arXiv:2307.09288; config.json on Hugging Face, meta-llama"
_LLAMA3 = "Grattafiori et al., The Llama 3 Herd of Models, arXiv:2407.21783, table 3"
_MISTRAL = "Jiang et al., Mistral 7B, arXiv:2310.06825, table 1; config.json of v0.1"
_MIXTRAL = "Jiang et al., Mixtral of Experts, arXiv:2401.04088, table 1; config.json of v0.1"
_GPT2_SHIPPED = Shipped(
    "fp32", "tensors in openai-community on Hugging Face; OpenAI's last release", "2019-11-05"
)
_GPT3_SHIPPED = Shipped("", "OpenAI offers GPT-3 through an API alone", "2020-06-11")
_LLAMA2_SHIPPED = Shipped("fp16", "torch_dtype in config.json of meta-llama", "2023-07-18")
_LLAMA3_SHIPPED = Shipped("bf16", "torch_dtype in config.json of meta-llama", "2024-04-18")
_LLAMA31_SHIPPED = Shipped("bf16", "torch_dtype in config.json of meta-llama", "2024-07-23")
_MISTRAL_SHIPPED = Shipped("bf16", "torch_dtype in config.json of mistralai", "2023-09-27")
_MIXTRAL_SHIPPED = Shipped("bf16", "torch_dtype in config.json of mistralai", "2023-12-11")
_PAPER_GPT2 = (
    "the paper's 117M, 345M, 762M and 1542M are mistaken, as the README of openai/gpt-2 says of "
    "the smaller two"
)
_ROUNDED = "the published 175B is rounded; n_ctx 2048, GPT-2's 50257 tokens"

MODELS: Final[dict[str, Published]] = {
    model.name: model
    for model in (
        Published("gpt2", _gpt(12, 768, 12), _GPT2, "2019-02-14", _GPT2_SHIPPED, _PAPER_GPT2),
        Published(
            "gpt2-medium", _gpt(24, 1024, 16), _GPT2, "2019-02-14", _GPT2_SHIPPED, _PAPER_GPT2
        ),
        Published(
            "gpt2-large", _gpt(36, 1280, 20), _GPT2, "2019-02-14", _GPT2_SHIPPED, _PAPER_GPT2
        ),
        Published("gpt2-xl", _gpt(48, 1600, 25), _GPT2, "2019-02-14", _GPT2_SHIPPED, _PAPER_GPT2),
        Published(
            "gpt3-175b", _gpt(96, 12288, 96, 2048), _GPT3, "2020-05-28", _GPT3_SHIPPED, _ROUNDED
        ),
        Published(
            "llama-2-7b",
            _llama(32, 4096, 32, 32, 11008, 32000, longest=4096),
            _LLAMA2,
            "2023-07-18",
            _LLAMA2_SHIPPED,
        ),
        Published(
            "llama-2-13b",
            _llama(40, 5120, 40, 40, 13824, 32000, longest=4096),
            _LLAMA2,
            "2023-07-18",
            _LLAMA2_SHIPPED,
        ),
        Published(
            "llama-2-70b",
            _llama(80, 8192, 64, 8, 28672, 32000, longest=4096),
            _LLAMA2,
            "2023-07-18",
            _LLAMA2_SHIPPED,
        ),
        Published(
            "llama-3-8b",
            _llama(32, 4096, 32, 8, 14336, 128256, longest=8192),
            _LLAMA3,
            "2024-04-18",
            _LLAMA3_SHIPPED,
        ),
        Published(
            "llama-3-70b",
            _llama(80, 8192, 64, 8, 28672, 128256, longest=8192),
            _LLAMA3,
            "2024-04-18",
            _LLAMA3_SHIPPED,
        ),
        Published(
            "llama-3.1-405b",
            _llama(126, 16384, 128, 8, 53248, 128256, longest=131072),
            _LLAMA3,
            "2024-07-23",
            _LLAMA31_SHIPPED,
            "an FP8 version is offered too, for a single machine of eight GPUs",
        ),
        Published(
            "mistral-7b",
            _llama(32, 4096, 32, 8, 14336, 32000, longest=32768, window=4096),
            _MISTRAL,
            "2023-09-27",
            _MISTRAL_SHIPPED,
        ),
        Published(
            "mixtral-8x7b",
            _llama(32, 4096, 32, 8, 14336, 32000, longest=32768, experts=8),
            _MIXTRAL,
            "2023-12-11",
            _MIXTRAL_SHIPPED,
            "eight experts share attention and embedding, so it is not 8 * 7B",
        ),
    )
}
"""The models by name, oldest first."""

UNPUBLISHED: Final = {
    "gpt-4": (
        "OpenAI, GPT-4 Technical Report, arXiv:2303.08774, section 2: no model size is given",
        "2023-03-15",
    ),
    "gpt-4-turbo": ("OpenAI has published no size", "2023-11-06"),
    "gpt-4o": ("OpenAI, GPT-4o System Card, arXiv:2410.21276, gives no size", "2024-10-25"),
    "gpt-4o-mini": ("OpenAI has published no size", "2024-07-18"),
}
"""Models whose sizes their makers keep to themselves: what there is to read, and its date."""

ALIASES: Final = {
    "gpt2small": "gpt2",
    "gpt3": "gpt3-175b",
    "llama3405b": "llama-3.1-405b",
    "gpt4": "gpt-4",
}


def _bare(name: str) -> str:
    """Return a name as it is compared: small letters and digits, nothing else."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def model_named(name: str) -> Published | str:
    """Return the model of that name; of one whose size is not published, its name alone.

    Raises:
        OptionError: no such model is known; near names are suggested.
    """
    names = {_bare(known): known for known in (*MODELS, *UNPUBLISHED)} | ALIASES
    bare = _bare(name.rpartition("/")[2])
    name_found = names.get(bare) or names.get(bare.removesuffix("hf"))
    name_found = name_found or names.get(bare.replace("meta", "", 1))
    if name_found is None:
        near = difflib.get_close_matches(bare, map(_bare, MODELS), n=3, cutoff=0.6)
        known = [names[match] for match in near]
        remedy = f"did you mean {_either(known)}?" if known else f"choose {', '.join(MODELS)}"
        raise OptionError(f"unknown model {name[:60]!r}", where="model", remedy=remedy)
    return MODELS.get(name_found, name_found)


def _either(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else names[0]
