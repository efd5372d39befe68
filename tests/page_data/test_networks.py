"""A network goes to the page and comes back as it was; what the page can't hold is refused."""

from __future__ import annotations

import copy
import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adderlab
from adderlab.errors import AdderlabError, NetworkError
from adderlab.formats import FORMATS
from adderlab.nets import EXACT, Activation, Layer, Network, Readout, network
from adderlab.nets.files import to_bytes
from adderlab.nets.tensors import FLOAT_DTYPES, Dense, Scaled, stored_in
from adderlab.page_data import networks
from adderlab.page_data.schema import MOST_INPUTS, MOST_LAYERS, MOST_OUTPUTS, MOST_UNITS
from adderlab.quantizing.grid import SCALE_FORMATS

ACTIVATIONS = (
    Activation("relu"),
    Activation("identity"),
    Activation("tanh"),
    Activation("step", convention=">"),
    Activation("step", convention=">="),
    Activation("leaky", slope=0.125),
    Activation("leaky", slope=0.1),
)
READOUTS = (EXACT, Readout("threshold", 0.1, ">"), Readout("threshold", -2.0, ">="))


@st.composite
def small_networks(draw):
    """Return networks of the page's kinds, in every format but ``wide``."""
    form = FORMATS[draw(st.sampled_from([name for name in FORMATS if name != "wide"]))]
    sizes = draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)

    def numbers(*shape):
        if form.kind == "float":
            drawn = form.round(rng.normal(size=shape) * 10.0 ** rng.integers(-3, 3, size=shape))
            return np.where(rng.random(shape) < 0.1, -0.0, drawn)
        choices = form.levels or range(form.least, form.largest + 1)
        return rng.choice(np.array([choices[0], choices[-1], *choices[1:40]]), size=shape)

    def tensor(*shape):
        stored = stored_in(numbers(*shape), form.name)
        if form.kind == "float" or form.bits > 16 or rng.random() < 0.4:
            return stored
        name = rng.choice(["fp8-e5m2", "fp16", "bf16", "fp32"])
        drawn = FORMATS[name].round(np.abs(rng.normal(size=())) + 2.0**-12)
        narrowest = next(n for n in SCALE_FORMATS if FORMATS[n].holds(float(drawn)))
        return Scaled(stored, Dense(drawn.astype(FLOAT_DTYPES[narrowest])))

    layers = tuple(
        Layer(
            tensor(n_out, n_in),
            tensor(n_out) if draw(st.booleans()) else None,
            draw(st.sampled_from(ACTIVATIONS)),
        )
        for n_in, n_out in itertools.pairwise(sizes)
    )
    return Network(layers, draw(st.sampled_from(READOUTS)), None, form.name)


@settings(max_examples=80)
@given(small_networks())
def test_a_network_comes_back_bit_by_bit(net):
    page = json.loads(json.dumps(networks.to_page(net), allow_nan=False))
    assert to_bytes(networks.from_page(page)) == to_bytes(net)
    assert networks.to_page(networks.from_page(page)) == page


def test_whole_numbers_are_written_as_in_javascript():
    net = network([[[1, -0.0, 0.1, 2.0**60]]], [None], format="fp64")
    assert json.dumps(networks.to_page(net)["layers"][0]["weight"]) == (
        "[[1, -0.0, 0.1, 1.152921504606847e+18]]"
    )


def test_a_sparse_network_is_given_dense():
    net = adderlab.build("adder:2", method="prefix").network
    back = networks.from_page(networks.to_page(net))
    rows = [[0, 1, 1, 1], [1, 1, 1, 1], [1, 0, 0, 1]]
    assert (back.run(rows, raw=True) == net.run(rows, raw=True)).all()


def of_sizes(*sizes):
    """Return a network of these sizes, all of whose weights are 1."""
    shapes = itertools.pairwise(sizes)
    weights = [np.ones((n_out, n_in)) for n_in, n_out in shapes]
    return network(weights, [None] * len(weights))


LARGEST = of_sizes(MOST_INPUTS, *[MOST_UNITS] * (MOST_LAYERS - 1), MOST_OUTPUTS)


def scaled(scale, zero=None, form="int8"):
    """Return a network of one layer whose weights have a scale."""
    weight = Scaled(stored_in([[1, 2]], form), Dense(np.array(scale)), zero)
    return Network((Layer(weight),), format=form)


GRAPH = Network(
    (
        Layer(stored_in([[1, 1]], "fp32"), inputs=("input",)),
        Layer(stored_in([[1, 1, 1]], "fp32"), inputs=("input", "fc1")),
    )
)


def test_the_largest_network_goes_to_the_page():
    page = json.loads(json.dumps(networks.to_page(LARGEST)))
    assert networks.from_page(page).shape == LARGEST.shape


