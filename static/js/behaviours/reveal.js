// Shows what was typed into the password fields named by data-reveal, and hides it again.
for (const button of document.querySelectorAll('[data-reveal]')) {
  const fields = button.dataset.reveal.split(' ').map((id) => document.getElementById(id));
  const words = button.textContent;
  button.hidden = false;
  button.setAttribute('aria-pressed', 'false');
  button.addEventListener('click', () => {
    const shown = fields[0].type === 'text';
    for (const field of fields) field.type = shown ? 'password' : 'text';
    button.setAttribute('aria-pressed', String(!shown));
    button.textContent = shown ? words : words.replace('Show', 'Hide');
  });
}
