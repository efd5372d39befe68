/**
 * Training: play, pause, one step, the same start again, another seed; the loss, and a way back
 * through the whole run.
 */

import { button, control, enable, group } from "./controls.js";
import { assign, focused, html, svg, write } from "./dom.js";
import { decimal } from "./numbers.js";
import { populationBlock } from "./population.js";
import { BATCHES, SPEEDS, numberOf, rateOf, seedOf } from "./state.js";
import { HALF } from "./toolbar.js";
import { Trainer, deadUnits, fromSeed } from "./trainer.js";

const CURVE = { width: 600, height: 148, left: 54, right: 8, top: 10, bottom: 24 };
const MOST_POINTS = 500;
const FLOOR = 1e-12;
const CEILING = 1e39; // of fp32, and in place of a loss that is no number

/**
 * @param {import("./store.js").Store} store
 * @param {import("./verdict.js").Ask | null} ask Python, where it answers
 * @returns {{element: HTMLElement, close: () => void}}
 */
export function trainingPanel(store, ask) {
  const panel = new Panel(store);
  store.subscribe((state) => panel.update(state));
  if (ask) panel.element.append(populationBlock(store, ask, () => panel.pause()));
  return { element: panel.element, close: () => panel.pause() };
}

class Panel {
  /** @type {Trainer | null} */ #trainer = null;
  #shown = 0;
  #frame = 0;
  #runs = 0;
  /** Whether the run is that of a seed under settings that never changed. */
  #isOfSeed = false;
  #settings = "";
  /** Of the curve, in pixels. */
  #width = CURVE.width;

  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.store = store;
    this.play = button("▶ train", () => (this.#frame ? this.pause() : this.#start()));
    this.back = button("reset", () => this.#reset());
    this.seed = field("seed of the weights that a run starts from");
    this.seed.addEventListener("change", () => this.#seeded(seedOf(this.seed.value)));
    this.seed.addEventListener("keydown", ({ key }) => {
      if (key === "Enter") this.#seeded(seedOf(this.seed.value));
    });
    this.lr = field("learning rate");
    this.lr.addEventListener("change", () => {
      const lr = rateOf(this.lr.value);
      mark(this.lr, lr === null ? "a number above 0, such as 0.1" : "");
      if (lr !== null) store.update({ lr });
    });
    this.batch = choice(BATCHES, "", (text) => store.update({ batch: text === "all" ? null : +text }));
    this.speed = choice(SPEEDS, "×", (text) => store.update({ speed: +text }));
    this.scrubber = html("input", { type: "range", min: 0, max: 0, value: 0, "aria-label": "step of the run" });
    this.scrubber.addEventListener("input", () => {
      if (this.#frame) this.pause();
      this.#show(+this.scrubber.value);
    });
    this.curve = svg("path", { class: "loss" });
    this.marker = svg("line", { class: "marker", y1: CURVE.top, y2: CURVE.height - CURVE.bottom });
    this.grid = svg("g", { class: "grid" });
    this.status = html("p", { class: "step" });
    this.ending = html("p", { class: "hint", role: "status" });
    this.note = html("p", { class: "hint" });
    this.command = html("code");
    this.same = html("p", { class: "hint" }, "the same run: ", this.command);
    this.element = html(
      "section",
      { class: "panel training", "aria-label": "Training" },
      html("h2", {}, "Training"),
      html(
        "div",
        { class: "group" },
        html(
          "span",
          { class: "buttons" },
          this.play,
          button("one step", () => this.#step()),
          this.back,
        ),
        group("seed", "Seed", this.seed, button("new", () => this.#seeded(seedOf(String(store.state.seed + 1)) ?? 0), { "aria-label": "new seed" })),
        control("lr", "Learning rate", this.lr),
        control("batch", "Rows a step", this.batch),
        control("speed", "Steps a frame", this.speed),
      ),
      (this.chart = svg(
        "svg",
        { class: "curve", role: "img", "aria-label": "loss by step" },
        this.grid,
        this.curve,
        this.marker,
      )),
      this.scrubber,
      this.status,
      this.ending,
      this.note,
      this.same,
    );
    // drawn as wide as it is shown, so that its text has the size of other text
    new ResizeObserver(([{ contentRect }]) => {
      if (contentRect.width) this.#width = contentRect.width;
      store.update({});
    }).observe(this.chart);
  }

  /** @returns {boolean} whether the run's network is what is shown */
  #isCurrent() {
    const { network, task } = this.store.state;
    return this.#trainer?.task === task && this.#trainer.at(this.#shown) === network;
  }

  /** @returns {Trainer} the run of what is shown; a new one where that was changed by hand */
  #run() {
    if (!this.#isCurrent()) this.#begin(this.store.state.network, false);
    return /** @type {Trainer} */ (this.#trainer);
  }

  /** @param {import("./network.js").Network} start @param {boolean} isOfSeed */
  #begin(start, isOfSeed) {
    this.#trainer = new Trainer(start, this.store.state.task, this.store.state.seed);
    this.#shown = 0;
    this.#runs += 1;
    this.#isOfSeed = isOfSeed || this.#equalsSeed(start);
    this.#settings = "";
  }

  /** @param {import("./network.js").Network} network whether it is untrained, of the seed that is shown */
  #equalsSeed(network) {
    return JSON.stringify(network.layers) === JSON.stringify(fromSeed(network, this.store.state.seed).layers);
  }

  #start() {
    this.#run();
    const frame = () => {
      this.#frame = requestAnimationFrame(frame);
      // what was changed by hand stays as it is until somebody trains on
      if (!this.#isCurrent() || !this.#advance(this.store.state.speed)) this.pause();
    };
    this.#frame = requestAnimationFrame(frame);
    write(this.play, "❚❚ pause");
  }

  pause() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    write(this.play, "▶ train");
    this.store.settle();
  }

  #step() {
    this.pause();
    this.#run();
    this.#advance(1);
  }

  /** @param {number} count @returns {boolean} whether there was a step to take */
  #advance(count) {
    const trainer = this.#run();
    const { lr, batch } = this.store.state;
    const settings = `${lr} ${batch}`;
    let step = this.#shown;
    for (let i = 0; i < count; i++) {
      if (step < trainer.steps) step += 1;
      else if (trainer.step(lr, batch)) step += 1;
      else break;
      if (step === trainer.steps && this.#settings && this.#settings !== settings) this.#isOfSeed = false;
      this.#settings = settings;
    }
    const moved = step > this.#shown;
    this.#show(step);
    return moved;
  }

  /** @param {number} step */
  #show(step) {
    if (!this.#trainer) return;
    this.#shown = step;
    this.store.update({ network: this.#trainer.at(step) }, `run ${this.#runs}`);
  }

  #reset() {
    this.pause();
    if (!this.#trainer) return;
    const { start } = this.#trainer;
    this.store.update({ network: start });
    this.#begin(start, false);
  }

  /** @param {number | null} seed as typed; null where it is none */
  #seeded(seed) {
    mark(this.seed, seed === null ? "a whole number from 0 to 4294967295" : "");
    if (seed === null) return;
    this.pause();
    // A network that learns bits 0 and 1 is read halfway between them.
    const network = { ...fromSeed(this.store.state.network, seed), readout: HALF };
    this.store.update({ network, seed });
    this.#begin(network, true);
  }

  /** @param {import("./state.js").State} state */
  update(state) {
    const { network, task } = state;
    show(this.seed, state.seed);
    show(this.lr, state.lr);
    this.batch.value = String(state.batch ?? "all");
    this.speed.value = String(state.speed);
    const trainer = this.#trainer;
    const isCurrent = this.#isCurrent();
    const steps = isCurrent && trainer ? trainer.steps : 0;
    this.scrubber.max = String(steps);
    this.scrubber.value = String(isCurrent ? this.#shown : 0);
    this.scrubber.disabled = steps === 0;
    enable(this.back, steps > 0);
    const losses = isCurrent && trainer ? trainer.losses : [];
    this.#draw(losses);
    const loss = losses[this.#shown - 1];
    write(
      this.status,
      steps ? `step ${this.#shown} of ${steps}` + (loss === undefined ? "" : `, loss ${decimal(loss, 6)}`) : "not trained yet",
    );
    const ended = isCurrent && trainer && this.#shown === trainer.steps ? trainer.ended : "";
    write(this.ending, ended);
    write(this.note, noteOn(network, task));
    this.same.hidden = !(steps && this.#isOfSeed && isLectures(network));
    if (!this.same.hidden) write(this.command, this.#commandFor(state));
  }

  /** @param {import("./state.js").State} state @returns {string} what runs the same on a command line */
  #commandFor({ network, task, seed, lr, batch }) {
    const options = [
      `train ${task.name} --data table --seed ${seed} --steps ${this.#shown}`,
      `--hidden ${network.layers[0].weight.length}`,
      ...(lr === 0.1 ? [] : [`--lr ${lr}`]),
      ...(batch === null ? [] : [`--batch ${batch}`]),
    ];
    return `adderlab ${options.join(" ")}`;
  }

  /** @param {number[]} losses of the steps */
  #draw(losses) {
    const { height, left, right, top, bottom } = CURVE;
    const width = this.#width;
    const count = losses.length;
    this.chart.style.display = this.scrubber.style.display = count ? "" : "none";
    if (!count) return;
    assign(this.chart, { viewBox: `0 0 ${width} ${height}` });
    const logs = losses.map((loss) => Math.log10(loss < CEILING ? Math.max(loss, FLOOR) : CEILING));
    const high = Math.ceil(Math.max(...[...logs.keys()].filter((i) => i % 7 === 0).map((i) => logs[i])));
    const low = Math.min(Math.floor(Math.min(...logs.slice(-1), logs[0])), high - 1);
    const x = (/** @type {number} */ step) => left + ((width - left - right) * step) / Math.max(1, count - 1);
    const y = (/** @type {number} */ log) =>
      top + ((height - top - bottom) * (high - Math.max(low, Math.min(high, log)))) / (high - low);
    const stride = Math.ceil(count / MOST_POINTS);
    const points = logs.flatMap((log, i) =>
      i % stride === 0 || i === count - 1 ? [`${x(i).toFixed(1)} ${y(log).toFixed(1)}`] : [],
    );
    this.curve.setAttribute("d", `M${points.join("L")}`);
    const at = x(Math.max(0, this.#shown - 1)).toFixed(1);
    this.marker.setAttribute("x1", at);
    this.marker.setAttribute("x2", at);
    const every = Math.ceil((high - low) / 4);
    const lines = [];
    for (let power = low; power <= high; power += every) {
      lines.push(
        svg("line", { x1: left, x2: width - right, y1: y(power), y2: y(power) }),
        svg("text", { x: left - 6, y: y(power), dy: "0.35em" }, power === 0 ? "1" : `1e${power}`),
      );
    }
    lines.push(
      svg("text", { x: left, y: height - 4, class: "first" }, "1"),
      svg("text", { x: width - right, y: height - 4 }, `${count} steps`),
    );
    this.grid.replaceChildren(...lines);
  }
}

/** @param {import("./network.js").Network} network @param {import("./network.js").Task} task */
function noteOn(network, task) {
  if (network.layers.some(({ activation }) => activation === "step")) {
    return "step has gradient 0 everywhere: the weights before it do not learn";
  }
  const dead = [...deadUnits(network, task)].map((each) => Number(each.split(",")[1]) + 1);
  if (!dead.length || network.layers.length > 2) return "";
  const which = `hidden ${dead.length === 1 ? "unit" : "units"} ${dead.join(", ")}`;
  return `${which} ${dead.length === 1 ? "is" : "are"} dead: off on every row, with gradient 0`;
}

/** @param {import("./network.js").Network} network whether `adderlab train` has its shape by default */
function isLectures({ layers, readout }) {
  const [first, second] = layers;
  const isHalf = readout.kind === "threshold" && readout.threshold === 0.5 && readout.convention === ">";
  return layers.length === 2 && first.activation === "relu" && second.activation === "identity" && isHalf;
}

/** @param {string} label */
function field(label) {
  return html("input", { inputmode: "decimal", size: 6, "aria-label": label });
}

/** @param {HTMLInputElement} input @param {number} value shown unless somebody types there */
function show(input, value) {
  if (focused(input) === input || numberOf(input.value) === value) return;
  input.value = String(value);
  mark(input, "");
}

/** @param {HTMLInputElement} input @param {string} wanted what it takes; empty where that was typed */
function mark(input, wanted) {
  assign(input, { "aria-invalid": wanted ? "true" : null, title: wanted || null });
}

/** @param {string[]} names @param {string} before @param {(name: string) => void} pick */
function choice(names, before, pick) {
  const options = names.map((name) => html("option", { value: name }, before + name));
  const select = html("select", {}, ...options);
  select.addEventListener("change", () => pick(select.value));
  return select;
}
