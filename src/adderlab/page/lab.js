/**
 * The lab: a network in your hands. One module, three homes: a server, a notebook, a file.
 *
 * A home gives a model as anywidget has it and an element; the model's `data` says what there is
 * to begin with, its `link` (the part of an address after `#`) what is shown instead.
 */

import { asker } from "./asking.js";
import { backpropPanel } from "./backprop.js";
import { html, write } from "./dom.js";
import { networkDrawing } from "./drawing.js";
import { exercisePanel, withExercise } from "./exercises.js";
import { followHost, keepKeys } from "./hosts.js";
import { presentation } from "./presentation.js";
import { DEFAULTS, fromLink, linkParts, toLink } from "./state.js";
import { Store } from "./store.js";
import { surfacesPanel } from "./surfaces.js";
import { truthTable } from "./table.js";
import { openFile, presetState, startNetwork, toolbar } from "./toolbar.js";
import { trainingPanel } from "./training.js";
import { verdictLine } from "./verdict.js";

const SAY_MS = 8000;
const SETTLED_MS = 200;
/** The home is told what is shown so long after a change, also where changes never cease: training plays. */
const LATEST_MS = 1000;

/**
 * @typedef {object} Data what a home begins with
 * @property {import("./network.js").Task[]} tasks
 * @property {import("./toolbar.js").Preset[]} presets
 * @property {import("./presentation.js").Chapter[]} [chapters] of a presentation
 * @property {{task: import("./network.js").Task, network: import("./network.js").Network} | null} start
 * @property {boolean} prover whether Python answers
 * @property {unknown} record what a file says of the start's task: its name, a table, or null
 * @property {import("./conditions.js").Exercise[]} [exercises] to choose from
 * @property {string} [version] of adderlab
 */

/**
 * @param {{model: import("./asking.js").Model, el: HTMLElement}} home
 * @returns {() => void} takes the lab away again
 */
function render({ model, el }) {
  const data = /** @type {Data} */ (model.get("data"));
  const first = data.start ?? presetState(data.presets[0], data.tasks);
  const task = data.tasks.find(({ name }) => name === first.task.name) ?? first.task;
  /** @type {import("./state.js").State} */
  const start = { ...DEFAULTS, ...first, task, row: task.rows.length - 1 };
  const { state, unread } = opened(model.get("link") ?? "", start, data.tasks, data.exercises ?? []);
  const store = new Store(state);
  const { ask, close } = asker(model);

  const line = html("p", { class: "said", role: "status" });
  let silence = 0;
  const say = (/** @type {string} */ text) => {
    write(line, text);
    clearTimeout(silence);
    silence = setTimeout(() => write(line, ""), SAY_MS);
  };
  const context = {
    store,
    presets: data.presets,
    tasks: data.tasks,
    ask: data.prover ? ask : null,
    link: () => `${String(model.get("address") ?? "")}#${toLink(store.state)}`,
    say,
    home: () => root,
    recordOf: (/** @type {import("./network.js").Task} */ task) =>
      task.name === first.task.name && data.start ? data.record : task.name,
  };
  const training = trainingPanel(store, context.ask);
  const exercise = exercisePanel(store, data.exercises ?? [], data.version ?? "");
  const bar = toolbar(context);
  bar.firstElementChild?.append(exercise.control);
  const root = html(
    "div",
    { class: "adderlab-lab" },
    bar,
    line,
    exercise.element,
    verdictLine(store, context.ask),
    html(
      "div",
      { class: "panels" },
      html("div", { class: "column" }, networkDrawing(store), training.element),
      html("div", { class: "column" }, truthTable(store), backpropPanel(store), surfacesPanel(store)),
    ),
  );
  const chapters = data.chapters ?? [];
  if (state.present !== null && !chapters[state.present]) store.state = { ...state, present: null };
  const talk = presentation(root, { ...context, chapters });
  const { enter, slide } = talk;
  if (!/(^|&)(task|net|exercise)=/.test(model.get("link") ?? "")) talk.begin();
  root.querySelector(".toolbar .group:last-child")?.append(enter);
  root.prepend(slide);
  for (const name of state.hide) {
    for (const part of root.querySelectorAll(`[data-control="${name}"], section.${name}`)) {
      part.remove();
    }
  }
  root.addEventListener("keydown", (event) => steppedBack(event, store));
  root.addEventListener("dragover", (event) => event.preventDefault());
  root.addEventListener("drop", (event) => {
    event.preventDefault();
    const file = event.dataTransfer?.files[0];
    if (file && !state.hide.includes("files")) void openFile(context, file);
  });
  let saved = 0;
  let unsavedSince = 0;
  store.subscribe(() => {
    const now = performance.now();
    unsavedSince ||= now;
    clearTimeout(saved);
    saved = setTimeout(() => {
      unsavedSince = 0;
      model.set("link", toLink(store.state, start)); // of this very moment, else `linked` would undo what came after
      model.save_changes();
    }, Math.min(SETTLED_MS, unsavedSince + LATEST_MS - now));
  });
  const linked = () => {
    const link = model.get("link") ?? "";
    if (link === toLink(store.state, start)) return;
    const other = opened(link, start, data.tasks, data.exercises ?? []);
    if (String(other.state.hide) !== String(store.state.hide)) {
      leave();
      leave = render({ model, el });
      return;
    }
    store.update(other.state);
    if (other.unread.length) say(leftOut(other.unread));
  };
  model.on("change:link", linked);
  el.append(root);
  keepKeys(root);
  const unfollow = followHost(root, () => store.show());
  store.show();
  if (unread.length) say(leftOut(unread));
  let leave = () => {
    clearTimeout(saved);
    clearTimeout(silence);
    model.off("change:link", linked);
    unfollow();
    training.close();
    store.close();
    close();
    root.remove();
  };
  return () => leave();
}

/**
 * @param {string} link
 * @param {import("./state.js").State} start
 * @param {import("./network.js").Task[]} tasks
 * @param {import("./conditions.js").Exercise[]} exercises
 */
function opened(link, start, tasks, exercises) {
  const parts = linkParts(link);
  start = withExercise(parts, start, exercises);
  const name = parts.get("task");
  if (name === undefined || name === start.task.name) return fromLink(parts, start);
  const known = [...tasks, ...exercises.map((exercise) => exercise.task)];
  const task = known.find((each) => each.name === name);
  if (!task) return { state: start, unread: ["task"] };
  const network = startNetwork(task, task.input_names.length + 1, 0);
  return fromLink(parts, { ...start, task, network, row: 0 });
}

/** @param {string[]} unread */
function leftOut(unread) {
  return `the link's ${unread.join(", ")} could not be read and was left out`;
}

/** @param {KeyboardEvent} event @param {Store} store */
function steppedBack(event, store) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
  if (event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement) return;
  const key = event.key.toLowerCase();
  if (key === "y" || (key === "z" && event.shiftKey)) store.redo();
  else if (key === "z") store.undo();
  else return;
  event.preventDefault();
}

export default { render };
