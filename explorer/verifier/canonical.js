// Canonical JSON: docs/record-format.md, section 1. One value, one sequence of bytes; what can be read in two ways is
// refused.
import { textOf, utf8 } from "./bytes.js";
import { VerifierError } from "./errors.js";
import { keccakHex } from "./hash.js";

/** @typedef {null | boolean | number | string | JsonList | JsonObject} Json */
/** @typedef {Json[]} JsonList */
/** Has no prototype, so that a key like `__proto__` is a key. @typedef {{ [key: string]: Json }} JsonObject */

export const MAX_DEPTH = 100;
export const MAX_VALUES = 500_000;
/** Of one object. */
export const MAX_KEYS = 10_000;

/** The value behind JSON bytes, canonical or not. Throws `malformed`. @param {Uint8Array} bytes @param {string} where */
export function parseJson(bytes, where) {
  const text = textOf(bytes);
  if (text === null) throw malformed(where, "not UTF-8");
  return new Reader(text, where).document();
}

/** The value behind bytes that must be in canonical form. Throws `malformed`. @param {Uint8Array} bytes @param {string} where */
export function parseCanonical(bytes, where) {
  const value = parseJson(bytes, where);
  if (canonical(value) !== textOf(bytes)) throw malformed(where, "not in its one canonical form (RFC 8785)");
  return value;
}

/**
 * RFC 8785: keys in the order of their UTF-16 units, which is how sort() orders strings; JSON.stringify writes strings
 * and safe integers as the RFC wants.
 * @param {Json} value @returns {string}
 */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const members = Object.keys(value).sort();
    return `{${members.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

/** @param {Json} value @returns {string} 0x hex */
export const valueHash = (value) => keccakHex(utf8(canonical(value)));

/**
 * Path of the first place, in canonical order, where two values differ; null when they are the same.
 * @param {Json} left @param {Json} right @param {string} where @returns {string | null}
 */
export function firstDifference(left, right, where) {
  if (Array.isArray(left) && Array.isArray(right)) {
    const common = Math.min(left.length, right.length);
    for (let index = 0; index < common; index += 1) {
      const found = firstDifference(left[index], right[index], `${where}[${index}]`);
      if (found !== null) return found;
    }
    return left.length === right.length ? null : `${where}[${common}]`;
  }
  if (isObject(left) && isObject(right)) {
    for (const key of [...new Set([...Object.keys(left), ...Object.keys(right)])].sort()) {
      if (!Object.hasOwn(left, key) || !Object.hasOwn(right, key)) return `${where}.${key}`;
      const found = firstDifference(left[key], right[key], `${where}.${key}`);
      if (found !== null) return found;
    }
    return null;
  }
  return left === right ? null : where;
}

/** @param {Json} value @returns {value is JsonObject} */
export const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

/** @param {string} where @param {string} why */
const malformed = (where, why) => new VerifierError("malformed", `${where}: ${why}`, { where });

const NUMBER = /-?(?:0|[1-9][0-9]*)/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const SPACE = /[ \t\n\r]*/y;
/** @type {{ [escape: string]: string }} */
const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** A strict reader. `JSON.parse` would keep the last of two equal keys, round numbers, and let lone surrogates in. */
class Reader {
  /** @param {string} text @param {string} where */
  constructor(text, where) {
    this.text = text;
    this.where = where;
    this.at = 0;
    this.depth = 0;
    this.values = 0;
  }

  /** @returns {Json} */
  document() {
    const value = this.value();
    this.space();
    if (this.at !== this.text.length) this.fail("something follows the value");
    return value;
  }

  /** @returns {Json} */
  value() {
    this.space();
    switch (this.text[this.at]) {
      case "{":
        return this.nested(() => this.object());
      case "[":
        return this.nested(() => this.list());
      case '"':
        return this.string();
      case "t":
        return this.word("true", true);
      case "f":
        return this.word("false", false);
      case "n":
        return this.word("null", null);
      default:
        return this.number();
    }
  }

  /** @template {Json} T @param {() => T} read @returns {T} */
  nested(read) {
    this.at += 1;
    this.depth += 1;
    if (this.depth > MAX_DEPTH) this.fail(`nested deeper than ${MAX_DEPTH} levels`);
    this.count();
    const value = read();
    this.depth -= 1;
    return value;
  }

  /** @returns {JsonObject} */
  object() {
    /** @type {JsonObject} */
    const found = Object.create(null);
    if (this.takes("}")) return found;
    let keys = 0;
    do {
      this.space();
      const key = this.string();
      if (Object.hasOwn(found, key)) this.fail(`the key ${JSON.stringify(key.slice(0, 80))} stands there twice`);
      keys += 1;
      if (keys > MAX_KEYS) this.fail(`an object with more than ${MAX_KEYS} keys`);
      if (!this.takes(":")) this.fail("expected a colon");
      found[key] = this.value();
    } while (this.another("}"));
    return found;
  }

  /** @returns {JsonList} */
  list() {
    /** @type {JsonList} */
    const found = [];
    if (this.takes("]")) return found;
    do found.push(this.value());
    while (this.another("]"));
    return found;
  }

  /** After an item: true when a comma and so another one follows. @param {string} end */
  another(end) {
    if (this.takes(",")) {
      this.count();
      return true;
    }
    if (!this.takes(end)) this.fail(`expected a comma or ${end}`);
    return false;
  }

  /** @returns {string} */
  string() {
    if (this.text[this.at] !== '"') this.fail("expected a string");
    this.at += 1;
    let found = "";
    for (;;) {
      found += this.match(PLAIN);
      const next = this.text[this.at];
      this.at += 1;
      if (next === '"') break;
      if (next !== "\\") this.fail("a string that does not end, or holds a control character");
      found += this.escape();
    }
    if (!found.isWellFormed()) this.fail("a lone surrogate is not Unicode text");
    return found;
  }

  escape() {
    const letter = this.text[this.at] ?? "";
    this.at += 1;
    if (letter === "u") {
      const digits = this.text.slice(this.at, this.at + 4);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail("\\u without four hex digits");
      this.at += 4;
      return String.fromCharCode(parseInt(digits, 16));
    }
    if (!Object.hasOwn(ESCAPES, letter)) this.fail(`the escape \\${letter}`);
    return ESCAPES[letter];
  }

  number() {
    const digits = this.match(NUMBER);
    if (digits === "") this.fail("expected a value");
    if (".eE".includes(this.text[this.at] ?? "!")) this.fail("a number that is no integer");
    const number = Number(digits);
    if (!Number.isSafeInteger(number)) this.fail(`the integer ${digits.slice(0, 24)} is beyond 2**53-1`);
    return number === 0 ? 0 : number;
  }

  /** @template {Json} T @param {string} word @param {T} value */
  word(word, value) {
    if (!this.text.startsWith(word, this.at)) this.fail("expected a value");
    this.at += word.length;
    return value;
  }

  /** @param {string} character */
  takes(character) {
    this.space();
    if (this.text[this.at] !== character) return false;
    this.at += 1;
    return true;
  }

  space() {
    this.match(SPACE);
  }

  /** @param {RegExp} pattern */
  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? "";
    this.at += found.length;
    return found;
  }

  count() {
    this.values += 1;
    if (this.values > MAX_VALUES) this.fail(`more than ${MAX_VALUES} values`);
  }

  /** @param {string} why @returns {never} */
  fail(why) {
    throw malformed(this.where, `not the JSON of a record: ${why} (character ${this.at})`);
  }
}
