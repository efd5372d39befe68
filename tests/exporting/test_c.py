"""``export --to c``: the header computes what its network does, and a changed one is refused."""

from __future__ import annotations

import dataclasses
import re
import subprocess

import numpy as np
import pytest
import strategies
from exports import subject_of
from hypothesis import given, settings
from hypothesis import strategies as st

import adderlab
from adderlab.cli.main import main
from adderlab.errors import NetworkError
from adderlab.exporting.c import compare, compare_c, compiler, write_c
from adderlab.exporting.c.expressions import curve_body
from adderlab.exporting.c.plan import OTHERS, WIDER
from adderlab.exporting.c.tables import float_literal, read_tables
from adderlab.formats import FORMATS
from adderlab.nets import Activation, Layer, Network
from adderlab.nets.activations import Rounding
from adderlab.nets.tensors import Packed, Scaled, stored_in
from adderlab.tasks import task_named
from adderlab.tasks.order import Order, in_order

COMPILER = compiler.compiler()
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler is installed")
LECTURE = adderlab.build("half-adder", method="lecture").network
BOUNDED = adderlab.table({"d": [0, 1, 2], "out q": [1, "*", 2]})


def hand_made(activation="relu", readout="exact", form="fp32", **options):
    weights = [[[1, 1], [1, 1]], [[0, 1], [1, -2]]]
    return adderlab.network(
        weights,
        [[0, -1], [0, 0]],
        activation=Activation(activation, **options),
        readout=readout,
        format=form,
        task="half-adder",
    )


def scaled(form="int4", scale=0.375, zero=None):
    """A network of codes with scales, row by row, whose sums are fractions."""
    first, last = Packed([[3, 2], [2, 3], [-5, -4]], 4), Packed([[1, -6, 2], [4, -7, 5]], 4)
    zeros = None if zero is None else stored_in(zero, "int32")
    scales = stored_in([scale, 0.25, 1.5], "fp64"), stored_in(scale, "fp64")
    layers = (
        Layer(Scaled(first, scales[0], zeros), None, Activation("relu")),
        Layer(Scaled(last, scales[1]), stored_in([-0.25, 0.5], "fp32")),
    )
    return Network(layers, ">= 0.5", task_named("half-adder"), form)


INT2 = hand_made(form="int2")


def written(net, task=None, name="net"):
    """Return a subject and the text of its header."""
    subject = subject_of(net, task, name=name)
    (text,) = write_c(subject).values()
    return subject, text


def compared(subject, text, folder):
    path = folder / "net.h"
    _ = path.write_text(text, encoding="utf-8")
    return compare_c({"": path}, subject)


@pytest.fixture
def quickly(monkeypatch):
    """Compile each header once, without optimization and sanitizers."""
    monkeypatch.setattr(compare, "FAST", ("-O0",))
    build = compare.build

    def build_once(command, folder, options, name):
        if name == "sanitized":
            return compiler.Built(None, "left out")
        return build(command, folder, options, name)

    monkeypatch.setattr(compare, "build", build_once)


@needs_compiler
@pytest.mark.parametrize(
    ("net", "task", "rows"),
    [
        (INT2, None, 4),
        (LECTURE, None, 4),
        (scaled(), None, 4),
        (hand_made("tanh", 0.5), None, 4),
        (adderlab.build("adder:16", method="ripple").network, None, 4220),
        (adderlab.build("full-adder", format="int3").network, "adder:any", 8),
    ],
)
def test_the_header_computes_what_its_network_computes(net, task, rows, tmp_path):
    comparison = compared(*written(net, task), tmp_path)
    assert (comparison.equal, comparison.rows) == (True, rows), comparison.reason
    assert "under ASan and UBSan" in comparison.by
    assert comparison.scope.startswith("boundary and random") == (rows > 1000)


