// Numbers in words, as the pages of the server write them.

import { figure, say } from '../words.js';

/** @param {number} count */
export function bytes(count) {
  if (count < 1000) return say('%(count)s bytes', { count });
  for (const [unit, size] of /** @type {const} */ ([['KB', 1e3], ['MB', 1e6]])) {
    if (count < size * 1000) return `${decimals(count / size, count < size * 10 && unit === 'MB' ? 1 : 0)} ${unit}`;
  }
  return `${decimals(count / 1e9, 1)} GB`;
}

/** @param {number} number @param {number} places */
const decimals = (number, places) =>
  figure(number, { minimumFractionDigits: places, maximumFractionDigits: places, useGrouping: false });

/** @param {number} seconds */
export function left(seconds) {
  if (seconds < 15) return say('a few seconds left');
  if (seconds < 90) return say('about %(count)s seconds left', { count: Math.round(seconds / 10) * 10 });
  if (seconds < 5400) return say('about %(count)s minutes left', { count: Math.round(seconds / 60) });
  return say('about %(count)s hours left', { count: Math.round(seconds / 3600) });
}

/** @param {Date} moment */
export const clock = (moment) =>
  new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' }).format(moment);
