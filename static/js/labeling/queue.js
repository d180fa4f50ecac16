/**
 * The crops on this desk, in the order in which they are shown: answered ones stay, so that one can move back to them.
 * What this page said wins over what the server still believes.
 */

/**
 * @typedef {object} Crop
 * @property {number} box_id
 * @property {number | null} pick_id
 * @property {string} lease_token
 * @property {number | null} round_id
 * @property {{species_id: number, certain: boolean} | null} said
 * @property {{species_id: number, p: number, rolled?: Rolled}[]} guesses the first with what it is rolled up to, where it is not sure
 * @property {boolean} blind whether it is asked without them
 * @property {{id: number, seconds: number, preview: string, thumbnail: string, crops: BurstCrop[]}[]} burst
 * @property {any} image
 * @property {number[]} box
 * @property {number[][]} others
 * @property {{box_id: number, box: import('./corners.js').Corners}[]} boxes all of the photo, its own too
 * @property {boolean} drawn by a person
 * @property {number} score
 * @property {number} number
 * @property {number} of
 * @property {number} counted by the boxes
 * @property {boolean} flagged whether an expert shall look
 * @property {{by: string, text: string}[]} comments
 * @property {Record<string, number>} counts by hand: species, or 0 for all animals, to how many
 * @property {number | undefined} [pendingCount] goes with the answer
 * @property {string} picture
 * @property {boolean} open whether it waits for an answer
 * @property {number} place its number in the round, fixed when it is first shown
 */

/** @typedef {{species_id: number, p: number, parts: [number, number][]}} Rolled a taxon above that is sure enough, and what was added up */

/** @typedef {{box_id: number, species_id: number | null}} BurstCrop what can be asked about in a photo, and its name when the crop was sent */

/** @typedef {{id: number, number: number, size: number, done: number, full: boolean}} Standing */

export const AHEAD = 20;

export class Queue {
  /** @param {any} state what the page brought */
  constructor(state) {
    /** @type {Crop[]} */
    this.crops = state.crop ? [asShown(state.crop)] : [];
    this.at = 0;
    /** @type {Record<string, Standing>} what the server said last */
    this.rounds = state.rounds;
    this.classifier = state.classifier;
    /** @type {Map<string, {roundId: number | null, weight: number, boxes: number[]}>} acts that are not sent yet, by key */
    this.unsent = new Map();
    /** @type {Map<number, number | null>} names that were said here of crops of a burst, by box */
    this.said = new Map();
  }

  /** What a crop of a burst is called by now. @param {BurstCrop} crop @returns {number | null} */
  nameOf(crop) {
    const known = this.ofBox(crop.box_id)?.said;
    return known ? known.species_id : this.said.get(crop.box_id) ?? crop.species_id;
  }

  /** @returns {Crop | undefined} */
  get current() {
    return this.crops[this.at];
  }

  get openCount() {
    return this.crops.filter((crop) => crop.open).length;
  }

  /** The next crops that wait, the current one first. @param {number} count */
  ahead(count) {
    return [...this.crops.slice(this.at), ...this.crops.slice(0, this.at)].filter((crop) => crop.open).slice(0, count);
  }

  /** The picks that need not be sent again. */
  get have() {
    const waiting = this.unsentBoxes;
    const held = this.crops.filter((crop) => crop.pick_id && (crop.open || waiting.has(crop.box_id)));
    return held.map((crop) => /** @type {number} */ (crop.pick_id)).slice(-200);
  }

  /** Boxes whose answers are on their way. */
  get unsentBoxes() {
    return new Set([...this.unsent.values()].flatMap((act) => act.boxes));
  }

  /** Go to the next crop that waits, the current one too. @returns {boolean} whether there is one */
  forward() {
    const after = this.crops.findIndex((crop, index) => crop.open && index >= this.at);
    const any = after >= 0 ? after : this.crops.findIndex((crop) => crop.open);
    if (any < 0) return false;
    this.at = any;
    return true;
  }

  /** Only look. @param {number} step @returns {boolean} */
  move(step) {
    if (!this.crops[this.at + step]) return false;
    this.at += step;
    return true;
  }

