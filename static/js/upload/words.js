// Numbers in words, as the pages of the server write them.

/** @param {number} number */
export const thousands = (number) => number.toLocaleString('en-GB').replace(/\u00a0/g, ',');

/** @param {number} number @param {string} one */
export const countOf = (number, one) => `${thousands(number)} ${number === 1 ? one : `${one}s`}`;

/** @param {number} count */
export function bytes(count) {
  if (count < 1000) return `${count} bytes`;
  for (const [unit, size] of /** @type {const} */ ([['KB', 1e3], ['MB', 1e6]])) {
    if (count < size * 1000) return `${(count / size).toFixed(count < size * 10 && unit === 'MB' ? 1 : 0)} ${unit}`;
  }
  return `${(count / 1e9).toFixed(1)} GB`;
}

/** @param {number} seconds */
export function left(seconds) {
  if (seconds < 15) return 'a few seconds left';
  if (seconds < 90) return `about ${Math.round(seconds / 10) * 10} seconds left`;
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} minutes left`;
  return `about ${Math.round(seconds / 3600)} hours left`;
}

/** @param {Date} moment */
export const clock = (moment) =>
  new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' }).format(moment);
