/** Which tiles are chosen: a set of places, the one that has the focus, and the one from which Shift reaches on. */

export class Selection {
  constructor() {
    /** @type {Set<number>} */
    this.chosen = new Set();
    this.focus = 0;
    this.anchor = 0;
    /** @type {Set<number>} what was chosen before a frame or a reach began */
    this.before = new Set();
  }

  get size() {
    return this.chosen.size;
  }

  /** @param {number} at */
  toggle(at) {
    if (!this.chosen.delete(at)) this.chosen.add(at);
    this.focus = this.anchor = at;
    this.before = new Set(this.chosen);
  }

  /** Everything from the anchor to here, beside what was chosen before. @param {number} at */
  reach(at) {
    const [from, to] = [Math.min(this.anchor, at), Math.max(this.anchor, at)];
    this.chosen = new Set(this.before);
    for (let place = from; place <= to; place += 1) this.chosen.add(place);
    this.focus = at;
  }

  /** Go there; the next reach begins there. @param {number} at */
  go(at) {
    this.focus = this.anchor = at;
    this.before = new Set(this.chosen);
  }

  /** What a frame touches, beside what was chosen before where it adds. @param {number[]} places @param {boolean} begins @param {boolean} adds */
  sweep(places, begins, adds) {
    if (begins) this.before = adds ? new Set(this.chosen) : new Set();
    this.chosen = new Set([...this.before, ...places]);
    if (places.length) this.focus = this.anchor = places[0];
  }

  /** All of them, or none of them where all are chosen already. @param {number[]} places */
  turn(places) {
    const has = places.every((place) => this.chosen.has(place));
    for (const place of places) if (has) this.chosen.delete(place); else this.chosen.add(place);
    this.before = new Set(this.chosen);
  }

  clear() {
    this.chosen.clear();
    this.before.clear();
  }
}
