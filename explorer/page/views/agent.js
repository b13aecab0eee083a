/** One agent: who it is, what it decided (newest first), how its configuration changed. */
import { announce, facts, fill, h } from '../dom.js';
import { address, copyButton, heading, labelTag, later, livingTag, livingTier, shortened } from '../parts.js';
import { linkTo } from '../route.js';
import { quoted } from '../text.js';
import { duration, isDecision, seatOf, TIERS, whatItDid, when } from '../words.js';
import { legend } from './agents.js';
import { verdictTable } from './verdicts.js';

/** Entries that are shown at first, and with each click. */
const FIRST = 20;
const MORE = 50;
/** List items that are made in one frame. */
const AT_ONCE = 10;

/** @param {import('../parts.js').Context} context */
export function agent({ root, place, session, signal, route }) {
  const writer = route.agent;
  const whoItIs = h('section', { 'aria-label': 'Standing' });
  const list = h('ol', { class: 'plain', id: 'decisions' });
  const more = h('div', {});
  const history = h('div', {});
  const whole = h('div', {});
  fill(root,
    heading('Agent ', h('span', { class: 'hex' }, shortened(writer))),
    whoItIs,
    h('section', { 'aria-labelledby': 'did' }, h('h2', { id: 'did' }, 'What it did, newest first'), list, more),
    h('section', { 'aria-labelledby': 'history' }, h('h2', { id: 'history' }, 'How its configuration changed'), history),
    h('section', { 'aria-labelledby': 'whole' }, h('h2', { id: 'whole' }, 'Checks of the agent as a whole'), whole),
  );
  const newest = session.ask('newest', writer, FIRST);
  const checking = session.checking(writer, newest);
  const standing = session.ask('standing', writer);

  showOlder(undefined);
  later(whoItIs, 'Reading the agent…', standing, ({ agent, state, gate, tier, line }) => head(agent, state, gate, tier, line));
  later(history, 'Reading its configurations…', session.ask('history', writer), showHistory);
  const showWhole = () => summary(whole, checking);
  showWhole();
  checking.addEventListener('change', showWhole, { signal });

  /** @param {any} agent @param {any} state @param {any} gate @param {string | undefined} tier @param {any} line */
  function head(agent, state, gate, tier, line) {
    const other = (/** @type {string} */ writer) => h('a', { class: 'hex', href: linkTo(place, 'agent', writer) }, writer);
    const meaning = h('p', {});
    const showMeaning = () => fill(meaning, TIERS[checking.tier ?? tier ?? ''] ?? '');
    showMeaning();
    checking.addEventListener('settled', showMeaning, { signal });
    return [
      h('p', { class: 'tags' }, livingTier(checking, standing, signal), livingTag(checking, null, signal), gate?.paused && h('span', { class: 'tag bad' }, 'votes paused'), state.closed && h('span', { class: 'tag' }, 'handed over')),
      meaning,
      gate?.paused && h('p', { class: 'warning' }, 'The guardian has paused the votes of this agent. It can still write down what it decides.'),
      line.successor && h('p', {}, 'It handed over to ', other(line.successor), ' and writes no more.'),
      line.predecessor && h('p', {}, 'It took over from ', other(line.predecessor), '.'),
      h('details', {}, h('summary', {}, 'Who holds it'), h('div', { class: 'inside' }, facts([
        ['Account', address(agent.writer)],
        ['Entries', state.seq],
        ['Answers for', agent.declaration.governors.map((/** @type {string} */ g) => h('div', { class: 'hex' }, g))],
        ['Operator', address(agent.operator)],
        ['Signer', gate && address(gate.signer)],
        ['Guardian', gate && address(gate.guardian)],
        ['Notice for changes', duration(agent.noticeSeconds)],
        ['Delay of its gate', gate && duration(gate.delaySeconds)],
        ['Evidence lies at', agent.declaration.evidenceUri === '' ? 'not said' : quoted(agent.declaration.evidenceUri)],
      ]))),
      h('p', {}, h('a', { class: 'button', href: linkTo(place, 'agent', agent.writer, 'delegate') }, 'Delegate to it, or take power back'), copyButton(place, 'this agent', 'agent', agent.writer)),
      legend(),
    ];
  }

  /** @param {number | undefined} before */
  function showOlder(before) {
    const waiting = h('p', { class: 'quiet', 'aria-busy': 'true' }, 'Reading decisions…');
    fill(more, waiting);
    (before === undefined ? newest : session.ask('newest', writer, MORE, before)).then(async (entries) => {
      await append(entries);
      const last = entries.at(-1);
      if (entries.length === 0 && before === undefined) fill(more, h('p', {}, 'It has written nothing yet.'));
      else if (!last || last.seq === 1) fill(more);
      else fill(more, h('button', { type: 'button', onclick: () => showOlder(last.seq) }, `Show older (${(last.seq - 1).toLocaleString('en')} more)`));
      announce(`${list.children.length} entries shown.`);
    }, (error) => fill(more, h('p', { class: 'error', role: 'alert' }, error.message)));
  }

  /** Some in each frame, so that none takes long. @param {import('../../verifier/log.js').Entry[]} entries */
  async function append(entries) {
    for (let at = 0; at < entries.length; at += AT_ONCE) {
      if (at > 0) await new Promise(requestAnimationFrame);
      list.append(...entries.slice(at, at + AT_ONCE).map(item));
    }
  }

  /** @param {import('../../verifier/log.js').Entry} entry */
  function item(entry) {
    const what = whatItDid(entry);
    const link = h('a', { class: 'reason', href: linkTo(place, 'agent', writer, 'decision', entry.seq) }, what);
    const about = h('p', { class: 'quiet' });
    const line = h('li', { class: 'card decision' },
      link, about,
      h('p', { class: 'tags' }, h('span', { class: 'tag vote' }, what), livingTier(checking, standing, signal), livingTag(checking, entry.seq, signal), h('span', { class: 'quiet' }, h('time', { datetime: new Date(entry.time * 1000).toISOString() }, when(entry.time)), ` · entry ${entry.seq}`)),
    );
    if (isDecision(entry.kind)) session.ask('line', writer, entry.recordRoot).then((told) => tell(link, about, told), () => {});
    return line;
  }

  /** @param {any[]} declarations */
  function showHistory(declarations) {
    return h('ol', { class: 'plain' }, declarations.map((declaration, i) => {
      const state = declaration.activeFromBlock === null ? 'announced, not in force' : i === 0 ? 'from the start' : `in force from block ${declaration.activeFromBlock}`;
      return h('li', { class: 'card' },
        h('h3', {}, `Configuration ${declaration.epoch}: ${state}`),
        i === 0 ? documentFacts(declaration) : changes(declarations[i - 1], declaration),
      );
    }).reverse());
  }
}

