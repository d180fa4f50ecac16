/** One table of keys: the handler and the sheet on `?` both read it (ui words, section 6). */
import { all, closest, find, make } from './dom.js';
import { keepLetters, lettersAnswer } from './personal.js';
import { say } from '../words.js';
import { words } from './words.js';

/**
 * keys: as typed; `shift+` and `ctrl+` (Cmd on a Mac) stand before named keys. shown: how the sheet draws them; an array is a key.
 * species: the row stands for a species key, found by its letter in the project's list. repeats: a held key goes on.
 * @type {{group: string, shown: (string | string[])[], says: string, act: string, keys: string[], letter?: boolean, steps?: any[], repeats?: boolean}[]}
 */
export const KEYS = [
  { group: say('Answer'), shown: [['1'], '–', ['9'], ['A'], '…'], says: say('the species with that key'), act: 'species', keys: [] },
  { group: say('Answer'), shown: [['Enter']], says: say('accept the classifier’s first'), act: 'accept', keys: ['Enter'] },
  { group: say('Answer'), shown: [['Shift'], say('+ key')], says: say('the same, but not certain'), act: 'species', keys: [] },
  { group: say('Answer'), shown: [['/']], says: say('type a name, any species'), act: 'find', keys: ['/'] },
  { group: say('Answer'), shown: [['X']], says: say('not an animal'), act: 'species', keys: [] },
  { group: say('Answer'), shown: [['U']], says: say('cannot tell'), act: 'species', keys: [] },
  { group: say('Answer'), shown: [['P'], ['V']], says: say('person, vehicle'), act: 'species', keys: [] },
  { group: say('Answer'), shown: [['N']], says: say('nothing in the whole photo'), act: 'emptyPhoto', keys: ['n'], letter: true },
  { group: say('Answer'), shown: [['S']], says: say('skip, ask me again later'), act: 'skip', keys: ['s'], letter: true },
  { group: say('Answer'), shown: [['K']], says: say('count: digits, then Enter'), act: 'count', keys: ['k'], letter: true },
  { group: say('Boxes'), shown: [['B']], says: say('box mode: draw in the photo'), act: 'boxes', keys: ['b'], letter: true },
  { group: say('Boxes'), shown: [['←'], ['→'], ['↑'], ['↓']], says: say('there: move by 1 pixel; Shift 10, Alt resizes'), act: 'boxes', keys: [] },
  { group: say('Boxes'), shown: [['A'], ['Delete'], ['Tab']], says: say('there: add, delete, next box'), act: 'boxes', keys: [] },
  { group: say('Boxes'), shown: [['Enter'], ['Esc']], says: say('there: keep; leave as before'), act: 'boxes', keys: [] },
  { group: say('Note'), shown: [['F']], says: say('flag for an expert, or no more'), act: 'flag', keys: ['f'], letter: true },
  { group: say('Note'), shown: [['C']], says: say('comment: words, then Enter'), act: 'comment', keys: ['c'], letter: true },
  { group: say('Select'), shown: [['←'], ['→'], ['↑'], ['↓']], says: say('the tile beside, above, below'), act: 'tile', keys: ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'], steps: [[-1, 0], [1, 0], [0, -1], [0, 1]], repeats: true },
  { group: say('Select'), shown: [['Space']], says: say('select the tile, or no more'), act: 'toggle', keys: [' '] },
  { group: say('Select'), shown: [['Shift'], say('+ arrows')], says: say('select as far as there; drag does it too'), act: 'extend', keys: ['shift+ArrowLeft', 'shift+ArrowRight', 'shift+ArrowUp', 'shift+ArrowDown'], steps: [[-1, 0], [1, 0], [0, -1], [0, 1]], repeats: true },
  { group: say('Select'), shown: [['E']], says: say('add the bursts of what is selected'), act: 'bursts', keys: ['e'], letter: true },
  { group: say('Burst'), shown: [['E']], says: say('the next answer is for the burst'), act: 'arm', keys: ['e'], letter: true },
  { group: say('Burst'), shown: [['E'], say('then'), ['X']], says: say('not this one: the photo you look at'), act: 'arm', keys: [] },
  { group: say('Burst'), shown: [['M']], says: say('the burst gets its commonest name'), act: 'majority', keys: ['m'], letter: true },
  { group: say('Take back'), shown: [['Ctrl'], ['Z']], says: say('undo, any depth'), act: 'undo', keys: ['ctrl+z'] },
  { group: say('Take back'), shown: [['Ctrl'], ['Shift'], ['Z']], says: say('redo'), act: 'redo', keys: ['ctrl+shift+z'] },
  { group: say('Move'), shown: [['←'], ['→']], says: say('crop before, crop after'), act: 'move', keys: ['ArrowLeft', 'ArrowRight'], steps: [-1, 1], repeats: true },
  { group: say('Move'), shown: [['↑'], ['↓']], says: say('photo before, after'), act: 'frame', keys: ['ArrowUp', 'ArrowDown'], steps: [-1, 1], repeats: true },
  { group: say('Move'), shown: [['Home']], says: say('the crop’s own photo'), act: 'home', keys: ['Home'] },
  { group: say('Move'), shown: [['G']], says: say('single or grid, the same crop'), act: 'turn', keys: ['g'], letter: true },
  { group: say('Move'), shown: [['Space']], says: say('play or stop the burst'), act: 'play', keys: [' '] },
  { group: say('See'), shown: [['Z']], says: say('box, whole photo, 1:1'), act: 'view', keys: ['z'] },
  { group: say('See'), shown: [['+'], ['−']], says: say('zoom; drag to pan'), act: 'zoom', keys: ['+', '=', '-'], steps: [1, 1, -1] },
  { group: say('See'), shown: [['Shift'], say('+ arrows')], says: say('pan'), act: 'pan', keys: ['shift+ArrowLeft', 'shift+ArrowRight', 'shift+ArrowUp', 'shift+ArrowDown'], steps: [[1, 0], [-1, 0], [0, 1], [0, -1]], repeats: true },
  { group: say('See'), shown: [['['], [']']], says: say('darker, brighter'), act: 'bright', keys: ['[', ']'], steps: [-1, 1] },
  { group: say('See'), shown: [['{'], ['}']], says: say('less, more contrast'), act: 'contrast', keys: ['{', '}'], steps: [-1, 1] },
  { group: say('See'), shown: [['\\']], says: say('light as shot'), act: 'asShot', keys: ['\\'] },
  { group: say('See'), shown: [['H']], says: say('hide or show the guess'), act: 'hide', keys: ['h'] },
  { group: say('Help'), shown: [['?']], says: say('this list'), act: 'help', keys: ['?'] },
  { group: say('Help'), shown: [['Esc']], says: say('leave, nothing said'), act: 'leave', keys: ['Escape'] },
];

const IS_MAC = /mac/i.test(navigator.platform);

export class Shortcuts {
  /**
   * @param {Record<string, (step: any) => void>} acts what each act of the table does; keys of other acts mean nothing on this page
   * @param {(key: string, certain: boolean) => boolean} species answers with the species of a key; false when there is none
   */
  constructor(acts, species) {
    this.acts = acts;
    this.species = species;
    this.sheet = find('.key-help');
    this.letters = lettersAnswer();
    this.keys = KEYS.filter((row) => row.act in acts || ['species', 'help', 'leave'].includes(row.act));
    this.rows = new Map(this.keys.flatMap((row) => row.keys.map((key, place) => /** @type {const} */ ([key, { row, step: row.steps?.[place] }]))));
    this.acts.help = () => this.open();
    this.acts.leave ??= () => undefined;
    /** A mode that takes keys before the table does. @type {(event: KeyboardEvent) => boolean} */
    this.mode = () => false;
    addEventListener('keydown', (event) => this.press(event));
    this.sheet.addEventListener('click', (event) => {
      if (event.target === this.sheet || closest(event, '[data-close]')) this.close();
    });
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (this.sheet.classList.contains('open')) {
      this.pressInSheet(event);
      return;
    }
    if (isTextField(event.target) || event.isComposing) return;
    if (this.mode(event)) {
      event.preventDefault();
      return;
    }
    if (isItsOwn(event)) return;
    if (this.run(event)) event.preventDefault();
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether the key means something here */
  run(event) {
    const key = nameOf(event);
    if (key === null) return false;
    const found = this.rows.get(key);
    if (found?.row.letter && !this.letters) return false;
    if (found) {
      if (!event.repeat || found.row.repeats) this.acts[found.row.act](found.step);
      return true;
    }
    if (event.ctrlKey || event.metaKey || !this.letters || !/^[a-z0-9]$/.test(key)) return false;
    return event.repeat || this.species(key.toUpperCase(), !event.shiftKey);
  }

  /** @param {KeyboardEvent} event */
  pressInSheet(event) {
    if (event.key === 'Tab') this.stay(event);
    if (event.key !== 'Escape' && event.key !== '?') return;
    event.preventDefault();
    this.close();
  }

  /** The focus stays in the open sheet. @param {KeyboardEvent} event */
  stay(event) {
    const stops = all('button, input', this.sheet);
    const edge = event.shiftKey ? stops[0] : stops[stops.length - 1];
    if (document.activeElement !== edge && this.sheet.contains(document.activeElement)) return;
    event.preventDefault();
    (event.shiftKey ? stops[stops.length - 1] : stops[0]).focus();
  }

  open() {
    this.before = document.activeElement;
    find('.key-help-sheet', this.sheet).replaceChildren(...this.lines());
    this.sheet.classList.add('open');
    find('[data-close]', this.sheet).focus();
  }

  close() {
    this.sheet.classList.remove('open');
    if (this.before instanceof HTMLElement) this.before.focus();
  }

  lines() {
    const groups = new Map(this.keys.map((row) => [row.group, make('dl')]));
    for (const row of this.keys) groups.get(row.group)?.append(make('div', {}, make('dt', {}, ...row.shown.flatMap(drawn)), make('dd', {}, row.says)));
    const columns = [...groups].map(([name, list]) => make('div', { class: 'key-group' }, make('h3', {}, name), list));
    const box = /** @type {HTMLInputElement} */ (make('input', { type: 'checkbox', id: 'letters' }));
    box.checked = this.letters;
    box.addEventListener('change', () => {
      this.letters = box.checked;
      keepLetters(box.checked);
    });
    const close = make('button', { class: 'button', type: 'button', 'data-close': true }, words.close, ' ', make('kbd', {}, 'Esc'));
    return [
      make('div', { class: 'spread' }, make('h2', { id: 'keys-title' }, words.keysTitle), close),
      make('p', { class: 'quiet' }, words.keysNote),
      make('div', { class: 'key-help-columns' }, ...columns),
      make('label', { class: 'check', for: 'letters' }, box, words.keysSwitch),
    ];
  }
}

/** @param {string | string[]} part @returns {(string | Node)[]} */
function drawn(part) {
  if (typeof part === 'string') return [part];
  return part.map((key) => make('kbd', {}, key === 'Ctrl' && IS_MAC ? '⌘' : key));
}

/** The key as the table writes it; null for what is the browser's. @param {KeyboardEvent} event */
function nameOf(event) {
  const altGraph = event.getModifierState('AltGraph');
  const command = !altGraph && (event.ctrlKey || event.metaKey);
  if (event.altKey && !altGraph) return null;
  const isLetter = /^\p{L}$/u.test(event.key);
  const digit = event.shiftKey && /^Digit\d$/.test(event.code) && !/^[+=\-/?{}[\]\\]$/.test(event.key) ? event.code.slice(5) : null;
  const key = digit ?? (isLetter ? event.key.toLowerCase() : event.key);
  const shift = event.shiftKey && (command || key.length > 1) ? 'shift+' : '';
  return `${command ? 'ctrl+' : ''}${shift}${key}`;
}

/** @param {EventTarget | null} target */
function isTextField(target) {
  return target instanceof HTMLElement && target.matches('input:not([type=range], [type=checkbox], [type=radio]), textarea, select, [contenteditable]');
}

/** A control that was reached by keyboard keeps its own keys. @param {KeyboardEvent} event */
function isItsOwn(event) {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (target.matches('input[type=range]')) return event.key.startsWith('Arrow') || event.key === 'Home';
  if (target.matches('input[type=radio]')) return event.key.startsWith('Arrow') || event.key === ' ';
  return (event.key === 'Enter' || event.key === ' ') && target.matches('a:focus-visible, button:focus-visible, summary:focus-visible');
}
