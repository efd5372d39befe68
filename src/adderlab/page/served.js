/** The lab's home on a page of its own server: the model is a WebSocket and the address. */

import lab from "./lab.js";

const el = /** @type {HTMLElement} */ (document.getElementById("lab"));
const data = JSON.parse(el.dataset.state ?? "");
const GONE = {
  what: "adderlab does not answer any more",
  remedy: "look whether `adderlab open` still runs; this page goes on without it, and asks again at the next change",
};
const RENEWED = {
  what: "adderlab was started again, at another address",
  remedy: "open the one that it printed; with this one's end from # on behind it, it shows what is here",
};
/** @type {((message: any) => void)[]} */
let listeners = [];
/** @type {Map<unknown, {text: string, times: number}>} the questions without an answer, by id, and how often each was sent */
const open = new Map();
/** @type {WebSocket | null} */
let socket = null;

function connect() {
  const address = new URL("socket", location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  address.hash = "";
  const fresh = new WebSocket(address);
  let isOpened = false;
  fresh.addEventListener("open", () => {
    isOpened = true;
    for (const question of open.values()) hand(fresh, question);
  });
  fresh.addEventListener("message", ({ data: text }) => {
    answered(JSON.parse(text));
  });
  fresh.addEventListener("close", () => {
    socket = null;
    // a laptop that slept finds its socket closed when it asks: what was asked once is asked again
    const lost = [...open].filter(([, { times }]) => !isOpened || times > 1).map(([id]) => id);
    void refuse(lost);
    if (open.size) socket = connect();
  });
  return fresh;
}

/** @param {WebSocket} to @param {{text: string, times: number}} question */
function hand(to, question) {
  question.times += 1;
  to.send(question.text);
}

/** Answer questions that nobody answers, with what became of the server. @param {unknown[]} ids */
async function refuse(ids) {
  if (!ids.length) return;
  for (const id of ids) open.delete(id);
  const response = await fetch(location.pathname, { method: "HEAD", cache: "no-store" }).catch(() => null);
  const why = response && !response.ok ? RENEWED : GONE;
  for (const id of ids) answered({ type: "refused", id, isLost: true, ...why });
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
    const question = { text: JSON.stringify(message), times: 0 };
    open.set(/** @type {any} */ (message).id, question);
    socket ??= connect();
    if (socket.readyState === WebSocket.OPEN) hand(socket, question);
  },
};

let takeAway = lab.render({ model, el });
addEventListener("hashchange", () => {
  takeAway();
  takeAway = lab.render({ model, el });
});
