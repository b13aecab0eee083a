/**
 * Everything that reads, hashes or judges, off the page's own thread. The page starts this file twice: once to read what
 * is shown, once to check it, so that a long check never delays an answer.
 *
 * In: {id, call, args}. Out: {id, result} or {id, error}, and {event, ...} while a check runs.
 */
import { escapedText, fromHex, textOf, toHex } from '../verifier/bytes.js';
import { parseJson } from '../verifier/canonical.js';
import { keccakHex } from '../verifier/hash.js';
import { fileName } from '../verifier/bundle.js';
import { openStore, placesOf } from '../verifier/evidence.js';
import { fetchBundle, labelOf, MAX_FILE_BYTES, mergeDisclosure, openBundle, openDisclosure, verifyLog } from '../verifier/index.js';
import { LogReader, ReadingError } from './reading.js';
import { isHttp } from './route.js';

/** @type {LogReader} */
let reader;
/** @type {any} */
let place;
/** @type {Map<string, import('./reading.js').Agent>} */
const agents = new Map();
/** @type {Map<string, any[]>} */
const disclosures = new Map();

const calls = {
  /** @param {any} where */
  async open(where) {
    place = where;
    reader = new LogReader(where);
    const found = await reader.agents();
    for (const agent of found.agents) agents.set(agent.writer.toLowerCase(), agent);
    return found;
  },

  /** For the checking worker, which reads everything by itself. @param {any} where */
  async use(where) {
    place = where;
  },

  /** Who an agent is now. @param {string} writer */
  async standing(writer) {
    const agent = agentOf(writer);
    return { agent, ...(await reader.standing(agent.writer)) };
  },

  /** @param {string} writer @param {number} count @param {number} [before] */
  newest: (writer, count, before) => reader.newest(agentOf(writer), count, before),

  /** @param {string} writer @param {number} seq */
  entry: (writer, seq) => reader.entry(agentOf(writer), seq),

  /** @param {string} writer @param {number} seq */
  remarks: (writer, seq) => reader.remarks(agentOf(writer), seq),

  /** Each configuration of an agent with its document, or why there is none. @param {string} writer */
  async history(writer) {
    const declarations = await reader.declarations(agentOf(writer));
    return Promise.all(declarations.map(async (declaration) => ({ ...declaration, ...(await documentOf(writer, declaration)) })));
  },

  /** The line that stands in a list. @param {string} writer @param {string} recordRoot */
  async line(writer, recordRoot) {
    const { bundle, problem } = await story(writer, recordRoot);
    if (!bundle) return { reason: null, problem };
    const { decision, proposal } = bundle.fields;
    return { reason: String(decision?.reason ?? ''), title: titleOf(proposal), outcome: decision?.outcome ?? null, problem };
  },

  /** A whole record, for reading. @param {string} writer @param {string} recordRoot */
  story,

  /** @param {string} governor @param {string} delegate @param {string} holder */
  delegation: (governor, delegate, holder) => reader.delegation(governor, delegate, holder),

  /** @param {string} hash */
  outcome: (hash) => reader.outcome(hash),

  /** A file that somebody dropped: what it is, whose it is, and how each field of it does. @param {ArrayBuffer} data */
  file: (data) => checkFile(new Uint8Array(data)),

  /** Checks an agent; labels come as events. @param {string} writer @param {ArrayBuffer[]} files */
  check: (writer, files) => check(writer, files.map((file) => openDisclosure(new Uint8Array(file)))),

  /** The verdicts about one entry, or about the agent as a whole (null). @param {number | null} seq */
  verdicts: async (seq) => verdicts.get(seq) ?? [],
};

/** @param {string} writer */
function agentOf(writer) {
  const agent = agents.get(writer.toLowerCase());
  if (!agent) throw new ReadingError(`${writer} is no agent of this log.`);
  return agent;
}

// Evidence

/** Where an agent's evidence lies: where the member says, else where the agent declared. @param {string} writer */
async function storesOf(writer) {
  if (place.evidence !== '') return [place.evidence];
  const newestFirst = [...(await declarationsOf(writer))].reverse();
  return [...new Set(newestFirst.flatMap((d) => placesOf(d.evidenceUri)).filter(isHttp))];
}

