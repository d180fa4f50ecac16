/**
 * The crop view: the photo zoomed to its box, on a canvas; the whole photo beside it; brightness and contrast.
 * No photo is ever stretched, and its surroundings fill the slack.
 */
import { all, closest, find, make, makeSvg, set } from './dom.js';
import { followFingers } from './fingers.js';
import { keepLight, lightKept } from './personal.js';
import { words } from './words.js';

const BOX_SHARE = 0.78; // of the tighter side
const CLOSEST = 12; // pixels of the screen for one of the photo
const LIGHT_STEP = 10;
const VIEWS = ['box', 'whole', 'pixels'];

export class Stage {
  /** @type {import('./pictures.js').Picture} the crop's own photo, once one was shown */
  own;

  /** @type {{box: number[], others: number[][]}} what is outlined in it */
  crop;

  /** @param {HTMLElement} element the stage */
  constructor(element) {
    this.element = element;
    this.figure = find('.crop-view', element);
    this.canvas = /** @type {HTMLCanvasElement} */ (make('canvas', { role: 'img' }));
    this.over = makeSvg('svg', { class: 'over', 'aria-hidden': 'true' });
    this.figure.prepend(this.canvas, this.over);
    this.whole = find('.whole', element);
    this.wholeCanvas = /** @type {HTMLCanvasElement} */ (make('canvas', { role: 'img', 'aria-label': words.wholePhoto }));
    this.wholeOver = makeSvg('svg', { 'aria-hidden': 'true' });
    this.whole.prepend(this.wholeCanvas, this.wholeOver);
    this.view = 'box';
    this.light = lightKept();
    /** Called after the crop view was drawn. @type {() => void} */
    this.drawn = () => undefined;
    /** @type {{scale: number, x: number, y: number}} screen pixels for one of the photo; its centre as shares of the photo */
    this.lens = { scale: 1, x: 0.5, y: 0.5 };
    this.listen();
    this.applyLight();
    new ResizeObserver(() => this.fit()).observe(this.figure);
  }

  /** @param {import('./queue.js').Crop} crop @param {import('./pictures.js').Picture} picture @param {string} name */
  show(crop, picture, name) {
    this.crop = crop;
    this.picture = this.own = picture;
    this.view = 'box';
    set(this.canvas, { 'aria-label': name });
    for (const still of all('.still', this.element)) still.remove();
    this.fit();
  }

  /** Another photo of the burst through the same lens; the crop's own again when it is the same. @param {any} picture */
  look(picture) {
    this.picture = picture;
    this.draw();
  }

  get isOwn() {
    return this.picture === this.own;
  }

  /** @param {string} view box, whole or pixels; `next` takes them in turn */
  turn(view) {
    this.view = view === 'next' ? VIEWS[(VIEWS.indexOf(this.view) + 1) % VIEWS.length] : view;
    this.fit();
  }

  /** Point the lens as the view says. */
  fit() {
    if (!this.picture) return;
    const { clientWidth: width, clientHeight: height } = this.figure;
    const { naturalWidth: photoWidth, naturalHeight: photoHeight } = this.own.image;
    const [x0, y0, x1, y1] = this.crop.box;
    const whole = Math.min(width / photoWidth, height / photoHeight);
    const cover = Math.max(width / photoWidth, height / photoHeight);
    const full = Math.min(width / ((x1 - x0) * photoWidth), height / ((y1 - y0) * photoHeight));
    const zoomed = Math.max(full * BOX_SHARE, Math.min(cover, full));
    const scale = { box: Math.min(zoomed, CLOSEST), whole, pixels: 1 / devicePixelRatio }[this.view] ?? whole;
    this.lens = this.view === 'whole' ? { scale, x: 0.5, y: 0.5 } : { scale, x: (x0 + x1) / 2, y: (y0 + y1) / 2 };
    for (const tool of all('[data-view]', this.figure)) {
      if (tool.dataset.view !== 'next') set(tool, { 'aria-pressed': String(tool.dataset.view === this.view) });
    }
    this.draw();
  }

  /** @param {number} factor @param {number} [atX] @param {number} [atY] where on the canvas, in screen pixels; else its centre */
  zoom(factor, atX, atY) {
    if (!this.picture) return;
    const { clientWidth: width, clientHeight: height } = this.figure;
    const dx = (atX ?? width / 2) - width / 2;
    const dy = (atY ?? height / 2) - height / 2;
    const { naturalWidth, naturalHeight } = this.own.image;
    const least = Math.min(width / naturalWidth, height / naturalHeight, 1);
    const scale = Math.max(least, Math.min(this.lens.scale * factor, CLOSEST));
    const moved = 1 / this.lens.scale - 1 / scale;
    this.lens = { scale, x: this.lens.x + (dx * moved) / naturalWidth, y: this.lens.y + (dy * moved) / naturalHeight };
    this.draw();
  }

  /** @param {number} dx @param {number} dy how far the photo moves, in screen pixels */
  pan(dx, dy) {
    if (!this.picture) return;
    const { naturalWidth, naturalHeight } = this.own.image;
    this.lens.x -= dx / this.lens.scale / naturalWidth;
    this.lens.y -= dy / this.lens.scale / naturalHeight;
    this.draw();
  }

