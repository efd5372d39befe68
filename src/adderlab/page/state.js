/**
 * The page's state: one table of properties, each kept in the address, and what can be hidden.
 *
 * A link holds what differs from the start. Weights are written layer by layer, `relu:1,1!-1.5;…`:
 * a unit's weights, its bias after `!`, units parted by `;`, layers by `~`. Behind whole numbers with
 * scales stands `*0.5,0.25`: those of the weights and of the biases, of which either may be left out.
 * Whatever a link says is checked; what can't be read is left as it was, and its name comes back.
 */

import { EVERY_FORMAT, isHeld } from "./formats.js";

/**
 * @typedef {import("./network.js").Network} Network
 * @typedef {import("./network.js").Task} Task
 *
 * @typedef {object} State
 * @property {Task} task
 * @property {Network} network
 * @property {number} row the selected row of the task
 * @property {[number, number]} axes the input bits that decision surfaces span
 * @property {readonly string[]} hide controls and panels that are left out
 * @property {number} seed of the weights that a run starts from
 * @property {number} lr the learning rate
 * @property {number | null} batch rows drawn for a step; null for all
 * @property {number} speed steps a frame
 * @property {number} steps of each network of a population
 * @property {{done: number, zeroGrad: boolean} | null} lesson in backprop mode: operations done
 * @property {number | null} present the chapter of a presentation, counted from 0
 * @property {string} exercise its id, empty for none
 * @property {{of: Network, rows: readonly number[]} | null} predict outputs are hidden, but for
 *   these rows as long as the network is the same
 *
 * @typedef {object} Property
 * @property {(state: State) => string} write
 * @property {(text: string, state: State) => Partial<State> | null} read null where it can't be
 */

/** What can be left out of the page: `hide=presets,files`. */
const CONTROLS = [
  "presets",
  "task",
  "units",
  "activation",
  "readout",
  "format",
  "undo",
  "files",
  "verdict",
  "network",
  "table",
  "surfaces",
  "training",
  "seed",
  "lr",
  "batch",
  "speed",
  "population",
  "backprop",
  "present",
  "exercise",
  "predict",
];

/** What a page begins with beside its task and its network. */
export const DEFAULTS = {
  row: 0,
  axes: /** @type {[number, number]} */ ([0, 1]),
  hide: [],
  seed: 0,
  lr: 0.1,
  batch: null,
  speed: 10,
  steps: 1000,
  lesson: null,
  present: null,
  exercise: "",
  predict: null,
};

const LARGEST_SEED = 2 ** 32 - 1;

export const BATCHES = ["all", "1", "2"];
export const SPEEDS = ["1", "10", "100"];
export const MOST_INPUTS = 12;
export const MOST_UNITS = 32;
export const MOST_LAYERS = 8;
const MOST_TRAINED_STEPS = 100_000;
const ACTIVATION = /^(relu|identity|tanh|step\((?:gt|ge)\)|leaky\(([^()]+)\))$/;
const READOUT = /^(exact|(gt|ge)(.+))$/;
const SIGNS = /** @type {const} */ ({ gt: ">", ge: ">=" });

