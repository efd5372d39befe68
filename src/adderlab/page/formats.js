/**
 * The number formats: how many bytes a network takes in each, and its weights rounded to it.
 *
 * Floats round to nearest, ties to even. Whole numbers get a scale for each tensor, as
 * `adderlab quantize` gives them, unless the network's values are such numbers already. Knows no
 * DOM.
 */

import { hasScales, inFloats, placesOf, valueAt } from "./network.js";

/**
 * @typedef {object} NumberFormat
 * @property {number} bits of a value
 * @property {number} [precision] of a float: significant bits, the hidden one included
 * @property {number} [smallest] exponent of the smallest subnormal
 * @property {number} largest
 * @property {number} least
 * @property {boolean} [hasNoZero]
 */

/** @param {number} bits @returns {NumberFormat} */
const whole = (bits) => ({ bits, largest: 2 ** (bits - 1) - 1, least: -(2 ** (bits - 1)) });
/** @param {number} bits @param {number} precision @param {number} smallest @param {number} largest */
const float = (bits, precision, smallest, largest) => ({ bits, precision, smallest, largest, least: -largest });

/** @type {Record<string, NumberFormat>} those to choose from */
export const FORMATS = {
  fp64: float(64, 53, -1074, Number.MAX_VALUE),
  fp32: float(32, 24, -149, (2 - 2 ** -23) * 2 ** 127),
  fp16: float(16, 11, -24, 65504),
  bf16: float(16, 8, -133, (2 - 2 ** -7) * 2 ** 127),
  int8: whole(8),
  int7: whole(7),
  int6: whole(6),
  int5: whole(5),
  int4: whole(4),
  int3: whole(3),
  int2: whole(2),
  ternary: { bits: 2, largest: 1, least: -1 },
};

/** @type {Record<string, NumberFormat>} those that a network may be in */
export const EVERY_FORMAT = {
  ...FORMATS,
  "fp8-e4m3": float(8, 4, -9, 448),
  "fp8-e5m2": float(8, 3, -16, 57344),
  int32: whole(32),
  int16: whole(16),
  binary: { bits: 1, largest: 1, least: -1, hasNoZero: true },
};

/** Of whole numbers with a scale: their products with one are doubles, each its own. */
const MOST_SCALED_BITS = 16;

/** What a scale may be stored in; the first that holds it is taken. */
const SCALE_FORMATS = ["fp8-e5m2", "fp16", "bf16", "fp32"].map((name) => EVERY_FORMAT[name]);

/**
 * @param {number} value
 * @param {NumberFormat} form a float
 * @returns {number} rounded to nearest, ties to even; infinite beyond the largest
 */
function roundedFloat(value, { precision = 53, smallest = -1074, largest }) {
  if (precision === 53 || value === 0) return value;
  const exponent = Math.max(exponentOf(value) - precision + 1, smallest);
  const rounded = evenly(scaledBy(value, -exponent));
  const result = scaledBy(rounded, exponent);
  return Math.abs(result) > largest ? Math.sign(value) * Infinity : result;
}

/** @param {number} value @returns {number} floor of log2 of its size */
function exponentOf(value) {
  const size = Math.abs(value);
  let exponent = Math.floor(Math.log2(size));
  if (2 ** exponent > size) exponent -= 1; // log2 rounds
  if (2 ** (exponent + 1) <= size) exponent += 1;
  return exponent;
}

/** @param {number} value @param {number} power value * 2^power, in two steps so that none overflows */
function scaledBy(value, power) {
  const half = Math.trunc(power / 2);
  return value * 2 ** half * 2 ** (power - half);
}

