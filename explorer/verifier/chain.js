// What the check reads from the chain about one log, all of it pinned to one block.
import { VerifierError, isError } from "./errors.js";
import { CREATED_TOPIC, VOTE_TOPICS, decodeCreated, decodeVote, detect, readClock, standingReads, stateRead } from "./governor.js";
import { checksum } from "./hash.js";
import { HISTORY_TOPICS, KINDS, TOPICS, decodeEntry, decodeEvent, decodeRemark, readFactory, readIsGate, readState, successionSubject, topicOfAddress } from "./log.js"; // prettier-ignore
import { toHex, uint } from "./bytes.js";
import { SPAN_BLOCKS } from "./rpc.js";

/** @typedef {import("./rpc.js").Rpc} Rpc */
/** @typedef {import("./wire.js").Block} Block */
/** @typedef {import("./wire.js").Log} Log */
/** @typedef {import("./log.js").Entry} Entry */
/** @typedef {import("./governor.js").Governor} Governor */
/** @typedef {import("./governor.js").Governed} Governed */
/** @typedef {import("./votes.js").Duty} Duty */
/** @typedef {import("./votes.js").Ballot} Ballot */
/** @typedef {import("./log.js").ProposalKey} ProposalKey */

/** NUMBER, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN: as code of a call to nobody it answers with `block.number`. */
const RETURN_NUMBER = "0x4360005260206000f3";
/** So many writers of one line of successions are followed. */
const MAX_LINE = 100;

export class Chain {
  /** @param {Rpc} rpc @param {string} log @param {number} chainId @param {Block} block @param {number} firstBlock */
  constructor(rpc, log, chainId, block, firstBlock) {
    this.rpc = rpc;
    this.log = log;
    this.chainId = chainId;
    this.block = block;
    this.firstBlock = firstBlock;
    /** @type {Map<string, Promise<Governed>>} */
    this.known = new Map();
    /** @type {Map<string, Promise<boolean>>} */
    this.clocks = new Map();
    /** @type {Promise<number | null> | null} */
    this.numberNow = null;
  }

  // The log

  /** Every address that registered, in order. @returns {Promise<string[]>} */
  async writers() {
    const logs = await this.logs([TOPICS.registered]);
    return [...new Set(logs.filter(({ topics }) => topics.length > 1).map(({ topics }) => checksum(`0x${topics[1].slice(26)}`)))];
  }

  /**
   * The writer's events in the log, in chain order; an error for one that our log cannot have emitted.
   * @param {string} writer @param {(block: number) => void} [onProgress]
   */
  async events(writer, onProgress) {
    const logs = await this.logs([HISTORY_TOPICS, topicOfAddress(writer)], onProgress);
    return logs.map((log) => orError(() => decodeEvent(log)));
  }

  /** What anybody said about a writer's entries, in chain order. @param {string} writer */
  async remarks(writer) {
    const logs = await this.logs([TOPICS.remarked, null, topicOfAddress(writer)]);
    return logs.map((log) => orError(() => decodeRemark(log)));
  }

  /** @param {string} writer */
  async state(writer) {
    return this.rpc.read(readState(this.log, writer), this.block.number);
  }

  /** What a writer that has code says about its factory, and the factory about it. @param {string} writer @param {import("./wire.js").BlockId} [block] @returns {Promise<import("./history.js").GateEvidence>} */
  async gate(writer, block = this.block.number) {
    try {
      const factory = await this.rpc.read(readFactory(writer), block);
      const confirmed = await this.rpc.read(readIsGate(factory, writer), block);
      return { factory, factoryCode: await this.rpc.code(factory, block), confirmed };
    } catch (error) {
      if (!isError(error, "reverted", "differs")) throw error;
      return { factory: null, factoryCode: new Uint8Array(), confirmed: false };
    }
  }

  /** @param {import("./wire.js").Topics} topics @param {(block: number) => void} [onProgress] */
  async logs(topics, onProgress) {
    return this.rpc.logs(this.firstBlock, this.block.number, topics, [this.log], onProgress);
  }

  // Succession

  /**
   * The writer's entry of this kind, with which it takes another one's place or leaves its own; with `other`, the one that
   * names that one.
   * @param {string} writer @param {"SUCCEEDED" | "SUCCEEDS"} kind @param {string | null} [other] @returns {Promise<Entry | null>}
   */
  async succession(writer, kind, other = null) {
    const pair = kind === "SUCCEEDS" ? [other, writer] : [writer, other];
    const subject = other === null ? null : successionSubject(String(pair[0]), String(pair[1]));
    const [log] = await this.logs([TOPICS.entry, topicOfAddress(writer), subject, toHex(uint(KINDS[kind], 32))]);
    const entry = log && orError(() => decodeEntry(log));
    return entry === undefined || entry instanceof VerifierError ? null : entry;
  }

