/**
 * Count mode: how many animals are in the photo, where the boxes do not say it. Digits, Enter keeps, Esc leaves. Before the crop
 * has a name the count goes with the answer, and is of what it names; afterwards it goes by itself.
 */
import { find } from './dom.js';
import { Typing } from './typing.js';
import { words } from './words.js';

/** @typedef {import('./queue.js').Crop} Crop */

const MOST = 100000;

export class Count {
  /** @param {import('./page.js').Page} page @param {import('./answering.js').Answering} answering */
  constructor(page, answering) {
    this.page = page;
    this.answering = answering;
    const field = /** @type {HTMLInputElement} */ (find('#count'));
    this.typing = new Typing(page, answering, field, words.countMode, (typed) => Number(typed) <= MOST && this.keep(Number(typed)));
    field.addEventListener('input', () => (field.value = field.value.replace(/\D/g, '').slice(0, 6)));
    const button = find('[data-count]');
    button.hidden = false;
    button.addEventListener('click', () => this.open());
  }

  open() {
    this.typing.open();
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
