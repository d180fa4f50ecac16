// A button with data-key is pressed by that key, unless somebody types in a field or holds another key. Once a page: what is
// pressed while the next page is on its way is meant for something that nobody has seen yet.

let pressed = false;

window.addEventListener('pageshow', () => {
  pressed = false;
});

document.addEventListener('keydown', (event) => {
  if (pressed || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const at = event.target;
  if (at instanceof HTMLInputElement || at instanceof HTMLTextAreaElement || at instanceof HTMLSelectElement) return;
  for (const button of document.querySelectorAll('button[data-key]')) {
    if (button instanceof HTMLButtonElement && button.dataset.key === event.key.toLowerCase()) {
      event.preventDefault();
      pressed = true;
      button.click();
      return;
    }
  }
});
