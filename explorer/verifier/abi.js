// The contract ABI: what is needed of it, in the one encoding that a compiler writes. What decodes here encodes again to
// the same bytes, so nothing can be read in two ways.
import { concat, fromHex, toHex, uint, utf8 } from "./bytes.js";
import { VerifierError } from "./errors.js";
import { tag } from "./hash.js";

const WORD = 32;

/**
 * A type, taken apart once. Values: `uintN` is a bigint (a number or decimal text will do to encode), `address` and
 * `bytesN` are 0x hex, `bytes` is a Uint8Array, `string` is text to encode and bytes when decoded (strings on chain need
 * not be UTF-8), `bool` a boolean, lists and tuples are arrays.
 * @typedef {{ base: "word", name: string, kind: "uint" | "address" | "bool" | "bytes", size: number } | { base: "blob", name: string } |
 *   { base: "list", item: Type } | { base: "tuple", parts: Type[] }} Type
 */

/** @type {Map<string, Type>} */
const parsed = new Map();

/** @param {string} text @returns {Type} */
function typeOf(text) {
  let found = parsed.get(text);
  if (found === undefined) {
    found = parseType(text);
    parsed.set(text, found);
  }
  return found;
}

/** @param {string} text @returns {Type} */
function parseType(text) {
  if (text.endsWith("[]")) return { base: "list", item: typeOf(text.slice(0, -2)) };
  if (text.startsWith("(")) return { base: "tuple", parts: splitTypes(text.slice(1, -1)).map(typeOf) };
  if (text === "bytes" || text === "string") return { base: "blob", name: text };
  if (text === "address") return { base: "word", name: text, kind: "address", size: 20 };
  if (text === "bool") return { base: "word", name: text, kind: "bool", size: 1 };
  const [, kind, digits] = /^(uint|bytes)([0-9]+)$/.exec(text) ?? [];
  if (kind === "uint") return { base: "word", name: text, kind, size: Number(digits) / 8 };
  if (kind === "bytes") return { base: "word", name: text, kind, size: Number(digits) };
  throw new TypeError(`no ABI type that is used here: ${text}`);
}

