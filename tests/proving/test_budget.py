"""Limits on time and memory: they hold, and the verdict is unknown with the reason."""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from strategies import refused

from adderlab import limits
from adderlab.building import construct
from adderlab.errors import LimitError, OptionError, TaskError
from adderlab.limits import Budget, CapReached
from adderlab.nets import Activation, Layer, Network, Readout, network, save
from adderlab.nets.evaluation import trace
from adderlab.nets.state_dict import from_lists
from adderlab.nets.tensors import Dense, Packed, Scaled, Sparse, Wide
from adderlab.proving import solver
from adderlab.proving.enumeration import block_rows
from adderlab.proving.equivalence import compare
from adderlab.reading import parse_json
from adderlab.tasks import table, task_named
from adderlab.tasks.tables import parse_table
from adderlab.verbs.prove import prove

HALF_ADDER = task_named("half-adder")


def noisy_majority(width: int) -> Network:
    """Return a majority of nearly equal votes: right, but its sums all differ."""
    rng = np.random.default_rng(5)
    votes = 1 + rng.uniform(-1, 1, (1, width)) / (4 * width)
    return network(
        [votes], [[-width / 2]], task=task_named(f"majority:{width}"),
        readout=Readout("threshold", 0.0), format="fp64",
    )  # fmt: skip


@pytest.mark.parametrize("seconds", [0, -1, math.nan])
def test_a_timeout_must_be_above_zero(seconds: float) -> None:
    with refused(OptionError, f"timeout_s: got {seconds:g}; give seconds above 0"):
        _ = prove(construct(task_named("half-adder"), "lecture"), timeout_s=seconds)


@pytest.mark.parametrize("size", [0, -5])
def test_a_memory_limit_must_be_above_zero(size: int) -> None:
    with refused(OptionError, f"max_memory_bytes: got {size}; give a size like 2GB"):
        _ = prove(construct(task_named("half-adder"), "lecture"), max_memory_bytes=size)


def test_a_budget_runs_from_the_moment_it_is_made() -> None:
    """And a share of it never outlives it."""
    budget = Budget.of(3600)
    assert 3590 < budget.seconds_left <= 3600
    half = budget.share(2)
    assert 1790 < half.seconds_left <= 1800
    assert (half.memory_at_start, half.max_memory_bytes) == (
        budget.memory_at_start, budget.max_memory_bytes
    )  # fmt: skip
    assert math.isinf(Budget.of().share(3).seconds_left)
    assert Budget(deadline=time.perf_counter() - 1).seconds_left == 0


def test_a_spent_budget_says_what_was_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time, or memory as the operating system counts it."""
    monkeypatch.setattr(limits, "LOOK_EVERY_S", 0.0)
    Budget.of(3600).check()
    with pytest.raises(CapReached, match=r"^the time was up$"):
        Budget(deadline=time.perf_counter() - 1).check()
    budget = Budget.of(max_memory_bytes=2_500_000_000)
    monkeypatch.setattr(limits, "_memory_taken", lambda: budget.memory_at_start + 2_500_000_000)
    budget.check()
    with pytest.raises(CapReached, match="memory"):
        budget.check(more_bytes=1)  # about to be taken
    assert not budget.reached
    monkeypatch.setattr(limits, "_memory_taken", lambda: budget.memory_at_start + 2_500_000_001)
    with pytest.raises(CapReached, match=r"^the cap of 2\.5 GB of memory was reached$"):
        budget.check()
    assert budget.reached == "the cap of 2.5 GB of memory was reached"


def test_limits_hold_where_there_is_no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is then the most that the process ever had, and time is as it was."""

    def no_process(*_: object) -> None:
        raise limits.psutil.NoSuchProcess(1)

    measured = limits._memory_taken()
    monkeypatch.setattr(limits.psutil, "Process", no_process)
    assert limits._memory_taken() >= measured // 2
    budget = Budget.of(1000, 1 << 30)
    budget.check()
    with pytest.raises(CapReached, match="of memory was reached"):
        budget.check(1 << 31)
    assert prove(construct(HALF_ADDER, "one-layer"), timeout_s=10)


