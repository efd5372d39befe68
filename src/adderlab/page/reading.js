/**
 * Network files read by the page itself, where no Python answers: `.safetensors` with adderlab's
 * record, and the JSON that the page copies.
 *
 * A file is data. Every size is held against the page's limits before memory is taken, every key
 * and type is known, and whatever is not is refused in a line.
 */

import { refusal } from "./asking.js";
import { FORMATS, isHeld } from "./formats.js";
import { MOST_INPUTS, MOST_LAYERS, MOST_UNITS } from "./state.js";

/**
 * @typedef {import("./network.js").Layer} Layer
 * @typedef {import("./network.js").Network} Network
 * @typedef {import("./network.js").Task} Task
 *
 * @typedef {(entry: unknown, width: number | null) => any} Take numbers by what a record says of
 *   them: rows of `width` (0 for any) numbers, or one row where it is null
 */

const SIZE_LIMITS = `the page has up to ${MOST_INPUTS} inputs, ${MOST_UNITS} units a layer and ${MOST_LAYERS} layers`;
const ELSEWHERE = "adderlab open shows networks of other files";
const RECORD_KEYS = ["schema", "task", "format", "layers", "readout"];
const SAFETENSORS_HEAD = 8;

class Unread extends Error {
  /** @param {string} what @param {string} [remedy] */
  constructor(what, remedy = "the file is damaged or of another kind; write it again") {
    super(what);
    this.remedy = remedy;
  }
}

/**
 * @param {string} name of the file
 * @param {Uint8Array} bytes
 * @param {{task: Task, record: unknown}[]} tasks those of the page, and what files call them
 * @returns {Record<string, any>} `network` with its task (null where the file names none), or a refusal
 */
export function readNetwork(name, bytes, tasks) {
  try {
    const { network, task } = isJson(bytes) ? fromJson(bytes) : fromSafetensors(bytes);
    return { type: "network", network, task: taskCalled(task, tasks) };
  } catch (error) {
    if (error instanceof Unread) return refusal(`${name}: ${error.message}`, error.remedy);
    throw error;
  }
}

/** @param {Uint8Array} bytes @returns {boolean} whether the first character is a brace; a header's length has zeros */
function isJson(bytes) {
  const dataStart = bytes.findIndex((byte) => ![0x20, 0x09, 0x0a, 0x0d].includes(byte));
  return bytes[dataStart] === 0x7b && !(bytes.length > SAFETENSORS_HEAD && bytes[SAFETENSORS_HEAD - 1] === 0);
}

/**
 * @param {unknown} record what a file says of its task
 * @param {{task: Task, record: unknown}[]} tasks
 */
function taskCalled(record, tasks) {
  if (record === null || record === undefined) return null;
  const text = JSON.stringify(record);
  const known = tasks.find((each) => JSON.stringify(each.record) === text);
  if (known) return known.task;
  const what = typeof record === "string" ? record.slice(0, 40) : "a table, or one with its bits in an order";
  throw new Unread(`its task is ${what}, which this page does not have`, ELSEWHERE);
}

/** @param {Uint8Array} bytes */
function fromJson(bytes) {
  const also = ["task", "training", "adderlab"];
  const top = objectWith(parsedJson(textIn(bytes), "the file"), "the file", ["layers", "readout", "format"], also);
  return { network: readChain(top, listedNumbers), task: top.task };
}

/** @param {Uint8Array} bytes */
function fromSafetensors(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length < SAFETENSORS_HEAD ? Infinity : Number(view.getBigUint64(0, true));
  const dataStart = SAFETENSORS_HEAD + length;
  if (dataStart > bytes.length) throw new Unread("it is no safetensors file, or cut short", ELSEWHERE);
  const header = parsedJson(textIn(bytes.subarray(SAFETENSORS_HEAD, dataStart)), "the header");
  if (!isObject(header)) throw new Unread("its header is no JSON object");
  const { __metadata__: metadata, ...tensors } = header;
  const text = isObject(metadata) && Object.hasOwn(metadata, "adderlab") ? metadata.adderlab : null;
  if (typeof text !== "string") {
    throw new Unread("it has weights alone, no record of adderlab's", ELSEWHERE);
  }
  checkPlaces(tensors, bytes.length - dataStart);
  const record = objectWith(parsedJson(text, "the record"), "the record", RECORD_KEYS, ["training"]);
  if (record.schema !== 1) throw new Unread("its schema is not 1", "write it with this version of adderlab");
  const unused = new Set(Object.keys(tensors));
  const place = (/** @type {string} */ name) => {
    if (!unused.delete(name)) throw new Unread(`the tensor ${name.slice(0, 40)} is not in the file, or used twice`);
    const { dtype, shape, data_offsets: ends } = tensors[name];
    return { dtype, shape, view: new DataView(view.buffer, view.byteOffset + dataStart + ends[0], ends[1] - ends[0]) };
  };
  /** @type {Take} */
  const take = (entry, width) => {
    const { shape, flat } = isObject(entry) && Object.hasOwn(entry, "indptr") ? sparse(entry, place) : numbers(entry, place);
    return inShape(shape, width, flat);
  };
  const network = readChain(record, take);
  if (unused.size) throw new Unread(`the tensor ${[...unused][0].slice(0, 40)} is used by no layer`);
  return { network, task: record.task };
}

