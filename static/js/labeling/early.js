/**
 * Keys pressed while the page is here and its script is still on the way: they are kept, and the script takes them.
 * Not a module, so that it runs before the page is shown.
 */
(() => {
  /** @type {KeyboardEvent[]} */
  const kept = [];
  const keep = (/** @type {KeyboardEvent} */ event) => kept.push(event);
  addEventListener('keydown', keep);
  window.takeEarlyKeys = () => {
    removeEventListener('keydown', keep);
    return kept.splice(0);
  };
})();