/** @param {HTMLElement} link @param {HTMLElement} about @param {any} told */
function tell(link, about, told) {
  if (told.reason === null) {
    fill(about, `Its reason cannot be shown. ${told.problem}`);
    return;
  }
  if (told.reason !== '') fill(link, quoted(told.reason));
  fill(about, told.title === '' ? 'A proposal without a title' : quoted(told.title));
}

/** @param {any} declaration */
function documentFacts({ document, configHash, governors, evidenceUri }) {
  const d = document ?? {};
  return facts([
    ['Fingerprint', h('span', { class: 'hex' }, configHash)],
    ['Mode', d.mode && quoted(String(d.mode))],
    ['Models', Array.isArray(d.analysts) && d.analysts.map((/** @type {any} */ a) => h('div', {}, quoted(analystName(a))))],
    ['Ruleset', d.ruleset_hash && h('span', { class: 'hex' }, String(d.ruleset_hash))],
    ['Software', d.software && quoted(String(d.software))],
    ['People who may approve', Array.isArray(d.approvers) && d.approvers.map((/** @type {any} */ a) => h('div', { class: 'hex' }, String(a)))],
    ['Approvals that a vote takes', d.approvals !== undefined && String(d.approvals)],
    ['Sealed fields', Array.isArray(d.sealed) && d.sealed.length > 0 && quoted(d.sealed.join(', '))],
    ['Governors', governors.map((/** @type {string} */ g) => h('div', { class: 'hex' }, g))],
    ['Evidence', evidenceUri !== '' && quoted(evidenceUri)],
    ['Document', document === null && 'not found where the agent says'],
  ]);
}

/** @param {any} analyst */
const analystName = (analyst) =>
  [analyst && seatOf(analyst), analyst?.is_language_model ? `${analyst.model} (${analyst.provider})` : 'no language model'].join(': ');

/** Only what changed, before and after. @param {any} before @param {any} after */
function changes(before, after) {
  const [a, b] = [flat(before), flat(after)];
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name]).sort();
  if (names.length === 0) return h('p', {}, 'Nothing that this page can see changed.');
  return facts(names.map((name) => [name.replaceAll('_', ' '), [h('div', { class: 'quiet' }, 'was ', quoted(a[name] ?? 'not set')), h('div', {}, 'is ', quoted(b[name] ?? 'not set'))]]));
}

/** @param {any} declaration @returns {Record<string, string>} */
function flat({ document, governors, evidenceUri, configHash }) {
  const parts = Object.entries(document ?? { document: `not found: ${configHash}` }).filter(([name]) => name !== 'governors');
  const told = parts.map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]);
  return Object.fromEntries([...told, ['governors', governors.join(', ')], ['evidence lies at', evidenceUri]]);
}

/** @param {HTMLElement} root @param {import('../session.js').Checking} checking */
async function summary(root, checking) {
  if (checking.state === 'running') {
    fill(root, h('p', { 'aria-busy': 'true' }, `Checking in your browser. ${checking.labels.size.toLocaleString('en')} entries so far.`));
    return;
  }
  if (checking.state === 'failed') {
    fill(root, h('p', { class: 'error', role: 'alert' }, `The check could not be finished: ${checking.problem}`));
    announce('The check could not be finished.');
    return;
  }
  const verdicts = await checking.verdicts(null);
  const counts = Object.entries(checking.outcome?.counts ?? {}).map(([name, count]) => `${count} ${name}`);
  fill(root,
    h('p', { class: 'tags' }, labelTag(checking.whole)),
    h('p', {}, `${counts.join(', ')}.`),
    verdictTable(verdicts),
  );
  announce(`The check is finished: ${counts.join(', ')}.`);
}
