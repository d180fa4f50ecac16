/**
 * What lies over photos: the server blurs people and hides what nobody has looked at; this page follows where the pictures lie.
 * A veil changes the address, so that no sharp picture that was kept before is shown again.
 */
import { words } from './words.js';

const ASK_AGAIN_MS = 2000;

/** @typedef {{id: number, preview: string, thumbnail: string, veil: '' | 'person' | 'hidden' | 'opened', query: string, open_s: number}} PhotoNow open_s: how long an opened one lasts */

/**
 * Take over what the server says of photos now. A photo that this person opened stays open while it is on the page.
 * @param {import('./queue.js').Crop[]} crops @param {PhotoNow[]} photos @returns {Set<number>} those that changed
 */
export function follow(crops, photos) {
  const now = new Map(photos.map((photo) => [photo.id, photo]));
  const changed = new Set();
  for (const crop of crops) {
    for (const shown of [crop.image, ...crop.burst]) {
      const photo = now.get(shown.id);
      if (!photo || photo.query === shown.query || (shown.veil === 'opened' && photo.veil)) continue;
      Object.assign(shown, photo);
      changed.add(photo.id);
      if (shown === crop.image) crop.picture = `/boxes/${crop.box_id}/crop.jpg${photo.query}`;
    }
  }
  return changed;
}

/** Addresses whose blurred picture was there when it was fetched. @type {Set<string>} */
const made = new Set();

/**
 * Until the worker has blurred a picture, the server sends a grey one; a page that fetched it ahead may hold that still.
 * @param {string} url @param {() => boolean} isWanted whether anybody still looks @returns {Promise<boolean>} whether to fetch it again
 */
export async function isMadeNow(url, isWanted) {
  while (isWanted() && !made.has(url)) {
    if (await isJpeg(url)) {
      made.add(url);
      return true;
    }
    await new Promise((done) => setTimeout(done, ASK_AGAIN_MS));
  }
  return false;
}

/** @param {string} url */
async function isJpeg(url) {
  try {
    return (await fetch(url, { method: 'HEAD' })).headers.get('content-type') === 'image/jpeg';
  } catch {
    return false;
  }
}

/** The button of those with the right is about the crop that is shown. @param {import('./queue.js').Crop} crop */
export function showOpening(crop) {
  const form = /** @type {HTMLFormElement | null} */ (document.querySelector('.show-person'));
  if (!form) return;
  form.hidden = !['person', 'hidden'].includes(crop.image.veil);
  form.action = `/images/${crop.image.id}/open`;
  /** @type {HTMLInputElement} */ (form.elements.namedItem('box')).value = String(crop.box_id);
}

/** What the corner and the picture's name say of it; nothing where nothing lies over it. @param {import('./queue.js').Crop} crop @returns {string} */
export const veilWords = (crop) => words.veils[crop.image.veil] ?? '';
