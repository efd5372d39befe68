/**
 * Forward pass, backpropagation and one step of SGD, in float32 as PyTorch computes them.
 *
 * Every sum and product is rounded to float32 on its own (`Math.fround`), a layer's products are
 * added in the order of its inputs and the bias comes last. On small networks these are PyTorch's
 * own numbers, bit for bit, on a CPU; tests hold both side by side. Nothing here knows the page.
 */

import { sizesOf, withoutScales } from "./network.js";

const round = Math.fround;

/**
 * What each activation does to a sum, and its derivative there. At a sum of exactly 0 relu has
 * none; PyTorch takes 0.
 *
 * @type {Record<import("./network.js").Activation, {
 *   value: (z: number, layer: import("./network.js").Layer) => number,
 *   slope: (z: number, h: number, layer: import("./network.js").Layer) => number}>}
 */
const ACTIVATIONS = {
  relu: { value: (z) => (z > 0 ? z : 0), slope: (z) => (z > 0 ? 1 : 0) },
  identity: { value: (z) => z, slope: () => 1 },
  step: { value: (z, { convention }) => (isAbove(z, 0, convention) ? 1 : 0), slope: () => 0 },
  leaky: {
    value: (z, { slope = 0.01 }) => (z > 0 ? z : round(round(slope) * z)),
    slope: (z, _h, { slope = 0.01 }) => (z > 0 ? 1 : round(slope)),
  },
  tanh: { value: (z) => round(Math.tanh(z)), slope: (_z, h) => round(1 - round(h * h)) },
};

/**
 * @param {import("./network.js").Layer} layer
 * @param {number} z a unit's sum
 * @param {number} h its activation there
 * @returns {number} the activation's derivative
 */
export function slopeAt(layer, z, h) {
  return ACTIVATIONS[layer.activation].slope(z, h, layer);
}

/**
 * @param {number} value
 * @param {number} threshold
 * @param {import("./network.js").Convention} [convention]
 */
export function isAbove(value, threshold, convention = ">") {
  return convention === ">=" ? value >= threshold : value > threshold;
}

/**
 * One row's way through a network.
 *
 * @typedef {object} Pass
 * @property {number[][]} sums each layer's `W x + b`
 * @property {number[][]} values the inputs, then each layer's activations
 */

/**
 * @param {import("./network.js").Network} network
 * @param {number[]} inputs bits, or any numbers
 * @returns {Pass}
 */
export function forward(network, inputs) {
  const values = [inputs.map(round)];
  const sums = [];
  for (const layer of network.layers) {
    const x = values[values.length - 1];
    const z = layer.weight.map((row, unit) => {
      const products = dot(row, x);
      return layer.bias ? round(products + round(layer.bias[unit])) : products;
    });
    sums.push(z);
    values.push(z.map((sum) => ACTIVATIONS[layer.activation].value(sum, layer)));
  }
  return { sums, values };
}

/** @param {Pass} pass @returns {number[]} the network's raw outputs */
export function outputsOf(pass) {
  return pass.values[pass.values.length - 1];
}

/**
 * @param {number[]} weights
 * @param {number[]} x
 * @returns {number} the sum of products, each step rounded to float32
 */
function dot(weights, x) {
  let sum = round(round(weights[0]) * x[0]);
  for (let i = 1; i < x.length; i++) sum = round(sum + round(round(weights[i]) * x[i]));
  return sum;
}

/**
 * @param {number[]} outputs raw values
 * @param {import("./network.js").Readout} readout
 * @returns {(number | null)[]} bits; null where an exact readout meets neither 0 nor 1
 */
export function bitsOf(outputs, readout) {
  if (readout.kind === "exact") return outputs.map((y) => (y === 0 || y === 1 ? y : null));
  return outputs.map((y) => (isAbove(y, readout.threshold, readout.convention) ? 1 : 0));
}

/**
 * The mean squared error over all rows and outputs, and its derivative by every parameter.
 *
 * Backpropagation goes through the layers from the last to the first. A layer gets dL/dh, how
 * fast the loss changes with its activations; times the slope of the activation that is dL/dz,
 * by its sums. A weight's gradient is then dL/dz times the input it multiplies, summed over the
 * rows; a bias's the sum itself; and what the layer before it gets is dL/dz times the weights.
 *
 * @typedef {object} Gradients
 * @property {number} loss
 * @property {{weight: number[][], bias: number[] | null}[]} layers dL/dw, shaped as the network
 *
 * @param {import("./network.js").Network} network
 * @param {import("./network.js").Row[]} rows
 * @returns {Gradients}
 */
export function backward(network, rows) {
  const passes = rows.map((row) => forward(network, row.inputs));
  const count = round(rows.length * sizesOf(network).slice(-1)[0]);
  const errors = passes.map((pass, r) =>
    outputsOf(pass).map((y, o) => {
      const label = rows[r].expected[o];
      return label === null ? 0 : round(y - label);
    }),
  );
  let loss = 0;
  for (const error of errors.flat()) loss = round(loss + round(error * error));

  // dL/dy of (y - t)^2 / count is 2 (y - t) / count.
  const factor = round(2 / count);
  let upstream = errors.map((row) => row.map((error) => round(factor * error)));
  const layers = network.layers.map((layer) => ({
    weight: layer.weight,
    bias: layer.bias,
  }));
  for (let number = network.layers.length - 1; number >= 0; number--) {
    const layer = network.layers[number];
    const dz = upstream.map((dh, r) => {
      const { sums, values } = passes[r];
      return dh.map((d, unit) => round(d * slopeAt(layer, sums[number][unit], values[number + 1][unit])));
    });
    layers[number] = {
      weight: layer.weight.map((row, unit) =>
        row.map((_, i) => sumOver(rows, (r) => round(dz[r][unit] * passes[r].values[number][i]))),
      ),
      bias: layer.bias && layer.bias.map((_, unit) => sumOver(rows, (r) => dz[r][unit])),
    };
    upstream = dz.map((d) =>
      layer.weight[0].map((_, i) =>
        dot(
          layer.weight.map((row) => row[i]),
          d,
        ),
      ),
    );
  }
  return { loss: round(loss / count), layers };
}

/**
 * @param {unknown[]} rows
 * @param {(row: number) => number} term
 */
function sumOver(rows, term) {
  let sum = term(0);
  for (let r = 1; r < rows.length; r++) sum = round(sum + term(r));
  return sum;
}

/**
 * One step of SGD: every parameter moves against its gradient.
 *
 * @param {import("./network.js").Network} network
 * @param {Gradients} gradients
 * @param {number} lr
 * @returns {import("./network.js").Network} w - lr * dL/dw for every parameter w
 */
export function sgdStep(network, gradients, lr) {
  // PyTorch adds the gradient times -lr in one fused operation: the product is not rounded.
  const rate = round(-lr);
  /** @param {number} w @param {number} gradient */
  const next = (w, gradient) => round(round(w) + rate * gradient);
  const layers = network.layers.map((layer, number) => {
    const { weight, bias } = gradients.layers[number];
    return {
      ...withoutScales(layer),
      weight: layer.weight.map((row, u) => row.map((w, i) => next(w, weight[u][i]))),
      bias: layer.bias && bias && layer.bias.map((b, u) => next(b, bias[u])),
    };
  });
  return { ...network, layers, format: "fp32" };
}
