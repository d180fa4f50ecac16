/**
 * What a person does: answer, skip, undo, redo. First into the outbox, then on the screen, then to the server.
 * Keys pressed meanwhile wait their turn, so that each is about the crop that is shown.
 */
import { newKey } from './api.js';
import { find } from './dom.js';
import { draw, takeIn, undraw } from './drawn.js';
import { words } from './words.js';

/** @typedef {import('./queue.js').Crop} Crop */
/** @typedef {{crop: Crop, said: Crop['said'], open: boolean}} Before */
/** @typedef {{image: number, of: number, count: number, before: number | undefined}} Counted of: the species, 0: all animals */
/** @typedef {{key: string, kind: string, name: string, said: Crop['said'], crop: Crop, before: Before[], boxes: number[], place: number, counted?: Counted, noted: Pick<Crop, 'flagged' | 'comments'>, text?: string, drawing?: import('./draft.js').Drawing, shapes?: import('./drawn.js').Shape[], added: Set<Crop>}} Done noted: as it was before. shapes, added: what a drawing changed. boxes: all that it names, on the desk or not */

/** Acts beside the answer. */
const STAYS = new Set(['count', 'flag', 'unflag', 'comment', 'gold', 'no_gold', 'boxes']);

export class Answering {
  /** @param {import('./page.js').Page} page @param {import('./outbox.js').Outbox} outbox @param {any} last what the server knows of earlier visits */
  constructor(page, outbox, last) {
    this.page = page;
    this.queue = page.queue;
    this.outbox = outbox;
    /** @type {Done[]} */
    this.done = [];
    /** @type {Done[]} */
    this.undone = [];
    this.mayUndo = last.may_undo;
    this.mayRedo = last.may_redo;
    /** Keys of drawings on their way, and of what takes them back: until they arrive their boxes have no ids. @type {Map<string, Done | undefined>} */
    this.drawings = new Map();
    /** Somebody was faster. @type {(entry: import('./store.js').Entry, why: string) => void} */
    this.drawingRefused = () => undefined;
    outbox.on('sent', (result) => this.sent(result));
    outbox.on('refused', (result) => this.refused(result));
    page.panel.form.addEventListener('click', (event) => (this.isShifted = event.shiftKey));
    page.panel.form.addEventListener('submit', (event) => this.submit(event));
    /** Keys pressed before the page is ready wait too. */
    this.line = this.start();
  }

  /** Answers of an earlier visit that still wait are not asked again. */
  async start() {
    for (const entry of await this.outbox.start()) {
      this.queue.unsent.set(entry.key, { roundId: null, weight: 0, boxes: entry.boxes });
      if (entry.kind === 'boxes') this.drawings.set(entry.key, undefined);
      else if (entry.kind !== 'undo' && !STAYS.has(entry.kind)) for (const box of entry.boxes) this.queue.close(box);
    }
    if (this.queue.current && !this.queue.current.open && this.queue.unsent.size) this.queue.crops = [];
    this.showUnsent();
    this.page.start();
    this.page.supply.refill();
  }

  /** A button is a submit in the form; this is the form's script. @param {SubmitEvent} event */
  submit(event) {
    event.preventDefault();
    if (this.page.element.dataset.mode) return;
    const button = /** @type {HTMLButtonElement} */ (event.submitter);
    /** @type {Record<string, () => void>} */
    const acts = { empty_photo: () => this.emptyPhoto(), skip: () => this.skip(), undo: () => this.undo(), redo: () => this.redo() };
    if (button.name === 'act') acts[button.value]();
    else if (button.value) this.species(Number(button.value), !this.isShifted);
  }

  /** @param {string} key @param {boolean} certain @returns {boolean} whether a species has this key */
  key(key, certain) {
    const species = Object.values(this.page.species).find((each) => each.hotkey === key && !each.retired);
    if (!species) return false;
    const isElsewhere = key === 'X' && this.page.strip.at !== this.page.strip.own; // then it may mean: not this photo
    this.inTurn(() => (isElsewhere && this.page.strip.takeOut() ? undefined : this.say(species.id, certain)));
    return true;
  }

