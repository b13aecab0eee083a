// Where evidence lies, and how long it is waited for. Files are named by what they must hash to, so no place is trusted.
import { MAX_FILE_BYTES, fileName } from "./bundle.js";
import { VerifierError, isError } from "./errors.js";
import { TooLong, causeOf, readBody } from "./http.js";

/** @typedef {import("./log.js").Declaration} Declaration */

/**
 * Reads a file by its name; null when the place has none. Throws `unreachable`.
 * @typedef {{ read: (name: string) => Promise<Uint8Array | null> }} Store
 */

/** So many places of one declaration are asked; the rest of a hostile list is not. */
const MAX_PLACES = 8;
const FETCH_MS = 120_000;
const GONE = [404, 410];

/** A place of a writer that failed so often is not asked again. */
const MAX_FAILURES = 3;
/** No honest place needs longer for one file. */
const SLOW_MS = 20_000;
/** So much time goes into files of one writer that come slowly or fail; then none of its places is asked again. */
const PATIENCE_MS = 300_000;

/** @param {string} place */
export const isRemote = (place) => /^https?:\/\//i.test(place);

/**
 * The places that a declaration names, separated by spaces. All of them when there is none that a stranger can read, so
 * that a report can say so.
 * @param {string} evidenceUri @returns {string[]}
 */
export function placesOf(evidenceUri) {
  const named = [...new Set(evidenceUri.split(/\s+/).filter(Boolean))].slice(0, MAX_PLACES);
  const remote = named.filter(isRemote);
  if (remote.length > 0) return remote;
  return named.length > 0 ? named : [""];
}

/**
 * The store behind an http(s) URL; one that was opened already is given back.
 * @param {string | Store} place @param {AbortSignal} [signal] @returns {Store}
 */
export function openStore(place, signal) {
  if (typeof place !== "string") return place;
  if (!isRemote(place)) {
    throw new VerifierError("usage", `${place}: evidence is read from http(s):// URLs`, {
      hint: "in Node, open a folder with folderStore from ./folder.js",
    });
  }
  return { read: (name) => fetchFile(`${place.replace(/\/+$/, "")}/${name}`, signal) };
}

/** @param {string} url @param {AbortSignal} [signal] @returns {Promise<Uint8Array | null>} */
async function fetchFile(url, signal) {
  const timeout = AbortSignal.timeout(FETCH_MS);
  signal?.throwIfAborted();
  try {
    const response = await fetch(url, {
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      credentials: "omit",
      referrerPolicy: "no-referrer",
    });
    if (GONE.includes(response.status)) return null;
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    return await readBody(response, MAX_FILE_BYTES);
  } catch (error) {
    signal?.throwIfAborted();
    const why = error instanceof TooLong ? `larger than ${MAX_FILE_BYTES} bytes, given up` : causeOf(error);
    throw new VerifierError("unreachable", `${url}: ${why}`, { hint: "name another place that has the evidence" });
  }
}

/** No place that the writer declared can be read. The writer owes the evidence, so the failure is its own. */
export class EvidenceGone extends Error {}

/**
 * Evidence of one writer. A place that the member named must answer. Places from the chain were written by a stranger:
 * only http(s) URLs are opened, and the patience with them ends.
 */
export class Desk {
  /** @param {Store | null} named @param {Declaration[]} declarations @param {AbortSignal} [signal] */
  constructor(named, declarations, signal) {
    this.named = named;
    this.newest = declarations.at(-1)?.evidenceUri ?? "";
    this.signal = signal;
    this.lostMs = 0;
    /** @type {Map<string, { failures: number, why: string, store: Store }>} */
    this.places = new Map();
  }

  /**
   * What `open` makes of the file; null when no place has it, an error for what is wrong with it. Throws `EvidenceGone`.
   * `bad` takes the places that had something else than the file that another place has.
   * @template T @param {Declaration} declaration @param {string} digest @param {(bytes: Uint8Array) => T} open
   * @param {string[]} [bad] @returns {Promise<T | VerifierError | null>}
   */
  async find(declaration, digest, open, bad = []) {
    const name = fileName(digest);
    if (this.named !== null) return opened(await this.named.read(name), open);
    /** @type {VerifierError | null} */
    let wrong = null;
    let answered = false;
    /** @type {string[]} */
    const wrongAt = [];
    const places = [...new Set([this.newest, declaration.evidenceUri].flatMap(placesOf))];
    for (const place of places) {
      const bytes = await this.ask(place, name);
      if (bytes === undefined) continue;
      answered = true;
      const found = opened(bytes, open);
      if (found instanceof VerifierError) {
        wrong = found;
        wrongAt.push(`${place}: ${found.message}`);
      } else if (found !== null) {
        bad.push(...wrongAt);
        return found;
      }
    }
    if (!answered) throw new EvidenceGone(places.map((place) => `${JSON.stringify(place)}: ${this.whyNot(place)}`).join("; "));
    return wrong;
  }

  /** Undefined when the place does not answer, or is not asked. @param {string} place @param {string} name */
  async ask(place, name) {
    const known = this.open(place);
    if (known === null || known.failures >= MAX_FAILURES || this.lostMs > PATIENCE_MS) return undefined;
    const begun = performance.now();
    try {
      const bytes = await known.store.read(name);
      if (performance.now() - begun > SLOW_MS) this.lostMs += performance.now() - begun;
      return bytes;
    } catch (error) {
      if (!isError(error, "unreachable")) throw error;
      this.lostMs += performance.now() - begun;
      known.failures += 1;
      known.why = error.message;
      return undefined;
    }
  }

  /** @param {string} place */
  open(place) {
    if (!isRemote(place)) return null;
    let known = this.places.get(place);
    if (known === undefined) {
      known = { failures: 0, why: "", store: openStore(place, this.signal) };
      this.places.set(place, known);
    }
    return known;
  }

  /** @param {string} place */
  whyNot(place) {
    if (!isRemote(place)) return "no http(s) URL, so nothing a stranger can read (give the place of the evidence yourself)";
    return this.places.get(place)?.why || "not asked any more, after files that came slowly or not at all";
  }
}

/** @template T @param {Uint8Array | null} bytes @param {(bytes: Uint8Array) => T} open @returns {T | VerifierError | null} */
function opened(bytes, open) {
  if (bytes === null) return null;
  try {
    return open(bytes);
  } catch (error) {
    if (isError(error, "changed", "swapped", "malformed", "differs")) return error;
    throw error;
  }
}
