"""Chapter: what ``loss.backward()`` does, the chain rule behind it, and zero_grad before it."""

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
    """Return the chapter on one row's backpropagation, the chain rule, and the two slots."""
    net = lecture_network(shop.task)
    row = backprop_rows(net, shop.task, [example(shop.task, ROW)])
    chain = chain_rule(CHAIN)
    start = train(shop.task, seed=SEED, steps=0).network
    assert start is not None
    rows = [example(shop.task, shop.task.row(at).inputs) for at in range(shop.task.rows)]
    slots = run_slots(start, rows)
    return Chapter(
        slug="backprop",
        title="One line of magic, step by step",
        blocks=(*_row(row), *_chain(shop, chain), *_zero_grad(shop, slots)),
        results={
            "row": _figures(row),
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


def _figures(row: Backprop) -> dict[str, Any]:
    values = row.to_dict()
    names = ("gradients", "exact_gradients", "autograd_difference")
    return {name: values[name] for name in names} | {
        "loss": values["loss"],
        "loss_after": values["loss_after"],
    }


def _row(row: Backprop) -> list[Block]:
    forward, back, step = rows_chapters(row, in_file=False)
    (weight,) = (update for update in row.updates if update.name == "fc2.weight[1,2]")
    return [
        Paragraph(
            "loss.backward() fills the gradient of every parameter in one line. Taken apart on one "
            "row, the one that the hand-set network gets wrong: 1 + 1 should give c1 c0 = 1 0, and "
            "both outputs are 0.5. First forward:"
        ),
        *(block for block in forward.blocks if isinstance(block, Table)),
        Paragraph("Then back, from the loss to the weights, one local derivative at a time:"),
        *(block for block in back.blocks if isinstance(block, Table)),
        Paragraph("And the step that optimizer.step() makes of the gradients:"),
        *(block for block in step.blocks if isinstance(block, Equations | Table)),
        Paragraph(
            f"Every number is exact, and within {row.agreement.difference:.1e} of what PyTorch's "
            f"autograd computes. The step moves fc2.weight[1,2], the weight that was too weak, "
            f"from {float(weight.now):g} to {float(weight.next):g}: the right way."
        ),
    ]


def _chain(shop: Workshop, chain: Chain) -> list[Block]:
    longer = chain_rule(DRAWN)
    last = longer.costs[-1]
    return [
        Paragraph(
            "The notebook's last cell derives this for l = (f1(f2(f3(x))) - y)^2 with fi(x) = wi x "
            "and ends in a SyntaxError, because it is not Python. It is right all the same. "
            "Derived by SymPy, what a line shares with the one above it marked:"
        ),
        Equations(tuple(marked(chain.lines))),
        Paragraph(
            "Backward, each marked part is computed once and kept: that is the dynamic "
            f"programming. For {DRAWN} functions it takes {last.with_reuse} operations instead of "
            f"{last.without_reuse}."
        ),
        shop.draw(
            chain_picture(longer),
            caption="Operations for all derivatives of a chain, counted as they were done.",
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
            "Before backward() the notebook empties the slots, and says that this is very "
            "important. What happens without it, from the random start of seed "
            f"{SEED}, on all four rows; one parameter, {SHOWN[0]}[{SHOWN[1]}], after each line:"
        ),
        Table(
            ("iteration", "after", "w", "dL/dw", "w without", "dL/dw without"),
            rows,
            left=("after",),
            caption="The two slots of one parameter, with zero_grad and without",
        ),
        Paragraph(
            "Without zero_grad() each backward() adds to what is there. After "
            f"{LOSS_STEPS} iterations the loss is {slots.losses_with[-1]:.4f} with it and "
            f"{slots.losses_without[-1]:.4f} without."
        ),
        shop.draw(
            slots_picture(slots),
            caption=f"The loss over the first {LOSS_STEPS} iterations, with zero_grad and without.",
        ),
        Command(f"adderlab train half-adder --seed {SEED} --steps 0 -o start.safetensors"),
        Command("adderlab explain start.safetensors --slots"),
    ]


def _of(run: Sequence[Iteration]) -> dict[tuple[int, str], tuple[str, str]]:
    """Return the two slots of one parameter as text, by the iteration and the line before."""
    seen = [
        ((number, slots.after), w, slot_text(slot))
        for number, iteration in enumerate(run, 1)
        for slots in iteration.moments
        for name, w, slot in entries(slots)
        if name == SHOWN
    ]
    texts = w_texts([w for _, w, _ in seen])
    return {key: (text, slot) for (key, _, slot), text in zip(seen, texts, strict=True)}
