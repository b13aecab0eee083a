// A small JSON-RPC reader over fetch. Two rules hold everywhere. An error is never an empty answer: whatever the node
// could not or would not say is thrown. And nothing the node says is trusted to have the right shape.
import { VerifierError, isError } from "./errors.js";
import { Busy, CallFailed, RETRY_STATUS, TOO_MUCH_STATUS, TooMuch, errorParts, failureOf } from "./failures.js";
import { TooLong, causeOf, readBody, retryAfter } from "./http.js";
import { addressOf, blockOf, blockParam, bytes, callQuestion, hexOf, hexQuantity, isHash, logsOf, matcher, quantity } from "./wire.js";

/** @typedef {import("./wire.js").Block} Block */
/** @typedef {import("./wire.js").BlockId} BlockId */
/** @typedef {import("./wire.js").Log} Log */
/** @typedef {import("./wire.js").Question} Question */
/** @typedef {import("./wire.js").Topics} Topics */
/** @template T @typedef {import("./log.js").Read<T>} Read */

const PAUSES_MS = [200, 600, 1800];
const TIMEOUT_MS = 30_000;
/** So many time-outs on one search for logs are put down to the width of the range; one more, to the node. */
const MAX_TIMEOUTS = 4;
const MAX_ANSWER_BYTES = 256 * 2 ** 20;
/** Questions in one request, and requests under way. */
const BATCH = 100;
const AT_ONCE = 4;
/** Logs are asked for in pieces of so many blocks, so that a long history need not fit into one answer. */
export const SPAN_BLOCKS = 200_000;

export class Rpc {
  /** @param {string} url @param {{ signal?: AbortSignal, timeoutMs?: number, fetch?: typeof fetch }} [options] */
  constructor(url, { signal, timeoutMs = TIMEOUT_MS, fetch: fetchWith = (input, init) => fetch(input, init) } = {}) {
    const parts = URL.canParse(url) ? new URL(url) : null;
    if (parts === null || !["http:", "https:"].includes(parts.protocol)) {
      throw new VerifierError("usage", "the RPC endpoint must be an http:// or https:// URL", {
        hint: "websocket endpoints are not supported; most nodes offer HTTP too",
      });
    }
    /** Scheme and host only: the rest of an RPC URL is often a secret. The one form for messages. */
    this.displayUrl = parts.origin;
    this.secrets = secretsOf(parts);
    this.url = url;
    this.signal = signal;
    this.timeoutMs = timeoutMs;
    this.fetch = fetchWith;
    this.nextId = 1;
    this.batches = true;
    /** How many blocks one `eth_getLogs` asks for; learned from what the node refuses. */
    this.logSpan = SPAN_BLOCKS;
  }

  // --- what is read

  async chainId() {
    return this.checked("eth_chainId", [], quantity);
  }

  /** Throws `unreachable` when the node does not have the block. @param {BlockId} block @returns {Promise<Block>} */
  async block(block) {
    const byHash = isHash(block);
    const method = byHash ? "eth_getBlockByHash" : "eth_getBlockByNumber";
    const found = await this.checked(method, [byHash ? block : blockParam(block), false], blockOf);
    if (found === null) this.fail(`does not have block ${block}`, "it may lag behind, or the block was reorganised away");
    if ((typeof block === "number" && found.number !== block) || (byHash && found.hash !== block)) {
      this.fail(`answered with another block than ${block}: number ${found.number}`);
    }
    return found;
  }

  /** @param {string} address @param {BlockId} block */
  async code(address, block) {
    return this.checked("eth_getCode", [address, blockParam(block)], bytes);
  }

  /** In wei. @param {string} address @param {BlockId} block */
  async balance(address, block) {
    return this.checked("eth_getBalance", [address, blockParam(block)], (value) => BigInt(hexQuantity(value)));
  }

  /** Null when the node has no such transaction. @param {string} hash @returns {Promise<string | null>} who sent it */
  async sender(hash) {
    return this.checked("eth_getTransactionByHash", [hash], (found) =>
      found === null ? null : addressOf(/** @type {any} */ (found).from),
    );
  }

