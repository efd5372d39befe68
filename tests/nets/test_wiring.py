"""Layers that read more than the one before: every evaluation, against the sums by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from adderlab.blocks import Line, Table
from adderlab.building import lecture_network
from adderlab.counting.network_count import count_network
from adderlab.errors import NetworkError, NetworkFileError
from adderlab.formats import FORMATS
from adderlab.nets import Activation, Layer, Network, evaluate, trace
from adderlab.nets.enclosure import Machine
from adderlab.nets.evaluation import enclose_layers, enclose_row
from adderlab.nets.files import to_bytes
from adderlab.nets.forward import outputs_in_double
from adderlab.nets.record import Reader, network_from_record, record_of
from adderlab.nets.tensors import stored_in
from adderlab.nets.walk import nameless_task, walk
from adderlab.nets.weights_table import weights_table
from adderlab.nets.wiring import INPUT, Node, chain, wiring_of
from adderlab.proving.arithmetic import ORDERS, format_outputs
from adderlab.tasks import task_named
from adderlab.verbs.compare import compare

SKIPPING = wiring_of(((INPUT,), ("fc1", INPUT)), ("fc1", "fc2"))
"""Both inputs reach the second layer, and both layers are read out."""

ROWS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.uint8)
RELU, LEAKY = Activation("relu"), Activation("leaky", slope=0.375)


def half_adder(hidden: Activation, outputs: tuple[str, ...] = ("fc1", "fc2")) -> Network:
    """Return a network whose hidden unit is the carry, and ``c0 = a + b - 2 * carry``."""
    return Network(
        (
            Layer(stored_in([[1, 1]], "fp32"), stored_in([-1], "fp32"), hidden),
            Layer(stored_in([[-2, 1, 1]], "fp32"), inputs=("fc1", INPUT)),
        ),
        outputs=outputs,
    )


def by_hand(hidden: Activation) -> list[list[Fraction]]:
    rows: list[list[Fraction]] = []
    for a, b in ROWS.tolist():
        carry = Fraction(a + b - 1)
        if carry < 0:
            carry *= Fraction(hidden.slope)
        rows.append([carry, a + b - 2 * carry])
    return rows


@pytest.mark.parametrize("hidden", [RELU, LEAKY], ids=str)
def test_every_evaluation_joins_what_a_layer_reads(hidden: Activation) -> None:
    net, expected = half_adder(hidden), by_hand(hidden)
    raw, high = evaluate(net, ROWS)
    assert raw is high
    assert [[raw.at(row, unit) for unit in (0, 1)] for row in range(4)] == expected
    assert outputs_in_double(net, ROWS.astype(float)).tolist() == expected
    for row, values in zip(ROWS, expected, strict=True):
        assert enclose_row(net, row) == [(value, value) for value in values]
    for order in ORDERS:
        assert format_outputs(net, ROWS, FORMATS["fp32"], order).tolist() == expected


@pytest.mark.parametrize("hidden", [RELU, LEAKY], ids=str)
def test_enclosures_join_values_bounds_and_grids(hidden: Activation) -> None:
    machine = Machine(half_adder(hidden), FORMATS["fp16"])
    assert machine.never_rounds == (hidden is RELU)
    enclosure = machine.enclose(ROWS)
    off = np.abs(enclosure.values - np.array(by_hand(hidden), dtype=float))
    assert (off <= enclosure.errors).all()
    assert (enclosure.errors[0] > 0).tolist() == [hidden is LEAKY] * 2
    assert (enclosure.errors[1:] == 0).all()


def test_layers_are_traced_one_by_one() -> None:
    net = half_adder(RELU)
    last = list(trace(net, ROWS))[-1]
    assert last.sums.integers[:, 0].tolist() == [0, 1, 1, 0]
    (sums, values), _ = enclose_layers(net, ROWS[0])
    assert (sums, values) == ([(-1, -1)], [(0, 0)])


def test_a_walk_names_what_each_layer_reads() -> None:
    net = half_adder(RELU, outputs=("fc2",))
    way = walk(net, nameless_task(net), {"x1": 1, "x2": 1})
    (unit,) = way.layers[1].units
    assert [(p.source, p.weight, p.factor.middle) for p in unit.products] == [
        ("h1", -2, 1),
        ("x1", 1, 1),
        ("x2", 1, 1),
    ]
    assert way.outputs[0].raw.middle == 0


def test_sizes_are_checked_by_what_a_layer_reads() -> None:
    with pytest.raises(NetworkError, match="the layer takes 2 values, the one before gives 1"):
        _ = Network((Layer(stored_in([[1, 1]], "fp32")), Layer(stored_in([[1, 1]], "fp32"))))


def test_what_nothing_reads_later_is_dropped() -> None:
    values = {INPUT: [1, 2]}
    first, second = SKIPPING.layers
    assert first.take(values, sum) == [1, 2]
    values["fc1"] = [3]
    assert second.take(values, lambda parts: [*parts[0], *parts[1]]) == [3, 1, 2]
    assert values == {"fc1": [3]}
    assert SKIPPING.output.last == ("fc1", "fc2")


def test_a_chain_holds_one_value_at_a_time() -> None:
    wiring = chain(3)
    names = [INPUT, "fc1", "fc2", "fc3"]
    own = [Node(name, (before,), (before,)) for before, name in pairwise(names)]
    assert wiring.layers == tuple(own)
    assert wiring.output == Node("output", ("fc3",), ("fc3",))


def test_a_graph_says_what_it_is() -> None:
    net = half_adder(RELU)
    assert (net.n_in, net.n_out, net.widths, net.shape) == (2, 2, [], "2-1-1")
    assert half_adder(RELU, outputs=("fc2",)).widths == [1]
    assert net.to_dict()["wiring"] == {
        "fc1": ["input"], "fc2": ["fc1", "input"], "output": ["fc1", "fc2"],
    }  # fmt: skip
    heads = (Layer(weight, inputs=("fc1",)) for weight in (stored_in([[1]], "fp32"),) * 2)
    both = Network((net.layers[0], *heads), outputs=("fc2", "fc3"))
    assert both.shape == "2-1-1+1"
    assert repr(both) == "Network 2-1-1+1: relu, readout > 0.5, 5 parameters in fp32"


def test_a_chain_that_names_what_it_reads_is_a_chain() -> None:
    first, second = lecture_network(task_named("half-adder")).layers
    net = Network(
        (replace(first, inputs=("input",)), replace(second, inputs=("fc1",))), outputs=("fc2",)
    )
    assert net.is_chain
    assert to_bytes(net) == to_bytes(Network((first, second)))


@pytest.mark.parametrize(
    ("reads", "outputs", "message"),
    [
        (("fc2",), None, "fc2: it reads 'fc2', no layer before it; name each once: input, fc1"),
        (("fc1", "fc1"), None, "fc2: it reads a layer twice; name each once: input, fc1"),
        ((), None, "fc2: it reads nothing; name each once: input, fc1"),
        (("fc1",), None, "fc2: the layer takes 3 values, the one before gives 1; make the shapes"),
        (("fc1", INPUT), ("fc9",), "outputs: it reads 'fc9', no layer before it"),
        (("fc1", INPUT), ("fc1",), "fc2: neither a layer nor the readout reads it; name it among"),
    ],
)
def test_wirings_that_can_not_be_are_refused(
    reads: tuple[str, ...], outputs: tuple[str, ...] | None, message: str
) -> None:
    first, second = half_adder(RELU).layers
    with pytest.raises(NetworkError) as caught:
        _ = Network((first, replace(second, inputs=reads)), outputs=outputs)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("layer", "fc1", "layer 2's inputs are no list of names"),
        ("layer", [1], "layer 2's inputs are no list of names"),
        ("layer", ["fc2"], "it reads 'fc2', no layer before it"),
        ("top", {}, "the record's outputs are no list of names"),
        ("top", ["input"], "it reads 'input', no layer before it"),
    ],
)
def test_damaged_wirings_in_files_are_refused(place: str, value: object, message: str) -> None:
    record, arrays = record_of(half_adder(RELU))
    (record["layers"][1] if place == "layer" else record)[
        "inputs" if place == "layer" else "outputs"
    ] = value
    with pytest.raises(NetworkFileError) as caught:
        _ = network_from_record(record, Reader(arrays, "net.safetensors"))
    assert message in str(caught.value)


def test_what_a_layer_reads_is_said_in_every_text() -> None:
    """In the table of weights, on one input's way, in counts, and beside another network."""
    net = half_adder(RELU).for_task(task_named("half-adder"))
    table = weights_table(net.layers, reads=[node.reads for node in net.wiring.layers])
    assert table.rows == (
        ("fc1", "input", "1", "1", "1", "", "-1"),
        ("fc2", "fc1, input", "1", "-2", "1", "1", ""),
    )
    assert table in net.blocks()
    assert Line("read out: fc1, fc2") in net.blocks()
    assert str(net.wiring) == "fc2 reads fc1, input; read out: fc1, fc2"
    way = walk(net, task_named("half-adder"), {"a": 1, "b": 1})
    tables = [block for block in way.blocks() if isinstance(block, Table)]
    captions = [block.caption for block in tables[:2]]
    assert captions == ["fc1, relu, reads input", "fc2, reads fc1, input"]
    counts = count_network(net)
    assert [layer.reads for layer in counts.layers] == [("input",), ("fc1", "input")]
    assert counts.raw == 6
    cells = compare(net, lecture_network(task_named("half-adder"))).first.cells()
    assert (cells["shape"], cells["wiring"], cells["activations"]) == (
        "2-1-1",
        "fc2 reads fc1, input; read out: fc1, fc2",
        "relu",
    )


def test_what_is_read_out_at_the_end_stands_there_in_its_order() -> None:
    wiring = wiring_of(((INPUT,), ("fc1",), ("fc1",), ("fc3",)), ("fc4", "fc2"))
    assert wiring.columns() == ((INPUT,), ("fc1",), ("fc3",), ("fc4", "fc2"))
