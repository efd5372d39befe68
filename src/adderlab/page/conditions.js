/**
 * What an answer to an exercise must meet, condition by condition. Draws nothing.
 *
 * The twin of `exercises/conditions.py`: the same kinds, the same words. Whether a network is right
 * is said in exact arithmetic here, and by the prover, which looks at number formats too, there.
 */

import { backward, sgdStep } from "./engine.js";
import { verdictOf } from "./exact.js";
import { plainly } from "./files.js";
import { FORMATS } from "./formats.js";
import { parameterName, placesOf, sizesOf, valueAt } from "./network.js";
import { inputText, wordsOf, wordsText } from "./numbers.js";
import { startNetwork } from "./toolbar.js";
import { deadUnits } from "./trainer.js";

/**
 * @typedef {import("./network.js").Network} Network
 * @typedef {import("./network.js").Task} Task
 *
 * @typedef {object} Field a number that is asked for
 * @property {string} name in the answer
 * @property {string} label
 * @property {boolean} is_whole
 * @property {number} least
 * @property {number} most
 *
 * @typedef {Record<string, any> & {kind: string, text: string, hint?: string}} Condition
 *
 * @typedef {object} Exercise
 * @property {string} id
 * @property {string} title
 * @property {string} text
 * @property {Task} task
 * @property {Network | null} start null for the untrained weights of a seed
 * @property {number} [seed]
 * @property {number} [hidden]
 * @property {{hidden: number, steps: number, lr: number}} [run] settings of the runs it is about
 * @property {Field[]} fields none where the answer is a network
 * @property {Condition[]} conditions
 *
 * @typedef {object} Answer
 * @property {Network | null} network
 * @property {Record<string, number>} numbers those that are there
 *
 * @typedef {object} Mark
 * @property {string} kind
 * @property {"met" | "unmet" | "unknown" | "open"} state open: a number is not there yet
 * @property {string} text the condition
 * @property {string} detail what the answer has instead
 *
 * @typedef {[Mark["state"], string]} Judgment
 */

/** @type {Judgment} */
const OPEN = ["open", ""];

/**
 * @param {Exercise} exercise
 * @param {Answer} answer
 * @returns {Mark[]} one for each condition
 */
export function marksOf(exercise, answer) {
  const misfit = misfitOf(exercise.task, answer.network);
  return exercise.conditions.map((condition) => {
    const [state, detail] = misfit ? misfit : CONDITIONS[condition.kind](condition, exercise, answer);
    return { kind: condition.kind, state, text: condition.text, detail };
  });
}

/**
 * @param {Task} task
 * @param {Network | null} network
 * @returns {Judgment | null} of one that does not take and give the task's bits
 */
function misfitOf(task, network) {
  if (!network) return null;
  const sizes = sizesOf(network);
  const [inputs, outputs] = [task.input_names.length, task.output_names.length];
  if (sizes[0] === inputs && sizes[sizes.length - 1] === outputs) return null;
  const size = `the network ${sizes[0]} and ${sizes[sizes.length - 1]}`;
  return ["unmet", `the task has ${inputs} input and ${outputs} output bits, ${size}`];
}

/** @param {boolean} isMet @param {string} detail @returns {Judgment} */
function metOr(isMet, detail) {
  return isMet ? ["met", ""] : ["unmet", detail];
}

/** @type {Record<string, (condition: Condition, exercise: Exercise, answer: Answer) => Judgment>} */
const CONDITIONS = {
  right: (_, { task }, { network }) => {
    if (!network) return OPEN;
    const { verdict, rows, wrong, reason } = verdictOf(network, task);
    if (verdict === "unknown") return ["unknown", reason ?? ""];
    return metOr(verdict === "proved", verdict === "proved" ? "" : counterexample(task, wrong, rows[wrong].bits));
  },
  hidden: ({ most }, _, { network }) => {
    if (!network) return OPEN;
    const units = sizesOf(network).slice(1, -1).reduce((sum, size) => sum + size, 0);
    return metOr(units <= most, `it has ${units}`);
  },
  format: ({ format }, _, { network }) => {
    if (!network) return OPEN;
    const values = placesOf(network).map((place) => valueAt(network, place));
    const { least, largest } = FORMATS[format];
    const isWhole = (/** @type {number} */ value) => Number.isInteger(value) && value >= least && value <= largest;
    const beyond = values.filter((value) => !isWhole(value)).length;
    return metOr(beyond === 0, `${beyond} of ${values.length} are other numbers`);
  },
  changed: ({ most }, { start }, { network }) => {
    if (!network || !start) return OPEN;
    if (shapeText(network) !== shapeText(start)) return ["unmet", "its layers are not those of the start"];
    if (readoutText(network) !== readoutText(start)) return ["unmet", "its readout is not that of the start"];
    const changed = placesOf(start).filter((place) => valueAt(network, place) !== valueAt(start, place)).length;
    return metOr(changed <= most, `${changed} differ`);
  },
  fails: ({ field }, exercise, { numbers }) => {
    const seed = numbers[field];
    if (seed === undefined) return OPEN;
    return metOr(!runOf(exercise, seed).isRight, `the run of seed ${seed} ends right`);
  },
  dead: (condition, exercise, { numbers }) => {
    const [unit, seed] = [numbers[condition.field], numbers[condition.seed]];
    if (unit === undefined || seed === undefined) return OPEN;
    return metOr(runOf(exercise, seed).dead.has(`0,${unit - 1}`), `unit ${unit} is on for some row, with seed ${seed}`);
  },
  equals: (condition, exercise, { numbers }) => {
    const number = numbers[condition.field];
    if (number === undefined) return OPEN;
    const fact = FACTS[condition.fact](condition, exercise);
    return metOr(Math.abs(number - fact) <= condition.within * (1 + 1e-4), "another number is right");
  },
};

