// Step 20: which entry a record entitles to, and whether the words of people count. docs/record-format.md, "What people said".
import { encode } from "./abi.js";
import { concat, fromHex, utf8 } from "./bytes.js";
import { isClosedUndecided, standingOf } from "./decision.js";
import { VerifierError } from "./errors.js";
import { keccakHex, recoverAddress, tag } from "./hash.js";
import { NO_LIMITS } from "./ruleset.js";

/** The fields of a record, by name. @typedef {{ [name: string]: any }} Fields */
/** @typedef {import("./log.js").Kind} Kind */

const DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
const ANSWER_TYPE =
  "Answer(string verdict,string vote,string decision,address governor,uint256 proposalId,address writer," +
  "uint256 expiresAt,string comment,bytes32 reviewDigest,bytes32 rulesetHash,bytes32 configHash)";

/** @param {string} text */
const hashOf = (text) => keccakHex(utf8(text));

/** @param {string} message @returns {never} */
function refuse(message) {
  throw new VerifierError("differs", message);
}

/**
 * The EIP-712 digest of what a person says about the decision in a record. Throws `differs` when that is not said clearly.
 * @param {Fields} fields @param {any} approval @returns {string}
 */
export function answerDigest({ header, decision, proposal: { key } }, approval) {
  if (header.log === null || header.writer === null) refuse("a review without a log leads to no vote, whoever approves");
  const vote = approval.verdict === "reject" ? "none" : wantedVote(decision, approval);
  if (vote === null) refuse(`the decision is ${decision.outcome}: an approval must say which vote`);
  const domain = encode(
    ["bytes32", "bytes32", "bytes32", "uint256", "address"],
    [tag(DOMAIN_TYPE), hashOf("Pnyx"), hashOf("1"), header.chain_id, header.log],
  );
  const message = encode(
    ["bytes32", "bytes32", "bytes32", "bytes32", "address", "uint256", "address", "uint256", "bytes32", "bytes32", "bytes32", "bytes32"],
    [
      tag(ANSWER_TYPE), hashOf(approval.verdict), hashOf(vote), hashOf(decision.outcome), key.governor, key.proposal_id,
      header.writer, approval.expires_at, hashOf(approval.comment), decision.review_digest, decision.ruleset_hash,
      header.config_hash,
    ],
  ); // prettier-ignore
  return keccakHex(concat(Uint8Array.of(0x19, 0x01), fromHex(keccakHex(domain)), fromHex(keccakHex(message))));
}

/** The vote that an outcome asks for, null for hold and skip. @param {string} outcome */
const voteOf = (outcome) => (["for", "against", "abstain"].includes(outcome) ? outcome : null);

/** The vote that an approval asks for: the one named, else the one decided. @param {any} decision @param {any} approval @returns {string | null} */
const wantedVote = (decision, approval) => approval.vote ?? voteOf(decision.outcome);

/** Whether a word is about the decision in a record: also where it was given for an earlier record of it. @param {any} approval @param {Fields} fields */
export function speaksOf(approval, fields) {
  try {
    return answerDigest(fields, approval) === approval.decision_digest;
  } catch (error) {
    if (error instanceof VerifierError) return false;
    throw error;
  }
}

/**
 * The entry that a record stands for; `vote` is set exactly when it is a vote. Throws `differs` when its parts contradict
 * each other.
 * @param {Fields} fields @returns {{ kind: Kind, vote: string | null }}
 */
export function entitlement(fields) {
  const { header, state, decision, people } = fields;
  if (!isSilent(people)) return byPeople(fields);
  if (decision.outcome === "skip") return { kind: isClosedUndecided(state) ? "MISSED" : "SKIP", vote: null };
  const waits = header.mode === "propose" && safeIn(fields) === null;
  if (decision.outcome === "hold" || waits) return { kind: "HOLD", vote: null };
  if (header.mode === "observe") return { kind: "DECISION", vote: null };
  return voteEntry(state, voteOf(decision.outcome));
}

/** The Safe whose owners cast the vote: then the standing that was judged is not the writer's. @param {Fields} fields @returns {string | null} */
const safeIn = ({ header: { writer }, state: { voter } }) =>
  voter !== null && writer !== null && voter.voter !== writer ? voter.voter : null;

/** Nobody said anything, and nobody was waited for in vain. @param {any} people */
export const isSilent = (people) => people.words.length === 0 && people.expired === null;

/** The first one: one person is enough to say no. @param {any} people @returns {any} */
export const rejectionIn = (people) => people.words.find((/** @type {any} */ word) => word.verdict === "reject") ?? null;