/** @param {number} value @returns {number} the nearest whole number, the even one of two */
function evenly(value) {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

/**
 * @param {NumberFormat} form
 * @param {number} value
 * @returns {boolean} whether the format has this very value
 */
export function holds(form, value) {
  if (form.precision !== undefined) return Number.isFinite(value) && roundedFloat(value, form) === value;
  return Number.isInteger(value) && value >= form.least && value <= form.largest && !(form.hasNoZero && value === 0);
}

/**
 * @param {import("./network.js").Network} network
 * @returns {boolean} whether its format has every one of its numbers, over its tensor's scale where there is one
 */
export function isHeld({ layers, format }) {
  const form = EVERY_FORMAT[format];
  const areHeld = (/** @type {number[]} */ values, /** @type {number | undefined} */ scale) => {
    if (scale === undefined) return values.every((value) => holds(form, value));
    const isScale = form.precision === undefined && form.bits <= MOST_SCALED_BITS && scale > 0;
    const areMultiples = values.every((value) => holds(form, value / scale) && (value / scale) * scale === value);
    return isScale && Math.fround(scale) === scale && areMultiples;
  };
  return layers.every(
    ({ weight, bias, weight_scale, bias_scale }) =>
      areHeld(weight.flat(), weight_scale) && areHeld(bias ?? [], bias_scale),
  );
}

/**
 * @param {import("./network.js").Network} network
 * @param {string} name of the format
 * @returns {import("./network.js").Network} in the format; of whole numbers with scales, unless it has such already
 */
export function snapped(network, name) {
  if (hasScales(network)) network = inFloats(network);
  const form = FORMATS[name];
  const values = placesOf(network).map((place) => valueAt(network, place));
  const isPlain = form.precision !== undefined || values.every((value) => holds(form, value));
  const layers = network.layers.map((layer) => {
    const [flat, bias] = [layer.weight.flat(), layer.bias ?? []];
    const [scale, biasScale] = [flat, bias].map((values) => (isPlain ? 1 : scaleFor(values, form)));
    const next = onGrid(flat, form, scale);
    const width = layer.weight[0].length;
    return {
      ...layer,
      weight: layer.weight.map((_, unit) => next.slice(unit * width, (unit + 1) * width)),
      bias: layer.bias && onGrid(bias, form, biasScale),
      ...(scale !== 1 && { weight_scale: scale }),
      ...(layer.bias && biasScale !== 1 && { bias_scale: biasScale }),
    };
  });
  return { ...network, layers, format: name };
}

/**
 * @param {number[]} values of one tensor
 * @param {NumberFormat} form
 * @param {number} scale of whole numbers
 * @returns {number[]}
 */
function onGrid(values, form, scale) {
  const { least, largest } = form;
  const clipped = (/** @type {number} */ value) => Math.max(least, Math.min(largest, value));
  if (form.precision !== undefined) return values.map((value) => roundedFloat(clipped(value), form));
  return values.map((value) => scale * clipped(evenly(value / scale)) + 0); // no negative zero
}

/** @param {number[]} values @param {NumberFormat} form @returns {number} stored in fp16 where it can be, else in fp32 */
function scaleFor(values, { largest, least }) {
  const high = Math.max(0, ...values);
  const low = Math.min(0, ...values);
  const scale = Math.max(high / largest, low / least) || 1;
  const { fp16, fp32 } = FORMATS;
  const isInside = scale <= fp16.largest && scale >= 2 ** -14;
  return isInside ? roundedFloat(scale, fp16) : roundedFloat(Math.min(Math.max(scale, 2 ** -126), fp32.largest), fp32);
}

/**
 * What a network was before it was put in a format: another format starts from there.
 *
 * @type {WeakMap<import("./network.js").Network, import("./network.js").Network>}
 */
const origins = new WeakMap();

/**
 * @param {import("./network.js").Network} network
 * @param {string} format
 * @returns {import("./network.js").Network} in the format, from what it was before any other
 */
export function inFormat(network, format) {
  const source = origins.get(network) ?? network;
  const next = snapped(source, format);
  origins.set(next, source);
  return next;
}

/**
 * @param {import("./network.js").Network} network
 * @returns {string} `17 parameters: 5 bytes in int2, and 8 for 4 scales`
 */
export function bytesText(network) {
  const { format, layers } = network;
  const scales = layers.flatMap(({ weight_scale, bias_scale }) => [weight_scale ?? [], bias_scale ?? []]).flat();
  const scaleBits = scales.map((scale) => SCALE_FORMATS.find((form) => holds(form, scale))?.bits ?? 0);
  const count = placesOf(network).length;
  const parameters = count === 1 ? "1 parameter" : `${count} parameters`;
  const bytes = Math.ceil((count * EVERY_FORMAT[format].bits) / 8);
  const scaleBytes = scaleBits.reduce((sum, bits) => sum + bits / 8, 0);
  const scaleWords = `${scales.length} ${scales.length === 1 ? "scale" : "scales"}`;
  const beside = scales.length ? `, and ${scaleBytes} for ${scaleWords}` : "";
  return `${parameters}: ${bytes} ${bytes === 1 ? "byte" : "bytes"} in ${format}${beside}`;
}
