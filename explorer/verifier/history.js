// Steps 2 to 5 for one writer: its registration, its entries, its configurations, and what it is. No I/O: it takes the
// writer's events in chain order, one at a time, and is closed with the state that the log itself holds.
import { DECISION_LOG, VOTE_GATE, VOTE_GATE_FACTORY, immutablesOf } from "./artifacts.js";
import { ZERO_WORD, toHex } from "./bytes.js";
import { checksum } from "./hash.js";
import { KINDS, SUCCESSION, fold, genesisOf, initialHead, isOfGate, successionSubject } from "./log.js";
import { About, STEPS } from "./verdict.js";

/** @typedef {import("./log.js").Entry} Entry */
/** @typedef {import("./log.js").Registered} Registered */
/** @typedef {import("./log.js").Announced} Announced */
/** @typedef {import("./log.js").Activated} Activated */
/** @typedef {import("./log.js").Declaration} Declaration */
/** @typedef {import("./log.js").WriterState} WriterState */
/** @typedef {import("./verdict.js").Verdict} Verdict */
/** @typedef {import("./verdict.js").Tier} Tier */

/** One configuration in force: from the block that brought it (inclusive) to the next one's. @typedef {{ declaration: Declaration, fromBlock: number, announced: Announced | null }} Scope */

/** Step 1. Without our code behind it, nothing that the log says has the meaning that the other steps rely on. @param {Uint8Array} code @returns {Verdict} */
export function checkLogCode(code) {
  if (immutablesOf(DECISION_LOG, code) !== null) return new About().matches(STEPS.LOG_CODE);
  return new About().differs(STEPS.LOG_CODE, "code", { reason: "another contract, not our DecisionLog" });
}

export class History {
  /**
   * @param {number} chainId @param {string} log @param {string} writer
   * @param {{ isGate: boolean, numberInContracts: (block: number) => Promise<number | null> }} options
   *   `numberInContracts` gives the number by which contracts know a block (Arbitrum has two), null where nobody can tell
   */
  constructor(chainId, log, writer, { isGate, numberInContracts }) {
    this.chainId = chainId;
    this.log = log;
    this.writer = writer;
    this.isGate = isGate;
    this.numberInContracts = numberInContracts;
    /** @type {Registered | null} */
    this.registered = null;
    /** By epoch. @type {Scope[]} */
    this.scopes = [];
    /** @type {Entry[]} */
    this.entries = [];
    this.head = "";
    this.paused = false;
    /** Numbers of the entries that were made while the guardian had paused the votes. @type {Set<number>} */
    this.madeWhilePaused = new Set();
    /** The Safe that votes for the writer, by the hash of the configuration that declares it. @type {Map<string, string>} */
    this.safes = new Map();
    /** With which it took another writer's place. @type {Entry | null} */
    this.beginning = null;
    /** With which another writer took its place. @type {Entry | null} */
    this.end = null;
    /** Announced, and not in force yet. @type {Announced | null} */
    this.announced = null;
    /** A CONFIG_ACTIVATED entry whose event is still to come. @type {Entry | null} */
    this.activation = null;
  }

  /** Where the writer's duties begin; null when it never registered. */
  get startBlock() {
    return this.scopes[0]?.fromBlock ?? null;
  }

  get predecessor() {
    return this.beginning && otherWriter(this.beginning);
  }

  get successor() {
    return this.end && otherWriter(this.end);
  }

  /** Every governor that the writer ever declared, in order. */
  get governors() {
    return [...new Set(this.scopes.flatMap(({ declaration }) => declaration.governors))].sort();
  }

  /** Whose votes count as the writer's in a block: its own, or those of a Safe. @param {number} block */
  voterAt(block) {
    const scope = this.scopes.findLast(({ fromBlock }) => fromBlock <= block);
    return this.safes.get(scope?.declaration.configHash ?? "") ?? this.writer;
  }

  /** The governors that the writer answered for in a block. @param {number} block */
  governorsAt(block) {
    return this.scopes.findLast(({ fromBlock }) => fromBlock <= block)?.declaration.governors ?? [];
  }

  /** A proposal announced in this block is the writer's to answer: not one from after its end. @param {string} governor @param {number} block */
  answersFor(governor, block) {
    return this.governorsAt(block).includes(governor) && (this.end === null || block <= this.end.blockNumber);
  }

  /** The configuration that an entry was made under. @param {Entry} entry */
  declarationAt(entry) {
    return this.scopes[entry.epoch]?.declaration ?? null;
  }

