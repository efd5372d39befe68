"""Building: a network from a method or a formula, its verdict, and its file."""

from __future__ import annotations

import pytest

from adderlab.errors import FormatError, FormulaError, OptionError, OutputError, TaskError
from adderlab.nets import load, outputs
from adderlab.tasks import task_named
from adderlab.verbs.build import LARGEST_FORMULA_BYTES, build
from adderlab.verbs.prove import prove

LECTURE = """\
c1 = 1 ( a + b >= 2 ) = step(ReLU( a + b - 1.5 ))
c0 = 1 ( a + b = 1 ) = step(ReLU( a + b - 0.5 ) - 2 * ReLU( a + b - 1.5))
"""
REPAIRED = LECTURE.replace("- 2 *", "- 4 *")


@pytest.fixture
def formula(tmp_path):
    """Return a function that writes a formula into a file."""

    def write(text):
        path = tmp_path / "formula.txt"
        _ = path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_the_lectures_method_gives_the_lectures_numbers_and_is_refuted(tmp_path):
    path = tmp_path / "lecture.safetensors"
    built = build("half-adder", method="lecture", out=path)
    numbers = {name: tensor.numbers.tolist() for name, tensor in built.network.tensors()}
    assert numbers == {
        "fc1.weight": [[1, 1], [1, 1], [1, 1]],
        "fc1.bias": [-1.5, -0.5, -1.5],
        "fc2.weight": [[1, 0, 0], [0, 1, -2]],
        "fc2.bias": [0, 0],
    }
    assert built.verdict.verdict == "refuted"
    assert built.verdict.counterexample.input == {"a": 1, "b": 1}
    assert built.verdict.counterexample.got == {"c": 3}
    assert built.file == path
    assert prove(path).counterexample == built.verdict.counterexample


def test_the_lectures_formula_gives_the_same_network_and_finds_the_fault_first(formula):
    built = build("half-adder", formula=formula(LECTURE))
    rows = next(task_named("half-adder").blocks()).inputs
    lecture = build("half-adder", method="lecture").network
    assert (outputs(built.network, rows).to_floats() == outputs(lecture, rows).to_floats()).all()
    assert [(check.output, check.holds) for check in built.checks] == [("c1", True), ("c0", False)]
    assert built.verdict.verdict == "refuted"


def test_a_formula_that_is_right_is_proved_and_its_file_too(formula, tmp_path):
    built = build("half-adder", formula=formula(REPAIRED), out=tmp_path / "net.safetensors")
    assert [check.holds for check in built.checks] == [True, True]
    assert built.verdict.verdict == "proved"
    assert prove(tmp_path / "net.safetensors").verdict == "proved"
    assert load(tmp_path / "net.safetensors").task.name == "half-adder"


def test_terms_are_shared_and_stored_in_the_format_asked_for(formula):
    text = formula(REPAIRED.replace("1.5", "1.3"))
    apart = build("half-adder", formula=text)
    shared = build("half-adder", formula=text, share=True, format="FP16")
    assert (apart.network.hidden, shared.network.hidden) == (3, 2)
    assert (apart.network.format, shared.network.format) == ("fp32", "fp16")
    names = [entry.name for entry in shared.rounded]
    assert names == ["fc1.bias[0]"]
    assert float(shared.rounded[0].exact) == -1.3
    assert shared.rounded[0].stored == -1.2998046875  # 1.3 to 11 significant bits


def test_what_is_printed_in_json_is_the_network_that_was_written(tmp_path):
    path = tmp_path / "lecture.safetensors"
    found = build("half-adder", method="lecture", out=path).to_dict()
    proof = found.pop("proof")
    assert found == {
        "task": "half-adder",
        "method": "lecture",
        "hidden": 3,
        "widths": [3],
        "depth": 2,
        "parameters": 17,
        "nonzero": 12,
        "max_weight": 2,
        "smallest_format": "fp8-e4m3",
        "safe_widths": None,
        "verdict": "refuted",
        "checks": [],
        "file": str(path),
    }
    assert proof["verdict"] == "refuted"


def test_nothing_is_written_without_a_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert build("half-adder", method="lecture").file is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {},
            OptionError,
            (
                "build: exactly one of a method and a formula is needed; add `method` lecture or "
                "`formula` FILE"
            ),
        ),
        (
            {"method": "lecture", "formula": "formula.txt"},
            OptionError,
            (
                "build: exactly one of a method and a formula is needed; add `method` lecture or "
                "`formula` FILE"
            ),
        ),
        (
            {"method": "lectrue"},
            OptionError,
            "method: unknown method 'lectrue'; did you mean lecture?",
        ),
        (
            {"task": "full-adder", "method": "lecture"},
            TaskError,
            (
                "method lecture: the lecture sets weights for half-adder alone, got full-adder; "
                "build half-adder"
            ),
        ),
        (
            {"formula": "formula.txt", "format": "fp31"},
            FormatError,
            "format: unknown number format 'fp31'; did you mean fp32?",
        ),
        (
            {"formula": "nothing.txt"},
            OptionError,
            "nothing.txt: can't be read (No such file or directory); name a file of formulas",
        ),
        (
            {"formula": "."},
            OptionError,
            ".: can't be read (Is a directory); name a file of formulas",
        ),
        (
            {"formula": "zero\0byte"},
            OptionError,
            "zero\\x00byte: can't be read (embedded null byte); name a file of formulas",
        ),
    ],
)
def test_a_wish_that_can_not_be_met_is_refused(options, error, message, formula, monkeypatch):
    monkeypatch.chdir(formula(LECTURE).parent)
    with pytest.raises(error) as refused:
        _ = build(out="net.safetensors", **options)
    assert str(refused.value) == message
    assert [path.name for path in formula(LECTURE).parent.iterdir()] == ["formula.txt"]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (b"c0 = a\xff", OptionError, "not UTF-8 text; save it as UTF-8"),
        (b" " * (LARGEST_FORMULA_BYTES + 1), OptionError, "over 1 MiB; give a file of formulas"),
        (b"c1 = step(a)\nc0 = step(q)", FormulaError, None),
    ],
)
def test_a_formula_that_can_not_be_read_is_refused_with_its_place(text, error, message, formula):
    path = formula(text)
    with pytest.raises(error) as refused:
        _ = build("half-adder", formula=path)
    if message is None:  # whatever the fault, the line and the column are named
        message = "line 2 column 11: unknown input 'q'; there are a, b"
        assert str(refused.value) == f"{path} {message}"
    else:
        assert str(refused.value) == f"{path}: {message}"


def test_a_byte_order_mark_is_no_part_of_a_formula(formula):
    assert build("half-adder", formula=formula(b"\xef\xbb\xbf" + REPAIRED.encode())).verdict


def test_the_place_is_tried_before_the_work(tmp_path, monkeypatch):
    def work(*_):
        raise AssertionError("the work was done first")

    monkeypatch.setattr("adderlab.verbs.build.construct", work)
    file = tmp_path / "file"
    _ = file.write_text("")
    with pytest.raises(OutputError) as refused:
        _ = build("half-adder", method="lecture", out=file / "net.safetensors")
    assert str(refused.value) == (
        f"{file / 'net.safetensors'}: the folder '{file}' does not exist; make it first"
    )
