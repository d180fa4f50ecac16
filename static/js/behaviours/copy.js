import { say } from '../words.js';

// Copies the value of the field named by data-copy. Without script the field can be marked and copied by hand.
for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-copy]'))) {
  const field = /** @type {HTMLInputElement} */ (document.getElementById(button.dataset.copy ?? ''));
  const words = button.textContent;
  button.hidden = !navigator.clipboard;
  button.addEventListener('click', async () => {
    field.select();
    await navigator.clipboard.writeText(field.value);
    button.textContent = say('Copied');
    setTimeout(() => { button.textContent = words; }, 2000);
  });
}
