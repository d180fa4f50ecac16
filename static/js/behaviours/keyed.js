// A button with data-key is pressed by that key, unless somebody types in a field or holds another key.

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const at = event.target;
  if (at instanceof HTMLInputElement || at instanceof HTMLTextAreaElement || at instanceof HTMLSelectElement) return;
  for (const button of document.querySelectorAll('button[data-key]')) {
    if (button instanceof HTMLButtonElement && button.dataset.key === event.key.toLowerCase()) {
      event.preventDefault();
      button.click();
      return;
    }
  }
});