  /** The classifier's first, as it stands when its turn comes; nothing while guesses are hidden, also if they are shown before then. */
  accept() {
    if (this.page.panel.hidden) return;
    this.inTurn(async () => {
      const id = this.page.panel.first;
      if (id !== null) await this.say(id, true);
    });
  }

  /** @param {number} id @param {boolean} certain */
  species(id, certain) {
    this.inTurn(() => this.say(id, certain));
  }

  /** @param {number} id @param {boolean} certain */
  say(id, certain) {
    const crop = /** @type {Crop} */ (this.page.crop);
    const { name, kind } = this.page.species[id];
    if (this.page.strip.isArmed) return this.sayOfBurst(id, certain);
    const beside = this.page.panel.observed.said(kind);
    const body = { species: id, certain, ...beside, ...(crop.pendingCount === undefined ? {} : { count: crop.pendingCount }) };
    return this.answer('answer', 'labels', name, [crop], { species_id: id, certain, ...beside }, body);
  }

  /** The crop on the desk and the others of its burst that have no name yet. @param {number} id @param {boolean} certain */
  sayOfBurst(id, certain) {
    const crop = /** @type {Crop} */ (this.page.crop);
    const boxes = this.page.strip.others().map((each) => each.box_id);
    const here = this.queue.crops.filter((each) => each !== crop && boxes.includes(each.box_id));
    const { name, kind } = this.page.species[id];
    const beside = this.page.panel.observed.said(kind);
    return this.answer('burst', 'burst-labels', name, [crop, ...here], { species_id: id, certain, ...beside }, { species: id, certain, ...beside, boxes }, boxes);
  }

  /** So many of what the crop is called are in its photo; it stays on the desk. @param {number} count */
  count(count) {
    this.inTurn(() => {
      const crop = /** @type {Crop} */ (this.page.crop);
      const species = this.page.species[crop.said?.species_id ?? 0];
      const name = words.countOf(count, species?.kind === 'taxon' ? species.name : null);
      return this.note('count', 'count', name, { count });
    });
  }

  /** An expert shall look, or need not any more. */
  flag() {
    this.inTurn(() => {
      const { flagged } = /** @type {Crop} */ (this.page.crop);
      return this.note(flagged ? 'unflag' : 'flag', 'flag', flagged ? words.flagDown : words.flagged, { raised: !flagged });
    });
  }

  /** @param {string} text */
  comment(text) {
    this.inTurn(() => this.note('comment', 'comments', words.comment, { text }));
  }

  /** Boxes of the photo as they were drawn. @param {import('./draft.js').Drawing} drawing */
  draw(drawing) {
    this.inTurn(() => this.note('boxes', 'drawing', words.drawn(drawing), drawing));
  }

  /** Beside the answer: the crop stays on the desk. @param {string} kind @param {string} address @param {string} name @param {Record<string, unknown>} body */
  note(kind, address, name, body) {
    const crop = /** @type {Crop} */ (this.page.crop);
    return this.answer(kind, address, name, [], crop.said, body, [crop.box_id]);
  }

  /** The name that most crops of the burst have, for those that have none. */
  majority() {
    this.inTurn(() => {
      const id = this.page.strip.majority();
      if (id === null) return this.page.tell(words.noMajority);
      this.page.strip.arm(true);
      return this.say(id, true);
    });
  }

  emptyPhoto() {
    this.inTurn(() => {
      const { image } = /** @type {Crop} */ (this.page.crop);
      const { id } = /** @type {import('./panel.js').Species} */ (Object.values(this.page.species).find((each) => each.kind === 'not_animal'));
      if (this.page.strip.isArmed) return this.sayOfBurst(id, true);
      const here = this.queue.crops.filter((crop) => crop.image.id === image.id);
      return this.answer('empty_photo', 'empty-photo', words.emptyPhoto, here, { species_id: id, certain: true }, {});
    });
  }

  skip() {
    this.inTurn(() => {
      const crop = /** @type {Crop} */ (this.page.crop);
      return this.answer('skip', 'skip', words.skip, [crop], crop.said, {});
    });
  }

  /** Only about a crop whose photo is on the screen. @param {() => Promise<void> | void} act */
  inTurn(act) {
    this.line = this.line.then(async () => {
      const state = this.page.element.dataset.state;
      if (this.page.crop && (state === 'ready' || state === 'broken') && !this.page.element.dataset.mode) await act();
    });
  }

