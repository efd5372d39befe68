"""What an answer must meet, condition by condition.

Rule: ``page/conditions.js`` has the same kinds and says the same of every answer; tests hold both
against the same cases. Whether a network is right is said by the prover here, in exact arithmetic
and in the network's own format, and by exact enumeration there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from adderlab.explaining.backprop import backward
from adderlab.explaining.graph import Key, forward, parameters_of
from adderlab.explaining.results import mean
from adderlab.formats import format_named
from adderlab.nets import Network
from adderlab.proving.decide import decide
from adderlab.tasks import Task

if TYPE_CHECKING:
    from adderlab.exercises.catalog import Exercise
    from adderlab.proving.verdict import Verdict

State: TypeAlias = Literal["met", "unmet", "unknown", "open"]
"""``open`` is a number that is not there yet; ``unknown`` what the prover leaves open."""

Numbers: TypeAlias = Mapping[str, float]

_PARAMETER: Final = re.compile(r"(fc\d+\.(?:weight|bias))\[([\d,]+)\]")


@dataclass(frozen=True, slots=True)
class Mark:
    """Whether a condition is met.

    Attributes:
        kind: of the condition.
        state: of the condition.
        text: the condition in words.
        detail: what the answer has instead: the counterexample, a count; empty where it is met.
    """

    kind: str
    state: State
    text: str
    detail: str = ""

    def __str__(self) -> str:
        state = "not met" if self.state == "unmet" else self.state
        detail = f" ({self.detail})" if self.detail else ""
        return f"{state}: {self.text}{detail}"


@dataclass(frozen=True, slots=True)
class _Answered:
    """An answer with what conditions ask about it."""

    exercise: Exercise
    network: Network | None
    numbers: Numbers
    verdict: Verdict | None


def marks_of(
    exercise: Exercise,
    *,
    network: Network | None = None,
    numbers: Numbers | None = None,
    verdict: Verdict | None = None,
) -> tuple[Mark, ...]:
    """Return a mark for each condition of an exercise.

    Args:
        exercise: which conditions.
        network: the answer, where a network is asked for.
        numbers: the answer, where numbers are, by their fields.
        verdict: the prover's on the network and the exercise's task; the prover is asked unless
            given.

    Raises:
        TaskError: the network does not take and give the task's bits.
    """
    if network is not None:
        network.check_fits(exercise.task)
        if verdict is None:
            verdict = decide(network, exercise.task)
    answered = _Answered(exercise, network, numbers or {}, verdict)
    return tuple(_mark(condition, answered) for condition in exercise.conditions)


def _mark(condition: Mapping[str, Any], answered: _Answered) -> Mark:
    state, detail = KINDS[condition["kind"]](condition, answered)
    return Mark(condition["kind"], state, condition["text"], detail)


Judgment: TypeAlias = tuple[State, str]


def _judged(is_met: bool, detail: str) -> Judgment:
    return ("met", "") if is_met else ("unmet", detail)


def _right(condition: Mapping[str, Any], answered: _Answered) -> Judgment:
    del condition
    verdict = answered.verdict
    if verdict is None:
        return "open", ""
    if verdict.verdict == "unknown":
        return "unknown", verdict.reason
    return _judged(verdict.verdict == "proved", str(verdict.counterexample))


def _hidden(condition: Mapping[str, Any], answered: _Answered) -> Judgment:
    if answered.network is None:
        return "open", ""
    units = sum(layer.n_out for layer in answered.network.layers[:-1])
    return _judged(units <= condition["most"], f"it has {units}")


def _format(condition: Mapping[str, Any], answered: _Answered) -> Judgment:
    if answered.network is None:
        return "open", ""
    form = format_named(condition["format"])
    values = parameters_of(answered.network)
    beyond = sum(not form.holds(value) for value in values.values())
    return _judged(not beyond, f"{beyond} of {len(values)} are other numbers")


def _changed(condition: Mapping[str, Any], answered: _Answered) -> Judgment:
    start, network = answered.exercise.start, answered.network
    if network is None or start is None:
        return "open", ""
    if _shape(network) != _shape(start):
        return "unmet", "its layers are not those of the start"
    if network.readout != start.readout:
        return "unmet", "its readout is not that of the start"
    now, before = parameters_of(network), parameters_of(start)
    changed = sum(now[key] != value for key, value in before.items())
    return _judged(changed <= condition["most"], f"{changed} differ")


def _shape(network: Network) -> Any:
    """Return the layers without their numbers."""
    layers = [
        (layer.n_in, layer.n_out, layer.activation, layer.bias is None) for layer in network.layers
    ]
    return layers, network.is_chain


def _fails(condition: Mapping[str, Any], answered: _Answered) -> Judgment:
    seed = answered.numbers.get(condition["field"])
    if seed is None:
        return "open", ""
    is_right, _ = _run(answered.exercise, int(seed))
    return _judged(not is_right, f"the run of seed {int(seed)} ends right")


def _dead(condition: Mapping[str, Any], answered: _Answered) -> Judgment:
    unit = answered.numbers.get(condition["field"])
    seed = answered.numbers.get(condition["seed"])
    if unit is None or seed is None:
        return "open", ""
    _, dead = _run(answered.exercise, int(seed))
    detail = f"unit {int(unit)} is on for some row, with seed {int(seed)}"
    return _judged(int(unit) in dead, detail)


def _run(exercise: Exercise, seed: int) -> tuple[bool, tuple[int, ...]]:
    """Return whether the run of a seed ends right, and which units are dead at its end."""
    return _trained(exercise.task, seed, **exercise.run)


@lru_cache(maxsize=8)
def _trained(
    task: Task, seed: int, *, hidden: int, steps: int, lr: float
) -> tuple[bool, tuple[int, ...]]:
    from adderlab.training import Settings
    from adderlab.training.loop import train_network

    settings = Settings(hidden=hidden, seed=seed, steps=steps, lr=lr, data="table")
    run = train_network(task, settings)
    is_right = run.network is not None and decide(run.network, task).verdict == "proved"
    return is_right, run.dead_units


def _equals(condition: Mapping[str, Any], answered: _Answered) -> Judgment:
    number = answered.numbers.get(condition["field"])
    if number is None:
        return "open", ""
    start = answered.exercise.start
    assert start is not None
    distance = abs(Fraction(number) - FACTS[condition["fact"]](condition, start, answered))
    return _judged(distance <= Fraction(condition["within"]), "another number is right")


def _parameters(condition: Mapping[str, Any], network: Network, answered: _Answered) -> Fraction:
    del answered
    layer = network.layers[condition["layer"] - 1]
    biases = 0 if layer.bias is None else layer.n_out
    return Fraction(layer.n_in * layer.n_out + biases)


def _bytes(condition: Mapping[str, Any], network: Network, answered: _Answered) -> Fraction:
    bits = format_named(network.format).bits
    return _parameters(condition, network, answered) * bits / 8


def _step(condition: Mapping[str, Any], network: Network, answered: _Answered) -> Fraction:
    """Return a parameter after a step of SGD on all rows, exactly."""
    parts = _PARAMETER.fullmatch(condition["parameter"])
    assert parts is not None
    place: Key = (parts[1], tuple(map(int, parts[2].split(","))))
    task = answered.exercise.task
    parameters = parameters_of(network)
    (block,) = task.blocks()
    graphs = [
        forward(network, task, parameters, inputs.tolist(), expected.tolist(), "mse")
        for inputs, expected in zip(block.inputs, block.expected, strict=True)
    ]
    for graph in graphs:
        backward(graph.values)
    gradient = mean([graph.parameters[place].gradient for graph in graphs])
    assert gradient is not None
    return parameters[place] - Fraction(str(condition["lr"])) * Fraction(gradient)


FACTS: Final[Mapping[str, Callable[[Mapping[str, Any], Network, _Answered], Fraction]]] = {
    "parameters": _parameters,
    "bytes": _bytes,
    "step": _step,
}
"""Numbers that follow from the network that an exercise begins with."""

KINDS: Final[Mapping[str, Callable[[Mapping[str, Any], _Answered], Judgment]]] = {
    "right": _right,
    "hidden": _hidden,
    "format": _format,
    "changed": _changed,
    "fails": _fails,
    "dead": _dead,
    "equals": _equals,
}
"""Every kind of condition."""
