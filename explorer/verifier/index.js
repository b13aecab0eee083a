// The check of a decision log, in a browser or in Node: docs/verifying-js.md. The numbers of steps are those of
// docs/verifying.md.
//
//     const report = await verifyLog({ rpc: "https://...", log: "0x...", evidence: "https://..." });
//     report.ok, report.counts, JSON.stringify(report)
import { fileName, openBundle } from "./bundle.js";
import { Chain, bySubject, firstBlockWithCode } from "./chain.js";
import { openDisclosure } from "./disclosure.js";
import { EntryCheck } from "./entry.js";
import { VerifierError, isError } from "./errors.js";
import { Desk, openStore } from "./evidence.js";
import { checksum, isAddress } from "./hash.js";
import { History, checkLogCode, checkPredecessor, checkSuccessor, checkWriter, countKinds, delegateOf } from "./history.js";
import { KINDS, hasBundle, isTerminal, subjectOf } from "./log.js";
import { Rpc } from "./rpc.js";
import { About, Report, STEPS, WriterReport } from "./verdict.js";
import { Matter, checkStrangers } from "./votes.js";

export { MAX_FILE_BYTES, openBundle, withheldIn } from "./bundle.js";
export { mergeDisclosure, openDisclosure } from "./disclosure.js";
export { VerifierError } from "./errors.js";
export { LogReader } from "./read.js";
export { LEFT_IN_PART, LEFT_TO_PYTHON, labelOf } from "./verdict.js";

/** @typedef {import("./wire.js").BlockId} BlockId */
/** @typedef {import("./evidence.js").Store} Store */
/** @typedef {import("./disclosure.js").Disclosure} Disclosure */
/** @typedef {import("./verdict.js").Verdict} Verdict */
/** @typedef {import("./votes.js").Ballot} Ballot */
/** @typedef {import("./log.js").Entry} Entry */

/** What is being done, and how far it is. @typedef {{ writer: string, phase: "history" | "votes" | "proposals" | "entries", done: number, total: number }} Progress */

/**
 * @typedef {object} Options
 * @property {string} rpc the endpoint, an http(s) URL
 * @property {string} log address of the decision log
 * @property {string} [writer] this writer only
 * @property {string | Store} [evidence] where the bundles lie; without it, where the writers say on chain
 * @property {string} [factory] the one gate factory to accept; without it, any that has our code
 * @property {BlockId} [upto] the block that the check reaches to; the last finalized one, which cannot be undone
 * @property {number} [fromBlock] where the log's events begin; found out when not given
 * @property {(Uint8Array | Disclosure)[]} [disclosures] files that open sealed parts
 * @property {boolean} [logOnly] leaves out the steps that need the evidence
 * @property {(verdict: Verdict, writer: string | null) => void} [onVerdict] hears every verdict; the report keeps less
 * @property {(progress: Progress) => void} [onProgress]
 * @property {AbortSignal} [signal]
 */

/** Files of evidence that are on their way while one is judged. */
const FILES_AHEAD = 8;
/** Progress is told after so many entries. */
const TOLD_EVERY = 50;

/**
 * Checks one writer, or every writer, of a decision log: steps 1 to 12, 19 and 20. What it finds is in the report. Throws
 * a `VerifierError` with the code `usage` when there is nothing to check, and `unreachable` when the chain, or a place of
 * evidence that the caller named, cannot be read.
 * @param {Options} options @returns {Promise<Report>}
 */
