"""``prove(out=…)``, ``check``, and the same on the command line."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from strategies import refused

import adderlab
from adderlab.cli.main import main
from adderlab.errors import CertificateError, OptionError


@pytest.fixture
def cell(tmp_path, monkeypatch):
    """Work in a folder with a full adder and its certificate."""
    monkeypatch.chdir(tmp_path)
    adderlab.save(adderlab.build("full-adder").network, "cell.safetensors")
    assert adderlab.prove("cell.safetensors", out="cell.cert")
    return tmp_path


def test_a_certificate_is_checked(cell):
    answer = adderlab.check("cell.safetensors", "cell.cert", "full-adder")
    assert answer
    assert answer.to_dict()["valid"] is True
    assert repr(answer).startswith("Checked: valid: full-adder is right on all 8 inputs")
    assert "full-adder is right" in answer._repr_html_()
    other = adderlab.check("cell.safetensors", "cell.cert", "adder:1")
    assert (other.valid, other.reason) == (False, "it is about full-adder, not adder:1")
    assert adderlab.check("cell.safetensors", "cell.cert", "adder:any").valid is False


def test_a_table_is_the_same_wherever_it_is(cell):
    table = cell / "xor.csv"
    table.write_text("in a:1,in b:1,out s:1\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    adderlab.save(adderlab.build(f"table:{table}", method="table").network, "xor.safetensors")
    assert adderlab.prove("xor.safetensors", out="xor.cert")
    assert str(cell) not in (cell / "xor.cert").read_text()
    assert adderlab.check("xor.safetensors", "xor.cert", f"table:{table}")
    assert adderlab.check("xor.safetensors", "xor.cert", "s = a ^ b")
    table.write_text("in a:1,in b:1,out s:1\n0,0,0\n0,1,1\n1,0,1\n1,1,1\n")
    assert adderlab.check("xor.safetensors", "xor.cert", f"table:{table}").valid is False


def test_a_network_in_memory_is_certified_as_it_would_be_saved(tmp_path):
    net = adderlab.build("adder:3").network
    assert adderlab.prove(net, out=tmp_path / "net.cert").certificate
    adderlab.save(net, tmp_path / "net.safetensors")
    assert adderlab.check(tmp_path / "net.safetensors", tmp_path / "net.cert")


def test_where_there_is_no_certificate_a_note_says_why(tmp_path):
    weights = {"fc1.weight": [[1.0, 1.0], [1.0, 1.0]], "fc1.bias": [0.0, -1.0],
               "fc2.weight": [[0.0, 1.0], [1.0, -2.0]], "fc2.bias": [0.0, 0.0]}  # fmt: skip
    np.savez(tmp_path / "net.npz", **weights)
    verdict = adderlab.prove(tmp_path / "net.npz", "half-adder", out=tmp_path / "net.cert")
    assert verdict
    assert verdict.notes[-1].startswith("no certificate was written: it is not bound to a network")
    assert not (tmp_path / "net.cert").exists()
    assert verdict.to_dict()["certificate"] is None
    with refused(
        OptionError,
        "out: a certificate is about a network file as it is, its readout included; save the "
        "network with that readout first",
    ):
        adderlab.prove(tmp_path / "net.npz", "half-adder", readout=0.25, out=tmp_path / "net.cert")


def test_a_file_that_is_no_certificate_is_refused(cell):
    for content, what in (
        (b"", "it is not JSON"),
        (b"{}", "it is no certificate of adderlab"),
        ((cell / "cell.safetensors").read_bytes(), "it is not JSON"),
    ):
        (cell / "bad.cert").write_bytes(content)
        remedy = "name a certificate, as `prove(out=…)` writes it"
        with refused(CertificateError, f"bad.cert: {what}; {remedy}"):
            adderlab.check("cell.safetensors", "bad.cert")
    with (cell / "huge.cert").open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(CertificateError, match=r"huge\.cert"):
        adderlab.check("cell.safetensors", "huge.cert")
    with pytest.raises(CertificateError, match=r"missing\.cert"):
        adderlab.check("cell.safetensors", "missing.cert")


def test_on_the_command_line(cell, capsys):
    def run(line):
        code = main(line.split())
        done = capsys.readouterr()
        assert "Traceback" not in done.err
        return code, done.out, done.err

    code, out, _ = run("prove cell.safetensors --task adder:any -o any.cert")
    assert code == 0
    assert "certificate: any.cert" in out
    code, out, _ = run("check cell.safetensors any.cert --task adder:any")
    assert code == 0
    assert out.startswith("valid: adder:any is right at every width")
    code, out, _ = run("check cell.safetensors cell.cert --task adder:any --json")
    assert code == 1
    assert json.loads(out)["valid"] is False
    claims = json.loads((cell / "cell.cert").read_text())
    (cell / "new.cert").write_bytes(adderlab.checker.seal({**claims, "adderlab_certificate": 2}))
    code, out, _ = run("check cell.safetensors new.cert")
    assert (code, out.splitlines()[0]) == (
        3, "can't be re-checked here: certificates of version 2 are not known here",
    )  # fmt: skip
    code, out, _ = run("check cell.safetensors cell.cert --timeout 1e-9 --json")
    assert code == 3
    answer = json.loads(out)
    assert (answer["valid"], answer["reason"]) == (
        None, "the time was up while the files were read",
    )  # fmt: skip
    assert run("check cell.safetensors cell.cert --timeout 600")[0] == 0
    for line, what in (
        ("check cell.safetensors cell.cert --timeout 0", "--timeout: got 0; give seconds above 0"),
        ("check cell.safetensors cell.cert --timeout nan", "--timeout: got nan"),
        ("check cell.safetensors", "CERT is missing"),
        ("check", "NET and CERT"),
        ("check cell.safetensors cell.safetensors", "not JSON"),
        ("check cell.safetensors missing.cert", "missing.cert"),
        ("check missing.safetensors cell.cert", "missing.safetensors"),
        ("check cell.safetensors cell.cert --task hlaf-adder", "did you mean half-adder"),
        ("check cell.safetensors --write-checker x.py", "--write-checker"),
        ("prove cell.safetensors -o missing/cell.cert", "missing"),
        ("prove cell.safetensors --readout 0.25 -o x.cert", "its readout included"),
    ):
        code, _, err = run(line)
        assert (code, what in err, len(err.splitlines())) == (2, True, 1), (line, err)
    assert not (cell / "x.py").exists()


def test_the_checker_that_is_handed_out_runs_by_itself(cell, capsys):
    assert main(["check", "--write-checker", "checker.py"]) == 0
    assert capsys.readouterr().out == "written: checker.py\n"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "checker.py", "cell.safetensors", "cell.cert"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("valid: full-adder is right on all 8 inputs")


def test_the_one_file_keeps_the_same_limits(cell, capsys, monkeypatch):
    def run(*more):
        return adderlab.checker.main(["cell.safetensors", "cell.cert", *more])

    assert run("--timeout", "600") == 0
    assert run("--timeout", "1e-9") == 3
    assert "not re-checked: the time was up while the certificate was read" in (
        capsys.readouterr().out
    )
    for seconds in ("0", "-1", "nan", "soon"):
        with pytest.raises(SystemExit) as ended:
            run("--timeout", seconds)
        assert ended.value.code == 2
    size = (cell / "cell.cert").stat().st_size
    network = (cell / "cell.safetensors").read_bytes()
    (cell / "cell.safetensors").write_bytes(network + bytes(size))
    monkeypatch.setattr(adderlab.checker, "LARGEST_BYTES", size)
    assert run() == 3
    reason = f"network files of over {size} bytes are not read here"
    assert reason in capsys.readouterr().out
    answer = adderlab.check("cell.safetensors", "cell.cert")
    assert (answer.valid, answer.reason) == (None, reason)
