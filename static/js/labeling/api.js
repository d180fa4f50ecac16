/** The four ways a request ends: an answer, no connection (or a busy server), signed out, refused. */

const PATIENCE_MS = 15000;

/** Nobody answered, or the server asks to come back. Try again. */
export class Unreachable extends Error {
  /** @param {boolean} busy whether the server answered at all */
  constructor(busy) {
    super('unreachable');
    this.busy = busy;
  }
}

/** The person must sign in; what waits is kept. */
export class SignedOut extends Error {}

/** The server said no for good. */
export class Refused extends Error {}

/** @param {string} url @param {object} body @returns {Promise<any>} */
export function post(url, body) {
  return ask(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
    keepalive: true,
  });
}

/** The same, as a form sends it. @param {string} url @param {Record<string, string>} fields @returns {Promise<any>} */
export function postForm(url, fields) {
  return ask(url, { method: 'POST', headers: { accept: 'application/json' }, body: new URLSearchParams(fields) });
}

/** @param {string} url @returns {Promise<any>} */
export function get(url) {
  return ask(url, { headers: { accept: 'application/json' } });
}

/** @param {string} url @param {RequestInit} request */
async function ask(url, request) {
  let response;
  let said;
  try {
    response = await fetch(url, { ...request, signal: AbortSignal.timeout(PATIENCE_MS) });
    said = await response.json();
  } catch {
    throw new Unreachable(false);
  }
  if (response.ok) return said;
  if (response.status === 401) throw new SignedOut();
  if (response.status >= 500 || response.status === 429) throw new Unreachable(true);
  throw new Refused(said.error ?? `${response.status}`);
}

/** A fresh idempotency key. */
export function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
