// Verdicts on values that have to be the same.
import { canonical, firstDifference } from "./canonical.js";

/** @typedef {import("./canonical.js").Json} Json */
/** @typedef {import("./verdict.js").About} About */

/** A verdict for each claim that is not so: [where, expected, seen, reason]. @param {About} about @param {number} step @param {[string, any, any, string?][]} claims */
export const differing = (about, step, claims) =>
  claims
    .filter(([, expected, seen]) => canonical(expected) !== canonical(seen))
    .map(([where, expected, seen, reason = ""]) =>
      about.differs(step, where, { expected: plain(expected), seen: plain(seen), reason }),
    );

/** Matches, or differs at the first place inside two values that is not the same. @param {About} about @param {number} step @param {string} where @param {Json} expected @param {Json} seen */
export function compare(about, step, where, expected, seen) {
  const place = firstDifference(expected, seen, where);
  if (place === null) return about.matches(step);
  const path = place.slice(where.length);
  return about.differs(step, place, { expected: plain(at(expected, path)), seen: plain(at(seen, path)) });
}

/** What stands at a path like `.rules[2].matched`. @param {any} value @param {string} path */
function at(value, path) {
  let found = value;
  for (const part of path.replaceAll("[", ".").replaceAll("]", "").split(".").filter(Boolean)) found = found?.[part];
  return found === undefined ? "(nothing)" : found;
}

/** @param {unknown} value */
const plain = (value) => (typeof value === "string" ? value : JSON.stringify(value));

/** An order of text. @param {string} one @param {string} other */
export const compareText = (one, other) => (one < other ? -1 : Number(one > other));