  /** The writer's next event. @param {Entry | Registered | Announced | Activated} event @returns {Promise<Verdict[]>} */
  async take(event) {
    switch (event.event) {
      case "entry":
        return [...this.append(event)];
      case "registered":
        return [await this.register(event)];
      case "announced":
        this.announced = event;
        return [];
      case "activated":
        return [this.activate(event)];
    }
  }

  // 2. Registration

  /** @param {Registered} event */
  async register(event) {
    const about = new About();
    if (this.scopes.length > 0) return about.differs(STEPS.REGISTRATION, "registrations", { expected: 1, seen: 2 });
    this.registered = event;
    this.head = initialHead(event.genesis);
    this.scopes.push({ declaration: event.declaration, fromBlock: event.blockNumber, announced: null });
    const expected = genesisOf(this.chainId, this.log, event);
    if (event.genesis !== expected) {
      const reason = "the event is not what the writer registered with";
      return about.differs(STEPS.REGISTRATION, "genesis", { expected, seen: event.genesis, reason });
    }
    const number = await this.numberInContracts(event.blockNumber);
    if (number !== null && number !== event.startBlock) {
      return about.differs(STEPS.REGISTRATION, "startBlock", { expected: number, seen: event.startBlock });
    }
    return about.matches(STEPS.REGISTRATION);
  }

  // 3. Entries

  /** @param {Entry} entry @returns {Generator<Verdict>} */
  *append(entry) {
    const about = new About(entry.seq);
    const expected = (this.entries.at(-1)?.seq ?? 0) + 1;
    const ended = this.end !== null;
    this.head = fold(this.head || initialHead(ZERO_WORD), entry);
    this.entries.push(entry);
    if (entry.seq !== expected) {
      const reason = "entries are not shown, or shown twice";
      yield about.differs(STEPS.ENTRIES, "seq", { expected, seen: entry.seq, reason });
    }
    if (ended) yield about.differs(STEPS.ENTRIES, "end", { reason: "an entry after another writer took this one's place" });
    yield* this.configurationOf(entry, about);
    if (entry.kind === "SUCCEEDED" || entry.kind === "SUCCEEDS") yield* this.succession(entry, about);
    yield* this.administration(entry, about);
  }

  /** All events were taken; `state` is what the log holds at the block that they reach to. @param {WriterState} state @returns {Generator<Verdict>} */
  *close(state) {
    const about = new About();
    if (this.scopes.length === 0) {
      const why = state.registered ? "the log's state knows the writer, its event is not shown" : "never registered";
      yield about.missing(STEPS.REGISTRATION, why);
      return;
    }
    const last = this.entries.at(-1)?.seq ?? 0;
    if (!state.registered) {
      yield about.differs(STEPS.ENTRIES, "state", { reason: "the log's state does not know this writer" });
    } else if (state.seq !== last) {
      const reason = state.seq > last ? "entries at the end are not shown" : "entries that the log does not hold";
      yield about.differs(STEPS.ENTRIES, "seq", { expected: state.seq, seen: last, reason });
    } else if (state.head !== this.head) {
      const reason = "an altered entry, or an altered registration";
      yield about.differs(STEPS.ENTRIES, "head", { expected: state.head, seen: this.head, reason });
    } else if (state.closed !== (this.end !== null)) {
      const [expected, seen] = state.closed ? ["closed", "open"] : ["open", "closed"];
      yield about.differs(STEPS.ENTRIES, "end", { expected, seen });
    } else {
      yield about.matches(STEPS.ENTRIES, `${last} entries, head ${this.head}`);
    }
    const epoch = this.scopes.length - 1;
    if (state.epoch !== epoch) yield about.differs(STEPS.CONFIGURATION, "epoch", { expected: state.epoch, seen: epoch });
  }

  // 2, too: both entries of a succession name the two writers

  /** @param {Entry} entry @param {About} about @returns {Generator<Verdict>} */
  *succession(entry, about) {
    const other = otherWriter(entry);
    const begins = entry.kind === "SUCCEEDS";
    if (begins) this.beginning ??= entry;
    else this.end = entry;
    if (begins && entry.seq !== 1) {
      const reason = "a writer succeeds with its first entry";
      yield about.differs(STEPS.REGISTRATION, "seq", { expected: 1, seen: entry.seq, reason });
    }
    const subject = begins ? successionSubject(other, this.writer) : successionSubject(this.writer, other);
    if (entry.subject !== subject || entry.promptHash !== SUCCESSION) {
      yield about.differs(STEPS.REGISTRATION, "subject", { reason: `it speaks of another succession than that with ${other}` });
    }
  }

