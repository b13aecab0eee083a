// Steps 9 to 12, 19 and 20: one entry with its bundle, and what of it follows from the chain and from the declared
// configuration.
import { encode } from "./abi.js";
import { rejectionIn } from "./approval.js";
import { openBundle, recompute, withheldIn } from "./bundle.js";
import { ZERO_WORD, fromHex } from "./bytes.js";
import { canonical } from "./canonical.js";
import { asDeclared, run, sealedIn, unproven } from "./case.js";
import { compare, compareText, differing } from "./comparing.js";
import { checkDeclared, openConfiguration } from "./declared.js";
import { mergeDisclosure, openedIn } from "./disclosure.js";
import { VerifierError, isError } from "./errors.js";
import { EvidenceGone } from "./evidence.js";
import { computedId } from "./governor.js";
import { keccakHex, tag } from "./hash.js";
import { checkDecision, checkEntitlement, checkNotRejected } from "./judgement.js";
import { hasBundle, subjectOf } from "./log.js";
import { About, STEPS } from "./verdict.js";

/** @typedef {import("./bundle.js").Bundle} Bundle */
/** @typedef {import("./case.js").Case} Case */
/** @typedef {import("./disclosure.js").Disclosure} Disclosure */
/** @typedef {import("./log.js").Entry} Entry */
/** @typedef {import("./log.js").Declaration} Declaration */
/** @typedef {import("./verdict.js").Verdict} Verdict */

const FACTS = ["proposal", "calls", "state", "simulation", "context"];
const OF_THE_CONFIGURATION = ["header", "calls", "state", "context", "prompt", "opinions", "checks", "ruleset", "decision"];
const OF_THE_DECISION = [...FACTS, "checks", "opinions", "ruleset", "rules", "decision"].sort();
const OF_THE_ENTRY = ["header", "proposal", "state", "decision", "people"];

const REVIEW_TAG = tag("pnyx.review.v1");

/** For the entries of one writer, in order. */
export class EntryCheck {
  /**
   * @param {import("./chain.js").Chain} chain @param {import("./history.js").History} history
   * @param {import("./evidence.js").Desk} desk @param {Disclosure[]} disclosures
   */
  constructor(chain, history, desk, disclosures) {
    this.chain = chain;
    this.history = history;
    this.desk = desk;
    this.disclosures = disclosures;
    /** Record roots that entries name. @type {Set<string>} */
    this.met = new Set();
    /** By what was declared. @type {Map<string, Promise<{ configuration: any, verdicts: Verdict[] }>>} */
    this.configurations = new Map();
    /** Those about which that was said. @type {Set<string>} */
    this.told = new Set();
    /** What people rejected: by subject, then by the number of the entry. @type {Map<string, Map<number, any>>} */
    this.rejections = new Map();
    /** @type {Map<string, number>} */
    this.owners = new Map();
    /** VOID entries, by the subject and the record root that they name. @type {Map<string, Entry>} */
    this.voids = new Map();
    for (const entry of history.entries) {
      const { kind, subject, recordRoot, seq } = entry;
      if (hasBundle(kind) && !this.owners.has(recordRoot)) this.owners.set(recordRoot, seq);
      if (kind === "VOID") this.voids.set(`${subject}:${recordRoot}`, entry);
    }
  }

  /**
   * What the evidence says, so that several files can be on their way while one is judged; null for an entry without.
   * @param {Entry} entry
   */
  fetch(entry) {
    const declaration = this.history.declarationAt(entry);
    if (!hasBundle(entry.kind) || declaration === null) return null;
    this.met.add(entry.recordRoot);
    /** @type {string[]} */
    const bad = [];
    const found = this.desk
      .find(declaration, entry.recordRoot, (bytes) => this.opened(entry.recordRoot, bytes), bad)
      .catch((error) => {
        if (error instanceof EvidenceGone) return error;
        throw error;
      });
    found.catch(() => {}); // thrown where it is waited for
    return { declaration, found, bad };
  }

  /** @param {string} root @param {Uint8Array} bytes @returns {Bundle} */
  opened(root, bytes) {
    return this.disclosuresOf(root).reduce(mergeDisclosure, openBundle(root, bytes).bundle);
  }

  /** @param {string} root */
  disclosuresOf(root) {
    return this.disclosures.filter(({ recordRoot }) => recordRoot === root);
  }

