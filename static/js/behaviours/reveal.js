import { say } from '../words.js';

// Shows what was typed into the password fields named by data-reveal, and hides it again.
for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-reveal]'))) {
  const ids = (button.dataset.reveal ?? '').split(' ');
  const fields = ids.map((id) => /** @type {HTMLInputElement} */ (document.getElementById(id)));
  const words = button.textContent;
  button.hidden = false;
  button.setAttribute('aria-pressed', 'false');
  button.addEventListener('click', () => {
    const shown = fields[0].type === 'text';
    for (const field of fields) field.type = shown ? 'password' : 'text';
    button.setAttribute('aria-pressed', String(!shown));
    button.textContent = shown ? words : fields.length > 1 ? say('Hide the passwords') : say('Hide the password');
  });
}
