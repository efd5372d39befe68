/**
 * The verdict on every row: at once in exact arithmetic here, and from the prover where there is one.
 */

import { html, spokenLine, write } from "./dom.js";
import { bitsOf, forward, outputsOf } from "./engine.js";
import { verdictOf } from "./exact.js";
import { isAllShown } from "./predicting.js";
import { counted, decimal, exactText, inputText, wordsOf, wordsText } from "./numbers.js";

/**
 * @typedef {object} Judged what the page shows of a network on a task
 * @property {"proved" | "refuted" | "unknown"} verdict in exact arithmetic
 * @property {number} wrong the first wrong row, -1 where there is none
 * @property {number} wrongRows how many are wrong
 * @property {{outputs: string[], bits: (number | null)[], right: boolean}[]} rows
 * @property {string} margin
 *
 * @typedef {(message: Record<string, unknown>, patience?: number) => Promise<Record<string, any>>} Ask
 *   `patience` in milliseconds
 */

const CHECKED = "checked here on every row, in exact arithmetic";
const AT_WORK = "the prover is at work on these numbers";
const STALE_MS = 300;
const CURVED = "adderlab prove bounds tanh on every row";

/** @type {WeakMap<import("./network.js").Network, {task: object, judged: Judged}>} */
const known = new WeakMap();

/**
 * @param {import("./state.js").State} state
 * @returns {Judged} computed once for each network
 */
export function judged({ network, task }) {
  const before = known.get(network);
  if (before?.task === task) return before.judged;
  const fresh = judge(network, task);
  known.set(network, { task, judged: fresh });
  return fresh;
}

/**
 * @param {import("./network.js").Network} network
 * @param {import("./network.js").Task} task
 * @returns {Judged}
 */
function judge(network, task) {
  const { verdict, rows, wrong, margin } = verdictOf(network, task);
  if (verdict !== "unknown") {
    const least = margin?.min ? exactText(margin.min) : "";
    return {
      verdict,
      wrong,
      wrongRows: rows.filter(({ right }) => !right).length,
      rows: rows.map((row) => ({ ...row, outputs: row.outputs.map(exactText) })),
      margin: least,
    };
  }
  // A curve has no exact values: the table shows float32, and the verdict is the prover's.
  const shown = task.rows.map(({ inputs, expected }) => {
    const outputs = outputsOf(forward(network, inputs));
    const bits = bitsOf(outputs, network.readout);
    const right = expected.every((bit, o) => bit === null || bit === bits[o]);
    return { outputs: outputs.map((y) => decimal(y)), bits, right };
  });
  const first = shown.findIndex(({ right }) => !right);
  const count = shown.filter(({ right }) => !right).length;
  return { verdict, wrong: first, wrongRows: count, rows: shown, margin: "" };
}

/**
 * @param {import("./store.js").Store} store
 * @param {Ask | null} ask the prover, where there is one
 * @returns {HTMLElement}
 */
export function verdictLine(store, ask) {
  const mark = html("span", { class: "sign", "aria-hidden": "true" });
  const word = html("strong");
  const sentence = html("span");
  const detail = html("p", { class: "detail" });
  const spoken = spokenLine();
  const panel = html(
    "section",
    { class: "panel verdict", "aria-label": "Verdict" },
    html("p", { class: "headline" }, mark, " ", word, " ", sentence),
    detail,
    spoken.element,
  );
  const speak = () => spoken.speak(() => `${word.textContent} ${sentence.textContent}`);
  let late = 0;
  /** @type {import("./network.js").Network | null} */
  let proved = null;
  store.subscribe((state) => {
    if (!isAllShown(state)) {
      proved = null;
      panel.dataset.verdict = "unknown";
      write(mark, "?");
      write(word, "predict first:");
      write(sentence, "what does each row give? The truth table shows it, row by row.");
      clearTimeout(late);
      late = 0;
      speak();
      return write(detail, "");
    }
    const result = judged(state);
    panel.dataset.verdict = result.verdict;
    write(mark, { proved: "✔", refuted: "✘", unknown: "?" }[result.verdict]);
    write(word, `${result.verdict}:`);
    const before = sentence.textContent;
    write(sentence, sentenceOf(result, state.task));
    if (sentence.textContent !== before) speak();
    if (!ask) write(detail, result.verdict === "unknown" ? CURVED : CHECKED);
    else if (state.network !== proved) {
      proved = state.network;
      late ||= setTimeout(() => write(detail, AT_WORK), STALE_MS);
      void prove(ask, state).then((text) => {
        if (proved !== state.network) return;
        clearTimeout(late);
        late = 0;
        write(detail, text);
      });
    }
  });
  return panel;
}

/** @param {Judged} result @param {import("./network.js").Task} task */
function sentenceOf({ verdict, wrong, wrongRows, rows, margin }, task) {
  const all = counted(task.rows.length, "row");
  if (verdict === "unknown") return "tanh has no exact values; the table shows float32";
  if (wrong < 0) return `right on all ${all}` + (margin && `, margin ${margin}`);
  const row = task.rows[wrong];
  const got = wordsText(wordsOf(task.outputs, rows[wrong].bits)).replaceAll("any", "no bits");
  const gives = `${inputText(row.words)} gives ${got}, expected ${wordsText(row.result)}`;
  return wrongRows === 1 ? gives : `${gives}; wrong on ${wrongRows} of ${all}`;
}

/**
 * @param {Ask} ask
 * @param {import("./state.js").State} state
 * @returns {Promise<string>} what the prover says, in a line
 */
async function prove(ask, { network, task }) {
  const answer = await ask({ type: "prove", network, task });
  if (answer.type !== "verdict") {
    const own = judged(/** @type {any} */ ({ network, task })).verdict === "unknown" ? "" : `${CHECKED}; `;
    return `${answer.isLost ? own : "the prover: "}${answer.what}; ${answer.remedy}`;
  }
  const { verdict } = answer;
  const format = verdict.own_format;
  const own = format && verdict.formats[format] ? `, in ${format} ${verdict.formats[format]}` : "";
  const took = `${decimal(verdict.seconds * 1000, 1)} ms`;
  return `the prover, on the stored values: exact arithmetic ${verdict.exact}${own} (${verdict.method}, ${took})`;
}
