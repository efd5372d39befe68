"""``export(…, certificate=…)``: the file names the certificate, and the certificate the file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sealing import sealed
from strategies import refused

import adderlab
from adderlab import checker
from adderlab.cli.main import main
from adderlab.errors import CertificateError, NetworkError, OutputError
from adderlab.exporting.comparison import Comparison
from adderlab.verbs.export_targets import TARGETS

REMEDY = "`prove(out=…)` writes the certificate of this file and task"


class Pair:
    """A target of two text files, which says what it is told to say of them."""

    def __init__(self, monkeypatch):
        self.answer = Comparison(True, 8, "a simulator", scope="")
        target = replace(
            TARGETS["html"],
            endings=(".txt",),
            write=self.write,
            compare=lambda paths, subject: self.answer,
            takes_wiring=True,
            shows_verdict=False,
        )
        monkeypatch.setitem(TARGETS, "pair", target)

    @staticmethod
    def write(subject):
        text = "\n".join(subject.origin.lines())
        return {"": f"{text}\nnet\n", "_tb.txt": f"{text}\nbench\n"}


@pytest.fixture
def pair(tmp_path, monkeypatch):
    """Work in a folder with a full adder, its certificate, and a target of two files."""
    monkeypatch.chdir(tmp_path)
    adderlab.save(adderlab.build("full-adder").network, "net.safetensors")
    assert adderlab.prove("net.safetensors", out="net.cert")
    return Pair(monkeypatch)


def export(certificate="net.cert", task=None, out="net.txt", **options):
    return adderlab.export(
        "net.safetensors", task, to="pair", out=out, certificate=certificate, **options
    )


def claims_of(path):
    return json.loads(Path(path).read_bytes())


def test_files_and_certificate_name_each_other(pair):
    before = claims_of("net.cert")
    exported = export()
    assert exported.certificate == Path("net.cert")
    assert exported.to_dict()["certificate"] == "net.cert"
    own = before["sha256"]
    for file in exported.files:
        assert f"certificate SHA-256: {own}" in file.read_text()
    after = claims_of("net.cert")
    assert {key: after[key] for key in before} == before
    assert [(entry["name"], entry["equal"]) for entry in after["artifacts"]] == [
        ("net.txt", True), ("net_tb.txt", True),
    ]  # fmt: skip
    answer = adderlab.check("net.safetensors", "net.cert", artifacts=exported.files)
    assert answer
    assert "net_tb.txt is the file that was run by a simulator on all 8 rows" in answer.reason
    once = Path("net.cert").read_bytes()
    _ = export()
    assert Path("net.cert").read_bytes() == once
    Path("net.txt").write_text("other")
    assert adderlab.check("net.safetensors", "net.cert", artifacts="net.txt").valid is False


def test_without_a_certificate_none_is_named(pair):
    exported = export(None)
    assert exported.certificate is None
    assert exported.to_dict()["certificate"] is None
    assert "certificate SHA-256: none" in Path("net.txt").read_text()


def test_a_wiring_takes_the_certificate_of_every_width(pair):
    assert adderlab.prove("net.safetensors", "adder:any", out="any.cert")
    pair.answer = Comparison(True, 1000, "a simulator", scope="at widths 1 to 8")
    assert export("any.cert", "adder:any").certificate
    answer = adderlab.check("net.safetensors", "any.cert", "adder:any", artifacts="net.txt")
    assert answer.reason.endswith("run by a simulator on 1000 rows, at widths 1 to 8")
    for certificate, task, what in (
        ("net.cert", "adder:any", "it is about full-adder, not adder:any"),
        ("any.cert", None, "it is about adder:any, not full-adder"),
    ):
        with refused(CertificateError, f"{certificate}: {what}; {REMEDY}"):
            _ = export(certificate, task, "new.txt")
    assert not Path("new.txt").exists()


def test_what_nothing_ran_is_listed_as_such(pair):
    pair.answer = Comparison(None, 3, "half of it", reason="no simulator is here")
    _ = export()
    (entry, _) = claims_of("net.cert")["artifacts"]
    assert (entry["equal"], entry["checked_rows"], entry["checked_by"]) == (None, 0, "")
    answer = adderlab.check("net.safetensors", "net.cert", artifacts="net.txt")
    assert (answer.valid, answer.reason) == (
        None, "net.txt is the file that was exported, but it was not run",
    )  # fmt: skip


def test_files_that_differ_leave_the_certificate_as_it_was(pair):
    before = Path("net.cert").read_bytes()
    pair.answer = Comparison(False, 3, "a simulator", reason="row 3 differs")
    exported = export()
    assert (exported.equal, exported.certificate, exported.files) == (False, None, ())
    assert Path("net.cert").read_bytes() == before
    assert {path.name for path in Path().iterdir()} == {"net.cert", "net.safetensors"}


def bad_certificates():
    """Write certificates that are none of this network and task, each with what is said of it."""
    own = Path("net.cert").read_bytes()
    other = adderlab.build("full-adder", method="one-layer").network
    adderlab.save(adderlab.quantize(other, "int8").network, "other.safetensors")
    assert adderlab.prove("other.safetensors", "full-adder", out="other.cert")
    Path("damaged.cert").write_bytes(own.replace(b"proved", b"proven"))
    Path("margin.cert").write_bytes(sealed(own, margin={"of_0": "1", "of_1": "1"}))
    Path("later.cert").write_bytes(sealed(own, adderlab_certificate=2))
    invalid = "it is not valid for this network file"
    return {
        "other.cert": f"{invalid}: the certificate is about another network file; {REMEDY}",
        "damaged.cert": f"{invalid}: the certificate was changed: its bytes do not fit its SHA-256;"
        f" {REMEDY}",
        "margin.cert": f"{invalid}: the margin is another than the one stated; {REMEDY}",
        "later.cert": "it can't be re-checked: certificates of version 2 are not known here; "
        + REMEDY,
        "net.safetensors": "this file is read, and would be lost; name another file",
        "no/net.cert": "the folder 'no' does not exist; make it first",
        "no.cert": "no such file; check the path",
    }


def test_other_certificates_are_refused_before_anything_is_written(pair, capsys):
    cases = bad_certificates()
    files = {path: path.read_bytes() for path in Path().iterdir()}
    for name, what in cases.items():
        error = OutputError if "read, and" in what or "folder" in what else CertificateError
        with refused(error, f"{name}: {what}"):
            _ = export(name)
        assert main(["export", "net.safetensors", "--to", "html", "-o", "x.html",
                     "--certificate", name]) == 2  # fmt: skip
        printed = capsys.readouterr()
        assert (printed.out, len(printed.err.splitlines())) == ("", 1)
    assert {path: path.read_bytes() for path in Path().iterdir()} == files


def test_a_certificate_of_bits_in_another_order_is_of_another_task(pair):
    with refused(
        CertificateError,
        f"net.cert: it is about full-adder with its bits in another order; {REMEDY}",
    ):
        _ = export(bits="lsb-first", force=True)


def test_the_certificate_is_not_what_is_written(pair):
    for out in ("net.cert", "link.txt"):
        Path("link.txt").unlink(missing_ok=True)
        Path("link.txt").symlink_to("net.cert")
        with pytest.raises(OutputError):
            _ = export(out=out)
    Path("link_tb.txt").symlink_to("net.cert")
    Path("link.txt").unlink()
    with refused(
        OutputError, "link_tb.txt: this file is read, and would be lost; name another file"
    ):
        _ = export(out="link.txt")
    assert adderlab.check("net.safetensors", "net.cert")


def test_a_refutation_is_carried_by_what_is_forced(pair):
    adderlab.save(adderlab.build("half-adder", method="lecture").network, "wrong.safetensors")
    assert not adderlab.prove("wrong.safetensors", formats="exact", out="wrong.cert")
    options = {"to": "pair", "out": "wrong.txt", "certificate": "wrong.cert"}
    with pytest.raises(NetworkError, match="it is refuted"):
        _ = adderlab.export("wrong.safetensors", **options)
    assert not Path("wrong.txt").exists()
    assert "artifacts" not in claims_of("wrong.cert")
    assert adderlab.export("wrong.safetensors", force=True, **options).certificate
    answer = adderlab.check("wrong.safetensors", "wrong.cert", artifacts="wrong.txt")
    assert answer
    assert "DO NOT USE: refuted" in Path("wrong.txt").read_text()


def test_a_certificate_that_changes_meanwhile_is_not_overwritten(pair, monkeypatch):
    """One that was listed in meanwhile keeps that; another in its place stays, and no file does."""
    other = checker.seal({**claims_of("net.cert"), "margin": 7})

    def compare(paths, subject):
        Path("net.cert").write_bytes(other)
        return pair.answer

    monkeypatch.setitem(TARGETS, "pair", replace(TARGETS["pair"], compare=compare))
    what = "net.cert: it was replaced while the network was exported; export again"
    with refused(CertificateError, what):
        _ = export()
    assert Path("net.cert").read_bytes() == other
    assert {path.name for path in Path().iterdir()} == {"net.cert", "net.safetensors"}


def test_what_was_listed_meanwhile_stays(pair, monkeypatch):
    def compare(paths, subject):
        monkeypatch.setitem(TARGETS, "pair", plain)
        _ = export(out="first.txt")
        return pair.answer

    plain = TARGETS["pair"]
    monkeypatch.setitem(TARGETS, "pair", replace(plain, compare=compare))
    _ = export()
    names = [entry["name"] for entry in claims_of("net.cert")["artifacts"]]
    assert names == ["first.txt", "first_tb.txt", "net.txt", "net_tb.txt"]


def test_a_certificate_that_can_not_be_replaced_says_what_was_written(pair, monkeypatch):
    own = Path.replace

    def replaced(self, target):
        if Path(target).name == "net.cert":
            raise OSError(5, "Input/output error")
        return own(self, target)

    monkeypatch.setattr(Path, "replace", replaced)
    before = Path("net.cert").read_bytes()
    with refused(
        OutputError,
        "net.cert: can't be written (Input/output error); the exported files are written, and it "
        "does not list them; mend its place and export again",
    ):
        _ = export()
    assert Path("net.cert").read_bytes() == before
    assert Path("net_tb.txt").read_text().endswith("bench\n")


@pytest.mark.parametrize(
    "name", ["für.txt", "a\nb.txt", "x" * 240 + ".txt", "a\\b.txt", "\udcff.txt"]
)
def test_any_name_of_a_file_can_be_listed(name, pair):
    _ = export(out=name)
    answer = adderlab.check("net.safetensors", "net.cert", artifacts=name)
    assert answer.valid is True, answer
    assert all(entry["name"].isascii() for entry in claims_of("net.cert")["artifacts"])


def test_on_the_command_line(pair, capsys):
    def run(line):
        code = main(line.split())
        done = capsys.readouterr()
        return code, done.out, done.err

    code, out, _ = run("export net.safetensors --to html -o net.html --certificate net.cert")
    assert code == 0
    assert out.splitlines()[-1] == "net.cert lists it, with what was checked"
    assert claims_of("net.cert")["sha256"] in Path("net.html").read_text(encoding="utf-8")
    code, out, _ = run("check net.safetensors net.cert --artifact net.html --json")
    is_run = claims_of("net.cert")["artifacts"][0]["equal"]
    assert (code, json.loads(out)["valid"]) == ((0, True) if is_run else (3, None))
    assert run("check net.safetensors net.cert --artifact net.html --artifact net.cert")[0] in (
        1,
        3,
    )
    code, _, err = run("check net.safetensors net.cert --artifact none.html")
    assert (code, err) == (2, "adderlab: none.html: no such file; check the path\n")
    code, _, err = run("check --write-checker x.py --artifact net.html")
    assert code == 2
    assert "got an artifact too" in err
