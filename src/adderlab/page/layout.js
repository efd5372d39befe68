/** Where units, edges and their numbers stand in the drawing. Knows no DOM. */

import { placesOf, sizesOf } from "./network.js";

/**
 * @typedef {{x: number, y: number}} Point
 *
 * @typedef {object} ParameterLayout
 * @property {import("./network.js").Place} place
 * @property {Point} from of a bias the unit itself
 * @property {Point} to
 * @property {Point} label the middle of its number
 *
 * @typedef {object} Layout
 * @property {number} width
 * @property {number} height
 * @property {Point[][]} units by column: inputs, hidden units, outputs
 * @property {ParameterLayout[]} parameters in PyTorch's order
 */

export const RADIUS = 25;
/** Distances of a wide drawing and of one on a phone. */
const WIDE = { column: 230, left: 76, right: 128 };
const NARROW = { column: 136, left: 52, right: 124 };
const LABEL = { width: 58, height: 22 };
const ALONG = Array.from({ length: 37 }, (_, i) => 0.14 + 0.02 * i);
const PASSES = 3;

/**
 * @param {import("./network.js").Network} network
 * @param {{isNarrow: boolean, hasGradients: boolean}} options whether there is little room, and
 *   whether gradients stand below the numbers
 * @returns {Layout}
 */
export function layOut(network, { isNarrow, hasGradients }) {
  const { column: distance, left, right } = isNarrow ? NARROW : WIDE;
  const sizes = sizesOf(network);
  const most = Math.max(...sizes);
  const gap = (most <= 4 ? 104 : most <= 8 ? 84 : 66) + (hasGradients ? 24 : 0);
  const height = most * gap + 24;
  const units = sizes.map((count, column) =>
    Array.from({ length: count }, (_, unit) => ({
      x: left + column * distance,
      y: height / 2 + (unit - (count - 1) / 2) * gap - 8,
    })),
  );
  const parameters = placesOf(network).map((place) => {
    const to = units[place.layer + 1][place.unit];
    const from = place.input === "bias" ? to : units[place.layer][place.input];
    return { place, from, to, label: { x: to.x, y: to.y + RADIUS + 13 } };
  });
  placeLabels(parameters, hasGradients ? 2 * LABEL.height : LABEL.height);
  const width = left + (sizes.length - 1) * distance + right;
  return { width, height, units, parameters };
}

/**
 * Put each number on its edge where it meets the fewest other numbers and edges. Each is placed
 * where the others stand, and once more after these have moved.
 *
 * @param {ParameterLayout[]} parameters biases stand already; the labels of the edges are set
 * @param {number} tall how tall a label is
 */
function placeLabels(parameters, tall) {
  const edges = parameters.filter(({ place }) => place.input !== "bias");
  const stands = new Set(parameters.filter(({ place }) => place.input === "bias"));
  for (let pass = 0; pass < PASSES; pass++) {
    for (const edge of edges) {
      stands.delete(edge);
      edge.label = bestPlace(edge, [...stands], edges, tall);
      stands.add(edge);
    }
  }
}

/**
 * @param {ParameterLayout} edge
 * @param {ParameterLayout[]} others whose labels stand
 * @param {ParameterLayout[]} edges
 * @param {number} tall
 * @returns {Point}
 */
function bestPlace(edge, others, edges, tall) {
  const rivals = edges.filter((other) => other !== edge && other.place.layer === edge.place.layer);
  let [best, least] = [edge.label, Infinity];
  for (const share of ALONG) {
    const x = edge.from.x + share * (edge.to.x - edge.from.x);
    const y = heightAt(edge, x);
    const overlaps = others.filter(
      ({ label }) => Math.abs(label.x - x) < LABEL.width && Math.abs(label.y - y) < tall,
    );
    const crossings = rivals.filter((other) => Math.abs(heightAt(other, x) - y) < LABEL.height / 2);
    const cost = 100 * overlaps.length + 3 * crossings.length + 4 * Math.abs(share - 0.5);
    if (cost < least) [best, least] = [{ x, y }, cost];
  }
  return best;
}

/** @param {ParameterLayout} edge @param {number} x */
function heightAt({ from, to }, x) {
  return from.y + ((x - from.x) / (to.x - from.x)) * (to.y - from.y);
}
