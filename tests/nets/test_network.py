"""Networks as values: their sizes, what they count, and what makes none."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from strategies import FEW, MANY, fractions_of, networks, refused, tasks

from adderlab.errors import FormatError, NetworkError, TaskError
from adderlab.formats import FORMATS
from adderlab.nets.activations import RULES, Activation
from adderlab.nets.dyadic import Dyadic
from adderlab.nets.files import to_bytes
from adderlab.nets.network import Layer, Network, map_parameters, network
from adderlab.nets.readout import EXACT, Readout
from adderlab.nets.tensors import Dense, Packed, Scaled, Sparse, Tensor, Wide, stored_in
from adderlab.tasks import task_named

HALF = task_named("half-adder")
W1, B1 = [[1, 2], [3, 4], [5, -6]], [7, 0, -0.5]
W2, B2 = [[1, 0, 2], [3, -4, 5]], [0, 6]


def small(**options: Any) -> Network:
    return network([W1, W2], [B1, B2], **options)


# --- sizes and descriptions ---------------------------------------------------------------------


def test_a_network_knows_its_sizes() -> None:
    net = small(task=HALF)
    assert (net.n_in, net.n_out, net.widths, net.hidden, net.depth) == (2, 2, [3], 3, 2)
    assert (net.parameters, net.nonzero, net.shape) == (17, 14, "2-3-2")
    assert [name for name, _ in net.tensors()] == [
        "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"
    ]  # fmt: skip
    assert [layer.parameters for layer in net.layers] == [9, 8]


def test_a_network_without_biases_and_hidden_layers_knows_its_sizes() -> None:
    net = network([[[2, 3, 4]]], [None])
    assert (net.n_in, net.n_out, net.widths, net.hidden, net.depth) == (3, 1, [], 0, 1)
    assert (net.parameters, net.nonzero, net.shape) == (3, 3, "3-1")
    assert [name for name, _ in net.tensors()] == ["fc1.weight"]


def test_a_network_says_what_it_is() -> None:
    net = small(task=HALF)
    assert repr(net) == ("Network 2-3-2 for half-adder: relu, readout > 0.5, 17 parameters in fp32")
    assert net.to_dict() == {
        "task": "half-adder", "shape": [2, 3, 2], "activations": ["relu", "identity"],
        "readout": "> 0.5", "format": "fp32", "parameters": 17,
    }  # fmt: skip
    other = network(
        [[[2]]], [None], readout=EXACT, format="int4", activation=Activation("leaky", 0.01)
    )
    assert repr(other) == (
        "Network 1-1: affine, readout exact (0 or 1 as it stands), 1 parameter in int4"
    )
    assert other.to_dict()["task"] is None


def test_activations_and_readouts_say_what_they_are() -> None:
    kinds = [
        Activation("tanh"), Activation("leaky", 0.125), Activation("step"),
        Activation("step", convention=">="),
    ]  # fmt: skip
    assert [str(kind) for kind in kinds] == ["tanh", "leaky 0.125", "step > 0", "step >= 0"]
    assert str(Readout(threshold=-0.25, convention=">=")) == ">= -0.25"


def test_plain_numbers_make_relu_layers_and_an_affine_last_one() -> None:
    net = small()
    assert [layer.activation for layer in net.layers] == [Activation("relu"), Activation()]
    assert net.readout == Readout("threshold", 0.5, ">")
    assert [fractions_of(tensor).tolist() for _, tensor in net.tensors()] == [W1, B1, W2, B2]
    steps = network([W1, W2], [B1, B2], activation=Activation("step"))
    assert [layer.activation.kind for layer in steps.layers] == ["step", "identity"]


def test_thresholds_and_slopes_are_doubles_so_that_equal_networks_give_equal_files() -> None:
    assert type(Readout(threshold=1).threshold) is float
    assert type(Activation("leaky", slope=2).slope) is float
    assert Readout(threshold=np.float32(0.25)) == Readout(threshold=0.25)  # type: ignore[arg-type]


def test_a_format_is_kept_under_its_own_name() -> None:
    assert small(format="FP16").format == "fp16"
    assert Network(small().layers, format="INT4").format == "int4"


def test_a_network_meant_for_another_task_is_the_same_network() -> None:
    net = small().for_task(HALF)
    assert net.task is HALF
    assert net.layers is net.for_task(task_named("adder:1")).layers


def test_parameters_are_mapped_by_name() -> None:
    net = network([W1, W2], [None, B2], task=HALF)
    names: list[str] = []

    def negate(name: str, tensor: Tensor) -> Tensor:
        names.append(name)
        assert isinstance(tensor, Dense)
        return Dense(-tensor.numbers)

    negative = map_parameters(net, negate)
    assert names == ["fc1.weight", "fc2.weight", "fc2.bias"]
    assert [fractions_of(t).tolist() for _, t in negative.tensors()] == [
        [[-1, -2], [-3, -4], [-5, 6]], [[-1, 0, -2], [-3, 4, -5]], [0, -6]
    ]  # fmt: skip
    assert (negative.task, negative.readout) == (net.task, net.readout)


def test_numbers_can_not_be_changed_from_outside() -> None:
    weight = np.array(W1, dtype=np.float32)
    tensor = Dense(weight)
    weight[0, 0] = 99
    assert tensor.numbers[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        tensor.numbers[0, 0] = 99


# --- what is counted over the values ------------------------------------------------------------


@MANY
@given(net=networks(max_depth=2))
def test_counts_over_the_values_are_those_of_fractions(net: Network) -> None:
    values = [value for _, tensor in net.tensors() for value in fractions_of(tensor).ravel()]
    values += [Fraction(slope) for _, slopes in net.slopes() for slope in slopes]
    assert net.nonzero == sum(value != 0 for value in values)
    top = max(map(abs, values), default=Fraction(0))
    if top.denominator == 1 or top < 2**1023:
        assert net.max_weight == (top if top.denominator == 1 else float(top))
    held = [form.name for form in FORMATS.values() if all(map(form.holds, values))]
    assert (net.smallest_format in held) if held else net.smallest_format is None
    if held and held != ["wide"]:
        fewest = min(FORMATS[name].bits for name in held if name != "wide")
        assert FORMATS[net.smallest_format or ""].bits == fewest


@pytest.mark.parametrize(("weight", "bias", "expected"), [
    ([[1, -5]], [3], 5),
    ([[1, -5]], [-7], 7),
    ([[0, 0]], [0], 0),
    ([[0.5, -2.5]], [1], 2.5),
    ([[-4, 3]], None, 4),
])  # fmt: skip
def test_the_largest_weight_is_by_magnitude_whatever_its_sign(
    weight: Any, bias: Any, expected: float
) -> None:
    top = network([weight], [bias]).max_weight
    assert (top, type(top)) == (expected, type(expected))


@pytest.mark.parametrize(("values", "name"), [
    ([1, -1, 1], "binary"), ([1, 0, -1], "int2"), ([-2, 1, 1], "int2"), ([2, 1, 1], "int3"),
    ([-4, 3, 1], "int3"), ([4, 0, 1], "int4"), ([127, 0, 1], "int8"), ([0.5, 1, 0], "fp8-e4m3"),
    ([2.0**-16, 1, 0], "fp8-e5m2"), ([128, 0, 1], "fp8-e4m3"), ([129, 0, 1], "int16"),
    ([2049.5, 0, 1], "fp32"), ([2**24 + 1, 0, 1], "int32"), ([2**-30, 0, 1], "bf16"),
    ([0.1, 0, 1], "fp64"), ([2**60 + 1, 0, 1], "wide"),
    ([Fraction(2**60 + 1, 2), 0, 1], None),
])  # fmt: skip
def test_the_smallest_format_is_the_one_of_fewest_bits(values: Any, name: str | None) -> None:
    scale = max((Fraction(value).denominator for value in values), default=1)
    whole = stored_in([[int(Fraction(value) * scale) for value in values]], "wide")
    tensor = Scaled(whole, Dense(np.array(1 / scale)))  # type: ignore[arg-type]
    assert Network((Layer(tensor),)).smallest_format == name


def test_a_sparse_matrix_has_zeros_that_its_format_must_hold() -> None:
    ones = Packed(np.array([1, -1]), 1)
    matrix = Sparse((2, 2), np.array([0, 1, 2], np.uint8), np.array([0, 1], np.uint8), ones)
    assert Network((Layer(matrix),)).smallest_format == "int2"
    assert Network((Layer(Packed(np.array([[1, -1]]), 1)),)).smallest_format == "binary"


def test_entries_of_a_sparse_matrix_are_those_that_are_stored() -> None:
    matrix = Sparse(
        (2, 1 << 31), np.array([0, 0, 1], np.uint8), np.array([1 << 30], np.uint32),
        Dense(np.array([-3.5])),
    )  # fmt: skip
    net = Network((Layer(matrix),))
    ((name, values),) = net.entries()
    assert (name, values.shape, values.at(0)) == ("fc1.weight", (1,), Fraction(-7, 2))
    assert (net.nonzero, net.max_weight, net.n_in) == (1, 3.5, 1 << 31)


# --- tensors ------------------------------------------------------------------------------------


@MANY
@given(net=networks(max_depth=2))
def test_the_exact_values_of_every_tensor_are_those_it_stores(net: Network) -> None:
    for _, tensor in net.tensors():
        exact, expected = tensor.exact(), fractions_of(tensor)
        assert exact.shape == tensor.shape == expected.shape
        assert all(exact.at(*index) == expected[index] for index in np.ndindex(tensor.shape))


def test_stored_bytes_are_those_of_every_part() -> None:
    sparse = Sparse(
        (2, 3), np.array([0, 1, 3], np.uint16), np.array([2, 0, 1], np.uint32),
        Packed(np.array([1, -2, 1]), 3),
    )  # fmt: skip
    assert sparse.stored_bytes == 3 * 2 + 3 * 4 + 2
    scaled = Scaled(Packed(np.array([[1, -1]]), 2), Dense(np.float32([2])), Dense(np.int8(1)))
    assert scaled.stored_bytes == 1 + 4 + 1
    assert Wide.of([[1, 1 << 15, 1]]).stored_bytes == 3 + 2 + (1 + 3)
    assert Dense(np.zeros((2, 3), dtype=np.float16)).stored_bytes == 12


@pytest.mark.parametrize("form", FORMATS)
def test_numbers_are_stored_in_a_format_as_they_are(form: str) -> None:
    values = [[1, -1], [-1, 1]]
    stored = stored_in(values, form)
    assert fractions_of(stored).tolist() == values
    kinds = {"float": Dense, "integer": Packed, "wide": Wide}
    assert type(stored) is kinds[FORMATS[form].kind]
    assert stored.stored_bytes == (4 + 2 + 2 if form == "wide" else FORMATS[form].bytes_of(4))


def test_numbers_of_numpys_types_are_numbers() -> None:
    values = [[np.float32(0.5), np.int64(3), ml_dtypes.bfloat16(-2.5), True, Fraction(1, 4)]]
    assert fractions_of(stored_in(values, "fp32")).tolist() == [[0.5, 3, -2.5, 1, 0.25]]
    for dtype in (np.float64, np.float16, ml_dtypes.bfloat16, np.int8, np.uint64):
        stored = stored_in(np.array([[1, 3]], dtype=dtype), "int4")
        assert type(stored) is Packed
        assert stored.numbers.tolist() == [[1, 3]]


def test_a_negative_zero_keeps_its_sign() -> None:
    stored = stored_in([-0.0, 0.0], "fp32")
    assert isinstance(stored, Dense)
    assert np.signbit(stored.numbers).tolist() == [True, False]


@pytest.mark.parametrize(("values", "form", "message"), [
    ([[1, 2], [0.1, 3]], "fp32",
     "0.1 (at [1, 0]) is not representable in fp32; take a wider format"),
    ([1, 8], "int4", "8 (at [1]) is not representable in int4; take a wider format"),
    ([Fraction(1, 3)], "fp64", "1/3 (at [0]) is not representable in fp64; take a wider format"),
    ([0.5], "wide", "0.5 (at [0]) is not representable in wide; take a wider format"),
    ([1, 0], "binary", "0 (at [1]) is not representable in binary; take a wider format"),
    ([1, -2], "ternary", "-2 (at [1]) is not representable in ternary; take a wider format"),
    ([1e39], "fp32", "1e+39 (at [0]) is not representable in fp32; take a wider format"),
    ([-(1 << 5000)], "fp64",
     "a number of 5001 bits (at [0]) is not representable in fp64; take a wider format"),
    ([1 << 20000], "int32",
     "a number of 20001 bits (at [0]) is not representable in int32; take a wider format"),
    ([1.0, np.inf], "fp32", "inf (at [1]) is not representable in fp32; give a finite number"),
    ([np.float32("nan")], "fp32",
     "nan (at [0]) is not representable in fp32; give a finite number"),
    ([[1, 2], [3]], "fp32", "[1, 2] (at [0]) is not representable in fp32; give a finite number"),
    (["1"], "fp32", "1 (at [0]) is not representable in fp32; give a finite number"),
    ([None], "fp32", "None (at [0]) is not representable in fp32; give a finite number"),
    ([1j], "fp32", "1j (at [0]) is not representable in fp32; give a finite number"),
])  # fmt: skip
def test_what_a_format_does_not_hold_is_refused(values: Any, form: str, message: str) -> None:
    with refused(NetworkError, f"tensor: {message}"):
        _ = stored_in(values, form)


def test_doubles_are_not_stored_as_they_are_in_a_format_of_whole_numbers() -> None:
    message = "tensor: 0.5 (at [0, 1]) is not representable in int4; take a wider format"
    with refused(NetworkError, message):
        _ = stored_in(np.array([[1.0, 0.5]]), "int4")


def test_an_unknown_format_is_refused() -> None:
    message = "format: unknown number format 'fp31'; did you mean fp32?"
    with refused(FormatError, message):
        _ = small(format="fp31")
    with refused(FormatError, message):
        _ = Network(small().layers, format="fp31")


@pytest.mark.parametrize(
    "dtype", [np.float64, np.float16, ml_dtypes.bfloat16, ml_dtypes.float8_e5m2]
)
def test_a_value_that_is_not_finite_is_refused(dtype: Any) -> None:
    for value in ("nan", "inf", "-inf"):
        numbers = np.array([[1, 2], [3, 4]]).astype(dtype)
        numbers[1, 0] = float(value)
        message = f"tensor: a value is {value} (at [1, 0]); every parameter must be a finite number"
        with refused(NetworkError, message):
            _ = Dense(numbers)


def test_every_pattern_that_is_no_number_is_refused_without_a_warning() -> None:
    for dtype in (np.float16, ml_dtypes.bfloat16):
        patterns = np.arange(1 << 16, dtype=np.uint16).view(dtype)
        with np.errstate(invalid="ignore"):
            bad = patterns[~np.isfinite(patterns)]
        assert len(bad) > 100
        for at in range(0, len(bad), 13):
            with pytest.raises(NetworkError):
                _ = Dense(bad[at : at + 1])


def matrix(indptr: Any, indices: Any, count: int | None = None, shape: Any = (2, 3)) -> Sparse:
    count = len(indices) if count is None else count
    numbers = Dense(np.arange(1, count + 1, dtype=np.float32))
    return Sparse(shape, np.array(indptr, np.uint64), np.array(indices, np.uint64), numbers)


def test_a_sparse_matrix_has_its_entries_where_they_belong() -> None:
    assert fractions_of(matrix([0, 2, 3], [0, 2, 1])).tolist() == [[1, 0, 2], [0, 3, 0]]
    assert matrix([0, 0, 0], []).exact().integers.tolist() == [[0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize(("indptr", "indices", "count"), [
    ([0, 2], [0, 2], None),
    ([0, 1, 2, 2], [0, 2], None),
    ([1, 1, 2], [0, 2], None),
    ([0, 1, 1], [0, 2], None),
    ([0, 3, 2], [0, 2], None),
    ([0, 1, 3], [0, 2], None),
    ([0, 1, 2], [0, 3], None),
    ([0, 1, 2], [0, 2**64 - 1], None),
    ([0, 2**63, 2], [0, 2], None),
    ([0, 1, 2], [0, 2], 3),
    ([0, 1, 2], [0, 2], 1),
    ([], [], None),
    ([[0, 1, 2]], [0, 2], None),
    ([0, 1, 2], [[0], [2]], None),
])  # fmt: skip
def test_a_sparse_structure_that_describes_no_matrix_is_refused(
    indptr: Any, indices: Any, count: int | None
) -> None:
    with refused(
        NetworkError,
        "tensor: the sparse structure does not describe a 2 x 3 matrix; "
        "indptr has rows + 1 ascending entries, indices name columns",
    ):
        _ = matrix(indptr, indices, count)


@pytest.mark.parametrize("indices", [[1, 0, 2], [1, 1, 2]])
def test_columns_out_of_order_or_named_twice_are_refused(indices: list[int]) -> None:
    with refused(
        NetworkError,
        "tensor: the columns of a sparse row are not in ascending order; "
        "sort each row's columns and name none twice",
    ):
        _ = matrix([0, 2, 3], indices)


def test_a_scale_has_one_entry_or_one_for_each_row() -> None:
    q = Packed(np.array([[1, -2, 0], [1, 1, -1]]), 2)
    for part, shape in (("scale", (3,)), ("zero", (1,)), ("scale", (2, 1))):
        parts = {"scale": Dense(np.float32(1)), "zero": None} | {part: Dense(np.ones(shape))}
        with refused(
            NetworkError,
            f"tensor: {part} has shape {list(shape)}, the tensor [2, 3]; "
            f"{part} has shape [] or one entry for each row",
        ):
            _ = Scaled(q, **parts)  # type: ignore[arg-type]


def test_a_sparse_tensor_has_no_zero_point() -> None:
    with refused(NetworkError, "tensor: a sparse tensor has a zero point; store it dense"):
        _ = Scaled(matrix([0, 1, 2], [0, 2]), Dense(np.float32(1)), Dense(np.int8(1)))


# --- what makes no network ----------------------------------------------------------------------


@pytest.mark.parametrize(("make", "message"), [
    (lambda: Activation("celu"),
     f"activation: unknown activation 'celu'; one of {', '.join(RULES)}"),
    (lambda: Activation("step", convention="<"),  # type: ignore[arg-type]
     "convention: unknown convention '<'; one of >, >="),
    (lambda: Activation("leaky", slope=float("nan")),
     "slope: the slope is nan; the slope is a finite number"),
    (lambda: Readout("argmax"),  # type: ignore[arg-type]
     "readout: unknown readout 'argmax'; one of threshold, exact"),
    (lambda: Readout(convention="=="),  # type: ignore[arg-type]
     "convention: unknown convention '=='; one of >, >="),
    (lambda: Readout(threshold=float("-inf")),
     "threshold: the threshold is -inf; the threshold is a finite number"),
    (lambda: Network(()), "layers: a network has at least one layer; add a layer"),
    (lambda: network([], []), "layers: a network has at least one layer; add a layer"),
    (lambda: network([W1, W2], [B1]),
     "biases: 2 weights and 1 bias; give one for each layer, or None"),
    (lambda: network([[1, 2]], [None]),
     "fc1: the weight has shape [2]; it has two dimensions, (out, in), neither of them 0"),
    (lambda: network([[[[1]]]], [None]),
     "fc1: the weight has shape [1, 1, 1]; it has two dimensions, (out, in), neither of them 0"),
    (lambda: network([3], [None]),
     "fc1: the weight has shape []; it has two dimensions, (out, in), neither of them 0"),
    (lambda: network([[[], []]], [None]),
     "fc1: the weight has shape [2, 0]; it has two dimensions, (out, in), neither of them 0"),
    (lambda: network([np.zeros((0, 3), np.float32)], [None]),
     "fc1: the weight has shape [0, 3]; it has two dimensions, (out, in), neither of them 0"),
    (lambda: network([W1, W2], [B1, [1, 2, 3]]),
     "fc2: the bias has shape [3], the weight [2, 3]; the bias must have shape [2]"),
    (lambda: network([W1], [[[7, 8, 9]]]),
     "fc1: the bias has shape [1, 3], the weight [3, 2]; the bias must have shape [3]"),
    (lambda: network([W1, W1], [None, None]),
     "fc2: the layer takes 2 values, the one before gives 3; make the shapes agree"),
])  # fmt: skip
def test_what_makes_no_network_is_refused(make: Any, message: str) -> None:
    with refused(NetworkError, message):
        _ = make()


def test_a_task_of_other_sizes_is_refused() -> None:
    message = (
        "task: full-adder has 3 input and 2 output bits, the network 2 and 2; "
        "name a task that fits with `task`"
    )
    full = task_named("full-adder")
    for fit in (lambda: small(task=full), lambda: small().for_task(full)):
        with refused(TaskError, message):
            _ = fit()
    with refused(
        TaskError,
        "task: parity:2 has 2 input and 1 output bits, the network 2 and 2; "
        "name a task that fits with `task`",
    ):
        small().check_fits(task_named("parity:2"))


@FEW
@given(net=networks(task=tasks(max_in=4), max_depth=2))
def test_a_network_drawn_for_a_task_fits_it(net: Network) -> None:
    assert net.task is not None
    net.check_fits(net.task)
    assert repr(net).startswith(f"Network {net.shape} for {net.task.name}: ")
    assert all(isinstance(values, Dyadic) for _, values in net.entries())


def test_an_activation_is_given_by_its_name():
    weights, biases = [[[1, -1], [-1, 1]], [[1, 1]]], [[0, 0], [0]]
    for name, activation in (
        ("relu", Activation("relu")),
        ("leaky:0.125", Activation("leaky", slope=0.125)),
    ):
        net = network(weights, biases, activation=name)
        assert net.layers[0].activation == activation
        assert to_bytes(net) == to_bytes(network(weights, biases, activation=activation))
    with pytest.raises(NetworkError, match="activation"):
        _ = network(weights, biases, activation="rely")


def test_a_quantized_network_shows_its_codes_and_scales():
    weight = Scaled(
        Packed(np.array([[3, -4]], np.int8), 3),
        Dense(np.array([0.25], np.float32)),
        Dense(np.array([1], np.int8)),
    )
    bias = Scaled(Packed(np.array([2], np.int8), 3), Dense(np.array(0.1, np.float32)))
    _, table, line = Network((Layer(weight, bias),), format="int3").blocks()
    assert table.columns == ("layer", "unit", "w1", "w2", "bias", "scale", "zero", "bias scale")
    assert table.rows == (("fc1", "1", "3", "-4", "2", "0.25", "1", "0.10000000149011612"),)
    assert "a value is scale * (code - zero)" in line.text
    plain = Network((Layer(Dense(np.ones((1, 2), np.float32))),))
    assert len(plain.blocks()) == 2