  /**
   * The verdicts on one entry.
   * @param {Entry} entry @param {About} about @param {NonNullable<ReturnType<EntryCheck["fetch"]>>} evidence
   * @returns {AsyncGenerator<Verdict>}
   */
  async *check(entry, about, { declaration, found, bad }) {
    const bundle = await found;
    for (const place of bad) yield elsewhere(about, STEPS.BUNDLE, place);
    if (bundle instanceof EvidenceGone) yield about.missing(STEPS.BUNDLE, `the evidence: ${bundle.message}`);
    else if (bundle === null) yield about.missing(STEPS.BUNDLE, `the bundle of the record ${entry.recordRoot}: removed, or withheld`);
    else if (bundle instanceof VerifierError) yield this.notThatBundle(entry, about, bundle);
    else yield* this.checkRecord(entry, about, declaration, bundle);
  }

  // 9. Bundle

  /** @param {Entry} entry @param {About} about @param {VerifierError} error */
  notThatBundle(entry, about, { code, where, found, message }) {
    if (code === "malformed") return about.differs(STEPS.BUNDLE, "bundle", { reason: message });
    if (code !== "swapped") return about.differs(STEPS.BUNDLE, where, { reason: "changed after it was sealed" });
    const owner = this.owners.get(found);
    const reason = `swapped: this is ${owner ? `the bundle of entry ${owner}` : "a bundle of no entry of this writer"}`;
    return about.differs(STEPS.BUNDLE, "recordRoot", { expected: entry.recordRoot, seen: found, reason });
  }

  /** @param {Entry} entry @param {About} about @param {Declaration} declaration @param {Bundle} bundle @returns {AsyncGenerator<Verdict>} */
  async *checkRecord(entry, about, declaration, bundle) {
    for (const disclosure of this.disclosuresOf(entry.recordRoot)) {
      yield about.matches(STEPS.BUNDLE, `a disclosure opens ${openedIn(disclosure).join(", ")}`);
    }
    const { configuration, verdicts } = await this.configurationOf(declaration);
    const name = JSON.stringify(declaration);
    if (!this.told.has(name)) yield* verdicts;
    this.told.add(name);
    const named = about.proposal ?? nameIn(bundle);
    /** @type {Case} */
    const one = { entry, about, declaration, configuration, fields: bundle.fields, withheld: withheldIn(bundle) };
    yield* checkBundle(one, bundle);
    one.about = new About(about.entry, named);
    yield* run(one, STEPS.HEADER, ["header", "proposal"], () => this.checkHeader(one));
    yield* run(one, STEPS.HEADER, ["state"], () => checkVoter(one));
    if (configuration === null) {
      yield one.about.notCheckable(STEPS.DECLARED_CONFIGURATION, "the document of the configuration is not usable");
    } else {
      yield* run(one, STEPS.DECLARED_CONFIGURATION, OF_THE_CONFIGURATION, () => checkDeclared(one));
    }
    const takenBack = await this.voidOf(one);
    if (takenBack === null) yield* run(one, STEPS.PROPOSAL, ["proposal"], () => this.checkProposal(one));
    else yield one.about.matches(STEPS.PROPOSAL, `void: the proposal is gone, and entry ${takenBack.seq} takes this one back`);
    yield* run(one, STEPS.PROPOSAL, ["proposal", "calls"], () => []); // decoding again is left to Python
    yield* run(one, STEPS.PROPOSAL, ["proposal", "state", "decision"], () => checkDigest(one));
    yield* run(one, STEPS.DECISION, OF_THE_DECISION, () => checkDecision(one));
    yield* run(one, STEPS.ENTRY, OF_THE_ENTRY, () => this.checkEntry(one));
  }

  // 10. Header

  /** @param {Case} one @returns {Verdict[]} */
  checkHeader({ entry, about, declaration, fields: { header, proposal } }) {
    const { chain } = this;
    const key = { chainId: proposal.key.chain_id, governor: proposal.key.governor, proposalId: proposal.key.proposal_id };
    const silent = "decided under a configuration that was not in force: a silent change";
    const wrong = differing(about, STEPS.HEADER, [
      ["header.chain_id", chain.chainId, header.chain_id],
      ["header.log", chain.log, header.log],
      ["header.writer", entry.writer, header.writer],
      ["proposal.key", entry.subject, subjectOf(key)],
      ["header.config_hash", declaration.configHash, header.config_hash, silent],
    ]);
    if (!declaration.governors.includes(key.governor)) {
      const reason = "the configuration in force does not name this governor";
      return [...wrong, about.differs(STEPS.HEADER, "proposal.key.governor", { seen: key.governor, reason })];
    }
    return wrong.length > 0 ? wrong : [about.matches(STEPS.HEADER)];
  }

