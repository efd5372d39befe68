"""The widget in Python: what it synchronizes, its answers, and the network of the page."""

from __future__ import annotations

import base64
import dataclasses
import html
import re
import subprocess
import sys
import types

import pytest

import adderlab
import adderlab.page as files
from adderlab.errors import DependencyError, NetworkError, OptionError, TaskError
from adderlab.exporting.html import lab_document
from adderlab.lab import messages
from adderlab.nets.files import to_bytes
from adderlab.page_data import networks
from adderlab.page_data.beginning import beginning

pytest.importorskip("anywidget", reason="the extra notebook is not installed")

REPAIRED = "net=relu:1,1!-1.5;1,1!-0.5;1,1!-1.5~identity:1,0,0!0;0,1,-4!0"
LECTURE = adderlab.build("half-adder", method="lecture").network


@pytest.fixture
def lab():
    """Return a lab of the lecture's network, with the messages that it sends."""
    lab = adderlab.Lab()
    lab.sent = []
    lab.send = lambda content, buffers=None: lab.sent.append(content)
    yield lab
    lab.close()


def ask(lab, **message):
    """Return the answer to a page's message."""
    lab._handle_custom_msg({"id": 7, **message}, [])
    return lab.sent.pop()


def test_the_package_loads_the_widgets_library_with_the_first_lab_alone():
    script = """if True:
        import sys
        import adderlab
        adderlab.Lab
        print(*{"anywidget", "ipywidgets", "torch"} & set(sys.modules))
        lab = adderlab.Lab()
        lab.verdict
        print(*{"anywidget", "torch", "matplotlib"} & set(sys.modules))
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stderr, done.stdout.splitlines()) == ("", ["", "anywidget"])


def test_without_the_package_one_line_says_what_installs_it(monkeypatch):
    from adderlab import packages
    from adderlab.lab import widget

    monkeypatch.setattr(packages, "is_installed", lambda package: package != "anywidget")
    widget._widget_class.cache_clear()
    with pytest.raises(DependencyError) as refused:
        adderlab.Lab()
    message = "anywidget is not installed; pip install 'adderlab[notebook]'"
    assert str(refused.value) == message


def test_a_notebook_is_given_the_page_and_what_it_begins_with(lab):
    state = lab.get_state()
    assert isinstance(lab, adderlab.Lab)
    assert state["_esm"] == files.module()
    assert state["_css"] == files.style()
    assert state["link"] == ""
    assert state["data"]["start"]["network"] == networks.to_page(LECTURE)
    assert state["data"]["prover"] is True
    assert repr(lab) == "Lab: half-adder, 2-3-2"


def test_python_goes_on_with_what_was_made_by_hand(lab):
    assert to_bytes(lab.network) == to_bytes(LECTURE)
    assert lab.verdict.counterexample.got == {"c": 3}
    lab.set_state({"link": REPAIRED})  # as the page does
    assert lab.network.layers[1].weight.exact().to_floats().tolist() == [[1, 0, 0], [0, 1, -4]]
    assert lab.verdict.verdict == "proved"
    assert lab.task.name == "half-adder"


@pytest.mark.parametrize("before", ["", "#", "http://127.0.0.1:8250/token/#"])
def test_a_link_is_set_as_the_page_copies_it(lab, before):
    lab.link = f"{before}{REPAIRED}"
    assert lab.link == REPAIRED
    assert lab.verdict


def test_a_link_that_can_not_be_read_changes_nothing(lab):
    lab.link = REPAIRED
    with pytest.raises(OptionError, match="its net can't be read"):
        lab.link = "net=relu:1"
    assert lab.link == REPAIRED
    with pytest.raises(OptionError, match="its readout can't be read"):
        adderlab.Lab(link="readout=0.5")


def test_messages_are_answered_as_over_a_socket(lab):
    start = lab.data["start"]
    answer = ask(lab, type="prove", network=start["network"], task="half-adder")
    assert (answer["type"], answer["id"]) == ("verdict", 7)
    assert answer["verdict"]["verdict"] == "refuted"
    answer = ask(lab, type="run")
    assert (answer["type"], answer["id"]) == ("refused", 7)
    answer = ask(lab, type="task", task="adder:40")
    assert (answer["type"], answer["where"]) == ("refused", "task")
    lab._handle_custom_msg("garbage", [])
    assert lab.sent.pop()["what"] == "a message is a JSON object"


def test_a_file_that_brings_its_own_task_is_gone_on_with(lab):
    xor = adderlab.table({"p": [0, 0, 1, 1], "q": [0, 1, 0, 1], "out r": [0, 1, 1, 0]})
    net = adderlab.build(xor, method="table").network
    data = base64.b64encode(to_bytes(net)).decode()
    answer = ask(lab, type="open", name="xor.safetensors", data=data)
    name = answer["task"]["name"]
    lab.link = f"task={name}&net=relu:1,-1!0;-1,1!0~identity:1,1!0&readout=exact"
    assert lab.verdict.verdict == "proved"
    assert lab.network.task.name == name


def test_two_labs_share_nothing(lab):
    other = adderlab.Lab(adderlab.build("parity:3", method="table").network)
    try:
        lab.link = REPAIRED
        assert (other.link, other.task.name, lab.task.name) == ("", "parity:3", "half-adder")
        assert other.model_id != lab.model_id
    finally:
        other.close()


def test_who_shows_no_widgets_is_given_the_truth_table_and_the_verdict(lab):
    lab.link = REPAIRED
    data, _ = lab._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == lab.model_id
    assert data["text/plain"] == repr(lab)
    assert "<table" in data["text/html"]
    assert "proved" in data["text/html"]
    assert "<script" not in data["text/html"]


def test_in_colab_the_widgets_of_others_are_turned_on(monkeypatch):
    """The module of Colab, as far as it is called."""
    from anywidget import _util

    from adderlab.lab import widget

    calls = []
    output = types.ModuleType("google.colab.output")
    output.enable_custom_widget_manager = lambda: calls.append("enabled")
    output._widgets = types.SimpleNamespace(_installed_url="https://colab.test/manager.js")
    for name in ("google", "google.colab"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setattr(widget, "import_module", lambda name: sys.modules.setdefault(name, output))
    monkeypatch.delitem(sys.modules, "google.colab.output", raising=False)
    _util.enable_custom_widget_manager_once.cache_clear()
    widget._widget_class.cache_clear()
    try:
        lab = adderlab.Lab()
        data, metadata = lab._repr_mimebundle_()
        lab.close()
    finally:
        sys.modules.pop("google.colab.output", None)
        _util.enable_custom_widget_manager_once.cache_clear()
        widget._widget_class.cache_clear()
    assert calls == ["enabled"]
    (view,) = metadata.values()
    assert view["colab"]["custom_widget_manager"]["url"] == "https://colab.test/manager.js"
    frame = re.fullmatch(r'<iframe [^>]*srcdoc="([^"]*)"[^>]*></iframe>', data["text/html"])
    document = html.unescape(frame[1])
    assert document == lab_document(beginning(LECTURE, LECTURE.task, has_prover=False))


@pytest.mark.parametrize(
    ("model", "task", "error", "message"),
    [
        (None, "parity:3", OptionError, "task: there is no network for it; name the file of one"),
        (LECTURE, "parity:3", TaskError, "parity:3 has 3 input and 1 output bits"),
        ("adder:8", None, NetworkError, "the page has chains of up to"),
    ],
)
def test_what_the_page_can_not_show_is_refused(model, task, error, message):
    if model == "adder:8":
        model = adderlab.build(model, method="ripple").network
    with pytest.raises(error, match=message):
        adderlab.Lab(model, task)


def test_a_kernel_that_is_interrupted_answers_its_page(lab, monkeypatch):
    def interrupted(message, known):
        raise KeyboardInterrupt

    own = dataclasses.replace(messages.KINDS["task"], answer=interrupted)
    monkeypatch.setitem(messages.KINDS, "task", own)
    answer = ask(lab, type="task", task="half-adder")
    assert (answer["type"], answer["id"]) == ("refused", 7)
    assert answer["what"] == "the kernel was interrupted"
    assert ask(lab, type="cancel")["what"] == "no networks are being trained for this page"
