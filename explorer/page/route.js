/**
 * Where a reader is, as the address after `#`, so that reloading and sharing work and nothing is stored:
 *
 *     #/RPC/LOG                                 the agents of a log
 *     #/RPC/LOG/check                           check a file
 *     #/RPC/LOG/agent/0x...                     an agent, its decisions
 *     #/RPC/LOG/agent/0x.../delegate            delegating to it
 *     #/RPC/LOG/agent/0x.../decision/N          one decision
 *     #/RPC/LOG/agent/0x.../decision/N/field/F  one part of it
 *
 * and `?evidence=URL&factory=0x...&upto=latest&from=BLOCK` behind. RPC is percent-encoded, or `-` for "ask me": the form asks,
 * and then goes on to what the link named.
 *
 * @typedef {{rpc: string, log: string, evidence: string, factory: string, upto: string, from: string}} Place
 * @typedef {'agents' | 'check' | 'agent' | 'delegate' | 'decision'} View
 * @typedef {{view: View, agent: string, seq: number, field: string}} Inside
 * @typedef {Inside & {place: Place | null, draft: Place, parts: string[]}} Route `place` is null while something of it has to be asked for
 */

const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const FIELD = /^[a-z_-]{1,30}$/;

/** @param {string} hash @returns {Route} */
export function parseRoute(hash) {
  const [path, query = ''] = hash.replace(/^#\/?/, '').split('?');
  const parts = path.split('/').map(decode);
  const options = new URLSearchParams(query);
  const draft = {
    rpc: parts[0] === '-' ? '' : (parts[0] ?? ''),
    log: parts[1] ?? '',
    evidence: options.get('evidence') ?? '',
    factory: options.get('factory') ?? '',
    upto: options.get('upto') ?? '',
    from: options.get('from') ?? '',
  };
  const rest = parts.slice(2);
  return { place: placeProblem(draft) === '' ? draft : null, draft, parts: rest, ...inside(rest) };
}

/** @param {string[]} rest @returns {Inside} */
function inside([what, agent, part, number, word, field]) {
  const log = { agent: '', seq: 0, field: '' };
  if (what === 'check') return { ...log, view: 'check' };
  if (what !== 'agent' || !ADDRESS.test(agent ?? '')) return { ...log, view: 'agents' };
  if (part === 'delegate') return { ...log, view: 'delegate', agent };
  if (part !== 'decision' || !/^[1-9][0-9]{0,12}$/.test(number ?? '')) return { ...log, view: 'agent', agent };
  return { view: 'decision', agent, seq: Number(number), field: word === 'field' && FIELD.test(field ?? '') ? field : '' };
}

/** What is wrong with a place, in one sentence; '' when nothing is. @param {Place} place */
export function placeProblem(place) {
  if (!isHttp(place.rpc)) return 'The RPC endpoint must be a URL that starts with http:// or https://.';
  if (!ADDRESS.test(place.log)) return 'The address of the log must be 0x and 40 hexadecimal digits.';
  if (place.evidence !== '' && !isHttp(place.evidence)) return 'The place of the evidence must be a URL that starts with http:// or https://.';
  if (place.factory !== '' && !ADDRESS.test(place.factory)) return 'The address of the factory must be 0x and 40 hexadecimal digits.';
  if (!/^(|latest|finalized|safe|[0-9]{1,15})$/.test(place.upto)) return 'The last block must be a number, latest, safe or finalized.';
  if (!/^([0-9]{1,15})?$/.test(place.from)) return 'The first block must be a number.';
  return '';
}

/** @param {string} text */
export function isHttp(text) {
  try {
    return ['http:', 'https:'].includes(new URL(text).protocol);
  } catch {
    return false;
  }
}

/** @param {string} part */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}

/** @param {Place} place @param {...(string | number)} parts @returns {string} a link inside the page */
export function linkTo(place, ...parts) {
  const options = new URLSearchParams();
  for (const name of /** @type {const} */ (['evidence', 'factory', 'upto', 'from'])) if (place[name] !== '') options.set(name, place[name]);
  const query = options.size > 0 ? `?${options}` : '';
  return `#/${[place.rpc === '' ? '-' : place.rpc, place.log, ...parts].map((p) => encodeURIComponent(p)).join('/')}${query}`;
}

/** True when an endpoint's URL may hold somebody's key: then it stays out of links that are copied. @param {string} rpc */
export function mayHoldKey(rpc) {
  const url = new URL(rpc);
  return url.username !== '' || url.password !== '' || url.search !== '' || url.pathname.replace(/\/+$/, '') !== '';
}
