// Run the engine on the cases of a file and print what it gives, for Python to compare.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [page, file, kind] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(`${page}/${name}`));
const { fractionText, verdictOf } = await load("exact.js");
const { snapped } = await load("formats.js");
const { gradientKey, lessonOf, slotKey, standing } = await load("lesson.js");
const { placesOf } = await load("network.js");
const { toBase64, toJson, toPyTorch, toSafetensors } = await load("files.js");
const { Trainer, fromSeed } = await load("trainer.js");
const { marksOf, toAnswer } = await load("conditions.js");
const { DEFAULTS, fromLink, linkParts, toLink } = await load("state.js");

const flat = (network) => network.layers.flatMap(({ weight, bias }) => [...weight.flat(), ...bias]);

function started({ sizes, activation, slope, seed }) {
  const layers = sizes.slice(1).map((units, number) => ({
    weight: Array.from({ length: units }, () => Array(sizes[number]).fill(0)),
    bias: Array(units).fill(0),
    slope,
    activation: number < sizes.length - 2 ? activation : "identity",
  }));
  return fromSeed({ layers }, seed);
}

function run({ lr, batch, parameters, ...start }) {
  const trainer = new Trainer(started(start), start.task, start.seed);
  const last = Math.max(...Object.keys(parameters));
  for (let step = 0; step <= last; step++) trainer.step(lr, batch);
  const kept = Object.keys(parameters).map((step) => [step, flat(trainer.at(+step))]);
  const losses = Object.keys(parameters).map((step) => [step, trainer.losses[step]]);
  return { parameters: Object.fromEntries(kept), losses: Object.fromEntries(losses) };
}

function taught({ task, row, zero_grad, ...start }) {
  const network = started(start);
  const operations = lessonOf(network, task, row, { lr: 0.1, zeroGrad: zero_grad });
  const ends = operations.flatMap(({ title }, i) => (title.endsWith("optimizer.step()") ? [i + 1] : []));
  const places = placesOf(network);
  const slots = ends.map((count) => {
    const values = standing(operations, count);
    return {
      values: places.map((place) => values.get(slotKey(place))),
      gradients: places.map((place) => values.get(gradientKey(place))),
    };
  });
  const before = standing(operations, operations.findIndex(({ title }) => title.includes("backward")));
  const early = places.filter((place) => before.has(gradientKey(place))).length;
  return { steps: slots, early };
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
  const state = { ...DEFAULTS, task, network, row: task.rows.length - 1, hide: ["files", "task"], lr: 0.05, batch: 2 };
  const bare = { ...DEFAULTS, task, network: { ...network, layers: [] }, axes: [1, 0] };
  const text = link ?? toLink(state);
  const back = fromLink(linkParts(text), bare);
  return { link: text, unread: back.unread, row: back.state.row, hide: back.state.hide, network: back.state.network };
}

function formatted({ network, format }) {
  return snapped(network, format);
}

function marked({ exercise, answer }) {
  const { network = null, numbers = {} } = answer;
  return { marks: marksOf(exercise, { network, numbers }), file: toAnswer(exercise, { network, numbers }, "0") };
}

const KINDS = { exercises: marked, runs: run, verdicts: judge, lessons: taught, formats: formatted, files: written, links: linked };
const cases = JSON.parse(readFileSync(file, "utf8"));
console.log(JSON.stringify(cases.map(KINDS[kind])));
