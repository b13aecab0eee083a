// Steps 6 to 8: votes against entries, entries against votes, proposals against entries. No I/O.
import { isOpen } from "./governor.js";
import { isTerminal, nameOf, voteAction } from "./log.js";
import { About, STEPS } from "./verdict.js";

/** @typedef {import("./log.js").Entry} Entry */
/** @typedef {import("./log.js").ProposalKey} ProposalKey */
/** @typedef {import("./verdict.js").Verdict} Verdict */
/** @typedef {import("./verdict.js").Tier} Tier */
/** @typedef {import("./log.js").Place} Place */

/**
 * A vote event that names the writer, or a Safe that votes for it. `inScope`: cast in a governor of the configuration
 * that was in force. `isGenuine`: in a governor that the writer ever declared, or sent by the writer itself; anybody can
 * emit such an event. `counts`: cast by the account that votes for the writer, by the configuration that was in force.
 * `executor`: of a Safe's vote, who sent the transaction that its owners had signed.
 * @typedef {object} OfBallot
 * @property {ProposalKey} key
 * @property {number} support
 * @property {boolean} inScope
 * @property {boolean} isGenuine
 * @property {boolean} counts
 * @property {string} voter
 * @property {string} executor
 */
/** @typedef {OfBallot & Place} Ballot*/
/**
 * A proposal that the writer answers for, as it stands at the block that the check reaches to. `deadline` is the last
 * timepoint of the governor's clock in which votes count; `times` gives that clock in the blocks of entries, null where
 * the node cannot tell.
 * @typedef {{ key: ProposalKey, state: string, deadline: bigint, hasVoted: boolean, times: Map<number, bigint | null>, createdBlock: number }} Duty
 */

/** @param {Place} one @param {Place} other */
const isBefore = (one, other) =>
  one.blockNumber < other.blockNumber || (one.blockNumber === other.blockNumber && one.logIndex < other.logIndex);

/** Everything about one proposal, or whatever else a subject stands for. */
export class Matter {
  /**
   * @param {object} parts
   * @param {Entry[]} parts.entries of kinds VOTE to CORRECTION, in chain order
   * @param {Ballot[]} parts.ballots in chain order
   * @param {Duty | null} parts.duty
   * @param {Entry | null} [parts.end] with which another writer took this one's place
   * @param {boolean} [parts.inherited] the proposal is older than the writer, and was its predecessor's to answer
   * @param {string | null} [parts.successor]
   * @param {Entry[]} [parts.later] of the successors, which answer for what this writer left open
   */
  constructor({ entries, ballots, duty, end = null, inherited = false, successor = null, later = [] }) {
    this.entries = entries;
    this.ballots = ballots;
    this.ownBallots = ballots.filter(({ counts }) => counts);
    this.duty = duty;
    this.end = end;
    this.inherited = inherited;
    this.successor = successor;
    this.later = later;
    const key = duty?.key ?? ballots[0]?.key;
    /** `chain:governor:id`, null where nobody tells. */
    this.name = key === undefined ? null : nameOf(key);
  }

  /** @param {Tier} tier @returns {Generator<Verdict>} */
  *check(tier) {
    yield* this.checkVotes(tier);
    yield* this.checkAnnouncedVotes();
    yield* this.checkCompleteness();
  }

  /** @param {Entry} [entry] */
  about(entry) {
    return new About(entry?.seq, this.name);
  }

  // 6. Votes

  /** @param {Tier} tier @returns {Generator<Verdict>} */
  *checkVotes(tier) {
    for (const [number, ballot] of this.ownBallots.entries()) yield this.vote(ballot, this.announcedBefore(ballot, number), tier);
    for (const { counts, voter, transactionHash } of this.ballots) {
      if (counts) continue;
      const reason = `a vote by ${voter}, which is not the account that votes for this writer (transaction ${transactionHash})`;
      yield this.about().differs(STEPS.VOTES, "voter", { seen: voter, reason });
    }
  }

  /** For each vote in scope: whether it came in one transaction with its entry. @returns {boolean[]} */
  together() {
    return this.ownBallots.flatMap((ballot, number) =>
      ballot.inScope
        ? [this.announcedBefore(ballot, number).some((entry) => entry.transactionHash === ballot.transactionHash)]
        : [],
    );
  }

  /** VOTE entries that stood when a ballot was cast: earlier, not voided, not used up by then. @param {Ballot} ballot @param {number} earlierBallots */
  announcedBefore(ballot, earlierBallots) {
    const before = this.entries.filter((entry) => isBefore(entry, ballot));
    const voided = rootsOf(before, "VOID");
    return before.filter(({ kind, recordRoot }) => kind === "VOTE" && !voided.has(recordRoot)).slice(earlierBallots);
  }

