#!/usr/bin/env node
// Lets forge use the compiler of the npm package `solc`: forge asks a native solc for its version once, and then
// hands it standard JSON on stdin. Nothing is downloaded, and every machine compiles with the same bytes.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const compiler = process.env.FOUNDRY_PROFILE === "legacy" ? "solc-v0.8.13" : "solc";
const solc = createRequire(import.meta.url)(compiler);

if (process.argv.includes("--version")) {
  const version = solc.version().replace(/\.Emscripten.*$/, ".Linux.g++");
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`);
} else {
  process.stdout.write(solc.compile(readFileSync(0, "utf8")));
}
