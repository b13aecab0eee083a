/**
 * What Python knows of money and chains, for people who read it here: the tables are those of `pnyx_policies.money`, `pnyx_policies.coins` and
 * `pnyx_contracts.chains`, and a test compares them.
 */
import { decimal } from './words.js';

/** Arguments that count units of a token: the place of the amount, then that of the token (else it is the contract that is called). @type {Record<string, number[]>} */
export const COUNTED = {
  'transfer(address,uint256)': [1], 'transferFrom(address,address,uint256)': [2], 'send(address,uint256,bytes)': [1],
  'withdrawTo(address,uint256)': [1], 'withdraw(address,uint256,address)': [1, 0], 'operatorSend(address,address,uint256,bytes,bytes)': [2], 'redeem(uint256,address,address)': [0], 'recoverFunds(address,address,uint256)': [2, 0],
  'approve(address,uint256)': [1], 'increaseAllowance(address,uint256)': [1], 'increaseApproval(address,uint256)': [1],
  'permit(address,address,uint256,uint256,uint8,bytes32,bytes32)': [2], 'approve(address,address,uint160,uint48)': [2, 0],
  'transferFrom(address,address,uint160,address)': [2, 3], 'mint(address,uint256)': [1], 'decreaseAllowance(address,uint256)': [1],
  'decreaseApproval(address,uint256)': [1], 'burn(uint256)': [0], 'burn(address,uint256)': [1], 'burnFrom(address,uint256)': [1],
};

/** @type {Record<number, string>} */
export const COINS = {
  1: 'ETH', 10: 'ETH', 56: 'BNB', 100: 'xDAI', 130: 'ETH', 137: 'POL', 324: 'ETH', 8453: 'ETH', 17000: 'ETH', 31337: 'ETH', 42161: 'ETH',
  42170: 'ETH', 43114: 'AVAX', 59144: 'ETH', 534352: 'ETH', 560048: 'ETH', 11155111: 'ETH',
};

/** @type {Record<number, string>} */
export const CHAINS = {
  1: 'Ethereum', 10: 'OP Mainnet', 56: 'BNB Smart Chain', 100: 'Gnosis Chain', 137: 'Polygon PoS', 324: 'ZKsync Era', 8453: 'Base',
  42161: 'Arbitrum One', 42170: 'Arbitrum Nova', 42220: 'Celo', 43114: 'Avalanche C-Chain', 59144: 'Linea', 534352: 'Scroll',
};

/** As `pnyx_policies.shares.has_no_end`. @param {bigint} amount */
export const hasNoEnd = (amount) => amount >= 2n ** 159n || amount === 2n ** 96n - 1n;

/** A token that says it has more hides a number behind zeros. */
export const MOST_DECIMALS = 36;

/** Which argument of a call counts a token, and which. @param {any} call @returns {{ place: number, asset: string, amount: string } | null} */
export function tokenAmount(call) {
  const [place, token] = COUNTED[call.signature ?? ''] ?? [];
  if (place === undefined || call.other_chain || !/^[0-9]{1,78}$/.test(call.arguments[place]?.value ?? '')) return null;
  return { place, asset: token === undefined ? call.target : call.arguments[token]?.value, amount: call.arguments[place].value };
}

/** An amount of the chain's own coin. @param {string} wei @param {number | undefined} chain */
export function coins(wei, chain) {
  const [amount, name] = [decimal(BigInt(wei), 18), COINS[chain ?? 0]];
  return name ? `${amount} ${name}` : `${amount} ${amount === '1' ? 'coin' : 'coins'} (${wei} wei)`;
}

/** In whole tokens, without the symbol. @param {string} amount @param {number} decimals */
export const tokens = (amount, decimals) => (hasNoEnd(BigInt(amount)) ? 'any amount of' : decimal(BigInt(amount), decimals));

/** @param {number | null} chain */
export const chainInWords = (chain) => (chain === null ? 'another chain' : `chain ${chain}${CHAINS[chain] ? ` (${CHAINS[chain]})` : ''}`);
