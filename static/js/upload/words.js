// Numbers in words, as the pages of the server write them.

export const thousands = (number) => number.toLocaleString('en-GB').replace(/\u00a0/g, ',');

export const countOf = (number, one) => `${thousands(number)} ${number === 1 ? one : `${one}s`}`;

export function bytes(count) {
  if (count < 1000) return `${count} bytes`;
  for (const [unit, size] of [['KB', 1e3], ['MB', 1e6]]) {
    if (count < size * 1000) return `${(count / size).toFixed(count < size * 10 && unit === 'MB' ? 1 : 0)} ${unit}`;
  }
  return `${(count / 1e9).toFixed(1)} GB`;
}

export function left(seconds) {
  if (seconds < 15) return 'a few seconds left';
  if (seconds < 90) return `about ${Math.round(seconds / 10) * 10} seconds left`;
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} minutes left`;
  return `about ${Math.round(seconds / 3600)} hours left`;
}

export const clock = (moment) =>
  new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' }).format(moment);
