"""What a certificate lists of exported files: its form, its hash, and the files themselves."""

from __future__ import annotations

import json
import random
from contextlib import suppress

import pytest
from attacks import mutations
from hypothesis import given
from hypothesis import strategies as st
from sealing import certified, sealed
from strategies import MANY

import adderlab
from adderlab import checker
from adderlab.proving.certificates import with_artifacts
from adderlab.tasks import task_named

NET = adderlab.build("full-adder").network
DATA, PLAIN, _ = certified(NET, task_named("full-adder"))
OWN = json.loads(PLAIN)["sha256"]
VERILOG = f"// certificate SHA-256: {OWN}\nmodule cell; endmodule\n".encode()
BENCH = f"// certificate SHA-256: {OWN}\nmodule cell_tb; endmodule\n".encode()


def listed(content=VERILOG, **changes):
    entry = {
        "to": "verilog", "name": "cell.v", "sha256": checker.hashlib.sha256(content).hexdigest(),
        "bytes": len(content), "equal": True, "checked_rows": 8, "scope": "",
        "checked_by": "Icarus Verilog 12.0",
    }  # fmt: skip
    return {**entry, **changes}


def with_entries(*entries):
    return sealed(PLAIN, artifacts=list(entries))


def answer(certificate, **artifacts):
    files = {name.replace("_v", ".v"): content for name, content in artifacts.items()}
    return checker.check(certificate, DATA, None, 1e6, files)


def test_what_is_listed_is_no_part_of_what_the_certificate_is_called_by():
    """An artifact carries the hash of the claims, which its own hash therefore can't change."""
    certificate = with_artifacts(PLAIN, [listed()])
    claims = json.loads(certificate)
    assert claims["sha256"] == OWN
    assert {*claims} - {*json.loads(PLAIN)} == {"artifacts", "artifacts_sha256"}
    assert checker.check(certificate, DATA) == checker.check(PLAIN, DATA)
    assert checker.check(certificate, DATA)[0] is True
    assert with_artifacts(PLAIN, []) == PLAIN


def test_a_file_of_the_same_target_and_name_is_replaced_and_others_are_kept():
    first = with_artifacts(PLAIN, [listed(BENCH, name="cell_tb.v"), listed()])
    assert [entry["name"] for entry in json.loads(first)["artifacts"]] == ["cell.v", "cell_tb.v"]
    changed = VERILOG + b"\n"
    second = with_artifacts(first, [listed(changed), listed(to="c")])
    assert second == with_artifacts(second, [listed(changed)])
    assert [(e["to"], e["name"], e["bytes"]) for e in json.loads(second)["artifacts"]] == [
        ("c", "cell.v", len(VERILOG)),
        ("verilog", "cell.v", len(changed)),
        ("verilog", "cell_tb.v", len(BENCH)),
    ]
    assert checker.check(second, DATA)[0] is True


def test_a_file_that_was_run_is_what_it_is_by_its_bytes_alone():
    certificate = with_artifacts(PLAIN, [listed(), listed(BENCH, name="cell_tb.v")])
    proof = "full-adder is right on all 8 inputs; in exact arithmetic and in fp32"
    ran = "is the file that was run by Icarus Verilog 12.0 on all 8 rows"
    assert answer(certificate, x_v=VERILOG) == (True, f"{proof}; x.v {ran}")
    both = answer(certificate, a_v=VERILOG, b_v=BENCH)
    assert both == (True, f"{proof}; a.v {ran}; b.v {ran}")
    for content in (VERILOG + b"\n", VERILOG[:-1], b"", DATA):
        assert answer(certificate, x_v=content) == (
            False, "x.v is no file that the certificate lists: its bytes are others",
        )  # fmt: skip
        assert answer(certificate, a_v=VERILOG, x_v=content)[0] is False
    assert answer(PLAIN, x_v=VERILOG)[0] is False


def test_rows_that_were_chosen_are_not_called_all():
    scope = "boundary and random ones of 2^64"
    certificate = with_entries(listed(checked_rows=4227, scope=scope))
    assert answer(certificate, x_v=VERILOG)[1].endswith(f" on 4227 rows, {scope}")


def test_a_file_that_nothing_ran_is_not_called_checked():
    unrun = listed(equal=None, checked_rows=0, checked_by="")
    certificate = with_entries(unrun)
    assert checker.check(certificate, DATA)[0] is True
    assert answer(certificate, x_v=VERILOG) == (
        None, "x.v is the file that was exported, but it was not run",
    )  # fmt: skip
    again = with_entries(unrun, listed(name="later.v"))  # the same bytes, where a simulator was
    assert answer(again, x_v=VERILOG)[0] is True


def test_a_file_that_names_another_certificate_is_not_of_this_one():
    content = VERILOG.replace(OWN.encode(), b"0" * 64)
    assert answer(with_entries(listed(content)), x_v=content) == (
        False, "x.v does not name this certificate",
    )  # fmt: skip


def test_what_is_wrong_with_the_claims_comes_first():
    """A list of files makes no other certificate valid."""
    wrong = sealed(with_entries(listed()), margin={"of_0": "1", "of_1": "1"})
    assert checker.check(wrong, DATA)[0] is False
    valid, reason = checker.check(with_entries(listed()), DATA, "half-adder", 1e6, {"x": VERILOG})
    assert (valid, reason) == (False, "it is about full-adder, not half-adder")


