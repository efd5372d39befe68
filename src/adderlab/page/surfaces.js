/**
 * Decision surfaces: each output over two inputs, with the rows that lie in the plane.
 *
 * Blue reads as 0, orange as 1, the line between them is the threshold. Inputs that the plane
 * does not span are held as in the selected row.
 */

import { assign, html, svg, write } from "./dom.js";
import { isAbove } from "./engine.js";
import { isAllShown } from "./predicting.js";
import { judged } from "./verdict.js";

const GRID = 72;
const LOW = -0.3;
const HIGH = 1.3;
const SIZE = 220;

/** @param {number} value a coordinate of the plane @returns {number} its place in the drawing */
const across = (value) => ((value - LOW) / (HIGH - LOW)) * SIZE;

/**
 * @param {import("./store.js").Store} store
 * @returns {HTMLElement}
 */
export function surfacesPanel(store) {
  const frame = html("div", { class: "surfaces-row" });
  const [across_, up] = ["across", "up"].map((way) => html("select", { "aria-label": `input ${way}` }));
  const choice = html("p", { class: "axes" }, "across ", across_, " up ", up);
  const panel = html(
    "section",
    { class: "panel surfaces", "aria-label": "Decision surfaces" },
    html("h2", {}, "Decision surfaces"),
    choice,
    frame,
    html("p", { class: "hint" }, "The line is the threshold: an output reads as 1 on the orange side."),
  );
  const pick = () => {
    const axes = /** @type {[number, number]} */ ([+across_.value, +up.value]);
    if (axes[0] !== axes[1]) return store.update({ axes });
    const other = store.state.axes;
    store.update({ axes: [other[1], other[0]] });
  };
  across_.addEventListener("change", pick);
  up.addEventListener("change", pick);
  /** @type {Surface[]} */
  let surfaces = [];
  /** @type {import("./network.js").Task | null} */
  let drawn = null;
  store.subscribe((state) => {
    const { task, axes } = state;
    panel.hidden = state.hide.includes("surfaces") || task.input_names.length < 2 || !isAllShown(state);
    if (panel.hidden) return;
    if (task !== drawn) {
      drawn = task;
      for (const select of [across_, up]) {
        select.replaceChildren(...task.input_names.map((name, bit) => html("option", { value: bit }, name)));
      }
      choice.hidden = task.input_names.length === 2;
      surfaces = task.output_names.map((name, output) => new Surface(store, name, output));
      frame.replaceChildren(...surfaces.map(({ element }) => element));
    }
    [across_.value, up.value] = axes.map(String);
    const grids = valuesOn(state.network, task.rows[state.row].inputs, axes);
    for (const surface of surfaces) surface.update(state, grids[surface.output]);
  });
  return panel;
}

class Surface {
  /**
   * @param {import("./store.js").Store} store
   * @param {string} name
   * @param {number} output
   */
  constructor(store, name, output) {
    this.store = store;
    this.output = output;
    this.canvas = html("canvas", { width: GRID, height: GRID, "aria-hidden": "true" });
    this.line = svg("path", { class: "contour" });
    this.corners = svg("g");
    this.labels = [svg("text", { x: SIZE / 2, y: SIZE + 4, "dominant-baseline": "hanging" }), svg("text")];
    this.picture = svg(
      "svg",
      { viewBox: `-30 -4 ${SIZE + 34} ${SIZE + 34}`, role: "img" },
      this.line,
      this.corners,
      ...this.labels,
    );
    const stack = html("div", { class: "stack" }, this.canvas, this.picture);
    this.element = html("figure", { class: "surface" }, html("figcaption", {}, name), stack);
  }

  /** @param {import("./state.js").State} state @param {Float64Array} values of the output on the grid */
  update(state, values) {
    const { network, task, axes } = state;
    const threshold = network.readout.kind === "threshold" ? network.readout.threshold : 0.5;
    paint(this.canvas, values, threshold);
    this.line.setAttribute("d", contour(values, threshold));
    const [across_, up] = axes.map((axis) => task.input_names[axis]);
    write(this.labels[0], across_);
    write(this.labels[1], up);
    const isLong = up.length > 1;
    const place = isLong ? `translate(-8 ${SIZE / 2}) rotate(-90)` : `translate(-14 ${SIZE / 2})`;
    assign(this.labels[1], { transform: place, dy: isLong ? 0 : "0.35em" });
    this.#mark(state);
  }