  // 11. Declared configuration

  /** The Safe that votes for the writer, by configuration hash, as far as the configurations can be had. @returns {Promise<Map<string, string>>} */
  async safes() {
    const safes = new Map();
    for (const { declaration } of this.history.scopes) {
      const { configuration } = await this.configurationOf(declaration);
      if (configuration?.safe) safes.set(declaration.configHash, configuration.safe);
    }
    return safes;
  }

  /** The document, and what is to be said about it. @param {Declaration} declaration @returns {Promise<{ configuration: any, verdicts: Verdict[] }>} */
  async configurationOf(declaration) {
    const name = JSON.stringify(declaration);
    let reading = this.configurations.get(name);
    if (reading === undefined) {
      reading = this.readConfiguration(declaration);
      this.configurations.set(name, reading);
    }
    return reading;
  }

  /** @param {Declaration} declaration */
  async readConfiguration(declaration) {
    const about = new About();
    const step = STEPS.DECLARED_CONFIGURATION;
    const { configHash } = declaration;
    const unusable = (/** @type {Verdict} */ verdict) => ({ configuration: null, verdicts: [verdict] });
    /** @type {string[]} */
    const bad = [];
    let found;
    try {
      found = await this.desk.find(declaration, configHash, (bytes) => openConfiguration(configHash, bytes), bad);
    } catch (error) {
      if (error instanceof EvidenceGone) return unusable(about.missing(step, error.message));
      throw error;
    }
    if (found === null) {
      return unusable(about.missing(step, `the document of the configuration ${configHash}: removed, or withheld`));
    }
    if (found instanceof VerifierError) return unusable(about.differs(step, "configuration", { reason: found.message }));
    const [declared, written] = [declaration.governors, found.governors].map((governors) => [...governors].sort().join(", "));
    const differs = declared !== written && about.differs(step, "governors", { expected: declared, seen: written });
    return { configuration: found, verdicts: [differs || about.matches(step), ...bad.map((place) => elsewhere(about, step, place))] };
  }

  // 12. Proposal

  /**
   * The VOID entry that takes this one back, when its proposal is gone as that says: there is nothing on the chain then
   * to read again.
   * @param {Case} one
   */
  async voidOf({ entry, fields: { proposal } }) {
    const found = this.voids.get(`${entry.subject}:${entry.recordRoot}`);
    if (found === undefined || found.seq < entry.seq || !proposal) return null;
    const { governor } = await this.chain.governed(proposal.key.governor);
    if (governor === null) return null;
    return (await this.chain.isThere(governor, proposal.key.proposal_id, found.blockNumber + 1)) ? null : found;
  }

  /** @param {Case} one @returns {Promise<Verdict[]>} */
  async checkProposal({ about, fields: { proposal: recorded } }) {
    const { governor } = recorded.key;
    const { whyNot } = await this.chain.governed(governor);
    if (whyNot) return [about.notCheckable(STEPS.PROPOSAL, whyNot)];
    const announced = await this.announced(recorded);
    if (announced === null) {
      return [about.missing(STEPS.PROPOSAL, "the proposal: the governor announced none of this id where the record says")];
    }
    const expected = computedId(announced);
    const { proposal_id: seen } = announced.key;
    if (expected !== null && expected !== seen) return [about.differs(STEPS.PROPOSAL, "proposal.key.proposal_id", { expected, seen })];
    return [compare(about, STEPS.PROPOSAL, "proposal", announced, recorded)];
  }

  /** What the governor announced, looked for in the block that the record names. @param {any} recorded */
  async announced({ key, created_block: block }) {
    if (block < 0) return null;
    for (const found of await this.chain.proposals(key.governor, block, block)) {
      if (found instanceof VerifierError) throw found;
      if (canonical(found.key) === canonical(key)) return found;
    }
    return null;
  }

  // 20. Entry

  /** @param {Case} one @returns {Promise<Verdict[]>} */
  async checkEntry(one) {
    const { entry, about, fields } = one;
    const governed = await this.governedThen(fields);
    if (governed.governor === null) return [about.notCheckable(STEPS.ENTRY, governed.whyNot)];
    const wasPaused = this.history.madeWhilePaused.has(entry.seq);
    const verdict = checkEntitlement(one, governed.governor, wasPaused);
    const rejections = this.rejections.get(entry.subject) ?? new Map();
    this.rejections.set(entry.subject, rejections);
    const vetoes = checkNotRejected(one, rejections);
    const rejection = rejectionIn(fields.people);
    if (entry.kind === "HOLD" && rejection !== null && verdict.status !== "differs") rejections.set(entry.seq, rejection);
    return [verdict, ...vetoes];
  }

