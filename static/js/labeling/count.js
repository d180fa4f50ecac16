/**
 * Count mode: how many animals are in the photo, where the boxes do not say it. Digits, Enter keeps, Esc leaves. Before the crop
 * has a name the count goes with the answer, and is of what it names; afterwards it goes by itself.
 */
import { find } from './dom.js';
import { words } from './words.js';

/** @typedef {import('./queue.js').Crop} Crop */

const MOST = 100000;

export class Count {
  /** @param {import('./page.js').Page} page @param {import('./answering.js').Answering} answering */
  constructor(page, answering) {
    this.page = page;
    this.answering = answering;
    this.field = find('#count');
    this.button = find('[data-count]');
    this.button.hidden = false;
    this.button.addEventListener('click', () => this.open());
    this.field.addEventListener('keydown', (event) => this.press(event));
    this.field.addEventListener('input', () => (this.field.value = this.field.value.replace(/\D/g, '').slice(0, 6)));
    this.field.addEventListener('blur', () => this.close());
  }

  open() {
    this.answering.inTurn(() => this.show());
  }

  show() {
    this.field.value = '';
    this.field.hidden = false;
    this.button.hidden = true;
    this.field.focus();
    this.page.mode = words.countMode;
    this.page.showCorner();
  }

  close() {
    if (this.field.hidden) return;
    this.field.hidden = true;
    this.button.hidden = false;
    this.page.mode = '';
    this.page.showCorner();
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (event.isComposing || !['Enter', 'Escape'].includes(event.key)) return;
    event.preventDefault();
    if (event.key === 'Enter' && this.field.value !== '') {
      if (Number(this.field.value) > MOST) return;
      this.keep(Number(this.field.value));
    }
    this.close();
  }

  /** @param {number} count */
  keep(count) {
    const crop = /** @type {Crop} */ (this.page.crop);
    if (crop.said) this.answering.count(count);
    else {
      crop.pendingCount = count;
      this.page.showFacts(crop);
      this.page.say(words.countWaits(count));
    }
  }
}

/** What stands in the facts. @param {Crop} crop */
export function countWords(crop) {
  if (crop.pendingCount !== undefined) return words.countWaits(crop.pendingCount);
  const counted = crop.counts[crop.said?.species_id ?? 0] ?? crop.counts[0];
  return counted === undefined ? words.counted(crop.counted) : words.countedByHand(counted, crop.counted);
}
