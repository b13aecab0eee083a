// The command of docs/verifying-js.md: cli.js runs it once, for the process that it is.
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { VerifierError } from "./errors.js";
import { isRemote } from "./evidence.js";
import { folderStore } from "./folder.js";
import { LEFT_TO_PYTHON, verifyLog } from "./index.js";

const USAGE = `Checks a decision log: steps 1 to 12, 19 and 20 of docs/verifying.md.

  node explorer/verifier/cli.js --rpc URL --log ADDRESS [--writer A] [--evidence URL-or-DIR] [--factory A]
                                [--disclosure FILE]... [--upto BLOCK] [--from-block N] [--log-only] [--json | --stream]

  --log-only  leaves out the steps that need the evidence
  --json      one JSON object, as docs/verifying.md describes it
  --stream    every verdict as one line of JSON, then the report on the last line

Exit code: 0 when everything holds, 1 when something differs, is missing or is not proven, 2 for wrong usage, 3 when the
chain or the evidence cannot be read.`;

const OPTIONS = /** @type {const} */ ({
  rpc: { type: "string" },
  log: { type: "string" },
  writer: { type: "string" },
  evidence: { type: "string" },
  factory: { type: "string" },
  disclosure: { type: "string", multiple: true },
  upto: { type: "string" },
  "from-block": { type: "string" },
  "log-only": { type: "boolean" },
  json: { type: "boolean" },
  stream: { type: "boolean" },
  help: { type: "boolean", short: "h" },
});

/** By the code of an error. @type {{ [code: string]: number }} */
const EXIT_CODES = { usage: 2, unreachable: 3, "method-missing": 3, changed: 1, malformed: 1, swapped: 1 };

/** @typedef {(text: string) => void} Say */

/** @param {string[]} arguments_ @param {Say} say @param {Say} complain @returns {Promise<number>} the exit code */
export async function command(arguments_, say, complain) {
  try {
    return await check(arguments_, say);
  } catch (error) {
    if (!(error instanceof VerifierError)) throw error;
    complain(`${error.message}${error.hint ? `\n  try: ${error.hint}` : ""}`);
    return EXIT_CODES[error.code] ?? 1;
  }
}

/** @param {string[]} arguments_ @param {Say} say */
async function check(arguments_, say) {
  const values = parsed(arguments_);
  if (values.help) {
    say(USAGE);
    return 0;
  }
  const { rpc, log, writer, factory, evidence } = values;
  if (rpc === undefined || log === undefined) throw new VerifierError("usage", "--rpc and --log are needed", { hint: "--help" });
  const report = await verifyLog({
    rpc,
    log,
    writer,
    factory,
    evidence: evidence === undefined || isRemote(evidence) ? evidence : await folderStore(evidence),
    upto: blockOf(values.upto, "--upto"),
    fromBlock: numberOf(values["from-block"], "--from-block"),
    logOnly: values["log-only"],
    disclosures: await Promise.all((values.disclosure ?? []).map(fileOf)),
    onVerdict: values.stream ? (verdict, about) => say(JSON.stringify({ writer: about, ...verdict })) : undefined,
  });
  if (values.stream) say(JSON.stringify(report));
  else if (values.json) say(JSON.stringify(report, null, 2));
  else print(report, say);
  return report.ok ? 0 : 1;
}

/** @param {string[]} arguments_ */
function parsed(arguments_) {
  try {
    return parseArgs({ args: arguments_, options: OPTIONS }).values;
  } catch (error) {
    throw new VerifierError("usage", error instanceof Error ? error.message : String(error), { hint: "--help" });
  }
}

/** @param {string | undefined} text @param {string} option */
function numberOf(text, option) {
  if (text === undefined) return undefined;
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new VerifierError("usage", `${option}: expected the number of a block, got ${text.slice(0, 40)}`);
}

/** @param {string | undefined} text @param {string} option */
const blockOf = (text, option) => (text === undefined || /^[a-z]+$/.test(text) ? text : numberOf(text, option));

/** @param {string} path */
async function fileOf(path) {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    throw new VerifierError("usage", `${path}: ${error instanceof Error ? error.message : error}`);
  }
}

/** @param {import("./verdict.js").Report} report @param {Say} say */
function print(report, say) {
  const { ok, counts } = report;
  const verdicts = report.verdicts.concat(...report.writers.map(({ tally }) => tally.verdicts));
  const open = verdicts.filter(({ status }) => ["differs", "missing", "not proven"].includes(status));
  say(ok ? "HOLDS, as far as it is checked here." : `DOES NOT HOLD: ${open.length} thing(s) found.`);
  for (const { writer, tier, entries } of report.writers) say(`  ${writer}: ${tier}, ${entries} entries`);
  for (const { step, status, entry, proposal, where, reason } of open) {
    const about = [entry && `entry ${entry}`, proposal].filter(Boolean).join(", ");
    say(`  step ${step}: ${status}${where ? ` at ${safe(where)}` : ""}${reason ? `: ${safe(reason)}` : ""} (${about || "the writer"})`);
  }
  say(`  ${Object.entries(counts).map(([status, count]) => `${count} ${status}`).join(", ")}`);
  say(`  Left to Python: steps ${LEFT_TO_PYTHON.join(", ")}, and parts of 12 and 19.`);
}

/** What a stranger wrote must not move the cursor. @param {string} text */
const safe = (text) => text.replace(/[\p{C}\u2028\u2029]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
