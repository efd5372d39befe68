/**
 * The network as a drawing: each weight an edge that can be dragged, typed and stepped.
 *
 * All parameters are one stop of the Tab key; the arrows go from one to the next and change it.
 */

import { lessonAt } from "./backprop.js";
import { assign, focused, html, svg, write } from "./dom.js";
import { bitsOf, forward } from "./engine.js";
import { bytesText } from "./formats.js";
import { gradientKey, slotKey, unitGradientKey, valueKey } from "./lesson.js";
import { RADIUS, layOut } from "./layout.js";
import { parameterName, sizesOf, valueAt, withValue } from "./network.js";
import { decimal } from "./numbers.js";
import { isShown } from "./predicting.js";
import { numberOf } from "./state.js";

const NARROW_PX = 520;
const PER_PIXEL = 1 / 32;
const STEPS = { ArrowUp: 1, ArrowDown: -1, PageUp: 4, PageDown: -4 };
const STEP = 0.25;
const HINT =
  "Drag a number up or down. With the keyboard: ↑ ↓ change it by ¼, Page keys by 1, " +
  "← → go to the next, Enter types.";

/**
 * @param {import("./store.js").Store} store
 * @returns {HTMLElement}
 */
export function networkDrawing(store) {
  const figure = html("div", { class: "drawing" });
  const hint = html("p", { class: "hint" }, HINT);
  const size = html("p", { class: "bytes" });
  const panel = html(
    "section",
    { class: "panel network", "aria-label": "Network" },
    html("div", { class: "head" }, html("h2", {}, "Network"), size),
    figure,
    hint,
  );
  /** @type {Drawing | null} */
  let drawing = null;
  const observer = new ResizeObserver(() => store.update({}));
  observer.observe(figure);
  store.subscribe((state) => {
    write(size, bytesText(state.network));
    const isNarrow = figure.clientWidth > 0 && figure.clientWidth < NARROW_PX;
    const hasGradients = state.lesson !== null;
    const shape = shapeOf(state) + isNarrow + hasGradients;
    if (drawing?.shape !== shape) {
      const active = drawing?.active ?? 0;
      const hadFocus = figure.contains(focused(figure));
      drawing = new Drawing(store, shape, figure, { isNarrow, hasGradients });
      drawing.activate(Math.min(active, drawing.labels.length - 1), hadFocus);
    }
    drawing.update(state);
  });
  return panel;
}

/** @param {import("./state.js").State} state what the drawing is built anew for */
function shapeOf({ task, network }) {
  const biases = network.layers.map(({ bias }) => (bias ? 1 : 0));
  return JSON.stringify([sizesOf(network), biases, task.input_names, task.output_names]);
}

