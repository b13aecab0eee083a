// Steps 19 and 20: the decision follows from the record, and the entry is the one that the record entitles to.
import { counted, entitlement, givesVote, isSilent, mostForOneVote, rejectionIn, speaksOf, vouchers } from "./approval.js";
import { ZERO_WORD, utf8 } from "./bytes.js";
import { compare } from "./comparing.js";
import { decide } from "./decision.js";
import { VerifierError, isError } from "./errors.js";
import { SUPPORT } from "./governor.js";
import { keccakHex } from "./hash.js";
import { voteAction } from "./log.js";
import { parseRuleset } from "./ruleset.js";
import { STEPS } from "./verdict.js";

/** @typedef {import("./case.js").Case} Case */
/** @typedef {import("./verdict.js").Verdict} Verdict */

/** Step 19. @param {Case} one @returns {Verdict[]} */
export function checkDecision({ about, fields }) {
  const { state, checks, opinions, ruleset, rules, decision } = fields;
  let parsed;
  try {
    parsed = parseRuleset(ruleset);
  } catch (error) {
    if (!isError(error, "differs")) throw error;
    return [about.differs(STEPS.DECISION, "ruleset", { reason: error.message })];
  }
  const decided = decide(parsed, { state, checks, opinions, rules });
  if (decided === null) {
    return [about.differs(STEPS.DECISION, "rules", { reason: "these cannot be the outcomes of the rules of this ruleset" })];
  }
  const expected = { ...decided, review_digest: state.review_digest, ruleset_hash: keccakHex(utf8(ruleset)) };
  const verdict = compare(about, STEPS.DECISION, "decision", expected, decision);
  const reason = "over the recorded outcomes of the rules' conditions; that they hold is left to Python";
  return [verdict.status === "matches" ? { ...verdict, reason } : verdict];
}

/** Step 20. A correction may say anything: it decides nothing. @param {Case} one @param {import("./governor.js").Governor} governor @param {boolean} wasPaused */
export function checkEntitlement(one, governor, wasPaused) {
  const { entry, about, fields } = one;
  const { people } = fields;
  if (entry.kind === "CORRECTION") return about.matches(STEPS.ENTRY, "a correction");
  let entitled;
  try {
    entitled = entitlement(fields);
  } catch (error) {
    if (!isError(error, "differs")) throw error;
    return about.differs(STEPS.ENTRY, isSilent(people) ? "kind" : "people", { seen: entry.kind, reason: error.message });
  }
  if (entitled.vote !== null && !governor.canVote) throw new VerifierError("differs", `no votes on ${governor.address}: ${governor.cannotVoteBecause}`);
  if (wasPaused && entitled.kind === "VOTE" && (entry.kind === "HOLD" || entry.kind === "SKIP")) {
    return about.matches(STEPS.ENTRY, "the guardian had paused the votes of the gate");
  }
  if (entry.kind !== entitled.kind) {
    const reason = "the entry is not the one that its record entitles to";
    return about.differs(STEPS.ENTRY, "kind", { expected: entitled.kind, seen: entry.kind, reason });
  }
  const action = entitled.vote === null ? ZERO_WORD : voteAction(SUPPORT[entitled.vote]);
  if (entry.action !== action) {
    return about.differs(STEPS.ENTRY, "action", { expected: action, seen: entry.action, reason: "not the vote that was decided" });
  }
  if (isSilent(people)) return about.matches(STEPS.ENTRY);
  const late = people.words.findIndex((/** @type {any} */ word) => givesVote(people) && word.expires_at < entry.time);
  if (late >= 0) {
    const seen = people.words[late].expires_at;
    return about.differs(STEPS.ENTRY, `people.words[${late}].expires_at`, { expected: `at least ${entry.time}`, seen });
  }
  return whoseWords(one, people);
}

/** A name in a record is anybody's word; a signature by a declared approver is that person's. @param {Case} one @param {any} people */
function whoseWords({ about, configuration, fields }, people) {
  if (configuration === null) return about.notCheckable(STEPS.ENTRY, "what people said: no usable configuration says who may");
  let approvers;
  try {
    approvers = vouchers(fields, configuration);
  } catch (error) {
    if (!isError(error, "differs")) throw error;
    return about.differs(STEPS.ENTRY, "people", { reason: error.message });
  }
  if (people.expired !== null) {
    const soFar = counted(mostForOneVote(fields.decision, people.words), configuration.approvals);
    const reason = `the wait for people ended without them, at a time that the operator attests: ${soFar}`;
    return about.matches(STEPS.ENTRY, reason, "attested");
  }
  const said = rejectionIn(people) === null ? "approved" : "rejected";
  if (approvers.length === 0) {
    const name = JSON.stringify(people.words[0].person);
    return about.matches(STEPS.ENTRY, `${said}, as the operator attests, by ${name}: nobody signed`, "attested");
  }
  const whose = approvers.length === 1 ? "a declared approver: signature" : "declared approvers: signatures";
  return about.matches(STEPS.ENTRY, `${said} by ${approvers.join(", ")}, ${whose} recovered`);
}

/** Step 20, last: the rules' vote is not cast after a person's veto. Only a word that was given later can lift one. @param {Case} one @param {Map<number, any>} rejections */
export function checkNotRejected({ entry, about, fields }, rejections) {
  if (entry.kind !== "VOTE" || fields.people.words.length > 0) return [];
  const vetoes = [...rejections].filter(([, rejection]) => speaksOf(rejection, fields));
  return vetoes.map(([seq]) =>
    about.differs(STEPS.ENTRY, "people", { reason: `a person rejected this decision, as entry ${seq} says` }),
  );
}