@pytest.mark.parametrize(
    ("net", "what"),
    [
        (of_sizes(13, 1), "the network has 13 inputs"),
        (of_sizes(2, 33, 1), "the network has 33 units in a layer"),
        (of_sizes(*[2] * 10), "the network has 9 layers"),
        (of_sizes(2, 13), "the network has 13 outputs"),
        (GRAPH, "layers of this network join several"),
        (scaled([0.5]), "it has a scale for each row"),
        (scaled(0.5, Dense(np.array(1, dtype=np.int8))), "it has a zero point"),
        (scaled(0.1), "its scale is 0.1; a scale is a number above 0 that fp32 holds"),
        (scaled(0.0), "its scale is 0;"),
        (scaled(-0.5), "its scale is -0.5;"),
        (scaled(0.5, form="int32"), "int32 is no format of whole numbers of up to 16 bits"),
        (scaled(0.5, form="fp16"), "fp16 is no format of whole numbers of up to 16 bits"),
        (network([[[2**70]]], [None], format="wide"), "do not hold the format wide"),
        (
            network([[[1]], [[1]]], [None, None], activation=Activation("sigmoid")),
            "the activation is sigmoid",
        ),
    ],
)
def test_a_network_beyond_the_page_is_refused_in_one_line(net, what):
    with pytest.raises(NetworkError) as refused:
        _ = networks.to_page(net)
    assert what in str(refused.value)
    assert refused.value.remedy


GOOD = {
    "layers": [{"weight": [[3, 0.5], [0, 1]], "bias": None, "activation": "relu"}],
    "readout": {"kind": "threshold", "threshold": 0.5, "convention": ">"},
    "format": "fp32",
}


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ((), None),
        ((), []),
        ((), {}),
        (("more",), 1),
        (("format",), "fp31"),
        (("format",), "wide"),
        (("format",), 7),
        (("format",), "int2"),
        (("layers",), []),
        (("layers",), {}),
        (("layers",), GOOD["layers"] * 9),
        (("layers", 0, "weight"), []),
        (("layers", 0, "weight"), [[]]),
        (("layers", 0, "weight"), [[1], [1, 2]]),
        (("layers", 0, "weight"), [[1] * 13] * 2),
        (("layers", 0, "weight"), [[1] * 33] * 2),
        (("layers", 0, "weight"), [[1, 2]] * 13),
        (("layers", 0, "weight"), [[1, 2]] * 33),
        (("layers", 0, "weight", 0, 0), "1"),
        (("layers", 0, "weight", 0, 0), True),
        (("layers", 0, "weight", 0, 0), None),
        (("layers", 0, "weight", 0, 0), 0.1),
        (("layers", 0, "weight", 0, 0), 1e300),
        (("layers", 0, "weight", 0, 0), 10**400),
        (("layers", 0, "weight", 0, 0), float("nan")),
        (("layers", 0, "weight", 0, 0), float("inf")),
        (("layers", 0, "bias"), [1]),
        (("layers", 0, "bias"), [1, 2, 3]),
        (("layers", 0, "activation"), "gelu"),
        (("layers", 0, "activation"), "leaky"),
        (("layers", 0, "activation"), "step"),
        (("layers", 0, "slope"), 0.5),
        (("layers", 0, "convention"), ">"),
        (("layers", 0, "weight_scale"), 0.5),  # of fp32
        (("layers", 0, "bias_scale"), 0.5),
        (("layers", 0, "scale"), 0.5),
        (("layers", 0, "inputs"), ["input"]),
        (("readout",), "exact"),
        (("readout",), {"kind": "argmax"}),
        (("readout",), {"kind": "exact", "threshold": 1}),
        (("readout", "convention"), "<"),
        (("readout", "threshold"), None),
    ],
)
def test_what_is_no_network_of_the_page_is_refused(place, value):
    page = copy.deepcopy(GOOD)
    assert networks.from_page(page).shape == "2-2"
    if place:
        target = page
        for key in place[:-1]:
            target = target[key]
        target[place[-1]] = value
    else:
        page = value
    with pytest.raises(AdderlabError) as refused:
        _ = networks.from_page(page)
    assert refused.value.what
    assert refused.value.remedy


WHOLE = {
    "layers": [
        {"weight": [[1.5, -0.5]], "bias": [0.75], "activation": "relu"}
        | {"weight_scale": 0.5, "bias_scale": 0.25}
    ],
    "readout": {"kind": "exact"},
    "format": "int4",
}


@pytest.mark.parametrize(
    "change",
    [
        {"weight_scale": 0},
        {"weight_scale": -0.5},
        {"weight_scale": 0.1},
        {"weight_scale": 1e300},
        {"weight_scale": float("nan")},
        {"weight_scale": "0.5"},
        {"weight_scale": [0.5]},
        {"weight_scale": True},
        {"weight_scale": 0.375},
        {"weight": [[4, 0.5]]},
        {"weight": [[1.25, 0.5]]},
        {"bias": None},
        {"bias_scale": None},
    ],
    ids=str,
)
def test_a_scale_that_is_none_of_its_numbers_is_refused(change):
    assert networks.from_page(WHOLE).layers[0].weight.q.numbers.tolist() == [[3, -1]]
    with pytest.raises(NetworkError) as refused:
        _ = networks.from_page({**WHOLE, "layers": [WHOLE["layers"][0] | change]})
    assert refused.value.remedy
