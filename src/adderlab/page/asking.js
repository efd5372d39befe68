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
  let last = 0;
  /** @type {Map<number, (answer: Record<string, any>) => void>} */
  const waiting = new Map();
  const answered = (/** @type {any} */ answer) => {
    waiting.get(answer?.id)?.(answer);
    waiting.delete(answer?.id);
  };
  model.on("msg:custom", answered);
  const ask = (/** @type {Record<string, unknown>} */ message) =>
    new Promise((/** @type {(answer: Record<string, any>) => void} */ resolve) => {
      const id = ++last;
      waiting.set(id, resolve);
      model.send({ ...message, id });
      setTimeout(() => answered({ id, ...refusal("no answer", "look whether adderlab still runs") }), PATIENCE_MS);
    });
  return { ask, close: () => model.off("msg:custom", answered) };
}

/**
 * @param {string} what
 * @param {string} remedy
 */
export function refusal(what, remedy) {
  return { type: "refused", what, remedy };
}
