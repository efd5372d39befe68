/** Numbers and words as people read them; the same rules as `blocks/numbers.py`. */

import { fractionText } from "./exact.js";

/**
 * @param {number} value
 * @param {number} [places]
 * @returns {string} a few decimals, no zeros at the end, never a nonzero number as 0; a minus sign
 */
export function decimal(value, places = 4) {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : value < 0 ? "−∞" : "?";
  const size = Math.abs(value);
  const isPlain = size === 0 || (size >= 0.5 * 10 ** -places && size < 1e9);
  const text = isPlain ? trimmed(size.toFixed(places)) : size.toExponential(1);
  return value < 0 ? `−${text}` : text;
}

/** @param {string} text */
function trimmed(text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/**
 * @param {import("./exact.js").Dyadic} value
 * @returns {string} a fraction where it is short, else a decimal
 */
export function exactText(value) {
  const text = fractionText(value);
  return text.length <= 9 ? text.replace("-", "−") : decimal(toNumber(value), 6);
}

/**
 * @param {import("./exact.js").Dyadic} value
 * @returns {number} the nearest double, or nearly so
 */
function toNumber({ integer, exponent }) {
  const size = integer < 0n ? -integer : integer;
  const extra = Math.max(0, size.toString(2).length - 64);
  const head = Number(size >> BigInt(extra)) * 2 ** Math.max(-1000, Math.min(1000, exponent + extra));
  return integer < 0n ? -head : head;
}

/**
 * @param {Record<string, number | null>} words
 * @returns {string} `c = 3, borrow = 0`
 */
export function wordsText(words) {
  return Object.entries(words)
    .map(([name, value]) => `${name} = ${value ?? "any"}`)
    .join(", ");
}

/**
 * @param {Record<string, number>} words
 * @returns {string} `1 + 1` of two operands, else words by name
 */
export function inputText(words) {
  const names = Object.keys(words);
  const isSum = names.length === 2 && names[0] === "a" && names[1] === "b";
  return isSum ? `${words.a} + ${words.b}` : wordsText(words);
}

/**
 * @param {number} count
 * @param {string} noun in the singular
 */
export function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * @param {[string, number][]} words with their widths
 * @param {(number | null)[]} bits the most significant of each word first
 * @returns {Record<string, number | null>} null where a bit is missing
 */
export function wordsOf(words, bits) {
  let place = 0;
  return Object.fromEntries(
    words.map(([name, width]) => {
      const mine = bits.slice(place, place + width);
      place += width;
      const value = mine.reduce(
        (/** @type {number | null} */ sum, bit) => (sum === null || bit === null ? null : 2 * sum + bit),
        0,
      );
      return [name, value];
    }),
  );
}
