/**
 * What the species under question looks like here: crops of it that are surely named, and of the species it is most often taken for.
 * It is the classifier's first guess, while nobody marks another name in the panel. Two rows of three, always of one size.
 */
import { get } from './api.js';
import { all, find, set } from './dom.js';
import { words } from './words.js';

const KEPT_MS = 300000;
const LINGER_MS = 150; // a pointer on its way over the names asks for nothing

/** @typedef {{box_id: number, image_id: number, sequence_id: number | null, picture: string}} Reference */
/** @typedef {{species_id: number, crops: Reference[], taken_for: {species_id: number, crops: Reference[], count: number, of: number} | null}} Known */

export class References {
  /** @param {HTMLElement} element the two rows @param {import('./panel.js').Panel} panel @param {string} project its address */
  constructor(element, panel, project) {
    this.element = element;
    this.panel = panel;
    this.project = project;
    this.rows = all('figure', element);
    /** @type {Map<number, {at: number, told: Promise<Known | null>}>} */
    this.known = new Map();
    /** @type {number | null} the name that is marked in the panel */
    this.marked = null;
    element.hidden = false;
    const { form } = panel;
    form.addEventListener('guesses', () => this.mark(this.about === panel.crop ? this.marked : null));
    form.addEventListener('marked', (event) => this.mark(/** @type {CustomEvent} */ (event).detail));
    form.addEventListener('focusin', (event) => this.mark(idOf(event.target)));
    form.addEventListener('pointerover', (event) => this.linger(idOf(event.target)));
    form.addEventListener('pointerleave', () => this.linger(null));
  }

  /** @param {number | null} id */
  linger(id) {
    clearTimeout(this.lingering);
    this.lingering = setTimeout(() => this.mark(id), LINGER_MS);
  }

  /** @param {number | null} id */
  mark(id) {
    clearTimeout(this.lingering);
    this.marked = id;
    this.show();
  }

  async show() {
    const { crop, hidden, blank, species } = this.panel;
    const id = this.marked ?? this.panel.first;
    this.about = crop;
    this.asked = id;
    if (!crop || this.element.getClientRects().length === 0) return; // a phone has no room for them
    if (id === null) {
      const blind = crop.blind && !blank;
      this.draw(0, [], '', blind ? words.blindGuess[0] : hidden ? words.hiddenGuess : '');
      this.draw(1, [], '', '');
      return;
    }
    const told = await this.of(id);
    if (this.asked !== id || this.panel.crop !== crop) return; // another one by now
    const other = told?.taken_for;
    const name = other ? (species[other.species_id]?.name ?? '') : '';
    const own = this.besides(told?.crops, crop);
    this.draw(0, own, species[id].name, own.length || !told ? species[id].name : words.noReference(species[id].name));
    if (other && name) this.draw(1, this.besides(other.crops, crop), name, words.takenFor(name, other.count, other.of));
    else this.draw(1, [], '', '');
  }

  /** None of the burst on the desk. @param {Reference[] | undefined} crops @param {import('./panel.js').Asked} crop */
  besides(crops, crop) {
    const { id, burst } = crop.image;
    return (crops ?? []).filter((each) => each.image_id !== id && (burst === null || each.sequence_id !== burst));
  }

  /** @param {number} id @returns {Promise<Known | null>} nothing without a connection */
  of(id) {
    const known = this.known.get(id);
    if (known && Date.now() - known.at < KEPT_MS) return known.told;
    const told = get(`${this.project}/species/${id}/references`).catch(() => {
      this.known.delete(id);
      return null;
    });
    this.known.set(id, { at: Date.now(), told });
    return told;
  }

  /** @param {number} place @param {Reference[]} crops @param {string} name @param {string} said what stands above them */
  draw(place, crops, name, said) {
    find('figcaption', this.rows[place]).textContent = said;
    for (const [index, image] of all('img', this.rows[place]).entries()) {
      const { picture } = crops[index] ?? {};
      set(image, { src: picture ?? false, hidden: !picture, alt: picture ? words.reference(name, index + 1) : '' });
    }
  }
}

/** @param {EventTarget | null} target @returns {number | null} the species of the button that it is in */
function idOf(target) {
  /** @type {HTMLButtonElement | null} */
  const button = target instanceof Element ? target.closest('button[name=species]:not(:disabled)') : null;
  return button ? Number(button.value) : null;
}
