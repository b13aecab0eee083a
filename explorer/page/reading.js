/**
 * What the page shows of the chain before anything is checked, newest first. It judges nothing: the verifier reads the
 * same again, and what it says stands beside what is shown.
 */
import { keccak_256 } from '@noble/hashes/sha3.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** @param {Uint8Array} data */
export const toHex = (data) => `0x${Array.from(data, (b) => b.toString(16).padStart(2, '0')).join('')}`;

/** @param {string} text */
const keccak = (text) => toHex(keccak_256(encoder.encode(text)));

/** @param {string} signature */
const selector = (signature) => keccak(signature).slice(0, 10);

const TOPIC = {
  registered: keccak('Registered(address,address,uint32,uint64,bytes32,bytes32,address[],string)'),
  entry: keccak('Entry(address,bytes32,uint8,uint40,uint16,uint48,bytes32,bytes32,bytes32)'),
  announced: keccak('ConfigurationAnnounced(address,uint16,uint48,bytes32,address[],string)'),
  activated: keccak('ConfigurationActivated(address,uint16,bytes32)'),
  remarked: keccak('Remarked(address,address,uint40,uint8,bytes32,string)'),
};

/** The checksummed form of an address. @param {string} address */
export function checksummed(address) {
  const digits = address.slice(2).toLowerCase();
  const hash = keccak(digits).slice(2);
  return `0x${[...digits].map((c, i) => (parseInt(hash[i], 16) >= 8 ? c.toUpperCase() : c)).join('')}`;
}

/** @param {string} address */
export const asWord = (address) => address.slice(2).toLowerCase().padStart(64, '0');

/** @param {number | bigint} number */
const numberWord = (number) => number.toString(16).padStart(64, '0');

/** Reads ABI words; a stranger's lengths and offsets never reach beyond the data. */
class Words {
  /** @param {string} hex */
  constructor(hex) {
    if (typeof hex !== 'string' || !/^0x([0-9a-fA-F]{2})*$/.test(hex)) throw new Error('the node answered with something that is no data');
    this.hex = hex.slice(2);
  }

  /** @param {number} i */
  word(i) {
    const word = this.hex.slice(i * 64, i * 64 + 64);
    if (word.length !== 64) throw new Error('the node answered with too little data');
    return word;
  }

  /** @param {number} i */
  bytes32(i) {
    return `0x${this.word(i)}`;
  }

  /** @param {number} i */
  uint(i) {
    return BigInt(`0x${this.word(i)}`);
  }

  /** @param {number} i */
  number(i) {
    const value = this.uint(i);
    if (value > 2n ** 53n) throw new Error('the node answered with a number that is out of range');
    return Number(value);
  }

  /** @param {number} i */
  address(i) {
    return checksummed(`0x${this.word(i).slice(24)}`);
  }

  /** @param {number} i where the offset stands */
  addresses(i) {
    const at = this.number(i) / 32;
    const count = this.number(at);
    if (count * 64 > this.hex.length) throw new Error('the node answered with a list that is longer than its data');
    return Array.from({ length: count }, (_, k) => this.address(at + 1 + k));
  }

  /** @param {number} i where the offset stands */
  string(i) {
    const at = this.number(i) / 32;
    const length = this.number(at);
    const hex = this.hex.slice((at + 1) * 64, (at + 1) * 64 + length * 2);
    return decoder.decode(Uint8Array.from(hex.match(/../g) ?? [], (b) => parseInt(b, 16)));
  }
}

/** An endpoint that failed, in words for people. */
export class ReadingError extends Error {}

const PATIENCE = 30_000;

/** Plain JSON-RPC. */
export class Rpc {
  /** @param {string} url */
  constructor(url) {
    this.url = url;
    this.next = 1;
  }

  /** @param {string} method @param {unknown[]} params @returns {Promise<any>} */
  async request(method, params) {
    const body = JSON.stringify({ jsonrpc: '2.0', id: this.next++, method, params });
    let answer;
    try {
      const response = await fetch(this.url, {
        method: 'POST', body, headers: { 'content-type': 'application/json' }, referrerPolicy: 'no-referrer', credentials: 'omit',
        signal: AbortSignal.timeout(PATIENCE),
      });
      answer = await response.json();
    } catch (error) {
      throw new ReadingError(`The RPC endpoint does not answer (${error instanceof Error ? error.message : error}). It must allow requests from web pages (CORS).`);
    }
    if (answer === null || typeof answer !== 'object' || answer.error || !('result' in answer)) {
      throw new ReadingError(`The RPC endpoint refused ${method}: ${String(answer?.error?.message ?? 'no result').slice(0, 300)}`);
    }
    return answer.result;
  }

  /** @param {string} to @param {string} data */
  async call(to, data) {
    return new Words(await this.request('eth_call', [{ to, data }, 'latest']));
  }

