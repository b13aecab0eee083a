// Step 19: what a ruleset decides, over the recorded outcomes of its rules. docs/verifying-js.md has the order in words.
import { utf8, textOf } from "./bytes.js";

/** @typedef {import("./ruleset.js").Ruleset} Ruleset */
/** @typedef {import("./ruleset.js").Rule} Rule */
/** @typedef {import("./ruleset.js").Limits} Limits */
/** @typedef {import("./ruleset.js").ModelLimits} ModelLimits */
/** @typedef {{ outcome: string, reason: string, decided_by: string }} Verdict what the rules say */
/** What a record says of one rule. @typedef {{ rule: string, matched: boolean, then: string, explanation: string }} RuleOutcome */

const REASON_BYTES = 200;
const EXPLANATION_BYTES = 2_000;

// --- 1. eligibility

/** @typedef {"ready" | "waiting" | "review" | "never" | "unknown"} Standing */

/**
 * Whether a vote can be cast now: the first obstacle in the way, in this order. `state` is the record's field.
 * @param {any} state @param {Limits} limits @returns {{ standing: Standing, reason: string }}
 */
export function standingOf({ governor, voter }, limits) {
  const never = (/** @type {string} */ reason) => ({ standing: /** @type {Standing} */ ("never"), reason });
  if (voter === null) return { standing: "review", reason: "this is a review: there is no voter" };
  if (!governor.profile.can_vote) return never("votes of this governor cannot be encoded for certain");
  if (voter.has_voted) return never("this account has voted already");
  if (isWaiting(governor)) return { standing: "waiting", reason: "voting has not started yet" };
  if (governor.state !== ACTIVE) return never(`the proposal is ${STATE_NAMES[governor.state]}, not active`);
  const power = voter.voting_power;
  if (power === null) return { standing: "unknown", reason: "the voting power at the snapshot is unknown" };
  if (power === "0") return never("there was no voting power at the snapshot");
  if (BigInt(power) < limits.minVotingPower) return never("the voting power is below the ruleset's minimum");
  const [least, unit] =
    governor.profile.clock_mode === "blocknumber" ? [limits.minBlocksLeft, "blocks"] : [limits.minSecondsLeft, "seconds"];
  const left = BigInt(governor.deadline) - BigInt(governor.now);
  if (left >= least) return { standing: "ready", reason: "" };
  return never(`the deadline is too near: ${left > 0n ? left : 0n} ${unit} left, ${least} needed`);
}

const STATE_NAMES = ["pending", "active", "canceled", "defeated", "succeeded", "queued", "expired", "executed"];
const [PENDING, ACTIVE, CANCELED] = [0, 1, 2];

/** OpenZeppelin 4.3 is active already in the block of the snapshot, where no vote can be cast. @param {any} governor */
const isWaiting = ({ state, now, snapshot }) => state === PENDING || (state === ACTIVE && BigInt(now) <= BigInt(snapshot));

/** True when the vote ended on the governor's clock before anything was decided. @param {any} state */
export function isClosedUndecided({ governor, voter }) {
  const isOver = governor.state !== CANCELED && governor.state !== PENDING && governor.state !== ACTIVE;
  return !voter?.has_voted && isOver && BigInt(governor.now) >= BigInt(governor.deadline);
}

// --- 2. rules

/** @typedef {"yes" | "no" | "unknown"} Truth */
/** One rule, asked. `outcome` is what it decides if it matches; a model's advice is resolved already. @typedef {{ rule: Rule, truth: Truth, outcome: string, objection: string }} Judged */

/** @type {[string, Truth][]} */
const PREFIXES = [["matches: ", "yes"], ["does not match: ", "no"], ["cannot be told: ", "unknown"]]; // prettier-ignore

/**
 * Whether the recorded outcomes can be those of these rules; and the rules with them. Null when they cannot.
 * @param {Ruleset} ruleset @param {RuleOutcome[]} recorded @param {any[]} opinions @returns {Judged[] | null}
 */
