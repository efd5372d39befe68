/**
 * Verdicts in exact arithmetic: every row of a task, in whole numbers of any size.
 *
 * A double is a whole number times a power of two, so a network of doubles needs no fractions:
 * each layer's values are whole numbers of one unit, 2^exponent. Nothing is rounded, and what is
 * said here is what the prover says. tanh has no such values; there the verdict is unknown.
 */

/**
 * @typedef {object} Scaled whole numbers of one unit
 * @property {bigint[]} integers
 * @property {number} exponent of the unit, a power of two
 *
 * @typedef {{integer: bigint, exponent: number}} Dyadic integer * 2^exponent
 *
 * @typedef {object} RowVerdict
 * @property {Dyadic[]} outputs raw values
 * @property {(number | null)[]} bits null where an exact readout meets neither 0 nor 1
 * @property {boolean} right
 *
 * @typedef {object} Margin the smallest distance to the threshold, negative on the wrong side
 * @property {Dyadic | null} of_0 on the side of the zeros; null where no output shall be 0
 * @property {Dyadic | null} of_1
 * @property {Dyadic | null} min
 *
 * @typedef {object} Verdict
 * @property {"proved" | "refuted" | "unknown"} verdict
 * @property {string | null} reason of an unknown one
 * @property {RowVerdict[]} rows empty where it is unknown
 * @property {number} wrong the first wrong row's number, -1 where there is none
 * @property {Margin | null} margin null for an exact readout
 */

const bits = new DataView(new ArrayBuffer(8));

/**
 * @param {number} value a finite double
 * @returns {Dyadic} the same, with an odd integer or 0
 */
function dyadicOf(value) {
  if (value === 0) return { integer: 0n, exponent: 0 };
  bits.setFloat64(0, value);
  const word = bits.getBigUint64(0);
  const biased = Number((word >> 52n) & 0x7ffn);
  let integer = word & 0xfffffffffffffn;
  if (biased > 0) integer |= 1n << 52n;
  let exponent = Math.max(biased, 1) - 1075;
  while ((integer & 1n) === 0n) {
    integer >>= 1n;
    exponent += 1;
  }
  return { integer: value < 0 ? -integer : integer, exponent };
}

/**
 * @param {Dyadic} a
 * @param {Dyadic} b
 * @returns {Dyadic} a - b
 */
function difference(a, b) {
  const exponent = Math.min(a.exponent, b.exponent);
  return { integer: inUnits(a, exponent) - inUnits(b, exponent), exponent };
}

/** @param {Dyadic} value @param {number} exponent at most the value's own */
function inUnits(value, exponent) {
  return value.integer << BigInt(value.exponent - exponent);
}

/** @param {Dyadic} a @param {Dyadic} b */
function isLess(a, b) {
  return difference(a, b).integer < 0n;
}

/**
 * @param {Dyadic} value
 * @returns {string} `3`, `-1/4`: in lowest terms
 */
export function fractionText({ integer, exponent }) {
  let [top, power] = [integer, exponent];
  while (power < 0 && (top & 1n) === 0n && top !== 0n) {
    top >>= 1n;
    power += 1;
  }
  if (top === 0n) return "0";
  if (power >= 0) return String(top << BigInt(power));
  return `${top}/${1n << BigInt(-power)}`;
}

/**
 * @param {number[]} values
 * @returns {Scaled}
 */
function scaled(values) {
  const each = values.map(dyadicOf);
  const exponent = Math.min(0, ...each.map((value) => value.exponent));
  return { integers: each.map((value) => inUnits(value, exponent)), exponent };
}

/**
 * A layer whose numbers are whole numbers of one unit each, weights and biases.
 *
 * @typedef {object} ScaledLayer
 * @property {Scaled[]} weight a row for each unit, all of one exponent
 * @property {Scaled | null} bias
 * @property {import("./network.js").Layer} layer
 */

/**
 * @param {import("./network.js").Layer} layer
 * @returns {ScaledLayer}
 */
function scaledLayer(layer) {
  const { integers, exponent } = scaled(layer.weight.flat());
  const width = layer.weight[0].length;
  return {
    weight: layer.weight.map((_, unit) => ({
      integers: integers.slice(unit * width, (unit + 1) * width),
      exponent,
    })),
    bias: layer.bias && scaled(layer.bias),
    layer,
  };
}

/**
 * @param {ScaledLayer} scaledLayer
 * @param {Scaled} x
 * @returns {Scaled} the layer's activations
 */
