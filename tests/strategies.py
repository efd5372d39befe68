"""What several test files draw from: tasks, tensors, networks, seeds; and how a refusal looks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st

from adderlab.errors import AdderlabError
from adderlab.nets.activations import Activation
from adderlab.nets.network import Layer, Network
from adderlab.nets.readout import EXACT, Readout
from adderlab.nets.tensors import FLOAT_DTYPES, Dense, Packed, Scaled, Sparse, Tensor, Wide
from adderlab.tasks import CATALOG, Task, task_named
from adderlab.tasks.tables import parse_table

FEW = settings(max_examples=20, deadline=None)
MANY = settings(max_examples=50, deadline=None)

INTEGER_DTYPES = tuple(np.dtype(f"{kind}{size}") for kind in "iu" for size in (1, 2, 4, 8))
NUMBER_DTYPES = (*FLOAT_DTYPES.values(), *INTEGER_DTYPES)
"""Every element type that a network file may hold."""


# --- refusals -----------------------------------------------------------------------------------


TASKS = (
    "one of half-adder, full-adder, adder:N, subtractor:N, comparator:N, multiplier:N, parity:N, "
    "majority:N, popcount:N, table:FILE"
)
"""The remedy where no task has a name like it."""


def check_refusal(error: BaseException) -> None:
    """A refusal is ours, says what, where and the remedy, and fits on one line."""
    assert isinstance(error, AdderlabError), repr(error)
    assert error.what, repr(error)
    assert error.where, repr(error)
    assert error.remedy, repr(error)
    assert str(error).isprintable(), repr(str(error))


@contextmanager
def refused(kind: type[AdderlabError], message: str) -> Iterator[None]:
    """The block raises exactly this error with exactly this message."""
    with pytest.raises(kind) as caught:
        yield
    check_refusal(caught.value)
    assert (type(caught.value), str(caught.value)) == (kind, message)


# --- tasks --------------------------------------------------------------------------------------


def seeds() -> st.SearchStrategy[int]:
    """A seed, as ``torch.manual_seed`` and the command line take it."""
    return st.integers(0, (1 << 32) - 1)


def named_tasks(*, max_in: int = 8) -> st.SearchStrategy[Task]:
    """A task of the catalog with at most ``max_in`` input bits."""
    names = [
        entry.name if entry.fixed is not None else f"{entry.name}:{width}"
        for entry in CATALOG.values()
        for width in ([1] if entry.fixed is not None else range(1, max_in + 1))
    ]
    result = [task for task in map(task_named, names) if task.n_in <= max_in]
    return st.sampled_from(result)


@st.composite
def table_texts(draw: st.DrawFn) -> str:
    """A complete truth table as CSV text: bounded words, wide outputs, any values, any order."""
    n_words = draw(st.integers(1, 3))
    widths = [draw(st.integers(1, 2)) for _ in range(n_words)]
    bounds = [draw(st.none() | st.integers(1, 1 << width)) for width in widths]
    outs = draw(st.lists(st.sampled_from([1, 2, 3, 62, 63, 70]), min_size=1, max_size=2))
    header = [
        f"in {name}:{width}" + (f"<{bound}" if bound is not None else "")
        for name, width, bound in zip("abd", widths, bounds, strict=False)
    ]
    header += [f"out {name}:{width}" for name, width in zip("pq", outs, strict=False)]
    sizes = [bound or 1 << width for width, bound in zip(widths, bounds, strict=True)]
    order = draw(st.permutations(list(np.ndindex(*sizes))))
    lines = [",".join(header)]
    for row in order:
        cells = [draw(st.sampled_from([str, bin, hex]))(value) for value in row]
        for width in outs:
            value = draw(st.none() | st.integers(0, (1 << width) - 1))
            cells.append("*" if value is None else draw(st.sampled_from([str, bin, hex]))(value))
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


def tables() -> st.SearchStrategy[Task]:
    """A truth table of few rows."""
    return table_texts().map(lambda text: parse_table(text, where="drawn.csv"))


def tasks(*, max_in: int = 8) -> st.SearchStrategy[Task]:
    """A task of few rows: of the catalog with at most ``max_in`` input bits, or a table."""
    return named_tasks(max_in=max_in) | tables()


# --- tensors ------------------------------------------------------------------------------------


@st.composite
def dense(draw: st.DrawFn, shape: tuple[int, ...], dtype: Any, *, tame: bool = False) -> Dense:
    """Numbers of one element type: any finite bit pattern, or small ones where ``tame``."""
    dtype, count = np.dtype(dtype), int(np.prod(shape))
    if tame:
        steps = draw(st.lists(st.integers(-12, 12), min_size=count, max_size=count))
        values = np.array(steps, dtype=np.float64).reshape(shape)
        return Dense((np.abs(values) if dtype.kind in "iu" else values / 4).astype(dtype))
    patterns = draw(
        st.lists(st.binary(min_size=dtype.itemsize, max_size=dtype.itemsize),
                 min_size=count, max_size=count)
    )  # fmt: skip
    numbers = np.frombuffer(b"".join(patterns), dtype=dtype).reshape(shape).copy()
    if dtype.kind not in "iu":
        with np.errstate(invalid="ignore"):  # a signaling NaN warns
            numbers[~np.isfinite(numbers)] = 1.5
    return Dense(numbers)


@st.composite
def packed(draw: st.DrawFn, shape: tuple[int, ...], bits: int | None = None) -> Packed:
    """Whole numbers in 1 to 32 bits."""
    bits = draw(st.integers(1, 32)) if bits is None else bits
    half = 1 << (bits - 1)
    value = st.sampled_from([-1, 1]) if bits == 1 else st.integers(-half, half - 1)
    count = int(np.prod(shape))
    numbers = draw(st.lists(value, min_size=count, max_size=count))
    return Packed(np.array(numbers, dtype=np.int64).reshape(shape), bits)


@st.composite
def wide(draw: st.DrawFn, shape: tuple[int, ...]) -> Wide:
    """Whole numbers of up to 130 bits."""
    count = int(np.prod(shape))
    values = draw(
        st.lists(st.integers(-(1 << 130), 1 << 130) | st.integers(-9, 9),
                 min_size=count, max_size=count)
    )  # fmt: skip
    numbers = np.empty(count, dtype=object)
    numbers[:] = values
    return Wide.of(numbers.reshape(shape))


def numbers(shape: tuple[int, ...], *, tame: bool = False) -> st.SearchStrategy[Any]:
    """Numbers stored one by one: dense of any type, packed or wide."""
    plain = st.sampled_from(NUMBER_DTYPES).flatmap(lambda dtype: dense(shape, dtype, tame=tame))
    return plain if tame else plain | packed(shape) | wide(shape)


@st.composite
def sparse(draw: st.DrawFn, shape: tuple[int, int], *, tame: bool = False) -> Sparse:
    """A matrix with some entries stored, its index types not always the narrowest."""
    is_stored = np.array(
        draw(st.lists(st.booleans(), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]))
    ).reshape(shape)
    pointers = np.concatenate([[0], np.cumsum(is_stored.sum(axis=1))])
    indices = np.nonzero(is_stored)[1]
    left, right = (
        np.dtype(draw(st.sampled_from(["u1", "u2", "u4", "u8"][int(pointers[-1] > 255) :])))
        for _ in range(2)
    )
    values = draw(numbers((len(indices),), tame=tame))
    return Sparse(shape, pointers.astype(left), indices.astype(right), values)


@st.composite
def scaled(draw: st.DrawFn, shape: tuple[int, ...], *, tame: bool = False) -> Scaled:
    """Quantized numbers with a scale, and perhaps a zero point, for all or for each row."""
    is_sparse = len(shape) == 2 and draw(st.booleans())
    q = draw(sparse(shape, tame=tame) if is_sparse else numbers(shape, tame=tame))  # type: ignore[arg-type]
    parts = st.sampled_from([(), shape[:1]])
    scale = draw(dense(draw(parts), draw(st.sampled_from(NUMBER_DTYPES)), tame=tame))
    has_zero = not is_sparse and draw(st.booleans())
    zero = dense(draw(parts), draw(st.sampled_from(NUMBER_DTYPES)), tame=tame)
    return Scaled(q, scale, draw(zero) if has_zero else None)


def tensors(shape: tuple[int, ...], *, tame: bool = False) -> st.SearchStrategy[Tensor]:
    """A stored tensor of any kind."""
    kinds = numbers(shape, tame=tame) | scaled(shape, tame=tame)
    return kinds | sparse(shape, tame=tame) if len(shape) == 2 else kinds  # type: ignore[arg-type]


def fractions_of(tensor: Tensor) -> Any:
    """The values of a tensor as an array of fractions, read from what it stores, one by one."""
    match tensor:
        case Dense() | Packed() | Wide():
            result = np.empty(tensor.shape, dtype=object)
            for index, value in np.ndenumerate(np.asarray(tensor.numbers)):
                is_whole = isinstance(value, int | np.integer)
                result[index] = Fraction(int(value) if is_whole else float(value))
        case Sparse():
            result = np.full(tensor.shape, Fraction(0), dtype=object)
            values = fractions_of(tensor.values)
            for row in range(tensor.shape[0]):
                for at in range(int(tensor.indptr[row]), int(tensor.indptr[row + 1])):
                    result[row, int(tensor.indices[at])] = values[at]
        case Scaled():
            q, scale = fractions_of(tensor.q), fractions_of(tensor.scale)
            zero = fractions_of(tensor.zero) if tensor.zero is not None else None
            result = np.empty(tensor.shape, dtype=object)
            for index in np.ndindex(tensor.shape):
                shift = 0 if zero is None else zero[index[: zero.ndim]]
                result[index] = scale[index[: scale.ndim]] * (q[index] - shift)
    return result


# --- networks -----------------------------------------------------------------------------------


def conventions() -> st.SearchStrategy[Any]:
    """Whether a tie counts as one."""
    return st.sampled_from([">", ">="])


STRAIGHT = (
    Activation("prelu", slopes=(0.375,)),
    Activation("hardtanh"),
    Activation("hardtanh", min=-0.3, max=2.25),
    Activation("relu6"),
    Activation("clamp", min=-0.75, max=1.5),
    Activation("clamp", min=0.5),
    Activation("clamp", max=0.3),
    Activation("clamp", min=1.25, max=1.25),
    Activation("threshold", threshold=0.5, value=-3),
    Activation("threshold", threshold=-0.3, value=20),
    Activation("abs"),
    Activation("sign"),
    Activation("heaviside", value=0.5),
    Activation("heaviside", value=-2),
    Activation("where", threshold=0.5, below=0.25),
    Activation("where", convention=">=", threshold=-0.3, above=2, below=-1),
    Activation("where", above=1.75),
)
"""Of straight lines, each kind that is no lecture's, with knots on values that occur and not."""


