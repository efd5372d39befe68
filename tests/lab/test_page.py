"""The page in a browser, under the server's own policy."""

from __future__ import annotations

import json

import pytest
from lab.conftest import served

import adderlab
from adderlab.building import lecture_network
from adderlab.lab import server
from adderlab.page_data.beginning import TASKS, beginning
from adderlab.tasks import task_named

HOSTILE = "<img src=x onerror=alert(1)>\"'&</script>"
LECTURE = lecture_network(task_named("half-adder"))


def test_the_content_is_the_page_with_its_beginning():
    shown = server.content(beginning(LECTURE, LECTURE.task))
    assert set(shown.files) == {"lab.js", "served.js", "lab.css"}
    assert shown.files["lab.js"][0].rstrip().endswith("export default { render };")
    assert list(shown.known) == list(TASKS)
    assert "half-adder – adderlab" in shown.document


def test_a_page_begins_with_its_own_task_first_and_each_task_once():
    table = adderlab.table({"p": [0, 0, 1, 1], "q": [0, 1, 0, 1], "out r": [0, 1, 1, 1]})
    net = adderlab.build(table, method="table").network
    data = json.loads(json.dumps(beginning(net, table), allow_nan=False))
    assert [task["name"] for task in data["tasks"]] == [table.name, *TASKS]
    assert data["start"]["task"] == data["tasks"][0]
    assert server.content(data).known[table.name].record == table.record
    names = [task["name"] for task in beginning(LECTURE, LECTURE.task)["tasks"]]
    assert sorted(names) == sorted(TASKS)


def test_of_the_networks_to_choose_from_the_lectures_alone_is_wrong():
    from adderlab.page_data import networks

    verdicts = {
        preset["name"]: adderlab.prove(
            networks.from_page(preset["network"]), preset["task"]
        ).verdict
        for preset in beginning(LECTURE, LECTURE.task)["presets"]
        if "network" in preset
    }
    assert verdicts == {
        "lecture": "refuted",
        "repaired": "proved",
        "three-bytes": "proved",
        "printed": "proved",
    }


def test_the_run_that_fails_fails_in_pytorch_too():
    (run,) = (
        preset["run"] for preset in beginning(LECTURE, LECTURE.task)["presets"] if "run" in preset
    )
    trained = adderlab.train("half-adder", data="table", **run)
    assert trained.proof.verdict == "refuted"


@pytest.mark.browser
def test_the_page_runs_under_its_policy_and_shows_the_provers_verdict(browser):
    table = adderlab.table({"p": [0, 0, 1, 1], "q": [0, 1, 0, 1], "out r": [0, 1, 1, 1]})
    net = adderlab.build(table, method="table").network
    data = beginning(net, table)
    shown = server.content(data)
    with served(shown) as lab:
        page = browser.new_page()
        faults = []
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("requestfailed", lambda request: faults.append(request.url))
        _ = page.goto(lab.address)
        page.wait_for_selector(".verdict >> text=the prover")
        assert "right on all 4 rows" in page.inner_text(".verdict")
        page.set_input_files(
            "input[type=file]",
            {"name": HOSTILE, "mimeType": "application/octet-stream", "buffer": b"x"},
        )
        page.wait_for_selector(".said >> text=text file")
        page.set_input_files(
            "input[type=file]",
            {
                "name": HOSTILE,
                "mimeType": "application/octet-stream",
                "buffer": adderlab.nets.files.to_bytes(LECTURE),
            },
        )
        page.wait_for_selector(".verdict >> text=in fp32 refuted")
        with page.expect_download() as download:
            page.get_by_role("button", name="save").click()
        assert adderlab.prove(download.value.path()).counterexample.got == {"c": 3}
        page.close()
    assert faults == []


@pytest.mark.browser
def test_a_page_of_a_server_that_is_gone_or_another_says_so_and_works_on(browser):
    shown = server.content(beginning(LECTURE, LECTURE.task))
    page = browser.new_page()
    detail = page.locator(".verdict .detail")
    weight = page.get_by_label("fc2.weight[1,2]")
    with served(shown) as lab:
        _ = page.goto(lab.address)
        detail.get_by_text("in fp32 refuted").wait_for()
    weight.press("PageDown")
    detail.get_by_text("adderlab does not answer any more").wait_for()
    weight.press("PageDown")
    page.get_by_text("proved: right on all 4 rows").first.wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="save").click()
    assert adderlab.prove(download.value.path())
    page.set_input_files(
        "input[type=file]",
        {
            "name": "lecture.safetensors",
            "mimeType": "application/octet-stream",
            "buffer": adderlab.nets.files.to_bytes(LECTURE),
        },
    )
    page.get_by_text("1 + 1 gives c = 3").first.wait_for()
    with served(shown, lab.port, "another-token"):
        weight.press("PageDown")
        detail.get_by_text("adderlab was started again, at another address").wait_for()
    page.close()
