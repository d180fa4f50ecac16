/** A mode in which the keyboard types into a field of the stage: Enter keeps, Esc leaves, and so does going elsewhere. */

export class Typing {
  /**
   * @param {import('./page.js').Page} page @param {import('./answering.js').Answering} answering
   * @param {HTMLInputElement} field @param {string} mode what stands in the corner meanwhile
   * @param {(typed: string) => void} keep what to do with what was typed, never empty
   */
  constructor(page, answering, field, mode, keep) {
    this.page = page;
    this.answering = answering;
    this.field = field;
    this.mode = mode;
    this.keep = keep;
    field.addEventListener('keydown', (event) => this.press(event));
    field.addEventListener('blur', () => this.close());
  }

  /** In turn, as answers are: a key may come before the page is ready. */
  open() {
    this.answering.inTurn(() => {
      this.field.value = '';
      this.show(true);
      this.field.focus();
    });
  }

  close() {
    if (!this.field.hidden) this.show(false);
  }

  /** @param {boolean} on */
  show(on) {
    this.field.hidden = !on;
    if (on) this.page.mode = this.mode;
    else if (this.page.mode === this.mode) this.page.mode = ''; // another field may have the keyboard by now
    this.page.showCorner();
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (event.isComposing || !['Enter', 'Escape'].includes(event.key)) return;
    event.preventDefault();
    const typed = this.field.value.trim();
    if (event.key === 'Enter' && typed) this.keep(typed);
    this.close();
  }
}