export async function verifyLog(options) {
  const { evidence, signal, upto = "finalized", onVerdict = () => {} } = options;
  const [log, writer, factory] = [options.log, options.writer, options.factory].map(addressOrNull);
  if (log === null) throw new VerifierError("usage", "name the log's address");
  if (options.logOnly && options.disclosures?.length) {
    throw new VerifierError("usage", "with logOnly no record is looked at that a disclosure could open");
  }
  const named = evidence === undefined ? null : openStore(evidence, signal);
  const disclosures = (options.disclosures ?? []).map((file) => (file instanceof Uint8Array ? openDisclosure(file) : file));
  const rpc = new Rpc(options.rpc, { signal });
  const [chainId, block] = await Promise.all([rpc.chainId(), rpc.block(upto)]);
  const report = new Report(chainId, log, block);
  report.withoutEvidence = options.logOnly ?? false;
  const aboutTheLog = (/** @type {Verdict} */ verdict) => {
    report.verdicts.push(verdict);
    onVerdict(verdict, null);
  };
  aboutTheLog(checkLogCode(await logCode(rpc, log, chainId, block.number, upto)));
  if (report.hasProblems) return report; // nothing that this contract says can be relied on
  const chain = new Chain(rpc, log, chainId, block, options.fromBlock ?? (await firstBlockWithCode(rpc, log, block.number)));
  const writers = writer === null ? await chain.writers() : [writer];
  if (writers.length === 0) {
    throw new VerifierError("usage", `no writer has registered in the log ${log} up to block ${block.number}`);
  }
  const met = new Set();
  for (const address of writers) {
    const written = new WriterReport(address, onVerdict);
    report.writers.push(written);
    const check = new WriterCheck(chain, written, factory, options.onProgress ?? (() => {}));
    const recordsOf = (/** @type {History} */ history) => {
      const desk = new Desk(named, history.scopes.map(({ declaration }) => declaration), signal);
      return new EntryCheck(chain, history, desk, disclosures);
    };
    const records = await check.run(recordsOf, report.withoutEvidence);
    if (records === null || report.withoutEvidence) continue;
    await check.checkEntries(records, records.history.entries);
    for (const root of records.met) met.add(root);
  }
  if (report.withoutEvidence) return report;
  for (const { recordRoot } of disclosures) {
    if (!met.has(recordRoot)) aboutTheLog(ofNoEntry(recordRoot));
  }
  return report;
}

/**
 * What members look at comes first. A subject's entries stay together and in their order: what people said of the earlier
 * ones counts for the later ones.
 * @param {Entry[]} entries
 */
const newestFirst = (entries) => [...bySubject([...entries].reverse()).values()].flatMap((same) => same.reverse());

/** @param {string} recordRoot */
const ofNoEntry = (recordRoot) =>
  new About().differs(STEPS.BUNDLE, "disclosure", {
    seen: recordRoot,
    reason: "it opens a record that no entry names, of those that were checked",
  });

/**
 * The file of a bundle, checked against its record root: throws `changed`, `swapped`, `malformed` or `unreachable`; null
 * when the place has none.
 * @param {string | Store} store @param {string} recordRoot @param {AbortSignal} [signal]
 */
export async function fetchBundle(store, recordRoot, signal) {
  const bytes = await openStore(store, signal).read(fileName(recordRoot));
  return bytes && openBundle(recordRoot, bytes).bundle;
}

/** @param {string | undefined} text */
function addressOrNull(text) {
  if (text === undefined) return null;
  if (isAddress(text)) return checksum(text);
  throw new VerifierError("usage", `expected a 20-byte address in 0x hex with a valid checksum, got ${String(text).slice(0, 60)}`);
}

/** @param {Rpc} rpc @param {string} log @param {number} chainId @param {number} block @param {BlockId} upto */
async function logCode(rpc, log, chainId, block, upto) {
  const code = await rpc.code(log, block);
  if (code.length > 0) return code;
  const isNewer = upto !== "latest" && (await rpc.code(log, "latest")).length > 0;
  throw new VerifierError("usage", `there is no contract at ${log} at block ${block} of chain ${chainId}`, {
    hint: isNewer
      ? "the log is newer than the newest finalized block: wait, or check up to 'latest'"
      : "check the address, and that the endpoint is one of the right chain",
  });
}

/** Everything about one writer; its history is in memory, its bundles are one at a time. */
class WriterCheck {
  /** @param {Chain} chain @param {WriterReport} report @param {string | null} factory @param {(progress: Progress) => void} tell */
  constructor(chain, report, factory, tell) {
    this.chain = chain;
    this.report = report;
    this.factory = factory;
    /** @param {Progress["phase"]} phase @param {number} done @param {number} total */
    this.tell = (phase, done, total) => tell({ writer: report.writer, phase, done, total });
    /** `chain:governor:id` by subject. @type {Map<string, string>} */
    this.names = new Map();
    /** Whether each vote in scope came in one transaction with its entry. @type {boolean[]} */
    this.together = [];
  }

