// What a log says, read without judging it: for pages that show it. What the check says stands beside it.
import { Chain, firstBlockWithCode } from "./chain.js";
import { VerifierError } from "./errors.js";
import { checksum, isAddress } from "./hash.js";
import { checkLogCode, checkWriter, delegateOf } from "./history.js";
import { KINDS, TOPICS, decodeEntry, decodeEvent, decodeRemark, readState, topicOfAddress } from "./log.js";
import { toHex, uint } from "./bytes.js";
import { Rpc } from "./rpc.js";

/** @typedef {import("./log.js").Entry} Entry */
/** @typedef {import("./log.js").Registered} Agent */
/** The first one is in force at once; `activeFromBlock` is null while its notice runs. @typedef {import("./log.js").Declaration & { epoch: number, activeFromBlock: number | null }} Declared */

/** Entries are looked for backwards, in pieces of so many blocks at first, and of more with each piece. */
const FIRST_SPAN = 2_000;
const GROWTH = 4;

/**
 * One log, up to the newest block when it was opened (what is shown may still be undone by a reorganisation). State is
 * read at the newest block, because most nodes keep that of few others.
 */
export class LogReader {
  /** Throws a `VerifierError` (`usage`, `unreachable`). @param {{ rpc: string, log: string, factory?: string, fromBlock?: number, signal?: AbortSignal }} options */
  static async open({ rpc: url, log, factory, fromBlock, signal }) {
    for (const address of [log, factory]) {
      if (address !== undefined && !isAddress(address)) throw new VerifierError("usage", `Expected an address of 20 bytes in 0x hex with a valid checksum, got ${String(address).slice(0, 60)}.`);
    }
    const rpc = new Rpc(url, { signal });
    const [chainId, block, code] = await Promise.all([rpc.chainId(), rpc.block("latest"), rpc.code(log, "latest")]);
    if (code.length === 0) {
      throw new VerifierError("usage", `There is no contract at ${log} on chain ${chainId}. Is this the right chain?`);
    }
    if (checkLogCode(code).status !== "matches") {
      throw new VerifierError("usage", `The contract at ${log} is not a decision log that is known here.`);
    }
    return new LogReader(rpc, checksum(log), chainId, block, factory === undefined ? null : checksum(factory), fromBlock);
  }

  /** @param {Rpc} rpc @param {string} log @param {number} chainId @param {import("./wire.js").Block} block @param {string | null} factory @param {number} [fromBlock] */
  constructor(rpc, log, chainId, block, factory, fromBlock) {
    this.rpc = rpc;
    this.log = log;
    this.chainId = chainId;
    this.block = block;
    this.factory = factory;
    this.fromBlock = fromBlock;
    /** @type {Promise<Chain> | null} */
    this.reading = null;
    /** @type {Promise<Agent[]> | null} */
    this.joined = null;
    /** What was read of each writer's entries: newest first, down to a block. @type {Map<string, Promise<Backwards>>} */
    this.entries = new Map();
  }

  /** From the log's first block on, which has to be looked for. Nothing that shows the newest entries waits for it. */
  chain() {
    const { rpc, log, chainId, block, fromBlock } = this;
    this.reading ??= (async () => {
      const first = fromBlock ?? (await firstBlockWithCode(rpc, log, block.number));
      return new Chain(rpc, log, chainId, block, first);
    })();
    return this.reading;
  }

  /** Who writes to the log, in the order in which they joined. @returns {Promise<Agent[]>} */
  agents() {
    this.joined ??= (async () => {
      const logs = await (await this.chain()).logs([TOPICS.registered]);
      return logs.map((log) => /** @type {Agent} */ (decodeEvent(log)));
    })();
    return this.joined;
  }

  /** @param {string} writer @returns {Promise<Agent>} */
  async agent(writer) {
    const found = (await this.agents()).find((agent) => agent.writer === checksum(writer));
    if (found === undefined) throw new VerifierError("usage", `${writer} is no agent of this log.`);
    return found;
  }

  /** @param {string} writer */
  state(writer) {
    return this.rpc.read(readState(this.log, writer), "latest");
  }

  /** What its votes rest on, by its code alone: only the votes of an EIP-7702 account tell whether it is atomic. @param {string} writer */
  async tier(writer) {
    const code = await this.rpc.code(writer, "latest");
    const isContract = code.length > 0 && delegateOf(code) === null;
    const gate = isContract ? await (await this.chain()).gate(writer, "latest") : null;
    return checkWriter(this.log, code, gate, this.factory).tier;
  }

