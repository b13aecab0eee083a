// What `fetch` leaves to do: bodies that may grow without end, waits that a server asks for, and the reason of a failure.

const MAX_RETRY_AFTER_MS = 10_000;

/** More bytes than are read. */
export class TooLong extends Error {}

/** Throws `TooLong`. @param {Response} response @param {number} most @returns {Promise<Uint8Array>} */
export async function readBody(response, most) {
  const chunks = [];
  let size = 0;
  for (const reader = response.body?.getReader(); reader; ) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > most) {
      await reader.cancel();
      throw new TooLong();
    }
    chunks.push(value);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** @param {Headers} headers */
export function retryAfter(headers) {
  const value = headers.get("retry-after") ?? "";
  return /^[0-9]+$/.test(value) ? Math.min(Number(value) * 1000, MAX_RETRY_AFTER_MS) : 0;
}

/** @param {unknown} error */
export function causeOf(error) {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message ? `${error.message}: ${cause.message}` : error.message;
}
