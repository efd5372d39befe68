"""Codebooks: one encoding of integers of any width, and nothing else is read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nets.file_samples import DAMAGED, assembled, one_layer, parts
from strategies import FEW, refused

from adderlab import limits
from adderlab.building import construct
from adderlab.errors import NetworkFileError
from adderlab.limits import Budget, CapReached
from adderlab.nets.codebook import coded, from_bytes, size_of, to_bytes
from adderlab.nets.files import from_bytes as network_from_bytes
from adderlab.nets.files import to_bytes as network_to_bytes
from adderlab.nets.tensors import Sparse, Wide, distinct
from adderlab.proving import decide
from adderlab.tasks import task_named

U8, U16 = np.uint8, np.uint16
SPEC = {"codes": "w", "sizes": "s", "codebook": "b"}


@pytest.mark.parametrize("bits", [*range(1, 18), 63, 64, 65, 8 * 255])
@pytest.mark.parametrize("off", [-1, 0, 1])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_value_takes_the_fewest_bytes_that_hold_it(bits: int, off: int, sign: int) -> None:
    value = sign * (1 << bits) + off
    size = size_of(value)
    assert (
        int.from_bytes(value.to_bytes(size, "little", signed=True), "little", signed=True) == value
    )
    if size > 1:
        with pytest.raises(OverflowError):
            _ = value.to_bytes(size - 1, "little", signed=True)


@FEW
@given(st.lists(st.integers(-(1 << 150), 1 << 150) | st.sampled_from([-129, -1, 0, 5, 128])))
def test_numbers_come_back_from_their_codebook(numbers: list[int]) -> None:
    kept = coded(numbers, len(numbers))
    assert kept.codebook.tolist() == sorted(set(numbers))
    assert kept.codebook[kept.codes].tolist() == numbers
    sizes, data = to_bytes(kept.codebook)
    assert from_bytes(sizes, data, where="net").tolist() == kept.codebook.tolist()
    tensor = Wide.of(np.array(numbers, dtype=object))
    assert tensor.stored_bytes == tensor.codes.nbytes + sizes.nbytes + data.nbytes
    assert [int(v) for v in distinct(tensor).integers] == kept.codebook.tolist()


@pytest.mark.parametrize("count", [256, 257])
def test_codes_take_as_many_bytes_as_their_number_needs(count: int) -> None:
    assert coded(range(count), count).codes.dtype == (U8 if count == 256 else U16)


def test_a_wide_network_is_read_from_limbs_as_from_codebooks() -> None:
    """Files were written with limbs of one size; they are the same networks."""
    net = construct(task_named("adder:70"), "one-layer")
    _, record, _ = parts(network_to_bytes(net))
    arrays: dict[str, np.ndarray] = {}
    for number, layer in enumerate(net.layers, start=1):
        weight, entry = layer.weight, record["layers"][number - 1]
        assert isinstance(weight, Sparse)
        name = f"fc{number}.weight"
        arrays |= {f"{name}.indptr": weight.indptr, f"{name}.indices": weight.indices}
        entry["weight"]["values"] = limbs(weight.values, f"{name}.values", arrays)
        if layer.bias is not None:
            entry["bias"] = limbs(layer.bias, f"fc{number}.bias", arrays)
    old = network_from_bytes(assembled(record, arrays))
    assert network_to_bytes(old) == network_to_bytes(net)
    assert decide(old, task_named("adder:70"))


def limbs(tensor: object, name: str, arrays: dict[str, np.ndarray]) -> dict[str, object]:
    assert isinstance(tensor, Wide)
    data = b"".join(int(v).to_bytes(11, "little", signed=True) for v in tensor.numbers.ravel())
    arrays[name] = np.frombuffer(data, dtype=U8)
    return {"limb_bytes": 11, "shape": list(tensor.shape), "data": name}


@pytest.mark.parametrize(("codes", "sizes", "data", "what"), [
    (U8([[0, 1]]), U8([1, 1]), U8([7, 7]), "the codebook does not ascend at value 1"),
    (U8([[0, 1]]), U8([1, 1]), U8([7, 5]), "the codebook does not ascend at value 1"),
    (U8([[0, 1]]), U8([1, 2]), U8([5, 7, 0]),
     "value 1 of a codebook takes more bytes than it needs"),
    (U8([[0, 0]]), U8([2]), U8([255, 255]), "value 0 of a codebook takes more bytes than it needs"),
    (U8([[0, 0]]), U8([1, 1]), U8([5, 7]), "value 1 of a codebook is used by no code"),
    (U8([[1, 1]]), U8([1, 1]), U8([5, 7]), "value 0 of a codebook is used by no code"),
    (U8([[0, 2]]), U8([1, 1]), U8([5, 7]), "the code 2 stands for none of 2 values"),
    (U8([[0, 255]]), U8([]), U8([]), "the code 255 stands for none of 0 values"),
    (U16([[0, 1]]), U8([1, 1]), U8([5, 7]), "codes are of type uint16, not uint8"),
    (np.int8([[0, 1]]), U8([1, 1]), U8([5, 7]), "codes are of type int8, not uint8"),
    (np.float32([[0, 1]]), U8([1, 1]), U8([5, 7]), "codes are of type float32, not uint8"),
    (U8([[0, 1]]), U16([1, 1]), U8([5, 7]),
     "the sizes of a codebook are of type uint16, not uint8"),
    (U8([[0, 1]]), np.int8([1, -1]), U8([5, 7]),
     "the sizes of a codebook are of type int8, not uint8"),
    (U8([[0, 1]]), U8([[1, 1]]), U8([5, 7]), "fc1.weight has a codebook whose sizes are no row"),
    (U8([[0, 1]]), U8([1, 0]), U8([5]), "a value of a codebook has no size in 1..1048576"),
    (U8([[0, 0]]), np.uint32([(1 << 20) + 1]), U8([5]),
     "a value of a codebook has no size in 1..1048576"),
    (U8([[0, 1]]), U8([1, 1]), U8([5]), "the values of a codebook take 2 bytes, got 1 in uint8"),
    (U8([[0, 1]]), U8([1, 1]), U8([5, 7, 9]),
     "the values of a codebook take 2 bytes, got 3 in uint8"),
    (U8([[0, 1]]), U8([1, 1]), np.int8([5, 7]),
     "the values of a codebook take 2 bytes, got 2 in int8"),
])  # fmt: skip
def test_what_no_encoding_gives_is_refused(
    codes: np.ndarray, sizes: np.ndarray, data: np.ndarray, what: str
) -> None:
    arrays = {"w": codes, "s": sizes, "b": data}
    with refused(NetworkFileError, f"net: {what}{DAMAGED}"):
        _ = network_from_bytes(assembled(one_layer(SPEC), arrays), where="net")


@pytest.mark.parametrize(("spec", "what"), [
    (SPEC | {"shape": [1, 2]}, "fc1.weight has the unknown key shape"),
    ({"codes": "w", "sizes": "s"}, "fc1.weight lacks codebook"),
    (SPEC | {"sizes": "b"}, "fc1.weight uses the tensor 'b' a second time"),
])  # fmt: skip
def test_the_record_of_a_codebook_has_these_keys(spec: dict[str, str], what: str) -> None:
    arrays = {"w": U8([[0, 1]]), "s": U8([1, 1]), "b": U8([5, 7])}
    with refused(NetworkFileError, f"net: {what}{DAMAGED}"):
        _ = network_from_bytes(assembled(one_layer(spec), arrays), where="net")


def test_a_codebook_is_read_within_the_limits() -> None:
    sizes, data = to_bytes(np.arange(9000).astype(object))
    with pytest.raises(CapReached), limits.within(Budget(deadline=0.0)):
        _ = from_bytes(sizes, data, where="net")