  /** The successors of a writer (by SUCCEEDED entries), or its predecessors (by SUCCEEDS entries), the nearest first. @param {string} writer @param {"SUCCEEDED" | "SUCCEEDS"} kind */
  async line(writer, kind) {
    /** @type {string[]} */
    const found = [];
    while (found.length < MAX_LINE) {
      const entry = await this.succession(found.at(-1) ?? writer, kind);
      const other = entry && checksum(`0x${entry.action.slice(26)}`);
      if (other === null || other === writer || found.includes(other)) break;
      found.push(other);
    }
    return found;
  }

  /** The block in which a writer registered. @param {string} writer */
  async registeredIn(writer) {
    const [log] = await this.logs([TOPICS.registered, topicOfAddress(writer)]);
    return log?.blockNumber ?? null;
  }

  /** Entries of other writers, by subject. @param {string[]} writers @returns {Promise<Map<string, Entry[]>>} */
  async entriesOf(writers) {
    if (writers.length === 0) return new Map();
    const logs = await this.logs([TOPICS.entry, writers.map(topicOfAddress)]);
    return bySubject(
      logs.flatMap((log) => {
        const entry = orError(() => decodeEntry(log));
        return entry instanceof VerifierError ? [] : [entry];
      }),
    );
  }

  // Governors

  /**
   * What a governor is: at the block that the check reaches to, or was at another one.
   * @param {string} address @param {string | null} [blockHash] @returns {Promise<Governed>}
   */
  governed(address, blockHash = null) {
    const name = `${address}@${blockHash}`;
    let found = this.known.get(name);
    if (found === undefined) {
      found = detect(this.rpc, address, blockHash ?? this.block.number);
      this.known.set(name, found);
    }
    return found;
  }

  /** What a governor announced, from a block on; an error for what cannot be understood. @param {string} governor @param {number} from @param {number} [to] */
  async proposals(governor, from, to = this.block.number) {
    const logs = await this.rpc.logs(from, Math.min(to, this.block.number), [CREATED_TOPIC], [governor]);
    return logs.map((log) => orError(() => decodeCreated(this.chainId, log)));
  }

  /**
   * Whether a governor knows a proposal, and did so before a block: it was not only made after that.
   * @param {Governor} governor @param {string} proposalId @param {number} before
   */
  async isThere(governor, proposalId, before) {
    const [state] = await this.rpc.readAll([stateRead(governor, proposalId)], this.block.number);
    try {
      state();
    } catch (error) {
      if (isError(error, "reverted")) return false;
      throw error;
    }
    const later = await this.proposals(governor.address, before);
    return !later.some((found) => !(found instanceof VerifierError) && found.key.proposal_id === proposalId);
  }

  /**
   * How proposals stand; an error for one about which the governor answers nonsense, or nothing.
   * @param {Governor} governor @param {{ key: ProposalKey, block: number, entries: Entry[] }[]} proposals @param {string} voter
   * @returns {Promise<(Duty | VerifierError)[]>}
   */
  async duties(governor, proposals, voter) {
    const reads = proposals.flatMap(({ key }) => standingReads(governor, key.proposalId, voter));
    const answers = await this.rpc.readAll(reads, this.block.number);
    const duties = [];
    for (const [index, { key, block, entries }] of proposals.entries()) {
      const duty = orError(() => {
        const [state, deadline, hasVoted] = answers.slice(index * 3, index * 3 + 3).map((answer) => answer());
        return { key, state, deadline, hasVoted, createdBlock: block };
      });
      duties.push(duty instanceof VerifierError ? duty : { ...duty, times: await this.times(governor, entries) });
    }
    return duties;
  }

  // Votes

  /**
   * Every vote event that names the writer, in whatever contract; an error for one that is none, in a governor that the
   * writer ever declared. Then those of its Safes, which may vote elsewhere as they please.
   * @param {import("./history.js").History} history @param {number} from @returns {Promise<(Ballot | VerifierError)[]>}
   */
  async ballots(history, from) {
    const found = [];
    for (const voter of new Set([history.writer, ...history.safes.values()])) {
      found.push(...(await this.ballotsOf(voter, history, from)));
    }
    return found;
  }

  /** @param {string} voter @param {import("./history.js").History} history @param {number} from @returns {Promise<(Ballot | VerifierError)[]>} */
  async ballotsOf(voter, history, from) {
    const { writer, governors } = history;
    const places = voter === writer ? null : governors;
    const logs = await this.rpc.logs(from, this.block.number, [VOTE_TOPICS, topicOfAddress(voter)], places);
    const sentBy = onceFor((/** @type {string} */ hash) => this.rpc.sender(hash));
    const found = [];
    for (const log of logs) {
      const isDeclared = governors.includes(log.address);
      const vote = orError(() => decodeVote(log));
      if (vote instanceof VerifierError) {
        if (isDeclared) found.push(vote); // elsewhere anybody can emit anything
      } else if (vote.voter === voter) {
        found.push({
          key: { chainId: this.chainId, governor: log.address, proposalId: vote.proposalId },
          support: vote.support,
          blockNumber: log.blockNumber,
          logIndex: log.logIndex,
          transactionHash: log.transactionHash,
          inScope: history.governorsAt(log.blockNumber).includes(log.address),
          isGenuine: isDeclared || (await sentBy(log.transactionHash)) === writer,
          counts: voter === history.voterAt(log.blockNumber),
          voter,
          executor: voter === writer ? "" : ((await sentBy(log.transactionHash)) ?? ""),
        });
      }
    }
    return found;
  }

