/** What the page shows of contracts beside the log, as they are now: who holds a gate, who has voting power. */
import { escapedText } from "../verifier/bytes.js";
import { isError } from "../verifier/errors.js";
import { checksum } from "../verifier/hash.js";
import { readOf } from "../verifier/log.js";

/** @typedef {import("../verifier/rpc.js").Rpc} Rpc */

/** In words for people. */
export class ReadingError extends Error {}

/** @param {string} to @param {string} name */
const readAddress = (to, name) => readOf(to, name, [], ["address"], ([value]) => checksum(value));
/** @param {string} to @param {string} signature @param {unknown[]} values @param {string} [type] */
const readNumber = (to, signature, values = [], type = "uint256") => readOf(to, signature, values, [type], ([n]) => BigInt(n));

/** Null where a contract gives no such answer. @template T @param {Rpc} rpc @param {import("../verifier/log.js").Read<T>} read @returns {Promise<T | null>} */
async function orNull(rpc, read) {
  try {
    return await rpc.read(read, "latest");
  } catch (error) {
    if (isError(error, "reverted", "differs")) return null;
    throw error;
  }
}

/** Who holds a gate. @param {Rpc} rpc @param {string} gate */
export async function readGate(rpc, gate) {
  const people = await rpc.readAll(["signer()", "guardian()", "operator()"].map((name) => readAddress(gate, name)), "latest");
  const [signer, guardian, operator] = people.map((answer) => answer());
  const delaySeconds = Number(await rpc.read(readNumber(gate, "delaySeconds()", [], "uint32"), "latest"));
  const paused = await rpc.read(readOf(gate, "votesPaused()", [], ["bool"], ([yes]) => yes === true), "latest");
  return { signer, guardian, operator, delaySeconds, paused };
}

/** Voting power, as the governor's token has it. @param {Rpc} rpc @param {string} governor @param {string} delegate @param {string} holder */
export async function readDelegation(rpc, governor, delegate, holder) {
  const token = await orNull(rpc, readAddress(governor, "token()"));
  if (token === null) throw new ReadingError("This governor does not say which token its votes come from. Delegate where your DAO tells you.");
  const symbol = (await orNull(rpc, readOf(token, "symbol()", [], ["bytes"], ([text]) => escapedText(text)))) ?? "";
  const decimals = Number((await orNull(rpc, readNumber(token, "decimals()", [], "uint8"))) ?? 0n);
  const delegatePower = await rpc.read(readNumber(token, "getVotes(address)", [delegate]), "latest");
  if (holder === "") return { token, symbol, decimals, delegatePower, holder: null };
  const [balance, power] = await rpc.readAll(["balanceOf(address)", "getVotes(address)"].map((name) => readNumber(token, name, [holder])), "latest");
  const delegatedTo = await rpc.read(readOf(token, "delegates(address)", [holder], ["address"], ([to]) => checksum(to)), "latest");
  return { token, symbol, decimals, delegatePower, holder: { balance: balance(), power: power(), delegatedTo } };
}

/** True when a transaction went through, false when it failed, null when it is not mined yet. @param {Rpc} rpc @param {string} hash @returns {Promise<boolean | null>} */
export const readOutcome = (rpc, hash) =>
  rpc.checked("eth_getTransactionReceipt", [hash], (found) => (found === null ? null : /** @type {any} */ (found).status === "0x1"));
