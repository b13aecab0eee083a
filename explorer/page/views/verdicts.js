/** Verdicts of the verifier as a table, and which steps only the Python program checks. */
import { h } from '../dom.js';
import { quoted } from '../text.js';
import { STEPS } from '../words.js';

const TONE = /** @type {Record<string, string>} */ ({ matches: 'good', differs: 'bad', missing: 'bad', 'not proven': 'bad', 'not checkable': 'warn', pending: '' });

export const LEFT_TO_PYTHON = [13, 14, 15, 16, 17, 18];
const LONGEST = 60;

/** @param {any[]} verdicts */
export function verdictTable(verdicts) {
  if (verdicts.length === 0) return h('p', { class: 'quiet' }, 'No verdict yet.');
  const isBad = (/** @type {any} */ v) => (['differs', 'missing', 'not proven'].includes(v.status) ? 0 : 1);
  const sorted = [...verdicts].sort((a, b) => isBad(a) - isBad(b) || a.step - b.step);
  return h('div', {},
    h('table', {},
      h('thead', {}, h('tr', {}, ['Step', 'Verdict', 'How far it can be relied on'].map((name) => h('th', { scope: 'col' }, name)))),
      h('tbody', {}, sorted.slice(0, LONGEST).map(row)),
    ),
    sorted.length > LONGEST && h('p', { class: 'quiet' }, `${sorted.length - LONGEST} more verdicts are not shown.`),
  );
}

/** @param {any} verdict */
function row(verdict) {
  const [name, meaning] = STEPS[verdict.step] ?? [`Step ${verdict.step}`, ''];
  return h('tr', {},
    h('th', { scope: 'row' }, `${verdict.step}. ${name}`, h('div', { class: 'quiet' }, meaning)),
    h('td', {},
      h('span', { class: `tag ${TONE[verdict.status] ?? ''}` }, verdict.status),
      verdict.where && h('div', {}, 'at ', quoted(String(verdict.where))),
      verdict.reason && h('div', { class: 'quiet' }, quoted(String(verdict.reason))),
      verdict.expected !== null && verdict.expected !== undefined && h('div', { class: 'quiet' }, 'expected ', quoted(String(verdict.expected), 160)),
      verdict.seen !== null && verdict.seen !== undefined && h('div', { class: 'quiet' }, 'seen ', quoted(String(verdict.seen), 160)),
      verdict.proposal && h('div', { class: 'quiet' }, quoted(String(verdict.proposal), 200)),
    ),
    h('td', {}, verdict.grade ?? ''),
  );
}

/** What this page leaves to the Python program. */
export function leftToPython() {
  return h('p', { class: 'quiet' }, 'This page does not run models’ prompts, checks and simulations again. Only the program ', h('code', {}, 'pnyx verify'), ` checks: ${LEFT_TO_PYTHON.map((step) => STEPS[step][0].toLowerCase()).join(', ')}.`);
}
