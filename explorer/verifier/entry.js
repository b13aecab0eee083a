// Steps 9 to 12, 19 and 20: one entry with its bundle, and what of it follows from the chain and from the declared
// configuration.
import { counted, entitlement, givesVote, isSilent, mostForOneVote, rejectionIn, speaksOf, vouchers } from "./approval.js";
import { encode } from "./abi.js";
import { concat, fromHex, utf8 } from "./bytes.js";
import { openBundle, recompute, withheldIn } from "./bundle.js";
import { canonical, firstDifference, parseCanonical } from "./canonical.js";
import { decide } from "./decision.js";
import { mergeDisclosure, openedIn } from "./disclosure.js";
import { VerifierError, isError } from "./errors.js";
import { EvidenceGone } from "./evidence.js";
import { SUPPORT, computedId } from "./governor.js";
import { keccakHex, tag } from "./hash.js";
import { hasBundle, isTerminal, subjectOf, voteAction } from "./log.js";
import { parseRuleset } from "./ruleset.js";
import { CONFIGURATION } from "./shapes.js";
import { About, STEPS } from "./verdict.js";

/** @typedef {import("./canonical.js").Json} Json */
/** @typedef {import("./bundle.js").Bundle} Bundle */
/** @typedef {import("./disclosure.js").Disclosure} Disclosure */
/** @typedef {import("./log.js").Entry} Entry */
/** @typedef {import("./log.js").Declaration} Declaration */
/** @typedef {import("./verdict.js").Verdict} Verdict */

/**
 * One entry, and what its checks look at.
 * @typedef {object} Case
 * @property {Entry} entry
 * @property {About} about
 * @property {Declaration} declaration in force when the entry was made
 * @property {any} configuration its document; null when that is not usable
 * @property {{ [name: string]: any }} fields of the record, without the withheld ones: `run` lets no step see those
 * @property {string[]} withheld
 */

const FACTS = ["proposal", "calls", "state", "simulation", "context"];
const OF_THE_CONFIGURATION = ["header", "calls", "state", "context", "prompt", "opinions", "checks", "ruleset", "decision"];
const OF_THE_DECISION = [...FACTS, "checks", "opinions", "ruleset", "rules", "decision"].sort();
const OF_THE_ENTRY = ["header", "proposal", "state", "decision", "people"];

const TEMPLATES_TAG = fromHex(tag("pnyx.prompt.templates.v1"));
const REVIEW_TAG = tag("pnyx.review.v1");
const NO_WORD = `0x${"00".repeat(32)}`;

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

/**
 * The verdicts of one step: not proven when the record withholds a field that it needs, and only not checkable when the
 * writer declares that it seals it. Records come from strangers: one that makes a step fail does not hold, and must not
 * end the check of the others.
 * @param {Case} one @param {number} step @param {string[]} needs @param {() => Verdict[] | Promise<Verdict[]>} check
 * @returns {AsyncGenerator<Verdict>}
 */