function judgedBy({ rules }, recorded, opinions) {
  if (recorded.length !== rules.length) return null;
  /** @type {Judged[]} */
  const judged = [];
  for (const [index, rule] of rules.entries()) {
    const { rule: id, then, matched, explanation } = recorded[index];
    const truth = PREFIXES.find(([prefix]) => explanation.startsWith(prefix))?.[1];
    if (id !== rule.id || then !== rule.then || truth === undefined || matched !== (truth === "yes")) return null;
    const advice = rule.model && adviceOf(rule.model, opinions);
    if (advice && !tells(explanation, advice.words)) return null;
    const outcome = advice ? advice.outcome : rule.then;
    judged.push({ rule, truth, outcome, objection: advice?.outcome === "hold" ? advice.words : "" });
  }
  return judged;
}

/** Long explanations are cut. @param {string} explanation @param {string} advice */
const tells = (explanation, advice) =>
  explanation.endsWith(`; advice: ${advice}`) || (explanation.endsWith("...") && utf8(explanation).length > EXPLANATION_BYTES - 8);

/** The advice that all opinions share, inside the limits; anything else holds. @param {ModelLimits} limits @param {any[]} opinions */
function adviceOf(limits, opinions) {
  const analyses = opinions.map(({ analysis }) => analysis).filter((analysis) => analysis !== null);
  const objection = objectionToOpinions(opinions, analyses) || objectionToAdvice(limits, opinions, analyses);
  if (objection) return { outcome: "hold", words: `held, ${objection}` };
  const outcome = analyses[0].recommendation;
  const least = Math.min(...analyses.map(({ confidence_percent: percent }) => percent));
  const { length } = analyses;
  return { outcome, words: `${length} of ${length} say ${outcome}, confidence at least ${least}%` };
}

/** Why no advice is taken, whatever it is. @param {any[]} opinions @param {any[]} analyses */
function objectionToOpinions(opinions, analyses) {
  if (opinions.length === 0) return "there is no analysis";
  if (opinions.some(({ analyst }) => !analyst.is_language_model)) {
    return "an analysis was made without a language model, so it gives no advice";
  }
  if (analyses.length < opinions.length || opinions.some(({ failure }) => failure !== "")) return "an analysis failed";
  const struck = opinions.reduce((sum, opinion) => sum + opinion.struck.length, 0);
  return struck > 0 ? `claims that rest on nothing were struck out: ${struck}` : "";
}

/** Why this advice is not taken. @param {ModelLimits} limits @param {any[]} opinions @param {any[]} analyses */
function objectionToAdvice({ allow, minConfidencePercent, minAgreeing }, opinions, analyses) {
  const difference = differenceOf(opinions);
  if (difference) return difference;
  const models = new Set(opinions.map(({ analyst }) => analyst.name)).size;
  if (models < minAgreeing) return `${models} of ${minAgreeing} models needed`;
  if (analyses.some(({ confidence_percent: percent }) => percent < minConfidencePercent)) {
    return `confidence is below ${minConfidencePercent}%`;
  }
  const [{ recommendation: advice }] = analyses;
  const seesHighRisk = analyses.some(({ risks }) => risks.some((/** @type {any} */ { level }) => level === "high"));
  if (advice === "for" && seesHighRisk) return "an analysis says for and sees a high risk";
  return allow.includes(advice) ? "" : `the rule does not allow ${advice}`;
}

/** Who should say the same, from the closest readers on; and what it is when they do not. @type {[(analyst: any) => string, string][]} */
const DIFFERENCES = [
  [({ name, view }) => JSON.stringify([name, view]), "a model gave different answers to the same question"],
  [({ name }) => name, "a model advises otherwise when it does not see the text"],
  [() => "", "the opinions differ"],
];

