/**
 * What the page shows of the chain before anything is checked, newest first. It judges nothing: the verifier reads the
 * same again, and what it says stands beside what is shown.
 */
import { escapedText, toHex, uint } from "../verifier/bytes.js";
import { isError } from "../verifier/errors.js";
import { checkLogCode, checkWriter } from "../verifier/history.js";
import { KINDS, TOPICS, decodeEntry, decodeEvent, decodeRemark, readFactory, readIsGate, readOf, readState, topicOfAddress } from "../verifier/log.js"; // prettier-ignore
import { checksum } from "../verifier/hash.js";
import { Rpc } from "../verifier/rpc.js";

/** @typedef {import("../verifier/log.js").Entry} Entry */
/** @typedef {import("../verifier/log.js").Registered} Agent */
/** @typedef {{ epoch: number, configHash: string, governors: string[], evidenceUri: string, activeFromBlock: number | null }} Declared */

/** In words for people. */
export class ReadingError extends Error {}

/** Up to so many blocks, asking for all of them is quicker than looking for the log's first one. */
const FEW_BLOCKS = 1_000_000;
const FIRST_STRIDE = 200;

/** @param {string} to @param {string} name */
const readAddress = (to, name) => readOf(to, name, [], ["address"], ([value]) => checksum(value));
/** @param {string} to @param {string} signature @param {unknown[]} values @param {string} [type] */
const readNumber = (to, signature, values = [], type = "uint256") => readOf(to, signature, values, [type], ([n]) => BigInt(n));

/** One log, read for display. */
export class LogReader {
  /** @param {{ rpc: string, log: string, from: string, factory: string }} place */
  constructor(place) {
    this.rpc = new Rpc(place.rpc);
    this.log = place.log;
    this.factory = place.factory === "" ? null : place.factory;
    this.from = place.from === "" ? null : Number(place.from);
    /** Newest first, and the block from which on all are known. @type {Map<string, { entries: Entry[], down: number }>} */
    this.known = new Map();
  }

  async latest() {
    return (await this.rpc.block("latest")).number;
  }

  /** @returns {Promise<{ chainId: number, agents: Agent[] }>} */
  async agents() {
    const [chainId, code, latest] = await Promise.all([this.rpc.chainId(), this.rpc.code(this.log, "latest"), this.latest()]);
    if (code.length === 0) throw new ReadingError(`There is no contract at ${this.log} on chain ${chainId}. Is this the right chain?`);
    if (checkLogCode(code).status !== "matches") throw new ReadingError(`The contract at ${this.log} is not a decision log that this page knows.`);
    this.from ??= latest <= FEW_BLOCKS ? 0 : await this.firstBlock(latest);
    const logs = await this.rpc.logs(this.from, latest, [TOPICS.registered], [this.log]);
    return { chainId, agents: logs.map((log) => /** @type {Agent} */ (decodeEvent(log))) };
  }

  /** The block of the log's creation, by asking where it has code; 0 when the node has no old state. @param {number} latest */
  async firstBlock(latest) {
    let [low, high] = [0, latest];
    try {
      while (low < high) {
        const middle = Math.floor((low + high) / 2);
        if ((await this.rpc.code(this.log, middle)).length === 0) low = middle + 1;
        else high = middle;
      }
      return low;
    } catch (error) {
      if (isError(error, "unreachable", "method-missing")) return 0;
      throw error;
    }
  }

  /** How many entries a writer has, who holds it, what its votes rest on, as it is now. @param {string} writer */
  async standing(writer) {
    const [state, code] = await Promise.all([this.rpc.read(readState(this.log, writer), "latest"), this.rpc.code(writer, "latest")]);
    const line = await this.line(writer);
    const { tier } = checkWriter(this.log, code, code.length === 0 ? null : await this.gateEvidence(writer), this.factory);
    return { state, line, tier: tier.toUpperCase(), gate: tier === "enforced" ? await this.gate(writer) : null };
  }

  /** Whom a writer took over from, and whom it handed over to, by its own entries. @param {string} writer */
  async line(writer) {
    const kinds = [KINDS.SUCCEEDED, KINDS.SUCCEEDS].map((kind) => toHex(uint(kind, 32)));
    const logs = await this.rpc.logs(this.from ?? 0, await this.latest(), [TOPICS.entry, topicOfAddress(writer), null, kinds], [this.log]);
    const entries = logs.map(decodeEntry);
    const named = (/** @type {string} */ kind) => entries.filter((entry) => entry.kind === kind).map(({ action }) => checksum(`0x${action.slice(-40)}`));
    return { predecessor: named("SUCCEEDS")[0] ?? null, successor: named("SUCCEEDED")[0] ?? null };
  }

  /** @param {string} writer */
  async gateEvidence(writer) {
    const factory = await this.orNull(readFactory(writer));
    if (factory === null) return null;
    const factoryCode = await this.rpc.code(factory, "latest");
    return { factory, factoryCode, confirmed: (await this.orNull(readIsGate(factory, writer))) === true };
  }