@needs_compiler
@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize(
    ("net", "task"),
    [
        (adderlab.build("adder:4", method="one-layer").network, None),
        (adderlab.build("cell:decimal-adder", method="table").network, "decimal-adder:any"),
        (adderlab.build("cell:comparator", method="table").network, "comparator:any"),
        (adderlab.build("comparator:2").network, None),
        (adderlab.build(BOUNDED, method="table").network, BOUNDED),
        (adderlab.build("adder:2").network, in_order(task_named("adder:2"), Order("lsb-first"))),
        (adderlab.build("adder:5", method="one-layer", format="wide").network, None),
        (scaled(zero=[1, 0, -2]), None),
        (scaled(scale=0.1), None),
        (hand_made("leaky", 0.5, "int4", slope=0.1), None),
        (hand_made("gelu", 0.5, "bf16"), None),
        (hand_made("step", ">= 0.5", "fp64"), None),
    ],
)
def test_every_arithmetic_format_wiring_and_order_is_written(net, task, tmp_path):
    comparison = compared(*written(net, task), tmp_path)
    assert comparison.equal is True, comparison.reason


@needs_compiler
@pytest.mark.usefixtures("quickly")
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_network_is_written_as_it_computes_or_refused(data, tmp_path_factory):
    small = strategies.named_tasks(max_in=4)
    net = data.draw(strategies.any_networks(task=small, tanh=False, tame=data.draw(st.booleans())))
    form = data.draw(st.sampled_from(["fp32", "fp64", "bf16", "int8", "ternary", "wide"]))
    try:
        subject, text = written(dataclasses.replace(net, format=form))
    except NetworkError as error:
        strategies.check_refusal(error)
        return
    comparison = compared(subject, text, tmp_path_factory.mktemp("net"))
    assert comparison.equal is True, comparison.reason


CHANGES = {
    "a weight": (INT2, "fc1_weight[1] = {0x55}", "fc1_weight[1] = {0x51}", "net_fc1_weight[0][1]"),
    "a bias": (LECTURE, "{-1.5f, -0.5f", "{-1.5f, 0.5f", "net_fc1_bias[1] is 0.5"),
    "a sign": (LECTURE, "1.0f, -2.0f", "1.0f, 2.0f", "net_fc2_weight[1][2] is 2.0"),
    "padding": (INT2, "fc1_bias[1] = {0x0c}", "fc1_bias[1] = {0xfc}", "that no packing gives"),
    "a scale": (scaled(), "fc1_scale[3] = {3", "fc1_scale[3] = {4", "net_fc1_scale[0] is 4"),
    "the threshold": (LECTURE, "threshold = 0.0f", "threshold = 0.25f", "net_threshold"),
    "a comparison": (INT2, "sum < 0 ?", "sum > 0 ?", "for a = "),
    "a raw output": (LECTURE, "y[unit] = sum;", "y[unit] = sum * 2;", "its raw output"),
    "a word": (INT2, "(y[0] & 1u) << 1", "(y[0] & 1u) << 2", "its word c is"),
    "a word going in": (INT2, "x[1] = (uint8_t)(b", "x[1] = (uint8_t)(~b", "its word c is"),
    "the syntax": (INT2, "int8_t fc1[2];", "int8_t fc1[2]", "it does not compile: net.h:"),
}


@needs_compiler
@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_header_is_refused_with_the_place(change, tmp_path):
    net, old, new, reason = CHANGES[change]
    subject, text = written(net)
    assert old in text
    comparison = compared(subject, text.replace(old, new), tmp_path)
    assert comparison.equal is False
    assert reason in comparison.reason


@needs_compiler
def test_what_leaves_an_array_or_overflows_is_refused_though_bits_are_right(tmp_path, monkeypatch):
    monkeypatch.setattr(compare, "FAST", ("-O0",))  # with more the compiler itself sees some
    subject, text = written(INT2)
    outside = text.replace(
        "int8_t sum = 0;", "int8_t sum = (int8_t)(*(volatile const uint8_t *)(x + 9) * 0);"
    )
    assert "run, it fails: " in compared(subject, outside, tmp_path).reason
    most = "volatile int32_t most = 2147483647; most += 1; sum = (int8_t)(sum + 0 * most);"
    over = text.replace("int8_t sum = 0;", f"int8_t sum = 0; {most}")
    assert "signed integer overflow" in compared(subject, over, tmp_path).reason


