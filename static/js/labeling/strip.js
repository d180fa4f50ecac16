/**
 * The film strip: look at the other photos of the burst without leaving the crop. Armed, the next answer is for all crops of the
 * photos that are shown and not taken out.
 */
import { all, closest, find, make, set } from './dom.js';
import { words } from './words.js';

const FRAME_MS = 250;

export class Strip {
  /** @type {import('./queue.js').Crop} once one was shown */
  crop;

  /**
   * @param {HTMLElement} element
   * @param {import('./queue.js').Queue} queue what was said here
   * @param {{look: (frame: any, index: number, count: number) => void, armed: () => void, mayLabel: boolean}} page look: show a photo of the burst; armed: it is, or no more
   */
  constructor(element, queue, page) {
    this.element = element;
    this.queue = queue;
    this.page = page;
    this.isArmed = false;
    /** @type {Set<number>} photos that are not this one */
    this.out = new Set();
    this.acts = find('.strip-acts', element);
    // A click must not take the focus: else the next Enter would repeat it.
    this.acts.addEventListener('mousedown', (event) => event.preventDefault());
    this.frames = find('.strip-frames', element);
    this.at = this.own = 0;
    this.frames.addEventListener('click', (event) => {
      const frame = closest(event, '.frame');
      if (!frame) return;
      event.preventDefault();
      this.stop();
      this.go(all('.frame', this.frames).indexOf(frame));
    });
  }

  /** @param {import('./queue.js').Crop} crop */
  show(crop) {
    this.stop();
    this.crop = crop;
    this.arm(false);
    this.acts.hidden = !this.page.mayLabel || this.others().length === 0;
    this.own = this.at = Math.max(0, crop.burst.findIndex((frame) => frame.id === crop.image.id));
    const count = crop.burst.length;
    find('.strip-title span', this.element).textContent =
      count > 1 ? words.burst(count, crop.burst[count - 1].seconds) : words.noBurst;
    find('.strip-title kbd', this.element).hidden = count < 2;
    this.frames.replaceChildren(...crop.burst.map((frame, index) => this.frame(frame, index, count)));
  }

  /** @param {any} frame @param {number} index @param {number} count */
  frame(frame, index, count) {
    const name = words.frame(index + 1, count, frame.seconds, index === this.at);
    return make(
      'a',
      { class: 'frame', href: frame.preview, 'aria-label': name, 'aria-current': index === this.at && 'true' },
      make('img', { src: frame.thumbnail, alt: '' }),
      make('span', {}, `${index ? '+' : ''}${frame.seconds} s`),
    );
  }

  /** Their pictures lie elsewhere now. */
  repaint() {
    for (const [place, element] of all('.frame', this.frames).entries()) {
      const { preview, thumbnail } = this.crop.burst[place];
      set(element, { href: preview });
      const image = find('img', element);
      if (image.getAttribute('src') !== thumbnail) set(image, { src: thumbnail });
    }
  }

  /** @param {number} index */
  go(index) {
    const frame = this.crop?.burst[index];
    if (!frame) return;
    this.at = index;
    for (const [place, element] of all('.frame', this.frames).entries()) set(element, { 'aria-current': place === index && 'true' });
    this.page.look(frame, index, this.crop.burst.length);
  }

  /** The crops of the burst besides the one on the desk. @param {boolean} [all] those that have a name already, and photos taken out, too */
  others(all = false) {
    const shown = this.crop.burst.filter((frame) => all || !this.out.has(frame.id));
    const crops = shown.flatMap((frame) => frame.crops).filter((crop) => crop.box_id !== this.crop.box_id);
    return crops.map((crop) => ({ ...crop, species_id: this.queue.nameOf(crop) })).filter((crop) => all || crop.species_id === null);
  }

  /** What most crops of the burst are called, if more than any other name. @returns {number | null} */
  majority() {
    /** @type {Map<number, number>} */
    const counts = new Map();
    const own = this.crop.said ? [this.crop.said] : [];
    for (const { species_id: id } of [...this.others(true), ...own]) if (id !== null) counts.set(id, (counts.get(id) ?? 0) + 1);
    const [first, second] = [...counts].sort((one, other) => other[1] - one[1]);
    return first && first[1] !== second?.[1] ? first[0] : null;
  }

  /** @param {boolean} on */
  arm(on) {
    this.isArmed = on && this.others(false).length > 0;
    this.out.clear();
    this.showArmed();
    return this.isArmed;
  }

  /** The photo that is looked at is not this one, or is after all. @returns {boolean} whether it could be taken out */
  takeOut() {
    const frame = this.crop?.burst[this.at];
    if (!this.isArmed || this.at === this.own) return false;
    if (!this.out.delete(frame.id)) this.out.add(frame.id);
    this.showArmed();
    return true;
  }

  showArmed() {
    this.element.classList.toggle('armed', this.isArmed);
    for (const [place, element] of all('.frame', this.frames).entries()) element.classList.toggle('out', this.out.has(this.crop.burst[place]?.id));
    set(find('[data-burst=arm]', this.acts), { 'aria-pressed': String(this.isArmed) });
    find('[data-burst=out]', this.acts).hidden = !this.isArmed;
    this.page.armed();
  }

  /** @param {number} step */
  move(step) {
    this.stop();
    this.go(this.at + step);
  }

  home() {
    this.stop();
    if (this.crop) this.go(this.own);
  }

  /** Play the burst, or stop where it is. */
  play() {
    if (this.playing) return this.stop();
    if ((this.crop?.burst.length ?? 0) < 2) return undefined;
    this.playing = setInterval(() => this.go((this.at + 1) % this.crop.burst.length), FRAME_MS);
    return undefined;
  }

  stop() {
    clearInterval(this.playing);
    this.playing = undefined;
  }

  /** The thumbnail of a photo, for the moment until its preview is here. @param {number} index */
  thumbnail(index) {
    return /** @type {HTMLImageElement} */ (all('img', this.frames)[index]);
  }
}