  /**
   * What the governor is now; what it was at the pinned block, where it is none that is known now. (That it was the same
   * then is step 13.)
   * @param {{ [name: string]: any }} fields
   */
  async governedThen({ proposal, state }) {
    const now = await this.chain.governed(proposal.key.governor);
    if (now.governor !== null) return now;
    try {
      return await this.chain.governed(proposal.key.governor, state.block.hash);
    } catch (error) {
      if (isError(error, "unreachable", "method-missing")) return now;
      throw error;
    }
  }
}

/** One place is enough; a bad one is named. @param {About} about @param {number} step @param {string} place */
const elsewhere = (about, step, place) => about.notCheckable(step, `another place has the true file, and not ${place}`);

/** `chain:governor:id`, as the record says. @param {Bundle} bundle */
function nameIn({ fields: { proposal } }) {
  return proposal ? `${proposal.key.chain_id}:${proposal.key.governor}:${proposal.key.proposal_id}` : null;
}

/** Step 9, for a bundle that hashes to its root. @param {Case} one @param {Bundle} bundle @returns {Generator<Verdict>} */
function* checkBundle(one, bundle) {
  const { entry, about } = one;
  const { promptHash } = recompute(bundle);
  if (promptHash === null) {
    yield sealedIn(one).includes("attempts")
      ? about.notCheckable(STEPS.BUNDLE, asDeclared(["attempts"]))
      : unproven(one, STEPS.BUNDLE, "the record withholds what the prompt hash is made of");
  } else if (promptHash !== entry.promptHash) {
    const reason = "the recorded prompts are not those that the entry binds";
    yield about.differs(STEPS.BUNDLE, "promptHash", { expected: entry.promptHash, seen: promptHash, reason });
  } else {
    yield about.matches(STEPS.BUNDLE);
  }
  if (one.withheld.includes("software")) {
    const isSealed = sealedIn(one).includes("software");
    const why = isSealed ? asDeclared(["software"]) : "the record withholds software; no step needs it";
    yield about.notCheckable(STEPS.BUNDLE, why, "attested");
  }
}

/**
 * Step 10, too: the standing that was judged is the writer's, or that of the Safe that votes for it. With another's, any
 * vote could be skipped.
 * @param {Case} one @returns {Verdict[]}
 */
function checkVoter({ entry, about, configuration, fields: { state } }) {
  const seen = state.voter?.voter;
  const expected = configuration?.safe ?? entry.writer;
  if (seen === expected) return [];
  const reason = seen ? "the record judges the standing of somebody else" : "the record judges nobody's standing";
  return [about.differs(STEPS.HEADER, "state.voter.voter", { expected, seen: seen ?? "nobody", reason })];
}

/** Step 12, too: the review is bound to the proposal and to the code that it reaches. @param {Case} one @returns {Verdict[]} */
function checkDigest({ about, fields: { proposal, state, decision } }) {
  const expected = reviewDigest(state.governor.profile.kind, proposal, state.targets);
  return differing(about, STEPS.PROPOSAL, [
    ["state.review_digest", expected, state.review_digest],
    ["decision.review_digest", expected, decision.review_digest],
  ]);
}

/** @param {string} kind @param {any} proposal @param {any[]} targets */
function reviewDigest(kind, { key, calls, description }, targets) {
  const column = (/** @type {string} */ name) => calls.map((/** @type {any} */ call) => call[name]);
  const codes = targets
    .map(({ address, code_hash: code, implementation_code_hash: implementation }) => [address, code, implementation ?? ZERO_WORD])
    .sort((one, other) => compareText(one.join(), other.join()));
  const types = ["bytes32", "string", "uint256", "address", "uint256", "address[]", "uint256[]", "bytes[]", "string[]", "bytes32", "(address,bytes32,bytes32)[]"];
  return keccakHex(
    encode(types, [
      REVIEW_TAG, kind, key.chain_id, key.governor, key.proposal_id, column("target"), column("value_wei"),
      column("calldata").map(fromHex), column("signature"), keccakHex(fromHex(description)), codes,
    ]),
  ); // prettier-ignore
}