class Drawing {
  /**
   * @param {import("./store.js").Store} store
   * @param {string} shape
   * @param {HTMLElement} figure
   * @param {{isNarrow: boolean, hasGradients: boolean}} options
   */
  constructor(store, shape, figure, options) {
    const { network, task } = store.state;
    this.store = store;
    this.shape = shape;
    this.figure = figure;
    this.active = 0;
    const letters = /** @type {[number, number]} */ (
      [task.input_names, task.output_names].map((names) => Math.max(...names.map((name) => shortened(name).length)))
    );
    const layout = layOut(network, { ...options, letters });
    this.isNarrow = options.isNarrow;
    this.hasGradients = options.hasGradients;
    this.layout = layout;
    this.callout = html("p", { class: "callout", "aria-hidden": "true" });
    this.callout.hidden = true;
    /** @type {import("./lesson.js").Operation | null} */
    this.followed = null;
    this.places = layout.parameters.map(({ place }) => place);
    this.lines = layout.parameters.map((parameter, i) => this.#line(parameter, i));
    this.labels = layout.parameters.map((parameter, i) => this.#label(parameter, i));
    this.units = layout.units.map((column, number) =>
      column.map((point, unit) => this.#unit(point, number, unit, layout.units.length, task)),
    );
    this.edges = svg("g", { class: "edges" }, ...this.lines);
    const drawn = svg(
      "svg",
      {
        viewBox: `0 0 ${layout.width} ${layout.height}`,
        role: "group",
        "aria-label": `the network ${sizesOf(network).join("-")} and its ${this.places.length} parameters`,
      },
      this.edges,
      svg("g", { class: "units" }, ...this.units.flat().map(({ group }) => group)),
      svg("g", { class: "labels" }, ...this.labels.map(({ group }) => group)),
    );
    drawn.addEventListener("touchmove", keepStill, { passive: false });
    const size = `--natural: ${layout.width}px; --ratio: ${layout.width / layout.height}`;
    figure.replaceChildren(html("div", { class: "canvas", style: size }, drawn, this.callout));
  }

  /** @param {import("./layout.js").ParameterLayout} parameter @param {number} number */
  #line({ place, from, to }, number) {
    if (place.input === "bias") return svg("g");
    const ends = { x1: from.x + RADIUS, y1: from.y, x2: to.x - RADIUS, y2: to.y };
    const group = svg("g", { class: "edge" }, svg("line", ends), svg("line", { ...ends, class: "grip" }));
    group.addEventListener("pointerdown", (event) => this.#drag(event, number));
    return group;
  }

  /** @param {import("./layout.js").ParameterLayout} parameter @param {number} number */
  #label({ place, label }, number) {
    const text = svg("text", { x: label.x, y: label.y, dy: "0.35em" });
    const gradient = svg("text", { x: label.x, y: label.y + 16, dy: "0.35em", class: "gradient" });
    const box = svg("rect", { y: label.y - 12, height: 24, rx: 5 });
    const group = svg(
      "g",
      {
        class: place.input === "bias" ? "label bias" : "label",
        role: "spinbutton",
        tabindex: -1,
        "aria-label": this.#name(place),
      },
      box,
      text,
      gradient,
    );
    group.addEventListener("pointerdown", (event) => this.#drag(event, number));
    group.addEventListener("keydown", (event) => this.#key(event, number));
    group.addEventListener("focus", () => this.activate(number, false));
    group.addEventListener("dblclick", () => this.#type(number));
    return { group, text, gradient, box, at: label };
  }

  /** @param {import("./network.js").Place} place */
  #name(place) {
    const { task, network } = this.store.state;
    const last = network.layers.length - 1;
    const to = place.layer === last ? task.output_names[place.unit] : `unit ${place.unit + 1}`;
    if (place.input === "bias") return `${parameterName(place)}, bias of ${to}`;
    const from = place.layer === 0 ? task.input_names[place.input] : `unit ${place.input + 1}`;
    return `${parameterName(place)}, from ${from} to ${to}`;
  }

  /**
   * @param {import("./layout.js").Point} point
   * @param {number} column
   * @param {number} unit
   * @param {number} columns
   * @param {import("./network.js").Task} task
   */
  #unit({ x, y }, column, unit, columns, task) {
    const value = svg("text", { x, y, dy: "0.35em", class: "value" });
    const circle = svg("circle", { cx: x, cy: y, r: RADIUS });
    const isInput = column === 0;
    const isOutput = column === columns - 1;
    const name = isInput ? task.input_names[unit] : isOutput ? task.output_names[unit] : "";
    const gradient = svg("text", { x, y: y - RADIUS - 9, dy: "0.35em", class: "gradient" });
    const [caption, bit] = this.#captions({ x, y }, name, isInput, isOutput);
    const group = svg("g", { class: "unit" }, circle, value, caption, isOutput && !this.isNarrow ? bit : null, gradient);
    if (isInput) {
      assign(group, { class: "unit input", role: "switch", tabindex: 0, "aria-label": `input ${name}` });
      const flip = () => this.#flip(unit);
      group.addEventListener("click", flip);
      group.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        flip();
      });
    }
    return { group, value, bit, gradient, isInput, isOutput, at: { x, y } };
  }

  /**
   * @param {import("./layout.js").Point} point
   * @param {string} name
   * @param {boolean} isInput
   * @param {boolean} isOutput
   * @returns {[Element, Element]} a unit's name, and where an output's bit stands
   */
  #captions({ x, y }, name, isInput, isOutput) {
    const text = shortened(name);
    if (this.isNarrow) {
      const bit = svg("tspan", { class: "bit" });
      const above = { x, y: y - RADIUS - (this.hasGradients ? 25 : 9), class: "caption" };
      return [svg("text", above, svg("tspan", { class: "name" }, text), isOutput ? " " : null, isOutput ? bit : null), bit];
    }
    const [outside, beside] = [x - RADIUS - 10, x + RADIUS + 10];
    const caption = isInput
      ? svg("text", { x: outside, y, dy: "0.35em", class: "name end" }, text)
      : svg("text", { x: beside, y: y - 9, dy: "0.35em", class: "name start" }, text);
    return [caption, svg("text", { x: beside, y: y + 11, dy: "0.35em", class: "bit start" })];
  }

