// Runs the command once for each line of JSON, a list of arguments, and answers each with one line: the exit code and what
// was said. Many checks in one process: for the comparison with Python in tests/verify.
import { createInterface } from "node:readline";
import { command } from "../command.js";

for await (const line of createInterface({ input: process.stdin })) {
  /** @type {string[]} */
  const said = [];
  /** @type {string[]} */
  const complaints = [];
  const code = await command(
    JSON.parse(line),
    (text) => said.push(text),
    (text) => complaints.push(text),
  );
  console.log(JSON.stringify({ code, said, complaints }));
}
