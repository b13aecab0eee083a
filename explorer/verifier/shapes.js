// What each field of a record looks like: docs/record-fields.md. A value has one form only, so that what was hashed is
// what is judged. Reading a value checks its form and fills in what may be left out.
import { isObject } from "./canonical.js";
import { VerifierError } from "./errors.js";
import { isAddress, checksum } from "./hash.js";

/** @typedef {import("./canonical.js").Json} Json */
/** Gives the value with what was left out filled in. Throws `malformed`. @typedef {(value: any, where: string) => any} Shape */

/** @param {string} where @param {string} expected @param {any} value @returns {never} */
function refuse(where, expected, value) {
  const seen = JSON.stringify(value)?.slice(0, 60) ?? "nothing";
  throw new VerifierError("malformed", `${where}: expected ${expected}, got ${seen}`, { where });
}

/** @param {string} expected @param {(value: any) => boolean} holds @returns {Shape} */
const plain = (expected, holds) => (value, where) => (holds(value) ? value : refuse(where, expected, value));

const UINT256_MAX = 2n ** 256n - 1n;

/** @param {any} value */
const isText = (value) => typeof value === "string";

export const text = plain("text", isText);
const flag = plain("true or false", (value) => typeof value === "boolean");
const integer = plain("an integer", Number.isInteger);
export const uint256 = plain(
  "a decimal string from 0 to 2**256-1",
  (value) => isText(value) && /^(?:0|[1-9][0-9]{0,77})$/.test(value) && BigInt(value) <= UINT256_MAX,
);
const hex = plain("0x hex in lower case", (value) => isText(value) && /^0x(?:[0-9a-f]{2})*$/.test(value));
export const bytes32 = plain("32 bytes", (value) => isText(value) && /^0x[0-9a-f]{64}$/.test(value));
export const address = plain("a checksummed address", (value) => isAddress(value) && checksum(value) === value);
/** @type {Shape} */
const json = (value) => value;

/** @param {number} low @param {number} high */
const between = (low, high) =>
  plain(`an integer from ${low} to ${high}`, (value) => Number.isInteger(value) && value >= low && value <= high);
/** @param {number} low */
const atLeast = (low) => between(low, Number.MAX_SAFE_INTEGER);
const uint32 = between(0, 2 ** 32 - 1);

/** Text of so many code points. @param {number} most */
const short = (most) => plain(`at most ${most} characters`, (value) => isText(value) && [...value].length <= most);

/** Not empty. @param {number} most @returns {Shape} */
const someText = (most) => (value, where) => (value === "" ? refuse(where, "some text", value) : short(most)(value, where));

/** @param {...Json} values */
const oneOf = (...values) => plain(`one of ${values.join(", ")}`, (value) => values.includes(value));

/** @param {Shape} shape @returns {Shape} */
const orNull = (shape) => (value, where) => (value === null ? null : shape(value, where));

/** @param {Shape} shape @param {number} [most] @returns {Shape} */
export const list =
  (shape, most = Infinity) =>
  (value, where) => {
    if (!Array.isArray(value) || value.length > most) refuse(where, `a list of at most ${most}`, value);
    return /** @type {any[]} */ (value).map((item, index) => shape(item, `${where}[${index}]`));
  };

/** @param {Shape} key @param {Shape} shape @returns {Shape} */
export const dictionary = (key, shape) => (value, where) => {
  if (!isObject(value)) refuse(where, "an object", value);
  return members(Object.entries(value).map(([name, item]) => [key(name, where), shape(item, `${where}.${name}`)]));
};

/**
 * An object with these members and no others. Optional ones are given as [shape, what stands for a missing one].
 * @param {{ [name: string]: Shape }} required @param {{ [name: string]: [Shape, any] }} [optional] @returns {Shape}
 */