@needs_compiler
@pytest.mark.usefixtures("quickly")
def test_a_wrong_carry_is_seen_on_numbers(tmp_path):
    subject, text = written(adderlab.build("full-adder", format="int3").network, "adder:any")
    changed = text.replace("x[2] = (uint8_t)(carry & 1u);", "x[2] = (uint8_t)(carry & 0u);")
    comparison = compared(subject, changed, tmp_path)
    assert comparison.equal is False
    assert "on numbers of" in comparison.reason


HOSTILE = ("int", "NULL", "errno", "class", "x"), ("result", "i", "net", "Int", "y", "INT")


@needs_compiler
@pytest.mark.usefixtures("quickly")
def test_words_that_are_keywords_macros_or_names_of_the_header_are_written(tmp_path):
    columns = {
        name: [row >> place & 1 for row in range(32)] for place, name in enumerate(HOSTILE[0])
    }
    columns |= {f"out {name}": [0] * (30 - n) + [1] * (n + 2) for n, name in enumerate(HOSTILE[1])}
    task = adderlab.table(columns)
    comparison = compared(*written(adderlab.build(task, method="table").network, task), tmp_path)
    assert comparison.equal is True, comparison.reason


CURVES = [
    "tanh", "sigmoid", "hardsigmoid", "quotient", "softsign", "softplus", "elu", "selu", "gelu",
    "silu", "mish",
]  # fmt: skip


def curves():
    options = {"quotient": {"divisor": 3.0}, "softplus": {"beta": 0.75}, "elu": {"alpha": 1.25}}
    for kind in CURVES:
        yield Activation(kind, **options.get(kind, {}))
    yield Activation("gelu", approximate="tanh")


@needs_compiler
def test_curves_are_as_close_as_a_proof_takes_a_librarys_to_be(tmp_path):
    """On a grid of sums, in float and in double, within the bound that a verdict assumes."""
    sums = np.concatenate([np.linspace(-30, 30, 401), [-1000.0, -100.0, 0.0, 100.0, 1000.0]])
    sums = sums.astype(np.float32)
    functions, calls = [], []
    for place, activation in enumerate(curves()):
        for type_ in ("float", "double"):
            name = f"{type_}_{place}"
            body = curve_body(activation, type_)
            functions.append(f"static {type_} {name}({type_} x) {{\n{body}\n}}\n")
            calls.append(f"    y[n++] = {name}(x);")
    body = "\n".join(calls)
    source = f"""#include <math.h>
#include <stdio.h>
{"".join(functions)}
int main(void) {{
  float x;
  while (fread(&x, sizeof x, 1, stdin) == 1) {{
    double y[{len(calls)}];
    int n = 0;
{body}
    fwrite(y, sizeof y, 1, stdout);
  }}
  return 0;
}}
"""
    _ = (tmp_path / "main.c").write_text(source)
    built = compiler.build(COMPILER, tmp_path, ("-O2",), "curves")
    assert built.program is not None, built.reason
    done = subprocess.run([built.program], input=sums.tobytes(), capture_output=True, check=True)
    got = np.frombuffer(done.stdout).reshape(len(sums), -1)
    x = sums.astype(np.float64)
    for place, activation in enumerate(curves()):
        own = activation.plain(x)
        for step, form in enumerate(("fp32", "fp64")):
            error = np.abs(got[:, 2 * place + step] - own)
            rounding = Rounding.of(FORMATS[form], library=True)
            bound = activation.rule.library.error(activation, np.abs(x), np.abs(own), rounding)
            assert (error <= 2 * bound).all(), (activation, form)  # NumPy's own error is in it


@needs_compiler
def test_it_compiles_as_cplusplus_beside_others_and_with_conversions_watched(tmp_path):
    nets = {"int": INT2, "main": LECTURE, "2 é": scaled(), "__x": hand_made("tanh", 0.5)}
    nets |= {"NULL": adderlab.build("comparator:2").network}
    source = "".join(f'#include "{number}.h"\n' for number in range(len(nets)))
    for number, (name, net) in enumerate(nets.items()):
        _ = (tmp_path / f"{number}.h").write_text(written(net, name=name)[1], encoding="ascii")
    _ = (tmp_path / "all.c").write_text(source + source + "int main(void) { return 0; }\n")
    for words in (
        [COMPILER, "-std=c99", "-Wconversion", "-Wshadow"],
        [COMPILER, "-x", "c++", "-std=c++17"],
    ):
        strict = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only", "all.c"]
        done = subprocess.run([*words, *strict], cwd=tmp_path, capture_output=True, text=True)
        if "cc1plus" in done.stderr:
            pytest.skip("the compiler has no C++")
        assert done.returncode == 0, done.stderr[:2000]