/** @type {Record<string, [number, (view: DataView, at: number) => number]>} bytes, and how they are read */
const DTYPES = {
  F64: [8, (view, at) => view.getFloat64(at, true)],
  F32: [4, (view, at) => view.getFloat32(at, true)],
  F16: [2, (view, at) => halfOf(view.getUint16(at, true))],
  BF16: [2, (view, at) => singleOf(view.getUint16(at, true) << 16)],
  U8: [1, (view, at) => view.getUint8(at)],
  U16: [2, (view, at) => view.getUint16(at, true)],
  U32: [4, (view, at) => view.getUint32(at, true)],
};

const wordBytes = new DataView(new ArrayBuffer(4));

/** @param {number} bits */
function singleOf(bits) {
  wordBytes.setInt32(0, bits);
  return wordBytes.getFloat32(0);
}

/** @param {number} bits */
function halfOf(bits) {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size = exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24;
  return (bits >> 15 ? -1 : 1) * (exponent === 31 ? NaN : size);
}

/**
 * Every tensor's place, and that they lie end to end: nothing is beside or between them.
 *
 * @param {Record<string, any>} tensors
 * @param {number} size of the data in bytes
 */
function checkPlaces(tensors, size) {
  const places = Object.entries(tensors).map(([name, entry]) => {
    const { dtype, shape, data_offsets: place } = objectWith(entry, `the tensor ${name.slice(0, 40)}`, [
      "dtype",
      "shape",
      "data_offsets",
    ]);
    if (typeof dtype !== "string" || !Object.hasOwn(DTYPES, dtype)) {
      throw new Unread(`a tensor has the type ${String(dtype).slice(0, 20)}`, ELSEWHERE);
    }
    const isPlace = isSizes(place, Number.MAX_SAFE_INTEGER) && place.length === 2;
    if (!isPlace || !isSizes(shape, MOST_UNITS * MOST_UNITS * 4) || shape.length > 2) {
      throw new Unread("a tensor is larger than the page shows", SIZE_LIMITS);
    }
    if (place[1] - place[0] !== countOf(shape) * DTYPES[dtype][0]) {
      throw new Unread("a tensor's place and its shape contradict each other");
    }
    return place;
  });
  places.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const end = places.reduce((at, [from, to]) => (from === at ? to : NaN), 0);
  if (end !== size) throw new Unread("its tensors do not lie end to end");
}

/**
 * @typedef {{shape: number[], flat: number[]}} Numbers row by row
 * @typedef {{dtype: string, shape: number[], view: DataView}} Part of a file
 * @typedef {(name: string) => Part} PartOf each is given once
 */

/**
 * @param {unknown} entry what a record calls a tensor's numbers: a name, or packed ones
 * @param {PartOf} partOf
 * @returns {Numbers}
 */
function numbers(entry, partOf) {
  if (typeof entry === "string") {
    const { dtype, shape, view } = partOf(entry);
    if (dtype.startsWith("U")) throw new Unread("a weight is a row of bytes");
    return { shape, flat: flatOf(view, dtype) };
  }
  if (isObject(entry) && Object.hasOwn(entry, "packed")) {
    const { packed: bits, shape, data } = objectWith(entry, "a packed tensor", ["packed", "shape", "data"]);
    const isWhole = Number.isInteger(bits) && bits >= 1 && bits <= 8;
    if (isWhole && isSizes(shape, MOST_UNITS * MOST_UNITS) && shape.length <= 2 && typeof data === "string") {
      return { shape, flat: unpacked(partOf(data), bits, countOf(shape)) };
    }
  }
  throw new Unread("it has scales, or whole numbers of over 8 bits", ELSEWHERE);
}

/** @param {DataView} view @param {string} dtype */
function flatOf(view, dtype) {
  const [size, read] = DTYPES[dtype];
  return Array.from({ length: view.byteLength / size }, (_, i) => read(view, i * size));
}

