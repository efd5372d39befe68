/**
 * The network as a file, as code, as text; and files read back.
 *
 * A `.safetensors` file is a length, a JSON header and the numbers, so the page writes it itself.
 */

import { hasScales, inFloats, sizesOf } from "./network.js";

/**
 * @param {import("./network.js").Network} network
 * @param {unknown} task what a file says of it: its name, or a table
 * @returns {Uint8Array<ArrayBuffer>} a `.safetensors` file that adderlab reads; in fp32 where that holds all
 */
export function toSafetensors(network, task) {
  const numbers = network.layers.flatMap(({ weight, bias }) => [...weight.flat(), ...(bias ?? [])]);
  const isSingle = numbers.every((value) => Math.fround(value) === value);
  const [dtype, size, format] = isSingle ? ["F32", 4, "fp32"] : ["F64", 8, "fp64"];
  /** @type {Record<string, unknown>} */
  const header = {};
  /** @type {number[]} */
  const data = [];
  const add = (/** @type {string} */ name, /** @type {number[]} */ values, /** @type {number[]} */ shape) => {
    const start = data.length * size;
    data.push(...values);
    header[name] = { dtype, shape, data_offsets: [start, data.length * size] };
    return name;
  };
  const layers = network.layers.map(({ weight, bias, activation, slope, convention }, i) => ({
    weight: add(`fc${i + 1}.weight`, weight.flat(), [weight.length, weight[0].length]),
    ...(bias && { bias: add(`fc${i + 1}.bias`, bias, [bias.length]) }),
    activation,
    ...(activation === "leaky" && { slope }),
    ...(activation === "step" && { convention }),
  }));
  const record = { schema: 1, task, format, layers, readout: network.readout };
  header.__metadata__ = { adderlab: JSON.stringify(record) };
  const text = JSON.stringify(header);
  const head = new TextEncoder().encode(text + " ".repeat((8 - (new TextEncoder().encode(text).length % 8)) % 8));
  const file = new Uint8Array(8 + head.length + data.length * size);
  const view = new DataView(file.buffer);
  view.setBigUint64(0, BigInt(head.length), true);
  file.set(head, 8);
  data.forEach((value, i) => {
    const place = 8 + head.length + i * size;
    if (isSingle) view.setFloat32(place, value, true);
    else view.setFloat64(place, value, true);
  });
  return file;
}

/**
 * @param {import("./network.js").Network} network
 * @param {unknown} task what a file says of it: its name, or a table
 * @returns {string} JSON that `adderlab prove` reads
 */
export function toJson(network, task) {
  const layers = network.layers.map(({ weight_scale, bias_scale, weight, bias, ...layer }) => ({
    weight: weight_scale === undefined ? weight : { codes: weight.map((row) => codesOf(row, weight_scale)), scale: weight_scale },
    bias: !bias || bias_scale === undefined ? bias : { codes: codesOf(bias, bias_scale), scale: bias_scale },
    ...layer,
  }));
  return `${JSON.stringify({ task, ...network, layers }, null, 1)}\n`;
}

/**
 * @param {number[]} values whole numbers times a scale
 * @param {number} scale
 */
function codesOf(values, scale) {
  return values.map((value) => value / scale);
}

/**
 * @param {import("./network.js").Network} network
 * @returns {import("./network.js").Network} as answers have it: without scales
 */
export function plainly(network) {
  return hasScales(network) ? inFloats(network) : network;
}

/** @type {Record<import("./network.js").Activation, (layer: import("./network.js").Layer, x: string) => string>} */
const CALLS = {
  relu: (_, x) => `torch.relu(${x})`,
  tanh: (_, x) => `torch.tanh(${x})`,
  identity: (_, x) => x,
  leaky: ({ slope }, x) => `nn.functional.leaky_relu(${x}, ${slope})`,
  step: ({ convention = ">" }, x) => `(${x} ${convention} 0).float()`,
};

/**
 * @param {import("./network.js").Network} network
 * @returns {string} a plain `nn.Module` with these weights, which needs torch alone
 */
export function toPyTorch(network) {
  const sizes = sizesOf(network);
  const names = network.layers.map((_, i) => `fc${i + 1}`);
  const isDouble = plainly(network).format === "fp64";
  const dtype = isDouble ? ", dtype=torch.float64" : "";
  const makes = network.layers.map(({ bias }, i) => {
    const options = [sizes[i], sizes[i + 1], ...(bias ? [] : ["bias=False"])].join(", ");
    return `        self.${names[i]} = nn.Linear(${options}${dtype})`;
  });
  const copies = network.layers.flatMap(({ weight, bias }, i) => [
    `            self.${names[i]}.weight.copy_(torch.tensor(${nested(weight)}${dtype}))`,
    ...(bias ? [`            self.${names[i]}.bias.copy_(torch.tensor([${bias.join(", ")}]${dtype}))`] : []),
  ]);
  const steps = network.layers.map(
    (layer, i) => `        x = ${CALLS[layer.activation](layer, `self.${names[i]}(x)`)}`,
  );
  const { readout } = network;
  const result = readout.kind === "exact" ? "x" : `(x ${readout.convention} ${readout.threshold}).float()`;
  return [
    "import torch",
    "from torch import nn",
    "",
    "",
    "class AdderNN(nn.Module):",
    "    def __init__(self):",
    "        super().__init__()",
    ...makes,
    "        with torch.no_grad():",
    ...copies,
    "",
    "    def forward(self, x):",
    ...steps,
    `        return ${result}`,
    "",
  ].join("\n");
}

/** @param {number[][]} rows */
function nested(rows) {
  return `[${rows.map((row) => `[${row.join(", ")}]`).join(", ")}]`;
}

/**
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function toBase64(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/**
 * @param {string} text in base64
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
