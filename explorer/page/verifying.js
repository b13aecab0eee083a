/** Stand-in until the verifier is merged. */
export async function fetchBundle(store, root) {
  const response = await fetch(`${store.replace(/\/+$/, '')}/${root.slice(2)}.json`, { credentials: 'omit', referrerPolicy: 'no-referrer' });
  if (response.status === 404) return null;
  return new Uint8Array(await response.arrayBuffer());
}
export { openBundle } from '../verifier/bundle.js';
export const openDisclosure = (bytes) => JSON.parse(new TextDecoder().decode(bytes));
export const mergeDisclosure = (bundle) => bundle;
export { labelOf } from '../verifier/verdict.js';
export const verifyLog = async () => ({ ok: true, counts: {}, writers: [] });
