"""A network run on words and on rows of bits, against the independent evaluator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from exact import bit_of, raw_outputs
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEW, any_networks, refused, tasks

import adderlab
from adderlab.building import construct, lecture_network
from adderlab.errors import NetworkError, TaskError
from adderlab.nets import running
from adderlab.tasks import task_named

LECTURE = lecture_network(task_named("half-adder"))


@FEW
@given(st.data())
def test_words_and_rows_are_those_of_the_independent_evaluator(data):
    task = data.draw(tasks(max_in=4))
    net = data.draw(any_networks(task=st.just(task), tanh=False))
    index = data.draw(st.integers(0, task.rows - 1))
    words = task.row(index).inputs
    bits = next(task.blocks(task.rows)).inputs[index]
    raw = raw_outputs(net, bits.tolist())
    expected = [bit_of(net.readout, value) for value in raw]
    assert net.run(bits).tolist() == [-1 if bit is None else bit for bit in expected]
    assert net.run([bits.tolist()], raw=True).tolist() == [[float(value) for value in raw]]
    got = iter(expected)
    own = {word.name: [next(got) for _ in range(word.width)] for word in task.outputs}
    as_words = {
        name: None if None in bits else int("".join(map(str, bits)), 2)
        for name, bits in own.items()
    }
    assert net(*words.values()) == net(**words) == as_words


@pytest.mark.parametrize("width", [8, 64, 200])
def test_an_adder_of_any_width_adds(width):
    net = construct(task_named(f"adder:{width}"), "prefix")
    top = (1 << width) - 1
    for a, b in ((0, 0), (top, 1), (top, top), (top // 3, top // 7)):
        assert net(a, b) == {"c": a + b}
        assert net(np.int64(5), b=b) == {"c": 5 + b}


def test_without_a_task_inputs_are_bits_and_the_output_is_a_word():
    net = replace(LECTURE, task=None)
    assert net(1, 1) == net(x1=1, x2=1) == {"y": 3}
    sum_of_many = adderlab.network([[[1] * 9]], [[0]])
    assert sum_of_many(0b100000000) == {"y": 1}


def test_rows_keep_their_shape_and_are_computed_in_parts(monkeypatch):
    rows = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    whole = LECTURE.run(rows)
    assert (whole.dtype, whole.tolist()) == (np.int8, [[0, 0], [0, 1], [0, 1], [1, 1]])
    assert LECTURE.run(rows[3] == 1).tolist() == whole[3].tolist()
    assert LECTURE.run(rows[:0]).shape == LECTURE.run(rows[:0], raw=True).shape == (0, 2)
    monkeypatch.setattr(running, "LARGEST_BATCH", 4)
    assert len(list(running.batches(LECTURE, rows))) == 4
    assert LECTURE.run(rows.astype(float)).tolist() == whole.tolist()
    tanh = adderlab.network([[[1, 1]], [[1]]], [[0], [0]], activation=adderlab.Activation("tanh"))
    assert tanh.run([1, 1], raw=True).tolist() == pytest.approx([np.tanh(2)])


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: LECTURE(1), TaskError, ("input: half-adder takes a in 0..1, b in 0..1, got a=1; "
         "give a whole number for each word")),
        (lambda: LECTURE(1, 2), TaskError, ("input: half-adder takes a in 0..1, b in 0..1, got "
         "a=1, b=2; give a whole number for each word")),
        (lambda: LECTURE(1, 1, 1), TaskError, ("input: half-adder takes a:1, b:1, got 3 values; "
         "give a whole number for each word; arrays of bits go to net.run")),
        (lambda: LECTURE(1, a=1), TaskError, ("input: half-adder takes a:1, b:1, got a twice; "
         "give a whole number for each word; arrays of bits go to net.run")),
        (lambda: LECTURE.run([[1, 1, 1]]), NetworkError, ("rows: rows of shape [1, 3] for a "
         "network of 2 inputs; give shape [batch, 2], or [2] for a single row")),
        (lambda: LECTURE.run([0.5, 1]), NetworkError, ("rows: an entry is neither 0 nor 1; "
         "give bits, most significant first")),
        (lambda: LECTURE.run(["a", "b"]), NetworkError, ("rows: an entry is neither 0 nor 1; "
         "give bits, most significant first")),
    ],
)  # fmt: skip
def test_what_is_no_input_is_refused(call, kind, message):
    with refused(kind, message):
        _ = call()