  /** @template T @param {Read<T>} read @param {BlockId} block @returns {Promise<T>} Throws `reverted`, `differs`. */
  async read(read, block) {
    const [answer] = await this.readAll([read], block);
    return answer();
  }

  /**
   * Many reads at one block. Each answer is a function, which gives the value or throws `reverted` or `differs`. Other
   * errors are thrown here.
   * @template T @param {Read<T>[]} reads @param {BlockId} block @returns {Promise<(() => T)[]>}
   */
  async readAll(reads, block) {
    const questions = reads.map((read) => callQuestion({ to: read.to, data: read.data }, block));
    const answers = await this.askAll(questions);
    return answers.map((answer, index) => () => {
      if (answer instanceof VerifierError) throw answer;
      return reads[index].understand(this.shaped("eth_call", answer, bytes));
    });
  }

  /** `eth_call` without a contract: runs this code. @param {string} code @param {BlockId} block */
  async run(code, block) {
    const answer = await this.ask(callQuestion({ data: code }, block));
    return this.shaped("eth_call", answer, bytes);
  }

  /**
   * In chain order. A range that the node refuses, for whatever reason, is halved down to one block; then the error is
   * thrown. Null matches every address, an empty list none.
   * @param {number} from @param {number} to @param {Topics} topics @param {string[] | null} addresses
   * @param {(done: number) => void} [onProgress] the last block that was read
   * @returns {Promise<Log[]>}
   */
  async logs(from, to, topics, addresses, onProgress = () => {}) {
    if (addresses !== null && addresses.length === 0) return [];
    const before = this.logSpan;
    let timeouts = 0;
    /** @type {Log[][]} */
    const found = [];
    for (let start = from; start <= to; ) {
      const end = Math.min(start + Math.floor(this.logSpan) - 1, to);
      try {
        found.push(await this.logsOnce(start, end, topics, addresses));
      } catch (refusal) {
        if (!(refusal instanceof TooMuch)) throw refusal;
        timeouts += refusal.timedOut ? 1 : 0;
        if (start === end || timeouts > MAX_TIMEOUTS) {
          this.logSpan = before; // the range was not the reason
          throw refusal;
        }
        this.logSpan = Math.max(1, (end - start + 1) / 2);
        continue;
      }
      onProgress(end);
      start = end + 1;
      // Slow growth: against a fixed limit it costs about one refused request in seven.
      this.logSpan = Math.min(this.logSpan * 1.125, SPAN_BLOCKS);
    }
    return found.flat();
  }

  /** @param {number} start @param {number} end @param {Topics} topics @param {string[] | null} addresses */
  async logsOnce(start, end, topics, addresses) {
    const query = { fromBlock: hexOf(start), toBlock: hexOf(end), topics, ...(addresses && { address: addresses }) };
    const logs = await this.checked("eth_getLogs", [query], logsOf);
    const wanted = matcher(topics, addresses);
    for (const log of logs) {
      if (!wanted(log) || log.blockNumber < start || log.blockNumber > end) {
        this.fail(`eth_getLogs: answered with a log that was not asked for (block ${log.blockNumber}, ${log.address})`);
      }
    }
    logs.sort((one, other) => one.blockNumber - other.blockNumber || one.logIndex - other.logIndex);
    for (const [index, log] of logs.entries()) {
      const next = logs[index + 1];
      if (next?.blockNumber === log.blockNumber && next.logIndex === log.logIndex) {
        this.fail(`eth_getLogs: gave log ${log.logIndex} of block ${log.blockNumber} twice`);
      }
    }
    return logs;
  }

  // --- questions

  /** @template T @param {string} method @param {unknown[]} params @param {(value: unknown) => T} understand */
  async checked(method, params, understand) {
    return this.shaped(method, await this.ask({ method, params }), understand);
  }

  /** @template T @param {string} method @param {unknown} value @param {(value: unknown) => T} understand @returns {T} */
  shaped(method, value, understand) {
    try {
      return understand(value);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return this.fail(`${method}: the answer is malformed (${why})`, "use another node");
    }
  }

