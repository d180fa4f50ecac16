/** Type a name: common, scientific or another one; Enter takes the marked row. A name nobody knows can be added. */
import { Refused, newKey, postForm } from './api.js';
import { closest, find, make, set } from './dom.js';
import { matches, rankOf } from './names.js';
import { words } from './words.js';

export class Finder {
  /**
   * @param {HTMLElement} element the field with its list
   * @param {import('./panel.js').Panel} panel
   * @param {{take: (id: number, certain: boolean) => void, say: (words: string) => void, url: string}} page
   */
  constructor(element, panel, page) {
    this.panel = panel;
    this.page = page;
    this.field = /** @type {HTMLInputElement} */ (find('input', element));
    this.list = find('.found', element);
    this.marked = 0;
    set(this.field, { role: 'combobox', 'aria-expanded': 'false', 'aria-controls': 'found', 'aria-autocomplete': 'list' });
    this.field.addEventListener('input', () => this.search());
    this.field.addEventListener('keydown', (event) => this.press(event));
    this.field.addEventListener('blur', () => this.close());
    this.list.addEventListener('mousedown', (event) => event.preventDefault());
    this.list.addEventListener('click', (event) => {
      const row = closest(event, 'li');
      if (row) this.choose([...this.list.children].indexOf(row), true);
    });
  }

  open() {
    this.field.focus();
    this.field.select();
    this.search();
  }

  leave() {
    this.field.value = '';
    this.close();
    this.field.blur();
  }

  close() {
    this.list.hidden = true;
    set(this.field, { 'aria-expanded': 'false', 'aria-activedescendant': false });
    this.tellMarked(null);
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Escape') this.leave();
    else if (event.key === 'Enter') this.choose(this.marked, !event.shiftKey);
    else if (step) this.mark(this.marked + step);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  search() {
    const typed = this.field.value.trim().replace(/\s+/g, ' ');
    const known = typed ? matches(Object.values(this.panel.species), typed) : [];
    /** @type {{id: number | null, name: string, note: string, typed: string}[]} id: none for a new species */
    this.rows = known.map(({ species, as }) => ({ id: species.id, name: species.name, note: as, typed }));
    const exact = known.some(({ exact: is }) => is);
    if (typed && !exact) this.rows.push({ id: null, name: words.addSpecies(typed, rankOf(typed)), note: '', typed });
    this.list.replaceChildren(...this.rows.map(row));
    this.list.hidden = this.rows.length === 0;
    set(this.field, { 'aria-expanded': String(this.rows.length > 0) });
    this.mark(0);
  }

  /** @param {number} place */
  mark(place) {
    if (!this.rows?.length) return this.tellMarked(null);
    this.marked = (place + this.rows.length) % this.rows.length;
    for (const [index, element] of [...this.list.children].entries()) set(element, { 'aria-selected': String(index === this.marked) });
    this.list.children[this.marked].scrollIntoView({ block: 'nearest' });
    set(this.field, { 'aria-activedescendant': this.list.children[this.marked].id });
    return this.tellMarked(this.rows[this.marked].id);
  }

  /** Whose photos to show meanwhile. @param {number | null} id */
  tellMarked(id) {
    this.field.dispatchEvent(new CustomEvent('marked', { bubbles: true, detail: id }));
  }

  /** @param {number} place @param {boolean} certain */
  async choose(place, certain) {
    const chosen = this.rows?.[place];
    if (!chosen || this.list.hidden) return;
    const id = chosen.id ?? (await this.add(chosen.typed));
    if (id === null) return;
    this.leave();
    this.page.take(id, certain);
  }

  /** @param {string} name @returns {Promise<number | null>} */
  async add(name) {
    try {
      const added = await postForm(this.page.url, { name, rank: rankOf(name), idempotency_key: newKey() });
      this.panel.add({ kind: 'taxon', rank: 'species', synonyms: [], retired: false, ...added });
      return added.id;
    } catch (error) {
      this.page.say(error instanceof Refused ? error.message : words.needsConnection);
      return null;
    }
  }
}

/** @param {{name: string, note: string}} found @param {number} index */
function row({ name, note }, index) {
  const element = make('li', { role: 'option', id: `found-${index}`, 'aria-selected': 'false' }, make('span', {}, name));
  if (note) element.append(make('span', { class: 'faint' }, note));
  return element;
}