/** Whether it is by their word that a vote is cast. @param {any} people */
export const givesVote = (people) => people.words.length > 0 && rejectionIn(people) === null && people.expired === null;

/** @param {Fields} fields @returns {{ kind: Kind, vote: string | null }} */
function byPeople(fields) {
  const { header, state, decision, people } = fields;
  if (header.mode === "observe") refuse("an agent in observe mode never votes, whoever approves");
  if (decision.outcome === "skip") refuse(`a skipped proposal cannot be voted on: ${decision.reason}`);
  if (people.words.some((/** @type {any} */ word) => word.decision_digest !== answerDigest(fields, word))) {
    refuse("the word was given for another decision, or is another word: its digest differs");
  }
  if (rejectionIn(people) !== null) {
    if (people.expired !== null) refuse("the wait for people cannot end without them when one of them rejected");
    return { kind: "HOLD", vote: null };
  }
  if (header.mode === "autonomous" && voteOf(decision.outcome) !== null) {
    refuse(`in autonomous mode the rules' vote (${decision.outcome}) is cast by itself: people can stop it, not change it`);
  }
  if (people.expired !== null) return { kind: "HOLD", vote: null };
  const wanted = new Set(people.words.map((/** @type {any} */ word) => wantedVote(decision, word)));
  if (wanted.size > 1) refuse("people approved different votes: none of them is the one to cast");
  return voteEntry(state, [...wanted][0]);
}

/** What rules say while voting has not started, or for nobody in particular, is a preview. @param {any} state @param {string | null} vote @returns {{ kind: Kind, vote: string | null }} */
function voteEntry(state, vote) {
  const { standing, reason } = standingOf(state, NO_LIMITS);
  if (standing !== "ready") refuse(`no vote can be cast: ${reason}`);
  return { kind: "VOTE", vote };
}

/**
 * The declared approvers who signed, in the order of their words; none where the operator's unsigned word is enough. Throws
 * `differs` where a word does not count, somebody is heard twice, too few approved, or enough did where the wait is said to
 * have ended without them. That the words speak of this decision is what `entitlement` establishes.
 * @param {Fields} fields @param {any} configuration @returns {string[]}
 */
export function vouchers({ decision, people }, configuration) {
  /** @type {Set<string | null>} */
  const voices = new Set();
  for (const word of people.words) {
    const voice = vouchedBy(decision, word, configuration);
    // At once: a stranger's record may have any number of words, and each signature takes time.
    if (voices.has(voice)) refuse(`${voice ?? "the operator"} is heard twice: a person counts once`);
    voices.add(voice);
  }
  const required = configuration.approvals;
  const most = mostForOneVote(decision, people.words);
  if (people.expired !== null && most >= required) {
    refuse(`the wait for people did not end without them: ${counted(most, required)}`);
  }
  if (givesVote(people) && most < required) {
    refuse(`${counted(most, required)}: the declared configuration asks for more people`);
  }
  return [...voices].filter((voice) => voice !== null);
}

/** `1 of 2 approvals`. @param {number} approvals @param {number} required */
export const counted = (approvals, required) => `${approvals} of ${required} approval${required === 1 ? "" : "s"}`;

/** How many approve the vote that most of them want. @param {any} decision @param {any[]} words */
export function mostForOneVote(decision, words) {
  const wanted = words.filter(({ verdict }) => verdict === "approve").map((word) => wantedVote(decision, word));
  return Math.max(0, ...[...new Set(wanted)].map((vote) => wanted.filter((other) => other === vote).length));
}

/**
 * The declared approver who signed; null for the operator's unsigned word, where that is enough. Throws `differs` where
 * the word does not count.
 * @param {any} decision @param {any} approval @param {any} configuration @returns {string | null}
 */
function vouchedBy(decision, approval, configuration) {
  if (configuration.approvers.length > 0 || approval.signature !== "") return declaredApprover(approval, configuration);
  const changesVote = approval.verdict === "approve" && wantedVote(decision, approval) !== voteOf(decision.outcome);
  if (changesVote && !configuration.unsafe_unsigned_approvals) {
    refuse(`the rules give ${decision.outcome}, and nobody signed for another vote instead`);
  }
  return null;
}

/** @param {any} approval @param {any} configuration @returns {string} */
function declaredApprover({ verdict, person, signature, decision_digest: digest }, { approvers }) {
  const signer = recoverAddress(digest, signature);
  if (signer === null || !approvers.includes(signer)) {
    refuse(`the ${verdict} is signed by ${signer ?? "nobody"}; the declared approvers are ${approvers.join(", ") || "none"}`);
  }
  if (person !== signer) refuse(`the ${verdict} speaks for ${JSON.stringify(person)} and is signed by ${signer}`);
  return signer;
}