/** @type {Record<string, Property>} */
const PROPERTIES = {
  net: {
    write: ({ network }) => network.layers.map(layerText).join("~"),
    read: (text, state) => {
      const layers = text.split("~").map(layerOf);
      if (layers.length > MOST_LAYERS || layers.includes(null)) return null;
      const network = { ...state.network, layers: /** @type {any} */ (layers) };
      return fits(network, state.task) ? { network } : null;
    },
  },
  readout: {
    write: ({ network: { readout } }) =>
      readout.kind === "exact"
        ? "exact"
        : `${readout.convention === ">" ? "gt" : "ge"}${readout.threshold}`,
    read: (text, state) => {
      const parts = READOUT.exec(text);
      if (!parts) return null;
      if (parts[1] === "exact") return { network: { ...state.network, readout: { kind: "exact" } } };
      const threshold = numberOf(parts[3]);
      if (threshold === null) return null;
      const convention = SIGNS[/** @type {"gt" | "ge"} */ (parts[2])];
      return { network: { ...state.network, readout: { kind: "threshold", threshold, convention } } };
    },
  },
  format: {
    write: ({ network }) => network.format,
    read: (text, { network }) => (Object.hasOwn(EVERY_FORMAT, text) ? { network: { ...network, format: text } } : null),
  },
  row: {
    write: ({ row }) => String(row),
    read: (text, { task }) => (/^\d{1,4}$/.test(text) && task.rows[+text] ? { row: +text } : null),
  },
  axes: {
    write: ({ task, axes }) => axes.map((bit) => task.input_names[bit]).join(","),
    read: (text, { task }) => {
      const bits = text.split(",").map((name) => task.input_names.indexOf(name));
      const isPair = bits.length === 2 && bits[0] !== bits[1] && !bits.includes(-1);
      return isPair ? { axes: [bits[0], bits[1]] } : null;
    },
  },
  seed: {
    write: ({ seed }) => String(seed),
    read: (text) => {
      const seed = seedOf(text);
      return seed === null ? null : { seed };
    },
  },
  lr: {
    write: ({ lr }) => String(lr),
    read: (text) => {
      const lr = rateOf(text);
      return lr === null ? null : { lr };
    },
  },
  batch: {
    write: ({ batch }) => String(batch ?? "all"),
    read: (text) => (BATCHES.includes(text) ? { batch: text === "all" ? null : +text } : null),
  },
  speed: {
    write: ({ speed }) => String(speed),
    read: (text) => (SPEEDS.includes(text) ? { speed: +text } : null),
  },
  steps: {
    write: ({ steps }) => String(steps),
    read: (text) => {
      const steps = stepsOf(text);
      return steps === null ? null : { steps };
    },
  },
  lesson: {
    write: ({ lesson }) => (lesson ? `${lesson.done}${lesson.zeroGrad ? "" : ",kept"}` : "off"),
    read: (text) => {
      const parts = /^(\d{1,5})(,kept)?$/.exec(text);
      if (!parts) return text === "off" ? { lesson: null } : null;
      return { lesson: { done: +parts[1], zeroGrad: !parts[2] } };
    },
  },
  present: {
    write: ({ present }) => (present === null ? "off" : String(present + 1)),
    read: (text) => {
      const isChapter = /^[1-9]\d?$/.test(text);
      return text === "off" ? { present: null } : isChapter ? { present: +text - 1 } : null;
    },
  },
  exercise: {
    write: ({ exercise }) => exercise,
    read: (text) => (/^[a-z0-9-]{1,32}$/.test(text) ? { exercise: text } : null),
  },
  predict: {
    write: ({ network, predict }) =>
      predict ? ["on", ...(predict.of === network ? predict.rows : [])].join(",") : "off",
    read: (text, { network }) => {
      if (text === "off") return { predict: null };
      if (!/^on(,\d{1,4})*$/.test(text)) return null;
      return { predict: { of: network, rows: text.split(",").slice(1).map(Number) } };
    },
  },
  hide: {
    write: ({ hide }) => hide.join(","),
    read: (text) => {
      const hide = text.split(",").filter(Boolean);
      return hide.every((name) => CONTROLS.includes(name)) ? { hide } : null;
    },
  },
};

/**
 * @param {State} state
 * @param {State} [start] what a page without a link shows; what is the same is left out
 * @returns {string} the part of an address after `#`
 */
export function toLink(state, start) {
  // a chapter and an exercise begin with a network of their own
  const isOther = state.task.name !== start?.task.name || state.exercise !== start?.exercise || state.present !== null;
  const parts = Object.entries(PROPERTIES)
    .filter(([, { write }]) => isOther || !start || write(state) !== write(start))
    .map(([name, { write }]) => [name, write(state)]);
  return [["task", isOther ? state.task.name : ""], ...parts]
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}=${encodeURI(value).replaceAll("&", "%26")}`)
    .join("&");
}

/**
 * @param {string} link the part of an address after `#`
 * @returns {Map<string, string>} property by name
 */
export function linkParts(link) {
  /** @type {Map<string, string>} */
  const parts = new Map();
  for (const part of link.split("&").filter(Boolean)) {
    const cut = part.indexOf("=");
    try {
      parts.set(part.slice(0, cut), decodeURIComponent(part.slice(cut + 1)));
    } catch {
      parts.set(part.slice(0, cut), "");
    }
  }
  return parts;
}

/**
 * @param {Map<string, string>} parts of a link; its task is the state's already
 * @param {State} state
 * @returns {{state: State, unread: string[]}} unread: properties that were left as they were
 */
export function fromLink(parts, state) {
  const before = state;
  /** @type {string[]} */
  const unread = [];
  for (const [name, { read }] of Object.entries(PROPERTIES)) {
    const text = parts.get(name);
    if (text === undefined) continue;
    const change = read(text, state);
    if (change) state = { ...state, ...change };
    else unread.push(name);
  }
  if (!isHeld(state.network)) {
    unread.push("net");
    state = { ...state, network: before.network };
  }
  const known = [...Object.keys(PROPERTIES), "task"];
  return { state, unread: [...unread, ...[...parts.keys()].filter((name) => !known.includes(name))] };
}

/**
 * @param {Network} network
 * @param {Task} task
 * @returns {boolean} whether its sizes are the task's and within the page's limits
 */
