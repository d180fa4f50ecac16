/** The film strip: look at the other photos of the burst without leaving the crop. */
import { all, find, make, set } from './dom.js';
import { words } from './words.js';

const FRAME_MS = 250;

export class Strip {
  /**
   * @param {HTMLElement} element
   * @param {(frame: any, index: number, count: number) => void} look show a photo of the burst
   */
  constructor(element, look) {
    this.element = element;
    this.frames = find('.strip-frames', element);
    this.look = look;
    this.at = 0;
    this.frames.addEventListener('click', (event) => {
      const frame = event.target.closest('.frame');
      if (!frame) return;
      event.preventDefault();
      this.stop();
      this.go(all('.frame', this.frames).indexOf(frame));
    });
  }

  /** @param {any} crop */
  show(crop) {
    this.stop();
    this.crop = crop;
    this.own = this.at = Math.max(0, crop.burst.findIndex((frame) => frame.id === crop.image.id));
    const count = crop.burst.length;
    find('.strip-title span', this.element).textContent =
      count > 1 ? words.burst(count, crop.burst[count - 1].seconds) : words.noBurst;
    find('.strip-title kbd', this.element).hidden = count < 2;
    this.frames.replaceChildren(...crop.burst.map((frame, index) => this.frame(frame, index, count)));
  }

  /** @param {any} frame @param {number} index @param {number} count */
  frame(frame, index, count) {
    const name = words.frame(index + 1, count, frame.seconds);
    return make(
      'a',
      { class: 'frame', href: frame.preview, 'aria-label': index === this.at ? `${name}, current` : name, 'aria-current': index === this.at && 'true' },
      make('img', { src: frame.thumbnail, alt: '' }),
      make('span', {}, `${index ? '+' : ''}${frame.seconds} s`),
    );
  }

  /** @param {number} index */
  go(index) {
    const frame = this.crop?.burst[index];
    if (!frame) return;
    this.at = index;
    for (const [place, element] of all('.frame', this.frames).entries()) set(element, { 'aria-current': place === index && 'true' });
    this.look(frame, index, this.crop.burst.length);
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
