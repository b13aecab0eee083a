/** Calls as a member reads them: names beside addresses, arguments that count a token in whole tokens, the chain that a message goes to. */
import { h } from '../dom.js';
import { MOST_DECIMALS, chainInWords, coins, tokenAmount, tokens } from '../money.js';
import { address } from '../parts.js';
import { quoted } from '../text.js';

/**
 * @typedef {{ coin: (wei: string) => string, whole: (asset: string, amount: string) => any, moved: (movement: any) => any, standing: (balance: any, amount: string | null) => any }} Amounts
 * @typedef {{ named: (address: string) => any, amounts: Amounts }} Reading
 */

/** The parts of the DAO that everybody knows, the names that the operator gave, then those of ENS that lead back. @param {any} fields @returns {(address: string) => any} */
export function namesOf(fields) {
  const names = new Map(ensNames(fields).map(({ address: owner, name }) => [owner, `ENS: ${name}`]));
  if (fields.proposal?.key?.governor) names.set(fields.proposal.key.governor, 'the governor');
  if (fields.simulation?.executor) names.set(fields.simulation.executor, 'the DAO’s executor');
  for (const [owner, name] of Object.entries(fields.state?.known_addresses ?? {})) names.set(owner, name);
  return (place) => h('span', {}, address(String(place)), names.has(place) && [' (', quoted(String(names.get(place)), 80), ')']);
}

/** @param {any} fields @returns {{ address: string, name: string }[]} */
function ensNames(fields) {
  const found = (fields.context ?? []).find((/** @type {any} */ result) => result.tool === 'ens_names' && result.version === '1')?.result?.names;
  return Array.isArray(found) ? found.filter((entry) => typeof entry?.address === 'string' && typeof entry?.name === 'string') : [];
}

/** Amounts by what the treasury's tokens say of themselves. @param {any} fields @returns {Amounts} */
export function amounts(fields) {
  const chain = fields.proposal?.key?.chain_id;
  /** @type {any[]} */
  const holdings = fields.state?.treasury ?? [];
  /** @param {string} asset */
  const holding = (asset) => holdings.find((one) => one.asset === asset && one.decimals !== null && one.decimals <= MOST_DECIMALS);
  /** @type {Amounts} */
  const found = {
    coin: (wei) => coins(wei, chain),
    whole: (asset, amount) => {
      const known = holding(asset);
      return known === undefined ? null : [tokens(amount, known.decimals), ' ', quoted(known.symbol, 20)];
    },
    moved: ({ asset, token_id: id, amount }) => {
      if (asset === null) return coins(amount, chain);
      if (id !== null) return h('span', {}, `${amount} of number ${id} of `, address(asset));
      const whole = found.whole(asset, amount);
      return whole === null ? h('span', {}, `${amount} units of `, address(asset)) : h('span', {}, whole, ' (', address(asset), ')');
    },
    standing: ({ token, token_id }, amount) =>
      amount === null
        ? ['an amount that ', token === null ? 'nobody' : address(token), ' does not tell'] : found.moved({ asset: token, token_id, amount }),
  };
  return found;
}

/** @param {any[]} calls @param {Reading} reading @returns {any} */
export function callList(calls, reading) {
  if (calls.length === 0) return h('p', {}, 'Nothing.');
  return h('ul', { class: 'calls' }, calls.map((call) => h('li', {}, callTitle(call, reading),
    call.arguments.length > 0 && argumentList(call, reading),
    call.note !== '' && h('p', { class: 'warning' }, quoted(call.note)),
    call.other_chain && h('p', { class: 'warning' }, `This runs on ${chainInWords(call.chain_id)}: the addresses are addresses there.`),
    call.calldata !== '0x' && h('details', {}, h('summary', {}, 'Exact bytes'), h('pre', { tabindex: 0 }, call.calldata)),
    call.inner.length > 0 && callList(call.inner, reading),
  )));
}

/** @param {any} call @param {Reading} reading */
function argumentList(call, { amounts: known }) {
  const counted = tokenAmount(call);
  return h('ul', {}, call.arguments.map((/** @type {any} */ argument, /** @type {number} */ place) => {
    const whole = counted?.place === place ? known.whole(counted.asset, counted.amount) : null;
    return h('li', { class: 'quiet' }, quoted(`${argument.name} (${argument.type}) = ${argument.value}`, 1000), whole !== null && [' · ', whole]);
  }));
}

/** @param {any} call @param {Reading} reading */
function callTitle(call, { named, amounts: known }) {
  const place = call.other_chain ? address(String(call.target)) : named(call.target);
  const coin = call.other_chain ? coins(call.value_wei, call.chain_id ?? undefined) : known.coin(call.value_wei);
  if (call.calldata === '0x') return h('div', {}, call.value_wei === '0' ? 'Nothing to ' : `Pay ${coin} to `, place);
  return h('div', {},
    call.signature === null ? h('strong', {}, `An unknown call ${call.calldata.slice(0, 10)}`) : h('strong', {}, quoted(call.signature)),
    ' on ', place,
    call.value_wei !== '0' && ` with ${coin}`,
    call.delegatecall && h('span', { class: 'tag bad' }, 'DELEGATECALL: foreign code runs with the DAO’s rights'),
  );
}
