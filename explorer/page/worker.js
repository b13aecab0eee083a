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
import { openedIn } from '../verifier/disclosure.js';
import { openStore, placesOf } from '../verifier/evidence.js';
import { fetchBundle, labelOf, LogReader, MAX_FILE_BYTES, mergeDisclosure, openBundle, openDisclosure, verifyLog } from '../verifier/index.js';
import { readDelegation, readGate, ReadingError, readOutcome } from './reading.js';
import { isHttp } from './route.js';

/** @type {LogReader} */
let reader;
/** @type {any} */
let place;
/** @type {Map<string, import('../verifier/disclosure.js').Disclosure[]>} */
const disclosures = new Map();

const calls = {
  /** @param {any} where */
  async open(where) {
    place = where;
    reader = await LogReader.open(logOptions());
    return { chainId: reader.chainId };
  },

  agents: () => reader.agents(),

  /** Who an agent is now. @param {string} writer */
  async standing(writer) {
    const [agent, state, line, tier] = await Promise.all([reader.agent(writer), reader.state(writer), reader.line(writer), reader.tier(writer)]);
    return { agent, state, line, tier: tier.toUpperCase(), gate: tier === 'enforced' ? await readGate(reader.rpc, writer) : null };
  },

  /** @param {string} writer @param {number} count @param {number} [before] */
  newest: (writer, count, before) => reader.newest(writer, count, before),

  /** @param {string} writer @param {number} seq */
  entry: (writer, seq) => reader.entry(writer, seq),

  /** @param {string} writer @param {number} seq */
  remarks: (writer, seq) => reader.remarks(writer, seq),

  /** Each configuration of an agent with its document, or why there is none. @param {string} writer */
  async history(writer) {
    const declarations = await declarationsOf(writer);
    return Promise.all(declarations.map(async (declaration) => ({ ...declaration, ...(await documentOf(writer, declaration)) })));
  },

  /** The line that stands in a list. @param {string} writer @param {string} recordRoot */
  async line(writer, recordRoot) {
    const { bundle, problem } = await recordOf(writer, recordRoot);
    if (!bundle) return { reason: null, problem };
    const { decision, proposal } = bundle.fields;
    return { reason: String(decision?.reason ?? ''), title: titleOf(proposal), outcome: decision?.outcome ?? null, problem };
  },

  /** A whole record, for reading, and which parts of it are sealed, and opened. @param {string} writer @param {import('../verifier/log.js').Entry} entry */
  async story(writer, { recordRoot, epoch }) {
    const [record, sealed] = await Promise.all([recordOf(writer, recordRoot), sealedIn(writer, epoch)]);
    return { ...record, sealed, ...openedParts(recordRoot) };
  },

  /** @param {string} governor @param {string} delegate @param {string} holder */
  delegation: (governor, delegate, holder) => readDelegation(reader.rpc, governor, delegate, holder),

  /** @param {string} hash */
  outcome: (hash) => readOutcome(reader.rpc, hash),

  /** A file that somebody dropped: what it is, whose it is, and how each field of it does. @param {ArrayBuffer} data */
  file: (data) => checkFile(new Uint8Array(data)),

  /** Checks an agent, and reads everything by itself; labels come as events. @param {any} where @param {string} writer @param {ArrayBuffer[]} files */
  check(where, writer, files) {
    place = where;
    return check(writer, files.map((file) => openDisclosure(new Uint8Array(file))));
  },

  /** The verdicts about one entry, or about the agent as a whole (null). @param {number | null} seq */
  verdicts: async (seq) => verdicts.get(seq) ?? [],
};

/** What the reader and the check are told of the place. */
const logOptions = () => ({ rpc: place.rpc, log: place.log, factory: place.factory || undefined, fromBlock: place.from === '' ? undefined : Number(place.from) });

// Evidence

/** Where an agent's evidence lies: where the member says, else where the agent declared. @param {string} writer */
async function storesOf(writer) {
  if (place.evidence !== '') return [place.evidence];
  const newestFirst = [...(await declarationsOf(writer))].reverse();
  return [...new Set(newestFirst.flatMap((d) => placesOf(d.evidenceUri)).filter(isHttp))];
}

/** @type {Map<string, ReturnType<LogReader['declarations']>>} */
const declared = new Map();

/** @param {string} writer */
function declarationsOf(writer) {
  const known = declared.get(writer) ?? reader.declarations(writer);
  declared.set(writer, known);
  return known;
}