/** @param {number[]} shape */
function countOf(shape) {
  return shape.reduce((product, each) => product * each, 1);
}

/**
 * Two's complement, the least significant bits first.
 *
 * @param {Part} part
 * @param {number} bits of a number
 * @param {number} count
 */
function unpacked({ dtype, view }, bits, count) {
  if (dtype !== "U8" || view.byteLength !== Math.ceil((count * bits) / 8)) {
    throw new Unread("a packed tensor's bytes and its shape contradict each other");
  }
  return Array.from({ length: count }, (_, i) => {
    let code = 0;
    for (let b = 0; b < bits; b++) {
      const at = i * bits + b;
      code |= ((view.getUint8(at >> 3) >> (at & 7)) & 1) << b;
    }
    return code >= 2 ** (bits - 1) ? code - 2 ** bits : code;
  });
}

/**
 * Rows of a matrix by their entries beside 0: where each row's end, and each one's column.
 *
 * @param {unknown} entry
 * @param {PartOf} partOf
 * @returns {Numbers}
 */
function sparse(entry, partOf) {
  const { shape, ...names } = objectWith(entry, "a sparse tensor", ["shape", "indptr", "indices", "values"]);
  if (!isSizes(shape, MOST_UNITS) || shape.length !== 2) throw new Unread("a sparse tensor is no small matrix", SIZE_LIMITS);
  const [ends, columns] = [names.indptr, names.indices].map((name) => {
    const { dtype, view } = partOf(String(name));
    if (!dtype.startsWith("U")) throw new Unread("a sparse tensor has signed or fractional indices");
    return flatOf(view, dtype);
  });
  const values = numbers(names.values, partOf).flat;
  const [rows, width] = shape;
  const isEnds = ends.length === rows + 1 && ends[0] === 0 && ends[rows] === columns.length;
  const flat = Array(rows * width).fill(0);
  for (let row = 0; isEnds && row < rows; row++) {
    for (let at = ends[row], last = -1; at < ends[row + 1]; last = columns[at], at++) {
      if (!(columns[at] > last && columns[at] < width)) throw new Unread("a sparse tensor's columns are no row's");
      flat[row * width + columns[at]] = values[at];
    }
  }
  if (!isEnds || values.length !== columns.length || ends.some((end, i) => end < ends[i - 1])) {
    throw new Unread("a sparse tensor's sizes contradict each other");
  }
  return { shape, flat };
}

/**
 * @param {number[]} shape
 * @param {number | null} width what a row of a matrix must have, 0 for any; null for a single row
 * @param {number[]} flat
 */
function inShape(shape, width, flat) {
  const isFitting = width === null ? shape.length === 1 : shape.length === 2 && (!width || shape[1] === width);
  if (!isFitting || shape.some((size) => size < 1 || size > MOST_UNITS)) {
    throw new Unread(`a tensor of shape ${shape.join(" × ")} does not fit`, SIZE_LIMITS);
  }
  if (width === null) return flat;
  const [rows, columns] = shape;
  return Array.from({ length: rows }, (_, row) => flat.slice(row * columns, (row + 1) * columns));
}

/** @type {Take} of JSON, where the numbers stand themselves, or whole numbers with a scale */
function listedNumbers(value, width) {
  const scale = scaleOf(value);
  if (scale !== undefined) {
    const { codes } = objectWith(value, "a tensor of codes", ["codes", "scale"], ["scale_type"]);
    const times = (/** @type {number} */ code) => scale * code + 0; // no negative zero
    const listed = listedNumbers(codes, width);
    return width === null ? listed.map(times) : listed.map((/** @type {number[]} */ row) => row.map(times));
  }
  if (isObject(value)) throw new Unread("it has scales by row, zero points, sparse weights or types of its own", ELSEWHERE);
  const isRow = (/** @type {unknown} */ row) =>
    Array.isArray(row) && row.length > 0 && row.length <= MOST_UNITS && row.every((x) => typeof x === "number");
  if (width === null ? isRow(value) : Array.isArray(value) && value.length <= MOST_UNITS && value.every(isRow)) {
    return value;
  }
  throw new Unread("a weight or bias is no list of numbers of the page's sizes", SIZE_LIMITS);
}

/**
 * @param {unknown} value a tensor in JSON
 * @returns {number | undefined} the one scale of its codes
 */
function scaleOf(value) {
  return isObject(value) && "codes" in value && typeof value.scale === "number" ? value.scale : undefined;
}

/**
 * @param {Record<string, any>} record
 * @param {Take} take
 * @returns {Network}
 */
