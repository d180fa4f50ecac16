/** The keys of the review page: each does what the button or link of that name does, so the page works without them too. */
import { all, find } from './dom.js';
import { Shortcuts } from './shortcuts.js';

const panel = find('.answers');
let answered = false;

/** Nothing after an answer: going elsewhere would break it off. @param {string} selector */
const click = (selector) => () => answered || /** @type {HTMLElement | null} */ (document.querySelector(selector))?.click();

/** A species by its key; a held or second key must not answer the next case before it is here. @param {string} key @param {boolean} certain */
function species(key, certain) {
  const button = all('button.answer[name=species]', panel).find((each) => each.querySelector('kbd')?.textContent === key);
  if (button && !answered) answer(button, certain);
  return Boolean(button);
}

/** @param {HTMLElement} button @param {boolean} certain */
function answer(button, certain) {
  if (!certain) {
    const mark = Object.assign(document.createElement('input'), { type: 'hidden', name: 'not_certain', value: '1' });
    panel.append(mark);
  }
  button.click();
}

panel.addEventListener('submit', (event) => {
  if (answered) event.preventDefault();
  answered = true;
});
addEventListener('pageshow', () => (answered = false));

/** @type {Record<string, (step: any) => void>} */
const acts = {
  accept: click('.guess li:first-child button:not(:disabled)'),
  emptyPhoto: click('.others button[value=empty_photo]'),
  skip: click('.others a'),
  undo: click('.last .undo:not(:disabled)'),
  redo: click('.last .redo:not([hidden])'),
  move: (step) => click(`[data-go=${step < 0 ? 'before' : 'after'}]`)(),
  find: () => find('#find').focus(),
};
const shortcuts = new Shortcuts(acts, species);
const button = find('.help-button');
button.hidden = false;
button.addEventListener('click', () => shortcuts.open());
for (const event of window.takeEarlyKeys()) shortcuts.press(event);
document.querySelector('.queue [aria-current]')?.scrollIntoView({ block: 'nearest' });