  /** @param {import("./state.js").State} state the rows that lie in the plane are marked */
  #mark(state) {
    const { task, axes, row } = state;
    const held = task.rows[row].inputs;
    const { rows } = judged(state);
    /** @type {string[]} */
    const said = [];
    const marks = task.rows.flatMap(({ inputs, expected }, number) => {
      if (inputs.some((bit, i) => !axes.includes(i) && bit !== held[i])) return [];
      const bit = rows[number].bits[this.output];
      const right = expected[this.output] === null || expected[this.output] === bit;
      const [x, y] = [across(inputs[axes[0]]), SIZE - across(inputs[axes[1]])];
      const at = axes.map((axis) => `${task.input_names[axis]} ${inputs[axis]}`).join(", ");
      said.push(`${at}: ${bit ?? "no bit"}, ${right ? "right" : "wrong"}`);
      const mark = svg(
        "g",
        { class: `corner${right ? "" : " wrong"}${number === row ? " picked" : ""}` },
        svg("circle", { cx: x, cy: y, r: 13 }),
        svg("text", { x, y, dy: "0.36em" }, right ? (bit ?? "–") : "✘"),
      );
      mark.addEventListener("click", () => this.store.update({ row: number }));
      return [mark];
    });
    this.corners.replaceChildren(...marks);
    this.picture.setAttribute("aria-label", `${task.output_names[this.output]} at ${said.join("; ")}`);
  }
}

/**
 * All outputs on a grid, in double: what is drawn decides nothing.
 *
 * @param {import("./network.js").Network} network
 * @param {number[]} held inputs that the plane does not span
 * @param {[number, number]} axes
 * @returns {Float64Array[]} for each output GRID × GRID values, from the top left
 */
function valuesOn({ layers }, held, axes) {
  const flat = layers.map(({ weight }) => Float64Array.from(weight.flat()));
  const x = [Float64Array.from(held), ...layers.map(({ weight }) => new Float64Array(weight.length))];
  const outputs = x[layers.length];
  const grids = Array.from(outputs, () => new Float64Array(GRID * GRID));
  for (let line = 0; line < GRID; line++) {
    x[0][axes[1]] = HIGH - ((HIGH - LOW) * (line + 0.5)) / GRID;
    for (let column = 0; column < GRID; column++) {
      x[0][axes[0]] = LOW + ((HIGH - LOW) * (column + 0.5)) / GRID;
      layers.forEach((layer, i) => passOn(layer, flat[i], x[i], x[i + 1]));
      grids.forEach((grid, output) => (grid[line * GRID + column] = outputs[output]));
    }
  }
  return grids;
}

/**
 * @param {import("./network.js").Layer} layer
 * @param {Float64Array} weights its own, row by row
 * @param {Float64Array} x
 * @param {Float64Array} y filled with its activations
 */
function passOn({ bias, activation, slope = 0.01, convention }, weights, x, y) {
  for (let unit = 0, place = 0; unit < y.length; unit++) {
    let sum = bias ? bias[unit] : 0;
    for (let i = 0; i < x.length; i++) sum += weights[place++] * x[i];
    if (activation === "relu") sum = sum > 0 ? sum : 0;
    else if (activation === "leaky") sum = sum > 0 ? sum : slope * sum;
    else if (activation === "tanh") sum = Math.tanh(sum);
    else if (activation === "step") sum = isAbove(sum, 0, convention) ? 1 : 0;
    y[unit] = sum;
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Float64Array} values
 * @param {number} threshold
 */
function paint(canvas, values, threshold) {
  const context = canvas.getContext("2d");
  if (!context || !canvas.isConnected) return; // its colors are those of the place it stands in
  const style = getComputedStyle(canvas);
  const [below, above, paper] = [style.color, style.outlineColor, style.backgroundColor].map(channels);
  const image = context.createImageData(GRID, GRID);
  values.forEach((value, i) => {
    const distance = value - threshold;
    const share = 0.2 + 0.75 * Math.min(1, Math.abs(distance));
    const color = distance > 0 ? above : below;
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = paper[c] + share * (color[c] - paper[c]);
    image.data[4 * i + 3] = 255;
  });
  context.putImageData(image, 0, 0);
}

/**
 * @param {string} color as a style computes it: `rgb(43, 98, 169)`
 * @returns {number[]} red, green and blue, 0 to 255
 */
function channels(color) {
  return (color.match(/[\d.]+/g) ?? [0, 0, 0]).slice(0, 3).map(Number);
}

/**
 * Marching squares: where the values cross a level, as the segments of an SVG path.
 *
 * @param {Float64Array} values GRID × GRID
 * @param {number} level
 * @returns {string}
 */
function contour(values, level) {
  const cell = SIZE / GRID;
  let path = "";
  const at = (/** @type {number} */ i, /** @type {number} */ j) => values[i * GRID + j] - level;
  for (let i = 0; i + 1 < GRID; i++) {
    for (let j = 0; j + 1 < GRID; j++) {
      const corners = [at(i, j), at(i, j + 1), at(i + 1, j + 1), at(i + 1, j)];
      /** @type {string[]} */
      const points = [];
      for (let edge = 0; edge < 4; edge++) {
        const [a, b] = [corners[edge], corners[(edge + 1) % 4]];
        if (a > 0 === b > 0) continue;
        const t = a / (a - b);
        const [di, dj] = [[0, t], [t, 1], [1, 1 - t], [1 - t, 0]][edge];
        points.push(`${((j + dj + 0.5) * cell).toFixed(1)} ${((i + di + 0.5) * cell).toFixed(1)}`);
      }
      for (let p = 0; p + 1 < points.length; p += 2) path += `M${points[p]}L${points[p + 1]}`;
    }
  }
  return path;
}
