/** The controls above the network: what to show, its shape, the way back, files. */

import { refusal } from "./asking.js";
import { button, control, enable, group } from "./controls.js";
import { focused, html, write } from "./dom.js";
import { linearStart } from "./draws.js";
import { backward, sgdStep } from "./engine.js";
import { fromBase64, toBase64, toJson, toPyTorch, toSafetensors } from "./files.js";
import { EVERY_FORMAT, FORMATS, inFormat } from "./formats.js";
import { offer, save } from "./giving.js";
import { sizesOf, withHidden } from "./network.js";
import { decimal } from "./numbers.js";
import { readNetwork } from "./reading.js";
import { MOST_INPUTS, fits, numberOf } from "./state.js";

/**
 * @typedef {import("./state.js").State} State
 * @typedef {import("./network.js").Network} Network
 * @typedef {import("./network.js").Task} Task
 *
 * @typedef {object} Preset a network to begin with: its weights, or the run that makes it
 * @property {string} name
 * @property {string} title
 * @property {string} task
 * @property {Network} [network]
 * @property {{seed: number, hidden: number, steps: number, lr: number}} [run]
 *
 * @typedef {object} Context
 * @property {import("./store.js").Store} store
 * @property {Preset[]} presets
 * @property {Task[]} tasks
 * @property {import("./verdict.js").Ask | null} ask
 * @property {() => string} link the whole address of what is shown
 * @property {(text: string) => void} say a line for people
 * @property {() => HTMLElement} home the lab's own element
 * @property {(task: Task) => unknown} recordOf what a file says of a task
 */

const HIDDEN_ACTIVATIONS = ["relu", "leaky", "tanh", "step", "identity"];
const MOST_HIDDEN = 8;

/** @type {import("./network.js").Readout} */
export const HALF = { kind: "threshold", threshold: 0.5, convention: ">" };

/**
 * @param {Task} task
 * @param {number} hidden
 * @param {number} seed
 * @returns {Network} as PyTorch starts it: `torch.manual_seed(seed)`, then its layers in order
 */
export function startNetwork(task, hidden, seed) {
  const sizes = [task.input_names.length, hidden, task.output_names.length];
  const activations = /** @type {const} */ (["relu", "identity"]);
  const layers = linearStart(sizes, seed).map((layer, i) => ({ ...layer, activation: activations[i] }));
  return { layers, readout: HALF, format: "fp32" };
}

/**
 * @param {Preset} preset
 * @param {Task[]} tasks
 * @returns {{task: Task, network: Network}}
 */
export function presetState(preset, tasks) {
  const task = /** @type {Task} */ (tasks.find(({ name }) => name === preset.task));
  if (preset.network) return { task, network: preset.network };
  const { seed, hidden, steps, lr } = /** @type {any} */ (preset.run);
  let network = startNetwork(task, hidden, seed);
  for (let step = 0; step < steps; step++) network = sgdStep(network, backward(network, task.rows), lr);
  return { task, network };
}

/**
 * @param {Context} context
 * @returns {HTMLElement}
 */
export function toolbar(context) {
  const groups = [
    html("div", { class: "group" }, presetControl(context), taskControl(context)),
    html("div", { class: "group" }, unitsControl(context), activationControl(context), readoutControl(context)),
    html("div", { class: "group" }, formatControl(context)),
    html("div", { class: "group" }, undoControl(context), filesControl(context), copyControl(context)),
  ];
  return html("div", { class: "toolbar" }, ...groups);
}

/** @param {Context} context */
function presetControl({ store, presets, tasks }) {
  const options = presets.map(({ title }, i) => html("option", { value: i }, title));
  const select = html("select", {}, html("option", { value: "" }, "choose…"), ...options);
  select.addEventListener("change", () => {
    const preset = presets[Number(select.value)];
    if (select.value === "" || !preset) return;
    const next = presetState(preset, tasks);
    const isOther = next.task !== store.state.task;
    store.update({ ...next, ...(isOther && { row: next.task.rows.length - 1, axes: [0, 1] }) });
    shown = next.network;
  });
  /** @type {Network | null} the preset that the select names */
  let shown = null;
  store.subscribe(({ network }) => {
    if (shown && network !== shown) [select.value, shown] = ["", null];
  });
  return control("presets", "Begin with", select);
}

