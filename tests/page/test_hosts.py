"""The page in a document of others: light or dark as it is, keys kept, labs apart, nothing left."""

from __future__ import annotations

import pytest
from page.conftest import beginning

from adderlab.nets.files import to_bytes
from adderlab.page_data.links import linked
from adderlab.tasks import task_named

pytestmark = pytest.mark.browser

LIGHT, DARK = "rgb(255, 255, 255)", "rgb(20, 23, 28)"
HOSTS = [
    ("body", "data-jp-theme-light", "true", "light"),
    ("body", "data-jp-theme-light", "false", "dark"),
    ("body", "data-vscode-theme-kind", "vscode-light", "light"),
    ("body", "data-vscode-theme-kind", "vscode-dark", "dark"),
    ("body", "data-vscode-theme-kind", "vscode-high-contrast", "dark"),
    ("body", "data-vscode-theme-kind", "vscode-high-contrast-light", "light"),
    ("body", "class", "light light-theme", "light"),
    ("body", "class", "vscode-body dark dark-theme", "dark"),
    ("documentElement", "theme", "dark", "dark"),
    ("documentElement", "data-theme", "light", "light"),
]
MOUNT = """async (links) => {
  const { default: lab } = await import("/lab.js");
  const data = { ...JSON.parse(document.getElementById("lab").dataset.state), prover: true };
  window.homes = links.map((link) => {
    const [el, state] = [document.createElement("div"), { data, link }];
    const [listeners, sent] = [new Set(), []];
    document.body.append(el);
    const tell = () => {
      for (const [event, act] of listeners) if (event === "change:link") act();
    };
    const model = {
      get: (name) => state[name],
      set: (name, value) => { state[name] = value; tell(); },
      save_changes: () => {},
      on: (event, act) => listeners.add([event, act]),
      off: (event, act) => {
        for (const each of listeners) {
          if (each[0] === event && each[1] === act) listeners.delete(each);
        }
      },
      send: (message) => sent.push(message),
      answer: (message) => {
        for (const [event, act] of listeners) if (event === "msg:custom") act(message);
      },
    };
    return { el, model, listeners, sent, close: lab.render({ model, el }) };
  });
}"""


def colors(lab):
    """Return whether a lab is light or dark, by its own word and by its paper."""
    return lab.evaluate("e => [e.style.colorScheme, getComputedStyle(e).backgroundColor]")


def test_the_page_is_light_or_dark_as_its_host_whatever_the_system_is(opened):
    for system, own in (("light", LIGHT), ("dark", DARK)):
        page = opened(color_scheme=system)
        lab = page.locator(".adderlab-lab")
        assert colors(lab) == ["light dark", own]
        for element, name, value, scheme in HOSTS:
            page.evaluate("([e, n, v]) => document[e].setAttribute(n, v)", [element, name, value])
            paper = LIGHT if scheme == "light" else DARK
            assert colors(lab) == [scheme, paper], (name, value)
            page.evaluate("([e, n]) => document[e].removeAttribute(n)", [element, name])
        assert colors(lab) == ["light dark", own]


def test_keys_in_the_lab_reach_no_shortcuts_of_its_host(opened):
    page = opened()
    page.evaluate(
        "window.keys = [];"
        "for (const type of ['keydown', 'keypress', 'keyup'])"
        "  document.addEventListener(type, (event) => keys.push(event.key));"
    )
    page.get_by_label("fc2.weight[1,2]").focus()
    for key in ("d", "d", "ArrowUp", "Escape"):
        page.keyboard.press(key)
    assert page.evaluate("keys") == []
    within = "!!document.activeElement.closest('[data-lm-suppress-shortcuts=true]')"
    assert page.evaluate(within)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("d")
    assert set(page.evaluate("keys")) == {"d"}


def test_two_labs_of_one_module_are_apart_and_leave_nothing(opened):
    page = opened()
    page.evaluate(MOUNT, ["lesson=3", "lesson=9&row=1"])
    first, second = (page.locator(".adderlab-lab").nth(number) for number in (1, 2))
    title = ".backprop .phase"
    before = second.locator(title).inner_text()
    assert before != first.locator(title).inner_text()
    first.get_by_role("button", name="on ▶").click()
    first.locator(f"{title} >> text=/ 4 of/").wait_for()
    assert second.locator(title).inner_text() == before
    assert page.evaluate("[...document.querySelectorAll('.adderlab-lab [id]')].length") == 0

    page.evaluate("homes[0].model.set('link', 'hide=files,presets')")  # the host changes the link
    first.get_by_text("Begin with").wait_for(state="detached")
    second.get_by_text("Begin with").wait_for()
    page.evaluate("homes[0].model.set('link', 'readout=gt0.25')")
    first.get_by_text("Begin with").wait_for()
    assert first.get_by_label("threshold", exact=True).input_value() == "0.25"

    page.evaluate("homes.forEach(({ close }) => close())")
    counts = "homes.map(({ el, listeners }) => [el.childNodes.length, listeners.size])"
    assert page.evaluate(counts) == [[0, 0], [0, 0]]
    assert page.locator(".adderlab-lab").count() == 1


def test_one_proof_is_asked_for_at_a_time_and_then_the_latest(opened):
    """A kernel answers one message after another: a drag must not leave it a queue."""
    page = opened()
    page.evaluate(MOUNT, [""])
    lab = page.locator(".adderlab-lab").nth(1)
    lab.get_by_label("fc2.weight[1,2]").focus()
    for _ in range(5):
        page.keyboard.press("ArrowUp")
        page.evaluate(
            "new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))"
        )
    weights = "homes[0].sent.map(({ network }) => network.layers[1].weight[1][2])"
    assert page.evaluate(weights) == [-2]
    verdict = {"type": "refused", "what": "no prover", "remedy": "none"}
    page.evaluate(
        "(verdict) => homes[0].model.answer({ ...verdict, id: homes[0].sent[0].id })", verdict
    )
    page.wait_for_function("homes[0].sent.length > 1")
    assert page.evaluate(weights) == [-2, -0.75]
    page.evaluate(
        "(verdict) => homes[0].model.answer({ ...verdict, id: homes[0].sent[1].id })", verdict
    )
    lab.locator(".verdict >> text=the prover: no prover; none").wait_for()
    assert page.evaluate("homes[0].sent.length") == 2


def test_the_host_has_the_network_while_training_plays(opened):
    """Python may ask at any time; what is shown goes on, whatever the host was told meanwhile."""
    page = opened()
    page.evaluate(MOUNT, [""])
    lab = page.locator(".adderlab-lab").nth(1)
    lab.get_by_role("button", name="▶ train").click()
    links = set()
    for _ in range(2):
        page.wait_for_function(
            "(links) => homes[0].model.get('link') && !links.includes(homes[0].model.get('link'))",
            arg=list(links),
        )
        links.add(page.evaluate("homes[0].model.get('link')"))
    lab.get_by_role("button", name="❚❚ pause").click()
    known = {"half-adder": task_named("half-adder")}
    nets = [linked(link, beginning()["start"], known).network for link in links]
    assert len({to_bytes(net) for net in nets}) == 2
