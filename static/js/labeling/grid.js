/** The grid page: puts the tiles, the selection, the panel and the outbox together. */
import { get } from './api.js';
import { Bulk } from './bulk.js';
import { Connection } from './connection.js';
import { closest, find, make } from './dom.js';
import { Finder } from './finder.js';
import { Outbox } from './outbox.js';
import { Panel } from './panel.js';
import { Selection } from './selection.js';
import { Shortcuts } from './shortcuts.js';
import { TileList } from './tiles.js';
import { figure } from '../words.js';
import { percent, words } from './words.js';

/** @typedef {import('./tiles.js').Tile} Tile */

const NOTE_MS = 4000;
const LOOK_MS = 10000; // what others named meanwhile
const LOOKED_AT = 3000; // tiles; more are not fetched again by themselves

export class Grid {
  /** @param {any} state what the server put into the page */
  constructor(state) {
    const desk = find('#main');
    this.state = state;
    this.user = Number(desk.dataset.userId);
    this.project = /** @type {string} */ (desk.dataset.project);
    this.signIn = /** @type {string} */ (desk.dataset.signIn);
    this.signedInAt = new Date(desk.dataset.signedInAt ?? '');
    /** @type {Record<string, import('./panel.js').Species>} */
    this.species = state.species;
    this.most = state.most;
    this.mayLabel = state.may_label;
    /** @type {Tile[]} */
    this.tiles = [];
    /** @type {import('./tiles.js').Group[]} */
    this.groups = [];
    /** @type {Record<string, string>} */
    this.people = {};
    this.standing = state.standing;
    this.standingWords = '';
    this.hint = find('.hint').textContent ?? '';
    this.selection = new Selection();
    this.panel = new Panel(find('.answers'), this.species, !this.mayLabel);
    this.list = new TileList(find('.tile-scroll'), find('.tile-list'), {
      name: (tile) => this.nameOf(tile),
      caption: (tile) => this.caption(tile),
      isChosen: (at) => this.selection.chosen.has(at),
      press: (at, event) => this.press(at, event),
      sweep: (places, event, begins) => this.sweep(places, event, begins),
      pick: (group) => this.pick(group),
    });
    /** What the connection asks of a page. */
    this.supply = { isUnreachable: () => false, reached: () => undefined, lost: (/** @type {unknown} */ _error) => undefined, refill: () => this.look() };
    this.crop = undefined;
    /** @type {Bulk | undefined} none for those who may only look */
    this.bulk = undefined;
  }

  /** Fetch all tiles, in place of those that the server drew. */
  async load() {
    try {
      const reply = await get(this.state.tiles_at);
      this.people = reply.people;
      this.groups = reply.groups.map((/** @type {any} */ group) => ({ ...group, title: group.species ? this.species[group.species].name : group.title }));
      this.tiles = rows(reply.tiles);
      this.supply.reached();
      if (!this.tiles.length) return;
      find('.tile-list').replaceChildren();
      await this.bulk?.layWaiting(this.tiles);
      this.list.show(this.tiles, this.groups);
      const at = this.tiles.findIndex((tile) => tile.box === this.state.focus);
      if (at >= 0) this.goTo(this.tiles[at]);
      this.showAll();
      find('.tile-list').dataset.ready = String(this.tiles.length);
    } catch (error) {
      this.supply.lost(error);
      setTimeout(() => this.load(), NOTE_MS);
    }
  }

  /** What others named, and what was learnt, since; every tile stays in its place. */
  async look() {
    if (this.isLooking) return;
    this.isLooking = true;
    const acts = this.bulk?.acts;
    try {
      const reply = await get(this.state.tiles_at);
      this.supply.reached();
      const fresh = new Map(rows(reply.tiles).map((tile) => [tile.box, tile]));
      this.people = reply.people;
      if (!this.hasUnsent() && acts === this.bulk?.acts) { // else the reply may be older than what was said meanwhile
        const changed = this.tiles.filter((tile) => fresh.has(tile.box) && !same(tile, /** @type {Tile} */ (fresh.get(tile.box))));
        for (const tile of changed) Object.assign(tile, fresh.get(tile.box));
        this.redraw(changed);
      }
      find('.rate').textContent = reply.rate ? words.rate(reply.rate) : '';
      if (this.standing && reply.standing && reply.standing.id !== this.standing.id) find('[data-act=next]').hidden = false;
      else if (reply.standing) this.showRound(reply.standing);
    } catch (error) {
      this.supply.lost(error);
    } finally {
      this.isLooking = false;
    }
  }

