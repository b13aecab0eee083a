/** The first page: which chain, which log. Nothing is stored; the address line remembers. */
import { fill, h } from '../dom.js';
import { heading } from '../parts.js';
import { linkTo, placeProblem } from '../route.js';

/** @type {[string, string, string][]} */
const MORE = [
  ['evidence', 'Place of the evidence', 'A URL. Empty: where the agents say that it lies.'],
  ['factory', 'Factory of the vote gates', 'Only gates of this factory count. Empty: any factory with our code.'],
  ['upto', 'Check up to block', 'Empty: the last finalized block, which no reorganisation can undo. A local chain needs: latest.'],
  ['from', 'First block of the log', 'Empty: the page looks for it.'],
];

/** What the button leads to. @type {Record<import('../route.js').View, string>} */
const LEADS_TO = { agents: 'Show the agents', check: 'Check a file', agent: 'Show the agent', delegate: 'Show the agent', decision: 'Show the decision' };

/** @param {HTMLElement} root @param {import('../route.js').Route} route */
export function connect(root, route) {
  const complaint = h('div', { role: 'alert' });
  const draft = /** @type {Record<string, string>} */ (route.draft);
  const field = (/** @type {string} */ name, /** @type {string} */ label, /** @type {string} */ help, required = false) => [
    h('label', { for: name }, label, h('small', { id: `${name}-help` }, help)),
    h('input', { id: name, name, value: draft[name] ?? '', autocomplete: 'off', spellcheck: 'false', required, 'aria-describedby': `${name}-help` }),
  ];
  const form = h('form', {
    class: 'stack',
    onsubmit: (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      const values = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value).trim()]));
      const place = /** @type {import('../route.js').Place} */ (values);
      const wrong = placeProblem(place);
      fill(complaint, wrong === '' ? null : h('p', { class: 'error' }, wrong));
      const isThatLog = place.log === route.draft.log;
      if (wrong === '') location.hash = linkTo(place, ...(isThatLog ? route.parts : []));
    },
  },
    field('rpc', 'RPC endpoint of the chain', 'A URL, your own or a public one. It stays in the address line of your browser.', true),
    field('log', 'Address of the decision log', '0x and 40 digits. The DAO, or the agent, tells you.', true),
    h('details', { open: MORE.some(([name]) => (draft[name] ?? '') !== '') }, h('summary', {}, 'More'), h('div', { class: 'inside' }, MORE.flatMap(([name, label, help]) => field(name, label, help)))),
    complaint,
    h('button', { class: 'main', type: 'submit' }, LEADS_TO[route.view]),
  );
  fill(root,
    heading('What did the AI delegates of your DAO decide?'),
    h('p', { class: 'lead' }, 'Each agent writes every decision to a log on chain: what it did, why, and a fingerprint of all that it rests on. This page shows the log and checks it in your browser. You do not have to trust the people who run the agent.'),
    route.view !== 'agents' && draft.rpc === '' && h('p', {}, 'The link that you followed names no RPC endpoint. Name one, and the page goes on to what the link leads to.'),
    form,
  );
}