function readChain({ layers, readout, format }, take) {
  if (typeof format !== "string" || !Object.hasOwn(FORMATS, format)) {
    throw new Unread(`the page has no format ${String(format).slice(0, 20)}`, `it has ${Object.keys(FORMATS).join(", ")}`);
  }
  if (!Array.isArray(layers) || !layers.length || layers.length > MOST_LAYERS) {
    throw new Unread("it has no list of layers, or too many of them", SIZE_LIMITS);
  }
  let width = 0;
  const chain = layers.map((entry) => {
    const layer = readLayer(entry, width, take);
    width = layer.weight.length;
    return layer;
  });
  if (chain[0].weight[0].length > MOST_INPUTS || width > MOST_INPUTS) {
    throw new Unread("it has too many inputs or outputs", SIZE_LIMITS);
  }
  const network = { layers: chain, readout: readReadout(readout), format };
  if (!isHeld(network)) throw new Unread(`it has a value that ${format} does not hold`);
  return network;
}

/**
 * @param {unknown} entry
 * @param {number} width of the layer before; 0 of the first
 * @param {Take} take
 * @returns {Layer}
 */
function readLayer(entry, width, take) {
  const activation = isObject(entry) ? entry.activation : null;
  const option = { leaky: ["slope"], step: ["convention"], relu: [], identity: [], tanh: [] };
  if (typeof activation !== "string" || !Object.hasOwn(option, activation)) {
    throw new Unread(`the page has no activation ${String(activation).slice(0, 20)}`, `it has ${Object.keys(option).join(", ")}`);
  }
  const own = option[/** @type {import("./network.js").Activation} */ (activation)];
  const layer = objectWith(entry, "a layer", ["weight", "activation", ...own], ["bias"]);
  const weight = take(layer.weight, width);
  const bias = layer.bias === null || layer.bias === undefined ? null : take(layer.bias, null);
  const isChain = weight.length && weight.every((/** @type {number[]} */ row) => row.length === (width || weight[0].length));
  if (!isChain || (bias && bias.length !== weight.length)) throw new Unread("the sizes of its layers do not fit together");
  if (activation === "step") checkConvention(layer.convention);
  if (activation === "leaky" && !Number.isFinite(layer.slope)) throw new Unread("a slope is no number");
  const detail = Object.fromEntries(own.map((name) => [name, layer[name]]));
  for (const name of ["weight", "bias"]) {
    const scale = scaleOf(layer[name]);
    if (scale !== undefined) detail[`${name}_scale`] = scale;
  }
  return { weight, bias, activation: /** @type {import("./network.js").Activation} */ (activation), ...detail };
}

/** @param {unknown} value @returns {import("./network.js").Readout} */
function readReadout(value) {
  if (isObject(value) && value.kind === "exact") {
    return { kind: objectWith(value, "the readout", ["kind"]).kind };
  }
  const { kind, threshold, convention } = objectWith(value, "the readout", ["kind", "threshold", "convention"]);
  if (kind !== "threshold") throw new Unread("its readout is neither a threshold nor exact", ELSEWHERE);
  if (!Number.isFinite(threshold)) throw new Unread("its threshold is no number");
  checkConvention(convention);
  return { kind, threshold, convention };
}

/** @param {unknown} convention */
function checkConvention(convention) {
  if (convention !== ">" && convention !== ">=") throw new Unread("a convention is neither > nor >=");
}

/** @param {Uint8Array} bytes */
function textIn(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Unread("it is no text in UTF-8", ELSEWHERE);
  }
}

/** @param {string} text @param {string} what */
function parsedJson(text, what) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Unread(`${what} is no JSON`);
  }
}

/** @param {unknown} value @returns {value is Record<string, any>} */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @param {unknown} value @param {number} most @returns {value is number[]} */
function isSizes(value, most) {
  return Array.isArray(value) && value.every((size) => Number.isInteger(size) && size >= 0 && size <= most);
}

/**
 * @param {unknown} value
 * @param {string} what
 * @param {string[]} needed keys
 * @param {string[]} [also] keys that may be there
 * @returns {Record<string, any>}
 */
function objectWith(value, what, needed, also = []) {
  if (!isObject(value)) throw new Unread(`${what} is no JSON object`);
  const missing = needed.filter((key) => !Object.hasOwn(value, key));
  const unknown = Object.keys(value).filter((key) => !needed.includes(key) && !also.includes(key));
  if (missing.length) throw new Unread(`${what} lacks ${missing.join(", ")}`);
  if (unknown.length) throw new Unread(`${what} has the unknown key ${unknown[0].slice(0, 40)}`, ELSEWHERE);
  return value;
}
