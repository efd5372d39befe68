"""``grade``: an entry for whatever is handed in, ranked by a rule, copies marked, nothing run."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import pickle
import random
import zipfile

import numpy as np
import pytest

import adderlab
from adderlab.blocks.numbers import digits
from adderlab.errors import AdderlabError, Interrupted
from adderlab.nets import Activation, network, save
from adderlab.verbs import grade as grade_module
from adderlab.verbs.graded import Entry, ranked
from adderlab.verbs.graded_csv import COLUMNS, to_csv
from adderlab.verbs.hand_ins import files_in, shown_name

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

WEIGHTS = [[[1, 1], [1, 1]], [[0, 1], [1, -2]]]
BIASES = [[0, -1], [0, 0]]
REARRANGED = [[[4, 4], [1, 1]], [[0.25, 0], [-0.5, 1]]]


class Ran:
    """A pickled object that leaves a file where it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch '{self.path}'",)


def hand_in_everything(folder, traces):
    """Write one file of each kind."""
    (folder / "group b").mkdir()
    right = network(WEIGHTS, BIASES, task="half-adder")
    _ = save(right, folder / "anna.safetensors")
    _ = save(network(REARRANGED, [[-4, 0], [0, 0]]), folder / "group b" / "copy.safetensors")
    arrays = {f"fc{at + 1}.weight": np.array(rows, np.float32) for at, rows in enumerate(WEIGHTS)}
    np.savez(folder / "plain.npz", **arrays, **{"fc1.bias": np.float32([0, -1])})
    _ = (folder / "listed.json").write_text(
        json.dumps({"fc1.weight": WEIGHTS[0], "fc1.bias": BIASES[0], "fc2.weight": WEIGHTS[1]})
    )
    _ = adderlab.build("half-adder", method="lecture", out=folder / "lecture.safetensors")
    smaller = network([[[1, 1]], [[1], [1]]], [[0], None], activation=Activation("step"))
    _ = save(smaller, folder / "smaller.safetensors")
    cancelling = network([[[4096, 1, -4096]], [[1]]], [[0], None], format="fp16")
    _ = save(cancelling, folder / "three.safetensors")
    _ = (folder / "garbage.safetensors").write_bytes(random.Random(2).randbytes(900))
    _ = (folder / "empty").write_bytes(b"")
    _ = (folder / "evil.pkl").write_bytes(pickle.dumps(Ran(traces)))
    with zipfile.ZipFile(folder / "evil.pt", "w") as archive:
        archive.writestr("a/data.pkl", pickle.dumps(Ran(traces), protocol=2))
        archive.writestr("a/version", "3")
    _ = (folder / "=cmd|x.txt").write_text("hello")
    _ = (folder / "numpy.py").write_text(f"open({str(traces)!r}, 'w')")
    _ = (folder / os.fsdecode(b"odd\xff\n\xe2\x80\xae.txt")).write_text("hello")
    _ = (folder / ".hidden.safetensors").write_bytes(b"x")
    (folder / ".git").mkdir()
    _ = (folder / ".git" / "config").write_bytes(b"x")
    (folder / "inside.safetensors").symlink_to("anna.safetensors")
    (folder / "outside.safetensors").symlink_to("/etc/passwd")
    (folder / "folder").symlink_to(folder / "group b")
    (folder / "nowhere").symlink_to("missing")
    os.mkfifo(folder / "pipe")


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grades")
    handins, traces = folder / "hand ins", folder / "traces"
    handins.mkdir()
    hand_in_everything(handins, traces)
    before = os.getcwd()  # noqa: PTH109 -- to go back to
    os.chdir(handins)  # a lecturer may work there: what lies there is not imported
    try:
        result = adderlab.grade(
            ".", "half-adder", out=folder / "grades.csv", page=folder / "grades.html"
        )
    finally:
        os.chdir(before)
    assert not traces.exists()
    return result


def by_name(graded):
    return {entry.name: entry for entry in graded.entries}


