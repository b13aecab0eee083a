/** One decision: what and why first, then everything that it rests on, part by part, each with a link of its own. */
import { escapedText, fromHex } from '../../verifier/bytes.js';
import { facts, fill, h } from '../dom.js';
import { address, copyButton, heading, later, livingTag, livingTier, problem } from '../parts.js';
import { linkTo } from '../route.js';
import { passage, quoted } from '../text.js';
import { isDecision, seatOf, whatItDid, when } from '../words.js';
import { amounts, callList, namesOf } from './calls.js';
import { leftToPython, verdictTable } from './verdicts.js';

/** How a stranger can check each part. @type {Record<string, string>} */
const GRADES = {
  proposal: 'derived from the chain', calls: 'derived from the chain', simulation: 're-simulated: needs a node that simulates',
  checks: 'derived: can be run again', rules: 'derived: can be run again', decision: 'derived: can be run again',
  opinions: 'attested: the word of the operator', attempts: 'attested: the word of the operator', people: 'attested, or signed',
  ruleset: 'derived', prompt: 'derived', state: 're-read: needs old state', context: 'each result has its own', software: 'attested: the word of the operator',
};

/** @param {import('../parts.js').Context} context */
export function decision({ root, place, session, signal, route }) {
  const { agent, seq, field } = route;
  const body = h('div', {});
  fill(root, body);
  const found = session.ask('entry', agent, seq);
  const checking = session.checking(agent, found);
  const standing = session.ask('standing', agent);
  later(body, 'Reading the decision…', found, (entry) => {
    if (entry === null) return problem(`Entry ${seq} of this agent does not exist.`);
    const told = h('div', {});
    const title = heading(whatItDid(entry));
    if (isDecision(entry.kind)) showRecord(entry, title, told);
    return [
      h('p', {}, h('a', { href: linkTo(place, 'agent', agent) }, 'All decisions of this agent')),
      title,
      h('p', { class: 'tags' }, h('span', { class: 'tag vote' }, whatItDid(entry)), livingTier(checking, standing, signal), livingTag(checking, seq, signal), copyButton(place, 'this decision', 'agent', agent, 'decision', seq)),
      h('p', { class: 'quiet' }, `${when(entry.time)}, entry ${seq}`),
      told,
      onChain(entry),
      verification(),
      remarks(entry),
      h('p', {}, seq > 1 && h('a', { class: 'button', href: linkTo(place, 'agent', agent, 'decision', seq - 1) }, 'Older'), h('a', { class: 'button', href: linkTo(place, 'agent', agent, 'decision', seq + 1) }, 'Newer')),
    ];
  }).then(() => focusField(field));

  /** @param {import('../../verifier/log.js').Entry} entry @param {HTMLElement} title @param {HTMLElement} told */
  async function showRecord(entry, title, told) {
    await later(told, 'Fetching the evidence…', session.ask('story', agent, entry), (story) => {
      const { bundle, problem: why } = story;
      if (!bundle) return problem(`The story of this decision cannot be shown. ${why}`);
      const { decision, proposal } = bundle.fields;
      const shown = parts(bundle, story.openedBodies);
      if (decision?.reason) fill(title, quoted(String(decision.reason)));
      return [
        h('p', { class: 'lead' }, 'About: ', quoted(firstLine(descriptionOf(proposal)))),
        h('p', {}, meaning(entry, bundle.fields)),
        h('h2', {}, 'What it rests on'),
        notPublished(shown, story),
        shown.map((part) => section(part, story)),
      ];
    });
    focusField(field);
  }

  /** @param {Part} part @param {any} story */
  function section({ name, title, show }, story) {
    const { fields } = story.bundle;
    const inside = h('div', { class: 'inside' });
    const open = ['calls', 'checks', 'rules'].includes(name) || name === field;
    const part = h('details', { id: `field-${name}`, open }, h('summary', {}, title, ' ', standingTag(name, story)), inside);
    const write = () => fill(inside,
      h('p', { class: 'tags quiet' }, GRADES[name] ?? '', copyButton(place, title, 'agent', agent, 'decision', seq, 'field', name)),
      name in fields ? safely(() => show(fields[name])) : notThere(name, show, story),
    );
    // A record is long. What is closed is written when somebody opens it.
    if (open) write();
    else part.addEventListener('toggle', write, { once: true });
    return part;
  }

  function verification() {
    const table = h('div', {});
    let asked = 0;
    const show = async () => {
      if (checking.state === 'failed') {
        fill(table, problem(`The check could not be finished: ${checking.problem}`));
        return;
      }
      const mine = ++asked;
      const verdicts = await checking.verdicts(seq);
      if (mine === asked) fill(table, checking.state === 'running' && h('p', { 'aria-busy': 'true' }, 'Your browser is checking…'), verdictTable(verdicts));
    };
    let shown = '';
    const onChange = () => {
      const key = `${checking.state} ${checking.labelOf(seq).label}`;
      if (key !== shown) show();
      shown = key;
    };
    onChange();
    checking.addEventListener('change', onChange, { signal });
    return h('section', { 'aria-labelledby': 'checked' }, h('h2', { id: 'checked' }, 'What your browser checked'), table, leftToPython());
  }

  /** @param {import('../../verifier/log.js').Entry} entry */
  function remarks(entry) {
    const list = h('div', {});
    later(list, 'Looking for remarks…', session.ask('remarks', agent, entry.seq), (found) =>
      found.length === 0 ? h('p', { class: 'quiet' }, 'None.') : h('ul', { class: 'plain' }, found.map(remark)));
    return h('section', { 'aria-labelledby': 'remarks' }, h('h2', { id: 'remarks' }, 'What others say about it'), h('p', { class: 'quiet' }, 'Anyone can leave a remark. Nobody has checked these.'), list);
  }
}