  /** What lies over photos has changed. @param {import('./veils.js').PhotoNow[]} photos */
  follow(photos) {
    const now = new Map(photos.map((photo) => [photo.id, photo]));
    const changed = this.tiles.filter((tile) => now.has(tile.image) && now.get(tile.image)?.veil !== tile.veil);
    for (const tile of changed) {
      const { query, thumbnail, veil } = /** @type {import('./veils.js').PhotoNow} */ (now.get(tile.image));
      const isCut = tile.picture.startsWith('/boxes/');
      Object.assign(tile, { picture: isCut ? `/boxes/${tile.box}/crop.jpg${query}` : thumbnail, veil });
    }
    this.redraw(changed);
  }

  hasUnsent() {
    return (this.bulk?.unsent.size ?? 0) > 0;
  }

  /** @param {Tile} tile */
  nameOf(tile) {
    const shown = tile.said ?? tile.guess;
    const parts = [shown ? this.species[shown].name : words.noGuessTile];
    if (words.veiled[tile.veil]) parts.push(words.veiled[tile.veil]);
    if (tile.said === null && tile.guess) parts.push(words.percent(tile.p));
    if (tile.said !== null) parts.push(words.namedBy(this.who(tile.by)));
    if (tile.said !== null && !tile.certain) parts.push(words.notCertain);
    if (differs(tile)) parts.push(words.neighboursSay(this.species[/** @type {number} */ (tile.near)].name));
    if (tile.held && tile.said === null) parts.push(words.hasIt(this.who(tile.held)));
    return parts.join(', ');
  }

  /** @param {Tile} tile */
  caption(tile) {
    const shown = tile.said ?? tile.guess;
    const mark = this.mark(tile);
    return {
      name: shown ? this.species[shown].name : words.noGuessTile,
      said: tile.said !== null,
      note: tile.said === null && tile.guess ? `${percent(tile.p)}%` : tile.said !== null && !tile.certain ? '?' : '',
      ...mark,
    };
  }

  /** @param {Tile} tile @returns {{mark: string, done: boolean}} */
  mark(tile) {
    if (differs(tile)) return { mark: words.near(this.species[/** @type {number} */ (tile.near)].name), done: false };
    if (tile.said !== null) return { mark: `✓ ${this.who(tile.by)}`, done: true };
    if (tile.held) return { mark: words.hasIt(this.who(tile.held)), done: true };
    return { mark: '', done: false };
  }

  /** @param {number | null} id */
  who(id) {
    return id === this.user ? words.you : (this.people[String(id)] ?? words.somebody);
  }

  get focusedTile() {
    return this.tiles[this.selection.focus];
  }

  /** What an answer is for: what is chosen, else the tile that has the focus. @returns {Tile[]} */
  targets() {
    const places = this.selection.size ? [...this.selection.chosen].sort((one, other) => one - other) : [this.selection.focus];
    return places.map((at) => this.tiles[at]).filter(Boolean);
  }

  /** Open tiles that nobody else has on the desk and whose guess is so sure, the surest first. @param {number} p */
  sureOf(p) {
    const sure = this.tiles.filter((tile) => tile.said === null && tile.guess !== null && !tile.held && tile.p >= p);
    return sure.sort((one, other) => other.p - one.p);
  }

  /** @param {number} at @param {PointerEvent} event */
  press(at, event) {
    if (event.shiftKey) this.selection.reach(at);
    else this.selection.toggle(at);
    this.list.focus(at);
    this.showAll();
  }

  /** @param {number[]} places @param {PointerEvent} event @param {boolean} begins */
  sweep(places, event, begins) {
    this.selection.sweep(places, begins, event.shiftKey || event.ctrlKey || event.metaKey);
    this.showAll();
  }

  /** @param {number} group */
  pick(group) {
    const start = this.groups.slice(0, group).reduce((sum, each) => sum + each.size, 0);
    const places = Array.from({ length: this.groups[group].size }, (_none, at) => start + at);
    const open = places.filter((at) => this.tiles[at].said === null);
    this.selection.turn(open.length ? open : places);
    this.showAll();
  }

  /** @param {[number, number]} step */
  go(step) {
    if (!this.tiles.length) return;
    this.selection.go(this.isAtHome() ? this.list.next(this.selection.focus, step) : this.selection.focus);
    this.list.focus(this.selection.focus);
    if (!this.selection.size) this.showAll();
  }

  /** The first arrow only shows where the focus is. */
  isAtHome() {
    return document.activeElement?.closest('.tile') !== null || this.selection.focus > 0;
  }

