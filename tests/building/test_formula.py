"""Formulas in the lecture's notation: read, compared with their indicators, and compiled."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from exact import raw_outputs
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import fractions_of

from adderlab.building.formula import (
    Check,
    CompiledFormula,
    Difference,
    RoundedParameter,
    compile_formula,
)
from adderlab.errors import AdderlabError, FormatError, FormulaError, ResourceError
from adderlab.nets import EXACT, Network, Readout
from adderlab.tasks import Task, Word, task_named

HALF = task_named("half-adder")
TWO = task_named("adder:2")
LECTURE = """
c1 = 1 ( a + b >= 2 ) = step(ReLU( a + b - 1.5 ))
c0 = 1 ( a + b = 1 ) = step(ReLU( a + b - 0.5 ) - 2 * ReLU( a + b - 1.5))
"""


def numbers(net: Network) -> dict[str, Any]:
    """Every tensor as lists of fractions."""
    return {name: fractions_of(tensor).tolist() for name, tensor in net.tensors()}


def raw(compiled: CompiledFormula) -> list[list[Fraction]]:
    """The network's raw outputs on every row of its task."""
    net = compiled.network
    assert net.task is not None
    return [raw_outputs(net, bits) for block in net.task.blocks() for bits in block.inputs.tolist()]


def check_of(text: str, task: Task, format: str = "fp32") -> Check:
    (check,) = compile_formula(text, task, format=format).checks
    return check


def _task(word_in: str, word_out: str, bound: int | None = None) -> Task:
    (a, n), (p, m) = word_in.split(":"), word_out.split(":")
    return Task("test", (Word(a, int(n), bound),), (Word(p, int(m)),), lambda words: {p: words[a]})


# --- the lecture ------------------------------------------------------------------------------


def test_the_lectures_lines_give_its_network() -> None:
    compiled = compile_formula(LECTURE, HALF)
    assert numbers(compiled.network) == {
        "fc1.weight": [[1, 1], [1, 1], [1, 1]],
        "fc1.bias": [Fraction("-1.5"), Fraction("-0.5"), Fraction("-1.5")],
        "fc2.weight": [[1, 0, 0], [0, 1, -2]],
        "fc2.bias": [0, 0],
    }
    assert compiled.network.readout == Readout("threshold", 0.0, ">")
    assert compiled.network.format == "fp32"
    assert compiled.network.task is HALF
    assert [str(layer.activation) for layer in compiled.network.layers] == ["relu", "identity"]
    assert compiled.rounded == ()


def test_the_lectures_second_indicator_differs_at_one_and_one() -> None:
    assert compile_formula(LECTURE, HALF).checks == (
        Check("c1", 2, "1 ( a + b >= 2 )", "step(ReLU( a + b - 1.5 ))", 4, 0, None),
        Check(
            "c0",
            3,
            "1 ( a + b = 1 )",
            "step(ReLU( a + b - 0.5 ) - 2 * ReLU( a + b - 1.5))",
            4,
            1,
            Difference({"a": 1, "b": 1}, 0, Fraction(1), Fraction("0.5")),
        ),
    )


def test_sharing_merges_the_lectures_equal_units() -> None:
    compiled = compile_formula(LECTURE, HALF, share=True)
    assert numbers(compiled.network) == {
        "fc1.weight": [[1, 1], [1, 1]],
        "fc1.bias": [Fraction("-1.5"), Fraction("-0.5")],
        "fc2.weight": [[1, 0], [-2, 1]],
        "fc2.bias": [0, 0],
    }
    assert raw(compiled) == raw(compile_formula(LECTURE, HALF))


# --- indicators -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operator", "truths"),
    [(">=", 2), ("<=", 3), (">", 1), ("<", 2), ("=", 1), ("==", 1), ("!=", 3)],
)
def test_each_comparison_is_one_on_its_rows(operator: str, truths: int) -> None:
    """Against 0 it differs on the rows where it is 1; against 0.5 on all of them."""
    text = f"p = 1 ( 2 * a1 + a0 {operator} 2 ) = 0 * a1"
    check = check_of(text, _task("a:2", "p:1"))
    assert (check.rows, check.differing) == (4, truths)
    check = check_of(text.replace("0 * a1", "0.5"), _task("a:2", "p:1"))
    assert check.differing == 4
    assert check.differs is not None
    assert (check.differs.formula, check.differs.inside) == (Fraction("0.5"), None)


