/** Beside the answer: a flag for the expert (F) and comments (C). The crop stays on the desk, and its name what it is. */
import { find, make, set } from './dom.js';
import { Typing } from './typing.js';
import { words } from './words.js';

export class Notes {
  /** @param {import('./page.js').Page} page @param {import('./answering.js').Answering} answering */
  constructor(page, answering) {
    this.answering = answering;
    this.typing = new Typing(page, answering, find('#comment'), words.commentMode, (text) => answering.comment(text));
    const buttons = find('.stage-buttons');
    buttons.hidden = false;
    find('[data-note=flag]').addEventListener('click', () => this.flag());
    find('[data-note=comment]').addEventListener('click', () => this.open());
    // A click must not take the focus: else the next Enter would repeat it.
    buttons.addEventListener('mousedown', (event) => event.preventDefault());
  }

  flag() {
    this.answering.flag();
  }

  open() {
    this.typing.open();
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
