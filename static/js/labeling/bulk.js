/** What a person does in the grid: one name for many crops, the classifier's word for each, skip, undo, redo. One act each. */
import { newKey } from './api.js';
import { find } from './dom.js';
import { words } from './words.js';

/** @typedef {import('./tiles.js').Tile} Tile */
/** @typedef {{tile: Tile, said: number | null, by: number | null, certain: boolean}} Before */
/** @typedef {{key: string, kind: string, name: string, first: Tile, before: Before[], after: Before[]}} Done */

export class Bulk {
  /** @param {import('./grid.js').Grid} page @param {import('./outbox.js').Outbox} outbox @param {any} last what the server knows of earlier visits */
  constructor(page, outbox, last) {
    this.page = page;
    this.outbox = outbox;
    /** @type {Done[]} */
    this.done = [];
    /** @type {Done[]} */
    this.undone = [];
    this.mayUndo = last.may_undo;
    this.mayRedo = last.may_redo;
    /** @type {Set<string>} keys of acts that are not sent yet */
    this.unsent = new Set();
    /** How many were done on this page. */
    this.acts = 0;
    outbox.on('sent', (result) => this.sent(result));
    outbox.on('refused', (result) => this.refused(result));
    page.panel.form.addEventListener('click', (event) => (this.isShifted = event.shiftKey));
    page.panel.form.addEventListener('submit', (event) => this.submit(event));
    /** One act after the other, also while the outbox opens. */
    this.line = this.start();
  }

  async start() {
    this.earlier = await this.outbox.start();
    for (const entry of this.earlier) this.unsent.add(entry.key);
    this.showUnsent();
  }

  /** What was said on an earlier visit and still waits stands on the tiles too. @param {Tile[]} tiles */
  async layWaiting(tiles) {
    await this.line;
    for (const { key, body } of this.earlier ?? []) {
      if (!this.unsent.has(key) || !Array.isArray(body.said)) continue;
      const names = new Map(body.said);
      for (const tile of tiles) {
        const said = names.get(tile.box);
        if (said !== undefined) Object.assign(tile, { said, by: this.page.user, certain: body.certain });
      }
    }
  }

  /** @param {SubmitEvent} event */
  submit(event) {
    event.preventDefault();
    const button = /** @type {HTMLButtonElement} */ (event.submitter);
    /** @type {Record<string, () => void>} */
    const acts = { empty_photo: () => this.emptyPhoto(), skip: () => this.skip(), undo: () => this.undo(), redo: () => this.redo() };
    if (button.name === 'act') acts[button.value]();
    else if (button.name === 'accept') this.accept();
    else if (button.value) this.species(Number(button.value), !this.isShifted);
  }

  /** @param {string} key @param {boolean} certain @returns {boolean} whether a species has this key */
  key(key, certain) {
    const species = Object.values(this.page.species).find((each) => each.hotkey === key && !each.retired);
    if (species) this.species(species.id, certain);
    return Boolean(species);
  }

  /** The same name for all that are chosen. @param {number} id @param {boolean} certain */
  species(id, certain) {
    this.inTurn(() => {
      const tiles = this.page.targets();
      return this.name(tiles, () => id, this.page.species[id].name, certain);
    });
  }

  /** The classifier's first for each that is open and has one. */
  accept() {
    this.inTurn(() => this.acceptOf(this.page.targets().filter((tile) => tile.said === null && tile.guess !== null)));
  }

  /** The same for every tile of the grid that the classifier is so sure of. @param {number} p */
  acceptAt(p) {
    this.inTurn(() => this.acceptOf(this.page.sureOf(p)));
  }

  /** @param {Tile[]} tiles */
  acceptOf(tiles) {
    const names = new Set(tiles.map((tile) => tile.guess));
    const name = names.size === 1 ? this.page.species[/** @type {number} */ (tiles[0].guess)].name : words.severalNames;
    return this.name(tiles, (tile) => /** @type {number} */ (tile.guess), name, true);
  }

  /** @param {Tile[]} tiles @param {(tile: Tile) => number} nameOf @param {string} name @param {boolean} certain */
  name(tiles, nameOf, name, certain) {
    const few = this.limited(tiles);
    if (!few.length) return this.page.tell(words.nothingChosen);
    const said = few.map((tile) => [tile.box, nameOf(tile)]);
    return this.act('grid', 'grid-labels', name, few, (tile) => nameOf(tile), { said, certain }, certain);
  }

  emptyPhoto() {
    this.inTurn(() => {
      const tiles = this.limited(this.page.targets());
      const images = new Set(tiles.map((tile) => tile.image));
      const { id } = /** @type {import('./panel.js').Species} */ (Object.values(this.page.species).find((each) => each.kind === 'not_animal'));
      const all = this.page.tiles.filter((tile) => images.has(tile.image));
      return tiles.length ? this.act('empty_photo', 'grid-empty', words.emptyPhoto, all, () => id, { boxes: tiles.map((tile) => tile.box) }, true) : undefined;
    });
  }

  skip() {
    this.inTurn(() => {
      const tiles = this.limited(this.page.targets().filter((tile) => tile.said === null));
      if (!tiles.length) return this.page.tell(words.nothingChosen);
      return this.act('skip', 'grid-skip', words.skip, tiles, (tile) => tile.said, { boxes: tiles.map((tile) => tile.box) }, true);
    });
  }

  /** What one act may name. @param {Tile[]} tiles */
  limited(tiles) {
    return tiles.slice(0, this.page.most);
  }