def test_an_indicator_is_compared_exactly() -> None:
    """A tenth three times is three tenths, which it is not in floating point."""
    text = "p = 1 ( 0.1 * a1 + 0.2 * a0 = 0.3 ) = step(0.1*a1 + 0.2*a0 - 0.3 + 1e-300)"
    assert check_of(text, _task("a:2", "p:1"), "fp64").holds


def test_a_finding_names_numbers_beyond_any_double() -> None:
    check = check_of("p = 1 ( a = 1 ) = 1e400 * a", _task("a:1", "p:1"), "wide")
    assert check.finding() == "on a = 1, 1 ( a = 1 ) is 1, the formula gives 1.00000e+400"


def test_an_indicator_is_compared_on_the_domain_alone() -> None:
    task = _task("a:2", "p:1", bound=3)
    check = check_of("p = 1 ( a = 3 ) = step(a - 3.5)", task)
    assert (check.rows, check.holds) == (3, True)


def test_an_indicator_is_compared_on_twenty_bits_in_blocks() -> None:
    text = "m = 1 ( x >= 1000000 ) = step(relu(x - 999999) - 48575)"
    check = check_of(text, task_named("majority:20"))
    assert (check.rows, check.differing) == (1 << 20, 48_575)
    assert check.differs == Difference({"x": 1_000_000}, 1, Fraction(0), Fraction(-48_574))


# --- what is compiled -------------------------------------------------------------------------


def test_a_whole_word_stands_for_its_value() -> None:
    compiled = compile_formula("s = 0.5 * a - 3", _task("a:4", "s:1"))
    assert numbers(compiled.network) == {
        "fc1.weight": [[4, 2, 1, Fraction("0.5")]],
        "fc1.bias": [-3],
    }
    assert compiled.network.readout == EXACT


def test_steps_among_other_outputs_are_units() -> None:
    compiled = compile_formula("c1 = step(a + b - 1)\nc0 = a + b - 2 * step(a + b - 1)", HALF)
    assert compiled.network.readout == EXACT
    assert [str(layer.activation) for layer in compiled.network.layers] == ["step > 0", "identity"]
    assert numbers(compiled.network)["fc1.weight"] == [[1, 1], [1, 1], [1, 0], [0, 1]]
    assert raw(compiled) == [[0, 0], [0, 1], [0, 1], [1, 0]]


def test_the_lines_may_stand_in_any_order_and_units_stand_in_theirs() -> None:
    compiled = compile_formula("c0 = relu(a)\r\n# c1\rc1 = relu(b - 1)  # a carry\n\n", HALF)
    assert numbers(compiled.network)["fc1.weight"] == [[1, 0], [0, 1]]
    assert numbers(compiled.network)["fc2.weight"] == [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    "text", ["2*3*a", "a * 2 * 3", "(1 + 2) * (a * 2)", "- -6*a", "a*(-(-6))", "6. * a", "60e-1*a"]
)
def test_constants_fold(text: str) -> None:
    compiled = compile_formula(f"c1 = {text}\nc0 = .5 - -b*0.25e1", HALF)
    assert numbers(compiled.network) == {
        "fc1.weight": [[6, 0], [0, Fraction(5, 2)]],
        "fc1.bias": [0, Fraction(1, 2)],
    }


def test_inputs_and_steps_are_handed_on_by_one_copy_a_layer() -> None:
    text = "c1 = a + relu(a + relu(b - 0.5)) - step(b)\nc0 = step(b) + a"
    compiled = compile_formula(text, HALF)
    kinds = [str(layer.activation) for layer in compiled.network.layers]
    assert kinds == ["step > 0", "relu", "relu", "identity"]
    assert compiled.network.widths == [4, 4, 4]  # two steps; a and b, then a relu and a
    assert raw(compiled) == raw(compile_formula(text, HALF, share=True))


def test_units_of_different_layers_are_not_merged() -> None:
    text = "c1 = relu(a + b) + relu(relu(a + b))\nc0 = relu(a + b)"
    assert compile_formula(text, HALF).network.widths == [3, 3]
    assert compile_formula(text, HALF, share=True).network.widths == [3, 2]


