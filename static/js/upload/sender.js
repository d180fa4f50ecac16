/** Sends a batch: asks which files are missing, then one PUT a file, three at a time; waits for a lost connection to come back. */

import { say } from '../words.js';

/** @typedef {import('./folder.js').Chosen} Chosen */
/** @typedef {{path: string, size: number, reason: string}} Trouble size: bytes */

const LANES = 3;
const ASK_AT_ONCE = 2000;
const HEAD_BYTES = 4096; // so much is sent of a file that is refused anyway
const TRIES_A_FILE = 3; // when its bytes did not come whole
const LONGEST_PAUSE_S = 30;
const GIVE_UP_AFTER_S = 600;
const WINDOW_S = 20; // the speed is that of the last seconds
const BUSY = [429, 502, 503, 504]; // the same request may work in a moment
const HOPELESS = [401, 403, 404, 507]; // no other file will fare better
const SIGNATURES = [[0xff, 0xd8, 0xff], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]];

/** The server said no to more than one file: signed out, no room, not allowed. */
export class Refused extends Error {}

/** The connection was away for too long, or the person stopped. */
export class Stopped extends Error {}

export class Sender {
  /** @param {string} address @param {import('./folder.js').Batch} batch @param {number} maxBytes of a file @param {() => void} changed called after anything is news */
  constructor(address, batch, maxBytes, changed) {
    this.address = address;
    this.batch = batch;
    this.maxBytes = maxBytes;
    this.changed = changed;
    /** What is asked for once every file is here: `finish` has animals found, `hold` leaves the photos for a detections file. */
    this.end = 'finish';
    this.key = [...crypto.getRandomValues(new Uint8Array(16))].map((each) => each.toString(16).padStart(2, '0')).join('');
    this.files = batch.files.length;
    this.bytes = batch.files.reduce((sum, { file }) => sum + file.size, 0);
    this.done = this.bytesDone = this.known = this.twice = 0;
    /** @type {Trouble[]} */
    this.troubles = [];
    /** @type {Date | null} */
    this.awaySince = null;
    /** @type {{promise: Promise<void>, resume: () => void} | null} */
    this.paused = null;
    this.ending = new AbortController();
    /** @type {{at: number, bytes: number}[]} */
    this.samples = [];
  }

  /** The page of the batch, once every file is here. Throws Refused and Stopped. @returns {Promise<string>} */
  async run() {
    const announced = { name: this.batch.name, idempotency_key: this.key, files: this.files, bytes: this.bytes };
    const { address } = await this.ask(this.address, announced);
    const needed = await this.missing(address);
    const lane = async () => {
      for (let next = needed.pop(); next; next = needed.pop()) {
        await this.paused?.promise;
        await this.send(`${address}/files`, next);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    return (await this.ask(`${address}/${this.end}`, {})).address;
  }

  pause() {
    let resume = () => {};
    /** @type {Promise<void>} */
    const promise = new Promise((resolve) => (resume = resolve));
    this.paused = { promise, resume };
    this.changed();
  }

  resume() {
    this.paused?.resume();
    this.paused = null;
    this.samples = [];
    this.changed();
  }

  stop() {
    this.ending.abort();
    this.resume();
  }

  /** Seconds left at the speed of the last seconds, or null while there is no telling. */
  secondsLeft() {
    const [first] = this.samples;
    const last = this.samples.at(-1);
    if (!first || !last || last.at - first.at < 1500 || last.bytes === first.bytes) return null;
    return ((this.bytes - last.bytes) * (last.at - first.at)) / 1000 / (last.bytes - first.bytes);
  }

  /** @param {string} address of the batch @returns {Promise<Chosen[]>} the last one first */
  async missing(address) {
    const needed = [];
    for (let start = 0; start < this.files; start += ASK_AT_ONCE) {
      const some = this.batch.files.slice(start, start + ASK_AT_ONCE);
      const answer = await this.ask(`${address}/missing`, some.map(({ path, file }) => ({ path, size: file.size })));
      const wanted = new Set(answer.needed);
      for (const { path, reason } of answer.refused) this.troubles.push({ path, size: 0, reason });
      for (const each of some) {
        if (wanted.has(each.path)) needed.push(each);
        else this.count(each.file);
      }
      this.known += answer.known;
      this.changed();
    }
    return needed.reverse();
  }

  /** @param {string} address @param {Chosen} which */
  async send(address, { path, file }) {
    for (let tries = 1; ; tries += 1) {
      let answer;
      try {
        const body = (await isPhoto(file)) && file.size <= this.maxBytes ? file : file.slice(0, HEAD_BYTES);
        answer = await this.request(`${address}?path=${encodeURIComponent(path)}`, {
          method: 'PUT',
          body,
          headers: { 'content-type': 'application/octet-stream', 'x-file-size': String(file.size) },
        });
      } catch (error) {
        if (!(error instanceof DOMException) || error.name === 'AbortError') throw error;
        this.troubles.push({ path, size: file.size, reason: say('the file cannot be read on this computer') });
        break;
      }
      if (answer.state === 'duplicate') this.twice += 1;
      if (answer.state === undefined && tries < TRIES_A_FILE) continue;
      if (answer.reason && answer.state !== 'duplicate') this.troubles.push({ path, size: file.size, reason: answer.reason });
      if (answer.state === undefined) this.troubles.push({ path, size: file.size, reason: answer.error });
      break;
    }
    this.count(file);
    this.measure();
  }

  /** @param {File} file */
  count(file) {
    this.done += 1;
    this.bytesDone += file.size;
    this.changed();
  }

  measure() {
    const now = performance.now();
    this.samples.push({ at: now, bytes: this.bytesDone });
    while (now - this.samples[0].at > WINDOW_S * 1000 && this.samples.length > 2) this.samples.shift();
  }

  /** @param {string} address @param {object} body @returns {Promise<any>} */
  async ask(address, body) {
    const answer = await this.request(address, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
    if (answer.error) throw new Refused(answer.error);
    return answer;
  }

  /** The answer's JSON, also of a refused file. A server that is away or busy is asked again, more and more slowly. @param {string} address @param {RequestInit} options @returns {Promise<any>} */
  async request(address, options) {
    for (let pause_s = 1; ; pause_s = Math.min(pause_s * 2, LONGEST_PAUSE_S)) {
      this.ending.signal.throwIfAborted();
      try {
        const answer = await fetch(address, {
          ...options,
          headers: { ...options.headers, accept: 'application/json' },
          signal: this.ending.signal,
        });
        if (!BUSY.includes(answer.status)) return await this.read(answer);
      } catch (error) {
        if (!(error instanceof TypeError)) throw error; // fetch says "no connection" with a TypeError
      }
      this.awaySince ??= new Date();
      if (Date.now() - this.awaySince.getTime() > GIVE_UP_AFTER_S * 1000) throw new Stopped('away');
      this.changed();
      await new Promise((resolve) => setTimeout(resolve, pause_s * (800 + Math.random() * 400)));
    }
  }

  /** @param {Response} answer */
  async read(answer) {
    this.awaySince = null;
    const said = await answer.json().catch(() => ({ error: say('The server answered %(status)s.', { status: answer.status }) }));
    if (HOPELESS.includes(answer.status)) throw new Refused(said.error);
    return said;
  }
}

/** @param {File} file */
async function isPhoto(file) {
  const head = new Uint8Array(await file.slice(0, 8).arrayBuffer());
  return SIGNATURES.some((signature) => signature.every((byte, at) => head[at] === byte));
}
