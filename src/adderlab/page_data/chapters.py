"""The lecture as steps of a presentation: a few sentences each, beside a network that is live.

Rule: a chapter is data. It names a preset or brings a network of its own, says in the words of a
link what of it is shown, and which panel stands beside the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from adderlab.building import construct
from adderlab.page_data import networks
from adderlab.tasks import task_named

Panel: TypeAlias = Literal["network", "table", "surfaces", "training", "backprop"]


@dataclass(frozen=True, slots=True)
class Chapter:
    """One step of the presentation.

    Attributes:
        title: its heading.
        text: short paragraphs.
        panel: what stands beside them.
        preset: the name of the preset that it begins with, where it is one.
        build: a task and a method, where its network is constructed.
        seed: of the untrained network that it begins with.
        link: the rest of its state, as a link says it.
    """

    title: str
    text: tuple[str, ...]
    panel: Panel
    preset: str | None = None
    build: tuple[str, str] | None = None
    seed: int | None = None
    link: str = ""


CHAPTERS: Final = (
    Chapter(
        "A network set by hand",
        (
            (
                "Three hidden units add two bits. Their 17 numbers are set by hand, and an output"
                " above 0 reads as 1."
            ),
            "Three rows are right. Go through them with the switches a and b: 1 + 1 gives 3.",
        ),
        "network",
        preset="lecture",
        link="row=3",
    ),
    Chapter(
        "Every row, not one",
        (
            "Four rows are all there is, so all of them are checked, in exact arithmetic.",
            (
                "The table shows raw outputs too: the margin is the smallest distance to the "
                "threshold."
            ),
        ),
        "table",
        preset="lecture",
        link="row=3",
    ),
    Chapter(
        "The repair: one weight",
        (
            (
                "The weight from unit 3 to c0 is −4 now. Drag it up to −2 and down again: at −3 "
                "the output is exactly 0."
            ),
            (
                "All rows are right, and the margin is still 0: 0 + 0 gives exactly 0, which is "
                "not above 0."
            ),
        ),
        "network",
        preset="repaired",
        link="row=3",
    ),
    Chapter(
        "What an output sees",
        (
            "Each output is a function of two numbers; the four rows are its corners.",
            "The line is where it meets the threshold. Right means: each corner is on its side.",
        ),
        "surfaces",
        preset="repaired",
        link="row=3",
    ),
    Chapter(
        "A training run that works",
        (
            (
                "The same shape, its numbers drawn at random: torch.manual_seed(0), then the two "
                "layers."
            ),
            (
                "Gradient descent on the mean squared error, all four rows in each step. Press "
                "train, and drag the slider back."
            ),
        ),
        "training",
        seed=0,
    ),
    Chapter(
        "loss.backward(), step by step",
        (
            (
                "Forward, the loss, backward, and the optimizer's step: one key goes on, one goes"
                " back."
            ),
            (
                "A gradient that was not computed yet is not 0: there is none. Leave out "
                "zero_grad() and see what the second step adds up."
            ),
        ),
        "backprop",
        seed=0,
        link="row=3&lesson=0",
    ),
    Chapter(
        "The same run from another seed",
        (
            "Same network, same rows, same learning rate, 1000 steps; only the start is another.",
            "It ends in a network that can't add, and more steps don't help. One run says little.",
        ),
        "network",
        preset="failing",
    ),
    Chapter(
        "Three batch sizes",
        (
            (
                "All rows in each step is gradient descent; one row drawn at random is stochastic"
                " gradient descent; a few are a minibatch."
            ),
            "The loss is of the rows that the step looked at: with one row it jumps.",
        ),
        "training",
        seed=0,
        link="batch=1",
    ),
    Chapter(
        "The weights that the notebook printed",
        (
            "Its own run succeeded: right on all four rows.",
            (
                "Hidden unit 3 is off on every row. A dead unit learns nothing any more, and here"
                " nobody needs it."
            ),
        ),
        "network",
        preset="printed",
    ),
    Chapter(
        "How many parameters, how many bytes?",
        (
            (
                "fc1 has 2 · 3 weights and 3 biases, fc2 has 3 · 2 and 2: 17 numbers, 68 bytes in"
                " fp32."
            ),
            "Fewer units and fewer bits each are what makes a network small.",
        ),
        "network",
        preset="lecture",
    ),
    Chapter(
        "From 68 bytes to 3",
        (
            "Two hidden units are enough: relu(a + b) and relu(a + b − 1).",
            "All 12 numbers lie between −2 and 1, so 2 bits hold each: 24 bits.",
        ),
        "network",
        preset="three-bytes",
    ),
    Chapter(
        "Wider words",
        (
            (
                "The same idea adds two words of 2 bits in one hidden layer: three units a bit, "
                "less one."
            ),
            (
                "In a table every row is checked; adderlab prove does so for 64 bits too, where "
                "no table can be written."
            ),
        ),
        "table",
        build=("adder:2", "one-layer"),
    ),
    Chapter(
        "A cell that adds numbers of any length",
        (
            (
                "A full adder takes a carry in and gives a carry out. Its 8 rows are all that has"
                " to be proved."
            ),
            (
                "Carried from digit to digit it adds numbers of any length: adderlab add 19 23 "
                "--net CELL."
            ),
        ),
        "network",
        build=("full-adder", "auto"),
    ),
)


def to_page() -> list[dict[str, Any]]:
    """Return the chapters as the page has them."""
    return [_to_page(chapter) for chapter in CHAPTERS]


def _to_page(chapter: Chapter) -> dict[str, Any]:
    page: dict[str, Any] = {
        "title": chapter.title,
        "text": list(chapter.text),
        "panel": chapter.panel,
        "link": chapter.link,
        "task": "half-adder",
    }
    if chapter.preset is not None:
        return page | {"preset": chapter.preset}
    if chapter.build is not None:
        task, method = chapter.build
        net = construct(task_named(task), method)
        return page | {"task": task, "network": networks.to_page(net)}
    return page | {"run": {"seed": chapter.seed, "hidden": 3, "steps": 0, "lr": 0.1}}