def test_equal_sums_are_merged_however_they_are_written() -> None:
    text = "c1 = relu(2*(a - 0.5) + b) + relu(b + a*2 - 1)\nc0 = relu(b - b + relu(a) - relu(1*a))"
    compiled = compile_formula(text, HALF, share=True)
    assert compiled.network.widths == [3, 2]


def test_nesting_reaches_a_hundred() -> None:
    for opening, depth in (("(", 1), ("-(", 1), ("relu(", 101), ("step(", 100)):
        compiled = compile_formula(f"p = {opening * 100}a{')' * 100}", _task("a:1", "p:1"))
        assert compiled.network.depth == depth
        assert raw(compiled) == [[0], [1]]


def test_a_long_sum_is_no_trouble() -> None:
    compiled = compile_formula(f"p = {' + '.join(['a'] * 5_000)}", _task("a:1", "p:1"))
    assert numbers(compiled.network)["fc1.weight"] == [[5_000]]


# --- number formats ---------------------------------------------------------------------------


def test_what_the_format_lacks_is_rounded_and_named() -> None:
    compiled = compile_formula(
        "c1 = step(a + 0.1 * b)\nc0 = step(relu(a - 0.3))", HALF, format="bf16"
    )
    assert compiled.rounded == (
        RoundedParameter("fc1.bias[0]", Fraction("-0.3"), -0.30078125),
        RoundedParameter("fc2.weight[0,2]", Fraction("0.1"), 0.10009765625),
    )