  /**
   * @param {string} kind @param {string} address @param {string} name @param {Crop[]} crops
   * @param {Crop['said']} said @param {Record<string, any>} body @param {number[]} [others] boxes that are named too
   */
  async answer(kind, address, name, crops, said, body, others = []) {
    const crop = /** @type {Crop} */ (this.page.crop);
    /** @type {Done} */
    const done = {
      key: newKey(), kind, name, said, crop, place: this.queue.placeOf(crop),
      before: crops.map((each) => ({ crop: each, said: each.said, open: each.open })),
      boxes: [...new Set([...crops.map((each) => each.box_id), ...others])],
      counted: this.counted(crop, said, body), noted: { flagged: crop.flagged, comments: crop.comments }, text: body.text,
      drawing: kind === 'boxes' ? /** @type {import('./draft.js').Drawing} */ (body) : undefined, added: new Set(),
    };
    await this.keep(done, kind, `/boxes/${crop.box_id}/${address}`, {
      ...body, lease_token: crop.lease_token, ...(crop.pick_id ? { pick_id: crop.pick_id } : {}),
    }, weigh(done));
    this.put(done);
    this.undone = [];
    this.mayRedo = false;
    this.finish(done);
  }

  /** What an act counts. @param {Crop} crop @param {Crop['said']} said @param {Record<string, any>} body */
  counted(crop, said, body) {
    const isAnimal = said && this.page.species[said.species_id]?.kind === 'taxon';
    if (body.count === undefined || (body.species && !isAnimal)) return undefined;
    const of = isAnimal ? said.species_id : 0;
    return { image: crop.image.id, of, count: body.count, before: crop.counts[of] };
  }

  /** What an act says of the crops that this page knows. @param {Done} done */
  put(done) {
    if (done.drawing) done.shapes = draw(this.queue, done.crop, done.drawing);
    for (const { crop } of done.before) Object.assign(crop, { said: done.said, open: false, pendingCount: undefined });
    if (done.counted) this.queue.count(done.counted, done.counted.count);
    if (done.kind === 'flag' || done.kind === 'unflag') done.crop.flagged = done.kind === 'flag';
    if (done.text !== undefined) done.crop.comments = [...done.crop.comments, { by: this.page.userName, text: done.text }];
    if (done.said && done.kind !== 'skip' && !STAYS.has(done.kind)) for (const box of done.boxes) this.queue.said.set(box, done.said.species_id);
  }

  /** As it was before. @param {Done} done */
  putBack(done) {
    if (done.shapes) undraw(this.queue, done.shapes, done.added);
    for (const { crop, said, open } of done.before) Object.assign(crop, { said, open });
    if (STAYS.has(done.kind)) Object.assign(done.crop, done.noted);
    else for (const box of done.boxes) this.queue.said.delete(box);
    if (!done.counted) return;
    this.queue.count(done.counted, done.counted.before);
    if (done.kind !== 'count') done.crop.pendingCount = done.counted.count;
  }

  /** Into the outbox. @param {Done | undefined} about @param {string} kind @param {string} url @param {object} body @param {number} weight */
  async keep(about, kind, url, body, weight) {
    const key = kind === 'undo' || kind === 'redo' || !about ? newKey() : about.key;
    const boxId = about?.crop.box_id ?? null;
    const boxes = about?.boxes ?? [];
    this.queue.unsent.set(key, { roundId: about?.crop.round_id ?? null, weight, boxes });
    if (about?.drawing) this.drawings.set(key, about);
    this.showUnsent();
    const sent = { ...body, idempotency_key: key, by: this.page.user };
    try {
      await this.outbox.add({ user: this.page.user, key, kind, url, body: sent, boxId, boxes });
    } catch (error) {
      find('#alarm').textContent = words.storageFull;
      this.page.standingWords = words.storageFull;
      this.queue.unsent.delete(key);
      this.drawings.delete(key);
      this.page.showCorner();
      throw error;
    }
  }

  /** How many are on their way, also in the first moment, when the page still says "Saved". */
  showUnsent() {
    find('.saved').dataset.waiting = String(this.queue.unsent.size);
  }