  /** To a crop of this page, wherever it went meanwhile. @param {Crop} crop */
  goTo(crop) {
    if (!this.crops.includes(crop)) {
      const at = this.crops.findIndex((each) => each.box_id === crop.box_id);
      this.crops.splice(at < 0 ? this.at : at, at < 0 ? 0 : 1, crop);
    }
    this.at = this.crops.indexOf(crop);
  }

  /** On all crops of the photo. @param {{image: number, of: number}} which @param {number | undefined} count */
  count({ image, of }, count) {
    for (const crop of this.crops.filter((each) => each.image.id === image)) {
      if (count === undefined) delete crop.counts[of];
      else crop.counts[of] = count;
    }
  }

  /** The crop of a box that this page holds, the newest copy. @param {number} boxId */
  ofBox(boxId) {
    return this.crops.findLast((crop) => crop.box_id === boxId);
  }

  /** It waits no more. @param {number} boxId */
  close(boxId) {
    for (const crop of this.crops) if (crop.box_id === boxId) crop.open = false;
  }

  /** A crop to show now. @param {any} crop @returns {Crop} */
  insert(crop) {
    const fresh = asShown(crop);
    this.at = Math.min(this.at, this.crops.length);
    this.crops.splice(this.at, 0, fresh);
    return fresh;
  }

  /** Older ones, to the left. @param {any[]} crops the newest first */
  prepend(crops) {
    const fresh = crops.map((crop) => ({
      ...asShown({ ...crop, round_id: crop.round?.id ?? null }), open: false, place: crop.round?.done ?? 0,
    }));
    this.crops.unshift(...fresh.reverse());
    this.at += fresh.length;
  }

  /** Take in what the server leased. @param {any} reply @param {Set<number>} unsentThen boxes whose answers were on their way then */
  receive(reply, unsentThen) {
    this.rounds = { ...this.rounds, ...reply.rounds };
    this.classifier = reply.classifier;
    const tokens = new Map(reply.on_hand);
    for (const crop of this.crops) {
      crop.lease_token = tokens.get(crop.pick_id) ?? crop.lease_token;
      crop.guesses = reply.guesses[crop.box_id] ?? crop.guesses;
    }
    const unsent = new Set([...unsentThen, ...this.unsentBoxes]);
    if (unsent.size === 0 && tokens.size < AHEAD) this.drop((crop) => crop.open && crop.pick_id !== null && crop !== this.current && !tokens.has(crop.pick_id));
    const held = new Set(this.crops.filter((crop) => crop.open).map((crop) => crop.pick_id));
    const fresh = reply.crops.filter((/** @type {any} */ crop) => !held.has(crop.pick_id) && !unsent.has(crop.box_id));
    for (const { box_id: boxId } of fresh) this.drop((crop) => crop.box_id === boxId && crop !== this.current);
    this.crops.push(...fresh.map(asShown));
  }

  /** Take crops out: somebody else has them now, or a newer copy is here. @param {(crop: Crop) => boolean} lost */
  drop(lost) {
    const current = this.current;
    this.crops = this.crops.filter((crop) => !lost(crop));
    this.at = current ? this.crops.indexOf(current) : Math.min(this.at, this.crops.length);
  }

  /** How a round stands when everything unsent arrives. @param {number | null} roundId @returns {Standing | null} */
  standing(roundId) {
    const known = roundId === null ? undefined : this.rounds[roundId];
    if (!known) return null;
    let done = known.done;
    for (const act of this.unsent.values()) if (act.roundId === roundId) done += act.weight;
    return { ...known, done: Math.max(0, Math.min(done, known.size)) };
  }

  /** The standing to show: that of the current crop's round, else the newest one. */
  get shownStanding() {
    const newest = Math.max(0, ...Object.keys(this.rounds).map(Number));
    return this.standing(this.current?.round_id ?? newest);
  }

  /** The number of a crop in its round, fixed when it is shown first. @param {Crop} crop */
  placeOf(crop) {
    const standing = this.standing(crop.round_id);
    if (!crop.place && standing) crop.place = Math.min(standing.done + 1, standing.size);
    return crop.place;
  }

  /** The server's word on a round. @param {Standing | null} standing */
  settle(standing) {
    if (standing) this.rounds[standing.id] = standing;
  }
}

/** @param {any} crop @returns {Crop} */
export function asShown(crop) {
  return { ...crop, open: crop.pick_id !== null, place: 0 };
}