def test_whole_numbers_go_into_integer_formats() -> None:
    text = "c1 = relu(a + b - 1)\nc0 = relu(a + b) - 2 * relu(a + b - 1)"
    compiled = compile_formula(text, HALF, format="INT2", share=True)
    assert compiled.network.format == "int2"
    assert compiled.network.parameters == 12
    assert raw(compiled) == [[0, 0], [0, 1], [0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("format", "text", "message"),
    [
        (
            "int8",
            "c1 = step(relu(a - 1.5))\nc0 = step(300 * b)",
            (
                "f.txt: 2 faults: (1) line 1 column 11: fc1.bias[0] is -1.5, which int8 can't "
                "hold; take a float format (2) line 2 column 6: fc2.weight[1,1] is 300, which int8 "
                "can't hold; take a wider format"
            ),
        ),
        (
            "binary",
            "c1 = step(a + b + 1)\nc0 = step(b - a)",
            "f.txt line 2 column 6: fc1.bias[1] is 0, which binary can't hold; take a wider format",
        ),
        (
            "fp16",
            "c1 = a\nc0 = relu(b * 1e5)",
            (
                "f.txt line 2 column 6: fc1.weight[0,1] is 100000, which fp16 can't hold; "
                "take a wider format"
            ),
        ),
    ],
)
def test_what_a_format_can_not_hold_is_refused(format: str, text: str, message: str) -> None:
    with pytest.raises(FormulaError) as caught:
        _ = compile_formula(text, HALF, where="f.txt", format=format)
    assert str(caught.value) == message


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(FormatError, match="unknown number format 'fp31'"):
        _ = compile_formula(LECTURE, HALF, format="fp31")


# --- refusals ---------------------------------------------------------------------------------

VALUE = "expected a number, an input, relu(...), step(...) or '(', found"
CLOSING = "expected the ')' of the '(' in column"
SHORTER = "has over 400 digits or an exponent over 400; write a shorter number"
GREW = "the constants multiply to a number of over 4096 bits; take smaller constants"

FAULTS = [  # what c0 is, the column of the fault, its message
    ("", 5, f"{VALUE} the end of the line; write one there"),
    ("a + # b", 9, f"{VALUE} the end of the line; write one there"),
    ("a ** 2", 9, f"{VALUE} '*'; write one there"),
    ("()", 7, f"{VALUE} ')'; write one there"),
    ("a / 2", 8, "unknown character '/'; multiply by a constant instead, as in 0.5 * a"),
    ("a ^ 2", 8, "unknown character '^'; there are no powers, only products with constants"),
    ("a ≥ b", 8, "unknown character '≥'; write >="),
    ("a − b", 8, "unknown character '−'; write the plain -"),
    ("step(a, b)", 12, "unknown character ','; relu and step take one argument"),
    ("a[0]", 7, "unknown character '['; write numbers, names, + - * ( ), relu and step"),
    ("a.real", 7, "unknown character '.'; write numbers, names, + - * ( ), relu and step"),
    ("'a'", 6, 'unknown character "\'"; write numbers, names, + - * ( ), relu and step'),
    ("relu(2*(a - 1)", 20, f"{CLOSING} 10, found the end of the line; add it"),
    ("1 ( a = b", 15, f"{CLOSING} 8, found the end of the line; add it"),
    ("a)", 7, "')' without its '('; remove it, or add the '('"),
    ("2a", 7, "no operator before 'a'; write +, - or * there"),
    ("1.5.5", 9, "no operator before '.5'; write +, - or * there"),
    (
        "a >= b",
        8,
        "'>=' stands outside an indicator; write 1 ( SUM OP SUM ) = EXPRESSION, or step(...)",
    ),
    (
        "1 ( a + b ) = a",
        16,
        (
            "expected a comparison after '1 (', found ')'; "
            "write one of >= <= > < = == !=, or 1 * ( for a product"
        ),
    ),
    (
        "1 ( a = 1 )",
        17,
        "expected '=' after the indicator, found the end of the line; write = EXPRESSION after it",
    ),
    (
        "2 * relu(a) * (1 - step(b))",
        20,
        "a product of two expressions that are not constant; multiply by constants alone",
    ),
    ("relu", 6, "'relu' has no argument; write relu(...)"),
    ("a - 2 * c1", 14, "'c1' is an output; write out what it computes, from the inputs"),
    ("max(0, a)", 6, "unknown function 'max'; there are relu(...) and step(...)"),
    (
        "__import__('os').system('id')",
        6,
        "unknown function '__import__'; there are relu(...) and step(...)",
    ),
    ("1e999999 * a", 6, f"'1e999999' {SHORTER}"),
    ("7" * 100_000, 6, f"'{'7' * 30}…' {SHORTER}"),
    (f"a{' * 1e400' * 4}", 34, GREW),
    (f"{'1e400 * (a + ' * 4}a{')' * 4}", 6, GREW),
    (f"{'(' * 101}a{')' * 101}", 106, "nested over 100 deep; take it apart"),
    (f"{'relu(' * 101}a{')' * 101}", 510, "nested over 100 deep; take it apart"),
    ("(" * 100_000, 106, "nested over 100 deep; take it apart"),
]


@pytest.mark.parametrize(("text", "column", "message"), FAULTS, ids=range(len(FAULTS)))
def test_a_fault_is_named_with_its_line_and_column(text: str, column: int, message: str) -> None:
    with pytest.raises(FormulaError) as caught:
        _ = compile_formula(f"c1 = a\nc0 = {text}", HALF, where="f.txt", format="wide")
    assert str(caught.value) == f"f.txt line 2 column {column}: {message}"


EMPTY = "the formula is empty; add a line c1 = EXPRESSION"
EXAMPLE = "write c1 = EXPRESSION"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"line 1 column 1: {EMPTY}"),
        ("# c1 = a\n\n", f"line 3 column 1: {EMPTY}"),
        ("c0 = a", "line 2 column 1: no formula for c1; add a line c1 = EXPRESSION"),
        (
            "c0 = a\nc0 = b\n!",
            ("line 2 column 1: 'c0' has a formula in line 1 already; keep one of the two"),
        ),
        ("d = a\n!", "line 1 column 1: unknown output 'd'; there are c1, c0"),
        ("c00 = a\n!", "line 1 column 1: unknown output 'c00'; did you mean c0? there are c1, c0"),
        (
            "c = a\n!",
            ("line 1 column 1: 'c' is a word of 2 bits; write one line for each of c1, c0"),
        ),
        ("= a\n!", f"line 1 column 1: expected an output's name, found '='; {EXAMPLE}"),
        (
            "c0\n!",
            f"line 1 column 3: expected '=' after 'c0', found the end of the line; {EXAMPLE}",
        ),
        ("c0 == a\n!", f"line 1 column 4: expected '=' after 'c0', found '=='; {EXAMPLE}"),
    ],
)
def test_the_outputs_are_those_of_the_task_once_each(text: str, message: str) -> None:
    with pytest.raises(FormulaError) as caught:
        _ = compile_formula(text.replace("!", "c1 = a"), HALF)
    assert str(caught.value) == f"formula {message}"


