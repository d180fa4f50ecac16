/**
 * A list of tiles as long as it may be: only the rows that are seen, and a few around them, are in the page. Each row is a layer of
 * its own, so that a scrolled row costs what it shows and nothing more.
 */
import { all, closest, find, make, makeSvg, set } from './dom.js';
import { words } from './words.js';

/**
 * @typedef {object} Tile
 * @property {number} box
 * @property {number} image
 * @property {number | null} guess the classifier's first
 * @property {number} p
 * @property {number | null} said the name it has
 * @property {boolean} certain
 * @property {number | null} by who named it
 * @property {number | null} near what the crops that look most alike are called
 * @property {number | null} held who else has it on the desk
 * @property {boolean} blind whether it is asked without the guess
 * @property {number | null} burst
 * @property {string} picture where its crop lies
 * @property {string} veil what lies over it: person, hidden or nothing
 */
/** @typedef {{title: string, size: number}} Group */
/** @typedef {{top: number, height: number, group: number, first: number, count: number}} Row count: 0 for a group's head */

const GAP = 8;
const LEAST = 116; // px, a tile
const COLUMNS_OF_A_PHONE = 3;
const NARROW = 960;
const HEAD = 40;
const CAPTION = 20;
const AROUND = 2; // rows above and below what is seen
const MOVES = 100; // ms after the last scrolling
const STAYS = 120; // ms in the page before a row's pictures are fetched while the list moves: those that fly by never are
const FETCHED = 5; // pictures a frame meanwhile: to begin a request costs several times what the rest of a tile does
const MOST_SEEN = 180; // tiles in one window; larger windows have larger tiles
const TICK = 'm3 8.5 3.2 3.2L13 5';
const SWEEP_FROM = 6; // px that a pointer goes before it draws a frame
const EDGE = 32; // px from the edge where a frame scrolls the list

/** What every tile is made from: copying is several times faster than building. */
const BLANK = make(
  'div',
  { role: 'gridcell', class: 'tile' },
  make('img', { alt: '', decoding: 'async', draggable: 'false' }),
  makeSvg('svg', { class: 'icon tick', viewBox: '0 0 16 16', 'aria-hidden': 'true' }, makeSvg('path', { d: TICK })),
  make('span', { class: 'caption' }, make('span', { class: 'name' }), make('span')),
);

export class TileList {
  /**
   * @param {HTMLElement} scroller @param {HTMLElement} element
   * @param {{name: (tile: Tile) => string, caption: (tile: Tile) => {name: string, said: boolean, note: string, mark: string, done: boolean}, isChosen: (at: number) => boolean, press: (at: number, event: PointerEvent) => void, sweep: (places: number[], event: PointerEvent, begins: boolean) => void, pick: (group: number) => void}} page
   */
  constructor(scroller, element, page) {
    this.scroller = scroller;
    this.element = element;
    this.page = page;
    /** @type {Tile[]} */
    this.tiles = [];
    /** @type {Group[]} */
    this.groups = [];
    /** @type {Row[]} */
    this.rows = [];
    /** @type {Map<number, HTMLElement>} the rows that are in the page */
    this.shown = new Map();
    /** @type {Map<number, number>} those whose pictures are not asked for yet, and since when they are in the page */
    this.bare = new Map();
    this.movedAt = -MOVES;
    this.focused = 0;
    this.width = 0;
    this.columns = 1;
    /** px */
    this.side = 0;
    /** @type {number | undefined} */
    this.frame = undefined;
    set(element, { role: 'grid', 'aria-multiselectable': 'true', 'aria-label': words.tiles });
    for (const each of [scroller, window]) each.addEventListener('scroll', () => this.moved(), { passive: true });
    new ResizeObserver(() => this.lay()).observe(scroller);
    element.addEventListener('pointerdown', (event) => this.down(event));
    // A click must not take the focus: else the next Enter would repeat it instead of accepting.
    element.addEventListener('mousedown', (event) => closest(event, 'button') && event.preventDefault());
    element.addEventListener('click', (event) => {
      const head = closest(event, '[data-group]');
      if (head) this.page.pick(Number(head.dataset.group));
    });
  }

  /** @param {Tile[]} tiles in the order of the groups @param {Group[]} groups */
  show(tiles, groups) {
    this.tiles = tiles;
    this.groups = groups;
    this.width = 0;
    this.lay();
  }