/** @param {string} writer @param {string} recordRoot @returns {Promise<{bundle: any, problem: string}>} */
async function recordOf(writer, recordRoot) {
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
const readable = ({ fields, bodies }) => ({ fields, bodies: readableBodies(bodies) });

/** @param {Map<string, Uint8Array>} bodies @returns {Record<string, string>} */
const readableBodies = (bodies) => Object.fromEntries([...bodies].map(([hash, bytes]) => [hash, textOf(bytes) ?? toHex(bytes)]));

/** Fields that the configuration in force declares sealed. @param {string} writer @param {number} epoch @returns {Promise<string[]>} */
async function sealedIn(writer, epoch) {
  const declaration = (await declarationsOf(writer))[epoch];
  const { document } = declaration ? await documentOf(writer, declaration) : { document: null };
  const sealed = /** @type {any} */ (document)?.sealed;
  return Array.isArray(sealed) ? sealed.map(String) : [];
}

/** What the disclosures open that were dropped on the page: names of parts, single items of lists, what models were sent. @param {string} recordRoot */
function openedParts(recordRoot) {
  const known = disclosures.get(recordRoot) ?? [];
  const items = known.flatMap((one) => Object.entries(one.items)).flatMap(([name, { open }]) =>
    Object.entries(/** @type {any} */ (open)).map(([index, { read }]) => ({ name, index, value: read })));
  return {
    opened: [...new Set(known.flatMap(openedIn))],
    items,
    openedBodies: readableBodies(new Map(known.flatMap(({ bodies }) => [...bodies]))),
  };
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
  for (const { writer } of await reader.agents()) {
    const entries = await reader.newest(writer, Infinity);
    const entry = entries.find((e) => e.recordRoot === root);
    if (entry) return { writer, seq: entry.seq, kind: entry.kind, action: entry.action, time: entry.time };
  }
  return null;
}

/** @param {string} root @param {Uint8Array} bytes */
function fieldsOfBundle(root, bytes) {
  const { bundle } = openBundle(root, bytes);
  return { problem: '', fields: FIELDS.map((name) => ({ name, state: name in bundle.fields ? 'matches' : 'withheld' })) };
}

/** @param {string} root @param {Uint8Array} bytes */
function fieldsOfDisclosure(root, bytes) {
  const disclosure = openDisclosure(bytes);
  disclosures.set(root, [...(disclosures.get(root) ?? []), disclosure]);
  return { problem: '', fields: openedIn(disclosure).map((name) => ({ name, state: 'matches' })) };
}

/** @param {any} parsed @param {any} error */
function fieldsWithProblem(parsed, error) {
  const wrong = String(error?.where ?? '').split('; ').map((place) => place.replace('fields.', ''));
  const names = typeof parsed.fields === 'object' && parsed.fields !== null ? Object.keys(parsed.fields) : [];
  return FIELDS.filter((name) => names.includes(name)).map((name) => ({ name, state: wrong.includes(name) ? 'differs' : 'unknown' }));
}

const FIELDS = [
  'header', 'proposal', 'calls', 'state', 'simulation', 'context', 'prompt', 'attempts', 'opinions', 'checks', 'ruleset', 'rules',
  'decision', 'people', 'software',
];

// Checking

/** @type {Map<number | null, any[]>} */
const verdicts = new Map();

/** @param {string} writer @param {any[]} opened */
async function check(writer, opened) {
  verdicts.clear();
  const labels = new Labels();
  const options = {
    ...logOptions(), writer, evidence: place.evidence || undefined, disclosures: opened,
    upto: place.upto === '' ? undefined : /^[0-9]+$/.test(place.upto) ? Number(place.upto) : place.upto,
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
/** So many labels in one message, so that the page never has more to do at a time. */
const LOT = 200;

/** Labels of entries, sent together: the page shall not hear of each of a hundred thousand verdicts. */
class Labels {
  constructor() {
    /** Entries with a new verdict. @type {Set<number>} */
    this.changed = new Set();
    /** Entries whose verdicts do not make a label yet. @type {Set<number>} */
    this.open = new Set();
    this.timer = setInterval(() => this.send(), PAUSE);
  }

  /** @param {any} verdict */
  add(verdict) {
    const about = verdict.entry ?? null;
    const list = verdicts.get(about);
    if (list) list.push(verdict);
    else verdicts.set(about, [verdict]);
    if (about !== null) this.changed.add(about);
  }

  send() {
    const labels = [];
    for (const seq of this.changed) {
      const label = labelSoFar(seq);
      if (label === null) {
        this.open.add(seq);
      } else {
        this.open.delete(seq);
        labels.push([seq, label]);
      }
    }
    this.changed.clear();
    tell(labels);
  }

  /** @param {any} report */
  finish({ counts, writers: [about] }) {
    tell([...new Set([...this.open, ...this.changed])].map((seq) => [seq, labelOf(verdicts.get(seq) ?? [])]));
    return { counts, entries: about?.entries ?? 0, tier: about?.tier.toUpperCase(), whole: labelOf(verdicts.get(null) ?? []) };
  }

  stop() {
    clearInterval(this.timer);
  }
}

/** @param {any[]} labels */
function tell(labels) {
  for (let at = 0; at < labels.length; at += LOT) postMessage({ event: 'labels', labels: labels.slice(at, at + LOT) });
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
