/**
 * Presentation: the lecture's chapters in large type, one panel at a time, by keyboard alone.
 *
 * → or Page Down goes on, ← or Page Up back; in backprop both go through its operations first. 1 to
 * 5 choose the panel, Escape ends. The network stays live: what is changed in it stays changed
 * until the next chapter.
 */

import { lessonAt } from "./backprop.js";
import { button } from "./controls.js";
import { html, write } from "./dom.js";
import { fromLink, linkParts } from "./state.js";
import { presetState } from "./toolbar.js";

/**
 * @typedef {import("./state.js").State} State
 *
 * @typedef {object} Chapter a network of its own, a run that makes it, or a preset by its name
 * @property {string} title
 * @property {string[]} text
 * @property {string} panel
 * @property {string} link
 * @property {string} task
 * @property {string} [preset]
 * @property {import("./network.js").Network} [network]
 * @property {{seed: number, hidden: number, steps: number, lr: number}} [run]
 *
 * @typedef {object} Source
 * @property {import("./store.js").Store} store
 * @property {Chapter[]} chapters
 * @property {import("./toolbar.js").Preset[]} presets
 * @property {import("./network.js").Task[]} tasks
 * @property {(text: string) => void} say a line for people
 */

const PANELS = ["network", "table", "surfaces", "training", "backprop"];
const FORWARD = ["ArrowRight", "PageDown"];
const BACKWARD = ["ArrowLeft", "PageUp"];

/**
 * @param {HTMLElement} root of the lab: it says in attributes what is shown
 * @param {Source} source
 * @returns {{enter: HTMLElement, slide: HTMLElement, begin: () => void}} the way in, the chapter's text,
 *   and what shows the chapter of a link that names nothing else
 */
export function presentation(root, source) {
  const talk = new Talk(root, source);
  source.store.subscribe((state) => talk.update(state));
  root.addEventListener("keydown", (event) => talk.key(event));
  return talk;
}

class Talk {
  /** @type {string | null} chosen by a digit */ #panel = null;
  /** @type {number | null} */ #shown = null;
  /** @type {import("./network.js").Network | null} what was shown before the presentation */ #before = null;

  /** @param {HTMLElement} root @param {Source} source */
  constructor(root, source) {
    this.root = root;
    this.source = source;
    this.enter = button("present", () => this.#go(0), { "data-control": "present" });
    this.place = html("p", { class: "place" });
    this.title = html("h2", { tabindex: -1 });
    this.text = html("div", { class: "text" });
    this.slide = html(
      "section",
      { class: "slide", "aria-label": "Presentation" },
      this.place,
      this.title,
      this.text,
      html(
        "p",
        { class: "buttons" },
        button("◀ back", () => this.#turn(-1)),
        button("on ▶", () => this.#turn(1)),
        button("end", () => this.#end()),
      ),
      html("p", { class: "hint" }, "← → turn the page, 1 to 5 choose what is shown, Escape ends"),
    );
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const { store, chapters } = this.source;
    if (store.state.present === null || event.defaultPrevented) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { target, key } = event;
    const isField = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
    if (isField && key !== "Escape" && !key.startsWith("Page")) return;
    if (key === "Escape") this.#end();
    else if (FORWARD.includes(key)) this.#turn(1);
    else if (BACKWARD.includes(key)) this.#turn(-1);
    else if (key === "Home") this.#go(0);
    else if (key === "End") this.#go(chapters.length - 1);
    else if (PANELS[+key - 1]) this.#show(PANELS[+key - 1]);
    else return;
    event.preventDefault();
  }

  /** @param {string} panel */
  #show(panel) {
    this.#panel = panel;
    this.source.store.update({});
  }

  /** Turn the page, or go on within its lesson. @param {number} by */
  #turn(by) {
    const { store, chapters } = this.source;
    const lesson = lessonAt(store.state);
    if (lesson && store.state.lesson) {
      const done = store.state.lesson.done + by;
      if (done >= 0 && done < lesson.operations.length) {
        return store.update({ lesson: { ...store.state.lesson, done } });
      }
    }
    const next = (store.state.present ?? 0) + by;
    if (next >= 0 && next < chapters.length) this.#go(next);
  }

  /** @param {number} number of the chapter */
  #go(number) {
    const { store, chapters, presets, tasks } = this.source;
    const chapter = chapters[number];
    const named = presets.find(({ name }) => name === chapter.preset);
    const begin = presetState(named ?? { name: chapter.title, ...chapter }, tasks);
    const row = begin.task.rows.length - 1;
    const fresh = { ...store.state, ...begin, row, axes: /** @type {[number, number]} */ ([0, 1]), lesson: null, batch: null };
    const { state } = fromLink(linkParts(chapter.link), fresh);
    this.#panel = null;
    if (store.state.present === null) this.#before = store.state.network;
    store.update({ ...state, present: number }, "present"); // undo goes back to before the first chapter
  }

  /** Show a chapter that a link names alone. */
  begin() {
    const { present } = this.source.store.state;
    if (present !== null) this.#go(present);
  }

  #end() {
    const { store, say } = this.source;
    if (this.#before && this.#before !== store.state.network) say("this network stays; undo goes back to the one before");
    this.#before = null;
    store.update({ present: null });
  }

  /** @param {State} state */
  update({ present }) {
    const chapter = present === null ? null : this.source.chapters[present];
    this.enter.hidden = present !== null || this.source.chapters.length === 0;
    this.slide.hidden = !chapter;
    if (!chapter) {
      delete this.root.dataset.panel;
      if (this.#shown !== null) requestAnimationFrame(() => this.enter.focus());
      this.#shown = null;
      return;
    }
    this.root.dataset.panel = this.#panel ?? chapter.panel;
    if (this.#shown === present) return;
    this.#shown = present;
    write(this.place, `${/** @type {number} */ (present) + 1} of ${this.source.chapters.length}`);
    write(this.title, chapter.title);
    this.text.replaceChildren(...chapter.text.map((line) => html("p", {}, line)));
    requestAnimationFrame(() => this.title.focus());
  }
}