export const object =
  (required, optional = {}) =>
  (value, where) => {
    if (!isObject(value)) refuse(where, "an object", value);
    const stranger = Object.keys(value).find((name) => !Object.hasOwn(required, name) && !Object.hasOwn(optional, name));
    if (stranger !== undefined) refuse(`${where}.${stranger}`, "no such member", value[stranger]);
    const here = (/** @type {string} */ name) => Object.hasOwn(value, name);
    const missing = Object.keys(required).find((name) => !here(name));
    if (missing !== undefined) refuse(`${where}.${missing}`, "a value", undefined);
    return members([
      ...Object.entries(required).map(([name, shape]) => [name, shape(value[name], `${where}.${name}`)]),
      ...Object.entries(optional).map(([name, [shape, missing]]) => [
        name,
        here(name) ? shape(value[name], `${where}.${name}`) : missing,
      ]),
    ]);
  };

/** An object without a prototype. @param {any[][]} pairs */
const members = (pairs) => Object.assign(Object.create(null), Object.fromEntries(pairs));

// --- the fields

const GRADE = oneOf("derived", "re-read", "re-simulated", "attested");
const MODE = oneOf("observe", "propose", "autonomous");
const VOTE = oneOf("for", "against", "abstain");
const OUTCOME = oneOf("for", "against", "abstain", "hold", "skip");

const block = object({ number: atLeast(0), hash: bytes32, timestamp: atLeast(0) });

const call = object({ target: address, value_wei: uint256, calldata: hex }, { signature: [text, ""] });

const proposal = object({
  key: object({ chain_id: atLeast(1), governor: address, proposal_id: uint256 }),
  proposer: address,
  calls: list(call),
  description: hex,
  vote_start: uint256,
  vote_end: uint256,
  created_block: integer,
  created_transaction: bytes32,
});

/** @type {Shape} */
const decodedCall = (value, where) => DECODED_CALL(value, where);
const DECODED_CALL = object(
  { path: text, target: address, value_wei: uint256, calldata: hex, signature: orNull(text) },
  {
    arguments: [list(object({ name: text, type: text, value: text })), []],
    delegatecall: [flag, false],
    caller: [orNull(address), null],
    other_chain: [flag, false],
    chain_id: [orNull(atLeast(1)), null],
    inner: [list(decodedCall), []],
    note: [text, ""],
  },
);

const profile = object(
  {
    kind: text,
    address: text,
    chain_id: integer,
    name: text,
    version: text,
    counting_mode: text,
    clock_mode: oneOf("blocknumber", "timestamp"),
    token: orNull(text),
    timelock: orNull(text),
    can_vote: flag,
  },
  { cannot_vote_because: [text, ""] },
);

const EXPECT = oneOf("answers", "unchanged", "near");
const PROBE = { name: someText(80), contract: address, calldata: hex };
const each = object({ contract: address, calldata: hex, argument: between(0, 31) });

/** A limit goes with `near`, and only with it; a member has its place. @param {Shape} shape @returns {Shape} */
const withLimit = (shape) => (value, where) => {
  const read = shape(value, where);
  if ((read.expect === "near") !== (read.most_move !== null)) refuse(`${where}.most_move`, "a limit, for near", read.most_move);
  const fits = read.each === null || (read.calldata.length - 2) / 2 >= 4 + 32 * (read.each.argument + 1);
  return fits ? read : refuse(`${where}.each.argument`, "an argument of the call", read.each.argument);
};
const probe = withLimit(
  object(PROBE, {
    expect: [EXPECT, "answers"],
    most_move: [orNull(atLeast(0)), null],
    word: [between(0, 127), 0],
    each: [orNull(each), null],
  }),
);
/** As the configuration writes it: nothing is left out. */
const wholeProbe = withLimit(
  object({ ...PROBE, expect: EXPECT, most_move: orNull(atLeast(0)), word: between(0, 127), each: orNull(each) }),
);

