/** What leaves the page: a file, or text in the clipboard; where neither can be, text to be copied. */

import { button } from "./controls.js";
import { html } from "./dom.js";

/**
 * @typedef {object} Giver
 * @property {(text: string) => void} say a line for people
 * @property {() => HTMLElement} home the lab's own element
 */

/**
 * Save a file. A frame may block downloads and tells nobody, so in one its text is shown too.
 *
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {string} task which the file is named for
 * @param {() => string} text the same as JSON
 * @param {Giver} giver
 */
export function save(bytes, task, text, { home }) {
  const address = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  const name = `${task.replace(/[^A-Za-z0-9]+/g, "-")}.safetensors`;
  html("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
  if (window.parent !== window) showText("the network as JSON, if no file was saved", text(), home());
}

/**
 * Copy text; where the page may not, show it to be copied.
 *
 * @param {string} what
 * @param {string} text
 * @param {Giver} giver
 */
export async function offer(what, text, { say, home }) {
  try {
    await navigator.clipboard.writeText(text);
    say(`copied ${what}`);
  } catch {
    showText(what, text, home());
  }
}

/** @param {string} what @param {string} text @param {HTMLElement} home */
function showText(what, text, home) {
  const area = html("textarea", { readonly: true, rows: 14, "aria-label": what });
  area.value = text;
  const close = button("Close", () => dialog.close());
  const dialog = html("dialog", { class: "text" }, html("h2", {}, `Copy ${what}`), area, close);
  dialog.addEventListener("close", () => dialog.remove());
  home.append(dialog);
  dialog.showModal();
  area.select();
  area.scrollTop = 0; // its end was scrolled to
}
