/** The panel of answers: five guesses, the species, the four others, what was answered last. Nothing in it ever moves. */
import { all, closest, find, make, makeSvg, set } from './dom.js';
import { Observed } from './observed.js';
import { percent, words } from './words.js';

/** @typedef {{id: number, kind: string, name: string, scientific_name: string, rank: string, hotkey: string | null, synonyms: string[], called?: string, retired: boolean, used?: number}} Species called: in the language of the project. used: among the project's newest answers */
/** @typedef {import('./queue.js').Crop} Crop */
/** @typedef {Pick<Crop, 'guesses' | 'blind' | 'said'> & Partial<Crop>} Asked a crop, or what is asked about many */

export class Panel {
  /** @type {Asked | undefined} none while there is nothing to answer */
  crop;

  /** @param {HTMLFormElement} form @param {Record<string, Species>} species @param {boolean} locked whether one may only look */
  constructor(form, species, locked) {
    this.locked = locked;
    this.form = form;
    this.species = species;
    this.hidden = false;
    this.list = find('.species > .list', form);
    this.guessRows = all('.guess li', form);
    this.last = find('.last', form);
    this.observed = new Observed(form);
    // A click must not take the focus: else the next Enter would repeat it, and arrows would move in the choice.
    form.addEventListener('mousedown', (event) => {
      if (closest(event, 'button, .joined')) event.preventDefault();
    });
  }

  /** @param {Crop} crop @param {boolean} blank whether the classifier has said nothing at all yet */
  show(crop, blank) {
    if (crop !== this.crop) this.observed.show(crop.said);
    this.crop = crop;
    this.blank = blank;
    this.form.action = `/boxes/${crop.box_id}/labels`;
    /** @type {HTMLInputElement} */ (find('[name=lease_token]', this.form)).value = crop.lease_token;
    /** @type {HTMLInputElement} */ (find('[name=pick_id]', this.form)).value = String(crop.pick_id ?? '');
    this.enable(true);
    this.showGuesses();
    this.showSaid(crop.said);
  }

  /** @param {boolean} on whether there is something to answer */
  enable(on) {
    for (const button of /** @type {HTMLButtonElement[]} */ (all('.answer', this.form))) button.disabled = !on || this.locked;
    if (on) return;
    this.crop = undefined;
    for (const row of this.guessRows) row.replaceChildren(this.emptyGuess(''));
  }

  /** Nothing while there is nothing to answer. */
  showGuesses() {
    if (!this.crop) return;
    const guesses = this.hidden ? [] : this.crop.guesses;
    const blind = this.crop.blind && !this.blank;
    const why = blind ? words.blindGuess : [this.hidden ? words.hiddenGuess : this.blank ? words.noGuess : words.noGuessHere];
    for (const [place, row] of this.guessRows.entries()) {
      row.replaceChildren(guesses[place] ? this.guess(place, guesses[place]) : this.emptyGuess(why[place] ?? ''));
    }
    this.form.querySelector('.rolled')?.replaceChildren(...(guesses[0]?.rolled ? [this.rolled(guesses[0].rolled)] : []));
    this.form.dispatchEvent(new Event('guesses'));
  }

  /** @param {number} place @param {{species_id: number, p: number}} guess */
  guess(place, { species_id: id, p }) {
    const { name, hotkey } = this.species[id];
    const key = place === 0 ? '↵' : hotkey;
    const share = String(percent(p));
    return make(
      'button',
      { type: 'submit', name: 'species', value: String(id), 'aria-label': words.guessButton(name, percent(p), place === 0), disabled: this.locked },
      key ? make('kbd', {}, key) : make('span'),
      make('span', { class: 'name' }, name),
      makeSvg('svg', { class: 'bar', viewBox: '0 0 100 6', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, makeSvg('rect', { width: share, height: '6' })),
      make('span', { class: 'p' }, `${share}%`),
    );
  }

  /** What the guesses add up to. @param {import('./queue.js').Rolled} rolled */
  rolled({ species_id: id, p, parts }) {
    const why = parts.map(([part, share]) => `${this.species[part].name} ${percent(share)}`).join(', ');
    return make(
      'button',
      { class: 'answer', type: 'submit', name: 'species', value: String(id), title: `${words.addedUp}: ${why}`, disabled: this.locked },
      make('span', { class: 'name' }, this.species[id].name, ' ', make('span', { class: 'faint' }, why)),
      make('span', { class: 'p' }, `${percent(p)}%`),
    );
  }

  /** @param {string} why */
  emptyGuess(why) {
    return make('button', { type: 'submit', class: 'empty', disabled: true, 'aria-hidden': !why && 'true' }, make('span', { class: 'name' }, why));
  }

  /** What this person said about the crop before. @param {Crop['said']} said */
  showSaid(said) {
    for (const button of /** @type {HTMLButtonElement[]} */ (all('.answer[name=species]', this.form))) {
      const on = said !== null && Number(button.value) === said.species_id;
      set(button, { 'aria-pressed': String(on) });
      button.querySelector('.mark')?.remove();
      if (on && !said?.certain) button.append(make('span', { class: 'mark' }, words.notCertain));
    }
  }

  /** @returns {number | null} what Enter says */
  get first() {
    return this.hidden ? null : (this.crop?.guesses[0]?.species_id ?? null);
  }

  turnGuess() {
    this.hidden = !this.hidden;
    if (this.crop) this.showGuesses();
  }

  /** @param {Species} species a new row at the end of the list */
  add(species) {
    this.species[species.id] = species;
    for (const none of all('.none', this.list)) none.remove();
    const { id, name, hotkey, scientific_name: scientific } = species;
    this.list.append(
      make(
        'li',
        {},
        make(
          'button',
          { class: species.rank === 'species' ? 'answer' : 'answer rank', type: 'submit', name: 'species', value: String(id), title: scientific, 'aria-label': words.answer(name, hotkey), 'aria-pressed': 'false' },
          hotkey ? make('kbd', {}, hotkey) : make('span'),
          make('span', { class: 'name' }, name),
        ),
      ),
    );
  }

  /** The foot. @param {{picture: string, name: string, note: string}} done */
  showLast({ picture, name, note }) {
    this.showPicture(picture);
    find('p', this.last).replaceChildren(make('span', { class: 'strong', title: name }, name), ' ', make('span', { class: 'faint tiny' }, note));
  }

  /** Beside the last answer; none while it is not sure yet which one may be shown. @param {string} picture */
  showPicture(picture) {
    const image = /** @type {HTMLImageElement} */ (find('img', this.last));
    image.hidden = picture === '';
    if (picture === '') image.removeAttribute('src');
    else if (image.getAttribute('src') !== picture) image.src = picture;
  }

  /** @param {boolean} mayUndo @param {boolean} mayRedo */
  showWays(mayUndo, mayRedo) {
    /** @type {HTMLButtonElement} */ (find('.undo', this.last)).disabled = !mayUndo;
    find('.redo', this.last).hidden = !mayRedo;
  }
}
