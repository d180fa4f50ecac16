/** What a person set for the eyes and the fingers. The page brings it, the server keeps it: another computer knows it too. */
import { postForm } from './api.js';

const QUIET_MS = 500; // a slider sends many values; the last one is kept
const { dataset } = document.documentElement;

/** @type {Map<string, Record<string, string>>} what the server does not know yet, by address */
const unsent = new Map();
/** @type {number | undefined} */
let timer;

export const lettersAnswer = () => dataset.letters !== 'off';

/** @param {boolean} on */
export function keepLetters(on) {
  dataset.letters = on ? 'on' : 'off';
  keep('/account/keys', on ? { letters: '1' } : {});
}

export const lightKept = () => ({ bright: Number(dataset.bright) || 0, contrast: Number(dataset.contrast) || 0 });

/** @param {{bright: number, contrast: number}} light each -100 to 100, 0 as shot */
export function keepLight({ bright, contrast }) {
  dataset.bright = String(bright);
  dataset.contrast = String(contrast);
  keep('/account/light', { bright: dataset.bright, contrast: dataset.contrast });
}

/** @param {string} address @param {Record<string, string>} fields */
function keep(address, fields) {
  unsent.set(address, fields);
  clearTimeout(timer);
  timer = setTimeout(send, QUIET_MS);
}

/** What could not be sent waits for the connection; on this page it holds already. */
async function send() {
  clearTimeout(timer);
  for (const [address, fields] of unsent) {
    unsent.delete(address);
    try {
      await postForm(address, fields);
    } catch {
      if (!unsent.has(address)) unsent.set(address, fields);
      return;
    }
  }
}

addEventListener('online', send);
addEventListener('pagehide', send);
