// What the check says: verdicts, and the report that they add up to. docs/verifying.md has the steps and the words.

const REPORT_FORMAT = "pnyx.verification.v1";

export const STEPS = /** @type {const} */ ({
  LOG_CODE: 1, REGISTRATION: 2, ENTRIES: 3, CONFIGURATION: 4, WRITER: 5, VOTES: 6, ANNOUNCED_VOTES: 7, COMPLETENESS: 8,
  BUNDLE: 9, HEADER: 10, DECLARED_CONFIGURATION: 11, PROPOSAL: 12, DECISION: 19, ENTRY: 20,
}); // prettier-ignore

/** Steps that need what only Python has here: archive state, simulation, the checks, the templates. */
export const LEFT_TO_PYTHON = [13, 14, 15, 16, 17, 18];
/** And what it leaves of the others. */
export const LEFT_IN_PART = {
  12: "whether the decoded calls follow from the calldata",
  19: "whether each rule's conditions hold: their recorded outcomes are taken",
};

/** @typedef {"matches" | "differs" | "missing" | "not proven" | "not checkable" | "pending"} Status */
/** @typedef {"derived" | "re-read" | "re-simulated" | "attested"} Grade */
/** @typedef {"enforced" | "atomic" | "declared" | "unknown"} Tier */
/**
 * @typedef {object} Verdict
 * @property {number} step
 * @property {Status} status
 * @property {Grade} grade
 * @property {number | null} entry
 * @property {string | null} proposal `chain:governor:id`
 * @property {string | null} where the field that differs
 * @property {string | null} reason
 * @property {string | null} expected what the chain, or the recomputation, gives
 * @property {string | null} seen what the writer, or the record, says
 */

const STATUSES = /** @type {const} */ (["matches", "differs", "missing", "not proven", "not checkable", "pending"]);
/** Verdicts of one status that a writer's report holds; the rest is counted. */
const MOST_KEPT = 1_000;
const SHOWN_CHARACTERS = 240;

/** What a verdict is about: its methods make verdicts. */
export class About {
  /** @param {number | null} [entry] @param {string | null} [proposal] */
  constructor(entry = null, proposal = null) {
    this.entry = entry;
    this.proposal = proposal;
  }

  /** @param {number} step @param {string} [reason] @param {Grade} [grade] */
  matches(step, reason = "", grade = "derived") {
    return this.verdict(step, "matches", { reason, grade });
  }

  /** @param {number} step @param {string} where @param {{ expected?: unknown, seen?: unknown, reason?: string, grade?: Grade }} [more] */
  differs(step, where, more = {}) {
    return this.verdict(step, "differs", { where, ...more });
  }

  /** @param {number} step @param {string} reason */
  missing(step, reason) {
    return this.verdict(step, "missing", { reason });
  }

  /** @param {number} step @param {string} reason @param {Grade} [grade] */
  notProven(step, reason, grade = "derived") {
    return this.verdict(step, "not proven", { reason, grade });
  }

  /** @param {number} step @param {string} reason @param {Grade} [grade] */
  notCheckable(step, reason, grade = "derived") {
    return this.verdict(step, "not checkable", { reason, grade });
  }

  /** @param {number} step @param {string} reason */
  pending(step, reason) {
    return this.verdict(step, "pending", { reason });
  }

  /**
   * @param {number} step @param {Status} status
   * @param {{ where?: string, reason?: string, expected?: unknown, seen?: unknown, grade?: Grade }} more
   * @returns {Verdict}
   */
  verdict(step, status, { where = "", reason = "", expected = "", seen = "", grade = "derived" }) {
    const { entry, proposal } = this;
    return {
      step, status, grade, entry, proposal, where: where || null, reason: shown(reason) || null,
      expected: shown(expected) || null, seen: shown(seen) || null,
    }; // prettier-ignore
  }
}