  /** Rows from groups, for the room that there is; where the tiles keep their size, only those that are seen change. */
  lay() {
    const width = this.element.clientWidth;
    const least = Math.max(LEAST, Math.sqrt((width * Math.min(this.scroller.clientHeight, innerHeight)) / MOST_SEEN));
    const columns = innerWidth < NARROW ? COLUMNS_OF_A_PHONE : Math.max(1, Math.floor((width + GAP) / (least + GAP)));
    if (width === this.width && columns === this.columns) return this.draw();
    this.width = width;
    this.columns = columns;
    this.side = (width - GAP * (columns - 1)) / columns;
    this.rows = [];
    let [top, first] = [0, 0];
    for (const [group, { size }] of this.groups.entries()) {
      this.rows.push({ top, height: HEAD, group, first, count: 0 });
      top += HEAD;
      for (let done = 0; done < size; done += columns) {
        const height = Math.ceil(this.side) + CAPTION + GAP;
        this.rows.push({ top, height, group, first: first + done, count: Math.min(columns, size - done) });
        top += height;
      }
      first += size;
    }
    this.element.style.height = `${top}px`;
    set(this.element, { 'aria-rowcount': String(this.rows.length), 'aria-colcount': String(columns) });
    const hadFocus = this.element.contains(document.activeElement);
    for (const row of this.shown.values()) row.remove();
    this.shown.clear();
    this.bare.clear();
    this.draw();
    if (hadFocus) this.focus(this.focused);
    return undefined;
  }

  moved() {
    this.movedAt = performance.now();
    this.soon();
  }