/** A price comes from exactly one place. @param {Shape} shape @returns {Shape} */
const fromOnePlace = (shape) => (value, where) => {
  const read = shape(value, where);
  const places = [read.feed, read.pool, read.fixed].filter((place) => place !== null);
  return places.length === 1 ? read : refuse(where, "exactly one of feed, pool, fixed", places.length);
};
const price = fromOnePlace(
  object(
    { asset: orNull(address) },
    { feed: [orNull(address), null], pool: [orNull(address), null], fixed: [orNull(uint256), null] },
  ),
);
/** As the configuration writes it. */
const wholePrice = fromOnePlace(
  object({ asset: orNull(address), feed: orNull(address), pool: orNull(address), fixed: orNull(uint256) }),
);

const state = object(
  {
    block,
    review_digest: bytes32,
    governor: object({
      profile,
      state: between(0, 7),
      snapshot: uint256,
      deadline: uint256,
      now: uint256,
      quorum: orNull(uint256),
      tally: orNull(object({ against_votes: uint256, for_votes: uint256, abstain_votes: uint256 })),
    }),
    voter: orNull(object({ voter: address, voting_power: orNull(uint256), has_voted: flag })),
    targets: list(
      object(
        { address, has_code: flag, code_hash: bytes32 },
        {
          implementation: [orNull(address), null],
          implementation_code_hash: [orNull(bytes32), null],
          opcodes: [list(text), []],
          implementation_opcodes: [list(text), []],
        },
      ),
    ),
    treasury: list(
      object({ asset: orNull(address), symbol: text, decimals: orNull(between(0, 255)), balance: uint256 }),
    ),
  },
  {
    earlier_code: [list(object({ block: integer, code_hashes: dictionary(address, bytes32) })), []],
    known_addresses: [dictionary(address, text), {}],
    interfaces: [dictionary(address, dictionary(text, text)), {}],
    probes: [list(probe), []],
    prices: [list(price), []],
    skipped: [list(object({ step: text, why: text })), []],
  },
);

const movement = object(
  {
    kind: oneOf("transfer", "approval"),
    asset: orNull(address),
    sender: address,
    recipient: address,
    amount: uint256,
  },
  { token_id: [orNull(uint256), null] },
);

const change = object({ kind: text, contract: address, subject: text, detail: text });
const probeAnswer = object({}, { data: [hex, "0x"], error: [text, ""] });

const delegatedRun = object(
  { path: text, code: address, account: address, succeeded: flag },
  { error: [text, ""], movements: [list(movement), []], changes: [list(change), []] },
);

const simulation = object(
  { status: oneOf("succeeded", "reverted", "skipped"), executor: address },
  {
    why_skipped: [text, ""],
    results: [list(object({ path: text, succeeded: flag, gas_used: uint256 }, { error: [text, ""] })), []],
    movements: [list(movement), []],
    changes: [list(change), []],
    method: [text, ""],
    passed_over: [list(object({ step: text, why: text })), []],
    delegated: [list(delegatedRun), []],
    readings: [
      list(object({ name: text, before: probeAnswer, after: probeAnswer }, { member: [orNull(bytes32), null] })),
      [],
    ],
    balances: [
      list(
        object(
          { holder: address, token: orNull(address), before: orNull(uint256), after: orNull(uint256) },
          { token_id: [orNull(uint256), null], spender: [orNull(address), null] },
        ),
      ),
      [],
    ],
  },
);

const attempt = object(
  {
    opinion: uint32,
    number: uint32,
    request_hash: bytes32,
    response_hash: orNull(bytes32),
    http_status: orNull(integer),
    outcome: text,
  },
  {
    detail: [text, ""],
    served_model: [text, ""],
    request_id: [text, ""],
    reused: [flag, false],
    input_tokens: [orNull(integer), null],
    cached_tokens: [orNull(integer), null],
    output_tokens: [orNull(integer), null],
  },
);

const WORDS = short(600);

const analysis = object({
  summary: short(800),
  key_points: list(
    object(
      { claim: WORDS },
      { call: [orNull(short(40)), null], effect: [orNull(uint32), null], quotation: [orNull(WORDS), null] },
    ),
    12,
  ),
  stated_intent: WORDS,
  claimed_effects: list(WORDS, 12),
  risks: list(object({ level: oneOf("none", "low", "medium", "high"), text: WORDS }), 12),
  recommendation: oneOf("for", "against", "abstain", "hold"),
  confidence_percent: between(0, 100),
});

