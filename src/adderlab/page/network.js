/**
 * What the page knows of a network and a task: plain data, the same as in JSON.
 *
 * A network is a chain of dense layers. Everything here is a value: a change makes a new network,
 * which is what undo, the scrubber and the tests rely on.
 */

/**
 * @typedef {"relu" | "identity" | "step" | "leaky" | "tanh"} Activation
 * @typedef {">" | ">="} Convention whether a value equal to the threshold is a 1
 *
 * @typedef {object} Layer
 * @property {number[][]} weight out × in
 * @property {number[] | null} bias null where the layer has none
 * @property {Activation} activation
 * @property {number} [slope] of `leaky`
 * @property {Convention} [convention] of `step`
 * @property {number} [weight_scale] where the weights are whole numbers of the format times this
 * @property {number} [bias_scale] likewise
 *
 * @typedef {{kind: "threshold", threshold: number, convention: Convention}
 *   | {kind: "exact"}} Readout
 *
 * @typedef {object} Network
 * @property {Layer[]} layers
 * @property {Readout} readout
 * @property {string} format the number format of its stored values
 *
 * @typedef {object} Row
 * @property {number[]} inputs bits, as the network reads them
 * @property {(number | null)[]} expected bits; null where any value will do
 * @property {Record<string, number>} words the input words' values
 * @property {Record<string, number | null>} result the output words' values
 *
 * @typedef {object} Task
 * @property {string} name
 * @property {[string, number][]} inputs words with their widths in bits
 * @property {[string, number][]} outputs
 * @property {string[]} input_names of the bits
 * @property {string[]} output_names
 * @property {Row[]} rows
 *
 * @typedef {object} Place a parameter of a network
 * @property {number} layer counted from 0
 * @property {number} unit the row of the weight matrix
 * @property {number | "bias"} input its column, or the bias
 */

/**
 * @param {Network} network
 * @returns {number[]} units by layer: inputs, hidden units, outputs
 */
export function sizesOf(network) {
  const first = network.layers[0];
  return [first.weight[0].length, ...network.layers.map((layer) => layer.weight.length)];
}

/**
 * @param {Network} network
 * @returns {Place[]} every parameter, in PyTorch's order: fc1.weight, fc1.bias, fc2.weight, …
 */
export function placesOf(network) {
  return network.layers.flatMap(({ weight, bias }, layer) => [
    ...weight.flatMap((row, unit) => row.map((_, input) => ({ layer, unit, input }))),
    ...(bias ?? []).map((_, unit) => ({ layer, unit, input: /** @type {const} */ ("bias") })),
  ]);
}

/**
 * @param {Network} network
 * @param {Place} place
 * @returns {number}
 */
export function valueAt(network, { layer, unit, input }) {
  const { weight, bias } = network.layers[layer];
  return input === "bias" ? (bias ? bias[unit] : 0) : weight[unit][input];
}

/**
 * @param {Layer} layer
 * @returns {Layer} the same without scales, for numbers that are no multiples of them
 */
export function withoutScales({ weight_scale, bias_scale, ...layer }) {
  return layer;
}

/** @param {Network} network @returns {boolean} */
export function hasScales({ layers }) {
  return layers.some(({ weight_scale, bias_scale }) => (weight_scale ?? bias_scale) !== undefined);
}

/**
 * @param {Network} network
 * @returns {Network} the same numbers without scales: in fp32, or in fp64 where fp32 does not hold all
 */
export function inFloats(network) {
  const isSingle = placesOf(network).every((place) => Math.fround(valueAt(network, place)) === valueAt(network, place));
  const format = network.format === "fp64" || !isSingle ? "fp64" : "fp32";
  return { ...network, layers: network.layers.map(withoutScales), format };
}

/**
 * Change one parameter. The value is rounded to the network's format, fp64 or else fp32.
 *
 * @param {Network} network
 * @param {Place} place
 * @param {number} value
 * @returns {Network}
 */
export function withValue(network, { layer, unit, input }, value) {
  const floats = inFloats(network);
  const stored = floats.format === "fp64" ? value : Math.fround(value);
  const layers = floats.layers.map((each, number) => {
    if (number !== layer) return each;
    if (input === "bias") {
      const bias = each.bias ?? each.weight.map(() => 0);
      return { ...each, bias: bias.with(unit, stored) };
    }
    return { ...each, weight: each.weight.with(unit, each.weight[unit].with(input, stored)) };
  });
  return { ...floats, layers };
}

/**
 * Change the number of hidden units of a network with one hidden layer. New units have weights of
 * 0, so that the network computes what it did.
 *
 * @param {Network} network
 * @param {number} hidden
 * @returns {Network}
 */
export function withHidden(network, hidden) {
  const [first, second] = network.layers;
  const inputs = first.weight[0].length;
  const resized = (/** @type {any[]} */ list, /** @type {() => any} */ fresh) =>
    Array.from({ length: hidden }, (_, i) => (i < list.length ? list[i] : fresh()));
  const layers = [
    {
      ...first,
      weight: resized(first.weight, () => Array(inputs).fill(0)),
      bias: first.bias && resized(first.bias, () => 0),
    },
    { ...second, weight: second.weight.map((row) => resized(row, () => 0)) },
  ];
  return { ...network, layers };
}

/**
 * @param {Place} place
 * @returns {string} the parameter as PyTorch names it, `fc1.weight[0,1]`
 */
export function parameterName({ layer, unit, input }) {
  return input === "bias" ? `fc${layer + 1}.bias[${unit}]` : `fc${layer + 1}.weight[${unit},${input}]`;
}