/** @type {Map<string, Promise<import('./reading.js').Declared[]>>} */
const declared = new Map();

/** @param {string} writer */
function declarationsOf(writer) {
  const known = declared.get(writer) ?? reader.declarations(agentOf(writer));
  declared.set(writer, known);
  return known;
}

/** @param {string} writer @param {string} recordRoot @returns {Promise<{bundle: any, problem: string}>} */
async function story(writer, recordRoot) {
  const stores = await storesOf(writer);
  if (stores.length === 0) return { bundle: null, problem: 'The agent does not say where its evidence lies on the web. Name its place on the first page.' };
  let problem = '';
  for (const store of stores) {
    try {
      const bundle = await fetchBundle(store, recordRoot);
      if (bundle !== null) return { bundle: readable(withDisclosures(recordRoot, bundle)), problem: '' };
      problem ||= 'The evidence is not there.';
    } catch (error) {
      problem = words(error);
    }
  }
  return { bundle: null, problem };
}

/** What the page shows of a bundle. @param {import('../verifier/bundle.js').Bundle} bundle */
function readable({ fields, bodies }) {
  return { fields, bodies: Object.fromEntries([...bodies].map(([hash, bytes]) => [hash, textOf(bytes) ?? toHex(bytes)])) };
}

/** @param {string} recordRoot @param {any} bundle */
function withDisclosures(recordRoot, bundle) {
  return (disclosures.get(recordRoot) ?? []).reduce((merged, disclosure) => mergeDisclosure(merged, disclosure), bundle);
}

/** @param {string} writer @param {{configHash: string}} declaration */
async function documentOf(writer, declaration) {
  for (const store of await storesOf(writer)) {
    try {
      const bytes = await openStore(store).read(fileName(declaration.configHash));
      if (bytes !== null && keccakHex(bytes) === declaration.configHash) return { document: parseJson(bytes, 'configuration') };
    } catch {
      // another place may have it
    }
  }
  return { document: null };
}

