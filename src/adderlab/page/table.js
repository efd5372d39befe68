/** The truth table, live: what is expected, what the network gives, and by how much. */

import { button } from "./controls.js";
import { assign, html, write } from "./dom.js";
import { counted, wordsOf } from "./numbers.js";
import { isShown, predictControl, shown } from "./predicting.js";
import { judged } from "./verdict.js";

const MOST_ROWS = 64;

/**
 * @param {import("./store.js").Store} store
 * @returns {HTMLElement}
 */
export function truthTable(store) {
  const frame = html("div", { class: "scroll" });
  const more = html("p", { class: "hint" });
  const panel = html(
    "section",
    { class: "panel table", "aria-label": "Truth table" },
    html("h2", {}, "Truth table"),
    predictControl(store),
    frame,
    more,
  );
  /** @type {Table | null} */
  let table = null;
  store.subscribe((state) => {
    if (table?.task !== state.task) {
      table = new Table(store, state.task);
      frame.replaceChildren(table.element);
      const left = state.task.rows.length - MOST_ROWS;
      write(more, left > 0 ? `${counted(left, "more row")} not shown, but judged` : "");
      more.hidden = left <= 0;
    }
    table.update(state);
  });
  return panel;
}

class Table {
  /**
   * @param {import("./store.js").Store} store
   * @param {import("./network.js").Task} task
   */
  constructor(store, task) {
    this.store = store;
    this.task = task;
    const heads = [
      ...task.inputs.map(([name]) => html("th", { scope: "col", class: "input" }, name)),
      ...task.outputs.map(([name]) => html("th", { scope: "col" }, `${name} expected`)),
      ...task.outputs.map(([name]) => html("th", { scope: "col" }, `${name} got`)),
      html("th", { scope: "col", class: "words" }, "right"),
      ...task.output_names.map((name) => html("th", { scope: "col" }, `${name} raw`)),
    ];
    this.rows = task.rows.slice(0, MOST_ROWS).map((row, number) => this.#row(row, number));
    this.element = html(
      "table",
      {},
      html("thead", {}, html("tr", {}, ...heads)),
      html("tbody", {}, ...this.rows.map(({ line }) => line)),
    );
  }

  /** @param {import("./network.js").Row} row @param {number} number */
  #row(row, number) {
    const { task } = this;
    const got = task.outputs.map(() => html("td"));
    const mark = html("span");
    const show = button("show", () => this.store.update(shown(this.store.state, number)), {
      "aria-label": `show what row ${number + 1} gives`,
    });
    const raw = task.output_names.map(() => html("td", { class: "raw" }));
    const inputs = task.inputs.map(([name]) => html("td", { class: "input" }, row.words[name]));
    const pick = html("button", { type: "button", class: "pick" }, row.words[task.inputs[0][0]]);
    inputs[0].replaceChildren(pick);
    const line = html(
      "tr",
      {},
      ...inputs,
      ...task.outputs.map(([name]) => html("td", {}, row.result[name] ?? "any")),
      ...got,
      html("td", { class: "words mark" }, mark, show),
      ...raw,
    );
    assign(pick, { "aria-label": `show row ${number + 1} in the drawing` });
    line.addEventListener("click", () => this.store.update({ row: number }));
    pick.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const next = step && this.rows[number + step];
      if (!next) return;
      event.preventDefault();
      this.store.update({ row: number + step });
      next.pick.focus();
    });
    return { line, pick, got, mark, show, raw };
  }

  /** @param {import("./state.js").State} state */
  update(state) {
    const { rows } = judged(state);
    this.rows.forEach(({ line, pick, got, mark, show, raw }, number) => {
      const { outputs, bits, right } = rows[number];
      const isOpen = isShown(state, number);
      show.hidden = isOpen;
      const words = wordsOf(this.task.outputs, bits);
      this.task.outputs.forEach(([name], i) => write(got[i], isOpen ? String(words[name] ?? "no bits") : "?"));
      write(mark, isOpen ? (right ? "✔ right" : "✘ wrong") : "");
      outputs.forEach((output, o) => {
        write(raw[o], isOpen ? output : "?");
        raw[o].classList.toggle("wrong", isOpen && isWrong(this.task.rows[number].expected[o], bits[o]));
      });
      line.classList.toggle("wrong", isOpen && !right);
      const isPicked = number === state.row;
      line.classList.toggle("picked", isPicked);
      assign(pick, { "aria-pressed": isPicked ? "true" : "false" });
    });
  }
}

/** @param {number | null} expected @param {number | null} got */
function isWrong(expected, got) {
  return expected !== null && expected !== got;
}