  async blockNumber() {
    return Number(await this.request('eth_blockNumber', []));
  }

  /** All logs of a range. Nodes have limits that they do not tell: a range that is refused is halved.
   * @param {number} from @param {number} to @param {string} address @param {(string | null)[]} topics @returns {Promise<any[]>} */
  async logs(from, to, address, topics) {
    try {
      const found = await this.request('eth_getLogs', [{ fromBlock: `0x${from.toString(16)}`, toBlock: `0x${to.toString(16)}`, address, topics }]);
      if (!Array.isArray(found)) throw new ReadingError('The RPC endpoint answered for logs with something that is no list.');
      return found;
    } catch (error) {
      if (to <= from) throw error;
      const middle = Math.floor((from + to) / 2);
      return [...(await this.logs(from, middle, address, topics)), ...(await this.logs(middle + 1, to, address, topics))];
    }
  }
}

/**
 * @typedef {{writer: string, operator: string, noticeSeconds: number, startBlock: number, configHash: string, governors: string[], evidenceUri: string}} Agent
 * @typedef {{writer: string, seq: number, epoch: number, kind: number, time: number, subject: string, promptHash: string, recordRoot: string, action: string, block: number, transaction: string}} Entry
 * @typedef {{epoch: number, configHash: string, governors: string[], evidenceUri: string, announcedBlock: number, activeAt: number, activatedBlock: number | null}} Declaration
 */

/** @param {any} log @returns {Agent} */
function agentOf(log) {
  const words = new Words(log.data);
  return {
    writer: checksummed(`0x${log.topics[1].slice(26)}`),
    operator: checksummed(`0x${log.topics[2].slice(26)}`),
    noticeSeconds: words.number(0),
    startBlock: words.number(1),
    configHash: words.bytes32(3),
    governors: words.addresses(4),
    evidenceUri: words.string(5),
  };
}

/** @param {any} log @returns {Entry} */
function entryOf(log) {
  const words = new Words(log.data);
  return {
    writer: checksummed(`0x${log.topics[1].slice(26)}`),
    subject: log.topics[2],
    kind: Number(log.topics[3]),
    seq: words.number(0),
    epoch: words.number(1),
    time: words.number(2),
    promptHash: words.bytes32(3),
    recordRoot: words.bytes32(4),
    action: words.bytes32(5),
    block: Number(log.blockNumber),
    transaction: log.transactionHash,
  };
}

const FIRST_STRIDE = 2_000;

/** One log, read for display. */
export class LogReader {
  /** @param {{rpc: string, log: string, from: string}} place */
  constructor(place) {
    this.rpc = new Rpc(place.rpc);
    this.log = place.log;
    this.from = place.from === '' ? null : Number(place.from);
    /** @type {Map<string, {entries: Entry[], down: number}>} newest first, and the block above which all are known */
    this.known = new Map();
  }

  /** @returns {Promise<{chainId: number, agents: Agent[]}>} */
  async agents() {
    const [chain, code, latest] = await Promise.all([
      this.rpc.request('eth_chainId', []), this.rpc.request('eth_getCode', [this.log, 'latest']), this.rpc.blockNumber(),
    ]);
    if (code === '0x') throw new ReadingError(`There is no contract at ${this.log} on chain ${Number(chain)}. Is this the right chain?`);
    this.from ??= await this.firstBlock(latest);
    const logs = await this.rpc.logs(this.from, latest, this.log, [TOPIC.registered]);
    return { chainId: Number(chain), agents: logs.map(agentOf) };
  }

  /** The block of the log's creation, by asking where it has code; 0 when the node has no old state.
   * @param {number} latest */
  async firstBlock(latest) {
    let [low, high] = [0, latest];
    try {
      while (low < high) {
        const middle = Math.floor((low + high) / 2);
        const code = await this.rpc.request('eth_getCode', [this.log, `0x${middle.toString(16)}`]);
        if (code === '0x') low = middle + 1;
        else high = middle;
      }
      return low;
    } catch {
      return 0;
    }
  }

  /** @param {string} writer @returns {Promise<{seq: number, epoch: number, flags: number, head: string}>} */
  async state(writer) {
    const words = await this.rpc.call(this.log, selector('stateOf(address)') + asWord(writer));
    return { head: words.bytes32(0), seq: words.number(1), epoch: words.number(2), flags: words.number(3) };
  }

