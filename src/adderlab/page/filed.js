/**
 * The lab's home in a single file: no Python and no network; what it begins with stands in the document.
 *
 * Where there is no document, nothing is shown: Node.js runs this text too, to check the file.
 */

import lab from "./lab.js";

const labPlace = globalThis.document?.getElementById("lab");
if (labPlace) fillPlace(labPlace);

/** @param {HTMLElement} el */
function fillPlace(el) {
  const model = fileModel(JSON.parse(el.dataset.state ?? ""));
  let takeAway = lab.render({ model, el });
  addEventListener("hashchange", () => {
    takeAway();
    takeAway = lab.render({ model, el });
  });
}

/**
 * @param {unknown} data
 * @returns {import("./asking.js").Model}
 */
function fileModel(data) {
  const hasAddress = ["file:", "http:", "https:"].includes(location.protocol);
  const address = hasAddress ? location.href.split("#")[0] : "";
  return {
    get: (name) =>
      ({ data, link: location.hash.slice(1), address })[/** @type {"data" | "link" | "address"} */ (name)],
    set: (name, value) => {
      if (name !== "link") return;
      try {
        history.replaceState(null, "", value ? `#${value}` : address);
      } catch {
        // a frame without an address of its own keeps what it has
      }
    },
    save_changes: () => {},
    on: () => {},
    off: () => {},
    send: () => {},
  };
}