/** A value in a report: long ones are cut. @param {unknown} value */
export function shown(value) {
  const text = typeof value === "string" ? value : String(value);
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}... (${text.length} characters)`;
}

/** @param {Status} status */
const isProblem = (status) => status === "differs" || status === "missing";

/** How many verdicts there are of each status. Only what does not match is kept, and not without end. */
class Tally {
  constructor() {
    this.counts = Object.fromEntries(STATUSES.map((status) => [status, 0]));
    /** @type {{ [step: string]: { [status: string]: number } }} */
    this.steps = {};
    /** @type {Verdict[]} */
    this.verdicts = [];
    /** @type {{ [status: string]: number }} */
    this.cut = {};
  }

  /** @param {Verdict} verdict */
  add(verdict) {
    const { step, status } = verdict;
    this.counts[status] += 1;
    const ofStep = (this.steps[step] ??= {});
    ofStep[status] = (ofStep[status] ?? 0) + 1;
    if (status === "matches") return;
    if (this.counts[status] <= MOST_KEPT) this.verdicts.push(verdict);
    else this.cut[status] = this.counts[status] - MOST_KEPT;
  }
}

/** Everything about one writer. Grows while the steps run. */
export class WriterReport {
  /** @param {string} writer @param {(verdict: Verdict, writer: string) => void} onVerdict */
  constructor(writer, onVerdict) {
    this.writer = writer;
    /** @type {Tier} */
    this.tier = "unknown";
    this.entries = 0;
    /** @type {{ [kind: string]: number }} */
    this.kinds = {};
    /** @type {string | null} */
    this.predecessor = null;
    /** The Safe that votes for it, by the configuration in force. @type {string | null} */
    this.safe = null;
    /** @type {string | null} */
    this.successor = null;
    /** What others say about its entries. Information; no verdict of this check. @type {import("./log.js").Remark[]} */
    this.remarks = [];
    this.tally = new Tally();
    this.onVerdict = onVerdict;
  }

  /** @param {Iterable<Verdict>} verdicts */
  add(verdicts) {
    for (const verdict of verdicts) {
      this.tally.add(verdict);
      this.onVerdict(verdict, this.writer);
    }
  }

  toJSON() {
    const { writer, tier, safe, entries, kinds, predecessor, successor, remarks } = this;
    const { steps, counts, verdicts, cut } = this.tally;
    return {
      writer, tier, safe, entries, kinds, predecessor, successor, steps, counts, verdicts, cut,
      remarks: remarks.slice(0, MOST_KEPT).map(remarkJson), remarks_cut: Math.max(remarks.length - MOST_KEPT, 0),
    }; // prettier-ignore
  }
}

/** @param {import("./log.js").Remark} remark */
const remarkJson = ({ from, seq, verdict, hash, uri }) => ({ from, entry: seq, verdict, hash, uri });

/**
 * The whole check. `ok` means: up to `block` nothing differs, nothing is missing, nothing is left unproven, in the steps
 * that are checked here. A check that looked at no writer has shown nothing.
 */
export class Report {
  /** @param {number} chainId @param {string} log @param {import("./wire.js").Block} block */
  constructor(chainId, log, block) {
    this.chainId = chainId;
    this.log = log;
    this.block = block;
    /** Steps 9 to 20 were left out, because the caller wanted it so. */
    this.withoutEvidence = false;
    /** @type {Verdict[]} */
    this.verdicts = [];
    /** @type {WriterReport[]} */
    this.writers = [];
  }

  get counts() {
    /** @type {{ [status: string]: number }} */
    const counts = Object.fromEntries(STATUSES.map((status) => [status, 0]));
    for (const { status } of this.verdicts) counts[status] += 1;
    for (const { tally } of this.writers) for (const status of STATUSES) counts[status] += tally.counts[status];
    return counts;
  }

  get hasProblems() {
    return STATUSES.some((status) => isProblem(status) && this.counts[status] > 0);
  }

  get ok() {
    return this.writers.length > 0 && !this.hasProblems && this.counts["not proven"] === 0;
  }

  toJSON() {
    const { ok, chainId, log, block, counts, verdicts, writers } = this;
    return {
      format: REPORT_FORMAT, ok, chain_id: chainId, log, block, counts, without_evidence: this.withoutEvidence,
      log_verdicts: verdicts,
      writers: writers.map((writer) => writer.toJSON()), left_to_python: LEFT_TO_PYTHON, left_in_part: LEFT_IN_PART,
    }; // prettier-ignore
  }
}

/** @typedef {"checked" | "differs" | "withheld" | "not proven" | "not checkable" | "pending"} Label */

/**
 * One word for an entry, from its verdicts. A step that both matches and leaves something open counts as checked.
 * @param {Verdict[]} verdicts @returns {{ label: Label, where: string }}
 */
export function labelOf(verdicts) {
  const find = (/** @type {(verdict: Verdict) => boolean} */ holds) => verdicts.find(holds);
  const wrong = find(({ status }) => status === "differs");
  if (wrong) return { label: "differs", where: wrong.where ?? wrong.reason ?? "" };
  const absent = find(({ status }) => status === "missing");
  if (absent) return { label: absent.step === STEPS.BUNDLE ? "withheld" : "differs", where: absent.reason ?? "" };
  const unproven = find(({ status }) => status === "not proven");
  if (unproven) return { label: "not proven", where: unproven.reason ?? "" };
  const matched = new Set(verdicts.filter(({ status }) => status === "matches").map(({ step }) => step));
  const open = find(({ step, status }) => status === "not checkable" && !matched.has(step));
  if (open) return { label: "not checkable", where: open.reason ?? "" };
  const due = find(({ status }) => status === "pending");
  if (due || verdicts.length === 0) return { label: "pending", where: due?.reason ?? "" };
  return { label: "checked", where: "" };
}
