// Run the engine on the cases of a file and print what it gives, for Python to compare.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [page, file, kind] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(`${page}/${name}`));
const { fractionText, verdictOf } = await load("exact.js");
const { toBase64, toJson, toPyTorch, toSafetensors } = await load("files.js");
const { Trainer, fromSeed } = await load("trainer.js");
const { fromLink, linkParts, toLink } = await load("state.js");

const flat = (network) => network.layers.flatMap(({ weight, bias }) => [...weight.flat(), ...bias]);

function run({ task, sizes, activation, slope, seed, lr, batch, parameters }) {
  const layers = sizes.slice(1).map((units, number) => ({
    weight: Array.from({ length: units }, () => Array(sizes[number]).fill(0)),
    bias: Array(units).fill(0),
    slope,
    activation: number < sizes.length - 2 ? activation : "identity",
  }));
  const trainer = new Trainer(fromSeed({ layers }, seed), task, seed);
  const last = Math.max(...Object.keys(parameters));
  for (let step = 0; step <= last; step++) trainer.step(lr, batch);
  const kept = Object.keys(parameters).map((step) => [step, flat(trainer.at(+step))]);
  const losses = Object.keys(parameters).map((step) => [step, trainer.losses[step]]);
  return { parameters: Object.fromEntries(kept), losses: Object.fromEntries(losses) };
}

function judge({ network, task }) {
  const { verdict, rows, wrong, margin } = verdictOf(network, task);
  const text = (value) => value && fractionText(value);
  return {
    verdict,
    outputs: rows.map(({ outputs }) => outputs.map(fractionText)),
    wrong,
    rows_right: rows.filter(({ right }) => right).length,
    margin: margin && { of_0: text(margin.of_0), of_1: text(margin.of_1), min: text(margin.min) },
  };
}

function written({ network, task }) {
  return {
    safetensors: toBase64(toSafetensors(network, task.name)),
    json: toJson(network, task.name),
    code: toPyTorch(network),
  };
}

function linked({ network, task, link }) {
  const state = { task, network, row: task.rows.length - 1, axes: [0, 1], hide: ["files", "task"] };
  const bare = { task, network: { ...network, layers: [] }, row: 0, axes: [1, 0], hide: [] };
  const text = link ?? toLink(state);
  const back = fromLink(linkParts(text), bare);
  return { link: text, unread: back.unread, row: back.state.row, hide: back.state.hide, network: back.state.network };
}

const KINDS = { runs: run, verdicts: judge, files: written, links: linked };
const cases = JSON.parse(readFileSync(file, "utf8"));
console.log(JSON.stringify(cases.map(KINDS[kind])));