  /** The result. Throws. @param {Question} question @returns {Promise<unknown>} */
  async ask(question) {
    for (const pause of [...PAUSES_MS, null]) {
      try {
        return await this.askOnce(question);
      } catch (error) {
        if (error instanceof CallFailed) return this.callAgain(question, error);
        if (!(error instanceof Busy) || pause === null) throw error;
        await this.sleep(Math.max(pause, error.waitMs));
      }
    }
  }

  /**
   * What fails again in the same words, at a block whose state the node has, is the fault of the code that was called: a
   * revert. Clients have a hundred words for that, and nobody may choose code that looks like a broken node.
   * @param {Question} question @param {CallFailed} failure @returns {Promise<unknown>}
   */
  async callAgain({ method, params }, failure) {
    const { to = `0x${"00".repeat(20)}` } = /** @type {{ to?: string }} */ (params[0]);
    try {
      await this.ask({ method: "eth_getBalance", params: [to, params[1]] });
    } catch (error) {
      if (isError(error, "unreachable", "method-missing")) throw failure;
      throw error;
    }
    try {
      return await this.askOnce({ method, params });
    } catch (again) {
      if (!(again instanceof CallFailed) || again.message !== failure.message) throw again;
      throw new VerifierError("reverted", failure.message);
    }
  }

  /**
   * Many questions. A revert is an answer; any other error is thrown.
   * @param {Question[]} questions @returns {Promise<unknown[]>}
   */
  async askAll(questions) {
    /** @type {Question[][]} */
    const batches = [];
    for (let at = 0; at < questions.length; at += BATCH) batches.push(questions.slice(at, at + BATCH));
    const answers = await mapAtOnce(batches, AT_ONCE, (batch) => this.askBatch(batch));
    return answers.flat();
  }

  /** @param {Question[]} questions @returns {Promise<unknown[]>} */
  async askBatch(questions) {
    if (this.batches && questions.length > 1) {
      const answers = await this.postBatch(questions);
      // What a batch could not answer is asked alone, with patience.
      if (answers !== null) {
        return Promise.all(
          answers.map((answer, index) => (answer instanceof Unanswered ? this.askForRevert(questions[index]) : answer)),
        );
      }
      this.batches = false;
    }
    return mapAtOnce(questions, AT_ONCE, (question) => this.askForRevert(question));
  }

  /** @param {Question} question */
  async askForRevert(question) {
    try {
      return await this.ask(question);
    } catch (error) {
      if (isError(error, "reverted")) return error;
      throw error;
    }
  }

  /** Null when the node takes no batches. @param {Question[]} questions @returns {Promise<unknown[] | null>} */
  async postBatch(questions) {
    const first = this.nextId;
    this.nextId += questions.length;
    const body = questions.map((question, index) => ({ jsonrpc: "2.0", id: first + index, ...question }));
    let answer;
    try {
      ({ answer } = await this.post("a batch", body));
    } catch (error) {
      if (isError(error, "unreachable")) return questions.map(() => new Unanswered());
      throw error;
    }
    if (!Array.isArray(answer)) return null;
    const byId = new Map(answer.map((one) => [one?.id, one]));
    return questions.map(({ method }, index) => {
      const one = byId.get(first + index);
      if (one?.error === undefined && one?.result !== undefined) return one.result;
      const error = one?.error ? this.answeredError(method, one.error, 200) : null;
      return isError(error, "reverted") ? error : new Unanswered();
    });
  }

  /** @param {Question} question @returns {Promise<unknown>} */
  async askOnce({ method, params }) {
    const id = this.nextId;
    this.nextId += 1;
    const { status, answer, retryAfterMs } = await this.post(method, { jsonrpc: "2.0", id, method, params });
    if (answer === null || typeof answer !== "object" || !("error" in answer || "result" in answer)) {
      this.requireStatus(method, status, retryAfterMs);
      this.fail(`${method}: answered with something that is not JSON-RPC`, "is this an RPC endpoint?");
    }
    if (answer.error !== undefined && answer.error !== null) {
      throw this.answeredError(method, answer.error, status, retryAfterMs);
    }
    this.requireStatus(method, status, retryAfterMs);
    if (answer.id !== id) this.fail(`${method}: answered another question than was asked`);
    if (answer.result === undefined) this.fail(`${method}: answered with neither a result nor an error`);
    return answer.result;
  }

