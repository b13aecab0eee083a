/** A file that somebody was given: does it belong to an entry of this log, and is it whole? */
import { answer, fill, h } from '../dom.js';
import { address, heading, labelTag, problem } from '../parts.js';
import { linkTo } from '../route.js';
import { whatItDid, when } from '../words.js';
import { quoted } from '../text.js';

/** @type {Record<string, [string, string]>} */
const STATES = {
  matches: ['good', 'matches its fingerprint'], differs: ['bad', 'differs from its fingerprint'],
  withheld: ['warn', 'withheld'], unknown: ['', 'not looked at'],
};

/** @param {import('../parts.js').Context} context */
export function check({ root, place, session, signal }) {
  const result = h('div', { 'aria-live': 'polite' });
  const input = h('input', { type: 'file', id: 'file', accept: '.json,application/json', onchange: () => input.files?.[0] && show(input.files[0]) });
  const drop = h('div', { class: 'drop' }, h('label', { for: 'file' }, 'Drop an evidence bundle or a disclosure here, or choose one:'), input);
  fill(root,
    heading('Check a file'),
    h('p', {}, 'The file stays in your browser. The page computes its fingerprint and looks for the entry on chain that commits to it.'),
    drop, result,
  );
  document.addEventListener('dragover', (event) => { event.preventDefault(); drop.classList.add('over'); }, { signal });
  document.addEventListener('dragleave', () => drop.classList.remove('over'), { signal });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    drop.classList.remove('over');
    const file = event.dataTransfer?.files[0];
    if (file) show(file);
  }, { signal });

  /** @param {File} file */
  async function show(file) {
    fill(result, h('p', { 'aria-busy': 'true' }, 'Checking ', quoted(file.name, 100), '…'));
    try {
      const found = await session.checkFile(await file.arrayBuffer());
      fill(result, verdict(found), ...details(found));
      answer('The file was checked.');
    } catch (error) {
      fill(result, problem(error instanceof Error ? error.message : String(error)));
    }
  }

  /** @param {any} file */
  function verdict({ format, found, problem: wrong }) {
    const what = format === 'pnyx.bundle.v1' ? 'evidence bundle' : 'disclosure';
    if (wrong !== '') return h('div', {}, h('p', {}, labelTag({ label: 'differs' })), problem(`This ${what} is not what it claims to be: ${wrong}`));
    if (!found) return h('div', {}, h('p', {}, labelTag({ label: 'differs' })), problem(`This ${what} is whole in itself, but no entry of this log commits to it.`));
    return h('div', {}, h('p', {}, labelTag({ label: 'checked' })), h('p', {}, `This ${what} is what an entry on chain commits to.`));
  }

  /** @param {any} file */
  function details({ root: record, found, fields }) {
    return [
      found && h('p', {}, h('a', { href: linkTo(place, 'agent', found.writer, 'decision', found.seq) }, `${whatItDid(found)}, entry ${found.seq}`), ` of `, address(found.writer), `, ${when(found.time)}`),
      h('p', { class: 'quiet' }, 'Record ', quoted(record, 70)),
      h('table', {},
        h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Part'), h('th', { scope: 'col' }, 'Result'))),
        h('tbody', {}, fields.map((/** @type {any} */ f) => h('tr', {}, h('th', { scope: 'row' }, f.name), h('td', {}, h('span', { class: `tag ${STATES[f.state][0]}` }, STATES[f.state][1]))))),
      ),
    ];
  }
}