  /** @param {() => Promise<void> | void} act */
  inTurn(act) {
    this.line = this.line.then(act);
  }

  /** @param {string} kind @param {string} address @param {string} name @param {Tile[]} tiles @param {(tile: Tile) => number | null} nameOf @param {object} body @param {boolean} certain */
  async act(kind, address, name, tiles, nameOf, body, certain) {
    const first = tiles.includes(this.page.focusedTile) ? this.page.focusedTile : tiles[0];
    const by = this.page.user;
    const done = {
      key: newKey(), kind, name: tiles.length > 1 ? words.sized(name, tiles.length) : name, first,
      before: tiles.map((tile) => ({ tile, said: tile.said, by: tile.by, certain: tile.certain })),
      after: tiles.map((tile) => ({ tile, said: nameOf(tile), by: kind === 'skip' ? tile.by : by, certain })),
    };
    await this.keep(done, kind, `${this.page.project}/${address}`, { box: first.box, ...body });
    put(done.after);
    this.undone = [];
    this.mayRedo = false;
    this.done.push(done);
    this.finish(done, words.yourLastAct);
    this.page.say(kind === 'skip' ? words.skippedSaid : words.savedForMany(name, tiles.length));
    this.page.goOn();
  }

  /** Into the outbox. @param {Done | null} about @param {string} kind @param {string} url @param {object} body */
  async keep(about, kind, url, body) {
    const key = kind === 'undo' || kind === 'redo' || !about ? newKey() : about.key;
    this.unsent.add(key);
    this.acts += 1;
    this.showUnsent();
    const boxes = about ? about.before.map(({ tile }) => tile.box) : [];
    const sent = { ...body, idempotency_key: key, by: this.page.user };
    try {
      await this.outbox.add({ user: this.page.user, key, kind, url, body: sent, boxId: about?.first.box ?? null, boxes });
    } catch (error) {
      find('#alarm').textContent = words.storageFull;
      this.page.standingWords = words.storageFull;
      this.unsent.delete(key);
      this.page.showCorner();
      throw error;
    }
  }

  showUnsent() {
    find('.saved').dataset.waiting = String(this.unsent.size);
  }

  /** @param {Done} done @param {string} note */
  finish(done, note) {
    this.page.redraw(done.before.map(({ tile }) => tile));
    const person = done.after.some(({ said }) => this.page.species[said ?? 0]?.kind === 'person');
    this.page.panel.showLast({ picture: person ? '' : done.first.picture, name: done.name, note });
    this.mayUndo ||= this.done.length > 0;
    this.page.panel.showWays(this.mayUndo, this.mayRedo);
  }

  undo() {
    this.inTurn(async () => {
      const done = this.done.pop();
      if (!done && !this.mayUndo) return this.page.tell(words.nothingToUndo);
      await this.keep(done ?? null, 'undo', `${this.page.project}/undo`, done ? { of: done.key } : {});
      if (!done) return undefined;
      put(done.before);
      this.undone.push(done);
      this.mayRedo = true;
      this.finish({ ...done, name: `${done.name},` }, words.takenBackNote);
      this.page.goTo(done.first);
      return this.page.say(words.takenBackMany(done.name));
    });
  }

  redo() {
    this.inTurn(async () => {
      const done = this.undone.pop();
      if (!done && !this.mayRedo) return this.page.tell(words.nothingToRedo);
      await this.keep(done ?? null, 'redo', `${this.page.project}/redo`, {});
      if (!done) return undefined;
      put(done.after);
      this.done.push(done);
      this.mayRedo = this.undone.length > 0;
      this.finish(done, words.yourLastAct);
      return this.page.say(words.savedForMany(done.name, done.before.length));
    });
  }

  /** The server has it. @param {{entry: import('./store.js').Entry, reply: any}} result */
  sent({ entry, reply }) {
    this.unsent.delete(entry.key);
    this.showUnsent();
    this.page.follow(reply.photos ?? []);
    if (reply.round) this.page.showRound(reply.round);
    if (reply.round?.full && entry.kind !== 'undo') this.page.roundFull(reply.round);
    if (this.earlier?.some((each) => each.key === entry.key) && this.unsent.size === 0) this.page.look();
    const isOlder = (entry.kind === 'undo' || entry.kind === 'redo') && entry.boxId === null;
    if (!isOlder) return;
    if (reply.nothing) {
      this.mayUndo = entry.kind === 'undo' ? false : this.mayUndo;
      this.mayRedo = entry.kind === 'redo' ? false : this.mayRedo;
    } else {
      this.mayUndo = this.mayRedo = true;
      this.page.panel.showLast({ picture: reply.picture ?? '', name: reply.name, note: entry.kind === 'undo' ? words.takenBackNote : words.yourLastAct });
    }
    this.page.panel.showWays(this.mayUndo, this.mayRedo);
    this.page.tell(reply.words);
    this.page.look();
  }

  /** The server said no: the tiles are as they were, and the page says why. @param {{entry: import('./store.js').Entry, words: string}} result */
  refused({ entry, words: why }) {
    this.unsent.delete(entry.key);
    this.showUnsent();
    const at = this.done.findIndex((done) => done.key === entry.key);
    if (at >= 0) {
      const [done] = this.done.splice(at, 1);
      put(done.before);
      this.page.redraw(done.before.map(({ tile }) => tile));
    }
    this.page.tell(words.refused(why));
  }
}

/** @param {Before[]} states */
function put(states) {
  for (const { tile, said, by, certain } of states) Object.assign(tile, { said, by, certain });
}
