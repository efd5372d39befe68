/** Controls with their captions; `hide` leaves one out by its name. */

import { assign, html } from "./dom.js";

/**
 * @param {string} text
 * @param {() => void} act
 * @param {Record<string, string>} [attributes]
 * @returns {HTMLButtonElement}
 */
export function button(text, act, attributes = {}) {
  const element = html("button", { type: "button", ...attributes }, text);
  element.addEventListener("click", () => element.getAttribute("aria-disabled") !== "true" && act());
  return element;
}

/**
 * Let a button act, or not. It keeps the focus in either case: one that the browser disables loses it,
 * and with it the keys that work beside it.
 *
 * @param {HTMLElement} element
 * @param {boolean} isOn
 */
export function enable(element, isOn) {
  assign(element, { "aria-disabled": isOn ? null : "true" });
}

/**
 * @param {string} name as `hide` has it
 * @param {string} label
 * @param {Element} field
 * @returns {HTMLElement} one field with its caption
 */
export function control(name, label, field) {
  assign(field, { "aria-label": field.getAttribute("aria-label") ?? label });
  return html("label", { class: "control", "data-control": name }, html("span", {}, label), field);
}

/**
 * @param {string} name as `hide` has it
 * @param {string} label
 * @param {(Node | null)[]} parts
 * @returns {HTMLElement} several fields under one caption
 */
export function group(name, label, ...parts) {
  const attributes = { class: "control", "data-control": name, role: "group", "aria-label": label };
  return html("div", attributes, html("span", {}, label), html("span", { class: "buttons" }, ...parts));
}