  /** Whom a writer took over from, and whom it handed over to, by its own entries. @param {string} writer */
  async line(writer) {
    const kinds = [KINDS.SUCCEEDED, KINDS.SUCCEEDS].map((kind) => toHex(uint(kind, 32)));
    const logs = await (await this.chain()).logs([TOPICS.entry, topicOfAddress(writer), null, kinds]);
    const entries = logs.map(decodeEntry);
    const named = (/** @type {import("./log.js").Kind} */ kind) => {
      const entry = entries.find((one) => one.kind === kind);
      return entry === undefined ? null : checksum(`0x${entry.action.slice(-40)}`);
    };
    return { predecessor: named("SUCCEEDS"), successor: named("SUCCEEDED") };
  }

  /** Entries below `before` (or the newest), newest first; at most `count`. @param {string} writer @param {number} count @param {number} [before] */
  async newest(writer, count, before = Infinity) {
    const key = checksum(writer);
    const opened = this.entries.get(key) ?? this.backwards(key);
    this.entries.set(key, opened);
    return (await opened).below(before, count);
  }

  /** @param {string} writer */
  async backwards(writer) {
    const { registered, seq } = await this.state(writer);
    if (!registered) throw new VerifierError("usage", `${writer} is no agent of this log.`);
    return new Backwards(this, writer, seq);
  }

  /** @param {string} writer @param {number} seq @returns {Promise<Entry | null>} */
  async entry(writer, seq) {
    const [found] = await this.newest(writer, 1, seq + 1);
    return found?.seq === seq ? found : null;
  }

  /** Its configurations, in the order of their announcement. @param {string} writer @returns {Promise<Declared[]>} */
  async declarations(writer) {
    const { declaration, blockNumber } = await this.agent(writer);
    const logs = await (await this.chain()).logs([[TOPICS.announced, TOPICS.activated], topicOfAddress(writer)]);
    /** @type {Declared[]} */
    const declared = [{ epoch: 0, ...declaration, activeFromBlock: blockNumber }];
    for (const event of logs.map(decodeEvent)) {
      if (event.event === "announced") declared.push({ epoch: event.epoch, ...event.declaration, activeFromBlock: null });
      const waiting = /** @type {Declared} */ (declared.at(-1));
      if (event.event === "activated" && waiting.epoch === event.epoch) waiting.activeFromBlock = event.blockNumber;
    }
    return declared;
  }

  /** What anybody says about an entry. @param {string} writer @param {number} seq */
  async remarks(writer, seq) {
    const topics = [TOPICS.remarked, null, topicOfAddress(writer), toHex(uint(seq, 32))];
    return (await (await this.chain()).logs(topics)).map(decodeRemark);
  }
}

/** The entries of one writer, read from the newest one downwards, no further than somebody asked. */
class Backwards {
  /** @param {LogReader} reader @param {string} writer @param {number} total how many it has, more or less: new ones may come */
  constructor(reader, writer, total) {
    this.reader = reader;
    this.topics = [TOPICS.entry, topicOfAddress(writer)];
    this.total = total;
    /** Newest first. @type {Entry[]} */
    this.found = [];
    /** From this block on, all are known. */
    this.down = reader.block.number + 1;
    this.span = 0;
    /** One question at a time, so that none is asked twice. @type {Promise<unknown>} */
    this.turn = Promise.resolve();
  }

  /** @param {number} before @param {number} count @returns {Promise<Entry[]>} */
  below(before, count) {
    const mine = this.turn.then(async () => {
      const below = () => this.found.filter(({ seq }) => seq < before);
      while (below().length < count && !this.isWhole) await this.readPiece(count + Math.max(0, this.total + 1 - before));
      return below().slice(0, count);
    });
    this.turn = mine.catch(() => {});
    return mine;
  }

  get isWhole() {
    return this.total === 0 || this.found.at(-1)?.seq === 1 || this.down <= (this.reader.fromBlock ?? 0);
  }

  /** @param {number} wanted how many entries, from the newest one on */
  async readPiece(wanted) {
    const { rpc, log } = this.reader;
    this.span = this.span === 0 ? this.firstSpan(wanted) : this.span * GROWTH;
    const from = Math.max(this.down - this.span, this.reader.fromBlock ?? 0);
    const logs = await rpc.logs(from, this.down - 1, this.topics, [log]);
    this.found.push(...logs.map(decodeEntry).reverse());
    this.down = from;
  }

  /** Where a chain is short for what the writer wrote, few blocks hold many entries. @param {number} wanted */
  firstSpan(wanted) {
    return Math.min(FIRST_SPAN, Math.max(1, Math.ceil((this.down * wanted) / this.total)));
  }
}