/** At the commas that are in no bracket. @param {string} text */
function splitTypes(text) {
  const parts = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at <= text.length; at += 1) {
    if (text[at] === "(") depth += 1;
    if (text[at] === ")") depth -= 1;
    if (at === text.length || (text[at] === "," && depth === 0)) {
      if (at > start) parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return parts;
}

/** @param {Type} type @returns {boolean} */
const isDynamic = (type) => {
  if (type.base === "tuple") return type.parts.some(isDynamic);
  return type.base !== "word";
};

/** Bytes in the head. @param {Type} type @returns {number} */
const headSize = (type) =>
  type.base === "tuple" && !isDynamic(type) ? type.parts.reduce((sum, part) => sum + headSize(part), 0) : WORD;

// --- encoding

/** @param {string[]} types @param {unknown[]} values @returns {Uint8Array} */
export const encode = (types, values) => encodeAll(types.map(typeOf), values);

/** @param {Type[]} types @param {unknown[]} values */
function encodeAll(types, values) {
  if (types.length !== values.length) throw new TypeError(`${values.length} values for ${types.length} types`);
  const encoded = types.map((type, index) => encodeOne(type, values[index]));
  let end = types.reduce((sum, type) => sum + headSize(type), 0);
  const heads = [];
  const tails = [];
  for (const [index, type] of types.entries()) {
    if (!isDynamic(type)) {
      heads.push(encoded[index]);
    } else {
      heads.push(uint(end, WORD));
      tails.push(encoded[index]);
      end += encoded[index].length;
    }
  }
  return concat(...heads, ...tails);
}

/** @param {Type} type @param {any} value @returns {Uint8Array} */
function encodeOne(type, value) {
  switch (type.base) {
    case "word":
      return encodeWord(type, value);
    case "blob": {
      const bytes = typeof value === "string" ? utf8(value) : value;
      return concat(uint(bytes.length, WORD), bytes, new Uint8Array(-bytes.length & (WORD - 1)));
    }
    case "list":
      return concat(uint(value.length, WORD), encodeAll(Array(value.length).fill(type.item), value));
    case "tuple":
      return encodeAll(type.parts, value);
  }
}

/** @param {Type & { base: "word" }} type @param {any} value */
function encodeWord(type, value) {
  if (type.kind === "uint" || type.kind === "bool") {
    return concat(new Uint8Array(WORD - type.size), uint(BigInt(value), type.size));
  }
  const bytes = fromHex(value);
  if (bytes.length !== type.size) throw new RangeError(`expected ${type.size} bytes for ${type.name}`);
  const padding = new Uint8Array(WORD - type.size);
  return type.kind === "address" ? concat(padding, bytes) : concat(bytes, padding);
}

/** Calldata of a function that is given by its signature. @param {string} signature @param {unknown[]} values */
export function encodeCall(signature, values = []) {
  const types = splitTypes(signature.slice(signature.indexOf("(") + 1, -1));
  return concat(fromHex(selector(signature)), encode(types, values));
}

/** @param {string} signature @returns {string} 4 bytes */
export const selector = (signature) => tag(signature).slice(0, 10);

// --- decoding

/** Throws `differs` when the bytes are not the encoding of these types. @param {string[]} types @param {Uint8Array} data @returns {any[]} */
export function decode(types, data) {
  const reader = new Decoder(data);
  const [values, end] = reader.sequence(types.map(typeOf), 0);
  reader.demand(end === data.length, end, `${data.length - end} bytes are left over`);
  return values;
}

class Decoder {
  /** @param {Uint8Array} data */
  constructor(data) {
    this.data = data;
  }

  /**
   * Heads one after another, then the tails in the same order without a gap.
   * @param {Type[]} types @param {number} start @returns {[any[], number]}
   */
  sequence(types, start) {
    const values = [];
    let head = start;
    let tail = start + types.reduce((sum, type) => sum + headSize(type), 0);
    for (const type of types) {
      if (isDynamic(type)) {
        this.demand(this.length(head) === tail - start, head, `an offset does not point to byte ${tail}`);
        const [value, end] = this.one(type, tail);
        values.push(value);
        head += WORD;
        tail = end;
      } else {
        const [value, end] = this.one(type, head);
        values.push(value);
        head = end;
      }
    }
    return [values, tail];
  }

  /** @param {Type} type @param {number} at @returns {[any, number]} */
  one(type, at) {
    switch (type.base) {
      case "word":
        return [this.word(type, at), at + WORD];
      case "blob":
        return this.blob(at);
      case "list": {
        const count = this.length(at);
        const room = this.data.length - at - WORD;
        this.demand(count * headSize(type.item) <= room, at, `a list of ${count} does not fit`);
        return this.sequence(Array(count).fill(type.item), at + WORD);
      }
      case "tuple":
        return this.sequence(type.parts, at);
    }
  }

  /** @param {Type & { base: "word" }} type @param {number} at */
  word(type, at) {
    const word = this.slice(at, WORD);
    const [padding, value] =
      type.kind === "bytes"
        ? [word.subarray(type.size), word.subarray(0, type.size)]
        : [word.subarray(0, WORD - type.size), word.subarray(WORD - type.size)];
    this.demand(!padding.some(Boolean), at, `out of range for ${type.name}`);
    if (type.kind === "bool") {
      this.demand(value[0] <= 1, at, "out of range for bool");
      return value[0] === 1;
    }
    return type.kind === "uint" ? BigInt(toHex(value)) : toHex(value);
  }

  /** @param {number} at @returns {[Uint8Array, number]} */
  blob(at) {
    const length = this.length(at);
    const start = at + WORD;
    const value = this.slice(start, length);
    const padding = this.slice(start + length, -length & (WORD - 1));
    this.demand(!padding.some(Boolean), start + length, "padding that is not zero");
    return [value, start + length + padding.length];
  }

  /** A length or an offset; one that is no safe integer fits nowhere. @param {number} at */
  length(at) {
    const number = BigInt(toHex(this.slice(at, WORD)));
    return number > BigInt(this.data.length) ? Infinity : Number(number);
  }

  /** @param {number} at @param {number} size */
  slice(at, size) {
    this.demand(at + size <= this.data.length, at, `${size} bytes are expected`);
    return this.data.subarray(at, at + size);
  }

  /** @param {boolean} condition @param {number} at @param {string} otherwise */
  demand(condition, at, otherwise) {
    if (!condition) throw new VerifierError("differs", `byte ${at}: ${otherwise}`);
  }
}