/** How a part of the record stands that is not simply there. @param {string} name @param {any} story */
function standingTag(name, { bundle, sealed, opened }) {
  const isThere = name in bundle.fields;
  if (isThere) return opened.includes(name) && h('span', { class: 'tag good' }, 'opened by a disclosure');
  if (opened.some((/** @type {string} */ one) => one.startsWith(`${name}[`))) return h('span', { class: 'tag warn' }, 'sealed, opened in part');
  return sealed.includes(name) ? h('span', { class: 'tag warn' }, 'sealed') : h('span', { class: 'tag bad' }, 'withheld');
}

/** @param {string} name @param {(value: any) => any} show @param {any} story */
function notThere(name, show, { sealed, items }) {
  const open = items.filter((/** @type {any} */ item) => item.name === name);
  return [
    h('p', {}, 'The agent does not publish this part. ',
      sealed.includes(name) ? 'It declares this part sealed. ' : 'Its configuration does not declare it sealed. ',
      'The fingerprint is in the record, so it can be shown later and not be changed.'),
    open.map((/** @type {any} */ { index, value }) => h('div', {}, h('h3', {}, `Item ${index}, opened by a disclosure`), safely(() => show([value])))),
  ].flat();
}

/** What of the record is not public, at a glance. @param {Part[]} shown @param {any} story */
function notPublished(shown, { bundle, sealed, opened }) {
  const missing = shown.map(({ name }) => name).filter((name) => !(name in bundle.fields));
  const names = (/** @type {string[]} */ list) => list.join(', ');
  return (missing.length > 0 || opened.length > 0) && facts([
    ['Sealed, as declared', names(missing.filter((name) => sealed.includes(name)))],
    ['Withheld', names(missing.filter((name) => !sealed.includes(name)))],
    ['Opened by a disclosure', names(opened)],
  ]);
}

/** @type {Record<string, string>} */
const REMARKS = { checked: 'says that it was checked and agrees', differs: 'says that it differs', withheld: 'says that evidence is withheld', answer: 'answers' };

/** @param {any} remark */
function remark({ from, verdict, uri, hash, blockNumber }) {
  return h('li', { class: 'card' },
    h('p', {}, address(from), ` ${REMARKS[verdict] ?? `leaves verdict ${verdict}`} (block ${blockNumber})`),
    uri !== '' && h('p', { class: 'quiet' }, 'Document: ', quoted(uri, 300)),
    !/^0x0*$/.test(hash) && h('p', { class: 'quiet hex' }, hash),
  );
}

/** Scrolls to a part that a link names. @param {string} field */
function focusField(field) {
  const part = field === '' ? null : document.getElementById(`field-${field}`);
  if (!part) return;
  /** @type {HTMLDetailsElement} */ (part).open = true;
  part.classList.add('target');
  part.scrollIntoView();
  part.querySelector('summary')?.focus({ preventScroll: true });
}

/** A part whose shape nobody foresaw is shown raw; it must not take the other parts with it. @param {() => any} show */
function safely(show) {
  try {
    return show();
  } catch {
    return h('p', { class: 'error' }, 'This part has a form that this page does not know.');
  }
}