  /** Null where a contract gives no such answer. @template T @param {import("../verifier/log.js").Read<T>} read @returns {Promise<T | null>} */
  async orNull(read) {
    try {
      return await this.rpc.read(read, "latest");
    } catch (error) {
      if (isError(error, "reverted", "differs")) return null;
      throw error;
    }
  }

  /** Who holds a gate. @param {string} gate */
  async gate(gate) {
    const people = await this.rpc.readAll(["signer()", "guardian()", "operator()"].map((name) => readAddress(gate, name)), "latest");
    const [signer, guardian, operator] = people.map((answer) => answer());
    const delaySeconds = Number(await this.rpc.read(readNumber(gate, "delaySeconds()", [], "uint32"), "latest"));
    const paused = await this.rpc.read(readOf(gate, "votesPaused()", [], ["bool"], ([yes]) => yes === true), "latest");
    return { signer, guardian, operator, delaySeconds, paused };
  }

  /**
   * Entries below `before` (or the newest), newest first; at most `count`. Blocks are walked backwards.
   * @param {Agent} agent @param {number} count @param {number} [before] @returns {Promise<Entry[]>}
   */
  async newest({ writer, startBlock }, count, before = Infinity) {
    const seen = this.known.get(writer) ?? { entries: [], down: (await this.latest()) + 1 };
    this.known.set(writer, seen);
    const below = () => seen.entries.filter((entry) => entry.seq < before);
    for (let stride = FIRST_STRIDE; below().length < count && seen.down > startBlock; stride *= 8) {
      const from = Math.max(startBlock, seen.down - stride);
      const logs = await this.rpc.logs(from, seen.down - 1, [TOPICS.entry, topicOfAddress(writer)], [this.log]);
      seen.entries.push(...logs.map(decodeEntry).reverse());
      seen.down = from;
    }
    return below().slice(0, count);
  }

  /** @param {Agent} agent @param {number} seq @returns {Promise<Entry | null>} */
  async entry(agent, seq) {
    const [found] = await this.newest(agent, 1, seq + 1);
    return found?.seq === seq ? found : null;
  }

  /** In the order of their announcement, the first one included. @param {Agent} agent @returns {Promise<Declared[]>} */
  async declarations(agent) {
    const topics = [[TOPICS.announced, TOPICS.activated], topicOfAddress(agent.writer)];
    const logs = await this.rpc.logs(agent.startBlock, await this.latest(), topics, [this.log]);
    /** @type {Declared[]} */
    const declared = [{ epoch: 0, ...agent.declaration, activeFromBlock: agent.startBlock }];
    for (const event of logs.map(decodeEvent)) {
      if (event.event === "announced") declared.push({ epoch: event.epoch, ...event.declaration, activeFromBlock: null });
      const waiting = /** @type {Declared} */ (declared.at(-1));
      if (event.event === "activated" && waiting.epoch === event.epoch) waiting.activeFromBlock = event.blockNumber;
    }
    return declared;
  }

  /** What others said about an entry. @param {Agent} agent @param {number} seq */
  async remarks({ writer, startBlock }, seq) {
    const topics = [TOPICS.remarked, null, topicOfAddress(writer), toHex(uint(seq, 32))];
    return (await this.rpc.logs(startBlock, await this.latest(), topics, [this.log])).map(decodeRemark);
  }

  /** Voting power, as the governor's token has it now. @param {string} governor @param {string} delegate @param {string} holder */
  async delegation(governor, delegate, holder) {
    const token = await this.orNull(readAddress(governor, "token()"));
    if (token === null) throw new ReadingError("This governor does not say which token its votes come from. Delegate where your DAO tells you.");
    const symbol = (await this.orNull(readOf(token, "symbol()", [], ["bytes"], ([text]) => escapedText(text)))) ?? "";
    const decimals = Number((await this.orNull(readNumber(token, "decimals()", [], "uint8"))) ?? 0n);
    const delegatePower = await this.rpc.read(readNumber(token, "getVotes(address)", [delegate]), "latest");
    if (holder === "") return { token, symbol, decimals, delegatePower, holder: null };
    const [balance, power] = await this.rpc.readAll(["balanceOf(address)", "getVotes(address)"].map((name) => readNumber(token, name, [holder])), "latest");
    const delegatedTo = await this.rpc.read(readOf(token, "delegates(address)", [holder], ["address"], ([to]) => checksum(to)), "latest");
    return { token, symbol, decimals, delegatePower, holder: { balance: balance(), power: power(), delegatedTo } };
  }

  /** True when a transaction went through, false when it failed, null when it is not mined yet. @param {string} hash */
  async outcome(hash) {
    return this.rpc.checked("eth_getTransactionReceipt", [hash], (found) => (found === null ? null : /** @type {any} */ (found).status === "0x1"));
  }
}
