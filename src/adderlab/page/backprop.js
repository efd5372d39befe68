/**
 * Backprop mode: one row, operation by operation, forwards and back, with both slots of every
 * parameter. Right arrow or Page Down goes on, left arrow or Page Up goes back.
 */

import { button, enable } from "./controls.js";
import { html, spokenLine, write } from "./dom.js";
import { gradientKey, lessonOf, slotKey, standing } from "./lesson.js";
import { parameterName, placesOf, valueAt } from "./network.js";
import { decimal, inputText } from "./numbers.js";

/**
 * @typedef {import("./state.js").State} State
 * @typedef {import("./lesson.js").Operation} Operation
 *
 * @typedef {object} Lesson what stands at a moment of it
 * @property {Operation[]} operations
 * @property {Operation} current the last that was done
 * @property {Map<string, number>} values
 */

const ON = ["ArrowRight", "PageDown"];
const BACK = ["ArrowLeft", "PageUp"];
const NOT_YET = "not computed yet";

/** @type {WeakMap<State, Lesson>} several views ask for the same moment */
const lessons = new WeakMap();
/** @type {WeakMap<import("./network.js").Network, {key: unknown[], operations: Operation[]}>} */
const written = new WeakMap();

/**
 * @param {State} state
 * @returns {Lesson | null} null outside of backprop mode
 */
export function lessonAt(state) {
  if (!state.lesson) return null;
  const known = lessons.get(state);
  if (known) return known;
  const { network, task, row, lr } = state;
  const { done, zeroGrad } = state.lesson;
  const key = [task, row, lr, zeroGrad];
  let run = written.get(network);
  if (!run || key.some((part, i) => part !== run?.key[i])) {
    run = { key, operations: lessonOf(network, task, row, { lr, zeroGrad }) };
    written.set(network, run);
  }
  const { operations } = run;
  const count = Math.min(done, operations.length - 1) + 1;
  const lesson = { operations, current: operations[count - 1], values: standing(operations, count) };
  lessons.set(state, lesson);
  return lesson;
}

/**
 * @param {import("./store.js").Store} store
 * @returns {HTMLElement}
 */
export function backpropPanel(store) {
  const panel = new Steps(store);
  store.subscribe((state) => panel.update(state));
  return panel.element;
}

