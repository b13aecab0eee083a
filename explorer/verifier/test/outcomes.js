// Reads files as lines of JSON ({"kind", "root", "text"}) and says of each what opening it gives: for the comparison with
// Python in tests/explorer/parity.
import { createInterface } from "node:readline";
import { openBundle } from "../bundle.js";
import { utf8 } from "../bytes.js";
import { parseCanonical, parseJson } from "../canonical.js";
import { openDisclosure } from "../disclosure.js";
import { VerifierError } from "../errors.js";
import { parseRuleset } from "../ruleset.js";
import { CONFIGURATION } from "../shapes.js";

/** @type {{ [kind: string]: (bytes: Uint8Array, root: string) => unknown }} */
const OPENERS = {
  json: (bytes) => parseJson(bytes, "$"),
  bundle: (bytes, root) => openBundle(root, bytes),
  disclosure: openDisclosure,
  ruleset: (bytes) => parseRuleset(new TextDecoder().decode(bytes)),
  configuration: (bytes) => CONFIGURATION(parseCanonical(bytes, "configuration"), "configuration"),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { kind, root, text } = JSON.parse(line);
  console.log(JSON.stringify(outcome(() => OPENERS[kind](utf8(text), root))));
}

/** @param {() => unknown} open */
function outcome(open) {
  try {
    open();
    return ["opens", ""];
  } catch (error) {
    if (!(error instanceof VerifierError)) throw error;
    return [error.code, error.code === "changed" ? error.where : ""];
  }
}