/** @param {import('../../verifier/log.js').Entry} entry @param {any} fields */
function meaning(entry, fields) {
  const mode = fields.header?.mode;
  const people = fields.people ?? { words: [], expired: null };
  if (entry.kind === 'VOTE') return people.words.length > 0 ? 'It voted because people approved.' : 'It voted by its rules alone.';
  if (entry.kind === 'HOLD' && people.expired) return 'No vote: the wait for people ended without them.';
  if (entry.kind === 'HOLD' && people.words.length > 0) return 'No vote: a person said no.';
  if (entry.kind === 'HOLD') return mode === 'observe' ? 'No vote: the agent only observes, and would have asked a person.' : 'No vote yet: people are asked.';
  if (entry.kind === 'DECISION') return 'No vote: the agent only observes, or a person said no.';
  return '';
}

/** @typedef {{ name: string, title: string, show: (value: any) => any }} Part */

/** @param {any} bundle @param {Record<string, string>} openedBodies what disclosures of single attempts bring @returns {Part[]} */
function parts(bundle, openedBodies) {
  const names = namesOf(bundle.fields);
  const bodies = { ...openedBodies, ...bundle.bodies };
  return [
    { name: 'proposal', title: 'The proposal (written by its author, not checked)', show: proposalPart },
    { name: 'calls', title: 'What it would execute', show: (calls) => callList(calls, { named: names, amounts: amounts(bundle.fields) }) },
    { name: 'simulation', title: 'What happened when it was simulated', show: (simulation) => simulationPart(simulation, names, amounts(bundle.fields)) },
    { name: 'checks', title: 'What the checks found', show: checksPart },
    { name: 'rules', title: 'What the rules said', show: (rules) => rulesPart(rules, bundle.fields.decision) },
    { name: 'opinions', title: 'What each model answered (advice, not a decision)', show: opinionsPart },
    { name: 'attempts', title: 'The prompts, exactly as sent and answered', show: (attempts) => attemptsPart(attempts, bodies) },
    { name: 'people', title: 'What people said', show: peoplePart },
    { name: 'decision', title: 'The decision', show: decisionPart },
    { name: 'ruleset', title: 'The rules, whole', show: (text) => passage(String(text)) },
    { name: 'state', title: 'What was known of the chain', show: statePart },
    { name: 'context', title: 'What its tools found', show: (results) => results.length === 0 ? h('p', {}, 'No tool ran.') : results.map((/** @type {any} */ r) => h('div', {}, h('h3', {}, quoted(`${r.tool} ${r.version} (${r.grade})`)), passage(JSON.stringify(r.result, null, 1)))) },
    { name: 'prompt', title: 'The templates of the prompts', show: (templates) => templates.map((/** @type {any} */ t) => h('div', {}, h('h3', {}, quoted(t.name)), passage(t.text))) },
    { name: 'software', title: 'The software that ran', show: (software) => passage(JSON.stringify(software, null, 1)) },
  ];
}

// Parts

/** @param {any} proposal */
function descriptionOf(proposal) {
  const hex = String(proposal?.description ?? '0x');
  return escapedText(fromHex(hex));
}