/** @param {any} proposal */
function titleOf(proposal) {
  if (!proposal?.description) return '';
  return escapedText(fromHex(proposal.description)).split('\n').map((line) => line.replace(/^#+\s*/, '').trim()).find((line) => line !== '')?.slice(0, 200) ?? '';
}

// Files

/** @param {Uint8Array} bytes */
async function checkFile(bytes) {
  if (bytes.length > MAX_FILE_BYTES) throw new ReadingError('This file is larger than any evidence may be (16 MiB).');
  let parsed;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new ReadingError('This is no JSON file. Choose an evidence bundle or a disclosure.');
  }
  const format = parsed?.format;
  if (format !== 'pnyx.bundle.v1' && format !== 'pnyx.disclosure.v1') {
    throw new ReadingError('This is neither an evidence bundle (pnyx.bundle.v1) nor a disclosure (pnyx.disclosure.v1).');
  }
  const root = String(parsed.record_root);
  const found = await entryWithRoot(root);
  try {
    return { format, root, found, ...(format === 'pnyx.bundle.v1' ? fieldsOfBundle(root, bytes) : fieldsOfDisclosure(root, bytes)) };
  } catch (error) {
    return { format, root, found, problem: words(error), fields: fieldsWithProblem(parsed, error) };
  }
}

/** @param {string} root */
async function entryWithRoot(root) {
  for (const agent of agents.values()) {
    const entries = await reader.newest(agent, Infinity);
    const entry = entries.find((e) => e.recordRoot === root);
    if (entry) return { writer: agent.writer, seq: entry.seq, kind: entry.kind, action: entry.action, time: entry.time };
  }
  return null;
}

/** @param {string} root @param {Uint8Array} bytes */
function fieldsOfBundle(root, bytes) {
  const { bundle } = openBundle(root, bytes);
  return { problem: '', fields: FIELDS.map((name) => ({ name, state: name in bundle.fields ? 'matches' : 'withheld' })), bundle };
}

/** @param {string} root @param {Uint8Array} bytes */
function fieldsOfDisclosure(root, bytes) {
  const disclosure = openDisclosure(bytes);
  disclosures.set(root, [...(disclosures.get(root) ?? []), disclosure]);
  const opened = Object.keys(disclosure.fields).map((name) => ({ name, state: 'matches' }));
  const items = Object.entries(disclosure.items ?? {}).flatMap(([name, list]) =>
    Object.keys(/** @type {any} */ (list).open).map((number) => ({ name: `${name} ${number}`, state: 'matches' })),
  );
  return { problem: '', fields: [...opened, ...items], disclosure };
}

/** @param {any} parsed @param {any} error */
function fieldsWithProblem(parsed, error) {
  const wrong = String(error?.where ?? '').split('; ').map((place) => place.replace('fields.', ''));
  const names = typeof parsed.fields === 'object' && parsed.fields !== null ? Object.keys(parsed.fields) : [];
  return FIELDS.filter((name) => names.includes(name)).map((name) => ({ name, state: wrong.includes(name) ? 'differs' : 'unknown' }));
}

const FIELDS = [
  'header', 'proposal', 'calls', 'state', 'simulation', 'context', 'prompt', 'attempts', 'opinions', 'checks', 'ruleset', 'rules',
  'decision', 'approval', 'software',
];

// Checking

/** @type {Map<number | null, any[]>} */
const verdicts = new Map();

/** @param {string} writer @param {any[]} opened */
async function check(writer, opened) {
  verdicts.clear();
  const labels = new Labels();
  const options = {
    rpc: place.rpc, log: place.log, writer, evidence: place.evidence || undefined, factory: place.factory || undefined,
    upto: place.upto === '' ? undefined : /^[0-9]+$/.test(place.upto) ? Number(place.upto) : place.upto, fromBlock: place.from === '' ? undefined : Number(place.from),
    disclosures: opened,
    onProgress: (/** @type {any} */ progress) => labels.progress(progress),
    onVerdict: (/** @type {any} */ verdict) => labels.add(verdict),
  };
  try {
    const report = await verifyLog(options);
    return labels.finish(report);
  } finally {
    labels.stop();
  }
}

const PAUSE = 150;

/** Labels of entries, sent in lots: the page shall not hear of each of a hundred thousand verdicts. */
class Labels {
  constructor() {
    /** @type {Set<number>} */
    this.changed = new Set();
    /** @type {any} */
    this.last = null;
    this.timer = setInterval(() => this.send(), PAUSE);
  }

  /** @param {any} verdict */
  add(verdict) {
    const list = verdicts.get(verdict.entry ?? null);
    if (list) list.push(verdict);
    else verdicts.set(verdict.entry ?? null, [verdict]);
    if (verdict.entry !== null && verdict.entry !== undefined) this.changed.add(verdict.entry);
  }

  /** @param {any} progress */
  progress(progress) {
    this.last = progress;
  }

  send() {
    if (this.changed.size === 0 && this.last === null) return;
    const labels = [...this.changed].map((seq) => [seq, labelSoFar(seq)]).filter(([, label]) => label !== null);
    postMessage({ event: 'labels', labels, progress: this.last });
    this.changed.clear();
    this.last = null;
  }

  /** @param {any} report */
  finish(report) {
    const labels = [...verdicts.keys()].filter((seq) => seq !== null).map((seq) => [seq, labelOf(verdicts.get(seq) ?? [])]);
    return { report: report.toJSON(), labels, whole: labelOf(verdicts.get(null) ?? []) };
  }

  stop() {
    clearInterval(this.timer);
  }
}

/** Problems show at once; that all is well is known with the last step only. @param {number} seq */
function labelSoFar(seq) {
  const list = verdicts.get(seq) ?? [];
  const label = labelOf(list);
  return list.some((v) => v.step === 20) || ['differs', 'withheld'].includes(label.label) ? label : null;
}

/** @param {unknown} error */
function words(error) {
  return error instanceof Error ? error.message : String(error);
}

addEventListener('message', async ({ data: { id, call, args } }) => {
  try {
    postMessage({ id, result: await /** @type {any} */ (calls)[call](...args) });
  } catch (error) {
    postMessage({ id, error: words(error) });
  }
});