/** @param {Context} context */
function taskControl({ store, tasks, say }) {
  const select = html("select", {}, ...tasks.map(({ name }) => html("option", {}, name)));
  select.addEventListener("change", () => {
    const task = tasks.find(({ name }) => name === select.value);
    if (!task) return;
    const hidden = Math.min(MOST_HIDDEN, task.input_names.length + 1);
    store.update({ task, network: startNetwork(task, hidden, 0), row: 0, axes: [0, 1] });
    say(`${task.name}: untrained weights, as torch.manual_seed(0) draws them`);
  });
  store.subscribe(({ task }) => {
    if (![...select.options].some(({ value }) => value === task.name)) {
      select.append(html("option", {}, task.name));
    }
    select.value = task.name;
  });
  return control("task", "Task", select);
}

/** @param {Context} context */
function unitsControl({ store }) {
  const output = html("output");
  const change = (/** @type {number} */ by) => {
    const { network } = store.state;
    const hidden = network.layers[0].weight.length + by;
    if (hidden >= 1 && hidden <= MOST_HIDDEN) store.update({ network: withHidden(network, hidden) });
  };
  const fewer = button("−", () => change(-1), { "aria-label": "one hidden unit fewer" });
  const more = button("+", () => change(1), { "aria-label": "one hidden unit more" });
  store.subscribe(({ network }) => {
    const sizes = sizesOf(network).slice(1, -1);
    write(output, sizes.join("-") || "none");
    enable(fewer, sizes.length === 1 && sizes[0] > 1);
    enable(more, sizes.length === 1 && sizes[0] < MOST_HIDDEN);
  });
  return group("units", "Hidden units", fewer, output, more);
}

/** @param {Context} context */
function activationControl({ store }) {
  const select = html("select", {}, ...HIDDEN_ACTIVATIONS.map((name) => html("option", {}, name)));
  select.addEventListener("change", () => {
    const { network } = store.state;
    const activation = /** @type {import("./network.js").Activation} */ (select.value);
    const layers = network.layers.map((layer, i) =>
      i === network.layers.length - 1
        ? layer
        : {
            weight: layer.weight,
            bias: layer.bias,
            activation,
            ...(activation === "leaky" && { slope: 0.125 }),
            ...(activation === "step" && { convention: /** @type {const} */ (">") }),
          },
    );
    store.update({ network: { ...network, layers } });
  });
  store.subscribe(({ network }) => {
    select.value = network.layers[0].activation;
    select.disabled = network.layers.length === 1;
  });
  return control("activation", "Activation", select);
}

/** @param {Context} context */
function readoutControl({ store }) {
  const kind = html("select", { "aria-label": "how an output becomes a bit" });
  kind.append(...[">", ">=", "exact"].map((name) => html("option", {}, name)));
  const threshold = html("input", { inputmode: "decimal", size: 5, "aria-label": "threshold" });
  let shown = "";
  const change = () => {
    const { network } = store.state;
    const { readout } = network;
    // a threshold that nobody typed over is kept as it is, not as it is rounded to be read
    const isKept = readout.kind === "threshold" && threshold.value === shown;
    const value = isKept ? readout.threshold : numberOf(threshold.value);
    threshold.toggleAttribute("aria-invalid", value === null);
    if (kind.value === "exact") store.update({ network: { ...network, readout: { kind: "exact" } } });
    else if (value !== null) {
      const convention = /** @type {">" | ">="} */ (kind.value);
      store.update({ network: { ...network, readout: { kind: "threshold", threshold: value, convention } } });
    }
  };
  kind.addEventListener("change", change);
  threshold.addEventListener("change", change);
  store.subscribe(({ network: { readout } }) => {
    const isExact = readout.kind === "exact";
    kind.value = isExact ? "exact" : readout.convention;
    threshold.hidden = isExact;
    if (focused(threshold) === threshold) return;
    shown = isExact ? "0.5" : decimal(readout.threshold, 6).replace("−", "-");
    threshold.value = shown;
    threshold.removeAttribute("aria-invalid");
  });
  return group("readout", "An output is 1 if", kind, threshold);
}