  /** Where the whole photo lies under the lens, in pixels of the crop view. */
  get frame() {
    const { clientWidth, clientHeight } = this.figure;
    const [width, height] = [this.own.image.naturalWidth * this.lens.scale, this.own.image.naturalHeight * this.lens.scale];
    return { left: clientWidth / 2 - this.lens.x * width, top: clientHeight / 2 - this.lens.y * height, width, height };
  }

  draw() {
    const { clientWidth, clientHeight } = this.figure;
    this.lens.x = within(this.lens.x, clientWidth / this.frame.width);
    this.lens.y = within(this.lens.y, clientHeight / this.frame.height);
    const { left, top, width, height } = this.frame;
    paint(this.canvas, clientWidth, clientHeight, this.picture, left, top, width, height);
    const place = (/** @type {number[]} */ share) => [left + share[0] * width, top + share[1] * height, left + share[2] * width, top + share[3] * height];
    this.over.replaceChildren(...(this.isOwn ? outline(place(this.crop.box)) : []));
    this.drawWhole();
    this.drawn();
  }

  drawWhole() {
    const { clientWidth: width, clientHeight: height } = this.whole;
    const { naturalWidth, naturalHeight } = this.own.image;
    const scale = Math.min(width / naturalWidth, height / naturalHeight);
    const [w, h] = [naturalWidth * scale, naturalHeight * scale];
    const [left, top] = [(width - w) / 2, (height - h) / 2];
    paint(this.wholeCanvas, width, height, this.picture, left, top, w, h);
    const place = (/** @type {number[]} */ share) => [left + share[0] * w, top + share[1] * h, left + share[2] * w, top + share[3] * h];
    const others = this.crop.others.map((other) => rect('outline-other', place(other)));
    this.wholeOver.replaceChildren(...(this.isOwn ? [...others, ...outline(place(this.crop.box))] : []));
  }

  /** @param {'bright' | 'contrast'} which @param {number} steps */
  adjust(which, steps) {
    this.light[which] = Math.max(-100, Math.min(100, this.light[which] + steps * LIGHT_STEP));
    this.changeLight();
  }

  asShot() {
    this.light = { bright: 0, contrast: 0 };
    this.changeLight();
  }

  changeLight() {
    this.applyLight();
    keepLight(this.light);
  }

  applyLight() {
    const { bright, contrast } = this.light;
    const filter = bright || contrast ? `brightness(${2 ** (bright / 50)}) contrast(${2 ** (contrast / 50)})` : '';
    this.canvas.style.filter = this.wholeCanvas.style.filter = filter;
    /** @type {HTMLInputElement} */ (find('#bright')).value = String(bright);
    /** @type {HTMLInputElement} */ (find('#contrast')).value = String(contrast);
  }

  listen() {
    for (const hidden of all('.crop-tools, .light', this.element)) hidden.hidden = false;
    find('.crop-tools', this.element).addEventListener('click', (event) => {
      const tool = closest(event, '[data-view]');
      if (tool?.dataset.view) this.turn(tool.dataset.view);
    });
    for (const which of /** @type {const} */ (['bright', 'contrast'])) {
      const slider = /** @type {HTMLInputElement} */ (find(`#${which}`));
      slider.addEventListener('input', () => {
        this.light[which] = Number(slider.value);
        this.changeLight();
      });
    }
    this.canvas.addEventListener('wheel', (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY);
    }, { passive: false });
    this.canvas.addEventListener('pointerdown', (event) => {
      if (event.pointerType === 'touch') return;
      this.canvas.setPointerCapture(event.pointerId);
      this.canvas.classList.add('held');
    });
    this.canvas.addEventListener('pointermove', (event) => {
      if (event.pointerType !== 'touch' && this.canvas.hasPointerCapture(event.pointerId)) this.pan(event.movementX, event.movementY);
    });
    this.canvas.addEventListener('pointerup', () => this.canvas.classList.remove('held'));
    followFingers(this.canvas, this);
  }
}

/** A centre that leaves no slack where the photo is larger than the view, and the middle where it is smaller. @param {number} centre @param {number} share */
function within(centre, share) {
  return share >= 1 ? 0.5 : Math.max(share / 2, Math.min(1 - share / 2, centre));
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} width @param {number} height of the canvas, in screen pixels
 * @param {import('./pictures.js').Picture} picture
 * @param {number} left @param {number} top @param {number} w @param {number} h where the photo lies
 */
function paint(canvas, width, height, picture, left, top, w, h) {
  const ratio = devicePixelRatio;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(picture.bitmap ?? picture.image, left, top, w, h);
}

/** @param {number[]} corners */
function outline(corners) {
  return [rect('outline-halo', corners), rect('outline', corners)];
}

/** @param {string} name @param {number[]} corners */
function rect(name, [x0, y0, x1, y1]) {
  return makeSvg('rect', {
    class: name, x: x0.toFixed(1), y: y0.toFixed(1), width: (x1 - x0).toFixed(1), height: (y1 - y0).toFixed(1),
  });
}