def test_what_works_in_steps_looks_at_the_budget_of_the_command() -> None:
    """Only within it, whatever raises; and what it took before counts."""
    limits.check()
    outer = Budget.of(3600, 5_000_000_000)
    with limits.within(outer):
        limits.check(1_000_000)
        with pytest.raises(CapReached, match=r"^the cap of 5 GB of memory was reached$"):
            limits.check(5_500_000_000)
        inner = Budget.of(max_memory_bytes=9_000_000_000)
        assert (inner.max_memory_bytes, inner.memory_at_start) == (
            5_000_000_000, outer.memory_at_start
        )  # fmt: skip
        with pytest.raises(CapReached), limits.within(Budget(deadline=time.perf_counter() - 1)):
            limits.check()
        limits.check()
    limits.check(1 << 50)


def test_diagrams_stop_at_the_memory_cap() -> None:
    """Before much more was taken; the reason names the cap."""
    start = limits._memory_taken()
    verdict = prove(noisy_majority(61), engine="diagram", max_memory_bytes=60_000_000)
    assert (verdict.verdict, verdict.method) == ("unknown", "diagram")
    assert verdict.reason == "by diagrams, the cap of 60 MB of memory was reached"
    assert verdict.formats["fp64"].reason == verdict.reason
    assert limits._memory_taken() - start < 200_000_000


@pytest.mark.parametrize("engine", ["enumeration", "diagram"])
def test_every_engine_stops_when_time_is_up(engine: str) -> None:
    """And says how far it came where it counts inputs."""
    net = noisy_majority(25)
    verdict = prove(net, engine=engine, timeout_s=0.5)
    assert verdict.verdict == "unknown"
    if engine == "diagram":
        assert verdict.reason == "by diagrams, the time was up"
        return
    first, _, rest = verdict.reason.partition(" after ")
    assert first == "the time was up"
    done, _, total = rest.removesuffix(" inputs").partition(" of ")
    assert 0 < int(done) < int(total) == 1 << 25


