/** Questions to Python and their answers, over whatever carries messages. */

/**
 * What a home gives the page: anywidget's model, or one that looks like it.
 *
 * @typedef {object} Model
 * @property {(name: string) => any} get
 * @property {(name: string, value: unknown) => void} set
 * @property {() => void} save_changes
 * @property {(event: string, callback: (message: any) => void) => void} on
 * @property {(event: string, callback: (message: any) => void) => void} off
 * @property {(message: unknown) => void} send
 */

const PATIENCE_MS = 60_000;

/**
 * @param {Model} model
 * @returns {{ask: import("./verdict.js").Ask, close: () => void}}
 */
export function asker(model) {
  let last = Math.floor(Math.random() * 2 ** 40); // several views of a model hear each other's answers
  /** @type {Map<number, {resolve: (answer: Record<string, any>) => void, timer: number}>} */
  const waiting = new Map();
  const answered = (/** @type {any} */ answer) => {
    const question = waiting.get(answer?.id);
    if (!question) return;
    waiting.delete(answer.id);
    clearTimeout(question.timer);
    question.resolve(answer);
  };
  model.on("msg:custom", answered);
  const send = (/** @type {Record<string, unknown>} */ message, patience = PATIENCE_MS) =>
    new Promise((/** @type {(answer: Record<string, any>) => void} */ resolve) => {
      const id = ++last;
      const late = { id, ...refusal("no answer", "look whether adderlab still runs") };
      waiting.set(id, { resolve, timer: setTimeout(() => answered(late), patience) });
      model.send({ ...message, id });
    });
  const ask = latestProof(send);
  const close = () => {
    model.off("msg:custom", answered);
    for (const { timer } of waiting.values()) clearTimeout(timer);
    waiting.clear();
  };
  return { ask, close };
}

/**
 * Ask for one proof at a time: of those that would wait meanwhile the latest alone is sent.
 *
 * @param {import("./verdict.js").Ask} send
 * @returns {import("./verdict.js").Ask}
 */
function latestProof(send) {
  let isProving = false;
  /** @type {((isTurn: boolean) => void) | null} whoever waits learns whether it is its turn */
  let next = null;
  return async (message, patience) => {
    if (message.type !== "prove") return send(message, patience);
    if (isProving) {
      next?.(false);
      const turn = new Promise((/** @type {(isTurn: boolean) => void} */ resolve) => (next = resolve));
      if (!(await turn)) return refusal("a later proof took its place", "wait for its verdict");
    }
    isProving = true;
    try {
      return await send(message);
    } finally {
      isProving = next !== null;
      next?.(true);
      next = null;
    }
  };
}

/**
 * @param {string} what
 * @param {string} remedy
 */
export function refusal(what, remedy) {
  return { type: "refused", what, remedy };
}
