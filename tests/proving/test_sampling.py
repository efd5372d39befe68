"""Samples, where no engine decides: they refute, and never prove."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from strategies import refused

from adderlab.building import construct
from adderlab.errors import OptionError
from adderlab.limits import Budget
from adderlab.nets import Activation, Network, Readout, network
from adderlab.nets.tensors import Dense
from adderlab.proving.sampling import wrong_sample
from adderlab.tasks import Task, task_named
from adderlab.verbs.prove import prove


def soft_majority(width: int, bias: float) -> Network:
    """Return a majority through tanh, which no engine but enumeration decides."""
    return network(
        [[[0.25] * width], [[1.0]]],
        [[bias], [0.0]],
        activation=Activation("tanh"),
        task=task_named(f"majority:{width}"),
        readout=Readout("threshold", 0.0, ">"),
    )


def test_no_counterexample_is_unknown_with_the_number_of_samples() -> None:
    """Never proved, though the network is right."""
    verdict = prove(soft_majority(41, -0.25 * 20.5), sample=500)
    assert verdict.verdict == "unknown"
    assert verdict.reason.endswith("; no counterexample in 500 samples")
    assert verdict.counterexample is None
    assert not verdict


def test_a_wrong_sample_refutes_and_replays() -> None:
    """A majority that asks for one vote too many is met soon."""
    net = soft_majority(41, -0.25 * 21.5)
    verdict = prove(net, sample=2000)
    assert (verdict.verdict, verdict.method, verdict.reason) == ("refuted", "enumerated", "")
    assert verdict.counterexample is not None
    votes = verdict.counterexample.input["x"].bit_count()
    assert votes == 21
    assert (verdict.counterexample.expected, verdict.counterexample.got) == ({"m": 1}, {"m": 0})


def test_samples_are_left_alone_where_an_engine_decides() -> None:
    """A proof needs none, and a refutation has its row."""
    right = prove(construct(task_named("adder:40"), "prefix"), sample=10)
    assert (right.verdict, right.method) == ("proved", "diagram")
    wrong = prove(construct(task_named("half-adder"), "lecture"), sample=10)
    assert wrong.rows_right == 3


def test_a_negative_number_of_samples_is_refused() -> None:
    with refused(OptionError, "sample: got -1; give a number of inputs"):
        _ = prove(construct(task_named("half-adder"), "lecture"), sample=-1)


def test_the_same_rows_are_drawn_each_time() -> None:
    """So that a counterexample is found again."""
    net, task = soft_majority(41, -0.25 * 21.5), task_named("majority:41")
    first, again = (wrong_sample(net, task, 2000, Budget.of()) for _ in range(2))
    assert first == again
    assert first[0] is not None


@pytest.mark.parametrize("name", ["adder:3", "adder:100", "subtractor:70"])
def test_operands_of_any_width_are_spread_evenly(name: str) -> None:
    """Each input bit is 1 in half of the rows, to five standard deviations."""
    seen: list[np.ndarray] = []
    task = task_named(name)

    class Spy(Task):
        """A task that keeps what it is asked about."""

        __slots__ = ()

        def block_of(self, words: dict, *, start: int = 0) -> object:  # type: ignore[override]
            block = Task.block_of(self, words, start=start)
            seen.append(block.inputs)
            return block

    spy = Spy(task.name, task.inputs, task.outputs, task.rule)
    method = "prefix" if task.name.startswith("adder") else None
    net = (
        construct(task, method)
        if method
        else network([np.zeros((task.n_out, task.n_in))], [np.zeros(task.n_out)])
    )
    _ = wrong_sample(net, spy, 4000, Budget.of())
    rows = np.concatenate(seen)
    off = np.abs(rows.mean(axis=0) - 0.5)
    assert (off < 5 * 0.5 / np.sqrt(len(rows))).all()


def test_a_planted_fault_that_one_row_in_sixteen_shows_is_met() -> None:
    """In a wide sparse adder whose lowest unit is spoilt; the row replays exactly."""
    task = task_named("adder:80")
    net = construct(task, "one-layer")
    last = net.layers[-1]
    bias = Dense(np.zeros(last.n_out)) if last.bias is None else last.bias
    spoilt = np.array(bias.exact().to_floats())
    spoilt[-1] += 1
    broken = replace(net, layers=(*net.layers[:-1], replace(last, bias=Dense(spoilt))))
    index, tried = wrong_sample(broken, task, 100, Budget.of())
    assert index is not None
    assert tried <= 10