  soon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.draw();
    });
  }

  /** Put in the rows that are seen by now, take out the others. */
  draw() {
    const [first, last] = this.window();
    for (const [place, row] of this.shown) {
      if (place >= first && place <= last) continue;
      row.remove();
      this.shown.delete(place);
      this.bare.delete(place);
    }
    const now = performance.now();
    const fresh = [];
    for (let place = first; place <= last; place += 1) {
      if (this.shown.has(place)) continue;
      const row = this.row(place);
      this.shown.set(place, row);
      this.bare.set(place, now);
      fresh.push(row);
    }
    this.element.append(...fresh);
    this.fetch(now);
  }

  /** Ask for the pictures of the rows that stay, all at once when the list rests. @param {number} now ms */
  fetch(now) {
    const moves = now - this.movedAt < MOVES;
    let left = moves ? FETCHED : Infinity;
    for (const [place, since] of this.bare) {
      if (moves && now - since < STAYS) break; // those that came later stand behind it
      const bare = all('img:not([src])', this.shown.get(place));
      for (const image of bare.slice(0, left)) image.setAttribute('src', this.tileOf(image).picture);
      left -= bare.length;
      if (left < 0) break;
      this.bare.delete(place);
    }
    if (this.bare.size) this.soon();
  }

  /** @param {HTMLElement} image of a tile */
  tileOf(image) {
    return this.tiles[Number(image.parentElement?.dataset.at)];
  }

  /** @returns {[number, number]} the first and the last row to have in the page */
  window() {
    const list = this.element.getBoundingClientRect();
    const view = this.scroller.getBoundingClientRect();
    const top = Math.max(view.top, 0) - list.top;
    const bottom = Math.min(view.bottom, innerHeight) - list.top;
    return [Math.max(0, this.rowAt(top) - AROUND), Math.min(this.rows.length - 1, this.rowAt(bottom) + AROUND)];
  }

  /** The row at a height, by halves. @param {number} y */
  rowAt(y) {
    let [low, high] = [0, this.rows.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.rows[middle].top <= y) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** @param {number} place */
  row(place) {
    const { top, height, group, first, count } = this.rows[place];
    const row = make('div', { role: 'row', class: count ? 'tile-row' : 'tile-head', 'aria-rowindex': String(place + 1) });
    row.style.transform = `translateY(${top}px)`;
    row.style.height = `${height}px`;
    if (count === 0) row.append(this.head(group));
    for (let at = first; at < first + count; at += 1) row.append(this.tile(at));
    return row;
  }

  /** @param {number} group */
  head(group) {
    const { title, size } = this.groups[group];
    const all = make('button', { class: 'button plain', type: 'button', 'data-group': String(group), tabindex: '-1' }, words.selectAll(size));
    return make('div', { role: 'gridcell' }, make('h2', {}, title, ' ', make('span', { class: 'count' }, words.crops(size))), all);
  }

  /** Without its picture. @param {number} at */
  tile(at) {
    const tile = this.tiles[at];
    const { name, said, note, mark, done } = this.page.caption(tile);
    const element = /** @type {HTMLElement} */ (BLANK.cloneNode(true));
    const [image, , caption] = element.children;
    caption.children[0].className = said ? 'name said' : 'name';
    caption.children[0].textContent = name;
    caption.children[1].textContent = note;
    set(element, { 'data-at': String(at), 'data-box': String(tile.box), 'aria-label': this.page.name(tile), 'aria-selected': String(this.page.isChosen(at)) });
    element.tabIndex = at === this.focused ? 0 : -1;
    element.style.width = `${this.side}px`;
    if (mark) image.after(make('span', { class: done ? 'mark done' : 'mark' }, mark));
    return element;
  }

  /** What was said changed. @param {Iterable<Tile>} [which] all of them when left out */
  redraw(which) {
    const boxes = which && new Set([...which].map((tile) => tile.box));
    for (const element of this.elements()) {
      const at = Number(element.dataset.at);
      if (boxes && !boxes.has(this.tiles[at].box)) continue;
      const hadFocus = element === document.activeElement;
      const fresh = this.tile(at);
      const [before, now] = [find('img', element), find('img', fresh)];
      const { picture } = this.tiles[at];
      const asked = before.getAttribute('src');
      if (asked === picture) fresh.replaceChild(before, now); // it is decoded already
      else if (asked !== null) now.setAttribute('src', picture);
      element.replaceWith(fresh);
      if (hadFocus) fresh.focus({ preventScroll: true });
    }
  }

  /** What is chosen changed. */
  mark() {
    for (const element of this.elements()) set(element, { 'aria-selected': String(this.page.isChosen(Number(element.dataset.at))) });
  }

  elements() {
    return all('.tile', this.element);
  }

  /** Where a tile lies. @param {number} at @returns {{row: number, column: number}} */
  placeOf(at) {
    let [low, high] = [0, this.rows.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.rows[middle].first <= at) low = middle;
      else high = middle - 1;
    }
    return { row: low, column: at - this.rows[low].first };
  }

  /** The tile one step on. @param {number} at @param {[number, number]} step columns and rows @returns {number} */
  next(at, [x, y]) {
    if (x) return Math.max(0, Math.min(this.tiles.length - 1, at + x));
    const { row, column } = this.placeOf(at);
    let to = row + y;
    while (this.rows[to]?.count === 0) to += y;
    const { first, count } = this.rows[to] ?? { first: at - column, count: column + 1 };
    return first + Math.min(column, count - 1);
  }

  /** @param {number} at */
  focus(at) {
    this.focused = at;
    const { row } = this.placeOf(at);
    const { top, height } = this.rows[row];
    this.reveal(top, height);
    this.draw();
    for (const element of this.elements()) {
      const is = Number(element.dataset.at) === at;
      element.tabIndex = is ? 0 : -1;
      if (is) element.focus({ preventScroll: true });
    }
  }

  /** Scroll as little as needed. @param {number} top @param {number} height */
  reveal(top, height) {
    const list = this.element.getBoundingClientRect();
    const view = this.scroller.getBoundingClientRect();
    const inside = this.scroller.scrollHeight > this.scroller.clientHeight;
    const [from, to] = inside ? [view.top, view.bottom] : [0, innerHeight];
    const above = list.top + top - HEAD - from;
    const below = list.top + top + height - to;
    const by = above < 0 ? above : below > 0 ? below : 0;
    if (by) (inside ? this.scroller : window).scrollBy(0, by);
  }

  /** A press chooses a tile; a drag draws a frame round many. @param {PointerEvent} event */
  down(event) {
    if (event.button !== 0 || closest(event, 'button')) return;
    const start = this.point(event);
    const pressed = closest(event, '.tile');
    let [began, latest] = [false, event];
    const move = (/** @type {PointerEvent} */ moved) => {
      latest = moved;
      const now = this.point(moved);
      if (!began && (moved.pointerType === 'touch' || Math.hypot(now.x - start.x, now.y - start.y) < SWEEP_FROM)) return;
      const begins = !began;
      began = true;
      this.page.sweep(this.within(start, now), moved, begins);
    };
    const scrolling = setInterval(() => began && this.edge(latest) && move(latest), 16);
    const up = (/** @type {PointerEvent} */ ended) => {
      clearInterval(scrolling);
      removeEventListener('pointermove', move);
      removeEventListener('pointerup', up);
      removeEventListener('pointercancel', up);
      if (!began && pressed && ended.type === 'pointerup') this.page.press(Number(pressed.dataset.at), ended);
    };
    addEventListener('pointermove', move);
    addEventListener('pointerup', up);
    addEventListener('pointercancel', up);
    if (event.pointerType !== 'touch') event.preventDefault(); // no text is selected, no picture dragged
  }

  /** Where a pointer is in the list. @param {PointerEvent} event */
  point(event) {
    const list = this.element.getBoundingClientRect();
    return { x: event.clientX - list.left, y: event.clientY - list.top };
  }

  /** @param {PointerEvent} event @returns {boolean} whether the list scrolled */
  edge(event) {
    const { top, bottom } = this.scroller.getBoundingClientRect();
    const by = event.clientY < top + EDGE ? -12 : event.clientY > bottom - EDGE ? 12 : 0;
    if (by) this.scroller.scrollBy(0, by);
    return by !== 0;
  }

  /** The tiles that a frame touches, also those that are not in the page. @param {{x: number, y: number}} one @param {{x: number, y: number}} other @returns {number[]} */
  within(one, other) {
    const [left, right] = [Math.min(one.x, other.x), Math.max(one.x, other.x)];
    const [top, bottom] = [Math.min(one.y, other.y), Math.max(one.y, other.y)];
    const column = (/** @type {number} */ x) => x / (this.side + GAP);
    const [from, to] = [Math.max(0, Math.floor(column(left + GAP))), Math.min(this.columns - 1, Math.floor(column(right)))];
    const found = [];
    for (let place = this.rowAt(top + GAP); place < this.rows.length && this.rows[place].top <= bottom; place += 1) {
      const { first, count } = this.rows[place];
      for (let at = from; at <= Math.min(to, count - 1); at += 1) found.push(first + at);
    }
    return found;
  }
}
