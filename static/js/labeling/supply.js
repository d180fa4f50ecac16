/** Where crops come from: twenty leased ahead, renewed while somebody sits here, asked for again while there are none. */
import { get, post } from './api.js';
import { find } from './dom.js';
import { AHEAD } from './queue.js';
import { words } from './words.js';

const LOW = 14; // fewer crops ahead than this: ask for more
/** How soon to ask again, in each state of having nothing. @type {Record<string, number>} */
const POLL_MS = { choosing: 1000, loading: 1000, silent: 5000, held: 5000, arriving: 5000, offline: 3000 };
const POLL_OTHERWISE_MS = 30000;
const RENEW_MS = 4 * 60000; // leases last ten minutes
const WATCH_MS = 3000;
const ATTENDED_MS = 6 * 60000;

export class Supply {
  /** @param {import('./page.js').Page} page */
  constructor(page) {
    this.page = page;
    this.queue = page.queue;
    this.activeAt = Date.now();
    /** Whether a round closed and its fit has not shown yet. */
    this.fitUnderway = false;
    /** What the connection says; it puts its own words here. */
    this.isUnreachable = () => false;
    /** @type {() => void} */
    this.reached = () => undefined;
    /** @type {(error: unknown) => void} */
    this.lost = () => undefined;
  }

  start() {
    for (const name of ['keydown', 'pointerdown', 'wheel']) addEventListener(name, () => (this.activeAt = Date.now()), { passive: true });
    setInterval(() => this.renew(), RENEW_MS);
    setInterval(() => this.watch(), WATCH_MS);
  }

  /** After a crop was used up. */
  top() {
    if (this.queue.openCount < LOW && !this.isUnreachable()) this.refill();
  }

  /** Ask for the next crops; those on hand are renewed. One question at a time; what is wanted meanwhile is one more. */
  async refill() {
    this.wanted = true;
    if (this.asking || !this.page.mayLabel) return;
    this.asking = true;
    try {
      while (this.wanted) {
        this.wanted = false;
        await this.ask();
      }
    } finally {
      this.asking = false;
    }
  }

  async ask() {
    clearTimeout(this.poll);
    const learnt = this.queue.classifier?.id ?? null;
    const unsent = this.queue.unsentBoxes;
    try {
      const reply = await post(`${this.page.project}/leases`, {
        count: AHEAD, have: this.queue.have, classifier_id: learnt, by: this.page.user,
      });
      this.queue.receive(reply, unsent);
      this.page.follow(reply.photos);
      this.page.waiting = reply.waiting;
      this.fitUnderway &&= (this.queue.classifier?.id ?? null) === learnt;
      find('.rate').textContent = reply.rate ? words.rate(reply.rate) : '';
      Object.assign(find('.company'), { textContent: reply.company, title: reply.company });
      this.reached();
    } catch (error) {
      this.lost(error);
    }
    this.page.refresh();
    if (this.queue.openCount === 0 || this.isUnreachable()) this.poll = setTimeout(() => this.refill(), this.pause());
  }

  pause() {
    const state = this.isUnreachable() ? 'offline' : (this.page.waiting?.state ?? 'loading');
    return POLL_MS[state] ?? POLL_OTHERWISE_MS;
  }

  /** Whether somebody sits here; a deserted desk gives its crops back when their leases end. */
  get isAttended() {
    return document.visibilityState === 'visible' && Date.now() - this.activeAt < ATTENDED_MS;
  }

  /** Keep the leases. */
  renew() {
    if (this.isAttended && this.queue.openCount > 0) this.refill();
  }

  /** A fit is under way: look now and then whether its guesses are here. */
  watch() {
    if (this.isAttended && this.fitUnderway && this.page.crop?.open) this.refill();
  }

  /** The crops that this person answered before those on this page. @returns {Promise<boolean>} whether there were any */
  async older() {
    if (!this.page.mayLabel) return false;
    const before = this.oldestAct ? `?before=${this.oldestAct}` : '';
    try {
      const { crops } = await get(`${this.page.project}/answered${before}`);
      this.oldestAct = crops.at(-1)?.act_id ?? this.oldestAct;
      const fresh = crops.filter((/** @type {any} */ crop) => !this.queue.ofBox(crop.box_id));
      this.queue.prepend(fresh);
      return fresh.length > 0 || (crops.length > 0 && this.older());
    } catch (error) {
      this.lost(error);
      return false;
    }
  }
}
