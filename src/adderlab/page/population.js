/**
 * Thousands of networks like the one that is shown, trained by Python: how many are right, what the
 * others compute instead, and any of those in the lab.
 */

import { refusal } from "./asking.js";
import { button, control, enable } from "./controls.js";
import { html, svg, write } from "./dom.js";
import { counted } from "./numbers.js";
import { sizesOf } from "./network.js";
import { stepsOf } from "./state.js";
import { judged } from "./verdict.js";

const NETWORKS = 10_000;
const MOST_HIDDEN_LAYERS = 2;
const TRAINED = ["relu", "leaky", "tanh"];

/** Longer than Python trains, compiling included. */
const TRAINING_PATIENCE_MS = 180_000;

/**
 * @typedef {object} Failure
 * @property {number[]} table empty where training diverged
 * @property {string[]} wrong the first wrong rows: `1 + 1 gives c = 1`
 * @property {number} wrong_rows
 * @property {number} count
 * @property {number} share
 * @property {{title: string, text: string}[]} causes
 * @property {number} member the first of the kind
 */

/**
 * @param {import("./store.js").Store} store
 * @param {import("./verdict.js").Ask} ask
 * @param {() => void} pause called before another network is shown
 * @returns {HTMLElement}
 */
export function populationBlock(store, ask, pause) {
  const steps = html("input", { inputmode: "numeric", size: 6, "aria-label": "steps of each network" });
  steps.addEventListener("change", () => {
    const count = stepsOf(steps.value);
    steps.toggleAttribute("aria-invalid", count === null);
    if (count !== null) store.update({ steps: count });
  });
  const TRAIN = `train ${grouped(NETWORKS)}`;
  const train = button(TRAIN, () => (cancel ? cancel() : void run()));
  const status = html("p", { class: "hint", role: "status" });
  const clock = html("span", { "aria-hidden": "true" });
  const text = html("span");
  status.append(text, clock);
  const limit = html("p", { class: "hint" });
  const results = html("div");
  /** @type {(() => void) | null} ends what is being trained */
  let cancel = null;
  /** @type {import("./network.js").Task | null} */
  let task = null;

  async function run() {
    const { state } = store;
    const settings = settingsOf(state);
    const name = nameOf(state);
    /** @type {Promise<Record<string, any>>} answered here: a notebook's Python answers only when it is done */
    const cancelled = new Promise((resolve) => {
      cancel = () => {
        void ask({ type: "cancel" });
        resolve(refusal("it was cancelled", "train again"));
      };
    });
    write(train, "cancel");
    results.replaceChildren();
    write(text, `training ${grouped(NETWORKS)} networks ${name}; the first of a size takes longer, for its kernel is compiled`);
    const begun = performance.now();
    const ticking = setInterval(() => {
      write(clock, ` … ${Math.floor((performance.now() - begun) / 1000)} s`);
      if (!train.isConnected) clearInterval(ticking);
    }, 1000);
    const trained = ask({ type: "train", ...settings, networks: NETWORKS }, TRAINING_PATIENCE_MS);
    const answer = await Promise.race([trained, cancelled]);
    clearInterval(ticking);
    write(clock, "");
    write(train, TRAIN);
    cancel = null;
    update(store.state);
    if (state.task !== store.state.task) write(text, "");
    else if (answer.type !== "population") write(text, `${answer.what}; ${answer.remedy}`);
    else {
      write(text, `${name}, trained in ${secondsText(answer.seconds)} by ${answer.path}`);
      results.replaceChildren(...resultsOf(/** @type {any} */ (answer), settings, open));
    }
  }

  /** @param {Failure} failure @param {Record<string, unknown>} settings @param {HTMLElement} row */
  async function open(failure, settings, row) {
    const answer = await ask({ type: "member", ...settings, member: failure.member }, TRAINING_PATIENCE_MS);
    if (answer.type !== "network") {
      write(text, `${answer.what}; ${answer.remedy}`);
      return;
    }
    if (store.state.task !== task) return;
    pause();
    for (const other of results.querySelectorAll("tr.open")) other.classList.remove("open");
    row.classList.add("open");
    const wrong = judged({ ...store.state, network: answer.network }).wrong;
    store.update({ network: answer.network, ...(wrong >= 0 && { row: wrong }) });
    const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
    row.closest(".panels")?.querySelector(".network")?.scrollIntoView({ block: "nearest", behavior });
    write(text, `member ${failure.member} of seed ${settings.seed} is shown; undo brings back what was`);
  }

  /** @param {import("./state.js").State} state */
  function update(state) {
    if (document.activeElement !== steps && stepsOf(steps.value) !== state.steps) {
      steps.value = String(state.steps);
    }
    const reason = beyond(state.network);
    enable(train, cancel !== null || reason === "");
    write(limit, reason);
    if (state.task === task) return;
    task = state.task;
    results.replaceChildren();
    if (!cancel) write(text, "");
  }
  store.subscribe(update);

  return html(
    "div",
    { class: "population", "data-control": "population", role: "group", "aria-label": "How often does it work?" },
    html("h3", {}, "How often does it work?"),
    html("div", { class: "group" }, control("steps", "Steps each", steps), train),
    limit,
    status,
    results,
  );
}

/** @param {import("./network.js").Network} network @returns {string} why it can't be trained so */
function beyond({ layers }) {
  const hidden = layers.slice(0, -1);
  const [first] = hidden;
  if (!first) return "networks with a hidden layer are trained";
  if (hidden.length > MOST_HIDDEN_LAYERS) return `networks of up to ${MOST_HIDDEN_LAYERS} hidden layers are trained`;
  const isAlike = hidden.every(({ activation, slope }) => activation === first.activation && slope === first.slope);
  if (!isAlike || !TRAINED.includes(first.activation) || layers[layers.length - 1].activation !== "identity") {
    return `hidden units that are all ${TRAINED.join(", ")}, and outputs without one, are trained`;
  }
  return "";
}

