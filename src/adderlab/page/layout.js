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
const ALONG = Array.from({ length: 15 }, (_, i) => 0.2 + 0.04 * i);

/**
 * @param {import("./network.js").Network} network
 * @param {boolean} isNarrow whether there is little room
 * @returns {Layout}
 */
export function layOut(network, isNarrow) {
  const { column: distance, left, right } = isNarrow ? NARROW : WIDE;
  const sizes = sizesOf(network);
  const most = Math.max(...sizes);
  const gap = most <= 4 ? 104 : most <= 8 ? 84 : 66;
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
    return { place, from, to, label: { x: to.x, y: to.y + RADIUS + 14 } };
  });
  placeLabels(parameters);
  const width = left + (sizes.length - 1) * distance + right;
  return { width, height, units, parameters };
}

/**
 * Put each number on its edge where it meets the fewest other numbers and edges, edge by edge.
 *
 * @param {ParameterLayout[]} parameters biases stand already; the labels of the edges are set
 */
function placeLabels(parameters) {
  const edges = parameters.filter(({ place }) => place.input !== "bias");
  const taken = parameters.filter(({ place }) => place.input === "bias").map(({ label }) => label);
  for (const edge of edges) {
    const rivals = edges.filter((other) => other !== edge && other.place.layer === edge.place.layer);
    let best = Infinity;
    for (const share of ALONG) {
      const point = {
        x: edge.from.x + share * (edge.to.x - edge.from.x),
        y: edge.from.y + share * (edge.to.y - edge.from.y),
      };
      const overlaps = taken.filter(
        (label) =>
          Math.abs(label.x - point.x) < LABEL.width && Math.abs(label.y - point.y) < LABEL.height,
      ).length;
      const crossings = rivals.filter(
        (other) => Math.abs(heightAt(other, point.x) - point.y) < LABEL.height / 2,
      ).length;
      const cost = 100 * overlaps + 3 * crossings + 4 * Math.abs(share - 0.5);
      if (cost < best) {
        best = cost;
        edge.label = point;
      }
    }
    taken.push(edge.label);
  }
}

/** @param {ParameterLayout} edge @param {number} x */
function heightAt({ from, to }, x) {
  return from.y + ((x - from.x) / (to.x - from.x)) * (to.y - from.y);
}