function through({ weight, bias, layer }, x) {
  const product = x.exponent + weight[0].exponent;
  const exponent = Math.min(product, bias ? bias.exponent : product);
  const sums = weight.map(({ integers }, unit) => {
    let sum = 0n;
    integers.forEach((w, i) => (sum += w * x.integers[i]));
    sum <<= BigInt(product - exponent);
    return bias ? sum + (bias.integers[unit] << BigInt(bias.exponent - exponent)) : sum;
  });
  return activated(layer, { integers: sums, exponent });
}

/**
 * @param {import("./network.js").Layer} layer
 * @param {Scaled} sums
 * @returns {Scaled}
 */
function activated({ activation, slope = 0.01, convention = ">" }, sums) {
  const { integers, exponent } = sums;
  switch (activation) {
    case "identity":
      return sums;
    case "relu":
      return { integers: integers.map((z) => (z > 0n ? z : 0n)), exponent };
    case "step": {
      const above = convention === ">=" ? integers.map((z) => z >= 0n) : integers.map((z) => z > 0n);
      return { integers: above.map((is) => (is ? 1n : 0n)), exponent: 0 };
    }
    case "leaky": {
      const factor = dyadicOf(slope);
      const unit = Math.min(factor.exponent, 0);
      const up = BigInt(-unit);
      const below = inUnits(factor, unit);
      return {
        integers: integers.map((z) => (z > 0n ? z << up : z * below)),
        exponent: exponent + unit,
      };
    }
    default:
      throw new RangeError(`${activation} has no exact values`);
  }
}

/**
 * @param {import("./network.js").Network} network
 * @returns {(inputs: number[]) => Dyadic[]} from a row's bits to the raw outputs, exactly
 * @throws {RangeError} the network has a tanh
 */
export function exactly(network) {
  const layers = network.layers.map(scaledLayer);
  return (inputs) => {
    let x = { integers: inputs.map(BigInt), exponent: 0 };
    for (const layer of layers) x = through(layer, x);
    return x.integers.map((integer) => ({ integer, exponent: x.exponent }));
  };
}

/**
 * @param {import("./network.js").Network} network
 * @param {import("./network.js").Task} task
 * @returns {Verdict} on every row of the task
 */
export function verdictOf(network, task) {
  if (network.layers.some((layer) => layer.activation === "tanh")) {
    return { verdict: "unknown", reason: "tanh has no exact values", rows: [], wrong: -1, margin: null };
  }
  const evaluate = exactly(network);
  const { readout } = network;
  const rows = task.rows.map((row) => {
    const outputs = evaluate(row.inputs);
    const read = outputs.map((output) => bitOf(output, readout));
    const right = row.expected.every((bit, o) => bit === null || bit === read[o]);
    return { outputs, bits: read, right };
  });
  const wrong = rows.findIndex((row) => !row.right);
  return {
    verdict: wrong < 0 ? "proved" : "refuted",
    reason: null,
    rows,
    wrong,
    margin: readout.kind === "threshold" ? marginOf(rows, task, readout.threshold) : null,
  };
}

/**
 * @param {Dyadic} output
 * @param {import("./network.js").Readout} readout
 * @returns {number | null}
 */
function bitOf(output, readout) {
  if (readout.kind === "exact") {
    const is = (/** @type {number} */ bit) => difference(output, dyadicOf(bit)).integer === 0n;
    return is(0) ? 0 : is(1) ? 1 : null;
  }
  const distance = difference(output, dyadicOf(readout.threshold)).integer;
  return distance > 0n || (distance === 0n && readout.convention === ">=") ? 1 : 0;
}

/**
 * @param {RowVerdict[]} rows
 * @param {import("./network.js").Task} task
 * @param {number} threshold
 * @returns {Margin}
 */
function marginOf(rows, task, threshold) {
  const at = dyadicOf(threshold);
  /** @type {[Dyadic | null, Dyadic | null]} */
  const least = [null, null];
  rows.forEach(({ outputs }, r) =>
    outputs.forEach((output, o) => {
      const bit = task.rows[r].expected[o];
      if (bit === null) return;
      const distance = bit ? difference(output, at) : difference(at, output);
      const smallest = least[bit];
      if (smallest === null || isLess(distance, smallest)) least[bit] = distance;
    }),
  );
  const [of_0, of_1] = least;
  const min = of_0 && of_1 ? (isLess(of_1, of_0) ? of_1 : of_0) : (of_0 ?? of_1);
  return { of_0, of_1, min };
}