async function* run(one, step, needs, check) {
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

/** One place is enough; a bad one is named. @param {About} about @param {number} step @param {string} place */
const elsewhere = (about, step, place) => about.notCheckable(step, `another place has the true file, and not ${place}`);

/** @param {unknown} error */
const isAbort = (error) => error instanceof Error && error.name === "AbortError";

/** Fields that the configuration in force declares sealed. @param {Case} one @returns {string[]} */
const sealedIn = ({ configuration }) => configuration?.sealed ?? [];

/** @param {string[]} names */
const asDeclared = (names) => `${names.join(", ")} ${names.length === 1 ? "is" : "are"} sealed, as the agent declares`;

/** A decision must show what it rests on. A correction decides nothing. @param {Case} one @param {number} step @param {string} why */
const unproven = ({ entry, about }, step, why) =>
  isTerminal(entry.kind) ? about.notProven(step, why) : about.notCheckable(step, why);

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

/** @param {string} expected @param {Uint8Array} bytes */
function openConfiguration(expected, bytes) {
  const found = keccakHex(bytes);
  if (found !== expected) throw new VerifierError("changed", `changed: the configuration ${expected} has the hash ${found}`);
  return CONFIGURATION(parseCanonical(bytes, "configuration"), "configuration");
}

/** Step 11, for one record: it was made the way that the configuration declares. @param {Case} one @returns {Verdict[]} */
function checkDeclared({ about, configuration, fields }) {
  const { header, calls, state, context, prompt, opinions, checks, ruleset, decision } = fields;
  const why = "not what the configuration declares";
  const analysts = opinions.map((/** @type {any} */ opinion) => opinion.analyst);
  const isAsked = opinions.length > 0 || decision.outcome !== "skip";
  const wrong = differing(about, STEPS.DECLARED_CONFIGURATION, [
    ["header.agent", configuration.agent, header.agent, why],
    ["header.mode", configuration.mode, header.mode, why],
    ["prompt", configuration.prompt_hash, templatesHash(prompt), why],
    ["ruleset", configuration.ruleset_hash, keccakHex(utf8(ruleset)), why],
    ["decision.ruleset_hash", configuration.ruleset_hash, decision.ruleset_hash, why],
    ["checks", configuration.checks, versionsBy("check", checks), why],
    ["context", Object.entries(configuration.tools).sort(inOrder), toolsOf(context, state, configuration.tools), why],
    ["state.known_addresses", configuration.known_addresses, state.known_addresses, why],
    ["state.interfaces", usedOf(configuration.interfaces, calls), state.interfaces, why],
    ["state.probes", configuration.probes, state.probes, why],
    ["opinions", isAsked ? configuration.analysts : null, isAsked ? analysts : null, why],
  ]);
  return wrong.length > 0 ? wrong : [about.matches(STEPS.DECLARED_CONFIGURATION)];
}

/** The part of the declared interfaces that these calls, at every depth, can rest on. @param {{ [address: string]: { [selector: string]: string } }} interfaces @param {any[]} calls */
function usedOf(interfaces, calls) {
  const found = Object.create(null);
  const look = (/** @type {any} */ { target, calldata, other_chain: isElsewhere, inner }) => {
    const selector = calldata.slice(0, 10);
    const functions = Object.hasOwn(interfaces, target) && !isElsewhere ? interfaces[target] : {};
    if (Object.hasOwn(functions, selector)) (found[target] ??= Object.create(null))[selector] = functions[selector];
    inner.forEach(look);
  };
  calls.forEach(look);
  return found;
}

/** @param {any[]} prompt */
const templatesHash = (prompt) => keccakHex(concat(TEMPLATES_TAG, utf8(canonical(prompt))));

/** @param {string} name @param {any[]} reports */
const versionsBy = (name, reports) => Object.fromEntries(reports.map((report) => [report[name], report.version]));

/** The context tools that ran, with their versions. One that could not run counts with the declared one. @param {any[]} context @param {any} state @param {{ [tool: string]: string }} declared */
function toolsOf(context, { skipped }, declared) {
  const ran = context.map(({ tool, version }) => [tool, version]);
  const names = skipped.filter((/** @type {any} */ { step }) => step.startsWith("tool:"));
  const skippedTools = names.map((/** @type {any} */ { step }) => [step.slice(5), declared[step.slice(5)] ?? ""]);
  return [...ran, ...skippedTools].sort(inOrder);
}

/** Pairs of text. @param {any} one @param {any} other */
const inOrder = (one, other) => (one[0] === other[0] ? compareText(one[1], other[1]) : compareText(one[0], other[0]));
/** @param {string} one @param {string} other */
const compareText = (one, other) => (one < other ? -1 : Number(one > other));

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
    .map(({ address, code_hash: code, implementation_code_hash: implementation }) => [address, code, implementation ?? NO_WORD])
    .sort((one, other) => compareText(one.join(), other.join()));
  const types = ["bytes32", "string", "uint256", "address", "uint256", "address[]", "uint256[]", "bytes[]", "string[]", "bytes32", "(address,bytes32,bytes32)[]"];
  return keccakHex(
    encode(types, [
      REVIEW_TAG, kind, key.chain_id, key.governor, key.proposal_id, column("target"), column("value_wei"),
      column("calldata").map(fromHex), column("signature"), keccakHex(fromHex(description)), codes,
    ]),
  ); // prettier-ignore
}

/** Step 19. @param {Case} one @returns {Verdict[]} */
function checkDecision({ about, fields }) {
  const { state, checks, opinions, ruleset, rules, decision } = fields;
  let parsed;
  try {
    parsed = parseRuleset(ruleset);
  } catch (error) {
    if (!isError(error, "differs")) throw error;
    return [about.differs(STEPS.DECISION, "ruleset", { reason: error.message })];
  }
  const decided = decide(parsed, { state, checks, opinions, rules });
  if (decided === null) {
    return [about.differs(STEPS.DECISION, "rules", { reason: "these cannot be the outcomes of the rules of this ruleset" })];
  }
  const expected = { ...decided, review_digest: state.review_digest, ruleset_hash: keccakHex(utf8(ruleset)) };
  const verdict = compare(about, STEPS.DECISION, "decision", expected, decision);
  const reason = "over the recorded outcomes of the rules' conditions; that they hold is left to Python";
  return [verdict.status === "matches" ? { ...verdict, reason } : verdict];
}

