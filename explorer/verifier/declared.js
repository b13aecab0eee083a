// Step 11, for one record: it was made the way that the configuration in force declares.
import { concat, fromHex, utf8 } from "./bytes.js";
import { canonical, parseCanonical } from "./canonical.js";
import { compareText, differing } from "./comparing.js";
import { VerifierError } from "./errors.js";
import { keccakHex, tag } from "./hash.js";
import { CONFIGURATION } from "./shapes.js";
import { STEPS } from "./verdict.js";

/** @typedef {import("./case.js").Case} Case */
/** @typedef {import("./verdict.js").Verdict} Verdict */

const TEMPLATES_TAG = fromHex(tag("pnyx.prompt.templates.v1"));

/** @param {string} expected @param {Uint8Array} bytes */
export function openConfiguration(expected, bytes) {
  const found = keccakHex(bytes);
  if (found !== expected) throw new VerifierError("changed", `changed: the configuration ${expected} has the hash ${found}`);
  return CONFIGURATION(parseCanonical(bytes, "configuration"), "configuration");
}

/** @param {Case} one @returns {Verdict[]} */
export function checkDeclared({ about, configuration, fields }) {
  const { header, calls, state, context, prompt, opinions, checks, ruleset, decision } = fields;
  const why = "not what the configuration declares";
  const analysts = opinions.map((/** @type {any} */ opinion) => opinion.analyst);
  const isAsked = opinions.length > 0 || decision.outcome !== "skip";
  const wrong = differing(about, STEPS.DECLARED_CONFIGURATION, [
    ["header.agent", configuration.agent, header.agent, why],
    ["header.mode", configuration.mode, header.mode, why],
    ["prompt", configuration.prompt_hash, templatesHash(prompt), why],
    ["ruleset", configuration.ruleset_hash, keccakHex(utf8(ruleset)), why],
    ["decision.ruleset_hash", configuration.ruleset_hash, decision.ruleset_hash, why],
    ["checks", configuration.checks, versionsBy("check", checks), why],
    ["context", Object.entries(configuration.tools).sort(inOrder), toolsOf(context, state, configuration.tools), why],
    ["state.known_addresses", configuration.known_addresses, state.known_addresses, why],
    ["state.interfaces", usedOf(configuration.interfaces, calls), state.interfaces, why],
    ["state.probes", configuration.probes, state.probes, why],
    ["state.prices", configuration.prices, state.prices, why],
    ["opinions", isAsked ? configuration.analysts : null, isAsked ? analysts : null, why],
  ]);
  return wrong.length > 0 ? wrong : [about.matches(STEPS.DECLARED_CONFIGURATION)];
}

/** The part of the declared interfaces that these calls, at every depth, can rest on. @param {{ [address: string]: { [selector: string]: string } }} interfaces @param {any[]} calls */
function usedOf(interfaces, calls) {
  const found = Object.create(null);
  const look = (/** @type {any} */ { target, calldata, other_chain: isElsewhere, inner }) => {
    const selector = calldata.slice(0, 10);
    const functions = Object.hasOwn(interfaces, target) && !isElsewhere ? interfaces[target] : {};
    if (Object.hasOwn(functions, selector)) (found[target] ??= Object.create(null))[selector] = functions[selector];
    inner.forEach(look);
  };
  calls.forEach(look);
  return found;
}

/** @param {any[]} prompt */
const templatesHash = (prompt) => keccakHex(concat(TEMPLATES_TAG, utf8(canonical(prompt))));

/** @param {string} name @param {any[]} reports */
const versionsBy = (name, reports) => Object.fromEntries(reports.map((report) => [report[name], report.version]));

/** The context tools that ran, with their versions. One that could not run counts with the declared one. @param {any[]} context @param {any} state @param {{ [tool: string]: string }} declared */
function toolsOf(context, { skipped }, declared) {
  const ran = context.map(({ tool, version }) => [tool, version]);
  const names = skipped.filter((/** @type {any} */ { step }) => step.startsWith("tool:"));
  const skippedTools = names.map((/** @type {any} */ { step }) => [step.slice(5), declared[step.slice(5)] ?? ""]);
  return [...ran, ...skippedTools].sort(inOrder);
}

/** Pairs of text. @param {any} one @param {any} other */
const inOrder = (one, other) => (one[0] === other[0] ? compareText(one[1], other[1]) : compareText(one[0], other[0]));