def test_all_faults_are_named_at_once() -> None:
    text = "c2 = a9 + a1x * q\n\nc1 = relu(b\nc1 = 3 3\nd9 = a"
    with pytest.raises(FormulaError) as caught:
        _ = compile_formula(text, TWO)
    inputs = "there are a (a1, a0), b (b1, b0)"
    assert caught.value.where == "formula"
    assert str(caught.value) == (
        "formula: 7 faults: "
        f"(1) line 1 column 6: unknown input 'a9'; did you mean a? {inputs} "
        f"(2) line 1 column 11: unknown input 'a1x'; did you mean a1? {inputs} "
        f"(3) line 1 column 17: unknown input 'q'; {inputs} "
        f"(4) line 3 column 12: {CLOSING} 10, found the end of the line; add it "
        "(5) line 4 column 1: 'c1' has a formula in line 3 already; keep one of the two "
        "(6) line 4 column 8: no operator before '3'; write +, - or * there "
        "(7) line 5 column 1: unknown output 'd9'; there are c2 to c0"
    )


def test_only_the_first_ten_faults_are_listed() -> None:
    with pytest.raises(FormulaError, match=r"^formula: 31 faults: \(1\).*\(10\).* and 21 more$"):
        _ = compile_formula("\n".join(f"x{n} = a" for n in range(31)), HALF)


def test_names_that_could_mean_two_things_are_refused() -> None:
    words = (Word("a", 12), Word("a1", 1)), (Word("p", 2), Word("p1", 1))
    with pytest.raises(FormulaError) as caught:
        _ = compile_formula("p0 = a11 + a1\np1 = a", Task("test", *words, dict))
    assert str(caught.value) == (
        "formula: 2 faults: (1) line 1 column 12: 'a1' stands for two inputs; rename the task's "
        "words (2) line 2 column 1: 'p1' stands for two outputs; rename the task's words"
    )


def test_a_one_bit_word_goes_by_the_name_of_its_bit_too() -> None:
    compiled = compile_formula("m0 = x0 + 2 * x", _task("x:1", "m:1"))
    assert numbers(compiled.network)["fc1.weight"] == [[3]]


UNITS = 25 * 400_001 + 26
COPIES = 4097 * 4097 + 4098 * 4097 + 4098


@pytest.mark.parametrize(
    ("task", "text", "error", "message"),
    [
        ("adder:20", "c7 = a\n", FormulaError, (" line 2 column 1: no formula for c20, c19, c18, "
         "c17, c16, c15, c14, c13, c12, c11 and 10 more; add a line c20 = EXPRESSION")),
        ("majority:21", "m = 1 ( x > 9 ) = step(x - 9)", FormulaError, (" line 1 column 5: an "
         "indicator is compared on up to 20 input bits, got 21; drop the indicator")),
        ("majority:4097", "m = x", FormulaError, (" line 1 column 5: 'x' has over 4096 bits; "
         "name its bits one by one")),
        ("half-adder", " " * (2**20 + 1), FormulaError, (" line 1 column 1: 1048577 characters are "
         "over the limit of 1048576; write a shorter formula")),
        ("majority:400000", f"m = step({' + '.join(['relu(x7)'] * 25)})", ResourceError,
         (f": the network would have {UNITS} parameters or more, the limit is 10000000; "
         "write a smaller formula")),
        ("majority:4096", "m = x + relu(relu(x7))", ResourceError,
         (f": the network would have {COPIES} parameters or more, the limit is 10000000; "
         "write a smaller formula")),
        ("majority:4096", f"m = {' + '.join(['relu(x)'] * 2442)}", ResourceError,
         (": the formula's words have 10002432 bits in all, the limit is 10000000; "
         "write a smaller formula")),
    ],
    ids=["outputs", "rows", "word", "text", "units", "copies", "words"],
)  # fmt: skip
def test_what_is_over_a_limit_is_refused(
    task: str, text: str, error: type[AdderlabError], message: str
) -> None:
    with pytest.raises(error) as caught:
        _ = compile_formula(text, task_named(task))
    assert str(caught.value) == f"formula{message}"


def test_a_formula_without_an_indicator_may_have_more_rows() -> None:
    assert compile_formula("m = step(x - 9)", task_named("majority:21")).network.n_in == 21


# --- random formulas --------------------------------------------------------------------------

BITS = {HALF.name: ("a", "b"), TWO.name: ("a1", "a0", "b1", "b0", "a", "b")}


