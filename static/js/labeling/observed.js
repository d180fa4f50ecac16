/** What is said beside the name, where the project asks: sex, age, behaviour. It goes with the answer and is empty for the next crop. */
import { all } from './dom.js';

const FIELDS = ['sex', 'life_stage', 'behaviour'];

export class Observed {
  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.form = form;
    const select = /** @type {HTMLSelectElement | null} */ (form.querySelector('.observed select'));
    select?.addEventListener('pointerdown', () => (this.byHand = true));
    select?.addEventListener('keydown', (event) => {
      this.byHand = false;
      if (event.key === 'Enter') select.blur();
    });
    // The keyboard goes back to the species once the mouse has chosen.
    select?.addEventListener('change', () => this.byHand && select.blur());
  }

  /** What was said of the crop before. @param {Record<string, any> | null} said */
  show(said) {
    for (const name of FIELDS) {
      const wanted = said?.[name] ?? '';
      for (const radio of /** @type {HTMLInputElement[]} */ (all(`.observed input[name=${name}]`, this.form))) radio.checked = radio.value === wanted;
      const select = /** @type {HTMLSelectElement | null} */ (this.form.querySelector(`.observed select[name=${name}]`));
      if (select) select.value = [...select.options].some((option) => option.value === wanted) ? wanted : '';
    }
  }

  /** What is chosen now, for an answer of this kind: only an animal has any. @param {string} kind */
  said(kind) {
    const chosen = new FormData(this.form);
    const fields = FIELDS.map((name) => [name, chosen.get(name)]).filter(([, value]) => value);
    return kind === 'taxon' ? Object.fromEntries(fields) : {};
  }
}
