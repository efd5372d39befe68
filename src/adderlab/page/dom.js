/**
 * Elements from plain data. Text goes in as text nodes and attributes, never as HTML, so a name
 * from anywhere can be shown.
 */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @typedef {Record<string, string | number | boolean | null | undefined>} Attributes null, undefined
 *   and false leave an attribute out, true sets it empty
 * @typedef {(Node | string | number | null)[]} Children
 */

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {Children} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function html(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  assign(element, attributes);
  element.append(...children.filter((child) => child !== null).map(asNode));
  return element;
}

/**
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {Children} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  assign(element, attributes);
  element.append(...children.filter((child) => child !== null).map(asNode));
  return element;
}

/** @param {Node | string | number | null} child */
function asNode(child) {
  return child instanceof Node ? child : String(child);
}

/**
 * @param {Element} element
 * @param {Attributes} attributes
 */
export function assign(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) element.removeAttribute(name);
    // a server's policy refuses a style attribute, and lets the style itself be set
    else if (name === "style") /** @type {HTMLElement} */ (element).style.cssText = String(value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}

const QUIET_MS = 600;

/**
 * A line for screen readers alone, spoken once it stands: a drag, a held key and a run change what
 * is shown in every frame.
 *
 * @returns {{element: HTMLElement, speak: (text: () => string) => void}}
 */
export function spokenLine() {
  const element = html("p", { class: "visually-hidden", role: "status" });
  let silence = 0;
  const speak = (/** @type {() => string} */ text) => {
    clearTimeout(silence);
    silence = setTimeout(() => write(element, text()), QUIET_MS);
  };
  return { element, speak };
}

/**
 * @param {Node} node
 * @returns {Element | null} the element with the focus, in the tree that a node stands in
 */
export function focused(node) {
  const tree = node.getRootNode(); // marimo puts the lab into a shadow tree
  return tree instanceof Document || tree instanceof ShadowRoot ? tree.activeElement : null;
}

/**
 * Write text where it differs: an unchanged node is left alone, which keeps a screen reader quiet.
 *
 * @param {Element} element
 * @param {string} text
 */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
