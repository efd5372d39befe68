/** Where units, edges and their numbers stand in the drawing. Knows no DOM. */

import { placesOf, sizesOf } from "./network.js";

/**
 * @typedef {{x: number, y: number}} Point
 *
 * @typedef {{x: number, y: number, across: number, up: number}} Obstacle its middle, and half its size
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
/** Distances of a wide drawing; names stand beside the units. */
const WIDE = { column: 230, gaps: [104, 88, 68], lesson: 28, left: 76, right: 140 };
/** On a phone, where there is more room above each other: names stand above the units. */
const NARROW = { column: 142, gaps: [136, 150, 120], lesson: 44, left: 40, right: 76 };
const LABEL = { width: 64, height: 24 };
const LETTER = 10;
const CAPTION = 10;
const GRADIENT = 18;
const ALONG = Array.from({ length: 37 }, (_, i) => 0.14 + 0.02 * i);
const PASSES = 6;
/** Edges of a layer up to which numbers are kept apart; of more they overlap wherever they are put. */
const MOST_PLACED = 128;
const SPREAD = 11;

/**
 * @param {import("./network.js").Network} network
 * @param {{isNarrow: boolean, hasGradients: boolean, letters: [number, number]}} options whether there
 *   is little room, whether gradients stand below the numbers, and how long the longest names of
 *   inputs and outputs are
 * @returns {Layout}
 */
export function layOut(network, { isNarrow, hasGradients, letters }) {
  const { column: distance, gaps, lesson, ...least } = isNarrow ? NARROW : WIDE;
  const bit = [0, 104]; // `1 ✘ not 0` behind an output's name
  const room = letters.map((count, i) =>
    isNarrow ? (LETTER * count + bit[i]) / 2 + 6 : 1.6 * RADIUS + LETTER * count,
  );
  const [left, right] = [Math.max(least.left, room[0]), Math.max(least.right, room[1])];
  const sizes = sizesOf(network);
  const most = Math.max(...sizes);
  const gap = gaps[most <= 4 ? 0 : most <= 8 ? 1 : 2] + (hasGradients ? lesson : 0);
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
  const tall = LABEL.height + (hasGradients ? GRADIENT : 0);
  const names = { 0: (LETTER * letters[0]) / 2, [sizes.length - 1]: right };
  const obstacles = units.map((column, number) => column.flatMap((unit) => around(unit, tall, isNarrow && names[number])));
  sizes.slice(1).forEach((_, layer) => {
    const edges = parameters.filter(({ place }) => place.layer === layer && place.input !== "bias");
    if (edges.length <= MOST_PLACED) placeLabels(edges, [...obstacles[layer], ...obstacles[layer + 1]], tall);
    else edges.forEach((edge, i) => (edge.label = pointAt(edge, ALONG[(SPREAD * i) % ALONG.length])));
  });
  const width = left + (sizes.length - 1) * distance + right;
  return { width, height, units, parameters };
}

/**
 * @param {Point} unit
 * @param {number} tall how tall its bias is written
 * @param {number | false | undefined} name half as wide as what is written above it, if anything is
 * @returns {Obstacle[]}
 */
function around({ x, y }, tall, name) {
  const across = LABEL.width / 2;
  return [
    { x, y, across: RADIUS, up: RADIUS },
    { x, y: y + RADIUS + tall / 2, across, up: tall / 2 },
    ...(tall > LABEL.height ? [{ x, y: y - RADIUS - CAPTION, across, up: CAPTION }] : []),
    ...(name ? [{ x, y: y - RADIUS - CAPTION - 5 - tall + LABEL.height, across: name, up: CAPTION }] : []),
  ];
}

/**
 * Put each number of a layer on its edge where it meets the fewest other numbers and edges. Each is
 * placed where the others stand, and again after these have moved.
 *
 * @param {ParameterLayout[]} edges whose labels are set
 * @param {Obstacle[]} obstacles
 * @param {number} tall how tall a label is
 */
function placeLabels(edges, obstacles, tall) {
  /** @type {Set<ParameterLayout>} */
  const stands = new Set();
  for (let pass = 0; pass < PASSES; pass++) {
    for (const edge of edges) {
      stands.delete(edge);
      edge.label = bestPlace(edge, [...stands], edges, obstacles, tall);
      stands.add(edge);
    }
  }
}

/**
 * @param {ParameterLayout} edge
 * @param {ParameterLayout[]} others whose labels stand
 * @param {ParameterLayout[]} edges
 * @param {Obstacle[]} obstacles
 * @param {number} tall
 * @returns {Point}
 */
function bestPlace(edge, others, edges, obstacles, tall) {
  let [best, least] = [edge.label, Infinity];
  for (const share of ALONG) {
    const { x, y } = pointAt(edge, share);
    const middle = y + (tall - LABEL.height) / 2;
    let cost = 4 * Math.abs(share - 0.5);
    for (const { label } of others) cost += 100 * overlap(label.x - x, LABEL.width, label.y - y, tall);
    for (const each of obstacles) cost += 100 * overlap(each.x - x, each.across + LABEL.width / 2, each.y - middle, each.up + tall / 2);
    for (const other of edges) if (other !== edge && Math.abs(heightAt(other, x) - y) < LABEL.height / 2) cost += 3;
    if (cost < least) [best, least] = [{ x, y }, cost];
  }
  return best;
}

/**
 * @param {number} x how far two middles are apart
 * @param {number} across where they would touch
 * @param {number} y
 * @param {number} up
 * @returns {number} 0, or from 0.2 to 1.2: a part of an overlap is better than all of it
 */
function overlap(x, across, y, up) {
  const [width, height] = [1 - Math.abs(x) / across, 1 - Math.abs(y) / up];
  return width > 0 && height > 0 ? 0.2 + width * height : 0;
}

/** @param {ParameterLayout} edge @param {number} share of its way @returns {Point} */
function pointAt(edge, share) {
  const x = edge.from.x + share * (edge.to.x - edge.from.x);
  return { x, y: heightAt(edge, x) };
}

/** @param {ParameterLayout} edge @param {number} x */
function heightAt({ from, to }, x) {
  return from.y + ((x - from.x) / (to.x - from.x)) * (to.y - from.y);
}
