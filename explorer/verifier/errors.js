// What is thrown. What a check finds about a log is never thrown: it is in the report.

/**
 * - `usage`: an argument is wrong, or there is nothing to check.
 * - `unreachable`: the chain, or a place of evidence that the caller named, does not answer.
 * - `reverted`: a contract refused a call. `method-missing`: the node does not offer a method.
 * - `changed`, `swapped`, `malformed`: a file is not what was sealed under its name.
 * - `differs`: bytes are not what they claim to be.
 * @typedef {"usage" | "unreachable" | "reverted" | "method-missing" | "changed" | "swapped" | "malformed" | "differs"} ErrorCode
 */

/** An error that is a message to a person. */
export class VerifierError extends Error {
  /**
   * @param {ErrorCode} code
   * @param {string} message
   * @param {{ hint?: string, where?: string, found?: string }} [more]
   */
  constructor(code, message, { hint = "", where = "", found = "" } = {}) {
    super(message);
    this.name = "VerifierError";
    this.code = code;
    /** What to try. */
    this.hint = hint;
    /** Where it differs: a field of a file. */
    this.where = where;
    /** The record root that a swapped bundle has. */
    this.found = found;
  }
}

/**
 * True for an error with one of these codes.
 * @param {unknown} error @param {...ErrorCode} codes @returns {error is VerifierError}
 */
export function isError(error, ...codes) {
  return error instanceof VerifierError && codes.includes(error.code);
}
