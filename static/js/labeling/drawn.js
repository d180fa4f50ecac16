/** What a drawing does to the crops on this desk: at once as it was drawn, then as the server has it. */
import { asShown } from './queue.js';

/** @typedef {import('./queue.js').Crop} Crop */
/** @typedef {{crop: Crop, kept: Partial<Crop>}} Shape a crop as it was before */

/** @type {(keyof Crop)[]} */
const FIELDS = ['box_id', 'picture', 'box', 'others', 'boxes', 'drawn', 'score', 'number', 'of', 'counted', 'burst', 'guesses', 'blind', 'open'];

/**
 * As it was drawn, before the server knows. What was before, for the way back.
 * @param {import('./queue.js').Queue} queue @param {Crop} drawnAt @param {import('./draft.js').Drawing} drawing @returns {Shape[]}
 */
export function draw(queue, drawnAt, { moved, added, deleted }) {
  const now = new Map(moved.map(({ box_id: id, corners }) => [id, corners]));
  const boxes = drawnAt.boxes.filter(({ box_id: id }) => !deleted.includes(id)).map(({ box_id: id, box }) => ({ box_id: id, box: now.get(id) ?? box }));
  return ofPhoto(queue, drawnAt.image.id).map((crop) => {
    const kept = Object.fromEntries(FIELDS.map((name) => [name, crop[name]]));
    const place = boxes.findIndex(({ box_id: id }) => id === crop.box_id);
    if (place < 0) crop.open &&= !deleted.includes(crop.box_id);
    else {
      const others = [...boxes.filter((_, index) => index !== place).map(({ box }) => box), ...added];
      Object.assign(crop, { box: boxes[place].box, boxes, others, number: place + 1, of: others.length + 1 });
    }
    return { crop, kept };
  });
}

/** @param {import('./queue.js').Queue} queue @param {Shape[]} shapes @param {Set<Crop>} added crops that came with it */
export function undraw(queue, shapes, added) {
  for (const { crop, kept } of shapes) Object.assign(crop, kept);
  if (added.size) queue.drop((crop) => added.has(crop));
}

/**
 * As the server has it.
 * @param {import('./queue.js').Queue} queue @param {any} reply @returns {Set<Crop>} the crops of boxes that were not on this desk
 */
export function takeIn(queue, { kind, drawn, crops, image_id: photo }) {
  const now = new Map(drawn.moved);
  const ids = new Map(crops.map((/** @type {any} */ crop) => [crop.box_id, crop]));
  for (const crop of ofPhoto(queue, photo)) {
    const id = now.get(crop.box_id) ?? crop.box_id;
    if (queue.said.has(crop.box_id)) queue.said.set(id, queue.said.get(crop.box_id) ?? null);
    const fresh = ids.get(id);
    const kept = crop.blind ? ['open', 'guesses', 'blind'] : ['open'];
    if (fresh) for (const name of FIELDS) if (!kept.includes(name)) Object.assign(crop, { [name]: fresh[name] });
    if (drawn.deleted.includes(id)) crop.open = false;
  }
  const missing = kind === 'undo' ? [] : drawn.added.filter((/** @type {number} */ id) => ids.has(id) && !queue.ofBox(id)); // what comes back is leased again
  const added = missing.map((/** @type {number} */ id) => ({ ...asShown(ids.get(id)), open: true }));
  queue.crops.splice(queue.at + 1, 0, ...added);
  return new Set(added);
}

/** @param {import('./queue.js').Queue} queue @param {number} photo */
function ofPhoto(queue, photo) {
  return queue.crops.filter((crop) => crop.image.id === photo);
}
