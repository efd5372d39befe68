"""``train`` for one network: the settings that came with populations, and what is refused."""

from __future__ import annotations

import json

import pytest

from adderlab.cli.main import main
from adderlab.cli.settings import hidden_widths
from adderlab.errors import OptionError
from adderlab.nets import load
from adderlab.tasks import task_named
from adderlab.training import Settings
from adderlab.training.loop import train_network


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Run a command in an empty folder; return exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def command(line: str):
        code = main(line.split())
        out, err = capsys.readouterr()
        return code, out, err

    return command


def test_a_member_is_trained_alone_and_replayed(run, tmp_path):
    code, out, _ = run("train half-adder --seed 2 --member 17 --steps 200 -o net.safetensors")
    assert code in (0, 1)
    assert out.splitlines()[0] == "seed 2, member 17"
    settings = Settings(seed=2, member=17, steps=200)
    kept = load(tmp_path / "net.safetensors")
    again = train_network(task_named("half-adder"), settings).network
    assert [t.numbers.tobytes() for _, t in kept.tensors()] == [
        t.numbers.tobytes() for _, t in again.tensors()
    ]
    code, out, _ = run("train --replay net.safetensors")
    assert code == 0
    assert "member 17" in out
    assert "the bytes agree: training again gives the same file" in out


def test_every_setting_reaches_the_record(run, tmp_path):
    line = (
        "train half-adder --hidden 4x3 --optimizer momentum --momentum 0.5 --weight-decay 0.01 "
        "--init he --init-scale 0.5 --data table --stop-margin 0.25 --member 1 --steps 30 "
        "-o net.safetensors --json"
    )
    _, out, _ = run(line)
    found = json.loads(out)
    assert (found["seed"], found["member"], found["stopped_at"]) == (0, 1, 30)
    assert found["settings"]["hidden"] == [4, 3]
    assert Settings.from_record(load(tmp_path / "net.safetensors").training) == Settings(
        hidden=(4, 3), optimizer="momentum", momentum=0.5, weight_decay=0.01, init="he",
        init_scale=0.5, data="table", stop_margin=0.25, member=1, steps=30,
    )  # fmt: skip


def test_an_early_stop_is_told(run):
    code, out, _ = run("train half-adder --activation tanh --hidden 8 --lr 0.3 --stop-margin 0.2")
    assert code == 0
    (line,) = (line for line in out.splitlines() if line.startswith("stopped at step"))
    assert line.endswith(": every row is right by more than 0.2")
    steps = int(line.split()[3].rstrip(":"))
    assert 0 < steps < 1000
    assert steps % 10 == 0


def test_a_whole_table_is_not_called_samples(run):
    _, out, _ = run("train half-adder --data table --steps 10")
    assert "(over every row once)" in out
    assert "the samples lack" not in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--hidden 3y4", "--hidden: got 3y4; give a whole number, or one for each layer: 16x8"),
        ("--hidden 3x", "--hidden: got 3x; give a whole number, or one for each layer: 16x8"),
        ("--hidden 3x0", "--hidden: got 0; give a whole number of at least 1"),
        (
            "--momentum 0.5",
            "--momentum: got 0.5, but the optimizer is sgd; add --optimizer momentum",
        ),
        (
            "--optimizer momentum --momentum 1",
            "--momentum: got 1.0; give a number from 0 to below 1",
        ),
        ("--weight-decay -1", "--weight-decay: got -1.0; give a finite number of at least 0"),
        ("--init-scale 0", "--init-scale: got 0.0; give a finite number above 0"),
        ("--init-scale nan", "--init-scale: got nan; give a finite number above 0"),
        (
            "--init-scale 1e39",
            "--init-scale: got 1e+39; give a number of at most 3.40282e+38, the largest of fp32",
        ),
        ("--stop-margin inf", "--stop-margin: got inf; give a finite number of at least 0"),
        ("--member -1", "--member: got -1; give a whole number in 0..9223372036854775807"),
    ],
)
def test_what_is_no_setting_is_refused_in_one_line(run, options, message):
    code, out, err = run(f"train half-adder {options}")
    assert (code, out) == (2, "")
    assert err == f"adderlab: {message}\n"


def test_a_member_of_a_task_too_large_is_refused(run):
    code, _, err = run("train adder:9 --member 4")
    assert code == 2
    assert err == (
        "adderlab: --member: adder:9 has 262144 rows, a population takes at most 4096; train one "
        "network, or take a narrower task\n"
    )


@pytest.mark.parametrize(
    ("text", "widths"), [("3", 3), ("16x8", (16, 8)), ("4X3X2", (4, 3, 2)), ("07", 7)]
)
def test_hidden_units_are_read_layer_by_layer(text, widths):
    assert hidden_widths(text) == widths
    with pytest.raises(OptionError):
        _ = hidden_widths(text + "x")
