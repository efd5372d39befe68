// Read the files of a list as the page does, and print what it makes of each.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [page, file] = process.argv.slice(2);
const { readNetwork } = await import(pathToFileURL(`${page}/reading.js`));
const { tasks, files } = JSON.parse(readFileSync(file, "utf8"));
const results = files.map((data) => readNetwork("net", new Uint8Array(Buffer.from(data, "base64")), tasks));
console.log(JSON.stringify(results.map(({ task, ...rest }) => ({ ...rest, task: task?.name ?? null }))));
