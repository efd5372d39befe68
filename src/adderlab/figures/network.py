"""The network as a figure: units in columns, weights on the edges, one row's values if wished."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from adderlab.blocks.numbers import decimal
from adderlab.figures.blocks import draw_blocks
from adderlab.figures.graph import is_drawn
from adderlab.figures.graph_drawing import draw_graph
from adderlab.figures.picture import Picture, render
from adderlab.nets import Network
from adderlab.nets.walk import Walk, nameless_task, unit_names, walk
from adderlab.nets.walk_blocks import readout_text, value_text
from adderlab.tasks import Task
from adderlab.tasks.wording import named

SPELLED_OUT: Final = 8
"""Units a layer up to which the description says every sum."""


def network_picture(
    net: Network,
    task: Task | None = None,
    *,
    row: Mapping[str, int] | None = None,
    name: str = "network",
) -> Picture:
    """Return the network drawn with its weights.

    Positive weights are solid, negative ones dashed; a thicker edge is a larger weight. Up to
    8 units a layer the numbers are written; beyond 64 the layers are drawn as blocks.

    Args:
        net: any network.
        task: gives inputs and outputs their names; the network's own unless given.
        row: input words; each unit's value on them is written at it. Not in blocks.
        name: of the picture.

    Raises:
        TaskError: the task does not fit, or ``row`` is none of its inputs.
    """
    target = task or net.task or nameless_task(net)
    net.check_fits(target)
    drawn = is_drawn(net)
    way = walk(net, target, row) if row is not None and drawn else None
    title = f"Network {net.shape}, {target.name}"
    return render(
        name,
        title if way is None else f"{title}, on {named(way.input)}",
        _described(net, target, way),
        lambda: draw_graph(net, target, way) if drawn else draw_blocks(net),
    )


def _described(net: Network, task: Task, way: Walk | None) -> str:
    """Return what the figure says: each unit's sum, of a larger network the sizes."""
    said = [f"{net!r}."]
    if is_drawn(net) and max(net.n_in, *(layer.n_out for layer in net.layers)) <= SPELLED_OUT:
        said += _sums(net, unit_names(net, task))
    if way is not None:
        said.append(f"On {named(way.input)}:")
        said += [
            f"{unit.name} is {value_text(unit.value)}."
            for layer in way.layers[:-1]
            for unit in layer.units
        ]
        for output in way.outputs:
            told = "" if output.expected is None else f", expected {output.expected}"
            said.append(f"{output.name}: {readout_text(way.readout, output)}{told}.")
    return " ".join(said)


def _sums(net: Network, names: list[tuple[str, ...]]) -> list[str]:
    said: list[str] = []
    for sources, units, layer in zip(names, names[1:], net.layers, strict=False):
        weights = layer.weight.exact().to_floats()
        biases = layer.bias.exact().to_floats() if layer.bias is not None else np.zeros(len(units))
        for unit, row, bias in zip(units, weights, biases, strict=True):
            terms = [
                f"{decimal(float(weight))} {source}"
                for source, weight in zip(sources, row, strict=True)
                if weight
            ]
            terms += [decimal(float(bias))] if bias or not terms else []
            total = " + ".join(terms).replace("+ -", "- ")
            kind = layer.activation.kind
            said.append(f"{unit} = {total if kind == 'identity' else f'{kind}({total})'}.")
    return said