/** An analyst, as the configuration writes it: nothing is left out. */
const ANALYST = { name: text, is_language_model: flag };
const VIEW = oneOf("facts-and-text", "facts-alone");
const ANALYST_MORE = {
  view: VIEW,
  sample: uint32,
  provider: text,
  model: text,
  base_url_host: text,
  tools: list(text),
  parameters: dictionary(text, text),
};

const analyst = object(ANALYST, {
  view: [VIEW, "facts-and-text"],
  sample: [uint32, 0],
  provider: [text, ""],
  model: [text, ""],
  base_url_host: [text, ""],
  tools: [list(text), []],
  parameters: [dictionary(text, text), {}],
});

const finding = object(
  { check: text, severity: oneOf("info", "low", "medium", "high", "critical"), title: text },
  { detail: [text, ""], calls: [list(text), []], evidence: [list(text), []] },
);

const rule = object({ rule: text, matched: flag, then: text, explanation: text });

const word = object(
  { person: text, verdict: oneOf("approve", "reject"), expires_at: atLeast(0), decision_digest: bytes32 },
  { vote: [orNull(VOTE), null], comment: [text, ""], signature: [text, ""] },
);

/** A rejection names no vote. @type {Shape} */
const approval = (value, where) => {
  const read = word(value, where);
  return read.verdict === "reject" && read.vote !== null ? refuse(`${where}.vote`, "none in a rejection", read.vote) : read;
};

/** By position of the record. @type {{ [name: string]: Shape }} */
export const SHAPES = {
  header: object({
    agent: text,
    mode: MODE,
    chain_id: integer,
    log: orNull(address),
    writer: orNull(address),
    config_hash: bytes32,
  }),
  proposal,
  calls: list(decodedCall),
  state,
  simulation,
  context: list(object({ tool: text, version: text, grade: GRADE, result: json })),
  prompt: list(object({ name: text, text })),
  attempts: list(attempt),
  opinions: list(object({ analyst, analysis: orNull(analysis) }, { failure: [text, ""], struck: [list(text), []] })),
  checks: list(object({ check: text, version: text }, { findings: [list(finding), []], skipped: [text, ""] })),
  ruleset: text,
  rules: list(rule),
  decision: object({
    outcome: OUTCOME,
    reason: text,
    decided_by: text,
    review_digest: bytes32,
    ruleset_hash: bytes32,
  }),
  people: object({ words: list(approval), expired: orNull(object({ now: uint256, deadline: uint256 })) }),
  software: object({ pnyx: text, python: text }, { packages: [dictionary(text, text), {}] }),
};

/** Fields that may be sealed. */
export const SEALABLE = [
  "attempts", "checks", "context", "opinions", "prompt", "rules", "ruleset", "simulation", "software", "state",
]; // prettier-ignore

/** @type {Shape} */
const sealed = (value, where) => {
  const names = list(oneOf(...SEALABLE))(value, where);
  const sorted = names.every((/** @type {string} */ name, /** @type {number} */ at) => at === 0 || names[at - 1] < name);
  return sorted ? names : refuse(where, "names in order, each once", value);
};

/** The declared configuration. */
export const CONFIGURATION = object({
  agent: text,
  mode: MODE,
  governors: list(address),
  analysts: list(object({ ...ANALYST, ...ANALYST_MORE })),
  prompt_hash: bytes32,
  ruleset_hash: bytes32,
  checks: dictionary(text, text),
  tools: dictionary(text, text),
  known_addresses: dictionary(address, text),
  interfaces: dictionary(address, dictionary(text, text)),
  probes: list(wholeProbe, 32),
  prices: list(wholePrice, 32),
  approvers: list(address),
  approvals: atLeast(1),
  unsafe_unsigned_approvals: flag,
  sealed,
  safe: orNull(address),
  software: text,
});