@needs_compiler
def test_float_arithmetic_that_is_another_is_refused_by_the_header(tmp_path):
    _ = (tmp_path / "net.h").write_text(written(LECTURE)[1], encoding="ascii")
    _ = (tmp_path / "use.c").write_text('#include "net.h"\nint use(int a) { return net(a, 1); }\n')

    def compiled(*options):
        words = [COMPILER, "-S", "-o", "-", "use.c", *options]
        return subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)

    assert "compile without it" in compiled("-ffast-math").stderr
    wide = compiled("-mfpmath=387")
    assert "unrecognized" in wide.stderr or "kept wider than float" in wide.stderr
    fused = compiled("-std=gnu99", "-O2", "-mfma", "-fno-tree-vectorize")
    assert "fmadd" not in fused.stdout


@given(number=st.floats(allow_nan=False, allow_infinity=False), width=st.sampled_from([32, 64]))
def test_a_literal_is_the_number(number, width):
    number = float(np.float32(number)) if width == 32 and abs(number) < 1e38 else number
    type_ = "float" if width == 32 and abs(number) < 1e38 else "double"
    read = read_tables(f"static const {type_} a[1] = {{{float_literal(number, type_)}}};\n")
    assert read["a"].numbers == [number]


def test_packed_numbers_lie_as_in_the_file_and_their_bytes_are_counted(tmp_path):
    subject, text = written(INT2)
    tensors = dict(subject.network.tensors())
    sizes = sum(tensor.stored_bytes for tensor in tensors.values())
    assert f"Bytes: {sizes} of tables" in text
    path = tmp_path / "net.h"
    _ = path.write_text(text)
    (fact,) = compare_c({"": path}, subject).facts
    assert (fact.key, fact.value) == ("weight_bytes", sizes)


def test_every_header_says_where_it_comes_from():
    subject, text = written(INT2)
    for line in subject.origin.lines():
        assert f" * {line}\n" in text
    assert text.isascii()
    assert written(INT2)[1] == text


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (
            adderlab.network([[[1 << 70, 1]]], [None], format="wide", task="parity:2"),
            f"fc1: its sums take more than 64 bits; {WIDER}",
        ),
        (
            adderlab.network([[[2.0**127, 2.0**127]]], [None], task="parity:2"),
            f"fc1: a sum may leave the range of float, up to 3.4e+38; {OTHERS}",
        ),
    ],
)
def test_what_no_type_of_c_holds_is_refused_with_targets_that_can(net, message):
    with strategies.refused(NetworkError, message):
        _ = written(net)


def test_without_a_compiler_the_numbers_alone_are_compared(monkeypatch, tmp_path):
    monkeypatch.setattr(compare, "compiler", lambda: None)
    subject, text = written(INT2)
    comparison = compared(subject, text, tmp_path)
    assert comparison.equal is None
    assert comparison.reason.startswith("no C compiler is here; install a C compiler")
    assert compared(subject, text.replace("0x55", "0x54"), tmp_path).equal is False


@needs_compiler
def test_a_compiler_that_compiles_nothing_is_no_fault_of_the_header(monkeypatch, tmp_path):
    monkeypatch.setenv("CC", "false")
    comparison = compared(*written(INT2), tmp_path)
    assert comparison.equal is None
    assert "compiles nothing" in comparison.reason


@needs_compiler
def test_the_command_writes_it_and_says_what_was_checked(capsys, tmp_path):
    net, out = tmp_path / "net.safetensors", tmp_path / "half-adder.h"
    adderlab.save(INT2, net)
    assert main(["export", str(net), "--to", "c", "-o", str(out)]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"run by (gcc|clang) \S+.*, it computes the same on all 4 rows", shown)
    assert "its tables of weights take 4 bytes" in shown
    assert "static inline uint8_t half_adder(uint8_t a, uint8_t b)" in out.read_text()