/** Step 20. A correction may say anything: it decides nothing. @param {Case} one @param {import("./governor.js").Governor} governor @param {boolean} wasPaused */
function checkEntitlement(one, governor, wasPaused) {
  const { entry, about, fields } = one;
  const { people } = fields;
  if (entry.kind === "CORRECTION") return about.matches(STEPS.ENTRY, "a correction");
  let entitled;
  try {
    entitled = entitlement(fields);
  } catch (error) {
    if (!isError(error, "differs")) throw error;
    return about.differs(STEPS.ENTRY, isSilent(people) ? "kind" : "people", { seen: entry.kind, reason: error.message });
  }
  if (entitled.vote !== null && !governor.canVote) throw new VerifierError("differs", `no votes on ${governor.address}: ${governor.cannotVoteBecause}`);
  if (wasPaused && entitled.kind === "VOTE" && (entry.kind === "HOLD" || entry.kind === "SKIP")) {
    return about.matches(STEPS.ENTRY, "the guardian had paused the votes of the gate");
  }
  if (entry.kind !== entitled.kind) {
    const reason = "the entry is not the one that its record entitles to";
    return about.differs(STEPS.ENTRY, "kind", { expected: entitled.kind, seen: entry.kind, reason });
  }
  const action = entitled.vote === null ? NO_WORD : voteAction(SUPPORT[entitled.vote]);
  if (entry.action !== action) {
    return about.differs(STEPS.ENTRY, "action", { expected: action, seen: entry.action, reason: "not the vote that was decided" });
  }
  if (isSilent(people)) return about.matches(STEPS.ENTRY);
  const late = people.words.findIndex((/** @type {any} */ word) => givesVote(people) && word.expires_at < entry.time);
  if (late >= 0) {
    const seen = people.words[late].expires_at;
    return about.differs(STEPS.ENTRY, `people.words[${late}].expires_at`, { expected: `at least ${entry.time}`, seen });
  }
  return whoseWords(one, people);
}

/** A name in a record is anybody's word; a signature by a declared approver is that person's. @param {Case} one @param {any} people */
function whoseWords({ about, configuration, fields }, people) {
  if (configuration === null) return about.notCheckable(STEPS.ENTRY, "what people said: no usable configuration says who may");
  let approvers;
  try {
    approvers = vouchers(fields, configuration);
  } catch (error) {
    if (!isError(error, "differs")) throw error;
    return about.differs(STEPS.ENTRY, "people", { reason: error.message });
  }
  if (people.expired !== null) {
    const soFar = counted(mostForOneVote(fields.decision, people.words), configuration.approvals);
    const reason = `the wait for people ended without them, at a time that the operator attests: ${soFar}`;
    return about.matches(STEPS.ENTRY, reason, "attested");
  }
  const said = rejectionIn(people) === null ? "approved" : "rejected";
  if (approvers.length === 0) {
    const name = JSON.stringify(people.words[0].person);
    return about.matches(STEPS.ENTRY, `${said}, as the operator attests, by ${name}: nobody signed`, "attested");
  }
  const whose = approvers.length === 1 ? "a declared approver: signature" : "declared approvers: signatures";
  return about.matches(STEPS.ENTRY, `${said} by ${approvers.join(", ")}, ${whose} recovered`);
}

/** Step 20, last: the rules' vote is not cast after a person's veto. Only a word that was given later can lift one. @param {Case} one @param {Map<number, any>} rejections */
function checkNotRejected({ entry, about, fields }, rejections) {
  if (entry.kind !== "VOTE" || fields.people.words.length > 0) return [];
  const vetoes = [...rejections].filter(([, rejection]) => speaksOf(rejection, fields));
  return vetoes.map(([seq]) =>
    about.differs(STEPS.ENTRY, "people", { reason: `a person rejected this decision, as entry ${seq} says` }),
  );
}

/** A verdict for each claim that is not so: [where, expected, seen, reason]. @param {About} about @param {number} step @param {[string, any, any, string?][]} claims */
const differing = (about, step, claims) =>
  claims
    .filter(([, expected, seen]) => canonical(expected) !== canonical(seen))
    .map(([where, expected, seen, reason = ""]) =>
      about.differs(step, where, { expected: plain(expected), seen: plain(seen), reason }),
    );

/** Matches, or differs at the first place inside two values that is not the same. @param {About} about @param {number} step @param {string} where @param {Json} expected @param {Json} seen */
function compare(about, step, where, expected, seen) {
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
