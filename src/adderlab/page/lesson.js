/**
 * Backpropagation operation by operation, on one row: what is computed, from what, and where.
 *
 * A lesson is a list of operations; each sets numbers: a unit's sum or value, a gradient, a slot
 * of a parameter. What stands anywhere at operation k is what the operations up to k have set, so
 * going back is as easy as going on, and what was not computed yet is simply not there. Numbers are
 * rounded to float32 as PyTorch rounds them. Knows no DOM.
 */

import { forward, outputsOf, slopeAt } from "./engine.js";
import { parameterName, placesOf, valueAt, withValue } from "./network.js";
import { decimal } from "./numbers.js";

/**
 * @typedef {import("./network.js").Network} Network
 * @typedef {import("./network.js").Place} Place
 *
 * @typedef {object} Operation
 * @property {string} title what it is: forward, backward, …
 * @property {string} symbols what is computed, `dL/dc0 · h2 =`
 * @property {string} numbers the same with its numbers filled in, and the result
 * @property {{unit?: [number, number], parameter?: string}} at the unit (column and number) or the
 *   parameter that it speaks of; neither of the loss
 * @property {Record<string, number | null>} sets by key; null empties a slot
 */

/** @param {number} value */
const text = (value) => decimal(value, 3);
/** @param {number} value a factor in a product, in brackets where it is negative */
const factor = (value) => (value < 0 ? `(${text(value)})` : text(value));
/** @param {number} value @param {boolean} isFirst a term of a sum */
const term = (value, isFirst) => (isFirst ? text(value) : value < 0 ? `− ${text(-value)}` : `+ ${text(value)}`);

export const valueKey = (/** @type {number} */ column, /** @type {number} */ unit) => `value ${column} ${unit}`;
export const unitGradientKey = (/** @type {number} */ column, /** @type {number} */ unit) => `dL ${column} ${unit}`;
export const slotKey = (/** @type {Place} */ place) => parameterName(place);
export const gradientKey = (/** @type {Place} */ place) => `grad ${parameterName(place)}`;

/**
 * @param {Network} network
 * @param {import("./network.js").Task} task
 * @param {number} row
 * @param {{lr: number, zeroGrad: boolean}} settings
 * @returns {Operation[]} two steps of SGD on the row, with `zero_grad()` between them or without
 */
export function lessonOf(network, task, row, { lr, zeroGrad }) {
  const writer = new Writer(network, task, task.rows[row], lr);
  writer.step("first step");
  if (zeroGrad) writer.zeroGrad();
  writer.step("second step");
  return writer.operations;
}

/**
 * @param {Operation[]} operations
 * @param {number} count how many of them have been done
 * @returns {Map<string, number>} what stands where
 */
export function standing(operations, count) {
  /** @type {Map<string, number>} */
  const values = new Map();
  for (const { sets } of operations.slice(0, count)) {
    for (const [key, value] of Object.entries(sets)) {
      if (value === null) values.delete(key);
      else values.set(key, value);
    }
  }
  return values;
}

class Writer {
  /** @type {Operation[]} */ operations = [];
  /** @type {Map<string, number>} the second slots */ #gradients = new Map();
  #phase = "";

  /**
   * @param {Network} network
   * @param {import("./network.js").Task} task
   * @param {import("./network.js").Row} row
   * @param {number} lr
   */
  constructor(network, task, row, lr) {
    this.network = network;
    this.task = task;
    this.row = row;
    this.lr = lr;
    const inputs = row.inputs.map((bit, unit) => [valueKey(0, unit), bit]);
    const slots = placesOf(network).map((place) => [slotKey(place), valueAt(network, place)]);
    const bits = task.input_names.map((name, i) => `${name} = ${row.inputs[i]}`).join(", ");
    this.#add("start", "the row", bits, {}, Object.fromEntries([...inputs, ...slots]));
  }

