"""The page in a document of others: light or dark as it is, keys kept, labs apart, nothing left."""

from __future__ import annotations

import pytest

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
  const data = JSON.parse(document.getElementById("lab").dataset.state);
  window.homes = links.map((link) => {
    const [el, state, listeners] = [document.createElement("div"), { data, link }, new Set()];
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
      send: () => {},
    };
    return { el, model, listeners, close: lab.render({ model, el }) };
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
