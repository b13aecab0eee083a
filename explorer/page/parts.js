/** Small pieces that several views share. */
import { answer, fill, h } from './dom.js';
import { linkTo, mayHoldKey } from './route.js';
import { LABELS, TIERS } from './words.js';

/**
 * What a view gets: where the reader is, and when they leave.
 * @typedef {{route: import('./route.js').Route, place: import('./route.js').Place, session: import('./session.js').Session, signal: AbortSignal, root: HTMLElement}} Context
 */

const TONE = /** @type {Record<string, string>} */ ({ checked: 'good', differs: 'bad', withheld: 'bad', 'not proven': 'bad', 'not checkable': 'warn', failed: 'warn' });

/** @param {{label: string, where?: string}} state */
export function labelTag({ label, where }) {
  const words = LABELS[label] ?? { text: label, help: '' };
  const text = label === 'differs' && where && !where.includes(' ') ? `differs at ${where}` : words.text;
  return h('span', { class: `tag status ${TONE[label] ?? ''}`, title: words.help }, text);
}

/** A tag that follows the check: of an entry, or of the agent as a whole (null). @param {import('./session.js').Checking} checking @param {number | null} seq @param {AbortSignal} signal */
export function livingTag(checking, seq, signal) {
  const place = h('span', {});
  let shown = '';
  const show = () => {
    const state = seq === null ? checking.whole : checking.labelOf(seq);
    const key = `${state.label} ${state.where}`;
    if (key === shown) return;
    shown = key;
    fill(place, labelTag(state));
  };
  show();
  checking.addEventListener('settled', show, { signal });
  if (seq !== null) checking.addEventListener(`entry ${seq}`, show, { signal });
  return place;
}

/**
 * What the votes of an agent rest on, as its code says at first; how an account of EIP-7702 voted, only the check tells.
 * @param {import('./session.js').Checking} checking @param {Promise<{tier: string}>} standing @param {AbortSignal} signal
 */
export function livingTier(checking, standing, signal) {
  const place = h('span', {});
  /** @type {string | undefined} */
  let byCode;
  const show = () => {
    const tier = checking.tier ?? byCode;
    fill(place, tier !== undefined && tierTag(tier));
  };
  standing.then(({ tier }) => {
    byCode = tier;
    show();
  }, () => {});
  checking.addEventListener('settled', show, { signal });
  return place;
}

/** @param {string} tier */
export function tierTag(tier) {
  const tone = tier === 'ENFORCED' ? 'good' : tier === 'UNKNOWN' ? 'warn' : '';
  return h('span', { class: `tag tier ${tone}`, title: TIERS[tier] ?? '' }, tier);
}

/** An address: whole, so that nobody is fooled by look-alike ends. @param {string} address */
export const address = (address) => h('span', { class: 'hex' }, address);

/** @param {string} writer */
export const shortened = (writer) => `${writer.slice(0, 8)}…${writer.slice(-6)}`;

/** A button that copies a link to a place inside the log. @param {import('./route.js').Place} place @param {string} what @param {...(string | number)} parts */
export function copyButton(place, what, ...parts) {
  const secret = mayHoldKey(place.rpc);
  const link = linkTo(secret ? { ...place, rpc: '' } : place, ...parts);
  return h('button', {
    type: 'button', class: 'small', 'aria-label': `Copy link to ${what}`,
    onclick: async () => {
      try {
        await navigator.clipboard.writeText(new URL(link, location.href).href);
        answer(secret ? 'Link copied, without your RPC endpoint: its URL may hold a key.' : 'Link copied.');
      } catch {
        answer('This browser does not let the page copy. Copy the address of the page instead.');
      }
    },
  }, 'Copy link');
}

/** @param {string} text */
export const problem = (text) => h('p', { class: 'error', role: 'alert' }, text);

/** What a promise gives; meanwhile a line says what is awaited, and a failure is one sentence.
 * @template T @param {HTMLElement} root @param {string} waiting @param {Promise<T>} promise @param {(value: T) => import('./dom.js').Child | (import('./dom.js').Child | import('./dom.js').Child[])[]} show */
export async function later(root, waiting, promise, show) {
  fill(root, h('p', { class: 'quiet', 'aria-busy': 'true' }, waiting));
  try {
    const shown = show(await promise);
    fill(root, ...(Array.isArray(shown) ? shown : [shown]));
  } catch (error) {
    fill(root, problem(error instanceof Error ? error.message : String(error)));
  }
}

/** Heading of a view; it gets the focus, so that a screen reader starts there. @param {...(import('./dom.js').Child)} children */
export const heading = (...children) => h('h1', { tabindex: -1 }, ...children);
