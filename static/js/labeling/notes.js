/** Beside the answer: a flag for the expert (F) and comments (C). The crop stays on the desk, and its name what it is. */
import { find, make, set } from './dom.js';
import { words } from './words.js';

export class Notes {
  /** @param {import('./page.js').Page} page @param {import('./answering.js').Answering} answering */
  constructor(page, answering) {
    this.page = page;
    this.answering = answering;
    this.field = find('#comment');
    find('.stage-buttons').hidden = false;
    find('[data-note=flag]').addEventListener('click', () => this.flag());
    find('[data-note=comment]').addEventListener('click', () => this.open());
    // A click must not take the focus: else the next Enter would repeat it.
    find('.stage-buttons').addEventListener('mousedown', (event) => event.preventDefault());
    this.field.addEventListener('keydown', (event) => this.press(event));
    this.field.addEventListener('blur', () => this.close());
  }

  flag() {
    this.answering.flag();
  }

  open() {
    this.answering.inTurn(() => this.show());
  }

  show() {
    this.field.value = '';
    this.field.hidden = false;
    this.field.focus();
    this.page.mode = words.commentMode;
    this.page.showCorner();
  }

  close() {
    if (this.field.hidden) return;
    this.field.hidden = true;
    this.page.mode = '';
    this.page.showCorner();
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (event.isComposing || !['Enter', 'Escape'].includes(event.key)) return;
    event.preventDefault();
    const text = this.field.value.trim();
    if (event.key === 'Enter' && text) this.answering.comment(text);
    this.close();
  }
}

/** What stands beside the photo. @param {import('./queue.js').Crop} crop */
export function showNotes(crop) {
  const flag = find('[data-note=flag]');
  set(flag, { 'aria-pressed': String(crop.flagged) });
  find('span', flag).textContent = crop.flagged ? words.flagged : words.flag;
  find('.comments').replaceChildren(
    ...crop.comments.map(({ by, text }) => make('li', {}, make('b', {}, make('bdi', {}, by)), ' ', make('bdi', {}, text))),
  );
}