  /** @param {Ballot} ballot @param {Entry[]} announced @param {Tier} tier */
  vote(ballot, announced, tier) {
    const entry = announced.at(-1);
    const about = this.about(entry);
    const where = ` (transaction ${ballot.transactionHash})`;
    if (entry === undefined) {
      const late = this.entries.some(({ kind }) => kind === "VOTE") ? " before it" : "";
      return about.missing(STEPS.VOTES, `a vote without an entry${late}${where}`);
    }
    if (announced.length > 1) {
      const seen = announced.map(({ seq }) => seq).join(", ");
      return about.differs(STEPS.VOTES, "entries", { expected: 1, seen, reason: "several VOTE entries for one vote" });
    }
    if (entry.action !== voteAction(ballot.support)) {
      const reason = `the vote that was cast is not the one in its entry${where}`;
      return about.differs(STEPS.VOTES, "action", { expected: ballot.support, seen: BigInt(entry.action), reason });
    }
    if (tier === "enforced" && entry.transactionHash !== ballot.transactionHash) {
      return about.differs(STEPS.VOTES, "transaction", { reason: "a gate's entry and vote come in one transaction" });
    }
    if (this.end !== null && isBefore(this.end, ballot)) {
      return about.differs(STEPS.VOTES, "end", { reason: `cast after another writer took this one's place${where}` });
    }
    if (!ballot.inScope) {
      const reason = "a vote in a governor that the configuration in force does not name";
      return about.differs(STEPS.VOTES, "scope", { seen: ballot.key.governor, reason });
    }
    const bySafe = ballot.executor && `cast by the Safe ${ballot.voter}, executed by ${ballot.executor}`;
    return about.matches(STEPS.VOTES, bySafe);
  }

  // 7. Announced votes

  /** @returns {Generator<Verdict>} */
  *checkAnnouncedVotes() {
    for (const entry of this.entries) {
      if (entry.kind === "VOTE") yield this.announced(entry);
      else if (entry.kind === "VOID") yield* this.void(entry);
    }
  }

  /**
   * A VOID entry takes back a vote that did not land, which `announced` judges; or whatever was written about a proposal
   * that is gone, which step 12 judges by the record.
   * @param {Entry} entry @returns {Generator<Verdict>}
   */
  *void(entry) {
    const about = this.about(entry);
    const answer = this.entries.findLast(({ kind, recordRoot }) => isTerminal(kind) && recordRoot === entry.recordRoot);
    if (answer === undefined) {
      yield about.missing(STEPS.ANNOUNCED_VOTES, "the entry that this VOID entry takes back");
    } else if (answer.kind !== "VOTE" && this.duty !== null && !this.cameAgainAfter(entry)) {
      const reason = `it takes entry ${answer.seq} back, and the proposal is there`;
      yield about.differs(STEPS.ANNOUNCED_VOTES, "proposal", { reason });
    }
  }

  /** A reorganisation took the proposal away, and later it was made once more. @param {Entry} entry */
  cameAgainAfter(entry) {
    return this.duty !== null && this.duty.createdBlock > entry.blockNumber;
  }

  /** @param {Entry} entry */
  announced(entry) {
    const { duty, end } = this;
    const about = this.about(entry);
    const cast = this.ownBallots.some((ballot) => isBefore(entry, ballot));
    const voided = this.entries.findLast(({ kind, recordRoot }) => kind === "VOID" && recordRoot === entry.recordRoot);
    if (voided !== undefined && voided.seq > entry.seq) {
      if (!cast) return this.takenBack(about, voided);
      const reason = `entry ${voided.seq} takes it back, but it was cast`;
      return about.differs(STEPS.ANNOUNCED_VOTES, "vote", { reason });
    }
    if (cast) return about.matches(STEPS.ANNOUNCED_VOTES);
    if (duty === null) {
      const why = "the announced vote, and the proposal too: none in scope has this subject";
      return about.missing(STEPS.ANNOUNCED_VOTES, why);
    }
    if (isOpen(duty.state) && !duty.hasVoted && end === null) {
      return about.pending(STEPS.ANNOUNCED_VOTES, "the vote is still open");
    }
    if (end !== null && this.isAnsweredLater(duty)) {
      return about.matches(STEPS.ANNOUNCED_VOTES, `not cast, and answered by its successor ${this.successor}`);
    }
    const hidden = duty.hasVoted ? "the node does not show its event" : "never cast, and not taken back";
    return about.missing(STEPS.ANNOUNCED_VOTES, `the announced vote: ${hidden}`);
  }