export function fits(network, task) {
  let width = task.input_names.length;
  for (const { weight, bias } of network.layers) {
    if (!weight.length || weight.length > MOST_UNITS) return false;
    if (weight.some((row) => row.length !== width)) return false;
    if (bias && bias.length !== weight.length) return false;
    width = weight.length;
  }
  return width === task.output_names.length;
}

/** @param {import("./network.js").Layer} layer */
function layerText({ weight, bias, activation, slope, convention, weight_scale, bias_scale }) {
  const [by, byBias] = [weight_scale ?? 1, bias_scale ?? 1];
  const units = weight.map((row, unit) => row.map((w) => w / by).join(",") + (bias ? `!${bias[unit] / byBias}` : ""));
  const scales = [weight_scale ?? "", ...(bias_scale === undefined ? [] : [bias_scale])].join(",");
  const detail = { leaky: `(${slope})`, step: `(${convention === ">=" ? "ge" : "gt"})` };
  return `${activation}${/** @type {any} */ (detail)[activation] ?? ""}:${units.join(";")}${scales && `*${scales}`}`;
}

/**
 * @param {string} text
 * @returns {import("./network.js").Layer | null}
 */
function layerOf(text) {
  const star = text.indexOf("*");
  const scales = star < 0 ? {} : scalesOf(text.slice(star + 1));
  if (star >= 0) text = text.slice(0, star);
  const cut = text.indexOf(":");
  const parts = ACTIVATION.exec(text.slice(0, cut));
  if (cut < 0 || !parts) return null;
  const kind = /** @type {import("./network.js").Activation} */ (parts[1].split("(")[0]);
  const units = text.slice(cut + 1).split(";").map((unit) => unit.split("!"));
  const weight = units.map(([row]) => row.split(",").map(numberOf));
  const bias = units.map((unit) => (unit.length === 2 ? numberOf(unit[1]) : null));
  const hasBias = units.every((unit) => unit.length === 2);
  if (!scales || (scales.bias_scale && !hasBias)) return null;
  const { weight_scale = 1, bias_scale = 1 } = scales;
  const isWhole = hasBias ? !bias.includes(null) : units.every((unit) => unit.length === 1);
  const slope = kind === "leaky" ? numberOf(parts[2]) : undefined;
  if (!isWhole || slope === null || weight.some((row) => row.includes(null))) return null;
  return /** @type {any} */ ({
    weight: weight.map((row) => row.map((w) => /** @type {number} */ (w) * weight_scale)),
    bias: hasBias ? bias.map((b) => /** @type {number} */ (b) * bias_scale) : null,
    activation: kind,
    ...(kind === "leaky" && { slope }),
    ...(kind === "step" && { convention: parts[1] === "step(ge)" ? ">=" : ">" }),
    ...scales,
  });
}

/**
 * @param {string} text of the scales of a layer: `0.5,0.25`, `0.5` or `,0.25`
 * @returns {{weight_scale?: number, bias_scale?: number} | null}
 */
function scalesOf(text) {
  const [by, byBias, ...more] = text.split(",").map((part) => (part ? numberOf(part) : undefined));
  const areScales = [by, byBias].every((scale) => scale === undefined || (scale !== null && scale > 0));
  if (more.length || !areScales || text.endsWith(",") || !text) return null;
  return /** @type {any} */ ({ ...(by && { weight_scale: by }), ...(byBias && { bias_scale: byBias }) });
}

/** @param {string} text @returns {number | null} a seed as `torch.manual_seed` takes it here */
export function seedOf(text) {
  const seed = /^\d{1,10}$/.test(text.trim()) ? Number(text) : Infinity;
  return seed <= LARGEST_SEED ? seed : null;
}

/** @param {string} text @returns {number | null} steps of a population's networks */
export function stepsOf(text) {
  const steps = /^\d{1,6}$/.test(text.trim()) ? Number(text) : 0;
  return steps >= 1 && steps <= MOST_TRAINED_STEPS ? steps : null;
}

/** @param {string} text @returns {number | null} a learning rate */
export function rateOf(text) {
  const rate = numberOf(text);
  return rate !== null && rate > 0 ? rate : null;
}

/**
 * @param {string} text
 * @returns {number | null} a finite number, or null
 */
export function numberOf(text) {
  const plain = text.trim().replace("−", "-").replace(",", ".");
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) {
    const ratio = /^([+-]?\d+)\/(\d+)$/.exec(plain);
    return ratio && +ratio[2] ? finite(+ratio[1] / +ratio[2]) : null;
  }
  return finite(Number(plain));
}

/** @param {number} value */
function finite(value) {
  return Number.isFinite(value) ? value : null;
}