  /** @param {[number, number]} step */
  extend(step) {
    this.selection.reach(this.list.next(this.selection.focus, step));
    this.list.focus(this.selection.focus);
    this.showAll();
  }

  toggle() {
    this.selection.toggle(this.selection.focus);
    this.list.focus(this.selection.focus);
    this.showAll();
  }

  /** The other tiles of the bursts that are chosen. */
  addBursts() {
    const bursts = new Set(this.targets().map((tile) => tile.burst).filter(Boolean));
    for (const [at, tile] of this.tiles.entries()) if (tile.burst && bursts.has(tile.burst)) this.selection.chosen.add(at);
    this.selection.go(this.selection.focus);
    this.showAll();
    this.say(words.chosen(this.selection.size));
  }

  clear() {
    this.selection.clear();
    this.showAll();
  }

  /** After an answer: nothing is chosen, the focus is on the next tile that is open. */
  goOn() {
    this.selection.clear();
    const next = this.tiles.findIndex((tile, at) => at >= this.selection.focus && tile.said === null);
    const any = next >= 0 ? next : this.tiles.findIndex((tile) => tile.said === null);
    if (any >= 0) this.selection.go(any);
    if (document.activeElement === document.body || document.activeElement?.closest('.tile')) this.list.focus(this.selection.focus);
    this.showAll();
  }

  /** @param {Tile} tile */
  goTo(tile) {
    this.selection.go(Math.max(0, this.tiles.indexOf(tile)));
    this.list.focus(this.selection.focus);
    this.showAll();
  }

  /** @param {Tile[]} which */
  redraw(which) {
    this.list.redraw(which);
    this.showAll();
  }

  /** Everything that speaks of the selection. */
  showAll() {
    this.list.mark();
    const targets = this.selection.size ? this.targets() : [];
    find('.bulk .sum').textContent = targets.length ? words.chosen(targets.length) : words.chooseSome;
    for (const name of ['bursts', 'clear']) {
      const button = /** @type {HTMLElement | null} */ (document.querySelector(`[data-act=${name}]`));
      if (button) button.hidden = targets.length === 0;
    }
    this.showGuesses(targets.length ? targets : [this.focusedTile].filter(Boolean));
    find('[data-count=open]').textContent = figure(this.tiles.filter((tile) => tile.said === null).length);
    this.showSure();
  }

  /** Which first guesses the chosen ones have, and how sure they are on average. @param {Tile[]} tiles */
  showGuesses(tiles) {
    /** @type {Map<number, number>} */
    const sums = new Map();
    for (const { guess, p } of tiles) if (guess !== null) sums.set(guess, (sums.get(guess) ?? 0) + p / tiles.length);
    const guesses = [...sums].map(([id, p]) => ({ species_id: id, p })).sort((one, other) => other.p - one.p);
    find('.answers-head h2').textContent = words.forChosen(this.selection.size);
    this.panel.enable(tiles.length > 0);
    this.panel.crop = { guesses, blind: tiles.length > 0 && tiles.every((tile) => tile.blind), said: null };
    this.panel.blank = false;
    this.panel.showGuesses();
  }

  showSure() {
    const button = /** @type {HTMLButtonElement | null} */ (document.querySelector('[data-act=accept-at]'));
    if (!button) return;
    const count = Math.min(this.most, this.sureOf(this.bar()).length);
    button.textContent = words.acceptSome(count);
    button.disabled = count === 0;
  }

  /** From which probability on all are accepted; never, while the field says no number. */
  bar() {
    const typed = Number(/** @type {HTMLInputElement} */ (find('#at')).value.replace(',', '.'));
    return typed > 0 && typed <= 100 ? typed / 100 : 2;
  }

  /** @param {any} standing */
  showRound(standing) {
    if (!this.standing || standing.id !== this.standing.id) return;
    this.standing = standing;
    find('.round .of').replaceChildren(make('b', {}, words.round(standing.number)), ` · ${words.ofRound(standing.done, standing.size)}`);
    /** @type {HTMLProgressElement} */ (find('.round progress')).value = standing.done;
  }

  /** @param {any} standing */
  roundFull(standing) {
    if (!this.standing || standing.id !== this.standing.id) return;
    this.tell(words.roundFull(standing.number));
    find('[data-act=next]').hidden = false;
  }

  /** To the other view of the same crop. */
  turn() {
    const tile = this.focusedTile;
    location.assign(`${this.project}/label${tile ? `?box=${tile.box}` : ''}`);
  }