  // Time. Contracts need not see the block number that the endpoint gives its blocks: on Arbitrum they see another
  // chain's. So the time is asked for on chain, and an entry's own numbers count only where they were seen to be the same.

  /** The governor's clock in the blocks of entries; null where the node cannot tell. @param {Governor} governor @param {Entry[]} entries */
  async times(governor, entries) {
    /** @type {Map<number, bigint | null>} */
    const times = new Map();
    for (const entry of entries) {
      if (times.has(entry.blockNumber)) continue;
      const told = (await this.isToldByHeaders(governor)) ? headerTime(governor, entry) : null;
      times.set(entry.blockNumber, told ?? (await this.clockAt(governor, await this.rpc.block(entry.blockNumber))));
    }
    return times;
  }

  /** True where the governor's clock is what the block's header says. @param {Governor} governor @returns {Promise<boolean>} */
  isToldByHeaders(governor) {
    let told = this.clocks.get(governor.address);
    if (told === undefined) {
      const { number, timestamp } = this.block;
      const header = BigInt(governor.clockMode === "timestamp" ? timestamp : number);
      told = this.clockAt(governor, this.block).then((now) => now === header);
      this.clocks.set(governor.address, told);
    }
    return told;
  }

  /** ERC-6372; governors older than that go by the number that contracts see. Null where the node cannot tell. @param {Governor} governor @param {Block} block @returns {Promise<bigint | null>} */
  async clockAt(governor, block) {
    return this.ifTold(async () => {
      try {
        return await this.rpc.read(readClock(governor), block.hash);
      } catch (error) {
        if (!isError(error, "reverted", "differs")) throw error;
        return governor.clockMode === "timestamp" ? BigInt(block.timestamp) : this.askNumber(block);
      }
    });
  }

  /** The number by which contracts know a block; null when the node cannot tell. @param {number} number @returns {Promise<number | null>} */
  async numberInContracts(number) {
    this.numberNow ??= this.ifTold(async () => Number(await this.askNumber(this.block)));
    if ((await this.numberNow) === this.block.number) return number;
    const block = await this.rpc.block(number);
    return this.ifTold(async () => Number(await this.askNumber(block)));
  }

  /** @param {Block} block */
  async askNumber(block) {
    return BigInt(toHex(await this.rpc.run(RETURN_NUMBER, block.hash)));
  }

  /** Null when the node keeps too little state, or does not answer such a call; throws when it is gone. @template T @param {() => Promise<T>} ask @returns {Promise<T | null>} */
  async ifTold(ask) {
    try {
      return await ask();
    } catch (error) {
      if (isError(error, "unreachable")) await this.rpc.balance(this.log, this.block.number);
      else if (!isError(error, "method-missing", "reverted") && !(error instanceof SyntaxError)) throw error;
      return null;
    }
  }
}

/** The log writes the time of its block into each entry, and the head binds it. @param {Governor} governor @param {Entry} entry */
const headerTime = ({ clockMode }, { time, blockNumber }) => BigInt(clockMode === "timestamp" ? time : blockNumber);

/**
 * Where to begin reading a contract's events: its first block, or 0 when the node keeps too little state to tell. A node
 * that lies here hides entries, and the log's state tells.
 * @param {Rpc} rpc @param {string} address @param {number} last
 */
export async function firstBlockWithCode(rpc, address, last) {
  if (last < SPAN_BLOCKS) return 0; // one question covers them all
  let [low, high] = [0, last];
  try {
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((await rpc.code(address, middle)).length > 0) high = middle;
      else low = middle + 1;
    }
  } catch (error) {
    if (isError(error, "unreachable")) return 0;
    throw error;
  }
  return low;
}

/** The value, or the error that says what is wrong with what the chain gave. @template T @param {() => T} make @returns {T | VerifierError} */
function orError(make) {
  try {
    return make();
  } catch (error) {
    if (isError(error, "differs", "reverted")) return error;
    throw error;
  }
}

/** @template {{ subject: string }} T @param {T[]} items @returns {Map<string, T[]>} */
export function bySubject(items) {
  /** @type {Map<string, T[]>} */
  const found = new Map();
  for (const item of items) {
    const same = found.get(item.subject);
    if (same) same.push(item);
    else found.set(item.subject, [item]);
  }
  return found;
}

/** @template T @param {(key: string) => Promise<T>} ask */
function onceFor(ask) {
  /** @type {Map<string, Promise<T>>} */
  const asked = new Map();
  return (/** @type {string} */ key) => {
    const known = asked.get(key) ?? ask(key);
    asked.set(key, known);
    return known;
  };
}
