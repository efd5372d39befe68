"""Chapter: parameters and bytes, from the adder's 17 to a language model's 405 billion."""

from __future__ import annotations

from typing import Final

from adderlab.blocks import Chapter, Command, Paragraph, Remark, Table
from adderlab.building import lecture_network
from adderlab.counting import (
    Count,
    ModelCount,
    count_model,
    count_number,
    decimal_size,
)
from adderlab.demo.workshop import HAND_SET, Workshop
from adderlab.verbs.count import count

FORMATS: Final = ("fp32", "fp16", "int6", "int4", "int3", "int2")
"""The formats that the notebook goes through: fp32, fp16, (INT6, INT4, INT3, INT2)."""

NOTEBOOK_LAYERS: Final = {
    "fc1": ("6 + 3 = 9 parameters", "9 * 4 bytes (fp32)"),
    "fc2": ("3 * 2 + 2 = 8 parameters", ""),
}
"""The notebook's own answers by layer: the parameters, and the bytes."""

NOTEBOOK_MODELS: Final = {
    "gpt2": "100M ~ 1B, 4GB",
    "gpt2-xl": "100M ~ 1B, 4GB",
    "gpt3-175b": "100B, 400GB",
    "llama-3.1-405b": "500B, 2TB",
}
"""The notebook's sizes of language models."""

ROUND_NUMBER: Final = 500 * 10**9
"""The notebook's round number for Llama 3."""

MODELS: Final = ("gpt2", "gpt2-xl", "gpt3-175b", "llama-3-8b", "llama-3-70b", "llama-3.1-405b")


def model_size(shop: Workshop) -> Chapter:
    """Return the chapter on parameters and bytes."""
    adder = count(lecture_network(shop.task))
    assert isinstance(adder, Count)
    models = {name: _model(name) for name in MODELS}
    round_number = count_number(ROUND_NUMBER)
    largest = models["llama-3.1-405b"]
    return Chapter(
        slug="bytes",
        title="How many parameters, how many bytes?",
        blocks=(
            Paragraph("The notebook asks for the size of its layers and answers in its comments:"),
            _questions(adder),
            Paragraph("Its answers are right. It then estimates the sizes of language models:"),
            _models(models),
            *_remarks(models),
            Paragraph(
                "For 500 billion parameters it goes from fp32 and fp16 down to INT2. The exact "
                "numbers of bytes, rounded up to whole bytes, for the adder, for 500 billion "
                "parameters, and for the largest model of Llama 3:"
            ),
            _memory(adder, round_number, largest),
            Paragraph(
                "This is arithmetic. Whether a network is still right in a format is another "
                "question; the next chapter answers it for the adder."
            ),
            Command("adderlab count lecture.safetensors"),
            Command("adderlab count --parameters 500e9"),
            Command("adderlab count --model llama-3.1-405b"),
        ),
        results={
            **adder.to_dict(),
            "models": {name: model.raw for name, model in models.items()},
            "walk": {
                "adder": {name: adder.bytes[name] for name in FORMATS},
                "500e9": {name: round_number.bytes[name] for name in FORMATS},
                "llama-3.1-405b": {name: largest.bytes[name] for name in FORMATS},
            },
        },
    )


def _model(name: str) -> ModelCount:
    model = count_model(name)
    assert isinstance(model, ModelCount), f"the size of {name} is published"
    return model


def _questions(adder: Count) -> Table:
    """Return the notebook's questions on its two layers, each with the arithmetic."""
    rows: list[tuple[str, ...]] = []
    for layer in adder.layers:
        parameters, stored = NOTEBOOK_LAYERS[layer.name]
        rows += [
            (f"how many parameters does {layer.name} have?", parameters, layer.arithmetic),
            (
                f"how many bytes are required to store {layer.name}?",
                stored,
                f"{layer.parameters} * 4 = {layer.to_dict()['bytes']['fp32']}",
            ),
        ]
    terms = " + ".join(str(layer.parameters) for layer in adder.layers)
    rows += [
        ("how many parameters in all?", "", f"{terms} = {adder.raw}"),
        ("how many bytes in all?", "", f"{adder.raw} * 4 = {adder.bytes['fp32']}"),
    ]
    return Table(
        ("question", "the notebook's answer", "counted"),
        tuple(rows),
        caption="Bytes in fp32",
        left=("question", "the notebook's answer"),
    )


def _models(models: dict[str, ModelCount]) -> Table:
    """Return the notebook's sizes of models, and those that their hyper-parameters give."""
    rows = [
        (
            name,
            NOTEBOOK_MODELS.get(name, ""),
            f"{model.raw:,}",
            decimal_size(model.bytes["fp32"]),
        )
        for name, model in models.items()
    ]
    rows.insert(3, ("gpt-4", "unknown", "unpublished", ""))
    return Table(
        ("model", "the notebook", "parameters", "bytes in fp32"),
        tuple(rows),
        caption="Computed from the published hyper-parameters, tied weights counted once",
        left=("model", "the notebook"),
    )


def _remarks(models: dict[str, ModelCount]) -> tuple[Remark, ...]:
    """Return the notebook's estimates that are not the published sizes."""
    small, large = models["gpt2"], models["gpt2-xl"]
    return (
        Remark(
            "GPT2 was around 100M ~ 1B => (fp32) 4 bytes * 10^9 (1G) = 4GB",
            HAND_SET,
            f"GPT-2 has {_size(small)}, in its smallest version, to {_size(large)}.",
        ),
        Remark(
            "GPT3 was around 100B parameters => 400GB",
            HAND_SET,
            f"GPT-3 has {_size(models['gpt3-175b'])}.",
        ),
        Remark(
            "Llama3 500B parameters => 2TB memory",
            HAND_SET,
            f"The largest Llama 3 has {_size(models['llama-3.1-405b'])}.",
        ),
    )


def _size(model: ModelCount) -> str:
    return f"{model.raw:,} parameters, {decimal_size(model.bytes['fp32'])} in fp32"


def _memory(adder: Count, round_number: ModelCount, largest: ModelCount) -> Table:
    """Return the exact bytes of the parameters in each format."""
    return Table(
        ("format", f"the adder's {adder.raw}", "500 billion", "in decimal units", largest.name),
        tuple(
            (
                name,
                str(adder.bytes[name]),
                f"{round_number.bytes[name]:,}",
                decimal_size(round_number.bytes[name]),
                f"{largest.bytes[name]:,}",
            )
            for name in FORMATS
        ),
        caption="Bytes of the parameters",
        left=("format",),
    )
