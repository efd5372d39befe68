"""The named tasks against plain definitions that share nothing with the catalog's."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEW, TASKS, named_tasks, refused

from adderlab.errors import TaskError
from adderlab.tasks import CATALOG, Task, Word, task_named
from adderlab.tasks.task import decimal_number, whole_number

Definition = Callable[..., dict[str, int]]


def ones(number: int) -> int:
    return format(number, "b").count("1")


def subtract(n: int, a: int, b: int) -> dict[str, int]:
    return {"borrow": 1 if b > a else 0, "d": (a + 2**n - b) % 2**n}


def compare(_: int, a: int, b: int) -> dict[str, int]:
    order = "lt" if a < b else "gt" if a > b else "eq"
    return {name: int(name == order) for name in ("lt", "eq", "gt")}


DEFINITIONS: dict[str, Definition] = {
    "half-adder": lambda _, a, b: {"c": sum([a, b])},
    "full-adder": lambda _, a, b, cin: {"c": sum([a, b, cin])},
    "adder": lambda _, a, b: {"c": sum([a, b])},
    "subtractor": subtract,
    "comparator": compare,
    "multiplier": lambda _, a, b: {"p": sum(a << i for i in range(b.bit_length()) if b >> i & 1)},
    "parity": lambda _, x: {"p": int(ones(x) in range(1, 400, 2))},
    "majority": lambda n, x: {"m": int(ones(x) > n - ones(x))},
    "popcount": lambda _, x: {"n": ones(x)},
}
"""By name: from the width and the input words to the output words."""

LAYOUTS = {
    "half-adder": ("a:1 b:1", "c:2"),
    "full-adder": ("a:1 b:1 cin:1", "c:2"),
    "adder:3": ("a:3 b:3", "c:4"),
    "subtractor:3": ("a:3 b:3", "borrow:1 d:3"),
    "comparator:3": ("a:3 b:3", "lt:1 eq:1 gt:1"),
    "multiplier:3": ("a:3 b:3", "p:6"),
    "parity:3": ("x:3", "p:1"),
    "majority:3": ("x:3", "m:1"),
    "popcount:3": ("x:3", "n:2"),
    "popcount:4": ("x:4", "n:3"),
    "popcount:1": ("x:1", "n:1"),
}

SMALL = [
    (name, width)
    for name, entry in CATALOG.items()
    for width in ([1] if entry.fixed is not None else (1, 2, 3, 4))
]
WIDE = [name for name, entry in CATALOG.items() if entry.fixed is None]
WIDTHS = (20, 31, 32, 61, 62, 63, 64, 70, 300)


def named(name: str, width: int) -> Task:
    return task_named(name if CATALOG[name].fixed is not None else f"{name}:{width}")


def text_of(numbers: dict[str, int], words: tuple[Word, ...]) -> str:
    """The words' bits in order, most significant first."""
    return "".join(format(numbers[word.name], f"0{word.width}b") for word in words)


# --- the rules ----------------------------------------------------------------------------------


def test_every_task_has_an_independent_definition_here() -> None:
    assert set(DEFINITIONS) == set(CATALOG)


@pytest.mark.parametrize(("name", "width"), SMALL)
def test_every_row_is_as_defined(name: str, width: int) -> None:
    task = named(name, width)
    domain = list(product(*(range(2**word.width) for word in task.inputs)))
    assert task.rows == len(domain)
    for index, values in enumerate(domain):
        inputs = dict(zip((word.name for word in task.inputs), values, strict=True))
        expected = DEFINITIONS[name](width, *values)
        row = task.row(index)
        assert (row.inputs, row.outputs) == (inputs, expected)
        assert all(type(value) is int for value in row.outputs.values())
        assert task.expected(inputs) == expected
        assert task.index_of(inputs) == index


@pytest.mark.parametrize(("name", "width"), SMALL)
@pytest.mark.parametrize("size", [3, 1 << 14])
def test_blocks_are_the_rows_as_bits(name: str, width: int, size: int) -> None:
    task = named(name, width)
    blocks = list(task.blocks(size))
    assert [block.start for block in blocks] == list(range(0, task.rows, size))
    assert all(block.cares is None for block in blocks)
    inputs = np.concatenate([block.inputs for block in blocks])
    expected = np.concatenate([block.expected for block in blocks])
    for index in range(task.rows):
        row = task.row(index)
        assert "".join(map(str, inputs[index])) == text_of(row.inputs, task.inputs)
        assert "".join(map(str, expected[index])) == text_of(row.outputs, task.outputs)
        assert task.words_of(expected[index]) == row.outputs