/** @param {any[]} opinions */
function differenceOf(opinions) {
  const found = DIFFERENCES.find(([readers]) => {
    const answers = new Set(opinions.map(({ analyst, analysis }) => JSON.stringify([readers(analyst), analysis.recommendation])));
    return answers.size > new Set(opinions.map(({ analyst }) => readers(analyst))).size;
  });
  return found ? found[1] : "";
}

// --- 3. the verdict, 4. default

/**
 * What the rules say: the first that matches, unless an unknown rule before it might have said something else. Null when
 * the recorded outcomes cannot be those of the ruleset.
 * @param {Ruleset} ruleset
 * @param {{ state: any, checks: any[], opinions: any[], rules: RuleOutcome[] }} record
 * @returns {Verdict | null}
 */
export function decide(ruleset, { state, checks, opinions, rules }) {
  const { standing, reason } = standingOf(state, ruleset.limits);
  if (standing === "never" || standing === "unknown") {
    const outcome = standing === "never" ? "skip" : "hold";
    return rules.length === 0 ? { outcome, reason: `No vote: ${reason}.`, decided_by: "eligibility" } : null;
  }
  const judged = judgedBy(ruleset, rules, opinions);
  return judged && verdictOf(judged, checks);
}

/** @param {Judged[]} judged @param {any[]} checks @returns {Verdict} */
function verdictOf(judged, checks) {
  const first = judged.findIndex(({ truth }) => truth === "yes");
  const doubtful = (first < 0 ? judged : judged.slice(0, first)).filter(({ truth }) => truth === "unknown");
  if (first < 0) {
    return doubtful.length > 0
      ? byDoubt(doubtful[0])
      : { outcome: "hold", reason: "No rule matches: people decide.", decided_by: "default" };
  }
  const one = judged[first];
  const differing = doubtful.find(({ outcome }) => outcome !== one.outcome);
  return differing === undefined || one.outcome === "hold" ? byRule(one, checks) : byDoubt(differing);
}

/** @param {Judged} judged @returns {Verdict} */
const byDoubt = ({ rule: { id } }) => ({
  outcome: "hold",
  reason: `Too little is known to tell whether rule ${id} matches: people decide.`,
  decided_by: id,
});

/** @param {Judged} judged @param {any[]} checks @returns {Verdict} */
function byRule({ rule: { id, because }, outcome, objection }, checks) {
  const reason = `${because} [${id}]`;
  const foundBy = outcome === "against" || outcome === "hold" ? worstChecks(checks) : "";
  const full = objection
    ? `${reason} ${objection[0].toUpperCase()}${objection.slice(1)}.`
    : foundBy && `${reason} Found by: ${foundBy}`;
  const chosen = full && utf8(full).length <= REASON_BYTES ? full : reason;
  return { outcome, reason: oneLine(chosen, REASON_BYTES), decided_by: id };
}

const SEVERITIES = ["info", "low", "medium", "high", "critical"];

/** Names of the checks behind the worst findings, when these are high or critical. @param {any[]} reports */
function worstChecks(reports) {
  const found = reports.flatMap(({ check, findings }) =>
    findings.map((/** @type {any} */ { severity }) => ({ check, rank: SEVERITIES.indexOf(severity) })),
  );
  const worst = Math.max(0, ...found.map(({ rank }) => rank));
  if (worst < SEVERITIES.indexOf("high")) return "";
  return [...new Set(found.filter(({ rank }) => rank === worst).map(({ check }) => check))].sort().join(", ");
}

/** @param {string} text @param {number} most bytes */
function oneLine(text, most) {
  const line = text.split(/\s+/u).filter(Boolean).join(" ");
  const bytes = utf8(line);
  if (bytes.length <= most) return line;
  let end = most - 3;
  while (textOf(bytes.subarray(0, end)) === null) end -= 1;
  return `${/** @type {string} */ (textOf(bytes.subarray(0, end))).trimEnd()}...`;
}