  /** A decided vote is taken back only where it cannot land any more. @param {About} about @param {Entry} voided */
  takenBack(about, voided) {
    const { duty } = this;
    if (duty === null) {
      const why = `entry ${voided.seq} takes the vote back, and no proposal in scope has this subject; see step 12`;
      return about.notCheckable(STEPS.ANNOUNCED_VOTES, why);
    }
    if (this.cameAgainAfter(voided)) {
      const reason = `taken back by entry ${voided.seq}: the proposal was gone, and came later`;
      return about.matches(STEPS.ANNOUNCED_VOTES, reason);
    }
    if (duty.state === "canceled") {
      return about.matches(STEPS.ANNOUNCED_VOTES, `taken back by entry ${voided.seq}: it was canceled`);
    }
    const time = duty.times.get(voided.blockNumber) ?? null;
    if (time === null) {
      const why = `the node does not tell the governor's time at entry ${voided.seq}; the vote closes at ${duty.deadline}`;
      return about.notCheckable(STEPS.ANNOUNCED_VOTES, why);
    }
    if (time <= duty.deadline) {
      const reason = `entry ${voided.seq} takes it back while it could still be cast`;
      return about.differs(STEPS.ANNOUNCED_VOTES, "vote", { expected: `after ${duty.deadline}`, seen: time, reason });
    }
    return about.matches(STEPS.ANNOUNCED_VOTES, `taken back by entry ${voided.seq}: it could not land`);
  }

  // 8. Completeness

  /** @returns {Generator<Verdict>} */
  *checkCompleteness() {
    const { duty } = this;
    if (duty === null) return;
    if (duty.hasVoted && this.ballots.length === 0) {
      const why = "the governor says that this writer voted, the node does not show the vote's event";
      yield this.about().missing(STEPS.VOTES, why);
    }
    if (!this.inherited) yield this.answered(duty);
  }

  /** @param {Duty} duty */
  answered(duty) {
    const entries = this.entries.filter(({ kind, blockNumber }) => isTerminal(kind) && blockNumber >= duty.createdBlock);
    const about = this.about(entries.at(-1));
    const times = entries
      .filter(({ kind }) => kind !== "MISSED")
      .map(({ blockNumber }) => duty.times.get(blockNumber) ?? null);
    if (times.some((time) => isInTime(time, duty))) return about.matches(STEPS.COMPLETENESS);
    if (entries.some(({ kind }) => kind === "MISSED")) {
      return about.matches(STEPS.COMPLETENESS, "missed, and the log says so");
    }
    if (duty.state === "canceled") return about.matches(STEPS.COMPLETENESS, "canceled: nothing was left to decide");
    if (entries.length === 0 && this.isAnsweredLater(duty)) {
      return about.matches(STEPS.COMPLETENESS, `left open, and answered by its successor ${this.successor}`);
    }
    if (times.includes(null)) {
      const why = `the node does not tell the governor's time at the entry; the vote closes at ${duty.deadline}`;
      return about.notCheckable(STEPS.COMPLETENESS, why);
    }
    if (entries.length > 0) {
      const reason = "the entry was made after the vote had closed";
      return about.differs(STEPS.COMPLETENESS, "time", { expected: `at most ${duty.deadline}`, seen: times[0], reason });
    }
    if (isOpen(duty.state)) {
      return about.pending(STEPS.COMPLETENESS, `no decision yet; the vote closes at ${duty.deadline}`);
    }
    return about.missing(STEPS.COMPLETENESS, "a decision: the vote closed and the writer made no entry");
  }

  /** By a writer that took this one's place: in time, or by saying that it was missed. @param {Duty} duty */
  isAnsweredLater(duty) {
    return this.later.some(
      ({ kind, blockNumber }) =>
        kind === "MISSED" || (isTerminal(kind) && isInTime(duty.times.get(blockNumber) ?? null, duty)),
    );
  }
}

/** @param {bigint | null} time @param {Duty} duty */
const isInTime = (time, { deadline }) => time !== null && time <= deadline;

/** @param {Entry[]} entries @param {import("./log.js").Kind} kind */
const rootsOf = (entries, kind) => new Set(entries.filter((entry) => entry.kind === kind).map(({ recordRoot }) => recordRoot));

/** Step 6: events of contracts out of scope that name the writer, where nothing of the writer's own says that it voted there. @param {Map<string, number>} strangers @returns {Verdict[]} */
export const checkStrangers = (strangers) =>
  [...strangers].map(([contract, count]) =>
    new About().notCheckable(
      STEPS.VOTES,
      `${contract}, out of scope, says ${count} time(s) that this writer voted; anybody can emit that`,
    ),
  );