  /** @param {number} unit an input bit to turn over, where the task has such a row */
  #flip(unit) {
    const { task, row } = this.store.state;
    const inputs = task.rows[row].inputs.with(unit, 1 - task.rows[row].inputs[unit]);
    const next = task.rows.findIndex((each) => each.inputs.every((bit, i) => bit === inputs[i]));
    if (next >= 0) this.store.update({ row: next });
  }

  /**
   * @param {number} number of the parameter that the Tab key comes to
   * @param {boolean} focus
   */
  activate(number, focus) {
    assign(this.labels[this.active].group, { tabindex: -1 });
    this.active = number;
    assign(this.labels[number].group, { tabindex: 0 });
    if (focus) this.labels[number].group.focus();
  }

  /** @param {number} number @param {number} value @param {string} gesture */
  #set(number, value, gesture) {
    const network = withValue(this.store.state.network, this.places[number], value);
    if (Number.isFinite(valueAt(network, this.places[number]))) this.store.update({ network }, gesture);
  }

  /** @param {string} text @returns {number | null} null too where a weight would be infinite */
  #heldNumber(text) {
    const value = numberOf(text);
    const isDouble = this.store.state.network.format === "fp64";
    return value !== null && (isDouble || Number.isFinite(Math.fround(value))) ? value : null;
  }

  /** @param {PointerEvent} event @param {number} number */
  #drag(event, number) {
    if (event.button !== 0) return;
    event.preventDefault();
    const { group } = this.labels[number];
    this.activate(number, true);
    const start = valueAt(this.store.state.network, this.places[number]);
    const from = event.clientY;
    const gesture = `drag ${number} ${event.timeStamp}`;
    const target = /** @type {Element} */ (event.currentTarget);
    target.setPointerCapture(event.pointerId);
    group.classList.add("dragged");
    const move = (/** @type {PointerEvent} */ moved) => {
      if (moved.pointerId !== event.pointerId) return;
      const unit = moved.shiftKey ? STEP : PER_PIXEL;
      const value = start + (from - moved.clientY) * PER_PIXEL;
      this.#set(number, Math.round(value / unit) * unit, gesture);
    };
    const done = new AbortController();
    const stop = (/** @type {PointerEvent} */ { pointerId }) => {
      if (pointerId !== event.pointerId) return;
      done.abort();
      group.classList.remove("dragged");
      this.store.settle();
    };
    const { signal } = done;
    target.addEventListener("pointermove", /** @type {any} */ (move), { signal });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      target.addEventListener(end, /** @type {any} */ (stop), { signal });
    }
  }

  /** @param {KeyboardEvent} event @param {number} number */
  #key(event, number) {
    const { key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key.startsWith("Page") && this.store.state.present !== null) return; // a presenter's remote control turns the page
    const count = this.labels.length;
    const value = valueAt(this.store.state.network, this.places[number]);
    const step = /** @type {Record<string, number>} */ (STEPS)[key];
    if (step) {
      const size = event.shiftKey ? 1 / 64 : STEP;
      this.#set(number, value + step * size, `key ${number}`);
    } else if (key === "ArrowRight" || key === "ArrowLeft") {
      this.store.settle();
      this.activate((number + (key === "ArrowRight" ? 1 : count - 1)) % count, true);
    } else if (key === "Home" || key === "End") {
      this.activate(key === "Home" ? 0 : count - 1, true);
    } else if (key === "Enter") this.#type(number);
    else if (key === "Delete" || key === "Backspace") this.#set(number, 0, "");
    else if (/^[-\d.]$/.test(key)) this.#type(number, key);
    else return;
    event.preventDefault();
  }

  /**
   * Open a field over a number.
   *
   * @param {number} number
   * @param {string} [text] what it begins with; the value as it is unless given
   */
  #type(number, text) {
    const { group } = this.labels[number];
    const value = valueAt(this.store.state.network, this.places[number]);
    const [at, frame] = [group.getBoundingClientRect(), this.figure.getBoundingClientRect()];
    const field = html("input", {
      class: "typed",
      inputmode: "decimal",
      "aria-label": this.#name(this.places[number]),
      style:
        `left: ${at.left + at.width / 2 - frame.left + this.figure.scrollLeft}px; ` +
        `top: ${at.top + at.height / 2 - frame.top + this.figure.scrollTop}px`,
    });
    field.value = text ?? String(value);
    let isOpen = true;
    const close = (/** @type {boolean} */ keep) => {
      if (!isOpen) return;
      const typed = this.#heldNumber(field.value);
      if (keep && typed === null) {
        assign(field, { "aria-invalid": "true", title: "a number, such as -1.5 or 1/4, that the format holds" });
        return;
      }
      isOpen = false;
      const hadFocus = focused(field) === field;
      field.remove();
      if (keep && typed !== null && typed !== value) this.#set(number, typed, "");
      if (hadFocus) this.labels[number].group.focus();
    };
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") close(true);
      if (event.key === "Escape") close(false);
      event.stopPropagation();
    });
    field.addEventListener("blur", () => close(this.#heldNumber(field.value) !== null));
    this.figure.append(field);
    field.focus();
    if (text === undefined) field.select();
  }

  /** @param {import("./state.js").State} state */
  update(state) {
    const { network, task, row } = state;
    const lesson = lessonAt(state);
    this.places.forEach((place, i) => {
      const value = lesson?.values.get(slotKey(place)) ?? valueAt(network, place);
      this.#showParameter(i, place, value);
      const computed = lesson?.values.get(gradientKey(place));
      write(this.labels[i].gradient, computed === undefined ? "" : `∇ ${decimal(computed, 3)}`);
    });
    const pass = forward(network, task.rows[row].inputs);
    /** @type {(column: number, unit: number) => number | undefined} */
    const valueOf = (column, unit) => {
      if (lesson) return lesson.values.get(valueKey(column, unit));
      return column === 0 || isShown(state, row) ? pass.values[column][unit] : undefined;
    };
    this.units.forEach((column, number) =>
      column.forEach((parts, unit) => {
        const value = valueOf(number, unit);
        const gradient = lesson?.values.get(unitGradientKey(number, unit));
        const shown = value === undefined ? "?" : decimal(value, 3);
        write(parts.value, shown);
        parts.value.style.fontSize = shown.length > 5 ? `${(80 / shown.length).toFixed(1)}px` : ""; // inside its circle
        write(parts.gradient, gradient === undefined ? "" : `∇ ${decimal(gradient, 3)}`);
        if (parts.isInput) assign(parts.group, { "aria-checked": value ? "true" : "false" });
        else parts.group.classList.toggle("off", !parts.isOutput && value === 0);
      }),
    );
    const column = this.units.length - 1;
    const outputs = this.units[column].map((_, unit) => valueOf(column, unit));
    this.#showBits(outputs, network.readout, task.rows[row].expected);
    this.#follow(lesson);
  }

  /**
   * @param {(number | undefined)[]} outputs
   * @param {import("./network.js").Readout} readout
   * @param {(number | null)[]} expected
   */
  #showBits(outputs, readout, expected) {
    outputs.forEach((output, unit) => {
      const { group, bit } = this.units[this.units.length - 1][unit];
      const [read] = output === undefined ? [undefined] : bitsOf([output], readout);
      const wrong = read !== undefined && expected[unit] !== null && read !== expected[unit];
      const mark = wrong ? `✘ not ${expected[unit]}` : "✔";
      write(bit, read === undefined ? "" : `${read ?? "no bit"} ${mark}`);
      group.classList.toggle("wrong", wrong);
    });
  }

  /**
   * Show where the lesson is: the formula beside its edge or unit, and what travels to it.
   *
   * @param {import("./backprop.js").Lesson | null} lesson
   */
  #follow(lesson) {
    const current = lesson?.current ?? null;
    if (current === this.followed) return;
    this.followed = current;
    this.callout.hidden = current === null;
    if (!current) return;
    const { unit, parameter } = current.at;
    const number = this.places.findIndex((place) => parameterName(place) === parameter);
    const point = unit ? this.units[unit[0]][unit[1]].at : this.labels[number]?.at;
    write(this.callout, current.numbers);
    this.callout.hidden = !point;
    if (!point) return;
    const { width, height } = this.layout;
    const isLow = point.y > height / 2;
    const left = Math.max(22, Math.min(78, (100 * point.x) / width));
    this.callout.style.left = `${left}%`;
    this.callout.style.top = `${(100 * (point.y + (isLow ? -RADIUS - 22 : RADIUS + 30))) / height}%`;
    this.callout.classList.toggle("above", isLow);
    if (unit) this.#travel(unit, current.title.includes("backward"));
    else if (number >= 0) this.#send(this.layout.parameters[number], true);
  }

  /** @param {[number, number]} unit @param {boolean} isBackward what comes to it, along which edges */
  #travel([column, unit], isBackward) {
    for (const parameter of this.layout.parameters) {
      const { layer, unit: to, input } = parameter.place;
      const isOwn = isBackward ? layer === column && input === unit : layer === column - 1 && to === unit;
      if (isOwn && input !== "bias") this.#send(parameter, isBackward);
    }
  }

  /** @param {import("./layout.js").ParameterLayout} parameter @param {boolean} isBackward */
  #send({ from, to }, isBackward) {
    if (from === to || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const [start, end] = isBackward ? [to, from] : [from, to];
    const dot = svg("circle", { class: "traveller", r: 6 });
    this.edges.append(dot);
    const place = (/** @type {{x: number, y: number}} */ { x, y }) => ({ transform: `translate(${x}px, ${y}px)` });
    dot.animate([place(start), place(end)], { duration: 600, easing: "ease-in-out" }).onfinish = () => dot.remove();
  }

  /** @param {number} number @param {import("./network.js").Place} place @param {number} value */
  #showParameter(number, place, value) {
    const { group, text, box, at } = this.labels[number];
    const shown = decimal(value, 3);
    const written = place.input === "bias" ? `b ${shown}` : shown;
    if (written !== text.textContent) {
      const width = 16 + 9 * written.length;
      assign(box, { x: at.x - width / 2, width });
      write(text, written);
    }
    assign(group, { "aria-valuenow": unscaled(value), "aria-valuetext": shown });
    const sign = value > 0 ? "positive" : value < 0 ? "negative" : "zero";
    for (const each of ["positive", "negative", "zero"]) {
      group.classList.toggle(each, each === sign);
      this.lines[number].classList.toggle(each, each === sign);
    }
    const thickness = value === 0 ? 1 : 1.2 + 4 * Math.min(1, Math.abs(value) / 3);
    this.lines[number].style.setProperty("--width", thickness.toFixed(2));
  }
}

/**
 * A finger on a number or an edge changes it, and does not scroll the page. Browsers know `touch-action` of the whole
 * drawing alone, where it would hold the page still under every finger.
 *
 * @param {TouchEvent} event
 */
function keepStill(event) {
  if (event.target instanceof Element && event.target.closest(".label, .edge") && event.cancelable) event.preventDefault();
}

/** @param {number} value @returns {string} all digits: ARIA's numbers have no exponent */
function unscaled(value) {
  const text = String(value);
  return text.includes("e") ? value.toLocaleString("en-US", { useGrouping: false, maximumFractionDigits: 100 }) : text;
}

/** @param {string} name */
function shortened(name) {
  return name.length > 10 ? `${name.slice(0, 5)}…${name.slice(-4)}` : name;
}
