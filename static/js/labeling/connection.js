/** Right of the rate: is my work safe? And the words when there is no connection or no sign-in. */
import { SignedOut, Unreachable } from './api.js';
import { find, make, makeSvg } from './dom.js';
import { words } from './words.js';

const SAVING_AFTER_MS = 400;
const ABSOLUTE_H = 12;
const TICK = 'm3 8.5 3.2 3.2L13 5';
const NO_WAVES =
  'M2 2l12 12M3.5 8.5a6.5 6.5 0 0 1 3-1.7M1.5 6a9.5 9.5 0 0 1 3-1.9M9.5 6.9a6.5 6.5 0 0 1 3 1.6M7.2 3.5A9.5 9.5 0 0 1 14.5 6M6.5 11a2.2 2.2 0 0 1 3 0';

export class Connection {
  /** @param {import('./page.js').Page} page @param {import('./outbox.js').Outbox} outbox */
  constructor(page, outbox) {
    this.page = page;
    this.outbox = outbox;
    /** @type {number | undefined} */
    this.soon = undefined;
    this.sign = find('.saved');
    this.sign.hidden = false;
    this.show(TICK, words.saved, false);
    page.supply.isUnreachable = () => outbox.offlineSince !== null;
    page.supply.reached = () => this.reached();
    page.supply.lost = (error) => this.lost(error);
    outbox.on('change', () => this.change());
    outbox.on('offline', () => this.offline());
    outbox.on('online', ({ sent }) => this.online(sent));
    outbox.on('signedout', () => this.signedOut());
    addEventListener('online', () => page.supply.refill());
    addEventListener('focus', () => outbox.signedOut && page.supply.refill()); // signed in again, in another tab
    addEventListener('beforeunload', (event) => {
      if (this.isSlow) event.preventDefault();
    });
  }

  /** The server answered a question of the page. */
  reached() {
    const wasOut = this.outbox.signedOut;
    if (wasOut || (this.outbox.count > 0 && this.outbox.offlineSince)) this.outbox.retry();
    else this.outbox.found();
    if (!wasOut) return;
    this.outbox.signedOut = false;
    this.page.setState('loading');
    if (this.page.crop) this.page.show();
    this.change();
  }

  change() {
    const { count, offlineSince, signedOut } = this.outbox;
    if (count === 0 || offlineSince || signedOut) {
      clearTimeout(this.soon);
      this.soon = undefined;
    }
    if (signedOut) this.signedOut();
    else if (offlineSince && count > 0) this.show(NO_WAVES, words.waiting(count), true);
    else if (count === 0) this.show(TICK, words.saved, false);
    else this.soon ??= setTimeout(() => this.show(TICK, words.saving, false), SAVING_AFTER_MS);
  }

  /** Whether an answer waits for longer than a moment: one that is on its way arrives although the page is left. */
  get isSlow() {
    return this.outbox.count > 0 && this.sign.textContent !== words.saved;
  }

  /** @param {string} path @param {string} said @param {boolean} waits */
  show(path, said, waits) {
    if (this.sign.textContent === said) return;
    this.sign.classList.toggle('waiting', waits);
    const icon = makeSvg('svg', { class: 'icon', viewBox: '0 0 16 16', 'aria-hidden': 'true' }, makeSvg('path', { d: path }));
    this.sign.replaceChildren(icon, said);
  }

  offline() {
    const since = /** @type {Date} */ (this.outbox.offlineSince);
    this.page.standingWords = words.offline(since.toTimeString().slice(0, 5));
    this.page.showCorner();
    this.page.say(words.offlineSaid);
    this.change();
    if (!this.page.crop) this.page.showNothing();
  }

  /** @param {number} sent */
  online(sent) {
    this.page.standingWords = '';
    this.page.showCorner();
    if (sent > 0) this.page.tell(words.connected(sent));
    this.change();
    this.page.supply.refill();
  }

  /** @param {unknown} error of a question that was no answer */
  lost(error) {
    if (error instanceof SignedOut) {
      this.outbox.signedOut = true;
      this.signedOut();
    } else if (error instanceof Unreachable && !error.busy) this.outbox.lost();
    else if (!(error instanceof Unreachable)) this.page.tell(/** @type {Error} */ (error).message);
  }

  signedOut() {
    const { count } = this.outbox;
    const hours = (Date.now() - this.page.signedInAt.getTime()) / 3600000;
    const said = words.signedOut(hours >= ABSOLUTE_H ? ABSOLUTE_H : 0, count);
    this.show(NO_WAVES, count ? words.waiting(count) : words.signedOutSign, true);
    this.page.setState('signed-out');
    this.page.showWords(said);
    find('.stage-words p:last-of-type').replaceChildren(make('a', { class: 'button main', href: this.page.signIn }, words.signIn));
    this.page.say(said);
  }
}
