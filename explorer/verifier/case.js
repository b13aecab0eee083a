// One entry of a log as its checks see it, and how a check may end.
import { isError } from "./errors.js";
import { isTerminal } from "./log.js";

/** @typedef {import("./verdict.js").Verdict} Verdict */

/**
 * One entry, and what its checks look at.
 * @typedef {object} Case
 * @property {import("./log.js").Entry} entry
 * @property {import("./verdict.js").About} about
 * @property {import("./log.js").Declaration} declaration in force when the entry was made
 * @property {any} configuration its document; null when that is not usable
 * @property {{ [name: string]: any }} fields of the record, without the withheld ones: `run` lets no step see those
 * @property {string[]} withheld
 */

/**
 * The verdicts of one step: not proven when the record withholds a field that it needs, and only not checkable when the
 * writer declares that it seals it. Records come from strangers: one that makes a step fail does not hold, and must not
 * end the check of the others.
 * @param {Case} one @param {number} step @param {string[]} needs @param {() => Verdict[] | Promise<Verdict[]>} check
 * @returns {AsyncGenerator<Verdict>}
 */
export async function* run(one, step, needs, check) {
  const withheld = needs.filter((name) => one.withheld.includes(name));
  const undeclared = withheld.filter((name) => !sealedIn(one).includes(name));
  if (undeclared.length > 0) {
    yield unproven(one, step, `the record withholds ${undeclared.join(", ")}`);
  } else if (withheld.length > 0) {
    yield one.about.notCheckable(step, asDeclared(withheld));
  } else {
    try {
      yield* await check();
    } catch (error) {
      if (isError(error, "unreachable") || isAbort(error)) throw error;
      const why = error instanceof Error ? error.message : String(error);
      yield one.about.differs(step, "record", { reason: `the record cannot be judged: ${why}` });
    }
  }
}

/** @param {unknown} error */
const isAbort = (error) => error instanceof Error && error.name === "AbortError";

/** Fields that the configuration in force declares sealed. @param {Case} one @returns {string[]} */
export const sealedIn = ({ configuration }) => configuration?.sealed ?? [];

/** @param {string[]} names */
export const asDeclared = (names) => `${names.join(", ")} ${names.length === 1 ? "is" : "are"} sealed, as the agent declares`;

/** A decision must show what it rests on. A correction decides nothing. @param {Case} one @param {number} step @param {string} why */
export const unproven = ({ entry, about }, step, why) =>
  isTerminal(entry.kind) ? about.notProven(step, why) : about.notCheckable(step, why);
