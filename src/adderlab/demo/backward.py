"""Chapter: what ``loss.backward()`` does, the chain rule behind it, and ``zero_grad()``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from adderlab.blocks import Block, Chapter, Command, Equations, Paragraph, Table
from adderlab.building import lecture_network
from adderlab.demo.workshop import Workshop
from adderlab.explaining import Backprop, backprop_rows, example
from adderlab.explaining.backprop_chapters import rows_chapters
from adderlab.explaining.chain import Chain, chain_rule, marked
from adderlab.explaining.slots import LOSS_STEPS, Iteration, SlotsRun, run_slots
from adderlab.explaining.slots_chapters import entries, slot_text, w_texts
from adderlab.verbs.explain_chain import chain_picture
from adderlab.verbs.explain_slots import slots_picture
from adderlab.verbs.train import train

ROW: Final = {"a": 1, "b": 1}
SEED: Final = 0
CHAIN: Final = 3
DRAWN: Final = 12
SHOWN: Final = ("fc2.bias", 0)


def backward(shop: Workshop) -> Chapter:
    """Return the chapter on backpropagation of one row, the chain rule, and ``zero_grad()``."""
    net = lecture_network(shop.task)
    row = backprop_rows(net, shop.task, [example(shop.task, ROW)])
    chain = chain_rule(CHAIN)
    start = train(shop.task, seed=SEED, steps=0).network
    assert start is not None
    rows = [example(shop.task, shop.task.row(at).inputs) for at in range(shop.task.rows)]
    slots = run_slots(start, rows)
    return Chapter(
        slug="backprop",
        title="loss.backward(), step by step",
        blocks=(*_row(row), *_chain(shop, chain), *_zero_grad(shop, slots)),
        results={
            "row": _row_results(row),
            "chain": {
                "derivatives": list(chain.derivatives),
                "operations": [
                    [cost.length, cost.with_reuse, cost.without_reuse] for cost in chain.costs
                ],
            },
            "zero_grad": {
                "loss_with": slots.losses_with[-1],
                "loss_without": slots.losses_without[-1],
                "iterations": len(slots.losses_with),
                "after_zero_grad": slots.left_by_default,
                "step_readout": slots.step_message,
            },
        },
    )


def _row_results(row: Backprop) -> dict[str, Any]:
    results = row.to_dict()
    names = ("gradients", "exact_gradients", "autograd_difference", "loss", "loss_after")
    return {name: results[name] for name in names}


def _row(row: Backprop) -> list[Block]:
    forward, back, step = rows_chapters(row, in_file=False)
    (weight,) = (update for update in row.updates if update.name == "fc2.weight[1,2]")
    return [
        Paragraph(
            "loss.backward() computes the gradient of every parameter in one line. Here are its "
            "steps on the row that the hand-set network gets wrong: the target of 1 + 1 is "
            "c1 c0 = 1 0, and both outputs are 0.5. The forward pass:"
        ),
        *(block for block in forward.blocks if isinstance(block, Table)),
        Paragraph(
            "The backward pass, from the loss to the weights, one local derivative at a time:"
        ),
        *(block for block in back.blocks if isinstance(block, Table)),
        Paragraph("The update by optimizer.step():"),
        *(block for block in step.blocks if isinstance(block, Equations | Table)),
        Paragraph(
            "These numbers are exact; PyTorch's autograd differs from them by at most "
            f"{row.agreement.difference:.1e}. The step changes fc2.weight[1,2], the weight that "
            f"was too small in magnitude, from {float(weight.now):g} to {float(weight.next):g}: "
            "the right direction."
        ),
    ]


def _chain(shop: Workshop, chain: Chain) -> list[Block]:
    longer = chain_rule(DRAWN)
    last = longer.costs[-1]
    return [
        Paragraph(
            "The notebook's last cell derives the gradients of l = (f1(f2(f3(x))) - y)^2 with "
            "fi(x) = wi x. Run as code it raises a SyntaxError, because it is mathematics and not "
            "Python; the derivation is correct. SymPy gives the same; marked is the factor "
            "that the next line reuses:"
        ),
        Equations(tuple(marked(chain.lines))),
        Paragraph(
            "The backward pass computes each shared factor once and reuses it: this is dynamic "
            f"programming. For a chain of {DRAWN} functions it takes {last.with_reuse} operations "
            f"instead of {last.without_reuse}."
        ),
        shop.draw(
            chain_picture(longer),
            caption="Operations for all derivatives of a chain, by its length.",
        ),
        Command("adderlab explain lecture.safetensors --input 1,1 --step"),
        Command("adderlab explain --chain 3"),
    ]


def _zero_grad(shop: Workshop, slots: SlotsRun) -> list[Block]:
    left, right = _of(slots.with_zero_grad), _of(slots.without_zero_grad)
    rows = tuple(
        (str(number), line, *cells, *right.get((number, line), ("", "")))
        for (number, line), cells in left.items()
    )
    return [
        Paragraph(
            "Before backward() the notebook calls zero_grad(), and notes that this is very "
            f"important. The table shows why, for the initial weights of seed {SEED} and all four "
            f"rows: the parameter {SHOWN[0]}[{SHOWN[1]}] and its gradient after each line:"
        ),
        Table(
            ("iteration", "after", "w", "dL/dw", "w without", "dL/dw without"),
            rows,
            left=("after",),
            caption="One parameter w and its gradient, with zero_grad() and without",
        ),
        Paragraph(
            "Without zero_grad(), each backward() adds the new gradient to the old ones. After "
            f"{LOSS_STEPS} iterations the loss is {slots.losses_with[-1]:.4f} with zero_grad() and "
            f"{slots.losses_without[-1]:.4f} without it."
        ),
        shop.draw(
            slots_picture(slots),
            caption=f"The loss over the first {LOSS_STEPS} iterations, with zero_grad() and "
            "without.",
        ),
        Command(f"adderlab explain seed-{SEED}.safetensors --slots"),
    ]


def _of(run: Sequence[Iteration]) -> dict[tuple[int, str], tuple[str, str]]:
    """Return the two slots of one parameter as text, by iteration and the line before."""
    moments = [
        ((number, slots.after), w, slot_text(slot))
        for number, iteration in enumerate(run, 1)
        for slots in iteration.moments
        for name, w, slot in entries(slots)
        if name == SHOWN
    ]
    texts = w_texts([w for _, w, _ in moments])
    return {key: (text, slot) for (key, _, slot), text in zip(moments, texts, strict=True)}
