/** Who writes to this log. */
import { facts, fill, h } from '../dom.js';
import { heading, later, tierTag } from '../parts.js';
import { linkTo } from '../route.js';
import { TIERS } from '../words.js';

/** @param {import('../parts.js').Context} context */
export function agents({ root, place, session }) {
  const list = h('div', {});
  fill(root, heading('The agents of this log'), list);
  later(list, 'Reading the log…', Promise.all([session.opened, session.ask('agents')]), ([{ chainId }, agents]) => [
    h('p', { class: 'quiet' }, `Chain ${chainId}, log `, h('span', { class: 'hex' }, place.log)),
    agents.length === 0 ? h('p', {}, 'Nobody has joined this log yet.') : h('ul', { class: 'plain' }, agents.map(card)),
    legend(),
  ]);

  /** @param {import('../../verifier/read.js').Agent} agent */
  function card(agent) {
    const standing = h('div', {});
    later(standing, 'Reading the agent…', session.ask('standing', agent.writer), ({ state, gate, tier }) => [
      h('p', { class: 'tags' }, tierTag(tier), gate?.paused && h('span', { class: 'tag bad' }, 'votes paused'), state.closed && h('span', { class: 'tag' }, 'handed over')),
      facts([['Entries', state.seq], ['Answers for', agent.declaration.governors.map((governor) => h('div', { class: 'hex' }, governor))]]),
    ]);
    return h('li', { class: 'card' },
      h('a', { class: 'reason hex', href: linkTo(place, 'agent', agent.writer) }, agent.writer),
      standing,
    );
  }
}

/** What the three words mean; a member meets them on each agent. */
export function legend() {
  return h('details', {}, h('summary', {}, 'What ENFORCED, ATOMIC and DECLARED mean'),
    h('div', { class: 'inside' }, facts(Object.entries(TIERS).map(([tier, meaning]) => [tier, meaning]))));
}
