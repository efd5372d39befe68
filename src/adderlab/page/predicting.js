/**
 * Predict first: what a network gives is hidden until it is asked for, row by row.
 *
 * What was shown is of one network: a change of a weight hides every row again.
 */

import { html } from "./dom.js";

/**
 * @typedef {import("./state.js").State} State
 */

/**
 * @param {State} state
 * @param {number} row
 * @returns {boolean} whether the row's outputs are to be seen
 */
export function isShown({ network, predict }, row) {
  return !predict || (predict.of === network && predict.rows.includes(row));
}

/** @param {State} state @returns {boolean} whether those of every row are */
export function isAllShown(state) {
  return !state.predict || state.task.rows.every((_, row) => isShown(state, row));
}

/**
 * @param {State} state
 * @param {number} row
 * @returns {Partial<State>} the change that shows a row
 */
export function shown(state, row) {
  const before = state.predict?.of === state.network ? state.predict.rows : [];
  return { predict: { of: state.network, rows: [...before, row] }, row };
}

/**
 * @param {import("./store.js").Store} store
 * @returns {HTMLElement} the switch
 */
export function predictControl(store) {
  const box = html("input", { type: "checkbox" });
  box.addEventListener("change", () => {
    store.update({ predict: box.checked ? { of: store.state.network, rows: [] } : null });
  });
  store.subscribe(({ predict }) => {
    box.checked = predict !== null;
  });
  return html("label", { class: "check", "data-control": "predict" }, box, "predict first");
}