  /**
   * Steps 2 to 8. Null for a writer that never registered.
   * @param {(history: History) => EntryCheck} recordsOf @param {boolean} logOnly @returns {Promise<EntryCheck | null>}
   */
  async run(recordsOf, logOnly) {
    const { chain, report } = this;
    const code = await chain.rpc.code(report.writer, chain.block.number);
    const gate = code.length > 0 && delegateOf(code) === null ? await chain.gate(report.writer) : null;
    const { tier, verdict } = checkWriter(chain.log, code, gate, this.factory);
    report.tier = tier;
    const history = await this.readHistory(tier === "enforced");
    if (history.startBlock === null) return null;
    report.add([verdict]);
    await this.readRemarks();
    const line = await this.checkSuccession(history);
    const records = recordsOf(history);
    await this.findSafes(records, logOnly);
    await this.checkVotes(history, history.startBlock, line);
    if (delegateOf(code) !== null) {
      report.tier = this.together.length > 0 && this.together.every(Boolean) ? "atomic" : "declared";
    }
    return records;
  }

  // 2 to 4

  /** @param {boolean} isGate */
  async readHistory(isGate) {
    const { chain, report } = this;
    const { writer } = report;
    const numberInContracts = (/** @type {number} */ block) => chain.numberInContracts(block);
    const history = new History(chain.chainId, chain.log, writer, { isGate, numberInContracts });
    const last = chain.block.number;
    for (const event of await chain.events(writer, (block) => this.tell("history", block - chain.firstBlock, last - chain.firstBlock))) {
      if (event instanceof VerifierError) report.add([new About().differs(STEPS.ENTRIES, "event", { reason: event.message })]);
      else report.add(await history.take(event));
    }
    report.add(history.close(await chain.state(writer)));
    report.entries = history.entries.length;
    report.kinds = countKinds(history.entries);
    return history;
  }

  async readRemarks() {
    const { chain, report } = this;
    for (const remark of await chain.remarks(report.writer)) {
      if (remark instanceof VerifierError) report.add([new About().differs(STEPS.ENTRIES, "event", { reason: remark.message })]);
      else report.remarks.push(remark);
    }
  }

  /**
   * Who came before, and who after.
   * @param {History} history @returns {Promise<{ inheritsFrom: number | null, later: Map<string, Entry[]> }>}
   *   where the duties of its predecessors begin, and the entries of its successors by subject
   */
  async checkSuccession(history) {
    const { chain, report } = this;
    const { writer, predecessor, successor } = history;
    Object.assign(report, { predecessor, successor });
    let inheritsFrom = null;
    let later = new Map();
    if (predecessor !== null) {
      const [state, last] = [await chain.state(predecessor), await chain.succession(predecessor, "SUCCEEDED", writer)];
      report.add(checkPredecessor(history, state, last));
      for (const other of await chain.line(writer, "SUCCEEDS")) {
        const start = await chain.registeredIn(other);
        if (start !== null) inheritsFrom = Math.min(start, inheritsFrom ?? start);
      }
    }
    if (successor !== null) {
      report.add(checkSuccessor(history, await chain.succession(successor, "SUCCEEDS", writer)));
      later = await chain.entriesOf(await chain.line(writer, "SUCCEEDED"));
    }
    return { inheritsFrom, later };
  }

  // 6 to 8

  /**
   * Who votes is declared, and a gate votes itself. Without the evidence, the configurations may be out of reach: then the
   * writer's own votes are looked at.
   * @param {EntryCheck} records @param {boolean} logOnly
   */
  async findSafes(records, logOnly) {
    if (this.report.tier !== "declared") return;
    const { history } = records;
    try {
      history.safes = await records.safes();
    } catch (error) {
      if (!logOnly || !isError(error, "unreachable")) throw error;
    }
    this.report.safe = history.safes.get(history.scopes.at(-1)?.declaration.configHash ?? "") ?? null;
  }

  /** @param {History} history @param {number} start @param {{ inheritsFrom: number | null, later: Map<string, Entry[]> }} line */
  async checkVotes(history, start, { inheritsFrom, later }) {
    this.tell("votes", 0, 1);
    const entries = bySubject(history.entries.filter(({ kind }) => KINDS[kind] <= KINDS.CORRECTION));
    const ballots = await this.readBallots(history, start, entries);
    const settle = (/** @type {string} */ subject, /** @type {Partial<ConstructorParameters<typeof Matter>[0]>} */ more) => {
      if (this.names.has(subject)) return; // a node, or a governor, that shows one proposal twice
      const ours = { entries: entries.get(subject) ?? [], ballots: ballots.get(subject) ?? [], duty: null };
      this.settle(subject, new Matter({ ...ours, end: history.end, successor: history.successor, ...more }));
    };
    for (const [index, governor] of history.governors.entries()) {
      this.tell("proposals", index, history.governors.length);
      const first = Math.min(start, inheritsFrom ?? start);
      for (const { subject, duty, block, after } of await this.duties(history, governor, first, start, entries, later)) {
        settle(subject, { duty, inherited: block < start, later: after });
      }
    }
    for (const subject of new Set([...entries.keys(), ...ballots.keys()])) {
      if (!this.names.has(subject)) settle(subject, {});
    }
  }