@st.composite
def activations(draw: st.DrawFn, *, tanh: bool = True) -> Activation:
    """Any activation of straight lines, leaky ones with slopes of either sign; and tanh."""
    kinds = ["identity", "relu", "step", "leaky", "straight"] + ["tanh"] * tanh
    slopes = st.sampled_from([0.125, 0.01, -0.5, 0.0, 2.5])
    match draw(st.sampled_from(kinds)):
        case "step":
            return Activation("step", convention=draw(conventions()))
        case "leaky":
            return Activation("leaky", slope=draw(slopes))
        case "straight":
            return draw(st.sampled_from(STRAIGHT))
        case kind:
            return Activation(kind)


def readouts() -> st.SearchStrategy[Readout]:
    """An exact readout, or any threshold with either convention."""
    thresholds = st.sampled_from([0.5, 0.0, -0.75, 1.0, 3.0]) | st.floats(
        allow_nan=False, allow_infinity=False
    )
    return st.just(EXACT) | st.builds(Readout, st.just("threshold"), thresholds, conventions())


@st.composite
def networks(
    draw: st.DrawFn,
    *,
    task: st.SearchStrategy[Task | None] | None = None,
    tanh: bool = True,
    tame: bool = False,
    max_depth: int = 3,
) -> Network:
    """A small network of any kinds of tensors, activations and readout.

    Args:
        draw: hypothesis's.
        task: what to draw its task from; left out, it has none and any size.
        tanh: whether tanh may occur.
        tame: whether all parameters are quarters between -3 and 3, or products of such.
        max_depth: affine layers at most.
    """
    drawn_task = draw(task) if task is not None else None
    depth = draw(st.integers(1, max_depth))
    sizes = [draw(st.integers(1, 4)) for _ in range(depth + 1)]
    if drawn_task is not None:
        sizes[0], sizes[-1] = drawn_task.n_in, drawn_task.n_out
    layers = tuple(
        Layer(
            draw(tensors((n_out, n_in), tame=tame)),
            draw(st.none() | tensors((n_out,), tame=tame)),
            draw(activations(tanh=tanh)),
        )
        for n_in, n_out in pairwise(sizes)
    )
    return Network(
        layers, draw(readouts()), drawn_task, draw(st.sampled_from(["fp32", "wide", "int4"]))
    )