def test_every_file_is_an_entry_and_a_bad_one_stops_nothing(graded):
    entries = by_name(graded)
    verdicts = {name: entry.verdict for name, entry in entries.items()}
    assert verdicts == {
        "anna.safetensors": "proved",
        "group b/copy.safetensors": "proved",
        "inside.safetensors": "proved",
        "listed.json": "proved",
        "plain.npz": "proved",
        "lecture.safetensors": "refuted",
        "smaller.safetensors": "refuted",
        **dict.fromkeys(
            ("three.safetensors", "garbage.safetensors", "empty", "evil.pkl", "evil.pt", "pipe",
             "=cmd|x.txt", "numpy.py", "odd\\xff\\x0a\\u202e.txt", "outside.safetensors", "folder",
             "nowhere"),
            "refused",
        ),
    }  # fmt: skip
    assert graded.hidden == 2
    assert entries["lecture.safetensors"].counterexample == "1 + 1 gives c = 3, expected c = 2"
    assert entries["lecture.safetensors"].rows_right == 3
    for name, entry in entries.items():
        assert bool(entry.reason) is (entry.verdict == "refused"), name
        assert entry.reason.isprintable(), name
        assert "hand ins" not in entry.reason, name
    reasons = {name: entry.reason for name, entry in entries.items() if entry.reason}
    assert reasons["three.safetensors"] == (
        "half-adder has 2 input and 2 output bits, the network 3 and 1"
    )
    assert "a link that leads out of the folder" in reasons["outside.safetensors"]
    assert "a link to a folder" in reasons["folder"]
    assert reasons["nowhere"] == "a link that leads nowhere"
    assert reasons["pipe"] == "not a regular file"
    assert reasons["=cmd|x.txt"] == "this is a text file"


def test_size_hash_and_parameters_are_those_of_the_file(graded):
    entries = by_name(graded)
    for name in ("anna.safetensors", "garbage.safetensors", "empty", "plain.npz"):
        data = (graded.file.parent / "hand ins" / name).read_bytes()
        assert entries[name].bytes == len(data)
        assert entries[name].sha256 == hashlib.sha256(data).hexdigest()
        if entries[name].verdict == "proved":
            count = adderlab.count(graded.file.parent / "hand ins" / name)
            own = (entries[name].raw, entries[name].nonzero, entries[name].unique)
            assert own == (count.raw, count.nonzero, count.unique)
    assert entries["plain.npz"].notes == ("plain weights: read as relu layers, readout > 0.5",)


def test_copies_are_marked_with_the_first_of_them_by_name(graded):
    same = {entry.name: entry.same_as for entry in graded.entries if entry.same_as}
    assert same == {
        **dict.fromkeys(
            ("group b/copy.safetensors", "inside.safetensors", "listed.json", "plain.npz"),
            "anna.safetensors",
        ),
        "odd\\xff\\x0a\\u202e.txt": "=cmd|x.txt",
    }


def test_entries_are_in_the_order_of_their_rank(graded):
    proved = [entry for entry in graded.entries if entry.verdict == "proved"]
    assert graded.entries[: len(proved)] == tuple(proved)
    assert [(entry.rank, entry.parameters) for entry in proved] == [
        (1, 10), (1, 10), (3, 12), (3, 12), (3, 12),
    ]  # fmt: skip
    refuted = [entry.name for entry in graded.entries if entry.verdict == "refuted"]
    assert refuted == ["lecture.safetensors", "smaller.safetensors"]  # more rows right first
    assert {entry.rank for entry in graded.entries if entry.verdict != "proved"} == {None}


def test_the_rule_ranks():
    entries = [
        Entry("a", "proved", raw=12, nonzero=9, unique=4),
        Entry("b", "proved", raw=10, nonzero=10, unique=4),
        Entry("c", "proved", raw=12, nonzero=8, unique=5),
        Entry("d", "refuted", raw=1, nonzero=1, unique=1, rows_right=3),
        Entry("e", "unknown", raw=2, nonzero=2, unique=2),
        Entry("f", "refused"),
        Entry("g", "refuted", raw=9, nonzero=1, unique=1, rows_right=5),
    ]
    ranks = {
        rule: [(entry.name, entry.rank) for entry in ranked(entries, rule)]
        for rule in ("raw", "nonzero", "unique")
    }
    rest = [("e", None), ("g", None), ("d", None), ("f", None)]
    assert ranks == {
        "raw": [("b", 1), ("a", 2), ("c", 2), *rest],
        "nonzero": [("c", 1), ("a", 2), ("b", 3), *rest],
        "unique": [("a", 1), ("b", 1), ("c", 3), *rest],
    }
    assert [entry.parameters for entry in ranked(entries, "nonzero")][:3] == [8, 9, 10]