def trees(names: tuple[str, ...]) -> st.SearchStrategy[Any]:
    """Formulas as nested tuples, constants in quarters."""
    quarters = st.integers(-12, 12).map(lambda n: Fraction(n, 4))
    leaves = st.sampled_from(names) | quarters
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(st.sampled_from(["relu", "step"]), inner),
            st.tuples(st.just("+"), inner, inner),
            st.tuples(st.just("-"), inner, inner),
            st.tuples(st.just("*"), quarters, inner),
        ),
        max_leaves=12,
    )


def written(tree: Any) -> str:
    match tree:
        case str():
            return tree
        case Fraction():
            return f"({float(tree)})" if tree < 0 else f"{float(tree)}"
        case ("relu" | "step" as kind, inner):
            return f"{kind}({written(inner)})"
        case ("*", by, inner):
            return f"({written(inner)}) * {written(by)}"
        case (sign, left, right):
            return f"({written(left)} {sign} {written(right)})"
    raise AssertionError(tree)


def value_of(tree: Any, row: dict[str, int]) -> Fraction:
    match tree:
        case str():
            return Fraction(row[tree])
        case Fraction():
            return tree
        case ("relu", inner):
            return max(value_of(inner, row), Fraction(0))
        case ("step", inner):
            return Fraction(value_of(inner, row) > 0)
        case ("+", left, right):
            return value_of(left, row) + value_of(right, row)
        case ("-", left, right):
            return value_of(left, row) - value_of(right, row)
        case (_, by, inner):
            return by * value_of(inner, row)
    raise AssertionError(tree)


def step_of(tree: Any) -> Any:
    """Return the argument of a step, times 1 perhaps; ``None`` for what is no step."""
    while isinstance(tree, tuple) and tree[0] not in ("+", "-", "step", "relu") and tree[1] == 1:
        tree = tree[2]
    return tree[1] if isinstance(tree, tuple) and tree[0] == "step" else None


def named_rows(task: Task) -> list[dict[str, int]]:
    rows: list[dict[str, int]] = []
    for values in product(range(task.inputs[0].size), repeat=2):
        row = dict(zip("ab", values, strict=True))
        bits = {f"{word}{i}": value >> i & 1 for word, value in row.items() for i in range(2)}
        rows.append({**row, **bits})
    return rows


@settings(max_examples=100, deadline=None)
@given(st.data(), st.sampled_from([HALF, TWO]), st.booleans(), st.booleans())
def test_a_random_formula_is_what_its_network_computes(
    data: st.DataObject, task: Task, share: bool, all_steps: bool
) -> None:
    drawn = data.draw(st.lists(trees(BITS[task.name]), min_size=task.n_out, max_size=task.n_out))
    if all_steps:
        drawn = [("step", tree) for tree in drawn]
    arguments = [step_of(tree) for tree in drawn]
    is_read_out = all(argument is not None for argument in arguments)
    indicator = "1 ( a >= b )"
    text = "\n".join(
        f"{bit} = {indicator} = {written(tree)}"
        for bit, tree in zip(task.output_bits, drawn, strict=True)
    )
    compiled = compile_formula(text, task, format="fp64", share=share)
    assert compiled.rounded == ()
    assert (compiled.network.readout == Readout("threshold", 0.0, ">")) == is_read_out
    rows = named_rows(task)
    inside = arguments if is_read_out else drawn
    assert raw(compiled) == [[value_of(tree, row) for tree in inside] for row in rows]
    for check, tree, argument in zip(compiled.checks, drawn, arguments, strict=True):
        apart = [row for row in rows if value_of(tree, row) != (row["a"] >= row["b"])]
        assert check.differing == len(apart)
        assert check.holds == (not apart)
        if check.differs:
            first = apart[0]
            assert check.differs.inputs == {"a": first["a"], "b": first["b"]}
            assert check.differs.formula == value_of(tree, first)
            own = None if argument is None else value_of(argument, first)
            assert check.differs.inside == own


@settings(deadline=None)
@given(st.text(alphabet="abc01.e+-*/()<>=! #\nrelustp≥", max_size=60))
def test_any_text_is_compiled_or_refused(text: str) -> None:
    try:
        _ = compile_formula(text, HALF)
    except FormulaError as error:
        assert "line" in str(error)
        assert "\n" not in str(error)