  // 4. Configuration

  /** @param {Entry} entry @param {About} about @returns {Generator<Verdict>} */
  *configurationOf(entry, about) {
    const epoch = Math.max(this.scopes.length - 1, 0);
    if (entry.epoch !== epoch) yield about.differs(STEPS.CONFIGURATION, "epoch", { expected: epoch, seen: entry.epoch });
    if (entry.kind === "CONFIG_ANNOUNCED") yield this.announcement(entry, about);
    if (entry.kind === "CONFIG_ACTIVATED") this.activation = entry;
  }

  /** The event comes before its entry, in one transaction. @param {Entry} entry @param {About} about */
  announcement(entry, about) {
    const event = this.announced;
    if (event?.transactionHash !== entry.transactionHash) {
      return about.missing(STEPS.CONFIGURATION, "the event that says which configuration was announced");
    }
    const activeAt = entry.time + (this.registered?.noticeSeconds ?? 0);
    if (event.activeAt < activeAt) {
      return about.differs(STEPS.CONFIGURATION, "activeAt", { expected: activeAt, seen: event.activeAt });
    }
    const words = [entry.subject, entry.promptHash, entry.recordRoot, BigInt(entry.action)];
    const expected = [event.subject, event.declaration.configHash, event.subject, BigInt(event.activeAt)];
    if (words.some((word, index) => word !== expected[index])) {
      const reason = "it speaks of another configuration than its event";
      return about.differs(STEPS.CONFIGURATION, "entry", { reason });
    }
    if (event.epoch !== entry.epoch + 1) {
      return about.differs(STEPS.CONFIGURATION, "epoch", { expected: entry.epoch + 1, seen: event.epoch });
    }
    return about.matches(STEPS.CONFIGURATION);
  }

  /** @param {Activated} event */
  activate(event) {
    const { announced, activation: entry } = this;
    const about = new About(entry?.seq);
    this.announced = null;
    this.activation = null;
    if (announced === null || entry?.transactionHash !== event.transactionHash) {
      return about.missing(STEPS.CONFIGURATION, `configuration ${event.epoch} came into force without announcement`);
    }
    this.scopes.push({ declaration: announced.declaration, fromBlock: event.blockNumber, announced });
    if (entry.time < announced.activeAt) {
      return about.differs(STEPS.CONFIGURATION, "time", { expected: announced.activeAt, seen: entry.time });
    }
    const { configHash } = announced.declaration;
    if (event.configHash !== configHash || entry.subject !== announced.subject) {
      const reason = "another configuration than the announced one came into force";
      return about.differs(STEPS.CONFIGURATION, "configHash", { expected: configHash, seen: event.configHash, reason });
    }
    const epoch = this.scopes.length - 1;
    if (event.epoch !== epoch) return about.differs(STEPS.CONFIGURATION, "epoch", { expected: epoch, seen: event.epoch });
    return about.matches(STEPS.CONFIGURATION);
  }

  // 5, too: what a gate reports about itself

  /** Only a gate has a signer, an allowlist and a pause; and none of ours votes while paused. @param {Entry} entry @param {About} about @returns {Generator<Verdict>} */
  *administration(entry, about) {
    if (isOfGate(entry.kind) && !this.isGate) {
      const reason = "administration of a gate, by a writer that is none";
      yield about.differs(STEPS.WRITER, "kind", { seen: entry.kind, reason });
    } else if (entry.kind === "PAUSED" || entry.kind === "UNPAUSED") {
      this.paused = entry.kind === "PAUSED";
    } else if (entry.kind === "VOTE" && this.paused) {
      yield about.differs(STEPS.WRITER, "paused", { reason: "a vote while its votes were paused: no gate of ours does that" });
    }
    if (this.paused) this.madeWhilePaused.add(entry.seq);
  }
}

/** Whom an entry of a succession names. @param {Entry} entry */
const otherWriter = ({ action }) => checksum(`0x${action.slice(26)}`);

/** The record root of a successor's first entry. @param {string} head 24 bytes */
const successionRoot = (head) => head.padEnd(66, "0");

/**
 * Step 2, for a writer that took another one's place. `state` is the other one's in the log, `last` its SUCCEEDED entry
 * that names this writer, null when the node shows none.
 * @param {History} history @param {WriterState} state @param {Entry | null} last @returns {Verdict[]}
 */