  /**
   * @param {string} method @param {unknown} question
   * @returns {Promise<{ status: number, answer: any, retryAfterMs: number }>} `answer` is null when it is no JSON
   */
  async post(method, question) {
    const timeout = AbortSignal.timeout(this.timeoutMs);
    this.signal?.throwIfAborted();
    try {
      const response = await this.fetch(this.url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(question),
        signal: this.signal ? AbortSignal.any([this.signal, timeout]) : timeout,
        credentials: "omit",
        referrerPolicy: "no-referrer",
        cache: "no-store",
      });
      const text = new TextDecoder().decode(await readBody(response, MAX_ANSWER_BYTES));
      return { status: response.status, answer: parsed(text), retryAfterMs: retryAfter(response.headers) };
    } catch (error) {
      this.signal?.throwIfAborted();
      if (error instanceof TooLong) throw new TooMuch(this.text(`${method}: the answer is longer than ${MAX_ANSWER_BYTES} bytes`));
      if (timeout.aborted) throw new TooMuch(this.text(`${method}: no answer within ${this.timeoutMs / 1000} seconds`), true);
      throw new Busy(this.text(`${method}: cannot be reached (${causeOf(error)})`), "check that the node runs, that the URL is right, and that it lets web pages ask (CORS)");
    }
  }

  /** @param {string} method @param {number} status @param {number} retryAfterMs */
  requireStatus(method, status, retryAfterMs) {
    if (TOO_MUCH_STATUS.includes(status)) throw new TooMuch(this.text(`${method}: HTTP status ${status}`));
    if (RETRY_STATUS.includes(status)) {
      const hint = "the provider limits or fails; wait, or use another endpoint";
      throw new Busy(this.text(`${method}: HTTP status ${status}, also after ${PAUSES_MS.length} retries`), hint, retryAfterMs);
    }
    if (status < 200 || status >= 300) this.fail(`${method}: HTTP status ${status}`, "check the URL and its key");
  }

  /** @param {string} method @param {unknown} error @param {number} status @param {number} [retryAfterMs] @returns {VerifierError} */
  answeredError(method, error, status, retryAfterMs = 0) {
    const { code, message } = errorParts(error);
    return failureOf({ method, code, message, status, retryAfterMs }, this.text(`${method}: ${message} (code ${code})`));
  }

  /** @param {number} ms */
  async sleep(ms) {
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.signal?.throwIfAborted();
  }

  /** @param {string} message @param {string} [hint] @returns {never} */
  fail(message, hint = "") {
    throw new VerifierError("unreachable", this.text(message), { hint });
  }

  /** With the endpoint's name, and without whatever part of the URL may be a secret. @param {string} message */
  text(message) {
    const hidden = this.secrets.reduce((text, secret) => text.replaceAll(secret, "[hidden]"), message.slice(0, 500));
    return `${this.displayUrl}: ${hidden}`;
  }
}

/** No answer in a batch. */
class Unanswered {}

/**
 * @template T, R @param {T[]} items @param {number} atOnce @param {(item: T, index: number) => Promise<R>} work
 * @returns {Promise<R[]>} in order
 */
async function mapAtOnce(items, atOnce, work) {
  /** @type {R[]} */
  const results = new Array(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next;
      next += 1;
      results[index] = await work(items[index], index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return results;
}

/** @param {string} text @returns {any} */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Parts of a URL that may be keys: user, password, path segments, query values; the longest first. @param {URL} parts */
function secretsOf(parts) {
  const pieces = [parts.username, parts.password, ...parts.pathname.split("/"), ...parts.searchParams.values()];
  return [...new Set(pieces)].filter((piece) => piece.length >= 8).sort((one, other) => other.length - one.length);
}
