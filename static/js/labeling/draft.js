/** The boxes of a photo as a person draws them, one of them chosen, with everything that can be taken back. */
import { area, holds, rounded } from './corners.js';

/** @typedef {import('./corners.js').Corners} Corners */
/** @typedef {import('./corners.js').Pair} Pair */
/** @typedef {{id: number | null, at: Corners, was: Corners | null, gone: boolean}} Outline id, was: none for an added box */
/** @typedef {{moved: {box_id: number, corners: Corners}[], added: Corners[], deleted: number[]}} Drawing */

export class Draft {
  /** @param {import('./queue.js').Crop} crop whose box is chosen first */
  constructor(crop) {
    /** @type {Outline[]} */
    this.boxes = crop.boxes.map(({ box_id: id, box }) => ({ id, at: box, was: box, gone: false }));
    this.at = Math.max(0, this.boxes.findIndex(({ id }) => id === crop.box_id));
    /** @type {{boxes: Outline[], at: number}[]} */
    this.past = [];
  }

  /** What was drawn on the boxes before somebody else changed them. @param {Drawing & {now: Map<number, number>}} drawing now: which box stands for which */
  lay({ moved, added, deleted, now }) {
    this.remember();
    const placeOf = (/** @type {number} */ id) => this.boxes.findIndex((box) => box.id === (now.get(id) ?? id));
    for (const { box_id: id, corners } of moved) {
      if (placeOf(id) >= 0) this.boxes = this.changed(placeOf(id), { at: corners });
      else this.boxes = [...this.boxes, outlined(corners)];
    }
    for (const id of deleted) this.boxes = this.changed(placeOf(id), { gone: true });
    this.boxes = [...this.boxes, ...added.map(outlined)];
  }

  /** The boxes that are left. */
  get left() {
    return this.boxes.filter((box) => !box.gone);
  }

  /** The box that keys are about; none when all are deleted. */
  get chosen() {
    return this.boxes[this.at]?.gone === false ? this.boxes[this.at] : undefined;
  }

  /** Where the others lie. */
  get others() {
    return this.left.filter((box) => box !== this.chosen).map(({ at }) => at);
  }

  /** The place of the chosen box among those that are left, from 1. */
  get number() {
    return this.left.indexOf(/** @type {Outline} */ (this.chosen)) + 1;
  }

  /** What comes now can be taken back by itself. */
  remember() {
    this.past.push({ boxes: this.boxes, at: this.at });
  }

  /** @returns {boolean} whether there was anything to take back */
  undo() {
    const before = this.past.pop();
    if (before) Object.assign(this, before);
    return before !== undefined;
  }

  /** @param {Corners} at where the chosen box lies now */
  put(at) {
    this.boxes = this.changed(this.at, { at });
  }

  /** @param {Corners} at */
  insert(at) {
    this.remember();
    this.boxes = [...this.boxes, outlined(at)];
    this.at = this.boxes.length - 1;
  }

  /** The chosen box; the next one is chosen. */
  remove() {
    this.remember();
    this.boxes = this.changed(this.at, { gone: true });
    this.next(1);
  }

  /** @param {number} step */
  next(step) {
    const count = this.boxes.length;
    const inTurn = this.boxes.map((_, nth) => (this.at + (step + count) * (nth + 1)) % count);
    this.at = inTurn.find((place) => !this.boxes[place].gone) ?? this.at;
  }

  /** The smallest box at a place, but the chosen one first. @param {Pair} place @returns {boolean} whether it is another one now */
  choose(place) {
    if (this.chosen && holds(this.chosen.at, place)) return false;
    const [found] = this.left.filter(({ at }) => holds(at, place)).sort((one, other) => area(one.at) - area(other.at));
    if (found) this.at = this.boxes.indexOf(found);
    return found !== undefined;
  }

  /** What differs from the boxes that the page brought. @returns {Drawing} */
  get drawing() {
    const isElsewhere = (/** @type {Outline} */ { at, was }) => was !== null && String(rounded(at)) !== String(was);
    return {
      moved: this.left.filter(isElsewhere).map(({ id, at }) => ({ box_id: /** @type {number} */ (id), corners: rounded(at) })),
      added: this.left.filter(({ id }) => id === null).map(({ at }) => rounded(at)),
      deleted: this.boxes.filter(({ id, gone }) => gone && id !== null).map(({ id }) => /** @type {number} */ (id)),
    };
  }

  /** @param {number} place @param {Partial<Outline>} by */
  changed(place, by) {
    return this.boxes.map((box, index) => (index === place ? { ...box, ...by } : box));
  }
}

/** A box that the server does not know yet. @param {Corners} at @returns {Outline} */
function outlined(at) {
  return { id: null, at, was: null, gone: false };
}
