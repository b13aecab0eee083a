// What a log says, read without judging it: for pages that show it.
import { Chain, firstBlockWithCode } from "./chain.js";
import { VerifierError } from "./errors.js";
import { checksum, isAddress } from "./hash.js";
import { History, checkWriter, delegateOf } from "./history.js";
import { KINDS, TOPICS, decodeEntry, decodeEvent, topicOfAddress } from "./log.js";
import { toHex, uint } from "./bytes.js";
import { Rpc } from "./rpc.js";

/** @typedef {import("./log.js").Entry} Entry */

/**
 * A configuration. `announcedAt` is the block that announced it (the first one is in force at once), `activeFromBlock`
 * the one that brought it into force, null while its notice runs.
 * @typedef {import("./log.js").Declaration & { announcedAt: number | null, activeAt: number | null, activeFromBlock: number | null }} DeclarationRead
 */
/**
 * @typedef {object} WriterRead
 * @property {string} writer
 * @property {string | null} operator
 * @property {number} noticeSeconds
 * @property {number | null} startBlock
 * @property {DeclarationRead[]} declarations by epoch, the announced one last
 * @property {Entry[]} entries in order; with `newest`, the last ones only
 * @property {number} seq how many entries the log's state counts
 * @property {import("./verdict.js").Tier} tier by its code alone: only the votes of an EIP-7702 account tell whether it is atomic
 * @property {import("./log.js").Remark[]} remarks by anybody, about its entries
 * @property {string | null} predecessor
 * @property {string | null} successor
 */

/** Blocks that are asked for first when only the newest entries are wanted. */
const FIRST_SPAN = 2_000;
const GROWTH = 4;
/** Kinds of entries that say something about the writer itself. */
const OF_THE_WRITER = /** @type {const} */ (["CONFIG_ANNOUNCED", "CONFIG_ACTIVATED", "SUCCEEDED", "SUCCEEDS"]);

/**
 * Writers, declarations, entries and remarks of a log, up to the newest block (what is shown may still be undone by a
 * reorganisation: `upto: "finalized"` waits for what cannot). With `newest`, only so many of the last entries of each
 * writer, looked for from the end of the chain. Throws a `VerifierError` (`usage`, `unreachable`).
 * @param {{ rpc: string, log: string, writer?: string, factory?: string, upto?: import("./rpc.js").BlockId, fromBlock?: number,
 *   newest?: number, onProgress?: (progress: { writer: string, done: number, total: number }) => void, signal?: AbortSignal }} options
 * @returns {Promise<{ chainId: number, block: import("./rpc.js").Block, fromBlock: number, writers: WriterRead[] }>}
 */
export async function readLog({ rpc: url, log, writer, factory, upto = "latest", fromBlock, newest, onProgress = () => {}, signal }) {
  for (const address of [log, writer, factory]) {
    if (address !== undefined && !isAddress(address)) throw new VerifierError("usage", `no address: ${address}`);
  }
  const rpc = new Rpc(url, { signal });
  const [chainId, block] = await Promise.all([rpc.chainId(), rpc.block(upto)]);
  if ((await rpc.code(log, block.number)).length === 0) {
    throw new VerifierError("usage", `there is no contract at ${log} at block ${block.number} of chain ${chainId}`, {
      hint: "check the address, and that the endpoint is one of the right chain",
    });
  }
  const first = fromBlock ?? (await firstBlockWithCode(rpc, log, block.number));
  const chain = new Chain(rpc, checksum(log), chainId, block, first);
  const addresses = writer === undefined ? await chain.writers() : [checksum(writer)];
  const writers = [];
  for (const address of addresses) {
    const tell = (/** @type {number} */ reached) => onProgress({ writer: address, done: reached - first, total: block.number - first });
    writers.push(await readWriter(chain, address, factory ? checksum(factory) : null, newest, tell));
  }
  return { chainId, block, fromBlock: first, writers };
}