/** @param {Context} context */
function formatControl({ store }) {
  const names = Object.keys(FORMATS).filter((name) => name !== "fp64");
  const select = html("select", {}, ...names.map((name) => html("option", {}, name)));
  select.addEventListener("change", () => {
    store.update({ network: inFormat(store.state.network, select.value) });
  });
  store.subscribe(({ network }) => {
    const { format } = network;
    if (EVERY_FORMAT[format] && ![...select.options].some(({ value }) => value === format)) {
      select.append(html("option", {}, format));
    }
    select.value = format;
  });
  return control("format", "Format", select);
}

/** @param {Context} context */
function undoControl({ store }) {
  const undo = button("↶", () => store.undo(), { "aria-label": "undo", title: "undo, Ctrl+Z" });
  const redo = button("↷", () => store.redo(), { "aria-label": "redo", title: "redo, Ctrl+Shift+Z" });
  store.subscribe(() => {
    enable(undo, store.canUndo);
    enable(redo, store.canRedo);
  });
  return group("undo", "Change", undo, redo);
}

/** @param {Context} context */
function filesControl(context) {
  const chooser = html("input", { type: "file", class: "visually-hidden", tabindex: -1, "aria-label": "a network file" });
  chooser.addEventListener("change", () => {
    const file = chooser.files?.[0];
    if (file) void openFile(context, file);
    chooser.value = "";
  });
  return group(
    "files",
    "File",
    button("open…", () => chooser.click()),
    chooser,
    button("save", () => void saveFile(context)),
  );
}

/** @param {Context} context */
function copyControl(context) {
  const { store, link, recordOf } = context;
  return group(
    "files",
    "Copy",
    button("code", () => offer("the PyTorch code", toPyTorch(store.state.network), context)),
    button("JSON", () => offer("the JSON", toJson(store.state.network, recordOf(store.state.task)), context)),
    button("link", () => offer("the link", link(), context)),
  );
}

/**
 * @param {Context} context
 * @param {File} file as chosen or dropped
 */
export async function openFile({ store, tasks, ask, say, recordOf }, file) {
  const bytes = new Uint8Array(await file.slice(0, (1 << 20) + 1).arrayBuffer());
  const isLong = bytes.length > 1 << 20;
  /** @type {Record<string, any>} */
  let answer = refusal(`${file.name} has over 1 MiB`, `networks here have up to ${MOST_INPUTS} inputs`);
  if (!isLong) {
    const read = () => readNetwork(file.name, bytes, tasks.map((task) => ({ task, record: recordOf(task) })));
    answer = ask ? await ask({ type: "open", name: file.name, data: toBase64(bytes) }) : read();
    if (answer.isLost) answer = read();
  }
  if (answer.type !== "network") return say(`${answer.what}; ${answer.remedy}`);
  const task = answer.task ?? store.state.task;
  if (!fits(answer.network, task)) {
    return say(`${file.name} is no network for ${task.name}; choose its task first`);
  }
  store.update({ task, network: answer.network, row: 0, axes: [0, 1] });
  say(`${file.name} is open`);
}

/**
 * The prover writes the file where there is one: it knows tasks that have no name, too.
 *
 * @param {Context} context
 */
async function saveFile(context) {
  const { store, ask, say, recordOf } = context;
  const { network, task } = store.state;
  const text = () => toJson(network, recordOf(task));
  const answer = ask ? await ask({ type: "save", network, task }) : null;
  if (!answer || answer.isLost) return save(toSafetensors(network, recordOf(task)), task.name, text, context);
  if (answer.type !== "file") return say(`${answer.what}; ${answer.remedy}`);
  save(fromBase64(answer.data), task.name, text, context);
}