/** @param {string} text */
const firstLine = (text) => text.split('\n').map((line) => line.replace(/^#+\s*/, '').trim()).find((line) => line !== '') ?? 'a proposal without text';

/** @param {any} proposal */
function proposalPart(proposal) {
  return h('div', {},
    facts([
      ['Proposer', address(String(proposal.proposer))], ['Governor', address(String(proposal.key.governor))],
      ['Number', h('span', { class: 'hex' }, String(proposal.key.proposal_id))], ['Chain', String(proposal.key.chain_id)],
      ['Votes from', String(proposal.vote_start)], ['Votes until', String(proposal.vote_end)],
    ]),
    passage(descriptionOf(proposal)),
  );
}

/** @param {any} simulation @param {(address: string) => any} named @param {import('./calls.js').Amounts} amounts */
function simulationPart(simulation, named, amounts) {
  if (simulation.status === 'skipped') return h('p', { class: 'warning' }, 'It was not simulated: ', quoted(simulation.why_skipped));
  return h('div', {},
    h('p', {}, simulation.status === 'succeeded' ? 'It went through, executed by ' : 'It failed, executed by ', named(simulation.executor), '.'),
    h('ul', { class: 'calls' },
      simulation.results.filter((/** @type {any} */ r) => r.error !== '').map((/** @type {any} */ r) => h('li', {}, `Call ${r.path} fails: `, quoted(r.error))),
      effects(simulation, named, amounts),
      simulation.delegated.map((/** @type {any} */ run) => h('li', {},
        'The code of ', named(run.code), ' by itself, with the rights of ', named(run.account), run.succeeded ? ':' : [' fails: ', quoted(run.error)],
        h('ul', {}, effects(run, named, amounts)),
      )),
      simulation.readings.map((/** @type {any} */ r) => h('li', {}, quoted(r.name), `: ${answerOf(r.before)} before, ${answerOf(r.after)} after`)),
      simulation.balances.filter((/** @type {any} */ b) => b.before !== b.after).map((/** @type {any} */ b) => h('li', {},
        b.spender === null ? [named(b.holder), ' has '] : [named(b.spender), ' may take from ', named(b.holder), ' '],
        amounts.standing(b, b.before), ' before, ', amounts.standing(b, b.after), ' after',
      )),
    ),
  );
}

/** @param {any} ran @param {(address: string) => any} named @param {import('./calls.js').Amounts} amounts */
const effects = (ran, named, amounts) => [
  ran.movements.map((/** @type {any} */ m) => h('li', {}, amounts.moved(m), m.kind === 'transfer' ? ' go from ' : ' of ', named(m.sender), m.kind === 'transfer' ? ' to ' : ' may be taken by ', named(m.recipient))),
  ran.changes.map((/** @type {any} */ c) => h('li', {}, quoted(`${c.kind}: ${c.subject} ${c.detail}`), ' in ', named(c.contract))),
];

/** @param {any} answer */
const answerOf = (answer) => (answer.error === '' ? answer.data.slice(0, 66) : 'no answer');

const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info'];
const SEVERITY_TONE = /** @type {Record<string, string>} */ ({ critical: 'bad', high: 'bad', medium: 'warn' });

/** @param {any[]} reports */
function checksPart(reports) {
  const findings = reports.flatMap((r) => r.findings).sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
  const quiet = reports.filter((r) => r.findings.length === 0 && r.skipped === '').length;
  return h('div', {},
    h('ul', { class: 'plain' },
      findings.map((f) => h('li', { class: 'card' },
        h('p', {}, h('span', { class: `tag ${SEVERITY_TONE[f.severity] ?? ''}` }, f.severity), ' ', quoted(f.title)),
        f.detail !== '' && h('p', { class: 'quiet' }, quoted(f.detail, 2000)),
        f.evidence.map((/** @type {string} */ e) => h('p', { class: 'quiet' }, quoted(e))),
        h('p', { class: 'quiet' }, `check ${f.check}`, f.calls.length > 0 && `, calls ${f.calls.join(', ')}`),
      )),
      reports.filter((r) => r.skipped !== '').map((r) => h('li', { class: 'card' }, h('span', { class: 'tag warn' }, 'could not run'), ` ${r.check}: `, quoted(r.skipped))),
    ),
    h('p', { class: 'quiet' }, `${quiet} of ${reports.length} checks found nothing.`),
  );
}

/** @param {any[]} rules @param {any} decision */
function rulesPart(rules, decision) {
  return h('div', {},
    h('ol', {}, rules.map((rule) => h('li', {},
      h('strong', {}, quoted(rule.rule)), ` (then ${rule.then}) `,
      rule.rule === decision?.decided_by ? h('span', { class: 'tag good' }, 'this rule decided') : !rule.matched && h('span', { class: 'quiet' }, 'does not apply'),
      h('div', { class: 'quiet' }, quoted(rule.explanation, 2000)),
    ))),
    decision && !rules.some((r) => r.rule === decision.decided_by) && h('p', {}, 'Decided by: ', quoted(decision.decided_by)),
  );
}

/** @param {any[]} opinions */
function opinionsPart(opinions) {
  if (opinions.length === 0) return h('p', {}, 'Nobody was asked.');
  return h('div', {}, opinions.map(({ analyst, analysis, failure, struck }) => h('div', { class: 'card' },
    h('h3', {}, quoted(seatOf(analyst))),
    h('p', { class: 'quiet' }, analyst.is_language_model ? quoted(`language model ${analyst.model}, ${analyst.provider} ${analyst.base_url_host}`) : 'no language model: made from facts by a program'),
    analysis === null ? h('p', { class: 'warning' }, 'No analysis: ', quoted(failure)) : analysisPart(analysis),
    struck?.length > 0 && h('div', { class: 'warning' }, 'Struck out, because nothing supports it:', h('ul', {}, struck.map((/** @type {string} */ words) => h('li', {}, quoted(words))))),
  )));
}

/** @param {any} a */
function analysisPart(a) {
  return h('div', {},
    h('p', {}, quoted(a.summary, 1000)),
    h('p', {}, `Advice: ${a.recommendation}, ${a.confidence_percent} % sure. `),
    a.stated_intent !== '' && h('p', {}, 'The text says it wants: ', quoted(a.stated_intent)),
    h('ul', {},
      a.key_points.map((/** @type {any} */ p) => h('li', {}, quoted(p.claim), p.call !== null && ` (call ${p.call})`, p.effect !== null && ` (effect ${p.effect})`, p.quotation !== null && [' “', quoted(p.quotation), '”'])),
      a.risks.map((/** @type {any} */ r) => h('li', {}, `Risk, ${r.level}: `, quoted(r.text))),
    ),
  );
}

/** @param {any[]} attempts @param {any} bodies */
function attemptsPart(attempts, bodies) {
  if (attempts.length === 0) return h('p', {}, 'No model was asked.');
  return h('div', {}, attempts.map((attempt) => h('details', {},
    h('summary', {}, `Opinion ${attempt.opinion}, attempt ${attempt.number}: `, quoted(attempt.outcome)),
    h('div', { class: 'inside' },
      facts([['Model that answered', attempt.served_model && quoted(attempt.served_model)], ['HTTP status', attempt.http_status], ['Detail', attempt.detail && quoted(attempt.detail)], ['Tokens', attempt.input_tokens !== null && `${attempt.input_tokens} in, ${attempt.output_tokens} out${attempt.reused ? ', of an answer given before' : ''}`]]),
      h('h3', {}, 'Request'), body(attempt.request_hash, bodies),
      h('h3', {}, 'Response'), attempt.response_hash === null ? h('p', {}, 'Nothing came back.') : body(attempt.response_hash, bodies),
    ),
  )));
}

/** @param {string} hash @param {any} bodies */
function body(hash, bodies) {
  const found = bodies[hash];
  return h('div', {}, h('p', { class: 'quiet hex' }, hash), found === undefined ? h('p', { class: 'warning' }, 'withheld') : passage(found));
}

/** @param {any} people */
function peoplePart({ words, expired }) {
  if (words.length === 0 && expired === null) return h('p', {}, 'No person took part.');
  return h('div', {}, words.map(wordPart), expired !== null && h('p', { class: 'warning' }, `The wait for people ended without them: the governor's clock was at ${expired.now}, the vote ends at ${expired.deadline}.`));
}

/** @param {any} approval */
function wordPart(approval) {
  return h('div', {}, facts([
    ['Who', quoted(approval.person)], ['Said', `${approval.verdict}${approval.vote ? `, vote ${approval.vote}` : ''}`],
    ['Comment', approval.comment !== '' && quoted(approval.comment, 2000)], ['Counts until', when(approval.expires_at)],
    ['Signature', approval.signature === '' ? 'none: the word of the operator' : h('span', { class: 'hex' }, approval.signature)],
  ]));
}

/** @param {any} decision */
function decisionPart(decision) {
  return facts([
    ['Outcome', decision.outcome], ['Reason', quoted(decision.reason)], ['Decided by', quoted(decision.decided_by)],
    ['Fingerprint of the rules', h('span', { class: 'hex' }, decision.ruleset_hash)], ['Fingerprint of what was reviewed', h('span', { class: 'hex' }, decision.review_digest)],
  ]);
}

/** @param {any} state */
function statePart(state) {
  return h('div', {},
    facts([['Block', String(state.block.number)], ['Time', when(state.block.timestamp)]]),
    state.skipped.map((/** @type {any} */ s) => h('p', { class: 'warning' }, 'Could not be established: ', quoted(`${s.step}: ${s.why}`))),
    h('details', {}, h('summary', {}, 'All of it'), passage(JSON.stringify(state, null, 1))),
  );
}

/** @param {import('../../verifier/log.js').Entry} entry */
function onChain(entry) {
  return h('details', {}, h('summary', {}, 'The entry on chain'), h('div', { class: 'inside' }, facts(
    /** @type {[string, any][]} */ ([
      ['Kind', entry.kind], ['Number', entry.seq], ['Configuration', entry.epoch], ['Block', entry.blockNumber],
      ...Object.entries({ Transaction: entry.transactionHash, Subject: entry.subject, 'Prompt hash': entry.promptHash, 'Record root': entry.recordRoot, Action: entry.action }).map(([name, word]) => [name, h('span', { class: 'hex' }, word)]),
    ]),
  )));
}