/**
 * @param {Chain} chain @param {string} writer @param {string | null} factory @param {number | undefined} newest
 * @param {(block: number) => void} tell @returns {Promise<WriterRead>}
 */
async function readWriter(chain, writer, factory, newest, tell) {
  const [tier, state] = await Promise.all([tierOf(chain, writer, factory), chain.state(writer)]);
  const history = new History(chain.chainId, chain.log, writer, {
    isGate: tier === "enforced",
    numberInContracts: async () => null,
  });
  if (newest === undefined || state.seq <= newest) {
    await takeAll(history, await chain.events(writer, tell));
  } else {
    await takeAll(history, await eventsOfTheWriter(chain, writer));
    history.entries = await newestEntries(chain, writer, Math.min(newest, state.seq), tell);
  }
  const remarks = await chain.remarks(writer);
  const { registered, startBlock, entries, predecessor, successor } = history;
  return {
    writer,
    operator: registered?.operator ?? null,
    noticeSeconds: registered?.noticeSeconds ?? 0,
    startBlock,
    declarations: declarationsOf(history),
    entries,
    seq: state.seq,
    tier,
    remarks: remarks.flatMap((remark) => (remark instanceof VerifierError ? [] : [remark])),
    predecessor,
    successor,
  };
}

/** @param {History} history @param {(import("./log.js").Entry | import("./log.js").Registered | import("./log.js").Announced | import("./log.js").Activated | VerifierError)[]} events */
async function takeAll(history, events) {
  for (const event of events) if (!(event instanceof VerifierError)) await history.take(event);
}

/** Everything but the entries about proposals: registration, configurations, successions. @param {Chain} chain @param {string} writer */
async function eventsOfTheWriter(chain, writer) {
  const topic = topicOfAddress(writer);
  const kinds = OF_THE_WRITER.map((kind) => toHex(uint(KINDS[kind], 32)));
  const logs = await Promise.all([
    chain.logs([[TOPICS.registered, TOPICS.announced, TOPICS.activated], topic]),
    chain.logs([TOPICS.entry, topic, null, kinds]),
  ]);
  const inOrder = logs.flat().sort((one, other) => one.blockNumber - other.blockNumber || one.logIndex - other.logIndex);
  return inOrder.map((log) => decodeEvent(log));
}

/** The last entries, looked for backwards in growing pieces. @param {Chain} chain @param {string} writer @param {number} count @param {(block: number) => void} tell */
async function newestEntries(chain, writer, count, tell) {
  /** @type {Entry[]} */
  let found = [];
  let span = FIRST_SPAN;
  for (let end = chain.block.number; end >= chain.firstBlock && found.length < count; end -= span, span *= GROWTH) {
    const start = Math.max(end - span + 1, chain.firstBlock);
    const logs = await chain.rpc.logs(start, end, [TOPICS.entry, topicOfAddress(writer)], [chain.log]);
    found = [...logs.map((log) => decodeEntry(log)), ...found];
    tell(chain.firstBlock + chain.block.number - start);
  }
  return found.slice(-count);
}

/** @param {Chain} chain @param {string} writer @param {string | null} factory */
async function tierOf(chain, writer, factory) {
  const code = await chain.rpc.code(writer, chain.block.number);
  const gate = code.length > 0 && delegateOf(code) === null ? await chain.gate(writer) : null;
  return checkWriter(chain.log, code, gate, factory).tier;
}

/** @param {History} history @returns {DeclarationRead[]} */
function declarationsOf({ scopes, announced }) {
  const inForce = scopes.map(({ declaration, fromBlock, announced: by }) => ({
    ...declaration,
    announcedAt: by?.blockNumber ?? null,
    activeAt: by?.activeAt ?? null,
    activeFromBlock: fromBlock,
  }));
  const waiting = announced && {
    ...announced.declaration,
    announcedAt: announced.blockNumber,
    activeAt: announced.activeAt,
    activeFromBlock: null,
  };
  return waiting ? [...inForce, waiting] : inForce;
}
