"""Tensors in JSON: codes, scales, zero points, sparse entries and types, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import adderlab
from adderlab.errors import NetworkFileError
from adderlab.nets.tensors import Dense, Packed, Scaled, Sparse, Wide


def weight_of(tmp_path: Path, value: Any, form: str | None = "int4", **top: Any) -> Any:
    record = {"layers": [{"weight": value}], "readout": "> 0", **top}
    path = tmp_path / "net.json"
    _ = path.write_text(json.dumps(record if form is None else {**record, "format": form}))
    return adderlab.load(path).layers[0].weight


def test_codes_are_stored_in_the_format_and_a_scale_in_the_narrowest(tmp_path: Path) -> None:
    tensor = weight_of(tmp_path, {"codes": [[3, -8], [7, 0]], "scale": [0.75, 0.3], "zero": 129})
    assert isinstance(tensor, Scaled)
    assert isinstance(tensor.q, Packed)
    assert (tensor.q.bits, tensor.q.numbers.tolist()) == (4, [[3, -8], [7, 0]])
    assert (tensor.scale.numbers.dtype, tensor.scale.shape) == (np.dtype(np.float64), (2,))
    assert tensor.zero is not None
    assert (tensor.zero.numbers.dtype, tensor.zero.shape) == (np.dtype(np.int16), ())
    plain = weight_of(tmp_path, {"codes": [[1]], "scale": 1.5})
    assert plain.scale.numbers.dtype == np.dtype(ml_dtypes.float8_e5m2)


def test_a_sparse_matrix_has_its_entries_and_their_places(tmp_path: Path) -> None:
    places = {"shape": [2, 300], "indptr": [0, 1, 3], "indices": [299, 0, 2]}
    tensor = weight_of(tmp_path, {**places, "values": [1, -2, 1]})
    assert isinstance(tensor, Sparse)
    assert (tensor.indptr.dtype, tensor.indices.dtype) == (np.uint8, np.uint16)
    assert [int(tensor.exact().at(*at)) for at in ((0, 299), (1, 0), (1, 2))] == [1, -2, 1]
    codes = {**places, "values": [1, -2, 1], "indptr_type": "U32"}
    scaled = weight_of(tmp_path, {"codes": codes, "scale": 0.5})
    assert scaled.q.indptr.dtype == np.uint32
    assert float(scaled.exact().at(1, 0)) == -1.0


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"numbers": [[5, -3]], "type": "packed 9"}, Packed),
        ({"numbers": [[5, 200]], "type": "U8"}, Dense),
        ({"numbers": [[0.1, 2]], "type": "BF16"}, Dense),
        ({"numbers": [[10**4400, -1]], "type": "wide"}, Wide),
    ],
)
def test_a_type_is_stored_whatever_the_format(value: Any, kind: type, tmp_path: Path) -> None:
    text = json.dumps({**value, "numbers": "N"})
    numbers = "[[1" + "0" * 4400 + ", -1]]" if kind is Wide else json.dumps(value["numbers"])
    path = tmp_path / "net.json"
    record = '{"format": "fp32", "layers": [{"weight": %s}], "readout": "> 0"}'
    _ = path.write_text(record % text.replace('"N"', numbers))
    tensor = adderlab.load(path).layers[0].weight
    assert isinstance(tensor, kind)
    if kind is Wide:
        assert tensor.exact().at(0, 0) == 10**4400
    elif isinstance(tensor, Packed):
        assert tensor.bits == 9
    else:
        assert tensor.numbers.dtype.name in ("uint8", "bfloat16")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"codes": [[1]]}, "fc1.weight lacks scale"),
        ({"codes": [[1]], "scale": 1, "bits": 4}, "fc1.weight has the unknown key bits"),
        ({"codes": [[8]], "scale": 1}, "fc1.weight: 8 (at [0, 0]) is not representable in int4"),
        ({"codes": [[0.5]], "scale": 1}, "fc1.weight: 0.5 (at [0, 0]) is not representable"),
        ({"codes": [[1]], "scale": [1, 2]}, "fc1.weight: scale has shape [2], the tensor [1, 1]"),
        ({"codes": [[1]], "scale": "x"}, "fc1.weight.scale: the value is of type str"),
        ({"codes": [[1]], "scale": True}, "fc1.weight.scale: the value is not a list of numbers"),
        ({"codes": [[1]], "scale": 1, "scale_type": "F7"}, "fc1.weight.scale has the type 'F7'"),
        ({"codes": [[1]], "scale": 0.3, "scale_type": "I8"}, "holds a number that is not whole"),
        ({"codes": [[1]], "scale": 1 << 70}, "fc1.weight.scale is beyond 64 bits"),
        ({"codes": [[1]], "scale": 1, "zero_type": "I8"}, "has a zero_type and no zero"),
        ({"numbers": [[1]], "type": "packed 33"}, "fc1.weight has the type 'packed 33'"),
        ({"numbers": [[4]], "type": "packed 3"}, "a value is not representable in 3 bits"),
        ({"numbers": [[300]], "type": "U8"}, "fc1.weight has a number beyond 0..255"),
        ({"numbers": [[1.0]], "type": "wide"}, "fc1.weight holds a number that is not whole"),
        ({"shape": [1], "indptr": [0], "indices": [], "values": []}, "is sparse but no matrix"),
        (
            {"shape": [1, 2], "indptr": [0, 1], "indices": [5], "values": [1]},
            "fc1.weight: the sparse structure does not describe a 1 x 2 matrix",
        ),
        (
            {"shape": [1, 2], "indptr": [0, 1], "indices": [-1], "values": [1]},
            "fc1.weight.indices has a number beyond 0..255",
        ),
        (
            {
                "shape": [1, 2], "indptr": [0, 1], "indices": [1], "values": [1],
                "indices_type": "I8",
            },
            "fc1.weight.indices has the type 'I8'",
        ),
        ({"anything": 1}, "fc1.weight lacks numbers, type and has the unknown key anything"),
    ],
)  # fmt: skip
def test_what_is_no_tensor_is_refused(value: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(NetworkFileError) as caught:
        _ = weight_of(tmp_path, value)
    assert message in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_codes_need_a_format(tmp_path: Path) -> None:
    with pytest.raises(NetworkFileError, match=r"says how .* and the file names no format"):
        _ = weight_of(tmp_path, {"codes": [[1]], "scale": 1}, form=None)


@pytest.mark.parametrize("key", ["training", "adderlab"])
def test_what_stands_beside_the_layers_is_an_object(key: str, tmp_path: Path) -> None:
    with pytest.raises(NetworkFileError, match="training or adderlab is no JSON object"):
        _ = weight_of(tmp_path, [[1]], **{key: [1]})
    assert weight_of(tmp_path, [[1]], **{key: {"seed": 1}}).shape == (1, 1)