  /**
   * @param {string} title
   * @param {string} symbols
   * @param {string} numbers
   * @param {Operation["at"]} at
   * @param {Operation["sets"]} sets
   */
  #add(title, symbols, numbers, at, sets) {
    const phase = this.#phase && `${this.#phase}, `;
    this.operations.push({ title: phase + title, symbols, numbers, at, sets });
  }

  /** @param {number} column @param {number} unit @returns {string} a unit's name: `a`, `h1`, `c0` */
  #name(column, unit) {
    const last = this.network.layers.length;
    if (column === 0) return this.task.input_names[unit];
    if (column === last) return this.task.output_names[unit];
    return last === 2 ? `h${unit + 1}` : `h${column}.${unit + 1}`;
  }

  /** @param {number} column @param {number} unit @returns {string} of its sum: `z1`; an output is its own */
  #sumName(column, unit) {
    const name = this.#name(column, unit);
    const { activation } = this.network.layers[column - 1];
    return activation === "identity" ? name : name.replace(/^h/, "z").replace(/^([^z].*)$/, "z of $1");
  }

  /** Write a whole step of SGD. @param {string} phase */
  step(phase) {
    this.#phase = phase;
    // What stood of the last step's forward pass is not of this one.
    const stale = this.operations.flatMap(({ sets }) => Object.keys(sets));
    const units = stale.filter((key) => /^(value [1-9]|dL |loss)/.test(key)).map((key) => [key, null]);
    const pass = forward(this.network, this.row.inputs);
    this.#forward(pass, Object.fromEntries(units));
    const upstream = this.#loss(outputsOf(pass));
    this.#backward(pass, upstream);
    this.#update();
  }

  /** Write that the gradient slots are emptied. */
  zeroGrad() {
    this.#phase = "";
    this.#gradients.clear();
    const sets = Object.fromEntries(placesOf(this.network).map((place) => [gradientKey(place), null]));
    this.#add("zero_grad()", "every gradient slot is emptied:", "there is none now, which is not 0", {}, sets);
  }

  /** @param {import("./engine.js").Pass} pass @param {Operation["sets"]} stale */
  #forward({ sums, values }, stale) {
    this.network.layers.forEach(({ weight, bias, activation }, number) => {
      const column = number + 1;
      weight.forEach((row, unit) => {
        const products = row.map((w, i) => `${factor(w)}·${factor(values[number][i])}`);
        const constant = bias ? ` ${term(bias[unit], false)}` : "";
        const z = sums[number][unit];
        const isPlain = activation === "identity";
        const numbers = `${products.join(" + ")}${constant} = ${text(z)}`;
        const at = { unit: /** @type {[number, number]} */ ([column, unit]) };
        this.#add("forward", `${this.#sumName(column, unit)} =`, numbers, at, { ...stale, ...(isPlain && { [valueKey(column, unit)]: z }) });
        stale = {};
        if (isPlain) return;
        const h = values[column][unit];
        const applied = `${activation}(${text(z)}) = ${text(h)}`;
        this.#add("forward", `${this.#name(column, unit)} =`, applied, at, { [valueKey(column, unit)]: h });
      });
    });
  }

  /** @param {number[]} outputs @returns {number[]} dL/dy of every output */
  #loss(outputs) {
    const count = outputs.length;
    const labels = this.row.expected;
    const errors = outputs.map((y, o) => (labels[o] === null ? 0 : Math.fround(y - /** @type {number} */ (labels[o]))));
    let loss = 0;
    for (const error of errors) loss = Math.fround(loss + Math.fround(error * error));
    loss = Math.fround(loss / count);
    const squares = outputs.map((y, o) => (labels[o] === null ? "0²" : `(${text(y)} − ${labels[o]})²`));
    this.#add("loss", "L =", `(${squares.join(" + ")}) / ${count} = ${text(loss)}`, {}, { loss });
    const rate = Math.fround(2 / count);
    const column = this.network.layers.length;
    return errors.map((error, o) => {
      const gradient = Math.fround(rate * error);
      const name = this.#name(column, o);
      const inner = labels[o] === null ? "0" : `(${text(outputs[o])} − ${labels[o]})`;
      const numbers = `2·${inner} / ${count} = ${text(gradient)}`;
      this.#add("backward", `dL/d${name} =`, numbers, { unit: [column, o] }, { [unitGradientKey(column, o)]: gradient });
      return gradient;
    });
  }

  /** @param {import("./engine.js").Pass} pass @param {number[]} upstream dL/dh of the last layer */
  #backward({ sums, values }, upstream) {
    for (let number = this.network.layers.length - 1; number >= 0; number--) {
      const layer = this.network.layers[number];
      const column = number + 1;
      const dz = upstream.map((dh, unit) => {
        if (layer.activation === "identity") return dh;
        const slope = slopeAt(layer, sums[number][unit], values[column][unit]);
        const gradient = Math.fround(dh * slope);
        const [h, z] = [this.#name(column, unit), this.#sumName(column, unit)];
        const symbols = `dL/d${z} = dL/d${h} · ${layer.activation}′(${text(sums[number][unit])}) =`;
        const numbers = `${factor(dh)}·${text(slope)} = ${text(gradient)}`;
        this.#add("backward", symbols, numbers, { unit: [column, unit] }, { [unitGradientKey(column, unit)]: gradient });
        return gradient;
      });
      layer.weight.forEach((row, unit) => {
        const from = `dL/d${this.#sumName(column, unit)}`;
        row.forEach((_, input) =>
          this.#accumulate({ layer: number, unit, input }, `${from} · ${this.#name(number, input)}`, dz[unit], values[number][input]),
        );
        if (layer.bias) this.#accumulate({ layer: number, unit, input: "bias" }, `${from} · 1`, dz[unit], 1);
      });
      if (number === 0) return;
      upstream = layer.weight[0].map((_, input) => this.#through(layer, column, input, dz));
    }
  }

  /**
   * @param {import("./network.js").Layer} layer
   * @param {number} column of the layer's units
   * @param {number} input
   * @param {number[]} dz
   * @returns {number} dL/dh of a unit before the layer
   */
  #through(layer, column, input, dz) {
    let sum = 0;
    layer.weight.forEach((row, unit) => (sum = Math.fround(sum + Math.fround(row[input] * dz[unit]))));
    const products = layer.weight.map((row, unit) => `${factor(dz[unit])}·${factor(row[input])}`);
    const symbols = layer.weight.map((_, unit) => `dL/d${this.#sumName(column, unit)} · ${parameterName({ layer: column - 1, unit, input })}`);
    const key = unitGradientKey(column - 1, input);
    const name = this.#name(column - 1, input);
    this.#add("backward", `dL/d${name} = ${symbols.join(" + ")} =`, `${products.join(" + ")} = ${text(sum)}`, { unit: [column - 1, input] }, { [key]: sum });
    return sum;
  }

  /**
   * Write that a parameter's gradient is added to its second slot.
   *
   * @param {Place} place
   * @param {string} symbols
   * @param {number} dz
   * @param {number} x
   */
  #accumulate(place, symbols, dz, x) {
    const key = gradientKey(place);
    const before = this.#gradients.get(key);
    const gradient = Math.fround(dz * x);
    const sum = before === undefined ? gradient : Math.fround(before + gradient);
    this.#gradients.set(key, sum);
    const numbers = `${factor(dz)}·${factor(x)} = ${text(gradient)}`;
    const added = before === undefined ? "" : `, added to ${text(before)}: ${text(sum)}`;
    const name = `dL/d${parameterName(place)}`;
    this.#add("backward", `${name} = ${symbols} =`, numbers + added, { parameter: parameterName(place) }, { [key]: sum });
  }

  /** Write that every weight moves against its gradient. */
  #update() {
    const rate = Math.fround(-this.lr);
    /** @type {Record<string, number>} */
    const sets = {};
    let { network } = this;
    for (const place of placesOf(network)) {
      const gradient = this.#gradients.get(gradientKey(place)) ?? 0;
      const value = Math.fround(Math.fround(valueAt(network, place)) + rate * gradient);
      network = withValue(network, place, value);
      sets[slotKey(place)] = value;
    }
    this.network = network;
    this.#add("optimizer.step()", "w ← w − lr · dL/dw", `with lr = ${text(this.lr)}, for every parameter`, {}, sets);
  }
}
