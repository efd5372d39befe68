"""Truth tables: what is read from CSV and from inside a network file, and what is refused."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEW, check_refusal, refused, table_texts, tables

from adderlab.errors import TaskError
from adderlab.tasks import Task, read_table, table_from_record, task_named
from adderlab.tasks.tables import LARGEST_FILE_BYTES, parse_table

HALF = "in a:1,in b:1,out c:2\n0,0,0\n0,1,1\n1,0,1\n1,1,2\n"
DIGIT = "in a:2,in d:3<5,out s:3,out z:1\n" + "".join(
    f"{a},{d},{(a + d) % 8},{'*' if a == 0 else int(d == 0)}\n" for a in range(4) for d in range(5)
)


def table(text: str) -> Task:
    return parse_table(text, where="t.csv")


def rows(task: Task) -> list[tuple[dict[str, int], dict[str, int | None]]]:
    return [(task.row(i).inputs, task.row(i).outputs) for i in range(task.rows)]


# --- what is read -------------------------------------------------------------------------------


def test_a_file_is_read_as_the_task_it_spells_out(tmp_path: Path) -> None:
    path = tmp_path / "half.csv"
    _ = path.write_text(HALF)
    for task in (read_table(path), task_named(f"table:{path}")):
        half = task_named("half-adder")
        assert (task.name, task.title) == (f"table:{path}", "4 rows of a truth table")
        assert (task.inputs, task.outputs) == (half.inputs, half.outputs)
        assert rows(task) == rows(half)
        assert task.any_value is None
        assert [b.expected.tolist() for b in task.blocks()] == [
            b.expected.tolist() for b in half.blocks()
        ]


def test_a_path_may_hold_colons_and_is_all_that_follows_the_first(tmp_path: Path) -> None:
    path = tmp_path / "a:b.csv"
    _ = path.write_text(HALF)
    assert task_named(f"table:{path}").rows == 4


@pytest.mark.parametrize("text", [
    "\ufeff" + HALF,
    HALF.replace("\n", "\r\n"),
    HALF.rstrip("\n"),
    HALF.replace("\n", "\n\n ,, \n"),
    HALF.replace(",", " ,\t"),
    HALF.replace("in a:1", '"in   a:1"'),
    HALF.replace("1,1,2", "0b1,0x1,0b10"),
    HALF.replace("1,1,2", "0B001,0X1,002"),
    "in a:1,in b:1,out c:2\n1,1,2\n0,1,1\n1,0,1\n0,0,0\n",
    "out c:2,in a:1,in b:1\n0,0,0\n1,0,1\n1,1,0\n2,1,1\n",
    "in a:1,out c:2,in b:1\n0,0,0\n0,1,1\n1,1,0\n1,2,1\n",
])  # fmt: skip
def test_byte_marks_line_ends_blanks_notations_and_the_order_of_columns_do_not_matter(
    text: str, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    _ = path.write_bytes(text.encode())
    task = read_table(path)
    assert task.record == table(HALF).record
    assert rows(task) == rows(table(HALF))


def test_a_bounded_word_has_its_values_alone_and_a_star_allows_any() -> None:
    task = table(DIGIT)
    assert [str(word) for word in (*task.inputs, *task.outputs)] == ["a:2", "d:3<5", "s:3", "z:1"]
    assert (task.rows, task.n_in, task.n_out) == (20, 5, 4)
    expected = [
        ({"a": a, "d": d}, {"s": (a + d) % 8, "z": None if a == 0 else int(d == 0)})
        for a in range(4)
        for d in range(5)
    ]
    assert rows(task) == expected
    assert all(task.index_of(inputs) == index for index, (inputs, _) in enumerate(expected))


def test_a_star_is_0_in_a_block_and_does_not_matter() -> None:
    (block,) = table(DIGIT).blocks()
    assert block.cares is not None
    for index, row in enumerate(block.cares.tolist()):
        assert row == [True, True, True, index >= 5]
    assert block.expected[:5, 3].tolist() == [0] * 5
    flipped = block.expected.copy()
    flipped[:, 3] ^= 1
    assert block.is_right(flipped).all(axis=1).tolist() == [True] * 5 + [False] * 15


def test_a_table_of_any_values_alone_is_a_table() -> None:
    task = table("in a:1,out c:1\n0,*\n1,*\n")
    assert rows(task) == [({"a": 0}, {"c": None}), ({"a": 1}, {"c": None})]


def test_words_of_one_value_are_words() -> None:
    assert rows(table("in a:3<1,out c:1\n0,1\n")) == [({"a": 0}, {"c": 1})]


@pytest.mark.parametrize("width", [61, 62, 63, 64, 70, 300])
def test_outputs_of_more_bits_than_a_machine_word_are_exact(width: int) -> None:
    top, other = 2**width - 1, 2**width // 3
    lines = [f"0,0,{top},1", "0,1,*,0", f"1,0,{other},*", "1,1,0,1"]
    task = table("\n".join([f"in a:1,in b:1,out c:{width},out d:1", *lines]))
    assert [row["c"] for _, row in rows(task)] == [top, None, other, 0]
    assert [row["d"] for _, row in rows(task)] == [1, 0, None, 1]
    (block,) = task.blocks()
    assert "".join(map(str, block.expected[2, :width])) == format(other, f"0{width}b")
    back = table_from_record(task.record["table"], where="net")
    assert rows(back) == rows(task)


@FEW
@given(text=table_texts())
def test_a_drawn_table_has_exactly_its_lines(text: str) -> None:
    task = table(text)
    lines = text.splitlines()[1:]
    assert task.rows == len(lines)
    for line in lines:
        cells = [None if cell == "*" else int(cell, 0) for cell in line.split(",")]
        inputs = {word.name: cells[at] for at, word in enumerate(task.inputs)}
        outputs = {word.name: cells[at] for at, word in enumerate(task.outputs, len(task.inputs))}
        row = task.row(task.index_of(inputs))  # type: ignore[arg-type]
        assert (row.inputs, row.outputs) == (inputs, outputs)


# --- faulty rows --------------------------------------------------------------------------------


def test_all_faulty_rows_are_named_at_once() -> None:
    text = (
        "in a:2,in d:4<3,out c:3\n"  # line 1
        "0,0,0\n"
        "0,1\n"
        "0,2,8\n"
        "1,0,q\n"
        "\n"
        "1,3,1\n"
        "1,2,1,\n"
        "0,0,0\n"
        "-1,0,0\n"
        "*,0,0\n"
        "2,16,9\n"
        "0,0,7\n"
    )
    with refused(
        TaskError,
        "t.csv: 3 values are needed (lines 3, 8); c is outside 0..7 (lines 4, 12); "
        "c is not a whole number (line 5); d is outside 0..2 (lines 7, 12); "
        "the input is in an earlier line too (lines 9, 13); "
        "a is not a whole number (lines 10-11); correct these lines",
    ):
        _ = table(text)


def test_missing_inputs_are_counted_and_the_first_five_named() -> None:
    with refused(
        TaskError,
        "t.csv: 7 of 8 inputs are missing: 0,1 1,0 1,1 2,0 2,1 and 2 more; correct these lines",
    ):
        _ = table("in a:2,in b:1,out c:1\n0,0,1\n")
    with refused(TaskError, "t.csv: 1 of 4 inputs are missing: 1,0; correct these lines"):
        _ = table(HALF.replace("1,0,1\n", ""))


def test_a_repeated_row_is_named_even_where_it_says_the_same() -> None:
    with refused(
        TaskError, "t.csv: the input is in an earlier line too (line 6); correct these lines"
    ):
        _ = table(HALF + "1,1,2\n")


def test_a_wide_output_out_of_range_is_refused_without_writing_its_limit_out() -> None:
    text = "in a:1,out c:20000\n0,0\n1,0x" + "f" * 5001 + "\n"
    with refused(TaskError, "t.csv: c is outside 0..2^20000-1 (line 3); correct these lines"):
        _ = table(text)


def test_a_number_written_with_spaces_or_signs_is_not_whole() -> None:
    for cell in ("1 0", "+1", "1.5", "", "0b", "1e0", "true", "-1", "\u0661"):
        with refused(TaskError, "t.csv: c is not a whole number (line 3); correct these lines"):
            _ = table(f"in a:1,out c:2\n0,1\n1,{cell}\n")


# --- faulty headers -----------------------------------------------------------------------------

FORM = "is not of the form 'in a:2', 'in d:4<10' or 'out c:3'"


@pytest.mark.parametrize(("header", "fault"), [
    ("in a:1,", f"'' {FORM}"),
    ("in a:1,c:2:1", f"'c:2:1' {FORM}"),
    ("in a:1,out 1", f"'out 1' {FORM}"),
    ("in a:1,out c:-1", f"'out c:-1' {FORM}"),
    ("in a:1,out c:12345678", f"'out c:12345678' {FORM}"),
    ("in a:1,out c:\u0662", f"'out c:\u0662' {FORM}"),
    ("in a:4<1e3,out c:1", f"'in a:4<1e3' {FORM}"),
    ("in a-b:1,out 2c:2",
     ("'a-b' is not a name of letters, digits and _, "
      "and '2c' is not a name of letters, digits and _")),
    ("in \u00fc:1,out c:2", "'\u00fc' is not a name of letters, digits and _"),
    ("in a:0,out c:2", "a must be at least 1 bit wide"),
    ("in a:2<5,out c:2", "a can't reach 5 in 2 bits"),
    ("in a:2<0,out c:2", "'in a:2<0': a bound is at least 1, and of an input"),
    ("in a:2,out c:2<3", "'out c:2<3': a bound is at least 1, and of an input"),
    ("in a:1,in a:1,out a:2,out c:1,in c:1", "a is named twice, and c is named twice"),
    ("in a:1,in b:1", "at least one 'in' and one 'out' word are needed"),
    ("out c:1", "at least one 'in' and one 'out' word are needed"),
    ("in a:12,in b:13,out c:1", "a domain of 25 input bits is beyond 16777216 rows"),
    ("in a:61<2,out c:1", "a domain of 61 input bits is beyond 16777216 rows"),
    ("in a:9999999,out c:1", "a domain of 9999999 input bits is beyond 16777216 rows"),
    ("in a:1,out c:40000,out d:30000", "70000 output bits are beyond 65536"),
    ("in a:0,in a:0,out 1",
     (f"'out 1' {FORM}, and a must be at least 1 bit wide, "
      "and a must be at least 1 bit wide, and a is named twice")),
])  # fmt: skip
def test_all_faults_of_a_header_are_named_at_once(header: str, fault: str) -> None:
    with refused(TaskError, f"t.csv line 1: {fault}; correct the header"):
        _ = table(header + "\n0,0\n1,1\n")


def test_the_header_is_named_by_its_line() -> None:
    with refused(TaskError, f"t.csv line 3: 'a:b' {FORM}; correct the header"):
        _ = table("\n\na:b\n")


@pytest.mark.parametrize("text", ["", "\n", "\r\n\r\n", " , ,\n", "\ufeff"])
def test_a_file_without_a_header_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    _ = path.write_text(text, encoding="utf-8", newline="")
    with refused(TaskError, f"{path}: the file is empty; begin with in a:1,in b:1,out c:2"):
        _ = read_table(path)


def test_what_is_not_csv_is_refused() -> None:
    for text in ('in a:1,"out c:1\n0,1\n', "in a:1,out c:1\r0,1\r", 'in a:1,out "c":1\n"0"1,1\n'):
        with pytest.raises(TaskError) as caught:
            _ = table(text)
        check_refusal(caught.value)
        assert caught.value.what.startswith("not CSV (")


def test_a_cell_that_spans_lines_is_refused_on_one_line() -> None:
    with refused(TaskError, f"t.csv line 2: 'in\\na:1 x' {FORM}; correct the header"):
        _ = table('"in\na:1 x",out c:1\n')


# --- faulty files -------------------------------------------------------------------------------


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "no.csv"
    with refused(TaskError, f"{path}: no such file; check the path"):
        _ = read_table(path)
    with refused(TaskError, f"{tmp_path}: a folder, not a file; give a CSV file"):
        _ = read_table(tmp_path)


def test_table_without_a_file_is_refused() -> None:
    for text in ("table", "table:"):
        with refused(TaskError, "table:: a folder, not a file; give a CSV file"):
            _ = task_named(text)


def test_a_zero_byte_in_the_path_is_refused() -> None:
    message = "a\\x00b: can't be read (embedded null byte); check the path and its permissions"
    with refused(TaskError, message):
        _ = task_named("table:a\0b")


def test_a_pipe_or_device_is_refused_without_waiting_for_its_writer(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        with refused(TaskError, f"{path}: not a regular file; give a CSV file"):
            _ = read_table(path)


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        _ = file.truncate(LARGEST_FILE_BYTES + 1)
    message = (
        f"{path}: 67108865 bytes are over the limit of 67108864; split the task into smaller tables"
    )
    tracemalloc.start()
    try:
        with refused(TaskError, message):
            _ = read_table(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("raw", "place"), [
    (b"in a:1,out c:1\n0,\xe9\n", 17),
    (HALF.encode("utf-16"), 0),
    (HALF.encode("utf-8") + b"\x80", len(HALF)),
])  # fmt: skip
def test_text_that_is_not_utf8_is_refused(raw: bytes, place: int, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    _ = path.write_bytes(raw)
    with refused(TaskError, f"{path}: byte {place} is not UTF-8 text; save it as UTF-8"):
        _ = read_table(path)


def test_a_few_lines_do_not_take_the_memory_of_a_whole_domain() -> None:
    """The header alone would ask for 20 columns of 16,777,216 numbers, 2.7 GB."""
    header = "in a:24," + ",".join(f"out c{i}:60" for i in range(20))
    tracemalloc.start()
    try:
        with pytest.raises(TaskError, match="16777215 of 16777216 inputs are missing: 1 2 3 4 5 "):
            _ = table(header + "\n0" + ",0" * 20 + "\n")
        assert tracemalloc.get_traced_memory()[1] < 1 << 28
    finally:
        tracemalloc.stop()


# --- inside a network file ----------------------------------------------------------------------


@FEW
@given(task=tables())
def test_the_inline_record_gives_the_table_again(task: Task) -> None:
    record = json.loads(json.dumps(task.record))
    back = table_from_record(record["table"], where="net.safetensors")
    assert (back.inputs, back.outputs, back.record) == (task.inputs, task.outputs, task.record)
    assert back.any_value == task.any_value
    assert rows(back) == rows(task)
    assert back.name == f"table:sha256-{task.record['table']['sha256'][:12]}"


def test_the_record_is_the_words_two_planes_of_each_output_and_their_hash() -> None:
    record = table(DIGIT).record["table"]
    s = "".join(format((a + d) % 8, "03b") for a in range(4) for d in range(5))
    z = "".join("0" if a == 0 else str(int(d == 0)) for a in range(4) for d in range(5))
    planes = [s, "1" * 20, z, "0" * 5 + "1" * 15]
    raw = b"".join(np.packbits([int(bit) for bit in plane]).tobytes() for plane in planes)
    words = '{"in":[["a",2,null],["d",3,5]],"out":[["s",3],["z",1]]}'
    assert record == {
        "in": [["a", 2, None], ["d", 3, 5]],
        "out": [["s", 3], ["z", 1]],
        "rows": base64.b64encode(raw).decode(),
        "sha256": hashlib.sha256(words.encode() + raw).hexdigest(),
    }


DAMAGED = "net: the inline truth table is damaged; build the network again"


def test_every_flipped_bit_of_the_rows_is_noticed() -> None:
    record = table(DIGIT).record["table"]
    raw = base64.b64decode(record["rows"])
    for place in range(8 * len(raw)):
        flipped = bytearray(raw)
        flipped[place // 8] ^= 1 << place % 8
        with refused(TaskError, DAMAGED):
            _ = table_from_record(
                record | {"rows": base64.b64encode(flipped).decode()}, where="net"
            )


def changed(**values: Any) -> dict[str, Any]:
    return copy.deepcopy(table(DIGIT).record["table"]) | values


ROWS = table(DIGIT).record["table"]["rows"]


@pytest.mark.parametrize("record", [
    None, [], "table", 5, {}, {"table": {}},
    changed(extra=1),
    {key: value for key, value in changed().items() if key != "sha256"},
    changed(sha256="0" * 64), changed(sha256=None), changed(sha256=changed()["sha256"].upper()),
    changed(rows=""), changed(rows=None), changed(rows=[1]), changed(rows="\u00fc"),
    changed(rows=ROWS + "\n"), changed(rows=ROWS[:-4]), changed(rows=ROWS + "AAAA"),
    changed(rows="!" + ROWS[1:]),
    {"in": 5} | {k: v for k, v in changed().items() if k != "in"},
    changed(out=None), changed(out=[["s"]]), changed(out=[5]), changed(out=[["s", 3, 4]]),
    changed(**{"in": [["a", 2]]}), changed(**{"in": {"a": 2}}),
    changed(**{"in": [["b", 2, None], ["d", 3, 5]]}),
    changed(**{"in": [["a", 2, None], ["d", 3, 4]]}),
    changed(**{"in": [["a", 2, None], ["d", 3, 6]]}),
    changed(**{"in": [["a", 3, None], ["d", 3, 5]]}),
    changed(out=[["z", 1], ["s", 3]]),
    changed(**{"in": [["a", 24, None]]}),
    changed(out=[["s", 65536]]),
    changed(**{"in": [["d", 3, 5], ["a", 2, None]]}),
])  # fmt: skip
def test_a_damaged_record_is_refused(record: Any) -> None:
    with refused(TaskError, DAMAGED):
        _ = table_from_record(record, where="net")


@pytest.mark.parametrize(("words", "fault"), [
    ([["a", "2\n", None]], f"'in a:2\\n' {FORM}"),
    ([["a", True, None]], f"'in a:True' {FORM}"),
    ([["a", 2.0, None]], f"'in a:2.0' {FORM}"),
    ([["a", 2, -1]], f"'in a:2<-1' {FORM}"),
    ([["a", 2, 5]], "a can't reach 5 in 2 bits"),
    ([["a,in b", 2, None]], f"'in a,in b:2' {FORM}"),
    ([["../a", 2, None]], "'../a' is not a name of letters, digits and _"),
    ([["a", 61, None]], "a domain of 61 input bits is beyond 16777216 rows"),
    ([], "at least one 'in' and one 'out' word are needed"),
])  # fmt: skip
def test_words_that_no_header_could_name_are_refused(words: Any, fault: str) -> None:
    with refused(TaskError, f"net: {fault}; correct the header"):
        _ = table_from_record(changed(**{"in": words}), where="net")


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 70) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@FEW
@given(data=st.data())
def test_any_json_in_place_of_a_key_is_refused_or_is_what_stood_there(data: st.DataObject) -> None:
    record = changed()
    key = data.draw(st.sampled_from(sorted(record)))
    value = data.draw(JSON)
    try:
        task = table_from_record(record | {key: value}, where="net")
    except TaskError as error:
        check_refusal(error)
    else:
        assert task.record["table"] == changed()


@pytest.mark.parametrize(
    ("text", "line"),
    [("a,b,c1,c0\n0,0,0,0\n0,1,0,1\n1,0,0,1\n1\n", 5), ("p,q,r\n0,0,0\n0,1\n1,0,0\n1,1,1\n", 3)],
)
def test_a_short_line_is_named_where_the_inputs_are_to_be_told(text, line):
    with pytest.raises(TaskError, match=rf"values are needed \(line {line}\)"):
        _ = parse_table(text, where="t.csv")