  /** On the screen. @param {Done} done */
  finish(done) {
    this.done.push(done);
    const size = done.boxes.length;
    const sized = size > 1 ? `${done.name}, ${size} crops` : done.name;
    this.showFoot(done, sized, words.yourLast(done.place));
    if (STAYS.has(done.kind) && !done.drawing?.deleted.includes(done.crop.box_id)) this.page.show();
    else this.page.next();
    const saved = done.kind === 'skip' ? words.skippedSaid : STAYS.has(done.kind) ? words.noted(done.name) : size > 1 ? words.savedForMany(done.name, size) : words.savedFor(done.name, done.place);
    this.page.say([saved, ...(STAYS.has(done.kind) ? [] : this.nextWords())].join(' '));
  }

  /** Then the server blurs the photo, and only its word says where the picture lies. @param {Done} done */
  saysPerson(done) {
    return this.page.species[done.said?.species_id ?? 0]?.kind === 'person';
  }

  nextWords() {
    const crop = this.page.crop;
    const standing = crop && this.queue.standing(crop.round_id);
    if (!crop || !standing) return [];
    const [first] = this.page.panel.hidden ? [] : crop.guesses;
    const guess = first ? [words.guess(this.page.species[first.species_id].name, first.p)] : [];
    return [words.crop(this.queue.placeOf(crop), standing.size), ...guess];
  }

  undo() {
    this.line = this.line.then(async () => {
      const done = this.done.pop();
      if (!done && !this.mayUndo) return this.page.tell(words.nothingToUndo);
      await this.keep(done, 'undo', `${this.page.project}/undo`, done ? { of: done.key } : {}, done ? -weigh(done) : 0);
      if (done) this.showTakenBack(done);
      return undefined;
    });
  }

  /** @param {Done} done */
  showTakenBack(done) {
    this.putBack(done);
    this.undone.push(done);
    this.mayRedo = true;
    this.queue.goTo(done.crop);
    this.showFoot(done, `${done.name},`, words.takenBackNote);
    this.page.looking = '';
    this.page.show();
    this.page.say(words.takenBack(done.name, done.place));
  }

  redo() {
    this.line = this.line.then(async () => {
      const done = this.undone.pop();
      if (!done && !this.mayRedo) return this.page.tell(words.nothingToRedo);
      await this.keep(done, 'redo', `${this.page.project}/redo`, {}, done ? weigh(done) : 0);
      if (!done) return undefined;
      this.put(done);
      this.mayRedo = this.undone.length > 0;
      this.finish(done);
      return undefined;
    });
  }

  /** @param {{box_id: number, picture: string} | Done} done @param {string} name @param {string} note */
  showFoot(done, name, note) {
    this.footBox = 'box_id' in done ? done.box_id : done.crop.box_id;
    const picture = 'box_id' in done ? done.picture : this.saysPerson(done) ? '' : done.crop.picture;
    this.page.panel.showLast({ picture, name, note });
    this.mayUndo ||= this.done.length > 0;
    this.page.panel.showWays(this.mayUndo, this.mayRedo);
  }

  /** The server has it. @param {{entry: import('./store.js').Entry, reply: any}} result */
  sent({ entry, reply }) {
    this.queue.unsent.delete(entry.key);
    this.showUnsent();
    const drawing = this.drawings.get(entry.key);
    this.drawings.delete(entry.key);
    this.queue.settle(reply.round);
    this.page.follow(reply.photos ?? []);
    if (reply.picture && this.footBox === reply.box_id) this.page.panel.showPicture(reply.picture);
    if (reply.drawn && this.drawings.size === 0) this.arrived(reply, drawing); // else a newer one brings the last word
    if (entry.kind === 'undo') this.undoSent(entry, reply);
    if (entry.kind === 'redo') this.redoSent(entry, reply);
    const crop = entry.boxId === null ? undefined : this.queue.ofBox(entry.boxId);
    if (reply.gone) this.page.tell(reply.words);
    else if (reply.late) this.page.tell(words.late(crop?.place || (reply.round?.done ?? 0)));
    if (reply.round?.full && entry.kind !== 'undo' && this.fullRound !== reply.round.id) {
      this.fullRound = reply.round.id;
      this.page.supply.fitUnderway = true;
      this.page.note(words.roundFull(reply.round.number));
    }
    if (this.page.crop) this.page.showRound();
    const isNew = reply.classifier_id !== (this.queue.classifier?.id ?? null);
    if (isNew || this.queue.openCount === 0) this.page.supply.refill();
  }

