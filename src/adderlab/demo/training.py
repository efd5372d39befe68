"""Chapters: a training run that works, one that fails, and the three batch modes."""

from __future__ import annotations

from typing import Any, Final

from adderlab.blocks import Block, Chapter, Code, Command, Paragraph, Remark, Table
from adderlab.demo.workshop import TRAINING, Workshop, verdict_blocks
from adderlab.figures import activations_picture, losses_picture, surface_pictures
from adderlab.training.census.symptoms import STUCK_SHARE, SYMPTOM_NAMED
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
                "A network of the same shape, 2-3-2, starts from random weights and is trained for "
                "1000 steps of gradient descent on the mean squared error. With seed 0 it learns "
                "to add. (Seed 0 was chosen because it works.)"
            ),
            *blocks,
            Remark(
                "Define the optimizer (SGD)",
                TRAINING,
                "optim.SGD is the name of the update rule. Each step here computes the loss on "
                "all 1000 samples, so this is full-batch gradient descent: nothing in it is "
                "stochastic.",
            ),
            Remark(
                "After this, it becomes dL/dw = 0 for all w's in the given list",
                TRAINING,
                f"After optimizer.zero_grad(), fc1.weight.grad is {gradient}: there is no tensor, "
                "not a tensor of zeros (set_to_none=False would give one).",
            ),
            Command(f"adderlab train half-adder --seed {WORKS} -o seed-{WORKS}.safetensors"),
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
                f"Seed {FAILS}, with all other settings the same. The loss converges to "
                f"{last:.4f}; the network is wrong:"
            ),
            *blocks,
            Paragraph(_symptoms_text(shop, trained)),
            shop.draw(
                activations_picture(_network(trained), shop.task, name="seed-1-activations"),
                caption="The hidden units of this network on each row.",
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
            Command(f"adderlab train half-adder --seed {FAILS} -o seed-{FAILS}.safetensors"),
        ),
        results={**results, "success": bool(trained)},
    )


def batch_modes(shop: Workshop) -> Chapter:
    """Return the chapter on one initial network, trained with three batch sizes."""
    runs: list[tuple[str, str, Trained]] = []
    for number, (samples, batch, name) in enumerate(MODES):
        shop.on_progress(f"training with batches of {samples}", number / len(MODES))
        runs.append((samples, name, train(shop.task, seed=WORKS, batch=batch)))
        _ = shop.keep(_network(runs[-1][2]), f"batch-{'full' if batch is None else batch}")
    return Chapter(
        slug="batch-modes",
        title="Three batch sizes",
        blocks=(
            Paragraph(
                "The notebook names three modes: GD, SGD and minibatch SGD. All three runs start "
                f"from the weights of seed {WORKS} and take 1000 steps with the same learning "
                "rate. The loss is that of the final weights on all 1000 samples:"
            ),
            Table(
                (
                    "batch",
                    "method",
                    "final loss",
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
                left=("batch", "method", "verdict"),
            ),
            Command("adderlab train half-adder --batch 1 -o batch-1.safetensors"),
        ),
        results={
            name: {"loss": run.run.data_loss, "rows_right": _rows(run)} for _, name, run in runs
        },
    )


def _run(shop: Workshop, seed: int) -> tuple[Trained, tuple[Block, ...], dict[str, Any]]:
    """Train with ``seed``, and return the run, its blocks and its results."""
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
                caption="The trained outputs over the unit square.",
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


def _symptoms_text(shop: Workshop, trained: Trained) -> str:
    """Return which units are dead, and whether the loss is stuck, in the words of the census."""
    at_start = train(shop.task, seed=trained.run.settings.seed, steps=0).run.dead_units
    dead = trained.run.dead_units
    (_, before), (_, last) = trained.run.losses[-2:]
    is_stuck = last >= before * (1 - STUCK_SHARE)
    texts = [
        f"Hidden {'unit' if len(units) == 1 else 'units'} {' and '.join(map(str, units))}: "
        f"{_titled(name)}; on every row the relu outputs 0, so the gradient of the weights is 0 "
        "and no step changes them."
        for name, units in (
            ("dead_at_start", [unit for unit in dead if unit in at_start]),
            ("died", [unit for unit in dead if unit not in at_start]),
        )
        if units
    ]
    return " ".join([*texts, f"The loss: {_titled('stuck' if is_stuck else 'still_falling')}."])


def _titled(name: str) -> str:
    symptom = SYMPTOM_NAMED[name]
    return f"{symptom.title} ({symptom.text})"


def _gradient_after_zero_grad() -> str:
    """Return the ``repr`` of ``fc1.weight.grad`` after a step and ``zero_grad()``."""
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
