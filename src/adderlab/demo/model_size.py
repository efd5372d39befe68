"""Chapter: what the parameters weigh, from the adder's 17 to a language model's 405 billion."""

from __future__ import annotations

from typing import Final

from adderlab.blocks import Chapter, Command, Paragraph, Table
from adderlab.building import lecture_network
from adderlab.counting import (
    Count,
    ModelCount,
    count_model,
    count_number,
    decimal_size,
)
from adderlab.demo.workshop import Workshop
from adderlab.verbs.count import count

WALK: Final = ("fp32", "fp16", "int6", "int4", "int3", "int2")
"""The notebook's walk: fp32, fp16, (INT6, INT4, INT3, INT2)."""

SAID: Final = {
    "fc1": ("6 + 3 = 9 parameters", "9 * 4 bytes (fp32)"),
    "fc2": ("3 * 2 + 2 = 8 parameters", ""),
}
"""The notebook's own answers, layer by layer: to the parameters, and to the bytes."""

ROUND: Final = 500 * 10**9
"""The notebook's round number for Llama 3."""

REAL: Final = ("gpt2", "gpt2-xl", "gpt3-175b", "llama-3-8b", "llama-3-70b", "llama-3.1-405b")


def model_size(shop: Workshop) -> Chapter:
    """Return the chapter on parameters and bytes."""
    counted = count(lecture_network(shop.task))
    assert isinstance(counted, Count)
    models = {name: _model(name) for name in REAL}
    guess = count_number(ROUND)
    return Chapter(
        slug="bytes",
        title="How many parameters, how many bytes?",
        blocks=(
            Paragraph("The notebook asks of its layers, and answers in its comments:"),
            _questions(counted),
            Paragraph(
                "Its answers are right. Then it looks at language models, whose sizes are these:"
            ),
            _models(models),
            Paragraph(
                "and walks from fp32 over fp16 to INT2, for 500 billion parameters. To the byte, "
                "whole bytes, beside the adder and the largest Llama 3 there is:"
            ),
            _memory(counted, guess, models["llama-3.1-405b"]),
            Paragraph(
                "That is arithmetic; whether a network still computes the right thing in a format "
                "is another question, which the next chapter asks of the adder."
            ),
            Command("adderlab count lecture.safetensors"),
            Command("adderlab count --parameters 500e9"),
            Command("adderlab count --model llama-3.1-405b"),
        ),
        results={
            **counted.to_dict(),
            "models": {name: model.raw for name, model in models.items()},
            "walk": {
                "adder": {name: counted.bytes[name] for name in WALK},
                "500e9": {name: guess.bytes[name] for name in WALK},
                "llama-3.1-405b": {name: models["llama-3.1-405b"].bytes[name] for name in WALK},
            },
        },
    )


def _model(name: str) -> ModelCount:
    counted = count_model(name)
    assert isinstance(counted, ModelCount), name
    return counted


def _questions(counted: Count) -> Table:
    """Return the notebook's questions on its two layers, each with the arithmetic."""
    rows: list[tuple[str, ...]] = []
    for layer in counted.layers:
        answer = SAID[layer.name]
        rows += [
            (f"how many parameters does {layer.name} have?", answer[0], layer.arithmetic),
            (
                f"how many bytes are required to store {layer.name}?",
                answer[1],
                f"{layer.parameters} * 4 = {layer.to_dict()['bytes']['fp32']}",
            ),
        ]
    inside = " + ".join(str(layer.parameters) for layer in counted.layers)
    rows += [
        ("how many parameters in all?", "", f"{inside} = {counted.raw}"),
        ("how many bytes in all?", "", f"{counted.raw} * 4 = {counted.bytes['fp32']}"),
    ]
    return Table(
        ("question", "the notebook's answer", "counted"),
        tuple(rows),
        caption="Bytes in fp32",
        left=("question", "the notebook's answer"),
    )


def _models(models: dict[str, ModelCount]) -> Table:
    """Return what the notebook says of models beside what their hyper-parameters add up to."""
    answers = {
        "gpt2": "100M ~ 1B, 4GB",
        "gpt2-xl": "100M ~ 1B, 4GB",
        "gpt3-175b": "100B, 400GB",
        "llama-3.1-405b": "500B, 2TB",
    }
    rows = [
        (name, answers.get(name, ""), f"{model.raw:,}", decimal_size(model.bytes["fp32"]))
        for name, model in models.items()
    ]
    rows.insert(3, ("gpt-4", "unknown", "unpublished", ""))
    return Table(
        ("model", "the notebook", "parameters", "bytes in fp32"),
        tuple(rows),
        caption="Counted from the published hyper-parameters, tied weights once",
        left=("model", "the notebook"),
    )


def _memory(counted: Count, guess: ModelCount, largest: ModelCount) -> Table:
    """Return the notebook's memory table, to the byte."""
    return Table(
        ("format", f"the adder's {counted.raw}", "500 billion", "that is", largest.name),
        tuple(
            (
                name,
                str(counted.bytes[name]),
                f"{guess.bytes[name]:,}",
                decimal_size(guess.bytes[name]),
                f"{largest.bytes[name]:,}",
            )
            for name in WALK
        ),
        caption="Bytes of the parameters alone",
        left=("format",),
    )