@pytest.mark.parametrize("name", WIDE)
@FEW
@given(data=st.data(), width=st.sampled_from(WIDTHS))
def test_wide_words_are_as_defined_one_by_one_and_in_arrays(
    name: str, data: st.DataObject, width: int
) -> None:
    task = task_named(f"{name}:{width}")
    top = 2**width - 1
    value = st.integers(0, top) | st.sampled_from([0, 1, top, top - 1, top // 2])
    rows = data.draw(st.lists(st.tuples(*[value] * len(task.inputs)), min_size=1, max_size=4))
    rows.append((top,) * len(task.inputs))
    expected = [DEFINITIONS[name](width, *row) for row in rows]
    for row, outputs in zip(rows, expected, strict=True):
        inputs = dict(zip((word.name for word in task.inputs), row, strict=True))
        assert task.expected(inputs) == outputs
        assert task.row(task.index_of(inputs)).inputs == inputs
    dtype = np.int64 if width <= 62 else object
    columns = {
        word.name: np.array([row[place] for row in rows], dtype=dtype)
        for place, word in enumerate(task.inputs)
    }
    arrays = task.expected(columns)
    for word in task.outputs:
        assert [int(value) for value in arrays[word.name]] == [row[word.name] for row in expected]
    block = task.block_of(columns, start=5)
    assert block.start == 5
    assert ["".join(map(str, bits)) for bits in block.expected] == [
        text_of(outputs, task.outputs) for outputs in expected
    ]
    assert ["".join(map(str, bits)) for bits in block.inputs] == [
        "".join(format(value, f"0{width}b") for value in row) for row in rows
    ]


@FEW
@given(data=st.data(), task=st.sampled_from(["adder:70", "adder:31", "adder:20", "parity:62"]))
def test_rows_of_any_number_are_found(data: st.DataObject, task: str) -> None:
    result = task_named(task)
    indices = data.draw(st.lists(st.integers(0, result.rows - 1), min_size=1, max_size=4))
    words = result.input_words(indices)
    for place, index in enumerate(indices):
        inputs = {name: int(values[place]) for name, values in words.items()}
        assert result.row(index).inputs == inputs
        assert result.index_of(inputs) == index


def test_the_first_block_of_a_task_too_large_to_list_comes_at_once() -> None:
    block = next(task_named("adder:70").blocks(3))
    assert block.inputs.tolist() == [[0] * 140, [0] * 139 + [1], [0] * 138 + [1, 0]]
    assert block.expected[:, -2:].tolist() == [[0, 0], [0, 1], [1, 0]]


# --- names and layouts --------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "words"), LAYOUTS.items())
def test_the_words_of_a_task_stand_in_their_order(name: str, words: tuple[str, str]) -> None:
    task = task_named(name)
    layout = tuple(" ".join(map(str, side)) for side in (task.inputs, task.outputs))
    assert (task.name, task.record, layout) == (name, name, words)
    assert task.title
    assert task.any_value is None
    assert (task.n_in, task.n_out) == (len(task.input_bits), len(task.output_bits))


def test_bits_are_named_after_their_words() -> None:
    task = task_named("subtractor:2")
    assert task.input_bits == ("a1", "a0", "b1", "b0")
    assert task.output_bits == ("borrow", "d1", "d0")


def test_the_half_adder_is_the_adder_of_one_bit() -> None:
    half, entry = task_named("half-adder"), task_named("adder:1")
    assert (half.inputs, half.outputs) == (entry.inputs, entry.outputs)
    assert [half.row(i) for i in range(4)] == [entry.row(i) for i in range(4)]


@FEW
@given(task=named_tasks())
def test_a_tasks_record_names_it_again(task: Task) -> None:
    assert task_named(task.record) == task


def test_usage_says_where_a_width_belongs() -> None:
    usages = [entry.usage for entry in CATALOG.values()]
    assert usages[:4] == ["half-adder", "full-adder", "adder:N", "subtractor:N"]


def test_a_width_may_have_leading_zeros() -> None:
    assert task_named("adder:007").name == "adder:7"


def test_the_widest_task_is_made_at_once() -> None:
    task = task_named(f"adder:{1 << 20}")
    assert (task.n_in, task.n_out) == (2 << 20, (1 << 20) + 1)


def test_a_block_knows_which_of_the_given_bits_are_right() -> None:
    block = next(task_named("half-adder").blocks())
    got = np.array([[0, 0], [1, 1], [0, 1], [1, 1]], dtype=np.uint8)
    right = [[True, True], [False, True], [True, True], [True, False]]
    assert block.is_right(got).tolist() == right


# --- refusals -----------------------------------------------------------------------------------

BEYOND = "adder:{0}: the width is beyond the limit of 1048576 bits, got {0}; take a smaller width"
NEEDS = "task: {0} needs its width in bits, a whole number, got {1!r}; write for example {0}:4"


@pytest.mark.parametrize(("text", "message"), [
    ("half-addr", "task: unknown task 'half-addr'; did you mean half-adder?"),
    ("ader:3", "task: unknown task 'ader:3'; did you mean adder:N?"),
    ("Adder:3", "task: unknown task 'Adder:3'; did you mean adder:N?"),
    ("xyz", "task: unknown task 'xyz'; " + TASKS),
    ("", "task: unknown task ''; " + TASKS),
    (":4", "task: unknown task ':4'; " + TASKS),
    ("a\nb", "task: unknown task 'a\\nb'; " + TASKS),
    ("half-adder:2", "task: half-adder takes no width, got 'half-adder:2'; write half-adder"),
    ("half-adder:", "task: half-adder takes no width, got 'half-adder:'; write half-adder"),
    ("full-adder:1", "task: full-adder takes no width, got 'full-adder:1'; write full-adder"),
    *((text, NEEDS.format(text.partition(":")[0], text)) for text in (
        "adder", "adder:", "adder:two", "adder:1.5", "adder: 3", "adder:3 ", "adder:+3",
        "adder:1e3", "adder:\u0663", "adder:3\n", "adder:--1", "adder:3:4", "parity:all",
        f"parity:{'9' * 31}",
    )),
    ("adder:0", "adder:0: the width must be at least 1, got 0; write adder:1"),
    ("popcount:-1", "popcount:-1: the width must be at least 1, got -1; write popcount:1"),
    ("adder:1048577",
     BEYOND.format("1048577")),
    (f"adder:{'9' * 30}",
     BEYOND.format("9" * 30)),
])  # fmt: skip
def test_what_names_no_task_is_refused(text: str, message: str) -> None:
    with refused(TaskError, message):
        _ = task_named(text)


# --- input given as text ------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["5,6", " 5 , 6 ", "0b101,0x6", "0B0101,0X06", "005,6"])
def test_numbers_are_read_in_every_notation(text: str) -> None:
    assert task_named("adder:3").parse_input(text) == {"a": 5, "b": 6}


@pytest.mark.parametrize(("text", "message"), [
    ("1", "input 1: adder:3 takes 2 numbers, got 1; give the values of a:3, b:3"),
    ("1,2,3", "input 1,2,3: adder:3 takes 2 numbers, got 3; give the values of a:3, b:3"),
    ("", "input : adder:3 takes 2 numbers, got 1; give the values of a:3, b:3"),
    *((f"{bad},2",
       f"input {bad},2: a must be a whole number, got {bad!r}; write it in decimal, 0b… or 0x…")
      for bad in ("", "-1", "+1", "1.0", "two", "0b", "0b2", "0x", "1_0", "\u0663", "0o7")),
    ("1,8", "input 1,8: b = 8 is outside 0..7; b:3 takes the values 0..7"),
])  # fmt: skip
def test_input_that_is_not_the_words_is_refused(text: str, message: str) -> None:
    with refused(TaskError, message):
        _ = task_named("adder:3").parse_input(text)


def test_a_number_beyond_a_word_of_thousands_of_digits_is_refused_on_one_line() -> None:
    """Writing out the largest value would raise: Python prints at most 4,300 digits."""
    text = "0,0x1" + "0" * 5000
    zeros = "0" * 24
    message = (
        f"input 0,0x1{'0' * 19}…{zeros}: b = 0x1{'0' * 21}…{zeros} is outside 0..2^20000-1; "
        "b:20000 takes the values 0..2^20000-1"
    )
    with refused(TaskError, message):
        _ = task_named("adder:20000").parse_input(text)


@pytest.mark.parametrize("digits", [1, 4000, 4001, 4300, 9999])
def test_decimals_of_any_length_are_read(digits: int) -> None:
    number = 7 * (10**digits - 1) // 9
    assert decimal_number("7" * digits) == number
    assert whole_number("7" * digits) == number
    assert task_named("adder:40000").parse_input("1," + "7" * digits) == {"a": 1, "b": number}
