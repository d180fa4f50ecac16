/**
 * Answers on their way: kept first, sent in order by one tab at a time (Web Locks), tried again until the server has them.
 *
 * Events: `sent` and `refused` (detail: entry and reply or words), `change` (how many wait), `offline`, `online`, `signedout`.
 */
import { Refused, SignedOut, Unreachable, post } from './api.js';
import { Store } from './store.js';

/** @typedef {import('./store.js').Entry} Entry */

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15000;

export class Outbox extends EventTarget {
  /** @param {number} user whose answers they are */
  constructor(user) {
    super();
    this.name = `waterhole-outbox-${user}`;
    this.opening = Store.open(user).then((store) => (this.store = store));
    this.count = 0;
    /** @type {Date | null} since when nobody answers */
    this.offlineSince = null;
    this.signedOut = false;
    this.draining = false;
    this.again = false;
    this.waitMs = FIRST_WAIT_MS;
    this.sentSinceOffline = 0;
    this.channel = new BroadcastChannel(this.name);
    this.channel.onmessage = (message) => this.hear(message.data);
    addEventListener('online', () => this.retry());
  }

  /** @param {Entry} entry resolves when it is kept; rejects when this computer cannot keep it */
  async add(entry) {
    await (await this.opening).add(entry);
    this.count += 1;
    this.tell('change');
    if (!this.timer) this.drain(); // else it is known that nobody answers, and the next try is near
  }

  /** What an earlier visit left behind. */
  async start() {
    const entries = await (await this.opening).all();
    this.count = entries.length;
    this.tell('change');
    this.drain();
    return entries;
  }

  retry() {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.waitMs = FIRST_WAIT_MS;
    this.drain();
  }

  drain() {
    if (this.draining) {
      this.again = true;
      return;
    }
    this.draining = true;
    navigator.locks
      .request(this.name, () => this.sendAll())
      .catch((error) => this.pause(error))
      .finally(() => {
        this.draining = false;
        if (this.again) this.drain();
      });
  }

  async sendAll() {
    this.again = false;
    await this.opening;
    for (let entry = await this.store.oldest(); entry; entry = await this.store.oldest()) {
      const result = await this.send(entry);
      await this.store.remove(/** @type {number} */ (entry.seq));
      this.channel.postMessage(result);
      await this.hear(result);
      this.arrived();
    }
  }

  /** @param {Entry} entry */
  async send(entry) {
    try {
      return { name: 'sent', entry, reply: await post(entry.url, entry.body) };
    } catch (error) {
      if (error instanceof Refused) return { name: 'refused', entry, words: error.message };
      throw error;
    }
  }

  /** @param {unknown} error */
  pause(error) {
    this.again = false;
    if (error instanceof SignedOut) {
      this.signedOut = true;
      this.tell('signedout');
      return;
    }
    if (!(error instanceof Unreachable)) throw error;
    if (!error.busy) this.lost();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.drain();
    }, this.waitMs);
    this.waitMs = Math.min(2 * this.waitMs, LONGEST_WAIT_MS);
  }

  /** Nobody answered; also said by whoever else asked. */
  lost() {
    if (this.offlineSince) return;
    this.offlineSince = new Date();
    this.sentSinceOffline = 0;
    this.tell('offline');
  }

  /** Somebody answered. */
  found() {
    this.waitMs = FIRST_WAIT_MS;
    this.signedOut = false;
    if (!this.offlineSince || this.count > 0) return;
    this.offlineSince = null;
    this.tell('online', { sent: this.sentSinceOffline });
  }

  arrived() {
    this.sentSinceOffline += 1;
    this.found();
  }

  /** @param {{name: string, entry: Entry, reply?: any, words?: string}} result of this tab or another */
  async hear(result) {
    this.count = await (await this.opening).count();
    this.tell(result.name, result);
    this.tell('change');
  }

  /** @param {string} name @param {(detail: any) => void} act */
  on(name, act) {
    this.addEventListener(name, (event) => act(/** @type {CustomEvent} */ (event).detail));
  }

  /** @param {string} name @param {object} [detail] */
  tell(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
