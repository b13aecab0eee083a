// What a refusal of a node means.
import { VerifierError } from "./errors.js";

export const TOO_MUCH_STATUS = [408, 413, 504, 524];
export const RETRY_STATUS = [429, 500, 502, 503];
const RATE_LIMITED = /too many requests|rate.?limit|request rate|per second|throttl|capacity/i;
const METHOD_MISSING =
  /method.{0,60}(not (found|supported|available|allowed|enabled|whitelisted|implemented)|does not exist|unsupported)|(unsupported|unknown|unrecognized) (rpc )?method/is;
const REVERTED =
  /\brevert|vm execution error|invalid ?\w{0,2}(opcode|jump)|opcodenotfound|bad ?(instruction|jump)|stack ?(under|over)flow|out ?of ?gas|execution aborted/i;
const NOT_OF_THE_CODE =
  /insufficient (funds|balance)|(header|block|state) .{0,60}not (found|available)|missing trie node|prun(ed|ing)|archive|historical state/is;
/** Error codes that say nothing about the code that was called. */
const UNANSWERABLE = [-32700, -32600, -32602, -32001, -32002, -32005];

/** The node refuses the size of a question. */
export class TooMuch extends VerifierError {
  /** @param {string} message @param {boolean} [timedOut] */
  constructor(message, timedOut = false) {
    super("unreachable", message, { hint: "check the endpoint, or use another one" });
    this.timedOut = timedOut;
  }
}

/** Worth another try after a pause. */
export class Busy extends VerifierError {
  /** @param {string} message @param {string} hint @param {number} [waitMs] */
  constructor(message, hint, waitMs = 0) {
    super("unreachable", message, { hint });
    this.waitMs = waitMs;
  }
}

/** The node answers an `eth_call` with an error that we do not know. */
export class CallFailed extends VerifierError {
  /** @param {string} message */
  constructor(message) {
    super("unreachable", message);
  }
}

/**
 * @param {{ method: string, code: number, message: string, status: number, retryAfterMs: number }} answered by the node
 * @param {string} text for people @returns {VerifierError}
 */
export function failureOf({ method, code, message, status, retryAfterMs }, text) {
  if (method === "eth_call" && (code === 3 || REVERTED.test(message))) return new VerifierError("reverted", text);
  if ([-32601, -32004].includes(code) || METHOD_MISSING.test(message)) {
    return new VerifierError("method-missing", text, { hint: "this step needs a node that offers the method" });
  }
  if (status === 429 || code === 429 || RATE_LIMITED.test(message)) {
    return new Busy(text, "the provider limits requests", retryAfterMs);
  }
  // Providers word their limits in a hundred ways: less is tried, then this is thrown.
  if (method === "eth_getLogs") return new TooMuch(text);
  if (method === "eth_call" && !UNANSWERABLE.includes(code) && !NOT_OF_THE_CODE.test(message)) return new CallFailed(text);
  return new VerifierError("unreachable", text);
}

/** (code, message) of a JSON-RPC error, however strangely it is built. @param {unknown} error */
export function errorParts(error) {
  if (error === null || typeof error !== "object") return { code: 0, message: String(error).slice(0, 300) };
  const { code, message } = /** @type {{ code?: unknown, message?: unknown }} */ (error);
  return {
    code: Number.isInteger(code) ? Number(code) : 0,
    message: String(message ?? "").slice(0, 300) || "an error without a message",
  };
}