class Steps {
  /** @type {{line: HTMLElement, value: HTMLElement, gradient: HTMLElement, name: string}[]} */ #slots = [];
  /** @type {string} */ #shape = "";
  /** @type {State["lesson"]} where somebody stepped to; a run changes the numbers there, and is no step */ #step;

  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.store = store;
    this.#step = store.state.lesson;
    this.start = button("step through backprop", () => this.#go(0));
    this.back = button("◀ back", () => this.#move(-1), { "aria-keyshortcuts": "ArrowLeft" });
    this.on = button("on ▶", () => this.#move(1), { "aria-keyshortcuts": "ArrowRight" });
    this.end = button("end", () => this.#end());
    this.zero = html("input", { type: "checkbox", checked: true });
    this.zero.addEventListener("change", () => this.#go(0));
    this.title = html("span", { class: "phase" });
    this.symbols = html("span", { class: "symbols" });
    this.numbers = html("span", { class: "numbers" });
    this.formula = html("p", { class: "formula" }, this.symbols, " ", this.numbers);
    this.spoken = spokenLine();
    this.about = html("p", { class: "hint about" });
    this.table = html("div", {
      class: "scroll slots",
      role: "region",
      tabindex: 0,
      "aria-label": "both slots of every parameter",
    });
    this.controls = html(
      "div",
      { class: "group" },
      html("span", { class: "buttons" }, this.back, this.on, this.end),
      html("label", { class: "check" }, this.zero, " zero_grad() between the steps"),
    );
    this.body = html("div", {}, this.controls, html("p", {}, this.title), this.formula, this.spoken.element, this.table);
    this.element = html(
      "section",
      { class: "panel backprop", "aria-label": "Backprop" },
      html("h2", {}, "Backprop"),
      this.start,
      this.about,
      this.body,
    );
    this.element.addEventListener("keydown", (event) => this.key(event));
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (!this.store.state.lesson || event.ctrlKey || event.metaKey || event.altKey) return;
    if (ON.includes(event.key)) this.#move(1);
    else if (BACK.includes(event.key)) this.#move(-1);
    else return;
    event.preventDefault();
  }

  /** @param {number} done */
  #go(done) {
    const isStart = !this.store.state.lesson;
    this.store.update({ lesson: { done, zeroGrad: this.zero.checked } });
    if (isStart) requestAnimationFrame(() => this.on.focus());
  }

  /** @param {number} by */
  #move(by) {
    const lesson = lessonAt(this.store.state);
    if (!lesson || !this.store.state.lesson) return;
    // a link, or a row before, may have gone further than there are operations
    const done = Math.min(this.store.state.lesson.done, lesson.operations.length - 1) + by;
    if (done >= 0 && done < lesson.operations.length) this.#go(done);
  }

  #end() {
    this.store.update({ lesson: null });
    this.start.focus();
  }

  /** @param {State} state */
  update(state) {
    const lesson = lessonAt(state);
    const { task, row, network } = state;
    this.start.hidden = lesson !== null;
    this.body.hidden = lesson === null;
    this.element.classList.toggle("lesson", lesson !== null);
    this.about.hidden = lesson !== null;
    write(this.about, `forward, loss, backward and the optimizer's step on the row ${inputText(task.rows[row].words)}`);
    const isStep = state.lesson !== this.#step;
    this.#step = state.lesson;
    if (isStep) this.spoken.speak(() => (this.#step ? `${this.title.textContent}: ${this.formula.textContent}` : ""));
    if (!lesson || !state.lesson) return;
    const done = Math.min(state.lesson.done, lesson.operations.length - 1);
    enable(this.back, done > 0);
    enable(this.on, done < lesson.operations.length - 1);
    write(this.title, `${lesson.current.title} · ${done} of ${lesson.operations.length - 1}`);
    write(this.symbols, lesson.current.symbols);
    write(this.numbers, lesson.current.numbers);
    this.#fill(network, lesson, isStep);
  }

  /**
   * @param {import("./network.js").Network} network
   * @param {Lesson} lesson
   * @param {boolean} isStep whether the table follows to the parameter that the operation is of
   */
  #fill(network, { values, current }, isStep) {
    const places = placesOf(network);
    const shape = places.map(parameterName).join();
    const isFresh = shape !== this.#shape;
    if (isFresh) {
      this.#shape = shape;
      this.#slots = places.map((place) => {
        const [value, gradient] = [html("td"), html("td")];
        const name = parameterName(place);
        return { line: html("tr", {}, html("th", { scope: "row" }, name), value, gradient), value, gradient, name };
      });
      const heads = ["parameter", "w", "dL/dw"].map((head) => html("th", { scope: "col" }, head));
      const body = html("tbody", {}, ...this.#slots.map(({ line }) => line));
      this.table.replaceChildren(html("table", {}, html("thead", {}, html("tr", {}, ...heads)), body));
    }
    places.forEach((place, i) => {
      const { line, value, gradient, name } = this.#slots[i];
      const computed = values.get(gradientKey(place));
      write(value, decimal(values.get(slotKey(place)) ?? valueAt(network, place)));
      write(gradient, computed === undefined ? NOT_YET : decimal(computed));
      gradient.classList.toggle("absent", computed === undefined);
      const isCurrent = current.at.parameter === name;
      line.classList.toggle("picked", isCurrent);
      if (isCurrent && (isStep || isFresh)) this.#scrollTo(line);
    });
  }

  /** Scroll the table to a line, below its heads; the page stays where it is. @param {HTMLElement} line */
  #scrollTo(line) {
    const { table } = this;
    const [head] = table.getElementsByTagName("thead");
    requestAnimationFrame(() => {
      const above = line.offsetTop - head.offsetHeight;
      const below = line.offsetTop + line.offsetHeight - table.clientHeight;
      table.scrollTop = Math.max(below, Math.min(above, table.scrollTop));
    });
  }
}