  // --- what the connection asks of a page ---

  /** @param {string} state */
  setState(state) {
    find('.grid-view').dataset.state = state;
    if (state !== 'signed-out') find('.stage-words').hidden = true;
  }

  /** @param {string} said */
  showWords(said) {
    const box = find('.stage-words');
    box.hidden = false;
    find('p', box).textContent = said;
  }

  showNothing() {
    find('.stage-words').hidden = true;
  }

  /** @param {string} said */
  note(said) {
    clearTimeout(this.noteTimer);
    this.noteWords = said;
    this.showCorner();
    this.noteTimer = setTimeout(() => {
      this.noteWords = '';
      this.showCorner();
    }, NOTE_MS);
  }

  showCorner() {
    const said = this.standingWords || this.noteWords;
    const hint = find('.hint');
    hint.textContent = said || this.hint;
    hint.classList.toggle('wide-only', !said);
  }

  /** @param {string} said */
  say(said) {
    find('#said').textContent = said;
  }

  /** @param {string} said */
  tell(said) {
    this.note(said);
    this.say(said);
  }
}

/** @param {Tile} tile whether its neighbours have another name than the one beneath it */
function differs(tile) {
  const shown = tile.said ?? tile.guess;
  return tile.near !== null && shown !== null && tile.near !== shown;
}

/** @param {Tile} one @param {Tile} other */
function same(one, other) {
  return /** @type {(keyof Tile)[]} */ (Object.keys(other)).every((name) => one[name] === other[name]);
}

/** One list a column becomes one object a tile. @param {any} columns @returns {Tile[]} */
function rows(columns) {
  return columns.box_id.map((/** @type {number} */ box, /** @type {number} */ at) => ({
    box, image: columns.image_id[at], guess: columns.guess[at], p: columns.p[at], said: columns.said[at], certain: columns.certain[at],
    by: columns.by[at], picture: columns.picture[at], veil: columns.veil[at], near: columns.near[at], held: columns.held[at], blind: columns.blind[at], burst: columns.burst[at],
  }));
}

function start() {
  const state = JSON.parse(find('#desk-state').textContent ?? '{}');
  const page = new Grid(state);
  /** @type {Record<string, (step: any) => void>} */
  const looking = {
    tile: (step) => page.go(step), extend: (step) => page.extend(step), toggle: () => page.toggle(), bursts: () => page.addBursts(),
    leave: () => page.clear(), turn: () => page.turn(),
  };
  const nothing = () => undefined;
  /** @type {Record<string, () => void>} */
  let acting = { accept: nothing, find: nothing, emptyPhoto: nothing, skip: nothing, undo: nothing, redo: nothing };
  let species = (/** @type {string} */ _key, /** @type {boolean} */ _certain) => false;
  if (state.may_label) {
    const outbox = new Outbox(page.user);
    new Connection(/** @type {any} */ (page), outbox);
    const bulk = new Bulk(page, outbox, state.last);
    page.bulk = bulk;
    const finder = new Finder(find('.find'), page.panel, {
      take: (id, certain) => bulk.species(id, certain),
      say: (said) => page.tell(said),
      url: `${page.project}/species`,
    });
    acting = {
      accept: () => bulk.accept(), find: () => finder.open(), emptyPhoto: () => bulk.emptyPhoto(), skip: () => bulk.skip(),
      undo: () => bulk.undo(), redo: () => bulk.redo(),
    };
    species = (key, certain) => bulk.key(key, certain);
    find('.grid-tools').addEventListener('submit', (event) => {
      if (event.submitter?.dataset.act !== 'accept-at') return;
      event.preventDefault();
      bulk.acceptAt(page.bar());
    });
    find('#at').addEventListener('input', () => page.showSure());
    setInterval(() => document.visibilityState === 'visible' && page.tiles.length <= LOOKED_AT && page.look(), LOOK_MS);
  }
  find('.bulk').addEventListener('mousedown', (event) => closest(event, 'button') && event.preventDefault());
  find('.bulk').addEventListener('click', (event) => {
    const act = closest(event, '[data-act]')?.dataset.act;
    if (act === 'bursts') page.addBursts();
    if (act === 'clear') page.clear();
  });
  find('[data-single]').addEventListener('click', (event) => {
    event.preventDefault();
    page.turn();
  });
  const shortcuts = new Shortcuts({ ...looking, ...acting }, species);
  const button = find('.help-button');
  button.hidden = false;
  button.addEventListener('click', () => shortcuts.open());
  page.load();
}

start();
