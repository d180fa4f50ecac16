/**
 * Box mode: the boxes of the photo moved, resized, added and deleted with keys, mouse or finger (ui words, sections 6 and 7).
 * Nothing is said before Enter keeps it; Esc leaves everything as it was. A step is one pixel of the photo as it was served.
 */
import { get } from './api.js';
import { around, between, handleAt, holds, pulled, pushed } from './corners.js';
import { closest, find, make, makeSvg, set } from './dom.js';
import { Draft } from './draft.js';
import { words } from './words.js';

/** @typedef {import('./corners.js').Corners} Corners */
/** @typedef {import('./corners.js').Pair} Pair */

const LEAST_PX = 8; // of the photo; smaller ones cannot be seen
const NEW_SHARE = 0.2; // of the photo, a box that is added with a key
/** @type {Record<string, Pair>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const LOOKING = ['+', '=', '-', '[', ']', '{', '}', '\\', '?']; // keys of the page that go on meaning what they mean

export class Boxes {
  /** @type {Draft} of the last time that the mode was open */
  draft;

  /** @type {{from: Pair, handle: string, start: Corners | null, moved: boolean} | undefined} start: where the chosen box lay; none for a new one */
  drag;

  /** @param {import('./page.js').Page} page @param {import('./answering.js').Answering} answering */
  constructor(page, answering) {
    this.page = page;
    this.stage = page.stage;
    this.answering = answering;
    this.isOpen = false;
    this.over = makeSvg('svg', { 'aria-hidden': 'true' });
    this.pad = make('div', { class: 'drawing', role: 'application', tabindex: '-1', 'aria-label': words.boxMode, hidden: true });
    this.pad.append(this.over);
    this.stage.figure.append(this.pad);
    /** @type {Record<string, () => void>} */
    this.acts = { add: () => this.add(), delete: () => this.delete(), next: () => this.next(1), undo: () => this.undo(), keep: () => this.keep(), leave: () => this.leave() };
    this.listen();
    page.leaveMode = () => this.close();
    answering.drawingRefused = (entry, why) => this.tryAgain(entry, why);
  }

  listen() {
    const button = find('[data-boxes]');
    button.hidden = false;
    button.addEventListener('click', () => this.open());
    const tools = find('.box-tools');
    tools.addEventListener('click', (event) => this.acts[closest(event, 'button')?.dataset.box ?? '']?.());
    // A click must not take the focus: else the next Enter would repeat it.
    for (const each of [button, tools]) each.addEventListener('mousedown', (event) => event.preventDefault());
    this.stage.drawn = () => this.isOpen && this.paint();
    this.pad.addEventListener('pointerdown', (event) => this.down(event));
    this.pad.addEventListener('pointermove', (event) => (this.drag ? this.pull(this.drag, event) : this.point(event)));
    this.pad.addEventListener('pointerup', () => this.up());
    this.pad.addEventListener('pointercancel', () => this.cancel());
    this.pad.addEventListener('wheel', (event) => {
      event.preventDefault();
      this.stage.zoom(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY);
    }, { passive: false });
  }

  /** In turn, as answers are. @param {any} [refused] a drawing that was, to be looked at again */
  open(refused) {
    if (this.isOpen) return;
    this.answering.inTurn(async () => {
      await this.page.shown;
      if (this.page.element.dataset.state !== 'ready') return;
      if (this.answering.drawings.size) this.page.tell(words.boxesUnsent);
      else this.begin(refused);
    });
  }

  /** @param {any} [refused] */
  begin(refused) {
    const crop = /** @type {import('./queue.js').Crop} */ (this.page.crop);
    this.page.strip.home();
    this.stage.look(this.stage.own);
    this.draft = new Draft(crop);
    if (refused) this.draft.lay(refused);
    this.before = document.activeElement;
    this.isOpen = true;
    this.page.mode = words.boxMode;
    this.page.element.dataset.mode = 'boxes';
    this.page.panel.enable(false);
    this.pad.hidden = false;
    this.pad.focus({ preventScroll: true });
    this.page.showCorner();
    this.stage.turn('whole');
    this.show();
    this.say(words.boxModeSaid);
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether the key was for this mode */
  press(event) {
    if (!this.isOpen) return false;
    const { key } = event;
    if (event.ctrlKey || event.metaKey) {
      if (key.toLowerCase() !== 'z') return false;
      if (!event.shiftKey) this.undo();
      return true;
    }
    if (key in ARROWS) this.step(ARROWS[key], event);
    else if (key === 'Tab') this.next(event.shiftKey ? -1 : 1);
    else if (key === 'Enter') this.keep();
    else if (key === 'Escape') this.leave();
    else if (event.repeat) return true;
    else if (key.toLowerCase() === 'a') this.add();
    else if (key === 'Delete' || key === 'Backspace') this.delete();
    else return !LOOKING.includes(key) && (key.length === 1 || key === 'Home');
    return true;
  }

  /** Pixels of the photo. @returns {Pair} */
  get size() {
    const { naturalWidth, naturalHeight } = this.stage.own.image;
    return [naturalWidth, naturalHeight];
  }

  /** The least side as a share, each way. @returns {Pair} */
  get least() {
    return [LEAST_PX / this.size[0], LEAST_PX / this.size[1]];
  }

  /** @param {number[]} way @param {KeyboardEvent} event */
  step([x, y], event) {
    const { chosen } = this.draft;
    if (!chosen) return;
    const px = event.shiftKey ? 10 : 1;
    const [dx, dy] = [(x * px) / this.size[0], (y * px) / this.size[1]];
    const [, , x1, y1] = chosen.at;
    if (!event.repeat) this.draft.remember(); // a held key is one edit
    this.put(event.altKey ? pulled(chosen.at, 'se', [x1 + dx, y1 + dy], this.least) : pushed(chosen.at, [dx, dy]));
    this.say(event.altKey ? words.boxResized(this.px()) : words.boxMoved(this.px()));
  }

  /** Where the chosen box lies, in pixels. @returns {Corners} */
  px() {
    const { at } = /** @type {import('./draft.js').Outline} */ (this.draft.chosen);
    return /** @type {Corners} */ (at.map((share, which) => Math.round(share * this.size[which % 2])));
  }

  add() {
    this.up();
    const { lens } = this.stage;
    this.draft.insert(around([lens.x, lens.y], [NEW_SHARE, NEW_SHARE]));
    this.show();
    this.say(words.boxAdded);
  }

  delete() {
    this.up();
    if (!this.draft.chosen) return;
    this.page.say(words.boxDeleted(this.draft.number, this.draft.left.length));
    this.draft.remove();
    this.show();
  }

  /** @param {number} step */
  next(step) {
    this.up();
    this.draft.next(step);
    this.show();
    this.say(words.boxChosen);
  }

  /** Take the last edit back. */
  undo() {
    this.up();
    if (!this.draft.undo()) {
      this.page.tell(words.noEdit);
      return;
    }
    this.show();
    this.say(words.editTakenBack);
  }

  /** @param {Corners} at where the chosen box lies now */
  put(at) {
    this.draft.put(at);
    this.show();
  }

  keep() {
    this.up();
    const { drawing } = this.draft;
    this.close();
    if (words.drawn(drawing)) this.answering.draw(drawing);
    else this.page.tell(words.boxesAsBefore);
  }

  leave() {
    this.close();
    this.page.say(words.boxModeLeft);
  }

  close() {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.drag = undefined;
    this.pad.hidden = true;
    delete this.page.element.dataset.mode;
    if (this.page.mode === words.boxMode) this.page.mode = '';
    if (this.before instanceof HTMLElement) this.before.focus({ preventScroll: true });
    const crop = this.page.crop;
    if (crop) {
      this.stage.crop = crop;
      this.stage.turn('box');
      this.page.panel.show(crop, this.page.queue.classifier === null);
    }
    this.page.showCorner();
  }

  /** Somebody was faster: their boxes with mine on them, not kept yet. @param {import('./store.js').Entry} entry @param {string} why */
  async tryAgain({ boxId, body }, why) {
    const seen = [...body.moved.map((/** @type {{box_id: number}} */ { box_id: id }) => id), ...body.deleted];
    const reply = await get(`/boxes/${boxId}/photo?${seen.map((id) => `seen=${id}`).join('&')}`).catch(() => null);
    if (!reply) return;
    this.answering.arrived(reply);
    if (this.page.crop?.image.id !== reply.image_id) return;
    this.open({ ...body, now: new Map(reply.drawn.moved) });
    await this.answering.line;
    this.page.tell(words.boxesAgain(why));
  }

  /** @param {(n: number, of: number) => string} what */
  say(what) {
    this.page.say(what(this.draft.number, this.draft.left.length));
  }

  /** @param {PointerEvent} event */
  down(event) {
    if (!event.isPrimary || event.button !== 0) return;
    this.pad.setPointerCapture(event.pointerId);
    const place = this.placeOf(event);
    const handle = this.handleAt(event);
    if (!handle && this.draft.choose(place)) {
      this.show();
      this.say(words.boxChosen);
    }
    const { chosen } = this.draft;
    this.drag = { from: place, handle, start: chosen && (handle || holds(chosen.at, place)) ? chosen.at : null, moved: false };
  }

  /** @param {PointerEvent} event @returns {string} the handle of the chosen box there */
  handleAt(event) {
    const { chosen } = this.draft;
    return chosen ? handleAt(this.onScreen(chosen.at), [event.offsetX, event.offsetY]) : '';
  }

  /** @param {NonNullable<Boxes['drag']>} drag @param {PointerEvent} event */
  pull(drag, event) {
    const place = this.placeOf(event);
    const { from, handle, start } = drag;
    const by = /** @type {Pair} */ ([place[0] - from[0], place[1] - from[1]]);
    if (!drag.moved) {
      const [width, height] = this.shown();
      if (Math.hypot(by[0] * width, by[1] * height) < 3) return; // a click, with an unsteady hand
      drag.moved = true;
      if (start) this.draft.remember();
      else this.draft.insert(between(from, place));
    }
    if (!start) this.put(between(from, place));
    else if (!handle) this.put(pushed(start, by));
    else this.put(pulled(start, handle, [start[handle.includes('w') ? 0 : 2] + by[0], start[handle.includes('n') ? 1 : 3] + by[1]], this.least));
  }

  /** The drag ends, by the hand or by a key that means another box. */
  up() {
    const drag = this.drag;
    this.drag = undefined;
    const { chosen } = this.draft;
    if (!drag?.moved || !chosen) return;
    const [x0, y0, x1, y1] = chosen.at;
    if (!drag.start && (x1 - x0 < this.least[0] || y1 - y0 < this.least[1])) this.undo();
    else this.say(!drag.start ? words.boxAdded : drag.handle ? words.boxResized(this.px()) : words.boxMoved(this.px()));
  }

  cancel() {
    const drag = this.drag;
    this.drag = undefined;
    if (drag?.moved) this.undo();
  }

  /** What a drag would do here. @param {PointerEvent} event */
  point(event) {
    const isInside = this.draft.left.some(({ at }) => holds(at, this.placeOf(event)));
    this.pad.dataset.would = this.handleAt(event) || (isInside ? 'move' : 'draw');
  }

  /** Width and height of the whole photo on the screen. @returns {Pair} */
  shown() {
    const { width, height } = this.stage.frame;
    return [width, height];
  }

  /** @param {PointerEvent} event @returns {Pair} where in the photo, as shares */
  placeOf(event) {
    const { left, top, width, height } = this.stage.frame;
    return [(event.offsetX - left) / width, (event.offsetY - top) / height];
  }

  /** @param {Corners} at @returns {Corners} in pixels of the crop view */
  onScreen([x0, y0, x1, y1]) {
    const { left, top, width, height } = this.stage.frame;
    return [left + x0 * width, top + y0 * height, left + x1 * width, top + y1 * height];
  }

  /** Both pictures of the photo. */
  show() {
    const { chosen, others } = this.draft;
    this.stage.crop = { ...this.page.crop, box: chosen?.at ?? [0, 0, 0, 0], others };
    this.stage.draw();
  }

  /** The crop view, whenever the stage has drawn it. */
  paint() {
    const { chosen, others } = this.draft;
    const dashed = others.flatMap((at) => [rect('outline-halo', this.onScreen(at)), rect('outline-other', this.onScreen(at))]);
    this.over.replaceChildren(...dashed, ...(chosen ? handled(this.onScreen(chosen.at)) : []));
  }
}

/** The chosen box with its eight handles. @param {Corners} box */
function handled(box) {
  const [x0, y0, x1, y1] = box;
  const middle = [(x0 + x1) / 2, (y0 + y1) / 2];
  const places = [[x0, y0], [middle[0], y0], [x1, y0], [x1, middle[1]], [x1, y1], [middle[0], y1], [x0, y1], [x0, middle[1]]];
  const handles = places.map(([x, y]) => rect('handle', [x - 5, y - 5, x + 5, y + 5]));
  return [rect('outline-halo', box), rect('outline', box), ...handles];
}

/** @param {string} name @param {number[]} corners */
function rect(name, [x0, y0, x1, y1]) {
  const element = makeSvg('rect', { class: name });
  set(element, { x: x0.toFixed(1), y: y0.toFixed(1), width: (x1 - x0).toFixed(1), height: (y1 - y0).toFixed(1) });
  return element;
}
