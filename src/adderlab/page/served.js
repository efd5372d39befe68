/** The lab's home on a page of its own server: the model is a WebSocket and the address. */

import lab from "./lab.js";

const el = /** @type {HTMLElement} */ (document.getElementById("lab"));
const data = JSON.parse(el.dataset.state ?? "");
const LOST = {
  what: "there is no connection to adderlab",
  remedy: "look whether `adderlab open` still runs; the page goes on without it, and asks again at the next change",
};
/** @type {((message: any) => void)[]} */
let listeners = [];
/** @type {string[]} */
let unsent = [];
/** @type {Set<unknown>} the questions without an answer, by id */
const open = new Set();
/** @type {WebSocket | null} */
let socket = null;

function connect() {
  const address = new URL("socket", location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  address.hash = "";
  const fresh = new WebSocket(address);
  fresh.addEventListener("open", () => {
    for (const message of unsent) fresh.send(message);
    unsent = [];
  });
  fresh.addEventListener("message", ({ data: text }) => {
    answered(JSON.parse(text));
  });
  fresh.addEventListener("close", () => {
    socket = null;
    unsent = [];
    for (const id of [...open]) answered({ type: "refused", id, ...LOST });
  });
  return fresh;
}

/** @param {any} answer */
function answered(answer) {
  open.delete(answer.id);
  for (const listener of listeners) listener(answer);
}

/** @type {import("./asking.js").Model} */
const model = {
  get: (name) =>
    ({ data, link: location.hash.slice(1), address: location.href.split("#")[0] })[
      /** @type {"data" | "link" | "address"} */ (name)
    ],
  set: (name, value) => {
    if (name === "link") history.replaceState(null, "", value ? `#${value}` : location.pathname);
  },
  save_changes: () => {},
  on: (event, listener) => event === "msg:custom" && listeners.push(listener),
  off: (_, listener) => {
    listeners = listeners.filter((each) => each !== listener);
  },
  send: (message) => {
    socket ??= connect();
    const text = JSON.stringify(message);
    open.add(/** @type {any} */ (message).id);
    if (socket.readyState === WebSocket.OPEN) socket.send(text);
    else unsent.push(text);
  },
};

let takeAway = lab.render({ model, el });
addEventListener("hashchange", () => {
  takeAway();
  takeAway = lab.render({ model, el });
});