def test_engines_share_the_time_and_all_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other, each with its part of what is left."""
    monkeypatch.setattr(solver, "is_installed", lambda: False)
    verdict = prove(noisy_majority(25), timeout_s=1.0)
    assert verdict.verdict == "unknown"
    reasons = verdict.reason.split("; ")
    assert reasons[0] == "by diagrams, the time was up"
    assert reasons[1].startswith("the time was up after ")


def test_a_wrong_row_that_was_met_in_time_refutes() -> None:
    """Though not all rows were looked at; their number is then not known."""
    task = task_named("majority:25")
    net = network([[[1.0] * 25]], [[0.0]], task=task, format="fp64")  # any vote wins
    verdict = prove(net, engine="enumeration", timeout_s=0.3)
    assert verdict.verdict == "refuted"
    assert verdict.rows_right is None
    assert verdict.margin is None
    assert verdict.counterexample is not None
    assert verdict.counterexample.input == {"x": 1}


def test_trials_of_a_format_stop_when_time_is_up() -> None:
    """After a proof in exact arithmetic, rows are tried in the format for as long as there is."""
    net = construct(task_named("adder:128"), "prefix")
    layers = tuple(
        replace(layer, activation=Activation("leaky", slope=0.0))
        if layer.activation.kind == "relu"
        else layer
        for layer in net.layers
    )
    verdict = prove(replace(net, layers=layers), formats=["fp16"], timeout_s=1.5)
    assert (verdict.verdict, verdict.semantics) == ("unknown", "fp16")
    assert verdict.reason in (
        "the grid rule does not apply, and the time was up while rows were tried",
        "by diagrams, the time was up",
        "the time was up",  # on a busy machine, before an engine began
    )


def test_a_comparison_stops_when_time_is_up() -> None:
    """By enumeration too, and says how far it came."""
    rng = np.random.default_rng(0)
    first, second = (
        network(
            [rng.integers(-2, 3, (600, 20)), np.zeros((1, 600), dtype=np.int64)],
            [rng.integers(-2, 3, 600), [0]],
            task=task_named("parity:20"),
        )
        for _ in range(2)
    )
    comparison = compare(first, second, timeout_s=0.5)
    assert (comparison.verdict, comparison.method) == ("unknown", "enumerated")
    assert comparison.reason.startswith("the time was up after ")
    assert comparison.reason.endswith(" of 1048576 inputs")


def test_numbers_that_no_double_holds_are_taken_in_small_blocks() -> None:
    """So that limits are looked at in time."""
    small = construct(task_named("adder:8"), "one-layer")
    assert block_rows(small) == 1 << 14
    huge = construct(task_named("adder:1030"), "ripple")
    assert block_rows(huge) >= 1
    scaled = tuple(
        replace(layer, weight=Wide.of(layer.weight.exact().integers.astype(object) << 1100))
        for layer in small.layers
    )
    assert block_rows(replace(small, layers=scaled)) <= 1 << 11


@pytest.mark.parametrize("limit", [{"timeout_s": 1e-9}, {"max_memory_bytes": 1}])
def test_the_limits_are_for_reading_too(limit: dict[str, float], tmp_path: Path) -> None:
    """The header says what the verdict is on; without a task there is none."""
    path, bare = tmp_path / "net.safetensors", tmp_path / "bare.safetensors"
    net = construct(task_named("adder:3"), "one-layer")
    _ = save(net, path)
    _ = save(replace(net, task=None), bare)
    cap = "the time was up" if "timeout_s" in limit else "the cap of 1e-06 MB of memory was reached"
    reason = f"{cap} while the network was read"
    verdict = prove(path, **limit)  # type: ignore[arg-type]
    assert (verdict.verdict, verdict.task, verdict.rows, verdict.sha256) == (
        "unknown",
        "adder:3",
        64,
        "",
    )
    assert verdict.sentence() == f"in exact arithmetic: adder:3, {reason}"
    assert prove(bare, "adder:3", formats="fp16", **limit).formats["fp16"].reason == reason  # type: ignore[arg-type]
    with refused(LimitError, f"prove: {reason}; give more time or memory"):
        _ = prove(bare, **limit)  # type: ignore[arg-type]


def test_a_scaled_sparse_network_is_never_expanded() -> None:
    """A matrix of 2^40 zeros with a scale is judged by its entries."""
    side = 1 << 20
    sparse = Sparse(
        (side, side), np.minimum(np.arange(side + 1), 1).astype(np.uint32),
        np.array([3], np.uint32), Packed(np.array([-5]), 4),
    )  # fmt: skip
    scaled = Scaled(sparse, Dense(np.float32(0.25)))
    net = Network((Layer(scaled), Layer(sparse)), Readout("threshold", 0.0))
    assert [(e.integers * 2.0**e.exponent).tolist() for _, e in net.entries()] == [[-1.25], [-5.0]]
    rows = np.zeros((1, side), dtype=np.uint8)
    rows[0, 3] = 1
    sums = next(trace(net, rows)).sums
    assert (sums.at(0, 0), sums.at(0, 1)) == (Fraction(-5, 4), 0)
    with pytest.raises(CapReached), limits.within(Budget.of(max_memory_bytes=1 << 30)):
        _ = scaled.exact()


class Looks:
    """A budget that counts how often it is looked at, and is spent at one of the looks."""

    def __init__(self, last: int = 0) -> None:
        self.count, self.last = 0, last

    def check(self, more_bytes: int = 0) -> None:
        """Count, and raise at the last look."""
        self.count += 1
        if self.count == self.last:
            raise CapReached(limits.TIME_UP)


ADDER = "in a:3,in b:3,out c:4\n" + "".join(
    f"{a},{b},{a + b}\n" for a in range(8) for b in range(8)
)
ROWS = [[0.5 + row, 0.25] for row in range(64)]


@pytest.mark.parametrize(
    ("read", "passes"),
    [
        (lambda: parse_json(json.dumps(ROWS)), 1),
        (lambda: parse_json(json.dumps([*range(128)]), is_finite=False), 1),
        (lambda: from_lists({"fc1.weight": ROWS}), 4),
        (lambda: from_lists({"fc1.weight": [[1, 2]] * 64}, format="fp32"), 4),
        (lambda: parse_table(ADDER, where="t.csv"), 4),
        (lambda: parse_table(ADDER.replace("in ", "").replace("out ", ""), where="t.csv"), 4),
        (lambda: table({"a": [0, 1] * 32, "b": [*range(32)] * 2, "y": [0] * 64}, inputs="a,b"), 4),
    ],
    ids=["floats", "whole", "decimals", "weights", "table", "names", "frame"],
)
def test_reading_stops_at_whatever_step_the_time_is_up(
    read: Callable[[], object], passes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limits are looked at in each pass over the 64 rows or 128 numbers."""
    monkeypatch.setattr(limits, "STEPS_AT_ONCE", 8)
    looks = Looks()
    with contextlib.suppress(TaskError), limits.within(looks):  # type: ignore[arg-type]
        _ = read()
    assert looks.count >= passes * 8
    for last in range(1, looks.count + 1):
        with pytest.raises(CapReached), limits.within(Looks(last)):  # type: ignore[arg-type]
            _ = read()
