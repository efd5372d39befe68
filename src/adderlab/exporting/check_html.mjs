// Run what an exported file of the lab is made of, without a document, and print what its engine
// gives on each of its rows. Exit code 3: this Node.js is too old to run it.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

process.on("uncaughtException", ({ message }) => fail(`its script fails: ${message.split("\n")[0]}`));
if (!Array.prototype.with) process.exit(3);

const NAMES = ["verdictOf", "fractionText", "forward", "outputsOf", "bitsOf"];
const ENTITIES = { "&#34;": '"', "&#39;": "'", "&lt;": "<", "&gt;": ">", "&amp;": "&" };

const text = readFileSync(process.argv[2], "utf8");
const script = between('<script type="module">', "</script>");
const policy = unescaped(between('http-equiv="Content-Security-Policy" content="', '"'));
for (const part of [script, between("<style>", "</style>")]) {
  const hash = createHash("sha256").update(part).digest("base64");
  if (!policy.includes(`'sha256-${hash}'`)) fail("its policy does not allow its own script or style");
}
const source = Buffer.from(`${script}\nexport { ${NAMES.join(", ")} };`).toString("base64");
const engine = await import(`data:text/javascript;base64,${source}`);
const { network, task } = JSON.parse(unescaped(between(' data-state="', '"'))).start;
const { verdict, rows } = engine.verdictOf(network, task);
const read = rows.length
  ? rows.map(({ outputs, bits }) => ({ outputs: outputs.map(engine.fractionText), bits }))
  : task.rows.map(({ inputs }) => {
      const outputs = engine.outputsOf(engine.forward(network, inputs));
      return { outputs: null, bits: engine.bitsOf(outputs, network.readout) };
    });
const asRead = task.rows.map(({ inputs, expected }, i) => ({ inputs, expected, ...read[i] }));
console.log(JSON.stringify({ node: process.version, verdict, readout: network.readout, rows: asRead }));

function between(start, end) {
  const parts = text.split(start);
  const at = parts.length === 2 ? parts[1].indexOf(end) : -1;
  if (at < 0) fail(`it does not have ${start} once`);
  return parts[1].slice(0, at);
}

function unescaped(value) {
  return value.replace(/&(?:#34|#39|lt|gt|amp);/g, (entity) => ENTITIES[entity]);
}

function fail(what) {
  console.error(what);
  process.exit(1);
}
