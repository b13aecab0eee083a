// Our compiled contracts: which bytes an address must hold to be one of them.
import decisionLog from "../../contracts/pnyx_contracts/abi/DecisionLog.json" with { type: "json" };
import voteGate from "../../contracts/pnyx_contracts/abi/VoteGate.json" with { type: "json" };
import voteGateFactory from "../../contracts/pnyx_contracts/abi/VoteGateFactory.json" with { type: "json" };
import { fromHex, sameBytes, toHex } from "./bytes.js";

/** @typedef {{ deployedBytecode: string, immutables: { [name: string]: { start: number, length: number }[] } }} Artifact */

export const DECISION_LOG = /** @type {Artifact} */ (decisionLog);
export const VOTE_GATE = /** @type {Artifact} */ (voteGate);
export const VOTE_GATE_FACTORY = /** @type {Artifact} */ (voteGateFactory);

/**
 * The immutables of deployed code by name, as 0x hex; null when the code is not this contract: the same code outside of
 * the immutables, and each immutable the same wherever it stands.
 * @param {Artifact} artifact @param {Uint8Array} code @returns {{ [name: string]: string } | null}
 */
export function immutablesOf({ deployedBytecode, immutables }, code) {
  const masked = Uint8Array.from(code);
  for (const { start, length } of Object.values(immutables).flat()) masked.fill(0, start, start + length);
  if (!sameBytes(masked, fromHex(deployedBytecode))) return null;
  /** @type {{ [name: string]: string }} */
  const found = {};
  for (const [name, places] of Object.entries(immutables)) {
    const values = new Set(places.map(({ start, length }) => toHex(code.subarray(start, start + length))));
    if (values.size !== 1) return null;
    [found[name]] = values;
  }
  return found;
}
