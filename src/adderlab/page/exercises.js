/**
 * Exercises: one is chosen, its conditions are marked as one works, the answer is saved as a file
 * that `adderlab grade --exercise` reads.
 */

import { marksOf, startOf, toAnswer } from "./conditions.js";
import { button, control } from "./controls.js";
import { html, spokenLine, write } from "./dom.js";
import { isAllShown } from "./predicting.js";
import { numberOf } from "./state.js";

/**
 * @typedef {import("./conditions.js").Exercise} Exercise
 * @typedef {import("./conditions.js").Field} Field
 * @typedef {import("./conditions.js").Mark} Mark
 * @typedef {import("./state.js").State} State
 */

const MARKS = { met: "✔", unmet: "✘", unknown: "?", open: "○" };
const STATE_WORDS = { met: "met", unmet: "not met", unknown: "not decided", open: "not answered" };

/**
 * @param {Map<string, string>} parts of a link; an exercise that there is not stays in them unread
 * @param {State} start
 * @param {Exercise[]} exercises
 * @returns {State} what the link's other parts change
 */
export function withExercise(parts, start, exercises) {
  const exercise = exercises.find(({ id }) => id === parts.get("exercise"));
  if (exercise) return { ...start, ...begun(exercise) };
  if (parts.has("exercise")) parts.set("exercise", "");
  return start;
}

/** @param {Exercise} exercise @returns {Pick<State, "exercise" | "task" | "network" | "row" | "axes">} */
function begun(exercise) {
  const { id, task } = exercise;
  return { exercise: id, task, network: startOf(exercise), row: task.rows.length - 1, axes: [0, 1] };
}

/**
 * @param {import("./store.js").Store} store
 * @param {Exercise[]} exercises
 * @param {string} version of adderlab, for the answer
 * @returns {{control: HTMLElement | string, element: HTMLElement}} the choice, and what is chosen
 */
export function exercisePanel(store, exercises, version) {
  const panel = new ExercisePanel(store, exercises, version);
  store.subscribe((state) => panel.update(state));
  return { control: exercises.length ? control("exercise", "Exercise", panel.choice) : "", element: panel.element };
}

class ExercisePanel {
  /** @type {Exercise | undefined} */ #exercise;
  /** @type {Record<string, number>} */ #numbers = {};
  #marked = "";

  /**
   * @param {import("./store.js").Store} store
   * @param {Exercise[]} exercises
   * @param {string} version
   */
  constructor(store, exercises, version) {
    this.store = store;
    this.exercises = exercises;
    this.version = version;
    const options = exercises.map(({ id, title }) => html("option", { value: id }, title));
    this.choice = html("select", {}, html("option", { value: "" }, "none"), ...options);
    this.choice.addEventListener("change", () => this.#choose(this.choice.value));
    this.title = html("h2");
    this.text = html("p");
    this.fields = html("div", { class: "group" });
    this.conditions = html("ul", { class: "conditions" });
    this.spoken = spokenLine();
    this.note = html("p", { class: "hint" });
    this.answer = html("textarea", { readonly: true, rows: 8, "aria-label": "the answer as text" });
    this.element = html(
      "section",
      { class: "panel assignment", "aria-label": "Exercise" },
      html("div", {}, this.title, this.text, this.fields),
      html(
        "div",
        {},
        this.conditions,
        this.spoken.element,
        this.note,
        html(
          "div",
          { class: "buttons" },
          button("start again", () => this.#choose(store.state.exercise)),
          button("save the answer", () => this.#save()),
        ),
        html("details", {}, html("summary", {}, "the answer as text"), this.answer),
      ),
    );
  }

  /** @param {string} id empty for none */
  #choose(id) {
    const exercise = this.exercises.find((each) => each.id === id);
    this.#exercise = undefined; // its fields are emptied
    this.store.update(exercise ? begun(exercise) : { exercise: "" });
  }

  /** @param {Exercise} exercise */
  #show(exercise) {
    this.#exercise = exercise;
    this.#numbers = {};
    write(this.title, exercise.title);
    write(this.text, exercise.text);
    this.fields.replaceChildren(...exercise.fields.map((each) => this.#field(each)));
    this.fields.hidden = !exercise.fields.length;
  }

  /** @param {Field} field */
  #field({ name, label, is_whole, least, most }) {
    const input = html("input", { inputmode: "decimal", size: 10 });
    input.addEventListener("change", () => {
      const number = numberOf(input.value);
      const isRead = number !== null && (!is_whole || Number.isInteger(number)) && number >= least && number <= most;
      input.toggleAttribute("aria-invalid", !isRead && input.value !== "");
      input.title = isRead ? "" : `a ${is_whole ? "whole " : ""}number from ${least} to ${most}`;
      if (isRead) this.#numbers[name] = number;
      else delete this.#numbers[name];
      this.store.update({});
    });
    return html("label", { class: "control" }, html("span", {}, label), input);
  }

  /** @param {State} state */
  update(state) {
    const exercise = this.exercises.find(({ id }) => id === state.exercise);
    this.choice.value = exercise?.id ?? "";
    this.element.hidden = !exercise;
    if (!exercise) return;
    if (exercise !== this.#exercise) this.#show(exercise);
    const answer = this.#answer(state);
    this.#mark(exercise, marksOf(exercise, answer), isAllShown(state));
    const isOther = state.task.name !== exercise.task.name;
    this.note.hidden = !isOther;
    write(this.note, isOther ? `the page shows another task, ${state.task.name}; start again to come back` : "");
    this.answer.value = toAnswer(exercise, answer, this.version);
  }

  /** @param {State} state @returns {import("./conditions.js").Answer} */
  #answer({ network }) {
    const asksForNumbers = this.#exercise?.fields.length;
    return asksForNumbers ? { network: null, numbers: { ...this.#numbers } } : { network, numbers: {} };
  }

  /**
   * @param {Exercise} exercise
   * @param {Mark[]} marks
   * @param {boolean} isAll whether what is right may be seen
   */
  #mark(exercise, marks, isAll) {
    const lines = marks.map((mark, i) => {
      const isHidden = mark.kind === "right" && !isAll;
      const state = isHidden ? "open" : mark.state;
      const { hint } = exercise.conditions[i];
      const detail = isHidden ? "show every row first" : mark.state === "unmet" ? (hint ?? mark.detail) : mark.detail;
      return { state, text: mark.text, detail };
    });
    const text = JSON.stringify(lines);
    if (this.#marked === text) return;
    this.#marked = text;
    this.spoken.speak(() => lines.map((line) => `${STATE_WORDS[line.state]}: ${line.text} ${line.detail}`).join("; "));
    this.conditions.replaceChildren(
      ...lines.map(({ state, text: condition, detail }) =>
        html(
          "li",
          { class: state },
          html("span", { class: "sign", "aria-hidden": "true" }, MARKS[state]),
          html(
            "span",
            {},
            html("span", { class: "visually-hidden" }, `${STATE_WORDS[state]}: `),
            condition,
            detail ? html("span", { class: "hint" }, ` ${detail}`) : null,
          ),
        ),
      ),
    );
  }

  #save() {
    const address = URL.createObjectURL(new Blob([this.answer.value], { type: "application/json" }));
    html("a", { href: address, download: `${this.store.state.exercise}.json` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }
}
