"""The solver: never falsely proved, every wrong input replays; its script is read without it."""

from __future__ import annotations

import itertools
import re
import sys
from collections import Counter

import numpy as np
import pytest
from proving.reference import SAMPLES
from proving.test_budget import noisy_majority
from proving.test_diagram_soundness import random_case

from adderlab.building import construct
from adderlab.limits import Budget, CapReached
from adderlab.nets import Readout, network
from adderlab.proving import Verdict, solver
from adderlab.proving.engines import Question, by_solver
from adderlab.proving.enumeration import enumerate_rows, is_right_exactly, rows_at
from adderlab.proving.solver import SolverResult
from adderlab.proving.solver.specification import is_wrong
from adderlab.tasks import task_named
from adderlab.tasks.tables import parse_table
from adderlab.verbs.prove import prove

NETWORKS = max(60, SAMPLES // 20)

needs_solver = pytest.mark.skipif(
    not solver.is_installed(), reason="z3 is not installed: pip install 'adderlab[smt]'"
)


def evaluate(text: str, values: dict[str, int]) -> object:
    """Return what an SMT-LIB term means, said again in the plainest way."""
    tokens = re.findall(r"[()]|[^\s()]+", text)

    def read() -> object:
        token = tokens.pop(0)
        if token != "(":
            return int(token) if token.isdecimal() else {**values, "false": False}[token]
        name = tokens.pop(0)
        terms = []
        while tokens[0] != ")":
            terms.append(read())
        _ = tokens.pop(0)
        pairs = list(itertools.pairwise(terms))
        return {
            "+": lambda: sum(terms),
            "*": lambda: terms[0] * terms[1],
            "-": lambda: -terms[0],
            "not": lambda: not terms[0],
            "and": lambda: all(terms),
            "or": lambda: any(terms),
            "xor": lambda: sum(terms) % 2 == 1,
            "=": lambda: all(a == b for a, b in pairs),
            "<": lambda: all(a < b for a, b in pairs),
            ">": lambda: all(a > b for a, b in pairs),
            ">=": lambda: all(a >= b for a, b in pairs),
            "<=": lambda: all(a <= b for a, b in pairs),
            "ite": lambda: terms[1] if terms[0] else terms[2],
        }[name]()

    return read()


BINDING = re.compile(
    r"\(define-fun (?P<name>\S+) \(\) Int (?P<term>.*)\)"
    r"|\(declare-const (?P<same>s\S+) Int\) \(assert \(= (?P=same) (?P<sum>.*)\)\)"
)
"""A line that gives a name to a term."""

SPECIFIED = [
    "half-adder", "full-adder", "adder:2", "subtractor:2", "popcount:3", "comparator:2",
    "parity:3", "parity:1", "multiplier:1", "multiplier:2", "majority:3", "majority:4",
]  # fmt: skip


@pytest.mark.parametrize("name", SPECIFIED)
def test_the_condition_holds_exactly_where_the_outputs_are_wrong(name: str) -> None:
    """On every input and every output, by an evaluator of our own."""
    task = task_named(name)
    assert solver.is_specified(task)
    bits = {bit: bit for bit in (*task.input_bits, *task.output_bits)}
    condition = is_wrong(task, bits)
    for block in task.blocks():
        for inputs, expected in zip(block.inputs.tolist(), block.expected.tolist(), strict=True):
            for outputs in itertools.product((0, 1), repeat=task.n_out):
                values = dict(zip(bits, (*inputs, *outputs), strict=True))
                assert evaluate(condition, values) == (list(outputs) != expected), values


@pytest.mark.parametrize("seed", range(60))
def test_a_script_is_satisfiable_exactly_where_the_network_is_wrong(seed: int) -> None:
    """Run input by input by an evaluator of our own, on random networks of all kinds."""
    net, task, _ = random_case(seed)
    lines = solver.to_script(net, task).splitlines()
    indices = np.random.default_rng(seed).permutation(task.rows)[:40]
    for index, inputs in zip(indices, rows_at(indices, task).inputs.tolist(), strict=True):
        values: dict[str, object] = {f"i{n}": bit for n, bit in enumerate(inputs)}
        conditions = []
        for line in lines:
            result = BINDING.fullmatch(line)
            if result is not None:
                name, term = result["name"] or result["same"], result["term"] or result["sum"]
                values[name] = evaluate(term, values)
            elif line.startswith("(assert "):
                conditions.append(evaluate(line.removeprefix("(assert ")[:-1], values))
            else:
                assert line == "(set-logic QF_LIA)" or line.startswith("(declare-const i")
        assert conditions == [not is_right_exactly(net, task, int(index))], (seed, inputs)


@needs_solver
def test_no_random_network_is_falsely_proved() -> None:
    """The verdict agrees with enumeration, and every counterexample replays."""
    seen: Counter[str] = Counter()
    false_proved: list[int] = []
    for seed in range(NETWORKS):
        net, task, _ = random_case(seed)
        truth = enumerate_rows(net, task)
        verdict = prove(net, task, engine="solver", timeout_s=20)
        seen[verdict.verdict] += 1
        if verdict.verdict == "proved":
            assert verdict.method == "solver"
            if truth.wrong:
                false_proved.append(seed)
        elif verdict.verdict == "refuted":
            assert truth.wrong, seed
            assert verdict.counterexample is not None
            assert verdict.counterexample.got != verdict.counterexample.expected, seed
    print(f"{len(false_proved)} falsely proved of {NETWORKS}: {dict(seen)}")
    assert not false_proved
    assert 5 * seen["proved"] >= NETWORKS
    assert 5 * seen["refuted"] >= NETWORKS


@needs_solver
@pytest.mark.parametrize("width", [25, 101])
def test_it_decides_what_neither_enumeration_nor_diagrams_do(width: int) -> None:
    """A majority of votes that all weigh a little different, right and with a vote too heavy."""
    net = noisy_majority(width)
    verdict = prove(net, engine="solver", timeout_s=60)
    assert (verdict.exact, verdict.method, verdict.margin) == ("proved", "solver", None)
    votes = net.layers[0].weight.exact().to_floats().copy()
    votes[0, 7] += 0.75
    heavy = network(
        [votes], [[-width / 2]], task=net.task, readout=Readout("threshold", 0.0), format="fp64"
    )
    wrong = prove(heavy, engine="solver", timeout_s=60)
    assert (wrong.verdict, wrong.method) == ("refuted", "solver")
    assert wrong.counterexample is not None
    assert wrong.counterexample.replays["exact"]


@needs_solver
def test_a_proof_by_the_solver_knows_the_formats_by_intervals() -> None:
    """The grid rule with the ranges that no unit can leave."""
    for method, form in (("one-layer", "fp32"), ("ripple", "int2"), ("prefix", "int2")):
        net = construct(task_named("adder:5"), method)
        verdict = prove(net, engine="solver", timeout_s=60)
        assert (verdict.verdict, verdict.method) == ("proved", "solver")
        assert verdict.formats[form].verdict == "proved"


@needs_solver
def test_when_time_or_memory_is_up_there_is_no_answer() -> None:
    """With the reason; the solver's process is gone."""
    net = construct(task_named("adder:24"), "prefix")
    slow = prove(net, engine="solver", timeout_s=1)
    assert (slow.verdict, slow.reason) == ("unknown", "by the solver, the time was up")
    small = prove(net, engine="solver", timeout_s=60, max_memory_bytes=30 << 20)
    assert small.verdict == "unknown"
    assert small.reason == "by the solver, the cap of 31.5 MB of memory was reached"


def test_a_table_is_not_told_to_the_solver() -> None:
    """It is enumerated, however large."""
    assert not solver.is_specified(parse_table("in a:1,out p:1\n0,0\n1,1\n", where="t.csv"))


def test_without_a_solver_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "is_installed", lambda: False)
    verdict = prove(construct(task_named("half-adder"), "lecture"), engine="solver")
    assert verdict.verdict == "unknown"
    assert verdict.reason == ("no solver is installed (pip install 'adderlab[smt]')")


def test_a_solvers_process_that_dies_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its last line as the reason."""
    net = construct(task_named("half-adder"), "one-layer")
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert solver.decide(net, task_named("half-adder"), Budget.of()) == SolverResult(
        None, reason="it stopped: exit code 1"
    )


def test_a_spent_budget_is_not_handed_to_the_solver() -> None:
    task = task_named("half-adder")
    net = construct(task, "one-layer")
    with pytest.raises(CapReached):
        _ = solver.decide(net, task, Budget(deadline=0.0))
    base = Verdict("unknown", "", "exact", task.name, task.rows)
    verdict = by_solver(Question(net, task, base, ["fp32"]), Budget(deadline=0.0))
    assert (verdict.verdict, verdict.reason) == ("unknown", "by the solver, the time was up")