  /** Entries below `before` (or the newest), newest first; at most `count`. Blocks are walked backwards.
   * @param {Agent} agent @param {number} count @param {number} [before] @returns {Promise<Entry[]>} */
  async newest(agent, count, before = Infinity) {
    const seen = this.known.get(agent.writer) ?? { entries: [], down: (await this.rpc.blockNumber()) + 1 };
    this.known.set(agent.writer, seen);
    let stride = FIRST_STRIDE;
    const enough = () => seen.entries.filter((entry) => entry.seq < before).length >= count;
    while (!enough() && seen.down > agent.startBlock) {
      const from = Math.max(agent.startBlock, seen.down - stride);
      const logs = await this.rpc.logs(from, seen.down - 1, this.log, [TOPIC.entry, `0x${asWord(agent.writer)}`]);
      seen.entries.push(...logs.map(entryOf).reverse());
      seen.down = from;
      stride *= 4;
    }
    return seen.entries.filter((entry) => entry.seq < before).slice(0, count);
  }

  /** @param {Agent} agent @param {number} seq @returns {Promise<Entry | null>} */
  async entry(agent, seq) {
    const known = () => this.known.get(agent.writer)?.entries.find((entry) => entry.seq === seq);
    if (!known()) await this.newest(agent, 1, seq + 1);
    return known() ?? null;
  }

  /** @param {Agent} agent @returns {Promise<Declaration[]>} in the order of their announcement, the first one included */
  async declarations(agent) {
    const latest = await this.rpc.blockNumber();
    const word = `0x${asWord(agent.writer)}`;
    const [announced, activated] = await Promise.all([
      this.rpc.logs(agent.startBlock, latest, this.log, [TOPIC.announced, word]),
      this.rpc.logs(agent.startBlock, latest, this.log, [TOPIC.activated, word]),
    ]);
    const { configHash, governors, evidenceUri, startBlock } = agent;
    const first = { epoch: 0, configHash, governors, evidenceUri, announcedBlock: startBlock, activeAt: 0, activatedBlock: startBlock };
    const later = announced.map((log) => {
      const words = new Words(log.data);
      return {
        epoch: words.number(0), activeAt: words.number(1), configHash: words.bytes32(2), governors: words.addresses(3),
        evidenceUri: words.string(4), announcedBlock: Number(log.blockNumber), activatedBlock: /** @type {number | null} */ (null),
      };
    });
    for (const log of activated) {
      const epoch = new Words(log.data).number(0);
      const declaration = later.filter((d) => d.epoch === epoch && d.announcedBlock <= Number(log.blockNumber)).at(-1);
      if (declaration) declaration.activatedBlock = Number(log.blockNumber);
    }
    return [first, ...later];
  }

  /** What others said about an entry. @param {Agent} agent @param {number} seq */
  async remarks(agent, seq) {
    const latest = await this.rpc.blockNumber();
    const topics = [TOPIC.remarked, null, `0x${asWord(agent.writer)}`, `0x${numberWord(seq)}`];
    const logs = await this.rpc.logs(agent.startBlock, latest, this.log, topics);
    return logs.map((log) => {
      const words = new Words(log.data);
      return { from: checksummed(`0x${log.topics[1].slice(26)}`), verdict: words.number(0), hash: words.bytes32(1), uri: words.string(2), block: Number(log.blockNumber) };
    });
  }

  /** Who holds a gate, as it is now; null for an account that is no gate. @param {string} writer */
  async gate(writer) {
    try {
      const [signer, guardian, operator, delay, paused] = await Promise.all(
        ['signer()', 'guardian()', 'operator()', 'delaySeconds()', 'votesPaused()'].map((name) => this.rpc.call(writer, selector(name))),
      );
      return { signer: signer.address(0), guardian: guardian.address(0), operator: operator.address(0), delaySeconds: delay.number(0), paused: paused.uint(0) !== 0n };
    } catch {
      return null;
    }
  }

  /** Voting power, as the governor's token has it now. @param {string} governor @param {string} delegate @param {string} holder */
  async delegation(governor, delegate, holder) {
    const token = (await this.rpc.call(governor, selector('token()'))).address(0);
    const ask = (/** @type {string} */ name, /** @type {string} */ argument = '') => this.rpc.call(token, selector(name) + argument);
    const [symbol, decimals] = await Promise.all([
      ask('symbol()').then((w) => w.string(0)).catch(() => ''), ask('decimals()').then((w) => w.number(0)).catch(() => 0),
    ]);
    const delegatePower = (await ask('getVotes(address)', asWord(delegate))).uint(0);
    const base = { token, symbol, decimals: decimals > 255 ? 0 : decimals, delegatePower };
    if (holder === '') return { ...base, holder: null };
    const [balance, power, delegatedTo] = await Promise.all([
      ask('balanceOf(address)', asWord(holder)).then((w) => w.uint(0)),
      ask('getVotes(address)', asWord(holder)).then((w) => w.uint(0)),
      ask('delegates(address)', asWord(holder)).then((w) => w.address(0)),
    ]);
    return { ...base, holder: { balance, power, delegatedTo } };
  }
}

/** Calldata of `delegate(address)` of a token with votes. @param {string} to */
export const delegateCall = (to) => selector('delegate(address)') + asWord(to);
