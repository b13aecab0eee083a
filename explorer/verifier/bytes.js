// Bytes and text. Hashes and addresses travel as 0x hex, everything of no fixed length as bytes.
import { bytesToHex as plainHex, concatBytes, hexToBytes as fromPlainHex } from "@noble/hashes/utils.js";

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** `0x` hex, lower case. @param {Uint8Array} bytes @returns {string} */
export const toHex = (bytes) => `0x${plainHex(bytes)}`;

/** Throws for what is no hex. @param {string} hex @returns {Uint8Array} */
export function fromHex(hex) {
  if (!hex.startsWith("0x")) throw new RangeError(`expected 0x hex bytes, got ${JSON.stringify(hex.slice(0, 60))}`);
  return fromPlainHex(hex.slice(2));
}

/** @param {...Uint8Array} parts @returns {Uint8Array} */
export const concat = (...parts) => concatBytes(...parts);

/** @param {string} text @returns {Uint8Array} */
export const utf8 = (text) => ENCODER.encode(text);

/** The text of UTF-8 bytes, null when they are none. @param {Uint8Array} bytes @returns {string | null} */
export function textOf(bytes) {
  try {
    return DECODER.decode(bytes);
  } catch {
    return null;
  }
}

/**
 * Text that a stranger wrote, for people: bytes that are not UTF-8 are shown as `\xff`.
 * @param {Uint8Array} bytes @returns {string}
 */
export function escapedText(bytes) {
  const whole = textOf(bytes);
  if (whole !== null) return whole;
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = lengthOfCharacter(bytes, at);
    const character = length ? textOf(bytes.subarray(at, at + length)) : null;
    text += character ?? `\\x${bytes[at].toString(16).padStart(2, "0")}`;
    at += character === null ? 1 : length;
  }
  return text;
}

/** @param {Uint8Array} bytes @param {number} at */
function lengthOfCharacter(bytes, at) {
  const first = bytes[at];
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/** @param {Uint8Array} one @param {Uint8Array} other */
export function sameBytes(one, other) {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

/** A number as big-endian bytes. @param {number | bigint} number @param {number} size @returns {Uint8Array} */
export function uint(number, size) {
  const value = BigInt(number);
  if (value < 0n || value >> BigInt(size * 8)) throw new RangeError(`${value} does not fit into ${size} bytes`);
  return fromPlainHex(value.toString(16).padStart(size * 2, "0"));
}

/** 32 bytes of zeros, in 0x hex. */
export const ZERO_WORD = `0x${"00".repeat(32)}`;
