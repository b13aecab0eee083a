/** The page: follows the address line, shows one view at a time. */
import { announce, fill, h } from './dom.js';
import { linkTo, parseRoute } from './route.js';
import { Session } from './session.js';
import { agent } from './views/agent.js';
import { agents } from './views/agents.js';
import { check } from './views/check.js';
import { connect } from './views/connect.js';
import { decision } from './views/decision.js';
import { delegate } from './views/delegate.js';

const VIEWS = { agents, agent, decision, delegate, check };

const main = /** @type {HTMLElement} */ (document.getElementById('main'));
const nav = /** @type {HTMLElement} */ (document.getElementById('nav'));

/** @type {Session | null} */
let session = null;
let leave = new AbortController();
/** False on arrival: then the browser decides about focus and place. */
let moved = false;
/** @type {Element | null} */
let named = null;

function go() {
  leave.abort();
  leave = new AbortController();
  const route = parseRoute(location.hash);
  announce('');
  fill(main);
  if (route.place === null) {
    session?.stop();
    session = null;
    fill(nav);
    connect(main, route);
  } else {
    session = sessionAt(route.place);
    showNav(route.place, route.view);
    VIEWS[route.view]({ route, place: route.place, session, signal: leave.signal, root: main });
  }
  if (moved && route.field === '') scrollTo(0, 0);
}

/** @param {import('./route.js').Place} place */
function sessionAt(place) {
  if (session?.key === JSON.stringify(place)) return session;
  session?.stop();
  return new Session(place);
}

/** @param {import('./route.js').Place} place @param {string} view */
function showNav(place, view) {
  const to = (/** @type {string} */ name, /** @type {string} */ label, /** @type {string[]} */ ...parts) =>
    h('a', { href: linkTo(place, ...parts), 'aria-current': name === view ? 'page' : null }, label);
  fill(nav, to('agents', 'Agents'), to('check', 'Check a file', 'check'));
}

/** A heading names the page and, after a move inside of it, gets the focus. A view may bring its heading later. */
new MutationObserver(() => {
  const heading = main.querySelector('h1');
  const title = `${heading?.textContent ?? 'Reading'} - Pnyx`;
  if (document.title !== title) document.title = title;
  if (heading && heading !== named && moved) heading.focus({ preventScroll: true });
  named = heading;
}).observe(main, { childList: true, subtree: true });

addEventListener('hashchange', () => {
  moved = true;
  go();
});
document.getElementById('skip')?.addEventListener('click', (event) => {
  event.preventDefault(); // the part after # is the route
  main.focus();
});
go();