def test_the_table_holds_every_entry_and_is_safe_in_a_spreadsheet(graded):
    text = graded.file.read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert tuple(rows[0]) == COLUMNS
    assert text.count("\n") == len(rows) + 1 == len(graded.entries) + 1
    assert [row["name"].removeprefix("'") for row in rows] == [e.name for e in graded.entries]
    assert not any(cell.startswith(tuple("=+-@")) for row in rows for cell in row.values())
    assert '"\'=cmd|x.txt"' in text
    first = rows[0]
    assert (first["rank"], first["parameters"], first["rows_right"]) == ("1", "10", "4")


@pytest.mark.parametrize("start", ["=1", "+1", "-1", "@x", "\t=1", "＝1", "'=1"])
def test_no_cell_is_a_formula_and_taking_the_apostrophe_away_gives_the_text(start):
    entry = Entry(start, "refused", reason=start, counterexample=start, notes=(start,))
    (row,) = csv.DictReader(io.StringIO(to_csv([entry])))
    for column in ("name", "reason", "counterexample", "notes"):
        assert row[column] == f"'{start}"
    (row,) = csv.DictReader(io.StringIO(to_csv([Entry(f"a;{start}", "refused")])))
    assert row["name"] == f"a;'{start}"  # where numbers have commas, a semicolon ends a cell


def test_the_page_shows_every_entry_escaped(graded):
    text = graded.page.read_text(encoding="utf-8")
    for entry in graded.entries:
        assert f">{entry.name}<" in text, entry.name
    assert "5 proved, 0 unknown, 2 refuted, 12 refused" in text
    assert "1 + 1 gives c = 3" in text
    assert "<script" not in text


def test_json_has_the_entries_and_blocks_say_how_many(graded):
    data = graded.to_dict()
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert data["counts"] == {"proved": 5, "unknown": 0, "refuted": 2, "refused": 12}
    assert len(data["entries"]) == len(graded.entries)
    assert set(COLUMNS) <= set(data["entries"][0])
    assert "19 files for half-adder: 5 proved, 0 unknown, 2 refuted, 12 refused" in repr(graded)
    assert "lecture.safetensors" in graded._repr_html_()


def test_names_stay_apart_when_they_are_shown():
    names = ["a", "a\\", "a\\\\", "\udcff", "\xff", "\x80", "\udc80", "\\x80", "\n", "\\x0a",
             "\u202e", "\U000e0001", "é", "e\u0301"]  # fmt: skip
    shown = [shown_name(name) for name in names]
    assert len(set(shown)) == len(names)
    assert all(name.isprintable() for name in shown)


# --- limits ---------------------------------------------------------------------------------------


def test_a_file_that_takes_too_long_or_too_much_is_unknown_and_stops_no_other(tmp_path):
    _ = save(network(WEIGHTS, BIASES), tmp_path / "right.safetensors")
    _ = (tmp_path / "large.json").write_text("[" * 50 + "0," * 3_000_000 + "0" + "]" * 50)
    result = adderlab.grade(tmp_path, "half-adder", max_memory_bytes=60_000_000)
    large, right = sorted(result.entries, key=lambda entry: entry.name)
    assert (right.verdict, large.verdict) == ("proved", "unknown")
    assert large.reason == "the cap of 60 MB of memory was reached"
    assert large.sha256
    hard = network([np.random.default_rng(1).normal(size=shape) for shape in ((40, 26), (1, 40))],
                   [None, None], format="fp64")  # fmt: skip
    _ = save(hard, tmp_path / "hard.safetensors")
    result = adderlab.grade(tmp_path, "parity:26", timeout_s=0.5)
    entry = by_name(result)["hard.safetensors"]
    assert entry.verdict in ("unknown", "refuted")
    assert entry.raw == 40 * 26 + 40
    assert by_name(result)["right.safetensors"].verdict == "refused"