/** @param {import("./state.js").State} state @returns {Record<string, unknown>} as `adderlab train` has them */
function settingsOf({ task, network, seed, lr, batch, steps }) {
  const [{ activation, slope }] = network.layers;
  return {
    task,
    hidden: network.layers.slice(0, -1).map(({ weight }) => weight.length),
    activation: activation === "leaky" ? `leaky:${slope}` : activation,
    lr,
    steps,
    batch,
    seed,
  };
}

/** @param {import("./state.js").State} state */
function nameOf({ network, seed, lr, batch, steps }) {
  const rows = batch === null ? "" : `, ${counted(batch, "row")} a step`;
  const sizes = sizesOf(network).join("-");
  return `${sizes} with ${network.layers[0].activation}, seed ${seed}, learning rate ${lr}, ${counted(steps, "step")}${rows}`;
}

/**
 * @param {{networks: number, successes: number, success_rate: number, interval: [number, number],
 *   failures: Failure[], failure_kinds: number, command: string | null}} answer
 * @param {Record<string, unknown>} settings
 * @param {(failure: Failure, settings: Record<string, unknown>, row: HTMLElement) => void} open
 * @returns {HTMLElement[]}
 */
function resultsOf({ networks, successes, success_rate, interval, failures, failure_kinds, command }, settings, open) {
  const [low, high] = interval.map(percent);
  const parts = [
    html(
      "p",
      { class: "rate" },
      html("strong", {}, percent(success_rate)),
      ` are right on every row: ${grouped(successes)} of ${grouped(networks)}`,
    ),
    /** @type {any} */ (shareBar(success_rate, interval)),
    html("p", { class: "hint" }, `with 95 % confidence, the rate over all starts lies between ${low} and ${high}`),
  ];
  if (failures.length) parts.push(failureTable(failures, failure_kinds, settings, open));
  if (command) parts.push(html("p", { class: "hint" }, "the same networks: ", html("code", {}, command)));
  return parts;
}

/** @param {number} share @param {[number, number]} interval */
function shareBar(share, [low, high]) {
  const label = `success rate ${percent(share)}, between ${percent(low)} and ${percent(high)}`;
  const end = (/** @type {number} */ at) =>
    svg("line", { class: "interval", x1: 1000 * at, x2: 1000 * at, y1: 0, y2: 12 });
  return svg(
    "svg",
    { class: "share", viewBox: "0 0 1000 12", preserveAspectRatio: "none", role: "img", "aria-label": label },
    svg("rect", { class: "all", x: 0, y: 3, width: 1000, height: 6 }),
    svg("rect", { class: "right", x: 0, y: 3, width: 1000 * share, height: 6 }),
    end(low),
    end(high),
  );
}

/**
 * @param {Failure[]} failures the commonest
 * @param {number} kinds how many there are
 * @param {Record<string, unknown>} settings
 * @param {(failure: Failure, settings: Record<string, unknown>, row: HTMLElement) => void} open
 */
function failureTable(failures, kinds, settings, open) {
  const rows = failures.map((failure, number) => {
    const { table, wrong, wrong_rows, count, share, causes, member } = failure;
    const more = wrong_rows > wrong.length ? [`and ${counted(wrong_rows - wrong.length, "more row")}`] : [];
    const lines = table.length ? [...wrong, ...more] : ["diverged: weights that are no longer finite"];
    const row = html(
      "tr",
      {},
      html("td", { class: "words" }, ...lines.map((line) => html("span", { class: "line" }, line))),
      html("td", {}, grouped(count)),
      html("td", { class: "portion" }, percent(share)),
      html("td", { class: "causes" }, ...causeNames(causes)),
      html("td", {}),
    );
    if (table.length) {
      const label = `open member ${member}, of failure ${number + 1}`;
      row.lastElementChild?.append(button("open", () => open(failure, settings, row), { "aria-label": label }));
    }
    return row;
  });
  const caption = kinds > failures.length ? `, the commonest ${failures.length} of ${kinds} kinds` : "";
  return html(
    "div",
    { class: "failures", role: "region", "aria-label": `kinds of failure${caption}`, tabindex: 0 },
    html(
      "table",
      {},
      html(
        "thead",
        {},
        html(
          "tr",
          {},
          html("th", { class: "words", scope: "col" }, `computes instead${caption}`),
          html("th", { scope: "col" }, "networks"),
          html("th", { class: "portion", scope: "col" }, "share"),
          html("th", { class: "causes", scope: "col" }, "caused by"),
          html("th", { scope: "col" }, html("span", { class: "visually-hidden" }, "in the lab")),
        ),
      ),
      html("tbody", {}, ...rows),
    ),
  );
}

/** @param {{title: string, text: string}[]} causes @returns {(Node | string)[]} `dead at start, died` */
function causeNames(causes) {
  return causes.flatMap(({ title, text }, number) => [number ? ", " : "", html("span", { title: text }, title)]);
}

/** @param {number} count @returns {string} `10,000` */
function grouped(count) {
  return count.toLocaleString("en-US");
}

/** @param {number} share @returns {string} `51.6 %` */
function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

/** @param {number} seconds */
function secondsText(seconds) {
  return seconds < 1 ? `${Math.round(1000 * seconds)} ms` : `${seconds.toFixed(1)} s`;
}
