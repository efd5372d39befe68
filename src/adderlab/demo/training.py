"""Chapters: a training run that works, one that does not, and the three batch modes."""

from __future__ import annotations

from typing import Any, Final

from adderlab.blocks import Block, Chapter, Code, Command, Paragraph, Remark, Table
from adderlab.demo.workshop import TRAINING, Workshop, verdict_blocks
from adderlab.figures import activations_picture, losses_picture, surface_pictures
from adderlab.verbs.train import Trained, train

WORKS, FAILS = 0, 1
MODES: Final[tuple[tuple[str, int | None, str], ...]] = (
    ("all 1000 samples", None, "gradient descent"),
    ("32 samples", 32, "minibatch SGD"),
    ("1 sample", 1, "SGD"),
)


def that_works(shop: Workshop) -> Chapter:
    """Return the chapter on the run of seed 0."""
    trained, blocks, results = _run(shop, WORKS)
    gradient = _gradient_after_zero_grad()
    return Chapter(
        slug="training-works",
        title="A training run that works",
        blocks=(
            Paragraph(
                "The same network, 2-3-2, its weights random now and moved 1000 times against the "
                "gradient of the mean squared error. With seed 0 it learns to add. (Seed 0 was "
                "chosen because it works.)"
            ),
            *blocks,
            Remark(
                "Define the optimizer (SGD)",
                TRAINING,
                "The name of the update rule is SGD. Each step here measures the loss on "
                "all 1000 samples, so what runs is gradient descent: nothing is stochastic.",
            ),
            Remark(
                "After this, it becomes dL/dw = 0 for all w's in the given list",
                TRAINING,
                f"After optimizer.zero_grad() the gradient slot of fc1.weight holds {gradient}: "
                "no tensor at all, not zeros (set_to_none=False would fill it with 0).",
            ),
            Command("adderlab train half-adder --seed 0 -o trained.safetensors"),
        ),
        results={**results, "gradient_after_zero_grad": gradient, "success": bool(trained)},
    )


def that_fails(shop: Workshop) -> Chapter:
    """Return the chapter on the run of seed 1."""
    trained, blocks, results = _run(shop, FAILS)
    last = trained.run.losses[-1][1]
    return Chapter(
        slug="training-fails",
        title="The same run from another seed",
        blocks=(
            Paragraph(
                f"Seed {FAILS}, everything else the same. The loss settles at {last:.4f} and more "
                "steps do not move it:"
            ),
            *blocks,
            Paragraph(_dead_text(trained)),
            shop.draw(
                activations_picture(_network(trained), shop.task, name="seed-1-activations"),
                caption="The hidden units of this network, row by row.",
            ),
            shop.draw(
                losses_picture(
                    {
                        f"seed {WORKS}": train(shop.task, seed=WORKS).run.losses,
                        f"seed {FAILS}": trained.run.losses,
                    },
                    name="losses",
                ),
                caption="The loss of both runs, every 100 steps.",
            ),
            Command(f"adderlab train half-adder --seed {FAILS}"),
        ),
        results={**results, "success": bool(trained)},
    )


def batch_modes(shop: Workshop) -> Chapter:
    """Return the chapter on one start trained in three ways."""
    runs: list[tuple[str, str, Trained]] = []
    for number, (samples, batch, name) in enumerate(MODES):
        shop.on_progress(f"training with {samples} a step", number / len(MODES))
        runs.append((samples, name, train(shop.task, seed=WORKS, batch=batch)))
        _ = shop.keep(_network(runs[-1][2]), f"batch-{'full' if batch is None else batch}")
    return Chapter(
        slug="batch-modes",
        title="Three ways to measure the loss",
        blocks=(
            Paragraph(
                "The notebook names three modes: GD, SGD, minibatch SGD. From one start, seed "
                f"{WORKS}, with the same learning rate and 1000 steps each; the loss is over all "
                "1000 samples, with the final weights:"
            ),
            Table(
                (
                    "a step looks at",
                    "which is",
                    "loss at the end",
                    "accuracy",
                    "rows right",
                    "verdict",
                ),
                tuple(
                    (
                        samples,
                        name,
                        f"{run.run.data_loss:.1e}",
                        f"{run.run.accuracy:.4f}",
                        f"{_rows(run)} of 4",
                        run.proof.verdict if run.proof is not None else "diverged",
                    )
                    for samples, name, run in runs
                ),
                marks=tuple(bool(run) for *_, run in runs),
                left=("a step looks at", "which is", "verdict"),
            ),
            Command("adderlab train half-adder --batch 1"),
        ),
        results={
            name: {"loss": run.run.data_loss, "rows_right": _rows(run)} for _, name, run in runs
        },
    )


def _run(shop: Workshop, seed: int) -> tuple[Trained, tuple[Block, ...], dict[str, Any]]:
    """Train with one seed; return the run, the blocks that show it, and its results."""
    shop.on_progress(f"training with seed {seed}", 0.0)
    trained = train(shop.task, seed=seed)
    run, net = trained.run, _network(trained)
    verdict = shop.keep(net, f"seed-{seed}")
    printed = [f"Epoch [{step}/1000], Loss: {loss:.4f}" for step, loss in run.losses]
    return (
        trained,
        (
            Code("\n".join([*printed, f"Accuracy: {run.accuracy:.4f}"])),
            shop.truth_table(net),
            *verdict_blocks(verdict),
            shop.draw(
                *surface_pictures(net, shop.task, name=f"seed-{seed}-surface"),
                caption="What it learned, over the unit square.",
            ),
        ),
        {
            "seed": seed,
            "loss": run.loss,
            "losses": [list(pair) for pair in run.losses],
            "accuracy": run.accuracy,
            "dead_units": list(run.dead_units),
            "proof": verdict.to_dict(),
        },
    )


def _network(trained: Trained) -> Any:
    assert trained.network is not None, "the notebook's settings do not diverge"
    return trained.network


def _rows(trained: Trained) -> int:
    return (trained.proof.rows_right or 0) if trained.proof is not None else 0


def _dead_text(trained: Trained) -> str:
    dead = trained.run.dead_units
    if not dead:
        return "No hidden unit is off on every row: it is stuck all the same."
    units = " and ".join(map(str, dead))
    are = "is" if len(dead) == 1 else "are"
    return (
        f"Hidden unit {units} {are} off on every row: relu gives 0 there, and 0 passes no "
        "gradient back, so no step can ever wake it."
    )


def _gradient_after_zero_grad() -> str:
    """Return what the gradient slot holds after a step and zero_grad(), as Python prints it."""
    import torch

    from adderlab.nets.modules import AdderNN

    with torch.random.fork_rng(devices=[]):
        model = AdderNN()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        loss = model(torch.tensor([[1.0, 1.0]])).sum()
        loss.backward()
        _ = optimizer.step()
        optimizer.zero_grad()
    return repr(model.fc1.weight.grad)