export function checkPredecessor({ beginning, predecessor }, state, last) {
  if (beginning === null) return [];
  const about = new About(beginning.seq);
  if (last === null || !state.closed || last.seq !== state.seq) {
    return [about.missing(STEPS.REGISTRATION, `the last entry of ${predecessor} that names this writer as its successor`)];
  }
  return [committed(about, state.head, beginning, `it takes the place of ${predecessor}, from its last head on`)];
}

/** Step 2, for a writer whose place another one took. `first` is that one's SUCCEEDS entry. @param {History} history @param {Entry | null} first @returns {Verdict[]} */
export function checkSuccessor({ end, head, successor }, first) {
  if (end === null) return [];
  const about = new About(end.seq);
  if (first?.seq !== 1) {
    return [about.missing(STEPS.REGISTRATION, `the first entry of ${successor}, which takes this writer's place`)];
  }
  return [committed(about, head, first, `${successor} takes its place, from its last head on`)];
}

/** @param {About} about @param {string} head of the old writer @param {Entry} first of the new one @param {string} matching */
function committed(about, head, first, matching) {
  const expected = successionRoot(head);
  if (first.recordRoot === expected) return about.matches(STEPS.REGISTRATION, matching);
  const reason = "the successor commits to another head than the last one";
  return about.differs(STEPS.REGISTRATION, "recordRoot", { expected, seen: first.recordRoot, reason });
}

// 5. Writer

/** What was read about a writer that has code. `factory` is null where the contract did not answer. @typedef {{ factory: string | null, factoryCode: Uint8Array, confirmed: boolean }} GateEvidence */

const DELEGATION = "0xef0100";

/** EIP-7702: the contract whose code an account runs; null for any other code. @param {Uint8Array} code */
export const delegateOf = (code) =>
  code.length === 23 && toHex(code.subarray(0, 3)) === DELEGATION ? checksum(toHex(code.subarray(3))) : null;

/**
 * Step 5. Without `trustedFactory`, any contract with our factory's code for this log will do. An EIP-7702 account counts
 * as declared here; its votes can show that it is atomic.
 * @param {string} log @param {Uint8Array} code @param {GateEvidence | null} gate @param {string | null} trustedFactory
 * @returns {{ tier: Tier, verdict: Verdict }}
 */
export function checkWriter(log, code, gate, trustedFactory) {
  const about = new About();
  if (code.length === 0) {
    const reason = "a plain key: entry first, then vote; not enforced";
    return { tier: "declared", verdict: about.matches(STEPS.WRITER, reason) };
  }
  const delegate = delegateOf(code);
  if (delegate !== null) {
    const reason = `an EIP-7702 account that runs ${delegate}: its key can vote without an entry`;
    return { tier: "declared", verdict: about.matches(STEPS.WRITER, reason) };
  }
  const reason = gateProblem(log, code, gate, trustedFactory);
  if (reason) return { tier: "unknown", verdict: about.differs(STEPS.WRITER, "gate", { reason }) };
  return { tier: "enforced", verdict: about.matches(STEPS.WRITER, "a vote gate of ours: no vote without its entry") };
}

/** @param {string} log @param {Uint8Array} code @param {GateEvidence | null} gate @param {string | null} trusted */
function gateProblem(log, code, gate, trusted) {
  const immutables = immutablesOf(VOTE_GATE, code);
  if (immutables === null) return "the writer is a contract with other code than our vote gate: it may vote without an entry";
  if (!names(immutables.log, log)) return "the gate writes to another log";
  const factory = gate?.factory ?? null;
  if (gate === null || factory === null || !names(immutables.factory, factory)) return "the gate does not say which factory made it";
  if (trusted !== null && trusted !== factory) return `another factory made it: ${factory}, not ${trusted}`;
  const made = immutablesOf(VOTE_GATE_FACTORY, gate.factoryCode);
  if (made === null) return `its factory ${factory} has other code than ours`;
  if (!names(made.log, log)) return `its factory ${factory} makes gates for another log`;
  return gate.confirmed ? "" : `the factory ${factory} says that it did not make this gate`;
}

/** @param {string} word @param {string} address */
const names = (word, address) => word.slice(26) === address.slice(2).toLowerCase();

/** How many entries of each kind, in the order of their numbers. @param {Entry[]} entries */
export function countKinds(entries) {
  /** @type {{ [kind: string]: number }} */
  const counts = {};
  for (const { kind } of entries) counts[kind] = (counts[kind] ?? 0) + 1;
  const known = Object.keys(KINDS).filter((kind) => counts[kind] > 0);
  return Object.fromEntries(known.map((kind) => [kind.toLowerCase(), counts[kind]]));
}