  /** The boxes of a photo as the server has them. @param {any} reply @param {Done} [done] what brought them */
  arrived(reply, done) {
    const added = takeIn(this.queue, reply);
    for (const crop of added) done?.added.add(crop);
    const { crop } = this.page;
    if (!crop || crop.image.id !== reply.image_id) return;
    if (reply.drawn.deleted.includes(crop.box_id)) this.page.next();
    else this.page.show();
  }

  /** @param {import('./store.js').Entry} entry @param {any} reply */
  undoSent(entry, reply) {
    this.mayUndo = !reply.nothing || this.done.length > 0;
    if (reply.nothing) {
      if (entry.boxId === null) this.page.tell(reply.words);
      this.page.panel.showWays(this.mayUndo, this.mayRedo);
      return;
    }
    const known = this.queue.ofBox(reply.box_id);
    if (known) {
      const { pick_id: pickId, lease_token: token, round_id: roundId, said } = reply.crop;
      if (entry.boxId === null) this.noteAgain(known, reply.crop);
      Object.assign(known, { lease_token: token, open: pickId !== null || (known.open && known.pick_id === null) }, pickId ? { pick_id: pickId, round_id: roundId } : {}, entry.boxId === null ? { said } : {});
    }
    if (entry.boxId === null) this.showOlderTakenBack(known ?? this.queue.insert(reply.crop), reply);
    if (reply.words !== words.takenBackWords(reply.name)) this.page.tell(reply.words);
  }

  /** What is noted beside a crop, as the server has it. @param {Crop} crop @param {Crop} now */
  noteAgain(crop, now) {
    const { flagged, comments, counts } = now;
    Object.assign(crop, { flagged, comments, counts });
  }

  /** What was answered before this page was opened. @param {Crop} crop @param {any} reply */
  showOlderTakenBack(crop, reply) {
    this.queue.goTo(crop);
    this.mayRedo = true;
    this.page.looking = '';
    this.page.show();
    this.showFoot(reply, `${reply.name},`, words.takenBackNote);
    this.page.say(words.takenBack(reply.name, crop.place));
  }

  /** @param {import('./store.js').Entry} entry @param {any} reply */
  redoSent(entry, reply) {
    if (entry.boxId !== null) return;
    this.mayRedo = !reply.nothing;
    if (reply.nothing) {
      this.page.tell(reply.words);
      this.page.panel.showWays(this.mayUndo, false);
      return;
    }
    const crop = this.queue.ofBox(reply.box_id);
    if (crop) this.noteAgain(crop, reply.crop);
    if (STAYS.has(reply.of)) {
      if (crop && crop === this.page.crop) this.page.show();
    } else if (crop) Object.assign(crop, { said: reply.species_id ? { species_id: reply.species_id, certain: reply.certain } : null, open: false });
    this.mayUndo = true;
    this.showFoot(reply, reply.name, words.yourLast(reply.round?.done ?? 0));
    if (crop && crop === this.page.crop && !STAYS.has(reply.of)) this.page.next();
    this.page.say(reply.words);
  }

  /** The server said no: the crop waits again, and the page says why. @param {{entry: import('./store.js').Entry, words: string}} result */
  refused({ entry, words: why }) {
    this.queue.unsent.delete(entry.key);
    this.drawings.delete(entry.key);
    this.showUnsent();
    const at = this.done.findIndex((done) => done.key === entry.key);
    if (at >= 0) {
      const [done] = this.done.splice(at, 1);
      this.putBack(done);
      if (!this.page.crop) this.page.next();
      else this.page.showRound();
    }
    this.page.tell(words.refused(why));
    if (entry.kind === 'boxes') this.drawingRefused(entry, why);
  }
}

/** How many picks of the round an act fills. @param {Done} done */
function weigh(done) {
  return done.kind === 'skip' ? 0 : done.before.filter(({ open }) => open).length;
}