/** @type {Record<string, (condition: Condition, exercise: Exercise) => number>} */
const FACTS = {
  parameters: ({ layer }, { start }) => layerSize(/** @type {Network} */ (start), layer),
  bytes: ({ layer }, { start }) => {
    const network = /** @type {Network} */ (start);
    return (layerSize(network, layer) * FORMATS[network.format].bits) / 8;
  },
  step: ({ parameter, lr }, { start, task }) => {
    const network = /** @type {Network} */ (start);
    const next = sgdStep(network, backward(network, task.rows), lr);
    const place = placesOf(next).find((each) => parameterName(each) === parameter);
    return valueAt(next, /** @type {import("./network.js").Place} */ (place));
  },
};

/**
 * @param {Task} task
 * @param {number} wrong the row
 * @param {(number | null)[]} bits what the network gives there
 * @returns {string} as the prover has it: `1 + 1 gives c = 3, expected c = 2`
 */
function counterexample(task, wrong, bits) {
  const row = task.rows[wrong];
  const got = wordsText(wordsOf(task.outputs, bits)).replaceAll("any", "no bits");
  return `${inputText(row.words)} gives ${got}, expected ${wordsText(row.result)}`;
}

/** @param {Network} network @param {number} layer counted from 1 */
function layerSize(network, layer) {
  return placesOf(network).filter((place) => place.layer === layer - 1).length;
}

/** @param {Network} network */
function shapeText(network) {
  const layers = network.layers.map(({ activation, slope, convention, bias }) => [activation, slope, convention, !bias]);
  return JSON.stringify([sizesOf(network), layers]);
}

/** @param {Network} network */
function readoutText({ readout }) {
  return readout.kind === "exact" ? "exact" : `${readout.convention}${readout.threshold}`;
}

/** @type {Map<string, {isRight: boolean, dead: Set<string>}>} */
const runs = new Map();

/**
 * @param {Exercise} exercise
 * @param {number} seed
 * @returns {{isRight: boolean, dead: Set<string>}} how the run of a seed ends; each is trained once
 */
function runOf(exercise, seed) {
  const key = `${exercise.id} ${seed}`;
  const known = runs.get(key);
  if (known) return known;
  const { task, run } = exercise;
  const { hidden, steps, lr } = /** @type {NonNullable<Exercise["run"]>} */ (run);
  let network = startNetwork(task, hidden, seed);
  for (let step = 0; step < steps; step++) network = sgdStep(network, backward(network, task.rows), lr);
  const end = { isRight: verdictOf(network, task).verdict === "proved", dead: deadUnits(network, task) };
  runs.set(key, end);
  return end;
}

/**
 * @param {Exercise} exercise
 * @returns {Network} what it begins with
 */
export function startOf({ task, start, hidden = 1, seed = 0 }) {
  return start ?? startNetwork(task, hidden, seed);
}

/**
 * @param {Exercise} exercise
 * @param {Answer} answer
 * @param {string} version of adderlab
 * @returns {string} the answer file, which `adderlab grade --exercise` reads
 */
export function toAnswer(exercise, { network, numbers }, version) {
  const content = exercise.fields.length ? { numbers } : { network: network && plainly(network) };
  return `${JSON.stringify({ exercise: exercise.id, ...content, versions: { adderlab: version } }, null, 1)}\n`;
}
