/** What is on the screen: one crop of the queue, drawn at once, and the words around it. */
import { countWords } from './count.js';
import { all, find } from './dom.js';
import { showNotes } from './notes.js';
import { Panel } from './panel.js';
import { Pictures } from './pictures.js';
import { AHEAD, Queue } from './queue.js';
import { Stage } from './stage.js';
import { Strip } from './strip.js';
import { Supply } from './supply.js';
import { follow, isMadeNow, showOpening, veilWords } from './veils.js';
import { words } from './words.js';

const DECODED = 6; // photos ahead that lie ready as pixels
const NOTE_MS = 4000;

export class Page {
  /** @param {any} state what the server put into the page */
  constructor(state) {
    const desk = find('#main');
    this.user = Number(desk.dataset.userId);
    this.userName = desk.dataset.userName ?? '';
    this.project = /** @type {string} */ (desk.dataset.project);
    this.signIn = /** @type {string} */ (desk.dataset.signIn);
    this.signedInAt = new Date(desk.dataset.signedInAt ?? '');
    this.mayLabel = state.may_label;
    /** @type {Record<string, import('./panel.js').Species>} */
    this.species = state.species;
    this.waiting = state.waiting;
    this.element = find('.stage');
    this.queue = new Queue(state);
    this.pictures = new Pictures();
    this.stage = new Stage(this.element);
    this.panel = new Panel(find('.answers'), this.species, !this.mayLabel);
    this.strip = new Strip(find('.strip'), this.queue, { look: (frame, index, count) => this.look(frame, index, count), armed: () => this.showCorner(), mayLabel: this.mayLabel });
    this.corner = find('.crop-corner');
    /** Longer-lived words of the corner; a note stands over them for a moment. */
    this.standingWords = '';
    /** What the keyboard is for, when it is not for answering. */
    this.mode = '';
    /** Called before another crop is shown. @type {() => void} */
    this.leaveMode = () => undefined;
    this.supply = new Supply(this);
  }

  start() {
    if (this.queue.current) this.show();
    else this.showNothing();
    if (this.mayLabel) this.supply.start();
  }

  /** Show the current crop; its photo is drawn in the same moment when it was fetched ahead. `shown` waits for it. */
  show() {
    this.leaveMode();
    this.shown = this.bring();
    return this.shown;
  }

  async bring() {
    const crop = /** @type {import('./queue.js').Crop} */ (this.queue.current);
    const picture = this.pictures.fetch(crop.image.preview);
    this.crop = crop;
    this.element.dataset.boxId = String(crop.box_id);
    find('.stage-words').hidden = true;
    this.showFacts(crop);
    this.panel.show(crop, this.queue.classifier === null);
    showNotes(crop);
    this.strip.show(crop);
    this.showRound();
    if (picture.state === 'loading') await this.fetching(picture);
    if (this.crop !== crop) return;
    this.draw(crop, picture);
    this.prepare();
  }

  /** The photo before stays until the next one is here; nothing can be answered meanwhile. @param {import('./pictures.js').Picture} picture */
  async fetching(picture) {
    if (!find('.still', this.element)) { // else the server drew it
      this.setState('loading');
      this.element.dataset.loading = '';
      this.showCorner();
    }
    await picture.ready;
  }

  /** @param {import('./queue.js').Crop} crop @param {import('./pictures.js').Picture} picture */
  draw(crop, picture) {
    delete this.element.dataset.loading;
    if (picture.state === 'broken') return this.showBroken();
    this.setState('ready');
    showOpening(crop);
    this.stage.show(crop, picture, this.nameOf(crop));
    this.showCorner();
    if (crop.image.veil === 'person') this.awaitBlurred(crop);
    if (crop.image.veil === 'opened') this.closeLater(crop);
    return undefined;
  }

  /** An opened photo is blurred again when its time is over; the page that opened it comes anew. @param {import('./queue.js').Crop} crop */
  closeLater(crop) {
    clearTimeout(this.closing);
    this.closing = setTimeout(() => this.crop === crop && location.replace(`${this.project}/label?box=${crop.box_id}`), crop.image.open_s * 1000);
  }

  /** A grey picture gives way to the blurred one. @param {import('./queue.js').Crop} crop */
  async awaitBlurred(crop) {
    if (!(await isMadeNow(crop.image.preview, () => this.crop === crop))) return;
    const picture = this.pictures.again(crop.image.preview);
    if ((await picture.ready) && this.crop === crop && this.strip.at === this.strip.own) this.draw(crop, picture);
  }

  showBroken() {
    this.setState('broken');
    this.showWords(words.broken);
    this.showCorner();
  }

  /** @param {import('./queue.js').Crop} crop */
  nameOf(crop) {
    return `${veilWords(crop)} ${words.label(crop, this.queue.placeOf(crop) || 0)}`.trim();
  }

  /** What lies over photos has changed. @param {import('./veils.js').PhotoNow[]} photos */
  async follow(photos) {
    const { crop } = this;
    const changed = follow(this.queue.crops, photos);
    if (!crop || !changed.size) return;
    this.strip.repaint();
    if (!changed.has(crop.image.id)) return;
    const picture = this.pictures.fetch(crop.image.preview);
    await picture.ready;
    if (this.crop !== crop) return;
    this.strip.home();
    this.draw(crop, picture);
  }

  /** Fetch the photos of the next crops, and decode the nearest. */
  prepare() {
    const ahead = this.queue.ahead(AHEAD);
    this.pictures.prepare(ahead.map((crop) => crop.image.preview), DECODED);
    const small = ahead.slice(0, DECODED).flatMap((crop) => [crop.picture, ...crop.burst.map((frame) => frame.thumbnail)]);
    this.pictures.warm([...small, ...ahead.flatMap((crop) => [crop.picture, crop.image.thumbnail])]);
  }

