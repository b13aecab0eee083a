// A ruleset's text (docs/rulesets.md), as far as step 19 needs it here: what rules are called, what they decide and say,
// what a model may decide, and the limits. Their conditions are left to Python.
import { parse } from "smol-toml";
import { VerifierError } from "./errors.js";

/**
 * @typedef {{ allow: string[], minConfidencePercent: number, minAgreeing: number }} ModelLimits
 * @typedef {{ id: string, because: string, then: string, model: ModelLimits | null }} Rule
 * @typedef {{ minVotingPower: bigint, minBlocksLeft: bigint, minSecondsLeft: bigint }} Limits
 * @typedef {{ limits: Limits, rules: Rule[] }} Ruleset
 */

/** The least of all: a vote without power changes nothing. @type {Limits} */
export const NO_LIMITS = { minVotingPower: 1n, minBlocksLeft: 1n, minSecondsLeft: 1n };

const MODEL = "model";
const THEN = ["for", "against", "abstain", "hold", "skip", MODEL];
const VOTES = ["for", "against", "abstain"];

/** Throws `differs` for a text that is no ruleset. @param {string} text @returns {Ruleset} */
export function parseRuleset(text) {
  const table = parsed(text);
  if (table.extends !== undefined) refuse("it extends another ruleset; what is run, recorded and checked is a whole one");
  const limits = tableOf(table.limits ?? {}, "[limits]");
  const rules = listOf(table.rule ?? [], "rule").map((rule, index) => ruleOf(tableOf(rule, `rule ${index + 1}`)));
  if (new Set(rules.map(({ id }) => id)).size !== rules.length) refuse("two rules have the same id");
  return {
    limits: {
      minVotingPower: wholeOf(limits.min_voting_power ?? 1n, "min_voting_power", 1n),
      minBlocksLeft: wholeOf(limits.min_blocks_left ?? 1n, "min_blocks_left", 1n),
      minSecondsLeft: wholeOf(limits.min_seconds_left ?? 1n, "min_seconds_left", 1n),
    },
    rules,
  };
}

/** @param {string} text @returns {{ [name: string]: any }} */
function parsed(text) {
  try {
    return parse(text, { integersAsBigInt: true });
  } catch (error) {
    return refuse(`this is no TOML: ${error instanceof Error ? error.message.split("\n")[0] : error}`);
  }
}

/** @param {{ [name: string]: any }} table @returns {Rule} */
function ruleOf({ id, because, then, model }) {
  if (typeof id !== "string" || !/^[a-z0-9][a-z0-9-]{0,39}$/.test(id)) refuse("a rule without a usable id");
  if (typeof because !== "string" || because.trim() === "") refuse(`rule ${id}: because is missing`);
  if (!THEN.includes(then)) refuse(`rule ${id}: then must be one of ${THEN.join(", ")}`);
  if ((then === MODEL) !== (model !== undefined)) refuse(`rule ${id}: [rule.model] goes with then = "model"`);
  return { id, because, then, model: model === undefined ? null : modelLimits(tableOf(model, `rule ${id}: model`), id) };
}

/** @param {{ [name: string]: any }} table @param {string} id @returns {ModelLimits} */
function modelLimits({ allow, min_confidence_percent: confidence, min_agreeing: agreeing = 1n }, id) {
  const votes = listOf(allow, `rule ${id}: allow`);
  if (votes.length === 0 || votes.some((vote) => !VOTES.includes(vote))) refuse(`rule ${id}: allow must list votes`);
  return {
    allow: votes,
    minConfidencePercent: Number(wholeOf(confidence, "min_confidence_percent", 0n, 100n)),
    minAgreeing: Number(wholeOf(agreeing, "min_agreeing", 1n, 100n)),
  };
}

/** A TOML integer, or a decimal string for what TOML readers elsewhere would not keep exact. @param {any} value @param {string} where @param {bigint} low @param {bigint} [high] */
function wholeOf(value, where, low, high = 2n ** 256n - 1n) {
  const isDecimal = typeof value === "string" && /^(?:[0-9]{1,3}(?:_?[0-9]{3})*|[0-9]{1,78})$/.test(value);
  const number = isDecimal ? BigInt(value.replaceAll("_", "")) : value;
  if (typeof number !== "bigint" || number < low || number > high) refuse(`${where} must be a whole number from ${low}`);
  return /** @type {bigint} */ (number);
}

/** @param {any} value @param {string} where @returns {any[]} */
const listOf = (value, where) => (Array.isArray(value) ? value : refuse(`${where} must be a list`));

/** @param {any} value @param {string} where @returns {{ [name: string]: any }} */
const tableOf = (value, where) =>
  value !== null && typeof value === "object" && !Array.isArray(value) ? value : refuse(`${where} must be a table`);

/** @param {string} why @returns {never} */
function refuse(why) {
  throw new VerifierError("differs", `the record's ruleset: ${why}`);
}
