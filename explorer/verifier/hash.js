// keccak-256, checksummed addresses, and who signed.
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { fromHex, toHex, utf8 } from "./bytes.js";

/** @param {Uint8Array} bytes @returns {Uint8Array} */
export const keccak = (bytes) => keccak_256(bytes);

/** @param {Uint8Array} bytes @returns {string} 0x hex */
export const keccakHex = (bytes) => toHex(keccak_256(bytes));

/** keccak-256 of ASCII: how the formats name their constants. @param {string} text @returns {string} 0x hex */
export const tag = (text) => keccakHex(utf8(text));

/** @type {Map<string, string>} */
const checksummed = new Map();
const MAX_REMEMBERED = 10_000;

/** The one form of an address that people read, EIP-55. @param {string} address @returns {string} */
export function checksum(address) {
  const digits = address.slice(2).toLowerCase();
  let found = checksummed.get(digits);
  if (found === undefined) {
    const hash = tag(digits).slice(2);
    found = `0x${[...digits].map((digit, index) => (hash[index] >= "8" ? digit.toUpperCase() : digit)).join("")}`;
    if (checksummed.size >= MAX_REMEMBERED) checksummed.clear();
    checksummed.set(digits, found);
  }
  return found;
}

/** True for 20 bytes of hex, in one case or with a right checksum. @param {unknown} text @returns {text is string} */
export function isAddress(text) {
  if (typeof text !== "string" || !/^0x[0-9a-fA-F]{40}$/.test(text)) return false;
  const digits = text.slice(2);
  return digits === digits.toLowerCase() || digits === digits.toUpperCase() || checksum(text) === text;
}

const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/**
 * The address whose key signed this digest; null for a signature that is none. One spelling only: r, s of at most half
 * the order, v of 27 or 28.
 * @param {string} digest @param {string} signature @returns {string | null}
 */
export function recoverAddress(digest, signature) {
  if (!/^0x[0-9a-f]{130}$/.test(signature)) return null;
  const v = parseInt(signature.slice(130), 16);
  if ((v !== 27 && v !== 28) || BigInt(`0x${signature.slice(66, 130)}`) > HALF_ORDER) return null;
  try {
    const bare = secp256k1.Signature.fromBytes(fromHex(signature.slice(0, 130)), "compact");
    const key = bare.addRecoveryBit(v - 27).recoverPublicKey(fromHex(digest));
    return checksum(toHex(keccak(key.toBytes(false).subarray(1)).subarray(12)));
  } catch {
    return null;
  }
}