def test_a_process_that_dies_is_an_entry(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{TESTS}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setattr(grade_module, "WORK", "verbs.judges:judge_of")
    for name in ("crash", "sleep", "raise", "lie", "well", "wide"):
        _ = (tmp_path / name).write_text("x")
    result = adderlab.grade(tmp_path, "half-adder", timeout_s=0.5)
    reasons = {entry.name: (entry.verdict, entry.reason) for entry in result.entries}
    assert reasons == {
        "crash": ("unknown", "its process was ended by SIGSEGV"),
        "sleep": ("unknown", "the time was up: it was stopped after 0.5 s"),
        "raise": ("unknown", "it could not be judged (OverflowError: too far)"),
        "lie": ("unknown", "it could not be judged (done)"),
        "well": ("refused", "said so"),
        "wide": ("refuted", ""),
    }
    assert by_name(result)["sleep"].raw == 17  # what it said before
    assert by_name(result)["wide"].rows == 1 << 20_000  # of more digits than Python writes
    assert "3.98028e+6020 of 2^20000" in result._repr_html_()
    assert f',"{digits(1 << 20_000)}",' in to_csv(result.entries)


TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120


# --- many, and what is refused --------------------------------------------------------------------


def test_many_files_of_garbage_are_refused(tmp_path):
    own = random.Random(5)
    for number in range(60):
        _ = (tmp_path / f"{number:03}.npz").write_bytes(own.randbytes(own.randrange(300)))
    seen = []
    result = adderlab.grade(
        tmp_path, "half-adder", on_progress=lambda done, files: seen.append((done, files))
    )
    assert result.counts["refused"] == 60
    assert seen == [(done, 60) for done in range(61)]
    assert len(result.blocks()) < 12


def test_a_long_list_is_cut_for_a_person_and_whole_on_the_page(graded):
    entries = tuple(Entry(f"{number:04}", "refused", reason="why") for number in range(500))
    many = type(graded)(graded.folder, "half-adder", "raw", entries, 1.0, 1 << 30)
    text = many._repr_html_()
    assert "0099" in text
    assert "0100" not in text
    assert "400 more entries are not shown" in text
    page = many.to_page()
    assert all(f">{entry.name}<" in page for entry in entries)


def test_tables_orders_and_readouts_reach_the_processes(tmp_path):
    """A table that only this process has read, bits in another order, outputs by argmax."""
    _ = save(network([[[1, 1], [0, 0]]], [None], readout=1.5), tmp_path / "reversed.safetensors")
    _ = (tmp_path / "t.csv").write_text("in a:1,in b:1,out y:2\n0,0,0\n0,1,0\n1,0,0\n1,1,2\n")
    rule = f"table:{tmp_path}/t.csv"
    folder = tmp_path / "in"
    folder.mkdir()
    _ = (tmp_path / "reversed.safetensors").rename(folder / "a.safetensors")
    assert adderlab.grade(folder, rule).counts["proved"] == 1
    assert adderlab.grade(folder, rule, bits="lsb-first").counts["refuted"] == 1
    (entry,) = adderlab.grade(folder, "y = a and b", readout="argmax").entries
    assert (entry.verdict, entry.raw) == ("refuted", 4)  # two sums, and no comparison


def test_cells_are_graded_at_every_width(tmp_path):
    _ = adderlab.build("full-adder", out=tmp_path / "cell.safetensors")
    (entry,) = adderlab.grade(tmp_path, "adder:any").entries
    assert (entry.verdict, entry.rows_right, entry.rows) == ("proved", 8, 8)


def test_what_is_said_of_weights_alone_does_not_count_where_a_file_says_more(tmp_path):
    _ = save(network(WEIGHTS, BIASES), tmp_path / "own.safetensors")
    arrays = {f"fc{at + 1}.weight": np.float32(rows) for at, rows in enumerate(WEIGHTS)}
    np.savez(tmp_path / "plain.npz", **arrays, **{"fc1.bias": np.float32([-0.5, -1.5])})
    result = adderlab.grade(tmp_path, "half-adder", layers="2,2,2", activation="step")
    assert {entry.name: entry.verdict for entry in result.entries} == {
        "own.safetensors": "proved",
        "plain.npz": "proved",
    }
    assert by_name(result)["plain.npz"].notes == ("plain weights: readout > 0.5",)
    assert by_name(result)["plain.npz"].same_as == ""  # by relu it would not be right


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folder": "missing"}, "missing: no such folder; check the path"),
        ({"folder": "file"}, "file: a file, not a folder; name the folder of the files"),
        ({"folder": "empty"}, "empty: no file in it, but 1 hidden; name the folder of the files"),
        ({"folder": "a\0b"}, "a\\x00b: no such folder; check the path"),
        ({"rule": "least"}, "rule: got 'least'; give one of raw, nonzero, unique"),
        ({"task": "half-ader"}, "task: unknown task 'half-ader'"),
        ({"bits": "up"}, "bits: got 'up'; give msb-first or lsb-first"),
        ({"outputs": "c3"}, "outputs: there is no c3; name each once"),
        ({"task": "adder:any", "bits": "lsb-first"}, "bits: adder:any takes the bits of its cell"),
        ({"readout": "> x"}, "readout: got '> x'; give a number"),
        ({"layers": "2"}, "layers: got '2'; give the sizes"),
        ({"activation": "rely"}, "activation: unknown"),
        ({"timeout_s": 0}, "timeout_s: got 0; give seconds above 0"),
        ({"max_memory_bytes": -1}, "max_memory_bytes: got -1; give a size like 2GB"),
        ({"jobs": 0}, "jobs: got 0; give 1 to 256"),
        ({"out": "full/grades.csv"}, "full/grades.csv: it would lie in the folder that is graded"),
        ({"page": "link/page.html"}, "link/page.html: it would lie in the folder that is graded"),
        ({"out": "./x", "page": "x"}, "x: it is named twice; name a place of its own for each"),
        ({"out": "nowhere/grades.csv"}, "nowhere/grades.csv: the folder 'nowhere' does not exist"),
    ],
)
def test_bad_input_is_refused_before_any_work(options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(grade_module, "outcomes", lambda *_, **__: pytest.fail("it was begun"))
    for name in ("full", "empty"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to("full")
    _ = (tmp_path / "full" / "a.safetensors").write_bytes(b"")
    _ = (tmp_path / "file").write_bytes(b"")
    _ = (tmp_path / "empty" / ".DS_Store").write_bytes(b"")
    arguments = {"folder": "full", "task": "half-adder", **options}
    with pytest.raises(AdderlabError) as refused:
        _ = adderlab.grade(**arguments)
    assert str(refused.value).startswith(message)


def test_a_rule_that_only_python_knows_is_refused(tmp_path):
    _ = (tmp_path / "a").write_bytes(b"")
    task = adderlab.task_named("half-adder")
    own = adderlab.Task("mine", task.inputs, task.outputs, task.rule)
    with pytest.raises(AdderlabError, match="the rule of mine can't be handed to another process"):
        _ = adderlab.grade(tmp_path, own)


def test_an_interruption_says_how_far_it_was_and_writes_nothing(tmp_path):
    handins = tmp_path / "in"
    handins.mkdir()
    for name in "abc":
        _ = (handins / name).write_text(name)

    def interrupt(done, _):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as interrupted:
        _ = adderlab.grade(handins, "half-adder", out=tmp_path / "x.csv", on_progress=interrupt)
    assert interrupted.value.at == "file 2 of 3"
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_only_first_bytes_are_looked_at_before_a_process_begins(tmp_path):
    _ = (tmp_path / "a.onnx").write_bytes(b"x")
    _ = (tmp_path / "b.pt").write_bytes(b"PK\x03\x04" + bytes(26) + b"b/data.pkl")
    _ = (tmp_path / "c.npz").write_bytes(b"PK\x03\x04" + bytes(26) + b"c.npy")
    needed = {file.name: file.imports for file in files_in(tmp_path).files}
    assert [bool(needed[name]) for name in ("a.onnx", "b.pt", "c.npz")] == [True, True, False]
