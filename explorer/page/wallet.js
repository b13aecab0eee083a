/** A browser wallet: found by EIP-6963, or `window.ethereum`; asked by EIP-1193. The page holds no key and sends nothing itself. */

/**
 * @typedef {{request: (question: {method: string, params?: unknown[]}) => Promise<any>}} Provider
 * @typedef {{name: string, provider: Provider}} Wallet
 */

/** Wallets that announce themselves, then the old way. @param {number} [wait] @returns {Promise<Wallet[]>} */
export async function findWallets(wait = 150) {
  /** @type {Map<Provider, Wallet>} */
  const found = new Map();
  const hear = (/** @type {any} */ event) => {
    const provider = event.detail?.provider;
    if (typeof provider?.request === 'function') found.set(provider, { name: String(event.detail.info?.name ?? 'A wallet').slice(0, 60), provider });
  };
  addEventListener('eip6963:announceProvider', hear);
  dispatchEvent(new Event('eip6963:requestProvider'));
  await new Promise((resolve) => setTimeout(resolve, wait));
  removeEventListener('eip6963:announceProvider', hear);
  const old = /** @type {any} */ (window).ethereum;
  if (typeof old?.request === 'function' && !found.has(old) && found.size === 0) found.set(old, { name: 'Browser wallet', provider: old });
  return [...found.values()];
}

/** Only the account that the member chose. @param {Provider} provider @returns {Promise<string>} */
export async function connectAccount(provider) {
  const accounts = await provider.request({ method: 'eth_requestAccounts' });
  const account = Array.isArray(accounts) ? accounts[0] : undefined;
  if (!/^0x[0-9a-fA-F]{40}$/.test(String(account))) throw new Error('The wallet gave no account.');
  return String(account);
}

/** @param {Provider} provider */
export async function chainOf(provider) {
  return Number(await provider.request({ method: 'eth_chainId' }));
}

/** @param {Provider} provider @param {number} chainId */
export async function switchChain(provider, chainId) {
  await provider.request({ method: 'wallet_switchEthereumChain', params: [{ chainId: `0x${chainId.toString(16)}` }] });
  if ((await chainOf(provider)) !== chainId) throw new Error('The wallet is still on another chain.');
}

/** The whole transaction, as it is shown and as it is sent. @param {string} from @param {string} token @param {string} to */
export function delegation(from, token, to) {
  return { from, to: token, value: '0x0', data: `0x5c19a95c${to.slice(2).toLowerCase().padStart(64, '0')}` };
}

/** @param {Provider} provider @param {ReturnType<typeof delegation>} transaction @returns {Promise<string>} */
export async function send(provider, transaction) {
  const hash = await provider.request({ method: 'eth_sendTransaction', params: [transaction] });
  if (!/^0x[0-9a-f]{64}$/i.test(String(hash))) throw new Error('The wallet gave no transaction.');
  return hash;
}

/** What went wrong in a wallet, for people. @param {any} error */
export function walletProblem(error) {
  if (error?.code === 4001) return 'You declined in the wallet. Nothing was sent.';
  if (error?.code === 4902) return 'Your wallet does not know this chain. Add it there, then try again.';
  return `The wallet says: ${String(error?.message ?? error).slice(0, 300)}`;
}