  /** @param {string} subject @param {Matter} matter */
  settle(subject, matter) {
    if (matter.name !== null) this.names.set(subject, matter.name);
    this.report.add(matter.check(this.report.tier));
    this.together.push(...matter.together());
  }

  /** By subject. @param {History} history @param {number} start @param {Map<string, Entry[]>} entries @returns {Promise<Map<string, Ballot[]>>} */
  async readBallots(history, start, entries) {
    const { chain, report } = this;
    /** @type {(Ballot & { subject: string })[]} */
    const genuine = [];
    /** @type {Map<string, number>} */
    const strangers = new Map();
    for (const ballot of await chain.ballots(history, start)) {
      if (ballot instanceof VerifierError) {
        report.add([new About().differs(STEPS.VOTES, "event", { reason: ballot.message })]);
        continue;
      }
      const subject = subjectOf(ballot.key);
      const { governor } = ballot.key;
      const isAnnounced = entries.get(subject)?.some(({ kind }) => kind === "VOTE");
      if (ballot.isGenuine || isAnnounced) genuine.push({ ...ballot, subject });
      else strangers.set(governor, (strangers.get(governor) ?? 0) + 1);
    }
    report.add(checkStrangers(strangers));
    return bySubject(genuine.sort((one, other) => one.blockNumber - other.blockNumber || one.logIndex - other.logIndex));
  }

  /**
   * The proposals that the writer answers for: announced while the governor was in its scope.
   * @param {History} history @param {string} governor @param {number} first where its predecessors' duties begin
   * @param {number} start where its own do @param {Map<string, Entry[]>} entries @param {Map<string, Entry[]>} later
   */
  async duties(history, governor, first, start, entries, later) {
    const { chain, report } = this;
    const governed = await chain.governed(governor);
    if (governed.governor === null) {
      report.add([new About().notCheckable(STEPS.COMPLETENESS, governed.whyNot)]);
      return [];
    }
    const owed = [];
    let problem = null;
    for (const proposal of await chain.proposals(governor, first)) {
      if (proposal instanceof VerifierError) {
        problem = proposal;
        break;
      }
      const block = proposal.created_block;
      if (!history.answersFor(governor, Math.max(block, start))) continue;
      const key = { chainId: chain.chainId, governor, proposalId: proposal.key.proposal_id };
      const subject = subjectOf(key);
      const ours = entries.get(subject) ?? [];
      const after = ours.some(({ kind }) => isTerminal(kind)) ? [] : (later.get(subject) ?? []);
      owed.push({ key, subject, block, after, entries: [...ours, ...after] });
    }
    const standings = await chain.duties(governed.governor, owed, history.voterAt(chain.block.number));
    const found = [];
    for (const [index, duty] of standings.entries()) {
      if (duty instanceof VerifierError) {
        problem = duty;
        break;
      }
      const { subject, block, after } = owed[index];
      found.push({ subject, duty, block, after });
    }
    // A writer may declare a contract of its own making; that must not end the check of the others.
    if (problem) report.add([new About().differs(STEPS.COMPLETENESS, "governor", { seen: governor, reason: problem.message })]);
    return found;
  }

  // 9 to 12, 19, 20

  /** @param {EntryCheck} check @param {Entry[]} entries */
  async checkEntries(check, entries) {
    const withBundle = newestFirst(entries.filter(({ kind }) => hasBundle(kind)));
    const total = withBundle.length;
    /** @type {ReturnType<EntryCheck["fetch"]>[]} */
    const coming = [];
    for (const [index, entry] of withBundle.entries()) {
      while (coming.length < Math.min(index + FILES_AHEAD, total)) coming.push(check.fetch(withBundle[coming.length]));
      const evidence = coming[index];
      coming[index] = null; // one bundle in memory at a time, and those on their way
      if (evidence === null) continue;
      const about = new About(entry.seq, this.names.get(entry.subject));
      for await (const verdict of check.check(entry, about, evidence)) this.report.add([verdict]);
      if (index % TOLD_EVERY === 0) this.tell("entries", index, total);
    }
    this.tell("entries", total, total);
  }
}
