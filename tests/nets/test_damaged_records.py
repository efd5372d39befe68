"""Records that say what is not so: refused with the place, whatever stands where."""

from __future__ import annotations

import copy
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from nets.file_samples import (
    DAMAGED,
    EVERY,
    HALF,
    assembled,
    one_layer,
    outcome,
    parts,
    refused_as,
    with_record,
)
from strategies import (
    TASKS,
    check_refusal,
)

from adderlab.errors import NetworkFileError
from adderlab.nets.activations import RULES
from adderlab.nets.files import (
    from_bytes,
    to_bytes,
)
from adderlab.tasks import task_named


def change(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Set, or with ``...`` drop, what stands at a dotted path of a record."""

    def apply(record: dict[str, Any]) -> None:
        *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
        place: Any = record
        for step in way:
            place = place[step]
        if value is ...:
            del place[last]
        else:
            place[last] = value

    return apply


SCHEMA = (
    "schema {} is not the one this version reads (1); write the file with this version of adderlab"
)
CANT = (
    "a network file can't name the task {!r}; "
    "name one by its name, half-adder, or store the table inline"
)
TABLE_DAMAGED = "the inline truth table is damaged; build the network again"


@pytest.mark.parametrize(("path", "value", "what"), [
    *(("schema", value, SCHEMA.format(shown)) for value, shown in (
        (2, "2"), (0, "0"), (True, "True"), (1.0, "1.0"), ("1", "1"), (None, "None"), ([1], "[1]"),
        ({"a": 1}, "{'a': 1}"))),
    ("schema", ..., SCHEMA.format("None")),
    ("task", ..., "the record lacks task" + DAMAGED),
    ("extra", 1, "the record has the unknown key extra" + DAMAGED),
    ("Schema", 1, "the record has the unknown key Schema" + DAMAGED),
    ("line\nbreak", 1, "the record has the unknown key line\\nbreak" + DAMAGED),
    ("\ud800", 1, "the record has the unknown key \\ud800" + DAMAGED),
    ("layers", [], "the record has no list of layers" + DAMAGED),
    ("layers", {}, "the record has no list of layers" + DAMAGED),
    ("layers", None, "the record has no list of layers" + DAMAGED),
    ("layers.0", None, "layer 1 is no JSON object" + DAMAGED),
    ("layers.0.weight", ..., "layer 1 lacks weight" + DAMAGED),
    ("layers.0.activation", ..., "layer 1 lacks activation" + DAMAGED),
    ("layers.1.slope", 0.5, "layer 2 has the unknown key slope" + DAMAGED),
    ("layers.1.more", 0.5, "layer 2 has the unknown key more" + DAMAGED),
    ("layers.0.activation", "step", "layer 1 lacks convention" + DAMAGED),
    ("layers.0.activation", "leaky", "layer 1 lacks slope" + DAMAGED),
    ("layers.0.activation", "celu", f"unknown activation 'celu'; one of {', '.join(RULES)}"),
    ("layers.0.activation", ["relu"],
     f"unknown activation a list; one of {', '.join(RULES)}"),
    ("layers.0.activation", None,
     f"unknown activation None; one of {', '.join(RULES)}"),
    ("layers.0.weight", "fc9.weight",
     "fc1.weight names the tensor 'fc9.weight', which is not in the file" + DAMAGED),
    ("layers.0.weight", "fc1.bias",
     "fc1.bias uses the tensor 'fc1.bias' a second time" + DAMAGED),
    ("layers.1.bias", "fc1.bias", "fc2.bias uses the tensor 'fc1.bias' a second time" + DAMAGED),
    ("layers.1.bias", ..., "the tensor 'fc2.bias' is used by no layer" + DAMAGED),
    ("layers.0.bias", None, "fc1.bias is no JSON object" + DAMAGED),
    ("layers.0.weight", 5, "fc1.weight is no JSON object" + DAMAGED),
    ("layers.0.weight", {}, "fc1.weight lacks packed, shape, data" + DAMAGED),
    ("layers.0.weight", {"packed": 2, "shape": [3, 2], "data": "fc1.weight"},
     "fc1.weight is packed, but its data are no row of bytes" + DAMAGED),
    ("readout", None, "the readout is no JSON object" + DAMAGED),
    ("readout", {"kind": "exact", "threshold": 0.5},
     "the readout has the unknown key threshold" + DAMAGED),
    ("readout", {"kind": "threshold"}, "the readout lacks threshold, convention" + DAMAGED),
    ("readout.kind", "argmax", "unknown readout 'argmax'; one of threshold, exact"),
    ("readout.kind", [], "unknown readout a list; one of threshold, exact"),
    ("readout.convention", "<", "unknown convention '<'; one of >, >="),
    ("readout.convention", {}, "unknown convention a dict; one of >, >="),
    ("readout.threshold", "0.5", "the threshold is '0.5', which is no number" + DAMAGED),
    ("readout.threshold", True, "the threshold is 'True', which is no number" + DAMAGED),
    ("readout.threshold", None, "the threshold is 'None', which is no number" + DAMAGED),
    ("readout.threshold", 10**400, "the threshold is beyond every double" + DAMAGED),
    ("format", None, "the format is no name" + DAMAGED),
    ("format", "fp31", "unknown number format 'fp31'; did you mean fp32?"),
    ("training", [], "the training record is no JSON object" + DAMAGED),
    ("training", "x", "the training record is no JSON object" + DAMAGED),
    ("task", "table:/etc/passwd", CANT.format("table:/etc/passwd")),
    ("task", "table", CANT.format("table")),
    ("task", "table:", CANT.format("table:")),
    ("task", 5, CANT.format("5")),
    ("task", ["half-adder"], CANT.format("['half-adder']")),
    ("task", True, CANT.format("True")),
    ("task", {}, CANT.format("{}")),
    ("task", {"table": {}, "more": 1}, CANT.format("{'table': {}, 'more': 1}")),
    ("task", {"path": "/etc/passwd"}, CANT.format("{'path': '/etc/passwd'}")),
    ("task", {"table": "/etc/passwd"}, TABLE_DAMAGED),
    ("task", "/etc/passwd", "unknown task '/etc/passwd'; " + TASKS),
    ("task", " table:x", "unknown task ' table:x'; " + TASKS),
    ("task", "Table:x", "unknown task 'Table:x'; " + TASKS),
    ("task", "line\nbreak", "unknown task 'line\\nbreak'; " + TASKS),
    ("task", "full-adder",
     ("full-adder has 3 input and 2 output bits, the network 2 and 2; "
      "name a task that fits with `task`")),
])  # fmt: skip
def test_a_record_that_says_what_is_not_so_is_refused(path: str, value: Any, what: str) -> None:
    _, record, _ = parts(to_bytes(HALF))
    change(path, value)(record)
    with pytest.raises(NetworkFileError) as caught:
        _ = from_bytes(with_record(record), where="net")
    check_refusal(caught.value)
    message = str(caught.value).removeprefix("net: ")
    assert message in (what, f"task: {what}")


def test_no_path_that_a_file_names_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(path: str, *_: object) -> None:
        pytest.fail(f"{path!r} was opened")

    _, record, _ = parts(to_bytes(HALF))
    monkeypatch.setattr("adderlab.reading._open", opened)
    with pytest.raises(pytest.fail.Exception, match="'x' was opened"):
        _ = task_named("table:x")
    for task in ("table:/etc/passwd", "table", "/etc/passwd", {"table": "/etc/passwd"}):
        assert outcome(with_record(record | {"task": task})) is None


U8, F32 = np.uint8, np.float32


def packed_spec(bits: Any, shape: Any, data: Any = "w") -> dict[str, Any]:
    return {"packed": bits, "shape": shape, "data": data}


def wide_spec(size: Any, shape: Any, data: Any = "w") -> dict[str, Any]:
    return {"limb_bytes": size, "shape": shape, "data": data}


def sparse_spec(shape: Any, values: Any = "v") -> dict[str, Any]:
    return {"shape": shape, "indptr": "p", "indices": "i", "values": values}


def csr(pointers: Any, indices: Any, values: Any, dtype: Any = U8) -> dict[str, Any]:
    structure = {"p": np.array(pointers, dtype), "i": np.array(indices, dtype)}
    return structure | {"v": np.array(values, F32)}


NOT_CSR = (
    "fc1.weight: the sparse structure does not describe a {} matrix; "
    "indptr has rows + 1 ascending entries, indices name columns"
)
NOT_2D = "fc1: the weight has shape {}; it has two dimensions, (out, in), neither of them 0"
UNORDERED = (
    "fc1.weight: the columns of a sparse row are not in ascending order; "
    "sort each row's columns and name none twice"
)


@pytest.mark.parametrize(("weight", "arrays", "what"), [
    # packed
    (packed_spec(2, [2, 3]), {"w": U8([1])}, "6 numbers of 2 bits take 2 bytes, got 1" + DAMAGED),
    (packed_spec(2, [2, 3]), {"w": U8([1, 1, 0])},
     "6 numbers of 2 bits take 2 bytes, got 3" + DAMAGED),
    (packed_spec(2, [2, 3]), {"w": U8([1, 16])}, "padding bits are set" + DAMAGED),
    (packed_spec(1, [2, 3]), {"w": U8([0x40])}, "padding bits are set" + DAMAGED),
    (packed_spec(2, [2, 3]), {"w": np.int8([1, 1])},
     "fc1.weight is packed, but its data are no row of bytes" + DAMAGED),
    (packed_spec(2, [2, 3]), {"w": U8([[1, 1]])},
     "fc1.weight is packed, but its data are no row of bytes" + DAMAGED),
    *((packed_spec(bits, [2, 3]), {"w": U8([1, 1])},
       f"fc1.weight's packed bits is {bits}, not a whole number in 1..32" + DAMAGED)
      for bits in (0, 33, -2, 2.0, "2", None, True)),
    *((packed_spec(2, [2, size]), {"w": U8([1, 1])},
       f"fc1.weight's shape is {size}, not a whole number in 0..2147483648" + DAMAGED)
      for size in (-3, 3.0, "3", None, True, (1 << 31) + 1)),
    *((packed_spec(2, shape), {"w": U8([1, 1])},
       "fc1.weight has no shape of one or two numbers" + DAMAGED)
      for shape in (None, 6, "23", [1, 2, 3], {"0": 2})),
    (packed_spec(2, [2, 3], ["w"]), {"w": U8([1, 1])},
     "fc1.weight names the tensor ['w'], which is not in the file" + DAMAGED),
    (packed_spec(2, [2, 3]) | {"more": 1}, {"w": U8([1, 1])},
     "fc1.weight has the unknown key more" + DAMAGED),
    (packed_spec(2, [6]), {"w": U8([1, 1])}, NOT_2D.format([6])),
    (packed_spec(2, [0, 3]), {"w": U8([])}, NOT_2D.format([0, 3])),
    (packed_spec(2, [3, 0]), {"w": U8([])}, NOT_2D.format([3, 0])),
    (packed_spec(2, []), {"w": U8([1])}, NOT_2D.format([])),
    # wide
    (wide_spec(3, [1, 2]), {"w": U8([1] * 5)}, "2 limbs of 3 bytes take 6, got 5" + DAMAGED),
    (wide_spec(3, [1, 2]), {"w": F32([1] * 6)},
     "fc1.weight is packed, but its data are no row of bytes" + DAMAGED),
    *((wide_spec(size, [1, 2]), {"w": U8([1] * 6)},
       f"fc1.weight's limb_bytes is {size}, not a whole number in 1..1048576" + DAMAGED)
      for size in (0, -1, 3.0, None, (1 << 20) + 1)),
    (wide_spec(3, [1, 2]) | {"packed": 2}, {"w": U8([1] * 6)},
     "fc1.weight has the unknown key packed" + DAMAGED),
    # dense
    ("w", {"w": F32([1, 2])}, NOT_2D.format([2])),
    ("w", {"w": F32(5)}, NOT_2D.format([])),
    ("w", {"w": F32([[[1]]])}, NOT_2D.format([1, 1, 1])),
    ("w", {"w": np.zeros((0, 3), F32)}, NOT_2D.format([0, 3])),
    ("w", {"w": np.zeros((2, 0), F32)}, NOT_2D.format([2, 0])),
    ("w", {"w": F32([[1, 2], [np.nan, 3]])},
     "fc1.weight: a value is nan (at [1, 0]); every parameter must be a finite number"),
    ("w", {"w": np.float16([[1, -np.inf]])},
     "fc1.weight: a value is -inf (at [0, 1]); every parameter must be a finite number"),
    # sparse
    *((sparse_spec([2, 3]), csr(p, i, v), NOT_CSR.format("2 x 3")) for p, i, v in (
        ([0, 1], [0], [5]), ([0, 1, 1, 1], [0], [5]), ([1, 1, 1], [0], [5]), ([0, 1, 2], [0], [5]),
        ([0, 2, 1], [0], [5]), ([0, 1, 1], [3], [5]), ([0, 1, 1], [0], [5, 6]), ([], [], []),
        ([0, 1, 1], [0, 1], [5]), ([0, 1, 1], [0], [[5]]), ([[0, 1, 1]], [0], [5]))),
    (sparse_spec([2, 3]), csr([0, 1 << 63, 1], [0], [5], np.uint64), NOT_CSR.format("2 x 3")),
    (sparse_spec([2, 3]), csr([0, 1, 1], [(1 << 64) - 1], [5], np.uint64), NOT_CSR.format("2 x 3")),
    (sparse_spec([2, 3]), csr([0, 2, 2], [1, 0], [5, 6]), UNORDERED),
    (sparse_spec([2, 3]), csr([0, 2, 2], [1, 1], [5, 6]), UNORDERED),
    *((sparse_spec([2, 3]), csr([0, 1, 1], [0], [5], dtype),
       "fc1.weight has signed or fractional indices" + DAMAGED)
      for dtype in (np.int32, np.int64, np.int8, F32)),
    (sparse_spec([6]), csr([0, 1], [0], [5]), "fc1.weight is sparse but no matrix" + DAMAGED),
    (sparse_spec([2, -3]), csr([0, 1, 1], [0], [5]),
     "fc1.weight's shape is -3, not a whole number in 0..2147483648" + DAMAGED),
    (sparse_spec([0, 3]), csr([0], [], []), NOT_2D.format([0, 3])),
    (sparse_spec([2, 0]), csr([0, 0, 0], [], []), NOT_2D.format([2, 0])),
    (sparse_spec([2, 3]) | {"more": 1}, csr([0, 1, 1], [0], [5]),
     "fc1.weight has the unknown key more" + DAMAGED),
    (sparse_spec([2, 3], "i"), csr([0, 1, 1], [0], [5]),
     "fc1.weight uses the tensor 'i' a second time" + DAMAGED),
    (sparse_spec([2, 3], sparse_spec([1, 1])), csr([0, 1, 1], [0], [5]),
     "fc1.weight lacks packed, data and has the unknown key indptr, indices, values" + DAMAGED),
    (sparse_spec([2, 3]), csr([0, 1, 1], [0], [np.nan]),
     "fc1.weight: a value is nan (at [0]); every parameter must be a finite number"),
    # scaled
    ({"scale": "s", "q": "w"}, {"s": F32([1, 2, 3]), "w": F32([[1, 2, 3], [4, 5, 6]])},
     ("fc1.weight: scale has shape [3], the tensor [2, 3]; "
      "scale has shape [] or one entry for each row")),
    ({"scale": "s", "q": "w", "zero": "z"}, {"s": F32(1), "z": F32([[1]]), "w": F32([[1, 2]])},
     ("fc1.weight: zero has shape [1, 1], the tensor [1, 2]; "
      "zero has shape [] or one entry for each row")),
    ({"scale": "s", "q": "w"}, {"s": F32(np.inf), "w": F32([[1, 2]])},
     "fc1.weight: a value is inf (at []); every parameter must be a finite number"),
    ({"scale": "w", "q": "w"}, {"w": F32([[1, 2]])},
     "fc1.weight uses the tensor 'w' a second time" + DAMAGED),
    ({"scale": "s"}, {"s": F32(1)}, "fc1.weight lacks q" + DAMAGED),
    ({"scale": "s", "q": {"scale": "t", "q": "w"}},
     {"s": F32(1), "t": F32(1), "w": F32([[1, 2]])},
     "fc1.weight lacks packed, shape, data and has the unknown key scale, q" + DAMAGED),
    ({"scale": {"packed": 2, "shape": [], "data": "s"}, "q": "w"},
     {"s": U8([1]), "w": F32([[1, 2]])},
     "fc1.weight names the tensor {'packed': 2, 'shape': [], 'data': 's'}, "
     "which is not in the file" + DAMAGED),
    ({"scale": "s", "zero": "z", "q": sparse_spec([2, 3])},
     csr([0, 1, 1], [0], [5]) | {"s": F32(1), "z": F32(1)},
     "fc1.weight: a sparse tensor has a zero point; store it dense"),
])  # fmt: skip
def test_a_tensor_that_is_not_as_its_record_says_is_refused(
    weight: Any, arrays: dict[str, Any], what: str
) -> None:
    refused_as(assembled(one_layer(weight), arrays), what)


def test_the_number_that_ternary_leaves_out_is_refused() -> None:
    """Two bits hold -2; in the format ternary no packing writes it."""
    minus_two = {"w": U8([0b01_00_11_10])}
    spec = packed_spec(2, [2, 2])
    assert from_bytes(assembled(one_layer(spec, format="int2"), minus_two)).format == "int2"
    refused_as(
        assembled(one_layer(spec, format="Ternary"), minus_two),
        "fc1.weight holds -2, which is not ternary" + DAMAGED,
    )
    for wrapped, more in ((spec, {}), ({"scale": "s", "q": spec}, {"s": F32(2)})):
        refused_as(
            assembled(one_layer(wrapped, format="ternary"), minus_two | more),
            "fc1.weight holds -2, which is not ternary" + DAMAGED,
        )
    sparse = sparse_spec([2, 2], packed_spec(2, [4])) | {"indptr": "p", "indices": "i"}
    arrays = {"p": U8([0, 2, 4]), "i": U8([0, 1, 0, 1])} | minus_two
    refused_as(
        assembled(one_layer(sparse, format="ternary"), arrays),
        "fc1.weight holds -2, which is not ternary" + DAMAGED,
    )


HUGE = 1 << 31


@pytest.mark.parametrize(("weight", "arrays"), [
    (packed_spec(1, [HUGE, HUGE]), {"w": U8([1])}),
    (packed_spec(32, [HUGE, HUGE]), {"w": U8([])}),
    (packed_spec(1, [0, HUGE]), {"w": U8([])}),
    (wide_spec(1 << 20, [HUGE, HUGE]), {"w": U8([1])}),
    (wide_spec(1 << 20, [HUGE, 0]), {"w": U8([])}),
    (sparse_spec([HUGE, HUGE]), csr([0, 1], [0], [5])),
    (sparse_spec([1, HUGE], packed_spec(8, [HUGE])),
     {"p": U8([0, 1]), "i": U8([0]), "w": U8([1])}),
    (sparse_spec([1, HUGE], packed_spec(8, [HUGE])),
     {"p": np.uint64([0, HUGE]), "i": U8([0]), "w": U8([1])}),
    ("w", {"w": np.zeros((HUGE, 0), F32)}),
])  # fmt: skip
def test_a_huge_shape_is_refused_before_its_memory_is_taken(
    weight: Any, arrays: dict[str, Any]
) -> None:
    data = assembled(one_layer(weight), arrays)
    tracemalloc.start()
    try:
        assert outcome(data) is None
        assert tracemalloc.get_traced_memory()[1] < 1 << 21
    finally:
        tracemalloc.stop()


def test_a_sparse_layer_of_many_columns_takes_the_memory_of_its_entries_alone() -> None:
    arrays = {"p": U8([0, 1]), "i": np.uint32([HUGE - 1]), "v": F32([5])}
    tracemalloc.start()
    try:
        net = from_bytes(assembled(one_layer(sparse_spec([1, HUGE])), arrays))
        assert (net.n_in, net.max_weight, net.smallest_format) == (HUGE, 5, "int4")
        assert tracemalloc.get_traced_memory()[1] < 1 << 21
    finally:
        tracemalloc.stop()


JUNK = (
    None, True, False, 0, 1, -1, 2, 0.5, 1e308, 1 << 70, "", "a", "fc1.weight", "table:x", "\ud800",
    "relu", "step", ">=", [], [0], [1, 2], [None], {}, {"a": 1}, {"table": None}, {"packed": 2},
    {"scale": "fc1.weight", "q": "fc1.bias"}, {"indptr": []},
    {"limb_bytes": 1, "shape": [], "data": 0},
)  # fmt: skip


def all_paths(value: Any, prefix: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to every value inside a JSON value."""
    children: Any = enumerate(value) if isinstance(value, list) else ()
    children = value.items() if isinstance(value, dict) else children
    below = [path for key, child in children for path in all_paths(child, (*prefix, key))]
    return [prefix, *below] if prefix else below


def replaced(record: Any, path: tuple[Any, ...], value: Any) -> Any:
    spoiled = copy.deepcopy(record)
    place = spoiled
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return spoiled


@pytest.mark.parametrize("value", JUNK, ids=repr)
def test_junk_at_any_place_of_the_record_is_refused_or_gives_a_valid_network(value: Any) -> None:
    _, record, _ = parts(to_bytes(EVERY))
    paths = all_paths(record)
    assert len(paths) > 60
    for path in paths:
        _ = outcome(with_record(replaced(record, path, value), EVERY))


OPTIONAL = [("layers", 3, "weight", "zero")]
"""Keys that a record may do without; the tensor they named must go too."""


def test_every_key_of_a_record_can_be_dropped_or_added_to_without_a_crash() -> None:
    _, record, _ = parts(to_bytes(EVERY))
    kept: list[tuple[Any, ...]] = []
    for path in all_paths(record):
        spoiled = copy.deepcopy(record)
        place = spoiled
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]
        if outcome(with_record(spoiled, EVERY)) is not None:
            kept.append(path)
    for path in [(), *all_paths(record)]:
        spoiled = copy.deepcopy(record)
        place = spoiled
        for step in path:
            place = place[step]
        if isinstance(place, dict) and path[:1] != ("training",):
            place["unknown key"] = 1
            assert outcome(with_record(spoiled, EVERY)) is None, path
    training = [path for path in all_paths(record) if path[0] == "training"]
    assert [path for path in kept if path not in OPTIONAL] == training