def test_a_file_that_is_too_large_is_not_called_invalid(monkeypatch):
    certificate = with_entries(listed())
    monkeypatch.setattr(checker, "LARGEST_BYTES", len(DATA))
    content = VERILOG + bytes(len(DATA))
    assert answer(certificate, x_v=content) == (None, f"x.v has over {len(DATA)} bytes")


FAULTY = {
    "no list": {},
    "nothing": [],
    "null": None,
    "no object": ["cell.v"],
    "a key less": [{key: value for key, value in listed().items() if key != "scope"}],
    "a key more": [{**listed(), "by": "me"}],
    "another order": [listed(), listed(to="c")],
    "twice": [listed(), listed()],
    "a hash in capitals": [listed(sha256="AB" * 32)],
    "a short hash": [listed(sha256="ab" * 31)],
    "a longer hash": [listed(sha256="ab" * 32 + "\n")],
    "a number as hash": [listed(sha256=7)],
    "a folder": [listed(name="dir/cell.v")],
    "a line break": [listed(name="cell\n.v")],
    "an escape": [listed(scope="\x1b[2J")],
    "a reversed text": [listed(checked_by="\u202ecc")],
    "half a character": [listed(name="\udc80.v")],
    "another letter than ASCII's": [listed(name="f\u00fcr.v")],
    "a delete": [listed(name="cell\x7f.v")],
    "a long text": [listed(scope="x" * 256)],
    "unequal": [listed(equal=False)],
    "equal as a number": [listed(equal=1)],
    "equal as a text": [listed(equal="true")],
    "bytes as a bit": [listed(bytes=True)],
    "bytes as a text": [listed(bytes="7")],
    "bytes below 0": [listed(bytes=-1)],
    "a fraction of a row": [listed(checked_rows=0.5)],
    "rows as a bit": [listed(checked_rows=True)],
    "rows below 0": [listed(equal=None, checked_rows=-1)],
    "run on no row": [listed(checked_rows=0)],
    "a target that is none": [listed(to=None)],
}


@pytest.mark.parametrize("name", FAULTY)
def test_a_list_in_another_form_is_refused_whatever_is_asked(name):
    certificate = sealed(PLAIN, artifacts=FAULTY[name])
    assert checker.check(certificate, DATA)[0] is False


def test_a_long_text_has_255_characters_at_most():
    assert checker.check(with_entries(listed(scope="x" * 255)), DATA)[0] is True


def test_the_list_has_a_hash_of_its_own_that_is_bound_to_the_claims():
    certificate = with_entries(listed())
    claims = json.loads(certificate)
    for change in (
        {"artifacts_sha256": "0" * 64},
        {"artifacts_sha256": None},
        {"artifacts": [listed(checked_rows=9)]},
    ):
        assert checker.check(checker.canonical({**claims, **change}), DATA)[0] is False
    for key in ("artifacts", "artifacts_sha256"):
        part = {name: value for name, value in claims.items() if name != key}
        assert checker.check(checker.canonical(part), DATA)[0] is False
    _, other, _ = certified(adderlab.build("half-adder").network, task_named("half-adder"))
    moved = {key: claims[key] for key in ("artifacts", "artifacts_sha256")}
    with pytest.raises(checker.InvalidError, match="its bytes do not fit"):
        _ = checker.unsealed(checker.canonical({**json.loads(other), **moved}))


@MANY
@given(st.integers(0, 2**32), st.booleans())
def test_no_other_bytes_are_valid(seed, is_resealed):
    """Damage is refused; of what is sealed again, a file is valid if an entry still is its own."""
    rng = random.Random(seed)
    certificate = with_entries(listed(), listed(BENCH, name="cell_tb.v"))
    if not is_resealed:
        damaged = mutations.of_bytes(rng, certificate)
        with suppress(checker.UnusableError):
            assert not answer(damaged, x_v=VERILOG)[0] or damaged == certificate
        return
    claims = json.loads(certificate)
    claims["artifacts"] = mutations.of_value(rng, claims["artifacts"])
    try:
        changed = checker.seal(claims)
    except ValueError:  # no JSON
        return
    valid, _ = answer(changed, x_v=VERILOG)
    entries = claims["artifacts"]
    is_listed = isinstance(entries, list) and any(
        isinstance(entry, dict)
        and entry.get("sha256") == listed()["sha256"]
        and entry.get("equal") is True
        for entry in entries
    )
    assert not valid or is_listed


def test_the_one_file_takes_files_too(tmp_path, capsys):
    for name, content in (
        ("net.safetensors", DATA), ("net.cert", with_entries(listed())), ("cell.v", VERILOG),
    ):  # fmt: skip
        (tmp_path / name).write_bytes(content)
    own = [str(tmp_path / "net.safetensors"), str(tmp_path / "net.cert"), "--artifact"]
    assert checker.main([*own, str(tmp_path / "cell.v")]) == 0
    assert "cell.v is the file that was run by Icarus" in capsys.readouterr().out
    assert checker.main([*own, str(tmp_path / "cell.v"), *own[2:], own[0]]) == 1
    assert checker.main([*own, str(tmp_path / "none.v")]) == 2
