/**
 * A training run that can be gone through forwards and backwards. Knows no DOM.
 *
 * Every step's weights are kept, so that any of them can be shown again, and a run starts again
 * from the very weights it started from. Its random numbers are those of PyTorch: a run from a
 * seed is the run of `adderlab train --data table` with that seed.
 */

import { Twister, linearStart } from "./draws.js";
import { backward, sgdStep } from "./engine.js";
import { placesOf, sizesOf, withoutScales } from "./network.js";

/** Steps after which a run ends: its weights are all kept. */
const MOST_STEPS = 100_000;

/**
 * @typedef {import("./network.js").Network} Network
 * @typedef {import("./network.js").Task} Task
 */

/**
 * @param {Network} network
 * @param {number} seed
 * @returns {Network} the same shape with the weights that PyTorch starts from
 */
export function fromSeed(network, seed) {
  const start = linearStart(sizesOf(network), seed);
  const layers = network.layers.map((layer, number) => ({ ...withoutScales(layer), ...start[number] }));
  return { ...network, layers, format: "fp32" };
}

export class Trainer {
  /** @type {Network[]} */ #networks;
  /** @type {Twister} */ #draws;
  /** @type {number[]} */ losses = [];
  /** Why there is no next step, where there is none. */
  ended = "";

  /**
   * @param {Network} start
   * @param {Task} task
   * @param {number} seed of the rows that a batch is drawn from
   */
  constructor(start, task, seed) {
    this.start = start;
    this.task = task;
    this.seed = seed;
    this.#networks = [start];
    this.#draws = new Twister(seed);
    for (const _ of placesOf(start)) this.#draws.word(); // those that the start took
  }

  /** Steps taken. */
  get steps() {
    return this.#networks.length - 1;
  }

  /** @param {number} step @returns {Network} the network after that many steps */
  at(step) {
    return this.#networks[step];
  }

  /**
   * Take a step from the last network.
   *
   * @param {number} lr
   * @param {number | null} batch how many rows are drawn for it; all of them where null
   * @returns {boolean} whether it was taken; if not, `ended` says why
   */
  step(lr, batch) {
    if (this.steps >= MOST_STEPS) {
      this.ended = "the run ends here: the page keeps the weights of 100,000 steps";
      return false;
    }
    const { rows } = this.task;
    const chosen =
      batch === null
        ? rows
        : Array.from({ length: batch }, () => rows[this.#draws.word() % rows.length]);
    const network = this.at(this.steps);
    const gradients = backward(network, chosen);
    const next = sgdStep(network, gradients, lr);
    if (!next.layers.every(({ weight, bias }) => [...weight.flat(), ...(bias ?? [])].every(Number.isFinite))) {
      this.ended = `the run ends here: the next step's weights are beyond every number of fp32; a learning rate below ${lr} may help`;
      return false;
    }
    this.ended = "";
    this.losses.push(gradients.loss);
    this.#networks.push(next);
    return true;
  }
}

/**
 * @param {Network} network
 * @param {Task} task
 * @returns {Set<string>} hidden units that are off on every row, as `layer,unit`
 */
export function deadUnits(network, task) {
  /** @type {Set<string>} */
  const dead = new Set();
  let values = task.rows.map((row) => row.inputs);
  network.layers.slice(0, -1).forEach((layer, number) => {
    values = values.map((x) =>
      layer.weight.map((row, unit) => {
        const sum = row.reduce((total, w, i) => total + w * x[i], layer.bias ? layer.bias[unit] : 0);
        return layer.activation === "relu" ? Math.max(sum, 0) : sum;
      }),
    );
    if (layer.activation !== "relu") return;
    layer.weight.forEach((_, unit) => {
      if (values.every((x) => x[unit] === 0)) dead.add(`${number},${unit}`);
    });
  });
  return dead;
}