  /** @param {import('./queue.js').Crop} crop */
  showFacts(crop) {
    const facts = { ...crop.image, count: countWords(crop) };
    for (const name of ['camera', 'time', 'file', 'count']) find(`[data-fact=${name}]`).textContent = facts[name];
    /** @type {HTMLAnchorElement} */ (find('[data-fact=file]')).href = `/photos/${crop.image.id}`;
  }

  showRound() {
    const standing = this.queue.shownStanding;
    if (!standing) return;
    const crop = this.queue.current;
    const place = (crop && this.queue.placeOf(crop)) || standing.done;
    const bold = document.createElement('b');
    bold.textContent = words.round(standing.number);
    find('.round .of').replaceChildren(bold, ` · ${words.ofRound(place, standing.size)}`);
    const bar = /** @type {HTMLProgressElement} */ (find('.round progress'));
    bar.hidden = false;
    bar.max = standing.size;
    bar.value = standing.done;
    find('h1').textContent = words.title(place, standing.size, standing.number);
  }

  /** Look at another photo of the burst. @param {any} frame @param {number} index @param {number} count */
  async look(frame, index, count) {
    const crop = this.crop;
    if (!crop || !this.stage.own || this.element.dataset.mode) return;
    const isOwn = frame.id === crop.image.id;
    this.looking = isOwn ? '' : words.otherFrame(index + 1, count);
    this.showCorner();
    const picture = this.pictures.fetch(frame.preview);
    if (picture.state === 'loading') this.stage.look(this.small(index) ?? this.stage.picture);
    if ((await picture.ready) && this.crop === crop && this.strip.at === index) this.stage.look(isOwn ? this.stage.own : picture);
  }

  /** @param {number} index */
  small(index) {
    const image = this.strip.thumbnail(index);
    return image?.complete && image.naturalWidth ? { image, bitmap: null } : null;
  }

  /** Arrows only move, also over answered crops. @param {number} step */
  async move(step) {
    const isBack = !this.crop && step < 0 && this.queue.current; // from the words of an empty stage to the last crop
    if (!isBack && !this.queue.move(step)) {
      if (step > 0) return this.tell(words.lastCrop);
      if (!(await this.supply.older())) return this.tell(words.firstCrop);
      this.queue.move(step);
    }
    this.looking = '';
    this.show();
    return undefined;
  }

  /** Go to the next crop that waits, or say why there is none. */
  next() {
    this.looking = '';
    if (this.queue.forward()) this.show();
    else this.showNothing();
    this.supply.top();
  }

  /** After crops came, or did not: what is on the screen stays, also an answered crop that one moved back to. */
  refresh() {
    const { classifier } = this.queue;
    find('.learnt').textContent = classifier ? words.learnt(classifier.label_count ?? 0) : '';
    if (this.crop) {
      this.panel.showGuesses();
      this.showRound();
      this.prepare();
    } else if (this.queue.forward()) this.show();
    else this.showNothing();
  }

  /** Nothing waits: say why in the place of the photo. */
  showNothing() {
    this.leaveMode();
    this.crop = undefined;
    for (const still of all('.still', this.element)) still.remove();
    this.strip.stop();
    delete this.element.dataset.loading;
    this.element.dataset.boxId = '';
    this.panel.enable(false);
    this.showRound();
    this.showCorner();
    if (this.element.dataset.state === 'signed-out') return undefined;
    if (this.supply.isUnreachable()) return this.showOffline();
    this.setState(this.waiting?.state ?? 'loading');
    this.showWords(this.waiting?.words ?? (this.queue.crops.length ? words.fetchingNext : words.fetching), this.waiting);
    return undefined;
  }

  showOffline() {
    this.setState('offline');
    this.showWords(words.usedUp(this.queue.unsent.size));
  }

  /** @param {string} said @param {any} [offers] */
  showWords(said, offers) {
    const box = find('.stage-words');
    box.hidden = false;
    const [line, buttons] = box.querySelectorAll('p');
    if (line.textContent !== said) line.textContent = said;
    buttons.replaceChildren(...this.offers(offers));
    for (const form of box.querySelectorAll('form')) form.hidden = !offers?.may_start;
  }

  /** @param {any} offers */
  offers(offers) {
    if (!offers) return [];
    const links = [];
    if (offers.cases) links.push([words.review, `${this.project}/review`]);
    if (['empty', 'done'].includes(offers.state)) links.push([words.uploadPhotos, `${this.project}/batches`]);
    if (offers.skipped_box_id) links.push([words.showSkipped, `${this.project}/label?box=${offers.skipped_box_id}`]);
    return links.map(([text, href]) => Object.assign(document.createElement('a'), { className: 'button', textContent: text, href }));
  }

  /** @param {string} state */
  setState(state) {
    this.element.dataset.state = state;
  }

  /** Words in the corner of the crop view, for a moment. @param {string} said */
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
    const crop = this.crop;
    const own = crop ? (this.element.dataset.state === 'loading' ? words.fetchingPhoto : veilWords(crop) || words.box(crop)) : '';
    const mode = this.mode || (this.strip?.isArmed ? words.armed(1 + this.strip.others().length) : '');
    this.corner.textContent = this.standingWords || this.noteWords || mode || this.looking || own;
  }

  /** To those who listen. @param {string} said */
  say(said) {
    find('#said').textContent = said;
  }

  /** To both. @param {string} said */
  tell(said) {
    this.note(said);
    this.say(said);
  }
}