@st.composite
def graphs(
    draw: st.DrawFn,
    *,
    task: st.SearchStrategy[Task] | None = None,
    tanh: bool = True,
    tame: bool = False,
    format: str = "fp32",
) -> Network:
    """A small graph of layers that each read any earlier ones; arguments as of :func:`networks`."""
    drawn_task = draw(task) if task is not None else None
    n_in = drawn_task.n_in if drawn_task is not None else draw(st.integers(1, 3))
    n_out = drawn_task.n_out if drawn_task is not None else draw(st.integers(1, 3))
    heads = draw(st.integers(1, min(2, n_out)))
    ends = [n_out] if heads == 1 else [1, n_out - 1]
    widths = [draw(st.integers(1, 3)) for _ in range(draw(st.integers(1, 3)))]
    sizes = {"input": n_in}
    unread = ["input"]
    layers: list[Layer] = []
    outputs: list[str] = []
    for number, width in enumerate([*widths, *ends], start=1):
        is_last = number == len(widths) + len(ends)
        reads = draw(st.lists(st.sampled_from(list(sizes)), min_size=1, max_size=3, unique=True))
        if number == 1:
            reads = ["input"]
        elif number > len(widths):  # heads do not read one another; the last reads what is left
            reads = [name for name in reads if name not in outputs] or [f"fc{len(widths)}"]
            reads += [name for name in unread if is_last and name not in [*reads, *outputs]]
        n_read = sum(sizes[name] for name in reads)
        kind = draw(st.sampled_from(["dense", "any"]))
        weight = (
            draw(dense((width, n_read), np.float32, tame=tame))
            if kind == "dense"
            else draw(tensors((width, n_read), tame=tame))
        )
        bias = draw(st.none() | dense((width,), np.float32, tame=tame))
        layers.append(Layer(weight, bias, draw(activations(tanh=tanh)), tuple(reads)))
        unread = [name for name in unread if name not in reads] + [f"fc{number}"]
        sizes[f"fc{number}"] = width
        if number > len(widths):
            outputs.append(f"fc{number}")
    return Network(tuple(layers), draw(readouts()), drawn_task, format, outputs=tuple(outputs))


def any_networks(**options: Any) -> st.SearchStrategy[Network]:
    """A chain or a graph; options are those of both."""
    return networks(**options) | graphs(**options)


@st.composite
def input_rows(draw: st.DrawFn, net: Network, *, max_rows: int = 5) -> Any:
    """Rows of bits for a network: all of them where they are few."""
    if 1 << net.n_in <= max_rows:
        return np.array(list(np.ndindex(*[2] * net.n_in)), dtype=np.uint8)
    row = st.lists(st.integers(0, 1), min_size=net.n_in, max_size=net.n_in)
    return np.array(draw(st.lists(row, min_size=1, max_size=max_rows)), dtype=np.uint8)
